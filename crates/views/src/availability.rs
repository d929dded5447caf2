//! The board as a view. Its fold is the event contract's, so it lives with the rules (`domain::availability`).

use alloc::vec::Vec;

use domain::availability::{Availability, RowKey};
use domain::{Recorded, Timestamp};

use crate::View;

impl View for Availability {
    const NAME: &'static str = "availability";
    const VERSION: u32 = 4;
    type Change = RowKey;

    fn project(&mut self, recorded: &Recorded, changes: &mut Vec<RowKey>) {
        Availability::project(self, recorded, changes);
    }

    fn pass(&mut self, position: u64, recorded_at: Timestamp) {
        Availability::pass(self, position, recorded_at);
    }
}
