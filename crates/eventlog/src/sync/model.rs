//! What the scheduler of a test drives: shuttle's threads and locks, and the few things the log uses of tokio, made of
//! those locks. Only the promises that the log relies on are kept; fairness, for one, is not.

pub(crate) use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::{collections::VecDeque, sync::Arc, task::Waker, time::Duration};

use shuttle::rand::Rng as _;
pub(crate) use shuttle::{
    future::yield_now,
    sync::{Condvar, Mutex, MutexGuard, RwLock, atomic, mpsc as tasks},
    thread,
};

/// Waits for a task. Where none comes it is a coin that says whether the time is over.
pub(crate) fn receive_within<T>(tasks: &tasks::Receiver<T>, _limit: Duration) -> Result<T, RecvTimeoutError> {
    thread::yield_now();
    match tasks.try_recv() {
        Ok(task) => Ok(task),
        Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
        Err(TryRecvError::Empty) if shuttle::rand::thread_rng().gen_bool(0.5) => {
            Err(RecvTimeoutError::Timeout)
        }
        Err(TryRecvError::Empty) => tasks.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

/// As in `real`.
pub(crate) fn receive_all<T>(requests: &mut mpsc::Receiver<T>, into: &mut Vec<T>, most: usize) -> usize {
    requests.receive_all(into, most)
}

/// A thread of its own.
pub(crate) async fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::thread::Result<T> {
    thread::spawn(work).join()
}

/// Time does not pass; others go on.
pub(crate) async fn sleep(_time: Duration) {
    yield_now().await;
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The other side is gone.
#[derive(Debug)]
pub(crate) struct Gone;

/// State that is waited for.
#[derive(Debug)]
struct Watched<T>(Mutex<(T, Vec<Waker>)>);

impl<T> Watched<T> {
    fn new(state: T) -> Arc<Watched<T>> {
        Arc::new(Watched(Mutex::new((state, Vec::new()))))
    }

    /// Changes the state and wakes everybody who waits for it.
    fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let (done, wakers) = {
            let mut held = locked(&self.0);
            (change(&mut held.0), std::mem::take(&mut held.1))
        };
        wakers.into_iter().for_each(Waker::wake);
        done
    }

    /// Waits until `take` gives something.
    async fn until<R>(&self, mut take: impl FnMut(&mut T) -> Option<R>) -> R {
        std::future::poll_fn(|context| self.poll(context, &mut take)).await
    }

    fn poll<R>(
        &self,
        context: &std::task::Context<'_>,
        take: &mut impl FnMut(&mut T) -> Option<R>,
    ) -> std::task::Poll<R> {
        let mut held = locked(&self.0);
        if let Some(taken) = take(&mut held.0) {
            return std::task::Poll::Ready(taken);
        }
        held.1.push(context.waker().clone());
        std::task::Poll::Pending
    }
}

/// As `tokio::sync::Semaphore`: free permits, and whether there will be more.
#[derive(Debug)]
pub(crate) struct Semaphore(Arc<Watched<(usize, bool)>>);

#[derive(Debug)]
pub(crate) struct Permits(Arc<Watched<(usize, bool)>>, usize);

impl Semaphore {
    pub(crate) fn new(permits: usize) -> Semaphore {
        Semaphore(Watched::new((permits, true)))
    }

    pub(crate) async fn acquire_many(&self, wanted: u32) -> Result<Permits, Gone> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let acquired = self.0.until(|(free, open)| {
            if !*open {
                return Some(Err(Gone));
            }
            *free = free.checked_sub(wanted)?;
            Some(Ok(()))
        });
        acquired.await.map(|()| Permits(Arc::clone(&self.0), wanted))
    }

    pub(crate) fn add_permits(&self, more: usize) {
        self.0.change(|(free, _)| *free = free.saturating_add(more));
    }

    pub(crate) fn close(&self) {
        self.0.change(|(_, open)| *open = false);
    }
}

impl Permits {
    pub(crate) fn forget(mut self) {
        self.1 = 0;
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        let back = self.1;
        if back > 0 {
            self.0.change(|(free, _)| *free = free.saturating_add(back));
        }
    }
}

/// As `tokio::sync::mpsc`.
pub(crate) mod mpsc {
    use super::{Arc, Gone, VecDeque, Watched};

    #[derive(Debug)]
    struct Queue<T> {
        items: VecDeque<T>,
        /// Places that are neither taken nor promised.
        room: usize,
        /// Promised, and not taken yet: what is sent there after the queue was closed still comes.
        promised: usize,
        senders: usize,
        open: bool,
    }

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Arc<Watched<Queue<T>>>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(Arc<Watched<Queue<T>>>);

    /// A place in the queue.
    #[derive(Debug)]
    pub(crate) struct Place<'a, T>(&'a Sender<T>, bool);

    pub(crate) fn channel<T>(room: usize) -> (Sender<T>, Receiver<T>) {
        let queue = Watched::new(Queue { items: VecDeque::new(), room, promised: 0, senders: 1, open: true });
        (Sender(Arc::clone(&queue)), Receiver(queue))
    }

    impl<T> Sender<T> {
        pub(crate) async fn reserve(&self) -> Result<Place<'_, T>, Gone> {
            let promised = self.0.until(|queue| {
                if !queue.open {
                    return Some(Err(Gone));
                }
                queue.room = queue.room.checked_sub(1)?;
                queue.promised = queue.promised.saturating_add(1);
                Some(Ok(()))
            });
            promised.await.map(|()| Place(self, false))
        }

        pub(crate) async fn send(&self, item: T) -> Result<(), Gone> {
            self.reserve().await?.send(item);
            Ok(())
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            self.0.change(|queue| queue.senders = queue.senders.saturating_sub(1));
        }
    }

    impl<T> Place<'_, T> {
        pub(crate) fn send(mut self, item: T) {
            self.1 = true;
            self.0.0.change(|queue| {
                queue.promised = queue.promised.saturating_sub(1);
                queue.items.push_back(item);
            });
        }
    }

    impl<T> Drop for Place<'_, T> {
        fn drop(&mut self) {
            if !self.1 {
                self.0.0.change(|queue| {
                    queue.promised = queue.promised.saturating_sub(1);
                    queue.room = queue.room.saturating_add(1);
                });
            }
        }
    }

    impl<T> Receiver<T> {
        pub(crate) fn close(&mut self) {
            self.0.change(|queue| queue.open = false);
        }

        pub(crate) fn receive_all(&mut self, into: &mut Vec<T>, most: usize) -> usize {
            let taken = shuttle::future::block_on(self.0.until(|queue| {
                let count = queue.items.len().min(most);
                let over = queue.promised == 0 && (queue.senders == 0 || !queue.open);
                (count > 0 || over).then(|| queue.items.drain(..count).collect::<Vec<_>>())
            }));
            self.0.change(|queue| queue.room = queue.room.saturating_add(taken.len()));
            into.extend(taken);
            into.len()
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            let left = self.0.change(|queue| {
                queue.open = false;
                std::mem::take(&mut queue.items)
            });
            // Whoever waits for an answer to one of them hears of it now.
            drop(left);
        }
    }
}

