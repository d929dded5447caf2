//! `doorstroom asyncapi`: the bus as an AsyncAPI 3.0 document, made from the code that speaks on it.
//!
//! Subjects come from `bus::subjects`, events from `/proto` and the code that reads them, what the node says from
//! the code that says it. `proto/asyncapi.json` is this document; a test keeps it so.

mod proto;
mod schema;

use bus::outward::{KEY_HEADER, POSITION_HEADER, RECORDED_AT_HEADER};
use bus::subjects::{
    ACUTE_CORE, AVAILABILITY_BUCKET, AcuteSubject, EventName, HEAD, InSubject, LogSubject, ReceiptSubject,
    RecordSubject, RowKey, Service, ServiceSubject,
};
use contracts::{Ask, ContentHash, ContentType, Outcome, Receipt, Received};
use domain::{CareType, LocationId, RegionId, Timestamp};
use network::{CentreId, SenderName};
use serde_json::{Map, Value, json};
use views::Availability;

use self::schema::EventSchema;
use crate::failure::Failure;
use crate::out::Out;

/// Arguments of `doorstroom asyncapi`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doorstroom asyncapi > asyncapi.json")]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    let mut out = Out::new();
    out.line(text()?)?;
    out.flush()
}

/// The document as it is printed.
fn text() -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(&document()?)?)
}

/// The names that stand for the parts of a subject; where the code writes them, the document has `{…}`.
struct Names {
    region: RegionId,
    sender: SenderName,
    centre: CentreId,
    location: LocationId,
    event: EventName,
    kind: CentreId,
    care_type: CareType,
}

impl Names {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            region: "a-region".parse()?,
            sender: "a-sender".parse()?,
            centre: "a-centre".parse()?,
            location: "a-location".parse()?,
            event: "entity.event".parse()?,
            kind: "a-kind".parse()?,
            care_type: CareType::from("a-care-type"),
        })
    }

    /// A subject as the code writes it, as an address with parameters.
    fn address(subject: impl std::fmt::Display) -> String {
        let mut address = subject.to_string();
        for (name, parameter) in [
            ("a-region", "{region}"),
            ("a-sender", "{sender}"),
            ("a-centre", "{centre}"),
            ("a-location", "{location}"),
            ("entity.event", "{entity}.{event}"),
            ("a-kind", "{kind}"),
            ("a-care-type", "{care_type}"),
        ] {
            address = address.replace(name, parameter);
        }
        address
    }
}

fn document() -> Result<Value, Failure> {
    let events = schema::events();
    let (channels, operations) = channels(&events)?;
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Doorstroom",
            "version": "1.0.0",
            "description": "The bus of the Dutch bed desks: what happens to beds and referrals goes in, is recorded once, \
                and comes out as recorded events, as the board, and as alerts. Said from the side of a node: it receives \
                what others send. A message is a hint and a position; a client that sees a gap asks for the state again.",
            "license": { "name": "EUPL-1.2" },
        },
        "defaultContentType": ContentType::StructuredJson.as_str(),
        "servers": { "node": {
            "host": "127.0.0.1:4222",
            "protocol": "nats",
            "description": "TLS, with the certificate authority of the node (`ca.pem`). An account for each region, each \
                centre, and the core; a subject below is one of an account.",
            "security": [{ "$ref": "#/components/securitySchemes/nkey" }],
        } },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages(&events)?,
            "schemas": schemas(&events),
            "securitySchemes": { "nkey": {
                "type": "asymmetricEncryption",
                "description": "A NATS nkey: Ed25519, the seed in a file of the user's own, the public key in the network file.",
            } },
        },
    }))
}

/// One subject, and what a node does there.
struct Channel {
    name: &'static str,
    address: String,
    action: &'static str,
    words: &'static str,
    messages: Vec<String>,
    /// The channel on which it answers.
    reply: Option<&'static str>,
}

impl Channel {
    fn json(&self) -> Value {
        let messages: Map<String, Value> = self
            .messages
            .iter()
            .map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") })))
            .collect();
        let parameters: Map<String, Value> = PARAMETERS
            .iter()
            .filter(|(name, _)| self.address.contains(&format!("{{{name}}}")))
            .map(|(name, words)| ((*name).to_owned(), json!({ "description": words })))
            .collect();
        let address = if self.address.is_empty() { Value::Null } else { json!(self.address) };
        let mut channel = json!({ "address": address, "description": self.words, "messages": messages });
        if let (Some(channel), false) = (channel.as_object_mut(), parameters.is_empty()) {
            channel.insert("parameters".to_owned(), Value::Object(parameters));
        }
        channel
    }

