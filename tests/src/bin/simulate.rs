//! A simulated national week on a node that is killed every minute. Run by `tests/simulate`.
//!
//! `simulate [--json] [SEED [HOURS [FACTOR [REGIONS [LOAD [KILL_EVERY]]]]]]`. Not here: the run and what has to hold
//! (`tests::simulation`).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a person: it prints what it found"
)]

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use tests::simulation::{Outcome, Run, simulate};

/// The week with its starts and checks is over within a quarter of an hour.
const WITHIN: Duration = Duration::from_mins(15);

fn main() -> ExitCode {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let as_json = words.first().is_some_and(|word| word == "--json");
    if as_json {
        words.remove(0);
    }
    let numbers: Result<Vec<u32>, _> = words.iter().map(|text| text.parse::<u32>()).collect();
    let Ok(numbers) = numbers else {
        eprintln!("simulate [--json] [SEED [HOURS [FACTOR [REGIONS [LOAD [KILL_EVERY]]]]]]");
        return ExitCode::from(2);
    };
    let number = |place: usize, usual: u32| numbers.get(place).copied().unwrap_or(usual);
    let run = Run {
        regions: number(3, 31),
        hours: number(1, 168),
        factor: number(2, 1_000),
        load: number(4, 100),
        seed: u64::from(number(0, 1)),
        kill_every: Duration::from_secs(number(5, 60).into()),
        kills_max: 30,
        within: WITHIN,
    };
    let outcome = simulate(&run);
    if as_json {
        println!("{}", told(&outcome));
    } else {
        show(&run, &outcome);
    }
    if outcome.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn told(outcome: &Outcome) -> Value {
    let checked = &outcome.checked;
    json!({
        "holds": outcome.holds(),
        "seconds": outcome.took.as_secs(),
        "kills": outcome.outages.len(),
        "events": checked.events,
        "referrals": checked.referrals,
        "ends": checked.ends,
        "double_placements": checked.double_placements,
        "views_added_up_at": checked.added_up,
        "deadlines": checked.deadlines,
        "latest_deadline_ms": checked.latest_micros / 1_000,
        "deadlines_too_late": checked.too_late,
        "problems": checked.problems,
        "further_problems": checked.further_problems,
        "simulation": outcome.report,
    })
}

fn show(run: &Run, outcome: &Outcome) {
    let (checked, report) = (&outcome.checked, &outcome.report);
    let of = |path: &str| report.pointer(path).map_or_else(|| "0".to_owned(), Value::to_string);
    let row = |what: &str, found: String| println!("| {what} | {found} |");
    println!("| what | found |\n|---|---|");
    row("regions, locations, beds", format!("{}, {}, {}", of("/regions"), of("/locations"), of("/beds")));
    row(
        "time",
        format!(
            "{} simulated hours at {} ×, seed {}; {} s",
            run.hours,
            run.factor,
            run.seed,
            outcome.took.as_secs()
        ),
    );
    row("scaled down to", format!("{} % of a region's locations and people", run.load));
    row("events in the log, HTTP requests", format!("{}, {}", checked.events, of("/requests")));
    let down = outcome.outages.iter().map(|outage| (outage.to - outage.from) / 1_000).max().unwrap_or(0);
    row("kill -9 of the node", format!("{}, ready again after {down} ms at most", outcome.outages.len()));
    row("referrals, each with one end", checked.referrals.to_string());
    for (end, count) in &checked.ends {
        row(&format!("– {end}"), count.to_string());
    }
    for urgency in ["crisis", "urgent", "planned"] {
        let of = |figure: &str| of(&format!("/measured/placed after/{urgency}/{figure}"));
        let (count, p50, p90) = (of("count"), of("p50_minutes"), of("p90_minutes"));
        row(&format!("place found, {urgency}"), format!("{count}; p50 {p50} min, p90 {p90} min"));
    }
    let phantoms = of("/measured/phantom beds/offerable on the board, taken in truth");
    let looked = of("/measured/beds looked at/offerable on the board");
    row("phantom beds: offerable on the board, taken in truth", format!("{phantoms} of {looked} looks"));
    let hidden = of("/measured/phantom beds/taken on the board, free in truth");
    let looked = of("/measured/beds looked at/all");
    row("hidden beds: taken on the board, free in truth", format!("{hidden} of {looked} looks"));
    row(
        "double placements, by the truth and by the log",
        format!("{}, {}", of("/double_placements"), checked.double_placements),
    );
    row("positions at which all views add up", checked.added_up.to_string());
    for (kind, count) in &checked.deadlines {
        row(&format!("deadlines: {kind}"), count.to_string());
    }
    row("latest deadline", format!("{} ms after due or ready", checked.latest_micros / 1_000));
    row("deadlines later than a second", checked.too_late.to_string());
    row("unexpected answers", of("/unexpected_answers"));
    for problem in &checked.problems {
        println!("PROBLEM {problem}");
    }
    if checked.further_problems > 0 {
        println!("{} further problems", checked.further_problems);
    }
    println!("{}", if outcome.holds() { "all of it holds" } else { "NOT all of it holds" });
}
