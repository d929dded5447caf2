//! The events behind a row, found in the log backwards from the position that the page stands at.
//!
//! Of each bed the newest that can have made it count as it does, and the last that touched it. Not here: what they say (`told`).

use std::sync::Arc;

use domain::{BedRef, Fact, LocationId, Place, Recorded, StayId};
use eventlog::{Direction, Key, LogReader, Query, QueryItem};
use views::CareCode;

use super::beds::{GROUPS, Standing, Stop};
use crate::api::problem::Problem;
use crate::board::Line;
use crate::server::Portal;

/// How far back an event is looked for, in positions. The last that touched a bed is found however old it is.
const LOOKED_BACK_MAX: u64 = 1_000_000;
/// Stops, limits and reports of one location that are looked through for those that count.
const OF_LOCATION_MAX: usize = 100;
/// Events of a bed that are looked through for the one that made it count as it does: others name it without that.
const OF_BED_MAX: usize = 20;
/// What happened to a reported row since its report, as far as it is looked through.
const SINCE_READ_MAX: usize = 500;
/// Of that, as listed; the newest.
pub(super) const SINCE_SHOWN_MAX: usize = 50;

/// What changes a reported row between two reports and names it.
const CHANGES_ROW: [&str; 5] =
    ["hold.granted", "hold.released", "hold.lapsed", "stay.admitted", "stay.discharged"];

/// What to look for.
pub(super) struct Wanted {
    location: LocationId,
    code: CareCode,
    beds: Vec<OfBed>,
    /// Stays of a reported row that wait.
    waiting: Vec<StayId>,
    reported: bool,
    /// The last event of the row.
    last: u64,
}

/// What to look for of one bed.
struct OfBed {
    bed: BedRef,
    group: usize,
    /// The last event that touched it.
    touched: Key,
    /// What can have made it count as it does.
    made: QueryItem,
    /// What its stay waits for.
    waits: Option<QueryItem>,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// Of each bed, newest first.
    pub(super) of_beds: Vec<Vec<Recorded>>,
    /// Stops, windows and limits, newest first.
    pub(super) of_location: Vec<Recorded>,
    /// The last report that names the care type.
    pub(super) report: Option<Recorded>,
    /// What changed the reported row since, newest first, and how many more that are.
    pub(super) since: Vec<Recorded>,
    pub(super) since_more: usize,
    /// Of the stays of a reported row that wait.
    pub(super) waiting: Vec<Recorded>,
    pub(super) last: Option<Recorded>,
}

impl Found {
    /// The event of a stop.
    pub(super) fn stop(&self, stop: &Stop) -> Option<&Recorded> {
        let wanted = match stop {
            Stop::House => None,
            Stop::Ward(ward) => Some(ward),
        };
        self.of_location.iter().find(|recorded| {
            matches!(&recorded.event.fact, Fact::AdmissionsStopped { ward, .. } if ward.as_ref() == wanted)
        })
    }
}

impl Wanted {
    pub(super) fn of(place: &super::Place<'_>, beds: &[Standing], waiting: Vec<StayId>, line: &Line) -> Self {
        let of_bed = |standing: &Standing| {
            let kinds = GROUPS.get(standing.group).map(|(.., kinds)| *kinds).unwrap_or_default();
            let mut made = item(kinds, format!("bed:{}/{}", place.location, standing.bed));
            made.tags.extend(standing.whose.as_ref().map(|tag| tag.as_str().into()));
            let (source, event) = &standing.touched;
            OfBed {
                touched: Key(contracts::key(source.as_str(), &event.to_string())),
                made,
                group: standing.group,
                bed: BedRef { location: place.location.clone(), bed: standing.bed.clone() },
                waits: standing.waits.map(|stay| item(&["stay.waiting-for"], format!("stay:{stay}"))),
            }
        };
        Self {
            location: place.location.clone(),
            code: place.code,
            beds: beds.iter().map(of_bed).collect(),
            waiting,
            reported: line.reported,
            last: line.position,
        }
    }
}

fn item(kinds: &[&str], tag: String) -> QueryItem {
    let types = kinds.iter().map(|kind| contracts::event_type_of(kind).into()).collect();
    QueryItem { types, tags: vec![tag.into()] }
}

/// Looks for all of it, up to a position.
///
/// # Errors
/// The log can not be read.
pub(super) async fn search(portal: &Arc<Portal>, wanted: Wanted, position: u64) -> Result<Found, Problem> {
    let log = Log { reader: portal.app.reader.clone(), position };
    let found = tokio::task::spawn_blocking(move || log.find(&wanted));
    found.await.map_err(|_| Problem::Away)?
}

struct Log {
    reader: LogReader,
    position: u64,
}

