//! rough
use crate::{Decoded, DecodeError, Reason, json::Json, from_wire::Fault2};
pub(crate) struct Attributes;
impl Attributes {
    pub(crate) fn from_json(_: &Json<'_>) -> Result<Self, DecodeError> { Ok(Self) }
    pub(crate) fn from_headers(b: &[u8]) -> Result<(Self, &[u8]), DecodeError> { Ok((Self, b)) }
    pub(crate) fn is_json(&self) -> bool { false }
    pub(crate) fn decoded(self, _: impl FnOnce(&str) -> Fault2) -> Result<Decoded, DecodeError> { Err(DecodeError::new(Reason::Malformed, "rough")) }
}
