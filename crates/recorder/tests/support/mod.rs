//! A real nats-server, a real log and a recorder between them, for one test; and clients that send anything at all.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bus::alarm::Alarms;
use bus::{Bus, Config as BusConfig};
use bytes::Bytes;
use contracts::{Outcome, Receipt, wire};
use eventlog::{Clock, EventLog, Options, Query, Record, SystemClock};
use futures::StreamExt as _;
use network::Network;
use recorder::{Config, Handle, RunError};
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Nothing in these tests takes this long unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const SOURCES: &str = r#"{
  "urn:nld:kvknr:1:systeem:loket": {"kind": "desk", "name": "loket-zk01", "region": "zk01"},
  "urn:nld:kvknr:2:systeem:ecd": {"kind": "location", "name": "de-linde", "region": "zk01"},
  "urn:nld:kvknr:3:systeem:ecd": {"kind": "location", "name": "het-anker", "region": "zk02"}
}"#;
pub const DESK: &str = "urn:nld:kvknr:1:systeem:loket";
pub const LINDE: &str = "urn:nld:kvknr:2:systeem:ecd";
pub const ANKER: &str = "urn:nld:kvknr:3:systeem:ecd";

/// A nats-server of this test's own; gone with it.
pub struct Broker {
    child: Child,
    dir: TempDir,
    pub port: u16,
    monitoring: u16,
}

impl Broker {
    pub fn start() -> Self {
        Self::start_with("sync_interval: always")
    }

    /// With this setting of its JetStream.
    pub fn start_with(setting: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let config = format!(
            "listen: 127.0.0.1:-1\nhttp: 127.0.0.1:-1\nports_file_dir: \"{0}\"\n\
             jetstream {{ store_dir: \"{0}\", max_file_store: 8GB, {setting} }}\n",
            dir.path().display()
        );
        std::fs::write(dir.path().join("broker.conf"), config).unwrap();
        let (child, port, monitoring) = spawn(dir.path(), None);
        Self { child, dir, port, monitoring }
    }

    /// As `kill -9`, and started again on the same port and disk.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }

    /// As a power cut.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As an operator would.
    pub fn stop(&mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap();
    }

    /// The folder in which it keeps its streams.
    pub fn store(&self) -> PathBuf {
        self.dir.path().join("jetstream")
    }

    /// On the same port and what is left of the same disk.
    pub fn start_again(&mut self) {
        (self.child, self.port, self.monitoring) = spawn(self.dir.path(), Some(self.port));
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn monitoring(&self) -> std::net::SocketAddr {
        std::net::SocketAddr::from(([127, 0, 0, 1], self.monitoring))
    }

    pub async fn client(&self) -> async_nats::Client {
        async_nats::connect(self.url()).await.unwrap()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::zombie_processes, reason = "the broker waits for it when it is dropped")]
fn spawn(dir: &Path, port: Option<u16>) -> (Child, u16, u16) {
    let server = std::env::var_os("DOORSTROOM_NATS_SERVER")
        .map_or_else(|| PathBuf::from("nats-server"), PathBuf::from);
    let mut command = Command::new(&server);
    command.arg("-c").arg(dir.join("broker.conf")).arg("-l").arg(dir.join("broker.log"));
    if let Some(port) = port {
        command.args(["-p", &port.to_string()]);
    }
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap_or_else(|error| {
        panic!("{} does not start ({error}); set DOORSTROOM_NATS_SERVER", server.display())
    });
    let ports = dir.join(format!("nats-server_{}.ports", child.id()));
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let found = std::fs::read_to_string(&ports).ok().and_then(|text| {
            let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
            let port = |what: &str| ports[what][0].as_str()?.rsplit(':').next()?.parse().ok();
            Some((port("nats")?, port("monitoring")?))
        });
        if let Some((port, monitoring)) = found {
            return (child, port, monitoring);
        }
        assert!(std::time::Instant::now() < deadline, "nats-server does not say where it listens");
        std::thread::yield_now();
    }
}

