//! After the log: waiting until it is on disk, sorting out ids that were used before, and telling the sender.
//!
//! Answers of one line go out in the order of arrival. Not here: what may be recorded (`judge`), whose turn it is
//! (`serve`).

use std::collections::BTreeMap;
use std::sync::PoisonError;

use bus::PublishError;
use bus::alarm::Alarm;
use bytes::Bytes;
use contracts::{ContentHash, Decoded, Outcome, Receipt, Received, wire};
use domain::Timestamp;
use eventlog::{AppendError, Appended, Batch, NewRecord, Record};
use network::SenderName;

use crate::counter::SHUT_FOR;
use crate::flood::IN_VAIN_PER_SECOND_MAX;
use crate::judge::{Accepted, Entry, Message, Refused, Request, Unfit};
use crate::keep::Counted;
use crate::quota::KEPT_PER_MINUTE_MAX;
use crate::serve::{Asked, Judged, Region, Reply};
use crate::{RunError, keep};

/// The code of the alarm that a sender has more refused than is kept of it.
const FLOOD: &str = "refusals_flood";
/// The code of the alarm that a sender sends so much in vain that it is not listened to for a while.
pub const IN_VAIN: &str = "counter_flood";
/// The code of the alarm that a message can be neither recorded nor kept, so that its mailbox waits.
const STUCK: &str = "mailbox_stuck";
/// The code of the alarm that something refused is too large to be kept.
const NOT_KEPT: &str = "not_kept";

