//! Reported rows: what a report replaces, and what happens between reports.

use crate::{Fact, Place, ReportedCount, WaitingFor};

use super::*;

#[test]
fn a_report_gives_what_is_left_as_closed() {
    let mut told = Told::with_report(10, 4, 3);
    told.sees_at(C, LC, "physical 10, occupied 4, closed 3, offerable 3", &[]);
    assert_eq!(told.row(C, LC).unwrap().basis, crate::availability::Basis::Reported);
}

#[test]
fn a_report_replaces_the_named_types_only() {
    let mut told = Told::with_report(10, 4, 3);
    told.tell(reported(C, HC, 5, 5, 0));
    told.tell(reported(C, LC, 2, 1, 1));
    told.sees_at(C, LC, "physical 2, occupied 1, offerable 1", &[]);
    told.sees_at(C, HC, "physical 5, occupied 5", &[]);
}

#[test]
fn a_report_ends_no_hold_and_no_stay() {
    let mut told = Told::with_report(10, 4, 3);
    told.tell_all([granted(row(C, LC), 1), admitted(1, row(C, LC)), waiting(1, WaitingFor::HomeCare)]);
    told.tell_all([discharged(9, row(C, LC), false), reported(C, LC, 10, 4, 3)]);
    told.sees_at(
        C,
        LC,
        "physical 10, occupied 4, held 1, closed 2, offerable 3, waiting 1",
        &["stay-not-open"],
    );
    told.tell_all([released(row(C, LC), 1), discharged(1, row(C, LC), false)]);
    told.sees_at(C, LC, "physical 10, occupied 3, not_ready 1, closed 2, offerable 4", &[]);
    told.tell(reported(C, LC, 10, 4, 3));
    told.sees_at(C, LC, "physical 10, occupied 4, closed 3, offerable 3", &[]);
}

#[test]
fn parts_that_exceed_the_physical_beds_are_a_contradiction_each() {
    let mut told = Told::with_report(3, 2, 2);
    told.sees_at(C, LC, "physical 3, occupied 2, offerable 2", &["counts-exceed-physical"]);
    let count = |code: &str| ReportedCount { care_type: code.into(), physical: 1, occupied: 1, offerable: 1 };
    let counts = alloc::vec::Vec::from([count(LC), count(HC)]);
    told.tell(Fact::CountsReported { location: C.parse().unwrap(), counts });
    told.sees_at(C, HC, "physical 1, occupied 1, offerable 1", &["counts-exceed-physical"; 2]);
}

#[test]
fn counts_below_zero_or_beyond_measure_are_held_and_told_once() {
    let mut told = Told::with_report(-3, 0, 0);
    told.sees_at(C, LC, "", &["counts-out-of-range"]);
    told.tell(reported(C, LC, i64::MAX, i64::MIN, 0));
    told.sees_at(C, LC, "physical 4294967295, closed 4294967295", &["counts-out-of-range"]);
    told.tell_all([granted(row(C, LC), 1), admitted(1, row(C, LC))]);
    told.sees_at(
        C,
        LC,
        "physical 4294967295, occupied 1, closed 4294967295",
        &["nothing-offerable", "nothing-offerable"],
    );
}

#[test]
fn counts_beside_bed_records_are_a_contradiction() {
    let mut told = Told::with_beds(&["1"]);
    told.tell(reported(A, LC, 9, 9, 0));
    told.sees("physical 1, offerable 1", &["counts-beside-beds"]);
}

#[test]
fn holds_take_and_give_what_is_offerable() {
    let mut told = Told::with_report(2, 0, 1);
    told.tell_all([granted(row(C, LC), 1), granted(row(C, LC), 1), extended(row(C, LC), 1)]);
    told.sees_at(C, LC, "physical 2, held 1, closed 1", &[]);
    told.tell(granted(row(C, LC), 2));
    told.sees_at(C, LC, "physical 2, held 1, closed 1", &["nothing-offerable"]);
    told.tell(extended(row(C, LC), 2));
    told.sees_at(C, LC, "physical 2, held 1, closed 1", &["no-hold-to-extend"]);
    told.tell_all([released(row(C, LC), 2), lapsed(row(C, LC), 1), released(row(C, LC), 1)]);
    told.sees_at(C, LC, "physical 2, closed 1, offerable 1", &[]);
}

#[test]
fn what_was_never_reported_takes_no_event() {
    for place in [row(C, HC), row(A, LC), row("zk01-nowhere", LC)] {
        let mut told = Told::with_beds(&["1"]);
        told.tell(reported(C, LC, 1, 0, 1));
        told.tell_all([
            granted(place.clone(), 1),
            extended(place.clone(), 1),
            released(place.clone(), 1),
            lapsed(place.clone(), 1),
            admitted(1, place),
        ]);
        told.sees("physical 1, offerable 1", &["never-reported"; 5]);
    }
}

#[test]
fn beds_of_a_reporting_location_are_unknown() {
    let mut told = Told::with_report(3, 0, 3);
    told.tell(admitted(1, Place { location: C.parse().unwrap(), ..place("1") }));
    told.sees_at(C, LC, "physical 3, offerable 3", &["unknown-bed"]);
}

