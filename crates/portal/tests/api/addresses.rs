//! Every address of the API: its description, and what each says to whom it is not for.

use serde_json::{Value, json};
use tests::http::{call, get};

use crate::ids::Ids;
use crate::{Desks, accept, referral, token};

/// Every address of the description, with its method.
fn operations(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys().filter(|key| ["get", "post"].contains(&&***key));
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    all.collect()
}

/// A body that is what each act of the API asks for, with ids of the other region where it names any.
fn bodies(path: &str, referral_id: &str, house: &str) -> Value {
    let place = json!({ "location": house, "bed": "1", "care_type": "ELV_LC" });
    let moment = "2030-01-01T00:00:00Z";
    let profile = referral("x", "zk02", "crisis")["profile"].clone();
    let site = json!({ "provider": "p", "name": "n", "mode": "beds", "care_types": ["GRZ"] });
    let bed = json!({ "location": house, "bed": "1" });
    let last: Vec<&str> = path.rsplit('/').collect();
    match (last[0], last.get(1).copied()) {
        ("referrals", _) => json!({ "region": "zk02", "referral": Ids::next(), "profile": profile }),
        ("change", Some("{referral}")) => json!({ "profile": profile }),
        ("change", Some("{bed}")) | ("add", _) => json!({ "facts": { "care_types": ["GRZ"] } }),
        ("change", _) => json!({ "site": site }),
        ("locations", _) => json!({ "location": house, "site": site }),
        ("withdraw", _) => json!({ "reason": "other" }),
        ("divert", _) => json!({ "reason": "hospital" }),
        ("give-up", _) => json!({ "reason": "niets" }),
        ("triage", Some("{referral}")) => json!({ "instrument": "i", "answers": [], "decided_by": "nurse" }),
        ("triage", _) => json!({ "outcome": "GRZ" }),
        ("escalate", _) => json!({ "to": "zk01" }),
        ("raise", _) => json!({ "to": "insurer" }),
        ("arrival", _) => json!({ "location": house, "arrives_at": moment }),
        ("extend", _) => json!({ "location": house, "until": moment }),
        ("release", _) => json!({ "location": house }),
        ("offers", _) => json!({ "to": [{ "offer": Ids::next(), "location": house, "care_type": "GRZ" }] }),
        ("accept", _) => accept(),
        ("decline", _) | ("take-back", Some("{offer}")) => json!({ "code": "no-staff" }),
        ("agree" | "contest" | "choose", _) => json!({ "role": "nurse" }),
        ("stays", _) => json!({ "stay": Ids::next(), "referral": referral_id, "place": place }),
        ("expected", _) => json!({ "expected_at": moment }),
        ("plan", _) => json!({ "items": [] }),
        ("waiting", _) => json!({ "what": "grz-place", "since": moment }),
        ("funding", _) => json!({ "funding": "zvw" }),
        ("move", _) => json!({ "to": bed }),
        ("cancel-move", _) => json!({ "from": bed, "to": bed }),
        ("discharge", _) => json!({ "destination": "family", "place": place }),
        ("hand-over", _) => json!({ "to": "zk01", "until": moment, "mandate": ["all"] }),
        ("rule-set", _) => json!({ "rule_set": "crisis" }),
        ("contacts", _) => json!({ "contact": Ids::next(), "kind": "call", "with": "gp", "minutes": 1 }),
        ("counts", _) => json!({ "counts": [] }),
        ("windows", _) => json!({ "windows": [] }),
        ("intake-limit", _) => json!({ "period": "day", "max": 1 }),
        ("stop", _) => json!({ "reason": "staffing" }),
        ("closed", _) => json!({ "reason": "maintenance" }),
        ("correct", _) => json!({ "corrects": Ids::next() }),
        _ => json!({}),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_67_ids_of_another_region_look_like_ids_of_nothing() {
    let desks = Desks::start().await;
    // Everything there is in zk02.
    let referral = Ids::next();
    desks.done("loket-zk02", "/referrals", crate::referral(&referral, "zk02", "crisis")).await;
    let offer = Ids::next();
    let to = json!([{ "offer": offer, "location": "zk02-de-eik", "care_type": "ELV_LC" }]);
    desks.done("loket-zk02", &format!("/referrals/{referral}/offers"), json!({ "to": to })).await;
    desks.done("zk02-de-eik", &format!("/referrals/{referral}/offers/{offer}/accept"), accept()).await;
    let stay = Ids::next();
    let place = json!({ "location": "zk02-de-eik", "bed": "1", "care_type": "ELV_LC" });
    desks.done("zk02-de-eik", "/stays", json!({ "stay": stay, "referral": referral, "place": place })).await;

    let document = get(desks.address(), "/api/v1/openapi.json").await.json();
    let head = desks.node.log.reader().head().position;
    // What is open to every desk: names, numbers, counts, what neighbours can admit.
    let open = [
        "/regions",
        "/regions/{region}/board",
        "/regions/{region}/locations",
        "/regions/{region}/admittable",
    ];
    let mut tried = 0;
    for (method, path) in operations(&document) {
        let short = path.trim_start_matches("/api/v1");
        if method == "GET" && open.contains(&short) {
            continue;
        }
        let fill = |region: &str, house: &str, referral: &str, offer: &str, stay: &str| {
            path.replace("{region}", region)
                .replace("{location}", house)
                .replace("{bed}", "1")
                .replace("{referral}", referral)
                .replace("{offer}", offer)
                .replace("{stay}", stay)
                .replace("{word}", "freed")
        };
        let foreign = fill("zk02", "zk02-de-eik", &referral, &offer, &stay);
        let nothing = fill("zk99", "zk99-niets", &Ids::next(), &Ids::next(), &Ids::next());
        for who in ["loket-zk01", "zk01-de-linde", "huisarts"] {
            let ask = async |at: &str, referral: &str, house: &str| {
                let mut body = bodies(&path, referral, house);
                body["id"] = Ids::next().into();
                let body = if method == "POST" { body.to_string() } else { String::new() };
                call(desks.address(), (&method, at), &token(who), "", &body).await
            };
            let (of_other, of_nothing) = (
                ask(&foreign, &referral, "zk02-de-eik").await,
                ask(&nothing, &Ids::next(), "zk99-niets").await,
            );
            // The role is looked at first: what nobody of it may is told so of everything.
            assert!([403, 404].contains(&of_other.status), "{who} {method} {path}: {}", of_other.body);
            if of_nothing.status != 403 && short != "/referrals" {
                assert_eq!(of_other.status, of_nothing.status, "{who} {method} {path}");
                assert_eq!(of_other.body, of_nothing.body, "{who} {method} {path}");
            }
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
    assert_eq!(desks.node.log.reader().head().position, head, "something was recorded");
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_openapi_3_1_and_has_an_address_for_every_act() {
    let desks = Desks::start().await;
    let document = get(desks.address(), "/api/v1/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let operations = operations(&document);
    let posts = operations.iter().filter(|(method, _)| method == "POST").count();
    // All that a person can want; the rest of the acts is the deadline keeper's.
    assert_eq!((posts, operations.len() - posts), (51, 19), "{operations:?}");
    let text = document.to_string();
    let references = text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
    for reference in references {
        assert!(
            document["components"]["schemas"].get(reference).is_some(),
            "{reference} is described nowhere"
        );
    }
    desks.stop().await;
}
