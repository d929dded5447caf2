//! Why bytes are not an event of the contract, naming the field.
//!
//! Not here: what is done with such bytes (`recorder`).

use core::fmt;

/// Why bytes are not an event this version can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No bytes at all.
    Empty,
    /// More than [`crate::EVENT_BYTES_MAX`].
    TooLarge,
    /// Not readable, a required field is missing, or a value does not fit its field.
    Malformed,
    /// A type this version knows, in a version it does not know: readable after an upgrade.
    UnknownVersion,
    /// A type this version does not know: readable after an upgrade.
    UnknownType,
}

impl Reason {
    /// The code that receipts, metrics and the quarantine carry.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::UnknownVersion => "unknown_version",
            Self::UnknownType => "unknown_type",
        }
    }
}

/// Bytes are not an event of the contract. The text is a sentence that names the field, and no value of it: it goes into
/// logs, and what a broken sender puts into a field may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The kind of failure.
    pub code: Reason,
    /// The field, such as `data.counts[2].occupied`; `None` if it is not about one.
    pub field: Option<String>,
    /// What is wrong with it.
    pub detail: String,
}

impl DecodeError {
    pub(crate) fn new(code: Reason, detail: impl Into<String>) -> Self {
        Self { code, field: None, detail: detail.into() }
    }

    pub(crate) fn malformed(field: &str, detail: impl Into<String>) -> Self {
        Self { code: Reason::Malformed, field: Some(field.to_owned()), detail: detail.into() }
    }

    pub(crate) fn in_field(code: Reason, field: &str, detail: impl Into<String>) -> Self {
        Self { code, field: Some(field.to_owned()), detail: detail.into() }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Reason::Empty => f.write_str("empty event")?,
            Reason::TooLarge => f.write_str("event too large")?,
            Reason::Malformed => f.write_str("malformed event")?,
            Reason::UnknownVersion => f.write_str("event in a version this program does not know")?,
            Reason::UnknownType => f.write_str("event of a type this program does not know")?,
        }
        match &self.field {
            Some(field) => write!(f, ": {field}: {}", self.detail),
            None => write!(f, ": {}", self.detail),
        }
    }
}

impl core::error::Error for DecodeError {}

/// What is wrong with a value, and where it is: the path is put together on the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The path so far, such as `counts[2].occupied`; empty for the value itself.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn at(field: &str, detail: impl fmt::Display) -> Self {
        Self { field: field.to_owned(), detail: detail.to_string() }
    }

    /// The same fault, seen from the object that has this field.
    pub(crate) fn within(self, outer: &str) -> Self {
        let dot = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        Self { field: format!("{outer}{dot}{}", self.field), ..self }
    }

    /// The same fault, seen from the list that has this item.
    pub(crate) fn item(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        let field = (!fault.field.is_empty()).then_some(fault.field);
        Self { code: Reason::Malformed, field, detail: fault.detail }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.detail)
    }
}

impl core::error::Error for Fault {}
