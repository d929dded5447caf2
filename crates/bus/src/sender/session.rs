//! Driving the window over one connection after another, until everything has its receipt or it takes too long.
//!
//! Not here: which event may go next (`window`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{HeaderMap, HeaderName, HeaderValue, Message};
use bytes::{Buf as _, Bytes};
use contracts::signature::{SigningSeed, sign};
use contracts::{Ask, ContentType, EVENT_BYTES_MAX, Receipt, Received, wire};
use futures::{FutureExt as _, Stream, StreamExt as _};
use network::Account;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::links::{Incoming, Link, LinkError, Links, apart};
use super::window::{Parcel, Window};
use super::{
    Asked, CONNECTIONS_MAX, Door, Ears, IN_FLIGHT_MAX, Outgoing, Party, SendError, SenderConfig, Sent,
    sentence,
};
use crate::counter::{CONTENT_TYPE, protobuf_headers};
use crate::denial::Denial;
use crate::requests::{self, Refusal, nobody_listens};
use crate::subjects::{InSubject, RecordSubject};

/// Senders listened for from the beginning: as many as leave room for a connection for everything in flight.
const LISTENED_MAX: usize = CONNECTIONS_MAX - IN_FLIGHT_MAX;
/// An answer that takes longer is taken for lost, and everything is sent again.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked at whether something takes too long.
const TICK: Duration = Duration::from_millis(250);
/// The first wait before a fresh connection; it doubles each time, up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest wait before a fresh connection.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Messages of the broker for "larger than this stream takes": sending again will not help.
const MESSAGE_TOO_LARGE: u64 = 10_054;

/// How a connection ended.
enum Ending {
    /// Every event has its receipt, or nobody wants to know.
    Done,
    /// Something broke; start over with a fresh connection.
    Broken(String),
}

/// What lasts over connections.
struct Work<S> {
    config: SenderConfig,
    events: S,
    ended: bool,
    next_index: u64,
    window: Window,
    progress: Instant,
    ears: Option<Ears>,
    /// The seeds found so far; looked up anew over fresh connections.
    seeds: HashMap<Party, Option<SigningSeed>>,
    /// Who is not let in, and why. For good: what comes later of them would overtake what was passed over.
    shut_out: HashMap<Party, Arc<str>>,
    out: mpsc::Sender<Sent>,
}

pub(super) async fn send_all<S>(config: SenderConfig, events: S, ears: Option<Ears>, out: mpsc::Sender<Sent>)
where
    S: Stream<Item = Outgoing> + Unpin,
{
    let in_flight = config.in_flight.clamp(1, IN_FLIGHT_MAX);
    let window = Window::new(config.door, apart(&config.logins), in_flight);
    let (progress, seeds) = (Instant::now(), HashMap::new());
    let shut_out = HashMap::new();
    let mut work =
        Work { config, events, ended: false, next_index: 0, window, progress, ears, seeds, shut_out, out };
    let mut wait = WAIT_MIN;
    loop {
        let before = work.progress;
        let reason = match work.over(Links::new(work.config.clone())).await {
            Ending::Done => return,
            Ending::Broken(reason) => reason,
        };
        work.window.start_over();
        if work.give_up(&reason).await {
            return;
        }
        wait = if work.progress > before { WAIT_MIN } else { wait.saturating_mul(2).min(WAIT_MAX) };
        tracing::info!(reason, wait_ms = wait.as_millis(), "sending what has no receipt again");
        tokio::time::sleep(wait).await;
    }
}

impl<S: Stream<Item = Outgoing> + Unpin> Work<S> {
    /// Sends over fresh connections.
    async fn over(&mut self, mut links: Links) -> Ending {
        self.seeds.clear();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for party in self.ears.iter().flat_map(|ears| &ears.parties).take(LISTENED_MAX) {
            match links.listen(party, &self.window).await {
                // It is told when something of it is to be sent.
                Ok(()) | Err(LinkError::ShutOut(_)) => {}
                Err(LinkError::Broken(reason)) => return Ending::Broken(reason),
            }
        }
        loop {
            if let Err(reason) = self.publish_all(&mut links).await {
                return Ending::Broken(reason);
            }
            if self.ended && self.window.is_empty() {
                return Ending::Done;
            }
            // Answers first: a deadline that passed while this task did not run is none.
            let step = tokio::select! {
                biased;
                Some(incoming) = links.next() => self.take(incoming).await,
                event = self.events.next(), if !self.ended && self.window.has_room() => self.read(event).await,
                _ = tick.tick() => self.look_at_the_time(),
            };
            if let Err(reason) = step {
                return Ending::Broken(reason);
            }
            if self.out.is_closed() {
                return Ending::Done;
            }
        }
    }

