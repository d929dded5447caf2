//! Whatever is told in whatever order: no panic, the identity of the counts, and counts as from scratch.

use alloc::collections::BTreeMap;
use alloc::{vec, vec::Vec};

use domain::{
    BedProfile, BedRef, Event, EventId, Fact, LocationId, OfferId, OfferRef, Place, Recorded, RegionId,
    WaitingFor,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    A, B, C, FAR, FAR_C, HC, LC, at, bed_profile, label, referral, registered, reported, resumed, second,
    stay, stopped, withdrawn,
};
use crate::View;
use crate::availability::bed::Occupancy;
use crate::availability::location::{Change, Location};
use crate::availability::stay::Spot;
use crate::availability::{Availability, Basis, CareCode, Counts, Row};

pub(super) fn offer(location: &str) -> OfferRef {
    OfferRef {
        offer: OfferId::new(Uuid::from_u128(1)).unwrap(),
        referral: referral(1),
        location: location.parse().unwrap(),
    }
}

fn location() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&[A, A, B, C, C, FAR, FAR_C, "zk01-nowhere"][..])
}

fn bed_ref() -> impl Strategy<Value = BedRef> {
    (prop::sample::select(&[A, A, A, B, FAR, C][..]), prop::sample::select(&["1", "2", "3"][..]))
        .prop_map(|(location, name)| at(location, name))
}

fn care_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&[LC, LC, HC, "ELV_MAAN"][..])
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        3 => (bed_ref(), care_type()).prop_map(|(at, code)| Place {
            location: at.location, bed: Some(at.bed), care_type: code.into()
        }),
        2 => (location(), care_type()).prop_map(|(location, code)| super::row(location, code)),
    ]
}

fn ward() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(&[None, Some("west"), Some("east")][..])
}

fn given_bed() -> impl Strategy<Value = BedProfile> {
    let types = prop::option::of(prop::collection::vec(care_type(), 0..4));
    (bed_ref(), types, ward(), prop::option::of(any::<bool>())).prop_map(|(at, types, ward, reserve)| {
        BedProfile { ward: ward.map(label), reserve, ..bed_profile(at, types.as_deref()) }
    })
}

