//! The board as it was at a moment.
//!
//! Not here: what it counts (`views`), and the live board of a running node (`projector`, `portal`).

use domain::Timestamp;
use serde::{Serialize, Serializer};
use views::{Availability, Row};

use crate::{Audit, AuditError, Moment};

/// What was known at a moment.
#[derive(Clone, Debug)]
pub struct AsOf {
    /// Up to and including this position of the log.
    pub position: u64,
    /// When that position was recorded; the Unix epoch for position 0.
    pub recorded_at: Timestamp,
    /// The log folded up to there.
    pub view: Availability,
}

/// The board at one position, in the form of `board --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Board {
    /// Up to and including this position of the log.
    pub position: u64,
    /// When that position was recorded; the Unix epoch for position 0.
    #[serde(serialize_with = "as_text")]
    pub recorded_at: Timestamp,
    /// Contradictions so far.
    pub contradictions: u64,
    /// The rows, sorted by region, location and care type; rows with only zeros are left out.
    pub rows: Vec<Row>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn as_text<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

impl AsOf {
    /// The board of that moment.
    #[must_use]
    pub fn board(&self) -> Board {
        let Self { position, recorded_at, view } = self;
        let (contradictions, rows) = (view.contradictions(), view.rows().collect());
        Board { position: *position, recorded_at: *recorded_at, contradictions, rows }
    }
}

impl Audit {
    /// What was known at a moment: the log folded from its beginning up to there.
    ///
    /// # Errors
    /// When the moment is a position beyond the head, or the log cannot be read.
    pub fn as_of(&self, moment: Moment) -> Result<AsOf, AuditError> {
        let position = self.position_at(moment)?;
        let view = projector::as_of(&self.reader, position)
            .map_err(|source| AuditError::Fold { position, source })?;
        let record = self.reader.record(position)?;
        let recorded_at =
            record.map_or(Timestamp::default(), |record| Timestamp::from_micros(record.recorded_at));
        Ok(AsOf { position, recorded_at, view })
    }
}
