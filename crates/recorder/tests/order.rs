//! The order of a mailbox over every interruption, and a message that interrupts by itself.
//!
//! Not here: what is refused (`faults`), the sender's side of the order (`sender`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "test code; the support is shared"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use async_nats::jetstream::{self, consumer};
use futures::StreamExt as _;
use support::*;
use tempfile::TempDir;

const MAILBOX: &str = "in.zk01.de-linde.bed.freed";
/// More than one pull.
const MAIL: u64 = 600;

/// Puts events in the mailbox, one behind the other.
async fn put(client: &async_nats::Client, numbers: std::ops::Range<u64>) {
    let jetstream = jetstream::new(client.clone());
    for number in numbers {
        jetstream.publish(MAILBOX, bytes(&freed(number, "12"))).await.unwrap().await.unwrap();
    }
}

/// The same as a client that writes its own headers: accepted by the broker, whatever they are.
fn put_raw(broker: &Broker, headers: &[u8], body: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", broker.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let whole = headers.len() + body.len();
    stream.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n").unwrap();
    stream.write_all(format!("HPUB {MAILBOX} {} {whole}\r\n", headers.len()).as_bytes()).unwrap();
    stream.write_all(headers).unwrap();
    stream.write_all(body).unwrap();
    stream.write_all(b"\r\nPING\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.windows(4).any(|window| window == b"PONG") {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..read]);
    }
}

/// Takes a pull as the recorder does and is gone before it acknowledges anything.
async fn pull_and_vanish(broker: &Broker, count: usize) {
    let client = broker.client().await;
    let consumer: consumer::PullConsumer =
        jetstream::new(client.clone()).get_consumer_from_stream("rec", "IN_zk01").await.unwrap();
    let pulled = consumer.fetch().max_messages(count).messages().await.unwrap();
    assert_eq!(pulled.count().await, count);
}

/// Waits until this many records are in the log.
async fn until_recorded(node: &Node, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    let recorded = || said(records(&node.log)).len();
    while recorded() < count {
        assert!(Instant::now() < deadline, "{} of {count}", recorded());
        tokio::task::yield_now().await;
    }
}

/// The numbers of the recorded events, in the order of the log.
fn numbers(records: &[eventlog::Record]) -> Vec<u64> {
    let events = records.iter().filter(|record| &*record.kind == "nl.doorstroom.bed.freed.v1");
    let number = |record: &eventlog::Record| {
        let event: serde_json::Value = serde_json::from_slice(&record.bytes).unwrap();
        u64::from_str_radix(event["id"].as_str().unwrap().rsplit('-').next().unwrap(), 16).unwrap()
    };
    events.map(number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mailbox_keeps_its_order_over_a_restart_of_the_recorder_with_mail_pending() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    put(&client, 0..5).await;
    until_recorded(&node, 5).await;
    node.stop().await.0.unwrap();
    put(&client, 5..MAIL).await;
    pull_and_vanish(&broker, 200).await;
    let node = Node::start(&broker, dir.path()).await;
    until_recorded(&node, usize::try_from(MAIL).unwrap()).await;
    let (ending, records) = node.stop().await;
    ending.unwrap();
    assert_eq!(numbers(&records), (0..MAIL).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mailbox_keeps_its_order_when_another_takes_mail_from_it_while_it_reads() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let taker = tokio::spawn({
        let client = broker.client().await;
        async move {
            let consumer: consumer::PullConsumer =
                jetstream::new(client).get_consumer_from_stream("rec", "IN_zk01").await.unwrap();
            consumer.batch().max_messages(3).expires(PATIENCE).messages().await.unwrap().count().await
        }
    });
    put(&client, 0..MAIL).await;
    until_recorded(&node, usize::try_from(MAIL).unwrap()).await;
    assert_eq!(taker.await.unwrap(), 3);
    let (ending, records) = node.stop().await;
    ending.unwrap();
    assert_eq!(numbers(&records), (0..MAIL).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_with_headers_nobody_can_read_is_quarantined_and_the_rest_goes_on() {
    let unreadable: [&[u8]; 4] = [
        b"NATS/1.0\r\nX: \xff\r\n\r\n",
        b"NATS/1.0\r\nX: a\rb\r\n\r\n",
        b"NATS/1.0\r\nno colon\r\n\r\n",
        b"NATS/1.0\r\na b: c\r\n\r\n",
    ];
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    put(&client, 0..300).await;
    until_recorded(&node, 300).await;
    node.stop().await.0.unwrap();
    put(&client, 300..350).await;
    let body = bytes(&freed(9_999, "12"));
    for headers in unreadable {
        put_raw(&broker, headers, &body);
    }
    put(&client, 350..MAIL).await;
    let node = Node::start(&broker, dir.path()).await;
    until_recorded(&node, usize::try_from(MAIL).unwrap() + unreadable.len()).await;
    let (ending, records) = node.stop().await;
    ending.unwrap();
    let kept = quarantined(&records);
    assert_eq!(numbers(&records), (0..MAIL).collect::<Vec<_>>());
    assert_eq!(kept.len(), unreadable.len());
    for ((kept, headers), sequence) in kept.iter().zip(unreadable).zip(351..) {
        assert_eq!((&*kept.code, &*kept.region, &*kept.sender), ("malformed", "zk01", "de-linde"));
        assert_eq!((&kept.raw, kept.stream_sequence), (&body, sequence), "{}", kept.detail);
        assert_eq!(kept.headers.len(), 1, "{}", headers.escape_ascii());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_with_headers_nobody_can_read_holds_up_a_running_recorder_only_for_a_moment() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    put(&client, 0..50).await;
    put_raw(&broker, b"NATS/1.0\r\nX: \xff\r\n\r\n", &bytes(&freed(9_999, "12")));
    put(&client, 50..100).await;
    until_recorded(&node, 101).await;
    let (ending, records) = node.stop().await;
    ending.unwrap();
    assert_eq!(numbers(&records), (0..100).collect::<Vec<_>>());
    assert_eq!(quarantined(&records).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_on_which_the_client_itself_ends_closes_one_region_for_a_moment_and_the_others_not_at_all() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let mut alarms = node.alarms.subscribe();
    put(&client, 0..50).await;
    put_raw(&broker, b"NATS/1.0\r\nX: a\rb\r\n\r\n", &bytes(&freed(9_999, "12")));
    put(&client, 50..100).await;
    let mut other = freed(10_000, "12");
    other["source"] = serde_json::json!(ANKER);
    other["region"] = serde_json::json!("zk02");
    other["data"]["location"] = serde_json::json!("zk02-het-anker");
    let receipt = ask(&client, "record.zk02.het-anker", bytes(&other)).await;
    assert_eq!(receipt.outcome, contracts::Outcome::Recorded);
    until_recorded(&node, 102).await;
    let alarm = alarms.recv().await.unwrap();
    assert_eq!((alarm.code, alarm.region.unwrap().as_str()), ("door_closed", "zk01"));
    let (ending, records) = node.stop().await;
    ending.unwrap();
    assert_eq!(quarantined(&records).len(), 1);
    let of_zk01 = numbers(&records).into_iter().filter(|number| *number != 10_000);
    assert_eq!(of_zk01.collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
}
