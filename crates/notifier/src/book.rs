//! Who wants to be told, and where: an address of mail and some devices for each account, in one file.
//!
//! Not here: who works where (`Directory`); which push services may be reached (`services`).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use lettre::Address;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::services::PushServices;
use crate::{Lang, NotifierError, file};

/// The most devices of one account: the telephones and computers of one person.
pub const DEVICES_MAX: usize = 8;
/// The most accounts that want to be told: every name is looked at for every notice.
pub const ACCOUNTS_MAX: usize = 10_000;
/// The longest address of mail (RFC 5321, section 4.5.3.1.3).
const MAIL_BYTES_MAX: usize = 254;
/// The longest name of a device, in characters; what is longer is cut.
const NAME_CHARS_MAX: usize = 60;

/// One device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Names it on the page: made of the endpoint, and says nothing of it.
    pub id: String,
    /// What its owner sees: the kind of browser.
    pub name: String,
    /// Since when.
    pub added_at: Timestamp,
    /// In which language.
    pub lang: Lang,
    /// Where it is told. Whoever knows this address and the keys can write to it, so it is shown to nobody.
    pub(crate) endpoint: String,
    /// Its public key, an uncompressed point of P-256.
    pub(crate) key: String,
    /// What both sides know (RFC 8291, section 3.2).
    pub(crate) auth: String,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A device as its browser registers it.
#[derive(Clone, Default)]
pub struct NewDevice {
    /// `PushSubscription.endpoint`.
    pub endpoint: String,
    /// `getKey("p256dh")` in base64url.
    pub key: String,
    /// `getKey("auth")` in base64url.
    pub auth: String,
    /// What its owner calls it.
    pub name: String,
    /// In which language.
    pub lang: Lang,
}

impl fmt::Debug for NewDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewDevice").finish_non_exhaustive()
    }
}

/// Where one account is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// Its address of mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// The language of its mail.
    #[serde(default)]
    pub lang: Lang,
    /// Its devices, in the order they came; at most [`DEVICES_MAX`].
    #[serde(default)]
    pub devices: Vec<Device>,
}

impl Reached {
    fn is_empty(&self) -> bool {
        self.mail.is_none() && self.devices.is_empty()
    }
}

/// Something is not written down.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// No address of mail.
    #[error("this is no address of mail, such as zuster@delinde.example")]
    Mail,
    /// A push service that is not on the list of the node.
    #[error("this browser is told by a push service that is not on the list of this node (--push-services)")]
    Service,
    /// The keys of a device are not as RFC 8291 has them.
    #[error("the keys of this device can not be used: register it again")]
    Keys,
    /// It has as many devices as it may.
    #[error("there are {DEVICES_MAX} devices already: take one away first")]
    Devices,
    /// There are as many accounts as there may be.
    #[error("this node tells {ACCOUNTS_MAX} accounts and can not tell more")]
    Full,
    /// This node tells nobody.
    #[error("this node keeps no addresses: it tells nobody")]
    Nowhere,
    /// It can not be written.
    #[error("{}: it can not be written: nothing was changed", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

/// Who wants to be told.
pub struct Book {
    /// `None`: nothing is kept.
    path: Option<PathBuf>,
    services: Option<PushServices>,
    accounts: Mutex<BTreeMap<String, Reached>>,
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Book {
    pub(crate) fn open(path: &Path, services: Option<PushServices>) -> Result<Self, NotifierError> {
        let unusable = |source| NotifierError::File { path: path.to_owned(), source };
        let accounts = match file::read(path).map_err(unusable)? {
            None => BTreeMap::new(),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| NotifierError::Unfit {
                path: path.to_owned(),
                what: "it is not the file of who wants to be told",
                then: "everybody registers anew",
            })?,
        };
        Ok(Self { path: Some(path.to_owned()), services, accounts: Mutex::new(accounts) })
    }

