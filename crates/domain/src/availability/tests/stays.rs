//! `stay.*` events on beds.
//! Not here: stays on reported rows (`reported`), lateness (`beds`).

use crate::{Fact, Place, WaitingFor};

use super::*;

const DAY: i64 = 24 * 60 * 60;

#[test]
fn an_admission_needs_a_known_bed_and_a_row_needs_a_report() {
    let mut told = Told::with_beds(&["1"]);
    told.tell(admitted(1, place("9")));
    told.tell(admitted(1, row(A, LC)));
    told.tell(waiting(1, WaitingFor::HomeCare));
    told.sees("physical 1, offerable 1", &["unknown-bed", "never-reported", "stay-not-open"]);
}

#[test]
fn an_admission_cleans_a_bed_but_does_not_decontaminate_it() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([vacated("1"), contaminated("2"), admitted(1, place("1")), admitted(2, place("2"))]);
    told.sees("physical 2, occupied 2", &[]);
    told.tell_all([admission_cancelled(1), admission_cancelled(2)]);
    told.sees("physical 2, not_ready 1, offerable 1", &[]);
}

#[test]
fn admitted_again_to_its_own_bed_nothing_happens() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([granted(place("2"), 1), admitted(1, place("1")), admitted_for(1, place("1"), 1)]);
    told.sees("physical 2, occupied 1, held 1", &[]);
}

#[test]
fn admitted_elsewhere_it_leaves_its_bed_to_be_cleaned() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([admitted(1, place("1")), admitted(1, place("2"))]);
    told.sees("physical 2, occupied 1, not_ready 1", &["stay-elsewhere"]);
}

#[test]
fn a_contaminated_bed_that_is_left_stays_contaminated() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([admitted(1, place("1")), contaminated("1"), moved(1, "1", "2"), admitted(2, place("1"))]);
    told.tell(discharged(2, place("1"), true));
    told.sees("physical 2, occupied 1, not_ready 1", &[]);
}

#[test]
fn whoever_is_in_the_bed_loses_it() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), admitted(2, place("1"))]);
    told.sees("physical 1, occupied 1", &["bed-occupied"]);
    told.tell(discharged(1, place("1"), true));
    told.sees("physical 1, occupied 1", &[]);
}

#[test]
fn a_hold_ends_with_an_admission_and_contradicts_one_for_another() {
    let mut told = Told::with_beds(&["1", "2", "3"]);
    for (bed, number) in [("1", 1), ("2", 2), ("3", 3)] {
        told.tell(granted(place(bed), number));
    }
    told.tell(admitted_for(1, place("1"), 1));
    told.sees("physical 3, occupied 1, held 2", &[]);
    told.tell(admitted_for(2, place("2"), 9));
    told.sees("physical 3, occupied 2, held 1", &["held-for-another"]);
    told.tell(admitted(3, place("3")));
    told.sees("physical 3, occupied 3", &["held-for-another"]);
}

#[test]
fn an_admission_ends_all_holds_of_its_referral_in_the_region_and_no_other() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([added(B, "1", &[LC]), added(FAR, "1", &[LC]), reported(C, LC, 3, 0, 2)]);
    for location in [A, B, FAR] {
        told.tell(granted(Place { location: location.parse().unwrap(), ..place("1") }, 1));
    }
    told.tell_all([granted(row(C, LC), 1), granted(place("2"), 2)]);
    told.sees_at(C, LC, "physical 3, held 1, closed 1, offerable 1", &[]);
    told.tell(admitted_for(1, Place { location: B.parse().unwrap(), ..place("1") }, 1));
    told.sees("physical 2, held 1, offerable 1", &[]);
    told.sees_at(B, LC, "physical 1, occupied 1", &[]);
    told.sees_at(C, LC, "physical 3, closed 1, offerable 2", &[]);
    told.sees_at(FAR, LC, "physical 1, held 1", &[]);
}

#[test]
fn a_move_leaves_the_named_bed_without_a_contradiction() {
    let mut told = Told::with_beds(&["1", "2", "3"]);
    told.tell_all([admitted(1, place("1")), moved(1, "1", "2")]);
    told.sees("physical 3, occupied 1, not_ready 1, offerable 1", &[]);
    told.tell(moved(1, "1", "3"));
    told.sees("physical 3, occupied 1, not_ready 2", &["stay-elsewhere"]);
    told.tell(moved(1, "3", "9"));
    told.sees("physical 3, occupied 1, not_ready 2", &["unknown-bed"]);
}

