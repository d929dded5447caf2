//! Does to real nodes what a broker, a network, a disk or an administrator can do, and prints what came of it as a
//! table. Run by `tests/chaos`.
//!
//! `chaos [NAME…]`: these scenarios alone. Not here: the scenarios themselves (`tests::chaos`).
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a person: it prints its table")]

use std::process::ExitCode;
use std::time::Duration;

use tests::chaos::{Outcome, SCENARIOS};

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted.iter().find(|name| SCENARIOS.iter().all(|scenario| scenario.name != *name))
    {
        let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        eprintln!("there is no scenario {unknown}; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    println!(
        "| fault | scenario | what was done | receipts | lost | doubled | alarm | found after | healed after |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut sound = true;
    let chosen = SCENARIOS
        .iter()
        .filter(|scenario| wanted.is_empty() || wanted.iter().any(|name| name == scenario.name));
    for scenario in chosen {
        let cells = match std::panic::catch_unwind(scenario.run) {
            Ok(Ok(outcome)) => {
                sound &= outcome.is_sound();
                cells(&outcome)
            }
            Ok(Err(why)) => format!("not possible here: {why} | – | – | – | – | – | –"),
            Err(_panic) => {
                sound = false;
                "FAILED, see above | – | – | – | – | – | –".to_owned()
            }
        };
        println!("| {} | {} | {cells} |", scenario.fault, scenario.name);
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn cells(outcome: &Outcome) -> String {
    let Outcome { did, receipts, lost, doubled, alarm, found, healed, .. } = outcome;
    let seconds = |time: &Duration| format!("{:.1} s", time.as_secs_f64());
    let found = if found.is_zero() { "–".to_owned() } else { seconds(found) };
    format!("{did} | {receipts} | {lost} | {doubled} | {alarm} | {found} | {}", seconds(healed))
}
