//! The numbers of practice: who asks for what and when, how long people stay, how often word is late, wrong or missing.
//!
//! From public sources where there are any: users of ELV by product and by age (staatvenz.nl, 2018), mean stay in GRZ
//! (Vektis factsheet 2019: 43 days), where people come from and go to (vilans.org, 2016-2017), 72 hours for a
//! spoedbed (kijkopbergenopzoom.nl, 2017), waiting for a Wlz place and its wish (cz-zorgkantoor.nl). The others are
//! assumptions, chosen in between what the field says: 300 admissions a day, one refusal in four, one bed in five wrong
//! after a day of silence. Not here: what comes of them (`case`, `house`).

use crate::chance::{Chance, DAY, HOUR, MINUTE};

/// Admissions in the whole country on a day, and regions among which they are spread.
pub(crate) const ADMISSIONS_A_DAY: f64 = 300.0;
/// See [`ADMISSIONS_A_DAY`].
pub(crate) const REGIONS: f64 = 31.0;
/// Beds with somebody in them at the start, in a hundred.
pub(crate) const OCCUPIED_PERCENT: u32 = 88;
/// Offers that nobody at the location ever answers, in a hundred.
pub(crate) const UNANSWERED_PERCENT: u32 = 6;
/// Offers that a location that has a bed declines all the same, in a hundred.
pub(crate) const DECLINED_PERCENT: u32 = 20;
/// Promises of a bed that is not free in truth, in a hundred.
pub(crate) const WRONG_PROMISE_PERCENT: u32 = 2;
/// Reports that name the wrong bed, in a hundred.
pub(crate) const WRONG_BED_PERCENT: u32 = 2;
/// Reports that come hours late, in a hundred.
pub(crate) const LATE_PERCENT: u32 = 20;
/// Reports that never come by themselves: the daily round finds them, in a hundred.
pub(crate) const MISSING_PERCENT: u32 = 7;
/// Calls of the desk that are answered, of those it makes about offers nobody answered, in a hundred.
pub(crate) const REACHED_PERCENT: u32 = 60;
/// Answers by telephone that the location contests, in a hundred.
pub(crate) const CONTESTED_PERCENT: u32 = 3;
/// Regions whose desk is closed at night and hands its duty to the one next door, in a hundred.
pub(crate) const NIGHT_PERCENT: u32 = 30;
/// Escalations that the desk next door does not take, in a hundred.
pub(crate) const NOT_TAKEN_PERCENT: u32 = 25;
/// Referrals that are no longer needed before somebody is placed, in a hundred.
pub(crate) const WITHDRAWN_PERCENT: u32 = 4;
/// Referrals made by the referrer's own system; the others by telephone, and the desk types, in a hundred.
pub(crate) const BY_REFERRER_PERCENT: u32 = 55;

/// A care type, as it is asked for and given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Care {
    /// Its code.
    pub(crate) code: &'static str,
    /// Stays, of 300.
    pub(crate) weight: u32,
    /// Median and mean stay, in days.
    stay: (u32, u32),
    /// Urgency: crisis and urgent in a hundred; the rest is planned.
    urgency: (u32, u32),
}

const fn care(code: &'static str, weight: u32, stay: (u32, u32), urgency: (u32, u32)) -> Care {
    Care { code, weight, stay, urgency }
}

/// Every care type of the simulation. ELV by its three products as 32, 51 and 17 of a hundred.
pub(crate) const CARES: [Care; 7] = [
    care("ELV_LC", 32, (25, 32), (5, 55)),
    care("ELV_HC", 51, (29, 38), (10, 50)),
    care("ELV_PTZ", 17, (13, 22), (20, 70)),
    care("GRZ", 145, (36, 43), (0, 25)),
    care("WLZ_CRISIS", 25, (11, 14), (70, 30)),
    care("RESPIJT", 20, (9, 10), (5, 20)),
    care("SPOEDBED", 10, (2, 3), (80, 20)),
];

