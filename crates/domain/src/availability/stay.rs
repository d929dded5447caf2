//! Stays: those that are open, each with the place it has or last had, and what is kept of those that closed.
//!
//! Not here: who is in a bed (`bed`), how many are in a reported row (`reported`).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::{BedRef, LocationId, ReferralId, StayId, Timestamp};
use serde::{Deserialize, Serialize};

use super::CareCode;

/// A place by its name: whatever bed or row has that name counts as it, also a new one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Spot {
    /// A bed.
    Bed(BedRef),
    /// A reported row.
    Row(LocationId, CareCode),
}

impl Spot {
    pub(super) fn location(&self) -> &LocationId {
        match self {
            Self::Bed(bed) => &bed.location,
            Self::Row(location, _) => location,
        }
    }
}

/// One stay that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stay {
    /// The place it has, or last had.
    pub(super) spot: Spot,
    /// Whether it has that place now.
    pub(super) there: bool,
    /// Whether it could end and waits for something.
    pub(super) waits: bool,
    /// The last referral that an admission of it named.
    pub(super) referral: Option<ReferralId>,
}

impl Stay {
    /// The place it has now.
    pub(super) fn place(&self) -> Option<&Spot> {
        self.there.then_some(&self.spot)
    }
}

/// What is kept of a stay that closed: all that a later event may ask for. There is no end of when one may: a stay can be
/// admitted again after years, and a cancelled discharge says itself when it was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Closed {
    /// The place it last had, by its number.
    place: u32,
    /// The last referral that an admission of it named.
    referral: Option<ReferralId>,
    /// The `time` of its discharge.
    at: Timestamp,
}

/// The stays that closed: many more than those that are open, so each takes as little as can be. Places are numbered, because
/// there are as many as beds, and a stay that names its place would keep its own copy of two names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClosedStays {
    places: Vec<Spot>,
    numbers: BTreeMap<Spot, u32>,
    stays: BTreeMap<StayId, Closed>,
}

impl ClosedStays {
    /// The place a stay last had.
    pub(super) fn spot(&self, stay: StayId) -> Option<&Spot> {
        let closed = self.stays.get(&stay)?;
        self.places.get(usize::try_from(closed.place).ok()?)
    }

    /// The last referral that an admission of it named.
    pub(super) fn referral(&self, stay: StayId) -> Option<ReferralId> {
        self.stays.get(&stay)?.referral
    }

    /// The `time` of its discharge.
    pub(super) fn closed_at(&self, stay: StayId) -> Option<Timestamp> {
        Some(self.stays.get(&stay)?.at)
    }

    /// An open stay closes.
    pub(super) fn close(&mut self, id: StayId, stay: Stay, at: Timestamp) {
        let Stay { spot, referral, .. } = stay;
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let place = *self.numbers.entry(spot).or_insert_with_key(|spot| {
            self.places.push(spot.clone());
            next
        });
        self.stays.insert(id, Closed { place, referral, at });
    }

    /// A stay is closed no longer: as it was when it closed, without its place.
    pub(super) fn reopen(&mut self, id: StayId) -> Option<Stay> {
        let spot = self.spot(id)?.clone();
        let closed = self.stays.remove(&id)?;
        Some(Stay { spot, there: false, waits: false, referral: closed.referral })
    }
}
