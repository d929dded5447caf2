//! What can be admitted at a moment: "four beds free, one admission possible, none after five".
//!
//! Not here: for whom (`matching`).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::availability::{Basis, CareCode, LastWord};
use crate::desk::{Intake, State};
use crate::words::{Sentence, say};
use crate::{CareType, Label, LocationId, RegionId, Timestamp};

/// Why fewer can be admitted than can be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyLess {
    /// Admissions are stopped.
    AdmissionsStopped,
    /// The location does not admit at that moment.
    OutsideWindow,
    /// It admits no more than so many in that period.
    IntakeLimit {
        /// The limit.
        max: u32,
        /// How many of it are left.
        left: u32,
    },
}

impl WhyLess {
    /// The code, such as `outside-window`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AdmissionsStopped => "admissions-stopped",
            Self::OutsideWindow => "outside-window",
            Self::IntakeLimit { .. } => "intake-limit",
        }
    }

    /// The reason as a sentence.
    #[must_use]
    pub fn sentence(self) -> Sentence {
        match self {
            Self::AdmissionsStopped => say!("Opnamestop.", "Admissions are stopped."),
            Self::OutsideWindow => say!("Neemt op dat moment niet op.", "Does not admit at that moment."),
            Self::IntakeLimit { max, left } => say!(
                "Neemt in die periode hoogstens {max} mensen op; nog {left}.",
                "Admits at most {max} people in that period; {left} left.",
                max = max,
                left = left,
            ),
        }
    }
}

/// One care type at one location, at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdmittableRow {
    /// The location.
    pub location: LocationId,
    /// What people call it.
    pub name: Label,
    /// The care type.
    pub care_type: CareCode,
    /// How many can be offered, as far as is known now.
    pub offerable: u32,
    /// How many of another type could take this one.
    pub also_offerable: u32,
    /// Kept in reserve: to be asked for.
    pub reserve: u32,
    /// How many of the offerable ones can be admitted at the moment.
    pub admittable: u32,
    /// Why fewer; empty if they are as many.
    pub why_less: Vec<WhyLess>,
    /// The same of those of another type: how many could be admitted for this one.
    pub also_admittable: u32,
    /// Why fewer.
    pub also_why_less: Vec<WhyLess>,
    /// Where the counts come from.
    pub basis: Basis,
    /// The last the location was heard of.
    pub last_word: LastWord,
}

/// The rows of a region at a moment, by location and care type: no more than the board has.
///
/// Each row is judged for itself: a limit of the whole location is not divided over its care types.
#[must_use]
pub fn admittable(state: &State, region: &RegionId, at: Timestamp) -> Vec<AdmittableRow> {
    let rows = state.board.rows_of(region).filter_map(|row| {
        let card = state.board.location(&row.location)?;
        let care_type = CareType::from(row.care_type.as_str());
        let can = |offerable: u32| match state.locations.get(&row.location) {
            _ if card.is_stopped() => stopped(offerable),
            Some(intake) => possible(intake, &care_type, offerable, at),
            None => (offerable, Vec::new()),
        };
        let (admittable, why_less) = can(row.offerable);
        let (also_admittable, also_why_less) = can(row.also_offerable);
        Some(AdmittableRow {
            name: card.name,
            care_type: row.care_type,
            offerable: row.offerable,
            also_offerable: row.also_offerable,
            reserve: row.reserve,
            admittable,
            why_less,
            also_admittable,
            also_why_less,
            basis: row.basis,
            last_word: row.last_word,
            location: row.location,
        })
    });
    rows.collect()
}

fn stopped(offerable: u32) -> (u32, Vec<WhyLess>) {
    let why = (offerable > 0).then_some(WhyLess::AdmissionsStopped);
    (0, why.into_iter().collect())
}

/// How many of those that can be offered can be admitted at a moment where admissions are not stopped, and why not more.
pub(super) fn possible(
    intake: &Intake,
    care_type: &CareType,
    offerable: u32,
    at: Timestamp,
) -> (u32, Vec<WhyLess>) {
    let (mut admittable, mut why_less) = (offerable, Vec::new());
    let mut less = |most: u32, why: WhyLess| {
        if most < admittable {
            admittable = most;
            why_less.push(why);
        }
    };
    if !intake.admits_at(care_type, at) {
        less(0, WhyLess::OutsideWindow);
    }
    if let Some(room) = intake.room(care_type, at, None) {
        less(room.left, WhyLess::IntakeLimit { max: room.max, left: room.left });
    }
    (admittable, why_less)
}
