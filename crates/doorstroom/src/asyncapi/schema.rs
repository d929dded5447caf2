//! JSON schemas of what travels on the bus.
//!
//! The fields of an event are those of `/proto`; whether one is required is asked of the code that reads events, by
//! leaving it out. What the node makes itself is described by examples that its own code made.

use contracts::Received;
use domain::{
    AgeBand, CareType, ClosedReason, ContactKind, DeclineCode, Destination, DivertedReason, ExclusionCode,
    Feature, ItemState, LocationMode, Origin, Period, PlanItem, Purpose, Role, RuleSet, StopReason,
    Timestamp, Urgency, WaitingFor, WithdrawnReason,
};
use serde_json::{Map, Value, json};

use super::proto::{self, Field, Message};

/// A moment, an id and a location of the examples.
const MOMENT: &str = "2026-03-02T09:10:00Z";
const ID: &str = "019391f2-6f00-7a11-8c11-0d2f7a3b9c01";

/// The message of `/proto` that every event may have, and where its data is.
const SEALED: &str = "Sealed";
const DATA: &str = "/data";

/// What an event of the contract looks like.
pub(super) struct EventSchema {
    /// The short name, such as `bed.freed`.
    pub(super) kind: &'static str,
    /// Of its `data`.
    pub(super) data: Value,
    /// A whole one, with every field.
    pub(super) example: Value,
}

/// Of what is sealed, which is the same in every type.
pub(super) fn sealed() -> Option<(&'static str, Value)> {
    let messages = proto::messages();
    let (kind, message) = ("bed.freed", proto::of_kind(&messages, "bed.freed")?);
    let mut example = envelope(kind);
    *example.get_mut("data")? = sample(&messages, kind, message);
    let sealed = messages.iter().find(|message| message.name == SEALED)?;
    Some((SEALED, of_message(&messages, kind, sealed, &mut example, "/data/sealed")))
}

/// Of every type of the contract.
pub(super) fn events() -> Vec<EventSchema> {
    let messages = proto::messages();
    let kinds = domain::Fact::KINDS.iter();
    kinds.filter_map(|kind| event(&messages, kind, proto::of_kind(&messages, kind)?)).collect()
}

fn event(messages: &[Message], kind: &'static str, message: &Message) -> Option<EventSchema> {
    let mut example = envelope(kind);
    *example.get_mut("data")? = sample(messages, kind, message);
    let data = of_message(messages, kind, message, &mut example, DATA);
    Some(EventSchema { kind, data, example })
}

/// The attributes of an event; which are required is asked of the code that reads them.
pub(super) fn attributes() -> Value {
    let mut example = envelope("bed.freed");
    let data = json!({"occurred_at": MOMENT, "location": "zk23-de-linde", "bed": "12"});
    if let Some(slot) = example.get_mut("data") {
        *slot = data;
    }
    let names: Vec<String> = example.as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
    let required: Vec<&String> = names.iter().filter(|name| is_required(&mut example, "", name)).collect();
    let mut schema = inferred(std::slice::from_ref(&example));
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove("data");
        let mut describe = |name: &str, words: &str| {
            if let Some(property) = properties.get_mut(name).and_then(Value::as_object_mut) {
                property.insert("description".to_owned(), json!(words));
            }
        };
        describe("id", "unique within the source; a UUIDv7");
        describe("source", "who sends, as the network file has it");
        describe("time", "when the source logged it");
        describe("region", "whose desk it concerns");
        describe("sequence", "the gapless counter of the source");
        describe("correlationid", "the story it belongs to: the referral");
        describe("causationid", "the event it follows from");
        describe(
            "signature",
            "Ed25519 by the key of the source, base64url without padding, over the bytes as sent with an empty value here",
        );
    }
    put(&mut schema, "required", json!(required));
    schema
}

fn envelope(kind: &str) -> Value {
    json!({
        "specversion": "1.0", "id": ID, "source": "urn:nld:kvknr:09220932:systeem:ecd",
        "type": format!("nl.doorstroom.{kind}.v1"), "time": "2026-03-02T09:14:03.120Z", "subject": "zk23-de-linde/12",
        "datacontenttype": "application/json", "region": "zk23", "sequence": "0000000042", "correlationid": ID,
        "causationid": ID, "signature": "A".repeat(86), "data": {},
    })
}

