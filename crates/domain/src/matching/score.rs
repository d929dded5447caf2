//! What is better or worse among places that can be had. Whole numbers, so that it is the same everywhere.
//!
//! Not here: what must be so (`hard`), the sentences (`words`).

use core::cmp::Reverse;

use super::hard::{Fitting, unanswered};
use super::{Wanted, recent};
use crate::desk::State;
use crate::{Candidate, Feature, LocationId, Parts, Weights};

/// The most a part can be.
pub(super) const FULL: u32 = 100;
/// A scarce bed that is not needed as such is kept for who needs it.
const SCARCE_UNUSED: u32 = 20;
/// Any other feature that is not needed.
const OTHER_UNUSED: u32 = 2;
/// The bed is meant for another kind of care first.
const NOT_PRIMARY: u32 = 10;
/// A reported row says nothing of the bed: neither good nor bad.
const FIT_UNKNOWN: u32 = 80;
/// Whoever is this near is near enough, in minutes.
const NEAR_MINUTES: u32 = 15;
/// What each minute beyond costs.
const PER_MINUTE: u32 = 1;
/// Nobody knows how far.
const DISTANCE_UNKNOWN: u32 = 50;
/// What each place further down the wishes costs.
const PER_WISH: u32 = 20;
/// A location of which nothing is known is taken to be right nine times in ten,
const PRIOR_ANSWERS: u32 = 10;
const PRIOR_RIGHT: u32 = 9;
/// and each answer of its own counts as two of those.
const OWN_ANSWER: u32 = 2;
/// Who came within this time counts for the spread.
const RECENT_MICROS: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// Whether a bed with this is hard to find.
pub(super) fn is_scarce(feature: &Feature) -> bool {
    matches!(
        feature,
        Feature::Isolation
            | Feature::ClosedWard
            | Feature::Bariatric
            | Feature::SingleRoom
            | Feature::Tracheostomy
            | Feature::Couple
    )
}

/// How well the place is what is needed, and no scarcer.
pub(super) fn fit(place: &Fitting) -> u32 {
    if place.bed.is_none() {
        return FIT_UNKNOWN;
    }
    let unused = |feature: &Feature| if is_scarce(feature) { SCARCE_UNUSED } else { OTHER_UNUSED };
    let spare = place.spare.iter().map(unused).fold(0, u32::saturating_add);
    let other_first = if place.primary { 0 } else { NOT_PRIMARY };
    FULL.saturating_sub(spare).saturating_sub(other_first)
}

fn distance(minutes: Option<u32>) -> u32 {
    let Some(minutes) = minutes else { return DISTANCE_UNKNOWN };
    FULL.saturating_sub(minutes.saturating_sub(NEAR_MINUTES).saturating_mul(PER_MINUTE))
}

fn wish(wanted: &Wanted, location: &LocationId) -> u32 {
    let Some(place) = wanted.wished.iter().position(|wished| wished == location) else { return 0 };
    FULL.saturating_sub(u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(PER_WISH))
}

/// The share of answers that bore out the board, in hundredths.
fn truth(answers: u32, right: u32) -> u32 {
    let with = |own: u32, prior: u32| own.saturating_mul(OWN_ANSWER).saturating_add(prior);
    let (answers, right) = (with(answers, PRIOR_ANSWERS), with(right, PRIOR_RIGHT));
    right.saturating_mul(FULL).checked_div(answers).unwrap_or(0)
}

/// A candidate with all parts of its score but the spread, which is judged among all.
pub(super) fn candidate(
    state: &State,
    wanted: &Wanted,
    location: &LocationId,
    place: Fitting,
    minutes: Option<u32>,
) -> Candidate {
    let intake = state.locations.get(location);
    let (answers, right) = intake.map_or((0, 0), |intake| (intake.truth.answers, intake.truth.right()));
    let since = state.board.recorded_at().saturating_add_micros(-RECENT_MICROS);
    let parts = Parts {
        fit: fit(&place),
        distance: distance(minutes),
        wish: wish(wanted, location),
        truth: truth(answers, right),
        spread: 0,
    };
    Candidate {
        location: location.clone(),
        care_type: wanted.care_type.clone(),
        bed: place.bed,
        score: 0,
        parts,
        minutes,
        primary: place.primary,
        spare: place.spare,
        answers,
        answers_true: right,
        recent: intake.map_or(0, |intake| intake.came_since(since)),
        unanswered: unanswered(state, wanted, location),
    }
}

/// Judges the spread, adds up and puts the best first: of equal ones the nearest, then by name.
pub(super) fn rank(candidates: &mut [Candidate], weights: &Weights) {
    let all = recent(candidates);
    for candidate in candidates.iter_mut() {
        let share = candidate.recent.saturating_mul(FULL).checked_div(all).unwrap_or(0);
        candidate.parts.spread = FULL.saturating_sub(share);
        candidate.score = weigh(&candidate.parts, weights);
    }
    candidates.sort_by(|one, other| order(one).cmp(&order(other)));
}

fn order(candidate: &Candidate) -> (bool, Reverse<u32>, u32, &LocationId) {
    // Who did not answer comes after those who were not asked.
    let far = candidate.minutes.unwrap_or(u32::MAX);
    (candidate.unanswered, Reverse(candidate.score), far, &candidate.location)
}

fn weigh(parts: &Parts, weights: &Weights) -> u32 {
    let all = [
        (parts.fit, weights.fit),
        (parts.distance, weights.distance),
        (parts.wish, weights.wish),
        (parts.truth, weights.truth),
        (parts.spread, weights.spread),
    ];
    let worth = |(part, weight): &(u32, u32)| u64::from(*part).saturating_mul(u64::from(*weight));
    let sum = all.iter().map(worth).fold(0, u64::saturating_add);
    let weight = all.iter().map(|(_, weight)| u64::from(*weight)).fold(0, u64::saturating_add);
    sum.checked_div(weight).and_then(|score| u32::try_from(score).ok()).unwrap_or(0)
}
