//! What is given to a user, to be taken away: its key and what its programs need beside it.
//!
//! Not here: how a program uses it (`doorstroom send --creds DIR`).

use std::fs;
use std::path::{Path, PathBuf};

use network::{Network, Party, Role, User};

use crate::{CA, Keyring, KeyringError, files};

/// The file that says where the bus is: URLs, separated by commas.
pub const BUS_FILE: &str = "bus.url";
/// The certificate by which the bus is believed.
pub const CA_FILE: &str = CA;
/// The file with the user's part of the network.
pub const NETWORK_FILE: &str = "network.toml";
/// The file for the person who gets it.
const WORDS_FILE: &str = "README.txt";

impl Keyring {
    /// Gives a user what it needs: puts its seed (`<user>.nk`, first of the files told), `ca.pem`, its part of the network,
    /// where the bus is if that is known, and how to use it all into the folder `to`, made if it is not there. Everything
    /// is for its owner alone; nothing but the seed is a secret. Files that are there already and equal are left.
    ///
    /// # Errors
    /// [`KeyringError::NoSeed`], [`KeyringError::Exists`] (then nothing is written), or when a file can not be read or
    /// written.
    pub fn hand_out(
        &self,
        network: &Network,
        user: &User<'_>,
        bus: Option<&str>,
        to: &Path,
    ) -> Result<Vec<PathBuf>, KeyringError> {
        let seed = self.seed(&user.account, user.name)?.ok_or_else(|| KeyringError::NoSeed {
            user: format!("{}/{}", user.account, user.name),
            dir: self.dir.clone(),
        })?;
        let ca_file = self.ca_file();
        let ca = fs::read(&ca_file).map_err(|source| KeyringError::Unreadable { path: ca_file, source })?;
        let part = network.for_user(user).to_toml();
        let words = words(user, bus);
        let seed = seed.line();
        let url = bus.map(|bus| format!("{bus}\n"));
        let mut given: Vec<(PathBuf, &[u8])> = vec![
            (to.join(format!("{}.nk", user.name)), seed.as_bytes()),
            (to.join(CA), &ca),
            (to.join(NETWORK_FILE), part.as_bytes()),
            (to.join(WORDS_FILE), words.as_bytes()),
        ];
        given.extend(url.as_ref().map(|url| (to.join(BUS_FILE), url.as_bytes())));
        files::make_folder(to)?;
        for (path, bytes) in &given {
            files::check_new(path, bytes)?;
        }
        for (path, bytes) in &given {
            files::put_new(path, bytes, files::PRIVATE)?;
        }
        files::sync(to)?;
        Ok(given.into_iter().map(|(path, _)| path).collect())
    }
}

/// What whoever gets the folder has to know.
fn words(user: &User<'_>, bus: Option<&str>) -> String {
    let User { name, account, .. } = user;
    let commands: &[&str] = match user.party {
        Party::Source(_) => &["send events.jsonl", "send events.jsonl --outbox OUTBOX"],
        Party::Centre(_) => &["watch availability", "watch events", "watch alerts"],
        Party::Service(service) => match service.role {
            Role::Operator => &["watch availability", "watch events", "watch alerts"],
            Role::Recorder(_) | Role::Provisioner(_) | Role::Leaf(_) | Role::Gateway | Role::Monitor => &[],
        },
    };
    let at = if bus.is_some() { "" } else { " --bus tls://HOST:4222" };
    let commands = commands.iter().map(|command| format!("    doorstroom {command} --creds DIR{at}\n"));
    let url = bus.map_or_else(String::new, |bus| format!("    {BUS_FILE}: where the bus is, {bus}\n"));
    format!(
        "What {name} (account {account}) needs on the bus of Doorstroom:\n\n    \
         {name}.nk: the seed it signs in with, and signs events with where that is asked\n    \
         {CA}: the certificate by which the bus is believed\n    \
         {NETWORK_FILE}: what it has to know of who takes part\n{url}\n\
         Whoever has the seed is {name}: keep it from others, and ask for a new one when it got lost.\n\
         DIR is this folder:\n\n{}\n\
         Any NATS client does too: with that seed and certificate, and inboxes that begin with _INBOX.{name}.\n",
        commands.collect::<String>()
    )
}
