//! What is done and asked over the API, and what is said when it can not be.

use serde_json::{Value, json};
use tests::http::{ask, call};
use tests::record_of;

use crate::ids::Ids;
use crate::support::{Node, location_with_beds};
use crate::{Desks, accept, network, referral, token};

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
