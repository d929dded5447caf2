//! Reading a segment group by group, believing nothing: checksums, places, order, and the running hash.
//!
//! Used by recovery, by readers that follow another process, by index rebuilding and by verification, so that all
//! four mean the same by "whole". Not here: what to do about a group that is not (`recover`, `follow`, `verify`).

use std::sync::Arc;

use crate::{
    Key, NewRecord, ReadError, Record,
    codec::wide,
    frame::{
        Commit, FrameHeader, FrameKind, HEADER_BYTES, NAMES_MAX, Name, RawRecord, decode_names, leaf_hash_of,
        running_hash,
    },
    index::{tag_hash, type_hash},
    segment::{Block, Frame, SEGMENT_HEADER_BYTES, Segment},
};

/// Where the log stands after a whole group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Where the next group begins in the segment.
    pub(crate) offset: u64,
    /// The last position.
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) hash: [u8; 32],
    pub(crate) epoch: u64,
}

impl Tail {
    /// Before the first group of a segment.
    pub(crate) fn start_of(segment: &Segment) -> Tail {
        let header = &segment.header;
        let empty = header.first == 1;
        Tail {
            offset: wide(SEGMENT_HEADER_BYTES),
            position: header.first.saturating_sub(1),
            // The first record of all may have any time; later ones not less than the one before.
            recorded_at: if empty { i64::MIN } else { header.base_time },
            hash: header.previous_hash,
            epoch: header.epoch,
        }
    }
}

/// One record of a group, as indexes need it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) position: u64,
    pub(crate) offset: u32,
    pub(crate) key: Key,
    /// How many of [`Group::terms`] are its own: the type, then its tags.
    pub(crate) terms: usize,
}

/// A whole group.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) entries: Vec<Entry>,
    /// The terms of all entries, one after the other.
    pub(crate) terms: Vec<u64>,
    pub(crate) leaves: Vec<[u8; 32]>,
}

impl Group {
    /// Empties it; the memory stays.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.terms.clear();
        self.leaves.clear();
    }
}

/// What comes next in a segment.
#[derive(Debug)]
pub(crate) enum Step {
    /// A whole group; the tail has moved behind it.
    Group,
    /// A zero header or the end of the file, exactly between two groups.
    End,
    /// Something that is not a whole group.
    Broken {
        /// The frame that does not fit, in bytes of the file.
        offset: u64,
        what: String,
    },
}

/// Reads one segment forward.
#[derive(Debug)]
pub(crate) struct Scanner {
    segment: Arc<Segment>,
    block: Block,
    tail: Tail,
    names: Vec<Box<str>>,
    group: Group,
    /// Whether leaf hashes are computed again and compared, which costs the most.
    leaves: bool,
    scratch: Vec<u8>,
}

/// Why a group is not whole; an I/O error is no statement about the bytes.
enum Fault {
    Broken(u64, String),
    End,
    Io(ReadError),
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged { offset, what, .. } => Fault::Broken(offset, what),
            other @ (ReadError::Io { .. } | ReadError::TooManyItems { .. } | ReadError::Closed) => {
                Fault::Io(other)
            }
        }
    }
}

impl Scanner {
    pub(crate) fn new(segment: Arc<Segment>, leaves: bool) -> Scanner {
        let tail = Tail::start_of(&segment);
        let (names, group, scratch) = (Vec::new(), Group::default(), Vec::new());
        Scanner { segment, block: Block::forward(), tail, names, group, leaves, scratch }
    }

