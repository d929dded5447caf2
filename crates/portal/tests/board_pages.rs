//! What the board says that can be admitted, to whom it says what does not fit, and whom a centre can ring.
//!
//! Not here: the numbers of the board (`pages`), what can be admitted (`domain`).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use domain::{Timestamp, Wall};
use support::houses::houses;
use support::network::network;
use support::{Node, event};
use tests::session::Session;

/// The node of the page tests with its houses, and what else was said.
async fn node(more: &[String]) -> Node {
    let node = Node::of(network());
    node.record(&houses()).await;
    if !more.is_empty() {
        node.record(more).await;
    }
    let head = node.log.reader().head().position;
    assert!(node.app.desk.state().wait_for(head).await);
    node
}

/// A house admits on the day after tomorrow only, from eight to five.
fn not_before_the_day_after_tomorrow(now: Timestamp) -> String {
    let days = ["mo", "tu", "we", "th", "fr", "sa", "su"];
    let day = days[(usize::from(Wall::at(now).unwrap().weekday) + 2) % 7];
    let windows =
        format!(r#""location":"zk01-de-linde","windows":[{{"days":["{day}"],"from":"08:00","to":"17:00"}}]"#);
    event(900, "location.windows-set", "zk01-de-linde", &windows)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_says_how_many_can_be_admitted_now_and_why_that_is_fewer_to_who_places_people() {
    let at = Node::of(network()).app.desk.now();
    let node = node(&[not_before_the_day_after_tomorrow(at)]).await;
    let serving = node.serve().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let cell = |page: &str, key: &str| {
        let rest = page.split(&format!("data-part=\"can {key}\"")).nth(1).unwrap().to_owned();
        rest.split("</td>").next().unwrap().to_owned()
    };
    let page = desk.page("/r/zk01").await;
    let linde = cell(&page, "zk01-de-linde/ELV_LC");
    assert!(linde.contains("<b>0</b>") && linde.contains("neemt op ") && linde.contains(" 08–17"), "{linde}");
    assert!(linde.contains("<small>vanaf ") && linde.contains(" 08:00 weer 2 plekken</small>"), "{linde}");
    assert!(!cell(&page, "zk01-de-beuk/ELV_LC").contains("weer"), "nothing to wait for: {page}");
    assert!(cell(&page, "zk01-de-beuk/ELV_LC").contains("<b>1</b>"), "{page}");
    assert!(cell(&page, "=ELV_LC").contains("<b>1</b>"), "the sum of three beds is what can be admitted");
    assert!(page.contains("vrij en bemand") && !page.contains("nu beschikbaar"), "{page}");
    let english = desk.page("/r/zk01?lang=en").await;
    assert!(cell(&english, "zk01-de-linde/ELV_LC").contains("admits "), "{english}");
    assert!(cell(&english, "zk01-de-linde/ELV_LC").contains("2 places again from "), "{english}");
    // The page behind the row, and that of the house itself, say it too.
    let behind = desk.page("/l/zk01-de-linde/cijfers/ELV_LC").await;
    let house = Session::sign_in(serving.address, "linde").await.page("/l/zk01-de-linde").await;
    assert!([behind, house].iter().all(|page| page.contains(" 08:00 weer 2 plekken")));
    let anybody = Session::nobody(serving.address).page("/r/zk01").await;
    assert!(!anybody.contains("data-part=\"can ") && anybody.contains("vrij en bemand"), "{anybody}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_said_to_the_desk_and_to_nobody_else() {
    let unknown = event(7, "bed.freed", "zk01-de-linde/99", r#""location":"zk01-de-linde","bed":"99""#);
    let node = node(&[unknown]).await;
    let serving = node.serve().await;
    let sentence = "Gaat over een bed dat wij niet kennen.";
    for (name, sees) in [("loket", true), ("huisarts", false), ("linde", false), ("toezicht", false)] {
        let page = Session::sign_in(serving.address, name).await.page("/r/zk01").await;
        assert_eq!(page.contains(sentence), sees, "{name}");
        assert_eq!(page.contains("<small>Bed vrij</small>"), sees, "{name}: what happened, in words");
        assert!(!page.contains("bed.freed"), "{name}: {page}");
    }
    let anybody = Session::nobody(serving.address).page("/r/zk01").await;
    assert!(!anybody.contains(sentence) && !anybody.contains("unknown-bed"), "{anybody}");
    assert!(!anybody.contains("Tegenspraken"), "{anybody}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_rings_first_who_can_admit_now_then_the_others_with_from_when() {
    let at = Node::of(network()).app.desk.now();
    let node = node(&[not_before_the_day_after_tomorrow(at)]).await;
    let serving = node.serve().await;
    let centre = Session::sign_in(serving.address, "centrum").await;
    let page = centre.page("/c/midden").await;
    let (_, lists) = page.split_once("id=\"centre-admits\"").unwrap();
    let (now, later) = lists.split_once("id=\"centre-admits-later\"").unwrap();
    assert!(now.contains("zk01-de-beuk") && !now.contains("zk01-de-linde"), "{now}");
    assert!(later.contains("zk01-de-linde") && later.contains(" 08:00</small>"), "{later}");
    assert!(later.contains("vanaf ") && later.contains("tel:0200000001"), "{later}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_took_in_as_many_as_agreed_says_why_and_that_it_can_again_at_midnight() {
    let limit = event(
        901,
        "location.intake-limit-set",
        "zk01-de-linde",
        r#""location":"zk01-de-linde","period":"day","max":1"#,
    );
    let node = node(&[limit]).await;
    let serving = node.serve().await;
    let today = Wall::at(node.app.desk.now()).unwrap().day;
    let nurse = Session::sign_in(serving.address, "linde").await;
    let (id, stay) = (uuid::Uuid::now_v7().to_string(), uuid::Uuid::now_v7().to_string());
    let admitted = [
        ("id", &*id),
        ("naar", "/l/zk01-de-linde"),
        ("stay", &*stay),
        ("place[location]", "zk01-de-linde"),
        ("place[bed]", "1"),
        ("place[care_type]", "ELV_LC"),
    ];
    let house = nurse.does("/doe/stays", &admitted).await;
    let page = Session::sign_in(serving.address, "centrum").await.page("/c/midden").await;
    // Else midnight came in between.
    if Wall::at(node.app.desk.now()).unwrap().day == today {
        let (_, later) = page.split_once("id=\"centre-admits-later\"").unwrap();
        for page in [&*house, later] {
            assert!(page.contains("hoogstens 1 mensen op; nog 0."), "{page}");
            assert!(page.contains(" 00:00 weer één plek"), "{page}");
        }
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_of_more_than_there_are_beds_is_refused_with_the_sum() {
    let node = node(&[]).await;
    let serving = node.serve().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let number = || uuid::Uuid::now_v7().to_string();
    let register = [
        ("id", &*number()),
        ("naar", "/"),
        ("location", "zk01-de-wilg"),
        ("site[provider]", "p"),
        ("site[name]", "De Wilg"),
        ("site[mode]", "counts"),
        ("site[care_types][]", "ELV_LC"),
    ];
    assert_eq!(desk.post("/doe/regions/zk01/locations", &register).await.status, 303);
    let counts = |occupied: &'static str| {
        [
            ("id", number()),
            ("naar", "/l/zk01-de-wilg".to_owned()),
            ("counts[0][care_type]", "ELV_LC".to_owned()),
            ("counts[0][physical]", "3".to_owned()),
            ("counts[0][occupied]", occupied.to_owned()),
            ("counts[0][offerable]", "1".to_owned()),
        ]
    };
    let send = async |occupied| {
        let fields = counts(occupied);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
        desk.post("/doe/locations/zk01-de-wilg/counts", &fields).await
    };
    let refused = send("9").await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("9 bezet en 1 vrij zijn samen meer dan 3 bedden"), "{}", refused.body);
    assert_eq!(send("2").await.status, 303);
    serving.stop().await;
    node.stop().await;
}

/// The alerts of the network's rules, folded from the log as the gateway folds them.
fn raised(node: &Node) -> std::sync::Arc<[views::AlertChange]> {
    let condition = views::Condition::OfferableBelow { care_type: "ELV_LC".into(), below: 2 };
    let rules = [views::Rule { region: "zk01".parse().unwrap(), condition }];
    let (mut alerts, mut changes) = (views::Alerts::new(rules), Vec::new());
    for record in node.log.reader().read(eventlog::Query::default()) {
        let eventlog::Record { position, recorded_at, content_type, bytes, .. } = record.unwrap();
        let recorded = contracts::recorded(position, recorded_at, &content_type, bytes).unwrap();
        alerts.project(&recorded, &mut changes);
    }
    alerts.raised().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_of_a_centre_says_since_when_it_is_so() {
    let mut node = node(&[support::bed_closed(1, 1), support::bed_closed(2, 2)]).await;
    let told = raised(&node);
    assert_eq!(told.len(), 1, "one bed is left, two are asked for: {told:?}");
    node.app.raised = tokio::sync::watch::channel(told.clone()).1;
    let serving = node.serve().await;
    let page = Session::sign_in(serving.address, "centrum").await.page("/c/midden").await;
    let alarms = page.split("data-part=\"alarms\"").nth(1).unwrap().split("</section>").next().unwrap();
    let since = jiff::Timestamp::from_microsecond(told[0].raised_at.as_micros()).unwrap();
    let since = since.to_zoned(jiff::tz::get!("Europe/Amsterdam")).strftime("%H:%M").to_string();
    // Of another day it says that too.
    assert!(alarms.contains("ELV") && alarms.contains("sinds ") && alarms.contains(&since), "{alarms}");
    serving.stop().await;
    node.stop().await;
}

/// What is said of a bed of De Linde.
fn linde_offers(number: u32, bed: u32, features: &str) -> String {
    let about = format!(r#""location":"zk01-de-linde","bed":"{bed}","features":[{features}]"#);
    event(number, "bed.changed", &format!("zk01-de-linde/{bed}"), &about)
}

/// Whether a location is on the board.
fn shows(page: &str, location: &str) -> bool {
    page.contains(&format!("<tbody class=\"place\" id=\"{location}\">"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_is_sieved_by_what_beds_have_and_says_what_is_asked_and_who_is_left_out() {
    let node = node(&[linde_offers(901, 1, r#""isolation""#), linde_offers(902, 2, "")]).await;
    let serving = node.serve().await;
    for name in ["loket", "huisarts", "centrum"] {
        let reader = Session::sign_in(serving.address, name).await;
        let page = reader.page("/r/zk01").await;
        assert!(
            shows(&page, "zk01-de-linde") && shows(&page, "zk01-de-beuk") && !page.contains("data-sieved")
        );
        let page = reader.page("/r/zk01?nodig=isolation").await;
        assert!(shows(&page, "zk01-de-linde") && !shows(&page, "zk01-de-beuk"), "{name}: {page}");
        let said = page.split("id=\"gezeefd\"").nth(1).unwrap().split("</p>").next().unwrap();
        assert!(
            said.contains("Alleen met: Isolatie.") && said.contains("Eén locatie staat hieronder"),
            "{said}"
        );
        assert!(
            said.contains("Eén locatie is verborgen") && said.contains("zegt niet wat de bedden"),
            "{said}"
        );
        // It stays asked for: in the form, with another care type, and in the other language.
        assert!(page.contains("name=\"nodig\" value=\"isolation\" checked"), "{page}");
        assert!(page.contains("href=\"/r/zk01?care_type=ELV_LC&#38;nodig=isolation\""), "{page}");
        assert!(page.contains("href=\"/r/zk01?nodig=isolation&#38;lang=en\""), "{page}");
        let nobody = reader.page("/r/zk01?nodig=isolation&nodig=bariatric&vrij=1&opname=1").await;
        assert!(!shows(&nobody, "zk01-de-linde") && nobody.contains("Geen locatie heeft dit"), "{nobody}");
        assert!(nobody.contains("Isolatie, Bariatrisch bed, nu vrij en bemand, nu op te nemen"), "{nobody}");
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_sieves_by_what_is_free_and_by_nothing_that_it_may_not_see() {
    let closed = event(
        901,
        "bed.closed",
        "zk01-de-beuk/1",
        r#""location":"zk01-de-beuk","bed":"1","reason":"maintenance""#,
    );
    let node = node(&[linde_offers(902, 1, r#""isolation""#), closed]).await;
    let serving = node.serve().await;
    let nobody = Session::nobody(serving.address);
    let page = nobody.page("/r/zk01?vrij=1").await;
    assert!(shows(&page, "zk01-de-linde") && !shows(&page, "zk01-de-beuk"), "{page}");
    assert!(page.contains("Alleen met: nu vrij en bemand.") && !page.contains("name=\"nodig\""), "{page}");
    let page = nobody.page("/r/zk01?nodig=isolation&opname=1").await;
    assert!(shows(&page, "zk01-de-linde") && shows(&page, "zk01-de-beuk"), "{page}");
    assert!(page.contains("Daarop is hier niet gefilterd") && !page.contains("id=\"gezeefd\""), "{page}");
    let house = Session::sign_in(serving.address, "linde").await.page("/r/zk01?nodig=isolation").await;
    assert!(shows(&house, "zk01-de-beuk") && house.contains("Daarop is hier niet gefilterd"), "{house}");
    serving.stop().await;
    node.stop().await;
}
