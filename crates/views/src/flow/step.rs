//! What each event counts as.
//!
//! Not here: the figures (`cell`), bed days (they follow from who is where, `flow`).

use domain::{DeclineCode, Destination, Event, Fact, LocationId, ReferralId, StayId, Timestamp, WaitingFor};

use super::cell::{Cell, Measure, Part, UNKNOWN, parts, place};
use super::{Came, Flow, Left, Row, RowNumber, Stayed};
use crate::{CareCode, RowKey};

const MICROS_PER_MINUTE: i64 = 60_000_000;
/// A discharge can be cancelled within 30 days (the contract's number), in microseconds.
const CANCEL_WITHIN_MICROS: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// Counts an event; whether it counted.
#[expect(clippy::wildcard_enum_match_arm, reason = "what moves nobody counts nothing")]
pub(super) fn step(flow: &mut Flow, event: &Event) -> bool {
    match &event.fact {
        Fact::OfferDeclined { offer, code, .. } => {
            let care = flow.referrals.get(offer.referral).map_or_else(other, |asked| asked.care);
            let row = number(flow, event, &offer.location, care);
            let code = place(DeclineCode::KNOWN, code.code());
            cell(flow, row, flow.today.day).add(Measure::Declined(code), 1);
            true
        }
        Fact::StayAdmitted { stay, place, referral, .. } => {
            let row = number(flow, event, &place.location, CareCode::from(&place.care_type));
            enter(flow, event, *stay, row, *referral);
            true
        }
        Fact::StayMoved { stay, to, .. } => {
            let row = same_care(flow, event, *stay, &to.location);
            enter(flow, event, *stay, row, None);
            true
        }
        Fact::StayMoveCancelled { stay, from, .. } if is_open(flow, *stay) => {
            let row = same_care(flow, event, *stay, &from.location);
            enter(flow, event, *stay, row, None);
            true
        }
        Fact::StayDischarged { stay, destination, .. } => discharged(flow, event, *stay, destination),
        Fact::StayAdmissionCancelled { stay } => admission_cancelled(flow, *stay),
        Fact::StayDischargeCancelled { stay } => discharge_cancelled(flow, event, *stay),
        Fact::StayWaitingFor { stay, what, since } => waits(flow, event, *stay, what, *since),
        _ => false,
    }
}

fn other() -> CareCode {
    CareCode::from("other")
}

fn is_open(flow: &Flow, stay: StayId) -> bool {
    flow.stays.get(&stay).is_some_and(|stay| stay.left.is_none())
}

/// The number of a row, which begins with the first event about it.
fn number(flow: &mut Flow, event: &Event, location: &LocationId, care_type: CareCode) -> RowNumber {
    let key = RowKey { region: event.region.clone(), location: location.clone(), care_type };
    if let Some(number) = flow.numbers.get(&key) {
        return *number;
    }
    let number = RowNumber::try_from(flow.rows.len()).unwrap_or(RowNumber::MAX);
    flow.rows.push(Row { key: key.clone(), occupied: 0, waiting: 0, counted: flow.recorded_at });
    flow.numbers.insert(key, number);
    number
}

/// The row of another location for the same kind of care: a move does not name it.
fn same_care(flow: &mut Flow, event: &Event, stay: StayId, location: &LocationId) -> RowNumber {
    let row = flow.stays.get(&stay).and_then(|stay| flow.row(stay.row));
    let care = row.map_or_else(other, |row| row.key.care_type);
    number(flow, event, location, care)
}

fn cell(flow: &mut Flow, row: RowNumber, day: i64) -> &mut Cell {
    let period = flow.today.period(day);
    flow.cells.entry((period, row)).or_default()
}

fn minutes(from: Timestamp, to: Timestamp) -> u64 {
    let micros = to.as_micros().saturating_sub(from.as_micros());
    u64::try_from(micros.div_euclid(MICROS_PER_MINUTE)).unwrap_or(0)
}

/// Somebody begins to be in a row, or is there no more.
fn occupy(flow: &mut Flow, number: RowNumber, waits: bool, comes: bool) {
    flow.settle(number);
    let Some(row) = flow.row_mut(number) else { return };
    let step = |count: u32, by: u32| if comes { count.saturating_add(by) } else { count.saturating_sub(by) };
    row.occupied = step(row.occupied, 1);
    row.waiting = step(row.waiting, u32::from(waits));
}

