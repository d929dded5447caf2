//! A subscriber and a publisher with nothing but `nats-py`: the promise that no library of ours is needed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::zombie_processes,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use domain::RegionId;
use network::Account;
use serde_json::Value;
use tests::{Node, Reference, Site, reference, run};

/// Events of the nation that are enough to fill the boards of some regions.
const EVENTS: usize = 1_000;

/// A watcher of every row, in Python.
struct Watcher {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watcher {
    /// Starts it and waits until it has the rows of the start.
    fn of(node: &Node) -> Self {
        let mut child = node
            .python("watch_rows.py", &Account::Core, "_operator")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next().expect("the watcher ended before it was live").unwrap();
            if line.contains("\"live\"") {
                return Self { child, input, lines };
            }
        }
    }

    /// Tells it that nothing more will come; everything it saw since it was live.
    fn finish(mut self) -> Vec<Value> {
        drop(self.input.take());
        let seen = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        assert!(self.child.wait().unwrap().success());
        seen
    }
}

#[test]
fn a_subscriber_with_only_nats_py_sees_every_change_and_ends_equal_to_the_board() {
    let data = reference("region-day");
    let site = Site::new(&data.network);
    let node = site.up();
    let watcher = Watcher::of(&node);
    let _printed = site.run_with_input(["send", "--json", "-"], data.lines().as_bytes()).ok();
    wait_until_published(&node, data.events.len());
    let seen = watcher.finish();

    let revisions: Vec<u64> = seen.iter().map(|entry| entry["revision"].as_u64().unwrap()).collect();
    let without_holes: Vec<u64> = (revisions[0]..).take(revisions.len()).collect();
    assert_eq!(revisions, without_holes, "every change was seen, in order");
    assert!(revisions.len() > data.events.len() / 2, "only {} changes", revisions.len());

    let mut rows = BTreeMap::new();
    for entry in &seen {
        let key = entry["key"].as_str().unwrap();
        if !key.contains(".loc.") {
            continue;
        }
        if entry["row"].is_null() {
            rows.remove(key);
        } else {
            rows.insert(key, entry["row"].clone());
        }
    }
    let board: Value = serde_json::from_str(&site.run(["board", "--json"]).ok()).unwrap();
    let expected: Vec<Value> = board["rows"].as_array().unwrap().clone();
    let mut ends_with: Vec<Value> = rows.into_values().collect();
    let order =
        |row: &Value| ["region", "location", "care_type"].map(|key| row[key].as_str().unwrap().to_owned());
    ends_with.sort_by_key(order);
    assert_eq!(ends_with, expected);
}

#[test]
fn a_publisher_with_only_nats_py_gets_the_receipt_of_its_mailbox_event() {
    let data = reference("region-day");
    let site = Site::new(&data.network);
    let node = site.up();
    let _printed = site.run_with_input(["send", "--json", "-"], data.lines().as_bytes()).ok();
    let event = r#"{"specversion":"1.0","id":"019cb000-0000-7000-8000-000000000001","source":"urn:nld:kvknr:76849911:systeem:ecd","type":"nl.doorstroom.bed.freed.v1","time":"2026-03-09T09:14:03.120Z","subject":"zk01-de-linde/1","datacontenttype":"application/json","region":"zk01","data":{"occurred_at":"2026-03-09T09:10:00Z","location":"zk01-de-linde","bed":"1"}}"#;
    let publish = || {
        let account = Account::Region("zk01".parse().unwrap());
        let mut publisher = node.python("publish_event.py", &account, "zk01-de-linde");
        serde_json::from_str::<Value>(&run(&mut publisher, event.as_bytes()).ok()).unwrap()
    };
    let (first, again) = (publish(), publish());
    // Behind the record that says by which stream the mailbox counts.
    let position = data.events.len() as u64 + 2;
    assert_eq!((&first["outcome"], &first["position"]), (&"recorded".into(), &position.into()), "{first}");
    assert_eq!((&again["outcome"], &again["position"]), (&"duplicate".into(), &position.into()), "{again}");
    assert_eq!(again["content_hash"], first["content_hash"]);
}

