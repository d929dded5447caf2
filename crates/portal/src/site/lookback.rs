//! Terugkijken: the board as it was known at any moment beside what is known now, what was told later about then, and what
//! became of a referral.
//!
//! From the log alone, so that it is the same however long ago it was. Not here: one event (`event`), who may look
//! (`domain::access`).

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::access::{Action, AuditorKind, Denied, Principal, Role, ever};
use domain::desk::State as DeskState;
use domain::queries::timeline;
use domain::{ReferralId, RegionId, Timestamp};
use eventlog::{LogReader, QueryItem};
use serde::Deserialize;
use views::{Availability, Row, RowKey};

use super::forms;
use super::receipts::{Receipt, receipts};
use super::referrals;
use super::visit::{NotShown, Visit};
use super::words::{called, teller};
use super::{behind, event};
use crate::api::problem::Problem;
use crate::api::questions::Look;
use crate::api::questions::referrals::history;
use crate::api::request::Parts;
use crate::api::who;
use crate::pages::{self, Page};
use crate::said::{names, readable};
use crate::server::Portal;
use crate::text;
use crate::words::Lang;

/// Events after the chosen moment that are looked at for what they tell of the time before it.
const LATER_READ_MAX: usize = 5_000;
/// Of those that tell of it, as listed.
const LATER_SHOWN_MAX: usize = 50;
/// Entries of a referral on the page; the newest. One with more has gone wrong.
const ENTRIES_SHOWN_MAX: usize = 200;
/// Numbers of a row.
const COLUMNS: usize = 10;
/// Told so much later than it happened is worth saying: less is the rest of the same act, or how clocks differ.
const LATE_MICROS: i64 = 60 * 1_000_000;

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    regio: Option<String>,
    positie: Option<String>,
    tijd: Option<String>,
    aanmelding: Option<String>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    p: Page,
    regions: Vec<(String, String, bool)>,
    region: RegionId,
    /// The chosen position, and the last one.
    position: u64,
    head: u64,
    /// What was asked for lies beyond the log, or ahead of the clock: the key of what is said then.
    beyond: Option<&'static str>,
    /// When the record of the chosen position was recorded: to read, and for the field. Before the first there is none.
    at: Option<String>,
    at_local: String,
    lines: Vec<Line>,
    differing: usize,
    later: Vec<Later>,
    later_more: bool,
    typed: String,
    bad_referral: bool,
    /// The number that is that of no referral one may look back at.
    missing: Option<ReferralId>,
    may_referrals: bool,
    referral: Option<Past>,
}

/// One row of the board, then and now.
struct Line {
    location: String,
    name: String,
    care_type: &'static str,
    /// Where its numbers come from: as known at the chosen moment, where there was a row.
    link: String,
    cells: Vec<Cell>,
    /// The last event that changed it or was a word of its location, then and now.
    then: Option<u64>,
    now: Option<u64>,
}

/// A number then and now; `None` where there was no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    then: Option<u32>,
    now: Option<u32>,
}

impl Cell {
    fn differs(&self) -> bool {
        self.then != self.now
    }
}

/// Something told later about the time before the chosen moment.
struct Later {
    position: u64,
    /// What happened in words, and its code.
    kind: String,
    code: String,
    what: String,
    occurred: String,
    recorded: String,
}

/// What became of a referral.
struct Past {
    id: ReferralId,
    entries: Vec<Entry>,
    left_off: usize,
    receipts: Vec<Receipt>,
}

struct Entry {
    position: u64,
    recorded: String,
    /// When it happened, where it was told later.
    occurred: Option<String>,
    source: String,
    location: Option<String>,
    text: String,
    /// After the chosen moment: not known then.
    after: bool,
}

impl AuditPage {
    /// The heads of the numbers of a line, in the order of its cells.
    fn columns(&self) -> [&'static str; COLUMNS] {
        let keys = [
            "offerable",
            "also",
            "held",
            "not-ready",
            "occupied",
            "waiting",
            "closed",
            "unstaffed",
            "reserve",
            "total",
        ];
        keys.map(|key| self.p.lang.t(key))
    }

    /// The list of the referrals at the same moment.
    fn list(&self) -> String {
        self.listed("")
    }

    /// The list of those with this number, which may be that of a stay.
    fn list_of(&self, number: &ReferralId) -> String {
        self.listed(&number.to_string())
    }

    fn listed(&self, number: &str) -> String {
        let address = referrals::address(&self.region, Some(self.position), number);
        format!("{address}&lang={}", self.p.lang.tag())
    }

