//! What went through a region in a period, added up for its charts; and what tomorrow may bring, if that can be said.
//!
//! Pure. Not here: how it was counted (`views`), what it looks like (`chart`).

use std::collections::{BTreeMap, BTreeSet};

use views::{BUCKETS, CareCode, Summary, Times};

/// The fewest weeks from which something is said of tomorrow.
pub(crate) const WEEKS_MIN: usize = 4;
/// The most weeks that are looked back: a quarter.
const WEEKS_MAX: i64 = 13;

/// What was counted on one day for one care type, at one location.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// Days since 1970-01-01.
    pub(crate) day: i64,
    pub(crate) care_type: CareCode,
    pub(crate) of: Summary,
}

/// The figures of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The days of the period, the oldest first.
    pub(crate) days: Vec<i64>,
    /// Who came and who left, per day.
    pub(crate) admitted: BTreeMap<CareCode, Vec<u64>>,
    pub(crate) discharged: BTreeMap<CareCode, Vec<u64>>,
    /// Bed days, those of them that somebody waited, and moves into another house, per day.
    pub(crate) occupied: Vec<u64>,
    pub(crate) waiting: Vec<u64>,
    pub(crate) moved: Vec<u64>,
    /// By code, over the whole period.
    pub(crate) origins: BTreeMap<&'static str, u64>,
    pub(crate) destinations: BTreeMap<&'static str, u64>,
    pub(crate) refusals: BTreeMap<&'static str, u64>,
    pub(crate) stayed: Times,
    pub(crate) waited: Times,
    pub(crate) placed: Times,
}

const DAY_SECONDS: u64 = 86_400;

impl Figures {
    /// The figures of the `length` days that end with `last`.
    pub(crate) fn of(counted: &[Counted], last: i64, length: i64) -> Self {
        let first = last.saturating_sub(length).saturating_add(1);
        let days: Vec<i64> = (first..=last).collect();
        let zeros = vec![0_u64; days.len()];
        let (mut occupied, mut waiting) = (zeros.clone(), zeros.clone());
        let mut figures = Self { moved: zeros.clone(), days, ..Self::default() };
        for one in counted {
            let Some(index) = usize::try_from(one.day.saturating_sub(first)).ok() else { continue };
            if index >= zeros.len() {
                continue;
            }
            let of = &one.of;
            if of.admitted > 0 {
                let row = figures.admitted.entry(one.care_type).or_insert_with(|| zeros.clone());
                add(row, index, of.admitted);
            }
            if of.discharged > 0 {
                let row = figures.discharged.entry(one.care_type).or_insert_with(|| zeros.clone());
                add(row, index, of.discharged);
            }
            add(&mut occupied, index, of.occupied_seconds);
            add(&mut waiting, index, of.waiting_seconds);
            add(&mut figures.moved, index, of.moved_in);
            sum_codes(&mut figures.origins, &of.origins);
            sum_codes(&mut figures.destinations, &of.destinations);
            sum_codes(&mut figures.refusals, &of.refusals);
            sum_times(&mut figures.stayed, &of.stayed);
            sum_times(&mut figures.waited, &of.waited);
            sum_times(&mut figures.placed, &of.placed);
        }
        let bed_days = |seconds: Vec<u64>| {
            seconds.into_iter().map(|sum| sum.saturating_add(DAY_SECONDS / 2) / DAY_SECONDS).collect()
        };
        Self { occupied: bed_days(occupied), waiting: bed_days(waiting), ..figures }
    }
}

fn add(row: &mut [u64], index: usize, number: u64) {
    if let Some(sum) = row.get_mut(index) {
        *sum = sum.saturating_add(number);
    }
}

fn sum_codes(sums: &mut BTreeMap<&'static str, u64>, more: &BTreeMap<&'static str, u64>) {
    for (code, count) in more {
        let sum = sums.entry(code).or_default();
        *sum = sum.saturating_add(*count);
    }
}

fn sum_times(sums: &mut Times, more: &Times) {
    sums.count = sums.count.saturating_add(more.count);
    sums.total_minutes = sums.total_minutes.saturating_add(more.total_minutes);
    sums.square_minutes = sums.square_minutes.saturating_add(more.square_minutes);
    for index in 0..BUCKETS {
        add(&mut sums.histogram, index, more.histogram.get(index).copied().unwrap_or(0));
    }
}

/// The series with the largest sums, each with its key, and one of the rest without, if there is a rest.
pub(crate) fn largest<K: Copy + Ord>(of: &BTreeMap<K, Vec<u64>>, most: usize) -> Vec<(Option<K>, Vec<u64>)> {
    let mut rows: Vec<(Option<K>, Vec<u64>)> =
        of.iter().map(|(key, values)| (Some(*key), values.clone())).collect();
    rows.sort_by_key(|(key, values)| (core::cmp::Reverse(values.iter().sum::<u64>()), *key));
    if rows.len() > most {
        let rest = rows.split_off(most.saturating_sub(1));
        let mut sum = vec![0_u64; rest.first().map_or(0, |(_, values)| values.len())];
        for (_, values) in &rest {
            for (index, value) in values.iter().enumerate() {
                add(&mut sum, index, *value);
            }
        }
        rows.push((None, sum));
    }
    rows
}

