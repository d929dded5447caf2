//! The pages, measured: how soon a change is on the screens of 500 people who look at one board while a hundred things
//! happen each second, what that costs the node, and how large and how quick each page is.
//!
//! Not here: the script that builds for it (`tests/bench/portal`), the work of a browser.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a program that measures")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use network::Network;
use tests::{Api, Node, Site};

const REGION: &str = "zk01";
const HOUSES: usize = 20;
const BEDS: usize = 20;
const READERS: usize = 500;
/// Acts a second, and for how long.
const RATE: u32 = 100;
const FOR: Duration = Duration::from_secs(30);
const SENDERS: usize = 8;
const PASSWORD: &str = "correct paard batterij";
/// How often each page is got.
const LOOKS: usize = 100;

fn source(name: &str) -> String {
    format!("urn:nld:kvknr:00000000:systeem:{name}")
}

fn house(number: usize) -> String {
    format!("zk01-huis-{number}")
}

fn network() -> Network {
    let named = |name: &str, kind: &str| {
        format!(
            "[[source]]\nid = \"{}\"\nname = \"{name}\"\nkind = \"{kind}\"\nregion = \"{REGION}\"\n",
            source(name)
        )
    };
    let mut text = format!(
        "[[region]]\ncode = \"{REGION}\"\nname = \"Een\"\ntile = {{ column = 1, row = 1 }}\ndesk = {{ name = \"d\", phone = \"1\", hours = \"h\" }}\n\
         [[centre]]\ncode = \"midden\"\nname = \"Midden\"\nregions = [\"{REGION}\"]\n"
    );
    text.push_str(&named("loket", "desk"));
    text.push_str(&named("midden", "centre"));
    for house in (0..HOUSES).map(house) {
        text.push_str(&named(&house, "location"));
    }
    Network::from_toml("the bench", &text).unwrap()
}

