//! The broker of a node: a nats-server child, started again when it dies.
//!
//! Not here: what is on the bus and in its configuration (`bus`).
//! Invariant: no nats-server outlives its node, also after kill -9 (see `guard`).

use std::io::{BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bus::alarm::{Alarm, Alarms};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use crate::failure::Failure;

/// How long a broker that is asked to stop may take before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// A broker that dies again at once is started ever more slowly, up to this.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// One that lived this long counts as healthy: its next start is at once.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);
/// A broker whose disk is full or fails takes no more mail until it is started again, also when the disk is well: the
/// first time it is so soon after it said so, …
const DISK_PAUSE_MIN: Duration = Duration::from_secs(5);
/// … and then ever later, up to this, because a disk that is still full gains nothing by it.
const DISK_PAUSE_MAX: Duration = Duration::from_mins(1);
/// The code of the alarm that says so.
const DISK: &str = "broker_disk";
/// How the server says it (`filestore.go`, `stream.go`), in small letters.
const DISK_SAID: [&str; 2] = ["critical write error", "failed to store a msg on stream"];

/// A running broker. Dropping it, or [`Broker::stop`], ends the server.
#[derive(Debug)]
pub(crate) struct Broker {
    shared: Arc<Shared>,
    supervisor: Option<thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    stopping: AtomicBool,
    /// The process id of the running server; 0 between two lives.
    pid: AtomicU64,
    starts: watch::Sender<u64>,
    wake: (Mutex<()>, Condvar),
    alarms: Alarms,
}

impl Broker {
    /// Starts the server with this configuration; returns before it answers.
    ///
    /// # Errors
    /// The thread that keeps it can not be started.
    pub(crate) fn start(program: PathBuf, configuration: PathBuf, alarms: Alarms) -> Result<Self, Failure> {
        let shared = Arc::new(Shared {
            stopping: AtomicBool::new(false),
            pid: AtomicU64::new(0),
            starts: watch::Sender::new(0),
            wake: (Mutex::new(()), Condvar::new()),
            alarms,
        });
        let supervisor = {
            let shared = Arc::clone(&shared);
            // A thread of its own that lives as long as the node: the kernel's parent-death signal is bound to the
            // *thread* that starts the child, and the runtime's threads come and go.
            thread::Builder::new()
                .name("broker".to_owned())
                .spawn(move || supervise(&program, &configuration, &shared))
                .map_err(|error| Failure::new("the thread that keeps the broker can not be started", error))?
        };
        Ok(Self { shared, supervisor: Some(supervisor) })
    }

    /// How often it was started, as it changes.
    pub(crate) fn starts(&self) -> watch::Receiver<u64> {
        self.shared.starts.subscribe()
    }

    /// Has the running server read its configuration again. One that is just starting reads it anyway.
    pub(crate) fn reloader(&self) -> impl Fn() + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || signal(&shared, Signal::HUP)
    }

    /// Ends the server: asked first, killed after three seconds.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.wake.1.notify_all();
        signal(&self.shared, Signal::TERM);
        if let Some(supervisor) = self.supervisor.take() {
            let deadline = Instant::now() + STOP_WITHIN;
            while !supervisor.is_finished() {
                if Instant::now() >= deadline {
                    signal(&self.shared, Signal::KILL);
                    break;
                }
                thread::park_timeout(Duration::from_millis(10));
            }
            if supervisor.join().is_err() {
                tracing::error!("the thread that kept the broker ended badly");
            }
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end();
    }
}

fn signal(shared: &Shared, which: Signal) {
    let pid = shared.pid.load(Ordering::SeqCst);
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        && let Err(error) = kill_process(pid, which)
    {
        tracing::debug!(%error, "the broker had already ended");
    }
}

fn supervise(program: &Path, configuration: &Path, shared: &Arc<Shared>) {
    let mut pause = Duration::ZERO;
    let mut disk_pause = DISK_PAUSE_MIN;
    while !shared.stopping.load(Ordering::SeqCst) {
        let born = Instant::now();
        shared.starts.send_modify(|starts| *starts = starts.saturating_add(1));
        match spawn(program, configuration) {
            Ok(child) => {
                let disk_failed = live(child, shared, disk_pause);
                disk_pause = if disk_failed { (disk_pause * 2).min(DISK_PAUSE_MAX) } else { DISK_PAUSE_MIN };
            }
            Err(error) => {
                tracing::error!(program = %program.display(), %error, "the broker can not be started");
            }
        }
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        pause = if born.elapsed() >= HEALTHY_AFTER {
            Duration::ZERO
        } else {
            (pause * 2).clamp(Duration::from_millis(100), PAUSE_MAX)
        };
        tracing::warn!(pause_ms = pause.as_millis(), "the broker ended; it is started again");
        let guard = shared.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A wake-up here only means that the loop looks again.
        drop(shared.wake.1.wait_timeout(guard, pause));
    }
}

