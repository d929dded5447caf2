//! One account of the configuration: its users, its limits, what it takes from another and gives to it.
//!
//! Only the core gives, and only to centres: what the broker itself needs to copy a stream (the right to make a
//! consumer of it, the copies, the acknowledgement of their flow), and the requests of a centre, which arrive under
//! its name. No user of a centre may publish to what is taken for the copies; the broker does that itself.

use std::fmt::{self, Write as _};

use domain::Timestamp;
use network::{Account, CentreId, Network, Party, Role, User};

use super::{Setup, Topology, quoted, rights};
use crate::mirrors::{self, API, origin_api};
use crate::subjects::{Service, ServiceSubject};

/// Connections of one user: a few of its machines, and those that have not been noticed to be gone. The broker limits
/// an account only; who holds more is shut out by the node, which looks each second.
pub const CONNECTIONS_OF_USER_MAX: usize = 8;
/// Connections of one centre: its work places have one key.
pub const CONNECTIONS_OF_CENTRE_MAX: usize = 64;
/// Connections that an account may have beyond, so that nobody takes another's place before that is noticed.
const CONNECTIONS_BEYOND_MAX: usize = 1_024;
/// Subscriptions of one connection: a watcher of every region has some 40.
const SUBSCRIPTIONS_MAX: usize = 256;
/// Consumers of one stream: watchers of a centre, of the node.
const CONSUMERS_MAX: usize = 64;

/// Connections of a leaf: the one there is, and the one before it that has not been noticed to be gone.
const LEAF_CONNECTIONS_MAX: usize = 2;
/// Consumers of a leaf's mailbox: the node's broker makes one at each connection, and the ones before end later.
const CONSUMERS_OF_LEAF_MAX: usize = 8;

/// Writes one account.
pub(super) fn write(
    text: &mut String,
    network: &Network,
    now: Timestamp,
    account: &Account,
    setup: &Setup,
) -> fmt::Result {
    let (limits, at_leaf) = (&setup.limits, matches!(setup.topology, Topology::Leaf { .. }));
    writeln!(text, "  {}: {{", quoted(&account.to_string()))?;
    let users: Vec<_> =
        network.users().filter(|user| user.account == *account && is_here(user, at_leaf)).collect();
    let leaves = if at_leaf || users.iter().any(is_leaf) { LEAF_CONNECTIONS_MAX } else { 0 };
    let each = match account {
        Account::Centre(_) => CONNECTIONS_OF_CENTRE_MAX,
        Account::Region(_) | Account::Core | Account::System => CONNECTIONS_OF_USER_MAX,
    };
    let connections = users.len().saturating_mul(each).saturating_add(CONNECTIONS_BEYOND_MAX);
    writeln!(
        text,
        "    limits: {{ max_connections: {connections}, max_subscriptions: {SUBSCRIPTIONS_MAX}, max_leafnodes: {leaves} }}"
    )?;
    let room = limits.room(network, account);
    if room.streams > 0 {
        let consumers = match account {
            Account::Region(_) if at_leaf => CONSUMERS_OF_LEAF_MAX,
            // A mailbox has one reader.
            Account::Region(_) => 1,
            Account::Core | Account::Centre(_) | Account::System => CONSUMERS_MAX,
        };
        writeln!(
            text,
            "    jetstream: {{ max_mem: {}, max_file: {}, max_streams: {}, max_consumers: {consumers} }}",
            room.memory, room.disk, room.streams
        )?;
    }
    writeln!(text, "    users: [")?;
    for user in users {
        let rights = rights::of(network, &user);
        let connects = if is_leaf(&user) { "LEAFNODE" } else { "STANDARD" };
        let shut_out = setup.shut_out.contains(&(account.clone(), user.name.to_owned()));
        for key in user.valid_keys(now).filter(|_| !shut_out) {
            writeln!(text, "      # {}", user.name)?;
            writeln!(
                text,
                "      {{ nkey: {key}, allowed_connection_types: [\"{connects}\"], permissions: {{"
            )?;
            writeln!(text, "        publish: {{ allow: [{}] }}", list(&rights.publish))?;
            writeln!(text, "        subscribe: {{ allow: [{}] }}", list(&rights.subscribe))?;
            writeln!(text, "      }} }}")?;
        }
    }
    writeln!(text, "    ]")?;
    match account {
        Account::Core => given(text, network)?,
        Account::Centre(code) => taken(text, network, code)?,
        Account::Region(_) | Account::System => {}
    }
    writeln!(text, "  }}")
}

