//! `/audit/aanmeldingen`: the referrals of the regions somebody may look back at, as they were known at a moment, to be found by
//! what is known of them without their number.
//!
//! From the log alone, so that one of years ago is found as well as one of today. Not here: what became of one (`lookback`), who
//! may look (`domain::access`).

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::{Action, Denied, Principal, ever};
use domain::desk::{End, Referral, State as DeskState};
use domain::{CareType, Fact, Recorded, ReferralId, RegionId, Timestamp};
use eventlog::{Direction, LogReader, QueryItem, Record};
use serde::Deserialize;
use views::CareCode;

use super::desk::referral::stands;
use super::desk::worklist::tag;
use super::lookback::{look_back, regions};
use super::visit::{NotShown, Visit};
use super::words::{Choice, choices};
use crate::api::problem::Problem;
use crate::api::questions::referrals::read_history;
use crate::api::scope::Subject;
use crate::api::who;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::text;
use crate::words::Lang;

/// Referrals on one page.
const SHOWN_MAX: usize = 50;
/// Events that are looked at for one page: the search goes on from there on the next.
const LOOKED_MAX: usize = 5_000;
/// Referrals whose events are read for one page, whether they turn out to be what is looked for or not.
const READ_MAX: usize = 500;
/// The first signs of a number that is looked for from the page of the past: with fewer nearly all would do.
const BEGUN_MIN: usize = 4;
/// Signs of a whole number.
const NUMBER_SIGNS: usize = 36;
/// Clocks differ: something is recorded at most so much before it happened by its source's word.
const AHEAD_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// How a referral can stand, as it is asked for: the codes of the ends, and one for what has none.
const STANDINGS: [&str; 5] = ["open", "admitted", "withdrawn", "diverted", "unplaced"];

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    regio: Option<String>,
    positie: Option<String>,
    nummer: Option<String>,
    stand: Option<String>,
    zorgsoort: Option<String>,
    dag: Option<String>,
    /// Where the page before this one ended.
    verder: Option<String>,
}

#[derive(Template)]
#[template(path = "audit_list.html")]
struct ListPage {
    p: Page,
    regions: Vec<(String, String, bool)>,
    position: u64,
    head: u64,
    /// When the record of the chosen position was recorded; before the first there is none.
    at: Option<String>,
    number: String,
    bad_number: bool,
    standings: Vec<Choice>,
    care_types: Vec<Choice>,
    day: String,
    lines: Vec<Line>,
    /// Where the search goes on.
    on: Option<String>,
    /// Back to the board of the same moment.
    back: String,
}

/// One referral; nothing in it says who it is.
struct Line {
    id: ReferralId,
    region: String,
    link: String,
    urgency: (String, String),
    care_type: String,
    made: String,
    stands: String,
    ended: Option<String>,
    stay: Option<String>,
}

/// What is looked for.
struct Wanted {
    regions: Vec<RegionId>,
    /// What was recorded later is not known.
    until: u64,
    /// The search goes on behind this position.
    on: Option<u64>,
    number: String,
    standing: Option<String>,
    care_type: Option<CareCode>,
    /// The day it was made: from the first moment to the first of the next.
    day: Option<(Timestamp, Timestamp)>,
}

/// A referral as it was known.
struct Known {
    id: ReferralId,
    referral: Referral,
    made: Timestamp,
}

/// The first signs of a number, if this can be that and may say which.
pub(super) fn begun(typed: &str) -> Option<String> {
    (typed.len() >= BEGUN_MIN).then(|| signs(typed)).flatten()
}

/// What a number can begin with.
fn signs(typed: &str) -> Option<String> {
    let fits = |sign: char| sign.is_ascii_hexdigit() || sign == '-';
    (typed.len() <= NUMBER_SIGNS && typed.chars().all(fits)).then(|| typed.to_ascii_lowercase())
}

/// The list at a moment, of those whose number begins so.
pub(super) fn address(region: &RegionId, position: Option<u64>, number: &str) -> String {
    let position = position.map(|position| format!("&positie={position}")).unwrap_or_default();
    let number = if number.is_empty() { String::new() } else { format!("&nummer={number}") };
    format!("/audit/aanmeldingen?regio={region}{position}{number}")
}

