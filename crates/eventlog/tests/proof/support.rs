//! What these tests share: a log with a key, records, and verifiers by other people.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
};

use bytes::Bytes;
use eventlog::{
    Batch, Clock, EventLog, Key, NewRecord, OpenError, Options, RecoveryReport, SEGMENT_BYTES_MIN,
    SignedHead, Signer,
};
use signed_note::{Note, StandardVerifier, VerifierList};

/// A clock that stands still, so that equal records get equal times.
#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> i64 {
        1_790_000_000_000_000
    }
}

pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) fn signer() -> Signer {
    Signer::from_seed(&SEED)
}

/// Small segments, so that a few records fill several; with the key.
pub(crate) fn signing() -> Options {
    Options { signer: Some(signer()), ..plain() }
}

/// Without a key.
pub(crate) fn plain() -> Options {
    Options { segment_bytes: 16 * SEGMENT_BYTES_MIN, catalogue: false, ..Options::new(Arc::new(Noon)) }
}

pub(crate) fn open(dir: &Path, options: Options) -> (EventLog, RecoveryReport) {
    EventLog::open(dir, options).unwrap()
}

pub(crate) fn refused(dir: &Path, options: Options) -> OpenError {
    EventLog::open(dir, options).unwrap_err()
}

pub(crate) fn record(number: u64) -> NewRecord {
    let mut key = [0; 16];
    key[8..].copy_from_slice(&number.to_be_bytes());
    NewRecord {
        key: Key(key),
        kind: "bed.freed".into(),
        tags: vec![format!("bed:{}", number % 7).into()],
        occurred_at: i64::try_from(number).unwrap(),
        source: "urn:test".into(),
        content_type: "text/plain".into(),
        bytes: Bytes::from(format!("content of {number}")),
    }
}

/// Appends these records, so many to a batch.
pub(crate) async fn append(log: &EventLog, numbers: std::ops::RangeInclusive<u64>, batch: usize) {
    let records = numbers.map(record).collect::<Vec<_>>();
    for records in records.chunks(batch) {
        log.append(Batch { records: records.to_vec(), ..Batch::default() }).await.unwrap();
    }
}

pub(crate) fn checkpoint(dir: &Path) -> PathBuf {
    dir.join("proof/checkpoint")
}

pub(crate) fn stored_head(dir: &Path) -> SignedHead {
    SignedHead::from_str(&fs::read_to_string(checkpoint(dir)).unwrap()).unwrap()
}

/// The root of a head, after people who are not us have checked its form and its signature.
pub(crate) fn root_by_others(head: &SignedHead, verifier_key: &str) -> (u64, tlog_tiles::Hash) {
    let note = Note::from_bytes(head.to_string().as_bytes()).unwrap();
    let verifier = StandardVerifier::new(verifier_key).unwrap();
    let (good, _) = note.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!(good.len(), 1);
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(checkpoint.origin(), head.origin());
    (checkpoint.size(), *checkpoint.hash())
}
