//! Who has nothing but the folder that was handed out, away from the node: sending, watching, and being told at once where
//! that ends.
//!
//! Not here: who may what (`rights`), each sender with its own key on the node's machine (`senders`).
#![expect(clippy::unwrap_used, reason = "test code: what cannot be unwrapped is the failed test")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use domain::Timestamp;
use eventlog::{Clock as _, SystemClock};
use serde_json::Value;
use tempfile::TempDir;
use tests::{Node, Ran, Reference, Site, doorstroom, reference, run};

const LINDE: &str = "urn:nld:kvknr:76849911:systeem:ecd";
const ANKER: &str = "urn:nld:kvknr:81186767:systeem:ecd";
/// Half of what a sender waits for an answer before it asks again: who is refused is told without waiting for one.
const AT_ONCE: Duration = Duration::from_secs(5);
/// How long a key that was taken away may be taken: the node looks every second, and a new key is asked for a little longer.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// Lines of a watcher that wait for the test: it looks for the first only.
const LINES_WAITING_MAX: usize = 1_024;

/// A node, and another place.
struct Places {
    data: Reference,
    site: Site,
    node: Node,
    away: TempDir,
}

impl Places {
    fn new() -> Self {
        let data = reference("region-day");
        let site = Site::new(&data.network);
        let node = site.up();
        Self { data, site, node, away: TempDir::new().unwrap() }
    }

    /// What this user was handed out.
    fn folder_of(&self, user: &str) -> PathBuf {
        let folder = self.away.path().join(user);
        let _told =
            self.site.run(["admin", "network", "hand-out", user, "--to", folder.to_str().unwrap()]).ok();
        folder
    }

