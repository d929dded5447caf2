//! Alerts, sentence by sentence: given, when, then; and replaying gives the same.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use domain::{Event, EventId, Fact, Recorded, ReferralProfile, Timestamp, Urgency};
use proptest::prelude::*;
use uuid::Uuid;

use super::{About, AlertChange, AlertStep, Alerts, Because, Condition, Rule};
use crate::CareCode;
use domain::testing::{
    A, C, FAR, LC, added, admission_cancelled, admitted_for, bed, closed, discharged, fact, granted, label,
    place, referral, registered, released, reported, withdrawn,
};

const MINUTE: i64 = 60_000_000;

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * MINUTE)
}

fn rule(region: &str, condition: Condition) -> Rule {
    Rule { region: region.parse().unwrap(), condition }
}

fn below(below: u32) -> Condition {
    Condition::OfferableBelow { care_type: CareCode::from(LC), below }
}

const CRISIS: Condition = Condition::CrisisUnplaced { minutes: 30 };

fn of_crisis(number: u8, urgency: Urgency) -> ReferralProfile {
    ReferralProfile {
        referral: referral(number),
        origin: "gp".into(),
        care_type: None,
        urgency,
        ready_since: None,
        wished_at: None,
        area: None,
        age_band: None,
        sex: None,
        constraints: Vec::new(),
        expected_days: None,
        purpose: None,
        channel: label("phone"),
        payer: None,
        consent: true,
        callback_desk: None,
        sealed: None,
    }
}

fn made(number: u8) -> Fact {
    Fact::ReferralMade(of_crisis(number, Urgency::Crisis))
}

fn diverted(number: u8) -> Fact {
    Fact::ReferralDiverted { referral: referral(number), reason: "hospital".into() }
}

fn recorded(position: u64, at: i64, region: &str, fact: Fact) -> Recorded {
    Recorded {
        position,
        recorded_at: minute(at),
        event: Event {
            source: "urn:a".parse().unwrap(),
            id: EventId::new(Uuid::from_u128(u128::from(position) + 1)).unwrap(),
            time: minute(at),
            region: region.parse().unwrap(),
            occurred_at: minute(at),
            fact,
        },
    }
}

/// One change in a line: when, up or down, what, and why.
fn line(change: &AlertChange) -> String {
    let condition = match change.alert.rule.condition {
        Condition::OfferableBelow { care_type, below } => format!("{care_type}<{below}"),
        Condition::CrisisUnplaced { minutes } => format!("crisis {minutes}m"),
        Condition::LocationSilent { hours } => format!("location {hours}h"),
        Condition::RegionSilent { hours } => format!("region {hours}h"),
    };
    let about = match &change.alert.about {
        About::Region => change.alert.rule.region.to_string(),
        About::Location(location) => location.to_string(),
        About::Referral(referral) => format!("referral {}", referral.uuid().as_u128() - 2_000),
    };
    let at = change.at().as_micros() / MINUTE;
    let since = |moment: Timestamp| moment.as_micros() / MINUTE;
    match change.step {
        AlertStep::Raised { because: Because::Offerable(count) } => {
            format!("{at} + {condition} {about}: {count}")
        }
        AlertStep::Raised { because: Because::WaitsSince(moment) | Because::LastWord(moment) } => {
            format!("{at} + {condition} {about}: since {}", since(moment))
        }
        AlertStep::Cleared { by, .. } => {
            format!("{at} - {condition} {about} of {}: {by}", since(change.raised_at))
        }
    }
}

/// Alerts that are told events at the minutes that are said.
struct Told {
    alerts: Alerts,
    changes: Vec<AlertChange>,
}

impl Told {
    /// Rules of the region of A and C.
    fn with(conditions: &[Condition]) -> Self {
        let rules = conditions.iter().map(|condition| rule("zk01", *condition));
        Self { alerts: Alerts::new(rules), changes: Vec::new() }
    }

    fn tell(&mut self, at: i64, fact: Fact) -> &mut Self {
        let region = fact.location().map_or("zk01", |location| &location.as_str()[..4]).to_string();
        self.tell_in(at, &region, fact)
    }

