//! Measures the way of an event on this machine and prints one markdown table, baselines beside.
//!
//! Run by `tests/bench/way`, which starts the node; medians of [`ROUNDS`] interleaved rounds. Nothing here is asserted.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a measuring program for a person: it prints its table, and ends where something is wrong"
)]

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::StreamExt as _;
use tokio::sync::mpsc;

/// Rounds of each measurement; the table shows their median.
const ROUNDS: usize = 5;
/// Events per round and per number in flight.
const EVENTS: [(usize, usize); 3] = [(1, 1_500), (64, 12_000), (256, 24_000)];
/// The same for JetStream, which is slower: the rounds stay short.
const JETSTREAM: [(usize, usize); 3] = [(1, 600), (64, 3_000), (256, 4_000)];
/// How long events flow at a rate while their rows are watched.
const WATCHED: Duration = Duration::from_secs(4);
/// The server that the baseline is measured on.
const PLAIN: &str = "jetstream { store_dir: \"{folder}/store\", sync_interval: always }";
/// Rows that have not come by then are said to be lost.
const ROW_WITHIN: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url =
        arguments.next().expect("usage: bench_way BUS_URL DATA SOURCE LOCATION [receipts|latency|replay]");
    let data = PathBuf::from(arguments.next().expect("the data folder of the node"));
    let target = Target {
        source: arguments.next().expect("a source of the network file"),
        location: arguments.next().expect("its location"),
        server: bus::Server { url, ca: Some(data.join("keys/ca.pem")) },
        keys: data.join("keys"),
    };
    let client = target.connect("CORE", "_operator").await;
    let sender = target.connect(&format!("R_{}", target.region()), &target.location).await;
    // The baseline is a server of its own, without accounts and encryption: what it can do at its best.
    let plain = tests::Broker::start(PLAIN);
    let baseline = async_nats::connect(plain.url()).await.expect("the server of the baseline");
    // One part alone, for a profile; all of them otherwise.
    let only = arguments.next();
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    println!("| what | baseline | Doorstroom | ratio |\n|---|---|---|---|");
    if wanted("receipts") {
        receipts(&baseline, &sender, &target).await;
        batches(&baseline, &target).await;
        echoes(&baseline, plain.url(), &target).await;
    }
    if wanted("latency") {
        latency(&baseline, (&client, &sender), &target).await;
    }
    if wanted("replay") {
        replay(&data.join("log"));
    }
}

/// Who sends the events of the measurement.
#[derive(Clone)]
struct Target {
    source: String,
    location: String,
    server: bus::Server,
    keys: PathBuf,
}

impl Target {
    /// A client of the node's bus as this user, without any of our own code between.
    async fn connect(&self, account: &str, user: &str) -> async_nats::Client {
        let key = self.keys.join(account).join(format!("{user}.nk"));
        let seed = std::fs::read_to_string(&key).expect("the user's key");
        async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX.{user}"))
            .add_root_certificates(self.server.ca.clone().expect("an authority"))
            .require_tls(true)
            .connect(&self.server.url)
            .await
            .expect("the node's bus")
    }

    fn region(&self) -> &str {
        self.location.split('-').next().unwrap()
    }

    fn counter(&self) -> String {
        format!("record.{}.{}", self.region(), self.location)
    }

    /// Events to measure with.
    fn events(&self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.event("bed.freed", "1", "")).collect()
    }

    /// A JSON event of the size of the reference data.
    fn event(&self, kind: &str, bed: &str, rest: &str) -> Vec<u8> {
        let id = uuid::Uuid::now_v7();
        let now = rfc3339();
        let (source, location, region) = (&self.source, &self.location, self.region());
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"nl.doorstroom.{kind}.v1","time":"{now}","subject":"{location}/{bed}","datacontenttype":"application/json","region":"{region}","data":{{"occurred_at":"{now}","location":"{location}","bed":"{bed}"{rest}}}}}"#
        )
        .into_bytes()
    }
}

fn rfc3339() -> String {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    domain::Timestamp::from_micros(i64::try_from(micros).unwrap()).to_string()
}