    /// A command in the other place, where nothing is but what was handed out.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(doorstroom());
        command.args(arguments).current_dir(self.away.path());
        command
    }

    fn run(&self, arguments: &[&str], input: &str) -> Ran {
        run(&mut self.command(arguments), input.as_bytes())
    }

    /// The events of a source, one a line.
    fn events_of(&self, source: &str) -> Vec<&str> {
        self.data.events.iter().filter(|event| event.contains(source)).map(String::as_str).collect()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Refused with exit code 3 without waiting; what it said.
fn refused_at_once(run: impl FnOnce() -> Ran) -> String {
    let since = Instant::now();
    let ran = run();
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(since.elapsed() < AT_ONCE, "it took {:?}", since.elapsed());
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn what_was_handed_out_is_all_that_is_needed_to_send_and_says_at_once_where_it_ends() {
    let places = Places::new();
    let (folder, mine) = (places.folder_of("zk01-de-linde"), places.events_of(LINDE));
    let creds = ["send", "-", "--creds", text(&folder)];
    let sent = places.run(&creds, &mine.join("\n")).ok();
    assert!(sent.contains("recorded"), "{sent}");
    let recorded = places.site.run(["audit", "replay"]).json_lines();
    assert_eq!(recorded.len(), mine.len());
    let outbox = [&creds[..], &["--outbox", "outbox"]].concat();
    let _again = places.run(&outbox, mine.first().unwrap()).ok();

    // Another's: it is not known in this part of the network; with the whole of it the bus refuses.
    let theirs = places.events_of(ANKER);
    let told = refused_at_once(|| places.run(&creds, theirs.first().unwrap()));
    assert!(told.contains("has no source") && told.contains(ANKER), "{told}");
    let whole = places.site.network_file();
    for door in [&[][..], &["--mailbox"], &["--outbox", "another"]] {
        let arguments = [&creds[..], &["--network", text(&whole)], door].concat();
        let told = refused_at_once(|| places.run(&arguments, theirs.first().unwrap()));
        assert!(told.contains("this key may not") && told.contains("zk01-het-anker"), "{door:?}: {told}");
    }
    // Between others' that are refused, its own is sent.
    let both = format!("{}\n{}\n", theirs.first().unwrap(), mine.first().unwrap());
    let arguments = [&creds[..], &["--network", text(&whole), "--json"]].concat();
    let reports: Vec<Value> = places
        .run(&arguments, &both)
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let outcomes: Vec<&str> = reports.iter().map(|report| report["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["not-sent", "duplicate"]);
    assert!(places.node.sigterm().success());
}

#[test]
fn a_bus_that_is_not_believed_and_one_that_does_not_know_the_key_are_told_and_not_tried_for_a_minute() {
    let places = Places::new();
    let (folder, mine) = (places.folder_of("zk01-de-linde"), places.events_of(LINDE));
    let key = folder.join("zk01-de-linde.nk");
    let event = mine.first().unwrap();
    let bus = places.node.bus();
    let bare = ["--creds", text(&key), "--bus", bus];
    let network = folder.join("network.toml");
    let send = [&["send", "-", "--network", text(&network)], &bare[..]].concat();
    let told = refused_at_once(|| places.run(&send, event));
    assert!(told.contains("is not believed") && told.contains("ca.pem"), "{told}");
    let other = places.away.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("network.toml"), places.data.network.to_toml()).unwrap();
    let now = Timestamp::from_micros(SystemClock.now());
    let (_, keyring, _) =
        keyring::prepare(&other.join("network.toml"), &other.join("keys"), &[], now).unwrap();
    let ca = keyring.ca_file();
    let told = refused_at_once(|| places.run(&[&send[..], &["--ca", text(&ca)]].concat(), event));
    assert!(told.contains("does not vouch for it"), "{told}");
    let watch = [&["watch", "events"], &bare[..], &["--ca", text(&ca)]].concat();
    let told = refused_at_once(|| places.run(&watch, ""));
    assert!(told.contains("does not vouch for it"), "{told}");

    let _told = places.site.run(["admin", "network", "revoke", "zk01-de-linde"]).ok();
    // Whether it ends before or while something is sent: it is told.
    let told = tests::eventually("end of the key", ENDS_WITHIN, || {
        let ran = places.run(&["send", "-", "--creds", text(&folder)], event);
        (ran.code == Some(3)).then(|| format!("{}{}", ran.stdout, ran.stderr))
    });
    assert!(told.contains("does not let") && told.contains("network show"), "{told}");
    assert!(places.node.sigterm().success());
}

/// The lines a watcher writes, as they come.
fn lines_of(child: &mut std::process::Child) -> Receiver<String> {
    let (out, lines) = sync_channel(LINES_WAITING_MAX);
    let stdout = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| out.send(line)));
    lines
}

#[test]
fn a_centre_watches_with_what_it_was_handed_out_and_others_are_told_that_they_may_not() {
    let places = Places::new();
    let (centre, sender) = (places.folder_of("noordwest"), places.folder_of("zk01-de-linde"));
    let creds = ["--creds", text(&centre)];
    let mut watchers: Vec<_> = [["watch", "availability"], ["watch", "events"]]
        .iter()
        .map(|watch| {
            let arguments = [&watch[..], &creds, &["--json"]].concat();
            places.command(&arguments).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let lines: Vec<_> = watchers.iter_mut().map(lines_of).collect();
    // One after the other: what is recorded before a watch of events begins is not shown by it.
    let mut events = places.data.events.iter();
    let mut seen = [false, false];
    while seen != [true, true] {
        let _told = places.site.run_with_input(["send", "-"], events.next().unwrap().as_bytes()).ok();
        for (seen, lines) in seen.iter_mut().zip(&lines) {
            *seen |= lines.try_recv().is_ok();
        }
    }
    for watcher in &mut watchers {
        assert_eq!(watcher.try_wait().unwrap(), None, "it still watches");
        watcher.kill().unwrap();
        watcher.wait().unwrap();
    }
    let told = places.run(&[&["watch", "events", "--region", "zk02"], &creds[..]].concat(), "");
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.stderr.contains("there is no region zk02; there are zk01"), "{told:?}");
    // A log may have events of a region that is no more: whoever looks back is told, and not refused.
    for look in [&["audit", "replay"][..], &["audit", "as-of", "1"], &["quarantine", "list"]] {
        let told = places.site.run([look, &["--region", "zk02"]].concat());
        assert_eq!(told.code, Some(0), "{told:?}");
        assert!(told.stderr.contains("there is no region zk02; there are zk01"), "{told:?}");
    }

    for watch in ["availability", "events", "alerts"] {
        let told = refused_at_once(|| places.run(&["watch", watch, "--creds", text(&sender)], ""));
        assert!(told.contains("the broker does not give this"), "{watch}: {told}");
    }
    let release = ["quarantine", "release", "1", "--by", "j.smit", "--creds", text(&centre)];
    let told = refused_at_once(|| places.run(&release, ""));
    assert!(told.contains("only the node's operator"), "{told}");
    assert!(places.node.sigterm().success());
}
