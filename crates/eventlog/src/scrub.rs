//! Scrubbing: reads everything once and checks what takes no hashing, as fast as the disk gives it.
//!
//! Finds what rots: every checksum, place, segment id and position, and that commit records count what is before them.
//! Not here: what somebody may have changed on purpose, whose checksums fit (`verify`).

use std::{
    ops::{Range, RangeBounds},
    sync::Arc,
};

use crate::{
    Head, LogReader, Progress, ReadError, VerifyReport,
    codec::{Input, wide},
    frame::{FrameKind, commit_counts},
    segment::{Block, Frame, SEGMENT_HEADER_BYTES, Segment},
    verify::{only_zeros, positions},
};

/// Records between two calls of `progress`.
const PROGRESS_RECORDS: u64 = 100_000;

impl LogReader {
    /// Checks the checksums of the segments that hold the positions of `range`, up to the head of this moment: several
    /// times faster than [`LogReader::verify`], which computes hashes too. The report says nothing of hashes, the tree
    /// and signed heads. Blocks; `progress` is told now and then.
    ///
    /// # Errors
    /// If the disk does not answer. Damage is no error but a finding.
    pub fn scrub(
        &self,
        range: impl RangeBounds<u64>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<VerifyReport, ReadError> {
        let head = self.head();
        let Range { start: from, end } = positions(&range, head);
        let mut report = VerifyReport::default();
        let segments = self.core.segments();
        for (index, segment) in segments.iter().enumerate() {
            let next = segments.get(index.saturating_add(1));
            let last = next.map_or(head.position, |next| next.first().saturating_sub(1));
            if segment.first() >= end || last < from {
                continue;
            }
            let outcome = if let Some(gap) = &segment.lost {
                Err(gap.clone())
            } else {
                let until = end.saturating_sub(1);
                Pass { segment, report: &mut report, progress, last, until }.run()
            };
            report.take(outcome)?;
        }
        if let Some(damage) = self.core.damage.get().filter(|_| end > head.position) {
            report.take(Err(damage.clone()))?;
            report.findings.dedup();
        }
        progress(Progress { position: end.saturating_sub(1), until: end.saturating_sub(1) });
        Ok(report)
    }
}

/// Going through one segment.
struct Pass<'a> {
    segment: &'a Arc<Segment>,
    report: &'a mut VerifyReport,
    progress: &'a mut dyn FnMut(Progress),
    /// The last position of the segment that is durable.
    last: u64,
    until: u64,
}

impl Pass<'_> {
    fn run(mut self) -> Result<(), ReadError> {
        let segment = Arc::clone(self.segment);
        self.report.segments = self.report.segments.saturating_add(1);
        segment.header_again()?;
        let mut block = Block::forward();
        let (mut offset, mut position) = (wide(SEGMENT_HEADER_BYTES), segment.first().saturating_sub(1));
        // The first position that no commit record has counted yet.
        let mut open = segment.first();
        while open <= self.last {
            let frame = block.frame(&segment, offset)?;
            match frame.header.kind {
                FrameKind::Names => {}
                FrameKind::Record => {
                    position = position.saturating_add(1);
                    self.record(&frame, position)?;
                }
                FrameKind::Commit => {
                    let (counted, records, recorded_at) = commit_counts(frame.body)
                        .ok_or_else(|| segment.damage(offset, "a commit record is cut short"))?;
                    if counted != open || counted.checked_add(u64::from(records)) != position.checked_add(1) {
                        let what = "a commit record does not belong to the records before it";
                        return Err(segment.damage(offset, what));
                    }
                    open = position.saturating_add(1);
                    self.report.commits = self.report.commits.saturating_add(1);
                    self.report.head = Head { position, recorded_at };
                }
            }
            offset = offset.saturating_add(frame.header.frame_bytes());
        }
        match segment.sealed.get() {
            Some(sealed) if sealed.end != offset => {
                Err(segment.damage(offset, "the next segment does not continue this one"))
            }
            Some(_) => only_zeros(&segment, offset),
            None => Ok(()),
        }
    }

    fn record(&mut self, frame: &Frame<'_>, position: u64) -> Result<(), ReadError> {
        let ordinal = frame.body.split_first_chunk::<32>().and_then(|(_leaf, rest)| Input(rest).varint());
        if ordinal != Some(position.saturating_sub(self.segment.first())) {
            return Err(self.segment.damage(frame.offset, "a record does not have the next position"));
        }
        self.report.records = self.report.records.saturating_add(1);
        if position.is_multiple_of(PROGRESS_RECORDS) {
            (self.progress)(Progress { position, until: self.until.max(position) });
        }
        Ok(())
    }
}
