//! The reference data through the whole way: each event recorded once, each board as an independent program says.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

use std::collections::BTreeMap;

use serde_json::Value;
use tests::{Reference, Site, reference};

#[test]
fn the_day_of_one_region_gives_every_reference_board() {
    gives_every_reference_board("region-day");
}

#[test]
fn two_days_of_the_nation_give_every_reference_board() {
    gives_every_reference_board("national-two-days");
}

#[test]
fn the_day_of_one_region_through_both_doors_gives_the_same_board() {
    through_both_doors_gives_the_same_board("region-day");
}

#[test]
fn two_days_of_the_nation_through_both_doors_give_the_same_board() {
    through_both_doors_gives_the_same_board("national-two-days");
}

fn gives_every_reference_board(name: &str) {
    let data = reference(name);
    let site = Site::new(&data.network);
    let _node = site.up();

    let first = send(&site, &["send", "--json", "-"], &data.events);
    assert_eq!(first.outcomes, BTreeMap::from([("recorded".to_owned(), data.events.len())]));
    let in_file_order: Vec<u64> = (1..=data.events.len() as u64).collect();
    assert_eq!(first.positions, in_file_order, "the log keeps the order of the file");
    for expected in &data.boards {
        let after = expected["after_events"].to_string();
        same_board(&board(&site, &["--as-of", &after]), expected);
    }

    let head = board(&site, &[])["position"].clone();
    let again = send(&site, &["send", "--by-region", "--json", "-"], &data.events);
    assert_eq!(again.outcomes, BTreeMap::from([("duplicate".to_owned(), data.events.len())]));
    assert_eq!(again.positions, in_file_order, "a duplicate is told its first position");
    assert_eq!(board(&site, &[])["position"], head, "what is known already does not move the head");
}

fn through_both_doors_gives_the_same_board(name: &str) {
    let data = reference(name);
    let site = Site::new(&data.network);
    let _node = site.up();
    let (counter, mailbox) = data.events.split_at(data.events.len() / 2);
    for (arguments, events) in
        [(&["send", "--json", "-"][..], counter), (&["send", "--json", "--mailbox", "-"], mailbox)]
    {
        let sent = send(&site, arguments, events);
        assert_eq!(sent.outcomes, BTreeMap::from([("recorded".to_owned(), events.len())]));
    }
    same_board(&board(&site, &[]), data.boards.last().unwrap());
}

/// What became of what was sent.
struct Sent {
    outcomes: BTreeMap<String, usize>,
    positions: Vec<u64>,
}

fn send(site: &Site, arguments: &[&str], events: &[String]) -> Sent {
    let data =
        Reference { events: events.to_vec(), boards: Vec::new(), network: reference("region-day").network };
    let mut receipts = site.run_with_input(arguments, data.lines().as_bytes()).json_lines();
    // Receipts come in the order of recording; the test looks at them in the order of the file.
    receipts.sort_by_key(|receipt| receipt["line"].as_u64());
    let mut outcomes = BTreeMap::new();
    for receipt in &receipts {
        *outcomes.entry(receipt["outcome"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    Sent {
        outcomes,
        positions: receipts.iter().map(|receipt| receipt["position"].as_u64().unwrap()).collect(),
    }
}

fn board(site: &Site, arguments: &[&str]) -> Value {
    let printed = site.run([&["board", "--json"], arguments].concat()).ok();
    serde_json::from_str(&printed).unwrap()
}

/// Every row, every column of the reference, and the number of contradictions.
fn same_board(board: &Value, expected: &Value) {
    let after = &expected["after_events"];
    let (rows, expected_rows) = (board["rows"].as_array().unwrap(), expected["rows"].as_array().unwrap());
    for (row, expected_row) in rows.iter().zip(expected_rows) {
        for (column, value) in expected_row.as_object().unwrap() {
            assert_eq!(&row[column], value, "{column} of {expected_row} after {after} events");
        }
    }
    assert_eq!(rows.len(), expected_rows.len(), "rows after {after} events");
    assert_eq!(board["contradictions"], expected["contradictions"], "contradictions after {after} events");
}
