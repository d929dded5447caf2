//! What is told in the node's own log of those who try, at most so often: whoever tries a lot must not fill it.
//!
//! Not here: what is told.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines within a minute; what comes more is counted, and the count is told with the next line.
const LINES_PER_MINUTE_MAX: u64 = 60;
const MINUTE: Duration = Duration::from_mins(1);

/// How often one kind of thing was told.
#[derive(Debug)]
pub(crate) struct Quiet(Mutex<Told>);

#[derive(Debug)]
struct Told {
    since: Option<Instant>,
    lines: u64,
    untold: u64,
}

impl Quiet {
    /// Nothing was told yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Told { since: None, lines: 0, untold: 0 }))
    }

    /// Whether one more line may be written, and how many were not since the last; counts it either way.
    pub(crate) fn may_tell(&self, now: Instant) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.since.is_none_or(|since| now.saturating_duration_since(since) >= MINUTE) {
            (told.since, told.lines) = (Some(now), 0);
        }
        if told.lines >= LINES_PER_MINUTE_MAX {
            told.untold = told.untold.saturating_add(1);
            return None;
        }
        told.lines = told.lines.saturating_add(1);
        Some(std::mem::take(&mut told.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_lines_a_minute_and_the_rest_is_counted() {
        let (quiet, began) = (Quiet::new(), Instant::now());
        let told = (0..100).filter(|_| quiet.may_tell(began) == Some(0)).count();
        assert_eq!(told, 60);
        assert_eq!(quiet.may_tell(began + MINUTE), Some(40));
        assert_eq!(quiet.may_tell(began + MINUTE), Some(0));
    }
}
