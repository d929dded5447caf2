//! What can be asked of the board.
//!
//! Not here: how it comes about (`fold`).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::{
    BedId, BedProfile, BedRef, CareType, Label, LocationId, LocationMode, LocationProfile, ReferralId,
    RegionId, StayId, StopReason, Timestamp,
};
use serde::Serialize;

use super::bed::{Bed, Occupancy, Readiness, Service, Share, Staffing};
use super::contradiction::Contradiction;
use super::location::{Location, Stopped};
use super::{Availability, CareCode, Counts, LastWord, Row, RowKey, Sum};

/// What people need to know of a location beside its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocationCard {
    /// Its region.
    pub region: RegionId,
    /// The location.
    pub location: LocationId,
    /// What people call it.
    pub name: Label,
    /// The organisation it belongs to.
    pub provider: Label,
    /// Whether it keeps bed records or reports counts.
    pub mode: LocationMode,
    /// The number that is answered by day.
    pub phone: Option<Label>,
    /// The number that is answered at night.
    pub phone_night: Option<Label>,
    /// Where admissions are stopped; the whole location first.
    pub stops: Vec<Stop>,
    /// The last it was heard of.
    pub last_word: LastWord,
}

/// No admissions for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// Only in this ward; `None` for the whole location.
    pub ward: Option<Label>,
    /// Why, as it was said last.
    pub reason: StopReason,
    /// When it began.
    pub since: Timestamp,
    /// When it is looked at again, as it was said last.
    pub review_at: Option<Timestamp>,
}

impl LocationCard {
    /// Whether admissions are stopped for the whole location.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stops.iter().any(|stop| stop.ward.is_none())
    }

    /// The wards for which admissions are stopped.
    pub fn stopped_wards(&self) -> impl Iterator<Item = &Label> {
        self.stops.iter().filter_map(|stop| stop.ward.as_ref())
    }
}

/// One bed of a location that keeps bed records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BedCard {
    /// The bed, unique in its location.
    pub bed: BedId,
    /// Its primary care type, as counted.
    pub care_type: CareCode,
    /// What it counts as.
    pub counts_as: CountsAs,
    /// The ward it stands in, if that was said.
    pub ward: Option<Label>,
    /// Whether it is ready for somebody.
    pub readiness: Readiness,
    /// It is out of use itself, whatever it counts as.
    pub closed: bool,
    /// There is nobody to give care, whatever it counts as.
    pub unstaffed: bool,
    /// It is kept back, whatever it counts as.
    pub reserve: bool,
}

/// What a bed counts as: the first that is true of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountsAs {
    /// Somebody is in it.
    Occupied(StayId),
    /// It is kept for a referral.
    Held,
    /// It is being cleaned, or contaminated.
    NotReady,
    /// It is out of use, or admissions are stopped where it stands.
    Closed,
    /// There is nobody to give care.
    Unstaffed,
    /// It is kept back, to be asked for.
    Reserve,
    /// It can be offered.
    Offerable,
}

