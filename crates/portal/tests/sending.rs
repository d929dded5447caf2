//! What becomes of what is sent from a page, in a real browser: what is no use to send again holds up nothing behind it, why
//! something was refused is not said any more when it is over, and whoever was signed out is told what is kept and what is not.
//!
//! Not here: what waits while the line is cut (`stories`), the same without a script (`refused`).

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use support::houses::houses;
use support::{Node, Serving};
use tests::browser::Browser;
use tests::form::form_to;
use tests::session::{PASSWORD, Session};

async fn started() -> (Node, Serving, String) {
    let node = Node::of(support::network::network());
    node.record(&houses()).await;
    let serving = node.serve().await;
    let at = format!("http://{}", serving.address);
    (node, serving, at)
}

async fn text(browser: &mut Browser, script: &str) -> String {
    browser.evaluate(script).await.as_str().unwrap_or_default().to_owned()
}

async fn offline(browser: &mut Browser, offline: bool) {
    let conditions = serde_json::json!({
        "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1
    });
    browser.call("Network.emulateNetworkConditions", conditions).await;
}

/// Fills in a new referral, as somebody does who types; nothing is sent.
async fn fills_in(browser: &mut Browser, at: &str, urgency: &str, consent: bool) {
    browser.go(&format!("{at}/r/zk01/aanmelding/nieuw")).await;
    let fill = format!(
        "(() => {{ const form = document.querySelector('form[data-draft]');
            form.querySelector('[name=\"profile[urgency]\"][value={urgency}]').checked = true;
            form.elements['profile[origin]'].value = 'gp';
            form.elements['profile[care_type]'].value = 'ELV_LC';
            form.elements['profile[age_band]'].value = '80-84';
            form.elements['profile[area]'].value = '97';
            form.elements['profile[consent]'].checked = {consent};
            form.elements['not_a_double'].checked = true;
            form.elements['private'].value = 'Mevrouw Jansen'; }})()"
    );
    browser.evaluate(&fill).await;
}

async fn sends(browser: &mut Browser) {
    browser.evaluate("document.querySelector('form[data-draft] button.main').click()").await;
}

