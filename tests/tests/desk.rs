//! The desk of a running node, as a person in a terminal and a stranger's tool find it.
//!
//! Not here: the API's answers one by one (`portal`), the rules (`domain`).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: what cannot be unwrapped or is not there is the failed test"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use network::Network;
use serde_json::Value;
use tests::{Node, Ran, Site, api_python, doorstroom, eventually, in_minutes, run};

/// How long a change of who takes part may take to count: the node looks every second.
const TAKEN_IN_WITHIN: std::time::Duration = std::time::Duration::from_mins(1);

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
    of_house(&["plan", stay, "care-at-home=open", "--expected", &in_minutes(5 * 24 * 60)]);
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
fn whoever_weighs_reads_the_questions_first_in_the_language_of_the_terminal() {
    let desk = Desk::start();
    let of_desk = |words: &[&str]| desk.run(&[&["--region", "zk23"], words].concat());
    let shown = of_desk(&["questions", "--lang", "nl"]).ok();
    let specialist = "specialist      Is medisch-specialistische zorg nodig?";
    assert!(shown.starts_with("afweging-1:\nquestion"), "{shown}");
    assert!(shown.contains(specialist) && shown.contains("HOSPITAL") && shown.contains("asks on"), "{shown}");
    assert!(of_desk(&["questions", "--lang", "en"]).ok().contains("Is specialist care needed?"));
    // What was read is enough to weigh at once.
    let asked = desk.json(&["--region", "zk23", "questions"]);
    let used = &asked["instruments"][0];
    let answers: Vec<String> = used["questions"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| ["--answer".to_owned(), format!("{}=no", one["id"].as_str().unwrap())])
        .collect();
    let made = desk.json(&[
        "--region",
        "zk23",
        "refer",
        "--origin",
        "gp",
        "--urgency",
        "urgent",
        "--area",
        "35",
        "--consent",
    ]);
    let triage =
        ["triage", made["referral"].as_str().unwrap(), "--instrument", used["instrument"].as_str().unwrap()];
    let words: Vec<&str> = triage.into_iter().chain(answers.iter().map(String::as_str)).collect();
    assert!(of_desk(&words).ok().starts_with("recorded at position"));
    let told = desk.run(&["--as", "zk23-de-linde", "questions", "--of", "zk23"]);
    assert_eq!(told.code, Some(3), "{}", told.stderr);
}

#[test]
fn after_a_promise_a_person_hears_what_is_kept_until_when_and_who_was_told() {
    let desk = Desk::start();
    let of_desk = |words: &[&str]| desk.run(&[&["--region", "zk23"], words].concat()).ok();
    let refers = |urgency: &str, more: &[&str]| {
        let words =
            ["--region", "zk23", "refer", "--origin", "gp", "--urgency", urgency, "--care-type", "ELV_LC"];
        let made = desk.json(&[&words, &["--consent", "--not-a-double"][..], more].concat());
        made["referral"].as_str().unwrap().to_owned()
    };
    // In a crisis the first yes wins.
    let crisis = refers("crisis", &[]);
    of_desk(&["offer", &crisis, "--to", "zk23-de-linde", "--to", "zk23-de-beuk"]);
    let told = of_desk(&["accept", &crisis, "zk23-de-linde", "--bed", "2", "--spoken-with", "nurse"]);
    let (linde, beuk) = ("Het huis (zk23-de-linde)", "Het huis (zk23-de-beuk)");
    assert!(told.contains(&format!("kept: {linde}, bed 2, until 20")), "{told}");
    assert!(told.contains("chosen: the first yes wins"), "{told}");
    assert!(told.contains(&format!("told that they are asked no longer: {beuk}")), "{told}");
    let arrives = of_desk(&["arrive", &crisis, "zk23-de-linde", &in_minutes(60)]);
    assert!(arrives.contains(&format!("kept: {linde}, bed 2, until 20")), "{arrives}");
    assert!(!arrives.contains("told"), "{arrives}");
    // The names of houses stand in the tables, with the ids that are typed.
    assert!(of_desk(&["show", &crisis]).contains(linde));
    assert!(of_desk(&["admittable"]).contains(beuk));
    // What is planned is chosen among those that promised; a location hears of its own place alone.
    let planned = refers("planned", &["--area", "36"]);
    let instrument = desk.json(&["--region", "zk23", "questions"])["instruments"][0].clone();
    let mut weighs = vec!["triage", &*planned, "--instrument", instrument["instrument"].as_str().unwrap()];
    weighs.extend(["--answer", "specialist=no", "--answer", "psychiatric=no", "--answer", "wlz=no"]);
    weighs.extend(["--answer", "stay=yes", "--answer", "palliative=no", "--answer", "rehabilitation=no"]);
    weighs.extend(["--answer", "unclear=no", "--answer", "interacting=no"]);
    of_desk(&weighs);
    of_desk(&["offer", &planned, "--to", "zk23-de-linde", "--to", "zk23-de-beuk"]);
    let own = desk.json(&["--as", "zk23-de-linde", "accept", &planned, "zk23-de-linde", "--bed", "1"]);
    assert_eq!((&own["kept"][0]["place"]["bed"], &own["chosen"]), (&"1".into(), &false.into()), "{own}");
    assert_eq!(
        (&own["told"], &own["contradictions"]),
        (&serde_json::json!([]), &serde_json::json!([])),
        "{own}"
    );
    let chosen = of_desk(&["choose", &planned, "zk23-de-linde"]);
    assert!(chosen.contains(&format!("kept: {linde}, bed 1, until 20")), "{chosen}");
    assert!(chosen.contains(&format!("told that they are asked no longer: {beuk}")), "{chosen}");
}

