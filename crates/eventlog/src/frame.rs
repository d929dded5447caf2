//! Format 1 of what a segment holds: frames of records, names and commits, and the hashes over them.
//!
//! ```text
//! frame    length u32 | kind u8 | flags u8 = 0 | reserved u16 = 0 | segment id u64 | own offset u32
//!          | CRC32C of the 20 bytes before u32 | body (length bytes) | CRC32C of the body u32
//! record   leaf hash [32] | ordinal varint | recorded-at difference | occurred-at difference | key [16]
//!          | type, source, content type: name | tag count u8 | tags: length varint, bytes | stored bytes
//! name     varint 0, length varint, bytes: the name itself; varint n: name n - 1 of this segment
//! names    first number varint | count varint | length varint, bytes …
//! commit   running hash [32] | group start u32 | first position u64 | records u32 | recorded-at i64
//!          | fencing epoch u64 | batches u32 | per batch: records varint, origin length varint, origin
//! ```
//! Integers are little-endian; a difference is a zigzag varint, of recorded-at to the base time of the segment, of
//! occurred-at to recorded-at; the ordinal counts from the first position of the segment. Everything written at once
//! is a *group*: frames of the batches that waited, then one commit. Twenty-four zero bytes end the segment.
//!
//! Not here: the header of a segment file (`segment`), whether a group is whole (`scan`).

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    Key, NewRecord, Record,
    codec::{Input, put_at, put_difference, put_text, put_varint, small, wide},
};

pub(crate) const HEADER_BYTES: usize = 24;
pub(crate) const TRAILER_BYTES: usize = 4;
/// No body is longer: a group of small batches with large origins makes the longest, its commit record. A length
/// beyond this is damage and is never allocated.
pub(crate) const BODY_BYTES_MAX: u32 = 32 * 1024 * 1024;
/// Names a segment numbers; further ones are written out. A few dozen types and sources are usual.
pub(crate) const NAMES_MAX: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Record,
    Commit,
    Names,
}

