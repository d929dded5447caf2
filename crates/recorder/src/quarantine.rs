//! What an operator does with messages that were kept aside: release them as events, or discard them for good.
//!
//! Released is what the registry and the contract of today take, in the bytes it came in; whoever sent it gets its
//! receipt. Every act is a record: who, when, why. A message is released or discarded once, by the key of that record,
//! and the same question has the same answer for ever. Not here: what is kept aside (`keep`), how an operator asks
//! (`bus`), lists for people (`audit`).

mod again;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bus::subjects::ReceiptSubject;
use bus::{AdminRequest, Bus, QUARANTINE_DISCARD, QUARANTINE_RELEASE};
use contracts::{
    Act, ActOutcome, Acted, Outcome, OwnRecord, QUARANTINE_DISCARDED_KIND, QUARANTINE_RELEASED_KIND,
    QUARANTINED_KIND, Receipt, wire,
};
use domain::{RegionId, Timestamp};
use eventlog::{AppendError, Appended, Batch, Clock, EventLog, Key, NewRecord, ReadError};
use network::Network;
use tokio::sync::watch;

use crate::judge::Accepted;
use crate::{RunError, answer, keep};

/// How often an act is tried anew because somebody else was faster: then their act stands, which is found at once.
const TRIES_MAX: usize = 3;

/// The connections of the recorder to the regions, as they are at this moment.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<BTreeMap<RegionId, Arc<Bus>>>);

impl Connections {
    /// This is the connection of the region from now on; `None`: there is none.
    pub(crate) fn set(&self, region: &RegionId, bus: Option<Arc<Bus>>) {
        let mut connections = self.lock();
        match bus {
            Some(bus) => drop(connections.insert(region.clone(), bus)),
            None => drop(connections.remove(region)),
        }
    }

