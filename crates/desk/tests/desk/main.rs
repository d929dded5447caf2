//! The desk over a real log: one winner whatever happens at once, nothing done twice, deadlines kept.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code"
)]

mod commands;
mod deadlines;
mod races;
mod support;
mod vault;
