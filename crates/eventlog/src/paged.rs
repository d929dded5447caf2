//! A file of pages that each carry a checksum: whatever is read from it is what was written, or an error.
//!
//! Index files are made of these. They need no sync: a page that did not reach the disk fails its checksum, and the
//! index is built again.

use std::sync::Arc;

use crate::{
    codec::{narrow, wide},
    storage::{StorageFile, read_full},
};

const PAGE: usize = 4_096;
const PAYLOAD: usize = PAGE - 4;

/// Why an index file can not be used. Never an answer for a caller: the index is built again.
pub(crate) type Unusable = String;

/// Turns content into pages.
pub(crate) fn seal_pages(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len().div_ceil(PAYLOAD).saturating_mul(PAGE));
    for payload in content.chunks(PAYLOAD) {
        let start = out.len();
        out.extend_from_slice(payload);
        out.resize(start.saturating_add(PAYLOAD), 0);
        let checksum = crc32c::crc32c(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&checksum.to_le_bytes());
    }
    out
}

/// Reads content out of pages.
#[derive(Debug)]
pub(crate) struct Pages {
    file: Arc<dyn StorageFile>,
    length: u64,
}

impl Pages {
    pub(crate) fn open(file: Arc<dyn StorageFile>) -> Result<Pages, Unusable> {
        let length = file.length().map_err(|error| error.to_string())?;
        Ok(Pages { file, length })
    }

    /// Exactly `length` bytes of content from `offset`.
    pub(crate) fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Unusable> {
        let payload = wide(PAYLOAD);
        let (first, skip) = (offset / payload, narrow(offset % payload));
        let pages = skip.saturating_add(length).div_ceil(PAYLOAD);
        let start = first.saturating_mul(wide(PAGE));
        // Checked first: a length out of a damaged place must not become an allocation.
        if start.saturating_add(wide(pages).saturating_mul(wide(PAGE))) > self.length {
            return Err(format!("page {first} and {pages} on are not there"));
        }
        let mut raw = vec![0; pages.saturating_mul(PAGE)];
        read_full(&*self.file, &mut raw, start).map_err(|error| error.to_string())?;
        let mut content = Vec::with_capacity(length);
        let mut skip = skip;
        for page in raw.chunks(PAGE) {
            match page.split_last_chunk::<4>() {
                Some((payload, checksum)) if crc32c::crc32c(payload) == u32::from_le_bytes(*checksum) => {
                    let wanted = payload.get(skip..).unwrap_or_default();
                    let left = length.saturating_sub(content.len());
                    content.extend_from_slice(wanted.get(..left).unwrap_or(wanted));
                    skip = 0;
                }
                _ => return Err(format!("a checksum does not fit in the pages from {first} on")),
            }
        }
        if content.len() == length { Ok(content) } else { Err("content ends early".into()) }
    }
}

/// A Bloom filter of 64-bit hashes: says "not here" for certain.
#[derive(Debug)]
pub(crate) struct Filter(Vec<u8>);

/// Bits per entry and probes: one false hit in about 120.
const FILTER_BITS: usize = 10;
const FILTER_PROBES: u64 = 7;

impl Filter {
    pub(crate) fn new(entries: usize) -> Filter {
        Filter(vec![0; entries.saturating_mul(FILTER_BITS).div_ceil(8).max(8)])
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Filter {
        Filter(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn probes(hash: u64, length: usize) -> impl Iterator<Item = (usize, u8)> {
        // The upper half of the product is a fair share of the bits, and much cheaper than a division.
        let bits = wide(length).saturating_mul(8).clamp(1, u64::from(u32::MAX));
        let step = hash.rotate_left(32) | 1;
        (0..FILTER_PROBES).map(move |probe| {
            let bit = ((hash.wrapping_add(step.wrapping_mul(probe)) >> 32).wrapping_mul(bits)) >> 32;
            (narrow(bit / 8), 1_u8 << (bit % 8))
        })
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        let length = self.0.len();
        for (byte, mask) in Self::probes(hash, length) {
            if let Some(byte) = self.0.get_mut(byte) {
                *byte |= mask;
            }
        }
    }

    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        Self::probes(hash, self.0.len())
            .all(|(byte, mask)| self.0.get(byte).is_some_and(|byte| byte & mask != 0))
    }
}
