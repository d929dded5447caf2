//! Years of the country, made from a seed: some 300 houses with 4,000 beds, of which every person comes by a referral and leaves
//! again after weeks.
//!
//! A region has ten houses of 13 beds. Who stays, stays 35 days on average; nine beds in ten are in use. Each house says
//! twice a day that its board still holds. Not here: sending, recording (`main`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use domain::{
    BedId, BedProfile, BedRef, CareType, Destination, Event, EventId, Fact, Feature, ItemState, Label,
    LocationId, LocationMode, LocationProfile, OfferId, OfferRef, Place, PlanItem, PlanStep, ReferralId,
    ReferralProfile, RegionId, Role, SourceId, StayId, Timestamp, WaitingFor,
};
use fastrand::Rng;
use uuid::Uuid;

/// Regions of the country.
pub(crate) const REGIONS: usize = 31;
/// Houses of a region, and beds of a house: 4,030 beds.
const HOUSES: usize = 10;
const BEDS: usize = 13;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
/// 2026-01-01, midnight in UTC.
const BEGIN: i64 = 1_767_225_600 * SECOND;
/// The mean stay.
const STAY_DAYS: f64 = 35.0;
/// People who come to a region in a day, so that nine beds in ten are in use.
const COME_IN_A_DAY: f64 = 0.9 * 130.0 / STAY_DAYS;

const TYPES: [CareType; 4] = [CareType::ElvLc, CareType::ElvHc, CareType::ElvPtz, CareType::Grz];
const ORIGINS: [&str; 5] = ["hospital-ward", "gp", "emergency-department", "gp-post", "district-nursing"];
const DESTINATIONS: [&str; 5] = ["home-with-care", "home-without-care", "wlz-elsewhere", "hospital", "died"];

