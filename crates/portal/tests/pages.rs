//! The portal over HTTP: pages, headers, refusals, the API, health, the live feed.
//!
//! Not here: what a browser makes of it (`browser`).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use support::{Node, bed_closed, event, location_with_beds, region_day};
use tests::http::{PATIENCE, ask, get};
use tests::session::Session;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A live feed, read event by event.
struct Feed {
    stream: TcpStream,
    text: String,
}

impl Feed {
    async fn open(address: SocketAddr, path: &str, last_event_id: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let last = last_event_id.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { stream, text: String::new() }
    }

    /// The next event: its name, its id, its data. `None` when the feed ended.
    async fn next(&mut self) -> Option<(String, Option<u64>, serde_json::Value)> {
        loop {
            if let Some(start) = self.text.find("event: ")
                && let Some(length) = self.text[start..].find("\n\n")
            {
                let block: String = self.text.drain(..start + length + 2).skip(start).collect();
                let field =
                    |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                return Some((field("event: ").unwrap(), field("id: ").map(|id| id.parse().unwrap()), data));
            }
            let mut buffer = [0; 4096];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut buffer)).await.unwrap().unwrap();
            if read == 0 || self.text.ends_with("\r\n0\r\n\r\n") {
                return None;
            }
            self.text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
    }

    async fn next_named(&mut self, name: &str) -> (Option<u64>, serde_json::Value) {
        loop {
            let (found, id, data) = self.next().await.unwrap();
            if found == name {
                return (id, data);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_security_headers() {
    let node = Node::start();
    let serving = node.serve().await;
    for path in
        ["/", "/overzicht", "/r/zk01", "/nergens", "/api/v1/availability", "/readyz", "/static/app.js"]
    {
        let answer = get(serving.address, path).await;
        assert_eq!(
            answer.header("content-security-policy").unwrap(),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'",
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options").unwrap(), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy").unwrap(), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy").unwrap(), "same-origin", "{path}");
        assert!(answer.header("cache-control").is_some(), "{path}");
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_stand_on_a_home_screen() {
    let node = Node::start();
    let serving = node.serve().await;
    let page = get(serving.address, "/").await;
    let link = page.body.split("<link rel=\"manifest\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let manifest = get(serving.address, link).await;
    assert_eq!(manifest.header("content-type").unwrap(), "application/manifest+json");
    let app = manifest.json();
    assert_eq!(
        (&app["start_url"], &app["scope"], &app["display"]),
        (&"/".into(), &"/".into(), &"standalone".into())
    );
    let icon = get(serving.address, app["icons"][0]["src"].as_str().unwrap()).await;
    assert_eq!((icon.status, icon.header("content-type").unwrap()), (200, "image/svg+xml"));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_page_has_every_desk_with_its_number_and_no_counts() {
    let node = Node::start();
    node.record(&region_day()).await;
    let serving = node.serve().await;
    let page = get(serving.address, "/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.body.matches("href=\"tel:0800").count(), 31);
    assert!(page.body.contains("Regioloket Amstelland en De Meerlanden"));
    assert!(!page.body.contains("data-k="));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_has_a_tile_per_region_with_number_colour_and_link() {
    let node = Node::start();
    node.record(&location_with_beds("De Linde", 2)).await;
    let serving = node.serve().await;
    let page = get(serving.address, "/overzicht?care_type=ELV_LC").await;
    assert_eq!(page.body.matches("class=\"tile lv").count(), 31);
    let tile = r#"<li class="c2 r4"><a class="tile lv l1" data-k="*zk01" href="/r/zk01?care_type=ELV_LC" title="Amstelland en De Meerlanden"><b class="n">2</b>"#;
    assert!(page.body.contains(tile), "{}", page.body);
    let other = get(serving.address, "/overzicht?care_type=GRZ").await;
    assert!(other.body.contains(r#"<a class="tile lv l3" data-k="*zk01""#), "{}", other.body);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_shows_rows_numbers_phones_stops_and_what_contradicts() {
    let node = Node::of(support::network::network());
    node.record(&location_with_beds("De Linde", 3)).await;
    let unknown = event(7, "bed.freed", "zk01-de-linde/99", r#""location":"zk01-de-linde","bed":"99""#);
    let stop = event(
        8,
        "location.admissions-stopped",
        "zk01-de-linde",
        r#""location":"zk01-de-linde","reason":"infection""#,
    );
    let position = node.record(&[unknown, stop]).await;
    let serving = node.serve().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let page = desk.page("/r/zk01").await;
    for text in [
        "<bdi>De Linde</bdi>",
        r#"href="tel:0200000001""#,
        r#"href="tel:0200000002""#,
        "Opnamestop",
        r#"data-k="zk01-de-linde/ELV_LC""#,
        "Gaat over een bed dat wij niet kennen.",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(page.contains(&format!("positie {}", position - 1)), "{page}");
    let english = desk.page("/r/zk01?lang=en").await;
    assert!(english.contains("<html lang=\"en\">") && english.contains("Is about a bed we do not know."));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_name_is_shown_escaped_and_cut() {
    let node = Node::start();
    let marks = "\u{0301}".repeat(60);
    node.record(&location_with_beds(
        &format!("<script>alert(1)</script>\u{202E}x{marks}&\"' {}", "w".repeat(25)),
        1,
    ))
    .await;
    let serving = node.serve().await;
    let page = get(serving.address, "/r/zk01").await.body;
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(!page.contains('\u{202E}'), "{page}");
    assert!(page.contains("alert(1)") && page.contains("\u{FFFD}x\u{0301}\u{0301}\u{0301}&#38;"), "{page}");
    assert!(!page.contains("\u{0301}\u{0301}\u{0301}\u{0301}"), "{page}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_region_is_under_a_hundred_kilobytes() {
    let node = Node::start();
    node.record(&region_day()).await;
    let serving = node.serve().await;
    for path in ["/", "/overzicht", "/r/zk01"] {
        let bytes = get(serving.address, path).await.body.len();
        assert!(bytes < 100_000, "{path}: {bytes} bytes");
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_gives_the_board_now_and_as_it_was() {
    let node = Node::start();
    let events = location_with_beds("De Linde", 3);
    let before = node.record(&events).await;
    node.record(&[bed_closed(1, 1)]).await;
    let serving = node.serve().await;
    let now = get(serving.address, "/api/v1/availability?region=zk01&care_type=ELV_LC").await;
    assert_eq!(now.header("etag").unwrap(), format!("\"{}\"", before + 1));
    assert_eq!(
        (&now.json()["position"], &now.json()["rows"][0]["offerable"]),
        (&(before + 1).into(), &2.into())
    );
    let past = get(serving.address, &format!("/api/v1/availability?as_of={before}")).await;
    assert_eq!((&past.json()["position"], &past.json()["rows"][0]["offerable"]), (&before.into(), &3.into()));
    let at = now.json()["recorded_at"].as_str().unwrap().to_owned();
    let timed = get(serving.address, &format!("/api/v1/availability?as_of={at}")).await;
    assert_eq!(timed.json()["position"], before + 1);
    let tag = before + 1;
    let request = format!(
        "GET /api/v1/availability HTTP/1.1\r\nhost: t\r\nif-none-match: \"{tag}\"\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(ask(serving.address, &request).await.status, 304);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_refuses_with_problem_json_and_pages_in_the_readers_language() {
    let node = Node::start();
    let serving = node.serve().await;
    let cases = [
        ("/api/v1/availability?region=ZK%3Cscript%3E", 400, "bad-region"),
        ("/api/v1/availability?region=zk99", 404, "unknown-region"),
        ("/api/v1/availability?care_type=MAAN", 400, "bad-care-type"),
        ("/api/v1/availability?as_of=gisteren", 400, "bad-as-of"),
        ("/api/v1/availability?as_of=5", 400, "as-of-ahead"),
        ("/api/v1/availability?regio=zk01", 400, "unknown-parameter"),
        ("/api/v2/nothing", 404, "not-found"),
    ];
    for (path, status, code) in cases {
        let answer = get(serving.address, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type").unwrap(), "application/problem+json", "{path}");
        assert_eq!(answer.json()["type"], format!("urn:doorstroom:problem:{code}"), "{path}");
        assert!(!answer.body.contains("script") && !answer.body.contains("MAAN"), "{path}");
    }
    let page = get(serving.address, "/r/zk99").await;
    assert!(page.status == 404 && page.body.contains("Deze regio kennen wij niet"), "{}", page.body);
    let page = get(serving.address, "/r/zk99?lang=en").await;
    assert!(page.status == 404 && page.body.contains("This region is not known"), "{}", page.body);
    let posted = "POST /r/zk01 HTTP/1.1\r\nhost: t\r\norigin: http://t\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    assert_eq!(ask(serving.address, posted).await.status, 405);
    let large = "POST /api/x HTTP/1.1\r\nhost: t\r\ncontent-length: 70000\r\nconnection: close\r\n\r\n";
    assert_eq!(ask(serving.address, large).await.status, 413);
    serving.stop().await;
    node.stop().await;
}

/// Acts whose form gets more of its address from a value than the names in it, or has a field for one of these.
const FILLED_IN: [(&str, &str); 5] = [
    ("addBed", "/doe/locations/*/beds/_/add"),
    ("chooseOffer", "*/choose"),
    ("escalate", "/doe/referrals/*/*"),
    ("raise", "/doe/referrals/*/*"),
    ("revokeOffer", "*/revoke"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_act_has_a_form_on_a_page() {
    let node = Node::start();
    let serving = node.serve().await;
    let document = get(serving.address, "/api/v1/openapi.json").await.json();
    serving.stop().await;
    node.stop().await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let templates =
        std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()));
    let actions: Vec<String> = templates
        .flat_map(|text| text.unwrap().split("action=\"").skip(1).map(target).collect::<Vec<_>>())
        .collect();
    let paths = document["paths"].as_object().unwrap().iter();
    let acts = paths.filter_map(|(path, item)| {
        let name = item["post"]["operationId"].as_str()?;
        let target = target(&path.replace("/api/v1", "/doe").replace('{', "{{").replace('}', "}}"));
        let filled_in = FILLED_IN.iter().find(|(act, _)| *act == name);
        let target = filled_in.map_or(target, |(_, action)| (*action).to_owned());
        (!actions.contains(&target)).then(|| name.to_owned())
    });
    let missing: Vec<String> = acts.collect();
    assert!(missing.is_empty(), "{missing:?} of {actions:?}");
}

/// Where a form goes, with `*` for whatever is filled in: up to the quote that ends it.
fn target(text: &str) -> String {
    let mut rest = text;
    let mut target = String::new();
    while let Some((before, inside)) = rest.split_once("{{") {
        if before.contains('"') {
            break;
        }
        target += before;
        target.push('*');
        rest = inside.split_once("}}").unwrap().1;
    }
    target + rest.split('"').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_what_does_not_hold_with_503() {
    let node = Node::start();
    let serving = node.serve().await;
    let mut desk = node.app.desk.state().standing();
    desk.wait_for(|standing| standing.live).await.unwrap();
    let ready = get(serving.address, "/readyz").await;
    assert_eq!((ready.status, &ready.json()["ready"]), (200, &true.into()));
    let names = ready.json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].clone())
        .collect::<Vec<_>>();
    assert_eq!(names, ["recorder", "desk"]);
    node.ready.0.store(false, Ordering::SeqCst);
    let not = get(serving.address, "/readyz").await;
    assert_eq!((not.status, &not.json()["checks"][0]["name"]), (503, &"recorder".into()));
    assert_eq!(get(serving.address, "/healthz").await.status, 200);
    assert!(
        get(serving.address, "/metrics")
            .await
            .header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_reaches_the_feed_and_a_reader_that_is_up_to_date_is_told_nothing() {
    let node = Node::start();
    let position = node.record(&location_with_beds("De Linde", 3)).await;
    let serving = node.serve().await;
    let mut feed = Feed::open(serving.address, "/r/zk01/stream", Some(position)).await;
    let (name, id, beat) = feed.next().await.unwrap();
    assert_eq!((&*name, id, &beat["ok"], &beat["position"]), ("beat", None, &true.into(), &position.into()));
    node.record(&[bed_closed(1, 1)]).await;
    let (id, changed) = feed.next_named("cells").await;
    assert_eq!(id, Some(position + 1));
    // Level, available, also, reserved, cleaning, occupied, waiting, closed, no staff, in reserve, beds.
    assert_eq!(changed["rows"]["zk01-de-linde/ELV_LC"], serde_json::json!([1, 2, 0, 0, 0, 0, 0, 1, 0, 0, 3]));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_back_hears_what_it_missed() {
    let node = Node::start();
    let position = node.record(&location_with_beds("De Linde", 3)).await;
    node.record(&[bed_closed(1, 1)]).await;
    let serving = node.serve().await;
    let mut feed = Feed::open(serving.address, "/r/zk01/stream", Some(position)).await;
    let (name, id, _) = feed.next().await.unwrap();
    assert_eq!((&*name, id), ("cells", Some(position + 1)));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_comes_as_few_changes_and_ends_right() {
    let node = Node::start();
    let position = node.record(&location_with_beds("De Linde", 40)).await;
    let serving = node.serve().await;
    let mut feed = Feed::open(serving.address, "/overzicht/stream", Some(position)).await;
    let began = std::time::Instant::now();
    for bed in 1..=40 {
        node.record(&[bed_closed(bed, bed)]).await;
    }
    let mut heard = 0_u32;
    loop {
        let (id, changed) = feed.next_named("cells").await;
        heard += 1;
        if id == Some(position + 40) {
            assert_eq!(changed["rows"]["zk01"][1], 0);
            break;
        }
    }
    let allowed = began.elapsed().as_millis() / 250 + 2;
    assert!(u128::from(heard) <= allowed, "{heard} in {:?}", began.elapsed());
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_readers_are_bounded_and_the_next_is_told_to_come_back() {
    let node = Node::start();
    let serving = node.serve().await;
    let mut readers = Vec::new();
    // Of one house; how many there may be in all, web_faults has.
    for _ in 0..100 {
        let mut feed = Feed::open(serving.address, "/overzicht/stream", None).await;
        assert!(feed.next().await.is_some());
        readers.push(feed);
    }
    let refused = get(serving.address, "/overzicht/stream").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    assert_eq!(get(serving.address, "/overzicht").await.status, 200);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_live_feeds_at_once() {
    let node = Node::start();
    let serving = node.serve().await;
    let mut feed = Feed::open(serving.address, "/overzicht/stream", None).await;
    assert!(feed.next().await.is_some());
    let began = std::time::Instant::now();
    serving.stop().await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    while feed.next().await.is_some() {}
    node.stop().await;
}
