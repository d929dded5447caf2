//! The door: from a name and a password to a session, from a cookie to whoever it is.
//!
//! Not here: the pages before it (`site::door`), what somebody may do behind it (`domain::access`).

use std::fs;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use domain::Timestamp;
use tokio::sync::Semaphore;

use crate::quiet::Quiet;

use super::{Account, Accounts, AccountsError, Session, Sessions, Throttle};

/// Passwords checked at the same time: each takes 19 MiB and a processor for some twenty milliseconds.
const CHECKS_MAX: usize = 2;
/// How many wait for that, of those who signed in at their address before and of all others, each: less than two seconds. Who
/// comes then is told at once to come again.
const LINE_MAX: usize = 32;
/// The file of sessions, beside the accounts.
const SESSIONS_FILE: &str = "sessions.json";

/// The door can not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The accounts can not be read.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The sessions can not be read.
    #[error("{}: the sessions can not be read; take the file away, then everybody signs in again", path.display())]
    Sessions {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

/// Accounts, sessions and tries.
pub struct Door {
    accounts_file: PathBuf,
    sessions_file: PathBuf,
    known: Mutex<Known>,
    sessions: Mutex<Sessions>,
    throttle: Mutex<Throttle>,
    checks: Arc<Semaphore>,
    /// Places in the line of who signed in here before, and of all others.
    lines: [Semaphore; 2],
    refused: Quiet,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("accounts", &self.accounts_file).finish_non_exhaustive()
    }
}

/// The accounts as they were last read.
struct Known {
    read_of: Option<(SystemTime, u64)>,
    accounts: Arc<Accounts>,
}

/// What became of an attempt to sign in.
pub(crate) enum SignIn {
    /// Signed in: the value of the cookie, and whether it is a ward's device.
    Done { cookie: String, device: bool },
    /// Name or password are not right, or the account is over; which of them is not said.
    Wrong,
    /// Tried too often.
    TooOften,
    /// Too many try at the same time; nothing was looked at.
    Busy,
    /// It could not be checked.
    Away,
}

/// Somebody with a session.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) account: Account,
}

