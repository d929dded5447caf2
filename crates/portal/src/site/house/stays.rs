//! Who stays at a location, whoever goes home first on top: what each waits for, and who lost the bed without having gone.
//!
//! Nothing that tells who somebody is. Not here: the page of one stay (`stay`).

use domain::{ItemState, StayId};
use views::CountsAs;

use super::Scene;
use super::beds::was_just_admitted;
use crate::site::words::When;
use crate::text;

/// The most stays that are shown: more than any house has beds.
const STAYS_SHOWN_MAX: usize = 400;

/// One stay.
pub(super) struct StayRow {
    pub(super) id: String,
    pub(super) bed: Option<String>,
    pub(super) care: &'static str,
    /// When it is planned to end.
    pub(super) expected: Option<When>,
    /// What it waits for, and since when.
    pub(super) waits: Option<(String, String)>,
    /// How many items of the plan are arranged, and of how many.
    pub(super) plan: Option<(usize, usize)>,
    /// It has no bed, was just said to have begun, and that can be taken back.
    pub(super) not_come: bool,
    /// Its bed was said to be empty, and nobody said that it ended.
    pub(super) lost: bool,
}

/// The open stays of a location.
pub(super) fn of(scene: &Scene<'_>) -> Vec<StayRow> {
    let (state, lang, now) = (scene.state, scene.lang(), scene.now());
    let in_beds: Vec<StayId> = state
        .board
        .beds(scene.location)
        .filter_map(|card| match card.counts_as {
            CountsAs::Occupied(stay) => Some(stay),
            CountsAs::Held
            | CountsAs::NotReady
            | CountsAs::Closed
            | CountsAs::Unstaffed
            | CountsAs::Reserve
            | CountsAs::Offerable => None,
        })
        .collect();
    let open = state
        .stays
        .iter()
        .filter(|(_, stay)| stay.place.location == *scene.location && stay.closed_at.is_none());
    let mut rows: Vec<_> = open
        .map(|(id, stay)| {
            let lost = stay.place.bed.is_some() && !in_beds.contains(id);
            let order = (!lost, stay.expected_at.is_none(), stay.expected_at, stay.waiting.is_none());
            let arranged = |state: &ItemState| *state != ItemState::Open;
            let needed = stay.plan.iter().filter(|step| step.state != ItemState::NotNeeded);
            let done = needed.clone().filter(|step| arranged(&step.state)).count();
            let row = StayRow {
                id: id.to_string(),
                bed: stay.place.bed.as_ref().map(ToString::to_string),
                care: lang.care_type(stay.place.care_type.code()),
                expected: stay.expected_at.map(|at| When::of(at, now, lang)),
                waits: stay
                    .waiting
                    .as_ref()
                    .map(|(what, since)| (lang.code("waits", what.raw()), text::age(*since, now, lang))),
                plan: (!stay.plan.is_empty()).then(|| (done, needed.count())),
                not_come: stay.place.bed.is_none() && was_just_admitted(scene, *id),
                lost,
            };
            (order, row)
        })
        .collect();
    rows.sort_by_key(|(order, _)| *order);
    rows.into_iter().map(|(_, row)| row).take(STAYS_SHOWN_MAX).collect()
}
