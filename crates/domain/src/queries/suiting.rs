//! Which rows of a board have what is asked for: "an isolation room, free now".
//!
//! A bed that is out of use or taken still has it: whoever asks for one that is free says so.
//!
//! Not here: for whom, and who of them is better (`matching`).

use alloc::vec::Vec;

use super::{AdmittableRow, admittable};
use crate::availability::{Basis, CareCode, CountsAs, Giving};
use crate::desk::State;
use crate::{CareType, Feature, LocationId, RegionId, Timestamp};

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// What one bed has to offer.
    pub features: Vec<Feature>,
    /// That bed can be offered.
    pub free: bool,
    /// Somebody can be admitted at the moment.
    pub admits: bool,
}

/// Whether a row has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suits {
    /// It has not.
    No,
    /// Nobody said what its beds offer: a count says nothing of single beds.
    Unsaid,
    /// It has.
    Yes,
}

/// One care type at one location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuitingRow {
    /// The location.
    pub location: LocationId,
    /// The care type.
    pub care_type: CareCode,
    /// Whether it has what is asked for.
    pub suits: Suits,
}

/// Every row of a region, by location and care type, and whether it has what is asked for at a moment.
#[must_use]
pub fn suiting(state: &State, region: &RegionId, asked: &Needs, at: Timestamp) -> Vec<SuitingRow> {
    let rows = admittable(state, region, at).into_iter();
    let judged = rows.map(|row| SuitingRow {
        suits: judge(state, &row, asked),
        care_type: row.care_type,
        location: row.location,
    });
    judged.collect()
}

fn judge(state: &State, row: &AdmittableRow, asked: &Needs) -> Suits {
    if (asked.free && row.offerable == 0) || (asked.admits && row.admittable == 0) {
        return Suits::No;
    }
    if asked.features.is_empty() {
        return Suits::Yes;
    }
    if row.basis == Basis::Reported {
        return Suits::Unsaid;
    }
    // Whoever can be admitted comes into a bed that is free.
    let needs_free = asked.free || asked.admits;
    let care_type = CareType::from(row.care_type.as_str());
    let beds = state.board.beds_giving(&row.location, &care_type);
    let counted = beds.filter(|bed| !needs_free || bed.counts_as == CountsAs::Offerable);
    counted.map(|bed| offers(&bed, &asked.features)).max().unwrap_or(Suits::No)
}

fn offers(bed: &Giving<'_>, needs: &[Feature]) -> Suits {
    let Some(features) = bed.features else { return Suits::Unsaid };
    if needs.iter().all(|need| features.contains(need)) { Suits::Yes } else { Suits::No }
}
