//! What an operator asks to be done with a message that was kept aside, and the answer. JSON, so that any NATS client
//! can ask.
//!
//! Not here: what is done (`recorder`), who may ask (the broker's rights).

use serde::{Deserialize, Serialize};

/// The longest name of an operator, in bytes: a name, not a story.
pub const ACT_BY_BYTES_MAX: usize = 64;
/// The longest reason, in bytes: a few sentences.
pub const ACT_REASON_BYTES_MAX: usize = 1_000;

/// "Do this with what was kept aside there." `{"position":1204,"by":"j.smit","reason":"…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Where the message was kept aside.
    pub position: u64,
    /// Who asks for it, 1 to [`ACT_BY_BYTES_MAX`] bytes.
    pub by: String,
    /// Why, at most [`ACT_REASON_BYTES_MAX`] bytes; a message is not discarded without one.
    #[serde(default)]
    pub reason: String,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActOutcome {
    /// The message is an event of the log.
    Released,
    /// The message stays kept aside for good.
    Discarded,
    /// Nothing changed.
    Refused,
}

/// The answer; the same again however often it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// What became of it.
    pub outcome: ActOutcome,
    /// Where the log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Where the event is, if it was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_position: Option<u64>,
    /// Who did it, if it is done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Why it is refused, for programs; empty if it is not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The reason that was given; why it is refused, if it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The bytes are no such question or answer.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// Not the JSON of one.
    #[error("not the JSON of an act on a message that was kept aside")]
    Json(#[source] serde_json::Error),
    /// Nobody says that it was them.
    #[error("`by` must say who asks, in at most {ACT_BY_BYTES_MAX} bytes and without line breaks")]
    By,
    /// It is a story.
    #[error("the reason must have at most {ACT_REASON_BYTES_MAX} bytes")]
    Reason,
}

impl Act {
    /// One JSON object.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "writing to memory cannot fail")]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("it is strings and a number")
    }

    /// Reads what [`Act::to_json`] writes; unknown fields are ignored.
    ///
    /// # Errors
    /// If the bytes are something else, or a text is empty or too long.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ActError> {
        let act: Self = serde_json::from_slice(bytes).map_err(ActError::Json)?;
        if act.by.trim().is_empty() || act.by.len() > ACT_BY_BYTES_MAX || act.by.contains(char::is_control) {
            return Err(ActError::By);
        }
        if act.reason.len() > ACT_REASON_BYTES_MAX {
            return Err(ActError::Reason);
        }
        Ok(act)
    }
}

impl Acted {
    /// One JSON object; what is empty or absent is left out.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "writing to memory cannot fail")]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("it is strings and numbers")
    }

    /// Reads what [`Acted::to_json`] writes; unknown fields are ignored.
    ///
    /// # Errors
    /// If the bytes are something else.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ActError> {
        serde_json::from_slice(bytes).map_err(ActError::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_says_who_asks_and_is_no_story() {
        let act = Act { position: 7, by: "j.smit".to_owned(), reason: "the registry was wrong".to_owned() };
        assert_eq!(Act::from_json(&act.to_json()).unwrap(), act);
        for by in [String::new(), "  ".to_owned(), "a\nb".to_owned(), "x".repeat(ACT_BY_BYTES_MAX + 1)] {
            let refused = Act::from_json(&Act { by, ..act.clone() }.to_json());
            assert!(matches!(refused, Err(ActError::By)), "{refused:?}");
        }
        let story = Act { reason: "x".repeat(ACT_REASON_BYTES_MAX + 1), ..act };
        assert!(matches!(Act::from_json(&story.to_json()), Err(ActError::Reason)));
    }

    #[test]
    fn an_answer_leaves_out_what_it_does_not_say() {
        let acted = Acted {
            outcome: ActOutcome::Refused,
            position: None,
            event_position: None,
            by: String::new(),
            code: "not_allowed".to_owned(),
            reason: "it may not".to_owned(),
        };
        let json = acted.to_json();
        assert_eq!(
            String::from_utf8_lossy(&json),
            r#"{"outcome":"refused","code":"not_allowed","reason":"it may not"}"#
        );
        assert_eq!(Acted::from_json(&json).unwrap(), acted);
    }
}
