//! Who may say what about whom, with which key, and what becomes of one who tries otherwise without end.
//!
//! Not here: what the broker itself refuses (`tests`).
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

use async_nats::HeaderMap;
use bytes::Bytes;
use contracts::signature::{SigningSeed, sign};
use contracts::{Outcome, QUARANTINE_SUMMARY_KIND, Receipt, Received, wire};
use futures::StreamExt as _;
use network::Network;
use recorder::KEPT_PER_MINUTE_MAX;
use serde_json::{Value, json};
use support::*;
use tempfile::TempDir;

const LINDE_COUNTER: &str = "record.zk01.de-linde";
const DESK_COUNTER: &str = "record.zk01.loket-zk01";

/// De Linde speaks for itself alone, and has these lines more in its table.
fn strict(more: &str) -> Arc<Network> {
    let desk = |code| {
        format!(
            "[[region]]\ncode = \"{code}\"\nname = \"{code}\"\ndesk = {{ name = \"d\", phone = \"1\", hours = \"h\" }}\n"
        )
    };
    let location =
        |id, region| format!("[[location]]\nid = \"{id}\"\nregion = \"{region}\"\nname = \"{id}\"\n");
    let text = format!(
        "{}{}{}{}{}\
         [[source]]\nid = \"{DESK}\"\nname = \"loket-zk01\"\nkind = \"desk\"\nregion = \"zk01\"\n\
         [[source]]\nid = \"{ANKER}\"\nname = \"het-anker\"\nkind = \"location\"\nregion = \"zk02\"\n\
         [[source]]\nid = \"{LINDE}\"\nname = \"de-linde\"\nkind = \"location\"\nregion = \"zk01\"\n\
         locations = [\"zk01-de-linde\"]\n{more}",
        desk("zk01"),
        desk("zk02"),
        location("zk01-de-linde", "zk01"),
        location("zk01-de-beuk", "zk01"),
        location("zk02-het-anker", "zk02"),
    );
    Arc::new(Network::from_toml("test", &text).unwrap())
}

fn event(number: u64, change: impl Fn(&mut Value)) -> Bytes {
    let mut event = freed(number, "12");
    change(&mut event);
    bytes(&event)
}

