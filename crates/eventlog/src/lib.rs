//! An append-only, tamper-evident event log. Bytes in, bytes out; it does not know what they mean.

mod api;
mod error;
mod record;
mod storage;

pub use api::*;
pub use error::{AppendError, CursorError, OpenError, ReadError};
pub use record::{
    AppendCondition, Appended, BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, Direction, Head, Key,
    NAME_BYTES_MAX, NewRecord, ORIGIN_BYTES_MAX, QUERY_ITEMS_MAX, Query, QueryItem, RECORD_BYTES_MAX, Record,
    TAGS_MAX,
};
pub use storage::{Clock, Disk, Storage, StorageFile, SystemClock};
