//! What is said again: a stop or a waiting that is known just so is nothing new, and what changed is recorded.

use domain::desk::Act;
use domain::testing::{label, resumed, stopped};
use domain::{BedRef, Fact, StopReason, Timestamp, WaitingFor};

use crate::support::*;

const STOP: &str = "location.admissions-stopped";
const WAITS: &str = "stay.waiting-for";

fn day() -> Story {
    Story::at("2026-03-02T09:00:00Z")
}

#[test]
fn a_stop_that_is_known_just_so_is_recorded_once_and_one_of_another_reason_or_review_again() {
    let mut story = day();
    let stop = |ward: Option<&str>, reason: StopReason, review_at: Option<Timestamp>| {
        report(Fact::AdmissionsStopped { location: parse(LINDE), ward: ward.map(label), reason, review_at })
    };
    let infection = |ward| stop(ward, StopReason::Infection, None);
    // The house, and a ward of it, are stopped each for itself.
    let _ = story.location(LINDE, infection(None)).records(&[STOP]);
    let _ = story.location(LINDE, infection(Some("Zuid"))).records(&[STOP]);
    for ward in [None, Some("Zuid")] {
        story.minutes_later(1);
        let _ = story.location(LINDE, infection(ward)).records(&[]);
        let _ = story.desk(ZK23, infection(ward)).records(&[]);
    }
    let _ = story.location(LINDE, stop(None, StopReason::Staffing, None)).records(&[STOP]);
    let review_at = Some(story.in_minutes(60));
    let _ = story.location(LINDE, stop(None, StopReason::Staffing, review_at)).records(&[STOP]);
    let _ = story.location(LINDE, stop(None, StopReason::Staffing, review_at)).records(&[]);
    // Another house has a stop of its own.
    let _ = story.location(EIK, report(stopped(EIK, None))).records(&[STOP]);
}

#[test]
fn admissions_that_go_on_go_on_once_and_can_be_stopped_anew() {
    let mut story = day();
    let ended = "location.admissions-resumed";
    let _ = story.location(LINDE, report(resumed(LINDE, None))).records(&[]);
    let _ = story.location(LINDE, report(stopped(LINDE, Some("Zuid")))).records(&[STOP]);
    let _ = story.location(LINDE, report(resumed(LINDE, None))).records(&[]);
    let _ = story.location(LINDE, report(resumed(LINDE, Some("Zuid")))).records(&[ended]);
    let _ = story.location(LINDE, report(resumed(LINDE, Some("Zuid")))).records(&[]);
    let _ = story.location(LINDE, report(stopped(LINDE, Some("Zuid")))).records(&[STOP]);
    // Of a house that nobody knows nothing is known to be so.
    let _ = story.desk(ZK23, report(resumed("zk23-nergens", None))).records(&[ended]);
}

#[test]
fn a_word_about_a_bed_is_recorded_however_often_it_is_said() {
    let mut story = day();
    let freed = || report(Fact::BedFreed(BedRef { location: parse(LINDE), bed: parse("1") }));
    for _ in 0..2 {
        let _ = story.location(LINDE, freed()).records(&["bed.freed"]);
    }
}

#[test]
fn what_a_stay_waits_for_is_recorded_once_and_since_when_only_as_it_is_said() {
    let mut story = day();
    let _ = story.location(LINDE, admit(1, None, place(LINDE, "1"))).records(&["stay.admitted"]);
    let waits = |what: WaitingFor, since: Option<Timestamp>| Act::WaitFor { stay: stay(1), what, since };
    let nothing = || waits(WaitingFor::Nothing, None);
    let home = |since| waits(WaitingFor::HomeCare, since);
    let known = |story: &Story| story.state().stays[&stay(1)].waiting.clone();
    let _ = story.location(LINDE, nothing()).records(&[]);
    let since = story.now;
    let _ = story.location(LINDE, home(None)).records(&[WAITS]);
    assert_eq!(known(&story), Some((WaitingFor::HomeCare, since)), "since now");
    story.minutes_later(30);
    let _ = story.location(LINDE, home(None)).records(&[]);
    let _ = story.desk(ZK23, home(Some(since))).records(&[]);
    assert_eq!(known(&story), Some((WaitingFor::HomeCare, since)), "as before");
    // Since yesterday, after all; and then for something else.
    let yesterday = story.in_minutes(-24 * 60);
    let _ = story.location(LINDE, home(Some(yesterday))).records(&[WAITS]);
    let _ = story.location(LINDE, waits(WaitingFor::WlzPlace, None)).records(&[WAITS]);
    assert_eq!(known(&story), Some((WaitingFor::WlzPlace, story.now)));
    let _ = story.location(LINDE, nothing()).records(&[WAITS]);
    let _ = story.location(LINDE, nothing()).records(&[]);
}
