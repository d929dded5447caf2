//! Whole stories in a real browser: what one does is on the other's screen, what could not be sent is kept and sent once, a
//! referral by keyboard alone, and nothing that keeps people out (axe-core).
//!
//! Not here: the same without a script (`desk_pages`, `house`, `lookback`).

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use serde_json::Value;
use support::houses::houses;
use support::{Node, Serving};
use tests::browser::Browser;
use tests::session::Session;

async fn started() -> (Node, Serving, String) {
    let node = Node::of(support::network::network());
    node.record(&houses()).await;
    let serving = node.serve().await;
    let at = format!("http://{}", serving.address);
    (node, serving, at)
}

/// Fills in a new referral and sends it; the path of its page.
async fn refers(browser: &mut Browser, at: &str, urgency: &str) -> String {
    browser.go(&format!("{at}/r/zk01/aanmelding/nieuw")).await;
    let fill = format!(
        "(() => {{ const form = document.querySelector('form[data-act]');
            form.querySelector('[name=\"profile[urgency]\"][value={urgency}]').checked = true;
            form.elements['profile[origin]'].value = 'gp';
            form.elements['profile[care_type]'].value = 'ELV_LC';
            form.elements['profile[age_band]'].value = '80-84';
            form.elements['profile[area]'].value = '97';
            form.elements['profile[consent]'].checked = true;
            form.elements['not_a_double'].checked = true;
            form.querySelector('button.main').click(); }})()"
    );
    browser.evaluate(&fill).await;
    browser
        .until(
            "/^\\/aanmelding\\/[0-9a-f-]{36}$/.test(location.pathname) && document.readyState === 'complete'",
        )
        .await;
    text(browser, "location.pathname").await
}

async fn text(browser: &mut Browser, script: &str) -> String {
    browser.evaluate(script).await.as_str().unwrap_or_default().to_owned()
}

/// Clicks the first of these that says this.
async fn click(browser: &mut Browser, selector: &str, says: &str) {
    let found = format!(
        "Array.from(document.querySelectorAll({selector:?})).find(one => one.textContent.includes({says:?}))"
    );
    browser.until(&format!("{found} !== undefined")).await;
    browser.evaluate(&format!("{found}.click()")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_are_asked_one_is_chosen_and_the_desk_sees_each_step_without_a_reload() {
    let (node, serving, at) = started().await;
    let mut desk = Browser::open(&format!("{at}/")).await;
    desk.sign_in(&at, "loket").await;
    assert_eq!(text(&mut desk, "location.pathname").await, "/r/zk01/werklijst");
    let path = refers(&mut desk, &at, "crisis").await;
    desk.evaluate("window.samePage = true").await;
    desk.evaluate("document.querySelectorAll('[name^=\"on:to\"]').forEach(box => box.click())").await;
    click(&mut desk, "[data-part=candidates] button.main", "").await;
    desk.until("document.querySelectorAll('[data-part=offers] .offer').length === 2").await;

    // A colleague on another machine follows the same referral.
    let mut other = Browser::open(&format!("{at}/")).await;
    other.sign_in(&at, "loket").await;
    other.go(&format!("{at}{path}")).await;
    other.evaluate("window.samePage = true").await;

    // By telephone: yes. In a crisis the first that promises a place is chosen by the rules.
    desk.evaluate("document.querySelector('[data-part=offers] details').open = true").await;
    desk.evaluate(
        "(() => { const form = document.querySelector('form[action$=\"/accept\"]');
            form.elements['spoken_with'].value = 'nurse'; form.querySelector('button').click(); })()",
    )
    .await;
    let promised = "document.querySelector('[data-part=offers]')?.textContent.includes('toegezegd')";
    other.until(promised).await;
    other.until("document.querySelector('[data-part=offers]').textContent.includes('gekozen')").await;
    other.until("document.querySelector('[data-part=offers]').textContent.includes('ingetrokken')").await;
    desk.until("document.querySelector('[data-part=places]') !== null").await;
    click(&mut desk, "[data-part=offers] button", "Arts akkoord").await;
    desk.until("document.querySelector('[data-part=offers]').textContent.includes('✓ akkoord arts')").await;
    let house = text(&mut desk, "document.querySelector('[name=\"place[location]\"]').value").await;
    click(&mut desk, "[data-part=places] button", "Is opgenomen").await;
    desk.until("document.querySelector('.ended.placed') && document.querySelector('[data-part=steps]').textContent.includes('Opgenomen')").await;
    other.until("document.querySelector('[data-part=places]') === null").await;
    for browser in [&mut desk, &mut other] {
        assert_eq!(browser.evaluate("window.samePage").await, true, "no page was loaded anew");
        assert_eq!(browser.evaluate("window.violations").await, 0);
    }
    goes_home(&mut desk, &at, &house).await;
    desk.close().await;
    other.close().await;
    serving.stop().await;
    node.stop().await;
}

