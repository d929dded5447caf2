//! Proof files: what somebody without the log can check, and that nothing in them can be changed.

use std::str::FromStr as _;

use eventlog::{
    Batch, KeyKind, LogReader, NewRecord, PROOF_BYTES_MAX, ProofError, ProofFile, ProofFileError,
    RECORD_BYTES_MAX, SignedHead, Signer,
};
use proptest::prelude::*;
use tlog_tiles::{Hash, check_record};

use crate::support::{append, open, record, root_by_others, signing};

#[tokio::test]
async fn a_proof_file_carries_the_record_to_somebody_without_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=400, 100).await;
    assert!(matches!(log.reader().proof_file(1), Err(ProofError::NotSigned { position: 1, signed: 0 })));
    let head = log.signed_head().unwrap();
    append(&log, 401..=410, 10).await;
    let key = log.verifier_key().unwrap();
    for position in [1, 2, 256, 399, 400] {
        let text = LogReader::open(dir.path()).unwrap().proof_file(position).unwrap().to_string();
        let file = ProofFile::from_str(&text).unwrap();
        assert_eq!(file.to_string(), text);
        let proven = file.check(std::slice::from_ref(&key)).unwrap();
        assert_eq!(proven.record, log.reader().record(position).unwrap().unwrap());
        assert_eq!((proven.tree, proven.signed.len()), (head.tree(), 1));
        // Others come to the same, with nothing of ours but the file.
        let (size, root) = root_by_others(&file.head, &key.to_string());
        let leaf = tlog_tiles::record_hash(file.entry.as_ref().unwrap());
        let path = file.path.iter().map(|hash| Hash(*hash)).collect();
        check_record(&path, size, root, file.index, leaf).unwrap();
    }
    let later = log.reader().proof_file(405).unwrap_err();
    assert!(matches!(later, ProofError::NotSigned { position: 405, signed: 400 }), "{later:?}");
}

#[tokio::test]
async fn a_proof_is_made_for_the_head_somebody_holds_and_not_for_one_of_another_log() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=10, 10).await;
    let held = log.signed_head().unwrap();
    append(&log, 11..=20, 10).await;
    log.signed_head().unwrap();
    let file = log.reader().proof_file_for(4, held.clone()).unwrap();
    assert_eq!(file.check(&[log.verifier_key().unwrap()]).unwrap().tree, held.tree());
    assert!(log.reader().proof_file_for(11, held).is_err());
    let (stranger, _) = open(other.path(), signing());
    append(&stranger, 5..=14, 10).await;
    let foreign = stranger.signed_head().unwrap();
    let error = log.reader().proof_file_for(4, foreign).unwrap_err();
    assert!(matches!(error, ProofError::OtherRoot { .. }), "{error:?}");
}

#[tokio::test]
async fn a_proof_is_refused_without_a_known_signature_or_with_another_record() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=10, 10).await;
    log.signed_head().unwrap();
    let key = log.verifier_key().unwrap();
    let file = log.reader().proof_file(4).unwrap();
    let stranger = Signer::from_seed(&[1; 32]).verifier_key("somebody", KeyKind::Log).unwrap();
    assert!(matches!(file.check(&[stranger]), Err(ProofFileError::Unsigned { .. })));
    // Without keys only the arithmetic is checked, and the answer says that nobody has signed.
    assert_eq!(file.check(&[]).unwrap().signed, []);
    let keys = [key];
    let other = log.reader().proof_file(5).unwrap();
    let swapped = ProofFile { entry: other.entry.clone(), ..file.clone() };
    assert!(matches!(swapped.check(&keys), Err(ProofFileError::OtherRecord { position: 4 })));
    let elsewhere = ProofFile { index: 4, entry: other.entry, ..file.clone() };
    assert!(matches!(elsewhere.check(&keys), Err(ProofFileError::NotIncluded { position: 5, .. })));
    let bare = ProofFile { entry: None, ..file };
    let bare = ProofFile::from_str(&bare.to_string()).unwrap();
    assert!(matches!(bare.check(&keys), Err(ProofFileError::NoRecord)));
}