/// An admission, or a move of a stay that is open.
fn enter(flow: &mut Flow, event: &Event, id: StayId, row: RowNumber, referral: Option<ReferralId>) {
    if let Some((was, waits)) = flow
        .stays
        .get(&id)
        .filter(|stay| stay.left.is_none())
        .map(|stay| (stay.row, stay.waits_since.is_some()))
    {
        if was == row {
            return;
        }
        occupy(flow, was, waits, false);
        occupy(flow, row, waits, true);
        let day = flow.today.day;
        cell(flow, was, day).add(Measure::MovedOut, 1);
        cell(flow, row, day).add(Measure::MovedIn, 1);
        if let Some(stay) = flow.stays.get_mut(&id) {
            stay.row = row;
        }
        return;
    }
    let asked = referral.and_then(|referral| flow.referrals.get(referral));
    let came = Came {
        row,
        day: flow.today.day,
        at: event.occurred_at,
        origin: asked.map_or(UNKNOWN, |asked| asked.origin),
        placed: asked.map(|asked| minutes(asked.made_at, event.occurred_at)),
    };
    occupy(flow, row, false, true);
    count_came(flow, &came, Cell::add);
    flow.stays.insert(id, Stayed { row, came, waits_since: None, left: None });
}

fn count_came(flow: &mut Flow, came: &Came, count: fn(&mut Cell, Measure, u64)) {
    let cell = cell(flow, came.row, came.day);
    count(cell, Measure::Admitted, 1);
    count(cell, Measure::AdmittedFrom(came.origin), 1);
    count_time(cell, came.placed, Measure::Placed, count);
}

fn count_left(flow: &mut Flow, row: RowNumber, left: &Left, count: fn(&mut Cell, Measure, u64)) {
    let cell = cell(flow, row, left.day);
    count(cell, Measure::Discharged, 1);
    count(cell, Measure::DischargedTo(left.destination), 1);
    count_time(cell, Some(left.minutes), Measure::Stayed, count);
}

fn count_time(
    cell: &mut Cell,
    minutes: Option<u64>,
    measure: fn(Part) -> Measure,
    count: fn(&mut Cell, Measure, u64),
) {
    for (part, number) in minutes.into_iter().flat_map(parts) {
        count(cell, measure(part), number);
    }
}

fn discharged(flow: &mut Flow, event: &Event, id: StayId, destination: &Destination) -> bool {
    let Some(stay) = flow.stays.get(&id).filter(|stay| stay.left.is_none()) else { return false };
    let (row, came, waits_since) = (stay.row, stay.came, stay.waits_since);
    let left = Left {
        day: flow.today.day,
        destination: place(Destination::KNOWN, destination.code()),
        minutes: minutes(came.at, event.occurred_at),
        time: event.time,
        recorded_at: flow.recorded_at,
    };
    occupy(flow, row, waits_since.is_some(), false);
    count_left(flow, row, &left, Cell::add);
    waited(flow, row, waits_since, event.occurred_at);
    if let Some(stay) = flow.stays.get_mut(&id) {
        (stay.left, stay.waits_since) = (Some(left), None);
    }
    true
}

fn waited(flow: &mut Flow, row: RowNumber, since: Option<Timestamp>, until: Timestamp) {
    let day = flow.today.day;
    let minutes = since.map(|since| minutes(since, until));
    if minutes.is_some() {
        count_time(cell(flow, row, day), minutes, Measure::Waited, Cell::add);
    }
}

fn admission_cancelled(flow: &mut Flow, id: StayId) -> bool {
    if !is_open(flow, id) {
        return false;
    }
    let Some(stay) = flow.stays.remove(&id) else { return false };
    occupy(flow, stay.row, stay.waits_since.is_some(), false);
    count_came(flow, &stay.came, Cell::take);
    true
}

fn discharge_cancelled(flow: &mut Flow, event: &Event, id: StayId) -> bool {
    let Some(stay) = flow.stays.get_mut(&id) else { return false };
    let Some(left) = stay.left else { return false };
    if event.time > left.time.saturating_add_micros(CANCEL_WITHIN_MICROS) {
        return false;
    }
    stay.left = None;
    let row = stay.row;
    occupy(flow, row, false, true);
    count_left(flow, row, &left, Cell::take);
    true
}

fn waits(flow: &mut Flow, event: &Event, id: StayId, what: &WaitingFor, since: Timestamp) -> bool {
    let Some(stay) = flow.stays.get_mut(&id).filter(|stay| stay.left.is_none()) else { return false };
    let (row, was) = (stay.row, stay.waits_since);
    let waits = *what != WaitingFor::Nothing;
    // Who waits for something else now has waited since the first.
    stay.waits_since = if waits { was.or(Some(since)) } else { None };
    if waits == was.is_some() {
        return false;
    }
    flow.settle(row);
    if let Some(row) = flow.row_mut(row) {
        row.waiting = if waits { row.waiting.saturating_add(1) } else { row.waiting.saturating_sub(1) };
    }
    if !waits {
        waited(flow, row, was, event.occurred_at);
    }
    true
}
