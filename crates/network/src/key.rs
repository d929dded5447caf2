//! The public keys of users, and until when each is valid. Not here: seeds (`keyring`).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::Timestamp;
use nkeys::{KeyPair, KeyPairType};

/// The most keys one user may have. One is in use and a change of keys leaves the one before, with its end; far
/// more than this is a file that something keeps adding to.
pub const KEYS_MAX: usize = 64;

/// The public nkey of a user: 56 characters that begin with `U`, checksum and point on the curve checked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    text: Arc<str>,
    bytes: [u8; 32],
}

impl PublicKey {
    /// The key as the broker's configuration has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The Ed25519 public key.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 32] {
        self.bytes
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text is not the public key of a user. The text itself is not told: it may be a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// It has the form of a seed.
    #[error(
        "this looks like a seed, which only its owner may have; give its public key, which begins with U, and \
         make a new seed, for this one was shown"
    )]
    Seed,
    /// A key of an account, an operator, a server.
    #[error("this is the public key of {0}, not of a user; a user's begins with U")]
    NotAUser(&'static str),
    /// Another length, another alphabet, a wrong checksum or no point of the curve.
    #[error(
        "not a public key: 56 characters beginning with U, the last of which are a checksum; copy it whole"
    )]
    Malformed,
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        if looks_like_seed(text) {
            return Err(PublicKeyError::Seed);
        }
        let (_, bytes) = nkeys::from_public_key(text).map_err(|_| PublicKeyError::Malformed)?;
        // The point is checked here too, so that no later verification can fail for the key's own sake.
        let pair = KeyPair::from_public_key(text).map_err(|_| PublicKeyError::Malformed)?;
        match pair.key_pair_type() {
            KeyPairType::User => Ok(Self { text: Arc::from(text), bytes }),
            KeyPairType::Account => Err(PublicKeyError::NotAUser("an account")),
            KeyPairType::Operator => Err(PublicKeyError::NotAUser("an operator")),
            KeyPairType::Server => Err(PublicKeyError::NotAUser("a server")),
            KeyPairType::Cluster => Err(PublicKeyError::NotAUser("a cluster")),
            KeyPairType::Module | KeyPairType::Service | KeyPairType::Curve => {
                Err(PublicKeyError::NotAUser("something else"))
            }
        }
    }
}

/// Whether a word may be a seed: `S`, then only what base 32 has, longer than any other value of the file.
pub(crate) fn looks_like_seed(word: &str) -> bool {
    const SHORTEST: usize = 40;
    word.len() >= SHORTEST
        && word.starts_with('S')
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A key with which a user signs in and signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserKey {
    /// The public key.
    pub key: PublicKey,
    /// From this moment on it is not valid; `None` for one without an end.
    pub until: Option<Timestamp>,
}

impl UserKey {
    /// Whether it is valid at this moment.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

/// The keys of `keys` that are valid at `now`, in the order of the file.
pub(crate) fn valid(keys: &[UserKey], now: Timestamp) -> impl Iterator<Item = &PublicKey> {
    keys.iter().filter(move |key| key.is_valid_at(now)).map(|key| &key.key)
}
