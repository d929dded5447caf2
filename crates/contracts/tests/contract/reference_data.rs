//! Every event of the reference data keeps its meaning in every form.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use contracts::{Received, encode_json};
use flate2::read::GzDecoder;

use crate::samples::received_binary;

fn open(name: &str) -> File {
    File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(name)).unwrap()
}

fn every_line_keeps_its_meaning(name: &str, file: impl Read, expected: usize) {
    let lines: Vec<String> = BufReader::new(file).lines().map(Result::unwrap).collect();
    assert_eq!(lines.len(), expected);
    for (number, line) in lines.iter().enumerate() {
        let received = Received::structured(line.clone().into());
        let decoded = received.decode().unwrap_or_else(|error| panic!("{name}:{}: {error}", number + 1));
        let again = Received::structured(encode_json(&decoded.event)).decode().unwrap();
        assert_eq!(again.event, decoded.event, "{name}:{} through JSON", number + 1);
        let binary = received_binary(&decoded.event).decode().unwrap();
        assert_eq!(binary.event, decoded.event, "{name}:{} through protobuf", number + 1);
        let (ours, theirs): (serde_json::Value, serde_json::Value) = (
            serde_json::from_slice(&encode_json(&decoded.event)).unwrap(),
            serde_json::from_str(line).unwrap(),
        );
        for (field, value) in theirs["data"].as_object().unwrap() {
            // Some holds that end say until when they would have been: no field of the contract, ignored. And an empty
            // optional list is left out.
            let ignored = field == "until" && decoded.event.fact.kind() != "hold.granted";
            if !ignored && *value != serde_json::json!([]) {
                assert_eq!(ours["data"][field], *value, "{name}:{} {field}", number + 1);
            }
        }
        for attribute in ["specversion", "id", "source", "type", "time", "datacontenttype", "region"] {
            assert_eq!(ours[attribute], theirs[attribute], "{name}:{} {attribute}", number + 1);
        }
    }
}

#[test]
fn one_region_for_a_day_keeps_its_meaning() {
    every_line_keeps_its_meaning("region-day.jsonl", open("region-day.jsonl"), 848);
}

#[test]
fn the_country_for_two_days_keeps_its_meaning() {
    let name = "national-two-days.jsonl.gz";
    every_line_keeps_its_meaning(name, GzDecoder::new(open(name)), 31_916);
}
