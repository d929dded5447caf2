//! The promises of the log, one test each or more.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use eventlog::{
    AppendCondition, AppendError, BATCH_RECORDS_MAX, Batch, CursorError, EventLog, Head, LogReader,
    OpenError, Options, Query, RECORD_BYTES_MAX, ReadError,
};

use crate::support::*;

fn conditional(number: u64, fail_if: Vec<eventlog::QueryItem>, after: u64) -> Batch {
    let condition = Some(AppendCondition { fail_if, after });
    Batch { records: vec![plain(number)], condition, origin: Bytes::new() }
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_files_before_anything_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(&dir.path().join("a"), small());
    for number in 1..=60 {
        append(&log, vec![plain(number)]).await;
        if number % 20 == 0 {
            let crashed = dir.path().join(format!("crash-{number}"));
            copy(&dir.path().join("a/segments"), &crashed.join("segments"));
            let (again, report) = open(&crashed, small());
            assert_eq!(report.head.position, number);
            let read = everything(&again.reader());
            assert_eq!(
                read.iter().map(as_new).collect::<Vec<_>>(),
                (1..=number).map(plain).collect::<Vec<_>>()
            );
        }
    }
}

#[tokio::test]
async fn positions_are_dense_over_segments_batches_and_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut next = 1;
    for round in 1..=4_u64 {
        let (log, report) = open(dir.path(), small());
        assert_eq!((report.head.position, report.epoch), (next - 1, round));
        for size in [1, 3, 17] {
            let appended = append(&log, (next..next + size).map(plain).collect()).await;
            assert_eq!(appended.positions, (next..next + size).collect::<Vec<_>>());
            next += size;
        }
        log.close().await;
    }
    assert!(segment_files(dir.path()).len() > 2, "the test is about several segments");
    let reader = LogReader::open(dir.path()).unwrap();
    assert_eq!(
        everything(&reader).iter().map(|record| record.position).collect::<Vec<_>>(),
        (1..next).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_known_key_gives_the_first_position_and_appends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    append_each(&log, 1..=50).await;
    assert!(segment_files(dir.path()).len() > 1);
    for number in [1, 25, 50] {
        let appended = append(&log, vec![plain(number)]).await;
        assert_eq!((appended.positions, appended.duplicates), (vec![number], vec![true]));
    }
    let mixed = append(&log, vec![plain(3), plain(51), plain(51), plain(50)]).await;
    assert_eq!(mixed.positions, [3, 51, 51, 50]);
    assert_eq!(mixed.duplicates, [true, false, true, true]);
    assert_eq!(log.head().position, 51);
}

#[tokio::test]
async fn a_known_key_with_other_content_is_a_conflict_that_names_the_position_and_appends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    append_each(&log, 1..=50).await;
    let mut other = plain(2);
    other.bytes = Bytes::from_static(b"something else");
    let refused = log.append(Batch { records: vec![plain(51), other.clone()], ..Batch::default() }).await;
    match refused {
        Err(AppendError::Conflict { index: 1, key: found, position: 2 }) => assert_eq!(found, key(2)),
        found => panic!("{found:?}"),
    }
    let mut twin = plain(51);
    twin.bytes = Bytes::from_static(b"twin");
    let refused = log.append(Batch { records: vec![plain(51), twin], ..Batch::default() }).await;
    assert!(matches!(refused, Err(AppendError::Conflict { index: 1, position: 51, .. })), "{refused:?}");
    assert_eq!(log.head().position, 50);
}

#[tokio::test]
async fn batches_of_one_group_are_checked_against_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), large());
    // Everything enqueued before the first is awaited; the writer may take it as one group or as several.
    let mut pending = Vec::new();
    for _ in 0..40 {
        pending.push(log.enqueue(plain(1).into()).await.unwrap());
        pending.push(log.enqueue(conditional(2, vec![item(&[], &["bed:2"])], 0)).await.unwrap());
        let mut other = plain(1);
        other.bytes = Bytes::from_static(b"other");
        pending.push(log.enqueue(other.into()).await.unwrap());
    }
    let mut outcomes = Vec::new();
    for pending in pending {
        outcomes.push(pending.await);
    }
    assert_eq!(log.head().position, 2);
    for (index, outcome) in outcomes.iter().enumerate() {
        match index % 3 {
            2 => assert!(matches!(outcome, Err(AppendError::Conflict { position: 1, .. })), "{outcome:?}"),
            place => {
                let appended = outcome.as_ref().unwrap();
                assert_eq!(appended.positions, [u64::try_from(place).unwrap() + 1]);
                assert_eq!(appended.duplicates, [index >= 3]);
            }
        }
    }
}

