//! Logs to be audited.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use audit::Audit;
use eventlog::{Batch, EventLog, NewRecord, Options};
use tempfile::TempDir;
use tests::Hand;

pub(crate) use tests::{record, record_of};

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

impl Log {
    /// Each record in a commit of its own, so that each has a time of its own.
    pub(crate) async fn new(records: Vec<NewRecord>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hand::at(FIRST_MICROS));
        let (log, _) = EventLog::open(dir.path(), Options::new(Arc::<Hand>::clone(&clock))).unwrap();
        for record in records {
            log.append(Batch::from(record)).await.unwrap();
            clock.pass(Duration::from_micros(EVERY_MICROS.unsigned_abs()));
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
