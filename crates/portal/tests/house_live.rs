//! A location's page in a real browser: what a nurse taps is on every screen without a reload, and a wrong tap is taken back.
//!
//! Not here: the same without a script (`house`), what could not be sent (`stories`).

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use support::Node;
use support::houses::houses;
use tests::browser::Browser;

/// Taps a button of the page, by the end of the address it sends to.
async fn taps(browser: &mut Browser, end: &str) {
    let button = format!("document.querySelector('button[formaction$=\"{end}\"]')");
    browser.until(&format!("{button} !== null")).await;
    browser.evaluate(&format!("{button}.click()")).await;
}

/// Waits until a bed is drawn so.
async fn shows(browser: &mut Browser, bed: &str, class: &str) {
    browser.until(&format!("document.getElementById('bed-{bed}').classList.contains('{class}')")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_nurse_taps_is_on_every_screen_without_a_reload_and_a_wrong_tap_is_taken_back() {
    let node = Node::of(support::network::network());
    node.record(&houses()).await;
    let serving = node.serve().await;
    let at = format!("http://{}", serving.address);
    let mut nurse = Browser::open(&format!("{at}/")).await;
    nurse.sign_in(&at, "linde").await;
    nurse.go(&format!("{at}/l/zk01-de-linde")).await;
    let mut desk = Browser::open(&format!("{at}/")).await;
    desk.sign_in(&at, "loket").await;
    desk.go(&format!("{at}/l/zk01-de-linde")).await;
    let mut board = Browser::open(&format!("{at}/r/zk01")).await;
    let free = "document.querySelector('.sums td.lv').textContent";
    board.until(&format!("{free} === '3'")).await;
    for browser in [&mut nurse, &mut desk, &mut board] {
        browser.evaluate("window.same = true").await;
    }

    taps(&mut nurse, "/beds/1/vacated").await;
    for browser in [&mut nurse, &mut desk] {
        shows(browser, "1", "not-ready").await;
    }
    board.until(&format!("{free} === '2'")).await;
    taps(&mut nurse, "/beds/1/freed").await;
    shows(&mut desk, "1", "offerable").await;
    board.until(&format!("{free} === '3'")).await;

    taps(&mut nurse, "/beds/2/contaminated").await;
    shows(&mut desk, "2", "not-ready").await;
    taps(&mut nurse, "/beds/2/correct").await;
    for browser in [&mut nurse, &mut desk] {
        shows(browser, "2", "offerable").await;
    }
    board.until(&format!("{free} === '3'")).await;
    for browser in [&mut nurse, &mut desk, &mut board] {
        assert_eq!(
            browser.evaluate("window.same === true && !window.violations").await,
            true,
            "it was reloaded"
        );
    }
    for browser in [nurse, desk, board] {
        browser.close().await;
    }
    serving.stop().await;
    node.stop().await;
}
