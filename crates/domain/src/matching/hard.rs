//! What must be so: a location that fails one of these is excluded, and says so with every reason.
//!
//! Not here: which of those that remain is better (`score`).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::Wanted;
use super::score;
use crate::availability::{CountsAs, Giving};
use crate::desk::{Offer, OfferState, State};
use crate::{
    BedId, DeclineCode, Exclusion, ExclusionCode, Feature, Label, LocationId, LocationMode, ReferralId,
};

/// A place that can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fitting {
    /// The bed that fits best, where there are bed records.
    pub(super) bed: Option<BedId>,
    /// It is used for this care first.
    pub(super) primary: bool,
    /// What it offers and nobody asked for.
    pub(super) spare: Vec<Feature>,
}

/// The best place of a location, or every reason why there is none.
pub(crate) fn judge(
    state: &State,
    wanted: &Wanted,
    location: &LocationId,
) -> Result<Fitting, Vec<Exclusion>> {
    let mut reasons = Vec::new();
    let gives = state.board.gives(location, &wanted.care_type);
    if !gives {
        reasons.push(because(ExclusionCode::CareTypeNotGiven, Some(wanted.care_type.raw())));
    }
    reasons.extend(asked_before(state, wanted, location));
    if state.board.is_stopped(location) {
        reasons.push(because(ExclusionCode::AdmissionsStopped, None));
    }
    if let Some(intake) = state.locations.get(location) {
        if !intake.admits_at(&wanted.care_type, wanted.moment) {
            reasons.push(because(ExclusionCode::OutsideWindow, Some(&wanted.moment.to_string())));
        }
        let max = intake.limit_reached(&wanted.care_type, wanted.moment, wanted.profile.referral);
        reasons.extend(max.map(|max| because(ExclusionCode::IntakeLimitReached, Some(&max.to_string()))));
    }
    let place = match state.board.mode_of(location) {
        Some((_, LocationMode::Counts)) => reported(state, wanted, location),
        _ => of_beds(state, wanted, location),
    };
    match place {
        Ok(place) if reasons.is_empty() => Ok(place),
        Ok(_) => Err(reasons),
        Err(more) => {
            // Where the care is not given nobody asks about beds for it.
            if gives {
                reasons.extend(more);
            }
            Err(reasons)
        }
    }
}

fn because(code: ExclusionCode, about: Option<&str>) -> Exclusion {
    // Too long for a label: then the code alone says it.
    Exclusion { code, about: about.and_then(|text| Label::try_from(text).ok()) }
}

fn about_feature(code: ExclusionCode, feature: &Feature) -> Exclusion {
    because(code, Some(feature.raw()))
}

/// What came of asking it for this referral before.
fn asked_before(state: &State, wanted: &Wanted, location: &LocationId) -> Option<Exclusion> {
    let before = offers(state, wanted, location);
    before.filter_map(excludes).min_by_key(|reason| reason.code.clone())
}

fn excludes(offer: &Offer) -> Option<Exclusion> {
    match &offer.state {
        OfferState::Sent | OfferState::Seen => Some(because(ExclusionCode::AskedAlready, None)),
        OfferState::Accepted(_) => Some(because(ExclusionCode::PromisedAlready, None)),
        // What it says it never said does not count, and who did not answer can be asked again.
        OfferState::Declined(DeclineCode::NoAnswer) | OfferState::Lapsed | OfferState::Revoked => None,
        OfferState::Declined(_) if offer.contested => None,
        OfferState::Declined(code) => Some(because(ExclusionCode::DeclinedAlready, Some(code.raw()))),
    }
}

/// Whether it was asked for this referral and gave no answer.
pub(super) fn unanswered(state: &State, wanted: &Wanted, location: &LocationId) -> bool {
    let silent = |state: &OfferState| {
        matches!(state, OfferState::Lapsed | OfferState::Declined(DeclineCode::NoAnswer))
    };
    offers(state, wanted, location).any(|offer| silent(&offer.state))
}