impl FrameKind {
    fn code(self) -> u8 {
        match self {
            FrameKind::Record => 1,
            FrameKind::Commit => 2,
            FrameKind::Names => 3,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameHeader {
    pub(crate) kind: FrameKind,
    pub(crate) body_bytes: u32,
}

impl FrameHeader {
    /// Reads the header of the frame at `offset` of segment `segment`; the error says what does not fit.
    pub(crate) fn decode(bytes: &[u8], segment: u64, offset: u64) -> Result<FrameHeader, &'static str> {
        const SHORT: &str = "the header of a frame is cut short";
        let header = Aligned(*bytes.first_chunk().ok_or(SHORT)?);
        let (fields, checksum) = header.0.split_last_chunk::<4>().ok_or(SHORT)?;
        if u32::from_le_bytes(*checksum) != crc32c::crc32c(fields) {
            return Err("the checksum of a frame header does not fit");
        }
        let mut input = Input(fields);
        let body_bytes = input.u32().ok_or(SHORT)?;
        let kind = match input.u8().ok_or(SHORT)? {
            1 => FrameKind::Record,
            2 => FrameKind::Commit,
            3 => FrameKind::Names,
            _ => return Err("a frame has a kind this version does not know"),
        };
        if input.array() != Some([0_u8; 3]) {
            return Err("a frame has flags this version does not know");
        }
        if input.u64() != Some(segment) {
            return Err("a frame belongs to another segment");
        }
        if input.u32().map(u64::from) != Some(offset) {
            return Err("a frame was written for another place");
        }
        if body_bytes == 0 || body_bytes > BODY_BYTES_MAX {
            return Err("a frame has an impossible length");
        }
        Ok(FrameHeader { kind, body_bytes })
    }

    /// The whole frame in bytes.
    pub(crate) fn frame_bytes(self) -> u64 {
        u64::from(self.body_bytes).saturating_add(wide(HEADER_BYTES + TRAILER_BYTES))
    }
}

/// Splits what follows a header into the body and checks its checksum.
pub(crate) fn check_body(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let (body, checksum) = bytes.split_last_chunk::<TRAILER_BYTES>().ok_or("a frame is cut short")?;
    if u32::from_le_bytes(*checksum) == crc32c::crc32c(body) {
        Ok(body)
    } else {
        Err("the checksum of a frame does not fit")
    }
}

/// Appends one frame to `out`, whose first byte will lie at `base` of the segment; `body` writes the body.
pub(crate) fn put_frame(
    out: &mut Vec<u8>,
    kind: FrameKind,
    segment: u64,
    base: u32,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let body_start = out.len();
    body(out);
    let body_bytes = small(out.len().saturating_sub(body_start));
    let checksum = crc32c::crc32c(out.get(body_start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_le_bytes());
    put_at(out, start, &frame_header(kind, segment, base.saturating_add(small(start)), body_bytes));
}

/// The header of a frame at `place` of its segment.
pub(crate) fn frame_header(kind: FrameKind, segment: u64, place: u32, body_bytes: u32) -> [u8; HEADER_BYTES] {
    let mut header = Aligned([0_u8; HEADER_BYTES]);
    let out = &mut header.0;
    put_at(out, 0, &body_bytes.to_le_bytes());
    put_at(out, 4, &[kind.code()]);
    put_at(out, 8, &segment.to_le_bytes());
    put_at(out, 16, &place.to_le_bytes());
    let fields = out.first_chunk::<{ HEADER_BYTES - 4 }>().map_or(0, |fields| crc32c::crc32c(fields));
    put_at(out, 20, &fields.to_le_bytes());
    header.0
}

/// A checksum takes bytes one by one until it is at a multiple of eight in memory: of a header, that would be most of
/// the work.
#[repr(align(8))]
struct Aligned([u8; HEADER_BYTES]);

/// The leaf hash of RFC 6962 over every field and the stored bytes of a record as it lies in a segment; `names` are its
/// type, source and content type. It does not depend on where or in which batch the record lies, so that every copy of
/// the log has the same tree.
pub(crate) fn leaf_hash_of(raw: &RawRecord<'_>, names: [&str; 3], scratch: &mut Vec<u8>) -> [u8; 32] {
    scratch.clear();
    scratch.push(0);
    let times = (raw.position, raw.recorded_at, raw.occurred_at);
    put_leaf_parts(scratch, times, &raw.key, names, (usize::from(raw.tags.0), raw.tags()));
    hash_leaf(scratch, raw.bytes)
}

/// The leaf hash; `fields` begin with 0x00 and have everything before the stored bytes.
pub(crate) fn hash_leaf(fields: &[u8], bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(fields).chain_update(bytes).finalize().into()
}

/// What the leaf hash is over between the 0x00 and the stored bytes; `place` is position and recorded-at.
pub(crate) fn put_leaf_fields(out: &mut Vec<u8>, place: (u64, i64), record: &NewRecord) {
    let times = (place.0, place.1, record.occurred_at);
    let names = [&*record.kind, &*record.source, &*record.content_type];
    let tags = record.tags.iter().map(|tag| &**tag);
    put_leaf_parts(out, times, &record.key, names, (record.tags.len(), tags));
}

fn put_leaf_parts<'a>(
    out: &mut Vec<u8>,
    (position, recorded_at, occurred_at): (u64, i64, i64),
    key: &Key,
    names: [&str; 3],
    (count, tags): (usize, impl Iterator<Item = &'a str>),
) {
    out.extend_from_slice(&position.to_le_bytes());
    out.extend_from_slice(&recorded_at.to_le_bytes());
    out.extend_from_slice(&occurred_at.to_le_bytes());
    out.extend_from_slice(&key.0);
    for name in names {
        put_leaf_text(out, name);
    }
    out.extend_from_slice(&small(count).to_le_bytes());
    for tag in tags {
        put_leaf_text(out, tag);
    }
}

fn put_leaf_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&small(text.len()).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// A type, source or content type inside a record: written out, or a number of the segment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name<'a> {
    Inline(&'a str),
    Number(u32),
}

impl<'a> Name<'a> {
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        match self {
            Name::Inline(text) => {
                out.push(0);
                put_text(out, text);
            }
            Name::Number(number) => put_varint(out, u64::from(number).saturating_add(1)),
        }
    }

    fn take(input: &mut Input<'a>) -> Option<Name<'a>> {
        match input.varint()?.checked_sub(1) {
            None => Some(Name::Inline(input.text()?)),
            Some(number) => Some(Name::Number(u32::try_from(number).ok()?)),
        }
    }
}

/// Where a segment starts counting: positions from `first`, times from `base_time`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base {
    pub(crate) first: u64,
    pub(crate) time: i64,
}

/// Writes what a record has between its leaf hash and its content. `place` is position and recorded-at, `names` are
/// type, source and content type; `tags` are in the form of a record already.
pub(crate) fn put_record_fields(
    out: &mut Vec<u8>,
    base: Base,
    (position, recorded_at): (u64, i64),
    (key, occurred_at): (&Key, i64),
    names: [Name<'_>; 3],
    tags: &[u8],
) {
    put_varint(out, position.saturating_sub(base.first));
    put_difference(out, recorded_at, base.time);
    put_difference(out, occurred_at, recorded_at);
    out.extend_from_slice(&key.0);
    for name in names {
        name.put(out);
    }
    out.extend_from_slice(tags);
}

/// The body of a record, taken apart but not copied; names still as numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawRecord<'a> {
    pub(crate) leaf: [u8; 32],
    pub(crate) position: u64,
    pub(crate) recorded_at: i64,
    pub(crate) occurred_at: i64,
    pub(crate) key: Key,
    pub(crate) kind: Name<'a>,
    pub(crate) source: Name<'a>,
    pub(crate) content_type: Name<'a>,
    /// Count and bytes of the tags.
    tags: (u8, Input<'a>),
    pub(crate) bytes: &'a [u8],
}

impl<'a> RawRecord<'a> {
    pub(crate) fn decode(body: &'a [u8], base: Base) -> Option<RawRecord<'a>> {
        let mut input = Input(body);
        let leaf = input.array()?;
        let position = base.first.checked_add(input.varint()?)?;
        let recorded_at = input.difference(base.time)?;
        let occurred_at = input.difference(recorded_at)?;
        let key = Key(input.array()?);
        let kind = Name::take(&mut input)?;
        let source = Name::take(&mut input)?;
        let content_type = Name::take(&mut input)?;
        let count = input.u8()?;
        let tags = (count, input);
        for _ in 0..count {
            input.text()?;
        }
        Some(RawRecord {
            leaf,
            position,
            recorded_at,
            occurred_at,
            key,
            kind,
            source,
            content_type,
            tags,
            bytes: input.0,
        })
    }

    pub(crate) fn tags(&self) -> Tags<'a> {
        Tags { left: self.tags.0, input: self.tags.1 }
    }

    /// The record with its own memory; `name` gives the text of a name, and `None` is a number nobody wrote.
    pub(crate) fn to_record<'n>(self, name: impl Fn(Name<'n>) -> Option<&'n str>) -> Option<Record>
    where
        'a: 'n,
    {
        Some(Record {
            position: self.position,
            recorded_at: self.recorded_at,
            key: self.key,
            kind: name(self.kind)?.into(),
            tags: self.tags().map(Into::into).collect(),
            occurred_at: self.occurred_at,
            source: name(self.source)?.into(),
            content_type: name(self.content_type)?.into(),
            bytes: Bytes::copy_from_slice(self.bytes),
            leaf: self.leaf,
        })
    }
}

/// The tags of a record, one after the other.
#[derive(Debug)]
pub(crate) struct Tags<'a> {
    input: Input<'a>,
    left: u8,
}

impl<'a> Iterator for Tags<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        self.input.text()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

/// Takes the body of a names frame apart: the number of the first, and the names.
pub(crate) fn decode_names(body: &[u8]) -> Option<(u64, Vec<Box<str>>)> {
    let mut input = Input(body);
    let first = input.varint()?;
    let count = input.varint()?;
    if count > wide(NAMES_MAX) {
        return None;
    }
    let names = (0..count).map(|_| input.text().map(Box::from)).collect::<Option<Vec<_>>>()?;
    input.0.is_empty().then_some((first, names))
}

/// The record that ends a group.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// Where the first frame of the group lies in the segment.
    pub(crate) group_start: u32,
    pub(crate) first: u64,
    pub(crate) records: u32,
    pub(crate) recorded_at: i64,
    pub(crate) epoch: u64,
    /// Records and origin of each batch.
    pub(crate) batches: Vec<(u32, Bytes)>,
}

