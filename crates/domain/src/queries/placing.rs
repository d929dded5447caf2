//! Whether a referral has a place: one rule for every list and count of those who wait.
//!
//! A promise alone is no place yet: nothing is kept for it, and somebody chooses. One that is given through the desk keeps
//! its place at once; one that came over the bus may not. Not here: what is to be done about it (`worklist`).

use crate::desk::{Offer, Referral, State};
use crate::{RegionId, Urgency};

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
