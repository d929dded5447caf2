//! The edge: from a message to events that may be recorded, or the reason why not. Pure.
//!
//! The order of the checks: size, envelope and version; the region and sender of the subject against the envelope
//! and the registry; what the source may send, about whom, and on whose behalf; whether it is signed where it must be.
//! Not here: whether a signature is right (`signed`), whether it was recorded before (the log decides).

use std::collections::HashMap;

use bus::subjects::{InSubject, ReceiptSubject, RecordSubject};
use bytes::Bytes;
use contracts::signature::{Unchecked, unchecked};
use contracts::{ContentHash, ContentType, DecodeError, Decoded, Received, event_key, wire};
use domain::{Event, Fact, Timestamp};
use eventlog::{AppendCondition, QUERY_ITEMS_MAX, QueryItem};
use network::{Kind, Network, Signature, Source};

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
    /// Why the client can not read it, if so: its bytes are kept, and nothing is looked at.
    pub(crate) unreadable: Option<&'static str>,
}

impl Message {
    /// The memory it takes, in bytes, about.
    pub(crate) fn weight(&self) -> usize {
        let header = |(name, value): &(String, String)| name.len().saturating_add(value.len());
        let headers = self.headers.iter().map(header).fold(0_usize, usize::saturating_add);
        self.subject.len().saturating_add(self.payload.len()).saturating_add(headers)
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether its sender says that it speaks protobuf, without a look at the body.
    pub(crate) fn says_protobuf(&self) -> bool {
        self.header("ce-specversion").is_none()
            && self.header("content-type").is_some_and(|text| text.starts_with(bus::PROTOBUF))
    }
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
    /// Its signature, still to be checked, and the keys of which one must have made it.
    pub(crate) signed: Option<(Unchecked, Vec<[u8; 32]>)>,
}

/// Why it may not, and who it says it is from, where that could be read.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) source: String,
    pub(crate) id: String,
    /// Whether somebody may have tried what is not theirs.
    pub(crate) security: bool,
    /// Whether it is only counted, because its sender had so much refused that no more is kept.
    pub(crate) counted: bool,
}

/// The codes of what somebody tried that is not theirs.
const SECURITY_CODES: [&str; 5] =
    ["region_mismatch", "not_your_source", "not_your_bed", "on_behalf", BAD_SIGNATURE];
/// The code of a signature that is missing, or not of the source.
pub(crate) const BAD_SIGNATURE: &str = "bad_signature";

impl Refused {
    /// A refusal of something of which nothing is known.
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let security = SECURITY_CODES.contains(&code);
        Self {
            code,
            detail: detail.into(),
            source: String::new(),
            id: String::new(),
            security,
            counted: false,
        }
    }

    /// A refusal of this event.
    pub(crate) fn of(event: &Event, code: &'static str, detail: impl Into<String>) -> Self {
        Self { source: event.source.to_string(), id: event.id.to_string(), ..Self::new(code, detail) }
    }
}

/// A request that is refused as a whole, before its events are looked at.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) code: &'static str,
    pub(crate) reason: String,
    /// Of the whole body.
    pub(crate) hash: ContentHash,
}

/// Reads and judges a message at this moment, which decides which keys are valid.
///
/// # Errors
/// When it is a request without events.
pub(crate) fn judge(network: &Network, now: Timestamp, message: &Message) -> Result<Request, Unfit> {
    let party = party(message);
    if let Some(reason) = message.unreadable {
        return Ok(put_aside(party, message, reason));
    }
    let unfit = |code, reason| Unfit { code, reason, hash: ContentHash::of(&message.payload) };
    let judge = |received| judge_event(network, now, party.as_ref(), received);
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
    // Without a party everything is refused, and nothing is asked of the log.
    let condition = party.as_ref().zip(request.condition);
    let condition = condition.map(|(party, condition)| in_region(&party.region, condition));
    Ok(Request { party, entries, condition, protobuf: true })
}

/// What is asked for by a message the client can not read: that its bytes are kept.
fn put_aside(party: Option<ReceiptSubject>, message: &Message, reason: &str) -> Request {
    let received = Received::structured(message.payload.clone());
    let detail = format!("the message can not be read: {reason}; send it again without that");
    let entry = Entry {
        raw: message.payload.clone(),
        content_type: received.content_type().to_owned(),
        hash: received.content_hash(),
        verdict: Err(Refused::new(contracts::Reason::Malformed.code(), detail)),
    };
    Request { party, entries: vec![entry], condition: None, protobuf: false }
}

