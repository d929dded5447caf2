//! A disk that fails, call by call: whatever was acknowledged stays, nothing is acknowledged that could be lost, and
//! the log goes on when the disk does.

use std::path::Path;

use eventlog::{AppendError, EventLog, LogReader, OpenError};

use crate::{
    power::{check, dir, on, work},
    support::*,
    twin::{Call, EACCES, EIO, EMFILE, ENOSPC, EROFS, Fault, Keep, Twin, is_segment},
};

/// Two writers, one after the other, as far as the disk lets them.
async fn attempt(disk: &Twin) -> Result<(), String> {
    for until in [33, 50] {
        let (log, _) = EventLog::open(dir(), on(disk)).map_err(|error| format!("{error:?}"))?;
        let worked = work(disk, &log, until).await;
        if let Err(AppendError::Stopped { .. }) = &worked {
            assert!(log.failure().is_some());
            let again = log.append(plain(1_000_000).into()).await;
            assert!(matches!(again, Err(AppendError::Stopped { .. })), "nothing is tried again: {again:?}");
        }
        log.close().await;
        worked.map_err(|error| format!("{error:?}"))?;
    }
    Ok(())
}

/// Lets calls of one kind fail, the first, the second …, until none is left. Returns how many there were.
async fn at_every(call: Call, error: i32, once: bool, through: usize) -> u64 {
    for from in 1.. {
        let disk = Twin::new();
        disk.set_fault(Some(Fault { call, from, once, error, through }));
        let outcome = attempt(&disk).await;
        let hits = disk.hits();
        disk.set_fault(None);
        if hits == 0 {
            outcome.unwrap();
            return from - 1;
        }
        // The machine loses power, or the process alone begins again and the machine loses power afterwards.
        for keep in [Keep::Nothing, Keep::All, Keep::Coins(from)] {
            let after = disk.crash(&keep);
            check(&after).await.unwrap_or_else(|what| panic!("{call:?} {from}, {keep:?}: {what}"));
        }
        check(&disk).await.unwrap_or_else(|what| panic!("{call:?} {from}: {what}"));
        let after = disk.crash(&Keep::Nothing);
        check(&after).await.unwrap_or_else(|what| panic!("{call:?} {from}, then all lost: {what}"));
    }
    unreachable!()
}

#[tokio::test]
async fn fault_37_a_full_disk_from_any_write_on_loses_nothing_and_goes_on_with_space() {
    assert!(at_every(Call::Write, ENOSPC, false, 0).await > 30);
    assert!(at_every(Call::Write, ENOSPC, false, 100).await > 30);
    assert!(at_every(Call::Create, ENOSPC, false, 0).await > 5);
}

