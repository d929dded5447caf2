//! Days and months on the wall, as views count in them.
//!
//! Not here: what is counted (`flow`, `unmet`).

use domain::{Timestamp, Wall};
use serde::{Deserialize, Serialize};

/// Days are kept one by one for so long; what is older is added up by month, so that a view does not grow with every row and
/// day there ever was. A quarter and a bit: the longest period that is reported by day.
pub const DAYS_KEPT: i64 = 100;

const MINUTES_PER_DAY: i64 = 1_440;
const MICROS_PER_MINUTE: i64 = 60_000_000;

/// A month or a day in the Netherlands. All months come before all days: what is old is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Period {
    /// A month, 1 to 12, of a year.
    Month {
        /// The year.
        year: i64,
        /// 1 is January.
        month: i64,
    },
    /// Days since 1970-01-01.
    Day(i64),
}

impl Period {
    /// The month this day, in days since 1970-01-01, is in.
    #[must_use]
    pub fn month_of(day: i64) -> Self {
        // Days of a year that begins in March: then a leap day is the last of it (days to civil, proleptic Gregorian).
        let shifted = day.saturating_add(719_468);
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let leaps = of_era
            .saturating_sub(of_era.div_euclid(1_460))
            .saturating_add(of_era.div_euclid(36_524))
            .saturating_sub(of_era.div_euclid(146_096));
        let year_of_era = leaps.div_euclid(365);
        let before = year_of_era
            .saturating_mul(365)
            .saturating_add(year_of_era.div_euclid(4))
            .saturating_sub(year_of_era.div_euclid(100));
        let of_year = of_era.saturating_sub(before);
        let from_march = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
        let month = if from_march < 10 { from_march.saturating_add(3) } else { from_march.saturating_sub(9) };
        let year = era.saturating_mul(400).saturating_add(year_of_era);
        Self::Month { year: if month <= 2 { year.saturating_add(1) } else { year }, month }
    }
}

/// The day a view stands in, so that the wall is asked once a day and not once an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Today {
    /// Days since 1970-01-01.
    pub(crate) day: i64,
    /// When the next one begins.
    ends: Timestamp,
}

impl Today {
    /// Moves on to this moment; `true` if a new day began. Time never goes back in the log.
    pub(crate) fn pass(&mut self, now: Timestamp) -> bool {
        if now < self.ends {
            return false;
        }
        let Some(wall) = Wall::at(now) else { return false };
        let began = wall.day != self.day;
        self.day = wall.day;
        self.ends = day_end(wall, now);
        began
    }

    /// The period something of that day is counted in now.
    pub(crate) fn period(&self, day: i64) -> Period {
        if day < self.oldest() { Period::month_of(day) } else { Period::Day(day) }
    }

    /// The oldest day that is kept as such.
    pub(crate) fn oldest(&self) -> i64 {
        self.day.saturating_sub(DAYS_KEPT)
    }
}

/// The next midnight; on the two days a year on which the clock is set, an hour off at most.
pub(crate) fn day_end(wall: Wall, now: Timestamp) -> Timestamp {
    let left = MINUTES_PER_DAY.saturating_sub(i64::from(wall.minute_of_day()));
    let micros =
        left.saturating_mul(MICROS_PER_MINUTE).saturating_sub(now.as_micros().rem_euclid(MICROS_PER_MINUTE));
    now.saturating_add_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_in_its_month() {
        let month = |year, month| Period::Month { year, month };
        assert_eq!(Period::month_of(0), month(1970, 1));
        assert_eq!(Period::month_of(30), month(1970, 1));
        assert_eq!(Period::month_of(31), month(1970, 2));
        assert_eq!(Period::month_of(-1), month(1969, 12));
        // 2024-02-29 and the day after it; 2026-12-31.
        assert_eq!(Period::month_of(19_782), month(2024, 2));
        assert_eq!(Period::month_of(19_783), month(2024, 3));
        assert_eq!(Period::month_of(20_818), month(2026, 12));
    }

    #[test]
    fn a_day_ends_at_midnight_on_the_wall() {
        let mut today = Today::default();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(today.pass(at("2026-03-06T11:00:00Z")));
        let friday = today.day;
        assert!(!today.pass(at("2026-03-06T22:59:59.999Z")) && today.day == friday);
        assert!(today.pass(at("2026-03-06T23:00:00Z")) && today.day == friday + 1);
    }
}
