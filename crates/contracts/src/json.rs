//! rough
use crate::DecodeError;
pub(crate) struct Json<'a>(&'a [u8]);
impl<'a> Json<'a> {
    pub(crate) fn parse(b: &'a [u8]) -> Result<Self, DecodeError> { Ok(Self(b)) }
    pub(crate) fn get(&self, _: &str) -> Option<&Self> { Some(self) }
}
