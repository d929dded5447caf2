//! Serves the portal over the reference data, to look at it: `cargo run -p portal --example preview [ADDRESS]`.
//! Half of the events are there at the start; the rest come in, five a second.
//!
//! Not here: the node (`doorstroom up --demo`).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for developers")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Duration;

#[tokio::main]
async fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| String::from("127.0.0.1:8088"));
    let events = support::national();
    let node = support::Node::start();
    let (before, after) = events.split_at(events.len() / 2);
    node.record(before).await;
    let serving = node.serve_on(&address).await;
    println!("http://{}/overzicht", serving.address);
    for event in after {
        node.record(std::slice::from_ref(event)).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    serving.stop().await;
    node.stop().await;
}
