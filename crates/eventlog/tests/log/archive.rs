//! Archived segments: everything is read, proven, copied and mended as before, and nothing is lost on the way there.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use eventlog::{
    ArchiveError, ArchiveOrder, LogReader, OpenError, Options, Query, ReadError, Storage, archive,
    archive_with, repair,
};

use crate::{
    power::{DIR, check, dir, on, work},
    support::*,
    twin::{Call, EACCES, EIO, ENOSPC, Fault, Keep, Twin, is_segment},
};

fn before(position: u64) -> ArchiveOrder {
    ArchiveOrder { before: position, to: None }
}

fn all(to: &Path) -> ArchiveOrder {
    ArchiveOrder { before: u64::MAX, to: Some(to.into()) }
}

/// A closed log of `count` records in `dir`.
async fn filled(dir: &Path, options: Options, count: u64) {
    let (log, _) = open(dir, options);
    append_each(&log, 1..=count).await;
    log.close().await;
}

/// Everything that can be asked of a log.
fn answers(reader: &LogReader) -> impl PartialEq + std::fmt::Debug + use<> {
    let head = reader.head().position;
    let tagged = Query { items: vec![item(&[], &["bed:3"])], ..Query::default() };
    let tagged = reader.read(tagged).map(|record| record.unwrap().position).collect::<Vec<_>>();
    let found =
        (1..=head).map(|number| reader.position_of(&plain_of(reader, number)).unwrap()).collect::<Vec<_>>();
    let origins = reader.origins(0).map(|origin| origin.unwrap().last).collect::<Vec<_>>();
    let proofs = (1..=head).step_by(7).map(|position| reader.inclusion_proof(position, head).unwrap());
    let proofs = proofs.inspect(|proof| assert!(proof.holds())).collect::<Vec<_>>();
    let time = reader.at_time(NOON).unwrap();
    (everything(reader), tagged, found, origins, proofs, time)
}

fn plain_of(reader: &LogReader, position: u64) -> eventlog::Key {
    reader.record(position).unwrap().unwrap().key
}

fn count<T>(things: &[T]) -> u64 {
    things.len().try_into().unwrap()
}

fn packed_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, "zst")
}

#[tokio::test]
async fn an_archived_log_gives_the_very_same_answers_and_can_be_written_verified_and_copied() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    filled(&path, small(), 150).await;
    let originals = segment_files(&path).into_iter().map(|file| (file.clone(), fs::read(file).unwrap()));
    let originals = originals.collect::<Vec<_>>();
    let expected = answers(&LogReader::open(&path).unwrap());
    let mut told = Vec::new();
    let report = archive(&path, &before(100), &mut |progress| told.push(progress.position)).unwrap();
    assert!(report.archived.len() >= 4 && report.archived.len() + 1 < originals.len(), "{report:?}");
    assert!(report.archived.iter().all(|archived| *archived.positions.end() < 100));
    assert_eq!(told, report.archived.iter().map(|archived| *archived.positions.end()).collect::<Vec<_>>());
    assert_eq!(segment_files(&path).len() + report.archived.len(), originals.len());
    // Whatever unpacks zstd gives the segment as it was.
    for (archived, (_, bytes)) in report.archived.iter().zip(&originals) {
        let packed = fs::read(&archived.file).unwrap();
        assert!(archived.bytes > archived.packed && archived.packed == count(&packed));
        // All but the zeros filled ahead; the last checksum may end in zeros of its own.
        let unpacked = zstd::stream::decode_all(&*packed).unwrap();
        assert!(unpacked.len() >= written(bytes) && unpacked.len() < written(bytes) + 4);
        assert!(
            unpacked == bytes[..unpacked.len()],
            "{} unpacks to another segment",
            archived.file.display()
        );
    }
    let reader = LogReader::open(&path).unwrap();
    assert_eq!(answers(&reader), expected);
    let verified = reader.verify(.., &mut |_| ()).unwrap();
    assert!(verified.is_sound() && verified.records == 150, "{verified:?}");
    // A copy of it is a whole log, without an archive.
    let copy = root.path().join("copy");
    assert_eq!(reader.backup(&copy, &mut |_| ()).unwrap().copied, count(&originals));
    assert_eq!(reader.backup(&copy, &mut |_| ()).unwrap().kept, count(&originals));
    assert_eq!(answers(&LogReader::open(&copy).unwrap()), expected);
    // What is there is not archived again; the rest but the last is.
    let (log, opened) = open(&path, small());
    assert_eq!((opened.head.position, opened.torn, opened.indexes_rebuilt.len()), (150, None, 0));
    assert_eq!(append(&log, vec![plain(3)]).await.duplicates, [true]);
    append_each(&log, 151..=160).await;
    log.close().await;
    let again = archive(&path, &before(u64::MAX), &mut |_| ()).unwrap();
    assert_eq!(again.kept, count(&report.archived));
    assert_eq!(segment_files(&path).len(), 1);
    check_all(&LogReader::open(&path).unwrap(), 160);
}