    fn tell_in(&mut self, at: i64, region: &str, fact: Fact) -> &mut Self {
        let recorded = recorded(self.alerts.position() + 1, at, region, fact);
        self.alerts.project(&recorded, &mut self.changes);
        self
    }

    fn tick(&mut self, now: i64) -> &mut Self {
        self.alerts.due(minute(now), &mut self.changes);
        self
    }

    /// What changed since the last look.
    #[track_caller]
    fn sees(&mut self, changes: &[&str]) -> &mut Self {
        let seen: Vec<String> = core::mem::take(&mut self.changes).iter().map(line).collect();
        assert_eq!(seen, changes);
        self
    }
}

#[test]
fn too_few_offerable_places_of_a_region_are_told_and_enough_of_them_too() {
    let mut told = Told::with(&[below(2), below(1)]);
    told.tell(1, registered(A, "beds")).sees(&[]);
    told.tell(2, added(A, "1", &[LC])).sees(&["2 + ELV_LC<2 zk01: 1"]);
    told.tell(3, registered(C, "counts")).tell(4, reported(C, LC, 5, 1, 4));
    told.sees(&["4 - ELV_LC<2 zk01 of 2: location.counts-reported"]);
    told.tell(5, closed("1")).sees(&[]);
    told.tell(6, reported(C, LC, 5, 4, 1)).sees(&["6 + ELV_LC<2 zk01: 1"]);
    told.tell(7, withdrawn(C)).sees(&["7 + ELV_LC<1 zk01: 0"]);
}

#[test]
fn a_count_that_is_out_of_all_measure_is_forgotten_with_the_next_one() {
    let mut told = Told::with(&[below(2)]);
    told.tell(1, registered(A, "beds")).tell(1, registered(C, "counts"));
    told.tell(2, reported(C, LC, 0, 0, u32::MAX.into())).tell(3, added(A, "1", &[LC])).sees(&[]);
    told.tell(4, reported(C, LC, 0, 0, 0)).sees(&["4 + ELV_LC<2 zk01: 1"]);
}

#[test]
fn another_region_and_another_care_type_are_not_asked_about() {
    let mut told = Told::with(&[below(2)]);
    told.tell(1, registered(A, "beds")).tell(2, added(A, "1", &["GRZ"]));
    told.tell(3, registered(FAR, "beds")).tell(4, added(FAR, "1", &[LC])).tick(9_999).sees(&[]);
}

#[test]
fn a_crisis_referral_without_a_place_is_told_when_its_time_is_over_and_not_when_somebody_looks() {
    let mut told = Told::with(&[CRISIS]);
    told.tell(10, made(1)).tick(39).sees(&[]);
    assert_eq!(told.alerts.next_due(), Some(minute(40)));
    told.tick(55).sees(&["40 + crisis 30m referral 1: since 10"]);
    told.tell(60, diverted(1)).sees(&["60 - crisis 30m referral 1 of 40: referral.diverted"]);
    // Nobody looked at all: what was due is told before the event.
    let mut told = Told::with(&[CRISIS]);
    told.tell(10, made(1)).tell(60, diverted(1));
    told.sees(&[
        "40 + crisis 30m referral 1: since 10",
        "60 - crisis 30m referral 1 of 40: referral.diverted",
    ]);
}

#[test]
fn a_referral_that_is_not_of_crisis_is_not_told_until_it_becomes_one() {
    let mut told = Told::with(&[CRISIS]);
    told.tell(0, Fact::ReferralMade(of_crisis(1, Urgency::Urgent))).tick(500).sees(&[]);
    told.tell(600, Fact::ReferralChanged(of_crisis(1, Urgency::Crisis))).tick(629).sees(&[]);
    told.tick(630).sees(&["630 + crisis 30m referral 1: since 600"]);
    told.tell(631, Fact::ReferralChanged(of_crisis(1, Urgency::Planned)));
    told.sees(&["631 - crisis 30m referral 1 of 630: referral.changed"]);
    // A late word about one that is over or was never made begins nothing.
    told.tell(632, Fact::ReferralChanged(of_crisis(2, Urgency::Crisis))).tick(999).sees(&[]);
}