    pub(crate) fn nowhere() -> Self {
        Self { path: None, services: None, accounts: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Reached>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where this account is told.
    #[must_use]
    pub fn of(&self, account: &str) -> Reached {
        self.lock().get(account).cloned().unwrap_or_default()
    }

    /// Everybody for whom `wanted` says so.
    pub(crate) fn those(&self, wanted: impl Fn(&str) -> bool) -> Vec<Reached> {
        // Asked without the lock: whoever answers reads files.
        let all: Vec<(String, Reached)> =
            self.lock().iter().map(|(name, reached)| (name.clone(), reached.clone())).collect();
        all.into_iter().filter(|(name, _)| wanted(name)).map(|(_, reached)| reached).collect()
    }

    /// Sets or takes away the address of mail of an account.
    ///
    /// # Errors
    /// It is no address, or can not be written down.
    pub fn set_mail(&self, account: &str, mail: Option<&str>, lang: Lang) -> Result<(), BookError> {
        let mail = match mail.map(str::trim).filter(|mail| !mail.is_empty()) {
            None => None,
            Some(mail)
                if mail.len() <= MAIL_BYTES_MAX
                    && mail.parse().is_ok_and(|address| is_out_there(&address)) =>
            {
                Some(mail.to_owned())
            }
            Some(_) => return Err(BookError::Mail),
        };
        self.change(|accounts| {
            let reached = accounts.entry(account.to_owned()).or_default();
            (reached.mail, reached.lang) = (mail, lang);
            Ok(())
        })
    }

    /// Adds a device of an account. One that was another's goes with its browser; one that is there has its keys renewed.
    ///
    /// # Errors
    /// Its service is not on the list, its keys are not right, there are too many, or it can not be written down.
    pub fn add_device(&self, account: &str, new: NewDevice, now: Timestamp) -> Result<(), BookError> {
        let NewDevice { endpoint, key, auth, name, lang } = new;
        if !self.services.as_ref().is_some_and(|services| services.allow(&endpoint)) {
            return Err(BookError::Service);
        }
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let point = bytes(&key).is_some_and(|key| key.len() == 65 && key.first() == Some(&4));
        if !point || bytes(&auth).is_none_or(|auth| auth.len() != 16) {
            return Err(BookError::Keys);
        }
        let name = name.chars().filter(|letter| !letter.is_control()).take(NAME_CHARS_MAX).collect();
        let device = Device { id: id(&endpoint), name, added_at: now, lang, endpoint, key, auth };
        self.change(|accounts| {
            without(accounts, &device.endpoint);
            let reached = accounts.entry(account.to_owned()).or_default();
            if reached.devices.len() >= DEVICES_MAX {
                return Err(BookError::Devices);
            }
            reached.devices.push(device);
            Ok(())
        })
    }

    /// Takes a device of an account away; nothing happens if it is not there.
    ///
    /// # Errors
    /// It can not be written down.
    pub fn remove_device(&self, account: &str, device: &str) -> Result<(), BookError> {
        self.change(|accounts| {
            if let Some(reached) = accounts.get_mut(account) {
                reached.devices.retain(|known| known.id != device);
            }
            Ok(())
        })
    }

    /// Takes away what a push service no longer knows.
    pub(crate) fn gone(&self, endpoint: &str) -> Result<(), BookError> {
        self.change(|accounts| {
            without(accounts, endpoint);
            Ok(())
        })
    }

    /// Changes it in memory and in the file, or in neither.
    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Reached>) -> Result<(), BookError>,
    ) -> Result<(), BookError> {
        let path = self.path.as_ref().ok_or(BookError::Nowhere)?;
        let mut kept = self.lock();
        let mut accounts = kept.clone();
        change(&mut accounts)?;
        accounts.retain(|_, reached| !reached.is_empty());
        if accounts.len() > ACCOUNTS_MAX {
            return Err(BookError::Full);
        }
        if accounts == *kept {
            return Ok(());
        }
        let unwritten = |source| BookError::File { path: path.clone(), source };
        let text =
            serde_json::to_vec_pretty(&accounts).map_err(|error| unwritten(io::Error::other(error)))?;
        file::write(path, &text).map_err(unwritten)?;
        *kept = accounts;
        Ok(())
    }
}