    fn parts(&self) -> [&'static str; 5] {
        ["audit-fit", "audit-distance", "audit-wish", "audit-truth", "audit-spread"]
            .map(|key| self.p.lang.t(key))
    }
}

/// Whether somebody may look back at all.
pub(super) fn looks_back(principal: &Principal) -> bool {
    matches!(principal.role, Role::Auditor { .. }) || ever(&principal.role, Action::Receipt)
}

/// Whoever may look back at all: auditors, and whoever may see why a choice was made.
pub(super) fn look_back<'a>(portal: &'a Portal, visit: &Visit) -> Result<Look<'a>, NotShown> {
    let look = visit.look(portal, Parts::none())?;
    if looks_back(&look.principal) { Ok(look) } else { Err(visit.no(Problem::Denied(Denied::Role))) }
}

/// `GET /audit`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, NotShown> {
    let look = look_back(&portal, &visit)?;
    if let Some(region) = of_insurer(&look.principal) {
        // Sums only: they have a page of their own.
        return Ok(Redirect::to(&format!("/r/{region}/stroom")).into_response());
    }
    let lang = visit.lang;
    let open = regions(&portal, &visit);
    let region = chosen_region(&open, &look.principal, asked.regio.as_deref());
    let region = region.ok_or_else(|| visit.no(Problem::NotThere))?;
    let typed = asked.aanmelding.as_deref().unwrap_or_default().trim().to_owned();
    let id: Option<ReferralId> = typed.parse().ok();
    if let Some(begun) = id.is_none().then(|| referrals::begun(&typed)).flatten() {
        // The first signs of a number: there may be several.
        let at = asked.positie.as_deref().and_then(|text| text.trim().parse::<u64>().ok());
        return Ok(Redirect::to(&referrals::address(&region, at, &begun)).into_response());
    }
    let seen = then(&portal, &asked, &region, &look).await.map_err(|no| visit.no(no))?;
    let (past, missing) = match id {
        None => (None, None),
        Some(id) => match past(&look, id, &seen).await {
            Ok(past) => (Some(past), None),
            // Whoever mistook a number looks back all the same.
            Err(Problem::NotThere) => (None, Some(id)),
            Err(no) => return Err(visit.no(no)),
        },
    };
    let lines = compared(&portal, &region, &seen, lang);
    let now = (portal.app.now)();
    let page = AuditPage {
        regions: open.into_iter().map(|(code, name)| (code.to_string(), name, code == region)).collect(),
        differing: lines.iter().filter(|line| line.cells.iter().any(Cell::differs)).count(),
        lines,
        position: seen.position,
        head: seen.head,
        beyond: seen.beyond(&asked, look.now),
        at: seen.at.map(|at| text::clock_seconds(at, now, lang)),
        at_local: seen.at.map(local).unwrap_or_default(),
        later_more: seen.later_more,
        later: seen.later.iter().map(|record| later(record, now, lang)).collect(),
        bad_referral: !typed.is_empty() && id.is_none(),
        typed: if id.is_some() { typed } else { String::new() },
        may_referrals: ever(&look.principal.role, Action::Timeline),
        referral: past,
        region,
        p: Page::of(visit, "look-back"),
        missing,
    };
    let status = if missing.is_some() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Ok(pages::page(status, &page))
}

/// The first region of an insurer's mandate.
fn of_insurer(principal: &Principal) -> Option<RegionId> {
    match &principal.role {
        Role::Auditor { kind: AuditorKind::Insurer, regions, .. } => regions.first().cloned(),
        Role::Auditor { .. }
        | Role::DeskOperator { .. }
        | Role::LocationStaff { .. }
        | Role::WardDevice { .. }
        | Role::Referrer { .. }
        | Role::Centre { .. }
        | Role::Admin => None,
    }
}

/// The regions somebody may look back at, with their names: those of whose histories or flow one may know, and all for whoever
/// knows no history anywhere, since counts are everybody's to see.
pub(super) fn regions(portal: &Portal, visit: &Visit) -> Vec<(RegionId, String)> {
    let role = visit.signed.as_ref().map(|signed| &signed.principal.role);
    let counts_only = role.is_some_and(|role| !ever(role, Action::Timeline));
    portal.app.desk.state().read(|state| {
        let may = |code: &RegionId| {
            let any = [Action::Timeline, Action::Flow].map(|action| visit.may_in(state, action, code));
            counts_only || any.contains(&true)
        };
        let all = portal.app.network.regions().filter(|region| may(&region.code));
        all.map(|region| (region.code.clone(), text::shown(region.name.as_str()))).collect()
    })
}

