//! Whether a batch may be appended: first its keys, then its condition, against the log and what was accepted before
//! it in the same group.
//!
//! Not here: queueing and writing (`writer`), the bytes (`group`).

use std::{collections::HashMap, sync::Arc};

use crate::{
    AppendCondition, AppendError, Appended, Batch, Key, NewRecord, ReadError,
    group::Builder,
    index::Wanted,
    memory::Keyed,
    query::{FoundKeys, find_keys, first_match},
    segment::{Block, Segment},
};

/// Where a key is known from.
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
}

impl Decider {
    pub(crate) fn new(segments: Arc<Vec<Arc<Segment>>>) -> Decider {
        Decider { segments, block: Block::scattered(), sealed: FoundKeys::default() }
    }

    /// Looks in the finished segments for the keys of all batches of a group at once, before it is decided about them.
    pub(crate) fn look_up<'a>(&mut self, batches: impl Iterator<Item = &'a Batch>) {
        let sealed = self.segments.split_last().map_or(&[][..], |(_, sealed)| sealed);
        let wanted = match sealed {
            [] => Vec::new(),
            _ => batches.flat_map(|batch| &batch.records).map(|record| Wanted::new(record.key)).collect(),
        };
        self.sealed = find_keys(sealed, &wanted, u64::MAX, &mut self.block);
    }

    /// Takes the batch into the group, or says why not. Records that are known already are left out.
    pub(crate) fn decide(&mut self, batch: Batch, group: &mut Builder) -> Result<Appended, AppendError> {
        let Batch { records, condition, origin } = batch;
        group.settle();
        let known = self.known(&records, group)?;
        let all_known = known.iter().all(Option::is_some);
        if let Some(condition) = condition.filter(|_| !all_known) {
            self.check(&condition, group)?;
        }
        let first = group.last().saturating_add(1);
        let mut appended = Appended::default();
        let mut next = first;
        for known in &known {
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
        if !all_known {
            let new = if next.saturating_sub(first) == crate::codec::wide(records.len()) {
                records
            } else {
                records
                    .into_iter()
                    .zip(&known)
                    .filter(|(_, known)| known.is_none())
                    .map(|(new, _)| new)
                    .collect()
            };
            group.accept(new, origin);
        }
        Ok(appended)
    }

    fn known(&mut self, records: &[NewRecord], group: &Builder) -> Result<Vec<Option<Known>>, AppendError> {
        let mut known = Vec::with_capacity(records.len());
        let mut earlier: HashMap<Key, (u64, &NewRecord), Keyed> = HashMap::default();
        if records.len() > 1 {
            earlier.reserve(records.len());
        }
        let open = group.index.find_each(records.iter().map(|record| &record.key));
        let mut new = 0_u64;
        for (index, (record, open)) in records.iter().zip(open).enumerate() {
            let conflict = |position| Err(AppendError::Conflict { index, key: record.key, position });
            if let Some((number, first)) = earlier.get(&record.key) {
                if first.bytes != record.bytes {
                    return conflict(group.last().saturating_add(1).saturating_add(*number));
                }
                known.push(Some(Known::Earlier(*number)));
                continue;
            }
            match self.recorded(&record.key, open, group).map_err(AppendError::Unreadable)? {
                Some((position, _, bytes)) if bytes != record.bytes => return conflict(position),
                Some((position, recorded_at, _)) => {
                    known.push(Some(Known::Recorded { position, recorded_at }));
                }
                None => {
                    if records.len() > 1 {
                        earlier.insert(record.key, (new, record));
                    }
                    new = new.saturating_add(1);
                    known.push(None);
                }
            }
        }
        Ok(known)
    }

    /// Position, time and content of the record with this key; `open` is its ordinal in the open segment.
    fn recorded(
        &mut self,
        key: &Key,
        open: Option<u32>,
        group: &Builder,
    ) -> Result<Option<(u64, i64, bytes::Bytes)>, ReadError> {
        let (segment, position) = if let Some(ordinal) = open {
            let position = group.segment.first().saturating_add(u64::from(ordinal));
            if let Some(record) = group.fresh(position) {
                return Ok(Some((position, group.recorded_at, record.bytes)));
            }
            (&group.segment, position)
        } else {
            let Some(found) = self.sealed.get(key)? else { return Ok(None) };
            found
        };
        self.block.clear();
        let record = segment.record(&mut self.block, position)?;
        Ok(Some((position, record.recorded_at, record.bytes)))
    }

    fn check(&mut self, condition: &AppendCondition, group: &Builder) -> Result<(), AppendError> {
        let (block, items) = (&mut self.block, &condition.fail_if);
        let found = first_match(&self.segments, items, condition.after, group.last(), |segment, position| {
            if let Some(record) = group.fresh(position) {
                return Ok(items.iter().any(|item| item.matches(&record.kind, &record.tags)));
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
