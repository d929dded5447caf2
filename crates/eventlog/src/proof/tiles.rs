//! Tiles on disk (c2sp.org/tlog-tiles): 256 hashes of one level of the tree in a file, and the `tree` file, from
//! which the tree goes on after a start.
//!
//! ```text
//! <dir>/proof/tile/<level>/x001/x234/067        full: 256 hashes of 32 bytes
//! <dir>/proof/tile/<level>/x001/x234/067.p/17   partial: 17 hashes, as the tree of a signed head has it
//! <dir>/proof/tree                              the partial tiles of all levels, with a checksum; ours alone
//! ```
//! All of it is derived: it may vanish, and what is read from it is believed only when it leads to the root of the
//! tree. Not here: the tree in memory and what is made again (`tree`).

use std::{
    ffi::OsStr,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

use super::merkle::{Frontier, Hash, TILE_HASHES};
use crate::{
    codec::{Input, narrow, small, wide},
    core::Core,
    storage::{Storage, create_anew, read_full, write_full},
};

pub(crate) const HASH_BYTES: usize = 32;
const MAGIC: &[u8; 8] = b"DSTRMTRE";
const FORMAT: u32 = 1;
/// Levels of tiles a tree of 2^64 leaves has.
const LEVELS_MAX: u32 = 8;
/// The longest `tree` file: eight levels of 255 hashes.
const TREE_BYTES_MAX: usize = 128 * 1024;

/// The folder with everything about proofs: served as it is, it is a log of c2sp.org/tlog-tiles.
pub(crate) fn proof_dir(dir: &Path) -> PathBuf {
    dir.join("proof")
}

/// The place of a full tile.
pub(crate) fn tile_path(dir: &Path, level: u8, number: u64) -> PathBuf {
    let mut path = format!("tile/{level}/");
    let mut groups = vec![number % 1_000];
    let mut left = number / 1_000;
    while left > 0 {
        groups.push(left % 1_000);
        left /= 1_000;
    }
    for (place, group) in groups.iter().enumerate().rev() {
        let written = if place == 0 { write!(path, "{group:03}") } else { write!(path, "x{group:03}/") };
        // Writing to a string does not fail.
        written.unwrap_or_default();
    }
    proof_dir(dir).join(path)
}

/// The folder of the partial tiles of a tile.
fn partial_dir(full: &Path) -> PathBuf {
    let mut name = full.file_name().unwrap_or_default().to_owned();
    name.push(".p");
    full.with_file_name(name)
}

fn join(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The hashes of a full tile; `None` if there is none, or it has another length.
pub(crate) fn read_tile(storage: &dyn Storage, path: &Path) -> Option<Vec<Hash>> {
    let file = storage.open(path, false).ok()?;
    let mut bytes = vec![0; TILE_HASHES.saturating_mul(HASH_BYTES)];
    if file.length().ok()? != wide(bytes.len()) || read_full(&*file, &mut bytes, 0).ok()? != bytes.len() {
        return None;
    }
    let (hashes, _none_left) = bytes.as_chunks::<HASH_BYTES>();
    Some(hashes.to_vec())
}

/// Writes a full tile; the partial ones of it are of no more use.
pub(crate) fn write_tile(storage: &dyn Storage, path: &Path, hashes: &[Hash]) -> io::Result<()> {
    write_in_folder(storage, path, &join(hashes))?;
    let partial = partial_dir(path);
    if let Ok(names) = storage.list(&partial) {
        for name in names {
            storage.remove(&partial.join(name))?;
        }
        storage.remove_dir(&partial)?;
    }
    Ok(())
}

/// Writes the partial tile beside where the full one will be.
pub(crate) fn write_partial(storage: &dyn Storage, full: &Path, hashes: &[Hash]) -> io::Result<()> {
    write_in_folder(storage, &partial_dir(full).join(hashes.len().to_string()), &join(hashes))
}

fn write_in_folder(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = match storage.create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            storage.create_dir_all(path.parent().unwrap_or(path))?;
            storage.create(path)?
        }
        made => made?,
    };
    write_full(&*file, bytes, 0)
}

