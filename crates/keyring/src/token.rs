//! Making the tokens of sources for the HTTP API, and the file in which a person on the node's machine has one.
//!
//! Not here: what is kept of a token and from when to when it is valid (`network`), what it opens (`domain::access`).

use std::fmt::{self, Write as _};
use std::path::Path;

use domain::{SourceId, Timestamp};
use network::edit::{Draft, EditError};
use network::{Network, Source, TOKEN_PREFIX, Token, TokenHash};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{KeyringError, files};

/// Random bytes of a token: 256 bits, as many as its hash has.
const RANDOM_BYTES: usize = 32;

/// A token itself: for its owner only. It is shown once, and nothing keeps it but the file its owner puts it in.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

/// Letters and digits that are not mistaken for one another when somebody reads them out.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A password that a person can type once and a program can guess never: four groups of five letters, 100 bits.
///
/// # Errors
/// [`KeyringError::NoRandomness`]: the operating system gives none.
pub fn passphrase() -> Result<String, KeyringError> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(|_| KeyringError::NoRandomness)?;
    let letters = bytes.iter().map(|byte| {
        let letter = LETTERS.get(usize::from(byte & 31)).copied().unwrap_or(b'a');
        char::from(letter)
    });
    let letters: Vec<char> = letters.collect();
    let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
    bytes.zeroize();
    Ok(groups.join("-"))
}

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// [`KeyringError::NoRandomness`]: the operating system gives none.
    pub fn make() -> Result<Self, KeyringError> {
        let mut bytes = [0; RANDOM_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| KeyringError::NoRandomness)?;
        let mut text = Zeroizing::new(String::with_capacity(TOKEN_PREFIX.len() + 2 * RANDOM_BYTES));
        text.push_str(TOKEN_PREFIX);
        for byte in bytes {
            // Writing to a `String` fails for no reason of its own.
            let _ = write!(text, "{byte:02x}");
        }
        bytes.zeroize();
        Ok(Self(text))
    }

    /// The token in the file at `path`, which only its owner may read.
    ///
    /// # Errors
    /// When it is not there, can not be read, holds no token, or others may read it.
    pub fn read(path: &Path) -> Result<Self, KeyringError> {
        let text = files::read_private(path)?.ok_or_else(|| KeyringError::NoToken(path.to_owned()))?;
        let text = text.trim();
        if text.starts_with(TOKEN_PREFIX)
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(KeyringError::NoToken(path.to_owned()))
        }
    }

    /// Puts it in a file that only its owner may read, in the place of one that is there.
    ///
    /// # Errors
    /// When it can not be written.
    pub fn write(&self, path: &Path) -> Result<(), KeyringError> {
        let line = Zeroizing::new(format!("{}\n", &*self.0));
        files::put(path, line.as_bytes(), files::PRIVATE)
    }

    /// The token, `dst_…`. To be shown to its owner once, or sent with a request; never logged.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(of token {})", self.hash().id())
    }
}

/// Gives a source one more token, valid from `from` until `until`; those it has stay as they are.
///
/// # Errors
/// When the source is not in the network, or the file can not be read or written: nothing is changed then.
pub fn add_token(
    network_file: &Path,
    source: &SourceId,
    (from, until): (Timestamp, Option<Timestamp>),
) -> Result<Secret, KeyringError> {
    let mut draft = Draft::open(network_file)?;
    let network = draft.network()?;
    let of = network.source(source).ok_or_else(|| missing(network_file, format!("source {source}")))?;
    let secret = Secret::make()?;
    draft.add_token(of, &Token { hash: secret.hash(), from, until })?;
    draft.save()?;
    Ok(secret)
}

/// Ends the token that is called so (see [`TokenHash::id`]), from `now` on, and says whose it was.
///
/// # Errors
/// When nobody has it or more than one is called so, or the file can not be read or written.
pub fn revoke_token(network_file: &Path, id: &str, now: Timestamp) -> Result<Source, KeyringError> {
    let mut draft = Draft::open(network_file)?;
    let network: Network = draft.network()?;
    let called_so = network.sources().flat_map(|source| {
        let of_it = source.tokens.iter().filter(|token| token.hash.to_string().starts_with(id));
        of_it.map(move |token| (source, token))
    });
    let found: Vec<_> = called_so.collect();
    let [(source, token)] = found.as_slice() else {
        let count = found.len();
        return Err(missing(network_file, format!("single token {id}: {count} are called so")));
    };
    draft.end_token(&token.hash, now)?;
    draft.save()?;
    Ok((*source).clone())
}

fn missing(file: &Path, what: String) -> KeyringError {
    KeyringError::Edit(EditError::Missing { file: file.to_owned(), what })
}
