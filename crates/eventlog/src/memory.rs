//! The index of a segment in memory: of the one being written, and of those without an index file yet.
//!
//! Holds everything that was accepted, also what is not on stable storage yet: whoever reads must stop at the head.
//! Not here: the index in a file (`index`).

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    ops::Range,
    sync::{
        OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    Key,
    codec::{narrow, put_at, wide},
    index::Wanted,
    scan::Group,
    sync::RwLock,
};

const CHUNK: usize = 8_192;
/// Chunks of a segment: the largest segment (1 GiB and a last group) filled with the smallest records.
const CHUNKS_MAX: usize = 2_048;

/// Records that are added while queries wait, keys that are looked for while the writer waits: some 50 µs.
const ENTRIES_AT_ONCE: usize = 256;
/// What the allocator gives for one ordinal holds so many.
const ORDINALS_AT_FIRST: usize = 6;

/// Keys, terms and places of the records of one segment, by ordinal (0 = its first record).
#[derive(Debug)]
pub(crate) struct MemoryIndex {
    /// Places, readable without a lock. 0 is "none": a header is there.
    offsets: Box<[OnceLock<Box<[AtomicU32]>>]>,
    tables: RwLock<Tables>,
}

/// Hashes are hashes already.
#[derive(Debug, Default)]
pub(crate) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Hashing of keys, which senders choose: fast, and with two numbers nobody knows, so that nobody can choose keys that
/// share a place.
#[derive(Debug, Clone)]
pub(crate) struct Keyed(u64, u64);

impl Default for Keyed {
    fn default() -> Self {
        let random = RandomState::new();
        Keyed(random.hash_one(0_u8), random.hash_one(1_u8))
    }
}

impl BuildHasher for Keyed {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher { secret: self.0, hash: self.1 }
    }
}

#[derive(Debug)]
pub(crate) struct KeyHasher {
    secret: u64,
    hash: u64,
}

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut last = [0; 8];
        put_at(&mut last, 0, rest);
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.write_u64(u64::from_le_bytes(last));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.hash ^ word).wrapping_mul(u128::from(self.secret | 1));
        let halves = u64::try_from(product >> 64).unwrap_or(0)
            ^ u64::try_from(product & u128::from(u64::MAX)).unwrap_or(0);
        self.hash = halves.rotate_left(23).wrapping_add(self.secret);
    }

    fn write_usize(&mut self, length: usize) {
        self.write_u64(wide(length));
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) keys: HashMap<Key, u32, Keyed>,
    pub(crate) terms: HashMap<u64, Postings, BuildHasherDefault<Same>>,
    pub(crate) records: u32,
}

/// Ordinals in ascending order. Most tags are rare: one needs no memory of its own.
#[derive(Debug)]
pub(crate) enum Postings {
    One(u32),
    Many(Vec<u32>),
}

impl Postings {
    pub(crate) fn as_slice(&self) -> &[u32] {
        match self {
            Postings::One(ordinal) => std::slice::from_ref(ordinal),
            Postings::Many(ordinals) => ordinals,
        }
    }

    fn push(&mut self, ordinal: u32) {
        // A record may carry one tag twice.
        if self.as_slice().last() == Some(&ordinal) {
            return;
        }
        match self {
            Postings::One(first) => {
                let mut ordinals = Vec::with_capacity(ORDINALS_AT_FIRST);
                ordinals.extend([*first, ordinal]);
                *self = Postings::Many(ordinals);
            }
            Postings::Many(ordinals) => ordinals.push(ordinal),
        }
    }
}

impl Default for MemoryIndex {
    fn default() -> Self {
        MemoryIndex {
            offsets: std::iter::repeat_with(OnceLock::new).take(CHUNKS_MAX).collect(),
            tables: RwLock::default(),
        }
    }
}