/// What a referral is for the authorisation; one that ended long ago is known by its events alone.
pub(super) fn subject(
    state: &DeskState,
    events: &[Recorded],
    id: ReferralId,
    now: Timestamp,
) -> Option<Subject> {
    Subject::referral(state, id, now).or_else(|| Subject::referral(&folded(events, id), id, now))
}

/// The state after these events with the referral in it, also where a desk would have forgotten it by then.
fn folded<'a>(events: impl IntoIterator<Item = &'a Recorded>, id: ReferralId) -> DeskState {
    let (mut own, mut known) = (DeskState::default(), None);
    for recorded in events {
        own.project(recorded);
        match (own.referrals.get(&id), &known) {
            (Some(now), _) => known = Some(now.clone()),
            (None, Some(before)) => {
                own.referrals.insert(id, Referral::clone(before));
            }
            (None, None) => {}
        }
    }
    own
}

/// `GET /audit/aanmeldingen`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, NotShown> {
    let look = look_back(&portal, &visit)?;
    if ![Action::Timeline, Action::Receipt].iter().all(|action| ever(&look.principal.role, *action)) {
        return Err(visit.no(Problem::Denied(Denied::Role)));
    }
    let open = of_histories(&portal, &visit);
    let typed = filled(asked.nummer.as_deref()).unwrap_or_default();
    let number = signs(&typed);
    let head = portal.app.reader.head();
    let wanted = wanted(&asked, &open, number.clone().unwrap_or_default(), head.position);
    let mut wanted = wanted.map_err(|no| visit.no(no))?;
    let until = wanted.until;
    if number.is_none() {
        // What no number begins with is found nowhere.
        wanted.regions.clear();
    }
    let permit = portal.places.past(Some(look.principal.source.as_str())).await.map_err(|no| visit.no(no))?;
    let (shared, principal, now) = (Arc::clone(&portal), look.principal.clone(), look.now);
    let search = move || {
        let _permit = permit;
        search(&shared, &wanted, |state, events, id| {
            let subject = subject(state, events, id, now);
            subject.is_some_and(|subject| may(&principal, &subject))
        })
    };
    let found = tokio::task::spawn_blocking(search).await.map_err(|_| visit.no(Problem::Away))?;
    let found = found.map_err(|no| visit.no(no))?;
    let (lang, now) = (visit.lang, look.now);
    let chosen = |value: &Option<String>| filled(value.as_deref()).unwrap_or_default();
    let region = chosen(&asked.regio);
    let page = ListPage {
        position: until,
        head: head.position,
        at: found.at.map(|at| text::clock_seconds(at, now, lang)),
        bad_number: number.is_none(),
        number: number.unwrap_or_default(),
        standings: choices(lang, "listed", &STANDINGS, &[&*chosen(&asked.stand)]),
        care_types: choices(lang, "care", CareType::KNOWN, &[&*chosen(&asked.zorgsoort)]),
        day: chosen(&asked.dag),
        lines: found.known.iter().map(|known| line(known, &open, until, (now, lang))).collect(),
        on: found.on.map(|on| further(&asked, until, on, lang)),
        back: back(&region, until, lang),
        regions: open
            .into_iter()
            .map(|(code, name)| (code.to_string(), name, code.as_str() == region))
            .collect(),
        p: Page::of(visit, "audit-list"),
    };
    Ok(pages::page(StatusCode::OK, &page))
}

/// The regions whose histories somebody may know, with their names.
fn of_histories(portal: &Portal, visit: &Visit) -> BTreeMap<RegionId, String> {
    let all = regions(portal, visit);
    portal.app.desk.state().read(|state| {
        all.into_iter().filter(|(code, _)| visit.may_in(state, Action::Timeline, code)).collect()
    })
}

fn may(principal: &Principal, subject: &Subject) -> bool {
    [Action::Timeline, Action::Receipt].iter().all(|action| who::permits(principal, *action, &subject.about))
}

fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// What the address asks for.
fn wanted(
    asked: &Asked,
    open: &BTreeMap<RegionId, String>,
    number: String,
    head: u64,
) -> Result<Wanted, Problem> {
    let position = |text: &Option<String>, name: &'static str| {
        let read = filled(text.as_deref()).map(|text| text.parse::<u64>());
        read.transpose().map_err(|_| Problem::BadParameter(name))
    };
    let regions = match filled(asked.regio.as_deref()) {
        None => open.keys().cloned().collect(),
        Some(code) => {
            let code = RegionId::try_from(&*code).map_err(|_| Problem::NotThere)?;
            if !open.contains_key(&code) {
                return Err(Problem::NotThere);
            }
            vec![code]
        }
    };
    let standing = filled(asked.stand.as_deref());
    if standing.as_ref().is_some_and(|standing| !STANDINGS.contains(&&**standing)) {
        return Err(Problem::BadParameter("stand"));
    }
    let care_type = pages::care_code(asked.zorgsoort.as_deref());
    Ok(Wanted {
        regions,
        until: position(&asked.positie, "positie")?.map_or(head, |position| position.min(head)),
        on: position(&asked.verder, "verder")?,
        number,
        standing,
        care_type: care_type.map_err(|_| Problem::BadParameter("zorgsoort"))?,
        day: filled(asked.dag.as_deref())
            .map(|day| day_of(&day).ok_or(Problem::BadParameter("dag")))
            .transpose()?,
    })
}

/// A day in the Netherlands: its first moment, and that of the next.
fn day_of(day: &str) -> Option<(Timestamp, Timestamp)> {
    let date: jiff::civil::Date = day.parse().ok()?;
    let begin = |date: jiff::civil::Date| {
        let at = date.to_zoned(text::AMSTERDAM.clone()).ok()?;
        Some(Timestamp::from_micros(at.timestamp().as_microsecond()))
    };
    Some((begin(date)?, begin(date.tomorrow().ok()?)?))
}

struct Found {
    known: Vec<Known>,
    on: Option<u64>,
    /// When the record of the chosen position was recorded.
    at: Option<Timestamp>,
}

/// The events that a referral can be found at: where it came to a region, and, for its stay's number, where somebody was
/// admitted.
fn is_sign(fact: &Fact, number: &str) -> bool {
    let begins = |id: String| id.starts_with(number);
    let of_referral = fact.referral().is_some_and(|id| begins(id.to_string()));
    if let Fact::StayAdmitted { stay, .. } = fact {
        return !number.is_empty() && (of_referral || begins(stay.to_string()));
    }
    of_referral && matches!(fact, Fact::ReferralMade(_) | Fact::ReferralTakenOver { .. })
}

/// Looks for them: the newest first, or from the beginning of the day that is asked for, since what happened then may have been
/// told at any time after it.
fn search(
    portal: &Portal,
    wanted: &Wanted,
    may: impl Fn(&DeskState, &[Recorded], ReferralId) -> bool,
) -> Result<Found, Problem> {
    let reader = &portal.app.reader;
    let at = reader.record(wanted.until).map_err(|error| unreadable(&error))?;
    let at = at.map(|record| Timestamp::from_micros(record.recorded_at));
    let mut found = Found { known: Vec::new(), on: None, at };
    if wanted.regions.is_empty() {
        return Ok(found);
    }
    let (mut looked, mut read) = (0_usize, 0_usize);
    for record in reader.read(query(reader, wanted)?) {
        let record = record.map_err(|error| unreadable(&error))?;
        let position = record.position;
        looked = looked.saturating_add(1);
        if let Some(recorded) = sign(record, wanted)
            && let Some(id) = recorded.event.fact.referral()
        {
            read = read.saturating_add(1);
            let events = read_history(reader, id)?;
            let known = known(&events, id, position, wanted);
            found
                .known
                .extend(known.filter(|_| portal.app.desk.state().read(|state| may(state, &events, id))));
        }
        if found.known.len() >= SHOWN_MAX || read >= READ_MAX || looked >= LOOKED_MAX {
            found.on = Some(position);
            break;
        }
    }
    Ok(found)
}

