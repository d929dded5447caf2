//! What the broker refuses a connection: a right that its user does not have.
//!
//! The broker says so beside the answer that never comes: whoever waits for that answer need not wait. Not here: who has
//! which rights (`server`).

use std::fmt;

use async_nats::ServerError;
use domain::RegionId;
use network::SenderName;

/// How the broker says it, in lower case.
const VIOLATION: &str = "permissions violation for ";
/// And to what, if it is about subscribing.
const SUBSCRIPTION: &str = "subscription to ";
/// Refusals that wait for whoever listens; what is left out is the same again.
pub(crate) const DENIALS_MAX: usize = 256;

/// A right that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    subscribing: bool,
    /// Where it was tried.
    pub subject: String,
}

impl Denial {
    /// What the broker says, if it is that.
    pub(crate) fn of(error: &ServerError) -> Option<Self> {
        let ServerError::Other(text) = error else { return None };
        let begins = text.to_ascii_lowercase().find(VIOLATION)?;
        let about = text.get(begins.saturating_add(VIOLATION.len())..)?;
        let subscribing = about.to_ascii_lowercase().starts_with(SUBSCRIPTION);
        let subject = about.split('"').nth(1)?.to_owned();
        Some(Self { subscribing, subject })
    }

    /// The sender that it is about: its counter, its mailbox or its receipts.
    pub(crate) fn sender(&self) -> Option<(RegionId, SenderName)> {
        let mut tokens = self.subject.split('.');
        let ("record" | "in" | "receipt") = tokens.next()? else { return None };
        Some((tokens.next()?.parse().ok()?, tokens.next()?.parse().ok()?))
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.subscribing { "listen to" } else { "write to" };
        write!(f, "this key may not {what} {}", self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(text: &str) -> Option<Denial> {
        Denial::of(&ServerError::Other(text.to_owned()))
    }

    #[test]
    fn a_refusal_says_what_was_tried_and_for_which_sender() {
        let publish =
            denial("Permissions Violation for Publish to \"in.zk01.zk01-de-linde.bed.freed\"").unwrap();
        assert_eq!(publish.to_string(), "this key may not write to in.zk01.zk01-de-linde.bed.freed");
        let sender = (("zk01".parse().unwrap()), ("zk01-de-linde".parse().unwrap()));
        assert_eq!(publish.sender(), Some(sender.clone()));
        let listen =
            denial("Permissions Violation for Subscription to \"receipt.zk01.zk01-de-linde\"").unwrap();
        assert_eq!(listen.to_string(), "this key may not listen to receipt.zk01.zk01-de-linde");
        assert_eq!(listen.sender(), Some(sender));
        let queue = denial("Permissions Violation for Subscription to \"svc.x\" using queue \"q\"").unwrap();
        assert_eq!((queue.subject.as_str(), queue.sender()), ("svc.x", None));
        assert_eq!(denial("maximum connections exceeded"), None);
        assert_eq!(Denial::of(&ServerError::AuthorizationViolation), None);
    }
}
