//! Flow: who came, moved, waited and left, per day, region, location and care type; as it was recorded.
//!
//! Days are those on which an event was recorded, times are between the moments their sources claim. What is undone within
//! its time is taken back where it was counted; a bed was occupied for as long as it was said to be. Here: the state and
//! what can be asked. `step` says what each event counts as, `cell` what is counted. Not here: who gives the board
//! (`availability`), demand that was not met (`unmet`).
//!
//! Invariant: the sum over any division of the rows is the sum of all (property test).

mod cell;
mod step;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use domain::{Recorded, RegionId, StayId, Timestamp, Wall};
use serde::{Deserialize, Serialize};

use crate::asked::Referrals;
use crate::period::{Period, Today, day_end};
use crate::{RowKey, View};
use cell::Measure;

pub use cell::{BUCKET_ENDS, BUCKETS, Cell, Summary, Times};
pub(crate) use cell::{named, place};

/// A discharge can be cancelled for thirty days; a day more, and the stay is forgotten.
const CLOSED_KEPT_MICROS: i64 = 31 * 24 * 60 * 60 * 1_000_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A row by its number.
type RowNumber = u32;

/// One row, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    key: RowKey,
    /// Stays on it now, and those of them that wait.
    occupied: u32,
    waiting: u32,
    /// Up to when its bed days were counted.
    counted: Timestamp,
}

/// One stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stayed {
    /// Where it is, or last was.
    row: RowNumber,
    /// Where, when (by the log and by its source) and how it began, to be taken back.
    came: Came,
    /// Since when it waits.
    waits_since: Option<Timestamp>,
    /// How it ended.
    left: Option<Left>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Came {
    row: RowNumber,
    day: i64,
    at: Timestamp,
    origin: u8,
    /// Minutes since the referral was made.
    placed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    day: i64,
    destination: u8,
    minutes: u64,
    /// The `time` of the discharge, from which it can be cancelled, and when it was recorded.
    time: Timestamp,
    recorded_at: Timestamp,
}

/// The flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    position: u64,
    recorded_at: Timestamp,
    today: Today,
    rows: Vec<Row>,
    numbers: BTreeMap<RowKey, RowNumber>,
    cells: BTreeMap<(Period, RowNumber), Cell>,
    referrals: Referrals,
    stays: BTreeMap<StayId, Stayed>,
}

impl Flow {
    /// The last event it has seen; 0 before the first.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// When that event was recorded.
    #[must_use]
    pub fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// Everything that was counted, by period and row, with the beds that are occupied now counted up to this moment.
    pub fn cells(&self) -> impl Iterator<Item = (Period, &RowKey, Cell)> {
        let mut all = self.cells.clone();
        for (number, row) in (0..).zip(&self.rows) {
            for (day, seconds) in days(row.counted, self.recorded_at) {
                let cell = all.entry((self.today.period(day), number)).or_default();
                cell.add(Measure::OccupiedSeconds, seconds.saturating_mul(row.occupied.into()));
                cell.add(Measure::WaitingSeconds, seconds.saturating_mul(row.waiting.into()));
            }
        }
        all.into_iter().filter_map(|((period, number), cell)| Some((period, &self.row(number)?.key, cell)))
    }

    /// The figures added up by what `group` says of a period and row; `None` leaves them out.
    #[must_use]
    pub fn by<K: Ord>(&self, group: impl Fn(Period, &RowKey) -> Option<K>) -> BTreeMap<K, Cell> {
        let mut sums: BTreeMap<K, Cell> = BTreeMap::new();
        for (period, key, cell) in self.cells() {
            if let Some(group) = group(period, key) {
                sums.entry(group).or_default().plus(&cell);
            }
        }
        sums
    }

    fn row(&self, number: RowNumber) -> Option<&Row> {
        self.rows.get(usize::try_from(number).ok()?)
    }

    fn row_mut(&mut self, number: RowNumber) -> Option<&mut Row> {
        self.rows.get_mut(usize::try_from(number).ok()?)
    }

    /// Counts the bed days of a row up to now.
    fn settle(&mut self, number: RowNumber) {
        let now = self.recorded_at;
        let Some(row) = self.row_mut(number) else { return };
        let (from, occupied, waiting) = (row.counted, row.occupied, row.waiting);
        row.counted = now;
        if occupied == 0 {
            return;
        }
        for (day, seconds) in days(from, now) {
            let cell = self.cells.entry((self.today.period(day), number)).or_default();
            cell.add(Measure::OccupiedSeconds, seconds.saturating_mul(occupied.into()));
            cell.add(Measure::WaitingSeconds, seconds.saturating_mul(waiting.into()));
        }
    }

    /// Moves on to this moment: with each new day what is old is added up, and what cannot be undone is forgotten.
    fn move_on(&mut self, position: u64, now: Timestamp) {
        self.position = position;
        self.recorded_at = now.max(self.recorded_at);
        if !self.today.pass(self.recorded_at) {
            return;
        }
        for number in (0..).take(self.rows.len()) {
            self.settle(number);
        }
        // Only the days that became old: what was added up before stays where it is, or a day would cost more with every year.
        let old = (Period::Day(i64::MIN), 0)..(Period::Day(self.today.oldest()), 0);
        let old: Vec<_> = self.cells.range(old).map(|((period, number), _)| (*period, *number)).collect();
        for (period, number) in old {
            let (Period::Day(day), Some(cell)) = (period, self.cells.remove(&(period, number))) else {
                continue;
            };
            self.cells.entry((Period::month_of(day), number)).or_default().plus(&cell);
        }
        self.referrals.forget(now);
        self.stays.retain(|_, stay| {
            stay.left.is_none_or(|left| left.recorded_at.saturating_add_micros(CLOSED_KEPT_MICROS) >= now)
        });
    }
}

/// The whole seconds of each day between two moments.
fn days(from: Timestamp, to: Timestamp) -> impl Iterator<Item = (i64, u64)> {
    let second = |at: Timestamp| at.as_micros().div_euclid(MICROS_PER_SECOND);
    let mut at = from;
    core::iter::from_fn(move || {
        if at >= to {
            return None;
        }
        let wall = Wall::at(at)?;
        let next = day_end(wall, at).min(to);
        let seconds = u64::try_from(second(next).saturating_sub(second(at))).unwrap_or(0);
        at = next;
        Some((wall.day, seconds))
    })
}

impl View for Flow {
    const NAME: &'static str = "flow";
    const VERSION: u32 = 1;
    type Change = RegionId;

    fn project(&mut self, recorded: &Recorded, changes: &mut Vec<RegionId>) {
        self.move_on(recorded.position, recorded.recorded_at);
        self.referrals.take(&recorded.event, recorded.recorded_at);
        if step::step(self, &recorded.event) {
            changes.push(recorded.event.region.clone());
        }
    }

    fn pass(&mut self, position: u64, recorded_at: Timestamp) {
        self.move_on(position, recorded_at);
    }
}
