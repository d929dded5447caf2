//! Setting up a house on its pages, without a script: registering, changing, beds, windows, limits, leaving; who may; and what others
//! wrote as it is shown and given back.
//!
//! Not here: what becomes of it (`domain`), the same in a browser (`browser`).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use std::sync::Arc;

use domain::Timestamp;
use eventlog::{Clock, EventLog, Options, SystemClock};
use support::houses::houses;
use support::{Node, OPERATOR, Serving, event};
use tests::form::form_to;
use tests::http::call;
use tests::session::Session;

const LINDE: &str = "/l/zk01-de-linde";
const SETUP: &str = "/l/zk01-de-linde/inrichting";
const DO: &str = "/doe/locations/zk01-de-linde";

async fn started() -> (Node, Serving) {
    let node = Node::of(support::network::network());
    let position = node.record(&houses()).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let serving = node.serve().await;
    (node, serving)
}

/// Fills in a form of this page and sends it; gets the page it leads to.
async fn fills(session: &Session, page: &str, action: &str, said: &[(&str, &str)]) -> String {
    let form = said.iter().fold(form_to(page, action), |form, (name, value)| form.with(name, value));
    form.send(session).await
}

/// What the API answers the source of this name.
async fn asks(serving: &Serving, source: &str, path: &str) -> serde_json::Value {
    let named = format!("doorstroom-as: urn:test:{source}\r\n");
    let answer = call(serving.address, ("GET", &format!("/api/v1{path}")), OPERATOR, &named, "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

/// Two days of a window, and none at all, which is refused; gets the page.
async fn says_when_it_admits(nurse: &Session) -> String {
    let page = nurse.page(SETUP).await;
    let window = [
        ("?windows[1][days][]", "mo"),
        ("?windows[1][days][]", "sa"),
        ("?windows[1][from]", "08:30"),
        ("?windows[1][care_types][]", "ELV_LC"),
    ];
    let page = fills(nurse, &page, &format!("{DO}/windows"), &window).await;
    assert!(nurse.page(LINDE).await.contains("ma, za 08:30–17:00"), "the house says so");
    let kept = form_to(&page, &format!("{DO}/windows")).fields;
    assert!(kept.contains(&("?windows[0][days][]".to_owned(), "sa".to_owned())), "{kept:?}");
    let unticked = form_to(&page, &format!("{DO}/windows"));
    let unticked = tests::form::Form {
        fields: unticked.fields.into_iter().filter(|(name, _)| !name.ends_with("[]")).collect(),
        ..unticked
    };
    let refused = unticked.try_send(nurse).await;
    assert!(
        refused.status == 422 && refused.body.contains("ten minste één tijd die geldt"),
        "{}",
        refused.body
    );
    page
}

/// Everything that is known of bed 1 is in its form, and can be changed there.
async fn changes_a_bed(nurse: &Session, serving: &Serving) {
    assert!(
        nurse.page(LINDE).await.contains(&format!("{SETUP}?bed=1#bed-wijzigen")),
        "the house leads there"
    );
    let page = nurse.page(&format!("{SETUP}?bed=1")).await;
    let change = format!("{DO}/beds/1/change");
    let form = form_to(&page, &change);
    let known = [
        ("facts[care_types][]", "ELV_LC"),
        ("facts[ward]", "Noord"),
        ("facts[features][]", "hoist"),
        ("facts[reserve]", "false"),
    ];
    for (name, value) in known {
        assert!(form.fields.contains(&(name.into(), value.into())), "{name}: {:?}", form.fields);
    }
    // Another type first, the old one besides, nothing of what it offered, and kept back.
    let mut fields = form.fields;
    fields.retain(|(name, _)| {
        !matches!(name.as_str(), "facts[care_types][]" | "facts[features][]" | "facts[reserve]")
    });
    let said =
        [("facts[care_types][]", "GRZ"), ("facts[care_types][]", "ELV_LC"), ("facts[reserve]", "true")];
    fields.extend(said.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let page = tests::form::Form { fields, ..form }.with("facts[room]", "12").send(nurse).await;
    let kept = form_to(&page, &change).fields;
    let of = |name: &str| -> Vec<&str> {
        kept.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(of("facts[care_types][]"), ["GRZ", "ELV_LC"]);
    assert_eq!((of("facts[room]"), of("facts[ward]")), (vec!["12"], vec!["Noord"]));
    assert!(of("facts[features][]").is_empty() && of("facts[reserve]") == ["true"], "{kept:?}");
    let board = asks(serving, "location", "/regions/zk01/board").await;
    let row = board["rows"].as_array().unwrap().iter().find(|row| row["care_type"] == "GRZ").unwrap();
    assert_eq!((row["reserve"].as_u64(), row["physical"].as_u64()), (Some(1), Some(1)), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_is_registered_set_up_and_withdrawn_on_its_pages_without_a_script() {
    let node = Node::of(support::network::network());
    let serving = node.serve().await;
    let nurse = Session::sign_in(serving.address, "linde").await;
    let page = nurse.page("/locaties").await;
    // It speaks for one house, and for no other.
    assert!(page.contains("<option value=\"zk01-de-linde\">") && !page.contains("zk01-de-beuk"), "{page}");
    let site = [
        ("site[name]", "De Linde"),
        ("site[provider]", "Stichting Zorg"),
        ("site[care_types][]", "ELV_LC"),
        ("site[wards][]", "Noord"),
    ];
    let page = fills(&nurse, &page, "/doe/regions/zk01/locations", &site).await;
    assert!(page.contains(LINDE) && !page.contains("/doe/regions/zk01/locations"), "{page}");

    let page = nurse.page(LINDE).await;
    assert!(page.contains(SETUP), "the house leads there");
    let page = nurse.page(SETUP).await;
    let changed = [("site[name]", "De Lindehof"), ("site[phone]", "050-1"), ("site[postcode4]", "9711")];
    assert!(page.contains("De zorgsoorten en de afdelingen worden precies die hierboven"), "{page}");
    let page = fills(&nurse, &page, &format!("{DO}/change"), &changed).await;
    let kept = form_to(&page, &format!("{DO}/change")).fields;
    for field in [
        ("site[name]", "De Lindehof"),
        ("site[phone]", "050-1"),
        ("site[wards][]", "Noord"),
        ("site[care_types][]", "ELV_LC"),
    ] {
        assert!(kept.contains(&(field.0.into(), field.1.into())), "{field:?}: {kept:?}");
    }

    // The next number is there at once, and any other is a question away.
    let bed = [("facts[care_types][]", "ELV_LC"), ("facts[ward]", "Noord"), ("facts[features][]", "hoist")];
    let add = format!("{DO}/beds/_/add");
    let page = fills(&nurse, &page, &add, &bed).await;
    assert!(page.contains("name=\"in:bed\" value=\"2\""), "{page}");
    fills(&nurse, &page, &add, &[("in:bed", "12A"), ("facts[care_types][]", "GRZ")]).await;
    // Whoever types the number of a bed that is there loses nothing of what was filled in.
    let again = form_to(&page, &add).with("in:bed", "12A").with("facts[room]", "7");
    let taken = again.with("facts[care_types][]", "ELV_HC").try_send(&nurse).await;
    assert!(taken.status == 409 && taken.body.contains("Een bed met dit nummer is er al"), "{}", taken.body);
    let kept = form_to(&taken.body, &add).fields;
    for field in [("in:bed", "12A"), ("facts[room]", "7"), ("facts[care_types][]", "ELV_HC")] {
        assert!(kept.contains(&(field.0.into(), field.1.into())), "{field:?}: {kept:?}");
    }
    let taken = nurse.page(SETUP).await;
    let house = nurse.page(LINDE).await;
    assert!(house.contains("id=\"bed-1\"") && house.contains("id=\"bed-12A\""), "{house}");
    // A bed is not gone by one tap: it is chosen, and that it is meant is said.
    let removes = form_to(&taken, &format!("{DO}/beds/_/removed")).with("in:bed", "12A");
    let asked = removes.try_send(&nurse).await;
    assert!(asked.status == 409 && asked.body.contains("Een bed dat is weggehaald"), "{}", asked.body);
    assert!(asked.body.contains("Bevestig dit eerst.") && !asked.body.contains("?."), "{}", asked.body);
    let kept = form_to(&asked.body, &removes.action).fields;
    assert!(kept.contains(&("in:bed".into(), "12A".into())), "{kept:?}");
    assert!(nurse.page(LINDE).await.contains("id=\"bed-12A\""), "it is still there");
    removes.with("sure:remove", "1").send(&nurse).await;
    assert!(!nurse.page(LINDE).await.contains("id=\"bed-12A\""));

    changes_a_bed(&nurse, &serving).await;
    let page = says_when_it_admits(&nurse).await;
    let page =
        fills(&nurse, &page, &format!("{DO}/intake-limit"), &[("max", "2"), ("care_type", "ELV_LC")]).await;
    assert!(page.contains("ELV laag complex: per dag ten hoogste 2"), "{page}");

    let leaves = form_to(&page, &format!("{DO}/leave"));
    let asked = leaves.try_send(&nurse).await;
    assert!(asked.status == 409 && asked.body.contains("Vink aan dat dit de bedoeling is"), "{}", asked.body);
    let page = leaves.with("sure:leave", "1").send(&nurse).await;
    assert!(page.contains("/doe/regions/zk01/locations"), "it can be registered again: {page}");
    assert_eq!(nurse.get(SETUP).await.status, 404);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_say_what_a_house_is_has_no_page_for_it() {
    let (node, serving) = started().await;
    let at = serving.address;
    let nurse = Session::sign_in(at, "linde").await;
    let (others, nothing) =
        (nurse.get("/l/zk01-de-beuk/inrichting").await, nurse.get("/l/zk01-niets/inrichting").await);
    assert_eq!((others.status, nothing.status), (404, 404));
    assert_eq!(others.body, nothing.body);
    let device = Session::sign_in(at, "tablet").await;
    assert!(!device.page(LINDE).await.contains("/inrichting"));
    let asked = device.get(SETUP).await;
    assert!(asked.status == 303 && asked.header("location").unwrap().starts_with("/inloggen?naar="));
    for (who, status) in [("huisarts", 403), ("centrum", 404), ("toezicht", 403), ("loket", 200)] {
        assert_eq!(Session::sign_in(at, who).await.get(SETUP).await.status, status, "{who}");
    }
    // A desk registers in its own region, and not next door.
    let desk = Session::sign_in(at, "loket").await.page("/locaties").await;
    assert!(desk.contains("/doe/regions/zk01/locations") && !desk.contains("/doe/regions/zk02/locations"));
    assert!(!nurse.page("/locaties").await.contains("/doe/regions/"), "its house takes part already");
    serving.stop().await;
    node.stop().await;
}

/// A clock that stood still three days ago.
#[derive(Debug)]
struct ThreeDaysAgo(i64);

impl Clock for ThreeDaysAgo {
    fn now(&self) -> i64 {
        self.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_house_is_asked_from_the_worklist_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let then = Arc::new(ThreeDaysAgo(SystemClock.now() - 3 * 24 * 3_600 * 1_000_000));
    let (log, _) = EventLog::open(&folder.path().join("log"), Options::new(then)).unwrap();
    let records = houses().iter().map(|line| tests::record_of(line)).collect();
    log.append(eventlog::Batch { records, ..eventlog::Batch::default() }).await.unwrap();
    log.close().await;
    let node = Node::over(folder, support::network::network());
    assert!(node.app.desk.state().wait_for(node.log.reader().head().position).await);
    let serving = node.serve().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let page = desk.page("/r/zk01/werklijst").await;
    let page = fills(&desk, &page, &format!("{DO}/ask-confirmation"), &[]).await;
    assert!(!page.contains(&format!("{DO}/ask-confirmation")), "{page}");
    assert!(
        page.contains("gevraagd ") && page.contains("/doe/locations/zk01-de-beuk/ask-confirmation"),
        "{page}"
    );
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_house_is_stopped_is_told_to_whoever_places_people_and_to_itself_and_that_it_is_to_everybody() {
    let (node, serving) = started().await;
    let stopped = r#""location":"zk01-de-linde","reason":"infection""#;
    let position = node.record(&[event(900, "location.admissions-stopped", "zk01-de-linde", stopped)]).await;
    assert!(node.app.desk.state().wait_for(position).await);
    for (source, sees) in [
        ("desk", true),
        ("other-desk", true),
        ("location", true),
        ("second", false),
        ("third", false),
        ("referrer", false),
        ("centre", true),
    ] {
        let all = asks(&serving, source, "/regions/zk01/locations").await;
        let all = all["locations"].as_array().unwrap().clone();
        let house = all.into_iter().find(|one| one["location"] == "zk01-de-linde").unwrap();
        let stop = &house["stops"][0];
        assert_eq!(house["stopped"], true);
        assert!(stop["since"].as_str().is_some(), "{source}: {stop}");
        assert_eq!(stop["reason"] == "infection", sees, "{source}: {stop}");
    }
    let own = asks(&serving, "location", "/locations/zk01-de-linde").await;
    assert_eq!(own["location"]["stops"][0]["reason"], "infection");
    for (who, sees) in [
        ("", false),
        ("loket", true),
        ("linde", true),
        ("huisarts", false),
        ("centrum", true),
        ("toezicht", false),
    ] {
        let session = match who {
            "" => Session::nobody(serving.address),
            who => Session::sign_in(serving.address, who).await,
        };
        let page = session.page("/r/zk01").await;
        assert!(page.contains("Opnamestop") && page.to_lowercase().contains("sinds"), "{who}: {page}");
        assert_eq!(page.contains("Infectie, sinds"), sees, "{who}: {page}");
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_without_a_sane_end_is_refused_with_its_most_and_one_that_is_recorded_is_read() {
    let (node, serving) = started().await;
    let (referral, id) = (uuid::Uuid::now_v7().to_string(), uuid::Uuid::now_v7().to_string());
    let recorded = format!(
        r#""referral":"{referral}","origin":"gp","urgency":"planned","channel":"phone","consent":true,"expected_days":4294967295"#
    );
    let position = node.record(&[event(901, "referral.made", &referral, &recorded)]).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let shown = asks(&serving, "desk", &format!("/referrals/{referral}")).await;
    assert_eq!(shown["profile"]["expected_days"], 4_294_967_295_u32);
    let desk = Session::sign_in(serving.address, "loket").await;
    assert!(desk.page(&format!("/aanmelding/{referral}")).await.contains("4294967295"));

    let soon = Timestamp::from_micros(SystemClock.now()).saturating_add_micros(40 * 24 * 3_600 * 1_000_000);
    let profile =
        r#""profile":{"origin":"gp","urgency":"planned","channel":"phone","expected_days":4294967295}"#;
    let contact = uuid::Uuid::now_v7();
    for (path, body, field) in [
        (
            format!("/referrals/{referral}/change"),
            profile.to_owned(),
            "`profile.expected_days`: not a number from 1 to 3653",
        ),
        (
            "/regions/zk01/contacts".to_owned(),
            format!(r#""contact":"{contact}","kind":"call","with":"gp","minutes":4294967295"#),
            "`minutes`: not a number from 0 to 1440",
        ),
        (
            "/locations/zk01-de-linde/intake-limit".to_owned(),
            r#""period":"day","max":4294967296"#.to_owned(),
            "`max`: not a number from 0 to 9999",
        ),
        (
            "/regions/zk01/duty/hand-over".to_owned(),
            format!(r#""to":"zk02","until":"{soon}","mandate":["all"]"#),
            "31 days at most (`until`)",
        ),
    ] {
        let body = format!(r#"{{"id":"{id}",{body}}}"#);
        let named = "doorstroom-as: urn:test:desk\r\n";
        let answer = call(serving.address, ("POST", &format!("/api/v1{path}")), OPERATOR, named, &body).await;
        assert!(
            answer.status == 422 && answer.body.contains(field),
            "{path}: {} {}",
            answer.status,
            answer.body
        );
    }
    // None at all is as little a length of a stay; over the bus it is read as everything that is recorded.
    let never = format!("/aanmelding/{referral}");
    let never = form_to(&desk.page(&never).await, &format!("/doe/referrals/{referral}/change"))
        .with("profile[origin]", "gp")
        .with("profile[expected_days]", "0");
    let answer = never.try_send(&desk).await;
    assert!(answer.status == 422 && answer.body.contains("1 tot en met 3653"), "{}", answer.body);
    let nothing = recorded.replace("4294967295", "0");
    let position = node.record(&[event(902, "referral.changed", &referral, &nothing)]).await;
    assert!(node.app.desk.state().wait_for(position).await);
    assert_eq!(
        asks(&serving, "desk", &format!("/referrals/{referral}")).await["profile"]["expected_days"],
        0
    );
    let page = desk.page("/r/zk01/werklijst").await;
    let much = form_to(&page, "/doe/regions/zk01/contacts").with("with", "gp").with("minutes", "4294967295");
    let answer = much.try_send(&desk).await;
    assert!(answer.status == 422 && answer.body.contains("0 tot en met 1440"), "{}", answer.body);

    let described = call(serving.address, ("GET", "/api/v1/openapi.json"), OPERATOR, "", "").await.json();
    assert_eq!(described["components"]["schemas"]["From1To3653"]["maximum"], 3_653);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_turns_the_reading_turns_nothing_on_a_page_and_is_given_back_as_it_was_written() {
    let node = Node::of(support::network::network());
    let about = "\"location\":\"zk01-de-linde\",\"provider\":\"p\",\"name\":\"De \u{202e}Linde\",\"mode\":\"beds\",\"care_types\":[\"ELV_LC\"],\"wards\":[\"Zuid\u{2066}\"]";
    let position = node.record(&[event(1, "location.registered", "zk01-de-linde", about)]).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let serving = node.serve().await;
    let nurse = Session::sign_in(serving.address, "linde").await;
    for path in ["/r/zk01", "/locaties", LINDE, SETUP] {
        let page = nurse.page(path).await;
        assert!(page.contains("De �Linde"), "{path}: {page}");
        assert!(!page.contains(['\u{202e}', '\u{2066}']), "{path}");
    }
    // A form says it as it was written: the ward that is stopped is the ward there is.
    let page = nurse.page(LINDE).await;
    assert!(page.contains("value=\"Zuid&#8294;\""), "{page}");
    let page = nurse.page(SETUP).await;
    assert!(page.contains("name=\"site[name]\" value=\"De &#8238;Linde\""), "{page}");
    let shown = asks(&serving, "location", "/locations/zk01-de-linde").await;
    assert_eq!(shown["location"]["name"], "De \u{202e}Linde", "what is stored is unchanged");
    serving.stop().await;
    node.stop().await;
}
