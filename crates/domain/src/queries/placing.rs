//! Whether a referral has a place: one rule for every list and count of those who wait.
//!
//! A promise alone is no place yet: nothing is kept for it, and somebody chooses. One that is given through the desk keeps
//! its place at once; one that came over the bus may not. Not here: what is to be done about it (`worklist`).

use crate::availability::Taken;
use crate::desk::{Hold, Offer, Referral, State};
use crate::{BedRef, RegionId, Urgency};

/// How far the search for a place is, of a referral that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// Nothing is kept for it, and nobody promised anything.
    Seeking,
    /// A place was promised, and none is kept.
    Promised,
    /// The board keeps a place for it.
    Kept,
}

impl Placing {
    /// How far it is; `None` if it is over.
    #[must_use]
    pub fn of(state: &State, referral: &Referral) -> Option<Self> {
        if referral.end.is_some() {
            return None;
        }
        let promised = referral.offers.values().any(|offer: &Offer| offer.promise().is_some());
        Some(match (state.board.is_held_for(referral.id()), promised) {
            (true, _) => Self::Kept,
            (false, true) => Self::Promised,
            (false, false) => Self::Seeking,
        })
    }

    /// Nothing is kept: whoever it is waits for a place.
    #[must_use]
    pub const fn waits(self) -> bool {
        match self {
            Self::Seeking | Self::Promised => true,
            Self::Kept => false,
        }
    }
}

/// Why a place that is kept may not be had after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The board keeps it no longer: the bed is gone, or somebody else's.
    Gone,
    /// The bed is out of use.
    Closed,
    /// Admissions are stopped where it is. Who was promised a place before may come all the same.
    Stopped,
}

impl Doubt {
    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Closed => "closed",
            Self::Stopped => "stopped",
        }
    }

    /// What became of a place after it was promised; `None` if nothing speaks against it.
    #[must_use]
    pub fn of(state: &State, referral: &Referral, hold: &Hold) -> Option<Self> {
        let (board, place) = (&state.board, &hold.place);
        let (kept, closed, stopped) = if let Some(bed) = &place.bed {
            let bed = BedRef { location: place.location.clone(), bed: bed.clone() };
            let Some(bed) = board.bed_state(&bed) else { return Some(Self::Gone) };
            (bed.taken == Taken::For(referral.id()), bed.closed, bed.stopped)
        } else {
            let row = board.row_state(&place.location, &place.care_type, referral.id());
            (row.is_some_and(|row| row.held), false, board.is_stopped(&place.location))
        };
        match (kept, closed, stopped) {
            (false, ..) => Some(Self::Gone),
            (true, true, _) => Some(Self::Closed),
            (true, false, true) => Some(Self::Stopped),
            (true, false, false) => None,
        }
    }
}

/// The crisis referrals of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crises {
    /// Those that are not over.
    pub open: usize,
    /// Of these, those without a place.
    pub waiting: usize,
    /// Of the waiting, those to whom a place was promised.
    pub promised: usize,
}

/// How many crisis referrals a desk has, and how many of them wait for a place.
#[must_use]
pub fn crises(state: &State, region: &RegionId) -> Crises {
    let of_region = state.referrals.values().filter(|referral| referral.region == *region);
    let of_crisis = of_region.filter(|referral| referral.profile.urgency == Urgency::Crisis);
    of_crisis.filter_map(|referral| Placing::of(state, referral)).fold(
        Crises::default(),
        |counted, placing| Crises {
            open: counted.open.saturating_add(1),
            waiting: counted.waiting.saturating_add(usize::from(placing.waits())),
            promised: counted.promised.saturating_add(usize::from(placing == Placing::Promised)),
        },
    )
}