impl Commit {
    /// The fields after the running hash.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(&self.group_start.to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.records.to_le_bytes());
        out.extend_from_slice(&self.recorded_at.to_le_bytes());
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&small(self.batches.len()).to_le_bytes());
        for (records, origin) in &self.batches {
            put_varint(&mut out, u64::from(*records));
            put_varint(&mut out, wide(origin.len()));
            out.extend_from_slice(origin);
        }
        out
    }

    /// Takes a commit body apart: the running hash, the fields, and the fields as bytes (the hash is over those).
    pub(crate) fn decode(body: &[u8]) -> Option<([u8; 32], Commit, &[u8])> {
        let mut input = Input(body);
        let running = input.array()?;
        let fields = input.0;
        let mut commit = Commit {
            group_start: input.u32()?,
            first: input.u64()?,
            records: input.u32()?,
            recorded_at: input.i64()?,
            epoch: input.u64()?,
            batches: Vec::new(),
        };
        for _ in 0..input.u32()? {
            let records = u32::try_from(input.varint()?).ok()?;
            let length = usize::try_from(input.varint()?).ok()?;
            commit.batches.push((records, Bytes::copy_from_slice(input.bytes(length)?)));
        }
        let sum = commit.batches.iter().map(|(records, _)| u64::from(*records)).sum::<u64>();
        (input.0.is_empty() && sum == u64::from(commit.records)).then_some((running, commit, fields))
    }
}

