//! What a person asks of the node: requests on `admin.…` in the account of the core, where only the operator may
//! publish.
//!
//! Not here: what is done (`recorder`), what a request says (`contracts`).

use std::time::Duration;

use async_nats::{Subject, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use network::Role;

use crate::requests::nobody_listens;
use crate::{Bus, PublishError, RequestError};

/// To make an event of a message that was kept aside.
pub const QUARANTINE_RELEASE: &str = "admin.quarantine.release";
/// To keep a message aside for good.
pub const QUARANTINE_DISCARD: &str = "admin.quarantine.discard";
/// Both.
const QUARANTINE_ALL: &str = "admin.quarantine.*";

/// The requests to the quarantine, in the order they came.
#[derive(Debug)]
pub struct AdminRequests {
    bus: Bus,
    subscription: Subscriber,
}

/// One of them.
#[derive(Debug)]
pub struct AdminRequest {
    bus: Bus,
    subject: Subject,
    reply: Option<Subject>,
    /// What is asked.
    pub payload: Bytes,
}

impl AdminRequests {
    /// The next request; `None` once the connection is closed for good. Cancel-safe.
    pub async fn next(&mut self) -> Option<AdminRequest> {
        let message = self.subscription.next().await?;
        // We may publish where the operator may not, so only its own inbox is answered to.
        let inbox = if self.bus.guarded() {
            format!("_INBOX.{}.", Role::Operator.user())
        } else {
            "_INBOX.".to_owned()
        };
        let reply = message.reply.filter(|reply| reply.starts_with(&*inbox));
        Some(AdminRequest {
            bus: self.bus.clone(),
            subject: message.subject,
            reply,
            payload: message.payload,
        })
    }
}

impl AdminRequest {
    /// Where it was asked, such as [`QUARANTINE_RELEASE`].
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Answers, if an inbox of the operator was named.
    pub async fn answer(self, body: Bytes) {
        let Some(reply) = self.reply else { return };
        if let Err(error) = self.bus.client().publish(reply, body).await {
            tracing::warn!(%error, "the operator has no answer; asked again, it is the same");
        }
    }
}

impl Bus {
    /// Listens to what the operator asks of the quarantine.
    ///
    /// # Errors
    /// When the connection is closed.
    pub async fn quarantine_requests(&self) -> Result<AdminRequests, PublishError> {
        let subscription = self.client().subscribe(QUARANTINE_ALL).await.map_err(|error| {
            PublishError::new("the subscription to what the operator asks", error.to_string())
        })?;
        self.flush().await;
        Ok(AdminRequests { bus: self.clone(), subscription })
    }

    /// Asks something of the node, and gives its answer.
    ///
    /// # Errors
    /// When no node listens there, or none answers within `within`.
    pub async fn ask_admin(
        &self,
        subject: &'static str,
        body: Bytes,
        within: Duration,
    ) -> Result<Bytes, RequestError> {
        let no_recorder = || RequestError::NoRecorder { subject: subject.to_owned() };
        let inquiry = async_nats::Request::new().payload(body).timeout(Some(within));
        let answer = self.client().send_request(subject, inquiry).await.map_err(|error| {
            if error.kind() == async_nats::RequestErrorKind::NoResponders {
                return no_recorder();
            }
            RequestError::NoAnswer { subject: subject.to_owned(), reason: error.to_string() }
        })?;
        if nobody_listens(&answer) { Err(no_recorder()) } else { Ok(answer.payload) }
    }
}