/// Whoever lies at this house could go, waits for care at home, goes, and the bed is free again.
async fn goes_home(browser: &mut Browser, at: &str, house: &str) {
    browser.go(&format!("{at}/l/{house}")).await;
    click(browser, "main a[href^='/verblijf/']", "").await;
    browser.until("location.pathname.startsWith('/verblijf/') && document.readyState === 'complete'").await;
    browser
        .evaluate(
            "(() => { const form = document.querySelector('form[action$=\"/waiting\"]');
                form.elements['what'].value = 'home-care'; form.querySelector('button').click(); })()",
        )
        .await;
    browser.until("document.querySelector('main').textContent.includes('Zorg thuis, sinds')").await;
    browser
        .evaluate(
            "(() => { const form = document.querySelector('form[action$=\"/discharge\"]');
                form.elements['destination'].value = 'home-with-care'; form.querySelector('button').click(); })()",
        )
        .await;
    browser.until("document.querySelector('form[action$=\"/cancel-discharge\"]') !== null").await;
    browser.go(&format!("{at}/l/{house}")).await;
    let free = "document.querySelector('button[formaction$=\"/freed\"]')";
    browser.until(&format!("{free} !== null")).await;
    browser.evaluate(&format!("{free}.click()")).await;
    browser.until(&format!("{free} === null")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_sent_is_shown_kept_over_a_reload_and_recorded_once() {
    let (node, serving, at) = started().await;
    let mut browser = Browser::open(&format!("{at}/")).await;
    browser.sign_in(&at, "loket").await;
    let before = node.log.reader().head().position;
    // The line is cut under the open page.
    browser.call("Network.enable", serde_json::json!({})).await;
    offline(&mut browser, true).await;
    browser
        .evaluate(
            "(() => { const form = document.querySelector('form[action$=\"/hand-over\"]');
                form.closest('details').open = true;
                form.elements['to'].value = 'zk02'; form.elements['until@local'].value = new Date(Date.now() + 7 * 864e5).toISOString().slice(0, 16);
                form.querySelector('button.main').click(); })()",
        )
        .await;
    browser.until("document.getElementById('outbox').textContent.includes('Nog niet opgeslagen')").await;
    assert_eq!(node.log.reader().head().position, before, "nothing is recorded");
    offline(&mut browser, false).await;
    browser.go(&format!("{at}/r/zk01/werklijst")).await;
    browser.until("document.querySelector('[data-part=duty]').textContent.includes('neemt waar')").await;
    browser.until("document.getElementById('outbox').hidden || !document.getElementById('outbox').textContent.includes('Nog niet')").await;
    assert_eq!(node.log.reader().head().position, before + 1, "recorded once");
    assert_eq!(browser.evaluate("localStorage.getItem('doorstroom.outbox')").await, "[]");
    browser.close().await;
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tap_while_the_line_is_cut_is_an_act_of_its_own_and_they_are_done_in_their_order() {
    let (node, serving, at) = started().await;
    let mut nurse = Browser::open(&format!("{at}/")).await;
    nurse.sign_in(&at, "linde").await;
    nurse.go(&format!("{at}/l/zk01-de-linde")).await;
    let before = node.log.reader().head().position;
    nurse.call("Network.enable", serde_json::json!({})).await;
    offline(&mut nurse, true).await;
    let waiting = "document.querySelectorAll('#outbox b').length";
    // The page can not be fetched anew meanwhile: it is the same form each time.
    nurse.evaluate("window.form = document.querySelector('#bed-1 form.say')").await;
    for (number, word) in ["contaminated", "vacated", "vacated", "contaminated"].into_iter().enumerate() {
        let pressed = format!(
            "(() => {{ const button = document.createElement('button'); button.textContent = '{word}';
                button.setAttribute('formaction', '/doe/locations/zk01-de-linde/beds/1/{word}');
                window.form.append(button); button.click(); button.remove(); }})()"
        );
        nurse.evaluate(&pressed).await;
        // Pressed twice in a row it is one act.
        let kept = [1, 2, 2, 3].get(number).unwrap();
        nurse.until(&format!("{waiting} === {kept} && !('sending' in window.form.dataset)")).await;
    }
    offline(&mut nurse, false).await;
    nurse.until(&format!("{waiting} === 0")).await;
    let words: Vec<String> = (before + 1..=node.log.reader().head().position)
        .map(|position| node.log.reader().record(position).unwrap().unwrap().kind.to_string())
        .collect();
    let said = |word: &str| format!("nl.doorstroom.bed.{word}.v1");
    assert_eq!(words, [said("contaminated"), said("vacated"), said("contaminated")]);
    nurse.close().await;
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_does_on_a_page_is_never_recorded_in_the_name_of_the_next() {
    let (node, serving, at) = started().await;
    let mut browser = Browser::open(&format!("{at}/")).await;
    browser.sign_in(&at, "linde").await;
    browser.go(&format!("{at}/l/zk01-de-linde")).await;
    let before = node.log.reader().head().position;
    // In another tab of the same browser somebody else signs in.
    let next = Session::sign_in(serving.address, "loket").await;
    let (name, value) = next.cookie().split_once('=').unwrap();
    let cookie = serde_json::json!({ "name": name, "value": value, "url": at, "path": "/", "secure": true, "httpOnly": true, "sameSite": "Lax" });
    assert_eq!(browser.call("Network.setCookie", cookie).await["success"], true);
    taps(&mut browser, "/doe/locations/zk01-de-linde/beds/1/vacated").await;
    let waits = "document.getElementById('outbox').textContent.includes('zodra u hier weer bent ingelogd')";
    browser.until(waits).await;
    // What is kept nowhere does not wait for who comes back, and says so.
    browser.evaluate("document.querySelector('#bed-2 form.admit button').click()").await;
    browser.until("document.body.textContent.includes('Er is niets vastgelegd: u bent afgemeld')").await;
    assert_eq!(browser.evaluate("document.querySelectorAll('#outbox b').length").await, 1);
    assert_eq!(node.log.reader().head().position, before, "nothing is recorded");
    // Nor when the page is opened by who is signed in now.
    browser.go(&format!("{at}/r/zk01/werklijst")).await;
    browser.until("document.getElementById('outbox').hidden").await;
    assert_eq!(node.log.reader().head().position, before);
    browser.close().await;
    serving.stop().await;
    node.stop().await;
}