    pub(crate) fn tail(&self) -> &Tail {
        &self.tail
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// The group the last step found.
    pub(crate) fn group(&self) -> &Group {
        &self.group
    }

    /// Reads from the file again: it may have changed since.
    pub(crate) fn refresh(&mut self) {
        self.block.clear();
    }

    /// Reads the next group. An error is one of the system; damage is a [`Step`].
    pub(crate) fn step(&mut self) -> Result<Step, ReadError> {
        let known = self.names.len();
        match self.read_group() {
            Ok(tail) => {
                for (number, name) in self.names.iter().enumerate().skip(known) {
                    self.segment.names.set(number, name);
                }
                self.tail = tail;
                Ok(Step::Group)
            }
            Err(fault) => {
                self.names.truncate(known);
                match fault {
                    Fault::End => Ok(Step::End),
                    Fault::Broken(offset, what) => Ok(Step::Broken { offset, what }),
                    Fault::Io(error) => Err(error),
                }
            }
        }
    }

    fn read_group(&mut self) -> Result<Tail, Fault> {
        self.group.clear();
        let mut offset = self.tail.offset;
        let mut recorded_at = self.tail.recorded_at;
        // The block is taken out for the time of the group, so that frames can borrow from it.
        let mut block = std::mem::replace(&mut self.block, Block::forward());
        let outcome = loop {
            match self.read_frame(&mut block, offset, &mut recorded_at) {
                Ok(Progress::Frame(next)) => offset = next,
                Ok(Progress::Commit(tail)) => break Ok(tail),
                Err(fault) => break Err(fault),
            }
        };
        self.block = block;
        outcome
    }

    fn read_frame(
        &mut self,
        block: &mut Block,
        offset: u64,
        recorded_at: &mut i64,
    ) -> Result<Progress, Fault> {
        let segment = Arc::clone(&self.segment);
        let header =
            block.peek(&*segment.file, offset, HEADER_BYTES).map_err(|error| segment.io(offset, error))?;
        if header.iter().all(|byte| *byte == 0) {
            return Err(if offset == self.tail.offset {
                Fault::End
            } else {
                Fault::Broken(offset, "a group of records has no commit record".into())
            });
        }
        let frame = block.frame(&segment, offset)?;
        let next = offset.saturating_add(frame.header.frame_bytes());
        match frame.header.kind {
            FrameKind::Names => self.take_names(&frame)?,
            FrameKind::Record => self.take_record(&frame, recorded_at)?,
            FrameKind::Commit => {
                let (hash, epoch) = self.take_commit(&frame)?;
                let position = self.tail.position.saturating_add(wide(self.group.entries.len()));
                let recorded_at = *recorded_at;
                return Ok(Progress::Commit(Tail { offset: next, position, recorded_at, hash, epoch }));
            }
        }
        Ok(Progress::Frame(next))
    }

    fn take_names(&mut self, frame: &Frame<'_>) -> Result<(), Fault> {
        match decode_names(frame.body) {
            Some((first, names))
                if first == wide(self.names.len()) && self.names.len() + names.len() <= NAMES_MAX =>
            {
                self.names.extend(names);
                Ok(())
            }
            _ => Err(Fault::Broken(frame.offset, "names are not numbered in their order".into())),
        }
    }

    fn take_record(&mut self, frame: &Frame<'_>, recorded_at: &mut i64) -> Result<(), Fault> {
        let raw = self.segment.decode(frame)?;
        let broken = |what: &str| Err(Fault::Broken(frame.offset, what.into()));
        let position = self.tail.position.saturating_add(wide(self.group.entries.len())).saturating_add(1);
        if raw.position != position {
            return broken("a record does not have the next position");
        }
        if raw.recorded_at < *recorded_at {
            return broken("a record is older than the one before it");
        }
        let Some(kind) = resolve(&self.names, raw.kind).map(type_hash) else {
            return broken("a record uses a name that was not written before it");
        };
        if self.leaves && !self.leaf_fits(&raw) {
            return broken("the leaf hash of a record does not fit its content");
        }
        let before = self.group.terms.len();
        self.group.terms.push(kind);
        self.group.terms.extend(raw.tags().map(tag_hash));
        let terms = self.group.terms.len().saturating_sub(before);
        let offset = u32::try_from(frame.offset).unwrap_or(u32::MAX);
        self.group.entries.push(Entry { position, offset, key: raw.key, terms });
        self.group.leaves.push(raw.leaf);
        *recorded_at = raw.recorded_at;
        Ok(())
    }

    fn leaf_fits(&mut self, raw: &RawRecord<'_>) -> bool {
        let names = [raw.kind, raw.source, raw.content_type].map(|name| resolve(&self.names, name));
        let [Some(kind), Some(source), Some(content_type)] = names else { return false };
        raw.leaf == leaf_hash_of(raw, [kind, source, content_type], &mut self.scratch)
    }

    fn take_commit(&mut self, frame: &Frame<'_>) -> Result<([u8; 32], u64), Fault> {
        let broken = |what: &str| Err(Fault::Broken(frame.offset, what.into()));
        let Some((hash, commit, fields)) = Commit::decode(frame.body) else {
            return broken("a commit record does not have the form of format 1");
        };
        if u64::from(commit.group_start) != self.tail.offset
            || commit.first != self.tail.position.saturating_add(1)
            || u64::from(commit.records) != wide(self.group.entries.len())
            || commit.records == 0
        {
            return broken("a commit record does not belong to the records before it");
        }
        if commit.epoch < self.tail.epoch {
            return broken("a writer that had been replaced has written on");
        }
        if hash != running_hash(&self.tail.hash, fields, self.group.leaves.iter()) {
            return broken("the running hash does not continue the one before");
        }
        Ok((hash, commit.epoch))
    }
}

enum Progress {
    Frame(u64),
    Commit(Tail),
}

fn resolve<'a>(names: &'a [Box<str>], name: Name<'a>) -> Option<&'a str> {
    match name {
        Name::Inline(text) => Some(text),
        Name::Number(number) => names.get(usize::try_from(number).ok()?).map(|text| &**text),
    }
}

impl From<Record> for NewRecord {
    fn from(record: Record) -> Self {
        let Record { key, kind, tags, occurred_at, source, content_type, bytes, .. } = record;
        NewRecord { key, kind, tags, occurred_at, source, content_type, bytes }
    }
}

/// Where the nonzero bytes of a segment end, looking from `from` to the end of the file.
pub(crate) fn written_end(segment: &Segment, from: u64) -> Result<u64, ReadError> {
    let mut block = Block::forward();
    let (mut at, mut end) = (from, from);
    loop {
        let bytes = block.peek(&*segment.file, at, WINDOW_BYTES).map_err(|error| segment.io(at, error))?;
        // Whole pages of zeros are compared at once; most of what is looked at here is zeros.
        if let Some(page) = bytes.chunks(ZEROS.len()).rposition(|page| Some(page) != ZEROS.get(..page.len()))
        {
            let start = page.saturating_mul(ZEROS.len());
            let bytes = bytes.get(start..).unwrap_or_default();
            let bytes = bytes.get(..ZEROS.len()).unwrap_or(bytes);
            let last = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
            end = at.saturating_add(wide(start)).saturating_add(wide(last)).saturating_add(1);
        }
        if bytes.len() < WINDOW_BYTES {
            return Ok(end);
        }
        at = at.saturating_add(wide(bytes.len()));
    }
}

const WINDOW_BYTES: usize = 64 * 1024;
const ZEROS: [u8; 4_096] = [0; 4_096];

/// A commit record of a later group than the one that begins at `from`: the proof that this one had been whole, for
/// the next is written only when it is on stable storage.
pub(crate) fn later_commit(segment: &Segment, from: u64, end: u64) -> Result<Option<u64>, ReadError> {
    let mut window = Block::forward();
    let mut block = Block::scattered();
    let id = segment.header.segment.to_le_bytes();
    let mut at = from;
    while at < end {
        let bytes = window
            .peek(&*segment.file, at, WINDOW_BYTES.saturating_add(HEADER_BYTES))
            .map_err(|error| segment.io(at, error))?;
        for (index, header) in bytes.windows(HEADER_BYTES).enumerate().take(WINDOW_BYTES) {
            let offset = at.saturating_add(wide(index));
            // The id of the segment stands in every header: a cheap look before the checksum.
            if header.get(8..16) == Some(&id)
                && FrameHeader::decode(header, segment.header.segment, offset)
                    .is_ok_and(|header| header.kind == FrameKind::Commit)
                && let Ok(frame) = block.frame(segment, offset)
                && let Some((_, commit, _)) = Commit::decode(frame.body)
                && u64::from(commit.group_start) > from
            {
                return Ok(Some(offset));
            }
        }
        at = at.saturating_add(wide(WINDOW_BYTES));
    }
    Ok(None)
}
