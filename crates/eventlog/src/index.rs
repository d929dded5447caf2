//! The index of a segment, and its immutable file beside a sealed segment.
//!
//! ```text
//! header    what it belongs to | records u32 | key bits u8 | least and greatest key [16] [16] | of each section: place
//!           u64, bytes u64
//! names     count varint | length varint, bytes …
//! offsets   of 256 records: place of the first u32 | least distance u32 | width u8 | of each further record: distance to
//!           the one before it, less the least, in so many bytes
//! keys      by the first bits of the hash, ascending: difference varint | ordinal [3]
//! terms     by the first bits of the hash, ascending: difference varint | bytes × 4 + form × 2 + aside, varint
//!           | postings, or where they are aside: place varint
//! aside     postings too long to be read past
//! blocks    where every so manieth entry of keys, terms and offsets lies, and its hash; in memory, as the filters
//! filters   of keys, of terms
//! ```
//! Everything here is derived: a missing, foreign or damaged index file costs a scan of its segment and changes no
//! answer. Hashes only propose records; whoever asks checks the record itself. Not here: writing the file (`seal`), the
//! index of the segment being written (`memory`), how answers are put together (`query`).

use std::{ops::Range, sync::Arc};

use crate::{
    Key,
    codec::{Input, hash64, narrow, wide},
    memory::MemoryIndex,
    paged::{Filter, Pages, Unusable},
    postings::{self, Form},
    segment::{Sealed, Segment},
};

/// The term of a type.
pub(crate) fn type_hash(kind: &str) -> u64 {
    hash64(1, kind.as_bytes())
}

/// The term of a tag.
pub(crate) fn tag_hash(tag: &str) -> u64 {
    hash64(2, tag.as_bytes())
}

pub(crate) fn key_hash(key: &Key) -> u64 {
    hash64(3, &key.0)
}

/// A key that is looked for, with its hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) key: Key,
    pub(crate) hash: u64,
}

impl Wanted {
    pub(crate) fn new(key: Key) -> Wanted {
        Wanted { key, hash: key_hash(&key) }
    }
}

/// Where keys and terms of one segment are found.
#[derive(Debug, Clone)]
pub(crate) enum SegmentIndex {
    Memory(Arc<MemoryIndex>),
    File(Arc<FileIndex>),
}

impl SegmentIndex {
    /// The places of records in the segment file, by ordinal. Cheap for ordinals that are near each other.
    pub(crate) fn offsets(&self, ordinals: &[u32]) -> Result<Vec<u64>, Unusable> {
        let missing = |ordinal| format!("record {ordinal} of the segment is not in the index");
        match self {
            SegmentIndex::Memory(index) => {
                let offset = |ordinal: &u32| index.offset(*ordinal).map(u64::from);
                ordinals.iter().map(|ordinal| offset(ordinal).ok_or_else(|| missing(*ordinal))).collect()
            }
            SegmentIndex::File(index) => index.offsets(ordinals),
        }
    }

    /// The ordinals that may have one of these keys: the number of the key, and the ordinal.
    pub(crate) fn find(&self, wanted: &[Wanted]) -> Result<Vec<(usize, u32)>, Unusable> {
        match self {
            SegmentIndex::Memory(index) => Ok(index.find(wanted)),
            SegmentIndex::File(index) => index.find(wanted),
        }
    }

    /// Whether these keys are found, each at its ordinal; and no others, in a file.
    pub(crate) fn holds(&self, keys: &[(Key, u32)]) -> Result<bool, Unusable> {
        match self {
            SegmentIndex::Memory(index) => Ok(index.holds(keys)),
            SegmentIndex::File(index) => index.holds(keys),
        }
    }

    /// The ordinals of `range` that may have this term, in ascending order.
    pub(crate) fn postings(&self, term: u64, range: &Range<u32>) -> Result<Vec<u32>, Unusable> {
        match self {
            SegmentIndex::Memory(index) => Ok(index.postings(term, range)),
            SegmentIndex::File(index) => index.postings(term, range),
        }
    }
}

