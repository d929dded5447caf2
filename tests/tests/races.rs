//! Many at once at the doors of a real node: over HTTP and over the bus. Exactly one winner, every loser a reason, no
//! hold left hanging.
//!
//! Not here: the same ten thousand times over the rules alone (`domain`), and over a log without a bus (`desk`).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeMap;
use std::sync::Barrier;

use network::Network;
use serde_json::{Value, json};
use tests::{Api, Node, Site, in_minutes, new_id};

const REGION: &str = "zk01";
const HOUSES: usize = 8;
/// Races for one referral, and for one bed: five hundred together.
const RACES: u64 = 250;
const SEED: u64 = 0x0d00_5700;

fn source(name: &str) -> String {
    format!("urn:nld:kvknr:00000000:systeem:{name}")
}

fn houses() -> Vec<String> {
    (0..HOUSES).map(|number| format!("zk01-huis-{number}")).collect()
}

fn node() -> (Site, Node) {
    let desk = format!(
        "[[region]]\ncode = \"{REGION}\"\nname = \"Een\"\ndesk = {{ name = \"d\", phone = \"1\", hours = \"h\" }}\n\
         [[source]]\nid = \"{}\"\nname = \"loket\"\nkind = \"desk\"\nregion = \"{REGION}\"\n",
        source("loket")
    );
    let houses = houses().into_iter().map(|house| {
        format!(
            "[[location]]\nid = \"{house}\"\nregion = \"{REGION}\"\nname = \"{house}\"\n\
             [[source]]\nid = \"{}\"\nname = \"{house}\"\nkind = \"location\"\nregion = \"{REGION}\"\n",
            source(&house)
        )
    });
    let text: String = std::iter::once(desk).chain(houses).collect();
    let site = Site::new(&Network::from_toml("a test", &text).unwrap());
    let node = site.up();
    (site, node)
}

/// What a party wants, and the answer to it.
type Want<'a> = Box<dyn FnOnce() -> (u16, Value) + Send + 'a>;

/// Each does what it wants at once, in a thread of its own.
fn at_once(wants: Vec<Want<'_>>) -> Vec<(u16, Value)> {
    let gate = Barrier::new(wants.len());
    std::thread::scope(|scope| {
        let gate = &gate;
        let parties: Vec<_> = wants
            .into_iter()
            .map(|want| {
                scope.spawn(move || {
                    gate.wait();
                    want()
                })
            })
            .collect();
        parties.into_iter().map(|party| party.join().unwrap()).collect()
    })
}

