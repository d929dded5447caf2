//! What is measured in a process of its own: with the memory of nothing else, and to be killed.
#![expect(clippy::print_stdout, reason = "the numbers go to the process that asked")]

use std::{
    hint::black_box,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use eventlog::{AppendCondition, Batch, EventLog, LogReader, Options, Query, Signer};

use crate::{
    events::{PER_ORDER, Shape, event, of_order, scatter},
    grown::bytes_of,
    table::{as_f64, median},
};

/// Events the writing process has appended when it says so.
const WRITTEN: u64 = 4_000;
/// Events of the process whose memory is looked at: appended, read.
const USED: u64 = 64_000;
const READ: usize = 1_000_000;
/// Events that are read through for a rate.
const SCANNED: u64 = 4_000_000;
const QUERIES: u64 = 1_000;
const PRODUCERS: u64 = 64;

/// Does what was asked and prints what it found.
pub(crate) fn run(role: &str, dir: &Path, number: u64) {
    match role {
        "write" => write(dir, number),
        "open" => {
            let start = Instant::now();
            let opened = open(dir, None);
            println!("{} {}", start.elapsed().as_secs_f64() * 1e3, memory());
            drop(opened);
        }
        "query" => println!("{}", queries(&open(dir, None).reader(), number)),
        "use" => {
            let log = open(dir, None);
            crate::runtime().block_on(produce(&log, number, Some(USED)));
            let reader = log.reader();
            let read = reader.read(Query { limit: Some(READ), ..Query::default() });
            black_box(read.map(|record| record.unwrap().bytes.len()).sum::<usize>());
            queries(&reader, 1_000);
            println!("{}", memory());
        }
        "read" => read(dir),
        "prove" => prove(dir),
        other => panic!("no such role: {other}"),
    }
}

fn open(dir: &Path, signer: Option<Signer>) -> EventLog {
    EventLog::open(dir, Options { signer, ..Options::default() }).unwrap().0
}

/// MiB of this process that are in memory.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

fn write(dir: &Path, number: u64) {
    let log = open(dir, None);
    crate::runtime().block_on(produce(&log, number, None));
}

/// Producers that append with conditions; until they are killed, or so many events.
async fn produce(log: &EventLog, number: u64, until: Option<u64>) {
    let done = Arc::new(AtomicU64::new(0));
    let producers = (0..PRODUCERS).map(|producer| {
        let (log, done) = (log.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut next = number + (producer << 18);
            while until.is_none_or(|until| done.load(Ordering::Relaxed) < until) {
                let condition = Some(AppendCondition { fail_if: vec![of_order(next)], after: 0 });
                let records = vec![event(Shape::Protobuf, next)];
                log.append(Batch { records, condition, origin: Bytes::new() }).await.unwrap();
                next += 1;
                if done.fetch_add(1, Ordering::Relaxed) == WRITTEN && until.is_none() {
                    println!("written");
                }
            }
        })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.unwrap();
    }
}

/// Microseconds of the middle one of many queries for one order each.
fn queries(reader: &LogReader, orders: u64) -> f64 {
    let query = |number| {
        let query = Query { items: vec![of_order(scatter(number) % orders)], ..Query::default() };
        let start = Instant::now();
        let found = reader.read(query).map(|record| record.unwrap()).collect::<Vec<_>>();
        assert_eq!(found.len(), usize::try_from(PER_ORDER).unwrap());
        start.elapsed().as_secs_f64() * 1e6
    };
    let _warm = (0..QUERIES).map(query).sum::<f64>();
    median((QUERIES..2 * QUERIES).map(query).collect())
}

/// Events in a second: decoded, and only checked.
fn read(dir: &Path) {
    let reader = LogReader::open(dir).unwrap();
    let until = reader.head().position.min(SCANNED);
    let start = Instant::now();
    let read = reader.read(Query { until: Some(until), ..Query::default() });
    let found = read.map(|record| u64::from(black_box(record.unwrap()).position > 0)).sum::<u64>();
    assert_eq!(found, until);
    let decoded = as_f64(until) / start.elapsed().as_secs_f64();
    let start = Instant::now();
    let checked = reader.scrub(..=until, &mut |_| ()).unwrap();
    assert!(checked.is_sound());
    let checked = as_f64(checked.records) / start.elapsed().as_secs_f64();
    println!("{checked} {decoded}");
}

/// Seconds until there is a tree, microseconds of a proof, bytes of the tiles per event.
fn prove(dir: &Path) {
    let log = open(dir, Some(Signer::from_seed(&[7; 32])));
    let (reader, size) = (log.reader(), log.head().position);
    let start = Instant::now();
    log.signed_head().unwrap();
    let ready = start.elapsed().as_secs_f64();
    let mut proofs = (0..QUERIES)
        .map(|number| {
            let position = scatter(number) % size + 1;
            let start = Instant::now();
            let proof = reader.inclusion_proof(position, size).unwrap();
            let took = start.elapsed().as_secs_f64() * 1e3;
            assert!(proof.holds());
            took
        })
        .collect::<Vec<_>>();
    proofs.sort_by(f64::total_cmp);
    let (middle, last) = (proofs[proofs.len() / 2], proofs[proofs.len() * 99 / 100]);
    let tiles = as_f64(bytes_of(&dir.join("proof"))) / as_f64(size);
    println!("{ready} {middle} {last} {tiles} {}", memory());
}
