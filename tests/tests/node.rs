//! A node from its start to its end: its broker, its health, its refusals.
#![expect(clippy::unwrap_used, reason = "test code: what cannot be unwrapped is the failed test")]

use std::time::{Duration, Instant};

use network::Network;
use serde_json::Value;
use tests::{Broker, Site, eventually, reference};

/// How long a node has to end after SIGTERM.
const DRAINS_WITHIN: Duration = Duration::from_secs(5);
/// How long it may take to be ready again after its broker died.
const HEALS_WITHIN: Duration = Duration::from_secs(30);

fn site() -> Site {
    Site::new(&Network::default_dutch().unwrap())
}

#[test]
fn a_node_ends_within_five_seconds_of_sigterm_also_in_the_middle_of_a_send() {
    let data = reference("national-two-days");
    let site = Site::new(&data.network);
    let file = site.folder().join("events.jsonl");
    std::fs::write(&file, data.lines()).unwrap();
    let node = site.up();
    let mut sending =
        site.command(["send", "--json"]).arg(&file).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut receipts = std::io::BufReader::new(sending.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut receipts, &mut first).unwrap();
    let asked = Instant::now();
    let status = node.sigterm();
    assert!(status.success(), "{status}: {}", site.log());
    assert!(asked.elapsed() <= DRAINS_WITHIN, "it took {:?}", asked.elapsed());
    sending.kill().unwrap();
    sending.wait().unwrap();
    let _printed = site.run(["audit", "verify"]).ok();
}

#[test]
fn no_broker_outlives_its_node_also_after_kill_9() {
    // `kill9` waits for the end of the broker, and fails when it does not come.
    site().up().kill9();
}

#[test]
fn a_broker_that_dies_is_started_again_and_the_node_is_ready_again() {
    let site = site();
    let node = site.up();
    let first = node.broker_pid();
    node.kill9_broker();
    let ready = || (node.get("/readyz").0 == 200 && node.broker_pid() != first).then_some(());
    eventually("ready node", HEALS_WITHIN, ready);
}

#[test]
fn health_readiness_and_metrics_are_told() {
    let site = site();
    let node = site.up();
    assert_eq!(node.get("/healthz").0, 200);
    let (status, readiness) = node.get("/readyz");
    assert_eq!(status, 200, "{readiness}");
    for part in ["recorder", "log", "broker", "view"] {
        assert!(readiness.contains(part), "{part} is missing in {readiness}");
    }
    let (_, metrics) = node.get("/metrics");
    for metric in ["doorstroom_log_position", "doorstroom_recorded_total", "doorstroom_view_lag_events"] {
        assert!(metrics.contains(metric), "{metric} is missing in {metrics}");
    }
}

#[test]
fn a_second_node_on_the_same_folder_is_refused_and_names_the_first() {
    let site = site();
    let node = site.up();
    let said = site.up_refused().refused();
    assert!(said.contains(&node.pid().to_string()), "{said}");
}

#[test]
fn a_broker_that_does_not_sync_is_refused_in_a_sentence() {
    let broker = Broker::start("http_port: -1\njetstream { store_dir: \"{folder}/store\" }");
    let site = site().with(&["--nats", broker.url(), "--nats-monitor", broker.monitor().unwrap()]);
    let said = site.up_refused().refused();
    assert!(said.contains("sync_interval: always"), "{said}");
}

#[test]
fn a_broker_nobody_can_check_is_refused_unless_it_is_asked_for() {
    let broker = Broker::start("jetstream { store_dir: \"{folder}/store\" }");
    let said = site().with(&["--nats", broker.url()]).up_refused().refused();
    assert!(said.contains("--nats-monitor") && said.contains("--unchecked-broker"), "{said}");
    let site = site().with(&["--nats", broker.url(), "--unchecked-broker"]);
    assert_eq!(site.up().get("/healthz").0, 200);
}

#[test]
fn a_foreign_broker_that_syncs_is_taken() {
    let broker =
        Broker::start("http_port: -1\njetstream { store_dir: \"{folder}/store\", sync_interval: always }");
    let site = site().with(&["--nats", broker.url(), "--nats-monitor", broker.monitor().unwrap()]);
    let node = site.up();
    assert_eq!(node.bus(), broker.url());
}

#[test]
fn logs_are_json_where_asked_and_never_hold_what_was_sent() {
    let data = reference("region-day");
    let site = Site::new(&data.network);
    let _node = site.up();
    // A canary where no reader expects it: an unknown field of an event that is otherwise right, and garbage.
    let canary = "Pieternel Kanariebloem";
    let event = data.events[0].replacen('{', &format!("{{\"note\":\"{canary}\","), 1);
    let _printed = site.run_with_input(["send", "--json", "-"], event.as_bytes()).ok();
    for line in site.log().lines() {
        let parsed: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(!parsed.to_string().contains(canary), "{line}");
    }
}
