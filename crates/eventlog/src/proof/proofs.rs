//! Proofs as values: that a record is in a tree, that a tree continues an older one, and the file that carries the
//! first of them to somebody without the log (c2sp.org/tlog-proof).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra 4RAAAAAAAAD0…            what the leaf hash is over: the record itself (see `entry`), base64
//! index 4320                     the position less one
//! gSKyXoYZUgZ6jduWYrkDOARin…     hashes from the leaf's sibling upward, base64
//! …
//!
//! doorstroom.nl/9f2c…            the signed head, as it is
//! …
//! ```
//!
//! Not here: the tree the hashes come from (`tree`).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{
    checkpoint::{SignedHead, TreeHead, decimal, hash},
    entry,
    merkle::{empty_root, root_by_inclusion, roots_by_consistency},
    note::{NoteError, Verified, VerifierKey},
};
use crate::{RECORD_BYTES_MAX, Record};

/// Bytes of a proof file: the largest record in base64, and a head.
pub const PROOF_BYTES_MAX: usize = 2 * RECORD_BYTES_MAX;
/// Hashes of a path: the levels of a tree with 2^64 leaves.
const PATH_HASHES_MAX: usize = 64;
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// That a record is at its position in the tree of a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// Where the record is.
    pub position: u64,
    /// Its leaf hash.
    pub leaf: [u8; 32],
    /// The tree it is in, with its root.
    pub tree: TreeHead,
    /// Hashes from the sibling of the leaf upward: `PATH(position - 1, D[size])` of RFC 6962.
    pub path: Vec<[u8; 32]>,
}

impl InclusionProof {
    /// Whether the path leads from the leaf to the root.
    #[must_use]
    pub fn holds(&self) -> bool {
        let index = self.position.checked_sub(1);
        index.and_then(|index| root_by_inclusion(&self.leaf, index, self.tree.size, &self.path))
            == Some(self.tree.root)
    }
}

/// That a tree continues an older one: the first positions of both are the same records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The older tree.
    pub old: TreeHead,
    /// The newer one.
    pub new: TreeHead,
    /// `PROOF(old size, D[new size])` of RFC 6962; empty for the same size twice, and from the empty tree.
    pub path: Vec<[u8; 32]>,
}

impl ConsistencyProof {
    /// Whether the path leads to both roots.
    #[must_use]
    pub fn holds(&self) -> bool {
        let (old, new) = (self.old, self.new);
        if old.size == new.size {
            return old.root == new.root && self.path.is_empty();
        }
        if old.size == 0 {
            return old.root == empty_root() && self.path.is_empty();
        }
        roots_by_consistency((old.size, &old.root), new.size, &self.path) == Some((old.root, new.root))
    }
}

/// Why a proof file proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// Not of the form of a proof file.
    #[error("this is no proof file of c2sp.org/tlog-proof@v1: {what}")]
    Malformed {
        /// What does not fit.
        what: &'static str,
    },
    /// The head in it is not of the form of a signed head, or a signature is wrong.
    #[error("the signed head in the proof file is not to be believed")]
    Head(#[from] NoteError),
    /// None of the keys given has signed the head.
    #[error("the head of {origin} is signed by none of the keys given; give the key of that log")]
    Unsigned {
        /// Which log, by its own word.
        origin: String,
    },
    /// The file carries no record, and no leaf hash was given.
    #[error("the file carries no record to look for; it can not be checked without the log")]
    NoRecord,
    /// The record in the file is not one that stands at the position the proof is about.
    #[error("the record in the file is not one of position {position}")]
    OtherRecord {
        /// The position the proof is about.
        position: u64,
    },
    /// The path does not lead to the root of the head.
    #[error("the proof does not hold: the record at position {position} is not in the tree with {tree}")]
    NotIncluded {
        /// The position the proof is about.
        position: u64,
        /// The tree of the head.
        tree: TreeHead,
    },
}

/// A proof file: a record, its path, and a signed head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// What the leaf hash is over, without the 0x00 in front: the record, as `docs/proofs.md` lays it out. Not
    /// to be believed before [`ProofFile::check`].
    pub entry: Option<Bytes>,
    /// Position less one.
    pub index: u64,
    /// Hashes from the sibling of the leaf upward.
    pub path: Vec<[u8; 32]>,
    /// The head of the tree.
    pub head: SignedHead,
}

/// What a proof file has proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The record, exactly as the log holds it.
    pub record: Record,
    /// The tree it is in.
    pub tree: TreeHead,
    /// Whose signatures on the head are good, of the keys that were given.
    pub signed: Vec<Verified>,
}

impl ProofFile {
    /// Checks everything: the record is what the leaf hash is over, the path leads from it to the root of the head,
    /// the head is signed by at least one of the keys and by none of them wrongly. Without `keys` the signatures are
    /// not looked at: then somebody else must know that the head is genuine.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn check(&self, keys: &[VerifierKey]) -> Result<Proven, ProofFileError> {
        let entry = self.entry.as_ref().ok_or(ProofFileError::NoRecord)?;
        let position = self.index.saturating_add(1);
        let tree = self.head.tree();
        let record = entry::decode(entry).filter(|record| record.position == position);
        let record = record.ok_or(ProofFileError::OtherRecord { position })?;
        if root_by_inclusion(&record.leaf, self.index, tree.size, &self.path) != Some(tree.root) {
            return Err(ProofFileError::NotIncluded { position, tree });
        }
        let signed = self.head.note().verify(keys)?;
        if signed.is_empty() && !keys.is_empty() {
            return Err(ProofFileError::Unsigned { origin: self.head.origin().to_owned() });
        }
        Ok(Proven { record, tree, signed })
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(entry) = &self.entry {
            writeln!(f, "extra {}", STANDARD.encode(entry))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash)))?;
        write!(f, "\n{}", self.head)
    }
}

impl FromStr for ProofFile {
    type Err = ProofFileError;

    fn from_str(text: &str) -> Result<ProofFile, ProofFileError> {
        let malformed = |what| ProofFileError::Malformed { what };
        if text.len() > PROOF_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let (proof, head) = text.split_once("\n\n").ok_or(malformed("it ends before the head"))?;
        let mut lines = proof.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed("the first line is another one"));
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.and_then(|line| line.strip_prefix("extra ")).map(|text| STANDARD.decode(text));
        let entry = extra.transpose().map_err(|_| malformed("the extra data is no base64"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or(malformed("the index is no plain number"))?;
        let path = lines.map(hash).collect::<Option<Vec<_>>>();
        let path = path.ok_or(malformed("a hash is not 32 bytes in base64"))?;
        if path.len() > PATH_HASHES_MAX {
            return Err(malformed("the path is too long for any tree"));
        }
        Ok(ProofFile { entry: entry.map(Bytes::from), index, path, head: head.parse()? })
    }
}