async fn receipts(baseline: &async_nats::Client, client: &async_nats::Client, target: &Target) {
    let jetstream = async_nats::jetstream::new(baseline.clone());
    let stream = async_nats::jetstream::stream::Config {
        name: "BENCH".to_owned(),
        subjects: vec!["bench.>".to_owned()],
        storage: async_nats::jetstream::stream::StorageType::File,
        ..Default::default()
    };
    jetstream.delete_stream("BENCH").await.ok();
    jetstream.create_stream(stream).await.expect("a stream to compare with");
    for ((in_flight, events), (_, baseline_events)) in EVENTS.into_iter().zip(JETSTREAM) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            theirs.push(published_per_second(&jetstream, target, in_flight, baseline_events).await);
            ours.push(recorded_per_second(client, target, in_flight, events).await);
        }
        let (ours, theirs) = (median(&mut ours), median(&mut theirs));
        println!(
            "| receipts through the counter, {in_flight} in flight, one event each (JetStream publish, `sync_interval: always`) | \
             {theirs:.0}/s | {ours:.0}/s | {:.1} × |",
            ours / theirs
        );
    }
    jetstream.delete_stream("BENCH").await.ok();
}

/// What the bus alone can carry: the same payload to somebody who only answers. No counter can be faster.
async fn echoes(client: &async_nats::Client, url: &str, target: &Target) {
    let answering = async_nats::connect(url).await.expect("the server of the baseline");
    let mut asked = answering.subscribe("bench.echo").await.expect("a subscription");
    let echo = tokio::spawn(async move {
        while let Some(message) = asked.next().await {
            let reply = message.reply.expect("a reply subject");
            // As long as a receipt.
            answering.publish(reply, message.payload.slice(..300)).await.expect("an answer");
        }
    });
    client.flush().await.unwrap();
    for (in_flight, events) in EVENTS {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let payloads = target.events(events);
            let start = Instant::now();
            futures::stream::iter(payloads)
                .map(|payload| async move {
                    client.request("bench.echo", payload.into()).await.expect("an echo");
                })
                .buffer_unordered(in_flight)
                .count()
                .await;
            rates.push(rate(events, start.elapsed()));
        }
        println!(
            "| the bus alone: request and empty reply, {in_flight} in flight | {:.0}/s | – | – |",
            median(&mut rates)
        );
    }
    echo.abort();
}

/// As our own sender does it: one ordered batch in flight.
async fn batches(baseline: &async_nats::Client, target: &Target) {
    let jetstream = async_nats::jetstream::new(baseline.clone());
    let stream = async_nats::jetstream::stream::Config {
        name: "BENCH".to_owned(),
        subjects: vec!["bench.>".to_owned()],
        storage: async_nats::jetstream::stream::StorageType::File,
        ..Default::default()
    };
    jetstream.create_stream(stream).await.expect("a stream to compare with");
    let key = target.keys.join(format!("R_{}/{}.nk", target.region(), target.location));
    let login = Some(bus::Login::from_file(&key).expect("the sender's key"));
    let config = bus::Config { server: target.server.clone(), name: "bench".to_owned(), login };
    let bus = bus::Bus::connect(config).await.expect("the node's bus");
    let subject: bus::subjects::RecordSubject = target.counter().parse().expect("a subject");
    for ((size, events), (_, baseline_events)) in EVENTS.into_iter().zip(JETSTREAM) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            theirs.push(published_per_second(&jetstream, target, size, baseline_events).await);
            let requests = requests(target, size, events);
            let sent = requests.len() * size;
            let start = Instant::now();
            for request in &requests {
                let receipts =
                    bus.append(&subject, request, Duration::from_secs(10)).await.expect("receipts");
                assert!(receipts.iter().all(|receipt| receipt.outcome == contracts::Outcome::Recorded));
            }
            ours.push(rate(sent, start.elapsed()));
        }
        let (ours, theirs) = (median(&mut ours), median(&mut theirs));
        println!(
            "| receipts through the counter, {size} in flight as one ordered batch, as `send` does \
             (JetStream publish, `sync_interval: always`, {size} in flight) | {theirs:.0}/s | {ours:.0}/s | {:.1} × |",
            ours / theirs
        );
    }
    jetstream.delete_stream("BENCH").await.ok();
}

fn requests(target: &Target, size: usize, events: usize) -> Vec<contracts::wire::AppendRequest> {
    let raw = |bytes: Vec<u8>| contracts::wire::RawEvent {
        content_type: contracts::ContentType::StructuredJson.as_str().to_owned(),
        bytes: bytes.into(),
    };
    let request = |events: &[Vec<u8>]| contracts::wire::AppendRequest {
        events: events.iter().cloned().map(raw).collect(),
        condition: None,
    };
    target.events(events).chunks_exact(size).map(request).collect()
}

