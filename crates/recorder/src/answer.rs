//! After the log: waiting until it is on disk, sorting out ids that were used before, and telling the sender.
//!
//! Answers go out in the order of arrival. Not here: what may be recorded (`judge`).

use std::sync::Arc;

use bus::subjects::ReceiptSubject;
use bus::{Bus, PublishError};
use bytes::Bytes;
use contracts::{Outcome, Receipt, Received, wire};
use domain::Timestamp;
use eventlog::{AppendError, Appended, Batch, Clock, EventLog, NewRecord, Record};
use tokio::sync::mpsc;

use crate::intake::{Asked, Reply, Unanswered};
use crate::judge::{Accepted, Entry, Message, Refused, Request, Unfit};
use crate::metrics::Metrics;
use crate::sources::Sources;
use crate::{RunError, keep};

/// Answers every request once the log has done what it was asked.
#[derive(Debug)]
pub(crate) struct Answerer {
    bus: Bus,
    log: EventLog,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    sources: Sources,
}

/// Where a record is.
#[derive(Clone, Copy, Debug)]
struct Place {
    position: u64,
    recorded_at: i64,
    duplicate: bool,
}

/// What the log made of a batch.
enum Made {
    Appended(Vec<Place>),
    Conflict {
        index: usize,
        position: u64,
    },
    ConditionFailed {
        position: u64,
    },
    /// It does not take this batch, and never will.
    Unfit(String),
}

fn made(result: Result<Appended, AppendError>) -> Result<Made, RunError> {
    match result {
        Ok(appended) => {
            let places = appended.positions.into_iter().zip(appended.recorded_at).zip(appended.duplicates);
            let place = |((position, recorded_at), duplicate)| Place { position, recorded_at, duplicate };
            Ok(Made::Appended(places.map(place).collect()))
        }
        Err(AppendError::Conflict { index, position, .. }) => Ok(Made::Conflict { index, position }),
        Err(AppendError::ConditionFailed { position }) => Ok(Made::ConditionFailed { position }),
        Err(error @ (AppendError::TooLarge { .. } | AppendError::Empty)) => {
            Ok(Made::Unfit(error.to_string()))
        }
        Err(error @ (AppendError::Stopped { .. } | AppendError::Unreadable(_) | AppendError::Closed)) => {
            Err(RunError::Log(error))
        }
    }
}

impl Answerer {
    pub(crate) fn new(bus: Bus, log: EventLog, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        Self { bus, log, clock, metrics, sources: Sources::default() }
    }

    /// Answers until nothing more comes, or the log stops: then nothing more is answered.
    pub(crate) async fn run(mut self, mut unanswered: mpsc::Receiver<Unanswered>) -> Result<(), RunError> {
        while let Some(next) = unanswered.recv().await {
            match next {
                Unanswered::Unfit { unfit, reply } => self.refuse(unfit, reply).await,
                Unanswered::Judged { message, request, asked, reply } => {
                    let receipts = match asked {
                        Asked::Events(pending) => {
                            let result = match pending {
                                Ok(pending) => pending.await,
                                Err(error) => Err(error),
                            };
                            self.events(&message, &request, made(result)?).await?
                        }
                        Asked::Quarantine(pending) => {
                            let result = match pending {
                                Ok(pending) => pending.await,
                                Err(error) => Err(error),
                            };
                            self.quarantine(&message, &request, made(result)?).await?
                        }
                    };
                    self.tell(&request, &receipts, reply).await;
                }
            }
        }
        Ok(())
    }

