//! Finding records: by position, by key, by type and tag, with the index proposing and the record deciding.
//!
//! Not here: the indexes (`memory`, `index`), waiting for new records (`subscribe`).

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    sync::Arc,
    vec,
};

use crate::{
    Direction, Key, Query, QueryItem, ReadError, Record,
    codec::wide,
    core::{Core, segment_of},
    frame::FrameKind,
    index::{SegmentIndex, Wanted, tag_hash, type_hash},
    paged::Unusable,
    record::QUERY_ITEMS_MAX,
    segment::{Block, Segment},
};

/// The ordinals of `range` that may match any of `items`, ascending. Bounded by the records of one segment.
pub(crate) fn candidates(
    segment: &Arc<Segment>,
    items: &[QueryItem],
    range: &Range<u32>,
) -> Result<Vec<u32>, ReadError> {
    segment.with_index(|index| {
        let mut found = Vec::new();
        for item in items {
            found.append(&mut item_candidates(index, item, range)?);
        }
        if items.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        Ok(found)
    })
}

fn item_candidates(index: &SegmentIndex, item: &QueryItem, range: &Range<u32>) -> Result<Vec<u32>, Unusable> {
    let mut found: Option<Vec<u32>> = None;
    for tag in &item.tags {
        let tagged = index.postings(tag_hash(tag), range)?;
        let both = match found {
            Some(found) => intersection(&found, &tagged),
            None => tagged,
        };
        if both.is_empty() {
            return Ok(both);
        }
        found = Some(both);
    }
    if item.types.is_empty() {
        return Ok(found.unwrap_or_else(|| range.clone().collect()));
    }
    let mut typed = Vec::new();
    for kind in &item.types {
        typed.append(&mut index.postings(type_hash(kind), range)?);
    }
    if item.types.len() > 1 {
        typed.sort_unstable();
        typed.dedup();
    }
    Ok(match found {
        Some(found) => intersection(&found, &typed),
        None => typed,
    })
}

fn intersection(one: &[u32], other: &[u32]) -> Vec<u32> {
    let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let mut rest = many;
    let mut both = Vec::new();
    for ordinal in few {
        rest = rest.get(rest.partition_point(|other| other < ordinal)..).unwrap_or_default();
        if rest.first() == Some(ordinal) {
            both.push(*ordinal);
        }
    }
    both
}

/// The first position in `(after, last]` that matches any of `items`; `exact` decides about a proposed one.
pub(crate) fn first_match(
    segments: &[Arc<Segment>],
    items: &[QueryItem],
    after: u64,
    last: u64,
    mut exact: impl FnMut(&Arc<Segment>, u64) -> Result<bool, ReadError>,
) -> Result<Option<u64>, ReadError> {
    let mut next = after.saturating_add(1);
    if items.iter().any(matches_all) {
        return Ok((next <= last).then_some(next));
    }
    while next <= last && !items.is_empty() {
        let Some((segment, end)) = segment_of(segments, next, last) else { break };
        let range = segment.ordinal(next)..segment.ordinal(end).saturating_add(1);
        for ordinal in candidates(segment, items, &range)? {
            let position = segment.first().saturating_add(u64::from(ordinal));
            if exact(segment, position)? {
                return Ok(Some(position));
            }
        }
        next = end.saturating_add(1);
    }
    Ok(None)
}

fn matches_all(item: &QueryItem) -> bool {
    item.types.is_empty() && item.tags.is_empty()
}

/// Where some keys are.
#[derive(Debug, Default)]
pub(crate) struct FoundKeys {
    places: HashMap<Key, (Arc<Segment>, u64)>,
    /// Why a segment could not be asked. A key is recorded once: finding it elsewhere is the answer all the same.
    failed: Option<ReadError>,
    /// Why a record could not be read that may have this key.
    unread: HashMap<Key, ReadError>,
}

