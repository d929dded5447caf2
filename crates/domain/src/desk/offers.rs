//! Step 4: locations are asked for a place, at once or one by one; the desk asks no longer; nobody answered.
//!
//! Not here: the answers (`answers`).

use alloc::vec::Vec;

use super::authority::{offer, open_referral};
use super::{Act, Asked, Command, Here, OfferState, Referral, Refusal, place};
use crate::words::say;
use crate::{Fact, OfferRef, Timestamp};

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    match &command.act {
        Act::SendOffers { referral, to, answer_by, receipt } => {
            let open = open_referral(state, *referral)?;
            may_ask(state, open)?;
            if receipt.as_ref().is_some_and(|list| list.referral != *referral) {
                return Err(Refusal::ReceiptOfAnother);
            }
            let sent = send(state, command, open, to, *answer_by)?;
            // The list comes first: it is what was known when the offers were sent.
            let list = receipt.clone().map(|list| Fact::ReferralMatched(list.kept()));
            Ok(list.into_iter().chain(sent).collect())
        }
        Act::SeeOffer { offer: named } => {
            let (_, asked) = offer(state, named)?;
            let unseen = asked.state == OfferState::Sent;
            Ok(unseen.then(|| Fact::OfferSeen(named.clone())).into_iter().collect())
        }
        Act::RevokeOffer { offer: named } => {
            let (referral, asked) = offer(state, named)?;
            if !asked.is_open() && asked.promise().is_none() {
                return Err(Refusal::OfferRevoked);
            }
            let mut facts = Vec::from([Fact::OfferRevoked(named.clone())]);
            facts.extend(referral.hold_at(&named.location).map(|hold| referral.released(hold)));
            Ok(facts)
        }
        Act::LapseOffer { offer: named } => {
            let (_, asked) = offer(state, named)?;
            if !asked.is_open() {
                return Err(Refusal::AnsweredAlready);
            }
            if command.at < asked.answer_by {
                return Err(Refusal::NotDue { at: asked.answer_by });
            }
            Ok(Vec::from([Fact::OfferLapsed(named.clone())]))
        }
        _ => Err(Refusal::NotYourRole),
    }
}

fn may_ask(state: &Here<'_>, referral: &Referral) -> Result<(), Refusal> {
    let (rules, urgency) = (state.rules(), &referral.profile.urgency);
    if let Some(winner) = referral.winner() {
        return Err(Refusal::AlreadyPlaced { location: winner.location.clone() });
    }
    if let Some(region) = &referral.with {
        return Err(Refusal::WithAnotherDesk { region: region.clone() });
    }
    if rules.consent_first.of(urgency) && !referral.profile.consent {
        return Err(Refusal::ConsentMissing);
    }
    if rules.triage_first.of(urgency) && referral.triage.is_none() {
        return Err(Refusal::NotTriaged);
    }
    Ok(())
}

fn send(
    state: &Here<'_>,
    command: &Command,
    referral: &Referral,
    to: &[Asked],
    answer_by: Option<Timestamp>,
) -> Result<Vec<Fact>, Refusal> {
    let rules = state.rules();
    let answer_by = answer_by.unwrap_or_else(|| {
        command.at.saturating_add_micros(rules.answer_micros.of(&referral.profile.urgency))
    });
    if answer_by <= command.at {
        return Err(Refusal::NotInFuture);
    }
    if answer_by > command.at.saturating_add_micros(rules.answer_micros_max) {
        return Err(Refusal::OutsideRuleSet {
            rule: say!(
                "hoe lang een locatie ten hoogste heeft om te antwoorden",
                "how long a location has to answer at most"
            ),
        });
    }
    let open = referral.offers.values().filter(|offer| offer.is_open() || offer.promise().is_some()).count();
    if u32::try_from(open.saturating_add(to.len())).is_ok_and(|all| all > rules.offers_max) {
        return Err(Refusal::OutsideRuleSet {
            rule: say!("hoeveel locaties tegelijk worden gevraagd", "how many locations are asked at once"),
        });
    }
    let mut facts = Vec::with_capacity(to.len());
    for (index, asked) in to.iter().enumerate() {
        let before = || to.iter().take(index);
        if referral.offers.contains_key(&asked.offer) || before().any(|other| other.offer == asked.offer) {
            return Err(Refusal::OfferKnown);
        }
        let known = referral.offers.values().filter(|offer| offer.is_open() || offer.promise().is_some());
        if known
            .map(|offer| &offer.location)
            .chain(before().map(|other| &other.location))
            .any(|named| *named == asked.location)
        {
            return Err(Refusal::AskedAlready { location: asked.location.clone() });
        }
        place::can_be_asked(state, &asked.location, asked.bed.as_ref(), &asked.care_type)?;
        let offer =
            OfferRef { offer: asked.offer, referral: referral.id(), location: asked.location.clone() };
        let (bed, care_type) = (asked.bed.clone(), asked.care_type.clone());
        facts.push(Fact::OfferSent { offer, bed, care_type, answer_by });
    }
    Ok(facts)
}
