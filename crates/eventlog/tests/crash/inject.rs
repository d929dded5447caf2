//! System calls of a real process that fail, or at which it is killed: the first, the second, the third … of each kind,
//! counted in each of its threads.
//!
//! Where the writer meets the error it stops for good and the process ends with an error; where it meets only what goes
//! on beside the commits (zeros ahead, the head file, an index), the log goes on. In every case nothing that was
//! acknowledged is lost, and the log opens again.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    check,
    child::{NOT_OPENED, STOPPED},
    parent::{Process, Told},
};

/// Batches of each process: a few segments.
const BATCHES: u64 = 60;

/// The calls, as this machine and others name them, and what they fail with. `SIGKILL` is no error: the process ends
/// as it makes the call.
const CALLS: [(&str, &[&str]); 4] = [
    ("?pwrite64,?pwritev,?pwritev2", &["error=EIO", "error=ENOSPC", "signal=SIGKILL"]),
    ("fsync,fdatasync", &["error=EIO", "error=ENOSPC", "signal=SIGKILL"]),
    ("?rename,?renameat,?renameat2", &["error=EIO", "error=ENOSPC", "signal=SIGKILL"]),
    ("?open,openat", &["error=EIO", "error=ENOSPC", "error=EMFILE", "signal=SIGKILL"]),
];

/// Lets every call fail that a process makes, one in each run.
pub(crate) fn run(strace: &str) {
    let root = tempfile::tempdir().unwrap();
    println!(
        "| call | fails with | runs | killed | not opened | stopped | went on |\n|---|---|---|---|---|---|---|"
    );
    for (calls, faults) in CALLS {
        for fault in faults {
            let mut outcomes = Outcomes::default();
            for number in 1.. {
                let dir = root.path().join("log");
                let failed =
                    one(strace, &dir, &format!("inject={calls}:{fault}:when={number}"), &mut outcomes);
                fs::remove_dir_all(&dir).unwrap();
                if !failed {
                    break;
                }
            }
            let Outcomes { runs, killed, not_opened, stopped, went_on } = outcomes;
            println!("| {calls} | {fault} | {runs} | {killed} | {not_opened} | {stopped} | {went_on} |");
            assert!(runs > 1, "{calls} are never called");
        }
    }
}

#[derive(Debug, Default)]
struct Outcomes {
    runs: u64,
    killed: u64,
    /// Nothing was acknowledged, and the process said why.
    not_opened: u64,
    stopped: u64,
    /// A failure of what goes on beside the commits: the log is told, and goes on.
    went_on: u64,
}

/// One run and a look at what it leaves; false if nothing failed any more.
fn one(strace: &str, dir: &Path, inject: &str, outcomes: &mut Outcomes) -> bool {
    let mut told = Told::new(dir, 1);
    let noted = dir.with_extension("strace");
    let calls = inject.trim_start_matches("inject=").split(':').next().unwrap();
    let mut command = Command::new(strace);
    command.args(["-f", "-qq", "-o"]).arg(&noted);
    command.args(["-e", &format!("trace={calls}"), "-e", inject]);
    command.arg(std::env::current_exe().unwrap()).args(told.plan(BATCHES, "quiet")).stderr(Stdio::null());
    let status = Process::start(command).end(&mut told);
    let noted = fs::read_to_string(noted).unwrap();
    if !noted.contains("(INJECTED)") && !noted.contains("+++ killed by SIGKILL") {
        assert!(status.success(), "{inject}: nothing failed, and yet it ended with {status}");
        return false;
    }
    outcomes.runs += 1;
    match status.code() {
        Some(0) => {
            outcomes.went_on += 1;
            assert_eq!(told.next, [BATCHES], "{inject}: it ended well before its end");
        }
        Some(STOPPED) => outcomes.stopped += 1,
        // 127 is the loader's, which could not open what it needed.
        Some(NOT_OPENED | 127) => outcomes.not_opened += 1,
        None => outcomes.killed += 1,
        Some(code) => panic!("{inject}: it ended with {code}"),
    }
    if dir.exists() {
        check::as_left(&told);
    }
    check::reopened(&told);
    true
}
