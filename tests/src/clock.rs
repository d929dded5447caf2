//! A clock that a test sets.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use desk::DeskClock;
use domain::Timestamp;
use eventlog::Clock;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct Hand(AtomicI64);

impl Hand {
    /// It shows this time, in microseconds since 1970.
    #[must_use]
    pub const fn at(micros: i64) -> Self {
        Self(AtomicI64::new(micros))
    }

    /// From now on it shows this time.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_micros(), Ordering::SeqCst);
    }

    /// From now on it shows so much more.
    ///
    /// # Panics
    /// If that is more than microseconds can count.
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_micros().try_into().unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl DeskClock for Hand {}
