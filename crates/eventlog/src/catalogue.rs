//! The catalogue: named cursors and one entry per sealed segment, in sled.
//!
//! It never leads the log and nothing waits for it. Every cursor carries the anchor it belongs to: the id of the log,
//! its position and the leaf hash there. Whatever the log does not confirm, or sled can not read, is moved aside, and
//! an empty catalogue takes its place: that costs its users time, never answers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use crate::{CursorError, LogReader, ReadError, codec::Input, segment::Segment};

/// sled keeps this much in memory; the catalogue is small.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// A sled that was just dropped lets go of its file lock a little later; so often it is tried again …
const LOCK_TRIES_MAX: u32 = 50;
/// … after this time.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Named places in the log, such as the last position a projector has finished. They may be lost (then they begin
/// from nothing) but never point beyond or beside the log. Clones share everything.
#[derive(Debug, Clone)]
pub struct Cursors {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    reader: LogReader,
    /// `None` after a failure that could not be mended.
    trees: Mutex<Option<Trees>>,
}

#[derive(Debug, Clone)]
struct Trees {
    cursors: sled::Tree,
    segments: sled::Tree,
    db: sled::Db,
}

/// What a cursor holds: the log, the position, and the leaf hash of the record there (zeros at 0).
type Anchor = ([u8; 16], u64, [u8; 32]);

impl Cursors {
    /// Opens the catalogue of a log, or makes a new one; the text says why, if an old one had to be moved aside.
    pub(crate) fn open(dir: &Path, reader: LogReader) -> (Cursors, Option<String>) {
        let dir = dir.join("catalogue");
        let inner = Inner { dir, reader, trees: Mutex::new(None) };
        let (trees, rebuilt) = match inner.open_checked() {
            Ok(trees) => (Some(trees), None),
            Err(why) => (inner.open_anew(&why), Some(why)),
        };
        *inner.trees() = trees;
        let cursors = Cursors { inner: Arc::new(inner) };
        cursors.note_segments(&cursors.inner.reader.core.segments());
        (cursors, rebuilt)
    }

    /// No catalogue: nothing is kept.
    pub(crate) fn none(dir: &Path, reader: LogReader) -> Cursors {
        let dir = dir.join("catalogue");
        Cursors { inner: Arc::new(Inner { dir, reader, trees: Mutex::new(None) }) }
    }

    /// Puts a cursor at a position of the log. Not synced: after a crash it may stand further back.
    ///
    /// # Errors
    /// If the position is beyond the durable head, its record can not be read, or the catalogue fails twice.
    pub fn store(&self, name: &str, position: u64) -> Result<(), CursorError> {
        let head = self.inner.reader.head().position;
        let anchor = self.inner.anchor(position).map_err(CursorError::Unreadable)?;
        let Some(anchor) = anchor else {
            return Err(CursorError::BeyondHead { name: name.into(), position, head });
        };
        self.inner.with(|trees| trees.cursors.insert(name, encode(&anchor)).map(|_before| ()))
    }

    /// Where a cursor stands; `None` if it was never put anywhere, or was lost.
    ///
    /// # Errors
    /// If the catalogue fails twice.
    pub fn load(&self, name: &str) -> Result<Option<u64>, CursorError> {
        let value = self.inner.with(|trees| trees.cursors.get(name))?;
        Ok(value.and_then(|value| decode(&value)).map(|(_, position, _)| position))
    }

    /// Writes down the sealed segments. Best effort.
    pub(crate) fn note_segments(&self, segments: &[Arc<Segment>]) {
        if self.inner.trees().is_none() {
            return;
        }
        let noted = self.inner.with(|trees| {
            for segment in segments {
                let Some(sealed) = segment.sealed.get() else { continue };
                let name = format!("{:020}", segment.first());
                if trees.segments.contains_key(&name)? {
                    continue;
                }
                let mut value = Vec::with_capacity(56);
                value.extend_from_slice(&segment.header.segment.to_le_bytes());
                value.extend_from_slice(&sealed.last.to_le_bytes());
                value.extend_from_slice(&sealed.end.to_le_bytes());
                value.extend_from_slice(&sealed.hash);
                trees.segments.insert(name, value)?;
            }
            Ok(())
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "sealed segments were not entered in the catalogue");
        }
    }

