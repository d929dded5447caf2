//! How often somebody may try a password. Pure: time is given.
//!
//! Counted by account at an address, and more generously by account and by address: one who guesses is slowed down. Who signed
//! in here before is not kept out by what others guess: for a name at an address where it was signed in with, the guesses
//! from elsewhere count for nothing, and those of its house for less. Not here: whether a password is right, which address
//! somebody has (`peer`).

use std::collections::HashMap;
use std::net::IpAddr;

use domain::Timestamp;

/// Tries within a minute for an account at an address.
pub const TRIES_PER_MINUTE_MAX: usize = 5;
/// Tries within a minute for an account, wherever from, and for an address, whatever the account.
pub const TRIES_OF_ONE_PER_MINUTE_MAX: usize = 30;
/// Tries within a minute for an address after which also those who signed in there before wait.
const TRIES_OF_A_HOUSE_PER_MINUTE_MAX: usize = 4 * TRIES_OF_ONE_PER_MINUTE_MAX;
/// Tries that are remembered; while there are more nobody may try who did not sign in there before.
const KNOWN_MAX: usize = 65_536;
/// Names at addresses where they were signed in with that are remembered; one more takes the place of the longest unused.
const FAMILIAR_MAX: usize = 16_384;
const MINUTE_MICROS: i64 = 60_000_000;

/// Who tried, and when; and who signed in where.
#[derive(Debug, Default)]
pub struct Throttle {
    tries: HashMap<Tried, Vec<Timestamp>>,
    familiar: HashMap<(String, IpAddr), Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Tried {
    Both(String, IpAddr),
    Name(String),
    Address(IpAddr),
}

/// What is counted, and how often it may be.
fn counted(name: &str, address: IpAddr, familiar: bool) -> [(Tried, usize); 3] {
    let (by_name, by_address) = if familiar {
        (usize::MAX, TRIES_OF_A_HOUSE_PER_MINUTE_MAX)
    } else {
        (TRIES_OF_ONE_PER_MINUTE_MAX, TRIES_OF_ONE_PER_MINUTE_MAX)
    };
    [
        (Tried::Both(name.to_owned(), address), TRIES_PER_MINUTE_MAX),
        (Tried::Name(name.to_owned()), by_name),
        (Tried::Address(address), by_address),
    ]
}

impl Throttle {
    /// Whether this name was signed in with at this address before.
    #[must_use]
    pub fn is_familiar(&self, name: &str, address: IpAddr) -> bool {
        self.familiar.contains_key(&(name.to_owned(), address))
    }

    /// Whether this may be tried now; counts it if so.
    pub fn may_try(&mut self, name: &str, address: IpAddr, now: Timestamp) -> bool {
        self.forget(now);
        let familiar = self.is_familiar(name, address);
        let counted = counted(name, address, familiar);
        let full =
            counted.iter().any(|(key, max)| self.tries.get(key).is_some_and(|tries| tries.len() >= *max));
        if full || (self.tries.len() >= KNOWN_MAX && !familiar) {
            return false;
        }
        for (key, _) in counted {
            self.tries.entry(key).or_default().push(now);
        }
        true
    }

    /// Somebody signed in: what was mistyped before counts no more, nor does this try. The wrong tries of others do, for
    /// whoever guesses may have an account too.
    pub fn signed_in(&mut self, name: &str, address: IpAddr, now: Timestamp) {
        self.not_tried(name, address);
        self.tries.remove(&Tried::Both(name.to_owned(), address));
        if self.familiar.len() >= FAMILIAR_MAX && !self.is_familiar(name, address) {
            let oldest = self.familiar.iter().min_by_key(|(_, at)| **at).map(|(key, _)| key.clone());
            oldest.map(|key| self.familiar.remove(&key));
        }
        self.familiar.insert((name.to_owned(), address), now);
    }

    /// What was counted as a try came to none: it was right, or never looked at.
    pub fn not_tried(&mut self, name: &str, address: IpAddr) {
        for (key, _) in counted(name, address, false) {
            self.tries.get_mut(&key).and_then(Vec::pop);
        }
    }

