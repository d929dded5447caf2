//! What goes into the log: events, and records of what could not be one. Pure.
//!
//! Not here: when (`serve`, `answer`).

use std::collections::BTreeMap;

use bytes::Bytes;
use contracts::{
    CONFLICT_KIND, ContentHash, QUARANTINE_SUMMARY_KIND, QUARANTINED_KIND, event_type, tags, wire,
};
use domain::RegionId;
use eventlog::{Key, NewRecord, ORIGIN_BYTES_MAX};
use network::SenderName;
use sha2::{Digest as _, Sha256};

use crate::judge::{Accepted, Entry, Message, Refused, Request};

/// Who says so in the records the recorder makes itself.
const RECORDER: &str = "urn:doorstroom:recorder";
/// How a record of something that is no event is stored.
const KEPT_TYPE: &str = "application/protobuf";

/// The record of an event.
pub(crate) fn event(accepted: &Accepted) -> NewRecord {
    let event = &accepted.decoded.event;
    NewRecord {
        key: Key(accepted.key),
        kind: event_type(&event.fact).into(),
        tags: tags(event),
        occurred_at: event.occurred_at.as_micros(),
        source: event.source.as_str().into(),
        content_type: accepted.received.content_type().into(),
        bytes: accepted.received.bytes().clone(),
    }
}

/// The record of something refused, with its bytes. The same message gives the same key, so that it is kept once
/// however often it comes.
pub(crate) fn quarantined(
    message: &Message,
    request: &Request,
    entry: &Entry,
    refused: &Refused,
    now: i64,
) -> NewRecord {
    aside(message, request, (&entry.content_type, &entry.raw), refused, now)
}

/// The same of a whole message, whatever it holds.
pub(crate) fn quarantined_whole(
    message: &Message,
    request: &Request,
    content_type: &str,
    refused: &Refused,
    now: i64,
) -> NewRecord {
    aside(message, request, (content_type, &message.payload), refused, now)
}

fn aside(
    message: &Message,
    request: &Request,
    (content_type, raw): (&str, &Bytes),
    refused: &Refused,
    now: i64,
) -> NewRecord {
    let headers = message
        .headers
        .iter()
        .map(|(name, value)| wire::Header { name: name.clone(), value: value.clone() })
        .collect();
    let party = request.party.as_ref();
    let kept = wire::Quarantined {
        region: party.map(|party| party.region.to_string()).unwrap_or_default(),
        sender: party.map(|party| party.sender.to_string()).unwrap_or_default(),
        subject: message.subject.clone(),
        headers,
        content_type: content_type.to_owned(),
        raw: raw.clone(),
        code: refused.code.to_owned(),
        detail: refused.detail.clone(),
        stream_sequence: message.stream_sequence.unwrap_or_default(),
    };
    let mut content: Vec<&[u8]> = vec![b"quarantined", message.subject.as_bytes(), content_type.as_bytes()];
    for (name, value) in &message.headers {
        content.extend([name.as_bytes(), value.as_bytes()]);
    }
    let sequence = kept.stream_sequence.to_string();
    content.extend([sequence.as_bytes(), raw]);
    let key = key_of(&content);
    let tags = [Some(format!("quarantine:{}", refused.code))]
        .into_iter()
        .chain([party.map(|party| format!("region:{}", party.region))])
        .chain([party.map(|party| format!("sender:{}", party.sender))])
        .flatten()
        .map(String::into_boxed_str)
        .collect();
    own_record(key, QUARANTINED_KIND, tags, now, bus::encode(&kept))
}

