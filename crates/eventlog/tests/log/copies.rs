//! Backup while writing, restore, and repair from a copy.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use eventlog::{
    BackupError, LogReader, OpenError, Query, ReadError, RepairError, Storage, repair_with, restore,
};

use crate::{
    power::{DIR, check, dir, on, work},
    support::*,
    twin::{Call, ENOSPC, Fault, Keep, Twin, is_segment},
};

const COPY: &str = "/elsewhere/copy";

fn reader(disk: &Twin, dir: &str) -> LogReader {
    LogReader::open_with(Path::new(dir), Arc::new(disk.clone())).unwrap()
}

/// A log of `until` records, closed.
async fn made(disk: &Twin, until: u64) {
    let (log, _) = open(dir(), on(disk));
    work(disk, &log, until).await.unwrap();
    log.close().await;
}

fn segments(disk: &Twin, dir: &str) -> Vec<PathBuf> {
    let folder = Path::new(dir).join("segments");
    disk.names(&folder).iter().filter(|name| is_segment(name)).map(|name| folder.join(name)).collect()
}

#[tokio::test]
async fn fault_49_a_backup_made_during_writing_opens_as_a_prefix_and_catches_up() {
    let root = tempfile::tempdir().unwrap();
    let (dir, copy) = (root.path().join("log"), root.path().join("copy"));
    let (log, _) = open(&dir, small());
    append(&log, vec![plain(1)]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::task::spawn_blocking({
        let (log, stop) = (log.clone(), Arc::clone(&stop));
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut number = 1;
                while !stop.load(Ordering::SeqCst) && number < 3_000 {
                    number += 1;
                    append(&log, vec![plain(number)]).await;
                }
                number
            })
        }
    });
    // Again and again to the same folder: each time a longer copy, and the sealed segments stay.
    let (mut last, mut kept) = (0, 0);
    for _ in 0..6 {
        let report = log.reader().backup(&copy, &mut |_| ()).unwrap();
        assert!(report.head.position >= last);
        (last, kept) = (report.head.position, kept + report.kept);
        let restored = root.path().join("restored");
        let back = restore(&copy, &restored, &mut |_| ()).unwrap();
        assert_eq!(back.head.position, last);
        let (again, opened) = open(&restored, small());
        assert_eq!((opened.head.position, opened.torn), (last, None));
        let all = everything(&again.reader());
        assert!(all.iter().map(as_new).eq((1..=last).map(plain)));
        assert!(again.reader().verify(.., &mut |_| ()).unwrap().is_sound());
        // The bus sends everything again: what is there is known, the rest follows.
        let appended = append(&again, (last.saturating_sub(3).max(1)..=last + 2).map(plain).collect()).await;
        assert_eq!(appended.duplicates.iter().filter(|known| !**known).count(), 2);
        again.close().await;
        fs::remove_dir_all(&restored).unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    let report = log.reader().backup(&copy, &mut |_| ()).unwrap();
    assert_eq!(report.head.position, written);
    let (found, expected) = (everything(&LogReader::open(&copy).unwrap()), everything(&log.reader()));
    assert_eq!(found, expected, "leaf hashes and times too");
    assert!(matches!(restore(&copy, &dir, &mut |_| ()), Err(BackupError::Refused { .. })));
}

