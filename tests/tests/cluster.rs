//! Three servers that keep every mailbox three times: one of them dies, or its disk lies, and nothing is lost.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::ConnectOptions;
use serde_json::{Value, json};
use tests::{Script, doorstroom, eventually, free_ports, kill9_of, nats_server, reference, run};

/// Receipts before a server is killed, and until it is started again.
const RECEIPTS_BETWEEN: usize = 200;
/// How long a server that was away may take until it has what the others have.
const CAUGHT_UP_WITHIN: Duration = Duration::from_mins(2);
/// Three servers on a busy machine agree on a leader within this.
const ELECTED_WITHIN: Duration = Duration::from_secs(5);

/// A server that was started again by hand; ended when dropped.
struct Again(Child);

impl Again {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(nats_server());
        command.arg("-c").arg(folder.join("nats.conf")).stdin(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Asks the broker's own interface, as the provisioner of the region.
async fn asked(data: &Path, bus: &str, what: &str, body: Value) -> Option<Value> {
    let seed = fs::read_to_string(data.join("keys/R_zk01/_provisioner.nk")).unwrap();
    let client = ConnectOptions::with_nkey(seed.trim().to_owned())
        .add_root_certificates(data.join("keys/ca.pem"))
        .require_tls(true)
        .custom_inbox_prefix("_INBOX._provisioner")
        .connect(bus.split(',').collect::<Vec<_>>())
        .await
        .ok()?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = client.request(format!("$JS.API.{what}"), body.into()).await.ok()?;
    serde_json::from_slice(&answer.payload).ok()
}

/// The only block of the mailbox at this server.
fn block(server: &Path) -> PathBuf {
    server.join("store/jetstream/R_zk01/streams/IN_zk01/msgs/1.blk")
}

#[test]
fn fault_53_a_server_of_three_is_killed_and_another_has_a_flipped_bit_and_nothing_is_lost_or_doubled() {
    let reference = reference("region-day");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("network.toml"), reference.network.to_toml()).unwrap();
    let (port, log) = (free_ports(6).to_string(), folder.path().join("log"));
    let arguments = [&data, Path::new("--http"), Path::new("127.0.0.1:0")];
    let cluster = Script::start("cluster", &arguments, &[("PORT", Path::new(&port))], &log);
    let bus = cluster.told("bus").to_owned();
    let server = |number: u8| data.join(format!("server-{number}"));

    let file = folder.path().join("events.jsonl");
    fs::write(&file, reference.lines()).unwrap();
    let mut send = Command::new(doorstroom());
    send.args(["send", "--mailbox", "--json", "--data"]).arg(&data).arg(&file);
    let mut sending = send.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut receipts = BufReader::new(sending.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told: Vec<String> = receipts.by_ref().take(RECEIPTS_BETWEEN).collect();
    kill9_of(&server(2).join("pid"));
    told.extend(receipts.by_ref().take(RECEIPTS_BETWEEN));
    let _second = Again::start(&server(2));
    told.extend(receipts);
    assert!(sending.wait().unwrap().success(), "{}", cluster.log());
    recorded_once(&data, &told, reference.events.len());

    // A disk that lies: one bit in the middle of the only block, on one server.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ask = |what: &str, body: Value| runtime.block_on(asked(&data, &bus, what, body));
    let before = all_caught_up(&ask);
    kill9_of(&server(3).join("pid"));
    let mut bytes = fs::read(block(&server(3))).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(block(&server(3)), bytes).unwrap();
    let _third = Again::start(&server(3));
    let after = all_caught_up(&ask);
    for part in ["messages", "first_seq", "last_seq"] {
        assert_eq!(after["state"][part], before["state"][part], "{part}: {after}");
    }
    // Whoever is asked: the one whose disk lied too.
    let preferred = json!({"placement": {"preferred": "server-3"}});
    let mut stepped_down: Option<Instant> = None;
    eventually("leader whose disk lied", CAUGHT_UP_WITHIN, || {
        let info = ask("STREAM.INFO.IN_zk01", Value::Null)?;
        if info["cluster"]["leader"] == "server-3" {
            return Some(());
        }
        // Who is chosen is left time to lead: asked again and again, they would never agree.
        let settled = stepped_down.is_none_or(|at| at.elapsed() > ELECTED_WITHIN);
        if settled && info["cluster"]["leader"].is_string() {
            ask("STREAM.LEADER.STEPDOWN.IN_zk01", preferred.clone())?;
            stepped_down = Some(Instant::now());
        }
        None
    });
    let after = all_caught_up(&ask);
    for part in ["messages", "first_seq", "last_seq"] {
        assert_eq!(after["state"][part], before["state"][part], "{part}: {after}");
    }
    let last = after["state"]["last_seq"].as_u64().unwrap();
    for sequence in [1, last / 2 - 1, last / 2, last / 2 + 1, last] {
        let message = ask("STREAM.MSG.GET.IN_zk01", json!({"seq": sequence})).unwrap();
        assert_eq!(message["message"]["seq"], sequence, "{message}");
    }
}

/// The stream of the mailbox, once every server has all of it.
fn all_caught_up(ask: &impl Fn(&str, Value) -> Option<Value>) -> Value {
    eventually("mailbox that three servers have", CAUGHT_UP_WITHIN, || {
        let info = ask("STREAM.INFO.IN_zk01", Value::Null)?;
        let others = info["cluster"]["replicas"].as_array()?;
        let current =
            others.iter().filter(|other| other["current"] == true && other["offline"] != true).count();
        (current == 2 && info["cluster"]["leader"].is_string()).then_some(info)
    })
}

/// Each event has a position of its own, after that of the one sent before it, and there are no others in the log.
fn recorded_once(data: &Path, told: &[String], events: usize) {
    let told: Vec<Value> = told.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers = |receipt: &Value| ["line", "position"].map(|of| receipt[of].as_u64().unwrap());
    let positions: BTreeMap<u64, u64> =
        told.iter().map(numbers).map(|[line, position]| (line, position)).collect();
    let positions: Vec<u64> = positions.into_values().collect();
    assert!(positions.len() == events && positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    let replay =
        run(Command::new(doorstroom()).args(["audit", "replay", "--data"]).arg(data), &[]).json_lines();
    let sent = replay.iter().filter(|record| record["content_type"] == "application/cloudevents+json");
    assert_eq!(sent.count(), events);
    let _printed = run(Command::new(doorstroom()).args(["audit", "verify", "--data"]).arg(data), &[]).ok();
}
