//! What a broker, a network, a disk or an administrator can do to a node, done to a real one, and the checker of what
//! came of it: nothing that has a receipt is lost, nothing is there twice, and the right alarm is raised in time.
//!
//! The scenarios that take seconds are tests (`broker_faults`); all of them are run, and their outcome printed as a
//! table, by `tests/chaos`. Not here: the same faults inside one crate (`recorder`).

mod disk;
mod netns;
mod proxy;
mod rig;
mod scenarios;
mod sending;
mod slow;
mod storm;
mod wire;

use std::time::Duration;

pub use proxy::Proxy;
pub use rig::Rig;
pub use scenarios::{
    bit_flip, consumer_deleted, consumer_replaced, late_acknowledgements, old_log, rolled_back,
    setting_changed, stream_deleted, two_readers, wiped,
};
pub use sending::Sending;
pub use slow::halted_subscribers;
pub use wire::cut_for_a_second;

/// What a broker lost is to be found within this.
pub const FOUND_WITHIN: Duration = Duration::from_secs(10);

/// What came of a fault.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was done.
    pub did: String,
    /// Events with a receipt.
    pub receipts: usize,
    /// Of these, and of those sent, how many are not in the log.
    pub lost: usize,
    /// Events that are in the log more than once.
    pub doubled: usize,
    /// How it was noticed.
    pub alarm: &'static str,
    /// How long after the fault that was.
    pub found: Duration,
    /// How long after the fault everything had its receipt.
    pub healed: Duration,
    /// How soon it has to be noticed.
    pub within: Duration,
}

impl Outcome {
    /// Whether nothing is lost or doubled, and it was noticed in time.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        (self.lost, self.doubled) == (0, 0) && self.receipts > 0 && self.found <= self.within
    }
}

/// A scenario by its name.
#[derive(Debug)]
pub struct Scenario {
    /// As it is asked for.
    pub name: &'static str,
    /// The number of the fault.
    pub fault: &'static str,
    /// Does it; `Err` says why it can not be done here.
    pub run: fn() -> Result<Outcome, String>,
}

/// All of them.
pub const SCENARIOS: [Scenario; 17] = [
    Scenario { name: "wiped", fault: "51", run: || Ok(wiped()) },
    Scenario { name: "rolled-back", fault: "52", run: || Ok(rolled_back()) },
    Scenario { name: "bit-flip", fault: "53", run: || Ok(bit_flip()) },
    Scenario { name: "disk-full", fault: "54", run: disk::full },
    Scenario { name: "disk-error", fault: "54", run: disk::error_of_sync },
    Scenario { name: "cut-1s", fault: "56", run: || Ok(cut_for_a_second()) },
    Scenario { name: "half-open-30s", fault: "56", run: || Ok(wire::half_open()) },
    Scenario { name: "partition-30s", fault: "56", run: netns::partition },
    Scenario { name: "consumer-deleted", fault: "57", run: || Ok(consumer_deleted()) },
    Scenario { name: "consumer-replaced", fault: "57", run: || Ok(consumer_replaced()) },
    Scenario { name: "setting-changed", fault: "57", run: || Ok(setting_changed()) },
    Scenario { name: "stream-deleted", fault: "57", run: || Ok(stream_deleted()) },
    Scenario { name: "two-readers", fault: "58", run: || Ok(two_readers()) },
    Scenario { name: "late-acks", fault: "58", run: || Ok(late_acknowledgements()) },
    Scenario { name: "old-log", fault: "59", run: || Ok(old_log()) },
    Scenario { name: "slow-subscribers", fault: "61", run: || Ok(slow::of_the_nation()) },
    Scenario { name: "storm", fault: "60", run: || Ok(storm::storm()) },
];
