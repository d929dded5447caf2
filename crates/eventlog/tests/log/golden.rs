//! Format 1, byte for byte: a log written today must be what was written when the format was settled, and a log from
//! then must be read for ever.
//!
//! The file in `tests/golden` is never made again: other bytes are another format, with a number of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use eventlog::{Batch, Key, LogReader, Options, Query};

use crate::support::*;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format-1.seg")
}

fn options() -> Options {
    Options { storage: Arc::new(PlainDisk::default()), ..large() }
}

async fn write(dir: &Path) -> Vec<u8> {
    let (log, _) = open(dir, options());
    append(&log, vec![plain(1)]).await;
    let records = vec![plain(2), record(3, "bed.taken", &[]), plain(4)];
    log.append(Batch { records, condition: None, origin: Bytes::from_static(b"mailbox 7") }).await.unwrap();
    let mut unusual = record(5, "ontruimd \u{2013} één bed", &["ward:é", ""]);
    unusual.bytes = Bytes::new();
    unusual.occurred_at = -1;
    append(&log, vec![unusual]).await;
    log.close().await;
    let bytes = fs::read(&segment_files(dir)[0]).unwrap();
    bytes[..written(&bytes)].to_vec()
}

#[tokio::test]
async fn format_1_is_written_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let made = write(dir.path()).await;
    assert!(made == fs::read(golden()).unwrap(), "the bytes of format 1 have changed");
}

#[tokio::test]
async fn a_log_of_format_1_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let segment = dir.path().join("segments/00000000000000000001.seg");
    fs::create_dir_all(segment.parent().unwrap()).unwrap();
    fs::copy(golden(), &segment).unwrap();
    let reader = LogReader::open(dir.path()).unwrap();
    let report = reader.verify(.., &mut |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.records, report.commits), (5, 3));
    let read = reader.read(Query::default()).collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(as_new(&read[2]), record(3, "bed.taken", &[]));
    assert_eq!(&*read[4].kind, "ontruimd \u{2013} één bed");
    assert_eq!((read[4].occurred_at, read[4].recorded_at, read[4].bytes.len()), (-1, NOON, 0));
    let (first, second) = read[0].leaf.split_at(16);
    let leaf = [first, second].map(|half| Key(half.try_into().unwrap()).to_string()).concat();
    assert_eq!(leaf, LEAF_OF_1);
    drop(reader);
    let (log, opened) = open(dir.path(), large());
    assert_eq!((opened.head.position, opened.epoch), (5, 2));
    assert_eq!(append(&log, vec![plain(4), plain(6)]).await.positions, [4, 6]);
}

/// SHA-256 over 0x00, position, recorded-at, occurred-at, key, type, source, content type, tags, content; computed
/// by other means than this crate.
const LEAF_OF_1: &str = "207beb3a09f217134815a87de9211c0fda28753d29afcd64080b53aa5ad94ffe";
