//! Bytes that never change: what the log holds is found and checked by them for ever. Made with an independent program.

use contracts::{ContentHash, Received, encode_binary, encode_json, event_key, key, tags};
use domain::Event;

use crate::samples::received_binary;

const EXAMPLE: &str = concat!(
    r#"{"specversion":"1.0","id":"019391f2-6f00-7a11-8c11-0d2f7a3b9c01","source":"urn:nld:kvknr:09220932:systeem:ecd","#,
    r#""type":"nl.doorstroom.bed.freed.v1","time":"2026-03-02T09:14:03.120Z","subject":"zk23-de-linde/12","#,
    r#""datacontenttype":"application/json","region":"zk23","#,
    r#""data":{"occurred_at":"2026-03-02T09:10:00.000Z","location":"zk23-de-linde","bed":"12"}}"#,
);

fn example() -> Event {
    Received::structured(EXAMPLE.into()).decode().unwrap().event
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn the_example_of_the_contract_is_written_as_it_is_read() {
    assert_eq!(encode_json(&example()), EXAMPLE);
}

#[test]
fn the_content_hash_is_of_exactly_the_bytes() {
    let hash = Received::structured(EXAMPLE.into()).content_hash();
    assert_eq!(hash.to_string(), "d0fbf928bc475aa5de75c99181b1d2887acc083c9a7f925e6f9c5973fc86d674");
    assert_eq!(hash.to_string().parse::<ContentHash>().unwrap(), hash);
    assert_eq!(
        received_binary(&example()).content_hash().to_string(),
        "047b56767a9a83931bc5002c8f6a573e882ff0233adf8e5febafeee002ad5632"
    );
    for text in ["", "04", &hash.to_string().to_uppercase(), &format!("{hash}0")] {
        assert!(text.parse::<ContentHash>().is_err(), "{text}");
    }
}

#[test]
fn the_key_is_of_source_and_id() {
    let expected = "860b5a47b841ef87092c448257fab9a9";
    assert_eq!(hex(&event_key(&example())), expected);
    let spelled =
        EXAMPLE.replace("019391f2-6f00-7a11-8c11-0d2f7a3b9c01", "019391F2-6F00-7A11-8C11-0D2F7A3B9C01");
    let event = Received::structured(spelled.into()).decode().unwrap().event;
    assert_eq!(hex(&event_key(&event)), expected, "one id has one key");
    assert_ne!(key("ab", "c"), key("a", "bc"));
}

#[test]
fn the_protobuf_is_this() {
    let (headers, body) = encode_binary(&example());
    assert_eq!(
        hex(&body),
        "0a0d7a6b32332d64652d6c696e646512023132a20618323032362d30332d30325430393a31303a30302e3030305a"
    );
    let mut sorted = headers.clone();
    sorted.sort();
    assert_eq!(headers, sorted);
}

#[test]
fn headers_in_any_order_and_case_give_the_same_bytes() {
    let (headers, body) = encode_binary(&example());
    let shouted: Vec<_> = headers.iter().rev().map(|(name, value)| (name.to_uppercase(), value)).collect();
    let others = [("Nats-Rollup", "all"), ("Nats-Msg-Id", "1")];
    let headers = shouted.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(others);
    assert_eq!(Received::from_message(headers, body), received_binary(&example()));
}

#[test]
fn an_event_is_found_by_what_it_names() {
    let expected = ["region:zk23", "location:zk23-de-linde", "bed:zk23-de-linde/12"];
    assert_eq!(tags(&example()).iter().map(|tag| &**tag).collect::<Vec<_>>(), expected);
    let moved = EXAMPLE.replace("bed.freed", "stay.moved").replace(
        r#""location":"zk23-de-linde","bed":"12""#,
        r#""stay":"019391f2-6f00-7a11-8c11-0d2f7a3b9c02","from":{"location":"zk23-a","bed":"1"},"to":{"location":"zk23-a","bed":"2"}"#,
    );
    let moved = Received::structured(moved.into()).decode().unwrap().event;
    let expected = [
        "region:zk23",
        "location:zk23-a",
        "bed:zk23-a/2",
        "bed:zk23-a/1",
        "stay:019391f2-6f00-7a11-8c11-0d2f7a3b9c02",
    ];
    assert_eq!(tags(&moved).iter().map(|tag| &**tag).collect::<Vec<_>>(), expected);
}
