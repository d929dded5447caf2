//! The way out: what the gateway publishes for subscribers. The bucket `availability`, the streams `LOG_<r>`, the
//! stream `HEAD`.
//!
//! All of it is memory, derived from the log: it vanishes with the broker and is filled again. Not here: what is
//! published and when (`gateway`), making streams (`provisioner`), alerts (`acute`), answers to requests (`service`).

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use async_nats::header::{HeaderMap, HeaderName, HeaderValue, NATS_EXPECTED_LAST_SEQUENCE};
use async_nats::jetstream::context::Context;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{kv, stream};
use bytes::Bytes;
use domain::RegionId;
use futures::StreamExt;
use tokio::sync::watch;

use crate::connection::Bus;
use crate::subjects::{AVAILABILITY_BUCKET as BUCKET, LogSubject, log_stream};

/// The header with the position of a recorded event.
pub const POSITION_HEADER: &str = "Doorstroom-Position";
/// The header with the moment an event was recorded.
pub const RECORDED_AT_HEADER: &str = "Doorstroom-Recorded-At";
/// The header with the key of a recorded event, in hex.
pub const KEY_HEADER: &str = "Doorstroom-Key";

pub(crate) const HEAD_STREAM: &str = "HEAD";
/// How long the entries of the bucket may take to arrive: they are a few MiB from memory.
const LIST_WAIT_MAX: Duration = Duration::from_secs(20);
/// Why something did not get out.
#[derive(Debug, thiserror::Error)]
pub enum OutwardError {
    /// A stream or bucket can not be made or read.
    #[error("the broker does not give {what}; check its memory limits and the rights of this user")]
    Provision {
        /// The stream or bucket.
        what: String,
        /// What the client says.
        #[source]
        source: async_nats::Error,
    },
    /// A message was not stored.
    #[error("the broker did not store a message on {subject}; it is published again")]
    Publish {
        /// Where it should have gone.
        subject: String,
        /// What the client says.
        #[source]
        source: async_nats::Error,
    },
    /// The bucket did not hand out all its entries.
    #[error("the entries of the bucket {BUCKET} did not all arrive; they are asked for again")]
    List,
    /// A header can not be sent as it is.
    #[error("the header {name} of a message on {subject} can not be sent")]
    Header {
        /// Where the message should have gone.
        subject: String,
        /// The name of the header.
        name: String,
    },
}

/// How much of the recorded events a stream `LOG_<r>` keeps; older ones go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// At most this old.
    pub age: Duration,
    /// At most this much, in bytes; the broker sets this aside for every region.
    pub bytes: u32,
}

impl Default for Window {
    /// A week, and 8 MiB.
    fn default() -> Self {
        Self { age: Duration::from_hours(7 * 24), bytes: 8 * 1024 * 1024 }
    }
}

/// What a stream `LOG_<r>` ends with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTail {
    /// The stream's own number of its last message; 0 for none yet.
    pub sequence: u64,
    /// The last recorded event that is in it.
    pub last: Option<Published>,
}

/// A recorded event that is in a stream, by its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its position in the log.
    pub position: u64,
    /// Its key, in hex.
    pub key: String,
}

/// What is published on a subject of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The subject.
    pub subject: String,
    /// Its headers, in order.
    pub headers: Vec<(String, String)>,
    /// Its bytes.
    pub payload: Bytes,
}

/// A message whose headers can be sent.
#[derive(Clone, Debug)]
pub struct Prepared {
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
}

impl Outbound {
    /// Checks the headers.
    ///
    /// # Errors
    /// When one of them can not be sent as it is.
    pub fn prepare(self) -> Result<Prepared, OutwardError> {
        let Self { subject, headers, payload } = self;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let parsed = (HeaderName::from_str(&name), HeaderValue::from_str(&value));
            let (Ok(header), Ok(value)) = parsed else {
                return Err(OutwardError::Header { subject, name });
            };
            map.append(header, value);
        }
        Ok(Prepared { subject, headers: map, payload })
    }
}

