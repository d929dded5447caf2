//! Receipts say the same in JSON and in protobuf.

use contracts::{ContentHash, Outcome, Receipt, ReceiptError};
use prost::Message;
use serde_json::json;

fn receipts() -> Vec<Receipt> {
    let recorded = Receipt {
        outcome: Outcome::Recorded,
        source: "urn:nld:kvknr:09220932:systeem:ecd".to_owned(),
        id: "019391f2-6f00-7a11-8c11-0d2f7a3b9c01".to_owned(),
        content_hash: ContentHash::of(b"event"),
        position: Some(42),
        recorded_at: Some("2026-03-02T09:14:03.125Z".parse().unwrap()),
        code: String::new(),
        reason: String::new(),
    };
    let refused = |outcome| Receipt {
        outcome,
        position: None,
        recorded_at: None,
        code: "malformed".to_owned(),
        reason: "malformed event: data.bed: missing".to_owned(),
        ..recorded.clone()
    };
    let outcomes = [Outcome::Quarantined, Outcome::ConditionFailed, Outcome::Failed];
    let known =
        [Outcome::Duplicate, Outcome::Conflict].map(|outcome| Receipt { outcome, ..recorded.clone() });
    let unread = Receipt { source: String::new(), id: String::new(), ..refused(Outcome::Quarantined) };
    [recorded.clone(), unread].into_iter().chain(known).chain(outcomes.map(refused)).collect()
}

#[test]
fn a_receipt_is_read_as_it_is_written() {
    for receipt in receipts() {
        assert_eq!(Receipt::from_json(&receipt.to_json()).unwrap(), receipt);
        let bytes = receipt.to_proto().encode_to_vec();
        let message = contracts::wire::Receipt::decode(&*bytes).unwrap();
        assert_eq!(Receipt::from_proto(message).unwrap(), receipt);
    }
}

#[test]
fn the_json_of_a_receipt_is_this() {
    let written: Vec<serde_json::Value> =
        receipts().iter().map(|receipt| serde_json::from_slice(&receipt.to_json()).unwrap()).collect();
    let recorded = json!({
        "outcome": "recorded",
        "source": "urn:nld:kvknr:09220932:systeem:ecd",
        "id": "019391f2-6f00-7a11-8c11-0d2f7a3b9c01",
        "content_hash": ContentHash::of(b"event").to_string(),
        "position": 42,
        "recorded_at": "2026-03-02T09:14:03.125Z",
    });
    assert_eq!(written[0], recorded);
    let outcomes: Vec<_> = written.iter().map(|receipt| receipt["outcome"].as_str().unwrap()).collect();
    let codes: Vec<_> = receipts().iter().map(|receipt| receipt.outcome.code()).collect();
    assert_eq!(outcomes, codes);
    assert_eq!(written[5]["outcome"], "condition-failed");
    assert_eq!(written[5]["code"], "malformed");
}

#[test]
fn what_is_no_receipt_is_refused() {
    let good: serde_json::Value = serde_json::from_slice(&receipts()[0].to_json()).unwrap();
    for (field, wrong) in [("outcome", "lost"), ("content_hash", "00"), ("recorded_at", "gisteren")] {
        let mut bad = good.clone();
        bad[field] = json!(wrong);
        assert!(Receipt::from_json(bad.to_string().as_bytes()).is_err(), "{field}");
    }
    assert!(matches!(Receipt::from_json(b"+ACK"), Err(ReceiptError::Json(_))));
    let good = receipts()[0].to_proto();
    for outcome in [0, 7, -1] {
        let bad = contracts::wire::Receipt { outcome, ..good.clone() };
        assert!(matches!(Receipt::from_proto(bad), Err(ReceiptError::Outcome(given)) if given == outcome));
    }
    let bad = contracts::wire::Receipt { content_hash: vec![1].into(), ..good };
    assert!(matches!(Receipt::from_proto(bad), Err(ReceiptError::Hash(_))));
}
