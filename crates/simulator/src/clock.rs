//! What time it is in the simulation: that of the node, whose clock goes faster than the machine's.
//!
//! Not here: what is done when (`agenda`).

use std::time::{Duration, Instant};

use domain::Timestamp;

/// The clock of the simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SimClock {
    /// When it was read on the machine,
    read_at: Instant,
    /// and what it was then.
    was: Timestamp,
    factor: u32,
}

impl SimClock {
    /// The clock that shows `was` now and goes so many times faster.
    pub(crate) fn new(was: Timestamp, factor: u32) -> Self {
        Self { read_at: Instant::now(), was, factor: factor.max(1) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let since = i64::try_from(self.read_at.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.was.saturating_add_micros(since.saturating_mul(i64::from(self.factor)))
    }

    /// How long the machine has to wait until then.
    pub(crate) fn until(&self, at: Timestamp) -> Duration {
        let left = at.as_micros().saturating_sub(self.now().as_micros()).max(0);
        Duration::from_micros(u64::try_from(left / i64::from(self.factor)).unwrap_or(0))
    }
}
