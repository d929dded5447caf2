//! What the fuzz targets do with their bytes. Also replayed by the tests of the crate, over the seeds.

use std::str::FromStr as _;

use eventlog::{Note, ProofFile, SignedHead, VerifierKey};

const KEYS: [&str; 1] = ["PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"];

fn keys() -> Vec<VerifierKey> {
    KEYS.iter().map(|key| VerifierKey::from_str(key).expect("a key")).collect()
}

/// Notes, heads and keys: whatever is read is written again as it was, and nothing is verified that was not signed.
pub fn note(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(key) = VerifierKey::from_str(text) {
        assert_eq!(key.to_string(), text.trim());
    }
    let Ok(note) = Note::from_str(text) else {
        assert!(SignedHead::from_str(text).is_err());
        return;
    };
    let again = Note::from_str(&note.to_string()).expect("what was written is read");
    assert_eq!(again, note);
    assert!(text.starts_with(note.text()));
    let _verified = note.verify(&keys());
    if let Ok(head) = SignedHead::from_str(text) {
        assert_eq!(SignedHead::from_str(&head.to_string()).as_ref(), Ok(&head));
    }
}

/// Proof files: whatever is read is written again as it was, and checking it ends with an answer.
pub fn proof(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(file) = ProofFile::from_str(text) else { return };
    assert_eq!(ProofFile::from_str(&file.to_string()).as_ref(), Ok(&file));
    assert_eq!(file.to_string(), text);
    if let Ok(proven) = file.check(&[]) {
        assert_eq!(proven.record.position, file.index + 1);
        assert!(proven.tree.size > file.index);
    }
    let _checked = file.check(&keys());
}
