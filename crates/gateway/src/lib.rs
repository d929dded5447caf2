//! Publishes for subscribers on NATS what the log and the views hold: the bucket `availability`, the streams
//! `LOG_<r>`, the heartbeat `head`, the alerts of each centre and the alarms of the node (`acute.…`), and the services
//! `svc.doorstroom.{availability,history}`.
//!
//! All of it is derived and kept in the broker's memory: it is compared with the log and the view at every start and
//! after every loss of the connection, and only the difference is written. Not here: what a row says (`views`), NATS
//! itself (`bus::outward`).

mod alarms;
mod alerts;
mod availability;
mod entries;
mod examples;
mod head;
mod history;
mod log;
mod metrics;
mod notice;
mod recorded;
mod rows;
mod service;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use bus::alarm::{Alarm, Alarms};
use bus::outward::{Outward, OutwardError, Window};
use bus::provisioner::{Need, Needs};
use domain::RegionId;
use eventlog::{Clock, EventLog, LogReader, ReadError, SystemClock};
use network::Network;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use views::{AlertChange, Availability};

use service::Answers;

pub use examples::{Examples, examples};
pub use metrics::Metrics;

/// The first wait after something went wrong; doubled each time up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// A broker that is back is found at most this much later, and one that is away is not asked more often.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// What went well for this long makes the next wait the first again.
const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// A week, or about ten thousand events of one region; the broker sets the bytes aside, 31 times for the country.
const WINDOW: Window = Window { age: Duration::from_hours(7 * 24), bytes: 8 * 1024 * 1024 };

/// How a gateway is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// What this node is called in its heads.
    pub node: String,
    /// Who takes part: every region that is there at the beginning gets its stream. Of what changes later only the
    /// rules of alerts count at once.
    pub network: watch::Receiver<Arc<Network>>,
    /// How much of the recorded events the streams keep: an empty one is filled from so far back.
    pub window: Window,
    /// How often a head is published when nothing is recorded.
    pub head_every: Duration,
    /// The log that signs the heads with its key. Without, they are published without a note.
    pub signing: Option<EventLog>,
    /// What time it is, for alerts that are due.
    pub clock: Arc<dyn Clock>,
    /// Where to say that a stream is missing: the gateway makes none. Without, somebody has to see to it by himself.
    pub needs: Option<Needs>,
    /// The alarms to be told on `acute.core.alarm`, if any.
    pub alarms: Option<Alarms>,
}

impl Config {
    /// A gateway of this node with the usual window, a head every ten seconds, and a network that does not change.
    #[must_use]
    pub fn new(node: impl Into<String>, network: Arc<Network>) -> Self {
        Self {
            node: node.into(),
            network: watch::channel(network).1,
            window: WINDOW,
            head_every: Duration::from_secs(10),
            signing: None,
            clock: Arc::new(SystemClock),
            needs: None,
            alarms: None,
        }
    }

    /// The gateway that publishes over `bus` what `view` and `reader` hold. Nothing happens before [`Gateway::run`].
    #[must_use]
    pub fn build(self, bus: &Bus, reader: LogReader, view: projector::Handle<Availability>) -> Gateway {
        Gateway {
            outward: Outward::new(bus),
            reader,
            view,
            handle: Handle { metrics: Arc::new(Metrics::default()), raised: watch::Sender::default() },
            // From now on, not from the first step of `run` on: no alarm of the start is missed.
            told: self.alarms.as_ref().map(Alarms::subscribe),
            config: self,
        }
    }
}

/// Publishes until it is told to stop.
#[derive(Debug)]
pub struct Gateway {
    config: Config,
    outward: Outward,
    reader: LogReader,
    view: projector::Handle<Availability>,
    handle: Handle,
    told: Option<broadcast::Receiver<Alarm>>,
}

/// A running gateway, seen from outside.
#[derive(Clone, Debug)]
pub struct Handle {
    metrics: Arc<Metrics>,
    raised: watch::Sender<Raised>,
}

/// The alerts that are raised, with the moment from which on each is.
pub type Raised = Arc<[AlertChange]>;

impl Handle {
    /// What has been published so far.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The alerts as centres were told of them; none before the log was read to its end.
    #[must_use]
    pub fn raised(&self) -> watch::Receiver<Raised> {
        self.raised.subscribe()
    }
}

/// Why a gateway stopped although nobody told it to.
#[derive(Debug, thiserror::Error)]
#[error("the gateway's publishing of {what} ended; restart the node")]
pub struct GatewayError {
    what: &'static str,
}