/// The region that is asked for, else the first of one's own, else the first there is; of those that are open.
fn chosen_region(
    open: &[(RegionId, String)],
    principal: &Principal,
    asked: Option<&str>,
) -> Option<RegionId> {
    let known = |id: &RegionId| open.iter().any(|(code, _)| code == id);
    if let Some(asked) = asked.filter(|text| !text.is_empty()) {
        return RegionId::try_from(asked).ok().filter(known);
    }
    let own = match &principal.role {
        Role::Auditor { regions, .. } | Role::Centre { regions, .. } => regions.first().cloned(),
        Role::DeskOperator { region }
        | Role::Referrer { region }
        | Role::LocationStaff { region, .. }
        | Role::WardDevice { region, .. } => Some(region.clone()),
        Role::Admin => None,
    };
    own.filter(known).or_else(|| open.first().map(|(code, _)| code.clone()))
}

/// A moment as the field of a form has it, in the Netherlands.
fn local(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_microsecond(at.as_micros()).ok();
    let zoned = moment.map(|moment| moment.to_zoned(text::AMSTERDAM.clone()));
    zoned.map(|zoned| zoned.strftime("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default()
}

/// What was known at a moment.
struct Seen {
    position: u64,
    head: u64,
    /// Nothing before the first record.
    at: Option<Timestamp>,
    rows: Vec<Row>,
    later: Vec<eventlog::Record>,
    later_more: bool,
}

impl Seen {
    /// What is to be said of a moment that is not there yet.
    fn beyond(&self, asked: &Asked, now: Timestamp) -> Option<&'static str> {
        let position = asked.positie.as_deref().and_then(|text| text.trim().parse::<u64>().ok());
        let chosen = asked.tijd.as_deref().is_some_and(|text| !text.trim().is_empty());
        match position {
            Some(position) => (position > self.head).then_some("audit-ahead"),
            None => (chosen && self.at > Some(now)).then_some("audit-future"),
        }
    }
}

/// The board as it was known, and what was told later of the time before.
async fn then(
    portal: &Arc<Portal>,
    asked: &Asked,
    region: &RegionId,
    look: &Look<'_>,
) -> Result<Seen, Problem> {
    let filled =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let position = filled(&asked.positie).map(|text| text.parse::<u64>());
    let position = position.transpose().map_err(|_| Problem::BadParameter("positie"))?;
    let moment = filled(&asked.tijd).map(|text| forms::local(&text).ok_or(Problem::BadParameter("tijd")));
    let moment = moment.transpose()?;
    let permit = portal.places.past(Some(look.principal.source.as_str())).await?;
    let (reader, view, region) = (portal.app.reader.clone(), portal.app.availability.clone(), region.clone());
    let (shared, principal, now) = (Arc::clone(portal), look.principal.clone(), look.now);
    let reckoned = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let may = |record: &eventlog::Record| {
            let about = |state: &DeskState| event::about(state, record, now);
            let subject = shared.app.desk.state().read(about);
            subject.is_some_and(|subject| who::permits(&principal, event::LOOK_BACK, &subject.about))
        };
        let head = reader.head();
        let until = match (position, moment) {
            (Some(position), _) => position.min(head.position),
            (None, Some(moment)) => reader.at_time(moment.as_micros()).map_err(|error| unreadable(&error))?,
            (None, None) => head.position,
        };
        let at = match moment {
            // A moment says more than the last event before it.
            Some(moment) if position.is_none() => Some(moment),
            _ => {
                let record = reader.record(until).map_err(|error| unreadable(&error))?;
                record.map(|record| Timestamp::from_micros(record.recorded_at))
            }
        };
        let rows = if until == head.position {
            view.read(|view| view.rows_of(&region).collect())
        } else {
            let then =
                projector::as_of::<Availability>(&reader, until).map_err(|error| unreadable(&error))?;
            then.rows_of(&region).collect()
        };
        let (later, later_more) = told_later(&reader, &region, (until, at.unwrap_or_default()), may)?;
        Ok(Seen { position: until, head: head.position, at, rows, later, later_more })
    });
    reckoned.await.map_err(|error| unreadable(&error))?
}

fn unreadable(error: &dyn core::fmt::Display) -> Problem {
    tracing::error!(%error, "the past could not be reckoned");
    Problem::Away
}

