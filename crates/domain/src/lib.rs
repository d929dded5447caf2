//! What happens to beds, referrals and stays: ids, codes and events, as the field names them.
//!
//! Pure data and rules; no clock, no I/O, no randomness can compile in here (`no_std`).
//! Not here: how an event looks on the wire (`contracts`), what a view counts (`views`).
#![no_std]

extern crate alloc;

mod codes;
mod event;
mod ids;
mod time;

pub use codes::*;
pub use event::*;
pub use ids::*;
pub use time::{Timestamp, TimestampError};
