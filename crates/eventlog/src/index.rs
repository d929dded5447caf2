//! The index of a segment, and its immutable file beside a sealed segment.
//!
//! Everything here is derived: a missing, foreign or damaged index file costs a scan of its segment and changes no
//! answer. Hashes only propose records; whoever asks checks the record itself. Not here: the index of the segment
//! being written (`memory`), how answers are put together (`query`).

use std::{ops::Range, sync::Arc};

use crate::{
    Key,
    codec::{Input, hash64, narrow, put_text, put_varint, small, wide},
    memory::{MemoryIndex, Postings, Tables},
    paged::{Filter, Pages, Unusable, seal_pages},
    segment::{Sealed, Segment},
    storage::{Storage, write_full},
};

/// The term of a type.
pub(crate) fn type_hash(kind: &str) -> u64 {
    hash64(1, kind.as_bytes())
}

/// The term of a tag.
pub(crate) fn tag_hash(tag: &str) -> u64 {
    hash64(2, tag.as_bytes())
}

fn key_hash(key: &Key) -> u64 {
    hash64(3, &key.0)
}

/// Where keys and terms of one segment are found.
#[derive(Debug, Clone)]
pub(crate) enum SegmentIndex {
    Memory(Arc<MemoryIndex>),
    File(Arc<FileIndex>),
}

impl SegmentIndex {
    /// The place of a record in the segment file, by ordinal.
    pub(crate) fn offset(&self, ordinal: u32) -> Result<u64, Unusable> {
        match self {
            SegmentIndex::Memory(index) => index.offset(ordinal).map(u64::from),
            SegmentIndex::File(index) => index.offset(ordinal)?,
        }
        .ok_or_else(|| format!("record {ordinal} of the segment is not in the index"))
    }

