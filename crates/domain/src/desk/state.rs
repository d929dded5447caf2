//! What a decision stands on: the fold of the events it needs.
//!
//! One [`State`] holds what was folded into it, of any number of referrals, locations and stays; [`super::Scope`] says
//! which events a command needs. Not here: what each event does to a referral, location or stay (their files).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::location::Intake;
use super::referral::Referral;
use super::rules::{RegionRules, Rules};
use super::stays::Stay;
use super::{Contradiction, ContradictionKind};
use crate::availability::Availability;
use crate::{Event, Fact, Label, LocationId, ReferralId, RegionId, RuleSet, StayId, Timestamp};

/// Who stands in for the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// The region of the desk or the name of the centre.
    pub to: Label,
    /// Until when.
    pub until: Timestamp,
    /// Which steps it may take.
    pub mandate: Vec<Label>,
}

/// What is so, as far as it was folded, for the desk of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whose desk decides.
    pub region: RegionId,
    /// Its rules.
    pub region_rules: RegionRules,
    /// The rule set in force.
    pub rule_set: RuleSet,
    /// Who stands in for the desk.
    pub duty: Option<Duty>,
    /// Beds and stays, as on the board.
    pub board: Availability,
    /// How locations take people in.
    pub locations: BTreeMap<LocationId, Intake>,
    /// Referrals.
    pub referrals: BTreeMap<ReferralId, Referral>,
    /// Stays.
    pub stays: BTreeMap<StayId, Stay>,
}

impl State {
    /// Before any event.
    #[must_use]
    pub fn new(region: RegionId, region_rules: RegionRules) -> Self {
        Self {
            region,
            region_rules,
            rule_set: RuleSet::Normal,
            duty: None,
            board: Availability::default(),
            locations: BTreeMap::new(),
            referrals: BTreeMap::new(),
            stays: BTreeMap::new(),
        }
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        self.region_rules.under(&self.rule_set)
    }

    /// Who stands in for the desk at this moment.
    #[must_use]
    pub fn deputy(&self, at: Timestamp) -> Option<&Duty> {
        self.duty.as_ref().filter(|duty| at < duty.until)
    }

    /// What does not fit and is not solved.
    pub fn contradictions(&self) -> impl Iterator<Item = &Contradiction> {
        self.referrals.values().flat_map(|referral| &referral.contradictions)
    }

    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event) {
        self.board.evolve(event);
        self.take_desk(event);
        for location in event.fact.locations() {
            let region = &event.region;
            self.locations.entry(location.clone()).or_insert_with(|| Intake::new(region.clone())).take(event);
        }
        self.take_referral(event);
        self.take_stay(event);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a new fact is not the desk's unless it says so here")]
    fn take_desk(&mut self, event: &Event) {
        if event.region != self.region {
            return;
        }
        match &event.fact {
            Fact::DutyHandedOver { to, until, mandate } => {
                self.duty = Some(Duty { to: to.clone(), until: *until, mandate: mandate.clone() });
            }
            Fact::DutyTakenBack => self.duty = None,
            Fact::RuleSetSwitched { rule_set } => self.rule_set = rule_set.clone(),
            _ => {}
        }
    }

    fn take_referral(&mut self, event: &Event) {
        if let Fact::ReferralMade(profile) = &event.fact {
            let made = || Referral::new(event, profile);
            self.referrals.entry(profile.referral).or_insert_with(made);
            return;
        }
        if let Fact::StayAdmissionCancelled { stay } = &event.fact {
            for referral in self.referrals.values_mut() {
                referral.not_admitted(*stay);
            }
            for location in self.locations.values_mut() {
                location.not_admitted(*stay);
            }
            return;
        }
        let doctor_first = self.rules().doctor_first;
        let Some(referral) = event.fact.referral().and_then(|named| self.referrals.get_mut(&named)) else {
            return;
        };
        if let Fact::StayAdmitted { place, .. } = &event.fact
            && doctor_first
        {
            let winner = referral.winner().filter(|winner| winner.location == place.location);
            if !winner.and_then(|winner| winner.promise()).is_some_and(|promise| promise.agreed) {
                referral.open(event, ContradictionKind::AdmittedWithoutAgreement, None);
            }
        }
        referral.take(event);
    }

    fn take_stay(&mut self, event: &Event) {
        if let Fact::StayAdmissionCancelled { stay } = &event.fact {
            self.stays.remove(stay);
            return;
        }
        let Some(stay) = event.fact.stay() else { return };
        match self.stays.get_mut(&stay) {
            Some(known) => known.take(event),
            None => {
                if let Some(began) = Stay::begun_by(event) {
                    self.stays.insert(stay, began);
                }
            }
        }
    }
}
