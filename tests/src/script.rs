//! The scripts of `deploy/`, as a person runs them: started, heard until they say that all is ready, ended.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::{signal, wait_within};

/// How long a script may take until all it starts is ready.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// How long it may take to end what it started.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// Lines of output that may wait to be looked at.
const LINES_WAITING_MAX: usize = 1_024;

/// A running script; asked to end what it started when dropped.
#[derive(Debug)]
pub struct Script {
    child: Child,
    log: PathBuf,
    ready: String,
}

impl Script {
    /// Starts a script of `deploy/` and waits for the line that begins with `ready`. What it says beside goes to `log`.
    ///
    /// # Panics
    /// If it does not say so within a minute, with what it said.
    #[must_use]
    pub fn start(name: &str, arguments: &[&Path], environment: &[(&str, &Path)], log: &Path) -> Self {
        let mut command = Command::new(crate::root().join("deploy").join(name));
        command.args(arguments).envs(environment.iter().copied());
        command.env("DOORSTROOM_BINARY", crate::doorstroom());
        command.env("DOORSTROOM_NATS_SERVER", crate::nats_server());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(log).unwrap());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (line_of, lines) = sync_channel(LINES_WAITING_MAX);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                drop(line_of.try_send(line));
            }
        });
        // Ends it when anything below panics.
        let mut script = Self { child, log: log.to_owned(), ready: String::new() };
        let until = Instant::now() + READY_WITHIN;
        while !script.ready.starts_with("ready ") {
            let line = lines.recv_timeout(until.saturating_duration_since(Instant::now()));
            script.ready = line.unwrap_or_else(|_| panic!("{name} is not ready:\n{}", script.log()));
        }
        script
    }

    /// The value of this word in its line `ready word=value …`.
    ///
    /// # Panics
    /// If it is not there.
    #[must_use]
    pub fn told(&self, word: &str) -> &str {
        let mut words = self.ready.split(' ').filter_map(|pair| pair.split_once('='));
        words.find(|(key, _)| *key == word).map(|(_, value)| value).unwrap()
    }

    /// Everything that it, and what it started, said beside.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(self.child.id(), Signal::TERM);
        }
        if wait_within(&mut self.child, ENDS_WITHIN).is_none() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Kills the process whose id is in this file, as a power cut would, and waits until it is gone.
///
/// # Panics
/// If there is none, or it does not go.
pub fn kill9_of(pid_file: &Path) {
    let pid: u32 = fs::read_to_string(pid_file).unwrap().trim().parse().unwrap();
    signal(pid, Signal::KILL);
    crate::node::gone(pid);
}

/// The first of this many ports in a row that nobody listens on now.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn free_ports(count: u16) -> u16 {
    let free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port));
    (0..100)
        .find_map(|_| {
            let first = free(0).ok()?.local_addr().ok()?.port();
            let all: Option<Vec<_>> = (0..count).map(|next| free(first.checked_add(next)?).ok()).collect();
            all.map(|_| first)
        })
        .unwrap()
}
