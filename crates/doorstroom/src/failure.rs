//! How a command ends when it does not succeed: one sentence for a person, one exit code for a program.
//!
//! Not here: what went wrong; every crate says that in its own errors.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

/// The end of a command that did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Whoever read our output has gone: nobody is left to be told anything.
    Unread,
    Failed,
    Usage,
    Refused,
}

impl Failure {
    /// It did not work: exit code 1. `doing: error`, with the causes of the error.
    pub(crate) fn new(doing: impl AsRef<str>, error: impl Error) -> Self {
        Self::said(format!("{}: {}", doing.as_ref(), chain(&error)))
    }

    /// It did not work, for a reason that no error stands behind: exit code 1.
    pub(crate) fn said(text: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, text: text.into() }
    }

    /// The command was given something it cannot work with: exit code 2.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, text: text.into() }
    }

    /// It was looked at, and not (all of) it was accepted, or we were not let in: exit code 3.
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, text: text.into() }
    }

    /// Standard output could not be written. Not an error when the reader has just seen enough (`… | head`).
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { kind: Kind::Unread, text: String::new() };
        }
        Self::new("standard output can not be written", error)
    }

    /// The code the process ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Unread => 0,
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::Refused => 3,
        })
    }

    /// Whether there is somebody to tell it to.
    pub(crate) fn is_told(&self) -> bool {
        self.kind != Kind::Unread
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::said(chain(&error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// An error and its causes in one line. A cause the text before it already tells is not told again.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the board could not be made")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("the log is damaged: bad checksum")]
    struct Middle(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("bad checksum")]
    struct Inner;

    #[test]
    fn every_cause_is_told_once() {
        let failure = Failure::from(Outer(Middle(Inner)));
        assert_eq!(failure.to_string(), "the board could not be made: the log is damaged: bad checksum");
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        let failure = Failure::output(&io::ErrorKind::BrokenPipe.into());
        assert_eq!((failure.is_told(), failure.exit_code()), (false, ExitCode::SUCCESS));
    }
}
