//! `doorstroom admin broker`: what a nats-server needs that a node does not start itself: one of a cluster, or the leaf
//! of a region.
//!
//! Not here: what is in a configuration and which streams there are (`bus`), the server of a node's own (`up`).

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bus::provisioner::Provisioner;
use bus::server::{self, Setup, Topology};
use bus::{Limits, Logins, Server};
use clap::{Args, Subcommand};
use domain::{RegionId, Timestamp};
use eventlog::{Clock as _, SystemClock};
use network::Network;

use crate::failure::Failure;
use crate::node_file::DataArg;
use crate::out::Out;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the configuration of a nats-server, made from the network file; it holds no secret
    #[command(
        after_help = "Make it again and send the server SIGHUP when the network file changed.\n\nExamples:\n  doorstroom admin broker configuration --name a --listen 10.0.0.1:4222 --store /var/lib/nats --replicas 3 \\\n    --cluster doorstroom --cluster-listen 10.0.0.1:6222 --route nats-route://10.0.0.2:6222 > nats.conf\n  doorstroom admin broker configuration --name leaf-zk23 --listen 10.1.0.1:4222 --store /var/lib/nats \\\n    --leaf-of zk23 --hub tls://bus.example.nl:7422 > nats.conf    # started with the seed R_zk23/_leaf.nk in DOORSTROOM_LEAF_SEED"
    )]
    Configuration(Box<Configuration>),
    /// Make the streams and consumers that a broker should have, once
    #[command(
        after_help = "Examples:\n  doorstroom admin broker provision --bus tls://10.0.0.1:4222,tls://10.0.0.2:4222 --replicas 3\n  doorstroom admin broker provision --bus tls://10.1.0.1:4222 --leaf-of zk23"
    )]
    Provision(Provision),
}

/// Whose network and keys.
#[derive(Args, Debug)]
struct Node {
    #[command(flatten)]
    data: DataArg,
    /// The network file [default: network.toml in the folder of the node's data]
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// How many servers keep each stream: 1, or 3 in a cluster
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
}

#[derive(Args, Debug)]
pub(crate) struct Configuration {
    #[command(flatten)]
    node: Node,
    /// What this server is called, differently from every other
    #[arg(long)]
    name: String,
    /// Where clients connect
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// The folder of its streams
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The folder with ca.pem, server.pem and server.key on that machine [default: keys in the folder of the node's data]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// What its cluster is called
    #[arg(long, value_name = "NAME", requires_all = ["cluster_listen", "routes"])]
    cluster: Option<String>,
    /// Where the other servers of the cluster connect
    #[arg(long, value_name = "ADDR", requires = "cluster")]
    cluster_listen: Option<SocketAddr>,
    /// Another server of the cluster; may be given more than once
    #[arg(long = "route", value_name = "URL", requires = "cluster")]
    routes: Vec<String>,
    /// Where leaves connect
    #[arg(long, value_name = "ADDR")]
    leaf_listen: Option<SocketAddr>,
    /// The region of which it is the leaf
    #[arg(long, value_name = "REGION", requires = "hub", conflicts_with_all = ["cluster", "leaf_listen"])]
    leaf_of: Option<RegionId>,
    /// Where the node's broker takes leaves
    #[arg(long, value_name = "URL", requires = "leaf_of")]
    hub: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Provision {
    #[command(flatten)]
    node: Node,
    /// The broker; several servers of one cluster are separated by commas
    #[arg(long, value_name = "URL")]
    bus: String,
    /// Only the mailbox at the leaf of this region; the broker is that leaf
    #[arg(long, value_name = "REGION")]
    leaf_of: Option<RegionId>,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let mut out = Out::new();
    match command {
        Command::Configuration(of) => out.line(configuration(of)?.trim_end())?,
        Command::Provision(of) => out.line(provision(of)?)?,
    }
    out.flush()
}

fn configuration(of: &Configuration) -> Result<String, Failure> {
    let network = of.node.network()?;
    let keys = of.keys.clone().unwrap_or_else(|| of.node.keys());
    let topology = match (&of.cluster, of.cluster_listen, &of.leaf_of, &of.hub) {
        (Some(name), Some(listen), _, _) => {
            Topology::Cluster { name: name.clone(), listen, routes: of.routes.clone() }
        }
        (_, _, Some(region), Some(hub)) => {
            has_leaf(&network, region)?;
            Topology::Leaf { region: region.clone(), hub: hub.clone() }
        }
        _ => Topology::Single,
    };
    let setup = Setup {
        name: of.name.clone(),
        listen: of.listen,
        // The server resolves what is relative from wherever it is started.
        store: absolute(&of.store)?,
        keys: absolute(&keys)?,
        topology,
        leaves: of.leaf_listen,
        limits: of.node.limits(),
        shut_out: BTreeSet::new(),
    };
    Ok(server::configuration(&network, Timestamp::from_micros(SystemClock.now()), &setup))
}

fn provision(of: &Provision) -> Result<String, Failure> {
    let network = Arc::new(of.node.network()?);
    let keys = of.node.keys();
    let server = Server { url: of.bus.clone(), ca: Some(keys.join("ca.pem")) };
    let provisioner = Provisioner::new(server, Logins::Folder(keys), Arc::clone(&network), of.node.limits());
    crate::runtime()?.block_on(async {
        if let Some(region) = &of.leaf_of {
            has_leaf(&network, region)?;
            provisioner.once_at_leaf(region).await?;
            return Ok(format!("the leaf of {region} has its mailbox"));
        }
        let done = provisioner.once().await?;
        Ok(format!(
            "{} mailboxes, {} streams of the core, {} copies for centres",
            done.mailboxes, done.streams, done.copies
        ))
    })
}

fn has_leaf(network: &Network, region: &RegionId) -> Result<(), Failure> {
    match network.region(region) {
        Some(region) if region.leaf => Ok(()),
        Some(_) => Err(Failure::usage(format!(
            "the region {region} has no leaf; `doorstroom admin network add-leaf {region}` gives it one"
        ))),
        None => Err(Failure::usage(format!("there is no region {region} in the network file"))),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::new(format!("{} is no place for files", path.display()), error))
}

impl Node {
    fn network(&self) -> Result<Network, Failure> {
        let file = self.network.clone().unwrap_or_else(|| self.data.data.join("network.toml"));
        Ok(Network::read(&file)?)
    }

    fn keys(&self) -> PathBuf {
        let keys = self.data.data.join("keys");
        fs::canonicalize(&keys).unwrap_or(keys)
    }

    fn limits(&self) -> Limits {
        Limits { replicas: self.replicas, ..Limits::default() }
    }
}
