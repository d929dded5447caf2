//! What can keep an audit from being done. What an audit finds wrong is a finding of its report, not an error.

use std::io;

use eventlog::{
    ArchiveError, BackupError, NoteError, OpenError, ProofError, ProofFileError, ReadError, RepairError,
};
use projector::ProjectorError;

/// An audit could not be done.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log could not be copied.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The log could not be mended.
    #[error(transparent)]
    Repair(#[from] RepairError),
    /// The log could not be archived.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A proof could not be made.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A proof file proves nothing.
    #[error(transparent)]
    ProofFile(#[from] ProofFileError),
    /// A text is no signed head or no key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The proof is about another head than the one that is held.
    #[error(
        "the proof is made for another head, of {size} positions, than the one given; ask for one made for yours \
         (audit proof POSITION --head FILE)"
    )]
    OtherHead {
        /// Positions in the head of the proof.
        size: u64,
    },
    /// Nobody known has signed the head of a proof.
    #[error("nobody vouches for the head in the proof; give the key of the log, or a head that you hold")]
    NobodyVouches,
    /// The log could not be folded.
    #[error("the board at position {position} could not be made")]
    Fold {
        /// Up to where the log was folded.
        position: u64,
        /// Why not.
        #[source]
        source: ProjectorError,
    },
    /// A position that is not there yet.
    #[error(
        "position {position} is not recorded: the log ends at position {head}; ask for that one or an earlier one"
    )]
    BeyondHead {
        /// The position asked for.
        position: u64,
        /// The last position.
        head: u64,
    },
    /// A type no record can have.
    #[error("{name} is no event type; name one such as bed.freed, or log.quarantined or log.conflict")]
    UnknownType {
        /// The type asked for.
        name: String,
    },
    /// What was replayed could not be written out.
    #[error("the replayed events could not be written out at position {position}")]
    Output {
        /// The record that was being written.
        position: u64,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}
