//! The desk over a real log: one winner whatever happens at once, nothing done twice, deadlines kept.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod commands;
mod deadlines;
mod races;
mod support;
mod vault;
