//! Sessions, kept on the server: a cookie is only a number that nobody can guess. Pure: time and numbers are given.
//!
//! Not here: the cookie (`site`), accounts, the file they are kept in over a restart (`door`).

use std::collections::HashMap;
use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::AccountName;

/// Sessions of persons at the same time, and as many of devices: nobody needs more in the whole country. What comes then
/// takes the place of a session of the account that has most of its kind, never that of a person for a device or the reverse.
pub const SESSIONS_MAX: usize = 4_096;
/// Sessions of one account at the same time: the browsers of a colleague, or the tablets of a house that share a name. One
/// more takes the place of that account's own that was unused for longest.
pub const SESSIONS_OF_ONE_MAX: usize = 16;
/// A session that is not used ends: a screen left alone is everybody's.
pub const UNUSED_FOR_MAX: Duration = Duration::from_mins(15);
/// A session ends after a shift.
pub const OPEN_FOR_MAX: Duration = Duration::from_hours(8);
/// A device on a ward stays registered for so long.
pub const DEVICE_OPEN_FOR_MAX: Duration = Duration::from_hours(90 * 24);

/// Somebody who signed in, or a device that was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub account: AccountName,
    /// Which password the account had then ([`super::Account::stamp`]).
    pub stamp: u64,
    /// A device that stays on a ward.
    pub device: bool,
    /// When.
    pub opened_at: Timestamp,
    /// When it was last used.
    pub used_at: Timestamp,
}

impl Session {
    fn is_over(&self, now: Timestamp) -> bool {
        let open_for = passed(self.opened_at, now);
        if self.device {
            return open_for >= DEVICE_OPEN_FOR_MAX;
        }
        open_for >= OPEN_FOR_MAX || passed(self.used_at, now) >= UNUSED_FOR_MAX
    }
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    let micros = now.as_micros().saturating_sub(since.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// A session as it outlives a restart of the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The hash of its cookie, in hexadecimal digits.
    key: String,
    account: AccountName,
    stamp: u64,
    device: bool,
    opened_at: Timestamp,
}

/// Everybody who is signed in. Only hashes of cookies are kept: who reads the memory or the file can not sign in with it.
#[derive(Debug, Default)]
pub struct Sessions {
    open: HashMap<String, Session>,
}

impl Sessions {
    /// Those that were kept, as if they were used now.
    #[must_use]
    pub fn restored(kept: Vec<Kept>, now: Timestamp) -> Self {
        let session = |kept: Kept| {
            let Kept { key, account, stamp, device, opened_at } = kept;
            (key, Session { account, stamp, device, opened_at, used_at: now })
        };
        let open = kept.into_iter().take(2 * SESSIONS_MAX).map(session);
        Self { open: open.filter(|(_, session)| !session.is_over(now)).collect() }
    }

    /// What is to be kept over a restart.
    #[must_use]
    pub fn kept(&self) -> Vec<Kept> {
        let kept = |(key, session): (&String, &Session)| Kept {
            key: key.clone(),
            account: session.account.clone(),
            stamp: session.stamp,
            device: session.device,
            opened_at: session.opened_at,
        };
        self.open.iter().map(kept).collect()
    }

    /// Opens a session for somebody whose password was right, and gives the value of its cookie, once; `random` has to be
    /// that.
    pub fn open(
        &mut self,
        account: AccountName,
        (stamp, device): (u64, bool),
        random: [u8; 32],
        now: Timestamp,
    ) -> String {
        self.open.retain(|_, session| !session.is_over(now));
        while let Some(gives_way) = self.gives_way(&account, device) {
            self.open.remove(&gives_way);
        }
        let cookie = digits(&random);
        let session = Session { account, stamp, device, opened_at: now, used_at: now };
        self.open.insert(key_of(&cookie), session);
        cookie
    }

    /// The session that has to go before this account may have one more, if one has to.
    fn gives_way(&self, account: &AccountName, device: bool) -> Option<String> {
        let of_kind = || self.open.iter().filter(|(_, session)| session.device == device);
        let oldest_of = |account: &AccountName| {
            let own = of_kind().filter(|(_, session)| session.account == *account);
            own.min_by_key(|(_, session)| session.used_at).map(|(key, _)| key.clone())
        };
        if of_kind().filter(|(_, session)| session.account == *account).count() >= SESSIONS_OF_ONE_MAX {
            return oldest_of(account);
        }
        if of_kind().count() < SESSIONS_MAX {
            return None;
        }
        let mut counts: HashMap<&AccountName, usize> = HashMap::new();
        for (_, session) in of_kind() {
            *counts.entry(&session.account).or_default() += 1;
        }
        let most = counts.values().max()?;
        // Of several with as many, the one that was unused for longest.
        let having_most = of_kind().filter(|(_, session)| counts.get(&session.account) == Some(most));
        oldest_of(&having_most.min_by_key(|(_, session)| session.used_at)?.1.account)
    }

    /// The session of a cookie, which is used now; `None` if it is over or was never.
    pub fn used(&mut self, cookie: &str, now: Timestamp) -> Option<Session> {
        let key = key_of(cookie);
        let session = self.open.get_mut(&key)?;
        if session.is_over(now) {
            self.open.remove(&key);
            return None;
        }
        session.used_at = session.used_at.max(now);
        Some(session.clone())
    }

