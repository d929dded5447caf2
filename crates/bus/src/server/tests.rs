//! What is in a configuration, as text; what it means is shown on a real server (`tests/tests/rights.rs`).

use super::*;

fn setup() -> Setup {
    Setup {
        name: "doorstroom".to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        store: "/srv/a \"b\"".into(),
        keys: "/srv/keys".into(),
        topology: Topology::Single,
        leaves: None,
        shut_out: BTreeSet::new(),
        limits: Limits::default(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const KEY: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

fn network(until: &str) -> Network {
    let text = format!(
        r#"
        [[region]]
        code = "zk01"
        name = "Een"
        desk = {{ name = "Loket", phone = "0800", hours = "dag" }}
        [[centre]]
        code = "oost"
        name = "Oost"
        regions = ["zk01"]
        [[source]]
        id = "urn:nld:kvknr:00000000:systeem:loket"
        name = "loket"
        kind = "desk"
        region = "zk01"
        keys = [{{ key = "{KEY}"{until} }}]
        "#
    );
    Network::from_toml("a test", &text).unwrap()
}

#[test]
fn a_key_is_in_the_configuration_until_the_moment_it_ends() {
    let network = network(", until = \"2026-11-22T10:00:00Z\"");
    let configured = |now: &str| configuration(&network, at(now), &setup()).contains(KEY);
    assert!(configured("2026-11-22T09:59:59.999999Z"));
    assert!(!configured("2026-11-22T10:00:00Z"));
}

#[test]
fn it_writes_to_disk_first_encrypts_says_nothing_over_http_and_quotes_what_it_is_given() {
    let text = configuration(&network(""), at("2026-11-22T09:00:00Z"), &setup());
    for part in [
        "sync_interval: always",
        "system_account: \"SYS\"",
        "listen: \"127.0.0.1:-1\"",
        "store_dir: \"/srv/a \\\"b\\\"\"",
        "cert_file: \"/srv/keys/server.pem\"",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert!(!text.contains("http") && !text.contains("deny") && !text.contains("no_auth_user"), "{text}");
}

#[test]
fn servers_of_a_cluster_ask_each_other_for_a_certificate_and_keep_every_stream_three_times() {
    let routes = vec!["nats-route://127.0.0.1:6222".to_owned()];
    let listen = "127.0.0.1:6223".parse().unwrap();
    let topology = Topology::Cluster { name: "doorstroom".to_owned(), listen, routes };
    let three = Limits { replicas: 3, ..Limits::default() };
    let text = configuration(
        &network(""),
        at("2026-11-22T09:00:00Z"),
        &Setup { topology, limits: three, ..setup() },
    );
    assert!(text.contains("verify: true") && text.contains("nats-route://127.0.0.1:6222"), "{text}");
    let disk = 3 * Limits::default().mailbox.bytes;
    assert!(text.contains(&format!("max_file_store: {disk}")), "{text}");
}
