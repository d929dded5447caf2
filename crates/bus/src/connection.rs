//! One connection to the broker, shared by everything that uses it.
//!
//! Not here: whether the broker is fit for use (`broker`), what is sent over it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use crate::alarm::{Alarm, Alarms};
use crate::denial::{DENIALS_MAX, Denial};
use crate::login::{Login, Secret};

/// Messages of one subscription that wait to be taken. What comes beyond them is dropped by the client and sent again
/// by the sender, who has no receipt; at 64 KiB a message this holds 256 MiB at the very most.
const WAITING_MAX: usize = 4_096;
/// Messages handed to the connection that are not yet written: the publisher waits beyond it.
const OUTGOING_MAX: usize = 2_048;
/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A dead peer is found after two of these.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// How long a user that the broker does not know is asked for: a node looks at its network file every second.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);
/// Between two tries.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// How the client says that it does not believe who answers.
const NOT_BELIEVED: &str = "invalid peer certificate";
/// The code of the alarm for whatever the broker refuses a connection of ours.
pub const BROKER_REFUSED: &str = "broker_refused";

/// Where the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `nats://host:port`, several separated by commas.
    pub url: String,
    /// The certificate of the only authority that is believed; the connection is encrypted then, or there is none.
    pub ca: Option<PathBuf>,
}

impl Server {
    /// A broker without encryption.
    #[must_use]
    pub fn plain(url: impl Into<String>) -> Self {
        Self { url: url.into(), ca: None }
    }
}

/// How to reach the broker, and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it is.
    pub server: Server,
    /// What this connection is called in the broker's own lists.
    pub name: String,
    /// As which user; a plain broker takes anybody.
    pub login: Option<Login>,
}

impl Config {
    /// A connection called `name` to the plain broker at `url`, as nobody.
    #[must_use]
    pub fn new(url: impl Into<String>, name: impl Into<String>) -> Self {
        Self { server: Server::plain(url), name: name.into(), login: None }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A key file can not be used.
    #[error("the key in {} can not be read; check the file and whose it is", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The certificate of the authority can not be used.
    #[error("the certificate {} can not be read; it is the ca.pem of the node", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Somebody answers whose certificate the authority that is believed did not sign.
    #[error(
        "whoever answers at {url} is not believed: {}; give the ca.pem of the node, and one of the names in its certificate",
        by.as_ref().map_or_else(|| "no certificate says by whom".to_owned(), |ca| format!("{} does not vouch for it", ca.display()))
    )]
    NotBelieved {
        /// Where it was tried.
        url: String,
        /// The certificate of the authority, if one was given.
        by: Option<PathBuf>,
        /// What the client says.
        #[source]
        source: async_nats::ConnectError,
    },
    /// The broker does not know this user, or not by this key (any more).
    #[error(
        "the broker at {url} does not let {name} in; check that its key is valid, as `admin network show` on the node tells"
    )]
    Unknown {
        /// Where it was tried.
        url: String,
        /// Who tried.
        name: String,
        /// What the client says.
        #[source]
        source: async_nats::ConnectError,
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

impl ConnectError {
    /// Whether it is about this user alone: there is no key, or the broker does not know it. Another user may get in.
    #[must_use]
    pub const fn shuts_out(&self) -> bool {
        matches!(self, Self::Key { .. } | Self::Unknown { .. })
    }

    /// Whether somebody refused, they us or we them: trying again does not help before a person has seen to it.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::NotBelieved { .. } | Self::Unknown { .. })
    }

    fn of(source: async_nats::ConnectError, url: String, by: Option<PathBuf>, name: String) -> Self {
        use async_nats::ConnectErrorKind::{Authentication, AuthorizationViolation};
        if matches!(source.kind(), Authentication | AuthorizationViolation) {
            return Self::Unknown { url, name, source };
        }
        if says(&source, NOT_BELIEVED) {
            return Self::NotBelieved { url, by, source };
        }
        Self::Refused { url, name, source }
    }
}

/// Whether an error or one of its causes says so.
fn says(error: &dyn std::error::Error, what: &str) -> bool {
    error.to_string().contains(what) || error.source().is_some_and(|cause| says(cause, what))
}

/// The connection was lost before the broker answered; it mends itself, so ask again.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection was lost")]
pub(crate) struct Lost;

/// A connection to the broker. Clones share it; it reconnects by itself.
#[derive(Clone, Debug)]
pub struct Bus {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    losses: watch::Receiver<u64>,
    denials: broadcast::Sender<Denial>,
    dropped: Arc<AtomicU64>,
    guarded: bool,
}

