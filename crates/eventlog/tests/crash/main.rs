//! A real process that writes a real log, killed and failed at every turn. This program is both: the process that is
//! killed (`child`), and the one that kills it and looks at what is left.
//!
//! ```text
//! cargo test -p eventlog --test crash                                   what continuous integration does
//! cargo test -p eventlog --test crash -- kill 1000 SEED                 as often, from this seed
//! cargo test -p eventlog --test crash -- strace PATH                    system calls that fail, one after the other
//! ```
//! It has a `main` of its own, for the process that is killed must be a program that can be started.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

mod check;
mod child;
mod inject;
mod kill;
mod load;
mod parent;

use std::time::Duration;

/// Kills in continuous integration.
const KILLS: u64 = 50;
/// How long a process may say nothing before it counts as stuck.
const SILENCE_MAX: Duration = Duration::from_mins(2);

fn main() {
    let words = std::env::args().skip(1).collect::<Vec<_>>();
    let words = words.iter().map(String::as_str).collect::<Vec<_>>();
    match words[..] {
        ["child", ref plan @ ..] => child::run(plan),
        ["kill", kills, seed] => kill::run(kills.parse().unwrap(), seed.parse().unwrap()),
        ["kill", kills] => kill::run(kills.parse().unwrap(), fastrand::u64(..)),
        ["strace", strace] => inject::run(strace),
        _ => as_a_test(&words),
    }
}

fn fault_47_a_process_killed_at_fifty_moments_loses_nothing_and_serves_nothing_half() {
    kill::run(KILLS, fastrand::u64(..));
}

/// What a test runner expects of a test program with one test.
fn as_a_test(words: &[&str]) {
    let name = "fault_47_a_process_killed_at_fifty_moments_loses_nothing_and_serves_nothing_half";
    if words.contains(&"--list") {
        return println!("{name}: test");
    }
    let mut filters = words.iter().filter(|word| !word.starts_with("--")).peekable();
    if filters.peek().is_none() || filters.any(|filter| name.contains(filter)) {
        println!("test {name}");
        fault_47_a_process_killed_at_fifty_moments_loses_nothing_and_serves_nothing_half();
    }
}
