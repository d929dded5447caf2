//! The API of the desk over HTTP: the whole way of a referral, who is told what, and what is said when it can not be.
//!
//! Not here: every rule of the desk (`domain`), the table of who may what (`domain`), strangers' tools (the `tests`
//! package).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use ids::Ids;
use network::{Network, TokenHash};
use serde_json::{Value, json};
use support::{Node, OPERATOR, Serving, event_of, location_with_beds};
use tests::http::{Answer, ask, call, get};
use tests::record_of;

/// Ids as their makers make them: UUIDv7, all different.
mod ids {
    use std::sync::atomic::{AtomicU64, Ordering};

    pub(crate) struct Ids;

    static NEXT: AtomicU64 = AtomicU64::new(1);

    impl Ids {
        pub(crate) fn next() -> String {
            // Of one millisecond; each is far from the next, because the events of an act count on from its id.
            format!("019391f2-6f00-7a11-8c11-{:012x}", NEXT.fetch_add(1, Ordering::SeqCst) * 1_000)
        }
    }
}

/// Who takes part: three desks, two houses of the first and one of the second, who speaks for all houses of the first, a referrer,
/// a node.
const SOURCES: [(&str, &str, &str); 9] = [
    ("loket-zk01", "desk", "zk01"),
    ("loket-zk02", "desk", "zk02"),
    ("loket-zk03", "desk", "zk03"),
    ("zk01-de-linde", "location", "zk01"),
    ("zk01-de-beuk", "location", "zk01"),
    ("zk02-de-eik", "location", "zk02"),
    ("zorggroep", "location", "zk01"),
    ("huisarts", "referrer", "zk01"),
    ("node", "node", "zk01"),
];

fn token(name: &str) -> String {
    format!("dst_{:0>64}", TokenHash::of(name).to_string())
}

fn urn(name: &str) -> String {
    format!("urn:nld:kvknr:00000000:systeem:{name}")
}

/// A network where everybody has a token; those of `without` have one that ended.
fn network(without: &[&str]) -> Network {
    let regions = ["zk01", "zk02", "zk03"].map(|code| {
        format!(
            "[[region]]\ncode = \"{code}\"\nname = \"{code}\"\ndesk = {{ name = \"Loket\", phone = \"0800\", hours = \"altijd\" }}\n"
        )
    });
    let sources = SOURCES.map(|(name, kind, region)| {
        let hash = TokenHash::of(&token(name));
        let all = if name == "zorggroep" { "locations = [\"*\"]\n" } else { "" };
        let until = if without.contains(&name) { ", until = \"2026-01-02T00:00:00Z\"" } else { "" };
        format!(
            "[[source]]\nid = \"{}\"\nname = \"{name}\"\nkind = \"{kind}\"\nregion = \"{region}\"\n{all}\
             tokens = [{{ sha256 = \"{hash}\", from = \"2026-01-01T00:00:00Z\"{until} }}]\n",
            urn(name)
        )
    });
    let text: String = regions.into_iter().chain(sources).collect();
    Network::from_toml("network.toml", &text).unwrap()
}

/// A served node with a house of two beds and one of one bed in zk01, and one in zk02.
struct Desks {
    node: Node,
    serving: Serving,
}

impl Desks {
    async fn start() -> Self {
        let node = Node::of(network(&[]));
        let serving = node.serve().await;
        let desks = Self { node, serving };
        for (house, region, beds) in
            [("zk01-de-linde", "zk01", 2), ("zk01-de-beuk", "zk01", 1), ("zk02-de-eik", "zk02", 1)]
        {
            let site = json!({ "provider": "p", "name": house, "mode": "beds", "care_types": ["ELV_LC"] });
            let path = format!("/regions/{region}/locations");
            desks.done(house, &path, json!({ "location": house, "site": site })).await;
            for bed in 1..=beds {
                let path = format!("/locations/{house}/beds/{bed}/add");
                desks.done(house, &path, json!({ "facts": { "care_types": ["ELV_LC"] } })).await;
                desks.done(house, &format!("/locations/{house}/beds/{bed}/freed"), json!({})).await;
            }
        }
        desks
    }

    fn address(&self) -> SocketAddr {
        self.serving.address
    }

    async fn post(&self, who: &str, path: &str, mut body: Value) -> Answer {
        if body.get("id").is_none() {
            body["id"] = Ids::next().into();
        }
        let path = format!("/api/v1{path}");
        call(self.address(), ("POST", &path), &token(who), "", &body.to_string()).await
    }

    /// Does what has to succeed.
    async fn done(&self, who: &str, path: &str, body: Value) -> Value {
        let answer = self.post(who, path, body).await;
        assert_eq!(answer.status, 201, "{who} {path}: {}", answer.body);
        answer.json()
    }

    /// The code with which it is refused.
    async fn refused(&self, who: &str, path: &str, body: Value) -> String {
        let answer = self.post(who, path, body).await;
        assert_eq!(answer.status, 409, "{who} {path}: {}", answer.body);
        answer.json()["code"].as_str().unwrap().to_owned()
    }