impl Bus {
    /// Connects once; a later loss of the connection is mended without end.
    ///
    /// # Errors
    /// When a key or certificate can not be read or the broker does not answer within five seconds.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        Self::connect_as(config, None).await
    }

    /// As [`Bus::connect`]. A new key is known to the broker a moment after it is in the network file, so whoever it does
    /// not know is asked for again, for five seconds.
    ///
    /// # Errors
    /// As [`Bus::connect`].
    pub async fn connect_patiently(config: Config) -> Result<Self, ConnectError> {
        let until = Instant::now() + KNOWN_WITHIN;
        loop {
            match Self::connect(config.clone()).await {
                Err(ConnectError::Unknown { .. }) if Instant::now() < until => {
                    tokio::time::sleep(ASK_AGAIN_AFTER).await;
                }
                connected => return connected,
            }
        }
    }

    /// As [`Bus::connect`]; whatever the broker refuses this connection raises an alarm.
    ///
    /// # Errors
    /// As [`Bus::connect`].
    pub async fn connect_alarmed(config: Config, alarms: Alarms) -> Result<Self, ConnectError> {
        Self::connect_as(config, Some(alarms)).await
    }

    async fn connect_as(config: Config, alarms: Option<Alarms>) -> Result<Self, ConnectError> {
        let Config { server: Server { url, ca }, name, login } = config;
        let (lost, losses) = watch::channel(0_u64);
        let (denials, _nobody_yet) = broadcast::channel(DENIALS_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let guarded = login.is_some();
        let mut options = async_nats::ConnectOptions::new()
            .name(&name)
            .subscription_capacity(WAITING_MAX)
            .client_capacity(OUTGOING_MAX)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING_INTERVAL)
            .event_callback(events(name.clone(), lost, (denials.clone(), Arc::clone(&dropped)), alarms));
        if let Some(ca) = &ca {
            // The client would only say that it can not connect.
            if let Err(source) = tokio::fs::metadata(ca).await {
                return Err(ConnectError::Certificate { path: ca.clone(), source });
            }
            options = options.add_root_certificates(ca.clone()).require_tls(true);
        }
        if let Some(login) = login {
            options = options.custom_inbox_prefix(login.inbox());
            let key = PathBuf::from(login.name());
            options = match login.into_secret() {
                Secret::Seed(seed) => options.nkey(seed),
                Secret::Credentials(text) => {
                    options.credentials(&text).map_err(|source| ConnectError::Key { path: key, source })?
                }
            };
        }
        let servers: Vec<&str> = url.split(',').collect();
        let connected = options.connect(servers).await;
        let client = connected.map_err(|source| ConnectError::of(source, url, ca, name))?;
        let jetstream = jetstream::new(client.clone());
        Ok(Self { client, jetstream, losses, denials, dropped, guarded })
    }

    /// Whether the connection stands at this moment.
    #[must_use]
    pub fn connected(&self) -> bool {
        !self.is_closed()
            && matches!(self.client.connection_state(), async_nats::connection::State::Connected)
    }

    /// Whether the connection is gone for good: the client ended, as it does on headers it can not read. Only another
    /// [`Bus::connect`] helps.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // The client's task holds the sender for as long as it lives.
        self.losses.has_changed().is_err()
    }

    /// Resolves once the connection [is closed](Bus::is_closed). Cancel-safe.
    pub async fn closed(&self) {
        let mut losses = self.losses.clone();
        while losses.changed().await.is_ok() {}
    }

    /// How often a subscription was full and a message was dropped (its sender sends it again).
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// What the broker refuses this connection from now on, each thing as it is tried.
    #[must_use]
    pub fn denials(&self) -> broadcast::Receiver<Denial> {
        self.denials.subscribe()
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

    /// Asks the broker something, and gives up as soon as the connection is lost: what was asked over it is answered to
    /// nobody, and the client would wait for it for ten seconds.
    pub(crate) async fn unless_lost<T>(&self, asking: impl Future<Output = T>) -> Result<T, Lost> {
        let mut losses = self.losses();
        losses.mark_unchanged();
        tokio::select! {
            biased;
            answer = asking => Ok(answer),
            _lost = losses.changed() => Err(Lost),
        }
    }

    /// Whether the broker knows who we are, and with that who everybody else is.
    #[must_use]
    pub fn guarded(&self) -> bool {
        self.guarded
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
    (denials, dropped): (broadcast::Sender<Denial>, Arc<AtomicU64>),
    alarms: Option<Alarms>,
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
                let before = dropped.fetch_add(1, Ordering::Relaxed);
                // Told ever more seldom: a flood must not fill the log.
                if before.saturating_add(1).is_power_of_two() {
                    tracing::warn!(
                        connection = name,
                        subscription,
                        dropped = before.saturating_add(1),
                        "more messages than are taken: some were dropped"
                    );
                }
            }
            Event::ServerError(error) => refused(&name, &error, &denials, alarms.as_ref()),
            Event::ClientError(error) => tracing::warn!(connection = name, %error, "connection"),
            Event::LameDuckMode | Event::Draining => {
                tracing::info!(connection = name, %event, "the broker connection is closing");
            }
        }
        Box::pin(std::future::ready(()))
    }
}

/// Tells whoever waits for what does not come, and raises the alarm of a connection of the node.
fn refused(
    name: &str,
    error: &async_nats::ServerError,
    denials: &broadcast::Sender<Denial>,
    alarms: Option<&Alarms>,
) {
    if let Some(denial) = Denial::of(error) {
        // Nobody may be listening.
        let _heard = denials.send(denial);
    }
    let Some(alarms) = alarms else {
        return tracing::info!(connection = name, %error, "the broker refuses something");
    };
    let detail =
        format!("the broker refuses {name}: {error}; check the rights of this user in the network file");
    alarms.raise(Alarm { security: true, ..Alarm::new(BROKER_REFUSED, detail) });
}
