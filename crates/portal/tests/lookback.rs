//! Looking back, the flow of a region, and the regions of a centre: what is on the pages, and for whom.
//!
//! Not here: the pictures and sums themselves (tests beside them), who may what (the table of `domain`).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};

use network::{Network, TokenHash};
use serde_json::{Value, json};
use support::{Node, Serving, event, event_of, location_with_beds};
use tests::http::{call, get};
use tests::session::Session;

static AMSTERDAM: jiff::tz::TimeZone = jiff::tz::get!("Europe/Amsterdam");
static NEXT: AtomicU64 = AtomicU64::new(1);

/// An id as its maker makes it, far from every other.
fn id() -> String {
    format!("019391f2-6f00-7a11-8c11-{:012x}", NEXT.fetch_add(1, Ordering::SeqCst) * 1_000)
}

fn token(name: &str) -> String {
    format!("dst_{:0>64}", TokenHash::of(name).to_string())
}

/// Two regions with their desks, a house and a centre that wants to be told.
fn network() -> Network {
    let mut text: String = ["zk01", "zk02"]
        .map(|code| {
            format!(
                "[[region]]\ncode = \"{code}\"\nname = \"Streek {code}\"\ndesk = {{ name = \"Loket\", phone = \"0800\", hours = \"altijd\" }}\ntile = {{ column = 5, row = {} }}\n",
                if code == "zk01" { 4 } else { 5 }
            )
        })
        .concat();
    text.push_str(
        "[[centre]]\ncode = \"midden\"\nname = \"Acute zorg Midden\"\nregions = [\"zk01\", \"zk02\"]\n",
    );
    text.push_str(
        "[[alert]]\ncentre = \"midden\"\nkind = \"offerable-below\"\ncare_type = \"ELV_LC\"\nbelow = 3\n",
    );
    let sources = [
        ("desk", "loket", "desk", "zk01"),
        ("desk2", "loket", "desk", "zk02"),
        ("location", "zk01-de-linde", "location", "zk01"),
        ("referrer", "huisarts", "referrer", "zk01"),
        ("centre", "midden", "centre", "zk01"),
    ];
    for (urn, name, kind, region) in sources {
        let hash = TokenHash::of(&token(urn));
        let source = format!(
            "[[source]]\nid = \"urn:test:{urn}\"\nname = \"{name}\"\nkind = \"{kind}\"\nregion = \"{region}\"\ntokens = [{{ sha256 = \"{hash}\", from = \"2026-01-01T00:00:00Z\" }}]\n"
        );
        text.push_str(&source);
    }
    Network::from_toml("network.toml", &text).unwrap()
}

struct House {
    node: Node,
    serving: Serving,
}

impl House {
    /// De Linde in zk01 with two beds.
    async fn start() -> Self {
        let node = Node::of(network());
        node.record(&location_with_beds("De <b>Linde</b>", 2)).await;
        let serving = node.serve().await;
        Self { node, serving }
    }

    async fn done(&self, who: &str, path: &str, mut body: Value) -> u64 {
        body["id"] = id().into();
        let path = format!("/api/v1{path}");
        let answer = call(self.serving.address, ("POST", &path), &token(who), "", &body.to_string()).await;
        assert_eq!(answer.status, 201, "{who} {path}: {}", answer.body);
        answer.json()["position"].as_u64().unwrap()
    }

    /// A crisis referral with the desk of a region; its id.
    async fn referral(&self, who: &str, region: &str) -> String {
        let referral = id();
        let profile = json!({
            "origin": "gp", "urgency": "crisis", "care_type": "ELV_LC", "area": "35", "age_band": "80-84",
            "channel": "phone", "consent": true,
        });
        let private = "Mevrouw Jansen, Kerkstraat 1";
        let body = json!({ "region": region, "referral": referral, "not_a_double": true, "profile": profile, "private": private });
        self.done(who, "/referrals", body).await;
        referral
    }

