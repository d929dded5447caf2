//! What a simulation measured, as tables for people.
//!
//! Not here: everything that was counted (`--json`).

use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::out::Out;
use crate::table::Table;

/// Urgencies, the most urgent first.
const URGENCIES: [&str; 3] = ["crisis", "urgent", "planned"];

/// The tables.
pub(crate) fn show(out: &mut Out, report: &Value) -> Result<(), Failure> {
    let of = |name: &str| number(report.get(name));
    out.line(format_args!(
        "{} regions with {} locations, {} hours at {} times the speed, load {} %, seed {}; {} s",
        of("regions"),
        of("locations"),
        of("hours"),
        of("factor"),
        of("load"),
        of("seed"),
        of("seconds")
    ))?;
    let measured =
        |kind: &str| report.get("measured").and_then(|all| all.get(kind)).and_then(Value::as_object);
    let mut placed = Table::new(&["a place found", ">referrals", ">p50 min", ">p90 min", ">longest min"]);
    for urgency in URGENCIES {
        let times = measured("placed after").and_then(|all| all.get(urgency));
        let figure = |name: &str| number(times.and_then(|times| times.get(name)));
        placed.row([
            urgency.to_owned(),
            figure("count"),
            figure("p50_minutes"),
            figure("p90_minutes"),
            figure("max_minutes"),
        ]);
    }
    out.line(format_args!("\n{placed}\n"))?;
    counts(out, "end of the referral", measured("ends"))?;
    let mut truth = Table::new(&["board and truth", ">beds"]);
    let looked = measured("beds looked at").and_then(|all| all.get("offerable on the board"));
    truth.row(["offerable on the board, looked at".to_owned(), number(looked)]);
    for (name, count) in measured("phantom beds").into_iter().flatten() {
        truth.row([name.clone(), number(Some(count))]);
    }
    truth.row(["double placements".to_owned(), of("double_placements")]);
    out.line(format_args!("{truth}\n"))?;
    counts(out, "what the rules refused", measured("refusals"))?;
    let late = measured("late by").and_then(|all| all.get("what was to be done"));
    let figure = |name: &str| number(late.and_then(|late| late.get(name)));
    out.line(format_args!(
        "acts and looks: {}, done up to {} simulated minutes after their time (9 of 10 within {})",
        figure("count"),
        figure("max_minutes"),
        figure("p90_minutes")
    ))?;
    out.line(format_args!("referrals that did not end: {}", of("not_ended")))?;
    for told in report.get("unexpected").and_then(Value::as_array).into_iter().flatten() {
        out.line(format_args!("unexpected: {}", told.as_str().unwrap_or_default()))?;
    }
    Ok(())
}

fn counts(out: &mut Out, heading: &'static str, counts: Option<&Map<String, Value>>) -> Result<(), Failure> {
    let mut table = Table::new(&[heading, ">count"]);
    for (name, count) in counts.into_iter().flatten() {
        table.row([name.clone(), number(Some(count))]);
    }
    out.line(format_args!("{table}\n"))
}

/// A number as text; a dash where there is none.
fn number(value: Option<&Value>) -> String {
    value.filter(|value| value.is_number()).map_or_else(|| "-".to_owned(), Value::to_string)
}
