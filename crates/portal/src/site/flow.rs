//! In-, door- en uitstroom: what came into a region, went through it and left, with what was not met. Each chart has its
//! table and its file.
//!
//! Sums only. Not here: how they are counted (`views`) and added up (`figures`), the pictures (`chart`).

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::access::Action;
use domain::{RegionId, Timestamp, Wall};
use jiff::civil::Date;
use serde::Deserialize;
use views::{CareCode, Period, Times};

use super::chart::{Chart, Kind, SERIES_MAX, Series};
use super::figures::{Counted, Figures, Forecast, largest, ranked};
use super::visit::{NotShown, Visit};
use crate::api::problem::Problem;
use crate::api::request::{self, Parts};
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::text;
use crate::words::Lang;

/// The periods one can choose, in days.
const PERIODS: [i64; 3] = [7, 28, 90];
/// The ways in which demand is not met, in the order in which they are drawn.
const UNMET: [&str; 4] = ["expired", "diverted", "escalated", "raised"];

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    dagen: Option<i64>,
}

impl Asked {
    fn days(&self) -> i64 {
        self.dagen.filter(|days| PERIODS.contains(days)).unwrap_or(28)
    }
}

#[derive(Template)]
#[template(path = "flow.html")]
struct FlowPage {
    p: Page,
    region: String,
    code: RegionId,
    days: i64,
    position: u64,
    /// The board of that position can be looked at.
    back: bool,
    as_of: String,
    charts: Vec<Chart>,
    /// Of who comes and of who leaves.
    /// Beds with somebody in them now, as the board has it.
    occupied: u32,
    forecasts: Vec<(&'static str, Told)>,
    weekday: &'static str,
}

/// A forecast in words.
struct Told {
    weeks: usize,
    mean: String,
    low: String,
    high: String,
}

impl FlowPage {
    fn periods(&self) -> Vec<(i64, bool)> {
        PERIODS.iter().map(|days| (*days, *days == self.days)).collect()
    }
}

/// Everything a page of a region is made of.
struct Gathered {
    region: RegionId,
    position: u64,
    recorded_at: Timestamp,
    today: i64,
    counted: Vec<Counted>,
    /// How often in each way, by the hour of the day.
    unmet: BTreeMap<&'static str, Vec<u64>>,
}

/// `GET /r/{region}/stroom`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    Path(code): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, NotShown> {
    let days = asked.days();
    let found = gather(&portal, &visit, &code, days).await?;
    let lang = visit.lang;
    let name = portal.app.network.region(&found.region).map(|region| text::shown(region.name.as_str()));
    let figures = Figures::of(&found.counted, found.today, days);
    let charts = charts(&figures, &found.unmet, lang);
    let now = (portal.app.now)();
    let desk = portal.app.desk.state();
    let back = desk.read(|state| visit.may_in(state, Action::Timeline, &found.region));
    let as_of =
        if found.position == 0 { "–".to_owned() } else { text::clock(found.recorded_at, now, lang) };
    let forecast = |key, count: fn(&views::Summary) -> u64| {
        let forecast = Forecast::of(&found.counted, found.today, count)?;
        let (low, high) = forecast.band();
        let told = Told {
            weeks: forecast.weeks,
            mean: tenths(forecast.mean, lang),
            low: tenths(low, lang),
            high: tenths(high, lang),
        };
        Some((key, told))
    };
    let forecasts = [forecast("flow-come", |of| of.admitted), forecast("flow-leave", |of| of.discharged)];
    let occupied = portal.app.availability.read(|view| {
        let sums = view.sums(&found.region);
        sums.iter().fold(0_u32, |sum, of| sum.saturating_add(of.counts.occupied))
    });
    let page = FlowPage {
        occupied,
        p: Page::of(visit, "flow-title"),
        region: name.unwrap_or_default(),
        code: found.region,
        days,
        position: found.position,
        back,
        as_of,
        charts,
        forecasts: forecasts.into_iter().flatten().collect(),
        weekday: weekday(found.today.saturating_add(1), lang),
    };
    Ok(pages::page(StatusCode::OK, &page))
}

