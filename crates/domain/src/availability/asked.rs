//! What a decision asks of the board: whether a place can be kept for somebody.
//!
//! Not here: what people see (`query`), the rules themselves (`desk`).

use alloc::vec::Vec;

use crate::{
    BedId, BedRef, CareType, EventId, Feature, LocationId, LocationMode, ReferralId, RegionId, SourceId,
    StayId, Timestamp,
};

use super::bed::{Occupancy, Service, Share};
use super::query::counts_as;
use super::{Availability, CareCode, CountsAs};

/// Who has a bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nobody.
    Free,
    /// It is kept for a referral.
    For(ReferralId),
    /// Somebody is in it.
    By(StayId),
}

/// One bed, as a decision sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BedState {
    /// Who has it.
    pub taken: Taken,
    /// It is out of use.
    pub closed: bool,
    /// Admissions are stopped where it stands.
    pub stopped: bool,
}

/// One reported row, as a decision sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowState {
    /// How many can be offered: as many as are said to be, and no more than there is room for.
    pub offerable: u32,
    /// One is kept for this referral already.
    pub held: bool,
}

/// A bed that is used for a kind of care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Giving<'a> {
    /// The bed.
    pub bed: &'a BedId,
    /// It is used for this first.
    pub primary: bool,
    /// What it offers; `None` if nobody ever said.
    pub features: Option<&'a [Feature]>,
    /// What it counts as.
    pub counts_as: CountsAs,
    /// For whom it is kept.
    pub kept_for: Option<ReferralId>,
}

impl Availability {
    /// The region of a location and how it keeps its beds; `None` if it is not known.
    #[must_use]
    pub fn mode_of(&self, location: &LocationId) -> Option<(&RegionId, &LocationMode)> {
        self.locations.get(location).map(|location| (&location.region, &location.profile.mode))
    }

    /// Whether the location says that it gives this kind of care; one that names no kind gives all.
    #[must_use]
    pub fn gives(&self, location: &LocationId, care_type: &CareType) -> bool {
        self.locations.get(location).is_some_and(|location| {
            let given = &location.profile.care_types;
            given.is_empty() || given.contains(care_type)
        })
    }

    /// Whether admissions are stopped for the whole location.
    #[must_use]
    pub fn is_stopped(&self, location: &LocationId) -> bool {
        self.locations.get(location).is_some_and(|location| location.stops.contains_key(&None))
    }

    /// One bed; `None` if it is not known.
    #[must_use]
    pub fn bed_state(&self, at: &BedRef) -> Option<BedState> {
        let location = self.locations.get(&at.location)?;
        let bed = location.beds.get(&at.bed)?;
        let taken = match bed.axes.occupancy {
            Occupancy::Free => Taken::Free,
            Occupancy::Held(referral, _) => Taken::For(referral),
            Occupancy::Occupied(stay) => Taken::By(stay),
        };
        let closed = bed.axes.service == Service::Closed;
        Some(BedState { taken, closed, stopped: location.is_stopped(bed.ward.as_ref()) })
    }

    /// The bed that is kept when a location promises a place of a type and names none: one kept for the referral
    /// already, else the first offerable one, those of this primary type before others.
    #[must_use]
    pub fn bed_for(
        &self,
        location: &LocationId,
        care_type: &CareType,
        referral: ReferralId,
    ) -> Option<BedId> {
        let (location, code) = (self.locations.get(location)?, CareCode::from(care_type));
        let mut fit: Vec<_> = location
            .beds
            .iter()
            .filter(|(_, bed)| bed.care_types.contains(&code))
            .filter_map(|(name, bed)| {
                let kept = matches!(bed.axes.occupancy, Occupancy::Held(held_for, _) if held_for == referral);
                let offerable =
                    bed.share(location.is_stopped(bed.ward.as_ref()), |_| false) == Share::Offerable;
                let primary = bed.care_types.first() == Some(&code);
                (kept || offerable).then_some((!kept, !primary, name))
            })
            .collect();
        fit.sort();
        fit.first().map(|(_, _, name)| (*name).clone())
    }

    /// The beds of a location that are used for a kind of care, by name.
    pub fn beds_giving(
        &self,
        location: &LocationId,
        care_type: &CareType,
    ) -> impl Iterator<Item = Giving<'_>> {
        let code = CareCode::from(care_type);
        let beds = self.locations.get(location).into_iter().flat_map(|location| &location.beds);
        beds.filter(move |(_, bed)| bed.care_types.contains(&code)).filter_map(move |(name, bed)| {
            let counted = bed.counted.as_ref()?;
            let kept_for = match bed.axes.occupancy {
                Occupancy::Held(referral, _) => Some(referral),
                Occupancy::Free | Occupancy::Occupied(_) => None,
            };
            Some(Giving {
                bed: name,
                primary: bed.care_types.first() == Some(&code),
                features: bed.features.as_deref(),
                counts_as: counts_as(bed, counted.share),
                kept_for,
            })
        })
    }

    /// Who has the beds of a location that cannot be offered because somebody has them.
    pub fn taken_beds(&self, location: &LocationId) -> impl Iterator<Item = Taken> {
        self.locations.get(location).into_iter().flat_map(|location| location.beds.values()).filter_map(
            |bed| match bed.axes.occupancy {
                Occupancy::Free => None,
                Occupancy::Held(referral, _) => Some(Taken::For(referral)),
                Occupancy::Occupied(stay) => Some(Taken::By(stay)),
            },
        )
    }

    /// A reported row; `None` if the location never reported this type.
    #[must_use]
    pub fn row_state(
        &self,
        location: &LocationId,
        care_type: &CareType,
        referral: ReferralId,
    ) -> Option<RowState> {
        let row = self.locations.get(location)?.reported.get(&CareCode::from(care_type))?;
        let counts = row.counts();
        // A discharge or a cancelled admission may say that a place is free that there never was: one too many had come.
        let used = [counts.occupied, counts.held, counts.not_ready, counts.closed];
        let used = used.into_iter().fold(0_u32, u32::saturating_add);
        let offerable = counts.offerable.min(counts.physical.saturating_sub(used));
        Some(RowState { offerable, held: row.holds.contains_key(&referral) })
    }

    /// Whether this source has said something newer about the bed: what it tells of this moment has no effect then.
    #[must_use]
    pub fn is_late(&self, at: &BedRef, source: &SourceId, occurred_at: Timestamp) -> bool {
        let bed = self.locations.get(&at.location).and_then(|location| location.beds.get(&at.bed));
        bed.and_then(|bed| bed.said.get(source)).is_some_and(|greatest| occurred_at < *greatest)
    }

    /// Whether this event of this source is the last word about the bed, and of a kind that can be corrected.
    #[must_use]
    pub fn can_correct(&self, at: &BedRef, source: &SourceId, corrects: EventId) -> bool {
        self.correctable(at, source) == Some(corrects)
    }

    /// The event that this source can correct: the last word about the bed, if it is its own and of such a kind.
    #[must_use]
    pub fn correctable(&self, at: &BedRef, source: &SourceId) -> Option<EventId> {
        let touch = &self.locations.get(&at.location)?.beds.get(&at.bed)?.touch;
        (touch.before.is_some() && touch.source == *source).then_some(touch.id)
    }
}