const MAGIC: &[u8; 8] = b"DSTRMIDX";
/// Files of earlier formats are made again as this one.
const FORMAT: u32 = 3;
/// Content kept for the header, so that sections can be written before it is known.
pub(crate) const HEADER_ROOM: usize = 512;
/// Entries of a block: a look-up reads one or two pages.
pub(crate) const KEYS_PER_BLOCK: usize = 256;
pub(crate) const TERMS_PER_BLOCK: usize = 64;
pub(crate) const OFFSETS_PER_BLOCK: usize = 256;
/// Bytes of an ordinal: more than a segment has room for.
pub(crate) const ORDINAL_BYTES: usize = 3;
/// Postings that are longer lie aside.
pub(crate) const INLINE_MAX: usize = 256;
/// Bits of a term's hash that are kept: two terms of a segment share them once in a hundred thousand segments.
const TERM_BITS: u32 = 35;

/// The bits of a key's hash that are kept: gaps between them take two bytes, and of the keys that pass the filter by
/// mistake one in thousands is proposed. A proposal costs a look at the record, which may be in an archive that is away.
pub(crate) fn key_bits(records: u32) -> u8 {
    u8::try_from(u32::BITS.saturating_sub(records.leading_zeros()).saturating_add(11).min(u32::BITS))
        .unwrap_or(32)
}

pub(crate) fn key_part(hash: u64, bits: u8) -> u64 {
    hash.checked_shr(u64::BITS.saturating_sub(u32::from(bits))).unwrap_or(0)
}

pub(crate) fn term_part(hash: u64) -> u64 {
    hash >> (u64::BITS - TERM_BITS)
}

/// Where a part lies in the content.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Section {
    pub(crate) at: u64,
    pub(crate) length: u64,
}

const SECTIONS: usize = 8;
const SHORT: &str = "its header is short";
const NO_FORM: &str = "it does not parse";

/// Where the blocks of a sorted section begin: the hash of the first entry, its place.
type Blocks = Vec<(u64, u32)>;

/// An index file. In memory: filters and the places of blocks; the rest is read when asked for.
#[derive(Debug)]
pub(crate) struct FileIndex {
    pages: Pages,
    records: u32,
    key_bits: u8,
    least: Key,
    greatest: Key,
    offsets: Section,
    keys: Section,
    terms: Section,
    aside: Section,
    key_blocks: Blocks,
    term_blocks: Blocks,
    offset_blocks: Vec<u32>,
    key_filter: Filter,
    term_filter: Filter,
}

impl FileIndex {
    /// Opens the index file of a sealed segment and hands its names to the segment. The error says why it can not
    /// be used: missing, damaged, or of another segment.
    pub(crate) fn open(segment: &Segment, sealed: &Sealed) -> Result<FileIndex, Unusable> {
        let file = segment.storage.open(&segment.index_path(), false).map_err(|error| error.to_string())?;
        let pages = Pages::open(file)?;
        let header = pages.read(0, HEADER_ROOM)?;
        let mut input = Input(&header);
        let identity = identity(segment, sealed);
        if input.bytes(identity.len()) != Some(&identity) {
            return Err("it is the index of something else, or of another format".into());
        }
        let (records, key_bits) = (input.u32().ok_or(SHORT)?, input.u8().ok_or(SHORT)?);
        let (least, greatest) = (input.array().ok_or(SHORT)?, input.array().ok_or(SHORT)?);
        let mut sections = [Section::default(); SECTIONS];
        for section in &mut sections {
            let (at, length) = (input.u64(), input.u64());
            *section = Section { at: at.ok_or(SHORT)?, length: length.ok_or(SHORT)? };
        }
        let [names, offsets, keys, terms, aside, blocks, key_filter, term_filter] = sections;
        let load = |section: Section| pages.read(section.at, narrow(section.length));
        let names = load(names)?;
        let mut names = Input(&names);
        for number in 0..names.varint().ok_or(NO_FORM)? {
            segment.names.set(narrow(number), names.text().ok_or(NO_FORM)?);
        }
        let blocks = load(blocks)?;
        let mut blocks = Input(&blocks);
        let key_blocks = read_blocks(&mut blocks)?;
        let term_blocks = read_blocks(&mut blocks)?;
        let offset_blocks = (0..blocks.u32().unwrap_or(0)).map_while(|_| blocks.u32()).collect();
        let key_filter = Filter::from_bytes(load(key_filter)?);
        let term_filter = Filter::from_bytes(load(term_filter)?);
        let (least, greatest) = (Key(least), Key(greatest));
        Ok(FileIndex {
            pages,
            records,
            key_bits,
            least,
            greatest,
            offsets,
            keys,
            terms,
            aside,
            key_blocks,
            term_blocks,
            offset_blocks,
            key_filter,
            term_filter,
        })
    }

