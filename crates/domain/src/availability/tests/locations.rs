//! `location.*` events without reports: registering, withdrawing, stops, the last word.

use crate::availability::Stop;
use crate::{Fact, Label, LocationProfile, StopReason};

use super::*;

#[test]
fn every_event_about_an_unknown_location_but_its_registration_is_a_contradiction() {
    let name = || "zk01-nowhere".parse().unwrap();
    let events = [
        Fact::LocationChanged(profile("zk01-nowhere", "beds")),
        Fact::LocationConfirmed { location: name() },
        withdrawn("zk01-nowhere"),
        reported("zk01-nowhere", LC, 1, 1, 0),
        Fact::WindowsSet { location: name(), windows: alloc::vec::Vec::new() },
        Fact::IntakeLimitSet { location: name(), care_type: None, period: "day".into(), max: 1 },
        stopped("zk01-nowhere", None),
        resumed("zk01-nowhere", None),
    ];
    for event in events {
        let mut told = Told::with_beds(&["1"]);
        told.tell(event);
        told.sees("physical 1, offerable 1", &["unknown-location"]);
    }
}

#[test]
fn a_known_location_registered_again_keeps_its_mode_region_beds_and_telephone() {
    let mut told = Told::with_beds(&["1"]);
    let again = LocationProfile { name: label("De Wilg"), phone: None, ..profile(A, "counts") };
    told.tell(Fact::LocationRegistered(again));
    told.tell(added(A, "2", &[LC]));
    told.sees("physical 2, offerable 2", &[]);
    let card = told.board.location(&A.parse().unwrap()).unwrap();
    assert_eq!(card.name.as_str(), "De Wilg");
    assert_eq!(card.phone.as_ref().map(Label::as_str), Some("000-0000000"));
    assert_eq!(card.region.as_str(), "zk01");
}

#[test]
fn confirmations_windows_and_limits_change_no_count() {
    let mut told = Told::with_beds(&["1"]);
    let location = || A.parse().unwrap();
    told.tell_all([
        Fact::LocationConfirmed { location: location() },
        Fact::WindowsSet { location: location(), windows: alloc::vec::Vec::new() },
        Fact::IntakeLimitSet { location: location(), care_type: None, period: "day".into(), max: 0 },
    ]);
    told.sees("physical 1, offerable 1", &[]);
}

#[test]
fn stops_close_a_ward_or_the_whole_location_and_end_by_themselves() {
    let mut told = Told::with_beds(&["1", "2", "3"]);
    told.tell_all([in_ward("1", "west"), in_ward("2", "east"), stopped(A, Some("west"))]);
    told.sees("physical 3, closed 1, offerable 2", &[]);
    told.tell(stopped(A, None));
    told.sees("physical 3, closed 3", &[]);
    told.tell(resumed(A, Some("west")));
    told.sees("physical 3, closed 3", &[]);
    told.tell_all([stopped(A, Some("east")), resumed(A, None)]);
    told.sees("physical 3, closed 1, offerable 2", &[]);
    told.tell(in_ward("3", "east"));
    told.sees("physical 3, closed 2, offerable 1", &[]);
}

#[test]
fn a_stop_is_known_by_its_first_moment_and_its_last_reason_until_it_ends() {
    let mut told = Told::with_beds(&["1"]);
    told.tell(stopped(A, None));
    let first = told.board.location(&A.parse().unwrap()).unwrap().stops;
    let [stop] = &first[..] else { panic!("{first:?}") };
    assert_eq!((&stop.ward, &stop.reason), (&None, &StopReason::Infection));
    told.tell(Fact::AdmissionsStopped {
        location: A.parse().unwrap(),
        ward: None,
        reason: StopReason::Staffing,
        review_at: Some(stop.since),
    });
    let again = told.board.location(&A.parse().unwrap()).unwrap().stops;
    let wanted = Stop { reason: StopReason::Staffing, review_at: Some(stop.since), ..stop.clone() };
    assert_eq!(again, [wanted], "it began when it began");
    told.tell(resumed(A, None));
    assert_eq!(told.board.location(&A.parse().unwrap()).unwrap().stops, []);
    told.tell(stopped(A, None));
    assert!(told.board.location(&A.parse().unwrap()).unwrap().stops[0].since > stop.since);
}

