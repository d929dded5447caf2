//! A real log in a folder of its own, filled with reference events.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use contracts::Received;
use eventlog::{Batch, EventLog, Key, LogReader, NewRecord, Options, SystemClock};
use projector::{Config, Handle, Task};
use views::Availability;

pub(crate) struct Node {
    dir: tempfile::TempDir,
    log: EventLog,
}

impl Node {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (log, _) = EventLog::open(&dir.path().join("log"), Options::new(Arc::new(SystemClock))).unwrap();
        Self { dir, log }
    }

    pub(crate) fn reader(&self) -> LogReader {
        self.log.reader()
    }

    pub(crate) fn head(&self) -> u64 {
        self.log.head().position
    }

    pub(crate) fn snapshots(&self) -> PathBuf {
        self.dir.path().join("snapshots")
    }

    pub(crate) fn aside(&self) -> PathBuf {
        self.dir.path().join("snapshots.aside")
    }

    pub(crate) fn start(&self, snapshot_every: u64) -> (Handle<Availability>, Task) {
        projector::start(self.reader(), Config { snapshots: self.snapshots(), snapshot_every }).unwrap()
    }

    /// Runs a view until it has seen everything, and keeps its snapshot.
    pub(crate) async fn run_to_head(&self) {
        let (view, task) = self.start(u64::MAX);
        assert!(view.wait_for(self.head()).await);
        task.shutdown().await;
    }

    pub(crate) async fn append(&self, lines: &[String]) {
        for chunk in lines.chunks(256) {
            let records = chunk.iter().map(|line| new_record(line)).collect();
            self.log.append(Batch { records, ..Batch::default() }).await.unwrap();
        }
    }

    /// A record of this type with bytes that are no event.
    pub(crate) async fn append_raw(&self, kind: &str, bytes: &'static [u8]) {
        let key = Key(contracts::key("urn:raw", kind));
        let record = NewRecord {
            key,
            kind: kind.into(),
            tags: Vec::new(),
            occurred_at: 0,
            source: "urn:raw".into(),
            content_type: "application/cloudevents+json".into(),
            bytes: Bytes::from_static(bytes),
        };
        self.log.append(record.into()).await.unwrap();
    }
}

pub(crate) fn new_record(line: &str) -> NewRecord {
    let received = Received::structured(Bytes::copy_from_slice(line.as_bytes()));
    let event = received.decode().unwrap().event;
    NewRecord {
        key: Key(contracts::key(event.source.as_str(), &event.id.to_string())),
        kind: contracts::event_type(&event.fact).into(),
        tags: contracts::tags(&event),
        occurred_at: event.occurred_at.as_micros(),
        source: event.source.as_str().into(),
        content_type: received.content_type().into(),
        bytes: received.bytes().clone(),
    }
}

pub(crate) fn region_day() -> Vec<String> {
    let text = fs::read_to_string(data().join("region-day.jsonl")).unwrap();
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn region_day_boards() -> Vec<serde_json::Value> {
    let text = fs::read_to_string(data().join("region-day.boards.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data")
}

/// Every file in a folder and the folders in it.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, &target).unwrap();
    }
}