fn check_all(reader: &LogReader, records: u64) {
    let found = everything(reader);
    assert_eq!(count(&found), records);
    assert!(found.iter().zip(1..).all(|(record, number)| as_new(record) == plain(number)));
}

#[tokio::test]
async fn an_index_of_an_archived_segment_that_is_gone_is_made_again_from_the_archive() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    filled(&path, small(), 80).await;
    // Without an index, opening the log would read the archive: such a segment is left.
    let indexes = files(&path.join("segments"), "idx");
    fs::remove_file(&indexes[0]).unwrap();
    let report = archive(&path, &before(u64::MAX), &mut |_| ()).unwrap();
    assert_eq!(report.without_index, [indexes[0].clone()]);
    let (log, opened) = open(&path, small());
    assert_eq!(opened.indexes_rebuilt, [indexes[0].clone()]);
    log.close().await;
    assert_eq!(archive(&path, &before(u64::MAX), &mut |_| ()).unwrap().archived.len(), 1);
    for index in &indexes {
        fs::remove_file(index).unwrap();
    }
    let (log, opened) = open(&path, small());
    assert_eq!(opened.indexes_rebuilt.len(), indexes.len());
    check_all(&log.reader(), 80);
    log.close().await;
}

#[tokio::test]
async fn a_log_whose_archive_is_away_opens_and_is_written_and_says_what_it_misses() {
    let root = tempfile::tempdir().unwrap();
    let (path, disk) = (root.path().join("log"), root.path().join("disk"));
    filled(&path, small(), 80).await;
    let report = archive(&path, &all(&disk), &mut |_| ()).unwrap();
    let missing = report.archived.last().unwrap().positions.end() + 1;
    fs::rename(&disk, root.path().join("unplugged")).unwrap();
    let (log, _) = open(&path, small());
    append_each(&log, 81..=90).await;
    let reader = log.reader();
    assert_eq!(as_new(&reader.record(missing).unwrap().unwrap()), plain(missing));
    match reader.record(3) {
        Err(ReadError::Io { file, .. }) => assert_eq!(file, report.archived[0].file),
        other => panic!("{other:?}"),
    }
    fs::rename(root.path().join("unplugged"), &disk).unwrap();
    assert_eq!(as_new(&reader.record(3).unwrap().unwrap()), plain(3));
    check_all(&reader, 90);
    log.close().await;
}

