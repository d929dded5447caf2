//! What does not fit in the working process, with an owner and an age. Nothing is refused for it and nothing edited: a
//! later fact or a decision solves it.
//!
//! Not here: what does not fit on the board (`availability`).

use serde::{Deserialize, Serialize};

use crate::{LocationId, OfferId, ReferralId, RegionId, Timestamp};

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContradictionKind {
    /// The location says that it never gave the answer the desk recorded for it.
    AnswerContested,
    /// A place was promised for a referral that ended, or was placed elsewhere.
    PromisedTooLate,
    /// Somebody was admitted without the doctor's agreement that the region asks for.
    AdmittedWithoutAgreement,
    /// Somebody was admitted elsewhere than was chosen, or nothing was chosen.
    AdmittedElsewhere,
    /// Somebody was admitted whose referral had ended.
    AdmittedAfterEnd,
}

/// Who has to solve it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The desk of a region.
    Desk(RegionId),
    /// A location.
    Location(LocationId),
}

/// One that is open. Its age is the time since `since`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// What does not fit.
    pub kind: ContradictionKind,
    /// About whom.
    pub referral: ReferralId,
    /// About which offer, if it is about one.
    pub offer: Option<OfferId>,
    /// Who has to solve it.
    pub owner: Owner,
    /// Since when.
    pub since: Timestamp,
}
