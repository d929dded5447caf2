//! The edge: from a message to events that may be recorded, or the reason why not. Pure.
//!
//! The order of the checks: size, envelope and version; the region and sender of the subject against the envelope
//! and the registry; what the source may send. Not here: whether it was recorded before (the log decides).

use std::collections::HashMap;

use bus::subjects::{InSubject, ReceiptSubject, RecordSubject};
use bytes::Bytes;
use contracts::{ContentHash, ContentType, DecodeError, Decoded, Received, event_key, wire};
use domain::RegionId;
use eventlog::{AppendCondition, QUERY_ITEMS_MAX, QueryItem};
use network::{Network, SenderName, Signature};

/// Events of one request: it is held in memory as a whole, and one sender must not hold up the others.
pub const REQUEST_EVENTS_MAX: usize = 256;

/// A message as it came through a door.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Bytes,
    /// Its number in the mailbox; `None` at the counter.
    pub(crate) stream_sequence: Option<u64>,
}

/// What a message asks for.
#[derive(Debug)]
pub(crate) struct Request {
    /// Who sent it, as far as the subject says.
    pub(crate) party: Option<ReceiptSubject>,
    /// One per event, in the order of the request.
    pub(crate) entries: Vec<Entry>,
    /// Under which condition.
    pub(crate) condition: Option<AppendCondition>,
    /// Whether the sender asked in protobuf, and is answered so.
    pub(crate) protobuf: bool,
}

/// One event of a request.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its bytes as they came.
    pub(crate) raw: Bytes,
    /// What they were said to be.
    pub(crate) content_type: String,
    /// The hash of what the log stores, or would store.
    pub(crate) hash: ContentHash,
    /// Whether it may be recorded.
    pub(crate) verdict: Result<Accepted, Refused>,
}

/// An event that may be recorded.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// As it goes into the log.
    pub(crate) received: Received,
    pub(crate) decoded: Decoded,
    pub(crate) key: [u8; 16],
}

/// Why it may not, and who it says it is from, where that could be read.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) source: String,
    pub(crate) id: String,
}

/// A request that is refused as a whole, before its events are looked at.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) code: &'static str,
    pub(crate) reason: String,
    /// Of the whole body.
    pub(crate) hash: ContentHash,
}

/// Reads and judges a message.
///
/// # Errors
/// When it is a request without events.
pub(crate) fn judge(network: &Network, message: &Message) -> Result<Request, Unfit> {
    let party = party(message);
    let unfit = |code, reason| Unfit { code, reason, hash: ContentHash::of(&message.payload) };
    let judge = |received| judge_event(network, party.as_ref(), received);
    let request = match form(message) {
        Form::Event => {
            let headers = message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let received = Received::from_message(headers, message.payload.clone());
            let content_type = received.content_type().to_owned();
            let hash = received.content_hash();
            let entry = Entry { raw: message.payload.clone(), content_type, hash, verdict: judge(received) };
            return Ok(Request { party, entries: vec![entry], condition: None, protobuf: false });
        }
        Form::Unreadable(what) => {
            let malformed = contracts::Reason::Malformed.code();
            return Ok(refused_whole(party, message, malformed, format!("not an AppendRequest: {what}")));
        }
        Form::Append(request) => request,
    };
    match request.events.len() {
        0 => return Err(unfit("no_events", "the request has no events; put at least one in".to_owned())),
        1..=REQUEST_EVENTS_MAX => {}
        found => {
            let reason =
                format!("the request has {found} events, at most {REQUEST_EVENTS_MAX} are taken; split it");
            return Ok(refused_whole(party, message, "too_many_events", reason));
        }
    }
    let items = request.condition.as_ref().map_or(0, |condition| condition.fail_if.len());
    if items > QUERY_ITEMS_MAX {
        let reason = format!("the condition has {items} items, at most {QUERY_ITEMS_MAX} are taken");
        return Ok(refused_whole(party, message, "condition_too_large", reason));
    }
    let entry = |raw: wire::RawEvent| {
        let hash = ContentHash::of(&raw.bytes);
        let verdict = Received::from_stored(&raw.content_type, raw.bytes.clone())
            .map_err(|error| undecodable(&error))
            .and_then(&judge);
        Entry { raw: raw.bytes, content_type: raw.content_type, hash, verdict }
    };
    let mut entries: Vec<Entry> = request.events.into_iter().map(entry).collect();
    refuse_ids_used_twice(&mut entries);
    let condition = request.condition.map(condition);
    Ok(Request { party, entries, condition, protobuf: true })
}

/// A request of which nothing is taken, to be kept as one: sent again it would be refused again.
fn refused_whole(
    party: Option<ReceiptSubject>,
    message: &Message,
    code: &'static str,
    detail: String,
) -> Request {
    let refused = Refused { code, detail, source: String::new(), id: String::new() };
    let entry = Entry {
        raw: message.payload.clone(),
        content_type: bus::PROTOBUF.to_owned(),
        hash: ContentHash::of(&message.payload),
        verdict: Err(refused),
    };
    Request { party, entries: vec![entry], condition: None, protobuf: true }
}

/// How the body is to be read.
enum Form {
    Event,
    Append(wire::AppendRequest),
    Unreadable(String),
}

