//! The machine tokens of sources: what the file keeps of them, and from when to when each is valid.
//!
//! A token is a secret that its owner shows with every request over HTTP. The file has only its SHA-256, from which
//! nobody finds it again: a token has 256 random bits. Not here: making tokens (`keyring`).

use std::fmt;
use std::str::FromStr;

use domain::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The most tokens one source may have: one in use, one that follows it, and those that ended and nobody cleared away.
pub const TOKENS_MAX: usize = 32;

/// How a token begins, so that people and scanners of published text know one when they see it.
pub const TOKEN_PREFIX: &str = "dst_";

/// The SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of this token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Whether both are of the same token; takes as long whether they are or not, and wherever they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// What people call the token: the first eight characters of the hash.
    #[must_use]
    pub fn id(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not the hash of a token. The text itself is not told: it may be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenHashError {
    /// It is a token.
    #[error(
        "this is a token itself, which only its owner may have; give its SHA-256, and make a new token, for this one was shown"
    )]
    Token,
    /// Another length or alphabet.
    #[error("not the SHA-256 of a token: 64 of 0-9 and a-f; `doorstroom admin token add` writes it")]
    Malformed,
}

impl FromStr for TokenHash {
    type Err = TokenHashError;

    fn from_str(text: &str) -> Result<Self, TokenHashError> {
        if text.starts_with(TOKEN_PREFIX) {
            return Err(TokenHashError::Token);
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let digits: Option<Vec<u8>> = text.bytes().map(digit).collect();
        let (pairs, rest) = digits.as_deref().unwrap_or_default().as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        match <[u8; 32]>::try_from(bytes) {
            Ok(bytes) if rest.is_empty() => Ok(Self(bytes)),
            Ok(_) | Err(_) => Err(TokenHashError::Malformed),
        }
    }
}

/// A token of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its hash.
    pub hash: TokenHash,
    /// From this moment on it is valid.
    pub from: Timestamp,
    /// From this moment on it is not; `None` for one without an end.
    pub until: Option<Timestamp>,
}

impl Token {
    /// Whether it is valid at this moment.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}
