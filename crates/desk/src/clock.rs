//! What time it is at the desk.
//!
//! Not here: deadlines (`keeper`).

use std::time::Duration;

use domain::Timestamp;
use eventlog::{Clock, SystemClock};

/// A clock that can say how long to wait.
pub trait DeskClock: Clock {
    /// How long the machine has to wait until it is this time.
    fn wait_until(&self, at: Timestamp) -> Duration {
        micros(at.as_micros().saturating_sub(self.now()))
    }
}

impl DeskClock for SystemClock {}

/// A clock that goes faster than the machine's from one moment on, for simulations. A function of the machine's clock
/// alone: after a restart it goes on as if it had never stood still.
#[derive(Clone, Copy, Debug)]
pub struct ScaledClock {
    /// When both showed the same.
    pub origin: Timestamp,
    /// How many times faster it goes; at least 1.
    pub factor: u32,
}

impl Clock for ScaledClock {
    fn now(&self) -> i64 {
        let since = SystemClock.now().saturating_sub(self.origin.as_micros());
        self.origin.as_micros().saturating_add(since.saturating_mul(i64::from(self.factor.max(1))))
    }
}

impl DeskClock for ScaledClock {
    fn wait_until(&self, at: Timestamp) -> Duration {
        let left = at.as_micros().saturating_sub(self.now());
        micros(left.div_euclid(i64::from(self.factor.max(1))))
    }
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_runs_ahead_by_its_factor_and_waits_as_much_shorter() {
        let origin = Timestamp::from_micros(SystemClock.now() - 1_000_000);
        let clock = ScaledClock { origin, factor: 100 };
        let ahead = clock.now() - origin.as_micros();
        assert!((100_000_000..160_000_000).contains(&ahead), "{ahead}");
        let wait = clock.wait_until(Timestamp::from_micros(clock.now() + 60_000_000));
        assert!(wait <= Duration::from_millis(600) && wait > Duration::from_millis(300), "{wait:?}");
    }
}
