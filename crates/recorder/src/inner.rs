//! The third door: for the node's own desk, which is in the same process.
//!
//! What comes through it is made by the rules and not by a stranger, so nothing is judged but whether it can be read
//! again. Its condition is checked over the whole log: a referral that goes from one desk to another is known in both
//! regions. Not here: the rules (`domain::desk`), trying again (`desk`).

use std::sync::Arc;

use contracts::{Received, encode_json, event_key, event_type, tags};
use domain::{Event, EventId, Timestamp};
use eventlog::{AppendCondition, AppendError, Batch, EventLog, Key, LogReader, NewRecord};

use crate::Metrics;

/// Records what the node's own desk decided.
#[derive(Clone, Debug)]
pub struct InnerDoor {
    log: EventLog,
    metrics: Arc<Metrics>,
}

/// Where a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InnerReceipt {
    /// The position of its last event.
    pub position: u64,
    /// When that was recorded.
    pub recorded_at: Timestamp,
}

/// Why a batch was not recorded. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum InnerError {
    /// Something the decision stands on was added.
    #[error("position {position} was recorded after the decision was made: decide again")]
    Overtaken {
        /// Where.
        position: u64,
    },
    /// The id of one of its events was used before by this source.
    #[error("the id of event {index} of the batch is in use at position {position}")]
    Known {
        /// Which event, from 0.
        index: usize,
        /// Where the id is.
        position: u64,
    },
    /// What was decided could not be read again: a mistake in the rules or in the contract.
    #[error("event {id} would not be read again as it was decided, and is not recorded")]
    Unreadable {
        /// Which.
        id: EventId,
    },
    /// The log takes nothing.
    #[error("the log takes nothing")]
    Log(#[source] AppendError),
}

impl InnerDoor {
    /// The door into this log, which counts what it records there.
    #[must_use]
    pub fn new(log: EventLog, metrics: Arc<Metrics>) -> Self {
        Self { log, metrics }
    }

    /// The log it writes, to read.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        self.log.reader()
    }

    /// Records these events as one batch, unless something that `condition` names came in between. Returns when they
    /// are on disk.
    ///
    /// # Errors
    /// If it was overtaken, an id is in use, or the log takes nothing.
    pub async fn record(
        &self,
        events: &[Event],
        condition: AppendCondition,
    ) -> Result<InnerReceipt, InnerError> {
        let records = events.iter().map(record).collect::<Result<_, _>>()?;
        let batch = Batch { records, condition: Some(condition), ..Batch::default() };
        match self.log.append(batch).await {
            Ok(appended) => {
                let fresh = appended.duplicates.iter().filter(|known| !**known);
                fresh.for_each(|_| self.metrics.count_recorded());
                let position = appended.positions.last().copied().unwrap_or_default();
                let recorded_at = appended.recorded_at.last().copied().unwrap_or_default();
                Ok(InnerReceipt { position, recorded_at: Timestamp::from_micros(recorded_at) })
            }
            Err(AppendError::ConditionFailed { position }) => {
                self.metrics.count_condition_failed();
                Err(InnerError::Overtaken { position })
            }
            Err(AppendError::Conflict { index, position, .. }) => Err(InnerError::Known { index, position }),
            Err(
                error @ (AppendError::Empty
                | AppendError::TooLarge { .. }
                | AppendError::Stopped { .. }
                | AppendError::Unreadable(_)
                | AppendError::Closed),
            ) => Err(InnerError::Log(error)),
        }
    }
}

fn record(event: &Event) -> Result<NewRecord, InnerError> {
    let received = Received::structured(encode_json(event));
    // What can not be read is missing from every view for ever.
    if !received.decode().is_ok_and(|read| read.event == *event) {
        return Err(InnerError::Unreadable { id: event.id });
    }
    Ok(NewRecord {
        key: Key(event_key(event)),
        kind: event_type(&event.fact).into(),
        tags: tags(event),
        occurred_at: event.occurred_at.as_micros(),
        source: event.source.as_str().into(),
        content_type: received.content_type().into(),
        bytes: received.bytes().clone(),
    })
}
