//! A location's word about its own beds and stays: a fact. It is recorded as it is said, whatever was believed.
//!
//! Only who says it is judged (`authority`), and that it is such a word. Not here: what does not fit then
//! (`availability`, `referral`).

use alloc::vec::Vec;

use super::{Act, Command, Here, Refusal};
use crate::Fact;

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
            let of_locations = fact.locations().filter_map(|location| state.board.mode_of(location));
            let of_stay = fact.stay().and_then(|stay| state.stays.get(&stay)).map(|stay| &stay.region);
            let mut regions = of_locations.map(|(region, _)| region).chain(of_stay);
            match regions.find(|region| *region != state.region) {
                Some(region) => Err(Refusal::NotYourRegion { region: region.clone() }),
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
