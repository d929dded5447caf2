//! Release and discard of what was kept aside: by the registry and contract of now, once, in its own bytes.
//!
//! Not here: what is kept aside (`faults`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "test code; the support is shared"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bus::{QUARANTINE_DISCARD, QUARANTINE_RELEASE};
use contracts::{
    Act, ActOutcome, Acted, OwnRecord, QUARANTINE_RELEASED_KIND, QUARANTINED_KIND, Receipt, wire,
};
use eventlog::{Key, NewRecord};
use futures::StreamExt as _;
use network::Network;
use support::*;
use tempfile::TempDir;

const ROOS: &str = "urn:nld:kvknr:4:systeem:ecd";

fn act(position: u64) -> Act {
    Act { position, by: "j.smit".to_owned(), reason: "the registry lacked it".to_owned() }
}

fn roos(number: u64) -> serde_json::Value {
    let mut event = freed(number, "12");
    event["source"] = ROOS.into();
    event["data"]["location"] = "zk01-de-roos".into();
    event
}

/// The registry of the tests, and De Roos.
fn with_roos() -> Arc<Network> {
    let sources = SOURCES.replace(
        "\n}",
        &format!(
            ",\n  \"{ROOS}\": {{\"kind\": \"location\", \"name\": \"de-roos\", \"region\": \"zk01\"}}\n}}"
        ),
    );
    Arc::new(Network::from_sources("more sources", &sources).unwrap())
}

