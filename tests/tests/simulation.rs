//! The desks at work as a whole: a few regions for a working day, on a node that is killed meanwhile. The whole country for a
//! week is `tests/simulate`.

use std::time::Duration;

use serde_json::Value;
use tests::simulation::{Run, simulate};

#[test]
fn three_regions_work_for_a_day_on_a_node_that_is_killed_twice_and_everything_holds() {
    let run = Run {
        regions: 3,
        hours: 12,
        factor: 2_000,
        load: 100,
        seed: 20_261_122,
        kill_every: Duration::from_secs(10),
        kills_max: 2,
        within: Duration::from_mins(3),
    };
    let outcome = simulate(&run);
    let (checked, report) = (&outcome.checked, &outcome.report);
    let number = |name: &str| report.get(name).and_then(Value::as_u64).unwrap();
    assert!(checked.problems.is_empty(), "{:#?}\n{report:#}", checked.problems);
    assert_eq!(checked.double_placements + number("double_placements"), 0, "{report:#}");
    assert_eq!((number("not_ended"), number("unexpected_answers")), (0, 0), "{report:#}");
    assert!(outcome.holds());
    assert_eq!(outcome.outages.len(), 2, "{report:#}");
    assert!(checked.referrals > 0 && checked.ends.contains_key("stay.admitted"), "{checked:?}");
    assert!(checked.added_up > 0 && !checked.deadlines.is_empty(), "{checked:?}");
}
