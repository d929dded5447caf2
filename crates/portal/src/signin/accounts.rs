//! The file of accounts: who may sign in, as what, with which password.
//!
//! An account works for a source of the network, is a device that stays on a ward of one, or looks back as an auditor.
//! Passwords are kept as Argon2id hashes only (OWASP Password Storage Cheat Sheet: at least 19 MiB, two passes, one lane).
//! Not here: sessions.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::access::AuditorKind;
use domain::{LocationId, RegionId, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The shortest password (NIST SP 800-63B-4: fifteen characters where it is the only factor).
pub const PASSWORD_CHARS_MIN: usize = 15;
/// The longest: what is longer is no password, and hashing it costs.
const PASSWORD_BYTES_MAX: usize = 256;
/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What somebody types to sign in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(String);

impl AccountName {
    /// As it is typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = AccountsError;

    fn from_str(text: &str) -> Result<Self, AccountsError> {
        let fits = (2..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_@".contains(&byte));
        if fits { Ok(Self(text.to_owned())) } else { Err(AccountsError::Name) }
    }
}

impl TryFrom<String> for AccountName {
    type Error = AccountsError;

    fn try_from(text: String) -> Result<Self, AccountsError> {
        text.parse()
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0
    }
}

/// As what somebody signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum As {
    /// A person who works for this source of the network.
    Source(SourceId),
    /// A device that stays on a ward of this source: it may set the state of beds, and sees nobody.
    WardDevice(SourceId),
    /// Somebody who looks back.
    Auditor(Mandate),
}

/// At what an auditor may look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mandate {
    /// For whom.
    pub kind: MandateKind,
    /// At which regions; none for the auditor of a provider.
    #[serde(default)]
    pub regions: BTreeSet<RegionId>,
    /// At which locations; only for the auditor of a provider.
    #[serde(default)]
    pub locations: BTreeSet<LocationId>,
}

/// For whom an auditor looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MandateKind {
    /// The desk, for its quality.
    Quality,
    /// A provider, for itself.
    Provider,
    /// An insurer: sums only.
    Insurer,
    /// A supervisor with a mandate.
    Supervisor,
    /// The privacy officer: who looked at what, not the care itself.
    Privacy,
}

impl std::str::FromStr for MandateKind {
    type Err = AccountsError;

    fn from_str(text: &str) -> Result<Self, AccountsError> {
        match text {
            "quality" => Ok(Self::Quality),
            "provider" => Ok(Self::Provider),
            "insurer" => Ok(Self::Insurer),
            "supervisor" => Ok(Self::Supervisor),
            "privacy" => Ok(Self::Privacy),
            _ => Err(AccountsError::Kind),
        }
    }
}

impl From<MandateKind> for AuditorKind {
    fn from(kind: MandateKind) -> Self {
        match kind {
            MandateKind::Quality => Self::Quality,
            MandateKind::Provider => Self::Provider,
            MandateKind::Insurer => Self::Insurer,
            MandateKind::Supervisor => Self::Supervisor,
            MandateKind::Privacy => Self::Privacy,
        }
    }
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// What is typed.
    pub name: AccountName,
    /// As what.
    #[serde(rename = "as")]
    pub works_as: As,
    /// The password, as an Argon2id hash in the PHC form.
    password: String,
    /// Until when the account is valid; for ever if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// All accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    #[serde(default, rename = "account")]
    accounts: Vec<Account>,
}

