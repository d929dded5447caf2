//! The tree on disk: what others read out of its tiles, and what happens when they are lost or damaged.

use std::{
    fs,
    path::{Path, PathBuf},
};

use eventlog::{InclusionProof, LogReader, ProofError, TreeHead};
use tlog_tiles::{
    Error, Hash, HashReader as _, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record,
    prove_tree, stored_hash_index,
};

use crate::support::{append, open, plain, root_by_others, signing};

/// Reads tiles as somebody does who knows c2sp.org/tlog-tiles and not us.
struct Tiles(PathBuf);

impl TileReader for Tiles {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            // The crate names the height in the path, the format does not.
            let path = self.0.join(tile.path().replace("tile/8/", "tile/"));
            let bytes = fs::read(&path).or_else(|_| {
                // A partial tile may be gone when the full one is there.
                let full = Tile::new(8, tile.level(), tile.level_index(), 256, false);
                let full = self.0.join(full.path().replace("tile/8/", "tile/"));
                fs::read(full).map(|bytes| bytes[..usize::try_from(tile.width()).unwrap() * 32].to_vec())
            });
            bytes.map_err(|error| Error::InvalidInput(format!("{}: {error}", path.display())))
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}

fn theirs(tree: TreeHead) -> Hash {
    Hash(tree.root)
}

fn check_by_others(proof: &InclusionProof) {
    let path = proof.path.iter().map(|hash| Hash(*hash)).collect();
    let (root, leaf) = (theirs(proof.tree), Hash(proof.leaf));
    check_record(&path, proof.tree.size, root, proof.position - 1, leaf).unwrap();
}

fn tiles(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.join("proof/tile")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn others_read_the_tree_out_of_the_tiles_and_prove_from_them() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=600, 100).await;
    let first = log.signed_head().unwrap();
    append(&log, 601..=1_300, 100).await;
    let second = log.signed_head().unwrap();
    let key = log.verifier_key().unwrap().to_string();
    let (old_size, old_root) = root_by_others(&first, &key);
    let (size, root) = root_by_others(&second, &key);
    assert_eq!((old_size, size), (600, 1_300));
    let reader = Tiles(dir.path().join("proof"));
    let hashes = TileHashReader::new(size, root, &reader);
    for position in [1, 2, 255, 256, 257, 512, 599, 1_024, 1_025, 1_299, 1_300] {
        let leaf = log.reader().record(position).unwrap().unwrap().leaf;
        let found = hashes.read_hashes(&[stored_hash_index(0, position - 1)]).unwrap();
        assert_eq!(found, [Hash(leaf)]);
        let path = prove_record(size, position - 1, &hashes).unwrap();
        assert_eq!(path, log.inclusion_proof(position).unwrap().path.map_to_theirs());
    }
    let path = prove_tree(size, old_size, &hashes).unwrap();
    check_tree(&path, size, root, old_size, old_root).unwrap();
    let ours = log.consistency_proof(old_size, size).unwrap();
    assert!(ours.holds());
    assert_eq!(path, ours.path.map_to_theirs());
    // The tiles of the first head are still to be had.
    let before = TileHashReader::new(old_size, old_root, &reader);
    prove_record(old_size, 599, &before).unwrap();
}

trait MapToTheirs {
    fn map_to_theirs(&self) -> Vec<Hash>;
}

impl MapToTheirs for Vec<[u8; 32]> {
    fn map_to_theirs(&self) -> Vec<Hash> {
        self.iter().map(|hash| Hash(*hash)).collect()
    }
}

#[tokio::test]
async fn the_same_records_have_the_same_tree_whatever_the_batches_segments_and_restarts() {
    let mut heads = Vec::new();
    for (batch, segment_bytes) in [(1, 64 * 1024), (7, 4_096), (256, 1024 * 1024)] {
        let dir = tempfile::tempdir().unwrap();
        let mut options = signing();
        options.segment_bytes = segment_bytes;
        let (log, _) = open(dir.path(), options.clone());
        append(&log, 1..=300, batch).await;
        log.close().await;
        let (log, report) = open(dir.path(), options);
        assert_eq!(report.heads.tree_rebuilt, None);
        append(&log, 301..=530, batch).await;
        heads.push(log.signed_head().unwrap().tree());
        log.close().await;
        // Somebody without tiles has the same tree.
        fs::remove_dir_all(dir.path().join("proof")).unwrap();
        heads.push(LogReader::open(dir.path()).unwrap().tree_head().unwrap());
    }
    assert_eq!(heads[0].size, 530);
    assert!(heads.iter().all(|head| *head == heads[0]), "{heads:?}");
}