/// Waits for what the log was asked, and answers in order. `false` if the mailbox can not go on: nothing after the
/// message on which it stands is acknowledged.
pub(crate) async fn settle(region: &Region, hand: Vec<(Judged, Asked)>) -> Result<bool, RunError> {
    let mut answers = Answers { region, counted: BTreeMap::new() };
    let mut told = Vec::with_capacity(hand.len());
    for (judged, asked) in hand {
        let receipts = answers.receipts(&judged, asked).await?;
        told.push((judged, receipts));
    }
    let summaries = answers.keep_summaries().await?;
    for (Judged { message: _, reply, request }, mut receipts) in told {
        let request = match request {
            Ok(request) => request,
            Err(unfit) => {
                answers.refuse(unfit, reply).await;
                continue;
            }
        };
        let sender = request.party.as_ref().map(|party| &party.sender);
        for (entry, receipt) in request.entries.iter().zip(&mut receipts) {
            if entry.verdict.as_ref().is_err_and(|refused| refused.counted) {
                receipt.position = summaries.get(&sender.cloned()).copied();
            }
        }
        if !answers.tell(&request, &receipts, reply).await {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Raises the alarm that a sender has more refused than is kept of it.
pub(crate) fn alarm_flood(region: &Region, sender: Option<&SenderName>) {
    let detail = format!(
        "more than {KEPT_PER_MINUTE_MAX} messages of one sender were refused within a minute: further ones are \
         counted, and not kept; stop it, and look at what is in quarantine"
    );
    region.shared.alarms.raise(Alarm {
        region: Some(region.code.clone()),
        sender: sender.cloned(),
        security: true,
        ..Alarm::new(FLOOD, detail)
    });
}

/// Raises the alarm that a sender sends so much in vain that it is not listened to for a while.
pub(crate) fn alarm_in_vain(region: &Region, sender: Option<&SenderName>) {
    let detail = format!(
        "more than {IN_VAIN_PER_SECOND_MAX} messages of one sender were refused, or found no room, within a second: at the \
         counter it is not listened to for {} s; stop it, and look at what is in quarantine",
        SHUT_FOR.as_secs()
    );
    region.shared.alarms.raise(Alarm {
        region: Some(region.code.clone()),
        sender: sender.cloned(),
        security: true,
        ..Alarm::new(IN_VAIN, detail)
    });
}

/// Answers one turn of a line.
struct Answers<'a> {
    region: &'a Region,
    /// What is only counted, by sender.
    counted: BTreeMap<Option<SenderName>, Counted>,
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

impl Answers<'_> {
    /// The receipts of one message; none if it was refused as a whole.
    async fn receipts(&mut self, judged: &Judged, asked: Asked) -> Result<Vec<Receipt>, RunError> {
        let Judged { message, reply: _, request: Ok(request) } = judged else { return Ok(Vec::new()) };
        match asked {
            Asked::Nothing => self.quarantine(message, request, Made::Appended(Vec::new())).await,
            Asked::Events(pending) => {
                let result = match pending {
                    Ok(pending) => pending.await,
                    Err(error) => Err(error),
                };
                self.events(message, request, made(result)?).await
            }
            Asked::Quarantine(pending) => {
                let result = match pending {
                    Ok(pending) => pending.await,
                    Err(error) => Err(error),
                };
                self.quarantine(message, request, made(result)?).await
            }
        }
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
                        set(&mut settled, *entry, self.placed(request.entries.get(*entry), place));
                    }
                    break;
                }
                Made::ConditionFailed { position } => {
                    for entry in asked {
                        let reason = "something the condition excludes was recorded; read on from there";
                        let refused = refusal(Outcome::ConditionFailed, "condition_failed", reason);
                        let at = |entry| Receipt { position: Some(position), ..refused(entry) };
                        set(&mut settled, entry, request.entries.get(entry).map(at));
                    }
                    break;
                }
                Made::Unfit(reason) => {
                    for entry in asked {
                        let receipt = refusal(Outcome::Failed, "too_large", &reason);
                        set(&mut settled, entry, request.entries.get(entry).map(receipt));
                    }
                    break;
                }
                Made::Conflict { index, position } => {
                    let clash = if index < asked.len() { Some(asked.remove(index)) } else { None };
                    let Some(clash) = clash else { break };
                    let receipt = self.sort_out(message, request, clash, position).await?;
                    let stands =
                        receipt.as_ref().is_some_and(|receipt| receipt.outcome == Outcome::Duplicate);
                    set(&mut settled, clash, receipt);
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
        made(self.shared().log.append(Batch { records, condition: request.condition.clone(), origin }).await)
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
        let first = self
            .shared()
            .log
            .reader()
            .record(position)
            .map_err(|source| RunError::Read { position, source })?;
        let Some(first) = first else {
            // Only for two of one batch, which the edge has refused before.
            let reason = "the id is in use by an event that is being recorded; send again";
            return Ok(Some(refusal(Outcome::Failed, "again", reason)(entry)));
        };
        if same_event(&first, accepted) {
            self.shared().metrics.count_duplicate();
            let place = Place { position, recorded_at: first.recorded_at, duplicate: true };
            return Ok(Some(placed(Outcome::Duplicate, entry, place)));
        }
        self.shared().metrics.count_conflict();
        let sender = request.party.as_ref().map(|party| &party.sender);
        let now = self.shared().clock.now();
        if self.region.is_counted(sender, now) {
            self.counted.entry(sender.cloned()).or_default().add(Outcome::Conflict.code(), message, entry);
        } else {
            let record = keep::conflict(request, entry, accepted, &first, now);
            let kept = self.keep_one(keep::origin(message), record).await?;
            self.alarm_conflict(request, accepted, position, kept);
        }
        let reason =
            "this source used this id before for another event, which stands; give it an id of its own";
        let receipt = refusal(Outcome::Conflict, "conflict", reason)(entry);
        let recorded_at = Some(Timestamp::from_micros(first.recorded_at));
        Ok(Some(Receipt { position: Some(position), recorded_at, ..receipt }))
    }

    /// Keeps one record of the recorder's own; gives the position it has or had, or `None` if it is too large.
    async fn keep_one(&self, origin: Bytes, record: NewRecord) -> Result<Option<u64>, RunError> {
        let batch = Batch { records: vec![record], condition: None, origin };
        match made(self.shared().log.append(batch).await)? {
            Made::Appended(places) => Ok(places.first().map(|place| place.position)),
            Made::Conflict { position, .. } | Made::ConditionFailed { position } => Ok(Some(position)),
            Made::Unfit(reason) => {
                let detail = format!("what was refused can not be kept: {reason}; its sender is told so");
                let region = Some(self.region.code.clone());
                self.shared().alarms.raise(Alarm { region, ..Alarm::new(NOT_KEPT, detail) });
                Ok(None)
            }
        }
    }

    fn alarm_conflict(&self, request: &Request, accepted: &Accepted, first: u64, kept: Option<u64>) {
        let source = &accepted.decoded.event.source;
        let detail = format!(
            "{source} used an id again for something else: the event at position {first} stands, the other is kept aside"
        );
        self.shared().alarms.raise(Alarm {
            region: Some(self.region.code.clone()),
            sender: request.party.as_ref().map(|party| party.sender.clone()),
            position: kept,
            ..Alarm::new(Outcome::Conflict.code(), detail)
        });
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
                let now = self.shared().clock.now();
                for entry in &request.entries {
                    if let Some(refused) = entry.verdict.as_ref().err().filter(|refused| !refused.counted) {
                        let record = keep::quarantined(message, request, entry, refused, now);
                        positions.push(self.keep_one(keep::origin(message), record).await?);
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
            if refused.counted {
                self.shared().metrics.count_quarantined();
                let sender = request.party.as_ref().map(|party| party.sender.clone());
                self.counted.entry(sender).or_default().add(refused.code, message, entry);
                let reason = format!("{}; so much was refused that this one is not kept", refused.detail);
                receipts.push(refusal(Outcome::Quarantined, refused.code, &reason)(entry));
                continue;
            }
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
        let refused = Refused::new("too_large", detail);
        let record =
            keep::quarantined_whole(message, request, content_type, &refused, self.shared().clock.now());
        self.keep_one(keep::origin(message), record).await
    }

    fn alarm(&self, request: &Request, refused: &Refused, position: u64) {
        self.shared().metrics.count_quarantined();
        let detail = format!("a message was refused and kept aside: {}", refused.detail);
        self.region.shared.alarms.raise(Alarm {
            region: Some(self.region.code.clone()),
            sender: request.party.as_ref().map(|party| party.sender.clone()),
            position: Some(position),
            security: refused.security,
            ..Alarm::new(refused.code, detail)
        });
    }

    fn placed(&mut self, entry: Option<&Entry>, place: Place) -> Option<Receipt> {
        let entry = entry?;
        if place.duplicate {
            self.shared().metrics.count_duplicate();
            return Some(placed(Outcome::Duplicate, entry, place));
        }
        self.shared().metrics.count_recorded();
        if let Ok(accepted) = &entry.verdict {
            let shared = self.shared();
            let mut sources = shared.sources.lock().unwrap_or_else(PoisonError::into_inner);
            sources.note(&accepted.decoded, place.position, place.recorded_at, &shared.metrics);
        }
        Some(placed(Outcome::Recorded, entry, place))
    }

    /// Keeps what is only counted; gives where, by sender.
    async fn keep_summaries(&mut self) -> Result<BTreeMap<Option<SenderName>, u64>, RunError> {
        let mut positions = BTreeMap::new();
        for (sender, counted) in std::mem::take(&mut self.counted) {
            let now = self.shared().clock.now();
            let record = keep::summary(&self.region.code, sender.as_ref(), &counted, now);
            if let Some(position) = self.keep_one(Bytes::new(), record).await? {
                positions.insert(sender, position);
            }
        }
        Ok(positions)
    }

    /// Says it to the sender; only then may the broker forget the message. `false` if the mailbox can not go on.
    async fn tell(&self, request: &Request, receipts: &[Receipt], reply: Reply) -> bool {
        let metrics = &self.shared().metrics;
        for receipt in receipts {
            match receipt.outcome {
                Outcome::ConditionFailed => metrics.count_condition_failed(),
                Outcome::Failed => metrics.count_failed(),
                Outcome::Recorded | Outcome::Duplicate | Outcome::Conflict | Outcome::Quarantined => {}
            }
        }
        match reply {
            Reply::Counter { to: None, bus: _ } => {}
            Reply::Counter { to: Some(to), bus } => {
                let body = body(receipts, request.protobuf);
                self.sent(bus.answer(to, body, request.protobuf).await);
            }
            Reply::Mailbox { bus, sequence, ticket, stuck } => {
                if let Some(failed) = receipts.iter().find(|receipt| receipt.outcome == Outcome::Failed) {
                    self.alarm_stuck(request, &failed.reason);
                    self.region.forget_mailbox();
                    stuck.notify_one();
                    return false;
                }
                if let Some(party) = &request.party {
                    for receipt in receipts {
                        self.sent(bus.publish_receipt(party, receipt.to_json().into()).await);
                    }
                }
                self.settled(&bus, sequence, receipts).await;
                ticket.acknowledge().await;
            }
        }
        true
    }

    async fn settled(&self, bus: &bus::Bus, sequence: u64, receipts: &[Receipt]) {
        let recorded = receipts.first().filter(|receipt| receipt.outcome == Outcome::Recorded);
        let position = recorded.and_then(|receipt| receipt.position);
        let (ledger, region) = (&self.shared().ledger, &self.region.code);
        if let Err(error) = ledger.settled(bus, region, (sequence, position), recorded.is_some()).await {
            // The log stopped, which whoever asks it next hears too.
            tracing::error!(%region, error = sentence(&error), "what the broker lost is not recorded");
        }
    }

    fn alarm_stuck(&self, request: &Request, reason: &str) {
        let detail = format!(
            "a message can be neither recorded nor kept, so its mailbox waits and is opened again: {reason}"
        );
        self.shared().alarms.raise(Alarm {
            region: Some(self.region.code.clone()),
            sender: request.party.as_ref().map(|party| party.sender.clone()),
            ..Alarm::new(STUCK, detail)
        });
    }

    async fn refuse(&self, unfit: Unfit, reply: Reply) {
        self.shared().metrics.count_failed();
        let Reply::Counter { to: Some(to), bus } = reply else { return };
        let Unfit { code, reason, hash } = unfit;
        let receipt = Receipt { content_hash: hash, ..refusal_of_all(code, reason) };
        self.sent(bus.answer(to, body(&[receipt], true), true).await);
    }

    fn sent(&self, sent: Result<(), PublishError>) {
        if let Err(error) = sent {
            self.shared().metrics.count_unanswerable();
            tracing::warn!(%error, "a sender has no receipt of what is recorded; it sends again");
        }
    }

    fn shared(&self) -> &crate::serve::Shared {
        &self.region.shared
    }
}

fn set(settled: &mut [Option<Receipt>], entry: usize, receipt: Option<Receipt>) {
    if let Some(place) = settled.get_mut(entry) {
        *place = receipt;
    }
}

/// Whether they say the same, in all that the contract knows: what differs in a duplicate is kept nowhere.
pub(crate) fn same_event(first: &Record, accepted: &Accepted) -> bool {
    Received::from_stored(&first.content_type, first.bytes.clone())
        .and_then(|first| first.decode())
        // Each signature was checked when it came. After a change of keys the same event has another one.
        .is_ok_and(|first| {
            let unsigned = |decoded: Decoded| Decoded { signature: None, ..decoded };
            unsigned(first) == unsigned(accepted.decoded.clone())
        })
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

/// The receipt of a request that is not taken, for no fault of an event.
pub(crate) fn refusal_of_all(code: &str, reason: String) -> Receipt {
    Receipt {
        outcome: Outcome::Failed,
        source: String::new(),
        id: String::new(),
        content_hash: ContentHash::of(&[]),
        position: None,
        recorded_at: None,
        code: code.to_owned(),
        reason,
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

/// An error and its causes, on one line.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

pub(crate) fn body(receipts: &[Receipt], protobuf: bool) -> Bytes {
    if protobuf {
        let receipts = receipts.iter().map(Receipt::to_proto).collect();
        return bus::encode(&wire::Receipts { receipts });
    }
    receipts.first().map(|receipt| receipt.to_json().into()).unwrap_or_default()
}
