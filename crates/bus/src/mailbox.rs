//! Reading a region's mailbox in its order, and acknowledging what is recorded.
//!
//! Not here: what is done with a message (`recorder`), making the mailbox (`provision`).

use std::time::Duration;

use async_nats::jetstream::{self, consumer};
use bytes::Bytes;
use domain::RegionId;
use futures::StreamExt as _;

use crate::Bus;
use crate::provision::{CONSUMER, PULL_MAX};
use crate::subjects::mailbox_stream;

/// One pull stays open this long when the mailbox is empty.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// The broker says it lives this often while a pull is open.
const PULL_HEARTBEAT: Duration = Duration::from_secs(5);

/// Why a mailbox can not be read (any more). Open it again after a while.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// The stream or its consumer is not there, or the broker does not answer.
    #[error("the mailbox {stream} can not be opened: {reason}; provision it, or wait for the broker")]
    Open {
        /// The stream.
        stream: String,
        /// What the broker says.
        reason: String,
    },
    /// Reading stopped.
    #[error("reading the mailbox {stream} stopped: {reason}; open it again")]
    Stopped {
        /// The stream.
        stream: String,
        /// What the broker says.
        reason: String,
    },
}

/// A message from the mailbox. Given out again unless it is acknowledged within 30 s.
#[derive(Debug)]
pub struct Delivery {
    /// Where it was published, exactly.
    pub subject: String,
    /// Its headers, as they came.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub payload: Bytes,
    /// Its number in the stream. No identity: a broker that lost its disk counts again.
    pub stream_sequence: u64,
    /// With which it is acknowledged.
    pub ticket: Ticket,
}

/// The right to acknowledge one message.
pub struct Ticket(Box<jetstream::message::Acker>);

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket")
    }
}

impl Ticket {
    /// Says that the message is recorded. A hint: if it is lost, the message comes again and is a duplicate.
    pub async fn acknowledge(self) {
        if let Err(error) = self.0.ack().await {
            tracing::debug!(%error, "an acknowledgement was not sent; the message will come again");
        }
    }
}

/// The open mailbox of one region.
pub struct Mailbox {
    stream: String,
    messages: consumer::pull::Stream,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl Mailbox {
    /// The next message, in the order of the stream.
    ///
    /// # Errors
    /// When the broker is gone, the consumer is deleted or a heartbeat is missed.
    pub async fn next(&mut self) -> Result<Delivery, MailboxError> {
        let stopped = |reason: String| MailboxError::Stopped { stream: self.stream.clone(), reason };
        let message = match self.messages.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(stopped(error.to_string())),
            None => return Err(stopped("the broker ended it".to_owned())),
        };
        let stream_sequence = message.info().map_err(|error| stopped(error.to_string()))?.stream_sequence;
        let (message, acker) = message.split();
        Ok(Delivery {
            subject: message.subject.to_string(),
            headers: headers(message.headers.as_ref()),
            payload: message.payload,
            stream_sequence,
            ticket: Ticket(Box::new(acker)),
        })
    }
}

impl Bus {
    /// Opens the mailbox of a region; the first message is the first that was never acknowledged.
    ///
    /// # Errors
    /// When it is not provisioned or the broker does not answer.
    pub async fn open_mailbox(&self, region: &RegionId) -> Result<Mailbox, MailboxError> {
        let stream = mailbox_stream(region);
        let refused = |reason: String| MailboxError::Open { stream: stream.clone(), reason };
        let consumer: consumer::PullConsumer = self
            .jetstream()
            .get_consumer_from_stream(CONSUMER, &*stream)
            .await
            .map_err(|error| refused(error.to_string()))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL_MAX)
            .expires(PULL_EXPIRES)
            .heartbeat(PULL_HEARTBEAT)
            .messages()
            .await
            .map_err(|error| refused(error.to_string()))?;
        Ok(Mailbox { stream, messages })
    }
}

/// Sorted by name: the client keeps them in no order, and what is kept of a message must be the same each time.
pub(crate) fn headers(map: Option<&async_nats::HeaderMap>) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = map
        .into_iter()
        .flat_map(async_nats::HeaderMap::iter)
        .flat_map(|(name, values)| {
            values.iter().map(move |value| (name.to_string(), value.as_str().to_owned()))
        })
        .collect();
    headers.sort();
    headers
}
