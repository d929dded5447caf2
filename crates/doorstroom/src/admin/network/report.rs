//! How `admin network` tells what it did and who is there: for people, or as JSON.

use std::path::PathBuf;

use domain::Timestamp;
use keyring::{Keyring, Made, Revoked, Rotated};
use network::{Account, Network, Party, PublicKey, Signature, User, UserKey, key_file};
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::out::Out;
use crate::table::Table;

/// How many new users are named to people: those somebody just added, not those of a whole country.
const USERS_NAMED_MAX: usize = 8;

/// What a command did.
#[derive(Debug)]
pub(super) enum Report {
    Prepared { file: PathBuf, census: String, also: Vec<String>, made: Made },
    Rotated { user: String, rotated: Rotated },
    Revoked { user: String, revoked: Revoked },
    HandedOut { user: String, files: Vec<PathBuf>, bus: Option<String> },
}

impl Report {
    pub(super) fn tell(&self, json: bool, out: &mut Out) -> Result<(), Failure> {
        if json {
            return out.json(&self.as_json());
        }
        self.lines().into_iter().try_for_each(|line| out.line(line))
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Self::Prepared { file, census, also, made } => {
                let mut lines = also.clone();
                lines.extend(made_lines(made));
                if lines.is_empty() {
                    lines.push("nothing was missing".to_owned());
                }
                lines.push(format!("{}: {census}", file.display()));
                lines
            }
            Self::Rotated { user, rotated } => {
                let mut lines = vec![format!("{user} has a new key: {}", rotated.key)];
                let before = rotated.ending.iter();
                lines.extend(before.map(|key| format!("valid until {}: {key}", rotated.until)));
                if rotated.ending.is_empty() {
                    lines.push(
                        "no key of it was valid: it was shut out, and is let in again with this one"
                            .to_owned(),
                    );
                }
                lines
                    .push(format!("give it to its owner: doorstroom admin network hand-out {user} --to DIR"));
                lines
            }
            Self::Revoked { user, revoked } => {
                let keys = revoked.keys.iter();
                let mut lines: Vec<String> = keys.map(|key| format!("not valid any more: {key}")).collect();
                if lines.is_empty() {
                    lines
                        .push(format!("nothing changed: that was not valid any more, see `show` for {user}"));
                }
                lines.extend(revoked.seed.iter().map(|seed| format!("its seed is now {}", seed.display())));
                lines
            }
            Self::HandedOut { user, files, bus } => {
                let mut lines: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                lines.push(format!(
                    "whoever has the first of these is {user}: hand it over in person and keep no copy"
                ));
                lines.push(match bus {
                    Some(bus) => format!("the bus is said to be at {bus}; --bus says another place"),
                    None => "where the bus is is not said: give --bus, or tell its owner".to_owned(),
                });
                lines
            }
        }
    }

    fn as_json(&self) -> Value {
        let texts = |keys: &[PublicKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        match self {
            Self::Prepared { file, also: _, census: _, made } => {
                let users = made.users.iter().map(|(account, name)| address(account, name));
                json!({
                    "network": file,
                    "users": users.collect::<Vec<_>>(),
                    "ca": made.ca,
                    "certificate": made.certificate,
                })
            }
            Self::Rotated { user, rotated } => json!({
                "user": user,
                "key": rotated.key.as_str(),
                "ending": texts(&rotated.ending),
                "until": rotated.until.to_string(),
            }),
            Self::Revoked { user, revoked } => {
                json!({ "user": user, "keys": texts(&revoked.keys), "seed": revoked.seed })
            }
            Self::HandedOut { user, files, bus } => json!({ "user": user, "files": files, "bus": bus }),
        }
    }
}

fn made_lines(made: &Made) -> Vec<String> {
    let mut lines = Vec::new();
    if made.ca {
        lines.push("the certificate authority was made".to_owned());
    }
    if made.certificate {
        lines.push("the certificate of the bus was made".to_owned());
    }
    if made.users.len() > USERS_NAMED_MAX {
        lines.push(format!("{} users got a key", made.users.len()));
    } else {
        lines
            .extend(made.users.iter().map(|(account, name)| format!("{} got a key", address(account, name))));
    }
    lines
}

