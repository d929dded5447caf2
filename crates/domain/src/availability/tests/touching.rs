//! `bed.corrected`: what can be corrected, by whom, and what has touched a bed since.

use crate::{Fact, WaitingFor};

use super::*;

#[test]
fn a_corrected_bed_is_as_before() {
    for wrong in [closed("1"), Fact::BedUnstaffed(bed("1")), contaminated("1"), vacated("1")] {
        let mut told = Told::with_beds(&["1"]);
        let id = told.tell(wrong);
        told.tell(corrected("1", id));
        told.sees("physical 1, offerable 1", &[]);
    }
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([contaminated("1"), closed("1"), Fact::BedUnstaffed(bed("1"))]);
    for undone in [Fact::BedOpened(bed("1")), Fact::BedStaffed(bed("1")), freed("1")] {
        let id = told.tell(undone);
        told.tell(corrected("1", id));
    }
    told.sees("physical 1, not_ready 1", &[]);
}

#[test]
fn only_the_last_word_can_be_taken_back_and_only_by_whoever_said_it() {
    let mut told = Told::with_beds(&["1"]);
    let (ours, other) = (told.source.parse().unwrap(), "urn:other".parse().unwrap());
    assert_eq!(told.board.correctable(&bed("1"), &ours), None, "a bed that was added stays added");
    told.tell(closed("1"));
    let last = told.tell(Fact::BedUnstaffed(bed("1")));
    assert_eq!(told.board.correctable(&bed("1"), &ours), Some(last));
    assert_eq!(told.board.correctable(&bed("1"), &other), None);
    told.tell(corrected("1", last));
    assert_eq!(told.board.correctable(&bed("1"), &ours), None, "it was taken back");
    assert_eq!(told.board.correctable(&bed("9"), &ours), None);
}

#[test]
fn a_stay_that_lost_its_bed_by_the_mistake_has_it_again() {
    let mut told = Told::with_beds(&["1"]);
    told.tell_all([admitted(1, place("1")), waiting(1, WaitingFor::WlzPlace)]);
    let id = told.tell(freed("1"));
    told.sees("physical 1, offerable 1", &["freed-occupied"]);
    told.tell(corrected("1", id));
    told.sees("physical 1, occupied 1, waiting 1", &[]);
}

#[test]
fn a_stay_that_has_another_place_or_is_closed_does_not_come_back() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell(admitted(1, place("1")));
    let id = told.tell(vacated("1"));
    told.tell_all([admitted(1, place("2")), corrected("1", id)]);
    told.sees("physical 2, occupied 1, offerable 1", &[]);

    let mut told = Told::with_beds(&["1"]);
    told.tell(admitted(1, place("1")));
    let id = told.tell(vacated("1"));
    told.tell_all([admission_cancelled(1), corrected("1", id)]);
    told.sees("physical 1, offerable 1", &[]);
}

#[test]
fn a_correction_that_corrects_nothing_is_a_contradiction() {
    let mut told = Told::with_beds(&["1"]);
    let first = told.tell(closed("1"));
    let last = told.tell(Fact::BedOpened(bed("1")));
    told.tell(corrected("1", first));
    told.sees("physical 1, offerable 1", &["nothing-to-correct"]);
    // The refused correction named the bed: now it is the last word.
    told.tell(corrected("1", last));
    told.sees("physical 1, offerable 1", &["nothing-to-correct"]);
}

#[test]
fn nobody_corrects_another_source() {
    let mut told = Told::with_beds(&["1"]);
    let id = told.tell(closed("1"));
    told.by("urn:b").tell(corrected("1", id));
    told.sees("physical 1, closed 1", &["nothing-to-correct"]);
}

#[test]
fn only_some_events_can_be_corrected() {
    for other in
        [in_reserve("1", true), admitted(1, place("1")), granted(place("1"), 1), added(A, "1", &[LC])]
    {
        let mut told = Told::with_beds(&["1"]);
        let id = told.tell(other);
        told.sees_again();
        told.tell(corrected("1", id));
        let why = told.board.contradiction_list().next().map(|found| found.why.code());
        assert_eq!(why, Some("nothing-to-correct"));
    }
}

#[test]
fn a_late_event_touches_but_can_not_be_corrected() {
    let mut told = Told::with_beds(&["1"]);
    let id = told.tell_at(100, vacated("1"));
    let late = told.tell_at(50, freed("1"));
    told.tell(corrected("1", late));
    told.tell(corrected("1", id));
    told.sees("physical 1, not_ready 1", &["late", "nothing-to-correct", "nothing-to-correct"]);
}

#[test]
fn whatever_names_the_bed_touches_it_also_without_effect() {
    let touching = [
        Fact::BedOpened(bed("1")),
        released(place("1"), 5),
        discharged(7, place("1"), true),
        moved(7, "1", "9"),
        moved(7, "9", "1"),
        in_reserve("1", false),
        Fact::OfferSent {
            offer: offer(A),
            bed: Some("1".parse().unwrap()),
            care_type: LC.into(),
            answer_by: second(1),
        },
    ];
    for touch in touching {
        let mut told = Told::with_beds(&["1"]);
        let id = told.tell(closed("1"));
        told.tell_all([touch.clone(), corrected("1", id)]);
        let why = told.board.contradiction_list().next().map(|found| found.why.code());
        assert_eq!(why, Some("nothing-to-correct"), "{touch:?}");
    }
}

#[test]
fn whatever_changes_occupancy_touches_a_bed_it_does_not_name() {
    // The stay leaves bed 1 without it being named; the hold on bed 1 ends by an admission to bed 2.
    let by_stay = (admitted(1, place("1")), admitted(1, place("2")));
    let by_hold = (granted(place("1"), 1), admitted_for(1, place("2"), 1));
    for (before, touch) in [by_stay, by_hold] {
        let mut told = Told::with_beds(&["1", "2"]);
        told.tell(before);
        let id = told.tell(closed("1"));
        told.tell_all([touch, corrected("1", id)]);
        let why = told.board.contradiction_list().next().map(|found| found.why.code());
        assert_eq!(why, Some("nothing-to-correct"));
    }
}

#[test]
fn what_does_not_name_the_bed_nor_change_its_occupancy_leaves_it_correctable() {
    let mut told = Told::with_beds(&["1", "2"]);
    told.tell(admitted(1, place("1")));
    let id = told.tell(closed("1"));
    told.tell_all([
        stopped(A, None),
        waiting(1, WaitingFor::HomeCare),
        vacated("2"),
        Fact::BedVacated(at(B, "1")),
    ]);
    told.sees_again();
    told.tell(corrected("1", id));
    told.sees("physical 2, occupied 1, not_ready 1, waiting 1", &[]);
}

impl Told {
    /// Looks away from the contradictions so far.
    fn sees_again(&mut self) {
        self.seen = self.board.contradictions();
    }
}
