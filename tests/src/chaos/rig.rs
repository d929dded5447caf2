//! A node to whose broker something is done, and the checker of what came of it.
//!
//! Not here: what is done (`scenarios`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use async_nats::jetstream;
use eventlog::{LogReader, Query};
use network::{Account, Network};
use rustix::process::Signal;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{FOUND_WITHIN, Outcome, Sending};
use crate::process::signal;
use crate::{Node, Site, eventually, run};

/// An alarm that takes longer has not been raised, and what waits this long does not come.
const PATIENCE: Duration = Duration::from_secs(90);

/// A node of one region, what is sent to it and what was answered.
#[derive(Debug)]
pub struct Rig {
    /// Where the node lives.
    pub site: Site,
    /// Events that are to be sent, in their order.
    pub events: Vec<String>,
    node: Option<Node>,
    runtime: Runtime,
    receipts: Vec<String>,
    sendings: usize,
}

impl Rig {
    /// A node of the region of the reference day with its own broker, running.
    ///
    /// # Panics
    /// If it is not ready in time.
    #[must_use]
    pub fn start() -> Self {
        let day = crate::reference("region-day");
        Self::with(&day.network, day.events)
    }

    /// The same, for another network and other events.
    ///
    /// # Panics
    /// If it is not ready in time.
    #[must_use]
    pub fn with(network: &Network, events: Vec<String>) -> Self {
        let mut rig = Self::prepare(network, events);
        rig.up();
        rig
    }

    /// The same, not started yet.
    ///
    /// # Panics
    /// If the system has no threads for it.
    #[must_use]
    pub fn prepare(network: &Network, events: Vec<String>) -> Self {
        let runtime = Runtime::new().unwrap();
        Self { site: Site::new(network), events, node: None, runtime, receipts: Vec::new(), sendings: 0 }
    }

    /// The running node.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }

    /// Starts the node.
    pub fn up(&mut self) {
        self.node = Some(self.site.up());
    }

    /// Ends the node in order, its broker too.
    ///
    /// # Panics
    /// If it does not end well.
    pub fn down(&mut self) {
        let status = self.node.take().unwrap().sigterm();
        assert!(status.success(), "{status}: {}", self.site.log());
    }

    /// Halts the node as a machine that is overloaded or suspended would: it does nothing, and is not gone.
    pub fn halt(&self) {
        signal(self.node().pid(), Signal::STOP);
    }

    /// Has the halted node go on.
    pub fn resume(&self) {
        signal(self.node().pid(), Signal::CONT);
    }

    /// Ends the broker as a power cut would while the node is halted, changes its store, and lets both go on. What
    /// follows counts from the moment that is given.
    pub fn while_broker_is_dead(&self, change: impl FnOnce(&Path)) -> Instant {
        self.halt();
        self.node().kill9_broker();
        change(&self.store());
        self.resume();
        Instant::now()
    }

