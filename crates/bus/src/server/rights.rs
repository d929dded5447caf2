//! What each user may publish and subscribe to: the table of the design, in allow lists only.
//!
//! Everything not listed is refused by the broker. Deny lists have had holes (queue groups, protocols beside NATS), so
//! there are none. Not here: who the users are (`network`).

use domain::RegionId;
use network::{Network, Party, Role, User};

use crate::leaf;
use crate::provision::CONSUMER;
use crate::subjects::{ReceiptSubject, RecordSubject, mailbox_stream};

/// Every inbox. Who answers requests must be able to publish to whoever asked.
const ANY_INBOX: &str = "_INBOX.>";
/// Where the broker wants the answer to a request that came from another account.
const ANY_IMPORTED_REPLY: &str = "_R_.>";

/// Reading every stream of the user's own account: what is in the account is all it may see.
const READ: [&str; 14] = [
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.DIRECT.GET.>",
    "$JS.API.CONSUMER.NAMES.*",
    "$JS.API.CONSUMER.LIST.*",
    "$JS.API.CONSUMER.INFO.*.*",
    "$JS.API.CONSUMER.CREATE.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
    "$JS.API.CONSUMER.DELETE.*.*",
    "$JS.API.CONSUMER.MSG.NEXT.*.*",
    "$JS.FC.>",
];

/// What a user may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Subjects it may publish to.
    pub(crate) publish: Vec<String>,
    /// Subjects it may subscribe to.
    pub(crate) subscribe: Vec<String>,
}

/// The rights of this user.
pub(crate) fn of(network: &Network, user: &User<'_>) -> Rights {
    let (publish, subscribe) = match user.party {
        Party::Source(source) => {
            let (region, sender) = (source.region.clone(), source.name.clone());
            let record = RecordSubject { region: region.clone(), sender: sender.clone() };
            let mailbox = format!("in.{region}.{sender}.>");
            (vec![mailbox, record.to_string()], vec![ReceiptSubject { region, sender }.to_string()])
        }
        Party::Centre(_) => (reading(&["$JS.ACK.>", "svc.doorstroom.*"]), Vec::new()),
        Party::Service(service) => of_role(network, &service.role),
    };
    let mut subscribe = subscribe;
    subscribe.push(format!("_INBOX.{}.>", user.name));
    Rights { publish, subscribe }
}

fn of_role(network: &Network, role: &Role) -> (Vec<String>, Vec<String>) {
    match role {
        Role::Recorder(region) => {
            let stream = mailbox_stream(region);
            let publish = vec![
                format!("$JS.API.STREAM.INFO.{stream}"),
                // To look at mail that the client can not read.
                format!("$JS.API.STREAM.MSG.GET.{stream}"),
                format!("$JS.API.CONSUMER.INFO.{stream}.{CONSUMER}"),
                format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{CONSUMER}"),
                // To read from the first that was not acknowledged, in order.
                format!("$JS.API.CONSUMER.RESET.{stream}.{CONSUMER}"),
                format!("$JS.ACK.{stream}.{CONSUMER}.>"),
                format!("receipt.{region}.>"),
                ANY_INBOX.to_owned(),
            ];
            (publish, vec![RecordSubject::all_of(region)])
        }
        Role::Leaf(region) => leaf(network, region),
        Role::Provisioner(_) => (vec!["$JS.API.>".to_owned()], Vec::new()),
        Role::Gateway => (
            reading(&["$KV.availability.>", "log.>", "acute.>", "head", ANY_INBOX, ANY_IMPORTED_REPLY]),
            // What people ask of the node comes to the node in this account too.
            ["svc.>", "$SRV.>", "admin.>"].map(str::to_owned).to_vec(),
        ),
        Role::Operator => (reading(&["svc.doorstroom.*", "$SRV.>", "admin.>"]), Vec::new()),
        Role::Monitor => {
            (["VARZ", "JSZ", "CONNZ"].map(|what| format!("$SYS.REQ.SERVER.PING.{what}")).to_vec(), Vec::new())
        }
    }
}

/// What passes between the node's broker and that of a region: to the node requests for the counter and the copies of
/// the leaf's mail, to the leaf receipts, answers to its senders, and what the node's broker asks of the leaf's mailbox.
/// Nothing of the node's own streams, and no mail: that comes as copies alone.
fn leaf(network: &Network, region: &RegionId) -> (Vec<String>, Vec<String>) {
    let stream = mailbox_stream(region);
    let publish = vec![
        RecordSubject::all_of(region),
        // The mail the node's broker asked for, and the answers to what it asked.
        "$JS.S.*".to_owned(),
        "$JSC.R.*".to_owned(),
    ];
    let mut subscribe =
        vec![format!("receipt.{region}.>"), format!("{}.>", leaf::api(region)), format!("$JS.FC.{stream}.>")];
    let senders = network.sources().filter(|source| source.region == *region);
    subscribe.extend(senders.map(|source| format!("_INBOX.{}.>", source.name)));
    (publish, subscribe)
}

fn reading(more: &[&str]) -> Vec<String> {
    READ.iter().chain(more).map(|subject| (*subject).to_owned()).collect()
}
