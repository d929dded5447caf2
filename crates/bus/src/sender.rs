//! The ordered sender: events in, in the order of a file; receipts out. It sends again whatever has no receipt.
//!
//! Facts of one source must not overtake each other, so a sender has one request in flight, the next after its
//! receipts. On a plain broker, or as one user, all share one connection: different senders go side by side, and the
//! recorder takes what one connection sends in the order it was sent. With a folder of keys each sender has a connection
//! of its own, as itself, and an event waits for the receipts of those before it as far as the [`Order`] says. After a
//! lost answer everything without a receipt goes again, in order, over fresh connections; the log knows what it has.
//!
//! No message id is ever given: the broker compares ids within a stream and not with what they stand for, so another
//! sender could make an event vanish by using its id first. Only a receipt with the event's own hash ends it.
//!
//! Not here: where the events come from, and what their owner does with a receipt.

mod links;
mod session;
mod window;

use std::sync::Arc;
use std::time::Duration;

use contracts::{Ask, Receipt, Received};
use domain::RegionId;
use futures::Stream;
use network::SenderName;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::connection::{Config, Server};
use crate::login::Logins;
use crate::subjects::EventName;

/// Requests in flight at most; each is of another sender.
pub const IN_FLIGHT_MAX: usize = 256;
/// Receipts that wait for their owner; the sender waits beyond it.
const RECEIPTS_MAX: usize = 1_024;
/// Connections open at once, where each sender has its own: the nation has some 340 senders, and twice as many as can
/// be in flight leaves one to close for one to open.
pub const CONNECTIONS_MAX: usize = 2 * IN_FLIGHT_MAX;

/// Which way to the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Requests to the recorder, answered with receipts: for a sender that waits.
    Counter(Order),
    /// Messages kept by the broker until the recorder takes them.
    Mailbox(Order),
}

/// What order holds between senders; each keeps its own in any case. It costs nothing at the counter where all share
/// one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Each region's events in the order of the file; regions side by side.
    WithinRegion,
    /// The order of the file. 31 mailboxes have no common order, nor have connections, so an event of another region
    /// (at the counter of another connection) waits until everything before it has its receipt.
    Strict,
}

/// How to send.
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// The broker.
    pub server: Server,
    /// What its connections are called in the broker's own lists.
    pub name: String,
    /// As whom.
    pub logins: Logins,
    /// The door.
    pub door: Door,
    /// Requests in flight, held to 1 to [`IN_FLIGHT_MAX`].
    pub in_flight: usize,
    /// When no receipt came for this long, the sender gives up.
    pub give_up_after: Duration,
}

impl SenderConfig {
    /// As nobody, over one connection called `name` to a plain broker: for tests.
    #[must_use]
    pub fn plain(config: Config, door: Door, give_up_after: Duration) -> Self {
        let Config { server, name, .. } = config;
        Self { server, name, logins: Logins::None, door, in_flight: IN_FLIGHT_MAX, give_up_after }
    }
}

/// A sender in its region.
pub(crate) type Party = (RegionId, SenderName);

/// An event to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The region it is sent in.
    pub region: RegionId,
    /// Who sends it.
    pub sender: SenderName,
    /// What it is; only the subject of the mailbox needs it.
    pub name: EventName,
    /// The event.
    pub event: Received,
    /// Whether it is to be signed, where it is not and the seed of its sender is at hand. What can not be signed goes
    /// as it is: the recorder judges it.
    pub sign: bool,
}

/// Something the recorder asked of a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) party: Party,
    pub(crate) ask: Ask,
}

/// Who listens for what the recorder asks.
#[derive(Debug)]
pub(crate) struct Ears {
    /// For whom from the beginning; for others once something of theirs is sent.
    pub(crate) parties: Vec<Party>,
    pub(crate) asks: mpsc::Sender<Asked>,
}

/// Why an event, or any further event, has no receipt.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// No door takes this event. The sender goes on with the next.
    #[error("event {index} is not sendable: {reason}; take it out or repair it")]
    Unsendable {
        /// Which event, from 0.
        index: u64,
        /// Why.
        reason: String,
    },
    /// Its sender has no key that lets it in, or the key may not send for it. Nothing of that sender is sent any more, so that its order holds; the
    /// others go on.
    #[error("event {index} is not sent: {reason}; see to the key of its sender and send again")]
    ShutOut {
        /// Which event, from 0.
        index: u64,
        /// Why.
        reason: Arc<str>,
    },
    /// Nothing was receipted for too long. This is the last word of the sender.
    #[error(
        "gave up at event {index}, after {} s without a receipt: {reason}; send again, what is recorded is not recorded twice",
        waited.as_secs()
    )]
    GaveUp {
        /// The first event without a receipt, from 0.
        index: u64,
        /// How long it waited.
        waited: Duration,
        /// What went wrong last.
        reason: String,
    },
}

/// What comes of one event: its number in the order it was given, from 0, and its receipt.
pub(crate) type Sent = Result<(u64, Receipt), SendError>;

/// Sends while it is held and read from; dropping it ends it.
#[derive(Debug)]
pub struct Sender {
    receipts: mpsc::Receiver<Sent>,
    task: JoinHandle<()>,
}

impl Sender {
    /// Begins to send `events` in their order. Needs a tokio runtime.
    #[must_use]
    pub fn start<S>(config: SenderConfig, events: S) -> Self
    where
        S: Stream<Item = Outgoing> + Send + Unpin + 'static,
    {
        Self::start_listening(config, events, None)
    }

    /// The same, hearing what the recorder asks.
    pub(crate) fn start_listening<S>(config: SenderConfig, events: S, ears: Option<Ears>) -> Self
    where
        S: Stream<Item = Outgoing> + Send + Unpin + 'static,
    {
        let (out, receipts) = mpsc::channel(RECEIPTS_MAX);
        let task = tokio::spawn(session::send_all(config, events, ears, out));
        Self { receipts, task }
    }

    /// The next receipt, in the order of recording. `None` after the last one, when every event has its receipt or
    /// the sender gave up. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<(u64, Receipt), SendError>> {
        self.receipts.recv().await
    }
}

/// An error with its causes, on one line.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.task.abort();
    }
}
