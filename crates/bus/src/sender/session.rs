//! Driving the window over one connection after another, until everything has its receipt or it takes too long.
//!
//! Not here: which event may go next (`window`).

use std::collections::HashSet;
use std::time::Duration;

use async_nats::{HeaderMap, HeaderName, HeaderValue, Message, Subscriber};
use bytes::{Buf as _, Bytes};
use contracts::{ContentType, EVENT_BYTES_MAX, Receipt, Received, wire};
use domain::RegionId;
use futures::stream::SelectAll;
use futures::{FutureExt as _, Stream, StreamExt as _};
use network::SenderName;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::window::{Parcel, Window};
use super::{Door, IN_FLIGHT_MAX, Outgoing, SendError, SenderConfig, Sent};
use crate::Bus;
use crate::counter::{CONTENT_TYPE, protobuf_headers};
use crate::requests::{self, Refusal, nobody_listens};
use crate::subjects::{InSubject, ReceiptSubject, RecordSubject};

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
    out: mpsc::Sender<Sent>,
}

pub(super) async fn send_all<S>(config: SenderConfig, events: S, out: mpsc::Sender<Sent>)
where
    S: Stream<Item = Outgoing> + Unpin,
{
    let window = Window::new(config.door, config.in_flight.clamp(1, IN_FLIGHT_MAX));
    let progress = Instant::now();
    let mut work = Work { config, events, ended: false, next_index: 0, window, progress, out };
    let mut wait = WAIT_MIN;
    loop {
        let before = work.progress;
        let reason = match Bus::connect(work.config.bus.clone()).await {
            Ok(bus) => match work.over(&bus).await {
                Ending::Done => return,
                Ending::Broken(reason) => reason,
            },
            Err(error) => sentence(&error),
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

/// An error with its causes, on one line.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl<S: Stream<Item = Outgoing> + Unpin> Work<S> {
    /// Sends over one connection.
    async fn over(&mut self, bus: &Bus) -> Ending {
        let mut session = match Session::open(bus).await {
            Ok(session) => session,
            Err(reason) => return Ending::Broken(reason),
        };
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Err(reason) = session.publish_all(&mut self.window).await {
                return Ending::Broken(reason);
            }
            if self.ended && self.window.is_empty() {
                return Ending::Done;
            }
            // Answers first: a deadline that passed while this task did not run is none.
            let step = tokio::select! {
                biased;
                Some(answer) = session.answers.next() => self.answer(&answer).await,
                Some(receipt) = session.receipts.next() => self.receipt(&receipt).await,
                _ = session.losses.changed() => Err("the connection was lost".to_owned()),
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

    /// Takes in this event and all that can be had without waiting.
    async fn read(&mut self, event: Option<Outgoing>) -> Result<(), String> {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            let Some(event) = event else {
                self.ended = true;
                return Ok(());
            };
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
            Door::Counter => {
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

    /// A receipt for something in the mailbox.
    async fn receipt(&mut self, message: &Message) -> Result<(), String> {
        let Ok(receipt) = Receipt::from_json(&message.payload) else { return Ok(()) };
        if let Some(settled) = self.window.receipted(receipt) {
            self.progress = Instant::now();
            self.report(Ok(settled)).await;
        }
        Ok(())
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

/// One connection, its inbox and the receipts it listens to.
struct Session<'a> {
    bus: &'a Bus,
    inbox: String,
    answers: Subscriber,
    receipts: SelectAll<Subscriber>,
    listening: HashSet<(RegionId, SenderName)>,
    losses: watch::Receiver<u64>,
    door_headers: HeaderMap,
}

impl<'a> Session<'a> {
    async fn open(bus: &'a Bus) -> Result<Self, String> {
        let inbox = bus.client().new_inbox();
        let answers =
            bus.client().subscribe(format!("{inbox}.*")).await.map_err(|error| error.to_string())?;
        Ok(Self {
            bus,
            inbox,
            answers,
            receipts: SelectAll::new(),
            listening: HashSet::new(),
            losses: bus.losses(),
            door_headers: protobuf_headers(),
        })
    }

    /// Publishes whatever may go now, in order.
    async fn publish_all(&mut self, window: &mut Window) -> Result<(), String> {
        let door = window.door();
        while let Some((id, parcel)) = window.send_next(Instant::now()) {
            let reply = format!("{}.{id}", self.inbox);
            match door {
                Door::Counter => self.ask(parcel, reply).await?,
                Door::Mailbox(_) => self.post(parcel, reply).await?,
            }
        }
        Ok(())
    }

    async fn ask(&self, parcel: &Parcel, reply: String) -> Result<(), String> {
        let Some((_, first, _)) = parcel.events.first() else { return Ok(()) };
        let subject = RecordSubject { region: first.region.clone(), sender: first.sender.clone() };
        let raw = |event: &Received| wire::RawEvent {
            content_type: event.content_type().to_owned(),
            bytes: event.bytes().clone(),
        };
        let events = parcel.events.iter().map(|(_, outgoing, _)| raw(&outgoing.event)).collect();
        let body = requests::encode(&wire::AppendRequest { events, condition: None });
        self.publish(subject.to_string(), reply, self.door_headers.clone(), body).await
    }

    async fn post(&mut self, parcel: &Parcel, reply: String) -> Result<(), String> {
        for (_, outgoing, _) in &parcel.events {
            let Outgoing { region, sender, name, event } = outgoing;
            // Before the message, on the same connection: the receipt can not be earlier.
            if self.listening.insert((region.clone(), sender.clone())) {
                let subject = ReceiptSubject { region: region.clone(), sender: sender.clone() };
                let receipts = self.bus.client().subscribe(subject.to_string()).await;
                self.receipts.push(receipts.map_err(|error| error.to_string())?);
            }
            let subject = InSubject { region: region.clone(), sender: sender.clone(), event: name.clone() };
            let (headers, body) = message_of(event);
            self.publish(subject.to_string(), reply.clone(), headers, body).await?;
        }
        Ok(())
    }

    async fn publish(
        &self,
        subject: String,
        reply: String,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<(), String> {
        let client = self.bus.client();
        client
            .publish_with_reply_and_headers(subject, reply, headers, body)
            .await
            .map_err(|error| sentence(&error))
    }
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
