//! The broker of a region that has one of its own: a leaf of the node's, with a mailbox that takes mail while the way to
//! the node is cut. The node's broker copies that mailbox into its own of the same name, also what came meanwhile.
//!
//! Each of the two has its own JetStream; the domain of the leaf's is how the other reaches it. Not here: who connects
//! as what (`server`), making the mailboxes (`provision`).

use async_nats::jetstream::stream::{External, Source};
use domain::RegionId;
use serde_json::Value;

use crate::subjects::mailbox_stream;

/// The environment variable from which a leaf's server has the seed of its user: its configuration holds no secret.
pub const SEED_VARIABLE: &str = "DOORSTROOM_LEAF_SEED";

/// What the leaf's JetStream is called among those that are connected.
pub(crate) fn domain(region: &RegionId) -> String {
    format!("leaf-{region}")
}

/// Where the node's broker asks the leaf's JetStream.
pub(crate) fn api(region: &RegionId) -> String {
    format!("$JS.{}.API", domain(region))
}

/// Whence the mailbox of a region also takes its mail.
pub(crate) fn source(region: &RegionId) -> Source {
    let external = External { api_prefix: api(region), delivery_prefix: None };
    Source { name: mailbox_stream(region), external: Some(external), ..Source::default() }
}

/// Whether this is that source, as a broker tells it.
pub(crate) fn is_source(region: &RegionId, told: &Value) -> bool {
    let Some(told) = told.as_object() else { return false };
    told.keys().all(|key| ["name", "external"].contains(&key.as_str()))
        && told.get("name") == Some(&Value::from(mailbox_stream(region)))
        && told.get("external").and_then(|external| external.get("api")) == Some(&Value::from(api(region)))
}
