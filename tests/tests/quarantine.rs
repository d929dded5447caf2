//! What was kept aside, as an operator sees it and decides on it, on a guarded bus.

use std::fs;
use std::time::Duration;

use network::Network;
use serde_json::Value;
use tests::{Site, eventually, reference};

/// How long a node may take to take up a change of its network file.
const TAKEN_UP_WITHIN: Duration = Duration::from_mins(1);

#[test]
fn an_operator_lists_shows_refuses_and_discards_what_was_kept_aside() {
    let data = reference("region-day");
    let site = Site::new(&data.network);
    let node = site.up();
    let first: Value = serde_json::from_str(data.lines().lines().next().unwrap()).unwrap();
    let mut strange = first;
    strange["type"] = "nl.doorstroom.bed.painted.v1".into();
    strange["data"]["colour"] = "a-word-nobody-should-see-unasked".into();
    let line = serde_json::to_string(&strange).unwrap();
    let sent = site.run_with_input(["send", "-"], line.as_bytes());
    assert_eq!(sent.code, Some(3), "{sent:?}");

    let listed = site.run(["quarantine", "list", "--json"]).ok();
    let kept: Value = serde_json::from_str(listed.trim()).unwrap();
    assert_eq!((kept["code"].as_str(), kept["state"].as_str()), (Some("unknown_type"), Some("open")));
    let position = kept["position"].to_string();
    let shown = site.run(["quarantine", "show", &position]).ok();
    assert!(shown.contains("unknown_type") && !shown.contains("a-word-nobody"), "{shown}");
    let raw = site.run(["quarantine", "show", &position, "--raw"]).ok();
    assert_eq!(raw, line, "the bytes as they came");

    let released = site.run(["quarantine", "release", &position, "--by", "j.smit"]);
    assert_eq!(released.code, Some(3), "{released:?}");
    let unexplained = site.run(["quarantine", "discard", &position, "--by", "j.smit"]);
    assert_eq!(unexplained.code, Some(2), "{unexplained:?}");
    let discard = ["quarantine", "discard", &position, "--by", "j.smit", "--reason", "a test", "--json"];
    let discarded = site.run(discard).ok();
    assert_eq!(site.run(discard).ok(), discarded, "asked twice, answered the same");

    assert_eq!(site.run(["quarantine", "list"]).ok().trim(), "nothing waits in quarantine");
    let all = site.run(["quarantine", "list", "--all", "--json"]).ok();
    let kept: Value = serde_json::from_str(all.trim()).unwrap();
    assert_eq!(
        (kept["state"].as_str(), kept["by"].as_str(), kept["reason"].as_str()),
        (Some("discarded"), Some("j.smit"), Some("a test"))
    );
    assert!(node.sigterm().success());
    let _sound = site.run(["audit", "verify"]).ok();
}

#[test]
fn a_location_the_registry_lacked_is_added_and_what_it_said_is_released_as_the_event_it_is() {
    let data = reference("region-day");
    let complete = data.network.to_toml();
    // As if somebody had forgotten whose beds this source speaks of.
    let source = "name = \"zk01-de-linde\"\nkind = \"location\"\nregion = \"zk01\"\nlocations = [\"*\"]\n";
    assert_eq!(complete.matches(source).count(), 1);
    let lacking = complete.replace(source, &source.replace('*', "zk01-elders"));
    let site = Site::new(&Network::from_toml("network.toml", &lacking).unwrap());
    let node = site.up();
    let event = data.events.first().unwrap();
    let sent = site.run_with_input(["send", "-", "--mailbox"], event.as_bytes());
    assert_eq!(sent.code, Some(3), "{sent:?}");
    let kept: Value = serde_json::from_str(site.run(["quarantine", "list", "--json"]).ok().trim()).unwrap();
    assert_eq!(kept["code"], "not_your_bed");
    let position = kept["position"].to_string();
    let shown = site.run(["quarantine", "show", &position]).ok();
    for (name, value) in [("region", "zk01"), ("sender", "zk01-de-linde"), ("came by", "mailbox, number 1")] {
        let line = shown.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        assert!(line.ends_with(value), "{name}: {shown}");
    }

    // The keys that the node made are in the file: only that one line changes.
    let file = fs::read_to_string(site.network_file()).unwrap();
    fs::write(site.network_file(), file.replace("zk01-elders", "zk01-de-linde")).unwrap();
    let release =
        ["quarantine", "release", &position, "--by", "j.smit", "--reason", "the file lacked it", "--json"];
    let released = eventually("release", TAKEN_UP_WITHIN, || {
        let ran = site.run(release);
        // Until the node knows the change it is refused, and nothing changes.
        assert!(ran.code == Some(0) || ran.stdout.contains("not_your_bed"), "{ran:?}");
        (ran.code == Some(0)).then(|| serde_json::from_str::<Value>(ran.stdout.trim()).unwrap())
    });
    assert_eq!(released["outcome"], "released", "{released}");
    let events = site.run(["audit", "replay", "--after", &position]).json_lines();
    let recorded = events.iter().find(|record| record["position"] == released["event_position"]).unwrap();
    assert_eq!(recorded["event"], serde_json::from_str::<Value>(event).unwrap());
    let all: Value =
        serde_json::from_str(site.run(["quarantine", "list", "--all", "--json"]).ok().trim()).unwrap();
    assert_eq!(
        (all["state"].as_str(), all["by"].as_str(), all["reason"].as_str()),
        (Some("released"), Some("j.smit"), Some("the file lacked it"))
    );
    let told = site.run(["quarantine", "release", &position, "--by", "p.bakker"]).ok();
    assert!(told.contains("released by j.smit"), "asked again, by whomever, it is what it was: {told}");
    let again: Value =
        serde_json::from_str(site.run_with_input(["send", "-", "--json"], event.as_bytes()).ok().trim())
            .unwrap();
    assert_eq!(again["outcome"], "duplicate", "the event is there");
    assert!(node.sigterm().success());
    let _sound = site.run(["audit", "verify"]).ok();
}
