//! What is written: batches that follow from a number alone, so that whoever finds a record knows what it must be.
//!
//! Each producer has an endless row of batches and goes on with the next only when one is acknowledged. After a kill it
//! sends the one again that was not.

use bytes::Bytes;
use eventlog::{
    AppendCondition, Batch, Direction, Key, LogReader, NewRecord, Options, Query, QueryItem, ReadError,
    Signer,
};

/// Small enough for a rotation every few dozen batches.
pub(crate) const SEGMENT_BYTES: u64 = 48 * 1024;
/// Fewer than producers, so that conditions fail too.
const LANES: u64 = 3;

pub(crate) fn options() -> Options {
    Options { segment_bytes: SEGMENT_BYTES, signer: Some(Signer::from_seed(&[3; 32])), ..Options::default() }
}

/// Bytes as digits.
pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// A batch: whose, and which of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) producer: u16,
    pub(crate) number: u64,
}

/// What the key of a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: Name,
    pub(crate) index: u16,
    /// Records in the batch.
    pub(crate) count: u16,
}

impl Place {
    fn key(self) -> Key {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&self.name.producer.to_le_bytes());
        bytes[2..10].copy_from_slice(&self.name.number.to_le_bytes());
        bytes[10..12].copy_from_slice(&self.index.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.count.to_le_bytes());
        Key(bytes)
    }

    pub(crate) fn of(key: Key) -> Place {
        let Key(bytes) = key;
        let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let number = u64::from_le_bytes(*bytes[2..].first_chunk().unwrap());
        let name = Name { producer: short(0), number };
        Place { name, index: short(10), count: short(12) }
    }
}

impl Name {
    fn random(self) -> fastrand::Rng {
        fastrand::Rng::with_seed((u64::from(self.producer) << 48) ^ self.number)
    }

    /// Batches of one record, of a few and of many; content of no byte, of some, and of more than a page.
    pub(crate) fn records(self) -> Vec<NewRecord> {
        let mut random = self.random();
        let count = match random.u8(..10) {
            0..=5 => 1,
            6..=8 => random.u16(2..8),
            _ => random.u16(20..50),
        };
        (0..count).map(|index| self.record(Place { name: self, index, count }, &mut random)).collect()
    }

    fn record(self, place: Place, random: &mut fastrand::Rng) -> NewRecord {
        let length = match random.u8(..20) {
            0 => 0,
            1..=17 => random.usize(1..400),
            18 => random.usize(400..4_000),
            _ if place.count == 1 => random.usize(4_000..60_000),
            _ => 1,
        };
        let mut bytes = vec![0; length];
        random.fill(&mut bytes);
        NewRecord {
            key: place.key(),
            kind: if self.is_conditional() { "decided".into() } else { "told".into() },
            tags: vec![self.lane(), format!("producer:{}", self.producer).into()],
            occurred_at: self.number.cast_signed(),
            source: format!("urn:test:{}", self.producer).into(),
            content_type: "application/octet-stream".into(),
            bytes: bytes.into(),
        }
    }

    pub(crate) fn is_conditional(self) -> bool {
        self.number % 3 == 1
    }

    fn lane(self) -> Box<str> {
        format!("lane:{}", (u64::from(self.producer) + self.number) % LANES).into()
    }

    /// What the batch is appended as. A conditional one is decided on what the log says of its lane now, and its
    /// origin says on what.
    pub(crate) fn batch(self, reader: &LogReader) -> Result<Batch, ReadError> {
        let records = self.records();
        if !self.is_conditional() {
            return Ok(Batch { records, ..Batch::default() });
        }
        let item = QueryItem { types: Vec::new(), tags: vec![self.lane()] };
        let query = Query {
            items: vec![item.clone()],
            direction: Direction::Backward,
            limit: Some(1),
            ..Query::default()
        };
        let after = reader.read(query).next().transpose()?.map_or(0, |record| record.position);
        let condition = Some(AppendCondition { fail_if: vec![item], after });
        Ok(Batch { records, condition, origin: Bytes::from(after.to_le_bytes().to_vec()) })
    }
}

/// Checks records that a log gives, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    /// The last batch that was looked at, for the next record is usually of the same.
    batch: Option<(Name, Vec<NewRecord>)>,
}

impl Checker {
    /// Where a record is from, if it is exactly what was appended there.
    pub(crate) fn check(&mut self, record: &eventlog::Record) -> Result<Place, String> {
        let place = Place::of(record.key);
        if self.batch.as_ref().is_none_or(|(name, _)| *name != place.name) {
            self.batch = Some((place.name, place.name.records()));
        }
        let expected = self.batch.as_ref().map(|(_, records)| &records[..]).unwrap_or_default();
        let found = NewRecord {
            key: record.key,
            kind: record.kind.clone(),
            tags: record.tags.clone(),
            occurred_at: record.occurred_at,
            source: record.source.clone(),
            content_type: record.content_type.clone(),
            bytes: record.bytes.clone(),
        };
        if expected.len() == usize::from(place.count)
            && expected.get(usize::from(place.index)) == Some(&found)
        {
            Ok(place)
        } else {
            Err(format!("at position {} is something that was never appended: {found:?}", record.position))
        }
    }
}
