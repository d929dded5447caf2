//! From the messages to the domain: which fact each type is, and what its fields must be.
//!
//! JSON and protobuf come together here: both are read into the same message, so there is one mapping.
//! Not here: the way back (`to_wire`), single fields (`fields`), what the codes are (`domain`).

use bytes::Bytes;
use domain::{
    AdmissionWindow, BedProfile, BedRef, CareType, Fact, LocationId, LocationProfile, OfferRef, Overruled,
    Place, PlanStep, ReferralId, ReferralProfile, ReportedCount, Sealed, StayId, Timestamp,
};

use crate::error::Fault;
use crate::fields::{Read, codes, field, list, moment, optional_digits};
use crate::json::Json;
use crate::matched;
use crate::shape::Shape;
use crate::wire;

/// The data of an event, in one of its two forms.
pub(crate) enum Data<'a> {
    Json(&'a Json<'a>),
    Protobuf(Bytes),
}

/// What the data of an event says.
pub(crate) struct Content {
    pub(crate) occurred_at: Timestamp,
    pub(crate) fact: Fact,
    /// What is sealed, of any type: most facts do not keep it.
    pub(crate) sealed: Option<Sealed>,
}

/// What it says, for a short kind such as `bed.freed` in version 1; `None` if there is no such type.
///
/// An older version of a type gets an arm of its own that reads the old message and gives the fact of today.
pub(crate) fn fact(kind: &str, data: &Data<'_>) -> Read<Option<Content>> {
    match kind.split_once('.').map_or(kind, |(entity, _)| entity) {
        "location" => location_fact(kind, data),
        "bed" => bed_fact(kind, data),
        "referral" => referral_fact(kind, data),
        "offer" | "arrival" => offer_fact(kind, data),
        "hold" => hold_fact(kind, data),
        "stay" => stay_fact(kind, data),
        _ => desk_fact(kind, data),
    }
}

/// Reads the message, and what every message has; the rest is for `fact`.
fn read<M: Shape>(
    data: &Data<'_>,
    fact: impl FnOnce(M, Option<Sealed>) -> Read<Fact>,
) -> Read<Option<Content>> {
    let mut message = match data {
        Data::Json(json) => M::deserialize(*json)?,
        Data::Protobuf(bytes) => M::decode(bytes.clone()).map_err(|error| Fault::at("", error))?,
    };
    let occurred_at = message.occurred_at().take();
    let occurred_at = moment(occurred_at.as_deref(), "occurred_at")?;
    let sealed = message.sealed().take();
    let sealed = sealed.as_ref().map(sealed_data).transpose().map_err(|fault| fault.within("sealed"))?;
    let fact = fact(message, sealed.clone())?;
    Ok(Some(Content { occurred_at, fact, sealed }))
}

fn location_fact(kind: &str, data: &Data<'_>) -> Read<Option<Content>> {
    let plain = |fact: fn(LocationId) -> Fact| {
        read(data, |m: wire::Location, _| Ok(fact(field!(required m.location))))
    };
    match kind {
        "location.registered" => read(data, |m, _| location_profile(&m).map(Fact::LocationRegistered)),
        "location.changed" => read(data, |m, _| location_profile(&m).map(Fact::LocationChanged)),
        "location.confirmed" => plain(|location| Fact::LocationConfirmed { location }),
        "location.withdrawn" => plain(|location| Fact::LocationWithdrawn { location }),
        "location.counts-reported" => read(data, |m: wire::CountsReported, _| {
            let location = field!(required m.location);
            Ok(Fact::CountsReported { location, counts: list(&m.counts, "counts", reported_count)? })
        }),
        "location.windows-set" => read(data, |m: wire::WindowsSet, _| {
            let location = field!(required m.location);
            Ok(Fact::WindowsSet { location, windows: list(&m.windows, "windows", admission_window)? })
        }),
        "location.intake-limit-set" => read(data, |m: wire::IntakeLimitSet, _| {
            Ok(Fact::IntakeLimitSet {
                location: field!(required m.location),
                care_type: field!(optional_code m.care_type),
                period: field!(code m.period),
                max: *field!(present m.max),
            })
        }),
        "location.admissions-stopped" => read(data, |m: wire::AdmissionsStopped, _| {
            Ok(Fact::AdmissionsStopped {
                location: field!(required m.location),
                ward: field!(optional m.ward),
                reason: field!(code m.reason),
                review_at: field!(optional_moment m.review_at),
            })
        }),
        "location.admissions-resumed" => read(data, |m: wire::AdmissionsResumed, _| {
            Ok(Fact::AdmissionsResumed {
                location: field!(required m.location),
                ward: field!(optional m.ward),
            })
        }),
        _ => Ok(None),
    }
}

