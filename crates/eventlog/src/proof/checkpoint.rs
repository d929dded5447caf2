//! Signed heads (c2sp.org/tlog-checkpoint): what a log says of itself, signed; and what witnesses have signed of it.
//!
//! ```text
//! doorstroom.nl/9f2c…            origin: which log
//! 20852163                       size: positions 1 to this one
//! CsUYapGGPo4dkMgIAUqom/Xajj7…   root of the RFC 6962 tree over their leaf hashes, base64
//!
//! — doorstroom.nl/9f2c… Az3grl…  by the log
//! — witness.example/w1 jWbPPw…   by a witness, with a time
//! ```
//!
//! Not here: where heads are kept (`heads`), the key of the log (`signer`).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::note::{Note, NoteError};

/// The tree over the first `size` positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Positions 1 to this one.
    pub size: u64,
    /// The root of the RFC 6962 tree over their leaf hashes.
    pub root: [u8; 32],
}

impl fmt::Display for TreeHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size {} root {}", self.size, STANDARD.encode(self.root))
    }
}

/// A head of a log as a signed note. The signatures are checked by whoever has the keys ([`Note::verify`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    origin: String,
    tree: TreeHead,
    note: Note,
}

impl SignedHead {
    /// Which log, by its own word.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Size and root.
    #[must_use]
    pub fn tree(&self) -> TreeHead {
        self.tree
    }

    /// The note: text and signatures.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The head without any signature yet.
    pub(crate) fn unsigned(origin: &str, tree: TreeHead) -> SignedHead {
        let text = format!("{origin}\n{}\n{}\n", tree.size, STANDARD.encode(tree.root));
        SignedHead { origin: origin.to_owned(), tree, note: Note::new(text) }
    }

    pub(crate) fn note_mut(&mut self) -> &mut Note {
        &mut self.note
    }
}

impl fmt::Display for SignedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

impl FromStr for SignedHead {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<SignedHead, NoteError> {
        let note = Note::from_str(text)?;
        let malformed = |what| NoteError::Malformed { what };
        let mut lines = note.text().strip_suffix('\n').unwrap_or_default().split('\n');
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        let (Some(origin), Some(size), Some(root)) = (origin, size, root) else {
            return Err(malformed("a head has three lines: origin, size, root"));
        };
        let size = decimal(size).ok_or(malformed("the size of a head is a plain number"))?;
        let root = hash(root).ok_or(malformed("the root of a head is 32 bytes in base64"))?;
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(malformed("a line of a head is empty"));
        }
        let origin = origin.to_owned();
        Ok(SignedHead { origin, tree: TreeHead { size, root }, note })
    }
}

/// A number as these formats write it: digits, without zeros in front.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in base64.
pub(crate) fn hash(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}
