//! The desk of a node and what it works with: what is so, its clock, the keys of what is sealed, the operator's token.
//!
//! Not here: how it decides and records (`desk`), what is served of it (`portal`).

use desk::{Desk, Vault};
use domain::SourceId;
use eventlog::LogReader;
use keyring::Secret;
use network::TokenHash;
use projector::Handle;
use recorder::Recorder;
use views::{Flow, Unmet};

use super::settings::Settings;

use crate::desk::OPERATOR_TOKEN;
use crate::failure::Failure;

/// Who says so in what lapses by a deadline.
const KEEPER: &str = "urn:doorstroom:keeper";

/// The desk of this node.
pub(super) struct Office {
    pub(super) desk: Desk,
    pub(super) flow: Handle<Flow>,
    pub(super) unmet: Handle<Unmet>,
    /// What keeps all of these up to date.
    pub(super) tasks: Vec<projector::Task>,
    pub(super) vault: Vault,
    /// The token of the person on this machine, made anew at each start.
    pub(super) operator: TokenHash,
}

impl Office {
    /// Opens the desk that records through the recorder's door; its folders and the operator's token are in the folder
    /// of the node's data.
    ///
    /// # Errors
    /// A folder or the token can not be written, or the rules can not be read.
    pub(super) fn open(settings: &Settings, recorder: &Recorder) -> Result<Self, Failure> {
        let data = &settings.data;
        let keeper: SourceId =
            KEEPER.parse().map_err(|error| Failure::new(format!("{KEEPER} is no source"), error))?;
        let door = recorder.inner();
        let reader: LogReader = door.reader();
        let mut config = desk::Config::new(data.join("desk"), keeper);
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
        let secret = Secret::make()?;
        secret.write(&data.join(OPERATOR_TOKEN))?;
        let tasks = vec![state, flowing, counting];
        Ok(Self { desk, flow, unmet, tasks, vault, operator: secret.hash() })
    }
}