#[test]
fn a_place_that_is_kept_ends_the_waiting_and_one_that_is_kept_no_longer_begins_it_again() {
    let mut told = Told::with(&[CRISIS]);
    told.tell(0, registered(A, "beds")).tell(0, added(A, "1", &[LC])).tell(0, made(1));
    told.tell(20, granted(place("1"), 1)).tick(100).sees(&[]);
    // Its time had passed meanwhile: it is told at once.
    told.tell(110, released(place("1"), 1)).sees(&["110 + crisis 30m referral 1: since 0"]);
    told.tell(120, granted(place("1"), 1)).sees(&["120 - crisis 30m referral 1 of 110: hold.granted"]);
    // The bed goes, and the hold with it.
    told.tell(130, Fact::BedRemoved(bed("1"))).sees(&["130 + crisis 30m referral 1: since 0"]);
    // A hold that the board does not take is no place.
    told.tell(140, granted(place("1"), 1)).sees(&[]);
}

#[test]
fn an_admission_is_a_place_unless_it_was_not_so() {
    let mut told = Told::with(&[CRISIS]);
    told.tell(0, registered(A, "beds")).tell(0, added(A, "1", &[LC])).tell(0, made(1)).tick(35);
    told.sees(&["30 + crisis 30m referral 1: since 0"]);
    told.tell(36, admitted_for(7, place("1"), 1)).sees(&["36 - crisis 30m referral 1 of 30: stay.admitted"]);
    told.tell(37, admission_cancelled(7)).sees(&["37 + crisis 30m referral 1: since 0"]);
    told.tell(38, admitted_for(7, place("1"), 1)).sees(&["38 - crisis 30m referral 1 of 37: stay.admitted"]);
    // Once somebody has left again it is over for good.
    told.tell(39, discharged(7, place("1"), true)).tell(40, admission_cancelled(7)).tick(999).sees(&[]);
}

#[test]
fn an_escalated_referral_waits_in_the_region_it_was_handed_to() {
    let there = Condition::CrisisUnplaced { minutes: 60 };
    let mut told =
        Told { alerts: Alerts::new([rule("zk01", CRISIS), rule("zk02", there)]), changes: Vec::new() };
    let escalated =
        |to: &str| Fact::ReferralEscalated { referral: referral(1), to_region: to.parse().unwrap() };
    told.tell(0, made(1)).tell(40, escalated("zk02"));
    told.sees(&[
        "30 + crisis 30m referral 1: since 0",
        "40 - crisis 30m referral 1 of 30: referral.escalated",
    ]);
    let taken = Fact::ReferralTakenOver { referral: referral(1), from_region: "zk01".parse().unwrap() };
    told.tell_in(45, "zk02", taken).tick(70).sees(&["60 + crisis 60m referral 1: since 0"]);
    assert_eq!(told.alerts.raised().next().unwrap().alert.rule.region.as_str(), "zk02");
}

#[test]
fn a_silent_location_is_told_and_its_next_word_ends_it() {
    let mut told = Told::with(&[Condition::LocationSilent { hours: 2 }]);
    told.tell(0, registered(A, "beds")).tell(60, added(A, "1", &[LC])).tick(179).sees(&[]);
    // A hold is the word of the desk.
    told.tell(100, granted(place("1"), 1)).tick(200);
    told.sees(&["180 + location 2h zk01-a: since 60"]);
    told.tell(210, closed("1")).sees(&["210 - location 2h zk01-a of 180: bed.closed"]);
    told.tick(330).sees(&["330 + location 2h zk01-a: since 210"]);
    told.tell(340, withdrawn(A)).tick(9_999);
    told.sees(&["340 - location 2h zk01-a of 330: location.withdrawn"]);
}

