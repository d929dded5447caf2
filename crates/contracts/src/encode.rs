//! Writes an event as a CloudEvent, structured or binary.
//!
//! What is written is what the domain knows: the bytes of somebody else's event are kept, never written anew.
//! Not here: the data (`to_wire`), reading (`received`).

use bytes::Bytes;
use domain::{Event, Names};
use serde::Serialize;

use crate::attributes::{JSON_DATA, PROTOBUF_DATA, percent_encoded};
use crate::recorded::event_type;
use crate::shape::Shape;
use crate::to_wire::{self, Sink};

/// The event as a structured CloudEvent: one JSON object, its fields in the order of the contract.
#[must_use]
pub fn encode_json(event: &Event) -> Bytes {
    to_wire::write(event, Structured(event))
}

/// The event in binary mode: its attributes as `ce-` headers, and the protobuf body.
#[must_use]
pub fn encode_binary(event: &Event) -> (Vec<(String, String)>, Bytes) {
    let body = to_wire::write(event, Protobuf);
    let headers = [
        ("ce-datacontenttype", PROTOBUF_DATA.to_owned()),
        ("ce-id", event.id.to_string()),
        ("ce-region", event.region.to_string()),
        ("ce-source", percent_encoded(event.source.as_str())),
        ("ce-specversion", "1.0".to_owned()),
        ("ce-subject", percent_encoded(&Names::of(event).subject())),
        ("ce-time", event.time.to_string()),
        ("ce-type", event_type(&event.fact)),
    ];
    (headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), body)
}

#[derive(Serialize)]
struct Envelope<'a, M> {
    specversion: &'a str,
    id: String,
    source: &'a str,
    r#type: String,
    time: String,
    subject: String,
    datacontenttype: &'a str,
    region: &'a str,
    data: &'a M,
}

struct Structured<'a>(&'a Event);

impl Sink for Structured<'_> {
    type Out = Bytes;

    #[expect(clippy::expect_used, reason = "writing strings and numbers to memory cannot fail")]
    fn take<M: Shape>(self, message: &M) -> Bytes {
        let Self(event) = self;
        let envelope = Envelope {
            specversion: "1.0",
            id: event.id.to_string(),
            source: event.source.as_str(),
            r#type: event_type(&event.fact),
            time: event.time.to_string(),
            subject: Names::of(event).subject(),
            datacontenttype: JSON_DATA,
            region: event.region.as_str(),
            data: message,
        };
        serde_json::to_vec(&envelope).expect("an event is strings and numbers").into()
    }
}

struct Protobuf;

impl Sink for Protobuf {
    type Out = Bytes;

    fn take<M: Shape>(self, message: &M) -> Bytes {
        message.encode_to_vec().into()
    }
}
