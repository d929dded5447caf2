//! The decision receipt: the list as it was shown, kept with the offers, and shown again from the log alone.
//!
//! Not here: the sentences (`words`), the act it is given with (`desk`).

use super::{Wanted, matching};
use crate::desk::State;
use crate::{Candidate, Event, Excluded, Exclusion, Fact, Matched, ReferralId};

/// A receipt is made no larger than this, as estimated: an event may have 64 KiB, and one list should not need them all.
pub const RECEIPT_BYTES_MAX: usize = 40 * 1024;

/// What a candidate is about beside its names and features.
const CANDIDATE_BYTES: usize = 260;
/// What a location that is excluded is about beside its name and reasons.
const EXCLUDED_BYTES: usize = 40;
/// What a reason is about.
const REASON_BYTES: usize = 55;

impl Matched {
    /// The list as it is kept: what is too much for one event is left off from the end, the excluded first, and counted.
    #[must_use]
    pub fn kept(mut self) -> Self {
        let mut bytes = 0_usize;
        let mut fits = |size: usize| {
            bytes = bytes.saturating_add(size);
            bytes <= RECEIPT_BYTES_MAX
        };
        let all = self.candidates.len().saturating_add(self.excluded.len());
        let candidates = self.candidates.iter().take_while(|one| fits(candidate_bytes(one))).count();
        let excluded = self.excluded.iter().take_while(|one| fits(excluded_bytes(one))).count();
        self.candidates.truncate(candidates);
        self.excluded.truncate(excluded);
        let left_off = all.saturating_sub(candidates).saturating_sub(excluded);
        let left_off = u32::try_from(left_off).unwrap_or(u32::MAX);
        self.left_off = self.left_off.saturating_add(left_off);
        self
    }
}

fn candidate_bytes(one: &Candidate) -> usize {
    let spare = one.spare.iter().map(|feature| feature.raw().len().saturating_add(3)).sum::<usize>();
    CANDIDATE_BYTES.saturating_add(one.location.as_str().len()).saturating_add(spare)
}

fn excluded_bytes(one: &Excluded) -> usize {
    let reason = |reason: &Exclusion| {
        REASON_BYTES.saturating_add(reason.about.as_ref().map_or(0, |about| about.as_str().len()))
    };
    let reasons = one.reasons.iter().map(reason).sum::<usize>();
    EXCLUDED_BYTES.saturating_add(one.location.as_str().len()).saturating_add(reasons)
}

/// The receipts of a referral, oldest first, from the events of the log.
pub fn receipt_of<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    referral: ReferralId,
) -> impl Iterator<Item = &'a Matched> {
    events.into_iter().filter_map(move |event| {
        let Fact::ReferralMatched(matched) = &event.fact else { return None };
        (matched.referral == referral).then_some(matched)
    })
}

/// The list made anew from the state at the position of a receipt: the same, if nobody made it up. `None` if that state does
/// not know the referral.
#[must_use]
pub fn again(state: &State, receipt: &Matched) -> Option<Matched> {
    let known = state.referrals.get(&receipt.referral)?;
    let wanted = Wanted {
        profile: known.profile.clone(),
        care_type: receipt.care_type.clone(),
        moment: receipt.moment,
        regions: receipt.regions.clone(),
        wished: receipt.wished.clone(),
        weights: receipt.weights,
    };
    Some(matching(state, &wanted).kept())
}
