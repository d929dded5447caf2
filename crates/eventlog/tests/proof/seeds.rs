//! The seeds of the fuzz targets for notes and proofs, replayed; each also cut short and with bits flipped.

use std::{fs, path::Path};

#[expect(unreachable_pub, reason = "shared with the fuzz targets")]
#[path = "../../fuzz/bodies.rs"]
mod bodies;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        body(&bytes);
        for place in 0..bytes.len() {
            body(&bytes[..place]);
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (place % 8);
            body(&flipped);
        }
        seeds += 1;
    }
    assert!(seeds >= 5, "{seeds} seeds");
}

#[test]
fn the_seeds_of_the_note_parser_are_read_or_refused() {
    replay("note", bodies::note);
}

#[test]
fn the_seeds_of_the_proof_parser_are_read_or_refused() {
    replay("proof", bodies::proof);
}
