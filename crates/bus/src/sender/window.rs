//! What was read and has no receipt yet, in the order of the file: what may go next, and what a receipt ends.
//!
//! Pure. Not here: connections and clocks (`session`).

use std::collections::{BTreeMap, HashSet};

use contracts::{ContentHash, Outcome, Receipt};
use domain::RegionId;
use tokio::time::Instant;

use super::{Door, Order, Outgoing, Party};

/// Events of one request.
const PARCEL_EVENTS_MAX: usize = 256;
/// Bytes of the events of one request: well under the 1 MiB the broker takes by default.
const PARCEL_BYTES_MAX: usize = 512 * 1024;

/// Events in the window: a full request in flight, a full one behind it, and one event each of many senders.
const EVENTS_MAX: usize = 4 * PARCEL_EVENTS_MAX;

/// Consecutive events of one sender, sent as one.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) events: Vec<(u64, Outgoing, ContentHash)>,
    pub(crate) party: Party,
    bytes: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be sent, for the first time or again.
    Waiting,
    /// Sent at this moment; nothing is known of it.
    Sent(Instant),
    /// In the mailbox since this moment.
    Kept(Instant),
}

/// What a request's receipts come to.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Final receipts with the numbers of their events.
    pub(crate) receipts: Vec<(u64, Receipt)>,
    /// Why the rest goes again, if nothing was settled at all.
    pub(crate) stuck: Option<String>,
}

/// The events between the first without a receipt and the last one read.
#[derive(Debug)]
pub(crate) struct Window {
    door: Door,
    /// Whether each sender has a connection of its own: then nothing but receipts keeps the order between them.
    apart: bool,
    in_flight_max: usize,
    parcels: BTreeMap<u64, Parcel>,
    next_id: u64,
    busy: HashSet<Party>,
    in_flight: usize,
    events: usize,
}

impl Window {
    pub(crate) fn new(door: Door, apart: bool, in_flight_max: usize) -> Self {
        Self {
            door,
            apart,
            in_flight_max,
            parcels: BTreeMap::new(),
            next_id: 0,
            busy: HashSet::new(),
            in_flight: 0,
            events: 0,
        }
    }

