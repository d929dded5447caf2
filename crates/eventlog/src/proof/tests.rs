//! The hashing against test vectors and against implementations that are not ours, for every size.

use std::convert::Infallible;

use ct_merkle::{ConsistencyProof as TheirConsistency, InclusionProof as TheirInclusion, RootHash};
use sha2::{Digest, Sha256};
use tlog_tiles::{Hash as TlogHash, check_record, check_tree};

use super::merkle::{
    Frontier, Hash, TileNodes, consistency_path, empty_root, inclusion_path, node, root, root_by_inclusion,
    roots_by_consistency,
};

/// Sizes that are tried against each other: more than one full tile.
const SIZES: u64 = 300;

fn leaf(number: u64) -> (Vec<u8>, Hash) {
    let data = format!("leaf {number}").into_bytes();
    (data.clone(), Sha256::new().chain_update([0]).chain_update(data).finalize().into())
}

/// The definition of RFC 6962, word for word: `MTH(D)`.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        more => {
            let k = more.len().next_power_of_two() / 2;
            node(&mth(&more[..k]), &mth(&more[k..]))
        }
    }
}

fn subtree(leaves: &[Hash]) -> impl Fn(u32, u64) -> Result<Hash, Infallible> {
    // Every complete subtree once: the tests ask for each many times.
    let mut levels = vec![leaves.to_vec()];
    while levels.last().unwrap().len() > 1 {
        let below = levels.last().unwrap();
        let above = below.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect();
        levels.push(above);
    }
    move |level, number| Ok(levels[usize::try_from(level).unwrap()][usize::try_from(number).unwrap()])
}

fn path_of(index: u64, size: u64, leaves: &[Hash]) -> Vec<Hash> {
    let get = subtree(leaves);
    inclusion_path(index, size, &mut |level, number| get(level, number)).unwrap()
}

fn hex(text: &str) -> Hash {
    let bytes = text
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    bytes.collect::<Vec<_>>().try_into().unwrap()
}

/// The test data of Certificate Transparency, in use since RFC 6962.
fn ct_leaves() -> Vec<Hash> {
    let data: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    data.map(|data| Sha256::new().chain_update([0]).chain_update(data).finalize().into()).to_vec()
}

#[test]
fn nothing_is_proven_from_no_tree_from_a_tree_to_itself_or_backwards() {
    let hashes: Vec<Hash> = (0..6).map(|number| leaf(number).1).collect();
    for (old, new) in [(0, 0), (0, 1), (0, 5), (1, 1), (4, 4), (5, 5), (5, 4), (8, 1)] {
        for length in 0..=hashes.len() {
            assert_eq!(roots_by_consistency((old, &hashes[0]), new, &hashes[..length]), None, "{old} {new}");
        }
    }
}

#[test]
fn a_tile_lies_where_its_specification_says() {
    // c2sp.org/tlog-tiles: groups of three digits, all but the last with an x.
    let dir = std::path::Path::new("log");
    for (number, path) in [
        (0, "000"),
        (67, "067"),
        (999, "999"),
        (1_000, "x001/000"),
        (1_234_067, "x001/x234/067"),
        (1_000_000_000, "x001/x000/x000/000"),
    ] {
        assert_eq!(super::tiles::tile_path(dir, 3, number), dir.join("proof/tile/3").join(path));
    }
}

#[test]
fn what_is_not_in_a_tree_has_no_path() {
    let leaves: Vec<Hash> = (0..5).map(|number| leaf(number).1).collect();
    for index in 5..9 {
        assert_eq!(path_of(index, 5, &leaves), Vec::<Hash>::new());
    }
}

#[test]
fn the_roots_and_paths_of_certificate_transparency_come_out() {
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves = ct_leaves();
    let get = subtree(&leaves);
    for (size, expected) in (0_u64..).zip(roots) {
        assert_eq!(root(size, &mut |level, number| get(level, number)).unwrap(), hex(expected), "{size}");
    }
    let path = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(path_of(0, 8, &leaves), path.map(hex));
    let consistency = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    let found = consistency_path(6, 8, &mut |level, number| get(level, number)).unwrap();
    assert_eq!(found, consistency.map(hex));
}

#[test]
fn the_frontier_has_the_root_of_the_definition_at_every_size() {
    let leaves = (0..70_000).map(|number| leaf(number).1).collect::<Vec<_>>();
    let mut frontier = Frontier::default();
    let mut tiles = Vec::new();
    for (size, hash) in leaves.iter().enumerate() {
        if size <= 600 || size % 9_973 == 0 {
            assert_eq!(frontier.root(), mth(&leaves[..size]), "{size}");
        }
        frontier.push(*hash, &mut |level, number, hashes| tiles.push((level, number, hashes)));
    }
    assert_eq!(frontier.root(), mth(&leaves));
    // 70,000 leaves are 273 full tiles of the lowest level and one of the next, as the example of the format says.
    assert_eq!(tiles.iter().filter(|(level, ..)| *level == 0).count(), 273);
    assert_eq!(frontier.levels().iter().map(Vec::len).collect::<Vec<_>>(), [112, 17, 1]);
    for (level, number, hashes) in &tiles {
        let width = 256_usize.pow(u32::from(*level) + 1);
        let start = usize::try_from(*number).unwrap() * width;
        assert_eq!(TileNodes::new(hashes).get(8, 0), Some(mth(&leaves[start..start + width])));
    }
    let parts = frontier.levels().to_vec();
    assert_eq!(Frontier::from_parts(70_000, parts.clone()), Some(frontier));
    assert_eq!(Frontier::from_parts(70_001, parts), None);
}

