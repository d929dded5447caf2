//! Why a view can not be run or asked for.
//!
//! Not here: odd snapshots and undecodable events; those are told in the log of the process and do not stop a view.

use std::path::PathBuf;

use eventlog::ReadError;

/// Why a view can not be run or asked for.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// The log could not be read.
    #[error("the view could not be folded: the log could not be read after position {after}")]
    Read {
        /// The last position that was folded.
        after: u64,
        /// What the log said.
        #[source]
        source: ReadError,
    },
    /// Another projector uses the snapshots.
    #[error("the snapshots in {} are in use by another process; stop it first or give this view another folder", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// No snapshots can be kept there.
    #[error("no snapshots can be kept in {}: {reason}; make the folder writable or name another", dir.display())]
    Snapshots {
        /// The folder.
        dir: PathBuf,
        /// What the store or the system said.
        reason: String,
    },
    /// Started outside an async runtime.
    #[error("a projector must be started inside a tokio runtime")]
    NoRuntime,
}
