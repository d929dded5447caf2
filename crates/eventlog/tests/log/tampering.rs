//! Bytes that somebody or something has changed, catalogues of all sorts, several openers, and readers beside a writer.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use eventlog::{EventLog, LogReader, OpenError, Query, ReadError, Storage};

use crate::{
    power::{DIR, dir, on, work},
    support::*,
    twin::{Keep, Twin, is_segment},
};

fn reader(disk: &Twin) -> LogReader {
    LogReader::open_with(dir(), Arc::new(disk.clone())).unwrap()
}

fn segments(disk: &Twin) -> Vec<PathBuf> {
    let folder = Path::new(DIR).join("segments");
    disk.names(&folder).iter().filter(|name| is_segment(name)).map(|name| folder.join(name)).collect()
}

async fn made(until: u64) -> Twin {
    let disk = Twin::new();
    let (log, _) = open(dir(), on(&disk));
    work(&disk, &log, until).await.unwrap();
    log.close().await;
    disk
}

/// Where the frames of a segment begin, and where the last one ends.
fn frames(bytes: &[u8]) -> (Vec<usize>, usize) {
    let (mut found, mut at) = (Vec::new(), 128);
    while at + 24 <= bytes.len() && bytes[at..at + 24] != [0; 24] {
        found.push(at);
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        at += 28 + usize::try_from(length).unwrap();
    }
    (found, at)
}

/// What a reader gives is right, and the damage is found.
fn damage_is_found(disk: &Twin, expected: u64, what: &str) {
    let mut read = reader(disk).read(Query::default()).collect::<Vec<_>>();
    let last = read.pop();
    let damaged = matches!(last, Some(Err(ReadError::Damaged { .. })));
    if !damaged {
        read.extend(last);
    }
    for (position, record) in (1..).zip(&read) {
        assert_eq!(as_new(record.as_ref().unwrap()), plain(position), "{what}");
    }
    // A table of names is not read where the index has it: then every record is right, and verification finds it.
    let report = reader(disk).verify(.., &mut |_| ()).unwrap();
    let cut_short = report.head.position < expected && u64::try_from(read.len()).unwrap() < expected;
    assert!(!report.is_sound() || cut_short, "{what}: nothing is found");
}

#[tokio::test]
async fn fault_31_a_tail_of_zeros_of_garbage_or_of_an_older_file_is_cut() {
    let disk = made(19).await;
    disk.remove(&dir().join("head")).unwrap();
    let file = segments(&disk).pop().unwrap();
    let whole = disk.read(&file).unwrap();
    let (frames, end) = frames(&whole);
    let garbage = (0..700_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap() | 1);
    let tails: [Vec<u8>; 4] = [
        vec![0; 9_000],
        garbage.collect(),
        whole[frames[0]..end].to_vec(),
        [vec![0; 500], whole[frames[2]..frames[3]].to_vec()].concat(),
    ];
    for (number, tail) in tails.iter().enumerate() {
        let again = disk.crash(&Keep::All);
        again.put(&file, &[&whole[..end], tail].concat());
        let (log, report) = open(dir(), on(&again));
        assert_eq!(report.head.position, 19, "tail {number}");
        assert_eq!(report.torn.is_some(), number > 0);
        if let Some(torn) = report.torn {
            let kept = again.read(&torn.kept).unwrap();
            assert_eq!(kept, tail[..kept.len()], "tail {number}");
        }
        append(&log, vec![plain(20)]).await;
        log.close().await;
        let (log, report) = open(dir(), on(&again));
        assert_eq!((report.head.position, report.torn), (20, None));
        log.close().await;
    }
}

