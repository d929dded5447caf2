//! The desk at work: a command is decided on what is so, and recorded unless what it stands on changed meanwhile;
//! deadlines are kept; what is personal is sealed.
//!
//! Here: `handle` (deciding, recording, trying again), `keeper` (deadlines), `clock`,
//! `rules` (the file of what regions set), `vault` (keys of sealed parts).
//! Not here: the rules (`domain::desk`), who a person is and what that person may (`domain::access`, the API), what others
//! see (`views`).
//!
//! Invariant: of decisions that stand on the same thing only one is recorded, whoever makes them and wherever
//! (test: `of_parties_that_accept_at_once_one_wins_and_every_other_hears_why`).
//! Invariant: what a command answers is on disk, and in what the next command decides on
//! (test: `who_has_an_answer_can_go_on_from_it_at_once`).

mod clock;
mod handle;
mod keeper;
mod lookup;
mod rules;
mod vault;

use std::path::PathBuf;
use std::sync::Arc;

use domain::desk::{Refusal, RuleBook, State};
use domain::{EventId, SourceId, Timestamp};
use eventlog::LogReader;
use projector::{Handle, ProjectorError, Task};
use recorder::InnerDoor;

pub use clock::{DeskClock, ScaledClock};
pub use handle::{FRESH_WITHIN, TRIES_MAX};
pub use keeper::{DUE_AT_ONCE_MAX, KEPT_AT_ONCE_MAX, LOOK_AGAIN_AFTER_MAX, LOOK_EVERY_MIN};
pub use rules::{RulesError, read_rules};
pub use vault::{SEALED_BYTES_MAX, Vault, VaultError};

/// How a desk is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where and how often what it decides on is kept.
    pub projector: projector::Config,
    /// The rules of the regions.
    pub rules: RuleBook,
    /// What time it is.
    pub clock: Arc<dyn DeskClock>,
    /// Who says so in what lapses by a deadline.
    pub keeper: SourceId,
}

impl Config {
    /// The clock of the machine, the default rules, and a snapshot every 10,000 events.
    #[must_use]
    pub fn new(snapshots: PathBuf, keeper: SourceId) -> Self {
        let projector = projector::Config { snapshots, snapshot_every: 10_000 };
        Self { projector, rules: RuleBook::default(), clock: Arc::new(eventlog::SystemClock), keeper }
    }

    /// The desk that records through this door. What it decides on runs until the task is shut down.
    ///
    /// # Errors
    /// If the folder of its snapshots can not be used, or outside a runtime.
    pub fn start(self, door: InnerDoor) -> Result<(Desk, Task), ProjectorError> {
        let Self { projector, rules, clock, keeper } = self;
        let reader = door.reader();
        let given = |state: &mut State| state.rule_book = rules;
        let (state, task) = projector::start_prepared(reader.clone(), projector, given)?;
        Ok((Desk { state, door, reader, clock, keeper }, task))
    }
}

/// All desks of a node.
#[derive(Clone, Debug)]
pub struct Desk {
    state: Handle<State>,
    door: InnerDoor,
    reader: LogReader,
    clock: Arc<dyn DeskClock>,
    keeper: SourceId,
}

impl Desk {
    /// What is so, to look at.
    #[must_use]
    pub fn state(&self) -> &Handle<State> {
        &self.state
    }

    /// What time it is at the desk.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now())
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The position of the log from which on it is so: whoever reads a view at this position or later sees it.
    pub position: u64,
    /// When that was recorded.
    pub recorded_at: Timestamp,
    /// What was recorded for it; empty if it was so already.
    pub events: Vec<EventId>,
    /// It came before, and this is what became of it then.
    pub duplicate: bool,
}

/// Why a command came to nothing. A refusal is an answer; the others are not.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The rules say no.
    #[error("{}", .0.en())]
    Refused(Refusal),
    /// The id of the command belongs to something else that this source recorded.
    #[error(
        "the id {id} was used at position {position} for something else: give the command an id of its own"
    )]
    Reused {
        /// The id.
        id: EventId,
        /// Where it was used.
        position: u64,
    },
    /// So much happened to what it stands on that no decision held long enough.
    #[error("it was decided {tries} times and overtaken each time: try again in a moment")]
    Contended {
        /// How often.
        tries: u32,
    },
    /// What was decided could not be written down so that it is read again: a value in the command is one that no event
    /// may have.
    #[error("something in it is more, or other, than an event may say: nothing was recorded")]
    Unfit,
    /// The log, or what is made of it, can not be used: nothing was recorded as far as is known; the same command with the
    /// same id finds out.
    #[error("{0}: send the same command again, with its id, when the node is well")]
    Failed(String),
}
