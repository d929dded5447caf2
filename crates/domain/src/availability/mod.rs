//! Availability: which bed can be had where, as far as recorded; the fold of the event contract, exactly.
//!
//! Here: the state and its way in. `fold` says what each event does, `bed`, `reported`, `location` and `stay`
//! hold the state of one of each, `query` and `parts` answer, `row` and `contradiction` are what it answers with.
//! Not here: windows and intake limits (a view of admittable places), deadlines (the worklist).
//!
//! Invariants (held by the property tests): a bed counts once, so that a bed row's physical is the sum of its
//! parts; a stay is on at most one place and that place knows it; counts kept step by step equal a recount.

mod asked;
mod bed;
mod care_code;
mod contradiction;
mod fold;
mod location;
mod parts;
mod query;
mod reported;
mod row;
mod stay;
#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::{Event, LocationId, Recorded, ReferralId, RegionId, StayId, Timestamp};
use serde::{Deserialize, Serialize};

use contradiction::Contradictions;
use location::Location;
use row::Mark;
use stay::{ClosedStays, Spot, Stay};

pub use asked::{BedState, Giving, RowState, Taken};
pub use bed::Readiness;
pub use care_code::CareCode;
pub use contradiction::{CONTRADICTIONS_KEPT_MAX, Contradiction, ContradictionKind};
pub use parts::Part;
pub use query::{BedCard, CountsAs, LocationCard, Stop};
pub use row::{Basis, Counts, LastWord, Row, RowKey, Sum};

/// The board: rows per location and care type, and the contradictions found on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// The last event it has seen.
    position: u64,
    /// When that was recorded.
    recorded_at: Timestamp,
    /// Known locations.
    locations: BTreeMap<LocationId, Location>,
    /// The same locations by region, the order in which rows are given.
    regions: BTreeMap<RegionId, BTreeSet<LocationId>>,
    /// Stays that are open.
    stays: BTreeMap<StayId, Stay>,
    /// Stays that closed.
    closed: ClosedStays,
    /// Where each referral has an open hold, so that an admission need not search for them.
    holds: BTreeMap<ReferralId, Vec<Spot>>,
    /// What did not fit.
    contradictions: Contradictions,
}

impl Availability {
    /// Takes one more recorded event into account and adds to `changes` the rows that may look different now.
    pub fn project(&mut self, recorded: &Recorded, changes: &mut Vec<RowKey>) {
        self.pass(recorded.position, recorded.recorded_at);
        let mark = Mark { position: recorded.position, recorded_at: recorded.recorded_at };
        fold::step(self, &recorded.event, mark, changes);
    }

    /// Takes an event into account that may not be in the log yet: it counts as the next one, recorded when it was logged.
    pub(crate) fn evolve(&mut self, event: &Event) {
        self.pass(self.position.saturating_add(1), event.time);
        let mark = Mark { position: self.position, recorded_at: self.recorded_at };
        fold::step(self, event, mark, &mut Vec::new());
    }

    /// Moves on over a record that is no event: the board stands at its position, too.
    pub fn pass(&mut self, position: u64, recorded_at: Timestamp) {
        self.position = position;
        self.recorded_at = recorded_at;
    }
}
