//! The answer of the recorder for one event, as protobuf and as JSON.
//!
//! Not here: when which answer is given (`recorder`).

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hash::{ContentHash, ContentHashError};
use crate::wire;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// On stable storage.
    Recorded,
    /// It was there already.
    Duplicate,
    /// Something else was recorded under this source and id; that one stands.
    Conflict,
    /// Kept aside with the reason; not an event of the log.
    Quarantined,
    /// The condition of the request did not hold; nothing was appended.
    ConditionFailed,
    /// Not recorded, for no fault of the event: send again.
    Failed,
}

impl Outcome {
    /// The word that JSON, metrics and people see: `recorded`, `condition-failed`, ….
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Quarantined => "quarantined",
            Self::ConditionFailed => "condition-failed",
            Self::Failed => "failed",
        }
    }
}

/// The answer for one event. A sender forgets an event only on a receipt with an equal content hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What became of the event.
    pub outcome: Outcome,
    /// The source of the event; empty if it could not be read.
    pub source: String,
    /// The id of the event; empty if it could not be read.
    pub id: String,
    /// The hash of the bytes this answers.
    pub content_hash: ContentHash,
    /// Where it is in the log (of a conflict: what stands).
    pub position: Option<u64>,
    /// When the log recorded it.
    pub recorded_at: Option<Timestamp>,
    /// Why it is not recorded, for programs; empty if it is.
    pub code: String,
    /// Why it is not recorded, a sentence for people; empty if it is.
    pub reason: String,
}

/// The bytes are no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Not the JSON of a receipt.
    #[error("not a receipt in JSON")]
    Json(#[source] serde_json::Error),
    /// An outcome this version does not know.
    #[error("a receipt with the unknown outcome {0}: this program is older than the recorder")]
    Outcome(i32),
    /// The hash is no hash.
    #[error("a receipt without a content hash")]
    Hash(#[source] ContentHashError),
    /// The time is no time.
    #[error("a receipt whose recorded_at is no time")]
    Time(#[source] domain::TimestampError),
}

/// The JSON of a receipt.
#[derive(Serialize, Deserialize)]
struct JsonReceipt {
    outcome: Outcome,
    #[serde(default)]
    source: String,
    #[serde(default)]
    id: String,
    content_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
}

impl Receipt {
    /// One JSON object; what is empty or absent is left out.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "writing to memory cannot fail")]
    pub fn to_json(&self) -> Vec<u8> {
        let json = JsonReceipt {
            outcome: self.outcome,
            source: self.source.clone(),
            id: self.id.clone(),
            content_hash: self.content_hash.to_string(),
            position: self.position,
            recorded_at: self.recorded_at.map(|moment| moment.to_string()),
            code: self.code.clone(),
            reason: self.reason.clone(),
        };
        serde_json::to_vec(&json).expect("a receipt is strings and numbers")
    }

    /// Reads what [`Receipt::to_json`] writes; unknown fields are ignored.
    ///
    /// # Errors
    /// If the bytes are not the JSON of a receipt.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let json: JsonReceipt = serde_json::from_slice(bytes).map_err(ReceiptError::Json)?;
        Ok(Self {
            outcome: json.outcome,
            source: json.source,
            id: json.id,
            content_hash: json.content_hash.parse().map_err(ReceiptError::Hash)?,
            position: json.position,
            recorded_at: json.recorded_at.map(|text| text.parse()).transpose().map_err(ReceiptError::Time)?,
            code: json.code,
            reason: json.reason,
        })
    }

    /// As the protobuf message.
    #[must_use]
    pub fn to_proto(&self) -> wire::Receipt {
        let outcome = match self.outcome {
            Outcome::Recorded => wire::Outcome::Recorded,
            Outcome::Duplicate => wire::Outcome::Duplicate,
            Outcome::Conflict => wire::Outcome::Conflict,
            Outcome::Quarantined => wire::Outcome::Quarantined,
            Outcome::ConditionFailed => wire::Outcome::ConditionFailed,
            Outcome::Failed => wire::Outcome::Failed,
        };
        wire::Receipt {
            outcome: outcome.into(),
            source: self.source.clone(),
            id: self.id.clone(),
            content_hash: self.content_hash.as_bytes().to_vec().into(),
            position: self.position.unwrap_or_default(),
            recorded_at: self.recorded_at.map(|moment| moment.to_string()).unwrap_or_default(),
            code: self.code.clone(),
            reason: self.reason.clone(),
        }
    }

    /// From the protobuf message.
    ///
    /// # Errors
    /// If the outcome is unknown, or the hash or the time is none.
    pub fn from_proto(message: wire::Receipt) -> Result<Self, ReceiptError> {
        let unknown = ReceiptError::Outcome(message.outcome);
        let outcome = match wire::Outcome::try_from(message.outcome) {
            Ok(wire::Outcome::Recorded) => Outcome::Recorded,
            Ok(wire::Outcome::Duplicate) => Outcome::Duplicate,
            Ok(wire::Outcome::Conflict) => Outcome::Conflict,
            Ok(wire::Outcome::Quarantined) => Outcome::Quarantined,
            Ok(wire::Outcome::ConditionFailed) => Outcome::ConditionFailed,
            Ok(wire::Outcome::Failed) => Outcome::Failed,
            Ok(wire::Outcome::Unspecified) | Err(_) => return Err(unknown),
        };
        let recorded_at = (!message.recorded_at.is_empty()).then(|| message.recorded_at.parse());
        Ok(Self {
            outcome,
            source: message.source,
            id: message.id,
            content_hash: ContentHash::try_from(&*message.content_hash).map_err(ReceiptError::Hash)?,
            position: (message.position != 0).then_some(message.position),
            recorded_at: recorded_at.transpose().map_err(ReceiptError::Time)?,
            code: message.code,
            reason: message.reason,
        })
    }
}
