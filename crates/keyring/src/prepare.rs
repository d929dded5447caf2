//! Making everything a network needs and does not have yet.

use std::path::Path;

use domain::Timestamp;
use network::edit::Draft;
use network::{Account, Network, User};

use crate::{Keyring, KeyringError, certificate, files};

/// What a preparation made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// The users who have a key now and had none, by account and name.
    pub users: Vec<(Account, String)>,
    /// Whether the certificate authority was made.
    pub ca: bool,
    /// Whether the broker's certificate was made: it was not there, lacked a name or would have ended soon.
    pub certificate: bool,
}

impl Made {
    /// Whether everything was there.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Makes what is missing for the network in `network_file`: a key for every user without one (seed in `keys_dir`,
/// public key in the file), the certificate authority, and the broker's certificate for this machine and for `names`
/// (DNS names and addresses by which others reach it).
///
/// A key that is there is left as it is, also one that ended: a user whose key was revoked gets another by
/// [`rotate`](crate::rotate) only. Doing it again changes nothing; after a crash in between it goes on.
///
/// # Errors
/// When the file or the folder can not be read or written, does not pass the checks, or others may read a secret.
pub fn prepare(
    network_file: &Path,
    keys_dir: &Path,
    names: &[String],
    now: Timestamp,
) -> Result<(Network, Keyring, Made), KeyringError> {
    let mut draft = Draft::open(network_file)?;
    let network = draft.network()?;
    let keyring = Keyring::create(keys_dir)?;
    let certificates = certificate::ensure(&keyring, names, now)?;
    let mut made = Made { users: Vec::new(), ca: certificates.ca, certificate: certificates.server };
    for user in network.users() {
        if give_key(&mut draft, &keyring, &user)? {
            made.users.push((user.account, user.name.to_owned()));
        }
    }
    if made.is_nothing() {
        return Ok((network, keyring, made));
    }
    // The seeds first: a public key without its seed would lock its user out.
    files::sync(keyring.dir())?;
    let network = if made.users.is_empty() { network } else { draft.save()? };
    Ok((network, keyring, made))
}

/// Gives a user a key if it has none, and says whether.
fn give_key(draft: &mut Draft, keyring: &Keyring, user: &User<'_>) -> Result<bool, KeyringError> {
    if !user.keys.is_empty() {
        return Ok(false);
    }
    // A seed without a public key in the file: it was made, and then the machine stopped.
    let key = match keyring.seed(&user.account, user.name)? {
        Some(seed) => seed.public_key().clone(),
        None => keyring.make_seed(&user.account, user.name)?,
    };
    draft.add_key(user.party, &key)?;
    Ok(true)
}
