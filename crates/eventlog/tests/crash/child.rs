//! The process that is killed: several producers, a reader, a subscriber, backups, signed heads and rotation, all at
//! once. It says on its standard output what it was told, one line each, and nothing before it was told.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::exit,
};

use eventlog::{AppendError, EventLog, LogReader, Query, QueryItem};

use crate::load::{Checker, Name, hex, options};

/// The exit code of a log that could not be opened.
pub(crate) const NOT_OPENED: i32 = 4;
/// The exit code of a log that has stopped, and stayed so.
pub(crate) const STOPPED: i32 = 5;
/// The exit code of something that must not be.
pub(crate) const WRONG: i32 = 6;

/// One line, in one write: a kill cuts at most the last.
fn say(line: &str) {
    if std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).is_err() {
        exit(0);
    }
}

fn wrong(what: &str) -> ! {
    say(&format!("wrong {what}"));
    exit(WRONG)
}

/// `DIR BATCHES NEXT …`: so many batches of each producer, from the number it is at. Nothing but appends if `quiet`
/// follows `DIR`.
pub(crate) fn run(plan: &[&str]) {
    let [dir, batches, kind, next @ ..] = plan else { panic!("a plan has more words: {plan:?}") };
    let batches: u64 = batches.parse().unwrap();
    let opened = EventLog::open(Path::new(dir), options());
    let log = match opened {
        Ok((log, _)) => log,
        Err(error) => {
            eprintln(&format!("not opened: {error:?}"));
            exit(NOT_OPENED)
        }
    };
    say("open");
    if *kind == "busy" {
        beside(&log, PathBuf::from(format!("{dir}-copy")));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let producers = (0_u16..).zip(next).map(|(producer, next)| {
            let from: u64 = next.parse().unwrap();
            tokio::spawn(produce(log.clone(), producer, from..from + batches))
        });
        for producer in producers.collect::<Vec<_>>() {
            producer.await.unwrap();
        }
        if log.signed_head().is_ok() {
            say("signed");
        }
        log.close().await;
    });
    say("done");
}

fn eprintln(line: &str) {
    // For whoever looks; a broken pipe does not matter.
    let _told = writeln!(std::io::stderr(), "{line}");
}

async fn produce(log: EventLog, producer: u16, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let name = Name { producer, number };
        let appended = loop {
            let batch = match name.batch(&log.reader()) {
                Ok(batch) => batch,
                // The disk did not answer: that is said, and nothing was appended.
                Err(error) => {
                    eprintln(&format!("not read: {error:?}"));
                    exit(NOT_OPENED)
                }
            };
            match log.append(batch).await {
                Ok(appended) => break appended,
                Err(AppendError::ConditionFailed { .. }) => {}
                Err(AppendError::Stopped { .. }) => stopped(&log).await,
                Err(error) => {
                    eprintln(&format!("not appended: {error:?}"));
                    exit(NOT_OPENED)
                }
            }
        };
        let (first, last) = (appended.positions[0], appended.positions.last().copied().unwrap());
        if last - first + 1 != appended.positions.len() as u64 {
            wrong(&format!("batch {name:?} is not in one piece: {appended:?}"));
        }
        say(&format!("ack {producer} {number} {first} {last}"));
    }
}

/// A log that stopped stays so, whatever the disk would say the next time.
async fn stopped(log: &EventLog) -> ! {
    let again = log.append(Name { producer: u16::MAX, number: 0 }.records().swap_remove(0).into()).await;
    if !matches!(again, Err(AppendError::Stopped { .. })) || log.failure().is_none() {
        wrong(&format!("a log that stopped went on: {again:?}"));
    }
    say("stopped");
    exit(STOPPED)
}

/// Everything else that goes on, each in a thread of its own and for ever.
fn beside(log: &EventLog, copy: PathBuf) {
    let reader = log.reader();
    std::thread::spawn({
        let reader = reader.clone();
        move || loop {
            read(&reader);
        }
    });
    std::thread::spawn({
        let reader = reader.clone();
        move || loop {
            match reader.backup(&copy, &mut |_| ()) {
                Ok(report) => say(&format!("copied {}", report.head.position)),
                Err(error) => wrong(&format!("no backup: {error:?}")),
            }
        }
    });
    std::thread::spawn({
        let log = log.clone();
        move || loop {
            sign(&log);
        }
    });
    std::thread::spawn(move || subscribe(&reader));
}

fn sign(log: &EventLog) {
    match log.signed_head() {
        Ok(head) => {
            say(&format!("head {} {}", head.tree().size, hex(&head.tree().root)));
        }
        Err(error) => wrong(&format!("no head: {error:?}")),
    }
    if let Err(error) = log.cursors().store("reader", log.head().position) {
        wrong(&format!("no cursor: {error:?}"));
    }
    // As often as it can would be all it does.
    std::thread::sleep(std::time::Duration::from_millis(5));
}

/// A query by tag gives exactly what it should, in order.
fn read(reader: &LogReader) {
    let tag: Box<str> = format!("producer:{}", fastrand::u16(..8)).into();
    let head = reader.head().position;
    let after = if head == 0 { 0 } else { fastrand::u64(..head) };
    let item = QueryItem { types: Vec::new(), tags: vec![tag.clone()] };
    let query = Query { items: vec![item], after, limit: Some(50), ..Query::default() };
    let (mut before, mut checker) = (after, Checker::default());
    for record in reader.read(query) {
        match record {
            Ok(record) if record.position > before && record.tags.contains(&tag) => {
                before = record.position;
                if let Err(what) = checker.check(&record) {
                    wrong(&what);
                }
            }
            other => wrong(&format!("a query for {tag} after {before} gave {other:?}")),
        }
    }
}

/// Everything from somewhere on comes, without a gap.
fn subscribe(reader: &LogReader) {
    let head = reader.head().position;
    let mut last = if head == 0 { 0 } else { fastrand::u64(..head) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut checker = Checker::default();
    let mut subscription = reader.subscribe(Query { after: last, ..Query::default() });
    while let Ok(record) = runtime.block_on(subscription.next()) {
        if record.position != last + 1 {
            wrong(&format!("a subscription gave {} after {last}", record.position));
        }
        last = record.position;
        if let Err(what) = checker.check(&record) {
            wrong(&what);
        }
    }
}
