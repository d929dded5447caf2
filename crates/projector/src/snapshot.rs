//! Snapshots of a view with their checkpoint, in sled, in one transaction.
//!
//! The store never leads: it may be deleted, torn, from another log or of another version. Whatever is odd is moved
//! aside (to `<folder>.aside`, where one such is kept) with a warning, and the view is folded from zero.
//! Not here: when a snapshot is taken (`run`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

use eventlog::LogReader;
use serde::{Deserialize, Serialize};
use sled::transaction::{ConflictableTransactionError, TransactionResult};
use views::View;

use crate::ProjectorError;

/// The layout of the store; another one is not read.
const FORMAT: u32 = 1;
/// Bytes of a snapshot in one value: sled keeps values of this size on a page of their own without trouble.
const CHUNK_BYTES_MAX: usize = 256 * 1024;
/// Memory that sled may take for its pages: snapshots are written and read through once.
const CACHE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Tries to open the store, [`OPEN_PAUSE`] apart: sled gives its lock back a moment after it was closed.
const OPEN_TRIES_MAX: u32 = 40;
const OPEN_PAUSE: Duration = Duration::from_millis(25);
const CHECKPOINT: &[u8] = b"checkpoint";

/// What a snapshot is of: which view, up to where in which log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Checkpoint {
    format: u32,
    view: String,
    version: u32,
    /// The leaf hash at position 1: which log.
    log: [u8; 32],
    position: u64,
    recorded_at: i64,
    /// The leaf hash at `position`: still the same history.
    leaf: [u8; 32],
    undecodable: u64,
    chunks: u32,
    bytes: u64,
    checksum: u32,
}

/// A view as it was kept.
#[derive(Debug)]
pub(crate) struct Kept<V> {
    pub(crate) view: V,
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) undecodable: u64,
}

/// The store of one view's snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    dir: PathBuf,
    /// `None` after it failed twice in a row: then this run goes on without.
    db: Option<sled::Db>,
}

impl Snapshots {
    /// Opens the store and reads what is kept for this log, if it is whole and fits.
    pub(crate) fn open<V: View>(
        dir: &Path,
        reader: &LogReader,
    ) -> Result<(Self, Option<Kept<V>>), ProjectorError> {
        let dir = dir.to_path_buf();
        let failed = |reason| ProjectorError::Snapshots { dir: dir.clone(), reason };
        // sled may panic on damaged files.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let db = open_db(&dir)?;
            let kept = load::<V>(&db, reader).map_err(Odd::Store)?;
            Ok((db, kept))
        }));
        match opened.unwrap_or_else(|_| Err(Odd::Store("the store panicked".to_owned()))) {
            Ok((db, kept)) => Ok((Self { dir, db: Some(db) }, kept)),
            Err(Odd::Locked) => Err(ProjectorError::InUse { dir }),
            Err(Odd::Store(reason)) => {
                let db = renew(&dir, &reason).map_err(failed)?;
                Ok((Self { dir, db: Some(db) }, None))
            }
        }
    }

    /// Keeps the view as it is at `position`. A store that fails is made anew once, then given up for this run:
    /// the next start folds more.
    pub(crate) fn save<V: View>(&mut self, view: &V, at: &Kept<()>, reader: &LogReader) {
        let Some(db) = &self.db else { return };
        let Err(reason) = save(db, view, at, reader) else { return };
        self.db = None;
        let saved = renew(&self.dir, &reason).and_then(|db| {
            save(&db, view, at, reader)?;
            Ok(db)
        });
        match saved {
            Ok(db) => self.db = Some(db),
            Err(reason) => {
                let dir = self.dir.display();
                tracing::error!(%dir, reason, "no snapshots are kept any more; the next start folds the log again");
            }
        }
    }
}

/// Why a store is not used.
enum Odd {
    Locked,
    Store(String),
}

fn open_db(dir: &Path) -> Result<sled::Db, Odd> {
    let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES_MAX).flush_every_ms(None);
    let mut tries = 0;
    loop {
        tries += 1;
        match config.open() {
            Ok(db) => return Ok(db),
            // sled has no kind for this.
            Err(error) if error.to_string().contains("could not acquire lock") => {
                if tries >= OPEN_TRIES_MAX {
                    return Err(Odd::Locked);
                }
                thread::sleep(OPEN_PAUSE);
            }
            Err(error) => return Err(Odd::Store(error.to_string())),
        }
    }
}