#[test]
fn others_accept_every_inclusion_proof_and_reject_it_with_any_bit_flipped() {
    let (data, leaves): (Vec<_>, Vec<_>) = (0..SIZES).map(leaf).unzip();
    let get = subtree(&leaves);
    for size in 1..=SIZES {
        let top = root(size, &mut |level, number| get(level, number)).unwrap();
        let theirs = RootHash::<Sha256>::new(top.into(), size);
        // Every index where sizes are near a power of two, some of the others: all of them would take minutes.
        let step = if size < 40 || size.is_power_of_two() || size == SIZES { 1 } else { 13 };
        for index in (0..size).step_by(step) {
            let path = inclusion_path(index, size, &mut |level, number| get(level, number)).unwrap();
            let place = usize::try_from(index).unwrap();
            assert_eq!(root_by_inclusion(&leaves[place], index, size, &path), Some(top));
            let tlog: Vec<_> = path.iter().map(|hash| TlogHash(*hash)).collect();
            let (root_hash, leaf_hash) = (TlogHash(top), TlogHash(leaves[place]));
            check_record(&tlog, size, root_hash, index, leaf_hash).unwrap();
            let proof = TheirInclusion::<Sha256>::try_from_bytes(path.concat()).unwrap();
            theirs.verify_inclusion(&data[place], index, &proof).unwrap();
            flip_one(&path, index + size, |flipped| {
                assert_ne!(root_by_inclusion(&leaves[place], index, size, flipped), Some(top));
                let tlog: Vec<_> = flipped.iter().map(|hash| TlogHash(*hash)).collect();
                assert!(check_record(&tlog, size, root_hash, index, leaf_hash).is_err());
            });
            assert_eq!(root_by_inclusion(&leaves[place], size, size, &path), None);
            let longer = [&path[..], &[top]].concat();
            assert_eq!(root_by_inclusion(&leaves[place], index, size, &longer), None);
        }
    }
}

#[test]
fn others_accept_the_consistency_proof_of_every_pair_of_sizes_and_reject_it_with_a_bit_flipped() {
    let leaves = (0..SIZES).map(|number| leaf(number).1).collect::<Vec<_>>();
    let get = subtree(&leaves);
    let roots = (0..=SIZES).map(|size| root(size, &mut |level, number| get(level, number)).unwrap());
    let roots = roots.collect::<Vec<_>>();
    for new in 2..=SIZES {
        let after = roots[usize::try_from(new).unwrap()];
        let theirs = RootHash::<Sha256>::new(after.into(), new);
        for old in 1..new {
            let before = roots[usize::try_from(old).unwrap()];
            let path = consistency_path(old, new, &mut |level, number| get(level, number)).unwrap();
            let found = roots_by_consistency((old, &before), new, &path);
            assert_eq!(found, Some((before, after)), "{old} {new}");
            let proof = TheirConsistency::<Sha256>::try_from_bytes(path.concat()).unwrap();
            theirs.verify_consistency(&RootHash::new(before.into(), old), &proof).unwrap();
            let tlog: Vec<_> = path.iter().map(|hash| TlogHash(*hash)).collect();
            check_tree(&tlog, new, TlogHash(after), old, TlogHash(before)).unwrap();
            if (old + new) % 7 == 0 {
                flip_one(&path, old * new, |flipped| {
                    assert_ne!(roots_by_consistency((old, &before), new, flipped), Some((before, after)));
                });
                assert_eq!(roots_by_consistency((old, &before), new, &path[..path.len() - 1]), None);
            }
        }
    }
}

#[test]
fn no_bit_of_a_proof_can_be_flipped() {
    let leaves = (0..21).map(|number| leaf(number).1).collect::<Vec<_>>();
    let get = subtree(&leaves);
    let tops = [13, 21].map(|size| root(size, &mut |level, number| get(level, number)).unwrap());
    let path = consistency_path(13, 21, &mut |level, number| get(level, number)).unwrap();
    for bit in 0..u64::try_from(path.len()).unwrap() * 256 {
        flip_one(&path, bit, |flipped| {
            assert_ne!(roots_by_consistency((13, &tops[0]), 21, flipped), Some((tops[0], tops[1])));
        });
    }
    let path = path_of(12, 21, &leaves);
    for bit in 0..u64::try_from(path.len()).unwrap() * 256 {
        flip_one(&path, bit, |flipped| {
            assert_ne!(root_by_inclusion(&leaves[12], 12, 21, flipped), Some(tops[1]));
        });
    }
}

fn flip_one(path: &[Hash], seed: u64, check: impl FnOnce(&[Hash])) {
    if path.is_empty() {
        return;
    }
    let mut flipped = path.to_vec();
    let bit = usize::try_from(seed).unwrap() % (path.len() * 256);
    flipped[bit / 256][bit / 8 % 32] ^= 1 << (bit % 8);
    check(&flipped);
}