/// Accounts can not be used or changed. No error holds a password or its hash.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The file can not be read or written.
    #[error("{}: the accounts can not be read or written", path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The file is none of accounts.
    #[error("{}: {what}; correct it, or take the account out", path.display())]
    Unfit {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Not a name of an account.
    #[error("a name is 2 to 64 of a-z, 0-9 and . - _ @")]
    Name,
    /// No kind of auditor.
    #[error("an auditor is one of quality, provider, insurer, supervisor, privacy")]
    Kind,
    /// Too easy to guess, or beyond all measure.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes")]
    Password,
    /// There is one of this name.
    #[error("there is an account {0} already; take it out first, or choose another name")]
    Known(String),
    /// There is none of this name.
    #[error("there is no account {0}")]
    Unknown(String),
    /// The hash could not be made.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

impl Account {
    /// Names the password it has now, so that a session can end when it changes; says nothing about the password.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.password.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether it is a device that stays on a ward.
    #[must_use]
    pub const fn is_device(&self) -> bool {
        matches!(self.works_as, As::WardDevice(_))
    }
}

impl Accounts {
    /// The accounts in a file; none if there is no file.
    ///
    /// # Errors
    /// If it can not be read or is not one of accounts.
    pub fn read(path: &Path) -> Result<Self, AccountsError> {
        let unusable = |source| AccountsError::Unusable { path: path.to_owned(), source };
        let unfit = |what: String| AccountsError::Unfit { path: path.to_owned(), what };
        match fs::metadata(path) {
            Ok(file) if file.len() > FILE_BYTES_MAX => {
                return Err(unfit("too large for accounts".to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unusable(error)),
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(unusable)?);
        let accounts: Self = toml::from_str(&text).map_err(|error| unfit(error.message().to_owned()))?;
        for account in &accounts.accounts {
            let readable = PasswordHash::new(&account.password).is_ok();
            if !readable || !account.password.starts_with("$argon2id$") {
                return Err(unfit(format!("the password of {} is no Argon2id hash", account.name.as_str())));
            }
        }
        Ok(accounts)
    }

    /// Writes the file anew, whole or not at all, for its owner alone.
    ///
    /// # Errors
    /// If it can not be written.
    pub fn write(&self, path: &Path) -> Result<(), AccountsError> {
        let unusable = |source| AccountsError::Unusable { path: path.to_owned(), source };
        let text = toml::to_string(self).map_err(|error| unusable(io::Error::other(error)))?;
        let draft = path.with_extension("toml.new");
        let put = || {
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, path)
        };
        put().map_err(unusable)
    }

    /// Adds an account.
    ///
    /// # Errors
    /// If there is one of this name, or the password is too short.
    pub fn add(
        &mut self,
        name: AccountName,
        works_as: As,
        password: &str,
        until: Option<Timestamp>,
    ) -> Result<(), AccountsError> {
        if self.accounts.iter().any(|known| known.name == name) {
            return Err(AccountsError::Known(name.0));
        }
        let password = hashed(password)?;
        self.accounts.push(Account { name, works_as, password, until });
        Ok(())
    }

    /// Takes an account out.
    ///
    /// # Errors
    /// If there is none.
    pub fn remove(&mut self, name: &AccountName) -> Result<Account, AccountsError> {
        let place = self.accounts.iter().position(|known| known.name == *name);
        place.map(|place| self.accounts.remove(place)).ok_or_else(|| AccountsError::Unknown(name.0.clone()))
    }

    /// The account of this name, if it is valid now.
    #[must_use]
    pub fn valid(&self, name: &AccountName, now: Timestamp) -> Option<&Account> {
        let account = self.accounts.iter().find(|known| known.name == *name)?;
        account.until.is_none_or(|until| now < until).then_some(account)
    }

    /// Everybody, in the order of the file.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Account> {
        self.accounts.iter()
    }

    /// The account of this name, if it is valid now and this is its password. Takes as long for a name that is not
    /// there: some twenty milliseconds of a processor.
    #[must_use]
    pub fn sign_in(&self, name: &str, password: &str, now: Timestamp) -> Option<&Account> {
        if password.len() > PASSWORD_BYTES_MAX {
            return None;
        }
        let account = self.accounts.iter().find(|known| known.name.as_str() == name);
        let hash = account.map_or(NOBODY, |account| &account.password);
        let fits = PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        account.filter(|account| fits && account.until.is_none_or(|until| now < until))
    }
}

/// The hash of a password that nobody has, by the same measure as all.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IDEy$2e0uRh8oHkXJ1wZ4H6eJwHqyGmPq0A1Fz8gkKzv5w2E";

fn hashed(password: &str) -> Result<String, AccountsError> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(AccountsError::Password);
    }
    let failed = |error: &dyn std::fmt::Display| AccountsError::Hash(error.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| failed(&error))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.as_bytes()).map_err(|error| failed(&error))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T09:00:00Z";

    fn accounts() -> Accounts {
        let mut accounts = Accounts::default();
        let until = Some("2027-01-01T00:00:00Z".parse().unwrap());
        accounts
            .add(
                "jansen".parse().unwrap(),
                As::Source("urn:desk:zk23".parse().unwrap()),
                "correct paard batterij",
                until,
            )
            .unwrap();
        accounts
    }

    #[test]
    fn only_the_right_password_of_a_valid_account_signs_in() {
        let accounts = accounts();
        let now = NOW.parse().unwrap();
        assert!(accounts.sign_in("jansen", "correct paard batterij", now).is_some());
        assert!(accounts.sign_in("jansen", "correct paard batterijen", now).is_none());
        assert!(accounts.sign_in("pietersen", "correct paard batterij", now).is_none());
        assert!(
            accounts
                .sign_in("jansen", "correct paard batterij", "2027-01-01T00:00:00Z".parse().unwrap())
                .is_none()
        );
        assert!(accounts.sign_in("jansen", &"x".repeat(300), now).is_none());
        assert!(PasswordHash::new(NOBODY).is_ok(), "nobody's hash is as long to check");
    }

    #[test]
    fn a_file_of_accounts_holds_no_password_and_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("accounts.toml");
        assert_eq!(Accounts::read(&path).unwrap(), Accounts::default());
        accounts().write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("$argon2id$") && !text.contains("paard"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Accounts::read(&path).unwrap().iter().count(), 1);
        fs::write(&path, text.replace("$argon2id$", "$plain$")).unwrap();
        let said = Accounts::read(&path).unwrap_err().to_string();
        assert!(said.contains("jansen") && !said.contains("$plain$"), "{said}");
    }

    #[test]
    fn a_short_password_or_a_name_twice_is_refused() {
        let mut accounts = accounts();
        let source: SourceId = "urn:desk:zk23".parse().unwrap();
        let again = accounts.add(
            "jansen".parse().unwrap(),
            As::Source(source.clone()),
            "een ander lang wachtwoord",
            None,
        );
        assert!(matches!(again, Err(AccountsError::Known(_))));
        let short = accounts.add("smit".parse().unwrap(), As::Source(source), "kort", None);
        assert!(matches!(short, Err(AccountsError::Password)));
        assert!("Jan Jansen".parse::<AccountName>().is_err());
        accounts.remove(&"jansen".parse().unwrap()).unwrap();
        assert!(accounts.remove(&"jansen".parse().unwrap()).is_err());
    }
}