/// The schema of the message at `path` of the example.
fn of_message(messages: &[Message], kind: &str, message: &Message, example: &mut Value, path: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in &message.fields {
        if is_required(example, path, field.name) {
            required.push(field.name);
        }
        let mut schema = match messages.iter().find(|message| message.name == field.kind) {
            Some(codes) if codes.name == "Codes" => strings(field),
            Some(sealed) if sealed.name == SEALED && path == DATA => {
                json!({ "$ref": format!("#/components/schemas/{SEALED}") })
            }
            Some(inner) => {
                let item = if field.repeated { "/0" } else { "" };
                of_message(messages, kind, inner, example, &format!("{path}/{}{item}", field.name))
            }
            None => scalar(kind, field),
        };
        if field.repeated {
            schema = json!({"type": "array", "items": schema});
        }
        if !field.comment.is_empty() {
            put(&mut schema, "description", json!(field.comment));
        }
        properties.insert(field.name.to_owned(), schema);
    }
    json!({"type": "object", "properties": properties, "required": required})
}

/// Whether an event without this field is no event.
fn is_required(example: &mut Value, path: &str, name: &str) -> bool {
    let Some(taken) =
        example.pointer_mut(path).and_then(Value::as_object_mut).and_then(|all| all.remove(name))
    else {
        return false;
    };
    let refused = Received::structured(example.to_string().into()).decode().is_err();
    if let Some(all) = example.pointer_mut(path).and_then(Value::as_object_mut) {
        all.insert(name.to_owned(), taken);
    }
    refused
}

/// A message with every field.
fn sample(messages: &[Message], kind: &str, message: &Message) -> Value {
    let mut all = Map::new();
    for field in &message.fields {
        let value = match messages.iter().find(|message| message.name == field.kind) {
            Some(codes) if codes.name == "Codes" => json!([text_of(kind, field.name).1]),
            Some(inner) => sample(messages, kind, inner),
            None => match field.kind {
                "string" => json!(text_of(kind, field.name).1),
                "bool" => json!(true),
                _ => json!(1),
            },
        };
        all.insert(field.name.to_owned(), if field.repeated { json!([value]) } else { value });
    }
    Value::Object(all)
}

fn scalar(kind: &str, field: &Field) -> Value {
    match field.kind {
        "string" => text_schema(kind, field),
        "bool" => json!({"type": "boolean"}),
        "uint32" | "uint64" => json!({"type": "integer", "minimum": 0}),
        _ => json!({"type": "integer"}),
    }
}

/// Codes where an empty list says something else than none.
fn strings(field: &Field) -> Value {
    json!({"type": "array", "items": text_schema("", field)})
}

fn text_schema(kind: &str, field: &Field) -> Value {
    match text_of(kind, field.name) {
        (Text::Moment, _) => json!({"type": "string", "format": "date-time"}),
        (Text::Uuid, _) => json!({"type": "string", "format": "uuid"}),
        (Text::Code(known), _) => json!({
            "type": "string", "examples": known,
            "description": "one of the examples; another code is kept and counted as other",
        }),
        (Text::Plain, example) => json!({"type": "string", "examples": [example]}),
    }
}

enum Text {
    Moment,
    Uuid,
    Code(&'static [&'static str]),
    Plain,
}

