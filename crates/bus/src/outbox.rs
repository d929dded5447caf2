//! What a sender has to say, kept on its own disk until the recorder has said what became of it.
//!
//! Events are appended durably before anything is sent, in event logs of the outbox's own, and so are the receipts that
//! end them. Whatever happens in between, kill -9 or days without a broker, the outbox opens again with everything that
//! has no receipt, and goes on in the old order; what was sent and not yet ended goes again, and the recorder knows what
//! it has. A full outbox makes [`Outbox::push`] wait: it never drops.
//!
//! ```text
//! <dir>/lock            one process
//! <dir>/00000001/       a generation: an event log of events, receipts and what was asked for again
//! <dir>/00000002/       the next, when that has an eighth of the bytes
//! ```
//!
//! A generation goes when everything in it has its receipt and the window is over in which the recorder may ask for it
//! again, or earlier when room is needed. Not here: how events are sent (`sender`).

mod book;
mod entry;
mod feed;
mod run;
mod store;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use contracts::Receipt;
use domain::RegionId;
use network::SenderName;

use crate::alarm::Alarms;
use crate::sender::{Outgoing, SenderConfig};
use store::Store;

/// The least an outbox holds, in bytes: room for a largest record beside another.
pub const OUTBOX_BYTES_MIN: u64 = 2 * 1024 * 1024;

/// How much an outbox keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Bytes of all that it keeps, sent or not, held to [`OUTBOX_BYTES_MIN`] at least; receipts come on top. When half
    /// of it waits for receipts an alarm is raised, when it is full `push` waits.
    pub bytes: u64,
    /// How long what has its receipt is kept, to be sent again if the recorder asks for it. What makes room for new
    /// events goes earlier.
    pub keep: Duration,
}

impl Default for OutboxLimits {
    /// 256 MiB (half a million events) and 7 days: as long as a mailbox keeps what is recorded.
    fn default() -> Self {
        Self { bytes: 256 * 1024 * 1024, keep: Duration::from_hours(7 * 24) }
    }
}

/// Where an event is in its outbox. Later events have greater places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub(crate) generation: u64,
    pub(crate) position: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.generation, self.position)
    }
}

/// What became of one event.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which, as [`Outbox::push`] said.
    pub place: Place,
    /// The region it was sent in.
    pub region: RegionId,
    /// Who sent it.
    pub sender: SenderName,
    /// The receipt, or why no door takes it. Either is the last word, unless it is sent again because somebody asked.
    pub outcome: Result<Receipt, String>,
}

/// The outbox can not go on. What is in it stays.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// Another process has it open.
    #[error("the outbox {} is in use by another program; end that, or give another folder", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// The system refuses a file.
    #[error("{doing} {} failed", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A log of the outbox does not open.
    #[error("the part {} of the outbox does not open", dir.display())]
    Open {
        /// Its folder.
        dir: PathBuf,
        /// What the log says.
        #[source]
        source: eventlog::OpenError,
    },
    /// A log of the outbox can not be read.
    #[error("the part {} of the outbox can not be read", dir.display())]
    Unreadable {
        /// Its folder.
        dir: PathBuf,
        /// What the log says.
        #[source]
        source: eventlog::ReadError,
    },
    /// A record of the outbox is none.
    #[error(
        "record {place} of the outbox is none that this program wrote; it may be newer: use the newer program"
    )]
    Record {
        /// Which.
        place: Place,
    },
    /// Nothing more can be put in.
    #[error("the outbox takes no more; see to the disk and open it again")]
    Append(#[source] eventlog::AppendError),
    /// More than any broker takes or the outbox keeps.
    #[error("an event of {bytes} bytes is not kept: at most {max} are taken, and at most 65536 can be sent")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What the outbox keeps.
        max: usize,
    },
    /// A task of the outbox ended badly: a defect.
    #[error("a task of the outbox ended badly")]
    Task(#[from] tokio::task::JoinError),
}

/// An open outbox. Clones share it.
#[derive(Clone, Debug)]
pub struct Outbox {
    store: Arc<Store>,
}

impl Outbox {
    /// Opens the outbox in `dir`, and makes it if there is none. Blocks while it reads what is kept. Its alarms:
    /// `outbox_half_full`, `outbox_full`, `unsendable`, `shut_out`.
    ///
    /// # Errors
    /// When another process has it open, or it can not be read.
    pub fn open(dir: &Path, limits: OutboxLimits, alarms: Alarms) -> Result<Self, OutboxError> {
        let bytes = limits.bytes.max(OUTBOX_BYTES_MIN);
        let store = Store::open(dir, OutboxLimits { bytes, ..limits }, alarms)?;
        Ok(Self { store: Arc::new(store) })
    }

    /// Puts an event behind all others; returns when it is on stable storage, with its place. Waits while the outbox
    /// is full. If this is dropped before, the event is in the outbox, or it is not.
    ///
    /// # Errors
    /// When the event is larger than anything that is kept, or the disk fails.
    pub async fn push(&self, event: Outgoing) -> Result<Place, OutboxError> {
        let places = self.push_all(vec![event]).await?;
        // One event has one place.
        Ok(places.first().copied().unwrap_or(Place { generation: 0, position: 0 }))
    }

    /// Puts events behind all others, in their order, with few syncs of the disk; else as [`Outbox::push`].
    ///
    /// # Errors
    /// As [`Outbox::push`]. Those before the one that failed are kept.
    pub async fn push_all(&self, events: Vec<Outgoing>) -> Result<Vec<Place>, OutboxError> {
        store::push_all(&self.store, events).await
    }

    /// Events that have no receipt yet.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.store.book().waiting()
    }

    /// The last event that has no receipt yet: what is put in from now on is behind it.
    #[must_use]
    pub fn last_waiting(&self) -> Option<Place> {
        self.store.book().last_waiting()
    }

    /// Bytes of all that is kept, with and without receipt.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.store.book().bytes()
    }

    /// Events that wait and are passed over for now, and why: their sender has no key that lets it in. They are tried
    /// again from time to time, in their order.
    #[must_use]
    pub fn held(&self) -> Vec<(Place, Arc<str>)> {
        let book = self.store.book();
        book.held().iter().map(|(place, why)| (*place, Arc::clone(why))).collect()
    }

    /// Waits until everything has its receipt, but for what is [held](Outbox::held).
    pub async fn settled(&self) {
        let mut moved = self.store.moved();
        while !self.store.book().is_settled() {
            // An error would say that the outbox is gone, which it is not while this is here.
            let _moved = moved.changed().await;
        }
    }

    /// Sends everything again that is still kept, as if nobody had ever answered; also after a restart.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn send_again(&self) -> Result<(), OutboxError> {
        store::send_again(&self.store, None, 0).await
    }

    /// Sends what waits, in its order, and tells what became of each; also what is pushed meanwhile, and again what
    /// the recorder asks for. Never gives up, and so never ends but by an error or by being dropped; nothing is lost by
    /// that. A second call waits until the first has ended.
    ///
    /// # Errors
    /// When the outbox can not be read or written.
    pub async fn send<F: FnMut(Told)>(&self, config: SenderConfig, told: F) -> Result<(), OutboxError> {
        run::send(&self.store, config, told).await
    }

    /// Ends writing and lets go of the folder. What waits is sent after the next open.
    pub async fn close(self) {
        self.store.close().await;
    }
}
