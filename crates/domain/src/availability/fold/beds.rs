//! What `bed.*` events do.
//!
//! Not here: admissions, moves and discharges (`stays`), holds (`holds`).

use crate::{BedProfile, BedRef, EventId, Fact};

use super::Step;
use crate::availability::bed::{Axes, Bed, Occupancy, Readiness, Service, Staffing, Touch};
use crate::availability::contradiction::ContradictionKind;
use crate::availability::location::{Change, Location};
use crate::availability::stay::Spot;

impl Step<'_> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the contract: everything else changes no count")]
    pub(super) fn bed_event(&mut self, fact: &Fact) {
        match fact {
            Fact::BedAdded(profile) => self.bed_added(profile),
            Fact::BedChanged(profile) => self.bed_changed(profile),
            Fact::BedRemoved(at) => self.bed_removed(at),
            Fact::BedClosed { bed: at, .. } => self.axis(at, |axes| axes.service = Service::Closed),
            Fact::BedOpened(at) => self.axis(at, |axes| axes.service = Service::Open),
            Fact::BedStaffed(at) => self.axis(at, |axes| axes.staffing = Staffing::Staffed),
            Fact::BedUnstaffed(at) => self.axis(at, |axes| axes.staffing = Staffing::Unstaffed),
            Fact::BedContaminated(at) => self.axis(at, |axes| axes.readiness = Readiness::Contaminated),
            Fact::BedVacated(at) => {
                self.axis(at, |axes| axes.readiness = axes.readiness.cleaning());
                self.lose_stay(at);
            }
            Fact::BedFreed(at) => {
                self.axis(at, |axes| axes.readiness = Readiness::Ready);
                if self.lose_stay(at) {
                    self.contradict(ContradictionKind::FreedOccupied);
                }
            }
            Fact::BedCorrected { bed, corrects } => self.corrected(bed, *corrects),
            _ => {}
        }
    }

    fn bed_added(&mut self, profile: &BedProfile) {
        let touch = Touch { source: self.event.source.clone(), id: self.event.id, before: None };
        let at = &profile.bed;
        let Some(location) = self.location_mut(&at.location) else {
            return self.contradict(ContradictionKind::UnknownLocation);
        };
        if location.reports_counts() {
            return self.contradict(ContradictionKind::BedAtReportingLocation);
        }
        if let Some(bed) = location.beds.get_mut(&at.bed) {
            bed.change(profile);
            return self.contradict(ContradictionKind::BedAddedTwice);
        }
        location.beds.insert(at.bed.clone(), Bed::new(profile, touch));
    }

    fn bed_changed(&mut self, profile: &BedProfile) {
        match self.bed_mut(&profile.bed) {
            Some(bed) => bed.change(profile),
            None => self.contradict(ContradictionKind::UnknownBed),
        }
    }

    /// The bed is gone, with its memory; also when its location is withdrawn.
    pub(super) fn bed_removed(&mut self, at: &BedRef) {
        let Some(occupancy) = self.bed(at).map(|bed| bed.axes.occupancy) else {
            return self.contradict(ContradictionKind::UnknownBed);
        };
        match occupancy {
            Occupancy::Free => {}
            Occupancy::Held(..) => {
                self.end_bed_hold(at);
                self.contradict_bed(ContradictionKind::RemovedHeld, at);
            }
            Occupancy::Occupied(_) => {
                self.lose_stay(at);
                self.contradict_bed(ContradictionKind::RemovedOccupied, at);
            }
        }
        let mark = self.mark;
        let Some(location) = self.state.locations.get_mut(&at.location) else { return };
        if let Some(counted) = location.beds.remove(&at.bed).and_then(|bed| bed.counted) {
            location.count(&counted, Change::Remove, mark);
            location.prune();
            self.rows.extend(counted.care_types.iter().map(|code| location.key(*code)));
        }
    }

    /// Sets one axis, in a way that can be corrected.
    fn axis(&mut self, at: &BedRef, set: fn(&mut Axes)) {
        let Some(bed) = self.bed_mut(at) else { return self.contradict(ContradictionKind::UnknownBed) };
        let before = bed.axes;
        set(&mut bed.axes);
        self.before = Some(before);
    }

    /// An occupied bed becomes free and its stay loses it: it stays open without a bed. Whether it was occupied.
    pub(super) fn lose_stay(&mut self, at: &BedRef) -> bool {
        let Some(bed) = self.bed_mut(at) else { return false };
        let Occupancy::Occupied(stay) = bed.axes.occupancy else { return false };
        bed.axes.occupancy = Occupancy::Free;
        self.touches(at);
        if let Some(stay) = self.state.stays.get_mut(&stay) {
            stay.there = false;
        }
        true
    }

    /// A held bed becomes free.
    pub(super) fn end_bed_hold(&mut self, at: &BedRef) {
        let Some(bed) = self.bed_mut(at) else { return };
        let Occupancy::Held(referral, _) = bed.axes.occupancy else { return };
        bed.axes.occupancy = Occupancy::Free;
        self.touches(at);
        self.forget_hold(referral, &Spot::Bed(at.clone()));
    }

    /// The bed as before the event that was wrong, if that was the last word about it.
    fn corrected(&mut self, at: &BedRef, corrects: EventId) {
        let Some(bed) = self.bed(at) else { return self.contradict(ContradictionKind::UnknownBed) };
        let last = bed.touch.id == corrects && bed.touch.source == self.event.source;
        let Some(before) = bed.touch.before.filter(|_| last) else {
            return self.contradict(ContradictionKind::NothingToCorrect);
        };
        let mut axes = before;
        // Nothing has touched the bed since, so if its stay is not in it any more, that event took it out.
        if let (Occupancy::Occupied(stay), Occupancy::Free) = (before.occupancy, bed.axes.occupancy) {
            let back = self.open_stay_mut(stay).filter(|stay| !stay.there);
            if let Some(stay) = back {
                stay.there = true;
                stay.spot = Spot::Bed(at.clone());
            } else {
                axes.occupancy = Occupancy::Free;
            }
        }
        if let Some(bed) = self.bed_mut(at) {
            bed.axes = axes;
        }
    }
}

/// The beds of a location by name, to walk over them while they change.
pub(super) fn bed_refs(location: &Location) -> impl Iterator<Item = BedRef> {
    location.beds.keys().map(|bed| BedRef { location: location.profile.location.clone(), bed: bed.clone() })
}
