//! One stay: open or closed, and the place it has or last had.
//!
//! Not here: who is in a bed (`bed`), how many are in a reported row (`reported`).

use crate::{BedRef, LocationId, ReferralId, Timestamp};
use serde::{Deserialize, Serialize};

use super::CareCode;

/// A place by its name: whatever bed or row has that name counts as it, also a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// One stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stay {
    /// The place it has, or last had.
    pub(super) spot: Spot,
    /// Whether it has that place now; never when closed.
    pub(super) there: bool,
    /// Whether it could end and waits for something; never when closed.
    pub(super) waits: bool,
    /// The last referral that an admission of it named.
    pub(super) referral: Option<ReferralId>,
    /// The `time` of its discharge, if it is closed.
    pub(super) closed: Option<Timestamp>,
}

impl Stay {
    pub(super) fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The place it has now.
    pub(super) fn place(&self) -> Option<&Spot> {
        self.there.then_some(&self.spot)
    }
}
