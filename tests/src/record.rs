//! Events as the recorder would append them.

use contracts::Received;
use eventlog::{Key, NewRecord};

/// The record of an event that came as a line of JSON.
///
/// # Panics
/// If it is no event.
#[must_use]
pub fn record_of(line: &str) -> NewRecord {
    record(&Received::structured(line.to_owned().into()))
}

/// The record of an event that came.
///
/// # Panics
/// If it is no event.
#[must_use]
pub fn record(received: &Received) -> NewRecord {
    let event = received.decode().unwrap().event;
    NewRecord {
        key: Key(contracts::event_key(&event)),
        kind: contracts::event_type(&event.fact).into(),
        tags: contracts::tags(&event),
        occurred_at: event.occurred_at.as_micros(),
        source: event.source.as_str().into(),
        content_type: received.content_type().into(),
        bytes: received.bytes().clone(),
    }
}