#[tokio::test]
async fn a_condition_holds_only_if_nothing_matching_came_after() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    append_each(&log, 1..=70).await;
    let cases = [
        (vec![item(&[], &["bed:3"])], 0, Some(3)),
        (vec![item(&[], &["bed:3"])], 3, Some(10)),
        (vec![item(&[], &["bed:3"])], 66, None),
        (vec![item(&["bed.freed"], &["bed:3", "ward:0"])], 3, Some(24)),
        (vec![item(&["bed.taken"], &[])], 0, None),
        (vec![item(&["bed.taken"], &[]), item(&["bed.freed"], &[])], 12, Some(13)),
        (vec![item(&[], &[])], 69, Some(70)),
        (vec![item(&[], &[])], 1_000, None),
        (vec![item(&[], &["bed:3"])], u64::MAX, None),
        (vec![], 0, None),
    ];
    let (mut number, mut appended) = (1_000, 0);
    for (fail_if, after, expected) in cases {
        number += 7;
        let found = log.append(conditional(number, fail_if.clone(), after)).await;
        match (expected, &found) {
            (Some(position), Err(AppendError::ConditionFailed { position: found })) => {
                assert_eq!(position, *found);
            }
            (None, Ok(_)) => appended += 1,
            _ => panic!("{fail_if:?} after {after}: expected {expected:?}, found {found:?}"),
        }
        assert_eq!(log.head().position, 70 + appended);
    }
}

#[tokio::test]
async fn a_known_batch_is_answered_before_its_condition_is_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    let batch = conditional(1, vec![item(&[], &["bed:1"])], 0);
    assert_eq!(log.append(batch.clone()).await.unwrap().duplicates, [false]);
    assert_eq!(log.append(batch).await.unwrap().duplicates, [true]);
}

#[tokio::test]
async fn an_io_error_stops_the_log_for_good_and_reopening_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let syncs_left = Arc::new(AtomicU32::new(u32::MAX));
    let disk = FailingDisk { syncs_left: Arc::clone(&syncs_left) };
    let (log, _) = open(dir.path(), Options { storage: Arc::new(disk), ..small() });
    append_each(&log, 1..=5).await;
    assert_eq!(log.failure(), None);
    syncs_left.store(0, Ordering::SeqCst);
    let failed = log.append(plain(6).into()).await;
    assert!(matches!(failed, Err(AppendError::Stopped { .. })), "{failed:?}");
    assert!(log.failure().unwrap().contains("the disk says no"));
    assert_eq!(log.head().position, 5, "what was not synced is not served");
    assert_eq!(everything(&log.reader()).len(), 5);
    syncs_left.store(u32::MAX, Ordering::SeqCst);
    let still = log.append(plain(7).into()).await;
    assert!(matches!(still, Err(AppendError::Stopped { .. })), "a sync is never tried again: {still:?}");
    log.close().await;

    let (log, report) = open(dir.path(), small());
    assert!(report.head.position == 5 || report.head.position == 6, "{report:?}");
    let again = append(&log, vec![plain(6)]).await;
    assert_eq!(again.positions, [6]);
    assert_eq!(log.failure(), None);
}

#[tokio::test]
async fn fault_44_a_second_open_for_writing_names_the_holder() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    append_each(&log, 1..=3).await;
    match EventLog::open(dir.path(), small()) {
        Err(error @ OpenError::Locked { .. }) => {
            let text = error.to_string();
            assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(LogReader::open(dir.path()).unwrap().head().position, 3);
    log.close().await;
    open(dir.path(), small());
}

#[tokio::test]
async fn fault_44_a_lock_file_left_behind_is_free_and_the_epoch_goes_up() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("lock"), "process 4000000\nepoch 41\n").unwrap();
    let (_log, report) = open(dir.path(), small());
    assert_eq!(report.epoch, 42);
    assert!(report.created);
}