/// Resolves to the sequence in the stream once the broker has stored the message.
pub struct Stored(Pin<Box<dyn Future<Output = Result<u64, OutwardError>> + Send>>);

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").finish_non_exhaustive()
    }
}

impl Future for Stored {
    type Output = Result<u64, OutwardError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

/// The way out over one connection. Messages are stored in the order they are handed over.
#[derive(Clone, Debug)]
pub struct Outward {
    bus: Bus,
    jetstream: Context,
}

impl Outward {
    /// The way out over this connection.
    #[must_use]
    pub fn new(bus: &Bus) -> Self {
        Self { bus: bus.clone(), jetstream: bus.jetstream().clone() }
    }

    /// Tells of every loss of the connection from now on.
    #[must_use]
    pub fn losses(&self) -> Losses {
        let mut losses = self.bus.losses();
        losses.mark_unchanged();
        Losses(losses)
    }

    /// The bucket `availability`.
    ///
    /// # Errors
    /// [`OutwardError::Provision`] when there is none, or the broker does not give it.
    pub async fn rows(&self) -> Result<Rows, OutwardError> {
        let store = self.jetstream.get_key_value(BUCKET).await.map_err(|source| OutwardError::Provision {
            what: format!("the bucket {BUCKET}"),
            source: source.into(),
        })?;
        Ok(Rows { store, jetstream: self.jetstream.clone() })
    }

    /// What the stream `LOG_<r>` of this region ends with.
    ///
    /// # Errors
    /// [`OutwardError::Provision`] when there is no such stream, or the broker does not give it.
    pub async fn log_stream(&self, region: &RegionId) -> Result<LogTail, OutwardError> {
        let state = self.state_of(log_stream(region)).await?;
        let last = if state.messages == 0 { None } else { self.last_published(region).await? };
        Ok(LogTail { sequence: state.last_sequence, last })
    }

    /// Looks whether there is the stream that keeps the last head.
    ///
    /// # Errors
    /// [`OutwardError::Provision`] when there is none, or the broker does not give it.
    pub async fn head_stream(&self) -> Result<(), OutwardError> {
        self.state_of(HEAD_STREAM.to_owned()).await.map(drop)
    }

    async fn state_of(&self, stream: String) -> Result<stream::State, OutwardError> {
        let found = self.jetstream.get_stream(&stream).await;
        match found {
            Ok(found) => Ok(found.cached_info().state.clone()),
            Err(source) => {
                Err(OutwardError::Provision { what: format!("the stream {stream}"), source: source.into() })
            }
        }
    }

    /// Hands a message over. With `after`, the broker stores it only if the last message of the stream has exactly
    /// this sequence, so that what follows a message that was not stored is not stored either.
    ///
    /// # Errors
    /// When it can not be handed over; whether it is stored is the answer of [`Stored`].
    pub async fn publish(&self, message: Prepared, after: Option<u64>) -> Result<Stored, OutwardError> {
        let Prepared { subject, headers, payload } = message;
        let mut publish = PublishMessage::build().payload(payload);
        if !headers.is_empty() {
            publish = publish.headers(headers);
        }
        if let Some(sequence) = after {
            publish = publish.expected_last_sequence(sequence);
        }
        send(&self.jetstream, subject, publish).await
    }

    /// Hands a message over as [`Outward::publish`] does, without an answer of its own: the broker stores what
    /// follows it, by its sequence, only if it stored this.
    ///
    /// # Errors
    /// When it can not be handed over.
    pub async fn post(&self, message: Prepared, after: u64) -> Result<(), OutwardError> {
        let Prepared { subject, mut headers, payload } = message;
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, HeaderValue::from(after));
        let posted = self.bus.client().publish_with_headers(subject.clone(), headers, payload).await;
        posted.map_err(|source| OutwardError::Publish { subject, source: source.into() })
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.bus
    }

