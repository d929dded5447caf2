//! Measures the bus that many desks share on this machine, and prints one markdown table, baselines beside.
//!
//! Run by `tests/bench/bus`, which builds. Nothing here is asserted, except that every event is recorded.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a measuring program for a person: it prints its table, and ends where something is wrong"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bus::subjects::RecordSubject;
use bus::{Bus, Login, Server};
use contracts::signature::{SigningSeed, sign};
use contracts::{Outcome, Received, wire};
use futures::StreamExt as _;
use network::{Account, Kind, Network, Source};
use tests::{Node, Site};
use tokio::task::JoinSet;

/// Rounds of a measurement; the table shows their median.
const ROUNDS: usize = 5;
/// Requests in flight, one event each.
const IN_FLIGHT: usize = 64;
/// Events of one round of receipts.
const EVENTS: usize = 12_000;
/// Events through the mailboxes, all regions together, unless `DOORSTROOM_BENCH_EVENTS` says otherwise.
const MAILBOX_EVENTS: usize = 1_000_000;
/// Unacknowledged messages of one sender on its way into a mailbox.
const POSTED_MAX: usize = 64;
/// How long the calm and the flooded senders are watched.
const WATCHED: Duration = Duration::from_secs(30);
/// Before who is shut out tries to get in again.
const KNOCKS_EVERY: Duration = Duration::from_millis(100);
/// How long it waits for a connection that takes nothing.
const GIVES_UP_AFTER: Duration = Duration::from_secs(1);
/// Events into the mailbox of one region that is kept once, and one that is kept three times.
const REPLICATED_EVENTS: usize = 30_000;
/// Each of the others asks for a receipt this often.
const EVERY: Duration = Duration::from_millis(50);
/// What nothing here takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    // One part alone, or all of them.
    let only = std::env::args().nth(1);
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    println!("| what | baseline | Doorstroom | ratio |\n|---|---|---|---|");
    if wanted("signed") {
        signed().await;
    }
    if wanted("resume") {
        resume().await;
    }
    if wanted("flood") {
        flood().await;
    }
    if wanted("replicas") {
        replicas().await;
    }
    if wanted("mailboxes") {
        mailboxes().await;
    }
}

/// A node with the network of the reference data, in which every sender of a region whose code is odd must sign.
struct World {
    site: Site,
    node: Node,
    network: Network,
}

impl World {
    fn start() -> Self {
        let plain = tests::reference("national-two-days").network;
        let toml = plain.to_toml();
        let signing: Vec<String> = plain
            .sources()
            .filter(|source| must_sign(source))
            .map(|source| format!("name = \"{}\"\n", source.name))
            .collect();
        let mut text = toml;
        for name in signing {
            text = text.replacen(&name, &format!("{name}signature = \"required\"\n"), 1);
        }
        let network = Network::from_toml("bench.toml", &text).expect("the network");
        let site = Site::new(&network);
        let node = site.up();
        let network = Network::read(&site.network_file()).expect("the node's network file");
        Self { site, node, network }
    }

    /// A location of each region.
    fn locations(&self) -> Vec<Sending> {
        let one = |region: &network::Region| {
            let source = self
                .network
                .sources()
                .find(|source| source.kind == Kind::Location && source.region == region.code)
                .expect("every region has a location");
            Sending::new(&self.site.data(), self.node.bus(), source)
        };
        self.network.regions().map(one).collect()
    }

    fn head(&self) -> u64 {
        head(&self.site.data())
    }
}

fn head(data: &Path) -> u64 {
    eventlog::LogReader::open(&data.join("log")).expect("the log").head().position
}

fn must_sign(source: &Source) -> bool {
    source.kind == Kind::Location && source.region.as_str() == "zk01"
}

/// A sender with its own key.
#[derive(Clone)]
struct Sending {
    source: String,
    location: String,
    region: String,
    server: Server,
    key: PathBuf,
    seed: Arc<SigningSeed>,
    sign: bool,
}

