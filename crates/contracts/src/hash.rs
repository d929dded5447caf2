//! What identifies an event: the key of its source and id, and the hash of its bytes.
//!
//! Not here: the leaf hash of the log, which covers more (`eventlog`).

use core::fmt;
use core::str::FromStr;

use domain::Event;
use sha2::{Digest, Sha256};

/// The log's key of an event: the first 16 bytes of SHA-256(source, 0x00, id). The source is part of it, so that nobody's
/// id can hide another's event. `id` is the UUID in lower case, as [`event_key`] writes it.
#[must_use]
pub fn key(source: &str, id: &str) -> [u8; 16] {
    let digest: [u8; 32] =
        Sha256::new().chain_update(source).chain_update([0]).chain_update(id).finalize().into();
    let mut key = [0; 16];
    for (to, from) in key.iter_mut().zip(digest) {
        *to = from;
    }
    key
}

/// The log's key of a decoded event: one key however the id was spelled.
#[must_use]
pub fn event_key(event: &Event) -> [u8; 16] {
    key(event.source.as_str(), &event.id.to_string())
}

/// SHA-256 of the bytes of an event as the log stores them. Written as 64 hex digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

/// The text or the bytes are no content hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a content hash: 32 bytes, written as 64 hex digits in lower case")]
pub struct ContentHashError;

impl ContentHash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for ContentHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for ContentHash {
    type Error = ContentHashError;
    fn try_from(bytes: &[u8]) -> Result<Self, ContentHashError> {
        bytes.try_into().map(Self).map_err(|_| ContentHashError)
    }
}

impl FromStr for ContentHash {
    type Err = ContentHashError;
    fn from_str(text: &str) -> Result<Self, ContentHashError> {
        if text.len() != 64 {
            return Err(ContentHashError);
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(ContentHashError),
        };
        let mut hash = [0; 32];
        for (to, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            for byte in pair {
                *to = (*to << 4) | digit(*byte)?;
            }
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}
