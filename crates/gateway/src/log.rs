//! The streams `LOG_<r>`: every recorded event once, in the order of the log.
//!
//! Each message names the sequence it must follow in its stream, so that the broker stores nothing behind a message
//! it did not store, and nothing twice: where a stream ends is the whole truth about what it holds. After a restart
//! or a loss each stream goes on from there; an empty one is filled from the beginning of its window.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bus::outward::{LogTail, Outward, OutwardError, Stored, Window};
use domain::RegionId;
use eventlog::{Direction, LogReader, Query, QueryItem, ReadError, Record};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::metrics::Metrics;
use crate::{Interrupted, Part, recorded};

/// Events published but not yet stored: enough to keep the broker busy, at 64 KiB at most 16 MiB.
const IN_FLIGHT_MAX: usize = 256;
/// Events read at once, waiting to be published; as many again are in the channel.
const READ_MAX: usize = 256;
/// An empty stream is filled from at most this many events back: more do not fit the windows of a country.
const REFILL_EVENTS_MAX: u64 = 200_000;

/// Publishes recorded events.
pub(crate) struct LogOut {
    outward: Outward,
    reader: LogReader,
    regions: Vec<RegionId>,
    window: Window,
    metrics: Arc<Metrics>,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stand {
    /// The sequence of its last message.
    sequence: u64,
    /// It holds every event of its region, or of its window, up to this position.
    after: u64,
}

type Stands = BTreeMap<RegionId, Stand>;

impl Part for LogOut {
    async fn serve(&mut self) -> Interrupted {
        let mut losses = self.outward.losses();
        tokio::select! {
            () = losses.next() => Interrupted::Lost,
            interrupted = self.publish() => interrupted,
        }
    }
}

impl LogOut {
    pub(crate) fn new(
        outward: Outward,
        reader: LogReader,
        regions: Vec<RegionId>,
        window: Window,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { outward, reader, regions, window, metrics }
    }

    async fn publish(&mut self) -> Interrupted {
        match self.follow().await {
            Err(interrupted) => interrupted,
            Ok(()) => Interrupted::Cut,
        }
    }

