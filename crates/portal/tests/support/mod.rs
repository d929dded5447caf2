//! A portal over a real log in a temporary folder, for tests and the preview.
//!
//! Not here: the node with its broker (the `tests` package).

#![allow(dead_code, reason = "shared by several test programs, each of which uses a part")]

pub(crate) mod http;

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use bytes::Bytes;
use contracts::Received;
use eventlog::{Batch, EventLog, Key, NewRecord, Options};
use network::{Network, TokenHash};
use portal::{App, Check, Checks};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

/// The events of a day in one region, a JSON object per line.
pub(crate) fn region_day() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/region-day.jsonl");
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// The events of two days in the whole country.
pub(crate) fn national() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/national-two-days.jsonl.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The token of the person on the node's machine.
pub(crate) const OPERATOR: &str = "dst_0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e";

/// Whether the node is ready, to be switched by a test.
pub(crate) struct Switch(pub(crate) AtomicBool);

impl Checks for Switch {
    fn readiness(&self) -> Vec<Check> {
        let ok = self.0.load(Ordering::SeqCst);
        let detail = if ok { "the last commit took 2 ms" } else { "no commit for 40 s: look at the disk" };
        vec![Check { name: "recorder".into(), ok, detail: detail.into() }]
    }
}

pub(crate) struct Node {
    pub(crate) app: App,
    pub(crate) log: EventLog,
    pub(crate) ready: Arc<Switch>,
    /// Microseconds since 1970.
    pub(crate) clock: Arc<AtomicI64>,
    /// Who takes part, to be changed by a test.
    pub(crate) registry: watch::Sender<Arc<Network>>,
    views: Vec<projector::Task>,
    _folder: tempfile::TempDir,
}

impl Node {
    /// A node with the shipped network and an empty log. Its clock stands at 2026-03-02 12:00 in the Netherlands.
    pub(crate) fn start() -> Self {
        Self::of(Network::default_dutch().unwrap())
    }

    /// The same, of this network.
    pub(crate) fn of(network: Network) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (log, _) = EventLog::open(&folder.path().join("log"), Options::default()).unwrap();
        let config = projector::Config { snapshots: folder.path().join("views"), snapshot_every: 1_000_000 };
        let (availability, view) = projector::start(log.reader(), config).unwrap();
        let ready = Arc::new(Switch(AtomicBool::new(true)));
        let clock = Arc::new(AtomicI64::new(1_772_449_200_000_000));
        let time = Arc::clone(&clock);
        let network = Arc::new(network);
        let (registry, watched) = watch::channel(Arc::clone(&network));
        let recorder = recorder::Config {
            network: watched.clone(),
            clock: Arc::new(eventlog::SystemClock),
            alarms: bus::alarm::Alarms::new(),
            mailbox: bus::Limits::default().mailbox,
            needs: None,
        };
        let door = recorder.build(BTreeMap::new(), log.clone()).inner();
        let config =
            |name: &str| projector::Config { snapshots: folder.path().join(name), snapshot_every: 1_000_000 };
        let (flow, flowing) = projector::start(log.reader(), config("flow")).unwrap();
        let (unmet, counting) = projector::start(log.reader(), config("unmet")).unwrap();
        let config = desk::Config::new(folder.path().join("desk"), "urn:doorstroom:keeper".parse().unwrap());
        let (desk, state) = config.start(door).unwrap();
        let app = App {
            availability,
            network,
            registry: watched,
            operator: Some(TokenHash::of(OPERATOR)),
            desk,
            flow,
            unmet,
            vault: desk::Vault::open(&folder.path().join("vault")).unwrap(),
            reader: log.reader(),
            checks: ready.clone(),
            metrics: Arc::new(|| String::from("# EOF\n")),
            now: Arc::new(move || domain::Timestamp::from_micros(time.load(Ordering::SeqCst))),
        };
        Self {
            app,
            log,
            ready,
            clock,
            registry,
            views: vec![view, state, flowing, counting],
            _folder: folder,
        }
    }

    /// Records events and waits until the view has them; gives the position of the last.
    pub(crate) async fn record(&self, lines: &[String]) -> u64 {
        let mut position = 0;
        for chunk in lines.chunks(512) {
            let records = chunk.iter().map(|line| stored(line)).collect();
            let appended = self.log.append(Batch { records, ..Batch::default() }).await.unwrap();
            position = *appended.positions.last().unwrap();
        }
        assert!(self.app.availability.wait_for(position).await);
        position
    }

    /// Serves it on a free port until `Serving` is stopped.
    pub(crate) async fn serve(&self) -> Serving {
        self.serve_on("127.0.0.1:0").await
    }

    pub(crate) async fn serve_on(&self, address: &str) -> Serving {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let app = self.app.clone();
        let task = tokio::spawn(async move {
            let end = async {
                let _ = stopped.await;
            };
            portal::serve(listener, app, end).await.unwrap();
        });
        Serving { address, stop, task }
    }

    pub(crate) async fn stop(self) {
        for view in self.views {
            view.shutdown().await;
        }
        self.log.close().await;
    }
}

pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Serving {
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}

/// A line as the recorder would append it.
fn stored(line: &str) -> NewRecord {
    let received = Received::structured(Bytes::copy_from_slice(line.as_bytes()));
    let event = received.decode().unwrap().event;
    NewRecord {
        key: Key(contracts::event_key(&event)),
        kind: contracts::event_type(&event.fact).into(),
        tags: contracts::tags(&event),
        occurred_at: event.occurred_at.as_micros(),
        source: event.source.as_str().into(),
        content_type: received.content_type().into(),
        bytes: received.bytes().clone(),
    }
}

/// One event as JSON; `number` makes its id.
pub(crate) fn event(number: u32, kind: &str, subject: &str, data: &str) -> String {
    event_of("zk01", number, kind, subject, data)
}

pub(crate) fn event_of(region: &str, number: u32, kind: &str, subject: &str, data: &str) -> String {
    let more = if data.is_empty() { String::new() } else { format!(",{data}") };
    format!(
        r#"{{"specversion":"1.0","id":"019cabd9-7c38-7650-a69e-{number:012x}","source":"urn:nld:kvknr:09220932:systeem:ecd","type":"nl.doorstroom.{kind}.v1","time":"2026-03-02T10:30:00.000Z","subject":"{subject}","datacontenttype":"application/json","region":"{region}","data":{{"occurred_at":"2026-03-02T10:30:00.000Z"{more}}}}}"#
    )
}

/// A location with a name, and `beds` free beds of `ELV_LC`.
pub(crate) fn location_with_beds(name: &str, beds: u32) -> Vec<String> {
    let name = serde_json::Value::from(name);
    let profile = format!(
        r#""location":"zk01-de-linde","provider":"p","name":{name},"mode":"beds","care_types":["ELV_LC"],"phone":"020-000 00 01","phone_night":"020-000 00 02""#
    );
    let mut events = vec![event(1, "location.registered", "zk01-de-linde", &profile)];
    for bed in 1..=beds {
        events.push(event(
            100 + bed,
            "bed.added",
            &format!("zk01-de-linde/{bed}"),
            &format!(r#""location":"zk01-de-linde","bed":"{bed}","care_types":["ELV_LC"]"#),
        ));
    }
    events
}

/// A bed of that location is closed.
pub(crate) fn bed_closed(number: u32, bed: u32) -> String {
    event(
        1_000 + number,
        "bed.closed",
        &format!("zk01-de-linde/{bed}"),
        &format!(r#""location":"zk01-de-linde","bed":"{bed}","reason":"maintenance""#),
    )
}
