//! Measures the views on this machine and prints one markdown table: folding all of them from a log of generated years, the
//! memory they take, and matching on the last state.
//!
//! Run by `tests/bench/views`. Nothing here is asserted but that every event was folded.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a measuring program for a person: it ends where something is wrong"
)]

mod years;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use domain::desk::State;
use domain::matching::{Wanted, matching};
use domain::{Event, RegionId};
use eventlog::{Batch, Clock, EventLog, Key, LogReader, NewRecord, Options};
use views::{Availability, Flow, Unmet, View};
use years::{REGIONS, Years};

/// The allocator of the programs that fold views.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEED: u64 = 20_261_122;
/// Events of one append.
const BATCH: usize = 4_096;
/// Lists that are made to measure matching.
const LISTS: usize = 5_000;

fn main() {
    let arguments = env::args().skip(1).filter(|argument| argument != "--bench").collect::<Vec<_>>();
    match &*arguments {
        [role, dir, events] if role == "--make" => make(Path::new(dir), events.parse().unwrap()),
        [role, dir] if role == "--fold" => fold(Path::new(dir)),
        sizes => {
            let sizes = if sizes.is_empty() {
                vec!["1000000", "10000000"]
            } else {
                sizes.iter().map(|size| &**size).collect()
            };
            println!("| what | found | must | met |\n|---|---|---|---|");
            for size in sizes {
                measure(size);
            }
        }
    }
}

/// The log is made by one process and folded by another, so that the memory of the second is that of the views.
fn measure(events: &str) {
    let dir = PathBuf::from(env::var("BENCH_VIEWS_DIR").unwrap_or("target/bench-views".into())).join(events);
    let me = env::current_exe().unwrap();
    if !dir.exists() {
        fs::create_dir_all(dir.parent().unwrap()).unwrap();
        assert!(Command::new(&me).arg("--make").arg(&dir).arg(events).status().unwrap().success());
    }
    assert!(Command::new(&me).arg("--fold").arg(&dir).status().unwrap().success());
}

/// The clock of the log: the time of the event that is recorded.
#[derive(Debug, Default)]
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn make(dir: &Path, events: usize) {
    let clock = Arc::new(Told::default());
    let (log, _) = EventLog::open(dir, Options::new(Arc::clone(&clock) as Arc<dyn Clock>)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mut years = Years::new(SEED).take(events);
    runtime.block_on(async {
        loop {
            let mut last = 0;
            let records: Vec<NewRecord> = years
                .by_ref()
                .take(BATCH)
                .map(|event| {
                    last = event.time.as_micros();
                    record(&event)
                })
                .collect();
            if records.is_empty() {
                break;
            }
            clock.0.store(last, Ordering::Relaxed);
            log.append(Batch { records, ..Batch::default() }).await.unwrap();
        }
        log.close().await;
    });
}

fn record(event: &Event) -> NewRecord {
    let (headers, body) = contracts::encode_binary(event);
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let received = contracts::Received::from_message(headers, body);
    NewRecord {
        key: Key(contracts::key(event.source.as_str(), &event.id.to_string())),
        kind: contracts::event_type(&event.fact).into(),
        tags: contracts::tags(event),
        occurred_at: event.occurred_at.as_micros(),
        source: event.source.as_str().into(),
        content_type: received.content_type().into(),
        bytes: received.bytes().clone(),
    }
}

fn fold(dir: &Path) {
    let reader = LogReader::open(dir).unwrap();
    let events = reader.head().position;
    let before = memory();
    let (board, board_row) = folded::<Availability>(&reader);
    let (state, state_row) = folded::<State>(&reader);
    let (flow, flow_row) = folded::<Flow>(&reader);
    let (unmet, unmet_row) = folded::<Unmet>(&reader);
    let after = memory();
    assert_eq!([board.position(), state.position(), flow.position(), unmet.position()], [events; 4]);
    for row in [board_row, state_row, flow_row, unmet_row] {
        println!("{row}");
    }
    let taken = after.saturating_sub(before);
    let beds: u32 = board.rows().map(|row| row.physical).sum();
    println!(
        "| all four views of {events} events, memory | {taken} MiB ({beds} beds, {} referrals and {} stays in the desk's) | < 500 MiB | {} |",
        state.referrals.len(),
        state.stays.len(),
        if taken < 500 { "yes" } else { "**no**" },
    );
    black_box((&board, &flow, &unmet));
    lists(&state, beds);
}

/// Folds one view from the log, as a node does that has no snapshot.
fn folded<V: View>(reader: &LogReader) -> (V, String) {
    let (start, before) = (Instant::now(), memory());
    let events = reader.head().position;
    let view: V = projector::as_of(reader, events).unwrap();
    let rate = events as f64 / start.elapsed().as_secs_f64();
    let taken = memory().saturating_sub(before);
    let name = V::NAME;
    (view, format!("| {name} from {events} events, one core | {rate:.0}/s, {taken} MiB | – | – |"))
}

/// Lists for people who came last, in their own region and over the country.
fn lists(state: &State, beds: u32) {
    let everywhere: Vec<RegionId> =
        (1..=REGIONS).map(|region| format!("zk{region:02}").parse().unwrap()).collect();
    let now = state.board.recorded_at();
    let referrals: Vec<_> = state.referrals.keys().rev().take(500).copied().collect();
    let mut times: Vec<Duration> = (0..LISTS)
        .map(|number| {
            let mut wanted = Wanted::of(state, referrals[number % referrals.len()], now).unwrap();
            wanted.regions.clone_from(&everywhere);
            let start = Instant::now();
            let list = black_box(matching(state, &wanted));
            let took = start.elapsed();
            assert!(list.candidates.len() + list.excluded.len() == everywhere.len() * 10);
            took
        })
        .collect();
    times.sort();
    let at = |hundredths: usize| times[times.len() * hundredths / 100].as_secs_f64() * 1_000.0;
    let (middle, late) = (at(50), at(99));
    let met = if late < 5.0 { "yes" } else { "**no**" };
    println!(
        "| matching over {beds} beds of 31 regions, p50 / p99 of {LISTS} lists | {middle:.2} / {late:.2} ms | < 5 ms | {met} |"
    );
}

/// Memory of this process that is no file, in MiB.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().split(' ').next().unwrap().parse::<u64>().unwrap() / 1024
}
