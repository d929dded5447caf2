//! What was kept aside, and what became of it since.
//!
//! Not here: what is done with it (`recorder`, when an operator asks), tables for people (`doorstroom`).

use std::collections::HashMap;

use bytes::Bytes;
use contracts::{
    ContentHash, OwnRecord, QUARANTINE_DISCARDED_KIND, QUARANTINE_RELEASED_KIND, QUARANTINED_KIND,
};
use domain::{RegionId, Timestamp};
use eventlog::{Query, QueryItem, Record};
use serde::Serialize;

use crate::{Audit, AuditError};

/// What became of a message that was kept aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Nothing yet.
    Open,
    /// It is an event.
    Released(Act),
    /// It stays kept aside for good.
    Discarded(Act),
}

/// What an operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// Where the log says so.
    pub act_position: u64,
    /// When, RFC 3339.
    pub acted_at: String,
    /// Who, in the operator's own words.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A message that was kept aside, without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Where it was kept.
    pub position: u64,
    /// When, RFC 3339.
    pub recorded_at: String,
    /// The region of its subject; empty if the subject names none.
    pub region: String,
    /// The sender of its subject; empty if the subject names none.
    pub sender: String,
    /// Where it was published.
    pub subject: String,
    /// Why it was refused, for programs.
    pub code: String,
    /// Why it was refused, for people.
    pub detail: String,
    /// What its content was said to be.
    pub content_type: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// The hash of these.
    pub hash: String,
    /// Its number in the mailbox; 0 if it came by the counter.
    pub stream_sequence: u64,
    /// What became of it.
    #[serde(flatten)]
    pub state: State,
}

impl Audit {
    /// Every message that was kept aside, of one region or of all, in the order of the log. Memory: one entry for each
    /// that was released or discarded.
    ///
    /// # Errors
    /// When the log cannot be read. What cannot be read while the messages are gone through comes as an item.
    pub fn quarantine(
        &self,
        region: Option<&RegionId>,
    ) -> Result<impl Iterator<Item = Result<Kept, AuditError>>, AuditError> {
        let acts = self.acts()?;
        let records = self.reader.read(of_kinds(&[QUARANTINED_KIND], region));
        Ok(records.filter_map(move |record| match record {
            Ok(record) => kept(&record, &acts).map(|(kept, _)| Ok(kept)),
            Err(error) => Some(Err(error.into())),
        }))
    }

    /// The message that was kept aside at a position, and its bytes; `None` if none was.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn kept(&self, position: u64) -> Result<Option<(Kept, Bytes)>, AuditError> {
        let Some(record) = self.reader.record(position)? else { return Ok(None) };
        Ok(kept(&record, &self.acts()?))
    }

    fn acts(&self) -> Result<HashMap<u64, State>, AuditError> {
        let mut acts = HashMap::new();
        for record in self.reader.read(of_kinds(&[QUARANTINE_RELEASED_KIND, QUARANTINE_DISCARDED_KIND], None))
        {
            let record = record?;
            let act = |by, reason| Act {
                act_position: record.position,
                acted_at: Timestamp::from_micros(record.recorded_at).to_string(),
                by,
                reason,
            };
            match OwnRecord::decode(&record.kind, record.bytes.clone()) {
                Ok(OwnRecord::QuarantineReleased(done)) => {
                    acts.insert(done.position, State::Released(act(done.by, done.reason)));
                }
                Ok(OwnRecord::QuarantineDiscarded(done)) => {
                    acts.insert(done.position, State::Discarded(act(done.by, done.reason)));
                }
                // Damage is for `verify` to tell.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(acts)
    }
}

fn of_kinds(kinds: &[&str], region: Option<&RegionId>) -> Query {
    let types = kinds.iter().map(|kind| (*kind).into()).collect();
    let tags = region.map(|region| format!("region:{region}").into()).into_iter().collect();
    Query { items: vec![QueryItem { types, tags }], ..Query::default() }
}

fn kept(record: &Record, acts: &HashMap<u64, State>) -> Option<(Kept, Bytes)> {
    if &*record.kind != QUARANTINED_KIND {
        return None;
    }
    let Ok(OwnRecord::Quarantined(message)) = OwnRecord::decode(&record.kind, record.bytes.clone()) else {
        return None;
    };
    let kept = Kept {
        position: record.position,
        recorded_at: Timestamp::from_micros(record.recorded_at).to_string(),
        region: message.region,
        sender: message.sender,
        subject: message.subject,
        code: message.code,
        detail: message.detail,
        content_type: message.content_type,
        bytes: message.raw.len(),
        hash: ContentHash::of(&message.raw).to_string(),
        stream_sequence: message.stream_sequence,
        state: acts.get(&record.position).cloned().unwrap_or(State::Open),
    };
    Some((kept, message.raw))
}
