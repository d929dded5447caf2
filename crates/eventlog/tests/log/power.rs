//! Power cuts, gone through one by one on the twin of the disk: after every step, with every part of what was not
//! synced lost or kept, and every write torn at every byte.

use std::{path::Path, sync::Arc};

use eventlog::{Batch, EventLog, Options, Query};

use crate::{
    support::*,
    twin::{Keep, Twin},
};

pub(crate) const DIR: &str = "/data/region/log";

pub(crate) fn on(disk: &Twin) -> Options {
    Options { storage: Arc::new(disk.clone()), catalogue: false, ..small() }
}

pub(crate) fn dir() -> &'static Path {
    Path::new(DIR)
}

/// Where the batches of [`work`] end: 1, 2, 5, 7, 8 …
pub(crate) fn ends() -> impl Iterator<Item = u64> {
    [1, 1, 3, 2].into_iter().cycle().scan(0, |end, size| {
        *end += size;
        Some(*end)
    })
}

/// Appends the batches behind the head up to `until`, and notes what was acknowledged; stops at an error.
pub(crate) async fn work(disk: &Twin, log: &EventLog, until: u64) -> Result<(), eventlog::AppendError> {
    let head = log.head().position;
    let mut first = head + 1;
    for end in ends().skip_while(|end| *end <= head).take_while(|end| *end <= until) {
        let records = (first..=end).map(plain).collect();
        log.append(Batch { records, ..Batch::default() }).await?;
        disk.acknowledge(end);
        first = end + 1;
    }
    Ok(())
}

/// A log of four segments, made by two writers.
async fn two_writers(disk: &Twin) {
    for until in [40, 75] {
        let (log, _) = open(dir(), on(disk));
        work(disk, &log, until).await.unwrap();
        log.close().await;
    }
}

/// Opens the log after a crash and says what is wrong with it, if anything is.
pub(crate) async fn check(disk: &Twin) -> Result<(), String> {
    let acknowledged = disk.acknowledged();
    let opened = EventLog::open(dir(), on(disk));
    let (log, report) = opened.map_err(|error| format!("it does not open: {error:?}"))?;
    let head = report.head.position;
    if head < acknowledged {
        return Err(format!("{acknowledged} was acknowledged, the log ends at {head}"));
    }
    if head != 0 && !ends().take_while(|end| *end <= head).any(|end| end == head) {
        return Err(format!("half of a batch is there: the log ends at {head}"));
    }
    let mut position = 0;
    for record in log.reader().read(Query::default()) {
        let record = record.map_err(|error| format!("after {position}: {error}"))?;
        position += 1;
        if record.position != position || as_new(&record) != plain(position) {
            return Err(format!("{record:?} is served at {position}"));
        }
    }
    if position != head {
        return Err(format!("{position} records are served, the head is {head}"));
    }
    let next = ends().find(|end| *end > head).unwrap();
    let records = (head + 1..=next).map(plain).collect();
    let appended =
        log.append(Batch { records, ..Batch::default() }).await.map_err(|error| error.to_string())?;
    if appended.positions.last() != Some(&next) || appended.duplicates.contains(&true) {
        return Err(format!("writing on after {head} gave {appended:?}"));
    }
    disk.acknowledge(next);
    Ok(())
}

/// Every way to lose parts of what is pending, but single bytes.
fn ways(pending: usize) -> impl Iterator<Item = Keep> {
    let single = (0..pending).flat_map(|number| [Keep::Only(number), Keep::AllBut(number)]);
    let coins = (0..if pending > 1 { 4 } else { 0 }).map(Keep::Coins);
    [Keep::Nothing, Keep::All].into_iter().chain(single).chain(coins)
}

/// Every way to tear a write of so many bytes: at each byte, and without a part in its middle or at its start.
fn tears(length: usize) -> impl Iterator<Item = Keep> {
    let (every, chunk) = if length > 1_024 { (509, 512) } else { (1, 16) };
    let ends = (1..length).step_by(every).map(|at| Keep::TornLast(0..at));
    let starts = (1..length).step_by(chunk).map(move |at| Keep::TornLast(at..length));
    let middles = (0..length).step_by(chunk).map(move |at| Keep::TornLast(at..at + chunk));
    ends.chain(starts).chain(middles)
}

