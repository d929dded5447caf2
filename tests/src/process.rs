//! Processes: run to their end with what they said, signalled, waited for with a limit.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// How long a command may take to its end, longer than any does on a slow machine: a hang must fail, not stay.
const RUN_WITHIN: Duration = Duration::from_mins(10);

/// How long one look of [`eventually`] is apart from the next.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// A command that ran to its end.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

impl Ran {
    /// What it printed, if it succeeded.
    ///
    /// # Panics
    /// If it did not, with all it said.
    #[must_use]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "the command failed:\n{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The JSON objects it printed, one per line, if it succeeded.
    ///
    /// # Panics
    /// If it did not succeed, or printed another line.
    #[must_use]
    pub fn json_lines(self) -> Vec<serde_json::Value> {
        let parsed =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in: {line}"));
        self.ok().lines().map(parsed).collect()
    }

    /// What it said beside, if it failed with an exit code of its own.
    ///
    /// # Panics
    /// If it succeeded or was ended by a signal.
    #[must_use]
    pub fn refused(self) -> String {
        assert!(self.code.is_some_and(|code| code != 0), "the command was to be refused: {self:?}");
        self.stderr
    }
}

/// Runs a command to its end, with `input` as its standard input.
///
/// # Panics
/// If it cannot be started, or takes longer than five minutes.
pub fn run(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let (stdout, stderr) = (collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap()));
    let input = input.to_vec();
    // A command may end without reading all of it; that is not for this place to judge.
    let feeding = std::thread::spawn(move || drop(std::io::Write::write_all(&mut stdin, &input)));
    let status = wait_within(&mut child, RUN_WITHIN);
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    feeding.join().unwrap();
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let Some(status) = status else {
        panic!("{command:?} took longer than {RUN_WITHIN:?}:\n{stdout}{stderr}")
    };
    Ran { code: status.code(), stdout, stderr }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// What `look` finds, looked for again and again until it is there.
///
/// # Panics
/// If it is not there `within` that time; `what` says what was waited for.
pub fn eventually<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "within {within:?} there was no {what}");
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
}

/// The exit of the child, or `None` if it still runs after that time.
pub(crate) fn wait_within(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + within;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// The process that `parent` started and that runs the program `name`, if there is one.
pub(crate) fn child_of(parent: u32, name: &str) -> Option<u32> {
    Path::new("/proc").read_dir().unwrap().flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        // "pid (name) state parent …"; it may be gone by now.
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let (program, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let of: u32 = rest.split_whitespace().nth(1)?.parse().ok()?;
        (program == name && of == parent).then_some(pid)
    })
}