#[tokio::test]
async fn a_log_is_archived_while_it_is_written_and_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let (log, _) = open(&path, small());
    append_each(&log, 1..=60).await;
    let mut subscription = log.reader().subscribe(Query::default());
    for position in 1..=20 {
        assert_eq!(subscription.next().await.unwrap().position, position);
    }
    let mut half_read = log.reader().read(Query::default());
    assert_eq!(half_read.next().unwrap().unwrap().position, 1);
    let beside = LogReader::open(&path).unwrap();
    // By the writer itself, and by another process beside it.
    let report = log.archive(&before(40), &mut |_| ()).unwrap();
    assert!(!report.archived.is_empty());
    append_each(&log, 61..=120).await;
    let (number, folder) = (count(&report.archived), path.clone());
    let archiving = tokio::task::spawn_blocking(move || archive(&folder, &before(100), &mut |_| ()));
    append_each(&log, 121..=200).await;
    let report = archiving.await.unwrap().unwrap();
    assert_eq!(report.kept, number);
    for position in 21..=200 {
        assert_eq!(subscription.next().await.unwrap().position, position);
    }
    assert_eq!(
        half_read.map(|record| record.unwrap().position).collect::<Vec<_>>(),
        (2..=60).collect::<Vec<_>>()
    );
    beside.refresh().unwrap();
    check_all(&beside, 200);
    check_all(&log.reader(), 200);
    assert!(log.reader().verify(.., &mut |_| ()).unwrap().is_sound());
    assert_eq!(append(&log, vec![plain(7)]).await.positions, [7]);
    log.close().await;
    check_all(&LogReader::open(&path).unwrap(), 200);
}

#[tokio::test]
async fn segments_of_many_frames_are_read_in_their_middle() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    let (log, _) = open(&path, large());
    let mut random = fastrand::Rng::with_seed(1);
    let mut sizes = Vec::new();
    for number in 1..=400 {
        let length = random.usize(..9_000);
        let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(b'a'..b'k')).take(length).collect();
        sizes.push(bytes.clone());
        append(&log, vec![eventlog::NewRecord { bytes: bytes.into(), ..plain(number) }]).await;
    }
    let report = log.archive(&before(u64::MAX), &mut |_| ()).unwrap();
    assert!(report.archived.iter().all(|archived| archived.packed * 3 < archived.bytes * 2), "{report:?}");
    let reader = log.reader();
    for _ in 0..300 {
        let position = random.u64(1..=400);
        let record = reader.record(position).unwrap().unwrap();
        assert_eq!(record.bytes, sizes[usize::try_from(position).unwrap() - 1]);
    }
    assert_eq!(everything(&reader).len(), 400);
    log.close().await;
}

#[tokio::test]
async fn an_archive_moves_to_another_folder_and_not_onto_itself() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("log");
    filled(&path, small(), 60).await;
    let first = archive(&path, &before(u64::MAX), &mut |_| ()).unwrap();
    let segments = first.archived.len();
    // The log is moved, with its archive in it.
    let moved = root.path().join("moved");
    fs::rename(&path, &moved).unwrap();
    check_all(&LogReader::open(&moved).unwrap(), 60);
    // The same folder by other names.
    std::os::unix::fs::symlink(moved.join("archive"), root.path().join("alias")).unwrap();
    for same in [moved.join("archive"), moved.join("segments/../archive"), root.path().join("alias")] {
        let report = archive(&moved, &all(&same), &mut |_| ()).unwrap();
        assert_eq!((report.archived.len(), report.kept), (0, count(&first.archived)));
        check_all(&LogReader::open(&moved).unwrap(), 60);
    }
    // Another.
    let other = root.path().join("other");
    assert_eq!(archive(&moved, &all(&other), &mut |_| ()).unwrap().archived.len(), segments);
    assert_eq!((packed_files(&moved.join("archive")).len(), packed_files(&other).len()), (0, segments));
    check_all(&LogReader::open(&moved).unwrap(), 60);
    // The archive of one log is no place for another's.
    filled(&path, small(), 60).await;
    match archive(&path, &all(&other), &mut |_| ()) {
        Err(ArchiveError::Refused { file, .. }) => assert!(file.starts_with(&other)),
        refused => panic!("{refused:?}"),
    }
    check_all(&LogReader::open(&path).unwrap(), 60);
    check_all(&LogReader::open(&moved).unwrap(), 60);
}