#[tokio::test]
async fn no_bit_of_a_proof_file_can_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=5, 5).await;
    log.signed_head().unwrap();
    let keys = [log.verifier_key().unwrap()];
    let text = log.reader().proof_file(3).unwrap().to_string().into_bytes();
    for place in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone();
            changed[place] ^= 1 << bit;
            let file = String::from_utf8(changed).ok().and_then(|text| ProofFile::from_str(&text).ok());
            let checked = file.map(|file| file.check(&keys));
            assert!(!matches!(checked, Some(Ok(_))), "byte {place} bit {bit}");
        }
        let cut = String::from_utf8(text[..place].to_vec()).ok();
        assert!(cut.and_then(|text| ProofFile::from_str(&text).ok()).is_none(), "cut at {place}");
    }
}

#[tokio::test]
async fn a_proof_file_is_read_up_to_its_limits_and_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=5, 5).await;
    log.signed_head().unwrap();
    let file = log.reader().proof_file(3).unwrap();
    log.close().await;
    // No tree has more levels than a position has bits.
    let with_path = |hashes: usize| ProofFile { path: vec![[0; 32]; hashes], ..file.clone() }.to_string();
    assert_eq!(ProofFile::from_str(&with_path(64)).unwrap().path.len(), 64);
    let refused = ProofFile::from_str(&with_path(65));
    assert!(matches!(refused, Err(ProofFileError::Malformed { .. })), "{refused:?}");
    // The longest file is one digit of the index longer than one that is too short by that.
    let of = |entry: usize, index: u64| {
        ProofFile { entry: Some(vec![0; entry].into()), index, ..file.clone() }.to_string()
    };
    assert!(ProofFile::from_str(&of(RECORD_BYTES_MAX, 1)).is_ok(), "the largest record has a proof");
    let bare = of(0, 1).len();
    let entry = (PROOF_BYTES_MAX - bare) / 4 * 3;
    let digits = u32::try_from(PROOF_BYTES_MAX - of(entry, 1).len()).unwrap();
    let longest = of(entry, 10_u64.pow(digits));
    assert_eq!(longest.len(), PROOF_BYTES_MAX);
    assert!(ProofFile::from_str(&longest).is_ok());
    let refused = ProofFile::from_str(&of(entry, 10_u64.pow(digits + 1)));
    assert!(matches!(refused, Err(ProofFileError::Malformed { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_consistency_proof_holds_only_as_it_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=9, 3).await;
    let reader = log.reader();
    for (old, new) in [(0, 0), (0, 7), (5, 5), (3, 9), (8, 9)] {
        let proof = reader.consistency_proof(old, new).unwrap();
        assert!(proof.holds(), "{old} {new}");
        let mut other = proof.clone();
        other.old.root[0] ^= 1;
        assert!(!other.holds(), "another old root, {old} {new}");
        let mut other = proof.clone();
        other.path.push([0; 32]);
        assert!(!other.holds(), "a longer path, {old} {new}");
        if old > 0 {
            // The empty tree is the beginning of any other.
            let mut other = proof.clone();
            other.new.root[0] ^= 1;
            assert!(!other.holds(), "another new root, {old} {new}");
        }
    }
    assert!(matches!(reader.consistency_proof(5, 10), Err(ProofError::Beyond { .. })));
    log.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_record_comes_back_out_of_its_proof(
        kind in "[a-zé.]{0,20}", tags in prop::collection::vec("[^\\p{C}]{0,20}", 0..5),
        bytes: Vec<u8>, occurred_at: i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let (log, _) = open(dir.path(), signing());
            let tags = tags.into_iter().map(Into::into).collect();
            let new = NewRecord { kind: kind.into(), tags, bytes: bytes.into(), occurred_at, ..record(1) };
            log.append(Batch::from(new)).await.unwrap();
            log.signed_head().unwrap();
            let file = ProofFile::from_str(&log.reader().proof_file(1).unwrap().to_string()).unwrap();
            let proven = file.check(&[log.verifier_key().unwrap()]).unwrap();
            assert_eq!(proven.record, log.reader().record(1).unwrap().unwrap());
            log.close().await;
        });
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text: String, lines in prop::collection::vec("[a-zA-Z0-9+/=— ]{0,60}", 0..12)) {
        let lines = lines.join("\n");
        for text in [&text, &lines, &format!("c2sp.org/tlog-proof@v1\nindex 1\n\n{lines}\n")] {
            let _parsed = (ProofFile::from_str(text), SignedHead::from_str(text));
        }
    }
}
