//! Whether a place can be kept for a referral: known, given, not stopped, within windows and limits, not taken.
//!
//! Not here: which place fits best (matching).

use super::{Here, Refusal};
use crate::availability::Taken;
use crate::{BedId, BedRef, CareType, LocationId, LocationMode, Place, ReferralId, Timestamp};

/// A place as it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) referral: ReferralId,
    pub(super) location: &'a LocationId,
    pub(super) bed: Option<&'a BedId>,
    pub(super) care_type: &'a CareType,
    /// When somebody comes.
    pub(super) at: Timestamp,
}

/// Whether the location can be asked at all: known, of this region, gives such care, has the bed that is named, and has not
/// stopped admissions. One that reports counts has no beds that could be known: there the name of a bed is its own affair.
pub(super) fn can_be_asked(
    state: &Here<'_>,
    location: &LocationId,
    bed: Option<&BedId>,
    care_type: &CareType,
) -> Result<(), Refusal> {
    let named = || location.clone();
    let Some((region, mode)) = state.board.mode_of(location) else {
        return Err(Refusal::UnknownLocation { location: named() });
    };
    if region != state.region {
        return Err(Refusal::NotYourRegion { region: region.clone() });
    }
    if !state.board.gives(location, care_type) {
        return Err(Refusal::CareTypeNotGiven { location: named() });
    }
    let known = bed.map(|bed| state.board.bed_state(&BedRef { location: named(), bed: bed.clone() }));
    if known == Some(None) && *mode != LocationMode::Counts {
        return Err(Refusal::UnknownBed { location: named() });
    }
    if state.board.is_stopped(location) || known.flatten().is_some_and(|bed| bed.stopped) {
        return Err(Refusal::AdmissionsStopped { location: named() });
    }
    Ok(())
}

/// The place that is kept when this is asked for.
pub(super) fn keep(state: &Here<'_>, wanted: Wanted<'_>) -> Result<Place, Refusal> {
    let Wanted { referral, location, bed, care_type, at } = wanted;
    can_be_asked(state, location, bed, care_type)?;
    if let Some(intake) = state.locations.get(location) {
        if !intake.admits_at(care_type, at) {
            return Err(Refusal::OutsideWindow { location: location.clone(), at });
        }
        if let Some(max) = intake.limit_reached(care_type, at, referral) {
            return Err(Refusal::IntakeLimitReached { location: location.clone(), max });
        }
    }
    let place = |bed| Place { location: location.clone(), bed, care_type: care_type.clone() };
    let none_free = || Refusal::NoBedFree { location: location.clone() };
    match (state.board.mode_of(location), bed) {
        (Some((_, LocationMode::Counts)), _) => {
            let row = state.board.row_state(location, care_type, referral).ok_or_else(none_free)?;
            if row.offerable > 0 || row.held { Ok(place(None)) } else { Err(none_free()) }
        }
        (_, Some(bed)) => {
            free_bed(state, location, bed, Some(referral))?;
            Ok(place(Some(bed.clone())))
        }
        (_, None) => state
            .board
            .bed_for(location, care_type, referral)
            .map(|bed| place(Some(bed)))
            .ok_or_else(none_free),
    }
}

/// Whether this bed is nobody else's and in use. What is being cleaned or has no staff now is the location's to promise.
pub(super) fn free_bed(
    state: &Here<'_>,
    location: &LocationId,
    bed: &BedId,
    kept_for: Option<ReferralId>,
) -> Result<(), Refusal> {
    let at = BedRef { location: location.clone(), bed: bed.clone() };
    if let Some((region, _)) = state.board.mode_of(location).filter(|(region, _)| *region != state.region) {
        return Err(Refusal::NotYourRegion { region: region.clone() });
    }
    let location = || location.clone();
    let Some(bed) = state.board.bed_state(&at) else {
        return Err(Refusal::UnknownBed { location: location() });
    };
    match bed.taken {
        Taken::Free if bed.closed => Err(Refusal::BedClosed { location: location() }),
        Taken::Free => Ok(()),
        Taken::For(referral) if Some(referral) == kept_for => Ok(()),
        Taken::For(_) | Taken::By(_) => Err(Refusal::BedTaken { location: location() }),
    }
}