#[test]
fn what_does_not_fit_because_of_an_act_is_told_at_once_and_what_is_said_again_is_no_news() {
    let desk = Desk::start();
    let of_house = |words: &[&str]| desk.run(&[&["--as", "zk23-de-linde"], words].concat());
    let admitted = desk.json(&["--as", "zk23-de-linde", "admit", "zk23-de-linde/1", "--care-type", "ELV_LC"]);
    assert_eq!(admitted["contradictions"], serde_json::json!([]), "{admitted}");
    let freed = of_house(&["bed", "zk23-de-linde/1", "freed", "--lang", "nl"]);
    assert_eq!(freed.code, Some(0), "{}", freed.stderr);
    let odd = "doorstroom: recorded, but it does not fit: Een bezet bed is vrijgemeld. (Het huis (zk23-de-linde), bed 1; \
               freed-occupied)";
    assert!(
        freed.stdout.starts_with("recorded at position") && freed.stderr.contains(odd),
        "{}",
        freed.stderr
    );
    let vacated = of_house(&["bed", "zk23-de-linde/1", "vacated"]);
    assert_eq!(
        (vacated.code, vacated.stderr.as_str()),
        (Some(0), ""),
        "what was odd before is not told again"
    );
    // The desk hears the same, and a program reads it.
    let removed = desk.json(&["--region", "zk23", "bed", "zk23-de-linde/9", "freed"]);
    assert_eq!(removed["contradictions"][0]["code"], "unknown-bed", "{removed}");
    let stay = desk.json(&["--as", "zk23-de-linde", "admit", "zk23-de-linde/2", "--care-type", "ELV_LC"]);
    let stay = stay["stay"].as_str().unwrap();
    for words in [&["wait", stay, "home-care"][..], &["stop", "zk23-de-linde", "infection", "--ward", "Zuid"]]
    {
        assert!(of_house(words).ok().starts_with("recorded at position"), "{words:?}");
        assert_eq!(of_house(words).ok().trim_end(), "nothing to record: it is so already", "{words:?}");
    }
    let wrong = desk.json(&[
        "--region",
        "zk23",
        "refer",
        "--origin",
        "gp",
        "--urgency",
        "crisis",
        "--care-type",
        "ELV_LC",
        "--consent",
    ]);
    let referral = wrong["referral"].as_str().unwrap();
    let refused = desk.run(&["--region", "zk23", "offer", referral, "--to", "zk23-de-linde/99"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("unknown-bed"), "{}", refused.stderr);
    let flow = || desk.run(&["--region", "zk23", "flow"]).ok();
    let flow = eventually("the flow follows", TAKEN_IN_WITHIN, || {
        Some(flow()).filter(|shown| shown.contains("Het huis (zk23-de-linde)"))
    });
    assert!(flow.contains("occupied, waiting: of all together") && !flow.contains("histogram"), "{flow}");
}

/// What an example of this schema looks like, as it is typed.
fn example(document: &Value, schema: &Value) -> Typed {
    let referred =
        schema["$ref"].as_str().map(|name| document.pointer(name.trim_start_matches('#')).unwrap());
    let schema = referred.unwrap_or(schema);
    if let Some(first) = schema["enum"].as_array().map(|codes| &codes[0]) {
        return Typed::Plain(first.as_str().unwrap().to_owned());
    }
    if schema["properties"].is_object() {
        return Typed::Fields(required(document, schema));
    }
    Typed::Plain(match (schema["type"].as_str().unwrap(), schema["format"].as_str()) {
        ("array", _) => {
            return Typed::Fields(Vec::from([("0".to_owned(), example(document, &schema["items"]))]));
        }
        ("integer", _) => "1".to_owned(),
        ("boolean", _) => "true".to_owned(),
        (_, Some("date-time")) => "now".to_owned(),
        (_, Some("uuid")) => "019391f2-6f00-7a11-8c11-0d2f7a3b9c01".to_owned(),
        _ => match schema["pattern"].as_str() {
            Some(pattern) if pattern.ends_with("[0-5][0-9]$") => "09:00".to_owned(),
            _ => schema["examples"][0].as_str().unwrap_or("x").to_owned(),
        },
    })
}

/// Something that is typed, or parts of it.
enum Typed {
    Plain(String),
    Fields(Vec<(String, Typed)>),
}

impl Typed {
    /// The words of a command line for it.
    fn words(&self, called: &str, words: &mut Vec<String>) {
        match self {
            Self::Plain(value) => words.push(format!("{called}={value}")),
            Self::Fields(fields) => {
                for (name, value) in fields {
                    value.words(&format!("{called}[{name}]"), words);
                }
            }
        }
    }
}

/// Every required field of this schema but ids that the command makes.
fn required(document: &Value, schema: &Value) -> Vec<(String, Typed)> {
    let names = schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
    let fields = names.filter(|name| *name != "id").map(|name| (name, &schema["properties"][name]));
    let typed = fields.map(|(name, schema)| (name.to_owned(), example(document, schema)));
    let made = |typed: &Typed| matches!(typed, Typed::Plain(value) if value.starts_with("019391f2"));
    typed.filter(|(name, typed)| name == "corrects" || !made(typed)).collect()
}

#[test]
fn every_act_and_question_of_the_api_is_reached_in_a_terminal() {
    let desk = Desk::start();
    let document: Value = serde_json::from_str(&desk.node.get("/api/v1/openapi.json").1).unwrap();
    let mut tried = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            if name == "events" {
                // Has no end; below.
                continue;
            }
            let mut words = Vec::new();
            let parts = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "path");
            for part in parts {
                example(&document, &part["schema"]).words(part["name"].as_str().unwrap(), &mut words);
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if body.is_object()
                && let Typed::Fields(fields) = example(&document, body)
            {
                for (name, value) in fields {
                    value.words(&name, &mut words);
                }
            }
            let kind = if method == "post" { "act" } else { "ask" };
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let told = desk.run(&[&["--region", "zk23", kind, name], &*words].concat());
            // Done, answered or refused by the node, and not by the terminal, which would say what is taken.
            let reached = matches!(told.code, Some(0 | 3))
                || told.code == Some(2) && !told.stderr.contains("it takes:");
            assert!(reached, "{name} {words:?}: {:?} {}", told.code, told.stderr);
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
    for (kind, name) in [("act", "makeReferral"), ("ask", "board")] {
        let listed = desk.run(&[kind]).ok();
        assert!(listed.contains(name), "{listed}");
    }
}

#[test]
fn what_has_no_command_of_its_own_is_done_by_its_name_and_shown_for_people() {
    let desk = Desk::start();
    let of_house = |words: &[&str]| desk.run(&[&["--as", "zk23-de-linde"], words].concat()).ok();
    let of_desk = |words: &[&str]| desk.run(&[&["--region", "zk23"], words].concat()).ok();
    let at = "location=zk23-de-linde";
    let added = of_house(&["act", "addBed", at, "bed=14", "facts[care_types][]=GRZ", "facts[ward]=Zuid"]);
    assert!(added.starts_with("recorded at position"), "{added}");
    of_house(&["act", "setIntakeLimit", at, "period=day", "max=2"]);
    of_house(&["confirm", "zk23-de-linde"]);
    let board = of_desk(&["ask", "board"]);
    assert!(board.contains("region  zk23") && board.contains("rows:") && board.contains("GRZ"), "{board}");
    let profile = ["origin=gp", "urgency=crisis", "channel=phone", "consent=true", "care_type=ELV_LC"];
    let profile = profile.map(|field| {
        let (name, value) = field.split_once('=').unwrap();
        format!("profile[{name}]={value}")
    });
    let words: Vec<&str> =
        ["act", "makeReferral"].into_iter().chain(profile.iter().map(String::as_str)).collect();
    let made = of_desk(&words);
    let referral = made.lines().next().unwrap().strip_prefix("referral ").unwrap();
    let of = format!("referral={referral}");
    let to = ["to[0][location]=zk23-de-linde", "to[0][care_type]=ELV_LC"];
    let sent = of_desk(&[&["act", "sendOffers", &of], &to[..]].concat());
    assert!(sent.starts_with("to[0][offer] "), "{sent}");
    assert!(of_desk(&["ask", "receipts", &of]).contains("zk23-de-linde"));
    for (question, there) in
        [("flow", "zk23"), ("unmet", "zk23"), ("contradictions", ""), ("regions", "Utrecht")]
    {
        let told = of_desk(&[question]);
        assert!(told.contains(there), "{question}: {told}");
    }
    // What is wrong is told with what is taken, before anything is sent.
    let wrong = desk.run(&["--region", "zk23", "act", "escalate", &of]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("to is missing") && wrong.stderr.contains("to=zk23"), "{}", wrong.stderr);
    let wrong = desk.run(&["act", "fly"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("`desk act` lists"), "{}", wrong.stderr);
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
