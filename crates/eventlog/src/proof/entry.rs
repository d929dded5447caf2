//! A record as the bytes its leaf hash is over: what RFC 6962 calls the entry.
//!
//! ```text
//! position u64 | recorded-at i64 | occurred-at i64 | key [16] | type, source, content type: length u32, bytes
//! | tags u32, each: length u32, bytes | stored bytes
//! ```
//! Integers are little-endian. The leaf hash is SHA-256 over 0x00 and these bytes. Not here: how a record lies in a
//! segment, which is shorter (`frame`).

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    Key, Record, TAGS_MAX,
    codec::{Input, narrow, wide},
    frame::put_leaf_fields,
};

/// The entry of a record.
pub(crate) fn encode(record: &Record) -> Bytes {
    let mut out = Vec::with_capacity(record.bytes.len().saturating_add(256));
    let (place, stored) = ((record.position, record.recorded_at), crate::NewRecord::from(record.clone()));
    put_leaf_fields(&mut out, place, &stored);
    out.extend_from_slice(&stored.bytes);
    Bytes::from(out)
}

/// The record of an entry, with the leaf hash that follows from it.
pub(crate) fn decode(entry: &Bytes) -> Option<Record> {
    let mut input = Input(entry);
    let (position, recorded_at, occurred_at) = (input.u64()?, input.i64()?, input.i64()?);
    let key = Key(input.array()?);
    let (kind, source, content_type) = (text(&mut input)?, text(&mut input)?, text(&mut input)?);
    let count = u64::from(input.u32()?);
    if count > wide(TAGS_MAX) {
        return None;
    }
    let tags = (0..count).map(|_| text(&mut input)).collect::<Option<_>>()?;
    let bytes = entry.slice_ref(input.0);
    let leaf = Sha256::new().chain_update([0_u8]).chain_update(entry).finalize().into();
    Some(Record { position, recorded_at, key, kind, tags, occurred_at, source, content_type, bytes, leaf })
}

fn text(input: &mut Input<'_>) -> Option<Box<str>> {
    let length = input.u32()?;
    std::str::from_utf8(input.bytes(narrow(u64::from(length)))?).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_tags(count: usize) -> Record {
        let tags = (0..count).map(|number| format!("tag:{number}").into()).collect();
        let bytes = Bytes::from_static(b"stored");
        let [kind, source, content_type] = ["kind", "source", "text/plain"].map(Into::into);
        Record {
            position: 7,
            recorded_at: 8,
            key: Key([9; 16]),
            kind,
            tags,
            occurred_at: -1,
            source,
            content_type,
            bytes,
            leaf: [0; 32],
        }
    }

    #[test]
    fn an_entry_has_as_many_tags_as_a_record_can_and_no_more() {
        for count in [0, 1, TAGS_MAX] {
            let record = with_tags(count);
            let decoded = decode(&encode(&record)).unwrap();
            assert_eq!(Record { leaf: record.leaf, ..decoded }, record);
        }
        assert_eq!(decode(&encode(&with_tags(TAGS_MAX + 1))), None);
    }
}