async fn offline(browser: &mut Browser, offline: bool) {
    let conditions = serde_json::json!({
        "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1
    });
    browser.call("Network.emulateNetworkConditions", conditions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_survives_the_next_call_and_keeps_nothing_personal() {
    let (node, serving, at) = started().await;
    let mut browser = Browser::open(&format!("{at}/")).await;
    browser.sign_in(&at, "loket").await;
    browser.go(&format!("{at}/r/zk01/aanmelding/nieuw")).await;
    browser
        .evaluate(
            "(() => { const form = document.querySelector('form[data-draft]');
                for (const [name, value] of [['profile[area]', '97'], ['private', 'Mevrouw Jansen']]) {
                    form.elements[name].value = value;
                    form.elements[name].dispatchEvent(new Event('input', {bubbles: true})); } })()",
        )
        .await;
    browser.go(&format!("{at}/r/zk01/werklijst")).await;
    browser.go(&format!("{at}/r/zk01/aanmelding/nieuw")).await;
    assert_eq!(
        browser.evaluate("document.querySelector('form[data-draft]').elements['profile[area]'].value").await,
        "97"
    );
    let kept = text(&mut browser, "JSON.stringify(sessionStorage) + JSON.stringify(localStorage)").await;
    assert!(!kept.contains("Jansen"), "{kept}");
    browser.close().await;
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_is_made_by_keyboard_alone() {
    let (node, serving, at) = started().await;
    let mut browser = Browser::open(&format!("{at}/")).await;
    browser.sign_in(&at, "loket").await;
    browser.press("n").await;
    browser
        .until("location.pathname.endsWith('/aanmelding/nieuw') && document.readyState === 'complete'")
        .await;
    let mut said = Vec::new();
    for _ in 0..60 {
        browser.press("Tab").await;
        let name =
            text(&mut browser, "document.activeElement.name || document.activeElement.textContent.trim()")
                .await;
        match name.as_str() {
            "profile[urgency]" | "profile[consent]" => browser.press(" ").await,
            "profile[origin]" => {
                browser.press("ArrowDown").await;
            }
            "profile[area]" => browser.type_text("97").await,
            "private" => browser.type_text("Mevrouw Jansen").await,
            "Aanmelden" => {
                browser.press("Enter").await;
                said.push(name);
                break;
            }
            _ => {}
        }
        said.push(name);
    }
    browser.until("/^\\/aanmelding\\/[0-9a-f-]{36}$/.test(location.pathname)").await;
    assert!(said.iter().any(|name| name == "private"), "{said:?}");
    browser.close().await;
    serving.stop().await;
    node.stop().await;
}

/// Taps the button of the form that is sent to this address.
async fn taps(browser: &mut Browser, action: &str) {
    let button = format!(
        "document.querySelector('button[formaction=\"{action}\"], form[action=\"{action}\"] button')"
    );
    browser.until(&format!("{button} !== null")).await;
    browser.evaluate(&format!("{button}.click()")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nurse_taps_a_bed_and_the_desk_s_board_and_the_centre_s_alarm_change_without_a_reload() {
    let (node, serving, at) = started().await;
    let mut nurse = Browser::open(&format!("{at}/")).await;
    nurse.width(390).await;
    nurse.sign_in(&at, "linde").await;
    nurse.go(&format!("{at}/l/zk01-de-linde")).await;
    let mut desk = Browser::open(&format!("{at}/r/zk01")).await;
    let mut centre = Browser::open(&format!("{at}/")).await;
    centre.sign_in(&at, "centrum").await;
    assert_eq!(text(&mut centre, "location.pathname").await, "/c/midden");
    for browser in [&mut nurse, &mut desk, &mut centre] {
        browser.evaluate("window.samePage = true").await;
    }
    let free = r#"document.querySelector('[data-k="zk01-de-linde/ELV_LC"] .n').textContent"#;
    let alarms = "document.querySelectorAll('[data-part=alarms] li').length";
    desk.until(&format!("{free} === '2'")).await;
    centre.until(&format!("{alarms} === 0")).await;

    taps(&mut nurse, "/doe/locations/zk01-de-linde/beds/1/vacated").await;
    desk.until(&format!("{free} === '1'")).await;
    taps(&mut nurse, "/doe/locations/zk01-de-linde/beds/2/vacated").await;
    desk.until(&format!("{free} === '0'")).await;
    // One of three is left, and the centre wants to be told below two.
    centre.until(&format!("{alarms} === 1")).await;
    taps(&mut nurse, "/doe/locations/zk01-de-linde/beds/1/freed").await;
    desk.until(&format!("{free} === '1'")).await;
    centre.until(&format!("{alarms} === 0")).await;

    // No admissions to the ward, in one act.
    nurse.evaluate("document.querySelector('form[action$=\"/stop\"] select').value = 'infection'").await;
    nurse.evaluate("document.querySelector('form[action$=\"/stop\"] button[name=ward]').click()").await;
    desk.until("document.querySelector('.badge.stop') !== null").await;
    desk.until(&format!("{free} === '0'")).await;
    for browser in [&mut nurse, &mut desk, &mut centre] {
        assert_eq!(browser.evaluate("window.samePage").await, true, "no page was loaded anew");
        assert_eq!(browser.evaluate("window.violations").await, 0);
    }
    for browser in [nurse, desk, centre] {
        browser.close().await;
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_goes_back_to_before_the_tap() {
    let (node, serving, at) = started().await;
    let before = node.log.reader().head().position;
    let mut nurse = Browser::open(&format!("{at}/")).await;
    nurse.sign_in(&at, "linde").await;
    nurse.go(&format!("{at}/l/zk01-de-linde")).await;
    taps(&mut nurse, "/doe/locations/zk01-de-linde/beds/1/vacated").await;
    nurse.until("document.querySelector('button[formaction$=\"/beds/1/freed\"]') !== null").await;
    let mut auditor = Browser::open(&format!("{at}/")).await;
    auditor.sign_in(&at, "toezicht").await;
    auditor.go(&format!("{at}/audit?regio=zk01")).await;
    auditor.evaluate("document.querySelector('[type=number][name=positie]').value = '0'").await;
    auditor
        .evaluate(&format!("document.querySelector('[type=number][name=positie]').value = '{before}'"))
        .await;
    auditor.evaluate("document.querySelector('[type=number][name=positie]').form.requestSubmit()").await;
    auditor
        .until(&format!("location.search.includes('positie={before}') && document.readyState === 'complete'"))
        .await;
    let line = "document.querySelector('tr[data-k=\"zk01-de-linde\"]').innerText.replace(/\\s+/g, ' ')";
    let said = text(&mut auditor, line).await;
    assert!(said.contains('2') && said.contains('1'), "then two were free, now one: {said}");
    assert!(auditor.evaluate("document.querySelectorAll('.au-diff').length").await.as_u64().unwrap() > 0);
    nurse.close().await;
    auditor.close().await;
    serving.stop().await;
    node.stop().await;
}

/// A bed of De Beuk is in use again, or no longer.
fn beuk(number: u32, word: &str) -> String {
    let about = r#""location":"zk01-de-beuk","bed":"1","reason":"maintenance""#;
    let about = if word == "closed" { about } else { r#""location":"zk01-de-beuk","bed":"1""# };
    support::event(number, &format!("bed.{word}"), "zk01-de-beuk/1", about)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sieved_board_stays_sieved_and_live_and_what_is_being_chosen_stays_chosen() {
    let (node, serving, at) = started().await;
    node.record(&[beuk(901, "closed")]).await;
    let mut desk = Browser::open(&format!("{at}/")).await;
    desk.sign_in(&at, "loket").await;
    let mut nobody = Browser::open(&format!("{at}/")).await;
    for browser in [&mut desk, &mut nobody] {
        browser.go(&format!("{at}/r/zk01?vrij=1")).await;
        browser.until("document.getElementById('dot').classList.contains('on')").await;
        browser.evaluate("window.samePage = true").await;
        assert_eq!(browser.evaluate("document.getElementById('zk01-de-beuk')").await, Value::Null);
    }
    desk.evaluate("document.querySelector('.sieve').open = true; document.querySelector('[name=nodig][value=hoist]').click(); document.querySelector('[name=nodig][value=hoist]').focus()").await;
    let free = "document.querySelector('[data-k=\"zk01-de-linde/ELV_LC\"] .lv').textContent";
    node.record(&[support::bed_closed(2, 2)]).await;
    for browser in [&mut desk, &mut nobody] {
        browser.until(&format!("{free} === '1'")).await;
        assert_eq!(browser.evaluate("document.getElementById('zk01-de-beuk')").await, Value::Null);
    }
    node.record(&[beuk(902, "opened"), support::bed_closed(1, 1)]).await;
    for browser in [&mut desk, &mut nobody] {
        browser.until("document.getElementById('zk01-de-beuk') !== null").await;
        browser.until("document.getElementById('zk01-de-linde') === null").await;
        assert_eq!(browser.evaluate("window.samePage").await, true, "no page was loaded anew");
        assert_eq!(browser.evaluate("window.violations").await, 0);
    }
    let chosen = "document.activeElement.value === 'hoist' && document.activeElement.checked && document.querySelectorAll('.sieve').length === 1";
    assert_eq!(desk.evaluate(chosen).await, true);
    desk.close().await;
    nobody.close().await;
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_refused_without_a_script_has_the_focus_on_why_and_keeps_nobody_out() {
    let (node, serving, at) = started().await;
    let mut browser = Browser::open(&format!("{at}/")).await;
    browser.sign_in(&at, "loket").await;
    browser.go(&format!("{at}/r/zk01/aanmelding/nieuw")).await;
    // Sent as a browser without a script does: the scripts of the page know nothing of it.
    browser
        .evaluate(
            "(() => { const form = document.querySelector('form[action=\"/doe/referrals\"]');
                form.querySelector('[name=\"profile[urgency]\"][value=urgent]').checked = true;
                form.elements.private.value = 'Mevrouw Jansen\\nKerkstraat 1';
                form.submit(); })()",
        )
        .await;
    browser.until("location.pathname === '/doe/referrals' && document.readyState === 'complete'").await;
    browser.until("document.activeElement.id === 'refused'").await;
    let alert = text(&mut browser, "document.activeElement.innerText").await;
    assert!(alert.contains("Er ontbreekt nog iets") && alert.contains("Vul nog in"), "{alert}");
    let kept = text(&mut browser, "document.querySelector('[name=private]').value").await;
    assert_eq!(kept, "Mevrouw Jansen\nKerkstraat 1");
    assert_eq!(browser.evaluate("location.search").await, "");
    assert_eq!(browser.evaluate("window.violations").await, 0);
    for dark in [false, true] {
        browser.dark(dark).await;
        let found = browser.axe().await;
        assert!(found.is_empty(), "dark={dark}: {found:#?}");
    }
    browser.evaluate("document.querySelector('#refused a').click()").await;
    browser.until("location.hash === '#refused-field'").await;
    browser.close().await;
    serving.stop().await;
    node.stop().await;
}

/// Every page, with who looks at it.
async fn pages(browser: &mut Browser, at: &str) -> Vec<(&'static str, Vec<String>)> {
    browser.sign_in(at, "loket").await;
    let referral = refers(browser, at, "crisis").await;
    browser.evaluate("document.querySelectorAll('[name^=\"on:to\"]').forEach(box => box.click())").await;
    click(browser, "[data-part=candidates] button.main", "").await;
    browser.until("document.querySelectorAll('[data-part=offers] .offer').length === 2").await;
    out(browser).await;
    browser.sign_in(at, "linde").await;
    browser.go(&format!("{at}/l/zk01-de-linde")).await;
    browser.evaluate("document.querySelector('#bed-1 form.admit button').click()").await;
    browser.until("document.querySelector('#bed-1 a[href^=\"/verblijf/\"]') !== null").await;
    let stay = text(browser, "document.querySelector('#bed-1 a').getAttribute('href')").await;
    out(browser).await;
    let mine = vec![
        "/r/zk01/werklijst".to_owned(),
        "/r/zk01".to_owned(),
        "/r/zk01?nodig=isolation&vrij=1".to_owned(),
        "/r/zk01/aanmeldingen".to_owned(),
        "/r/zk01/aanmelding/nieuw".to_owned(),
        "/r/zk01/stroom".to_owned(),
        "/l/zk01-de-linde/cijfers/ELV_LC".to_owned(),
        "/locaties".to_owned(),
        "/meldingen".to_owned(),
        format!("{referral}/wie"),
        format!("{referral}/lijsten"),
        referral.clone(),
    ];
    let public =
        ["/", "/overzicht", "/r/zk01?vrij=1", "/inloggen", "/nergens", "/l/zk01-de-linde/cijfers/ELV_LC"];
    let public = public.map(str::to_owned).to_vec();
    let past = referral.replace("/aanmelding/", "/audit?regio=zk01&aanmelding=");
    vec![
        ("", public),
        ("loket", mine),
        ("huisarts", vec!["/aanmeldingen".to_owned()]),
        (
            "linde",
            vec![
                "/l/zk01-de-linde".to_owned(),
                "/l/zk01-de-linde/inrichting".to_owned(),
                "/locaties".to_owned(),
                stay,
            ],
        ),
        ("tablet", vec!["/l/zk01-de-linde".to_owned()]),
        ("centrum", vec!["/c/midden".to_owned(), "/c/midden?zorgsoort=ELV_LC&spoed=crisis".to_owned()]),
        (
            "toezicht",
            vec![
                "/audit?regio=zk01".to_owned(),
                past,
                "/audit/gebeurtenis/1".to_owned(),
                "/audit/aanmeldingen".to_owned(),
                "/audit/aanmeldingen?nummer=x".to_owned(),
                "/l/zk01-de-linde/cijfers/ELV_LC?positie=3".to_owned(),
            ],
        ),
    ]
}

/// Whoever is signed in leaves, also a device.
async fn out(browser: &mut Browser) {
    let device = "document.querySelector('form.who button') === null";
    if browser.evaluate(device).await == true {
        browser.evaluate("document.querySelector('form.who').submit()").await;
        browser.until("document.querySelector('form.who') === null").await;
        return;
    }
    browser.evaluate("document.querySelector('form.who button').click()").await;
    browser.until("location.pathname === '/inloggen' && document.readyState === 'complete'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page_in_either_language_light_or_dark_and_every_page_fits() {
    let (node, serving, at) = started().await;
    let mut browser = Browser::open(&format!("{at}/")).await;
    let mut wrong: Vec<(String, Value)> = Vec::new();
    for (who, paths) in pages(&mut browser, &at).await {
        if !who.is_empty() {
            browser.sign_in(&at, who).await;
        }
        for path in paths {
            for lang in ["nl", "en"] {
                let more = if path.contains('?') { '&' } else { '?' };
                browser.go(&format!("{at}{path}{more}lang={lang}")).await;
                for dark in [false, true] {
                    browser.dark(dark).await;
                    let found = browser.axe().await;
                    if !found.is_empty() {
                        wrong.push((format!("{path} {lang} dark={dark}"), found.into()));
                    }
                }
            }
            for width in [360, 768, 1280, 1920] {
                browser.width(width).await;
                let needed = browser.evaluate("document.documentElement.scrollWidth").await.as_u64().unwrap();
                if needed > u64::from(width) {
                    let widest = "Array.from(document.querySelectorAll('main *')).filter(one => one.getBoundingClientRect().right > innerWidth)
                        .slice(0, 4).map(one => one.outerHTML.slice(0, 120))";
                    let widest = browser.evaluate(widest).await;
                    wrong.push((format!("{path} needs {needed} of {width}"), widest));
                }
            }
            browser.width(1280).await;
        }
        if !who.is_empty() {
            out(&mut browser).await;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    browser.close().await;
    serving.stop().await;
    node.stop().await;
}
