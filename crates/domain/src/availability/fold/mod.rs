//! What each event does: the availability fold of the event contract, in log order.
//!
//! Here: the way of one event through the fold, what is late, what is touched, and the upkeep of the rows.
//! `beds`, `locations`, `holds` and `stays` hold the rows of the contract's table.
//! Not here: the state itself (`bed`, `reported`, `location`, `stay`).

mod beds;
mod holds;
mod locations;
mod stays;

use alloc::vec::Vec;

use crate::{BedRef, Event, Fact, LocationId, StayId};

use super::bed::{Axes, Bed, Counted, Touch};
use super::contradiction::{Contradiction, ContradictionKind};
use super::location::{Change, Location, Stopped};
use super::row::{LastWord, Mark};
use super::stay::{Spot, Stay};
use super::{Availability, CareCode, RowKey};

/// Takes one event into account; `changes` gets each row that may look different once.
pub(super) fn step(state: &mut Availability, event: &Event, mark: Mark, changes: &mut Vec<RowKey>) {
    let named = named_beds(&event.fact);
    let mut step =
        Step { state, event, mark, before: None, touched: named, stale: Vec::new(), rows: Vec::new() };
    if step.is_late() {
        step.contradict(ContradictionKind::Late);
    } else {
        step.apply();
    }
    step.touch();
    step.recount();
    step.hear();
    let mut rows = step.rows;
    rows.sort_unstable();
    rows.dedup();
    changes.append(&mut rows);
}

/// One event on its way through the fold.
struct Step<'a> {
    state: &'a mut Availability,
    event: &'a Event,
    mark: Mark,
    /// The axes of the named bed before this event, if it is one that can be corrected.
    before: Option<Axes>,
    /// Beds this event touches: those it names, and those whose readiness or occupancy it changes.
    touched: Vec<BedRef>,
    /// Beds that may count otherwise now without being touched.
    stale: Vec<BedRef>,
    /// Rows that may look different now.
    rows: Vec<RowKey>,
}

