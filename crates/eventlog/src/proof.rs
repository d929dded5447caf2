//! Proving the history of a log: an RFC 6962 tree over its leaf hashes, signed heads, proofs, witnesses.
//!
//! - [`EventLog::signed_head`] signs size and root of the tree; [`LogReader::signed_heads`] gives those that are kept.
//! - [`LogReader::inclusion_proof`] shows that a record is in a tree, [`LogReader::consistency_proof`] that a tree
//!   continues an older one, [`LogReader::proof_file`] carries a record and its proof to somebody without the log.
//! - [`EventLog::keep_cosigned`] keeps what witnesses have signed of a head.
//!
//! Formats are those of C2SP (signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature, tlog-proof), so that tools
//! that are not ours read and verify all of it; `docs/proofs.md` says what an auditor does with them. Nothing here is
//! on the way of an acknowledgement. Here: what the log and its readers offer. Not here: the parts (see the modules).

mod check;
mod checkpoint;
mod entry;
mod heads;
mod merkle;
mod note;
mod proofs;
mod signer;
mod tender;
#[cfg(test)]
mod tests;
mod tiles;
mod tree;

use std::{io, path::PathBuf, sync::PoisonError};

pub use checkpoint::{SignedHead, TreeHead};
pub use heads::HeadsReport;
pub use note::{
    KeyKind, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, Note, NoteError, NoteSignature, Verified, VerifierKey,
};
pub use proofs::{ConsistencyProof, InclusionProof, PROOF_BYTES_MAX, ProofFile, ProofFileError, Proven};
pub use signer::Signer;

pub(crate) use check::TreeCheck;
pub(crate) use heads::{check, copy_heads, newest_size};
pub(crate) use tender::Tender;

use crate::{EventLog, LogReader, ReadError, core::Core, sync::Mutex};
use tree::Tree;

/// Why something can not be proven or signed.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The segments could not be read.
    #[error("the log could not be read for a proof")]
    Read(#[from] ReadError),
    /// A position or size that is not recorded.
    #[error("position {position} is not in the tree, which has {head} positions; ask for one of those")]
    Beyond {
        /// The position or size asked for.
        position: u64,
        /// Positions in the tree.
        head: u64,
    },
    /// No key was given.
    #[error("the log has no key to sign with; open it with one (Options::signer)")]
    NoSigner,
    /// No signed head is that new.
    #[error("position {position} is in no signed head yet, the newest has {signed}; sign the head first")]
    NotSigned {
        /// The position asked for.
        position: u64,
        /// Positions in the newest signed head.
        signed: u64,
    },
    /// The records do not lead to the root they once led to.
    #[error("the records on disk do not lead to the root of the tree ({tree}); verify the log")]
    Contradiction {
        /// The tree.
        tree: TreeHead,
    },
    /// A note is not as it should be.
    #[error("the note is not to be believed")]
    Note(#[from] NoteError),
    /// A head that this log did not sign.
    #[error("the head with {head} is not signed by this log; nothing of it was kept")]
    NotOurs {
        /// The head.
        head: TreeHead,
    },
    /// A head of this log, signed with its key, that it does not continue.
    #[error(
        "a head of this log is signed with {signed}, but the log has {found}; somebody else writes with the same key"
    )]
    OtherRoot {
        /// The head.
        signed: TreeHead,
        /// What the log has at that size.
        found: TreeHead,
    },
    /// The system refused something.
    #[error("{doing} failed in {}", folder.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// In which folder.
        folder: PathBuf,
        /// The answer of the system.
        #[source]
        source: io::Error,
    },
}

impl ProofError {
    pub(crate) fn io(doing: &'static str, core: &Core) -> impl FnOnce(io::Error) -> ProofError {
        let folder = tiles::proof_dir(&core.dir);
        move |source| ProofError::Io { doing, folder, source }
    }
}

/// The tree of an open log, loaded when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct HeldTree(Mutex<Option<Tree>>);

impl HeldTree {
    pub(crate) fn set(&self, tree: Tree) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tree);
    }

    /// Works with the tree; others wait.
    fn with<T>(
        &self,
        core: &Core,
        work: impl FnOnce(&mut Tree) -> Result<T, ProofError>,
    ) -> Result<T, ProofError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tree = match held.take() {
            Some(tree) => tree,
            None => Tree::load(core, false)?.0,
        };
        let done = work(&mut tree);
        *held = Some(tree);
        done
    }
}

impl Core {
    /// Works with the tree when it has at least `size` leaves; all that are durable are taken in.
    fn with_tree<T>(
        &self,
        size: u64,
        work: impl FnOnce(&mut Tree) -> Result<T, ProofError>,
    ) -> Result<T, ProofError> {
        let head = self.head().position;
        if size > head {
            return Err(ProofError::Beyond { position: size, head });
        }
        self.tree.with(self, |tree| {
            if tree.size() < size {
                tree.advance(self, head)?;
            }
            work(tree)
        })
    }
}

/// Proofs. All of these block on the disk; where the tree was lost they wait until it is made again.
impl LogReader {
    /// Size and root of the tree over everything durable.
    ///
    /// # Errors
    /// If the log can not be read.
    pub fn tree_head(&self) -> Result<TreeHead, ProofError> {
        self.tree_head_at(self.head().position)
    }

