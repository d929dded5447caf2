//! `doorstroom up`: a whole node in one process, its broker included.
//!
//! Here: the order in which the parts start and stop. Not here: what any part does (the crates), the demo (`demo`).
//! Invariant: after SIGTERM the process has ended within [`DRAIN_WITHIN`] plus the broker's own three seconds at most,
//! and what was not receipted by then is not lost: its sender still has it.

mod bars;
mod broker;
mod demo;
pub(crate) mod guard;
mod health;
mod metrics;
mod office;
mod registry;
mod settings;
mod warden;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::alarm::Alarms;
use bus::provisioner::{Need, Needs, Provisioner};
use bus::server::{Setup, Topology};
use bus::{Bus, Limits, Logins, Monitoring, Server};
use desk::DeskClock;
use domain::Timestamp;
use eventlog::{Clock, EventLog, Options, RecoveryReport, Signer, SystemClock};
use network::{Network, Role};
use recorder::Recorder;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use views::Availability;

use self::bars::Bars;
use self::broker::Broker;
use self::office::Office;
use self::settings::{BrokerChoice, Settings};
use crate::access::Access;
use crate::audit::KEY_FILE;
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

/// What everything else stands on: the folder, who takes part and by which keys, the log, the broker.
struct Ground {
    network: Arc<Network>,
    network_file: PathBuf,
    keys: PathBuf,
    log: EventLog,
    clock: Arc<dyn DeskClock>,
    broker: Option<Own>,
    server: Server,
    limits: Limits,
    alarms: Alarms,
}

/// A broker of our own.
struct Own {
    broker: Broker,
    setup: Setup,
    configuration: PathBuf,
}

