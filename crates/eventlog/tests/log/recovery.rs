//! Crashes and damage: what opening mends, and what it refuses.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::Path,
};

use eventlog::{EventLog, LogReader, OpenError, Options, Query, ReadError};

use crate::support::*;

/// A log as it is on disk without its head file, before `last` and after it: what one write changed.
struct BeforeAndAfter {
    before: Vec<u8>,
    after: Vec<u8>,
    from: usize,
    to: usize,
}

/// Makes a log in `dir` with records 1 to 9, then one batch of three. Closed, no head file: as after a crash before
/// the keeper wrote one.
async fn torn_write(dir: &Path) -> BeforeAndAfter {
    let (log, _) = open(dir, large());
    append_each(&log, 1..=9).await;
    let file = segment_files(dir).remove(0);
    let before = fs::read(&file).unwrap();
    append(&log, (10..=12).map(plain).collect()).await;
    log.close().await;
    let after = fs::read(&file).unwrap();
    fs::remove_file(dir.join("head")).unwrap();
    let (from, to) = (written(&before), written(&after));
    BeforeAndAfter { before: after[..from].to_vec(), after, from, to }
}

#[tokio::test]
async fn fault_30_a_write_torn_at_any_byte_is_cut_and_kept_and_nothing_else_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let torn = torn_write(&made).await;
    // Real files; the twin goes through every byte.
    for at in (torn.from..torn.to).step_by(5) {
        let crashed = dir.path().join("crashed");
        copy(&made.join("segments"), &crashed.join("segments"));
        let file = segment_files(&crashed).remove(0);
        // Even a file that ends there, and one with zeros in place of what is missing.
        let mut bytes = torn.after[..at].to_vec();
        if at % 2 == 0 {
            bytes.resize(torn.after.len(), 0);
        }
        fs::write(&file, &bytes).unwrap();
        let reader = LogReader::open(&crashed).unwrap();
        assert_eq!(reader.head().position, 9, "a reader at byte {at}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "a reader writes nothing");

        let (log, report) = open(&crashed, large());
        assert_eq!(report.head.position, 9, "at byte {at}");
        match report.torn {
            Some(cut) => {
                let kept = fs::read(&cut.kept).unwrap();
                assert_eq!(u64::try_from(kept.len()).unwrap(), cut.bytes, "at byte {at}");
                assert_eq!(written(&kept), kept.len());
                assert_eq!(kept, torn.after[torn.from..torn.from + kept.len()], "at byte {at}");
                assert_eq!(cut.offset, u64::try_from(torn.from).unwrap());
            }
            None => assert_eq!(written(&bytes[torn.from..]), 0, "at byte {at}"),
        }
        let appended = append(&log, (10..=12).map(plain).collect()).await;
        assert_eq!(appended.duplicates, [false; 3]);
        assert_eq!(everything(&log.reader()).len(), 12);
        log.close().await;
        fs::remove_dir_all(&crashed).unwrap();
    }
}

#[tokio::test]
async fn what_is_torn_at_the_same_place_again_is_kept_beside_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let torn = torn_write(dir.path()).await;
    let file = segment_files(dir.path()).remove(0);
    let mut kept = Vec::new();
    for at in [torn.from + 50, torn.from + 70, torn.from + 60] {
        fs::write(&file, &torn.after[..at]).unwrap();
        let (log, report) = open(dir.path(), large());
        log.close().await;
        let _ = fs::remove_file(dir.path().join("head"));
        kept.push((report.torn.unwrap().kept, torn.after[torn.from..at].to_vec()));
    }
    for (path, bytes) in kept {
        let found = fs::read(&path).unwrap();
        assert_eq!(found, bytes[..written(&bytes)], "{}", path.display());
    }
    assert_eq!(files(&dir.path().join("torn"), "torn").len(), 3);
}

