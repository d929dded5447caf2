//! What a desk asks of the state: what can be admitted when, who has what somebody needs, what is to be done, what does not fit, what came of a referral.
//!
//! Pure: the moment comes with the question. Every answer is sorted and has an end. Not here: matching (`matching`), the
//! board (`availability`).

mod admittable;
mod contradictions;
mod opening;
mod placing;
mod suiting;
mod tell;
mod timeline;
mod worklist;

use crate::availability::LocationCard;
use crate::{Label, Timestamp, Wall};

pub use admittable::{AdmittableRow, WhyLess, admittable};
pub use contradictions::{CONTRADICTIONS_SHOWN_MAX, OpenContradiction, Source, contradictions};
pub use opening::{OPENING_WITHIN_MICROS, Opening, opening, opening_for};
pub use placing::{Crises, Doubt, Placing, crises};
pub use suiting::{Needs, SuitingRow, Suits, suiting};
pub use timeline::{Entry, TIMELINE_MAX, timeline, timeline_of_stay};
pub use worklist::{WORK_ITEMS_MAX, WorkItem, WorkKind, Worklist, call_at, worklist};

/// The number of a location that is answered at this moment; the other one if there is only one.
#[must_use]
pub fn phone(location: &LocationCard, now: Timestamp) -> Option<Label> {
    let by_day = Wall::at(now).is_none_or(Wall::is_office_hour);
    let (first, second) = if by_day {
        (&location.phone, &location.phone_night)
    } else {
        (&location.phone_night, &location.phone)
    };
    first.as_ref().or(second.as_ref()).cloned()
}
