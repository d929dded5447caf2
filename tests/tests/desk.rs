//! The desk of a running node, as a person in a terminal and a stranger's tool find it.
//!
//! Not here: the API's answers one by one (`portal`), the rules (`domain`).
#![expect(clippy::unwrap_used, reason = "test code: what cannot be unwrapped is the failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use network::Network;
use serde_json::Value;
use tests::{Node, Ran, Site, api_python, doorstroom, eventually, in_minutes, run};

/// How long a change of who takes part may take to count: the node looks every second.
const TAKEN_IN_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// What schemathesis tries of each act and question beside one example and what covers each field: a few by chance, so that
/// the test takes two minutes.
const EXAMPLES: &str = "4";

const SOURCES: &str = r#"{
    "urn:nld:kvknr:00000001:systeem:loket": {"kind": "desk", "name": "loket-zk23", "region": "zk23"},
    "urn:nld:kvknr:00000002:systeem:loket": {"kind": "desk", "name": "loket-zk07", "region": "zk07"},
    "urn:nld:kvknr:00000003:systeem:ecd": {"kind": "location", "name": "zk23-de-linde", "region": "zk23"},
    "urn:nld:kvknr:00000004:systeem:ecd": {"kind": "location", "name": "zk23-de-beuk", "region": "zk23"}
}"#;

/// A node with a house of two beds.
struct Desk {
    site: Site,
    node: Node,
}

impl Desk {
    fn start() -> Self {
        let site = Site::new(&Network::from_sources("own.json", SOURCES).unwrap());
        let node = site.up();
        let desk = Self { site, node };
        let send = |lines: String| desk.site.run_with_input(["send", "-"], lines.as_bytes()).ok();
        send(house("zk23-de-linde", 2));
        send(house("zk23-de-beuk", 1));
        desk
    }

    /// `doorstroom desk <words> --data …`.
    fn run(&self, words: &[&str]) -> Ran {
        self.site.run([&["desk"], words].concat())
    }

    /// What it prints for programs.
    fn json(&self, words: &[&str]) -> Value {
        let mut answers = self.run(&[words, &["--json"]].concat()).json_lines();
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }
}

/// The events with which a house of so many free beds takes part.
fn house(house: &str, beds: u32) -> String {
    let source = Network::from_sources("own.json", SOURCES).unwrap();
    let source = source.sources().find(|source| source.name.as_str() == house).unwrap().id.to_string();
    let event = |kind: &str, subject: &str, data: &str| {
        let id = uuid::Uuid::now_v7();
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"nl.doorstroom.{kind}.v1","time":"2026-11-22T10:30:00.000Z","subject":"{subject}","datacontenttype":"application/json","region":"zk23","data":{{"occurred_at":"2026-11-22T10:30:00.000Z","location":"{house}"{data}}}}}"#
        ) + "\n"
    };
    let mut lines = event(
        "location.registered",
        house,
        r#","provider":"p","name":"Het huis","mode":"beds","care_types":["ELV_LC"],"phone":"030 000 0000""#,
    );
    for bed in 1..=beds {
        let data = format!(r#","bed":"{bed}","care_types":["ELV_LC"]"#);
        lines += &event("bed.added", &format!("{house}/{bed}"), &data);
    }
    lines
}

