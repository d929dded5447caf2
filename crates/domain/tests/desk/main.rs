//! The desk's rules, told as stories, refused one by one, raced, and shaken at random.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod again;
mod contradictions;
mod deadlines;
mod matching;
mod openings;
mod properties;
mod queries;
mod races;
mod refusals;
mod stories;
mod support;
mod triage;
