//! A broker that forgets, and a log that was set back: what is lost is found, recorded, named by an alarm and asked
//! for; nothing with a receipt is lost, nothing is recorded twice.
//!
//! Not here: the order of a mailbox (`order`), what the pure comparison finds (`epoch::compare`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "test code; the support is shared"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use bus::alarm::Alarm;
use bus::provisioner::{Need, Provisioner};
use contracts::{Ask, BUS_EPOCH_KIND, BUS_GAP_KIND, OwnRecord};
use futures::StreamExt as _;
use support::*;
use tempfile::TempDir;
use tokio::sync::broadcast;

const MAILBOX: &str = "in.zk01.de-linde.bed.freed";
const STREAM: &str = "IN_zk01";

/// Puts events in the mailbox, one behind the other; the broker has them when this returns.
async fn put(client: &async_nats::Client, numbers: std::ops::Range<u64>) {
    let jetstream = jetstream::new(client.clone());
    for number in numbers {
        jetstream.publish(MAILBOX, bytes(&freed(number, "12"))).await.unwrap().await.unwrap();
    }
}

/// Puts them there as soon as the broker has a mailbox, and again until it takes them: as an outbox does.
async fn put_stubbornly(client: &async_nats::Client, numbers: std::ops::Range<u64>) {
    let jetstream = jetstream::new(client.clone());
    for number in numbers {
        eventually("a mailbox that takes mail", async || {
            let sent = jetstream.publish(MAILBOX, bytes(&freed(number, "12"))).await.ok()?;
            tokio::time::timeout(Duration::from_secs(1), sent).await.ok()?.ok().map(drop)
        })
        .await;
    }
}

async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "no {what} within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Until this many events of De Linde are in the log.
async fn recorded(node: &Node, count: usize) {
    let mut head = node.log.reader().watch_head();
    let enough = async {
        while events(&records(&node.log)).len() < count {
            head.changed().await.unwrap();
        }
    };
    let done = tokio::time::timeout(PATIENCE, enough).await;
    assert!(done.is_ok(), "{} of {count} recorded", events(&records(&node.log)).len());
}

