//! Whoever has to look is told, on a running node: a device that a real browser registered, then mail, then the desk's worklist.
//!
//! The push service and the mail server are the test's; the service of the browser's maker is not reached. Not here: what is due
//! when (`notifier`), the page without a script (`portal`).
#![expect(clippy::unwrap_used, reason = "test code: what cannot be unwrapped is the failed test")]

use std::time::Duration;

use network::Network;
use serde_json::{Value, json};
use tests::browser::Browser;
use tests::form::form_to;
use tests::push::{Device, PushService};
use tests::session::Session;
use tests::smtp::SmtpServer;
use tests::{Api, Node, Site, eventually};

/// Longer than anything here takes on a slow machine.
const WITHIN: Duration = Duration::from_mins(2);
/// How many times faster time goes: a house has a quarter of an hour for a crisis, so the desk calls after forty seconds.
const FACTOR: &str = "8";

const NL: &str = "Er is iets voor u in Doorstroom";
const EN: &str = "There is something for you in Doorstroom";

const DESK: &str = "urn:nld:kvknr:00000001:systeem:loket";
const LINDE: &str = "urn:nld:kvknr:00000002:systeem:ecd";
const BEUK: &str = "urn:nld:kvknr:00000003:systeem:ecd";
const SOURCES: &str = r#"{
    "urn:nld:kvknr:00000001:systeem:loket": {"kind": "desk", "name": "loket-zk23", "region": "zk23"},
    "urn:nld:kvknr:00000002:systeem:ecd": {"kind": "location", "name": "zk23-de-linde", "region": "zk23"},
    "urn:nld:kvknr:00000003:systeem:ecd": {"kind": "location", "name": "zk23-de-beuk", "region": "zk23"}
}"#;

/// A node that pushes, with two houses and people who work there and at the desk.
fn started(more: &[&str]) -> (Site, Node) {
    let push = ["--push", "--push-services", "127.0.0.1", "--mail-from", "node@test.example"];
    let mut network = Network::from_sources("own.json", SOURCES).unwrap().to_toml();
    for house in ["linde", "beuk"] {
        // Each speaks for itself alone: whoever answers for a house is told of it.
        network = network.replacen("\"*\"", &format!("\"zk23-de-{house}\""), 1);
    }
    let site = Site::new(&Network::from_toml("own.toml", &network).unwrap()).with(&push).with(more);
    let node = site.up();
    site.account("loket", &["--source", "loket-zk23"]);
    for (source, house) in [(LINDE, "linde"), (BEUK, "beuk")] {
        let location = format!("zk23-de-{house}");
        Api::new(&node, source).opens("zk23", &location, &["1", "2"]);
        site.account(house, &["--source", &location]);
    }
    (site, node)
}

/// From the next page on this browser's push service gives a registration of this device at this address.
async fn gives(browser: &mut Browser, device: &Device, endpoint: &str) {
    let (key, auth) = (device.key(), device.auth());
    let source = format!(
        "(() => {{
            const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)).buffer;
            PushManager.prototype.subscribe = async function (options) {{
                if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error('not asked for rightly');
                return {{ endpoint: {endpoint:?}, getKey: (name) => bytes(name === 'auth' ? {auth:?} : {key:?}) }};
            }};
        }})()"
    );
    browser.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": source})).await;
}

/// The notifications that this browser shows: what each says and where its picture is.
async fn shown(browser: &mut Browser) -> Value {
    browser
        .evaluate(
            "navigator.serviceWorker.ready.then((ready) => ready.getNotifications())
                .then((all) => all.map((one) => [one.title, one.body]))",
        )
        .await
}

/// Everything that went wrong in the page or the worker.
fn wrong(browser: &Browser) -> Vec<&Value> {
    let events = ["Runtime.exceptionThrown", "Log.entryAdded", "ServiceWorker.workerErrorReported"];
    events.into_iter().flat_map(|event| browser.heard(event)).collect()
}

/// What this worker does when the notification it shows is clicked: the address it opens. Whether a browser opens a window then is
/// its own matter, and can not be had without a hand.
const CLICKED: &str = "(async () => {
    let opened = null;
    const done = [];
    Clients.prototype.openWindow = async (address) => { opened = address; };
    const [notification] = await self.registration.getNotifications();
    const click = new NotificationEvent('notificationclick', { notification });
    Object.defineProperty(click, 'waitUntil', { value: (promise) => done.push(promise) });
    self.dispatchEvent(click);
    await Promise.all(done);
    return [opened, (await self.registration.getNotifications()).length];
})()";