fn bed_fact(kind: &str, data: &Data<'_>) -> Read<Option<Content>> {
    let plain = |fact: fn(BedRef) -> Fact| {
        read(data, |m: wire::Bed, _| {
            Ok(fact(BedRef { location: field!(required m.location), bed: field!(required m.bed) }))
        })
    };
    match kind {
        "bed.added" => read(data, |m: wire::BedProfile, _| {
            field!(present m.care_types);
            bed_profile(&m).map(Fact::BedAdded)
        }),
        "bed.changed" => read(data, |m, _| bed_profile(&m).map(Fact::BedChanged)),
        "bed.removed" => plain(Fact::BedRemoved),
        "bed.opened" => plain(Fact::BedOpened),
        "bed.staffed" => plain(Fact::BedStaffed),
        "bed.unstaffed" => plain(Fact::BedUnstaffed),
        "bed.vacated" => plain(Fact::BedVacated),
        "bed.freed" => plain(Fact::BedFreed),
        "bed.contaminated" => plain(Fact::BedContaminated),
        "bed.closed" => read(data, |m: wire::BedClosed, _| {
            let bed = BedRef { location: field!(required m.location), bed: field!(required m.bed) };
            let (reason, review_at) = (field!(code m.reason), field!(optional_moment m.review_at));
            Ok(Fact::BedClosed { bed, reason, review_at })
        }),
        "bed.corrected" => read(data, |m: wire::BedCorrected, _| {
            let bed = BedRef { location: field!(required m.location), bed: field!(required m.bed) };
            Ok(Fact::BedCorrected { bed, corrects: field!(required m.corrects) })
        }),
        _ => Ok(None),
    }
}

fn referral_fact(kind: &str, data: &Data<'_>) -> Read<Option<Content>> {
    match kind {
        "referral.made" => read(data, |m, sealed| referral_profile(&m, sealed).map(Fact::ReferralMade)),
        "referral.changed" => read(data, |m, sealed| referral_profile(&m, sealed).map(Fact::ReferralChanged)),
        "referral.triaged" => read(data, |m: wire::ReferralTriaged, sealed| {
            let overruled = m.overruled.as_ref().map(overruled).transpose();
            Ok(Fact::ReferralTriaged {
                referral: field!(required m.referral),
                instrument: field!(required m.instrument),
                outcome: field!(code m.outcome),
                overruled: overruled.map_err(|fault| fault.within("overruled"))?,
                decided_by: field!(code m.decided_by),
                consulted: field!(optional_code m.consulted),
                sealed,
            })
        }),
        "referral.withdrawn" => read(data, |m: wire::ReferralEnded, _| {
            Ok(Fact::ReferralWithdrawn {
                referral: field!(required m.referral),
                reason: field!(code m.reason),
            })
        }),
        "referral.diverted" => read(data, |m: wire::ReferralEnded, _| {
            Ok(Fact::ReferralDiverted {
                referral: field!(required m.referral),
                reason: field!(code m.reason),
            })
        }),
        "referral.expired-unplaced" => read(data, |m: wire::ReferralEnded, _| {
            let (referral, reason) = (field!(required m.referral), field!(required m.reason));
            Ok(Fact::ReferralExpiredUnplaced { referral, reason })
        }),
        "referral.escalated" => read(data, |m: wire::ReferralEscalated, _| {
            let (referral, to_region) = (field!(required m.referral), field!(required m.to_region));
            Ok(Fact::ReferralEscalated { referral, to_region })
        }),
        "referral.taken-over" => read(data, |m: wire::ReferralTakenOver, _| {
            let (referral, from_region) = (field!(required m.referral), field!(required m.from_region));
            Ok(Fact::ReferralTakenOver { referral, from_region })
        }),
        "referral.raised" => read(data, |m: wire::ReferralRaised, _| {
            Ok(Fact::ReferralRaised { referral: field!(required m.referral), to: field!(code m.to) })
        }),
        "referral.matched" => read(data, |m, _| matched::read(&m).map(Fact::ReferralMatched)),
        _ => Ok(None),
    }
}

