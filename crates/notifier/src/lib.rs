//! Tells people that there is something for them: by push on their devices, then by mail, and never what it is.
//!
//! Here: `ladder` (what is due, pure), `book` (who wants to be told, and where), `push` (RFC 8030, 8188, 8291, 8292), `mail`
//! (SMTP), `run` (looking, remembering, sending). Not here: the last rung, "call now", which is work of the desk
//! (`domain::queries`); who works where ([`Directory`], the portal).
//!
//! Invariant: nobody is told twice in one way of one thing, over restarts (test: `who_was_told_is_not_told_again_after_a_restart`).
//! Invariant: what leaves the node says nothing but that there is something
//! (test: `a_mail_and_a_push_say_the_same_few_words_and_nothing_of_whom_or_where`).

mod book;
mod file;
pub mod ladder;
mod mail;
mod push;
mod run;
mod services;

use std::io;
use std::path::{Path, PathBuf};

use domain::Timestamp;
use serde::{Deserialize, Serialize};

pub use book::{ACCOUNTS_MAX, Book, BookError, DEVICES_MAX, Device, NewDevice, Reached};
pub use ladder::Recipient;
pub use mail::{MailError, MailSetup};
pub use run::{LOOK_AGAIN_AFTER_MAX, LOOK_EVERY_MIN, TOLD_MAX};
pub use services::{PushServices, ServicesError};

/// The language somebody is told in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lang {
    /// Dutch.
    #[default]
    Nl,
    /// English.
    En,
}

impl Lang {
    /// All that is ever said.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Nl => "Er is iets voor u in Doorstroom",
            Self::En => "There is something for you in Doorstroom",
        }
    }
}

/// Knows who works where.
pub trait Directory: Send + Sync {
    /// Whether this account is of somebody who answers for this recipient at this moment. One that is not valid answers for
    /// nobody.
    fn answers_for(&self, account: &str, recipient: &Recipient, at: Timestamp) -> bool;
}

/// Which ways a node has.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Mail, if it has a server for it.
    pub mail: Option<MailSetup>,
    /// Push, if it may reach the services of the browsers.
    pub push: Option<PushSetup>,
}

/// How it pushes.
#[derive(Clone, Debug)]
pub struct PushSetup {
    /// The services it may reach.
    pub services: PushServices,
    /// Whom they may write to when something is wrong: an address of mail.
    pub contact: String,
}

/// Nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    /// A file can not be read or written.
    #[error("{}: it can not be read or written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {what}; take it away, then {then}", path.display())]
    Unfit {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
        /// What comes of that.
        then: &'static str,
    },
    /// The mail server or the sender are not right.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The machine has no random numbers.
    #[error("no key could be made: the machine gives no random numbers")]
    Random,
}

/// Tells people. Cheap to share.
#[derive(Clone, Debug)]
pub struct Notifier {
    shared: std::sync::Arc<run::Shared>,
}

impl Notifier {
    /// The notifier that keeps its files in this folder.
    ///
    /// # Errors
    /// One of them is there and can not be used, or the setup is not right.
    pub fn open(folder: &Path, setup: Setup) -> Result<Self, NotifierError> {
        Ok(Self { shared: std::sync::Arc::new(run::Shared::open(folder, setup)?) })
    }

    /// One that tells nobody and keeps nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { shared: std::sync::Arc::new(run::Shared::nothing()) }
    }

    /// Who wants to be told, and where.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.shared.book
    }

    /// The key that a browser registers with (RFC 8292: an uncompressed point of P-256 in base64url); `None` without push.
    #[must_use]
    pub fn push_key(&self) -> Option<&str> {
        self.shared.push.as_deref().map(push::Push::public_key)
    }

    /// Whether it sends mail.
    #[must_use]
    pub fn mails(&self) -> bool {
        self.shared.mail.is_some()
    }
}
