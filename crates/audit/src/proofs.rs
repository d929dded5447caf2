//! Proofs for people without the log: signed heads, proof files, and checking them.
//!
//! Not here: how they are made and what they look like (`eventlog`, `docs/proofs.md` there).

use std::fmt::Write as _;
use std::str::FromStr as _;

use domain::Timestamp;
use eventlog::{ProofFile, SignedHead, VerifierKey};
use serde::Serialize;

use crate::{Audit, AuditError};

/// A head, told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeadLine {
    /// Positions it is signed over.
    pub size: u64,
    /// Which log, by its own word.
    pub origin: String,
    /// The names of the keys that signed it, by their own word: the log, then witnesses.
    pub signed_by: Vec<String>,
    /// The note itself: text and signatures, for whoever keeps it or checks it.
    pub note: String,
}

impl From<&SignedHead> for HeadLine {
    fn from(head: &SignedHead) -> Self {
        let signed_by = head.note().signatures().iter().map(|signature| signature.name.clone()).collect();
        Self { size: head.tree().size, origin: head.origin().to_owned(), signed_by, note: head.to_string() }
    }
}

/// What a proof file has proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// Where the record stood.
    pub position: u64,
    /// Positions in the log when the head was signed.
    pub size: u64,
    /// Which log.
    pub origin: String,
    /// When it was recorded.
    pub recorded_at: String,
    /// The type of the record.
    pub r#type: String,
    /// Its key, hex.
    pub key: String,
    /// Its fingerprint in the log, as pages show it: the leaf hash of RFC 6962, over its bytes and all that is kept of it; hex.
    pub leaf: String,
    /// SHA-256 of its stored bytes alone, hex.
    pub hash: String,
    /// Whose signatures on the head were checked and are good; for a witness with the time it saw the head.
    pub signatures: Vec<GoodSignature>,
    /// Whether the head is the one that was held.
    pub is_held_head: bool,
}

/// A signature that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GoodSignature {
    /// The name of the key.
    pub name: String,
    /// When a witness saw the head; `None` for the log itself.
    pub seen_at: Option<String>,
}

/// A head out of its text.
///
/// # Errors
/// When it is none.
pub fn read_head(text: &str) -> Result<SignedHead, AuditError> {
    Ok(SignedHead::from_str(text)?)
}

/// A verifier key out of its text.
///
/// # Errors
/// When it is none.
pub fn read_key(text: &str) -> Result<VerifierKey, AuditError> {
    Ok(VerifierKey::from_str(text)?)
}

/// Checks a proof file without the log: with the keys of the log and of witnesses, with a head that is held, or with
/// both.
///
/// # Errors
/// When anything does not fit; when neither a key nor a held head vouches for the head in the file.
pub fn check(text: &str, keys: &[VerifierKey], held: Option<&SignedHead>) -> Result<Proven, AuditError> {
    let file = ProofFile::from_str(text)?;
    let is_held_head = held.is_some_and(|held| held.note().text() == file.head.note().text());
    if held.is_some() && !is_held_head {
        return Err(AuditError::OtherHead { size: file.head.tree().size });
    }
    if keys.is_empty() && !is_held_head {
        return Err(AuditError::NobodyVouches);
    }
    let proven = file.check(keys)?;
    let record = proven.record;
    let told = |seconds: u64| i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000_000));
    let signatures = proven.signed.into_iter().map(|good| GoodSignature {
        seen_at: good.seen_at.and_then(told).map(|micros| Timestamp::from_micros(micros).to_string()),
        name: good.name,
    });
    Ok(Proven {
        position: record.position,
        size: proven.tree.size,
        origin: file.head.origin().to_owned(),
        recorded_at: Timestamp::from_micros(record.recorded_at).to_string(),
        r#type: record.kind.into_string(),
        key: record.key.to_string(),
        leaf: hex(&record.leaf),
        hash: contracts::ContentHash::of(&record.bytes).to_string(),
        signatures: signatures.collect(),
        is_held_head,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Audit {
    /// The signed heads of the log that are kept, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn heads(&self) -> Result<Vec<SignedHead>, AuditError> {
        Ok(self.reader.signed_heads()?)
    }

    /// The text of a proof file for the record at a position, in the newest signed head or in one that is held.
    ///
    /// # Errors
    /// When no signed head is that new, the log does not continue the one that is held, or cannot be read.
    pub fn proof(&self, position: u64, held: Option<SignedHead>) -> Result<String, AuditError> {
        let file = match held {
            Some(held) => self.reader.proof_file_for(position, held)?,
            None => self.reader.proof_file(position)?,
        };
        Ok(file.to_string())
    }
}
