//! What went through a region, as people read it: days in words, how long in days and hours.
//!
//! Programs get the sums that add up (`--json`); a person gets the mean of them.

use serde_json::Value;

use super::show::{cell, rows};
use crate::failure::Failure;
use crate::out::Out;
use crate::table::Table;

const MINUTES_OF_HOUR: u64 = 60;
const MINUTES_OF_DAY: u64 = 24 * MINUTES_OF_HOUR;

pub(super) fn flow(answer: &Value, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(answer);
    }
    let found = rows(answer, "rows");
    if found.is_empty() {
        return out.line(format_args!("nothing went through {} yet", cell(answer.get("region"))));
    }
    let mut table = Table::new(&[
        "period",
        "location",
        "type",
        ">in",
        "from",
        ">out",
        "to",
        "moved",
        "refused",
        ">occupied",
        ">waiting",
        ">stayed",
        ">waited",
        ">placed",
    ]);
    for row in found {
        let of = |name: &str| cell(row.get(name));
        table.row([
            period(&of("period")),
            of("location"),
            of("care_type"),
            of("admitted"),
            counts(row.get("origins")),
            of("discharged"),
            counts(row.get("destinations")),
            moved(row),
            counts(row.get("refusals")),
            together(row.get("occupied_seconds")),
            together(row.get("waiting_seconds")),
            mean(row.get("stayed")),
            mean(row.get("waited")),
            mean(row.get("placed")),
        ]);
    }
    out.line(&table)?;
    out.line(
        "\noccupied, waiting: of all together; stayed, waited, placed (from the referral on): the mean",
    )?;
    match answer.get("left_off").and_then(Value::as_u64) {
        Some(more) if more > 0 => out.line(format_args!("and {more} older")),
        Some(_) | None => Ok(()),
    }
}

/// A day as `Mon 23 Nov 2026`, a month as `November 2026`.
fn period(text: &str) -> String {
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return day.strftime("%a %-d %b %Y").to_string();
    }
    let first = format!("{text}-01").parse::<jiff::civil::Date>();
    first.map_or_else(|_| text.to_owned(), |first| first.strftime("%B %Y").to_string())
}

/// So many of each code.
fn counts(of: Option<&Value>) -> String {
    let all = of.and_then(Value::as_object).into_iter().flatten();
    all.map(|(code, count)| format!("{code} {count}")).collect::<Vec<_>>().join(", ")
}

/// Who came from another bed of the region, and who went to one.
fn moved(row: &Value) -> String {
    let of = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
    match (of("moved_in"), of("moved_out")) {
        (0, 0) => String::new(),
        (came, went) => format!("+{came} -{went}"),
    }
}

fn together(seconds: Option<&Value>) -> String {
    match seconds.and_then(Value::as_u64) {
        None | Some(0) => String::new(),
        Some(seconds) => long(seconds.div_euclid(60)),
    }
}

fn mean(times: Option<&Value>) -> String {
    let of = |name: &str| times.and_then(|times| times.get(name)).and_then(Value::as_u64).unwrap_or_default();
    of("total_minutes").checked_div(of("count")).map(long).unwrap_or_default()
}

/// How long: `0:45`, `7:05`, `1 day 0:30`, `12 days 3:00`.
fn long(minutes: u64) -> String {
    let (days, rest) = (minutes.div_euclid(MINUTES_OF_DAY), minutes.rem_euclid(MINUTES_OF_DAY));
    let clock = format!("{}:{:02}", rest.div_euclid(MINUTES_OF_HOUR), rest.rem_euclid(MINUTES_OF_HOUR));
    match days {
        0 => clock,
        1 => format!("1 day {clock}"),
        days => format!("{days} days {clock}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn how_long_something_took_is_said_in_days_and_hours() {
        let said = [0, 45, 425, 1_439, 1_470, 17_460].map(long);
        assert_eq!(said, ["0:00", "0:45", "7:05", "23:59", "1 day 0:30", "12 days 3:00"]);
        assert_eq!(mean(Some(&json!({ "count": 2, "total_minutes": 151 }))), "1:15");
        assert_eq!((mean(Some(&json!({ "count": 0, "total_minutes": 0 }))), mean(None)), Default::default());
        assert_eq!(together(Some(&json!(5_400))), "1:30");
    }

    #[test]
    fn a_period_is_a_day_or_a_month_in_words() {
        assert_eq!(["2026-11-23", "2026-03", "ever"].map(period), ["Mon 23 Nov 2026", "March 2026", "ever"]);
    }

    #[test]
    fn what_is_counted_by_code_is_said_by_code() {
        assert_eq!(counts(Some(&json!({ "gp": 2, "ambulance": 1 }))), "ambulance 1, gp 2");
        assert_eq!(moved(&json!({ "moved_in": 1, "moved_out": 0 })), "+1 -0");
        assert_eq!(moved(&json!({ "moved_in": 0, "moved_out": 0 })), "");
    }
}