    /// The tries of the last minute for this name, and for this address.
    #[must_use]
    pub fn tries(&self, name: &str, address: IpAddr) -> (usize, usize) {
        let count = |key: &Tried| self.tries.get(key).map_or(0, Vec::len);
        (count(&Tried::Name(name.to_owned())), count(&Tried::Address(address)))
    }

    fn forget(&mut self, now: Timestamp) {
        let since = now.saturating_add_micros(-MINUTE_MICROS);
        self.tries.retain(|_, tries| {
            tries.retain(|at| *at > since);
            !tries.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn the_sixth_try_within_a_minute_waits() {
        let mut throttle = Throttle::default();
        for _ in 0..5 {
            assert!(throttle.may_try("jansen", address(1), at(0)));
        }
        assert!(!throttle.may_try("jansen", address(1), at(1)));
        assert!(throttle.may_try("jansen", address(2), at(1)), "the one herself sits elsewhere");
        assert!(throttle.may_try("smit", address(1), at(1)), "a colleague in the same house");
        assert!(throttle.may_try("jansen", address(1), at(61)), "a minute later");
    }

    #[test]
    fn one_name_from_many_addresses_and_many_names_from_one_address_wait_too() {
        let mut throttle = Throttle::default();
        let tries = (0..60).filter(|number| throttle.may_try("jansen", address(*number), at(0))).count();
        assert_eq!(tries, TRIES_OF_ONE_PER_MINUTE_MAX);
        let mut throttle = Throttle::default();
        let tries = (0..60).filter(|number| throttle.may_try(&number.to_string(), address(1), at(0))).count();
        assert_eq!(tries, TRIES_OF_ONE_PER_MINUTE_MAX);
    }

    #[test]
    fn who_signed_in_has_its_tries_again() {
        let mut throttle = Throttle::default();
        for _ in 0..4 {
            throttle.may_try("jansen", address(1), at(0));
        }
        throttle.signed_in("jansen", address(1), at(0));
        for _ in 0..5 {
            assert!(throttle.may_try("jansen", address(1), at(1)));
        }
    }

    #[test]
    fn whoever_guesses_and_has_an_account_too_gets_no_more_tries_by_it() {
        let mut throttle = Throttle::default();
        let mut tries = 0;
        for number in 0..200 {
            if throttle.may_try(&number.to_string(), address(1), at(0)) {
                tries += 1;
            }
            if number % 25 == 0 && throttle.may_try("eigen", address(1), at(0)) {
                throttle.signed_in("eigen", address(1), at(0));
            }
        }
        assert_eq!(tries, TRIES_OF_ONE_PER_MINUTE_MAX);
    }

    #[test]
    fn who_signed_in_here_before_is_kept_out_by_no_guesses_of_others() {
        let mut throttle = Throttle::default();
        for name in ["loket", "linde"] {
            assert!(throttle.may_try(name, address(1), at(0)));
            throttle.signed_in(name, address(1), at(0));
        }
        for number in 0..60 {
            throttle.may_try(&number.to_string(), address(1), at(100));
            throttle.may_try("loket", address(100 + number), at(100));
        }
        assert!(throttle.may_try("loket", address(1), at(101)));
        assert!(throttle.may_try("linde", address(1), at(101)));
        assert!(!throttle.may_try("loket", address(2), at(101)), "who was never here waits");
        // Nor is that a way to guess at those who were.
        let mut throttle = Throttle::default();
        for number in 0..200 {
            throttle.signed_in(&number.to_string(), address(1), at(0));
        }
        let tries =
            (0..200).filter(|number| throttle.may_try(&number.to_string(), address(1), at(1))).count();
        assert_eq!(tries, TRIES_OF_A_HOUSE_PER_MINUTE_MAX);
    }

    #[test]
    fn of_who_signed_in_where_no_more_than_some_is_remembered() {
        let mut throttle = Throttle::default();
        for number in 0..=u32::try_from(FAMILIAR_MAX).unwrap() {
            let at = Timestamp::from_micros(1_700_000_000_000_000 + i64::from(number));
            throttle.signed_in("loket", IpAddr::from(number.to_le_bytes()), at);
        }
        assert_eq!(throttle.familiar.len(), FAMILIAR_MAX);
        assert!(!throttle.is_familiar("loket", IpAddr::from([0, 0, 0, 0])), "the oldest");
    }
}