/// Puts a message of the unknown De Roos in the mailbox; gives where it was kept aside.
async fn kept_aside(client: &async_nats::Client, number: u64) -> u64 {
    let subject = "in.zk01.de-roos.bed.freed";
    let receipt = post(client, subject, HeaderMap::new(), bytes(&roos(number))).await;
    assert_eq!((receipt.outcome.code(), &*receipt.code), ("quarantined", "unknown_source"));
    receipt.position.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_released_when_the_registry_takes_it_and_its_sender_gets_its_receipt() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let position = kept_aside(&client, 1).await;
    let before = node.log.head().position;

    let refused = node.quarantine.release(&act(position)).await.unwrap();
    assert_eq!((refused.outcome, &*refused.code), (ActOutcome::Refused, "unknown_source"));
    assert_eq!(node.log.head().position, before, "nothing changed");

    node.registry.send(with_roos()).unwrap();
    let mut receipts = client.subscribe("receipt.zk01.de-roos").await.unwrap();
    client.flush().await.unwrap();
    let released = node.quarantine.release(&act(position)).await.unwrap();
    assert_eq!(released.outcome, ActOutcome::Released);
    let told = tokio::time::timeout(PATIENCE, receipts.next()).await.unwrap().unwrap();
    let receipt = Receipt::from_json(&told.payload).unwrap();
    assert_eq!((receipt.outcome.code(), receipt.position), ("recorded", released.event_position));
    assert_eq!(receipt.content_hash, contracts::ContentHash::of(&bytes(&roos(1))));

    // Asked again, by whomever: the same answer, and no more records.
    let again = Act { by: "another".to_owned(), reason: String::new(), ..act(position) };
    assert_eq!(node.quarantine.release(&again).await.unwrap(), released);
    let discarded = node.quarantine.discard(&act(position)).await.unwrap();
    assert_eq!((discarded.outcome, &*discarded.code), (ActOutcome::Refused, "released"));

    let (ending, log) = node.stop().await;
    ending.unwrap();
    assert_eq!(log.len(), usize::try_from(before).unwrap() + 2);
    let event = log.iter().find(|record| Some(record.position) == released.event_position).unwrap();
    assert_eq!(event.bytes, bytes(&roos(1)), "its own bytes");
    let record = log.last().unwrap();
    assert_eq!((&*record.kind, Some(record.position)), (QUARANTINE_RELEASED_KIND, released.position));
    let OwnRecord::QuarantineReleased(record) =
        OwnRecord::decode(&record.kind, record.bytes.clone()).unwrap()
    else {
        panic!("{record:?}")
    };
    assert_eq!(
        (record.position, &*record.subject, &*record.sender, &*record.by, &*record.reason),
        (position, "in.zk01.de-roos.bed.freed", "de-roos", "j.smit", "the registry lacked it")
    );
    assert_eq!(record.event_key, event.key.0.to_vec());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_discarded_once_with_a_reason_and_never_released_after() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let position = kept_aside(&broker.client().await, 1).await;
    let without = Act { reason: " ".to_owned(), ..act(position) };
    assert_eq!(node.quarantine.discard(&without).await.unwrap().code, "no_reason");
    let discarded = node.quarantine.discard(&act(position)).await.unwrap();
    assert_eq!(
        (discarded.outcome, discarded.position),
        (ActOutcome::Discarded, Some(node.log.head().position))
    );
    let again = Act { by: "another".to_owned(), ..act(position) };
    assert_eq!(node.quarantine.discard(&again).await.unwrap(), discarded);
    node.registry.send(with_roos()).unwrap();
    let released = node.quarantine.release(&act(position)).await.unwrap();
    assert_eq!((released.outcome, &*released.code), (ActOutcome::Refused, "discarded"));
    for (nothing, code) in [(999, "not_found"), (discarded.position.unwrap(), "not_quarantined")] {
        assert_eq!(node.quarantine.release(&act(nothing)).await.unwrap().code, code);
    }
    let (_, log) = node.stop().await;
    assert_eq!(log.last().map(|record| record.position), discarded.position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_sent_again_and_recorded_is_released_as_that_event() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let (same, other) = (kept_aside(&client, 1).await, kept_aside(&client, 2).await);
    node.registry.send(with_roos()).unwrap();
    // The same in other bytes, and something else under the same id.
    let spaced = serde_json::to_vec_pretty(&roos(1)).unwrap();
    let first = post(&client, "in.zk01.de-roos.bed.freed", HeaderMap::new(), spaced.into()).await;
    let mut another = roos(2);
    another["data"]["bed"] = "13".into();
    let second = post(&client, "in.zk01.de-roos.bed.freed", HeaderMap::new(), bytes(&another)).await;
    assert_eq!(outcomes(&[first.clone(), second]), [contracts::Outcome::Recorded; 2]);

    let released = node.quarantine.release(&act(same)).await.unwrap();
    assert_eq!((released.outcome, released.event_position), (ActOutcome::Released, first.position));
    assert_eq!(node.quarantine.release(&act(same)).await.unwrap(), released);
    let before = node.log.head().position;
    let refused = node.quarantine.release(&act(other)).await.unwrap();
    assert_eq!((refused.outcome, &*refused.code), (ActOutcome::Refused, "conflict"));
    assert_eq!(node.log.head().position, before, "nothing changed");
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_7_and_9_what_an_older_program_did_not_know_is_released_after_an_upgrade() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    // As a program before this one kept it: an event in binary mode, whose headers are part of it.
    let header = |name: &str, value: &str| wire::Header { name: name.to_owned(), value: value.to_owned() };
    let decoded = contracts::Received::structured(bytes(&freed(7, "12"))).decode().unwrap();
    let (head, body) = contracts::encode_binary(&decoded.event);
    let headers = head.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let binary = contracts::Received::from_message(headers, body.clone());
    let kept = wire::Quarantined {
        region: "zk01".to_owned(),
        sender: "de-linde".to_owned(),
        subject: "in.zk01.de-linde.bed.freed".to_owned(),
        headers: head.iter().map(|(name, value)| header(name, value)).collect(),
        content_type: binary.content_type().to_owned(),
        raw: body,
        code: "unknown_version".to_owned(),
        detail: "version 1 is not known".to_owned(),
        stream_sequence: 1,
    };
    let record = NewRecord {
        key: Key([7; 16]),
        kind: QUARANTINED_KIND.into(),
        tags: Vec::new(),
        occurred_at: 1,
        source: "urn:doorstroom:recorder".into(),
        content_type: "application/protobuf".into(),
        bytes: bus::encode(&kept),
    };
    let position = node.log.append(record.into()).await.unwrap().positions[0];
    let released = node.quarantine.release(&act(position)).await.unwrap();
    assert_eq!(released.outcome, ActOutcome::Released, "{released:?}");
    let (_, log) = node.stop().await;
    let event = log.iter().find(|record| Some(record.position) == released.event_position).unwrap();
    assert_eq!(event.bytes, *binary.bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_asks_over_the_bus_and_what_can_not_be_read_is_refused() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let position = kept_aside(&client, 1).await;
    node.registry.send(with_roos()).unwrap();
    let core = bus::Bus::connect(bus::Config::new(broker.url(), "node")).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(node.quarantine.clone().serve(core, async move { drop(stopped.await) }));

    let operator = bus::Bus::connect(bus::Config::new(broker.url(), "operator")).await.unwrap();
    let ask = async |subject, body: Vec<u8>| {
        // Until the node listens.
        for _ in 0..1_000 {
            match operator.ask_admin(subject, body.clone().into(), PATIENCE).await {
                Ok(answer) => return Acted::from_json(&answer).unwrap(),
                Err(bus::RequestError::NoRecorder { .. }) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the node does not listen")
    };
    assert_eq!(ask(QUARANTINE_DISCARD, b"{}".to_vec()).await.code, "malformed");
    let nobody = Act { by: String::new(), ..act(position) };
    assert_eq!(ask(QUARANTINE_RELEASE, nobody.to_json()).await.code, "malformed");
    assert_eq!(ask("admin.quarantine.forget", act(position).to_json()).await.code, "unknown_act");
    let released = ask(QUARANTINE_RELEASE, act(position).to_json()).await;
    assert_eq!((released.outcome, &*released.by), (ActOutcome::Released, "j.smit"));
    drop(stop);
    serving.await.unwrap().unwrap();
    node.stop().await.0.unwrap();
}