impl Step<'_> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the contract: everything else changes no count")]
    fn apply(&mut self) {
        let event = self.event;
        match &event.fact {
            Fact::LocationRegistered(profile) => self.registered(profile),
            Fact::LocationChanged(profile) => self.location_changed(profile),
            Fact::LocationWithdrawn { location } => self.withdrawn(location),
            Fact::LocationConfirmed { location }
            | Fact::WindowsSet { location, .. }
            | Fact::IntakeLimitSet { location, .. } => self.expect_location(location),
            Fact::AdmissionsStopped { location, ward, reason, review_at } => {
                let since = self.event.occurred_at;
                let stop = Stopped { reason: reason.clone(), since, review_at: *review_at };
                self.stopped(location, ward.as_ref(), stop);
            }
            Fact::AdmissionsResumed { location, ward } => self.resumed(location, ward.as_ref()),
            Fact::CountsReported { location, counts } => self.counts_reported(location, counts),
            Fact::HoldGranted { place, referral, until } => self.granted(place, *referral, *until),
            Fact::HoldExtended { place, referral, until } => self.extended(place, *referral, *until),
            Fact::HoldReleased { place, referral } | Fact::HoldLapsed { place, referral } => {
                self.released(place, *referral);
            }
            Fact::StayAdmitted { stay, place, referral, .. } => self.admitted(*stay, place, *referral),
            Fact::StayMoved { stay, from, to } => self.moved(*stay, from, to),
            Fact::StayMoveCancelled { stay, from, to } => self.move_cancelled(*stay, from, to),
            Fact::StayDischarged { stay, place, ready, .. } => self.discharged(*stay, place, *ready),
            Fact::StayAdmissionCancelled { stay } => self.admission_cancelled(*stay),
            Fact::StayDischargeCancelled { stay } => self.discharge_cancelled(*stay),
            Fact::StayWaitingFor { stay, what, .. } => self.waiting_for(*stay, what),
            Fact::StayDischargePlanned { stay, .. }
            | Fact::StayDischargePlanWithdrawn { stay, .. }
            | Fact::StayPlanSet { stay, .. }
            | Fact::StayTriageReviewed { stay, .. }
            | Fact::StayFundingSwitched { stay, .. } => self.expect_open_stay(*stay),
            fact => self.bed_event(fact),
        }
    }

    /// Whether its source has said something newer about the bed; remembers what this event gives.
    fn is_late(&mut self) -> bool {
        let event = self.event;
        let Some((at, can_be_late)) = tracked_bed(&event.fact) else { return false };
        let Some(bed) = self.bed_mut(&at) else { return false };
        match bed.said.get_mut(&event.source) {
            Some(greatest) if event.occurred_at < *greatest => can_be_late,
            Some(greatest) => {
                *greatest = event.occurred_at;
                false
            }
            None => {
                bed.said.insert(event.source.clone(), event.occurred_at);
                false
            }
        }
    }

    /// Makes this event the latest that touched its beds.
    fn touch(&mut self) {
        let before = self.before.take();
        let event = self.event;
        for at in core::mem::take(&mut self.touched) {
            if let Some(bed) = self.bed_mut(&at) {
                // Events that can be corrected touch the bed they name and no other.
                bed.touch = Touch { source: event.source.clone(), id: event.id, before };
            }
            self.stale.push(at);
        }
    }

    /// Brings the rows in line with the beds that may count otherwise now.
    fn recount(&mut self) {
        for at in core::mem::take(&mut self.stale) {
            let Some(location) = self.state.locations.get_mut(&at.location) else { continue };
            let Some(bed) = location.beds.get(&at.bed) else { continue };
            let stays = &self.state.stays;
            let share = bed.share(location.is_stopped(bed.ward.as_ref()), |stay| {
                stays.get(&stay).is_some_and(|stay| stay.waits)
            });
            let same = bed
                .counted
                .as_ref()
                .is_some_and(|counted| counted.share == share && counted.care_types == bed.care_types);
            if same {
                continue;
            }
            let new = Counted { care_types: bed.care_types.clone(), share };
            let old = bed.counted.clone();
            for (counted, change) in old.iter().map(|old| (old, Change::Remove)).chain([(&new, Change::Add)])
            {
                location.count(counted, change, self.mark);
                self.rows.extend(counted.care_types.iter().map(|code| location.key(*code)));
            }
            location.prune();
            if let Some(bed) = location.beds.get_mut(&at.bed) {
                bed.counted = Some(new);
            }
        }
    }

    /// Keeps the last word of the locations that a location, bed or stay event names.
    fn hear(&mut self) {
        let event = self.event;
        let fact = &event.fact;
        if !["location.", "bed.", "stay."].iter().any(|kind| fact.kind().starts_with(kind)) {
            return;
        }
        let word = self.word();
        for name in fact.locations() {
            let Some(location) = self.state.locations.get_mut(name) else { continue };
            location.last_word = word.clone();
            location.last_word_mark = self.mark;
            let codes = location.rows.keys().chain(location.reported.keys());
            self.rows.extend(codes.map(|code| location.key(*code)));
        }
    }

    fn word(&self) -> LastWord {
        LastWord {
            at: self.mark.recorded_at,
            occurred_at: self.event.occurred_at,
            source: self.event.source.clone(),
        }
    }

    fn location_mut(&mut self, location: &LocationId) -> Option<&mut Location> {
        self.state.locations.get_mut(location)
    }

    fn bed_mut(&mut self, at: &BedRef) -> Option<&mut Bed> {
        self.state.locations.get_mut(&at.location)?.beds.get_mut(&at.bed)
    }

    fn bed(&self, at: &BedRef) -> Option<&Bed> {
        self.state.locations.get(&at.location)?.beds.get(&at.bed)
    }

    fn open_stay_mut(&mut self, stay: StayId) -> Option<&mut Stay> {
        self.state.stays.get_mut(&stay)
    }

    /// The bed counts otherwise, and this event touches it.
    fn touches(&mut self, at: &BedRef) {
        if !self.touched.contains(at) {
            self.touched.push(at.clone());
        }
    }

    /// The row's counts changed.
    fn row_changed(&mut self, location: &LocationId, code: CareCode) {
        let mark = self.mark;
        let Some(location) = self.state.locations.get_mut(location) else { return };
        if let Some(row) = location.reported.get_mut(&code) {
            row.changed = mark;
        }
        let key = location.key(code);
        self.rows.push(key);
    }

    /// Opens a contradiction about what the event names.
    fn contradict(&mut self, why: ContradictionKind) {
        let fact = &self.event.fact;
        let bed = self.touched.first().cloned();
        // A stay event that names no place is about the place its stay has or had.
        let spot = named_stay(fact).and_then(|stay| {
            let open = self.state.stays.get(&stay).map(|stay| &stay.spot);
            open.or_else(|| self.state.closed.spot(stay))
        });
        let (location, bed) = match (fact.location(), bed, spot) {
            (Some(location), bed, _) => (Some(location.clone()), bed.filter(|bed| bed.location == *location)),
            (None, _, Some(Spot::Bed(bed))) => (Some(bed.location.clone()), Some(bed.clone())),
            (None, _, Some(Spot::Row(location, _))) => (Some(location.clone()), None),
            (None, bed, None) => (bed.as_ref().map(|bed| bed.location.clone()), bed),
        };
        self.open_contradiction(why, location, bed.map(|bed| bed.bed));
    }

    /// Opens a contradiction about a bed.
    fn contradict_bed(&mut self, why: ContradictionKind, at: &BedRef) {
        self.open_contradiction(why, Some(at.location.clone()), Some(at.bed.clone()));
    }

    fn open_contradiction(
        &mut self,
        why: ContradictionKind,
        location: Option<LocationId>,
        bed: Option<crate::BedId>,
    ) {
        let known = location.as_ref().and_then(|location| self.state.locations.get(location));
        let region = known.map_or(&self.event.region, |location| &location.region).clone();
        self.state.contradictions.push(Contradiction {
            position: self.mark.position,
            recorded_at: self.mark.recorded_at,
            kind: self.event.fact.kind(),
            region,
            location,
            bed,
            why,
        });
    }
}

