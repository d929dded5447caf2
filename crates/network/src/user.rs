//! The users of the bus: which accounts there are, who is in them, what each is called and by which keys it is
//! known. Not here: what a user may do there (`bus`), its seed (`keyring`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use domain::{RegionId, Timestamp};

use crate::Network;
use crate::key::{self, PublicKey, UserKey};
use crate::party::{Centre, CentreId, Source};

/// An account of the broker: its users see and touch nothing of another account.
///
/// Each centre has one of its own: inside one account a centre could take away or drain another's consumer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// `R_<region>`: the sources of a region, and the recorder.
    Region(RegionId),
    /// `CORE`: what the node derives.
    Core,
    /// `ACUTE_<centre>`: a centre that listens.
    Centre(CentreId),
    /// `SYS`: watching over the broker.
    System,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(region) => f.pad(&format!("R_{region}")),
            Self::Core => f.pad("CORE"),
            Self::Centre(centre) => f.pad(&format!("ACUTE_{centre}")),
            Self::System => f.pad("SYS"),
        }
    }
}

/// What a user of the node itself does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Records what a region sends.
    Recorder(RegionId),
    /// Makes the streams and consumers of an account of a region, a centre or the core.
    Provisioner(Account),
    /// The broker of a region that has one of its own, as it is known to the node's.
    Leaf(RegionId),
    /// Publishes views and recorded events.
    Gateway,
    /// A person on the node's machine.
    Operator,
    /// Asks the broker how it is.
    Monitor,
}

impl Role {
    /// The account it is in.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Recorder(region) | Self::Leaf(region) => Account::Region(region.clone()),
            Self::Provisioner(account) => account.clone(),
            Self::Gateway | Self::Operator => Account::Core,
            Self::Monitor => Account::System,
        }
    }

    /// What it is called as a user of that account. No sender or centre can be called so: their names have no `_`.
    #[must_use]
    pub const fn user(&self) -> &'static str {
        match self {
            Self::Recorder(_) => "_recorder",
            Self::Provisioner(_) => "_provisioner",
            Self::Leaf(_) => "_leaf",
            Self::Gateway => "_gateway",
            Self::Operator => "_operator",
            Self::Monitor => "_monitor",
        }
    }

    /// The role as the file has it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Recorder(_) => "recorder",
            Self::Provisioner(_) => "provisioner",
            Self::Leaf(_) => "leaf",
            Self::Gateway => "gateway",
            Self::Operator => "operator",
            Self::Monitor => "monitor",
        }
    }

    /// Every role that a network of these regions and centres has.
    pub(crate) fn all(network: &Network) -> impl Iterator<Item = Self> {
        let regions = network.regions.keys().flat_map(|region| {
            [Self::Recorder(region.clone()), Self::Provisioner(Account::Region(region.clone()))]
        });
        let leaves = network.regions.values().filter(|region| region.leaf);
        let leaves = leaves.map(|region| Self::Leaf(region.code.clone()));
        let centres = network.centres.keys().map(|centre| Self::Provisioner(Account::Centre(centre.clone())));
        let single = [Self::Gateway, Self::Operator, Self::Provisioner(Account::Core), Self::Monitor];
        regions.chain(leaves).chain(centres).chain(single)
    }
}

/// A user of the node itself. Every region (and its leaf), every centre and the core have theirs, also when the file gives them no
/// keys yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What it does.
    pub role: Role,
    /// The keys it is known by.
    pub keys: Vec<UserKey>,
}

/// On whose behalf a user is on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party<'a> {
    /// A source that sends.
    Source(&'a Source),
    /// A centre that listens.
    Centre(&'a Centre),
    /// The node itself.
    Service(&'a Service),
}

/// A user of the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User<'a> {
    /// The account it is in.
    pub account: Account,
    /// What it is called there: also its inbox is (`_INBOX.<name>`), and its key file.
    pub name: &'a str,
    /// The keys it is known by, in the order of the file.
    pub keys: &'a [UserKey],
    /// On whose behalf.
    pub party: Party<'a>,
}

impl<'a> User<'a> {
    /// The keys that are valid at `now`, in the order of the file.
    pub fn valid_keys(&self, now: Timestamp) -> impl Iterator<Item = &'a PublicKey> + use<'a> {
        key::valid(self.keys, now)
    }

    /// Where its seed stands in a folder of keys.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        key_file(&self.account, self.name)
    }
}

/// Where the seed of a user stands in a folder of keys, such as `R_zk23/loket-zk23.nk`.
#[must_use]
pub fn key_file(account: &Account, user: &str) -> PathBuf {
    PathBuf::from(account.to_string()).join(format!("{user}.nk"))
}

/// Every user of the node itself, none with a key yet.
pub(crate) fn without_keys(network: &Network) -> BTreeMap<Role, Service> {
    Role::all(network).map(|role| (role.clone(), Service { role, keys: Vec::new() })).collect()
}

/// Every user, by account and name.
pub(crate) fn users(network: &Network) -> Vec<User<'_>> {
    let services = network.services.values().map(|service| User {
        account: service.role.account(),
        name: service.role.user(),
        keys: &service.keys,
        party: Party::Service(service),
    });
    let sources = network.sources.values().map(|source| User {
        account: Account::Region(source.region.clone()),
        name: source.name.as_str(),
        keys: &source.keys,
        party: Party::Source(source),
    });
    let centres = network.centres.values().map(|centre| User {
        account: Account::Centre(centre.code.clone()),
        name: centre.code.as_str(),
        keys: &centre.keys,
        party: Party::Centre(centre),
    });
    let mut users: Vec<User<'_>> = services.chain(sources).chain(centres).collect();
    users.sort_by(|a, b| (&a.account, a.name).cmp(&(&b.account, b.name)));
    users
}