impl Ground {
    fn prepare(settings: &Settings) -> Result<Self, Failure> {
        let data = &settings.data;
        // What is made here is for this user alone: the log and the views hold everything.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(|error| {
            Failure::new(format!("the data folder {} can not be made", data.display()), error)
        })?;
        // The log first: its lock is what keeps a second node away from this folder.
        let clock = office::clock(settings)?;
        let log = open_log(data, Arc::<dyn DeskClock>::clone(&clock))?;
        let network_file = network_file(settings)?;
        let absent = |error| Failure::new(format!("the data folder {} is gone", data.display()), error);
        let keys = fs::canonicalize(data).map_err(absent)?.join("keys");
        let (network, keyring, made) = keyring::prepare(&network_file, &keys, &[], now())?;
        if !made.is_nothing() {
            tracing::info!(users = made.users.len(), keys = %keys.display(), "keys were made for users without one");
        }
        let (ca, alarms) = (Some(keyring.ca_file()), Alarms::new());
        let (broker, server) = match &settings.broker {
            BrokerChoice::Own { program, port, leaves } => {
                let port = if *port == 0 { broker::free_port()? } else { *port };
                let (dir, ports) = (data.join("broker"), (port, *leaves));
                let own = Own::start(program, &dir, ports, (&network, &keys), alarms.clone())?;
                (Some(own), Server { url: format!("tls://127.0.0.1:{port}"), ca })
            }
            BrokerChoice::Foreign { url, .. } => (None, Server { url: url.clone(), ca }),
        };
        let network = Arc::new(network);
        let limits = settings.broker.limits();
        Ok(Self { network, network_file, keys, log, clock, broker, server, limits, alarms })
    }

    async fn start(&self, settings: &Settings, stopping: &watch::Receiver<bool>) -> Result<Running, Failure> {
        let until = |stopping: &watch::Receiver<bool>| stopped(stopping.clone());
        self.check_broker(settings).await?;
        let provisioner = self.provisioner();
        provisioner.once().await?;
        let (needs, needed) = bus::provisioner::needs();
        let (network, watched) = watch::channel(Arc::clone(&self.network));
        // A connection of its own: what goes out must not stand in the way of receipts.
        let out = Bus::connect_alarmed(self.config(&Role::Gateway)?, self.alarms.clone()).await?;
        let reader = self.log.reader();
        let projector =
            projector::Config { snapshots: settings.data.join("views"), snapshot_every: SNAPSHOT_EVERY };
        let (view, projection) = projector::start::<Availability>(reader.clone(), projector)?;
        let recorder = self.recorder(watched.clone(), needs.clone())?;
        if settings.demo {
            demo::people(&settings.data, &self.network)?;
        }
        let office = Office::open(settings, Arc::clone(&self.clock), &recorder)?;
        let gateway = self.gateway(watched.clone(), needs.clone());
        let gateway = gateway.build(&out, reader.clone(), view.clone());
        let (listener, http) = listen(settings.http).await?;
        let parts = health::Parts {
            log: self.log.clone(),
            bus: out.clone(),
            view: view.clone(),
            recorder: recorder.handle(),
            gateway: gateway.handle(),
            alarms: self.alarms.clone(),
        };
        let app = self.app(settings, &parts, &office, watched.clone());
        let following = office.following();
        let mut services = JoinSet::new();
        services.spawn(ends(provisioner.run(needed, until(stopping))));
        services.spawn(ends(office.telling(&self.clock, watched.clone(), until(stopping))));
        let (offenders, offended) = warden::offenders();
        let (config, alarms) = (self.config(&Role::Monitor)?, self.alarms.clone());
        let warden = warden::Warden { config, network: watched, alarms, offenders };
        services.spawn(ends(warden.run(until(stopping))));
        services.spawn(ends(self.registry(network, offended).run(until(stopping))));
        if let Some(starts) = self.starts() {
            services.spawn(ends(tell_restarts(starts, needs, until(stopping))));
        }
        services.spawn(service("the quarantine", recorder.quarantine().serve(out, until(stopping))));
        services.spawn(service("the recorder", recorder.run(until(stopping))));
        services.spawn(service("the gateway", gateway.run(until(stopping))));
        services.spawn(service("the pages", portal::serve(listener, app, until(stopping))));
        services.spawn(ends(keep(office.desk, until(stopping))));
        let mut running =
            Running { services, projections: office.tasks.into_iter().chain([projection]).collect() };
        tokio::select! {
            ((), ()) = async { tokio::join!(parts.open(), following) } => {}
            () = stopped(stopping.clone()) => return Ok(running),
            ended = running.first_end() => ended?,
        }
        self.announce(settings, http)?;
        if settings.demo {
            running.services.spawn(demo::run(
                Access { server: self.server.clone(), logins: self.logins(), network: None },
                Arc::clone(&self.network),
                self.log.reader(),
                view,
                until(stopping),
            ));
        }
        Ok(running)
    }

    /// What the pages and the API show and ask.
    fn app(
        &self,
        settings: &Settings,
        parts: &health::Parts,
        office: &Office,
        registry: watch::Receiver<Arc<Network>>,
    ) -> portal::App {
        let starts = self.starts().map(|starts| move || *starts.borrow());
        portal::App {
            availability: parts.view.clone(),
            network: Arc::clone(&self.network),
            registry,
            operator: Some(office.operator),
            trusted_proxies: settings.trusted_proxies.clone(),
            door: Arc::clone(&office.door),
            notifier: office.notifier.clone(),
            desk: office.desk.clone(),
            vault: office.vault.clone(),
            flow: office.flow.clone(),
            unmet: office.unmet.clone(),
            reader: self.log.reader(),
            log_key: self.log.verifier_key().ok().map(|key| key.to_string()),
            raised: parts.gateway.raised(),
            metrics: Arc::new(parts.metrics(starts).into_text()),
            checks: parts.clone().checks(),
            now: Arc::new(now),
        }
    }

    fn provisioner(&self) -> Provisioner {
        Provisioner::new(self.server.clone(), self.logins(), Arc::clone(&self.network), self.limits)
    }

    /// The gateway, which follows the rules of alerts in the network file.
    fn gateway(&self, network: watch::Receiver<Arc<Network>>, needs: Needs) -> gateway::Config {
        gateway::Config {
            network,
            needs: Some(needs),
            alarms: Some(self.alarms.clone()),
            signing: Some(self.log.clone()),
            ..gateway::Config::new("doorstroom", Arc::clone(&self.network))
        }
    }

    /// The recorder, with a door for each region.
    fn recorder(&self, network: watch::Receiver<Arc<Network>>, needs: Needs) -> Result<Recorder, Failure> {
        let mut doors = BTreeMap::new();
        for region in self.network.regions() {
            let config = self.config(&Role::Recorder(region.code.clone()))?;
            doors.insert(region.code.clone(), config);
        }
        let config = recorder::Config {
            network,
            clock: Arc::new(SystemClock),
            alarms: self.alarms.clone(),
            mailbox: self.limits.mailbox,
            needs: Some(needs),
        };
        Ok(config.build(doors, self.log.clone()))
    }

    fn registry(
        &self,
        network: watch::Sender<Arc<Network>>,
        offenders: mpsc::Receiver<warden::Offender>,
    ) -> registry::Registry {
        let broker = self.broker.as_ref().map(|own| registry::Configured {
            setup: own.setup.clone(),
            file: own.configuration.clone(),
            reload: Box::new(own.broker.reloader()),
        });
        registry::Registry {
            file: self.network_file.clone(),
            network,
            broker,
            alarms: self.alarms.clone(),
            offenders,
            bars: Bars::default(),
        }
    }

    fn logins(&self) -> Logins {
        Logins::Folder(self.keys.clone())
    }

    /// How a user of the node itself connects.
    fn config(&self, role: &Role) -> Result<bus::Config, Failure> {
        let login = self.logins().of(&role.account(), role.user())?;
        let name = format!("doorstroom {} {}", role.as_str(), role.account());
        Ok(bus::Config { server: self.server.clone(), name, login })
    }

    fn starts(&self) -> Option<watch::Receiver<u64>> {
        self.broker.as_ref().map(|own| own.broker.starts())
    }

    /// Asks the broker whether it is fit for use; one of our own gets the time it needs to start.
    async fn check_broker(&self, settings: &Settings) -> Result<(), Failure> {
        let deadline = Instant::now() + BROKER_ANSWERS_WITHIN;
        let config = self.config(&Role::Monitor)?;
        let bus = loop {
            match Bus::connect(config.clone()).await {
                Ok(bus) => break bus,
                Err(error) if self.broker.is_none() || Instant::now() >= deadline => return Err(error.into()),
                Err(error) => tracing::debug!(%error, "the broker does not answer yet"),
            }
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        };
        let unchecked = matches!(settings.broker, BrokerChoice::Foreign { unchecked: true, .. });
        let how = if unchecked { Monitoring::Unchecked } else { Monitoring::Asked };
        Ok(bus.check_broker(&how).await?)
    }

    /// Tells programs (`node.json`) and people (one line) where the node is.
    fn announce(&self, settings: &Settings, http: SocketAddr) -> Result<(), Failure> {
        let network = fs::canonicalize(&self.network_file)
            .map_err(|error| Failure::new(format!("{} is gone", self.network_file.display()), error))?;
        let node = NodeFile {
            http: format!("http://{http}"),
            bus: self.server.url.clone(),
            ca: self.keys.join("ca.pem"),
            keys: self.keys.clone(),
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
            let ended = tokio::task::spawn_blocking(move || broker.broker.stop()).await;
            if let Err(error) = ended {
                tracing::error!(%error, "the broker was not ended in order");
            }
        }
    }
}

