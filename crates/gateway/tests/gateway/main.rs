//! What the gateway promises subscribers, with a real nats-server and a plain client.
//!
//! Not here: the recorder and the whole node (`tests`).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod acute;
mod history;
mod outward;
mod support;
