//! The services as the node's own users and as centres ask them, with a real nats-server and a plain client.
//!
//! Not here: which subject the broker lets whom ask on (its rights).

use std::collections::BTreeMap;

use futures::FutureExt as _;
use gateway::Config;
use serde_json::{Value, json};

use crate::support::{Running, Store, Subscriber, broker, eventually, quarantined, reference};

async fn ask(subscriber: &Subscriber, subject: &str, request: &Value) -> Value {
    let answer = eventually("the service answers", || async {
        subscriber.client.request(subject.to_owned(), request.to_string().into()).await.ok()
    })
    .await;
    serde_json::from_slice(&answer.payload).unwrap()
}

const HISTORY: &str = "svc.doorstroom.history";

#[tokio::test(flavor = "multi_thread")]
async fn history_and_the_stream_together_give_every_event_of_a_region_without_a_hole() {
    let (broker, store) = (broker(), Store::open());
    let (records, network) = reference("region-day");
    // The stream keeps some hundreds of events only.
    let mut config = Config::new("node-1", network);
    config.window.bytes = 256 * 1024;
    let (early, late) = records.split_at(records.len() - 200);
    store.append([quarantined()]).await;
    let last = store.append_batch(early).await;
    let gateway = Running::start_with(&broker, &store, config).await;
    gateway.reaches(last).await;
    let subscriber = Subscriber::connect(&broker).await;

    // First what the stream no longer has, then the stream.
    let mut seen: BTreeMap<u64, Value> = BTreeMap::new();
    let mut after = 0;
    loop {
        let page = ask(&subscriber, HISTORY, &json!({"region": "zk01", "after": after, "limit": 700})).await;
        for event in page["events"].as_array().unwrap() {
            let fresh = seen.insert(event["position"].as_u64().unwrap(), event["data"].clone());
            assert_eq!(fresh, None);
        }
        after = page["next_after"].as_u64().unwrap();
        if after >= page["head"].as_u64().unwrap() {
            break;
        }
    }
    let last = store.append_batch(late).await;
    gateway.reaches(last).await;
    let stream = subscriber.stream("LOG_zk01").await;
    assert!(stream[0].position > 2 && stream[0].position <= after, "the stream begins later, and overlaps");
    for message in stream {
        let data: Value = serde_json::from_slice(&message.payload).unwrap();
        let known = seen.insert(message.position, data.clone());
        assert!(known.is_none_or(|known| known == data));
    }
    let expected: BTreeMap<u64, Value> = store
        .log
        .reader()
        .read(eventlog::Query::default())
        .map(Result::unwrap)
        .filter(|record| contracts::is_event_kind(&record.kind))
        .map(|record| (record.position, serde_json::from_slice(&record.bytes).unwrap()))
        .collect();
    assert_eq!(seen.len(), records.len());
    assert!(seen == expected);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_history_has_its_bytes_and_its_place_and_only_what_was_asked_for_comes() {
    let (broker, store) = (broker(), Store::open());
    let (records, _network) = reference("region-day");
    store.append_batch(&records).await;
    let gateway = Running::start(&broker, &store).await;
    let subscriber = Subscriber::connect(&broker).await;
    let request = json!({"types": ["bed.freed", "nl.doorstroom.bed.vacated.v1"], "limit": 3, "after": 100});
    let page = ask(&subscriber, HISTORY, &request).await;
    let wanted = |record: &&eventlog::Record| {
        ["nl.doorstroom.bed.freed.v1", "nl.doorstroom.bed.vacated.v1"].contains(&&*record.kind)
            && record.position > 100
    };
    let all: Vec<_> = store.log.reader().read(eventlog::Query::default()).map(Result::unwrap).collect();
    let expected: Vec<_> = all.iter().filter(wanted).take(3).collect();
    let events = page["events"].as_array().unwrap();
    assert_eq!(events.len(), 3);
    for (event, record) in events.iter().zip(&expected) {
        assert_eq!(event["position"], record.position);
        assert_eq!(event["key"], record.key.to_string());
        assert_eq!(event["type"], *record.kind);
        assert_eq!(event["content_type"], *record.content_type);
        assert_eq!(event["data"], serde_json::from_slice::<Value>(&record.bytes).unwrap());
        assert!(event["recorded_at"].is_string() && event.get("bytes_base64").is_none());
    }
    assert!(page["next_after"].as_u64().unwrap() >= expected[2].position);
    // An answer fits a message, however much is asked for.
    let large = ask(&subscriber, HISTORY, &json!({"limit": 1000})).await;
    assert!(large.to_string().len() <= 1_000_000 && large["events"].as_array().unwrap().len() <= 1_000);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_gets_its_regions_and_a_refusal_for_another() {
    let (broker, store) = (broker(), Store::open());
    let (records, network) = reference("national-two-days");
    let last = store.append_batch(&records[..4_000]).await;
    store.view.wait_for(last).await;
    let centre = network.centres().find(|centre| centre.regions.len() > 1).unwrap();
    let foreign = network.regions().find(|region| !centre.regions.contains(&region.code)).unwrap();
    let gateway = Running::start_with(&broker, &store, Config::new("node-1", network.clone())).await;
    let subscriber = Subscriber::connect(&broker).await;
    let own = |value: &Value| centre.regions.iter().any(|region| value == region.as_str());
    for service in ["availability", "history"] {
        let subject = format!("svc.for.{}.doorstroom.{service}", centre.code);
        let refused = ask(&subscriber, &subject, &json!({"region": foreign.code})).await;
        assert_eq!(refused["code"], "not_your_region", "{service}");
        let region = &centre.regions[0];
        let one = ask(&subscriber, &subject, &json!({"region": region})).await;
        let all = ask(&subscriber, &subject, &json!({})).await;
        let listed = if service == "availability" { "rows" } else { "events" };
        let region_of = |item: &Value| {
            if listed == "rows" { item["region"].clone() } else { item["data"]["region"].clone() }
        };
        let of_one = one[listed].as_array().unwrap();
        let of_all = all[listed].as_array().unwrap();
        assert!(
            !of_one.is_empty() && of_one.iter().all(|item| region_of(item) == region.as_str()),
            "{service}"
        );
        assert!(of_all.len() > of_one.len() && of_all.iter().all(|item| own(&region_of(item))), "{service}");
        // Who is no centre is not listened to.
        let stranger =
            subscriber.client.request(format!("svc.for.nobody.doorstroom.{service}"), "".into()).await;
        assert_eq!(stranger.unwrap_err().kind(), async_nats::client::RequestErrorKind::NoResponders);
    }
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_asks_without_end_keeps_nobody_else_waiting() {
    let (broker, store) = (broker(), Store::open());
    let (records, network) = reference("national-two-days");
    let last = store.append_batch(&records[..4_000]).await;
    store.view.wait_for(last).await;
    let mut centres = network.centres().map(|centre| format!("svc.for.{}.doorstroom.history", centre.code));
    let (greedy, other) = (centres.next().unwrap(), centres.next().unwrap());
    let gateway = Running::start_with(&broker, &store, Config::new("node-1", network.clone())).await;
    let subscriber = Subscriber::connect(&broker).await;
    ask(&subscriber, &other, &json!({"limit": 1})).await;
    let all = json!({"limit": 1_000}).to_string();
    let mut greedy_answers = subscriber.client.subscribe("_INBOX.greedy").await.unwrap();
    for _ in 0..1_000 {
        subscriber
            .client
            .publish_with_reply(greedy.clone(), "_INBOX.greedy", all.clone().into())
            .await
            .unwrap();
    }
    for _ in 0..5 {
        ask(&subscriber, &other, &json!({"limit": 1})).await;
    }
    let mut answered = 0;
    while let Some(Some(_)) = futures::StreamExt::next(&mut greedy_answers).now_or_never() {
        answered += 1;
    }
    assert!(answered < 500, "the greedy one had {answered} answers before the other had five");
    gateway.stop().await;
    store.close().await;
}
