//! Where batches came from, read back from the commit records.

use bytes::Bytes;
use eventlog::{Batch, EventLog, LogReader, Origin, ReadError};

use crate::support::*;

/// Batches of growing size, each with the number of its first record as its origin, partly in common groups.
async fn filled(log: &EventLog) -> Vec<Origin> {
    let (mut expected, mut pending, mut first) = (Vec::new(), Vec::new(), 1_u64);
    for size in (1..=12_u64).cycle().take(40) {
        let last = first + size - 1;
        let origin = Bytes::from(format!("mailbox {first}"));
        let records = (first..=last).map(plain).collect();
        pending.push(log.enqueue(Batch { records, condition: None, origin: origin.clone() }).await.unwrap());
        expected.push(Origin { first, last, origin });
        first = last + 1;
        if pending.len() == 3 {
            for pending in pending.drain(..) {
                pending.await.unwrap();
            }
        }
    }
    for pending in pending {
        pending.await.unwrap();
    }
    expected
}

#[tokio::test]
async fn origins_name_every_batch_after_a_position_whatever_group_or_segment_it_is_in() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    assert_eq!(log.reader().origins(0).count(), 0, "an empty log");
    let mut expected = filled(&log).await;
    // Nothing of this is new, so it has no commit record.
    let known = Batch { records: vec![plain(1)], condition: None, origin: Bytes::from_static(b"again") };
    assert_eq!(log.append(known).await.unwrap().duplicates, [true]);
    // One of two is new.
    let records = vec![plain(2), plain(9_999)];
    let origin = Bytes::from_static(b"half");
    log.append(Batch { records, condition: None, origin: origin.clone() }).await.unwrap();
    expected.push(Origin { first: log.head().position, last: log.head().position, origin });
    // Nor does what is known stand in the commit record of others that wait beside it.
    for round in 0..20 {
        let origin = Bytes::from_static(b"new");
        let mut pending = Vec::new();
        for number in [10_000 + 2 * round, 1, 10_001 + 2 * round] {
            let batch = Batch { records: vec![plain(number)], condition: None, origin: origin.clone() };
            pending.push(log.enqueue(batch).await.unwrap());
        }
        for pending in pending {
            pending.await.unwrap();
        }
        for first in [log.head().position - 1, log.head().position] {
            expected.push(Origin { first, last: first, origin: origin.clone() });
        }
    }
    let last = log.head().position;
    assert!(segment_files(dir.path()).len() > 3, "the test is about several segments");
    let check = |reader: &LogReader| {
        for after in 0..=last + 1 {
            let found = reader.origins(after).collect::<Result<Vec<_>, _>>().unwrap();
            let after = expected.iter().filter(|batch| batch.last > after).cloned().collect::<Vec<_>>();
            assert_eq!(found, after);
        }
        assert_eq!(reader.origins(u64::MAX).count(), 0);
    };
    check(&log.reader());
    log.close().await;
    check(&LogReader::open(dir.path()).unwrap());
}

#[tokio::test]
async fn origins_end_with_the_damage_they_meet() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), large());
    let expected = filled(&log).await;
    let reader = log.reader();
    let file = segment_files(dir.path()).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let origin = expected[30].origin.clone();
    let at = bytes.windows(origin.len()).position(|window| window == origin).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let mut found = reader.origins(0).collect::<Vec<_>>();
    assert!(matches!(found.pop(), Some(Err(ReadError::Damaged { .. }))));
    assert!(found.iter().all(Result::is_ok));
    assert!(found.len() <= 30);
}
