//! The two doors of one region: its connection, its counter, its mailbox. They are opened again whenever they break.
//!
//! Each region has a connection of its own, as its own user. When that ends for good (the broker lets the user in no
//! more, or the client gives up on a message it can not read), it is made anew; other regions do not notice. Not here:
//! what is done with a message (`serve`).

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bus::alarm::Alarm;
use bus::subjects::RecordSubject;
use bus::{Bus, Counted, Delivery};
use contracts::ContentHash;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, interval_at, timeout};

use crate::answer::{body, refusal_of_all};
use crate::epoch::{EpochError, LOOK_EVERY};
use crate::judge::Message;
use crate::lines::{Arrived, Line};
use crate::quarantine::Connections;
use crate::serve::{Region, Reply, Serving};
use crate::{Doors, RunError, answer};

/// The first wait before a door is opened again; doubled each time up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(100);
/// A door that can be opened again is open at most this much later.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long the counter may take to give out what had arrived when it was closed.
const DRAIN_WITHIN: Duration = Duration::from_secs(2);
/// The code of the alarm that nothing of a region is recorded, because there is no connection.
const CLOSED: &str = "door_closed";

/// The doors of one region.
pub(crate) struct Door {
    pub(crate) region: Arc<Region>,
    pub(crate) config: bus::Config,
    pub(crate) doors: Arc<watch::Sender<Doors>>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) serving: Serving,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Why the doors of a connection are closed.
enum Closed {
    /// The recorder was told to stop, and all that had arrived is in line.
    Stopping,
    /// The connection is gone.
    Gone(String),
}

