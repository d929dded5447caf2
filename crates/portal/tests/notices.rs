//! Where somebody is told that there is something: the page of notices, without a script, and who is told of what.
#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::sync::Arc;

use notifier::{Directory as _, Notifier, PushSetup, Recipient, Setup};
use portal::Staff;
use support::{Node, network};
use tests::form::form_to;
use tests::session::Session;

/// A point of P-256 as far as its form goes, and sixteen bytes.
const KEY: &str = "BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
const AUTH: &str = "AQEBAQEBAQEBAQEBAQEBAQ";

fn pushing(node: &mut Node) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let push =
        Some(PushSetup { services: "push.example".parse().unwrap(), contact: "n@test.example".to_owned() });
    node.app.notifier = Notifier::open(folder.path(), Setup { mail: None, push }).unwrap();
    folder
}

#[tokio::test]
async fn somebody_says_where_to_be_told_and_takes_it_back_without_a_script() {
    let mut node = Node::of(network::network());
    let _folder = pushing(&mut node);
    let serving = node.serve().await;
    let session = Session::sign_in(serving.address, "linde").await;
    let page = session.page("/meldingen").await;
    assert!(page.contains("Er is iets voor u in Doorstroom") && page.contains("E-mail staat uit"), "{page}");
    assert!(page.contains("href=\"/meldingen\" aria-current=\"page\""));
    let page = form_to(&page, "/meldingen/mail").with("mail", "zuster@delinde.example").send(&session).await;
    assert!(page.contains("value=\"zuster@delinde.example\""));
    // What the script fills in.
    let device = form_to(&page, "/meldingen/apparaat")
        .with("endpoint", "https://push.example/abc-secret")
        .with("key", KEY)
        .with("auth", AUTH);
    let page = device.send(&session).await;
    assert!(page.contains("Apparaat") && !page.contains("abc-secret"), "{page}");
    let page = form_to(&page, "/meldingen/apparaat/weg").send(&session).await;
    assert!(page.contains("Er is nog geen apparaat aangemeld"));
    let page = form_to(&page, "/meldingen/mail").with("mail", "").send(&session).await;
    assert!(!page.contains("zuster@"));
    let english = session.page("/meldingen?lang=en").await;
    assert!(english.contains("There is something for you in Doorstroom"));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn what_can_not_be_told_is_said_and_nothing_of_it_is_kept() {
    let mut node = Node::of(network::network());
    let _folder = pushing(&mut node);
    let serving = node.serve().await;
    let session = Session::sign_in(serving.address, "linde").await;
    let wrong = session.post("/meldingen/mail", &[("mail", "a@b.nl\r\nBcc: c@d.nl")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("role=\"alert\"") && !wrong.body.contains("Bcc"));
    let inside = [("endpoint", "https://169.254.169.254/latest"), ("key", KEY), ("auth", AUTH)];
    let wrong = session.post("/meldingen/apparaat", &inside).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(node.app.notifier.book().of("linde").devices.len(), 0);
    // Nobody, and a device on a ward, sign in first.
    for session in [Session::nobody(serving.address), Session::sign_in(serving.address, "tablet").await] {
        let answer = session.get("/meldingen").await;
        assert_eq!(answer.status, 303);
        assert!(answer.header("location").unwrap().starts_with("/inloggen"));
        assert_eq!(session.post("/meldingen/mail", &[("mail", "a@b.nl")]).await.status, 303);
    }
    assert_eq!(node.app.notifier.book().of("tablet").mail, None);
    let auditor = Session::sign_in(serving.address, "toezicht").await;
    assert!(auditor.page("/meldingen").await.contains("Voor uw rol"));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn the_worker_of_the_browser_is_served_for_the_whole_site_and_fetches_nothing() {
    let node = Node::of(network::network());
    let serving = node.serve().await;
    let worker = Session::nobody(serving.address).get("/sw.js").await;
    assert_eq!(worker.status, 200);
    assert_eq!(worker.header("service-worker-allowed"), Some("/"));
    assert!(worker.header("content-type").unwrap().starts_with("text/javascript"));
    assert!(worker.body.contains("/thuis") && !worker.body.contains("fetch("));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test]
async fn those_who_may_answer_are_told_and_nobody_else() {
    let node = Node::of(network::network());
    let now = Arc::clone(&node.app.now);
    let staff = Staff { door: Arc::clone(&node.app.door), registry: node.app.registry.clone(), now };
    let at = (node.app.now)();
    let told = |recipient: &Recipient| -> Vec<&str> {
        let all = ["loket", "linde", "tablet", "huisarts", "centrum", "toezicht", "niemand"];
        all.into_iter().filter(|account| staff.answers_for(account, recipient, at)).collect()
    };
    let location = |location: &str, region: &str| Recipient::Location {
        location: location.parse().unwrap(),
        region: region.parse().unwrap(),
    };
    assert_eq!(told(&location("zk01-de-linde", "zk01")), ["linde"]);
    assert_eq!(told(&location("zk01-de-beuk", "zk01")), Vec::<&str>::new());
    let desk = |region: &str, deputy: Option<&str>, but: Option<&str>| Recipient::Desk {
        region: region.parse().unwrap(),
        deputy: deputy.map(|name| name.parse().unwrap()),
        but: but.map(|source| source.parse().unwrap()),
    };
    assert_eq!(told(&desk("zk01", None, Some("urn:test:referrer"))), ["loket"]);
    assert_eq!(
        told(&desk("zk01", None, Some("urn:test:desk"))),
        Vec::<&str>::new(),
        "they made it themselves"
    );
    assert_eq!(told(&desk("zk01", Some("midden"), None)), ["loket", "centrum"]);
    assert_eq!(told(&desk("zk02", None, None)), Vec::<&str>::new());
    node.stop().await;
}

#[tokio::test]
async fn an_address_that_is_none_stays_in_its_field() {
    let node = Node::of(network::network());
    let serving = node.serve().await;
    let session = Session::sign_in(serving.address, "linde").await;
    let form = form_to(&session.page("/meldingen").await, "/meldingen/mail").with("mail", "zuster@");
    let wrong = form.try_send(&session).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert!(
        wrong.body.contains("role=\"alert\"") && wrong.body.contains("value=\"zuster@\""),
        "{}",
        wrong.body
    );
    serving.stop().await;
    node.stop().await;
}
