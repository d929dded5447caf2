//! A disk in memory that can fail and lose power, under the very same code as the real one.
//!
//! What was written and not synced is *pending*, for each file and for each folder by itself; a crash keeps any part of
//! it. A sync that fails throws the pending writes of its file away, as Linux does: they can still be read, and a later
//! sync reports success without writing them. Every open handle hears of such a failure once. A rename is two entries
//! that can be lost one without the other, which is harsher than any file system in use.

mod world;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use eventlog::{Storage, StorageFile};

pub(crate) use world::Keep;
use world::{Op, World};

pub(crate) const EIO: i32 = 5;
pub(crate) const EACCES: i32 = 13;
pub(crate) const EMFILE: i32 = 24;
pub(crate) const ENOSPC: i32 = 28;
pub(crate) const EROFS: i32 = 30;

/// What is asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    MakeFolder,
    List,
    Create,
    Open,
    Lock,
    Read,
    Write,
    Sync,
    Rename,
    Remove,
    SyncFolder,
}

/// When calls of one kind fail, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) call: Call,
    /// From the n-th on, counting from 1.
    pub(crate) from: u64,
    /// Whether only that one fails.
    pub(crate) once: bool,
    pub(crate) error: i32,
    /// Bytes of a failing write that get through.
    pub(crate) through: usize,
}

#[derive(Debug)]
struct Inner {
    world: World,
    /// What was there before the first step.
    start: World,
    /// Everything since the start, to be gone through again up to any step.
    journal: Vec<Op>,
    counts: BTreeMap<Call, u64>,
    fault: Option<Fault>,
    hits: u64,
    /// Reads and writes are cut to so many bytes, and every second call is interrupted.
    choppy: Option<usize>,
    calls: u64,
    random: u64,
    locks: BTreeMap<PathBuf, Weak<TwinFile>>,
    /// The file zeros were written to ahead of the commits, and what the handle they went through has heard of.
    zeros: Option<(usize, Arc<AtomicU64>)>,
    fail_zeros: bool,
    largest_read: usize,
}

/// The disk. Clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct TwinFile {
    inner: Arc<Mutex<Inner>>,
    file: usize,
    path: PathBuf,
    writable: bool,
    /// Failed syncs this handle has heard of.
    heard: Arc<AtomicU64>,
}

