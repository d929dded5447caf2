//! What `stay.*` events do: who comes, moves, waits, leaves, and what of that is cancelled.
//!
//! Not here: the arithmetic of a reported row (`reported`).

use crate::{BedRef, Place, ReferralId, StayId, WaitingFor};

use super::{Step, bed_of};
use crate::availability::CareCode;
use crate::availability::bed::{Occupancy, Readiness};
use crate::availability::contradiction::ContradictionKind;
use crate::availability::stay::{Spot, Stay};

/// A discharge can be cancelled within 30 days, in microseconds of the sources' `time`.
const CANCEL_WITHIN_MICROS: i64 = 30 * 24 * 60 * 60 * 1_000_000;

impl Step<'_> {
    pub(super) fn admitted(&mut self, stay: StayId, place: &Place, referral: Option<ReferralId>) {
        let target = spot_of(place);
        if self.enter(stay, target, referral, None)
            && referral.is_some()
            && let Some(stay) = self.state.stays.get_mut(&stay)
        {
            stay.referral = referral;
        }
    }

    pub(super) fn moved(&mut self, stay: StayId, from: &BedRef, to: &BedRef) {
        let referral = match self.state.stays.get(&stay) {
            Some(open) => open.referral,
            None => self.state.closed.referral(stay),
        };
        self.enter(stay, Spot::Bed(to.clone()), referral, Some(from));
    }

    pub(super) fn move_cancelled(&mut self, stay: StayId, from: &BedRef, to: &BedRef) {
        if self.open_stay_mut(stay).is_some() {
            self.moved(stay, to, from);
        } else {
            self.contradict(ContradictionKind::StayNotOpen);
        }
    }

    pub(super) fn discharged(&mut self, stay: StayId, place: &Place, ready: bool) {
        let time = self.event.time;
        let Some(left) = self.state.stays.remove(&stay) else {
            return self.contradict(ContradictionKind::StayNotOpen);
        };
        self.state.closed.close(stay, left.clone(), time);
        let Some(spot) = left.place() else { return };
        self.leave(stay, &left, if ready { Left::Ready } else { Left::NotReady });
        if spot_of(place) != *spot {
            self.contradict(ContradictionKind::DischargedElsewhere);
        }
    }

    pub(super) fn admission_cancelled(&mut self, stay: StayId) {
        if self.open_stay_mut(stay).is_none() {
            return self.contradict(ContradictionKind::StayNotOpen);
        }
        let Some(left) = self.state.stays.remove(&stay) else { return };
        self.leave(stay, &left, Left::NeverCame);
    }

    pub(super) fn discharge_cancelled(&mut self, stay: StayId) {
        let time = self.event.time;
        let Some(discharged) = self.state.closed.closed_at(stay) else {
            return self.contradict(ContradictionKind::StayNotClosed);
        };
        if time > discharged.saturating_add_micros(CANCEL_WITHIN_MICROS) {
            return self.contradict(ContradictionKind::CancelledTooLate);
        }
        let Some(open) = self.state.closed.reopen(stay) else { return };
        let (spot, referral) = (open.spot.clone(), open.referral);
        self.state.stays.insert(stay, open);
        let back = match &spot {
            Spot::Bed(at) => self.back_in_bed(stay, at, referral),
            Spot::Row(location, code) => match self.row_mut(location, *code) {
                Some(row) => {
                    let room = row.readmit(stay, false);
                    self.row_changed(location, *code);
                    if !room {
                        self.contradict(ContradictionKind::NothingOfferable);
                    }
                    true
                }
                None => false,
            },
        };
        if !back {
            return self.contradict(ContradictionKind::PlaceTaken);
        }
        if let Some(stay) = self.state.stays.get_mut(&stay) {
            stay.there = true;
        }
    }

    pub(super) fn waiting_for(&mut self, stay: StayId, what: &WaitingFor) {
        let waits = *what != WaitingFor::Nothing;
        let Some(open) = self.open_stay_mut(stay) else {
            return self.contradict(ContradictionKind::StayNotOpen);
        };
        let changed = open.waits != waits;
        open.waits = waits;
        match open.place().filter(|_| changed).cloned() {
            Some(Spot::Bed(at)) => self.stale.push(at),
            Some(Spot::Row(location, code)) => {
                if let Some(row) = self.row_mut(&location, code) {
                    row.wait(waits);
                }
                self.row_changed(&location, code);
            }
            None => {}
        }
    }

    /// Nothing but that the stay must be open.
    pub(super) fn expect_open_stay(&mut self, stay: StayId) {
        if self.open_stay_mut(stay).is_none() {
            self.contradict(ContradictionKind::StayNotOpen);
        }
    }

    /// A stay comes to a place, in the order of the contract; leaving `expected` is no contradiction.
    /// `false` if nothing happened: the place is not known, or the stay was there already.
    fn enter(
        &mut self,
        stay: StayId,
        target: Spot,
        referral: Option<ReferralId>,
        expected: Option<&BedRef>,
    ) -> bool {
        if !self.is_known(&target) {
            let why = match target {
                Spot::Bed(_) => ContradictionKind::UnknownBed,
                Spot::Row(..) => ContradictionKind::NeverReported,
            };
            self.contradict(why);
            return false;
        }
        let known = self.state.stays.get(&stay).cloned();
        let place = known.as_ref().and_then(Stay::place);
        if place == Some(&target) {
            return false;
        }
        if let (Some(known), Some(place)) = (&known, place) {
            self.leave(stay, known, Left::NotReady);
            let as_expected = matches!((place, expected), (Spot::Bed(at), Some(expected)) if at == expected);
            if !as_expected {
                self.contradict(ContradictionKind::StayElsewhere);
            }
        }
        if let Spot::Bed(at) = &target {
            self.clear_for(at, referral);
        }
        let region = self.state.locations.get(target.location()).map(|location| location.region.clone());
        if let (Some(referral), Some(region)) = (referral, region) {
            self.release_all(referral, &region, &target);
        }
        let waits = known.as_ref().is_some_and(|known| known.waits);
        match &target {
            Spot::Bed(at) => self.occupy(stay, at),
            Spot::Row(location, code) => {
                let room = self.row_mut(location, *code).is_none_or(|row| row.admit(stay, waits, referral));
                if let Some(referral) = referral {
                    self.forget_hold(referral, &target);
                }
                self.row_changed(location, *code);
                if !room {
                    self.contradict(ContradictionKind::NothingOfferable);
                }
            }
        }
        let named_before = match (known, self.state.closed.reopen(stay)) {
            (Some(known), _) | (None, Some(known)) => known.referral,
            (None, None) => None,
        };
        let entered = Stay { spot: target, there: true, waits, referral: named_before };
        self.state.stays.insert(stay, entered);
        true
    }

    fn is_known(&self, spot: &Spot) -> bool {
        match spot {
            Spot::Bed(at) => self.bed(at).is_some(),
            Spot::Row(location, code) => {
                let located = self.state.locations.get(location);
                located.is_some_and(|location| location.reported.contains_key(code))
            }
        }
    }

    /// Whoever is in the bed loses it, and a hold on it ends; a contradiction unless it was for this referral.
    fn clear_for(&mut self, at: &BedRef, referral: Option<ReferralId>) {
        if self.lose_stay(at) {
            self.contradict_bed(ContradictionKind::BedOccupied, at);
        }
        if let Some(held_for) = self.held_for(at) {
            self.end_bed_hold(at);
            if referral != Some(held_for) {
                self.contradict_bed(ContradictionKind::HeldForAnother, at);
            }
        }
    }

    fn occupy(&mut self, stay: StayId, at: &BedRef) {
        if let Some(bed) = self.bed_mut(at) {
            bed.axes.occupancy = Occupancy::Occupied(stay);
            bed.axes.readiness = bed.axes.readiness.cleaned();
            self.touches(at);
        }
    }

    /// The place a stay had is without it; `stay` is the stay as it was there. Nothing if it had none.
    fn leave(&mut self, id: StayId, stay: &Stay, left: Left) {
        match stay.place() {
            Some(Spot::Bed(at)) => {
                if let Some(bed) = self.bed_mut(at) {
                    bed.axes.occupancy = Occupancy::Free;
                    bed.axes.readiness = left.readiness(bed.axes.readiness);
                    self.touches(at);
                }
            }
            Some(Spot::Row(location, code)) => {
                if let Some(row) = self.row_mut(location, *code) {
                    row.leave(id, stay.waits, left != Left::NotReady);
                }
                self.row_changed(location, *code);
            }
            None => {}
        }
    }

    /// The bed of a cancelled discharge is taken again, if it is there and nobody is in it.
    fn back_in_bed(&mut self, stay: StayId, at: &BedRef, referral: Option<ReferralId>) -> bool {
        let free = self.bed(at).is_some_and(|bed| !matches!(bed.axes.occupancy, Occupancy::Occupied(_)));
        if free {
            self.clear_for(at, referral);
            self.occupy(stay, at);
        }
        free
    }
}

/// In which state a stay leaves its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// Ready for the next at once.
    Ready,
    /// To be cleaned first.
    NotReady,
    /// The admission was not so: as if nobody had been there.
    NeverCame,
}

impl Left {
    fn readiness(self, was: Readiness) -> Readiness {
        match self {
            Self::Ready | Self::NeverCame => was.cleaned(),
            Self::NotReady => was.cleaning(),
        }
    }
}

fn spot_of(place: &Place) -> Spot {
    match bed_of(place) {
        Some(at) => Spot::Bed(at),
        None => Spot::Row(place.location.clone(), CareCode::from(&place.care_type)),
    }
}