#[tokio::test(flavor = "multi_thread")]
async fn a_device_registered_in_a_browser_is_told_in_its_language_and_a_click_leads_home() {
    let service = PushService::start().await;
    let (_site, node) = started(&[]);
    let mut browser = Browser::open(&format!("{}/", node.http())).await;
    for domain in ["Runtime.enable", "Log.enable", "ServiceWorker.enable"] {
        browser.call(domain, json!({})).await;
    }
    browser.sign_in(node.http(), "linde").await;
    let allowed = json!({"origin": node.http(), "permissions": ["notifications"]});
    browser.call("Browser.grantPermissions", allowed).await;
    let devices = [(Device::default(), "nl", NL), (Device::default(), "en", EN)];
    for (number, (device, lang, _)) in devices.iter().enumerate() {
        gives(&mut browser, device, &service.address(lang)).await;
        browser.go(&format!("{}/meldingen?lang={lang}", node.http())).await;
        browser.evaluate("document.querySelector('#register button').click()").await;
        browser.until(&format!("document.querySelectorAll('.told li').length === {}", number + 1)).await;
        assert_eq!(browser.evaluate("window.violations").await, 0);
    }
    let name = browser.evaluate("document.querySelector('.told b').textContent").await;
    assert_eq!(name, "Chrome · Linux");

    let desk = Api::new(&node, DESK);
    let _ = desk.crisis_before("zk23", &["zk23-de-linde"]);
    let worker = browser
        .heard("ServiceWorker.workerRegistrationUpdated")
        .into_iter()
        .filter_map(|event| event["registrations"][0]["registrationId"].as_str().map(str::to_owned))
        .next_back();
    for (device, lang, words) in &devices {
        let pushed = eventually("push", WITHIN, || {
            service.received().into_iter().find(|push| push.path == format!("/{lang}"))
        });
        let opened = device.open(&pushed.body);
        assert_eq!(opened, *words);
        let push = json!({"origin": node.http(), "registrationId": worker, "data": opened});
        browser.call("ServiceWorker.deliverPushMessage", push).await;
        // One for all: the next takes the place of the one before. Asked all the time, a browser shows none.
        let shows = format!(
            "new Promise(async (done) => {{
                const ready = await navigator.serviceWorker.ready;
                while ((await ready.getNotifications())[0]?.body !== {words:?}) await new Promise((next) => setTimeout(next, 500));
                done(true);
            }})"
        );
        assert_eq!(browser.evaluate(&shows).await, true);
        assert_eq!(shown(&mut browser).await, json!([["Doorstroom", words]]));
    }
    assert_eq!(wrong(&browser), Vec::<&Value>::new());
    assert_eq!(browser.evaluate_in_worker(CLICKED).await, json!(["/thuis", 0]));
    browser.evaluate("location.assign('/thuis')").await;
    browser.until("location.pathname === '/l/zk23-de-linde' && document.readyState === 'complete'").await;
    assert_eq!(browser.evaluate("window.violations").await, 0);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_can_not_be_registered_is_said_so_in_words() {
    let (_site, node) = started(&[]);
    let page = format!("{}/meldingen", node.http());
    let mut browser = Browser::open(&format!("{}/", node.http())).await;
    browser.sign_in(node.http(), "linde").await;
    browser.go(&page).await;
    let register = "document.querySelector('#register button').click()";
    let says =
        |words: &str| format!("document.querySelector('#register output').textContent.includes({words:?})");
    // Nobody is there to allow it.
    browser.evaluate(register).await;
    browser.until(&says("staat meldingen niet toe")).await;
    let allowed = json!({"origin": node.http(), "permissions": ["notifications"]});
    browser.call("Browser.grantPermissions", allowed).await;
    // This browser has no way to the push service of its maker, and waits for it without end.
    browser.go(&page).await;
    browser.evaluate("document.getElementById('register').dataset.silentAfter = '3'").await;
    browser.evaluate(register).await;
    browser.until(&says("Bezig met aanmelden")).await;
    assert_eq!(browser.evaluate("document.querySelector('#register button').disabled").await, true);
    browser.until(&says("antwoordt niet")).await;
    assert_eq!(browser.evaluate("document.querySelector('#register button').disabled").await, false);
    // A service that is not on the list of the node.
    gives(&mut browser, &Device::default(), "https://push.example/abc").await;
    browser.go(&page).await;
    browser.evaluate(register).await;
    browser.until("document.querySelector('.banner')?.textContent.includes('staat niet op de lijst')").await;
    // One that says no.
    let no = "PushManager.prototype.subscribe = () => Promise.reject(new DOMException('no', 'AbortError'))";
    browser.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": no})).await;
    browser.go(&page).await;
    browser.evaluate(register).await;
    browser.until(&says("Aanmelden lukte niet")).await;
    // A browser without push.
    browser
        .call("Page.addScriptToEvaluateOnNewDocument", json!({"source": "delete window.PushManager"}))
        .await;
    browser.go(&page).await;
    browser.until("document.getElementById('unable').checkVisibility()").await;
    assert_eq!(browser.evaluate("document.getElementById('register').checkVisibility()").await, false);
    assert_eq!(browser.evaluate("window.violations").await, 0);
    browser.close().await;
}