/// What was recorded in a region after a position and says that it happened before that moment, as far as it may be looked back
/// at, the oldest first; and whether there may be more.
fn told_later(
    reader: &LogReader,
    region: &RegionId,
    (after, at): (u64, Timestamp),
    may: impl Fn(&eventlog::Record) -> bool,
) -> Result<(Vec<eventlog::Record>, bool), Problem> {
    let items = vec![QueryItem { types: Vec::new(), tags: vec![format!("region:{region}").into()] }];
    let query = eventlog::Query { items, after, limit: Some(LATER_READ_MAX), ..eventlog::Query::default() };
    let (mut found, mut read) = (Vec::new(), 0_usize);
    for record in reader.read(query) {
        let record = record.map_err(|error| unreadable(&error))?;
        read = read.saturating_add(1);
        if record.occurred_at <= at.as_micros() && told_late(&record) && may(&record) {
            if found.len() == LATER_SHOWN_MAX {
                return Ok((found, true));
            }
            found.push(record);
        }
    }
    Ok((found, read == LATER_READ_MAX))
}

fn later(record: &eventlog::Record, now: Timestamp, lang: Lang) -> Later {
    let about = ["bed:", "location:", "stay:", "referral:"];
    let tag = about.iter().find_map(|prefix| record.tags.iter().find_map(|tag| tag.strip_prefix(prefix)));
    Later {
        position: record.position,
        kind: happened(&record.kind, lang),
        code: short(&record.kind),
        what: tag.map(text::shown).unwrap_or_default(),
        occurred: text::clock_seconds(Timestamp::from_micros(record.occurred_at), now, lang),
        recorded: text::clock_seconds(Timestamp::from_micros(record.recorded_at), now, lang),
    }
}

/// A type without what all have in common: `bed.freed`.
pub(super) fn short(kind: &str) -> String {
    text::shown(kind.strip_prefix("nl.doorstroom.").unwrap_or(kind))
}

/// What happened, in words; a type that is not known by its code.
pub(super) fn happened(kind: &str, lang: Lang) -> String {
    let code = short(kind);
    let bare = code.rsplit_once(".v").map_or(&*code, |(bare, _)| bare).replace('.', "-");
    crate::messages::word(lang, "happened", &bare).map_or(code, str::to_owned)
}

/// The rows of a region then beside those of now.
fn compared(portal: &Portal, region: &RegionId, seen: &Seen, lang: Lang) -> Vec<Line> {
    let past = (seen.position < seen.head).then_some(seen.position);
    portal.app.availability.read(|view| {
        let now: Vec<Row> = view.rows_of(region).collect();
        let pairs = side_by_side(&seen.rows, &now);
        let line = |(key, (then, now)): (RowKey, (Option<&Row>, Option<&Row>))| Line {
            name: view
                .location(&key.location)
                .map_or_else(|| key.location.to_string(), |card| text::called(&card.name, &key.location)),
            location: key.location.to_string(),
            care_type: lang.care_type(key.care_type.as_str()),
            link: behind::address(
                key.location.as_str(),
                key.care_type.as_str(),
                past.filter(|_| then.is_some()),
                lang,
            ),
            cells: cells(then, now),
            then: then.map(|row| row.position),
            now: now.map(|row| row.position),
        };
        pairs.into_iter().map(line).collect()
    })
}

type Pair<'a> = (Option<&'a Row>, Option<&'a Row>);

fn side_by_side<'a>(then: &'a [Row], now: &'a [Row]) -> BTreeMap<RowKey, Pair<'a>> {
    let mut pairs: BTreeMap<RowKey, Pair<'a>> =
        then.iter().map(|row| (row.key(), (Some(row), None))).collect();
    for row in now {
        pairs.entry(row.key()).or_default().1 = Some(row);
    }
    pairs
}

fn cells(then: Option<&Row>, now: Option<&Row>) -> Vec<Cell> {
    let numbers = |row: &Row| {
        [
            row.offerable,
            row.also_offerable,
            row.held,
            row.not_ready,
            row.occupied,
            row.waiting,
            row.closed,
            row.unstaffed,
            row.reserve,
            row.physical,
        ]
    };
    let (then, now) = (then.map(numbers), now.map(numbers));
    let of = |numbers: Option<[u32; COLUMNS]>, index: usize| numbers.and_then(|all| all.get(index).copied());
    (0..COLUMNS).map(|index| Cell { then: of(then, index), now: of(now, index) }).collect()
}

