//! A log with its board and a gateway, without a recorder, and what a subscriber with a plain client sees.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::kv::Operation;
use bus::provisioner::{self, Provisioner};
use bus::{Bus, Limits, Logins, Server};
use bytes::Bytes;
use contracts::Received;
use eventlog::{Batch, Clock, EventLog, Key, NewRecord, Options, Signer, SystemClock};
use futures::StreamExt;
use gateway::{Config, Handle};
use network::Network;
use serde_json::Value;
use tempfile::TempDir;
use tests::Broker;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use views::Availability;

/// Longer than anything here takes on a busy machine; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server such as a node starts.
pub(crate) fn broker() -> Broker {
    Broker::start("jetstream { store_dir: \"{folder}/store\", sync_interval: always }")
}

/// One region's day, or the whole country's two days, as records, with the network it belongs to.
pub(crate) fn reference(name: &str) -> (Vec<NewRecord>, Arc<Network>) {
    let reference = tests::reference(name);
    let records = reference.events.into_iter().filter_map(|line| record(Bytes::from(line))).collect();
    (records, Arc::new(reference.network))
}

/// This event, from the source of another one, as a record.
pub(crate) fn event(like: &NewRecord, id: &str, kind: &str, data: &Value) -> NewRecord {
    let mut event: Value = serde_json::from_slice(&like.bytes).unwrap();
    event["id"] = id.into();
    event["type"] = format!("nl.doorstroom.{kind}.v1").into();
    event["data"] = data.clone();
    record(Bytes::from(event.to_string())).unwrap()
}

/// A record of the log's own, that no subscriber gets.
pub(crate) fn quarantined() -> NewRecord {
    NewRecord {
        key: Key([7; 16]),
        kind: contracts::QUARANTINED_KIND.into(),
        tags: vec!["region:zk01".into()],
        occurred_at: 0,
        source: "urn:x".into(),
        content_type: "application/protobuf".into(),
        bytes: Bytes::from_static(b"anything"),
    }
}

fn record(bytes: Bytes) -> Option<NewRecord> {
    let received = Received::structured(bytes);
    let event = received.decode().ok()?.event;
    Some(NewRecord {
        key: Key(contracts::key(event.source.as_str(), &event.id.to_string())),
        kind: contracts::event_type(&event.fact).into(),
        tags: contracts::tags(&event),
        occurred_at: event.occurred_at.as_micros(),
        source: event.source.as_str().into(),
        content_type: received.content_type().into(),
        bytes: received.bytes().clone(),
    })
}

/// A log and its board.
pub(crate) struct Store {
    pub(crate) log: EventLog,
    pub(crate) view: projector::Handle<Availability>,
    task: projector::Task,
    /// Not deleted before the view has stopped: it writes there when it does. A test that fails leaves it behind.
    folder: PathBuf,
}

impl Store {
    pub(crate) fn open() -> Self {
        Self::open_in(TempDir::new().unwrap().keep())
    }

    /// A log whose records are recorded when this clock says.
    pub(crate) fn open_with(clock: Arc<dyn Clock>) -> Self {
        Self::open_at(TempDir::new().unwrap().keep(), clock)
    }

    fn open_in(folder: PathBuf) -> Self {
        Self::open_at(folder, Arc::new(SystemClock))
    }

    fn open_at(folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let options = Options { signer: Some(Signer::from_seed(&[7; 32])), ..Options::new(clock) };
        let (log, _report) = EventLog::open(&folder.join("log"), options).unwrap();
        let config = projector::Config { snapshots: folder.join("snapshots"), snapshot_every: 1_000_000 };
        let (view, task) = projector::start(log.reader(), config).unwrap();
        Self { log, view, task, folder }
    }

    pub(crate) async fn reopen(self) -> Self {
        Self::open_in(self.end().await)
    }

    pub(crate) async fn close(self) {
        std::fs::remove_dir_all(self.end().await).unwrap();
    }

    async fn end(self) -> PathBuf {
        self.task.shutdown().await;
        self.log.close().await;
        self.folder
    }

    /// Appends these in their order; the position of the last.
    pub(crate) async fn append(&self, records: impl IntoIterator<Item = NewRecord>) -> u64 {
        for record in records {
            self.log.append(Batch::from(record)).await.unwrap();
        }
        self.log.head().position
    }

    /// Appends these in one step; the position of the last.
    pub(crate) async fn append_batch(&self, records: &[NewRecord]) -> u64 {
        let batch = Batch { records: records.to_vec(), ..Batch::default() };
        self.log.append(batch).await.unwrap();
        self.log.head().position
    }
}

