//! Flow: what is counted, what is taken back, and that every division adds up.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use domain::testing::{
    A, B, LC, admission_cancelled, admitted, admitted_for, discharge_cancelled, discharged, fact, moved,
    place, referral, waiting,
};
use domain::{Event, EventId, Fact, Recorded, ReferralProfile, Timestamp, WaitingFor};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const HOUR: i64 = 3_600_000_000;

fn at(hours: i64) -> Timestamp {
    // Monday 2026-03-02, 00:00 in the Netherlands.
    "2026-03-01T23:00:00Z".parse::<Timestamp>().unwrap().saturating_add_micros(hours * HOUR)
}

fn recorded(position: u64, when: Timestamp, region: &str, fact: Fact) -> Recorded {
    let id = EventId::new(Uuid::from_u128(u128::from(position))).unwrap();
    let (source, region) = ("urn:a".parse().unwrap(), region.parse().unwrap());
    let event = Event { source, id, time: when, region, occurred_at: when, fact };
    Recorded { position, recorded_at: when, event }
}

fn folded(events: &[(i64, Fact)]) -> Flow {
    let mut flow = Flow::default();
    for (position, (hours, fact)) in (1..).zip(events) {
        flow.project(&recorded(position, at(*hours), "zk01", fact.clone()), &mut Vec::new());
    }
    flow
}

fn all(flow: &Flow) -> Summary {
    flow.by(|_, _| Some(())).remove(&()).unwrap_or_default().summary()
}

fn made(number: u8) -> Fact {
    Fact::ReferralMade(ReferralProfile {
        referral: referral(number),
        origin: "hospital-ward".into(),
        care_type: Some(LC.into()),
        urgency: "planned".into(),
        ready_since: None,
        wished_at: None,
        area: None,
        age_band: None,
        sex: None,
        constraints: Vec::new(),
        expected_days: None,
        purpose: None,
        channel: domain::testing::label("phone"),
        payer: None,
        consent: true,
        callback_desk: None,
        sealed: None,
    })
}

#[test]
fn a_stay_is_counted_from_its_referral_to_its_end() {
    let flow = folded(&[
        (0, made(1)),
        (5, admitted_for(1, place("1"), 1)),
        (29, waiting(1, WaitingFor::HomeCare)),
        (53, discharged(1, place("1"), true)),
    ]);
    let sum = all(&flow);
    assert_eq!((sum.admitted, sum.discharged), (1, 1));
    assert_eq!(sum.origins, BTreeMap::from([("hospital-ward", 1)]));
    assert_eq!(sum.destinations, BTreeMap::from([("home-with-care", 1)]));
    assert_eq!(
        (sum.stayed.count, sum.stayed.total_minutes, sum.stayed.square_minutes),
        (1, 2_880, 2_880 * 2_880)
    );
    assert_eq!(sum.stayed.histogram[6], 1, "two days and less than three");
    assert_eq!(sum.placed.mean_minutes(), Some(300));
    assert_eq!((sum.occupied_seconds, sum.waiting_seconds), (48 * 3_600, 24 * 3_600));
    let by_day = flow.by(|period, _| Some(period));
    let hours: Vec<u64> = by_day.values().map(|cell| cell.summary().occupied_seconds / 3_600).collect();
    assert_eq!(hours, [19, 24, 5]);
}

#[test]
fn who_is_still_there_is_counted_up_to_the_last_event() {
    let flow = folded(&[(0, admitted(1, place("1"))), (30, admitted(2, place("2"))), (36, made(1))]);
    assert_eq!(all(&flow).occupied_seconds, (36 + 6) * 3_600);
}

#[test]
fn what_was_not_so_is_taken_back_where_it_was_counted() {
    let undone = folded(&[(0, made(1)), (2, admitted_for(1, place("1"), 1)), (2, admission_cancelled(1))]);
    let sum = all(&undone);
    assert_eq!((sum.admitted, sum.placed.count, sum.origins.len()), (0, 0, 0));

    let events = [
        (0, admitted(1, place("1"))),
        (24, discharged(1, place("1"), true)),
        (48, discharge_cancelled(1)),
        (72, discharged(1, place("1"), true)),
    ];
    let sum = all(&folded(&events));
    assert_eq!((sum.discharged, sum.stayed.count, sum.stayed.total_minutes), (1, 1, 72 * 60));
    assert_eq!(sum.occupied_seconds, 48 * 3_600, "as was said at the time");
}