    /// Root of the tree over the first `size` positions.
    ///
    /// # Errors
    /// If there are not so many, or the log can not be read.
    pub fn tree_head_at(&self, size: u64) -> Result<TreeHead, ProofError> {
        self.core.with_tree(size, |tree| tree.head_at(&self.core, size))
    }

    /// That the record at `position` is in the tree over the first `size` positions.
    ///
    /// # Errors
    /// If there are not so many, or the log can not be read.
    pub fn inclusion_proof(&self, position: u64, size: u64) -> Result<InclusionProof, ProofError> {
        self.core.with_tree(size, |tree| tree.inclusion(&self.core, position, size))
    }

    /// That the tree over the first `new` positions continues the one over the first `old`.
    ///
    /// # Errors
    /// If there are not so many, or the log can not be read.
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<ConsistencyProof, ProofError> {
        self.core.with_tree(new, |tree| tree.consistency(&self.core, old, new))
    }

    /// The signed heads that are kept, oldest first: the newest, one of every 10,000 positions, every cosigned one.
    ///
    /// # Errors
    /// If the folder can not be read.
    pub fn signed_heads(&self) -> Result<Vec<SignedHead>, ProofError> {
        let found = heads::all(&*self.core.storage, &self.core.dir);
        let found = found.map_err(ProofError::io("reading signed heads", &self.core))?;
        Ok(found.heads.into_iter().map(|(_, head)| head).collect())
    }

    /// A proof for somebody without the log: the record at `position`, its path, and the newest signed head.
    ///
    /// # Errors
    /// If no signed head is that new, or the log can not be read.
    pub fn proof_file(&self, position: u64) -> Result<ProofFile, ProofError> {
        let found = heads::newest(&*self.core.storage, &self.core.dir);
        let found = found.map_err(ProofError::io("reading signed heads", &self.core))?;
        let signed = found.newest().map_or(0, |(_, head)| head.tree().size);
        let newest = found.newest().filter(|(_, head)| head.tree().size >= position);
        let (_, head) = newest.ok_or(ProofError::NotSigned { position, signed })?;
        self.proof_file_for(position, head.clone())
    }

    /// As [`LogReader::proof_file`], for a head that somebody else holds.
    ///
    /// # Errors
    /// If the log does not continue that head, `position` is not in it, or the log can not be read.
    pub fn proof_file_for(&self, position: u64, head: SignedHead) -> Result<ProofFile, ProofError> {
        let proof = self.inclusion_proof(position, head.tree().size)?;
        if proof.tree != head.tree() {
            return Err(ProofError::OtherRoot { signed: head.tree(), found: proof.tree });
        }
        let record = self.record(position)?;
        let record = record.ok_or(ProofError::Beyond { position, head: self.head().position })?;
        let entry = entry::encode(&record);
        Ok(ProofFile { entry: Some(entry), index: position.saturating_sub(1), path: proof.path, head })
    }
}

/// Signing. All of these block on the disk.
impl EventLog {
    /// The signed head of the log as it is now. It is on stable storage before this returns; where nothing was
    /// recorded since the last one, it is that one, with its cosignatures.
    ///
    /// # Errors
    /// If the log has no key, or the log can not be read or the head not written.
    pub fn signed_head(&self) -> Result<SignedHead, ProofError> {
        let (core, signer) = self.signing();
        let signer = signer.ok_or(ProofError::NoSigner)?;
        core.with_tree(0, |tree| heads::sign(core, tree, signer))
    }

    /// The key that verifies the signed heads of this log.
    ///
    /// # Errors
    /// If the log has no key.
    pub fn verifier_key(&self) -> Result<VerifierKey, ProofError> {
        let (core, signer) = self.signing();
        let signer = signer.ok_or(ProofError::NoSigner)?;
        Ok(signer.verifier_key(&signer.origin(&core.log), KeyKind::Log)?)
    }

    /// Keeps what `witnesses` have signed of a head of this log beside it; signatures by others are not kept. The
    /// answer is the head with every cosignature there is.
    ///
    /// # Errors
    /// If this log did not sign that head or does not continue it, or a signature of a witness is wrong.
    pub fn keep_cosigned(
        &self,
        head: &SignedHead,
        witnesses: &[VerifierKey],
    ) -> Result<SignedHead, ProofError> {
        let ours = self.verifier_key()?;
        let (core, _) = self.signing();
        core.with_tree(head.tree().size, |tree| heads::keep_cosigned(core, tree, head, (&ours, witnesses)))
    }

    /// As [`LogReader::inclusion_proof`], in the tree over everything durable.
    ///
    /// # Errors
    /// As [`LogReader::inclusion_proof`].
    pub fn inclusion_proof(&self, position: u64) -> Result<InclusionProof, ProofError> {
        let reader = self.reader();
        reader.inclusion_proof(position, reader.head().position)
    }

    /// As [`LogReader::consistency_proof`].
    ///
    /// # Errors
    /// As [`LogReader::consistency_proof`].
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<ConsistencyProof, ProofError> {
        self.reader().consistency_proof(old, new)
    }
}
