//! Step 5: answers, by the location or by telephone on its behalf, and the choice among them.
//!
//! A choice, its hold and the end of all other offers are one batch of events: of any number at once exactly one wins.
//! Not here: how long a place is kept and when it is not any more (`holds`).

use alloc::vec::Vec;

use super::authority::{by_location, offer};
use super::holds::until;
use super::place::{Wanted, keep};
use super::{Act, Command, Here, Offer, OfferState, Referral, Refusal, RoundRule};
use crate::{BedId, CareType, DeclineCode, Fact, OfferRef, Place, Role, Timestamp};

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    match &command.act {
        Act::AcceptOffer { offer, bed, care_type, from, role, spoken_with } => {
            on_whose_word(command, spoken_with.as_ref())?;
            let promise = Promised { offer, bed: bed.as_ref(), care_type, from: *from };
            accept(state, command, promise, role, spoken_with.as_ref())
        }
        Act::DeclineOffer { offer, code, spoken_with } => {
            // Who does not answer the telephone was not spoken with.
            if *code != DeclineCode::NoAnswer {
                on_whose_word(command, spoken_with.as_ref())?;
            }
            decline(state, offer, code, spoken_with.as_ref())
        }
        Act::TakeBackPromise { offer: named, code, spoken_with } => {
            on_whose_word(command, spoken_with.as_ref())?;
            let (referral, asked) = offer(state, named)?;
            asked.promise().ok_or(Refusal::NotAccepted)?;
            Ok(said_no(referral, named, code, spoken_with.as_ref()))
        }
        Act::AgreeMedically { offer: named, role } => {
            let (_, asked) = offer(state, named)?;
            let promise = asked.promise().ok_or(Refusal::NotAccepted)?;
            if *role != Role::Doctor {
                return Err(Refusal::NotADoctor);
            }
            let agreed = Fact::OfferMedicallyAgreed { offer: named.clone(), by: role.clone() };
            Ok((!promise.agreed).then_some(agreed).into_iter().collect())
        }
        Act::ContestAnswer { offer: named, role } => {
            let (_, asked) = offer(state, named)?;
            let answered = matches!(asked.state, OfferState::Accepted(_) | OfferState::Declined(_));
            if !answered || asked.spoken_with.is_none() || asked.contested {
                return Err(Refusal::NothingToContest);
            }
            Ok(Vec::from([Fact::OfferContested { offer: named.clone(), by: role.clone() }]))
        }
        Act::ChooseOffer { offer, role } => choose(state, command, offer, role),
        _ => Err(Refusal::NotYourRole),
    }
}

/// A promise as it is given.
#[derive(Clone, Copy, Debug)]
struct Promised<'a> {
    offer: &'a OfferRef,
    bed: Option<&'a BedId>,
    care_type: &'a CareType,
    from: Timestamp,
}

/// A location answers for itself; a desk says with whom it spoke.
fn on_whose_word(command: &Command, spoken_with: Option<&Role>) -> Result<(), Refusal> {
    match (by_location(command), spoken_with) {
        (true, None) | (false, Some(_)) => Ok(()),
        (true, Some(_)) => Err(Refusal::SpokenWithSelf),
        (false, None) => Err(Refusal::SpokenWithMissing),
    }
}

/// Whether the offer can still be answered with a yes, or why not.
fn may_accept(referral: &Referral, named: &OfferRef, asked: &Offer, at: Timestamp) -> Result<(), Refusal> {
    if let Some(winner) = referral.winner().filter(|_| referral.chosen != Some(named.offer)) {
        return Err(Refusal::AlreadyPlaced { location: winner.location.clone() });
    }
    let too_late = Refusal::TooLate { answer_by: asked.answer_by };
    match &asked.state {
        OfferState::Accepted(_) => Err(Refusal::AnsweredAlready),
        OfferState::Declined(_) if !asked.contested => Err(Refusal::AnsweredAlready),
        OfferState::Revoked => Err(Refusal::OfferRevoked),
        OfferState::Lapsed => Err(too_late),
        OfferState::Sent | OfferState::Seen | OfferState::Declined(_) if at > asked.answer_by => {
            Err(too_late)
        }
        OfferState::Sent | OfferState::Seen | OfferState::Declined(_) => Ok(()),
    }
}

