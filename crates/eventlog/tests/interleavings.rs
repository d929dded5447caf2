//! The real log with threads, locks and channels that a scheduler drives: after every step of any of them it chooses
//! who goes on. Each test runs many such schedules; one that fails prints how to run exactly it again.
//!
//! `cargo test -p eventlog --features shuttle --test interleavings`
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use eventlog::{
    AppendCondition, AppendError, Batch, Clock, EventLog, Key, LogReader, NewRecord, Options, Query,
    QueryItem, SEGMENT_BYTES_MIN, Storage, StorageFile,
};
use shuttle::{future::block_on, thread};

/// Schedules of each test: a few seconds for all of them together.
const SCHEDULES: usize = 150;
/// Threads that may be held back at a moment of the scheduler's choice, in the half of the schedules made that way.
const DEPTH: usize = 3;

/// Files in memory, and a step of the scheduler at every call. Nothing fails here: what a crash leaves is tried
/// elsewhere.
#[derive(Debug, Default)]
struct Memory {
    files: Mutex<BTreeMap<PathBuf, Arc<Bare>>>,
    locks: Mutex<BTreeMap<PathBuf, Weak<Bare>>>,
    random: AtomicU64,
}

#[derive(Debug, Default)]
struct Bare {
    bytes: Mutex<Vec<u8>>,
    /// As the bytes were at the last sync: what a power cut leaves for sure.
    synced: Mutex<Vec<u8>>,
}

impl StorageFile for Bare {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        thread::yield_now();
        let bytes = self.bytes.lock().unwrap();
        let from = usize::try_from(offset).unwrap().min(bytes.len());
        let length = buffer.len().min(bytes.len() - from);
        buffer[..length].copy_from_slice(&bytes[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, written: &[u8], offset: u64) -> io::Result<usize> {
        thread::yield_now();
        let mut bytes = self.bytes.lock().unwrap();
        let end = usize::try_from(offset).unwrap() + written.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[end - written.len()..end].copy_from_slice(written);
        Ok(written.len())
    }

    fn sync_data(&self) -> io::Result<()> {
        thread::yield_now();
        let bytes = self.bytes.lock().unwrap().clone();
        *self.synced.lock().unwrap() = bytes;
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len().try_into().unwrap())
    }
}

impl Memory {
    /// What a power cut would leave now.
    fn after_a_power_cut(&self) -> Arc<Memory> {
        let files = self.files.lock().unwrap();
        let left = files.iter().map(|(path, file)| {
            let bytes = file.synced.lock().unwrap().clone();
            (path.clone(), Arc::new(Bare { bytes: Mutex::new(bytes), ..Bare::default() }))
        });
        Arc::new(Memory { files: Mutex::new(left.collect()), ..Memory::default() })
    }
}

impl Storage for Memory {
    fn create_dir_all(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        thread::yield_now();
        let files = self.files.lock().unwrap();
        let inside = files.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.map(|path| path.file_name().unwrap().to_owned()).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        thread::yield_now();
        let file = Arc::<Bare>::default();
        self.files.lock().unwrap().insert(path.into(), Arc::clone(&file));
        Ok(file)
    }

