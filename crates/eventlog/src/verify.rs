//! Verification: reads everything and believes nothing.
//!
//! Checks frame by frame the checksums, places and segment ids, the order of positions and times, every leaf hash
//! computed anew, the running hash through all groups and segments, that every key is there once, and that nothing
//! but zeros follows the end of a segment; and, where it begins at position 1, the tree over the leaf hashes against
//! every signed head. Not here: the checks of a group (`scan`).

use std::{
    ops::{Bound, Range, RangeBounds},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    Head, Key, LogReader, ReadError, TreeHead,
    codec::wide,
    core::Core,
    index::Wanted,
    proof::TreeCheck,
    query::find_keys,
    rebuild::scan_sealed,
    scan::{Scanner, Step, written_end},
    segment::{Block, Segment},
};

/// Findings a report lists; one broken disk can make millions.
pub const FINDINGS_MAX: usize = 1_000;
/// Records between two calls of `progress`.
const PROGRESS_RECORDS: u64 = 10_000;

/// How far a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last position looked at.
    pub position: u64,
    /// The last position that will be.
    pub until: u64,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// The record it is about, where that is known.
    pub position: Option<u64>,
    /// What does not fit.
    pub what: String,
}

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Records that were checked and are sound.
    pub records: u64,
    /// Groups written at once that were checked and are sound.
    pub commits: u64,
    /// Segments that were looked at.
    pub segments: u64,
    /// The last sound record that was looked at.
    pub head: Head,
    /// The running hash behind it: the same for every sound copy of this log.
    pub running_hash: [u8; 32],
    /// The tree over everything from position 1 on, where that was looked at. Heads signed for it must have its root.
    pub tree: Option<TreeHead>,
    /// Signed heads that were compared with it.
    pub signed_heads: u64,
    /// What is not sound, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Damage is a finding; an unwilling disk is not.
    pub(crate) fn take(&mut self, outcome: Result<(), ReadError>) -> Result<(), ReadError> {
        match outcome {
            Err(ReadError::Damaged { file, offset, what }) => {
                self.find(Finding { file, offset, position: None, what });
                Ok(())
            }
            other => other,
        }
    }
}

impl LogReader {
    /// Verifies the segments that hold the positions of `range`, up to the head of this moment. Blocks, for about a
    /// second per million records; `progress` is told now and then.
    ///
    /// # Errors
    /// If the disk does not answer. Damage is no error but a finding.
    pub fn verify(
        &self,
        range: impl RangeBounds<u64>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<VerifyReport, ReadError> {
        let head = self.head();
        let Range { start: first, end } = positions(&range, head);
        let until = end.saturating_sub(1);
        let mut report = VerifyReport::default();
        let mut tree = if first <= 1 { TreeCheck::new(&self.core).ok() } else { None };
        let segments = self.core.segments();
        for (index, segment) in segments.iter().enumerate() {
            let next = segments.get(index.saturating_add(1));
            let last = next.map_or(head.position, |next| next.first().saturating_sub(1));
            if segment.first() > until || last < first {
                continue;
            }
            let mut pass = Pass {
                core: &self.core,
                tree: &mut tree,
                segments: &segments,
                report: &mut report,
                progress,
                until,
                keys: Vec::new(),
            };
            pass.segment(segment, head.position)?;
        }
        if let Some(damage) = self.core.damage.get().filter(|_| until == head.position) {
            report.take(Err(damage.clone()))?;
            report.findings.dedup();
        }
        if let Some(tree) = tree.filter(|_| report.head.position >= until) {
            let (tree, compared, findings) = tree.end(&self.core);
            (report.tree, report.signed_heads) = (Some(tree), compared);
            for finding in findings {
                report.find(finding);
            }
        }
        progress(Progress { position: until, until });
        Ok(report)
    }
}

/// The first of the positions asked for, and the one after the last that is there.
pub(crate) fn positions(range: &impl RangeBounds<u64>, head: Head) -> Range<u64> {
    let first = match range.start_bound() {
        Bound::Included(first) => *first,
        Bound::Excluded(after) => after.saturating_add(1),
        Bound::Unbounded => 1,
    };
    let last = match range.end_bound() {
        Bound::Included(last) => *last,
        Bound::Excluded(end) => end.saturating_sub(1),
        Bound::Unbounded => u64::MAX,
    };
    first..last.min(head.position).saturating_add(1)
}

/// Going through one segment.
struct Pass<'a> {
    core: &'a Core,
    tree: &'a mut Option<TreeCheck>,
    segments: &'a [Arc<Segment>],
    report: &'a mut VerifyReport,
    progress: &'a mut dyn FnMut(Progress),
    until: u64,
    /// The keys of the segment, and their ordinals.
    keys: Vec<(Key, u32)>,
}