    /// The same without using it: a page that keeps itself up to date is nobody who works.
    #[must_use]
    pub fn looked_at(&self, cookie: &str, now: Timestamp) -> Option<Session> {
        self.open.get(&key_of(cookie)).filter(|session| !session.is_over(now)).cloned()
    }

    /// Ends a session. Whether there was one.
    pub fn close(&mut self, cookie: &str) -> bool {
        self.open.remove(&key_of(cookie)).is_some()
    }
}

/// Looked up by its hash, so that how long it takes says nothing about the cookies that are there.
fn key_of(cookie: &str) -> String {
    digits(&Sha256::digest(cookie.as_bytes()))
}

fn digits(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + minutes * 60_000_000)
    }

    fn open(sessions: &mut Sessions, number: u8, minutes: i64) -> String {
        sessions.open("jansen".parse().unwrap(), (7, false), [number; 32], at(minutes))
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_after_a_shift() {
        let mut sessions = Sessions::default();
        let cookie = open(&mut sessions, 1, 0);
        assert!(sessions.used(&cookie, at(14)).is_some());
        assert!(sessions.used(&cookie, at(28)).is_some(), "used in between");
        assert!(sessions.looked_at(&cookie, at(42)).is_some());
        assert!(sessions.used(&cookie, at(43)).is_none(), "a look is no use");
        let cookie = open(&mut sessions, 2, 100);
        for minutes in (110..100 + 8 * 60).step_by(10) {
            assert!(sessions.used(&cookie, at(minutes)).is_some(), "{minutes}");
        }
        assert!(sessions.used(&cookie, at(100 + 8 * 60)).is_none(), "whatever it is used");
    }

    #[test]
    fn a_ward_s_device_stays_registered_and_sessions_outlive_a_restart() {
        let mut sessions = Sessions::default();
        let device = sessions.open("tablet".parse().unwrap(), (7, true), [9; 32], at(0));
        let person = open(&mut sessions, 1, 0);
        let text = serde_json::to_string(&sessions.kept()).unwrap();
        assert!(!text.contains(&device) && !text.contains(&person), "only hashes are kept");
        let mut again = Sessions::restored(serde_json::from_str(&text).unwrap(), at(5));
        assert!(again.used(&person, at(6)).is_some());
        assert!(again.used(&device, at(60 * 24 * 30)).is_some_and(|session| session.device));
        assert!(again.used(&device, at(60 * 24 * 90)).is_none());
        assert!(
            Sessions::restored(serde_json::from_str(&text).unwrap(), at(60 * 9))
                .used(&person, at(541))
                .is_none()
        );
    }

    #[test]
    fn who_signs_out_is_out() {
        let mut sessions = Sessions::default();
        let one = open(&mut sessions, 1, 0);
        assert!(sessions.close(&one));
        assert!(!sessions.close(&one));
        assert!(sessions.used(&one, at(1)).is_none());
        assert!(sessions.used("", at(1)).is_none());
    }

    fn random(number: usize) -> [u8; 32] {
        let mut random = [0; 32];
        random[..8].copy_from_slice(&u64::try_from(number).unwrap().to_le_bytes());
        random
    }

    fn open_as(sessions: &mut Sessions, name: &str, device: bool, number: usize) -> String {
        let at = Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(number).unwrap());
        sessions.open(name.parse().unwrap(), (7, device), random(number), at)
    }

    #[test]
    fn whoever_signs_in_again_and_again_signs_out_nobody_but_himself() {
        let mut sessions = Sessions::default();
        let desk = open_as(&mut sessions, "loket", false, 1);
        let tablet = open_as(&mut sessions, "tablet", true, 2);
        let own: Vec<String> =
            (3..5_000).map(|number| open_as(&mut sessions, "jansen", false, number)).collect();
        assert_eq!(sessions.open.len(), SESSIONS_OF_ONE_MAX + 2);
        assert!(sessions.looked_at(&desk, at(1)).is_some() && sessions.looked_at(&tablet, at(1)).is_some());
        let left = own.iter().filter(|cookie| sessions.looked_at(cookie, at(1)).is_some()).count();
        assert_eq!(left, SESSIONS_OF_ONE_MAX);
        assert!(sessions.looked_at(own.last().unwrap(), at(1)).is_some(), "the newest");
    }

    #[test]
    fn however_many_sign_in_there_is_a_limit_and_the_account_with_most_sessions_makes_room() {
        let mut sessions = Sessions::default();
        let tablet = open_as(&mut sessions, "tablet", true, 1);
        let alone = open_as(&mut sessions, "alleen", false, 2);
        let greedy: Vec<String> =
            (3..7).map(|number| open_as(&mut sessions, "veel", false, number)).collect();
        for number in 7..SESSIONS_MAX + 10 {
            open_as(&mut sessions, &format!("a{number}"), false, number);
        }
        assert_eq!(sessions.open.len(), SESSIONS_MAX + 1, "persons, and one device");
        assert!(sessions.looked_at(&alone, at(1)).is_none(), "when all have one, the longest unused goes");
        let left = greedy.iter().filter(|cookie| sessions.looked_at(cookie, at(1)).is_some()).count();
        assert!(left <= 1, "whoever had more went first: {left}");
        assert!(sessions.looked_at(&tablet, at(1)).is_some(), "no device makes room for a person");
    }
}
