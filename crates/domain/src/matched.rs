//! The list of places for a referral as it was shown, with every reason: the data of `referral.matched`.
//!
//! Everything its sentences need is in it, so that "why this one and not that one" is answered from the log alone.
//! Not here: how the list comes about (`matching`).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{BedId, CareType, ExclusionCode, Feature, Label, LocationId, ReferralId, RegionId, Timestamp};

/// What each part of a score is worth against the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// The place is what is needed, and no scarcer than that.
    pub fit: u32,
    /// It is near.
    pub distance: u32,
    /// It is where the person wants to be.
    pub wish: u32,
    /// What the location shows proved to be so.
    pub truth: u32,
    /// It is not always the same house.
    pub spread: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { fit: 30, distance: 30, wish: 15, truth: 15, spread: 10 }
    }
}

/// The parts of a score, each 0 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// See [`Weights::fit`].
    pub fit: u32,
    /// See [`Weights::distance`].
    pub distance: u32,
    /// See [`Weights::wish`].
    pub wish: u32,
    /// See [`Weights::truth`].
    pub truth: u32,
    /// See [`Weights::spread`].
    pub spread: u32,
}

/// A location that can take somebody at the moment, best first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The location.
    pub location: LocationId,
    /// What it would be.
    pub care_type: CareType,
    /// The bed that fits best, where it keeps bed records.
    pub bed: Option<BedId>,
    /// The parts weighed together, 0 to 100.
    pub score: u32,
    /// What the score is made of.
    pub parts: Parts,
    /// How far, in minutes by car; `None` if one of the two areas is not known.
    pub minutes: Option<u32>,
    /// The bed is meant for this kind of care first.
    pub primary: bool,
    /// What the bed offers and nobody asked for.
    pub spare: Vec<Feature>,
    /// Its last answers that count,
    pub answers: u32,
    /// and how many of them bore out what the board showed.
    pub answers_true: u32,
    /// Who came there in the last days, or is expected.
    pub recent: u32,
    /// It was asked for this referral before and did not answer.
    pub unanswered: bool,
}

/// Why a location is not among the candidates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Why.
    pub code: ExclusionCode,
    /// About what: a feature, a number, a moment, a code; by the code.
    pub about: Option<Label>,
}

/// A location that cannot take somebody at the moment, with every reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// The location.
    pub location: LocationId,
    /// Why not; never empty.
    pub reasons: Vec<Exclusion>,
}

/// The list for one referral and moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// For whom.
    pub referral: ReferralId,
    /// Up to which position of the log it was made.
    pub at_position: u64,
    /// For when a place was looked for.
    pub moment: Timestamp,
    /// What kind of care.
    pub care_type: CareType,
    /// The regions that were looked in.
    pub regions: Vec<RegionId>,
    /// Where the person wants to be, the dearest first.
    pub wished: Vec<LocationId>,
    /// What the parts were worth.
    pub weights: Weights,
    /// Who can, the best first.
    pub candidates: Vec<Candidate>,
    /// Who cannot, the nearest first.
    pub excluded: Vec<Excluded>,
    /// Locations that were looked at and are not kept here: the last of both lists, when the list was too long.
    pub left_off: u32,
}
