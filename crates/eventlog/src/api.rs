//! The interface, ahead of its implementation (being replaced file by file).
#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    missing_debug_implementations
)]
use crate::*;
use std::{
    future::Future,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task,
};
use tokio::sync::watch;

#[derive(Debug, Clone)]
pub struct Options {
    pub segment_bytes: u64,
    pub clock: Arc<dyn Clock>,
    pub storage: Arc<dyn Storage>,
}
impl Options {
    pub fn new(clock: Arc<dyn Clock>) -> Options {
        Options { segment_bytes: 64 << 20, clock, storage: Arc::new(Disk) }
    }
}
impl Default for Options {
    fn default() -> Self {
        Options::new(Arc::new(SystemClock))
    }
}

#[derive(Debug, Clone)]
pub struct RecoveryReport {
    pub head: Head,
    pub created: bool,
    pub epoch: u64,
    pub torn: Option<Torn>,
    pub indexes_rebuilt: Vec<PathBuf>,
    pub catalogue_rebuilt: Option<String>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    pub file: PathBuf,
    pub offset: u64,
    pub bytes: u64,
    pub what: String,
    pub kept: PathBuf,
}

#[derive(Debug, Clone)]
pub struct EventLog {
    reader: LogReader,
    cursors: Cursors,
}
#[derive(Debug)]
pub struct Pending {}
impl Future for Pending {
    type Output = Result<Appended, AppendError>;
    fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> task::Poll<Self::Output> {
        task::Poll::Ready(Err(AppendError::Closed))
    }
}
impl EventLog {
    pub fn open(dir: &Path, _options: Options) -> Result<(EventLog, RecoveryReport), OpenError> {
        Err(OpenError::Missing { dir: dir.into() })
    }
    pub async fn enqueue(&self, _batch: Batch) -> Result<Pending, AppendError> {
        Err(AppendError::Closed)
    }
    pub async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        self.enqueue(batch).await?.await
    }
    pub fn reader(&self) -> LogReader {
        self.reader.clone()
    }
    pub fn head(&self) -> Head {
        self.reader.head()
    }
    pub fn cursors(&self) -> &Cursors {
        &self.cursors
    }
    pub fn failure(&self) -> Option<String> {
        None
    }
    pub async fn close(self) {}
}
#[derive(Debug, Clone)]
pub struct Cursors {}
impl Cursors {
    pub fn store(&self, _name: &str, _position: u64) -> Result<(), CursorError> {
        Ok(())
    }
    pub fn load(&self, _name: &str) -> Result<Option<u64>, CursorError> {
        Ok(None)
    }
}
#[derive(Debug, Clone)]
pub struct LogReader {
    head: watch::Receiver<Head>,
}
impl LogReader {
    pub fn open(dir: &Path) -> Result<LogReader, OpenError> {
        Err(OpenError::Missing { dir: dir.into() })
    }
    pub fn refresh(&self) -> Result<Head, ReadError> {
        Err(ReadError::Closed)
    }
    pub fn head(&self) -> Head {
        *self.head.borrow()
    }
    pub fn read(&self, _query: Query) -> Records {
        Records {}
    }
    pub fn record(&self, _position: u64) -> Result<Option<Record>, ReadError> {
        Ok(None)
    }
    pub fn position_of(&self, _key: &Key) -> Result<Option<u64>, ReadError> {
        Ok(None)
    }
    pub fn at_time(&self, _micros: i64) -> Result<u64, ReadError> {
        Ok(0)
    }
    pub fn subscribe(&self, _query: Query) -> Subscription {
        Subscription {}
    }
    pub fn watch_head(&self) -> watch::Receiver<Head> {
        self.head.clone()
    }
    pub fn verify(
        &self,
        _range: RangeInclusive<u64>,
        _progress: &mut dyn FnMut(Progress),
    ) -> Result<VerifyReport, ReadError> {
        Err(ReadError::Closed)
    }
}
#[derive(Debug)]
pub struct Records {}
impl Iterator for Records {
    type Item = Result<Record, ReadError>;
    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}
#[derive(Debug)]
pub struct Subscription {}
impl Subscription {
    /// Cancel-safe: a record is handed out once.
    pub async fn next(&mut self) -> Result<Record, ReadError> {
        Err(ReadError::Closed)
    }
    pub async fn next_batch(&mut self, _max: usize) -> Result<Vec<Record>, ReadError> {
        Err(ReadError::Closed)
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub position: u64,
    pub until: u64,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    pub records: u64,
    pub commits: u64,
    pub segments: u64,
    pub head: Head,
    pub running_hash: [u8; 32],
    pub findings: Vec<Finding>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub file: PathBuf,
    pub offset: u64,
    pub position: Option<u64>,
    pub what: String,
}
impl VerifyReport {
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}