fn is_leaf(user: &User<'_>) -> bool {
    matches!(user.party, Party::Service(service) if matches!(service.role, Role::Leaf(_)))
}

/// Whether a user of the account has something to do at this server. At a leaf there is no recorder, and what a leaf is
/// to the node's broker nobody is to it.
fn is_here(user: &User<'_>, at_leaf: bool) -> bool {
    let Party::Service(service) = user.party else { return true };
    !(at_leaf && matches!(service.role, Role::Recorder(_) | Role::Leaf(_)))
}

fn list(subjects: &[String]) -> String {
    subjects.iter().map(|subject| quoted(subject)).collect::<Vec<_>>().join(", ")
}

/// What the core gives.
fn given(text: &mut String, network: &Network) -> fmt::Result {
    writeln!(text, "    exports: [")?;
    for (stream, centres) in mirrors::copied(network) {
        let to = list(&centres.into_iter().map(|code| Account::Centre(code).to_string()).collect::<Vec<_>>());
        let create = quoted(&create_consumer(API, &stream));
        writeln!(text, "      {{ service: {create}, accounts: [{to}] }}")?;
        let flow = quoted(&flow_control(&stream));
        writeln!(text, "      {{ service: {flow}, response_type: \"stream\", accounts: [{to}] }}")?;
    }
    for centre in network.centres() {
        let to = quoted(&Account::Centre(centre.code.clone()).to_string());
        let copies = quoted(&mirrors::copies(&centre.code));
        writeln!(text, "      {{ stream: {copies}, accounts: [{to}] }}")?;
        for service in Service::ALL {
            let requests = quoted(&request(&centre.code, service));
            writeln!(text, "      {{ service: {requests}, accounts: [{to}] }}")?;
        }
    }
    writeln!(text, "    ]")
}

/// What a centre takes from the core.
fn taken(text: &mut String, network: &Network, centre: &CentreId) -> fmt::Result {
    let origin = quoted(&Account::Core.to_string());
    writeln!(text, "    imports: [")?;
    for stream in network.centre(centre).into_iter().flat_map(mirrors::of) {
        let (create, to) = (create_consumer(API, &stream), create_consumer(&origin_api(), &stream));
        let (create, to) = (quoted(&create), quoted(&to));
        writeln!(text, "      {{ service: {{ account: {origin}, subject: {create} }}, to: {to} }}")?;
        let flow = quoted(&flow_control(&stream));
        writeln!(text, "      {{ service: {{ account: {origin}, subject: {flow} }} }}")?;
    }
    let copies = quoted(&mirrors::copies(centre));
    writeln!(text, "      {{ stream: {{ account: {origin}, subject: {copies} }} }}")?;
    for service in Service::ALL {
        let requests = quoted(&request(centre, service));
        let to = quoted(&ServiceSubject { centre: None, service }.to_string());
        writeln!(text, "      {{ service: {{ account: {origin}, subject: {requests} }}, to: {to} }}")?;
    }
    writeln!(text, "    ]")
}

fn create_consumer(api: &str, stream: &str) -> String {
    format!("{api}.CONSUMER.CREATE.{stream}")
}

fn flow_control(stream: &str) -> String {
    format!("$JS.FC.{stream}.>")
}

fn request(centre: &CentreId, service: Service) -> String {
    ServiceSubject { centre: Some(centre.clone()), service }.to_string()
}