#[tokio::test]
async fn fault_30_any_missing_part_of_the_last_write_is_cut_even_if_its_end_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let torn = torn_write(&made).await;
    for at in (torn.from..torn.to).step_by(16) {
        let crashed = dir.path().join("crashed");
        copy(&made.join("segments"), &crashed.join("segments"));
        let file = segment_files(&crashed).remove(0);
        let mut bytes = torn.after.clone();
        let end = (at + 16).min(torn.to);
        bytes[at..end].fill(0);
        fs::write(&file, &bytes).unwrap();
        let (log, report) = open(&crashed, large());
        assert_eq!(report.head.position, 9, "without bytes {at} to {end}");
        // Shorter than what was torn, so that its rest would follow if it were still there.
        append(&log, vec![plain(10)]).await;
        log.close().await;
        let (log, report) = open(&crashed, large());
        assert_eq!((report.head.position, report.torn), (10, None));
        assert!(log.reader().verify(.., &mut |_| ()).unwrap().is_sound());
        log.close().await;
        fs::remove_dir_all(&crashed).unwrap();
    }
}

#[tokio::test]
async fn fault_31_garbage_or_an_older_tail_behind_the_log_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let torn = torn_write(dir.path()).await;
    let file = segment_files(dir.path()).remove(0);
    // Frames of the same file, from another place.
    let mut bytes = torn.after.clone();
    bytes.extend_from_slice(&[0; 4_096]);
    let stale = torn.before[128..128 + 400].to_vec();
    bytes[torn.to..torn.to + stale.len()].copy_from_slice(&stale);
    fs::write(&file, &bytes).unwrap();
    let (log, report) = open(dir.path(), large());
    assert_eq!(report.head.position, 12);
    assert_eq!(report.torn.unwrap().bytes, u64::try_from(written(&stale)).unwrap());
    assert_eq!(everything(&log.reader()).len(), 12);
}

#[tokio::test]
async fn fault_32_a_flipped_bit_in_any_byte_is_found_and_nothing_is_changed_or_served() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let options = || Options { segment_bytes: eventlog::SEGMENT_BYTES_MIN, ..small() };
    let (log, _) = open(&made, options());
    append_each(&log, 1..=24).await;
    log.close().await;
    let expected = everything(&LogReader::open(&made).unwrap());
    let files = segment_files(&made);
    assert_eq!(files.len(), 2, "one sealed, one open");
    let work = dir.path().join("work");
    copy(&made, &work);
    for (number, file) in segment_files(&work).iter().enumerate() {
        let content = fs::read(file).unwrap();
        let handle = File::options().write(true).open(file).unwrap();
        for (at, byte) in content.iter().enumerate().take(written(&content)) {
            let flipped = byte ^ (1 << (at % 8));
            handle.write_all_at(&[flipped], u64::try_from(at).unwrap()).unwrap();
            check_flipped(&work, number, at, &expected);
            handle.write_all_at(&[*byte], u64::try_from(at).unwrap()).unwrap();
        }
    }
    assert_eq!(everything(&LogReader::open(&work).unwrap()), expected);
}

/// A reader never gives a wrong record and ends with an error; so does verification.
fn check_flipped(dir: &Path, segment: usize, at: usize, expected: &[eventlog::Record]) {
    let reader = match LogReader::open(dir) {
        Ok(reader) => reader,
        Err(OpenError::Damaged(ReadError::Damaged { offset: 0, .. })) if at < 128 && segment == 0 => return,
        Err(error) => panic!("byte {at} of segment {segment}: {error:?}"),
    };
    let (mut served, mut damage) = (0, None);
    for read in reader.read(Query::default()) {
        match read {
            Ok(record) => {
                assert_eq!(record, expected[served], "byte {at} of segment {segment}");
                served += 1;
            }
            Err(ReadError::Damaged { file, offset, .. }) => damage = Some((file, offset)),
            Err(error) => panic!("byte {at} of segment {segment}: {error:?}"),
        }
    }
    // In the last group it looks like a torn write to a reader; the writer knows better by the head file.
    let report = reader.verify(.., &mut |_| ()).unwrap();
    let known_to_reader = damage.is_some() || !report.is_sound();
    let scrubbed = reader.scrub(.., &mut |_| ()).unwrap();
    assert_eq!(
        scrubbed.is_sound(),
        report.is_sound(),
        "byte {at} of segment {segment}: only rot, so a scrub finds it"
    );
    assert!(known_to_reader || served < expected.len(), "byte {at} of segment {segment} was not found");
    if let Some((_, offset)) = damage {
        assert!(offset <= u64::try_from(at).unwrap(), "byte {at} was reported at {offset}");
    }
}