#[test]
fn a_move_begins_an_unknown_stay_and_opens_a_closed_one() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell(moved(1, "1", "2"));
    told.sees("physical 2, occupied 1, offerable 1", &[]);
    told.tell_all([discharged(1, place("2"), true), moved(1, "2", "1")]);
    told.sees("physical 2, occupied 1, offerable 1", &[]);
}

#[test]
fn a_move_uses_the_referral_of_the_last_admission_that_named_one() {
    let mut told = Told::with_beds(&["1", "2", "3", "4"]);
    told.tell_all([admitted_for(1, place("1"), 1), vacated("1"), admitted(1, place("2"))]);
    told.tell_all([granted(place("3"), 1), granted(place("4"), 1), moved(1, "2", "3")]);
    told.sees("physical 4, occupied 1, not_ready 2, offerable 1", &[]);
}

#[test]
fn a_move_is_never_late() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_at(100, vacated("2"));
    told.tell_at(90, admitted(1, place("1")));
    told.tell_at(50, moved(1, "1", "2"));
    told.sees("physical 2, occupied 1, not_ready 1", &[]);
}

#[test]
fn a_cancelled_move_goes_back() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([admitted(1, place("1")), moved(1, "1", "2"), move_cancelled(1, "1", "2")]);
    told.sees("physical 2, occupied 1, not_ready 1", &[]);
    told.tell(discharged(1, place("1"), true));
    told.sees("physical 2, not_ready 1, offerable 1", &[]);
    told.tell(move_cancelled(1, "1", "2"));
    told.tell(move_cancelled(7, "1", "2"));
    told.sees("physical 2, not_ready 1, offerable 1", &["stay-not-open", "stay-not-open"]);
}

#[test]
fn a_cancelled_move_back_to_a_bed_that_is_gone_has_no_effect() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([admitted(1, place("1")), moved(1, "1", "2"), Fact::BedRemoved(bed("1"))]);
    told.tell(move_cancelled(1, "1", "2"));
    told.sees("physical 1, occupied 1", &["unknown-bed"]);
}

#[test]
fn a_discharge_leaves_the_bed_ready_or_to_be_cleaned() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([admitted(1, place("1")), admitted(2, place("2")), waiting(1, WaitingFor::HomeCare)]);
    told.tell_all([discharged(1, place("1"), true), discharged(2, place("2"), false)]);
    told.sees("physical 2, not_ready 1, offerable 1", &[]);
    told.tell(discharged(1, place("1"), true));
    told.sees("physical 2, not_ready 1, offerable 1", &["stay-not-open"]);
}

#[test]
fn a_discharge_empties_the_bed_of_the_stay_whatever_it_names() {
    for named in [place("2"), row(A, LC), Place { location: B.parse().unwrap(), ..place("1") }] {
        let mut told = Told::with_beds(&["1", "2"]);
        told.tell_all([admitted(1, place("1")), admitted(2, place("2")), discharged(1, named, true)]);
        told.sees("physical 2, occupied 1, offerable 1", &["discharged-elsewhere"]);
    }
}

#[test]
fn a_discharge_of_a_stay_without_a_place_changes_nothing_else() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), vacated("1"), discharged(1, place("1"), true)]);
    told.sees("physical 1, not_ready 1", &[]);
}

#[test]
fn a_cancelled_admission_is_as_if_nobody_had_come() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), admission_cancelled(1)]);
    told.sees("physical 1, offerable 1", &[]);
    told.tell_all([admission_cancelled(1), discharge_cancelled(1)]);
    told.sees("physical 1, offerable 1", &["stay-not-open", "stay-not-closed"]);
    told.tell_all([admitted(2, place("1")), discharged(2, place("1"), true), admission_cancelled(2)]);
    told.sees("physical 1, offerable 1", &["stay-not-open"]);
}

#[test]
fn a_cancelled_discharge_takes_the_bed_again() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), discharged(1, place("1"), false), discharge_cancelled(1)]);
    told.sees("physical 1, occupied 1", &[]);
    told.tell(admission_cancelled(1));
    told.sees("physical 1, offerable 1", &[]);
    told.tell_all([admitted(2, place("1")), discharge_cancelled(2)]);
    told.sees("physical 1, occupied 1", &["stay-not-closed"]);
}

#[test]
fn a_cancelled_discharge_brings_no_wait_back() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([
        admitted(1, place("1")),
        waiting(1, WaitingFor::HomeCare),
        discharged(1, place("1"), true),
    ]);
    told.tell(discharge_cancelled(1));
    told.sees("physical 1, occupied 1", &[]);
}