impl Sending {
    fn new(data: &Path, bus: &str, source: &Source) -> Self {
        let user = network::key_file(&Account::Region(source.region.clone()), source.name.as_str());
        let key = data.join("keys").join(user);
        let seed = std::fs::read_to_string(&key).expect("the sender's key").parse().expect("a seed");
        Self {
            source: source.id.to_string(),
            location: source.name.to_string(),
            region: source.region.to_string(),
            server: Server { url: bus.to_owned(), ca: Some(data.join("keys/ca.pem")) },
            key,
            seed: Arc::new(seed),
            sign: must_sign(source),
        }
    }

    async fn connect(&self) -> Bus {
        let login = Login::from_file(&self.key).expect("the sender's key");
        let config =
            bus::Config { server: self.server.clone(), name: "bench".to_owned(), login: Some(login) };
        Bus::connect(config).await.expect("a connection")
    }

    fn counter(&self) -> RecordSubject {
        format!("record.{}.{}", self.region, self.location).parse().expect("a subject")
    }

    /// A JSON event of the size of the reference data, signed if it must be.
    fn event(&self) -> Received {
        let id = uuid::Uuid::now_v7();
        let now = rfc3339();
        let Self { source, location, region, .. } = self;
        let json = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"nl.doorstroom.bed.freed.v1","time":"{now}","subject":"{location}/1","datacontenttype":"application/json","region":"{region}","data":{{"occurred_at":"{now}","location":"{location}","bed":"1"}}}}"#
        );
        let event = Received::structured(json.into());
        if self.sign { sign(&event, &self.seed).expect("a signature") } else { event }
    }

    fn request(&self) -> wire::AppendRequest {
        let event = self.event();
        let raw =
            wire::RawEvent { content_type: event.content_type().to_owned(), bytes: event.bytes().clone() };
        wire::AppendRequest { events: vec![raw], condition: None }
    }
}

fn rfc3339() -> String {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    domain::Timestamp::from_micros(i64::try_from(micros).unwrap()).to_string()
}

/// Receipts for one event each, signed and not, prepared before the clock runs.
async fn signed() {
    let world = World::start();
    let locations = world.locations();
    let of = |sign: bool| locations.iter().find(|sending| sending.sign == sign).expect("a sender").clone();
    let (signing, plain) = (of(true), of(false));
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(receipts_per_second(&plain).await);
        with.push(receipts_per_second(&signing).await);
    }
    let (with, without) = (quantile(&mut with, 0.5), quantile(&mut without, 0.5));
    println!(
        "| receipts for signed events, {IN_FLIGHT} in flight, one event each (unsigned) | {without:.0}/s | {with:.0}/s | {:.2} × |",
        with / without
    );
}

async fn receipts_per_second(sending: &Sending) -> f64 {
    let bus = sending.connect().await;
    let counter = sending.counter();
    let requests: Vec<_> = (0..EVENTS).map(|_| sending.request()).collect();
    let start = Instant::now();
    futures::stream::iter(requests)
        .for_each_concurrent(IN_FLIGHT, |request| {
            let (bus, counter) = (&bus, &counter);
            async move {
                let receipts = bus.append(counter, &request, PATIENCE).await.expect("a receipt");
                assert!(receipts.iter().all(|receipt| receipt.outcome == Outcome::Recorded), "{receipts:?}");
            }
        })
        .await;
    rate(EVENTS, start.elapsed())
}

/// From the death of the broker to the next receipt of a sender that asks again and again.
async fn resume() {
    let world = World::start();
    let sending = world.locations().into_iter().find(|sending| !sending.sign).expect("a sender");
    let bus = sending.connect().await;
    let counter = sending.counter();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        bus.append(&counter, &sending.request(), PATIENCE).await.expect("a receipt");
        world.node.kill9_broker();
        let died = Instant::now();
        let request = sending.request();
        while bus.append(&counter, &request, Duration::from_millis(100)).await.is_err() {}
        times.push(died.elapsed().as_secs_f64());
    }
    let worst = quantile(&mut times, 1.0);
    println!(
        "| broker killed (-9): next receipt after, median / worst of {ROUNDS} | – | {:.2} s / {worst:.2} s | – |",
        quantile(&mut times, 0.5)
    );
}

