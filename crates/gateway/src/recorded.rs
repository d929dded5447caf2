//! A record of the log as a message for subscribers. Pure.
//!
//! The bytes are those the log holds: a structured event as it is, a binary one as its `ce-` headers and body. Not
//! here: which records are published and when (`log`).

use bus::outward::{KEY_HEADER, Outbound, POSITION_HEADER, RECORDED_AT_HEADER};
use bus::subjects::LogSubject;
use bytes::Bytes;
use contracts::ContentType;
use domain::{RegionId, Timestamp};
use eventlog::Record;

const REGION_TAG: &str = "region:";
const TYPE_PREFIX: &str = "nl.doorstroom.";

/// A stored event does not have the form its content type says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    #[error("the type {0} is not nl.doorstroom.<entity>.<event>.v<version>")]
    Kind(Box<str>),
    #[error("the content type {0} is not known")]
    ContentType(Box<str>),
    #[error("the headers of a binary event are not lines of text with an empty line behind them")]
    Headers,
    #[error("it names no region")]
    Region,
}

/// The tag that the events of a region have.
pub(crate) fn region_tag(region: &RegionId) -> Box<str> {
    format!("{REGION_TAG}{region}").into()
}

/// The region of an event; `None` for the log's own records, such as what was quarantined: they are not for
/// subscribers, and may hold anything.
pub(crate) fn region(record: &Record) -> Option<RegionId> {
    if !contracts::is_event_kind(&record.kind) {
        return None;
    }
    record.tags.iter().find_map(|tag| tag.strip_prefix(REGION_TAG)).and_then(|region| region.parse().ok())
}

/// The event as a message on the subject of its region and type.
pub(crate) fn message(record: &Record) -> Result<Outbound, FormError> {
    let region = region(record).ok_or(FormError::Region)?;
    let event = event_name(&record.kind).and_then(|name| name.parse().ok());
    let event = event.ok_or_else(|| FormError::Kind(record.kind.clone()))?;
    let (mut headers, payload) = content(record)?;
    headers.push((POSITION_HEADER.to_owned(), record.position.to_string()));
    headers.push((RECORDED_AT_HEADER.to_owned(), Timestamp::from_micros(record.recorded_at).to_string()));
    headers.push((KEY_HEADER.to_owned(), record.key.to_string()));
    Ok(Outbound { subject: LogSubject { region, event }.to_string(), headers, payload })
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// The short name of a type of the log, such as `bed.freed`.
pub(crate) fn event_name(kind: &str) -> Option<&str> {
    let (name, _version) = kind.strip_prefix(TYPE_PREFIX)?.rsplit_once(".v")?;
    Some(name)
}

/// The type as the log has it, of the short name of an event.
pub(crate) fn stored_type(name: &str) -> String {
    format!("{TYPE_PREFIX}{name}.v1")
}

type Content = (Vec<(String, String)>, Bytes);

fn content(record: &Record) -> Result<Content, FormError> {
    let structured = ContentType::StructuredJson.as_str();
    if *record.content_type == *structured {
        return Ok((vec![("Content-Type".to_owned(), structured.to_owned())], record.bytes.clone()));
    }
    if *record.content_type == *ContentType::Binary.as_str() {
        return binary(&record.bytes).ok_or(FormError::Headers);
    }
    Err(FormError::ContentType(record.content_type.clone()))
}

/// `name: value` lines, an empty line, the body.
fn binary(stored: &Bytes) -> Option<Content> {
    let mut headers = Vec::new();
    let mut rest: &[u8] = stored;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, behind) = rest.split_at(end);
        rest = behind.split_first()?.1;
        if line.is_empty() {
            return Some((headers, stored.slice_ref(rest)));
        }
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(": ")?;
        headers.push((name.to_owned(), value.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eventlog::Key;

    fn record(kind: &str, content_type: &str, bytes: &'static [u8]) -> Record {
        Record {
            position: 7,
            recorded_at: 1_772_442_843_120_000,
            key: Key([0xab; 16]),
            kind: kind.into(),
            tags: vec!["bed:zk23-de-linde/12".into(), "region:zk23".into()],
            occurred_at: 0,
            source: "urn:nld:kvknr:09220932".into(),
            content_type: content_type.into(),
            bytes: Bytes::from_static(bytes),
            leaf: [0; 32],
        }
    }

    fn header<'a>(message: &'a Outbound, name: &str) -> Option<&'a str> {
        message.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_structured_event_goes_out_with_its_bytes_and_its_place_in_the_log() {
        let structured = ContentType::StructuredJson.as_str();
        let message = message(&record("nl.doorstroom.bed.freed.v1", structured, b"{\"id\": 1}")).unwrap();
        assert_eq!(message.subject, "log.zk23.bed.freed");
        assert_eq!(&*message.payload, b"{\"id\": 1}");
        assert_eq!(header(&message, "Content-Type"), Some("application/cloudevents+json"));
        assert_eq!(header(&message, "Doorstroom-Position"), Some("7"));
        assert_eq!(header(&message, "Doorstroom-Recorded-At"), Some("2026-03-02T09:14:03.120Z"));
        assert_eq!(header(&message, "Doorstroom-Key"), Some("abababababababababababababababab"));
    }

    #[test]
    fn a_binary_event_goes_out_as_its_headers_and_body() {
        let stored = b"ce-id: 1\nce-source: urn:a: b\n\nbody\n\nmore";
        let message =
            message(&record("nl.doorstroom.bed.freed.v1", ContentType::Binary.as_str(), stored)).unwrap();
        assert_eq!(header(&message, "ce-source"), Some("urn:a: b"));
        assert_eq!(header(&message, "Content-Type"), None);
        assert_eq!(&*message.payload, b"body\n\nmore");
    }

    #[test]
    fn what_was_quarantined_is_not_for_subscribers() {
        let quarantined = record(contracts::QUARANTINED_KIND, "application/protobuf", b"anything");
        assert_eq!(region(&quarantined), None);
    }

    #[test]
    fn stored_bytes_of_another_form_are_an_error_and_not_a_message() {
        let kind = "nl.doorstroom.bed.freed.v1";
        let cut = record(kind, ContentType::Binary.as_str(), b"ce-id: 1\nce-sou");
        assert_eq!(message(&cut), Err(FormError::Headers));
        let other = record(kind, "text/plain", b"free");
        assert_eq!(message(&other), Err(FormError::ContentType("text/plain".into())));
    }
}