    /// The receipts of events that were to be appended.
    async fn events(
        &mut self,
        message: &Message,
        request: &Request,
        mut made: Made,
    ) -> Result<Vec<Receipt>, RunError> {
        let mut settled: Vec<Option<Receipt>> = request.entries.iter().map(|_| None).collect();
        // Which entries the last batch held, in its order.
        let mut asked: Vec<usize> = (0..request.entries.len()).collect();
        loop {
            match made {
                Made::Appended(places) => {
                    for (entry, place) in asked.iter().zip(places) {
                        settle(&mut settled, *entry, self.placed(request.entries.get(*entry), place));
                    }
                    break;
                }
                Made::ConditionFailed { position } => {
                    for entry in asked {
                        let reason = "something the condition excludes was recorded; read on from there";
                        let refused = refusal(Outcome::ConditionFailed, "condition_failed", reason);
                        let at = |entry| Receipt { position: Some(position), ..refused(entry) };
                        settle(&mut settled, entry, request.entries.get(entry).map(at));
                    }
                    break;
                }
                Made::Unfit(reason) => {
                    for entry in asked {
                        let receipt = refusal(Outcome::Failed, "too_large", &reason);
                        settle(&mut settled, entry, request.entries.get(entry).map(receipt));
                    }
                    break;
                }
                Made::Conflict { index, position } => {
                    let clash = if index < asked.len() { Some(asked.remove(index)) } else { None };
                    let Some(clash) = clash else { break };
                    let receipt = self.sort_out(message, request, clash, position).await?;
                    let stands =
                        receipt.as_ref().is_some_and(|receipt| receipt.outcome == Outcome::Duplicate);
                    settle(&mut settled, clash, receipt);
                    if !stands || asked.is_empty() {
                        break;
                    }
                    made = self.append(message, request, &asked).await?;
                }
            }
        }
        Ok(request
            .entries
            .iter()
            .zip(settled)
            .map(|(entry, receipt)| receipt.unwrap_or_else(|| refused_with(entry)))
            .collect())
    }

    /// Appends what is left of a request after one of its events turned out to be known.
    async fn append(&self, message: &Message, request: &Request, asked: &[usize]) -> Result<Made, RunError> {
        let record = |entry: &usize| {
            request.entries.get(*entry).and_then(|entry| entry.verdict.as_ref().ok()).map(keep::event)
        };
        let records: Vec<NewRecord> = asked.iter().filter_map(record).collect();
        let origin = keep::origin(message);
        made(self.log.append(Batch { records, condition: request.condition.clone(), origin }).await)
    }

    /// An id that was used before: the same event in other bytes is a duplicate, anything else a conflict.
    async fn sort_out(
        &mut self,
        message: &Message,
        request: &Request,
        clash: usize,
        position: u64,
    ) -> Result<Option<Receipt>, RunError> {
        let Some(entry) = request.entries.get(clash) else { return Ok(None) };
        let Ok(accepted) = &entry.verdict else { return Ok(None) };
        let first =
            self.log.reader().record(position).map_err(|source| RunError::Read { position, source })?;
        let Some(first) = first else {
            // Only for two of one batch, which the edge has refused before.
            let reason = "the id is in use by an event that is being recorded; send again";
            return Ok(Some(refusal(Outcome::Failed, "again", reason)(entry)));
        };
        if same_event(&first, accepted) {
            self.metrics.count_duplicate();
            let place = Place { position, recorded_at: first.recorded_at, duplicate: true };
            return Ok(Some(placed(Outcome::Duplicate, entry, place)));
        }
        let record = keep::conflict(request, entry, accepted, &first, self.clock.now());
        let key = first.key;
        let kept = self.keep_one(message, record).await?;
        self.metrics.count_conflict();
        tracing::error!(
            alarm = "conflict", %key, first = position, kept,
            source = accepted.decoded.event.source.as_str(),
            "an id was used again for something else: the first event stands, the other is kept aside"
        );
        let reason =
            "this source used this id before for another event, which stands; give it an id of its own";
        let receipt = refusal(Outcome::Conflict, "conflict", reason)(entry);
        let recorded_at = Some(Timestamp::from_micros(first.recorded_at));
        Ok(Some(Receipt { position: Some(position), recorded_at, ..receipt }))
    }

