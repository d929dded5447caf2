//! The two doors, mailbox and counter, into the log; quarantine, conflicts, receipts.
//!
//! What arrives is judged at the edge and appended in the order of arrival. Only when the log has it on disk does its
//! sender hear of it, and only then does the broker forget it. What can not be an event is kept with its bytes.
//!
//! Not here: how messages travel (`bus`), what an event says (`contracts`), the log itself (`eventlog`), what the
//! events amount to (`views`).

mod answer;
mod intake;
mod judge;
mod keep;
mod metrics;
mod sources;

use std::future::Future;
use std::sync::Arc;

use bus::{Bus, MailboxLimits, PublishError};
use eventlog::{AppendError, Clock, EventLog, ReadError};
use network::Network;
use tokio::sync::{mpsc, watch};

pub use judge::REQUEST_EVENTS_MAX;
pub use metrics::Metrics;

/// Requests that are in the log's hands or have no answer yet; what arrives beyond them waits at the door.
const UNANSWERED_MAX: usize = 1_024;

/// How a recorder is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who takes part, and what each may send.
    pub network: Arc<Network>,
    /// What time it is, for what is kept aside; events carry their own.
    pub clock: Arc<dyn Clock>,
    /// `Some`: make the mailboxes, and make them again if the broker forgot them. `None`: somebody else does.
    pub provision: Option<MailboxLimits>,
}

impl Config {
    /// A recorder for this network that makes its own mailboxes.
    #[must_use]
    pub fn new(network: Arc<Network>, clock: Arc<dyn Clock>) -> Self {
        Self { network, clock, provision: Some(MailboxLimits::default()) }
    }

    /// The recorder that writes what arrives over `bus` into `log`. Nothing happens before [`Recorder::run`].
    #[must_use]
    pub fn build(self, bus: Bus, log: EventLog) -> Recorder {
        let mailboxes = self.network.regions().len();
        let (doors, watching) = watch::channel(Doors { counter: false, mailboxes: 0, of: mailboxes });
        let handle = Handle { metrics: Arc::new(Metrics::default()), doors: watching };
        Recorder { config: self, bus, log, doors, handle }
    }
}

/// Which doors are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doors {
    /// The counter takes requests.
    pub counter: bool,
    /// Mailboxes that are being read.
    pub mailboxes: usize,
    /// Mailboxes there should be.
    pub of: usize,
}

impl Doors {
    /// Whether all of them are.
    #[must_use]
    pub fn all_open(self) -> bool {
        self.counter && self.mailboxes == self.of
    }
}

/// Records until it is told to stop.
#[derive(Debug)]
pub struct Recorder {
    config: Config,
    bus: Bus,
    log: EventLog,
    doors: watch::Sender<Doors>,
    handle: Handle,
}

/// A running recorder, seen from outside.
#[derive(Clone, Debug)]
pub struct Handle {
    metrics: Arc<Metrics>,
    doors: watch::Receiver<Doors>,
}

impl Handle {
    /// What has been recorded and refused so far.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Which doors are open at this moment.
    #[must_use]
    pub fn doors(&self) -> Doors {
        *self.doors.borrow()
    }

    /// Waits until every door is open; returns at once if the recorder is gone.
    pub async fn until_open(&self) {
        let mut doors = self.doors.clone();
        // An error means that the recorder ended; whoever holds its task hears why there.
        let _ended = doors.wait_for(|doors| doors.all_open()).await;
    }
}

/// Why a recorder stopped although nobody told it to. What had no receipt then is unanswered; its sender sends again.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The log does not take any more. Nothing is acknowledged from here on.
    #[error("the log stopped; the node must be started again")]
    Log(#[source] AppendError),
    /// An earlier record had to be compared and can not be read.
    #[error("the record at position {position} can not be read to compare an event with it; check the log")]
    Read {
        /// Where it is.
        position: u64,
        /// What went wrong.
        #[source]
        source: ReadError,
    },
    /// The connection to the broker was closed for good.
    #[error("the connection to the broker was closed")]
    Closed,
    /// The counter can not be opened.
    #[error("the counter can not be opened")]
    Counter(#[source] PublishError),
    /// A part of the recorder broke down, which is a mistake in it.
    #[error("a part of the recorder ended early; restart the node")]
    Broken,
}

impl Recorder {
    /// To look at it while it runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Opens both doors and records until `shutdown` resolves; then closes them, answers what is inside and returns.
    ///
    /// # Errors
    /// When the log stops or the connection is closed for good: the process should end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
        let Self { config, bus, log, doors, handle } = self;
        let counter = bus.counter().await.map_err(RunError::Counter)?;
        doors.send_modify(|doors| doors.counter = true);
        let (unanswered, answers) = mpsc::channel(UNANSWERED_MAX);
        let answerer = answer::Answerer::new(
            bus.clone(),
            log.clone(),
            Arc::clone(&config.clock),
            Arc::clone(&handle.metrics),
        );
        let mut answering = tokio::spawn(answerer.run(answers));
        let mut intake = intake::Intake::open(config, &bus, log, counter, doors, unanswered);
        let taken = tokio::select! {
            taken = intake.run(shutdown) => taken,
            ended = &mut answering => return ended.unwrap_or(Err(RunError::Broken)),
        };
        // No more is taken in; what is inside gets its answer, unless the log is the reason.
        drop(intake);
        let ending = answering.await.unwrap_or(Err(RunError::Broken));
        bus.flush().await;
        ending.and(taken)
    }
}
