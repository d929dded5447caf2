//! Whatever is told in whatever order: no panic, the identity of the counts, and counts as from scratch.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;

use crate::availability::bed::Occupancy;
use crate::availability::location::{Change, Location};
use crate::availability::stay::Spot;
use crate::availability::{Availability, Basis, CareCode, Counts, Row};
use crate::testing::*;
use crate::{BedRef, Event, LocationId, Recorded, RegionId};

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
            for row in &rows {
                parts_add_up(&board, row);
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

/// What is named one by one under a row is as much as its counts say.
#[track_caller]
fn parts_add_up(board: &Availability, row: &Row) {
    let (location, code) = (&row.location, row.care_type);
    let beds = board.parts(location, code).fold(Counts::default(), |sum, part| sum.plus(&part.adds));
    match row.basis {
        Basis::Beds => assert_eq!(beds, row.counts()),
        Basis::Reported => {
            assert_eq!(beds, Counts::default());
            assert_eq!(board.kept_of_row(location, code).count(), usize::try_from(row.held).unwrap());
            assert_eq!(board.waiting_of_row(location, code).count(), usize::try_from(row.waiting).unwrap());
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
            scratch.count(&counted, Change::Add, crate::availability::row::Mark::default());
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
    assert!(board.stays.keys().all(|stay| board.closed.spot(*stay).is_none()), "a stay is open or closed");
    let located: Vec<(&RegionId, &LocationId)> = board
        .regions
        .iter()
        .flat_map(|(region, names)| names.iter().map(move |name| (region, name)))
        .collect();
    assert_eq!(located.len(), board.locations.len());
}
