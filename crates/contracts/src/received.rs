//! An event as it came: the bytes the log stores, and how they are to be read.
//!
//! Not here: what the attributes may be (`attributes`), what the data means (`from_wire`).

use bytes::Bytes;
use domain::{Event, Sealed};

use crate::EVENT_BYTES_MAX;
use crate::attributes::Attributes;
use crate::error::{DecodeError, Fault, Reason};
use crate::from_wire::{self, Data};
use crate::hash::ContentHash;
use crate::json::Json;

/// How stored bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// A CloudEvent as one JSON object.
    StructuredJson,
    /// The `ce-` headers sorted by name as `name: value\n`, an empty line, the body.
    Binary,
}

impl ContentType {
    /// The content type the log stores with the bytes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StructuredJson => "application/cloudevents+json",
            Self::Binary => "application/vnd.doorstroom.binary",
        }
    }
}

/// What marks a header as an attribute of a CloudEvent.
const HEADER_PREFIX: &str = "ce-";

/// The header that makes a message a CloudEvent in binary mode.
const BINARY_MARK: &str = "ce-specversion";

/// One event as it came: exactly the bytes that the log stores and that the content hash covers; a signature
/// covers them without its own value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    content_type: ContentType,
    bytes: Bytes,
}

/// An event that was read, with what the domain does not know of it. Two that are equal say the same in every field of
/// the contract but `subject`, which only repeats the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The event.
    pub event: Event,
    /// The source's gapless counter.
    pub sequence: Option<u64>,
    /// The story it belongs to: the referral.
    pub correlation: Option<String>,
    /// The event it follows from.
    pub causation: Option<String>,
    /// The signature of the source, unchecked: see [`crate::signature`].
    pub signature: Option<String>,
    /// What is sealed in its data, of whichever type: to tell two events apart, for most facts do not keep it.
    pub sealed: Option<Sealed>,
}

impl Received {
    /// A structured CloudEvent: these bytes are its JSON.
    #[must_use]
    pub fn structured(bytes: Bytes) -> Self {
        Self { content_type: ContentType::StructuredJson, bytes }
    }

    /// A CloudEvent in binary mode. Of the headers only the attributes (`ce-…`) are kept, by name in lower case.
    #[must_use]
    pub fn binary<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>, body: &[u8]) -> Self {
        let mut attributes: Vec<(String, &str)> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .filter(|(name, _)| name.starts_with(HEADER_PREFIX))
            .collect();
        attributes.sort();
        let mut bytes = Vec::with_capacity(512 + body.len());
        for (name, value) in attributes {
            for part in [&name, ": ", value, "\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(body);
        Self { content_type: ContentType::Binary, bytes: bytes.into() }
    }

    /// A CloudEvent as a message brought it: binary if a `ce-specversion` header is there, otherwise structured.
    #[must_use]
    pub fn from_message<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>, body: Bytes) -> Self {
        let headers: Vec<_> = headers.collect();
        if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(BINARY_MARK)) {
            Self::binary(headers.into_iter(), &body)
        } else {
            Self::structured(body)
        }
    }

    /// What the log stored, or an `AppendRequest` carries.
    ///
    /// # Errors
    /// If the content type is none of [`ContentType`].
    pub fn from_stored(content_type: &str, bytes: Bytes) -> Result<Self, DecodeError> {
        for known in [ContentType::StructuredJson, ContentType::Binary] {
            if content_type == known.as_str() {
                return Ok(Self { content_type: known, bytes });
            }
        }
        Err(DecodeError::malformed(
            "content_type",
            "must be application/cloudevents+json or application/vnd.doorstroom.binary",
        ))
    }

    /// The content type the log stores with the bytes.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.content_type.as_str()
    }

    /// The bytes the log stores.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// SHA-256 of the bytes the log stores.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of(&self.bytes)
    }

    /// The same kind of event with other bytes.
    pub(crate) fn with_bytes(&self, bytes: Bytes) -> Self {
        Self { content_type: self.content_type, bytes }
    }

    /// Reads the event, strictly.
    ///
    /// # Errors
    /// If the bytes are empty, larger than [`EVENT_BYTES_MAX`], malformed, or of a type or version this program does not
    /// know. Never panics, and takes memory in proportion to the bytes.
    pub fn decode(&self) -> Result<Decoded, DecodeError> {
        if self.bytes.is_empty() {
            return Err(DecodeError::new(Reason::Empty, "there is nothing in it: send the CloudEvent"));
        }
        if self.bytes.len() > EVENT_BYTES_MAX {
            let detail = format!("{} bytes, and at most {EVENT_BYTES_MAX} are allowed", self.bytes.len());
            return Err(DecodeError::new(Reason::TooLarge, detail));
        }
        match self.content_type {
            ContentType::StructuredJson => self.decode_structured(),
            ContentType::Binary => self.decode_binary(),
        }
    }

    fn decode_structured(&self) -> Result<Decoded, DecodeError> {
        let json = Json::parse(&self.bytes)?;
        let attributes = Attributes::from_json(&json)?;
        attributes.decoded(|kind| {
            let data = json.get("data").ok_or_else(|| Fault::at("", "missing"))?;
            from_wire::fact(kind, &Data::Json(data))
        })
    }

    fn decode_binary(&self) -> Result<Decoded, DecodeError> {
        let (attributes, body) = Attributes::from_headers(&self.bytes)?;
        if body.is_empty() {
            return Err(DecodeError::new(Reason::Empty, "there is no body after the headers: send the data"));
        }
        if attributes.is_json() {
            let json = Json::parse(body).map_err(|fault| fault.within("data"))?;
            attributes.decoded(|kind| from_wire::fact(kind, &Data::Json(&json)))
        } else {
            let body = self.bytes.slice_ref(body);
            attributes.decoded(|kind| from_wire::fact(kind, &Data::Protobuf(body)))
        }
    }
}
