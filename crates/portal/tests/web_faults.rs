//! What goes wrong on the web, each with the right answer: readers that never read or come back with nonsense, forms of other
//! sites, cookies that are over, and connections meant to keep others out.

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use support::houses::houses;
use support::{Node, OPERATOR, Serving, bed_closed};
use tests::http::{PATIENCE, ask, call, get};
use tests::session::Session;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

async fn started() -> (Node, Serving) {
    let node = Node::of(support::network::network());
    node.record(&houses()).await;
    let serving = node.serve().await;
    (node, serving)
}

/// A connection from this address of the machine itself.
async fn connect_from(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::from(from), 0)))?;
    socket.connect(to).await
}

/// Reads a stream of events until this comes.
async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let read = async {
        let mut buffer = [0; 4_096];
        while !text.contains(wanted) {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "ended before {wanted}: {text}");
            text.push_str(&String::from_utf8_lossy(buffer.get(..count).unwrap()));
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
    text
}

async fn follow(address: SocketAddr, path: &str, headers: &str) -> TcpStream {
    follow_from([127, 0, 0, 1], address, path, headers).await
}

async fn follow_from(from: [u8; 4], address: SocketAddr, path: &str, headers: &str) -> TcpStream {
    let mut stream = connect_from(from, address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_65_a_reader_that_never_reads_holds_up_nobody_and_nonsense_gets_the_whole_state() {
    let (node, serving) = started().await;
    // Two hundred that never read a byte, of four houses.
    let house = |number: u8| [127, 0, 1, number / 50];
    let mut asleep = Vec::new();
    for number in 0..200 {
        asleep.push(follow_from(house(number), serving.address, "/r/zk01/stream?after=0", "").await);
    }
    let mut awake = follow(serving.address, "/r/zk01/stream?after=0", "").await;
    read_until(&mut awake, "event: cells").await;
    for bed in 1..=2 {
        node.record(&[bed_closed(bed, bed)]).await;
        read_until(&mut awake, "event: cells").await;
    }
    for last in ["nonsense", "99999999999", "-1"] {
        let mut stream =
            follow(serving.address, "/r/zk01/stream", &format!("last-event-id: {last}\r\n")).await;
        read_until(&mut stream, "event: cells").await;
    }
    drop(asleep);
    // The places of those who left are free again: as many as there are can come.
    let mut readers = Vec::new();
    for number in 0..200 {
        readers.push(follow_from(house(number), serving.address, "/r/zk01/stream?after=0", "").await);
    }
    for reader in &mut readers {
        read_until(reader, "event: cells").await;
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_65_events_go_on_after_the_last_one_and_a_position_that_is_not_there_is_refused() {
    let (node, serving) = started().await;
    let asks = |last: &str| {
        format!(
            "authorization: Bearer {OPERATOR}\r\ndoorstroom-as: urn:test:desk\r\nlast-event-id: {last}\r\n"
        )
    };
    let path = "/api/v1/regions/zk01/events";
    let mut stream = follow(serving.address, path, &asks("1")).await;
    let text = read_until(&mut stream, "id: 2").await;
    assert!(!text.contains("id: 1\n"), "{text}");
    for (last, status) in [("nonsense", 400), ("99999999999", 400)] {
        let headers = asks(last);
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
        assert_eq!(ask(serving.address, &request).await.status, status, "{last}");
    }
    let other = asks("1");
    let request =
        format!("GET /api/v1/regions/zk02/events HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{other}\r\n");
    assert_eq!(ask(serving.address, &request).await.status, 404, "another region's");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_65_who_follows_everything_without_a_name_takes_no_place_of_who_is_signed_in_or_of_other_houses()
 {
    let (node, serving) = started().await;
    let path = "/overzicht/stream?after=0";
    let desk = Session::sign_in(serving.address, "loket").await;
    let (mut held, mut refused) = (Vec::new(), 0);
    // Six houses take all that there is for the public, and the sixth more than one may have.
    for number in 0..600_u16 {
        let from = [127, 0, 2, u8::try_from(number / 100).unwrap()];
        held.push(follow_from(from, serving.address, path, "").await);
    }
    for stream in &mut held {
        refused += u32::from(read_until(stream, "\r\n").await.starts_with("HTTP/1.1 503"));
    }
    assert_eq!(refused, 100);
    let cookie = format!("cookie: {}\r\n", desk.cookie());
    for path in ["/volgen/r/zk01", "/r/zk01/stream?after=0"] {
        let mut own = follow(serving.address, path, &cookie).await;
        assert!(read_until(&mut own, "\r\n").await.starts_with("HTTP/1.1 200"), "{path}");
    }
    let token = format!("authorization: Bearer {OPERATOR}\r\ndoorstroom-as: urn:test:desk\r\n");
    let mut machine = follow(serving.address, "/api/v1/regions/zk01/events", &token).await;
    assert!(read_until(&mut machine, "\r\n").await.starts_with("HTTP/1.1 200"));
    drop(held);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_66_json_as_text_and_forms_without_an_origin_are_refused() {
    let (node, serving) = started().await;
    let before = node.log.reader().head().position;
    let body = "{\"id\":\"019391f2-6f00-7a11-8c11-0d2f7a3b9c01\"}";
    let headers = format!("authorization: Bearer {OPERATOR}\r\ndoorstroom-as: urn:test:location\r\n");
    let request = format!(
        "POST /api/v1/locations/zk01-de-linde/confirm HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}content-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(ask(serving.address, &request).await.status, 415);
    let person = Session::sign_in(serving.address, "linde").await;
    for said in ["sec-fetch-site: cross-site\r\n", "origin: null\r\n", "origin: http://test.evil\r\n", ""] {
        let answer = person.post_raw("/doe/locations/zk01-de-linde/confirm", said, "id=x").await;
        assert_eq!(answer.status, 403, "{said:?}");
    }
    assert_eq!(node.log.reader().head().position, before);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_68_who_signed_out_or_lost_the_role_is_refused_at_the_next_request_and_hears_nothing_more() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    desk.page("/r/zk01/werklijst").await;
    desk.post("/uitloggen", &[]).await;
    assert_eq!(desk.get("/r/zk01/werklijst").await.status, 303, "the cookie of before");

    let desk = Session::sign_in(serving.address, "loket").await;
    let mut feed = follow(serving.address, "/volgen/r/zk01", &format!("cookie: {}\r\n", desk.cookie())).await;
    read_until(&mut feed, "event: beat").await;
    // The source goes out of the network: it has no role any more.
    node.registry.send_replace(std::sync::Arc::new(network::Network::default_dutch().unwrap()));
    assert_eq!(desk.get("/r/zk01/werklijst").await.status, 303);
    assert_eq!(get(serving.address, "/volgen/r/zk01").await.status, 401, "a feed asks too");
    // Within sixty seconds the feed that is open ends; no event says anything but that there is one.
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_mins(1), feed.read_to_end(&mut rest)).await.unwrap().unwrap();
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_where_somebody_is_signed_in_ends_that_session_and_leaves_the_ward_s_device() {
    let (node, serving) = started().await;
    let tablet = Session::sign_in(serving.address, "tablet").await;
    let first = tablet.sign_in_again("linde").await;
    let second = first.sign_in_again("linde").await;
    assert_eq!(first.get("/meldingen").await.status, 303, "the session of before");
    assert_eq!(second.get("/meldingen").await.status, 200);
    assert_eq!(tablet.get("/l/zk01-de-linde").await.status, 200, "the device is nobody's to end");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_faster_than_a_person_can_is_asked_to_wait_and_what_was_refused_is_taken_later() {
    let (node, serving) = started().await;
    let tablet = Session::sign_in(serving.address, "tablet").await;
    let act = |id: u32| {
        let body = format!("id=019391f2-6f00-7a11-8c11-{id:012x}");
        let headers = "origin: http://test\r\naccept: application/json\r\n";
        async { (tablet.post_raw("/doe/locations/zk01-de-linde/confirm", headers, &body).await, body) }
    };
    // The clock of the test stands still.
    for id in 0..100 {
        let (answer, _) = act(id).await;
        assert!(matches!(answer.status, 200 | 201), "{id}: {}", answer.body);
    }
    let (answer, _) = act(100).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.json()["code"], "too-fast");
    assert!(answer.header("retry-after").is_some());
    let other = Session::sign_in(serving.address, "linde").await;
    let id = [("id", "019391f2-6f00-7a11-8c11-0d2f7a3b9c01")];
    assert_eq!(other.post("/doe/locations/zk01-de-linde/confirm", &id).await.status, 303, "somebody else");
    node.clock.fetch_add(1_000_000, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(act(100).await.0.status, 200 | 201), "a second later");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_asked_for_in_a_language_chooses_it_and_a_file_or_a_stream_does_not() {
    let (node, serving) = started().await;
    let page = get(serving.address, "/overzicht?lang=en").await;
    assert!(page.header("set-cookie").is_some_and(|cookie| cookie.contains("taal=en")), "{}", page.head);
    let file = page.body.split('"').find(|part| part.starts_with("/static/")).unwrap();
    let file = get(serving.address, &format!("{file}?lang=en")).await;
    assert_eq!((file.status, file.header("set-cookie")), (200, None));
    let mut stream = follow(serving.address, "/overzicht/stream?lang=en", "").await;
    assert!(!read_until(&mut stream, "event:").await.contains("set-cookie"));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_an_address_that_can_not_be_read_is_said_on_a_page_in_the_language_of_the_reader() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    for path in ["/r/zk01/stroom?dagen=abc", "/overzicht?care_type=ELV_LC&care_type=ELV_LC", "/r/%ff"] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(
            answer.body.contains("Een deel van het adres kunnen wij niet lezen"),
            "{path}: {}",
            answer.body
        );
        let (path, more) = path.split_once('?').unwrap_or((path, "x=1"));
        let answer = desk.get(&format!("{path}?lang=en&{more}")).await;
        assert!(answer.body.contains("A part of this address can not be read"), "{path}: {}", answer.body);
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_68_that_something_changed_is_told_to_whom_it_is_shown_and_no_longer_than_that() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let mut feeds = Vec::new();
    for (name, path) in [
        ("loket", "/volgen/r/zk01"),
        ("linde", "/volgen/l/zk01-de-linde"),
        ("tablet", "/volgen/l/zk01-de-linde"),
    ] {
        let session = Session::sign_in(serving.address, name).await;
        let mut feed = follow(serving.address, path, &format!("cookie: {}\r\n", session.cookie())).await;
        read_until(&mut feed, "event: beat").await;
        feeds.push(feed);
    }
    let referral = "019391f2-6f00-7a11-8c11-0d2f7a3b9c01";
    let unknown = format!("/volgen/a/{referral}");
    for (name, path) in [
        ("loket", "/volgen/r/zk02"),
        ("loket", "/volgen/l/zk02-de-eik"),
        ("loket", &*unknown),
        ("linde", "/volgen/r/zk01"),
        ("linde", "/volgen/l/zk01-de-beuk"),
        ("tablet", "/volgen/r/zk01"),
        ("huisarts", "/volgen/r/zk01"),
        ("huisarts", "/volgen/l/zk01-de-linde"),
        ("huisarts", &*unknown),
        ("toezicht", "/volgen/r/zk01"),
        ("centrum", "/volgen/l/zk01-de-linde"),
    ] {
        let session = Session::sign_in(serving.address, name).await;
        let answer = session.get(path).await;
        assert!([403, 404].contains(&answer.status), "{name} {path}: {}", answer.status);
    }
    // Whoever refers hears of the own referral.
    let form = form_of(referral);
    let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, &**value)).collect();
    let referrer = Session::sign_in(serving.address, "huisarts").await;
    let made = referrer.post("/doe/referrals", &fields).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let page = referrer.page(&format!("/aanmelding/{referral}")).await;
    assert!(page.contains(&format!("data-follow=\"{unknown}\"")), "{page}");
    let cookie = format!("cookie: {}\r\n", referrer.cookie());
    read_until(&mut follow(serving.address, &unknown, &cookie).await, "event: beat").await;
    assert!(desk.page(&format!("/aanmelding/{referral}")).await.contains("data-follow=\"/volgen/r/zk01\""));
    // Everybody goes to another region: what was followed is theirs no more, though they are still signed in.
    node.registry.send_replace(std::sync::Arc::new(support::network::moved()));
    for mut feed in feeds {
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_mins(1), feed.read_to_end(&mut rest)).await.unwrap().unwrap();
    }
    assert_eq!(desk.get("/volgen/r/zk01").await.status, 404, "and still signed in");
    serving.stop().await;
    node.stop().await;
}

/// The form of a crisis referral in zk01.
fn form_of(referral: &str) -> Vec<(&'static str, String)> {
    let fields = [
        ("id", "019391f2-6f00-7a11-8c11-0d2f7a3b9d00"),
        ("naar", "/"),
        ("region", "zk01"),
        ("referral", referral),
        ("profile[origin]", "gp"),
        ("profile[urgency]", "crisis"),
        ("profile[care_type]", "ELV_LC"),
        ("profile[channel]", "portal"),
        ("profile[consent]", "true"),
    ];
    fields.map(|(name, value)| (name, value.to_owned())).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_69_ten_thousand_connections_of_one_address_keep_nobody_else_from_the_board() {
    let (node, serving) = started().await;
    let mut held = Vec::new();
    let mut refused = 0_u32;
    for _ in 0..10_000 {
        // Half a request line each, and then nothing. What is closed again at once is let go of here too.
        match connect_from([127, 0, 0, 9], serving.address).await {
            Ok(mut stream) => {
                let _ = stream.write_all(b"GET / HT").await;
                held.push(stream);
            }
            Err(_) => refused += 1,
        }
        if held.len() > portal::CONNECTIONS_OF_ONE_MAX + 64 {
            held.swap_remove(portal::CONNECTIONS_OF_ONE_MAX);
        }
    }
    let answer = tokio::time::timeout(Duration::from_secs(5), get(serving.address, "/r/zk01")).await;
    assert_eq!(answer.unwrap().status, 200, "{refused} refused");
    drop(held);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_no_host_or_two_or_none_that_can_be_is_refused_and_a_target_with_a_host_is_not()
{
    let (node, serving) = started().await;
    let asks = async |first: &str, hosts: &str| {
        let request = format!("GET {first}\r\n{hosts}connection: close\r\n\r\n");
        ask(serving.address, &request).await
    };
    for (path, hosts) in [
        ("/overzicht", ""),
        ("/api/v1/openapi.json", ""),
        ("/overzicht", "host: test\r\nhost: test\r\n"),
        ("/healthz", "host: test\r\nHost: evil.example\r\n"),
        ("/overzicht", "host: \r\n"),
        ("/overzicht", "host: a b\r\n"),
        ("/overzicht", "host: test/overzicht\r\n"),
        ("/overzicht", "host: somebody@test\r\n"),
        ("http://test/overzicht", ""),
    ] {
        let answer = asks(&format!("{path} HTTP/1.1"), hosts).await;
        assert_eq!(
            (answer.status, &*answer.json()["code"].to_string()),
            (400, "\"bad-host\""),
            "{path} {hosts:?}"
        );
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    for (first, hosts) in [
        ("/overzicht HTTP/1.1", "host: test:8080\r\n"),
        ("/overzicht HTTP/1.1", "host: [::1]:8080\r\n"),
        ("http://test/overzicht HTTP/1.1", "host: test\r\n"),
        ("/overzicht HTTP/1.0", ""),
    ] {
        assert_eq!(asks(first, hosts).await.status, 200, "{first} {hosts:?}");
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_69_huge_headers_huge_bodies_and_packed_bodies_are_refused() {
    let (node, serving) = started().await;
    let long = "x".repeat(64 * 1024);
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    let _ =
        stream.write_all(format!("GET / HTTP/1.1\r\nhost: test\r\nx-long: {long}\r\n\r\n").as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    // A packed body is not unpacked: it is no JSON.
    let packed = "authorization: Bearer x\r\n";
    let answer = call(
        serving.address,
        ("POST", "/api/v1/referrals"),
        OPERATOR,
        "content-encoding: gzip\r\n",
        "\u{1f}packed",
    );
    assert!(matches!(answer.await.status, 400 | 401 | 403 | 415), "{packed}");
    let request = format!(
        "POST /api/v1/referrals HTTP/1.1\r\nhost: test\r\nconnection: close\r\nauthorization: Bearer {OPERATOR}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        10 * 1024 * 1024
    );
    assert_eq!(ask(serving.address, &request).await.status, 413);
    serving.stop().await;
    node.stop().await;
}
