//! Who is known, and what each is told of what is not theirs.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::http::{call, get};

use crate::ids::Ids;
use crate::support::{OPERATOR, event_of};
use crate::{Desks, accept, network, referral, token, urn};

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_valid_token_is_told_so_and_one_that_is_taken_away_is_out_at_once() {
    let desks = Desks::start().await;
    let bare = get(desks.address(), "/api/v1/regions").await;
    assert_eq!((bare.status, bare.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(desks.get("niemand", "/regions").await.status, 401);
    assert_eq!(desks.get("huisarts", "/regions").await.status, 200);
    desks.node.registry.send_replace(Arc::new(network(&["huisarts"])));
    assert_eq!(desks.get("huisarts", "/regions").await.status, 401);
    assert_eq!(desks.get("node", "/regions").await.status, 403);
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_of_the_node_speaks_for_the_source_it_names() {
    let desks = Desks::start().await;
    let asks = async |path: &str, headers: &str| {
        call(desks.address(), ("GET", path), OPERATOR, headers, "").await.status
    };
    assert_eq!(asks("/api/v1/regions/zk01/worklist", "").await, 403);
    let desk = format!("doorstroom-as: {}\r\n", urn("loket-zk01"));
    assert_eq!(asks("/api/v1/regions/zk01/worklist", &desk).await, 200);
    assert_eq!(asks("/api/v1/regions/zk02/worklist", &desk).await, 404);
    assert_eq!(asks("/api/v1/regions/zk01/worklist", "doorstroom-as: urn:x:niemand\r\n").await, 400);
    // Nobody else speaks for another.
    let answer = call(
        desks.address(),
        ("GET", "/api/v1/regions/zk02/worklist"),
        &token("loket-zk01"),
        &format!("doorstroom-as: {}\r\n", urn("loket-zk02")),
        "",
    )
    .await;
    assert_eq!(answer.status, 404);
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_sees_of_a_referral_what_was_asked_of_it_and_who_it_is_only_when_it_was_chosen() {
    let desks = Desks::start().await;
    let referral = desks.referral("loket-zk01", "zk01").await;
    let path = format!("/referrals/{referral}");
    assert_eq!(desks.get("zk01-de-linde", &path).await.status, 404);
    desks.offer(&referral, "zk01-de-linde").await;
    let beuk = desks.offer(&referral, "zk01-de-beuk").await;
    let shown = desks.seen("zk01-de-linde", &path).await;
    assert_eq!(shown["offers"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(desks.get("zk01-de-linde", &format!("{path}/timeline")).await.status, 403);
    assert_eq!(desks.get("zk01-de-linde", &format!("{path}/private")).await.status, 404);
    desks.done("zk01-de-beuk", &format!("{path}/offers/{beuk}/accept"), accept()).await;
    assert_eq!(desks.get("zk01-de-linde", &format!("{path}/private")).await.status, 404);
    assert_eq!(desks.get("zk01-de-beuk", &format!("{path}/private")).await.status, 200);
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_was_asked_does_not_see_where_somebody_went_instead() {
    let desks = Desks::start().await;
    let soon = desks.node.app.desk.now().saturating_add_micros(3_600_000_000).to_string();
    let referral = desks.referral("loket-zk01", "zk01").await;
    let path = format!("/referrals/{referral}");
    let linde = desks.offer(&referral, "zk01-de-linde").await;
    let beuk = desks.offer(&referral, "zk01-de-beuk").await;
    desks.done("zk01-de-beuk", &format!("{path}/offers/{beuk}/accept"), accept()).await;
    let arrives = json!({ "location": "zk01-de-beuk", "arrives_at": soon });
    desks.done("zk01-de-beuk", &format!("{path}/arrival"), arrives).await;
    let kept = desks.seen("zk01-de-linde", &path).await;
    assert_eq!((&kept["holds"], &kept["arrives_at"]), (&json!([]), &Value::Null), "{kept}");
    assert!(!kept.to_string().contains("beuk"), "{kept}");
    let own = desks.seen("zk01-de-beuk", &path).await;
    assert_eq!(own["holds"][0]["place"]["location"], "zk01-de-beuk", "{own}");
    assert_eq!(own["arrives_where"], "zk01-de-beuk");
    for (act, body) in [
        (format!("{path}/offers/{linde}/accept"), accept()),
        (format!("{path}/arrival"), json!({ "location": "zk01-de-linde", "arrives_at": soon })),
    ] {
        let answer = desks.post("zk01-de-linde", &act, body).await;
        assert!(answer.status == 409 && !answer.body.contains("beuk"), "{act}: {}", answer.body);
    }
    let stay = Ids::next();
    let place = json!({ "location": "zk01-de-beuk", "bed": "1", "care_type": "ELV_LC" });
    desks.done("zk01-de-beuk", "/stays", json!({ "stay": stay, "referral": referral, "place": place })).await;
    let ended = desks.seen("zk01-de-linde", &path).await;
    assert_eq!(ended["end"], json!({ "how": "admitted", "about": null }), "{ended}");
    assert!(!ended.to_string().contains("beuk") && !ended.to_string().contains(&stay), "{ended}");
    for who in ["zk01-de-beuk", "loket-zk01"] {
        assert_eq!(desks.seen(who, &path).await["end"]["about"], stay, "{who}");
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_for_several_houses_speaks_as_the_one_it_names_also_when_others_of_them_were_asked() {
    let desks = Desks::start().await;
    for house in ["zk01-de-linde", "zk01-de-beuk"] {
        let referral = desks.referral("loket-zk01", "zk01").await;
        let path = format!("/referrals/{referral}");
        let linde = desks.offer(&referral, "zk01-de-linde").await;
        let beuk = desks.offer(&referral, "zk01-de-beuk").await;
        let offer = if house == "zk01-de-linde" { linde } else { beuk };
        desks.done("zorggroep", &format!("{path}/offers/{offer}/accept"), accept()).await;
        let soon = desks.node.app.desk.now().saturating_add_micros(3_600_000_000).to_string();
        desks
            .done("zorggroep", &format!("{path}/arrival"), json!({ "location": house, "arrives_at": soon }))
            .await;
        let place = json!({ "location": house, "bed": "1", "care_type": "ELV_LC" });
        desks
            .done("zorggroep", "/stays", json!({ "stay": Ids::next(), "referral": referral, "place": place }))
            .await;
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_stays_of_its_region_also_after_it_left_and_before_it_came() {
    let desks = Desks::start().await;
    let referral = desks.referral("loket-zk01", "zk01").await;
    desks.offer(&referral, "zk01-de-linde").await;
    desks.done("zk01-de-linde", "/locations/zk01-de-linde/leave", json!({})).await;
    let before = desks.node.log.reader().head().position;
    let registers = async |who: &str, region: &str, house: &str| {
        let site = json!({ "provider": "p", "name": house, "mode": "beds", "care_types": ["ELV_LC"] });
        let body = json!({ "location": house, "site": site });
        desks.post(who, &format!("/regions/{region}/locations"), body).await
    };
    for (who, region, house) in [
        ("loket-zk02", "zk02", "zk01-de-linde"),
        ("loket-zk02", "zk02", "zk01-nooit-gehoord"),
        ("loket-zk02", "zk02", "zk01-de-beuk"),
        ("loket-zk01", "zk02", "zk01-de-linde"),
        ("loket-zk02", "zk01", "zk02-de-nieuwe"),
    ] {
        let answer = registers(who, region, house).await;
        assert_eq!(answer.status, 404, "{who} {region} {house}: {}", answer.body);
    }
    assert_eq!(desks.node.log.reader().head().position, before);
    assert_eq!(desks.get("zk02-de-eik", &format!("/referrals/{referral}")).await.status, 404);
    // Its own region takes it back.
    for (who, region, house) in
        [("loket-zk01", "zk01", "zk01-de-linde"), ("loket-zk02", "zk02", "zk02-de-nieuwe")]
    {
        assert_eq!(registers(who, region, house).await.status, 201, "{house}");
    }
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_67_a_house_learns_nothing_of_a_referral_it_was_not_asked_for_by_speaking_of_its_own_place() {
    let desks = Desks::start().await;
    let of_zk01 = desks.referral("loket-zk01", "zk01").await;
    let arrival = |house: &str| json!({ "location": house, "arrives_at": "2030-01-01T00:00:00Z" });
    let admits = |house: &str, referral: &str| {
        let place = json!({ "location": house, "bed": "1", "care_type": "ELV_LC" });
        json!({ "stay": Ids::next(), "referral": referral, "place": place })
    };
    for house in ["zk02-de-eik", "zk01-de-linde"] {
        let mut answers = Vec::new();
        for referral in [of_zk01.clone(), Ids::next()] {
            let answer = desks.post(house, &format!("/referrals/{referral}/arrival"), arrival(house)).await;
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers[0], answers[1], "{house}");
        assert_eq!(answers[0].0, 404);
    }
    let mut answers = Vec::new();
    for referral in [of_zk01, Ids::next()] {
        let answer = desks.post("zk02-de-eik", "/stays", admits("zk02-de-eik", &referral)).await;
        answers.push((answer.status, answer.body));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 404);
    desks.stop().await;
}

/// How many keys a vault has.
fn keys(vault: &std::path::Path) -> usize {
    let folders = std::fs::read_dir(vault).unwrap().map(|folder| folder.unwrap().path());
    folders.map(|folder| std::fs::read_dir(folder).unwrap().count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_that_is_refused_leaves_no_key() {
    let desks = Desks::start().await;
    let (used, taken) = (Ids::next(), Ids::next());
    let mut first = referral(&taken, "zk01", "crisis");
    first["id"] = used.clone().into();
    desks.done("loket-zk01", "/referrals", first.clone()).await;
    let vault = desks.node.folder().join("vault");
    assert_eq!(keys(&vault), 1);
    for _ in 0..3 {
        let mut other = referral(&Ids::next(), "zk01", "crisis");
        other["id"] = used.clone().into();
        assert_eq!(desks.refused("loket-zk01", "/referrals", other).await, "id-reused");
        // The likely double of the first.
        let mut double = referral(&Ids::next(), "zk01", "crisis");
        double["not_a_double"] = false.into();
        assert_eq!(desks.refused("loket-zk01", "/referrals", double).await, "likely-double");
    }
    assert_eq!(keys(&vault), 1, "what was refused left a key");
    // Sent again, it is what became of it.
    assert_eq!(desks.post("loket-zk01", "/referrals", first).await.status, 200);
    assert_eq!(
        desks.seen("loket-zk01", &format!("/referrals/{taken}/private")).await["text"],
        "Mevrouw Jansen, Kerkstraat 1"
    );
    desks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_in_for_a_desk_takes_over_what_that_desk_was_asked_for() {
    let desks = Desks::start().await;
    let referral = Ids::next();
    desks.done("loket-zk01", "/referrals", crate::referral(&referral, "zk01", "crisis")).await;
    let at = |what: &str| format!("/referrals/{referral}{what}");
    let asked = format!(r#""referral":"{referral}","to_region":"zk02""#);
    let position = desks.node.record(&[event_of("zk01", 9, "referral.escalated", &referral, &asked)]).await;
    assert!(desks.node.app.desk.state().wait_for(position).await);
    // Nobody stands in: to zk03 it looks like nothing.
    assert_eq!(desks.get("loket-zk03", &at("")).await.status, 404);
    assert_eq!(desks.post("loket-zk03", &at("/take-over"), json!({})).await.status, 404);
    let until = desks.node.app.desk.now().saturating_add_micros(7 * 24 * 3_600 * 1_000_000).to_string();
    for (to, mandate) in [("nergens", json!(["all"])), ("zk03", json!(["drinken"])), ("zk03", json!([]))] {
        let nobody = json!({ "to": to, "until": until, "mandate": mandate });
        assert_eq!(desks.post("loket-zk02", "/regions/zk02/duty/hand-over", nobody).await.status, 422);
    }
    let duty = json!({ "to": "zk03", "until": until, "mandate": ["all"] });
    desks.done("loket-zk02", "/regions/zk02/duty/hand-over", duty).await;
    for page in ["/", "/r/zk02"] {
        let shown = get(desks.address(), page).await.body;
        assert_eq!(shown.matches("Loket neemt waar tot").count(), 1, "{page}: {shown}");
    }
    assert_eq!(desks.get("loket-zk03", &at("")).await.status, 200);
    // It looks and takes; what is sealed, and the work itself, are its own to see and do only then.
    assert_eq!(desks.get("loket-zk03", &at("/private")).await.status, 404);
    let offers =
        json!({ "to": [{ "offer": Ids::next(), "location": "zk02-de-eik", "care_type": "ELV_LC" }] });
    assert_eq!(desks.post("loket-zk03", &at("/offers"), offers.clone()).await.status, 404);
    desks.done("loket-zk03", &at("/take-over"), json!({})).await;
    assert_eq!(desks.get("loket-zk02", &at("")).await.json()["region"], "zk02");
    desks.done("loket-zk03", &at("/offers"), offers).await;
    assert_eq!(desks.get("loket-zk01", &at("/matching")).await.status, 404);
    desks.stop().await;
}