    async fn last_published(&self, region: &RegionId) -> Result<Option<Published>, OutwardError> {
        let name = log_stream(region);
        let failed = |source: async_nats::Error| OutwardError::Provision {
            what: format!("the last message of the stream {name}"),
            source,
        };
        let stream = self.jetstream.get_stream_no_info(&name).await.map_err(|error| failed(error.into()))?;
        let message = match stream.get_last_raw_message_by_subject(&LogSubject::all_of(region)).await {
            Ok(message) => message,
            // The last one left between the two questions.
            Err(error) if matches!(error.kind(), stream::LastRawMessageErrorKind::NoMessageFound) => {
                return Ok(None);
            }
            Err(error) => return Err(failed(error.into())),
        };
        let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
        let position = header(POSITION_HEADER).and_then(|value| value.parse().ok());
        // A message without them is not ours: position 0 is no event, so that the reader sees a foreign stream.
        Ok(Some(Published { position: position.unwrap_or(0), key: header(KEY_HEADER).unwrap_or_default() }))
    }
}

/// Tells of losses of the connection.
#[derive(Debug)]
pub struct Losses(watch::Receiver<u64>);

impl Losses {
    /// Resolves at the next loss; never, once the connection is closed for good.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The bucket `availability`.
#[derive(Clone, Debug)]
pub struct Rows {
    store: kv::Store,
    jetstream: Context,
}

impl Rows {
    /// Every entry there is, by key.
    ///
    /// # Errors
    /// When the broker is lost before all have arrived.
    pub async fn all(&self) -> Result<BTreeMap<String, Bytes>, OutwardError> {
        tokio::time::timeout(LIST_WAIT_MAX, self.list()).await.map_err(|_elapsed| OutwardError::List)?
    }

    /// Puts the value of a key.
    ///
    /// # Errors
    /// As [`Outward::publish`].
    pub async fn put(&self, key: &str, value: Bytes) -> Result<Stored, OutwardError> {
        send(&self.jetstream, format!("$KV.{BUCKET}.{key}"), PublishMessage::build().payload(value)).await
    }

    /// Deletes a key; a watcher sees it go.
    ///
    /// # Errors
    /// As [`Outward::publish`].
    pub async fn delete(&self, key: &str) -> Result<Stored, OutwardError> {
        let marker = PublishMessage::build().header("KV-Operation", "DEL");
        send(&self.jetstream, format!("$KV.{BUCKET}.{key}"), marker).await
    }

    async fn list(&self) -> Result<BTreeMap<String, Bytes>, OutwardError> {
        let failed = |source: async_nats::Error| OutwardError::Provision {
            what: format!("the bucket {BUCKET}"),
            source,
        };
        let info = self.store.stream.get_info().await.map_err(|error| failed(error.into()))?;
        let mut entries = BTreeMap::new();
        if info.state.messages == 0 {
            return Ok(entries);
        }
        let mut watch = self.store.watch_with_history(">").await.map_err(|error| failed(error.into()))?;
        while let Some(entry) = watch.next().await {
            let entry = entry.map_err(|error| failed(error.into()))?;
            let complete = entry.delta == 0;
            if entry.operation == kv::Operation::Put {
                entries.insert(entry.key, entry.value);
            }
            if complete {
                return Ok(entries);
            }
        }
        Err(OutwardError::List)
    }
}

async fn send(jetstream: &Context, subject: String, publish: PublishMessage) -> Result<Stored, OutwardError> {
    let stored = match jetstream.send_publish(subject.clone(), publish).await {
        Ok(stored) => stored,
        Err(source) => return Err(OutwardError::Publish { subject, source: source.into() }),
    };
    Ok(Stored(Box::pin(async move {
        match stored.await {
            Ok(ack) => Ok(ack.sequence),
            Err(source) => Err(OutwardError::Publish { subject, source: source.into() }),
        }
    })))
}
