//! What the outbox knows of what is on its disk: the generations, what waits in each, how many bytes there are.
//!
//! Pure but for reading the logs in [`Book::read`]. Not here: writing (`store`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use eventlog::{LogReader, Query};

use super::entry::{self, Entry};
use super::{OutboxError, Place};
use crate::sender::Party;

/// What a record takes beside its content.
pub(super) const RECORD_OVERHEAD: u64 = 256;

/// One log of the outbox.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) dir: PathBuf,
    pub(super) reader: LogReader,
    bytes: u64,
    /// The events without a receipt: how many bytes each has.
    open: BTreeMap<u64, u64>,
    parties: BTreeSet<Party>,
    /// When the last record was written, microseconds since 1970-01-01 UTC.
    last_at: i64,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    generations: BTreeMap<u64, Generation>,
    bytes: u64,
    waiting_bytes: u64,
    waiting: u64,
    /// What waits and is passed over for now, and why. Known while it is sent, not on disk.
    held: BTreeMap<Place, Arc<str>>,
}

/// The bytes of an event or another record of this content.
pub(super) fn weight(content: usize) -> u64 {
    u64::try_from(content).unwrap_or(u64::MAX).saturating_add(RECORD_OVERHEAD)
}

impl Book {
    /// Reads all logs, oldest first.
    pub(super) fn read(logs: Vec<(u64, PathBuf, LogReader)>) -> Result<Self, OutboxError> {
        let mut book = Self::default();
        for (generation, dir, reader) in logs {
            book.begin(generation, dir, reader);
        }
        // What was ended, so that it can be asked for again.
        let mut ended: BTreeMap<Place, Option<u64>> = BTreeMap::new();
        let mut events: BTreeMap<Place, (Party, u64)> = BTreeMap::new();
        let logs: Vec<_> = book
            .generations
            .iter()
            .map(|(number, log)| (*number, log.dir.clone(), log.reader.clone()))
            .collect();
        for (generation, dir, reader) in logs {
            for record in reader.read(Query::default()) {
                let record = record.map_err(|source| OutboxError::Unreadable { dir: dir.clone(), source })?;
                let place = Place { generation, position: record.position };
                let bytes = weight(record.bytes.len());
                match entry::read(&record).ok_or(OutboxError::Record { place })? {
                    Entry::Event(event) => {
                        let party = (event.region, event.sender);
                        events.insert(place, (party.clone(), bytes));
                        book.add(place, party, bytes, record.recorded_at);
                    }
                    Entry::Ended(list) => {
                        book.note(generation, bytes, record.recorded_at);
                        for item in list {
                            ended.insert(item.place(), item.recorded);
                            book.end(item.place());
                        }
                    }
                    Entry::Again(again) => {
                        book.note(generation, bytes, record.recorded_at);
                        ended.retain(|place, recorded| {
                            let meant = events.get(place).filter(|(party, _)| again.means(party, *recorded));
                            if let Some((_, bytes)) = meant {
                                book.reopen(*place, *bytes);
                            }
                            meant.is_none()
                        });
                    }
                }
            }
        }
        Ok(book)
    }

    /// A new log, behind the others.
    pub(super) fn begin(&mut self, number: u64, dir: PathBuf, reader: LogReader) {
        let (open, parties) = (BTreeMap::new(), BTreeSet::new());
        self.generations.insert(number, Generation { dir, reader, bytes: 0, open, parties, last_at: 0 });
    }

    /// An event was written.
    pub(super) fn add(&mut self, place: Place, party: Party, bytes: u64, at: i64) {
        self.note(place.generation, bytes, at);
        if let Some(log) = self.generations.get_mut(&place.generation) {
            log.parties.insert(party);
        }
        self.reopen(place, bytes);
    }

    /// Something was written.
    pub(super) fn note(&mut self, generation: u64, bytes: u64, at: i64) {
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(log) = self.generations.get_mut(&generation) {
            log.bytes = log.bytes.saturating_add(bytes);
            log.last_at = at;
        }
    }

