//! Signed heads: what others make of them, what a log does that does not continue one, and what witnesses add.

use std::{fs, os::unix::fs::PermissionsExt as _, str::FromStr as _};

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use eventlog::{
    KeyKind, LogReader, NOTE_BYTES_MAX, Note, NoteError, OpenError, ProofError, SignedHead, Signer,
    VerifierKey,
};
use signed_note::Verifier;

use crate::support::{
    SEED, append, checkpoint, open, plain, refused, root_by_others, signer, signing, stored_head,
};

/// The example of the documentation of golang.org/x/mod/sumdb/note, which signed the first notes.
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn notes_and_keys_of_others_are_read_and_verified() {
    let key = VerifierKey::from_str(VKEY).unwrap();
    assert_eq!((key.name(), key.kind(), key.to_string()), ("PeterNeumann", KeyKind::Log, VKEY.to_owned()));
    let note = Note::from_str(NOTE).unwrap();
    assert_eq!(note.to_string(), NOTE);
    assert_eq!(note.verify(std::slice::from_ref(&key)).unwrap().len(), 1);
    let changed = Note::from_str(&NOTE.replace("answer", "Answer")).unwrap();
    assert!(matches!(changed.verify(&[key]), Err(NoteError::BadSignature { .. })));
    assert_eq!(note.verify(&[]).unwrap(), []);
}

#[test]
fn what_is_no_note_or_key_is_refused() {
    let long = format!("{}{NOTE}", "x".repeat(70_000));
    for text in
        ["", "\n", "text\n", "text\n\n", "text\n\n— a\n", "text\n\n— a b\n", "te\tx\n\n— a AAAAAAAA\n"]
    {
        assert!(Note::from_str(text).is_err(), "{text:?}");
    }
    assert!(matches!(Note::from_str(&long), Err(NoteError::TooLarge { .. })));
    assert!(Note::from_str(NOTE.trim_end()).is_err());
    // A signature is more than the number of its key, and the name of that has no plus sign and is there.
    for line in
        ["— a AAAAAA==", "— a+b AAAAAAAA", "—  AAAAAAAA", "— a\u{a0}b AAAAAAAA", "- a AAAAAAAA", "a AAAAAAAA"]
    {
        assert!(Note::from_str(&format!("text\n\n{line}\n")).is_err(), "{line}");
    }
    for name in ["", "a b", "a+b"] {
        assert!(VerifierKey::new(name, KeyKind::Log, &[0; 32]).is_err(), "{name:?}");
    }
    let lines = |count: usize| format!("text\n\n{}", "— a AAAAAAAA\n".repeat(count));
    assert_eq!(Note::from_str(&lines(100)).unwrap().signatures().len(), 100);
    assert!(matches!(Note::from_str(&lines(101)), Err(NoteError::TooLarge { found: 101, .. })));
    for text in
        ["", "a+b", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a+00000000+Ag=="]
    {
        assert!(VerifierKey::from_str(text).is_err(), "{text:?}");
    }
    for text in ["o\n1\n\n— a AAAAAAAA\n", "o\n01\nAA==\n\n— a AAAAAAAA\n", "o\n1\nAA==\n\n— a AAAAAAAA\n"]
    {
        assert!(SignedHead::from_str(text).is_err(), "{text:?}");
    }
    // Whole but for one line that is empty: the origin, or one of those that may follow.
    let root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let head = |origin: &str, more: &str| format!("{origin}\n1\n{root}\n{more}\n— a AAAAAAAA\n");
    for (origin, more, read) in
        [("o", "", true), ("o", "more\n", true), ("", "", false), ("o", "\nmore\n", false)]
    {
        assert_eq!(SignedHead::from_str(&head(origin, more)).is_ok(), read, "{origin:?} {more:?}");
    }
}

#[tokio::test]
async fn the_head_of_a_log_is_verified_by_others_and_named_by_the_id_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    let empty = log.signed_head().unwrap();
    let key = log.verifier_key().unwrap();
    assert_eq!(root_by_others(&empty, &key.to_string()).0, 0);
    append(&log, 1..=20, 20).await;
    let head = log.signed_head().unwrap();
    assert_eq!(root_by_others(&head, &key.to_string()).0, 20);
    assert!(head.origin().starts_with("doorstroom.nl/") && head.origin().len() == 14 + 32);
    // Nothing new: the same head, not another signature.
    assert_eq!(log.signed_head().unwrap(), head);
    assert_eq!(stored_head(dir.path()), head);
    assert_eq!(log.reader().signed_heads().unwrap().len(), 2);
    log.close().await;
    let (log, report) = open(dir.path(), signing());
    assert_eq!(report.heads.newest, Some(head.tree()));
    assert_eq!(log.signed_head().unwrap(), head);
    log.close().await;
    let named = signer().with_origin("example.org/log").unwrap();
    let (log, _) = open(dir.path(), eventlog::Options { signer: Some(named), ..plain() });
    let renamed = log.signed_head().unwrap();
    assert_eq!((renamed.origin(), renamed.tree()), ("example.org/log", head.tree()));
    assert!(signer().with_origin("two words").is_err());
    log.close().await;
}

