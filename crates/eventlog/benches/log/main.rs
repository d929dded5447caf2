//! Measures the log on this machine and prints one markdown table, with the targets, the disk and a peer beside it.
//!
//! Run by `tests/bench/log`; medians of so many rounds. Nothing here is asserted but that answers are right.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::big_endian_bytes,
    reason = "a measuring program for a person: it ends where something is wrong"
)]

mod append;
mod child;
mod events;
mod grown;
mod peer;
mod probe;
mod table;

use std::{env, path::PathBuf};

use grown::Grown;
use peer::Peer;
use table::Table;

/// The allocator of the programs that the log is built into.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds of each measurement; the table shows their median.
const ROUNDS: usize = 5;
/// The largest log.
const EVENTS: u64 = 10_000_000;

/// As many threads as the machine of the figures has cores.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn main() {
    let arguments = env::args().skip(1).filter(|argument| argument != "--bench").collect::<Vec<_>>();
    if let [child, role, dir, number] = &*arguments
        && child == "--child"
    {
        return child::run(role, &PathBuf::from(dir), number.parse().unwrap());
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    let number = |name: &str| env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let rounds = number("BENCH_LOG_ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    let events = number("BENCH_LOG_EVENTS").unwrap_or(EVENTS);
    let dir = PathBuf::from(env::var("BENCH_LOG_DIR").unwrap_or("target/bench-log".into()));
    let (mut table, mut peer) = (Table::default(), Peer::new());
    if wanted("append") {
        append::measure(&dir, rounds, &mut peer, &mut table);
    }
    let mut grown = Grown::new(&dir, rounds);
    if wanted("growth") {
        grown.measure(events, &mut table);
    } else if wanted("read") || wanted("proof") {
        grown.grow(events);
    }
    if wanted("read") {
        let found = grown.ask_often("read", 0);
        table.aim_rate("full read, headers and checks, one core", found[0], (8e6, 15e6), None);
        table.aim_rate("full read, decoded, one core", found[1], (1.5e6, 2e6), peer.ask("read"));
    }
    if wanted("proof") {
        let found = grown.ask_often("prove", 0);
        let among = format!("among {} events", grown.head());
        table.aim(&format!("proof for any position {among}, median"), found[1], "ms", (1.0, 0.2));
        table.aim(&format!("proof for any position {among}, p99"), found[2], "ms", (1.0, 0.2));
        table.aim("bytes of the tiles, where heads are signed", found[3], "per event", (140.0, 110.0));
        table.aim("memory with a tree", found[4], "MiB", (150.0, 100.0));
    }
    drop(std::fs::remove_dir_all(&dir));
}