/// As `tokio::sync::oneshot`.
pub(crate) mod oneshot {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use super::{Arc, Gone, Watched};

    /// What was sent, and whether it still can be.
    type Slot<T> = Watched<(Option<T>, bool)>;

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Arc<Slot<T>>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(Arc<Slot<T>>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let slot = Watched::new((None, true));
        (Sender(Arc::clone(&slot)), Receiver(slot))
    }

    impl<T> Sender<T> {
        #[expect(clippy::unnecessary_wraps, reason = "tokio's can fail")]
        pub(crate) fn send(self, item: T) -> Result<(), T> {
            self.0.change(|(slot, _)| *slot = Some(item));
            Ok(())
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            self.0.change(|(_, open)| *open = false);
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, Gone>;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            self.0.poll(context, &mut |(slot, open)| match slot.take() {
                Some(item) => Some(Ok(item)),
                None => (!*open).then_some(Err(Gone)),
            })
        }
    }
}

/// As `tokio::sync::watch`, of what can be copied.
pub(crate) mod watch {
    use super::{Arc, Gone, Watched};

    #[derive(Debug)]
    struct Seen<T> {
        value: T,
        version: u64,
        open: bool,
    }

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Arc<Watched<Seen<T>>>, std::sync::Arc<()>);

    /// Sees how a value changes.
    #[derive(Debug)]
    pub struct Receiver<T>(Arc<Watched<Seen<T>>>, u64);

    /// The value as it was.
    #[derive(Debug)]
    pub struct Held<T>(T);

    impl<T> std::ops::Deref for Held<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    pub(crate) fn channel<T: Copy>(value: T) -> (Sender<T>, Receiver<T>) {
        let seen = Watched::new(Seen { value, version: 0, open: true });
        (Sender(Arc::clone(&seen), Arc::default()), Receiver(seen, 0))
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            Sender(Arc::clone(&self.0), Arc::clone(&self.1))
        }
    }

    impl<T> Clone for Receiver<T> {
        fn clone(&self) -> Self {
            Receiver(Arc::clone(&self.0), self.1)
        }
    }

    impl<T: Copy> Sender<T> {
        pub(crate) fn send_replace(&self, value: T) {
            self.0.change(|seen| {
                seen.value = value;
                seen.version = seen.version.saturating_add(1);
            });
        }

        pub(crate) fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) {
            self.0.change(|seen| {
                if modify(&mut seen.value) {
                    seen.version = seen.version.saturating_add(1);
                }
            });
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            if Arc::strong_count(&self.1) == 1 {
                self.0.change(|seen| seen.open = false);
            }
        }
    }

    impl<T: Copy> Receiver<T> {
        /// The value now.
        #[must_use]
        pub fn borrow(&self) -> Held<T> {
            Held(self.0.change(|seen| seen.value))
        }

        pub(crate) fn borrow_and_update(&mut self) -> Held<T> {
            let (value, version) = self.0.change(|seen| (seen.value, seen.version));
            self.1 = version;
            Held(value)
        }

        pub(crate) async fn changed(&mut self) -> Result<(), Gone> {
            let known = self.1;
            let changed = self.0.until(|seen| match (seen.version > known, seen.open) {
                (true, _) => Some(Ok(seen.version)),
                (false, true) => None,
                (false, false) => Some(Err(Gone)),
            });
            self.1 = changed.await?;
            Ok(())
        }
    }
}
