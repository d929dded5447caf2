//! What was kept aside, as an operator sees it and decides on it, on a guarded bus.

use serde_json::Value;
use tests::{Site, reference};

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
