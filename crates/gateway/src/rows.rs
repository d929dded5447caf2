//! The bucket `availability`: kept equal to the view, writing only what differs.
//!
//! Writes are handed to the broker one after another over one connection, so that the last one of a key wins; they
//! are not waited for one by one. Everything that changed while the broker was busy goes out as one difference.
//! Invariant: `held` is what the bucket holds once all that is in flight is stored (test: the bucket equals the view).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bus::outward::{Outward, OutwardError, Rows, Stored};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use projector::Changed;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;
use views::{Availability, RowKey};

use crate::entries::{Picture, Scope, Write};
use crate::metrics::Metrics;
use crate::{Interrupted, Part};

/// Writes not yet stored: enough to keep the broker busy; what comes meanwhile is merged into the next difference.
const IN_FLIGHT_MAX: usize = 512;

/// Between two differences while much happens: what changes meanwhile goes out as one. After a quiet moment a change
/// goes out at once. Watchers do not see the wait; without it a busy location is written for every single event, and
/// the processor time is missing where receipts are made.
const PACE: Duration = Duration::from_millis(4);

/// Publishes the rows.
pub(crate) struct RowsOut {
    outward: Outward,
    view: projector::Handle<Availability>,
    metrics: Arc<Metrics>,
    /// Keys with a write that was cut off: it may still reach the bucket, so they are written again in any case.
    unsure: BTreeSet<String>,
}

type Changes = Receiver<Arc<Changed<Availability>>>;

impl Part for RowsOut {
    async fn serve(&mut self) -> Interrupted {
        let mut losses = self.outward.losses();
        // Before the bucket is read and the view looked at: no change can fall between.
        let changes = self.view.changes();
        let rows = tokio::select! {
            () = losses.next() => return Interrupted::Lost,
            opened = self.open() => match opened {
                Ok(opened) => opened,
                Err(error) => return error.into(),
            },
        };
        let mut session = Session::new(rows, &self.unsure, Arc::clone(&self.metrics));
        let interrupted = tokio::select! {
            () = losses.next() => Interrupted::Lost,
            interrupted = session.run(&self.view, changes) => interrupted,
        };
        // What was unsure stays so until all of it has been written again.
        if session.compared {
            self.unsure.clear();
        }
        self.unsure.extend(session.sent.into_iter().map(|sent| sent.key));
        interrupted
    }
}

impl RowsOut {
    pub(crate) fn new(
        outward: Outward,
        view: projector::Handle<Availability>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { outward, view, metrics, unsure: BTreeSet::new() }
    }

    async fn open(&self) -> Result<(Rows, BTreeMap<String, Bytes>), OutwardError> {
        let rows = self.outward.rows().await?;
        let held = rows.all().await?;
        Ok((rows, held))
    }
}

/// The bucket, for as long as the connection holds.
struct Session {
    rows: Rows,
    held: BTreeMap<String, Bytes>,
    stored: FuturesOrdered<Stored>,
    sent: VecDeque<Sent>,
    compared: bool,
    metrics: Arc<Metrics>,
}

/// A write that is in flight.
struct Sent {
    key: String,
    /// Once it is stored, the bucket holds what the view said at this position.
    completes: Option<u64>,
}

impl Session {
    fn new(
        (rows, mut held): (Rows, BTreeMap<String, Bytes>),
        unsure: &BTreeSet<String>,
        metrics: Arc<Metrics>,
    ) -> Self {
        // No value is empty: such a key differs from whatever is wanted, and is deleted if nothing is.
        held.extend(unsure.iter().map(|key| (key.clone(), Bytes::new())));
        Self { rows, held, stored: FuturesOrdered::new(), sent: VecDeque::new(), compared: false, metrics }
    }

    async fn run(&mut self, view: &projector::Handle<Availability>, changes: Changes) -> Interrupted {
        match self.follow(view, changes).await {
            Err(interrupted) => interrupted,
            Ok(never) => match never {},
        }
    }

    async fn follow(
        &mut self,
        view: &projector::Handle<Availability>,
        mut changes: Changes,
    ) -> Result<std::convert::Infallible, Interrupted> {
        self.write(view, Scope::Whole, 0).await?;
        self.compared = true;
        let mut next = Instant::now();
        loop {
            tokio::select! {
                Some(stored) = self.stored.next(), if !self.stored.is_empty() => self.settle(stored)?,
                change = changes.recv() => {
                    tokio::time::sleep_until(next).await;
                    let (scope, position) = gather(change, &mut changes).await;
                    self.write(view, scope, position).await?;
                    next = Instant::now() + PACE;
                }
            }
        }
    }

    /// Writes what differs from the view within this scope, which is all that changed up to `position`.
    async fn write(
        &mut self,
        view: &projector::Handle<Availability>,
        scope: Scope,
        mut position: u64,
    ) -> Result<(), Interrupted> {
        if scope == Scope::Whole {
            self.metrics.whole_compared();
            // Read before the view: it may be further by then, never behind.
            position = position.max(view.standing().borrow().position);
        }
        let picture = view.read(|view| Picture::take(view, scope));
        for write in picture.difference(&self.held)? {
            while self.sent.len() >= IN_FLIGHT_MAX {
                match self.stored.next().await {
                    Some(stored) => self.settle(stored)?,
                    None => return Err(Interrupted::Cut),
                }
            }
            let (Write::Put(key, _) | Write::Delete(key)) = &write;
            // Noted before it is handed over: cut off in the middle, it may be on its way.
            self.sent.push_back(Sent { key: key.clone(), completes: None });
            let stored = match write {
                Write::Put(key, value) => {
                    let stored = self.rows.put(&key, value.clone()).await?;
                    self.held.insert(key, value);
                    self.metrics.put();
                    stored
                }
                Write::Delete(key) => {
                    let stored = self.rows.delete(&key).await?;
                    self.held.remove(&key);
                    self.metrics.deleted();
                    stored
                }
            };
            self.stored.push_back(stored);
        }
        match self.sent.back_mut() {
            Some(last) => last.completes = Some(position),
            None => self.metrics.rows_until(position),
        }
        Ok(())
    }

    fn settle(&mut self, stored: Result<u64, OutwardError>) -> Result<(), Interrupted> {
        stored?;
        if let Some(position) = self.sent.pop_front().and_then(|sent| sent.completes) {
            self.metrics.rows_until(position);
        }
        Ok(())
    }
}

/// This change and all that wait behind it: what may have changed, and up to which position that is all.
async fn gather(first: Result<Arc<Changed<Availability>>, RecvError>, changes: &mut Changes) -> (Scope, u64) {
    let mut rows: BTreeSet<RowKey> = BTreeSet::new();
    let mut next = match first {
        Ok(one) => Ok(one),
        Err(RecvError::Lagged(_)) => return (Scope::Whole, 0),
        // The view will not change any more: what is written stands, until the node says why it stopped.
        Err(RecvError::Closed) => std::future::pending().await,
    };
    let mut position = 0;
    loop {
        match next {
            Ok(one) => {
                rows.extend(one.changes.iter().cloned());
                position = one.position;
            }
            Err(TryRecvError::Empty | TryRecvError::Closed) => return (Scope::Rows(rows), position),
            Err(TryRecvError::Lagged(_)) => return (Scope::Whole, position),
        }
        next = changes.try_recv();
    }
}
