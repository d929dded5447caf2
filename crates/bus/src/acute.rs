//! The streams `ACUTE_<centre>` and `ACUTE_core`: what was published at once, to compare with and to watch.
//!
//! Not here: what an alert is (`views`, `gateway`), who makes the streams (the provisioner).

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, push};
use bytes::Bytes;
use futures::StreamExt as _;

use crate::outward::{Outward, OutwardError};
use crate::subjects::acute_stream;

/// How long what a stream of alerts holds may take to arrive: it is a few thousand messages from memory.
const LIST_WAIT_MAX: Duration = Duration::from_secs(20);
/// Messages of one stream that are looked at, the newest: more than any window of alerts holds.
const MESSAGES_MAX: usize = 20_000;

/// What was published for a centre: an alert, or an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcuteMessage {
    /// `acute.<centre>.<kind>`, as [`AcuteSubject`](crate::subjects::AcuteSubject) reads it.
    pub subject: String,
    /// A CloudEvent, JSON.
    pub payload: Bytes,
}

impl Outward {
    /// What the stream of this centre holds, oldest first.
    ///
    /// # Errors
    /// When there is no such stream, or the broker is lost before all has arrived.
    pub async fn acute(&self, whom: &str) -> Result<VecDeque<AcuteMessage>, OutwardError> {
        tokio::time::timeout(LIST_WAIT_MAX, self.list_acute(whom))
            .await
            .map_err(|_elapsed| incomplete(whom))?
    }

    async fn list_acute(&self, whom: &str) -> Result<VecDeque<AcuteMessage>, OutwardError> {
        let what = || format!("the stream {}", acute_stream(whom));
        let failed = |source: async_nats::Error| OutwardError::Provision { what: what(), source };
        let stream = self.bus().jetstream().get_stream(acute_stream(whom)).await;
        let stream = stream.map_err(|error| failed(error.into()))?;
        let mut held = VecDeque::new();
        if stream.cached_info().state.messages == 0 {
            return Ok(held);
        }
        let config = push::OrderedConfig {
            deliver_subject: self.bus().client().new_inbox(),
            deliver_policy: DeliverPolicy::All,
            ..push::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(|error| failed(error.into()))?;
        let mut messages = consumer.messages().await.map_err(|error| failed(error.into()))?;
        while let Some(message) = messages.next().await {
            let message = message.map_err(|error| failed(error.into()))?;
            let pending = message.info().map_err(failed)?.pending;
            if held.len() >= MESSAGES_MAX {
                held.pop_front();
            }
            let message = message.message;
            held.push_back(AcuteMessage { subject: message.subject.to_string(), payload: message.payload });
            if pending == 0 {
                return Ok(held);
            }
        }
        Err(incomplete(whom))
    }
}

fn incomplete(whom: &str) -> OutwardError {
    OutwardError::Provision {
        what: format!("the whole stream {}", acute_stream(whom)),
        source: "it did not all arrive; it is asked for again".into(),
    }
}