/// First position, records and recorded-at of a commit body.
pub(crate) fn commit_counts(body: &[u8]) -> Option<(u64, u32, i64)> {
    let mut input = Input(body);
    let (_hash, _start) = (input.array::<32>()?, input.u32()?);
    Some((input.u64()?, input.u32()?, input.i64()?))
}

/// The running hash after a group: over the one before, the fields of the commit and every leaf. It chains the whole
/// log, so that nothing in the middle can be moved, copied or left out.
pub(crate) fn running_hash<'a>(
    before: &[u8; 32],
    fields: &[u8],
    leaves: impl Iterator<Item = &'a [u8; 32]>,
) -> [u8; 32] {
    let mut hash = RunningHash::new(before, fields);
    hash.add(leaves);
    hash.finish()
}

/// The running hash after a group, leaf by leaf.
#[derive(Debug)]
pub(crate) struct RunningHash(Sha256);

impl RunningHash {
    pub(crate) fn new(before: &[u8; 32], fields: &[u8]) -> RunningHash {
        RunningHash(Sha256::new().chain_update([2_u8]).chain_update(before).chain_update(fields))
    }

    pub(crate) fn add<'a>(&mut self, leaves: impl Iterator<Item = &'a [u8; 32]>) {
        for leaf in leaves {
            self.0.update(leaf);
        }
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The running hash of a log without records.
pub(crate) fn first_hash(log: &[u8; 16]) -> [u8; 32] {
    Sha256::new().chain_update([3_u8]).chain_update(log).finalize().into()
}