#[tokio::test]
async fn a_log_that_fell_behind_a_signed_head_refuses_to_open_and_names_both() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=5, 5).await;
    log.close().await;
    let older = tempfile::tempdir().unwrap();
    copy(dir.path(), older.path());
    let (log, _) = open(dir.path(), signing());
    append(&log, 6..=9, 4).await;
    let head = log.signed_head().unwrap();
    log.close().await;
    fs::create_dir_all(older.path().join("proof")).unwrap();
    fs::copy(checkpoint(dir.path()), checkpoint(older.path())).unwrap();
    for options in [signing(), plain()] {
        let error = refused(older.path(), options);
        let OpenError::Contradicted { signed, found, .. } = &error else { panic!("{error:?}") };
        assert_eq!((**signed, found.size), (head.tree(), 5));
        let said = error.to_string();
        assert!(said.contains("size 9") && said.contains("size 5") && said.contains("checkpoint"), "{said}");
    }
    // Reading goes on.
    assert_eq!(LogReader::open(older.path()).unwrap().head().position, 5);
    // So does the log when the lost part is back.
    copy(dir.path(), older.path());
    open(older.path(), signing()).0.close().await;
}

#[tokio::test]
async fn a_log_with_another_history_than_it_signed_refuses_to_open_with_tiles_and_without() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (dir, first) in [(&one, 1), (&other, 2)] {
        let (log, _) = open(dir.path(), signing());
        append(&log, first..=first + 299, 100).await;
        log.signed_head().unwrap();
        append(&log, 1_000..=1_020, 21).await;
        log.close().await;
    }
    let ours = stored_head(one.path());
    fs::copy(checkpoint(other.path()), checkpoint(one.path())).unwrap();
    fs::remove_dir_all(one.path().join("proof/heads")).unwrap();
    let kept: Vec<_> = fs::read_dir(one.path().join("proof/tile/0")).unwrap().collect();
    for without_tiles in [false, true] {
        if without_tiles {
            fs::remove_file(one.path().join("proof/tree")).unwrap();
            fs::remove_dir_all(one.path().join("proof/tile")).unwrap();
        }
        let error = refused(one.path(), signing());
        let OpenError::Contradicted { signed, found, .. } = &error else { panic!("{error:?}") };
        assert_eq!((**signed, **found), (stored_head(other.path()).tree(), ours.tree()));
    }
    assert!(!kept.is_empty());
}

#[tokio::test]
async fn a_file_that_is_no_head_is_reported_and_the_older_head_still_binds() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=5, 5).await;
    let head = log.signed_head().unwrap();
    log.close().await;
    let overlong = vec![b'x'; NOTE_BYTES_MAX + 1];
    for no_head in [&b"zeros"[..], &[0xff; 100], &overlong, &overlong[1..], b""] {
        fs::write(checkpoint(dir.path()), no_head).unwrap();
        let (log, report) = open(dir.path(), signing());
        assert_eq!(report.heads.unreadable, [checkpoint(dir.path())]);
        assert_eq!(report.heads.newest, Some(head.tree()));
        assert_eq!(log.signed_head().unwrap(), head);
        log.close().await;
    }
    // Nor is one of those that are kept for good, behind which older ones are.
    let kept = dir.path().join("proof/heads/00000000000000000009.note");
    fs::write(&kept, "zeros").unwrap();
    let (log, report) = open(dir.path(), signing());
    assert_eq!(report.heads.unreadable, [kept, checkpoint(dir.path())]);
    assert_eq!(report.heads.newest, Some(head.tree()));
    log.close().await;
}

#[tokio::test]
async fn a_head_as_long_as_a_note_can_be_still_binds() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=5, 5).await;
    let head = log.signed_head().unwrap().to_string();
    log.close().await;
    let signature = head.trim_end().rsplit(' ').next().unwrap().to_owned();
    let name = "n".repeat(NOTE_BYTES_MAX - head.len() - format!("—  {signature}\n").len());
    let head = format!("{head}— {name} {signature}\n");
    assert_eq!(head.len(), NOTE_BYTES_MAX);
    fs::write(checkpoint(dir.path()), &head).unwrap();
    let (log, report) = open(dir.path(), signing());
    assert!(report.heads.unreadable.is_empty());
    log.close().await;
}