impl Log {
    fn find(&self, wanted: &Wanted) -> Result<Found, Problem> {
        let tag = format!("location:{}", wanted.location);
        let limiting = ["location.admissions-stopped", "location.windows-set", "location.intake-limit-set"];
        let mut found = Found {
            of_location: self.newest(item(&limiting, tag.clone()), 0, OF_LOCATION_MAX)?,
            last: self.at(wanted.last)?,
            ..Found::default()
        };
        for wanted in &wanted.beds {
            found.of_beds.push(self.of_bed(wanted)?);
        }
        for stay in wanted.waiting.iter().take(SINCE_SHOWN_MAX) {
            let tag = format!("stay:{stay}");
            found.waiting.extend(self.newest(item(&["stay.waiting-for"], tag), 0, 1)?);
        }
        if wanted.reported {
            self.of_row(wanted, tag, &mut found)?;
        }
        Ok(found)
    }

    fn of_bed(&self, wanted: &OfBed) -> Result<Vec<Recorded>, Problem> {
        let at = self.reader.position_of(&wanted.touched).map_err(|error| unreadable(&error))?;
        let mut events: Vec<Recorded> = self.at(at.unwrap_or_default())?.into_iter().collect();
        let named = self.newest(wanted.made.clone(), 0, OF_BED_MAX)?;
        events.extend(named.into_iter().find(|one| can_make(wanted.group, &one.event.fact, &wanted.bed)));
        if let Some(waits) = &wanted.waits {
            events.extend(self.newest(waits.clone(), 0, 1)?);
        }
        events.sort_by_key(|recorded| core::cmp::Reverse(recorded.position));
        events.dedup_by_key(|recorded| recorded.position);
        Ok(events)
    }

    fn of_row(&self, wanted: &Wanted, tag: String, found: &mut Found) -> Result<(), Problem> {
        let reports = self.newest(item(&["location.counts-reported"], tag.clone()), 0, OF_LOCATION_MAX)?;
        let names = |recorded: &Recorded| {
            let Fact::CountsReported { counts, .. } = &recorded.event.fact else { return false };
            counts.iter().any(|count| CareCode::from(&count.care_type) == wanted.code)
        };
        found.report = reports.into_iter().find(names);
        let after = found.report.as_ref().map_or(0, |report| report.position);
        let mut since = self.newest(item(&CHANGES_ROW, tag), after, SINCE_READ_MAX)?;
        since.retain(|recorded| {
            place_of(&recorded.event.fact)
                .is_some_and(|place| CareCode::from(&place.care_type) == wanted.code)
        });
        found.since_more = since.len().saturating_sub(SINCE_SHOWN_MAX);
        since.truncate(SINCE_SHOWN_MAX);
        found.since = since;
        Ok(())
    }

    /// The newest events of this kind, the newest first.
    fn newest(&self, item: QueryItem, after: u64, limit: usize) -> Result<Vec<Recorded>, Problem> {
        let query = Query {
            items: vec![item],
            after: after.max(self.position.saturating_sub(LOOKED_BACK_MAX)),
            until: Some(self.position),
            direction: Direction::Backward,
            limit: Some(limit),
        };
        let mut events = Vec::new();
        for record in self.reader.read(query) {
            events.extend(read(record.map_err(|error| unreadable(&error))?));
        }
        Ok(events)
    }

    fn at(&self, position: u64) -> Result<Option<Recorded>, Problem> {
        Ok(self.reader.record(position).map_err(|error| unreadable(&error))?.and_then(read))
    }
}

/// Whether an event that names a bed can have made it count under this number: who leaves it ready leaves no cleaning, and a
/// move ends in one bed and begins in another.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is looked for can, but for these")]
fn can_make(group: usize, fact: &Fact, bed: &BedRef) -> bool {
    let key = GROUPS.get(group).map(|(key, ..)| *key);
    match fact {
        Fact::StayDischarged { ready, .. } => *ready == matches!(key, Some("offerable" | "also")),
        Fact::StayMoved { from, .. } => key != Some("not-ready") || from == bed,
        Fact::StayMoveCancelled { from, .. } => from == bed,
        Fact::BedAdded(profile) | Fact::BedChanged(profile) => {
            key != Some("reserve") || profile.reserve == Some(true)
        }
        _ => true,
    }
}

/// The place that an event of [`CHANGES_ROW`] names.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is looked for")]
fn place_of(fact: &Fact) -> Option<&Place> {
    match fact {
        Fact::HoldGranted { place, .. }
        | Fact::HoldReleased { place, .. }
        | Fact::HoldLapsed { place, .. }
        | Fact::StayAdmitted { place, .. }
        | Fact::StayDischarged { place, .. } => Some(place),
        _ => None,
    }
}

fn read(record: eventlog::Record) -> Option<Recorded> {
    contracts::recorded(record.position, record.recorded_at, &record.content_type, record.bytes).ok()
}

fn unreadable(error: &dyn core::fmt::Display) -> Problem {
    tracing::error!(%error, "the events behind a number could not be read");
    Problem::Away
}