#[tokio::test]
async fn fault_33_a_flipped_length_is_refused_and_takes_no_memory() {
    let disk = made(44).await;
    let all = segments(&disk);
    for file in &all {
        let whole = disk.read(file).unwrap();
        for frame in frames(&whole).0 {
            for (number, length) in [u32::MAX, 0, 1, 32 * 1024 * 1024, 4_000].into_iter().enumerate() {
                let again = disk.crash(&Keep::All);
                let mut bytes = whole.clone();
                bytes[frame..frame + 4].copy_from_slice(&length.to_le_bytes());
                // Also with a right checksum of the header: somebody knew how.
                if number % 2 == 0 {
                    let checksum = crc32c::crc32c(&bytes[frame..frame + 20]);
                    bytes[frame + 20..frame + 24].copy_from_slice(&checksum.to_le_bytes());
                }
                again.put(file, &bytes);
                damage_is_found(&again, 44, &format!("{length} at {frame} of {}", file.display()));
                assert!(again.largest_read() <= 33 * 1024 * 1024);
                if file == all.last().unwrap() {
                    assert!(matches!(EventLog::open(dir(), on(&again)), Err(OpenError::Damaged(_))));
                }
                assert_eq!(again.read(file).unwrap(), bytes, "nothing is cut");
            }
        }
    }
    // Where the segment before ends, by the word of the next.
    let whole = disk.read(&all[1]).unwrap();
    for at in 64..112 {
        let again = disk.crash(&Keep::All);
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let checksum = crc32c::crc32c(&bytes[..124]);
        bytes[124..128].copy_from_slice(&checksum.to_le_bytes());
        again.put(&all[1], &bytes);
        assert!(!reader(&again).verify(.., &mut |_| ()).unwrap().is_sound(), "byte {at}");
    }
}

#[tokio::test]
async fn fault_34_a_record_that_was_moved_copied_or_deleted_in_the_middle_breaks_the_chain() {
    let disk = made(19).await;
    let file = segments(&disk).pop().unwrap();
    let whole = disk.read(&file).unwrap();
    let (frames, end) = frames(&whole);
    let span = |number: usize| frames[number]..frames.get(number + 1).copied().unwrap_or(end);
    for number in 1..frames.len() - 1 {
        let (this, next) = (span(number), span(number + 1));
        let deleted = [&whole[..this.start], &whole[this.end..end]].concat();
        let moved = [&whole[..this.start], &whole[next.clone()], &whole[this.clone()], &whole[next.end..end]]
            .concat();
        let copied = [&whole[..this.end], &whole[this.clone()], &whole[this.end..end]].concat();
        let mut blanked = whole.clone();
        blanked[this].fill(0);
        for (way, mut bytes) in [deleted, moved, copied, blanked].into_iter().enumerate() {
            bytes.resize(whole.len().max(bytes.len()), 0);
            let again = disk.crash(&Keep::All);
            again.put(&file, &bytes);
            damage_is_found(&again, 19, &format!("frame {number}, way {way}"));
            let refused = EventLog::open(dir(), on(&again)).map(|_| ()).unwrap_err();
            assert!(matches!(refused, OpenError::Damaged(_) | OpenError::Shortened { .. }), "{refused:?}");
            assert_eq!(again.read(&file).unwrap(), bytes, "nothing is cut");
        }
    }
}

#[tokio::test]
async fn fault_44_a_copied_folder_opens_beside_the_first_and_epochs_only_go_up() {
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (root.path().join("first"), root.path().join("second"));
    let (log, report) = open(&first, small());
    append_each(&log, 1..=5).await;
    assert!(matches!(EventLog::open(&first, small()), Err(OpenError::Locked { .. })));
    // The lock file too: it is a text on the other disk, nobody holds it.
    copy(&first.join("segments"), &second.join("segments"));
    fs::copy(first.join("lock"), second.join("lock")).unwrap();
    let (other, of_copy) = open(&second, small());
    assert_eq!(of_copy.epoch, report.epoch + 1);
    append_each(&other, 6..=8).await;
    other.close().await;
    log.close().await;
    // Without the lock file the log itself knows how many writers there were.
    fs::remove_file(second.join("lock")).unwrap();
    assert_eq!(open(&second, small()).1.epoch, of_copy.epoch + 1);
}