/// The counts by code, the largest first.
pub(crate) fn ranked(of: &BTreeMap<&'static str, u64>) -> Vec<(&'static str, u64)> {
    let mut rows: Vec<_> =
        of.iter().map(|(code, count)| (*code, *count)).filter(|(_, count)| *count > 0).collect();
    rows.sort_by_key(|(code, count)| (core::cmp::Reverse(*count), *code));
    rows
}

/// What tomorrow may bring: the mean of the same day of earlier weeks, and how far those days lay from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// Which day, in days since 1970-01-01.
    pub(crate) day: i64,
    /// How many weeks it is made of.
    pub(crate) weeks: usize,
    /// The mean, in tenths.
    pub(crate) mean: u64,
    /// The standard deviation of those days, in tenths.
    pub(crate) spread: u64,
}

impl Forecast {
    /// From what came on each day; `None` with fewer than [`WEEKS_MIN`] whole days to go by. The first day that anything is
    /// known of is no whole day.
    pub(crate) fn of(counted: &[Counted], today: i64, count: impl Fn(&Summary) -> u64) -> Option<Self> {
        let known: BTreeSet<i64> = counted.iter().map(|one| one.day).collect();
        let first = *known.first()?;
        let tomorrow = today.saturating_add(1);
        let same = (1..=WEEKS_MAX).map(|week| tomorrow.saturating_sub(week.saturating_mul(7)));
        let days: Vec<i64> = same.filter(|day| *day > first).collect();
        if days.len() < WEEKS_MIN {
            return None;
        }
        let of_day = |day: &i64| -> u64 {
            counted.iter().filter(|one| one.day == *day).map(|one| count(&one.of)).sum()
        };
        let numbers: Vec<u64> = days.iter().map(of_day).collect();
        let (mean, spread) = mean_and_spread(&numbers)?;
        Some(Self { day: tomorrow, weeks: days.len(), mean, spread })
    }

    /// The band: the mean less and more the spread, in tenths, not below nothing.
    pub(crate) fn band(&self) -> (u64, u64) {
        (self.mean.saturating_sub(self.spread), self.mean.saturating_add(self.spread))
    }
}

/// The mean and the sample standard deviation, in tenths.
fn mean_and_spread(numbers: &[u64]) -> Option<(u64, u64)> {
    let count = u64::try_from(numbers.len()).ok()?;
    let sum: u64 = numbers.iter().sum();
    let squares: u64 = numbers.iter().map(|number| number.saturating_mul(*number)).sum();
    let mean = sum.saturating_mul(10).saturating_add(count / 2).checked_div(count)?;
    let apart = count.saturating_mul(squares).saturating_sub(sum.saturating_mul(sum));
    let variance = apart.saturating_mul(100).checked_div(count.saturating_mul(count.checked_sub(1)?))?;
    Some((mean, variance.isqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(day: i64, care: &str, admitted: u64) -> Counted {
        let of = Summary { admitted, occupied_seconds: admitted * DAY_SECONDS, ..Summary::default() };
        Counted { day, care_type: CareCode::from(care), of }
    }

    #[test]
    fn what_is_of_another_day_is_in_no_figure() {
        let all = [
            counted(99, "GRZ", 1),
            counted(100, "GRZ", 2),
            counted(101, "ELV_LC", 3),
            counted(102, "GRZ", 4),
        ];
        let figures = Figures::of(&all, 101, 2);
        assert_eq!(figures.days, [100, 101]);
        assert_eq!(figures.admitted.values().cloned().collect::<Vec<_>>().concat().iter().sum::<u64>(), 5);
        assert_eq!(figures.occupied, [2, 3]);
    }

    #[test]
    fn the_largest_are_named_and_nothing_of_the_rest_is_lost() {
        let of: BTreeMap<u8, Vec<u64>> = (1..=6).map(|key| (key, vec![u64::from(key), 1])).collect();
        let rows = largest(&of, 4);
        assert_eq!(rows.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [Some(6), Some(5), Some(4), None]);
        assert_eq!(rows[3].1, [6, 3]);
        assert!(largest(&of, 6).iter().all(|(key, _)| key.is_some()));
    }

    #[test]
    fn nothing_is_said_of_tomorrow_from_less_than_four_whole_weeks() {
        let weeks = |number: i64| -> Vec<Counted> {
            (0..number)
                .map(|week| counted(1_000 - 6 - 7 * week, "GRZ", u64::try_from(week).unwrap()))
                .collect()
        };
        // The first day is not whole, so four days are not enough.
        assert_eq!(Forecast::of(&weeks(4), 1_000, |of| of.admitted), None);
        let forecast = Forecast::of(&weeks(5), 1_000, |of| of.admitted).unwrap();
        // 0, 1, 2, 3: mean 1.5, spread 1.29.
        let expected = Forecast { day: 1_001, weeks: 4, mean: 15, spread: 12 };
        assert_eq!(forecast, expected);
        assert_eq!(forecast.band(), (3, 27));
        assert_eq!(Forecast::of(&[], 1_000, |of| of.admitted), None);
    }

    #[test]
    fn a_day_on_which_nobody_came_counts_as_a_day() {
        let mut days = vec![counted(900, "GRZ", 9)];
        days.push(counted(1_001 - 7, "GRZ", 13));
        let forecast = Forecast::of(&days, 1_000, |of| of.admitted).unwrap();
        assert_eq!((forecast.weeks, forecast.mean), (13, 10));
        assert_eq!(forecast.band().0, 0, "never fewer than nobody");
    }
}
