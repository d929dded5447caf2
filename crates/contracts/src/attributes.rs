//! The envelope: the context attributes of a CloudEvent, from the JSON or from `ce-` headers.
//!
//! Not here: what the data says (`from_wire`).

use std::borrow::Cow;

use domain::{Event, EventId, Fact, Label, RegionId, SourceId};

use crate::error::{DecodeError, Fault, Reason};
use crate::fields::{Read, moment, optional, required};
use crate::from_wire::Content;
use crate::json::Json;
use crate::received::Decoded;
use crate::recorded::{VERSION, kind_and_version};

/// The `datacontenttype` of data in JSON.
pub(crate) const JSON_DATA: &str = "application/json";

/// The `datacontenttype` of data in protobuf; in binary mode also what is meant if there is none.
pub(crate) const PROTOBUF_DATA: &str = "application/protobuf";

/// The longest signature, in characters: one of `signature` has 86, and what else is there the recorder judges.
const SIGNATURE_CHARS_MAX: usize = 512;

/// The attributes the contract knows, unchecked. Others are kept in the bytes and ignored.
#[derive(Debug, Default)]
pub(crate) struct Attributes<'a> {
    specversion: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    r#type: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    datacontenttype: Option<Cow<'a, str>>,
    region: Option<Cow<'a, str>>,
    sequence: Option<Cow<'a, str>>,
    correlationid: Option<Cow<'a, str>>,
    causationid: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    binary: bool,
}

impl<'a> Attributes<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<Cow<'a, str>>> {
        Some(match name {
            "specversion" => &mut self.specversion,
            "id" => &mut self.id,
            "source" => &mut self.source,
            "type" => &mut self.r#type,
            "time" => &mut self.time,
            "subject" => &mut self.subject,
            "datacontenttype" => &mut self.datacontenttype,
            "region" => &mut self.region,
            "sequence" => &mut self.sequence,
            "correlationid" => &mut self.correlationid,
            "causationid" => &mut self.causationid,
            "signature" => &mut self.signature,
            _ => return None,
        })
    }

    /// The attributes of a structured event.
    pub(crate) fn from_json(json: &'a Json<'_>) -> Result<Self, DecodeError> {
        let Json::Object(fields) = json else {
            return Err(DecodeError::new(Reason::Malformed, "a CloudEvent is a JSON object"));
        };
        let mut attributes = Self::default();
        for (name, value) in fields {
            let Some(slot) = attributes.slot(name) else { continue };
            match value {
                Json::Text(text) => *slot = Some(Cow::Borrowed(text)),
                // The JSON format of CloudEvents: `null` is as if it were not there.
                Json::Null => (),
                Json::Bool(_)
                | Json::Int(_)
                | Json::Large(_)
                | Json::Float(_)
                | Json::List(_)
                | Json::Object(_) => {
                    return Err(DecodeError::malformed(name, "must be a string"));
                }
            }
        }
        Ok(attributes)
    }

    /// The attributes of an event in binary mode, and its body.
    pub(crate) fn from_headers(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        let mut attributes = Self { binary: true, ..Self::default() };
        let mut rest = bytes;
        let mut last = "";
        loop {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                let detail = "the headers do not end in an empty line";
                return Err(DecodeError::new(Reason::Malformed, detail));
            };
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if line.is_empty() {
                return Ok((attributes, rest));
            }
            let Some((name, value)) = core::str::from_utf8(line).ok().and_then(|line| line.split_once(": "))
            else {
                return Err(DecodeError::new(
                    Reason::Malformed,
                    "a header is not a line `name: value` of text",
                ));
            };
            let attribute = name.strip_prefix("ce-").filter(|rest| !rest.is_empty()).ok_or_else(|| {
                DecodeError::new(
                    Reason::Malformed,
                    "a header that is no attribute: their names begin with `ce-`",
                )
            })?;
            if name <= last {
                let detail = "a header is there twice, or they are not sorted by name";
                return Err(DecodeError::new(Reason::Malformed, detail));
            }
            last = name;
            if let Some(slot) = attributes.slot(attribute) {
                *slot = Some(percent_decoded(value).map_err(|fault| fault.within(attribute))?);
            }
        }
    }

    /// Whether the data of a binary event is JSON; otherwise it is protobuf.
    pub(crate) fn is_json(&self) -> bool {
        self.datacontenttype.as_deref().is_some_and(|given| is_media_type(given, JSON_DATA))
    }

    /// The event that has these attributes. `read` reads the data of a type of version 1: when it happened, and what; or
    /// `None` if there is no such type.
    pub(crate) fn decoded(
        self,
        read: impl FnOnce(&str) -> Read<Option<Content>>,
    ) -> Result<Decoded, DecodeError> {
        let kind = self.kind()?;
        self.check_descriptive()?;
        let source: SourceId = required(self.source.as_deref(), "source")?;
        let id: EventId = required(self.id.as_deref(), "id")?;
        let time = moment(self.time.as_deref(), "time")?;
        let region: RegionId = required(self.region.as_deref(), "region")?;
        let sequence = self.sequence.as_deref().map(sequence).transpose()?;
        let label = |value: &Option<Cow<'_, str>>, field| -> Read<Option<String>> {
            Ok(optional::<Label>(value.as_deref(), field)?.map(|label| label.as_str().to_owned()))
        };
        let correlation = label(&self.correlationid, "correlationid")?;
        let causation = label(&self.causationid, "causationid")?;
        let Some(Content { occurred_at, fact, sealed }) = read(kind).map_err(|fault| fault.within("data"))?
        else {
            return Err(unknown_type());
        };
        let event = Event { source, id, time, region, occurred_at, fact };
        let signature = self.signature.map(Cow::into_owned);
        Ok(Decoded { event, sequence, correlation, causation, signature, sealed })
    }

    /// The short kind of a type in version 1.
    fn kind(&self) -> Result<&str, DecodeError> {
        let version =
            self.specversion.as_deref().ok_or_else(|| DecodeError::malformed("specversion", "missing"))?;
        if version != "1.0" {
            let detail = "this program reads CloudEvents 1.0: send that, or upgrade it";
            return Err(DecodeError::in_field(Reason::UnknownVersion, "specversion", detail));
        }
        let event_type = self.r#type.as_deref().ok_or_else(|| DecodeError::malformed("type", "missing"))?;
        match kind_and_version(event_type) {
            Some((kind, VERSION)) => Ok(kind),
            Some((kind, _)) if Fact::KINDS.contains(&kind) => {
                let detail = format!("this program reads version {VERSION} of {kind}: upgrade it");
                Err(DecodeError::in_field(Reason::UnknownVersion, "type", detail))
            }
            Some(_) | None => Err(unknown_type()),
        }
    }

    /// Checks what the event itself does not carry on.
    fn check_descriptive(&self) -> Result<(), DecodeError> {
        if let Some(given) = self.datacontenttype.as_deref() {
            let fits =
                is_media_type(given, JSON_DATA) || (self.binary && is_media_type(given, PROTOBUF_DATA));
            if !fits {
                let detail = "must be application/json, or in binary mode application/protobuf";
                return Err(DecodeError::malformed("datacontenttype", detail));
            }
        }
        optional::<Label>(self.subject.as_deref(), "subject")?;
        let signed = self.signature.as_deref().is_none_or(|signature| {
            (1..=SIGNATURE_CHARS_MAX).contains(&signature.len())
                && signature.bytes().all(|byte| byte.is_ascii_graphic())
        });
        if !signed {
            let detail = format!("must be 1 to {SIGNATURE_CHARS_MAX} visible ASCII characters");
            return Err(DecodeError::malformed("signature", detail));
        }
        Ok(())
    }
}

