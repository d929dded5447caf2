//! Step 2: the weighing. The answers decide; whoever sets their outcome aside gives a reason.
//!
//! Not here: the questions (`instrument`).

use alloc::vec::Vec;

use super::authority::open_referral;
use super::instrument::WeighingError;
use super::refer::ended;
use super::{Act, Command, Here, Outcome, Refusal};
use crate::{DivertedReason, Fact, Overruled};

pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    let Act::Triage { referral, instrument, answers, set_aside, reason, decided_by, consulted, sealed } =
        &command.act
    else {
        return Err(Refusal::NotYourRole);
    };
    let open = open_referral(state, *referral)?;
    let used = &state.region_rules().instruments;
    let known = used.iter().find(|known| known.name == *instrument).ok_or_else(|| {
        let here: Vec<&str> = used.iter().map(|used| used.name.as_str()).collect();
        Refusal::UnknownInstrument { here: here.join(", ") }
    })?;
    let weighed = known.weigh(answers).map_err(|error| match error {
        WeighingError::Unanswered(question) => Refusal::Unanswered { question },
        WeighingError::Unknown(question) => Refusal::UnknownQuestion { question },
    })?;
    if sealed.is_none() {
        return Err(Refusal::AnswersNotKept);
    }
    let differs = set_aside.as_ref().filter(|decided| **decided != weighed.code());
    let overruled = match (differs, reason) {
        (None, _) => None,
        (Some(_), None) => return Err(Refusal::ReasonMissing),
        (Some(_), Some(reason)) => Some(Overruled { outcome: weighed.code(), reason: reason.clone() }),
    };
    let triaged = Fact::ReferralTriaged {
        referral: *referral,
        instrument: instrument.clone(),
        outcome: differs.cloned().unwrap_or_else(|| weighed.code()),
        overruled,
        decided_by: decided_by.clone(),
        consulted: consulted.clone(),
        sealed: sealed.clone(),
    };
    let mut facts = Vec::from([triaged]);
    if weighed == Outcome::Hospital && differs.is_none() {
        // The hospital is no temporary stay: for the desk that is its end.
        let diverted = Fact::ReferralDiverted { referral: *referral, reason: DivertedReason::Hospital };
        facts.extend(ended(open, diverted));
    }
    Ok(facts)
}
