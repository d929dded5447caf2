//! The records that the log keeps of its own: what could not be an event, what became of it, what the bus lost.
//!
//! Not here: when they are made (`recorder`), events (`recorded`).

use bytes::Bytes;
use prost::Message as _;

use crate::recorded::{CONFLICT_KIND, QUARANTINED_KIND};
use crate::wire;

/// The log's record that another stream, or another state of it, counts from here on: [`wire::BusEpoch`].
pub const BUS_EPOCH_KIND: &str = "nl.doorstroom.bus.epoch.v1";
/// The log's record of messages that the bus accepted and the recorder never got: [`wire::BusGap`].
pub const BUS_GAP_KIND: &str = "nl.doorstroom.bus.gap.v1";
/// The log's record that a message kept aside is an event after all: [`wire::QuarantineReleased`].
pub const QUARANTINE_RELEASED_KIND: &str = "nl.doorstroom.quarantine.released.v1";
/// The log's record that a message kept aside stays so for good: [`wire::QuarantineDiscarded`].
pub const QUARANTINE_DISCARDED_KIND: &str = "nl.doorstroom.quarantine.discarded.v1";
/// The log's record of messages that were refused beyond what is kept of a sender: [`wire::QuarantineSummary`].
pub const QUARANTINE_SUMMARY_KIND: &str = "nl.doorstroom.quarantine.summary.v1";

/// Every type of record that is no event of the domain.
pub const OWN_KINDS: [&str; 7] = [
    QUARANTINED_KIND,
    CONFLICT_KIND,
    BUS_EPOCH_KIND,
    BUS_GAP_KIND,
    QUARANTINE_RELEASED_KIND,
    QUARANTINE_DISCARDED_KIND,
    QUARANTINE_SUMMARY_KIND,
];

/// A record of the log's own, read.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnRecord {
    /// A message that could not be recorded as an event.
    Quarantined(wire::Quarantined),
    /// A message whose source and id were used before for something else.
    Conflict(wire::Conflict),
    /// Another stream counts from here on.
    BusEpoch(wire::BusEpoch),
    /// Messages that the recorder never got.
    BusGap(wire::BusGap),
    /// A message kept aside became an event.
    QuarantineReleased(wire::QuarantineReleased),
    /// A message kept aside stays so.
    QuarantineDiscarded(wire::QuarantineDiscarded),
    /// Messages that were only counted.
    QuarantineSummary(wire::QuarantineSummary),
}

/// A record of the log's own can not be read.
#[derive(Debug, thiserror::Error)]
pub enum OwnRecordError {
    /// It is none, or of a newer version.
    #[error("{0} is no type of record that this program knows")]
    Unknown(String),
    /// Its bytes are not what its type says.
    #[error("the stored bytes are no {kind}")]
    Malformed {
        /// What they should be.
        kind: &'static str,
        /// What is wrong with them.
        #[source]
        source: prost::DecodeError,
    },
}

impl OwnRecord {
    /// Reads the stored bytes of a record of this type.
    ///
    /// # Errors
    /// If the type is none of [`OWN_KINDS`], or the bytes are not of that type.
    pub fn decode(kind: &str, bytes: Bytes) -> Result<Self, OwnRecordError> {
        let Some(kind) = OWN_KINDS.into_iter().find(|known| *known == kind) else {
            return Err(OwnRecordError::Unknown(kind.to_owned()));
        };
        let read = match kind {
            QUARANTINED_KIND => wire::Quarantined::decode(bytes).map(Self::Quarantined),
            CONFLICT_KIND => wire::Conflict::decode(bytes).map(Self::Conflict),
            BUS_EPOCH_KIND => wire::BusEpoch::decode(bytes).map(Self::BusEpoch),
            BUS_GAP_KIND => wire::BusGap::decode(bytes).map(Self::BusGap),
            QUARANTINE_RELEASED_KIND => wire::QuarantineReleased::decode(bytes).map(Self::QuarantineReleased),
            QUARANTINE_DISCARDED_KIND => {
                wire::QuarantineDiscarded::decode(bytes).map(Self::QuarantineDiscarded)
            }
            _ => wire::QuarantineSummary::decode(bytes).map(Self::QuarantineSummary),
        };
        read.map_err(|source| OwnRecordError::Malformed { kind, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_of_the_log_s_own_is_read_and_what_is_none_is_said_to_be_none() {
        for kind in OWN_KINDS {
            assert!(OwnRecord::decode(kind, Bytes::new()).is_ok(), "{kind}");
            let malformed = OwnRecord::decode(kind, Bytes::from_static(b"\xff\xff"));
            assert!(matches!(malformed, Err(OwnRecordError::Malformed { .. })), "{kind}: {malformed:?}");
        }
        let event = OwnRecord::decode("nl.doorstroom.bed.freed.v1", Bytes::new());
        assert!(matches!(event, Err(OwnRecordError::Unknown(_))), "{event:?}");
    }
}
