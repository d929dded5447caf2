//! What goes in and what comes out: records, batches, conditions, queries, and their limits.
//!
//! Not here: how a record looks on disk (`frame`), how a query finds its records (`query`).

use std::fmt;

use bytes::Bytes;

use crate::AppendError;

/// Records in one batch. One batch is one step of the log: 4,096 keep a commit within a few milliseconds.
pub const BATCH_RECORDS_MAX: usize = 4_096;
/// Bytes of one batch (stored bytes, names, tags and origin). A batch is held in memory until it is written.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes a caller may attach to a batch to say where it came from.
pub const ORIGIN_BYTES_MAX: usize = 1_024;
/// Stored bytes of one record: the limit of a message on the bus, so that whatever was received can be kept.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// Tags of one record. Each tag is an index entry; a fact about a few things has a few tags.
pub const TAGS_MAX: usize = 64;
/// Bytes of one tag, a type, a source or a content type: names, not prose.
pub const NAME_BYTES_MAX: usize = 256;
/// Items of one query or condition: each item is looked up by itself.
pub const QUERY_ITEMS_MAX: usize = 64;

/// The identity of a record, given by the caller: one key, one record, for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 16]);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// A record to be appended. Times are microseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Its identity: a second record with this key is a duplicate (same bytes) or a conflict (other bytes).
    pub key: Key,
    /// The type, as queries and conditions name it. At most [`NAME_BYTES_MAX`] bytes.
    pub kind: Box<str>,
    /// What it is about, such as `bed:zk23-de-linde/12`. At most [`TAGS_MAX`] of at most [`NAME_BYTES_MAX`] bytes.
    pub tags: Vec<Box<str>>,
    /// When it happened, by the sender's word.
    pub occurred_at: i64,
    /// Who says so. At most [`NAME_BYTES_MAX`] bytes.
    pub source: Box<str>,
    /// The media type of `bytes`. At most [`NAME_BYTES_MAX`] bytes.
    pub content_type: Box<str>,
    /// The content, kept as it is. At most [`RECORD_BYTES_MAX`] bytes.
    pub bytes: Bytes,
}

/// A record as the log holds it: what was appended, and where and when the log put it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place: 1, 2, 3 … without gaps.
    pub position: u64,
    /// When it was recorded, microseconds since 1970-01-01 UTC; never less than the record before.
    pub recorded_at: i64,
    /// Its identity.
    pub key: Key,
    /// The type.
    pub kind: Box<str>,
    /// What it is about.
    pub tags: Vec<Box<str>>,
    /// When it happened, by the sender's word, microseconds since 1970-01-01 UTC.
    pub occurred_at: i64,
    /// Who says so.
    pub source: Box<str>,
    /// The media type of `bytes`.
    pub content_type: Box<str>,
    /// The content, as it was appended.
    pub bytes: Bytes,
    /// The RFC 6962 leaf hash: SHA-256 over 0x00, every field above, and the content.
    pub leaf: [u8; 32],
}

/// One clause of a query: any of these types and all of these tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryItem {
    /// Any of these; empty is every type.
    pub types: Vec<Box<str>>,
    /// All of these; empty is every record.
    pub tags: Vec<Box<str>>,
}

impl QueryItem {
    /// Whether a record of this type with these tags is meant.
    #[must_use]
    pub fn matches(&self, kind: &str, tags: &[Box<str>]) -> bool {
        (self.types.is_empty() || self.types.iter().any(|wanted| **wanted == *kind))
            && self.tags.iter().all(|wanted| tags.contains(wanted))
    }
}

/// The order of reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    #[default]
    Forward,
    /// Newest first.
    Backward,
}

/// What to read. The default is everything, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Any of these; empty is everything. At most [`QUERY_ITEMS_MAX`].
    pub items: Vec<QueryItem>,
    /// Only positions above this one.
    pub after: u64,
    /// Only positions up to and including this one; `None` is the head at the start of reading.
    pub until: Option<u64>,
    /// Oldest or newest first.
    pub direction: Direction,
    /// At most so many records.
    pub limit: Option<usize>,
}

