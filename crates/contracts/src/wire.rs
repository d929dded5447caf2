//! The messages of `/proto`, as prost generates them: see there what each says.
//!
//! Not here: what they mean to the domain (`map`), and how they are read from JSON (`json`).

#![expect(clippy::allow_attributes, reason = "which lints generated code trips changes with the generator")]
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/doorstroom.v1.rs"));
