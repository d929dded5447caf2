//! Appending: producers that await each answer, batches, conditions; the probe before, between and after.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use bytes::Bytes;
use eventlog::{AppendCondition, Batch, EventLog, Options};

use crate::{
    events::{Shape, event, of_order},
    peer::Peer,
    probe::Probe,
    table::{Row, Table, as_f64, median, rate},
};

/// One way of appending.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// Producers, each awaiting its answer before it sends again.
    pub(crate) producers: u64,
    /// Events of a batch.
    pub(crate) batch: u64,
    /// Whether every batch has a condition, which holds.
    pub(crate) conditional: bool,
    /// Events of one round.
    pub(crate) events: u64,
}

const fn case(producers: u64, batch: u64, conditional: bool, events: u64) -> Case {
    Case { producers, batch, conditional, events }
}

/// What is to be reached: events/s, or a share of the probe where it is below 1.
struct Aim {
    case: Case,
    what: &'static str,
    must: f64,
    stretch: f64,
    /// What the peer is asked, if it is.
    peer: &'static str,
}

const fn aim(case: Case, what: &'static str, must: f64, stretch: f64, peer: &'static str) -> Aim {
    Aim { case, what, must, stretch, peer }
}

const AIMS: [Aim; 6] = [
    aim(case(1, 1, false, 5_000), "1 producer, 1 event per append", 0.65, 0.75, "append 1 1 0"),
    aim(case(64, 1, false, 128_000), "64 producers", 100e3, 150e3, "append 64 1 0"),
    aim(case(512, 1, false, 256_000), "512 producers", 250e3, 400e3, ""),
    aim(case(1, 256, false, 256_000), "1 producer, batches of 256", 350e3, 600e3, "core 256"),
    aim(case(1, 4_096, false, 409_600), "bulk, 4,096 per commit", 1e6, 1.5e6, ""),
    aim(
        case(64, 1, true, 128_000),
        "64 producers, each append with a condition",
        80e3,
        100e3,
        "append 64 1 1",
    ),
];

/// Events of the round that warms up and tells how many bytes a commit has.
const WARM_SHARE: u64 = 4;

/// Every way of appending, with both events.
pub(crate) fn measure(dir: &Path, rounds: usize, peer: &mut Peer, table: &mut Table) {
    let probe = Probe::new(dir);
    let only = std::env::var("BENCH_LOG_ONLY").unwrap_or_default();
    for shape in [Shape::Protobuf, Shape::Json] {
        for aim in AIMS.iter().filter(|aim| aim.what.contains(&only)) {
            let asked = if shape == Shape::Protobuf { aim.peer } else { "" };
            measure_case(dir, rounds, (&probe, peer, asked), (shape, aim), table);
        }
    }
}

fn measure_case(
    dir: &Path,
    rounds: usize,
    (probe, peer, asked): (&Probe, &mut Peer, &str),
    (shape, aim): (Shape, &Aim),
    table: &mut Table,
) {
    let place = dir.join("append");
    drop(std::fs::remove_dir_all(&place));
    let runtime = crate::runtime();
    let (log, _) = EventLog::open(&place, Options::default()).unwrap();
    let mut next = 0;
    let warm = Case { events: aim.case.events / WARM_SHARE, ..aim.case };
    runtime.block_on(append(&log, shape, warm, &mut next));
    let commits = log.reader().verify(.., &mut |_| ()).unwrap().commits;
    let (bytes, events) = (written(&place) / commits, as_f64(next) / as_f64(commits));
    let (mut rates, mut probes, mut others) = (Vec::new(), Vec::new(), Vec::new());
    probes.push(probe.commits_per_second(bytes) * events);
    for _ in 0..rounds {
        rates.push(runtime.block_on(append(&log, shape, aim.case, &mut next)));
        probes.push(probe.commits_per_second(bytes) * events);
        if !asked.is_empty() {
            others.extend(peer.ask(asked));
        }
    }
    runtime.block_on(log.close());
    drop(runtime);
    std::fs::remove_dir_all(&place).unwrap();
    let ratios =
        rates.iter().zip(probes.windows(2)).map(|(rate, beside)| rate / beside[0].midpoint(beside[1]));
    let share_of_probe = median(ratios.collect());
    let measured = median(rates);
    let relative = aim.must < 1.0;
    let found = if relative { share_of_probe } else { measured };
    let aims = |value: f64| {
        if relative { format!("≥ {value:.2} × probe") } else { format!("≥ {}", rate(value)) }
    };
    table.row(&Row {
        what: format!("{}, {} bytes", aim.what, shape.bytes()),
        beside: Some((format!("probe, {events:.0} per commit"), rate(median(probes)))),
        measured: rate(measured),
        ratio: Some(share_of_probe),
        must: aims(aim.must),
        stretch: aims(aim.stretch),
        met: Some((found >= aim.must, found >= aim.stretch)),
        peer: (!others.is_empty()).then(|| (rate(median(others.clone())), measured / median(others))),
    });
}

/// Bytes of all segments without the zeros behind them.
fn written(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir.join("segments")).unwrap().map(|entry| entry.unwrap().path());
    let segments = files.filter(|path: &PathBuf| path.extension().is_some_and(|end| end == "seg"));
    let content = segments.map(|path| std::fs::read(path).unwrap());
    let ends = content.map(|bytes| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    ends.map(|end| u64::try_from(end).unwrap()).sum()
}

/// Appends events `next` and on; events in a second.
pub(crate) async fn append(log: &EventLog, shape: Shape, case: Case, next: &mut u64) -> f64 {
    let each = (case.events / case.producers / case.batch).max(1) * case.batch;
    let mut ready = Vec::new();
    for _ in 0..case.producers {
        let numbers = *next..*next + each;
        *next += each;
        ready.push(batches(shape, case, numbers));
    }
    let start = Instant::now();
    let producers = ready.into_iter().map(|batches| tokio::spawn(produce(log.clone(), batches)));
    for producer in producers.collect::<Vec<_>>() {
        producer.await.unwrap();
    }
    as_f64(each * case.producers) / start.elapsed().as_secs_f64()
}

fn batches(shape: Shape, case: Case, numbers: std::ops::Range<u64>) -> Vec<Batch> {
    let mut batches = Vec::new();
    for first in numbers.step_by(usize::try_from(case.batch).unwrap()) {
        let mut records = (first..first + case.batch).map(|number| event(shape, number)).collect::<Vec<_>>();
        // An order that nobody has seen, looked for in the whole log.
        let condition = case.conditional.then(|| {
            let order = of_order(1_000_000_000 + first);
            records[0].tags[0] = order.tags[0].clone();
            AppendCondition { fail_if: vec![order], after: 0 }
        });
        batches.push(Batch { records, condition, origin: Bytes::new() });
    }
    batches
}

async fn produce(log: EventLog, batches: Vec<Batch>) {
    for batch in batches {
        log.append(batch).await.unwrap();
    }
}
