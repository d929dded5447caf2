//! The counter: requests to record, and their answers; and putting receipts on the bus.
//!
//! Not here: what is done with a request (`recorder`), sending many in order (`sender`).

use std::time::Duration;

use async_nats::{HeaderMap, Subject, Subscriber};
use bytes::Bytes;
use contracts::wire;
use domain::RegionId;
use futures::StreamExt as _;
use network::SenderName;

use crate::Bus;
use crate::mailbox::headers;
use crate::requests::{self, Refusal};
use crate::subjects::{ReceiptSubject, RecordSubject};

/// The content type of an `AppendRequest` and of the `Receipts` that answer it.
pub const PROTOBUF: &str = "application/protobuf";
/// The name of the header that tells it.
pub(crate) const CONTENT_TYPE: &str = "Content-Type";

/// How every subject begins that is answered to. Who asks names it, and we may publish where it may not: to any other,
/// an answer could be put into the log, a mailbox or a view.
const REPLY_PREFIX: &str = "_INBOX.";
/// The longest subject that is answered to, in bytes: an inbox of any client is a quarter of it.
const REPLY_BYTES_MAX: usize = 256;

/// The connection is closed for good, so nothing can be published on it.
#[derive(Debug, thiserror::Error)]
#[error("{what} was not published: {reason}")]
pub struct PublishError {
    what: &'static str,
    reason: String,
}

impl PublishError {
    pub(crate) fn new(what: &'static str, reason: String) -> Self {
        Self { what, reason }
    }
}

