//! Copies of the log, mending the log with one, and its archive.
//!
//! Not here: how both are done (`eventlog`).

use std::path::{Path, PathBuf};

use eventlog::ArchiveOrder;
use serde::Serialize;

use crate::{Audit, AuditError, Finding, Phase, Progress};

/// A copy that was made or brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// How far the copy goes.
    pub position: u64,
    /// Files that were copied.
    pub copied: u64,
    /// Files that were there already, and are sound.
    pub kept: u64,
    /// Signed heads the copy has.
    pub signed_heads: u64,
}

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mended {
    /// The last position behind which everything is sound.
    pub position: u64,
    /// Files that were looked at.
    pub segments: u64,
    /// What was mended.
    pub repaired: Vec<Repaired>,
    /// What the copy could not mend.
    pub unrepaired: Vec<Finding>,
}

/// A file that was mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// The file.
    pub file: String,
    /// What had been wrong.
    pub what: String,
    /// Its first position.
    pub first: u64,
    /// Its last position.
    pub last: u64,
    /// Where the damaged file is kept, if there was one.
    pub kept: Option<String>,
}

impl Audit {
    /// Copies the log to the folder `to`, or brings an older copy there up to date; another process may be writing it.
    ///
    /// # Errors
    /// When the log is damaged, there is another log or a newer copy in `to`, or a file can not be read or written.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Copied, AuditError> {
        let done = self.reader.backup(to, &mut |at| tell(progress, at))?;
        Ok(Copied {
            position: done.head.position,
            copied: done.copied,
            kept: done.kept,
            signed_heads: done.signed_heads,
        })
    }
}

/// Mends the log in `dir` with the copy in `from`. Nobody may be writing it.
///
/// # Errors
/// When the log is being written, the copy is of another log, or a file can not be read or written. What can not be
/// mended stands in the report.
pub fn repair(dir: &Path, from: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Mended, AuditError> {
    let done = eventlog::repair(dir, from, &mut |at| tell(progress, at))?;
    let repaired = done.repaired.into_iter().map(|one| Repaired {
        file: one.file.display().to_string(),
        what: one.what,
        first: *one.positions.start(),
        last: *one.positions.end(),
        kept: one.kept.map(|path| path.display().to_string()),
    });
    let unrepaired = done.unrepaired.into_iter().map(|one| Finding {
        position: one.position,
        place: Some(format!("{} at byte {}", one.file.display(), one.offset)),
        what: one.what,
    });
    Ok(Mended {
        position: done.head.position,
        segments: done.segments,
        repaired: repaired.collect(),
        unrepaired: unrepaired.collect(),
    })
}

/// What was archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// The files that were packed or moved.
    pub archived: Vec<Archived>,
    /// Files that were there already.
    pub kept: u64,
    /// Indexes that are missing; without them a file of the log is left where it is.
    pub without_index: Vec<String>,
}

/// A file that was archived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// The packed file.
    pub file: String,
    /// Its first position.
    pub first: u64,
    /// Its last position.
    pub last: u64,
    /// Bytes it took before.
    pub bytes: u64,
    /// Bytes it takes now.
    pub packed: u64,
}

/// Archives the files of the log in `dir` whose records are all below the position `before`, to the folder `to` or one
/// of the log's own; another process may be writing it.
///
/// # Errors
/// When a file is damaged, the log is being archived or mended already, or a file can not be read or written.
pub fn archive(
    dir: &Path,
    before: u64,
    to: Option<PathBuf>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Archive, AuditError> {
    let done = eventlog::archive(dir, &ArchiveOrder { before, to }, &mut |at| tell(progress, at))?;
    let archived = done.archived.into_iter().map(|one| Archived {
        file: one.file.display().to_string(),
        first: *one.positions.start(),
        last: *one.positions.end(),
        bytes: one.bytes,
        packed: one.packed,
    });
    let without_index = done.without_index.iter().map(|path| path.display().to_string());
    Ok(Archive { archived: archived.collect(), kept: done.kept, without_index: without_index.collect() })
}

fn tell(progress: &mut dyn FnMut(Progress), at: eventlog::Progress) {
    progress(Progress { phase: Phase::Log, position: at.position, until: at.until });
}