    /// Keeps one record of the recorder's own; gives the position it has or had, or `None` if it is too large.
    async fn keep_one(&self, message: &Message, record: NewRecord) -> Result<Option<u64>, RunError> {
        let batch = Batch { records: vec![record], condition: None, origin: keep::origin(message) };
        match made(self.log.append(batch).await)? {
            Made::Appended(places) => Ok(places.first().map(|place| place.position)),
            Made::Conflict { position, .. } | Made::ConditionFailed { position } => Ok(Some(position)),
            Made::Unfit(reason) => {
                tracing::error!(
                    alarm = "not_kept",
                    reason,
                    "what was refused can not be kept: it is too large"
                );
                Ok(None)
            }
        }
    }

    /// The receipts of a request of which something was refused.
    async fn quarantine(
        &mut self,
        message: &Message,
        request: &Request,
        made: Made,
    ) -> Result<Vec<Receipt>, RunError> {
        let positions: Vec<Option<u64>> = match made {
            Made::Appended(places) => places.iter().map(|place| Some(place.position)).collect(),
            Made::ConditionFailed { position } => vec![Some(position)],
            // Kept before by a version that put it in other words: one by one finds which.
            Made::Conflict { .. } => {
                let mut positions = Vec::new();
                let now = self.clock.now();
                for entry in &request.entries {
                    if let Err(refused) = &entry.verdict {
                        let record = keep::quarantined(message, request, entry, refused, now);
                        positions.push(self.keep_one(message, record).await?);
                    }
                }
                positions
            }
            // Each is kept with the headers of all, which is too much: all of it is kept as one.
            Made::Unfit(reason) => {
                let position = self.keep_whole(message, request, reason).await?;
                request.entries.iter().map(|_| position).collect()
            }
        };
        let mut positions = positions.into_iter();
        let mut receipts = Vec::with_capacity(request.entries.len());
        for entry in &request.entries {
            let Err(refused) = &entry.verdict else {
                receipts.push(refused_with(entry));
                continue;
            };
            let Some(position) = positions.next().flatten() else {
                let reason = "it was refused, and is too large to be kept aside; send it smaller";
                receipts.push(refusal(Outcome::Failed, "too_large", reason)(entry));
                continue;
            };
            self.alarm(request, refused, position);
            let receipt = refusal(Outcome::Quarantined, refused.code, &refused.detail)(entry);
            receipts.push(Receipt { position: Some(position), ..receipt });
        }
        Ok(receipts)
    }

    /// Keeps a message of which something was refused as one record.
    async fn keep_whole(
        &self,
        message: &Message,
        request: &Request,
        detail: String,
    ) -> Result<Option<u64>, RunError> {
        let Some(first) = request.entries.first() else { return Ok(None) };
        let content_type = if request.protobuf { bus::PROTOBUF } else { &*first.content_type };
        let refused = Refused { code: "too_large", detail, source: String::new(), id: String::new() };
        let record = keep::quarantined_whole(message, request, content_type, &refused, self.clock.now());
        self.keep_one(message, record).await
    }

    fn alarm(&self, request: &Request, refused: &Refused, position: u64) {
        self.metrics.count_quarantined();
        let party = request.party.as_ref();
        tracing::error!(
            alarm = "quarantined",
            code = refused.code,
            region = party.map(|party| party.region.as_str()),
            sender = party.map(|party| party.sender.as_str()),
            position,
            "a message was refused and kept aside: {}",
            refused.detail
        );
    }

    fn placed(&mut self, entry: Option<&Entry>, place: Place) -> Option<Receipt> {
        let entry = entry?;
        if place.duplicate {
            self.metrics.count_duplicate();
            return Some(placed(Outcome::Duplicate, entry, place));
        }
        self.metrics.count_recorded();
        if let Ok(accepted) = &entry.verdict {
            self.sources.note(&accepted.decoded, place.position, place.recorded_at, &self.metrics);
        }
        Some(placed(Outcome::Recorded, entry, place))
    }

