//! What every command promises without a node: help with an example, exit codes, one sentence on failure.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use domain::{
    AgeBand, CareType, ClosedReason, DeclineCode, Destination, Origin, Role, StopReason, Urgency, WaitingFor,
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/region-day.sources.json");
const DAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/region-day.jsonl");

fn doorstroom(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorstroom"))
        .args(args)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Fails with this exit code, one sentence on standard error, nothing on standard output.
fn fails(args: &[&str], code: i32) -> String {
    let output = doorstroom(args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert_eq!(stdout(&output), "", "{args:?}");
    assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
    assert!(said.starts_with("doorstroom: "), "{args:?}: {said}");
    said
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        &[][..],
        &["up"],
        &["send"],
        &["board"],
        &["watch", "availability"],
        &["watch", "events"],
        &["watch", "alerts"],
        &["quarantine", "list"],
        &["quarantine", "show"],
        &["quarantine", "release"],
        &["quarantine", "discard"],
        &["audit", "verify"],
        &["audit", "replay"],
        &["audit", "as-of"],
        &["audit", "proof"],
        &["audit", "check"],
        &["audit", "heads"],
        &["audit", "archive"],
        &["admin", "network", "init"],
        &["admin", "network", "add-region"],
        &["admin", "network", "add-location"],
        &["admin", "network", "add-centre"],
        &["admin", "network", "rotate"],
        &["admin", "network", "revoke"],
        &["admin", "network", "hand-out"],
        &["admin", "network", "show"],
        &["admin", "network", "from-sources"],
        &["admin", "network", "check"],
    ] {
        let output = doorstroom(&[command, &["--help"]].concat());
        let help = stdout(&output);
        assert!(output.status.success(), "{command:?}");
        let example = help.split_once("Example").map(|(_, example)| example).unwrap_or_default();
        let called = ["doorstroom"].into_iter().chain(command.iter().copied()).collect::<Vec<_>>().join(" ");
        assert!(example.contains(&called), "{command:?}: {help}");
    }
}

#[test]
fn the_help_of_a_word_that_takes_codes_lists_all_that_the_domain_knows() {
    let lists: [(&str, &[&[&str]]); 14] = [
        (
            "refer",
            &[
                Origin::KNOWN,
                Urgency::KNOWN,
                CareType::KNOWN,
                AgeBand::KNOWN,
                domain::Feature::KNOWN,
                domain::Purpose::KNOWN,
            ],
        ),
        ("triage", &[CareType::KNOWN, Role::KNOWN]),
        ("offer", &[CareType::KNOWN]),
        ("accept", &[Role::KNOWN]),
        ("decline", &[DeclineCode::KNOWN, Role::KNOWN]),
        ("admit", &[CareType::KNOWN]),
        ("wait", &[WaitingFor::KNOWN]),
        ("plan", &[domain::PlanItem::KNOWN, domain::ItemState::KNOWN]),
        ("discharge", &[Destination::KNOWN]),
        ("raise", &[domain::RaisedTo::KNOWN]),
        ("withdraw", &[domain::WithdrawnReason::KNOWN]),
        ("divert", &[domain::DivertedReason::KNOWN]),
        ("stop", &[StopReason::KNOWN]),
        ("bed", &[ClosedReason::KNOWN]),
    ];
    for (word, lists) in lists {
        let help = stdout(&doorstroom(&["desk", word, "--help"]));
        let listed: Vec<&str> =
            help.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).collect();
        for code in lists.iter().copied().flatten() {
            assert!(listed.contains(code), "{word}: {code} in {help}");
        }
    }
    let weighing = stdout(&doorstroom(&["desk", "triage", "--help"]));
    assert!(weighing.contains("desk --region zk23 questions"), "{weighing}");
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_was_wrong() {
    for (args, what) in [
        (&["bord"][..], "bord"),
        (&["board", "--as-of", "sunday"], "not a moment"),
        (&["board", "--region", "ZK 23"], "a-z"),
        (&["audit", "replay", "--type", "bed.fred"], "bed.fred is no event type"),
        (&["audit", "replay", "--from", "2026-03-02"], "RFC 3339"),
        (&["audit", "proof", "0"], "0 is not in 1.."),
        (&["send"], "FILE"),
        (&["watch"], "availability"),
        (&["--log", "bus=loud", "audit", "verify"], "--log"),
    ] {
        let output = doorstroom(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(what), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}

#[test]
fn a_client_without_a_node_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = text(dir.path());
    for args in [
        &["send", DAY, "--data", data][..],
        &["watch", "availability", "--data", data],
        &["watch", "events", "--data", data],
    ] {
        let said = fails(args, 1);
        assert!(said.contains("doorstroom up --data"), "{args:?}: {said}");
    }
}

#[test]
fn reading_a_log_that_is_not_there_names_the_folder_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = text(dir.path());
    for args in [
        &["board", "--data", data][..],
        &["audit", "verify", "--data", data],
        &["audit", "replay", "--data", data],
        &["audit", "as-of", "1", "--data", data],
        &["audit", "archive", "--before", "1", "--data", data],
        &["audit", "archive", "--older-than", "1", "--data", data],
    ] {
        let said = fails(args, 1);
        assert!(said.contains(data) && said.contains("give the folder"), "{args:?}: {said}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn an_archive_asks_which_files_and_wants_one_answer() {
    for which in [&[][..], &["--before", "1", "--older-than", "1"], &["--older-than", "-1"]] {
        let args = [&["audit", "archive"][..], which].concat();
        let output = doorstroom(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains("--before <POSITION>|--older-than <DAYS>"), "{}", stderr(&output));
    }
}

#[test]
fn a_log_is_not_mended_with_a_copy_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    let said = fails(&["audit", "repair", "--data", text(dir.path()), "--from", text(&copy)], 1);
    assert!(said.contains("no copy of a log in") && said.contains(text(&copy)), "{said}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is made");
}

#[test]
fn a_network_made_from_sources_passes_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let network = dir.path().join("network.toml");
    let made = doorstroom(&["admin", "network", "from-sources", SOURCES, "--out", text(&network)]);
    assert!(made.status.success(), "{}", stderr(&made));
    let checked = doorstroom(&["admin", "network", "check", text(&network)]);
    assert!(checked.status.success(), "{}", stderr(&checked));
    assert!(stdout(&checked).contains("9 sources"), "{}", stdout(&checked));
    let printed = doorstroom(&["admin", "network", "from-sources", SOURCES]);
    assert_eq!(stdout(&printed).trim_end(), fs::read_to_string(&network).unwrap().trim_end());
}

#[test]
fn an_error_in_a_network_file_has_its_line_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let network = dir.path().join("network.toml");
    fs::write(&network, "[[region]]\ncode = \"zk23\"\nnaam = \"Utrecht\"\n").unwrap();
    let said = fails(&["admin", "network", "check", text(&network)], 1);
    assert!(said.contains("network.toml:3") && said.contains("naam"), "{said}");
}

