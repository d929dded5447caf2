//! What the log keeps of an event beside its bytes: its type and tags, and the way back from a record.
//!
//! Not here: the log itself (`eventlog`).

use bytes::Bytes;
use domain::{Event, Fact, Names, Recorded, Timestamp};

use crate::error::DecodeError;
use crate::received::Received;

/// The log's record of a message that could not be recorded as an event: [`crate::wire::Quarantined`].
pub const QUARANTINED_KIND: &str = "nl.doorstroom.log.quarantined.v1";

/// The log's record of a message whose source and id were used before for something else: [`crate::wire::Conflict`].
pub const CONFLICT_KIND: &str = "nl.doorstroom.log.conflict.v1";

const TYPE_PREFIX: &str = "nl.doorstroom.";

/// The version of every type that this program writes.
pub(crate) const VERSION: u32 = 1;

/// The CloudEvents type of a fact, such as `nl.doorstroom.bed.freed.v1`.
#[must_use]
pub fn event_type(fact: &Fact) -> String {
    event_type_of(fact.kind())
}

/// The CloudEvents type of a short kind such as `bed.freed`, as this program writes it.
#[must_use]
pub fn event_type_of(kind: &str) -> String {
    format!("{TYPE_PREFIX}{kind}.v{VERSION}")
}

/// The short kind and the version in a CloudEvents type; `None` if it is not shaped like ours.
pub(crate) fn kind_and_version(event_type: &str) -> Option<(&str, u32)> {
    let (kind, version) = event_type.strip_prefix(TYPE_PREFIX)?.rsplit_once(".v")?;
    let digits = !version.starts_with('0') && version.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| version.parse().ok().map(|version| (kind, version)))?
}

/// Whether log records of this type are events of the domain that [`recorded`] reads. Others are the log's own, such as
/// [`QUARANTINED_KIND`].
#[must_use]
pub fn is_event_kind(kind: &str) -> bool {
    kind_and_version(kind).is_some_and(|(kind, version)| version == VERSION && Fact::KINDS.contains(&kind))
}

/// What the log indexes of an event, each once: its region, and the locations, beds, stay, referral and offer it names,
/// such as `region:zk23`, `location:zk23-de-linde`, `bed:zk23-de-linde/12`, `stay:…`, `referral:…`, `offer:…`.
#[must_use]
pub fn tags(event: &Event) -> Vec<Box<str>> {
    Names::of(event).tags()
}

/// The event in a record of the log; `recorded_at` in microseconds since 1970.
///
/// # Errors
/// If the bytes are no event: they were written by a newer version, or the record is no event ([`is_event_kind`]).
pub fn recorded(
    position: u64,
    recorded_at: i64,
    content_type: &str,
    bytes: Bytes,
) -> Result<Recorded, DecodeError> {
    let event = Received::from_stored(content_type, bytes)?.decode()?.event;
    Ok(Recorded { position, recorded_at: Timestamp::from_micros(recorded_at), event })
}
