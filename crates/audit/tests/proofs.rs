//! Proofs for people without the log: made from it, checked without it.

use audit::{Audit, AuditError, HeadLine};
use bytes::Bytes;
use eventlog::{Batch, EventLog, Key, KeyKind, NewRecord, Options, Signer};

fn record(number: u8) -> NewRecord {
    NewRecord {
        key: Key([number; 16]),
        kind: "nl.doorstroom.bed.freed.v1".into(),
        tags: vec!["bed:de-linde/12".into()],
        occurred_at: 1_790_000_000_000_000,
        source: "urn:nl:test".into(),
        content_type: "application/json".into(),
        bytes: Bytes::from(format!("{{\"number\":{number}}}")),
    }
}

#[tokio::test]
async fn a_proof_is_checked_without_the_log_by_key_or_by_a_head_that_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let signer = Some(Signer::from_seed(&[7; 32]));
    let (log, _) = EventLog::open(dir.path(), Options { signer, ..Options::default() }).unwrap();
    log.append(Batch { records: (1..=9).map(record).collect(), ..Batch::default() }).await.unwrap();
    let held = log.signed_head().unwrap();
    log.append(Batch { records: (10..=20).map(record).collect(), ..Batch::default() }).await.unwrap();
    log.signed_head().unwrap();
    let key = audit::read_key(&log.verifier_key().unwrap().to_string()).unwrap();
    let audit = Audit::open(dir.path()).unwrap();
    assert_eq!(
        audit.heads().unwrap().iter().map(|head| HeadLine::from(head).size).collect::<Vec<_>>(),
        [9, 20]
    );
    let report = audit.verify(&mut |_| {}).unwrap();
    assert_eq!(report.signed_heads, 2);
    assert!(report.tree_root.is_some());

    let proof = audit.proof(4, None).unwrap();
    let proven = audit::check(&proof, std::slice::from_ref(&key), None).unwrap();
    assert_eq!((proven.position, proven.size, proven.is_held_head), (4, 20, false));
    assert_eq!((&*proven.r#type, proven.signatures.len()), ("nl.doorstroom.bed.freed.v1", 1));
    assert!(matches!(audit::check(&proof, &[], None), Err(AuditError::NobodyVouches)));
    assert!(matches!(audit::check(&proof, &[], Some(&held)), Err(AuditError::OtherHead { size: 20 })));
    let other = Signer::from_seed(&[8; 32]).verifier_key("somebody", KeyKind::Log).unwrap();
    assert!(audit::check(&proof, &[other], None).is_err());

    let held = audit::read_head(&held.to_string()).unwrap();
    let proof = audit.proof(4, Some(held.clone())).unwrap();
    let proven = audit::check(&proof, &[], Some(&held)).unwrap();
    assert_eq!((proven.size, proven.is_held_head, proven.signatures.len()), (9, true, 0));
    assert!(audit.proof(10, Some(held)).is_err());
    log.close().await;
}
