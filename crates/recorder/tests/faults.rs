//! What is thrown at the two doors, and the stated answer to each: nothing that came is lost, nothing is twice.
//!
//! Not here: the same through the real binary (`tests`), what a view makes of contradictory facts (`views`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "test code; the support is shared"
)]

mod support;

use async_nats::HeaderMap;
use bytes::Bytes;
use contracts::{ContentHash, Outcome, wire};
use futures::StreamExt as _;
use serde_json::json;
use support::*;
use tempfile::TempDir;

const LINDE_COUNTER: &str = "record.zk01.de-linde";
const LINDE_MAILBOX: &str = "in.zk01.de-linde.bed.freed";

/// Sends each body through both doors and expects it quarantined with this code, with its bytes kept once per door.
async fn is_quarantined(cases: Vec<(&'static str, &'static str, Bytes)>) {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    for (name, code, body) in &cases {
        let at_counter = ask(&client, LINDE_COUNTER, body.clone()).await;
        assert_eq!(
            (at_counter.outcome, &*at_counter.code),
            (Outcome::Quarantined, *code),
            "{name} at the counter"
        );
        assert_eq!(at_counter.content_hash, ContentHash::of(body), "{name}");
        assert!(!at_counter.reason.is_empty(), "{name}");
        let again = ask(&client, LINDE_COUNTER, body.clone()).await;
        assert_eq!(again.position, at_counter.position, "{name} again is kept once");
        let in_mailbox = post(&client, LINDE_MAILBOX, HeaderMap::new(), body.clone()).await;
        assert_eq!(
            (in_mailbox.outcome, &*in_mailbox.code),
            (Outcome::Quarantined, *code),
            "{name} in the mailbox"
        );
        assert_ne!(in_mailbox.position, at_counter.position, "{name}");
    }
    let good = ask(&client, LINDE_COUNTER, bytes(&freed(900, "12"))).await;
    assert_eq!(good.outcome, Outcome::Recorded, "later good events go on");
    let (ending, records) = node.stop().await;
    ending.unwrap();
    let kept = quarantined(&records);
    assert_eq!(kept.len(), cases.len() * 2);
    for (pair, (name, code, body)) in kept.chunks(2).zip(&cases) {
        for kept in pair {
            assert_eq!(kept.raw, *body, "{name}: the bytes are kept as they came");
            assert_eq!((&*kept.code, &*kept.region, &*kept.sender), (*code, "zk01", "de-linde"), "{name}");
        }
        assert_eq!((pair[0].stream_sequence, &*pair[0].subject), (0, LINDE_COUNTER), "{name}");
        assert!(pair[1].stream_sequence > 0 && pair[1].subject == LINDE_MAILBOX, "{name}");
    }
    let tagged = records.iter().find(|record| &*record.kind == contracts::QUARANTINED_KIND).unwrap();
    let tags: Vec<&str> = tagged.tags.iter().map(|tag| &**tag).collect();
    assert_eq!(tags, [&*format!("quarantine:{}", cases[0].1), "region:zk01", "sender:de-linde"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_1_to_3_what_is_no_event_is_quarantined_with_its_bytes() {
    let whole = bytes(&freed(1, "12"));
    let deep = format!("{{\"data\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let text = String::from_utf8(whole.to_vec()).unwrap();
    let twice = text.replacen("\"id\"", "\"region\":\"zk01\",\"id\"", 1);
    let huge_number = text.replacen("\"12\"", "1e400", 1);
    let not_a_number = text.replacen("\"12\"", "NaN", 1);
    let lone = text.replacen("\"12\"", "\"\\ud800\"", 1);
    is_quarantined(vec![
        ("an empty payload", "empty", Bytes::new()),
        ("random bytes", "malformed", Bytes::from_static(b"\x93\x00\xffrandom\x01")),
        ("half an event", "malformed", whole.slice(..whole.len() / 2)),
        ("an event without its last byte", "malformed", whole.slice(..whole.len() - 1)),
        ("depth 10,000", "malformed", deep.into()),
        ("a key twice", "malformed", twice.into()),
        ("1e400", "malformed", huge_number.into()),
        ("NaN", "malformed", not_a_number.into()),
        ("a lone surrogate", "malformed", lone.into()),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_6_7_9_10_20_what_can_not_be_accepted_is_quarantined_with_its_reason() {
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut event = freed(2, "12");
        change(&mut event);
        bytes(&event)
    };
    let mut large = freed(2, "12");
    large["padding"] = json!("");
    let missing = contracts::EVENT_BYTES_MAX + 1 - bytes(&large).len();
    large["padding"] = json!("x".repeat(missing));
    let large = bytes(&large);
    assert_eq!(large.len(), contracts::EVENT_BYTES_MAX + 1);
    is_quarantined(vec![
        ("64 KiB + 1", "too_large", large),
        (
            "a newer version",
            "unknown_version",
            with(&|event| event["type"] = json!("nl.doorstroom.bed.freed.v2")),
        ),
        (
            "an unknown kind",
            "unknown_type",
            with(&|event| event["type"] = json!("nl.doorstroom.bed.painted.v1")),
        ),
        ("no id", "malformed", with(&|event| drop(event.as_object_mut().unwrap().remove("id")))),
        ("an empty id", "malformed", with(&|event| event["id"] = json!(""))),
        ("a nil id", "malformed", with(&|event| event["id"] = json!("00000000-0000-0000-0000-000000000000"))),
        ("a long id", "malformed", with(&|event| event["id"] = json!("7".repeat(60_000)))),
        (
            "a time without a zone",
            "malformed",
            with(&|event| event["data"]["occurred_at"] = json!("2026-03-02T09:10:00")),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_6_what_is_larger_than_a_mailbox_takes_is_refused_by_the_broker() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let jetstream = async_nats::jetstream::new(client.clone());
    for size in [1_000_000, 70_000] {
        let refused = jetstream.publish(LINDE_MAILBOX, vec![b'x'; size].into()).await.unwrap().await;
        assert!(refused.is_err(), "{size} bytes");
    }
    let more_than_a_message = client.publish(LINDE_COUNTER, vec![b'x'; 2_000_000].into()).await;
    assert!(more_than_a_message.is_err());
    // At the counter a megabyte arrives, and is kept.
    let body: Bytes = vec![b'x'; 1_000_000].into();
    let receipt = ask(&client, LINDE_COUNTER, body.clone()).await;
    assert_eq!((receipt.outcome, &*receipt.code), (Outcome::Quarantined, "too_large"));
    let records = said(node.stop().await.1);
    assert_eq!(quarantined(&records)[0].raw, body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_2_4_5_a_request_in_protobuf_is_taken_whole_or_kept_whole() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let whole = bus::encode(&request(&[bytes(&freed(3, "12")), bytes(&freed(4, "13"))]));
    // Every truncation ends within the second event, so none is a shorter request that happens to be whole.
    let first = bus::encode(&request(&[bytes(&freed(3, "12"))])).len();
    let mut kept_raw = Vec::new();
    for length in (first + 1..whole.len()).step_by(37).chain(1..12) {
        let part = whole.slice(..length);
        let receipts = append_raw(&client, LINDE_COUNTER, part.clone()).await;
        assert_eq!(outcomes(&receipts), [Outcome::Quarantined], "{length}");
        kept_raw.push(part);
    }
    // A length of 2^31 that is not there.
    let lying = Bytes::from_static(b"\x0a\x80\x80\x80\x80\x08abc");
    let receipts = append_raw(&client, LINDE_COUNTER, lying.clone()).await;
    assert_eq!((receipts[0].outcome, &*receipts[0].code), (Outcome::Quarantined, "malformed"));
    kept_raw.push(lying);
    // A field this version does not know: accepted, the event's bytes verbatim.
    let mut unknown = freed(5, "12");
    unknown["data"]["from_the_future"] = json!({"a": [1, 2]});
    let unknown = bytes(&unknown);
    let mut request = bus::encode(&request(std::slice::from_ref(&unknown))).to_vec();
    request.extend_from_slice(b"\x92\x03\x02hi");
    let receipts = append_raw(&client, LINDE_COUNTER, request.into()).await;
    assert_eq!(outcomes(&receipts), [Outcome::Recorded]);
    let (ending, records) = node.stop().await;
    ending.unwrap();
    let raw: Vec<Bytes> = quarantined(&records).into_iter().map(|kept| kept.raw).collect();
    assert_eq!(raw, kept_raw);
    assert_eq!(records.last().unwrap().bytes, unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_11_the_same_event_a_thousand_times_is_one_record_with_one_position() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let event = bytes(&freed(6, "12"));
    let first = ask(&client, LINDE_COUNTER, event.clone()).await;
    assert_eq!(first.outcome, Outcome::Recorded);
    assert_eq!(first.content_hash, ContentHash::of(&event));
    for batch in 0..4 {
        let receipts = append(&client, LINDE_COUNTER, &request(&vec![event.clone(); 250])).await;
        assert_eq!(receipts.len(), 250, "batch {batch}");
        for receipt in receipts {
            assert_eq!((receipt.outcome, receipt.position), (Outcome::Duplicate, first.position));
            assert_eq!(receipt.recorded_at, first.recorded_at);
        }
    }
    let in_mailbox = post(&client, LINDE_MAILBOX, HeaderMap::new(), event.clone()).await;
    assert_eq!((in_mailbox.outcome, in_mailbox.position), (Outcome::Duplicate, first.position));
    // The same event in other bytes is the same event, alone and among others.
    let mut spaced = event.to_vec();
    spaced.push(b' ');
    let spaced = Bytes::from(spaced);
    let other_bytes = ask(&client, LINDE_COUNTER, spaced.clone()).await;
    assert_eq!((other_bytes.outcome, other_bytes.position), (Outcome::Duplicate, first.position));
    assert_eq!(other_bytes.content_hash, ContentHash::of(&spaced));
    let receipts =
        append(&client, LINDE_COUNTER, &request(&[bytes(&freed(7, "1")), spaced, bytes(&freed(8, "2"))]))
            .await;
    assert_eq!(outcomes(&receipts), [Outcome::Recorded, Outcome::Duplicate, Outcome::Recorded]);
    assert_eq!(node.handle.metrics().recorded(), 3);
    let records = said(node.stop().await.1);
    assert_eq!(records.len(), 3);
    assert_eq!(records[0].bytes, event);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_12_the_same_id_with_other_content_is_kept_aside_and_the_first_stands() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let (first, other) = (bytes(&freed(9, "12")), bytes(&freed(9, "13")));
    let stands = ask(&client, LINDE_COUNTER, first.clone()).await;
    for _ in 0..2 {
        let refused = ask(&client, LINDE_COUNTER, other.clone()).await;
        assert_eq!((refused.outcome, refused.position), (Outcome::Conflict, stands.position));
    }
    let in_mailbox = post(&client, LINDE_MAILBOX, HeaderMap::new(), other.clone()).await;
    assert_eq!(in_mailbox.outcome, Outcome::Conflict);
    // In a batch nothing else of it is appended, and its receipts say so.
    let receipts = append(&client, LINDE_COUNTER, &request(&[bytes(&freed(10, "1")), other.clone()])).await;
    assert_eq!(outcomes(&receipts), [Outcome::Failed, Outcome::Conflict]);
    assert_eq!(receipts[0].code, "batch_refused");
    // Both in one batch: neither was first.
    let both = [bytes(&freed(11, "1")), bytes(&freed(11, "2"))];
    let receipts = append(&client, LINDE_COUNTER, &request(&both)).await;
    assert_eq!(outcomes(&receipts), [Outcome::Failed, Outcome::Quarantined]);
    assert_eq!(node.handle.metrics().conflicts(), 4);
    let records = said(node.stop().await.1);
    let kept = conflicts(&records);
    assert_eq!(kept.len(), 1, "kept once, however often it comes");
    assert_eq!((kept[0].first_position, &kept[0].raw), (stands.position.unwrap(), &other));
    assert_eq!(records[0].bytes, first);
    assert_eq!(records.len(), 3, "the event, the conflict, the id that stood twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_duplicate_would_lose_makes_it_a_conflict_that_is_kept() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let stands = ask(&client, LINDE_COUNTER, bytes(&freed(12, "12"))).await;
    assert_eq!(stands.outcome, Outcome::Recorded);
    let sealed = |text: &str| json!({"scheme": "s1", "key": "k1", "nonce": "bm9uY2U=", "ciphertext": text});
    let mut others = Vec::new();
    for (attribute, value) in [("sequence", "7"), ("correlationid", "c"), ("causationid", "d")] {
        let mut other = freed(12, "12");
        other[attribute] = json!(value);
        others.push(bytes(&other));
    }
    for text in ["Y2lwaGVy", "YW5kZXJz"] {
        let mut other = freed(12, "12");
        other["data"]["sealed"] = sealed(text);
        others.push(bytes(&other));
    }
    for other in &others {
        let receipt = ask(&client, LINDE_COUNTER, other.clone()).await;
        assert_eq!((receipt.outcome, receipt.position), (Outcome::Conflict, stands.position));
    }
    let records = said(node.stop().await.1);
    let kept: Vec<Bytes> = conflicts(&records).into_iter().map(|kept| kept.raw).collect();
    assert_eq!(kept, others);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_goes_to_an_inbox_or_nowhere() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let mut elsewhere = Vec::new();
    for (number, reply) in (14..).zip(["log.zk01", "$KV.availability.zk01", "_INBOX", "_INBOXES.a"]) {
        elsewhere.push(client.subscribe(reply).await.unwrap());
        client.publish_with_reply(LINDE_COUNTER, reply, bytes(&freed(number, "12"))).await.unwrap();
    }
    // Answers go out in the order of the requests: when this one is here, there were no others before it.
    let last = ask(&client, LINDE_COUNTER, bytes(&freed(13, "12"))).await;
    assert_eq!((last.outcome, last.position), (Outcome::Recorded, Some(5)), "all are recorded");
    client.flush().await.unwrap();
    for mut place in elsewhere {
        place.unsubscribe().await.unwrap();
        assert!(place.next().await.is_none(), "nothing was published there");
    }
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_nobody_knows_is_not_repeated_in_the_reason() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let mut event = freed(18, "12");
    event["source"] = json!("urn:jan-jansen");
    let receipt = ask(&broker.client().await, LINDE_COUNTER, bytes(&event)).await;
    assert_eq!((&*receipt.code, &*receipt.source), ("unknown_source", "urn:jan-jansen"));
    assert!(!receipt.reason.contains("jansen"), "{}", receipt.reason);
    node.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_event_twice_in_a_batch_is_a_duplicate_in_any_bytes() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let event = bytes(&freed(19, "12"));
    let [spaced, more] = [" ", "  "].map(|space| Bytes::from([&event[..], space.as_bytes()].concat()));
    let batch = request(&[event.clone(), spaced.clone(), bytes(&freed(28, "1")), event.clone()]);
    for again in [false, true] {
        let receipts = append(&client, LINDE_COUNTER, &batch).await;
        let new = if again { Outcome::Duplicate } else { Outcome::Recorded };
        assert_eq!(outcomes(&receipts), [new, Outcome::Duplicate, new, Outcome::Duplicate]);
        let positions: Vec<_> = receipts.iter().map(|receipt| receipt.position).collect();
        assert_eq!(positions, [Some(1), Some(1), Some(2), Some(1)]);
        assert_eq!(receipts[1].content_hash, ContentHash::of(&spaced), "of the bytes as they came");
    }
    // Also when the log has it in yet other bytes.
    let receipts = append(&client, LINDE_COUNTER, &request(&[more.clone(), spaced, more])).await;
    assert_eq!(outcomes(&receipts), [Outcome::Duplicate; 3]);
    let records = said(node.stop().await.1);
    assert_eq!((records.len(), &records[0].bytes), (2, &event));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_too_large_however_often_it_comes_is_kept_whole() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let event = bytes(&freed(29, "12"));
    let many = request(&vec![event.clone(); 257]);
    let condition = |items: usize| {
        let item = wire::QueryItem { types: vec!["none".to_owned()], tags: Vec::new() };
        let condition = wire::AppendCondition { fail_if: vec![item; items], after: 0 };
        wire::AppendRequest { condition: Some(condition), ..request(std::slice::from_ref(&event)) }
    };
    for (request, code) in [(&many, "too_many_events"), (&condition(65), "condition_too_large")] {
        let receipts = append(&client, LINDE_COUNTER, request).await;
        assert_eq!((outcomes(&receipts), &*receipts[0].code), (vec![Outcome::Quarantined], code));
    }
    let receipts = append(&client, LINDE_COUNTER, &condition(64)).await;
    assert_eq!(outcomes(&receipts), [Outcome::Recorded]);
    let records = said(node.stop().await.1);
    let kept: Vec<Bytes> = quarantined(&records).into_iter().map(|kept| kept.raw).collect();
    assert_eq!(kept, [bus::encode(&many), bus::encode(&condition(65))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_to_be_kept_one_by_one_is_kept_whole() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let bad: Vec<Bytes> = (0..256).map(|number| Bytes::from(format!("{{{number}"))).collect();
    let body = bus::encode(&request(&bad));
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", bus::PROTOBUF);
    // 256 records with these headers are more than one batch of the log takes.
    headers.insert("X-Long", "x".repeat(60_000).as_str());
    let mut positions = Vec::new();
    for _ in 0..2 {
        let answer = client.request_with_headers(LINDE_COUNTER, headers.clone(), body.clone()).await.unwrap();
        let receipts: wire::Receipts = bus::decode(answer.payload).unwrap();
        assert_eq!(receipts.receipts.len(), 256);
        for receipt in receipts.receipts {
            let receipt = contracts::Receipt::from_proto(receipt).unwrap();
            assert_eq!((receipt.outcome, &*receipt.code), (Outcome::Quarantined, "malformed"));
            positions.push(receipt.position);
        }
    }
    assert!(positions.iter().all(|position| *position == Some(1)), "kept once");
    let records = said(node.stop().await.1);
    let kept = quarantined(&records);
    assert_eq!((kept.len(), &kept[0].raw, &*kept[0].code), (1, &body, "too_large"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_13_14_15_21_facts_that_contradict_each_other_are_all_recorded() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let event = |number: u64, source: &str, kind: &str, data: serde_json::Value| {
        let mut event = freed(number, "12");
        event["source"] = json!(source);
        event["type"] = json!(format!("nl.doorstroom.{kind}.v1"));
        for (name, value) in data.as_object().unwrap() {
            event["data"][name] = value.clone();
        }
        bytes(&event)
    };
    let stay = |bed: &str| json!({"stay": id(500), "bed": bed, "care_type": "ELV_LC"});
    let count =
        |number: i64| json!([{"care_type": "GRZ", "physical": number, "occupied": -1, "offerable": 0}]);
    let facts = [
        (LINDE_COUNTER, event(20, LINDE, "bed.freed", json!({}))),
        (LINDE_COUNTER, event(21, LINDE, "bed.freed", json!({}))),
        (LINDE_COUNTER, event(22, LINDE, "stay.admitted", stay("12"))),
        ("record.zk01.loket-zk01", event(23, DESK, "stay.admitted", stay("12"))),
        ("record.zk01.loket-zk01", event(24, DESK, "stay.admitted", stay("14"))),
        (LINDE_COUNTER, event(25, LINDE, "location.counts-reported", json!({"counts": count(-5)}))),
        (LINDE_COUNTER, event(26, LINDE, "location.counts-reported", json!({"counts": count(i64::MAX)}))),
        (
            "record.zk01.loket-zk01",
            event(27, DESK, "hold.released", json!({"care_type": "GRZ", "referral": id(501)})),
        ),
    ];
    for (subject, body) in &facts {
        let receipt = ask(&client, subject, body.clone()).await;
        assert_eq!(receipt.outcome, Outcome::Recorded, "{}", receipt.reason);
    }
    let records = said(node.stop().await.1);
    let stored: Vec<&Bytes> = records.iter().map(|record| &record.bytes).collect();
    assert_eq!(stored, facts.iter().map(|(_, body)| body).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_15_of_two_commands_on_one_bed_the_first_by_position_wins() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let hold = |number: u64, referral: u64| {
        let mut event = freed(number, "12");
        event["source"] = json!(DESK);
        event["type"] = json!("nl.doorstroom.hold.granted.v1");
        event["data"]["care_type"] = json!("ELV_LC");
        event["data"]["referral"] = json!(id(referral));
        event["data"]["until"] = json!("2026-03-02T12:00:00Z");
        let taken = wire::QueryItem {
            types: vec!["nl.doorstroom.hold.granted.v1".to_owned()],
            tags: vec!["bed:zk01-de-linde/12".to_owned()],
        };
        let condition = Some(wire::AppendCondition { fail_if: vec![taken], after: 0 });
        wire::AppendRequest { condition, ..request(&[bytes(&event)]) }
    };
    let subject = "record.zk01.loket-zk01";
    let (one, other) = (hold(30, 600), hold(31, 601));
    let (one, other) = tokio::join!(append(&client, subject, &one), append(&client, subject, &other));
    let mut told = [outcomes(&one)[0], outcomes(&other)[0]];
    told.sort_by_key(|outcome| outcome.code());
    assert_eq!(told, [Outcome::ConditionFailed, Outcome::Recorded], "both are told");
    assert_eq!(one[0].position, other[0].position, "and where the one is that won");
    let records = said(node.stop().await.1);
    assert_eq!(records.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_in_the_name_or_region_of_another_is_quarantined() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut event = freed(40, "12");
        change(&mut event);
        bytes(&event)
    };
    let honest = with(&|_| {});
    let cases = [
        ("record.zk02.het-anker", honest.clone(), "region_mismatch"),
        (LINDE_COUNTER, with(&|event| event["region"] = json!("zk02")), "region_mismatch"),
        ("record.zk01.loket-zk01", honest.clone(), "not_your_source"),
        (LINDE_COUNTER, with(&|event| event["source"] = json!(ANKER)), "not_your_source"),
        (LINDE_COUNTER, with(&|event| event["source"] = json!("urn:nobody")), "unknown_source"),
        ("record.zk01.nobody", honest.clone(), "unknown_source"),
        ("record.zk01.de-linde.more", honest.clone(), "unknown_source"),
        (LINDE_COUNTER, with(&|event| event["type"] = json!("nl.doorstroom.location.withdrawn.v1")), ""),
        (
            LINDE_COUNTER,
            with(&|event| {
                event["type"] = json!("nl.doorstroom.ruleset.switched.v1");
                event["data"]["rule_set"] = json!("crisis");
            }),
            "not_allowed",
        ),
    ];
    let mut expected = Vec::new();
    for (subject, body, code) in cases {
        let receipt = ask(&client, subject, body.clone()).await;
        if code.is_empty() {
            assert_eq!(receipt.outcome, Outcome::Recorded, "{}", receipt.reason);
            continue;
        }
        assert_eq!((receipt.outcome, &*receipt.code), (Outcome::Quarantined, code), "{subject}");
        expected.push((code.to_owned(), body));
    }
    let records = said(node.stop().await.1);
    let kept: Vec<_> = quarantined(&records).into_iter().map(|kept| (kept.code, kept.raw)).collect();
    assert_eq!(kept, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_20_a_claimed_time_is_accepted_however_wrong_and_noted() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let claims =
        ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-30T00:00:00Z", "2016-12-31T23:59:60Z"];
    for (number, claim) in (50..).zip(claims) {
        let mut event = freed(number, "12");
        event["data"]["occurred_at"] = json!(claim);
        let receipt = ask(&client, LINDE_COUNTER, bytes(&event)).await;
        assert_eq!(receipt.outcome, Outcome::Recorded, "{claim}: {}", receipt.reason);
    }
    assert_eq!(node.handle.metrics().clock_suspect(), 4);
    let records = said(node.stop().await.1);
    assert!(
        records.windows(2).all(|pair| pair[0].recorded_at <= pair[1].recorded_at),
        "the order is the log's"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_22_23_events_out_of_their_source_s_order_are_recorded_and_the_hole_is_counted() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    for sequence in [1, 4, 2, 3, 5, 6] {
        let mut event = freed(60 + sequence, "12");
        event["sequence"] = json!(format!("{sequence:020}"));
        let receipt = ask(&client, LINDE_COUNTER, bytes(&event)).await;
        assert_eq!(receipt.outcome, Outcome::Recorded, "{}", receipt.reason);
    }
    let metrics = node.handle.metrics();
    assert_eq!((metrics.sequence_holes(), metrics.sequence_late()), (1, 2));
    let records = said(node.stop().await.1);
    assert_eq!(records.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_27_headers_that_command_the_broker_have_no_effect() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let jetstream = async_nats::jetstream::new(client.clone());
    let first = post(&client, LINDE_MAILBOX, HeaderMap::new(), bytes(&freed(70, "12"))).await;
    assert_eq!(first.outcome, Outcome::Recorded);
    let tricks = [
        ("Nats-Rollup", "all"),
        ("Nats-TTL", "1s"),
        ("Nats-Expected-Last-Sequence", "99"),
        ("Nats-Expected-Stream", "IN_zk02"),
        ("Nats-Schedule", "@at 2030-01-01T00:00:00Z"),
    ];
    for (number, (name, value)) in (71..).zip(tricks) {
        let mut headers = HeaderMap::new();
        headers.insert(name, value);
        let body = bytes(&freed(number, "12"));
        let put =
            jetstream.publish_with_headers(LINDE_MAILBOX, headers.clone(), body.clone()).await.unwrap().await;
        assert!(put.is_err(), "the mailbox refuses {name}");
        let mut asked = headers;
        asked.insert("Content-Type", "application/cloudevents+json");
        let answer = client.request_with_headers(LINDE_COUNTER, asked, body).await.unwrap();
        let receipt = contracts::Receipt::from_json(&answer.payload).unwrap();
        assert_eq!(receipt.outcome, Outcome::Recorded, "the counter ignores {name}");
    }
    let records = said(node.stop().await.1);
    assert_eq!(records.len(), 1 + tricks.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_29_subjects_out_of_form_reach_nothing_or_the_quarantine() {
    let (broker, dir) = (Broker::start(), TempDir::new().unwrap());
    let node = Node::start(&broker, dir.path()).await;
    let client = broker.client().await;
    let event = bytes(&freed(80, "12"));
    for subject in ["record.zk01.de linde", "record..de-linde", "record.zk01."] {
        assert!(client.request(subject, event.clone()).await.is_err(), "{subject:?}");
    }
    let long = format!("record.zk01.{}", "x".repeat(3_000));
    let many = format!("record.zk01{}", ".x".repeat(200));
    for subject in ["record.zk01.*", "record.>", "record.zk01.>", "record.ZK01.de-linde", &long, &many] {
        // Either the broker does not carry it, or it is kept.
        if let Ok(answer) = client.request(subject.to_owned(), event.clone()).await {
            let receipt = contracts::Receipt::from_json(&answer.payload).unwrap();
            assert_eq!(
                (receipt.outcome, &*receipt.code),
                (Outcome::Quarantined, "unknown_source"),
                "{subject}"
            );
        }
    }
    let good = ask(&broker.client().await, LINDE_COUNTER, event).await;
    assert_eq!(good.outcome, Outcome::Recorded);
    node.stop().await.0.unwrap();
}
