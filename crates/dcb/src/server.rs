//! The server: its folder, its log, its connections, its end.
//!
//! Not here: the calls (`service`), signals and output (the binary).

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{EventLog, OpenError, Options};
use tokio::sync::watch;
use tonic::transport::server::TcpIncoming;

use crate::folder;
use crate::service::{REQUEST_BYTES_MAX, Service};
use crate::wire::dcb_server::DcbServer;

/// How long clients may take to read what is on its way to them when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// Bytes of requests on their way that were not read yet, for one call and for a connection: the largest request.
const WINDOW_BYTES: u32 = 4 * 1_024 * 1_024;
/// Calls at once on one connection.
const CALLS_PER_CONNECTION_MAX: u32 = 1_024;

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of the server; made if it is not there. Nothing of anybody else may be in it.
    pub dir: PathBuf,
    /// Where it listens: an address of this machine only. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where the log has its files and its clock.
    pub options: Options,
}

impl Config {
    /// A log on the real disk.
    #[must_use]
    pub fn new(dir: PathBuf, listen: SocketAddr) -> Config {
        // No cursors are kept, so no catalogue is.
        Config { dir, listen, options: Options { catalogue: false, ..Options::default() } }
    }
}

/// Why the server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It would be open to other machines.
    #[error(
        "there is no sign-in, so it listens on this machine only: use 127.0.0.1:{} instead of {listen}",
        listen.port()
    )]
    NotLoopback {
        /// Where it was to listen.
        listen: SocketAddr,
    },
    /// Something of somebody else is in the folder, such as a node's log.
    #[error("{} holds {found}, which is not of this server; give it a folder of its own", dir.display())]
    NotOurs {
        /// The folder.
        dir: PathBuf,
        /// What is in it.
        found: String,
    },
    /// The system refused something.
    #[error("{doing} failed for {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which folder.
        path: PathBuf,
        /// The answer of the system.
        #[source]
        source: io::Error,
    },
    /// The log can not be opened.
    #[error("the log can not be opened")]
    Log(#[from] OpenError),
    /// The address is taken or not of this machine.
    #[error("{listen} can not be listened on; choose another one")]
    Listen {
        /// Where it was to listen.
        listen: SocketAddr,
        /// The answer of the system.
        #[source]
        source: io::Error,
    },
}

/// Why the server ended without being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The disk failed: nothing more can be recorded until the log is opened again.
    #[error("the log has stopped: {reason}; start again when the disk is sound")]
    LogStopped {
        /// What failed.
        reason: String,
    },
    /// Connections can not be taken any more.
    #[error("connections can not be taken any more")]
    Connections(#[from] tonic::transport::Error),
}

/// A server that has its log and its port, and serves nobody yet.
#[derive(Debug)]
pub struct Server {
    log: EventLog,
    incoming: TcpIncoming,
    address: SocketAddr,
}

impl Server {
    /// Opens the log and takes the port.
    ///
    /// # Errors
    /// If the address is not of this machine or taken, the folder holds something else, or the log can not be opened.
    pub async fn open(config: Config) -> Result<Server, StartError> {
        let Config { dir, listen, options } = config;
        if !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback { listen });
        }
        // A panic there is a defect of the log; it ends this task as well.
        let opened = tokio::task::spawn_blocking(move || {
            let events = folder::prepare(&dir)?;
            Ok::<_, StartError>(EventLog::open(&events, options)?)
        });
        let (log, report) = match opened.await {
            Ok(opened) => opened?,
            Err(ended) => std::panic::resume_unwind(ended.into_panic()),
        };
        if let Some(torn) = &report.torn {
            tracing::warn!(?torn, "a write that a crash had torn was cut and kept aside");
        }
        let refused = |source| StartError::Listen { listen, source };
        // A small answer waits for nothing.
        let incoming = TcpIncoming::bind(listen).map_err(refused)?.with_nodelay(Some(true));
        let address = incoming.local_addr().map_err(refused)?;
        Ok(Server { log, incoming, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves; then ends every call, with `UNAVAILABLE` those that would go on, and closes the log.
    ///
    /// # Errors
    /// If the disk failed, or no connection can be taken any more.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), RunError> {
        let (stopping, mut stopped) = watch::channel(false);
        let stopping = Arc::new(stopping);
        let service = DcbServer::new(Service::new(self.log.clone(), Arc::clone(&stopping)))
            .max_decoding_message_size(REQUEST_BYTES_MAX);
        let mut until = stopping.subscribe();
        let mut serving = pin!(
            tonic::transport::Server::builder()
                .initial_stream_window_size(WINDOW_BYTES)
                .initial_connection_window_size(WINDOW_BYTES)
                .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
                .serve_with_incoming_shutdown(service, self.incoming, async move {
                    // An error means that nobody is left to say it: that is a stop as well.
                    drop(until.wait_for(|stop| *stop).await);
                })
        );
        let told = async {
            tokio::select! {
                () = stop => { stopping.send_replace(true); }
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        };
        let served = tokio::select! {
            served = &mut serving => served,
            // Who does not read is left behind.
            () = told => tokio::time::timeout(STOP_WITHIN, serving).await.unwrap_or(Ok(())),
        };
        let failure = self.log.failure();
        self.log.close().await;
        if let Some(reason) = failure {
            return Err(RunError::LogStopped { reason });
        }
        Ok(served?)
    }
}
