//! Sealed parts.

use desk::{Vault, VaultError};
use tempfile::TempDir;
use uuid::Uuid;

const SUBJECT: Uuid = Uuid::from_u128(0x0193_91f2_6f00_7a11_8c11_0d2f_7a3b_9c01);

#[test]
fn what_was_sealed_is_read_by_its_own_key_alone_and_never_after_that_is_destroyed() {
    let dir = TempDir::new().unwrap();
    let vault = Vault::open(&dir.path().join("keys")).unwrap();
    let plain = "mevrouw De Vries, Dorpsstraat 1".as_bytes();
    let sealed = vault.seal(SUBJECT, plain).unwrap();
    assert!(!sealed.ciphertext.contains("Vries"));
    assert_eq!(*vault.unseal(SUBJECT, &sealed).unwrap(), plain);
    let other = Uuid::from_u128(SUBJECT.as_u128() + 1);
    vault.seal(other, b"-").unwrap();
    assert!(matches!(vault.unseal(other, &sealed), Err(VaultError::NotWhole { .. })), "under another name");
    assert!(vault.destroy(SUBJECT).unwrap());
    assert!(!vault.destroy(SUBJECT).unwrap());
    assert!(matches!(vault.unseal(SUBJECT, &sealed), Err(VaultError::NoKey { .. })));
    // A new key is another one.
    vault.seal(SUBJECT, b"-").unwrap();
    assert!(matches!(vault.unseal(SUBJECT, &sealed), Err(VaultError::NotWhole { .. })));
}

#[test]
fn a_part_that_was_changed_in_one_bit_is_not_opened() {
    let dir = TempDir::new().unwrap();
    let vault = Vault::open(dir.path()).unwrap();
    let sealed = vault.seal(SUBJECT, b"somebody").unwrap();
    let mut changed = sealed.clone();
    let first = if changed.ciphertext.starts_with('A') { "B" } else { "A" };
    changed.ciphertext.replace_range(0..1, first);
    assert!(matches!(vault.unseal(SUBJECT, &changed), Err(VaultError::NotWhole { .. })));
    assert_eq!(*vault.unseal(SUBJECT, &sealed).unwrap(), b"somebody");
}

#[test]
fn two_that_seal_for_one_referral_at_once_use_one_key() {
    let dir = TempDir::new().unwrap();
    let vault = Vault::open(dir.path()).unwrap();
    for round in 0..20 {
        let subject = Uuid::from_u128(SUBJECT.as_u128() + 0x1_0000 + round);
        let sealed: Vec<_> = std::thread::scope(|scope| {
            let seal = || vault.seal(subject, b"somebody").unwrap();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(seal)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for part in &sealed {
            assert_eq!(*vault.unseal(subject, part).unwrap(), b"somebody");
        }
    }
}