/// Moves the store aside and makes a new one.
fn renew(dir: &Path, reason: &str) -> Result<sled::Db, String> {
    let mut aside = dir.as_os_str().to_owned();
    aside.push(".aside");
    let aside = PathBuf::from(aside);
    tracing::warn!(
        dir = %dir.display(), aside = %aside.display(), reason,
        "snapshots are not usable and were moved aside; the view is folded from the log"
    );
    let moved = match fs::remove_dir_all(&aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => fs::rename(dir, &aside),
    };
    moved.map_err(|error| format!("{reason}; and it could not be moved aside: {error}"))?;
    open_db(dir).map_err(|odd| match odd {
        Odd::Locked => "the new one is in use".to_owned(),
        Odd::Store(reason) => reason,
    })
}

/// `Ok(None)`: nothing is kept. `Err`: what is kept is not to be used.
fn load<V: View>(db: &sled::Db, reader: &LogReader) -> Result<Option<Kept<V>>, String> {
    let Some(bytes) = db.get(CHECKPOINT).map_err(text)? else {
        return if db.is_empty() { Ok(None) } else { Err("a snapshot without its checkpoint".to_owned()) };
    };
    let checkpoint: Checkpoint = postcard::from_bytes(&bytes).map_err(text)?;
    if checkpoint.format != FORMAT || checkpoint.view != V::NAME || checkpoint.version != V::VERSION {
        let Checkpoint { format, view, version, .. } = checkpoint;
        return Err(format!("it is of format {format}, view {view}, version {version}"));
    }
    if (checkpoint.log, checkpoint.leaf) != anchor(reader, checkpoint.position)? {
        return Err(format!("it is of another log: position {} differs", checkpoint.position));
    }
    let mut snapshot = Vec::new();
    for index in 0..checkpoint.chunks {
        let chunk = db.get(chunk_key(index)).map_err(text)?.ok_or("a part of the snapshot is missing")?;
        snapshot.extend_from_slice(&chunk);
    }
    let whole = u64::try_from(snapshot.len()) == Ok(checkpoint.bytes);
    if !whole || crc32c::crc32c(&snapshot) != checkpoint.checksum {
        return Err("the snapshot is not what was written".to_owned());
    }
    let view = postcard::from_bytes(&snapshot).map_err(text)?;
    let Checkpoint { position, recorded_at, undecodable, .. } = checkpoint;
    Ok(Some(Kept { view, position, recorded_at, undecodable }))
}

fn save<V: View>(db: &sled::Db, view: &V, at: &Kept<()>, reader: &LogReader) -> Result<(), String> {
    let snapshot = postcard::to_stdvec(view).map_err(text)?;
    let (log, leaf) = anchor(reader, at.position)?;
    let chunks: Vec<&[u8]> = snapshot.chunks(CHUNK_BYTES_MAX).collect();
    let count = u32::try_from(chunks.len()).map_err(text)?;
    let checkpoint = Checkpoint {
        format: FORMAT,
        view: V::NAME.to_owned(),
        version: V::VERSION,
        log,
        position: at.position,
        recorded_at: at.recorded_at,
        leaf,
        undecodable: at.undecodable,
        chunks: count,
        bytes: u64::try_from(snapshot.len()).map_err(text)?,
        checksum: crc32c::crc32c(&snapshot),
    };
    let checkpoint = postcard::to_stdvec(&checkpoint).map_err(text)?;
    let surplus = db.range(chunk_key(count)..).keys().collect::<Result<Vec<_>, _>>().map_err(text)?;
    let written: TransactionResult<(), sled::Error> = db.transaction(|tx| {
        for (index, chunk) in (0..).zip(&chunks) {
            tx.insert(chunk_key(index).as_bytes(), *chunk)?;
        }
        for key in &surplus {
            tx.remove(key)?;
        }
        tx.insert(CHECKPOINT, &*checkpoint)?;
        Ok::<(), ConflictableTransactionError<sled::Error>>(())
    });
    written.map_err(text)?;
    // Not an fsync in this version of sled: a snapshot lost with the power is folded again.
    db.flush().map_err(text)?;
    Ok(())
}

/// The leaf hashes at the first position and at this one.
fn anchor(reader: &LogReader, position: u64) -> Result<([u8; 32], [u8; 32]), String> {
    let leaf = |position| {
        let record = reader.record(position).map_err(text)?;
        record.map(|record| record.leaf).ok_or_else(|| format!("the log has no position {position}"))
    };
    Ok((leaf(1)?, leaf(position)?))
}

/// Digits of fixed width keep the parts in order; `chunk` sorts after `checkpoint`.
fn chunk_key(index: u32) -> String {
    format!("chunk/{index:010}")
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