fn unknown_type() -> DecodeError {
    let detail =
        "no type of the contract, such as nl.doorstroom.bed.freed.v1: correct it, or upgrade this program";
    DecodeError::in_field(Reason::UnknownType, "type", detail)
}

/// Whether a content type is this one, with any parameters.
fn is_media_type(given: &str, wanted: &str) -> bool {
    let essence = given.split_once(';').map_or(given, |(essence, _)| essence);
    essence.trim().eq_ignore_ascii_case(wanted)
}

/// The number in a zero-padded decimal of at most 20 digits.
fn sequence(text: &str) -> Read<u64> {
    let digits = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| Fault::at("sequence", "must be a whole number from 0 in at most 20 digits"))
}

/// A header value without its percent-encoding, as the NATS binding of CloudEvents encodes what a header cannot carry.
fn percent_decoded(value: &str) -> Read<Cow<'_, str>> {
    if !value.contains('%') {
        return Ok(Cow::Borrowed(value));
    }
    let fault = || Fault::at("", "is not percent-encoded UTF-8");
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    let digit = |byte: Option<u8>| {
        let digit = char::from(byte?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (digit(bytes.next()), digit(bytes.next()));
            decoded.push(high.zip(low).map(|(high, low)| high << 4 | low).ok_or_else(fault)?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| fault())
}

/// A header value with everything percent-encoded that the NATS binding of CloudEvents says.
pub(crate) fn percent_encoded(value: &str) -> String {
    use core::fmt::Write;
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'%') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_undone_exactly() {
        for text in ["", "zk23", "100 % \"goed\"\n", "Zuid-Holland é ✓"] {
            assert_eq!(percent_decoded(&percent_encoded(text)).unwrap(), text);
        }
        for text in ["%", "%4", "%zz", "%ff", "%+1"] {
            assert!(percent_decoded(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_sequence_is_digits_and_fits() {
        assert_eq!(sequence("00000000000000000042").unwrap(), 42);
        for text in ["", "-1", "+1", "1.0", "18446744073709551616", "000000000000000000001"] {
            assert!(sequence(text).is_err(), "{text}");
        }
    }
}