#[test]
fn a_cancelled_discharge_takes_back_a_bed_lost_before_it() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([
        admitted(1, place("1")),
        vacated("1"),
        discharged(1, place("1"), false),
        discharge_cancelled(1),
    ]);
    told.sees("physical 1, occupied 1", &[]);
}

#[test]
fn a_cancelled_discharge_ends_a_hold_and_contradicts_one_for_another() {
    for (number, contradictions) in [(1, &[][..]), (2, &["held-for-another"][..])] {
        let mut told = Told::with_beds(&["1"]);
        told.tell_all([
            admitted_for(1, place("1"), 1),
            discharged(1, place("1"), true),
            granted(place("1"), number),
        ]);
        told.tell(discharge_cancelled(1));
        told.sees("physical 1, occupied 1", contradictions);
    }
}

#[test]
fn a_cancelled_discharge_without_its_bed_opens_the_stay_on_nothing() {
    for taken in [admitted(2, place("1")), Fact::BedRemoved(bed("1"))] {
        let mut told = Told::with_beds(&["1"]);
        told.tell_all([
            admitted(1, place("1")),
            discharged(1, place("1"), true),
            taken,
            discharge_cancelled(1),
        ]);
        let why = told.board.contradiction_list().next().map(|found| found.why.code());
        assert_eq!((why, told.board.contradictions()), (Some("place-taken"), 1));
        told.tell(waiting(1, WaitingFor::HomeCare));
        assert_eq!(told.board.contradictions(), 1, "the stay is open");
    }
}

#[test]
fn a_discharge_can_be_cancelled_for_thirty_days_of_the_sources_time() {
    for (time, counts, contradictions) in [
        (1_000 + 30 * DAY, "physical 1, occupied 1", &[][..]),
        (1_001 + 30 * DAY, "physical 1, offerable 1", &["cancelled-too-late"][..]),
    ] {
        let mut told = Told::with_beds(&["1"]);
        told.tell(admitted(1, place("1")));
        told.tell_timed(1_000, 900, discharged(1, place("1"), true));
        told.tell_timed(time, 2, discharge_cancelled(1));
        told.sees(counts, contradictions);
    }
}

#[test]
fn waiting_is_of_the_stay_and_ends_with_none() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell_all([admitted(1, place("1")), waiting(1, WaitingFor::WlzPlace), moved(1, "1", "2")]);
    told.sees("physical 2, occupied 1, not_ready 1, waiting 1", &[]);
    told.tell_all([vacated("2"), freed("2"), admitted(1, place("2"))]);
    told.sees("physical 2, occupied 1, not_ready 1, waiting 1", &[]);
    told.tell(waiting(1, WaitingFor::Nothing));
    told.sees("physical 2, occupied 1, not_ready 1", &[]);
    told.tell(waiting(7, WaitingFor::WlzPlace));
    told.sees("physical 2, occupied 1, not_ready 1", &["stay-not-open"]);
}

#[test]
fn a_closed_stay_opens_again_when_admitted() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), discharged(1, place("1"), true), admitted(1, place("1"))]);
    told.sees("physical 1, occupied 1", &[]);
}

#[test]
fn plans_and_labels_only_need_an_open_stay() {
    let events = |number: u8| {
        let stay = stay(number);
        [
            Fact::StayDischargePlanned { stay, expected_at: None },
            Fact::StayDischargePlanWithdrawn { stay, expected_at: None },
            Fact::StayPlanSet { stay, items: alloc::vec::Vec::new() },
            Fact::StayTriageReviewed { stay, outcome: LC.into() },
            Fact::StayFundingSwitched { stay, funding: label("zvw") },
        ]
    };
    let mut told = Told::with_beds(&["1"]);
    told.tell(admitted(1, place("1")));
    told.tell_all(events(1));
    told.sees("physical 1, occupied 1", &[]);
    told.tell_all(events(2));
    told.sees("physical 1, occupied 1", &["stay-not-open"; 5]);
}

#[test]
fn a_contradiction_says_where_it_is_and_which_event_opened_it() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([
        admitted(1, place("1")),
        discharged(1, place("1"), true),
        waiting(1, WaitingFor::HomeCare),
    ]);
    let found = told.board.contradiction_list().next().unwrap();
    assert_eq!(found.position, told.board.position());
    assert_eq!(found.kind, "stay.waiting-for");
    assert_eq!(found.region.as_str(), "zk01");
    assert_eq!(found.location.as_ref().map(crate::LocationId::as_str), Some(A));
    assert_eq!(found.bed.as_ref().map(crate::BedId::as_str), Some("1"));
}
