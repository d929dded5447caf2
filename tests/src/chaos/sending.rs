//! A sender with an outbox, as its own process: `doorstroom send --mailbox --outbox`, and what it is told.
//!
//! Not here: what the log has of it (`rig`).

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::Site;
use crate::process::wait_within;

/// How long a sender may take from its start to its last receipt, whatever is done to the broker meanwhile.
const SENT_WITHIN: Duration = Duration::from_mins(5);

/// Receipts of a sender so far: the id of the event and whether it is recorded.
type Told = Arc<Mutex<Vec<(String, bool)>>>;

/// A sender under way; killed when dropped.
#[derive(Debug)]
pub struct Sending {
    child: Child,
    told: Told,
    reading: Option<JoinHandle<()>>,
    errors: std::path::PathBuf,
}

impl Sending {
    /// Starts one that has these events to send. `name` tells its outbox from those of others; `more` are further
    /// arguments.
    ///
    /// # Panics
    /// If it can not be started.
    #[must_use]
    pub fn start(site: &Site, name: &str, events: &[String], more: &[&str]) -> Self {
        let file = site.folder().join(format!("{name}.jsonl"));
        fs::write(&file, events.join("\n")).unwrap();
        let errors = site.folder().join(format!("{name}.log"));
        let mut command =
            site.command(["send", "--mailbox", "--by-region", "--json", "--give-up-after", "240"]);
        command.arg("--outbox").arg(site.folder().join(format!("{name}.outbox"))).args(more).arg(&file);
        let said = fs::File::create(&errors).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said).spawn().unwrap();
        let (told, lines) = (Told::default(), BufReader::new(child.stdout.take().unwrap()));
        let reading = std::thread::spawn({
            let told = Arc::clone(&told);
            move || {
                for line in lines.lines().map_while(Result::ok) {
                    let receipt: Value = serde_json::from_str(&line).unwrap();
                    let text = |name: &str| receipt.get(name).and_then(Value::as_str).unwrap_or_default();
                    let recorded = matches!(text("outcome"), "recorded" | "duplicate");
                    told.lock().unwrap().push((text("id").to_owned(), recorded));
                }
            }
        });
        Self { child, told, reading: Some(reading), errors }
    }

    /// Waits for its end: the ids of the events it has receipts for, all of those it was given.
    ///
    /// # Panics
    /// If it gave up, was refused something, or takes longer than five minutes.
    #[must_use]
    pub fn done(mut self) -> Vec<String> {
        let status = wait_within(&mut self.child, SENT_WITHIN);
        if status.is_none() {
            self.child.kill().unwrap();
        }
        self.reading.take().unwrap().join().unwrap();
        let said = || fs::read_to_string(&self.errors).unwrap_or_default();
        assert!(
            status.is_some_and(|status| status.success()),
            "the sender ended with {status:?}: {}",
            said()
        );
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        told.into_iter().filter_map(|(id, recorded)| recorded.then_some(id)).collect()
    }

    /// Whether it still waits for receipts.
    ///
    /// # Panics
    /// If the system does not say.
    #[must_use]
    pub fn under_way(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
