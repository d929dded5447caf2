//! Signed notes (c2sp.org/signed-note): text with signature lines, and the keys that verify them.
//!
//! Two kinds of keys are known: Ed25519 over the text (a log, 0x01) and Ed25519 cosignatures with a time (a witness,
//! c2sp.org/tlog-cosignature, 0x04). Signatures by other keys are kept and passed on, never believed. Not here: what
//! the text says (`checkpoint`).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// Bytes of a note. A head with a hundred cosignatures has a quarter of that.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Signature lines of a note. The format asks for at least 16; a log has a handful of witnesses.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// Why a note or a key is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Too long, or too many signatures.
    #[error("the note is too large: {found} {what}, at most {max} are taken")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: usize,
        /// How much is taken.
        max: usize,
    },
    /// Not of the form of a signed note.
    #[error("this is no signed note: {what}")]
    Malformed {
        /// What does not fit.
        what: &'static str,
    },
    /// Not of the form of a verifier key.
    #[error("this is no verifier key (name+id+key): {what}")]
    Key {
        /// What does not fit.
        what: &'static str,
    },
    /// A signature by a known key does not fit the text.
    #[error("the signature of {name} does not fit the note; it was changed, or signed by somebody else")]
    BadSignature {
        /// The key's name.
        name: String,
    },
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key, by its own word.
    pub name: String,
    /// The key's number: says together with the name which key it is.
    pub key: [u8; 4],
    /// What the key made of the text.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key.to_vec();
        bytes.extend_from_slice(&self.bytes);
        writeln!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Option<NoteSignature> {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key, bytes) = bytes.split_first_chunk::<4>()?;
        let signature = NoteSignature { name: name.to_owned(), key: *key, bytes: bytes.to_vec() };
        (is_key_name(name) && !bytes.is_empty()).then_some(signature)
    }
}

/// A text with signatures. Nothing about them is known until a [`VerifierKey`] has looked at them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A note without signatures yet. `text` ends with a newline and has no control characters but newlines.
    pub(crate) fn new(text: String) -> Note {
        Note { text, signatures: Vec::new() }
    }

    /// The text that is signed, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines in their order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line; one by the same key makes room for it.
    pub(crate) fn add(&mut self, signature: NoteSignature) {
        self.signatures.retain(|held| (&held.name, held.key) != (&signature.name, signature.key));
        self.signatures.push(signature);
    }

    /// The signatures by these keys, all of them good.
    ///
    /// # Errors
    /// If one of them is not: then nothing of the note is to be believed.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<Verified>, NoteError> {
        let mut verified = Vec::new();
        for signature in &self.signatures {
            if let Some(key) = keys.iter().find(|key| key.made(signature)) {
                let bad = || NoteError::BadSignature { name: signature.name.clone() };
                verified.push(key.verify(&self.text, signature).ok_or_else(bad)?);
            }
        }
        Ok(verified)
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Note, NoteError> {
        let malformed = |what| NoteError::Malformed { what };
        within("bytes", note.len(), NOTE_BYTES_MAX)?;
        if note.chars().any(|character| character < ' ' && character != '\n') {
            return Err(malformed("it has control characters"));
        }
        let (text, lines) =
            note.rsplit_once("\n\n").ok_or(malformed("no empty line is before signatures"))?;
        let lines = lines.strip_suffix('\n').ok_or(malformed("it does not end with a newline"))?;
        within("signatures", lines.split('\n').count(), NOTE_SIGNATURES_MAX)?;
        let signatures = lines.split('\n').map(NoteSignature::parse).collect::<Option<_>>();
        let signatures = signatures.ok_or(malformed("a signature line does not parse"))?;
        Ok(Note { text: format!("{text}\n"), signatures })
    }
}

fn within(what: &'static str, found: usize, max: usize) -> Result<(), NoteError> {
    if found > max { Err(NoteError::TooLarge { what, found, max }) } else { Ok(()) }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

/// Whose signature was good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The name of the key.
    pub name: String,
    /// When a witness says that it has seen this, seconds since 1970-01-01 UTC; `None` for the log itself.
    pub seen_at: Option<u64>,
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The text itself: the key of a log.
    Log,
    /// The text with a time before it (`cosignature/v1`): the key of a witness.
    Witness,
}

impl KeyKind {
    fn code(self) -> u8 {
        match self {
            KeyKind::Log => 1,
            KeyKind::Witness => 4,
        }
    }
}

/// The public half of a key with its name, written `name+id+key` as the Go and Rust tools for notes do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A key of this name.
    ///
    /// # Errors
    /// If the name is empty or has spaces or a plus sign, or the bytes are no Ed25519 key.
    pub fn new(name: &str, kind: KeyKind, key: &[u8; 32]) -> Result<VerifierKey, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::Key { what: "a name is not empty and has no spaces and no plus sign" });
        }
        let key = VerifyingKey::from_bytes(key)
            .map_err(|_| NoteError::Key { what: "the bytes are no Ed25519 key" })?;
        Ok(VerifierKey { name: name.to_owned(), kind, key })
    }

    /// The name, as it stands in signature lines.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The number of the key, as it stands in signature lines.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.kind.code(), self.key.as_bytes())
    }

    /// Whether a signature line is by this key, by its own word.
    pub(crate) fn made(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name && self.id() == signature.key
    }

    fn verify(&self, text: &str, signature: &NoteSignature) -> Option<Verified> {
        let (message, seen_at, bytes) = match self.kind {
            KeyKind::Log => (text.to_owned(), None, &*signature.bytes),
            KeyKind::Witness => {
                let (time, bytes) = signature.bytes.split_first_chunk::<8>()?;
                #[expect(clippy::big_endian_bytes, reason = "c2sp.org/tlog-cosignature says so")]
                let time = u64::from_be_bytes(*time);
                (cosigned_text(text, time), Some(time), bytes)
            }
        };
        let made = Signature::from_slice(bytes).ok()?;
        self.key.verify_strict(message.as_bytes(), &made).ok()?;
        Some(Verified { name: self.name.clone(), seen_at })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = crate::codec::hex(&self.id());
        let mut key = vec![self.kind.code()];
        key.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{id}+{}", self.name, STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<VerifierKey, NoteError> {
        let refused = |what| NoteError::Key { what };
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(_id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refused("it does not have three parts"));
        };
        let key = STANDARD.decode(key).map_err(|_| refused("the key is no base64"))?;
        let Some((kind, key)) = key.split_first() else { return Err(refused("the key is empty")) };
        let kind = match kind {
            1 => KeyKind::Log,
            4 => KeyKind::Witness,
            _ => return Err(refused("neither an Ed25519 key nor one for Ed25519 cosignatures")),
        };
        let key = key.try_into().map_err(|_| refused("the key does not have 32 bytes"))?;
        let key = VerifierKey::new(name, kind, key)?;
        if key.to_string() == text.trim() { Ok(key) } else { Err(refused("the id is not that of the key")) }
    }
}

/// The number of a key: the first bytes of a hash over name, kind and public key.
pub(crate) fn key_id(name: &str, kind: u8, key: &[u8; 32]) -> [u8; 4] {
    let hash: [u8; 32] =
        Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(key).finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}

/// What a witness signs: the time before the text of the head.
pub(crate) fn cosigned_text(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Names of keys are not empty and have no spaces and no plus sign.
pub(crate) fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|character: char| character.is_whitespace() || character == '+')
}
