//! The portal in a real browser: chromium, driven over its debugging pipe.
//!
//! The browser is `DOORSTROOM_CHROMIUM`, or `/usr/bin/chromium`. Not here: what the server sends (`pages`).

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod support;

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Node, bed_closed, event, location_with_beds, national};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longer than anything here takes; a test that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(40);

struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    number: u64,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn open(address: &str) -> Self {
        let chromium = std::env::var("DOORSTROOM_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
        let profile = tempfile::tempdir().unwrap();
        // The debugging pipe is file 3 (in) and 4 (out); the shell puts our two pipes there.
        let mut child = Command::new("/bin/sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#, &chromium])
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--remote-debugging-pipe", "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut browser = Self { child, input, output, number: 0, session: String::new(), _profile: profile };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.call("Page.enable", json!({})).await;
        let watch = "window.violations = 0;
            document.addEventListener('securitypolicyviolation', () => { window.violations += 1; });";
        browser.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": watch})).await;
        browser.go(address).await;
        browser
    }

    async fn go(&mut self, address: &str) {
        self.call("Page.navigate", json!({"url": address})).await;
        self.until(&format!("location.href === {address:?} && document.readyState === 'complete'")).await;
    }

    async fn width(&mut self, width: u32) {
        let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Calls a method of the protocol and waits for its answer; what comes in between is not looked at.
    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = Value::from(&*self.session);
        }
        self.input.write_all(format!("{message}\0").as_bytes()).await.unwrap();
        loop {
            let mut answer = Vec::new();
            let read = self.output.read_until(0, &mut answer);
            let read =
                tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("no answer: {method}"));
            assert!(read.unwrap() > 0, "the browser ended during {method}");
            answer.pop();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            if answer["id"] == self.number {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    async fn evaluate(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let result = self.call("Runtime.evaluate", params).await;
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until this holds in the page.
    async fn until(&mut self, holds: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        // A navigation takes the page away under a waiting script, so the waiting is here, a frame at a time.
        while self.evaluate(&format!("new Promise(done => setTimeout(() => done({holds}), 16))")).await
            != true
        {
            if tokio::time::Instant::now() > deadline {
                let page = self.evaluate("document.body.innerText").await;
                panic!("never true: {holds}; the page says {page}");
            }
        }
    }

    async fn close(mut self) {
        self.call("Browser.close", json!({})).await;
        self.child.wait().await.unwrap();
    }
}

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