impl Pass<'_> {
    fn segment(&mut self, segment: &Arc<Segment>, head: u64) -> Result<(), ReadError> {
        if let Some(lost) = &segment.lost {
            return self.report.take(Err(lost.clone()));
        }
        self.report.segments = self.report.segments.saturating_add(1);
        self.report.take(segment.header_again())?;
        let mut scanner = Scanner::new(Arc::clone(segment), true);
        self.keys.clear();
        let outcome = match segment.sealed.get() {
            Some(sealed) => scan_sealed(&mut scanner, sealed, |scanner| self.group(scanner))
                .and_then(|()| only_zeros(segment, sealed.end)),
            None => self.open_segment(&mut scanner, head),
        };
        let whole = outcome.is_ok();
        self.report.take(outcome)?;
        let outcome = self.keys(segment, whole);
        self.report.take(outcome)
    }

    /// The open segment is sound as far as the head; what is behind it may be being written.
    fn open_segment(&mut self, scanner: &mut Scanner, head: u64) -> Result<(), ReadError> {
        let segment = Arc::clone(scanner.segment());
        while scanner.tail().position < head {
            match scanner.step()? {
                Step::Group => self.group(scanner),
                Step::End => {
                    return Err(segment.damage(scanner.tail().offset, "the log ends before its head"));
                }
                Step::Broken { offset, what } => return Err(segment.damage(offset, what)),
            }
        }
        Ok(())
    }

    fn group(&mut self, scanner: &Scanner) {
        let (tail, group) = (scanner.tail(), scanner.group());
        self.report.commits = self.report.commits.saturating_add(1);
        self.report.head = Head { position: tail.position, recorded_at: tail.recorded_at };
        self.report.running_hash = tail.hash;
        // Where records are missing there is no tree to compare with.
        let next = self.tree.as_ref().map_or(0, TreeCheck::next);
        if group.entries.first().is_none_or(|entry| entry.position != next) {
            *self.tree = None;
        }
        if let Some(tree) = &mut self.tree {
            group.leaves.iter().for_each(|leaf| tree.leaf(self.core, *leaf));
        }
        for entry in &group.entries {
            self.report.records = self.report.records.saturating_add(1);
            self.keys.push((entry.key, scanner.segment().ordinal(entry.position)));
            if entry.position % PROGRESS_RECORDS == 0 {
                (self.progress)(Progress { position: entry.position, until: self.until.max(entry.position) });
            }
        }
    }

    /// That every key of a segment is there once and, where the segment is whole, that its index finds it there.
    fn keys(&mut self, segment: &Arc<Segment>, whole: bool) -> Result<(), ReadError> {
        self.keys.sort_unstable();
        let mut twice = Vec::new();
        for pair in self.keys.windows(2) {
            if let [(key, first), (again, second)] = pair
                && key == again
            {
                twice.push((*key, *second, segment.first().saturating_add(u64::from(*first))));
            }
        }
        // Those behind the range are not looked at themselves, those before this one in it have been.
        let others = self
            .segments
            .iter()
            .filter(|other| other.first() < segment.first() || other.first() > self.until);
        let others = others.cloned().collect::<Vec<_>>();
        let wanted = self.keys.iter().map(|(key, _)| Wanted::new(*key)).collect::<Vec<_>>();
        let found = find_keys(&others, &wanted, u64::MAX, &mut Block::scattered());
        let mut failed = None;
        for (key, ordinal) in &self.keys {
            match found.get(key) {
                Ok(Some((_, position))) => twice.push((*key, *ordinal, position)),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        let unknown = whole && twice.is_empty() && !segment.with_index(|index| index.holds(&self.keys))?;
        for (key, ordinal, other) in twice {
            let what = format!("key {key} is recorded at position {other} too");
            self.find_at(segment, ordinal, what);
        }
        if unknown && let Some((_, ordinal)) = self.keys.first().copied() {
            self.find_at(segment, ordinal, "the index of this segment does not find its keys".into());
        }
        failed.map_or(Ok(()), Err)
    }

    fn find_at(&mut self, segment: &Arc<Segment>, ordinal: u32, what: String) {
        let position = segment.first().saturating_add(u64::from(ordinal));
        let offset = segment.offset_of(position).unwrap_or(0);
        self.report.find(Finding {
            file: segment.file_path().to_path_buf(),
            offset,
            position: Some(position),
            what,
        });
    }
}

pub(crate) fn only_zeros(segment: &Segment, end: u64) -> Result<(), ReadError> {
    let written = written_end(segment, end)?;
    if written == end {
        return Ok(());
    }
    let bytes = wide(crate::codec::narrow(written.saturating_sub(end)));
    Err(segment.damage(end, format!("{bytes} bytes follow the end of the segment where only zeros belong")))
}