/// Somebody says where to be told: a device and an address of mail.
async fn wants_to_be_told(node: &Node, name: &str, device: &Device, endpoint: &str) -> Session {
    let session = Session::sign_in(node.address(), name).await;
    let page = session.page("/meldingen").await;
    let form = form_to(&page, "/meldingen/apparaat").with("endpoint", endpoint);
    let page = form.with("key", &device.key()).with("auth", &device.auth()).send(&session).await;
    form_to(&page, "/meldingen/mail").with("mail", &format!("{name}@test.example")).send(&session).await;
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_pushed_then_mailed_then_to_be_called_and_one_that_was_looked_at_is_not() {
    let (service, smtp) = (PushService::start().await, SmtpServer::start().await);
    let (_site, node) = started(&["--smtp", &smtp.url(), "--clock-factor", FACTOR]);
    let (linde, beuk) = (Device::default(), Device::default());
    wants_to_be_told(&node, "linde", &linde, &service.address("linde")).await;
    let at_beuk = wants_to_be_told(&node, "beuk", &beuk, &service.address("beuk")).await;

    let desk = Api::new(&node, DESK);
    // The one that is looked at comes first, so its mail would be the first.
    let (_, _) = desk.crisis_before("zk23", &["zk23-de-beuk"]);
    let paths = || service.received().into_iter().map(|push| push.path).collect::<Vec<_>>();
    eventually("push to the first", WITHIN, || (paths() == ["/beuk"]).then_some(()));
    let page = at_beuk.page("/l/zk23-de-beuk").await;
    let look = page.split("action=\"").filter_map(|rest| rest.split('"').next());
    let look = look.into_iter().find(|action| action.ends_with("/seen")).unwrap().to_owned();
    let _ = form_to(&page, &look).send(&at_beuk).await;
    let (referral, _) = desk.crisis_before("zk23", &["zk23-de-linde"]);
    eventually("push to both", WITHIN, || (paths().len() == 2).then_some(()));
    for push in service.received() {
        let device = if push.path == "/linde" { &linde } else { &beuk };
        assert_eq!(device.open(&push.body), NL);
    }

    eventually("mail", WITHIN, || smtp.mails().into_iter().next());
    eventually("call now", WITHIN, || {
        let (_, list) = desk.ask("/regions/zk23/worklist");
        let calls = |item: &Value| item["kind"] == "call-location" && item["referral"] == *referral;
        list["items"].as_array()?.iter().any(calls).then_some(())
    });
    let mails = smtp.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    let mail = mails.first().unwrap();
    assert_eq!(
        (mail.from.as_str(), &*mail.to),
        ("node@test.example", &["linde@test.example".to_owned()][..])
    );
    assert_eq!((mail.header("subject"), mail.text.trim_end()), (NL, format!("{NL}.").as_str()));
    assert_eq!(paths(), ["/beuk", "/linde"], "nobody is pushed twice");
    let at_desk = Session::sign_in(node.address(), "loket").await;
    let page = at_desk.page("/r/zk23/werklijst").await;
    assert!(page.contains("bel nu") && page.contains(&referral), "{page}");
    assert!(node.sigterm().success());
}
