//! What centres are told at once, and alarms, with a real nats-server and a plain client.
//!
//! Not here: which alerts there are (`views`).

use std::collections::BTreeSet;
use std::sync::Arc;

use bus::alarm::{Alarm, Alarms};
use eventlog::NewRecord;
use gateway::Config;
use network::Network;
use serde_json::{Value, json};
use tests::Broker;

use crate::support::{Running, SetClock, Store, Subscriber, broker, event, eventually, reference};

/// The day of a region, with these rules for a centre of its own.
fn with_rules(rules: &str) -> (Vec<NewRecord>, Arc<Network>) {
    let (records, network) = reference("region-day");
    let centre = "\n[[centre]]\ncode = \"midden\"\nname = \"Midden\"\nregions = [\"zk01\"]\n";
    let text = format!("{}{centre}{rules}", network.to_toml());
    (records, Arc::new(Network::from_toml("test", &text).unwrap()))
}

const RULES: &str = "
[[alert]]
centre = \"midden\"
kind = \"offerable-below\"
care_type = \"GRZ\"
below = 1000
[[alert]]
centre = \"midden\"
kind = \"crisis-unplaced\"
minutes = 30
[[alert]]
centre = \"midden\"
kind = \"silent\"
of = \"region\"
hours = 4
";

fn config(network: &Arc<Network>, clock: &Arc<SetClock>) -> Config {
    Config { clock: clock.clone(), ..Config::new("node-1", network.clone()) }
}

/// What a stream holds: the last token of the subject, and the event.
async fn told(broker: &Broker, whom: &str) -> Vec<(String, Value)> {
    let (subscriber, stream) = (Subscriber::connect(broker).await, format!("ACUTE_{whom}"));
    if subscriber.jetstream.get_stream(&stream).await.is_err() {
        return Vec::new();
    }
    let messages = subscriber.stream(&stream).await;
    let kind = |subject: &str| subject.rsplit('.').next().unwrap().to_owned();
    let told = messages.into_iter();
    told.map(|message| (kind(&message.subject), serde_json::from_slice(&message.payload).unwrap())).collect()
}

async fn until_told(broker: &Broker, count: usize) -> Vec<(String, Value)> {
    eventually("so many were told", || async {
        let told = told(broker, "midden").await;
        (told.len() >= count).then_some(told)
    })
    .await
}

/// What the day says of locations and beds, and no referrals of its own.
fn beds(records: &[NewRecord]) -> Vec<NewRecord> {
    let of_place = |record: &&NewRecord| {
        ["nl.doorstroom.location.", "nl.doorstroom.bed."].iter().any(|kind| record.kind.starts_with(kind))
    };
    records.iter().filter(of_place).take(300).cloned().collect()
}

fn crisis(like: &NewRecord, number: u8) -> NewRecord {
    let id = format!("019cb000-0000-7000-8000-0000000000{number:02}");
    let referral = format!("019cb000-0000-7000-8000-0000000001{number:02}");
    let data = json!({
        "occurred_at": "2026-03-03T00:00:00Z", "referral": referral, "origin": "gp", "urgency": "crisis",
        "channel": "phone", "consent": true
    });
    event(like, &id, "referral.made", &data)
}

fn withdrawn(like: &NewRecord, number: u8) -> NewRecord {
    let id = format!("019cb000-0000-7000-8000-0000000002{number:02}");
    let referral = format!("019cb000-0000-7000-8000-0000000001{number:02}");
    let data =
        json!({"occurred_at": "2026-03-03T00:00:00Z", "referral": referral, "reason": "found-elsewhere"});
    event(like, &id, "referral.withdrawn", &data)
}

