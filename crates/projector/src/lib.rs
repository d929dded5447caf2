//! Runs views over the log: catch-up, then live without a gap; snapshots; rebuild; as of a position.
//!
//! [`start`] runs one view on a thread of its own and gives a [`Handle`] to read it and a [`Task`] to stop it.
//! [`as_of`] folds a view up to a position. Here: `run` (the way of the records into the view), `fold` (a record
//! becomes an event), `snapshot` (sled), `handle`.
//! Not here: what a view makes of an event (`views`), what goes out of a view (`gateway`, `portal`).
//!
//! Invariants: a view is a function of the log alone, so a snapshot with what came after equals a fold from zero;
//! snapshots never lead: whatever is odd about them, they are moved aside and the log is folded again.

mod error;
mod fold;
mod handle;
mod run;
mod snapshot;

use std::path::PathBuf;

pub use error::ProjectorError;
pub use fold::as_of;
pub use handle::{CHANGED_BATCHES_MAX, Changed, Handle, Standing};
pub use run::{FOLD_RECORDS_MAX, Task, start, start_prepared};

/// Where and how often a view is kept.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of its snapshots, used by this view and this process alone. It may be deleted at any time: that
    /// costs a fold from zero at the next start.
    pub snapshots: PathBuf,
    /// Keep a snapshot every so many records (at least 1), and at shutdown.
    pub snapshot_every: u64,
}
