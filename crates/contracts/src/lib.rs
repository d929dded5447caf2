//! The event contract: how an event looks on the wire, and what it means to the domain.
//!
//! An event travels as a CloudEvent, either structured (one JSON object) or binary (`ce-` headers and a protobuf body).
//! [`Received`] holds its bytes as the log stores them; [`Received::decode`] reads them strictly into a
//! [`domain::Event`]; [`encode_json`] and [`encode_binary`] write one. One hand-written mapping serves both forms,
//! because the protobuf messages of `/proto` carry the fields of the JSON under the same names.
//!
//! Not here: rules about what may happen (`domain`), who may say it (`network`), and how messages travel (`bus`).

mod act;
mod ask;
mod attributes;
mod encode;
mod error;
mod fields;
mod from_wire;
mod hash;
mod json;
mod matched;
mod own;
mod receipt;
mod received;
mod recorded;
mod shape;
pub mod signature;
mod to_wire;
pub mod wire;

pub use act::{ACT_BY_BYTES_MAX, ACT_REASON_BYTES_MAX, Act, ActError, ActOutcome, Acted};
pub use ask::{Ask, AskError};
pub use encode::{encode_binary, encode_json};
pub use error::{DecodeError, Reason};
pub use hash::{ContentHash, ContentHashError, event_key, key};
pub use own::{
    BUS_EPOCH_KIND, BUS_GAP_KIND, OWN_KINDS, OwnRecord, OwnRecordError, QUARANTINE_DISCARDED_KIND,
    QUARANTINE_RELEASED_KIND, QUARANTINE_SUMMARY_KIND,
};
pub use receipt::{Outcome, Receipt, ReceiptError};
pub use received::{ContentType, Decoded, Received};
pub use recorded::{
    CONFLICT_KIND, QUARANTINED_KIND, event_type, event_type_of, is_event_kind, recorded, tags,
};

/// The most bytes an event may have as the log stores it: what the NL GOV profile asks every intermediary to forward.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
