//! The clock on the wall in the Netherlands, as data: which day and minute a moment is there.
//!
//! Not here: what happens at that minute (`place`).

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::{AdmissionWindow, CareType, Period, Timestamp};

/// The rule of the Netherlands since 1996: no table of time zones is needed, and none can be older than the other.
const NETHERLANDS: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// A moment on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wall {
    /// Days since 1970-01-01.
    day: i64,
    /// 0 is Monday.
    weekday: u8,
    /// Minutes since midnight.
    minute: u16,
}

impl Wall {
    /// `None` outside the years that can be written.
    pub(super) fn at(moment: Timestamp) -> Option<Self> {
        let zone = TimeZone::posix(NETHERLANDS).ok()?;
        let moment = jiff::Timestamp::from_microsecond(moment.as_micros()).ok()?;
        let local = zone.to_datetime(moment);
        let epoch = jiff::civil::date(1970, 1, 1);
        let day = local.date().since((jiff::Unit::Day, epoch)).ok()?.get_days();
        let weekday = match local.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        };
        let hour = u16::try_from(local.hour()).ok()?;
        let minute = u16::try_from(local.minute()).ok()?;
        Some(Self { day: i64::from(day), weekday, minute: hour.saturating_mul(60).saturating_add(minute) })
    }

    fn day_name(self) -> &'static str {
        match self.weekday {
            0 => "mo",
            1 => "tu",
            2 => "we",
            3 => "th",
            4 => "fr",
            5 => "sa",
            _ => "su",
        }
    }

    fn day_before(self) -> &'static str {
        Self { weekday: self.weekday.checked_sub(1).unwrap_or(6), ..self }.day_name()
    }
}

/// Whether both moments are in the same day, or the same week from Monday on.
pub(super) fn same_period(period: &Period, one: Timestamp, other: Timestamp) -> bool {
    let (Some(one), Some(other)) = (Wall::at(one), Wall::at(other)) else { return false };
    match period {
        // A period this version does not know: the stricter reading would stop admissions for nobody knows how long.
        Period::Day | Period::Other(_) => one.day == other.day,
        Period::Week => {
            one.day.saturating_sub(i64::from(one.weekday))
                == other.day.saturating_sub(i64::from(other.weekday))
        }
    }
}

/// Whether admissions of this type are possible at this moment. A window that ends before it begins goes over midnight.
pub(super) fn is_within(windows: &[AdmissionWindow], care_type: &CareType, moment: Timestamp) -> bool {
    let Some(wall) = Wall::at(moment) else { return false };
    windows.iter().filter(|window| window.care_types.is_empty() || window.care_types.contains(care_type)).any(
        |window| {
            let (Some(from), Some(to)) = (minutes(window.from.as_str()), minutes(window.to.as_str())) else {
                return false;
            };
            let on = |day: &str| window.days.iter().any(|named| named.as_str() == day);
            if from <= to {
                on(wall.day_name()) && (from..to).contains(&wall.minute)
            } else {
                (on(wall.day_name()) && wall.minute >= from) || (on(wall.day_before()) && wall.minute < to)
            }
        },
    )
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    hour.checked_mul(60)?.checked_add(minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::label;

    fn window(days: &[&str], from: &str, to: &str) -> AdmissionWindow {
        let days = days.iter().map(|day| label(day)).collect();
        AdmissionWindow { days, from: label(from), to: label(to), care_types: alloc::vec::Vec::new() }
    }

    fn open(window: &AdmissionWindow, moment: &str) -> bool {
        is_within(core::slice::from_ref(window), &CareType::ElvLc, moment.parse().unwrap())
    }

    #[test]
    fn a_window_is_read_on_the_wall_in_summer_and_winter() {
        let until_five = window(&["mo", "tu", "we", "th", "fr"], "09:00", "17:00");
        // Monday in winter: one hour ahead of UTC; Monday in summer: two.
        assert!(open(&until_five, "2026-03-02T08:00:00Z") && !open(&until_five, "2026-03-02T07:59:00Z"));
        assert!(open(&until_five, "2026-07-06T14:59:00Z") && !open(&until_five, "2026-07-06T15:00:00Z"));
        assert!(!open(&until_five, "2026-03-01T12:00:00Z"), "Sunday");
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins() {
        let night = window(&["fr"], "22:00", "06:00");
        assert!(open(&night, "2026-03-06T22:00:00Z"), "Friday 23:00");
        assert!(open(&night, "2026-03-07T04:00:00Z"), "Saturday 05:00");
        assert!(!open(&night, "2026-03-06T04:00:00Z"), "Friday 05:00 belongs to Thursday");
    }

    #[test]
    fn a_day_and_a_week_are_those_of_the_wall() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let sunday_night = at("2026-03-01T23:30:00Z");
        assert!(same_period(&Period::Day, sunday_night, at("2026-03-02T12:00:00Z")), "Monday 00:30");
        assert!(same_period(&Period::Week, sunday_night, at("2026-03-08T12:00:00Z")));
        assert!(!same_period(&Period::Week, sunday_night, at("2026-03-01T12:00:00Z")));
    }
}