#[tokio::test]
async fn fault_49_a_power_cut_during_a_backup_leaves_the_log_and_a_copy_that_opens() {
    let disk = Twin::new();
    made(&disk, 30).await;
    reader(&disk, DIR).backup(Path::new(COPY), &mut |_| ()).unwrap();
    made(&disk, 61).await;
    let (again, start) = disk.begin();
    reader(&again, DIR).backup(Path::new(COPY), &mut |_| ()).unwrap();
    assert_eq!(reader(&again, COPY).head().position, 61);
    for step in again.steps_from(&start) {
        for keep in [Keep::Nothing, Keep::All, Keep::Coins(1), Keep::Coins(2)] {
            let after = step.crash(&keep);
            let copy = reader(&after, COPY);
            assert!(copy.head().position >= 30);
            assert!(copy.verify(.., &mut |_| ()).unwrap().is_sound());
            let (log, report) = open(Path::new(COPY), on(&after));
            assert_eq!(report.torn, None);
            drop(log);
            // And again, from where it was cut off.
            drop(copy);
            check(&after).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_backup_never_replaces_good_with_bad() {
    let disk = Twin::new();
    made(&disk, 30).await;
    let copy = Path::new(COPY);
    reader(&disk, DIR).backup(copy, &mut |_| ()).unwrap();
    let yesterday = disk.crash(&Keep::All);
    made(&disk, 61).await;
    // A log that was set back.
    reader(&disk, DIR).backup(copy, &mut |_| ()).unwrap();
    for file in segments(&yesterday, COPY) {
        yesterday.put(&file, &[]);
    }
    let newest = segments(&disk, COPY);
    let older = disk.crash(&Keep::All);
    for file in segments(&disk, DIR) {
        let bytes = yesterday.read(&file);
        match bytes {
            Some(bytes) => older.put(&file, &bytes),
            None => older.remove(&file).unwrap(),
        }
    }
    match reader(&older, DIR).backup(copy, &mut |_| ()) {
        Err(BackupError::Refused { why, .. }) => assert!(why.contains("61"), "{why}"),
        other => panic!("{other:?}"),
    }
    // A damaged one.
    let file = &segments(&disk, DIR)[1];
    let mut bytes = disk.read(file).unwrap();
    bytes[700] ^= 1;
    disk.put(file, &bytes);
    let before = newest.iter().map(|file| disk.read(file)).collect::<Vec<_>>();
    let refused = reader(&disk, DIR).backup(copy, &mut |_| ()).unwrap_err();
    assert!(matches!(refused, BackupError::Read(ReadError::Damaged { .. })), "{refused:?}");
    assert_eq!(newest.iter().map(|file| disk.read(file)).collect::<Vec<_>>(), before);
    // Another log, a copy that is being written, a full disk.
    let other = Twin::new();
    made(&other, 3).await;
    let refused = reader(&other, DIR).backup(Path::new(DIR), &mut |_| ());
    assert!(matches!(refused, Err(BackupError::Refused { .. })), "onto itself: {refused:?}");
    let _held = disk.lock(&copy.join("lock")).unwrap();
    let refused = reader(&disk, DIR).backup(copy, &mut |_| ()).unwrap_err();
    assert!(matches!(refused, BackupError::Open(OpenError::Locked { .. })), "{refused:?}");
    other.set_fault(Some(Fault { call: Call::Write, from: 1, once: false, error: ENOSPC, through: 9 }));
    let refused = reader(&other, DIR).backup(copy, &mut |_| ()).unwrap_err();
    assert!(matches!(refused, BackupError::Io { .. }), "{refused:?}");
}

/// Every segment of a log of several, hurt in every way.
fn hurts() -> [fn(&mut Vec<u8>); 6] {
    [
        |bytes| bytes[3] ^= 1,
        |bytes| bytes[200] ^= 1,
        |bytes| {
            let end = written(bytes);
            bytes[end - 1] ^= 1;
        },
        |bytes| {
            let end = written(bytes);
            bytes.truncate(end / 2);
        },
        |bytes| bytes[600..1_200].fill(0xff),
        Vec::clear,
    ]
}

#[tokio::test]
async fn any_damage_a_copy_covers_is_repaired_to_the_very_same_bytes() {
    let disk = Twin::new();
    made(&disk, 75).await;
    reader(&disk, DIR).backup(Path::new(COPY), &mut |_| ()).unwrap();
    let files = segments(&disk, DIR);
    assert!(files.len() >= 4);
    for file in &files {
        let good = disk.read(file).unwrap();
        for (number, hurt) in hurts().iter().enumerate() {
            let again = disk.crash(&Keep::All);
            let mut bad = good.clone();
            hurt(&mut bad);
            again.put(file, &bad);
            let storage = Arc::new(again.clone());
            let report = repair_with(dir(), Path::new(COPY), storage, &mut |_| ()).unwrap();
            let what = format!("{} hurt {number}: {report:?}", file.display());
            assert_eq!((report.unrepaired.len(), report.repaired.len()), (0, 1), "{what}");
            assert_eq!(report.head.position, 75, "{what}");
            let repaired = &report.repaired[0];
            assert_eq!(again.read(repaired.kept.as_ref().unwrap()).unwrap(), bad);
            let now = again.read(file).unwrap();
            assert_eq!(now[..written(&now)], good[..written(&good)], "{what}");
            let again = again.crash(&Keep::Nothing);
            assert!(reader(&again, DIR).verify(.., &mut |_| ()).unwrap().is_sound());
            check(&again).await.unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
        }
        // Gone altogether.
        let again = disk.crash(&Keep::All);
        again.remove(file).unwrap();
        let report = repair_with(dir(), Path::new(COPY), Arc::new(again.clone()), &mut |_| ()).unwrap();
        assert_eq!((report.unrepaired.len(), report.repaired.len(), report.head.position), (0, 1, 75));
        check(&again).await.unwrap();
    }
    let report = repair_with(dir(), Path::new(COPY), Arc::new(disk.clone()), &mut |_| ()).unwrap();
    assert_eq!((report.repaired.len(), report.unrepaired.len(), report.head.position), (0, 0, 75));
}

#[tokio::test]
async fn an_older_copy_repairs_what_it_covers_and_says_what_it_does_not() {
    let disk = Twin::new();
    made(&disk, 30).await;
    reader(&disk, DIR).backup(Path::new(COPY), &mut |_| ()).unwrap();
    made(&disk, 61).await;
    let files = segments(&disk, DIR);
    let covered = |disk: &Twin, file: &PathBuf, at: usize| {
        let mut bytes = disk.read(file).unwrap();
        bytes[at] ^= 1;
        disk.put(file, &bytes);
    };
    // The segment in which the copy ends: what it has is taken from it, the rest is kept.
    let again = disk.crash(&Keep::All);
    covered(&again, &files[1], 300);
    let report = repair_with(dir(), Path::new(COPY), Arc::new(again.clone()), &mut |_| ()).unwrap();
    assert_eq!((report.repaired.len(), report.unrepaired.len(), report.head.position), (1, 0, 61));
    check(&again).await.unwrap();
    // What is damaged behind it stays so, and everything else is untouched.
    let last = files.last().unwrap();
    covered(&disk, last, 300);
    let before = disk.read(last).unwrap();
    let report = repair_with(dir(), Path::new(COPY), Arc::new(disk.clone()), &mut |_| ()).unwrap();
    assert_eq!((report.repaired.len(), report.unrepaired.len()), (0, 1));
    assert_eq!(&report.unrepaired[0].file, last);
    assert_eq!(disk.read(last).unwrap(), before);
}

#[tokio::test]
async fn another_history_or_another_log_repairs_nothing() {
    let disk = Twin::new();
    made(&disk, 30).await;
    let other = disk.crash(&Keep::All);
    made(&disk, 40).await;
    let (log, _) = open(dir(), on(&other));
    for number in 500..540 {
        append(&log, vec![plain(number)]).await;
    }
    log.close().await;
    reader(&other, DIR).backup(Path::new(COPY), &mut |_| ()).unwrap();
    let folder = Path::new(COPY).join("segments");
    disk.create_dir_all(&folder).unwrap();
    for file in segments(&other, COPY) {
        disk.put(&file, &other.read(&file).unwrap());
    }
    let last = segments(&disk, DIR).pop().unwrap();
    let mut bytes = disk.read(&last).unwrap();
    let end = written(&bytes);
    bytes[end - 3] ^= 1;
    disk.put(&last, &bytes);
    let report = repair_with(dir(), Path::new(COPY), Arc::new(disk.clone()), &mut |_| ()).unwrap();
    assert!(report.repaired.is_empty(), "{report:?}");
    assert!(!report.unrepaired.is_empty());
    assert_eq!(disk.read(&last).unwrap(), bytes);
    let foreign = Twin::new();
    made(&foreign, 3).await;
    for file in segments(&disk, COPY) {
        disk.remove(&file).unwrap();
    }
    let mut alien = foreign.read(&segments(&foreign, DIR)[0]).unwrap();
    // Another id of the log, with the right checksum.
    alien[16] ^= 1;
    let checksum = crc32c::crc32c(&alien[..124]);
    alien[124..128].copy_from_slice(&checksum.to_le_bytes());
    disk.put(&folder.join("00000000000000000001.seg"), &alien);
    let refused = repair_with(dir(), Path::new(COPY), Arc::new(disk.clone()), &mut |_| ());
    assert!(matches!(refused, Err(RepairError::Foreign { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_power_cut_during_repair_leaves_something_that_can_be_repaired() {
    let disk = Twin::new();
    made(&disk, 61).await;
    reader(&disk, DIR).backup(Path::new(COPY), &mut |_| ()).unwrap();
    for file in &segments(&disk, DIR)[1..3] {
        let mut bytes = disk.read(file).unwrap();
        bytes[300] ^= 1;
        disk.put(file, &bytes);
    }
    let (again, start) = disk.begin();
    repair_with(dir(), Path::new(COPY), Arc::new(again.clone()), &mut |_| ()).unwrap();
    for step in again.steps_from(&start) {
        for keep in [Keep::Nothing, Keep::All, Keep::Coins(1), Keep::Coins(2), Keep::Coins(3)] {
            let after = step.crash(&keep);
            let report = repair_with(dir(), Path::new(COPY), Arc::new(after.clone()), &mut |_| ()).unwrap();
            assert_eq!((report.unrepaired.len(), report.head.position), (0, 61), "{keep:?} {report:?}");
            let all = reader(&after, DIR).read(Query::default()).collect::<Result<Vec<_>, _>>().unwrap();
            assert_eq!(all.len(), 61);
        }
    }
}