#[test]
fn from_the_first_call_to_the_way_home_in_a_terminal() {
    let desk = Desk::start();
    let of_desk = |words: &[&str]| desk.json(&[&["--region", "zk23"], words].concat());
    let of_house = |words: &[&str]| desk.json(&[&["--as", "zk23-de-linde"], words].concat());
    let made = of_desk(&[
        "refer",
        "--origin",
        "gp",
        "--urgency",
        "crisis",
        "--care-type",
        "ELV_LC",
        "--area",
        "35",
        "--consent",
    ]);
    let referral = made["referral"].as_str().unwrap();
    let work = of_desk(&["worklist"]);
    assert!(work.to_string().contains(referral), "{work}");
    let matched = of_desk(&["match", referral]);
    assert_eq!(matched["candidates"].as_array().unwrap().len(), 2, "{matched}");
    of_desk(&["offer", referral, "--to", "zk23-de-linde", "--to", "zk23-de-beuk"]);
    let told = desk.run(&["--region", "zk23", "accept", referral, "zk23-de-linde", "--lang", "nl"]);
    assert_eq!(told.code, Some(3), "{}", told.stderr);
    assert!(told.stderr.contains("Leg vast met wie van de locatie is gesproken"), "{}", told.stderr);
    of_desk(&["accept", referral, "zk23-de-linde", "--bed", "2", "--spoken-with", "nurse"]);
    of_desk(&["arrive", referral, "zk23-de-linde", &in_minutes(60)]);
    let admitted = of_house(&["admit", "zk23-de-linde/2", "--care-type", "ELV_LC", "--referral", referral]);
    let stay = admitted["stay"].as_str().unwrap();
    of_house(&["plan", stay, "care-at-home=open", "--expected", "2030-01-09T10:00:00+01:00"]);
    of_house(&["wait", stay, "home-care"]);
    of_house(&["discharge", stay, "home-with-care", "--ready"]);
    of_desk(&["contact", "gp", "--minutes", "6", "--referral", referral]);
    of_house(&["stop", "zk23-de-linde", "infection"]);
    of_house(&["resume", "zk23-de-linde"]);
    of_house(&["bed", "zk23-de-linde/2", "freed"]);
    let shown = desk.run(&["--region", "zk23", "show", referral, "--lang", "nl"]).ok();
    assert!(shown.contains("ended: admitted") && shown.contains("zk23-de-linde"), "{shown}");
    // Another desk hears nothing, and what is not there sounds the same.
    for unknown in [referral, "019391f2-6f00-7a11-8c11-0d2f7a3b9c01"] {
        let told = desk.run(&["--region", "zk07", "show", unknown]);
        assert_eq!((told.code, told.stderr.contains("not-there")), (Some(3), true), "{}", told.stderr);
    }
}

#[test]
fn a_token_works_from_another_machine_until_it_is_revoked_and_is_in_no_log() {
    let desk = Desk::start();
    let file = desk.site.folder().join("loket.token");
    let path = file.to_str().unwrap();
    let made = desk.site.run(["admin", "token", "add", "loket-zk23", "--to", path, "--json"]).json_lines();
    let worklist = || {
        let mut command = Command::new(doorstroom());
        command.args(["desk", "--node", desk.node.http(), "--token-file", path, "worklist", "--of", "zk23"]);
        run(command.current_dir(desk.site.folder()), b"").code
    };
    eventually("the node knows the token", TAKEN_IN_WITHIN, || (worklist() == Some(0)).then_some(()));
    let id = made.first().and_then(|made| made["id"].as_str()).unwrap().to_owned();
    let _ = desk.site.run(["admin", "token", "revoke", &id]).ok();
    eventually("the node forgets the token", TAKEN_IN_WITHIN, || (worklist() == Some(3)).then_some(()));
    let operator = desk.node.data().join("operator.token");
    assert_eq!(fs::metadata(&operator).unwrap().permissions().mode() & 0o777, 0o600);
    for secret in [fs::read_to_string(&file).unwrap(), fs::read_to_string(&operator).unwrap()] {
        assert!(secret.starts_with("dst_") && !desk.site.log().contains(secret.trim()));
    }
}

#[test]
fn a_strangers_tool_finds_no_broken_and_no_undocumented_answer_in_the_api() {
    let desk = Desk::start();
    let token = fs::read_to_string(desk.node.data().join("operator.token")).unwrap();
    for source in ["urn:nld:kvknr:00000001:systeem:loket", "urn:nld:kvknr:00000003:systeem:ecd"] {
        let mut command = Command::new(api_python());
        command
            .args(["-m", "schemathesis.cli", "run"])
            .arg(format!("{}/api/v1/openapi.json", desk.node.http()));
        command.args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"]);
        command.args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            EXAMPLES,
            "--seed",
            "1",
            // Of one thread: with two it sometimes fails within itself.
            "--workers",
            "1",
        ]);
        // The stream of events has no end.
        command.args(["--exclude-path-regex", "/events$", "--no-color", "--warnings", "off"]);
        command.args(["--suppress-health-check", "all", "--request-timeout", "20"]);
        command.args(["-H", &format!("Authorization: Bearer {}", token.trim())]);
        command.args(["-H", &format!("Doorstroom-As: {source}")]);
        let ran = run(command.current_dir(desk.site.folder()), b"");
        assert_eq!(ran.code, Some(0), "as {source}:\n{}\n{}", ran.stdout, ran.stderr);
    }
    assert_eq!(desk.node.get("/readyz").0, 200);
}
