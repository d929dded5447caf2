//! From the domain to the messages.
//!
//! Not here: the way back (`from_wire`), the envelope (`encode`).

use core::fmt::Display;

use domain::{BedProfile, BedRef, Event, Fact, LocationProfile, ReferralProfile, Sealed};

use crate::matched;
use crate::shape::Shape;
use crate::wire;

/// Takes the message that carries the data of an event.
pub(crate) trait Sink {
    /// What becomes of it.
    type Out;
    /// Takes it, complete.
    fn take<M: Shape>(self, message: &M) -> Self::Out;
}

/// Hands the message for an event to the sink.
#[expect(clippy::too_many_lines, reason = "one arm per type of the contract")]
pub(crate) fn write<S: Sink>(event: &Event, sink: S) -> S::Out {
    let to = Stamped { occurred_at: text(event.occurred_at), sink };
    match &event.fact {
        Fact::LocationRegistered(profile) | Fact::LocationChanged(profile) => {
            to.put(location_profile(profile))
        }
        Fact::LocationConfirmed { location }
        | Fact::LocationWithdrawn { location }
        | Fact::ConfirmationAsked { location } => {
            to.put(wire::Location { location: text(location), ..Default::default() })
        }
        Fact::CountsReported { location, counts } => {
            let counts = counts.iter().map(reported_count).collect();
            to.put(wire::CountsReported { location: text(location), counts, ..Default::default() })
        }
        Fact::WindowsSet { location, windows } => {
            let windows = windows.iter().map(admission_window).collect();
            to.put(wire::WindowsSet { location: text(location), windows, ..Default::default() })
        }
        Fact::IntakeLimitSet { location, care_type, period, max } => to.put(wire::IntakeLimitSet {
            location: text(location),
            care_type: text_if(care_type.as_ref()),
            period: text(period),
            max: Some(*max),
            ..Default::default()
        }),
        Fact::AdmissionsStopped { location, ward, reason, review_at } => to.put(wire::AdmissionsStopped {
            location: text(location),
            ward: text_if(ward.as_ref()),
            reason: text(reason),
            review_at: text_if(review_at.as_ref()),
            ..Default::default()
        }),
        Fact::AdmissionsResumed { location, ward } => to.put(wire::AdmissionsResumed {
            location: text(location),
            ward: text_if(ward.as_ref()),
            ..Default::default()
        }),
        Fact::BedAdded(profile) | Fact::BedChanged(profile) => to.put(bed_profile(profile)),
        Fact::BedRemoved(bed)
        | Fact::BedOpened(bed)
        | Fact::BedStaffed(bed)
        | Fact::BedUnstaffed(bed)
        | Fact::BedVacated(bed)
        | Fact::BedFreed(bed)
        | Fact::BedContaminated(bed) => {
            to.put(wire::Bed { location: text(&bed.location), bed: text(&bed.bed), ..Default::default() })
        }
        Fact::BedClosed { bed, reason, review_at } => to.put(wire::BedClosed {
            location: text(&bed.location),
            bed: text(&bed.bed),
            reason: text(reason),
            review_at: text_if(review_at.as_ref()),
            ..Default::default()
        }),
        Fact::BedCorrected { bed, corrects } => to.put(wire::BedCorrected {
            location: text(&bed.location),
            bed: text(&bed.bed),
            corrects: text(corrects),
            ..Default::default()
        }),
        Fact::ReferralMade(profile) | Fact::ReferralChanged(profile) => to.put(referral_profile(profile)),
        Fact::ReferralTriaged { referral, instrument, outcome, overruled, decided_by, consulted, sealed } => {
            let overruled = overruled.as_ref().map(|overruled| wire::Overruled {
                outcome: text(&overruled.outcome),
                reason: text(&overruled.reason),
            });
            to.put(wire::ReferralTriaged {
                referral: text(referral),
                instrument: text(instrument),
                outcome: text(outcome),
                overruled,
                decided_by: text(decided_by),
                consulted: text_if(consulted.as_ref()),
                sealed: sealed.as_ref().map(sealed_data),
                ..Default::default()
            })
        }
        Fact::ReferralWithdrawn { referral, reason } => to.put(ended(referral, reason)),
        Fact::ReferralDiverted { referral, reason } => to.put(ended(referral, reason)),
        Fact::ReferralExpiredUnplaced { referral, reason } => to.put(ended(referral, reason)),
        Fact::ReferralEscalated { referral, to_region } => to.put(wire::ReferralEscalated {
            referral: text(referral),
            to_region: text(to_region),
            ..Default::default()
        }),
        Fact::ReferralTakenOver { referral, from_region } => to.put(wire::ReferralTakenOver {
            referral: text(referral),
            from_region: text(from_region),
            ..Default::default()
        }),
        Fact::ReferralRaised { referral, to: above } => {
            to.put(wire::ReferralRaised { referral: text(referral), to: text(above), ..Default::default() })
        }
        Fact::ReferralMatched(list) => to.put(matched::write(list)),
        Fact::OfferSent { offer, bed, care_type, answer_by } => to.put(wire::OfferSent {
            offer: text(offer.offer),
            referral: text(offer.referral),
            location: text(&offer.location),
            bed: text_if(bed.as_ref()),
            care_type: text(care_type),
            answer_by: text(answer_by),
            ..Default::default()
        }),
        Fact::OfferSeen(offer) | Fact::OfferLapsed(offer) | Fact::OfferRevoked(offer) => {
            to.put(wire::Offer {
                offer: text(offer.offer),
                referral: text(offer.referral),
                location: text(&offer.location),
                ..Default::default()
            })
        }
        Fact::OfferAccepted { offer, bed, care_type, from, by, spoken_with } => to.put(wire::OfferAccepted {
            offer: text(offer.offer),
            referral: text(offer.referral),
            location: text(&offer.location),
            bed: text_if(bed.as_ref()),
            care_type: text(care_type),
            from: text(from),
            by: text(by),
            spoken_with: text_if(spoken_with.as_ref()),
            ..Default::default()
        }),
        Fact::OfferChosen { offer, by } | Fact::OfferContested { offer, by } => to.put(wire::OfferBy {
            offer: text(offer.offer),
            referral: text(offer.referral),
            location: text(&offer.location),
            by: text(by),
            ..Default::default()
        }),
        Fact::OfferMedicallyAgreed { offer, by } => to.put(wire::OfferMedicallyAgreed {
            offer: text(offer.offer),
            referral: text(offer.referral),
            location: text(&offer.location),
            by: text(by),
            ..Default::default()
        }),
        Fact::OfferDeclined { offer, code, spoken_with } => to.put(wire::OfferDeclined {
            offer: text(offer.offer),
            referral: text(offer.referral),
            location: text(&offer.location),
            code: text(code),
            spoken_with: text_if(spoken_with.as_ref()),
            ..Default::default()
        }),
        Fact::ArrivalAgreed { referral, location, at, transport } => to.put(wire::ArrivalAgreed {
            referral: text(referral),
            location: text(location),
            at: text(at),
            transport: text_if(transport.as_ref()),
            ..Default::default()
        }),
        Fact::HoldGranted { place, referral, until } | Fact::HoldExtended { place, referral, until } => to
            .put(wire::HoldGranted {
                location: text(&place.location),
                bed: text_if(place.bed.as_ref()),
                care_type: text(&place.care_type),
                referral: text(referral),
                until: text(until),
                ..Default::default()
            }),
        Fact::HoldReleased { place, referral }
        | Fact::HoldLapsed { place, referral }
        | Fact::HoldOverdue { place, referral } => to.put(wire::HoldEnded {
            location: text(&place.location),
            bed: text_if(place.bed.as_ref()),
            care_type: text(&place.care_type),
            referral: text(referral),
            ..Default::default()
        }),
        Fact::StayAdmitted { stay, place, referral, funding } => to.put(wire::StayAdmitted {
            stay: text(stay),
            location: text(&place.location),
            bed: text_if(place.bed.as_ref()),
            care_type: text(&place.care_type),
            referral: text_if(referral.as_ref()),
            funding: text_if(funding.as_ref()),
            ..Default::default()
        }),
        Fact::StayMoved { stay, from, to: target } | Fact::StayMoveCancelled { stay, from, to: target } => {
            let (from, target) = (Some(bed_ref(from)), Some(bed_ref(target)));
            to.put(wire::StayMoved { stay: text(stay), from, to: target, ..Default::default() })
        }
        Fact::StayDischargePlanned { stay, expected_at }
        | Fact::StayDischargePlanWithdrawn { stay, expected_at } => to.put(wire::StayDischargePlan {
            stay: text(stay),
            expected_at: text_if(expected_at.as_ref()),
            ..Default::default()
        }),
        Fact::StayWaitingFor { stay, what, since } => to.put(wire::StayWaitingFor {
            stay: text(stay),
            what: text(what),
            since: text(since),
            ..Default::default()
        }),
        Fact::StayPlanSet { stay, items } => {
            let items = items.iter().map(plan_step).collect();
            to.put(wire::StayPlanSet { stay: text(stay), items, ..Default::default() })
        }
        Fact::StayTriageReviewed { stay, outcome } => to.put(wire::StayTriageReviewed {
            stay: text(stay),
            outcome: text(outcome),
            ..Default::default()
        }),
        Fact::StayFundingSwitched { stay, funding } => to.put(wire::StayFundingSwitched {
            stay: text(stay),
            funding: text(funding),
            ..Default::default()
        }),
        Fact::StayDischarged { stay, place, destination, ready, care_hours_at_home } => {
            to.put(wire::StayDischarged {
                stay: text(stay),
                location: text(&place.location),
                bed: text_if(place.bed.as_ref()),
                care_type: text(&place.care_type),
                destination: text(destination),
                ready: Some(*ready),
                care_hours_at_home: *care_hours_at_home,
                ..Default::default()
            })
        }
        Fact::StayAdmissionCancelled { stay } | Fact::StayDischargeCancelled { stay } => {
            to.put(wire::Stay { stay: text(stay), ..Default::default() })
        }
        Fact::ContactLogged { contact, kind, with, about, minutes, referral } => {
            to.put(wire::ContactLogged {
                contact: text(contact),
                kind: text(kind),
                with: text(with),
                about: text_if(about.as_ref()),
                minutes: Some(*minutes),
                referral: text_if(referral.as_ref()),
                ..Default::default()
            })
        }
        Fact::DutyHandedOver { to: deputy, until, mandate } => to.put(wire::DutyHandedOver {
            to: text(deputy),
            until: text(until),
            mandate: texts(mandate),
            ..Default::default()
        }),
        Fact::DutyTakenBack => to.put(wire::DutyTakenBack::default()),
        Fact::RuleSetSwitched { rule_set } => {
            to.put(wire::RuleSetSwitched { rule_set: text(rule_set), ..Default::default() })
        }
    }
}