#[tokio::test]
async fn fault_32_opening_a_damaged_open_segment_for_writing_names_the_place_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let (log, _) = open(&made, large());
    append_each(&log, 1..=5).await;
    log.close().await;
    let file = segment_files(&made).remove(0);
    let content = fs::read(&file).unwrap();
    for at in 0..written(&content) {
        let mut flipped = content.clone();
        flipped[at] ^= 0x10;
        fs::write(&file, &flipped).unwrap();
        let error = EventLog::open(&made, large()).map(|_| ()).unwrap_err();
        let (found, offset) = place_of(&error);
        assert_eq!(found, file);
        assert!(offset <= u64::try_from(at).unwrap(), "byte {at} was reported at {offset}");
        assert_eq!(fs::read(&file).unwrap(), flipped, "byte {at}: the file was changed");
    }
    assert!(!made.join("torn").exists());
    fs::write(&file, &content).unwrap();
    assert_eq!(open(&made, large()).1.head.position, 5);
}

#[tokio::test]
async fn damage_in_the_middle_is_told_from_a_torn_write_without_the_head_file_too() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), large());
    append_each(&log, 1..=9).await;
    log.close().await;
    fs::remove_file(dir.path().join("head")).unwrap();
    let file = segment_files(dir.path()).remove(0);
    let content = fs::read(&file).unwrap();
    let mut flipped = content.clone();
    flipped[700] ^= 1;
    fs::write(&file, &flipped).unwrap();
    let (found, offset) = place_of(&EventLog::open(dir.path(), large()).map(|_| ()).unwrap_err());
    assert_eq!(found, file);
    assert!((128..=700).contains(&offset));
    // Reading what is before the damage works, and ends with it.
    let reader = LogReader::open(dir.path()).unwrap();
    let read = reader.read(Query::default()).collect::<Vec<_>>();
    assert!(read.len() > 1);
    assert!(matches!(read.last(), Some(Err(ReadError::Damaged { .. }))));
    assert!(read[..read.len() - 1].iter().all(Result::is_ok));
}

#[tokio::test]
async fn fault_35_a_log_that_ends_before_the_head_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), large());
    append_each(&log, 1..=4).await;
    log.close().await;
    let yesterday = dir.path().join("yesterday");
    copy(&dir.path().join("segments"), &yesterday);
    let (log, _) = open(dir.path(), large());
    append_each(&log, 5..=6).await;
    log.close().await;
    fs::remove_dir_all(dir.path().join("segments")).unwrap();
    fs::rename(&yesterday, dir.path().join("segments")).unwrap();
    let refused = EventLog::open(dir.path(), large()).map(|_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::Shortened { found: 4, known: 6, .. }), "{refused:?}");
}

#[tokio::test]
async fn fault_36_a_missing_or_foreign_segment_is_named_and_other_files_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let (log, _) = open(&made, small());
    append_each(&log, 1..=100).await;
    log.close().await;
    let files = segment_files(&made);
    assert!(files.len() >= 4);
    fs::write(made.join("segments/notes.txt"), "mine").unwrap();
    fs::write(made.join("segments/7.seg"), "also mine").unwrap();
    for missing in [0, 1, files.len() - 1] {
        let kept = fs::read(&files[missing]).unwrap();
        fs::remove_file(&files[missing]).unwrap();
        let refused = EventLog::open(&made, small()).map(|_| ()).unwrap_err();
        match files.get(missing + 1) {
            Some(next) => assert_eq!(place_of(&refused), (next.clone(), 0)),
            None => assert!(matches!(refused, OpenError::Shortened { known: 100, .. }), "{refused:?}"),
        }
        fs::write(&files[missing], kept).unwrap();
    }
    // A segment of another log under the right name.
    let foreign = dir.path().join("foreign");
    let (log, _) = open(&foreign, small());
    append_each(&log, 1..=100).await;
    log.close().await;
    let kept = fs::read(&files[1]).unwrap();
    fs::copy(&segment_files(&foreign)[1], &files[1]).unwrap();
    assert_eq!(place_of(&EventLog::open(&made, small()).map(|_| ()).unwrap_err()), (files[1].clone(), 0));
    fs::write(&files[1], kept).unwrap();
    let (log, report) = open(&made, small());
    assert_eq!((report.head.position, report.torn), (100, None));
    assert!(log.reader().verify(.., &mut |_| ()).unwrap().is_sound());
    assert_eq!(fs::read_to_string(made.join("segments/7.seg")).unwrap(), "also mine");
}

