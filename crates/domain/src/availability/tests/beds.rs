//! `bed.*` events: axes, the order in which a bed counts, removing, late words.
//! Not here: corrections and touching (`touching`).

use alloc::vec::Vec;

use crate::availability::{CountsAs, Readiness};
use crate::{Fact, WaitingFor};

use super::*;

#[test]
fn a_new_bed_is_open_staffed_ready_and_free() {
    Told::with_beds(&["1"]).sees("physical 1, offerable 1", &[]);
}

#[test]
fn a_bed_counts_once_by_the_first_that_matches() {
    let mut told = Told::with_beds(&["1"]);
    told.tell(in_reserve("1", true));
    told.sees("physical 1, reserve 1", &[]);
    told.tell(Fact::BedUnstaffed(bed("1")));
    told.sees("physical 1, unstaffed 1", &[]);
    told.tell(closed("1"));
    told.sees("physical 1, closed 1", &[]);
    told.tell(contaminated("1"));
    told.sees("physical 1, not_ready 1", &[]);
    told.tell(granted(place("1"), 1));
    told.sees("physical 1, held 1", &[]);
    told.tell(admitted(1, place("1")));
    told.sees("physical 1, occupied 1", &["held-for-another"]);
}

#[test]
fn what_is_so_of_a_bed_is_shown_beside_what_it_counts_as() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([
        in_ward("1", "Zuid"),
        in_reserve("1", true),
        Fact::BedUnstaffed(bed("1")),
        closed("1"),
        contaminated("1"),
        stopped(A, Some("Noord")),
    ]);
    let card = told.board.beds(&bed("1").location).next().unwrap();
    assert_eq!((card.counts_as, card.readiness), (CountsAs::NotReady, Readiness::Contaminated));
    assert!(card.closed && card.unstaffed && card.reserve);
    assert_eq!(card.ward, Some(label("Zuid")));
    let wards: Vec<_> = told.board.wards(&bed("1").location).into_iter().map(crate::Label::as_str).collect();
    assert_eq!(wards, ["Noord", "Zuid"]);
}

#[test]
fn each_axis_goes_back_by_itself() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([
        closed("1"),
        Fact::BedUnstaffed(bed("1")),
        vacated("1"),
        freed("1"),
        Fact::BedOpened(bed("1")),
    ]);
    told.sees("physical 1, unstaffed 1", &[]);
    told.tell(Fact::BedStaffed(bed("1")));
    told.sees("physical 1, offerable 1", &[]);
}

#[test]
fn an_offerable_bed_counts_as_also_offerable_for_its_other_types() {
    let mut told = Told::new();
    told.tell(added(A, "1", &[LC, HC, LC, HC]));
    told.sees("physical 1, offerable 1", &[]);
    told.sees_at(A, HC, "also 1", &[]);
    told.tell(closed("1"));
    told.sees_at(A, HC, "", &[]);
    assert_eq!(told.board.rows().count(), 1, "rows with only zeros are left out");
}

#[test]
fn an_unknown_care_type_counts_as_other() {
    let mut told = Told::new();
    told.tell(added(A, "1", &["ELV_MAAN", "ELV_ZON"]));
    told.sees_at(A, "other", "physical 1, offerable 1", &[]);
}

#[test]
fn a_bed_is_refused_where_it_can_not_be() {
    let mut told = Told::new();
    told.tell(added("zk01-nowhere", "1", &[LC]));
    told.sees_at("zk01-nowhere", LC, "", &["unknown-location"]);
    told.tell(added(C, "1", &[LC]));
    told.sees_at(C, LC, "", &["bed-at-reporting-location"]);
}

#[test]
fn a_bed_added_again_is_changed_and_told() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([closed("1"), added(A, "1", &[HC])]);
    told.sees_at(A, HC, "physical 1, closed 1", &["bed-added-twice"]);
    told.sees("", &[]);
}

#[test]
fn a_changed_bed_keeps_what_is_not_given() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([
        in_reserve("1", true),
        in_ward("1", "west"),
        Fact::BedChanged(bed_profile(bed("1"), Some(&[HC]))),
    ]);
    told.sees_at(A, HC, "physical 1, reserve 1", &[]);
    told.tell(in_reserve("1", false));
    told.sees_at(A, HC, "physical 1, offerable 1", &[]);
    told.tell(stopped(A, Some("west")));
    told.sees_at(A, HC, "physical 1, closed 1", &[]);
}

