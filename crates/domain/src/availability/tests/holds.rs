//! `hold.*` events on beds.
//! Not here: holds on reported rows (`reported`), holds that end by an admission (`stays`).

use super::*;
use crate::{Fact, Place};

#[test]
fn a_granted_hold_keeps_a_free_bed() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([granted(place("1"), 1), contaminated("2"), granted(place("2"), 2)]);
    told.sees("physical 2, held 2", &[]);
}

#[test]
fn a_hold_granted_again_to_the_same_referral_only_lasts_longer() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([granted(place("1"), 1), granted(place("1"), 1), extended(place("1"), 1)]);
    told.sees("physical 1, held 1", &[]);
}

#[test]
fn a_hold_on_a_taken_bed_is_a_contradiction() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([
        granted(place("1"), 1),
        admitted(1, place("2")),
        granted(place("1"), 2),
        granted(place("2"), 2),
    ]);
    told.sees("physical 2, occupied 1, held 1", &["hold-on-taken-bed", "hold-on-taken-bed"]);
}

#[test]
fn only_an_open_hold_can_be_extended() {
    let mut told = Told::with_beds(&["1"]);
    told.tell(extended(place("1"), 1));
    told.sees("physical 1, offerable 1", &["no-hold-to-extend"]);
    told.tell_all([granted(place("1"), 1), extended(place("1"), 2)]);
    told.sees("physical 1, held 1", &["no-hold-to-extend"]);
}

#[test]
fn a_released_or_lapsed_hold_makes_its_bed_free() {
    for end in [released(place("1"), 1), lapsed(place("1"), 1)] {
        let mut told = Told::with_beds(&["1"]);
        told.tell_all([granted(place("1"), 1), end]);
        told.sees("physical 1, offerable 1", &[]);
    }
}

#[test]
fn ending_a_hold_that_is_not_open_does_nothing() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([released(place("1"), 1), granted(place("1"), 1), lapsed(place("1"), 2)]);
    told.sees("physical 1, held 1", &[]);
}

#[test]
fn every_hold_event_needs_a_known_bed() {
    let in_counts = Place { location: C.parse().unwrap(), ..place("1") };
    for place in [place("9"), in_counts] {
        for event in [
            granted(place.clone(), 1),
            extended(place.clone(), 1),
            released(place.clone(), 1),
            lapsed(place.clone(), 1),
        ] {
            let mut told = Told::with_beds(&["1"]);
            told.tell(event);
            told.sees("physical 1, offerable 1", &["unknown-bed"]);
        }
    }
}

#[test]
fn what_is_no_fact_about_places_changes_no_count() {
    let mut told = Told::with_beds(&["1"]);
    told.tell(Fact::ArrivalAgreed {
        referral: referral(1),
        location: A.parse().unwrap(),
        at: second(1),
        transport: None,
    });
    told.tell(Fact::OfferSeen(offer("zk01-nowhere")));
    told.sees("physical 1, offerable 1", &[]);
    assert_eq!(told.row(A, LC).unwrap().last_word.at, second(6));
}