impl Inner {
    /// Counts a call; the error is the one it was to meet. A failing write says how much of it gets through.
    fn enter(&mut self, call: Call) -> Result<(), (io::Error, usize)> {
        let count = self.counts.entry(call).or_default();
        *count += 1;
        match self.fault {
            Some(fault)
                if fault.call == call && (*count == fault.from || (*count > fault.from && !fault.once)) =>
            {
                self.hits += 1;
                Err((io::Error::from_raw_os_error(fault.error), fault.through))
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, op: Op) {
        self.world.apply(&op);
        self.journal.push(op);
    }

    /// How much of a call with so many bytes is done at once.
    fn chop(&mut self, length: usize) -> io::Result<usize> {
        self.calls += 1;
        match self.choppy {
            Some(_) if self.calls % 3 == 1 => Err(io::ErrorKind::Interrupted.into()),
            Some(_) if self.calls % 7 == 2 => Err(io::ErrorKind::WouldBlock.into()),
            Some(most) => Ok(length.min(most)),
            None => Ok(length),
        }
    }
}

impl Twin {
    pub(crate) fn new() -> Twin {
        Twin::of(World::new())
    }

    fn of(world: World) -> Twin {
        let inner = Inner {
            start: world.clone(),
            world,
            journal: Vec::new(),
            counts: BTreeMap::new(),
            fault: None,
            hits: 0,
            choppy: None,
            calls: 0,
            random: 0,
            locks: BTreeMap::new(),
            zeros: None,
            fail_zeros: false,
            largest_read: 0,
        };
        Twin { inner: Arc::new(Mutex::new(inner)) }
    }

    fn held(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// A disk that forgets what a sync of a folder, or of a file, was to keep.
    pub(crate) fn lying(no_folder_sync: bool, no_sync: bool) -> Twin {
        Twin::of(World { no_sync, no_folder_sync, ..World::new() })
    }

    /// From now on this goes wrong; counting begins anew.
    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        let mut inner = self.held();
        inner.counts.clear();
        inner.fault = fault;
        inner.hits = 0;
    }

    /// How often the fault was met.
    pub(crate) fn hits(&self) -> u64 {
        self.held().hits
    }

    /// The most bytes that were asked for at once.
    pub(crate) fn largest_read(&self) -> usize {
        self.held().largest_read
    }

    /// Whether zeros were written ahead of the commits.
    pub(crate) fn zeros_were_written(&self) -> bool {
        self.held().zeros.is_some()
    }

    /// From now on a sync of the zeros fails just before each sync of a commit to the same file.
    pub(crate) fn fail_zeros_before_commits(&self) {
        self.held().fail_zeros = true;
    }

    pub(crate) fn chop_to(&self, bytes: usize) {
        self.held().choppy = Some(bytes);
    }

    /// Notes in the journal that everything up to here was acknowledged.
    pub(crate) fn acknowledge(&self, position: u64) {
        self.held().step(Op::Acknowledged(position));
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.held().world.acknowledged
    }

    /// The disk after a power cut now.
    pub(crate) fn crash(&self, keep: &Keep) -> Twin {
        let inner = self.held();
        let after = Twin::of(inner.world.crash(keep));
        // The next ids must be others.
        after.held().random = inner.random + 1_000_000;
        after
    }

    /// Pending writes and names.
    pub(crate) fn pending(&self) -> usize {
        self.held().world.pending()
    }

    /// The length of the write that was the last step, 0 if it was another.
    pub(crate) fn last_write(&self) -> usize {
        match self.held().journal.last() {
            Some(Op::Write { bytes, .. }) => bytes.len(),
            _ => 0,
        }
    }

    /// The same disk after each of its steps, one after the other.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Twin> {
        let (journal, random, mut world) = {
            let inner = self.held();
            let lies = (inner.world.no_sync, inner.world.no_folder_sync);
            let start = World { no_sync: lies.0, no_folder_sync: lies.1, ..World::new() };
            (inner.journal.clone(), inner.random, start)
        };
        journal.into_iter().map(move |op| {
            world.apply(&op);
            let step = Twin::of(world.clone());
            step.held().journal.push(op);
            step.held().random = random + 1_000_000;
            step
        })
    }

    /// Steps so far.
    pub(crate) fn recorded(&self) -> usize {
        self.held().journal.len()
    }

    /// The disk as it was after so many steps.
    pub(crate) fn at(&self, step: usize) -> Twin {
        let inner = self.held();
        let mut world = inner.start.clone();
        inner.journal.iter().take(step).for_each(|op| world.apply(op));
        let twin = Twin::of(world);
        twin.held().random = inner.random + 1_000_000;
        twin
    }

    /// Starts the journal here, with what is there now as the durable beginning.
    pub(crate) fn begin(&self) -> (Twin, Start) {
        let world = self.held().world.crash(&Keep::All);
        let random = self.held().random;
        let twin = Twin::of(world.clone());
        twin.held().random = random + 1_000_000;
        (twin, Start(world))
    }

    /// As [`Twin::steps`], for a disk that began with something.
    pub(crate) fn steps_from(&self, start: &Start) -> impl Iterator<Item = Twin> {
        let (journal, random) = {
            let inner = self.held();
            (inner.journal.clone(), inner.random)
        };
        let mut world = start.0.clone();
        journal.into_iter().map(move |op| {
            world.apply(&op);
            let step = Twin::of(world.clone());
            step.held().journal.push(op);
            step.held().random = random + 1_000_000;
            step
        })
    }

    pub(crate) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let inner = self.held();
        let file = inner.world.file(path).ok()?;
        Some(inner.world.files[file].cached.clone())
    }

    /// Puts a file there, durably.
    pub(crate) fn put(&self, path: &Path, bytes: &[u8]) {
        let mut inner = self.held();
        if inner.world.file(path).is_err() {
            inner.step(Op::Create(path.into()));
            inner.step(Op::SyncFolder(path.parent().unwrap().into()));
        }
        let file = inner.world.file(path).unwrap();
        let content = &mut inner.world.files[file];
        content.cached = bytes.into();
        content.durable = bytes.into();
        content.pending.clear();
    }

    pub(crate) fn names(&self, folder: &Path) -> Vec<OsString> {
        self.list(folder).unwrap_or_default()
    }
}

/// A disk as it was when its journal began.
#[derive(Debug)]
pub(crate) struct Start(World);

