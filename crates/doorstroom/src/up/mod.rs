//! `doorstroom up`: a whole node in one process, its broker included.
//!
//! Here: the order in which the parts start and stop. Not here: what any part does (the crates), the demo (`demo`).
//! Invariant: after SIGTERM the process has ended within [`DRAIN_WITHIN`] plus the broker's own three seconds at most,
//! and what was not receipted by then is not lost: its sender still has it.

mod broker;
mod demo;
pub(crate) mod guard;
mod health;
mod metrics;
mod settings;

use std::fs;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::{Bus, Monitoring};
use domain::Timestamp;
use eventlog::{Clock as _, EventLog, Options, RecoveryReport, SystemClock};
use network::Network;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use views::Availability;

use self::broker::Broker;
use self::settings::{BrokerChoice, Settings};
use crate::failure::Failure;
use crate::node_file::NodeFile;
use crate::out::Out;

pub(crate) use self::settings::Args;

/// How long the parts may take to finish what they have begun. With the broker's end this stays under five seconds.
const DRAIN_WITHIN: Duration = Duration::from_millis(3_500);
/// How long a broker of our own may take until it answers: it reads its streams first.
const BROKER_ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// Between two tries to reach it.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// Events between two snapshots of a view: a rebuild of this many takes a fraction of a second.
const SNAPSHOT_EVERY: u64 = 10_000;

/// Runs a node until it is told to stop, or cannot go on.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let settings = Settings::resolve(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("the runtime can not be started", error))?;
    let ended = runtime.block_on(node(settings));
    // Reads on the blocking threads end by themselves; nothing that matters is waited for any more.
    runtime.shutdown_timeout(Duration::from_millis(200));
    ended
}

async fn node(settings: Settings) -> Result<(), Failure> {
    let (stop, stopping) = watch::channel(false);
    let told = stop_signals()?;
    let ground = Ground::prepare(&settings)?;
    let running = match ground.start(&settings, &stopping).await {
        Ok(running) => running,
        Err(failure) => {
            ground.end().await;
            return Err(failure);
        }
    };
    let mut running = running;
    let ended = tokio::select! {
        () = told => { tracing::info!("told to stop"); Ok(()) }
        ended = running.first_end() => ended,
    };
    stop.send_replace(true);
    running.drain().await;
    ground.end().await;
    if let Err(error) = NodeFile::remove(&settings.data) {
        tracing::warn!(error = %Failure::from(error), "node.json stays behind");
    }
    ended
}

/// What everything else stands on: the folder, who takes part, the log, the broker.
struct Ground {
    network: Arc<Network>,
    network_file: PathBuf,
    log: EventLog,
    broker: Option<Broker>,
    url: String,
    monitor: Option<String>,
}

impl Ground {
    fn prepare(settings: &Settings) -> Result<Self, Failure> {
        let data = &settings.data;
        fs::create_dir_all(data).map_err(|error| {
            Failure::new(format!("the data folder {} can not be made", data.display()), error)
        })?;
        let (network, network_file) = network_of(settings)?;
        // The log first: its lock is what keeps a second node away from this folder.
        let (log, report) = EventLog::open(&data.join("log"), Options::default())?;
        tell(&report);
        let (broker, url, monitor) = match &settings.broker {
            BrokerChoice::Own { program, port } => {
                let config =
                    broker::Config { program: program.clone(), dir: data.join("broker"), port: *port };
                let broker = Broker::start(&config)?;
                let (url, monitor) = (broker.url().to_owned(), broker.monitor().to_owned());
                (Some(broker), url, Some(monitor))
            }
            BrokerChoice::Foreign { url, monitor, .. } => (None, url.clone(), monitor.clone()),
        };
        Ok(Self { network: Arc::new(network), network_file, log, broker, url, monitor })
    }

