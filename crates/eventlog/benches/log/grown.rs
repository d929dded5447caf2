//! What depends on how much is in the log already: it grows from 10^5 to 10^7 events, and at every size it is killed,
//! opened, asked and appended to, by processes of their own (`child`).

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use bytes::Bytes;
use eventlog::{Batch, EventLog, LogReader, Options};

use crate::{
    append::{Case, append},
    events::{PER_ORDER, Shape, event},
    table::{Row, Table, as_f64, median, millis, rate},
};

/// Where the log is looked at.
const SIZES: [u64; 4] = [100_000, 1_000_000, 5_000_000, 10_000_000];
/// Made ahead at once: 80 MiB.
const READY: u64 = 25 * BATCH;
const BATCH: u64 = 4_096;
/// Events of each round with 64 producers.
const PRODUCED: u64 = 16_000;
/// Where the numbers of events begin that are not the bulk's.
const ASIDE: u64 = 1 << 40;
/// Numbers that a process of its own may use.
const OWN: u64 = 1 << 24;
const SHAPE: Shape = Shape::Protobuf;

/// What was found at one size.
#[derive(Debug)]
struct Found {
    events: u64,
    bulk: f64,
    producers: f64,
    query: f64,
    open: f64,
    opened_memory: f64,
    used_memory: f64,
    bytes: f64,
}

/// A log that grows; kept for the parts that only read.
#[derive(Debug)]
pub(crate) struct Grown {
    dir: PathBuf,
    rounds: usize,
    /// The next number of the bulk, and of everything else.
    bulk: u64,
    aside: u64,
}

impl Grown {
    /// A new log.
    pub(crate) fn new(dir: &Path, rounds: usize) -> Grown {
        let dir = dir.join("grown");
        drop(std::fs::remove_dir_all(&dir));
        Grown { dir, rounds, bulk: 0, aside: ASIDE }
    }

    /// Lets it grow, and prints what was found at every size and what has an aim.
    pub(crate) fn measure(&mut self, until: u64, table: &mut Table) {
        let sizes = SIZES.into_iter().filter(|size| *size <= until);
        let found = sizes.map(|size| self.at(size)).collect::<Vec<_>>();
        for found in &found {
            aims(found, table);
        }
        let all = |value: &dyn Fn(&Found) -> String| found.iter().map(value).collect::<Vec<_>>().join(" → ");
        let sizes = all(&|found| found.events.to_string());
        let mut growth = |what: &str, measured: String| {
            table.row(&Row {
                what: format!("growth: {what}; at {sizes} events"),
                measured,
                ..Row::default()
            });
        };
        growth("bulk append up to there", all(&|found| rate(found.bulk)));
        growth("64 producers", all(&|found| rate(found.producers)));
        growth("query by a tag with 10 events", all(&|found| format!("{:.1} µs", found.query)));
        growth("open after kill -9", all(&|found| millis(found.open)));
        growth("memory, just opened", all(&|found| format!("{:.0} MiB", found.opened_memory)));
        growth("memory, after use", all(&|found| format!("{:.0} MiB", found.used_memory)));
        growth(
            "bytes on disk beyond the stored ones, per event",
            all(&|found| format!("{:.1}", found.bytes)),
        );
    }

    /// Lets it grow to a size; events in a second.
    pub(crate) fn grow(&mut self, size: u64) -> f64 {
        let runtime = crate::runtime();
        let (log, _) = EventLog::open(&self.dir, Options::default()).unwrap();
        let (mut grown, mut seconds) = (0, 0.0);
        while log.head().position < size {
            let mut missing = (size - log.head().position).min(READY);
            let mut ready = Vec::new();
            while missing > 0 {
                let next = self.bulk + missing.min(BATCH);
                let records = (self.bulk..next).map(|number| event(SHAPE, number)).collect::<Vec<_>>();
                ready.push(Batch { records, condition: None, origin: Bytes::new() });
                missing -= next - self.bulk;
                grown += next - self.bulk;
                self.bulk = next;
            }
            let start = Instant::now();
            runtime.block_on(async {
                for batch in ready {
                    log.append(batch).await.unwrap();
                }
            });
            seconds += start.elapsed().as_secs_f64();
        }
        runtime.block_on(log.close());
        as_f64(grown) / seconds
    }