/// A recorder between a broker and a log.
pub struct Node {
    pub log: EventLog,
    pub handle: Handle,
    /// Who takes part, to be changed while it runs.
    pub registry: watch::Sender<Arc<Network>>,
    pub alarms: Alarms,
    pub quarantine: recorder::Quarantine,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Node {
    pub async fn start(broker: &Broker, dir: &Path) -> Self {
        let limits = bus::MailboxLimits { bytes: 16 * 1024 * 1024, ..bus::MailboxLimits::default() };
        Self::start_with(broker, dir, limits, None).await
    }

    /// With such mailboxes, which are made here if they are missing; later by whoever hears of the needs.
    pub async fn start_with(
        broker: &Broker,
        dir: &Path,
        limits: bus::MailboxLimits,
        needs: Option<bus::provisioner::Needs>,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (log, _) = EventLog::open(dir, Options::new(Arc::clone(&clock))).unwrap();
        let network = Arc::new(network());
        let bus = Bus::connect(BusConfig::new(broker.url(), "provisioner")).await.unwrap();
        for region in network.regions() {
            bus.provision_mailbox(&region.code, limits).await.unwrap();
        }
        let doors = network.regions().map(|region| {
            (region.code.clone(), BusConfig::new(broker.url(), format!("recorder {}", region.code)))
        });
        let doors = doors.collect();
        let (registry, watched) = watch::channel(network);
        let alarms = Alarms::new();
        let config = Config { network: watched, clock, alarms: alarms.clone(), mailbox: limits, needs };
        let recorder = config.build(doors, log.clone());
        let (handle, quarantine) = (recorder.handle(), recorder.quarantine());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(recorder.run(async move {
            let _ = stopped.await;
        }));
        tokio::time::timeout(PATIENCE, handle.until_open()).await.unwrap();
        assert!(handle.doors().all_open(), "{:?}", handle.doors());
        Self { log, handle, registry, alarms, quarantine, stop, task }
    }

    /// Stops in order, and gives how it went and what is in the log.
    pub async fn stop(self) -> (Result<(), RunError>, Vec<Record>) {
        let _ = self.stop.send(());
        let ending = tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
        let records = records(&self.log);
        self.log.close().await;
        (ending, records)
    }

    /// Until the recorder ends by itself.
    pub async fn ended(self) -> Result<(), RunError> {
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap()
    }
}

pub fn network() -> Network {
    Network::from_sources("test sources", SOURCES).unwrap()
}

pub fn records(log: &EventLog) -> Vec<Record> {
    log.reader().read(Query::default()).map(Result::unwrap).collect()
}

/// The records without those that say by which stream a mailbox counts.
pub fn said(records: Vec<Record>) -> Vec<Record> {
    records.into_iter().filter(|record| &*record.kind != contracts::BUS_EPOCH_KIND).collect()
}

/// The quarantine records in a log, decoded.
pub fn quarantined(records: &[Record]) -> Vec<wire::Quarantined> {
    let of_kind = records.iter().filter(|record| &*record.kind == contracts::QUARANTINED_KIND);
    of_kind.map(|record| bus::decode(record.bytes.clone()).unwrap()).collect()
}

pub fn conflicts(records: &[Record]) -> Vec<wire::Conflict> {
    let of_kind = records.iter().filter(|record| &*record.kind == contracts::CONFLICT_KIND);
    of_kind.map(|record| bus::decode(record.bytes.clone()).unwrap()).collect()
}

/// An id that no other call with another number gives.
pub fn id(number: u64) -> String {
    format!("019391f2-6f00-7a11-8c11-{number:012x}")
}

/// A `bed.freed` from De Linde.
pub fn freed(number: u64, bed: &str) -> serde_json::Value {
    serde_json::json!({
        "specversion": "1.0", "id": id(number), "source": LINDE, "type": "nl.doorstroom.bed.freed.v1",
        "time": "2026-03-02T09:14:03.120Z", "datacontenttype": "application/json", "region": "zk01",
        "data": {"occurred_at": "2026-03-02T09:10:00Z", "location": "zk01-de-linde", "bed": bed},
    })
}

pub fn bytes(event: &serde_json::Value) -> Bytes {
    serde_json::to_vec(event).unwrap().into()
}

/// Asks at the counter with one message and no header; gives the JSON receipt.
pub async fn ask(client: &async_nats::Client, subject: &str, body: Bytes) -> Receipt {
    let answer =
        tokio::time::timeout(PATIENCE, client.request(subject.to_owned(), body)).await.unwrap().unwrap();
    Receipt::from_json(&answer.payload).unwrap()
}

/// Asks at the counter with an `AppendRequest`.
pub async fn append(
    client: &async_nats::Client,
    subject: &str,
    request: &wire::AppendRequest,
) -> Vec<Receipt> {
    append_raw(client, subject, bus::encode(request)).await
}

pub async fn append_raw(client: &async_nats::Client, subject: &str, body: Bytes) -> Vec<Receipt> {
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", bus::PROTOBUF);
    let asked = client.request_with_headers(subject.to_owned(), headers, body);
    let answer = tokio::time::timeout(PATIENCE, asked).await.unwrap().unwrap();
    let receipts: wire::Receipts = bus::decode(answer.payload).unwrap();
    receipts.receipts.into_iter().map(|receipt| Receipt::from_proto(receipt).unwrap()).collect()
}

pub fn request(events: &[Bytes]) -> wire::AppendRequest {
    let raw = |bytes: &Bytes| wire::RawEvent {
        content_type: "application/cloudevents+json".to_owned(),
        bytes: bytes.clone(),
    };
    wire::AppendRequest { events: events.iter().map(raw).collect(), condition: None }
}

/// Puts one message in a mailbox and waits for its receipt.
pub async fn post(client: &async_nats::Client, subject: &str, headers: HeaderMap, body: Bytes) -> Receipt {
    let mut tokens = subject.split('.');
    let (region, sender) = (tokens.nth(1).unwrap(), tokens.next().unwrap());
    let mut receipts = client.subscribe(format!("receipt.{region}.{sender}")).await.unwrap();
    let jetstream = async_nats::jetstream::new(client.clone());
    jetstream.publish_with_headers(subject.to_owned(), headers, body).await.unwrap().await.unwrap();
    let receipt = tokio::time::timeout(PATIENCE, receipts.next()).await.unwrap().unwrap();
    Receipt::from_json(&receipt.payload).unwrap()
}

pub fn outcomes(receipts: &[Receipt]) -> Vec<Outcome> {
    receipts.iter().map(|receipt| receipt.outcome).collect()
}