fn of_location() -> impl Strategy<Value = Fact> {
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

fn of_bed(ids: u8) -> impl Strategy<Value = Fact> {
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

fn of_hold_or_stay() -> impl Strategy<Value = Fact> {
    let who = || 1u8..4;
    prop_oneof![
        3 => (place(), who()).prop_map(|(place, who)| super::granted(place, who)),
        1 => (place(), who()).prop_map(|(place, who)| super::extended(place, who)),
        1 => (place(), who()).prop_map(|(place, who)| super::released(place, who)),
        6 => (who(), place()).prop_map(|(who, place)| super::admitted(who, place)),
        4 => (who(), place(), who()).prop_map(|(who, place, of)| super::admitted_for(who, place, of)),
        2 => (who(), bed_ref(), bed_ref()).prop_map(|(who, from, to)| Fact::StayMoved { stay: stay(who), from, to }),
        1 => (who(), bed_ref(), bed_ref())
            .prop_map(|(who, from, to)| Fact::StayMoveCancelled { stay: stay(who), from, to }),
        3 => (who(), place(), any::<bool>()).prop_map(|(who, place, ready)| super::discharged(who, place, ready)),
        1 => who().prop_map(super::admission_cancelled),
        3 => who().prop_map(super::discharge_cancelled),
        2 => (who(), any::<bool>()).prop_map(|(who, waits)| {
            super::waiting(who, if waits { WaitingFor::HomeCare } else { WaitingFor::Nothing })
        }),
    ]
}

/// An id per event; few, so that corrections often name the last one.
fn event_id(number: u8) -> EventId {
    EventId::new(Uuid::from_u128(10_000 + u128::from(number))).unwrap()
}

/// What happens to locations, beds, holds and stays.
pub(crate) fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![1 => of_location(), 3 => of_bed(4), 5 => of_hold_or_stay()]
}

fn history() -> impl Strategy<Value = Vec<Recorded>> {
    let fact = fact();
    let region = prop::sample::select(&["zk01", "zk02"][..]);
    let source = prop::sample::select(&["urn:a", "urn:a", "urn:b"][..]);
    prop::collection::vec((fact, region, source, 0u8..4, 0i64..40), 0..120).prop_map(|told| {
        let begin = [A, B, FAR].map(|name| (registered(name, "beds"), &name[..4], "urn:a", 0, 0));
        let begin = begin
            .into_iter()
            .chain([C, FAR_C].map(|name| (registered(name, "counts"), &name[..4], "urn:a", 0, 0)));
        let told = begin.chain(told).zip(1..);
        told.map(|((fact, region, source, id, occurred_at), position): (_, u64)| Recorded {
            position,
            recorded_at: second(position.try_into().unwrap()),
            event: Event {
                source: source.parse().unwrap(),
                id: event_id(id),
                time: second(position.try_into().unwrap()),
                region: region.parse().unwrap(),
                occurred_at: second(occurred_at),
                fact,
            },
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_every_event_counts_are_as_from_scratch_and_places_agree(history in history()) {
        let mut board = Availability::default();
        let mut shown: Vec<Row> = Vec::new();
        for recorded in &history {
            let mut changes = Vec::new();
            board.project(recorded, &mut changes);
            let rows: Vec<Row> = board.rows().collect();
            counts_are_as_from_scratch(&board);
            places_agree(&board);
            for row in rows.iter().filter(|row| row.basis == Basis::Beds) {
                let parts = [row.occupied, row.held, row.not_ready, row.closed, row.unstaffed, row.reserve, row.offerable];
                prop_assert_eq!(row.physical, parts.iter().sum::<u32>());
                prop_assert!(row.waiting <= row.occupied);
            }
            // What is not announced is as before: a subscriber that follows the changes has the board.
            let unannounced = |rows: &[Row]| rows.iter().filter(|row| !changes.contains(&row.key())).cloned().collect::<Vec<_>>();
            prop_assert_eq!(unannounced(&shown), unannounced(&rows));
            for key in &changes {
                prop_assert_eq!(board.row(key), rows.iter().find(|row| row.key() == *key).cloned());
            }
            shown = rows;
        }
    }
}

/// Counts every bed, hold and stay anew.
#[track_caller]
fn counts_are_as_from_scratch(board: &Availability) {
    for location in board.locations.values() {
        let mut scratch = Location { rows: BTreeMap::new(), ..location.clone() };
        for bed in location.beds.values() {
            let waits = |stay| board.stays[&stay].waits;
            let share = bed.share(location.is_stopped(bed.ward.as_ref()), waits);
            let counted = crate::availability::bed::Counted { care_types: bed.care_types.clone(), share };
            scratch.count(&counted, Change::Add, super::super::row::Mark::default());
        }
        let counts = |location: &Location| -> Vec<(CareCode, Counts)> {
            let shown = location.rows.iter().filter(|(_, row)| !row.counts.is_zero());
            shown.map(|(code, row)| (*code, row.counts)).collect()
        };
        assert_eq!(counts(location), counts(&scratch));
        assert_eq!(counts(location).len(), location.rows.len(), "no row of zeros is kept");
        for row in location.reported.values() {
            let waiting = row.stays.iter().filter(|stay| board.stays[stay].waits).count();
            assert_eq!(usize::try_from(row.counts().waiting).unwrap(), waiting);
        }
    }
}

/// A stay is on the place that says so, a hold is where the index says so, a location in the region that says so.
#[track_caller]
fn places_agree(board: &Availability) {
    let mut in_place = BTreeMap::new();
    let mut holds = 0;
    for (name, location) in &board.locations {
        assert!(board.regions[&location.region].contains(name));
        assert!(location.beds.is_empty() || location.reported.is_empty());
        for (bed, state) in &location.beds {
            let spot = Spot::Bed(BedRef { location: name.clone(), bed: bed.clone() });
            match state.axes.occupancy {
                Occupancy::Free => {}
                Occupancy::Held(referral, _) => {
                    holds += 1;
                    assert!(board.holds[&referral].contains(&spot));
                }
                Occupancy::Occupied(stay) => assert_eq!(in_place.insert(stay, spot), None),
            }
        }
        for (code, row) in &location.reported {
            let spot = Spot::Row(name.clone(), *code);
            for referral in row.holds.keys() {
                holds += 1;
                assert!(board.holds[referral].contains(&spot));
            }
            for stay in &row.stays {
                assert_eq!(in_place.insert(*stay, spot.clone()), None);
            }
        }
    }
    assert_eq!(board.holds.values().map(Vec::len).sum::<usize>(), holds);
    let there: BTreeMap<_, _> =
        board.stays.iter().filter_map(|(id, stay)| Some((*id, stay.place()?.clone()))).collect();
    assert_eq!(there, in_place);
    assert!(board.stays.values().all(|stay| stay.is_open() || !(stay.there || stay.waits)));
    let located: Vec<(&RegionId, &LocationId)> = board
        .regions
        .iter()
        .flat_map(|(region, names)| names.iter().map(move |name| (region, name)))
        .collect();
    assert_eq!(located.len(), board.locations.len());
}
