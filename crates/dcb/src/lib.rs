//! A gRPC server that published clients of a DCB event store (dcb.events) work with unmodified: `umadb.v1.DCB` over an
//! [`eventlog::EventLog`] of its own. For tests and comparison: it listens on this machine only and knows no sign-in.
//!
//! What differs from `UmaDB`, whose wire it is:
//! - An event with a UUID is recorded once, also without a condition: the same event again gives its first position,
//!   another one under the same UUID is an integrity error.
//! - What is too large or too much ([limits](#constants)) is an invalid argument.
//! - A subscription that the server ends, ends with `UNAVAILABLE`, not as if there was nothing more to come.
//!
//! Not here: the log (`eventlog`), the events of the house and their bus (`contracts`, `bus`).

mod convert;
mod folder;
mod read;
mod server;
mod service;
mod status;
pub mod wire;

pub use read::{BATCH_EVENTS_DEFAULT, BATCH_EVENTS_MAX, RESPONSE_BYTES_MAX};
pub use server::{Config, RunError, Server, StartError};
pub use service::{REQUEST_BYTES_MAX, SCANS_MAX, SUBSCRIBERS_MAX};
