//! A region with a broker of its own: what it sends while the node is away is recorded when the node is back.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bus::{Bus, Login, MailboxLimits, Server};
use domain::RegionId;
use network::Account;
use serde_json::Value;
use tests::{Script, Site, eventually, free_ports, reference};

/// Events sent while the node is away: what a sender has in flight in a mailbox.
const AWAY: usize = 200;
/// Events sent through the counter when it is back.
const BACK: usize = 50;
/// How long mail may take to a mailbox.
const MAIL_WITHIN: Duration = Duration::from_mins(1);

#[test]
fn what_is_sent_at_a_leaf_while_the_node_is_away_is_recorded_once_in_its_order_when_it_is_back() {
    let data = reference("region-day");
    let region: RegionId = "zk01".parse().unwrap();
    let hub = format!("127.0.0.1:{}", free_ports(1));
    let site = Site::new(&data.network).with(&["--leaf-listen", &hub]);
    std::fs::create_dir(site.data()).unwrap();
    let network = site.network_file();
    let made = ["admin", "network", "add-leaf", "zk01", "--network"].map(OsStr::new);
    let told = site.run(made.into_iter().chain([network.as_os_str()])).ok();
    assert!(told.contains("region zk01 has a leaf"), "{told}");

    let node = site.up();
    let hub = format!("tls://{hub}");
    let port = free_ports(1).to_string();
    let leaf = Script::start(
        "leaf",
        &[Path::new("zk01"), &site.data(), Path::new(&hub)],
        &[("PORT", Path::new(&port)), ("DOORSTROOM_NETWORK", &network)],
        &site.folder().join("leaf.log"),
    );
    let url = leaf.told("bus").to_owned();
    let keys = site.data().join("keys");
    let ca = keys.join("ca.pem");
    let send = |name: &str, door: &[&str], events: &[String]| {
        let file = site.folder().join(name);
        std::fs::write(&file, events.join("\n")).unwrap();
        let mut command = site.command(["send", "--json", "--bus", &url]);
        command.args(door).arg("--ca").arg(&ca).arg("--creds").arg(&keys);
        command.arg("--network").arg(&network).arg(&file).stdout(Stdio::piped());
        command.spawn().unwrap()
    };

    // The key of the leaf is for leaves: nobody can use it as a client of the node's broker.
    let as_leaf = Login::from_file(&node.key(&Account::Region(region.clone()), "_leaf")).unwrap();
    let of_node = Server { url: node.bus().to_owned(), ca: Some(ca.clone()) };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = bus::Config { server: of_node, name: "a client".to_owned(), login: Some(as_leaf) };
    assert!(runtime.block_on(Bus::connect(config)).is_err(), "a leaf's key let a client in");

    assert!(node.sigterm().success());
    let (away, rest) = data.events.split_at(AWAY);
    let mailing = send("away.jsonl", &["--mailbox"], away);
    let keeper = Login::from_file(&keys.join("R_zk01/_provisioner.nk")).unwrap();
    let of_leaf = Server { url: url.clone(), ca: Some(ca.clone()) };
    let config = bus::Config { server: of_leaf, name: "a test".to_owned(), login: Some(keeper) };
    let in_region = runtime.block_on(Bus::connect(config)).unwrap();
    eventually("mail in the mailbox of the leaf", MAIL_WITHIN, || {
        let look = in_region.look_at_mailbox(&region, MailboxLimits::default());
        let last = runtime.block_on(look).unwrap().stream.unwrap().last;
        (last >= AWAY.try_into().unwrap()).then_some(())
    });

    let node = site.up();
    let receipts = |child: std::process::Child| -> Vec<Value> {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", leaf.log());
        let lines = String::from_utf8(output.stdout).unwrap();
        let mut told: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Receipts come over the connection of each sender, so not in the order of the file.
        told.sort_by_key(|receipt| receipt["line"].as_u64());
        told
    };
    let mut told = receipts(mailing);
    // Requests for the counter, and their answers, go through the leaf.
    let (back, _) = rest.split_at(BACK);
    told.extend(receipts(send("back.jsonl", &[], back)));
    let positions: Vec<u64> = told.iter().map(|receipt| receipt["position"].as_u64().unwrap()).collect();
    assert!(positions.len() == AWAY + BACK && positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    let _printed = site.run(["audit", "verify"]).ok();
    let recorded = site.run(["audit", "replay"]).json_lines();
    let events = recorded.iter().filter(|record| record["content_type"] == "application/cloudevents+json");
    assert_eq!(events.count(), AWAY + BACK, "and nothing else is in the log");
    let log = site.log();
    assert!(!log.contains("broker_refused") && !log.contains("mailbox_changed"), "{log}");
    drop(node);
}
