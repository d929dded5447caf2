//! Events of every type, made at random.

use contracts::Received;
use domain::{
    AdmissionWindow, AgeBand, BedId, BedProfile, BedRef, Candidate, CareType, ClosedReason, ContactId,
    ContactKind, DeclineCode, Destination, DivertedReason, Event, EventId, Excluded, Exclusion,
    ExclusionCode, Fact, Feature, ItemState, Label, LocationId, LocationMode, LocationProfile, Matched,
    NameError, OfferId, OfferRef, Origin, Overruled, Parts, Period, Place, PlanItem, PlanStep, Purpose,
    RaisedTo, ReferralId, ReferralProfile, RegionId, ReportedCount, Role, RuleSet, Sealed, StayId,
    StopReason, Timestamp, Urgency, WaitingFor, Weights, WithdrawnReason,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{Union, ValueTree};
use proptest::test_runner::TestRunner;
use uuid::Uuid;

fn text<T: core::str::FromStr<Err = NameError> + core::fmt::Debug + 'static>(
    pattern: &str,
) -> BoxedStrategy<T> {
    proptest::string::string_regex(pattern).unwrap().prop_map(|text| text.parse().unwrap()).boxed()
}

fn region() -> BoxedStrategy<RegionId> {
    text("[a-z0-9-]{2,32}")
}

fn location() -> BoxedStrategy<LocationId> {
    text("[a-z0-9-]{3,64}")
}

fn bed_id() -> BoxedStrategy<BedId> {
    text("[A-Za-z0-9.-]{1,32}")
}

fn label() -> BoxedStrategy<Label> {
    text("\\PC{1,128}")
}

fn digits(pattern: &'static str) -> BoxedStrategy<Label> {
    text(pattern)
}

fn id<T: core::fmt::Debug + 'static>(new: fn(Uuid) -> Option<T>) -> BoxedStrategy<T> {
    (1..=u128::MAX).prop_map(move |bits| new(Uuid::from_u128(bits)).unwrap()).boxed()
}

fn referral() -> BoxedStrategy<ReferralId> {
    id(ReferralId::new)
}

fn stay() -> BoxedStrategy<StayId> {
    id(StayId::new)
}

/// The years 0 to 9999, as far as they can be written.
fn time() -> BoxedStrategy<Timestamp> {
    let micros = prop_oneof![
        -62_167_219_200_000_000_i64..253_402_207_200_000_000,
        (0_i64..4_000_000_000).prop_map(|seconds| seconds * 1_000_000),
    ];
    micros.prop_map(Timestamp::from_micros).boxed()
}

/// Known codes, and some that no version knows.
fn code<T: for<'a> From<&'a str> + core::fmt::Debug + 'static>(
    known: &'static [&'static str],
) -> BoxedStrategy<T> {
    let known = select(known).prop_map(T::from);
    prop_oneof![4 => known, 1 => label().prop_map(|label| T::from(label.as_str()))].boxed()
}

fn care_type() -> BoxedStrategy<CareType> {
    code(CareType::KNOWN)
}

fn care_types(size: core::ops::Range<usize>) -> BoxedStrategy<Vec<CareType>> {
    vec(care_type(), size).boxed()
}

fn role() -> BoxedStrategy<Role> {
    code(Role::KNOWN)
}

fn features() -> BoxedStrategy<Vec<Feature>> {
    vec(code(Feature::KNOWN), 0..4).boxed()
}

fn bed() -> BoxedStrategy<BedRef> {
    (location(), bed_id()).prop_map(|(location, bed)| BedRef { location, bed }).boxed()
}

fn place() -> BoxedStrategy<Place> {
    (location(), option::of(bed_id()), care_type())
        .prop_map(|(location, bed, care_type)| Place { location, bed, care_type })
        .boxed()
}

fn offer() -> BoxedStrategy<OfferRef> {
    (id(OfferId::new), referral(), location())
        .prop_map(|(offer, referral, location)| OfferRef { offer, referral, location })
        .boxed()
}