    /// Room for one more event: those in flight, and enough behind them that the next request can be a full one.
    pub(crate) fn has_room(&self) -> bool {
        self.events < EVENTS_MAX
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// The number of the first event without a receipt.
    pub(crate) fn first_index(&self) -> Option<u64> {
        self.parcels.values().next().and_then(|parcel| parcel.events.first()).map(|(index, ..)| *index)
    }

    /// Takes an event in, behind the others.
    pub(crate) fn push(&mut self, index: u64, outgoing: Outgoing) {
        self.events = self.events.saturating_add(1);
        let size = outgoing.event.bytes().len();
        let hash = outgoing.event.content_hash();
        if matches!(self.door, Door::Counter(_))
            && let Some(mut last) = self.parcels.last_entry()
        {
            let last = last.get_mut();
            let fits = last.events.len() < PARCEL_EVENTS_MAX
                && last.bytes.saturating_add(size) <= PARCEL_BYTES_MAX
                && last.state == State::Waiting
                && last.party.0 == outgoing.region
                && last.party.1 == outgoing.sender;
            if fits {
                last.bytes = last.bytes.saturating_add(size);
                last.events.push((index, outgoing, hash));
                return;
            }
        }
        let party = (outgoing.region.clone(), outgoing.sender.clone());
        let parcel =
            Parcel { events: vec![(index, outgoing, hash)], bytes: size, party, state: State::Waiting };
        self.parcels.insert(self.next_id, parcel);
        self.next_id = self.next_id.saturating_add(1);
    }

    /// The number of the parcel to be sent now, marked as sent: the first that waits, if its turn has come.
    pub(crate) fn send_next(&mut self, now: Instant) -> Option<u64> {
        if self.in_flight >= self.in_flight_max {
            return None;
        }
        // At the counter each sender has a line of its own at the recorder: one connection is no order between them.
        let apart = self.apart || matches!(self.door, Door::Counter(_));
        let id = if apart { self.next_apart()? } else { self.next_together()? };
        let parcel = self.parcels.get_mut(&id)?;
        if self.busy.contains(&parcel.party) {
            return None;
        }
        self.busy.insert(parcel.party.clone());
        self.in_flight = self.in_flight.saturating_add(1);
        parcel.state = State::Sent(now);
        Some(id)
    }

    /// The numbers of the parcels of this sender, in their order.
    pub(crate) fn of(&self, party: &Party) -> Vec<u64> {
        let theirs = self.parcels.iter().filter(|(_, parcel)| parcel.party == *party);
        theirs.map(|(id, _)| *id).collect()
    }

    /// A parcel by its number.
    pub(crate) fn parcel(&self, id: u64) -> Option<&Parcel> {
        self.parcels.get(&id)
    }

    /// The first that waits, if its turn has come on the one connection of all.
    fn next_together(&self) -> Option<u64> {
        // Those in flight are before the first that waits, except after a part of a request was settled.
        let (id, first) = self.parcels.iter().find(|(_, parcel)| parcel.state == State::Waiting)?;
        let region_is_free = match self.door {
            Door::Counter(_) | Door::Mailbox(Order::WithinRegion) => true,
            Door::Mailbox(Order::Strict) => {
                self.in_flight == 0
                    || self.parcels.range(..id).all(|(_, before)| before.party.0 == first.party.0)
            }
        };
        region_is_free.then_some(*id)
    }

    /// The first that waits whose turn has come, over connections that know nothing of each other: only one of a region
    /// is on its way at a time. What the mailbox has is on its way no more.
    fn next_apart(&self) -> Option<u64> {
        let (Door::Counter(order) | Door::Mailbox(order)) = self.door;
        let mut held: HashSet<&RegionId> = HashSet::new();
        for (id, parcel) in &self.parcels {
            let region = &parcel.party.0;
            match parcel.state {
                State::Waiting if order == Order::Strict => {
                    let mut before = self.parcels.range(..id);
                    let free = before.all(|(_, before)| {
                        matches!(before.state, State::Kept(_)) && before.party.0 == *region
                    });
                    return free.then_some(*id);
                }
                State::Waiting if !held.contains(region) => return Some(*id),
                State::Sent(_) => {
                    held.insert(region);
                }
                State::Waiting | State::Kept(_) => {}
            }
        }
        None
    }

    /// Whether something of this sender is on its way or in the mailbox.
    pub(crate) fn concerns(&self, party: &Party) -> bool {
        self.parcels.values().any(|parcel| parcel.state != State::Waiting && parcel.party == *party)
    }

    /// The mailbox has it: the next of its sender can not overtake it any more.
    pub(crate) fn kept(&mut self, id: u64, now: Instant) {
        if let Some(parcel) = self.parcels.get_mut(&id)
            && matches!(parcel.state, State::Sent(_))
        {
            parcel.state = State::Kept(now);
            self.busy.remove(&parcel.party);
        }
    }

    /// Ends what the receipts of a request end; the rest waits again.
    ///
    /// # Errors
    /// When they are not the receipts of this request.
    pub(crate) fn answered(&mut self, id: u64, receipts: Vec<Receipt>) -> Result<Settled, String> {
        let mut settled = Settled { receipts: Vec::new(), stuck: None };
        let Some(parcel) = self.parcels.get_mut(&id) else { return Ok(settled) };
        if !matches!(parcel.state, State::Sent(_)) {
            return Ok(settled);
        }
        if receipts.len() != parcel.events.len() {
            let (came, asked) = (receipts.len(), parcel.events.len());
            return Err(format!("{came} receipts came for {asked} events"));
        }
        if parcel.events.iter().zip(&receipts).any(|((.., hash), receipt)| receipt.content_hash != *hash) {
            return Err("a receipt is for other content than was sent".to_owned());
        }
        let mut again = Vec::new();
        for (event, receipt) in std::mem::take(&mut parcel.events).into_iter().zip(receipts) {
            if is_final(&receipt) {
                settled.receipts.push((event.0, receipt));
            } else {
                settled.stuck = Some(receipt.reason);
                again.push(event);
            }
        }
        if !settled.receipts.is_empty() {
            settled.stuck = None;
        }
        self.events = self.events.saturating_sub(settled.receipts.len());
        self.busy.remove(&parcel.party);
        self.in_flight = self.in_flight.saturating_sub(1);
        if again.is_empty() {
            self.parcels.remove(&id);
        } else {
            parcel.events = again;
            parcel.state = State::Waiting;
        }
        Ok(settled)
    }

    /// Ends the event in the mailbox that this receipt is for: the first one sent with the same content.
    pub(crate) fn receipted(&mut self, receipt: Receipt) -> Option<(u64, Receipt)> {
        if !is_final(&receipt) {
            return None;
        }
        let (&id, parcel) = self.parcels.iter().find(|(_, parcel)| {
            parcel.state != State::Waiting
                && parcel.events.first().is_some_and(|(.., hash)| *hash == receipt.content_hash)
        })?;
        let index = parcel.events.first().map(|(index, ..)| *index)?;
        self.drop_parcel(id);
        Some((index, receipt))
    }

    /// Takes a parcel out without a receipt, and gives the numbers of its events.
    pub(crate) fn drop_parcel(&mut self, id: u64) -> Vec<u64> {
        let Some(parcel) = self.parcels.remove(&id) else { return Vec::new() };
        self.events = self.events.saturating_sub(parcel.events.len());
        match parcel.state {
            State::Waiting => {}
            State::Sent(_) => {
                self.busy.remove(&parcel.party);
                self.in_flight = self.in_flight.saturating_sub(1);
            }
            State::Kept(_) => self.in_flight = self.in_flight.saturating_sub(1),
        }
        parcel.events.into_iter().map(|(index, ..)| index).collect()
    }

    /// Since when the oldest parcel in flight is without an answer.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        let since = |parcel: &Parcel| match parcel.state {
            State::Waiting => None,
            State::Sent(at) | State::Kept(at) => Some(at),
        };
        self.parcels.values().filter_map(since).min()
    }

    /// Everything waits again, in the old order.
    pub(crate) fn start_over(&mut self) {
        for parcel in self.parcels.values_mut() {
            parcel.state = State::Waiting;
        }
        self.busy.clear();
        self.in_flight = 0;
    }
}

/// Whether this is the last word on an event: it is recorded, or kept aside with the reason.
fn is_final(receipt: &Receipt) -> bool {
    match receipt.outcome {
        Outcome::Recorded | Outcome::Duplicate | Outcome::Conflict | Outcome::Quarantined => true,
        Outcome::ConditionFailed | Outcome::Failed => false,
    }
}