    fn offsets(&self, ordinals: &[u32]) -> Result<Vec<u64>, Unusable> {
        let mut offsets = Vec::with_capacity(ordinals.len());
        let mut held = (usize::MAX, Vec::new());
        for ordinal in ordinals {
            let place = narrow(u64::from(*ordinal));
            let block = place / OFFSETS_PER_BLOCK;
            if held.0 != block {
                held = (block, self.offset_block(block)?);
            }
            let offset = held.1.get(place % OFFSETS_PER_BLOCK).filter(|_| *ordinal < self.records);
            let missing = || format!("record {ordinal} of the segment is not in the index");
            offsets.push(offset.copied().map(u64::from).ok_or_else(missing)?);
        }
        Ok(offsets)
    }

    fn offset_block(&self, block: usize) -> Result<Vec<u32>, Unusable> {
        let start = self.offset_blocks.get(block).copied().map_or(self.offsets.length, u64::from);
        let next = self.offset_blocks.get(block.saturating_add(1)).copied();
        let bytes = self.part(self.offsets, start, next.map_or(self.offsets.length, u64::from))?;
        let mut input = Input(&bytes);
        let (first, least) = (input.u32().ok_or(NO_FORM)?, input.u32().ok_or(NO_FORM)?);
        let width = usize::from(input.u8().ok_or(NO_FORM)?);
        let mut offset = first;
        let mut offsets = vec![first];
        // Records at the same distance have no width.
        let count = narrow(u64::from(self.records)).saturating_sub(block.saturating_mul(OFFSETS_PER_BLOCK));
        for _ in 1..count.min(OFFSETS_PER_BLOCK) {
            let mut more = [0; 4];
            crate::codec::put_at(&mut more, 0, input.bytes(width).ok_or(NO_FORM)?);
            offset = offset.saturating_add(least).saturating_add(u32::from_le_bytes(more));
            offsets.push(offset);
        }
        Ok(offsets)
    }

    fn part(&self, section: Section, from: u64, to: u64) -> Result<Vec<u8>, Unusable> {
        let (from, to) = (from.min(section.length), to.min(section.length));
        self.pages.read(section.at.saturating_add(from), narrow(to.saturating_sub(from)))
    }

    /// The blocks of a sorted section that can hold a hash, each with the hash it begins with.
    fn blocks_of(
        &self,
        section: Section,
        blocks: &Blocks,
        hash: u64,
    ) -> Result<Vec<(u64, Vec<u8>)>, Unusable> {
        let from = blocks.partition_point(|(first, _)| *first < hash).saturating_sub(1);
        let to = blocks.partition_point(|(first, _)| *first <= hash);
        let mut found = Vec::new();
        for (number, (first, at)) in blocks.iter().enumerate().take(to).skip(from) {
            let end = blocks.get(number.saturating_add(1)).map_or(section.length, |(_, at)| u64::from(*at));
            found.push((*first, self.part(section, u64::from(*at), end)?));
        }
        Ok(found)
    }

    fn find(&self, wanted: &[Wanted]) -> Result<Vec<(usize, u32)>, Unusable> {
        let mut found = Vec::new();
        for (number, wanted) in wanted.iter().enumerate() {
            let within = self.least <= wanted.key && wanted.key <= self.greatest;
            if !within || !self.key_filter.may_hold(wanted.hash) {
                continue;
            }
            let part = key_part(wanted.hash, self.key_bits);
            for (first, bytes) in self.blocks_of(self.keys, &self.key_blocks, part)? {
                for entry in Keys::new(first, &bytes) {
                    let (hash, ordinal) = entry?;
                    if hash == part {
                        found.push((number, ordinal));
                    }
                }
            }
        }
        Ok(found)
    }

