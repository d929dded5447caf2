//! A guarded nats-server: accounts, keys, rights and encryption from a network, as a node of its own configures it.
//!
//! Not here: the streams (`bus::provisioner` makes them), the node around it ([`Node`](crate::Node)).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bus::server::{Setup, Topology, configuration};
use bus::{Limits, Login, Logins, Server};
use domain::Timestamp;
use eventlog::{Clock as _, SystemClock};
use network::{Account, Network};
use tempfile::TempDir;

use crate::Broker;

/// A running server with accounts and users of a network; ended when dropped.
#[derive(Debug)]
pub struct Guarded {
    broker: Broker,
    folder: TempDir,
    network: Network,
    limits: Limits,
}

impl Guarded {
    /// Starts a server for this network file. Every user without a key gets one.
    ///
    /// # Panics
    /// If the network is not right, or the server does not listen within half a minute, with what it logged.
    #[must_use]
    pub fn start(network: &str) -> Self {
        Self::start_with(network, Limits::default())
    }

    /// The same, with other limits.
    ///
    /// # Panics
    /// As [`Guarded::start`].
    #[must_use]
    pub fn start_with(network: &str, limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("network.toml"), network).unwrap();
        let (network, text) = prepare(folder.path(), limits);
        Self { broker: Broker::start(&text), folder, network, limits }
    }

    /// Where it is, and by what it is trusted.
    #[must_use]
    pub fn server(&self) -> Server {
        Server { url: self.broker.url().to_owned(), ca: Some(self.keys().join("ca.pem")) }
    }

    /// The folder of all keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// The keys of everybody.
    #[must_use]
    pub fn logins(&self) -> Logins {
        Logins::Folder(self.keys())
    }

    /// One user.
    ///
    /// # Panics
    /// If there is no such user.
    #[must_use]
    pub fn login(&self, account: &Account, user: &str) -> Login {
        self.logins().of(account, user).unwrap().unwrap()
    }

    /// How to connect as this user.
    ///
    /// # Panics
    /// If there is no such user.
    #[must_use]
    pub fn config(&self, account: &Account, user: &str) -> bus::Config {
        let name = format!("{account}/{user}");
        bus::Config { server: self.server(), name, login: Some(self.login(account, user)) }
    }

    /// The network as it was at the start or the last reload, with the keys.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network file; a change counts from the next [`Guarded::reload`] on.
    #[must_use]
    pub fn network_file(&self) -> PathBuf {
        self.folder.path().join("network.toml")
    }

    /// The server itself: its folder, its log, stopping, killing and starting it again.
    pub fn broker(&mut self) -> &mut Broker {
        &mut self.broker
    }

    /// Makes the configuration from the network file as it is now, and has the running server take it over. New users
    /// get keys.
    ///
    /// # Panics
    /// If the network file is not right, or the server does not take the configuration.
    pub fn reload(&mut self) {
        let (network, text) = prepare(self.folder.path(), self.limits);
        self.network = network;
        self.broker.reload(&text);
    }
}

/// The network with keys for everybody, and the configuration for it.
fn prepare(folder: &Path, limits: Limits) -> (Network, String) {
    let keys = folder.join("keys");
    let now = Timestamp::from_micros(SystemClock.now());
    let (network, _keyring, _made) = keyring::prepare(&folder.join("network.toml"), &keys, &[], now).unwrap();
    let setup = Setup {
        name: "guarded".to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        store: "{folder}/store".into(),
        keys,
        topology: Topology::Single,
        leaves: None,
        shut_out: BTreeSet::new(),
        limits,
    };
    let text = configuration(&network, now, &setup);
    (network, text)
}
