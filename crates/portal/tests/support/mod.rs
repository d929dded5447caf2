//! A portal over a real log in a temporary folder, for tests and the preview.
//!
//! Not here: the node with its broker (the `tests` package).

#![allow(dead_code, reason = "shared by several test programs, each of which uses a part")]
#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test code, also in the preview"
)]

pub(crate) mod houses;
pub(crate) mod network;

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use ::network::{Network, TokenHash};
use eventlog::{Batch, EventLog, Options};
use portal::{App, Check, Checks};
use tests::session::PASSWORD;
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

/// What the heads of a log would be verified with: a key of the form that is handed out.
pub(crate) const LOG_KEY: &str = "doorstroom.nl/test+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

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
    data: tempfile::TempDir,
}

impl Node {
    /// A node with the shipped network and an empty log. Its clock stands at 2026-03-02 12:00 in the Netherlands.
    pub(crate) fn start() -> Self {
        Self::of(Network::default_dutch().unwrap())
    }

    /// The same, of this network.
    pub(crate) fn of(network: Network) -> Self {
        Self::over(tempfile::tempdir().unwrap(), network)
    }

    /// The same over the log that is in this folder.
    pub(crate) fn over(folder: tempfile::TempDir, network: Network) -> Self {
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
        let inner = recorder.build(BTreeMap::new(), log.clone()).inner();
        let config =
            |name: &str| projector::Config { snapshots: folder.path().join(name), snapshot_every: 1_000_000 };
        let (flow, flowing) = projector::start(log.reader(), config("flow")).unwrap();
        let (unmet, counting) = projector::start(log.reader(), config("unmet")).unwrap();
        let config = desk::Config::new(folder.path().join("desk"), "urn:doorstroom:keeper".parse().unwrap());
        let (desk, state) = config.start(inner).unwrap();
        let app = App {
            availability,
            network,
            registry: watched,
            operator: Some(TokenHash::of(OPERATOR)),
            trusted_proxies: Vec::new(),
            door: Arc::new(door(folder.path())),
            desk,
            flow,
            unmet,
            notifier: notifier::Notifier::nothing(),
            vault: desk::Vault::open(&folder.path().join("vault")).unwrap(),
            reader: log.reader(),
            log_key: Some(LOG_KEY.to_owned()),
            raised: watch::Sender::default().subscribe(),
            checks: ready.clone(),
            metrics: Arc::new(|| String::from("# EOF\n")),
            now: Arc::new(move || domain::Timestamp::from_micros(time.load(Ordering::SeqCst))),
        };
        Self { app, log, ready, clock, registry, views: vec![view, state, flowing, counting], data: folder }
    }

    /// Records events and waits until the view has them; gives the position of the last.
    pub(crate) async fn record(&self, lines: &[String]) -> u64 {
        let mut position = 0;
        for chunk in lines.chunks(512) {
            let records = chunk.iter().map(|line| tests::record_of(line)).collect();
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

    /// The folder with all that the node keeps.
    pub(crate) fn folder(&self) -> &Path {
        self.data.path()
    }

    pub(crate) async fn stop(self) {
        for view in self.views {
            view.shutdown().await;
        }
        self.log.close().await;
    }
}

/// Accounts of every kind, for region zk01 and its location zk01-de-linde, where the network has them as sources.
fn door(folder: &Path) -> portal::signin::Door {
    use portal::signin::{Accounts, As, Door, Mandate, MandateKind};
    let file = folder.join("accounts.toml");
    let mut accounts = Accounts::default();
    let mandate = Mandate {
        kind: MandateKind::Supervisor,
        regions: ["zk01".parse().unwrap()].into(),
        locations: std::collections::BTreeSet::new(),
    };
    let insurer = Mandate { kind: MandateKind::Insurer, ..mandate.clone() };
    let all = [
        ("loket", As::Source("urn:test:desk".parse().unwrap())),
        ("linde", As::Source("urn:test:location".parse().unwrap())),
        ("tablet", As::WardDevice("urn:test:location".parse().unwrap())),
        ("huisarts", As::Source("urn:test:referrer".parse().unwrap())),
        ("centrum", As::Source("urn:test:centre".parse().unwrap())),
        ("toezicht", As::Auditor(mandate)),
        ("verzekeraar", As::Auditor(insurer)),
    ];
    for (name, works_as) in all {
        accounts.add(name.parse().unwrap(), works_as, PASSWORD, None).unwrap();
    }
    accounts.write(&file).unwrap();
    Door::open(&file, folder, domain::Timestamp::from_micros(1_772_449_200_000_000)).unwrap()
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
