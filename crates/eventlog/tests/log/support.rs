//! What the tests share: records, a clock, a log in a temporary folder, and ways to hurt it.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use eventlog::{
    Appended, Batch, Clock, Disk, EventLog, Key, NewRecord, OpenError, Options, Query, QueryItem, ReadError,
    Record, RecoveryReport, SEGMENT_BYTES_MIN, Storage, StorageFile,
};

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub(crate) struct StillClock(AtomicI64);

impl StillClock {
    pub(crate) fn at(micros: i64) -> Arc<StillClock> {
        Arc::new(StillClock(AtomicI64::new(micros)))
    }

    pub(crate) fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) const NOON: i64 = 1_790_000_000_000_000;

/// Small segments, so that a few records fill several.
pub(crate) fn small() -> Options {
    Options { segment_bytes: SEGMENT_BYTES_MIN, ..Options::new(StillClock::at(NOON)) }
}

pub(crate) fn large() -> Options {
    Options { segment_bytes: 1024 * 1024, ..Options::new(StillClock::at(NOON)) }
}

pub(crate) fn open(dir: &Path, options: Options) -> (EventLog, RecoveryReport) {
    EventLog::open(dir, options).unwrap()
}

pub(crate) fn key(number: u64) -> Key {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Key(bytes)
}

pub(crate) fn record(number: u64, kind: &str, tags: &[&str]) -> NewRecord {
    NewRecord {
        key: key(number),
        kind: kind.into(),
        tags: tags.iter().map(|tag| (*tag).into()).collect(),
        occurred_at: NOON - i64::try_from(number % 1_000).unwrap(),
        source: "urn:test".into(),
        content_type: "text/plain".into(),
        bytes: Bytes::from(format!("content of {number}")),
    }
}

pub(crate) fn plain(number: u64) -> NewRecord {
    record(number, "bed.freed", &[&format!("bed:{}", number % 7), &format!("ward:{}", number % 3)])
}

pub(crate) async fn append(log: &EventLog, records: Vec<NewRecord>) -> Appended {
    log.append(Batch { records, ..Batch::default() }).await.unwrap()
}

/// Appends `numbers`, each in a batch of its own.
pub(crate) async fn append_each(log: &EventLog, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        append(log, vec![plain(number)]).await;
    }
}

pub(crate) fn item(types: &[&str], tags: &[&str]) -> QueryItem {
    QueryItem {
        types: types.iter().map(|kind| (*kind).into()).collect(),
        tags: tags.iter().map(|tag| (*tag).into()).collect(),
    }
}

pub(crate) fn everything(reader: &eventlog::LogReader) -> Vec<Record> {
    reader.read(Query::default()).collect::<Result<Vec<_>, _>>().unwrap()
}

/// What was appended, without what the log added.
pub(crate) fn as_new(record: &Record) -> NewRecord {
    NewRecord {
        key: record.key,
        kind: record.kind.clone(),
        tags: record.tags.clone(),
        occurred_at: record.occurred_at,
        source: record.source.clone(),
        content_type: record.content_type.clone(),
        bytes: record.bytes.clone(),
    }
}

pub(crate) fn segment_files(dir: &Path) -> Vec<PathBuf> {
    files(&dir.join("segments"), "seg")
}

pub(crate) fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    found
}

/// A copy of a log as a crash would leave it: files only, no lock held. The next segment is made ready beside the log
/// and then gets its name: what is gone under its old one held no record yet.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            match fs::copy(entry.path(), target) {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}"),
            }
        }
    }
}

/// The end of what was written in a segment file.
pub(crate) fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// The file and offset of a damage error, however it came.
pub(crate) fn place_of(error: &OpenError) -> (PathBuf, u64) {
    match error {
        OpenError::Damaged(ReadError::Damaged { file, offset, .. }) => (file.clone(), *offset),
        other => panic!("expected damage, got {other:?}"),
    }
}

/// The real disk, except that the sync of a segment fails once the countdown is over.
#[derive(Debug, Default)]
pub(crate) struct FailingDisk {
    /// Syncs that still succeed.
    pub(crate) syncs_left: Arc<AtomicU32>,
}

#[derive(Debug)]
struct FailingFile {
    file: Arc<dyn StorageFile>,
    syncs_left: Arc<AtomicU32>,
    fails: bool,
}

impl StorageFile for FailingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        let counted =
            self.syncs_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if self.fails && counted.is_err() {
            return Err(io::Error::other("the disk says no"));
        }
        self.file.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
}

impl FailingDisk {
    fn wrap(&self, path: &Path, file: Arc<dyn StorageFile>) -> Arc<dyn StorageFile> {
        let fails = path.parent().is_some_and(|parent| parent.ends_with("segments"));
        Arc::new(FailingFile { file, syncs_left: Arc::clone(&self.syncs_left), fails })
    }
}

impl Storage for FailingDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        Disk.create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        Disk.list(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        Ok(self.wrap(path, Disk.create(path)?))
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Arc<dyn StorageFile>> {
        Ok(self.wrap(path, Disk.open(path, writable)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        Disk.lock(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.sync_dir(dir)
    }

    fn random(&self) -> io::Result<[u8; 16]> {
        Disk.random()
    }
}

/// The real disk with ids that are always the same, so that a log has the same bytes every time.
#[derive(Debug, Default)]
pub(crate) struct PlainDisk(AtomicU32);

impl Storage for PlainDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        Disk.create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        Disk.list(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        Disk.create(path)
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Arc<dyn StorageFile>> {
        Disk.open(path, writable)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        Disk.lock(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.sync_dir(dir)
    }

    fn random(&self) -> io::Result<[u8; 16]> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let mut bytes = [0xa5; 16];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        Ok(bytes)
    }
}