    fn at(&mut self, size: u64) -> Found {
        let bulk = self.grow(size);
        let bytes = as_f64(bytes_of(&self.dir)) / as_f64(self.head()) - as_f64(SHAPE.bytes());
        let query = median((0..self.rounds).map(|_| self.ask("query", self.bulk / PER_ORDER)[0]).collect());
        let (mut open, mut opened_memory) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            self.kill_while_writing();
            let found = self.ask("open", 0);
            open.push(found[0]);
            opened_memory.push(found[1]);
        }
        let number = self.own_numbers();
        let used_memory = self.ask("use", number)[0];
        let runtime = crate::runtime();
        let (log, _) = EventLog::open(&self.dir, Options::default()).unwrap();
        let case = Case { producers: 64, batch: 1, conditional: false, events: PRODUCED };
        let round = |_| runtime.block_on(append(&log, SHAPE, case, &mut self.aside));
        let producers = median((0..self.rounds).map(round).collect());
        runtime.block_on(log.close());
        let (open, opened_memory) = (median(open), median(opened_memory));
        Found { events: size, bulk, producers, query, open, opened_memory, used_memory, bytes }
    }

    /// How many events there are.
    pub(crate) fn head(&self) -> u64 {
        LogReader::open(&self.dir).unwrap().head().position
    }

    fn own_numbers(&mut self) -> u64 {
        self.aside += OWN;
        self.aside - OWN
    }

    /// A process that appends until it is killed.
    fn kill_while_writing(&mut self) {
        let number = self.own_numbers();
        let mut child = self.child("write", number);
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn child(&self, role: &str, number: u64) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--child", role]).arg(&self.dir).arg(number.to_string());
        command.stdout(Stdio::piped()).spawn().unwrap()
    }

    /// What a process of its own has found.
    pub(crate) fn ask(&self, role: &str, number: u64) -> Vec<f64> {
        let output = self.child(role, number).wait_with_output().unwrap();
        assert!(output.status.success(), "{role}");
        let said = String::from_utf8(output.stdout).unwrap();
        said.split_whitespace().map(|word| word.parse().unwrap()).collect()
    }

    /// As many times as there are rounds, the middle of every number.
    pub(crate) fn ask_often(&self, role: &str, number: u64) -> Vec<f64> {
        let rounds = (0..self.rounds).map(|_| self.ask(role, number)).collect::<Vec<_>>();
        (0..rounds[0].len()).map(|place| median(rounds.iter().map(|round| round[place]).collect())).collect()
    }
}

/// What has an aim, at the size that the aim names.
fn aims(found: &Found, table: &mut Table) {
    if found.events == 5_000_000 {
        table.aim("query by a tag with 10 events among 5 million, decoded", found.query, "µs", (20.0, 10.0));
    }
    if found.events == 10_000_000 {
        let memory = found.opened_memory.max(found.used_memory);
        table.aim("open after kill -9, 10 million events", found.open, "ms", (300.0, 100.0));
        table.aim("memory of the open log in use, 10 million events", memory, "MiB", (150.0, 100.0));
        let what = "bytes on disk beyond the stored bytes, all files, 10 million events";
        table.aim(what, found.bytes, "per event", (140.0, 110.0));
    }
}

/// Bytes of every file.
pub(crate) fn bytes_of(dir: &Path) -> u64 {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let about = entry.metadata().unwrap();
        bytes += if about.is_dir() { bytes_of(&entry.path()) } else { about.len() };
    }
    bytes
}