/// What became of a referral, for whoever may know. One that ended long ago is known by the log alone.
async fn past(look: &Look<'_>, id: ReferralId, seen: &Seen) -> Result<Past, Problem> {
    let events = history(look, id).await?;
    let about = |state: &DeskState| referrals::subject(state, &events, id, look.now);
    look.at(Action::Timeline, about, |_| Ok(()))?;
    look.at(Action::Receipt, about, |_| Ok(()))?;
    let now = (look.portal.app.now)();
    let told = timeline(&events, id);
    let left_off = told.len().saturating_sub(ENTRIES_SHOWN_MAX);
    let registry = look.portal.app.registry.borrow().clone();
    let entry = |entry: domain::queries::Entry| Entry {
        position: entry.position,
        recorded: text::clock_seconds(entry.recorded_at, now, look.lang),
        occurred: is_late(entry.occurred_at, entry.recorded_at)
            .then(|| text::clock_seconds(entry.occurred_at, now, look.lang)),
        source: teller(&registry, &entry.source, look.lang),
        location: entry.location.map(|location| {
            look.portal.app.desk.state().read(|state| called(state, &location, now, look.lang).name)
        }),
        after: entry.position > seen.position,
        text: readable(&look.say(entry.sentence), names(look.portal), now, look.lang),
    };
    let receipts = receipts(look, &events, id, seen.position, now);
    Ok(Past { id, entries: told.into_iter().skip(left_off).map(entry).collect(), left_off, receipts })
}

/// Whether it was recorded so long after it happened that it is news of the past.
fn told_late(record: &eventlog::Record) -> bool {
    record.recorded_at.saturating_sub(record.occurred_at) > LATE_MICROS
}

/// Whether it was told later than it happened, by more than clocks differ.
pub(super) fn is_late(occurred_at: Timestamp, recorded_at: Timestamp) -> bool {
    recorded_at.as_micros().abs_diff(occurred_at.as_micros()) > LATE_MICROS.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows after these events of one house.
    fn rows(events: &[(&str, &str)]) -> Vec<Row> {
        let mut view = Availability::default();
        for (position, (kind, data)) in (1_u64..).zip(events) {
            let json = format!(
                r#"{{"specversion":"1.0","id":"019cabd9-7c38-7650-a69e-{position:012x}","source":"urn:a","type":"nl.doorstroom.{kind}.v1","time":"2026-03-02T10:30:00.000Z","subject":"x","datacontenttype":"application/json","region":"zk01","data":{{"occurred_at":"2026-03-02T10:30:00.000Z",{data}}}}}"#
            );
            let recorded =
                contracts::recorded(position, 0, "application/cloudevents+json", json.into()).unwrap();
            view.project(&recorded, &mut Vec::new());
        }
        view.rows().collect()
    }

    const HOUSE: (&str, &str) = (
        "location.registered",
        r#""location":"zk01-de-linde","provider":"p","name":"De Linde","mode":"beds","care_types":["ELV_LC"]"#,
    );
    const BED: (&str, &str) =
        ("bed.added", r#""location":"zk01-de-linde","bed":"1","care_types":["ELV_LC"]"#);
    const CLOSED: (&str, &str) =
        ("bed.closed", r#""location":"zk01-de-linde","bed":"1","reason":"infection""#);

    #[test]
    fn a_row_that_was_not_there_then_is_shown_as_new_and_what_differs_is_marked() {
        let (none, open, closed) = (rows(&[HOUSE]), rows(&[HOUSE, BED]), rows(&[HOUSE, BED, CLOSED]));
        let of = |then: &[Row], now: &[Row]| -> Vec<Cell> {
            side_by_side(then, now).into_values().flat_map(|(then, now)| cells(then, now)).collect()
        };
        assert_eq!(of(&none, &open)[0], Cell { then: None, now: Some(1) });
        assert_eq!(of(&open, &none)[0], Cell { then: Some(1), now: None });
        let changed = of(&open, &closed);
        let differing: Vec<usize> = (0..COLUMNS).filter(|index| changed[*index].differs()).collect();
        assert_eq!(differing, [0, 6], "free no more, and closed");
        assert!(of(&open, &open).iter().all(|cell| !cell.differs()));
    }

    #[test]
    fn every_kind_of_event_has_a_word_in_both_languages() {
        for kind in domain::Fact::KINDS {
            for lang in [Lang::Nl, Lang::En] {
                let said = happened(&format!("nl.doorstroom.{kind}.v1"), lang);
                assert!(!said.contains('.') && !said.is_empty(), "{kind}: {said}");
            }
        }
    }

    #[test]
    fn a_moment_in_a_field_is_that_of_the_wall() {
        assert_eq!(local("2026-07-01T12:03:09Z".parse().unwrap()), "2026-07-01T14:03");
    }
}
