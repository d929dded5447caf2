//! Shared support of the end-to-end tests: a node as its users have it (the real binary), a broker of one's own, the
//! reference data, the tools from outside; and what tests of several crates stand on: a browser, a session, servers for mail
//! and push, a clock that is set.
//!
//! Everything here fails by panicking with what a person needs to see: it is test code. Not here: assertions about
//! the product, those are in `tests/`.
//!
//! Nothing needs to be prepared: the binary is built, nats-server and Python are obtained when they are first asked
//! for. `./tests/all` does both before and passes the places in `DOORSTROOM_NATS_SERVER`, `DOORSTROOM_PYTHON`,
//! `DOORSTROOM_PYTHON_DCB`, `DOORSTROOM_PYTHON_API` and `DOORSTROOM_CHROMIUM`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

mod api;
mod broker;
pub mod browser;
pub mod chaos;
mod clock;
pub mod form;
mod guarded;
pub mod http;
mod node;
mod process;
pub mod push;
mod record;
mod reference;
mod script;
pub mod session;
pub mod simulation;
pub mod smtp;
mod tools;

pub use api::{Api, in_minutes, new_id};
pub use broker::Broker;
pub use clock::Hand;
pub use guarded::Guarded;
pub use node::{Node, Site};
pub use process::{Ran, eventually, run};
pub use record::{record, record_of};
pub use reference::{Reference, reference};
pub use script::{Script, free_ports, kill9_of};
pub use tools::{api_python, chromium, dcb_python, doorstroom, example, nats_server, python, root};