/// The bed about which a source's occurred-at is remembered, and whether this kind of event can be late.
#[expect(clippy::wildcard_enum_match_arm, reason = "the contract names these five")]
fn tracked_bed(fact: &Fact) -> Option<(BedRef, bool)> {
    match fact {
        Fact::BedVacated(bed) | Fact::BedFreed(bed) | Fact::BedContaminated(bed) => Some((bed.clone(), true)),
        Fact::StayAdmitted { place, .. } => bed_of(place).map(|bed| (bed, true)),
        Fact::StayDischarged { place, .. } => bed_of(place).map(|bed| (bed, false)),
        _ => None,
    }
}

/// Every bed the event names, where it goes to first.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what names a place with a bed is listed; the rest are bed events"
)]
fn named_beds(fact: &Fact) -> Vec<BedRef> {
    match fact {
        Fact::StayMoved { from, to, .. } => Vec::from([to.clone(), from.clone()]),
        Fact::StayMoveCancelled { from, to, .. } => Vec::from([from.clone(), to.clone()]),
        Fact::HoldGranted { place, .. }
        | Fact::HoldExtended { place, .. }
        | Fact::HoldReleased { place, .. }
        | Fact::HoldLapsed { place, .. }
        | Fact::StayAdmitted { place, .. }
        | Fact::StayDischarged { place, .. } => bed_of(place).into_iter().collect(),
        Fact::OfferSent { offer, bed: Some(bed), .. } | Fact::OfferAccepted { offer, bed: Some(bed), .. } => {
            Vec::from([BedRef { location: offer.location.clone(), bed: bed.clone() }])
        }
        fact => fact.bed().cloned().into_iter().collect(),
    }
}

fn bed_of(place: &crate::Place) -> Option<BedRef> {
    let bed = place.bed.clone()?;
    Some(BedRef { location: place.location.clone(), bed })
}

/// The stay of an event that names a stay and no place.
#[expect(clippy::wildcard_enum_match_arm, reason = "what names a stay and no place is listed")]
fn named_stay(fact: &Fact) -> Option<StayId> {
    match fact {
        Fact::StayAdmissionCancelled { stay }
        | Fact::StayDischargeCancelled { stay }
        | Fact::StayWaitingFor { stay, .. }
        | Fact::StayDischargePlanned { stay, .. }
        | Fact::StayDischargePlanWithdrawn { stay, .. }
        | Fact::StayPlanSet { stay, .. }
        | Fact::StayTriageReviewed { stay, .. }
        | Fact::StayFundingSwitched { stay, .. } => Some(*stay),
        _ => None,
    }
}
