//! Logs to be audited.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use audit::Audit;
use contracts::Received;
use eventlog::{Batch, Clock, EventLog, Key, NewRecord, Options};
use tempfile::TempDir;

/// The reference day of one region, one event a line.
pub(crate) const DAY: &str = include_str!("../../../../tests/data/region-day.jsonl");
/// When the first record of a log was recorded.
pub(crate) const FIRST_MICROS: i64 = 1_772_409_600_000_000;
/// Every record comes so much later than the one before.
pub(crate) const EVERY_MICROS: i64 = 1_000_000;

/// A log in a folder of its own, closed.
#[derive(Debug)]
pub(crate) struct Log {
    dir: TempDir,
}

#[derive(Debug)]
struct Stepping(AtomicI64);

impl Clock for Stepping {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Log {
    /// Each record in a commit of its own, so that each has a time of its own.
    pub(crate) async fn new(records: Vec<NewRecord>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Stepping(AtomicI64::new(FIRST_MICROS)));
        let (log, _) = EventLog::open(dir.path(), Options::new(Arc::<Stepping>::clone(&clock))).unwrap();
        for record in records {
            log.append(Batch::from(record)).await.unwrap();
            clock.0.fetch_add(EVERY_MICROS, Ordering::SeqCst);
        }
        log.close().await;
        Self { dir }
    }

    pub(crate) async fn of_the_day() -> Self {
        Self::new(DAY.lines().map(record_of).collect()).await
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.dir.path()
    }

    pub(crate) fn audit(&self) -> Audit {
        Audit::open(self.dir.path()).unwrap()
    }

    /// Changes one byte in the middle of these stored bytes.
    pub(crate) fn change_a_byte_of(&self, stored: &str) {
        let path = self.dir.path().join("segments/00000000000000000001.seg");
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.windows(stored.len()).position(|window| window == stored.as_bytes()).unwrap();
        bytes[at + stored.len() / 2] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
}

pub(crate) fn record_of(line: &str) -> NewRecord {
    record(&Received::structured(line.to_owned().into()))
}

/// The record the recorder makes of an event.
pub(crate) fn record(received: &Received) -> NewRecord {
    let event = received.decode().unwrap().event;
    NewRecord {
        key: Key(contracts::event_key(&event)),
        kind: contracts::event_type(&event.fact).into(),
        tags: contracts::tags(&event),
        occurred_at: event.occurred_at.as_micros(),
        source: event.source.as_str().into(),
        content_type: received.content_type().into(),
        bytes: received.bytes().clone(),
    }
}
