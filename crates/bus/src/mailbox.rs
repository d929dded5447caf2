//! Reading a region's mailbox in its order, and acknowledging what is recorded.
//!
//! The order holds over every interruption. The broker gives a message that was not acknowledged again only after a
//! while, and newer ones first; so each opening says where reading begins and sets the consumer there, and reading
//! stops as soon as something given out did not come. What comes twice is a duplicate. Where the numbers of the stream
//! leave something out, the next message says so.
//!
//! A message may have headers on which the client ends its connection, or itself. Such a message stands first when the
//! mailbox is opened again: it is then fetched as text, given out as unreadable, and the consumer is set past it.
//!
//! Not here: what is done with a message, where reading begins and what a hole means (`recorder`), making the mailbox
//! (`provision`).

mod sight;
mod unreadable;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, consumer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use domain::RegionId;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

pub use self::sight::{ConsumerSight, Sight, StreamSight};
use self::unreadable::unreadable;

use crate::Bus;
use crate::connection::Lost;
use crate::provision::{CONSUMER, PULL_MAX};
use crate::subjects::mailbox_stream;

/// One pull stays open this long when the mailbox is empty.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// The broker says it lives this often while a pull is open.
const PULL_HEARTBEAT: Duration = Duration::from_secs(5);
/// Messages given out whose tickets are still held: as many as the broker gives before it wants acknowledgements.
const GIVEN_OUT_MAX: u32 = 256;
/// The one header of an unreadable message: its header block as it came, in base64.
const UNREADABLE_HEADERS: &str = "unreadable-headers-base64";

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
    /// Its headers, as they came; of an unreadable message one, which holds them all in base64.
    pub headers: Vec<(String, String)>,
    /// Why the client can not read it, if so. Then it must be put aside.
    pub unreadable: Option<&'static str>,
    /// Its body.
    pub payload: Bytes,
    /// Its number in the stream. No identity: a broker that lost its disk counts again.
    pub stream_sequence: u64,
    /// Numbers before it of which the stream has nothing (any more), although it counted them.
    pub skipped: Option<RangeInclusive<u64>>,
    /// With which it is acknowledged.
    pub ticket: Ticket,
}

/// The right to acknowledge one message. Dropped without that, the message comes again.
pub struct Ticket {
    way: Way,
    /// Says to [`GivenOut`] that somebody still works on the message.
    _held: OwnedSemaphorePermit,
}

enum Way {
    Acknowledge(Box<jetstream::message::Acker>),
    /// It was never given out by the broker: the mailbox waits for this and goes past it.
    GoPast(oneshot::Sender<()>),
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket")
    }
}

impl Ticket {
    /// Says that the message is recorded. A hint: if it is lost, the message comes again and is a duplicate.
    pub async fn acknowledge(self) {
        match self.way {
            Way::Acknowledge(acker) => {
                if let Err(error) = acker.ack().await {
                    tracing::debug!(%error, "an acknowledgement was not sent; the message will come again");
                }
            }
            Way::GoPast(mailbox) => {
                if mailbox.send(()).is_err() {
                    tracing::debug!("the mailbox is closed; the unreadable message will come again");
                }
            }
        }
    }
}

/// The messages of one opening of a mailbox on which somebody still works.
#[derive(Clone, Debug)]
pub struct GivenOut(Arc<Semaphore>);

impl GivenOut {
    /// Whether there are none at this moment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.available_permits() >= usize::try_from(GIVEN_OUT_MAX).unwrap_or_default()
    }

    /// Waits until there are none. Cancel-safe.
    pub async fn settled(&self) {
        // The semaphore is never closed, so this can not fail.
        let _all = self.0.acquire_many(GIVEN_OUT_MAX).await;
    }
}

/// The open mailbox of one region.
pub struct Mailbox {
    stream: String,
    jetstream: jetstream::Context,
    consumer: consumer::PullConsumer,
    losses: watch::Receiver<u64>,
    given_out: Arc<Semaphore>,
    /// The number of the last message given out, or of the one after which reading begins.
    last: u64,
    state: State,
}

type Messages = BoxStream<'static, Result<jetstream::Message, String>>;