/// A sink, and what every message gets on the way to it.
struct Stamped<S> {
    occurred_at: Option<String>,
    sink: S,
}

impl<S: Sink> Stamped<S> {
    fn put<M: Shape>(self, mut message: M) -> S::Out {
        *message.occurred_at() = self.occurred_at;
        self.sink.take(&message)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every field of a message is optional there")]
pub(crate) fn text(value: impl Display) -> Option<String> {
    Some(value.to_string())
}

pub(crate) fn text_if(value: Option<&impl Display>) -> Option<String> {
    value.map(ToString::to_string)
}

pub(crate) fn texts(values: &[impl Display]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn codes(values: &[impl Display]) -> wire::Codes {
    wire::Codes { values: texts(values) }
}

fn ended(referral: impl Display, reason: impl Display) -> wire::ReferralEnded {
    wire::ReferralEnded { referral: text(referral), reason: text(reason), ..Default::default() }
}

fn location_profile(profile: &LocationProfile) -> wire::LocationProfile {
    wire::LocationProfile {
        location: text(&profile.location),
        provider: text(&profile.provider),
        name: text(&profile.name),
        mode: text(&profile.mode),
        care_types: texts(&profile.care_types),
        postcode4: text_if(profile.postcode4.as_ref()),
        phone: text_if(profile.phone.as_ref()),
        phone_night: text_if(profile.phone_night.as_ref()),
        wards: texts(&profile.wards),
        ..Default::default()
    }
}

fn reported_count(count: &domain::ReportedCount) -> wire::ReportedCount {
    wire::ReportedCount {
        care_type: text(&count.care_type),
        physical: Some(count.physical),
        occupied: Some(count.occupied),
        offerable: Some(count.offerable),
    }
}

fn admission_window(window: &domain::AdmissionWindow) -> wire::AdmissionWindow {
    wire::AdmissionWindow {
        days: texts(&window.days),
        from: text(&window.from),
        to: text(&window.to),
        care_types: texts(&window.care_types),
    }
}

fn bed_ref(bed: &BedRef) -> wire::BedRef {
    wire::BedRef { location: text(&bed.location), bed: text(&bed.bed) }
}

fn bed_profile(profile: &BedProfile) -> wire::BedProfile {
    wire::BedProfile {
        location: text(&profile.bed.location),
        bed: text(&profile.bed.bed),
        care_types: profile.care_types.as_deref().map(codes),
        ward: text_if(profile.ward.as_ref()),
        room: text_if(profile.room.as_ref()),
        features: profile.features.as_deref().map(codes),
        reserve: profile.reserve,
        ..Default::default()
    }
}

fn referral_profile(profile: &ReferralProfile) -> wire::ReferralProfile {
    wire::ReferralProfile {
        referral: text(profile.referral),
        origin: text(&profile.origin),
        care_type: text_if(profile.care_type.as_ref()),
        urgency: text(&profile.urgency),
        ready_since: text_if(profile.ready_since.as_ref()),
        wished_at: text_if(profile.wished_at.as_ref()),
        area: text_if(profile.area.as_ref()),
        age_band: text_if(profile.age_band.as_ref()),
        sex: text_if(profile.sex.as_ref()),
        constraints: texts(&profile.constraints),
        expected_days: profile.expected_days,
        purpose: text_if(profile.purpose.as_ref()),
        channel: text(&profile.channel),
        payer: text_if(profile.payer.as_ref()),
        consent: Some(profile.consent),
        callback_desk: text_if(profile.callback_desk.as_ref()),
        sealed: profile.sealed.as_ref().map(sealed_data),
        ..Default::default()
    }
}

fn sealed_data(sealed: &Sealed) -> wire::Sealed {
    wire::Sealed {
        scheme: text(&sealed.scheme),
        key: text(&sealed.key),
        nonce: text(&sealed.nonce),
        ciphertext: text(&sealed.ciphertext),
    }
}

fn plan_step(step: &domain::PlanStep) -> wire::PlanStep {
    wire::PlanStep { item: text(&step.item), state: text(&step.state), due: text_if(step.due.as_ref()) }
}
