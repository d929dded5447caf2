//! How many acts a second somebody may do: as many as a person does, or a machine that keeps up with a busy house.
//!
//! Not here: how often a password may be tried (`signin`), how much a source may send over the bus (`bus`).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use domain::access::Principal;

use crate::api::problem::Problem;

/// How fast somebody may go.
#[derive(Clone, Copy, Debug)]
struct Pace {
    per_second: i64,
    /// And as many at once after a while of nothing.
    at_once: i64,
}

/// A person, at the forms: more than a hand can click, with what was kept while the node was away on top.
const OF_A_PERSON: Pace = Pace { per_second: 20, at_once: 100 };
/// The holder of a token, a system that acts for many: more than a whole region does.
const OF_A_MACHINE: Pace = Pace { per_second: 500, at_once: 2_000 };
const SECOND_MICROS: i64 = 1_000_000;

/// What each has left. Only those who are known have something, so there are no more than accounts and sources.
#[derive(Debug, Default)]
pub(crate) struct Paces(Mutex<HashMap<String, Left>>);

/// Acts in millionths, as of a moment.
#[derive(Clone, Copy, Debug)]
struct Left {
    micro_acts: i64,
    at: Timestamp,
}

impl Paces {
    /// Counts an act of a person, or of a device on a ward.
    ///
    /// # Errors
    /// Too many within a moment.
    pub(crate) fn person(&self, name: &str, now: Timestamp) -> Result<(), Problem> {
        self.count(name, OF_A_PERSON, now)
    }

    /// Counts an act of the holder of a token.
    ///
    /// # Errors
    /// Too many within a moment.
    pub(crate) fn machine(&self, principal: &Principal, now: Timestamp) -> Result<(), Problem> {
        self.count(principal.source.as_str(), OF_A_MACHINE, now)
    }

    fn count(&self, who: &str, pace: Pace, now: Timestamp) -> Result<(), Problem> {
        let full = pace.at_once * SECOND_MICROS;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = known.entry(who.to_owned()).or_insert(Left { micro_acts: full, at: now });
        // A clock that is set back gives nothing and takes nothing.
        let passed = now.as_micros().saturating_sub(left.at.as_micros()).clamp(0, full);
        left.at = now;
        left.micro_acts = left.micro_acts.saturating_add(passed.saturating_mul(pace.per_second)).min(full);
        if left.micro_acts < SECOND_MICROS {
            return Err(Problem::TooFast);
        }
        left.micro_acts -= SECOND_MICROS;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + millis * 1_000)
    }

    #[test]
    fn a_person_does_so_many_a_second_and_nobody_else_waits_for_it() {
        let paces = Paces::default();
        let done = |millis| (0..1_000).filter(|_| paces.person("tablet", at(millis)).is_ok()).count();
        assert_eq!(done(0), 100);
        assert_eq!(done(49), 0);
        assert_eq!(done(50), 1);
        assert_eq!(done(1_050), 20);
        assert_eq!(done(500), 0, "the clock was set back");
        assert_eq!(done(1_000), 10);
        assert_eq!(done(1_000_000), 100, "after a while all of it again");
        assert!(paces.person("loket", at(0)).is_ok());
    }
}
