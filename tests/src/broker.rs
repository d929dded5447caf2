//! A nats-server of one's own, with any configuration, for tests of a node on a foreign broker.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{eventually, signal, wait_within};

/// How long a server may take from its start until it listens.
const LISTENS_WITHIN: Duration = Duration::from_secs(30);

/// How long a server may take to end when asked to.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A running nats-server; ended when dropped.
#[derive(Debug)]
pub struct Broker {
    folder: TempDir,
    child: Child,
    url: String,
    monitor: Option<String>,
}

impl Broker {
    /// Starts a server with this configuration, in which `{folder}` stands for a fresh folder of the server's own.
    /// The port is a free one. There is a monitoring address if the configuration asks for it.
    ///
    /// ```text
    /// jetstream { store_dir: "{folder}/store", sync_interval: always }
    /// http_port: -1
    /// ```
    ///
    /// # Panics
    /// If it does not listen within half a minute, with what it logged.
    #[must_use]
    pub fn start(config: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let config = config.replace("{folder}", folder.path().to_str().unwrap());
        fs::write(folder.path().join("nats.conf"), config).unwrap();
        let (child, url, monitor) = launch(folder.path(), &["--port".to_owned(), "-1".to_owned()]);
        Self { folder, child, url, monitor }
    }

    /// The address for clients, `nats://127.0.0.1:<port>`; stays the same over a restart.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The monitoring address, `http://127.0.0.1:<port>`, if it has one.
    #[must_use]
    pub fn monitor(&self) -> Option<&str> {
        self.monitor.as_deref()
    }

    /// The server's folder: `nats.conf`, `nats.log`, and what the configuration puts there.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has the running server take over another configuration, with `{folder}` as in [`Broker::start`].
    ///
    /// # Panics
    /// If it does not take it, with what it logged.
    pub fn reload(&mut self, config: &str) {
        let config = config.replace("{folder}", self.folder.path().to_str().unwrap());
        fs::write(self.folder.path().join("nats.conf"), config).unwrap();
        let log = || fs::read_to_string(self.folder.path().join("nats.log")).unwrap_or_default();
        let before = log().len();
        signal(self.child.id(), Signal::HUP);
        eventually("reloaded configuration", LISTENS_WITHIN, || {
            let log = log().split_off(before);
            assert!(!log.contains("Failed to reload"), "nats-server does not take the configuration:\n{log}");
            log.contains("Reloaded server configuration").then_some(())
        });
    }

    /// Halts the server: it takes what is sent and answers nothing, and is not gone.
    pub fn halt(&self) {
        signal(self.child.id(), Signal::STOP);
    }

    /// Ends the server as a power cut would: kill -9.
    ///
    /// # Panics
    /// If the system does not let us.
    pub fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends the server as an operator would.
    ///
    /// # Panics
    /// If it does not end within half a minute.
    pub fn stop(&mut self) {
        signal(self.child.id(), Signal::TERM);
        assert!(wait_within(&mut self.child, ENDS_WITHIN).is_some(), "nats-server did not end at SIGTERM");
    }

    /// Starts the ended server again, on the same folder and the same addresses.
    ///
    /// # Panics
    /// If it does not listen within half a minute, with what it logged.
    pub fn restart(&mut self) {
        let mut ports = vec!["--port".to_owned(), port_of(&self.url)];
        if let Some(monitor) = &self.monitor {
            ports.extend(["--http_port".to_owned(), port_of(monitor)]);
        }
        (self.child, self.url, self.monitor) = launch(self.folder.path(), &ports);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn port_of(url: &str) -> String {
    url.rsplit(':').next().unwrap().to_owned()
}

fn launch(folder: &Path, ports: &[String]) -> (Child, String, Option<String>) {
    let mut child = Command::new(crate::nats_server())
        .args(["--addr", "127.0.0.1", "--ports_file_dir"])
        .arg(folder)
        .args(ports)
        .arg("--log")
        .arg(folder.join("nats.log"))
        .arg("--config")
        .arg(folder.join("nats.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The server writes this file when it listens, and its name has the process id.
    let ports_file = folder.join(format!("nats-server_{}.ports", child.id()));
    let log = || fs::read_to_string(folder.join("nats.log")).unwrap_or_default();
    let listening = eventually("listening nats-server", LISTENS_WITHIN, || {
        if let Some(status) = child.try_wait().unwrap() {
            panic!("nats-server ended at its start ({status}):\n{}", log());
        }
        serde_json::from_slice::<Value>(&fs::read(&ports_file).ok()?).ok()
    });
    let address = |kind: &str| listening.get(kind)?.get(0)?.as_str().map(str::to_owned);
    let url = address("nats").unwrap_or_else(|| panic!("nats-server listens nowhere: {listening}"));
    (child, url, address("monitoring"))
}
