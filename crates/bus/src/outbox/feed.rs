//! What waits in the outbox as a stream, in its order and without end.
//!
//! Not here: who reads it (`run`).

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use eventlog::Query;
use futures::Stream;

use super::entry::{self, Entry};
use super::store::Store;
use super::{OutboxError, Place};
use crate::sender::{Outgoing, Party};

/// Events read at once: enough to fill the requests in flight, little enough to hold in memory.
const READ_MAX: usize = 256;

/// Which event is which, as the sender counts them from 0, and why there are no more. As long as the sender's window.
#[derive(Clone, Debug, Default)]
pub(super) struct Given(Arc<Mutex<Gave>>);

#[derive(Debug, Default)]
struct Gave {
    next: u64,
    events: BTreeMap<u64, (Place, Party)>,
    failure: Option<OutboxError>,
}

impl Given {
    fn with<T>(&self, look: impl FnOnce(&mut Gave) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give(&self, place: Place, event: &Outgoing) {
        let party = (event.region.clone(), event.sender.clone());
        self.with(|gave| {
            gave.events.insert(gave.next, (place, party));
            gave.next = gave.next.saturating_add(1);
        });
    }

    /// The event of this number, which now has its last word.
    pub(super) fn take(&self, index: u64) -> Option<(Place, Party)> {
        self.with(|gave| gave.events.remove(&index))
    }

    /// Why the stream ended.
    pub(super) fn failure(&self) -> Option<OutboxError> {
        self.with(|gave| gave.failure.take())
    }
}

struct Feed {
    store: Arc<Store>,
    given: Given,
    after: Place,
    read: VecDeque<(Place, Outgoing)>,
}

/// Every event that waits, from the first on, and what comes. Ends only when the outbox can not be read.
pub(super) fn feed(store: Arc<Store>, given: Given) -> Pin<Box<dyn Stream<Item = Outgoing> + Send>> {
    let feed = Feed { store, given, after: Place { generation: 0, position: 0 }, read: VecDeque::new() };
    Box::pin(futures::stream::unfold(feed, |mut feed| async {
        match feed.next().await {
            Ok(event) => Some((event, feed)),
            Err(error) => {
                feed.given.with(|gave| gave.failure = Some(error));
                None
            }
        }
    }))
}

impl Feed {
    async fn next(&mut self) -> Result<Outgoing, OutboxError> {
        let mut moved = self.store.moved();
        loop {
            if let Some((place, event)) = self.read.pop_front() {
                self.given.give(place, &event);
                return Ok(event);
            }
            moved.borrow_and_update();
            if !self.read().await? {
                // An error would say that the store is gone, which it is not while this is here.
                let _moved = moved.changed().await;
            }
        }
    }

    /// Reads the next that wait; whether there are any.
    async fn read(&mut self) -> Result<bool, OutboxError> {
        let next = self.store.book().next_after(self.after, READ_MAX);
        let Some((generation, dir, reader, positions)) = next else { return Ok(false) };
        let (Some(first), Some(last)) = (positions.first().copied(), positions.last().copied()) else {
            return Ok(false);
        };
        self.after = Place { generation, position: last };
        let read = move || {
            let query = Query { after: first.saturating_sub(1), until: Some(last), ..Query::default() };
            let mut events = VecDeque::with_capacity(positions.len());
            for record in reader.read(query) {
                let record = record.map_err(|source| OutboxError::Unreadable { dir: dir.clone(), source })?;
                if positions.binary_search(&record.position).is_err() {
                    continue;
                }
                let place = Place { generation, position: record.position };
                match entry::read(&record) {
                    Some(Entry::Event(event)) => events.push_back((place, *event)),
                    Some(Entry::Ended(_) | Entry::Again(_)) | None => {
                        return Err(OutboxError::Record { place });
                    }
                }
            }
            Ok(events)
        };
        self.read = tokio::task::spawn_blocking(read).await??;
        Ok(true)
    }
}
