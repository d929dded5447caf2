//! Pure read models: folds of the log, each with the position and time it stands at.
//!
//! No clock, no I/O (`no_std`); a view is made from recorded events alone, so that the same log gives the same
//! view on every machine. Not here: who feeds a view, keeps it and looks back in time (`projector`).
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod alerts;
mod asked;
mod availability;
mod desk;
mod flow;
mod period;
mod unmet;

use alloc::vec::Vec;

use domain::{Recorded, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

pub use alerts::{About, Alert, AlertChange, AlertStep, Alerts, Because, Condition, Rule};
pub use desk::DeskChange;
pub use domain::availability::{
    Availability, Basis, BedCard, CONTRADICTIONS_KEPT_MAX, CareCode, Contradiction, ContradictionKind,
    Counts, CountsAs, LastWord, LocationCard, Row, RowKey, Stop, Sum,
};
pub use flow::{BUCKET_ENDS, BUCKETS, Cell, Flow, Summary, Times};
pub use period::{DAYS_KEPT, Period};
pub use unmet::{Unmet, UnmetKey, UnmetKind};

/// A read model: what [`View::project`] made of the events so far.
pub trait View: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name, as snapshots are filed under it.
    const NAME: &'static str;
    /// The version of its state and rules. A snapshot of another version is thrown away and folded anew, so
    /// raise it with every change of either.
    const VERSION: u32;
    /// What may look different after an event.
    type Change: Clone + Ord + Send + Sync + 'static;

    /// Takes one more recorded event into account and adds to `changes` what may look different now.
    ///
    /// Events come in the order of the log, each once. Never fails and never panics: what contradicts the view
    /// is a finding of the view, not an error.
    fn project(&mut self, recorded: &Recorded, changes: &mut Vec<Self::Change>);

    /// Moves on over a record that is no event (or none that can be read): the view stands at its position, too.
    fn pass(&mut self, position: u64, recorded_at: Timestamp);
}
