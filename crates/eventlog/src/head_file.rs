//! The small `head` file: how far the log was surely durable, written now and then beside the commits.
//!
//! It is a lower bound for recovery: a log that ends before it has lost something, and that is never taken for a torn
//! write. It may lag by [`crate::keeper`]'s interval and may be missing; then it says nothing.

use std::path::Path;

use crate::{
    ReadError,
    codec::{Input, put_at},
    scan::Tail,
    segment::damage,
    storage::{Storage, create_anew, read_full, write_full},
};

const MAGIC: &[u8; 8] = b"DSTRMHED";
const BYTES: usize = 92;
const NAME: &str = "head";

/// What the head file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownHead {
    pub(crate) log: [u8; 16],
    pub(crate) segment_first: u64,
    pub(crate) tail: Tail,
}

/// Replaces the head file. Returns when it is on stable storage.
pub(crate) fn write(storage: &dyn Storage, dir: &Path, head: &KnownHead) -> std::io::Result<()> {
    let mut out = [0; BYTES];
    put_at(&mut out, 0, MAGIC);
    put_at(&mut out, 8, &head.log);
    put_at(&mut out, 24, &head.segment_first.to_le_bytes());
    put_at(&mut out, 32, &head.tail.offset.to_le_bytes());
    put_at(&mut out, 40, &head.tail.position.to_le_bytes());
    put_at(&mut out, 48, &head.tail.recorded_at.to_le_bytes());
    put_at(&mut out, 56, &head.tail.hash);
    let checksum = out.first_chunk::<{ BYTES - 4 }>().map_or(0, |fields| crc32c::crc32c(fields));
    put_at(&mut out, BYTES - 4, &checksum.to_le_bytes());
    let aside = dir.join("head-new");
    let file = create_anew(storage, &aside)?;
    write_full(&*file, &out, 0)?;
    file.sync_data()?;
    storage.rename(&aside, &dir.join(NAME))?;
    storage.sync_dir(dir)
}

/// What there is of a head file.
#[derive(Debug)]
pub(crate) enum Known {
    Nothing,
    Head(KnownHead),
    /// It is there but has rotted: it is written aside and synced before it gets its name, so no crash leaves it so.
    Rotten(ReadError),
}

/// Reads the head file. An error is one of the system.
pub(crate) fn read(storage: &dyn Storage, dir: &Path) -> std::io::Result<Known> {
    let path = dir.join(NAME);
    let file = match storage.open(&path, false) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Known::Nothing),
        Err(error) => return Err(error),
    };
    let mut bytes = [0; BYTES];
    read_full(&*file, &mut bytes, 0)?;
    Ok(decode(&bytes).map_or_else(
        || {
            tracing::warn!(file = %path.display(), "the head file does not parse and bounds nothing");
            let what = "the head file does not parse, so it can not be told how far the log was on stable storage; \
                        if it did lose power, restore this file from a copy or remove it";
            Known::Rotten(damage(&path, 0, what))
        },
        Known::Head,
    ))
}

fn decode(bytes: &[u8; BYTES]) -> Option<KnownHead> {
    let (fields, checksum) = bytes.split_last_chunk::<4>()?;
    let mut input = Input(fields);
    if u32::from_le_bytes(*checksum) != crc32c::crc32c(fields) || input.bytes(MAGIC.len())? != MAGIC {
        return None;
    }
    let (log, segment_first) = (input.array()?, input.u64()?);
    let (offset, position, recorded_at) = (input.u64()?, input.u64()?, input.i64()?);
    let tail = Tail { offset, position, recorded_at, hash: input.array()?, epoch: 0 };
    Some(KnownHead { log, segment_first, tail })
}
