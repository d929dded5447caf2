//! `UmaDB` beside it: a program of its own, in `tests/bench/umadb`, that answers each question with one number.

use std::{env, process::Command};

/// The program, if there is one.
#[derive(Debug)]
pub(crate) struct Peer {
    program: Option<String>,
}

impl Peer {
    /// By the word of the script.
    pub(crate) fn new() -> Peer {
        Peer { program: env::var("BENCH_LOG_PEER").ok().filter(|program| !program.is_empty()) }
    }

    /// Runs one round of something.
    pub(crate) fn ask(&mut self, what: &str) -> Option<f64> {
        let output = Command::new(self.program.as_ref()?).args(what.split(' ')).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // The number is the last it says: its engine tells of its files first.
        let said = String::from_utf8(output.stdout).unwrap();
        let number = said.lines().last().unwrap_or_default();
        Some(number.trim().parse().unwrap_or_else(|_| panic!("`{what}` ended with {number:?}")))
    }
}
