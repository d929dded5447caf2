//! A care type as the board counts it.
//!
//! Not here: the list of care types (`domain`).

use alloc::sync::Arc;
use core::fmt;

use crate::CareType;
use serde::{Deserialize, Serialize};

/// The code of a care type, such as `ELV_LC`; every code this version does not know is `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Arc<str>", into = "&'static str")]
pub struct CareCode(Code);

// A name of its own: serde's derive takes a `&str` it sees for one that borrows from the input.
type Code = &'static str;

impl CareCode {
    /// The code as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl From<&CareType> for CareCode {
    fn from(care_type: &CareType) -> Self {
        Self(care_type.code())
    }
}

impl From<&str> for CareCode {
    fn from(text: &str) -> Self {
        Self::from(&CareType::from(text))
    }
}

impl From<Arc<str>> for CareCode {
    fn from(text: Arc<str>) -> Self {
        Self::from(&*text)
    }
}

impl From<CareCode> for &'static str {
    fn from(code: CareCode) -> Self {
        code.0
    }
}

impl fmt::Display for CareCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
