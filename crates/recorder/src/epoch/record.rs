//! The records of what a mailbox lost. Pure.
//!
//! Not here: when there is one to be made (`epoch`).

use contracts::{BUS_EPOCH_KIND, BUS_GAP_KIND, wire};
use eventlog::{Batch, NewRecord};

use crate::keep::{key_of, own_record};

/// Another stream, or another state of it, counts from this record on. `after` is where the one before began.
pub(super) fn epoch(epoch: &wire::BusEpoch, after: u64, now: i64) -> Batch {
    let recorded = epoch.recorded_sequence.to_string();
    let key = key_of(&[
        BUS_EPOCH_KIND.as_bytes(),
        epoch.region.as_bytes(),
        epoch.created.as_bytes(),
        epoch.cause.as_bytes(),
        recorded.as_bytes(),
        after.to_string().as_bytes(),
    ]);
    batch(own_record(key, BUS_EPOCH_KIND, tags(&epoch.region), now, bus::encode(epoch)))
}

/// These messages never came. `after` is where the numbers of the stream begin to count.
pub(super) fn gap(gap: &wire::BusGap, after: u64, now: i64) -> Batch {
    let key = key_of(&[
        BUS_GAP_KIND.as_bytes(),
        gap.region.as_bytes(),
        gap.created.as_bytes(),
        gap.first_sequence.to_string().as_bytes(),
        gap.last_sequence.to_string().as_bytes(),
        after.to_string().as_bytes(),
    ]);
    batch(own_record(key, BUS_GAP_KIND, tags(&gap.region), now, bus::encode(gap)))
}

fn tags(region: &str) -> Vec<Box<str>> {
    vec![format!("region:{region}").into()]
}

fn batch(record: NewRecord) -> Batch {
    // Not "in.…": it comes from no mailbox.
    Batch { records: vec![record], condition: None, origin: bytes::Bytes::from_static(b"recorder") }
}