/// One event still to come.
struct Later {
    at: i64,
    number: u64,
    region: usize,
    fact: Fact,
}

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}
impl Eq for Later {}
impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Later {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

struct House {
    location: LocationId,
    source: SourceId,
    /// Beds that nobody has or will have soon.
    free: Vec<usize>,
}

/// The country, as it goes on and on.
pub(crate) struct Years {
    rng: Rng,
    houses: Vec<House>,
    regions: Vec<RegionId>,
    desks: Vec<SourceId>,
    queue: BinaryHeap<Reverse<Later>>,
    /// Beds that become free when this number of events was given.
    freed: BinaryHeap<Reverse<(i64, usize, usize)>>,
    /// When the next person of each region comes.
    next: Vec<i64>,
    ids: u128,
    number: u64,
    given: u64,
}

fn id<T>(new: fn(Uuid) -> Option<T>, number: u128) -> T {
    new(Uuid::from_u128((7 << 76) | (0b10 << 62) | (number << 80) | (number & 0xffff_ffff))).unwrap()
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn bed_id(bed: usize) -> BedId {
    bed.to_string().as_str().try_into().unwrap()
}

impl Years {
    pub(crate) fn new(seed: u64) -> Self {
        let regions: Vec<RegionId> =
            (1..=REGIONS).map(|region| format!("zk{region:02}").parse().unwrap()).collect();
        let mut years = Self {
            rng: Rng::with_seed(seed),
            houses: Vec::new(),
            desks: regions.iter().map(|region| format!("urn:loket:{region}").parse().unwrap()).collect(),
            regions,
            queue: BinaryHeap::new(),
            freed: BinaryHeap::new(),
            next: vec![BEGIN + HOUR; REGIONS],
            ids: 0,
            number: 0,
            given: 0,
        };
        for region in 0..REGIONS {
            for house in 0..HOUSES {
                years.open(region, house);
            }
        }
        years
    }

    fn open(&mut self, region: usize, house: usize) {
        let location: LocationId = format!("{}-huis-{house:02}", self.regions[region]).parse().unwrap();
        let source = format!("urn:nld:kvknr:{region:04}{house:04}:systeem:ecd").parse().unwrap();
        let profile = LocationProfile {
            location: location.clone(),
            provider: label("zorgdragers"),
            name: label(location.as_str()),
            mode: LocationMode::Beds,
            care_types: TYPES.to_vec(),
            postcode4: Some(label(&format!("{}", 1_000 + (region * 290 + house * 29) % 8_999))),
            phone: Some(label("000-0000000")),
            phone_night: None,
            wards: Vec::new(),
        };
        self.later(BEGIN, region, Fact::LocationRegistered(profile));
        for bed in 0..BEDS {
            let at = BedRef { location: location.clone(), bed: bed_id(bed) };
            let all = [Feature::SingleRoom, Feature::Hoist, Feature::Isolation, Feature::Oxygen];
            let features = all.into_iter().filter(|_| self.rng.u8(..3) == 0).collect();
            let first = TYPES[(bed + house) % 4].clone();
            let second = TYPES[(bed + house + 1) % 4].clone();
            self.later(
                BEGIN + 1,
                region,
                Fact::BedAdded(BedProfile {
                    bed: at,
                    care_types: Some(vec![first, second]),
                    ward: Some(label(if bed < 7 { "oost" } else { "west" })),
                    room: None,
                    features: Some(features),
                    reserve: None,
                }),
            );
        }
        self.houses.push(House { location: location.clone(), source, free: (0..BEDS).collect() });
        let morning = BEGIN + 6 * HOUR + self.rng.i64(0..HOUR);
        self.later(morning, region, Fact::LocationConfirmed { location });
    }

    fn later(&mut self, at: i64, region: usize, fact: Fact) {
        self.number += 1;
        self.queue.push(Reverse(Later { at, number: self.number, region, fact }));
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    /// Somebody needs a place in a region: everything that will come of it.
    fn comes(&mut self, region: usize, at: i64) {
        while let Some(Reverse((_, house, bed))) = self.freed.peek().copied().filter(|freed| freed.0.0 <= at)
        {
            self.freed.pop();
            self.houses[house].free.push(bed);
        }
        let referral: ReferralId = id(ReferralId::new, self.id());
        let care = TYPES[self.rng.usize(..4)].clone();
        let profile = self.profile(referral, &care);
        self.later(at, region, Fact::ReferralMade(profile));
        let minutes = |count: i64| at + count * 60 * SECOND;
        self.later(
            minutes(10),
            region,
            Fact::ReferralTriaged {
                referral,
                instrument: label("afweging-1"),
                outcome: care.clone(),
                overruled: None,
                decided_by: Role::Nurse,
                consulted: None,
                sealed: None,
            },
        );
        let with_room: Vec<usize> = (region * HOUSES..(region + 1) * HOUSES)
            .filter(|house| !self.houses[*house].free.is_empty())
            .collect();
        let Some(house) = self.rng.choice(&with_room).copied() else {
            let reason = label("no-place-found");
            return self.later(at + 8 * HOUR, region, Fact::ReferralExpiredUnplaced { referral, reason });
        };
        let other = region * HOUSES + self.rng.usize(..HOUSES);
        let pick = self.rng.usize(..self.houses[house].free.len());
        let bed = self.houses[house].free.swap_remove(pick);
        let offer = self.offered(region, at, referral, (house, other), &care);
        self.placed(region, at, referral, offer, (house, bed), &care);
    }

    fn profile(&mut self, referral: ReferralId, care: &CareType) -> ReferralProfile {
        ReferralProfile {
            referral,
            origin: ORIGINS[self.rng.usize(..5)].into(),
            care_type: Some(care.clone()),
            urgency: ["crisis", "urgent", "planned"][self.rng.usize(..3)].into(),
            ready_since: None,
            wished_at: None,
            area: Some(label(&format!("{}", self.rng.u8(10..100)))),
            age_band: Some("80-84".into()),
            sex: None,
            constraints: if self.rng.u8(..4) == 0 { vec![Feature::Hoist] } else { Vec::new() },
            expected_days: Some(35),
            purpose: Some("recovery".into()),
            channel: label("phone"),
            payer: None,
            consent: true,
            callback_desk: None,
            sealed: None,
        }
    }

    /// Two houses are asked; the first promises.
    fn offered(
        &mut self,
        region: usize,
        at: i64,
        referral: ReferralId,
        (house, other): (usize, usize),
        care: &CareType,
    ) -> OfferRef {
        let minutes = |count: i64| at + count * 60 * SECOND;
        let mut offer = |house: usize| OfferRef {
            offer: id(OfferId::new, self.id()),
            referral,
            location: self.houses[house].location.clone(),
        };
        let (first, second) = (offer(house), offer(other));
        for offer in [&first, &second] {
            let (offer, answer_by) = (offer.clone(), Timestamp::from_micros(minutes(80)));
            let sent = Fact::OfferSent { offer, bed: None, care_type: care.clone(), answer_by };
            self.later(minutes(20), region, sent);
        }
        self.later(minutes(25), region, Fact::OfferSeen(first.clone()));
        let code = ["no-staff", "not-free-after-all", "cannot-provide-care"][self.rng.usize(..3)].into();
        self.later(minutes(30), region, Fact::OfferDeclined { offer: second, code, spoken_with: None });
        first
    }

    /// The place is promised, kept and taken; weeks later the person leaves.
    fn placed(
        &mut self,
        region: usize,
        at: i64,
        referral: ReferralId,
        offer: OfferRef,
        (house, bed): (usize, usize),
        care: &CareType,
    ) {
        let minutes = |count: i64| at + count * 60 * SECOND;
        let moment = Timestamp::from_micros;
        let location = offer.location.clone();
        let place = Place { location: location.clone(), bed: Some(bed_id(bed)), care_type: care.clone() };
        let stay: StayId = id(StayId::new, self.id());
        let facts = [
            (
                40,
                Fact::OfferAccepted {
                    offer: offer.clone(),
                    bed: place.bed.clone(),
                    care_type: care.clone(),
                    from: moment(minutes(40)),
                    by: Role::Nurse,
                    spoken_with: None,
                },
            ),
            (40, Fact::OfferChosen { offer, by: Role::Nurse }),
            (40, Fact::HoldGranted { place: place.clone(), referral, until: moment(minutes(400)) }),
            (60, Fact::ArrivalAgreed { referral, location, at: moment(minutes(300)), transport: None }),
            (310, Fact::StayAdmitted { stay, place: place.clone(), referral: Some(referral), funding: None }),
            (
                320,
                Fact::StayPlanSet {
                    stay,
                    items: vec![PlanStep { item: PlanItem::CareAtHome, state: ItemState::Open, due: None }],
                },
            ),
        ];
        for (after, fact) in facts {
            self.later(minutes(after), region, fact);
        }
        // Exponential, at least a day.
        let long = (-self.rng.f64().max(1e-9).ln() * (STAY_DAYS - 1.0) * 86_400.0) as i64 * SECOND;
        let leaves = minutes(310) + DAY + long;
        let expected_at = Some(moment(leaves));
        self.later(leaves - 20 * HOUR, region, Fact::StayDischargePlanned { stay, expected_at });
        if self.rng.u8(..5) == 0 {
            let since = moment(leaves - 18 * HOUR);
            self.later(
                leaves - 18 * HOUR,
                region,
                Fact::StayWaitingFor { stay, what: WaitingFor::WlzPlace, since },
            );
        }
        let destination: Destination = DESTINATIONS[self.rng.usize(..5)].into();
        let left = BedRef { location: place.location.clone(), bed: bed_id(bed) };
        self.later(
            leaves,
            region,
            Fact::StayDischarged { stay, place, destination, ready: false, care_hours_at_home: Some(4) },
        );
        self.later(leaves + HOUR, region, Fact::BedFreed(left));
        self.freed.push(Reverse((leaves + 2 * HOUR, house, bed)));
    }
}

impl Iterator for Years {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        // Everybody who comes before the next event.
        loop {
            let due = self.queue.peek().map_or(i64::MAX, |later| later.0.at);
            let (region, at) =
                (0..REGIONS).map(|region| (region, self.next[region])).min_by_key(|next| next.1)?;
            if at > due {
                break;
            }
            let wait = -self.rng.f64().max(1e-9).ln() / COME_IN_A_DAY * 86_400.0;
            self.next[region] = at + (wait as i64).max(1) * SECOND;
            self.comes(region, at);
        }
        let Reverse(Later { at, region, fact, .. }) = self.queue.pop()?;
        if let Fact::LocationConfirmed { location } = &fact {
            let location = location.clone();
            self.later(at + 12 * HOUR, region, Fact::LocationConfirmed { location });
        }
        self.given += 1;
        let kind = fact.kind();
        let of_house = ["location.", "bed.", "stay."].iter().any(|word| kind.starts_with(word));
        let house = fact.location().and_then(|location| {
            (region * HOUSES..(region + 1) * HOUSES).find(|house| self.houses[*house].location == *location)
        });
        let source = match house.filter(|_| of_house) {
            Some(house) => self.houses[house].source.clone(),
            None => self.desks[region].clone(),
        };
        let time = Timestamp::from_micros(at);
        let id = id(EventId::new, (1 << 47) | u128::from(self.given));
        Some(Event { source, id, time, region: self.regions[region].clone(), occurred_at: time, fact })
    }
}
