//! The seeds of the fuzz targets for files, replayed; each also cut short and with bits flipped.

use std::{fs, path::Path};

#[expect(unreachable_pub, reason = "shared with the fuzz targets")]
#[path = "../../fuzz/files.rs"]
mod files;

fn replay(target: &str, body: fn(&[u8]), every: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        body(&bytes);
        for place in (0..bytes.len()).step_by(every) {
            body(&bytes[..place]);
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (place % 8);
            body(&flipped);
        }
        seeds += 1;
    }
    assert!(seeds >= 2, "{seeds} seeds");
}

#[test]
fn the_seeds_of_the_frame_parser_are_read_or_refused() {
    replay("frame", files::frame, 5);
}

#[test]
fn the_seeds_of_the_index_parser_change_no_answer() {
    replay("index", files::index, 97);
}

#[test]
fn the_seeds_of_the_catalogue_parser_are_confirmed_or_moved_aside() {
    replay("catalogue", files::catalogue, 9);
}
