//! The portal in a real browser: chromium, driven over its debugging pipe.
//!
//! The browser is `DOORSTROOM_CHROMIUM`, or `/usr/bin/chromium`. Not here: what the server sends (`pages`).

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use support::{Node, bed_closed, event, location_with_beds, national};
use tests::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_without_a_reload_and_silence_turns_the_page_grey() {
    let node = Node::start();
    node.record(&location_with_beds("De <b>Linde</b>", 3)).await;
    let serving = node.serve().await;
    let mut browser = Browser::open(&format!("http://{}/r/zk01", serving.address)).await;
    let available = r#"document.querySelector('[data-k="zk01-de-linde/ELV_LC"] .n').textContent"#;
    assert_eq!(browser.evaluate(available).await, "3");
    assert_eq!(browser.evaluate("document.querySelector('h3').textContent").await, "De <b>Linde</b>");
    browser.evaluate("window.samePage = true").await;

    node.record(&[bed_closed(1, 1)]).await;
    browser.until(&format!("{available} === '2'")).await;
    browser.until(r#"document.querySelector('[data-k="=ELV_LC"] .n').textContent === '2'"#).await;
    let flashed =
        r#"document.querySelector('[data-k="zk01-de-linde/ELV_LC"] .n').classList.contains('flash')"#;
    assert_eq!(browser.evaluate(flashed).await, true);

    let added = r#""location":"zk01-de-linde","bed":"77","care_types":["GRZ"]"#;
    node.record(&[event(900, "bed.added", "zk01-de-linde/77", added)]).await;
    browser.until(r#"document.querySelector('[data-k="zk01-de-linde/GRZ"]') !== null"#).await;
    node.record(&[bed_closed(2, 2)]).await;
    browser.until(&format!("{available} === '1'")).await;
    assert_eq!(browser.evaluate("window.samePage").await, true);

    serving.stop().await;
    browser.evaluate("document.querySelector('main').dataset.silentAfter = '1'").await;
    browser.until("document.documentElement.classList.contains('grey')").await;
    let banner = browser.evaluate("document.getElementById('silence').innerText").await;
    assert!(banner.as_str().unwrap().contains("Dit was de stand van"), "{banner}");
    assert_eq!(browser.evaluate("window.violations").await, 0);
    browser.close().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_from_a_telephone_to_a_wall_screen() {
    let node = Node::start();
    let events = national();
    node.record(&events[..events.len() / 2]).await;
    let serving = node.serve().await;
    let at = format!("http://{}", serving.address);
    let mut browser = Browser::open(&format!("{at}/")).await;
    for path in ["/", "/overzicht", "/r/zk01", "/r/zk23?lang=en"] {
        browser.go(&format!("{at}{path}")).await;
        for width in [360, 768, 1280, 1920] {
            browser.width(width).await;
            let needed = browser.evaluate("document.documentElement.scrollWidth").await;
            assert!(needed.as_u64().unwrap() <= u64::from(width), "{path} needs {needed} of {width}");
        }
        assert_eq!(browser.evaluate("window.violations").await, 0, "{path}");
    }
    browser.close().await;
    serving.stop().await;
    node.stop().await;
}
