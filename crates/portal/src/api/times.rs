//! Whether the times of an act can be so: a year mistyped on a telephone would freeze a bed until then.
//!
//! What a system sends over the bus is taken as it is told, with an alarm (its clock is wrong, not its message); what a person types, or
//! a program asks of the API, is asked again. Not here: what the rules say of a time (`domain::desk`).

use domain::Timestamp;
use domain::desk::Act;

use super::problem::{Problem, Time};

/// How far a clock may be ahead of the node's.
const AHEAD_MAX_MICROS: i64 = 2 * 60 * 1_000_000;
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
/// How late something can be told: as long as a discharge can be cancelled, and the desk remembers.
const LATE_MAX_MICROS: i64 = 31 * DAY_MICROS;
/// How long before now something planned can be: it is written down after the fact.
const PLANNED_BEFORE_MAX_MICROS: i64 = DAY_MICROS;
/// How far ahead something is planned.
const PLANNED_AHEAD_MAX_MICROS: i64 = 366 * DAY_MICROS;
/// How far ahead a desk hands over its duty: whoever stands in sees all that the desk sees, so an end that was mistyped would open
/// it to another for years. A month is longer than any holiday; whoever stands in for longer is asked again.
const DUTY_AHEAD_MAX_MICROS: i64 = 31 * DAY_MICROS;

/// Checks when an act happened, and the times in it, against the moment it is asked for.
///
/// # Errors
/// Something happened later than now, or too long ago, or is planned for a day that is no plan.
pub(super) fn check(act: &Act, occurred_at: Option<Timestamp>, at: Timestamp) -> Result<(), Problem> {
    occurred_at.map_or(Ok(()), |then| happened(then, at))?;
    if let Act::WaitFor { since: Some(since), .. } = act {
        not_ahead(*since, at)
    } else if let Act::AcceptOffer { from: planned, .. } | Act::AgreeArrival { arrives_at: planned, .. } = act
    {
        plan(*planned, at)
    } else if let Act::PlanDischarge { expected_at: Some(planned), .. } = act {
        plan(*planned, at)
    } else if let Act::HandOverDuty { until, .. } = act {
        duty(*until, at)
    } else {
        Ok(())
    }
}

fn not_ahead(then: Timestamp, at: Timestamp) -> Result<(), Problem> {
    if then > at.saturating_add_micros(AHEAD_MAX_MICROS) { Err(Problem::Time(Time::Ahead)) } else { Ok(()) }
}

fn happened(then: Timestamp, at: Timestamp) -> Result<(), Problem> {
    not_ahead(then, at)?;
    if then < at.saturating_add_micros(-LATE_MAX_MICROS) { Err(Problem::Time(Time::LongAgo)) } else { Ok(()) }
}

fn plan(then: Timestamp, at: Timestamp) -> Result<(), Problem> {
    let first = at.saturating_add_micros(-PLANNED_BEFORE_MAX_MICROS);
    let last = at.saturating_add_micros(PLANNED_AHEAD_MAX_MICROS);
    if (first..=last).contains(&then) { Ok(()) } else { Err(Problem::Time(Time::NoPlan)) }
}

/// That it is in the future is a rule of the desk.
fn duty(until: Timestamp, at: Timestamp) -> Result<(), Problem> {
    let too_long = until > at.saturating_add_micros(DUTY_AHEAD_MAX_MICROS);
    if too_long { Err(Problem::Time(Time::LongDuty)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_happened_later_than_now_or_longer_ago_than_is_remembered() {
        let at: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        let is = |then: &str| match happened(then.parse().unwrap(), at) {
            Ok(()) => "fine",
            Err(problem) => problem.code(),
        };
        assert_eq!(is("2026-11-22T21:02:00Z"), "fine", "clocks differ a little");
        assert_eq!(is("2026-10-23T00:00:00Z"), "fine");
        assert_eq!(is("2026-11-22T21:02:01Z"), "time-ahead");
        assert_eq!(is("2027-11-22T20:00:00Z"), "time-ahead");
        assert_eq!(is("2026-10-21T00:00:00Z"), "time-long-ago");
        assert_eq!(is("0001-01-01T00:00:00Z"), "time-long-ago");
    }

    #[test]
    fn a_plan_is_for_a_day_between_yesterday_and_a_year_from_now() {
        let at: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        let is = |then: &str| plan(then.parse().unwrap(), at).is_ok();
        assert!(is("2026-11-22T01:00:00Z") && is("2027-11-22T21:00:00Z"));
        assert!(!is("2020-01-01T10:00:00Z") && !is("2027-12-01T10:00:00Z"));
    }

    #[test]
    fn a_duty_is_handed_over_for_a_month_at_most() {
        let at: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        assert!(duty("2026-12-23T21:00:00Z".parse().unwrap(), at).is_ok());
        for until in ["2026-12-23T21:00:01Z", "2099-01-01T08:00:00Z", "2199-12-31T23:59:59Z"] {
            let problem = duty(until.parse().unwrap(), at).unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.code()), (422, "time-duty-too-long"), "{until}");
        }
    }
}
