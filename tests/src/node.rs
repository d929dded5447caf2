//! A node as its users have it: the real binary, its data folder, client commands against it.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use network::{Account, Network, key_file};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{Ran, child_of, eventually, run, signal, wait_within};
use crate::session::PASSWORD;

/// How long a node may take from its start until it says that it is ready.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// How long a node may take to end when asked to: five seconds to drain are promised, the rest is for a slow machine.
const ENDS_WITHIN: Duration = Duration::from_mins(1);

/// How long the node may take to have its broker running (again).
const BROKER_WITHIN: Duration = Duration::from_mins(1);

/// Lines of standard output that may wait between the thread that reads them and the start that looks for one.
const LINES_WAITING_MAX: usize = 1_024;

/// How much of the log a failed start shows, in lines.
const LOG_LINES_SHOWN: usize = 40;

/// Where a node lives: its data folder and network file, which outlast each run of the node.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    /// Another copy of the binary.
    program: Option<PathBuf>,
    arguments: Vec<String>,
    http: String,
}

impl Site {
    /// A fresh place for a node of this network.
    ///
    /// # Panics
    /// If the disk has no room for it.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("network.toml"), network.to_toml()).unwrap();
        Self { folder, program: None, arguments: Vec::new(), http: "127.0.0.1:0".to_owned() }
    }

    /// The same with further arguments for `up`, such as `--nats URL`.
    #[must_use]
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// The same with its pages at this address, in each run of the node; otherwise it is another free one each time.
    #[must_use]
    pub fn at(self, http: String) -> Self {
        Self { http, ..self }
    }

    /// The same with a copy of the binary in its folder, and that copy.
    ///
    /// # Panics
    /// If it can not be copied.
    #[must_use]
    pub fn with_own_program(mut self) -> (Self, PathBuf) {
        let program = self.folder.path().join("doorstroom");
        fs::copy(crate::doorstroom(), &program).unwrap();
        self.program = Some(program.clone());
        (self, program)
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The network file.
    #[must_use]
    pub fn network_file(&self) -> PathBuf {
        self.folder.path().join("network.toml")
    }

    /// A folder for whatever a test wants to put beside.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Everything that the nodes of this site logged so far, as JSON lines.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Starts the node and waits until it is ready.
    ///
    /// # Panics
    /// If it is not ready within a minute, with the end of its log.
    #[must_use]
    pub fn up(&self) -> Node {
        let mut child = self.start();
        let (line_of, lines) = sync_channel(LINES_WAITING_MAX);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            // Read to the end, also when nobody looks any more: a full pipe would stop the node.
            for line in stdout.lines().map_while(Result::ok) {
                drop(line_of.try_send(line));
            }
        });
        // Ends the child when anything below panics.
        let mut node = Node { child, http: String::new(), bus: String::new(), data: self.data() };
        let until = Instant::now() + READY_WITHIN;
        loop {
            let line = match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the node ended at its start:\n{}", self.log_end())
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("not ready within {READY_WITHIN:?}:\n{}", self.log_end())
                }
            };
            if let Some((http, bus)) = ready(&line) {
                (node.http, node.bus) = (http.to_owned(), bus.to_owned());
                return node;
            }
        }
    }

    /// Starts a node that is to refuse: its exit and what it said.
    ///
    /// # Panics
    /// If it has not ended after five minutes.
    #[must_use]
    pub fn up_refused(&self) -> Ran {
        run(&mut self.up_command(), &[])
    }

    /// Runs a client command on this site's data folder: `doorstroom <arguments> --data …`.
    ///
    /// # Panics
    /// If it takes longer than five minutes.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        self.run_with_input(arguments, &[])
    }

    /// The same with `input` on the command's standard input.
    ///
    /// # Panics
    /// If it takes longer than five minutes.
    pub fn run_with_input<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Ran {
        run(&mut self.command(arguments), input)
    }

    /// A client command on this site's data folder, for a test that starts it in its own way.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let program = self.program.as_deref().unwrap_or_else(|| crate::doorstroom());
        let mut command = Command::new(program);
        command.args(arguments).arg("--data").arg(self.data()).current_dir(self.folder.path());
        command
    }

    /// Somebody may sign in with the password of the tests; `of` says as whom, such as `--source zk23-de-linde`.
    ///
    /// # Panics
    /// If the program does not take it.
    pub fn account(&self, name: &str, of: &[&str]) {
        let words = [&["admin", "account", "add", name, "--password-stdin"], of].concat();
        let _ = self.run_with_input(words, PASSWORD.as_bytes()).ok();
    }

    fn up_command(&self) -> Command {
        let mut command = self.command(["up", "--http", &self.http, "--log-format", "json"]);
        // The demo brings its own network.
        if !self.arguments.iter().any(|argument| argument == "--demo") {
            command.arg("--network").arg(self.network_file());
        }
        command.args(&self.arguments);
        // A broker of its own has a free port; a foreign one has the port it has.
        if !self.arguments.iter().any(|argument| argument == "--nats") {
            command.args(["--bus-port", "0", "--nats-server"]).arg(crate::nats_server());
        }
        command
    }

    fn start(&self) -> Child {
        let log = OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        self.up_command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("node.log")
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(LOG_LINES_SHOWN)..).unwrap_or_default().join("\n")
    }
}