impl Door {
    /// The door with the accounts of this file; sessions are kept in `folder`.
    ///
    /// # Errors
    /// If one of them is there and can not be read.
    pub fn open(accounts: &Path, folder: &Path, now: Timestamp) -> Result<Self, DoorError> {
        let sessions_file = folder.join(SESSIONS_FILE);
        let sessions = match fs::read(&sessions_file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let sessions =
            sessions.map_err(|source| DoorError::Sessions { path: sessions_file.clone(), source })?;
        let read = Accounts::read(accounts)?;
        Ok(Self {
            known: Mutex::new(Known { read_of: stamp(accounts), accounts: Arc::new(read) }),
            accounts_file: accounts.to_owned(),
            sessions_file,
            sessions: Mutex::new(Sessions::restored(sessions, now)),
            throttle: Mutex::default(),
            checks: Arc::new(Semaphore::new(CHECKS_MAX)),
            lines: [Semaphore::new(LINE_MAX), Semaphore::new(LINE_MAX)],
            refused: Quiet::new(),
        })
    }

    /// The accounts as the file has them now. One that can not be read is told of, and what was known before stays.
    fn accounts(&self) -> Arc<Accounts> {
        let mut known = lock(&self.known);
        let now = stamp(&self.accounts_file);
        if known.read_of != now {
            known.read_of = now;
            match Accounts::read(&self.accounts_file) {
                Ok(accounts) => known.accounts = Arc::new(accounts),
                Err(error) => tracing::error!(%error, "the accounts can not be read; those of before stay"),
            }
        }
        Arc::clone(&known.accounts)
    }

    /// The account of this name, if it is valid now.
    pub(crate) fn account(&self, name: &str, now: Timestamp) -> Option<Account> {
        self.accounts().valid(&name.parse().ok()?, now).cloned()
    }

    /// Lets somebody in whose password is right.
    pub(crate) async fn sign_in(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> SignIn {
        let may_try = {
            let mut throttle = lock(&self.throttle);
            throttle.may_try(name, address, now).then(|| throttle.is_familiar(name, address))
        };
        let Some(familiar) = may_try else {
            self.tell("tried too often", name, address, now);
            return SignIn::TooOften;
        };
        let [of_familiar, of_others] = &self.lines;
        let Ok(place) = (if familiar { of_familiar } else { of_others }).try_acquire() else {
            lock(&self.throttle).not_tried(name, address);
            self.tell("too many at once", name, address, now);
            return SignIn::Busy;
        };
        let Ok(permit) = Arc::clone(&self.checks).acquire_owned().await else { return SignIn::Away };
        drop(place);
        let accounts = self.accounts();
        let (tried, given) = (name.to_owned(), zeroize::Zeroizing::new(password.to_owned()));
        let check = move || {
            let _permit = permit;
            accounts.sign_in(&tried, &given, now).cloned()
        };
        let Ok(found) = tokio::task::spawn_blocking(check).await else { return SignIn::Away };
        let Some(account) = found else {
            self.tell("wrong name or password", name, address, now);
            return SignIn::Wrong;
        };
        lock(&self.throttle).signed_in(name, address, now);
        let mut random = [0; 32];
        if getrandom::fill(&mut random).is_err() {
            return SignIn::Away;
        }
        let device = account.is_device();
        let cookie = {
            let mut sessions = lock(&self.sessions);
            let cookie = sessions.open(account.name.clone(), (account.stamp(), device), random, now);
            self.keep(&sessions);
            cookie
        };
        tracing::info!(account = account.name.as_str(), device, "signed in");
        SignIn::Done { cookie, device }
    }

    /// Tells in the node's log of a sign-in that came to nothing. Never what was typed, for people type a password where the name
    /// belongs: an account is named only if there is one, and of an address only how often it tried.
    fn tell(&self, why: &'static str, name: &str, address: IpAddr, now: Timestamp) {
        let Some(untold) = self.refused.may_tell(Instant::now()) else { return };
        let account = self.account(name, now);
        let account = account.as_ref().map_or("none", |account| account.name.as_str());
        let (tries_of_name, tries_of_address) = lock(&self.throttle).tries(name, address);
        tracing::warn!(why, account, tries_of_name, tries_of_address, untold, "a sign-in was refused");
    }

    /// Who this cookie is, which is used now.
    pub(crate) fn used(&self, cookie: &str, now: Timestamp) -> Option<Standing> {
        let session = lock(&self.sessions).used(cookie, now)?;
        self.standing(&session, now)
    }

    /// Who this cookie is, without using it.
    pub(crate) fn looked_at(&self, cookie: &str, now: Timestamp) -> Option<Standing> {
        let session = lock(&self.sessions).looked_at(cookie, now)?;
        self.standing(&session, now)
    }

    /// A session is worth as much as its account is now: taken out, over, or with another password it is nobody's.
    fn standing(&self, session: &Session, now: Timestamp) -> Option<Standing> {
        let account = self.accounts().valid(&session.account, now).cloned()?;
        let same = account.stamp() == session.stamp && account.is_device() == session.device;
        same.then_some(Standing { account })
    }

    /// Ends a session.
    pub(crate) fn sign_out(&self, cookie: &str) {
        let mut sessions = lock(&self.sessions);
        if sessions.close(cookie) {
            self.keep(&sessions);
        }
    }

    /// Writes the sessions down, so that nobody has to sign in again after a restart. If that fails they only have to.
    fn keep(&self, sessions: &Sessions) {
        let draft = self.sessions_file.with_extension("json.new");
        let put = || {
            let text = serde_json::to_vec(&sessions.kept()).map_err(io::Error::other)?;
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(&text)?;
            fs::rename(&draft, &self.sessions_file)
        };
        if let Err(error) = put() {
            tracing::warn!(%error, "the sessions can not be kept over a restart");
        }
    }
}

/// When a file was written and how long it is; `None` if there is none.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signin::As;

    const PASSWORD: &str = "correct paard batterij";

    fn now() -> Timestamp {
        "2026-11-22T03:00:00Z".parse().unwrap()
    }

    async fn let_in(door: &Door) -> String {
        match door.sign_in("jansen", PASSWORD, IpAddr::from([127, 0, 0, 1]), now()).await {
            SignIn::Done { cookie, .. } => cookie,
            SignIn::Wrong | SignIn::TooOften | SignIn::Busy | SignIn::Away => panic!("not let in"),
        }
    }

    #[tokio::test]
    async fn a_session_outlives_a_restart_and_ends_with_its_account() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts.toml");
        let mut accounts = Accounts::default();
        let desk = || As::Source("urn:desk:zk23".parse().unwrap());
        accounts.add("jansen".parse().unwrap(), desk(), PASSWORD, None).unwrap();
        accounts.write(&file).unwrap();
        let door = Door::open(&file, folder.path(), now()).unwrap();
        let cookie = let_in(&door).await;
        assert!(door.used(&cookie, now()).is_some());
        let wrong =
            door.sign_in("jansen", "iets anders van lengte", IpAddr::from([127, 0, 0, 1]), now()).await;
        assert!(matches!(wrong, SignIn::Wrong));

        let door = Door::open(&file, folder.path(), now()).unwrap();
        assert!(door.used(&cookie, now()).is_some(), "after a restart");
        accounts.remove(&"jansen".parse().unwrap()).unwrap();
        accounts.add("jansen".parse().unwrap(), desk(), "een heel ander wachtwoord", None).unwrap();
        accounts.write(&file).unwrap();
        assert!(door.used(&cookie, now()).is_none(), "another password");
        let again =
            door.sign_in("jansen", "een heel ander wachtwoord", IpAddr::from([127, 0, 0, 1]), now()).await;
        let SignIn::Done { cookie, .. } = again else { panic!("not let in") };
        door.sign_out(&cookie);
        assert!(door.looked_at(&cookie, now()).is_none());
    }
    fn door_with(name: &str) -> (tempfile::TempDir, Door) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts.toml");
        let mut accounts = Accounts::default();
        let works_as = As::Source("urn:desk:zk23".parse().unwrap());
        accounts.add(name.parse().unwrap(), works_as, PASSWORD, None).unwrap();
        accounts.write(&file).unwrap();
        let door = Door::open(&file, folder.path(), now()).unwrap();
        (folder, door)
    }

    #[tokio::test]
    async fn when_too_many_try_at_once_the_next_is_told_so_at_once_and_who_was_here_before_waits() {
        let (_folder, door) = door_with("jansen");
        let cookie = let_in(&door).await;
        let door = Arc::new(door);
        let all_checks = door.checks.acquire_many(u32::try_from(CHECKS_MAX).unwrap()).await.unwrap();
        let guess = |number: usize| {
            let (door, address) =
                (Arc::clone(&door), IpAddr::from([10, 0, 0, u8::try_from(number).unwrap()]));
            async move { door.sign_in(&format!("raad{number}"), "mis mis mis mis", address, now()).await }
        };
        let waiting: Vec<_> = (0..LINE_MAX).map(|number| tokio::spawn(guess(number))).collect();
        while door.lines.iter().map(Semaphore::available_permits).min() != Some(0) {
            tokio::task::yield_now().await;
        }
        assert!(matches!(guess(99).await, SignIn::Busy));
        assert_eq!(lock(&door.throttle).tries("raad99", IpAddr::from([10, 0, 0, 99])), (0, 0), "no try");
        assert!(door.used(&cookie, now()).is_some(), "who is signed in goes on");
        let (own, ()) = tokio::join!(let_in(&door), async { drop(all_checks) });
        assert!(door.used(&own, now()).is_some());
        for guess in waiting {
            assert!(matches!(guess.await.unwrap(), SignIn::Wrong));
        }
    }
}