fn query(reader: &LogReader, wanted: &Wanted) -> Result<eventlog::Query, Problem> {
    let mut kinds = vec!["referral.made", "referral.taken-over"];
    if !wanted.number.is_empty() {
        kinds.push("stay.admitted");
    }
    let types: Vec<Box<str>> = kinds.into_iter().map(|kind| contracts::event_type_of(kind).into()).collect();
    let item =
        |region: &RegionId| QueryItem { types: types.clone(), tags: vec![format!("region:{region}").into()] };
    let items = wanted.regions.iter().map(item).collect();
    let (mut after, mut until) = (0, wanted.until);
    let direction = if let Some((from, _)) = wanted.day {
        let before = from.saturating_add_micros(-AHEAD_MICROS).as_micros();
        let begin = reader.at_time(before).map_err(|error| unreadable(&error))?;
        after = wanted.on.unwrap_or(begin);
        Direction::Forward
    } else {
        until = wanted.on.map_or(until, |on| until.min(on.saturating_sub(1)));
        Direction::Backward
    };
    Ok(eventlog::Query { items, after, until: Some(until), direction, limit: None })
}

/// The event of a record, where a referral that may be meant can be found at it.
fn sign(record: Record, wanted: &Wanted) -> Option<Recorded> {
    let recorded =
        contracts::recorded(record.position, record.recorded_at, &record.content_type, record.bytes).ok()?;
    let fact = &recorded.event.fact;
    let made = matches!(fact, Fact::ReferralMade(_));
    let that_day = |(from, to): &(Timestamp, Timestamp)| {
        let at = recorded.event.occurred_at;
        *from <= at && at < *to
    };
    let meant = !made || wanted.day.as_ref().is_none_or(that_day);
    (meant && is_sign(fact, &wanted.number)).then_some(recorded)
}

/// The referral as it was known, if it is looked for: once, at the last event that it can be found at.
fn known(events: &[Recorded], id: ReferralId, position: u64, wanted: &Wanted) -> Option<Known> {
    let events = || events.iter().filter(|recorded| recorded.position <= wanted.until);
    let is_sign = |recorded: &&Recorded| {
        let fact = &recorded.event.fact;
        fact.referral() == Some(id)
            && wanted.regions.contains(&recorded.event.region)
            && is_sign(fact, &wanted.number)
    };
    if events().rfind(is_sign).map(|recorded| recorded.position) != Some(position) {
        return None;
    }
    let made = events().find(|recorded| matches!(recorded.event.fact, Fact::ReferralMade(_)))?;
    let made = made.event.occurred_at;
    let referral = folded(events(), id).referrals.remove(&id)?;
    let care_type = sought(&referral).map(CareCode::from);
    let fits = wanted.standing.as_ref().is_none_or(|standing| standing == standing_of(&referral))
        && wanted.care_type.is_none_or(|code| care_type == Some(code))
        && wanted.day.as_ref().is_none_or(|(from, to)| *from <= made && made < *to);
    fits.then_some(Known { id, referral, made })
}

/// The care that is looked for: what the weighing came to, else what was asked for.
fn sought(referral: &Referral) -> Option<&CareType> {
    referral.triage.as_ref().map(|triage| &triage.outcome).or(referral.profile.care_type.as_ref())
}

/// One of [`STANDINGS`].
fn standing_of(referral: &Referral) -> &'static str {
    match &referral.end {
        None => "open",
        Some(End::Admitted(_)) => "admitted",
        Some(End::Withdrawn(_)) => "withdrawn",
        Some(End::Diverted(_)) => "diverted",
        Some(End::Unplaced(_)) => "unplaced",
    }
}

fn line(
    known: &Known,
    regions: &BTreeMap<RegionId, String>,
    until: u64,
    (now, lang): (Timestamp, Lang),
) -> Line {
    let Known { id, referral, made } = known;
    let region = &referral.region;
    Line {
        id: *id,
        region: regions.get(region).cloned().unwrap_or_else(|| region.to_string()),
        link: format!("/audit?regio={region}&positie={until}&aanmelding={id}&lang={}#aanmelding", lang.tag()),
        urgency: tag(&referral.profile.urgency, lang),
        care_type: sought(referral)
            .map_or_else(|| lang.t("audit-list-no-care").to_owned(), |care| lang.code("care", care.raw())),
        made: text::clock(*made, now, lang),
        stands: stands(referral, lang),
        ended: referral.ended_at.map(|at| text::clock(at, now, lang)),
        stay: match &referral.end {
            Some(End::Admitted(stay)) => Some(stay.to_string()),
            Some(End::Withdrawn(_) | End::Diverted(_) | End::Unplaced(_)) | None => None,
        },
    }
}

