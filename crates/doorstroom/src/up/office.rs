//! The desk of a node and what it works with: what is so, its clock, the keys of what is sealed, the operator's token.
//!
//! Not here: how it decides and records (`desk`), what is served of it (`portal`).

use std::fs;
use std::sync::Arc;

use desk::{Desk, DeskClock, ScaledClock, Vault};
use domain::{SourceId, Timestamp};
use eventlog::{Clock as _, LogReader, SystemClock};
use keyring::Secret;
use network::{Network, TokenHash};
use notifier::Notifier;
use portal::Staff;
use portal::signin::Door;
use projector::Handle;
use recorder::Recorder;
use tokio::sync::watch;
use views::{Flow, Unmet};

use super::settings::Settings;

use crate::admin::ACCOUNTS;
use crate::desk::OPERATOR_TOKEN;
use crate::failure::Failure;

/// Who says so in what lapses by a deadline.
const KEEPER: &str = "urn:doorstroom:keeper";

/// When a clock that goes faster began to, in microseconds since 1970.
const ORIGIN_FILE: &str = "clock.origin";

/// The desk of this node.
pub(super) struct Office {
    pub(super) desk: Desk,
    pub(super) flow: Handle<Flow>,
    pub(super) unmet: Handle<Unmet>,
    /// What keeps all of these up to date.
    pub(super) tasks: Vec<projector::Task>,
    pub(super) vault: Vault,
    /// Who may sign in.
    pub(super) door: Arc<Door>,
    /// Who is told that there is something for them.
    pub(super) notifier: Notifier,
    /// The token of the person on this machine, made anew at each start.
    pub(super) operator: TokenHash,
}

impl Office {
    /// Opens the desk that records through the recorder's door; its folders and the operator's token are in the folder
    /// of the node's data.
    ///
    /// # Errors
    /// A folder or the token can not be written, or the rules can not be read.
    pub(super) fn open(
        settings: &Settings,
        clock: Arc<dyn DeskClock>,
        recorder: &Recorder,
    ) -> Result<Self, Failure> {
        let data = &settings.data;
        let keeper: SourceId =
            KEEPER.parse().map_err(|error| Failure::new(format!("{KEEPER} is no source"), error))?;
        let door = recorder.inner();
        let reader: LogReader = door.reader();
        let mut config = desk::Config { clock, ..desk::Config::new(data.join("desk"), keeper) };
        if let Some(rules) = &settings.rules {
            config.rules = desk::read_rules(rules)?;
        }
        let (desk, state) = config.start(door)?;
        let kept = |name: &str| projector::Config {
            snapshots: data.join(name),
            snapshot_every: super::SNAPSHOT_EVERY,
        };
        let (flow, flowing) = projector::start::<Flow>(reader.clone(), kept("flow"))?;
        let (unmet, counting) = projector::start::<Unmet>(reader, kept("unmet"))?;
        let vault = Vault::open(&data.join("vault"))
            .map_err(|error| Failure::new("what is personal can not be sealed", error))?;
        let now = Timestamp::from_micros(SystemClock.now());
        let door = Door::open(&data.join(ACCOUNTS), data, now)
            .map_err(|error| Failure::new("nobody can sign in", error))?;
        let notifier = Notifier::open(data, settings.notices.clone())
            .map_err(|error| Failure::new("nobody can be told that there is something for them", error))?;
        let secret = Secret::make()?;
        secret.write(&data.join(OPERATOR_TOKEN))?;
        let tasks = vec![state, flowing, counting];
        Ok(Self { desk, flow, unmet, tasks, vault, door: Arc::new(door), notifier, operator: secret.hash() })
    }
}

impl Office {
    /// Tells people that there is something for them, until `shutdown` resolves.
    pub(super) fn telling<Shutdown: Future<Output = ()>>(
        &self,
        clock: &Arc<dyn DeskClock>,
        registry: watch::Receiver<Arc<Network>>,
        shutdown: Shutdown,
    ) -> impl Future<Output = ()> + use<Shutdown> {
        let (notifier, state, clock) = (self.notifier.clone(), self.desk.state().clone(), Arc::clone(clock));
        let staff = Staff { door: Arc::clone(&self.door), registry, now: Arc::new(super::now) };
        async move { notifier.run(state, clock, Arc::new(staff), shutdown).await }
    }

    /// Waits until what the desk decides on, and what it is asked for, follows the log.
    pub(super) fn following(&self) -> impl Future<Output = ()> + use<> {
        let views = [self.desk.state().standing(), self.flow.standing(), self.unmet.standing()];
        async move {
            for mut view in views {
                // One that ended has a reason that is told, and ends the node.
                let _ = view.wait_for(|standing| standing.live).await;
            }
        }
    }
}

/// What time it is at this node: that of the machine, or faster for a simulation. When it began to is kept, so that it goes
/// on from there after a restart.
pub(super) fn clock(settings: &Settings) -> Result<Arc<dyn DeskClock>, Failure> {
    let Some(factor) = settings.clock_factor else { return Ok(Arc::new(SystemClock)) };
    let file = settings.data.join(ORIGIN_FILE);
    super::write_once(&file, &SystemClock.now().to_string())?;
    let unread = |error| Failure::new(format!("{} can not be read", file.display()), error);
    let text = fs::read_to_string(&file).map_err(unread)?;
    let unfit = |error| Failure::new(format!("{} is no time; take it away", file.display()), error);
    let origin = Timestamp::from_micros(text.trim().parse().map_err(unfit)?);
    tracing::warn!(factor, "the clock of this node goes faster than the machine's: a simulation");
    Ok(Arc::new(ScaledClock { origin, factor }))
}
