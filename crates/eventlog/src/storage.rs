//! The port to the world: files, randomness and time. The log touches disk and clock only through here.
//!
//! Not here: what is written (`frame`, `segment`, `index`). The catalogue (sled) does its own files: it is derived
//! and may vanish.

use std::{
    ffi::OsString,
    fmt::Debug,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use crate::codec::wide;

/// An open file. Reads and writes name their place, so that one file serves many threads.
pub trait StorageFile: Debug + Send + Sync {
    /// Reads up to `buffer.len()` bytes at `offset`; 0 at the end of the file. May be interrupted, or read less.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes some of `bytes` at `offset`, from their start, and says how many. May be interrupted.
    ///
    /// # Errors
    /// What the system says; then any part of `bytes` may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Returns when the content, and the length if it grew, are on stable storage.
    ///
    /// # Errors
    /// What the system says; then nothing is known about what was written since the last success.
    fn sync_data(&self) -> io::Result<()>;
    /// The length in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn length(&self) -> io::Result<u64>;
}

/// Folders and files.
pub trait Storage: Debug + Send + Sync {
    /// Makes a folder and those above it.
    ///
    /// # Errors
    /// What the system says.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// The names in a folder, in no order.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>>;
    /// Makes a file, empty even if it was there, for reading and writing.
    ///
    /// # Errors
    /// What the system says.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>>;
    /// Opens a file for reading, and for writing if asked.
    ///
    /// # Errors
    /// What the system says.
    fn open(&self, path: &Path, writable: bool) -> io::Result<Arc<dyn StorageFile>>;
    /// Gives a file another name in one step.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty folder. Storage whose folders are only names in its files does nothing.
    ///
    /// # Errors
    /// What the system says.
    fn remove_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
    /// Opens a file for reading and writing, makes it if there is none, and takes its exclusive lock, which is held
    /// until the file is let go of or the process ends.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if another holds the lock; otherwise what the system says.
    fn lock(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>>;
    /// Returns when the names in a folder are on stable storage.
    ///
    /// # Errors
    /// What the system says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Sixteen bytes nobody can guess: the id of a log or a segment.
    ///
    /// # Errors
    /// What the system says.
    fn random(&self) -> io::Result<[u8; 16]>;
}

/// The real disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl StorageFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl Storage for Disk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Arc::new(file))
    }

    fn open(&self, path: &Path, writable: bool) -> io::Result<Arc<dyn StorageFile>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(writable).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Arc::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn random(&self) -> io::Result<[u8; 16]> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Where the log takes the time from.
pub trait Clock: Debug + Send + Sync {
    /// Microseconds since 1970-01-01 UTC.
    fn now(&self) -> i64;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the log takes the time")]
    fn now(&self) -> i64 {
        use std::time::{SystemTime, UNIX_EPOCH};
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        }
    }
}

/// Makes a file that is no other name of one that is there: after a crash in the middle of a rename a file may have
/// two names, and writing to one would change the other.
pub(crate) fn create_anew(storage: &dyn Storage, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
    match storage.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => storage.create(path),
    }
}

/// How often in a row a call may be interrupted before that is an error: a disk that never answers is no answer.
const INTERRUPTIONS_MAX: u32 = 1_000;

/// Reads exactly `buffer.len()` bytes unless the file ends before; returns how many were read.
pub(crate) fn read_full(file: &dyn StorageFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let (mut filled, mut interrupted) = (0_usize, 0);
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset.saturating_add(wide(filled))) {
            Ok(0) => break,
            Ok(read) => (filled, interrupted) = (filled.saturating_add(read), 0),
            Err(error) => pass(error, &mut interrupted)?,
        }
    }
    Ok(filled)
}

/// Writes all of `bytes`. After an error any part of them may have been written.
pub(crate) fn write_full(file: &dyn StorageFile, bytes: &[u8], offset: u64) -> io::Result<()> {
    let (mut done, mut interrupted) = (0_usize, 0);
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write_at(rest, offset.saturating_add(wide(done))) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => (done, interrupted) = (done.saturating_add(written), 0),
            Err(error) => pass(error, &mut interrupted)?,
        }
    }
    Ok(())
}

/// Lets pass that a signal came in between, or that the system had no room for the call at this moment: nothing is
/// wrong. Never asked about a sync: what a sync that fails has left behind is not known.
fn pass(error: io::Error, interrupted: &mut u32) -> io::Result<()> {
    *interrupted = interrupted.saturating_add(1);
    let passing = matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock);
    if passing && *interrupted <= INTERRUPTIONS_MAX { Ok(()) } else { Err(error) }
}