#[tokio::test]
async fn fault_37_a_full_disk_refuses_writes_with_its_reason_and_serves_reads() {
    let disk = Twin::new();
    let (log, _) = open(dir(), on(&disk));
    work(&disk, &log, 40).await.unwrap();
    let full = |call| Some(Fault { call, from: 1, once: false, error: ENOSPC, through: 0 });
    disk.set_fault(full(Call::Write));
    let mut subscription = log.reader().subscribe(eventlog::Query::default());
    for _ in 0..2 {
        match log.append(plain(41).into()).await {
            Err(error @ AppendError::Stopped { .. }) => {
                let text = error.to_string();
                assert!(text.contains("No space left on device") && text.contains(".seg"), "{text}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(log.failure().unwrap().contains("No space left on device"));
    // What is known is no write, but a log that stopped answers nothing about it either: it may be in doubt.
    assert!(matches!(log.append(plain(3).into()).await, Err(AppendError::Stopped { .. })));
    for position in 1..=40 {
        assert_eq!(subscription.next().await.unwrap().position, position);
    }
    let reader = log.reader();
    assert_eq!(everything(&reader).len(), 40);
    assert_eq!(reader.position_of(&key(17)).unwrap(), Some(17));
    assert!(reader.verify(.., &mut |_| ()).unwrap().is_sound());
    log.close().await;
    // Begun anew while the disk is full: named, and still readable.
    match EventLog::open(dir(), on(&disk)) {
        Err(OpenError::Io { source, path, .. }) => {
            assert!(source.to_string().contains("No space left") && path.starts_with(dir()), "{path:?}");
        }
        other => panic!("{other:?}"),
    }
    let beside = LogReader::open_with(dir(), std::sync::Arc::new(disk.clone())).unwrap();
    assert_eq!(everything(&beside).len(), 40);
    disk.set_fault(None);
    check(&disk).await.unwrap();
}

#[tokio::test]
async fn fault_38_an_error_on_any_write_stops_the_log_and_a_restart_recovers() {
    for through in [0, 1, 61, 200] {
        assert!(at_every(Call::Write, EIO, true, through).await > 30);
    }
}

#[tokio::test]
async fn fault_39_an_error_on_any_sync_stops_the_log_although_the_next_would_succeed() {
    assert!(at_every(Call::Sync, EIO, true, 0).await > 30);
    assert!(at_every(Call::Sync, EIO, false, 0).await > 30);
    assert!(at_every(Call::SyncFolder, EIO, true, 0).await > 10);
}

#[tokio::test]
async fn fault_39_the_zeros_ahead_do_not_swallow_the_error_of_a_commit() {
    let disk = Twin::new();
    let (log, _) = open(dir(), on(&disk));
    while !disk.zeros_were_written() {
        std::thread::yield_now();
    }
    // From now on: when a commit is about to be synced, a sync of the zeros in the same file fails just before it,
    // and Linux throws away what the commit wrote.
    disk.fail_zeros_before_commits();
    let appended = log.append(plain(1).into()).await;
    assert!(matches!(appended, Err(AppendError::Stopped { .. })), "{appended:?}");
    log.close().await;
    check(&disk.crash(&Keep::Nothing)).await.unwrap();
}

#[tokio::test]
async fn an_error_on_any_other_call_is_an_error_and_loses_nothing() {
    for call in [Call::MakeFolder, Call::List, Call::Open, Call::Lock, Call::Rename] {
        assert!(at_every(call, EIO, true, 0).await > 0, "{call:?}");
    }
}

#[tokio::test]
async fn an_error_on_any_read_is_not_taken_for_damage_or_for_a_torn_write() {
    assert!(at_every(Call::Read, EIO, true, 0).await > 10);
    let disk = Twin::new();
    attempt(&disk).await.unwrap();
    for from in 1.. {
        let again = disk.crash(&Keep::All);
        again.set_fault(Some(Fault { call: Call::Read, from, once: true, error: EIO, through: 0 }));
        let opened = EventLog::open(dir(), on(&again));
        if again.hits() == 0 {
            break;
        }
        match opened {
            // The text of the lock file and an index are second opinions.
            Ok((_, report)) => assert_eq!((report.head.position, report.torn), (50, None)),
            Err(OpenError::Io { .. }) => {}
            Err(error) => panic!("read {from}: {error:?}"),
        }
        assert!(again.names(&dir().join("torn")).is_empty());
    }
}

#[tokio::test]
async fn fault_40_short_and_interrupted_reads_and_writes_are_completed() {
    for most in [1, 7, 100] {
        let disk = Twin::new();
        disk.chop_to(most);
        attempt(&disk).await.unwrap();
        let reader = LogReader::open_with(dir(), std::sync::Arc::new(disk.clone())).unwrap();
        assert_eq!(everything(&reader).len(), 50);
        assert!(reader.verify(.., &mut |_| ()).unwrap().is_sound());
        check(&disk.crash(&Keep::Nothing)).await.unwrap();
    }
}

#[tokio::test]
async fn fault_43_a_folder_that_may_not_be_written_is_named_at_the_start() {
    for (call, error) in [
        (Call::MakeFolder, EROFS),
        (Call::MakeFolder, EACCES),
        (Call::Lock, EACCES),
        (Call::Lock, EMFILE),
        (Call::Create, EROFS),
        (Call::List, EACCES),
        (Call::List, EMFILE),
    ] {
        let disk = Twin::new();
        disk.set_fault(Some(Fault { call, from: 1, once: false, error, through: 0 }));
        match EventLog::open(dir(), on(&disk)) {
            Err(error @ OpenError::Io { .. }) => {
                assert!(error.to_string().contains("/data/region"), "{error}");
            }
            other => panic!("{call:?}: {other:?}"),
        }
        disk.set_fault(None);
        check(&disk).await.unwrap();
    }
    // A log that is there, and segments that can not be opened.
    let disk = Twin::new();
    attempt(&disk).await.unwrap();
    for error in [EACCES, EMFILE, EROFS] {
        disk.set_fault(Some(Fault { call: Call::Open, from: 1, once: false, error, through: 0 }));
        match EventLog::open(dir(), on(&disk)) {
            Err(OpenError::Io { path, .. }) => assert!(path.starts_with(dir()), "{path:?}"),
            other => panic!("{other:?}"),
        }
    }
    // The real disk: a file where the folder should be.
    let real = tempfile::tempdir().unwrap();
    std::fs::write(real.path().join("log"), "no folder").unwrap();
    match EventLog::open(&real.path().join("log"), small()) {
        Err(OpenError::Io { path, .. }) => assert!(path.starts_with(Path::new(real.path()))),
        other => panic!("{other:?}"),
    }
}

/// A closed log of 50 records, and its head file.
async fn with_head_file() -> (Twin, std::path::PathBuf, Vec<u8>) {
    let disk = Twin::new();
    attempt(&disk).await.unwrap();
    let path = dir().join("head");
    let bytes = disk.read(&path).unwrap();
    (disk, path, bytes)
}

#[tokio::test]
async fn fault_32_a_head_file_that_has_rotted_bounds_nothing_and_nothing_is_cut_without_it() {
    let (disk, path, bytes) = with_head_file().await;
    let last = dir()
        .join("segments")
        .join(disk.names(&dir().join("segments")).iter().rfind(|name| is_segment(name)).unwrap());
    let segment = disk.read(&last).unwrap();
    let mut torn = segment.clone();
    let end = written(&segment);
    torn[end - 1] ^= 1;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let again = disk.crash(&Keep::All);
        again.put(&path, &flipped);
        let (log, report) = open(dir(), on(&again));
        assert_eq!((report.head.position, report.torn), (50, None), "byte {at}");
        log.close().await;
        // The last acknowledged group has rotted too: without the head file that could be a torn write.
        let again = disk.crash(&Keep::All);
        again.put(&path, &flipped);
        again.put(&last, &torn);
        let refused = EventLog::open(dir(), on(&again)).map(|_| ()).unwrap_err();
        assert_eq!(place_of(&refused), (path.clone(), 0), "byte {at}");
        assert_eq!(again.read(&last).unwrap(), torn);
    }
    // Every shorter file, such as an empty one, has rotted as well.
    disk.put(&last, &torn);
    disk.put(&path, &bytes[..40]);
    assert_eq!(place_of(&EventLog::open(dir(), on(&disk)).map(|_| ()).unwrap_err()), (path.clone(), 0));
    disk.put(&path, &bytes);
    assert_eq!(place_of(&EventLog::open(dir(), on(&disk)).map(|_| ()).unwrap_err()).0, last);
}

#[tokio::test]
async fn a_witness_that_can_not_be_read_for_a_moment_is_no_missing_one() {
    let witnesses = ["head", "proof/checkpoint", "proof/heads/00000000000000000002.note"];
    for witness in witnesses {
        let disk = Twin::new();
        let signer = Some(eventlog::Signer::from_seed(&[7; 32]));
        let (log, _) = open(dir(), eventlog::Options { signer, ..on(&disk) });
        append(&log, vec![plain(1)]).await;
        append(&log, vec![plain(2)]).await;
        log.signed_head().unwrap();
        log.close().await;
        for other in witnesses.into_iter().filter(|other| *other != witness) {
            eventlog::Storage::remove(&disk, &dir().join(other)).unwrap();
        }
        // The last acknowledged group has rotted: only this witness tells it from a torn write.
        let last = dir().join("segments/00000000000000000001.seg");
        let mut torn = disk.read(&last).unwrap();
        let end = written(&torn);
        torn[end - 1] ^= 1;
        disk.put(&last, &torn);
        for (call, error) in [(Call::Open, EACCES), (Call::Open, EIO), (Call::List, EIO), (Call::Read, EIO)] {
            for from in 1.. {
                let again = disk.crash(&Keep::All);
                again.set_fault(Some(Fault { call, from, once: true, error, through: 0 }));
                let refused = EventLog::open(dir(), on(&again)).map(|_| ()).unwrap_err();
                assert_eq!(again.read(&last).unwrap(), torn, "{witness} {call:?} {from}: {refused:?}");
                if again.hits() == 0 {
                    assert_eq!(place_of(&refused).0, last);
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_folder_above_the_log_that_may_not_be_synced_was_there_before_and_no_other_is() {
    // The segments, the log, what is above it.
    for (from, opens) in [(1, false), (2, false), (3, true)] {
        for (error, forgiven) in [(EACCES, true), (EIO, false)] {
            let disk = Twin::new();
            disk.set_fault(Some(Fault { call: Call::SyncFolder, from, once: true, error, through: 0 }));
            let opened = EventLog::open(dir(), on(&disk));
            assert_eq!(disk.hits(), 1);
            assert_eq!(opened.is_ok(), opens && forgiven, "{from}, {error}: {opened:?}");
        }
    }
}

#[tokio::test]
async fn a_head_file_of_another_log_bounds_nothing() {
    let (_, path, foreign) = with_head_file().await;
    let disk = Twin::new();
    // Its first id is that of the other log too, as a twin begins with the same chance.
    let _ = eventlog::Storage::random(&disk).unwrap();
    let (log, _) = open(dir(), on(&disk));
    work(&disk, &log, 22).await.unwrap();
    log.close().await;
    disk.put(&path, &foreign);
    let (log, report) = open(dir(), on(&disk));
    assert_eq!((report.head.position, report.torn), (22, None));
    log.close().await;
}

#[tokio::test]
async fn fault_35_another_history_of_the_same_log_is_refused() {
    for until in [40, 60] {
        let disk = Twin::new();
        let (log, _) = open(dir(), on(&disk));
        work(&disk, &log, 22).await.unwrap();
        log.close().await;
        // Yesterday's copy, which somebody writes on.
        let yesterday = disk.crash(&Keep::All);
        let (log, _) = open(dir(), on(&yesterday));
        for number in 1_000..1_060 {
            append(&log, vec![plain(number)]).await;
        }
        log.close().await;
        let (log, _) = open(dir(), on(&disk));
        work(&disk, &log, until).await.unwrap();
        log.close().await;
        yesterday.put(&dir().join("head"), &disk.read(&dir().join("head")).unwrap());
        let refused = EventLog::open(dir(), on(&yesterday)).map(|_| ()).unwrap_err();
        let text = format!("{refused:?}");
        assert!(text.contains("another history"), "{text}");
    }
}
