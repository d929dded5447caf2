//! Moments against what a location said about days and hours: its windows, the period of its limits.
//!
//! Not here: the clock on the wall (`wall`), what happens at that minute (`place`).

use crate::{AdmissionWindow, CareType, Period, Timestamp, Wall};

const MICROS_PER_MINUTE: i64 = 60_000_000;
const MINUTES_PER_DAY: i64 = 24 * 60;
const DAYS_OF_WEEK: u8 = 7;
const DAYS: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];

fn day_name(weekday: u8) -> &'static str {
    DAYS.get(usize::from(weekday)).copied().unwrap_or("")
}

fn day_before(weekday: u8) -> &'static str {
    day_name(weekday.checked_sub(1).unwrap_or(6))
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

/// When the next period begins after this moment.
pub(super) fn next_period(period: &Period, after: Timestamp) -> Option<Timestamp> {
    let wall = Wall::at(after)?;
    let days = match period {
        Period::Day | Period::Other(_) => 1,
        Period::Week => i64::from(DAYS_OF_WEEK.checked_sub(wall.weekday)?),
    };
    let into_minute = after.as_micros().rem_euclid(MICROS_PER_MINUTE);
    let later = days.checked_mul(MINUTES_PER_DAY)?.checked_sub(i64::from(wall.minute_of_day()))?;
    let at = later.checked_mul(MICROS_PER_MINUTE)?.checked_sub(into_minute)?;
    Some(on_the_wall(after.saturating_add_micros(at), 0))
}

/// Whether admissions of this type are possible at this moment. A window that ends before it begins goes over midnight.
pub(super) fn is_within(windows: &[AdmissionWindow], care_type: &CareType, moment: Timestamp) -> bool {
    let Some(wall) = Wall::at(moment) else { return false };
    let (today, minute) = (day_name(wall.weekday), wall.minute_of_day());
    windows.iter().filter(|window| window.care_types.is_empty() || window.care_types.contains(care_type)).any(
        |window| {
            let (Some(from), Some(to)) = (minutes(window.from.as_str()), minutes(window.to.as_str())) else {
                return false;
            };
            let on = |day: &str| window.days.iter().any(|named| named.as_str() == day);
            if from <= to {
                on(today) && (from..to).contains(&minute)
            } else {
                (on(today) && minute >= from) || (on(day_before(wall.weekday)) && minute < to)
            }
        },
    )
}

/// When the next of these windows for this type begins, after this moment and within a week.
pub(super) fn next_within(
    windows: &[AdmissionWindow],
    care_type: &CareType,
    after: Timestamp,
) -> Option<Timestamp> {
    let wall = Wall::at(after)?;
    let into_minute = after.as_micros().rem_euclid(MICROS_PER_MINUTE);
    let mine =
        |window: &&AdmissionWindow| window.care_types.is_empty() || window.care_types.contains(care_type);
    let begins = windows.iter().filter(mine).flat_map(|window| {
        let from = minutes(window.from.as_str());
        (0..=DAYS_OF_WEEK).filter_map(move |ahead| {
            let day = day_name(wall.weekday.checked_add(ahead)?.checked_rem(DAYS_OF_WEEK)?);
            window.days.iter().any(|named| named.as_str() == day).then_some(())?;
            let (from, days) = (i64::from(from?), i64::from(ahead).checked_mul(MINUTES_PER_DAY)?);
            let later = days.checked_add(from)?.checked_sub(i64::from(wall.minute_of_day()))?;
            let at = later.checked_mul(MICROS_PER_MINUTE)?.checked_sub(into_minute)?;
            (later > 0).then(|| on_the_wall(after.saturating_add_micros(at), from))
        })
    });
    begins.min()
}

/// The same moment at this minute of the day, where the clock was changed on the way to it.
fn on_the_wall(at: Timestamp, minute: i64) -> Timestamp {
    let shown = Wall::at(at).map_or(minute, |wall| i64::from(wall.minute_of_day()));
    let off = minute.saturating_sub(shown);
    let half = MINUTES_PER_DAY.div_euclid(2);
    let off = if off > half {
        off.saturating_sub(MINUTES_PER_DAY)
    } else if off < -half {
        off.saturating_add(MINUTES_PER_DAY)
    } else {
        off
    };
    at.saturating_add_micros(off.saturating_mul(MICROS_PER_MINUTE))
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
    fn the_next_window_begins_on_the_wall_also_when_the_clock_changes_before_it() {
        let office = window(&["mo", "tu", "we", "th", "fr"], "08:00", "17:00");
        let next = |moment: &str| {
            let at = moment.parse().unwrap();
            next_within(core::slice::from_ref(&office), &CareType::ElvLc, at).unwrap()
        };
        let is = |moment: &str| moment.parse::<Timestamp>().unwrap();
        assert_eq!(next("2026-03-02T20:48:31Z"), is("2026-03-03T07:00:00Z"), "Monday evening");
        assert_eq!(next("2026-03-27T20:48:31Z"), is("2026-03-30T06:00:00Z"), "over the weekend, into summer");
        assert_eq!(
            next("2026-03-02T07:00:00Z"),
            is("2026-03-03T07:00:00Z"),
            "it begins at this moment: the one after"
        );
        let never = window(&[], "08:00", "17:00");
        assert_eq!(next_within(&[never], &CareType::ElvLc, is("2026-03-02T07:00:00Z")), None);
    }

    #[test]
    fn the_next_day_and_week_begin_at_midnight_on_the_wall() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let cases = [
            (Period::Day, "2026-03-02T10:30:31Z", "2026-03-02T23:00:00Z"),
            (Period::Day, "2026-03-02T23:00:00Z", "2026-03-03T23:00:00Z"),
            // The days on which the clock is changed have an hour less and more.
            (Period::Day, "2026-03-28T23:30:00Z", "2026-03-29T22:00:00Z"),
            (Period::Day, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            (Period::Week, "2026-03-02T10:30:00Z", "2026-03-08T23:00:00Z"),
            (Period::Week, "2026-03-29T10:30:00Z", "2026-03-29T22:00:00Z"),
        ];
        for (period, after, next) in cases {
            assert_eq!(next_period(&period, at(after)), Some(at(next)), "{period:?} {after}");
            let before = at(next).saturating_add_micros(-1);
            assert!(same_period(&period, at(after), before) && !same_period(&period, at(after), at(next)));
        }
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
