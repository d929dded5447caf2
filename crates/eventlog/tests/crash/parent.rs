//! Starting the process, and what it has said.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
};

use crate::{SILENCE_MAX, load::Name};

/// Everything the processes of one log were told, one after the other.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) dir: PathBuf,
    /// Where each producer goes on.
    pub(crate) next: Vec<u64>,
    /// The first and last position of every batch that was acknowledged.
    pub(crate) batches: BTreeMap<Name, (u64, u64)>,
    /// Heads that were signed.
    pub(crate) heads: BTreeMap<u64, String>,
    /// How far the last whole backup went.
    pub(crate) copied: u64,
}

impl Told {
    pub(crate) fn new(dir: &Path, producers: usize) -> Told {
        let (batches, heads) = (BTreeMap::new(), BTreeMap::new());
        Told { dir: dir.into(), next: vec![0; producers], batches, heads, copied: 0 }
    }

    pub(crate) fn copy(&self) -> PathBuf {
        PathBuf::from(format!("{}-copy", self.dir.display()))
    }

    /// The words a process is started with.
    pub(crate) fn plan(&self, batches: u64, kind: &str) -> Vec<String> {
        let words =
            ["child".to_owned(), self.dir.display().to_string(), batches.to_string(), kind.to_owned()];
        words.into_iter().chain(self.next.iter().map(ToString::to_string)).collect()
    }

    pub(crate) fn hear(&mut self, line: &str) {
        let words = line.split(' ').collect::<Vec<_>>();
        match words[..] {
            ["ack", producer, number, first, last] => {
                let name = Name { producer: producer.parse().unwrap(), number: number.parse().unwrap() };
                assert_eq!(self.next[usize::from(name.producer)], name.number, "{line}");
                self.next[usize::from(name.producer)] += 1;
                let place = (first.parse().unwrap(), last.parse().unwrap());
                assert_eq!(self.batches.insert(name, place), None, "{line}");
            }
            ["head", size, root] => {
                let before = self.heads.insert(size.parse().unwrap(), root.to_owned());
                assert!(before.is_none_or(|before| before == root), "two heads of one size: {line}");
            }
            ["copied", head] => self.copied = head.parse().unwrap(),
            ["open" | "signed" | "stopped" | "done"] => {}
            _ => panic!("the process says: {line}"),
        }
    }
}

/// The process, and what it says.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Process {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = sync_channel(1_000);
        thread::spawn(move || {
            let mut line = String::new();
            // A line that the kill cut was not said.
            while output.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
                if sender.send(line.trim_end().to_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Process { child, lines }
    }

    /// Hears so many lines, or all there are.
    pub(crate) fn hear(&mut self, lines: usize, told: &mut Told) {
        for _ in 0..lines {
            match self.lines.recv_timeout(SILENCE_MAX) {
                Ok(line) => told.hear(&line),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill().unwrap();
                    panic!("the process has said nothing for {SILENCE_MAX:?}");
                }
            }
        }
    }

    /// Kills it, if it has not ended by itself, and hears what it had still said.
    pub(crate) fn kill(mut self, told: &mut Told) -> ExitStatus {
        self.child.kill().unwrap();
        self.end(told)
    }

    /// Waits for its end.
    pub(crate) fn end(mut self, told: &mut Told) -> ExitStatus {
        self.hear(usize::MAX, told);
        self.child.wait().unwrap()
    }
}