    /// Hands everything to the disk, when the log is closed.
    pub(crate) fn flush(&self) {
        if let Some(trees) = self.inner.trees().take()
            && let Err(error) = trees.db.flush()
        {
            tracing::warn!(%error, "the catalogue was not flushed: cursors may stand further back");
        }
    }
}

impl Inner {
    fn trees(&self) -> MutexGuard<'_, Option<Trees>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The anchor of a position, `None` beyond the head.
    fn anchor(&self, position: u64) -> Result<Option<Anchor>, ReadError> {
        let log = self.reader.core.log;
        if position == 0 {
            return Ok(Some((log, 0, [0; 32])));
        }
        Ok(self.reader.record(position)?.map(|record| (log, position, record.leaf)))
    }

    fn open_trees(&self) -> Result<Trees, String> {
        let mut tried = 0;
        loop {
            // sled panics on some damage.
            let opened = catch_unwind(AssertUnwindSafe(|| {
                let db = sled::Config::new().path(&self.dir).cache_capacity(CACHE_BYTES).open()?;
                let (cursors, segments) = (db.open_tree("cursors")?, db.open_tree("segments")?);
                Ok::<_, sled::Error>(Trees { cursors, segments, db })
            }));
            match opened {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(sled::Error::Io(error))) if is_locked(&error) && tried < LOCK_TRIES_MAX => {
                    tried = tried.saturating_add(1);
                    thread::sleep(LOCK_PAUSE);
                }
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) => return Err("sled panicked over it".into()),
            }
        }
    }

    /// Opens what is there and lets the log confirm every anchor.
    fn open_checked(&self) -> Result<Trees, String> {
        let trees = self.open_trees()?;
        let checked = catch_unwind(AssertUnwindSafe(|| self.check(&trees)));
        checked.unwrap_or_else(|_| Err("sled panicked over it".into())).map(|()| trees)
    }

    fn check(&self, trees: &Trees) -> Result<(), String> {
        for entry in &trees.cursors {
            let (name, value) = entry.map_err(|error| error.to_string())?;
            let name = String::from_utf8_lossy(&name);
            let anchor = decode(&value).ok_or_else(|| format!("cursor {name} does not parse"))?;
            let confirmed = self.anchor(anchor.1).map_err(|error| error.to_string())?;
            if confirmed != Some(anchor) {
                return Err(format!("the log does not confirm cursor {name} at position {}", anchor.1));
            }
        }
        Ok(())
    }

    /// Moves the catalogue aside and makes an empty one.
    fn open_anew(&self, why: &str) -> Option<Trees> {
        let aside = (0..u32::MAX)
            .map(|number| self.dir.with_extension(format!("bad-{number}")))
            .find(|path| !path.exists());
        let aside = aside.unwrap_or_default();
        tracing::warn!(dir = %self.dir.display(), aside = %aside.display(), why, "the catalogue is made anew");
        if let Err(error) = std::fs::rename(&self.dir, &aside) {
            tracing::error!(%error, "the catalogue could not be moved aside");
            return None;
        }
        self.open_trees().inspect_err(|error| tracing::error!(%error, "no catalogue can be made")).ok()
    }

    /// Does something with the catalogue; if that fails, once more with a new one.
    fn with<T>(&self, work: impl Fn(&Trees) -> sled::Result<T>) -> Result<T, CursorError> {
        let mut held = self.trees();
        let mut why = String::from("it is closed");
        for _ in 0..2 {
            let Some(trees) = held.clone() else { break };
            match catch_unwind(AssertUnwindSafe(|| work(&trees))) {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => why = "sled panicked over it".into(),
            }
            *held = None;
            drop(trees);
            *held = self.open_anew(&why);
        }
        Err(CursorError::Catalogue { dir: self.dir.clone(), reason: why })
    }
}

fn is_locked(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::WouldBlock || error.to_string().contains("could not acquire lock")
}

fn encode((log, position, leaf): &Anchor) -> Vec<u8> {
    let mut out = Vec::with_capacity(60);
    out.extend_from_slice(log);
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(leaf);
    let checksum = crc32c::crc32c(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

fn decode(value: &[u8]) -> Option<Anchor> {
    let (fields, checksum) = value.split_last_chunk::<4>()?;
    if crc32c::crc32c(fields) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let mut input = Input(fields);
    let anchor = (input.array()?, input.u64()?, input.array()?);
    input.0.is_empty().then_some(anchor)
}
