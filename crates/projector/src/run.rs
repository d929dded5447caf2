//! The thread that runs a view: from its snapshot through the log to the head, and on.
//!
//! Not here: reading a record (`fold`), keeping a snapshot (`snapshot`).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use domain::Timestamp;
use eventlog::{LogReader, Query, ReadError, Record, Subscription};
use tokio::runtime::Handle as Runtime;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinHandle;
use views::View;

use crate::fold::{self, Content};
use crate::handle::{CHANGED_BATCHES_MAX, Changed, Handle, Shared, Standing};
use crate::snapshot::{Kept, Snapshots};
use crate::{Config, ProjectorError};

/// Records that are read and folded at once: readers of the view wait a few milliseconds at most.
pub const FOLD_RECORDS_MAX: usize = 1_024;
/// How long to wait before reading again when the log could not be read.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Starts a view: from its snapshot if that fits this log, else from zero. Blocks while the snapshot is read.
///
/// The view runs on a thread of its own until the task is shut down or dropped, or the log is closed.
///
/// # Errors
/// If the snapshots are in use by another process, if the folder for them is not usable, or outside a runtime.
pub fn start<V: View>(reader: LogReader, config: Config) -> Result<(Handle<V>, Task), ProjectorError> {
    start_prepared(reader, config, |_| {})
}

/// As [`start`], with a view that is given something beside the log before it is read: what is not part of its snapshot,
/// and does not change what is folded.
///
/// # Errors
/// As [`start`].
pub fn start_prepared<V: View>(
    reader: LogReader,
    config: Config,
    prepare: impl FnOnce(&mut V),
) -> Result<(Handle<V>, Task), ProjectorError> {
    let runtime = Runtime::try_current().map_err(|_| ProjectorError::NoRuntime)?;
    let Config { snapshots: dir, snapshot_every } = config;
    let (snapshots, kept) = Snapshots::open::<V>(&dir, &reader)?;
    let mut kept =
        kept.unwrap_or_else(|| Kept { view: V::default(), position: 0, recorded_at: 0, undecodable: 0 });
    prepare(&mut kept.view);
    let standing = Standing {
        position: kept.position,
        recorded_at: Timestamp::from_micros(kept.recorded_at),
        live: kept.position >= reader.head().position,
    };
    tracing::info!(view = V::NAME, position = kept.position, head = reader.head().position, "view starts");
    let (standing, standing_seen) = watch::channel(standing);
    let shared = Arc::new(Shared {
        view: RwLock::new(kept.view),
        changes: broadcast::Sender::new(CHANGED_BATCHES_MAX),
        failure: Mutex::new(None),
        undecodable: AtomicU64::new(kept.undecodable),
    });
    let handle = Handle::new(Arc::clone(&shared), standing_seen);
    let (stop, stopped) = oneshot::channel();
    let mut worker = Worker {
        reader,
        shared,
        standing,
        snapshots,
        snapshot_every: snapshot_every.max(1),
        saved: kept.position,
    };
    let joined = tokio::task::spawn_blocking(move || worker.run(&runtime, stopped));
    Ok((handle, Task { stop, joined }))
}

/// A running view, to be stopped. Dropping it stops the view, too, without waiting.
#[derive(Debug)]
pub struct Task {
    stop: oneshot::Sender<()>,
    joined: JoinHandle<()>,
}

impl Task {
    /// Stops the view after the batch at hand, keeps a snapshot, and waits for both.
    pub async fn shutdown(self) {
        // A view that has stopped by itself does not listen any more.
        let _ = self.stop.send(());
        if let Err(error) = self.joined.await {
            tracing::error!(%error, "the thread of a view failed");
        }
    }

    /// Whether the view has stopped by itself, because the log was closed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.joined.is_finished()
    }
}

/// What the thread owns.
struct Worker<V: View> {
    reader: LogReader,
    shared: Arc<Shared<V>>,
    standing: watch::Sender<Standing>,
    snapshots: Snapshots,
    snapshot_every: u64,
    /// The position of the last snapshot.
    saved: u64,
}

impl<V: View> Worker<V> {
    fn run(&mut self, runtime: &Runtime, mut stopped: oneshot::Receiver<()>) {
        loop {
            let after = self.standing.borrow().position;
            let mut subscription = self.reader.subscribe(Query { after, ..Query::default() });
            match self.follow(runtime, &mut subscription, &mut stopped) {
                End::Stopped | End::Unreadable(ReadError::Closed) => break,
                End::Unreadable(error) => {
                    let position = self.standing.borrow().position;
                    tracing::error!(view = V::NAME, position, %error, "the log can not be read; the view waits");
                    self.shared.set_failure(Some(error.to_string()));
                    self.standing.send_modify(|standing| standing.live = false);
                }
            }
            let pause = async { tokio::time::timeout(READ_AGAIN_AFTER, &mut stopped).await };
            if runtime.block_on(pause).is_ok() {
                break;
            }
        }
        self.save();
    }

    /// Applies batch after batch.
    fn follow(
        &mut self,
        runtime: &Runtime,
        subscription: &mut Subscription,
        stopped: &mut oneshot::Receiver<()>,
    ) -> End {
        loop {
            let next = runtime.block_on(async {
                tokio::select! {
                    biased;
                    _ = &mut *stopped => None,
                    batch = subscription.next_batch(FOLD_RECORDS_MAX) => Some(batch),
                }
            });
            match next {
                None => return End::Stopped,
                Some(Err(error)) => return End::Unreadable(error),
                Some(Ok(records)) => self.apply(&records),
            }
            if self.standing.borrow().position.saturating_sub(self.saved) >= self.snapshot_every {
                self.save();
            }
        }
    }

    /// Folds a batch: it can be read, then it is announced, then the standing moves.
    fn apply(&self, records: &[Record]) {
        let Some(last) = records.last() else { return };
        // Reading takes longer than folding: done before readers of the view have to wait.
        let contents: Vec<Content> = records.iter().map(fold::read).collect();
        let mut changes = Vec::new();
        let mut undecodable = 0;
        {
            let mut view = self.shared.view.write().unwrap_or_else(PoisonError::into_inner);
            for (record, content) in records.iter().zip(&contents) {
                undecodable += u64::from(!fold::apply(&mut *view, record, content, &mut changes));
            }
        }
        self.shared.undecodable.fetch_add(undecodable, Ordering::Relaxed);
        self.shared.set_failure(None);
        changes.sort_unstable();
        changes.dedup();
        let (position, recorded_at) = (last.position, Timestamp::from_micros(last.recorded_at));
        // Nobody listening is no failure.
        let _ = self.shared.changes.send(Arc::new(Changed { position, recorded_at, changes }));
        let at_head = position >= self.reader.head().position;
        self.standing.send_modify(|standing| {
            *standing = Standing { position, recorded_at, live: standing.live || at_head };
        });
    }

    fn save(&mut self) {
        let Standing { position, recorded_at, .. } = *self.standing.borrow();
        if position == self.saved {
            return;
        }
        let undecodable = self.shared.undecodable.load(Ordering::Relaxed);
        let at = Kept { view: (), position, recorded_at: recorded_at.as_micros(), undecodable };
        let view = self.shared.view.read().unwrap_or_else(PoisonError::into_inner);
        self.snapshots.save(&*view, &at, &self.reader);
        drop(view);
        self.saved = position;
    }
}

/// Why following the log ended.
enum End {
    Stopped,
    Unreadable(ReadError),
}
