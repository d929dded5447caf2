//! What a command says: results to standard output through [`Out`], progress to standard error through [`Meter`].
//!
//! Nothing else in the workspace writes to standard output.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::failure::Failure;

/// Standard output, for results only: a program may read it.
#[derive(Debug)]
pub(crate) struct Out {
    stdout: BufWriter<Stdout>,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self { stdout: BufWriter::new(io::stdout()) }
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        writeln!(self.stdout, "{text}").map_err(|error| Failure::output(&error))
    }

    /// One value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.stdout, value)
            .map_err(io::Error::from)
            .and_then(|()| self.stdout.write_all(b"\n"))
            .map_err(|error| Failure::output(&error))
    }

    /// The stream itself, for a writer of another crate. Its errors go through [`Failure::output`].
    pub(crate) fn writer(&mut self) -> &mut dyn Write {
        &mut self.stdout
    }

    /// Hands over what is still in the buffer; a live command does so after every change.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.stdout.flush().map_err(|error| Failure::output(&error))
    }
}

/// How often a terminal is told how far a long command is.
const TERMINAL_EVERY: Duration = Duration::from_millis(200);
/// How often a file or a pipe is told: a line each time, so that a job's output shows life and stays readable.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far a long command is, on standard error: one line that is overwritten on a terminal, a line now and then
/// elsewhere. What short commands do is never told.
#[derive(Debug)]
pub(crate) struct Meter {
    terminal: bool,
    last: Instant,
    shown: usize,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self { terminal: io::stderr().is_terminal(), last: Instant::now(), shown: 0 }
    }

    /// Tells `text` if it is time to.
    pub(crate) fn tell(&mut self, text: impl FnOnce() -> String) {
        let every = if self.terminal { TERMINAL_EVERY } else { LINE_EVERY };
        if self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        let text = text();
        if self.terminal {
            complain(format_args!("\r{text:width$}", width = self.shown));
            self.shown = text.chars().count();
        } else {
            complain(format_args!("{text}\n"));
        }
    }

    /// Leaves an empty line behind, so that what follows begins at its start.
    pub(crate) fn done(&mut self) {
        if self.shown > 0 {
            complain(format_args!("\r{:width$}\r", "", width = self.shown));
            self.shown = 0;
        }
    }
}

/// Writes to standard error. If that fails there is nobody left to tell.
pub(crate) fn complain(text: std::fmt::Arguments<'_>) {
    let mut stderr = io::stderr();
    let _told = stderr.write_fmt(text).and_then(|()| stderr.flush());
}