/// Exactly one won; every other was told one of these reasons, in words.
fn one_winner(answers: &[(u16, Value)], reasons: &[&str], seed: u64) {
    let won = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(won, 1, "seed {seed}: {answers:?}");
    for (status, answer) in answers.iter().filter(|(status, _)| *status != 201) {
        let code = answer["code"].as_str().unwrap_or_default();
        assert!(*status == 409 && reasons.contains(&code), "seed {seed}: {status} {answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.len() > 10), "seed {seed}: {answer}");
    }
}

/// How many places of the region can be offered, are held and are occupied, as the board says from this position on.
fn counts(desk: &Api, after: u64) -> BTreeMap<String, i64> {
    let (status, board) = desk.ask(&format!("/regions/{REGION}/board?after={after}"));
    assert_eq!(status, 200, "{board}");
    let mut sums = BTreeMap::new();
    for row in board["rows"].as_array().unwrap() {
        for (name, count) in row.as_object().unwrap() {
            if let Some(count) = count.as_i64() {
                *sums.entry(name.clone()).or_insert(0) += count;
            }
        }
    }
    sums
}

#[test]
fn of_five_hundred_races_over_http_each_has_one_winner_and_every_loser_a_reason() {
    let (_site, node) = node();
    let desk = Api::new(&node, &source("loket"));
    let houses = houses();
    for house in &houses {
        desk.opens(REGION, house, &["1"]);
    }
    let apis: BTreeMap<&str, Api> =
        houses.iter().map(|house| (house.as_str(), desk.as_source(&source(house)))).collect();
    let withdraw = |referral: &str| {
        let path = format!("/referrals/{referral}/withdraw");
        let (status, done) = desk.act(&path, &json!({"reason": "recovered"}));
        assert_eq!(status, 201, "{done}");
        done["position"].as_u64().unwrap()
    };
    let mut last = 0;
    // Several locations promise one person a place.
    for race in 0..RACES {
        let seed = SEED + race;
        let parties = usize::try_from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61).unwrap().max(2);
        let asked: Vec<&str> = houses.iter().take(parties).map(String::as_str).collect();
        let (referral, offers) = desk.crisis_before(REGION, &asked);
        let wants = offers
            .iter()
            .map(|(house, offer)| {
                let (api, referral) = (&apis[house.as_str()], &referral);
                let want: Want<'_> = Box::new(move || api.accept(referral, offer, None, &in_minutes(0)));
                want
            })
            .collect();
        let answers = at_once(wants);
        one_winner(&answers, &["placed-elsewhere", "answered-already", "offer-closed", "too-late"], seed);
        last = withdraw(&referral);
    }
    // Several people are promised one bed.
    let house = houses[0].as_str();
    for race in 0..RACES {
        let seed = SEED + RACES + race;
        let parties = usize::try_from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61).unwrap().max(2);
        let asked: Vec<_> = (0..parties).map(|_| desk.crisis_before(REGION, &[house])).collect();
        let wants = asked
            .iter()
            .map(|(referral, offers)| {
                let api = &apis[house];
                let want: Want<'_> =
                    Box::new(move || api.accept(referral, &offers[house], Some("1"), &in_minutes(0)));
                want
            })
            .collect();
        one_winner(&at_once(wants), &["bed-taken", "no-bed-free"], seed);
        for (referral, _) in &asked {
            last = withdraw(referral);
        }
    }
    let sums = counts(&desk, last);
    assert_eq!((sums["offerable"], sums["held"]), (8, 0), "no hold is left hanging: {sums:?}");
}

#[test]
fn who_comes_in_over_the_bus_while_the_bed_is_promised_over_http_leaves_no_bed_twice_and_no_hold_hanging() {
    let (site, node) = node();
    let desk = Api::new(&node, &source("loket"));
    let houses = houses();
    let house = houses[0].as_str();
    desk.opens(REGION, house, &["1"]);
    let location = desk.as_source(&source(house));
    for race in 0..12_u64 {
        let (referral, offers) = desk.crisis_before(REGION, &[house]);
        let stay = new_id();
        let now = in_minutes(0);
        let walked_in = json!({
            "specversion": "1.0", "id": new_id(), "source": source(house),
            "type": "nl.doorstroom.stay.admitted.v1", "time": now, "region": REGION,
            "datacontenttype": "application/json",
            "data": {"occurred_at": now, "stay": stay, "location": house, "bed": "1",
                     "care_type": "ELV_HC"}
        });
        let line = format!("{walked_in}\n");
        let wants: Vec<Want<'_>> = vec![
            Box::new(|| location.accept(&referral, &offers[house], Some("1"), &in_minutes(0))),
            Box::new(|| {
                let sent = site.run_with_input(["send", "-", "--json"], line.as_bytes());
                let receipt = sent.stdout.lines().last().unwrap_or_default();
                let receipt: Value = serde_json::from_str(receipt).unwrap_or_default();
                let status = if sent.code == Some(0) { 201 } else { 500 };
                (status, json!({"position": receipt["position"], "told": [sent.stdout, sent.stderr]}))
            }),
        ];
        let answers = at_once(wants);
        // A location's own word about its bed is never refused.
        assert_eq!(answers[1].0, 201, "race {race}: {:?}", answers[1]);
        let (status, promised) = &answers[0];
        let refused = *status == 409 && promised["code"] == "bed-taken";
        assert!(*status == 201 || refused, "race {race}: {promised}");
        // Both are on the board, whichever came last.
        let of_promise = promised["position"].as_u64().unwrap_or_default();
        let sums = counts(&desk, of_promise.max(answers[1].1["position"].as_u64().unwrap()));
        assert_eq!((sums["occupied"], sums["held"]), (1, 0), "race {race}: {sums:?}");
        desk.done(&format!("/referrals/{referral}/withdraw"), &json!({"reason": "recovered"}));
        location.done(&format!("/stays/{stay}/discharge"), &json!({"destination": "family", "ready": true}));
    }
}