/// A clock that is set.
#[derive(Debug)]
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    /// Shows this many minutes after the beginning of 2026.
    pub(crate) fn at(minutes: i64) -> Arc<Self> {
        let clock = Arc::new(Self(AtomicI64::new(0)));
        clock.set(minutes);
        clock
    }

    pub(crate) fn set(&self, minutes: i64) {
        self.0.store(1_767_225_600_000_000 + minutes * 60_000_000, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A running gateway.
pub(crate) struct Running {
    pub(crate) handle: Handle,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    provisioning: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(broker: &Broker, store: &Store) -> Self {
        let (_records, network) = reference("region-day");
        Self::start_with(broker, store, Config::new("node-1", network)).await
    }

    pub(crate) async fn start_with(broker: &Broker, store: &Store, config: Config) -> Self {
        let bus = Bus::connect(bus::Config::new(broker.url(), "gateway")).await.unwrap();
        // Makes what the gateway misses, as in a node.
        let (needs, wanted) = provisioner::needs();
        let limits = Limits { window: config.window, ..Limits::default() };
        let network = config.network.borrow().clone();
        let provisioner = Provisioner::new(Server::plain(broker.url()), Logins::None, network, limits);
        let provisioning = tokio::spawn(provisioner.run(wanted, std::future::pending()));
        let config = Config { needs: Some(needs), ..config };
        let gateway = config.build(&bus, store.log.reader(), store.view.clone());
        let handle = gateway.handle();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            gateway.run(async { stopped.await.unwrap_or(()) }).await.unwrap();
        });
        Self { handle, stop, task, provisioning }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
        self.provisioning.abort();
    }

    /// Waits until the streams hold what was recorded up to this position, or more.
    pub(crate) async fn passes(&self, position: u64) {
        let metrics = self.handle.metrics();
        eventually("that far is published", || async { (metrics.log_position() >= position).then_some(()) })
            .await;
    }

    /// Waits until everything up to this position is out.
    pub(crate) async fn reaches(&self, position: u64) {
        let metrics = self.handle.metrics();
        eventually("everything is published", || async {
            (metrics.rows_position() >= position && metrics.log_position() >= position).then_some(())
        })
        .await;
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let begun = tokio::time::Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "not so within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A subscriber with a plain client.
pub(crate) struct Subscriber {
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
}

impl Subscriber {
    pub(crate) async fn connect(broker: &Broker) -> Self {
        let client = async_nats::connect(broker.url()).await.unwrap();
        Self { jetstream: jetstream::new(client.clone()), client }
    }

    /// The last sequence of a stream: how often something was written to it.
    pub(crate) async fn written(&self, stream: &str) -> u64 {
        self.jetstream.get_stream(stream).await.unwrap().cached_info().state.last_sequence
    }

    /// Everything in the bucket.
    pub(crate) async fn bucket(&self) -> BTreeMap<String, Value> {
        let store = self.jetstream.get_key_value("availability").await.unwrap();
        let mut bucket = BTreeMap::new();
        if self.written("KV_availability").await == 0 {
            return bucket;
        }
        let mut entries = store.watch_with_history(">").await.unwrap();
        while let Some(entry) = entries.next().await {
            let entry = entry.unwrap();
            if entry.operation == Operation::Put {
                bucket.insert(entry.key, serde_json::from_slice(&entry.value).unwrap());
            }
            if entry.delta == 0 {
                break;
            }
        }
        bucket
    }

    /// Every message of a stream, oldest first.
    pub(crate) async fn stream(&self, name: &str) -> Vec<Message> {
        let stream = self.jetstream.get_stream(name).await.unwrap();
        let state = &stream.cached_info().state;
        let mut messages = Vec::new();
        // The first number of a stream that never held anything is 0, which none has.
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.direct_get(sequence).await.unwrap();
            let header = |name: &str| message.headers.get(name).map(ToString::to_string).unwrap_or_default();
            messages.push(Message {
                subject: message.subject.to_string(),
                position: header("Doorstroom-Position").parse().unwrap_or(0),
                recorded_at: header("Doorstroom-Recorded-At"),
                key: header("Doorstroom-Key"),
                payload: message.payload,
            });
        }
        messages
    }
}

/// A message as a subscriber gets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) position: u64,
    pub(crate) recorded_at: String,
    pub(crate) key: String,
    pub(crate) payload: Bytes,
}
