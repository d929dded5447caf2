//! What can go wrong, with the place in the words of an operator.
//!
//! Not here: what recovery found and mended (`recover::RecoveryReport`).

use std::{io, path::PathBuf, sync::Arc};

use crate::{Key, TreeHead};

/// Why a batch was not appended. Nothing of it is in the log, except after [`AppendError::Stopped`]: then it may be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// A key is already recorded with other content.
    #[error(
        "record {index} of the batch has key {key}, which position {position} holds with other content; nothing was appended"
    )]
    Conflict {
        /// Which record of the batch, from 0.
        index: usize,
        /// The key.
        key: Key,
        /// Where the other content is. For a clash within one batch: where the first one would have come.
        position: u64,
    },
    /// Something the condition excludes was recorded.
    #[error(
        "the condition fails: position {position} matches it; nothing was appended, read on from there and decide again"
    )]
    ConditionFailed {
        /// The first matching position.
        position: u64,
    },
    /// A batch without records.
    #[error("the batch has no records; append at least one")]
    Empty,
    /// A limit is exceeded.
    #[error("too large: {found} {what}{}, at most {max} are taken; nothing was appended", at(*index))]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// Which record of the batch, from 0, if it is about one.
        index: Option<usize>,
        /// How much there is.
        found: usize,
        /// How much is taken.
        max: usize,
    },
    /// Writing failed before, or just now: the log takes nothing more until it is opened again.
    #[error(
        "the log has stopped writing: {reason}; whether this batch is recorded is known after the log is opened again"
    )]
    Stopped {
        /// What failed.
        reason: Arc<str>,
    },
    /// An earlier record had to be looked at to decide and could not be read.
    #[error("an earlier record could not be read to decide about this batch; nothing was appended")]
    Unreadable(#[source] ReadError),
    /// The log was closed.
    #[error("the log is closed; nothing was appended")]
    Closed,
}

fn at(index: Option<usize>) -> String {
    index.map_or_else(String::new, |index| format!(" (record {index} of the batch)"))
}

/// Why something could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The bytes on disk are not what was written.
    #[error("damage in {} at byte {offset}: {what}; restore this file from a copy", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in the file the damaged frame or header begins, in bytes.
        offset: u64,
        /// What does not fit.
        what: String,
    },
    /// The disk did not give the bytes.
    #[error("{} can not be read at byte {offset}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Where in the file, in bytes.
        offset: u64,
        /// The answer of the system.
        #[source]
        source: Arc<io::Error>,
    },
    /// A query with more items than are looked up at once.
    #[error("the query has {found} items, at most {max} are looked up at once; split it")]
    TooManyItems {
        /// Items in the query.
        found: usize,
        /// Items taken.
        max: usize,
    },
    /// The log was closed; everything recorded before has been read.
    #[error("the log is closed; there is nothing more to come")]
    Closed,
}

/// Why the log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes here.
    #[error("{} is being written by {holder}; stop it first, or open the log for reading only", dir.display())]
    Locked {
        /// The folder of the log.
        dir: PathBuf,
        /// The process that holds the lock, as it wrote itself down.
        holder: String,
    },
    /// Something recorded is damaged. Nothing was changed; reading the sound part still works.
    #[error("the log is damaged and was not opened for writing; nothing was changed")]
    Damaged(#[source] ReadError),
    /// Recorded bytes that were on stable storage are missing.
    #[error(
        "{} ends at position {found}, but position {known} was on stable storage (by {witness}); \
         it was not opened for writing, nothing was changed; restore the newest copy",
        dir.display()
    )]
    Shortened {
        /// The folder of the log.
        dir: PathBuf,
        /// The last position found.
        found: u64,
        /// The last position known to have been recorded.
        known: u64,
        /// What knows it.
        witness: &'static str,
    },
    /// The log does not continue a head that was signed for it.
    #[error(
        "{} is a head signed for this log with {signed}, but what is recorded has {found}; it was not opened for \
         writing; restore a copy that has everything this head was signed over",
        file.display()
    )]
    Contradicted {
        /// The file with the signed head.
        file: PathBuf,
        /// The tree that was signed.
        signed: Box<TreeHead>,
        /// The tree of as many of the records as there are.
        found: Box<TreeHead>,
    },
    /// A setting is out of its range.
    #[error("{what} is {found}; it must be {min} to {max}")]
    Setting {
        /// The setting.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The least value.
        min: u64,
        /// The greatest value.
        max: u64,
    },
    /// There is no log to read.
    #[error("there is no log in {}; give the folder of one, or write something first", dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// The system refused something.
    #[error("{doing} failed for {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// The answer of the system.
        #[source]
        source: io::Error,
    },
}

impl From<ReadError> for OpenError {
    /// A disk that does not answer is no damage.
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io { file, source, .. } => {
                OpenError::Io { doing: "reading", path: file, source: io::Error::new(source.kind(), source) }
            }
            damage @ (ReadError::Damaged { .. } | ReadError::TooManyItems { .. } | ReadError::Closed) => {
                OpenError::Damaged(damage)
            }
        }
    }
}

/// Why a cursor could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The position is not in the log (yet): a cursor never leads the log.
    #[error("cursor {name} can not stand at position {position}: the log ends at {head}")]
    BeyondHead {
        /// The cursor.
        name: String,
        /// Where it was to stand.
        position: u64,
        /// The last position on stable storage.
        head: u64,
    },
    /// The record it is anchored to could not be read.
    #[error("the record a cursor is anchored to could not be read")]
    Unreadable(#[source] ReadError),
    /// The catalogue failed, and again after it was moved aside and made anew.
    #[error("the catalogue in {} failed, also after it was made anew: {reason}", dir.display())]
    Catalogue {
        /// The folder.
        dir: PathBuf,
        /// What it said.
        reason: String,
    },
}
