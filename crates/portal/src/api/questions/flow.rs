//! Questions about what went through a region over time: flow, and what nothing was found for.
//!
//! Sums only: counts, totals, squares and histograms, so that regions add up exactly. Not here: how they are counted
//! (`views`).

use std::collections::BTreeMap;

use domain::RegionId;
use domain::access::Action;
use serde::Serialize;
use utoipa::ToSchema;
use views::{Period, Summary, Times, View};

use super::{Answered, Look, questions};
use crate::api::problem::Problem;
use crate::api::request;
use crate::api::value::{LocationCode, RegionCode, Text};

/// The most rows that are given at once: a region of fifteen houses over a quarter has fewer.
const ROWS_SHOWN_MAX: usize = 20_000;

/// What went through a region.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowShown {
    region: RegionCode,
    rows: Vec<FlowRow>,
    /// How many older rows there are.
    left_off: usize,
}

/// One care type at one location in one period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowRow {
    /// A day such as `2026-03-02`, or a month such as `2026-03` for what is long ago.
    period: String,
    location: LocationCode,
    care_type: String,
    admitted: u64,
    origins: BTreeMap<String, u64>,
    moved_in: u64,
    moved_out: u64,
    discharged: u64,
    destinations: BTreeMap<String, u64>,
    refusals: BTreeMap<String, u64>,
    occupied_seconds: u64,
    waiting_seconds: u64,
    /// How long those stayed who left.
    stayed: TimesShown,
    /// How long those waited who wait no more.
    waited: TimesShown,
    /// From the referral to the admission.
    placed: TimesShown,
}

/// How long something took: enough to add up and to find mean and spread.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TimesShown {
    count: u64,
    total_minutes: u64,
    square_minutes: u64,
    histogram: Vec<u64>,
}

/// What nothing was found for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnmetShown {
    region: RegionCode,
    rows: Vec<UnmetRow>,
    left_off: usize,
}

/// How often in one way, for one care type, area and hour in one period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnmetRow {
    period: String,
    care_type: String,
    /// The first two digits of the postcode.
    area: Option<u8>,
    /// In which hour somebody began to look, 0 to 23.
    hour: u8,
    /// `expired`, `diverted`, `escalated` or `raised`.
    kind: String,
    /// How it was solved, or before whom it was brought.
    reason: Option<String>,
    count: u64,
}

fn period(period: Period) -> String {
    match period {
        Period::Month { year, month } => format!("{year:04}-{month:02}"),
        Period::Day(day) => {
            let date = jiff::Span::new()
                .try_days(day)
                .ok()
                .and_then(|days| jiff::civil::date(1970, 1, 1).checked_add(days).ok());
            date.map(|date| date.to_string()).unwrap_or_default()
        }
    }
}

fn times(times: &Times) -> TimesShown {
    TimesShown {
        count: times.count,
        total_minutes: times.total_minutes,
        square_minutes: times.square_minutes,
        histogram: times.histogram.to_vec(),
    }
}

fn row(at: Period, key: &views::RowKey, of: Summary) -> FlowRow {
    let named = |counts: BTreeMap<&'static str, u64>| {
        counts.into_iter().map(|(code, count)| (code.to_owned(), count)).collect()
    };
    FlowRow {
        period: period(at),
        location: Text(key.location.clone()),
        care_type: key.care_type.as_str().to_owned(),
        admitted: of.admitted,
        origins: named(of.origins),
        moved_in: of.moved_in,
        moved_out: of.moved_out,
        discharged: of.discharged,
        destinations: named(of.destinations),
        refusals: named(of.refusals),
        occupied_seconds: of.occupied_seconds,
        waiting_seconds: of.waiting_seconds,
        stayed: times(&of.stayed),
        waited: times(&of.waited),
        placed: times(&of.placed),
    }
}

/// The newest [`ROWS_SHOWN_MAX`] rows, and how many older ones there are.
fn newest<T>(mut rows: Vec<T>) -> (Vec<T>, usize) {
    let left_off = rows.len().saturating_sub(ROWS_SHOWN_MAX);
    (rows.split_off(left_off), left_off)
}

/// The region of the address, if the principal may ask this of it; waits until the view has what was asked for.
async fn permitted<V: View>(
    look: &Look<'_>,
    action: Action,
    view: &projector::Handle<V>,
    after: Option<u64>,
) -> Result<RegionId, Problem> {
    let region = look.at_region(action, |_, region| Ok(region.clone()))?.body;
    request::wait(look.portal, view, after).await?;
    Ok(region)
}

questions! {
    #[doc = "Inflow, throughput and outflow of a region, by period, location and care type."]
    AskFlow = "flow" at "/regions/{region}/flow" {
    } -> FlowShown, |asked, look| {
        let view = &look.portal.app.flow;
        let region = permitted(&look, Action::Flow, view, asked.after).await?;
        let (position, rows) = view.read(|flow| {
            let of_region = flow.cells().filter(|(_, key, _)| key.region == region);
            let rows: Vec<FlowRow> = of_region.map(|(at, key, cell)| row(at, key, cell.summary())).collect();
            (flow.position(), rows)
        });
        let (rows, left_off) = newest(rows);
        Ok(Answered { position, body: FlowShown { region: Text(region), rows, left_off } })
    };

    #[doc = "What nothing was found for in a region, by period, care type, area and hour."]
    AskUnmet = "unmet" at "/regions/{region}/unmet" {
    } -> UnmetShown, |asked, look| {
        let view = &look.portal.app.unmet;
        let region = permitted(&look, Action::Unmet, view, asked.after).await?;
        let (position, rows) = view.read(|unmet| {
            let of_region = unmet.counts().filter(|(key, _)| key.region == region);
            let rows = of_region.map(|(key, count)| UnmetRow {
                period: period(key.period),
                care_type: key.care_type.as_str().to_owned(),
                area: key.area,
                hour: key.hour,
                kind: key.kind.code().to_owned(),
                reason: key.kind.reason().map(str::to_owned),
                count,
            });
            (unmet.position(), rows.collect::<Vec<_>>())
        });
        let (rows, left_off) = newest(rows);
        Ok(Answered { position, body: UnmetShown { region: Text(region), rows, left_off } })
    };
}