/// `GET /r/{region}/stroom/{chart}.csv`: the table of a chart.
pub(crate) async fn file(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    Path((code, file)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, NotShown> {
    let days = asked.days();
    let found = gather(&portal, &visit, &code, days).await?;
    let figures = Figures::of(&found.counted, found.today, days);
    let all = charts(&figures, &found.unmet, visit.lang);
    let chart = file.strip_suffix(".csv").and_then(|id| all.iter().find(|chart| chart.id == id));
    let chart = chart.ok_or_else(|| visit.no(Problem::NotThere))?;
    let named = format!(
        "attachment; filename=\"{}-{}-{days}-positie-{}.csv\"",
        found.region, chart.id, found.position
    );
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, named),
    ];
    Ok((head, chart.csv()).into_response())
}

async fn gather(portal: &Portal, visit: &Visit, code: &str, days: i64) -> Result<Gathered, NotShown> {
    let look = visit.look(portal, Parts::one("region", &code))?;
    let region =
        look.at_region(Action::Flow, |_, region| Ok(region.clone())).map_err(|no| visit.no(no))?.body;
    look.at_region(Action::Unmet, |_, _| Ok(())).map_err(|no| visit.no(no))?;
    let (flow, unmet) = (&portal.app.flow, &portal.app.unmet);
    request::wait(portal, flow, visit.after).await.map_err(|no| visit.no(no))?;
    let (position, recorded_at, counted) = flow.read(|flow| {
        let of_region = flow.cells().filter(|(_, key, _)| key.region == region);
        let counted = of_region.filter_map(|(period, key, cell)| match period {
            Period::Day(day) => Some(Counted { day, care_type: key.care_type, of: cell.summary() }),
            Period::Month { .. } => None,
        });
        (flow.position(), flow.recorded_at(), counted.collect())
    });
    let day_of = |at: Timestamp| Wall::at(at).map_or(0, |wall| wall.day);
    // Days are those of the log; on a machine whose clock is behind nothing of today is left out.
    let today = day_of(recorded_at).max(day_of(visit.now));
    let first = today.saturating_sub(days);
    let by_hour = unmet.read(|unmet| {
        unmet.by(|key| {
            let within = matches!(key.period, Period::Day(day) if first < day && day <= today);
            (within && key.region == region).then(|| (key.kind.code(), key.hour))
        })
    });
    let mut unmet: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
    for ((kind, hour), count) in by_hour {
        let hours = unmet.entry(kind).or_insert_with(|| vec![0; 24]);
        if let Some(sum) = hours.get_mut(usize::from(hour)) {
            *sum = sum.saturating_add(count);
        }
    }
    Ok(Gathered { region, position, recorded_at, today, counted, unmet })
}

/// The date of a day.
fn date(day: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(day).ok()?;
    jiff::civil::date(1970, 1, 1).checked_add(span).ok()
}

fn weekday(day: i64, lang: Lang) -> &'static str {
    // 1970-01-01 was a Thursday.
    match day.saturating_add(3).rem_euclid(7) {
        0 => lang.t("flow-monday"),
        1 => lang.t("flow-tuesday"),
        2 => lang.t("flow-wednesday"),
        3 => lang.t("flow-thursday"),
        4 => lang.t("flow-friday"),
        5 => lang.t("flow-saturday"),
        _ => lang.t("flow-sunday"),
    }
}

/// A number of tenths: `6,3` in Dutch.
fn tenths(number: u64, lang: Lang) -> String {
    let mark = if lang == Lang::Nl { ',' } else { '.' };
    format!("{}{mark}{}", number / 10, number % 10)
}

