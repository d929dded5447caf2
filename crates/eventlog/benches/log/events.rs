//! The events that are measured with, made ahead so that making them is not measured, and their tags.

use bytes::Bytes;
use eventlog::{Clock as _, Key, NewRecord, QueryItem};

/// Which event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// 248 bytes, as a protobuf event of twelve fields is.
    Protobuf,
    /// 420 bytes, as an event of the reference day is.
    Json,
}

impl Shape {
    /// Bytes of content.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Shape::Protobuf => 248,
            Shape::Json => 420,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Shape::Protobuf => "application/protobuf",
            Shape::Json => "application/json",
        }
    }
}

/// Events with one order tag, adjacent in time.
pub(crate) const PER_ORDER: u64 = 10;
/// Customers, scattered over all events.
const CUSTOMERS: u64 = 50_000;
/// Events with one day tag, adjacent in time.
const PER_DAY: u64 = 10_000;

/// A number that looks random (splitmix64).
pub(crate) fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The key of an event: like a UUIDv7, time in front and the rest random.
pub(crate) fn key(number: u64) -> Key {
    let mut key = [0; 16];
    key[..6].copy_from_slice(&(0x0199_0000_0000 + number / 100).to_be_bytes()[2..]);
    key[6] = 0x70;
    key[8..].copy_from_slice(&scatter(number).to_be_bytes());
    Key(key)
}

/// The tag of an order.
pub(crate) fn order(number: u64) -> Box<str> {
    format!("order:{number}").into()
}

/// Everything about one order.
pub(crate) fn of_order(number: u64) -> QueryItem {
    QueryItem { types: Vec::new(), tags: vec![order(number)] }
}

/// Event number `number`: its order and day are shared with its neighbours, its customer is somebody's.
pub(crate) fn event(shape: Shape, number: u64) -> NewRecord {
    let length = usize::try_from(shape.bytes()).unwrap();
    let mut bytes = Vec::with_capacity(length);
    let mut word = number;
    while bytes.len() < length {
        word = scatter(word);
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.truncate(length);
    NewRecord {
        key: key(number),
        kind: ["order.placed", "order.paid", "order.shipped"][usize::try_from(number % 3).unwrap()].into(),
        tags: vec![
            order(number / PER_ORDER),
            format!("customer:{}", scatter(number) % CUSTOMERS).into(),
            format!("day:{}", number / PER_DAY).into(),
        ],
        // A second or so before it is recorded, as events are.
        occurred_at: eventlog::SystemClock.now() - 1_000_000,
        source: "urn:example:desk:12".into(),
        content_type: shape.content_type().into(),
        bytes: Bytes::from(bytes),
    }
}