#[test]
fn every_bed_event_needs_a_known_bed() {
    let events = |name: &str| {
        Vec::from([
            in_reserve(name, true),
            Fact::BedRemoved(bed(name)),
            Fact::BedOpened(bed(name)),
            closed(name),
            Fact::BedStaffed(bed(name)),
            Fact::BedUnstaffed(bed(name)),
            vacated(name),
            freed(name),
            contaminated(name),
            Fact::BedCorrected { bed: bed(name), corrects: Told::new().tell(closed("x")) },
        ])
    };
    for event in events("9") {
        let mut told = Told::with_beds(&["1"]);
        told.tell(event);
        told.sees("physical 1, offerable 1", &["unknown-bed"]);
    }
}

#[test]
fn a_removed_bed_is_gone_and_its_stay_stays_open() {
    let mut told = Told::with_beds(&["1", "2", "3"]);
    told.tell_all([admitted(1, place("1")), granted(place("2"), 1), Fact::BedRemoved(bed("1"))]);
    told.sees("physical 2, held 1, offerable 1", &["removed-occupied"]);
    told.tell(Fact::BedRemoved(bed("2")));
    told.sees("physical 1, offerable 1", &["removed-held"]);
    told.tell(Fact::BedRemoved(bed("3")));
    told.sees("", &[]);
    told.tell(waiting(1, WaitingFor::HomeCare));
    told.sees("", &[]);
}

#[test]
fn a_vacated_bed_loses_its_stay_and_is_cleaned() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([admitted(1, place("1")), vacated("1"), vacated("2")]);
    told.sees("physical 2, not_ready 2", &[]);
    told.tell(discharged(1, place("1"), true));
    told.sees("physical 2, not_ready 2", &[]);
}

#[test]
fn a_vacated_or_freed_bed_keeps_its_hold() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([granted(place("1"), 1), vacated("1")]);
    told.sees("physical 1, held 1", &[]);
    told.tell(freed("1"));
    told.sees("physical 1, held 1", &[]);
}

#[test]
fn freeing_an_occupied_bed_is_a_contradiction() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), freed("1")]);
    told.sees("physical 1, offerable 1", &["freed-occupied"]);
}

#[test]
fn only_freed_ends_contamination() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([
        contaminated("1"),
        vacated("1"),
        admitted(1, place("1")),
        discharged(1, place("1"), true),
    ]);
    told.sees("physical 1, not_ready 1", &[]);
    told.tell(freed("1"));
    told.sees("physical 1, offerable 1", &[]);
}

#[test]
fn a_contaminated_bed_stays_occupied() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), contaminated("1")]);
    told.sees("physical 1, occupied 1", &[]);
}

#[test]
fn a_word_older_than_the_last_of_its_source_is_late() {
    for late in [vacated("1"), freed("1"), contaminated("1"), admitted(2, place("1"))] {
        let mut told = Told::with_beds(&["1"]);
        told.tell_at(100, admitted(1, place("1")));
        told.tell_at(99, late.clone());
        told.sees("physical 1, occupied 1", &["late"]);
        told.by("urn:b").tell_at(99, late);
        let lates = told.board.contradiction_list().filter(|found| found.why.code() == "late").count();
        assert_eq!(lates, 1, "another source has its own memory");
    }
}

#[test]
fn a_word_of_the_same_moment_is_not_late() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_at(100, contaminated("1"));
    told.tell_at(100, freed("1"));
    told.sees("physical 1, offerable 1", &[]);
}

#[test]
fn a_discharge_gives_its_moment_but_is_never_late() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_at(100, discharged(7, place("1"), true));
    told.sees("physical 1, offerable 1", &["stay-not-open"]);
    told.tell_at(99, contaminated("1"));
    told.sees("physical 1, offerable 1", &["late"]);
    told.by("urn:b").tell_at(98, admitted(1, place("1")));
    told.by("urn:a").tell_at(50, discharged(1, place("1"), true));
    told.sees("physical 1, offerable 1", &[]);
}

#[test]
fn the_memory_of_moments_goes_with_the_bed() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_at(100, vacated("9"));
    told.tell_at(100, vacated("1"));
    told.tell_all([Fact::BedRemoved(bed("1")), added(A, "1", &[LC]), added(A, "9", &[LC])]);
    told.tell_at(50, contaminated("1"));
    told.tell_at(50, contaminated("9"));
    told.sees("physical 2, not_ready 2", &["unknown-bed"]);
}

#[test]
fn a_bed_is_unique_in_its_location_only() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([added(B, "1", &[LC]), Fact::BedVacated(at(B, "1"))]);
    told.sees("physical 1, offerable 1", &[]);
    told.sees_at(B, LC, "physical 1, not_ready 1", &[]);
}
