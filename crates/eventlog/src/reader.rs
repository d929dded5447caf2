//! The reading side of a log, for the process that writes it and for any other.
//!
//! Not here: how records are found (`query`), how a foreign log is followed (`follow`), waiting (`subscribe`).

use std::{path::Path, sync::Arc};

use crate::{
    Head, Key, OpenError, Origins, Query, ReadError, Record, Records, Subscription,
    core::{Core, segment_of},
    follow,
    index::Wanted,
    query,
    segment::Block,
    storage::{Disk, Storage},
    sync::watch,
};

/// Reads a log: only what is durable, in the order of positions. Clones are cheap and share everything; any thread
/// may use them. Reading never holds up the writer for longer than an index look-up.
#[derive(Debug, Clone)]
pub struct LogReader {
    pub(crate) core: Arc<Core>,
}

impl LogReader {
    /// Opens the log in `dir` for reading only. Another process may be writing it; nothing is ever written here.
    /// It sees the log as it was at this moment until [`LogReader::refresh`].
    ///
    /// Where the log is damaged, everything before the damage can be read, and a reading that gets there ends with
    /// the error.
    ///
    /// # Errors
    /// If there is no log, its very first part is damaged, or the system refuses.
    pub fn open(dir: &Path) -> Result<LogReader, OpenError> {
        LogReader::open_with(dir, Arc::new(Disk))
    }

    /// As [`LogReader::open`], with other files.
    ///
    /// # Errors
    /// As [`LogReader::open`].
    pub fn open_with(dir: &Path, storage: Arc<dyn Storage>) -> Result<LogReader, OpenError> {
        Ok(LogReader { core: Arc::new(follow::open(dir, storage)?) })
    }

    /// Looks again how far the log is durable now, for a log that another process writes. In the process that writes
    /// it this is [`LogReader::head`].
    ///
    /// # Errors
    /// If the log is damaged further on, or the disk does not answer. What was seen before stays readable.
    pub fn refresh(&self) -> Result<Head, ReadError> {
        follow::refresh(&self.core)
    }

    /// How far the log is durable, as this reader knows it.
    #[must_use]
    pub fn head(&self) -> Head {
        self.core.head()
    }

    /// The head as it moves. For a log that another process writes it moves with [`LogReader::refresh`].
    #[must_use]
    pub fn watch_head(&self) -> watch::Receiver<Head> {
        self.core.head.clone()
    }

    /// The records a query asks for, up to the head of this moment. Blocks on the disk; memory is bounded by one
    /// window on a segment and the matching places of one segment.
    #[must_use]
    pub fn read(&self, query: Query) -> Records {
        Records::new(Arc::clone(&self.core), query)
    }

    /// The record at `position`; `None` where none is yet, and at 0.
    ///
    /// # Errors
    /// If it is damaged, or the disk does not answer.
    pub fn record(&self, position: u64) -> Result<Option<Record>, ReadError> {
        let last = self.head().position;
        if position == 0 || position > last {
            return Ok(None);
        }
        let segments = self.core.segments();
        let Some((segment, _)) = segment_of(&segments, position, last) else { return Ok(None) };
        segment.record(&mut Block::scattered(), position).map(Some)
    }

    /// Where the record with this key is.
    ///
    /// # Errors
    /// If a record that has to be looked at is damaged, or the disk does not answer.
    pub fn position_of(&self, key: &Key) -> Result<Option<u64>, ReadError> {
        let last = self.head().position;
        let wanted = [Wanted::new(*key)];
        let found = query::find_keys(&self.core.segments(), &wanted, last, &mut Block::scattered());
        Ok(found.get(key)?.map(|(_, position)| position))
    }

    /// Where the batches came from that have a record above `after`, up to the head of this moment: what
    /// [`crate::Batch::origin`] said. A batch that holds `after` and goes on above it is given whole. Blocks on the
    /// disk; reads commit records, not records.
    #[must_use]
    pub fn origins(&self, after: u64) -> Origins {
        Origins::new(Arc::clone(&self.core), after)
    }

    /// The last position recorded at or before `micros` (microseconds since 1970-01-01 UTC); 0 if there is none.
    ///
    /// # Errors
    /// If a record that has to be looked at is damaged, or the disk does not answer.
    pub fn at_time(&self, micros: i64) -> Result<u64, ReadError> {
        let head = self.head().position;
        let segments = self.core.segments();
        // The base time of a segment is that of the last record before it.
        let later = segments.iter().skip(1).take_while(|segment| segment.header.base_time <= micros).count();
        let Some(segment) = segments.get(later) else { return Ok(0) };
        let (mut low, mut high) = (segment.first(), head);
        if let Some((_, end)) = segment_of(&segments, segment.first(), head) {
            high = end;
        }
        // Everything below `low` is at or before; everything above `high` is after.
        let mut block = Block::scattered();
        while low <= high {
            let middle = low.midpoint(high);
            if segment.record(&mut block, middle)?.recorded_at <= micros {
                low = middle.saturating_add(1);
            } else {
                high = middle.saturating_sub(1);
            }
        }
        Ok(low.saturating_sub(1))
    }

    /// Everything a query asks for, first what is there, then what comes, without a gap between the two. Its `until`,
    /// `direction` and `limit` are not used. To be awaited in a tokio runtime.
    #[must_use]
    pub fn subscribe(&self, query: Query) -> Subscription {
        Subscription::new(self.clone(), query)
    }
}