impl StorageFile for TwinFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut inner = self.inner.lock().unwrap();
        inner.enter(Call::Read).map_err(|(error, _)| error)?;
        inner.largest_read = inner.largest_read.max(buffer.len());
        let length = inner.chop(buffer.len())?;
        let content = &inner.world.files[self.file].cached;
        let from = usize::try_from(offset).unwrap().min(content.len());
        let length = length.min(content.len() - from);
        buffer[..length].copy_from_slice(&content[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        assert!(self.writable, "{} was opened for reading", self.path.display());
        let mut inner = self.inner.lock().unwrap();
        let (length, failed) = match inner.enter(Call::Write) {
            Ok(()) => (inner.chop(bytes.len())?, None),
            Err((error, through)) => (through.min(bytes.len()), Some(error)),
        };
        if thread::current().name() == Some("log-zeros") {
            inner.zeros = Some((self.file, Arc::clone(&self.heard)));
        }
        let offset = usize::try_from(offset).unwrap();
        inner.step(Op::Write { file: self.file, offset, bytes: bytes[..length].into() });
        failed.map_or(Ok(length), Err)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        if let Err((error, _)) = inner.enter(Call::Sync) {
            let content = &mut inner.world.files[self.file];
            content.pending.clear();
            content.failed += 1;
            self.heard.store(content.failed, Ordering::SeqCst);
            return Err(error);
        }
        if let Some((_, zeros)) = inner.zeros.clone().filter(|(file, _)| {
            inner.fail_zeros && *file == self.file && thread::current().name() == Some("log-writer")
        }) {
            let content = &mut inner.world.files[self.file];
            content.pending.clear();
            content.failed += 1;
            zeros.store(content.failed, Ordering::SeqCst);
        }
        let failed = inner.world.files[self.file].failed;
        if self.heard.swap(failed, Ordering::SeqCst) < failed {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        inner.step(Op::Sync(self.file));
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.inner.lock().unwrap().world.files[self.file].cached.len().try_into().unwrap())
    }
}

impl Twin {
    fn handle(&self, inner: &Inner, path: &Path, writable: bool) -> io::Result<Arc<TwinFile>> {
        let file = inner.world.file(path)?;
        let heard = Arc::new(AtomicU64::new(inner.world.files[file].failed));
        Ok(Arc::new(TwinFile { inner: Arc::clone(&self.inner), file, path: path.into(), writable, heard }))
    }
}

impl Storage for Twin {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.held();
        inner.enter(Call::MakeFolder).map_err(|(error, _)| error)?;
        let mut missing = dir.ancestors().collect::<Vec<_>>();
        missing.retain(|folder| !inner.world.folders.contains_key(*folder));
        for folder in missing.into_iter().rev() {
            inner.step(Op::MakeFolder(folder.into()));
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        let mut inner = self.held();
        inner.enter(Call::List).map_err(|(error, _)| error)?;
        let folder = inner.world.folders.get(dir).ok_or(io::ErrorKind::NotFound)?;
        Ok(folder.cached.keys().cloned().collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let mut inner = self.held();
        inner.enter(Call::Create).map_err(|(error, _)| error)?;
        let folder = path.parent().and_then(|folder| inner.world.folders.get(folder));
        folder.ok_or(io::ErrorKind::NotFound)?;
        inner.step(Op::Create(path.into()));
        Ok(self.handle(&inner, path, true)?)
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Arc<dyn StorageFile>> {
        let mut inner = self.held();
        inner.enter(Call::Open).map_err(|(error, _)| error)?;
        Ok(self.handle(&inner, path, writable)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.held();
        inner.enter(Call::Rename).map_err(|(error, _)| error)?;
        inner.world.entry(from).ok_or(io::ErrorKind::NotFound)?;
        inner.step(Op::Rename(from.into(), to.into()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.held();
        inner.enter(Call::Remove).map_err(|(error, _)| error)?;
        inner.world.file(path)?;
        inner.step(Op::Remove(path.into()));
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let mut inner = self.held();
        inner.enter(Call::Lock).map_err(|(error, _)| error)?;
        if inner.locks.get(path).is_some_and(|held| held.strong_count() > 0) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if inner.world.entry(path).is_none() {
            inner.step(Op::Create(path.into()));
        }
        let handle = self.handle(&inner, path, true)?;
        inner.locks.insert(path.into(), Arc::downgrade(&handle));
        Ok(handle)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.held();
        inner.enter(Call::SyncFolder).map_err(|(error, _)| error)?;
        if !inner.world.folders.contains_key(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inner.step(Op::SyncFolder(dir.into()));
        Ok(())
    }

    fn random(&self) -> io::Result<[u8; 16]> {
        let mut inner = self.held();
        inner.random += 1;
        let mut bytes = [0xa5; 16];
        bytes[..8].copy_from_slice(&inner.random.to_le_bytes());
        Ok(bytes)
    }
}

/// Whether a name is that of a segment.
pub(crate) fn is_segment(name: &OsStr) -> bool {
    Path::new(name).extension() == Some(OsStr::new("seg"))
}
