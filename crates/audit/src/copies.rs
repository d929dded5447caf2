//! Copies of the log, and mending the log with one.
//!
//! Not here: how both are done (`eventlog`).

use std::path::Path;

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

fn tell(progress: &mut dyn FnMut(Progress), at: eventlog::Progress) {
    progress(Progress { phase: Phase::Log, position: at.position, until: at.until });
}