#[tokio::test]
async fn two_do_not_archive_or_mend_at_once() {
    let disk = Twin::new();
    made(&disk, 40).await;
    let held = disk.lock(&dir().join("archive-lock")).unwrap();
    let storage = || Arc::new(disk.clone());
    let busy = archive_with(dir(), &before(u64::MAX), storage(), &mut |_| ());
    assert!(matches!(busy, Err(ArchiveError::Busy { .. })), "{busy:?}");
    let mended = eventlog::repair_with(dir(), Path::new("/copy"), storage(), &mut |_| ()).unwrap_err();
    assert!(mended.to_string().contains("archives"), "{mended}");
    drop(held);
    assert!(!archive_with(dir(), &before(u64::MAX), storage(), &mut |_| ()).unwrap().archived.is_empty());
}

/// A closed log on the twin of the disk.
async fn made(disk: &Twin, until: u64) {
    let (log, _) = open(dir(), on(disk));
    work(disk, &log, until).await.unwrap();
    log.close().await;
}

#[tokio::test]
async fn a_power_cut_after_any_step_of_archiving_loses_nothing_and_it_can_be_done_again() {
    let disk = Twin::new();
    made(&disk, 61).await;
    for to in [Path::new("archive"), Path::new("/other/disk")] {
        let (again, start) = disk.begin();
        archive_with(dir(), &all(to), Arc::new(again.clone()), &mut |_| ()).unwrap();
        // And from there to yet another folder.
        archive_with(dir(), &all(Path::new("/third")), Arc::new(again.clone()), &mut |_| ()).unwrap();
        let mut tried = 0;
        for (number, step) in again.steps_from(&start).enumerate() {
            let pending = step.pending();
            let single = (0..pending).flat_map(|one| [Keep::Only(one), Keep::AllBut(one)]);
            for keep in [Keep::Nothing, Keep::All, Keep::Coins(7)].into_iter().chain(single) {
                tried += 1;
                let after = step.crash(&keep);
                let what = format!("step {number}, {keep:?}");
                check(&after).await.unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
                archive_with(dir(), &all(to), Arc::new(after.clone()), &mut |_| ())
                    .unwrap_or_else(|error| panic!("{what}: {error:?}"));
                check(&after.crash(&Keep::Nothing)).await.unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
            }
        }
        assert!(tried > 100, "{tried}");
    }
}

#[tokio::test]
async fn an_error_of_the_disk_at_any_step_of_archiving_leaves_every_record_where_it_can_be_read() {
    let disk = Twin::new();
    made(&disk, 40).await;
    let calls = [
        (Call::Write, ENOSPC),
        (Call::Write, EIO),
        (Call::Sync, EIO),
        (Call::Create, ENOSPC),
        (Call::Rename, EIO),
        (Call::Remove, EIO),
        (Call::SyncFolder, EIO),
        (Call::MakeFolder, EACCES),
        (Call::Read, EIO),
        (Call::Open, EACCES),
        (Call::List, EIO),
        (Call::Lock, EACCES),
    ];
    for (call, error) in calls {
        for from in 1.. {
            let again = disk.crash(&Keep::All);
            again.set_fault(Some(Fault { call, from, once: true, error, through: 3 }));
            let outcome = archive_with(dir(), &before(u64::MAX), Arc::new(again.clone()), &mut |_| ());
            let hits = again.hits();
            again.set_fault(None);
            check(&again).await.unwrap_or_else(|wrong| panic!("{call:?} {from}: {wrong}"));
            check(&again.crash(&Keep::Nothing))
                .await
                .unwrap_or_else(|wrong| panic!("{call:?} {from}: {wrong}"));
            if hits == 0 {
                outcome.unwrap();
                assert!(from > 1, "{call:?} is never made");
                break;
            }
        }
    }
}

