//! What makes fewer admittable than offerable, and what a reported row was made of, with the events that said so.
//!
//! Not here: the reckoning (`domain::queries::admittable`).

use domain::access::Action;
use domain::queries::{self, AdmittableRow};
use domain::{CareType, Fact, Label, Recorded};
use views::CareCode;

use super::Place;
use super::beds::Kept;
use super::search::Found as Events;
use super::told::{Teller, Told};
use crate::site::hours;
use crate::site::words::say;

/// What is admittable, as the state has it.
pub(super) struct Found {
    /// For whoever may ask it.
    row: Option<AdmittableRow>,
    /// When more can be admitted.
    opens: Option<String>,
    stopped: bool,
    stopped_wards: Vec<Label>,
    windows: bool,
}

/// The same, on the page.
pub(super) struct Limits {
    /// How many can be admitted now, and of how many.
    pub(super) now: Option<(u32, u32)>,
    pub(super) why: Vec<String>,
    /// What holds back or limits admissions, whether it does so now or not.
    pub(super) events: Vec<Told>,
}

/// What a reported row was made of.
pub(super) struct Report {
    pub(super) last: Option<Told>,
    pub(super) since: Vec<Told>,
    pub(super) since_more: usize,
    pub(super) kept: Vec<Kept>,
    pub(super) waiting: Vec<Told>,
}

/// What can be admitted of the row now: for whoever may ask that of the region, or sees the beds.
pub(super) fn found(place: &Place<'_>) -> Found {
    let (state, visit, card) = (place.state, place.visit, place.card);
    let may = place.may(Action::Beds) || place.may_in_region(Action::Admittable);
    let rows = if may { queries::admittable(state, &card.region, place.at) } else { Vec::new() };
    let own = |row: &AdmittableRow| row.location == *place.location && row.care_type == place.code;
    let intake = state.locations.get(place.location);
    let row = rows.into_iter().find(own);
    let opens = |row: &AdmittableRow| hours::opens(visit.lang, state, &card.region, row, place.at);
    Found {
        opens: row.as_ref().and_then(opens),
        row,
        stopped: card.is_stopped(),
        stopped_wards: card.stopped_wards().cloned().collect(),
        windows: intake.is_some_and(|intake| intake.windows().is_some()),
    }
}

pub(super) fn shown(found: &Found, events: &Events, teller: &Teller<'_>) -> Limits {
    let lang = teller.visit.lang;
    let row = found.row.as_ref();
    let why = row.into_iter().flat_map(|row| &row.why_less).map(|why| say(lang, why.sentence()));
    Limits {
        now: row.map(|row| (row.admittable, row.offerable)),
        why: why.chain(found.opens.clone()).collect(),
        events: holding(found, events, teller.code)
            .into_iter()
            .map(|recorded| teller.tell(recorded))
            .collect(),
    }
}

/// The events that hold now, newest first: each stop and limit by the last that set it, and the windows.
fn holding<'a>(found: &Found, events: &'a Events, code: CareCode) -> Vec<&'a Recorded> {
    let mut seen: Vec<Fact> = Vec::new();
    let holds = |recorded: &&Recorded| {
        let fact = &recorded.event.fact;
        if seen.iter().any(|other| replaces(other, fact)) {
            return false;
        }
        seen.push(fact.clone());
        is_in_force(found, fact, code)
    };
    events.of_location.iter().filter(holds).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else limits admissions")]
fn is_in_force(found: &Found, fact: &Fact, code: CareCode) -> bool {
    let of_type = |care_type: &Option<CareType>| {
        care_type.as_ref().is_none_or(|care_type| CareCode::from(care_type) == code)
    };
    match fact {
        Fact::AdmissionsStopped { ward: None, .. } => found.stopped,
        Fact::AdmissionsStopped { ward: Some(ward), .. } => found.stopped_wards.contains(ward),
        Fact::WindowsSet { .. } => found.windows,
        Fact::IntakeLimitSet { care_type, .. } => of_type(care_type),
        _ => false,
    }
}

/// Whether the newer one says anew what the older one said.
fn replaces(newer: &Fact, older: &Fact) -> bool {
    match (newer, older) {
        (Fact::AdmissionsStopped { ward: one, .. }, Fact::AdmissionsStopped { ward: other, .. }) => {
            one == other
        }
        (Fact::WindowsSet { .. }, Fact::WindowsSet { .. }) => true,
        (
            Fact::IntakeLimitSet { care_type: one, period: first, .. },
            Fact::IntakeLimitSet { care_type: other, period: second, .. },
        ) => one == other && first == second,
        _ => false,
    }
}

/// What a reported row was made of.
pub(super) fn report(events: &Events, kept: Vec<Kept>, teller: &Teller<'_>) -> Report {
    let all = |events: &[Recorded]| events.iter().map(|recorded| teller.tell(recorded)).collect();
    Report {
        last: events.report.as_ref().map(|recorded| teller.tell(recorded)),
        since: all(&events.since),
        since_more: events.since_more,
        kept,
        waiting: all(&events.waiting),
    }
}
