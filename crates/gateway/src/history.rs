//! The service `history`: recorded events from any position on, also those that the streams no longer keep.
//!
//! A request is `{"region"?, "after"?, "limit"?, "types"?}` or nothing; the answer is
//! `{"events": [{position, recorded_at, key, type, content_type, data | bytes_base64}], next_after, head}`. `data` is
//! the event as it was received if its bytes are JSON, `bytes_base64` otherwise. Nothing that was asked for lies
//! between two answers of which the second was asked for after the `next_after` of the first; who has reached `head`
//! has everything that was recorded when it was asked.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bus::subjects::Service;
use bytes::Bytes;
use contracts::ContentType;
use domain::{Fact, RegionId, Timestamp};
use eventlog::{Key, LogReader, QUERY_ITEMS_MAX, Query, QueryItem, ReadError, Record};
use network::Network;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::recorded;
use crate::service::{ANSWER_BYTES_MAX, Answering, Refusal, Sight, text};

/// Events in one answer.
const EVENTS_MAX: usize = 1_000;
/// Events in an answer to somebody who does not say how many.
const EVENTS_USUAL: usize = 256;
/// Records that are looked at for one answer: a filter that few pass must not hold a thread for long.
const LOOKED_AT_MAX: usize = 20_000;
/// Room in the answer for what is not an event.
const FRAME_BYTES: usize = 256;
const FIELDS: &str = "region, after, limit and types";

/// Answers with recorded events.
pub(crate) struct History {
    pub(crate) reader: LogReader,
    pub(crate) network: Arc<Network>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    region: Option<RegionId>,
    after: u64,
    limit: usize,
    types: Vec<Box<str>>,
}

#[derive(Serialize)]
struct Answer {
    events: Vec<Box<RawValue>>,
    next_after: u64,
    head: u64,
}

#[derive(Serialize)]
struct Event<'a> {
    position: u64,
    recorded_at: String,
    key: String,
    r#type: &'a str,
    content_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_base64: Option<String>,
}

/// Why reading was not finished.
#[derive(Debug, thiserror::Error)]
enum HistoryError {
    #[error("the log can not be read")]
    Read(#[from] ReadError),
    #[error("an event can not be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Answering for History {
    const SERVICE: Service = Service::History;

    async fn answer(&self, sight: Sight<'_>, request: Map<String, Value>) -> Result<Bytes, Refusal> {
        let asked = Asked::parse(request)?;
        if let Some(region) = &asked.region {
            sight.check(&self.network, region)?;
        }
        let regions = match &asked.region {
            Some(region) => Some(vec![region.clone()]),
            None => sight.regions().map(<[RegionId]>::to_vec),
        };
        let reader = self.reader.clone();
        let read = tokio::task::spawn_blocking(move || page(&reader, &asked, regions.as_deref())).await;
        let answer =
            read.map_err(|error| Refusal::failed(&error))?.map_err(|error| Refusal::failed(&error))?;
        serde_json::to_vec(&answer).map(Bytes::from).map_err(|error| Refusal::failed(&error))
    }
}

impl Asked {
    fn parse(request: Map<String, Value>) -> Result<Self, Refusal> {
        let mut asked = Self { region: None, after: 0, limit: EVENTS_USUAL, types: Vec::new() };
        for (field, value) in request {
            match field.as_str() {
                "region" => {
                    let region = text(&value).parse();
                    asked.region =
                        Some(region.map_err(|error: domain::NameError| Refusal::field(&field, error))?);
                }
                "after" => {
                    let after = value.as_u64();
                    asked.after =
                        after.ok_or_else(|| Refusal::field(&field, "a position, 0 for the beginning"))?;
                }
                "limit" => {
                    let limit = value.as_u64().and_then(|limit| usize::try_from(limit).ok());
                    let limit = limit.filter(|limit| (1..=EVENTS_MAX).contains(limit));
                    let wrong = || Refusal::field(&field, format!("1 to {EVENTS_MAX}"));
                    asked.limit = limit.ok_or_else(wrong)?;
                }
                "types" => asked.types = types(&value)?,
                _ => return Err(Refusal::unknown_field(&field, FIELDS)),
            }
        }
        Ok(asked)
    }

