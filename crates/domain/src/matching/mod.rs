//! Matching for a moment: who can take somebody then, the best first, and why everybody else cannot.
//!
//! A pure function of the state and of what is wanted: the same list for the same position, whoever asks when.
//! What must be so is in `hard`, what is better or worse in `score`, where things are in `area`, what people read in
//! `words`. Not here: whether an offer may be sent (`desk`); a desk may ask a location that is excluded here.

mod area;
mod hard;
mod receipt;
mod score;
mod words;

use alloc::vec::Vec;

use crate::desk::State;
use crate::{
    Candidate, CareType, Excluded, LocationId, Matched, ReferralId, ReferralProfile, RegionId, Timestamp,
    Weights,
};

pub(crate) use hard::judge;
pub use receipt::{RECEIPT_BYTES_MAX, again, receipt_of};

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What is known of the person.
    pub profile: ReferralProfile,
    /// What kind of care.
    pub care_type: CareType,
    /// When the person comes.
    pub moment: Timestamp,
    /// The regions to look in.
    pub regions: Vec<RegionId>,
    /// Where the person wants to be, the dearest first.
    pub wished: Vec<LocationId>,
    /// What each part of the score is worth.
    pub weights: Weights,
}

impl Wanted {
    /// What is looked for on behalf of a referral, in its own region: what the weighing came to, or else what was asked
    /// for; at the wished moment if it lies ahead; by the region's rules. `None` if the referral, or what it needs, is not known.
    #[must_use]
    pub fn of(state: &State, referral: ReferralId, now: Timestamp) -> Option<Self> {
        let known = state.referrals.get(&referral)?;
        let weighed = known.triage.as_ref().map(|triage| &triage.outcome);
        Some(Self {
            profile: known.profile.clone(),
            care_type: weighed.or(known.profile.care_type.as_ref())?.clone(),
            moment: known.profile.wished_at.map_or(now, |wished| wished.max(now)),
            regions: Vec::from([known.region.clone()]),
            wished: Vec::new(),
            weights: state.rules(&known.region).ranking,
        })
    }
}

/// Who can take somebody, the best first, and why everybody else in those regions cannot.
#[must_use]
pub fn matching(state: &State, wanted: &Wanted) -> Matched {
    let (mut candidates, mut excluded) = (Vec::new(), Vec::new());
    for (index, region) in wanted.regions.iter().enumerate() {
        if wanted.regions.iter().take(index).any(|before| before == region) {
            continue;
        }
        for location in state.board.located(region) {
            let minutes = minutes(state, wanted, location);
            match hard::judge(state, wanted, location) {
                Ok(place) => candidates.push(score::candidate(state, wanted, location, place, minutes)),
                Err(reasons) => excluded.push((minutes, Excluded { location: location.clone(), reasons })),
            }
        }
    }
    score::rank(&mut candidates, &wanted.weights);
    // Who is near and cannot is asked about more often than who is far; nobody knows how far is far.
    excluded.sort_by_key(|(minutes, one)| (minutes.unwrap_or(u32::MAX), one.location.clone()));
    Matched {
        referral: wanted.profile.referral,
        at_position: state.board.position(),
        moment: wanted.moment,
        care_type: wanted.care_type.clone(),
        regions: wanted.regions.clone(),
        wished: wanted.wished.clone(),
        weights: wanted.weights,
        candidates,
        excluded: excluded.into_iter().map(|(_, one)| one).collect(),
        left_off: 0,
    }
}

fn minutes(state: &State, wanted: &Wanted, location: &LocationId) -> Option<u32> {
    let from = wanted.profile.area.as_ref()?;
    area::minutes(from.as_str(), state.board.postcode(location)?.as_str())
}

impl Matched {
    /// The people who came lately to all of its candidates together.
    #[must_use]
    pub fn recent(&self) -> u32 {
        recent(&self.candidates)
    }
}

fn recent(candidates: &[Candidate]) -> u32 {
    candidates.iter().map(|candidate| candidate.recent).fold(0, u32::saturating_add)
}
