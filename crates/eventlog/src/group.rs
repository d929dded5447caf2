//! One group under construction: the bytes of everything that waited, and what has to be known of it meanwhile.
//!
//! Not here: whether a batch may be appended (`decide`), writing the bytes (`writer`).

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;

use crate::{
    NewRecord,
    codec::{narrow, put_text, put_varint, small, wide},
    frame::{Commit, FrameKind, NAMES_MAX, Name, leaf_hash, put_frame, put_record, running_hash},
    index::{tag_hash, type_hash},
    memory::MemoryIndex,
    scan::{Entry, Group, Tail},
    segment::Segment,
};

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
    fresh: Vec<NewRecord>,
    /// The leaves of the group, and of the batch that is being taken in what the index has to know.
    added: Group,
    batches: Vec<(u32, Bytes)>,
    names: HashMap<Box<str>, u32>,
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
            fresh: Vec::new(),
            added: Group::default(),
            batches: Vec::new(),
            names,
            scratch: Vec::new(),
        }
    }

    /// Starts a group at the time `now`, or at that of the last record if that is later.
    pub(crate) fn begin(&mut self, now: i64) {
        self.recorded_at = now.max(self.tail.recorded_at);
        self.buffer.clear();
        self.fresh.clear();
        self.added.leaves.clear();
        self.batches.clear();
    }

    /// The last position, counting what was accepted for this group.
    pub(crate) fn last(&self) -> u64 {
        self.tail.position.saturating_add(wide(self.fresh.len()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fresh.is_empty()
    }

    /// A record accepted for this group.
    pub(crate) fn fresh(&self, position: u64) -> Option<&NewRecord> {
        let place = position.checked_sub(self.tail.position)?.checked_sub(1)?;
        self.fresh.get(narrow(place))
    }

    /// Takes the new records of a batch into the group.
    pub(crate) fn accept(&mut self, records: Vec<NewRecord>, origin: Bytes) {
        self.batches.push((small(records.len()), origin));
        self.added.entries.clear();
        self.added.terms.clear();
        for record in records {
            self.put(record);
        }
        self.index.add_group(&self.added);
    }

    fn put(&mut self, record: NewRecord) {
        let position = self.last().saturating_add(1);
        let leaf = leaf_hash(position, self.recorded_at, &record, &mut self.scratch);
        self.number_names(&record);
        let offset = self.place();
        let names = [&record.kind, &record.source, &record.content_type]
            .map(|name| self.names.get(name).map_or(Name::Inline(name), |number| Name::Number(*number)));
        let (base, place) = (self.segment.base(), (position, self.recorded_at));
        let start = small(narrow(self.tail.offset));
        put_frame(&mut self.buffer, FrameKind::Record, self.segment.header.segment, start, |out| {
            put_record(out, base, place, &leaf, &record, names);
        });
        self.added.terms.push(type_hash(&record.kind));
        self.added.terms.extend(record.tags.iter().map(|tag| tag_hash(tag)));
        let terms = record.tags.len().saturating_add(1);
        self.added.entries.push(Entry { position, offset, key: record.key, terms });
        self.added.leaves.push(leaf);
        self.fresh.push(record);
    }

    /// Where the next frame will lie in the segment.
    fn place(&self) -> u32 {
        small(narrow(self.tail.offset).saturating_add(self.buffer.len()))
    }

    /// Gives numbers to names this segment has not seen, and writes them down before the record that uses them.
    fn number_names(&mut self, record: &NewRecord) {
        let first = self.names.len();
        let mut new: Vec<&str> = Vec::new();
        for name in [&record.kind, &record.source, &record.content_type] {
            if self.names.len() < NAMES_MAX && !self.names.contains_key(name) {
                let number = self.names.len();
                self.names.insert(name.clone(), small(number));
                self.segment.names.set(number, name);
                new.push(name);
            }
        }
        if new.is_empty() {
            return;
        }
        let start = small(narrow(self.tail.offset));
        put_frame(&mut self.buffer, FrameKind::Names, self.segment.header.segment, start, |out| {
            put_varint(out, wide(first));
            put_varint(out, wide(new.len()));
            for name in new {
                put_text(out, name);
            }
        });
    }

    /// Ends the group with its commit record; the answer is where the log stands when it is on stable storage.
    pub(crate) fn finish(&mut self) -> Tail {
        let start = small(narrow(self.tail.offset));
        let commit = Commit {
            group_start: start,
            first: self.tail.position.saturating_add(1),
            records: small(self.fresh.len()),
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
