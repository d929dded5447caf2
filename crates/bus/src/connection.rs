//! One connection to the broker, shared by everything that uses it.
//!
//! Not here: whether the broker is fit for use (`broker`), what is sent over it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream;
use tokio::sync::watch;

/// Messages of one subscription that wait to be taken. What comes beyond them is dropped by the client and sent again
/// by the sender, who has no receipt; at 64 KiB a message this holds 256 MiB at the very most.
const WAITING_MAX: usize = 4_096;
/// Messages handed to the connection that are not yet written: the publisher waits beyond it.
const OUTGOING_MAX: usize = 2_048;
/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A dead peer is found after two of these.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// How to reach the broker.
#[derive(Clone, Debug)]
pub struct Config {
    /// `nats://host:port`, several separated by commas.
    pub url: String,
    /// What this connection is called in the broker's own lists.
    pub name: String,
    /// A NATS credentials file, where the broker asks for one.
    pub credentials: Option<PathBuf>,
}

impl Config {
    /// A connection called `name` to `url`, without credentials.
    #[must_use]
    pub fn new(url: impl Into<String>, name: impl Into<String>) -> Self {
        Self { url: url.into(), name: name.into(), credentials: None }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The credentials file can not be used.
    #[error("the credentials in {} can not be read; check the file", path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Nobody answers, or not with a welcome.
    #[error("no connection to the broker at {url}; check that it runs and lets {name} in")]
    Refused {
        /// Where it was tried.
        url: String,
        /// Who tried.
        name: String,
        /// What the client says.
        #[source]
        source: async_nats::ConnectError,
    },
}

/// A connection to the broker. Clones share it; it reconnects by itself.
#[derive(Clone, Debug)]
pub struct Bus {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    losses: watch::Receiver<u64>,
    dropped: Arc<AtomicU64>,
}

impl Bus {
    /// Connects once; a later loss of the connection is mended without end.
    ///
    /// # Errors
    /// When the credentials can not be read or the broker does not answer within five seconds.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        let Config { url, name, credentials } = config;
        let (lost, losses) = watch::channel(0_u64);
        let dropped = Arc::new(AtomicU64::new(0));
        let options = async_nats::ConnectOptions::new()
            .name(&name)
            .subscription_capacity(WAITING_MAX)
            .client_capacity(OUTGOING_MAX)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING_INTERVAL)
            .event_callback(events(name.clone(), lost, Arc::clone(&dropped)));
        let options = match credentials {
            None => options,
            Some(path) => options
                .credentials_file(&path)
                .await
                .map_err(|source| ConnectError::Credentials { path, source })?,
        };
        let client =
            options.connect(&url).await.map_err(|source| ConnectError::Refused { url, name, source })?;
        let jetstream = jetstream::new(client.clone());
        Ok(Self { client, jetstream, losses, dropped })
    }

    /// Whether the connection stands at this moment.
    #[must_use]
    pub fn connected(&self) -> bool {
        matches!(self.client.connection_state(), async_nats::connection::State::Connected)
    }

    /// How often a subscription was full and a message was dropped (its sender sends it again).
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything handed over so far is written to the broker's socket.
    pub async fn flush(&self) {
        if let Err(error) = self.client.flush().await {
            tracing::debug!(%error, "flush of a connection that is gone");
        }
    }

    /// Counts how often the connection was lost.
    pub(crate) fn losses(&self) -> watch::Receiver<u64> {
        self.losses.clone()
    }

    pub(crate) fn client(&self) -> &async_nats::Client {
        &self.client
    }

    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }
}

type Callback = std::pin::Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

fn events(
    name: String,
    lost: watch::Sender<u64>,
    dropped: Arc<AtomicU64>,
) -> impl Fn(async_nats::Event) -> Callback + Send + Sync + 'static {
    use async_nats::Event;
    move |event| {
        match event {
            Event::Connected => tracing::debug!(connection = name, "connected to the broker"),
            Event::Disconnected | Event::Closed => {
                lost.send_modify(|losses| *losses = losses.saturating_add(1));
                tracing::debug!(connection = name, "the connection to the broker is gone");
            }
            Event::SlowConsumer(subscription) => {
                dropped.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    connection = name,
                    subscription,
                    "more messages than are taken: one was dropped"
                );
            }
            Event::ServerError(error) => tracing::error!(connection = name, %error, "the broker refuses"),
            Event::ClientError(error) => tracing::warn!(connection = name, %error, "connection"),
            Event::LameDuckMode | Event::Draining => {
                tracing::info!(connection = name, %event, "the broker connection is closing");
            }
        }
        Box::pin(std::future::ready(()))
    }
}