/// Why a request to record has no answer. Whether it was recorded is not known: ask again with the same bytes.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No recorder listens.
    #[error("no recorder listens at {subject}; start the node, then send again")]
    NoRecorder {
        /// Where it was asked.
        subject: String,
    },
    /// No answer in time, or the connection broke.
    #[error("no answer from the recorder at {subject}: {reason}; send again, it is recorded once")]
    NoAnswer {
        /// Where it was asked.
        subject: String,
        /// What happened.
        reason: String,
    },
    /// The answer is not a list of receipts.
    #[error("the answer at {subject} is not a list of receipts: {reason}")]
    Unreadable {
        /// Where it was asked.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A request at the counter.
#[derive(Debug)]
pub struct Counted {
    /// Where it was published, exactly.
    pub subject: String,
    /// Its headers, as they came.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub payload: Bytes,
    /// Where the answer goes; `None` if nobody waits for one, or not at an inbox of the sender.
    pub reply: Option<ReplyTo>,
}

/// Where one answer goes: an inbox.
#[derive(Clone, Debug)]
pub struct ReplyTo(Subject);

impl ReplyTo {
    /// On a guarded broker only an inbox of the sender whose counter this is: nobody else can have asked there, and
    /// whoever could name another inbox would let us speak where only we may.
    fn of(asked: &Subject, reply: Subject, guarded: bool) -> Option<Self> {
        let sender = asked.rsplit('.').next().filter(|_| guarded);
        let inbox =
            sender.map_or_else(|| REPLY_PREFIX.to_owned(), |sender| format!("{REPLY_PREFIX}{sender}."));
        if reply.starts_with(&*inbox) && is_literal(&reply) {
            return Some(Self(reply));
        }
        // Anybody may send any number of these, so no more than this is said of them.
        tracing::debug!(
            subject = %asked.escape_default(),
            "a request wants its answer at no inbox of its sender and gets none; its client must ask for it below {inbox}"
        );
        None
    }
}

/// Whether the broker takes a message to this subject: another would only make it complain of us.
fn is_literal(subject: &str) -> bool {
    subject.len() <= REPLY_BYTES_MAX
        && subject.bytes().all(|byte| byte.is_ascii_graphic())
        && subject.split('.').all(|token| !matches!(token, "" | "*" | ">"))
}

/// What waits at the counter, of one sender or of all.
#[derive(Debug)]
pub struct Counter {
    subscription: Subscriber,
    guarded: bool,
}

impl Counter {
    /// The next request; `None` once the connection is closed for good.
    pub async fn next(&mut self) -> Option<Counted> {
        let message = self.subscription.next().await?;
        Some(Counted {
            subject: message.subject.to_string(),
            headers: headers(message.headers.as_ref()),
            payload: message.payload,
            reply: message.reply.and_then(|reply| ReplyTo::of(&message.subject, reply, self.guarded)),
        })
    }

    /// Takes no more requests from the broker; those already here are still given out by [`Counter::next`].
    pub async fn close(&mut self) {
        if let Err(error) = self.subscription.drain().await {
            tracing::debug!(%error, "the counter was closed on a connection that is gone");
        }
    }
}

impl Bus {
    /// Listens at the counter of a region, to one sender or to all of them. Each counter has room of its own, so that
    /// what one sender sends too much takes no room of another that is listened to apart.
    ///
    /// # Errors
    /// When the connection is closed.
    pub async fn counter_of(
        &self,
        region: &RegionId,
        sender: Option<&SenderName>,
    ) -> Result<Counter, PublishError> {
        let subject = sender.map_or_else(
            || RecordSubject::all_of(region),
            |sender| RecordSubject { region: region.clone(), sender: sender.clone() }.to_string(),
        );
        let failed = |error: async_nats::SubscribeError| PublishError {
            what: "the subscription to the counter",
            reason: error.to_string(),
        };
        let subscription = self.client().subscribe(subject).await.map_err(failed)?;
        // Whoever starts us must be able to say "ready": the broker knows the subscription when this returns.
        self.flush().await;
        Ok(Counter { subscription, guarded: self.guarded() })
    }

    /// Answers a request; `protobuf` names the content type of the answer. Waits while the connection is busy.
    ///
    /// # Errors
    /// When the connection is closed for good; a connection that is only broken answers later or never.
    pub async fn answer(&self, reply: ReplyTo, body: Bytes, protobuf: bool) -> Result<(), PublishError> {
        let sent = if protobuf {
            self.client().publish_with_headers(reply.0, protobuf_headers(), body).await
        } else {
            self.client().publish(reply.0, body).await
        };
        sent.map_err(|error| PublishError { what: "an answer", reason: error.to_string() })
    }

    /// Publishes a receipt of something from the mailbox.
    ///
    /// # Errors
    /// As [`Bus::answer`].
    pub async fn publish_receipt(&self, to: &ReceiptSubject, body: Bytes) -> Result<(), PublishError> {
        let failed =
            |error: async_nats::PublishError| PublishError { what: "a receipt", reason: error.to_string() };
        self.client().publish(to.to_string(), body).await.map_err(failed)
    }

    /// Asks the recorder to record a batch, all or nothing, and waits for its receipts, one per event.
    ///
    /// # Errors
    /// When there is no answer within `within`, or it can not be read.
    pub async fn append(
        &self,
        to: &RecordSubject,
        request: &wire::AppendRequest,
        within: Duration,
    ) -> Result<Vec<contracts::Receipt>, RequestError> {
        let subject = to.to_string();
        let no_answer = |reason: String| RequestError::NoAnswer { subject: subject.clone(), reason };
        let inquiry = async_nats::Request::new()
            .payload(requests::encode(request))
            .headers(protobuf_headers())
            .timeout(Some(within));
        let answer = self.client().send_request(subject.clone(), inquiry).await.map_err(|error| {
            if error.kind() == async_nats::RequestErrorKind::NoResponders {
                RequestError::NoRecorder { subject: subject.clone() }
            } else {
                no_answer(error.to_string())
            }
        })?;
        requests::receipts(&answer).map_err(|refusal| match refusal {
            Refusal::NoRecorder => RequestError::NoRecorder { subject: subject.clone() },
            Refusal::Unreadable(reason) => RequestError::Unreadable { subject: subject.clone(), reason },
        })
    }
}

pub(crate) fn protobuf_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, PROTOBUF);
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_to_a_plain_inbox_of_its_sender_alone() {
        let of = |reply: &str, guarded| {
            ReplyTo::of(&Subject::from("record.zk01.loket"), Subject::from(reply.to_owned()), guarded)
                .is_some()
        };
        assert!(of("_INBOX.loket.a1.B2", true) && of("_INBOX.a1.B2", false));
        for reply in ["_INBOX.other.a1", "_INBOX.loketje.a1", "_INBOX.loket", "log.zk01.bed.freed"] {
            assert!(!of(reply, true), "{reply}");
        }
        for odd in [".", "a..b", "*", ">", "a.*.b", "a.>", "a b", "é"] {
            assert!(!of(&format!("_INBOX.loket.{odd}"), true), "{odd}");
        }
        assert!(!of(&format!("_INBOX.loket.{}", "a".repeat(REPLY_BYTES_MAX)), true));
    }
}
