//! The whole configuration of a nats-server, from the network: accounts, users, rights, limits, encryption.
//!
//! Pure: the same network and moment give the same text, so that a changed network file is a changed configuration
//! and nothing else is. Not here: starting a server (the node does), making streams (`provisioner`).

mod accounts;
mod rights;

pub use accounts::{CONNECTIONS_OF_CENTRE_MAX, CONNECTIONS_OF_USER_MAX};

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use domain::{RegionId, Timestamp};
use network::{Account, Network};

use crate::leaf::{self, SEED_VARIABLE};
use crate::limits::Limits;
use crate::subjects::InSubject;

/// The largest message the broker takes: a counter batch of 256 KiB with room to spare. What is larger is refused.
const PAYLOAD_BYTES_MAX: u64 = 960 * 1024;

/// What of a server's configuration the network does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// What this server is called; each server of a cluster has a name of its own.
    pub name: String,
    /// Where clients connect; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where its streams are kept.
    pub store: PathBuf,
    /// The folder with `ca.pem`, `server.pem` and `server.key`.
    pub keys: PathBuf,
    /// Alone or with others.
    pub topology: Topology,
    /// Where the leaves of regions that have one connect; without, no leaf does. Port 0 picks a free one.
    pub leaves: Option<SocketAddr>,
    /// How much it keeps.
    pub limits: Limits,
    /// Users that are not let in although their keys are valid: account and name.
    pub shut_out: BTreeSet<(Account, String)>,
}

/// How servers belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Single,
    /// One of several that keep the same streams.
    Cluster {
        /// What the cluster is called.
        name: String,
        /// Where the others connect; port 0 picks a free one.
        listen: SocketAddr,
        /// The others, `nats-route://host:port`.
        routes: Vec<String>,
    },
    /// The broker of a region that has one of its own. The server has the seed of its user in the environment
    /// ([`SEED_VARIABLE`]), so that the configuration holds no secret.
    Leaf {
        /// The region.
        region: RegionId,
        /// Where the node's broker takes leaves, `tls://host:port`.
        hub: String,
    },
}

/// The whole `nats.conf`. A key that is not valid at `now` is not in it.
#[must_use]
pub fn configuration(network: &Network, now: Timestamp, setup: &Setup) -> String {
    let mut text = String::with_capacity(64 * 1024);
    // Writing to a string does not fail.
    let _always_ok = write(&mut text, network, now, setup);
    text
}

/// Every account that a server has.
fn accounts_at(network: &Network, topology: &Topology) -> BTreeSet<Account> {
    match topology {
        Topology::Single | Topology::Cluster { .. } => accounts(network),
        Topology::Leaf { region, .. } => BTreeSet::from([Account::Region(region.clone()), Account::System]),
    }
}

/// Every account of the network.
pub(crate) fn accounts(network: &Network) -> BTreeSet<Account> {
    let regions = network.regions().map(|region| Account::Region(region.code.clone()));
    let centres = network.centres().map(|centre| Account::Centre(centre.code.clone()));
    regions.chain(centres).chain([Account::Core, Account::System]).collect()
}

fn write(text: &mut String, network: &Network, now: Timestamp, setup: &Setup) -> std::fmt::Result {
    let Setup { name, listen, store, keys, topology, leaves, limits, shut_out: _ } = setup;
    writeln!(text, "# Written from the network file; changes here are lost.")?;
    writeln!(text, "server_name: {}", quoted(name))?;
    writeln!(text, "listen: {}", address(*listen))?;
    writeln!(text, "max_payload: {PAYLOAD_BYTES_MAX}")?;
    writeln!(text, "tls {}", tls(keys, false))?;
    let mut memory = 0_u64;
    let mut disk = 0_u64;
    let accounts = accounts_at(network, topology);
    for account in &accounts {
        let room = limits.room(network, account);
        (memory, disk) = (memory.saturating_add(room.memory), disk.saturating_add(room.disk));
    }
    // Without `always` the broker says "accepted" before the disk has it.
    writeln!(text, "jetstream {{\n  store_dir: {}\n  sync_interval: always\n  strict: true", path(store))?;
    writeln!(text, "  max_memory_store: {memory}\n  max_file_store: {disk}")?;
    if let Topology::Leaf { region, .. } = topology {
        writeln!(text, "  domain: {}", quoted(&leaf::domain(region)))?;
    }
    writeln!(text, "}}")?;
    write_topology(text, keys, topology)?;
    if let Some(leaves) = leaves {
        writeln!(text, "leafnodes {{\n  listen: {}\n  tls {}\n}}", address(*leaves), tls(keys, true))?;
    }
    writeln!(text, "system_account: {}", quoted(&Account::System.to_string()))?;
    writeln!(text, "accounts {{")?;
    for account in &accounts {
        accounts::write(text, network, now, account, setup)?;
    }
    writeln!(text, "}}")
}

/// How it is connected to other servers.
fn write_topology(text: &mut String, keys: &Path, topology: &Topology) -> std::fmt::Result {
    match topology {
        Topology::Single => Ok(()),
        Topology::Cluster { name, listen, routes } => {
            writeln!(text, "cluster {{\n  name: {}\n  listen: {}", quoted(name), address(*listen))?;
            writeln!(text, "  tls {}\n  routes: [", tls(keys, true))?;
            for route in routes {
                writeln!(text, "    {}", quoted(route))?;
            }
            writeln!(text, "  ]\n}}")
        }
        Topology::Leaf { region, hub } => {
            let account = quoted(&Account::Region(region.clone()).to_string());
            writeln!(text, "leafnodes {{\n  remotes: [ {{ url: {}, account: {account}", quoted(hub))?;
            writeln!(text, "    nkey: ${SEED_VARIABLE}\n    tls {}", tls(keys, false))?;
            // Mail goes into this server's mailbox and from there to the node's: not into both at once.
            let mail = quoted(&InSubject::all_of(region));
            writeln!(text, "    deny_exports: [{mail}], deny_imports: [{mail}] }} ]\n}}")
        }
    }
}

/// Encryption; `both` asks the other side for a certificate of the same authority too.
fn tls(keys: &Path, both: bool) -> String {
    let [ca, certificate, key] = ["ca.pem", "server.pem", "server.key"].map(|name| path(&keys.join(name)));
    format!(
        "{{ cert_file: {certificate}, key_file: {key}, ca_file: {ca}, verify: {both}, min_version: \"1.3\", timeout: 5 }}"
    )
}

fn address(address: SocketAddr) -> String {
    if address.port() == 0 {
        // The server takes its own default for 0.
        return match address {
            SocketAddr::V4(address) => quoted(&format!("{}:-1", address.ip())),
            SocketAddr::V6(address) => quoted(&format!("[{}]:-1", address.ip())),
        };
    }
    quoted(&address.to_string())
}

fn path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
