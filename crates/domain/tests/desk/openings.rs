//! When more can be admitted than now: the next window that opens, the next day or week of a limit, and nothing before it.

use domain::desk::State;
use domain::matching::Wanted;
use domain::queries::{OPENING_WITHIN_MICROS, Opening, admittable, opening, opening_for};
use domain::testing::{label, stopped};
use domain::{AdmissionWindow, CareType, Fact, Period, Timestamp, Urgency};
use proptest::prelude::*;

use crate::support::*;

const WILG: &str = "zk23-wilg";
const HALF_HOUR: i64 = 30 * 60_000_000;

/// De Wilg with four free beds, which admits in these windows.
fn wilg(moment: &str, windows: &[Window<'_>]) -> Story {
    let mut story = Story::at(moment);
    story.opens(WILG, &["1", "2", "3", "4"]);
    let window = |(days, from, to): &Window<'_>| AdmissionWindow {
        days: labels(days),
        from: label(from),
        to: label(to),
        care_types: Vec::new(),
    };
    let windows = windows.iter().map(window).collect();
    story.says(WILG, Fact::WindowsSet { location: parse(WILG), windows });
    story
}

fn limited(story: &mut Story, period: Period, max: u32) {
    story.says(WILG, Fact::IntakeLimitSet { location: parse(WILG), care_type: None, period, max });
}

fn opens(state: &State, at: Timestamp) -> Option<Opening> {
    opening(state, &parse(ZK23), &parse(WILG), (&CareType::from(HC)).into(), at)
}

fn can(state: &State, at: Timestamp) -> u32 {
    let rows = admittable(state, &parse(ZK23), at).into_iter();
    rows.filter(|row| row.location.as_str() == WILG).map(|row| row.admittable).sum()
}

const OFFICE: Window<'_> = (&["mo", "tu", "we", "th", "fr"], "08:00", "17:00");
const ALWAYS: Window<'_> = (&["mo", "tu", "we", "th", "fr", "sa", "su"], "00:00", "24:00");

type Window<'a> = (&'a [&'a str], &'a str, &'a str);
type Case<'a> = (&'a str, Window<'a>, &'a dyn Fn(&mut Story), Option<(&'a str, u32)>);

#[test]
fn what_opens_is_the_next_window_or_the_next_period_of_a_limit() {
    let day = |story: &mut Story| limited(story, Period::Day, 2);
    let week = |story: &mut Story| limited(story, Period::Week, 0);
    let none = |_: &mut Story| {};
    let cases: [Case<'_>; 6] = [
        // Thursday evening: the office opens tomorrow, with all that is free, or as many as the limit leaves.
        ("2026-03-05T20:00:00Z", OFFICE, &none, Some(("2026-03-06T07:00:00Z", 4))),
        ("2026-03-05T20:00:00Z", OFFICE, &day, Some(("2026-03-06T07:00:00Z", 2))),
        // Friday evening: after the weekend.
        ("2026-03-06T20:00:00Z", OFFICE, &none, Some(("2026-03-09T07:00:00Z", 4))),
        // Open, and nothing to wait for.
        ("2026-03-06T11:00:00Z", OFFICE, &none, None),
        // A limit of nobody opens never, whatever begins.
        ("2026-03-06T11:00:00Z", ALWAYS, &week, None),
        // Two of four by a limit that is as large tomorrow: no more then.
        ("2026-03-06T11:00:00Z", ALWAYS, &day, None),
    ];
    for (at, window, limit, expected) in cases {
        let mut story = wilg(at, &[window]);
        limit(&mut story);
        let expected = expected.map(|(at, admittable)| Opening { at: parse(at), admittable });
        assert_eq!(opens(&story.state(), story.now), expected, "{at} {window:?}");
    }
}

#[test]
fn a_limit_that_is_reached_opens_at_midnight_and_a_stop_does_not() {
    let mut story = wilg("2026-03-06T11:00:00Z", &[ALWAYS]);
    limited(&mut story, Period::Day, 1);
    let _ = story.location(WILG, admit(1, None, place(WILG, "1"))).records(&["stay.admitted"]);
    let midnight = Opening { at: parse("2026-03-06T23:00:00Z"), admittable: 1 };
    assert_eq!((can(&story.state(), story.now), opens(&story.state(), story.now)), (0, Some(midnight)));
    story.says(WILG, stopped(WILG, None));
    assert_eq!(opens(&story.state(), story.now), None);
}

#[test]
fn who_can_not_take_a_referral_for_the_hour_alone_is_said_from_when_it_can() {
    let mut story = wilg("2026-03-05T20:00:00Z", &[OFFICE]);
    referred(&mut story, 1, Urgency::Crisis);
    let (wilg, eik) = (location(WILG), location(EIK));
    let wanted = Wanted::of(&story.state(), referral(1), story.now).unwrap();
    let tomorrow: Timestamp = parse("2026-03-06T07:00:00Z");
    assert_eq!(opening_for(&story.state(), &wanted, &wilg), Some(tomorrow));
    assert_eq!(opening_for(&story.state(), &wanted, &eik), None, "it can now");
    // Whoever was asked already is not waited for.
    let _ = story.desk(ZK23, ask(1, &[(1, WILG)])).records(&["offer.sent"]);
    assert_eq!(opening_for(&story.state(), &wanted, &wilg), None);
}

fn half_hour() -> impl Strategy<Value = String> {
    (0_u32..48).prop_map(|half| format!("{:02}:{:02}", half / 2, half % 2 * 30))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn before_what_opens_no_more_can_be_admitted_than_now_and_then_more_can(
        windows in prop::collection::vec((prop::sample::subsequence(vec!["mo", "tu", "we", "th", "fr", "sa", "su"], 0..=7), half_hour(), half_hour()), 0..4),
        limits in prop::collection::vec((prop::bool::ANY, 0_u32..4), 0..3),
        came in 0_u64..3,
        // The weeks in which the clock is changed, and one in which it is not.
        start in prop::sample::select(vec!["2026-03-27T11:00:00Z", "2026-10-23T10:00:00Z", "2026-03-05T20:00:00Z"]),
    ) {
        let windows: Vec<Window<'_>> =
            windows.iter().map(|(days, from, to)| (&**days, &**from, &**to)).collect();
        let mut story = wilg(start, &windows);
        for number in 1..=came {
            let place = place(WILG, &number.to_string());
            story.says(WILG, Fact::StayAdmitted { stay: stay(number), place, referral: None, funding: None });
        }
        for (daily, max) in limits {
            limited(&mut story, if daily { Period::Day } else { Period::Week }, max);
        }
        let (state, now) = (story.state(), can(&story.state(), story.now));
        let opens = opens(&state, story.now);
        let horizon = story.now.saturating_add_micros(OPENING_WITHIN_MICROS);
        if let Some(opening) = opens {
            prop_assert!(opening.at > story.now && opening.at <= horizon, "{opening:?}");
            prop_assert!(opening.admittable > now);
            prop_assert_eq!(can(&state, opening.at), opening.admittable);
        }
        // Windows and midnights are at whole half hours.
        let until = opens.map_or(horizon, |opening| opening.at);
        let mut moment = story.now;
        while moment < until {
            prop_assert!(can(&state, moment) <= now, "{moment}");
            moment = moment.saturating_add_micros(HALF_HOUR);
        }
    }
}
