//! Writing the index file of a sealed segment from its index in memory.
//!
//! Not here: what the file looks like, and reading it (`index`).

use std::sync::Arc;

use crate::{
    Key,
    codec::{narrow, put_at, put_text, put_varint, small, wide},
    index::{
        HEADER_ROOM, INLINE_MAX, KEYS_PER_BLOCK, OFFSETS_PER_BLOCK, ORDINAL_BYTES, Section, TERMS_PER_BLOCK,
        identity, key_bits, key_hash, key_part, term_part,
    },
    memory::{MemoryIndex, Postings, Tables},
    paged::{Filter, seal_pages},
    postings::{self, Form},
    segment::{Sealed, Segment},
    storage::{Storage, write_full},
};

/// Writes the index file of a sealed segment: aside first, then under its name.
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
    fn section(&mut self, bytes: &[u8]) {
        let section = Section { at: wide(self.bytes.len()), length: wide(bytes.len()) };
        self.bytes.extend_from_slice(bytes);
        self.sections.push(section);
    }
}

/// A section in blocks, and where they begin.
#[derive(Default)]
struct Blocked {
    bytes: Vec<u8>,
    blocks: Vec<(u64, u32)>,
}

fn encode(segment: &Segment, sealed: &Sealed, index: &MemoryIndex) -> Vec<u8> {
    let mut content = Content { bytes: vec![0; HEADER_ROOM], sections: Vec::new() };
    let mut names = Vec::new();
    put_varint(&mut names, wide(segment.names.all().count()));
    for name in segment.names.all() {
        put_text(&mut names, name);
    }
    content.section(&names);
    let records = index.look(|tables| tables.records);
    let offsets = (0..records).map(|ordinal| index.offset(ordinal).unwrap_or(0)).collect::<Vec<_>>();
    let offsets = encode_offsets(&offsets);
    content.section(&offsets.bytes);
    let bits = key_bits(records);
    let (least, greatest) = index.look(|tables| encode_tables(&mut content, tables, bits, &offsets));
    let mut header = identity(segment, sealed);
    header.extend_from_slice(&records.to_le_bytes());
    header.push(bits);
    header.extend_from_slice(&least.0);
    header.extend_from_slice(&greatest.0);
    for section in &content.sections {
        header.extend_from_slice(&section.at.to_le_bytes());
        header.extend_from_slice(&section.length.to_le_bytes());
    }
    put_at(&mut content.bytes, 0, &header);
    content.bytes
}

fn encode_offsets(offsets: &[u32]) -> Blocked {
    let mut out = Blocked::default();
    for block in offsets.chunks(OFFSETS_PER_BLOCK) {
        out.blocks.push((0, small(out.bytes.len())));
        let distances = block.windows(2).map(|pair| match pair {
            [before, after] => after.saturating_sub(*before),
            _ => 0,
        });
        let least = distances.clone().min().unwrap_or(0);
        let most = distances.clone().max().unwrap_or(0).saturating_sub(least);
        let width = narrow(u64::from(u32::BITS.saturating_sub(most.leading_zeros()).div_ceil(8)));
        out.bytes.extend_from_slice(&block.first().copied().unwrap_or(0).to_le_bytes());
        out.bytes.extend_from_slice(&least.to_le_bytes());
        out.bytes.push(u8::try_from(width).unwrap_or(4));
        for distance in distances {
            let more = distance.saturating_sub(least).to_le_bytes();
            out.bytes.extend_from_slice(more.get(..width).unwrap_or(&more));
        }
    }
    out
}

/// Keys, terms, blocks and filters; the answer is the least and the greatest key.
fn encode_tables(content: &mut Content, tables: &Tables, bits: u8, offsets: &Blocked) -> (Key, Key) {
    let hashes = tables.keys.iter().map(|(key, ordinal)| (key_hash(key), *ordinal)).collect::<Vec<_>>();
    let mut terms = tables.terms.iter().map(|(term, postings)| (*term, postings)).collect::<Vec<_>>();
    terms.sort_unstable_by_key(|(term, _)| *term);
    let keys = encode_keys(&hashes, bits);
    content.section(&keys.bytes);
    let (listed, aside) = encode_terms(&terms);
    content.section(&listed.bytes);
    content.section(&aside);
    let mut blocks = Vec::new();
    for blocked in [&keys, &listed] {
        blocks.extend_from_slice(&small(blocked.blocks.len()).to_le_bytes());
        for (first, at) in &blocked.blocks {
            blocks.extend_from_slice(&first.to_le_bytes());
            blocks.extend_from_slice(&at.to_le_bytes());
        }
    }
    blocks.extend_from_slice(&small(offsets.blocks.len()).to_le_bytes());
    for (_, at) in &offsets.blocks {
        blocks.extend_from_slice(&at.to_le_bytes());
    }
    content.section(&blocks);
    let mut filter = Filter::new(hashes.len());
    for (hash, _) in &hashes {
        filter.insert(*hash);
    }
    content.section(filter.as_bytes());
    let mut filter = Filter::new(terms.len());
    for (term, _) in &terms {
        filter.insert(*term);
    }
    content.section(filter.as_bytes());
    let (least, greatest) = (tables.keys.keys().min(), tables.keys.keys().max());
    (least.copied().unwrap_or(Key([0xff; 16])), greatest.copied().unwrap_or(Key([0; 16])))
}

fn encode_keys(hashes: &[(u64, u32)], bits: u8) -> Blocked {
    let part = |(hash, ordinal): &(u64, u32)| (key_part(*hash, bits), *ordinal);
    let mut keys = hashes.iter().map(part).collect::<Vec<_>>();
    keys.sort_unstable();
    let (mut out, mut before) = (Blocked::default(), 0);
    for (number, (hash, ordinal)) in keys.into_iter().enumerate() {
        if number.is_multiple_of(KEYS_PER_BLOCK) {
            out.blocks.push((hash, small(out.bytes.len())));
            before = hash;
        }
        put_varint(&mut out.bytes, hash.saturating_sub(before));
        out.bytes.extend(ordinal.to_le_bytes().into_iter().take(ORDINAL_BYTES));
        before = hash;
    }
    out
}

/// The terms, and the postings that are not beside them.
fn encode_terms(terms: &[(u64, &Postings)]) -> (Blocked, Vec<u8>) {
    let (mut out, mut aside, mut before, mut list) = (Blocked::default(), Vec::new(), 0, Vec::new());
    for (number, (term, postings)) in terms.iter().enumerate() {
        let hash = term_part(*term);
        if number.is_multiple_of(TERMS_PER_BLOCK) {
            out.blocks.push((hash, small(out.bytes.len())));
            before = hash;
        }
        put_varint(&mut out.bytes, hash.saturating_sub(before));
        before = hash;
        list.clear();
        let form = match postings::encode(postings.as_slice(), &mut list) {
            Form::Gaps => 0,
            Form::Bits => 2,
        };
        let far = list.len() > INLINE_MAX;
        put_varint(&mut out.bytes, wide(list.len()) << 2 | form | u64::from(far));
        if far {
            put_varint(&mut out.bytes, wide(aside.len()));
            aside.extend_from_slice(&list);
        } else {
            out.bytes.extend_from_slice(&list);
        }
    }
    (out, aside)
}