/// The first crash of these steps that breaks a promise, and how many were tried.
async fn first_broken(steps: impl Iterator<Item = Twin>, torn: bool) -> Result<usize, String> {
    let mut tried = 0;
    for (number, step) in steps.enumerate() {
        let tears = tears(if torn { step.last_write() } else { 0 });
        for keep in ways(step.pending()).chain(tears) {
            tried += 1;
            let after = step.crash(&keep);
            check(&after).await.map_err(|what| format!("step {number}, {keep:?}: {what}"))?;
        }
    }
    Ok(tried)
}

#[tokio::test]
async fn fault_41_a_power_cut_after_any_step_loses_nothing_that_was_acknowledged() {
    let disk = Twin::new();
    two_writers(&disk).await;
    assert!(
        disk.names(&dir().join("segments")).iter().filter(|name| crate::twin::is_segment(name)).count() >= 4
    );
    let tried = first_broken(disk.steps(), false).await.unwrap();
    assert!(tried > 1_000, "{tried}");
}

#[tokio::test]
async fn fault_30_a_power_cut_that_tears_any_write_at_any_byte_leaves_whole_batches() {
    let disk = Twin::new();
    let (log, _) = open(dir(), on(&disk));
    work(&disk, &log, 19).await.unwrap();
    log.close().await;
    let tried = first_broken(disk.steps(), true).await.unwrap();
    assert!(tried > 2_000, "{tried}");
}

#[tokio::test]
async fn fault_41_a_power_cut_while_a_group_of_many_pieces_is_written_leaves_all_of_it_or_nothing() {
    const RECORDS: u64 = 400;
    let disk = Twin::new();
    let (log, _) = open(dir(), on(&disk));
    log.append(Batch { records: (1..=RECORDS).map(plain).collect(), ..Batch::default() }).await.unwrap();
    disk.acknowledge(RECORDS);
    log.close().await;
    let (mut pieces, mut outcomes) = (0, [0, 0]);
    for step in disk.steps() {
        pieces = pieces.max(step.pending());
        for keep in ways(step.pending()) {
            let after = step.crash(&keep);
            let (log, report) = open(dir(), on(&after));
            let head = report.head.position;
            assert!(head >= step.acknowledged() && (head == 0 || head == RECORDS), "{keep:?}: {head}");
            let read = log.reader().read(Query::default()).map(|record| as_new(&record.unwrap()));
            assert!(read.eq((1..=head).map(plain)), "{keep:?}");
            outcomes[usize::from(head > 0)] += 1;
            log.close().await;
        }
    }
    assert!(pieces > 2, "{pieces}");
    assert!(outcomes.iter().all(|count| *count > 10), "{outcomes:?}");
}

#[tokio::test]
async fn fault_41_a_power_cut_during_recovery_is_recovered_from() {
    let disk = Twin::new();
    let (log, _) = open(dir(), on(&disk));
    work(&disk, &log, 30).await.unwrap();
    log.close().await;
    let mut recovered = 0;
    for step in disk.steps().filter(|step| step.last_write() > 300 && step.last_write() < 4_000) {
        let length = step.last_write();
        for keep in [Keep::TornLast(0..length / 2), Keep::TornLast(length / 2..length), Keep::All] {
            let (again, start) = step.crash(&keep).begin();
            let (log, _) = open(dir(), on(&again));
            log.close().await;
            first_broken(again.steps_from(&start), false).await.unwrap();
            recovered += 1;
        }
    }
    assert!(recovered > 10, "{recovered}");
}

#[tokio::test]
async fn fault_42_without_the_sync_of_a_folder_a_power_cut_would_lose_acknowledged_records() {
    let disk = Twin::lying(true, false);
    two_writers(&disk).await;
    let broken = first_broken(disk.steps(), false).await.unwrap_err();
    assert!(broken.contains("was acknowledged, the log ends at"), "{broken}");
}

#[tokio::test]
async fn without_the_sync_of_a_file_a_power_cut_would_lose_acknowledged_records() {
    let disk = Twin::lying(false, true);
    two_writers(&disk).await;
    first_broken(disk.steps(), false).await.unwrap_err();
}
