//! Having an index for every segment: from its file, or made again from the segment.
//!
//! Not here: what an index holds (`index`, `memory`).

use std::sync::{Arc, PoisonError};

use crate::{
    Key, ReadError,
    index::{FileIndex, SegmentIndex},
    memory::MemoryIndex,
    paged::Unusable,
    scan::{Scanner, Step},
    seal::write_index,
    segment::{Block, Sealed, Segment},
};

impl Segment {
    /// Asks the index; if there is none or it turns out damaged, makes it again and asks that.
    pub(crate) fn with_index<T>(
        self: &Arc<Self>,
        ask: impl Fn(&SegmentIndex) -> Result<T, Unusable>,
    ) -> Result<T, ReadError> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let held = self.held_index();
        let failed = match held.as_ref().map(&ask) {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(why)) => Some(why),
            None => None,
        };
        let (index, _) = self.restore_index(held.as_ref(), failed)?;
        ask(&index).map_err(|why| self.damage(0, why))
    }

    /// The place of a record in the file.
    pub(crate) fn offset_of(self: &Arc<Self>, position: u64) -> Result<u64, ReadError> {
        let offsets = self.with_index(|index| index.offsets(&[self.ordinal(position)]))?;
        offsets.first().copied().ok_or_else(|| self.damage(0, "the index says nothing of a record"))
    }

    /// The number of a position in this segment, from 0.
    pub(crate) fn ordinal(&self, position: u64) -> u32 {
        u32::try_from(position.saturating_sub(self.first())).unwrap_or(u32::MAX)
    }

    fn held_index(&self) -> Option<SegmentIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loads or rebuilds the index of a sealed segment. `failed` is the index that gave no answer, and why. The
    /// answer says whether it was rebuilt.
    pub(crate) fn restore_index(
        self: &Arc<Self>,
        failed: Option<&SegmentIndex>,
        why: Option<Unusable>,
    ) -> Result<(SegmentIndex, bool), ReadError> {
        let _once = self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = self.held_index().filter(|held| !failed.is_some_and(|failed| same(held, failed)))
        {
            return Ok((index, false));
        }
        let Some(sealed) = self.sealed.get() else {
            return Err(self.damage(0, why.unwrap_or_else(|| "the open segment has no index".into())));
        };
        let why = match why {
            Some(why) => why,
            None => match FileIndex::open(self, sealed) {
                Ok(index) => return Ok((self.keep(SegmentIndex::File(Arc::new(index))), false)),
                Err(why) => why,
            },
        };
        tracing::info!(file = %self.index_path().display(), %why, "building an index again from its segment");
        let index = index_from_scan(self, sealed)?;
        Ok((self.keep(self.store_index(sealed, index)), true))
    }

    fn keep(&self, index: SegmentIndex) -> SegmentIndex {
        self.set_index(index.clone());
        index
    }

    /// Writes an index beside its segment, if this process may, and goes over to the file. It stays in memory where
    /// that fails: an index file is a convenience.
    pub(crate) fn store_index(&self, sealed: &Sealed, index: MemoryIndex) -> SegmentIndex {
        let index = Arc::new(index);
        if self.writable {
            let written = write_index(&self.storage, self, sealed, &index)
                .map_err(|error| error.to_string())
                .and_then(|()| FileIndex::open(self, sealed));
            match written {
                Ok(file) => return SegmentIndex::File(Arc::new(file)),
                Err(why) => {
                    tracing::warn!(file = %self.index_path().display(), %why, "an index stays in memory");
                }
            }
        }
        SegmentIndex::Memory(index)
    }

    /// Goes over from the index in memory to a file, for a segment that was just sealed.
    pub(crate) fn file_index(&self, index: &MemoryIndex) -> Result<(), Unusable> {
        let sealed = self.sealed.get().ok_or("the segment is still being written")?;
        write_index(&self.storage, self, sealed, index).map_err(|error| error.to_string())?;
        self.set_index(SegmentIndex::File(Arc::new(FileIndex::open(self, sealed)?)));
        Ok(())
    }

    /// The key at a position of this segment.
    pub(crate) fn key(self: &Arc<Self>, block: &mut Block, position: u64) -> Result<Key, ReadError> {
        let offset = self.offset_of(position)?;
        self.key_at(block, offset)
    }

    /// The record at a position of this segment.
    pub(crate) fn record(
        self: &Arc<Self>,
        block: &mut Block,
        position: u64,
    ) -> Result<crate::Record, ReadError> {
        let offset = self.offset_of(position)?;
        self.record_at(block, offset)
    }
}

fn same(one: &SegmentIndex, other: &SegmentIndex) -> bool {
    match (one, other) {
        (SegmentIndex::Memory(one), SegmentIndex::Memory(other)) => Arc::ptr_eq(one, other),
        (SegmentIndex::File(one), SegmentIndex::File(other)) => Arc::ptr_eq(one, other),
        (SegmentIndex::Memory(_), SegmentIndex::File(_))
        | (SegmentIndex::File(_), SegmentIndex::Memory(_)) => false,
    }
}

/// Reads a sealed segment from end to end, handing every whole group to `visit`; it must end where the next segment
/// says it does.
pub(crate) fn scan_sealed(
    scanner: &mut Scanner,
    sealed: &Sealed,
    mut visit: impl FnMut(&Scanner),
) -> Result<(), ReadError> {
    let segment = Arc::clone(scanner.segment());
    while scanner.tail().offset < sealed.end {
        match scanner.step()? {
            Step::Group => visit(scanner),
            Step::End => {
                return Err(
                    segment.damage(scanner.tail().offset, "the segment ends before the next one begins")
                );
            }
            Step::Broken { offset, what } => return Err(segment.damage(offset, what)),
        }
    }
    let tail = scanner.tail();
    if (tail.offset, tail.position, tail.hash) == (sealed.end, sealed.last, sealed.hash) {
        Ok(())
    } else {
        Err(segment.damage(tail.offset, "the next segment does not continue this one"))
    }
}

fn index_from_scan(segment: &Arc<Segment>, sealed: &Sealed) -> Result<MemoryIndex, ReadError> {
    let index = MemoryIndex::default();
    let mut scanner = Scanner::new(Arc::clone(segment), false);
    scan_sealed(&mut scanner, sealed, |scanner| index.add_group(scanner.group()))?;
    Ok(index)
}