impl Door {
    /// Keeps the doors open until the recorder is told to stop; gives the connection over which answers still go.
    pub(crate) async fn keep_open(mut self) -> Option<Arc<Bus>> {
        let mut wait = WAIT_MIN;
        loop {
            let connected = tokio::select! {
                connected = Bus::connect_alarmed(self.config.clone(), self.region.shared.alarms.clone()) => connected,
                () = stopped(&mut self.stopping) => return None,
            };
            let reason = match connected {
                Err(error) => answer::sentence(&error),
                Ok(bus) => {
                    let bus = Arc::new(bus);
                    self.connections.set(&self.region.code, Some(Arc::clone(&bus)));
                    let closed = self.open(&bus).await;
                    self.connections.set(&self.region.code, None);
                    self.tell(|door| (door.counter, door.mailbox) = (false, false));
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
                () = stopped(&mut self.stopping) => return None,
            }
            wait = wait.saturating_mul(2).min(WAIT_MAX);
        }
    }

    /// Both doors of one connection, until it ends.
    async fn open(&mut self, bus: &Arc<Bus>) -> Closed {
        let mut counter = match bus.counter_of(&self.region.code).await {
            Ok(counter) => counter,
            Err(error) => return Closed::Gone(error.to_string()),
        };
        self.tell(|door| door.counter = true);
        let mut stopping = self.stopping.clone();
        let mailbox = self.read_mailbox(bus);
        tokio::pin!(mailbox);
        loop {
            tokio::select! {
                request = counter.next() => match request {
                    Some(request) => self.counted(bus, request).await,
                    None => return Closed::Gone("the connection ended".to_owned()),
                },
                never = &mut mailbox => match never {},
                () = bus.closed() => return Closed::Gone("the connection was closed for good".to_owned()),
                () = stopped(&mut stopping) => break,
            }
        }
        counter.close().await;
        let rest = async {
            while let Some(counted) = counter.next().await {
                self.counted(bus, counted).await;
            }
        };
        if timeout(DRAIN_WITHIN, rest).await.is_err() {
            tracing::warn!(
                region = %self.region.code,
                "the counter did not give out all it had; what has no receipt is sent again"
            );
        }
        Closed::Stopping
    }

    async fn counted(&self, bus: &Arc<Bus>, counted: Counted) {
        let Counted { subject, headers, payload, reply } = counted;
        let sender = subject.parse::<RecordSubject>().ok().map(|subject| subject.sender);
        let message = Message { subject, headers, payload, stream_sequence: None, unreadable: None };
        let reply = Reply::Counter { bus: Arc::clone(bus), to: reply };
        let arrived = Arrived { message, reply };
        let Some(full) = self.region.arrive(Line::Counter(sender), arrived, &self.serving) else { return };
        self.region.shared.metrics.count_busy();
        let Arrived { message, reply: Reply::Counter { bus, to: Some(to) } } = full else { return };
        let reason = "this sender has too much on its way: wait for receipts, then send this again";
        let receipt = refusal_of_all("busy", reason.to_owned());
        let protobuf = message.says_protobuf();
        let receipt = contracts::Receipt { content_hash: ContentHash::of(&message.payload), ..receipt };
        if let Err(error) = bus.answer(to, body(&[receipt], protobuf), protobuf).await {
            tracing::debug!(%error, "a sender that sends too much was not told so");
        }
    }

    /// Reads the mailbox for ever, opening it again whenever it breaks.
    async fn read_mailbox(&self, bus: &Arc<Bus>) -> std::convert::Infallible {
        let region = &self.region.code;
        let mut wait = WAIT_MIN;
        let mut read_to = None;
        loop {
            match self.open_mailbox(bus).await {
                Err(error) => {
                    tracing::warn!(%region, error = answer::sentence(&*error), "the mailbox is closed");
                }
                Ok((mut mailbox, after)) => {
                    // What keeps it from going on may be there still: longer each time nothing has moved.
                    if read_to.replace(after) != Some(after) {
                        wait = WAIT_MIN;
                    }
                    self.tell(|door| door.mailbox = true);
                    let reason = self.read(bus, &mut mailbox).await;
                    self.tell(|door| door.mailbox = false);
                    tracing::warn!(%region, reason, "the mailbox was interrupted");
                    // What waits comes again; what is in the log's hands is recorded first.
                    self.region.forget_mailbox();
                }
            }
            if bus.is_closed() {
                // Whoever keeps the connection makes another.
                return pending().await;
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(WAIT_MAX);
        }
    }

    /// Opens the mailbox behind what was acknowledged, and says where that is.
    async fn open_mailbox(
        &self,
        bus: &Bus,
    ) -> Result<(bus::Mailbox, u64), Box<dyn std::error::Error + Send + Sync>> {
        let region = &self.region.code;
        let ledger = &self.region.shared.ledger;
        ledger.make(bus, region).await?;
        let after = self.ended(ledger.before_reading(bus, region).await)?;
        let mailbox = bus.open_mailbox(region, after).await?;
        ledger.opened(region, mailbox.given_out());
        Ok((mailbox, after))
    }

    /// Reads an open mailbox; gives why it ended.
    async fn read(&self, bus: &Arc<Bus>, mailbox: &mut bus::Mailbox) -> String {
        let stuck = Arc::new(Notify::new());
        let (ledger, region) = (&self.region.shared.ledger, &self.region.code);
        let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        loop {
            let next = mailbox.next();
            tokio::pin!(next);
            let delivery = loop {
                tokio::select! {
                    delivery = &mut next => break delivery,
                    () = stuck.notified() => return "a message can be neither recorded nor kept".to_owned(),
                    _ = looks.tick() => if let Some(lost) = ledger.look(bus, region).await {
                        return lost;
                    },
                }
            };
            let Delivery { subject, headers, unreadable, payload, stream_sequence, skipped, ticket } =
                match delivery {
                    Ok(delivery) => delivery,
                    Err(error) => return error.to_string(),
                };
            if let Err(error) = self.ended(ledger.arriving(bus, region, skipped).await) {
                return error.to_string();
            }
            let message =
                Message { subject, headers, payload, stream_sequence: Some(stream_sequence), unreadable };
            let (bus, stuck) = (Arc::clone(bus), Arc::clone(&stuck));
            let reply = Reply::Mailbox { bus, sequence: stream_sequence, ticket, stuck };
            // Never full: the broker gives so much unacknowledged, and what was given before is forgotten.
            let _room = self.region.arrive(Line::Mailbox, Arrived { message, reply }, &self.serving);
        }
    }

    /// Ends the recorder if the log does not take what was found.
    fn ended<T>(&self, result: Result<T, EpochError>) -> Result<T, EpochError> {
        result.map_err(|error| match error {
            EpochError::Log(source) => {
                self.serving.fail(RunError::Log(source.clone()));
                EpochError::Log(source)
            }
            EpochError::Mailbox(_) | EpochError::Missing(_) => error,
        })
    }

    fn tell(&self, change: impl FnOnce(&mut crate::Door)) {
        self.doors.send_modify(|doors| {
            if let Some(door) = doors.0.get_mut(&self.region.code) {
                change(door);
            }
        });
    }

    fn alarm(&self, reason: &str) {
        let detail = format!("nothing of this region is recorded until it is connected again: {reason}");
        let region = Some(self.region.code.clone());
        self.region.shared.alarms.raise(Alarm { region, ..Alarm::new(CLOSED, detail) });
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the recorder is gone: that is a stop as well.
    drop(stopping.wait_for(|stop| *stop).await);
}