impl Own {
    /// Writes the configuration for this network and starts the server; returns before it answers.
    fn start(
        program: &Path,
        dir: &Path,
        (port, leaves): (u16, Option<SocketAddr>),
        (network, keys): (&Network, &Path),
        alarms: Alarms,
    ) -> Result<Self, Failure> {
        let store = dir.join("jetstream");
        fs::create_dir_all(&store).map_err(|error| {
            Failure::new(format!("the folder {} can not be made", store.display()), error)
        })?;
        let setup = Setup {
            name: "doorstroom".to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            store,
            keys: keys.to_owned(),
            topology: Topology::Single,
            leaves,
            limits: Limits::default(),
            shut_out: BTreeSet::new(),
        };
        let configuration = dir.join("nats.conf");
        registry::write_configuration(&configuration, network, now(), &setup)?;
        let broker = Broker::start(program.to_owned(), configuration.clone(), alarms)?;
        Ok(Self { broker, setup, configuration })
    }
}

/// The place of the pages, and its address: the port may be any that is free.
async fn listen(http: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let unheard = |error| Failure::new(format!("the pages can not listen on {http}"), error);
    let listener = TcpListener::bind(http).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    Ok((listener, address))
}

/// Says after each restart of the broker that what it kept in memory is to be made again.
async fn tell_restarts(mut starts: watch::Receiver<u64>, needs: Needs, shutdown: impl Future<Output = ()>) {
    let mut shutdown = std::pin::pin!(shutdown);
    starts.mark_unchanged();
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            changed = starts.changed() => if changed.is_err() { return },
        }
        // Full: then it is about to be made.
        drop(needs.try_send(Need::Outward));
    }
}

