//! One group under construction: the bytes of everything that waited, and what has to be known of it meanwhile.
//!
//! Not here: whether a batch may be appended (`decide`), writing the bytes (`writer`).

use std::{
    collections::HashMap,
    sync::{Arc, mpsc as tasks},
    thread,
};

use bytes::Bytes;

use crate::{
    NewRecord, Record,
    codec::{Input, narrow, put_text, put_varint, small, wide},
    frame::{
        Commit, FrameKind, HEADER_BYTES, NAMES_MAX, Name, RawRecord, leaf_hash, put_frame, put_record,
        running_hash,
    },
    index::{tag_hash, type_hash},
    memory::{Keyed, MemoryIndex},
    scan::{Entry, Group, Tail},
    segment::Segment,
};

/// From so many records on a second thread computes their leaf hashes, some records ahead of the first one, and adds
/// them to the index while they are written. Starting a thread costs as much as a hundred records.
const BY_TWO: usize = 1_024;
/// Records whose hashes are handed over at once.
const HANDED: usize = 128;
/// How often that may be before the second thread waits for the first.
const HANDED_AHEAD: usize = 64;

/// The group that is written next.
#[derive(Debug)]
pub(crate) struct Builder {
    pub(crate) segment: Arc<Segment>,
    /// The index of the open segment. Accepted records are added at once, so that the next batch of the same group
    /// is checked against them; nobody else sees them before the head moves.
    pub(crate) index: Arc<MemoryIndex>,
    /// Where the log stands on stable storage.
    pub(crate) tail: Tail,
    pub(crate) epoch: u64,
    /// When everything in this group is recorded.
    pub(crate) recorded_at: i64,
    pub(crate) buffer: Vec<u8>,
    /// Where the records of the group lie in the segment. They are in `buffer`; what they were made of is let go of at
    /// once, while it is near the processor.
    places: Vec<u32>,
    /// The leaves of the group, and what the index does not know yet of its last batch.
    pub(crate) added: Group,
    /// Large batches that are in the group, to be let go of by another thread.
    pub(crate) done: Vec<Vec<NewRecord>>,
    batches: Vec<(u32, Bytes)>,
    names: HashMap<Box<str>, u32, Keyed>,
    scratch: Vec<u8>,
}

impl Builder {
    pub(crate) fn new(segment: Arc<Segment>, index: Arc<MemoryIndex>, tail: Tail, epoch: u64) -> Builder {
        let names = segment.names.all().zip(0_u32..).map(|(name, number)| (name.into(), number)).collect();
        Builder {
            segment,
            index,
            recorded_at: tail.recorded_at,
            tail,
            epoch,
            buffer: Vec::new(),
            places: Vec::new(),
            added: Group::default(),
            done: Vec::new(),
            batches: Vec::new(),
            names,
            scratch: Vec::new(),
        }
    }

    /// Starts a group at the time `now`, or at that of the last record if that is later.
    pub(crate) fn begin(&mut self, now: i64) {
        self.recorded_at = now.max(self.tail.recorded_at);
        self.buffer.clear();
        self.places.clear();
        self.added.leaves.clear();
        self.batches.clear();
    }

