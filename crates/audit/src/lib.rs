//! Verify, replay and as-of: what an auditor asks of a log, which is opened read-only and never written.
//!
//! Lives here: checking that the log holds what it says, writing recorded events out as they came, and the board as
//! it was at a moment. Not here: how records lie on disk (`eventlog`), what the board counts (`views`), tables for
//! people (`doorstroom`).

mod board;
mod copies;
mod error;
mod moment;
mod proofs;
mod quarantine;
mod replay;
mod verify;

use std::path::Path;

use eventlog::{Head, LogReader};

pub use board::{AsOf, Board};
pub use copies::{Archive, Archived, Copied, Mended, Repaired, archive, repair};
pub use error::AuditError;
pub use moment::{Moment, MomentError};
pub use proofs::{GoodSignature, HeadLine, Proven, check, read_head, read_key};
pub use quarantine::{Act as KeptAct, Kept, State as KeptState};
pub use replay::{Filter, Line, type_name};
pub use verify::{FINDINGS_KEPT_MAX, Finding, Phase, Progress, Report};

/// A log under audit. What is recorded after it was opened is not looked at until [`Audit::refresh`].
#[derive(Clone, Debug)]
pub struct Audit {
    reader: LogReader,
}

impl Audit {
    /// Opens the log in the folder `dir` for reading; another process may be writing it.
    ///
    /// # Errors
    /// When there is no log, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, AuditError> {
        Ok(Self { reader: LogReader::open(dir)? })
    }

    /// The audit of a log that is already open.
    #[must_use]
    pub fn of(reader: LogReader) -> Self {
        Self { reader }
    }

    /// How far the log was durable when it was last looked at.
    #[must_use]
    pub fn head(&self) -> Head {
        self.reader.head()
    }

    /// Looks again how far the log is durable.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn refresh(&self) -> Result<Head, AuditError> {
        Ok(self.reader.refresh()?)
    }

    /// The position a moment stands for: the last one recorded at or before it.
    ///
    /// # Errors
    /// When a position beyond the head is asked for, or the log cannot be read.
    pub fn position_at(&self, moment: Moment) -> Result<u64, AuditError> {
        let head = self.head().position;
        match moment {
            Moment::Head => Ok(head),
            Moment::Position(position) if position > head => Err(AuditError::BeyondHead { position, head }),
            Moment::Position(position) => Ok(position),
            Moment::Time(time) => Ok(self.reader.at_time(time.as_micros())?),
        }
    }
}