impl MemoryIndex {
    /// With room for as much as there is in another one.
    pub(crate) fn with_room_of(other: &MemoryIndex) -> MemoryIndex {
        let index = MemoryIndex::default();
        let (keys, terms) = other.look(|tables| (tables.keys.len(), tables.terms.len()));
        index.change(|tables| {
            tables.keys.reserve(keys);
            tables.terms.reserve(terms);
        });
        index
    }

    /// Adds the next record. Its terms are its type and its tags.
    fn add(&self, tables: &mut Tables, offset: u32, key: Key, terms: impl Iterator<Item = u64>) {
        let ordinal = tables.records;
        let place = narrow(u64::from(ordinal));
        if let Some(chunk) = self.offsets.get(place / CHUNK) {
            let chunk =
                chunk.get_or_init(|| std::iter::repeat_with(AtomicU32::default).take(CHUNK).collect());
            if let Some(slot) = chunk.get(place % CHUNK) {
                slot.store(offset, Ordering::Release);
            }
        }
        tables.keys.entry(key).or_insert(ordinal);
        for term in terms {
            tables
                .terms
                .entry(term)
                .and_modify(|postings| postings.push(ordinal))
                .or_insert(Postings::One(ordinal));
        }
        tables.records = ordinal.saturating_add(1);
    }

    /// Adds records. Queries are held up for a few of them at a time.
    pub(crate) fn add_group(&self, group: &Group) {
        let mut terms = group.terms.iter().copied();
        for entries in group.entries.chunks(ENTRIES_AT_ONCE) {
            self.change(|tables| {
                for entry in entries {
                    self.add(tables, entry.offset, entry.key, terms.by_ref().take(entry.terms));
                }
            });
        }
    }

    /// Changes the tables while no query looks at them; queries are held up, so it must be short.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Tables) -> T) -> T {
        change(&mut self.tables.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the tables; the writer is held up, so it must be short.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Tables) -> T) -> T {
        look(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn offset(&self, ordinal: u32) -> Option<u32> {
        let place = narrow(u64::from(ordinal));
        let offset = self.offsets.get(place / CHUNK)?.get()?.get(place % CHUNK)?.load(Ordering::Acquire);
        (offset != 0).then_some(offset)
    }

    /// The ordinals of these keys: the number of the key, and the ordinal.
    pub(crate) fn find(&self, wanted: &[Wanted]) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        for (chunk, wanted) in wanted.chunks(ENTRIES_AT_ONCE).enumerate() {
            let numbers = chunk.saturating_mul(ENTRIES_AT_ONCE)..;
            self.look(|tables| {
                for (number, wanted) in numbers.zip(wanted) {
                    found.extend(tables.keys.get(&wanted.key).map(|ordinal| (number, *ordinal)));
                }
            });
        }
        found
    }

    /// The ordinal of each of these keys, instead of what is in `found`.
    pub(crate) fn find_each<'a>(&self, keys: impl Iterator<Item = &'a Key>, found: &mut Vec<Option<u32>>) {
        found.clear();
        self.look(|tables| found.extend(keys.map(|key| tables.keys.get(key).copied())));
    }

    /// Whether these keys are found, each at its ordinal.
    pub(crate) fn holds(&self, keys: &[(Key, u32)]) -> bool {
        let held = |tables: &Tables, (key, ordinal): &(Key, u32)| tables.keys.get(key) == Some(ordinal);
        let mut chunks = keys.chunks(ENTRIES_AT_ONCE);
        chunks.all(|keys| self.look(|tables| keys.iter().all(|entry| held(tables, entry))))
    }

    /// The ordinals of `range` with this term.
    pub(crate) fn postings(&self, term: u64, range: &Range<u32>) -> Vec<u32> {
        self.look(|tables| {
            let all = tables.terms.get(&term).map_or(&[][..], Postings::as_slice);
            let from = all.partition_point(|ordinal| *ordinal < range.start);
            let to = all.partition_point(|ordinal| *ordinal < range.end);
            all.get(from..to).unwrap_or_default().to_vec()
        })
    }
}