    /// Publishes whatever may go now, in order.
    async fn publish_all(&mut self, links: &mut Links) -> Result<(), String> {
        let (door, hears) = (self.config.door, self.ears.is_some());
        while let Some(id) = self.window.send_next(Instant::now()) {
            let Some(parcel) = self.window.parcel(id) else { continue };
            let published = match self.shut_out.get(&parcel.party) {
                Some(reason) => Err(LinkError::ShutOut(reason.to_string())),
                None => publish_parcel(links, &self.window, (door, hears), id, parcel).await,
            };
            match published {
                Ok(()) => {}
                Err(LinkError::ShutOut(reason)) => self.shut_out(id, &reason).await,
                Err(LinkError::Broken(reason)) => return Err(reason),
            }
        }
        Ok(())
    }

    /// What the broker refuses: whoever it is about is passed over.
    async fn denied(&mut self, denial: &Denial) -> Result<(), String> {
        let Some(party) = denial.sender() else {
            return Err(format!("{denial}; a key file has to be called as its user"));
        };
        let reason = denial.to_string();
        for id in self.window.of(&party) {
            self.shut_out(id, &reason).await;
        }
        self.shut_out.entry(party).or_insert_with(|| reason.into());
        Ok(())
    }

    /// Passes over what can not be sent as this sender, now and later.
    async fn shut_out(&mut self, id: u64, reason: &str) {
        let Some(parcel) = self.window.parcel(id) else { return };
        let party = parcel.party.clone();
        let reason = Arc::clone(self.shut_out.entry(party).or_insert_with(|| reason.into()));
        self.progress = Instant::now();
        for index in self.window.drop_parcel(id) {
            self.report(Err(SendError::ShutOut { index, reason: Arc::clone(&reason) })).await;
        }
    }

    async fn take(&mut self, incoming: Incoming) -> Result<(), String> {
        match incoming {
            Incoming::Answer(answer) => self.answer(&answer).await,
            Incoming::Told(party, message) => {
                self.told(party, &message).await;
                Ok(())
            }
            Incoming::Denied(denial) => self.denied(&denial).await,
            Incoming::Lost => Err("the connection was lost".to_owned()),
        }
    }

    /// The event as it is sent.
    fn signed(&mut self, outgoing: Outgoing) -> Outgoing {
        if !outgoing.sign {
            return outgoing;
        }
        let party = (outgoing.region.clone(), outgoing.sender.clone());
        let logins = &self.config.logins;
        let seed = self.seeds.entry(party).or_insert_with_key(|(region, sender)| {
            let login = logins.of(&Account::Region(region.clone()), sender.as_str());
            login.ok().flatten().and_then(|login| login.signing_seed())
        });
        match seed.as_ref().map(|seed| sign(&outgoing.event, seed)) {
            Some(Ok(event)) => Outgoing { event, ..outgoing },
            // Signed already, or no event: whoever judges it will say.
            Some(Err(_)) | None => outgoing,
        }
    }

    /// Takes in this event and all that can be had without waiting.
    async fn read(&mut self, event: Option<Outgoing>) -> Result<(), String> {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            let Some(event) = event else {
                self.ended = true;
                return Ok(());
            };
            let event = self.signed(event);
            let index = self.next_index;
            self.next_index = index.saturating_add(1);
            let size = event.event.bytes().len();
            if size > EVENT_BYTES_MAX {
                let reason = format!("it has {size} bytes, at most {EVENT_BYTES_MAX} are taken");
                self.report(Err(SendError::Unsendable { index, reason })).await;
            } else {
                if self.window.is_empty() {
                    self.progress = Instant::now();
                }
                self.window.push(index, event);
            }
            if self.window.has_room() {
                next = self.events.next().now_or_never();
            }
        }
        Ok(())
    }

    /// An answer of the counter, or the broker's word that the mailbox has it.
    async fn answer(&mut self, answer: &Message) -> Result<(), String> {
        let id = answer.subject.rsplit('.').next().and_then(|token| token.parse().ok());
        let Some(id) = id else { return Ok(()) };
        match self.config.door {
            Door::Counter(_) => {
                let receipts = requests::receipts(answer).map_err(|refusal| match refusal {
                    Refusal::NoRecorder => "no recorder listens at the counter".to_owned(),
                    Refusal::Unreadable(what) => format!("the counter's answer is not readable: {what}"),
                })?;
                let settled = self.window.answered(id, receipts)?;
                for (index, receipt) in settled.receipts {
                    self.progress = Instant::now();
                    self.report(Ok((index, receipt))).await;
                }
                settled.stuck.map_or(Ok(()), Err)
            }
            Door::Mailbox(_) => match kept(answer)? {
                Kept::Yes => {
                    self.window.kept(id, Instant::now());
                    Ok(())
                }
                Kept::Never(reason) => {
                    for index in self.window.drop_parcel(id) {
                        self.report(Err(SendError::Unsendable { index, reason: reason.clone() })).await;
                    }
                    Ok(())
                }
            },
        }
    }

    /// A receipt for something in the mailbox, or something that is asked.
    async fn told(&mut self, party: Party, message: &Message) {
        if let Ok(receipt) = Receipt::from_json(&message.payload) {
            // At the counter a receipt comes as an answer; here it is one for another program of the same sender.
            if matches!(self.config.door, Door::Mailbox(_))
                && let Some(settled) = self.window.receipted(receipt)
            {
                self.progress = Instant::now();
                self.report(Ok(settled)).await;
            }
        } else if let (Ok(ask), Some(ears)) = (Ask::from_json(&message.payload), &self.ears) {
            // One that waits is enough: it is answered with everything that is kept.
            let _full = ears.asks.try_send(Asked { party, ask });
        }
    }

    fn look_at_the_time(&self) -> Result<(), String> {
        match self.window.oldest() {
            Some(since) if since.elapsed() >= ANSWER_WITHIN => {
                Err(format!("no receipt within {} s", ANSWER_WITHIN.as_secs()))
            }
            _ => Ok(()),
        }
    }

    /// Whether it took too long; said as the last word.
    async fn give_up(&mut self, reason: &str) -> bool {
        if self.window.is_empty() {
            self.progress = Instant::now();
        }
        let waited = self.progress.elapsed();
        if waited < self.config.give_up_after {
            return self.out.is_closed();
        }
        let index = self.window.first_index().unwrap_or(self.next_index);
        self.report(Err(SendError::GaveUp { index, waited, reason: reason.to_owned() })).await;
        true
    }

    async fn report(&mut self, sent: Sent) {
        // A reader that went away is noticed by the loop.
        let _gone = self.out.send(sent).await;
    }
}