    fn of(&self, region: &RegionId) -> Option<Arc<Bus>> {
        self.lock().get(region).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RegionId, Arc<Bus>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what an operator asks with messages that were kept aside.
#[derive(Clone, Debug)]
pub struct Quarantine {
    log: EventLog,
    clock: Arc<dyn Clock>,
    network: watch::Receiver<Arc<Network>>,
    connections: Arc<Connections>,
}

impl Quarantine {
    pub(crate) fn new(config: &crate::Config, log: EventLog, connections: Arc<Connections>) -> Self {
        Self { log, clock: Arc::clone(&config.clock), network: config.network.clone(), connections }
    }

    /// Answers what the operator asks over this connection, in the account of the core, until `shutdown` resolves.
    ///
    /// # Errors
    /// When the log stops or can not be read, or the connection is closed for good.
    pub async fn serve(self, core: Bus, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
        let mut requests = core.quarantine_requests().await.map_err(RunError::Admin)?;
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let request = tokio::select! {
                () = &mut shutdown => return Ok(()),
                request = requests.next() => request.ok_or(RunError::Closed)?,
            };
            self.answer(request).await?;
        }
    }

    async fn answer(&self, request: AdminRequest) -> Result<(), RunError> {
        let acted = match (Act::from_json(&request.payload), request.subject()) {
            (Ok(act), QUARANTINE_RELEASE) => self.release(&act).await?,
            (Ok(act), QUARANTINE_DISCARD) => self.discard(&act).await?,
            (Ok(_), _) => refused("unknown_act", "release and discard are all that can be done"),
            (Err(error), _) => refused("malformed", answer::sentence(&error)),
        };
        request.answer(acted.to_json().into()).await;
        Ok(())
    }

    /// Makes an event of the message that was kept aside there, if the registry and the contract of today take it.
    ///
    /// # Errors
    /// When the log stops or can not be read.
    pub async fn release(&self, act: &Act) -> Result<Acted, RunError> {
        for _ in 0..TRIES_MAX {
            let kept = match self.kept(act, ActOutcome::Released)? {
                Ok(kept) => kept,
                Err(answer) => return Ok(answer),
            };
            let now = self.clock.now();
            let network = Arc::clone(&self.network.borrow());
            let accepted = match again::judge(&network, Timestamp::from_micros(now), &kept) {
                Ok(accepted) => accepted,
                Err(still) => return Ok(refused(still.code, still.detail)),
            };
            match self
                .log
                .append(batch(act, vec![keep::event(&accepted), released(act, &kept, &accepted, now)]))
                .await
            {
                Ok(appended) => return Ok(self.done(act, &kept, &accepted, &appended).await),
                Err(AppendError::Conflict { index: 0, position, .. }) => {
                    // Sent again in the meantime, in other bytes, and recorded: then that is the event.
                    if let Some(answer) = self.is_there(act, &kept, &accepted, position, now).await? {
                        return Ok(answer);
                    }
                }
                // Somebody else was faster.
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(RunError::Log(error)),
            }
        }
        Ok(refused("busy", "somebody else does something with this message; ask again"))
    }

    /// Says that the message that was kept aside there stays so for good.
    ///
    /// # Errors
    /// When the log stops or can not be read.
    pub async fn discard(&self, act: &Act) -> Result<Acted, RunError> {
        if act.reason.trim().is_empty() {
            return Ok(refused("no_reason", "say why it is discarded"));
        }
        for _ in 0..TRIES_MAX {
            let kept = match self.kept(act, ActOutcome::Discarded)? {
                Ok(kept) => kept,
                Err(answer) => return Ok(answer),
            };
            match self.log.append(batch(act, vec![discarded(act, &kept, self.clock.now())])).await {
                Ok(appended) => {
                    tracing::info!(position = act.position, by = act.by, "a message kept aside is discarded");
                    return Ok(acted(ActOutcome::Discarded, act, appended.positions.first().copied(), None));
                }
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(RunError::Log(error)),
            }
        }
        Ok(refused("busy", "somebody else does something with this message; ask again"))
    }

    /// The message kept aside at the position of the act, or the answer if there is nothing to be done.
    fn kept(&self, act: &Act, wanted: ActOutcome) -> Result<Result<wire::Quarantined, Acted>, RunError> {
        let Act { position, .. } = *act;
        let reader = self.log.reader();
        let unreadable = |position| move |source: ReadError| RunError::Read { position, source };
        let Some(record) = reader.record(position).map_err(unreadable(position))? else {
            return Ok(Err(refused("not_found", format!("the log has nothing at position {position}"))));
        };
        let none = || {
            let reason = format!(
                "what is at position {position} was not kept aside; see `doorstroom quarantine list`"
            );
            Ok(Err(refused("not_quarantined", reason)))
        };
        if &*record.kind != QUARANTINED_KIND {
            return none();
        }
        let Ok(OwnRecord::Quarantined(kept)) = OwnRecord::decode(&record.kind, record.bytes) else {
            return none();
        };
        let Some(at) = reader.position_of(&act_key(position)).map_err(unreadable(position))? else {
            return Ok(Ok(kept));
        };
        let Some(done) = reader.record(at).map_err(unreadable(at))? else { return Ok(Ok(kept)) };
        let (outcome, by, reason, event) = match OwnRecord::decode(&done.kind, done.bytes) {
            Ok(OwnRecord::QuarantineReleased(released)) => {
                let key = <[u8; 16]>::try_from(&*released.event_key).unwrap_or_default();
                let event = reader.position_of(&Key(key)).map_err(unreadable(at))?;
                (ActOutcome::Released, released.by, released.reason, event)
            }
            Ok(OwnRecord::QuarantineDiscarded(discarded)) => {
                (ActOutcome::Discarded, discarded.by, discarded.reason, None)
            }
            Ok(_) | Err(_) => return none(),
        };
        if outcome == wanted {
            let act = Act { position, by, reason };
            return Ok(Err(acted(outcome, &act, Some(at), event)));
        }
        let (code, what) = match outcome {
            ActOutcome::Released => ("released", "released"),
            ActOutcome::Discarded | ActOutcome::Refused => ("discarded", "discarded"),
        };
        Ok(Err(refused(code, format!("it was {what} by {by}, at position {at}"))))
    }

    /// The answer if the very event is in the log already; `Some` refusal if another has its id.
    async fn is_there(
        &self,
        act: &Act,
        kept: &wire::Quarantined,
        accepted: &Accepted,
        position: u64,
        now: i64,
    ) -> Result<Option<Acted>, RunError> {
        let first =
            self.log.reader().record(position).map_err(|source| RunError::Read { position, source })?;
        if !first.is_some_and(|first| answer::same_event(&first, accepted)) {
            let reason = format!("another event, at position {position}, has its id, and stands");
            return Ok(Some(refused(Outcome::Conflict.code(), reason)));
        }
        match self.log.append(batch(act, vec![released(act, kept, accepted, now)])).await {
            Ok(appended) => Ok(Some(acted(
                ActOutcome::Released,
                act,
                appended.positions.first().copied(),
                Some(position),
            ))),
            Err(AppendError::Conflict { .. }) => Ok(None),
            Err(error) => Err(RunError::Log(error)),
        }
    }

    /// Tells its sender, and gives the answer.
    async fn done(
        &self,
        act: &Act,
        kept: &wire::Quarantined,
        accepted: &Accepted,
        appended: &Appended,
    ) -> Acted {
        let [event, record] = [0, 1].map(|index: usize| appended.positions.get(index).copied());
        let known = appended.duplicates.first().copied().unwrap_or_default();
        tracing::info!(position = act.position, event, by = act.by, "a message kept aside is released");
        if let Some(party) = again::party(kept) {
            let receipt = Receipt {
                outcome: if known { Outcome::Duplicate } else { Outcome::Recorded },
                source: accepted.decoded.event.source.to_string(),
                id: accepted.decoded.event.id.to_string(),
                content_hash: accepted.received.content_hash(),
                position: event,
                recorded_at: appended.recorded_at.first().copied().map(Timestamp::from_micros),
                code: String::new(),
                reason: String::new(),
            };
            self.tell(&party, &receipt).await;
        }
        acted(ActOutcome::Released, act, record, event)
    }

    async fn tell(&self, party: &ReceiptSubject, receipt: &Receipt) {
        let told = match self.connections.of(&party.region) {
            Some(bus) => {
                bus.publish_receipt(party, receipt.to_json().into()).await.map_err(|error| error.to_string())
            }
            None => Err("the region is not connected".to_owned()),
        };
        if let Err(reason) = told {
            tracing::warn!(region = %party.region, reason, "a sender was not told that its message is an event now");
        }
    }
}

/// One message, one act: a second one meets the key of the first.
fn act_key(position: u64) -> Key {
    keep::key_of(&[b"quarantine act", position.to_string().as_bytes()])
}

fn batch(act: &Act, records: Vec<NewRecord>) -> Batch {
    Batch { records, condition: None, origin: format!("quarantine {}", act.position).into() }
}

fn released(act: &Act, kept: &wire::Quarantined, accepted: &Accepted, now: i64) -> NewRecord {
    let record = wire::QuarantineReleased {
        position: act.position,
        subject: kept.subject.clone(),
        region: kept.region.clone(),
        sender: kept.sender.clone(),
        event_key: accepted.key.to_vec().into(),
        by: act.by.clone(),
        reason: act.reason.clone(),
    };
    keep::own_record(act_key(act.position), QUARANTINE_RELEASED_KIND, tags(kept), now, bus::encode(&record))
}

fn discarded(act: &Act, kept: &wire::Quarantined, now: i64) -> NewRecord {
    let record = wire::QuarantineDiscarded {
        position: act.position,
        subject: kept.subject.clone(),
        region: kept.region.clone(),
        sender: kept.sender.clone(),
        by: act.by.clone(),
        reason: act.reason.clone(),
    };
    keep::own_record(act_key(act.position), QUARANTINE_DISCARDED_KIND, tags(kept), now, bus::encode(&record))
}

fn tags(kept: &wire::Quarantined) -> Vec<Box<str>> {
    let tags = [("region", &kept.region), ("sender", &kept.sender)];
    let given = tags.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}:{value}").into()).collect()
}

fn acted(outcome: ActOutcome, act: &Act, position: Option<u64>, event_position: Option<u64>) -> Acted {
    let (by, reason) = (act.by.clone(), act.reason.clone());
    Acted { outcome, position, event_position, by, code: String::new(), reason }
}

fn refused(code: &str, reason: impl Into<String>) -> Acted {
    Acted {
        outcome: ActOutcome::Refused,
        position: None,
        event_position: None,
        by: String::new(),
        code: code.to_owned(),
        reason: reason.into(),
    }
}
