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

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use crate::failure::Failure;

/// How long a broker that is asked to stop may take before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// A broker that dies again at once is started ever more slowly, up to this.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// One that lived this long counts as healthy: its next start is at once.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);

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
}

impl Broker {
    /// Starts the server with this configuration; returns before it answers.
    ///
    /// # Errors
    /// The thread that keeps it can not be started.
    pub(crate) fn start(program: PathBuf, configuration: PathBuf) -> Result<Self, Failure> {
        let shared = Arc::new(Shared {
            stopping: AtomicBool::new(false),
            pid: AtomicU64::new(0),
            starts: watch::Sender::new(0),
            wake: (Mutex::new(()), Condvar::new()),
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

fn supervise(program: &Path, configuration: &Path, shared: &Shared) {
    let mut pause = Duration::ZERO;
    while !shared.stopping.load(Ordering::SeqCst) {
        let born = Instant::now();
        shared.starts.send_modify(|starts| *starts = starts.saturating_add(1));
        match spawn(program, configuration) {
            Ok(child) => live(child, shared),
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

fn spawn(program: &Path, configuration: &Path) -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?)
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

fn live(mut child: Child, shared: &Shared) {
    shared.pid.store(u64::from(child.id()), Ordering::SeqCst);
    // Asked to stop between the loop's look and the line above: nobody else would signal this child.
    if shared.stopping.load(Ordering::SeqCst) {
        signal(shared, Signal::TERM);
    }
    if let Some(stderr) = child.stderr.take() {
        relay(stderr);
    }
    match child.wait() {
        Ok(status) => tracing::info!(%status, "the broker ended"),
        Err(error) => tracing::error!(%error, "the broker can not be waited for"),
    }
    shared.pid.store(0, Ordering::SeqCst);
}

/// Carries what the server says into our log, so that there is one place to look. Ends with the server.
fn relay(from: impl Read) {
    for line in BufReader::new(from).lines() {
        let Ok(line) = line else { return };
        // `[12] 2026/03/02 09:00:00.000000 [INF] text`
        if line.contains("[ERR]") || line.contains("[FTL]") {
            tracing::error!(target: "nats_server", "{line}");
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
