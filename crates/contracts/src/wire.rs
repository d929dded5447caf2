//! The messages of `/proto`, as prost generates them: see there what each says.
//!
//! Not here: what they mean to the domain (`map`), and how they are read from JSON (`json`).

// `expect` would have to follow every change of the generator.
#![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code")]

pub use prost::Message;

include!(concat!(env!("OUT_DIR"), "/doorstroom.v1.rs"));