/// The addresses in the line with which a node says that it is ready.
fn ready(line: &str) -> Option<(&str, &str)> {
    let mut words = line.strip_prefix("ready ")?.split(' ');
    Some((words.next()?.strip_prefix("http=")?, words.next()?.strip_prefix("bus=")?))
}

/// A running node; killed when dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    http: String,
    bus: String,
    data: PathBuf,
}

impl Node {
    /// The address of its pages, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn http(&self) -> &str {
        &self.http
    }

    /// The same as an address on the network.
    ///
    /// # Panics
    /// Never: the node said it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.http.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
    }

    /// The address of its broker, such as `nats://127.0.0.1:41235`.
    #[must_use]
    pub fn bus(&self) -> &str {
        &self.bus
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The key of a user of its bus.
    #[must_use]
    pub fn key(&self, account: &Account, user: &str) -> PathBuf {
        self.data.join("keys").join(key_file(account, user))
    }

    /// A script of `tests/python`, as this user of the bus.
    #[must_use]
    pub fn python(&self, script: &str, account: &Account, user: &str) -> Command {
        let mut command = Command::new(crate::python());
        command.arg(crate::root().join("tests/python").join(script));
        command.arg(&self.bus).arg(self.data.join("keys/ca.pem")).arg(self.key(account, user));
        command
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the node as a power cut would, and waits until it and the broker it started are gone.
    ///
    /// # Panics
    /// If the broker outlives it by half a minute.
    pub fn kill9(mut self) {
        let broker = child_of(self.pid(), "nats-server");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if let Some(broker) = broker {
            gone(broker);
        }
    }

    /// Ends the node as an operator would, and gives its exit.
    ///
    /// # Panics
    /// If it has not ended after half a minute.
    #[must_use]
    pub fn sigterm(mut self) -> ExitStatus {
        signal(self.pid(), Signal::TERM);
        wait_within(&mut self.child, ENDS_WITHIN)
            .unwrap_or_else(|| panic!("the node did not end within {ENDS_WITHIN:?} of SIGTERM"))
    }

    /// The exit of a node that is to end by itself.
    ///
    /// # Panics
    /// If it still runs after that time.
    #[must_use]
    pub fn ended_within(mut self, within: Duration) -> ExitStatus {
        wait_within(&mut self.child, within).unwrap_or_else(|| panic!("the node still runs after {within:?}"))
    }

    /// The process id of the broker that the node started and looks after; waits for a restart that is under way.
    ///
    /// # Panics
    /// If it has none for half a minute.
    #[must_use]
    pub fn broker_pid(&self) -> u32 {
        eventually("broker of the node", BROKER_WITHIN, || child_of(self.pid(), "nats-server"))
    }

    /// Ends the node's broker as a crash would (the node is to start it again), and waits until it is gone.
    ///
    /// # Panics
    /// If it does not go.
    pub fn kill9_broker(&self) {
        let broker = self.broker_pid();
        signal(broker, Signal::KILL);
        gone(broker);
    }

    /// Asks the node for a page: the status and the body.
    ///
    /// # Panics
    /// If it does not answer in HTTP.
    #[must_use]
    pub fn get(&self, path: &str) -> (u16, String) {
        let address = self.http.strip_prefix("http://").unwrap().trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(ENDS_WITHIN)).unwrap();
        // HTTP/1.0: the answer comes in one piece and the end of the connection is its end.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not HTTP: {answer}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("not HTTP: {head}")), body.to_owned())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits until a process that is not a child of ours is gone, or dead and not yet waited for by its parent.
pub(crate) fn gone(pid: u32) {
    eventually("end of the broker", BROKER_WITHIN, || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes().first().copied());
        matches!(state, None | Some(Some(b'Z' | b'X'))).then_some(())
    });
}