    fn holds(&self, keys: &[(Key, u32)]) -> Result<bool, Unusable> {
        let place = |(key, ordinal): &(Key, u32)| (key_part(key_hash(key), self.key_bits), *ordinal);
        let mut expected = keys.iter().map(place).collect::<Vec<_>>();
        expected.sort_unstable();
        let mut expected = expected.into_iter();
        for (number, (first, at)) in self.key_blocks.iter().enumerate() {
            let next = self.key_blocks.get(number.saturating_add(1));
            let end = next.map_or(self.keys.length, |(_, at)| u64::from(*at));
            let bytes = self.part(self.keys, u64::from(*at), end)?;
            for entry in Keys::new(*first, &bytes) {
                if Some(entry?) != expected.next() {
                    return Ok(false);
                }
            }
        }
        let filtered = |(key, _): &(Key, u32)| {
            self.least <= *key && *key <= self.greatest && self.key_filter.may_hold(key_hash(key))
        };
        Ok(expected.next().is_none() && keys.iter().all(filtered))
    }

    fn postings(&self, term: u64, range: &Range<u32>) -> Result<Vec<u32>, Unusable> {
        let mut all = Vec::new();
        if !self.term_filter.may_hold(term) {
            return Ok(all);
        }
        let part = term_part(term);
        for (first, bytes) in self.blocks_of(self.terms, &self.term_blocks, part)? {
            let mut input = Input(&bytes);
            let mut hash = first;
            while !input.0.is_empty() && hash <= part {
                hash = hash.saturating_add(input.varint().ok_or(NO_FORM)?);
                let about = input.varint().ok_or(NO_FORM)?;
                let (length, aside) = (narrow(about >> 2), about & 1 == 1);
                let form = if about & 2 == 2 { Form::Bits } else { Form::Gaps };
                let (here, there) = if aside {
                    (&[][..], input.varint().ok_or(NO_FORM)?)
                } else {
                    (input.bytes(length).ok_or(NO_FORM)?, 0)
                };
                if hash != part {
                    continue;
                }
                let far = if aside {
                    self.part(self.aside, there, there.saturating_add(wide(length)))?
                } else {
                    Vec::new()
                };
                let bytes = if aside { &far } else { here };
                all.append(&mut postings::decode(form, bytes, range).ok_or("postings do not parse")?);
            }
        }
        // More than one list only where two terms share what is kept of their hashes.
        if !all.is_sorted() {
            all.sort_unstable();
        }
        all.dedup();
        Ok(all)
    }
}

fn read_blocks(input: &mut Input<'_>) -> Result<Blocks, Unusable> {
    let count = input.u32().ok_or(NO_FORM)?;
    Ok((0..count).map_while(|_| Some((input.u64()?, input.u32()?))).collect())
}

/// The entries of a block of keys: what is kept of the hash, and the ordinal.
struct Keys<'a> {
    hash: u64,
    input: Input<'a>,
}

impl<'a> Keys<'a> {
    fn new(first: u64, bytes: &'a [u8]) -> Keys<'a> {
        Keys { hash: first, input: Input(bytes) }
    }
}

impl Iterator for Keys<'_> {
    type Item = Result<(u64, u32), Unusable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.input.0.is_empty() {
            return None;
        }
        let entry = (|| {
            self.hash = self.hash.checked_add(self.input.varint()?)?;
            let mut ordinal = [0; 4];
            crate::codec::put_at(&mut ordinal, 0, &self.input.array::<ORDINAL_BYTES>()?);
            Some((self.hash, u32::from_le_bytes(ordinal)))
        })();
        if entry.is_none() {
            self.input = Input(&[]);
        }
        Some(entry.ok_or_else(|| "keys do not parse".into()))
    }
}

/// What an index file says of its segment; anything else in its place is the index of something else.
pub(crate) fn identity(segment: &Segment, sealed: &Sealed) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&FORMAT.to_le_bytes());
    out.extend_from_slice(&segment.header.log);
    out.extend_from_slice(&segment.header.segment.to_le_bytes());
    out.extend_from_slice(&segment.header.first.to_le_bytes());
    out.extend_from_slice(&sealed.last.to_le_bytes());
    out.extend_from_slice(&sealed.end.to_le_bytes());
    out.extend_from_slice(&sealed.hash);
    out
}