#[test]
fn a_move_within_a_house_is_none_and_one_to_another_house_is_out_and_in() {
    let to_b = Fact::StayMoved {
        stay: domain::testing::stay(1),
        from: domain::testing::at(A, "2"),
        to: domain::testing::at(B, "1"),
    };
    let flow = folded(&[(0, admitted(1, place("1"))), (1, moved(1, "1", "2")), (2, to_b)]);
    let by_house = flow.by(|_, key| Some(key.location.clone()));
    let of = |house: &str| by_house.get(&house.parse().unwrap()).unwrap().summary();
    assert_eq!((of(A).admitted, of(A).moved_out, of(A).occupied_seconds), (1, 1, 7_200));
    assert_eq!((of(B).moved_in, of(B).admitted), (1, 0));
}

#[test]
fn old_days_are_added_up_by_month_and_nothing_is_lost() {
    let mut flow = folded(&[(0, admitted(1, place("1"))), (24, discharged(1, place("1"), true))]);
    let before = all(&flow);
    flow.pass(3, at(24 * 200));
    assert_eq!(all(&flow), before);
    let periods: Vec<Period> = flow.by(|period, _| Some(period)).into_keys().collect();
    assert_eq!(periods, [Period::Month { year: 2026, month: 3 }]);
    assert!(flow.stays.is_empty(), "nobody can undo that any more");
}

fn history() -> impl Strategy<Value = Vec<(i64, &'static str, Fact)>> {
    let made = (1u8..4).prop_map(made);
    let fact = prop_oneof![5 => fact(), 1 => made];
    prop::collection::vec((0i64..60, prop::sample::select(&["zk01", "zk02"][..]), fact), 0..120)
}

fn fold_all(history: &[(i64, &'static str, Fact)]) -> Vec<Recorded> {
    let mut hours = 0;
    let step = |(position, (later, region, fact)): (u64, &(i64, &'static str, Fact))| {
        hours += later;
        recorded(position, at(hours), region, fact.clone())
    };
    (1..).zip(history).map(step).collect()
}

proptest! {
    #[test]
    fn the_sum_over_regions_locations_types_and_days_is_the_whole(history in history()) {
        let mut flow = Flow::default();
        for event in &fold_all(&history) {
            flow.project(event, &mut Vec::new());
        }
        let whole = all(&flow);
        let mut divided = Vec::from([
            flow.by(|_, key| Some(format!("{}", key.region))),
            flow.by(|_, key| Some(format!("{}", key.location))),
            flow.by(|_, key| Some(format!("{}", key.care_type))),
            flow.by(|period, _| Some(format!("{period:?}"))),
        ]);
        for parts in &mut divided {
            let mut sum = Cell::default();
            for part in parts.values() {
                sum.plus(part);
            }
            prop_assert_eq!(sum.summary(), whole.clone());
        }
        // Each figure is the sum of what it is divided into.
        prop_assert_eq!(whole.admitted, whole.origins.values().sum::<u64>());
        prop_assert_eq!(whole.discharged, whole.destinations.values().sum::<u64>());
        prop_assert_eq!(whole.moved_in, whole.moved_out);
        for times in [&whole.stayed, &whole.waited, &whole.placed] {
            prop_assert_eq!(times.count, times.histogram.iter().sum::<u64>());
        }
        // Who came and did not leave is there.
        let there: u32 = flow.rows.iter().map(|row| row.occupied).sum();
        let open = flow.stays.values().filter(|stay| stay.left.is_none()).count();
        prop_assert_eq!(usize::try_from(there).unwrap(), open);
        prop_assert_eq!(whole.admitted.saturating_sub(whole.discharged), u64::from(there));
    }

    #[test]
    fn a_snapshot_and_what_came_after_is_the_fold_from_zero(history in history(), cut in 0usize..120) {
        let events = fold_all(&history);
        let cut = cut.min(events.len());
        let mut flow = Flow::default();
        events[..cut].iter().for_each(|event| flow.project(event, &mut Vec::new()));
        let bytes = postcard::to_stdvec(&flow).unwrap();
        let mut read: Flow = postcard::from_bytes(&bytes).unwrap();
        events[cut..].iter().for_each(|event| read.project(event, &mut Vec::new()));
        events[cut..].iter().for_each(|event| flow.project(event, &mut Vec::new()));
        prop_assert_eq!(read, flow);
    }
}