/// One sender publishes what nobody can read as fast as it can, at the counter; all other regions ask for receipts at
/// their pace. Receipt latency of the others, calm and flooded.
async fn flood() {
    let world = World::start();
    let mut locations = world.locations();
    let flooding = locations.remove(0);
    let (mut calm, mut flooded, mut junk) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS.min(3) {
        calm.append(&mut watched(&locations).await);
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let flood = tokio::spawn(flood_from(flooding.clone(), Arc::clone(&stop), Arc::clone(&sent)));
        flooded.append(&mut watched(&locations).await);
        stop.store(true, Ordering::SeqCst);
        flood.await.expect("the flood");
        junk += sent.load(Ordering::SeqCst);
    }
    let per_second = rate(usize::try_from(junk).unwrap(), WATCHED * 3);
    for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
        let (calm, flooded) = (quantile(&mut calm, part), quantile(&mut flooded, part));
        println!(
            "| receipt latency of {} other regions while one sender floods its counter with all it can ({per_second:.0} bad \
             messages/s got through until it was shut out, over the whole time), {name} (calm) | {calm:.2} ms | {flooded:.2} ms | {:.2} × |",
            locations.len(),
            flooded / calm
        );
    }
}

/// Milliseconds to each receipt, of one request every [`EVERY`] per sender, for as long as they are watched.
async fn watched(locations: &[Sending]) -> Vec<f64> {
    let mut senders = JoinSet::new();
    for (index, sending) in locations.iter().cloned().enumerate() {
        senders.spawn(async move {
            let bus = sending.connect().await;
            let counter = sending.counter();
            // Not all at the same moment.
            tokio::time::sleep(EVERY * u32::try_from(index).unwrap() / 32).await;
            let mut tick = tokio::time::interval(EVERY);
            let (mut millis, begin) = (Vec::new(), Instant::now());
            while begin.elapsed() < WATCHED {
                tick.tick().await;
                let request = sending.request();
                let asked = Instant::now();
                bus.append(&counter, &request, PATIENCE).await.expect("a receipt");
                millis.push(asked.elapsed().as_secs_f64() * 1_000.0);
            }
            millis
        });
    }
    senders.join_all().await.concat()
}

