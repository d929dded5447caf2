//! The doors of one region: its counter and its mailbox, each with a connection of its own, opened again whenever it
//! breaks.
//!
//! When a connection ends for good (the broker lets the user in no more, or the client gives up on a message it can not
//! read), it is made anew; the other door and other regions do not notice. Not here: what comes in at them (`counter`,
//! `mailbox`), what is done with a message (`serve`).

use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use bus::alarm::Alarm;
use tokio::sync::watch;

use crate::quarantine::Connections;
use crate::serve::{Region, Serving};
use crate::{Doors, answer};

/// The first wait before a door is opened again; doubled each time up to [`WAIT_MAX`].
pub(crate) const WAIT_MIN: Duration = Duration::from_millis(100);
/// A door that can be opened again is open at most this much later.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(5);
/// The code of the alarm that nothing comes in at a door of a region, because there is no connection.
const CLOSED: &str = "door_closed";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Counter,
    Mailbox,
}

/// A door of one region.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) which: Which,
    pub(crate) region: Arc<Region>,
    pub(crate) config: bus::Config,
    pub(crate) doors: Arc<watch::Sender<Doors>>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) serving: Serving,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Why what came in over a connection comes in no more.
#[derive(Debug)]
pub(crate) enum Closed {
    /// The recorder was told to stop, and all that had arrived is in line.
    Stopping,
    /// The connection is gone.
    Gone(String),
}

impl Door {
    /// Keeps the door open until the recorder is told to stop; gives the connection over which answers still go.
    pub(crate) async fn keep_open(self) -> Option<Arc<Bus>> {
        let mut wait = WAIT_MIN;
        let mut listening = crate::counter::Manner::default();
        let mut stopping = self.stopping.clone();
        loop {
            let connected = tokio::select! {
                connected = self.connect() => connected,
                () = stopped(&mut stopping) => return None,
            };
            let reason = match connected {
                Err(error) => answer::sentence(&error),
                Ok(bus) => {
                    let bus = Arc::new(bus);
                    let closed = match self.which {
                        Which::Counter => self.open_to_senders(&bus, &mut listening).await,
                        Which::Mailbox => {
                            self.connections.set(&self.region.code, Some(Arc::clone(&bus)));
                            let closed = self.open_for_mail(&bus).await;
                            self.connections.set(&self.region.code, None);
                            closed
                        }
                    };
                    self.tell(false);
                    // The broker let us in, so it will again: one message that ends a connection must not keep a whole
                    // region waiting longer than this.
                    wait = WAIT_MIN;
                    match closed {
                        Closed::Stopping => return Some(bus),
                        Closed::Gone(reason) => reason,
                    }
                }
            };
            self.alarm(&reason);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stopped(&mut stopping) => return None,
            }
            wait = wait.saturating_mul(2).min(WAIT_MAX);
        }
    }

    /// One more connection of this region.
    pub(crate) async fn connect(&self) -> Result<Bus, bus::ConnectError> {
        Bus::connect_alarmed(self.config.clone(), self.region.shared.alarms.clone()).await
    }

    /// Tells whether the door is open.
    pub(crate) fn tell(&self, open: bool) {
        self.doors.send_if_modified(|doors| {
            let Some(door) = doors.0.get_mut(&self.region.code) else { return false };
            let told = match self.which {
                Which::Counter => &mut door.counter,
                Which::Mailbox => &mut door.mailbox,
            };
            std::mem::replace(told, open) != open
        });
    }

    fn alarm(&self, reason: &str) {
        let what = match self.which {
            Which::Counter => "nothing comes in at the counter of this region",
            Which::Mailbox => "the mailbox of this region is not read",
        };
        let detail = format!("{what} until it is connected again: {reason}");
        let region = Some(self.region.code.clone());
        self.region.shared.alarms.raise(Alarm { region, ..Alarm::new(CLOSED, detail) });
    }
}

pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the recorder is gone: that is a stop as well.
    drop(stopping.wait_for(|stop| *stop).await);
}
