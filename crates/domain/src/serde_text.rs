//! How moments and event types look in what is serialised: readable where people read, small where machines do.
//!
//! Not here: the wire form of events (`contracts`).

/// A moment: RFC 3339 text in formats for people (JSON), microseconds in snapshots.
pub(crate) mod moment {
    use alloc::string::{String, ToString};

    use crate::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
    pub(crate) fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&moment.to_string())
        } else {
            moment.as_micros().serialize(serializer)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Timestamp::from_micros)
        }
    }
}

/// The type of an event, such as `bed.freed`.
pub(crate) mod kind {
    use alloc::string::String;

    use crate::Fact;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(kind: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Fact::KINDS.iter().copied().find(|kind| *kind == text);
        known.ok_or_else(|| D::Error::custom("not an event type of this version"))
    }
}