#[tokio::test]
async fn fault_48_recorded_at_never_goes_back_when_the_clock_does() {
    let dir = tempfile::tempdir().unwrap();
    let clock = StillClock::at(NOON);
    let options = || Options { clock: clock.clone(), ..small() };
    let (log, _) = open(dir.path(), options());
    append_each(&log, 1..=30).await;
    clock.set(NOON - 3_600_000_000);
    assert_eq!(append(&log, vec![plain(31)]).await.recorded_at, [NOON]);
    log.close().await;
    let (log, _) = open(dir.path(), options());
    assert_eq!(append(&log, vec![plain(32)]).await.recorded_at, [NOON]);
    clock.set(NOON + 5);
    assert_eq!(append(&log, vec![plain(33)]).await.recorded_at, [NOON + 5]);
    assert_eq!(append(&log, vec![plain(1)]).await.recorded_at, [NOON]);
    let reader = log.reader();
    let cases = [(NOON - 1, 0), (NOON, 32), (NOON + 4, 32), (NOON + 5, 33), (i64::MAX, 33), (i64::MIN, 0)];
    for (micros, position) in cases {
        assert_eq!(reader.at_time(micros).unwrap(), position, "at {micros}");
    }
}

#[tokio::test]
async fn leaf_hashes_do_not_depend_on_how_records_were_batched() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (single, _) = open(one.path(), small());
    append_each(&single, 1..=400).await;
    let (batched, _) = open(other.path(), large());
    append(&batched, (1..=400).map(plain).collect()).await;
    let written = std::fs::metadata(&segment_files(other.path())[0]).unwrap().len();
    assert!(written > 64 * 1024, "{written} bytes are not more than one piece of a group");
    let leaves =
        |log: &EventLog| everything(&log.reader()).iter().map(|record| record.leaf).collect::<Vec<_>>();
    assert_eq!(leaves(&single), leaves(&batched));
    assert!(batched.reader().verify(.., &mut |_| ()).unwrap().is_sound());
}

#[tokio::test]
async fn limits_are_named_and_nothing_is_appended() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), large());
    let mut big = plain(1);
    big.bytes = vec![0; RECORD_BYTES_MAX + 1].into();
    let mut tagged = plain(1);
    tagged.tags = vec!["x".repeat(257).into()];
    let many = (0..).take(BATCH_RECORDS_MAX + 1).map(plain).collect();
    for records in [vec![big], vec![tagged], many] {
        let refused = log.append(Batch { records, ..Batch::default() }).await;
        assert!(matches!(refused, Err(AppendError::TooLarge { .. })), "{refused:?}");
    }
    assert!(matches!(log.append(Batch::default()).await, Err(AppendError::Empty)));
    assert_eq!(log.head(), Head::default());
    let full = (0..).take(BATCH_RECORDS_MAX).map(plain).collect();
    assert_eq!(append(&log, full).await.positions.len(), BATCH_RECORDS_MAX);
    let mut widest = plain(9_999_999);
    widest.bytes = vec![7; RECORD_BYTES_MAX].into();
    widest.tags = (0..64).map(|tag| format!("{tag:0>256}").into()).collect();
    assert_eq!(append(&log, vec![widest.clone()]).await.duplicates, [false]);
    let last = log.head().position;
    assert_eq!(as_new(&log.reader().record(last).unwrap().unwrap()), widest);
}

#[tokio::test]
async fn a_closed_log_says_so_and_can_still_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    let reader = log.reader();
    let mut subscription = reader.subscribe(Query::default());
    append_each(&log, 1..=3).await;
    let other = log.clone();
    log.close().await;
    assert!(matches!(other.append(plain(4).into()).await, Err(AppendError::Closed)));
    assert_eq!(everything(&reader).len(), 3);
    assert_eq!(subscription.next_batch(10).await.unwrap().len(), 3);
    assert!(matches!(subscription.next().await, Err(ReadError::Closed)));
}

#[tokio::test]
async fn cursors_come_back_and_never_lead_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    append_each(&log, 1..=3).await;
    assert_eq!(log.cursors().load("board").unwrap(), None);
    log.cursors().store("board", 2).unwrap();
    log.cursors().store("new", 0).unwrap();
    assert!(matches!(log.cursors().store("board", 4), Err(CursorError::BeyondHead { head: 3, .. })));
    log.close().await;
    let (log, report) = open(dir.path(), small());
    assert_eq!(report.catalogue_rebuilt, None);
    assert_eq!(log.cursors().load("board").unwrap(), Some(2));
    assert_eq!(log.cursors().load("new").unwrap(), Some(0));
}