#[tokio::test]
async fn any_flipped_byte_of_an_archive_is_found_and_named_and_never_served() {
    let disk = Twin::new();
    made(&disk, 61).await;
    let report = archive_with(dir(), &before(u64::MAX), Arc::new(disk.clone()), &mut |_| ()).unwrap();
    let archived = &report.archived[0];
    let good = disk.read(&archived.file).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        disk.put(&archived.file, &bad);
        damage_is_named(&disk, &archived.file, &format!("byte {at}"));
    }
    for length in [0, 1, 8, good.len() / 2, good.len() - 1] {
        disk.put(&archived.file, &good[..length]);
        damage_is_named(&disk, &archived.file, &format!("{length} bytes"));
    }
    // Another segment's file, sound in itself.
    disk.put(&archived.file, &disk.read(&report.archived[1].file).unwrap());
    damage_is_named(&disk, &archived.file, "a foreign file");
    disk.put(&archived.file, &good);
    check(&disk).await.unwrap();
}

fn damage_is_named(disk: &Twin, file: &Path, what: &str) {
    let reader = LogReader::open_with(dir(), Arc::new(disk.clone())).unwrap();
    let length = count(&disk.read(file).unwrap());
    let verified = reader.verify(.., &mut |_| ()).unwrap();
    let finding = verified.findings.first().unwrap_or_else(|| panic!("{what}: not found"));
    assert!(finding.file == file && finding.offset <= length, "{what}: {finding:?}");
    for record in reader.read(Query::default()) {
        match record {
            Ok(record) => assert_eq!(as_new(&record), plain(record.position), "{what}"),
            Err(ReadError::Damaged { file: named, .. }) => assert_eq!(named, file, "{what}"),
            Err(error) => panic!("{what}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn a_pointer_that_does_not_parse_is_damage_that_a_copy_mends() {
    let root = tempfile::tempdir().unwrap();
    let (path, copy) = (root.path().join("log"), root.path().join("copy"));
    filled(&path, small(), 100).await;
    LogReader::open(&path).unwrap().backup(&copy, &mut |_| ()).unwrap();
    let report = archive(&path, &before(u64::MAX), &mut |_| ()).unwrap();
    let pointer = files(&path.join("segments"), "arc")[1].clone();
    let good = fs::read(&pointer).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&pointer, &bad).unwrap();
        match eventlog::EventLog::open(&path, small()) {
            Err(OpenError::Damaged(ReadError::Damaged { file, .. })) => assert_eq!(file, pointer),
            other => panic!("byte {at}: {other:?}"),
        }
    }
    let mended = repair(&path, &copy, &mut |_| ()).unwrap();
    assert_eq!((mended.repaired.len(), mended.unrepaired.len()), (1, 0), "{mended:?}");
    // A packed file that is damaged is mended the same way: the original is back, and can be archived again.
    fs::write(&report.archived[3].file, b"something else").unwrap();
    let mended = repair(&path, &copy, &mut |_| ()).unwrap();
    assert_eq!((mended.repaired.len(), mended.unrepaired.len()), (1, 0), "{mended:?}");
    check_all(&LogReader::open(&path).unwrap(), 100);
    let again = archive(&path, &before(u64::MAX), &mut |_| ()).unwrap();
    assert_eq!((again.archived.len(), again.kept), (2, count(&report.archived) - 2));
    let (log, _) = open(&path, small());
    check_all(&log.reader(), 100);
    log.close().await;
}

#[tokio::test]
async fn a_damaged_segment_is_not_archived() {
    let disk = Twin::new();
    made(&disk, 75).await;
    let folder = dir().join("segments");
    let second = folder.join(disk.names(&folder).into_iter().filter(|name| is_segment(name)).nth(1).unwrap());
    let mut bytes = disk.read(&second).unwrap();
    bytes[700] ^= 1;
    disk.put(&second, &bytes);
    match archive_with(dir(), &before(u64::MAX), Arc::new(disk.clone()), &mut |_| ()) {
        Err(ArchiveError::Read(ReadError::Damaged { file, .. })) => assert_eq!(file, second),
        other => panic!("{other:?}"),
    }
    assert_eq!(disk.read(&second).unwrap(), bytes);
    // The one before it was.
    assert_eq!(disk.names(Path::new(DIR).join("archive").as_path()).len(), 1);
}
