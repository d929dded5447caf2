//! Does the log hold what it says? First the log itself (checksums, chain, leaf hashes, positions, keys), then what
//! its records mean: every event decodes, and its key, type, tags, source and time are those of the stored bytes.
//!
//! Not here: how the files are checked (`eventlog`), what the contract says (`contracts`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::{ContentHash, Decoded, OwnRecord, OwnRecordError, Received};
use domain::Timestamp;
use eventlog::{Key, Query, Record};
use serde::Serialize;

use crate::{Audit, AuditError};

/// Findings kept in a report; the others are counted. One damaged disk can spoil a million records, and the first
/// thousand tell the story.
pub const FINDINGS_KEPT_MAX: usize = 1_000;

/// Records between two reports of progress.
const PROGRESS_EVERY: u64 = 4_096;

/// What is being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The files: checksums, chain, leaf hashes.
    Log,
    /// The meaning of the records.
    Events,
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being checked.
    pub phase: Phase,
    /// The last position checked.
    pub position: u64,
    /// The last position there is.
    pub until: u64,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The position, where one is known.
    pub position: Option<u64>,
    /// The file and the byte in it, where they are known.
    pub place: Option<String>,
    /// What is wrong.
    pub what: String,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The last position verified.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: String,
    /// Records whose bytes were checked against their checksums and hashes.
    pub records: u64,
    /// Commits they came in.
    pub commits: u64,
    /// Files they lie in.
    pub segments: u64,
    /// The running hash over all commits, hex: equal logs have equal ones.
    pub running_hash: String,
    /// The root of the tree over all records, base64, where all could be read: signed heads have it.
    pub tree_root: Option<String>,
    /// Signed heads the tree was compared with.
    pub signed_heads: u64,
    /// Records that decode to an event of the contract.
    pub events: u64,
    /// Records per type.
    pub types: BTreeMap<Box<str>, u64>,
    /// How many things are not as they should be; 0 for a sound log.
    pub findings_total: u64,
    /// The first of them, at most [`FINDINGS_KEPT_MAX`].
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing was found wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings_total == 0
    }

    fn find(&mut self, finding: Finding) {
        self.findings_total += 1;
        if self.findings.len() < FINDINGS_KEPT_MAX {
            self.findings.push(finding);
        }
    }

    fn find_at(&mut self, position: u64, what: String) {
        self.find(Finding { position: Some(position), place: None, what });
    }
}

impl Audit {
    /// Checks everything up to the head the log had when it was opened or last looked at.
    ///
    /// # Errors
    /// When the log cannot be read at all; damage is a finding.
    pub fn verify(&self, progress: &mut dyn FnMut(Progress)) -> Result<Report, AuditError> {
        let head = self.head();
        let mut report = Report {
            position: head.position,
            recorded_at: Timestamp::from_micros(head.recorded_at).to_string(),
            ..Report::default()
        };
        self.verify_log(head.position, &mut report, progress)?;
        self.verify_events(head.position, &mut report, progress);
        Ok(report)
    }

    fn verify_log(
        &self,
        until: u64,
        report: &mut Report,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), AuditError> {
        let found = self.reader.verify(1..=until, &mut |at: eventlog::Progress| {
            progress(Progress { phase: Phase::Log, position: at.position, until: at.until });
        })?;
        report.records = found.records;
        report.commits = found.commits;
        report.segments = found.segments;
        report.running_hash = ContentHash::from(found.running_hash).to_string();
        report.tree_root = found.tree.map(|tree| STANDARD.encode(tree.root));
        report.signed_heads = found.signed_heads;
        for finding in found.findings {
            let place = Some(format!("{} at byte {}", finding.file.display(), finding.offset));
            report.find(Finding { position: finding.position, place, what: finding.what });
        }
        Ok(())
    }

    fn verify_events(&self, until: u64, report: &mut Report, progress: &mut dyn FnMut(Progress)) {
        let mut last = 0;
        for record in self.reader.read(Query { until: Some(until), ..Query::default() }) {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    report.find_at(last + 1, format!("cannot be read, nor what comes after it: {error}"));
                    return;
                }
            };
            if record.position != last + 1 {
                report.find_at(last + 1, format!("is missing: the next one read is {}", record.position));
            }
            last = record.position;
            self.verify_record(&record, report);
            if record.position.is_multiple_of(PROGRESS_EVERY) || record.position == until {
                progress(Progress { phase: Phase::Events, position: record.position, until });
            }
        }
        if last < until {
            report.find_at(last + 1, format!("is missing, and every one after it up to {until}"));
        }
    }

    fn verify_record(&self, record: &Record, report: &mut Report) {
        *report.types.entry(record.kind.clone()).or_default() += 1;
        if !contracts::is_event_kind(&record.kind) {
            match OwnRecord::decode(&record.kind, record.bytes.clone()) {
                Ok(_) => {}
                Err(OwnRecordError::Unknown(kind)) => report
                    .find_at(record.position, format!("has type {kind}, which this program does not know")),
                Err(error @ OwnRecordError::Malformed { .. }) => {
                    report.find_at(record.position, format!("its stored bytes do not decode: {error}"));
                }
            }
            return;
        }
        let decoded = Received::from_stored(&record.content_type, record.bytes.clone())
            .and_then(|received| received.decode());
        match decoded {
            Ok(decoded) => {
                report.events += 1;
                for what in differences(record, &decoded) {
                    report.find_at(record.position, what);
                }
            }
            Err(error) => report.find_at(record.position, format!("its stored bytes do not decode: {error}")),
        }
        // The answer "already recorded" rests on this: the index must lead from the key to the record.
        match self.reader.position_of(&record.key) {
            Ok(Some(position)) if position == record.position => {}
            Ok(found) => report.find_at(
                record.position,
                format!(
                    "its key {} leads to {}",
                    record.key,
                    found.map_or("nothing".to_owned(), |p| p.to_string())
                ),
            ),
            Err(error) => report.find_at(record.position, format!("its key cannot be looked up: {error}")),
        }
    }
}

/// Where a record and the event in its stored bytes do not say the same.
fn differences(record: &Record, decoded: &Decoded) -> Vec<String> {
    let event = &decoded.event;
    let key = Key(contracts::event_key(event));
    let kind = contracts::event_type(&event.fact);
    let tags = contracts::tags(event);
    let mut found = Vec::new();
    if record.key != key {
        found.push(format!("has key {}, its source and id make {key}", record.key));
    }
    if *record.kind != *kind {
        found.push(format!("has type {}, its stored bytes say {kind}", record.kind));
    }
    if *record.source != *event.source.as_str() {
        found.push(format!("has source {}, its stored bytes say {}", record.source, event.source));
    }
    if record.occurred_at != event.occurred_at.as_micros() {
        let recorded = Timestamp::from_micros(record.occurred_at);
        found.push(format!("has occurred-at {recorded}, its stored bytes say {}", event.occurred_at));
    }
    if record.tags != tags {
        found.push(format!("has tags {:?}, its stored bytes say {tags:?}", record.tags));
    }
    found
}
