//! Facts in a few words, for tests of this crate and of those that fold its events. Behind the feature `testing`.
//!
//! Not here: what the facts do (`availability`, `desk`).
#![expect(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::unwrap_used,
    reason = "test code; the names say it"
)]

mod strategies;

use alloc::vec::Vec;

use uuid::Uuid;

use crate::{
    BedProfile, BedRef, CareType, Destination, EventId, Fact, Label, LocationMode, LocationProfile, OfferId,
    OfferRef, Place, ReferralId, ReportedCount, StayId, StopReason, Timestamp, WaitingFor,
};

pub use strategies::*;

/// A location with beds, and its row that tests look at.
pub const A: &str = "zk01-a";
/// A second one in the same region, one that reports counts, and one of each in another region.
pub const B: &str = "zk01-b";
pub const C: &str = "zk01-c";
pub const FAR: &str = "zk02-a";
pub const FAR_C: &str = "zk02-c";
pub const LC: &str = "ELV_LC";
pub const HC: &str = "ELV_HC";

pub fn second(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

pub fn stay(number: u8) -> StayId {
    StayId::new(Uuid::from_u128(1_000 + u128::from(number))).unwrap()
}

pub fn referral(number: u8) -> ReferralId {
    ReferralId::new(Uuid::from_u128(2_000 + u128::from(number))).unwrap()
}

pub fn label(text: &str) -> Label {
    text.parse().unwrap()
}

pub fn at(location: &str, bed: &str) -> BedRef {
    BedRef { location: location.parse().unwrap(), bed: bed.parse().unwrap() }
}

pub fn bed(bed: &str) -> BedRef {
    at(A, bed)
}

/// A bed of A.
pub fn place(bed: &str) -> Place {
    Place { location: A.parse().unwrap(), bed: Some(bed.parse().unwrap()), care_type: LC.into() }
}

/// A reported row.
pub fn row(location: &str, care_type: &str) -> Place {
    Place { location: location.parse().unwrap(), bed: None, care_type: care_type.into() }
}

pub fn profile(location: &str, mode: &str) -> LocationProfile {
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

pub fn registered(location: &str, mode: &str) -> Fact {
    Fact::LocationRegistered(profile(location, mode))
}

pub fn withdrawn(location: &str) -> Fact {
    Fact::LocationWithdrawn { location: location.parse().unwrap() }
}

pub fn stopped(location: &str, ward: Option<&str>) -> Fact {
    Fact::AdmissionsStopped {
        location: location.parse().unwrap(),
        ward: ward.map(label),
        reason: StopReason::Infection,
        review_at: None,
    }
}

pub fn resumed(location: &str, ward: Option<&str>) -> Fact {
    Fact::AdmissionsResumed { location: location.parse().unwrap(), ward: ward.map(label) }
}

pub fn reported(location: &str, care_type: &str, physical: i64, occupied: i64, offerable: i64) -> Fact {
    let count = ReportedCount { care_type: care_type.into(), physical, occupied, offerable };
    Fact::CountsReported { location: location.parse().unwrap(), counts: Vec::from([count]) }
}

pub fn bed_profile(at: BedRef, care_types: Option<&[&str]>) -> BedProfile {
    let care_types = care_types.map(|types| types.iter().map(|code| CareType::from(*code)).collect());
    BedProfile { bed: at, care_types, ward: None, room: None, features: None, reserve: None }
}

pub fn added(location: &str, name: &str, care_types: &[&str]) -> Fact {
    Fact::BedAdded(bed_profile(at(location, name), Some(care_types)))
}

pub fn in_reserve(name: &str, reserve: bool) -> Fact {
    Fact::BedChanged(BedProfile { reserve: Some(reserve), ..bed_profile(bed(name), None) })
}

pub fn in_ward(name: &str, ward: &str) -> Fact {
    Fact::BedChanged(BedProfile { ward: Some(label(ward)), ..bed_profile(bed(name), None) })
}

pub fn closed(name: &str) -> Fact {
    Fact::BedClosed { bed: bed(name), reason: "maintenance".into(), review_at: None }
}

pub fn vacated(name: &str) -> Fact {
    Fact::BedVacated(bed(name))
}

pub fn freed(name: &str) -> Fact {
    Fact::BedFreed(bed(name))
}

pub fn contaminated(name: &str) -> Fact {
    Fact::BedContaminated(bed(name))
}

pub fn corrected(name: &str, corrects: EventId) -> Fact {
    Fact::BedCorrected { bed: bed(name), corrects }
}

pub fn granted(place: Place, number: u8) -> Fact {
    Fact::HoldGranted { place, referral: referral(number), until: second(9_000) }
}

pub fn extended(place: Place, number: u8) -> Fact {
    Fact::HoldExtended { place, referral: referral(number), until: second(9_900) }
}

pub fn released(place: Place, number: u8) -> Fact {
    Fact::HoldReleased { place, referral: referral(number) }
}

pub fn lapsed(place: Place, number: u8) -> Fact {
    Fact::HoldLapsed { place, referral: referral(number) }
}

/// An admission that names no referral.
pub fn admitted(number: u8, place: Place) -> Fact {
    Fact::StayAdmitted { stay: stay(number), place, referral: None, funding: None }
}

pub fn admitted_for(number: u8, place: Place, for_referral: u8) -> Fact {
    Fact::StayAdmitted { stay: stay(number), place, referral: Some(referral(for_referral)), funding: None }
}

pub fn moved(number: u8, from: &str, to: &str) -> Fact {
    Fact::StayMoved { stay: stay(number), from: bed(from), to: bed(to) }
}

pub fn move_cancelled(number: u8, from: &str, to: &str) -> Fact {
    Fact::StayMoveCancelled { stay: stay(number), from: bed(from), to: bed(to) }
}

pub fn discharged(number: u8, place: Place, ready: bool) -> Fact {
    Fact::StayDischarged {
        stay: stay(number),
        place,
        destination: Destination::HomeWithCare,
        ready,
        care_hours_at_home: None,
    }
}

pub fn admission_cancelled(number: u8) -> Fact {
    Fact::StayAdmissionCancelled { stay: stay(number) }
}

pub fn discharge_cancelled(number: u8) -> Fact {
    Fact::StayDischargeCancelled { stay: stay(number) }
}

pub fn waiting(number: u8, what: WaitingFor) -> Fact {
    Fact::StayWaitingFor { stay: stay(number), what, since: second(1) }
}