    fn operation(&self) -> Value {
        let channel = format!("#/channels/{}", self.name);
        let mut operation = json!({
            "action": self.action, "channel": { "$ref": channel }, "summary": self.words,
        });
        if let (Some(operation), Some(reply)) = (operation.as_object_mut(), self.reply) {
            let reply = json!({ "channel": { "$ref": format!("#/channels/{reply}") } });
            operation.insert("reply".to_owned(), reply);
        }
        operation
    }
}

const PARAMETERS: [(&str, &str); 8] = [
    ("region", "the code of a region, such as zk23"),
    ("sender", "what a source is called on the bus, such as zk23-de-linde"),
    ("entity", "what it happened to, such as bed"),
    ("event", "what happened, such as freed"),
    ("centre", "the code of a coordination centre, such as midden-nl"),
    ("kind", "offerable-below, crisis-unplaced or silent"),
    ("location", "a location, such as zk23-de-linde"),
    ("care_type", "a care type, such as ELV_HC"),
];

fn channels(events: &[EventSchema]) -> Result<(Value, Value), Failure> {
    let mut all = ways_in(events)?;
    all.extend(ways_out(events)?);
    all.extend(services());
    let channels: Map<String, Value> =
        all.iter().map(|channel| (channel.name.to_owned(), channel.json())).collect();
    let told = all.iter().filter(|channel| !channel.address.is_empty());
    let operations: Map<String, Value> =
        told.map(|channel| (format!("{}-{}", channel.action, channel.name), channel.operation())).collect();
    Ok((Value::Object(channels), Value::Object(operations)))
}

fn kinds(events: &[EventSchema]) -> Vec<String> {
    events.iter().map(|event| event.kind.to_owned()).collect()
}

fn ways_in(events: &[EventSchema]) -> Result<Vec<Channel>, Failure> {
    let Names { region, sender, event, .. } = Names::new()?;
    let mailbox = InSubject { region: region.clone(), sender: sender.clone(), event };
    let counter = RecordSubject { region: region.clone(), sender: sender.clone() };
    let receipts = ReceiptSubject { region, sender };
    let mut requests = kinds(events);
    requests.push("append-request".to_owned());
    Ok(vec![
        Channel {
            name: "mailbox",
            address: Names::address(mailbox),
            action: "receive",
            words: "An event into the mailbox of a region, a stream on disk; the receipt follows on its own subject. Keep \
                an event until a receipt with its content hash came.",
            messages: kinds(events),
            reply: None,
        },
        Channel {
            name: "counter",
            address: Names::address(counter),
            action: "receive",
            words: "Events to be recorded at once: one CloudEvent, or a batch in protobuf that is recorded whole or not at \
                all. The answer comes after the sync of the log, to an inbox of the sender.",
            messages: requests,
            reply: Some("counter-answer"),
        },
        Channel {
            name: "counter-answer",
            address: String::new(),
            action: "send",
            words: "The receipts of a request at the counter.",
            messages: vec!["receipts".to_owned(), "receipt".to_owned()],
            reply: None,
        },
        Channel {
            name: "receipts",
            address: Names::address(receipts),
            action: "send",
            words: "The receipts of what was put into the mailbox, and the question to send again what is still kept.",
            messages: vec!["receipt".to_owned(), "ask".to_owned()],
            reply: None,
        },
    ])
}

fn ways_out(events: &[EventSchema]) -> Result<Vec<Channel>, Failure> {
    let Names { region, centre, location, event, kind, care_type, .. } = Names::new()?;
    let key = |row: RowKey| format!("$KV.{AVAILABILITY_BUCKET}.{}", Names::address(row));
    let row = RowKey::Location { region: region.clone(), location, care_type: care_type.clone() };
    let sum = RowKey::Sum { region: region.clone(), care_type };
    let alarm = AcuteSubject { whom: ACUTE_CORE.parse()?, kind: "alarm".parse()? };
    let out = |name, address, words, messages| Channel {
        name,
        address,
        action: "send",
        words,
        messages,
        reply: None,
    };
    let one = |name: &str| vec![name.to_owned()];
    Ok(vec![
        out(
            "log",
            Names::address(LogSubject { region, event }),
            "Every recorded event once, in order: the bytes as they were received, with its place in the log in the headers.",
            events.iter().map(|event| recorded(event.kind)).collect(),
        ),
        out(
            "rows",
            key(row),
            "The latest row of a care type at a location, in the key-value bucket; deleted when it is gone.",
            one("row"),
        ),
        out("sums", key(sum), "The rows of a care type in a region together.", one("sum")),
        out(
            "head",
            HEAD.to_owned(),
            "The last position of the log, every ten seconds at least: the heartbeat.",
            one("head"),
        ),
        out(
            "alerts",
            Names::address(AcuteSubject { whom: centre, kind }),
            "What a coordination centre wants to be told at once, by the rules of the network file: raised and cleared.",
            one("alert"),
        ),
        out(
            "alarms",
            alarm.to_string(),
            "What the people who run the node have to know at once.",
            one("alarm"),
        ),
    ])
}