/// The middle and the 99th of a hundred, in milliseconds.
fn quantiles(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let at = |part: usize| {
        times.get((times.len() * part / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    (at(50).as_secs_f64() * 1e3, at(99).as_secs_f64() * 1e3)
}

fn connect(node: &Node) -> TcpStream {
    let stream = TcpStream::connect(node.http().strip_prefix("http://").unwrap()).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// One reader of the board: when it saw which position.
fn reads(node: &Node, number: usize, gate: &Barrier, over: &AtomicBool) -> (Vec<(u64, Instant)>, bool) {
    let mut stream = connect(node);
    // Ten houses, as a proxy tells of them: one alone may not have so many readers.
    let from = format!("x-forwarded-for: 192.0.2.{}\r\n", number % 10);
    write!(stream, "GET /r/{REGION}/stream?after=0 HTTP/1.1\r\nhost: bench\r\n{from}\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut lines = BufReader::new(stream);
    let (mut seen, mut cells, mut waiting) = (Vec::new(), false, true);
    loop {
        let mut line = String::new();
        let lost = lines.read_line(&mut line).map_or(true, |count| count == 0);
        if lost {
            return (seen, !over.load(Ordering::SeqCst));
        }
        if line.starts_with("event: ") {
            cells = line.starts_with("event: cells");
        }
        if cells && let Some(rest) = line.strip_prefix("id: ") {
            seen.push((rest.trim().parse().unwrap(), Instant::now()));
            if waiting {
                waiting = false;
                gate.wait();
            }
        }
        if over.load(Ordering::SeqCst) {
            return (seen, false);
        }
    }
}

/// Says of beds in turn that they are to be cleaned and that they are free again; when each was asked for, and its position.
fn acts(node: &Node, sender: usize) -> Vec<(u64, Instant)> {
    let apart = Duration::from_secs(1) * u32::try_from(SENDERS).unwrap() / RATE;
    let (began, mut done) = (Instant::now(), Vec::new());
    let mut next = began;
    for number in 0_usize.. {
        if began.elapsed() >= FOR {
            break;
        }
        let house = house((number * SENDERS + sender) % HOUSES);
        let bed = number / 2 % BEDS + 1;
        let word = if number % 2 == 0 { "vacated" } else { "freed" };
        let api = Api::new(node, &source(&house));
        let from = Instant::now();
        let (status, answer) =
            api.act(&format!("/locations/{house}/beds/{bed}/{word}"), &serde_json::json!({}));
        assert!(matches!(status, 200 | 201), "{answer}");
        if status == 201 {
            done.push((answer.get("position").unwrap().as_u64().unwrap(), from));
        }
        next += apart;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    done
}

fn memory(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1_024
}

fn screens(node: &Node) {
    let before = memory(node);
    let (gate, over) = (Barrier::new(READERS + 1), AtomicBool::new(false));
    let (mut times, lost, acted, most) = std::thread::scope(|scope| {
        let (gate, over) = (&gate, &over);
        let readers: Vec<_> = (0..READERS)
            .map(|number| {
                std::thread::Builder::new()
                    .stack_size(256 * 1_024)
                    .spawn_scoped(scope, move || reads(node, number, gate, over))
                    .unwrap()
            })
            .collect();
        gate.wait();
        let senders: Vec<_> = (0..SENDERS).map(|sender| scope.spawn(move || acts(node, sender))).collect();
        let mut most = 0;
        while !senders.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            most = most.max(memory(node));
            std::thread::sleep(Duration::from_millis(500));
        }
        let acted: Vec<(u64, Instant)> =
            senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
        // The last change reaches everybody within the time between two changes; a beat then ends each reader.
        std::thread::sleep(Duration::from_secs(1));
        over.store(true, Ordering::SeqCst);
        let (mut times, mut lost) = (Vec::new(), 0);
        for reader in readers {
            let (seen, gone) = reader.join().unwrap();
            lost += u32::from(gone);
            for (position, from) in &acted {
                let at = seen.partition_point(|(seen, _)| seen < position);
                match seen.get(at) {
                    Some((_, at)) => times.push(at.saturating_duration_since(*from)),
                    None => lost += 1,
                }
            }
        }
        (times, lost, acted.len(), most)
    });
    let (p50, p99) = quantiles(&mut times);
    println!("| what | measured | must |\n|---|---|---|");
    println!(
        "| readers of one board, acts recorded in {} s | {READERS}, {acted} | 500, 100/s |",
        FOR.as_secs()
    );
    println!("| from the click to each screen, p50 / p99 | {p50:.0} / {p99:.0} ms | p99 < 500 ms |");
    println!("| readers lost, or changes that did not come | {lost} | 0 |");
    println!("| memory of the node before / most | {before} / {most} MiB | < 300 MiB |\n");
}

/// Signs in; the cookie.
fn sign_in(node: &Node, name: &str) -> String {
    let body = format!("name={name}&password={}", PASSWORD.replace(' ', "+"));
    let host = node.http().strip_prefix("http://").unwrap();
    let mut stream = connect(node);
    write!(
        stream,
        "POST /inloggen HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let line = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let line = line.unwrap_or_else(|| panic!("{name}: {}", answer.lines().next().unwrap_or_default()));
    line.split(';').next().unwrap().to_owned()
}

/// Gets a page: when its first byte came, and how long its body is.
fn page(node: &Node, path: &str, cookie: &str) -> (Duration, usize) {
    let mut stream = connect(node);
    let from = Instant::now();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\ncookie: {cookie}\r\n\r\n")
        .unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).unwrap();
    let took = from.elapsed();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    let (head, body) = rest.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("TTP/1.1 200"), "{path}: {}", head.lines().next().unwrap_or_default());
    (took, body.len())
}

fn pages(node: &Node, referral: &str) {
    let [desk, nurse, centre, auditor] =
        ["loket", "zuster", "centrum", "toezicht"].map(|name| sign_in(node, name));
    let house = house(0);
    let all = [
        ("/".to_owned(), &desk),
        ("/overzicht".to_owned(), &desk),
        (format!("/r/{REGION}"), &desk),
        (format!("/r/{REGION}/werklijst"), &desk),
        (format!("/r/{REGION}/aanmeldingen"), &desk),
        (format!("/r/{REGION}/aanmelding/nieuw"), &desk),
        (format!("/aanmelding/{referral}"), &desk),
        (format!("/r/{REGION}/stroom"), &desk),
        (format!("/l/{house}"), &nurse),
        ("/c/midden".to_owned(), &centre),
        ("/audit".to_owned(), &auditor),
    ];
    println!("| page | first byte p50 / p99 | size |\n|---|---|---|");
    for (path, cookie) in all {
        let looks: Vec<(Duration, usize)> = (0..LOOKS).map(|_| page(node, &path, cookie)).collect();
        let mut times: Vec<Duration> = looks.iter().map(|(took, _)| *took).collect();
        let (p50, p99) = quantiles(&mut times);
        let size = looks.iter().map(|(_, size)| *size).max().unwrap_or_default();
        let shown = path.replace(referral, "…");
        println!(
            "| `{shown}` | {p50:.1} / {p99:.1} ms | {:.1} KB |",
            f64::from(u32::try_from(size).unwrap()) / 1_000.0
        );
    }
}

fn main() {
    let site = Site::new(&network()).with(&["--trusted-proxy", "127.0.0.1"]);
    let node = Arc::new(site.up());
    let accounts = [
        ("loket", vec!["--source", "loket"]),
        ("zuster", vec!["--source", "zk01-huis-0"]),
        ("centrum", vec!["--source", "midden"]),
        ("toezicht", vec!["--auditor", "supervisor", "--region", REGION]),
    ];
    for (name, works_as) in accounts {
        let arguments: Vec<&str> =
            ["admin", "account", "add", name, "--password-stdin"].into_iter().chain(works_as).collect();
        let said = site.run_with_input(arguments, PASSWORD.as_bytes()).ok();
        assert!(said.contains(name), "{said}");
    }
    let desk = Api::new(&node, &source("loket"));
    let beds: Vec<String> = (1..=BEDS).map(|bed| bed.to_string()).collect();
    let named: Vec<&str> = beds.iter().map(String::as_str).collect();
    for house in (0..HOUSES).map(house) {
        desk.opens(REGION, &house, &named);
    }
    let houses: Vec<String> = (0..4).map(house).collect();
    let asked: Vec<&str> = houses.iter().map(String::as_str).collect();
    let (referral, _) = desk.crisis_before(REGION, &asked);
    screens(&node);
    pages(&node, &referral);
}