/// What the mailbox gives out next.
enum State {
    /// A message the client can not read.
    Unreadable(Unreadable),
    /// Nothing, until that message is recorded.
    Waiting { sequence: u64, recorded: oneshot::Receiver<()> },
    /// Whatever the consumer has; nothing is pulled yet.
    Ready,
    /// So many messages that can be read, then one that can not.
    Bounded { count: usize, then: Unreadable },
    /// What is pulled. The next message is the consumer's `expected`th; before the `end`th stands an unreadable one.
    Reading { messages: Messages, expected: u64, end: Option<(u64, Unreadable)> },
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl Mailbox {
    /// The next message, in the order of the stream. After an unreadable one it waits until that is acknowledged.
    ///
    /// # Errors
    /// When the broker or the connection was gone, the consumer is deleted, a heartbeat is missed, or a message was
    /// given out that did not come.
    pub async fn next(&mut self) -> Result<Delivery, MailboxError> {
        match self.give_out().await {
            Ok(delivery) => Ok(delivery),
            Err(reason) => Err(MailboxError::Stopped { stream: self.stream.clone(), reason }),
        }
    }

    /// What was given out and is still worked on; also when the mailbox is gone.
    #[must_use]
    pub fn given_out(&self) -> GivenOut {
        GivenOut(Arc::clone(&self.given_out))
    }

    async fn give_out(&mut self) -> Result<Delivery, String> {
        let (mut delivery, way) = self.advance().await?;
        let held = Arc::clone(&self.given_out).acquire_owned().await.map_err(|error| error.to_string())?;
        let sequence = delivery.stream_sequence;
        let expected = self.last.saturating_add(1);
        if sequence > expected {
            // Asked once more by its number, because only what really is not there may be given up.
            if let Some(there) = self.look(expected).await?.map(|message| message.seq)
                && there < sequence
            {
                return Err(format!("message {there} of the stream was passed over"));
            }
            delivery.skipped = Some(expected..=sequence.saturating_sub(1));
        }
        self.last = sequence;
        Ok(delivery.with(Ticket { way, _held: held }))
    }

    async fn advance(&mut self) -> Result<(Undelivered, Way), String> {
        loop {
            match std::mem::replace(&mut self.state, State::Ready) {
                State::Unreadable(unreadable) => {
                    let (acknowledged, recorded) = oneshot::channel();
                    self.state = State::Waiting { sequence: unreadable.sequence, recorded };
                    return Ok((unreadable.delivery(), Way::GoPast(acknowledged)));
                }
                State::Waiting { sequence, recorded } => {
                    recorded.await.map_err(|_| "an unreadable message was not put aside".to_owned())?;
                    let next = sequence.saturating_add(1);
                    self.consumer.reset(Some(next)).await.map_err(|error| error.to_string())?;
                    self.state = self.look_ahead(next).await?;
                }
                State::Ready => {
                    let pull = self.consumer.stream().max_messages_per_batch(PULL_MAX);
                    let pull = pull.expires(PULL_EXPIRES).heartbeat(PULL_HEARTBEAT);
                    let messages = pull.messages().await.map_err(|error| error.to_string())?;
                    let messages = messages.map_err(|error| error.to_string()).boxed();
                    self.state = State::Reading { messages, expected: self.expected(), end: None };
                }
                State::Bounded { count, then } => {
                    let pull = self.consumer.batch().max_messages(count).expires(PULL_EXPIRES);
                    let messages = pull.messages().await.map_err(|error| error.to_string())?;
                    let messages = messages.map_err(|error| error.to_string()).boxed();
                    let expected = self.expected();
                    let end = expected.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
                    self.state = State::Reading { messages, expected, end: Some((end, then)) };
                }
                State::Reading { expected, end: Some((end, then)), .. } if expected == end => {
                    self.state = State::Unreadable(then);
                }
                State::Reading { mut messages, expected, end } => {
                    let message = read(&mut messages, &mut self.losses).await?;
                    let info = message.info().map_err(|error| error.to_string())?;
                    if info.consumer_sequence != expected {
                        return Err(format!(
                            "message {} of the consumer did not come, {} did",
                            expected, info.consumer_sequence
                        ));
                    }
                    let stream_sequence = info.stream_sequence;
                    self.state = State::Reading { messages, expected: expected.saturating_add(1), end };
                    let (message, acker) = message.split();
                    let delivery = Undelivered {
                        subject: message.subject.to_string(),
                        headers: headers(message.headers.as_ref()),
                        unreadable: None,
                        payload: message.payload,
                        stream_sequence,
                        skipped: None,
                    };
                    return Ok((delivery, Way::Acknowledge(Box::new(acker))));
                }
            }
        }
    }

    /// The number the consumer gives its next message.
    fn expected(&self) -> u64 {
        self.consumer.cached_info().delivered.consumer_sequence.saturating_add(1)
    }

    /// What is to be done from `sequence` on, after an interruption: one pull is looked through before it is made,
    /// because the client would not live to acknowledge what stands before an unreadable message.
    async fn look_ahead(&mut self, sequence: u64) -> Result<State, String> {
        let mut next = sequence;
        for count in 0..PULL_MAX {
            let Some(message) = self.look(next).await? else { break };
            let bytes = |text: Option<String>| BASE64.decode(text.unwrap_or_default());
            let headers = bytes(message.hdrs).map_err(|error| error.to_string())?;
            if let Some(reason) = unreadable(&message.subject, &headers) {
                let payload = bytes(message.data).map_err(|error| error.to_string())?.into();
                let (sequence, subject) = (message.seq, message.subject);
                let then = Unreadable { sequence, subject, headers, payload, reason };
                return Ok(if count == 0 { State::Unreadable(then) } else { State::Bounded { count, then } });
            }
            next = message.seq.saturating_add(1);
        }
        Ok(State::Ready)
    }

    /// The first stored message from `sequence` on.
    async fn look(&mut self, sequence: u64) -> Result<Option<StoredMessage>, String> {
        let subject = format!("STREAM.MSG.GET.{}", self.stream);
        let which = serde_json::json!({"seq": sequence, "next_by_subj": ">"});
        let answer: Stored = tokio::select! {
            biased;
            answer = self.jetstream.request(subject, &which) => answer.map_err(|error| error.to_string())?,
            _lost = self.losses.changed() => return Err(Lost.to_string()),
        };
        // An error is "there is none"; whatever else it is, the pull says it too.
        Ok(answer.message)
    }
}

/// A delivery that nobody has a ticket for yet.
struct Undelivered {
    subject: String,
    headers: Vec<(String, String)>,
    unreadable: Option<&'static str>,
    payload: Bytes,
    stream_sequence: u64,
    skipped: Option<RangeInclusive<u64>>,
}

impl Undelivered {
    fn with(self, ticket: Ticket) -> Delivery {
        let Self { subject, headers, unreadable, payload, stream_sequence, skipped } = self;
        Delivery { subject, headers, unreadable, payload, stream_sequence, skipped, ticket }
    }
}

/// The next message that was pulled. What came before the connection was lost still counts.
async fn read(
    messages: &mut Messages,
    losses: &mut watch::Receiver<u64>,
) -> Result<jetstream::Message, String> {
    tokio::select! {
        biased;
        message = messages.next() => match message {
            Some(message) => message,
            None => Err("the broker ended it".to_owned()),
        },
        _lost = losses.changed() => Err(Lost.to_string()),
    }
}

/// The broker's answer to a question for one stored message.
#[derive(Deserialize)]
struct Stored {
    message: Option<StoredMessage>,
}

#[derive(Deserialize)]
struct StoredMessage {
    subject: String,
    seq: u64,
    /// Base64, as `data`.
    hdrs: Option<String>,
    data: Option<String>,
}

/// A message the client can not read.
struct Unreadable {
    sequence: u64,
    subject: String,
    headers: Vec<u8>,
    payload: Bytes,
    reason: &'static str,
}

impl Unreadable {
    fn delivery(self) -> Undelivered {
        Undelivered {
            subject: self.subject,
            headers: vec![(UNREADABLE_HEADERS.to_owned(), BASE64.encode(self.headers))],
            unreadable: Some(self.reason),
            payload: self.payload,
            stream_sequence: self.sequence,
            skipped: None,
        }
    }
}

impl Bus {
    /// Opens the mailbox of a region to be read after this number of its stream; 0 is from the beginning. The broker
    /// forgets what else it knew of how far it was read.
    ///
    /// # Errors
    /// When it is not provisioned or the broker does not answer.
    pub async fn open_mailbox(&self, region: &RegionId, after: u64) -> Result<Mailbox, MailboxError> {
        self.unless_lost(self.opened(region, after)).await.unwrap_or_else(|lost| {
            Err(MailboxError::Open { stream: mailbox_stream(region), reason: lost.to_string() })
        })
    }

