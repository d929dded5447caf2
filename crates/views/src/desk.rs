//! What the desks decide on, kept as a view: so that a command does not read history first.
//!
//! Not here: the fold and the rules (`domain::desk`), forgetting what ended (there, too).

use alloc::vec::Vec;

use domain::desk::State;
use domain::{LocationId, Recorded, ReferralId, RegionId, StayId, Timestamp};

use crate::View;

/// What an event was about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeskChange {
    /// The desk of a region: duty, rule set, or anything of the others in it.
    Region(RegionId),
    /// A location, its beds and stays.
    Location(LocationId),
    /// A referral, its offers and holds.
    Referral(ReferralId),
    /// A stay.
    Stay(StayId),
}

impl View for State {
    const NAME: &'static str = "desk";
    const VERSION: u32 = 6;
    type Change = DeskChange;

    fn project(&mut self, recorded: &Recorded, changes: &mut Vec<DeskChange>) {
        let event = &recorded.event;
        changes.push(DeskChange::Region(event.region.clone()));
        changes.extend(event.fact.locations().cloned().map(DeskChange::Location));
        changes.extend(event.fact.referral().map(DeskChange::Referral));
        changes.extend(event.fact.stay().map(DeskChange::Stay));
        Self::project(self, recorded);
    }

    fn pass(&mut self, position: u64, recorded_at: Timestamp) {
        self.board.pass(position, recorded_at);
    }
}
