//! Frames of a group under construction, in pieces: what is hashed and summed over a piece is left open until it is
//! whole, so that another thread can do it.
//!
//! The writer begins with the next piece meanwhile; when there is no next one it helps. Not here: which records
//! (`group`), writing the pieces (`writer`).

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, PoisonError},
};

use crate::{
    codec::{put_at, small},
    frame::{FrameKind, HEADER_BYTES, TRAILER_BYTES, frame_header, hash_leaf},
    memory::MemoryIndex,
    scan::Group,
    sync::{Condvar, Mutex, MutexGuard},
};

/// Bytes of a piece: some seventy records, whose hashes take about as long as waking the other thread.
pub(crate) const PART_BYTES: usize = if cfg!(feature = "shuttle") { 512 } else { 32 * 1024 };
/// Pieces whose memory is kept for the next group: four megabytes. A larger group takes more for itself.
pub(crate) const SPARE_PARTS_MAX: usize = 128;

/// A piece of a group.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) bytes: Vec<u8>,
    /// Of each record that is open: what its leaf hash is over before the content.
    leaf_fields: Vec<u8>,
    open: Vec<OpenFrame>,
    /// The leaf hashes, when it is sealed.
    pub(crate) leaves: Vec<[u8; 32]>,
    segment: u64,
    /// Where its first byte will lie in the segment.
    start: u32,
}

/// A frame whose leaf hash and checksums are missing.
#[derive(Debug)]
struct OpenFrame {
    at: usize,
    end: usize,
    leaf_fields: usize,
    content: usize,
}

impl Part {
    /// Begins anew, with the memory there is.
    pub(crate) fn begin(&mut self, segment: u64, start: u32) {
        self.bytes.clear();
        self.leaf_fields.clear();
        self.open.clear();
        self.leaves.clear();
        (self.segment, self.start) = (segment, start);
    }

    /// Puts a record in. `fields` is what its leaf hash is over before `content` and after position and recorded-at;
    /// `between` writes what a record has between its leaf hash and its content.
    pub(crate) fn put_record(
        &mut self,
        (position, recorded_at): (u64, i64),
        fields: &[u8],
        content: &[u8],
        between: impl FnOnce(&mut Vec<u8>),
    ) {
        self.leaf_fields.push(0);
        self.leaf_fields.extend_from_slice(&position.to_le_bytes());
        self.leaf_fields.extend_from_slice(&recorded_at.to_le_bytes());
        self.leaf_fields.extend_from_slice(fields);
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEADER_BYTES + 32]);
        between(&mut self.bytes);
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(&[0; TRAILER_BYTES]);
        let (end, leaf_fields) = (self.bytes.len(), self.leaf_fields.len());
        self.open.push(OpenFrame { at, end, leaf_fields, content: content.len() });
    }

    /// Fills in leaf hashes and checksums.
    pub(crate) fn seal(&mut self) {
        let mut from = 0;
        for OpenFrame { at, end, leaf_fields, content } in self.open.drain(..) {
            let trailer = end.saturating_sub(TRAILER_BYTES);
            let body = at.saturating_add(HEADER_BYTES);
            let fields = self.leaf_fields.get(from..leaf_fields).unwrap_or_default();
            from = leaf_fields;
            let content = self.bytes.get(trailer.saturating_sub(content)..trailer).unwrap_or_default();
            let leaf = hash_leaf(fields, content);
            put_at(&mut self.bytes, body, &leaf);
            self.leaves.push(leaf);
            let sum = crc32c::crc32c(self.bytes.get(body..trailer).unwrap_or_default());
            put_at(&mut self.bytes, trailer, &sum.to_le_bytes());
            let place = self.start.saturating_add(small(at));
            let length = small(trailer.saturating_sub(body));
            put_at(&mut self.bytes, at, &frame_header(FrameKind::Record, self.segment, place, length));
        }
    }
}

/// What the writer and the thread beside it share.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(usize, Part)>,
    sealed: BTreeMap<usize, Part>,
    /// What an index is to learn, and what it has learnt.
    learn: Option<(Arc<MemoryIndex>, Group)>,
    learnt: Option<Group>,
    stop: bool,
    /// The thread is there. If it ends while something waits, the writer does it itself.
    runs: bool,
}

/// The thread is gone: whoever waits for it hears of that.
struct Gone<'a>(&'a Beside);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.lock().runs = false;
        self.0.changed.notify_all();
    }
}

/// What the thread took with it when it ended, which only a panic makes it do.
#[derive(Debug, thiserror::Error)]
#[error("the thread that hashes has panicked")]
pub(crate) struct Lost;

impl From<Lost> for io::Error {
    fn from(lost: Lost) -> io::Error {
        io::Error::other(lost)
    }
}

impl Beside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a piece over to be sealed.
    pub(crate) fn seal(&self, number: usize, part: Part) {
        self.lock().waiting.push_back((number, part));
        self.changed.notify_all();
    }

    /// The piece of this number, sealed. Seals others, and itself, while it has to wait.
    pub(crate) fn sealed(&self, number: usize) -> Result<Part, Lost> {
        let mut state = self.lock();
        loop {
            if let Some(part) = state.sealed.remove(&number) {
                return Ok(part);
            }
            if let Some((found, mut part)) = state.waiting.pop_front() {
                drop(state);
                part.seal();
                if found == number {
                    return Ok(part);
                }
                state = self.lock();
                state.sealed.insert(found, part);
            } else if state.runs {
                state = self.wait(state);
            } else {
                return Err(Lost);
            }
        }
    }

    /// Lets an index learn of a group.
    pub(crate) fn learn(&self, index: &Arc<MemoryIndex>, group: Group) {
        self.lock().learn = Some((Arc::clone(index), group));
        self.changed.notify_all();
    }

    /// Waits until it has; the group again, for its memory.
    pub(crate) fn learnt(&self) -> Result<Group, Lost> {
        let mut state = self.lock();
        loop {
            if let Some(group) = state.learnt.take() {
                return Ok(group);
            }
            if let Some((index, group)) = state.learn.take() {
                drop(state);
                index.add_group(&group);
                return Ok(group);
            }
            if !state.runs {
                return Err(Lost);
            }
            state = self.wait(state);
        }
    }

    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// To be called before the thread is started.
    pub(crate) fn starts(&self) {
        self.lock().runs = true;
    }

    /// The thread beside the writer, until it is told to stop.
    pub(crate) fn run(&self) {
        let _gone = Gone(self);
        let mut state = self.lock();
        loop {
            if let Some((number, mut part)) = state.waiting.pop_front() {
                drop(state);
                part.seal();
                state = self.lock();
                state.sealed.insert(number, part);
            } else if let Some((index, group)) = state.learn.take() {
                drop(state);
                index.add_group(&group);
                state = self.lock();
                state.learnt = Some(group);
            } else if state.stop {
                return;
            } else {
                state = self.wait(state);
                continue;
            }
            self.changed.notify_all();
        }
    }
}