/// The centre of the region that begins, its regions, and a region that is not among them.
fn centre(data: &Reference) -> (String, Vec<String>, String) {
    let first: RegionId = region_of(&data.events[0]).parse().unwrap();
    let centre = data.network.centres().find(|centre| centre.regions.contains(&first)).unwrap();
    let regions: Vec<String> = centre.regions.iter().map(ToString::to_string).collect();
    let other = data.network.regions().map(|region| region.code.to_string());
    let other = other.into_iter().find(|code| !regions.contains(code)).unwrap();
    (centre.code.to_string(), regions, other)
}

/// The region of an event of the file.
fn region_of(event: &str) -> String {
    serde_json::from_str::<Value>(event).unwrap()["region"].as_str().unwrap().to_owned()
}

#[test]
fn a_subscriber_of_a_centre_sees_its_regions_and_is_refused_another() {
    let data = reference("national-two-days");
    let (code, regions, other) = centre(&data);
    let site = Site::new(&data.network);
    let node = site.up();
    let events = &data.events[..EVENTS];
    let _printed = site.run_with_input(["send", "--json", "-"], events.join("\n").as_bytes()).ok();
    wait_until_published(&node, events.len());
    let mine: Vec<&String> = events.iter().filter(|event| regions.contains(&region_of(event))).collect();
    assert!(!mine.is_empty() && mine.len() < events.len());

    let account = Account::Centre(code.parse().unwrap());
    let mut reader = node.python("centre.py", &account, &code);
    reader.arg(regions.join(",")).arg(&other).arg(mine.len().to_string());
    let seen: Value = serde_json::from_str(&run(&mut reader, &[]).ok()).unwrap();
    assert_eq!(seen["events"], mine.len(), "{seen}");
    let board: Value = serde_json::from_str(&site.run(["board", "--json"]).ok()).unwrap();
    let of_mine = |row: &&Value| regions.iter().any(|region| row["region"] == region.as_str());
    let expected: Vec<&Value> = board["rows"].as_array().unwrap().iter().filter(of_mine).collect();
    assert_eq!(seen["rows"].as_array().unwrap().iter().collect::<Vec<_>>(), expected);
    assert_eq!(seen["other_stream"], "not found", "{seen}");
    assert_eq!(seen["other_rows"], 0, "{seen}");
    assert_eq!(seen["other_service"], "403", "{seen}");
    assert_eq!(seen["other_publish"], "refused", "{seen}");
}

#[test]
fn ten_subscribers_that_stall_reconnect_and_resume_end_with_equal_state() {
    let data = reference("national-two-days");
    let (code, regions, _) = centre(&data);
    let region = regions[0].clone();
    let site = Site::new(&data.network);
    let node = site.up();
    let mine: Vec<String> =
        data.events.iter().filter(|event| region_of(event) == region).take(EVENTS / 2).cloned().collect();
    let mut subscribers = node.python("ten_subscribers.py", &Account::Centre(code.parse().unwrap()), &code);
    subscribers.arg(&region).arg(mine.len().to_string());
    let mut running = subscribers.stdout(Stdio::piped()).spawn().unwrap();
    let _printed = site.run_with_input(["send", "--json", "-"], mine.join("\n").as_bytes()).ok();
    let mut printed = String::new();
    std::io::Read::read_to_string(&mut running.stdout.take().unwrap(), &mut printed).unwrap();
    assert!(running.wait().unwrap().success(), "{printed}");
    let states: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(states.len(), 10);
    for state in &states {
        assert_eq!(state["events"], mine.len(), "{state}");
        assert_eq!(state["state"], states[0]["state"], "{state}");
        assert!(state["connections"].as_u64().unwrap() > 1, "{state}");
    }
}

/// Waits until the gateway has published the rows up to this position, by the node's own word.
fn wait_until_published(node: &Node, position: usize) {
    tests::eventually("published row of the last event", std::time::Duration::from_mins(1), || {
        let (_, metrics) = node.get("/metrics");
        let published = metrics.lines().find_map(|line| line.strip_prefix("doorstroom_gateway_position "))?;
        (published.trim().parse::<usize>().ok()? >= position).then_some(())
    });
}