    /// Where the node's broker keeps its streams.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.site.data().join("broker/jetstream")
    }

    /// Starts a sender with these of the events.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn send(&mut self, events: std::ops::Range<usize>) -> Sending {
        self.send_with(events, &[])
    }

    /// The same, with further arguments for `send`.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn send_with(&mut self, events: std::ops::Range<usize>, more: &[&str]) -> Sending {
        self.sendings += 1;
        let name = format!("sender-{}", self.sendings);
        Sending::start(&self.site, &name, self.events.get(events).unwrap(), more)
    }

    /// Waits until a sender has all its receipts.
    pub fn sent(&mut self, sending: Sending) {
        self.receipts.append(&mut sending.done());
    }

    /// Counts what the log has as receipted: for senders that do not listen.
    pub fn receipted_by_the_log(&mut self) {
        self.receipts = ids_of(&self.site.data().join("log")).into_keys().collect();
    }

    /// Waits until the mailbox of the region has a message of this number.
    ///
    /// # Panics
    /// If it never has.
    pub fn mailbox_has(&self, sequence: u64) {
        self.admin(|jetstream| async move {
            let until = Instant::now() + PATIENCE;
            loop {
                // The broker may be too busy with its disk to answer in time.
                let stream = jetstream.get_stream(MAILBOX).await.ok();
                if stream.is_some_and(|stream| stream.cached_info().state.last_sequence >= sequence) {
                    return;
                }
                assert!(Instant::now() < until, "the mailbox never had a message {sequence}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    }

    /// Does something as the one who may change the streams of the region.
    ///
    /// # Panics
    /// If the broker does not let us in.
    pub fn admin<T, F: Future<Output = T>>(&self, act: impl FnOnce(jetstream::Context) -> F) -> T {
        self.runtime.block_on(async {
            let client = self.client(&region(), "_provisioner").await;
            act(jetstream::new(client)).await
        })
    }

    /// Does something as any user of the bus.
    ///
    /// # Panics
    /// If the broker does not let it in.
    pub fn as_user<T, F: Future<Output = T>>(
        &self,
        account: &Account,
        user: &str,
        act: impl FnOnce(async_nats::Client) -> F,
    ) -> T {
        self.runtime.block_on(async { act(self.client(account, user).await).await })
    }

    async fn client(&self, account: &Account, user: &str) -> async_nats::Client {
        let seed = fs::read_to_string(self.node().key(account, user)).unwrap();
        let options = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX.{user}"))
            .add_root_certificates(self.site.data().join("keys/ca.pem"))
            .require_tls(true)
            .retry_on_initial_connect();
        options.connect(self.node().bus()).await.unwrap()
    }

    /// A number the node counts; 0 while it does not.
    #[must_use]
    pub fn counted(&self, metric: &str) -> u64 {
        let (_, metrics) = self.node().get("/metrics");
        let value = metrics.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    /// How often an alarm of this code was raised by the node that runs.
    #[must_use]
    pub fn alarms(&self, code: &str) -> u64 {
        self.counted(&format!("doorstroom_alarms_total{{code=\"{code}\"}}"))
    }

    /// Waits for an alarm of this code; how long after `since` it was raised.
    ///
    /// # Panics
    /// If it does not come.
    pub fn alarmed(&self, code: &str, since: Instant) -> Duration {
        let until = Instant::now() + PATIENCE;
        eventually("alarm", PATIENCE * 2, || {
            assert!(
                Instant::now() < until,
                "no alarm {code} within {PATIENCE:?}; the node said:\n{}",
                self.site.log()
            );
            (self.alarms(code) > 0).then_some(())
        });
        since.elapsed()
    }

    /// Waits until subscribers of the node's own alarms are told this one.
    ///
    /// # Panics
    /// If they are not.
    pub fn told(&self, code: &str) {
        self.as_user(&Account::Core, "_operator", |client| async move {
            let jetstream = jetstream::new(client);
            let until = Instant::now() + PATIENCE;
            loop {
                if told_now(&jetstream, code).await == Some(true) {
                    return;
                }
                assert!(Instant::now() < until, "nobody was told of the alarm {code}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }

    /// The end checker: everything with a receipt is in the log once, nothing else is, the log is sound, and the rows
    /// on the bus are what a rebuild of the log gives.
    ///
    /// # Panics
    /// If the log or the rows can not be read, or are not sound.
    #[must_use]
    pub fn check(self, did: &str, alarm: &'static str, found: Duration, healed: Duration) -> Outcome {
        let _sound = self.site.run(["audit", "verify"]).ok();
        let log = ids_of(&self.site.data().join("log"));
        let board: Value = serde_json::from_str(&self.site.run(["board", "--json"]).ok()).unwrap();
        let rows = board.get("rows").and_then(Value::as_array).unwrap();
        let expected: BTreeMap<String, Value> = rows.iter().map(|row| (key_of(row), row.clone())).collect();
        eventually("rows on the bus that are those of the log", PATIENCE, || {
            (rows_on_the_bus(self.node()) == expected).then_some(())
        });
        let sent: Vec<String> = self.events.iter().map(|event| id_of(event.as_bytes())).collect();
        let missing = self.receipts.iter().chain(&sent).filter(|id| !log.contains_key(*id));
        Outcome {
            did: did.to_owned(),
            receipts: self.receipts.len(),
            lost: missing.count(),
            doubled: log.values().filter(|times| **times > 1).count(),
            alarm,
            found,
            healed,
            within: FOUND_WITHIN,
        }
    }
}

/// The mailbox of the region of the reference day.
pub(super) const MAILBOX: &str = "IN_zk01";

/// The account of that region.
///
/// # Panics
/// Never: the code is right.
#[must_use]
pub(super) fn region() -> Account {
    Account::Region("zk01".parse().unwrap())
}

/// How often each event is in a log, by its id.
fn ids_of(log: &Path) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for record in LogReader::open(log).unwrap().read(Query::default()) {
        let record = record.unwrap();
        if contracts::is_event_kind(&record.kind) {
            *found.entry(id_of(&record.bytes)).or_default() += 1;
        }
    }
    found
}

fn id_of(event: &[u8]) -> String {
    let event: Value = serde_json::from_slice(event).unwrap();
    event.get("id").and_then(Value::as_str).unwrap().to_owned()
}

fn key_of(row: &Value) -> String {
    let text = |column: &str| row.get(column).and_then(Value::as_str).unwrap();
    format!("{}.loc.{}.{}", text("region"), text("location"), text("care_type"))
}

/// The rows of locations as a subscriber that starts now gets them; none while the broker is away.
fn rows_on_the_bus(node: &Node) -> BTreeMap<String, Value> {
    let watched = run(&mut node.python("watch_rows.py", &Account::Core, "_operator"), &[]);
    let seen = if watched.code == Some(0) { watched.json_lines() } else { Vec::new() };
    let mut rows = BTreeMap::new();
    for entry in seen {
        let (Some(key), Some(row)) = (entry.get("key").and_then(Value::as_str), entry.get("row")) else {
            continue;
        };
        if key.contains(".loc.") && !row.is_null() {
            rows.insert(key.to_owned(), row.clone());
        }
    }
    rows
}

/// Whether an alarm of this code is among those that are kept for subscribers; `None` if that can not be read now.
async fn told_now(jetstream: &jetstream::Context, code: &str) -> Option<bool> {
    let stream = jetstream.get_stream("ACUTE_core").await.ok()?;
    for sequence in 1..=stream.cached_info().state.last_sequence {
        let notice = stream.get_raw_message(sequence).await.ok()?;
        let notice: Value = serde_json::from_slice(&notice.payload).ok()?;
        if notice.pointer("/data/code").and_then(Value::as_str) == Some(code) {
            return Some(true);
        }
    }
    Some(false)
}