fn sealed() -> BoxedStrategy<Sealed> {
    (label(), label(), label(), "[A-Za-z0-9+/]{4,400}")
        .prop_map(|(scheme, key, nonce, ciphertext)| Sealed { scheme, key, nonce, ciphertext })
        .boxed()
}

fn location_profile() -> BoxedStrategy<LocationProfile> {
    let names = (location(), label(), label(), code(LocationMode::KNOWN), care_types(0..4));
    let optional =
        (option::of(digits("[0-9]{4}")), option::of(label()), option::of(label()), vec(label(), 0..4));
    (names, optional)
        .prop_map(|((location, provider, name, mode, care_types), (postcode4, phone, phone_night, wards))| {
            LocationProfile {
                location,
                provider,
                name,
                mode,
                care_types,
                postcode4,
                phone,
                phone_night,
                wards,
            }
        })
        .boxed()
}

fn bed_profile(care_types: BoxedStrategy<Option<Vec<CareType>>>) -> BoxedStrategy<BedProfile> {
    let optional = (option::of(label()), option::of(label()), option::of(features()), any::<Option<bool>>());
    (bed(), care_types, optional)
        .prop_map(|(bed, care_types, (ward, room, features, reserve))| BedProfile {
            bed,
            care_types,
            ward,
            room,
            features,
            reserve,
        })
        .boxed()
}

fn referral_profile() -> BoxedStrategy<ReferralProfile> {
    let asked = (referral(), code(Origin::KNOWN), option::of(care_type()), code(Urgency::KNOWN));
    let when =
        (option::of(time()), option::of(time()), any::<Option<u32>>(), option::of(code(Purpose::KNOWN)));
    let who =
        (option::of(digits("[0-9]{2}")), option::of(code(AgeBand::KNOWN)), option::of(label()), features());
    let how = (label(), option::of(label()), any::<bool>(), option::of(label()), option::of(sealed()));
    (asked, when, who, how)
        .prop_map(|(asked, when, who, how)| ReferralProfile {
            referral: asked.0,
            origin: asked.1,
            care_type: asked.2,
            urgency: asked.3,
            ready_since: when.0,
            wished_at: when.1,
            expected_days: when.2,
            purpose: when.3,
            area: who.0,
            age_band: who.1,
            sex: who.2,
            constraints: who.3,
            channel: how.0,
            payer: how.1,
            consent: how.2,
            callback_desk: how.3,
            sealed: how.4,
        })
        .boxed()
}

fn locations() -> Vec<BoxedStrategy<Fact>> {
    let count = (care_type(), any::<i64>(), any::<i64>(), any::<i64>()).prop_map(
        |(care_type, physical, occupied, offerable)| ReportedCount {
            care_type,
            physical,
            occupied,
            offerable,
        },
    );
    let hour = || digits("([01][0-9]|2[0-3]):[0-5][0-9]");
    let window = (vec(label(), 0..7), hour(), hour(), care_types(0..3))
        .prop_map(|(days, from, to, care_types)| AdmissionWindow { days, from, to, care_types });
    vec![
        location_profile().prop_map(Fact::LocationRegistered).boxed(),
        location_profile().prop_map(Fact::LocationChanged).boxed(),
        location().prop_map(|location| Fact::LocationConfirmed { location }).boxed(),
        location().prop_map(|location| Fact::ConfirmationAsked { location }).boxed(),
        location().prop_map(|location| Fact::LocationWithdrawn { location }).boxed(),
        (location(), vec(count, 0..4))
            .prop_map(|(location, counts)| Fact::CountsReported { location, counts })
            .boxed(),
        (location(), vec(window, 0..4))
            .prop_map(|(location, windows)| Fact::WindowsSet { location, windows })
            .boxed(),
        (location(), option::of(care_type()), code(Period::KNOWN), any::<u32>())
            .prop_map(|(location, care_type, period, max)| Fact::IntakeLimitSet {
                location,
                care_type,
                period,
                max,
            })
            .boxed(),
        (location(), option::of(label()), code(StopReason::KNOWN), option::of(time()))
            .prop_map(|(location, ward, reason, review_at)| Fact::AdmissionsStopped {
                location,
                ward,
                reason,
                review_at,
            })
            .boxed(),
        (location(), option::of(label()))
            .prop_map(|(location, ward)| Fact::AdmissionsResumed { location, ward })
            .boxed(),
    ]
}