/// What a text is, by the name of its field (and where that means several things, by the type), and one that fits.
fn text_of(kind: &str, name: &str) -> (Text, &'static str) {
    let entity = kind.split('.').next().unwrap_or_default();
    let codes = match (name, entity) {
        ("care_type" | "care_types" | "outcome", _) => CareType::KNOWN,
        ("mode", _) => LocationMode::KNOWN,
        ("period", _) => Period::KNOWN,
        ("reason", "location") => StopReason::KNOWN,
        ("reason", "bed") => ClosedReason::KNOWN,
        ("reason", "referral") if kind.ends_with("withdrawn") => WithdrawnReason::KNOWN,
        ("reason", "referral") if kind.ends_with("diverted") => DivertedReason::KNOWN,
        ("features" | "constraints" | "spare", _) => Feature::KNOWN,
        ("origin", _) => Origin::KNOWN,
        ("urgency", _) => Urgency::KNOWN,
        ("age_band", _) => AgeBand::KNOWN,
        ("purpose", _) => Purpose::KNOWN,
        ("decided_by" | "by" | "spoken_with", _) => Role::KNOWN,
        ("code", "referral") => ExclusionCode::KNOWN,
        ("code", _) => DeclineCode::KNOWN,
        ("what", _) => WaitingFor::KNOWN,
        ("item", _) => PlanItem::KNOWN,
        ("state", _) => ItemState::KNOWN,
        ("destination", _) => Destination::KNOWN,
        ("kind", _) => ContactKind::KNOWN,
        ("rule_set", _) => RuleSet::KNOWN,
        _ => &[],
    };
    if let Some(first) = codes.first() {
        return (Text::Code(codes), first);
    }
    match (name, entity) {
        ("referral" | "stay" | "offer" | "contact" | "corrects", _) => (Text::Uuid, ID),
        ("at" | "until" | "since" | "due" | "answer_by" | "ready_since" | "moment", _)
        | ("from", "offer") => (Text::Moment, MOMENT),
        (name, _) if name.ends_with("_at") => (Text::Moment, MOMENT),
        ("from" | "to", "location") => (Text::Plain, "08:00"),
        ("days", _) => (Text::Plain, "mo"),
        ("location" | "wished", _) => (Text::Plain, "zk23-de-linde"),
        ("bed", _) => (Text::Plain, "12"),
        ("to_region" | "from_region" | "regions", _) => (Text::Plain, "zk01"),
        ("postcode4", _) => (Text::Plain, "3511"),
        ("area", _) => (Text::Plain, "35"),
        ("nonce" | "ciphertext", _) => (Text::Plain, "AAAA"),
        _ => (Text::Plain, "example"),
    }
}

/// The schema that all these examples fit: what all have is required.
pub(super) fn inferred(examples: &[Value]) -> Value {
    let mut types: Vec<&str> = examples.iter().map(type_of).collect();
    types.sort_unstable();
    types.dedup();
    let mut schema = match *types.as_slice() {
        [one] => json!({ "type": one }),
        _ => json!({ "type": types }),
    };
    let objects: Vec<&Map<String, Value>> = examples.iter().filter_map(Value::as_object).collect();
    if !objects.is_empty() {
        let mut names: Vec<&String> = objects.iter().flat_map(|object| object.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let property = |name: &&String| {
            let values: Vec<Value> = objects.iter().filter_map(|object| object.get(*name)).cloned().collect();
            ((*name).clone(), inferred(&values))
        };
        let in_all = |name: &&&String| objects.iter().all(|object| object.contains_key(**name));
        put(&mut schema, "required", json!(names.iter().filter(in_all).collect::<Vec<_>>()));
        put(&mut schema, "properties", Value::Object(names.iter().map(property).collect()));
    }
    let items: Vec<Value> = examples.iter().filter_map(Value::as_array).flatten().cloned().collect();
    if !items.is_empty() {
        put(&mut schema, "items", inferred(&items));
    }
    let mut texts = examples.iter().filter_map(Value::as_str).peekable();
    if texts.peek().is_some() && texts.all(|text| text.parse::<Timestamp>().is_ok()) {
        put(&mut schema, "format", json!("date-time"));
    }
    schema
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn put(schema: &mut Value, name: &str, value: Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_contract_is_described_by_an_event_that_is_read() {
        let events = events();
        assert_eq!(events.len(), domain::Fact::KINDS.len());
        for event in &events {
            let read = Received::structured(event.example.to_string().into()).decode();
            assert_eq!(read.map(|read| read.event.fact.kind()), Ok(event.kind));
        }
    }

    #[test]
    fn what_is_required_is_what_the_reader_of_events_requires() {
        let required = |kind: &str, pointer: &str| -> Vec<String> {
            let schema = events().into_iter().find(|event| event.kind == kind).unwrap().data;
            serde_json::from_value(schema.pointer(pointer).unwrap()["required"].clone()).unwrap()
        };
        assert_eq!(required("bed.freed", ""), ["occurred_at", "location", "bed"]);
        assert!(required("bed.added", "").contains(&"care_types".to_owned()));
        assert!(!required("bed.changed", "").contains(&"care_types".to_owned()));
        assert_eq!(required("stay.moved", "/properties/from"), ["location", "bed"]);
        let names: Vec<String> = serde_json::from_value(attributes()["required"].clone()).unwrap();
        assert_eq!(names, ["data", "id", "region", "source", "specversion", "time", "type"]);
    }
}