    /// A referral that was placed in the first bed: its id, and the position just before somebody was admitted.
    async fn placed(&self) -> (String, u64) {
        let referral = self.referral("desk", "zk01").await;
        let at = |what: &str| format!("/referrals/{referral}{what}");
        let offer = id();
        let to = json!([{ "offer": offer, "location": "zk01-de-linde", "care_type": "ELV_LC" }]);
        let before = self.done("desk", &at("/offers"), json!({ "to": to })).await;
        let accept = json!({ "from": tests::in_minutes(0), "role": "nurse", "care_type": "ELV_LC" });
        self.done("location", &at(&format!("/offers/{offer}/accept")), accept).await;
        let place = json!({ "location": "zk01-de-linde", "bed": "1", "care_type": "ELV_LC" });
        let last = self
            .done("location", "/stays", json!({ "stay": id(), "referral": referral, "place": place }))
            .await;
        for view in [self.node.app.flow.wait_for(last).await, self.node.app.availability.wait_for(last).await]
        {
            assert!(view);
        }
        (referral, before)
    }

    async fn session(&self, name: &str) -> Session {
        Session::sign_in(self.serving.address, name).await
    }

    async fn stop(self) {
        self.serving.stop().await;
        self.node.stop().await;
    }
}

/// The first row of a table in a part of a page: the text of its cells.
fn cells(html: &str) -> Vec<String> {
    let row = html.split("<tbody>").nth(1).unwrap().split("</tr>").next().unwrap();
    texts(row)
}