#[tokio::test]
async fn fault_34_verification_finds_records_that_were_swapped_with_sound_checksums() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), large());
    // Two groups of the same length: exchanging them leaves every checksum of a body right.
    append_each(&log, 1..=4).await;
    let report = log.reader().verify(.., &mut |_| ()).unwrap();
    assert_eq!((report.records, report.commits, report.segments), (4, 4, 1));
    assert!(report.is_sound());
    let scrubbed = log.reader().scrub(.., &mut |_| ()).unwrap();
    assert_eq!((scrubbed.records, scrubbed.commits, scrubbed.head), (4, 4, report.head));
    log.close().await;
    let file = segment_files(dir.path()).remove(0);
    let reader = LogReader::open(dir.path()).unwrap();
    let content = fs::read(&file).unwrap();
    let end = written(&content);
    let length = (end - 128) / 5;
    let mut moved = content.clone();
    moved.copy_within(end - length..end, end - 2 * length);
    fs::write(&file, &moved).unwrap();
    assert!(!reader.verify(.., &mut |_| ()).unwrap().is_sound());
}

#[tokio::test]
async fn without_indexes_and_catalogue_the_answers_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    append_each(&log, 1..=150).await;
    log.cursors().store("board", 70).unwrap();
    log.close().await;
    let answers = |reader: &LogReader| {
        let tagged = Query { items: vec![item(&[], &["bed:3", "ward:1"])], ..Query::default() };
        let found = reader.read(tagged).map(|record| record.unwrap().position).collect::<Vec<_>>();
        let keys = (1..=151).map(|number| reader.position_of(&key(number)).unwrap()).collect::<Vec<_>>();
        (found, keys, everything(reader))
    };
    let expected = answers(&LogReader::open(dir.path()).unwrap());
    assert_eq!(expected.1.iter().flatten().count(), 150);
    let indexes = files(&dir.path().join("segments"), "idx");
    assert!(indexes.len() >= 3);
    let hurt: [&dyn Fn(&Path); 4] = [
        &|file| fs::remove_file(file).unwrap(),
        &|file| fs::write(file, b"").unwrap(),
        &|file| {
            let mut bytes = fs::read(file).unwrap();
            for at in (5..bytes.len()).step_by(997) {
                bytes[at] ^= 4;
            }
            fs::write(file, bytes).unwrap();
        },
        &|file| {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        },
    ];
    for (number, hurt) in hurt.iter().enumerate() {
        for file in &indexes {
            hurt(file);
        }
        assert_eq!(answers(&LogReader::open(dir.path()).unwrap()), expected, "a reader, hurt {number}");
        if number % 2 == 0 {
            fs::remove_dir_all(dir.path().join("catalogue")).unwrap();
        }
        let (log, report) = open(dir.path(), small());
        assert_eq!(answers(&log.reader()), expected, "the writer, hurt {number}");
        assert_eq!(report.indexes_rebuilt.len(), indexes.len(), "hurt {number}");
        assert_eq!(append(&log, vec![plain(9)]).await.duplicates, [true]);
        log.close().await;
    }
}

