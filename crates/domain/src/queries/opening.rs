//! When more can be admitted than at a moment: the next window that opens, or the next period of a limit that begins.
//!
//! As far as is known now: a bed that is free is expected to be free then. Not here: how many can be at a moment (`admittable`).

use super::admittable::possible;
use crate::availability::{CareCode, RowKey};
use crate::desk::State;
use crate::matching::{Wanted, judge};
use crate::{CareType, ExclusionCode, LocationId, RegionId, Timestamp};

/// So far ahead is looked: over a weekend. What opens later is of no use to whoever looks for a place.
pub const OPENING_WITHIN_MICROS: i64 = 72 * 3_600 * 1_000_000;
/// So many changes are looked at: the windows and the midnights of three days are fewer.
const CHANGES_MAX: usize = 64;

/// When more can be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// From when on.
    pub at: Timestamp,
    /// How many then.
    pub admittable: u32,
}

/// When more of a row can be admitted than at this moment; `None` if all that can be offered can be admitted, admissions are
/// stopped, or nothing opens within [`OPENING_WITHIN_MICROS`].
#[must_use]
pub fn opening(
    state: &State,
    region: &RegionId,
    location: &LocationId,
    code: CareCode,
    at: Timestamp,
) -> Option<Opening> {
    let key = RowKey { region: region.clone(), location: location.clone(), care_type: code };
    let offerable = state.board.row(&key)?.offerable;
    if state.board.location(location)?.is_stopped() {
        return None;
    }
    let intake = state.locations.get(location)?;
    let care_type = CareType::from(code.as_str());
    let can = |moment| possible(intake, &care_type, offerable, moment).0;
    let now = can(at);
    changes(state, location, &care_type, at)
        .map(|moment| Opening { at: moment, admittable: can(moment) })
        .find(|then| then.admittable > now)
}

/// When a location that can not take somebody now for its hours or its limit alone can; `None` if it can not for another reason,
/// or not within [`OPENING_WITHIN_MICROS`].
#[must_use]
pub fn opening_for(state: &State, wanted: &Wanted, location: &LocationId) -> Option<Timestamp> {
    let reasons = judge(state, wanted, location).err()?;
    let passes = |code: &ExclusionCode| {
        matches!(code, ExclusionCode::OutsideWindow | ExclusionCode::IntakeLimitReached)
    };
    if !reasons.iter().all(|reason| passes(&reason.code)) {
        return None;
    }
    let then = |moment: &Timestamp| {
        let wanted = Wanted { moment: *moment, ..wanted.clone() };
        judge(state, &wanted, location).is_ok()
    };
    changes(state, location, &wanted.care_type, wanted.moment).find(then)
}

/// The moments at which more may be admitted, in their order.
fn changes<'a>(
    state: &'a State,
    location: &LocationId,
    care_type: &'a CareType,
    after: Timestamp,
) -> impl Iterator<Item = Timestamp> + use<'a> {
    let intake = state.locations.get(location);
    let until = after.saturating_add_micros(OPENING_WITHIN_MICROS);
    let next = move |moment: &Timestamp| intake?.next_change(care_type, *moment);
    core::iter::successors(next(&after), next).take_while(move |moment| *moment <= until).take(CHANGES_MAX)
}
