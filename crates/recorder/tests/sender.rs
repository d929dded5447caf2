//! The ordered sender against a real recorder: both doors, in order, through restarts of the broker and of the node.
//!
//! Not here: what is refused (`faults`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "test code; the support is shared"
)]

mod support;

use std::time::Duration;

use bus::{Bus, Config as BusConfig, Door, Monitoring, Order, Outgoing, SendError, Sender, SenderConfig};
use bytes::Bytes;
use contracts::{Outcome, Receipt, Received};
use futures::stream;
use serde_json::json;
use support::*;
use tempfile::TempDir;

/// Events of three senders in two regions, in turns of different lengths.
fn file(events: u64) -> Vec<Bytes> {
    let one = |number: u64| {
        let mut event = freed(number, &format!("{}", number % 7));
        match number % 11 {
            0..4 => {}
            4..7 => event["source"] = json!(DESK),
            _ => {
                event["source"] = json!(ANKER);
                event["region"] = json!("zk02");
                event["data"]["location"] = json!("zk02-het-anker");
            }
        }
        bytes(&event)
    };
    (0..events).map(one).collect()
}

fn outgoing(bytes: &Bytes) -> Outgoing {
    let received = Received::structured(bytes.clone());
    let event = received.decode().unwrap().event;
    let network = network();
    let source = network.source(&event.source).unwrap();
    Outgoing {
        region: source.region.clone(),
        sender: source.name.clone(),
        name: event.fact.kind().parse().unwrap(),
        event: received,
        sign: false,
    }
}

fn config(broker: &Broker, door: Door) -> SenderConfig {
    let bus = BusConfig::new(broker.url(), "sender");
    SenderConfig { in_flight: 64, ..SenderConfig::plain(bus, door, PATIENCE) }
}

fn start(broker: &Broker, door: Door, file: &[Bytes]) -> Sender {
    let events: Vec<Outgoing> = file.iter().map(outgoing).collect();
    Sender::start(config(broker, door), stream::iter(events))
}

async fn all(mut sender: Sender) -> Vec<Receipt> {
    let mut receipts = Vec::new();
    while let Some(sent) = sender.next().await {
        receipts.push(sent.unwrap());
    }
    receipts.sort_by_key(|(index, _)| *index);
    assert!(receipts.iter().zip(0..).all(|((index, _), expected)| *index == expected), "one receipt each");
    receipts.into_iter().map(|(_, receipt)| receipt).collect()
}

