//! One group under construction: the bytes of everything that waited, and what has to be known of it meanwhile.
//!
//! Not here: whether a batch may be appended (`decide`), writing the bytes (`writer`).

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    codec::{narrow, put_text, put_varint, small, wide},
    frame::{Commit, FrameKind, NAMES_MAX, Name, RunningHash, put_frame, put_record_fields},
    memory::{Keyed, MemoryIndex},
    part::{Beside, Lost, PART_BYTES, Part, SPARE_PARTS_MAX},
    prepared::{Prepared, Slot},
    scan::{Entry, Group, Tail},
    segment::Segment,
};

/// From so many records on an index learns of them from the thread beside, while they are written.
const LEARN_BESIDE: usize = 64;

/// The group that is written next.
#[derive(Debug)]
pub(crate) struct Builder {
    pub(crate) segment: Arc<Segment>,
    /// The index of the open segment. Accepted records are added before the next batch of the same group is decided
    /// about; nobody else sees them before the head moves.
    pub(crate) index: Arc<MemoryIndex>,
    /// Where the log stands on stable storage.
    pub(crate) tail: Tail,
    pub(crate) epoch: u64,
    /// When everything in this group is recorded.
    pub(crate) recorded_at: i64,
    pub(crate) beside: Arc<Beside>,
    /// Pieces that were handed over to be sealed.
    handed: usize,
    /// The piece at the end, and how many bytes there are before it.
    part: Part,
    before: usize,
    spare: Vec<Part>,
    records: usize,
    /// Every batch that was decided about, for the answers.
    pub(crate) held: VecDeque<Box<Prepared>>,
    /// The batches with new records: the first position of each, which of `held`, and which of its records are new if
    /// not all are.
    taken: Vec<(u64, usize, Option<Vec<usize>>)>,
    /// What the index does not know yet.
    added: Group,
    batches: Vec<(u32, bytes::Bytes)>,
    names: HashMap<Box<str>, u32, Keyed>,
}

impl Builder {
    pub(crate) fn new(
        segment: Arc<Segment>,
        index: Arc<MemoryIndex>,
        tail: Tail,
        epoch: u64,
        beside: Arc<Beside>,
    ) -> Builder {
        let names = segment.names.all().zip(0_u32..).map(|(name, number)| (name.into(), number)).collect();
        Builder {
            segment,
            index,
            recorded_at: tail.recorded_at,
            tail,
            epoch,
            beside,
            handed: 0,
            part: Part::default(),
            before: 0,
            spare: Vec::new(),
            records: 0,
            held: VecDeque::new(),
            taken: Vec::new(),
            added: Group::default(),
            batches: Vec::new(),
            names,
        }
    }

    /// Starts a group at the time `now`, or at that of the last record if that is later.
    pub(crate) fn begin(&mut self, now: i64) {
        self.recorded_at = now.max(self.tail.recorded_at);
        (self.handed, self.before, self.records) = (0, 0, 0);
        self.held.clear();
        self.taken.clear();
        self.batches.clear();
        self.part.begin(self.segment.header.segment, small(narrow(self.tail.offset)));
    }