fn without(accounts: &mut BTreeMap<String, Reached>, endpoint: &str) {
    for reached in accounts.values_mut() {
        reached.devices.retain(|known| known.endpoint != endpoint);
    }
}

fn id(endpoint: &str) -> String {
    let hash = digest(&SHA256, endpoint.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..9).unwrap_or_default())
}

/// Whether an address is somebody's on the internet: not of this machine, of a network of its own, or without a name.
fn is_out_there(address: &Address) -> bool {
    let domain = address.domain().to_ascii_lowercase();
    let Some((_, last)) = domain.rsplit_once('.') else { return false };
    !domain.starts_with('[')
        && last.starts_with(|letter: char| letter.is_ascii_lowercase())
        && !matches!(last, "localhost" | "local" | "internal" | "invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_772_449_200_000_000);

    fn device(number: usize) -> NewDevice {
        let mut key = [7; 65];
        key[0] = 4;
        NewDevice {
            endpoint: format!("https://fcm.googleapis.com/fcm/send/{number}"),
            key: URL_SAFE_NO_PAD.encode(key),
            auth: URL_SAFE_NO_PAD.encode([1; 16]),
            name: "Firefox op Android".to_owned(),
            lang: Lang::Nl,
        }
    }

    fn book(folder: &tempfile::TempDir) -> Book {
        Book::open(&folder.path().join("reached.json"), Some(PushServices::default())).unwrap()
    }

    #[test]
    fn what_was_written_down_is_there_after_a_restart_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let first = book(&folder);
        first.set_mail("linde", Some(" zuster@delinde.example "), Lang::En).unwrap();
        first.add_device("linde", device(1), NOW).unwrap();
        let again = book(&folder);
        assert_eq!(again.of("linde"), first.of("linde"));
        assert_eq!(again.of("linde").mail.as_deref(), Some("zuster@delinde.example"));
        assert_eq!(again.of("eik"), Reached::default());
        let file = folder.path().join("reached.json");
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        again.set_mail("linde", Some(""), Lang::En).unwrap();
        again.remove_device("linde", &first.of("linde").devices[0].id).unwrap();
        assert_eq!(book(&folder).of("linde"), Reached::default());
        let said = format!("{:?} {:?}", first.of("linde").devices, device(1));
        assert!(!said.contains("fcm"), "{said}");
    }

    #[test]
    fn what_is_no_address_and_no_device_is_not_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let book = book(&folder);
        for bad in [
            "linde",
            "a@localhost",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@node.local",
            "a@b@c",
            "a@b.nl\r\nBcc: x@y.nl",
            "a@b.nl, c@d.nl",
            &format!("{}@b.nl", "a".repeat(300)),
        ] {
            assert!(matches!(book.set_mail("linde", Some(bad), Lang::Nl), Err(BookError::Mail)), "{bad}");
        }
        let elsewhere = NewDevice { endpoint: "https://127.0.0.1/x".to_owned(), ..device(1) };
        assert!(matches!(book.add_device("linde", elsewhere, NOW), Err(BookError::Service)));
        let short = NewDevice { auth: "AAAA".to_owned(), ..device(1) };
        assert!(matches!(book.add_device("linde", short, NOW), Err(BookError::Keys)));
        for number in 0..DEVICES_MAX {
            book.add_device("linde", device(number), NOW).unwrap();
        }
        assert!(matches!(book.add_device("linde", device(99), NOW), Err(BookError::Devices)));
        book.add_device("linde", device(3), NOW).unwrap();
        assert_eq!(book.of("linde").devices.len(), DEVICES_MAX);
        assert!(matches!(
            Book::nowhere().set_mail("linde", Some("a@b.nl"), Lang::Nl),
            Err(BookError::Nowhere)
        ));
    }

    #[test]
    fn a_browser_tells_whoever_registered_it_last() {
        let folder = tempfile::tempdir().unwrap();
        let book = book(&folder);
        book.add_device("dag", device(1), NOW).unwrap();
        book.add_device("nacht", device(1), NOW).unwrap();
        assert_eq!((book.of("dag").devices.len(), book.of("nacht").devices.len()), (0, 1));
    }
}