impl Availability {
    /// The last event this board has seen; 0 before the first.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// When that event was recorded.
    #[must_use]
    pub fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// Every row that has something to show, by region, location and care type.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.regions.keys().flat_map(|region| self.rows_of(region))
    }

    /// The rows of one region, by location and care type; none for a region nobody registered in.
    pub fn rows_of(&self, region: &RegionId) -> impl Iterator<Item = Row> {
        self.located_in(region).flat_map(Location::show)
    }

    /// One row; `None` if there is nothing to show.
    #[must_use]
    pub fn row(&self, key: &RowKey) -> Option<Row> {
        let location = self.locations.get(&key.location).filter(|location| location.region == key.region)?;
        location.show_one(key.care_type)
    }

    /// Regions that have, or had, a location, by name.
    pub fn regions(&self) -> impl Iterator<Item = &RegionId> {
        self.regions.keys()
    }

    /// The rows of a region added up per care type.
    #[must_use]
    pub fn sums(&self, region: &RegionId) -> Vec<Sum> {
        let mut sums = BTreeMap::new();
        for row in self.rows_of(region) {
            let sum = sums.entry(row.care_type).or_insert_with(|| Sum {
                region: region.clone(),
                care_type: row.care_type,
                locations: 0,
                counts: Counts::default(),
                position: 0,
                recorded_at: Timestamp::default(),
            });
            sum.locations = sum.locations.saturating_add(1);
            sum.counts = sum.counts.plus(&row.counts());
            if row.position > sum.position {
                sum.position = row.position;
                sum.recorded_at = row.recorded_at;
            }
        }
        sums.into_values().collect()
    }

    /// The locations of a region, by name.
    pub fn locations(&self, region: &RegionId) -> impl Iterator<Item = LocationCard> {
        self.located_in(region).map(card)
    }

    /// One location; `None` if it is not known.
    #[must_use]
    pub fn location(&self, location: &LocationId) -> Option<LocationCard> {
        self.locations.get(location).map(card)
    }

    /// The stop of a ward, or without one of the whole location; `None` if admissions go on there.
    #[must_use]
    pub fn stop_of(&self, location: &LocationId, ward: Option<&Label>) -> Option<Stop> {
        self.locations.get(location)?.stops.get_key_value(&ward.cloned()).map(stop)
    }

    /// The beds of a location, by name; none for one that reports counts or is not known.
    pub fn beds(&self, location: &LocationId) -> impl Iterator<Item = BedCard> {
        self.locations
            .get(location)
            .into_iter()
            .flat_map(|location| location.beds.iter().filter_map(|(bed, state)| bed_card(bed, state)))
    }

    /// All that is said of a bed, as its location would say it anew; `None` if it is not known.
    #[must_use]
    pub fn bed_profile(&self, at: &BedRef) -> Option<BedProfile> {
        let bed = self.locations.get(&at.location)?.beds.get(&at.bed)?;
        Some(BedProfile {
            bed: at.clone(),
            care_types: Some(bed.care_types.iter().map(|code| CareType::from(code.as_str())).collect()),
            ward: bed.ward.clone(),
            room: bed.room.clone(),
            features: bed.features.as_ref().map(|features| features.to_vec()),
            reserve: Some(bed.reserve),
        })
    }

    /// The wards of a location, by name: those it says it has, those its beds stand in, those that are stopped.
    #[must_use]
    pub fn wards(&self, location: &LocationId) -> BTreeSet<&Label> {
        let Some(location) = self.locations.get(location) else { return BTreeSet::new() };
        let of_beds = location.beds.values().filter_map(|bed| bed.ward.as_ref());
        location.profile.wards.iter().chain(of_beds).chain(location.stops.keys().flatten()).collect()
    }

    /// All that a location says of itself; `None` if it is not known.
    #[must_use]
    pub fn profile(&self, location: &LocationId) -> Option<&LocationProfile> {
        self.locations.get(location).map(|location| &location.profile)
    }

    /// What a location says that it gives; nothing if it never said.
    #[must_use]
    pub fn care_types(&self, location: &LocationId) -> &[CareType] {
        self.locations.get(location).map_or(&[], |location| &location.profile.care_types)
    }

    /// Contradictions so far.
    #[must_use]
    pub fn contradictions(&self) -> u64 {
        self.contradictions.count()
    }

    /// The newest contradictions, newest first, at most [`super::CONTRADICTIONS_KEPT_MAX`].
    pub fn contradiction_list(&self) -> impl Iterator<Item = &Contradiction> {
        self.contradictions.newest_first()
    }

    /// Whether a place is kept for this referral, anywhere.
    #[must_use]
    pub fn is_held_for(&self, referral: ReferralId) -> bool {
        self.holds.get(&referral).is_some_and(|spots| !spots.is_empty())
    }

    /// The region of a location, and when it was last heard of; `None` if it is not known.
    #[must_use]
    pub fn last_heard(&self, location: &LocationId) -> Option<(&RegionId, Timestamp)> {
        self.locations.get(location).map(|location| (&location.region, location.last_word.at))
    }

    /// The names of the locations of a region.
    pub fn located(&self, region: &RegionId) -> impl Iterator<Item = &LocationId> {
        self.regions.get(region).into_iter().flatten()
    }

    /// The first digits of a location's postcode, if it said them.
    #[must_use]
    pub fn postcode(&self, location: &LocationId) -> Option<&Label> {
        self.locations.get(location)?.profile.postcode4.as_ref()
    }

    fn located_in(&self, region: &RegionId) -> impl Iterator<Item = &Location> {
        self.regions.get(region).into_iter().flatten().filter_map(|location| self.locations.get(location))
    }
}

/// A bed as people see it; `None` before it was counted.
pub(super) fn bed_card(bed: &BedId, state: &Bed) -> Option<BedCard> {
    let counted = state.counted.as_ref()?;
    Some(BedCard {
        bed: bed.clone(),
        care_type: *counted.care_types.first()?,
        counts_as: counts_as(state, counted.share),
        ward: state.ward.clone(),
        readiness: state.axes.readiness,
        closed: state.axes.service == Service::Closed,
        unstaffed: state.axes.staffing == Staffing::Unstaffed,
        reserve: state.reserve,
    })
}

pub(super) fn counts_as(bed: &Bed, share: Share) -> CountsAs {
    match (share, bed.axes.occupancy) {
        (_, Occupancy::Occupied(stay)) => CountsAs::Occupied(stay),
        (Share::NotReady, _) => CountsAs::NotReady,
        (Share::Closed, _) => CountsAs::Closed,
        (Share::Unstaffed, _) => CountsAs::Unstaffed,
        (Share::Reserve, _) => CountsAs::Reserve,
        (Share::Offerable, _) => CountsAs::Offerable,
        (Share::Held | Share::Occupied { .. }, Occupancy::Held(..) | Occupancy::Free) => CountsAs::Held,
    }
}

fn stop((ward, stopped): (&Option<Label>, &Stopped)) -> Stop {
    let Stopped { reason, since, review_at } = stopped.clone();
    Stop { ward: ward.clone(), reason, since, review_at }
}

fn card(location: &Location) -> LocationCard {
    let profile = &location.profile;
    LocationCard {
        region: location.region.clone(),
        location: profile.location.clone(),
        name: profile.name.clone(),
        provider: profile.provider.clone(),
        mode: profile.mode.clone(),
        phone: profile.phone.clone(),
        phone_night: profile.phone_night.clone(),
        stops: location.stops.iter().map(stop).collect(),
        last_word: location.last_word.clone(),
    }
}