/// What the broker says of a message for the mailbox.
enum Kept {
    Yes,
    Never(String),
}

#[derive(Deserialize)]
struct PubAck {
    error: Option<PubAckError>,
}

#[derive(Deserialize)]
struct PubAckError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

fn kept(answer: &Message) -> Result<Kept, String> {
    if nobody_listens(answer) {
        return Err("the region has no mailbox at this broker".to_owned());
    }
    let ack: PubAck = serde_json::from_slice(&answer.payload)
        .map_err(|error| format!("the broker's answer is not readable: {error}"))?;
    match ack.error {
        None => Ok(Kept::Yes),
        Some(error) if error.err_code == MESSAGE_TOO_LARGE => Ok(Kept::Never(error.description)),
        Some(error) => {
            Err(format!("the mailbox does not take it: {} ({})", error.description, error.err_code))
        }
    }
}

async fn publish_parcel(
    links: &mut Links,
    window: &Window,
    (door, hears): (Door, bool),
    id: u64,
    parcel: &Parcel,
) -> Result<(), LinkError> {
    // Before the message, on the same connection: the receipt can not be earlier.
    if hears || matches!(door, Door::Mailbox(_)) {
        links.listen(&parcel.party, window).await?;
    }
    let link = links.of(&parcel.party, window).await?;
    let published = match door {
        Door::Counter(_) => ask(link, id, parcel).await,
        Door::Mailbox(_) => post(link, id, parcel).await,
    };
    published.map_err(LinkError::Broken)
}

async fn ask(link: &Link, id: u64, parcel: &Parcel) -> Result<(), String> {
    let (region, sender) = parcel.party.clone();
    let subject = RecordSubject { region, sender };
    let raw = |event: &Received| wire::RawEvent {
        content_type: event.content_type().to_owned(),
        bytes: event.bytes().clone(),
    };
    let events = parcel.events.iter().map(|(_, outgoing, _)| raw(&outgoing.event)).collect();
    let body = requests::encode(&wire::AppendRequest { events, condition: None });
    publish(link, id, subject.to_string(), protobuf_headers(), body).await
}

async fn post(link: &Link, id: u64, parcel: &Parcel) -> Result<(), String> {
    for (_, outgoing, _) in &parcel.events {
        let Outgoing { region, sender, name, event, .. } = outgoing;
        let subject = InSubject { region: region.clone(), sender: sender.clone(), event: name.clone() };
        let (headers, body) = message_of(event);
        publish(link, id, subject.to_string(), headers, body).await?;
    }
    Ok(())
}

async fn publish(
    link: &Link,
    id: u64,
    subject: String,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), String> {
    let reply = format!("{}.{id}", link.inbox);
    let sent = link.bus.client().publish_with_reply_and_headers(subject, reply, headers, body).await;
    sent.map_err(|error| sentence(&error))
}

/// The event as a message of its own: structured JSON as the body, or `ce-` headers and a body, as
/// `contracts` puts them into one: lines `name: value`, an empty line, the body.
fn message_of(event: &Received) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    let mut rest = event.bytes().clone();
    if event.content_type() != ContentType::Binary.as_str() {
        headers.insert(CONTENT_TYPE, event.content_type());
        return (headers, rest);
    }
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = rest.split_to(end);
        rest.advance(1);
        let Some((name, value)) = std::str::from_utf8(&line).ok().and_then(|line| line.split_once(": "))
        else {
            break;
        };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}