    fn open(&self, path: &Path, _writable: bool) -> io::Result<Arc<dyn StorageFile>> {
        thread::yield_now();
        let files = self.files.lock().unwrap();
        Ok(files.get(path).map(Arc::clone).ok_or(io::ErrorKind::NotFound)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        thread::yield_now();
        let mut files = self.files.lock().unwrap();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.into(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        thread::yield_now();
        self.files.lock().unwrap().remove(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn lock(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        thread::yield_now();
        let mut locks = self.locks.lock().unwrap();
        if locks.get(path).is_some_and(|held| held.strong_count() > 0) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let file = Arc::<Bare>::default();
        locks.insert(path.into(), Arc::downgrade(&file));
        Ok(file)
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn random(&self) -> io::Result<[u8; 16]> {
        let mut bytes = [0x5a; 16];
        bytes[..8].copy_from_slice(&self.random.fetch_add(1, Ordering::SeqCst).to_le_bytes());
        Ok(bytes)
    }
}

/// A clock that stands.
#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> i64 {
        1_790_000_000_000_000
    }
}

const DIR: &str = "/log";

fn opened(storage: &Arc<Memory>) -> EventLog {
    let options = Options {
        segment_bytes: SEGMENT_BYTES_MIN,
        storage: Arc::<Memory>::clone(storage),
        catalogue: false,
        ..Options::new(Arc::new(Noon))
    };
    EventLog::open(Path::new(DIR), options).unwrap().0
}

fn record(number: u8, bytes: usize) -> NewRecord {
    NewRecord {
        key: Key([number; 16]),
        kind: "tried".into(),
        tags: vec![format!("number:{number}").into(), "lane".into()],
        occurred_at: 0,
        source: "urn:test".into(),
        content_type: "text/plain".into(),
        bytes: Bytes::from(vec![number; bytes]),
    }
}

/// Half of the schedules choose at random, the other half hold single threads back for long.
fn schedules(test: impl Fn() + Send + Sync + Copy + 'static) {
    let mut config = shuttle::Config::new();
    config.stack_size = 1024 * 1024;
    config.max_steps = shuttle::MaxSteps::FailAfter(1_000_000);
    let random = shuttle::scheduler::RandomScheduler::new(SCHEDULES / 2);
    shuttle::Runner::new(random, config.clone()).run(test);
    let held_back = shuttle::scheduler::PctScheduler::new(DEPTH, SCHEDULES / 2);
    shuttle::Runner::new(held_back, config).run(test);
}

/// Everything there is, each record whole and in its place; and the files say the same to who reads only them.
fn sound(storage: &Arc<Memory>, reader: &LogReader) -> Vec<u8> {
    let reread = LogReader::open_with(Path::new(DIR), Arc::<Memory>::clone(storage)).unwrap();
    let numbers = |reader: &LogReader| {
        let records = reader.read(Query::default()).zip(1..).map(|(record, position)| {
            let record = record.unwrap();
            assert_eq!(record.position, position);
            let number = record.key.0[0];
            assert!(record.bytes.iter().all(|byte| *byte == number), "half a record at {position}");
            number
        });
        records.collect::<Vec<_>>()
    };
    assert_eq!(numbers(reader), numbers(&reread));
    assert!(reread.verify(.., &mut |_| ()).unwrap().is_sound());
    numbers(&reread)
}

#[test]
fn appends_at_once_are_each_acknowledged_at_a_place_of_their_own_that_is_synced() {
    schedules(|| {
        let storage = Arc::<Memory>::default();
        let log = opened(&storage);
        let producers = (0..3_u8).map(|producer| {
            let (log, storage) = (log.clone(), Arc::clone(&storage));
            thread::spawn(move || {
                let mut places = Vec::new();
                for number in [producer * 10 + 1, producer * 10 + 2] {
                    let batch = Batch {
                        records: vec![record(number, 30), record(number + 100, 1)],
                        ..Batch::default()
                    };
                    let appended = block_on(log.append(batch)).unwrap();
                    assert_eq!(appended.positions[1], appended.positions[0] + 1, "a batch is one piece");
                    let left = storage.after_a_power_cut();
                    let left = LogReader::open_with(Path::new(DIR), left).unwrap();
                    for reader in [left, log.reader()] {
                        let read = reader.record(appended.positions[0]).unwrap().unwrap();
                        assert_eq!(read.key, Key([number; 16]));
                    }
                    places.push((number, appended.positions[0]));
                }
                places
            })
        });
        let places = producers.collect::<Vec<_>>().into_iter().flat_map(|producer| producer.join().unwrap());
        let places = places.collect::<BTreeMap<_, _>>();
        let reader = log.reader();
        block_on(log.close());
        let numbers = sound(&storage, &reader);
        assert_eq!(numbers.len(), 12);
        for (number, position) in places {
            assert_eq!(numbers[usize::try_from(position).unwrap() - 1], number);
        }
    });
}

#[test]
fn of_two_decisions_on_the_same_state_one_is_refused_whatever_the_order() {
    schedules(|| {
        let storage = Arc::<Memory>::default();
        let log = opened(&storage);
        let deciders = (1..=3_u8).map(|number| {
            let log = log.clone();
            thread::spawn(move || {
                let item = QueryItem { types: Vec::new(), tags: vec!["lane".into()] };
                let condition = Some(AppendCondition { fail_if: vec![item], after: 0 });
                let batch = Batch { records: vec![record(number, 10)], condition, origin: Bytes::new() };
                block_on(log.append(batch))
            })
        });
        let outcomes = deciders.collect::<Vec<_>>().into_iter().map(|decider| decider.join().unwrap());
        let (taken, refused) = outcomes.partition::<Vec<_>, _>(Result::is_ok);
        assert_eq!((taken.len(), refused.len()), (1, 2));
        for refused in refused {
            assert!(matches!(refused, Err(AppendError::ConditionFailed { position: 1 })), "{refused:?}");
        }
        let reader = log.reader();
        block_on(log.close());
        assert_eq!(sound(&storage, &reader).len(), 1);
    });
}

#[test]
fn a_subscription_that_begins_during_appends_and_rotation_misses_and_doubles_nothing() {
    schedules(|| {
        let storage = Arc::<Memory>::default();
        let log = opened(&storage);
        block_on(log.append(record(1, 1_500).into())).unwrap();
        let subscriber = thread::spawn({
            let reader = log.reader();
            move || {
                let mut subscription = reader.subscribe(Query::default());
                (1..=7).map(|_| block_on(subscription.next()).unwrap()).collect::<Vec<_>>()
            }
        });
        let producer = thread::spawn({
            let log = log.clone();
            move || {
                for number in 2..=5 {
                    block_on(log.append(record(number, 1_500).into())).unwrap();
                }
            }
        });
        block_on(log.append(record(6, 1_500).into())).unwrap();
        block_on(log.append(record(7, 1_500).into())).unwrap();
        producer.join().unwrap();
        let given = subscriber.join().unwrap();
        assert!(given.iter().zip(1..).all(|(record, position)| record.position == position), "{given:?}");
        let reader = log.reader();
        block_on(log.close());
        let numbers = sound(&storage, &reader);
        assert_eq!(given.iter().map(|record| record.key.0[0]).collect::<Vec<_>>(), numbers);
        let segments = storage.list(Path::new("/log/segments")).unwrap();
        let segments = segments.iter().filter(|name| name.to_string_lossy().ends_with(".seg"));
        assert!(segments.count() >= 3, "nothing was rotated");
    });
}

#[test]
fn a_reader_of_another_process_sees_whole_batches_only_while_segments_change() {
    schedules(|| {
        let storage = Arc::<Memory>::default();
        let log = opened(&storage);
        let follower = thread::spawn({
            let storage = Arc::clone(&storage);
            move || {
                let reader = LogReader::open_with(Path::new(DIR), storage).unwrap();
                for _ in 0..4 {
                    let head = reader.refresh().unwrap().position;
                    assert_eq!(head % 2, 0, "half a batch");
                    let read = reader.read(Query::default()).map(|record| record.unwrap().position);
                    assert_eq!(read.collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>());
                }
            }
        });
        for number in 1..=3 {
            let records = vec![record(number, 1_200), record(number + 100, 1_200)];
            block_on(log.append(Batch { records, ..Batch::default() })).unwrap();
        }
        follower.join().unwrap();
        let reader = log.reader();
        block_on(log.close());
        assert_eq!(sound(&storage, &reader), [1, 101, 2, 102, 3, 103]);
    });
}

#[test]
fn a_backup_during_appends_and_rotation_is_a_prefix_that_opens() {
    schedules(|| {
        let storage = Arc::<Memory>::default();
        let log = opened(&storage);
        block_on(log.append(record(1, 1_500).into())).unwrap();
        let producer = thread::spawn({
            let log = log.clone();
            move || {
                for number in 2..=5 {
                    block_on(log.append(record(number, 1_500).into())).unwrap();
                }
            }
        });
        let copied = log.reader().backup(Path::new("/copy"), &mut |_| ()).unwrap();
        let copy = LogReader::open_with(Path::new("/copy"), Arc::<Memory>::clone(&storage)).unwrap();
        assert_eq!(copy.head(), copied.head);
        assert!(copied.head.position >= 1);
        producer.join().unwrap();
        let reader = log.reader();
        block_on(log.close());
        let numbers = sound(&storage, &reader);
        let read = copy.read(Query::default()).map(|record| record.unwrap().key.0[0]).collect::<Vec<_>>();
        assert_eq!(read, numbers[..read.len()]);
        assert!(copy.verify(.., &mut |_| ()).unwrap().is_sound());
    });
}

#[test]
fn closing_during_appends_answers_everybody_and_keeps_what_was_acknowledged() {
    schedules(|| {
        let storage = Arc::<Memory>::default();
        let log = opened(&storage);
        let producers = (1..=3_u8).map(|number| {
            let log = log.clone();
            thread::spawn(move || match block_on(log.append(record(number, 20).into())) {
                Ok(appended) => Some((number, appended.positions[0])),
                Err(AppendError::Closed) => None,
                Err(error) => panic!("{error:?}"),
            })
        });
        let producers = producers.collect::<Vec<_>>();
        let reader = log.reader();
        block_on(log.close());
        let told = producers.into_iter().filter_map(|producer| producer.join().unwrap()).collect::<Vec<_>>();
        let numbers = sound(&storage, &reader);
        assert_eq!(numbers.len(), told.len(), "what was refused is not there");
        for (number, position) in told {
            assert_eq!(numbers[usize::try_from(position).unwrap() - 1], number);
        }
    });
}

#[test]
fn archiving_beside_appends_and_reads_changes_no_answer() {
    schedules(|| {
        let storage = Arc::<Memory>::default();
        let log = opened(&storage);
        for number in 1..=5 {
            block_on(log.append(record(number, 1_500).into())).unwrap();
        }
        let reading = thread::spawn({
            let reader = log.reader();
            move || {
                for position in [1, 3, 2] {
                    assert_eq!(u64::from(reader.record(position).unwrap().unwrap().key.0[0]), position);
                }
            }
        });
        let order = eventlog::ArchiveOrder { before: u64::MAX, to: None };
        let archiving = thread::spawn({
            let log = log.clone();
            move || log.archive(&order, &mut |_| ()).unwrap()
        });
        block_on(log.append(record(6, 1_500).into())).unwrap();
        reading.join().unwrap();
        archiving.join().unwrap();
        assert_eq!(block_on(log.append(record(1, 1_500).into())).unwrap().positions, [1]);
        let reader = log.reader();
        block_on(log.close());
        assert_eq!(sound(&storage, &reader), [1, 2, 3, 4, 5, 6]);
    });
}
