//! The bucket, the streams of recorded events, the head and the service with rows.
//!
//! Not here: alerts and alarms (`acute`), the history and what centres may see (`history`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_nats::jetstream::kv::Operation;
use eventlog::SignedHead;
use futures::StreamExt;
use gateway::Config;
use serde_json::{Value, json};
use views::Availability;

use crate::support::{Running, Store, Subscriber, broker, event, eventually, quarantined, reference};

/// What the bucket must hold, reckoned apart from the gateway: the rows, and their sums.
fn wanted(view: &Availability) -> BTreeMap<String, Value> {
    let mut wanted = BTreeMap::new();
    let columns =
        "physical occupied held not_ready closed unstaffed reserve offerable also_offerable waiting";
    for row in view.rows() {
        let row = serde_json::to_value(row).unwrap();
        let [region, location, care_type] =
            ["region", "location", "care_type"].map(|name| row[name].as_str().unwrap());
        let sum = wanted.entry(format!("{region}.sum.{care_type}")).or_insert_with(
            || json!({"region": region, "care_type": care_type, "locations": 0, "position": 0}),
        );
        for column in columns.split(' ') {
            sum[column] = (sum[column].as_u64().unwrap_or(0) + row[column].as_u64().unwrap()).into();
        }
        sum["locations"] = (sum["locations"].as_u64().unwrap() + 1).into();
        if row["position"].as_u64() > sum["position"].as_u64() {
            sum["position"] = row["position"].clone();
            sum["recorded_at"] = row["recorded_at"].clone();
        }
        wanted.insert(format!("{region}.loc.{location}.{care_type}"), row);
    }
    wanted
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_equals_the_view_after_a_day_and_so_does_what_a_watcher_put_together() {
    let (broker, store) = (broker(), Store::open());
    let (records, _network) = reference("region-day");
    let gateway = Running::start(&broker, &store).await;
    gateway.reaches(0).await;
    let subscriber = Subscriber::connect(&broker).await;
    let bucket = eventually("there is a bucket", || async {
        subscriber.jetstream.get_key_value("availability").await.ok()
    })
    .await;
    let mut entries = bucket.watch_with_history(">").await.unwrap();
    let last = store.append(records).await;
    gateway.reaches(last).await;

    let expected = store.view.read(wanted);
    assert!(expected.keys().any(|key| key.contains(".sum.")));
    assert_eq!(subscriber.bucket().await, expected);

    let mut watched = BTreeMap::new();
    let written = subscriber.written("KV_availability").await;
    while let Some(entry) = entries.next().await {
        let entry = entry.unwrap();
        match entry.operation {
            Operation::Put => {
                watched.insert(entry.key, serde_json::from_slice::<Value>(&entry.value).unwrap());
            }
            Operation::Delete | Operation::Purge => {
                watched.remove(&entry.key);
            }
        }
        if entry.revision == written {
            break;
        }
    }
    assert_eq!(watched, expected);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_writes_the_rows_it_changed_and_no_other() {
    let (broker, store) = (broker(), Store::open());
    let (mut records, _network) = reference("region-day");
    let last = records.split_off(records.len() - 100);
    let gateway = Running::start(&broker, &store).await;
    let position = store.append(records).await;
    gateway.reaches(position).await;
    let subscriber = Subscriber::connect(&broker).await;
    let mut revisions = subscriber.written("KV_availability").await;
    let mut before = subscriber.bucket().await;
    let (mut rows, mut steps) = (0, 0);
    for record in last {
        let position = store.append([record]).await;
        gateway.reaches(position).await;
        let after = store.view.read(wanted);
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).count();
        let now = subscriber.written("KV_availability").await;
        assert_eq!(now - revisions, u64::try_from(changed).unwrap(), "at position {position}");
        rows += changed;
        steps += usize::from(changed > 0);
        (before, revisions) = (after, now);
    }
    assert!(rows > 0 && rows < steps * before.len() / 2, "{rows} rows changed in {steps} steps");
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_location_that_is_withdrawn_are_deleted() {
    let (broker, store) = (broker(), Store::open());
    let (records, _network) = reference("region-day");
    let registered = records[0].clone();
    let gateway = Running::start(&broker, &store).await;
    let position = store.append(records).await;
    gateway.reaches(position).await;
    let subscriber = Subscriber::connect(&broker).await;
    let before = subscriber.bucket().await;
    let of_it = |bucket: &BTreeMap<String, Value>| {
        bucket.keys().filter(|key| key.contains(".loc.zk01-de-linde.")).count()
    };
    let rows = of_it(&before);
    assert!(rows > 0);
    let deleted = gateway.handle.metrics().deletes();

    let data = json!({"occurred_at": "2026-03-03T00:00:00Z", "location": "zk01-de-linde"});
    let withdrawn = event(&registered, "019cb000-0000-7000-8000-000000000001", "location.withdrawn", &data);
    let position = store.append([withdrawn]).await;
    gateway.reaches(position).await;
    let after = subscriber.bucket().await;
    assert_eq!(of_it(&after), 0);
    assert_eq!(after, store.view.read(wanted));
    let gone = before.keys().filter(|key| !after.contains_key(*key)).count();
    assert_eq!(gateway.handle.metrics().deletes() - deleted, u64::try_from(gone).unwrap());
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_writes_nothing_when_nothing_changed() {
    let (broker, store) = (broker(), Store::open());
    let (records, _network) = reference("region-day");
    let gateway = Running::start(&broker, &store).await;
    let position = store.append(records).await;
    gateway.reaches(position).await;
    gateway.stop().await;
    let subscriber = Subscriber::connect(&broker).await;
    let before = (subscriber.written("KV_availability").await, subscriber.written("LOG_zk01").await);

    let store = store.reopen().await;
    let gateway = Running::start(&broker, &store).await;
    gateway.reaches(position).await;
    let metrics = gateway.handle.metrics();
    assert_eq!((metrics.puts(), metrics.deletes(), metrics.events()), (0, 0, 0));
    let after = (subscriber.written("KV_availability").await, subscriber.written("LOG_zk01").await);
    assert_eq!(after, before);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_writes_only_what_changed_meanwhile_and_deletes_what_vanished() {
    let (broker, store) = (broker(), Store::open());
    let (mut records, _network) = reference("region-day");
    let last = records.split_off(records.len() - 5);
    let registered = records[0].clone();
    let gateway = Running::start(&broker, &store).await;
    let position = store.append(records).await;
    gateway.reaches(position).await;
    gateway.stop().await;
    let subscriber = Subscriber::connect(&broker).await;
    let before = subscriber.bucket().await;

    let data = json!({"occurred_at": "2026-03-03T00:00:00Z", "location": "zk01-de-linde"});
    let withdrawn = event(&registered, "019cb000-0000-7000-8000-000000000001", "location.withdrawn", &data);
    let position = store.append(last.into_iter().chain([withdrawn])).await;
    store.view.wait_for(position).await;
    let after = store.view.read(wanted);
    let gateway = Running::start(&broker, &store).await;
    gateway.reaches(position).await;
    assert_eq!(subscriber.bucket().await, after);
    let puts = after.iter().filter(|(key, value)| before.get(*key) != Some(*value)).count();
    let deletes = before.keys().filter(|key| !after.contains_key(*key)).count();
    let metrics = gateway.handle.metrics();
    assert!(deletes > 0);
    assert_eq!(
        (metrics.puts(), metrics.deletes()),
        (u64::try_from(puts).unwrap(), u64::try_from(deletes).unwrap())
    );
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_lost_its_memory_is_filled_again() {
    let (mut broker, store) = (broker(), Store::open());
    let (mut records, _network) = reference("region-day");
    let last = records.split_off(records.len() - 50);
    let gateway = Running::start(&broker, &store).await;
    let position = store.append(records).await;
    gateway.reaches(position).await;
    let events = Subscriber::connect(&broker).await.stream("LOG_zk01").await;

    broker.kill9();
    let position = store.append(last).await;
    broker.restart();
    let subscriber = Subscriber::connect(&broker).await;
    gateway.reaches(position).await;
    assert_eq!(subscriber.bucket().await, store.view.read(wanted));
    let again = subscriber.stream("LOG_zk01").await;
    assert_eq!(again[..events.len()], events[..]);
    assert_eq!(again.len(), events.len() + 50);
    assert!(gateway.handle.metrics().errors() > 0);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_on_its_stream_once_and_in_order_when_the_gateway_is_restarted_again_and_again() {
    let (broker, store) = (broker(), Store::open());
    let (records, network) = reference("national-two-days");
    let records: Vec<_> = records.into_iter().take(6_000).collect();
    let subscriber = Subscriber::connect(&broker).await;
    let mut position = store.append([quarantined()]).await;
    for part in records.chunks(1_000) {
        let gateway = Running::start_with(&broker, &store, Config::new("node-1", network.clone())).await;
        gateway.reaches(position).await;
        // Stopped while it publishes: somewhere in the middle of this part.
        position = store.append_batch(part).await;
        gateway.passes(position - 700).await;
        gateway.stop().await;
    }
    let gateway = Running::start_with(&broker, &store, Config::new("node-1", network.clone())).await;
    gateway.reaches(position).await;

    let mut recorded: BTreeMap<String, Vec<(u64, bytes::Bytes)>> = BTreeMap::new();
    for record in store.log.reader().read(eventlog::Query::default()) {
        let record = record.unwrap();
        let region = record.tags.iter().find_map(|tag| tag.strip_prefix("region:")).unwrap().to_owned();
        if contracts::is_event_kind(&record.kind) {
            recorded.entry(region).or_default().push((record.position, record.bytes));
        }
    }
    assert!(recorded.len() > 20);
    for region in network.regions() {
        let published: Vec<_> = subscriber
            .stream(&format!("LOG_{}", region.code))
            .await
            .into_iter()
            .map(|message| (message.position, message.payload))
            .collect();
        assert_eq!(published, recorded.remove(region.code.as_str()).unwrap_or_default(), "{}", region.code);
    }
    assert!(recorded.is_empty());
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_another_log_is_emptied_and_filled_anew() {
    let (broker, store) = (broker(), Store::open());
    let (records, _network) = reference("region-day");
    let gateway = Running::start(&broker, &store).await;
    let position = store.append(records.iter().take(200).cloned()).await;
    gateway.reaches(position).await;
    gateway.stop().await;

    let other = Store::open();
    let position = other.append(records.iter().take(300).skip(100).cloned()).await;
    let gateway = Running::start(&broker, &other).await;
    gateway.reaches(position).await;
    let subscriber = Subscriber::connect(&broker).await;
    let published = subscriber.stream("LOG_zk01").await;
    let payloads: Vec<_> = published.into_iter().map(|message| message.payload).collect();
    let expected: Vec<_> = records.iter().take(300).skip(100).map(|record| record.bytes.clone()).collect();
    assert_eq!(payloads, expected);
    assert_eq!(subscriber.bucket().await, other.view.read(wanted));
    gateway.stop().await;
    other.close().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_on_a_log_stream_has_the_stored_bytes_and_its_place_in_the_log() {
    let (broker, store) = (broker(), Store::open());
    let (records, _network) = reference("region-day");
    let gateway = Running::start(&broker, &store).await;
    let position = store.append([quarantined(), records[0].clone()]).await;
    gateway.reaches(position).await;
    let record = store.log.reader().record(position).unwrap().unwrap();
    let messages = Subscriber::connect(&broker).await.stream("LOG_zk01").await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].subject, "log.zk01.location.registered");
    assert_eq!(messages[0].position, 2);
    assert_eq!(messages[0].recorded_at, domain::Timestamp::from_micros(record.recorded_at).to_string());
    assert_eq!(messages[0].key, record.key.to_string());
    assert_eq!(messages[0].payload, records[0].bytes);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_is_the_last_record_signed_by_the_log_and_is_kept_for_who_comes_later() {
    let (broker, store) = (broker(), Store::open());
    let (records, network) = reference("region-day");
    let last = store.append(records.into_iter().take(20)).await;
    store.view.wait_for(last).await;
    let signing = Some(store.log.clone());
    let config = Config { head_every: Duration::from_millis(50), signing, ..Config::new("node-1", network) };
    let gateway = Running::start_with(&broker, &store, config).await;
    let metrics = gateway.handle.metrics();
    eventually("two heads are out", || async { (metrics.heads() >= 2).then_some(()) }).await;
    let heads = Subscriber::connect(&broker).await.stream("HEAD").await;
    assert_eq!(heads.len(), 1);
    let record = store.log.reader().record(last).unwrap().unwrap();
    let digits = record.leaf.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    let leaf: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    let told = serde_json::from_slice::<Value>(&heads[0].payload).unwrap();
    let note: SignedHead = told["note"].as_str().unwrap().parse().unwrap();
    assert_eq!(note.tree(), store.log.reader().tree_head().unwrap());
    assert_eq!(note.note().verify(&[store.log.verifier_key().unwrap()]).unwrap().len(), 1);
    let expected = json!({
        "position": last,
        "recorded_at": domain::Timestamp::from_micros(record.recorded_at).to_string(),
        "key": record.key.to_string(),
        "leaf": leaf,
        "node": "node-1",
        "note": note.to_string(),
        "view_position": last,
    });
    assert_eq!(told, expected);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_answers_with_the_rows_that_are_asked_for() {
    let (broker, store) = (broker(), Store::open());
    let (records, _network) = reference("region-day");
    let last = store.append(records).await;
    store.view.wait_for(last).await;
    let gateway = Running::start(&broker, &store).await;
    let client = Subscriber::connect(&broker).await.client;
    let rows: Vec<Value> =
        store.view.read(|view| view.rows().map(|row| serde_json::to_value(row).unwrap()).collect());
    for (request, care_type, location) in [
        (String::new(), None, None),
        (json!({"region": "zk01", "care_type": "GRZ"}).to_string(), Some("GRZ"), None),
        (json!({"location": "zk01-de-linde"}).to_string(), None, Some("zk01-de-linde")),
    ] {
        let answer = eventually("the service answers", || async {
            client.request("svc.doorstroom.availability", request.clone().into()).await.ok()
        })
        .await;
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
        let expected: Vec<&Value> = rows
            .iter()
            .filter(|row| care_type.is_none_or(|care_type| row["care_type"] == care_type))
            .filter(|row| location.is_none_or(|location| row["location"] == location))
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(answer["rows"], json!(expected), "{request}");
        assert_eq!(answer["position"], json!(last));
        assert!(answer["recorded_at"].is_string());
    }
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_refuses_with_a_code_and_a_sentence() {
    let (broker, store) = (broker(), Store::open());
    let gateway = Running::start(&broker, &store).await;
    let client = Subscriber::connect(&broker).await.client;
    for (request, status, code) in [
        (json!({"regio": "zk01"}).to_string(), "400", "unknown_field"),
        (json!({"region": "ZK 01"}).to_string(), "400", "malformed"),
        (json!({"region": 1}).to_string(), "400", "malformed"),
        (json!({"region": "zk99"}).to_string(), "404", "unknown_region"),
        (json!({"care_type": "ELV"}).to_string(), "400", "unknown_care_type"),
        ("[]".to_owned(), "400", "malformed"),
        ("x".repeat(5_000), "413", "too_large"),
    ] {
        let answer = eventually("the service answers", || async {
            client.request("svc.doorstroom.availability", request.clone().into()).await.ok()
        })
        .await;
        let headers = answer.headers.unwrap();
        let body: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(body["code"], code, "{request}");
        assert_eq!(headers.get("Nats-Service-Error-Code").unwrap().as_str(), status);
        assert_eq!(headers.get("Nats-Service-Error").unwrap().as_str(), body["reason"]);
    }
    gateway.stop().await;
    store.close().await;
}