    async fn start(&self, settings: &Settings, stopping: &watch::Receiver<bool>) -> Result<Running, Failure> {
        let bus = self.connect(settings).await?;
        // A connection of its own: what goes out must not stand in the way of receipts.
        let out = Bus::connect(bus::Config::new(&self.url, "doorstroom gateway")).await?;
        let reader = self.log.reader();
        let projector =
            projector::Config { snapshots: settings.data.join("views"), snapshot_every: SNAPSHOT_EVERY };
        let (view, projection) = projector::start::<Availability>(reader.clone(), projector)?;
        let doors = self.network.regions().map(|region| {
            let name = format!("doorstroom recorder {}", region.code);
            (region.code.clone(), bus::Config::new(&self.url, name))
        });
        let (_registry, network) = watch::channel(Arc::clone(&self.network));
        let recorder = recorder::Config {
            network,
            clock: Arc::new(SystemClock),
            alarms: bus::alarm::Alarms::new(),
            mailbox: bus::MailboxLimits::default(),
            needs: None,
        }
        .build(doors.collect(), self.log.clone());
        let recording = recorder.handle();
        let gateway = gateway::Config::new("doorstroom", Arc::clone(&self.network)).build(
            &out,
            reader.clone(),
            view.clone(),
        );
        let publishing = gateway.handle();
        let listener = TcpListener::bind(settings.http)
            .await
            .map_err(|error| Failure::new(format!("the pages can not listen on {}", settings.http), error))?;
        let http = listener
            .local_addr()
            .map_err(|error| Failure::new("the address of the pages is unknown", error))?;
        let parts = health::Parts {
            log: self.log.clone(),
            bus: bus.clone(),
            view: view.clone(),
            recorder: recording,
            gateway: publishing,
        };
        let app = portal::App {
            availability: view.clone(),
            network: Arc::clone(&self.network),
            reader,
            metrics: Arc::new(parts.metrics(self.broker.as_ref().map(Broker::starts)).into_text()),
            checks: parts.clone().checks(),
            now: Arc::new(now),
        };
        let mut services = JoinSet::new();
        let until = |stopping: &watch::Receiver<bool>| stopped(stopping.clone());
        services.spawn(service("the recorder", recorder.run(until(stopping))));
        services.spawn(service("the gateway", gateway.run(until(stopping))));
        services.spawn(service("the pages", portal::serve(listener, app, until(stopping))));
        let mut running = Running { services, projection: Some(projection) };
        tokio::select! {
            () = parts.open() => {}
            () = stopped(stopping.clone()) => return Ok(running),
            ended = running.first_end() => ended?,
        }
        self.announce(settings, http)?;
        if settings.demo {
            running.services.spawn(demo::run(
                self.url.clone(),
                Arc::clone(&self.network),
                self.log.reader(),
                view,
                until(stopping),
            ));
        }
        Ok(running)
    }

    /// Connects; a broker of our own gets the time it needs to start.
    async fn connect(&self, settings: &Settings) -> Result<Bus, Failure> {
        let deadline = Instant::now() + BROKER_ANSWERS_WITHIN;
        let bus = loop {
            match Bus::connect(bus::Config::new(&self.url, "doorstroom node")).await {
                Ok(bus) => break bus,
                Err(error) if self.broker.is_none() || Instant::now() >= deadline => return Err(error.into()),
                Err(error) => tracing::debug!(%error, "the broker does not answer yet"),
            }
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        };
        bus.check_broker(&self.monitoring(&settings.broker)?).await?;
        Ok(bus)
    }

    fn monitoring(&self, choice: &BrokerChoice) -> Result<Monitoring, Failure> {
        match (choice, &self.monitor) {
            (_, Some(monitor)) => monitor
                .trim_start_matches("http://")
                .trim_end_matches('/')
                .parse::<SocketAddr>()
                .map(Monitoring::At)
                .map_err(|error| {
                    Failure::new(
                        format!("{monitor} is no monitoring address like http://127.0.0.1:8222"),
                        error,
                    )
                }),
            (BrokerChoice::Foreign { unchecked: true, .. }, None) => Ok(Monitoring::Unchecked),
            (BrokerChoice::Foreign { .. } | BrokerChoice::Own { .. }, None) => Err(Failure::usage(
                "nobody can tell whether this broker writes to disk before it acknowledges: give its monitoring address \
                 with --nats-monitor, or say --unchecked-broker if losing messages does not matter",
            )),
        }
    }

