//! What an auditor takes home from the page of an event proves it, without the node.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use network::Network;
use tests::session::Session;
use tests::{Api, Site, doorstroom, run};

const HOUSE: &str = "urn:nld:kvknr:00000003:systeem:ecd";
const SOURCES: &str = r#"{
    "urn:nld:kvknr:00000003:systeem:ecd": {"kind": "location", "name": "zk23-de-linde", "region": "zk23"}
}"#;

/// How long it may take until a head of the log is signed: the node does it every ten seconds.
const SIGNED_WITHIN: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_from_the_page_is_checked_as_the_page_says_and_of_a_changed_event_it_fails() {
    let site = Site::new(&Network::from_sources("own.json", SOURCES).unwrap());
    let node = site.up();
    Api::new(&node, HOUSE).opens("zk23", "zk23-de-linde", &["1", "2"]);
    site.account("toezicht", &["--auditor", "supervisor", "--region", "zk23"]);
    let auditor = Session::sign_in(node.address(), "toezicht").await;
    let path = "/audit/gebeurtenis/2";
    let until = tokio::time::Instant::now() + SIGNED_WITHIN;
    let page = loop {
        let page = auditor.page(path).await;
        if page.contains("/bewijs\"") {
            break page;
        }
        assert!(tokio::time::Instant::now() < until, "no head was signed: {page}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(page.contains("bed.added"), "{page}");
    let proof = auditor.get(&format!("{path}/bewijs")).await;
    assert_eq!(proof.status, 200);
    let named = proof.header("content-disposition").unwrap().split('"').nth(1).unwrap();

    let key = auditor.get("/audit/log.vkey").await;
    assert_eq!(
        key.body,
        fs::read_to_string(node.data().join("log.vkey")).unwrap(),
        "the key that is handed over"
    );
    assert!(page.contains("href=\"/audit/log.vkey\"") && page.contains(key.body.trim_end()), "{page}");
    // Elsewhere, with the two files of the page, and the command that it shows.
    assert!(node.sigterm().success());
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(named), &proof.body).unwrap();
    fs::write(home.path().join("log.vkey"), &key.body).unwrap();
    let shown = page.split("<code>doorstroom audit check ").nth(1).unwrap().split("</code>").next().unwrap();
    let check = || {
        let mut command = std::process::Command::new(doorstroom());
        run(command.args(["audit", "check"]).args(shown.split(' ')).current_dir(home.path()), b"")
    };
    let proven = check().ok();
    assert!(proven.contains("position 2") && proven.contains("bed.added"), "{proven}");
    let leaf = page.split("au-hash\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(proven.contains(&format!("fingerprint in the log {leaf}")), "{leaf}: {proven}");

    let line = proof.body.lines().find(|line| line.starts_with("extra ")).unwrap();
    let mut record = STANDARD.decode(line.trim_start_matches("extra ")).unwrap();
    let bed = record.windows(10).position(|bytes| bytes == br#""bed":"1","#).unwrap();
    *record.get_mut(bed + 7).unwrap() = b'2';
    let changed = proof.body.replace(line, &format!("extra {}", STANDARD.encode(record)));
    fs::write(home.path().join(named), changed).unwrap();
    let refused = check();
    assert_eq!(refused.code, Some(3), "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stdout.is_empty(), "{}", refused.stdout);
}