/// The same search from where this page ended, at the same moment: what came meanwhile moves nothing.
fn further(asked: &Asked, until: u64, on: u64, lang: Lang) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let kept = [
        ("regio", &asked.regio),
        ("nummer", &asked.nummer),
        ("stand", &asked.stand),
        ("zorgsoort", &asked.zorgsoort),
        ("dag", &asked.dag),
    ];
    for (name, value) in kept {
        if let Some(value) = filled(value.as_deref()) {
            query.append_pair(name, &value);
        }
    }
    query.append_pair("positie", &until.to_string()).append_pair("verder", &on.to_string());
    query.append_pair("lang", lang.tag());
    format!("/audit/aanmeldingen?{}", query.finish())
}

fn back(region: &str, until: u64, lang: Lang) -> String {
    let region = if region.is_empty() { String::new() } else { format!("regio={region}&") };
    format!("/audit?{region}positie={until}&lang={}", lang.tag())
}

fn unreadable(error: &dyn core::fmt::Display) -> Problem {
    tracing::error!(%error, "the referrals of the past could not be read");
    Problem::Away
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERRAL: &str = "019391f2-6f00-7a11-8c11-000000000001";
    const STAY: &str = "019391f2-6f00-7a11-8c11-000000000002";

    /// An event that was recorded so many days after the first.
    fn event(position: u64, days: i64, kind: &str, data: &str) -> Recorded {
        let json = format!(
            r#"{{"specversion":"1.0","id":"019cabd9-7c38-7650-a69e-{position:012x}","source":"urn:a","type":"nl.doorstroom.{kind}.v1","time":"2026-03-02T10:30:00.000Z","subject":"x","datacontenttype":"application/json","region":"zk01","data":{{"occurred_at":"2026-03-02T10:30:00.000Z",{data}}}}}"#
        );
        let at = 1_772_449_200_000_000 + days * 24 * 3_600_000_000;
        contracts::recorded(position, at, "application/cloudevents+json", json.into()).unwrap()
    }

    #[test]
    fn a_stay_of_months_does_not_hide_its_referral_from_whoever_looks_back() {
        let place = r#""location":"zk01-de-linde","bed":"1","care_type":"ELV_LC""#;
        let profile = format!(
            r#""referral":"{REFERRAL}","origin":"gp","urgency":"planned","care_type":"ELV_LC","channel":"phone","consent":true"#
        );
        let events = [
            event(1, 0, "referral.made", &profile),
            event(2, 1, "stay.admitted", &format!(r#""stay":"{STAY}","referral":"{REFERRAL}",{place}"#)),
            event(
                3,
                100,
                "stay.discharged",
                &format!(r#""stay":"{STAY}",{place},"ready":false,"destination":"home-without-care""#),
            ),
        ];
        let id: ReferralId = REFERRAL.parse().unwrap();
        let mut desk = DeskState::default();
        for recorded in &events {
            desk.project(recorded);
        }
        assert!(!desk.referrals.contains_key(&id), "a desk forgets");
        let looked = folded(&events, id);
        assert_eq!(standing_of(&looked.referrals[&id]), "admitted");
        assert!(subject(&desk, &events, id, Timestamp::default()).is_some());
    }

    #[test]
    fn a_number_begins_with_its_signs_and_what_says_nothing_is_no_beginning() {
        assert_eq!(begun("0193-AF").as_deref(), Some("0193-af"));
        for no in ["", "019", "jansen", &"0".repeat(37)] {
            assert_eq!(begun(no), None, "{no}");
        }
    }

    #[test]
    fn a_day_is_that_of_the_netherlands_also_when_it_has_an_hour_more() {
        let (from, to) = day_of("2026-10-25").unwrap();
        assert_eq!((to.as_micros() - from.as_micros()) / 3_600_000_000, 25);
        assert_eq!(from.to_string(), "2026-10-24T22:00:00.000Z");
        assert_eq!(day_of("25-10-2026"), None);
    }
}