    /// Tells programs (`node.json`) and people (one line) where the node is.
    fn announce(&self, settings: &Settings, http: SocketAddr) -> Result<(), Failure> {
        let network = fs::canonicalize(&self.network_file)
            .map_err(|error| Failure::new(format!("{} is gone", self.network_file.display()), error))?;
        let node = NodeFile {
            http: format!("http://{http}"),
            bus: self.url.clone(),
            monitor: self.monitor.clone(),
            network,
            pid: std::process::id(),
        };
        node.write(&settings.data)?;
        let mut out = Out::new();
        out.line(format_args!("ready http={} bus={}", node.http, node.bus))?;
        out.flush()
    }

    /// Closes the log, then ends the broker.
    async fn end(self) {
        self.log.close().await;
        if let Some(broker) = self.broker {
            let ended = tokio::task::spawn_blocking(move || broker.stop()).await;
            if let Err(error) = ended {
                tracing::error!(%error, "the broker was not ended in order");
            }
        }
    }
}

/// The services of a node.
struct Running {
    services: JoinSet<Result<(), Failure>>,
    projection: Option<projector::Task>,
}

impl Running {
    /// Waits for a service that ends although nobody told it to.
    async fn first_end(&mut self) -> Result<(), Failure> {
        loop {
            match self.services.join_next().await {
                // The demo may end: everything is replayed and the node was told to stop, or it has no locations.
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(failure))) => return Err(failure),
                Some(Err(error)) => return Err(Failure::new("a part of the node broke", error)),
                None => return Ok(()),
            }
        }
    }

    /// Lets everything finish what it has begun, for as long as that may take.
    async fn drain(mut self) {
        let projection = self.projection.take();
        let all = async {
            while let Some(ended) = self.services.join_next().await {
                match ended {
                    Ok(Ok(())) => {}
                    Ok(Err(failure)) => tracing::error!(%failure, "while stopping"),
                    Err(error) => tracing::error!(%error, "a part of the node broke while stopping"),
                }
            }
            if let Some(projection) = projection {
                projection.shutdown().await;
            }
        };
        if tokio::time::timeout(DRAIN_WITHIN, all).await.is_err() {
            tracing::warn!("not everything was finished in time; senders still have what was not receipted");
        }
    }
}

async fn service<E: std::error::Error>(
    what: &'static str,
    run: impl Future<Output = Result<(), E>>,
) -> Result<(), Failure> {
    run.await.map_err(|error| Failure::new(format!("{what} stopped"), error))
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the node: that is a stop as well.
    drop(stopping.wait_for(|stop| *stop).await);
}

fn stop_signals() -> Result<impl Future<Output = ()>, Failure> {
    let unheard = |error| Failure::new("signals can not be listened for", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Who takes part, and the file that says so: the one that was named, or one written into the data folder.
fn network_of(settings: &Settings) -> Result<(Network, PathBuf), Failure> {
    if let Some(file) = &settings.network {
        return Ok((Network::read(file)?, file.clone()));
    }
    let network = if settings.demo { demo::network()? } else { Network::default_dutch()? };
    let file = settings.data.join("network.toml");
    write_once(&file, &network.to_toml())?;
    // What is there may have been changed by its owner: it counts, not what we would have written.
    Ok((Network::read(&file)?, file))
}

fn write_once(file: &Path, text: &str) -> Result<(), Failure> {
    if file.exists() {
        return Ok(());
    }
    fs::write(file, text)
        .map_err(|error| Failure::new(format!("{} can not be written", file.display()), error))
}

fn now() -> Timestamp {
    Timestamp::from_micros(SystemClock.now())
}

fn tell(report: &RecoveryReport) {
    if let Some(torn) = &report.torn {
        tracing::warn!(
            file = %torn.file.display(), offset = torn.offset, bytes = torn.bytes, kept = %torn.kept.display(),
            "the last batch was torn by a crash, was never acknowledged, and is set aside"
        );
    }
    for file in &report.indexes_rebuilt {
        tracing::warn!(file = %file.display(), "an index was missing or damaged and is made anew from the log");
    }
    if let Some(reason) = &report.catalogue_rebuilt {
        tracing::warn!(reason, "the catalogue was not usable and is made anew from the log");
    }
}