#[tokio::test]
async fn every_position_is_proven_in_trees_of_every_shape() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=515, 103).await;
    let reader = LogReader::open(dir.path()).unwrap();
    for size in [1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 515] {
        for position in (1..=size).filter(|position| size < 4 || position % 17 == 0 || *position == size) {
            let proof = log.reader().inclusion_proof(position, size).unwrap();
            assert!(proof.holds());
            check_by_others(&proof);
            assert_eq!(proof, reader.inclusion_proof(position, size).unwrap());
        }
        assert!(log.consistency_proof(size, 515).unwrap().holds());
        assert!(log.consistency_proof(size / 2, size).unwrap().holds());
    }
    assert!(log.inclusion_proof(0).is_err() && log.inclusion_proof(516).is_err());
    assert!(log.consistency_proof(3, 2).is_err() && log.consistency_proof(1, 516).is_err());
    assert!(
        !log.consistency_proof(2, 515)
            .map(|mut proof| {
                proof.old.size = 3;
                proof
            })
            .unwrap()
            .holds()
    );
}

#[tokio::test]
async fn what_is_not_in_a_tree_is_not_proven() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=10, 10).await;
    let reader = log.reader();
    for (position, size) in [(0, 5), (6, 5), (10, 9), (5, 11), (11, 11), (11, 10)] {
        let refused = reader.inclusion_proof(position, size);
        assert!(matches!(refused, Err(ProofError::Beyond { .. })), "{position} of {size}: {refused:?}");
    }
    for (old, new) in [(6, 5), (5, 11), (11, 11)] {
        let refused = reader.consistency_proof(old, new);
        assert!(matches!(refused, Err(ProofError::Beyond { .. })), "{old} to {new}: {refused:?}");
    }
    assert!(reader.inclusion_proof(10, 10).unwrap().holds());
    log.close().await;
}

#[tokio::test]
async fn losing_or_damaging_any_tile_changes_no_answer_and_the_tile_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=800, 200).await;
    log.signed_head().unwrap();
    append(&log, 801..=810, 10).await;
    let expected = log.inclusion_proof(300).unwrap();
    let tile = dir.path().join("proof/tile/0/001");
    let sound = fs::read(&tile).unwrap();
    for damage in [&b""[..], b"short", &[0; 8_192], &fs::read(tile.with_file_name("002")).unwrap()] {
        fs::write(&tile, damage).unwrap();
        assert_eq!(log.inclusion_proof(300).unwrap(), expected);
        assert_eq!(fs::read(&tile).unwrap(), sound);
    }
    let mut flipped = sound.clone();
    flipped[4_000] ^= 1;
    fs::write(&tile, &flipped).unwrap();
    // A reader gives the right answer too, but it writes nothing.
    let reader = LogReader::open(dir.path()).unwrap();
    assert_eq!(reader.inclusion_proof(300, 810).unwrap(), expected);
    assert_eq!(fs::read(&tile).unwrap(), flipped);
    assert_eq!(log.inclusion_proof(300).unwrap(), expected);
    assert_eq!(fs::read(&tile).unwrap(), sound);
    // Of smaller trees both the root and the path come out of one tile, and fit each other: the tree of now decides.
    let parts = || {
        let reader = LogReader::open(dir.path()).unwrap();
        let (head, included) = (reader.tree_head_at(400).unwrap(), reader.inclusion_proof(290, 400).unwrap());
        let early = reader.inclusion_proof(5, 90).unwrap();
        (head, included, reader.consistency_proof(300, 500).unwrap(), early)
    };
    let of_parts = parts();
    for tile in [&tile, &tile.with_file_name("000")] {
        let sound = fs::read(tile).unwrap();
        for byte in [170, 4_000, 8_000] {
            let mut flipped = sound.clone();
            flipped[byte] ^= 1;
            fs::write(tile, &flipped).unwrap();
            assert_eq!(parts(), of_parts, "byte {byte} of {}", tile.display());
        }
        fs::write(tile, &sound).unwrap();
    }
    let before = tiles(dir.path());
    log.close().await;
    fs::remove_dir_all(dir.path().join("proof/tile")).unwrap();
    let (log, report) = open(dir.path(), signing());
    assert_eq!(report.heads.tree_rebuilt, None);
    assert_eq!(log.inclusion_proof(300).unwrap(), expected);
    log.close().await;
    // Without the tree file everything is made again, and said.
    fs::remove_file(dir.path().join("proof/tree")).unwrap();
    let (log, report) = open(dir.path(), signing());
    assert!(report.heads.tree_rebuilt.is_some());
    assert_eq!(log.inclusion_proof(300).unwrap(), expected);
    let full =
        |paths: &[PathBuf]| paths.iter().filter(|path| !path.to_string_lossy().contains(".p/")).count();
    assert_eq!(full(&tiles(dir.path())), full(&before));
    log.close().await;
}