/// Puts a file in place in one step, durable when this returns.
pub(crate) fn replace(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let mut aside = path.file_name().unwrap_or(OsStr::new("file")).to_owned();
    aside.push("-new");
    let aside = path.with_file_name(aside);
    let file = match create_anew(storage, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            storage.create_dir_all(folder)?;
            for above in [folder.parent(), folder.parent().and_then(Path::parent)].into_iter().flatten() {
                storage.sync_dir(above)?;
            }
            storage.create(&aside)?
        }
        made => made?,
    };
    write_full(&*file, bytes, 0)?;
    file.sync_data()?;
    storage.rename(&aside, path)?;
    storage.sync_dir(folder)
}

/// The whole of a small file; longer ones are refused.
pub(crate) fn read_small(storage: &dyn Storage, path: &Path, max: usize) -> io::Result<Vec<u8>> {
    let file = storage.open(path, false)?;
    let length = narrow(file.length()?);
    if length > max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is too long"));
    }
    let mut bytes = vec![0; length];
    let read = read_full(&*file, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// What the `tree` file belongs to. It is used only where the log confirms all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) log: [u8; 16],
    /// The leaf hash at the last position.
    pub(crate) leaf: Hash,
    /// The segment that position is in: its first position, and the running hash of everything before it.
    pub(crate) segment_first: u64,
    pub(crate) segment_hash: Hash,
}

fn tree_path(core: &Core) -> PathBuf {
    proof_dir(&core.dir).join("tree")
}

/// Writes the `tree` file. Returns when it is on stable storage.
pub(crate) fn write_tree(core: &Core, anchor: &Anchor, frontier: &Frontier) -> io::Result<()> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&FORMAT.to_le_bytes());
    out.extend_from_slice(&anchor.log);
    out.extend_from_slice(&anchor.leaf);
    out.extend_from_slice(&anchor.segment_first.to_le_bytes());
    out.extend_from_slice(&anchor.segment_hash);
    out.extend_from_slice(&frontier.size().to_le_bytes());
    out.extend_from_slice(&small(frontier.levels().len()).to_le_bytes());
    for hashes in frontier.levels() {
        out.extend_from_slice(&small(hashes.len()).to_le_bytes());
        out.extend_from_slice(&join(hashes));
    }
    let checksum = crc32c::crc32c(&out);
    out.extend_from_slice(&checksum.to_le_bytes());
    replace(&*core.storage, &tree_path(core), &out)
}

/// The `tree` file; the error says why there is none to be used.
pub(crate) fn read_tree(core: &Core) -> Result<(Anchor, Frontier), &'static str> {
    let bytes = read_small(&*core.storage, &tree_path(core), TREE_BYTES_MAX)
        .map_err(|_| "the tree file is not there or can not be read")?;
    let (fields, checksum) = bytes.split_last_chunk::<4>().ok_or("the tree file is cut short")?;
    if u32::from_le_bytes(*checksum) != crc32c::crc32c(fields) {
        return Err("the checksum of the tree file does not fit");
    }
    decode_tree(Input(fields)).ok_or("the tree file does not have the form of this version")
}

fn decode_tree(mut input: Input<'_>) -> Option<(Anchor, Frontier)> {
    if input.bytes(MAGIC.len())? != MAGIC || input.u32()? != FORMAT {
        return None;
    }
    let (log, leaf) = (input.array()?, input.array()?);
    let anchor = Anchor { log, leaf, segment_first: input.u64()?, segment_hash: input.array()? };
    let (size, levels) = (input.u64()?, input.u32()?);
    if levels > LEVELS_MAX {
        return None;
    }
    let hashes = (0..levels).map(|_| {
        let count = narrow(u64::from(input.u32()?));
        let (hashes, _rest) = input.bytes(count.checked_mul(HASH_BYTES)?)?.as_chunks::<HASH_BYTES>();
        Some(hashes.to_vec())
    });
    let hashes = hashes.collect::<Option<Vec<_>>>()?;
    Some((anchor, Frontier::from_parts(size, hashes).filter(|_| input.0.is_empty())?))
}
