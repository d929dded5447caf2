//! Step 6: a place is kept until the arrival. Once the arrival is agreed a hold never lapses unseen: it asks a person.
//!
//! Not here: when it is granted (`answers`), when its time is looked at (`due`).

use alloc::vec::Vec;

use super::authority::open_referral;
use super::{Act, Command, Here, Hold, Offer, OfferState, Referral, Refusal};
use crate::words::say;
use crate::{Fact, LocationId, OfferRef, Timestamp};

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    match &command.act {
        Act::AgreeArrival { referral, location, arrives_at, transport } => {
            let open = open_referral(state, *referral)?;
            let (winner, hold) = placed_at(open, location)?;
            arrive(state, command, winner, *arrives_at)?;
            let until = until_after_arrival(state, command.at, *arrives_at)?;
            let (referral, place) = (*referral, hold.place.clone());
            let (location, transport) = (location.clone(), transport.clone());
            Ok(Vec::from([
                Fact::ArrivalAgreed { referral, location, at: *arrives_at, transport },
                Fact::HoldExtended { place, referral, until },
            ]))
        }
        Act::ExtendHold { referral, location, until } => {
            let open = open_referral(state, *referral)?;
            let hold = open.hold_at(location).ok_or_else(|| no_hold(open, location))?;
            let until = limited(state, command.at, *until)?;
            Ok(Vec::from([Fact::HoldExtended { place: hold.place.clone(), referral: *referral, until }]))
        }
        Act::ReleaseHold { referral, location } => {
            let open = open_referral(state, *referral)?;
            let hold = open.hold_at(location).ok_or_else(|| no_hold(open, location))?;
            let mut facts = Vec::from([open.released(hold)]);
            facts.extend(promise_at(open, location).map(Fact::OfferRevoked));
            Ok(facts)
        }
        Act::LapseHold { referral, place } => {
            let open = open_referral(state, *referral)?;
            let location = &place.location;
            let hold = open.holds.iter().find(|hold| hold.place == *place);
            let hold = hold.ok_or_else(|| no_hold(open, location))?;
            if command.at < hold.until || hold.overdue {
                return Err(Refusal::NotDue { at: hold.until });
            }
            let (place, referral) = (place.clone(), *referral);
            if open.arrival.as_ref().is_some_and(|arrival| arrival.location == *location) {
                return Ok(Vec::from([Fact::HoldOverdue { place, referral }]));
            }
            let mut facts = Vec::from([Fact::HoldLapsed { place, referral }]);
            facts.extend(promise_at(open, location).map(Fact::OfferLapsed));
            Ok(facts)
        }
        _ => Err(Refusal::NotYourRole),
    }
}

/// The winner and its hold, if they are at this location.
pub(super) fn placed_at<'a>(
    referral: &'a Referral,
    location: &LocationId,
) -> Result<(&'a Offer, &'a Hold), Refusal> {
    let winner = referral.winner().filter(|winner| winner.location == *location);
    match (winner, referral.hold_at(location)) {
        (Some(winner), Some(hold)) => Ok((winner, hold)),
        (Some(_), None) => Err(Refusal::HoldLapsed { location: location.clone() }),
        (None, _) => match referral.winner() {
            Some(winner) => Err(Refusal::AlreadyPlaced { location: winner.location.clone() }),
            None => Err(unplaced(referral, location)),
        },
    }
}

/// Why nothing is placed there: what was promised lapsed, or nothing was promised and chosen.
fn unplaced(referral: &Referral, location: &LocationId) -> Refusal {
    let location = location.clone();
    if has_lapsed(referral, &location) {
        Refusal::HoldLapsed { location }
    } else {
        Refusal::NotPlaced { location }
    }
}

fn no_hold(referral: &Referral, location: &LocationId) -> Refusal {
    let location = location.clone();
    if has_lapsed(referral, &location) {
        Refusal::HoldLapsed { location }
    } else {
        Refusal::NoHold { location }
    }
}

fn has_lapsed(referral: &Referral, location: &LocationId) -> bool {
    let lapsed = |offer: &Offer| offer.location == *location && offer.state == OfferState::Lapsed;
    referral.offers.values().any(lapsed)
}

/// The promise at a location.
fn promise_at(referral: &Referral, location: &LocationId) -> Option<OfferRef> {
    let promised = |offer: &Offer| offer.location == *location && offer.promise().is_some();
    let (offer, _) = referral.offers.iter().find(|(_, offer)| promised(offer))?;
    referral.offer_ref(*offer)
}

/// Whether somebody can arrive then: in the future, from when the place can be had, and when the location admits.
fn arrive(state: &Here<'_>, command: &Command, winner: &Offer, at: Timestamp) -> Result<(), Refusal> {
    if at <= command.at {
        return Err(Refusal::NotInFuture);
    }
    let Some(promise) = winner.promise() else { return Ok(()) };
    if at < promise.from {
        return Err(Refusal::NotDue { at: promise.from });
    }
    let admits =
        state.locations.get(&winner.location).is_none_or(|intake| intake.admits_at(&promise.care_type, at));
    if admits { Ok(()) } else { Err(Refusal::OutsideWindow { location: winner.location.clone(), at }) }
}

/// Until when a place is kept that can be had from `comes` on: from then as long as the urgency says, and over the
/// wished moment (a discharge tomorrow at two is waited for).
pub(super) fn until(
    state: &Here<'_>,
    now: Timestamp,
    referral: &Referral,
    comes: Timestamp,
) -> Result<Timestamp, Refusal> {
    let rules = state.rules();
    let kept = comes.saturating_add_micros(rules.hold_micros.of(&referral.profile.urgency));
    let wished =
        referral.profile.wished_at.map(|wished| wished.saturating_add_micros(rules.arrival_grace_micros));
    limited(state, now, kept.max(wished.unwrap_or(kept)))
}

/// Until when a place is kept for whoever comes then.
pub(super) fn until_after_arrival(
    state: &Here<'_>,
    now: Timestamp,
    arrives_at: Timestamp,
) -> Result<Timestamp, Refusal> {
    limited(state, now, arrives_at.saturating_add_micros(state.rules().arrival_grace_micros))
}

fn limited(state: &Here<'_>, now: Timestamp, until: Timestamp) -> Result<Timestamp, Refusal> {
    if until <= now {
        return Err(Refusal::NotInFuture);
    }
    if until > now.saturating_add_micros(state.rules().hold_micros_max) {
        return Err(Refusal::OutsideRuleSet {
            rule: say!(
                "hoe lang een plek ten hoogste wordt vastgehouden",
                "how long a place is kept at most"
            ),
        });
    }
    Ok(until)
}
