//! The Merkle tree of RFC 6962 (and RFC 9162): hashes of nodes, the frontier of a growing tree, proofs and their
//! checks. Pure; where the hashes of complete subtrees come from is the caller's affair (`tree`).
//!
//! Proofs are made by the recursion of RFC 6962 section 2.1 and checked by the algorithms of RFC 9162 section 2.1,
//! which are other ones. Indexes count from 0: the record at position 1 is leaf 0.

use sha2::{Digest, Sha256};

use crate::codec::{narrow, wide};

/// A hash of the tree.
pub(crate) type Hash = [u8; 32];

/// Hashes in a full tile; a tile spans eight levels of the tree.
pub(crate) const TILE_HASHES: usize = 256;
/// Levels of the tree that one tile spans.
pub(crate) const TILE_HEIGHT: u32 = 8;

/// The hash over two subtrees.
pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    let mut input = [1_u8; 65];
    crate::codec::put_at(&mut input, 1, left);
    crate::codec::put_at(&mut input, 33, right);
    Sha256::digest(input).into()
}

/// The root of a tree without leaves.
pub(crate) fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The largest power of two below `size`, which is 2 or more.
fn split(size: u64) -> u64 {
    1 << size.saturating_sub(1).checked_ilog2().unwrap_or(0)
}

/// The complete subtrees that leaves `start` to `end` fall into, largest first, each with its level and its number on
/// that level. `start` is a multiple of the first one's size.
fn peaks(mut start: u64, end: u64) -> impl Iterator<Item = (u32, u64)> {
    std::iter::from_fn(move || {
        let level = end.checked_sub(start)?.checked_ilog2()?;
        let number = start >> level;
        start = start.saturating_add(1 << level);
        Some((level, number))
    })
}

/// The hash over leaves `start` to `end` of a larger tree: `MTH(D[start:end])`.
fn range_root<E>(
    start: u64,
    end: u64,
    subtree: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let mut hashes = Vec::new();
    for (level, number) in peaks(start, end) {
        hashes.push(subtree(level, number)?);
    }
    Ok(fold(hashes.into_iter()).unwrap_or_else(empty_root))
}

/// The hash over subtrees that become smaller from left to right.
fn fold(hashes: impl DoubleEndedIterator<Item = Hash>) -> Option<Hash> {
    hashes.rev().reduce(|right, left| node(&left, &right))
}

/// The root of the tree of the first `size` leaves.
pub(crate) fn root<E>(size: u64, subtree: &mut dyn FnMut(u32, u64) -> Result<Hash, E>) -> Result<Hash, E> {
    range_root(0, size, subtree)
}