fn beds() -> Vec<BoxedStrategy<Fact>> {
    vec![
        bed_profile(care_types(1..4).prop_map(Some).boxed()).prop_map(Fact::BedAdded).boxed(),
        bed_profile(option::of(care_types(1..4)).boxed()).prop_map(Fact::BedChanged).boxed(),
        bed().prop_map(Fact::BedRemoved).boxed(),
        bed().prop_map(Fact::BedOpened).boxed(),
        (bed(), code(ClosedReason::KNOWN), option::of(time()))
            .prop_map(|(bed, reason, review_at)| Fact::BedClosed { bed, reason, review_at })
            .boxed(),
        bed().prop_map(Fact::BedStaffed).boxed(),
        bed().prop_map(Fact::BedUnstaffed).boxed(),
        bed().prop_map(Fact::BedVacated).boxed(),
        bed().prop_map(Fact::BedFreed).boxed(),
        bed().prop_map(Fact::BedContaminated).boxed(),
        (bed(), id(EventId::new)).prop_map(|(bed, corrects)| Fact::BedCorrected { bed, corrects }).boxed(),
    ]
}

fn referrals() -> Vec<BoxedStrategy<Fact>> {
    let overruled = (care_type(), label()).prop_map(|(outcome, reason)| Overruled { outcome, reason });
    vec![
        referral_profile().prop_map(Fact::ReferralMade).boxed(),
        referral_profile().prop_map(Fact::ReferralChanged).boxed(),
        (
            referral(),
            label(),
            care_type(),
            option::of(overruled),
            (role(), option::of(role())),
            option::of(sealed()),
        )
            .prop_map(|(referral, instrument, outcome, overruled, (decided_by, consulted), sealed)| {
                Fact::ReferralTriaged {
                    referral,
                    instrument,
                    outcome,
                    overruled,
                    decided_by,
                    consulted,
                    sealed,
                }
            })
            .boxed(),
        (referral(), code(WithdrawnReason::KNOWN))
            .prop_map(|(referral, reason)| Fact::ReferralWithdrawn { referral, reason })
            .boxed(),
        (referral(), code(DivertedReason::KNOWN))
            .prop_map(|(referral, reason)| Fact::ReferralDiverted { referral, reason })
            .boxed(),
        (referral(), label())
            .prop_map(|(referral, reason)| Fact::ReferralExpiredUnplaced { referral, reason })
            .boxed(),
        (referral(), code(RaisedTo::KNOWN))
            .prop_map(|(referral, to)| Fact::ReferralRaised { referral, to })
            .boxed(),
        (referral(), region())
            .prop_map(|(referral, to_region)| Fact::ReferralEscalated { referral, to_region })
            .boxed(),
        (referral(), region())
            .prop_map(|(referral, from_region)| Fact::ReferralTakenOver { referral, from_region })
            .boxed(),
        matched().prop_map(Fact::ReferralMatched).boxed(),
    ]
}

fn candidate() -> BoxedStrategy<Candidate> {
    let place = (location(), care_type(), option::of(bed_id()), any::<u32>());
    let parts = any::<[u32; 5]>().prop_map(|[fit, distance, wish, truth, spread]| Parts {
        fit,
        distance,
        wish,
        truth,
        spread,
    });
    let known = (any::<Option<u32>>(), any::<(bool, bool)>(), features(), any::<[u32; 3]>());
    (place, parts, known)
        .prop_map(|(place, parts, (minutes, (primary, unanswered), spare, counts))| Candidate {
            location: place.0,
            care_type: place.1,
            bed: place.2,
            score: place.3,
            parts,
            minutes,
            primary,
            spare,
            answers: counts[0],
            answers_true: counts[1],
            recent: counts[2],
            unanswered,
        })
        .boxed()
}

