//! What did not fit: events that say something the view holds to be otherwise. Recorded all the same.
//!
//! Not here: which event contradicts what (`fold`).

use alloc::collections::VecDeque;

use core::fmt;

use crate::{BedId, LocationId, RegionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::serde_text::{kind, moment};

/// Contradictions that are kept to be looked at; older ones are only counted. A desk that has thousands to solve
/// needs the latest, and memory must not grow with the mistakes of a source.
pub const CONTRADICTIONS_KEPT_MAX: usize = 10_000;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)+) => {
        /// Why an event does not fit what the view holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum ContradictionKind { $($(#[$doc])* $variant,)+ }

        impl ContradictionKind {
            /// The code, such as `unknown-bed`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

kinds! {
    /// Its source has said something newer about this bed.
    Late = "late",
    /// The location is not known.
    UnknownLocation = "unknown-location",
    /// The bed is not known.
    UnknownBed = "unknown-bed",
    /// The location never reported this care type.
    NeverReported = "never-reported",
    /// The stay is unknown or closed.
    StayNotOpen = "stay-not-open",
    /// The stay is unknown or open, so that no discharge can be cancelled.
    StayNotClosed = "stay-not-closed",
    /// The discharge that is cancelled was logged more than 30 days before.
    CancelledTooLate = "cancelled-too-late",
    /// A bed at a location that reports counts.
    BedAtReportingLocation = "bed-at-reporting-location",
    /// Counts from a location that keeps bed records.
    CountsBesideBeds = "counts-beside-beds",
    /// Reported counts below zero or beyond all measure.
    CountsOutOfRange = "counts-out-of-range",
    /// Reported parts, with the open holds, are more than the physical beds.
    CountsExceedPhysical = "counts-exceed-physical",
    /// The bed was there already.
    BedAddedTwice = "bed-added-twice",
    /// A bed was removed with somebody in it.
    RemovedOccupied = "removed-occupied",
    /// A bed was removed while kept for a referral.
    RemovedHeld = "removed-held",
    /// A bed was freed with somebody in it.
    FreedOccupied = "freed-occupied",
    /// What is corrected is not the last word about the bed, not of this source, or of no kind that can be.
    NothingToCorrect = "nothing-to-correct",
    /// A hold on a bed that is neither free nor already kept for this referral.
    HoldOnTakenBed = "hold-on-taken-bed",
    /// No open hold to extend.
    NoHoldToExtend = "no-hold-to-extend",
    /// Nothing offerable is left in the reported row.
    NothingOfferable = "nothing-offerable",
    /// The stay was on another place.
    StayElsewhere = "stay-elsewhere",
    /// Somebody else was in the bed.
    BedOccupied = "bed-occupied",
    /// The bed was kept for another referral.
    HeldForAnother = "held-for-another",
    /// The discharge names another place than the stay's.
    DischargedElsewhere = "discharged-elsewhere",
    /// The place of a cancelled discharge can not be had again.
    PlaceTaken = "place-taken",
}

impl fmt::Display for ContradictionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// One contradiction, with the event that opened it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The event that opened it. One event may open several.
    pub position: u64,
    /// When that was recorded.
    #[serde(with = "moment")]
    pub recorded_at: Timestamp,
    /// What kind of event it was, such as `bed.freed`.
    #[serde(with = "kind")]
    pub kind: EventKind,
    /// The region of the location, or of the event if the location is not known.
    pub region: RegionId,
    /// The location it is about, if it is about one.
    pub location: Option<LocationId>,
    /// The bed it is about, if it is about one.
    pub bed: Option<BedId>,
    /// What does not fit.
    pub why: ContradictionKind,
}

// A name of its own: serde's derive takes a `&str` it sees for one that borrows from the input.
type EventKind = &'static str;

/// All contradictions counted, the newest kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contradictions {
    count: u64,
    kept: VecDeque<Contradiction>,
}

impl Contradictions {
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Contradiction> {
        self.kept.iter().rev()
    }

    pub(super) fn push(&mut self, contradiction: Contradiction) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() >= CONTRADICTIONS_KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(contradiction);
    }
}