/// The services of a node.
struct Running {
    services: JoinSet<Result<(), Failure>>,
    projections: Vec<projector::Task>,
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
        let projections = std::mem::take(&mut self.projections);
        let all = async {
            while let Some(ended) = self.services.join_next().await {
                match ended {
                    Ok(Ok(())) => {}
                    Ok(Err(failure)) => tracing::error!(%failure, "while stopping"),
                    Err(error) => tracing::error!(%error, "a part of the node broke while stopping"),
                }
            }
            for projection in projections {
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

/// Keeps the deadlines of the desks.
async fn keep(desk: desk::Desk, shutdown: impl Future<Output = ()>) {
    desk.keep(shutdown).await;
}

async fn ends(run: impl Future<Output = ()>) -> Result<(), Failure> {
    run.await;
    Ok(())
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the node: that is a stop as well.
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Resolves when the process is asked to end.
///
/// # Errors
/// If the system does not let us hear of it.
pub(crate) fn stop_signals() -> Result<impl Future<Output = ()>, Failure> {
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

/// The file that says who takes part: the one that was named, or one in the data folder. What is there may have been
/// changed by its owner: it counts, not what we would have written.
fn network_file(settings: &Settings) -> Result<PathBuf, Failure> {
    if let Some(file) = &settings.network {
        return Ok(file.clone());
    }
    let network = if settings.demo { demo::network()? } else { Network::default_dutch()? };
    let file = settings.data.join("network.toml");
    write_once(&file, &network.to_toml())?;
    Ok(file)
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

/// The log of the node, with the key that signs its heads: `log.seed` beside it, made at the first start. What others
/// verify them with is written to `log.vkey`.
fn open_log(data: &Path, clock: Arc<dyn Clock>) -> Result<EventLog, Failure> {
    let seed = data.join("log.seed");
    let signer = Signer::from_file(&seed).map_err(|error| {
        Failure::new(format!("the key of the log in {} can not be used", seed.display()), error)
    })?;
    let options = Options { signer: Some(signer), ..Options::new(clock) };
    let (log, report) = EventLog::open(&data.join("log"), options)?;
    tell(&report);
    let public = data.join(KEY_FILE);
    fs::write(&public, format!("{}\n", log.verifier_key()?))
        .map_err(|error| Failure::new(format!("{} can not be written", public.display()), error))?;
    Ok(log)
}

fn tell(report: &RecoveryReport) {
    if let Some(why) = &report.heads.tree_rebuilt {
        tracing::warn!(why, "the tiles of the log's tree are made anew from the log");
    }
    for file in &report.heads.unreadable {
        tracing::warn!(file = %file.display(), "this should be a signed head of the log and is none; it is not used");
    }
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