    fn reopen(&mut self, place: Place, bytes: u64) {
        let Some(log) = self.generations.get_mut(&place.generation) else { return };
        if log.open.insert(place.position, bytes).is_none() {
            self.waiting = self.waiting.saturating_add(1);
            self.waiting_bytes = self.waiting_bytes.saturating_add(bytes);
        }
    }

    /// An event has its receipt.
    pub(super) fn end(&mut self, place: Place) {
        let log = self.generations.get_mut(&place.generation);
        self.held.remove(&place);
        if let Some(bytes) = log.and_then(|log| log.open.remove(&place.position)) {
            self.waiting = self.waiting.saturating_sub(1);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
        }
    }

    /// The next events without a receipt, at most `max` and all of one log, which can be read by the reader.
    pub(super) fn next_after(&self, after: Place, max: usize) -> Option<(u64, PathBuf, LogReader, Vec<u64>)> {
        self.generations.range(after.generation..).find_map(|(number, log)| {
            let from = if *number == after.generation { after.position.saturating_add(1) } else { 0 };
            let next: Vec<u64> = log.open.range(from..).take(max).map(|(position, _)| *position).collect();
            (!next.is_empty()).then(|| (*number, log.dir.clone(), log.reader.clone(), next))
        })
    }

    /// The first event without a receipt that is not passed over.
    pub(super) fn first_waiting(&self) -> Option<Place> {
        let open = self.generations.iter().flat_map(|(generation, log)| {
            log.open.keys().map(|position| Place { generation: *generation, position: *position })
        });
        open.into_iter().find(|place| !self.held.contains_key(place))
    }

    /// An event is passed over for now.
    pub(super) fn hold(&mut self, place: Place, why: Arc<str>) {
        self.held.insert(place, why);
    }

    /// Nothing is passed over any more.
    pub(super) fn hold_nothing(&mut self) {
        self.held.clear();
    }

    pub(super) fn held(&self) -> &BTreeMap<Place, Arc<str>> {
        &self.held
    }

    /// The last event without a receipt.
    pub(super) fn last_waiting(&self) -> Option<Place> {
        self.generations.iter().rev().find_map(|(generation, log)| {
            let (position, _) = log.open.last_key_value()?;
            Some(Place { generation: *generation, position: *position })
        })
    }

    /// Takes the oldest log out if everything in it has its receipt and it was last written before `until`. Never the
    /// newest, which is being written.
    pub(super) fn drop_oldest(&mut self, until: i64) -> Option<PathBuf> {
        let (newest, _) = self.generations.last_key_value()?;
        let (oldest, log) = self.generations.first_key_value()?;
        if oldest == newest || !log.open.is_empty() || log.last_at >= until {
            return None;
        }
        let log = self.generations.pop_first()?.1;
        self.bytes = self.bytes.saturating_sub(log.bytes);
        Some(log.dir)
    }

    /// Whether the log that is written holds something and nothing in it waits: it could be dropped, were it closed.
    pub(super) fn newest_is_done(&self) -> bool {
        self.generations.last_key_value().is_some_and(|(_, log)| log.open.is_empty() && log.bytes > 0)
    }

    /// Bytes of the log that is written.
    pub(super) fn newest_bytes(&self) -> u64 {
        self.generations.last_key_value().map_or(0, |(_, log)| log.bytes)
    }

    /// The logs, oldest first.
    pub(super) fn logs(&self) -> Vec<(u64, PathBuf, LogReader)> {
        let log = |(number, log): (&u64, &Generation)| (*number, log.dir.clone(), log.reader.clone());
        self.generations.iter().map(log).collect()
    }

    /// Everybody who said something that is kept.
    pub(super) fn parties(&self) -> Vec<Party> {
        let all: BTreeSet<&Party> = self.generations.values().flat_map(|log| &log.parties).collect();
        all.into_iter().cloned().collect()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    /// Whether nothing waits but what is passed over.
    pub(super) fn is_settled(&self) -> bool {
        usize::try_from(self.waiting).is_ok_and(|waiting| waiting == self.held.len())
    }

    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }
}
