//! Facts made at random, about few places, so that they meet.

use alloc::vec;

use proptest::prelude::*;

use super::{
    A, B, BedProfile, BedRef, C, EventId, FAR, FAR_C, Fact, HC, LC, OfferId, OfferRef, Place, Uuid,
    WaitingFor, admission_cancelled, admitted, admitted_for, at, bed_profile, discharge_cancelled,
    discharged, extended, granted, label, referral, registered, released, reported, resumed, row, stay,
    stopped, waiting, withdrawn,
};

pub fn offer(location: &str) -> OfferRef {
    OfferRef {
        offer: OfferId::new(Uuid::from_u128(1)).unwrap(),
        referral: referral(1),
        location: location.parse().unwrap(),
    }
}

pub fn location() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&[A, A, B, C, C, FAR, FAR_C, "zk01-nowhere"][..])
}

pub fn bed_ref() -> impl Strategy<Value = BedRef> {
    (prop::sample::select(&[A, A, A, B, FAR, C][..]), prop::sample::select(&["1", "2", "3"][..]))
        .prop_map(|(location, name)| at(location, name))
}

pub fn care_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&[LC, LC, HC, "ELV_MAAN"][..])
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        3 => (bed_ref(), care_type()).prop_map(|(at, code)| Place {
            location: at.location, bed: Some(at.bed), care_type: code.into()
        }),
        2 => (location(), care_type()).prop_map(|(location, code)| row(location, code)),
    ]
}

pub fn ward() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(&[None, Some("west"), Some("east")][..])
}

pub fn given_bed() -> impl Strategy<Value = BedProfile> {
    let types = prop::option::of(prop::collection::vec(care_type(), 0..4));
    (bed_ref(), types, ward(), prop::option::of(any::<bool>())).prop_map(|(at, types, ward, reserve)| {
        BedProfile { ward: ward.map(label), reserve, ..bed_profile(at, types.as_deref()) }
    })
}

pub fn of_location() -> impl Strategy<Value = Fact> {
    let count = || prop_oneof![9 => 0i64..6, 1 => any::<i64>()];
    prop_oneof![
        1 => (location(), any::<bool>()).prop_map(|(name, beds)| registered(name, if beds { "beds" } else { "counts" })),
        1 => location().prop_map(withdrawn),
        1 => (location(), ward()).prop_map(|(name, ward)| stopped(name, ward)),
        1 => (location(), ward()).prop_map(|(name, ward)| resumed(name, ward)),
        4 => (location(), care_type(), count(), count(), count())
            .prop_map(|(name, code, physical, occupied, offerable)| reported(name, code, physical, occupied, offerable)),
    ]
}

pub fn of_bed(ids: u8) -> impl Strategy<Value = Fact> {
    prop_oneof![
        8 => given_bed().prop_map(Fact::BedAdded),
        2 => given_bed().prop_map(Fact::BedChanged),
        1 => bed_ref().prop_map(Fact::BedRemoved),
        1 => bed_ref().prop_map(Fact::BedOpened),
        2 => bed_ref().prop_map(|bed| Fact::BedClosed { bed, reason: "other".into(), review_at: None }),
        1 => bed_ref().prop_map(Fact::BedStaffed),
        2 => bed_ref().prop_map(Fact::BedUnstaffed),
        3 => bed_ref().prop_map(Fact::BedVacated),
        3 => bed_ref().prop_map(Fact::BedFreed),
        2 => bed_ref().prop_map(Fact::BedContaminated),
        6 => (bed_ref(), 0..ids).prop_map(|(bed, id)| Fact::BedCorrected { bed, corrects: event_id(id) }),
    ]
}

pub fn of_hold_or_stay() -> impl Strategy<Value = Fact> {
    let who = || 1u8..4;
    prop_oneof![
        3 => (place(), who()).prop_map(|(place, who)| granted(place, who)),
        1 => (place(), who()).prop_map(|(place, who)| extended(place, who)),
        1 => (place(), who()).prop_map(|(place, who)| released(place, who)),
        6 => (who(), place()).prop_map(|(who, place)| admitted(who, place)),
        4 => (who(), place(), who()).prop_map(|(who, place, of)| admitted_for(who, place, of)),
        2 => (who(), bed_ref(), bed_ref()).prop_map(|(who, from, to)| Fact::StayMoved { stay: stay(who), from, to }),
        1 => (who(), bed_ref(), bed_ref())
            .prop_map(|(who, from, to)| Fact::StayMoveCancelled { stay: stay(who), from, to }),
        3 => (who(), place(), any::<bool>()).prop_map(|(who, place, ready)| discharged(who, place, ready)),
        1 => who().prop_map(admission_cancelled),
        3 => who().prop_map(discharge_cancelled),
        2 => (who(), any::<bool>()).prop_map(|(who, waits)| {
            waiting(who, if waits { WaitingFor::HomeCare } else { WaitingFor::Nothing })
        }),
    ]
}

/// An id per event; few, so that corrections often name the last one.
pub fn event_id(number: u8) -> EventId {
    EventId::new(Uuid::from_u128(10_000 + u128::from(number))).unwrap()
}

/// What happens to locations, beds, holds and stays.
pub fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![1 => of_location(), 3 => of_bed(4), 5 => of_hold_or_stay()]
}