    /// The last position, counting what was accepted for this group.
    pub(crate) fn last(&self) -> u64 {
        self.tail.position.saturating_add(wide(self.places.len()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A record accepted for this group.
    pub(crate) fn fresh(&self, position: u64) -> Option<Record> {
        let number = position.checked_sub(self.tail.position)?.checked_sub(1)?;
        let place = u64::from(*self.places.get(narrow(number))?);
        let frame = self.buffer.get(narrow(place.checked_sub(self.tail.offset)?)..)?;
        let (header, rest) = frame.split_at_checked(HEADER_BYTES)?;
        let body = Input(rest).bytes(narrow(u64::from(Input(header).u32()?)))?;
        RawRecord::decode(body, self.segment.base())?.to_record(|name| self.segment.names.resolve(name))
    }

    /// Takes the new records of a batch into the group.
    pub(crate) fn accept(&mut self, records: Vec<NewRecord>, origin: Bytes) {
        self.settle();
        self.batches.push((small(records.len()), origin));
        let (first, recorded_at) = (self.last().saturating_add(1), self.recorded_at);
        if records.len() < BY_TWO {
            for (position, record) in (first..).zip(records) {
                let leaf = leaf_hash(position, recorded_at, &record, &mut self.scratch);
                self.put(&record, leaf);
            }
            self.settle();
            return;
        }
        let (sender, receiver) = tasks::sync_channel(HANDED_AHEAD);
        thread::scope(|scope| {
            scope.spawn(|| {
                let (mut position, mut scratch) = (first, Vec::new());
                let sender = sender;
                for records in records.chunks(HANDED) {
                    let mut leaves = Vec::with_capacity(records.len());
                    for record in records {
                        leaves.push(leaf_hash(position, recorded_at, record, &mut scratch));
                        position = position.saturating_add(1);
                    }
                    if sender.send(leaves).is_err() {
                        return;
                    }
                }
            });
            // Ends early only if the other thread panicked; then so does this one, behind the scope.
            for (records, leaves) in records.chunks(HANDED).zip(&receiver) {
                for (record, leaf) in records.iter().zip(leaves) {
                    self.put(record, leaf);
                }
            }
        });
        self.done.push(records);
    }

    /// Adds to the index what was taken in and is not there yet: before anything is looked up, and before the head moves.
    pub(crate) fn settle(&mut self) {
        self.index.add_group(&self.added);
        self.settled();
    }

    /// The index knows everything.
    pub(crate) fn settled(&mut self) {
        self.added.entries.clear();
        self.added.terms.clear();
    }

    /// How many records the index does not know yet.
    pub(crate) fn unsettled(&self) -> usize {
        self.added.entries.len()
    }

    fn put(&mut self, record: &NewRecord, leaf: [u8; 32]) {
        let position = self.last().saturating_add(1);
        let names = self.number_names(record);
        let offset = self.place();
        let (base, place) = (self.segment.base(), (position, self.recorded_at));
        let start = small(narrow(self.tail.offset));
        put_frame(&mut self.buffer, FrameKind::Record, self.segment.header.segment, start, |out| {
            put_record(out, base, place, &leaf, record, names);
        });
        self.added.terms.push(type_hash(&record.kind));
        self.added.terms.extend(record.tags.iter().map(|tag| tag_hash(tag)));
        let terms = record.tags.len().saturating_add(1);
        self.added.entries.push(Entry { position, offset, key: record.key, terms });
        self.added.leaves.push(leaf);
        self.places.push(offset);
    }

    /// Where the next frame will lie in the segment.
    fn place(&self) -> u32 {
        small(narrow(self.tail.offset).saturating_add(self.buffer.len()))
    }

    /// Gives numbers to names this segment has not seen, and writes them down before the record that uses them.
    fn number_names<'a>(&mut self, record: &'a NewRecord) -> [Name<'a>; 3] {
        let names = [&record.kind, &record.source, &record.content_type];
        let first = self.names.len();
        let mut new: Vec<&str> = Vec::new();
        let numbered = names.map(|name| {
            if let Some(number) = self.names.get(name) {
                return Name::Number(*number);
            }
            let number = self.names.len();
            if number >= NAMES_MAX {
                return Name::Inline(name);
            }
            self.names.insert(name.clone(), small(number));
            self.segment.names.set(number, name);
            new.push(name);
            Name::Number(small(number))
        });
        if !new.is_empty() {
            let start = small(narrow(self.tail.offset));
            put_frame(&mut self.buffer, FrameKind::Names, self.segment.header.segment, start, |out| {
                put_varint(out, wide(first));
                put_varint(out, wide(new.len()));
                for name in new {
                    put_text(out, name);
                }
            });
        }
        numbered
    }

    /// Ends the group with its commit record; the answer is where the log stands when it is on stable storage.
    pub(crate) fn finish(&mut self) -> Tail {
        let start = small(narrow(self.tail.offset));
        let commit = Commit {
            group_start: start,
            first: self.tail.position.saturating_add(1),
            records: small(self.places.len()),
            recorded_at: self.recorded_at,
            epoch: self.epoch,
            batches: std::mem::take(&mut self.batches),
        };
        let fields = commit.encode();
        let hash = running_hash(&self.tail.hash, &fields, self.added.leaves.iter());
        put_frame(&mut self.buffer, FrameKind::Commit, self.segment.header.segment, start, |out| {
            out.extend_from_slice(&hash);
            out.extend_from_slice(&fields);
        });
        Tail {
            offset: self.tail.offset.saturating_add(wide(self.buffer.len())),
            position: self.last(),
            recorded_at: self.recorded_at,
            hash,
            epoch: self.epoch,
        }
    }
}