/// The text of each cell of a row.
fn texts(row: &str) -> Vec<String> {
    let mut found = Vec::new();
    for cell in row
        .split("<t")
        .filter(|part| part.starts_with("d ") || part.starts_with("d>") || part.starts_with("h "))
    {
        let mut text = String::new();
        let mut inside = false;
        for character in cell.split_once('>').unwrap().1.chars() {
            match character {
                '<' => inside = true,
                '>' => inside = false,
                other if !inside => text.push(other),
                _ => {}
            }
        }
        found.push(text.trim().to_owned());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_goes_back_to_before_the_placement_and_sees_the_bed_free() {
    let house = House::start().await;
    let (referral, before) = house.placed().await;
    let auditor = house.session("toezicht").await;
    let now = cells(&auditor.page("/audit").await);
    assert_eq!(&now[2..8], ["1", "0", "0", "0", "1", "0"], "one free, one occupied: {now:?}");
    let page = auditor.page(&format!("/audit?positie={before}&aanmelding={referral}")).await;
    let then = cells(&page);
    assert_eq!((&*then[2], &*then[6]), ("2 nu 1", "0 nu 1"), "{then:?}");
    // Each row leads to the events behind each of its numbers.
    let all = auditor.page("/audit").await;
    assert!(all.contains(r#"href="/l/zk01-de-linde/cijfers/ELV_LC""#), "{all}");
    assert_eq!(auditor.get("/l/zk01-de-linde/cijfers/ELV_LC").await.status, 200);
    // The parts of a row are its beds: each of them is a column.
    let number = |index: usize| now[index].parse::<u32>().unwrap();
    let parts: u32 = [2, 4, 5, 6, 8, 9, 10].map(number).iter().sum();
    assert_eq!((parts, now.len()), (number(11), 13), "{now:?}");
    assert!(page.contains("laatste bericht") && page.contains("ook als dat over een andere regel"), "{page}");
    assert!(page.contains("au-diff") && page.contains("Eén regel is nu anders"), "what differs is marked");
    assert!(!page.contains("De <b>Linde</b>") && page.contains("Linde"));
    // What happened to the referral, with what was not known then; the list as it was shown; nothing personal.
    assert!(page.contains("na dit moment") && page.contains("de lijst zoals die toen getoond werd"));
    assert!(
        page.contains("zk01-de-linde") && page.contains("×30"),
        "the receipt with what its parts were worth"
    );
    assert!(!page.contains("Jansen"));
    // Every entry leads to its event.
    assert!(page.contains(&format!("/audit/gebeurtenis/{before}")));
    let english = auditor.page(&format!("/audit?positie={before}&aanmelding={referral}&lang=en")).await;
    assert!(english.contains("One line is different now"), "{english}");
    assert!(english.contains("after this moment") && !english.contains('⚠'));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_later_stands_beside_what_was_known_and_a_time_can_be_chosen_too() {
    let house = House::start().await;
    let auditor = house.session("toezicht").await;
    // The beds were added after the first event, and had been there before by their source's word.
    let page = auditor.page("/audit?positie=1").await;
    assert!(page.contains("bed.added") && page.contains("zk01-de-linde/1"), "{page}");
    let all = auditor.page("/audit").await;
    assert!(all.contains("wat toen gebeurd was, was toen ook bekend"));
    // Long before the log began nothing was known; long after it everything is.
    let long_ago = auditor.page("/audit?tijd=2020-01-01T00:00").await;
    assert_eq!(cells(&long_ago)[2], "– nu 2", "{long_ago}");
    let ahead = auditor.page("/audit?tijd=2090-01-01T00%3A00&positie=").await;
    assert_eq!(cells(&ahead)[2], "2");
    assert!(ahead.contains("Dat tijdstip moet nog komen") && !all.contains("moet nog komen"), "{ahead}");
    let beyond = auditor.page("/audit?positie=99999999").await;
    assert!(beyond.contains("Het logboek gaat tot positie 3"), "{beyond}");
    // Words, with the code beside them.
    assert!(page.contains(r#"<abbr title="bed.added.v1">Bed toegevoegd</abbr>"#), "{page}");
    assert_eq!(auditor.get("/audit?tijd=gisteren").await.status, 400);
    assert_eq!(auditor.get("/audit?positie=gisteren").await.status, 400);
    assert_eq!(auditor.get("/audit?regio=zk99").await.status, 404);
    // Another region than those of the mandate is neither offered nor opened.
    assert_eq!(auditor.get("/audit?regio=zk02").await.status, 404);
    assert!(!all.contains(r#"<option value="zk02""#) && all.contains(r#"<option value="zk01""#), "{all}");
    assert!(auditor.page("/audit?aanmelding=jansen").await.contains("geen nummer van een aanmelding"));
    // Before the first record there is no moment, and what is no number changes no moment.
    for path in ["/audit?positie=0", "/audit/aanmeldingen?positie=0"] {
        let before = auditor.page(path).await;
        assert!(before.contains("toen was nog niets vastgelegd") && !before.contains("1970"), "{before}");
    }
    assert!(auditor.page("/audit?positie=0").await.contains("Bekend op positie 0: nog niets"));
    let standing = |page: &str| {
        page.split("class=\"standing\">").nth(1).unwrap().split("</p>").next().unwrap().to_owned()
    };
    let list = auditor.page("/audit/aanmeldingen?positie=1").await;
    let wrong = auditor.page("/audit/aanmeldingen?positie=1&nummer=zz").await;
    assert_eq!(standing(&wrong), standing(&list));
    assert!(!wrong.contains("1970"), "{wrong}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_at_once_is_not_told_later() {
    let house = House::start().await;
    let (_, before) = house.placed().await;
    let auditor = house.session("toezicht").await;
    // The rest of the placement comes after this position, and was recorded as it happened.
    let page = auditor.page(&format!("/audit?positie={before}")).await;
    assert!(page.contains("wat toen gebeurd was, was toen ook bekend"), "{page}");
    let event = auditor.page(&format!("/audit/gebeurtenis/{before}")).await;
    assert!(event.contains(r#"<abbr title="offer.sent.v1">Voorgelegd</abbr>"#), "{event}");
    assert!(event.contains(r#"title="region:zk01">regio Streek zk01<"#), "{event}");
    assert!(event.contains(r#"title="location:zk01-de-linde">locatie De "#), "{event}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_of_another_region_is_not_there_for_a_supervisor_and_sums_are_all_an_insurer_sees() {
    let house = House::start().await;
    let other = house.referral("desk2", "zk02").await;
    let own = house.referral("desk", "zk01").await;
    let auditor = house.session("toezicht").await;
    assert_eq!(auditor.get(&format!("/audit?aanmelding={own}")).await.status, 200);
    let foreign = auditor.get(&format!("/audit?aanmelding={other}")).await;
    let nobody = auditor.get(&format!("/audit?aanmelding={}", id())).await;
    assert_eq!((foreign.status, nobody.status), (404, 404));
    let number = |body: &str| body.split("nummer=").nth(1).unwrap()[..36].to_owned();
    let without = |body: &str| body.replace(&number(body), "");
    assert_eq!(without(&foreign.body), without(&nobody.body), "another's looks like nobody's");
    // The moment is looked back at all the same.
    assert!(
        nobody.body.contains("Een aanmelding met dit nummer is er niet")
            && nobody.body.contains("id=\"when-h\"")
    );
    // Their events stand at the last two positions: that of zk02 is not there either.
    let head = house.node.app.reader.head().position;
    let statuses: Vec<u16> = {
        let mut found = Vec::new();
        for position in (1..=head).rev().take(4) {
            found.push(auditor.get(&format!("/audit/gebeurtenis/{position}")).await.status);
        }
        found
    };
    assert!(statuses.contains(&200) && statuses.contains(&404), "{statuses:?}");
    assert_eq!(auditor.get(&format!("/audit/gebeurtenis/{}", head + 1)).await.status, 404);
    let insurer = house.session("verzekeraar").await;
    let away = insurer.get("/audit").await;
    assert_eq!((away.status, away.header("location")), (303, Some("/r/zk01/stroom")));
    assert_eq!(insurer.get("/r/zk01/stroom").await.status, 200);
    assert_eq!(insurer.get("/r/zk02/stroom").await.status, 404);
    assert_eq!(insurer.get("/audit/gebeurtenis/1").await.status, 403);
    for name in ["linde", "huisarts", "tablet"] {
        let answer = house.session(name).await.get("/audit").await;
        assert!([403, 303].contains(&answer.status), "{name}: {}", answer.status);
    }
    let stranger = get(house.serving.address, "/audit?positie=1").await;
    assert_eq!(
        (stranger.status, stranger.header("location")),
        (303, Some("/inloggen?naar=%2Faudit%3Fpositie%3D1"))
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_the_past_leads_to_the_events_of_then_and_opens_no_feed() {
    let house = House::start().await;
    let (_, before) = house.placed().await;
    let auditor = house.session("toezicht").await;
    let (row, then) = ("/l/zk01-de-linde/cijfers/ELV_LC", format!("positie={before}"));
    let past = auditor.page(&format!("/audit?{then}")).await;
    assert!(
        past.contains(&format!("href=\"{row}?{then}\"")) && !past.contains(&format!("{row}\"")),
        "{past}"
    );
    let free = "data-l=\"vrij en bemand\">2</td>";
    let page = auditor.page(&format!("{row}?{then}")).await;
    assert!(page.contains(free) && page.contains("niet wat er nu is"), "{page}");
    assert!(page.contains("vrij") && !page.contains("opgenomen"), "nothing that was recorded later: {page}");
    for link in page.split("/audit/gebeurtenis/").skip(1) {
        let position: u64 = link.split('"').next().unwrap().parse().unwrap();
        assert!(position <= before, "{position}");
    }
    assert!(page.contains(&format!("/audit?regio=zk01&amp;{then}")), "back to the board of then: {page}");
    let english = auditor.page(&format!("{row}?{then}&lang=en")).await;
    assert!(english.contains("not what is so now") && !english.contains('⚠'), "{english}");
    // Whoever may not be told of changes is not, and nobody is told of the past.
    let desk = house.session("loket").await;
    let feed = "data-follow=\"/volgen/l/zk01-de-linde\"";
    let now = auditor.page(row).await;
    assert!(!now.contains(free) && now.contains("opgenomen") && !now.contains(feed), "{now}");
    assert!(desk.page(row).await.contains(feed));
    assert!(!desk.page(&format!("{row}?{then}")).await.contains(feed));
    assert_eq!(auditor.get(&format!("{row}?positie=0")).await.status, 404, "nothing was known then");
    assert_eq!(auditor.get(&format!("{row}?positie=toen")).await.status, 400);
    assert_eq!(house.session("linde").await.get(&format!("{row}?{then}")).await.status, 403);
    assert_eq!(get(house.serving.address, &format!("{row}?{then}")).await.status, 303);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_finds_a_referral_by_what_is_known_of_it_as_it_stood_at_the_chosen_moment() {
    let house = House::start().await;
    let (placed, before) = house.placed().await;
    let open = house.referral("desk", "zk01").await;
    let foreign = house.referral("desk2", "zk02").await;
    let auditor = house.session("toezicht").await;
    let listed = async |query: &str| {
        let page = auditor.page(&format!("/audit/aanmeldingen?{query}")).await;
        assert!(!page.contains(&foreign) && !page.contains("Jansen") && !page.contains('⚠'), "{page}");
        (page.contains(&format!("<code>{placed}</code>")), page.contains(&format!("<code>{open}</code>")))
    };
    assert_eq!(listed("").await, (true, true));
    // As known now, and as known before anybody was admitted.
    for (query, found) in [
        ("stand=admitted", (true, false)),
        ("stand=open", (false, true)),
        (&format!("stand=open&positie={before}"), (true, false)),
        (&format!("stand=admitted&positie={before}"), (false, false)),
        ("positie=1", (false, false)),
        ("zorgsoort=ELV_LC&regio=zk01", (true, true)),
        ("zorgsoort=GRZ", (false, false)),
        ("dag=2020-02-29", (false, false)),
        (&format!("nummer={}", &placed.to_uppercase()[..placed.len() - 1]), (true, false)),
    ] {
        assert_eq!(listed(query).await, found, "{query}");
    }
    // The day it was made, in the Netherlands.
    let today = tests::in_minutes(0).parse::<domain::Timestamp>().unwrap();
    let made = [-1, 0].map(|days| {
        let at = jiff::Timestamp::from_microsecond(today.as_micros() + days * 60_000_000).unwrap();
        at.to_zoned(AMSTERDAM.clone()).strftime("dag=%F").to_string()
    });
    let [before_now, now] = [listed(&made[0]).await, listed(&made[1]).await];
    assert!((before_now.0 || now.0) && (before_now.1 || now.1), "{made:?}");
    // The number of a stay leads to its referral, and the line to what became of it, both at the same moment.
    let page = auditor.page("/audit/aanmeldingen?stand=admitted").await;
    let stay = page.split("Verblijf <code>").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(listed(&format!("nummer={stay}")).await, (true, false));
    // So it does from where a number of a referral is asked for.
    let mistaken = auditor.get(&format!("/audit?regio=zk01&aanmelding={stay}")).await;
    assert_eq!(mistaken.status, 404);
    let to = mistaken
        .body
        .split("href=\"/audit/aanmeldingen?")
        .find(|rest| rest.contains(stay) && rest.find(stay) < rest.find('"'));
    let to = to.unwrap().split('"').next().unwrap().replace("&#38;", "&");
    assert_eq!(listed(&to).await, (true, false), "{to}");
    let head = house.node.app.reader.head().position;
    let link = format!("/audit?regio=zk01&#38;positie={head}&#38;aanmelding={placed}");
    assert!(page.contains(&link), "{page}");
    // From the page of the past it is one step, also with the first signs of a number.
    let past = auditor.page(&format!("/audit?positie={before}")).await;
    assert!(past.contains(&format!("/audit/aanmeldingen?regio=zk01&#38;positie={before}")), "{past}");
    let signs = auditor.get(&format!("/audit?positie={before}&aanmelding={}", &placed[..8])).await;
    let to = format!("/audit/aanmeldingen?regio=zk01&positie={before}&nummer={}", &placed[..8]);
    assert_eq!((signs.status, signs.header("location")), (303, Some(&*to)));
    for (query, status) in
        [("regio=zk02", 404), ("dag=gisteren", 400), ("stand=kwijt", 400), ("positie=x", 400)]
    {
        assert_eq!(auditor.get(&format!("/audit/aanmeldingen?{query}")).await.status, status, "{query}");
    }
    assert!(auditor.page("/audit/aanmeldingen?nummer=jansen").await.contains("Zo begint geen nummer"));
    for name in ["verzekeraar", "linde", "huisarts"] {
        assert_eq!(house.session(name).await.get("/audit/aanmeldingen").await.status, 403, "{name}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_referrals_goes_on_page_by_page_and_none_is_left_out_or_comes_twice() {
    let house = House::start().await;
    let made: Vec<String> = (0..60)
        .map(|number| {
            let referral = id();
            let profile = format!(
                r#""referral":"{referral}","origin":"gp","urgency":"planned","care_type":"ELV_LC","channel":"phone","consent":true"#
            );
            event(5_000 + number, "referral.made", &referral, &profile)
        })
        .collect();
    let last = house.node.record(&made).await;
    assert!(house.node.app.desk.state().wait_for(last).await);
    let auditor = house.session("toezicht").await;
    for first in ["/audit/aanmeldingen", "/audit/aanmeldingen?dag=2026-03-02"] {
        let (mut next, mut found) = (Some(first.to_owned()), Vec::new());
        while let Some(address) = next {
            let page = auditor.page(&address).await;
            found.extend(page.split("aanmelding=").skip(1).map(|rest| rest[..36].to_owned()));
            next = page
                .split("class=\"button\" href=\"")
                .filter_map(|rest| rest.split('"').next())
                .find_map(|link| link.contains("verder=").then(|| link.replace("&#38;", "&")));
            assert!(found.len() <= made.len(), "{first}");
        }
        let one_each: std::collections::BTreeSet<_> = found.iter().collect();
        assert_eq!((found.len(), one_each.len()), (60, 60), "{first}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_later_is_shown_to_whoever_may_look_at_the_event_itself() {
    let house = House::start().await;
    let before = house.node.app.desk.now().saturating_add_micros(-3_600_000_000).to_string();
    let mut told = Vec::new();
    for (who, region) in [("desk", "zk01"), ("desk2", "zk02")] {
        let referral = id();
        let profile = json!({ "origin": "gp", "urgency": "planned", "care_type": "ELV_LC", "channel": "phone", "consent": true });
        let body = json!({
            "region": region, "referral": referral, "not_a_double": true, "profile": profile,
            "occurred_at": before,
        });
        told.push((region, referral, house.done(who, "/referrals", body).await));
    }
    // (who, whether what happened in zk01 is theirs, whether what happened in zk02 is)
    for (name, one, two) in [("loket", true, false), ("toezicht", true, false), ("centrum", false, false)] {
        let session = house.session(name).await;
        for ((region, referral, position), own) in told.iter().zip([one, two]) {
            let page = session.get(&format!("/audit?regio={region}&positie={}", position - 1)).await.body;
            assert_eq!(page.contains(&**referral), own, "{name} {region}");
            assert_eq!(page.contains("referral.made"), own, "{name} {region}");
            let event = session.get(&format!("/audit/gebeurtenis/{position}")).await;
            assert_eq!(event.status == 200, own, "{name} {region}: the event itself");
        }
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_shown_as_recorded_with_its_place_in_the_log_and_how_to_prove_it() {
    let house = House::start().await;
    house.referral("desk", "zk01").await;
    let head = house.node.app.reader.head().position;
    let auditor = house.session("toezicht").await;
    let bed = auditor.page("/audit/gebeurtenis/2").await;
    assert!(bed.contains("bed.added.v1") && bed.contains("bed:zk01-de-linde/1"), "{bed}");
    assert!(bed.contains("2026-03-02T10:30:00.000Z"), "when it happened by its source");
    let leaf = house.node.app.reader.record(2).unwrap().unwrap().leaf;
    assert!(bed.contains(&leaf.map(|byte| format!("{byte:02x}")).concat()));
    assert!(bed.contains("doorstroom audit proof 2 --out"), "this log has no key: no head of it is signed");
    assert_eq!(auditor.get("/audit/gebeurtenis/2/bewijs").await.status, 404);
    let mut sealed = String::new();
    for position in 1..=head {
        let page = auditor.page(&format!("/audit/gebeurtenis/{position}")).await;
        if page.contains("referral.made") {
            sealed = page;
        }
    }
    assert!(sealed.contains("ciphertext") && sealed.contains("… ("), "{sealed}");
    assert!(!sealed.contains("Jansen") && !sealed.contains("⚠"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_log_is_there_for_whoever_may_look_back() {
    let house = House::start().await;
    let key = house.session("toezicht").await.get("/audit/log.vkey").await;
    assert_eq!((key.status, key.body.trim_end()), (200, support::LOG_KEY));
    assert!(key.header("content-disposition").unwrap().contains("filename=\"log.vkey\""));
    assert_eq!(house.session("huisarts").await.get("/audit/log.vkey").await.status, 403);
    assert_eq!(get(house.serving.address, "/audit/log.vkey").await.status, 303);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flow_of_a_region_has_charts_with_their_tables_and_the_same_numbers_in_a_file() {
    let house = House::start().await;
    house.placed().await;
    let desk = house.session("loket").await;
    for (lang, one) in [("nl", "Instroom per dag"), ("en", "Inflow per day")] {
        let page = desk.page(&format!("/r/zk01/stroom?dagen=7&lang={lang}")).await;
        // Today is not over: how many beds are occupied now is said, and why nothing is of tomorrow.
        let now = ["Bedden die nu bezet zijn: 1.", "Beds occupied now: 1."];
        assert!(now.iter().any(|now| page.contains(now)), "{page}");
        assert!(page.contains("van vier dezelfde weekdagen") || page.contains("four of the same weekday"));
        assert!(page.contains(one) && !page.contains('⚠') && !page.contains("style="), "{page}");
        for chart in ["instroom", "doorstroom", "herkomst", "plaatsing"] {
            let part =
                page.split(&format!("id=\"{chart}\"")).nth(1).unwrap().split("</section>").next().unwrap();
            if part.contains("class=\"empty\"") {
                assert_eq!(chart, "doorstroom", "nobody stayed for half a day yet");
                continue;
            }
            assert!(part.contains("role=\"img\"") && part.contains("<title"), "{part}");
            let table: Vec<String> = part
                .split("<tr>")
                .skip(1)
                .map(|row| texts(row.split("</tr>").next().unwrap()).join(","))
                .collect();
            let file = desk.get(&format!("/r/zk01/stroom/{chart}.csv?dagen=7&lang={lang}")).await;
            assert!(file.header("content-type").unwrap().starts_with("text/csv; charset=utf-8"));
            // Only a name with a comma in it has quotes in the file.
            let lines: Vec<String> =
                file.body.split_terminator("\r\n").map(|line| line.replace('"', "")).collect();
            if ["instroom", "doorstroom"].contains(&chart) {
                // People read days, programs dates; the numbers are the same.
                let numbers = |line: &String| line.split_once(',').unwrap().1.to_owned();
                let of = |lines: &[String]| lines.iter().skip(1).map(numbers).collect::<Vec<_>>();
                assert_eq!(of(&lines), of(&table), "{chart}");
                assert!(lines.last().unwrap().starts_with("20") && !table.last().unwrap().starts_with("20"));
            } else {
                assert_eq!(lines, table, "{chart}");
            }
        }
        let inflow = page.split("id=\"instroom\"").nth(1).unwrap();
        let last = inflow.split("</tbody>").next().unwrap().split("<tr>").last().unwrap();
        assert_eq!(texts(last)[1], "1", "one came today");
        assert!(!page.contains("fl-tomorrow"), "one day is no forecast");
    }
    assert_eq!(desk.get("/r/zk01/stroom/nergens.csv").await.status, 404);
    assert_eq!(desk.get("/r/zk02/stroom").await.status, 404);
    assert_eq!(house.session("linde").await.get("/r/zk01/stroom").await.status, 403);
    let page = desk.page("/r/zk01/stroom?dagen=90").await;
    assert!(page.len() < 100_000, "{} bytes", page.len());
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_finds_a_bed_in_its_regions_with_the_number_that_is_answered_now() {
    let house = House::start().await;
    let postcode = r#""location":"zk01-de-linde","provider":"p","name":"De Linde","mode":"beds","care_types":["ELV_LC"],"postcode4":"1011""#;
    let far = r#""location":"zk02-de-eik","provider":"p","name":"De Eik","mode":"beds","care_types":["ELV_LC"],"postcode4":"9711","phone":"050-1""#;
    let bed = r#""location":"zk02-de-eik","bed":"1","care_types":["ELV_LC"],"features":["hoist"]"#;
    let last = house
        .node
        .record(&[
            event(2, "location.changed", "zk01-de-linde", postcode),
            event_of("zk02", 3, "location.registered", "zk02-de-eik", far),
            event_of("zk02", 4, "bed.added", "zk02-de-eik/1", bed),
        ])
        .await;
    assert!(house.node.app.desk.state().wait_for(last).await);
    house.referral("desk", "zk01").await;
    let centre = house.session("centrum").await;
    let page = centre.page("/c/midden").await;
    assert!(
        page.contains("data-follow=\"/volgen/c/midden\"") && page.contains("Acute zorg Midden"),
        "{page}"
    );
    assert!(page.contains("ELV laag complex: 2 vrij, minder dan 3"), "{page}");
    assert!(page.contains("Bellijst") && page.contains("tel:020"), "for when all is down");
    let crises = page.split("id=\"crises\"").nth(1).unwrap();
    assert_eq!(cells(crises), ["Streek zk01", "1", "1", "0"]);
    assert!(!page.contains("ce-can"), "nothing was asked yet");
    let found = centre.page("/c/midden?zorgsoort=ELV_LC&gebied=10&spoed=crisis").await;
    let (first, second) = (found.find("De Linde").unwrap(), found.find("De Eik").unwrap());
    assert!(first < second, "the nearest first");
    assert!(found.contains("<b>12</b> min") && found.contains("tel:0200000001"), "the number of the day");
    let hoist = centre.page("/c/midden?zorgsoort=ELV_LC&gebied=10&kenmerk=hoist&lang=en").await;
    assert!(hoist.contains("One location can now") && !hoist.contains('⚠'), "{hoist}");
    // What can be admitted now, as on the list for the telephone, and not what is free.
    assert!(found.contains("<span class=\"tag yes\">2 vrij</span>"), "{found}");
    let limit = r#""location":"zk01-de-linde","period":"day","max":1"#;
    let last = house.node.record(&[event(5, "location.intake-limit-set", "zk01-de-linde", limit)]).await;
    assert!(house.node.app.desk.state().wait_for(last).await);
    let limited = centre.page("/c/midden?zorgsoort=ELV_LC&gebied=10&spoed=crisis").await;
    assert!(limited.contains("<span class=\"tag yes\">neemt er nu 1 op, 2 vrij</span>"), "{limited}");
    // Where nothing is listed below, nobody is sent there.
    let nobody = centre.page("/c/midden?zorgsoort=GRZ&gebied=10").await;
    assert!(nobody.contains("kan dit nu. Bel een loket.") && !nobody.contains("Kijk hieronder"), "{nobody}");
    let wrong = centre.page("/c/midden?zorgsoort=ELV_LC&gebied=xx").await;
    assert!(wrong.contains("van 10 tot 99") && wrong.contains("typ een postcode"));
    let whole = centre.page("/c/midden?zorgsoort=ELV_LC&gebied=1012+ab").await;
    assert!(whole.contains("vanuit postcodegebied 10..") && whole.contains("<b>12</b> min"), "{whole}");
    for (name, status) in [("loket", 404), ("linde", 403), ("toezicht", 403)] {
        assert_eq!(house.session(name).await.get("/c/midden").await.status, status, "{name}");
    }
    assert_eq!(centre.get("/c/elders").await.status, 404);
    let alarms = found.split("id=\"alarms\"").nth(1).unwrap();
    assert!(!alarms.contains("zk01-de-linde"), "counts only");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_and_its_desk_count_crises_alike_and_whoever_has_a_bed_of_another_type_is_rung_too() {
    let house = House::start().await;
    let first = house.referral("desk", "zk01").await;
    house.referral("desk", "zk01").await;
    let offered = |kind: &str, number, more: &str| {
        let offer = "019391f2-6f00-7a11-8c11-00000000abcd";
        let data = format!(
            r#""offer":"{offer}","referral":"{first}","location":"zk01-de-linde","care_type":"ELV_LC",{more}"#
        );
        event(number, kind, "zk01-de-linde", &data)
    };
    let other = r#""location":"zk01-de-linde","bed":"9","care_types":["ELV_HC","GRZ"]"#;
    let last = house
        .node
        .record(&[
            offered("offer.sent", 21, r#""answer_by":"2099-03-02T12:00:00Z""#),
            // Over the bus: nothing is kept for it.
            offered("offer.accepted", 22, r#""from":"2026-03-02T12:00:00Z","by":"nurse""#),
            event(23, "bed.added", "zk01-de-linde/9", other),
        ])
        .await;
    assert!(house.node.app.desk.state().wait_for(last).await);
    let centre = house.session("centrum").await.page("/c/midden").await;
    let crises = centre.split("id=\"crises\"").nth(1).unwrap();
    assert_eq!(cells(crises), ["Streek zk01", "2", "2", "1"]);
    let desk = house.session("loket").await.page("/r/zk01/werklijst").await;
    assert!(desk.contains("Crisis: 2 open, 2 zonder plek, waarvan 1 toegezegd."), "{desk}");
    for kind in ["Zoek een plek", "Plek toegezegd"] {
        assert_eq!(desk.matches(kind).count(), 1, "{kind}");
    }
    let calls = centre.split("id=\"paper\"").nth(1).unwrap();
    assert!(
        calls.contains("ELV hoog complex 1") && calls.contains("Geriatrische revalidatie 1 ook inzetbaar"),
        "{calls}"
    );
    house.stop().await;
}
