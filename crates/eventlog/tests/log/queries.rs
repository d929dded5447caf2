//! Reading, querying, subscribing, following: the same records as a plain scan gives.

use std::time::Duration;

use eventlog::{Direction, EventLog, LogReader, Query, QueryItem, ReadError, Record};

use crate::support::*;

async fn filled(dir: &std::path::Path, count: u64) -> EventLog {
    let (log, _) = open(dir, small());
    for number in 1..=count {
        let kind = ["bed.freed", "bed.taken", "bed.cleaned"][usize::try_from(number % 3).unwrap()];
        let record =
            record(number, kind, &[&format!("bed:{}", number % 11), &format!("day:{}", number / 40)]);
        append(&log, vec![record]).await;
    }
    log
}

/// The plain meaning of a query.
fn scan(all: &[Record], query: &Query) -> Vec<u64> {
    let wanted = |record: &&Record| {
        record.position > query.after
            && query.until.is_none_or(|until| record.position <= until)
            && query.matches(&record.kind, &record.tags)
    };
    let mut found = all.iter().filter(wanted).map(|record| record.position).collect::<Vec<_>>();
    if query.direction == Direction::Backward {
        found.reverse();
    }
    found.truncate(query.limit.unwrap_or(usize::MAX));
    found
}

fn positions(reader: &LogReader, query: &Query) -> Vec<u64> {
    reader.read(query.clone()).map(|record| record.unwrap().position).collect()
}

fn item_lists() -> Vec<Vec<QueryItem>> {
    vec![
        vec![],
        vec![item(&[], &[])],
        vec![item(&["bed.taken"], &[])],
        vec![item(&["bed.taken", "bed.freed"], &[])],
        vec![item(&[], &["bed:4"])],
        vec![item(&[], &["bed:4", "day:1"])],
        vec![item(&["bed.cleaned"], &["bed:4"])],
        vec![item(&["bed.cleaned"], &["bed:4"]), item(&[], &["day:2"]), item(&["nothing"], &[])],
        vec![item(&["nothing"], &["bed:4"])],
        vec![item(&[], &["nothing"]), item(&[], &[])],
    ]
}

#[tokio::test]
async fn every_query_gives_what_a_scan_gives() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 160).await;
    let foreign = LogReader::open(dir.path()).unwrap();
    let all = everything(&log.reader());
    assert_eq!(all.len(), 160);
    assert!(segment_files(dir.path()).len() >= 4);
    for items in item_lists() {
        for (after, until) in [
            (0, None),
            (37, None),
            (37, Some(120)),
            (0, Some(1)),
            (159, Some(400)),
            (160, None),
            (9, Some(3)),
        ] {
            for direction in [Direction::Forward, Direction::Backward] {
                for limit in [None, Some(0), Some(1), Some(9)] {
                    let query = Query { items: items.clone(), after, until, direction, limit };
                    let expected = scan(&all, &query);
                    assert_eq!(positions(&log.reader(), &query), expected, "{query:?}");
                    assert_eq!(positions(&foreign, &query), expected, "another process, {query:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_query_with_too_many_items_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 3).await;
    let query = Query { items: vec![item(&["bed.freed"], &[]); 65], ..Query::default() };
    let read = log.reader().read(query).collect::<Vec<_>>();
    assert!(matches!(read[..], [Err(ReadError::TooManyItems { found: 65, max: 64 })]), "{read:?}");
}

#[tokio::test]
async fn a_subscription_with_too_many_items_is_refused_at_once_also_in_an_empty_log() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    let foreign = LogReader::open(dir.path()).unwrap();
    let query = Query { items: vec![item(&[], &["bed:1"]); 65], limit: Some(0), ..Query::default() };
    let refused =
        |read: Option<&ReadError>| matches!(read, Some(ReadError::TooManyItems { found: 65, max: 64 }));
    for reader in [log.reader(), foreign] {
        assert!(refused(reader.read(query.clone()).next().unwrap().err().as_ref()));
        let mut subscription = reader.subscribe(query.clone());
        let waited = tokio::time::timeout(Duration::from_secs(10), subscription.next()).await.unwrap();
        assert!(refused(waited.as_ref().err()), "{waited:?}");
    }
    log.close().await;
}

#[tokio::test]
async fn records_are_found_by_position_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 90).await;
    for reader in [log.reader(), LogReader::open(dir.path()).unwrap()] {
        assert_eq!(reader.record(0).unwrap(), None);
        assert_eq!(reader.record(91).unwrap(), None);
        for position in 1..=90 {
            assert_eq!(reader.record(position).unwrap().unwrap().position, position);
            assert_eq!(reader.position_of(&key(position)).unwrap(), Some(position));
        }
        assert_eq!(reader.position_of(&key(91)).unwrap(), None);
    }
}

#[tokio::test]
async fn a_subscription_catches_up_and_goes_on_without_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path(), 100).await;
    let reader = log.reader();
    let writer = tokio::spawn(async move {
        for number in 101..=700 {
            append(&log, vec![plain(number)]).await;
        }
        log
    });
    let mut all = reader.subscribe(Query::default());
    let mut some =
        reader.subscribe(Query { items: vec![item(&[], &["bed:3"])], after: 50, ..Query::default() });
    for position in 1..=700 {
        assert_eq!(all.next().await.unwrap().position, position);
    }
    let log = writer.await.unwrap();
    let expected = positions(
        &log.reader(),
        &Query { items: vec![item(&[], &["bed:3"])], after: 50, ..Query::default() },
    );
    let mut found = Vec::new();
    while found.len() < expected.len() {
        found.extend(some.next_batch(7).await.unwrap().iter().map(|record| record.position));
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_reader_of_another_process_follows_over_segments_and_sees_whole_batches() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    let reader = LogReader::open(dir.path()).unwrap();
    assert_eq!(reader.head().position, 0);
    let mut subscription = reader.subscribe(Query::default());
    let mut next = 1;
    for size in [1, 5, 30, 2, 90] {
        append(&log, (next..next + size).map(plain).collect()).await;
        next += size;
        assert_eq!(reader.refresh().unwrap(), log.head());
    }
    for position in 1..next {
        assert_eq!(subscription.next().await.unwrap().position, position);
    }
    append(&log, vec![plain(next)]).await;
    assert_eq!(subscription.next().await.unwrap().position, next);
    assert!(reader.verify(.., &mut |_| ()).unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_beside_a_busy_writer_sees_only_whole_batches_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    append(&log, vec![plain(1), plain(2), plain(3)]).await;
    let reader = LogReader::open(dir.path()).unwrap();
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let watching = std::thread::spawn({
        let done = std::sync::Arc::clone(&done);
        move || {
            let mut last = 0;
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                let head = reader.refresh().unwrap().position;
                assert_eq!(head % 3, 0, "half a batch");
                let query = Query { after: last, until: Some(head), ..Query::default() };
                for record in reader.read(query) {
                    last += 1;
                    assert_eq!(record.unwrap().position, last);
                }
                assert_eq!(last, head);
            }
            reader.refresh().unwrap().position
        }
    });
    for batch in 1..200_u64 {
        append(&log, (batch * 3 + 1..=batch * 3 + 3).map(plain).collect()).await;
    }
    done.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(watching.join().unwrap(), 600);
}