fn matched() -> BoxedStrategy<Matched> {
    let reason =
        (code(ExclusionCode::KNOWN), option::of(label())).prop_map(|(code, about)| Exclusion { code, about });
    let excluded =
        (location(), vec(reason, 0..3)).prop_map(|(location, reasons)| Excluded { location, reasons });
    let what = (referral(), any::<u64>(), time(), care_type(), vec(region(), 0..3), vec(location(), 0..3));
    let weights = any::<[u32; 5]>().prop_map(|[fit, distance, wish, truth, spread]| Weights {
        fit,
        distance,
        wish,
        truth,
        spread,
    });
    (what, weights, vec(candidate(), 0..3), vec(excluded, 0..3), any::<u32>())
        .prop_map(|(what, weights, candidates, excluded, left_off)| Matched {
            referral: what.0,
            at_position: what.1,
            moment: what.2,
            care_type: what.3,
            regions: what.4,
            wished: what.5,
            weights,
            candidates,
            excluded,
            left_off,
        })
        .boxed()
}

fn offers() -> Vec<BoxedStrategy<Fact>> {
    vec![
        (offer(), option::of(bed_id()), care_type(), time())
            .prop_map(|(offer, bed, care_type, answer_by)| Fact::OfferSent {
                offer,
                bed,
                care_type,
                answer_by,
            })
            .boxed(),
        offer().prop_map(Fact::OfferSeen).boxed(),
        offer().prop_map(Fact::OfferLapsed).boxed(),
        offer().prop_map(Fact::OfferRevoked).boxed(),
        (offer(), option::of(bed_id()), care_type(), time(), role(), option::of(role()))
            .prop_map(|(offer, bed, care_type, from, by, spoken_with)| Fact::OfferAccepted {
                offer,
                bed,
                care_type,
                from,
                by,
                spoken_with,
            })
            .boxed(),
        (offer(), role()).prop_map(|(offer, by)| Fact::OfferChosen { offer, by }).boxed(),
        (offer(), role()).prop_map(|(offer, by)| Fact::OfferContested { offer, by }).boxed(),
        (offer(), role()).prop_map(|(offer, by)| Fact::OfferMedicallyAgreed { offer, by }).boxed(),
        (offer(), code(DeclineCode::KNOWN), option::of(role()))
            .prop_map(|(offer, code, spoken_with)| Fact::OfferDeclined { offer, code, spoken_with })
            .boxed(),
        (referral(), location(), time(), option::of(label()))
            .prop_map(|(referral, location, at, transport)| Fact::ArrivalAgreed {
                referral,
                location,
                at,
                transport,
            })
            .boxed(),
    ]
}

fn holds() -> Vec<BoxedStrategy<Fact>> {
    vec![
        (place(), referral(), time())
            .prop_map(|(place, referral, until)| Fact::HoldGranted { place, referral, until })
            .boxed(),
        (place(), referral(), time())
            .prop_map(|(place, referral, until)| Fact::HoldExtended { place, referral, until })
            .boxed(),
        (place(), referral()).prop_map(|(place, referral)| Fact::HoldReleased { place, referral }).boxed(),
        (place(), referral()).prop_map(|(place, referral)| Fact::HoldLapsed { place, referral }).boxed(),
        (place(), referral()).prop_map(|(place, referral)| Fact::HoldOverdue { place, referral }).boxed(),
    ]
}