    async fn get(&self, who: &str, path: &str) -> Answer {
        call(self.address(), ("GET", &format!("/api/v1{path}")), &token(who), "", "").await
    }

    async fn seen(&self, who: &str, path: &str) -> Value {
        let answer = self.get(who, path).await;
        assert_eq!(answer.status, 200, "{who} {path}: {}", answer.body);
        answer.json()
    }

    /// A crisis referral, which needs no weighing; its id.
    async fn referral(&self, who: &str, region: &str) -> String {
        let id = Ids::next();
        self.done(who, "/referrals", referral(&id, region, "crisis")).await;
        id
    }

    /// An offer of that referral to a house; its id.
    async fn offer(&self, referral: &str, house: &str) -> String {
        let offer = Ids::next();
        let to = json!([{ "offer": offer, "location": house, "care_type": "ELV_LC" }]);
        self.done("loket-zk01", &format!("/referrals/{referral}/offers"), json!({ "to": to })).await;
        offer
    }

    async fn stop(self) {
        self.serving.stop().await;
        self.node.stop().await;
    }
}

fn referral(id: &str, region: &str, urgency: &str) -> Value {
    json!({
        "region": region,
        "referral": id,
        "not_a_double": true,
        "private": "Mevrouw Jansen, Kerkstraat 1",
        "profile": {
            "origin": "gp", "urgency": urgency, "care_type": "ELV_LC", "area": "35", "age_band": "80-84",
            "channel": "phone", "consent": true,
        },
    })
}