/// Kinds of houses in a region, in turn: six for rehabilitation, three for ELV, one for the rest; about 390 beds.
pub(crate) const HOUSES: [&[(&str, u32)]; 10] = [
    &[("GRZ", 38)],
    &[("ELV_LC", 13), ("ELV_HC", 22), ("ELV_PTZ", 8)],
    &[("WLZ_CRISIS", 12), ("RESPIJT", 10), ("SPOEDBED", 8)],
    &[("GRZ", 38)],
    &[("ELV_LC", 13), ("ELV_HC", 22), ("ELV_PTZ", 8)],
    &[("GRZ", 38)],
    &[("GRZ", 38)],
    &[("ELV_LC", 13), ("ELV_HC", 22), ("ELV_PTZ", 8)],
    &[("GRZ", 38)],
    &[("GRZ", 38)],
];

impl Care {
    /// The care type of this code.
    pub(crate) fn of(code: &str) -> Option<Self> {
        CARES.into_iter().find(|care| care.code == code)
    }

    /// One that somebody needs.
    pub(crate) fn needed(chance: &mut Chance) -> Option<Self> {
        let weighted: Vec<(u32, Option<Self>)> =
            CARES.iter().map(|care| (care.weight, Some(*care))).collect();
        chance.pick(&weighted, None)
    }

    /// How long somebody stays.
    pub(crate) fn stay(&self, chance: &mut Chance) -> i64 {
        const MINUTES: u32 = 24 * 60;
        let (median, mean) = self.stay;
        let drawn = chance.lognormal(f64::from(median * MINUTES), f64::from(mean * MINUTES));
        // A spoedbed is for 72 hours at most.
        if self.code == "SPOEDBED" { drawn.min(3 * DAY) } else { drawn.max(HOUR) }
    }

    /// What is left of the stay of somebody who is there already: long stays are met more often than short ones.
    pub(crate) fn left_of_stay(&self, chance: &mut Chance) -> i64 {
        let (median, mean) = (f64::from(self.stay.0), f64::from(self.stay.1));
        let median_met = mean * mean / median;
        let whole = chance.lognormal(median_met * 1_440.0, median_met * mean / median * 1_440.0);
        chance.between(HOUR, whole.max(2 * HOUR))
    }

    /// How soon a place is needed.
    pub(crate) fn urgency(&self, chance: &mut Chance) -> &'static str {
        let (crisis, urgent) = self.urgency;
        let planned = 100_u32.saturating_sub(crisis + urgent);
        chance.pick(&[(crisis, "crisis"), (urgent, "urgent"), (planned, "planned")], "planned")
    }

    /// Where somebody goes after.
    pub(crate) fn destination(&self, chance: &mut Chance) -> &'static str {
        let weighted: &[(u32, &'static str)] = match self.code {
            "ELV_HC" => &[
                (12, "home-without-care"),
                (26, "home-with-care"),
                (42, "wlz-elsewhere"),
                (9, "hospital"),
                (6, "died"),
            ],
            "ELV_PTZ" => &[(85, "died"), (5, "home-with-care"), (10, "hospice")],
            "GRZ" => &[
                (45, "home-with-care"),
                (25, "home-without-care"),
                (20, "wlz-elsewhere"),
                (7, "hospital"),
                (3, "died"),
            ],
            "WLZ_CRISIS" => &[(80, "wlz-elsewhere"), (15, "home-with-care"), (5, "hospital")],
            _ => &[
                (30, "home-without-care"),
                (30, "home-with-care"),
                (25, "wlz-elsewhere"),
                (7, "hospital"),
                (3, "died"),
                (5, "other"),
            ],
        };
        chance.pick(weighted, "other")
    }
}

