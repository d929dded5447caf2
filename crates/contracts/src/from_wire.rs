//! rough
use crate::json::Json;
pub(crate) struct Fault2;
pub(crate) enum Data<'a> { Json(&'a Json<'a>), Protobuf(bytes::Bytes) }
pub(crate) fn fact(_: &str, _: &Data<'_>) -> Fault2 { Fault2 }