async fn published_per_second(
    jetstream: &async_nats::jetstream::Context,
    target: &Target,
    in_flight: usize,
    events: usize,
) -> f64 {
    let payloads: Vec<Vec<u8>> = target.events(events);
    let start = Instant::now();
    futures::stream::iter(payloads)
        .map(|payload| async move {
            jetstream
                .publish("bench.event", payload.into())
                .await
                .unwrap()
                .await
                .expect("an acknowledgement");
        })
        .buffer_unordered(in_flight)
        .count()
        .await;
    rate(events, start.elapsed())
}

async fn recorded_per_second(
    client: &async_nats::Client,
    target: &Target,
    in_flight: usize,
    events: usize,
) -> f64 {
    let payloads: Vec<Vec<u8>> = target.events(events);
    let counter = target.counter();
    let start = Instant::now();
    futures::stream::iter(payloads)
        .map(|payload| {
            let counter = counter.clone();
            async move {
                let reply = client.request(counter, payload.into()).await.expect("a receipt");
                assert!(contains(&reply.payload, b"\"recorded\""), "not recorded: {:?}", reply.payload);
            }
        })
        .buffer_unordered(in_flight)
        .count()
        .await;
    rate(events, start.elapsed())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

async fn latency(
    baseline: &async_nats::Client,
    (client, sender): (&async_nats::Client, &async_nats::Client),
    target: &Target,
) {
    for per_second in [100_u32, 1_000] {
        let (mut p50, mut p99, mut echo50, mut echo99) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let mut direct = direct_rows(baseline, per_second, round).await;
            let mut whole = rows((client, sender), target, per_second, round).await;
            echo50.push(quantile(&mut direct, 0.50));
            echo99.push(quantile(&mut direct, 0.99));
            p50.push(quantile(&mut whole, 0.50));
            p99.push(quantile(&mut whole, 0.99));
        }
        let (b50, b99) = (median(&mut echo50), median(&mut echo99));
        let (o50, o99) = (median(&mut p50), median(&mut p99));
        println!(
            "| publish → row in the KV at {per_second} events/s, p50 / p99 (a KV put seen by the same watcher) | \
             {b50:.2} / {b99:.2} ms | {o50:.2} / {o99:.2} ms | {:.1} × / {:.1} × |",
            o50 / b50,
            o99 / b99
        );
    }
}

/// The floor: a put into a memory KV of the same server, seen by a watcher. Milliseconds each.
async fn direct_rows(client: &async_nats::Client, per_second: u32, round: usize) -> Vec<f64> {
    let jetstream = async_nats::jetstream::new(client.clone());
    let bucket = format!("bench-{per_second}-{round}");
    let config = async_nats::jetstream::kv::Config {
        bucket: bucket.clone(),
        history: 1,
        storage: async_nats::jetstream::stream::StorageType::Memory,
        ..Default::default()
    };
    let store = jetstream.create_key_value(config).await.expect("a bucket to compare with");
    let mut watch = store.watch_all().await.expect("a watcher");
    let total = per_second * u32::try_from(WATCHED.as_secs()).unwrap();
    let started = Instant::now();
    let writer = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
        for number in 0..total {
            tick.tick().await;
            let sent = started.elapsed().as_secs_f64();
            let (store, key) = (store.clone(), format!("row.{}", number % 12));
            tokio::spawn(async move { store.put(key, sent.to_string().into()).await.expect("a put") });
        }
    });
    let mut millis = Vec::new();
    let quiet = Duration::from_millis(500);
    while let Ok(Some(Ok(entry))) = tokio::time::timeout(quiet, watch.next()).await {
        let sent: f64 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
        millis.push((started.elapsed().as_secs_f64() - sent) * 1_000.0);
    }
    writer.await.unwrap();
    jetstream.delete_key_value(&bucket).await.ok();
    millis
}

