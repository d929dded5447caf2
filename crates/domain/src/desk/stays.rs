//! Steps 7 to 9: somebody comes in, is looked at again, waits, goes home; and what of that was not so.
//!
//! Here: the commands, which can be refused, and the state of a stay. A location's bare facts go through `report`.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::authority::open_referral;
use super::holds::{placed_at, until_after_arrival};
use super::place::free_bed;
use super::{Act, Command, End, Here, Refusal};
use crate::availability::Taken;
use crate::{
    BedId, BedRef, CareType, Event, EventId, Fact, Label, LocationMode, Place, PlanStep, ReferralId,
    RegionId, SourceId, StayId, Timestamp, WaitingFor,
};

/// A discharge can be cancelled within 30 days (the contract's number), in microseconds.
const CANCEL_WITHIN_MICROS: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// One stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// The region of the event that began it, or moved it.
    pub region: RegionId,
    /// Where it is, or last was.
    pub place: Place,
    /// The referral it came from.
    pub referral: Option<ReferralId>,
    /// Whose word the admission is, and which; nothing once it moved to another bed.
    pub admitted: Option<(SourceId, EventId)>,
    /// When it was discharged.
    pub closed_at: Option<Timestamp>,
    /// What it waits for, and since when.
    pub waiting: Option<(WaitingFor, Timestamp)>,
    /// The plan for going home.
    pub plan: Vec<PlanStep>,
    /// The planned day of leaving.
    pub expected_at: Option<Timestamp>,
    /// Who pays.
    pub funding: Option<Label>,
    /// What the weighing came to when the person was seen.
    pub reviewed: Option<CareType>,
}

impl Stay {
    /// The stay that begins with this event.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only these begin a stay")]
    pub(super) fn begun_by(event: &Event) -> Option<Self> {
        let (place, referral, funding) = match &event.fact {
            Fact::StayAdmitted { place, referral, funding, .. } => {
                (place.clone(), *referral, funding.clone())
            }
            Fact::StayMoved { to, .. } => (
                Place {
                    location: to.location.clone(),
                    bed: Some(to.bed.clone()),
                    care_type: CareType::from("other"),
                },
                None,
                None,
            ),
            _ => return None,
        };
        Some(Self {
            region: event.region.clone(),
            place,
            referral,
            admitted: matches!(event.fact, Fact::StayAdmitted { .. })
                .then(|| (event.source.clone(), event.id)),
            closed_at: None,
            waiting: None,
            plan: Vec::new(),
            expected_at: None,
            funding,
            reviewed: None,
        })
    }

    /// Takes an event that names it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a new fact changes no stay unless it says so here")]
    pub(super) fn take(&mut self, event: &Event) {
        match &event.fact {
            Fact::StayAdmitted { place, referral, funding, .. } => {
                self.region = event.region.clone();
                self.place = place.clone();
                self.admitted = Some((event.source.clone(), event.id));
                self.closed_at = None;
                self.referral = referral.or(self.referral);
                self.funding = funding.clone().or_else(|| self.funding.take());
            }
            Fact::StayMoved { to, .. } => {
                self.region = event.region.clone();
                self.is_at(to);
                self.closed_at = None;
            }
            Fact::StayMoveCancelled { from, .. } if self.closed_at.is_none() => self.is_at(from),
            Fact::StayDischargePlanned { expected_at, .. } => self.expected_at = *expected_at,
            Fact::StayDischargePlanWithdrawn { .. } => self.expected_at = None,
            Fact::StayWaitingFor { what, since, .. } => {
                self.waiting = (*what != WaitingFor::Nothing).then(|| (what.clone(), *since));
            }
            Fact::StayPlanSet { items, .. } => self.plan.clone_from(items),
            Fact::StayTriageReviewed { outcome, .. } => self.reviewed = Some(outcome.clone()),
            Fact::StayFundingSwitched { funding, .. } => self.funding = Some(funding.clone()),
            Fact::StayDischarged { .. } if self.closed_at.is_none() => {
                self.closed_at = Some(event.time);
                self.waiting = None;
            }
            Fact::StayDischargeCancelled { .. } => self.closed_at = None,
            _ => {}
        }
    }

