//! The API of the desk over HTTP: the whole way of a referral, who is told what, and what is said when it can not be.
//!
//! Not here: every rule of the desk (`domain`), the table of who may what (`domain`), strangers' tools (the `tests`
//! package).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod acts;
mod addresses;
mod rights;
#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;

use ids::Ids;
use network::{Network, TokenHash};
use serde_json::{Value, json};
use support::{Node, Serving};
use tests::http::{Answer, call};

/// Ids as their makers make them: UUIDv7, all different.
mod ids {
    use std::sync::atomic::{AtomicU64, Ordering};

    pub(crate) struct Ids;

    static NEXT: AtomicU64 = AtomicU64::new(1);

    impl Ids {
        pub(crate) fn next() -> String {
            // Of one millisecond; each is far from the next, because the events of an act count on from its id.
            format!("019391f2-6f00-7a11-8c11-{:012x}", NEXT.fetch_add(1, Ordering::SeqCst) * 1_000)
        }
    }
}

/// Who takes part: three desks, two houses of the first and one of the second, who speaks for all houses of the first, a referrer,
/// a node.
const SOURCES: [(&str, &str, &str); 9] = [
    ("loket-zk01", "desk", "zk01"),
    ("loket-zk02", "desk", "zk02"),
    ("loket-zk03", "desk", "zk03"),
    ("zk01-de-linde", "location", "zk01"),
    ("zk01-de-beuk", "location", "zk01"),
    ("zk02-de-eik", "location", "zk02"),
    ("zorggroep", "location", "zk01"),
    ("huisarts", "referrer", "zk01"),
    ("node", "node", "zk01"),
];

fn token(name: &str) -> String {
    format!("dst_{:0>64}", TokenHash::of(name).to_string())
}

fn urn(name: &str) -> String {
    format!("urn:nld:kvknr:00000000:systeem:{name}")
}

/// A network where everybody has a token; those of `without` have one that ended.
fn network(without: &[&str]) -> Network {
    let regions = ["zk01", "zk02", "zk03"].map(|code| {
        format!(
            "[[region]]\ncode = \"{code}\"\nname = \"{code}\"\ndesk = {{ name = \"Loket\", phone = \"0800\", hours = \"altijd\" }}\n"
        )
    });
    let sources = SOURCES.map(|(name, kind, region)| {
        let hash = TokenHash::of(&token(name));
        let all = if name == "zorggroep" { "locations = [\"*\"]\n" } else { "" };
        let until = if without.contains(&name) { ", until = \"2026-01-02T00:00:00Z\"" } else { "" };
        format!(
            "[[source]]\nid = \"{}\"\nname = \"{name}\"\nkind = \"{kind}\"\nregion = \"{region}\"\n{all}\
             tokens = [{{ sha256 = \"{hash}\", from = \"2026-01-01T00:00:00Z\"{until} }}]\n",
            urn(name)
        )
    });
    let text: String = regions.into_iter().chain(sources).collect();
    Network::from_toml("network.toml", &text).unwrap()
}

/// A served node with a house of two beds and one of one bed in zk01, and one in zk02.
struct Desks {
    node: Node,
    serving: Serving,
}

impl Desks {
    async fn start() -> Self {
        let node = Node::of(network(&[]));
        let serving = node.serve().await;
        let desks = Self { node, serving };
        for (house, region, beds) in
            [("zk01-de-linde", "zk01", 2), ("zk01-de-beuk", "zk01", 1), ("zk02-de-eik", "zk02", 1)]
        {
            let site = json!({ "provider": "p", "name": house, "mode": "beds", "care_types": ["ELV_LC"] });
            let path = format!("/regions/{region}/locations");
            desks.done(house, &path, json!({ "location": house, "site": site })).await;
            for bed in 1..=beds {
                let path = format!("/locations/{house}/beds/{bed}/add");
                desks.done(house, &path, json!({ "facts": { "care_types": ["ELV_LC"] } })).await;
                desks.done(house, &format!("/locations/{house}/beds/{bed}/freed"), json!({})).await;
            }
        }
        desks
    }

    fn address(&self) -> SocketAddr {
        self.serving.address
    }

    async fn post(&self, who: &str, path: &str, mut body: Value) -> Answer {
        if body.get("id").is_none() {
            body["id"] = Ids::next().into();
        }
        let path = format!("/api/v1{path}");
        call(self.address(), ("POST", &path), &token(who), "", &body.to_string()).await
    }

    /// Does what has to succeed.
    async fn done(&self, who: &str, path: &str, body: Value) -> Value {
        let answer = self.post(who, path, body).await;
        assert_eq!(answer.status, 201, "{who} {path}: {}", answer.body);
        answer.json()
    }

    /// The code with which it is refused.
    async fn refused(&self, who: &str, path: &str, body: Value) -> String {
        let answer = self.post(who, path, body).await;
        assert_eq!(answer.status, 409, "{who} {path}: {}", answer.body);
        answer.json()["code"].as_str().unwrap().to_owned()
    }

    async fn get(&self, who: &str, path: &str) -> Answer {
        call(self.address(), ("GET", &format!("/api/v1{path}")), &token(who), "", "").await
    }

    async fn seen(&self, who: &str, path: &str) -> Value {
        let answer = self.get(who, path).await;
        assert_eq!(answer.status, 200, "{who} {path}: {}", answer.body);
        answer.json()
    }

    /// A crisis referral, which needs no weighing; its id.
    async fn referral(&self, who: &str, region: &str) -> String {
        let id = Ids::next();
        self.done(who, "/referrals", referral(&id, region, "crisis")).await;
        id
    }

    /// An offer of that referral to a house; its id.
    async fn offer(&self, referral: &str, house: &str) -> String {
        let offer = Ids::next();
        let to = json!([{ "offer": offer, "location": house, "care_type": "ELV_LC" }]);
        self.done("loket-zk01", &format!("/referrals/{referral}/offers"), json!({ "to": to })).await;
        offer
    }

    async fn stop(self) {
        self.serving.stop().await;
        self.node.stop().await;
    }
}

fn referral(id: &str, region: &str, urgency: &str) -> Value {
    json!({
        "region": region,
        "referral": id,
        "not_a_double": true,
        "private": "Mevrouw Jansen, Kerkstraat 1",
        "profile": {
            "origin": "gp", "urgency": urgency, "care_type": "ELV_LC", "area": "35", "age_band": "80-84",
            "channel": "phone", "consent": true,
        },
    })
}

fn accept() -> Value {
    json!({ "from": tests::in_minutes(0), "role": "nurse", "care_type": "ELV_LC" })
}
