//! The secrets of a node: the seed of every user of the bus, the tokens of its API, the private certificate authority, the certificate of
//! the broker. And what changes them together with the network file: preparing, giving a new key, taking one away.
//!
//! Lives here: making keys, the folder they stand in and its rights. Not here: who the users are (`network`), the
//! broker's configuration and signing in with a seed (`bus`).
//!
//! ```text
//! keys/                      0700
//!   R_zk23/loket-zk23.nk     0600   a seed, one line: the user `loket-zk23` of the account `R_zk23`
//!   revoked/R_zk23/…         0600   seeds that are valid no more
//!   ca.pem  ca.key                  who vouches for the broker; clients are given ca.pem
//!   server.pem  server.key          what the broker shows to clients and to other brokers
//! ```
//! Invariant: a key that is there is never replaced, except by [`rotate`] (test: `preparing_again_changes_nothing`).
//! Invariant: what others may read is not used (test: `a_seed_that_others_may_read_is_refused_with_a_sentence`).

mod certificate;
mod change;
mod files;
mod hand_out;
mod prepare;
mod seed;
mod token;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use network::edit::EditError;
use network::{Account, PublicKey, key_file};

pub use change::{Revoked, Rotated, revoke_key, revoke_user, rotate};
pub use files::write_private;
pub use hand_out::{BUS_FILE, CA_FILE, NETWORK_FILE};
pub use prepare::{Made, prepare};
pub use seed::Seed;
pub use token::{Secret, add_token, passphrase, revoke_token};

/// Where seeds go that are valid no more.
const REVOKED: &str = "revoked";
/// The certificate that vouches for the broker's.
const CA: &str = "ca.pem";
const CA_KEY: &str = "ca.key";
const SERVER: &str = "server.pem";
const SERVER_KEY: &str = "server.key";

/// The folder of keys of a node.
#[derive(Clone, Debug)]
pub struct Keyring {
    dir: PathBuf,
}

/// Keys could not be made, read or changed. No error holds anything of a seed.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A file or folder that has to be there can not be read.
    #[error("{}: can not be read; `doorstroom admin network init` makes what is missing", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file or folder can not be written.
    #[error("{}: can not be written; look at the rights of its folder and the space left", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Others may read it.
    #[error(
        "{}: others may read it (rights {mode:04o}); `chmod go= {}`, and if others could reach it make new keys with \
         `doorstroom admin network rotate`",
        path.display(),
        path.display()
    )]
    OpenToOthers {
        /// Which.
        path: PathBuf,
        /// Its rights.
        mode: u32,
    },
    /// A file holds no seed of a user.
    #[error("{}: this is not the seed of a user (one line beginning with SU); put the right file back", .0.display())]
    NotASeed(PathBuf),
    /// There is another file where one was to be put.
    #[error("{}: there is another file already; move it away first", .0.display())]
    Exists(PathBuf),
    /// There is no seed of this user to hand out.
    #[error("there is no seed of {user} in {}; it was made elsewhere or revoked, `rotate` makes a new one", dir.display())]
    NoSeed {
        /// The user.
        user: String,
        /// The folder.
        dir: PathBuf,
    },
    /// The certificate of the broker has to be made, and what signs it is not here.
    #[error("{}: is needed to sign the broker's certificate; put it back, or remove ca.pem to begin anew", .0.display())]
    NoCaKey(PathBuf),
    /// A certificate can not be read or made.
    #[error("{}: {problem}; put the right file back, or remove it so that it is made anew", path.display())]
    Certificate {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// No token stands in the file of one.
    #[error("{}: there is no token in it; `doorstroom admin token add` makes one, and a node that starts makes its own", .0.display())]
    NoToken(PathBuf),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers, so no secret can be made; look at /dev/urandom")]
    NoRandomness,
    /// The network file can not be changed.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl Keyring {
    /// The folder at `dir`, made if it is not there.
    ///
    /// # Errors
    /// When it can not be made, or others may read it.
    pub fn create(dir: &Path) -> Result<Self, KeyringError> {
        files::make_folder(dir)?;
        Self::open(dir)
    }

    /// The folder at `dir`, which has to be there.
    ///
    /// # Errors
    /// When it is not there, or others may read it.
    pub fn open(dir: &Path) -> Result<Self, KeyringError> {
        let of_it =
            fs::metadata(dir).map_err(|source| KeyringError::Unreadable { path: dir.to_owned(), source })?;
        files::check_rights(dir, &of_it)?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The certificate that clients trust the broker by.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.dir.join(CA)
    }

    /// The certificate of the broker.
    #[must_use]
    pub fn server_certificate_file(&self) -> PathBuf {
        self.dir.join(SERVER)
    }

    /// The private key of the broker.
    #[must_use]
    pub fn server_key_file(&self) -> PathBuf {
        self.dir.join(SERVER_KEY)
    }

    /// The seed of a user; `None` when it is not here (a party may have made its own).
    ///
    /// # Errors
    /// When its file can not be read, holds no seed, or others may read it.
    pub fn seed(&self, account: &Account, user: &str) -> Result<Option<Seed>, KeyringError> {
        let path = self.dir.join(key_file(account, user));
        let Some(text) = files::read_private(&path)? else {
            return Ok(None);
        };
        Seed::from_text(&text).map(Some).ok_or(KeyringError::NotASeed(path))
    }

    /// Makes the seed of a user. One that is there is replaced: the caller has looked.
    fn make_seed(&self, account: &Account, user: &str) -> Result<PublicKey, KeyringError> {
        let seed = Seed::make();
        self.put_seed(account, user, &seed)?;
        Ok(seed.public_key().clone())
    }

    fn put_seed(&self, account: &Account, user: &str, seed: &Seed) -> Result<(), KeyringError> {
        let path = self.dir.join(key_file(account, user));
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        files::put(&path, seed.line().as_bytes(), files::PRIVATE)
    }
}