    fn is_at(&mut self, bed: &BedRef) {
        self.place.location = bed.location.clone();
        self.place.bed = Some(bed.bed.clone());
        self.admitted = None;
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    match &command.act {
        Act::Admit { stay, referral, place, funding, triage, plan } => {
            may_admit(state, *stay, *referral, place)?;
            let mut facts = Vec::new();
            let kept = referral.and_then(|named| state.referrals.get(&named));
            if let Some(open) = kept {
                facts.extend(open.end_others(open.chosen));
                if is_late(state, command, place) {
                    facts.extend(open.hold_at(&place.location).map(|hold| open.released(hold)));
                }
            }
            let (place, funding) = (place.clone(), funding.clone());
            facts.push(Fact::StayAdmitted { stay: *stay, place, referral: *referral, funding });
            let reviewed =
                |outcome: &CareType| Fact::StayTriageReviewed { stay: *stay, outcome: outcome.clone() };
            facts.extend(triage.as_ref().map(reviewed));
            if !plan.is_empty() {
                facts.push(Fact::StayPlanSet { stay: *stay, items: plan.clone() });
            }
            Ok(facts)
        }
        Act::CancelAdmission { stay } => {
            let open = open_stay(state, *stay)?;
            let mut facts = Vec::from([Fact::StayAdmissionCancelled { stay: *stay }]);
            facts.extend(kept_again(state, command.at, *stay, open));
            Ok(facts)
        }
        Act::Move { stay, from, to } => {
            let open = open_stay(state, *stay)?;
            is_there(open, &from.location, Some(&from.bed))?;
            free_bed(state, &to.location, &to.bed, open.referral)?;
            Ok(Vec::from([Fact::StayMoved { stay: *stay, from: from.clone(), to: to.clone() }]))
        }
        Act::CancelMove { stay, from, to } => {
            let open = open_stay(state, *stay)?;
            is_there(open, &to.location, Some(&to.bed))?;
            free_bed(state, &from.location, &from.bed, open.referral)?;
            Ok(Vec::from([Fact::StayMoveCancelled { stay: *stay, from: from.clone(), to: to.clone() }]))
        }
        Act::Discharge { stay, place, destination, ready, care_hours_at_home } => {
            let open = open_stay(state, *stay)?;
            is_there(open, &place.location, place.bed.as_ref())?;
            Ok(Vec::from([Fact::StayDischarged {
                stay: *stay,
                place: place.clone(),
                destination: destination.clone(),
                ready: *ready,
                care_hours_at_home: *care_hours_at_home,
            }]))
        }
        Act::CancelDischarge { stay } => {
            let closed = known_stay(state, *stay)?;
            let closed_at = closed.closed_at.ok_or(Refusal::StayOpen)?;
            if command.at > closed_at.saturating_add_micros(CANCEL_WITHIN_MICROS) {
                return Err(Refusal::CancelledTooLate);
            }
            if let Some(bed) = &closed.place.bed {
                free_bed(state, &closed.place.location, bed, closed.referral)?;
            }
            Ok(Vec::from([Fact::StayDischargeCancelled { stay: *stay }]))
        }
        _ => going_home(state, command),
    }
}

/// What happens while somebody stays, without a place changing.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
fn going_home(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    let waits = |stay: &StayId, what: &WaitingFor, since: Timestamp| Fact::StayWaitingFor {
        stay: *stay,
        what: what.clone(),
        since,
    };
    match &command.act {
        Act::ReviewTriage { stay, outcome } => {
            open_stay(state, *stay)?;
            Ok(Vec::from([Fact::StayTriageReviewed { stay: *stay, outcome: outcome.clone() }]))
        }
        Act::PlanDischarge { stay, expected_at } => {
            let open = open_stay(state, *stay)?;
            let (stay, planned) = (*stay, open.expected_at);
            Ok(match (expected_at, planned) {
                (Some(_), _) => Vec::from([Fact::StayDischargePlanned { stay, expected_at: *expected_at }]),
                (None, Some(_)) => {
                    Vec::from([Fact::StayDischargePlanWithdrawn { stay, expected_at: planned }])
                }
                (None, None) => Vec::new(),
            })
        }
        Act::SetPlan { stay, items } => {
            open_stay(state, *stay)?;
            Ok(Vec::from([Fact::StayPlanSet { stay: *stay, items: items.clone() }]))
        }
        Act::WaitFor { stay, what, since } => {
            let open = open_stay(state, *stay)?;
            let known = open.waiting.as_ref().filter(|(known, _)| known == what).map(|(_, since)| *since);
            let now = command.occurred_at.unwrap_or(command.at);
            let since = since.or(known).unwrap_or(now);
            let waits_for_nothing = *what == WaitingFor::Nothing && open.waiting.is_none();
            let is_so = known == Some(since) || waits_for_nothing;
            Ok((!is_so).then(|| waits(stay, what, since)).into_iter().collect())
        }
        Act::SwitchFunding { stay, funding, waits_for } => {
            open_stay(state, *stay)?;
            let switched = Fact::StayFundingSwitched { stay: *stay, funding: funding.clone() };
            let since = waits_for.as_ref().map(|(what, since)| waits(stay, what, *since));
            Ok([switched].into_iter().chain(since).collect())
        }
        _ => Err(Refusal::NotYourRole),
    }
}

/// Whether an admission has no effect on the board, because its source said something newer about the bed: it would not
/// end what is kept there for the referral.
fn is_late(state: &Here<'_>, command: &Command, place: &Place) -> bool {
    let Some(bed) = place.bed.clone() else { return false };
    let bed = BedRef { location: place.location.clone(), bed };
    state.board.is_late(&bed, &command.source, command.occurred_at.unwrap_or(command.at))
}

/// Who was not admitted after all still comes: the place that was promised is kept for them again, if the stay had it to
/// the last.
fn kept_again(state: &Here<'_>, now: Timestamp, stay: StayId, open: &Stay) -> Option<Fact> {
    let place = &open.place;
    let referral = state.referrals.get(&open.referral?)?;
    if referral.end != Some(End::Admitted(stay)) || referral.region != *state.region {
        return None;
    }
    let promise = referral.winner().filter(|winner| winner.location == place.location)?.promise()?;
    if promise.care_type != place.care_type {
        return None;
    }
    let has_it = match &place.bed {
        Some(bed) => {
            let bed = BedRef { location: place.location.clone(), bed: bed.clone() };
            state.board.bed_state(&bed)?.taken == Taken::By(stay)
        }
        None => state.board.row_state(&place.location, &place.care_type, referral.id()).is_some(),
    };
    let arrives = referral.arrival.as_ref().filter(|arrival| arrival.location == place.location);
    let until = arrives.and_then(|arrival| until_after_arrival(state, now, arrival.at).ok());
    let until = until.or_else(|| super::holds::until(state, now, referral, promise.from.max(now)).ok());
    let until = until.filter(|_| has_it)?;
    Some(Fact::HoldGranted { place: place.clone(), referral: referral.id(), until })
}

/// The stay, if it is known and in this region.
fn known_stay<'a>(state: &'a Here<'_>, stay: StayId) -> Result<&'a Stay, Refusal> {
    let stay = state.stays.get(&stay).ok_or(Refusal::UnknownStay)?;
    if stay.region == *state.region {
        Ok(stay)
    } else {
        Err(Refusal::NotYourRegion { region: stay.region.clone() })
    }
}

fn open_stay<'a>(state: &'a Here<'_>, stay: StayId) -> Result<&'a Stay, Refusal> {
    let stay = known_stay(state, stay)?;
    if stay.closed_at.is_none() { Ok(stay) } else { Err(Refusal::StayClosed) }
}

fn is_there(stay: &Stay, location: &crate::LocationId, bed: Option<&BedId>) -> Result<(), Refusal> {
    let there = stay.place.location == *location && stay.place.bed.as_ref() == bed;
    if there { Ok(()) } else { Err(Refusal::StayElsewhere { location: stay.place.location.clone() }) }
}

fn may_admit(
    state: &Here<'_>,
    stay: StayId,
    referral: Option<ReferralId>,
    place: &Place,
) -> Result<(), Refusal> {
    if state.stays.contains_key(&stay) {
        return Err(Refusal::StayKnown);
    }
    let location = || place.location.clone();
    let Some((region, mode)) = state.board.mode_of(&place.location) else {
        return Err(Refusal::UnknownLocation { location: location() });
    };
    if region != state.region {
        return Err(Refusal::NotYourRegion { region: region.clone() });
    }
    if let Some(referral) = referral {
        let open = open_referral(state, referral)?;
        let (winner, _) = placed_at(open, &place.location)?;
        if state.rules().doctor_first && !winner.promise().is_some_and(|promise| promise.agreed) {
            return Err(Refusal::AgreementMissing);
        }
    } else if state.board.is_stopped(&place.location) {
        // Who has a place kept comes all the same: that was before the stop.
        return Err(Refusal::AdmissionsStopped { location: location() });
    }
    match (&place.bed, mode) {
        (Some(bed), _) => free_bed(state, &place.location, bed, referral),
        (None, LocationMode::Counts) => Ok(()),
        (None, LocationMode::Beds | LocationMode::Other(_)) => {
            Err(Refusal::UnknownBed { location: location() })
        }
    }
}
