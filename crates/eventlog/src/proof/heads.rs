//! Signed heads on disk: the newest, and those that are kept for good with what witnesses have signed of them.
//!
//! ```text
//! <dir>/proof/checkpoint                     the newest signed head
//! <dir>/proof/heads/<size, 20 digits>.note   one of every ten thousand positions, and every cosigned one
//! ```
//! A head is on stable storage before anybody gets to see it, and it is over durable records only. So the log can
//! never honestly fall behind one, and whoever opens it compares. Heads are no derived data: lost ones are not made
//! again, and a log without them opens. Not here: the format (`checkpoint`).

use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    ProofError,
    checkpoint::{SignedHead, TreeHead},
    note::{KeyKind, NOTE_BYTES_MAX, VerifierKey},
    signer::Signer,
    tiles::{proof_dir, read_small, replace},
    tree::{Tree, root_of_leaves},
};
use crate::{OpenError, core::Core, storage::Storage};

/// Of this many positions one head is kept for good.
const POSITIONS_PER_KEPT_HEAD: u64 = 10_000;

fn newest_path(dir: &Path) -> PathBuf {
    proof_dir(dir).join("checkpoint")
}

fn kept_dir(dir: &Path) -> PathBuf {
    proof_dir(dir).join("heads")
}

fn kept_path(dir: &Path, size: u64) -> PathBuf {
    kept_dir(dir).join(format!("{size:020}.note"))
}

/// The signed heads a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Newest last, with the file it is in.
    pub(crate) heads: Vec<(PathBuf, SignedHead)>,
    /// Files that are there and are no signed heads.
    pub(crate) unreadable: Vec<PathBuf>,
}

impl Found {
    fn read(&mut self, storage: &dyn Storage, path: PathBuf) -> io::Result<()> {
        let bytes = match read_small(storage, &path, NOTE_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Vec::new(),
            Err(error) => return Err(error),
        };
        match std::str::from_utf8(&bytes).ok().and_then(|text| SignedHead::from_str(text).ok()) {
            Some(head) => self.heads.push((path, head)),
            None => self.unreadable.push(path),
        }
        Ok(())
    }

    pub(crate) fn newest(&self) -> Option<&(PathBuf, SignedHead)> {
        self.heads.last()
    }
}

/// The sizes of the heads that are kept for good, ascending.
fn kept_sizes(storage: &dyn Storage, dir: &Path) -> io::Result<Vec<u64>> {
    let names = match storage.list(&kept_dir(dir)) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let size = |name: &std::ffi::OsString| name.to_str()?.strip_suffix(".note")?.parse().ok();
    let mut sizes = names.iter().filter_map(size).collect::<Vec<u64>>();
    sizes.sort_unstable();
    Ok(sizes)
}

/// The newest head that can be read; of those kept for good only the last few are looked at.
pub(crate) fn newest(storage: &dyn Storage, dir: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    for size in kept_sizes(storage, dir)?.into_iter().rev() {
        found.read(storage, kept_path(dir, size))?;
        if !found.heads.is_empty() {
            break;
        }
    }
    found.read(storage, newest_path(dir))?;
    found.heads.sort_by_key(|(_, head)| head.tree().size);
    Ok(found)
}

/// Positions the newest signed head was signed over: so many were on stable storage. 0 if there is none.
pub(crate) fn newest_size(storage: &dyn Storage, dir: &Path) -> io::Result<u64> {
    Ok(newest(storage, dir)?.newest().map_or(0, |(_, head)| head.tree().size))
}

/// All heads, one of a size, oldest first.
pub(crate) fn all(storage: &dyn Storage, dir: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    for size in kept_sizes(storage, dir)? {
        found.read(storage, kept_path(dir, size))?;
    }
    found.read(storage, newest_path(dir))?;
    found.heads.sort_by_key(|(_, head)| head.tree().size);
    // Of two with the same size the kept one, which has the cosignatures, comes first.
    found.heads.dedup_by(|later, first| later.1.note().text() == first.1.note().text());
    Ok(found)
}

/// Copies the heads signed over at most `until` positions, with what witnesses have signed of them, to another folder
/// of the same log, where they are kept for good. Says how many there are.
pub(crate) fn copy_heads(storage: &dyn Storage, from: &Path, to: &Path, until: u64) -> io::Result<u64> {
    let mut copied = 0_u64;
    for (_, head) in all(storage, from)?.heads.iter().filter(|(_, head)| head.tree().size <= until) {
        replace(storage, &kept_path(to, head.tree().size), head.to_string().as_bytes())?;
        copied = copied.saturating_add(1);
    }
    Ok(copied)
}

/// The head of exactly this size, if one is there.
pub(crate) fn of_size(storage: &dyn Storage, dir: &Path, size: u64) -> io::Result<Option<SignedHead>> {
    let mut found = Found::default();
    found.read(storage, kept_path(dir, size))?;
    found.read(storage, newest_path(dir))?;
    Ok(found.heads.into_iter().map(|(_, head)| head).find(|head| head.tree().size == size))
}

/// Puts a head on stable storage; `keep` it for good.
fn store(core: &Core, head: &SignedHead, newest: bool, keep: bool) -> Result<(), ProofError> {
    let (storage, size) = (&*core.storage, head.tree().size);
    let failed = || ProofError::io("writing a signed head", core);
    if keep {
        replace(storage, &kept_path(&core.dir, size), head.to_string().as_bytes()).map_err(failed())?;
    }
    if newest {
        replace(storage, &newest_path(&core.dir), head.to_string().as_bytes()).map_err(failed())?;
    }
    Ok(())
}

