//! Who may decide what. A location speaks for its own beds and stays; a desk for referrals, offers and holds of its
//! region and, on behalf, for what a location told it; a centre or another desk for one that handed over its duty; a
//! referrer for its own referrals; the keeper for deadlines.
//!
//! Not here: who a person is (sign-in), what a source may send (registry).

use super::{Act, Actor, Command, Here, Referral, Refusal, Step};
use crate::{Label, LocationId, OfferRef, ReferralId, StayId};

/// Whether the actor may want this at all. Everything that is not named here is refused.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "deny by default: a new act is refused unless it says so here"
)]
pub(super) fn check(state: &Here<'_>, command: &Command) -> Result<(), Refusal> {
    match &command.by {
        Actor::Desk(region) if region == state.region => {
            if is_for_a_location_only(&command.act) {
                Err(Refusal::NotYourRole)
            } else {
                Ok(())
            }
        }
        Actor::Desk(region) => deputy(state, command, region.as_str()),
        Actor::Centre(name) => deputy(state, command, name.as_str()),
        Actor::Location(location) => own(state, &command.act, location),
        Actor::Referrer => match &command.act {
            Act::MakeReferral { .. } => Ok(()),
            Act::ChangeReferral { profile } => own_referral(state, command, profile.referral),
            Act::WithdrawReferral { referral, .. } => own_referral(state, command, *referral),
            _ => Err(Refusal::NotYourRole),
        },
        Actor::Keeper => match &command.act {
            Act::LapseOffer { .. } | Act::LapseHold { .. } | Act::AskConfirmation { .. } => Ok(()),
            _ => Err(Refusal::NotYourRole),
        },
    }
}

/// What only a location can say, and no desk for it.
fn is_for_a_location_only(act: &Act) -> bool {
    matches!(act, Act::SeeOffer { .. } | Act::ContestAnswer { .. })
}

fn deputy(state: &Here<'_>, command: &Command, name: &str) -> Result<(), Refusal> {
    let step = command.act.step();
    let covers = |mandate: &Label| mandate.as_str() == step.code() || mandate.as_str() == Step::EVERY;
    let covered = state
        .deputy(command.at)
        .is_some_and(|duty| duty.to.as_str() == name && duty.mandate.iter().any(covers));
    if covered && step != Step::Duty && !is_for_a_location_only(&command.act) {
        Ok(())
    } else {
        Err(Refusal::NoMandate)
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "deny by default: a new act is refused unless it says so here"
)]
fn own(state: &Here<'_>, act: &Act, location: &LocationId) -> Result<(), Refusal> {
    let is_own = |named: &LocationId| {
        if named == location { Ok(()) } else { Err(Refusal::NotYourBed { location: named.clone() }) }
    };
    match act {
        Act::SeeOffer { offer }
        | Act::AcceptOffer { offer, .. }
        | Act::DeclineOffer { offer, .. }
        | Act::TakeBackPromise { offer, .. }
        | Act::AgreeMedically { offer, .. }
        | Act::ContestAnswer { offer, .. } => is_own(&offer.location),
        Act::AgreeArrival { location: named, .. } => is_own(named),
        Act::Admit { place, .. } => is_own(&place.location),
        Act::Discharge { stay, place, .. } => {
            is_own(&place.location).and_then(|()| own_stay(state, *stay, is_own))
        }
        Act::Move { from, to, .. } | Act::CancelMove { from, to, .. } => {
            is_own(&from.location).and_then(|()| is_own(&to.location))
        }
        Act::ReviewTriage { stay, .. }
        | Act::PlanDischarge { stay, .. }
        | Act::SetPlan { stay, .. }
        | Act::WaitFor { stay, .. }
        | Act::SwitchFunding { stay, .. }
        | Act::CancelAdmission { stay }
        | Act::CancelDischarge { stay } => own_stay(state, *stay, is_own),
        Act::Report { fact } => {
            fact.locations().try_for_each(is_own)?;
            fact.stay().map_or(Ok(()), |stay| own_stay(state, stay, is_own))
        }
        Act::CorrectBed { bed, .. } => is_own(&bed.location),
        _ => Err(Refusal::NotYourRole),
    }
}

/// A stay that is known is of the location it is at; one that is not known is nobody else's.
fn own_stay(
    state: &Here<'_>,
    stay: StayId,
    is_own: impl Fn(&LocationId) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    state.stays.get(&stay).map_or(Ok(()), |stay| is_own(&stay.place.location))
}

fn own_referral(state: &Here<'_>, command: &Command, referral: ReferralId) -> Result<(), Refusal> {
    match state.referrals.get(&referral) {
        Some(known) if known.made_by != command.source => Err(Refusal::NotYourReferral),
        Some(_) | None => Ok(()),
    }
}

/// The referral, if it is known and this desk's.
pub(super) fn referral<'a>(state: &'a Here<'_>, named: ReferralId) -> Result<&'a Referral, Refusal> {
    let referral = state.referrals.get(&named).ok_or(Refusal::UnknownReferral)?;
    if referral.region == *state.region {
        Ok(referral)
    } else {
        Err(Refusal::NotYourRegion { region: referral.region.clone() })
    }
}

/// The referral, if it is this desk's and has not ended.
pub(super) fn open_referral<'a>(state: &'a Here<'_>, named: ReferralId) -> Result<&'a Referral, Refusal> {
    let referral = referral(state, named)?;
    if referral.end.is_none() { Ok(referral) } else { Err(Refusal::ReferralEnded) }
}

/// The open referral of an offer, with the offer.
pub(super) fn offer<'a>(
    state: &'a Here<'_>,
    named: &OfferRef,
) -> Result<(&'a Referral, &'a super::Offer), Refusal> {
    let referral = open_referral(state, named.referral)?;
    let offer = referral.offers.get(&named.offer).filter(|offer| offer.location == named.location);
    offer.map(|offer| (referral, offer)).ok_or(Refusal::UnknownOffer)
}

/// Whether this is said by somebody of a location and not by a desk for it.
pub(super) fn by_location(command: &Command) -> bool {
    matches!(command.by, Actor::Location(_))
}
