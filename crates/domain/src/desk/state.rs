//! What a decision stands on: the fold of the events it needs.
//!
//! One [`State`] holds what was folded into it, of any number of regions, referrals, locations and stays; [`super::Scope`]
//! says which events a command needs. Not here: what each event does to a referral, location or stay (their files).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Deref;

use serde::{Deserialize, Serialize};

use super::location::Intake;
use super::referral::Referral;
use super::rules::{RegionRules, RuleBook, Rules};
use super::stays::Stay;
use super::{Contradiction, ContradictionKind};
use crate::availability::Availability;
use crate::{Event, Fact, Label, LocationId, Recorded, ReferralId, RegionId, RuleSet, StayId, Timestamp};

/// What ended is kept so long by [`State::project`]: longer than a discharge can be cancelled (30 days), and than any
/// region looks back for a likely double.
pub const ENDED_KEPT_MICROS: i64 = 31 * DAY_MICROS;
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

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

/// What is so, as far as it was folded, for all desks: each referral, stay and location is with one of them.
///
/// Nothing of the rules is folded, so that a state is a function of the events alone; they are given beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The rules of the regions, as they are given.
    #[serde(skip)]
    pub rule_book: RuleBook,
    /// The rule sets in force, where one was ever switched.
    pub rule_sets: BTreeMap<RegionId, RuleSet>,
    /// Who stands in for which desk.
    pub duties: BTreeMap<RegionId, Duty>,
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
    pub fn new(rule_book: RuleBook) -> Self {
        Self { rule_book, ..Self::default() }
    }

    /// The rules of a region that are in force.
    #[must_use]
    pub fn rules(&self, region: &RegionId) -> &Rules {
        let switched = self.rule_sets.get(region).unwrap_or(&RuleSet::Normal);
        self.rule_book.of(region).under(switched)
    }

    /// Who stands in for the desk of a region at this moment.
    #[must_use]
    pub fn deputy(&self, region: &RegionId, at: Timestamp) -> Option<&Duty> {
        self.duties.get(region).filter(|duty| at < duty.until)
    }

    /// The region a location is of, also when it takes part no longer; `None` if it never did.
    #[must_use]
    pub fn home_of(&self, location: &LocationId) -> Option<&RegionId> {
        let home = self.locations.get(location).and_then(|known| known.home.as_ref());
        home.or_else(|| self.board.mode_of(location).map(|(region, _)| region))
    }

    /// Forgets referrals that ended and stays that closed before this moment. Who asks for one of them later folds its
    /// events anew.
    pub fn forget(&mut self, before: Timestamp) {
        self.referrals.retain(|_, referral| referral.ended_at.is_none_or(|at| at >= before));
        self.stays.retain(|_, stay| stay.closed_at.is_none_or(|at| at >= before));
    }

    /// What does not fit and is not solved, with the region whose desk the referral is with. That a doctor did not agree
    /// is one where the region asks for it.
    pub fn contradictions(&self) -> impl Iterator<Item = (&RegionId, &Contradiction)> {
        self.referrals.values().flat_map(|referral| {
            let doctor_first = self.rules(&referral.region).doctor_first;
            let asked = move |open: &&Contradiction| {
                doctor_first || open.kind != ContradictionKind::AdmittedWithoutAgreement
            };
            referral.contradictions.iter().filter(asked).map(|open| (&referral.region, open))
        })
    }

    /// The last position of the log that was folded.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.board.position()
    }

    /// Takes a recorded event, in the order of the log. Once a day, by the log's own time, what ended more than
    /// [`ENDED_KEPT_MICROS`] before is forgotten.
    pub fn project(&mut self, recorded: &Recorded) {
        let day = |at: Timestamp| at.as_micros().div_euclid(DAY_MICROS);
        if day(recorded.recorded_at) != day(self.board.recorded_at()) {
            self.forget(recorded.recorded_at.saturating_add_micros(-ENDED_KEPT_MICROS));
        }
        self.board.project(recorded, &mut Vec::new());
        self.take_but_board(&recorded.event, recorded.recorded_at);
    }

    /// Takes an event.
    pub(super) fn take(&mut self, event: &Event) {
        self.board.evolve(event);
        self.take_but_board(event, event.time);
    }

    fn take_but_board(&mut self, event: &Event, recorded_at: Timestamp) {
        self.take_desk(event);
        for location in event.fact.locations() {
            let home = self.board.mode_of(location).map(|(region, _)| region);
            let known = self.locations.entry(location.clone()).or_insert_with(Intake::new);
            if known.home.is_none() {
                known.home = home.cloned();
            }
            known.take(event, recorded_at);
        }
        self.take_referral(event, recorded_at);
        self.take_stay(event);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a new fact is not the desk's unless it says so here")]
    fn take_desk(&mut self, event: &Event) {
        let region = || event.region.clone();
        match &event.fact {
            Fact::DutyHandedOver { to, until, mandate } => {
                let duty = Duty { to: to.clone(), until: *until, mandate: mandate.clone() };
                self.duties.insert(region(), duty);
            }
            Fact::DutyTakenBack => {
                self.duties.remove(&event.region);
            }
            Fact::RuleSetSwitched { rule_set } => {
                self.rule_sets.insert(region(), rule_set.clone());
            }
            _ => {}
        }
    }

    fn take_referral(&mut self, event: &Event, recorded_at: Timestamp) {
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
        let Some(referral) = event.fact.referral().and_then(|named| self.referrals.get_mut(&named)) else {
            return;
        };
        if let Fact::StayAdmitted { place, .. } = &event.fact {
            let winner = referral.winner().filter(|winner| winner.location == place.location);
            if !winner.and_then(|winner| winner.promise()).is_some_and(|promise| promise.agreed) {
                referral.open(event, ContradictionKind::AdmittedWithoutAgreement, None);
            }
        }
        referral.take(event, recorded_at);
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

/// The state as the desk of one region decides on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Here<'a> {
    state: &'a State,
    pub(super) region: &'a RegionId,
}

impl<'a> Here<'a> {
    pub(super) fn new(state: &'a State, region: &'a RegionId) -> Self {
        Self { state, region }
    }

    pub(super) fn region_rules(&self) -> &'a RegionRules {
        self.state.rule_book.of(self.region)
    }

    pub(super) fn rules(&self) -> &'a Rules {
        self.state.rules(self.region)
    }

    pub(super) fn rule_set(&self) -> &'a RuleSet {
        self.state.rule_sets.get(self.region).unwrap_or(&RuleSet::Normal)
    }

    pub(super) fn deputy(&self, at: Timestamp) -> Option<&'a Duty> {
        self.state.deputy(self.region, at)
    }
}

impl Deref for Here<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.state
    }
}
