//! A reported row: a location's own count of one care type, carried on by what happened since.
//!
//! Counts are held at 0 and above, as the contract says; each step says whether it had to be held there where
//! the contract calls that a contradiction. Not here: which event takes which step (`fold`).

use alloc::collections::{BTreeMap, BTreeSet};

use crate::{ReferralId, ReportedCount, StayId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Counts;
use super::row::Mark;

/// The reported count of one care type at one location.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReportedRow {
    physical: u32,
    occupied: u32,
    not_ready: u32,
    closed: u32,
    offerable: u32,
    /// Stays on the row that wait, so that showing the row needs no search.
    waiting: u32,
    /// Open holds, each until a moment that somebody else watches over. Their number is `held`.
    pub(super) holds: BTreeMap<ReferralId, Timestamp>,
    /// Stays on the row. A report neither ends nor begins one, so their number need not be `occupied`.
    pub(super) stays: BTreeSet<StayId>,
    /// The last event that changed a count.
    pub(super) changed: Mark,
}

/// What a report made of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reported {
    /// A count had to be held in range.
    pub(super) out_of_range: bool,
    /// The parts are more than the physical beds.
    pub(super) exceeds: bool,
}

impl ReportedRow {
    pub(super) fn counts(&self) -> Counts {
        Counts {
            physical: self.physical,
            occupied: self.occupied,
            held: u32::try_from(self.holds.len()).unwrap_or(u32::MAX),
            not_ready: self.not_ready,
            closed: self.closed,
            offerable: self.offerable,
            waiting: self.waiting,
            ..Counts::default()
        }
    }

    /// Takes over what was reported; whatever is neither occupied, held nor offerable is closed.
    pub(super) fn report(&mut self, count: &ReportedCount) -> Reported {
        let (physical, physical_held) = in_range(count.physical);
        let (occupied, occupied_held) = in_range(count.occupied);
        let (offerable, offerable_held) = in_range(count.offerable);
        let held = i64::try_from(self.holds.len()).unwrap_or(i64::MAX);
        // Four values below 2^33 or a number of holds in memory: far from the ends of i64.
        let rest = [i64::from(occupied), held, i64::from(offerable)]
            .into_iter()
            .fold(i64::from(physical), i64::saturating_sub);
        self.physical = physical;
        self.occupied = occupied;
        self.offerable = offerable;
        self.not_ready = 0;
        self.closed = in_range(rest).0;
        Reported { out_of_range: physical_held || occupied_held || offerable_held, exceeds: rest < 0 }
    }

    /// Keeps one for a referral that has none here yet; `false` if nothing is offerable: then nothing happens.
    #[must_use]
    pub(super) fn grant(&mut self, referral: ReferralId, until: Timestamp) -> bool {
        let Some(offerable) = self.offerable.checked_sub(1) else { return false };
        self.offerable = offerable;
        self.holds.insert(referral, until);
        true
    }

    /// A hold ends and can be offered again; `false` if there was none.
    pub(super) fn release(&mut self, referral: ReferralId) -> bool {
        let open = self.holds.remove(&referral).is_some();
        if open {
            self.offerable = self.offerable.saturating_add(1);
        }
        open
    }

    /// A stay comes in on the hold of its referral (which ends) or on what is offerable. `false` if there was neither.
    #[must_use]
    pub(super) fn admit(&mut self, stay: StayId, waits: bool, held_for: Option<ReferralId>) -> bool {
        let on_hold = held_for.is_some_and(|referral| self.holds.remove(&referral).is_some());
        let room = on_hold || self.take_offerable();
        self.enter(stay, waits);
        room
    }

    /// A cancelled discharge: the stay has its place again. `false` if there was none left to take.
    #[must_use]
    pub(super) fn readmit(&mut self, stay: StayId, waits: bool) -> bool {
        let room = match self.not_ready.checked_sub(1) {
            Some(not_ready) => {
                self.not_ready = not_ready;
                true
            }
            None => self.take_offerable(),
        };
        self.enter(stay, waits);
        room
    }

    /// A stay leaves; its place can be offered again at once, or is not ready.
    pub(super) fn leave(&mut self, stay: StayId, waits: bool, ready: bool) {
        self.stays.remove(&stay);
        self.occupied = self.occupied.saturating_sub(1);
        self.waiting = self.waiting.saturating_sub(u32::from(waits));
        let freed = if ready { &mut self.offerable } else { &mut self.not_ready };
        *freed = freed.saturating_add(1);
    }

    /// A stay of this row begins or ends to wait.
    pub(super) fn wait(&mut self, waits: bool) {
        self.waiting = if waits { self.waiting.saturating_add(1) } else { self.waiting.saturating_sub(1) };
    }

    fn enter(&mut self, stay: StayId, waits: bool) {
        self.stays.insert(stay);
        self.occupied = self.occupied.saturating_add(1);
        self.waiting = self.waiting.saturating_add(u32::from(waits));
    }

    fn take_offerable(&mut self) -> bool {
        let left = self.offerable.checked_sub(1);
        self.offerable = left.unwrap_or(0);
        left.is_some()
    }
}

/// The count held at 0 and at the top of the range, and whether it had to be.
fn in_range(count: i64) -> (u32, bool) {
    match u32::try_from(count) {
        Ok(count) => (count, false),
        Err(_) if count < 0 => (0, true),
        Err(_) => (u32::MAX, true),
    }
}