#[tokio::test]
async fn fault_45_readers_beside_the_writer_see_only_whole_records_in_their_order() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let (log, _) = open(&path, small());
    append(&log, vec![plain(1)]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let readers = [log.reader(), LogReader::open(&path).unwrap()].map(|reader| {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            let mut seen = 0;
            loop {
                let ending = stop.load(Ordering::SeqCst);
                let head = reader.refresh().unwrap().position;
                assert!(head >= seen, "the head never goes back");
                for record in reader.read(Query { after: seen, until: Some(head), ..Query::default() }) {
                    let record = record.unwrap();
                    seen += 1;
                    assert_eq!((record.position, as_new(&record)), (seen, plain(seen)));
                }
                assert_eq!(seen, head);
                if ending {
                    return seen;
                }
            }
        })
    });
    for first in (2..900).step_by(3) {
        append(&log, (first..first + 3).map(plain).collect()).await;
    }
    let last = log.head().position;
    assert!(segment_files(&path).len() > 20);
    stop.store(true, Ordering::SeqCst);
    for reader in readers {
        assert_eq!(reader.join().unwrap(), last);
    }
    // A reader is there while a torn tail is cut.
    log.close().await;
    let file = segment_files(&path).pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let end = written(&bytes);
    bytes.resize(bytes.len().max(end + 100), 0);
    bytes[end..end + 60].fill(0x77);
    fs::write(&file, &bytes).unwrap();
    let reader = LogReader::open(&path).unwrap();
    assert_eq!(reader.head().position, last);
    let (log, report) = open(&path, small());
    assert!(report.torn.is_some());
    assert_eq!(reader.refresh().unwrap().position, last);
    append(&log, vec![plain(last + 1)]).await;
    assert_eq!(reader.refresh().unwrap().position, last + 1);
    assert_eq!(as_new(&reader.record(last + 1).unwrap().unwrap()), plain(last + 1));
}

#[tokio::test]
async fn fault_46_a_catalogue_deleted_flipped_cut_foreign_or_newer_changes_no_answer() {
    let root = tempfile::tempdir().unwrap();
    let (path, other) = (root.path().join("log"), root.path().join("other"));
    for (folder, until) in [(&path, 60), (&other, 90)] {
        let (log, _) = open(folder, small());
        append_each(&log, 1..=until).await;
        log.cursors().store("board", until).unwrap();
        log.close().await;
    }
    let expected = everything(&LogReader::open(&path).unwrap());
    // Of the same log, when it was longer.
    let newer = root.path().join("newer");
    copy(&path, &newer);
    let (log, _) = open(&newer, small());
    append_each(&log, 61..=70).await;
    log.cursors().store("board", 70).unwrap();
    log.close().await;
    let files = |folder: &Path| {
        let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|file| file.is_file()).collect::<Vec<_>>()
    };
    let hurts: [&dyn Fn(&Path); 6] = [
        &|folder| fs::remove_dir_all(folder).unwrap(),
        &|folder| {
            for file in files(folder) {
                let mut bytes = fs::read(&file).unwrap();
                bytes.iter_mut().step_by(61).for_each(|byte| *byte ^= 0x10);
                fs::write(&file, bytes).unwrap();
            }
        },
        &|folder| {
            for file in files(folder) {
                let bytes = fs::read(&file).unwrap();
                fs::write(&file, &bytes[..bytes.len() / 3]).unwrap();
            }
        },
        &|folder| files(folder).iter().for_each(|file| fs::write(file, b"").unwrap()),
        &|folder| {
            fs::remove_dir_all(folder).unwrap();
            copy(&other.join("catalogue"), folder);
        },
        &|folder| {
            fs::remove_dir_all(folder).unwrap();
            copy(&newer.join("catalogue"), folder);
        },
    ];
    for (number, hurt) in hurts.iter().enumerate() {
        let again = root.path().join(format!("hurt-{number}"));
        copy(&path, &again);
        hurt(&again.join("catalogue"));
        let (log, report) = open(&again, small());
        assert_eq!((report.head.position, report.torn), (60, None), "hurt {number}");
        assert_eq!(everything(&log.reader()), expected, "hurt {number}");
        // Where a cursor stands is confirmed by the log, or it begins from nothing.
        let stands = log.cursors().load("board").unwrap();
        assert!(stands.is_none() || stands == Some(60), "hurt {number}: {stands:?}");
        assert_eq!(append(&log, vec![plain(60)]).await.duplicates, [true]);
        log.cursors().store("board", 33).unwrap();
        assert_eq!(log.cursors().load("board").unwrap(), Some(33));
        log.close().await;
    }
}
