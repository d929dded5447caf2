//! What an act or a question is about, as the authorisation has to know it: whose region, which locations, made by whom.
//!
//! Not here: who may (`domain::access`), what the rules say then (`domain::desk`).

use domain::access::{About, Action, Principal, Role, is_deputy};
use domain::desk::{Act, Referral, State, Stay};
use domain::{Fact, LocationId, ReferralId, RegionId, StayId, Timestamp};
use network::Network;

use super::who;

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

    /// Something of a location; `None` for one that takes no part.
    pub(crate) fn location(state: &State, location: &LocationId, now: Timestamp) -> Option<Self> {
        state.board.last_heard(location)?;
        let region = state.home_of(location)?;
        Some(Self::region(state, region, now).at(state, location))
    }

    /// A referral; `None` for one that is not known.
    pub(crate) fn referral(state: &State, referral: ReferralId, now: Timestamp) -> Option<Self> {
        Some(Self::of_referral(state, state.referrals.get(&referral)?, now))
    }

    fn of_referral(state: &State, referral: &Referral, now: Timestamp) -> Self {
        let mut subject = Self::region(state, &referral.region, now);
        subject.about.asked.clone_from(&referral.with);
        let asked_deputy = referral.with.as_ref().and_then(|asked| state.deputy(asked, now));
        subject.about.asked_deputy = asked_deputy.map(|duty| duty.to.clone());
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
        let region = state.home_of(location).cloned();
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
        if !matches!(principal.role, Role::LocationStaff { .. }) {
            return Some(subject);
        }
        let offers = &state.referrals.get(&referral)?.offers;
        let own = offers
            .values()
            .map(|offer| &offer.location)
            .find(|location| works_at(state, principal, location));
        Some(match own {
            Some(location) => subject.at(state, location),
            None => subject,
        })
    }

    /// The region whose desk decides when this principal acts: that of the desk that was asked to take a referral, for that
    /// desk and for whoever stands in for it.
    pub(crate) fn deciding(&self, act: &Act, principal: &Principal) -> Option<RegionId> {
        let About { region, asked, asked_deputy, .. } = &self.about;
        let is_asked = match (&principal.role, asked) {
            // Its own referral: it takes it back, also where it stands in for the desk it asked.
            (Role::DeskOperator { region: own }, _) if region.as_ref() == Some(own) => false,
            (Role::DeskOperator { region: own }, Some(asked)) if own == asked => true,
            (role, _) => asked_deputy.as_ref().is_some_and(|deputy| is_deputy(role, deputy)),
        };
        if is_asked && matches!(act, Act::TakeOver { .. }) { asked.clone() } else { region.clone() }
    }
}

/// Whether this principal may know why admissions are stopped at a location: whoever places people, and the house itself. Everybody
/// may know that they are, and since when.
pub(crate) fn sees_why_stopped(
    state: &State,
    principal: &Principal,
    location: &LocationId,
    now: Timestamp,
) -> bool {
    let subject = Subject::location(state, location, now);
    subject.is_some_and(|subject| who::permits(principal, Action::WhyStopped, &subject.about))
}

/// Whether this principal works at a location; what is not of a location's role is not asked here.
pub(crate) fn works_at(state: &State, principal: &Principal, location: &LocationId) -> bool {
    match &principal.role {
        Role::LocationStaff { region, locations } | Role::WardDevice { region, locations } => {
            state.home_of(location) == Some(region) && locations.has(location)
        }
        Role::DeskOperator { .. }
        | Role::Referrer { .. }
        | Role::Centre { .. }
        | Role::Auditor { .. }
        | Role::Admin => false,
    }
}

/// From where an act is looked at: what is so, who takes part, who wants it and when.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) state: &'a State,
    pub(crate) network: &'a Network,
    pub(crate) principal: &'a Principal,
    pub(crate) now: Timestamp,
}

impl Scene<'_> {
    /// The region of a location that may not have taken part yet: where it did before, else as the network file has it, else
    /// that of the network whose code its id begins with.
    fn home(&self, location: &LocationId) -> Option<&RegionId> {
        let named = || self.network.location(location).map(|known| &known.region);
        let begins = |region: &&network::Region| {
            let rest = location.as_str().strip_prefix(region.code.as_str());
            rest.is_some_and(|rest| rest.starts_with('-'))
        };
        let coded = || {
            let regions = self.network.regions().filter(begins).map(|region| &region.code);
            regions.max_by_key(|code| code.as_str().len())
        };
        self.state.home_of(location).or_else(named).or_else(coded)
    }

    /// A location's word about itself or its beds. One that is not known yet registers, in its own region.
    fn of_word(&self, fact: &Fact, region: Option<&RegionId>) -> Option<Subject> {
        let Self { state, now, .. } = *self;
        let location = fact.locations().next()?;
        let home = self.home(location);
        if region.is_some_and(|region| home.is_some_and(|home| home != region)) {
            return None;
        }
        let known = Subject::location(state, location, now);
        known.or_else(|| Some(Subject::region(state, region?, now).at(state, location)))
    }

    /// A referral, for whoever says what becomes of it at this location. A location says nothing of one that it was not asked
    /// for, but who it took in is its own word where the referral is of its region.
    fn of_referral_at(&self, referral: ReferralId, location: &LocationId, takes_in: bool) -> Option<Subject> {
        let Self { state, principal, now, .. } = *self;
        let subject = Subject::referral_for(state, referral, principal, now)?;
        if let Role::LocationStaff { region, .. } = &principal.role {
            let of_region = takes_in && subject.about.region.as_ref() == Some(region);
            if subject.about.locations.is_empty() && !of_region {
                return None;
            }
        }
        // A source may speak for several that were asked: here it speaks for the one it names.
        Some(Subject { location: Some(location.clone()), ..subject.at(state, location) })
    }
}

/// What an act is about; `None` if there is no such thing. `region` is that of the address or the body.
pub(crate) fn of_act(scene: Scene<'_>, act: &Act, region: Option<&RegionId>) -> Option<Subject> {
    let Scene { state, now, .. } = scene;
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
        | Act::TakeBackPromise { offer, .. }
        | Act::AgreeMedically { offer, .. }
        | Act::ContestAnswer { offer, .. }
        | Act::ChooseOffer { offer, .. } => Some(referral(&offer.referral)?.at(state, &offer.location)),
        Act::AgreeArrival { referral: named, location, .. } => scene.of_referral_at(*named, location, false),
        Act::ExtendHold { referral: named, location, .. }
        | Act::ReleaseHold { referral: named, location } => Some(referral(named)?.at(state, location)),
        Act::Admit { referral: Some(named), place, .. } => {
            scene.of_referral_at(*named, &place.location, true)
        }
        Act::LapseHold { referral: named, place } => Some(referral(named)?.at(state, &place.location)),
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
        Act::Report { fact } => scene.of_word(fact, region),
    }
}
