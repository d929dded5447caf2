//! What may be alerted of, and an alert as others are told of it.
//!
//! Not here: who wants to know (`network`, `gateway`), when it is so (the fold in `alerts`).

use domain::{LocationId, ReferralId, RegionId, Timestamp};

use crate::CareCode;

/// What of a region somebody wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Fewer places of a care type can be offered than this, over the whole region. Holds from the first row of that
    /// type in the region on.
    OfferableBelow {
        /// The care type.
        care_type: CareCode,
        /// This many are enough.
        below: u32,
    },
    /// A crisis referral has waited so long for a place; each referral by itself.
    CrisisUnplaced {
        /// How long, in minutes.
        minutes: u32,
    },
    /// Nothing was heard of a location for so long; each location by itself.
    LocationSilent {
        /// How long, in hours.
        hours: u32,
    },
    /// Nothing was heard of any location of the region for so long.
    RegionSilent {
        /// How long, in hours.
        hours: u32,
    },
}

/// A condition of one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// The region.
    pub region: RegionId,
    /// The condition.
    pub condition: Condition,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The region of its rule.
    Region,
    /// One location of it.
    Location(LocationId),
    /// One referral that the desk of it has in hand.
    Referral(ReferralId),
}

/// One thing that is so or is not so. Together with the moment it was raised it names one occurrence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alert {
    /// By which rule.
    pub rule: Rule,
    /// About what.
    pub about: About,
}

/// What was seen when an alert was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// So many places could be offered.
    Offerable(u32),
    /// The referral waits for a place since then.
    WaitsSince(Timestamp),
    /// The last that was heard was recorded then.
    LastWord(Timestamp),
}

/// An alert was raised, or one that was is so no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertChange {
    /// Which.
    pub alert: Alert,
    /// When it was raised: when the event was recorded that made it so, or the moment at which it was due.
    pub raised_at: Timestamp,
    /// Raised or cleared.
    pub step: AlertStep,
}

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertStep {
    /// It is so.
    Raised {
        /// What was seen.
        because: Because,
    },
    /// It is so no longer.
    Cleared {
        /// When the event was recorded that ended it.
        at: Timestamp,
        /// The position of that event.
        position: u64,
        /// The type of that event, such as `hold.granted`.
        by: &'static str,
    },
}

impl AlertChange {
    /// When it was raised or cleared.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self.step {
            AlertStep::Raised { .. } => self.raised_at,
            AlertStep::Cleared { at, .. } => at,
        }
    }
}