/// Where a referral comes from at this hour of the week. A Monday begins at hour 0.
pub(crate) fn origin(chance: &mut Chance, hour_of_week: u32) -> &'static str {
    let (day, hour) = (hour_of_week / 24, hour_of_week % 24);
    let weekday = day < 5;
    let gp = if weekday && (8..18).contains(&hour) { 32 } else { 0 };
    let ward = if (8..17).contains(&hour) { if weekday { 40 } else { 12 } } else { 1 };
    let post = if weekday && (8..17).contains(&hour) { 0 } else { 6 };
    let emergency = if (14..23).contains(&hour) { 20 } else { 6 };
    let weighted = [
        (gp, "gp"),
        (ward, "hospital-ward"),
        (post, "gp-post"),
        (emergency, "emergency-department"),
        (6, "district-nursing"),
    ];
    chance.pick(&weighted, "other")
}

/// How busy this hour of the week is, of 100 at its most; 34 in the mean.
pub(crate) fn busy(hour_of_week: u32) -> u32 {
    let (day, hour) = (hour_of_week / 24, hour_of_week % 24);
    let of_hour: u32 = match hour {
        0..=6 => 6,
        7 | 8 | 18..=22 => 30,
        9..=11 => 70,
        12..=14 => 50,
        15..=17 => 65,
        _ => 12,
    };
    // Wards send home before the weekend, and after it.
    let of_day = match day {
        0 => 115,
        4 => 140,
        5 | 6 => 45,
        _ => 100,
    };
    of_hour * of_day / 100
}

/// The sum of [`busy`] over a week is this, so that the mean is known.
pub(crate) fn busy_in_a_week() -> u32 {
    (0..168).map(busy).sum()
}

/// The hour of the week in UTC, Monday at 0 being hour 0.
pub(crate) fn hour_of_week(at: domain::Timestamp) -> u32 {
    // 1970-01-01 was a Thursday.
    let hours = (at.as_micros() + 3 * DAY).div_euclid(HOUR).rem_euclid(168);
    u32::try_from(hours).unwrap_or(0)
}

/// How long after something happened the location says so; `None`: not by itself.
pub(crate) fn word_after(chance: &mut Chance) -> Option<i64> {
    if chance.happens(MISSING_PERCENT) {
        None
    } else if chance.happens(LATE_PERCENT) {
        Some(chance.between(2 * HOUR, 10 * HOUR))
    } else {
        Some(chance.between(2 * MINUTE, HOUR))
    }
}

/// How long a location takes to answer.
pub(crate) fn answer_after(chance: &mut Chance, urgency: &str) -> i64 {
    chance.exponential(match urgency {
        "crisis" => 5.0,
        "urgent" => 18.0,
        _ => 22.0,
    })
}

/// Why a location that has a bed says no.
pub(crate) fn declined_because(chance: &mut Chance) -> &'static str {
    let weighted = [
        (45, "no-staff"),
        (26, "cannot-provide-care"),
        (13, "triage-disagreement"),
        (5, "behaviour"),
        (4, "isolation"),
        (3, "contract"),
    ];
    chance.pick(&weighted, "other")
}

/// Ages of people in ELV, 2018.
pub(crate) fn age_band(chance: &mut Chance) -> &'static str {
    let weighted = [
        (88, "under-65"),
        (58, "65-69"),
        (102, "70-74"),
        (138, "75-79"),
        (201, "80-84"),
        (224, "85-89"),
        (189, "90-plus"),
    ];
    chance.pick(&weighted, "80-84")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_enough_beds_for_who_comes() {
        for care in CARES {
            let beds: u32 = HOUSES
                .iter()
                .flat_map(|house| house.iter())
                .filter(|(code, _)| *code == care.code)
                .map(|(_, beds)| beds)
                .sum();
            let days = care.stay.1;
            // Little's law: who is there is who comes on a day, times the days they stay.
            let there = f64::from(care.weight * days) / REGIONS;
            assert!(there < f64::from(beds), "{}: {there} in {beds}", care.code);
        }
    }

    #[test]
    fn a_monday_morning_is_busier_than_a_night() {
        let monday = domain::Timestamp::from_micros(1_772_445_600_000_000); // 2026-03-02T10:00:00Z
        assert_eq!(hour_of_week(monday), 10);
        assert!(busy(10) > 5 * busy(3));
        assert!((0..168).all(|hour| busy(hour) <= 100));
    }
}