/// Reads the fields that every `offer.*` has.
macro_rules! offer_ref {
    ($message:ident) => {
        OfferRef {
            offer: field!(required $message.offer),
            referral: field!(required $message.referral),
            location: field!(required $message.location),
        }
    };
}

fn offer_fact(kind: &str, data: &Data<'_>) -> Read<Option<Content>> {
    let plain = |fact: fn(OfferRef) -> Fact| read(data, |m: wire::Offer, _| Ok(fact(offer_ref!(m))));
    match kind {
        "offer.sent" => read(data, |m: wire::OfferSent, _| {
            Ok(Fact::OfferSent {
                offer: offer_ref!(m),
                bed: field!(optional m.bed),
                care_type: field!(code m.care_type),
                answer_by: field!(moment m.answer_by),
            })
        }),
        "offer.seen" => plain(Fact::OfferSeen),
        "offer.lapsed" => plain(Fact::OfferLapsed),
        "offer.revoked" => plain(Fact::OfferRevoked),
        "offer.accepted" => read(data, |m: wire::OfferAccepted, _| {
            Ok(Fact::OfferAccepted {
                offer: offer_ref!(m),
                bed: field!(optional m.bed),
                care_type: field!(code m.care_type),
                from: field!(moment m.from),
                by: field!(code m.by),
                spoken_with: field!(optional_code m.spoken_with),
            })
        }),
        "offer.chosen" => read(data, |m: wire::OfferBy, _| {
            Ok(Fact::OfferChosen { offer: offer_ref!(m), by: field!(code m.by) })
        }),
        "offer.contested" => read(data, |m: wire::OfferBy, _| {
            Ok(Fact::OfferContested { offer: offer_ref!(m), by: field!(code m.by) })
        }),
        "offer.medically-agreed" => read(data, |m: wire::OfferMedicallyAgreed, _| {
            Ok(Fact::OfferMedicallyAgreed { offer: offer_ref!(m), by: field!(code m.by) })
        }),
        "offer.declined" => read(data, |m: wire::OfferDeclined, _| {
            let (code, spoken_with) = (field!(code m.code), field!(optional_code m.spoken_with));
            Ok(Fact::OfferDeclined { offer: offer_ref!(m), code, spoken_with })
        }),
        "arrival.agreed" => read(data, |m: wire::ArrivalAgreed, _| {
            Ok(Fact::ArrivalAgreed {
                referral: field!(required m.referral),
                location: field!(required m.location),
                at: field!(moment m.at),
                transport: field!(optional m.transport),
            })
        }),
        _ => Ok(None),
    }
}

/// Reads the fields that name a place.
macro_rules! place {
    ($message:ident) => {
        Place {
            location: field!(required $message.location),
            bed: field!(optional $message.bed),
            care_type: field!(code $message.care_type),
        }
    };
}

fn hold_fact(kind: &str, data: &Data<'_>) -> Read<Option<Content>> {
    let granted = |fact: fn(Place, ReferralId, Timestamp) -> Fact| {
        read(data, |m: wire::HoldGranted, _| {
            Ok(fact(place!(m), field!(required m.referral), field!(moment m.until)))
        })
    };
    let ended = |fact: fn(Place, ReferralId) -> Fact| {
        read(data, |m: wire::HoldEnded, _| Ok(fact(place!(m), field!(required m.referral))))
    };
    match kind {
        "hold.granted" => granted(|place, referral, until| Fact::HoldGranted { place, referral, until }),
        "hold.extended" => granted(|place, referral, until| Fact::HoldExtended { place, referral, until }),
        "hold.released" => ended(|place, referral| Fact::HoldReleased { place, referral }),
        "hold.lapsed" => ended(|place, referral| Fact::HoldLapsed { place, referral }),
        "hold.overdue" => ended(|place, referral| Fact::HoldOverdue { place, referral }),
        _ => Ok(None),
    }
}

