//! The streams `LOG_<r>`: every recorded event once, in the order of the log.
//!
//! Each message names the sequence it must follow in its stream, so that the broker stores nothing behind a message
//! it did not store, and nothing twice: where a stream ends is the whole truth about what it holds. After a restart
//! or a loss each stream goes on from there; an empty one is filled from the beginning of its window.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bus::outward::{LogTail, Outbound, Outward, OutwardError, Prepared, Stored, Window};
use domain::RegionId;
use eventlog::{Direction, LogReader, Query, QueryItem, ReadError, Record};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::metrics::Metrics;
use crate::{Interrupted, Part, recorded};

/// Events published but not yet stored: enough to keep the broker busy, and well under the 10,000 messages that it
/// takes in before it refuses more (nats-server, `jetstream.max_buffered_msgs`).
const IN_FLIGHT_MAX: u64 = 1_024;
/// Events read at once, waiting to be published; as many again are in the channel.
const READ_MAX: usize = 256;
/// Between two batches that are not full: what is recorded meanwhile goes out together, with one answer per region.
const PACE: Duration = Duration::from_millis(4);
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
        flight.complete(after);
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

    /// Hands a batch over. Only the last message of each region is answered for: it is stored only if all before it
    /// in its stream are, so its answer is theirs too.
    async fn send(
        &self,
        batch: Vec<Record>,
        stands: &mut Stands,
        flight: &mut Flight,
    ) -> Result<(), Interrupted> {
        let Some(until) = batch.last().map(|record| record.position) else { return Ok(()) };
        let messages = self.messages(batch, stands);
        let mut last_of = BTreeMap::new();
        for (index, message) in messages.iter().enumerate() {
            last_of.insert(message.region.clone(), index);
        }
        for (index, Message { region, position, prepared }) in messages.into_iter().enumerate() {
            let Some(stand) = stands.get_mut(&region) else { continue };
            flight.room().await?;
            if last_of.get(&region) == Some(&index) {
                let stored = self.outward.publish(prepared, Some(stand.sequence)).await?;
                flight.answered(stored);
            } else {
                self.outward.post(prepared, stand.sequence).await?;
                flight.unanswered();
            }
            *stand = Stand { sequence: stand.sequence.saturating_add(1), after: position };
        }
        flight.complete(until);
        Ok(())
    }

    /// What of a batch is to be published: events of a region that are not in its stream already.
    fn messages(&self, batch: Vec<Record>, stands: &Stands) -> Vec<Message> {
        let mut messages = Vec::with_capacity(batch.len());
        for record in batch {
            let position = record.position;
            let Some(region) = recorded::region(&record) else { continue };
            if stands.get(&region).is_none_or(|stand| stand.after >= position) {
                continue;
            }
            match recorded::message(&record).map(Outbound::prepare) {
                Ok(Ok(prepared)) => messages.push(Message { region, position, prepared }),
                Ok(Err(problem)) => self.not_sendable(position, &problem),
                Err(problem) => self.not_sendable(position, &problem),
            }
        }
        messages
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

    /// Where every stream stands. One that is missing, or of another log, has to be made or emptied first.
    async fn stands(&self) -> Result<Stands, Interrupted> {
        let begin = window_begin(self.reader.clone(), self.window).await?;
        let (mut stands, mut foreign) = (Stands::new(), Vec::new());
        for region in &self.regions {
            let tail = self.outward.log_stream(region).await?;
            let after = match own_position(self.reader.clone(), &tail).await? {
                Some(position) => position,
                None if tail.last.is_none() => begin,
                None => {
                    tracing::warn!(%region, "the stream holds events of another log: it has to be emptied and is filled again");
                    foreign.push(region.clone());
                    continue;
                }
            };
            stands.insert(region.clone(), Stand { sequence: tail.sequence, after });
        }
        if foreign.is_empty() { Ok(stands) } else { Err(Interrupted::LogOfAnother(foreign)) }
    }
}

/// A recorded event on its way to its stream.
struct Message {
    region: RegionId,
    position: u64,
    prepared: Prepared,
}

/// What is published and not yet answered for, in order.
struct Flight {
    stored: FuturesOrdered<Stored>,
    answers: VecDeque<Answer>,
    /// Messages since the last one that will be answered for.
    silent: u64,
    /// Messages not answered for, all together.
    messages: u64,
    metrics: Arc<Metrics>,
}

/// What the broker's answer to a message stands for.
struct Answer {
    /// Messages handed over since the answer before, this one included.
    messages: u64,
    /// Once it is there, everything up to this position is on the streams.
    completes: Option<u64>,
}

impl Flight {
    fn new(metrics: Arc<Metrics>) -> Self {
        Self { stored: FuturesOrdered::new(), answers: VecDeque::new(), silent: 0, messages: 0, metrics }
    }

    /// Waits until one more message may be handed over.
    async fn room(&mut self) -> Result<(), Interrupted> {
        while self.messages >= IN_FLIGHT_MAX {
            let Some(stored) = self.stored.next().await else { return Ok(()) };
            self.settle(stored)?;
        }
        Ok(())
    }

    fn unanswered(&mut self) {
        self.silent = self.silent.saturating_add(1);
        self.messages = self.messages.saturating_add(1);
    }

    fn answered(&mut self, stored: Stored) {
        self.unanswered();
        self.answers.push_back(Answer { messages: std::mem::take(&mut self.silent), completes: None });
        self.stored.push_back(stored);
    }

    /// Everything up to this position is handed over, and each region's last message will be answered for.
    fn complete(&mut self, position: u64) {
        match self.answers.back_mut() {
            Some(last) => last.completes = Some(position),
            None => self.metrics.log_until(position),
        }
    }

    fn settle(&mut self, stored: Result<u64, OutwardError>) -> Result<(), Interrupted> {
        stored?;
        let Some(answer) = self.answers.pop_front() else { return Ok(()) };
        self.messages = self.messages.saturating_sub(answer.messages);
        self.metrics.events_stored(answer.messages);
        if let Some(position) = answer.completes {
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
        let more = batch.as_ref().is_ok_and(|batch| batch.len() == READ_MAX);
        if send.send(batch).await.is_err() || failed {
            return;
        }
        if !more {
            tokio::time::sleep(PACE).await;
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
