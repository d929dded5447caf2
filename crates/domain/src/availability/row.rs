//! What the board shows: rows, their counts, sums over a region.
//!
//! Not here: how counts come about (`bed`, `reported`).

use crate::{LocationId, RegionId, SourceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::CareCode;
use crate::serde_text::moment;

/// Which row: ordered by region, location and care type, as the board is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowKey {
    /// The region of the location.
    pub region: RegionId,
    /// The location.
    pub location: LocationId,
    /// The care type.
    pub care_type: CareCode,
}

/// The counts of a row, in beds. In a bed row `physical` is the sum of the seven that follow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Beds that exist.
    pub physical: u32,
    /// With a stay.
    pub occupied: u32,
    /// Kept for a referral.
    pub held: u32,
    /// Being cleaned or contaminated.
    pub not_ready: u32,
    /// Out of use, or admissions stopped.
    pub closed: u32,
    /// Without staff.
    pub unstaffed: u32,
    /// Kept in reserve: to be asked for.
    pub reserve: u32,
    /// Can be offered now.
    pub offerable: u32,
    /// Offerable beds of another primary type that can take this one.
    pub also_offerable: u32,
    /// Occupied by a stay that could end and waits for something.
    pub waiting: u32,
}

impl Counts {
    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Each count of both together, held at the top of the range.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            physical: self.physical.saturating_add(other.physical),
            occupied: self.occupied.saturating_add(other.occupied),
            held: self.held.saturating_add(other.held),
            not_ready: self.not_ready.saturating_add(other.not_ready),
            closed: self.closed.saturating_add(other.closed),
            unstaffed: self.unstaffed.saturating_add(other.unstaffed),
            reserve: self.reserve.saturating_add(other.reserve),
            offerable: self.offerable.saturating_add(other.offerable),
            also_offerable: self.also_offerable.saturating_add(other.also_offerable),
            waiting: self.waiting.saturating_add(other.waiting),
        }
    }
}

/// Where the counts of a row come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Counted bed by bed.
    Beds,
    /// The location's own count, carried on by what happened since.
    Reported,
}

/// The last a location was heard of: its latest `location.*`, `bed.*` or `stay.*` event. Offers and holds are the
/// desk's word and do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastWord {
    /// When it was recorded.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// When it happened, as the source claims.
    #[serde(with = "moment")]
    pub occurred_at: Timestamp,
    /// Who said so.
    pub source: SourceId,
}

/// One row of the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The region of the location.
    pub region: RegionId,
    /// The location.
    pub location: LocationId,
    /// The care type.
    pub care_type: CareCode,
    /// See [`Counts::physical`].
    pub physical: u32,
    /// See [`Counts::occupied`].
    pub occupied: u32,
    /// See [`Counts::held`].
    pub held: u32,
    /// See [`Counts::not_ready`].
    pub not_ready: u32,
    /// See [`Counts::closed`].
    pub closed: u32,
    /// See [`Counts::unstaffed`].
    pub unstaffed: u32,
    /// See [`Counts::reserve`].
    pub reserve: u32,
    /// See [`Counts::offerable`].
    pub offerable: u32,
    /// See [`Counts::also_offerable`].
    pub also_offerable: u32,
    /// See [`Counts::waiting`].
    pub waiting: u32,
    /// Where the counts come from.
    pub basis: Basis,
    /// The last event that changed a count here or was a word of the location.
    pub position: u64,
    /// When that event was recorded.
    #[serde(with = "moment")]
    pub recorded_at: Timestamp,
    /// The last the location was heard of.
    pub last_word: LastWord,
}

impl Row {
    pub(super) fn new(
        key: RowKey,
        counts: &Counts,
        basis: Basis,
        changed: Mark,
        last_word: LastWord,
    ) -> Self {
        let RowKey { region, location, care_type } = key;
        Self {
            region,
            location,
            care_type,
            physical: counts.physical,
            occupied: counts.occupied,
            held: counts.held,
            not_ready: counts.not_ready,
            closed: counts.closed,
            unstaffed: counts.unstaffed,
            reserve: counts.reserve,
            offerable: counts.offerable,
            also_offerable: counts.also_offerable,
            waiting: counts.waiting,
            basis,
            position: changed.position,
            recorded_at: changed.recorded_at,
            last_word,
        }
    }

    /// Which row it is.
    #[must_use]
    pub fn key(&self) -> RowKey {
        RowKey { region: self.region.clone(), location: self.location.clone(), care_type: self.care_type }
    }

    /// Its counts alone, to add or to compare.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            physical: self.physical,
            occupied: self.occupied,
            held: self.held,
            not_ready: self.not_ready,
            closed: self.closed,
            unstaffed: self.unstaffed,
            reserve: self.reserve,
            offerable: self.offerable,
            also_offerable: self.also_offerable,
            waiting: self.waiting,
        }
    }
}

/// One care type over a whole region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// The region.
    pub region: RegionId,
    /// The care type.
    pub care_type: CareCode,
    /// Locations that have a row of this type.
    pub locations: u32,
    /// The counts of those rows together.
    #[serde(flatten)]
    pub counts: Counts,
    /// The newest position among those rows.
    pub position: u64,
    /// When that event was recorded.
    #[serde(with = "moment")]
    pub recorded_at: Timestamp,
}

/// A point in the log: which event, and when it was recorded. Ordered by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) position: u64,
    pub(super) recorded_at: Timestamp,
}