impl Gateway {
    /// To look at it while it runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Publishes until `shutdown` resolves. A broker that fails, is away or forgets everything is no reason to stop:
    /// what it should hold is compared and written again, after a wait of at most five seconds.
    ///
    /// # Errors
    /// Only when a part of the gateway breaks down, which is a mistake in it.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), GatewayError> {
        let Self { config, outward, reader, view, handle: Handle { metrics, raised }, told } = self;
        let network = Arc::clone(&config.network.borrow());
        let regions: Vec<RegionId> = network.regions().map(|region| region.code.clone()).collect();
        let mut parts = Parts { running: JoinSet::new(), metrics: Arc::clone(&metrics), needs: config.needs };

        let rows = rows::RowsOut::new(outward.clone(), view.clone(), Arc::clone(&metrics));
        parts.keep("rows", rows);
        let events =
            log::LogOut::new(outward.clone(), reader.clone(), regions, config.window, Arc::clone(&metrics));
        parts.keep("recorded events", events);
        let heads = head::HeadOut::new(
            outward.clone(),
            (reader.clone(), config.signing),
            view.clone(),
            config.node.clone(),
            config.head_every,
            Arc::clone(&metrics),
        );
        parts.keep("heads", heads);
        let alerts = alerts::AlertsOut::new(
            outward.clone(),
            reader.clone(),
            (Arc::clone(&config.clock), config.node.clone()),
            config.network,
            (Arc::clone(&metrics), raised),
        );
        parts.keep("alerts", alerts);
        if let (Some(alarms), Some(told)) = (config.alarms, told) {
            let from = (config.clock, config.node);
            let alarms = alarms::AlarmsOut::new(outward.clone(), (alarms, told), from, Arc::clone(&metrics));
            parts.keep("alarms", alarms);
        }
        let rows = availability::Rows { view, network: Arc::clone(&network) };
        let rows = Answers::new(outward.clone(), Arc::clone(&network), Arc::clone(&metrics), rows);
        parts.keep("answers with rows", rows);
        let history = history::History { reader, network: Arc::clone(&network) };
        let history = Answers::new(outward, network, metrics, history);
        parts.keep("answers with events", history);

        tokio::select! {
            () = shutdown => Ok(()),
            ended = parts.running.join_next() => {
                let what = ended.and_then(Result::ok).unwrap_or("something");
                Err(GatewayError { what })
            }
        }
    }
}

/// What the gateway publishes, each by itself.
struct Parts {
    running: JoinSet<&'static str>,
    metrics: Arc<Metrics>,
    needs: Option<Needs>,
}

impl Parts {
    fn keep(&mut self, what: &'static str, part: impl Part + 'static) {
        self.running.spawn(keep(what, Arc::clone(&self.metrics), self.needs.clone(), part));
    }
}

/// One thing the gateway publishes.
trait Part: Send {
    /// Brings the broker up to date and keeps it so, until something comes between.
    fn serve(&mut self) -> impl Future<Output = Interrupted> + Send;
}

/// What came between.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error("the connection to the broker was lost")]
    Lost,
    #[error(transparent)]
    Outward(#[from] OutwardError),
    #[error("{} streams of recorded events hold those of another log, and have to be emptied", .0.len())]
    LogOfAnother(Vec<RegionId>),
    #[error("the log can not be read")]
    Read(#[from] ReadError),
    #[error("an entry can not be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("reading the log was cut off")]
    Cut,
}

impl Interrupted {
    /// What would help.
    fn needs(self) -> Vec<Need> {
        match self {
            Self::Outward(OutwardError::Provision { .. } | OutwardError::Publish { .. }) => {
                vec![Need::Outward]
            }
            Self::LogOfAnother(regions) => regions.into_iter().map(Need::LogOfAnother).collect(),
            Self::Outward(OutwardError::List | OutwardError::Header { .. })
            | Self::Lost
            | Self::Read(_)
            | Self::Json(_)
            | Self::Cut => Vec::new(),
        }
    }
}

/// Serves without end. Returns what it published only if it could not go on.
async fn keep<P: Part>(
    what: &'static str,
    metrics: Arc<Metrics>,
    needs: Option<Needs>,
    mut part: P,
) -> &'static str {
    let mut wait = BACKOFF_MIN;
    loop {
        let begun = tokio::time::Instant::now();
        let interrupted = part.serve().await;
        metrics.interrupted();
        if begun.elapsed() >= SETTLED_AFTER {
            wait = BACKOFF_MIN;
        }
        let error = chain(&interrupted);
        tracing::warn!(
            what,
            wait_ms = wait.as_millis(),
            error,
            "publishing was interrupted and begins again"
        );
        for need in interrupted.needs() {
            // What does not fit is told at the next interruption, which is not far.
            drop(needs.as_ref().map(|needs| needs.try_send(need)));
        }
        tokio::time::sleep(wait).await;
        wait = wait.saturating_mul(2).min(BACKOFF_MAX);
    }
}

/// An error and what led to it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