fn stay_fact(kind: &str, data: &Data<'_>) -> Read<Option<Content>> {
    let plain = |fact: fn(StayId) -> Fact| read(data, |m: wire::Stay, _| Ok(fact(field!(required m.stay))));
    let moved = |fact: fn(StayId, BedRef, BedRef) -> Fact| {
        read(data, |m: wire::StayMoved, _| {
            let (from, to) = (field!(present m.from), field!(present m.to));
            let from = bed_ref(from).map_err(|fault| fault.within("from"))?;
            let to = bed_ref(to).map_err(|fault| fault.within("to"))?;
            Ok(fact(field!(required m.stay), from, to))
        })
    };
    let planned = |fact: fn(StayId, Option<Timestamp>) -> Fact| {
        read(data, |m: wire::StayDischargePlan, _| {
            Ok(fact(field!(required m.stay), field!(optional_moment m.expected_at)))
        })
    };
    match kind {
        "stay.admitted" => read(data, |m: wire::StayAdmitted, _| {
            let (referral, funding) = (field!(optional m.referral), field!(optional m.funding));
            Ok(Fact::StayAdmitted { stay: field!(required m.stay), place: place!(m), referral, funding })
        }),
        "stay.moved" => moved(|stay, from, to| Fact::StayMoved { stay, from, to }),
        "stay.move-cancelled" => moved(|stay, from, to| Fact::StayMoveCancelled { stay, from, to }),
        "stay.discharge-planned" => {
            planned(|stay, expected_at| Fact::StayDischargePlanned { stay, expected_at })
        }
        "stay.discharge-plan-withdrawn" => {
            planned(|stay, expected_at| Fact::StayDischargePlanWithdrawn { stay, expected_at })
        }
        "stay.waiting-for" => read(data, |m: wire::StayWaitingFor, _| {
            let (what, since) = (field!(code m.what), field!(moment m.since));
            Ok(Fact::StayWaitingFor { stay: field!(required m.stay), what, since })
        }),
        "stay.plan-set" => read(data, |m: wire::StayPlanSet, _| {
            Ok(Fact::StayPlanSet {
                stay: field!(required m.stay),
                items: list(&m.items, "items", plan_step)?,
            })
        }),
        "stay.triage-reviewed" => read(data, |m: wire::StayTriageReviewed, _| {
            Ok(Fact::StayTriageReviewed { stay: field!(required m.stay), outcome: field!(code m.outcome) })
        }),
        "stay.funding-switched" => read(data, |m: wire::StayFundingSwitched, _| {
            Ok(Fact::StayFundingSwitched {
                stay: field!(required m.stay),
                funding: field!(required m.funding),
            })
        }),
        "stay.discharged" => read(data, |m: wire::StayDischarged, _| {
            Ok(Fact::StayDischarged {
                stay: field!(required m.stay),
                place: place!(m),
                destination: field!(code m.destination),
                ready: m.ready.unwrap_or(false),
                care_hours_at_home: m.care_hours_at_home,
            })
        }),
        "stay.admission-cancelled" => plain(|stay| Fact::StayAdmissionCancelled { stay }),
        "stay.discharge-cancelled" => plain(|stay| Fact::StayDischargeCancelled { stay }),
        _ => Ok(None),
    }
}

fn desk_fact(kind: &str, data: &Data<'_>) -> Read<Option<Content>> {
    match kind {
        "contact.logged" => read(data, |m: wire::ContactLogged, _| {
            Ok(Fact::ContactLogged {
                contact: field!(required m.contact),
                kind: field!(code m.kind),
                with: field!(required m.with),
                about: field!(optional m.about),
                minutes: *field!(present m.minutes),
                referral: field!(optional m.referral),
            })
        }),
        "desk.duty-handed-over" => read(data, |m: wire::DutyHandedOver, _| {
            let (to, until) = (field!(required m.to), field!(moment m.until));
            Ok(Fact::DutyHandedOver { to, until, mandate: field!(labels m.mandate) })
        }),
        "desk.confirmation-asked" => read(data, |m: wire::Location, _| {
            Ok(Fact::ConfirmationAsked { location: field!(required m.location) })
        }),
        "desk.duty-taken-back" => read(data, |_: wire::DutyTakenBack, _| Ok(Fact::DutyTakenBack)),
        "ruleset.switched" => read(data, |m: wire::RuleSetSwitched, _| {
            Ok(Fact::RuleSetSwitched { rule_set: field!(code m.rule_set) })
        }),
        _ => Ok(None),
    }
}