impl Query {
    /// Whether a record of this type with these tags is meant (positions are not looked at).
    #[must_use]
    pub fn matches(&self, kind: &str, tags: &[Box<str>]) -> bool {
        self.items.is_empty() || self.items.iter().any(|item| item.matches(kind, tags))
    }
}

/// What must not be in the log for a batch to be appended: the "dynamic consistency boundary".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendCondition {
    /// Fail if a record matches any of these. At most [`QUERY_ITEMS_MAX`].
    pub fail_if: Vec<QueryItem>,
    /// Only records above this position count: the last one the decision was based on.
    pub after: u64,
}

/// Records that are appended together: all of them or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The records in their order, 1 to [`BATCH_RECORDS_MAX`].
    pub records: Vec<NewRecord>,
    /// What must hold.
    pub condition: Option<AppendCondition>,
    /// Where it came from, in the words of the caller; kept in the commit record. At most [`ORIGIN_BYTES_MAX`].
    pub origin: Bytes,
}

impl From<NewRecord> for Batch {
    fn from(record: NewRecord) -> Self {
        Batch { records: vec![record], condition: None, origin: Bytes::new() }
    }
}

/// What became of a batch: one entry per record, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appended {
    /// Where each record is; for a known one, where it was first recorded.
    pub positions: Vec<u64>,
    /// When each was recorded, microseconds since 1970-01-01 UTC; for a known one, when it was first recorded.
    pub recorded_at: Vec<i64>,
    /// Whether each was known before.
    pub duplicates: Vec<bool>,
}

/// How far the log is on stable storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The last position, 0 in an empty log.
    pub position: u64,
    /// When it was recorded, microseconds since 1970-01-01 UTC; 0 in an empty log.
    pub recorded_at: i64,
}

impl Batch {
    /// Bytes this batch occupies while it waits, and whether it keeps every limit.
    pub(crate) fn weigh(&self) -> Result<usize, AppendError> {
        if self.records.is_empty() {
            return Err(AppendError::Empty);
        }
        within("records in the batch", None, self.records.len(), BATCH_RECORDS_MAX)?;
        within("bytes of origin", None, self.origin.len(), ORIGIN_BYTES_MAX)?;
        let mut total = self.origin.len();
        for (index, record) in self.records.iter().enumerate() {
            total = total.saturating_add(record.weigh(index)?);
        }
        if let Some(condition) = &self.condition {
            within("items of the condition", None, condition.fail_if.len(), QUERY_ITEMS_MAX)?;
        }
        within("bytes of the batch", None, total, BATCH_BYTES_MAX)?;
        Ok(total)
    }
}

/// What a record takes beside its strings: header, key, times, leaf hash, checksums.
const RECORD_OVERHEAD: usize = 128;

impl NewRecord {
    fn weigh(&self, index: usize) -> Result<usize, AppendError> {
        let at = Some(index);
        within("bytes of the record", at, self.bytes.len(), RECORD_BYTES_MAX)?;
        within("tags of the record", at, self.tags.len(), TAGS_MAX)?;
        let names = [&self.kind, &self.source, &self.content_type];
        let mut total = RECORD_OVERHEAD.saturating_add(self.bytes.len());
        for name in names.into_iter().chain(&self.tags) {
            within(
                "bytes of a tag, type, source or content type of the record",
                at,
                name.len(),
                NAME_BYTES_MAX,
            )?;
            total = total.saturating_add(name.len());
        }
        Ok(total)
    }
}

fn within(what: &'static str, index: Option<usize>, found: usize, max: usize) -> Result<(), AppendError> {
    if found > max { Err(AppendError::TooLarge { what, index, found, max }) } else { Ok(()) }
}
