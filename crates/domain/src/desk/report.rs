//! A location's word about its own beds and stays: a fact. It is recorded as it is said, whatever was believed; only a stop that is
//! known just so, and the end of one that is none, are nothing new.
//!
//! Only who says it is judged (`authority`), that it is such a word, that a count does not contradict itself and that a new location
//! is none that is there: whoever types that can still say it otherwise. Not here: what does not fit with what was believed (`availability`, `referral`), nor what comes over the
//! bus, where nobody waits for an answer.

use alloc::vec::Vec;

use super::{Act, Command, Here, Refusal};
use crate::{Fact, LocationId};

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    match &command.act {
        Act::Report { fact } => {
            let kind = fact.kind();
            let of_a_location = ["location.", "bed.", "stay."].iter().any(|word| kind.starts_with(word));
            if !of_a_location {
                return Err(Refusal::NotAReport);
            }
            let of_locations = fact.locations().filter_map(|location| state.home_of(location));
            let of_stay = fact.stay().and_then(|stay| state.stays.get(&stay)).map(|stay| &stay.region);
            let mut regions = of_locations.chain(of_stay);
            if let Some(region) = regions.find(|region| *region != state.region) {
                return Err(Refusal::NotYourRegion { region: region.clone() });
            }
            if let Some(location) = registered_again(state, fact) {
                return Err(Refusal::LocationKnown { location: location.clone() });
            }
            match exceeding(fact) {
                Some(refusal) => Err(refusal),
                None if is_so(state, fact) => Ok(Vec::new()),
                None => Ok(Vec::from([fact.clone()])),
            }
        }
        Act::CorrectBed { bed, corrects } => {
            if !state.board.can_correct(bed, &command.source, *corrects) {
                return Err(Refusal::NothingToCorrect);
            }
            Ok(Vec::from([Fact::BedCorrected { bed: bed.clone(), corrects: *corrects }]))
        }
        _ => Err(Refusal::NotYourRole),
    }
}

/// Whether a stop, or that there is none, is known just so. Any other word is recorded also when it says the same: that is how a
/// location is heard of. One that is not known is not judged: its word is recorded, and does not fit.
fn is_so(state: &Here<'_>, fact: &Fact) -> bool {
    if let Fact::AdmissionsStopped { location, ward, reason, review_at } = fact {
        let known = state.board.stop_of(location, ward.as_ref());
        known.is_some_and(|stop| stop.reason == *reason && stop.review_at == *review_at)
    } else if let Fact::AdmissionsResumed { location, ward } = fact {
        state.board.mode_of(location).is_some() && state.board.stop_of(location, ward.as_ref()).is_none()
    } else {
        false
    }
}

/// The location that takes part already, if this registers it: whoever types an id that another house has would change that one.
fn registered_again<'a>(state: &Here<'_>, fact: &'a Fact) -> Option<&'a LocationId> {
    let Fact::LocationRegistered(profile) = fact else { return None };
    state.board.mode_of(&profile.location).map(|_| &profile.location)
}

/// Of counts that say more beds are in use or free than there are: the first.
fn exceeding(fact: &Fact) -> Option<Refusal> {
    let Fact::CountsReported { counts, .. } = fact else { return None };
    let wrong =
        counts.iter().find(|count| count.occupied.saturating_add(count.offerable) > count.physical)?;
    Some(Refusal::CountsExceedBeds {
        care_type: wrong.care_type.clone(),
        occupied: wrong.occupied,
        offerable: wrong.offerable,
        beds: wrong.physical,
    })
}
