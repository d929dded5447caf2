//! Giving a user a new key, and taking keys away. The network file says which keys are valid; a running node follows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Timestamp;
use network::edit::{Draft, EditError};
use network::{Account, Network, PublicKey, User, key_file};

use crate::{Keyring, KeyringError, REVOKED, files};

/// What came of giving a user a new key.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The network as it is now.
    pub network: Network,
    /// The new key; its seed is in the folder.
    pub key: PublicKey,
    /// The keys before it that are valid until then.
    pub ending: Vec<PublicKey>,
    /// Until when.
    pub until: Timestamp,
}

/// What came of taking keys away.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// The network as it is now.
    pub network: Network,
    /// The keys that are valid no more.
    pub keys: Vec<PublicKey>,
    /// Where the seed is now, if it was in the folder.
    pub seed: Option<PathBuf>,
}

/// Gives a user a new key. The keys before it stay valid for `grace`, so that its owner can change over without a gap.
///
/// # Errors
/// When the user is not in the network, or the file or the folder can not be read or written: nothing is changed then.
pub fn rotate(
    network_file: &Path,
    keyring: &Keyring,
    (account, user): (&Account, &str),
    grace: Duration,
    now: Timestamp,
) -> Result<Rotated, KeyringError> {
    let mut draft = Draft::open(network_file)?;
    let network = draft.network()?;
    let of = find(&network, network_file, account, user)?;
    let until = now.saturating_add_micros(i64::try_from(grace.as_micros()).unwrap_or(i64::MAX));
    // One that ends sooner keeps its end.
    let ending: Vec<PublicKey> = of.valid_keys(until).cloned().collect();
    for key in &ending {
        draft.end_key(key, until)?;
    }
    let before = keyring.seed(account, user)?;
    let key = keyring.make_seed(account, user)?;
    let saved = draft
        .add_key(of.party, &key)
        .map_err(KeyringError::from)
        .and_then(|()| files::sync(keyring.dir()))
        .and_then(|()| Ok(draft.save()?));
    match saved {
        Ok(network) => Ok(Rotated { network, key, ending, until }),
        Err(error) => {
            // The broker knows the key before it only.
            match before {
                Some(before) => keyring.put_seed(account, user, &before)?,
                None => remove(&keyring.dir.join(key_file(account, user)))?,
            }
            Err(error)
        }
    }
}

/// Takes every key of a user away, from `now` on. What was recorded until then stays recorded.
///
/// # Errors
/// When the user is not in the network, or the file or the folder can not be read or written.
pub fn revoke_user(
    network_file: &Path,
    keyring: &Keyring,
    (account, user): (&Account, &str),
    now: Timestamp,
) -> Result<Revoked, KeyringError> {
    let draft = Draft::open(network_file)?;
    let network = draft.network()?;
    let of = find(&network, network_file, account, user)?;
    let keys = of.valid_keys(now).cloned().collect();
    revoke(draft, keyring, &of, keys, now)
}

/// Takes one key away, from `now` on, whoever has it.
///
/// # Errors
/// When nobody has it, or the file or the folder can not be read or written.
pub fn revoke_key(
    network_file: &Path,
    keyring: &Keyring,
    key: &PublicKey,
    now: Timestamp,
) -> Result<Revoked, KeyringError> {
    let draft = Draft::open(network_file)?;
    let network = draft.network()?;
    let has = |user: &User<'_>| user.keys.iter().any(|of_user| of_user.key == *key);
    let Some(of) = network.users().find(has) else {
        return Err(missing(network_file, format!("key {key}")));
    };
    let keys = of.valid_keys(now).filter(|valid| *valid == key).cloned().collect();
    revoke(draft, keyring, &of, keys, now)
}

fn revoke(
    mut draft: Draft,
    keyring: &Keyring,
    of: &User<'_>,
    keys: Vec<PublicKey>,
    now: Timestamp,
) -> Result<Revoked, KeyringError> {
    for key in &keys {
        draft.end_key(key, now)?;
    }
    // The file first: it is what shuts the user out.
    let network = draft.save()?;
    let seed = keyring.seed(&of.account, of.name)?;
    let ended = seed.filter(|seed| {
        let valid = network.users().any(|user| user.valid_keys(now).any(|key| key == seed.public_key()));
        !valid
    });
    let seed = ended.map(|seed| keyring.put_away(&of.account, of.name, seed.public_key())).transpose()?;
    Ok(Revoked { network, keys, seed })
}

impl Keyring {
    /// Moves the seed of a user to those that are valid no more. Named after its key too: a user may lose more than one.
    fn put_away(&self, account: &Account, user: &str, key: &PublicKey) -> Result<PathBuf, KeyringError> {
        let folder = self.dir.join(REVOKED).join(account.to_string());
        files::make_folder(&folder)?;
        let to = folder.join(format!("{user}.{key}.nk"));
        fs::rename(self.dir.join(key_file(account, user)), &to)
            .map_err(|source| KeyringError::Unwritable { path: to.clone(), source })?;
        files::sync(&self.dir)?;
        Ok(to)
    }
}

fn find<'a>(
    network: &'a Network,
    file: &Path,
    account: &Account,
    name: &str,
) -> Result<User<'a>, KeyringError> {
    let mut users = network.users();
    let found = users.find(|user| user.account == *account && user.name == name);
    found.ok_or_else(|| missing(file, format!("user {account}/{name}")))
}

fn missing(file: &Path, what: String) -> KeyringError {
    KeyringError::Edit(EditError::Missing { file: file.to_owned(), what })
}

fn remove(path: &Path) -> Result<(), KeyringError> {
    fs::remove_file(path).map_err(|source| KeyringError::Unwritable { path: path.to_owned(), source })
}