    async fn opened(&self, region: &RegionId, after: u64) -> Result<Mailbox, MailboxError> {
        let stream = mailbox_stream(region);
        let refused = |reason: String| MailboxError::Open { stream: stream.clone(), reason };
        let mut losses = self.losses();
        // Before the broker is asked anything: what is lost from here on stops the reading.
        losses.mark_unchanged();
        let consumer: consumer::PullConsumer = self
            .jetstream()
            .get_consumer_from_stream(CONSUMER, &*stream)
            .await
            .map_err(|error| refused(error.to_string()))?;
        let jetstream = self.jetstream().clone();
        let given_out = Arc::new(Semaphore::new(usize::try_from(GIVEN_OUT_MAX).unwrap_or_default()));
        let mut mailbox = Mailbox {
            stream: stream.clone(),
            jetstream,
            consumer,
            losses,
            given_out,
            last: after,
            state: State::Ready,
        };
        let info = mailbox.consumer.cached_info();
        if info.num_ack_pending > 0 || info.ack_floor.stream_sequence != after {
            let next = after.saturating_add(1);
            mailbox.consumer.reset(Some(next)).await.map_err(|error| refused(error.to_string()))?;
            mailbox.state = mailbox.look_ahead(next).await.map_err(&refused)?;
        }
        Ok(mailbox)
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