    /// The ordinals that may have this key, in ascending order.
    pub(crate) fn find(&self, key: &Key) -> Result<Vec<u32>, Unusable> {
        match self {
            SegmentIndex::Memory(index) => Ok(index.find(key).into_iter().collect()),
            SegmentIndex::File(index) => index.find(key),
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
const FORMAT: u32 = 1;
/// One page of content is kept for the header, so that sections can be written before it is known.
const HEADER_ROOM: usize = 512;
/// Entries between two fences: a look-up reads one or two pages.
const KEYS_PER_FENCE: usize = 256;
const TERMS_PER_FENCE: usize = 128;
const KEY_BYTES: usize = 8;
const TERM_BYTES: usize = 16;

/// Where a part lies in the content.
#[derive(Debug, Clone, Copy, Default)]
struct Section {
    at: u64,
    length: u64,
}

const SECTIONS: usize = 8;

/// An index file. In memory: filters and fences; the rest is read when asked for.
#[derive(Debug)]
pub(crate) struct FileIndex {
    pages: Pages,
    records: u32,
    offsets: Section,
    keys: Section,
    terms: Section,
    postings: Section,
    key_fences: Vec<u32>,
    term_fences: Vec<u64>,
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
        if input.bytes(identity(segment, sealed).len()) != Some(&identity(segment, sealed)) {
            return Err("it is the index of something else".into());
        }
        let records = input.u32().ok_or("its header is short")?;
        let mut sections = [Section::default(); SECTIONS];
        for section in &mut sections {
            let (at, length) = (input.u64(), input.u64());
            *section = Section {
                at: at.ok_or("its header is short")?,
                length: length.ok_or("its header is short")?,
            };
        }
        let [names, offsets, keys, terms, postings, fences, key_filter, term_filter] = sections;
        let load = |section: Section| pages.read(section.at, narrow(section.length));
        let names = load(names)?;
        let mut names = Input(&names);
        for number in 0..names.varint().ok_or("its names are short")? {
            segment.names.set(narrow(number), names.text().ok_or("its names are short")?);
        }
        let fences = load(fences)?;
        let mut fences = Input(&fences);
        let key_fences = (0..fences.u32().unwrap_or(0)).map_while(|_| fences.u32()).collect();
        let term_fences = (0..fences.u32().unwrap_or(0)).map_while(|_| fences.u64()).collect();
        let key_filter = Filter::from_bytes(load(key_filter)?);
        let term_filter = Filter::from_bytes(load(term_filter)?);
        Ok(FileIndex {
            pages,
            records,
            offsets,
            keys,
            terms,
            postings,
            key_fences,
            term_fences,
            key_filter,
            term_filter,
        })
    }

    fn offset(&self, ordinal: u32) -> Result<Option<u64>, Unusable> {
        if ordinal >= self.records {
            return Ok(None);
        }
        let at = u64::from(ordinal).saturating_mul(4);
        if at >= self.offsets.length {
            return Ok(None);
        }
        let bytes = self.pages.read(self.offsets.at.saturating_add(at), 4)?;
        Ok(Input(&bytes).u32().map(u64::from))
    }

    /// The entries of a sorted section that can hold a value, by its fences.
    fn between_fences(
        &self,
        section: Section,
        fences: (usize, usize),
        per_fence: usize,
        entry: usize,
    ) -> Result<Vec<u8>, Unusable> {
        let (from, to) = fences;
        let stride = per_fence.saturating_mul(entry);
        let start = wide(from.saturating_sub(1).saturating_mul(stride)).min(section.length);
        let end = wide(to.saturating_mul(stride)).min(section.length);
        self.pages.read(section.at.saturating_add(start), narrow(end.saturating_sub(start)))
    }

    fn find(&self, key: &Key) -> Result<Vec<u32>, Unusable> {
        let hash = key_hash(key);
        if !self.key_filter.may_hold(hash) {
            return Ok(Vec::new());
        }
        let high = high_half(hash);
        let from = self.key_fences.partition_point(|fence| *fence < high);
        let to = self.key_fences.partition_point(|fence| *fence <= high);
        let bytes = self.between_fences(self.keys, (from, to), KEYS_PER_FENCE, KEY_BYTES)?;
        let mut found = Vec::new();
        for entry in bytes.chunks_exact(KEY_BYTES) {
            let mut entry = Input(entry);
            if entry.u32() == Some(high) {
                found.extend(entry.u32());
            }
        }
        Ok(found)
    }

    fn postings(&self, term: u64, range: &Range<u32>) -> Result<Vec<u32>, Unusable> {
        if !self.term_filter.may_hold(term) {
            return Ok(Vec::new());
        }
        let from = self.term_fences.partition_point(|fence| *fence < term);
        let to = self.term_fences.partition_point(|fence| *fence <= term);
        let bytes = self.between_fences(self.terms, (from, to), TERMS_PER_FENCE, TERM_BYTES)?;
        for entry in bytes.chunks_exact(TERM_BYTES) {
            let mut entry = Input(entry);
            if entry.u64() == Some(term) {
                let (at, length) = (entry.u32().unwrap_or(0), entry.u32().unwrap_or(0));
                let place = self.postings.at.saturating_add(u64::from(at));
                let bytes = self.pages.read(place, narrow(u64::from(length)))?;
                return decode_postings(&bytes, range);
            }
        }
        Ok(Vec::new())
    }
}

fn decode_postings(bytes: &[u8], range: &Range<u32>) -> Result<Vec<u32>, Unusable> {
    let mut input = Input(bytes);
    let (mut ordinal, mut found) = (0_u32, Vec::new());
    while !input.0.is_empty() {
        let step = input.varint().and_then(|step| u32::try_from(step).ok()).ok_or("postings do not parse")?;
        ordinal = ordinal.saturating_add(step);
        if ordinal >= range.end {
            break;
        }
        if ordinal >= range.start {
            found.push(ordinal);
        }
    }
    Ok(found)
}

fn high_half(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(u32::MAX)
}

/// What an index file says of its segment; anything else in its place is the index of something else.
fn identity(segment: &Segment, sealed: &Sealed) -> Vec<u8> {
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

/// Writes the index file of a sealed segment from its index in memory: aside first, then under its name.
pub(crate) fn write_index(
    storage: &Arc<dyn Storage>,
    segment: &Segment,
    sealed: &Sealed,
    index: &MemoryIndex,
) -> std::io::Result<()> {
    let content = encode(segment, sealed, index);
    let path = segment.index_path();
    let aside = path.with_extension("idx-new");
    let file = storage.create(&aside)?;
    write_full(&*file, &seal_pages(&content), 0)?;
    storage.rename(&aside, &path)
}

/// Content under construction: the header comes last, into the room kept for it.
struct Content {
    bytes: Vec<u8>,
    sections: Vec<Section>,
}

impl Content {
    fn section(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let at = wide(self.bytes.len());
        write(&mut self.bytes);
        let length = wide(self.bytes.len()).saturating_sub(at);
        self.sections.push(Section { at, length });
    }
}

fn encode(segment: &Segment, sealed: &Sealed, index: &MemoryIndex) -> Vec<u8> {
    let mut content = Content { bytes: vec![0; HEADER_ROOM], sections: Vec::new() };
    content.section(|out| {
        let names = segment.names.all().collect::<Vec<_>>();
        put_varint(out, wide(names.len()));
        for name in names {
            put_text(out, name);
        }
    });
    let records = index.look(|tables| tables.records);
    content.section(|out| {
        for ordinal in 0..records {
            out.extend_from_slice(&index.offset(ordinal).unwrap_or(0).to_le_bytes());
        }
    });
    index.look(|tables| encode_tables(&mut content, tables));
    let mut header = identity(segment, sealed);
    header.extend_from_slice(&records.to_le_bytes());
    for section in &content.sections {
        header.extend_from_slice(&section.at.to_le_bytes());
        header.extend_from_slice(&section.length.to_le_bytes());
    }
    crate::codec::put_at(&mut content.bytes, 0, &header);
    content.bytes
}

fn encode_tables(content: &mut Content, tables: &Tables) {
    let mut keys = tables.keys.iter().map(|(key, ordinal)| (key_hash(key), *ordinal)).collect::<Vec<_>>();
    keys.sort_unstable();
    let mut terms = tables.terms.iter().map(|(term, postings)| (*term, postings)).collect::<Vec<_>>();
    terms.sort_unstable_by_key(|(term, _)| *term);
    content.section(|out| {
        for (hash, ordinal) in &keys {
            out.extend_from_slice(&high_half(*hash).to_le_bytes());
            out.extend_from_slice(&ordinal.to_le_bytes());
        }
    });
    let (directory, postings) = encode_terms(&terms);
    content.section(|out| out.extend_from_slice(&directory));
    content.section(|out| out.extend_from_slice(&postings));
    content.section(|out| {
        let fences = keys.iter().step_by(KEYS_PER_FENCE).map(|(hash, _)| high_half(*hash));
        out.extend_from_slice(&small(fences.len()).to_le_bytes());
        fences.for_each(|fence| out.extend_from_slice(&fence.to_le_bytes()));
        let fences = terms.iter().step_by(TERMS_PER_FENCE).map(|(term, _)| *term);
        out.extend_from_slice(&small(fences.len()).to_le_bytes());
        fences.for_each(|fence| out.extend_from_slice(&fence.to_le_bytes()));
    });
    let mut filter = Filter::new(keys.len());
    for (hash, _) in &keys {
        filter.insert(*hash);
    }
    content.section(|out| out.extend_from_slice(filter.as_bytes()));
    let mut filter = Filter::new(terms.len());
    for (term, _) in &terms {
        filter.insert(*term);
    }
    content.section(|out| out.extend_from_slice(filter.as_bytes()));
}

fn encode_terms(terms: &[(u64, &Postings)]) -> (Vec<u8>, Vec<u8>) {
    let (mut directory, mut bytes) = (Vec::new(), Vec::new());
    for (term, postings) in terms {
        let start = bytes.len();
        let mut before = 0;
        for ordinal in postings.as_slice() {
            put_varint(&mut bytes, u64::from(ordinal.saturating_sub(before)));
            before = *ordinal;
        }
        directory.extend_from_slice(&term.to_le_bytes());
        directory.extend_from_slice(&small(start).to_le_bytes());
        directory.extend_from_slice(&small(bytes.len().saturating_sub(start)).to_le_bytes());
    }
    (directory, bytes)
}