/// A request of which nothing is taken, to be kept as one: sent again it would be refused again.
fn refused_whole(
    party: Option<ReceiptSubject>,
    message: &Message,
    code: &'static str,
    detail: String,
) -> Request {
    let refused = Refused::new(code, detail);
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
    if message.stream_sequence.is_some() || message.header("ce-specversion").is_some() {
        return Form::Event;
    }
    if message.header("content-type").is_some() {
        if !message.says_protobuf() {
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

/// The refusal of what is no event.
pub(crate) fn undecodable(error: &DecodeError) -> Refused {
    Refused::new(error.code.code(), error.to_string())
}

/// What is no event, but looks as what the broker itself says: somebody may have named a subject of ours as the place
/// for the broker's answer.
fn injected(payload: &Bytes) -> bool {
    let text = payload.trim_ascii_start();
    [&b"{\"stream\":"[..], b"{\"type\":\"io.nats.", b"{\"error\":{\"code\":"]
        .iter()
        .any(|known| text.starts_with(known))
}

/// Judges one event.
pub(crate) fn judge_event(
    network: &Network,
    now: Timestamp,
    party: Option<&ReceiptSubject>,
    received: Received,
) -> Result<Accepted, Refused> {
    let decoded = received.decode().map_err(|error| {
        let refused = undecodable(&error);
        Refused { security: injected(received.bytes()), ..refused }
    })?;
    let event = &decoded.event;
    let refused = |(code, detail): (&'static str, String)| Refused::of(event, code, detail);
    let source = source_of(network, party, event).map_err(refused)?;
    may_say(network, source, event).map_err(refused)?;
    let signed = signed(source, now, &received, &decoded).map_err(refused)?;
    let key = event_key(event);
    Ok(Accepted { received, decoded, key, signed })
}

/// A code and a sentence.
type No = (&'static str, String);

/// Who sends it: the subject, the envelope and the registry must say the same.
fn source_of<'a>(
    network: &'a Network,
    party: Option<&ReceiptSubject>,
    event: &Event,
) -> Result<&'a Source, No> {
    let Some(ReceiptSubject { region, sender }) = party else {
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
    Ok(source)
}

/// What it may say, about whom, and on whose behalf.
fn may_say(network: &Network, source: &Source, event: &Event) -> Result<(), No> {
    if !source.may_send(event.fact.kind()) {
        let detail = format!("{} may not send {}", source.id, event.fact.kind());
        return Err(("not_allowed", detail));
    }
    for location in event.fact.locations() {
        if !network.may_speak_for(source, location) {
            let detail = format!("{} does not speak for {location} in {}", source.id, source.region);
            return Err(("not_your_bed", detail));
        }
    }
    let (Fact::OfferAccepted { spoken_with, .. } | Fact::OfferDeclined { spoken_with, .. }) = &event.fact
    else {
        return Ok(());
    };
    // The word of a location counts, so it must be seen whose word it is: its own, or the desk's after a talk.
    match (source.kind, spoken_with) {
        (Kind::Location, None) | (Kind::Desk | Kind::Referrer | Kind::Centre | Kind::Node, Some(_)) => Ok(()),
        (Kind::Location, Some(_)) => {
            let detail = "a location answers an offer itself; leave spoken_with out, it is for a desk that writes down what a location said";
            Err(("on_behalf", detail.to_owned()))
        }
        (Kind::Desk | Kind::Referrer | Kind::Centre | Kind::Node, None) => {
            let detail =
                "only a location answers an offer; on its behalf say in spoken_with who said so there";
            Err(("on_behalf", detail.to_owned()))
        }
    }
}

/// A signature, and the keys one of which has to have made it.
type Signed = (Unchecked, Vec<[u8; 32]>);

/// The signature that is to be checked. A wrong one is refused also where none is asked for: it is no accident.
fn signed(
    source: &Source,
    now: Timestamp,
    received: &Received,
    decoded: &Decoded,
) -> Result<Option<Signed>, No> {
    match (unchecked(received, decoded), source.signature) {
        (Ok(Some(unchecked)), _) => {
            Ok(Some((unchecked, source.valid_keys(now).map(network::PublicKey::bytes).collect())))
        }
        (Ok(None), Signature::Optional) => Ok(None),
        (Ok(None), Signature::Required) => {
            Err((BAD_SIGNATURE, format!("{} must sign its events, and this one has no signature", source.id)))
        }
        (Err(error), _) => Err((BAD_SIGNATURE, error.to_string())),
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
        let detail = "the same id stands twice in this request, for different events";
        entry.verdict = Err(Refused::of(event, "id_twice", detail));
    }
}

/// The condition over events of the sender's region alone: whether it holds is an answer, and what happens in another
/// region is not for this sender to ask.
fn in_region(region: &domain::RegionId, condition: wire::AppendCondition) -> AppendCondition {
    let boxed = |texts: Vec<String>| texts.into_iter().map(String::into_boxed_str).collect();
    let here = format!("region:{region}");
    let item = |item: wire::QueryItem| {
        let mut tags = item.tags;
        tags.push(here.clone());
        QueryItem { types: boxed(item.types), tags: boxed(tags) }
    };
    AppendCondition { fail_if: condition.fail_if.into_iter().map(item).collect(), after: condition.after }
}