/// What was counted, in words: minutes as hours or days.
fn lasting(minutes: u64, lang: Lang) -> String {
    let (unit, number) = match minutes {
        0..120 => return format!("{minutes} min"),
        120..2_880 => ("hour-unit", minutes / 6),
        _ => ("day-unit", minutes / 144),
    };
    format!("{} {}", tenths(number, lang), lang.t(unit))
}

/// The charts of a page, in their order.
fn charts(figures: &Figures, unmet: &BTreeMap<&'static str, Vec<u64>>, lang: Lang) -> Vec<Chart> {
    let by_care = |id, title, of: &BTreeMap<CareCode, Vec<u64>>| {
        let sum: u64 = of.values().flatten().sum();
        let series = largest(of, SERIES_MAX).into_iter().map(|(code, values)| {
            let name = code.map_or_else(|| lang.t("flow-rest"), |code| lang.care_type(code.as_str()));
            Series { name: name.to_owned(), values }
        });
        let about = lang.tf("flow-sum", &[("sum", &sum.to_string())]);
        by_day(id, (title, about), Kind::Stacked, figures, series.collect(), lang)
    };
    let through = vec![
        Series { name: lang.t("flow-occupied").to_owned(), values: figures.occupied.clone() },
        Series { name: lang.t("flow-waiting").to_owned(), values: figures.waiting.clone() },
        Series { name: lang.t("flow-moved").to_owned(), values: figures.moved.clone() },
    ];
    let (beds, waits) = (figures.occupied.iter().sum::<u64>(), figures.waiting.iter().sum::<u64>());
    let about = lang.tf("flow-beds", &[("beds", &beds.to_string()), ("waits", &waits.to_string())]);
    let mut through = by_day("doorstroom", ("flow-through", about), Kind::Lines, figures, through, lang);
    through.total = None;
    vec![
        by_care("instroom", "flow-in", &figures.admitted),
        through,
        by_care("uitstroom", "flow-out", &figures.discharged),
        by_code("herkomst", ("flow-origins", "flow-origin", "origin"), &figures.origins, lang),
        by_code(
            "bestemming",
            ("flow-destinations", "flow-destination", "destination"),
            &figures.destinations,
            lang,
        ),
        by_code("weigering", ("flow-refusals", "flow-reason", "decline"), &figures.refusals, lang),
        lasted("plaatsing", "flow-placed", &figures.placed, lang),
        lasted("wachttijd", "flow-waited", &figures.waited, lang),
        lasted("verblijf", "flow-stayed", &figures.stayed, lang),
        by_hour(unmet, lang),
    ]
}

fn by_day(
    id: &'static str,
    (title, about): (&str, String),
    kind: Kind,
    figures: &Figures,
    series: Vec<Series>,
    lang: Lang,
) -> Chart {
    let dates: Vec<Date> = figures.days.iter().filter_map(|day| date(*day)).collect();
    let short: Vec<String> =
        dates.iter().map(|date| format!("{} {}", date.day(), lang.month(date.month()))).collect();
    Chart {
        id,
        title: lang.t(title).to_owned(),
        about,
        first: lang.t("flow-day").to_owned(),
        kind,
        labels: dates.iter().map(ToString::to_string).collect(),
        spoken: figures
            .days
            .iter()
            .zip(&short)
            .map(|(day, date)| format!("{} {date}", weekday(*day, lang)))
            .collect(),
        short,
        series,
        total: Some(lang.t("flow-total").to_owned()),
    }
}

fn by_code(
    id: &'static str,
    (title, first, list): (&str, &str, &str),
    of: &BTreeMap<&'static str, u64>,
    lang: Lang,
) -> Chart {
    let rows = ranked(of);
    let sum: u64 = rows.iter().map(|(_, count)| count).sum();
    let name = |code: &str| match code {
        "unknown" => lang.t("flow-unknown").to_owned(),
        code => lang.code(list, code),
    };
    Chart {
        id,
        title: lang.t(title).to_owned(),
        about: lang.tf("flow-sum", &[("sum", &sum.to_string())]),
        first: lang.t(first).to_owned(),
        kind: Kind::Lying,
        labels: rows.iter().map(|(code, _)| name(code)).collect(),
        spoken: Vec::new(),
        short: Vec::new(),
        series: vec![Series {
            name: lang.t("flow-number").to_owned(),
            values: rows.iter().map(|(_, count)| *count).collect(),
        }],
        total: None,
    }
}