    /// Says it to the sender; only then may the broker forget the message.
    async fn tell(&self, request: &Request, receipts: &[Receipt], reply: Reply) {
        for receipt in receipts {
            match receipt.outcome {
                Outcome::ConditionFailed => self.metrics.count_condition_failed(),
                Outcome::Failed => self.metrics.count_failed(),
                Outcome::Recorded | Outcome::Duplicate | Outcome::Conflict | Outcome::Quarantined => {}
            }
        }
        match reply {
            Reply::Counter(None) => {}
            Reply::Counter(Some(to)) => {
                let body = body(receipts, request.protobuf);
                self.sent(self.bus.answer(to, body, request.protobuf).await);
            }
            Reply::Mailbox(ticket) => {
                if receipts.iter().any(|receipt| receipt.outcome == Outcome::Failed) {
                    tracing::error!("a message in a mailbox can not be recorded or kept; it stays there");
                    return;
                }
                if let Some(party) = &request.party {
                    self.publish(party, receipts).await;
                }
                ticket.acknowledge().await;
            }
        }
    }

    async fn publish(&self, party: &ReceiptSubject, receipts: &[Receipt]) {
        for receipt in receipts {
            self.sent(self.bus.publish_receipt(party, receipt.to_json().into()).await);
        }
    }

    async fn refuse(&self, unfit: Unfit, reply: Reply) {
        self.metrics.count_failed();
        let Reply::Counter(Some(to)) = reply else { return };
        let receipt = Receipt {
            outcome: Outcome::Failed,
            source: String::new(),
            id: String::new(),
            content_hash: unfit.hash,
            position: None,
            recorded_at: None,
            code: unfit.code.to_owned(),
            reason: unfit.reason,
        };
        self.sent(self.bus.answer(to, body(&[receipt], true), true).await);
    }

    fn sent(&self, sent: Result<(), PublishError>) {
        if let Err(error) = sent {
            self.metrics.count_unanswerable();
            tracing::warn!(%error, "a sender has no receipt of what is recorded; it sends again");
        }
    }
}

fn settle(settled: &mut [Option<Receipt>], entry: usize, receipt: Option<Receipt>) {
    if let Some(place) = settled.get_mut(entry) {
        *place = receipt;
    }
}

/// Whether they say the same, in all that the contract knows: what differs in a duplicate is kept nowhere.
fn same_event(first: &Record, accepted: &Accepted) -> bool {
    Received::from_stored(&first.content_type, first.bytes.clone())
        .and_then(|first| first.decode())
        .is_ok_and(|first| first == accepted.decoded)
}

/// The receipt of an entry that has a place in the log.
fn placed(outcome: Outcome, entry: &Entry, place: Place) -> Receipt {
    let (source, id) = named(entry);
    Receipt {
        outcome,
        source,
        id,
        content_hash: entry.hash,
        position: Some(place.position),
        recorded_at: Some(Timestamp::from_micros(place.recorded_at)),
        code: String::new(),
        reason: String::new(),
    }
}

/// The receipt of an entry that has none, with the reason.
fn refusal<'a>(outcome: Outcome, code: &'a str, reason: &'a str) -> impl Fn(&Entry) -> Receipt + 'a {
    move |entry| {
        let (source, id) = named(entry);
        Receipt {
            outcome,
            source,
            id,
            content_hash: entry.hash,
            position: None,
            recorded_at: None,
            code: code.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// The receipt of an event that was fine, in a request that was not.
fn refused_with(entry: &Entry) -> Receipt {
    refusal(Outcome::Failed, "batch_refused", "another event of this batch was refused; send this one again")(
        entry,
    )
}

fn named(entry: &Entry) -> (String, String) {
    match &entry.verdict {
        Ok(accepted) => {
            let event = &accepted.decoded.event;
            (event.source.to_string(), event.id.to_string())
        }
        Err(refused) => (refused.source.clone(), refused.id.clone()),
    }
}

fn body(receipts: &[Receipt], protobuf: bool) -> Bytes {
    if protobuf {
        let receipts = receipts.iter().map(Receipt::to_proto).collect();
        return bus::encode(&wire::Receipts { receipts });
    }
    receipts.first().map(|receipt| receipt.to_json().into()).unwrap_or_default()
}