#[test]
fn events_are_not_sent_when_there_is_no_file_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let network = dir.path().join("network.toml");
    doorstroom(&["admin", "network", "from-sources", SOURCES, "--out", text(&network)]);
    let missing = dir.path().join("events.jsonl");
    let bus = "nats://127.0.0.1:1";
    let said = fails(&["send", text(&missing), "--bus", bus, "--network", text(&network)], 1);
    assert!(said.contains("events.jsonl"), "{said}");
}

#[test]
fn a_line_that_can_not_be_sent_is_told_with_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let network = dir.path().join("network.toml");
    doorstroom(&["admin", "network", "from-sources", SOURCES, "--out", text(&network)]);
    let events = dir.path().join("events.jsonl");
    fs::write(&events, "\n{\"id\":\"1\",\"source\":\"urn:unknown\"}\nno event\n").unwrap();
    let bus = "nats://127.0.0.1:1";
    let args =
        ["send", text(&events), "--bus", bus, "--network", text(&network), "--give-up-after", "1", "--json"];
    let output = doorstroom(&args);
    let lines: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{}", stderr(&output));
    assert_eq!((&lines[0]["line"], &lines[0]["outcome"]), (&2.into(), &"not-sent".into()));
    assert!(lines[0]["reason"].as_str().unwrap().contains("urn:unknown"));
    assert_eq!((&lines[1]["line"], &lines[1]["outcome"]), (&3.into(), &"not-sent".into()));
}

#[test]
fn a_broker_that_is_not_there_is_a_failure_after_the_time_given() {
    let dir = tempfile::tempdir().unwrap();
    let network = dir.path().join("network.toml");
    doorstroom(&["admin", "network", "from-sources", SOURCES, "--out", text(&network)]);
    let bus = "nats://127.0.0.1:1";
    let args = ["send", DAY, "--bus", bus, "--network", text(&network), "--give-up-after", "1", "--json"];
    let said = fails(&args, 1);
    assert!(said.contains("gave up"), "{said}");
    let said = fails(&["watch", "events", "--bus", bus], 1);
    assert!(said.contains(bus), "{said}");
}

#[test]
fn a_node_that_does_not_answer_is_named() {
    let said = fails(&["board", "--node", "http://127.0.0.1:1"], 1);
    assert!(said.contains("http://127.0.0.1:1"), "{said}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorstroom"))
        .args(["admin", "network", "from-sources", SOURCES])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
}
