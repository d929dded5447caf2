//! The tree of one open log: its frontier in memory, its full tiles on disk, its leaves in the segments.
//!
//! The segments alone are the truth. The frontier follows them, beside the commits. A tile that is missing is made
//! again from the leaf hashes of the segments. Every answer is checked against the root of the frontier before it is
//! given out: a tile that was damaged can not lead there, and is made again too. Not here: the hashing (`merkle`),
//! the files (`tiles`), when the frontier moves (`tender`).

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    sync::Arc,
};

use super::{
    ProofError,
    checkpoint::TreeHead,
    merkle::{
        Frontier, Hash, TILE_HASHES, TILE_HEIGHT, TileNodes, consistency_path, inclusion_path, root,
        roots_by_consistency,
    },
    proofs::{ConsistencyProof, InclusionProof},
    tiles::{Anchor, read_tile, read_tree, tile_path, write_partial, write_tile, write_tree},
};
use crate::{
    ReadError,
    core::{Core, segment_of},
    follow,
    frame::FrameKind,
    segment::Block,
};

/// Leaves read before their full tiles are handed on: so many are held.
const SLICE: u64 = 16_384;
/// Tiles remembered with their inner nodes, 16 KiB each. Ten million leaves have some 150 above the lowest level.
const KNOWN_TILES_MAX: usize = 256;

/// The tree of one log. Behind a lock in [`Core`].
#[derive(Debug)]
pub(crate) struct Tree {
    frontier: Frontier,
    /// Full tiles above the lowest level that are not on disk, because this process may not write or could not.
    held: HashMap<(u8, u64), Vec<Hash>>,
    /// The size in the `tree` file.
    saved: u64,
    /// Whether tiles and the `tree` file are kept on disk here.
    writes: bool,
    /// The last root that was asked for, and its size.
    root: Cell<Option<TreeHead>>,
    /// Tiles that led to the root, by level, number and width: those above the lowest level, and those at the edge.
    known: RefCell<HashMap<(u8, u64, usize), Arc<TileNodes>>>,
}

impl Tree {
    /// The tree as far as the `tree` file knows it, or an empty one with the reason why.
    pub(crate) fn load(core: &Core, writes: bool) -> Result<(Tree, Option<&'static str>), ReadError> {
        // Another process writes this log: its tree may be ahead of what was seen of its segments.
        follow::refresh(core)?;
        let why = match read_tree(core) {
            Ok((anchor, frontier)) if confirms(core, &anchor, &frontier)? => {
                let saved = frontier.size();
                return Ok((Tree { frontier, saved, ..Tree::empty(writes) }, None));
            }
            Ok(_) => "the log does not confirm the tree file",
            Err(why) => why,
        };
        Ok((Tree::empty(writes), Some(why)))
    }

