//! What happens to beds, referrals and stays: ids, codes, events, what they make of a bed ([`availability`]), and what
//! may be wanted and is decided ([`desk`]).
//!
//! Pure data and rules; no clock, no I/O, no randomness can compile in here (`no_std`).
//! Not here: how an event looks on the wire (`contracts`), the other read models (`views`).
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "testing"))]
extern crate std;

pub mod access;
pub mod availability;
mod codes;
pub mod desk;
mod event;
mod ids;
mod matched;
pub mod matching;
mod names;
mod plain;
pub mod queries;
mod serde_text;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
mod wall;
mod words;

pub use codes::*;
pub use event::*;
pub use ids::*;
pub use matched::*;
pub use names::Names;
pub use plain::{is_seen, is_unfit, plain, plain_lines};
pub use time::{Timestamp, TimestampError};
pub use wall::{PartOfDay, Wall};
pub use words::Sentence;