async fn through(door: Door, events: u64) {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let file = file(events);
    let receipts = all(start(&broker, door, &file)).await;
    assert!(receipts.iter().all(|receipt| receipt.outcome == Outcome::Recorded));
    let again = all(start(&broker, door, &file)).await;
    assert!(again.iter().all(|receipt| receipt.outcome == Outcome::Duplicate));
    assert!(again.iter().zip(&receipts).all(|(again, first)| again.position == first.position));
    let (ending, records) = node.stop().await;
    let records = said(records);
    ending.unwrap();
    let stored: Vec<Bytes> = records.into_iter().map(|record| record.bytes).collect();
    if door == Door::Mailbox(Order::WithinRegion) {
        for region in ["\"region\":\"zk01\"", "\"region\":\"zk02\""] {
            let of_region = |events: &[Bytes]| -> Vec<Bytes> {
                let here = |event: &&Bytes| std::str::from_utf8(event).unwrap().contains(region);
                events.iter().filter(here).cloned().collect()
            };
            assert_eq!(of_region(&stored), of_region(&file), "each region in the order of the file");
        }
        assert_eq!(stored.len(), file.len());
    } else {
        assert_eq!(stored, file, "in the order of the file");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_counter_records_a_file_in_its_order_and_once() {
    through(Door::Counter(Order::Strict), 3_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mailboxes_record_a_file_in_its_order_if_that_is_asked() {
    through(Door::Mailbox(Order::Strict), 150).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mailboxes_keep_the_order_of_each_region() {
    through(Door::Mailbox(Order::WithinRegion), 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_killed_and_a_node_restarted_while_sending_lose_nothing_and_double_nothing() {
    for door in [Door::Counter(Order::Strict), Door::Mailbox(Order::WithinRegion)] {
        let (mut broker, dir) = (Broker::start(), TempDir::new().unwrap());
        let mut node = Node::start(&broker, dir.path()).await;
        let file = file(600);
        let mut sender = start(&broker, door, &file);
        let mut receipts = 0_usize;
        while let Some(sent) = sender.next().await {
            sent.unwrap();
            receipts += 1;
            match receipts {
                100 => broker.restart(),
                300 => {
                    node.stop().await.0.unwrap();
                    node = Node::start(&broker, dir.path()).await;
                }
                _ => {}
            }
        }
        assert_eq!(receipts, file.len());
        let (ending, records) = node.stop().await;
        let records = said(records);
        ending.unwrap();
        let mut stored: Vec<Bytes> = records.into_iter().map(|record| record.bytes).collect();
        for source in [DESK, LINDE, ANKER] {
            let of_source = |events: &[Bytes]| -> Vec<Bytes> {
                let mine = |event: &&Bytes| std::str::from_utf8(event).unwrap().contains(source);
                events.iter().filter(mine).cloned().collect()
            };
            assert_eq!(of_source(&stored), of_source(&file), "{door:?}: {source} keeps its order");
        }
        let mut expected = file.clone();
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected, "{door:?}: everything, once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_event_among_good_ones_does_not_hold_them_up() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let file = file(4);
    let mut events: Vec<Outgoing> = file.iter().map(outgoing).collect();
    let bad = Bytes::from_static(b"{\"specversion\":\"1.0\"}");
    let large = Bytes::from(vec![b'x'; contracts::EVENT_BYTES_MAX + 1]);
    for bytes in [&bad, &large] {
        let event = Received::structured(bytes.clone());
        events
            .insert(2, Outgoing { event, name: bus::subjects::EventName::unreadable(), ..events[0].clone() });
    }
    let mut sender = Sender::start(config(&broker, Door::Counter(Order::Strict)), stream::iter(events));
    let (mut told, mut unsendable) = (Vec::new(), Vec::new());
    while let Some(sent) = sender.next().await {
        match sent {
            Ok((index, receipt)) => told.push((index, receipt.outcome)),
            Err(SendError::Unsendable { index, .. }) => unsendable.push(index),
            Err(error) => panic!("{error}"),
        }
    }
    told.sort_by_key(|(index, _)| *index);
    let recorded = Outcome::Recorded;
    assert_eq!(unsendable, [2]);
    assert_eq!(told, [(0, recorded), (1, recorded), (3, Outcome::Quarantined), (4, recorded), (5, recorded)]);
    let records = said(node.stop().await.1);
    assert_eq!(quarantined(&records)[0].raw, bad);
    let stored: Vec<&Bytes> = records
        .iter()
        .filter(|record| contracts::is_event_kind(&record.kind))
        .map(|record| &record.bytes)
        .collect();
    assert_eq!(stored, file.iter().collect::<Vec<_>>(), "the good ones in their order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_without_a_recorder_says_why_it_gives_up() {
    let broker = Broker::start();
    let mut config = config(&broker, Door::Counter(Order::Strict));
    config.give_up_after = Duration::from_millis(300);
    let mut sender = Sender::start(config, stream::iter([outgoing(&file(1)[0])]));
    let Some(Err(SendError::GaveUp { index: 0, reason, .. })) = sender.next().await else {
        panic!("it should give up at the first event");
    };
    assert!(reason.contains("no recorder listens"), "{reason}");
    assert!(sender.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_in_the_mailbox_while_nobody_records_is_recorded_later() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    node.stop().await.0.unwrap();
    let jetstream = async_nats::jetstream::new(broker.client().await);
    let file = file(4);
    for event in &file {
        let put =
            jetstream.publish("in.zk01.de-linde.bed.freed", event.clone()).await.unwrap().await.unwrap();
        assert!(put.sequence > 0);
    }
    let node = Node::start(&broker, dir.path()).await;
    let mut head = node.log.reader().watch_head();
    let all = head.wait_for(|head| head.position == 5); // and by which stream it counts
    tokio::time::timeout(PATIENCE, all).await.unwrap().unwrap();
    let records = said(node.stop().await.1);
    let stored: Vec<Bytes> = records.into_iter().map(|record| record.bytes).collect();
    assert_eq!(stored, file);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_stopped_ends_the_recorder_without_a_receipt() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    node.log.clone().close().await;
    let asked = client.request("record.zk01.de-linde", bytes(&freed(1, "12")));
    let asked = tokio::time::timeout(Duration::from_millis(500), asked);
    let (answer, ending) = tokio::join!(asked, node.ended());
    assert!(answer.is_err(), "nothing was said to the sender");
    assert!(ending.unwrap_err().to_string().contains("the log stopped"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_is_used_only_if_it_is_new_enough_and_synced() {
    let broker = Broker::start();
    let bus = Bus::connect(BusConfig::new(broker.url(), "check")).await.unwrap();
    bus.check_broker(&Monitoring::At(broker.monitoring())).await.unwrap();
    bus.check_broker(&Monitoring::Unchecked).await.unwrap();
    let other = Broker::start();
    let error = bus.check_broker(&Monitoring::At(other.monitoring())).await.unwrap_err();
    assert!(error.to_string().contains("another broker"), "{error}");
    let unsynced = Broker::start_with("sync_interval: 2m");
    let bus = Bus::connect(BusConfig::new(unsynced.url(), "check")).await.unwrap();
    let error = bus.check_broker(&Monitoring::At(unsynced.monitoring())).await.unwrap_err();
    assert!(error.to_string().contains("sync_interval: always"), "{error}");
}
