//! An append-only, tamper-evident event log. Bytes in, bytes out; it does not know what they mean.
//!
//! - [`EventLog::append`] returns when every byte of a batch is on stable storage; a batch is all or nothing.
//! - Positions are 1, 2, 3 …; readers see durable records only, in that order.
//! - A [`Key`] is recorded once: the same key with the same bytes gives the first position, with other bytes a
//!   conflict. An [`AppendCondition`] is checked and the batch appended as one step.
//! - After a crash the log opens with everything that was acknowledged. Only the last write can be torn: it is cut and
//!   kept aside. Damage anywhere else is an error that names file and offset, and nothing is changed.
//! - Segment files are the only truth. Indexes and the catalogue are derived: without them opening takes longer.
//!
//! ```text
//! <dir>/segments/<first position>.seg   the log            frame, segment
//! <dir>/segments/<first position>.arc   in its place, where it was archived to   archive, seekable
//! <dir>/segments/<first position>.idx   derived            index, seal, paged
//! <dir>/head                            a lower bound      head_file
//! <dir>/torn/, <dir>/damaged/           what was cut, what was mended   recover, repair
//! <dir>/catalogue/                      derived (sled)     catalogue
//! <dir>/lock                            one writer         lock
//! <dir>/proof/                          signed heads; tiles (derived)   proof
//! ```
//!
//! Not here: what the records mean.

mod ahead;
mod archive;
mod backup;
mod catalogue;
mod codec;
mod core;
mod decide;
mod error;
mod follow;
mod frame;
mod group;
mod head_file;
mod index;
mod keeper;
mod lock;
mod log;
mod memory;
mod origins;
mod paged;
mod part;
mod postings;
mod prepared;
mod proof;
mod query;
mod reader;
mod rebuild;
mod record;
mod recover;
mod repair;
mod scan;
mod scrub;
mod seal;
mod seekable;
mod segment;
mod storage;
mod subscribe;
mod sync;
mod verify;
mod writer;

pub use archive::{ArchiveError, ArchiveOrder, ArchiveReport, Archived, archive, archive_with};
pub use backup::{BackupError, BackupReport, restore};
pub use catalogue::Cursors;
pub use error::{AppendError, CursorError, OpenError, ReadError};
pub use log::{EventLog, Options, Pending, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
pub use origins::{Origin, Origins};
pub use proof::{
    ConsistencyProof, HeadsReport, InclusionProof, KeyKind, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, Note,
    NoteError, NoteSignature, PROOF_BYTES_MAX, ProofError, ProofFile, ProofFileError, Proven, SignedHead,
    Signer, TreeHead, Verified, VerifierKey,
};
pub use query::Records;
pub use reader::LogReader;
pub use record::{
    AppendCondition, Appended, BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, Direction, Head, Key,
    NAME_BYTES_MAX, NewRecord, ORIGIN_BYTES_MAX, QUERY_ITEMS_MAX, Query, QueryItem, RECORD_BYTES_MAX, Record,
    TAGS_MAX,
};
pub use recover::{RecoveryReport, Torn};
pub use repair::{RepairError, RepairReport, Repaired, repair, repair_with};
pub use storage::{Clock, Disk, Storage, StorageFile, SystemClock};
pub use subscribe::Subscription;
pub use verify::{FINDINGS_MAX, Finding, Progress, VerifyReport};

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
