//! The clock on the wall in the Netherlands, as data: which day, hour and minute a moment is there.
//!
//! Not here: what happens at that minute (`desk::moment`), a clock that is read (a shell).

use jiff::civil::Date;

use crate::Timestamp;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_MINUTE: i64 = 60;
const SECONDS_PER_HOUR: i64 = 3_600;
const SECONDS_PER_DAY: i64 = 86_400;
/// 1970-01-01 was a Thursday, the fourth day from Monday on.
const EPOCH_WEEKDAY: i64 = 3;
/// Offices are open from this hour of a weekday on,
const OFFICE_FROM: u8 = 8;
/// until this one; then it is evening
const OFFICE_UNTIL: u8 = 18;
/// until this one; then it is night.
const EVENING_UNTIL: u8 = 23;

/// A part of the day, as places are looked for in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartOfDay {
    /// 8:00 to 18:00.
    Day,
    /// 18:00 to 23:00.
    Evening,
    /// 23:00 to 8:00.
    Night,
}

/// A moment on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall {
    /// Days since 1970-01-01.
    pub day: i64,
    /// 0 is Monday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl Wall {
    /// What the clock shows at this moment; `None` outside the years that can be written.
    ///
    /// The rule of the Netherlands since 1996, that of the European Union: two hours ahead of UTC from the last Sunday of
    /// March, 01:00 UTC, to the last of October, else one. No table of time zones is needed, and none can be older than
    /// another.
    #[must_use]
    pub fn at(moment: Timestamp) -> Option<Self> {
        let seconds = moment.as_micros().div_euclid(MICROS_PER_SECOND);
        let year = jiff::Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC).year();
        let summer = last_sunday(year, 3)? <= seconds && seconds < last_sunday(year, 10)?;
        let local = seconds.checked_add(if summer { 2 } else { 1 } * SECONDS_PER_HOUR)?;
        let day = local.div_euclid(SECONDS_PER_DAY);
        let second = local.rem_euclid(SECONDS_PER_DAY);
        Some(Self {
            day,
            weekday: u8::try_from(day.checked_add(EPOCH_WEEKDAY)?.rem_euclid(7)).ok()?,
            hour: u8::try_from(second.div_euclid(SECONDS_PER_HOUR)).ok()?,
            minute: u8::try_from(second.rem_euclid(SECONDS_PER_HOUR).div_euclid(SECONDS_PER_MINUTE)).ok()?,
        })
    }

    /// Minutes since midnight.
    #[must_use]
    pub fn minute_of_day(self) -> u16 {
        u16::from(self.hour).saturating_mul(60).saturating_add(u16::from(self.minute))
    }

    /// Which part of the day it is.
    #[must_use]
    pub fn part(self) -> PartOfDay {
        match self.hour {
            OFFICE_FROM..OFFICE_UNTIL => PartOfDay::Day,
            OFFICE_UNTIL..EVENING_UNTIL => PartOfDay::Evening,
            _ => PartOfDay::Night,
        }
    }

    /// Whether offices are open: by day, from Monday to Friday.
    #[must_use]
    pub fn is_office_hour(self) -> bool {
        self.weekday < 5 && self.part() == PartOfDay::Day
    }
}

/// 01:00 UTC on the last Sunday of a month of 31 days, in seconds since 1970.
fn last_sunday(year: i16, month: i8) -> Option<i64> {
    let last = Date::new(year, month, 31).ok()?;
    let back = last.weekday().to_sunday_zero_offset();
    let epoch = Date::new(1970, 1, 1).ok()?;
    let days = last.since((jiff::Unit::Day, epoch)).ok()?.get_days();
    let day = i64::from(days).checked_sub(i64::from(back))?;
    day.checked_mul(SECONDS_PER_DAY)?.checked_add(SECONDS_PER_HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hour_of_thirty_years_is_that_of_a_library_with_the_rule_written_out() {
        let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for hour in 0..30 * 366 * 24 {
            let second = 946_684_800 + hour * SECONDS_PER_HOUR + 7;
            let wall = Wall::at(Timestamp::from_micros(second * MICROS_PER_SECOND)).unwrap();
            let local = zone.to_datetime(jiff::Timestamp::from_second(second).unwrap());
            let shown = (local.hour(), local.minute(), local.weekday().to_monday_zero_offset());
            let ours = (wall.hour, wall.minute, wall.weekday);
            assert_eq!(
                ours,
                (
                    u8::try_from(shown.0).unwrap(),
                    u8::try_from(shown.1).unwrap(),
                    u8::try_from(shown.2).unwrap()
                )
            );
        }
    }

    #[test]
    fn a_night_is_a_night_on_the_wall() {
        let at = |text: &str| Wall::at(text.parse().unwrap()).unwrap();
        assert_eq!(at("2026-07-06T21:30:00Z").part(), PartOfDay::Night, "23:30 in summer");
        assert_eq!(at("2026-01-05T21:30:00Z").part(), PartOfDay::Evening, "22:30 in winter");
        assert!(at("2026-03-06T11:00:00Z").is_office_hour() && !at("2026-03-07T11:00:00Z").is_office_hour());
    }
}