impl FoundKeys {
    /// The segment and position of a key.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<(&Arc<Segment>, u64)>, ReadError> {
        match (self.places.get(key), self.unread.get(key).or(self.failed.as_ref())) {
            (Some((segment, position)), _) => Ok(Some((segment, *position))),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Ok(None),
        }
    }
}

/// Where the wanted keys are among the positions up to `last`, newest segment first. Every segment is asked once for
/// all of them, so that what it takes to ask stays near the processor.
pub(crate) fn find_keys(
    segments: &[Arc<Segment>],
    wanted: &[Wanted],
    last: u64,
    block: &mut Block,
) -> FoundKeys {
    let mut found = FoundKeys::default();
    for segment in segments.iter().rev() {
        match segment.with_index(|index| index.find(wanted)) {
            Ok(proposed) => {
                for (number, ordinal) in proposed {
                    let position = segment.first().saturating_add(u64::from(ordinal));
                    let Some(wanted) = wanted.get(number).filter(|_| position <= last) else { continue };
                    block.clear();
                    match segment.key(block, position) {
                        Ok(key) if key == wanted.key => {
                            found.places.insert(key, (Arc::clone(segment), position));
                        }
                        Ok(_) => {}
                        Err(error) => {
                            found.unread.insert(wanted.key, error);
                        }
                    }
                }
            }
            Err(error) => found.failed = Some(error),
        }
    }
    found
}

/// Why a query is refused, whatever the log holds.
pub(crate) fn too_many_items(query: &Query) -> Option<ReadError> {
    let (found, max) = (query.items.len(), QUERY_ITEMS_MAX);
    (found > max).then_some(ReadError::TooManyItems { found, max })
}

/// Records in the order of a query, read as they are asked for. Memory: one window on a segment file, and for a
/// query with items the matching places of one segment.
///
/// It ends with an error, once, where the log is damaged.
#[derive(Debug)]
pub struct Records {
    core: Arc<Core>,
    query: Query,
    /// The next position to look at, going forward; the last one to look at, going backward.
    first: u64,
    last: u64,
    left: usize,
    run: Option<Run>,
    /// To be given out as the last item.
    failure: Option<ReadError>,
    done: bool,
}

/// What is left to read in one segment.
#[derive(Debug)]
struct Run {
    segment: Arc<Segment>,
    block: Block,
    places: Places,
    /// The next few of them and where they lie: asked for together, for neighbours lie in one page of the index.
    ready: VecDeque<(u32, u64)>,
}

/// Places that are asked for together.
const READY: usize = 64;

#[derive(Debug)]
enum Places {
    /// Every record from here on, up to and including the position.
    Forward { offset: u64, until: u64 },
    /// Every record of these, from the last to the first.
    Backward(Range<u32>),
    /// The ones an index proposed.
    Proposed(vec::IntoIter<u32>),
    /// The same, from the last to the first.
    ProposedBackward(vec::IntoIter<u32>),
}

impl Records {
    pub(crate) fn new(core: Arc<Core>, mut query: Query) -> Records {
        let head = core.head().position;
        let last = query.until.map_or(head, |until| until.min(head));
        // Damage beyond the head ends a reading that would have gone on there.
        let beyond = query.until.is_none_or(|until| until > head) && query.direction == Direction::Forward;
        let failure = core.damage.get().filter(|_| beyond).cloned();
        let refused = too_many_items(&query);
        if refused.is_some() {
            query.limit = None;
        }
        if query.items.iter().any(matches_all) {
            query.items.clear();
        }
        let first = query.after.saturating_add(1);
        let left = query.limit.unwrap_or(usize::MAX);
        let last = if refused.is_some() { 0 } else { last };
        let failure = refused.or(failure);
        Records { core, query, first, last, left, run: None, failure, done: false }
    }

