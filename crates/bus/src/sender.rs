//! The ordered sender: events in, in the order of a file; receipts out. It sends again whatever has no receipt.
//!
//! Facts of one source must not overtake each other, so a sender has one request in flight, the next after its
//! receipts. Different senders go side by side, in the order of the file: they share one connection, and the recorder
//! takes what one connection sends in the order it was sent. After a lost answer everything without a receipt goes
//! again, in order, over a fresh connection; the log knows what it has.
//!
//! Not here: where the events come from, and what their owner does with a receipt.

mod session;
mod window;

use std::time::Duration;

use contracts::{Receipt, Received};
use domain::RegionId;
use futures::Stream;
use network::SenderName;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::connection::Config;
use crate::subjects::EventName;

/// Requests in flight at most; each is of another sender.
pub const IN_FLIGHT_MAX: usize = 256;
/// Receipts that wait for their owner; the sender waits beyond it.
const RECEIPTS_MAX: usize = 1_024;

/// Which way to the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Requests to the recorder, answered with receipts: for a sender that waits.
    Counter,
    /// Messages kept by the broker until the recorder takes them.
    Mailbox(Order),
}

/// What order holds at the mailbox door, where every region has a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Each region's events in the order of the file; regions side by side.
    WithinRegion,
    /// The order of the file. 31 mailboxes have no common order, so an event of another region waits until
    /// everything before it has its receipt.
    Strict,
}

/// How to send.
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// The broker.
    pub bus: Config,
    /// The door.
    pub door: Door,
    /// Requests in flight, held to 1 to [`IN_FLIGHT_MAX`].
    pub in_flight: usize,
    /// When no receipt came for this long, the sender gives up.
    pub give_up_after: Duration,
}

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
        let (out, receipts) = mpsc::channel(RECEIPTS_MAX);
        let task = tokio::spawn(session::send_all(config, events, out));
        Self { receipts, task }
    }

    /// The next receipt, in the order of recording. `None` after the last one, when every event has its receipt or
    /// the sender gave up. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<(u64, Receipt), SendError>> {
        self.receipts.recv().await
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.task.abort();
    }
}