async fn flood_from(sending: Sending, stop: Arc<AtomicBool>, sent: Arc<AtomicU64>) {
    let options = async_nats::ConnectOptions::with_nkey(
        std::fs::read_to_string(&sending.key).unwrap().trim().to_owned(),
    )
    .custom_inbox_prefix(format!("_INBOX.{}", sending.location))
    .add_root_certificates(sending.server.ca.clone().expect("an authority"))
    .require_tls(true);
    let counter = sending.counter().to_string();
    let junk = bytes::Bytes::from(vec![b'{'; 1_024]);
    while !stop.load(Ordering::SeqCst) {
        // A broker that cuts the flooding connection is no end of the flood: it knocks again, and floods when let in.
        let Ok(client) = options.clone().connect(&sending.server.url).await else {
            tokio::time::sleep(KNOCKS_EVERY).await;
            continue;
        };
        while !stop.load(Ordering::SeqCst)
            && client.connection_state() == async_nats::connection::State::Connected
            && let Ok(Ok(())) =
                tokio::time::timeout(GIVES_UP_AFTER, client.publish(counter.clone(), junk.clone())).await
        {
            sent.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A million events through 31 mailboxes, until the last is in the log.
async fn mailboxes() {
    let events = std::env::var("DOORSTROOM_BENCH_EVENTS").ok().and_then(|text| text.parse().ok());
    let world = World::start();
    let locations = world.locations();
    let through = through(&locations, events.unwrap_or(MAILBOX_EVENTS), || world.head()).await;
    println!(
        "| {} events through {} mailboxes, recorded (accepted by JetStream, `sync_interval: always`) | {:.0}/s | {:.0}/s | {:.2} × |",
        through.events,
        locations.len(),
        through.accepted,
        through.recorded,
        through.recorded / through.accepted,
    );
}

/// How fast a number of events went through mailboxes, each second.
struct Through {
    events: usize,
    accepted: f64,
    recorded: f64,
}

async fn through(locations: &[Sending], events: usize, head: impl Fn() -> u64) -> Through {
    let each = events / locations.len();
    let events = each * locations.len();
    let wanted = head() + u64::try_from(events).unwrap();
    let start = Instant::now();
    let mut senders = JoinSet::new();
    for sending in locations {
        let sending = sending.clone();
        senders.spawn(async move { post(&sending, each).await });
    }
    while senders.join_next().await.is_some() {}
    let accepted = rate(events, start.elapsed());
    while head() < wanted {
        assert!(start.elapsed() < Duration::from_mins(30), "only {} of {wanted} recorded", head());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Through { events, accepted, recorded: rate(events, start.elapsed()) }
}

/// The mailbox of one region on one server, and on three that keep it three times: all of them on this machine.
async fn replicas() {
    let network = tests::reference("region-day").network;
    let location = |network: &Network| {
        network.sources().find(|source| source.kind == Kind::Location).expect("a location").clone()
    };
    let site = Site::new(&network);
    let node = site.up();
    let sending = [Sending::new(&site.data(), node.bus(), &location(&network))];
    let one = through(&sending, REPLICATED_EVENTS, || head(&site.data())).await;
    drop(node);

    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(data.join("network.toml"), network.to_toml()).expect("the network file");
    let port = tests::free_ports(6).to_string();
    let arguments = [&data, Path::new("--http"), Path::new("127.0.0.1:0")];
    let log = folder.path().join("log");
    let cluster = tests::Script::start("cluster", &arguments, &[("PORT", Path::new(&port))], &log);
    let sending = [Sending::new(&data, cluster.told("bus"), &location(&network))];
    let three = through(&sending, REPLICATED_EVENTS, || head(&data)).await;
    for (what, one, three) in
        [("accepted", one.accepted, three.accepted), ("recorded", one.recorded, three.recorded)]
    {
        println!(
            "| {} events through one mailbox that three servers keep, {what} (one server) | {one:.0}/s | {three:.0}/s | {:.2} × |",
            REPLICATED_EVENTS,
            three / one
        );
    }
}

async fn post(sending: &Sending, events: usize) {
    let options = async_nats::ConnectOptions::with_nkey(
        std::fs::read_to_string(&sending.key).unwrap().trim().to_owned(),
    )
    .custom_inbox_prefix(format!("_INBOX.{}", sending.location))
    .add_root_certificates(sending.server.ca.clone().expect("an authority"))
    .require_tls(true);
    let client =
        options.connect(sending.server.url.split(',').collect::<Vec<_>>()).await.expect("a connection");
    let subject = format!("in.{}.{}.bed.freed", sending.region, sending.location);
    futures::stream::iter(0..events)
        .for_each_concurrent(POSTED_MAX, |_| {
            let (client, subject) = (&client, subject.clone());
            async move {
                let event = sending.event();
                loop {
                    match client.request(subject.clone(), event.bytes().clone()).await {
                        Ok(answer) if !contains(&answer.payload, b"\"error\"") => break,
                        // A full mailbox refuses: that is its back-pressure.
                        Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                    }
                }
            }
        })
        .await;
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a rate for a person")]
fn rate(events: usize, elapsed: Duration) -> f64 {
    events as f64 / elapsed.as_secs_f64()
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
