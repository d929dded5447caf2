//! Where batches came from: the words their callers attached, read from the commit records alone.
//!
//! Not here: the records themselves (`query`).

use std::{sync::Arc, vec};

use bytes::Bytes;

use crate::{
    ReadError,
    core::{Core, segment_of},
    frame::{Commit, FrameHeader, FrameKind, HEADER_BYTES},
    segment::{Block, Segment},
};

/// A batch as it was committed: which records came together, and what its caller said about where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The position of its first record. Records that were known already are not counted.
    pub first: u64,
    /// The position of its last record.
    pub last: u64,
    /// What [`crate::Batch::origin`] said.
    pub origin: Bytes,
}

/// The batches after a position, in their order, read as they are asked for. Memory: one window on a segment file and
/// the batches of one commit.
///
/// It ends with an error, once, where the log is damaged.
#[derive(Debug)]
pub struct Origins {
    core: Arc<Core>,
    /// Batches that end here or before are not given.
    after: u64,
    /// The head at the start.
    last: u64,
    /// The first position of the group to read next, and where something of that group lies, if that is known.
    next: u64,
    place: Option<(Arc<Segment>, u64)>,
    block: Block,
    batches: vec::IntoIter<Origin>,
    failure: Option<ReadError>,
}

impl Origins {
    pub(crate) fn new(core: Arc<Core>, after: u64) -> Origins {
        let last = core.head().position;
        let failure = core.damage.get().cloned();
        let next = after.saturating_add(1);
        let batches = Vec::new().into_iter();
        Origins { core, after, last, next, place: None, block: Block::forward(), batches, failure }
    }

    /// Reads the commit record of the group that holds the next position.
    fn read_group(&mut self) -> Result<(), ReadError> {
        let (segment, mut offset) = if let Some(place) = self.place.take() {
            place
        } else {
            let segments = self.core.segments();
            let Some((segment, _)) = segment_of(&segments, self.next, self.last) else {
                self.next = u64::MAX;
                return Ok(());
            };
            self.block.clear();
            (Arc::clone(segment), segment.offset_of(self.next)?)
        };
        let commit = loop {
            let header = self
                .block
                .peek(&*segment.file, offset, HEADER_BYTES)
                .map_err(|error| segment.io(offset, error))?;
            let header = FrameHeader::decode(header, segment.header.segment, offset)
                .map_err(|what| segment.damage(offset, what))?;
            if header.kind == FrameKind::Commit {
                break self.block.frame(&segment, offset)?;
            }
            // Only headers are looked at on the way: what is in the records does not matter here.
            offset = offset.saturating_add(header.frame_bytes());
        };
        let Some((_, decoded, _)) = Commit::decode(commit.body) else {
            return Err(segment.damage(offset, "a commit record does not have the form of format 1"));
        };
        let behind = offset.saturating_add(commit.header.frame_bytes());
        let mut first = decoded.first;
        let mut batches = Vec::with_capacity(decoded.batches.len());
        for (records, origin) in decoded.batches {
            let end = first.saturating_add(u64::from(records));
            batches.push(Origin { first, last: end.saturating_sub(1), origin });
            first = end;
        }
        if first <= self.next {
            return Err(segment.damage(offset, "a commit record does not belong to the records before it"));
        }
        self.next = first;
        self.batches = batches.into_iter();
        let segments = self.core.segments();
        let same =
            segment_of(&segments, self.next, self.last).is_some_and(|(next, _)| Arc::ptr_eq(next, &segment));
        self.place = same.then_some((segment, behind));
        Ok(())
    }
}

impl Iterator for Origins {
    type Item = Result<Origin, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.batches.next() {
                if batch.last > self.after {
                    return Some(Ok(batch));
                }
            } else if self.next > self.last {
                return self.failure.take().map(Err);
            } else if let Err(error) = self.read_group() {
                (self.next, self.failure) = (u64::MAX, None);
                return Some(Err(error));
            }
        }
    }
}
