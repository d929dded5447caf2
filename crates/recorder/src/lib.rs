//! The doors into the log: mailbox and counter, and one for the node's own desk; quarantine, conflicts, receipts.
//!
//! Each region has its own connection, its own lines and its own turns: one sender or region that sends too much waits
//! for itself. What arrives is judged at the edge and appended in the order of its line. Only when the log has it on
//! disk does its sender hear of it, and only then does the broker forget it. What can not be an event is kept with its
//! bytes.
//!
//! Not here: how messages travel (`bus`), what an event says (`contracts`), the log itself (`eventlog`), what the
//! events amount to (`views`).

mod answer;
mod counter;
mod door;
mod epoch;
mod flood;
mod inner;
mod judge;
mod keep;
mod lines;
mod mailbox;
mod metrics;
mod quarantine;
mod quota;
mod serve;
mod sources;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use bus::MailboxLimits;
use bus::alarm::Alarms;
use bus::provisioner::Needs;
use domain::RegionId;
use eventlog::{AppendError, Clock, EventLog, ReadError};
use network::Network;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use answer::IN_VAIN;
pub use counter::{POISONED, SHUT_FOR};
pub use flood::IN_VAIN_PER_SECOND_MAX;
pub use inner::{InnerDoor, InnerError, InnerReceipt};
pub use judge::REQUEST_EVENTS_MAX;
pub use metrics::Metrics;
pub use quarantine::Quarantine;
pub use quota::KEPT_PER_MINUTE_MAX;

/// How a recorder is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who takes part, and what each may send. A change counts for the next message; another set of regions does not
    /// open or close doors.
    pub network: watch::Receiver<Arc<Network>>,
    /// What time it is: for what is kept aside (events carry their own), and for which keys are valid.
    pub clock: Arc<dyn Clock>,
    /// Where alarms are raised.
    pub alarms: Alarms,
    /// How much each mailbox keeps; one that is made otherwise is an alarm.
    pub mailbox: MailboxLimits,
    /// Who makes a mailbox that is not there, or not as it should be. `None`: the recorder itself, where its user may.
    pub needs: Option<Needs>,
}

impl Config {
    /// The recorder that writes what arrives over these connections, two a region, into `log`. Nothing happens before
    /// [`Recorder::run`].
    #[must_use]
    pub fn build(self, doors: BTreeMap<RegionId, bus::Config>, log: EventLog) -> Recorder {
        let closed = doors.keys().map(|region| (region.clone(), Door::default())).collect();
        let (states, watching) = watch::channel(Doors(closed));
        let handle = Handle { metrics: Arc::new(Metrics::default()), doors: watching };
        let connections = Arc::new(quarantine::Connections::default());
        Recorder { config: self, doors, log, states, connections, handle }
    }
}

/// The doors of one region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Door {
    /// The counter takes requests.
    pub counter: bool,
    /// The mailbox is being read.
    pub mailbox: bool,
}

/// Which doors are open, by region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors(pub BTreeMap<RegionId, Door>);

impl Doors {
    /// Whether all of them are.
    #[must_use]
    pub fn all_open(&self) -> bool {
        self.0.values().all(|door| door.counter && door.mailbox)
    }

    /// How many regions have an open counter.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.0.values().filter(|door| door.counter).count()
    }

    /// How many regions have a mailbox that is being read.
    #[must_use]
    pub fn mailboxes(&self) -> usize {
        self.0.values().filter(|door| door.mailbox).count()
    }
}

/// Records until it is told to stop.
#[derive(Debug)]
pub struct Recorder {
    config: Config,
    doors: BTreeMap<RegionId, bus::Config>,
    log: EventLog,
    states: watch::Sender<Doors>,
    connections: Arc<quarantine::Connections>,
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
        self.doors.borrow().clone()
    }

    /// Waits until every door is open; returns at once if the recorder is gone.
    pub async fn until_open(&self) {
        let mut doors = self.doors.clone();
        // An error means that the recorder ended; whoever holds its task hears why there.
        let _ended = doors.wait_for(Doors::all_open).await;
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
    /// What the log knows of the mailboxes can not be read.
    #[error("how far the mailboxes are recorded can not be read; check the log")]
    Mailboxes(#[source] ReadError),
    /// What the operator asks can not be heard.
    #[error("what the operator asks of the quarantine can not be heard")]
    Admin(#[source] bus::PublishError),
    /// The connection over which the operator asks is closed for good.
    #[error("the connection over which the operator asks was closed; check that the node's user may connect")]
    Closed,
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

    /// The door of the node's own desk. It is open as long as the log is.
    #[must_use]
    pub fn inner(&self) -> InnerDoor {
        InnerDoor::new(self.log.clone(), Arc::clone(&self.handle.metrics))
    }

    /// What an operator does with messages that were kept aside; it tells senders over the recorder's connections.
    #[must_use]
    pub fn quarantine(&self) -> Quarantine {
        Quarantine::new(&self.config, self.log.clone(), Arc::clone(&self.connections))
    }

    /// Opens the doors of every region and records until `shutdown` resolves; then closes them, answers what is inside
    /// and returns. A region that can not be connected is tried again without end.
    ///
    /// # Errors
    /// When the log stops: the process should end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
        let Self { config, doors, log, states, connections, handle } = self;
        let states = Arc::new(states);
        let ledger = {
            let (config, log, regions) = (config.clone(), log.clone(), doors.clone());
            let open = move || epoch::Ledger::open(&config, &log, regions.keys());
            tokio::task::spawn_blocking(open)
                .await
                .map_err(|_| RunError::Broken)?
                .map_err(RunError::Mailboxes)?
        };
        let shared = Arc::new(serve::Shared::new(config, log, ledger, Arc::clone(&handle.metrics)));
        let (stop, stopping) = watch::channel(false);
        let (serving, mut endings) = serve::Serving::new();
        let mut open = JoinSet::new();
        for (code, config) in doors {
            let door = door::Door {
                which: door::Which::Counter,
                region: Arc::new(serve::Region::new(code, Arc::clone(&shared))),
                config,
                doors: Arc::clone(&states),
                connections: Arc::clone(&connections),
                serving: serving.clone(),
                stopping: stopping.clone(),
            };
            open.spawn(door::Door { which: door::Which::Mailbox, ..door.clone() }.keep_open());
            open.spawn(door.keep_open());
        }
        drop(serving);
        tokio::select! {
            () = shutdown => {}
            // It comes only with an error: the doors are open.
            ending = endings.recv() => return Err(ending.unwrap_or(RunError::Broken)),
        }
        stop.send_replace(true);
        let mut connections = Vec::new();
        while let Some(closed) = open.join_next().await {
            connections.extend(closed.map_err(|_| RunError::Broken)?);
        }
        // No more is taken in; what is inside gets its answer, unless the log is the reason.
        if let Some(error) = endings.recv().await {
            return Err(error);
        }
        for bus in connections {
            bus.flush().await;
        }
        Ok(())
    }
}
