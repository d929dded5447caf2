//! The heartbeat: the head of the log, every ten seconds and at every ten thousand events, with the signed note that
//! binds the log to it.
//!
//! Not here: the tree and the signature (`eventlog`).

use std::sync::Arc;
use std::time::Duration;

use bus::outward::{Outbound, Outward};
use bus::subjects::HEAD;
use bytes::Bytes;
use domain::Timestamp;
use eventlog::{EventLog, LogReader, SignedHead};
use serde::Serialize;
use tokio::time::MissedTickBehavior;
use views::Availability;

use crate::metrics::Metrics;
use crate::{Interrupted, Part, recorded};

/// Between two heartbeats a head is published at every multiple of this many events.
const EVENTS_PER_HEAD: u64 = 10_000;

/// Publishes heads.
pub(crate) struct HeadOut {
    outward: Outward,
    reader: LogReader,
    /// Signs the heads, if anybody does.
    signing: Option<EventLog>,
    view: projector::Handle<Availability>,
    node: String,
    every: Duration,
    metrics: Arc<Metrics>,
}

/// A head, as it is published. An empty log has position 0 and no event to tell of. `note` is the signed head of
/// c2sp.org/tlog-checkpoint over just these positions, where the log has a key.
#[derive(Debug, Serialize)]
struct HeadMessage<'a> {
    position: u64,
    recorded_at: Option<String>,
    key: Option<String>,
    leaf: Option<String>,
    node: &'a str,
    note: Option<String>,
    view_position: u64,
}

impl Part for HeadOut {
    async fn serve(&mut self) -> Interrupted {
        let mut losses = self.outward.losses();
        tokio::select! {
            () = losses.next() => Interrupted::Lost,
            beaten = self.beat() => match beaten {
                Ok(()) => Interrupted::Cut,
                Err(interrupted) => interrupted,
            },
        }
    }
}

impl HeadOut {
    pub(crate) fn new(
        outward: Outward,
        (reader, signing): (LogReader, Option<EventLog>),
        view: projector::Handle<Availability>,
        node: String,
        every: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { outward, reader, signing, view, node, every, metrics }
    }

    async fn beat(&self) -> Result<(), Interrupted> {
        self.outward.head_stream().await?;
        let mut head = self.reader.watch_head();
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut published = self.reader.head().position;
        loop {
            tokio::select! {
                _instant = ticks.tick() => {}
                changed = head.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    let position = head.borrow_and_update().position;
                    if position / EVENTS_PER_HEAD == published / EVENTS_PER_HEAD {
                        continue;
                    }
                }
            }
            published = self.publish().await?;
        }
    }

    async fn publish(&self) -> Result<u64, Interrupted> {
        let (reader, signing) = (self.reader.clone(), self.signing.clone());
        let read = tokio::task::spawn_blocking(move || {
            let signed = signing.and_then(|log| sign(&log));
            let position = signed.as_ref().map_or_else(|| reader.head().position, |head| head.tree().size);
            let note = signed.map(|head| head.to_string());
            reader.record(position).map(|record| (position, record, note))
        });
        let Ok(read) = read.await else { return Err(Interrupted::Cut) };
        let (position, record, note) = read?;
        let message = HeadMessage {
            position,
            recorded_at: record.as_ref().map(|record| Timestamp::from_micros(record.recorded_at).to_string()),
            key: record.as_ref().map(|record| record.key.to_string()),
            leaf: record.as_ref().map(|record| recorded::hex(&record.leaf)),
            node: &self.node,
            note,
            view_position: self.view.standing().borrow().position,
        };
        let message = Outbound {
            subject: HEAD.to_owned(),
            headers: Vec::new(),
            payload: Bytes::from(serde_json::to_vec(&message)?),
        };
        self.outward.publish(message.prepare()?, None).await?.await?;
        self.metrics.head();
        Ok(position)
    }
}

/// The signed head. A log that can not sign is still alive: its heartbeat says so without a note.
fn sign(log: &EventLog) -> Option<SignedHead> {
    let signed = log.signed_head();
    signed.inspect_err(|error| tracing::error!(%error, "the head of the log could not be signed")).ok()
}

const NOTE_EXAMPLE: &str = "doorstroom.nl/aed3e9d1266c3bfb6414b0c076495e90\n31917\n\
    t5ll0HWAgsdbTEFaHJJzVycAtbZL4cdTHjpbq0O7bFk=\n\n\
    — doorstroom.nl/aed3e9d1266c3bfb6414b0c076495e90 8/1loQ…\n";

/// A head of a log with an event, and of one without.
pub(crate) fn examples(moment: Timestamp) -> Result<Vec<serde_json::Value>, serde_json::Error> {
    let some = HeadMessage {
        position: 31_917,
        recorded_at: Some(moment.to_string()),
        key: Some(recorded::hex(&[0xab; 16])),
        leaf: Some(recorded::hex(&[0xcd; 32])),
        node: "node",
        note: Some(NOTE_EXAMPLE.to_owned()),
        view_position: 31_917,
    };
    let none = HeadMessage {
        position: 0,
        recorded_at: None,
        key: None,
        leaf: None,
        node: "node",
        note: None,
        view_position: 0,
    };
    [some, none].iter().map(serde_json::to_value).collect()
}