    /// The last position, counting what was accepted for this group.
    pub(crate) fn last(&self) -> u64 {
        self.tail.position.saturating_add(wide(self.records))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// A record accepted for this group.
    pub(crate) fn fresh(&self, position: u64) -> Option<(&Prepared, &Slot)> {
        let number = self.taken.partition_point(|(first, ..)| *first <= position).checked_sub(1)?;
        let (first, held, new) = self.taken.get(number)?;
        let (prepared, number) = (&**self.held.get(*held)?, narrow(position.checked_sub(*first)?));
        let number = match new {
            Some(new) => *new.get(number)?,
            None => number,
        };
        Some((prepared, prepared.records.get(number)?))
    }

    /// Takes records of a batch into the group: those with these numbers, or all of them.
    pub(crate) fn accept(&mut self, prepared: &Prepared, new: Option<Vec<usize>>) {
        let before = self.last();
        match &new {
            Some(new) => {
                for slot in new.iter().filter_map(|number| prepared.records.get(*number)) {
                    self.put(prepared, slot);
                }
            }
            None => prepared.records.iter().for_each(|slot| self.put(prepared, slot)),
        }
        let count = small(narrow(self.last().saturating_sub(before)));
        self.batches.push((count, prepared.origin.clone()));
        // The batch itself is put there next.
        self.taken.push((before.saturating_add(1), self.held.len(), new));
    }

    /// Adds to the index what was taken in and is not there yet: before anything is looked up, and before the head moves.
    pub(crate) fn settle(&mut self) {
        if !self.added.entries.is_empty() {
            self.index.add_group(&self.added);
            self.added.clear();
        }
    }

    /// Lets the index learn of a large batch while it is written; nobody asks it before. To be followed by
    /// [`Builder::settled`], if it is so.
    pub(crate) fn settle_beside(&mut self) -> bool {
        if self.added.entries.len() < LEARN_BESIDE {
            self.settle();
            return false;
        }
        self.beside.learn(&self.index, std::mem::take(&mut self.added));
        true
    }

    pub(crate) fn settled(&mut self) -> Result<(), Lost> {
        self.added = self.beside.learnt()?;
        self.added.clear();
        Ok(())
    }

    fn put(&mut self, prepared: &Prepared, slot: &Slot) {
        if self.part.bytes.len() >= PART_BYTES {
            self.hand_over();
        }
        let position = self.last().saturating_add(1);
        let names = self.number_names(prepared.names(slot));
        let offset = self.place();
        let (base, place) = (self.segment.base(), (position, self.recorded_at));
        let (fields, content) = (prepared.leaf_fields(slot), prepared.content(slot));
        self.part.put_record(place, fields, content, |out| {
            put_record_fields(out, base, place, (&slot.key, slot.occurred_at), names, prepared.tags(slot));
        });
        let terms = prepared.terms(slot);
        self.added.terms.extend_from_slice(terms);
        self.added.entries.push(Entry { position, offset, key: slot.key, terms: terms.len() });
        self.records = self.records.saturating_add(1);
    }

    /// Lets another thread go on with a piece, and begins the next one.
    fn hand_over(&mut self) {
        let next = self.spare.pop().unwrap_or_default();
        let part = std::mem::replace(&mut self.part, next);
        self.before = self.before.saturating_add(part.bytes.len());
        self.beside.seal(self.handed, part);
        self.handed = self.handed.saturating_add(1);
        let start = small(narrow(self.tail.offset).saturating_add(self.before));
        self.part.begin(self.segment.header.segment, start);
    }

    /// Where the next frame will lie in the segment.
    fn place(&self) -> u32 {
        let before = narrow(self.tail.offset).saturating_add(self.before);
        small(before.saturating_add(self.part.bytes.len()))
    }

    /// Gives numbers to names this segment has not seen, and writes them down before the record that uses them.
    fn number_names<'a>(&mut self, names: [&'a str; 3]) -> [Name<'a>; 3] {
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
            self.names.insert(name.into(), small(number));
            self.segment.names.set(number, name);
            new.push(name);
            Name::Number(small(number))
        });
        if !new.is_empty() {
            self.frame(FrameKind::Names, |out| {
                put_varint(out, wide(first));
                put_varint(out, wide(new.len()));
                for name in new {
                    put_text(out, name);
                }
            });
        }
        numbered
    }

    /// Puts a frame that is whole into the piece at the end.
    fn frame(&mut self, kind: FrameKind, body: impl FnOnce(&mut Vec<u8>)) {
        let start = small(narrow(self.tail.offset).saturating_add(self.before));
        put_frame(&mut self.part.bytes, kind, self.segment.header.segment, start, body);
    }

    /// Ends the group with its commit record. `write` gets its bytes piece by piece, each with its place in the segment;
    /// the answer is where the log stands when all of them are on stable storage.
    pub(crate) fn finish<E: From<Lost>>(
        &mut self,
        mut write: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<Tail, E> {
        let commit = Commit {
            group_start: small(narrow(self.tail.offset)),
            first: self.tail.position.saturating_add(1),
            records: small(self.records),
            recorded_at: self.recorded_at,
            epoch: self.epoch,
            batches: std::mem::take(&mut self.batches),
        };
        let fields = commit.encode();
        self.batches = commit.batches;
        let mut hash = RunningHash::new(&self.tail.hash, &fields);
        let mut at = self.tail.offset;
        for number in 0..self.handed {
            let part = self.beside.sealed(number)?;
            hash.add(part.leaves.iter());
            write(at, &part.bytes)?;
            at = at.saturating_add(wide(part.bytes.len()));
            if self.spare.len() < SPARE_PARTS_MAX {
                self.spare.push(part);
            }
        }
        self.part.seal();
        hash.add(self.part.leaves.iter());
        let hash = hash.finish();
        self.frame(FrameKind::Commit, |out| {
            out.extend_from_slice(&hash);
            out.extend_from_slice(&fields);
        });
        write(at, &self.part.bytes)?;
        Ok(Tail {
            offset: at.saturating_add(wide(self.part.bytes.len())),
            position: self.last(),
            recorded_at: self.recorded_at,
            hash,
            epoch: self.epoch,
        })
    }
}