#[tokio::test]
async fn a_damaged_foreign_or_outrun_tree_file_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=300, 100).await;
    log.close().await;
    let tree = dir.path().join("proof/tree");
    let sound = fs::read(&tree).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (log, _) = open(other.path(), signing());
    append(&log, 1..=300, 100).await;
    log.close().await;
    let foreign = fs::read(other.path().join("proof/tree")).unwrap();
    let mut bad: Vec<Vec<u8>> = vec![foreign, sound[..sound.len() - 1].to_vec(), Vec::new()];
    for place in [0, 8, 20, 40, 70, 100, 200, sound.len() - 1] {
        let mut flipped = sound.clone();
        flipped[place] ^= 0x10;
        bad.push(flipped);
    }
    let expected = LogReader::open(dir.path()).unwrap().tree_head().unwrap();
    for bytes in bad {
        fs::write(&tree, bytes).unwrap();
        assert_eq!(LogReader::open(dir.path()).unwrap().tree_head().unwrap(), expected);
        let (log, report) = open(dir.path(), signing());
        assert!(report.heads.tree_rebuilt.is_some());
        assert_eq!(log.reader().tree_head().unwrap(), expected);
        log.close().await;
        assert_eq!(fs::read(&tree).unwrap(), sound);
    }
}

#[tokio::test]
async fn a_log_that_never_had_tiles_gets_them_and_one_without_a_key_writes_none() {
    let dir = tempfile::tempdir().unwrap();
    let (log, report) = open(dir.path(), plain());
    assert!(report.created);
    append(&log, 1..=700, 100).await;
    assert!(log.inclusion_proof(5).unwrap().holds());
    assert!(log.signed_head().is_err());
    log.close().await;
    assert!(!dir.path().join("proof").exists());
    let (log, report) = open(dir.path(), signing());
    assert!(report.heads.tree_rebuilt.is_some());
    let head = log.signed_head().unwrap();
    assert_eq!(head.tree().size, 700);
    assert_eq!(tiles(dir.path()).len(), 4);
    log.close().await;
}

#[tokio::test]
async fn partial_tiles_make_way_for_the_full_one() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    for end in [100, 200, 255] {
        append(&log, end - 50..=end, 51).await;
        log.signed_head().unwrap();
    }
    let partial = dir.path().join("proof/tile/0/000.p");
    assert_eq!(fs::read_dir(&partial).unwrap().count(), 3);
    append(&log, 1_000..=1_200, 201).await;
    log.signed_head().unwrap();
    assert!(!partial.exists());
    assert_eq!(fs::read(dir.path().join("proof/tile/0/000")).unwrap().len(), 8_192);
    log.close().await;
}

#[tokio::test]
async fn a_verification_compares_the_whole_tree_with_every_signed_head_and_every_tile() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=300, 100).await;
    log.signed_head().unwrap();
    append(&log, 301..=620, 100).await;
    let head = log.signed_head().unwrap();
    let verify = || LogReader::open(dir.path()).unwrap().verify(.., &mut |_| {}).unwrap();
    let report = verify();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.tree, report.signed_heads), (Some(head.tree()), 2));
    let part = LogReader::open(dir.path()).unwrap().verify(400.., &mut |_| {}).unwrap();
    assert_eq!((part.tree, part.signed_heads), (None, 0));
    // The first part alone: a head behind it is not compared, and one that the log has reached is not missed.
    let part = || LogReader::open(dir.path()).unwrap().verify(..=500, &mut |_| {}).unwrap();
    assert_eq!((part().tree.unwrap().size, part().signed_heads, part().findings), (500, 1, vec![]));
    let tile = dir.path().join("proof/tile/0/001");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[64] ^= 1;
    fs::write(&tile, &bytes).unwrap();
    let report = verify();
    assert_eq!((report.findings.len(), &report.findings[0].file, report.findings[0].offset), (1, &tile, 64));
    fs::remove_file(&tile).unwrap();
    assert!(verify().is_sound());
    // A kept head that says something else, and one that is ahead of the log.
    let kept = dir.path().join("proof/heads/00000000000000000300.note");
    let text = fs::read_to_string(&kept).unwrap();
    let size = text.lines().nth(1).unwrap();
    assert_eq!(size, "300");
    fs::write(&kept, text.replace("\n300\n", "\n299\n")).unwrap();
    let report = verify();
    assert_eq!((report.findings.len(), report.findings[0].position), (1, Some(299)));
    fs::write(&kept, text.replace("\n300\n", "\n999\n")).unwrap();
    let report = verify();
    assert_eq!((report.findings.len(), report.findings[0].position), (1, Some(999)));
    assert_eq!(part().findings.len(), 1, "also to who looks at a part");
    log.close().await;
}
