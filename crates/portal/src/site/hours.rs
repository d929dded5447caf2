//! Admission hours in a few words, `ma–vr 08–17`, why fewer can be admitted than there are free beds, and when more can.
//!
//! Not here: what can be admitted (`domain::queries::admittable`).

use domain::desk::{Intake, State};
use domain::queries::{AdmittableRow, WhyLess, opening};
use domain::{AdmissionWindow, CareType, RegionId, Timestamp};

use super::words::say;
use crate::text;
use crate::words::Lang;

/// The days of a window, in the order of the week.
const DAYS: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];

/// When a location admits people of this type; empty if it never does.
pub(super) fn hours(lang: Lang, windows: &[AdmissionWindow], care_type: &CareType) -> String {
    let mine =
        |window: &&AdmissionWindow| window.care_types.is_empty() || window.care_types.contains(care_type);
    let said: Vec<String> = windows.iter().filter(mine).map(|window| one(lang, window)).collect();
    said.join(", ")
}

fn one(lang: Lang, window: &AdmissionWindow) -> String {
    let short = |time: &str| text::shown(time.strip_suffix(":00").unwrap_or(time));
    let (from, to) = (short(window.from.as_str()), short(window.to.as_str()));
    format!("{} {from}–{to}", days(lang, window))
}

/// Days that follow each other as from and to.
fn days(lang: Lang, window: &AdmissionWindow) -> String {
    let named = |day: &str| window.days.iter().any(|named| named.as_str() == day);
    let mut runs: Vec<(&str, &str)> = Vec::new();
    let mut follows = false;
    for day in DAYS {
        match runs.last_mut() {
            Some((_, last)) if named(day) && follows => *last = day,
            Some(_) | None if named(day) => runs.push((day, day)),
            Some(_) | None => {}
        }
        follows = named(day);
    }
    let word = |day: &str| lang.code("day", day);
    let run = |(first, last): (&str, &str)| {
        if first == last { word(first) } else { format!("{}–{}", word(first), word(last)) }
    };
    runs.into_iter().map(run).collect::<Vec<_>>().join(", ")
}

/// Why fewer can be admitted than are free, in a few words each.
pub(super) fn why_less(lang: Lang, intake: Option<&Intake>, row: &AdmittableRow) -> Vec<String> {
    reasons(lang, intake, row, &row.why_less)
}

/// These reasons for a row, in a few words each.
pub(super) fn reasons(
    lang: Lang,
    intake: Option<&Intake>,
    row: &AdmittableRow,
    why_less: &[WhyLess],
) -> Vec<String> {
    let care_type = CareType::from(row.care_type.as_str());
    let words = |why: &WhyLess| match why {
        WhyLess::OutsideWindow => {
            let windows = intake.and_then(Intake::windows).unwrap_or_default();
            let hours = hours(lang, windows, &care_type);
            if hours.is_empty() {
                lang.t("hours-never").to_owned()
            } else {
                lang.tf("hours-admits", &[("hours", &hours)])
            }
        }
        WhyLess::AdmissionsStopped | WhyLess::IntakeLimit { .. } => say(lang, why.sentence()),
    };
    why_less.iter().map(words).collect()
}

/// When more can be admitted of a row than at this moment, and how many then.
pub(super) fn opens(
    lang: Lang,
    state: &State,
    region: &RegionId,
    row: &AdmittableRow,
    at: Timestamp,
) -> Option<String> {
    if row.admittable >= row.offerable {
        return None;
    }
    let opening = opening(state, region, &row.location, row.care_type, at)?;
    let (from, count) = (text::clock(opening.at, at, lang), opening.admittable.to_string());
    Some(lang.tf("hours-opens", &[("at", &from), ("count", &count)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[&str], from: &str, to: &str) -> AdmissionWindow {
        let days = days.iter().map(|day| (*day).try_into().unwrap()).collect();
        let (from, to) = (from.try_into().unwrap(), to.try_into().unwrap());
        AdmissionWindow { days, from, to, care_types: Vec::new() }
    }

    #[test]
    fn days_that_follow_each_other_are_said_as_from_and_to() {
        let office = window(&["mo", "tu", "we", "th", "fr"], "08:00", "17:00");
        let some = window(&["mo", "we", "th", "su"], "09:30", "12:00");
        let said = hours(Lang::Nl, &[office.clone(), some.clone()], &CareType::ElvLc);
        assert_eq!(said, "ma–vr 08–17, ma, wo–do, zo 09:30–12");
        let only = AdmissionWindow { care_types: vec![CareType::Grz], ..office };
        assert_eq!(hours(Lang::En, &[only, some], &CareType::ElvLc), "Mon, Wed–Thu, Sun 09:30–12");
    }
}
