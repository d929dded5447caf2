//! The fold, row by row of the contract's table and sentence by sentence around it: given, when, then.
//!
//! Here: how a test tells events and reads the board. Not here: the reference boards (`tests/reference.rs`).

mod beds;
mod holds;
mod locations;
pub(crate) mod properties;
mod reported;
mod stays;
mod touching;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use domain::{
    BedProfile, BedRef, CareType, Destination, Event, EventId, Fact, Label, LocationMode, LocationProfile,
    Place, Recorded, ReferralId, ReportedCount, StayId, StopReason, Timestamp, WaitingFor,
};
use uuid::Uuid;

use super::{Availability, CareCode, Counts, Row, RowKey};
use crate::View;

/// A location with beds, and its row that tests look at.
pub(crate) const A: &str = "zk01-a";
/// A second one in the same region, one that reports counts, and one of each in another region.
const B: &str = "zk01-b";
pub(crate) const C: &str = "zk01-c";
pub(crate) const FAR: &str = "zk02-a";
const FAR_C: &str = "zk02-c";
pub(crate) const LC: &str = "ELV_LC";
const HC: &str = "ELV_HC";

/// A board that is told events, one a second, by one source unless another is named.
struct Told {
    board: Availability,
    source: &'static str,
    seen: u64,
    changes: Vec<RowKey>,
}

impl Told {
    /// Five locations, no beds, nothing reported.
    fn new() -> Self {
        let mut told = Self { board: Availability::default(), source: "urn:a", seen: 0, changes: Vec::new() };
        for (location, mode) in [(A, "beds"), (B, "beds"), (C, "counts"), (FAR, "beds"), (FAR_C, "counts")] {
            told.tell(registered(location, mode));
        }
        told
    }

    /// These beds at location A, of type LC.
    fn with_beds(beds: &[&str]) -> Self {
        let mut told = Self::new();
        for bed in beds {
            told.tell(added(A, bed, &[LC]));
        }
        told
    }

    /// A report at location C: physical, occupied, offerable.
    fn with_report(physical: i64, occupied: i64, offerable: i64) -> Self {
        let mut told = Self::new();
        told.tell(reported(C, LC, physical, occupied, offerable));
        told
    }

    /// Tells an event that happened now; gives its id.
    fn tell(&mut self, fact: Fact) -> EventId {
        self.tell_at(self.now(), fact)
    }

    fn tell_all(&mut self, facts: impl IntoIterator<Item = Fact>) {
        for fact in facts {
            self.tell(fact);
        }
    }

    /// Tells an event that happened at this second.
    fn tell_at(&mut self, occurred_at: i64, fact: Fact) -> EventId {
        self.tell_timed(self.now(), occurred_at, fact)
    }

    /// Tells an event that was logged and happened at these seconds.
    fn tell_timed(&mut self, time: i64, occurred_at: i64, fact: Fact) -> EventId {
        let position = self.board.position() + 1;
        let id = EventId::new(Uuid::from_u128(u128::from(position))).unwrap();
        let region = fact.location().map_or("zk09", |location| &location.as_str()[..4]).parse().unwrap();
        let recorded = Recorded {
            position,
            recorded_at: second(self.now()),
            event: Event {
                source: self.source.parse().unwrap(),
                id,
                time: second(time),
                region,
                occurred_at: second(occurred_at),
                fact,
            },
        };
        self.changes.clear();
        self.board.project(&recorded, &mut self.changes);
        id
    }

    fn by(&mut self, source: &'static str) -> &mut Self {
        self.source = source;
        self
    }

    fn now(&self) -> i64 {
        i64::try_from(self.board.position() + 1).unwrap()
    }

    /// What the row of A and LC shows, and the contradictions since the last look.
    #[track_caller]
    fn sees(&mut self, counts: &str, contradictions: &[&str]) {
        self.sees_at(A, LC, counts, contradictions);
    }

    /// What a row shows, and the contradictions since the last look.
    #[track_caller]
    fn sees_at(&mut self, location: &str, care_type: &str, counts: &str, contradictions: &[&str]) {
        let found = self.row(location, care_type).map_or(String::new(), |row| shown(&row.counts()));
        let new = usize::try_from(self.board.contradictions() - self.seen).unwrap();
        self.seen = self.board.contradictions();
        let mut why: Vec<_> =
            self.board.contradiction_list().take(new).map(|found| found.why.code()).collect();
        why.reverse();
        assert_eq!((found.as_str(), &*why), (counts, contradictions));
    }

    fn row(&self, location: &str, care_type: &str) -> Option<Row> {
        let region = location[..4].parse().unwrap();
        let care_type = CareCode::from(care_type);
        self.board.row(&RowKey { region, location: location.parse().unwrap(), care_type })
    }
}

/// Counts above zero, as text.
fn shown(counts: &Counts) -> String {
    let named = [
        ("physical", counts.physical),
        ("occupied", counts.occupied),
        ("held", counts.held),
        ("not_ready", counts.not_ready),
        ("closed", counts.closed),
        ("unstaffed", counts.unstaffed),
        ("reserve", counts.reserve),
        ("offerable", counts.offerable),
        ("also", counts.also_offerable),
        ("waiting", counts.waiting),
    ];
    let above = named.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}"));
    above.collect::<Vec<_>>().join(", ")
}