    /// What to look for in the log; what it finds is looked at once more.
    fn query(&self, regions: Option<&[RegionId]>, until: u64) -> Query {
        let item = |tags| QueryItem { types: self.types.clone(), tags };
        let items = match regions {
            Some(regions) if regions.len() <= QUERY_ITEMS_MAX => {
                regions.iter().map(|region| item(vec![recorded::region_tag(region)])).collect()
            }
            Some(_) | None => vec![item(Vec::new())],
        };
        Query { items, after: self.after, until: Some(until), ..Query::default() }
    }
}

/// The types that are meant, each `bed.freed` or `nl.doorstroom.bed.freed.v1`, as the log has them.
fn types(value: &Value) -> Result<Vec<Box<str>>, Refusal> {
    let Value::Array(names) = value else {
        return Err(Refusal::field("types", "a list of types such as bed.freed"));
    };
    let mut types: Vec<Box<str>> = Vec::new();
    for name in names.iter().map(text) {
        let kind = recorded::event_name(name).unwrap_or(name);
        if !Fact::KINDS.contains(&kind) {
            let reason = format!("There is no type {} such as bed.freed.", name.escape_debug());
            return Err(Refusal::new(400, "unknown_type", reason));
        }
        let stored = recorded::stored_type(kind).into();
        if !types.contains(&stored) {
            types.push(stored);
        }
    }
    Ok(types)
}

/// The next events of these regions (of all when `None`).
fn page(reader: &LogReader, asked: &Asked, regions: Option<&[RegionId]>) -> Result<Answer, HistoryError> {
    let head = reader.head().position;
    let mut answer = Answer { events: Vec::new(), next_after: asked.after.max(head), head };
    if regions.is_some_and(<[RegionId]>::is_empty) {
        // No items would mean everything.
        return Ok(answer);
    }
    let (mut through, mut bytes) = (asked.after, FRAME_BYTES);
    for (looked_at, record) in reader.read(asked.query(regions, head)).enumerate() {
        let record = record?;
        let position = record.position;
        let mut full = looked_at >= LOOKED_AT_MAX;
        if !full && meant(&record, regions) {
            let event = event(&record)?;
            bytes = bytes.saturating_add(event.get().len()).saturating_add(1);
            full = answer.events.len() >= asked.limit || bytes > ANSWER_BYTES_MAX;
            if !full {
                answer.events.push(event);
            }
        }
        if full {
            answer.next_after = through;
            return Ok(answer);
        }
        through = position;
    }
    Ok(answer)
}

/// The log's own records are for nobody, and a region only for whom it was asked.
fn meant(record: &Record, regions: Option<&[RegionId]>) -> bool {
    let Some(region) = recorded::region(record) else { return false };
    regions.is_none_or(|regions| regions.contains(&region))
}

fn event(record: &Record) -> Result<Box<RawValue>, serde_json::Error> {
    let data = verbatim(&record.bytes);
    let event = Event {
        position: record.position,
        recorded_at: Timestamp::from_micros(record.recorded_at).to_string(),
        key: record.key.to_string(),
        r#type: &record.kind,
        content_type: &record.content_type,
        data,
        bytes_base64: data.is_none().then(|| STANDARD.encode(&record.bytes)),
    };
    serde_json::value::to_raw_value(&event)
}

/// The stored bytes as they can stand in JSON, if they can without one byte changed.
fn verbatim(bytes: &[u8]) -> Option<&RawValue> {
    // A JSON reader drops white space around a value: then it is not the stored bytes any more.
    let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
    (raw.get().len() == bytes.len()).then_some(raw)
}

/// An answer with an event in JSON and one in other bytes.
pub(crate) fn example(moment: Timestamp) -> Result<Value, serde_json::Error> {
    let record = |position: u64, content_type: &str, bytes: &'static [u8]| Record {
        position,
        recorded_at: moment.as_micros(),
        key: Key([0xab; 16]),
        kind: "nl.doorstroom.bed.freed.v1".into(),
        tags: Vec::new(),
        occurred_at: moment.as_micros(),
        source: "urn:nld:kvknr:09220932:systeem:ecd".into(),
        content_type: content_type.into(),
        bytes: Bytes::from_static(bytes),
        leaf: [0; 32],
    };
    let json = record(31_917, ContentType::StructuredJson.as_str(), b"{\"specversion\":\"1.0\"}");
    let binary = record(31_918, ContentType::Binary.as_str(), b"ce-specversion: 1.0\n\n");
    let events = vec![event(&json)?, event(&binary)?];
    serde_json::to_value(Answer { events, next_after: 31_918, head: 40_000 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(request: Value) -> Result<Asked, &'static str> {
        let Value::Object(fields) = request else { panic!("no object") };
        Asked::parse(fields).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_request_is_read_strictly() {
        let asked = parse(json!({"region": "zk23", "after": 7, "limit": 5, "types": ["bed.freed"]})).unwrap();
        assert_eq!((asked.after, asked.limit), (7, 5));
        assert_eq!(asked.types, ["nl.doorstroom.bed.freed.v1".into()]);
        assert_eq!(parse(json!({"types": ["nl.doorstroom.bed.freed.v1"]})).unwrap().types, asked.types);
        assert_eq!(parse(json!({})).unwrap().limit, EVENTS_USUAL);
        for (request, code) in [
            (json!({"regio": "zk23"}), "unknown_field"),
            (json!({"region": "ZK 23"}), "malformed"),
            (json!({"after": -1}), "malformed"),
            (json!({"limit": 0}), "malformed"),
            (json!({"limit": EVENTS_MAX + 1}), "malformed"),
            (json!({"types": "bed.freed"}), "malformed"),
            (json!({"types": ["bed.stolen"]}), "unknown_type"),
            (json!({"types": ["nl.doorstroom.log.quarantined.v1"]}), "unknown_type"),
        ] {
            assert_eq!(parse(request.clone()), Err(code), "{request}");
        }
    }
}
