//! What a command stands on that is not in memory: a referral that ended or a stay that closed long ago. Its events are
//! folded from the log, as far as the scope of the command asks.
//!
//! Not here: what is kept in memory and for how long (`domain::desk::State`).

use domain::desk::{Command, Scope, ScopeItem, State, evolve};
use domain::{ReferralId, StayId};
use eventlog::{LogReader, Query, QueryItem, ReadError};

/// What the log is asked for an item of a scope.
pub(crate) fn query_item(item: &ScopeItem) -> QueryItem {
    let types = item.types.iter().map(|kind| contracts::event_type_of(kind).into()).collect();
    QueryItem { types, tags: item.tags.clone() }
}

/// The tags of referrals and stays that a command names and memory does not know. They are new, or forgotten.
pub(crate) fn unknown(state: &State, scope: &Scope) -> Vec<Box<str>> {
    let tags = scope.items.iter().flat_map(|item| &item.tags);
    let unknown = tags.filter(|tag| match tag.split_once(':') {
        Some(("referral", id)) => id.parse::<ReferralId>().is_ok_and(|id| !state.referrals.contains_key(&id)),
        Some(("stay", id)) => id.parse::<StayId>().is_ok_and(|id| !state.stays.contains_key(&id)),
        Some(_) | None => false,
    });
    unknown.cloned().collect()
}

/// Whether the log has anything of what these tags name.
///
/// # Errors
/// If the log can not be read.
pub(crate) fn is_in_log(reader: &LogReader, tags: Vec<Box<str>>) -> Result<bool, ReadError> {
    let items = tags.into_iter().map(|tag| QueryItem { types: Vec::new(), tags: vec![tag] }).collect();
    let query = Query { items, limit: Some(1), ..Query::default() };
    reader.read(query).next().transpose().map(|found| found.is_some())
}

/// What is so up to a position, folded from the events that the command stands on, and the scope that was folded.
///
/// # Errors
/// If the log can not be read.
pub(crate) fn fold(
    reader: &LogReader,
    empty: &State,
    command: &Command,
    until: u64,
) -> Result<(State, Scope), ReadError> {
    let narrow = Scope::of(command);
    let state = fold_scope(reader, empty, &narrow, until)?;
    match narrow.wider(command, &state) {
        Some(wider) => Ok((fold_scope(reader, empty, &wider, until)?, wider)),
        None => Ok((state, narrow)),
    }
}

fn fold_scope(reader: &LogReader, empty: &State, scope: &Scope, until: u64) -> Result<State, ReadError> {
    let items = scope.items.iter().map(query_item).collect();
    let mut state = empty.clone();
    for record in reader.read(Query { items, until: Some(until), ..Query::default() }) {
        let record = record?;
        let read =
            contracts::recorded(record.position, record.recorded_at, &record.content_type, record.bytes);
        match read {
            Ok(recorded) => state = evolve(state, &recorded.event),
            Err(error) => {
                tracing::error!(position = record.position, %error, "a recorded event can not be read: the desk decides without it");
            }
        }
    }
    Ok(state)
}