/// The record of an event whose source and id were used before, at `first`, for something else.
pub(crate) fn conflict(
    request: &Request,
    entry: &Entry,
    accepted: &Accepted,
    first: &eventlog::Record,
    now: i64,
) -> NewRecord {
    let event = &accepted.decoded.event;
    let kept = wire::Conflict {
        first_position: first.position,
        source: event.source.to_string(),
        id: event.id.to_string(),
        content_type: accepted.received.content_type().to_owned(),
        raw: accepted.received.bytes().clone(),
        first_hash: ContentHash::of(&first.bytes).as_bytes().to_vec().into(),
        hash: entry.hash.as_bytes().to_vec().into(),
    };
    let key = key_of(&[b"conflict", &accepted.key, entry.hash.as_bytes()]);
    let party = request.party.as_ref();
    let tags = [party.map(|party| format!("region:{}", party.region))]
        .into_iter()
        .chain([party.map(|party| format!("sender:{}", party.sender))])
        .flatten()
        .map(String::into_boxed_str)
        .collect();
    own_record(key, CONFLICT_KIND, tags, now, bus::encode(&kept))
}

/// What was refused of one sender beyond its quota, as numbers.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    refusals: BTreeMap<&'static str, u64>,
    bytes: u64,
    first_sequence: u64,
    last_sequence: u64,
    /// Over all that is counted here, so that each record is one of its own.
    hashes: Vec<u8>,
}

impl Counted {
    /// Counts one more.
    pub(crate) fn add(&mut self, code: &'static str, message: &Message, entry: &Entry) {
        let refusals = self.refusals.entry(code).or_default();
        *refusals = refusals.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(entry.raw.len()).unwrap_or(u64::MAX));
        if let Some(sequence) = message.stream_sequence {
            if self.first_sequence == 0 {
                self.first_sequence = sequence;
            }
            self.last_sequence = sequence;
        }
        self.hashes.extend_from_slice(entry.hash.as_bytes());
    }
}

/// The record of what is only counted.
pub(crate) fn summary(
    region: &RegionId,
    sender: Option<&SenderName>,
    counted: &Counted,
    now: i64,
) -> NewRecord {
    let kept = wire::QuarantineSummary {
        region: region.to_string(),
        sender: sender.map(ToString::to_string).unwrap_or_default(),
        refusals: counted
            .refusals
            .iter()
            .map(|(code, count)| wire::Refusals { code: (*code).to_owned(), count: *count })
            .collect(),
        bytes: counted.bytes,
        first_sequence: counted.first_sequence,
        last_sequence: counted.last_sequence,
    };
    let key = key_of(&[
        b"summary",
        region.as_str().as_bytes(),
        kept.sender.as_bytes(),
        now.to_string().as_bytes(),
        &counted.hashes,
    ]);
    let tags = [Some(format!("region:{region}")), sender.map(|sender| format!("sender:{sender}"))];
    let tags = tags.into_iter().flatten().map(String::into_boxed_str).collect();
    own_record(key, QUARANTINE_SUMMARY_KIND, tags, now, bus::encode(&kept))
}

/// Where a batch came from: its subject, and its place in the mailbox.
pub(crate) fn origin(message: &Message) -> Bytes {
    let mut origin = message.subject.clone().into_bytes();
    let sequence = message.stream_sequence.map(|sequence| format!(" {sequence}")).unwrap_or_default();
    // The place must be whole: by it the log knows how far a mailbox is recorded.
    origin.truncate(ORIGIN_BYTES_MAX.saturating_sub(sequence.len()));
    origin.extend_from_slice(sequence.as_bytes());
    origin.into()
}

/// A record that the recorder makes itself.
pub(crate) fn own_record(key: Key, kind: &str, tags: Vec<Box<str>>, now: i64, bytes: Bytes) -> NewRecord {
    NewRecord {
        key,
        kind: kind.into(),
        tags,
        occurred_at: now,
        source: RECORDER.into(),
        content_type: KEPT_TYPE.into(),
        bytes,
    }
}

/// A key over the parts and their lengths, so that no two lists of parts run together into one.
pub(crate) fn key_of(parts: &[&[u8]]) -> Key {
    let mut hasher = Sha256::new();
    for part in parts {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hasher.update(length.to_string());
        hasher.update([0]);
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(digest) {
        *to = from;
    }
    Key(key)
}
