//! The messages and the service of `/proto/umadb`, as they are generated: see there what each says.
//!
//! Not here: what they mean to the log (`convert`).

// `expect` would have to follow every change of the generator.
#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/umadb.v1.rs"));
