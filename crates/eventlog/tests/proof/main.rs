//! Signed heads, tiles and proofs against real files, checked by implementations that are not ours.
#![expect(clippy::big_endian_bytes, reason = "test code: the formats of notes are big-endian")]

#[cfg(test)]
mod files;
#[cfg(test)]
mod heads;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tiles;
