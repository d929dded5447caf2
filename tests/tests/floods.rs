//! One user that does what it likes: too many connections, floods, headers that no client reads. It is shut out and
//! named, and the others do not notice.
//!
//! Not here: how long the others wait meanwhile (`tests/bench/bus flood` measures it), what the rules are
//! (`doorstroom::up::{bars, warden}`, `recorder::flood`).
#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::Duration;

use async_nats::{Client, ConnectOptions};
use network::{Account, Network};
use tests::{Node, Site, eventually};

/// How long the node may take to shut somebody out: it looks each second.
const SHUT_OUT_WITHIN: Duration = Duration::from_secs(20);
const REGION: &str = "zk01";
const BAD: &str = "loket-a";
const CALM: &str = "loket-b";

/// Two desks of one region: one of them means no good.
fn node() -> (Site, Node) {
    let source = |name| {
        format!(
            "[[source]]\nid = \"urn:nld:kvknr:00000000:systeem:{name}\"\nname = \"{name}\"\nkind = \"desk\"\nregion = \"{REGION}\"\n"
        )
    };
    let text = format!(
        "[[region]]\ncode = \"{REGION}\"\nname = \"Een\"\ndesk = {{ name = \"d\", phone = \"1\", hours = \"h\" }}\n\
         [[location]]\nid = \"zk01-a\"\nregion = \"{REGION}\"\nname = \"A\"\n{}{}",
        source(BAD),
        source(CALM)
    );
    let site = Site::new(&Network::from_toml("a test", &text).unwrap());
    let node = site.up();
    (site, node)
}

fn account() -> Account {
    Account::Region(REGION.parse().unwrap())
}

async fn connect(node: &Node, user: &str) -> Result<Client, async_nats::ConnectError> {
    let seed = std::fs::read_to_string(node.key(&account(), user)).unwrap();
    ConnectOptions::with_nkey(seed.trim().to_owned())
        .custom_inbox_prefix(format!("_INBOX.{user}"))
        .add_root_certificates(node.data().join("keys/ca.pem"))
        .require_tls(true)
        .connect(node.bus())
        .await
}

/// What the calm desk sends is recorded.
async fn is_recorded(client: &Client, number: u64) {
    let event = serde_json::json!({
        "specversion": "1.0", "id": format!("01920000-0000-7000-8000-{number:012}"),
        "source": format!("urn:nld:kvknr:00000000:systeem:{CALM}"), "type": "nl.doorstroom.location.confirmed.v1",
        "time": "2026-11-22T09:00:00Z", "region": REGION, "datacontenttype": "application/json",
        "data": {"location": "zk01-a", "occurred_at": "2026-11-22T09:00:00Z"}
    });
    let answer = client.request(format!("record.{REGION}.{CALM}"), event.to_string().into()).await.unwrap();
    let text = String::from_utf8_lossy(&answer.payload);
    assert!(text.contains("recorded") || answer.payload.len() > 10, "{text}");
    assert!(!text.contains("quarantined") && !text.contains("busy"), "{text}");
}

fn alarmed(node: &Node, code: &str) {
    eventually("alarm", SHUT_OUT_WITHIN, || {
        let counted = format!("doorstroom_alarms_total{{code=\"{code}\"}} ");
        node.get("/metrics").1.contains(&counted).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_too_many_connections_is_shut_out_and_named_and_a_neighbour_and_the_recorder_still_get_in()
{
    let (_site, node) = node();
    let calm = connect(&node, CALM).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..40 {
        // Refused once it is shut out.
        match connect(&node, BAD).await {
            Ok(client) => held.push(client),
            Err(_) => break,
        }
    }
    assert!(held.len() > 8, "the broker itself lets more in than are allowed");
    alarmed(&node, "shut_out");
    eventually_refused(&node).await;
    is_recorded(&calm, 1).await;
    connect(&node, CALM).await.unwrap();
}

/// The bad desk is let in no more.
async fn eventually_refused(node: &Node) {
    let begin = std::time::Instant::now();
    while connect(node, BAD).await.is_ok() {
        assert!(begin.elapsed() < SHUT_OUT_WITHIN, "it is still let in");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_at_the_counter_is_shut_out_and_a_neighbour_of_the_same_region_gets_its_receipts() {
    let (_site, node) = node();
    let calm = connect(&node, CALM).await.unwrap();
    let bad = connect(&node, BAD).await.unwrap();
    let flood = tokio::spawn(async move {
        let junk = bytes::Bytes::from(vec![b'{'; 256]);
        while bad.publish(format!("record.{REGION}.{BAD}"), junk.clone()).await.is_ok() {
            if bad.connection_state() != async_nats::connection::State::Connected {
                break;
            }
        }
    });
    for number in 1..=20 {
        is_recorded(&calm, number).await;
    }
    alarmed(&node, "counter_flood");
    alarmed(&node, "shut_out");
    flood.await.unwrap();
    eventually_refused(&node).await;
    is_recorded(&calm, 21).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_headers_that_no_client_reads_is_found_and_shut_out_and_the_mailbox_does_not_notice() {
    let (_site, node) = node();
    let calm = connect(&node, CALM).await.unwrap();
    is_recorded(&calm, 1).await;
    let mut poison = node.python("poison.py", &account(), BAD).arg(REGION).spawn().unwrap();
    alarmed(&node, "counter_poisoned");
    alarmed(&node, "shut_out");
    poison.wait().unwrap();
    is_recorded(&calm, 2).await;
    let doors = node.get("/metrics").1;
    assert!(doors.contains("doorstroom_mailboxes_open 1"), "{doors}");
}
