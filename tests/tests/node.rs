//! A node from its start to its end: its broker, its health, its refusals.
#![expect(clippy::unwrap_used, reason = "test code: what cannot be unwrapped is the failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use bus::server::{Setup, Topology, configuration};
use bus::{Bus, Limits, Login, Server};
use domain::Timestamp;
use eventlog::{Clock as _, SystemClock};
use network::{Account, Network};
use serde_json::Value;
use tests::{Broker, Node, Site, eventually, reference};

/// How long a node has to end after SIGTERM.
const DRAINS_WITHIN: Duration = Duration::from_secs(5);
/// How long it may take to be ready again after its broker died.
const HEALS_WITHIN: Duration = Duration::from_secs(30);
/// How long whoever is shut out may still be connected.
const CUT_WITHIN: Duration = Duration::from_secs(10);

fn site() -> Site {
    Site::new(&Network::default_dutch().unwrap())
}

#[test]
fn a_node_ends_within_five_seconds_of_sigterm_also_in_the_middle_of_a_send() {
    let data = reference("national-two-days");
    let site = Site::new(&data.network);
    let file = site.folder().join("events.jsonl");
    fs::write(&file, data.lines()).unwrap();
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
fn the_demo_starts_and_everybody_it_made_an_account_for_can_sign_in() {
    let site = site().with(&["--demo"]);
    let node = site.up();
    let people = fs::read_to_string(site.data().join("demo-accounts.txt")).unwrap();
    let agent =
        ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().new_agent();
    let mut names = Vec::new();
    for person in people.lines() {
        let [name, password, _] = person.split('\t').collect::<Vec<_>>()[..] else { panic!("{person}") };
        let answer = agent
            .post(format!("{}/inloggen", node.http()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", node.http())
            .send(format!("name={name}&password={password}"))
            .unwrap();
        assert_eq!(answer.status(), 303, "{name}");
        assert!(answer.headers().contains_key("set-cookie"), "{name}");
        names.push(name.to_owned());
    }
    assert_eq!(names, ["loket", "verpleegkundige", "centrum", "auditor"]);
    let position = || {
        let (_, metrics) = node.get("/metrics");
        let line = metrics.lines().find(|line| line.starts_with("doorstroom_log_position"))?;
        (line.split(' ').nth(1)?.parse::<f64>().ok()? > 1_000.0).then_some(())
    };
    eventually("board that fills", HEALS_WITHIN, position);
    assert!(node.sigterm().success(), "{}", site.log());
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
fn a_broker_comes_back_also_when_the_program_was_replaced_under_its_node() {
    let (site, program) = site().with_own_program();
    let node = site.up();
    std::fs::remove_file(program).unwrap();
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

/// A site on a broker that is not the node's own, but has its accounts and keys: `change` of its configuration.
fn on_another_broker(change: impl Fn(String) -> String) -> (Site, Broker) {
    let site = site();
    fs::create_dir_all(site.data()).unwrap();
    let now = Timestamp::from_micros(SystemClock.now());
    let keys = site.data().join("keys");
    let (network, _, _) = keyring::prepare(&site.network_file(), &keys, &[], now).unwrap();
    let setup = Setup {
        name: "another".to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        store: "{folder}/store".into(),
        keys,
        topology: Topology::Single,
        leaves: None,
        shut_out: BTreeSet::new(),
        limits: Limits::default(),
    };
    let broker = Broker::start(&change(configuration(&network, now, &setup)));
    let site = site.with(&["--nats", broker.url()]);
    (site, broker)
}

#[test]
fn a_broker_that_does_not_sync_is_refused_in_a_sentence_unless_it_is_asked_for() {
    let (site, _broker) =
        on_another_broker(|text| text.replace("sync_interval: always", "sync_interval: 2m"));
    let said = site.up_refused().refused();
    assert!(said.contains("sync_interval: always"), "{said}");
    let site = site.with(&["--unchecked-broker"]);
    assert_eq!(site.up().get("/healthz").0, 200);
}

#[test]
fn a_broker_without_the_accounts_of_the_network_is_refused() {
    let broker = Broker::start("jetstream { store_dir: \"{folder}/store\", sync_interval: always }");
    let said = site().with(&["--nats", broker.url()]).up_refused().refused();
    assert!(said.contains("no connection to the broker") && said.contains("SYS"), "{said}");
}

#[test]
fn a_foreign_broker_that_syncs_is_taken() {
    let (site, broker) = on_another_broker(|text| text);
    let node = site.up();
    assert_eq!(node.bus(), broker.url());
}

/// Waits for an alarm of this code in what the node counts.
fn alarmed(node: &Node, code: &str) {
    eventually("alarm", HEALS_WITHIN, || {
        let counted = format!("doorstroom_alarms_total{{code=\"{code}\"}} ");
        node.get("/metrics").1.contains(&counted).then_some(())
    });
}

#[test]
fn fault_62_a_key_revoked_while_its_user_is_connected_is_cut_in_seconds_and_alarmed() {
    let data = reference("region-day");
    let site = Site::new(&data.network);
    let node = site.up();
    let account = Account::Region("zk01".parse().unwrap());
    let login = Login::from_file(&node.key(&account, "zk01-de-linde")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server { url: node.bus().to_owned(), ca: Some(node.data().join("keys/ca.pem")) };
    let config = bus::Config { server, name: "to be cut".to_owned(), login: Some(login) };
    let connected = runtime.block_on(Bus::connect(config.clone())).unwrap();
    assert!(connected.connected());
    let now = Timestamp::from_micros(SystemClock.now());
    let keys = keyring::Keyring::open(&node.data().join("keys")).unwrap();
    keyring::revoke_user(&site.network_file(), &keys, (&account, "zk01-de-linde"), now).unwrap();
    let asked = Instant::now();
    eventually("end of the connection", CUT_WITHIN, || (!connected.connected()).then_some(()));
    assert!(asked.elapsed() < CUT_WITHIN);
    assert!(runtime.block_on(Bus::connect(config)).is_err(), "it is not let in again");
    alarmed(&node, "key_ended");
    assert_eq!(node.get("/readyz").0, 200, "nobody else is cut for long");
}

#[test]
fn fault_62_a_key_is_changed_without_a_loss_and_the_old_one_ends() {
    let data = reference("region-day");
    let site = Site::new(&data.network);
    let node = site.up();
    let (first, rest) = data.events.split_at(data.events.len() / 2);
    let sent = |events: &[String]| {
        let printed = site.run_with_input(["send", "--json", "-"], events.join("\n").as_bytes()).json_lines();
        printed.iter().filter(|receipt| receipt["outcome"] == "recorded").count()
    };
    assert_eq!(sent(first), first.len());
    let old = site.folder().join("zk01-de-linde.nk");
    let account = Account::Region("zk01".parse().unwrap());
    fs::copy(node.key(&account, "zk01-de-linde"), &old).unwrap();
    let now = Timestamp::from_micros(SystemClock.now());
    let keys = keyring::Keyring::open(&node.data().join("keys")).unwrap();
    let grace = Duration::from_secs(3);
    keyring::rotate(&site.network_file(), &keys, (&account, "zk01-de-linde"), grace, now).unwrap();
    // With the new key, as soon as the broker knows it; `send` tries again until then.
    assert_eq!(sent(rest), rest.len());
    alarmed(&node, "key_ended");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server { url: node.bus().to_owned(), ca: Some(node.data().join("keys/ca.pem")) };
    let login = Some(Login::from_file(&old).unwrap());
    let config = bus::Config { server, name: "the old key".to_owned(), login };
    eventually("end of the old key", CUT_WITHIN, || runtime.block_on(Bus::connect(config.clone())).err());
    let _printed = site.run(["audit", "verify"]).ok();
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

#[test]
fn a_rule_of_alerts_added_to_the_network_file_counts_without_a_restart() {
    let data = reference("region-day");
    let site = Site::new(&data.network);
    let _node = site.up();
    let events = data.events.get(..100).unwrap().join("\n");
    let _printed = site.run_with_input(["send", "-"], events.as_bytes()).ok();
    let mut file = fs::read_to_string(site.network_file()).unwrap();
    file.push_str("\n[[alert]]\ncentre = \"noordwest\"\nkind = \"offerable-below\"\ncare_type = \"GRZ\"\nbelow = 1000\n");
    fs::write(site.network_file(), file).unwrap();
    let mut watching = site.command(["watch", "alerts", "--centre", "noordwest", "--json"]);
    let mut watching = watching.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut told = std::io::BufReader::new(watching.stdout.take().unwrap());
    let (out, told_first) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut first = String::new();
        std::io::BufRead::read_line(&mut told, &mut first).map(|_bytes| out.send(first))
    });
    let first = told_first.recv_timeout(HEALS_WITHIN);
    watching.kill().unwrap();
    watching.wait().unwrap();
    let first = first.unwrap();
    let alert: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(alert["type"], "nl.doorstroom.alert.raised.v1");
    assert_eq!((&alert["data"]["kind"], &alert["data"]["below"]), (&"offerable-below".into(), &1000.into()));
}
