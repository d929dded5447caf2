//! rough
use domain::Event; use bytes::Bytes;
/// structured
#[must_use] pub fn encode_json(_event: &Event) -> Bytes { Bytes::new() }
/// binary
#[must_use] pub fn encode_binary(_event: &Event) -> (Vec<(String,String)>, Bytes) { (vec![], Bytes::new()) }