fn accept() -> Value {
    json!({ "from": tests::in_minutes(0), "role": "nurse", "care_type": "ELV_LC" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_goes_from_the_first_call_to_the_way_home_over_http() {
    let desks = Desks::start().await;
    let id = Ids::next();
    let made = referral(&id, "zk01", "urgent");
    desks.done("loket-zk01", "/referrals", made).await;
    let at = |what: &str| format!("/referrals/{id}{what}");
    let weighing = json!({
        "instrument": instrument(), "answers": answers(), "decided_by": "nurse", "set_aside": "ELV_LC", "reason": "proef",
    });
    desks.done("loket-zk01", &at("/triage"), weighing).await;
    let matched = desks.seen("loket-zk01", &at("/matching")).await;
    let first = matched["candidates"][0]["location"].as_str().unwrap().to_owned();
    assert!(["zk01-de-linde", "zk01-de-beuk"].contains(&&*first), "{matched}");
    let offer = desks.offer(&id, "zk01-de-linde").await;
    let before = desks.seen("zk01-de-linde", "/locations/zk01-de-linde/offers").await;
    assert_eq!(before["offers"][0]["offer"]["offer"], offer);
    assert!(!before.to_string().contains("Jansen"));
    desks.done("zk01-de-linde", &at(&format!("/offers/{offer}/seen")), json!({})).await;
    desks.done("zk01-de-linde", &at(&format!("/offers/{offer}/accept")), accept()).await;
    let private = desks.seen("zk01-de-linde", &at("/private")).await;
    assert_eq!(private["text"], "Mevrouw Jansen, Kerkstraat 1");
    let stay = Ids::next();
    let place = json!({ "location": "zk01-de-linde", "bed": "1", "care_type": "ELV_LC" });
    let admitted = json!({ "stay": stay, "referral": id, "place": place });
    desks.done("zk01-de-linde", "/stays", admitted).await;
    let waiting = json!({ "what": "home-care", "since": tests::in_minutes(0) });
    desks.done("zk01-de-linde", &format!("/stays/{stay}/waiting"), waiting).await;
    let home = json!({ "destination": "home-with-care", "ready": true });
    let receipt = desks.done("zk01-de-linde", &format!("/stays/{stay}/discharge"), home).await;
    let after = receipt["position"].as_u64().unwrap();
    let timeline = desks.seen("loket-zk01", &at(&format!("/timeline?after={after}"))).await;
    let kinds: Vec<&str> =
        timeline["entries"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    for kind in [
        "referral.made",
        "referral.triaged",
        "offer.sent",
        "offer.accepted",
        "stay.admitted",
        "stay.discharged",
    ] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let receipts = desks.seen("loket-zk01", &at("/receipts")).await;
    assert_eq!(receipts["receipts"][0]["candidates"][0]["location"], first);
    let shown = desks.seen("loket-zk01", &at("")).await;
    assert_eq!(shown["end"], json!({ "how": "admitted", "about": stay }));
    assert!(!timeline.to_string().contains("Jansen") && !shown.to_string().contains("Jansen"));
    desks.stop().await;
}

/// The instrument every region has.
fn instrument() -> String {
    domain::desk::Instrument::default().name.to_string()
}

/// No to every question.
fn answers() -> Value {
    let instrument = domain::desk::Instrument::default();
    instrument.questions.iter().map(|question| json!({ "question": question.id, "yes": false })).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_weighs_is_told_the_questions_of_the_region_and_what_each_answer_comes_to() {
    let desks = Desks::start().await;
    let path = "/regions/zk01/instruments";
    let asked = desks.seen("loket-zk01", path).await;
    let used = &asked["instruments"][0];
    assert_eq!((&asked["region"], &used["instrument"]), (&json!("zk01"), &json!(instrument())));
    let known = domain::desk::Instrument::default();
    let ids: Vec<&str> = known.questions.iter().map(|question| &*question.id).collect();
    let questions = used["questions"].as_array().unwrap();
    assert_eq!(questions.iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    let first = json!({
        "id": "specialist", "nl": "Is medisch-specialistische zorg nodig?", "en": "Is specialist care needed?",
        "yes": "HOSPITAL", "no": null,
    });
    let last = questions.last().unwrap();
    assert_eq!((&questions[0], &last["yes"], &last["no"]), (&first, &json!("ELV_HC"), &json!("ELV_LC")));
    assert_eq!(used["otherwise"], "ELV_LC");
    // For who weighs there, and nobody else.
    for (who, status) in [("loket-zk02", 404), ("zk01-de-linde", 403), ("huisarts", 403), ("node", 403)] {
        assert_eq!(desks.get(who, path).await.status, status, "{who}");
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_and_a_waiting_that_are_known_are_no_news_and_a_bed_that_is_not_there_is_not_asked_for() {
    let desks = Desks::start().await;
    let linde = "zk01-de-linde";
    let again = async |path: &str, body: Value| {
        let answer = desks.post(linde, path, body).await;
        assert_eq!((answer.status, &answer.json()["events"]), (200, &json!([])), "{path}: {}", answer.body);
    };
    let referral = desks.referral("loket-zk01", "zk01").await;
    let offers = format!("/referrals/{referral}/offers");
    let to = json!([{ "offer": Ids::next(), "location": linde, "bed": "9", "care_type": "ELV_LC" }]);
    assert_eq!(desks.refused("loket-zk01", &offers, json!({ "to": to })).await, "unknown-bed");
    let stay = Ids::next();
    let place = json!({ "location": linde, "bed": "1", "care_type": "ELV_LC" });
    desks.done(linde, "/stays", json!({ "stay": stay, "place": place })).await;
    let waiting = format!("/stays/{stay}/waiting");
    desks.done(linde, &waiting, json!({ "what": "home-care" })).await;
    again(&waiting, json!({ "what": "home-care" })).await;
    desks.done(linde, &waiting, json!({ "what": "wlz-place" })).await;
    let stop = format!("/locations/{linde}/stop");
    desks.done(linde, &stop, json!({ "reason": "infection" })).await;
    again(&stop, json!({ "reason": "infection" })).await;
    desks.done(linde, &stop, json!({ "reason": "staffing" })).await;
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_15_of_two_acceptances_of_one_bed_one_wins_and_the_other_is_told_that_it_is_taken() {
    let desks = Desks::start().await;
    let mut offers = Vec::new();
    for _ in 0..2 {
        let referral = desks.referral("loket-zk01", "zk01").await;
        let offer = desks.offer(&referral, "zk01-de-linde").await;
        offers.push(format!("/referrals/{referral}/offers/{offer}/accept"));
    }
    let on_bed = || {
        let mut body = accept();
        body["bed"] = "1".into();
        body
    };
    let (first, second) = tokio::join!(
        desks.post("zk01-de-linde", &offers[0], on_bed()),
        desks.post("zk01-de-linde", &offers[1], on_bed()),
    );
    let mut answers = [first, second];
    answers.sort_by_key(|answer| answer.status);
    assert_eq!([answers[0].status, answers[1].status], [201, 409], "{}", answers[1].body);
    assert_eq!(answers[1].json()["code"], "bed-taken");
    assert_eq!(answers[1].json()["type"], "urn:doorstroom:refusal:bed-taken");
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_64_of_two_who_accept_for_one_referral_one_wins_and_what_was_withdrawn_is_told_so() {
    let desks = Desks::start().await;
    let referral = desks.referral("loket-zk01", "zk01").await;
    let (linde, beuk) =
        (desks.offer(&referral, "zk01-de-linde").await, desks.offer(&referral, "zk01-de-beuk").await);
    let path = |offer: &str, what: &str| format!("/referrals/{referral}/offers/{offer}/{what}");
    let (linde, beuk) = (path(&linde, "accept"), path(&beuk, "accept"));
    let (first, second) = tokio::join!(
        desks.post("zk01-de-linde", &linde, accept()),
        desks.post("zk01-de-beuk", &beuk, accept()),
    );
    let mut answers = [first, second];
    answers.sort_by_key(|answer| answer.status);
    assert_eq!([answers[0].status, answers[1].status], [201, 409], "{}", answers[1].body);
    let code = answers[1].json()["code"].as_str().unwrap().to_owned();
    assert!(["placed-elsewhere", "offer-revoked"].contains(&&*code), "{code}");
    // Withdrawn meanwhile.
    let other = desks.referral("loket-zk01", "zk01").await;
    let offer = desks.offer(&other, "zk01-de-linde").await;
    let path = |what: &str| format!("/referrals/{other}/offers/{offer}/{what}");
    desks.done("loket-zk01", &path("revoke"), json!({})).await;
    assert_eq!(desks.refused("zk01-de-linde", &path("accept"), accept()).await, "offer-revoked");
    desks.stop().await;
}

/// Every address of the description, with its method.
fn operations(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys().filter(|key| ["get", "post"].contains(&&***key));
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    all.collect()
}

/// A body that is what each act of the API asks for, with ids of the other region where it names any.
fn bodies(path: &str, referral_id: &str, house: &str) -> Value {
    let place = json!({ "location": house, "bed": "1", "care_type": "ELV_LC" });
    let moment = "2030-01-01T00:00:00Z";
    let profile = referral("x", "zk02", "crisis")["profile"].clone();
    let site = json!({ "provider": "p", "name": "n", "mode": "beds", "care_types": ["GRZ"] });
    let bed = json!({ "location": house, "bed": "1" });
    let last: Vec<&str> = path.rsplit('/').collect();
    match (last[0], last.get(1).copied()) {
        ("referrals", _) => json!({ "region": "zk02", "referral": Ids::next(), "profile": profile }),
        ("change", Some("{referral}")) => json!({ "profile": profile }),
        ("change", Some("{bed}")) | ("add", _) => json!({ "facts": { "care_types": ["GRZ"] } }),
        ("change", _) => json!({ "site": site }),
        ("locations", _) => json!({ "location": house, "site": site }),
        ("withdraw", _) => json!({ "reason": "other" }),
        ("divert", _) => json!({ "reason": "hospital" }),
        ("give-up", _) => json!({ "reason": "niets" }),
        ("triage", Some("{referral}")) => json!({ "instrument": "i", "answers": [], "decided_by": "nurse" }),
        ("triage", _) => json!({ "outcome": "GRZ" }),
        ("escalate", _) => json!({ "to": "zk01" }),
        ("raise", _) => json!({ "to": "insurer" }),
        ("arrival", _) => json!({ "location": house, "arrives_at": moment }),
        ("extend", _) => json!({ "location": house, "until": moment }),
        ("release", _) => json!({ "location": house }),
        ("offers", _) => json!({ "to": [{ "offer": Ids::next(), "location": house, "care_type": "GRZ" }] }),
        ("accept", _) => accept(),
        ("decline", _) | ("take-back", Some("{offer}")) => json!({ "code": "no-staff" }),
        ("agree" | "contest" | "choose", _) => json!({ "role": "nurse" }),
        ("stays", _) => json!({ "stay": Ids::next(), "referral": referral_id, "place": place }),
        ("expected", _) => json!({ "expected_at": moment }),
        ("plan", _) => json!({ "items": [] }),
        ("waiting", _) => json!({ "what": "grz-place", "since": moment }),
        ("funding", _) => json!({ "funding": "zvw" }),
        ("move", _) => json!({ "to": bed }),
        ("cancel-move", _) => json!({ "from": bed, "to": bed }),
        ("discharge", _) => json!({ "destination": "family", "place": place }),
        ("hand-over", _) => json!({ "to": "zk01", "until": moment, "mandate": ["all"] }),
        ("rule-set", _) => json!({ "rule_set": "crisis" }),
        ("contacts", _) => json!({ "contact": Ids::next(), "kind": "call", "with": "gp", "minutes": 1 }),
        ("counts", _) => json!({ "counts": [] }),
        ("windows", _) => json!({ "windows": [] }),
        ("intake-limit", _) => json!({ "period": "day", "max": 1 }),
        ("stop", _) => json!({ "reason": "staffing" }),
        ("closed", _) => json!({ "reason": "maintenance" }),
        ("correct", _) => json!({ "corrects": Ids::next() }),
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_67_ids_of_another_region_look_like_ids_of_nothing() {
    let desks = Desks::start().await;
    // Everything there is in zk02.
    let referral = Ids::next();
    desks.done("loket-zk02", "/referrals", self::referral(&referral, "zk02", "crisis")).await;
    let offer = Ids::next();
    let to = json!([{ "offer": offer, "location": "zk02-de-eik", "care_type": "ELV_LC" }]);
    desks.done("loket-zk02", &format!("/referrals/{referral}/offers"), json!({ "to": to })).await;
    desks.done("zk02-de-eik", &format!("/referrals/{referral}/offers/{offer}/accept"), accept()).await;
    let stay = Ids::next();
    let place = json!({ "location": "zk02-de-eik", "bed": "1", "care_type": "ELV_LC" });
    desks.done("zk02-de-eik", "/stays", json!({ "stay": stay, "referral": referral, "place": place })).await;

    let document = get(desks.address(), "/api/v1/openapi.json").await.json();
    let head = desks.node.log.reader().head().position;
    // What is open to every desk: names, numbers, counts, what neighbours can admit.
    let open = [
        "/regions",
        "/regions/{region}/board",
        "/regions/{region}/locations",
        "/regions/{region}/admittable",
    ];
    let mut tried = 0;
    for (method, path) in operations(&document) {
        let short = path.trim_start_matches("/api/v1");
        if method == "GET" && open.contains(&short) {
            continue;
        }
        let fill = |region: &str, house: &str, referral: &str, offer: &str, stay: &str| {
            path.replace("{region}", region)
                .replace("{location}", house)
                .replace("{bed}", "1")
                .replace("{referral}", referral)
                .replace("{offer}", offer)
                .replace("{stay}", stay)
                .replace("{word}", "freed")
        };
        let foreign = fill("zk02", "zk02-de-eik", &referral, &offer, &stay);
        let nothing = fill("zk99", "zk99-niets", &Ids::next(), &Ids::next(), &Ids::next());
        for who in ["loket-zk01", "zk01-de-linde", "huisarts"] {
            let ask = async |at: &str, referral: &str, house: &str| {
                let mut body = bodies(&path, referral, house);
                body["id"] = Ids::next().into();
                let body = if method == "POST" { body.to_string() } else { String::new() };
                call(desks.address(), (&method, at), &token(who), "", &body).await
            };
            let (of_other, of_nothing) = (
                ask(&foreign, &referral, "zk02-de-eik").await,
                ask(&nothing, &Ids::next(), "zk99-niets").await,
            );
            // The role is looked at first: what nobody of it may is told so of everything.
            assert!([403, 404].contains(&of_other.status), "{who} {method} {path}: {}", of_other.body);
            if of_nothing.status != 403 && short != "/referrals" {
                assert_eq!(of_other.status, of_nothing.status, "{who} {method} {path}");
                assert_eq!(of_other.body, of_nothing.body, "{who} {method} {path}");
            }
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
    assert_eq!(desks.node.log.reader().head().position, head, "something was recorded");
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_valid_token_is_told_so_and_one_that_is_taken_away_is_out_at_once() {
    let desks = Desks::start().await;
    let bare = get(desks.address(), "/api/v1/regions").await;
    assert_eq!((bare.status, bare.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(desks.get("niemand", "/regions").await.status, 401);
    assert_eq!(desks.get("huisarts", "/regions").await.status, 200);
    desks.node.registry.send_replace(Arc::new(network(&["huisarts"])));
    assert_eq!(desks.get("huisarts", "/regions").await.status, 401);
    assert_eq!(desks.get("node", "/regions").await.status, 403);
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_of_the_node_speaks_for_the_source_it_names() {
    let desks = Desks::start().await;
    let asks = async |path: &str, headers: &str| {
        call(desks.address(), ("GET", path), OPERATOR, headers, "").await.status
    };
    assert_eq!(asks("/api/v1/regions/zk01/worklist", "").await, 403);
    let desk = format!("doorstroom-as: {}\r\n", urn("loket-zk01"));
    assert_eq!(asks("/api/v1/regions/zk01/worklist", &desk).await, 200);
    assert_eq!(asks("/api/v1/regions/zk02/worklist", &desk).await, 404);
    assert_eq!(asks("/api/v1/regions/zk01/worklist", "doorstroom-as: urn:x:niemand\r\n").await, 400);
    // Nobody else speaks for another.
    let answer = call(
        desks.address(),
        ("GET", "/api/v1/regions/zk02/worklist"),
        &token("loket-zk01"),
        &format!("doorstroom-as: {}\r\n", urn("loket-zk02")),
        "",
    )
    .await;
    assert_eq!(answer.status, 404);
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_is_done_once_however_often_it_is_sent_and_its_id_is_for_nothing_else() {
    let desks = Desks::start().await;
    let (id, referral_id) = (Ids::next(), Ids::next());
    let mut body = referral(&referral_id, "zk01", "crisis");
    body["id"] = id.clone().into();
    let first = desks.post("loket-zk01", "/referrals", body.clone()).await;
    let again = desks.post("loket-zk01", "/referrals", body).await;
    assert_eq!((first.status, again.status), (201, 200), "{}", again.body);
    assert_eq!((&first.json()["duplicate"], &again.json()["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(first.json()["position"], again.json()["position"]);
    assert_eq!(first.header("etag"), again.header("etag"));
    let mut other = referral(&Ids::next(), "zk01", "crisis");
    other["id"] = id.into();
    assert_eq!(desks.refused("loket-zk01", "/referrals", other).await, "id-reused");
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_waits_for_a_position_and_says_at_which_it_stands() {
    let desks = Desks::start().await;
    let done = desks.done("zk01-de-linde", "/locations/zk01-de-linde/confirm", json!({})).await;
    let position = done["position"].as_u64().unwrap();
    let board = desks.get("loket-zk01", &format!("/regions/zk01/board?after={position}")).await;
    let etag = board.header("etag").unwrap().to_owned();
    assert_eq!(etag, format!("\"{position}\""));
    let path = "/api/v1/regions/zk01/board";
    let known = format!("if-none-match: {etag}\r\n");
    assert_eq!(call(desks.address(), ("GET", path), &token("loket-zk01"), &known, "").await.status, 304);
    let ahead = format!("doorstroom-position: {}\r\n", position + 1);
    let answer = call(desks.address(), ("GET", path), &token("loket-zk01"), &ahead, "").await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("ahead")));
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_told_without_a_word_of_it_and_a_refusal_in_the_language_of_the_asker() {
    let desks = Desks::start().await;
    let say = async |headers: &str, body: &str| {
        call(desks.address(), ("POST", "/api/v1/referrals"), &token("loket-zk01"), headers, body).await
    };
    for (status, code, body) in [
        (400, "malformed", "{\"Jansen"),
        (422, "unfit", "{\"Jansen\": 1}"),
        (422, "unfit", "[\"Jansen\"]"),
        (413, "too-large", &format!("\"{}\"", "x".repeat(70_000))),
    ] {
        let answer = say("", body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{}", answer.body);
        assert!(!answer.body.contains("Jansen"), "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    let form = "POST /api/v1/referrals HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n";
    let answer =
        ask(desks.address(), &format!("{form}authorization: Bearer {}\r\n\r\n{{}}", token("loket-zk01")))
            .await;
    assert_eq!((answer.status, &answer.json()["code"]), (415, &json!("not-json")));
    let id = desks.referral("loket-zk01", "zk01").await;
    let again = referral(&id, "zk01", "crisis");
    for (lang, words) in [("nl-NL", "Er is al een aanmelding"), ("en", "There is a referral with this id")] {
        let mut body = again.clone();
        body["id"] = Ids::next().into();
        let answer = say(&format!("accept-language: {lang}\r\n"), &body.to_string()).await;
        assert!(answer.status == 409 && answer.body.contains(words), "{}", answer.body);
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_sees_of_a_referral_what_was_asked_of_it_and_who_it_is_only_when_it_was_chosen() {
    let desks = Desks::start().await;
    let referral = desks.referral("loket-zk01", "zk01").await;
    let path = format!("/referrals/{referral}");
    assert_eq!(desks.get("zk01-de-linde", &path).await.status, 404);
    desks.offer(&referral, "zk01-de-linde").await;
    let beuk = desks.offer(&referral, "zk01-de-beuk").await;
    let shown = desks.seen("zk01-de-linde", &path).await;
    assert_eq!(shown["offers"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(desks.get("zk01-de-linde", &format!("{path}/timeline")).await.status, 403);
    assert_eq!(desks.get("zk01-de-linde", &format!("{path}/private")).await.status, 404);
    desks.done("zk01-de-beuk", &format!("{path}/offers/{beuk}/accept"), accept()).await;
    assert_eq!(desks.get("zk01-de-linde", &format!("{path}/private")).await.status, 404);
    assert_eq!(desks.get("zk01-de-beuk", &format!("{path}/private")).await.status, 200);
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_was_asked_does_not_see_where_somebody_went_instead() {
    let desks = Desks::start().await;
    let soon = desks.node.app.desk.now().saturating_add_micros(3_600_000_000).to_string();
    let referral = desks.referral("loket-zk01", "zk01").await;
    let path = format!("/referrals/{referral}");
    let linde = desks.offer(&referral, "zk01-de-linde").await;
    let beuk = desks.offer(&referral, "zk01-de-beuk").await;
    desks.done("zk01-de-beuk", &format!("{path}/offers/{beuk}/accept"), accept()).await;
    let arrives = json!({ "location": "zk01-de-beuk", "arrives_at": soon });
    desks.done("zk01-de-beuk", &format!("{path}/arrival"), arrives).await;
    let kept = desks.seen("zk01-de-linde", &path).await;
    assert_eq!((&kept["holds"], &kept["arrives_at"]), (&json!([]), &Value::Null), "{kept}");
    assert!(!kept.to_string().contains("beuk"), "{kept}");
    let own = desks.seen("zk01-de-beuk", &path).await;
    assert_eq!(own["holds"][0]["place"]["location"], "zk01-de-beuk", "{own}");
    assert_eq!(own["arrives_where"], "zk01-de-beuk");
    for (act, body) in [
        (format!("{path}/offers/{linde}/accept"), accept()),
        (format!("{path}/arrival"), json!({ "location": "zk01-de-linde", "arrives_at": soon })),
    ] {
        let answer = desks.post("zk01-de-linde", &act, body).await;
        assert!(answer.status == 409 && !answer.body.contains("beuk"), "{act}: {}", answer.body);
    }
    let stay = Ids::next();
    let place = json!({ "location": "zk01-de-beuk", "bed": "1", "care_type": "ELV_LC" });
    desks.done("zk01-de-beuk", "/stays", json!({ "stay": stay, "referral": referral, "place": place })).await;
    let ended = desks.seen("zk01-de-linde", &path).await;
    assert_eq!(ended["end"], json!({ "how": "admitted", "about": null }), "{ended}");
    assert!(!ended.to_string().contains("beuk") && !ended.to_string().contains(&stay), "{ended}");
    for who in ["zk01-de-beuk", "loket-zk01"] {
        assert_eq!(desks.seen(who, &path).await["end"]["about"], stay, "{who}");
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_for_several_houses_speaks_as_the_one_it_names_also_when_others_of_them_were_asked() {
    let desks = Desks::start().await;
    for house in ["zk01-de-linde", "zk01-de-beuk"] {
        let referral = desks.referral("loket-zk01", "zk01").await;
        let path = format!("/referrals/{referral}");
        let linde = desks.offer(&referral, "zk01-de-linde").await;
        let beuk = desks.offer(&referral, "zk01-de-beuk").await;
        let offer = if house == "zk01-de-linde" { linde } else { beuk };
        desks.done("zorggroep", &format!("{path}/offers/{offer}/accept"), accept()).await;
        let soon = desks.node.app.desk.now().saturating_add_micros(3_600_000_000).to_string();
        desks
            .done("zorggroep", &format!("{path}/arrival"), json!({ "location": house, "arrives_at": soon }))
            .await;
        let place = json!({ "location": house, "bed": "1", "care_type": "ELV_LC" });
        desks
            .done("zorggroep", "/stays", json!({ "stay": Ids::next(), "referral": referral, "place": place }))
            .await;
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_stays_of_its_region_also_after_it_left_and_before_it_came() {
    let desks = Desks::start().await;
    let referral = desks.referral("loket-zk01", "zk01").await;
    desks.offer(&referral, "zk01-de-linde").await;
    desks.done("zk01-de-linde", "/locations/zk01-de-linde/leave", json!({})).await;
    let before = desks.node.log.reader().head().position;
    let registers = async |who: &str, region: &str, house: &str| {
        let site = json!({ "provider": "p", "name": house, "mode": "beds", "care_types": ["ELV_LC"] });
        let body = json!({ "location": house, "site": site });
        desks.post(who, &format!("/regions/{region}/locations"), body).await
    };
    for (who, region, house) in [
        ("loket-zk02", "zk02", "zk01-de-linde"),
        ("loket-zk02", "zk02", "zk01-nooit-gehoord"),
        ("loket-zk02", "zk02", "zk01-de-beuk"),
        ("loket-zk01", "zk02", "zk01-de-linde"),
        ("loket-zk02", "zk01", "zk02-de-nieuwe"),
    ] {
        let answer = registers(who, region, house).await;
        assert_eq!(answer.status, 404, "{who} {region} {house}: {}", answer.body);
    }
    assert_eq!(desks.node.log.reader().head().position, before);
    assert_eq!(desks.get("zk02-de-eik", &format!("/referrals/{referral}")).await.status, 404);
    // Its own region takes it back.
    for (who, region, house) in
        [("loket-zk01", "zk01", "zk01-de-linde"), ("loket-zk02", "zk02", "zk02-de-nieuwe")]
    {
        assert_eq!(registers(who, region, house).await.status, 201, "{house}");
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_67_a_house_learns_nothing_of_a_referral_it_was_not_asked_for_by_speaking_of_its_own_place() {
    let desks = Desks::start().await;
    let of_zk01 = desks.referral("loket-zk01", "zk01").await;
    let arrival = |house: &str| json!({ "location": house, "arrives_at": "2030-01-01T00:00:00Z" });
    let admits = |house: &str, referral: &str| {
        let place = json!({ "location": house, "bed": "1", "care_type": "ELV_LC" });
        json!({ "stay": Ids::next(), "referral": referral, "place": place })
    };
    for house in ["zk02-de-eik", "zk01-de-linde"] {
        let mut answers = Vec::new();
        for referral in [of_zk01.clone(), Ids::next()] {
            let answer = desks.post(house, &format!("/referrals/{referral}/arrival"), arrival(house)).await;
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers[0], answers[1], "{house}");
        assert_eq!(answers[0].0, 404);
    }
    let mut answers = Vec::new();
    for referral in [of_zk01, Ids::next()] {
        let answer = desks.post("zk02-de-eik", "/stays", admits("zk02-de-eik", &referral)).await;
        answers.push((answer.status, answer.body));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 404);
    desks.stop().await;
}

/// How many keys a vault has.
fn keys(vault: &std::path::Path) -> usize {
    let folders = std::fs::read_dir(vault).unwrap().map(|folder| folder.unwrap().path());
    folders.map(|folder| std::fs::read_dir(folder).unwrap().count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_that_is_refused_leaves_no_key() {
    let desks = Desks::start().await;
    let (used, taken) = (Ids::next(), Ids::next());
    let mut first = referral(&taken, "zk01", "crisis");
    first["id"] = used.clone().into();
    desks.done("loket-zk01", "/referrals", first.clone()).await;
    let vault = desks.node.folder().join("vault");
    assert_eq!(keys(&vault), 1);
    for _ in 0..3 {
        let mut other = referral(&Ids::next(), "zk01", "crisis");
        other["id"] = used.clone().into();
        assert_eq!(desks.refused("loket-zk01", "/referrals", other).await, "id-reused");
        // The likely double of the first.
        let mut double = referral(&Ids::next(), "zk01", "crisis");
        double["not_a_double"] = false.into();
        assert_eq!(desks.refused("loket-zk01", "/referrals", double).await, "likely-double");
    }
    assert_eq!(keys(&vault), 1, "what was refused left a key");
    // Sent again, it is what became of it.
    assert_eq!(desks.post("loket-zk01", "/referrals", first).await.status, 200);
    assert_eq!(
        desks.seen("loket-zk01", &format!("/referrals/{taken}/private")).await["text"],
        "Mevrouw Jansen, Kerkstraat 1"
    );
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_openapi_3_1_and_has_an_address_for_every_act() {
    let desks = Desks::start().await;
    let document = get(desks.address(), "/api/v1/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let operations = operations(&document);
    let posts = operations.iter().filter(|(method, _)| method == "POST").count();
    // All that a person can want; the rest of the acts is the deadline keeper's.
    assert_eq!((posts, operations.len() - posts), (51, 19), "{operations:?}");
    let text = document.to_string();
    let references = text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
    for reference in references {
        assert!(
            document["components"]["schemas"].get(reference).is_some(),
            "{reference} is described nowhere"
        );
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_is_there_from_the_first_moment_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) =
        eventlog::EventLog::open(&folder.path().join("log"), eventlog::Options::default()).unwrap();
    for lines in location_with_beds("De Linde", 2_000).chunks(512) {
        let records = lines.iter().map(|line| record_of(line)).collect();
        log.append(eventlog::Batch { records, ..eventlog::Batch::default() }).await.unwrap();
    }
    log.close().await;
    let node = Node::over(folder, network(&[]));
    let desks = Desks { serving: node.serve().await, node };
    let (asked, told) = tokio::join!(
        desks.get("zk01-de-linde", "/locations/zk01-de-linde"),
        desks.post("zk01-de-linde", "/locations/zk01-de-linde/confirm", json!({})),
    );
    desks.stop().await;
    // On a machine that is quick enough there was nothing to wait for; then nothing was lost either.
    assert_eq!((asked.status, told.status), (200, 201), "{} {}", asked.json(), told.json());
    assert_eq!(asked.json()["beds"].as_array().unwrap().len(), 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_in_for_a_desk_takes_over_what_that_desk_was_asked_for() {
    let desks = Desks::start().await;
    let referral = Ids::next();
    desks.done("loket-zk01", "/referrals", self::referral(&referral, "zk01", "crisis")).await;
    let at = |what: &str| format!("/referrals/{referral}{what}");
    let asked = format!(r#""referral":"{referral}","to_region":"zk02""#);
    let position = desks.node.record(&[event_of("zk01", 9, "referral.escalated", &referral, &asked)]).await;
    assert!(desks.node.app.desk.state().wait_for(position).await);
    // Nobody stands in: to zk03 it looks like nothing.
    assert_eq!(desks.get("loket-zk03", &at("")).await.status, 404);
    assert_eq!(desks.post("loket-zk03", &at("/take-over"), json!({})).await.status, 404);
    let until = desks.node.app.desk.now().saturating_add_micros(7 * 24 * 3_600 * 1_000_000).to_string();
    for (to, mandate) in [("nergens", json!(["all"])), ("zk03", json!(["drinken"])), ("zk03", json!([]))] {
        let nobody = json!({ "to": to, "until": until, "mandate": mandate });
        assert_eq!(desks.post("loket-zk02", "/regions/zk02/duty/hand-over", nobody).await.status, 422);
    }
    let duty = json!({ "to": "zk03", "until": until, "mandate": ["all"] });
    desks.done("loket-zk02", "/regions/zk02/duty/hand-over", duty).await;
    for page in ["/", "/r/zk02"] {
        let shown = get(desks.address(), page).await.body;
        assert_eq!(shown.matches("Loket neemt waar tot").count(), 1, "{page}: {shown}");
    }
    assert_eq!(desks.get("loket-zk03", &at("")).await.status, 200);
    // It looks and takes; what is sealed, and the work itself, are its own to see and do only then.
    assert_eq!(desks.get("loket-zk03", &at("/private")).await.status, 404);
    let offers =
        json!({ "to": [{ "offer": Ids::next(), "location": "zk02-de-eik", "care_type": "ELV_LC" }] });
    assert_eq!(desks.post("loket-zk03", &at("/offers"), offers.clone()).await.status, 404);
    desks.done("loket-zk03", &at("/take-over"), json!({})).await;
    assert_eq!(desks.get("loket-zk02", &at("")).await.json()["region"], "zk02");
    desks.done("loket-zk03", &at("/offers"), offers).await;
    assert_eq!(desks.get("loket-zk01", &at("/matching")).await.status, 404);
    desks.stop().await;
}
