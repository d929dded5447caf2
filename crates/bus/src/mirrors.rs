//! Copies of the core's streams in the account of a centre: which, and under which subjects they come.
//!
//! A copy has the name of its origin and no subjects of its own, so a centre reads it as the node's own users read the
//! origin, and nothing can be published into it. The bucket is copied only as far as it is of the centre's regions.
//! Not here: making them (`provisioner`), letting them through (`server`).

use std::collections::{BTreeMap, BTreeSet};

use network::{Centre, CentreId, Network};

use crate::outward::HEAD_STREAM;
use crate::subjects::{AVAILABILITY_BUCKET, acute_stream, log_stream};

/// What every request to the broker begins with.
pub(crate) const API: &str = "$JS.API";

/// The same, as a centre's account reaches the core's.
pub(crate) fn origin_api() -> String {
    "core.API".to_owned()
}

/// The stream of the bucket of rows.
pub(crate) fn bucket_stream() -> String {
    format!("KV_{AVAILABILITY_BUCKET}")
}

/// The streams that are copied for this centre.
pub(crate) fn of(centre: &Centre) -> Vec<String> {
    let mut streams = vec![HEAD_STREAM.to_owned(), acute_stream(centre.code.as_str())];
    // Without regions, the list of what is copied of the bucket would be empty, and that means everything.
    if !centre.regions.is_empty() {
        streams.push(bucket_stream());
    }
    streams.extend(centre.regions.iter().map(log_stream));
    streams
}

/// Every stream that is copied, and for whom.
pub(crate) fn copied(network: &Network) -> BTreeMap<String, BTreeSet<CentreId>> {
    let mut copied: BTreeMap<String, BTreeSet<CentreId>> = BTreeMap::new();
    for centre in network.centres() {
        for stream in of(centre) {
            copied.entry(stream).or_default().insert(centre.code.clone());
        }
    }
    copied
}

/// What the copies for a centre are delivered below, as the origin is told.
pub(crate) fn deliver(centre: &CentreId) -> String {
    format!("mirror.{centre}")
}

/// Where they come.
pub(crate) fn copies(centre: &CentreId) -> String {
    format!("{}.>", deliver(centre))
}

/// The subjects of the bucket that a centre sees. Two for each region, never one alone: the broker puts a single one
/// into the subject of its request, which is not let through.
pub(crate) fn rows_of(centre: &Centre) -> Vec<String> {
    let kinds = |region| ["loc", "sum"].map(|kind| format!("$KV.{AVAILABILITY_BUCKET}.{region}.{kind}.>"));
    centre.regions.iter().flat_map(kinds).collect()
}