/// Quarantined with this code, kept with its bytes, and an alarm of security.
async fn is_refused(node: &Node, client: &async_nats::Client, subject: &str, body: Bytes, code: &str) {
    let mut alarms = node.alarms.subscribe();
    let receipt = ask(client, subject, body.clone()).await;
    assert_eq!((receipt.outcome, &*receipt.code), (Outcome::Quarantined, code), "{}", receipt.reason);
    let alarm = tokio::time::timeout(PATIENCE, alarms.recv()).await.unwrap().unwrap();
    assert_eq!((alarm.code, alarm.security, alarm.position), (code, true, receipt.position));
    let kept = quarantined(&records(&node.log));
    assert_eq!(kept.last().unwrap().raw, body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_16_a_bed_of_another_location_or_region_is_not_yours() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    node.registry.send_replace(strict(""));
    let neighbour = |event: &mut Value| event["data"]["location"] = json!("zk01-de-beuk");
    is_refused(&node, &client, LINDE_COUNTER, event(1, neighbour), "not_your_bed").await;
    let other_region = |event: &mut Value| event["data"]["location"] = json!("zk02-het-anker");
    is_refused(&node, &client, LINDE_COUNTER, event(2, other_region), "not_your_bed").await;
    let desk = |event: &mut Value| {
        event["source"] = json!(DESK);
        event["data"]["location"] = json!("zk02-het-anker");
    };
    is_refused(&node, &client, DESK_COUNTER, event(3, desk), "not_your_bed").await;
    // Of a move both ends count.
    let bed = |location: &str| json!({"location": location, "bed": "1"});
    let moved = |event: &mut Value| {
        event["type"] = json!("nl.doorstroom.stay.moved.v1");
        event["data"]["stay"] = json!(id(700));
        event["data"]["from"] = bed("zk01-de-beuk");
        event["data"]["to"] = bed("zk01-de-linde");
    };
    is_refused(&node, &client, LINDE_COUNTER, event(4, moved), "not_your_bed").await;
    assert_eq!(ask(&client, LINDE_COUNTER, event(5, |_| {})).await.outcome, Outcome::Recorded);
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_answers_an_offer_only_with_whom_it_spoke_and_a_location_only_itself() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let declined = |source: &'static str, spoken_with: Option<&'static str>| {
        move |event: &mut Value| {
            event["source"] = json!(source);
            event["type"] = json!("nl.doorstroom.offer.declined.v1");
            event["data"]["offer"] = json!(id(800));
            event["data"]["referral"] = json!(id(801));
            event["data"]["code"] = json!("no-staff");
            if let Some(role) = spoken_with {
                event["data"]["spoken_with"] = json!(role);
            }
        }
    };
    is_refused(&node, &client, DESK_COUNTER, event(1, declined(DESK, None)), "on_behalf").await;
    is_refused(&node, &client, LINDE_COUNTER, event(2, declined(LINDE, Some("nurse"))), "on_behalf").await;
    for (subject, body) in [
        (DESK_COUNTER, event(3, declined(DESK, Some("nurse")))),
        (LINDE_COUNTER, event(4, declined(LINDE, None))),
    ] {
        let receipt = ask(&client, subject, body).await;
        assert_eq!(receipt.outcome, Outcome::Recorded, "{}", receipt.reason);
    }
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_17_subject_and_envelope_of_different_regions_are_refused_at_both_doors() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let other = event(1, |event| event["region"] = json!("zk02"));
    is_refused(&node, &client, LINDE_COUNTER, other.clone(), "region_mismatch").await;
    let receipt = post(&client, "in.zk01.de-linde.bed.freed", HeaderMap::new(), other).await;
    assert_eq!((receipt.outcome, &*receipt.code), (Outcome::Quarantined, "region_mismatch"));
    node.stop().await.0.unwrap();
}

fn seed(number: u8) -> (SigningSeed, String) {
    let pair = nkeys::KeyPair::new_from_raw(nkeys::KeyPairType::User, [number; 32]).unwrap();
    (pair.seed().unwrap().parse().unwrap(), pair.public_key())
}

fn signed(body: Bytes, seed: &SigningSeed) -> Bytes {
    sign(&Received::structured(body), seed).unwrap().bytes().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_18_a_forged_signature_is_refused_and_so_is_none_where_one_is_asked_for() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let ((mine, public), (other, _)) = (seed(1), seed(2));
    node.registry
        .send_replace(strict(&format!("signature = \"required\"\nkeys = [{{ key = \"{public}\" }}]\n")));
    is_refused(&node, &client, LINDE_COUNTER, event(1, |_| {}), "bad_signature").await;
    is_refused(&node, &client, LINDE_COUNTER, signed(event(2, |_| {}), &other), "bad_signature").await;
    let good = signed(event(3, |_| {}), &mine);
    let changed = String::from_utf8(good.to_vec()).unwrap().replace("\"12\"", "\"13\"");
    is_refused(&node, &client, LINDE_COUNTER, changed.into(), "bad_signature").await;
    assert_eq!(ask(&client, LINDE_COUNTER, good.clone()).await.outcome, Outcome::Recorded);
    // A whole batch at once: the one that is wrong is named, the others are told to come again.
    let batch =
        [signed(event(4, |_| {}), &mine), signed(event(5, |_| {}), &other), signed(event(6, |_| {}), &mine)];
    let receipts = append(&client, LINDE_COUNTER, &request(&batch)).await;
    assert_eq!(outcomes(&receipts), [Outcome::Failed, Outcome::Quarantined, Outcome::Failed]);
    assert_eq!(receipts[1].code, "bad_signature");
    // Where none is asked for, a wrong one is no accident either.
    node.registry.send_replace(strict(&format!("keys = [{{ key = \"{public}\" }}]\n")));
    assert_eq!(ask(&client, LINDE_COUNTER, event(7, |_| {})).await.outcome, Outcome::Recorded);
    is_refused(&node, &client, LINDE_COUNTER, signed(event(8, |_| {}), &other), "bad_signature").await;
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_19_what_was_recorded_before_its_key_was_revoked_stays_and_what_comes_after_is_refused() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let (mine, public) = seed(1);
    let required = |keys: &str| strict(&format!("signature = \"required\"\n{keys}"));
    node.registry.send_replace(required(&format!("keys = [{{ key = \"{public}\" }}]\n")));
    let [before, after] = [1, 2].map(|number| signed(event(number, |_| {}), &mine));
    let recorded = ask(&client, LINDE_COUNTER, before.clone()).await;
    assert_eq!(recorded.outcome, Outcome::Recorded, "{}", recorded.reason);
    let ended = format!("keys = [{{ key = \"{public}\", until = \"2026-03-01T00:00:00Z\" }}]\n");
    node.registry.send_replace(required(&ended));
    // Signed with the same key on the same day: the order of the log decides, not what the event says of its time.
    let again = ask(&client, LINDE_COUNTER, before).await;
    assert_eq!((again.outcome, again.position), (Outcome::Duplicate, recorded.position));
    is_refused(&node, &client, LINDE_COUNTER, after, "bad_signature").await;
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_signed_anew_after_a_change_of_keys_is_a_duplicate() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let ((old, old_public), (new, new_public)) = (seed(1), seed(2));
    let keys = format!("keys = [{{ key = \"{old_public}\" }}, {{ key = \"{new_public}\" }}]\n");
    node.registry.send_replace(strict(&format!("signature = \"required\"\n{keys}")));
    let first = ask(&client, LINDE_COUNTER, signed(event(1, |_| {}), &old)).await;
    let again = ask(&client, LINDE_COUNTER, signed(event(1, |_| {}), &new)).await;
    assert_eq!((again.outcome, again.position), (Outcome::Duplicate, first.position), "{}", again.reason);
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_tells_nothing_of_another_region() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    node.registry.send_replace(strict(""));
    let first = ask(&client, LINDE_COUNTER, event(1, |_| {})).await;
    assert_eq!(first.outcome, Outcome::Recorded, "{}", first.reason);
    let mine = event(2, |_| {});
    let under = |tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let item = wire::QueryItem { types: Vec::new(), tags };
        let condition = Some(wire::AppendCondition { fail_if: vec![item], after: 0 });
        wire::AppendRequest { condition, ..request(std::slice::from_ref(&mine)) }
    };
    let outcome = async |tags: &[&str]| append(&client, LINDE_COUNTER, &under(tags)).await[0].outcome;
    // Of its own region it may ask …
    assert_eq!(outcome(&["location:zk01-de-linde"]).await, Outcome::ConditionFailed);
    // … and of another one nothing is there, whatever is.
    let elsewhere = event(3, |event| {
        event["source"] = json!(ANKER);
        event["region"] = json!("zk02");
        event["data"]["location"] = json!("het-anker");
    });
    let there = ask(&client, "record.zk02.het-anker", elsewhere).await;
    assert_eq!(there.outcome, Outcome::Recorded, "{}", there.reason);
    assert_eq!(outcome(&["location:het-anker"]).await, Outcome::Recorded);
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_25_an_answer_of_the_broker_in_a_mailbox_is_malformed_and_an_alarm() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let body = Bytes::from_static(b"{\"stream\":\"IN_zk01\", \"seq\":12}");
    is_refused(&node, &client, LINDE_COUNTER, body, "malformed").await;
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_28_rubbish_without_end_is_kept_up_to_a_cap_then_counted_and_still_answered() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let cap = usize::try_from(KEPT_PER_MINUTE_MAX).unwrap();
    let batches = 8;
    let mut told: Vec<Receipt> = Vec::new();
    for batch in 0..batches {
        let rubbish: Vec<Bytes> = (0..256).map(|number| Bytes::from(format!("{{{batch} {number}"))).collect();
        told.extend(append(&client, LINDE_COUNTER, &request(&rubbish)).await);
    }
    assert!(told.iter().all(|receipt| receipt.outcome == Outcome::Quarantined && receipt.position.is_some()));
    // Others are not touched by it, also not what they get wrong.
    let other = ask(&client, DESK_COUNTER, Bytes::from_static(b"{")).await;
    assert_eq!(other.outcome, Outcome::Quarantined);
    assert_eq!(ask(&client, LINDE_COUNTER, event(1, |_| {})).await.outcome, Outcome::Recorded);
    let counts = node.alarms.counts();
    assert_eq!(counts.get("refusals_flood"), Some(&1), "{counts:?}");
    let (ending, records) = node.stop().await;
    ending.unwrap();
    assert_eq!(quarantined(&records).len(), cap + 1);
    let summaries = records.iter().filter(|record| &*record.kind == QUARANTINE_SUMMARY_KIND);
    let summaries: Vec<wire::QuarantineSummary> =
        summaries.map(|record| bus::decode(record.bytes.clone()).unwrap()).collect();
    let counted: u64 =
        summaries.iter().flat_map(|summary| &summary.refusals).map(|refused| refused.count).sum();
    assert_eq!(usize::try_from(counted).unwrap(), batches * 256 - cap);
    assert!(summaries.iter().all(|summary| (&*summary.region, &*summary.sender) == ("zk01", "de-linde")));
    assert_eq!(summaries[0].refusals[0].code, "malformed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_does_not_wait_is_told_to_and_others_are_answered() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let (flood, calm) = (broker.client().await, broker.client().await);
    let mut answers = flood.subscribe("_INBOX.flood").await.unwrap();
    let sent = 3_000;
    for number in 0..sent {
        flood.publish_with_reply(LINDE_COUNTER, "_INBOX.flood", event(number, |_| {})).await.unwrap();
    }
    let receipt = ask(&calm, DESK_COUNTER, event(9_000, |event| event["source"] = json!(DESK))).await;
    assert_eq!(receipt.outcome, Outcome::Recorded);
    let (mut recorded, mut busy) = (0, 0);
    for _ in 0..sent {
        let answer = tokio::time::timeout(PATIENCE, answers.next()).await.unwrap().unwrap();
        let receipt = Receipt::from_json(&answer.payload).unwrap();
        if receipt.outcome == Outcome::Recorded {
            recorded += 1;
        } else {
            assert_eq!((receipt.outcome, &*receipt.code), (Outcome::Failed, "busy"), "{}", receipt.reason);
            busy += 1;
        }
    }
    assert_eq!(node.handle.metrics().busy(), busy);
    let records = said(node.stop().await.1);
    assert_eq!(u64::try_from(records.len()).unwrap(), recorded + 1, "each is recorded or told to come again");
}