fn services() -> Vec<Channel> {
    let subject = |service| ServiceSubject { centre: None, service }.to_string();
    let asked = |name, service, words, message: &str, reply| Channel {
        name,
        address: subject(service),
        action: "receive",
        words,
        messages: vec![message.to_owned()],
        reply: Some(reply),
    };
    let answer = |name, words, message: &str| Channel {
        name,
        address: String::new(),
        action: "send",
        words,
        messages: vec![message.to_owned(), "refusal".to_owned()],
        reply: None,
    };
    vec![
        asked(
            "availability",
            Service::Availability,
            "The rows of the board; a centre gets those of its own regions.",
            "availability-request",
            "availability-answer",
        ),
        answer("availability-answer", "The rows that were asked for.", "availability-answer"),
        asked(
            "history",
            Service::History,
            "Recorded events from any position on; a centre gets those of its own regions.",
            "history-request",
            "history-answer",
        ),
        answer("history-answer", "The next recorded events that were asked for.", "history-answer"),
    ]
}

fn recorded(kind: &str) -> String {
    format!("recorded.{kind}")
}

fn messages(events: &[EventSchema]) -> Result<Value, Failure> {
    let mut messages = Map::new();
    for EventSchema { kind, example, .. } in events {
        let payload = json!({ "allOf": [
            { "$ref": "#/components/schemas/CloudEvent" },
            { "type": "object", "properties": {
                "type": { "const": format!("nl.doorstroom.{kind}.v1") },
                "data": { "$ref": format!("#/components/schemas/{kind}") },
            } },
        ] });
        let mut message = json!({
            "name": kind,
            "contentType": ContentType::StructuredJson.as_str(),
            "description": "structured JSON; in binary mode the attributes are `ce-` headers and the body is protobuf",
            "payload": payload,
            "examples": [{ "payload": example }],
        });
        messages.insert((*kind).to_owned(), message.clone());
        if let Some(message) = message.as_object_mut() {
            message.insert("headers".to_owned(), place());
            message.insert(
                "payload".to_owned(),
                json!({ "$ref": format!("#/components/messages/{kind}/payload") }),
            );
            message.remove("examples");
        }
        messages.insert(recorded(kind), message);
    }
    let made = gateway::examples()?;
    let (rows, sums) = board()?;
    let answer = json!({ "position": 31_917, "recorded_at": "2026-03-02T09:14:03.120Z", "rows": rows });
    for (name, examples) in [
        ("row", rows),
        ("sum", sums),
        ("head", made.heads),
        ("alert", made.alerts),
        ("alarm", made.alarms),
        ("receipt", receipts()?),
        ("ask", vec![serde_json::from_slice(&Ask { since_position: 1_204, why: "…".to_owned() }.to_json())?]),
        ("availability-answer", vec![answer]),
        ("history-answer", made.history),
        ("refusal", made.refusals),
    ] {
        messages.insert(name.to_owned(), of_examples(name, &examples));
    }
    messages.extend(requests());
    Ok(Value::Object(messages))
}

fn of_examples(name: &str, examples: &[Value]) -> Value {
    let content_type = match name {
        "alert" | "alarm" => ContentType::StructuredJson.as_str(),
        _ => "application/json",
    };
    let shown: Vec<Value> = examples.iter().map(|example| json!({ "payload": example })).collect();
    json!({ "name": name, "contentType": content_type, "payload": schema::inferred(examples), "examples": shown })
}