/// `PATH(index, D[size])`, from the sibling of the leaf upward. Empty where `index` is not in the tree.
pub(crate) fn inclusion_path<E>(
    index: u64,
    size: u64,
    subtree: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut start, mut end, mut path) = (0, size, Vec::new());
    while index < size && end.saturating_sub(start) > 1 {
        let middle = start.saturating_add(split(end.saturating_sub(start)));
        if index < middle {
            path.push(range_root(middle, end, subtree)?);
            end = middle;
        } else {
            path.push(range_root(start, middle, subtree)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// `PROOF(old, D[new])`. Empty where there is nothing to prove: from the empty tree, and from a tree to itself.
pub(crate) fn consistency_path<E>(
    old: u64,
    new: u64,
    subtree: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut start, mut end, mut path) = (0_u64, new, Vec::new());
    if old == 0 || old > new {
        return Ok(path);
    }
    // Whether the subtree looked at is all of the old tree, whose root the verifier has.
    let mut whole = true;
    while old < end {
        let middle = start.saturating_add(split(end.saturating_sub(start)));
        if old <= middle {
            path.push(range_root(middle, end, subtree)?);
            end = middle;
        } else {
            path.push(range_root(start, middle, subtree)?);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range_root(start, end, subtree)?);
    }
    path.reverse();
    Ok(path)
}

/// The root that follows from a leaf and its path; `None` if they do not belong to a tree of this size.
pub(crate) fn root_by_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let (mut at, mut last) = (index, size.checked_sub(1)?);
    if at > last {
        return None;
    }
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// The roots of the old and of the new tree that follow from a consistency path; `None` if it does not belong to
/// trees of these sizes. What is compared with them is the caller's affair.
pub(crate) fn roots_by_consistency(
    (old, old_root): (u64, &Hash),
    new: u64,
    path: &[Hash],
) -> Option<(Hash, Hash)> {
    if old == 0 || old >= new {
        return None;
    }
    let (first, rest) = if old.is_power_of_two() { (old_root, path) } else { path.split_first()? };
    let (mut at, mut last) = (old.saturating_sub(1), new.saturating_sub(1));
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut before, mut after) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            before = node(sibling, &before);
            after = node(sibling, &after);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            after = node(&after, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some((before, after))
}

/// The inner nodes of a tile: hashes of its eight lower levels, and at the end the one over all of a full tile.
#[derive(Debug)]
pub(crate) struct TileNodes(Vec<Vec<Hash>>);

impl TileNodes {
    /// Of the hashes of a tile; of a partial one those subtrees that are complete.
    pub(crate) fn new(hashes: &[Hash]) -> TileNodes {
        let mut levels = vec![hashes.to_vec()];
        for _ in 0..TILE_HEIGHT {
            let below = levels.last().map_or(&[][..], Vec::as_slice);
            let (pairs, _odd) = below.as_chunks::<2>();
            levels.push(pairs.iter().map(|[left, right]| node(left, right)).collect());
        }
        TileNodes(levels)
    }

    /// The hash `level` levels above those of the tile, by its number within the tile.
    pub(crate) fn get(&self, level: u32, number: u64) -> Option<Hash> {
        self.0.get(narrow(u64::from(level)))?.get(narrow(number)).copied()
    }

    /// The hashes of the tile itself.
    pub(crate) fn hashes(&self) -> &[Hash] {
        self.0.first().map_or(&[], Vec::as_slice)
    }
}

/// The growing tree as it must be known to go on: of each tile level the hashes of the one tile that is not full.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Frontier {
    /// A frontier out of the hashes of the partial tiles; `None` if they are not those of a tree of this size.
    pub(crate) fn from_parts(size: u64, levels: Vec<Vec<Hash>>) -> Option<Frontier> {
        let mut left = size;
        for hashes in &levels {
            if wide(hashes.len()) != left % wide(TILE_HASHES) {
                return None;
            }
            left /= wide(TILE_HASHES);
        }
        (left == 0).then_some(Frontier { size, levels })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Of each tile level the hashes of the tile that is not full; empty where all tiles are.
    pub(crate) fn levels(&self) -> &[Vec<Hash>] {
        &self.levels
    }

    /// Adds a leaf; `full` gets every tile that becomes full by it: its level, its number, its hashes.
    pub(crate) fn push(&mut self, leaf: Hash, full: &mut dyn FnMut(u8, u64, Vec<Hash>)) {
        self.size = self.size.saturating_add(1);
        let mut hash = leaf;
        for level in 0_u8..8 {
            let place = usize::from(level);
            if self.levels.len() == place {
                self.levels.push(Vec::with_capacity(TILE_HASHES));
            }
            let Some(hashes) = self.levels.get_mut(place) else { return };
            hashes.push(hash);
            if hashes.len() < TILE_HASHES {
                return;
            }
            let hashes = std::mem::replace(hashes, Vec::with_capacity(TILE_HASHES));
            hash = tile_root(&hashes);
            let tiles = self.size.checked_shr(TILE_HEIGHT * (u32::from(level) + 1)).unwrap_or(0);
            let number = tiles.saturating_sub(1);
            full(level, number, hashes);
        }
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let mut right: Option<Hash> = None;
        for hashes in &self.levels {
            let ends = peaks(0, wide(hashes.len())).map(|(level, number)| {
                let start = narrow(number << level);
                tile_root(hashes.get(start..start.saturating_add(1 << level)).unwrap_or_default())
            });
            let mut parts = ends.collect::<Vec<_>>();
            parts.extend(right);
            right = fold(parts.into_iter());
        }
        right.unwrap_or_else(empty_root)
    }
}

/// The hash over a power of two of hashes.
fn tile_root(hashes: &[Hash]) -> Hash {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        let (pairs, _odd) = level.as_chunks::<2>();
        level = pairs.iter().map(|[left, right]| node(left, right)).collect();
    }
    level.first().copied().unwrap_or_else(empty_root)
}