/// The whole way: an event to the counter, until a watcher of the KV holds a row at its position or later.
async fn rows(
    (client, sender): (&async_nats::Client, &async_nats::Client),
    target: &Target,
    per_second: u32,
    round: usize,
) -> Vec<f64> {
    let jetstream = async_nats::jetstream::new(client.clone());
    let store = jetstream.get_key_value("availability").await.expect("the rows of the node");
    let keys = format!("{}.loc.{}.>", target.region(), target.location);
    let mut watch = store.watch(keys).await.expect("a watcher of the rows");
    let total = per_second * u32::try_from(WATCHED.as_secs()).unwrap();
    // In flight at most: everything that is sent in one measurement.
    let (published, mut receipts) = mpsc::channel::<(u64, Instant)>(usize::try_from(total).unwrap());
    let sender = sender.clone();
    let target = target.clone();
    let writer = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
        for number in 0..total {
            tick.tick().await;
            let kind = if (number / 2 + u32::try_from(round).unwrap()).is_multiple_of(2) {
                "bed.closed"
            } else {
                "bed.opened"
            };
            let rest = if kind == "bed.closed" { r#","reason":"maintenance""# } else { "" };
            let payload = target.event(kind, &format!("{}", number % 2 + 1), rest);
            let (sender, counter, published) = (sender.clone(), target.counter(), published.clone());
            let sent = Instant::now();
            tokio::spawn(async move {
                let reply = sender.request(counter, payload.into()).await.expect("a receipt");
                let receipt: serde_json::Value = serde_json::from_slice(&reply.payload).unwrap();
                published.send((receipt["position"].as_u64().unwrap(), sent)).await.ok();
            });
        }
    });
    let mut waiting: HashMap<u64, Instant> = HashMap::new();
    let mut seen: Vec<(u64, Instant)> = Vec::new();
    let mut millis = Vec::new();
    let deadline = Instant::now() + WATCHED + ROW_WITHIN;
    while millis.len() < usize::try_from(total).unwrap() && Instant::now() < deadline {
        tokio::select! {
            Some((position, sent)) = receipts.recv() => { waiting.insert(position, sent); }
            Some(Ok(entry)) = watch.next() => {
                let row: serde_json::Value = serde_json::from_slice(&entry.value).unwrap_or_default();
                seen.push((row["position"].as_u64().unwrap_or(0), Instant::now()));
            }
            else => break,
        }
        settle(&mut waiting, &mut seen, &mut millis);
    }
    writer.await.unwrap();
    assert_eq!(millis.len(), usize::try_from(total).unwrap(), "rows did not follow their events");
    millis
}

/// An event is on the board when the first row at its position or later is seen: every event of the measurement touches
/// every row of its one location (its last word), and rows are written in the order of positions.
fn settle(waiting: &mut HashMap<u64, Instant>, seen: &mut Vec<(u64, Instant)>, millis: &mut Vec<f64>) {
    waiting.retain(|position, sent| {
        let Some((_, at)) = seen.iter().find(|(row, _)| row >= position) else { return true };
        millis.push(at.saturating_duration_since(*sent).as_secs_f64() * 1_000.0);
        false
    });
    // Receipts may come after rows; what is older than a second is settled.
    if seen.len() > 4_096 {
        seen.drain(..2_048);
    }
}

fn replay(log: &std::path::Path) {
    let reader = eventlog::LogReader::open(log).expect("the log of the node");
    let events: Vec<_> = reader.read(eventlog::Query::default()).map(|record| record.unwrap()).collect();
    let (mut ours, mut parse) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let fields: usize = events
            .iter()
            .filter_map(|record| serde_json::from_slice::<serde_json::Value>(&record.bytes).ok())
            .filter_map(|value| value.as_object().map(serde_json::Map::len))
            .sum();
        assert!(fields > 0);
        parse.push(rate(events.len(), start.elapsed()));
        let start = Instant::now();
        let view =
            projector::as_of::<views::Availability>(&reader, reader.head().position).expect("a replay");
        assert!(view.position() > 0);
        ours.push(rate(events.len(), start.elapsed()));
    }
    let (ours, parse) = (median(&mut ours), median(&mut parse));
    println!(
        "| projector, replay from disk: read, check, decode, fold; {} events (`serde_json` parse alone, in memory) | \
         {parse:.0}/s | {ours:.0}/s | {:.2} × |",
        events.len(),
        ours / parse
    );
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a rate for a person")]
fn rate(events: usize, elapsed: Duration) -> f64 {
    events as f64 / elapsed.as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into measurements"
)]
fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = ((values.len() as f64 - 1.0) * part).round() as usize;
    values.get(index).copied().unwrap_or(f64::NAN)
}
