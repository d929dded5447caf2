//! The fold against the reference boards, which an independent program wrote from the event contract alone.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod support;

use serde_json::Value;
use views::{Availability, Row};

#[test]
fn the_day_of_one_region_gives_the_reference_boards() {
    check("region-day.jsonl", "region-day.boards.json");
}

#[test]
fn two_national_days_with_errors_of_every_kind_give_the_reference_boards() {
    check("national-two-days.jsonl.gz", "national-two-days.boards.json.gz");
}

#[test]
fn a_snapshot_of_a_board_is_read_back_as_it_was() {
    let mut board = Availability::default();
    for event in support::events("national-two-days.jsonl.gz").iter().take(20_000) {
        board.project(event, &mut Vec::new());
    }
    let bytes = postcard::to_stdvec(&board).unwrap();
    assert_eq!(postcard::from_bytes::<Availability>(&bytes).unwrap(), board);
}

/// Every row and every count of contradictions of every board, after its number of events.
#[track_caller]
fn check(events: &str, boards: &str) {
    let events = support::events(events);
    let boards: Vec<Value> = serde_json::from_str(&support::reference(boards)).unwrap();
    assert!(!boards.is_empty());
    let mut board = Availability::default();
    let mut changes = Vec::new();
    for expected in boards {
        let after_events = expected["after_events"].as_u64().unwrap();
        for event in &events {
            if (board.position() + 1..=after_events).contains(&event.position) {
                board.project(event, &mut changes);
            }
        }
        let expected_rows = expected["rows"].as_array().unwrap();
        let rows: Vec<Value> = board.rows().map(columns).collect();
        if &rows != expected_rows {
            let missing = expected_rows.iter().filter(|row| !rows.contains(row));
            let surplus = rows.iter().filter(|row| !expected_rows.contains(row));
            let differing: Vec<_> = missing.chain(surplus).collect();
            panic!("after {after_events} events, first expected, then found: {differing:#?}");
        }
        assert_eq!(Value::from(board.contradictions()), expected["contradictions"], "after {after_events}");
    }
}

/// The columns of the reference boards.
fn columns(row: Row) -> Value {
    let mut json = serde_json::to_value(row).unwrap();
    for own in ["position", "recorded_at", "last_word"] {
        assert!(json.as_object_mut().unwrap().remove(own).is_some(), "{own}");
    }
    json
}
