//! The mailbox of one region: read in the order of its stream, opened again whenever it breaks.
//!
//! Not here: the connection it is read over (`door`), what is done with a message (`serve`), what is known of how far it
//! was read (`epoch`).

use std::future::pending;
use std::sync::Arc;

use bus::{Bus, Delivery};
use tokio::sync::Notify;
use tokio::time::{Instant, interval_at};

use crate::door::{Closed, Door, WAIT_MAX, WAIT_MIN, stopped};
use crate::epoch::{EpochError, LOOK_EVERY};
use crate::judge::Message;
use crate::lines::{Arrived, Line};
use crate::serve::Reply;
use crate::{RunError, answer};

impl Door {
    /// Reads the mailbox over this connection, opening it again whenever it breaks, until the connection ends or the
    /// recorder is told to stop. What is in the log's hands then is answered still.
    pub(crate) async fn open_for_mail(&self, bus: &Arc<Bus>) -> Closed {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            never = self.read_mailbox(bus) => match never {},
            () = bus.closed() => Closed::Gone("the connection was closed for good".to_owned()),
            () = stopped(&mut stopping) => Closed::Stopping,
        }
    }

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
                    self.tell(true);
                    let reason = self.read(bus, &mut mailbox).await;
                    self.tell(false);
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
}
