//! Who a connection is: a user of the broker by its key.
//!
//! Not here: making keys and where they are kept (`keyring`), what a user may do (`server`).

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use contracts::signature::SigningSeed;
use network::{Account, key_file};

use crate::connection::ConnectError;

/// The longest key or credentials file that is read, in bytes: they are 60 to 2,000.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// How a NATS credentials file begins, which holds a token beside its key.
const CREDENTIALS_BEGIN: &str = "-----BEGIN";

/// A user and the proof of being that user.
#[derive(Clone)]
pub struct Login {
    name: String,
    secret: Secret,
}

#[derive(Clone)]
pub(crate) enum Secret {
    /// An nkey seed, `SU…`.
    Seed(String),
    /// The text of a NATS credentials file, for a broker in operator mode.
    Credentials(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Login {
    /// The user `name` with this nkey seed, `SU…`.
    #[must_use]
    pub fn new(name: impl Into<String>, seed: impl Into<String>) -> Self {
        Self { name: name.into(), secret: Secret::Seed(seed.into()) }
    }

    /// The user whose key is in this file, and who is called as the file is, without its ending.
    ///
    /// # Errors
    /// When the file can not be read.
    pub fn from_file(path: &Path) -> Result<Self, ConnectError> {
        let unreadable = |source| ConnectError::Key { path: path.to_owned(), source };
        let mut text = String::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let secret = if text.trim_start().starts_with(CREDENTIALS_BEGIN) {
            Secret::Credentials(text)
        } else {
            Secret::Seed(text.trim().to_owned())
        };
        Ok(Self { name, secret })
    }

    /// What the user is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its inboxes begin with: the only place where it is answered.
    #[must_use]
    pub fn inbox(&self) -> String {
        format!("_INBOX.{}", self.name)
    }

    /// The seed that signs for this user; `None` of a credentials file, and of what is no seed.
    pub(crate) fn signing_seed(&self) -> Option<SigningSeed> {
        match &self.secret {
            Secret::Seed(seed) => seed.parse().ok(),
            Secret::Credentials(_) => None,
        }
    }

    pub(crate) fn into_secret(self) -> Secret {
        self.secret
    }
}

/// Whose keys there are for connecting as one user or another.
#[derive(Clone, Debug)]
pub enum Logins {
    /// None: a plain broker.
    None,
    /// One user for everything.
    One(Login),
    /// A folder of keys: `<account>/<user>.nk`.
    Folder(PathBuf),
}

impl Logins {
    /// As whom to connect as this user of this account; `None` on a plain broker.
    ///
    /// # Errors
    /// When there is no key of this user, or it can not be read.
    pub fn of(&self, account: &Account, user: &str) -> Result<Option<Login>, ConnectError> {
        match self {
            Self::None => Ok(None),
            Self::One(login) => Ok(Some(login.clone())),
            Self::Folder(folder) => Login::from_file(&folder.join(key_file(account, user))).map(Some),
        }
    }
}