    async fn follow(&mut self) -> Result<(), Interrupted> {
        let mut stands = self.stands().await?;
        let after = first_unsent(self.reader.clone(), stands.clone()).await?;
        let (send, mut batches) = mpsc::channel(1);
        // Its own task: asking for more must not be cut off in the middle by an answer of the broker. Aborted when
        // this future is dropped.
        let mut reading = JoinSet::new();
        reading.spawn(read(self.reader.clone(), after, send));
        let mut flight = Flight::new(Arc::clone(&self.metrics));
        flight.done(after);
        loop {
            tokio::select! {
                Some(stored) = flight.stored.next(), if !flight.stored.is_empty() => flight.settle(stored)?,
                batch = batches.recv() => match batch {
                    Some(batch) => self.send(batch?, &mut stands, &mut flight).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    async fn send(
        &self,
        batch: Vec<Record>,
        stands: &mut Stands,
        flight: &mut Flight,
    ) -> Result<(), Interrupted> {
        for record in batch {
            let position = record.position;
            let stand = recorded::region(&record).and_then(|region| stands.get_mut(&region));
            // What is no event of a region, or is in its stream already, has nothing to wait for.
            let Some(stand) = stand.filter(|stand| stand.after < position) else {
                flight.done(position);
                continue;
            };
            let message = match recorded::message(&record) {
                Ok(message) => message,
                Err(problem) => {
                    self.not_sendable(position, &problem);
                    flight.done(position);
                    continue;
                }
            };
            while flight.stored.len() >= IN_FLIGHT_MAX {
                if let Some(stored) = flight.stored.next().await {
                    flight.settle(stored)?;
                }
            }
            match self.outward.publish(message, Some(stand.sequence)).await {
                Ok(stored) => {
                    flight.push(stored, position);
                    *stand = Stand { sequence: stand.sequence.saturating_add(1), after: position };
                }
                Err(problem @ OutwardError::Header { .. }) => self.not_sendable(position, &problem),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn not_sendable(&self, position: u64, problem: &dyn std::error::Error) {
        self.metrics.not_sendable();
        let problem = crate::chain(problem);
        tracing::error!(
            position,
            problem,
            "a recorded event can not be published; read it with `audit replay`"
        );
    }

    /// Where every stream stands, each made if it is missing and emptied if it is of another log.
    async fn stands(&self) -> Result<Stands, Interrupted> {
        let begin = window_begin(self.reader.clone(), self.window).await?;
        let mut stands = Stands::new();
        for region in &self.regions {
            let tail = self.outward.log_stream(region, self.window).await?;
            let after = match own_position(self.reader.clone(), &tail).await? {
                Some(position) => position,
                None if tail.last.is_none() => begin,
                None => {
                    tracing::warn!(%region, "the stream holds events of another log: it is emptied and filled again");
                    self.outward.purge_log_stream(region).await?;
                    begin
                }
            };
            stands.insert(region.clone(), Stand { sequence: tail.sequence, after });
        }
        Ok(stands)
    }
}

/// What is published and not yet stored, in order.
struct Flight {
    stored: FuturesOrdered<Stored>,
    /// For each of them, the position up to which all is on the streams once it is stored.
    positions: VecDeque<u64>,
    metrics: Arc<Metrics>,
}

impl Flight {
    fn new(metrics: Arc<Metrics>) -> Self {
        Self { stored: FuturesOrdered::new(), positions: VecDeque::new(), metrics }
    }

    fn push(&mut self, stored: Stored, position: u64) {
        self.stored.push_back(stored);
        self.positions.push_back(position);
    }

    /// Nothing has to be stored for this position.
    fn done(&mut self, position: u64) {
        match self.positions.back_mut() {
            Some(last) => *last = position,
            None => self.metrics.log_until(position),
        }
    }

    fn settle(&mut self, stored: Result<u64, OutwardError>) -> Result<(), Interrupted> {
        stored?;
        self.metrics.event();
        if let Some(position) = self.positions.pop_front() {
            self.metrics.log_until(position);
        }
        Ok(())
    }
}

/// Reads batch after batch, first what is there and then what comes, until nobody takes them.
async fn read(reader: LogReader, after: u64, send: mpsc::Sender<Result<Vec<Record>, ReadError>>) {
    let mut subscription = reader.subscribe(Query { after, ..Query::default() });
    loop {
        let batch = subscription.next_batch(READ_MAX).await;
        let failed = batch.is_err();
        if send.send(batch).await.is_err() || failed {
            return;
        }
    }
}

/// The position an empty stream begins after.
async fn window_begin(reader: LogReader, window: Window) -> Result<u64, Interrupted> {
    blocking(move || {
        let head = reader.head();
        let age = i64::try_from(window.age.as_micros()).unwrap_or(i64::MAX);
        // Measured back from the last recorded event and not from now: what was last known stays to be seen.
        let by_age = reader.at_time(head.recorded_at.saturating_sub(age))?;
        Ok(by_age.max(head.position.saturating_sub(REFILL_EVENTS_MAX)))
    })
    .await
}

/// The position of the last event in the stream, if it is an event of this log.
async fn own_position(reader: LogReader, tail: &LogTail) -> Result<Option<u64>, Interrupted> {
    let Some(last) = tail.last.clone() else { return Ok(None) };
    blocking(move || {
        let record = reader.record(last.position)?;
        Ok(record.filter(|record| record.key.to_string() == last.key).map(|_record| last.position))
    })
    .await
}

/// The position before the first event that is missing on some stream. A region that is quiet for long is found by
/// its tag, so that its old last event does not mean reading everything since.
async fn first_unsent(reader: LogReader, stands: Stands) -> Result<u64, Interrupted> {
    blocking(move || {
        let head = reader.head().position;
        let mut after = head;
        for (region, stand) in stands {
            let mut missing = reader.read(Query {
                items: vec![QueryItem { types: Vec::new(), tags: vec![recorded::region_tag(&region)] }],
                after: stand.after,
                until: Some(head),
                direction: Direction::Forward,
                limit: Some(1),
            });
            if let Some(record) = missing.next() {
                after = after.min(record?.position.saturating_sub(1));
            }
        }
        Ok(after)
    })
    .await
}

/// Reading the log may wait for the disk, which an async task must not do.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Interrupted> {
    match tokio::task::spawn_blocking(read).await {
        Ok(answer) => Ok(answer?),
        Err(_stopping) => Err(Interrupted::Cut),
    }
}
