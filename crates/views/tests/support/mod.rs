//! The reference data as recorded events: a small reader of the JSON fields that the fold needs.
//!
//! Not here: the contract's own reader (`contracts`), which views must not depend on.

use std::{io::Read, path::PathBuf, str::FromStr};

use domain::{
    BedProfile, BedRef, CareType, Event, Fact, Label, LocationMode, LocationProfile, OfferRef, Place,
    Recorded, ReportedCount, RuleSet, StopReason, Timestamp, WaitingFor,
};
use serde_json::Value;

/// The bytes of a reference file, unpacked if it is packed.
pub(crate) fn reference(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(name);
    let bytes = std::fs::read(&path).unwrap();
    let mut text = String::new();
    if path.extension().is_some_and(|ending| ending == "gz") {
        flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text
}

/// The events of a reference file, recorded one second after the other.
pub(crate) fn events(name: &str) -> Vec<Recorded> {
    reference(name)
        .lines()
        .zip(1..)
        .map(|(line, position)| Recorded {
            position,
            recorded_at: Timestamp::from_micros(i64::try_from(position).unwrap() * 1_000_000),
            event: event(&serde_json::from_str(line).unwrap()),
        })
        .collect()
}

fn event(json: &Value) -> Event {
    let data = &json["data"];
    let kind = json["type"].as_str().unwrap();
    let kind = kind.strip_prefix("nl.doorstroom.").unwrap().strip_suffix(".v1").unwrap();
    assert!(Fact::KINDS.contains(&kind), "{kind}");
    Event {
        source: read(&json["source"]),
        id: read(&json["id"]),
        time: read(&json["time"]),
        region: read(&json["region"]),
        occurred_at: read(&data["occurred_at"]),
        fact: located(kind, data)
            .or_else(|| of_bed(kind, data))
            .or_else(|| of_hold(kind, data))
            .or_else(|| of_stay(kind, data))
            // What is left changes no count and names no bed: one such fact stands for all.
            .unwrap_or(Fact::RuleSetSwitched { rule_set: RuleSet::Normal }),
    }
}

fn located(kind: &str, data: &Value) -> Option<Fact> {
    if !kind.starts_with("location.") {
        return None;
    }
    let location = read(&data["location"]);
    let ward = || given(&data["ward"]);
    Some(match kind {
        "location.registered" => Fact::LocationRegistered(profile(data)),
        "location.changed" => Fact::LocationChanged(profile(data)),
        "location.withdrawn" => Fact::LocationWithdrawn { location },
        "location.counts-reported" => Fact::CountsReported {
            location,
            counts: data["counts"].as_array().unwrap().iter().map(count).collect(),
        },
        "location.admissions-stopped" => Fact::AdmissionsStopped {
            location,
            ward: ward(),
            reason: StopReason::from(data["reason"].as_str().unwrap()),
            review_at: given(&data["review_at"]),
        },
        "location.admissions-resumed" => Fact::AdmissionsResumed { location, ward: ward() },
        // Windows and limits change no count: like a confirmation.
        _ => Fact::LocationConfirmed { location },
    })
}

fn of_bed(kind: &str, data: &Value) -> Option<Fact> {
    if !kind.starts_with("bed.") {
        return None;
    }
    let bed = bed_ref(data);
    Some(match kind {
        "bed.added" => Fact::BedAdded(bed_profile(data)),
        "bed.changed" => Fact::BedChanged(bed_profile(data)),
        "bed.removed" => Fact::BedRemoved(bed),
        "bed.opened" => Fact::BedOpened(bed),
        "bed.staffed" => Fact::BedStaffed(bed),
        "bed.unstaffed" => Fact::BedUnstaffed(bed),
        "bed.vacated" => Fact::BedVacated(bed),
        "bed.freed" => Fact::BedFreed(bed),
        "bed.contaminated" => Fact::BedContaminated(bed),
        "bed.closed" => {
            Fact::BedClosed { bed, reason: data["reason"].as_str().unwrap().into(), review_at: None }
        }
        "bed.corrected" => Fact::BedCorrected { bed, corrects: read(&data["corrects"]) },
        other => panic!("{other}"),
    })
}

fn of_hold(kind: &str, data: &Value) -> Option<Fact> {
    let offer = || OfferRef {
        offer: read(&data["offer"]),
        referral: read(&data["referral"]),
        location: read(&data["location"]),
    };
    Some(match kind {
        "offer.sent" => Fact::OfferSent {
            offer: offer(),
            bed: given(&data["bed"]),
            care_type: care_type(&data["care_type"]),
            answer_by: read(&data["answer_by"]),
        },
        "offer.accepted" => Fact::OfferAccepted {
            offer: offer(),
            bed: given(&data["bed"]),
            care_type: care_type(&data["care_type"]),
            from: read(&data["from"]),
            by: data["by"].as_str().unwrap().into(),
            spoken_with: None,
        },
        "hold.granted" => Fact::HoldGranted {
            place: place(data),
            referral: read(&data["referral"]),
            until: read(&data["until"]),
        },
        "hold.extended" => Fact::HoldExtended {
            place: place(data),
            referral: read(&data["referral"]),
            until: read(&data["until"]),
        },
        "hold.released" => Fact::HoldReleased { place: place(data), referral: read(&data["referral"]) },
        "hold.lapsed" => Fact::HoldLapsed { place: place(data), referral: read(&data["referral"]) },
        _ => return None,
    })
}

fn of_stay(kind: &str, data: &Value) -> Option<Fact> {
    let stay = given(&data["stay"])?;
    Some(match kind {
        "stay.admitted" => {
            Fact::StayAdmitted { stay, place: place(data), referral: given(&data["referral"]), funding: None }
        }
        "stay.moved" => Fact::StayMoved { stay, from: bed_ref(&data["from"]), to: bed_ref(&data["to"]) },
        "stay.move-cancelled" => {
            Fact::StayMoveCancelled { stay, from: bed_ref(&data["from"]), to: bed_ref(&data["to"]) }
        }
        "stay.waiting-for" => Fact::StayWaitingFor {
            stay,
            what: WaitingFor::from(data["what"].as_str().unwrap()),
            since: read(&data["since"]),
        },
        "stay.discharged" => Fact::StayDischarged {
            stay,
            place: place(data),
            destination: data["destination"].as_str().unwrap().into(),
            ready: data["ready"].as_bool().unwrap_or(false),
            care_hours_at_home: None,
        },
        "stay.admission-cancelled" => Fact::StayAdmissionCancelled { stay },
        "stay.discharge-cancelled" => Fact::StayDischargeCancelled { stay },
        // The others only need their stay to be open.
        _ => Fact::StayPlanSet { stay, items: Vec::new() },
    })
}

fn profile(data: &Value) -> LocationProfile {
    LocationProfile {
        location: read(&data["location"]),
        provider: read(&data["provider"]),
        name: read(&data["name"]),
        mode: LocationMode::from(data["mode"].as_str().unwrap()),
        care_types: care_types(&data["care_types"]).unwrap(),
        postcode4: None,
        phone: given(&data["phone"]),
        phone_night: None,
        wards: Vec::new(),
    }
}

fn bed_profile(data: &Value) -> BedProfile {
    BedProfile {
        bed: bed_ref(data),
        care_types: care_types(&data["care_types"]),
        ward: given::<Label>(&data["ward"]),
        room: None,
        features: None,
        reserve: data["reserve"].as_bool(),
    }
}

fn count(json: &Value) -> ReportedCount {
    ReportedCount {
        care_type: care_type(&json["care_type"]),
        physical: json["physical"].as_i64().unwrap(),
        occupied: json["occupied"].as_i64().unwrap(),
        offerable: json["offerable"].as_i64().unwrap(),
    }
}

fn bed_ref(json: &Value) -> BedRef {
    BedRef { location: read(&json["location"]), bed: read(&json["bed"]) }
}

fn place(data: &Value) -> Place {
    Place {
        location: read(&data["location"]),
        bed: given(&data["bed"]),
        care_type: care_type(&data["care_type"]),
    }
}

fn care_type(json: &Value) -> CareType {
    CareType::from(json.as_str().unwrap())
}

fn care_types(json: &Value) -> Option<Vec<CareType>> {
    Some(json.as_array()?.iter().map(care_type).collect())
}

fn given<T: FromStr>(json: &Value) -> Option<T> {
    json.as_str().map(|text| text.parse().ok().unwrap_or_else(|| panic!("not readable: {text}")))
}

fn read<T: FromStr>(json: &Value) -> T {
    given(json).unwrap_or_else(|| panic!("missing"))
}