/// Signs the head of the log as it is now, or gives the newest signed one if that is it.
pub(crate) fn sign(core: &Core, tree: &mut Tree, signer: &Signer) -> Result<SignedHead, ProofError> {
    let position = core.head().position;
    tree.advance(core, position)?;
    let origin = signer.origin(&core.log);
    let mut head = SignedHead::unsigned(&origin, tree.head());
    let found = newest(&*core.storage, &core.dir).map_err(ProofError::io("reading signed heads", core))?;
    let before = found.newest().map(|(_, head)| head);
    if let Some(before) = before.filter(|before| before.note().text() == head.note().text()) {
        let ours = signer.verifier_key(&origin, KeyKind::Log)?;
        if !before.note().verify(&[ours])?.is_empty() {
            return Ok(before.clone());
        }
    }
    signer.sign(&mut head);
    tree.write_partials(core)?;
    tree.save(core)?;
    let kept = |size: u64| size / POSITIONS_PER_KEPT_HEAD;
    let last = kept_sizes(&*core.storage, &core.dir).map_err(ProofError::io("listing signed heads", core))?;
    let keep = last.last().is_none_or(|last| kept(*last) < kept(position));
    store(core, &head, true, keep)?;
    tracing::debug!(size = position, "signed the head of the log");
    Ok(head)
}

/// Keeps what witnesses have signed of a head of this log.
pub(crate) fn keep_cosigned(
    core: &Core,
    tree: &Tree,
    head: &SignedHead,
    known: (&VerifierKey, &[VerifierKey]),
) -> Result<SignedHead, ProofError> {
    let (ours, witnesses) = known;
    let size = head.tree().size;
    if head.note().verify(std::slice::from_ref(ours))?.is_empty() {
        return Err(ProofError::NotOurs { head: head.tree() });
    }
    let found = tree.head_at(core, size)?;
    if found != head.tree() {
        return Err(ProofError::OtherRoot { signed: head.tree(), found });
    }
    head.note().verify(witnesses)?;
    let reading = || ProofError::io("reading signed heads", core);
    let same = of_size(&*core.storage, &core.dir, size).map_err(reading())?;
    let same = same.filter(|same| same.note().text() == head.note().text());
    let mut merged = same.unwrap_or_else(|| head.clone());
    for signature in head.note().signatures() {
        if witnesses.iter().any(|key| key.kind() == KeyKind::Witness && key.made(signature)) {
            merged.note_mut().add(signature.clone());
        }
    }
    let latest = newest(&*core.storage, &core.dir).map_err(reading())?;
    let is_newest = latest.newest().is_some_and(|(_, latest)| latest.tree().size == size);
    store(core, &merged, is_newest, true)?;
    Ok(merged)
}

/// What the signed heads say when a log is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadsReport {
    /// The newest signed head, which the log continues.
    pub newest: Option<TreeHead>,
    /// Files that should be signed heads and are not. They were left alone and say nothing.
    pub unreadable: Vec<PathBuf>,
    /// Why the tiles of the tree are made again, if they are. It goes on beside the commits.
    pub tree_rebuilt: Option<String>,
}

/// Compares the log with its newest signed head, and gives the tree to go on with. Tiles are kept on disk where the
/// log signs.
pub(crate) fn check(core: &Core, signs: bool) -> Result<(Tree, HeadsReport), OpenError> {
    let io = |source| OpenError::Io { doing: "reading signed heads", path: proof_dir(&core.dir), source };
    let head = core.head().position;
    let found = newest(&*core.storage, &core.dir).map_err(io)?;
    for path in &found.unreadable {
        tracing::warn!(file = %path.display(), "this should be a signed head and is none; it says nothing");
    }
    let (mut tree, why) = Tree::load(core, signs).map_err(OpenError::Damaged)?;
    if let Some((path, signed)) = found.newest() {
        let signed = signed.tree();
        let contradicts = |found| OpenError::Contradicted {
            file: path.clone(),
            signed: Box::new(signed),
            found: Box::new(found),
        };
        if signed.size > head {
            let root = root_of_leaves(core, head).map_err(OpenError::Damaged)?;
            return Err(contradicts(TreeHead { size: head, root }));
        }
        // A tree that does not fit may be damaged itself: the leaves in the segments decide.
        let fits = why.is_none()
            && tree.advance(core, signed.size).is_ok()
            && tree.head_at(core, signed.size).is_ok_and(|found| found == signed);
        if !fits {
            let root = root_of_leaves(core, signed.size).map_err(OpenError::Damaged)?;
            if root != signed.root {
                return Err(contradicts(TreeHead { size: signed.size, root }));
            }
            tree = Tree::empty(signs);
        }
    }
    let rebuilt =
        (signs && tree.size() == 0 && head > 0).then(|| why.unwrap_or("it contradicted a signed head"));
    if let Some(why) = rebuilt {
        tracing::info!(dir = %core.dir.display(), why, "the tiles of the tree are made again");
    }
    let newest = found.newest().map(|(_, head)| head.tree());
    Ok((tree, HeadsReport { newest, unreadable: found.unreadable, tree_rebuilt: rebuilt.map(Into::into) }))
}
