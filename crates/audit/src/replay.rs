//! Recorded events written out again, one JSON line each, as they came.
//!
//! A line is `{"position":…,"recorded_at":"…","key":"<hex>","type":"…","content_type":"…","hash":"<hex>","event":…}`.
//! `event` is the stored bytes, not re-encoded: their SHA-256 is `hash`. What cannot stand in a JSON line
//! unchanged (binary events, JSON with line breaks, quarantined bytes) has `bytes_base64` instead of `event`.
//! Not here: which records exist and in which order (`eventlog`).

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::ContentHash;
use domain::{Fact, LocationId, RegionId, SourceId, Timestamp};
use eventlog::{Direction, Query, QueryItem};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Audit, AuditError};

/// Which records are replayed: those that pass everything given. The default is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only positions above this one.
    pub after: u64,
    /// Only positions up to and including this one.
    pub until: Option<u64>,
    /// Only what was recorded at or after this time.
    pub from: Option<Timestamp>,
    /// Only what was recorded at or before this time.
    pub to: Option<Timestamp>,
    /// Only this region.
    pub region: Option<RegionId>,
    /// Only this location.
    pub location: Option<LocationId>,
    /// Only these types, as [`type_name`] reads them; empty is every type.
    pub types: Vec<String>,
    /// Only this source.
    pub source: Option<SourceId>,
    /// Only records with all of these tags, such as `bed:zk23-de-linde/12`.
    pub tags: Vec<String>,
}

/// The full type for a name that may be short: `bed.freed` for `nl.doorstroom.bed.freed.v1`.
///
/// # Errors
/// When no record can have this type: a mistyped name is told, and not answered with silence.
pub fn type_name(name: &str) -> Result<String, AuditError> {
    let short = name.strip_prefix("nl.doorstroom.").unwrap_or(name);
    let short = short.strip_suffix(".v1").unwrap_or(short);
    let full = format!("nl.doorstroom.{short}.v1");
    let of_the_log = contracts::OWN_KINDS.contains(&&*full);
    if of_the_log || Fact::KINDS.contains(&short) {
        Ok(full)
    } else {
        Err(AuditError::UnknownType { name: name.to_owned() })
    }
}

/// One line: a recorded event with its stored bytes.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    position: u64,
    recorded_at: &'a str,
    key: &'a str,
    r#type: &'a str,
    content_type: &'a str,
    hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_base64: Option<String>,
}

impl<'a> Line<'a> {
    /// The line of the record at `position`, recorded at this time (RFC 3339), with its `key` (hex), its type, and
    /// its stored bytes.
    #[must_use]
    pub fn new(
        (position, recorded_at): (u64, &'a str),
        key: &'a str,
        r#type: &'a str,
        (content_type, bytes): (&'a str, &'a [u8]),
    ) -> Self {
        let event = verbatim(bytes);
        let bytes_base64 = event.is_none().then(|| STANDARD.encode(bytes));
        let hash = ContentHash::of(bytes).to_string();
        Self { position, recorded_at, key, r#type, content_type, hash, event, bytes_base64 }
    }
}

/// The stored bytes as they can stand in a JSON line, if they can without one byte changed.
fn verbatim(bytes: &[u8]) -> Option<&RawValue> {
    if bytes.contains(&b'\n') || bytes.contains(&b'\r') {
        return None;
    }
    // A JSON reader drops white space around a value: then it is not the stored bytes any more.
    let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
    (raw.get().len() == bytes.len()).then_some(raw)
}

impl Audit {
    /// Writes the records that pass the filter to `out`, one JSON line each, in the order of the log, and says how
    /// many there were.
    ///
    /// # Errors
    /// When the filter names an unknown type, the log cannot be read or `out` does not take the line.
    pub fn replay(&self, filter: &Filter, out: &mut dyn Write) -> Result<u64, AuditError> {
        let mut written = 0;
        for record in self.reader.read(self.query(filter)?) {
            let record = record?;
            if filter.source.as_ref().is_some_and(|source| source.as_str() != &*record.source) {
                continue;
            }
            let failed = |source| AuditError::Output { position: record.position, source };
            let recorded_at = Timestamp::from_micros(record.recorded_at).to_string();
            let (key, stored) = (record.key.to_string(), (&*record.content_type, &*record.bytes));
            let line = Line::new((record.position, &recorded_at), &key, &record.kind, stored);
            serde_json::to_writer(&mut *out, &line).map_err(|error| failed(error.into()))?;
            out.write_all(b"\n").map_err(failed)?;
            written += 1;
        }
        Ok(written)
    }

    /// The part of a filter the log's indexes answer: everything but the source.
    fn query(&self, filter: &Filter) -> Result<Query, AuditError> {
        let mut after = filter.after;
        let mut until = filter.until.unwrap_or(u64::MAX).min(self.head().position);
        if let Some(from) = filter.from {
            after = after.max(self.reader.at_time(from.as_micros().saturating_sub(1))?);
        }
        if let Some(to) = filter.to {
            until = until.min(self.reader.at_time(to.as_micros())?);
        }
        let types = filter.types.iter().map(|name| Ok(type_name(name)?.into()));
        let types: Vec<Box<str>> = types.collect::<Result<_, AuditError>>()?;
        let region = filter.region.iter().map(|region| format!("region:{region}"));
        let location = filter.location.iter().map(|location| format!("location:{location}"));
        let tags = region.chain(location).chain(filter.tags.iter().cloned());
        let item = QueryItem { types, tags: tags.map(Into::into).collect() };
        let items = if item == QueryItem::default() { Vec::new() } else { vec![item] };
        Ok(Query { items, after, until: Some(until), direction: Direction::Forward, limit: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_type_stands_for_its_full_name() {
        assert_eq!(type_name("bed.freed").unwrap(), "nl.doorstroom.bed.freed.v1");
        assert_eq!(type_name("nl.doorstroom.bed.freed.v1").unwrap(), "nl.doorstroom.bed.freed.v1");
        assert_eq!(type_name("log.quarantined").unwrap(), contracts::QUARANTINED_KIND);
    }

    #[test]
    fn a_mistyped_type_is_refused() {
        assert_eq!(
            type_name("bed.fred").unwrap_err().to_string(),
            "bed.fred is no event type; name one such as bed.freed, or log.quarantined or log.conflict"
        );
    }

    #[test]
    fn only_what_stays_unchanged_stands_in_a_line() {
        assert_eq!(verbatim(br#"{"b":1, "a":1.0}"#).unwrap().get(), r#"{"b":1, "a":1.0}"#);
        for bytes in [&b"{\n}"[..], b" {}", b"{} ", b"ce-id: 1", b"\xff", b""] {
            assert!(verbatim(bytes).is_none(), "{bytes:?}");
        }
    }
}