fn kinds(told: &[(String, Value)]) -> Vec<(&str, bool)> {
    let raised = |event: &Value| event["type"] == "nl.doorstroom.alert.raised.v1";
    told.iter().map(|(kind, event)| (kind.as_str(), raised(event))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_is_told_what_becomes_so_and_what_ends_and_nothing_twice_over_restarts() {
    let (broker, clock) = (broker(), SetClock::at(0));
    let (records, network) = with_rules(RULES);
    let store = Store::open_with(clock.clone());
    store.append_batch(&beds(&records)).await;
    store.append([crisis(&records[0], 1)]).await;
    let gateway = Running::start_with(&broker, &store, config(&network, &clock)).await;
    let first = until_told(&broker, 1).await;
    assert_eq!(kinds(&first), [("offerable-below", true)]);
    assert_eq!(first[0].1["data"]["care_type"], "GRZ");

    // The referral has waited for too long; whoever asks later sees the moment it was due.
    clock.set(45);
    let second = until_told(&broker, 2).await;
    assert_eq!(kinds(&second[1..]), [("crisis-unplaced", true)]);
    assert_eq!(second[1].1["time"], "2026-01-01T00:30:00.000Z");
    assert_eq!(second[1].1["data"]["referral"], "019cb000-0000-7000-8000-000000000101");
    gateway.stop().await;

    // While nobody is there one alert ends, and another time passes.
    store.append([withdrawn(&records[0], 1)]).await;
    clock.set(300);
    let gateway = Running::start_with(&broker, &store, config(&network, &clock)).await;
    let third = until_told(&broker, 4).await;
    assert_eq!(third[..2], second[..]);
    let mut late = kinds(&third[2..]);
    late.sort_unstable();
    assert_eq!(late, [("crisis-unplaced", false), ("silent", true)]);
    let cleared = third.iter().find(|(_, event)| event["type"] == "nl.doorstroom.alert.cleared.v1").unwrap();
    assert_eq!(cleared.1["data"]["by"], "referral.withdrawn");
    assert_eq!(cleared.1["data"]["alert"], second[1].1["data"]["alert"]);
    assert_eq!(cleared.1["time"], "2026-01-01T00:45:00.000Z");
    gateway.stop().await;
    let ids: BTreeSet<_> = third.iter().map(|(_, event)| event["id"].to_string()).collect();
    assert_eq!(ids.len(), third.len());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_broker_lost_its_memory_only_what_is_so_now_is_told_again_under_the_same_ids() {
    let (mut broker, clock) = (broker(), SetClock::at(0));
    let (records, network) = with_rules(RULES);
    let store = Store::open_with(clock.clone());
    store.append_batch(&beds(&records)).await;
    store.append([crisis(&records[0], 1), crisis(&records[0], 2)]).await;
    let gateway = Running::start_with(&broker, &store, config(&network, &clock)).await;
    clock.set(45);
    let before = until_told(&broker, 3).await;
    store.append([withdrawn(&records[0], 1)]).await;
    until_told(&broker, 4).await;

    broker.kill9();
    broker.restart();
    let again = until_told(&broker, 2).await;
    let open =
        |(_, event): &&(String, Value)| event["data"]["referral"] != "019cb000-0000-7000-8000-000000000101";
    let expected: Vec<_> = before.iter().filter(open).cloned().collect();
    assert_eq!(again, expected);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_whose_rule_is_gone_ends_also_when_it_was_the_last() {
    let (broker, clock) = (broker(), SetClock::at(0));
    let (records, network) = with_rules(RULES);
    let store = Store::open_with(clock.clone());
    store.append_batch(&beds(&records)).await;
    let gateway = Running::start_with(&broker, &store, config(&network, &clock)).await;
    let told = until_told(&broker, 1).await;
    gateway.stop().await;

    let (_records, network) = with_rules("");
    let gateway = Running::start_with(&broker, &store, config(&network, &clock)).await;
    let after = until_told(&broker, 2).await;
    assert_eq!(after[1].1["data"]["by"], "rule.removed");
    assert_eq!(after[1].1["data"]["alert"], told[0].1["data"]["alert"]);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_count_while_the_gateway_runs_and_what_is_so_by_both_is_not_told_again() {
    let (broker, clock) = (broker(), SetClock::at(0));
    let (records, network) = with_rules(RULES);
    let store = Store::open_with(clock.clone());
    store.append_batch(&beds(&records)).await;
    let (change, watched) = tokio::sync::watch::channel(network.clone());
    let config = Config { network: watched, ..config(&network, &clock) };
    let gateway = Running::start_with(&broker, &store, config).await;
    let first = until_told(&broker, 1).await;
    assert_eq!(kinds(&first), [("offerable-below", true)]);

    // One more, for the centre that is there; what a centre without streams wants waits for the restart.
    let more =
        "[[alert]]\ncentre = \"midden\"\nkind = \"offerable-below\"\ncare_type = \"ELV_HC\"\nbelow = 1000\n";
    let new = "[[centre]]\ncode = \"nieuw\"\nname = \"Nieuw\"\nregions = [\"zk01\"]\n\
               [[alert]]\ncentre = \"nieuw\"\nkind = \"silent\"\nof = \"region\"\nhours = 1\n";
    change.send_replace(with_rules(&format!("{RULES}{more}{new}")).1);
    let second = until_told(&broker, 2).await;
    assert_eq!(second[0], first[0]);
    assert_eq!(second[1].1["data"]["care_type"], "ELV_HC");

    // Then only that one: the other ends, by its rule.
    change.send_replace(with_rules(more).1);
    let third = until_told(&broker, 3).await;
    assert_eq!(third[..2], second[..]);
    assert_eq!(kinds(&third[2..]), [("offerable-below", false)]);
    assert_eq!(third[2].1["data"]["by"], "rule.removed");
    assert_eq!(third[2].1["data"]["alert"], first[0].1["data"]["alert"]);
    gateway.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_of_the_node_is_told_also_one_from_before_the_stream_was_there() {
    let (broker, clock, store) = (broker(), SetClock::at(0), Store::open());
    let (_records, network) = with_rules("");
    let alarms = Alarms::new();
    let config = Config { alarms: Some(alarms.clone()), ..config(&network, &clock) };
    let gateway = Running::start_with(&broker, &store, config).await;
    let detail = "signed by somebody else: look at the quarantine";
    let region = Some("zk01".parse().unwrap());
    alarms.raise(Alarm { security: true, region, position: Some(7), ..Alarm::new("bad_signature", detail) });
    let told = eventually("it is told", || async {
        let told = told(&broker, "core").await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, "alarm");
    let expected = json!({
        "code": "bad_signature", "region": "zk01", "sender": null, "position": 7, "detail": detail,
        "security": true, "raised": 1, "left_out": 0,
    });
    assert_eq!(told[0].1["data"], expected);
    gateway.stop().await;
    store.close().await;
}