#[test]
fn an_admission_takes_its_hold_or_what_is_offerable() {
    let mut told = Told::with_report(5, 0, 2);
    told.tell_all([granted(row(C, LC), 1), admitted_for(1, row(C, LC), 1)]);
    told.sees_at(C, LC, "physical 5, occupied 1, closed 3, offerable 1", &[]);
    told.tell_all([admitted(2, row(C, LC)), admitted(2, row(C, LC))]);
    told.sees_at(C, LC, "physical 5, occupied 2, closed 3", &[]);
    told.tell(admitted(3, row(C, LC)));
    told.sees_at(C, LC, "physical 5, occupied 3, closed 3", &["nothing-offerable"]);
}

#[test]
fn an_admission_to_a_row_ends_the_other_holds_of_the_referral_in_its_region() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([reported(C, LC, 2, 0, 2), reported(C, HC, 2, 0, 2), reported(FAR_C, LC, 2, 0, 2)]);
    told.tell_all([granted(place("1"), 1), granted(row(C, HC), 1), granted(row(FAR_C, LC), 1)]);
    told.tell(admitted_for(1, row(C, LC), 1));
    told.sees("physical 1, offerable 1", &[]);
    told.sees_at(C, HC, "physical 2, offerable 2", &[]);
    told.sees_at(C, LC, "physical 2, occupied 1, offerable 1", &[]);
    told.sees_at(FAR_C, LC, "physical 2, held 1, offerable 1", &[]);
}

#[test]
fn a_stay_that_goes_from_a_row_to_a_bed_leaves_it_not_ready() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([reported(C, LC, 2, 0, 2), admitted(1, row(C, LC)), waiting(1, WaitingFor::HomeCare)]);
    told.sees_at(C, LC, "physical 2, occupied 1, offerable 1, waiting 1", &[]);
    told.tell(admitted(1, place("1")));
    told.sees_at(C, LC, "physical 2, not_ready 1, offerable 1", &["stay-elsewhere"]);
    told.sees("physical 1, occupied 1, waiting 1", &[]);
    told.tell(admitted(1, row(C, LC)));
    told.sees("physical 1, not_ready 1", &["stay-elsewhere"]);
    told.sees_at(C, LC, "physical 2, occupied 1, not_ready 1, waiting 1", &[]);
}

#[test]
fn a_discharge_leaves_the_row_offerable_or_not_ready() {
    let mut told = Told::with_report(4, 0, 4);
    told.tell_all([admitted(1, row(C, LC)), admitted(2, row(C, LC))]);
    told.tell_all([discharged(1, row(C, LC), true), discharged(2, row(C, LC), false)]);
    told.sees_at(C, LC, "physical 4, not_ready 1, offerable 3", &[]);
}

#[test]
fn a_discharge_counts_in_the_row_of_the_stay_whatever_it_names() {
    let with_bed = Place { location: C.parse().unwrap(), ..place("1") };
    for named in [row(C, HC), row(FAR_C, LC), with_bed] {
        let mut told = Told::with_report(4, 0, 4);
        told.tell_all([admitted(1, row(C, LC)), discharged(1, named, true)]);
        told.sees_at(C, LC, "physical 4, offerable 4", &["discharged-elsewhere"]);
    }
}

#[test]
fn cancelled_admissions_and_discharges_go_back() {
    let mut told = Told::with_report(4, 0, 2);
    told.tell_all([admitted(1, row(C, LC)), admission_cancelled(1)]);
    told.sees_at(C, LC, "physical 4, closed 2, offerable 2", &[]);
    told.tell_all([admitted(1, row(C, LC)), discharged(1, row(C, LC), false), discharge_cancelled(1)]);
    told.sees_at(C, LC, "physical 4, occupied 1, closed 2, offerable 1", &[]);
    told.tell_all([discharged(1, row(C, LC), true), discharge_cancelled(1)]);
    told.sees_at(C, LC, "physical 4, occupied 1, closed 2, offerable 1", &[]);
    told.tell_all([discharged(1, row(C, LC), true), reported(C, LC, 4, 0, 0), discharge_cancelled(1)]);
    told.sees_at(C, LC, "physical 4, occupied 1, closed 4", &["nothing-offerable"]);
}

#[test]
fn counts_stay_at_zero_when_a_report_forgot_a_stay() {
    let mut told = Told::with_report(4, 0, 4);
    told.tell_all([admitted(1, row(C, LC)), reported(C, LC, 4, 0, 4), discharged(1, row(C, LC), true)]);
    told.sees_at(C, LC, "physical 4, offerable 5", &[]);
}

#[test]
fn a_row_is_shown_as_soon_as_it_has_something_and_not_before() {
    let mut told = Told::with_report(0, 0, 0);
    assert_eq!(told.board.rows().count(), 0);
    told.tell(admitted(1, row(C, LC)));
    told.sees_at(C, LC, "occupied 1", &["nothing-offerable"]);
    told.tell(added(A, "1", &[LC]));
    assert_eq!(told.board.rows().count(), 2);
}