#[test]
fn a_withdrawn_location_leaves_nothing_but_open_stays() {
    let mut told = Told::with_beds(&["1", "2", "3"]);
    told.tell_all([stopped(A, None), admitted(1, place("1")), granted(place("2"), 1), withdrawn(A)]);
    told.sees("", &["removed-occupied", "removed-held"]);
    assert!(told.board.location(&A.parse().unwrap()).is_none());
    // The stay is open on nothing, the hold and the stop are forgotten.
    told.tell_all([registered(A, "beds"), added(A, "1", &[LC]), added(A, "2", &[LC])]);
    told.sees("physical 2, offerable 2", &[]);
    told.tell(discharged(1, place("1"), true));
    told.sees("physical 2, offerable 2", &[]);
}

#[test]
fn a_withdrawn_location_takes_its_reported_rows_and_their_holds_along_without_a_word() {
    let mut told = Told::with_report(5, 1, 3);
    told.tell_all([granted(row(C, LC), 1), admitted(1, row(C, LC)), withdrawn(C)]);
    told.sees_at(C, LC, "", &[]);
    told.tell_all([registered(C, "counts"), reported(C, LC, 5, 1, 3)]);
    told.sees_at(C, LC, "physical 5, occupied 1, closed 1, offerable 3", &[]);
    // The hold is gone: the admission takes what is offerable; the stay is on nothing, so none leaves.
    told.tell(admitted_for(2, row(C, LC), 1));
    told.sees_at(C, LC, "physical 5, occupied 2, closed 1, offerable 2", &[]);
    told.tell(discharged(1, row(C, LC), true));
    told.sees_at(C, LC, "physical 5, occupied 2, closed 1, offerable 2", &[]);
}

#[test]
fn a_place_by_the_name_a_stay_last_had_counts_as_it() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), discharged(1, place("1"), true), withdrawn(A)]);
    told.tell_all([registered(A, "beds"), added(A, "1", &[HC]), discharge_cancelled(1)]);
    told.sees_at(A, HC, "physical 1, occupied 1", &[]);

    let mut told = Told::with_report(5, 1, 3);
    told.tell_all([admitted(1, row(C, LC)), withdrawn(C), registered(C, "counts"), reported(C, LC, 3, 1, 2)]);
    told.tell_all([discharged(1, row(C, LC), true), discharge_cancelled(1)]);
    told.sees_at(C, LC, "physical 3, occupied 2, offerable 1", &[]);
}

#[test]
fn the_last_word_is_the_locations_and_not_the_desks() {
    let mut told = Told::with_beds(&["1", "2"]);
    let word = |told: &Told| told.row(A, LC).unwrap();
    let before = word(&told);
    told.by("urn:desk").tell(granted(place("1"), 1));
    let held = word(&told);
    assert_eq!(held.last_word, before.last_word);
    assert_eq!(held.position, told.board.position(), "the count changed");
    told.by("urn:ecd").tell_at(77, Fact::LocationConfirmed { location: A.parse().unwrap() });
    let confirmed = word(&told);
    assert_eq!(confirmed.last_word.source.as_str(), "urn:ecd");
    assert_eq!(confirmed.last_word.occurred_at, second(77));
    assert_eq!(confirmed.last_word.at, told.board.recorded_at());
    assert_eq!(confirmed.position, told.board.position());
    assert_eq!(told.changes.len(), 1, "the row is announced with its new word");
}

#[test]
fn a_move_is_a_word_of_both_locations() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([added(B, "1", &[LC]), admitted(1, place("1"))]);
    told.tell(Fact::StayMoved { stay: stay(1), from: at(A, "1"), to: at(B, "1") });
    for location in [A, B] {
        assert_eq!(told.row(location, LC).unwrap().position, told.board.position());
    }
    told.tell(moved(1, "1", "1"));
}

#[test]
fn rows_and_sums_are_given_per_region_in_order() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([added(B, "1", &[LC, HC]), reported(C, LC, 4, 1, 2), added("zk02-a", "1", &[HC])]);
    let order: alloc::vec::Vec<_> =
        told.board.rows().map(|row| alloc::format!("{} {}", row.location, row.care_type)).collect();
    assert_eq!(order, ["zk01-a ELV_LC", "zk01-b ELV_HC", "zk01-b ELV_LC", "zk01-c ELV_LC", "zk02-a ELV_HC"]);
    let sums = told.board.sums(&"zk01".parse().unwrap());
    assert_eq!(sums.len(), 2);
    assert_eq!((sums[1].locations, sums[1].counts.physical, sums[1].counts.offerable), (3, 7, 5));
    assert!(told.board.sums(&"zk77".parse().unwrap()).is_empty());
}
