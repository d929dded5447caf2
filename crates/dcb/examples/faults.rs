//! Lets the system calls of the real program fail, one after the other: `faults STRACE DOORSTROOM`.
//!
//! `doorstroom dcb` runs under strace, which lets the first, second, third … write, sync, rename or opening of its log
//! fail or kills it there, while a client appends. It must say so and end with an error, go on where the failure was of
//! something beside the log, or never have begun; and what a new server then serves is every event that was acknowledged,
//! in its place, and no half of what was not. Prints a table of markdown.
//!
//! Not here: the same of the log by itself, in many segments and with all that goes on beside it (`eventlog`, test `crash`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a tool for developers: it may stop where it stands"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use dcb::wire::dcb_client::DcbClient;
use dcb::wire::{AppendRequest, Event, ReadRequest};
use tonic::transport::{Channel, Endpoint};

/// Batches of each run.
const BATCHES: u64 = 12;
/// Events of a batch.
const EVENTS: u64 = 3;
/// Exit code of a program that has failed.
const FAILED: i32 = 1;

const CALLS: [&str; 4] =
    ["?pwrite64,?pwritev,?pwritev2", "fsync,fdatasync", "?rename,?renameat,?renameat2", "?open,openat"];
/// Files and folders of the log.
const PATHS: [&str; 8] = [
    "dcb.txt",
    "events",
    "events/lock",
    "events/head",
    "events/head-new",
    "events/segments",
    "events/segments/spare",
    "events/segments/00000000000000000001.seg",
];
const FAULTS: [&str; 3] = ["error=EIO", "error=ENOSPC", "signal=SIGKILL"];

#[derive(Debug, Default)]
struct Outcomes {
    runs: u64,
    /// It never said that it was ready.
    not_begun: u64,
    killed: u64,
    /// It ended by itself, with an error.
    stopped: u64,
    went_on: u64,
    acknowledged: u64,
}

/// What one process was seen to do.
struct Seen {
    ready: bool,
    /// Batches that it has acknowledged.
    acknowledged: u64,
    status: ExitStatus,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [strace, doorstroom] = arguments.as_slice() else { panic!("faults STRACE DOORSTROOM") };
    println!(
        "| call | fails with | runs | did not begin | killed | stopped | went on | batches acknowledged |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for calls in CALLS {
        for fault in FAULTS {
            let mut outcomes = Outcomes::default();
            for number in 1.. {
                if !one(strace, doorstroom, calls, &format!("{fault}:when={number}"), &mut outcomes).await {
                    break;
                }
            }
            let Outcomes { runs, not_begun, killed, stopped, went_on, acknowledged } = outcomes;
            println!(
                "| {calls} | {fault} | {runs} | {not_begun} | {killed} | {stopped} | {went_on} | {acknowledged} |"
            );
            assert!(runs > 0, "{calls} are never called");
        }
    }
}

/// One run, and a look at what it leaves; false if nothing failed any more.
async fn one(strace: &str, doorstroom: &str, calls: &str, fault: &str, outcomes: &mut Outcomes) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let (data, noted) = (dir.path().join("data"), dir.path().join("strace"));
    let mut command = Command::new(strace);
    command.args(["-f", "-qq", "-o"]).arg(&noted);
    // Only calls about the folder of the log, not those of the loader and of the runtime.
    for path in PATHS {
        command.arg("-P").arg(data.join(path));
    }
    command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{fault}"), doorstroom]);
    let seen = drive(command, &data).await;
    let noted = fs::read_to_string(noted).unwrap();
    if !noted.contains("(INJECTED)") && !noted.contains("+++ killed by SIGKILL") {
        assert!(seen.status.success(), "{calls} {fault}: nothing failed, and yet: {}", seen.status);
        return false;
    }
    outcomes.runs += 1;
    outcomes.acknowledged += seen.acknowledged;
    match (seen.status.code(), seen.ready) {
        (Some(0), true) => {
            assert_eq!(seen.acknowledged, BATCHES, "{calls} {fault}: it refused, and ended well");
            outcomes.went_on += 1;
        }
        (Some(FAILED), true) => outcomes.stopped += 1,
        (Some(FAILED), false) => outcomes.not_begun += 1,
        (None, _) => outcomes.killed += 1,
        (code, ready) => panic!("{calls} {fault}: it ended with {code:?}, ready: {ready}"),
    }
    check(Command::new(doorstroom), &data, seen.acknowledged).await;
    true
}

/// Starts a server and appends until it fails or everything is there; then asks it to end.
async fn drive(command: Command, data: &Path) -> Seen {
    let (mut child, url) = start(command, data);
    let mut acknowledged = 0;
    if let Some(url) = &url
        && let Ok(channel) = connect(url).await
    {
        let mut client = DcbClient::new(channel);
        while acknowledged < BATCHES {
            let events = (1..=EVENTS).map(|number| event(acknowledged * EVENTS + number)).collect();
            let request = AppendRequest { events, condition: None, tracking_info: None };
            match client.append(request).await {
                Ok(answer) => assert_eq!(answer.into_inner().position, (acknowledged + 1) * EVENTS),
                Err(_) => break,
            }
            acknowledged += 1;
        }
    }
    if acknowledged == BATCHES {
        end(&child);
    }
    Seen { ready: url.is_some(), acknowledged, status: child.wait().unwrap() }
}

fn start(mut command: Command, data: &Path) -> (Child, Option<String>) {
    command.args(["dcb", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    let url = read.ok().and_then(|_| line.trim_end().strip_prefix("ready dcb=").map(str::to_owned));
    (child, url)
}

async fn connect(url: &str) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(url.to_owned())?.connect().await
}

/// Asks the program to end; strace passes it on to the one it runs.
fn end(child: &Child) {
    let pid = child.id();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let asked = children.split_whitespace().next().map_or_else(|| pid.to_string(), str::to_owned);
    assert!(Command::new("kill").args(["-TERM", &asked]).status().unwrap().success());
}

/// Number `number`; an event is whole if it is equal to this.
fn event(number: u64) -> Event {
    Event {
        event_type: "tried".to_owned(),
        tags: vec![format!("number:{number}")],
        data: vec![u8::try_from(number % 251).unwrap(); 200].into(),
        uuid: String::new(),
        metadata: Vec::new(),
    }
}

/// What a new server on the same folder serves, and that it takes more.
async fn check(command: Command, data: &Path, acknowledged: u64) {
    let (mut child, url) = start(command, data);
    let mut client = DcbClient::new(connect(&url.unwrap()).await.unwrap());
    let mut read = client.read(ReadRequest::default()).await.unwrap().into_inner();
    let mut served = 0;
    while let Some(answer) = read.message().await.unwrap() {
        for found in answer.events {
            served += 1;
            assert_eq!((found.position, found.event.unwrap()), (served, event(served)));
        }
    }
    assert!(
        served >= acknowledged * EVENTS,
        "{acknowledged} batches were acknowledged, {served} events are there"
    );
    assert_eq!(served % EVENTS, 0, "half a batch is there");
    let more = AppendRequest { events: vec![event(served + 1)], condition: None, tracking_info: None };
    assert_eq!(client.append(more).await.unwrap().into_inner().position, served + 1);
    end(&child);
    assert!(child.wait().unwrap().success());
}