    pub(crate) fn empty(writes: bool) -> Tree {
        Tree {
            frontier: Frontier::default(),
            held: HashMap::new(),
            saved: 0,
            writes,
            root: Cell::default(),
            known: RefCell::default(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn saved(&self) -> u64 {
        self.saved
    }

    pub(crate) fn head(&self) -> TreeHead {
        let size = self.frontier.size();
        if let Some(known) = self.root.get().filter(|known| known.size == size) {
            return known;
        }
        let head = TreeHead { size, root: self.frontier.root() };
        self.root.set(Some(head));
        head
    }

    /// Takes in the leaves up to position `until`, which is durable.
    pub(crate) fn advance(&mut self, core: &Core, until: u64) -> Result<(), ReadError> {
        while self.frontier.size() < until {
            let after = self.frontier.size();
            let end = after.saturating_add(SLICE).min(until);
            let mut full = Vec::new();
            let frontier = &mut self.frontier;
            let read = leaves(core, after, end, &mut |leaf| {
                frontier.push(leaf, &mut |level, number, hashes| full.push((level, number, hashes)));
            });
            for (level, number, hashes) in full {
                self.keep(core, level, number, hashes);
            }
            read?;
        }
        Ok(())
    }

    /// Puts a full tile where it is found again.
    fn keep(&mut self, core: &Core, level: u8, number: u64, hashes: Vec<Hash>) {
        if self.writes {
            let path = tile_path(&core.dir, level, number);
            match write_tile(&*core.storage, &path, &hashes) {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "a tile of the tree could not be written");
                }
            }
        }
        // The lowest tiles are one look at a segment away; all others are few.
        if level > 0 {
            self.held.insert((level, number), hashes);
        }
    }

    /// Writes the `tree` file, so that the next start goes on from here.
    pub(crate) fn save(&mut self, core: &Core) -> Result<(), ProofError> {
        let size = self.frontier.size();
        if size == self.saved || size == 0 || !self.writes {
            return Ok(());
        }
        let anchor = anchor_of(core, size)?.ok_or(ProofError::Beyond { position: size, head: 0 })?;
        write_tree(core, &anchor, &self.frontier).map_err(ProofError::io("writing the tree file", core))?;
        self.saved = size;
        Ok(())
    }

    /// Writes the partial tiles of this size: a signed head promises them to whoever reads tiles.
    pub(crate) fn write_partials(&self, core: &Core) -> Result<(), ProofError> {
        for (level, hashes) in (0_u8..).zip(self.frontier.levels()).filter(|(_, hashes)| !hashes.is_empty()) {
            let number = self.edge(level);
            let path = tile_path(&core.dir, level, number);
            write_partial(&*core.storage, &path, hashes)
                .map_err(ProofError::io("writing a partial tile", core))?;
        }
        Ok(())
    }

    /// The number of the tile that is not full.
    fn edge(&self, level: u8) -> u64 {
        let shift = TILE_HEIGHT.saturating_mul(u32::from(level).saturating_add(1));
        self.frontier.size().checked_shr(shift).unwrap_or(0)
    }

    /// The head of the tree when it had `size` leaves.
    pub(crate) fn head_at(&self, core: &Core, size: u64) -> Result<TreeHead, ProofError> {
        Ok(self.consistency(core, size, self.size())?.old)
    }

    /// That the record at `position` is in the tree of the first `size` positions.
    pub(crate) fn inclusion(
        &self,
        core: &Core,
        position: u64,
        size: u64,
    ) -> Result<InclusionProof, ProofError> {
        if position == 0 || position > size || size > self.size() {
            return Err(ProofError::Beyond { position: position.max(size), head: self.size() });
        }
        let index = position.saturating_sub(1);
        let now = self.head();
        self.answer(
            core,
            |look| {
                let leaf = look.subtree(0, index)?;
                let path = inclusion_path(index, size, &mut |level, number| look.subtree(level, number))?;
                let tree = look.head_at(size)?;
                let since = look.consistency(size, now.size)?;
                Ok((InclusionProof { position, leaf, tree, path }, since))
            },
            |(proof, since)| proof.holds() && leads_to(proof.tree, since, now),
        )
        .map(|(proof, _)| proof)
    }

    /// That the tree of the first `new` positions continues that of the first `old`.
    pub(crate) fn consistency(
        &self,
        core: &Core,
        old: u64,
        new: u64,
    ) -> Result<ConsistencyProof, ProofError> {
        if old > new || new > self.size() {
            return Err(ProofError::Beyond { position: old.max(new), head: new.min(self.size()) });
        }
        let now = self.head();
        self.answer(
            core,
            |look| {
                let path = look.consistency(old, new)?;
                let (old, new) = (look.head_at(old)?, look.head_at(new)?);
                let since = look.consistency(new.size, now.size)?;
                Ok((ConsistencyProof { old, new, path }, since))
            },
            |(proof, since)| proof.holds() && leads_to(proof.new, since, now),
        )
        .map(|(proof, _)| proof)
    }

    /// Makes an answer out of tiles. If it does not hold, the tiles it came from are made again from the segments,
    /// lowest first, until it does. Only then they replace those on disk.
    fn answer<T>(
        &self,
        core: &Core,
        make: impl Fn(&mut Look<'_>) -> Result<T, ProofError>,
        holds: impl Fn(&T) -> bool,
    ) -> Result<T, ProofError> {
        let mut look = Look { core, tree: self, tiles: HashMap::new() };
        let mut answer = make(&mut look)?;
        if !holds(&answer) {
            let mut suspects = look.tiles_of_disk();
            suspects.sort_unstable();
            for (level, number) in suspects {
                look.make_again(level, number)?;
                answer = make(&mut look)?;
                if holds(&answer) {
                    break;
                }
            }
        }
        if holds(&answer) {
            look.store_remade();
            look.remember();
            Ok(answer)
        } else {
            Err(ProofError::Contradiction { tree: self.head() })
        }
    }
}

/// Whether a tree of one size is known to continue as that of another, by the path between them.
fn leads_to(old: TreeHead, path: &[Hash], now: TreeHead) -> bool {
    if old.size == now.size {
        return old.root == now.root;
    }
    old.size == 0 || roots_by_consistency((old.size, &old.root), now.size, path) == Some((old.root, now.root))
}

/// A tile in use for one answer.
#[derive(Debug)]
struct Looked {
    nodes: Arc<TileNodes>,
    from: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Known for certain: it led to the root before.
    Memory,
    Disk,
    /// Made again out of the segments.
    Segments,
}

/// The tiles one answer is made of.
struct Look<'a> {
    core: &'a Core,
    tree: &'a Tree,
    tiles: HashMap<(u8, u64), Looked>,
}

impl Look<'_> {
    /// The hash over a complete subtree.
    fn subtree(&mut self, level: u32, number: u64) -> Result<Hash, ProofError> {
        let (tile_level, within) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let tile_level = u8::try_from(tile_level).unwrap_or(u8::MAX);
        let inner = TILE_HEIGHT.saturating_sub(within);
        let tile = number >> inner;
        if !self.tiles.contains_key(&(tile_level, tile)) {
            let looked = self.load(tile_level, tile)?;
            self.tiles.insert((tile_level, tile), looked);
        }
        let found = self.tiles.get(&(tile_level, tile));
        let found = found.and_then(|looked| looked.nodes.get(within, number & ((1 << inner) - 1)));
        found.ok_or_else(|| ProofError::Contradiction { tree: self.tree.head() })
    }

