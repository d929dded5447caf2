//! `doorstroom dcb`, as published clients of a DCB event store find it: the published test case and the published
//! client, both unmodified.
//!
//! Not here: every answer and refusal (`dcb`).
#![expect(clippy::unwrap_used, reason = "test code: a failed unwrap is the failed test")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tests::{Ran, run};

/// A running server; killed when dropped.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(tests::doorstroom());
        command.args(["dcb", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("ready dcb=").map(str::to_owned);
        // Ends it when it did not become ready.
        let mut server = Self { child, url: String::new() };
        server.url = url.unwrap();
        server
    }

    /// Asks it to end, and gives its exit code.
    fn stop(mut self) -> Option<i32> {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn recorder_test(arguments: &[&str]) -> Ran {
    let mut command = Command::new(tests::dcb_python());
    command.arg(tests::root().join("tests/python/dcb_recorder.py")).args(arguments);
    run(&mut command, b"")
}

#[test]
fn the_published_test_case_of_dcb_recorders_passes_unmodified() {
    let parts = recorder_test(&["--parts"]).ok();
    let parts: Vec<&str> = parts.lines().collect();
    assert!(parts.contains(&"_test_append_read") && parts.contains(&"_test_append_subscribe"), "{parts:?}");
    for part in parts {
        let folder = TempDir::new().unwrap();
        let server = Server::start(folder.path());
        let ran = recorder_test(&[part, &server.url]);
        assert_eq!(ran.code, Some(0), "{part}:\n{}", ran.stderr);
        assert_eq!(server.stop(), Some(0), "{part}");
    }
}

#[test]
fn a_dcb_server_takes_no_folder_of_a_node() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("log")).unwrap();
    let mut command = Command::new(tests::doorstroom());
    command.args(["dcb", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
    let refused = run(&mut command, b"").refused();
    assert!(refused.contains("holds log, which is not of this server"), "{refused}");
}
