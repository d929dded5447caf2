//! Where a number comes from: every bed under the number it counts in, with the events that said so, for whoever may know.
//!
//! Not here: that counts are right (`domain`), the page of one event (`lookback`).

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::collections::BTreeMap;

use support::houses::houses;
use support::{Node, Serving, event, event_of, location_with_beds};
use tests::browser::Browser;
use tests::session::Session;
use views::{Availability, Basis, Counts, Row};

const LINDE: &str = "/l/zk01-de-linde/cijfers/ELV_LC";

async fn started() -> (Node, Serving) {
    let node = Node::of(support::network::network());
    node.record(&houses()).await;
    let serving = node.serve().await;
    (node, serving)
}

async fn stop(node: Node, serving: Serving) {
    serving.stop().await;
    node.stop().await;
}

/// In how many beds of the page each number counts.
fn counted(page: &str) -> BTreeMap<&str, u32> {
    let mut found = BTreeMap::new();
    for bed in page.split("<small class=\"in\">telt mee in: ").skip(1) {
        for number in bed.split("</small>").next().unwrap().split(", ") {
            *found.entry(number).or_default() += 1;
        }
    }
    found
}

/// The numbers of a row by the names on the page, without those that are 0.
fn numbers(row: &Row) -> BTreeMap<&'static str, u32> {
    let all = [
        ("vrij en bemand", row.offerable),
        ("ook inzetbaar", row.also_offerable),
        ("gereserveerd", row.held),
        ("wordt schoongemaakt", row.not_ready),
        ("bezet", row.occupied),
        ("waarvan wacht", row.waiting),
        ("buiten gebruik", row.closed),
        ("geen personeel", row.unstaffed),
        ("achter de hand", row.reserve),
        ("bedden", row.physical),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// The beds behind every row of the country add up to it.
fn adds_up(view: &Availability) -> usize {
    let rows: Vec<Row> = view.rows().filter(|row| row.basis == Basis::Beds).collect();
    for row in &rows {
        let parts = view.parts(&row.location, row.care_type);
        assert_eq!(parts.fold(Counts::default(), |sum, part| sum.plus(&part.adds)), row.counts(), "{row:?}");
    }
    rows.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_every_row_of_the_reference_data_as_many_beds_are_named_as_each_number_says() {
    let node = Node::start();
    let events = support::national();
    let serving = node.serve().await;
    let auditor = Session::sign_in(serving.address, "toezicht").await;
    let mut looked = 0;
    for half in events.chunks(events.len().div_ceil(2)) {
        let position = node.record(half).await;
        assert!(node.app.desk.state().wait_for(position).await);
        assert!(node.app.availability.read(adds_up) > 300);
        let region = "zk01".parse().unwrap();
        let rows: Vec<Row> = node.app.availability.read(|view| view.rows_of(&region).collect());
        for row in rows {
            let path = format!("/l/{}/cijfers/{}", row.location, row.care_type);
            let page = auditor.page(&path).await;
            assert!(page.len() < 100_000, "{path}: {}", page.len());
            assert!(page.contains(&format!("id=\"position\">{position}</span>")), "{path}");
            match row.basis {
                Basis::Beds => {
                    assert_eq!(counted(&page), numbers(&row), "{path}");
                    let beds = page.split("<small class=\"in\">").skip(1);
                    assert!(
                        beds.clone().all(|bed| bed.split("</ul>").next().unwrap().contains("class=\"pos\""))
                    );
                    looked += beds.count();
                }
                Basis::Reported => assert!(page.contains("Wat de locatie opgaf"), "{path}"),
            }
        }
    }
    assert!(looked > 100, "{looked}");
    stop(node, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bed_says_how_it_is_who_said_so_and_where_that_is_in_the_log_in_both_languages() {
    let (node, serving) = started().await;
    let nurse = Session::sign_in(serving.address, "linde").await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let (one, other) = (uuid::Uuid::now_v7().to_string(), uuid::Uuid::now_v7().to_string());
    let said = [("id", &*one), ("naar", LINDE)];
    nurse.does("/doe/locations/zk01-de-linde/beds/1/contaminated", &said).await;
    let stopped = [("id", &*other), ("naar", LINDE), ("reason", "staffing")];
    let page = nurse.does("/doe/locations/zk01-de-linde/stop", &stopped).await;
    let head = node.log.reader().head().position;
    let (bed, stop_at) = (format!("positie {}", head - 1), format!("positie {head}"));
    assert!(
        page.contains("<b>besmet</b>") && page.contains("opnamestop voor het hele huis: Personeel"),
        "{page}"
    );
    assert!(page.contains("(locatie)</bdi></small>"), "the source by its name and what it is");
    assert!(
        page.contains(&format!("<span class=\"pos\">{bed}</span>")),
        "a nurse looks back at nothing: {page}"
    );
    assert_eq!(
        counted(&page),
        BTreeMap::from([("bedden", 2), ("buiten gebruik", 1), ("wordt schoongemaakt", 1)])
    );

    let page = desk.page(LINDE).await;
    for (position, words) in [(head - 1, &bed), (head, &stop_at)] {
        let link = format!("href=\"/audit/gebeurtenis/{position}\">{words}</a>");
        assert!(page.contains(&link), "{link}");
        desk.page(&format!("/audit/gebeurtenis/{position}")).await;
    }
    let board = desk.page("/r/zk01").await;
    assert!(board.contains(" (locatie)\">"), "who said it last, in words: {board}");
    let page = desk.page(&format!("{LINDE}?lang=en")).await;
    assert!(
        page.contains("Where this number comes from") && page.contains("whole house: Staffing"),
        "{page}"
    );
    assert!(page.contains("counts in: being cleaned, beds"), "{page}");
    stop(node, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_the_beds_sees_the_row_as_on_the_board_and_nothing_behind_it() {
    let (node, serving) = started().await;
    let eik = "/l/zk02-de-eik/cijfers/ELV_LC";
    let (own, foreign) = (["linde", "loket", "centrum", "toezicht"], ["tablet", "huisarts", "verzekeraar"]);
    for who in own {
        let somebody = Session::sign_in(serving.address, who).await;
        assert!(somebody.page(LINDE).await.contains("telt mee in:"), "{who}");
        let page = somebody.page(eik).await;
        assert!(!page.contains("telt mee in:") && !page.contains("/audit/"), "{who}: another region's");
        assert!(page.contains("data-l=\"bedden\">1</td>"), "{who}: {page}");
    }
    let mut others = vec![Session::nobody(serving.address)];
    for who in foreign {
        others.push(Session::sign_in(serving.address, who).await);
    }
    for somebody in others {
        let page = somebody.page(LINDE).await;
        assert!(page.contains("data-l=\"bedden\">2</td>") && page.contains("is er voor wie"), "{page}");
        assert!(!page.contains("telt mee in:") && !page.contains("/audit/"), "{page}");
        for nowhere in
            ["/l/zk01-nergens/cijfers/ELV_LC", "/l/zk01-de-linde/cijfers/nonsens", "/l/X/cijfers/GRZ"]
        {
            assert_eq!(somebody.get(nowhere).await.status, 404, "{nowhere}");
        }
    }
    stop(node, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_bed_leads_to_its_referral_and_a_limit_says_why_fewer_can_come() {
    let (node, serving) = started().await;
    let referral = uuid::Uuid::now_v7();
    let of_bed = r#""location":"zk01-de-linde","bed":"2","care_type":"ELV_LC""#;
    let made = format!(
        r#""referral":"{referral}","origin":"gp","urgency":"urgent","channel":"phone","consent":true,"care_type":"ELV_LC""#
    );
    let hold = format!(r#"{of_bed},"referral":"{referral}","until":"2026-03-02T18:00:00.000Z""#);
    let limit = r#""location":"zk01-de-linde","period":"day","max":0"#;
    let lines = [
        event(900, "referral.made", &referral.to_string(), &made),
        event(901, "hold.granted", "zk01-de-linde/2", &hold),
        event(902, "location.intake-limit-set", "zk01-de-linde", limit),
    ];
    let position = node.record(&lines).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let desk = Session::sign_in(serving.address, "loket").await;
    let page = desk.page(LINDE).await;
    assert!(
        page.contains(&format!("href=\"/aanmelding/{referral}\"")) && page.contains("<b>gereserveerd tot "),
        "{page}"
    );
    assert!(
        page.contains("Nu op te nemen <span class=\"count\">0</span> <small>van 1 beschikbaar"),
        "{page}"
    );
    assert!(page.contains("neemt hoogstens 0 mensen op, per dag (Alle zorgsoorten)"), "{page}");
    let centre = Session::sign_in(serving.address, "centrum").await;
    let page = centre.page(LINDE).await;
    assert!(page.contains("<b>gereserveerd tot ") && !page.contains(&referral.to_string()), "{page}");
    stop(node, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_row_shows_its_report_and_what_happened_since() {
    let (node, serving) = started().await;
    let stay = "019cabd9-7c38-7650-a69e-00000000beef";
    let house = "zk01-de-es";
    let counts = |physical: u32, offerable: u32| {
        format!(
            r#""location":"{house}","counts":[{{"care_type":"GRZ","physical":{physical},"occupied":2,"offerable":{offerable}}}]"#
        )
    };
    let lines = [
        event(
            950,
            "location.registered",
            house,
            &format!(
                r#""location":"{house}","provider":"p","name":"De Es","mode":"counts","care_types":["GRZ"]"#
            ),
        ),
        event(951, "location.counts-reported", house, &counts(9, 7)),
        event(952, "location.counts-reported", house, &counts(6, 3)),
        event(
            953,
            "stay.admitted",
            house,
            &format!(r#""stay":"{stay}","location":"{house}","care_type":"GRZ""#),
        ),
        event(
            954,
            "stay.waiting-for",
            stay,
            &format!(r#""stay":"{stay}","what":"home-care","since":"2026-03-02T10:00:00.000Z""#),
        ),
    ];
    let position = node.record(&lines).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let desk = Session::sign_in(serving.address, "loket").await;
    let page = desk.page("/l/zk01-de-es/cijfers/GRZ").await;
    assert!(
        page.contains("opgegeven: 6 bedden, 2 bezet, 3 beschikbaar") && !page.contains("9 bedden"),
        "{page}"
    );
    assert!(page.contains("<b>opgenomen</b>") && page.contains("wacht op Zorg thuis, sinds "), "{page}");
    let page = desk.page("/l/zk01-de-es/cijfers/GRZ?lang=en").await;
    assert!(page.contains("reported: 6 beds, 2 occupied, 3 available"), "{page}");
    let page = desk.page("/l/zk01-de-es/cijfers/HOSPICE").await;
    assert!(page.contains("heeft de locatie nu geen bedden"), "{page}");
    stop(node, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_big_house_has_a_small_page_that_says_what_is_left_off() {
    let node = Node::of(support::network::network());
    let position = node.record(&location_with_beds("De Linde", 300)).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let serving = node.serve().await;
    let page = Session::sign_in(serving.address, "loket").await.page(LINDE).await;
    assert!(page.len() < 100_000, "{}", page.len());
    assert!(page.contains("220 bedden staan er niet bij"), "{page}");
    assert_eq!(counted(&page), BTreeMap::from([("bedden", 80), ("vrij en bemand", 80)]));
    stop(node, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_board_leads_to_what_is_behind_it_and_every_sum_to_its_rows() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let sum = "href=\"/r/zk01?care_type=ELV_LC#locaties\"";
    let board = desk.page("/r/zk01").await;
    assert_eq!(
        board.matches(sum).count(),
        2,
        "in the table of what can be admitted, and of what is: {board}"
    );
    assert!(board.contains(&format!("href=\"{LINDE}\"")) && board.contains("id=\"locaties\""), "{board}");
    let rows = desk.page("/r/zk01?care_type=ELV_LC").await;
    assert!(rows.contains("href=\"/l/zk01-de-beuk/cijfers/ELV_LC\""), "{rows}");
    let house = desk.page("/l/zk01-de-linde").await;
    assert!(house.contains(&format!("href=\"{LINDE}\"")), "{house}");
    let flow = desk.page("/r/zk01/stroom").await;
    assert!(flow.contains("Geteld uit wat er in het logboek staat tot en met positie"), "{flow}");
    stop(node, serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_elsewhere_is_on_the_page_without_a_reload() {
    let (node, serving) = started().await;
    let at = format!("http://{}", serving.address);
    let mut desk = Browser::open(&format!("{at}/")).await;
    desk.sign_in(&at, "loket").await;
    desk.go(&format!("{at}{LINDE}")).await;
    desk.evaluate("window.same = true").await;
    let stay = "019cabd9-7c38-7650-a69e-00000000beef";
    let admitted = format!(r#""stay":"{stay}","location":"zk01-de-linde","bed":"1","care_type":"ELV_LC""#);
    node.record(&[event(960, "stay.admitted", "zk01-de-linde/1", &admitted)]).await;
    desk.until("document.getElementById('occupied')?.textContent.includes('opgenomen')").await;
    // A wait names no location.
    let waits = format!(r#""stay":"{stay}","what":"home-care","since":"2026-03-02T10:00:00.000Z""#);
    node.record(&[event_of("zk01", 961, "stay.waiting-for", stay, &waits)]).await;
    desk.until("document.getElementById('occupied').textContent.includes('wacht op Zorg thuis')").await;
    assert_eq!(desk.evaluate("window.same === true && !window.violations").await, true, "it was reloaded");
    desk.close().await;
    stop(node, serving).await;
}
