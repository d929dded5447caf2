//! The event log against real files.
#![expect(clippy::big_endian_bytes, clippy::wildcard_enum_match_arm, reason = "test code")]

#[cfg(test)]
mod archive;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod model;
#[cfg(test)]
mod origins;
#[cfg(test)]
mod power;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tampering;
#[cfg(test)]
mod twin;
