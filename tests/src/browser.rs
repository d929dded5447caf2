//! Chromium, driven over its debugging pipe. The browser is `DOORSTROOM_CHROMIUM`, or `/usr/bin/chromium`.
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test code: what a browser does not do is the failed test"
)]

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::session::PASSWORD;

/// Longer than anything here takes; a test that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(40);

/// What is left of the width of A4 between margins of 12 mm, in CSS pixels.
const A4_WIDTH: u32 = 703;

/// One browser with one page.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    number: u64,
    session: String,
    heard: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one, at this address.
    pub async fn open(address: &str) -> Self {
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
        let mut browser = Self {
            child,
            input,
            output,
            number: 0,
            session: String::new(),
            heard: Vec::new(),
            _profile: profile,
        };
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

    /// Goes to an address, and waits until it is there.
    pub async fn go(&mut self, address: &str) {
        self.call("Page.navigate", json!({"url": address})).await;
        self.until(&format!("location.href === {address:?} && document.readyState === 'complete'")).await;
    }

    /// Makes the window so wide, in CSS pixels.
    pub async fn width(&mut self, width: u32) {
        let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Calls a method of the protocol and waits for its answer; what comes in between is kept for [`Browser::heard`].
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    async fn answer(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": params});
        // These are the browser's, not a page's.
        let of_page = !method.starts_with("Browser.") && !method.starts_with("Target.");
        if of_page && !self.session.is_empty() {
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
                return answer;
            }
            // Of a page only what a test asked to hear of by enabling its domain.
            if answer["method"].as_str().is_some_and(|method| !method.starts_with("Page.")) {
                self.heard.push(answer);
            }
        }
    }

    /// The parameters of every event of this name that came so far.
    #[must_use]
    pub fn heard(&self, event: &str) -> Vec<&Value> {
        let those = self.heard.iter().filter(|heard| heard["method"] == event);
        those.map(|heard| &heard["params"]).collect()
    }

    /// What this script gives.
    pub async fn evaluate(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let result = self.call("Runtime.evaluate", params).await;
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].clone()
    }

    /// What this script gives in the service worker that was started last.
    pub async fn evaluate_in_worker(&mut self, script: &str) -> Value {
        let targets = self.call("Target.getTargets", json!({})).await;
        let of_worker = |target: &&Value| target["type"] == "service_worker";
        let worker = targets["targetInfos"].as_array().unwrap().iter().find(of_worker).unwrap();
        let attach = json!({"targetId": worker["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", attach).await["sessionId"].clone();
        let page = std::mem::replace(&mut self.session, session.as_str().unwrap().to_owned());
        let value = self.evaluate(script).await;
        self.call("Target.detachFromTarget", json!({"sessionId": session})).await;
        self.session = page;
        value
    }

    /// Waits until this holds in the page; a promise is waited for.
    pub async fn until(&mut self, holds: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        // A navigation takes the page away under a waiting script, so the waiting is here, a frame at a time, and an
        // answer that a navigation took away is asked for again.
        let script = format!("new Promise(done => setTimeout(() => done({holds}), 16))");
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        loop {
            let answer = self.answer("Runtime.evaluate", params.clone()).await;
            if answer["result"]["result"]["value"] == true {
                return;
            }
            if tokio::time::Instant::now() > deadline {
                let page = self.evaluate("document.body.innerText").await;
                panic!("never true: {holds}: {answer}; the page says {page}");
            }
        }
    }

    /// Ends it.
    pub async fn close(mut self) {
        self.call("Browser.close", json!({})).await;
        self.child.wait().await.unwrap();
    }

    /// Signs in with an account of the test, by hand.
    pub async fn sign_in(&mut self, at: &str, name: &str) {
        self.go(&format!("{at}/inloggen")).await;
        self.evaluate(&format!(
            "document.querySelector('[name=name]').value = {name:?}; document.querySelector('[name=password]').value = {PASSWORD:?};
             document.querySelector('form.sheet button').click()"
        ))
        .await;
        self.until("!location.pathname.startsWith('/inloggen') && document.readyState === 'complete'").await;
    }

    /// Runs no script of the page from the next page on, or does again.
    pub async fn without_script(&mut self, without: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({"value": without})).await;
    }

    /// Light or dark.
    pub async fn dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.call("Emulation.setEmulatedMedia", features).await;
    }

    /// Lays the page out as it is printed on A4 with the margins of the pages.
    pub async fn on_paper(&mut self) {
        self.call("Emulation.setEmulatedMedia", json!({"media": "print"})).await;
        self.width(A4_WIDTH).await;
    }

    /// Presses a key, such as `Tab`, `Enter` or ` `.
    pub async fn press(&mut self, key: &str) {
        let (code, text, number) = match key {
            "Tab" => ("Tab", "", 9),
            "Enter" => ("Enter", "\r", 13),
            " " => ("Space", " ", 32),
            "ArrowDown" => ("ArrowDown", "", 40),
            other => (other, other, 0),
        };
        let mut down = json!({"type": "keyDown", "key": key, "code": code, "windowsVirtualKeyCode": number});
        if !text.is_empty() {
            down["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", down).await;
        let up = json!({"type": "keyUp", "key": key, "code": code, "windowsVirtualKeyCode": number});
        self.call("Input.dispatchKeyEvent", up).await;
    }

    /// Types into whatever has the focus.
    pub async fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// What axe-core finds wrong with the page: rule and first place of each.
    pub async fn axe(&mut self) -> Vec<String> {
        let path = std::env::var("DOORSTROOM_AXE")
            .expect("DOORSTROOM_AXE names axe.min.js; tests/axe.sh obtains it");
        let source = std::fs::read_to_string(path).unwrap();
        // Through the debugging pipe: the page's own policy holds for what the page loads.
        self.evaluate(&format!("(() => {{ if (!window.axe) {{ {source} }} return true; }})()")).await;
        let found = self
            .evaluate(
                "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(one =>
                    one.id + ' (' + one.nodes.length + '): ' + one.nodes[0].html.slice(0, 160) + ' ' + one.nodes[0].failureSummary.slice(0, 200)))",
            )
            .await;
        serde_json::from_value(found).unwrap()
    }
}