async fn is_at_a_referral(browser: &mut Browser) {
    browser
        .until(
            "/^\\/aanmelding\\/[0-9a-f-]{36}$/.test(location.pathname) && document.readyState === 'complete'",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_use_to_send_again_is_told_and_holds_up_nothing_that_was_done_after_it() {
    let (node, serving, at) = started().await;
    let mut nurse = Browser::open(&format!("{at}/")).await;
    nurse.sign_in(&at, "linde").await;
    nurse.go(&format!("{at}/l/zk01-de-linde")).await;
    let before = node.log.reader().head().position;
    nurse.call("Network.enable", serde_json::json!({})).await;
    offline(&mut nurse, true).await;
    nurse.evaluate("window.form = document.querySelector('#bed-1 form.say')").await;
    // No such address, as a browser reads it, and one that takes no form: both are answered with a page.
    let taps = [
        ("weg", "/doe/locations/zk01-de-linde/beds/../freed"),
        ("anders", "/l/zk01-de-linde"),
        ("leeg", "/doe/locations/zk01-de-linde/beds/1/vacated"),
    ];
    for (number, (label, to)) in taps.into_iter().enumerate() {
        let tap = format!(
            "(() => {{ const button = document.createElement('button'); button.textContent = '{label}';
                button.setAttribute('formaction', '{to}');
                window.form.append(button); button.click(); button.remove(); }})()"
        );
        nurse.evaluate(&tap).await;
        let kept = number + 1;
        let waits = "document.querySelectorAll('#outbox b').length";
        nurse.until(&format!("{waits} === {kept} && !('sending' in window.form.dataset)")).await;
    }
    offline(&mut nurse, false).await;
    nurse.until("localStorage.getItem('doorstroom.outbox') === '[]'").await;
    nurse.until("document.querySelector('button[formaction$=\"/beds/1/freed\"]') !== null").await;
    assert_eq!(node.log.reader().head().position, before + 1, "what was done after it is recorded");
    let recorded = node.log.reader().record(before + 1).unwrap().unwrap();
    assert_eq!(recorded.kind.to_string(), "nl.doorstroom.bed.vacated.v1");
    let told = text(&mut nurse, "document.getElementById('outbox').textContent").await;
    for wanted in
        ["weg: Er is niets vastgelegd", "anders: Er is niets vastgelegd", "antwoord 404", "antwoord 405"]
    {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let axe = nurse.axe().await;
    assert!(axe.is_empty(), "{axe:#?}");
    // It stands there until it was seen.
    nurse.evaluate("document.querySelectorAll('#outbox button').forEach(one => one.click())").await;
    nurse.until("!document.getElementById('outbox').textContent.includes('antwoord')").await;
    assert_eq!(nurse.evaluate("window.violations").await, 0);
    nurse.close().await;
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bed_of_dots_that_no_browser_asks_for_is_not_made_on_a_page_and_is_read_from_the_bus() {
    let (node, serving, _) = started().await;
    let nurse = Session::sign_in(serving.address, "linde").await;
    let before = node.log.reader().head().position;
    let page = nurse.page("/l/zk01-de-linde/inrichting").await;
    for dots in [".", ".."] {
        let add = form_to(&page, "/doe/locations/zk01-de-linde/beds/_/add")
            .with("in:bed", dots)
            .with("facts[care_types][]", "ELV_LC");
        let answer = add.try_send(&nurse).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        let id = uuid::Uuid::now_v7().to_string();
        let path = format!("/doe/locations/zk01-de-linde/beds/{dots}/vacated");
        assert_eq!(nurse.post(&path, &[("id", &id)]).await.status, 404);
    }
    assert_eq!(node.log.reader().head().position, before);
    let about = r#""location":"zk01-de-linde","bed":"..","care_types":["ELV_LC"]"#;
    let position = node.record(&[support::event(900, "bed.added", "zk01-de-linde/..", about)]).await;
    assert!(node.app.desk.state().wait_for(position).await);
    assert!(nurse.page("/l/zk01-de-linde").await.contains("id=\"bed-..\""));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_something_was_refused_goes_when_it_is_put_right_and_one_s_own_change_is_no_news() {
    let (node, serving, at) = started().await;
    let mut desk = Browser::open(&format!("{at}/")).await;
    desk.sign_in(&at, "loket").await;
    fills_in(&mut desk, &at, "urgent", false).await;
    sends(&mut desk).await;
    is_at_a_referral(&mut desk).await;
    let asks = "document.querySelector('[data-part=candidates] button.main').click()";
    let said = "document.querySelector('[data-part=candidates] output')";
    let quiet = "document.querySelectorAll('.meanwhile, output[data-bad]').length === 0";
    desk.evaluate("document.querySelectorAll('[name^=\"on:to\"]').forEach(box => box.click())").await;
    desk.evaluate(asks).await;
    desk.until(&format!("{said}.textContent.includes('toestemming') && 'bad' in {said}.dataset")).await;

    // The consent is recorded: nothing says any more that it is not.
    desk.evaluate(
        "(() => { const change = document.getElementById('change'); change.open = true;
            change.querySelector('[name=\"profile[consent]\"]').click();
            change.querySelector('button.main').click(); })()",
    )
    .await;
    desk.until("document.querySelector('#change [name=\"profile[consent]\"]').defaultChecked").await;
    desk.until(&format!(
        "Number(document.querySelector('main').dataset.position) >= {}",
        node.log.reader().head().position
    ))
    .await;
    assert_eq!(
        desk.evaluate(quiet).await,
        true,
        "{}",
        text(&mut desk, "document.querySelector('main').innerText").await
    );
    assert_eq!(desk.evaluate(&format!("{said}.textContent")).await, "");

    desk.evaluate(asks).await;
    desk.until(&format!("{said}.textContent.includes('nog niet getrieerd')")).await;
    desk.evaluate(
        "(() => { const form = document.querySelector('[data-part=triage] form');
            for (const one of form.querySelectorAll('[type=radio][value=false]')) one.click();
            for (const name of ['stay-needed', 'necessary']) {
                form.querySelector(`[name=\"answer:${name}\"][value=true]`)?.click(); }
            form.elements.decided_by.value = 'nurse';
            form.elements.set_aside.value = 'ELV_LC';
            form.elements.reason.value = 'zo is het';
            form.querySelector('button.main').click(); })()",
    )
    .await;
    // The weighing is done: nothing of it stands there any more, beside what is still ticked.
    desk.until("document.querySelector('[data-part=triage]') === null").await;
    assert_eq!(desk.evaluate(quiet).await, true);
    assert_eq!(
        desk.evaluate("document.querySelectorAll('[name^=\"on:to\"]:checked').length > 0").await,
        true
    );

    // What somebody else does is still news for whoever is typing.
    let colleague = Session::sign_in(serving.address, "loket").await;
    let path = text(&mut desk, "location.pathname").await;
    desk.evaluate(
        "(() => { const area = document.querySelector('#change [name=\"profile[area]\"]'); area.value = '98';
            area.dispatchEvent(new Event('input', { bubbles: true })); })()",
    )
    .await;
    let to = format!("{}/change", path.replace("/aanmelding/", "/doe/referrals/"));
    let change = form_to(&colleague.page(&path).await, &to);
    change.with("profile[expected_days]", "14").send(&colleague).await;
    desk.until("document.querySelector('[data-part=known] > .meanwhile') !== null").await;
    assert_eq!(desk.evaluate("document.querySelector('#change [name=\"profile[area]\"]').value").await, "98");

    desk.evaluate(asks).await;
    let asked =
        "document.querySelector('[data-part=candidates]').textContent.includes('nog geen antwoord: 2')";
    desk.until(asked).await;
    assert_eq!(desk.evaluate("window.violations").await, 0);
    desk.close().await;
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_of_whoever_was_signed_out_is_said_to_be_a_draft_and_is_there_after_signing_in() {
    let (node, serving, at) = started().await;
    let mut desk = Browser::open(&format!("{at}/")).await;
    desk.sign_in(&at, "loket").await;
    fills_in(&mut desk, &at, "urgent", true).await;
    assert_eq!(desk.evaluate("document.querySelector('[data-drafted]').hidden").await, true);
    let before = node.log.reader().head().position;
    desk.call("Network.enable", serde_json::json!({})).await;
    desk.call("Network.clearBrowserCookies", serde_json::json!({})).await;
    sends(&mut desk).await;
    let said = "document.querySelector('form[data-draft] output')";
    desk.until(&format!("{said}.textContent.includes('Er is niets vastgelegd')")).await;
    let told = text(&mut desk, "document.body.textContent").await;
    assert!(told.contains("bewaard als concept, behalve om wie het gaat"), "{told}");
    assert!(!told.contains("opnieuw verzonden") && !told.contains("staat klaar"), "{told}");
    assert_eq!(desk.evaluate("document.getElementById('outbox').hidden").await, true);
    assert!(desk.axe().await.is_empty());

    desk.evaluate(&format!("{said}.querySelector('a').click()")).await;
    desk.until("location.pathname === '/inloggen' && document.readyState === 'complete'").await;
    desk.evaluate(&format!(
        "document.querySelector('[name=name]').value = 'loket'; document.querySelector('[name=password]').value = {PASSWORD:?};
         document.querySelector('form.sheet button').click()"
    ))
    .await;
    desk.until("location.pathname === '/r/zk01/aanmelding/nieuw' && document.readyState === 'complete'")
        .await;
    desk.until("document.querySelector('[data-drafted]').innerText.includes('Dit is uw concept')").await;
    let form = "document.querySelector('form[data-draft]').elements";
    assert_eq!(desk.evaluate(&format!("{form}['profile[area]'].value")).await, "97");
    assert_eq!(desk.evaluate(&format!("{form}['profile[urgency]'].value")).await, "urgent");
    assert_eq!(desk.evaluate(&format!("{form}.private.value")).await, "");
    let kept = text(&mut desk, "JSON.stringify(sessionStorage) + JSON.stringify(localStorage)").await;
    assert!(!kept.contains("Jansen"), "{kept}");
    assert_eq!(node.log.reader().head().position, before, "nothing is recorded");
    let axe = desk.axe().await;
    assert!(axe.is_empty(), "{axe:#?}");
    sends(&mut desk).await;
    is_at_a_referral(&mut desk).await;
    assert_eq!(node.log.reader().head().position, before + 1);
    // What is recorded is no draft.
    desk.go(&format!("{at}/r/zk01/aanmelding/nieuw")).await;
    assert_eq!(desk.evaluate("document.querySelector('[data-drafted]').hidden").await, true);
    assert_eq!(desk.evaluate("window.violations").await, 0);
    desk.close().await;
    serving.stop().await;
    node.stop().await;
}