fn requests() -> Vec<(String, Value)> {
    let object = |properties: Value| json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let request = |name: &str, payload: Value| {
        (name.to_owned(), json!({ "name": name, "contentType": "application/json", "payload": payload }))
    };
    let text = json!({ "type": "string" });
    let protobuf = |name: &str, message: &str| {
        let words = format!("protobuf, message {message} of proto/doorstroom/v1/record.proto");
        let message = json!({
            "name": name, "contentType": bus::PROTOBUF, "description": words, "payload": { "type": "string", "format": "binary" },
        });
        (name.to_owned(), message)
    };
    let kinds = json!({ "type": "array", "items": { "type": "string", "enum": domain::Fact::KINDS } });
    vec![
        request(
            "availability-request",
            object(json!({ "region": text, "care_type": text, "location": text })),
        ),
        request(
            "history-request",
            object(json!({
                "region": text,
                "after": { "type": "integer", "minimum": 0, "description": "only positions above this one" },
                "limit": { "type": "integer", "minimum": 1, "maximum": 1_000 },
                "types": kinds,
            })),
        ),
        protobuf("append-request", "AppendRequest"),
        protobuf("receipts", "Receipts"),
    ]
}

/// The headers of a recorded event.
fn place() -> Value {
    let described = |words: &str| json!({ "type": "string", "description": words });
    json!({ "type": "object", "required": [POSITION_HEADER, RECORDED_AT_HEADER, KEY_HEADER], "properties": {
        POSITION_HEADER: described("its position in the log, decimal"),
        RECORDED_AT_HEADER: described("when it was recorded, RFC 3339"),
        KEY_HEADER: described("the first 16 bytes of SHA-256(source, 0x00, id), hex"),
    } })
}

fn schemas(events: &[EventSchema]) -> Value {
    let mut schemas = Map::new();
    schemas.insert("CloudEvent".to_owned(), schema::attributes());
    schemas.extend(schema::sealed().map(|(name, schema)| (name.to_owned(), schema)));
    for event in events {
        schemas.insert(event.kind.to_owned(), event.data.clone());
    }
    Value::Object(schemas)
}

/// A row and a sum, as the board makes them from two events.
fn board() -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let mut board = Availability::default();
    let wanted = schema::events().into_iter();
    for (event, position) in
        wanted.filter(|event| ["location.registered", "bed.added"].contains(&event.kind)).zip(1..)
    {
        let decoded = Received::structured(event.example.to_string().into()).decode()?;
        let recorded_at = Timestamp::from_micros(1_772_442_843_120_000);
        board.project(&domain::Recorded { position, recorded_at, event: decoded.event }, &mut Vec::new());
    }
    let rows = board.rows().map(serde_json::to_value).collect::<Result<_, _>>()?;
    let sums = board.regions().flat_map(|region| board.sums(region));
    Ok((rows, sums.map(serde_json::to_value).collect::<Result<_, _>>()?))
}

fn receipts() -> Result<Vec<Value>, Failure> {
    let recorded = Receipt {
        outcome: Outcome::Recorded,
        source: "urn:nld:kvknr:09220932:systeem:ecd".to_owned(),
        id: "019391f2-6f00-7a11-8c11-0d2f7a3b9c01".to_owned(),
        content_hash: ContentHash::of(b"example"),
        position: Some(31_917),
        recorded_at: Some(Timestamp::from_micros(1_772_442_843_120_000)),
        code: String::new(),
        reason: String::new(),
    };
    let quarantined = Receipt {
        outcome: Outcome::Quarantined,
        position: None,
        recorded_at: None,
        code: "not_your_bed".to_owned(),
        reason: "zk23-de-linde does not speak for zk23-de-eik".to_owned(),
        ..recorded.clone()
    };
    let both = [recorded, quarantined];
    both.iter().map(|receipt| Ok(serde_json::from_slice(&receipt.to_json())?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_in_proto_is_what_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/asyncapi.json");
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed.trim_end() == text().unwrap(),
            "proto/asyncapi.json is older than the code: doorstroom asyncapi > proto/asyncapi.json"
        );
    }

    #[test]
    fn every_subject_is_there_with_its_parameters() {
        let document = document().unwrap();
        let address = |name: &str| document["channels"][name]["address"].as_str().unwrap().to_owned();
        for (name, expected) in [
            ("mailbox", "in.{region}.{sender}.{entity}.{event}"),
            ("counter", "record.{region}.{sender}"),
            ("receipts", "receipt.{region}.{sender}"),
            ("log", "log.{region}.{entity}.{event}"),
            ("rows", "$KV.availability.{region}.loc.{location}.{care_type}"),
            ("sums", "$KV.availability.{region}.sum.{care_type}"),
            ("alerts", "acute.{centre}.{kind}"),
            ("alarms", "acute.core.alarm"),
            ("head", "head"),
            ("history", "svc.doorstroom.history"),
        ] {
            assert_eq!(address(name), expected);
        }
    }
}