#[tokio::test]
async fn one_head_of_every_ten_thousand_positions_is_kept_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let (log, report) = open(dir.path(), signing());
    assert_eq!(report.heads, eventlog::HeadsReport::default(), "nothing is made again in a new log");
    for (from, to) in [(1, 3), (4, 5), (6, 10_000), (10_001, 10_002), (10_003, 19_999), (20_000, 20_001)] {
        append(&log, from..=to, 1_000).await;
        log.signed_head().unwrap();
    }
    let names = fs::read_dir(dir.path().join("proof/heads")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let kept = [3, 10_000, 20_001].map(|size: u64| format!("{size:020}.note"));
    assert_eq!(names, kept);
    assert_eq!(log.reader().signed_heads().unwrap().len(), 3, "the newest is one of them");
    log.close().await;
}

#[tokio::test]
async fn a_copy_has_the_signed_heads_and_is_bound_by_them() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(&dir.path().join("log"), signing());
    append(&log, 1..=3, 3).await;
    let first = log.signed_head().unwrap();
    append(&log, 4..=5, 2).await;
    let second = log.signed_head().unwrap();
    append(&log, 6..=6, 1).await;
    let to = dir.path().join("copy");
    let report = log.reader().backup(&to, &mut |_| {}).unwrap();
    assert_eq!((report.head.position, report.signed_heads), (6, 2));
    assert_eq!(LogReader::open(&to).unwrap().signed_heads().unwrap(), [first, second]);
    log.close().await;
    let (copy, report) = open(&to, signing());
    assert_eq!(report.heads.newest.map(|head| head.size), Some(5));
    copy.close().await;
    // What is signed binds the copy as it does the log.
    fs::remove_file(to.join("head")).unwrap();
    fs::remove_dir_all(to.join("segments")).unwrap();
    assert!(matches!(refused(&to, signing()), OpenError::Shortened { known: 5, .. }));
}

/// A witness as its specification describes it, without our code.
struct Witness(VerifyingKey, u32);

impl Verifier for Witness {
    fn name(&self) -> &'static str {
        "witness.example/w1"
    }

    fn key_id(&self) -> u32 {
        self.1
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let time = u64::from_be_bytes(signature[..8].try_into().unwrap());
        let text = [format!("cosignature/v1\ntime {time}\n").as_bytes(), message].concat();
        self.0.verify(&text, &Signature::from_slice(&signature[8..]).unwrap()).is_ok()
    }
}

#[tokio::test]
async fn what_witnesses_sign_is_kept_beside_and_returned() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=20, 20).await;
    let head = log.signed_head().unwrap();
    let witness = Signer::from_seed(&[9; 32]);
    let key = witness.verifier_key("witness.example/w1", KeyKind::Witness).unwrap();
    assert_eq!(VerifierKey::from_str(&key.to_string()).unwrap(), key);
    let mut cosigned = head.clone();
    witness.cosign("witness.example/w1", &mut cosigned, 1_790_000_000).unwrap();
    Signer::from_seed(&[10; 32]).cosign("unknown.example", &mut cosigned, 1_790_000_001).unwrap();
    let kept = log.keep_cosigned(&cosigned, std::slice::from_ref(&key)).unwrap();
    assert_eq!(kept.note().signatures().len(), 2);
    let seen = kept.note().verify(std::slice::from_ref(&key)).unwrap();
    assert_eq!(seen[0].seen_at, Some(1_790_000_000));
    let theirs = signed_note::Note::from_bytes(kept.to_string().as_bytes()).unwrap();
    let list = signed_note::VerifierList::new(vec![Box::new(Witness(
        ed25519_dalek::SigningKey::from_bytes(&[9; 32]).verifying_key(),
        u32::from_be_bytes(key.id()),
    ))]);
    assert_eq!(theirs.verify(&list).unwrap().0.len(), 1);
    // The newest head has it, also after a restart, and the proofs made with it.
    assert_eq!(log.signed_head().unwrap(), kept);
    log.close().await;
    let (log, _) = open(dir.path(), signing());
    assert_eq!(log.signed_head().unwrap(), kept);
    assert_eq!(log.reader().proof_file(3).unwrap().head, kept);
    append(&log, 21..=30, 10).await;
    log.signed_head().unwrap();
    // A late cosignature of the older head does not become the newest.
    let mut late = head;
    Signer::from_seed(&[11; 32]).cosign("late.example", &mut late, 1).unwrap();
    let late_key = Signer::from_seed(&[11; 32]).verifier_key("late.example", KeyKind::Witness).unwrap();
    assert_eq!(log.keep_cosigned(&late, &[late_key]).unwrap().note().signatures().len(), 3);
    assert_eq!(log.signed_head().unwrap().tree().size, 30);
    let sizes: Vec<_> = log.reader().signed_heads().unwrap().iter().map(|head| head.tree().size).collect();
    assert_eq!(sizes, [20, 30]);
    log.close().await;
}

