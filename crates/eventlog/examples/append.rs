//! How fast the log appends, beside what its disk can do: `cargo run --release -p eventlog --example append
//! [FOLDER [PRODUCERS]]`.
//!
//! Prints one table: producers that each await every append, batches, and the same bytes written bare with one data
//! sync per commit. A look at the order of magnitude; the measured comparison is elsewhere.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::{
    error::Error,
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use eventlog::{AppendCondition, Batch, EventLog, Key, NewRecord, Options, Query, QueryItem};

const RUN: Duration = Duration::from_secs(2);

fn record(number: u64) -> NewRecord {
    let mut key = [0; 16];
    key.iter_mut().zip(number.to_le_bytes()).for_each(|(place, byte)| *place = byte);
    NewRecord {
        key: Key(key),
        kind: "bed.freed".into(),
        tags: vec![
            format!("order:{}", number / 10).into(),
            format!("customer:{}", number.wrapping_mul(7_919) % 50_000).into(),
            format!("day:{}", number / 10_000).into(),
        ],
        occurred_at: 0,
        source: "urn:desk:noord".into(),
        content_type: "application/protobuf".into(),
        bytes: Bytes::from(vec![7; 248]),
    }
}

fn probe(dir: &Path) -> Result<f64, Box<dyn Error>> {
    let file = File::create(dir.join("probe"))?;
    file.write_all_at(&vec![0; 16 * 1024 * 1024], 0)?;
    file.sync_all()?;
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < RUN / 2 {
        file.write_all_at(&[1; 420], u64::from(count % 30_000) * 420)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

async fn produce(
    log: EventLog,
    producer: u64,
    size: u64,
    conditional: bool,
) -> Result<u32, eventlog::AppendError> {
    let (start, mut count, mut next) = (Instant::now(), 0_u32, producer << 40);
    while start.elapsed() < RUN {
        let records = (next..next + size).map(record).collect();
        let tags = vec![format!("order:none-{producer}").into()];
        let condition = conditional
            .then(|| AppendCondition { fail_if: vec![QueryItem { types: Vec::new(), tags }], after: 0 });
        log.append(Batch { records, condition, origin: Bytes::new() }).await?;
        next += size;
        count += u32::try_from(size).unwrap_or(0);
    }
    Ok(count)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "target/append-example".into());
    let dir = Path::new(&dir);
    println!("| producers x batch | events/s | probe commits/s |\n|---|---|---|");
    let cases =
        [(1, 1, false), (64, 1, false), (64, 1, true), (512, 1, false), (1, 256, false), (1, 4_096, false)];
    let only = std::env::args().nth(2).map(|producers| producers.parse::<u64>()).transpose()?;
    for (producers, size, conditional) in cases {
        if only.is_some_and(|only| only != producers) {
            continue;
        }
        let place = dir.join(format!("{producers}-{size}-{conditional}"));
        let (log, _) = EventLog::open(&place, Options::default())?;
        let probe = probe(&place)?;
        let start = Instant::now();
        let tasks =
            (0..producers).map(|producer| tokio::spawn(produce(log.clone(), producer, size, conditional)));
        let mut total = 0_u32;
        for task in tasks.collect::<Vec<_>>() {
            total += task.await??;
        }
        let rate = f64::from(total) / start.elapsed().as_secs_f64();
        let with = if conditional { " with a condition" } else { "" };
        println!("| {producers} x {size}{with} | {rate:.0} | {probe:.0} |");
        if producers == 512 {
            let reader = Arc::new(log.reader());
            let start = Instant::now();
            let count = u32::try_from(reader.read(Query::default()).count())?;
            println!("| full read, decoded | {:.0} | |", f64::from(count) / start.elapsed().as_secs_f64());
        }
        log.close().await;
        std::fs::remove_dir_all(&place)?;
    }
    Ok(())
}
