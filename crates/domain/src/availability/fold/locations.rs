//! What `location.*` events do.
//!
//! Not here: the arithmetic of a report (`reported`).

use alloc::vec::Vec;

use crate::{Label, LocationId, LocationProfile, ReportedCount};

use super::Step;
use super::beds::bed_refs;
use crate::availability::CareCode;
use crate::availability::contradiction::ContradictionKind;
use crate::availability::location::{Location, Stopped};
use crate::availability::stay::Spot;

impl Step<'_> {
    pub(super) fn registered(&mut self, profile: &LocationProfile) {
        if let Some(location) = self.location_mut(&profile.location) {
            return location.describe(profile);
        }
        let region = self.event.region.clone();
        let location = Location::new(region.clone(), profile.clone(), self.word(), self.mark);
        self.state.regions.entry(region).or_default().insert(profile.location.clone());
        self.state.locations.insert(profile.location.clone(), location);
    }

    pub(super) fn location_changed(&mut self, profile: &LocationProfile) {
        match self.location_mut(&profile.location) {
            Some(location) => location.describe(profile),
            None => self.contradict(ContradictionKind::UnknownLocation),
        }
    }

    /// Nothing but that the location must be known.
    pub(super) fn expect_location(&mut self, location: &LocationId) {
        if !self.state.locations.contains_key(location) {
            self.contradict(ContradictionKind::UnknownLocation);
        }
    }

    pub(super) fn withdrawn(&mut self, name: &LocationId) {
        let Some(location) = self.state.locations.get(name) else {
            return self.contradict(ContradictionKind::UnknownLocation);
        };
        for at in bed_refs(location).collect::<Vec<_>>() {
            self.bed_removed(&at);
        }
        let Some(location) = self.state.locations.remove(name) else { return };
        for (code, row) in &location.reported {
            let spot = Spot::Row(name.clone(), *code);
            for referral in row.holds.keys() {
                self.forget_hold(*referral, &spot);
            }
            for stay in &row.stays {
                if let Some(stay) = self.state.stays.get_mut(stay) {
                    stay.there = false;
                }
            }
            self.rows.push(location.key(*code));
        }
        if let Some(located) = self.state.regions.get_mut(&location.region) {
            located.remove(name);
        }
    }

    pub(super) fn stopped(&mut self, name: &LocationId, ward: Option<&Label>, stop: Stopped) {
        let Some(location) = self.location_mut(name) else {
            return self.contradict(ContradictionKind::UnknownLocation);
        };
        let since = location.stops.get(&ward.cloned()).map_or(stop.since, |before| before.since);
        location.stops.insert(ward.cloned(), Stopped { since, ..stop });
        self.recount_beds_of(name);
    }

    pub(super) fn resumed(&mut self, name: &LocationId, ward: Option<&Label>) {
        let Some(location) = self.location_mut(name) else {
            return self.contradict(ContradictionKind::UnknownLocation);
        };
        location.stops.remove(&ward.cloned());
        self.recount_beds_of(name);
    }

    pub(super) fn counts_reported(&mut self, name: &LocationId, counts: &[ReportedCount]) {
        let Some(location) = self.location_mut(name) else {
            return self.contradict(ContradictionKind::UnknownLocation);
        };
        if !location.reports_counts() {
            return self.contradict(ContradictionKind::CountsBesideBeds);
        }
        let mut out_of_range = false;
        for count in counts {
            let code = CareCode::from(&count.care_type);
            let Some(location) = self.location_mut(name) else { return };
            let found = location.reported.entry(code).or_default().report(count);
            out_of_range |= found.out_of_range;
            if found.exceeds {
                self.contradict(ContradictionKind::CountsExceedPhysical);
            }
            self.row_changed(name, code);
        }
        if out_of_range {
            self.contradict(ContradictionKind::CountsOutOfRange);
        }
    }

    fn recount_beds_of(&mut self, name: &LocationId) {
        if let Some(location) = self.state.locations.get(name) {
            self.stale.extend(bed_refs(location));
        }
    }
}
