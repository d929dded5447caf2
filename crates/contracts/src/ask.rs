//! What the recorder asks of a sender, on the subject of its receipts.
//!
//! Not here: when it is asked (`recorder`), and what is still kept (`bus`).

use serde::{Deserialize, Serialize};

/// The one thing that is asked.
const SEND_AGAIN: &str = "send-again";

/// "Send again what you still keep": the bus lost something on its way, or the log went back to an older copy. JSON,
/// `{"ask":"send-again","since_position":1204,"why":"…"}`. Told from a receipt by `ask`, which no receipt has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Everything is to be sent again that has no receipt, or was receipted at a later position than this; 0 is all.
    pub since_position: u64,
    /// Why, a sentence for people.
    pub why: String,
}

/// The bytes are no such question.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Not the JSON of one.
    #[error("not the JSON of something that is asked")]
    Json(#[source] serde_json::Error),
    /// Something that this version does not know.
    #[error("something is asked that this program does not know: it is older than the recorder")]
    Unknown,
}

#[derive(Serialize, Deserialize)]
struct JsonAsk {
    ask: String,
    #[serde(default)]
    since_position: u64,
    #[serde(default)]
    why: String,
}

impl Ask {
    /// One JSON object.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "writing to memory cannot fail")]
    pub fn to_json(&self) -> Vec<u8> {
        let json = JsonAsk {
            ask: SEND_AGAIN.to_owned(),
            since_position: self.since_position,
            why: self.why.clone(),
        };
        serde_json::to_vec(&json).expect("it is strings and a number")
    }

    /// Reads what [`Ask::to_json`] writes; unknown fields are ignored.
    ///
    /// # Errors
    /// If the bytes are something else.
    pub fn from_json(bytes: &[u8]) -> Result<Self, AskError> {
        let JsonAsk { ask, since_position, why } = serde_json::from_slice(bytes).map_err(AskError::Json)?;
        if ask != SEND_AGAIN {
            return Err(AskError::Unknown);
        }
        Ok(Self { since_position, why })
    }
}
