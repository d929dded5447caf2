//! Pages on paper: what has to be read and rung when all is down is printed, and nothing that can only be pressed.
//!
//! In a real browser, laid out for A4. Not here: how it looks.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use support::houses::houses;
use support::{Node, Serving, event};
use tests::browser::Browser;

/// Crisis: somebody who needs a place, promised nothing yet.
const REFERRAL: &str = "019391f2-6f00-7a11-8c11-00000000000a";

/// Two houses: one with a ward in which admissions are stopped, the other stopped altogether; and a referral.
async fn started() -> (Node, Serving, String) {
    let node = Node::of(support::network::network());
    let mut lines = houses();
    let ward = r#""location":"zk01-de-linde","ward":"Zuid","reason":"infection""#;
    let bed = r#""location":"zk01-de-linde","bed":"7","care_types":["ELV_LC"],"ward":"Noord""#;
    let referral = format!(
        r#""referral":"{REFERRAL}","origin":"gp","care_type":"ELV_LC","urgency":"crisis","channel":"phone","consent":true"#
    );
    lines.extend([
        event(801, "location.admissions-stopped", "zk01-de-linde", ward),
        event(802, "bed.added", "zk01-de-linde/7", bed),
        event(803, "referral.made", REFERRAL, &referral),
    ]);
    let position = node.record(&lines).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let serving = node.serve().await;
    let at = format!("http://{}", serving.address);
    (node, serving, at)
}

/// How many of these are printed, and how many are not.
async fn printed(browser: &mut Browser, selector: &str) -> (u64, u64) {
    let script = format!(
        "(() => {{ const all = Array.from(document.querySelectorAll({selector:?}));
            const is = (one) => one.checkVisibility({{ opacityProperty: true, visibilityProperty: true }})
                && one.getBoundingClientRect().width > 2 && one.textContent.trim() !== '';
            const seen = all.filter(is).length;
            return [seen, all.length - seen]; }})()"
    );
    let found = browser.evaluate(&script).await;
    (found[0].as_u64().unwrap(), found[1].as_u64().unwrap())
}

/// Goes to a page and looks at it as on paper: these are there and all printed, nothing can be pressed and nothing is cut off.
async fn has(browser: &mut Browser, address: &str, read: &[&str]) {
    browser.go(address).await;
    browser.on_paper().await;
    for selector in ["#made", "#position", "h1"].iter().chain(read) {
        let (seen, hidden) = printed(browser, selector).await;
        assert!(seen > 0 && hidden == 0, "{address}: of {selector} {seen} are printed, {hidden} not");
    }
    for selector in ["button", ".button", ".top nav", "select", "summary", "form:not(.to-read)", "kbd"] {
        assert_eq!(printed(browser, selector).await.0, 0, "{address}: {selector} is printed");
    }
    let made = browser.evaluate("document.getElementById('made').textContent").await;
    let year = made.as_str().unwrap().split(' ').nth(2).unwrap();
    assert!(year.len() == 4 && year.starts_with("20"), "the day and the year: {made}");
    let needed = browser.evaluate("document.documentElement.scrollWidth").await.as_u64().unwrap();
    assert!(needed <= 703, "{address} needs {needed} px of the width of the paper");
    // A page that hears nothing any more is printed as black as any other.
    let dimmed = "(() => { document.documentElement.classList.add('grey');
        const parts = Array.from(document.querySelectorAll('main > *')).map((part) => getComputedStyle(part));
        return parts.some((style) => style.filter !== 'none' || style.opacity !== '1'); })()";
    assert_eq!(browser.evaluate(dimmed).await, false, "{address}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_ring_and_how_it_stands_is_on_paper_and_nothing_that_can_only_be_pressed() {
    let (node, serving, at) = started().await;
    let mut centre = Browser::open(&format!("{at}/")).await;
    centre.sign_in(&at, "centrum").await;
    let page = format!("{at}/c/midden?zorgsoort=ELV_LC&gebied=10");
    has(&mut centre, &page, &[".ce-calls tbody td", ".ce-calls .tel", ".ce-desks .tel", "#alarms h2"]).await;
    assert_eq!(printed(&mut centre, ".ce-ask, [data-part=map], [data-part=crises]").await.0, 0);
    centre.close().await;

    let mut desk = Browser::open(&format!("{at}/")).await;
    desk.sign_in(&at, "loket").await;
    let board = [".desk .tel", ".phones .tel", ".board td.lv", ".badge.stop", ".board thead th"];
    has(&mut desk, &format!("{at}/r/zk01"), &board).await;
    has(&mut desk, &format!("{at}/r/zk01/werklijst"), &[".work tbody tr", ".work thead th", ".crises"]).await;
    // Whom to ask stands in a form.
    let candidates = [".candidates tbody bdi", "form.to-read .tel", ".candidates .why li", ".facts dd"];
    has(&mut desk, &format!("{at}/aanmelding/{REFERRAL}"), &candidates[..]).await;
    desk.close().await;

    let mut nurse = Browser::open(&format!("{at}/")).await;
    nurse.sign_in(&at, "linde").await;
    let beds =
        [".bed .name", ".bed .how", "h3 .badge.stop", "[data-part=stops] .badge.stop", ".lastword .word"];
    has(&mut nurse, &format!("{at}/l/zk01-de-linde"), &beds).await;
    nurse.close().await;
    serving.stop().await;
    node.stop().await;
}