/// This very program, wherever it came from (`proc(5)`).
const SELF: &str = "/proc/self/exe";

fn spawn(program: &Path, configuration: &Path) -> std::io::Result<Child> {
    // Not by its name: a program that was replaced under a running node (an upgrade) has none any more, and the broker has
    // to come back also then.
    Command::new(SELF)
        .arg(super::guard::COMMAND)
        .arg(std::process::id().to_string())
        .arg(program)
        .arg("-c")
        .arg(configuration)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}

/// The life of a server, from its start to its end; whether its disk failed it.
fn live(mut child: Child, shared: &Arc<Shared>, disk_pause: Duration) -> bool {
    shared.pid.store(u64::from(child.id()), Ordering::SeqCst);
    // Asked to stop between the loop's look and the line above: nobody else would signal this child.
    if shared.stopping.load(Ordering::SeqCst) {
        signal(shared, Signal::TERM);
    }
    let mut disk_failed = false;
    if let Some(stderr) = child.stderr.take() {
        relay(stderr, |said| {
            shared.alarms.raise(Alarm::new(
                DISK,
                format!("the broker's disk is full or fails, and no mail is taken; make room or replace it: {said}"),
            ));
            if !std::mem::replace(&mut disk_failed, true) {
                end_later(shared, u64::from(child.id()), disk_pause);
            }
        });
    }
    match child.wait() {
        Ok(status) => tracing::info!(%status, "the broker ended"),
        Err(error) => tracing::error!(%error, "the broker can not be waited for"),
    }
    shared.pid.store(0, Ordering::SeqCst);
    disk_failed
}

/// Ends this server after a while, unless it is gone by then. As a crash would: what it acknowledged is on the disk, and
/// with a disk that fails it may not end by itself.
fn end_later(shared: &Arc<Shared>, pid: u64, after: Duration) {
    let shared = Arc::clone(shared);
    let ending = thread::Builder::new().name("broker disk".to_owned()).spawn(move || {
        thread::sleep(after);
        if shared.pid.load(Ordering::SeqCst) == pid && !shared.stopping.load(Ordering::SeqCst) {
            tracing::warn!("the broker is started again, because its disk had failed");
            signal(&shared, Signal::KILL);
        }
    });
    if let Err(error) = ending {
        tracing::error!(%error, "the broker is not started again: do so by hand when its disk is well");
    }
}

/// Carries what the server says into our log, so that there is one place to look. Ends with the server.
fn relay(from: impl Read, mut disk_failed: impl FnMut(&str)) {
    for line in BufReader::new(from).lines() {
        let Ok(line) = line else { return };
        // `[12] 2026/03/02 09:00:00.000000 [INF] text`
        if let Some((_, said)) = line.split_once("[ERR] ").or_else(|| line.split_once("[FTL] ")) {
            tracing::error!(target: "nats_server", "{line}");
            let small = said.to_lowercase();
            if DISK_SAID.iter().any(|sign| small.contains(sign)) {
                disk_failed(said);
            }
        } else if line.contains("[WRN]") {
            tracing::warn!(target: "nats_server", "{line}");
        } else {
            tracing::debug!(target: "nats_server", "{line}");
        }
    }
}

/// A port that nobody listens on now. The server takes it a moment later; if somebody else was faster, its start fails
/// and says so.
pub(crate) fn free_port() -> Result<u16, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Failure::new("no port is free on 127.0.0.1", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_54_what_the_broker_says_of_a_disk_that_is_full_or_fails_is_told_apart_from_the_rest() {
        let said = b"[7] 2026/03/02 09:00:00.000000 [ERR] Filestore [IN_zk01] Critical write error: write 1.blk: no space left on device\n\
            [7] 2026/03/02 09:00:00.000001 [ERR] JetStream failed to store a msg on stream 'R_zk01 > IN_zk01': sync 1.blk: input/output error\n\
            [7] 2026/03/02 09:00:00.000002 [ERR] 127.0.0.1:4711 - cid:5 - authentication error\n\
            [7] 2026/03/02 09:00:00.000003 [WRN] Filestore [IN_zk01] was slow\n\
            [7] 2026/03/02 09:00:00.000004 [INF] critical write error\n";
        let mut told = Vec::new();
        relay(&said[..], |line| told.push(line.to_owned()));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|line| line.contains("1.blk")), "{told:?}");
    }
}
