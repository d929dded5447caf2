//! Whether a batch may be appended: first its keys, then its condition, against the log and what was accepted before
//! it in the same group.
//!
//! Not here: queueing and writing (`writer`), the bytes (`group`).

use std::{collections::HashMap, sync::Arc};

use crate::{
    AppendCondition, AppendError, Appended, Key, ReadError,
    group::Builder,
    index::Wanted,
    memory::Keyed,
    prepared::{Prepared, Slot},
    query::{FoundKeys, find_keys, first_match},
    segment::{Block, Segment},
};

/// Where a key is known from.
#[derive(Debug)]
enum Known {
    Recorded {
        position: u64,
        recorded_at: i64,
    },
    /// The record of this number among the new ones of the same batch.
    Earlier(u64),
}

/// Decides about batches, one after the other.
#[derive(Debug)]
pub(crate) struct Decider {
    /// Every segment, the open one last.
    pub(crate) segments: Arc<Vec<Arc<Segment>>>,
    block: Block,
    /// What the finished segments know of the keys of this group.
    sealed: FoundKeys,
    /// Of the records of one batch: where each key is known from, its ordinal in the open segment. For their memory.
    known: Vec<Option<Known>>,
    open: Vec<Option<u32>>,
}

impl Decider {
    pub(crate) fn new(segments: Arc<Vec<Arc<Segment>>>) -> Decider {
        let (sealed, known, open) = (FoundKeys::default(), Vec::new(), Vec::new());
        Decider { segments, block: Block::scattered(), sealed, known, open }
    }

    /// Looks in the finished segments for the keys of all batches of a group at once, before it is decided about them.
    pub(crate) fn look_up<'a>(&mut self, batches: impl Iterator<Item = &'a Prepared>) {
        let sealed = self.segments.split_last().map_or(&[][..], |(_, sealed)| sealed);
        let wanted = match sealed {
            [] => Vec::new(),
            _ => batches.flat_map(|batch| &batch.records).map(|slot| Wanted::new(slot.key)).collect(),
        };
        self.sealed = find_keys(sealed, &wanted, u64::MAX, &mut self.block);
    }

    /// Takes the batch into the group, or says why not. Records that are known already are left out.
    pub(crate) fn decide(
        &mut self,
        prepared: &mut Prepared,
        group: &mut Builder,
    ) -> Result<Appended, AppendError> {
        group.settle();
        self.know(prepared, group)?;
        let new = self.known.iter().filter(|known| known.is_none()).count();
        if let Some(condition) = prepared.condition.as_ref().filter(|_| new > 0) {
            self.check(condition, group)?;
        }
        let first = group.last().saturating_add(1);
        let mut appended = std::mem::take(&mut prepared.answer);
        let mut next = first;
        for known in &self.known {
            let (position, recorded_at) = match known {
                Some(Known::Recorded { position, recorded_at }) => (*position, *recorded_at),
                Some(Known::Earlier(number)) => (first.saturating_add(*number), group.recorded_at),
                None => {
                    next = next.saturating_add(1);
                    (next.saturating_sub(1), group.recorded_at)
                }
            };
            appended.positions.push(position);
            appended.recorded_at.push(recorded_at);
            appended.duplicates.push(known.is_some());
        }
        if new > 0 {
            let all = new == self.known.len();
            let known = self.known.iter().enumerate().filter(|(_, known)| known.is_none());
            let numbers = (!all).then(|| known.map(|(number, _)| number).collect());
            group.accept(prepared, numbers);
        }
        Ok(appended)
    }

    /// Finds out what is known of each record of the batch.
    fn know(&mut self, prepared: &Prepared, group: &Builder) -> Result<(), AppendError> {
        let records = &prepared.records;
        self.known.clear();
        let mut earlier: HashMap<Key, (u64, &[u8]), Keyed> = HashMap::default();
        if records.len() > 1 {
            earlier.reserve(records.len());
        }
        let mut open = std::mem::take(&mut self.open);
        group.index.find_each(records.iter().map(|slot| &slot.key), &mut open);
        let mut new = 0_u64;
        for (index, (slot, open)) in records.iter().zip(&open).enumerate() {
            let content = prepared.content(slot);
            let conflict = |position| Err(AppendError::Conflict { index, key: slot.key, position });
            if let Some((number, first)) = earlier.get(&slot.key) {
                if *first != content {
                    return conflict(group.last().saturating_add(1).saturating_add(*number));
                }
                self.known.push(Some(Known::Earlier(*number)));
                continue;
            }
            match self.recorded(slot, content, *open, group).map_err(AppendError::Unreadable)? {
                Some((position, _, false)) => return conflict(position),
                Some((position, recorded_at, true)) => {
                    self.known.push(Some(Known::Recorded { position, recorded_at }));
                }
                None => {
                    if records.len() > 1 {
                        earlier.insert(slot.key, (new, content));
                    }
                    new = new.saturating_add(1);
                    self.known.push(None);
                }
            }
        }
        self.open = open;
        Ok(())
    }

    /// Position and time of the record with this key, and whether it has this content; `open` is its ordinal in the
    /// open segment.
    fn recorded(
        &mut self,
        slot: &Slot,
        content: &[u8],
        open: Option<u32>,
        group: &Builder,
    ) -> Result<Option<(u64, i64, bool)>, ReadError> {
        let (segment, position) = if let Some(ordinal) = open {
            let position = group.segment.first().saturating_add(u64::from(ordinal));
            if let Some((fresh, known)) = group.fresh(position) {
                return Ok(Some((position, group.recorded_at, fresh.content(known) == content)));
            }
            (&group.segment, position)
        } else {
            let Some(found) = self.sealed.get(&slot.key)? else { return Ok(None) };
            found
        };
        self.block.clear();
        let record = segment.record(&mut self.block, position)?;
        Ok(Some((position, record.recorded_at, *record.bytes == *content)))
    }

    fn check(&mut self, condition: &AppendCondition, group: &Builder) -> Result<(), AppendError> {
        let (block, items) = (&mut self.block, &condition.fail_if);
        let found = first_match(&self.segments, items, condition.after, group.last(), |segment, position| {
            if let Some((fresh, slot)) = group.fresh(position) {
                return Ok(items.iter().any(|item| fresh.matches(slot, item)));
            }
            block.clear();
            let record = segment.record(block, position)?;
            Ok(items.iter().any(|item| item.matches(&record.kind, &record.tags)))
        });
        match found.map_err(AppendError::Unreadable)? {
            Some(position) => Err(AppendError::ConditionFailed { position }),
            None => Ok(()),
        }
    }
}