fn stays() -> Vec<BoxedStrategy<Fact>> {
    let step = (code(PlanItem::KNOWN), code(ItemState::KNOWN), option::of(time()))
        .prop_map(|(item, state, due)| PlanStep { item, state, due });
    vec![
        (stay(), place(), option::of(referral()), option::of(label()))
            .prop_map(|(stay, place, referral, funding)| Fact::StayAdmitted {
                stay,
                place,
                referral,
                funding,
            })
            .boxed(),
        (stay(), bed(), bed()).prop_map(|(stay, from, to)| Fact::StayMoved { stay, from, to }).boxed(),
        (stay(), bed(), bed())
            .prop_map(|(stay, from, to)| Fact::StayMoveCancelled { stay, from, to })
            .boxed(),
        (stay(), option::of(time()))
            .prop_map(|(stay, expected_at)| Fact::StayDischargePlanned { stay, expected_at })
            .boxed(),
        (stay(), option::of(time()))
            .prop_map(|(stay, expected_at)| Fact::StayDischargePlanWithdrawn { stay, expected_at })
            .boxed(),
        (stay(), code(WaitingFor::KNOWN), time())
            .prop_map(|(stay, what, since)| Fact::StayWaitingFor { stay, what, since })
            .boxed(),
        (stay(), vec(step, 0..4)).prop_map(|(stay, items)| Fact::StayPlanSet { stay, items }).boxed(),
        (stay(), care_type()).prop_map(|(stay, outcome)| Fact::StayTriageReviewed { stay, outcome }).boxed(),
        (stay(), label()).prop_map(|(stay, funding)| Fact::StayFundingSwitched { stay, funding }).boxed(),
        (stay(), place(), code(Destination::KNOWN), any::<bool>(), any::<Option<u32>>())
            .prop_map(|(stay, place, destination, ready, care_hours_at_home)| Fact::StayDischarged {
                stay,
                place,
                destination,
                ready,
                care_hours_at_home,
            })
            .boxed(),
        stay().prop_map(|stay| Fact::StayAdmissionCancelled { stay }).boxed(),
        stay().prop_map(|stay| Fact::StayDischargeCancelled { stay }).boxed(),
    ]
}

fn desks() -> Vec<BoxedStrategy<Fact>> {
    let contact = (id(ContactId::new), code(ContactKind::KNOWN), label());
    vec![
        (contact, option::of(label()), any::<u32>(), option::of(referral()))
            .prop_map(|((contact, kind, with), about, minutes, referral)| Fact::ContactLogged {
                contact,
                kind,
                with,
                about,
                minutes,
                referral,
            })
            .boxed(),
        (label(), time(), vec(label(), 0..4))
            .prop_map(|(to, until, mandate)| Fact::DutyHandedOver { to, until, mandate })
            .boxed(),
        Just(Fact::DutyTakenBack).boxed(),
        code(RuleSet::KNOWN).prop_map(|rule_set| Fact::RuleSetSwitched { rule_set }).boxed(),
    ]
}

/// Facts, one strategy for each type.
pub(crate) fn facts() -> Vec<BoxedStrategy<Fact>> {
    [locations(), beds(), referrals(), offers(), holds(), stays(), desks()].into_iter().flatten().collect()
}

fn event_of(fact: BoxedStrategy<Fact>) -> BoxedStrategy<Event> {
    (text("[!-~]{3,256}"), id(EventId::new), time(), region(), time(), fact)
        .prop_map(|(source, id, time, region, occurred_at, fact)| Event {
            source,
            id,
            time,
            region,
            occurred_at,
            fact,
        })
        .boxed()
}

/// Events of any type.
pub(crate) fn event() -> BoxedStrategy<Event> {
    Union::new(facts().into_iter().map(event_of)).boxed()
}

/// One event of each type, always the same.
pub(crate) fn one_of_each() -> Vec<Event> {
    let mut runner = TestRunner::deterministic();
    facts().into_iter().map(|fact| event_of(fact).new_tree(&mut runner).unwrap().current()).collect()
}

/// The event in binary mode, as it is received.
pub(crate) fn received_binary(event: &Event) -> Received {
    let (headers, body) = contracts::encode_binary(event);
    Received::from_message(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())), body)
}