#[test]
fn a_region_is_silent_when_none_of_its_locations_is_heard_of() {
    let mut told = Told::with(&[Condition::RegionSilent { hours: 1 }]);
    told.tell(0, registered(A, "beds")).tell(30, registered(C, "counts")).tell(40, registered(FAR, "beds"));
    told.tick(95).sees(&["90 + region 1h zk01: since 30"]);
    told.tell(96, added(A, "1", &[LC])).sees(&["96 - region 1h zk01 of 90: bed.added"]);
}

fn of_referral() -> impl Strategy<Value = Fact> {
    let who = || 1u8..4;
    let urgency = || prop::sample::select(&[Urgency::Crisis, Urgency::Urgent][..]);
    let region = prop::sample::select(&["zk01", "zk02"][..]);
    prop_oneof![
        4 => (who(), urgency()).prop_map(|(who, urgency)| Fact::ReferralMade(of_crisis(who, urgency))),
        2 => (who(), urgency()).prop_map(|(who, urgency)| Fact::ReferralChanged(of_crisis(who, urgency))),
        1 => who().prop_map(diverted),
        1 => (who(), region).prop_map(|(who, to)| Fact::ReferralEscalated {
            referral: referral(who), to_region: to.parse().unwrap()
        }),
    ]
}

fn every_rule() -> Vec<Rule> {
    let conditions = [
        below(1),
        below(3),
        CRISIS,
        Condition::LocationSilent { hours: 1 },
        Condition::RegionSilent { hours: 2 },
    ];
    ["zk01", "zk02"].iter().flat_map(|region| conditions.map(|condition| rule(region, condition))).collect()
}

/// Events, each some minutes after the one before, and whether somebody looks between.
fn history() -> impl Strategy<Value = Vec<(Recorded, bool)>> {
    let fact = prop_oneof![1 => of_referral(), 3 => fact()];
    let region = prop::sample::select(&["zk01", "zk02"][..]);
    prop::collection::vec((fact, region, 0i64..40, any::<bool>()), 0..100).prop_map(|told| {
        let begin = [(registered(A, "beds"), "zk01", 0, false), (registered(C, "counts"), "zk01", 0, false)];
        let mut at = 0;
        let told = begin.into_iter().chain(told).zip(1..);
        told.map(|((fact, region, wait, looks), position)| {
            at += wait;
            (recorded(position, at, region, fact), looks)
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replaying_gives_the_same_alerts_at_the_same_moments_whenever_somebody_looked(history in history()) {
        let (mut live, mut told) = (Alerts::new(every_rule()), Vec::new());
        let (mut rebuilt, mut again) = (Alerts::new(every_rule()), Vec::new());
        for (recorded, looks) in &history {
            if *looks {
                live.due(Timestamp::from_micros(recorded.recorded_at.as_micros() - 1), &mut told);
            }
            live.project(recorded, &mut told);
            rebuilt.project(recorded, &mut again);
        }
        let end = minute(100 * 40 + 300);
        live.due(end, &mut told);
        rebuilt.due(end, &mut again);
        prop_assert_eq!(&told, &again);
        prop_assert_eq!(&live, &rebuilt);
        // Told in the order of time; each raised once before it is cleared; what is left is what is raised.
        prop_assert!(told.windows(2).all(|pair| pair[0].at() <= pair[1].at()));
        let mut open = alloc::collections::BTreeMap::new();
        for change in &told {
            match change.step {
                AlertStep::Raised { .. } => {
                    prop_assert_eq!(open.insert(change.alert.clone(), change.raised_at), None);
                }
                AlertStep::Cleared { .. } => {
                    prop_assert_eq!(open.remove(&change.alert), Some(change.raised_at));
                }
            }
        }
        let raised: alloc::collections::BTreeMap<_, _> =
            live.raised().map(|change| (change.alert, change.raised_at)).collect();
        prop_assert_eq!(open, raised);
        // The sums kept step by step are those of the board.
        for ((region, care_type), sum) in &live.sums {
            let board = live.board.sums(region).into_iter().find(|found| found.care_type == *care_type);
            let sum = u32::try_from(*sum).unwrap_or(u32::MAX);
            prop_assert_eq!(sum, board.map_or(0, |found| found.counts.offerable));
        }
    }
}