fn form(message: &Message) -> Form {
    let header = |wanted: &str| {
        message
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_str())
    };
    if message.stream_sequence.is_some() || header("ce-specversion").is_some() {
        return Form::Event;
    }
    if let Some(content_type) = header("content-type") {
        if !content_type.starts_with(bus::PROTOBUF) {
            return Form::Event;
        }
        return match bus::decode(message.payload.clone()) {
            Ok(request) => Form::Append(request),
            Err(what) => Form::Unreadable(what),
        };
    }
    // A client that sets no header: JSON begins with a brace, and no AppendRequest does.
    let first = message.payload.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_none_or(|byte| *byte == b'{') {
        return Form::Event;
    }
    let known = |event: &wire::RawEvent| {
        [ContentType::StructuredJson, ContentType::Binary]
            .iter()
            .any(|known| known.as_str() == event.content_type)
    };
    match bus::decode::<wire::AppendRequest>(message.payload.clone()) {
        Ok(request) if !request.events.is_empty() && request.events.iter().all(known) => {
            Form::Append(request)
        }
        Ok(_) | Err(_) => Form::Event,
    }
}

fn party(message: &Message) -> Option<ReceiptSubject> {
    if message.stream_sequence.is_some() {
        let InSubject { region, sender, event: _ } = message.subject.parse().ok()?;
        Some(ReceiptSubject { region, sender })
    } else {
        let RecordSubject { region, sender } = message.subject.parse().ok()?;
        Some(ReceiptSubject { region, sender })
    }
}

fn undecodable(error: &DecodeError) -> Refused {
    Refused { code: error.code.code(), detail: error.to_string(), source: String::new(), id: String::new() }
}

fn judge_event(
    network: &Network,
    party: Option<&ReceiptSubject>,
    received: Received,
) -> Result<Accepted, Refused> {
    let decoded = received.decode().map_err(|error| undecodable(&error))?;
    let may = may_send(network, party.map(|party| (&party.region, &party.sender)), &decoded);
    let event = &decoded.event;
    match may {
        Ok(()) => {
            let key = event_key(event);
            Ok(Accepted { received, decoded, key })
        }
        Err((code, detail)) => {
            Err(Refused { code, detail, source: event.source.to_string(), id: event.id.to_string() })
        }
    }
}

/// Who sends what: the subject, the envelope and the registry must say the same.
fn may_send(
    network: &Network,
    party: Option<(&RegionId, &SenderName)>,
    decoded: &Decoded,
) -> Result<(), (&'static str, String)> {
    let event = &decoded.event;
    let Some((region, sender)) = party else {
        return Err(("unknown_source", "the subject names no region and sender".to_owned()));
    };
    let Some(source) = network.source_named(region, sender.as_str()) else {
        let detail = format!("the network has no sender {sender} in {region}; add it to the network file");
        return Err(("unknown_source", detail));
    };
    if event.region != *region {
        let detail = format!("the event is about {}, and was sent in {region}", event.region);
        return Err(("region_mismatch", detail));
    }
    if network.source(&event.source).is_none() {
        // What it is called is anybody's text, and this goes into logs: the receipt and the kept bytes have it.
        let detail = "the network does not know the source of the event; add it to the network file";
        return Err(("unknown_source", detail.to_owned()));
    }
    if event.source != source.id {
        let detail =
            format!("{sender} speaks for {}, and the event says it is from {}", source.id, event.source);
        return Err(("not_your_source", detail));
    }
    if !source.may_send(event.fact.kind()) {
        let detail = format!("{} may not send {}", source.id, event.fact.kind());
        return Err(("not_allowed", detail));
    }
    match source.signature {
        Signature::Optional => Ok(()),
        // Refused rather than taken unchecked: whoever asks for signatures must not be misled.
        Signature::Required => {
            Err(("bad_signature", format!("{} must sign, and this version checks no signatures", source.id)))
        }
    }
}

/// One id for two different events in one request: which one stands is not for us to choose. The same event in other
/// bytes is a duplicate, and goes to the log in the bytes of the first, by which the log knows it for one.
fn refuse_ids_used_twice(entries: &mut [Entry]) {
    let mut first: HashMap<[u8; 16], usize> = HashMap::new();
    for index in 0..entries.len() {
        let (before, rest) = entries.split_at_mut(index);
        let Some(entry) = rest.first_mut() else { return };
        let Ok(accepted) = &mut entry.verdict else { continue };
        let known = *first.entry(accepted.key).or_insert(index);
        let Some(Entry { verdict: Ok(known), .. }) = before.get(known) else { continue };
        if known.decoded == accepted.decoded {
            accepted.received = known.received.clone();
            continue;
        }
        let event = &accepted.decoded.event;
        entry.verdict = Err(Refused {
            code: "id_twice",
            detail: "the same id stands twice in this request, for different events".to_owned(),
            source: event.source.to_string(),
            id: event.id.to_string(),
        });
    }
}

fn condition(condition: wire::AppendCondition) -> AppendCondition {
    let boxed = |texts: Vec<String>| texts.into_iter().map(String::into_boxed_str).collect();
    let item = |item: wire::QueryItem| QueryItem { types: boxed(item.types), tags: boxed(item.tags) };
    AppendCondition { fail_if: condition.fail_if.into_iter().map(item).collect(), after: condition.after }
}
