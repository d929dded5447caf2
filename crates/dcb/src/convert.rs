//! Messages and records: what a client says in the words of the log, and back.
//!
//! A record holds the event in its own protobuf, so everything of it comes back as it was and two events are the same
//! when their bytes are. Its type and tags are beside that for the index.
//!
//! Not here: what is allowed to be how large (`eventlog`), the order of reading (`read`).

use std::borrow::Cow;

use eventlog::{AppendCondition, Batch, Key, NewRecord, QUERY_ITEMS_MAX, QueryItem, ReadError, Record};
use prost::Message as _;
use tonic::Status;
use uuid::Uuid;

use crate::status::{corruption, invalid, of_read};
use crate::wire::{self, Event, SequencedEvent, TrackingInfo};

const CONTENT_TYPE: &str = "application/protobuf; message=umadb.v1.SequencedEvent";
const SOURCE: &str = "umadb.v1.DCB";

/// What the tags of the log begin with that are ours. No tag of a client may begin so.
const OWN: char = '\0';

/// The tag of what was appended in the name of a source.
pub(crate) fn tracking_tag(source: &str) -> Box<str> {
    format!("{OWN}tracking:{source}").into()
}

/// Everything of a request to append, with a new key for every event without a UUID.
pub(crate) fn batch(
    events: Vec<Event>,
    condition: Option<wire::AppendCondition>,
    tracking: Option<&TrackingInfo>,
) -> Result<Batch, Status> {
    let records = events
        .into_iter()
        .enumerate()
        .map(|(index, event)| record(event, tracking).map_err(|reason| about_event(index, &reason)))
        .collect::<Result<_, Status>>()?;
    let condition = condition.map(append_condition).transpose()?;
    Ok(Batch { records, condition, ..Batch::default() })
}

/// A condition; without items it excludes everything, as a query without items means everything.
pub(crate) fn append_condition(condition: wire::AppendCondition) -> Result<AppendCondition, Status> {
    let mut fail_if = items(condition.fail_if_events_match)?;
    if fail_if.is_empty() {
        fail_if.push(QueryItem::default());
    }
    Ok(AppendCondition { fail_if, after: condition.after.unwrap_or(0) })
}

/// The items of a query; none is everything.
pub(crate) fn items(query: Option<wire::Query>) -> Result<Vec<QueryItem>, Status> {
    let items = query.map(|query| query.items).unwrap_or_default();
    // Now, not when there is something to look at: a subscription may wait long for that.
    let found = items.len();
    if found > QUERY_ITEMS_MAX {
        return Err(of_read(&ReadError::TooManyItems { found, max: QUERY_ITEMS_MAX }));
    }
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            if let Some(reason) = own_tag(&item.tags) {
                return Err(invalid(format!("item {index} of the query: {reason}")));
            }
            Ok(QueryItem { types: boxed(item.types), tags: boxed(item.tags) })
        })
        .collect()
}

/// A record as the client gets it.
pub(crate) fn sequenced(record: Record) -> Result<SequencedEvent, Status> {
    let position = record.position;
    let stored = SequencedEvent::decode(record.bytes).map_err(|error| {
        corruption(format!("what is recorded at position {position} is no event: {error}"))
    })?;
    Ok(SequencedEvent { position, ..stored })
}

fn record(mut event: Event, tracking: Option<&TrackingInfo>) -> Result<NewRecord, Cow<'static, str>> {
    if let Some(reason) = own_tag(&event.tags) {
        return Err(reason.into());
    }
    let key = if event.uuid.is_empty() {
        Uuid::now_v7()
    } else {
        let uuid = Uuid::parse_str(&event.uuid).map_err(|error| format!("its UUID is none: {error}"))?;
        // One way of writing it, so that the same event has the same bytes.
        event.uuid = uuid.to_string();
        uuid
    };
    let stored = SequencedEvent { position: 0, event: Some(event), tracking_info: tracking.cloned() };
    let bytes = stored.encode_to_vec().into();
    let event = stored.event.unwrap_or_default();
    let mut tags = boxed(event.tags);
    tags.extend(tracking.map(|tracking| tracking_tag(&tracking.source)));
    // A tag that stands there twice is one entry of the index.
    tags.sort_unstable();
    tags.dedup();
    Ok(NewRecord {
        key: Key(key.into_bytes()),
        kind: event.event_type.into(),
        tags,
        // The wire does not say.
        occurred_at: 0,
        source: SOURCE.into(),
        content_type: CONTENT_TYPE.into(),
        bytes,
    })
}

fn about_event(index: usize, reason: &str) -> Status {
    invalid(format!("event {index} of the request: {reason}; nothing was appended"))
}

fn own_tag(tags: &[String]) -> Option<&'static str> {
    tags.iter().any(|tag| tag.starts_with(OWN)).then_some("no tag may begin with the character NUL")
}

fn boxed(names: Vec<String>) -> Vec<Box<str>> {
    names.into_iter().map(String::into_boxed_str).collect()
}