/// How long something took, by class.
fn lasted(id: &'static str, title: &str, times: &Times, lang: Lang) -> Chart {
    let end = |minutes: &u64| match minutes {
        0..1_440 => format!("{} {}", minutes / 60, lang.t("hour-unit")),
        1_440..10_080 => format!("{} {}", minutes / 1_440, lang.t("day-unit")),
        _ => format!("{} {}", minutes / 10_080, lang.t("flow-week-unit")),
    };
    let ends: Vec<String> = views::BUCKET_ENDS.iter().map(end).collect();
    let mut labels: Vec<String> = ends.iter().map(|end| lang.tf("flow-under", &[("end", end)])).collect();
    let more = ends.last().map(|end| lang.tf("flow-longer", &[("end", end)]));
    labels.extend(more);
    let mut short: Vec<String> = ends.iter().map(|end| format!("< {end}")).collect();
    short.push("≥".to_owned());
    let about = match times.mean_minutes() {
        None => lang.t("flow-never").to_owned(),
        Some(mean) => {
            lang.tf("flow-mean", &[("count", &times.count.to_string()), ("mean", &lasting(mean, lang))])
        }
    };
    Chart {
        id,
        title: lang.t(title).to_owned(),
        about,
        first: lang.t("flow-lasted").to_owned(),
        kind: Kind::Stacked,
        labels,
        spoken: Vec::new(),
        short,
        series: vec![Series { name: lang.t("flow-number").to_owned(), values: times.histogram.to_vec() }],
        total: None,
    }
}

fn by_hour(unmet: &BTreeMap<&'static str, Vec<u64>>, lang: Lang) -> Chart {
    let sum: u64 = unmet.values().flatten().sum();
    let series = UNMET.iter().filter_map(|kind| {
        let name = match *kind {
            "expired" => lang.t("flow-expired"),
            "diverted" => lang.t("flow-diverted"),
            "escalated" => lang.t("flow-escalated"),
            _ => lang.t("flow-raised"),
        };
        Some(Series { name: name.to_owned(), values: unmet.get(kind)?.clone() })
    });
    Chart {
        id: "onvervuld",
        title: lang.t("flow-unmet").to_owned(),
        about: lang.tf("flow-unmet-sum", &[("sum", &sum.to_string())]),
        first: lang.t("flow-hour").to_owned(),
        kind: Kind::Stacked,
        labels: (0..24).map(|hour| format!("{hour:02}:00")).collect(),
        spoken: Vec::new(),
        short: (0..24).map(|hour| format!("{hour}")).collect(),
        series: series.collect(),
        total: Some(lang.t("flow-total").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chart_has_a_number_for_each_label_also_when_nothing_happened() {
        let figures = Figures::of(&[], 20_000, 28);
        for lang in [Lang::Nl, Lang::En] {
            for chart in charts(&figures, &BTreeMap::new(), lang) {
                assert!(chart.series.iter().all(|series| series.values.len() == chart.labels.len()));
                assert!(chart.is_empty() && chart.series.len() <= SERIES_MAX, "{}", chart.id);
                assert!(!chart.svg().contains('⚠') && !chart.csv().contains('⚠'), "{}", chart.id);
            }
        }
    }

    #[test]
    fn days_are_dates_and_weekdays() {
        assert_eq!(date(20_779).unwrap().to_string(), "2026-11-22");
        assert_eq!((weekday(20_779, Lang::En), weekday(0, Lang::En)), ("Sunday", "Thursday"));
    }
}
