//! Reading for a client: what is there, or what is there and comes, in messages that every client takes.
//!
//! Nothing is read ahead of the client: a message is made when the connection has room for it.
//!
//! Not here: finding the records (`eventlog`), how many may read at once (`service`).

use std::collections::VecDeque;

use eventlog::{Direction, LogReader, Query, Records, Subscription};
use prost::Message as _;
use tonic::Status;

use crate::convert::{items, sequenced};
use crate::status::{invalid, of_read};
use crate::wire::{ReadRequest, ReadResponse, SequencedEvent, SubscribeRequest, SubscribeResponse};

/// Bytes of one message to a client, but for a single event that is larger: clients take 4 MiB unless told otherwise.
pub const RESPONSE_BYTES_MAX: usize = 3_584 * 1_024;
/// Events in one message where the client does not say.
pub const BATCH_EVENTS_DEFAULT: u32 = 1_024;
/// Events in one message, whatever the client says: a message is held in memory.
pub const BATCH_EVENTS_MAX: u32 = 4_096;

/// What an event in a list takes beside its own bytes: the number of the field and the length.
const EVENT_OVERHEAD: usize = 11;

fn batch_size(asked: Option<u32>) -> usize {
    let events = asked.unwrap_or(BATCH_EVENTS_DEFAULT).clamp(1, BATCH_EVENTS_MAX);
    usize::try_from(events).unwrap_or(1)
}

/// The room of one message.
#[derive(Debug)]
struct Room {
    events: usize,
    bytes: usize,
}

impl Room {
    fn new(events: usize) -> Room {
        Room { events, bytes: RESPONSE_BYTES_MAX }
    }

    /// Whether the event goes into the message, as the first always does; if so, it takes its room.
    fn take(&mut self, event: &SequencedEvent, first: bool) -> bool {
        let bytes = event.encoded_len().saturating_add(EVENT_OVERHEAD);
        if !first && (self.events == 0 || bytes > self.bytes) {
            return false;
        }
        self.events = self.events.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }
}

/// A reading that ends.
#[derive(Debug)]
pub(crate) struct Reading {
    records: Records,
    batch: usize,
    head: Option<u64>,
    limited: bool,
    /// Read, and too large for the message before.
    left: Option<SequencedEvent>,
    done: bool,
}

impl Reading {
    /// Of everything up to the head of this moment.
    pub(crate) fn new(reader: &LogReader, request: ReadRequest) -> Result<Reading, Status> {
        #[expect(deprecated, reason = "to tell who uses it what to do")]
        if request.subscribe.unwrap_or(false) {
            return Err(invalid(String::from("reading does not subscribe any more: call Subscribe")));
        }
        let head = reader.head().position;
        let mut query = Query { items: items(request.query)?, until: Some(head), ..Query::default() };
        if request.backwards.unwrap_or(false) {
            query.direction = Direction::Backward;
            query.until = Some(request.start.map_or(head, |start| start.min(head)));
        } else {
            query.after = request.start.unwrap_or(0).saturating_sub(1);
        }
        query.limit = request.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(Reading {
            batch: batch_size(request.batch_size),
            head: (head > 0).then_some(head),
            limited: request.limit.is_some(),
            left: None,
            // Who asks for nothing is told nothing, not even the head.
            done: request.limit == Some(0),
            records: reader.read(query),
        })
    }

    /// The next message; `None` is the end. Where there is nothing, one tells the head. Blocks on the disk.
    pub(crate) fn next_message(&mut self) -> Result<Option<ReadResponse>, Status> {
        if self.done {
            return Ok(None);
        }
        let mut events = Vec::new();
        let mut room = Room::new(self.batch);
        while let Some(event) = self.next_event()? {
            if !room.take(&event, events.is_empty()) {
                self.left = Some(event);
                break;
            }
            events.push(event);
        }
        self.done = self.left.is_none();
        let head = if self.limited { events.last().map(|event| event.position) } else { self.head };
        Ok(Some(ReadResponse { events, head }))
    }

    fn next_event(&mut self) -> Result<Option<SequencedEvent>, Status> {
        if let Some(event) = self.left.take() {
            return Ok(Some(event));
        }
        let Some(record) = self.records.next() else { return Ok(None) };
        sequenced(record.map_err(|error| of_read(&error))?).map(Some)
    }
}

/// A reading that goes on.
#[derive(Debug)]
pub(crate) struct Following {
    subscription: Subscription,
    batch: usize,
    left: VecDeque<SequencedEvent>,
}

impl Following {
    /// Of everything after a position, then of what comes.
    pub(crate) fn new(reader: &LogReader, request: SubscribeRequest) -> Result<Following, Status> {
        let after = request.after.unwrap_or(0);
        let query = Query { items: items(request.query)?, after, ..Query::default() };
        let batch = batch_size(request.batch_size);
        Ok(Following { subscription: reader.subscribe(query), batch, left: VecDeque::new() })
    }

    /// The next message, as soon as there is something to tell. May be dropped at any time: nothing is lost.
    pub(crate) async fn next_message(&mut self) -> Result<SubscribeResponse, Status> {
        if self.left.is_empty() {
            let records = self.subscription.next_batch(self.batch).await;
            let records = records.map_err(|error| of_read(&error))?;
            self.left = records.into_iter().map(sequenced).collect::<Result<_, _>>()?;
        }
        let mut events = Vec::new();
        let mut room = Room::new(self.batch);
        while let Some(event) = self.left.pop_front_if(|event| room.take(event, events.is_empty())) {
            events.push(event);
        }
        Ok(SubscribeResponse { events })
    }
}
