//! What is in a log of the outbox: events, what ended them, what was asked for again.
//!
//! Not here: where they are (`store`), what follows from them (`book`).

use bytes::Bytes;
use contracts::Received;
use domain::RegionId;
use eventlog::{Key, NewRecord, Record};
use network::SenderName;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::sender::{Outgoing, Party};

/// An event as it was given.
const EVENT: &str = "outbox.event";
/// One that is signed when it is sent.
const EVENT_TO_SIGN: &str = "outbox.event-to-sign";
/// Receipts, and what is not sendable.
const ENDED: &str = "outbox.ended";
/// What is to be sent again.
const AGAIN: &str = "outbox.again";
const JSON: &str = "application/json";

/// A record that is read.
#[derive(Debug)]
pub(super) enum Entry {
    Event(Box<Outgoing>),
    Ended(Vec<Ended>),
    Again(Again),
}

/// What ended an event: the position of its receipt, or that no door takes it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Ended {
    #[serde(rename = "g")]
    pub(super) generation: u64,
    #[serde(rename = "p")]
    pub(super) position: u64,
    /// In the log of the recorder. None for what was refused: that is only sent again with everything.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    pub(super) recorded: Option<u64>,
}

/// What was receipted at a later position than this is as if it had no receipt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Again {
    /// Of this sender; `None` for all.
    party: Option<(String, String)>,
    since: u64,
}

impl Again {
    pub(super) fn new(party: Option<&Party>, since: u64) -> Self {
        let party = party.map(|(region, sender)| (region.to_string(), sender.to_string()));
        Self { party, since }
    }

    /// Whether what this sender said, and what ended it, is meant.
    pub(super) fn means(&self, (region, sender): &Party, recorded: Option<u64>) -> bool {
        let whose = self.party.as_ref();
        let theirs = whose.is_none_or(|(of, by)| *of == *region.as_str() && *by == *sender.as_str());
        theirs && recorded.unwrap_or(1) > self.since
    }
}

impl Ended {
    pub(super) fn place(self) -> Place {
        Place { generation: self.generation, position: self.position }
    }
}

fn record(
    key: [u8; 16],
    now: i64,
    kind: &str,
    source: String,
    content_type: &str,
    bytes: Bytes,
) -> NewRecord {
    NewRecord {
        key: Key(key),
        kind: kind.into(),
        tags: Vec::new(),
        occurred_at: now,
        source: source.into(),
        content_type: content_type.into(),
        bytes,
    }
}

pub(super) fn event(key: [u8; 16], now: i64, outgoing: &Outgoing) -> NewRecord {
    let Outgoing { region, sender, name, event, sign } = outgoing;
    let kind = if *sign { EVENT_TO_SIGN } else { EVENT };
    record(key, now, kind, format!("{region} {sender} {name}"), event.content_type(), event.bytes().clone())
}

pub(super) fn ended(key: [u8; 16], now: i64, ended: &[Ended]) -> Result<NewRecord, serde_json::Error> {
    Ok(record(key, now, ENDED, String::new(), JSON, serde_json::to_vec(ended)?.into()))
}

pub(super) fn again(key: [u8; 16], now: i64, again: &Again) -> Result<NewRecord, serde_json::Error> {
    Ok(record(key, now, AGAIN, String::new(), JSON, serde_json::to_vec(again)?.into()))
}

/// What a record says; `None` if this program never wrote it.
pub(super) fn read(record: &Record) -> Option<Entry> {
    match &*record.kind {
        EVENT => read_event(record, false),
        EVENT_TO_SIGN => read_event(record, true),
        ENDED => serde_json::from_slice(&record.bytes).ok().map(Entry::Ended),
        AGAIN => serde_json::from_slice(&record.bytes).ok().map(Entry::Again),
        _ => None,
    }
}

fn read_event(record: &Record, sign: bool) -> Option<Entry> {
    let mut names = record.source.splitn(3, ' ');
    let (region, sender, name) = (names.next()?, names.next()?, names.next()?);
    let region: RegionId = region.parse().ok()?;
    let sender: SenderName = sender.parse().ok()?;
    let event = Received::from_stored(&record.content_type, record.bytes.clone()).ok()?;
    Some(Entry::Event(Box::new(Outgoing { region, sender, name: name.parse().ok()?, event, sign })))
}
