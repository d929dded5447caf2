//! Who is shut out of the bus, and until when. Pure.
//!
//! The first time for a minute, so that a mistake is soon forgiven; ever longer for who goes on. Not here: who is to be
//! shut out (`warden`), how (`registry`).

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;

use super::warden::Who;

/// How long somebody is shut out for the first time, in microseconds.
const FIRST: i64 = 60 * 1_000_000;
/// The longest that somebody is shut out without a person, in microseconds.
const LONGEST: i64 = 60 * FIRST;

/// Who is shut out. As many as the network has users.
#[derive(Debug, Default)]
pub(super) struct Bars(BTreeMap<Who, Bar>);

#[derive(Clone, Copy, Debug)]
struct Bar {
    until: i64,
    length: i64,
}

impl Bars {
    /// Shuts out whoever it is from now on: until when. `None` if it already is.
    pub(super) fn shut_out(&mut self, who: Who, now: Timestamp) -> Option<Timestamp> {
        let now = now.as_micros();
        let before = self.0.get(&who).copied();
        if before.is_some_and(|bar| now < bar.until) {
            return None;
        }
        // Who was quiet for as long as it was out begins anew.
        let again = before.filter(|bar| now.saturating_sub(bar.until) < bar.length.max(10 * FIRST));
        let length = again.map_or(FIRST, |bar| bar.length.saturating_mul(2).min(LONGEST));
        let until = now.saturating_add(length);
        self.0.insert(who, Bar { until, length });
        Some(Timestamp::from_micros(until))
    }

    /// Everybody who is shut out at this moment.
    pub(super) fn at(&self, now: Timestamp) -> BTreeSet<Who> {
        let out = self.0.iter().filter(|(_, bar)| now.as_micros() < bar.until);
        out.map(|(who, _)| who.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use network::Account;

    use super::*;

    #[test]
    fn the_first_time_is_a_minute_and_it_doubles_for_who_goes_on_up_to_an_hour() {
        let (mut bars, who) = (Bars::default(), (Account::Core, "a".to_owned()));
        let (mut now, mut lengths) = (0, Vec::new());
        for _ in 0..8 {
            let until = bars.shut_out(who.clone(), Timestamp::from_micros(now)).unwrap();
            lengths.push((until.as_micros() - now) / FIRST);
            assert_eq!(bars.shut_out(who.clone(), Timestamp::from_micros(now)), None);
            assert!(bars.at(Timestamp::from_micros(until.as_micros() - 1)).contains(&who));
            assert!(bars.at(until).is_empty());
            now = until.as_micros();
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 60, 60]);
        let later = Timestamp::from_micros(now + 2 * LONGEST);
        assert_eq!(bars.shut_out(who, later).unwrap().as_micros(), later.as_micros() + FIRST);
    }
}
