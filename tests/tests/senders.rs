//! Senders against a guarded node: each with its own key, signed where that is asked, from an outbox that survives.
//!
//! Not here: the outbox against a broker alone (`bus`), who may what (`rights`).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use network::{Account, Network};
use serde_json::Value;
use tests::{Node, Ran, Reference, Site, reference};

/// The source that has to sign in these tests.
const SIGNER: &str = "urn:nld:kvknr:76849911:systeem:ecd";

/// A region's day, in which one source has to sign; the file of its events.
fn day() -> (Reference, Site, PathBuf) {
    let data = reference("region-day");
    let text = data.network.to_toml();
    let line = format!("id = \"{SIGNER}\"\n");
    assert_eq!(text.matches(&line).count(), 1);
    let strict = text.replace(&line, &format!("{line}signature = \"required\"\n"));
    let site = Site::new(&Network::from_toml("network.toml", &strict).unwrap());
    let file = site.folder().join("day.jsonl");
    fs::write(&file, data.lines()).unwrap();
    (data, site, file)
}

/// The reports of a send, whatever its exit.
fn reports(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outcomes(ran: &Ran, outcome: &str) -> usize {
    reports(ran).iter().filter(|report| report["outcome"] == outcome).count()
}

/// The recorded events, in their order.
fn stored(site: &Site) -> Vec<Value> {
    let records = site.run(["audit", "replay"]).json_lines();
    records.into_iter().map(|mut record| record["event"].take()).collect()
}

/// Everything is recorded once and in the order of the file; what the signer said has its signature, and nothing else is
/// changed.
fn recorded_once_in_order(site: &Site, data: &Reference) {
    let stored = stored(site);
    assert_eq!(stored.len(), data.events.len());
    for (stored, sent) in stored.into_iter().zip(&data.events) {
        let mut expected: Value = serde_json::from_str(sent).unwrap();
        if expected["source"] == SIGNER {
            assert_eq!(stored["signature"].as_str().unwrap().len(), 86, "{stored}");
            expected["signature"] = stored["signature"].clone();
        }
        assert_eq!(stored, expected);
    }
    let _sound = site.run(["audit", "verify"]).ok();
}

fn key_of(node: &Node, data: &Reference, source: &str) -> PathBuf {
    let source = data.network.source(&source.parse().unwrap()).unwrap();
    node.key(&Account::Region(source.region.clone()), source.name.as_str())
}

#[test]
fn each_sends_as_itself_and_signs_where_it_has_to_and_a_forged_or_missing_signature_is_kept_aside() {
    let (data, site, file) = day();
    let _node = site.up();
    let sent = site.command(["send", "--json"]).arg(&file).output().unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    recorded_once_in_order(&site, &data);

    let theirs = data.events.iter().find(|event| event.contains(SIGNER)).unwrap();
    let mut event: Value = serde_json::from_str(theirs).unwrap();
    // The signature of another event, with a key that is right.
    let stolen = stored(&site).into_iter().rfind(|event| event["source"] == SIGNER).unwrap();
    event["id"] = "019391f2-6f00-7a11-8c11-00000000f001".into();
    event["signature"] = stolen["signature"].clone();
    let forged = site.run_with_input(["send", "-", "--json"], event.to_string().as_bytes());
    assert_eq!((forged.code, reports(&forged)[0]["code"].as_str()), (Some(3), Some("bad_signature")));

    // A program that does not know that it has to sign.
    let lax = site.folder().join("lax.toml");
    fs::write(&lax, data.network.to_toml()).unwrap();
    event.as_object_mut().unwrap().remove("signature");
    let arguments = ["send", "-", "--json", "--network", lax.to_str().unwrap()];
    let unsigned = site.run_with_input(arguments, event.to_string().as_bytes());
    assert_eq!((unsigned.code, reports(&unsigned)[0]["code"].as_str()), (Some(3), Some("bad_signature")));
    let _signed = site.run_with_input(["send", "-"], event.to_string().as_bytes()).ok();
}

#[test]
fn an_outbox_outlives_its_sends_and_days_without_a_node_and_everything_is_recorded_once_in_order() {
    let (data, site, file) = day();
    // A first life makes the keys; then the node is down.
    let node = site.up();
    let bus = node.bus().to_owned();
    assert!(node.sigterm().success());
    let (keys, network) = (site.data().join("keys"), site.network_file());
    let (outbox, ca) = (site.folder().join("outbox"), keys.join("ca.pem"));
    let [keys, network, outbox, ca, file] =
        [&keys, &network, &outbox, &ca, &file].map(|path| path.to_str().unwrap());
    let away = ["--bus", &bus, "--creds", keys, "--ca", ca, "--network", network];
    let send = ["send", "--json", "--outbox", outbox];
    let waiting = site.run(send.into_iter().chain(away).chain(["--give-up-after", "1", file]));
    let told = waiting.refused();
    assert!(told.contains("848 events wait"), "{told}");

    let _node = site.up();
    for receipts in [1, 20, 40] {
        let mut sending = site.command(send).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(sending.stdout.take().unwrap()).lines();
        for _ in 0..receipts {
            let _receipt = lines.next().unwrap().unwrap();
        }
        sending.kill().unwrap();
        sending.wait().unwrap();
    }
    let rest = site.run(send);
    assert_eq!(rest.code, Some(0), "{rest:?}");
    assert!(outcomes(&rest, "recorded") > 0, "it was killed at its work");
    recorded_once_in_order(&site, &data);

    let again = site.run(send.into_iter().chain(["--resend"]));
    assert_eq!((again.code, outcomes(&again, "duplicate")), (Some(0), data.events.len()), "{}", again.stderr);
    recorded_once_in_order(&site, &data);
}

#[test]
fn who_has_no_key_is_told_and_holds_nobody_up_and_goes_on_when_the_key_is_there() {
    let (data, site, file) = day();
    let node = site.up();
    let (key, away) = (key_of(&node, &data, SIGNER), site.folder().join("away.nk"));
    fs::rename(&key, &away).unwrap();
    let outbox = site.folder().join("outbox");
    let [file, outbox] = [&file, &outbox].map(|path| path.to_str().unwrap());
    let theirs = data.events.iter().filter(|event| event.contains(SIGNER)).count();
    let others = data.events.len() - theirs;

    let sent = site.run(["send", "--json", "--outbox", outbox, file]);
    assert_eq!((sent.code, outcomes(&sent, "recorded")), (Some(3), others), "{}", sent.stderr);
    let told = reports(&sent);
    let told: Vec<&Value> = told.iter().filter(|report| report["outcome"] == "not-sent").collect();
    assert_eq!(told.len(), theirs);
    assert!(told[0]["reason"].as_str().unwrap().contains("the key in"), "{}", told[0]);
    // Without an outbox it is the same, but that nothing waits.
    let plain = site.run(["send", "--json", file]);
    assert_eq!((outcomes(&plain, "duplicate"), outcomes(&plain, "not-sent")), (others, theirs));

    fs::rename(&away, &key).unwrap();
    let rest = site.run(["send", "--json", "--outbox", outbox]);
    assert_eq!((rest.code, outcomes(&rest, "recorded")), (Some(0), theirs), "{}", rest.stderr);
    let ids = |events: Vec<Value>| -> Vec<String> {
        let theirs = events.into_iter().filter(|event| event["source"] == SIGNER);
        theirs.map(|event| event["id"].to_string()).collect()
    };
    let sent = data.events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert_eq!(ids(stored(&site)), ids(sent), "in its own order");
}