fn offers<'a>(
    state: &'a State,
    wanted: &Wanted,
    location: &'a LocationId,
) -> impl Iterator<Item = &'a Offer> + use<'a> {
    let referral = state.referrals.get(&wanted.profile.referral);
    let offers = referral.into_iter().flat_map(|referral| referral.offers.values());
    offers.filter(move |offer| offer.location == *location)
}

/// A location that reports counts says nothing of single beds, so what somebody needs of a bed is for it to say.
fn reported(state: &State, wanted: &Wanted, location: &LocationId) -> Result<Fitting, Vec<Exclusion>> {
    let row = state.board.row_state(location, &wanted.care_type, wanted.profile.referral);
    let mut reasons = Vec::new();
    match row {
        None => reasons.push(because(ExclusionCode::NoSuchBed, None)),
        Some(row) if row.offerable == 0 && !row.held => {
            reasons.push(because(ExclusionCode::NoBedFree, None));
        }
        Some(_) => {}
    }
    let unknown = |feature: &Feature| about_feature(ExclusionCode::FeatureUnknown, feature);
    reasons.extend(wanted.profile.constraints.iter().map(unknown));
    if reasons.is_empty() {
        Ok(Fitting { bed: None, primary: true, spare: Vec::new() })
    } else {
        Err(reasons)
    }
}

fn of_beds(state: &State, wanted: &Wanted, location: &LocationId) -> Result<Fitting, Vec<Exclusion>> {
    let beds: Vec<Giving<'_>> = state.board.beds_giving(location, &wanted.care_type).collect();
    let free: Vec<&Giving<'_>> = beds.iter().filter(|bed| can_be_had(bed, wanted.profile.referral)).collect();
    if free.is_empty() {
        let code = if beds.is_empty() {
            ExclusionCode::NoSuchBed
        } else if beds.iter().any(|bed| bed.counts_as == CountsAs::Reserve) {
            ExclusionCode::ReserveOnly
        } else {
            ExclusionCode::NoBedFree
        };
        return Err(Vec::from([because(code, None)]));
    }
    let needs = &wanted.profile.constraints;
    let offers =
        |bed: &Giving<'_>, feature: &Feature| bed.features.is_some_and(|features| features.contains(feature));
    let fitting = free.iter().filter(|bed| needs.iter().all(|feature| offers(bed, feature)));
    let best = fitting.map(|bed| place(bed, needs)).max_by(|one, other| {
        // Of equal ones the first by name.
        score::fit(one).cmp(&score::fit(other)).then_with(|| other.bed.cmp(&one.bed))
    });
    best.ok_or_else(|| missing(&free, needs))
}

fn can_be_had(bed: &Giving<'_>, referral: ReferralId) -> bool {
    bed.counts_as == CountsAs::Offerable || bed.kept_for == Some(referral)
}

fn place(bed: &Giving<'_>, needs: &[Feature]) -> Fitting {
    let offered = bed.features.unwrap_or_default().iter();
    Fitting {
        bed: Some(bed.bed.clone()),
        primary: bed.primary,
        spare: offered.filter(|feature| !needs.contains(feature)).cloned().collect(),
    }
}

/// What none of the free beds offers; if each is offered by one of them, that no bed offers all.
fn missing(free: &[&Giving<'_>], needs: &[Feature]) -> Vec<Exclusion> {
    let offered = |feature: &Feature| {
        free.iter().any(|bed| bed.features.is_some_and(|features| features.contains(feature)))
    };
    let unsaid = free.iter().any(|bed| bed.features.is_none());
    let code = if unsaid { ExclusionCode::FeatureUnknown } else { ExclusionCode::FeatureMissing };
    let lacking: Vec<Exclusion> = needs
        .iter()
        .filter(|feature| !offered(feature))
        .map(|feature| about_feature(code.clone(), feature))
        .collect();
    if lacking.is_empty() { Vec::from([because(ExclusionCode::FeaturesApart, None)]) } else { lacking }
}
