//! What an act or a question is about, as the authorisation has to know it: whose region, which locations, made by whom.
//!
//! Not here: who may (`domain::access`), what the rules say then (`domain::desk`).

use domain::access::{About, Principal, Role};
use domain::desk::{Act, Referral, State, Stay};
use domain::{LocationId, ReferralId, RegionId, StayId, Timestamp};

/// What something is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    /// For the authorisation.
    pub(crate) about: About,
    /// The location it is about, if it is about one.
    pub(crate) location: Option<LocationId>,
}

impl Subject {
    /// Something of a region.
    pub(crate) fn region(state: &State, region: &RegionId, now: Timestamp) -> Self {
        let deputy = state.deputy(region, now).map(|duty| duty.to.clone());
        Self { about: About { region: Some(region.clone()), deputy, ..About::default() }, location: None }
    }

    /// Something of a location; `None` for one that is not known.
    pub(crate) fn location(state: &State, location: &LocationId, now: Timestamp) -> Option<Self> {
        let (region, _) = state.board.last_heard(location)?;
        Some(Self::region(state, region, now).at(state, location))
    }

    /// A referral; `None` for one that is not known.
    pub(crate) fn referral(state: &State, referral: ReferralId, now: Timestamp) -> Option<Self> {
        Some(Self::of_referral(state, state.referrals.get(&referral)?, now))
    }

    fn of_referral(state: &State, referral: &Referral, now: Timestamp) -> Self {
        let mut subject = Self::region(state, &referral.region, now);
        subject.about.asked.clone_from(&referral.with);
        subject.about.made_by = Some(referral.made_by.clone());
        subject
    }

    /// A stay; `None` for one that is not known.
    pub(crate) fn stay(state: &State, stay: StayId, now: Timestamp) -> Option<Self> {
        Some(Self::of_stay(state, state.stays.get(&stay)?, now))
    }

    fn of_stay(state: &State, stay: &Stay, now: Timestamp) -> Self {
        Self::region(state, &stay.region, now).at(state, &stay.place.location)
    }

    /// The same, at this location too. One that nobody knows is of the region it is spoken of in.
    pub(crate) fn at(mut self, state: &State, location: &LocationId) -> Self {
        let region = state.board.last_heard(location).map(|(region, _)| region.clone());
        if let Some(region) = region.or_else(|| self.about.region.clone()) {
            self.about.locations.insert(location.clone(), region);
        }
        self.location.get_or_insert_with(|| location.clone());
        self
    }

    /// A referral as this principal looks at it: a location comes to it by an offer that was made to it.
    pub(crate) fn referral_for(
        state: &State,
        referral: ReferralId,
        principal: &Principal,
        now: Timestamp,
    ) -> Option<Self> {
        let subject = Self::referral(state, referral, now)?;
        let Role::LocationStaff { region, locations } = &principal.role else { return Some(subject) };
        let offers = &state.referrals.get(&referral)?.offers;
        let own = offers.values().map(|offer| &offer.location).find(|location| {
            let of_region = state.board.last_heard(location).is_some_and(|(of, _)| of == region);
            of_region && locations.has(location)
        });
        Some(match own {
            Some(location) => subject.at(state, location),
            None => subject,
        })
    }

    /// The region whose desk decides when this principal acts: its own where it was asked to take a referral.
    pub(crate) fn deciding(&self, act: &Act, principal: &Principal) -> Option<RegionId> {
        match (&principal.role, act) {
            (Role::DeskOperator { region }, Act::TakeOver { .. })
                if self.about.asked.as_ref() == Some(region) =>
            {
                Some(region.clone())
            }
            _ => self.about.region.clone(),
        }
    }
}

/// What an act is about; `None` if there is no such thing. `region` is that of the address or the body.
pub(crate) fn of_act(state: &State, act: &Act, region: Option<&RegionId>, now: Timestamp) -> Option<Subject> {
    let of_region = || region.map(|region| Subject::region(state, region, now));
    let referral = |referral: &ReferralId| Subject::referral(state, *referral, now);
    match act {
        Act::MakeReferral { .. }
        | Act::HandOverDuty { .. }
        | Act::TakeBackDuty
        | Act::SwitchRuleSet { .. }
        | Act::LogContact { referral: None, .. } => of_region(),
        Act::ChangeReferral { profile } => referral(&profile.referral),
        Act::WithdrawReferral { referral: named, .. }
        | Act::DivertReferral { referral: named, .. }
        | Act::GiveUp { referral: named, .. }
        | Act::Triage { referral: named, .. }
        | Act::SendOffers { referral: named, .. }
        | Act::Escalate { referral: named, .. }
        | Act::TakeOver { referral: named }
        | Act::LogContact { referral: Some(named), .. }
        | Act::Raise { referral: named, .. } => referral(named),
        Act::SeeOffer { offer }
        | Act::RevokeOffer { offer }
        | Act::LapseOffer { offer }
        | Act::AcceptOffer { offer, .. }
        | Act::DeclineOffer { offer, .. }
        | Act::AgreeMedically { offer, .. }
        | Act::ContestAnswer { offer, .. }
        | Act::ChooseOffer { offer, .. } => Some(referral(&offer.referral)?.at(state, &offer.location)),
        Act::AgreeArrival { referral: named, location, .. }
        | Act::ExtendHold { referral: named, location, .. }
        | Act::ReleaseHold { referral: named, location } => Some(referral(named)?.at(state, location)),
        Act::LapseHold { referral: named, place } | Act::Admit { referral: Some(named), place, .. } => {
            Some(referral(named)?.at(state, &place.location))
        }
        Act::Admit { referral: None, place, .. } => Subject::location(state, &place.location, now),
        Act::ReviewTriage { stay, .. }
        | Act::PlanDischarge { stay, .. }
        | Act::SetPlan { stay, .. }
        | Act::WaitFor { stay, .. }
        | Act::SwitchFunding { stay, .. }
        | Act::CancelAdmission { stay }
        | Act::CancelDischarge { stay } => Subject::stay(state, *stay, now),
        Act::Move { stay, from, to } | Act::CancelMove { stay, from, to } => {
            Some(Subject::stay(state, *stay, now)?.at(state, &from.location).at(state, &to.location))
        }
        Act::Discharge { stay, place, .. } => {
            Some(Subject::stay(state, *stay, now)?.at(state, &place.location))
        }
        Act::AskConfirmation { location } => Subject::location(state, location, now),
        Act::CorrectBed { bed, .. } => Subject::location(state, &bed.location, now),
        Act::Report { fact } => {
            let first = fact.locations().next()?;
            let known = Subject::location(state, first, now);
            // A location that registers is not known before.
            known.or_else(|| Some(of_region()?.at(state, first)))
        }
    }
}