/// How often each event is in the log, by its key.
fn events(records: &[eventlog::Record]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for record in records.iter().filter(|record| contracts::is_event_kind(&record.kind)) {
        let event: serde_json::Value = serde_json::from_slice(&record.bytes).unwrap();
        *found.entry(event["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    found
}

/// All of these are in the log, each once, and nothing else is.
fn each_once(records: &[eventlog::Record], numbers: std::ops::Range<u64>) {
    assert_eq!(events(records), numbers.map(|number| (id(number), 1)).collect());
}

/// Causes of the epochs of the region in the log.
fn epochs(records: &[eventlog::Record]) -> Vec<String> {
    let of_kind = records.iter().filter(|record| &*record.kind == BUS_EPOCH_KIND);
    of_kind
        .map(|record| {
            let own = OwnRecord::decode(&record.kind, record.bytes.clone()).unwrap();
            let OwnRecord::BusEpoch(epoch) = own else { panic!("{own:?}") };
            (epoch.region, epoch.cause)
        })
        .filter_map(|(region, cause)| (region == "zk01").then_some(cause))
        .collect()
}

/// Cause and numbers of the gaps in the log.
fn gaps(records: &[eventlog::Record]) -> Vec<(String, u64, u64)> {
    let of_kind = records.iter().filter(|record| &*record.kind == BUS_GAP_KIND);
    of_kind
        .map(|record| {
            let own = OwnRecord::decode(&record.kind, record.bytes.clone()).unwrap();
            let OwnRecord::BusGap(gap) = own else { panic!("{own:?}") };
            (gap.cause, gap.first_sequence, gap.last_sequence)
        })
        .collect()
}

/// Until this alarm of the region is raised.
async fn alarm(alarms: &mut broadcast::Receiver<Alarm>, code: &str) -> Alarm {
    let raised = async {
        loop {
            let alarm = alarms.recv().await.unwrap();
            if alarm.code == code && alarm.region.as_ref().is_some_and(|region| region.as_str() == "zk01") {
                return alarm;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), raised)
        .await
        .unwrap_or_else(|_| panic!("no alarm {code} within 10 s"))
}

/// Until the sender is asked to send again.
async fn asked(receipts: &mut async_nats::Subscriber) -> Ask {
    let asked = async {
        loop {
            if let Ok(ask) = Ask::from_json(&receipts.next().await.unwrap().payload) {
                return ask;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap()
}

async fn receipts(client: &async_nats::Client) -> async_nats::Subscriber {
    let subscribed = client.subscribe("receipt.zk01.de-linde").await.unwrap();
    client.flush().await.unwrap();
    subscribed
}

fn copy(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Flips one bit in the message with this number of its event.
fn flip(broker: &Broker, number: u64) {
    let blocks = broker.store().join("$G/streams").join(STREAM).join("msgs");
    let needle = id(number);
    for entry in std::fs::read_dir(blocks).unwrap() {
        let path = entry.unwrap().path();
        let mut block = std::fs::read(&path).unwrap();
        let found = block.windows(needle.len()).position(|window| window == needle.as_bytes());
        if let Some(at) = found.filter(|_| path.extension().is_some_and(|end| end == "blk")) {
            block[at] ^= 1;
            std::fs::write(&path, block).unwrap();
            return;
        }
    }
    panic!("the broker does not have event {number}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_mail_of_a_region_begins_an_epoch_and_nobody_is_asked_for_anything() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let mut told = receipts(&client).await;
    put(&client, 0..3).await;
    recorded(&node, 3).await;
    assert_eq!(node.alarms.counts(), BTreeMap::new());
    let (ending, log) = node.stop().await;
    ending.unwrap();
    assert_eq!(epochs(&log), ["first"]);
    for _ in 0..3 {
        let receipt = told.next().await.unwrap();
        assert!(Ask::from_json(&receipt.payload).is_err(), "{receipt:?}");
    }

    // Nothing begins anew because a recorder, or the broker, was started again.
    let mut broker = broker;
    broker.restart();
    let node = Node::start(&broker, dir.path()).await;
    put(&broker.client().await, 3..5).await;
    recorded(&node, 5).await;
    assert_eq!(node.alarms.counts(), BTreeMap::new());
    let (_, log) = node.stop().await;
    assert_eq!((epochs(&log), gaps(&log)), (vec!["first".to_owned()], Vec::new()));
    each_once(&log, 0..5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_51_a_broker_whose_storage_was_wiped_is_found_and_its_senders_send_again() {
    let (mut broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let mut alarms = node.alarms.subscribe();
    let client = broker.client().await;
    let mut told = receipts(&client).await;
    put(&client, 0..5).await;
    recorded(&node, 5).await;

    broker.kill();
    std::fs::remove_dir_all(broker.store()).unwrap();
    broker.start_again();
    alarm(&mut alarms, "mailbox_recreated").await;
    let ask = asked(&mut told).await;
    assert!(ask.since_position >= 5, "everything up to there is in the log: {ask:?}");

    // All that an outbox may still have, and more.
    put_stubbornly(&client, 0..12).await;
    recorded(&node, 12).await;
    let (ending, log) = node.stop().await;
    ending.unwrap();
    each_once(&log, 0..12);
    assert_eq!(epochs(&log), ["first", "recreated"]);
    assert_eq!(gaps(&log), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_51_a_broker_wiped_while_the_recorder_is_away_is_found_at_its_start() {
    let (mut broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    put(&broker.client().await, 0..5).await;
    recorded(&node, 5).await;
    node.stop().await.0.unwrap();
    // Accepted, and never recorded.
    put(&broker.client().await, 5..9).await;
    broker.kill();
    std::fs::remove_dir_all(broker.store()).unwrap();
    broker.start_again();

    let client = broker.client().await;
    let mut told = receipts(&client).await;
    let node = Node::start(&broker, dir.path()).await;
    asked(&mut told).await;
    put(&client, 0..9).await;
    recorded(&node, 9).await;
    let (_, log) = node.stop().await;
    each_once(&log, 0..9);
    assert_eq!(epochs(&log), ["first", "recreated"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_52_a_broker_rolled_back_to_an_older_state_is_found_and_its_numbers_count_anew() {
    let (mut broker, dir, old) = (Broker::start(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let mut alarms = node.alarms.subscribe();
    let client = broker.client().await;
    let mut told = receipts(&client).await;
    put(&client, 0..10).await;
    recorded(&node, 10).await;
    broker.stop();
    copy(&broker.store(), old.path());
    broker.start_again();
    put_stubbornly(&client, 10..20).await;
    recorded(&node, 20).await;

    broker.stop();
    copy(old.path(), &broker.store());
    broker.start_again();
    alarm(&mut alarms, "mailbox_rolled_back").await;
    asked(&mut told).await;
    // Under numbers that were used before.
    put_stubbornly(&client, 20..25).await;
    recorded(&node, 25).await;
    let (ending, log) = node.stop().await;
    ending.unwrap();
    each_once(&log, 0..25);
    assert_eq!(epochs(&log), ["first", "rolled-back"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_52_numbers_used_again_and_overtaken_are_found_by_what_is_under_them() {
    let (mut broker, dir, old) = (Broker::start(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    put(&broker.client().await, 0..10).await;
    recorded(&node, 10).await;
    node.stop().await.0.unwrap();
    broker.stop();
    copy(&broker.store(), old.path());
    broker.start_again();
    let node = Node::start(&broker, dir.path()).await;
    put(&broker.client().await, 10..20).await;
    recorded(&node, 20).await;
    node.stop().await.0.unwrap();

    broker.stop();
    copy(old.path(), &broker.store());
    broker.start_again();
    let client = broker.client().await;
    // The stream ends behind what was recorded, as if nothing had happened.
    put(&client, 20..35).await;
    let mut told = receipts(&client).await;
    let node = Node::start(&broker, dir.path()).await;
    recorded(&node, 35).await;
    asked(&mut told).await;
    assert_eq!(node.alarms.counts().get("mailbox_rolled_back"), Some(&1));
    let (_, log) = node.stop().await;
    each_once(&log, 0..35);
    assert_eq!(epochs(&log), ["first", "rolled-back"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_53_a_message_damaged_on_the_broker_s_disk_leaves_a_gap_that_is_found() {
    let (mut broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    put(&broker.client().await, 0..5).await;
    recorded(&node, 5).await;
    node.stop().await.0.unwrap();
    put(&broker.client().await, 5..20).await;
    broker.stop();
    flip(&broker, 12);
    broker.start_again();

    let client = broker.client().await;
    let mut told = receipts(&client).await;
    let node = Node::start(&broker, dir.path()).await;
    asked(&mut told).await;
    put(&client, 5..20).await;
    recorded(&node, 20).await;
    let (_, log) = node.stop().await;
    each_once(&log, 0..20);
    let found = (epochs(&log), gaps(&log));
    assert_eq!(found, (vec!["first".to_owned()], vec![("skipped".to_owned(), 13, 13)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_53_a_bit_flipped_before_a_power_cut_takes_half_the_mail_and_is_found() {
    let (mut broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let mut alarms = node.alarms.subscribe();
    let client = broker.client().await;
    let mut told = receipts(&client).await;
    put(&client, 0..40).await;
    recorded(&node, 40).await;
    broker.kill();
    flip(&broker, 20);
    broker.start_again();
    alarm(&mut alarms, "mailbox_rolled_back").await;
    asked(&mut told).await;
    put_stubbornly(&client, 0..50).await;
    recorded(&node, 50).await;
    let (ending, log) = node.stop().await;
    ending.unwrap();
    each_once(&log, 0..50);
    assert_eq!(epochs(&log), ["first", "rolled-back"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_was_too_old_before_the_recorder_came_is_a_gap() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let limits = bus::MailboxLimits { bytes: 16 * 1024 * 1024, age: Duration::from_millis(300) };
    let node = Node::start_with(&broker, dir.path(), limits, None).await;
    let client = broker.client().await;
    put(&client, 0..2).await;
    recorded(&node, 2).await;
    node.stop().await.0.unwrap();
    put(&client, 2..5).await;
    let jetstream = jetstream::new(client.clone());
    eventually("empty mailbox", async || {
        let mut stream = jetstream.get_stream(STREAM).await.unwrap();
        (stream.info().await.unwrap().state.messages == 0).then_some(())
    })
    .await;

    let mut told = receipts(&client).await;
    let node = Node::start_with(&broker, dir.path(), limits, None).await;
    asked(&mut told).await;
    assert_eq!(node.alarms.counts().get("mailbox_gap"), Some(&1));
    put(&client, 2..5).await;
    recorded(&node, 5).await;
    let (_, log) = node.stop().await;
    each_once(&log, 0..5);
    assert_eq!(gaps(&log), [("expired".to_owned(), 3, 5)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_54_a_full_mailbox_refuses_its_senders_and_an_alarm_names_it() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let limits = bus::MailboxLimits { bytes: 512 * 1024, ..bus::MailboxLimits::default() };
    let node = Node::start_with(&broker, dir.path(), limits, None).await;
    let mut alarms = node.alarms.subscribe();
    let client = broker.client().await;
    let jetstream = jetstream::new(client.clone());
    let mut taken = 0;
    let refused = loop {
        let mut event = freed(taken, "12");
        event["sealed"] = serde_json::json!("x".repeat(30_000));
        match jetstream.publish(MAILBOX, bytes(&event)).await.unwrap().await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100);
    };
    assert!(refused.to_string().contains("maximum bytes exceeded"), "{refused}");
    alarm(&mut alarms, "mailbox_full").await;
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_57_a_consumer_or_stream_that_somebody_took_away_is_made_again_by_the_provisioner_only() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let limits = bus::MailboxLimits { bytes: 16 * 1024 * 1024, ..bus::MailboxLimits::default() };
    let (needs, mut needed) = bus::provisioner::needs();
    let node = Node::start_with(&broker, dir.path(), limits, Some(needs)).await;
    let mut alarms = node.alarms.subscribe();
    let client = broker.client().await;
    let mut told = receipts(&client).await;
    put(&client, 0..5).await;
    recorded(&node, 5).await;

    let provisioner = Provisioner::new(
        bus::Server::plain(broker.url()),
        bus::Logins::None,
        std::sync::Arc::new(network()),
        bus::Limits { mailbox: limits, ..bus::Limits::default() },
    );
    let admin = jetstream::new(client.clone());
    admin.delete_consumer_from_stream("rec", STREAM).await.unwrap();
    alarm(&mut alarms, "mailbox_missing").await;
    assert_eq!(needed.recv().await.unwrap(), Need::Mailbox("zk01".parse().unwrap()));
    put(&client, 5..8).await;
    assert_eq!(events(&records(&node.log)).len(), 5, "nobody else makes the consumer");
    provisioner.once().await.unwrap();
    recorded(&node, 8).await;
    let first = ["first".to_owned()];
    assert_eq!((epochs(&records(&node.log)), gaps(&records(&node.log))), (first.to_vec(), Vec::new()));

    admin.delete_stream(STREAM).await.unwrap();
    alarm(&mut alarms, "mailbox_missing").await;
    provisioner.once().await.unwrap();
    alarm(&mut alarms, "mailbox_recreated").await;
    asked(&mut told).await;
    put(&client, 3..12).await;
    recorded(&node, 12).await;
    let (ending, log) = node.stop().await;
    ending.unwrap();
    each_once(&log, 0..12);
    assert_eq!(epochs(&log), ["first", "recreated"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_57_a_setting_that_somebody_changed_is_named_by_an_alarm_and_set_back() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let limits = bus::MailboxLimits { bytes: 16 * 1024 * 1024, ..bus::MailboxLimits::default() };
    let (needs, mut needed) = bus::provisioner::needs();
    let node = Node::start_with(&broker, dir.path(), limits, Some(needs)).await;
    let mut alarms = node.alarms.subscribe();
    let client = broker.client().await;
    put(&client, 0..5).await;
    recorded(&node, 5).await;

    let admin = jetstream::new(client.clone());
    let mut changed: stream::Config = admin.get_stream(STREAM).await.unwrap().cached_info().config.clone();
    (changed.max_age, changed.discard) = (Duration::from_mins(1), stream::DiscardPolicy::Old);
    admin.update_stream(changed).await.unwrap();
    let raised = alarm(&mut alarms, "mailbox_changed").await;
    assert!(raised.detail.contains("discard, max_age"), "{}", raised.detail);
    assert_eq!(needed.recv().await.unwrap(), Need::Mailbox("zk01".parse().unwrap()));
    Provisioner::new(
        bus::Server::plain(broker.url()),
        bus::Logins::None,
        std::sync::Arc::new(network()),
        bus::Limits { mailbox: limits, ..bus::Limits::default() },
    )
    .once()
    .await
    .unwrap();
    let config = admin.get_stream(STREAM).await.unwrap().cached_info().config.clone();
    assert_eq!((config.max_age, config.discard), (limits.age, stream::DiscardPolicy::New));
    put(&client, 5..8).await;
    recorded(&node, 8).await;
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_59_a_log_set_back_to_an_older_copy_reads_the_mail_again_that_it_had_acknowledged() {
    let (broker, dir, old) = (Broker::start(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    put(&client, 0..10).await;
    recorded(&node, 10).await;
    let (_, before) = node.stop().await;
    copy(dir.path(), old.path());
    let node = Node::start(&broker, dir.path()).await;
    put(&client, 10..20).await;
    recorded(&node, 20).await;
    node.stop().await.0.unwrap();

    copy(old.path(), dir.path());
    let mut told = receipts(&client).await;
    let node = Node::start(&broker, dir.path()).await;
    recorded(&node, 20).await;
    let ask = asked(&mut told).await;
    assert_eq!(ask.since_position, before.last().unwrap().position, "what came later is asked for");
    assert_eq!(node.alarms.counts().get("log_behind"), Some(&1));
    let (_, log) = node.stop().await;
    each_once(&log, 0..20);
    assert_eq!(epochs(&log), ["first", "log-behind"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_at_the_end_of_a_mailbox_are_no_sign_of_a_log_set_back() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    put(&client, 0..5).await;
    put(&client, 0..5).await;
    put(&client, 5..6).await;
    put(&client, 0..5).await;
    let mut told = receipts(&client).await;
    recorded(&node, 6).await;
    eventually("answer to the last", async || {
        let jetstream = jetstream::new(client.clone());
        let mut consumer: async_nats::jetstream::consumer::PullConsumer =
            jetstream.get_consumer_from_stream("rec", STREAM).await.unwrap();
        (consumer.info().await.unwrap().ack_floor.stream_sequence == 16).then_some(())
    })
    .await;
    drop(told.unsubscribe().await);
    node.stop().await.0.unwrap();

    let node = Node::start(&broker, dir.path()).await;
    put(&client, 6..8).await;
    recorded(&node, 8).await;
    assert_eq!(node.alarms.counts(), BTreeMap::new());
    let (_, log) = node.stop().await;
    each_once(&log, 0..8);
    assert_eq!((epochs(&log), gaps(&log)), (vec!["first".to_owned()], Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_cursors_a_start_knows_the_same_of_the_mailboxes() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    put(&client, 0..30).await;
    recorded(&node, 30).await;
    node.stop().await.0.unwrap();
    std::fs::remove_dir_all(dir.path().join("catalogue")).unwrap();
    let node = Node::start(&broker, dir.path()).await;
    put(&client, 30..32).await;
    recorded(&node, 32).await;
    assert_eq!(node.alarms.counts(), BTreeMap::new());
    // What came twice: nothing, because the log knew where reading begins.
    assert_eq!(node.handle.metrics().duplicates(), 0);
    node.stop().await.0.unwrap();
}