/// What a user is called among all accounts.
pub(super) fn address(account: &Account, name: &str) -> String {
    format!("{account}/{name}")
}

pub(super) fn census(network: &Network) -> String {
    format!(
        "{} regions, {} centres, {} locations, {} sources",
        network.regions().len(),
        network.centres().len(),
        network.locations().len(),
        network.sources().len()
    )
}

#[derive(Serialize)]
struct ShownUser {
    account: String,
    user: String,
    /// `desk`, `location`, … of a source; `centre`; what one of the node's own users does.
    is: &'static str,
    must_sign: bool,
    /// Whether its seed is in this node's folder of keys.
    seed_here: bool,
    keys: Vec<ShownKey>,
}

#[derive(Serialize)]
struct ShownKey {
    key: String,
    valid: bool,
    until: Option<String>,
}

/// Every user, or those of one account.
pub(super) fn show(
    network: &Network,
    keyring: Option<&Keyring>,
    account: Option<&str>,
    (json, now): (bool, Timestamp),
    out: &mut Out,
) -> Result<(), Failure> {
    let wanted = |user: &User<'_>| account.is_none_or(|account| user.account.to_string() == account);
    let users: Vec<ShownUser> =
        network.users().filter(wanted).map(|user| shown(&user, keyring, now)).collect();
    if let (Some(account), true) = (account, users.is_empty()) {
        let text = format!("there is no account {account}; give R_<region>, CORE, ACUTE_<centre> or SYS");
        return Err(Failure::usage(text));
    }
    if json {
        return out.json(&users);
    }
    let mut table = Table::new(&["account", "user", "is", "signs", "seed", "key"]);
    for user in users {
        let signs = if user.must_sign { "must" } else { "" };
        let mut seed = if user.seed_here { "here" } else { "" };
        for key in key_lines(&user.keys) {
            let seed = std::mem::take(&mut seed);
            let cells = [&*user.account, &*user.user, user.is, signs, seed, &*key];
            table.row(cells.map(str::to_owned));
        }
    }
    out.line(table)
}

/// The newest key that is valid, which its seed belongs to, and those before it with their ends; or why there is none.
fn key_lines(keys: &[ShownKey]) -> Vec<String> {
    let valid = keys.iter().rev().filter(|key| key.valid);
    let lines: Vec<String> = valid
        .map(|ShownKey { key, until, .. }| match until {
            Some(until) => format!("{key} until {until}"),
            None => key.clone(),
        })
        .collect();
    match (lines.is_empty(), keys.is_empty()) {
        (false, _) => lines,
        (true, true) => vec!["none".to_owned()],
        (true, false) => vec!["revoked".to_owned()],
    }
}

fn shown(user: &User<'_>, keyring: Option<&Keyring>, now: Timestamp) -> ShownUser {
    let (is, must_sign) = match user.party {
        Party::Source(source) => (source.kind.as_str(), source.signature == Signature::Required),
        Party::Centre(_) => ("centre", false),
        Party::Service(service) => (service.role.as_str(), false),
    };
    let key = |key: &UserKey| ShownKey {
        key: key.key.to_string(),
        valid: key.is_valid_at(now),
        until: key.until.map(|until| until.to_string()),
    };
    let file = key_file(&user.account, user.name);
    ShownUser {
        account: user.account.to_string(),
        user: user.name.to_owned(),
        is,
        must_sign,
        seed_here: keyring.is_some_and(|keyring| keyring.dir().join(file).exists()),
        keys: user.keys.iter().map(key).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_grace_is_told_with_its_end_below_the_one_that_follows_it() {
        let key = |key: &str, valid, until: Option<&str>| ShownKey {
            key: key.to_owned(),
            valid,
            until: until.map(str::to_owned),
        };
        let keys = [key("UA", false, Some("1")), key("UB", true, Some("2")), key("UC", true, None)];
        assert_eq!(key_lines(&keys), ["UC", "UB until 2"]);
        assert_eq!(key_lines(&keys[..1]), ["revoked"]);
        assert_eq!(key_lines(&[]), ["none"]);
    }
}
