//! What `hold.*` events do, on beds and on reported rows.
//!
//! Not here: holds that end because somebody comes in (`stays`).

use crate::{BedRef, LocationId, Place, ReferralId, RegionId, Timestamp};

use super::{Step, bed_of};
use crate::availability::CareCode;
use crate::availability::bed::Occupancy;
use crate::availability::contradiction::ContradictionKind;
use crate::availability::reported::ReportedRow;
use crate::availability::stay::Spot;

impl Step<'_> {
    pub(super) fn granted(&mut self, place: &Place, referral: ReferralId, until: Timestamp) {
        let Some(at) = bed_of(place) else { return self.granted_on_row(place, referral, until) };
        let Some(bed) = self.bed_mut(&at) else { return self.contradict(ContradictionKind::UnknownBed) };
        match bed.axes.occupancy {
            Occupancy::Free => {
                bed.axes.occupancy = Occupancy::Held(referral, until);
                self.remember_hold(referral, Spot::Bed(at));
            }
            Occupancy::Held(kept_for, _) if kept_for == referral => {
                bed.axes.occupancy = Occupancy::Held(referral, until);
            }
            Occupancy::Held(..) | Occupancy::Occupied(_) => {
                self.contradict(ContradictionKind::HoldOnTakenBed);
            }
        }
    }

    pub(super) fn extended(&mut self, place: &Place, referral: ReferralId, until: Timestamp) {
        let Some(at) = bed_of(place) else { return self.extended_on_row(place, referral, until) };
        let Some(bed) = self.bed_mut(&at) else { return self.contradict(ContradictionKind::UnknownBed) };
        match bed.axes.occupancy {
            Occupancy::Held(kept_for, _) if kept_for == referral => {
                bed.axes.occupancy = Occupancy::Held(referral, until);
            }
            Occupancy::Free | Occupancy::Held(..) | Occupancy::Occupied(_) => {
                self.contradict(ContradictionKind::NoHoldToExtend);
            }
        }
    }

    pub(super) fn released(&mut self, place: &Place, referral: ReferralId) {
        let Some(at) = bed_of(place) else { return self.released_on_row(place, referral) };
        let Some(bed) = self.bed(&at) else { return self.contradict(ContradictionKind::UnknownBed) };
        if matches!(bed.axes.occupancy, Occupancy::Held(kept_for, _) if kept_for == referral) {
            self.end_bed_hold(&at);
        }
    }

    fn granted_on_row(&mut self, place: &Place, referral: ReferralId, until: Timestamp) {
        let code = CareCode::from(&place.care_type);
        let Some(row) = self.row_mut(&place.location, code) else {
            return self.contradict(ContradictionKind::NeverReported);
        };
        if let Some(open) = row.holds.get_mut(&referral) {
            *open = until;
            return;
        }
        if !row.grant(referral, until) {
            return self.contradict(ContradictionKind::NothingOfferable);
        }
        self.remember_hold(referral, Spot::Row(place.location.clone(), code));
        self.row_changed(&place.location, code);
    }

    fn extended_on_row(&mut self, place: &Place, referral: ReferralId, until: Timestamp) {
        let Some(row) = self.row_mut(&place.location, CareCode::from(&place.care_type)) else {
            return self.contradict(ContradictionKind::NeverReported);
        };
        match row.holds.get_mut(&referral) {
            Some(open) => *open = until,
            None => self.contradict(ContradictionKind::NoHoldToExtend),
        }
    }

    fn released_on_row(&mut self, place: &Place, referral: ReferralId) {
        let code = CareCode::from(&place.care_type);
        if self.row_mut(&place.location, code).is_none() {
            return self.contradict(ContradictionKind::NeverReported);
        }
        self.release_row_hold(&place.location, code, referral);
    }

    fn release_row_hold(&mut self, location: &LocationId, code: CareCode, referral: ReferralId) {
        let Some(row) = self.row_mut(location, code) else { return };
        if row.release(referral) {
            self.forget_hold(referral, &Spot::Row(location.clone(), code));
            self.row_changed(location, code);
        }
    }

    /// Ends every hold of the referral in the region as if released, except the one on `kept`.
    pub(super) fn release_all(&mut self, referral: ReferralId, region: &RegionId, kept: &Spot) {
        let Some(spots) = self.state.holds.get(&referral) else { return };
        for spot in spots.clone() {
            let located = self.state.locations.get(spot.location());
            if spot == *kept || located.is_none_or(|location| location.region != *region) {
                continue;
            }
            match &spot {
                Spot::Bed(at) => self.end_bed_hold(at),
                Spot::Row(location, code) => self.release_row_hold(location, *code, referral),
            }
        }
    }

    pub(super) fn row_mut(&mut self, location: &LocationId, code: CareCode) -> Option<&mut ReportedRow> {
        self.state.locations.get_mut(location)?.reported.get_mut(&code)
    }

    /// Whom a bed is held for.
    pub(super) fn held_for(&self, at: &BedRef) -> Option<ReferralId> {
        match self.bed(at)?.axes.occupancy {
            Occupancy::Held(referral, _) => Some(referral),
            Occupancy::Free | Occupancy::Occupied(_) => None,
        }
    }

    fn remember_hold(&mut self, referral: ReferralId, spot: Spot) {
        self.state.holds.entry(referral).or_default().push(spot);
    }

    pub(super) fn forget_hold(&mut self, referral: ReferralId, spot: &Spot) {
        if let Some(spots) = self.state.holds.get_mut(&referral) {
            spots.retain(|held| held != spot);
            if spots.is_empty() {
                self.state.holds.remove(&referral);
            }
        }
    }
}