    fn load(&self, level: u8, number: u64) -> Result<Looked, ProofError> {
        let at_edge = number == self.tree.edge(level);
        let edge = self.tree.frontier.levels().get(usize::from(level)).filter(|_| at_edge);
        let width = edge.map_or(TILE_HASHES, Vec::len);
        if let Some(nodes) = self.tree.known.borrow().get(&(level, number, width)) {
            return Ok(Looked { nodes: Arc::clone(nodes), from: Source::Memory });
        }
        let looked = |hashes: &[Hash], from| Ok(Looked { nodes: Arc::new(TileNodes::new(hashes)), from });
        if let Some(hashes) = edge.or_else(|| self.tree.held.get(&(level, number))) {
            return looked(hashes, Source::Memory);
        }
        let path = tile_path(&self.core.dir, level, number);
        match read_tile(&*self.core.storage, &path) {
            Some(hashes) => looked(&hashes, Source::Disk),
            None => looked(&tile_from_leaves(self.core, level, number)?, Source::Segments),
        }
    }

    fn head_at(&mut self, size: u64) -> Result<TreeHead, ProofError> {
        let root = root(size, &mut |level, number| self.subtree(level, number))?;
        Ok(TreeHead { size, root })
    }

    fn consistency(&mut self, old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
        consistency_path(old, new, &mut |level, number| self.subtree(level, number))
    }

    fn tiles_of_disk(&self) -> Vec<(u8, u64)> {
        self.tiles.iter().filter(|(_, looked)| looked.from == Source::Disk).map(|(place, _)| *place).collect()
    }

    /// Takes a tile from the segments, if that makes a difference.
    fn make_again(&mut self, level: u8, number: u64) -> Result<(), ProofError> {
        let hashes = tile_from_leaves(self.core, level, number)?;
        if let Some(looked) = self.tiles.get_mut(&(level, number))
            && looked.nodes.hashes() != hashes
        {
            *looked = Looked { nodes: Arc::new(TileNodes::new(&hashes)), from: Source::Segments };
        }
        Ok(())
    }

