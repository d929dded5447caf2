//! Records become events, events become a view.
//!
//! Not here: when (`run`), and what a view makes of an event (`views`).

use domain::{Recorded, Timestamp};
use eventlog::{LogReader, Query, Record};
use views::View;

use crate::ProjectorError;

/// What a record of the log is to a view.
pub(crate) enum Content {
    /// A domain event.
    Event(Box<Recorded>),
    /// A record of the log about itself, such as a quarantined message.
    NoEvent,
    /// An event that can not be read; the log keeps its bytes.
    Undecodable,
}

/// Reads a record. An event that can not be read is told with its position: it was checked when it was recorded, so
/// this program is older than the one that recorded it, or wrong.
pub(crate) fn read(record: &Record) -> Content {
    if !contracts::is_event_kind(&record.kind) {
        return Content::NoEvent;
    }
    let Record { position, recorded_at, content_type, bytes, .. } = record;
    match contracts::recorded(*position, *recorded_at, content_type, bytes.clone()) {
        Ok(recorded) => Content::Event(Box::new(recorded)),
        Err(error) => {
            let kind = &*record.kind;
            tracing::error!(position, kind, %error, "a recorded event can not be read and is missing from the view");
            Content::Undecodable
        }
    }
}

/// Takes one record into account. Whether it could be read.
pub(crate) fn apply<V: View>(
    view: &mut V,
    record: &Record,
    content: &Content,
    changes: &mut Vec<V::Change>,
) -> bool {
    match content {
        Content::Event(recorded) => {
            view.project(recorded, changes);
            true
        }
        Content::NoEvent | Content::Undecodable => {
            view.pass(record.position, Timestamp::from_micros(record.recorded_at));
            matches!(content, Content::NoEvent)
        }
    }
}

/// The view as it was when position `until` (inclusive) was recorded; at the head if `until` lies beyond it.
///
/// Folds from zero: blocking, and as long as the log is. Pure: the same log gives the same view.
///
/// # Errors
/// If the log can not be read.
pub fn as_of<V: View>(reader: &LogReader, until: u64) -> Result<V, ProjectorError> {
    let mut view = V::default();
    let mut changes = Vec::new();
    let mut after = 0;
    for record in reader.read(Query { until: Some(until.min(reader.head().position)), ..Query::default() }) {
        let record = record.map_err(|source| ProjectorError::Read { after, source })?;
        apply(&mut view, &record, &read(&record), &mut changes);
        changes.clear();
        after = record.position;
    }
    Ok(view)
}
