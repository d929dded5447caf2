//! Reading on for ever: catching up, then waiting for the head to move. One loop does both, so there is no gap.
//!
//! Not here: how records are found (`query`).

use std::{collections::VecDeque, time::Duration};

use crate::{
    Direction, Head, LogReader, Query, ReadError, Record,
    query::too_many_items,
    sync::{sleep, spawn_blocking, watch},
};

/// Records read at once. A subscriber that is behind goes to the disk once per so many.
const READ_RECORDS_MAX: usize = 256;
/// Stored bytes read at once, so that large records do not fill the memory.
const READ_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A distance to the head that is read on the spot: it is in the memory of the system, and going over to a blocking
/// thread would cost more than reading.
const SHORT: u64 = 32;
/// How often a log that another process writes is looked at.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(50);

/// The records of a query, without end. All its futures may be dropped at any time: nothing is lost or given twice.
#[derive(Debug)]
pub struct Subscription {
    reader: LogReader,
    head: watch::Receiver<Head>,
    /// Its `after` is how far the log was looked through.
    query: Query,
    read: VecDeque<Record>,
}

impl Subscription {
    pub(crate) fn new(reader: LogReader, query: Query) -> Subscription {
        let query = Query { until: None, direction: Direction::Forward, limit: None, ..query };
        Subscription { head: reader.watch_head(), reader, query, read: VecDeque::new() }
    }

    /// The next record, as soon as it is durable.
    ///
    /// # Errors
    /// If the log can not be read on; the next call tries again. [`ReadError::Closed`] when the log was closed and
    /// everything has been given; [`ReadError::TooManyItems`], always, if the query has too many.
    pub async fn next(&mut self) -> Result<Record, ReadError> {
        loop {
            if let Some(record) = self.read.pop_front() {
                return Ok(record);
            }
            self.fill().await?;
        }
    }

    /// The next records, at least one and at most `max` (0 is taken as 1): waits for the first, not for more.
    ///
    /// # Errors
    /// As [`Subscription::next`].
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Record>, ReadError> {
        while self.read.is_empty() {
            self.fill().await?;
        }
        let taken = max.max(1).min(self.read.len());
        Ok(self.read.drain(..taken).collect())
    }

    /// How far the log was looked through for this subscription: everything up to here was given or does not match,
    /// except what [`Subscription::next`] gives without waiting.
    #[must_use]
    pub fn looked_through(&self) -> u64 {
        self.query.after
    }

    async fn fill(&mut self) -> Result<(), ReadError> {
        // Also where there is nothing to read yet: it would wait for an answer that can not come.
        if let Some(refused) = too_many_items(&self.query) {
            return Err(refused);
        }
        let head = self.head.borrow_and_update().position;
        if head <= self.query.after {
            return self.wait().await;
        }
        let (reader, query) = (self.reader.clone(), Query { until: Some(head), ..self.query.clone() });
        let read = if head.saturating_sub(query.after) <= SHORT {
            read_some(&reader, query)
        } else {
            // A panic there is a defect; reading again on this thread shows it here.
            let again = (reader.clone(), query.clone());
            match spawn_blocking(move || read_some(&reader, query)).await {
                Ok(read) => read,
                Err(_) => read_some(&again.0, again.1),
            }
        };
        let (records, through) = read?;
        self.read.extend(records);
        self.query.after = through;
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), ReadError> {
        if self.reader.core.follow.is_none() {
            return self.head.changed().await.map_err(|_| ReadError::Closed);
        }
        let reader = self.reader.clone();
        let seen = spawn_blocking(move || reader.refresh()).await;
        if !matches!(seen, Ok(Ok(head)) if head.position > self.query.after) {
            sleep(FOLLOW_INTERVAL).await;
        }
        match seen {
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }
}

/// Some records and how far the log was looked through for them.
fn read_some(reader: &LogReader, query: Query) -> Result<(Vec<Record>, u64), ReadError> {
    let until = query.until.unwrap_or(query.after);
    let (mut records, mut bytes) = (Vec::new(), 0_usize);
    for record in reader.read(query) {
        let record = match record {
            Ok(record) => record,
            // What was read before the damage is given first; the next reading meets it again.
            Err(error) => {
                return records
                    .last()
                    .map(|last: &Record| last.position)
                    .map_or(Err(error), |through| Ok((records, through)));
            }
        };
        bytes = bytes.saturating_add(record.bytes.len());
        let through = record.position;
        records.push(record);
        if records.len() >= READ_RECORDS_MAX || bytes >= READ_BYTES_MAX {
            return Ok((records, through));
        }
    }
    Ok((records, until))
}