    /// Keeps what led to the root, for the next answers.
    fn remember(&self) {
        let mut known = self.tree.known.borrow_mut();
        if known.len() > KNOWN_TILES_MAX {
            known.clear();
        }
        for ((level, number), looked) in &self.tiles {
            if *level > 0 || looked.from == Source::Memory {
                let width = looked.nodes.hashes().len();
                known.insert((*level, *number, width), Arc::clone(&looked.nodes));
            }
        }
    }

    /// Puts the tiles that were made again in the place of the missing or damaged ones.
    fn store_remade(&self) {
        for ((level, number), looked) in &self.tiles {
            if looked.from != Source::Segments || !self.tree.writes {
                continue;
            }
            let path = tile_path(&self.core.dir, *level, *number);
            match write_tile(&*self.core.storage, &path, looked.nodes.hashes()) {
                Ok(()) => {
                    tracing::warn!(file = %path.display(), "a tile was missing or damaged and was made again");
                }
                Err(error) => tracing::warn!(file = %path.display(), %error, "a tile can not be written"),
            }
        }
    }
}

/// A full tile out of the leaf hashes of the segments.
fn tile_from_leaves(core: &Core, level: u8, number: u64) -> Result<Vec<Hash>, ReadError> {
    let shift = TILE_HEIGHT.saturating_mul(u32::from(level).saturating_add(1));
    let width = 1_u64.checked_shl(shift).unwrap_or(u64::MAX);
    let after = number.saturating_mul(width);
    let mut frontier = Frontier::default();
    let mut tile = Vec::with_capacity(TILE_HASHES);
    leaves(core, after, after.saturating_add(width), &mut |leaf| {
        frontier.push(leaf, &mut |made, _, hashes| {
            if made == level {
                tile = hashes;
            }
        });
    })?;
    Ok(tile)
}

/// The root over the first `size` leaf hashes of the segments, and nothing else.
pub(crate) fn root_of_leaves(core: &Core, size: u64) -> Result<Hash, ReadError> {
    let mut frontier = Frontier::default();
    leaves(core, 0, size, &mut |leaf| frontier.push(leaf, &mut |_, _, _| {}))?;
    Ok(frontier.root())
}

/// Hands the leaf hashes of the positions above `after` up to `until` to `visit`, in order.
pub(crate) fn leaves(
    core: &Core,
    after: u64,
    until: u64,
    visit: &mut dyn FnMut(Hash),
) -> Result<(), ReadError> {
    let segments = core.segments();
    let mut next = after.saturating_add(1);
    while next <= until {
        let Some((segment, end)) = segment_of(&segments, next, until) else { break };
        let mut block = Block::forward();
        let mut offset = segment.offset_of(next)?;
        while next <= end {
            let frame = block.frame(segment, offset)?;
            if frame.header.kind == FrameKind::Record {
                let raw = segment.decode(&frame)?;
                if raw.position != next {
                    return Err(segment.damage(offset, "a record does not have the next position"));
                }
                visit(raw.leaf);
                next = next.saturating_add(1);
            }
            offset = offset.saturating_add(frame.header.frame_bytes());
        }
    }
    Ok(())
}

/// What ties a tree of this size to the log; `None` beyond its head.
fn anchor_of(core: &Core, size: u64) -> Result<Option<Anchor>, ReadError> {
    let head = core.head().position;
    if size == 0 || size > head {
        return Ok(None);
    }
    let segments = core.segments();
    let Some((segment, _)) = segment_of(&segments, size, head) else { return Ok(None) };
    let leaf = segment.record(&mut Block::scattered(), size)?.leaf;
    let header = &segment.header;
    let (segment_first, segment_hash) = (header.first, header.previous_hash);
    Ok(Some(Anchor { log: core.log, leaf, segment_first, segment_hash }))
}

fn confirms(core: &Core, anchor: &Anchor, frontier: &Frontier) -> Result<bool, ReadError> {
    let found = anchor_of(core, frontier.size())?;
    // Where the last leaf is in the frontier it has to be that of the record, too.
    let last = frontier.levels().first().and_then(|leaves| leaves.last());
    Ok(found.as_ref() == Some(anchor) && last.is_none_or(|last| *last == anchor.leaf))
}
