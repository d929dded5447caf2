//! Nothing acknowledged is lost and nothing is doubled, whenever the node or its broker is killed.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use network::Account;
use serde_json::Value;
use tests::{Node, Reference, Site, eventually, reference, run};

/// Kills of the node in one run.
const NODE_KILLS: u64 = 20;
/// Kills of the broker in one run.
const BROKER_KILLS: u64 = 10;
/// How long rows may take to follow the log after a restart.
const FOLLOWS_WITHIN: Duration = Duration::from_mins(1);

#[test]
fn fault_47_a_node_killed_at_twenty_moments_of_a_send_loses_and_doubles_nothing() {
    let data = reference("national-two-days");
    let site = Site::new(&data.network);
    let file = site.folder().join("events.jsonl");
    std::fs::write(&file, data.lines()).unwrap();
    let mut told = BTreeMap::new();
    for kill in 0..NODE_KILLS {
        let node = site.up();
        // Each life gets further than the one before, and dies after a number of receipts that differs each time.
        let receipts = told.len() as u64 + 1 + seeded(kill) % 1_100;
        let mut sending = Sending::start(&site, &file);
        sending.read(receipts, &mut told);
        node.kill9();
        sending.kill(&mut told);
    }
    let node = site.up();
    let sent = site
        .run([OsStr::new("send"), OsStr::new("--by-region"), OsStr::new("--json"), file.as_os_str()])
        .json_lines();
    for receipt in &sent {
        remember(receipt, &mut told);
    }
    complete(&site, &node, &data, &told);
}

#[test]
fn a_broker_killed_at_ten_moments_of_a_send_costs_delay_and_nothing_else() {
    let data = reference("national-two-days");
    let site = Site::new(&data.network);
    let file = site.folder().join("events.jsonl");
    std::fs::write(&file, data.lines()).unwrap();
    let node = site.up();
    let mut told = BTreeMap::new();
    let mut sending = Sending::start(&site, &file);
    for kill in 0..BROKER_KILLS {
        sending.read(1 + seeded(kill) % 2_500, &mut told);
        node.kill9_broker();
    }
    // The same send goes on through every restart to its end.
    sending.read(u64::MAX, &mut told);
    assert!(sending.child.wait().unwrap().success(), "the send gave up");
    complete(&site, &node, &data, &told);
}

/// A number that looks random and is the same each time.
fn seeded(number: u64) -> u64 {
    // SplitMix64.
    let mut mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A `doorstroom send` under way.
struct Sending {
    child: Child,
    receipts: BufReader<ChildStdout>,
}

impl Sending {
    fn start(site: &Site, file: &std::path::Path) -> Self {
        let mut command = site.command(["send", "--by-region", "--json"]);
        let mut child = command
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let receipts = BufReader::new(child.stdout.take().unwrap());
        Self { child, receipts }
    }

    /// Reads that many receipts, or all there are.
    fn read(&mut self, count: u64, told: &mut BTreeMap<String, u64>) {
        for _ in 0..count {
            let mut line = String::new();
            if self.receipts.read_line(&mut line).unwrap() == 0 {
                return;
            }
            remember(&serde_json::from_str(&line).unwrap(), told);
        }
    }

    /// Ends it, and reads what it had still said.
    fn kill(mut self, told: &mut BTreeMap<String, u64>) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut line = String::new();
        while self.receipts.read_line(&mut line).unwrap() > 0 {
            // The last line may be cut by the kill.
            if let Ok(receipt) = serde_json::from_str(&line) {
                remember(&receipt, told);
            }
            line.clear();
        }
    }
}

/// Whoever was told a position is told the same ever after.
fn remember(receipt: &Value, told: &mut BTreeMap<String, u64>) {
    let outcome = receipt["outcome"].as_str().unwrap();
    assert!(outcome == "recorded" || outcome == "duplicate", "neither recorded nor known: {receipt}");
    let position = receipt["position"].as_u64().unwrap();
    let earlier = told.insert(receipt["id"].as_str().unwrap().to_owned(), position).unwrap_or(position);
    assert_eq!(earlier, position, "{receipt}");
}

/// Everything is there once, the log verifies, and the rows on the bus are what a rebuild from the log gives.
fn complete(site: &Site, node: &Node, data: &Reference, told: &BTreeMap<String, u64>) {
    assert_eq!(told.len(), data.events.len(), "every event was acknowledged");
    let mut positions: Vec<u64> = told.values().copied().collect();
    positions.sort_unstable();
    let all: Vec<u64> = (1..=data.events.len() as u64).collect();
    assert_eq!(positions, all, "each event has a position of its own, and there are no others");
    let _printed = site.run(["audit", "verify"]).ok();

    let rebuilt: Value = serde_json::from_str(&site.run(["board", "--json"]).ok()).unwrap();
    assert_eq!(rebuilt["position"], data.events.len(), "nothing else is in the log");
    let expected: BTreeMap<String, Value> = rebuilt["rows"].as_array().unwrap().iter().map(keyed).collect();
    let mut last = BTreeMap::new();
    eventually("bus rows equal to a rebuild", FOLLOWS_WITHIN, || {
        last = rows_on_the_bus(node);
        (last == expected).then_some(())
    });
}

fn keyed(row: &Value) -> (String, Value) {
    let [region, location, care_type] =
        ["region", "location", "care_type"].map(|column| row[column].as_str().unwrap());
    (format!("{region}.loc.{location}.{care_type}"), row.clone())
}

/// The rows as a subscriber that starts now gets them.
fn rows_on_the_bus(node: &Node) -> BTreeMap<String, Value> {
    let mut watcher = node.python("watch_rows.py", &Account::Core, "_operator");
    let seen = run(&mut watcher, &[]).json_lines();
    seen.into_iter()
        .filter(|entry| {
            entry["key"].as_str().is_some_and(|key| key.contains(".loc.")) && !entry["row"].is_null()
        })
        .map(|entry| (entry["key"].as_str().unwrap().to_owned(), entry["row"].clone()))
        .collect()
}