#[tokio::test]
async fn a_witness_note_that_is_wrong_or_about_another_head_is_refused() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=20, 20).await;
    let head = log.signed_head().unwrap();
    let witness = Signer::from_seed(&[9; 32]);
    let key = witness.verifier_key("w", KeyKind::Witness).unwrap();
    // Another log with the same key and the same origin: two histories under one name.
    let twin = signer().with_origin(head.origin()).unwrap();
    let (fork, _) = open(other.path(), eventlog::Options { signer: Some(twin), ..plain() });
    append(&fork, 2..=21, 20).await;
    let forked = fork.signed_head().unwrap();
    let error = log.keep_cosigned(&forked, std::slice::from_ref(&key)).unwrap_err();
    assert!(matches!(error, ProofError::OtherRoot { .. }), "{error:?}");
    // A cosignature that belongs to the other history.
    let mut cosigned = forked;
    witness.cosign("w", &mut cosigned, 5).unwrap();
    let line = cosigned.to_string().lines().last().unwrap().to_owned();
    let wrong = SignedHead::from_str(&format!("{head}{line}\n")).unwrap();
    let error = log.keep_cosigned(&wrong, &[key]).unwrap_err();
    assert!(matches!(error, ProofError::Note(NoteError::BadSignature { .. })), "{error:?}");
    // And one it did not sign at all.
    let stranger = Signer::from_seed(&[1; 32]).with_origin(head.origin()).unwrap();
    let third = tempfile::tempdir().unwrap();
    let (stranger, _) = open(third.path(), eventlog::Options { signer: Some(stranger), ..plain() });
    let error = log.keep_cosigned(&stranger.signed_head().unwrap(), &[]).unwrap_err();
    assert!(matches!(error, ProofError::NotOurs { .. }), "{error:?}");
}

#[test]
fn the_key_is_made_once_for_its_owner_only_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.seed");
    let made = Signer::from_file(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = Signer::from_file(&path).unwrap();
    let key = |signer: &Signer| signer.verifier_key("x", KeyKind::Log).unwrap();
    assert_eq!(key(&made), key(&again));
    let seed = fs::read_to_string(&path).unwrap();
    assert!(!format!("{made:?}").contains(seed.trim_end()) && seed.len() == 65);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(Signer::from_file(&path).unwrap_err().to_string().contains("0600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    // The bytes of the key are those of its digits, high before low, 32 of them.
    let seed: [u8; 32] = std::array::from_fn(|place| u8::try_from(place * 7 + 17).unwrap());
    let digits = seed.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    fs::write(&path, format!("{digits}\n")).unwrap();
    assert_eq!(key(&Signer::from_file(&path).unwrap()), key(&Signer::from_seed(&seed)));
    for no_seed in ["not hex", &digits[1..], &digits[2..], &format!("{digits}0"), &format!("{digits}00")] {
        fs::write(&path, no_seed).unwrap();
        assert!(Signer::from_file(&path).is_err(), "{no_seed}");
    }
    assert_eq!(key(&Signer::from_seed(&SEED)), key(&signer()));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_torn_end_that_a_head_was_signed_over_is_damage_and_nothing_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path(), signing());
    append(&log, 1..=5, 5).await;
    append(&log, 6..=7, 2).await;
    log.signed_head().unwrap();
    log.close().await;
    fs::remove_file(dir.path().join("head")).unwrap();
    let segment = dir.path().join("segments/00000000000000000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last - 3] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let error = refused(dir.path(), signing());
    let OpenError::Damaged(damage) = &error else { panic!("{error:?}") };
    assert!(damage.to_string().contains("a signed head shows"), "{damage}");
    assert_eq!(fs::read(&segment).unwrap(), bytes);
    // Nor is a new log begun where one was signed.
    fs::remove_file(&segment).unwrap();
    let error = refused(dir.path(), signing());
    assert!(matches!(error, OpenError::Shortened { known: 7, found: 0, .. }), "{error:?}");
}