#[tokio::test]
async fn an_index_that_rots_while_the_log_is_open_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), small());
    append_each(&log, 1..=150).await;
    log.close().await;
    let (log, report) = open(dir.path(), small());
    assert!(report.indexes_rebuilt.is_empty());
    for file in files(&dir.path().join("segments"), "idx") {
        let length = fs::metadata(&file).unwrap().len();
        let handle = File::options().write(true).open(&file).unwrap();
        handle.write_all_at(&vec![0x5a; usize::try_from(length).unwrap()], 0).unwrap();
    }
    let tagged = Query { items: vec![item(&[], &["bed:3"])], ..Query::default() };
    let found = log.reader().read(tagged).map(|record| record.unwrap().position).collect::<Vec<_>>();
    assert_eq!(found, (1..=150).filter(|number| number % 7 == 3).collect::<Vec<_>>());
}

#[tokio::test]
async fn fault_46_a_catalogue_the_log_does_not_confirm_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(&dir.path().join("a"), small());
    append_each(&log, 1..=5).await;
    log.cursors().store("board", 5).unwrap();
    log.close().await;
    let (log, _) = open(&dir.path().join("b"), small());
    append_each(&log, 1..=9).await;
    log.close().await;
    fs::remove_dir_all(dir.path().join("b/catalogue")).unwrap();
    copy(&dir.path().join("a/catalogue"), &dir.path().join("b/catalogue"));
    let (log, report) = open(&dir.path().join("b"), small());
    assert!(report.catalogue_rebuilt.unwrap().contains("board"));
    assert_eq!(log.cursors().load("board").unwrap(), None);
    assert!(dir.path().join("b/catalogue.bad-0").exists());
    log.cursors().store("board", 9).unwrap();
    log.close().await;
    // Not a database at all.
    fs::remove_dir_all(dir.path().join("b/catalogue")).unwrap();
    fs::write(dir.path().join("b/catalogue"), "no folder").unwrap();
    let (log, report) = open(&dir.path().join("b"), small());
    assert!(report.catalogue_rebuilt.is_some());
    log.cursors().store("board", 8).unwrap();
    assert_eq!(log.cursors().load("board").unwrap(), Some(8));
}

#[tokio::test]
async fn what_lies_behind_a_missing_or_damaged_segment_is_read_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let (log, _) = open(&made, small());
    append_each(&log, 1..=100).await;
    log.close().await;
    let files = segment_files(&made);
    let first = |file: &Path| file.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    for hurt in 0..files.len() - 1 {
        for missing in [true, false] {
            let work = dir.path().join("work");
            copy(&made, &work);
            let file = segment_files(&work)[hurt].clone();
            if missing {
                fs::remove_file(&file).unwrap();
            } else {
                // Another byte than the one that is there, whatever that is: the log's id is by chance.
                let mut bytes = fs::read(&file).unwrap();
                bytes[20] ^= 0xff;
                fs::write(&file, bytes).unwrap();
            }
            let (gap, behind) = (first(&files[hurt]), first(&files[hurt + 1]));
            let reader = LogReader::open(&work).unwrap();
            assert_eq!(reader.head().position, 100);
            let mut before = reader.read(Query::default()).collect::<Vec<_>>();
            assert!(matches!(before.pop(), Some(Err(ReadError::Damaged { .. }))));
            let positions = before.iter().map(|record| record.as_ref().unwrap().position);
            assert!(positions.eq(1..gap));
            let after = reader.read(Query { after: behind - 1, ..Query::default() });
            assert!(after.map(|record| record.unwrap().position).eq(behind..=100));
            let mut backward = reader
                .read(Query { direction: eventlog::Direction::Backward, ..Query::default() })
                .collect::<Vec<_>>();
            assert!(matches!(backward.pop(), Some(Err(ReadError::Damaged { .. }))));
            assert_eq!(backward.len(), usize::try_from(101 - behind).unwrap());
            for number in 1..=100 {
                let lost = (gap..behind).contains(&number);
                let found = reader.position_of(&key(number));
                assert_eq!(found.as_ref().ok().copied(), (!lost).then_some(Some(number)), "{found:?}");
                assert_eq!(reader.record(number).is_err(), lost);
            }
            let report = reader.verify(.., &mut |_| ()).unwrap();
            assert!(!report.is_sound());
            assert_eq!(report.records, 100 - (behind - gap));
            assert!(EventLog::open(&work, small()).is_err(), "writing does not");
            fs::remove_dir_all(&work).unwrap();
        }
    }
}