pub(crate) fn second(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

pub(crate) fn stay(number: u8) -> StayId {
    StayId::new(Uuid::from_u128(1_000 + u128::from(number))).unwrap()
}

pub(crate) fn referral(number: u8) -> ReferralId {
    ReferralId::new(Uuid::from_u128(2_000 + u128::from(number))).unwrap()
}

pub(crate) fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn at(location: &str, bed: &str) -> BedRef {
    BedRef { location: location.parse().unwrap(), bed: bed.parse().unwrap() }
}

pub(crate) fn bed(bed: &str) -> BedRef {
    at(A, bed)
}

/// A bed of A.
pub(crate) fn place(bed: &str) -> Place {
    Place { location: A.parse().unwrap(), bed: Some(bed.parse().unwrap()), care_type: LC.into() }
}

/// A reported row.
fn row(location: &str, care_type: &str) -> Place {
    Place { location: location.parse().unwrap(), bed: None, care_type: care_type.into() }
}

fn profile(location: &str, mode: &str) -> LocationProfile {
    LocationProfile {
        location: location.parse().unwrap(),
        provider: label("provider"),
        name: label("De Linde"),
        mode: LocationMode::from(mode),
        care_types: Vec::from([CareType::ElvLc]),
        postcode4: None,
        phone: Some(label("000-0000000")),
        phone_night: None,
        wards: Vec::new(),
    }
}

pub(crate) fn registered(location: &str, mode: &str) -> Fact {
    Fact::LocationRegistered(profile(location, mode))
}

pub(crate) fn withdrawn(location: &str) -> Fact {
    Fact::LocationWithdrawn { location: location.parse().unwrap() }
}

fn stopped(location: &str, ward: Option<&str>) -> Fact {
    Fact::AdmissionsStopped {
        location: location.parse().unwrap(),
        ward: ward.map(label),
        reason: StopReason::Infection,
        review_at: None,
    }
}

fn resumed(location: &str, ward: Option<&str>) -> Fact {
    Fact::AdmissionsResumed { location: location.parse().unwrap(), ward: ward.map(label) }
}

pub(crate) fn reported(
    location: &str,
    care_type: &str,
    physical: i64,
    occupied: i64,
    offerable: i64,
) -> Fact {
    let count = ReportedCount { care_type: care_type.into(), physical, occupied, offerable };
    Fact::CountsReported { location: location.parse().unwrap(), counts: Vec::from([count]) }
}

fn bed_profile(at: BedRef, care_types: Option<&[&str]>) -> BedProfile {
    let care_types = care_types.map(|types| types.iter().map(|code| CareType::from(*code)).collect());
    BedProfile { bed: at, care_types, ward: None, room: None, features: None, reserve: None }
}

pub(crate) fn added(location: &str, name: &str, care_types: &[&str]) -> Fact {
    Fact::BedAdded(bed_profile(at(location, name), Some(care_types)))
}

fn in_reserve(name: &str, reserve: bool) -> Fact {
    Fact::BedChanged(BedProfile { reserve: Some(reserve), ..bed_profile(bed(name), None) })
}

fn in_ward(name: &str, ward: &str) -> Fact {
    Fact::BedChanged(BedProfile { ward: Some(label(ward)), ..bed_profile(bed(name), None) })
}

pub(crate) fn closed(name: &str) -> Fact {
    Fact::BedClosed { bed: bed(name), reason: "maintenance".into(), review_at: None }
}

fn vacated(name: &str) -> Fact {
    Fact::BedVacated(bed(name))
}

fn freed(name: &str) -> Fact {
    Fact::BedFreed(bed(name))
}

fn contaminated(name: &str) -> Fact {
    Fact::BedContaminated(bed(name))
}

fn corrected(name: &str, corrects: EventId) -> Fact {
    Fact::BedCorrected { bed: bed(name), corrects }
}

pub(crate) fn granted(place: Place, number: u8) -> Fact {
    Fact::HoldGranted { place, referral: referral(number), until: second(9_000) }
}

fn extended(place: Place, number: u8) -> Fact {
    Fact::HoldExtended { place, referral: referral(number), until: second(9_900) }
}

pub(crate) fn released(place: Place, number: u8) -> Fact {
    Fact::HoldReleased { place, referral: referral(number) }
}

fn lapsed(place: Place, number: u8) -> Fact {
    Fact::HoldLapsed { place, referral: referral(number) }
}

/// An admission that names no referral.
fn admitted(number: u8, place: Place) -> Fact {
    Fact::StayAdmitted { stay: stay(number), place, referral: None, funding: None }
}

pub(crate) fn admitted_for(number: u8, place: Place, for_referral: u8) -> Fact {
    Fact::StayAdmitted { stay: stay(number), place, referral: Some(referral(for_referral)), funding: None }
}

fn moved(number: u8, from: &str, to: &str) -> Fact {
    Fact::StayMoved { stay: stay(number), from: bed(from), to: bed(to) }
}

fn move_cancelled(number: u8, from: &str, to: &str) -> Fact {
    Fact::StayMoveCancelled { stay: stay(number), from: bed(from), to: bed(to) }
}

pub(crate) fn discharged(number: u8, place: Place, ready: bool) -> Fact {
    Fact::StayDischarged {
        stay: stay(number),
        place,
        destination: Destination::HomeWithCare,
        ready,
        care_hours_at_home: None,
    }
}

pub(crate) fn admission_cancelled(number: u8) -> Fact {
    Fact::StayAdmissionCancelled { stay: stay(number) }
}

fn discharge_cancelled(number: u8) -> Fact {
    Fact::StayDischargeCancelled { stay: stay(number) }
}

fn waiting(number: u8, what: WaitingFor) -> Fact {
    Fact::StayWaitingFor { stay: stay(number), what, since: second(1) }
}