fn accept(
    state: &Here<'_>,
    command: &Command,
    promised: Promised<'_>,
    role: &Role,
    spoken_with: Option<&Role>,
) -> Result<Vec<Fact>, Refusal> {
    let Promised { offer: named, bed, care_type, from } = promised;
    let (referral, asked) = offer(state, named)?;
    may_accept(referral, named, asked, command.at)?;
    // A place that can be had since this morning is had from now on.
    let comes = from.max(command.at);
    let wanted = Wanted { referral: named.referral, location: &named.location, bed, care_type, at: comes };
    let place = keep(state, wanted)?;
    let accepted = Fact::OfferAccepted {
        offer: named.clone(),
        bed: place.bed.clone(),
        care_type: care_type.clone(),
        from,
        by: role.clone(),
        spoken_with: spoken_with.cloned(),
    };
    let (rules, urgency) = (state.rules(), &referral.profile.urgency);
    let mut facts = Vec::from([accepted]);
    match rules.round.of(urgency) {
        RoundRule::FirstWins => {
            facts.push(Fact::OfferChosen { offer: named.clone(), by: role.clone() });
            facts.push(kept(state, command, referral, place, comes)?);
            facts.extend(referral.end_others(Some(named.offer)));
        }
        RoundRule::CollectAndChoose if rules.hold_promises => {
            facts.push(kept(state, command, referral, place, comes)?);
        }
        RoundRule::CollectAndChoose => {}
    }
    Ok(facts)
}

/// The place is kept from now on, as long as the rules say.
fn kept(
    state: &Here<'_>,
    command: &Command,
    referral: &Referral,
    place: Place,
    comes: Timestamp,
) -> Result<Fact, Refusal> {
    let until = until(state, command.at, referral, comes)?;
    let held = referral.hold_at(&place.location).is_some_and(|hold| hold.place == place);
    let referral = referral.id();
    Ok(if held {
        Fact::HoldExtended { place, referral, until }
    } else {
        Fact::HoldGranted { place, referral, until }
    })
}

fn decline(
    state: &Here<'_>,
    named: &OfferRef,
    code: &DeclineCode,
    spoken_with: Option<&Role>,
) -> Result<Vec<Fact>, Refusal> {
    let (referral, asked) = offer(state, named)?;
    match &asked.state {
        OfferState::Sent | OfferState::Seen => {}
        // What was never its answer can be answered.
        OfferState::Accepted(_) | OfferState::Declined(_) if asked.contested => {}
        OfferState::Accepted(_) | OfferState::Declined(_) => return Err(Refusal::AnsweredAlready),
        OfferState::Lapsed => return Err(Refusal::TooLate { answer_by: asked.answer_by }),
        OfferState::Revoked => return Err(Refusal::OfferRevoked),
    }
    Ok(said_no(referral, named, code, spoken_with))
}

/// A no, and the end of what was kept by a yes before it.
fn said_no(
    referral: &Referral,
    named: &OfferRef,
    code: &DeclineCode,
    spoken_with: Option<&Role>,
) -> Vec<Fact> {
    let (code, spoken_with) = (code.clone(), spoken_with.cloned());
    let mut facts = Vec::from([Fact::OfferDeclined { offer: named.clone(), code, spoken_with }]);
    facts.extend(referral.hold_at(&named.location).map(|hold| referral.released(hold)));
    facts
}

fn choose(state: &Here<'_>, command: &Command, named: &OfferRef, role: &Role) -> Result<Vec<Fact>, Refusal> {
    let (referral, asked) = offer(state, named)?;
    if let Some(winner) = referral.winner() {
        return Err(Refusal::AlreadyPlaced { location: winner.location.clone() });
    }
    let promise = match &asked.state {
        OfferState::Accepted(promise) => promise,
        OfferState::Lapsed => return Err(Refusal::HoldLapsed { location: named.location.clone() }),
        OfferState::Revoked => return Err(Refusal::OfferRevoked),
        OfferState::Sent | OfferState::Seen | OfferState::Declined(_) => return Err(Refusal::NotAccepted),
    };
    let comes = promise.from.max(command.at);
    let place = match referral.hold_at(&named.location) {
        Some(hold) => hold.place.clone(),
        None => keep(
            state,
            Wanted {
                referral: named.referral,
                location: &named.location,
                bed: promise.bed.as_ref(),
                care_type: &promise.care_type,
                at: comes,
            },
        )?,
    };
    let mut facts = Vec::from([Fact::OfferChosen { offer: named.clone(), by: role.clone() }]);
    facts.push(kept(state, command, referral, place, comes)?);
    facts.extend(referral.end_others(Some(named.offer)));
    Ok(facts)
}