    fn advance(&mut self) -> Result<Option<Record>, ReadError> {
        while self.left > 0 {
            if self.run.is_none() {
                if self.first > self.last {
                    return Ok(None);
                }
                self.run = self.next_run()?;
            }
            let Some(run) = &mut self.run else { return Ok(None) };
            match run.next(&self.query)? {
                Some(record) => {
                    self.left = self.left.saturating_sub(1);
                    return Ok(Some(record));
                }
                None => self.run = None,
            }
        }
        // A limit that is reached is the end that was asked for.
        self.failure = None;
        Ok(None)
    }

    fn next_run(&mut self) -> Result<Option<Run>, ReadError> {
        let segments = self.core.segments();
        let forward = self.query.direction == Direction::Forward;
        let at = if forward { self.first } else { self.last };
        let Some((segment, end)) = segment_of(&segments, at, self.last) else { return Ok(None) };
        let from = self.first.max(segment.first());
        let range = segment.ordinal(from)..segment.ordinal(end).saturating_add(1);
        if forward {
            self.first = end.saturating_add(1);
        } else {
            self.last = segment.first().saturating_sub(1);
        }
        let (block, places) = if self.query.items.is_empty() {
            if forward {
                (Block::forward(), Places::Forward { offset: segment.offset_of(from)?, until: end })
            } else {
                (Block::backward(), Places::Backward(range))
            }
        } else {
            let found = candidates(segment, &self.query.items, &range)?;
            // Where every fourth record or more is wanted, reading through is cheaper than jumping.
            let dense = wide(found.len()).saturating_mul(4) > wide(range.len());
            if forward {
                let block = if dense { Block::forward() } else { Block::scattered() };
                (block, Places::Proposed(found.into_iter()))
            } else {
                let block = if dense { Block::backward() } else { Block::scattered() };
                (block, Places::ProposedBackward(found.into_iter()))
            }
        };
        Ok(Some(Run { segment: Arc::clone(segment), block, places, ready: VecDeque::new() }))
    }
}

impl Run {
    fn next(&mut self, query: &Query) -> Result<Option<Record>, ReadError> {
        if let Places::Forward { offset, until } = &mut self.places {
            return next_in_order(&self.segment, &mut self.block, offset, *until);
        }
        while let Some((ordinal, offset)) = self.next_place()? {
            let record = self.segment.record_at(&mut self.block, offset)?;
            if record.position != self.segment.first().saturating_add(u64::from(ordinal)) {
                return Err(self.segment.damage(offset, "another record is where the index says"));
            }
            if query.matches(&record.kind, &record.tags) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn next_place(&mut self) -> Result<Option<(u32, u64)>, ReadError> {
        if self.ready.is_empty() {
            let ordinals = match &mut self.places {
                Places::Forward { .. } => Vec::new(),
                Places::Backward(range) => range.by_ref().rev().take(READY).collect::<Vec<_>>(),
                Places::Proposed(ordinals) => ordinals.by_ref().take(READY).collect(),
                Places::ProposedBackward(ordinals) => ordinals.by_ref().rev().take(READY).collect(),
            };
            let offsets = self.segment.with_index(|index| index.offsets(&ordinals))?;
            self.ready.extend(ordinals.into_iter().zip(offsets));
        }
        Ok(self.ready.pop_front())
    }
}

fn next_in_order(
    segment: &Segment,
    block: &mut Block,
    offset: &mut u64,
    until: u64,
) -> Result<Option<Record>, ReadError> {
    loop {
        if *offset == 0 {
            return Ok(None);
        }
        let frame = block.frame(segment, *offset)?;
        let (at, next) = (*offset, offset.saturating_add(frame.header.frame_bytes()));
        *offset = next;
        if frame.header.kind == FrameKind::Record {
            let record = segment.decode(&frame)?.to_record(|name| segment.names.resolve(name));
            let record = record.ok_or_else(|| segment.nameless(at))?;
            if record.position >= until {
                *offset = 0;
            }
            return Ok(Some(record));
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match self.advance() {
            Ok(Some(record)) => Some(Ok(record)),
            Ok(None) => {
                self.done = true;
                self.failure.take().map(Err)
            }
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }
}
