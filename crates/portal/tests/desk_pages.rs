//! The desk's pages without a script: a referral from the first call to the bed, what is said when something can not be,
//! and that another's is not there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod support;

use support::houses::houses;
use support::{Node, Serving};
use tests::form::{form_to, forms};
use tests::http::{ask, get};
use tests::session::Session;

/// A served node with two houses in zk01, of two beds and of one, and one in zk02.
async fn desks() -> (Node, Serving) {
    let node = Node::of(support::network::network());
    node.record(&houses()).await;
    let serving = node.serve().await;
    (node, serving)
}

/// Makes a referral by the form; the page of it and its address.
async fn referred(desk: &Session, urgency: &str) -> (String, String) {
    let page = desk.page("/r/zk01/aanmelding/nieuw").await;
    let form = form_to(&page, "/doe/referrals")
        .with("profile[urgency]", urgency)
        .with("profile[origin]", "gp")
        .with("profile[care_type]", "ELV_LC")
        .with("profile[area]", "97")
        .with("profile[age_band]", "80-84")
        .with("profile[consent]", "true")
        .with("private", "Mevrouw Jansen, Kerkstraat 1")
        .with("not_a_double", "true");
    let at = form.fields.iter().find(|(name, _)| name == "naar").unwrap().1.clone();
    (form.send(desk).await, at)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_script_a_referral_goes_from_the_first_call_to_the_bed() {
    let (node, serving) = desks().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let (page, at) = referred(&desk, "planned").await;
    let id = at.strip_prefix("/aanmelding/").unwrap().to_owned();
    assert!(page.contains("80–84") && page.contains("Huisarts") && !page.contains("Jansen"), "{page}");
    let who = desk.page(&format!("{at}/wie")).await;
    assert!(who.contains("Mevrouw Jansen"), "{who}");

    let mut triage = form_to(&page, &format!("/doe/referrals/{id}/triage")).with("decided_by", "nurse");
    for question in ["specialist", "psychiatric"] {
        triage = triage.with(&format!("answer:{question}"), "false");
    }
    let unfinished = triage.try_send(&desk).await;
    assert_eq!(unfinished.status, 409, "{}", unfinished.body);
    assert!(unfinished.body.contains("Dit kan niet"), "{}", unfinished.body);
    let names: Vec<String> =
        page.split("name=\"answer:").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
    for question in names {
        let yes = if question == "stay-needed" || question == "necessary" { "true" } else { "false" };
        triage = triage.with(&format!("answer:{question}"), yes);
    }
    triage = triage
        .with("id", &uuid::Uuid::now_v7().to_string())
        .with("set_aside", "ELV_LC")
        .with("reason", "zo is het");
    let page = triage.send(&desk).await;

    let offers = form_to(&page, &format!("/doe/referrals/{id}/offers"));
    let asked = offers.fields.iter().filter(|(name, _)| name.ends_with("[location]")).count();
    assert_eq!(asked, 2, "{offers:?}");
    assert!(page.contains("Toezeggingen worden verzameld"), "which rule holds is said before: {page}");
    let page = offers.with("on:to[0]", "1").with("on:to[1]", "1").send(&desk).await;
    let accepts: Vec<_> = forms(&page).into_iter().filter(|form| form.action.ends_with("/accept")).collect();
    assert_eq!(accepts.len(), 2, "each house can be asked by telephone");
    let first = accepts[0].clone().with("spoken_with", "nurse");
    let page = first.send(&desk).await;
    assert!(page.contains("gesproken met: Verpleegkundige"), "{page}");
    let choose = forms(&page).into_iter().find(|form| form.action.ends_with("/choose")).unwrap();
    let page = choose.send(&desk).await;
    assert!(page.contains("gekozen") && page.contains("ingetrokken"), "the other is told: {page}");
    assert!(page.contains(" is gekozen.") && !page.contains("De eerste toezegging geldt"), "{page}");
    let agree = forms(&page).into_iter().find(|form| form.action.ends_with("/agree")).unwrap();
    let page = agree.send(&desk).await;
    let arrival = form_to(&page, &format!("/doe/referrals/{id}/arrival"));
    let soon = node.app.desk.now().as_micros() + 1_800_000_000;
    let soon = jiff::Timestamp::from_microsecond(soon).unwrap();
    let soon = soon.to_zoned(jiff::tz::get!("Europe/Amsterdam")).strftime("%Y-%m-%dT%H:%M").to_string();
    let page = arrival.with("arrives_at@local", &soon).send(&desk).await;
    let page = form_to(&page, "/doe/stays").send(&desk).await;
    assert!(page.contains("<p class=\"ended placed\">Opgenomen"), "{page}");
    // The stay is a tap away, for whoever may see it; who said it by mistake takes it back here.
    let stay = page.split("href=\"/verblijf/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(desk.get(&format!("/verblijf/{stay}")).await.status, 200);
    let undo = form_to(&page, &format!("/doe/stays/{stay}/cancel-admission"));
    assert!(page.contains("Opname ongedaan maken"), "{page}");
    let list = desk.page("/r/zk01/aanmeldingen").await;
    assert!(list.contains("Opgenomen"), "{list}");
    let page = undo.send(&desk).await;
    assert!(!page.contains("ended placed") && !page.contains("cancel-admission"), "{page}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_comes_back_after_signing_in_and_another_s_is_not_there() {
    let (node, serving) = desks().await;
    let address = serving.address;
    let answer = get(address, "/r/zk01/werklijst").await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/inloggen?naar=%2Fr%2Fzk01%2Fwerklijst"));
    let desk = Session::sign_in(address, "loket").await;
    let (_, at) = referred(&desk, "crisis").await;
    assert!(desk.page("/r/zk01/werklijst?lang=en").await.contains("Find a place."));
    assert_eq!(desk.get("/r/zk02/werklijst").await.status, 404, "another desk's");
    for name in ["linde", "huisarts", "tablet"] {
        let other = Session::sign_in(address, name).await;
        let status = other.get(&at).await.status;
        assert!(matches!(status, 403 | 404 | 303), "{name}: {status}");
        let status = other.get(&format!("{at}/wie")).await.status;
        assert!(matches!(status, 403 | 404 | 303), "{name}: {status}");
    }
    let nothing = desk.get("/aanmelding/019391f2-6f00-7a11-8c11-0d2f7a3b9c01").await;
    assert_eq!(nothing.status, 404);
    let out = desk.post("/uitloggen", &[]).await;
    assert_eq!(out.status, 303);
    assert_eq!(desk.get(&at).await.status, 303, "signed out");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referrer_makes_a_referral_and_follows_it() {
    let (node, serving) = desks().await;
    let doctor = Session::sign_in(serving.address, "huisarts").await;
    let (page, at) = referred(&doctor, "urgent").await;
    assert!(page.contains("Aangemeld") && !page.contains("/offers"), "{page}");
    assert!(doctor.page("/aanmeldingen").await.contains(&at));
    let id = at.strip_prefix("/aanmelding/").unwrap();
    let page = form_to(&page, &format!("/doe/referrals/{id}/withdraw"))
        .with("reason", "recovered")
        .send(&doctor)
        .await;
    assert!(page.contains("Ingetrokken: Hersteld"), "{page}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_changes_nothing() {
    let (node, serving) = desks().await;
    let before = node.log.reader().head().position;
    for headers in [
        "sec-fetch-site: cross-site\r\norigin: http://test\r\n",
        "sec-fetch-site: same-site\r\n",
        "origin: https://evil.example\r\n",
        "",
    ] {
        let answer = ask(
            serving.address,
            &format!(
                "POST /doe/referrals HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: 4\r\n\r\na=bc"
            ),
        )
        .await;
        assert_eq!(answer.status, 403, "{headers}");
    }
    assert_eq!(node.log.reader().head().position, before);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sixth_wrong_password_within_a_minute_waits_and_says_so() {
    let (node, serving) = desks().await;
    let nobody = Session::nobody(serving.address);
    for _ in 0..5 {
        let answer =
            nobody.post("/inloggen", &[("name", "loket"), ("password", "niet het goede woord")]).await;
        assert_eq!(answer.status, 401);
        assert!(answer.body.contains("horen niet bij elkaar"));
    }
    let answer = nobody.post("/inloggen", &[("name", "loket"), ("password", tests::session::PASSWORD)]).await;
    assert_eq!(answer.status, 429, "also the right one");
    serving.stop().await;
    node.stop().await;
}

/// What stands between the tags of a step of the way.
fn step<'a>(page: &'a str, word: &str) -> &'a str {
    let steps = page.split("class=\"steps\"").nth(1).unwrap().split("</ol>").next().unwrap();
    steps.split("<li ").find(|step| step.contains(word)).unwrap_or_else(|| panic!("no step {word}: {steps}"))
}

/// Asks both houses of the region.
async fn asks(desk: &Session, page: &str, at: &str) -> String {
    let offers = form_to(
        page,
        &format!("/doe/{}/offers", at.trim_start_matches('/').replace("aanmelding", "referrals")),
    );
    offers.with("on:to[0]", "1").with("on:to[1]", "1").send(desk).await
}

/// The first form that goes to an address with this end.
fn first_to(page: &str, end: &str) -> tests::form::Form {
    forms(page)
        .into_iter()
        .find(|form| form.action.ends_with(end))
        .unwrap_or_else(|| panic!("no {end}: {page}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_is_marked_and_what_comes_next_is_called_next() {
    let (node, serving) = desks().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let (page, at) = referred(&desk, "crisis").await;
    assert!(step(&page, "Aangemeld").contains("done now") && page.contains("nu: Aangemeld"), "{page}");
    assert!(page.contains("class=\"next\">volgende: Gewogen"), "{page}");
    assert!(page.contains("Loket Groningen (loket)") && !page.contains(">urn:test:desk<"), "{page}");
    assert!(page.contains("De eerste toezegging geldt: wie het eerst ja zegt"), "{page}");
    let page = asks(&desk, &page, &at).await;
    assert!(page.contains("nu: Voorgelegd") && page.contains("volgende: Toegezegd"), "{page}");
    assert!(!step(&page, "Toegezegd").contains("done") && !step(&page, "Gewogen").contains("done"), "{page}");
    assert!(!page.contains("Niemand kan nu") && page.contains("Gevraagd en nog geen antwoord: 2"), "{page}");
    assert!(page.contains("/raise\""), "others can be asked");

    // By telephone: yes. In a crisis the first that promises is chosen; when the person comes is to be agreed by the end of
    // the hold.
    let page = first_to(&page, "/accept").with("spoken_with", "nurse").send(&desk).await;
    assert!(page.contains("nu: Gekozen") && !page.contains("/raise\""), "a place was chosen: {page}");
    let won = page.contains("De eerste toezegging geldt: zk01-de-");
    assert!(won && !page.contains(" is gekozen."), "nobody chose, the rule did: {page}");
    let work = desk.page("/r/zk01/werklijst").await;
    let row = work.split("<tr").find(|row| row.contains("Spreek de aankomst af")).unwrap();
    assert!(
        row.contains("vóór") && !row.contains("sinds") && (row.contains("1 u 59 min") || row.contains("2 u")),
        "{row}"
    );

    // Admitted without the doctor: only after it is said so, and seen ever after.
    let admission = form_to(&page, "/doe/stays");
    let asked = admission.try_send(&desk).await;
    assert!(asked.status == 409 && asked.body.contains("nog geen akkoord gegeven"), "{}", asked.body);
    let page = admission.with("sure:agreement", "1").send(&desk).await;
    assert!(page.contains("<p class=\"ended placed\">Opgenomen"), "{page}");
    assert_eq!(
        page.matches("Zonder akkoord van de opnemend arts").count(),
        2,
        "above and in the timeline: {page}"
    );
    for (word, done) in
        [("Opgenomen", true), ("Akkoord arts", false), ("Aankomst", false), ("Gewogen", false)]
    {
        assert_eq!(step(&page, word).contains("done"), done, "{word}: {page}");
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weighing_that_ends_the_referral_asks_first_and_what_was_not_asked_any_more_does_not_count() {
    let (node, serving) = desks().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let (page, at) = referred(&desk, "planned").await;
    let path = at.replace("/aanmelding/", "/doe/referrals/");
    assert!(page.contains("data-ends") && page.contains("data-decides"), "{page}");
    let triage = form_to(&page, &format!("{path}/triage"));
    assert_eq!(
        triage.fields.iter().find(|(name, _)| name == "decided_by").unwrap().1,
        "",
        "nobody is chosen"
    );
    let triage = triage.with("answer:specialist", "true").with("answer:palliative", "true");

    // What is missing is named in the language of the page, with the menu and what was written.
    let lacks = triage.clone().with("reason", "na overleg met de zoon").try_send(&desk).await;
    assert_eq!(lacks.status, 422, "{}", lacks.body);
    assert!(lacks.body.contains("wie besliste") && !lacks.body.contains("missing field"), "{}", lacks.body);
    assert!(lacks.body.contains("Werklijst") && lacks.body.contains("/uitloggen"), "{}", lacks.body);
    assert!(lacks.body.contains("na overleg met de zoon") && lacks.body.contains(&at), "{}", lacks.body);
    let unread =
        triage.clone().with("decided_by", "nurse").with("answer:wlz", "misschien").try_send(&desk).await;
    assert!(unread.status == 422 && unread.body.contains("kunnen wij niet lezen"), "{}", unread.body);

    let triage = triage.with("decided_by", "nurse");
    let asked = triage.try_send(&desk).await;
    assert!(asked.status == 409 && asked.body.contains("dit sluit de aanmelding af"), "{}", asked.body);
    assert!(form_to(&desk.page(&at).await, &format!("{path}/triage")).fields.len() > 1, "it is open still");
    let page = triage.with("sure:end", "1").send(&desk).await;
    assert!(page.contains("Anders opgelost: Ziekenhuis") && page.contains("maak een nieuwe"), "{page}");
    assert!(page.contains("ziekenhuis") && !page.contains("HOSPITAL"), "{page}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_shown_and_a_referral_stands_the_same_in_the_list_as_in_the_worklist() {
    let (node, serving) = desks().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let (page, at) = referred(&desk, "planned").await;
    let path = at.replace("/aanmelding/", "/doe/referrals/");
    let change = form_to(&page, &format!("{path}/change"))
        .with("profile[sex]", "female")
        .with("profile[payer]", "Zvw");
    let page = change.send(&desk).await;
    let known = page.split("id=\"known-title\"").nth(1).unwrap().split("</dl>").next().unwrap();
    assert!(known.contains("Vrouw") && known.contains("Zvw"), "{known}");
    let triage = form_to(&page, &format!("{path}/triage")).with("decided_by", "nurse");
    let answers = [("specialist", false), ("psychiatric", false), ("wlz", false), ("stay", true)];
    let triage = answers
        .iter()
        .fold(triage, |form, (question, yes)| form.with(&format!("answer:{question}"), &yes.to_string()));
    let later = ["palliative", "rehabilitation", "unclear", "interacting"];
    let triage =
        later.iter().fold(triage, |form, question| form.with(&format!("answer:{question}"), "false"));
    let page = triage.send(&desk).await;
    assert!(page.contains("binnen 1 u"), "how long the rules give: {page}");
    let page = asks(&desk, &page, &at).await;
    let _ = first_to(&page, "/accept").with("spoken_with", "nurse").send(&desk).await;
    let words = "Plek toegezegd: laat kiezen";
    for list in ["/r/zk01/werklijst", "/r/zk01/aanmeldingen"] {
        let page = desk.page(list).await;
        assert!(page.contains(words) && !page.contains("Zoekt een plek"), "{list}: {page}");
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_elsewhere_stands_below_the_work_with_where_and_whom_to_ring() {
    let (node, serving) = desks().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let mut lines = Vec::new();
    for number in [1_u32, 2] {
        let (_, at) = referred(&desk, "crisis").await;
        let referral = at.trim_start_matches("/aanmelding/").to_owned();
        let stay = uuid::Uuid::now_v7();
        let about = format!(
            r#""stay":"{stay}","referral":"{referral}","location":"zk01-de-linde","bed":"{number}","care_type":"ELV_LC""#
        );
        lines.push(support::event_of("zk01", 900 + number, "stay.admitted", &stay.to_string(), &about));
    }
    let position = node.record(&lines).await;
    let page = desk.page(&format!("/r/zk01/werklijst?na={position}")).await;
    let work = page.split("data-part=\"work\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(!work.contains("Iets klopt niet"), "{work}");
    let odd = page.split("data-part=\"odd\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(odd.contains("2 × Ergens anders opgenomen dan gekozen"), "{odd}");
    assert!(odd.contains("zk01-de-linde") && odd.contains("tel:02000000"), "{odd}");
    assert_eq!(odd.matches("/aanmelding/").count(), 2, "{odd}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_bed_that_is_closed_or_taken_back_is_told_to_the_desk_on_the_list_and_the_referral() {
    let (node, serving) = desks().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let (page, at) = referred(&desk, "crisis").await;
    let page = asks(&desk, &page, &at).await;
    let page = first_to(&page, "/accept").with("spoken_with", "nurse").send(&desk).await;
    // The form is of a Dutch clock, one or two hours ahead.
    let arrives = tests::in_minutes(150);
    let local = arrives.get(..16).unwrap();
    let arrival = first_to(&page, "/arrival").with("arrives_at@local", local).with("transport", "taxi");
    let page = arrival.send(&desk).await;
    assert!(page.contains("<bdi>taxi</bdi>"), "{page}");
    let house = page.split("De eerste toezegging geldt: ").nth(1).unwrap().split(' ').next().unwrap();
    let bed = page.split("id=\"places-title\"").nth(1).unwrap();
    let bed = bed.split("class=\"tag\">bed ").nth(1).unwrap().split('<').next().unwrap();
    let closed = format!(r#""location":"{house}","bed":"{bed}","reason":"infection""#);
    let position = node.record(&[support::event_of("zk01", 901, "bed.closed", house, &closed)]).await;
    let doubt = "na de toezegging buiten gebruik";
    let work = desk.page(&format!("/r/zk01/werklijst?na={position}")).await;
    assert!(work.contains("Vraag of de gereserveerde plek er nog is") && work.contains(doubt), "{work}");
    let page = desk.page(&at).await;
    assert!(page.contains(doubt), "{page}");

    // The house rings: it cannot. That is no mere "no".
    let page = first_to(&page, "/take-back").with("spoken_with", "nurse").with("code", "not-free-after-all");
    let page = page.send(&desk).await;
    assert!(page.contains("toezegging ingetrokken") && !page.contains(doubt), "{page}");
    let work = desk.page("/r/zk01/werklijst").await;
    let row = work.split("<tr").find(|row| row.contains("Zoek een plek")).unwrap();
    assert!(row.contains("toezegging ingetrokken") && row.contains("tel:"), "{row}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_for_the_hour_the_page_says_who_can_again_first_and_from_when() {
    let (node, serving) = desks().await;
    let now = node.app.desk.now();
    let days = ["mo", "tu", "we", "th", "fr", "sa", "su"];
    let today = usize::from(domain::Wall::at(now).unwrap().weekday);
    let day = days.iter().cycle().nth(today + 2).unwrap();
    let windows = [("zk01-de-linde", "09:00"), ("zk01-de-beuk", "08:00")].map(|(house, from)| {
        let windows =
            format!(r#""location":"{house}","windows":[{{"days":["{day}"],"from":"{from}","to":"17:00"}}]"#);
        let number = if from == "09:00" { 970 } else { 971 };
        support::event_of("zk01", number, "location.windows-set", house, &windows)
    });
    let position = node.record(&windows).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let desk = Session::sign_in(serving.address, "loket").await;
    let (page, at) = referred(&desk, "crisis").await;
    assert!(
        page.contains("Niemand kan nu") && page.contains("Als eerste kan weer: zk01-de-beuk, vanaf "),
        "{page}"
    );
    assert_eq!(page.matches("Kan weer vanaf ").count(), 2, "{page}");
    assert!(page.contains(" 08:00.</b>"), "{page}");
    let english = desk.page(&format!("{at}?lang=en")).await;
    assert!(english.contains("The first that can again: zk01-de-beuk, from "), "{english}");
    // Of a moment that is still to come is not said what is so now.
    let tomorrow = jiff::Timestamp::from_microsecond(now.as_micros() + 24 * 3_600_000_000).unwrap();
    let tomorrow = tomorrow.to_zoned(jiff::tz::get!("Europe/Amsterdam")).strftime("%Y-%m-%dT%H:%M");
    let change = form_to(&page, &format!("/doe/referrals/{}/change", at.trim_start_matches("/aanmelding/")));
    let page = change.with("profile[wished_at@local]", &tomorrow.to_string()).send(&desk).await;
    assert!(
        page.contains("Niemand kan op het gewenste moment, ") && !page.contains("Niemand kan nu"),
        "{page}"
    );
    assert!(page.contains("algemene afweging, versie 1"), "{page}");
    serving.stop().await;
    node.stop().await;
}
