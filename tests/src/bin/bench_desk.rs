//! How long a promise of a place takes through HTTP, until it is on disk and answered: with one client and with 64.
//!
//! Beside it in the same run: a question to the same API, which waits for no disk, and a file that is written and
//! synced. Not here: the script that builds for it (`tests/bench/desk`).
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program that measures")]

use std::fs::File;
use std::io::Write as _;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use network::Network;
use tests::{Api, Site, in_minutes};

const REGION: &str = "zk01";
const HOUSES: usize = 64;
/// Promises of each house.
const BEDS: usize = 16;
const CLIENTS: usize = 64;

fn source(name: &str) -> String {
    format!("urn:nld:kvknr:00000000:systeem:{name}")
}

fn network() -> Network {
    let desk = format!(
        "[[region]]\ncode = \"{REGION}\"\nname = \"Een\"\ndesk = {{ name = \"d\", phone = \"1\", hours = \"h\" }}\n\
         [[source]]\nid = \"{}\"\nname = \"loket\"\nkind = \"desk\"\nregion = \"{REGION}\"\n",
        source("loket")
    );
    let houses = (0..HOUSES).map(house).map(|house| {
        format!(
            "[[location]]\nid = \"{house}\"\nregion = \"{REGION}\"\nname = \"{house}\"\n\
             [[source]]\nid = \"{}\"\nname = \"{house}\"\nkind = \"location\"\nregion = \"{REGION}\"\n",
            source(&house)
        )
    });
    let text: String = std::iter::once(desk).chain(houses).collect();
    Network::from_toml("the bench", &text).unwrap()
}

fn house(number: usize) -> String {
    format!("zk01-huis-{number}")
}

/// The middle and the 99th of a hundred, in milliseconds.
fn quantiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at =
        |part: usize| times.get((times.len() * part / 100).min(times.len() - 1)).copied().unwrap_or_default();
    (at(50).as_secs_f64() * 1e3, at(99).as_secs_f64() * 1e3)
}

fn row(what: &str, times: Vec<Duration>, within: Duration) {
    let per_second = u32::try_from(times.len()).map_or(0.0, f64::from) / within.as_secs_f64();
    let (p50, p99) = quantiles(times);
    println!("| {what} | {p50:.2} ms | {p99:.2} ms | {per_second:.0}/s |");
}

/// Does each of these and times it.
fn timed<T>(all: impl IntoIterator<Item = T>, mut act: impl FnMut(T)) -> (Vec<Duration>, Duration) {
    let began = Instant::now();
    let mut times = Vec::new();
    for one in all {
        let from = Instant::now();
        act(one);
        times.push(from.elapsed());
    }
    (times, began.elapsed())
}

fn probe(site: &Site) {
    let mut file = File::create(site.folder().join("probe")).unwrap();
    let (times, within) = timed(0..500, |_| {
        file.write_all(&[7; 1_024]).unwrap();
        file.sync_data().unwrap();
    });
    row("a file: 1 KiB written and synced", times, within);
}

fn main() {
    let site = Site::new(&network());
    let node = site.up();
    let desk = Api::new(&node, &source("loket"));
    let beds: Vec<String> = (1..=BEDS).map(|bed| bed.to_string()).collect();
    let named: Vec<&str> = beds.iter().map(String::as_str).collect();
    let mut asked: Vec<Vec<(Api, String, String)>> = Vec::new();
    for number in 0..HOUSES {
        let house = house(number);
        desk.opens(REGION, &house, &named);
        let of_house = (0..BEDS).map(|_| {
            let (referral, offers) = desk.crisis_before(REGION, &[&house]);
            (desk.as_source(&source(&house)), referral, offers.into_values().next().unwrap())
        });
        asked.push(of_house.collect());
    }
    let alone: Vec<_> = asked.iter_mut().flat_map(|of_house| of_house.drain(..BEDS / 2)).collect();
    println!("| what | p50 | p99 | rate |\n|---|---|---|---|");
    probe(&site);
    let (times, within) = timed(0..500, |_| {
        let (status, _) = desk.ask(&format!("/regions/{REGION}/board"));
        assert_eq!(status, 200);
    });
    row("a question, 1 client", times, within);
    let (times, within) = timed(alone, |(api, referral, offer)| {
        let (status, answer) = api.accept(&referral, &offer, None, &in_minutes(0));
        assert_eq!(status, 201, "{answer}");
    });
    row("a promise: yes, choice and hold durable, 1 client", times, within);
    let gate = Barrier::new(CLIENTS + 1);
    let (times, within) = std::thread::scope(|scope| {
        let gate = &gate;
        let clients: Vec<_> = asked
            .into_iter()
            .map(|of_house| {
                scope.spawn(move || {
                    gate.wait();
                    timed(of_house, |(api, referral, offer)| {
                        let (status, answer) = api.accept(&referral, &offer, None, &in_minutes(0));
                        assert_eq!(status, 201, "{answer}");
                    })
                    .0
                })
            })
            .collect();
        gate.wait();
        let began = Instant::now();
        let times: Vec<Duration> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (times, began.elapsed())
    });
    row("a promise: yes, choice and hold durable, 64 clients", times, within);
    probe(&site);
}