fn location_profile(m: &wire::LocationProfile) -> Read<LocationProfile> {
    Ok(LocationProfile {
        location: field!(required m.location),
        provider: field!(required m.provider),
        name: field!(required m.name),
        mode: field!(code m.mode),
        care_types: field!(codes m.care_types),
        postcode4: optional_digits(m.postcode4.as_deref(), 4, "postcode4")?,
        phone: field!(optional m.phone),
        phone_night: field!(optional m.phone_night),
        wards: field!(labels m.wards),
    })
}

fn reported_count(m: &wire::ReportedCount) -> Read<ReportedCount> {
    Ok(ReportedCount {
        care_type: field!(code m.care_type),
        physical: *field!(present m.physical),
        occupied: *field!(present m.occupied),
        offerable: *field!(present m.offerable),
    })
}

fn admission_window(m: &wire::AdmissionWindow) -> Read<AdmissionWindow> {
    Ok(AdmissionWindow {
        days: field!(labels m.days),
        from: field!(time_of_day m.from),
        to: field!(time_of_day m.to),
        care_types: field!(codes m.care_types),
    })
}

fn bed_ref(m: &wire::BedRef) -> Read<BedRef> {
    Ok(BedRef { location: field!(required m.location), bed: field!(required m.bed) })
}

fn bed_profile(m: &wire::BedProfile) -> Read<BedProfile> {
    let bed = BedRef { location: field!(required m.location), bed: field!(required m.bed) };
    let care_types =
        m.care_types.as_ref().map(|given| codes::<CareType>(&given.values, "care_types")).transpose()?;
    // The first is the primary type, under which the bed is counted.
    if care_types.as_ref().is_some_and(Vec::is_empty) {
        return Err(Fault::at("care_types", "must name at least one: the first is the primary type"));
    }
    Ok(BedProfile {
        bed,
        care_types,
        ward: field!(optional m.ward),
        room: field!(optional m.room),
        features: m.features.as_ref().map(|given| codes(&given.values, "features")).transpose()?,
        reserve: m.reserve,
    })
}

fn referral_profile(m: &wire::ReferralProfile, sealed: Option<Sealed>) -> Read<ReferralProfile> {
    Ok(ReferralProfile {
        referral: field!(required m.referral),
        origin: field!(code m.origin),
        care_type: field!(optional_code m.care_type),
        urgency: field!(code m.urgency),
        ready_since: field!(optional_moment m.ready_since),
        wished_at: field!(optional_moment m.wished_at),
        area: optional_digits(m.area.as_deref(), 2, "area")?,
        age_band: field!(optional_code m.age_band),
        sex: field!(optional m.sex),
        constraints: field!(codes m.constraints),
        expected_days: m.expected_days,
        purpose: field!(optional_code m.purpose),
        channel: field!(required m.channel),
        payer: field!(optional m.payer),
        consent: *field!(present m.consent),
        callback_desk: field!(optional m.callback_desk),
        sealed,
    })
}

fn overruled(m: &wire::Overruled) -> Read<Overruled> {
    Ok(Overruled { outcome: field!(code m.outcome), reason: field!(required m.reason) })
}

fn sealed_data(m: &wire::Sealed) -> Read<Sealed> {
    let ciphertext = field!(present m.ciphertext).clone();
    if ciphertext.is_empty() {
        return Err(Fault::at("ciphertext", "empty"));
    }
    Ok(Sealed {
        scheme: field!(required m.scheme),
        key: field!(required m.key),
        nonce: field!(required m.nonce),
        ciphertext,
    })
}

fn plan_step(m: &wire::PlanStep) -> Read<PlanStep> {
    Ok(PlanStep {
        item: field!(code m.item),
        state: field!(code m.state),
        due: field!(optional_moment m.due),
    })
}
