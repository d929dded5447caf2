//! A batch as the writer takes it: in one piece of memory, in the words of the format, made by who appends.
//!
//! Whoever appends has read every part of its records just now; the one thread that writes for all of them should not
//! have to look for eight pieces of memory per record, nor give them back. Not here: what needs to know the position of
//! a record (`group`).

use bytes::Bytes;

use crate::{
    AppendCondition, Appended, Batch, Key, NewRecord, QueryItem,
    codec::{Input, narrow, put_text, small},
    frame::put_leaf_fields,
    index::{tag_hash, type_hash},
};

/// Bytes in front of what the leaf hash is over that are not known yet: position, recorded-at.
const UNKNOWN: u32 = 8 + 8;
/// Bytes behind them and before the names: occurred-at, key.
const FIXED: usize = 8 + 16;

/// A batch, encoded as far as it can be without a position.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// Of each record: its tags as a record has them, its leaf hash's input up to the content, its content.
    bytes: Vec<u8>,
    pub(crate) records: Vec<Slot>,
    /// Of each record: the term of its type, those of its tags.
    terms: Vec<u64>,
    pub(crate) condition: Option<AppendCondition>,
    pub(crate) origin: Bytes,
    /// The answer, to be filled in: the memory of who asks.
    pub(crate) answer: Appended,
}

/// Where one record of a [`Prepared`] is.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) key: Key,
    pub(crate) occurred_at: i64,
    tags: u32,
    leaf: u32,
    content: u32,
    end: u32,
    terms: (u32, u32),
}

impl Prepared {
    /// Encodes a batch that keeps every limit.
    pub(crate) fn new(batch: Batch, weight: usize) -> Prepared {
        let Batch { records, condition, origin } = batch;
        let count = records.len();
        let mut prepared = Prepared {
            bytes: Vec::with_capacity(weight),
            records: Vec::with_capacity(count),
            terms: Vec::with_capacity(count.saturating_mul(4)),
            condition,
            origin,
            answer: Appended {
                positions: Vec::with_capacity(count),
                recorded_at: Vec::with_capacity(count),
                duplicates: Vec::with_capacity(count),
            },
        };
        for record in records {
            prepared.add(&record);
        }
        prepared
    }

    fn add(&mut self, record: &NewRecord) {
        let tags = small(self.bytes.len());
        self.bytes.push(u8::try_from(record.tags.len()).unwrap_or(u8::MAX));
        for tag in &record.tags {
            put_text(&mut self.bytes, tag);
        }
        let leaf = small(self.bytes.len());
        put_leaf_fields(&mut self.bytes, (0, 0), record);
        let content = small(self.bytes.len());
        self.bytes.extend_from_slice(&record.bytes);
        let first = small(self.terms.len());
        self.terms.push(type_hash(&record.kind));
        self.terms.extend(record.tags.iter().map(|tag| tag_hash(tag)));
        self.records.push(Slot {
            key: record.key,
            occurred_at: record.occurred_at,
            tags,
            leaf,
            content,
            end: small(self.bytes.len()),
            terms: (first, small(self.terms.len())),
        });
    }

    fn part(&self, from: u32, to: u32) -> &[u8] {
        self.bytes.get(narrow(u64::from(from))..narrow(u64::from(to))).unwrap_or_default()
    }

    /// How much memory it has.
    pub(crate) fn size(&self) -> usize {
        self.bytes.capacity()
    }

    /// The tags, as a record has them: count, texts.
    pub(crate) fn tags(&self, slot: &Slot) -> &[u8] {
        self.part(slot.tags, slot.leaf)
    }

    /// What the leaf hash is over between recorded-at and the content.
    pub(crate) fn leaf_fields(&self, slot: &Slot) -> &[u8] {
        self.part(slot.leaf.saturating_add(UNKNOWN), slot.content)
    }

    pub(crate) fn content(&self, slot: &Slot) -> &[u8] {
        self.part(slot.content, slot.end)
    }

    pub(crate) fn terms(&self, slot: &Slot) -> &[u64] {
        let (from, to) = slot.terms;
        self.terms.get(narrow(u64::from(from))..narrow(u64::from(to))).unwrap_or_default()
    }

    /// Type, source and content type. They are texts: they were made of such.
    pub(crate) fn names(&self, slot: &Slot) -> [&str; 3] {
        let mut input = Input(self.leaf_fields(slot).get(FIXED..).unwrap_or_default());
        [(); 3].map(|()| {
            let length = input.u32().map_or(0, |length| narrow(u64::from(length)));
            input.bytes(length).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
        })
    }

    /// Whether an item means this record.
    pub(crate) fn matches(&self, slot: &Slot, item: &QueryItem) -> bool {
        let [kind, ..] = self.names(slot);
        let has = |wanted: &str| {
            let mut input = Input(self.tags(slot));
            let count = input.u8().unwrap_or(0);
            (0..count).any(|_| input.text() == Some(wanted))
        };
        (item.types.is_empty() || item.types.iter().any(|wanted| **wanted == *kind))
            && item.tags.iter().all(|wanted| has(wanted))
    }
}
