//! `/verblijf/{stay}`: a stay from coming in to going home: where, the plan, what it waits for, who pays, leaving, and what happened
//! to it, from the log.
//!
//! Nothing that tells who it is: that is a page of its own, which says that somebody looked. Not here: what may be done when
//! (`domain::desk`).

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Action;
use domain::desk::{State as DeskState, Stay};
use domain::{CareType, Destination, Fact, ItemState, PlanItem, Recorded, StayId, WaitingFor};
use views::CountsAs;

use super::{Scene, beds, local, offers};
use crate::api::problem::Problem;
use crate::api::questions::referrals::history_of_stay;
use crate::api::request::Parts;
use crate::api::scope::Subject;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::site::desk::past::{Entry, entries_of_stay};
use crate::site::visit::{NotShown, Visit};
use crate::site::words::{Choice, When, choices};
use crate::text;

/// What happened to a stay, as far as it is on the page; the newest.
const HISTORY_SHOWN_MAX: usize = 100;

#[derive(Template)]
#[template(path = "stay.html")]
struct StayPage {
    p: Page,
    position: u64,
    heard: String,
    stay: StayView,
    /// Where somebody went, of one that left.
    went: Option<String>,
    /// What happened, the newest first, and how much more there is.
    history: Vec<Entry>,
    left_off: usize,
    destinations: Vec<Choice>,
    /// Now, as a field of a form has it.
    now: String,
}

impl StayPage {
    /// Where a form leads back to: a place on this page.
    fn back(&self, place: &str) -> String {
        format!("{}#{place}", self.p.plain(&format!("/verblijf/{}", self.stay.id)))
    }
}

/// What is shown of a stay.
struct StayView {
    id: String,
    location: String,
    name: String,
    bed: Option<String>,
    care: String,
    /// Its bed was said to be empty, and nobody said that it ended.
    lost: bool,
    closed: Option<When>,
    referral: Option<String>,
    /// Whoever looks may see all of that referral.
    sees_all: bool,
    /// Who it is may be looked at.
    who: bool,
    expected: Option<When>,
    expected_field: String,
    waits: Option<(String, When)>,
    waits_for: Vec<Choice>,
    funding: Option<String>,
    reviewed: Option<String>,
    care_types: Vec<Choice>,
    plan: Vec<Item>,
    /// Beds it can move to.
    beds: Vec<(String, String)>,
}

/// An item of the plan for going home.
struct Item {
    index: usize,
    code: &'static str,
    word: String,
    states: Vec<Choice>,
    due: String,
}

/// `GET /verblijf/{stay}`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, NotShown> {
    visit.signed()?;
    visit.caught_up(&portal).await;
    let look = visit.look(&portal, Parts::one("stay", &code))?;
    let id: StayId = look.parts.read("stay").map_err(|problem| visit.no(problem))?;
    let (lang, now) = (visit.lang, visit.now);
    let about = |state: &DeskState| Subject::stay(state, id, now);
    let found = look.at(Action::Stay, about, |state| {
        let stay = state.stays.get(&id).ok_or(Problem::NotThere)?;
        let subject = about(state).ok_or(Problem::NotThere)?;
        let (location, region) = (&stay.place.location, &stay.region);
        let scene = Scene { state, visit: &visit, location, region, subject };
        Ok(view(&scene, id, stay))
    });
    let answered = found.map_err(|problem| visit.no(problem))?;
    let events = history_of_stay(&look, id).await.map_err(|problem| visit.no(problem))?;
    let mut history = entries_of_stay(&look, &events, id);
    let left_off = history.len().saturating_sub(HISTORY_SHOWN_MAX);
    history.truncate(HISTORY_SHOWN_MAX);
    let went = answered.body.closed.as_ref().and_then(|_| destination(&events));
    let p = Page::new(visit, lang.t("stay").to_owned(), format!("/verblijf/{id}"));
    let page = StayPage {
        position: answered.position,
        heard: text::clock_seconds(now, now, lang),
        stay: answered.body,
        went: went.map(|went| lang.code("destination", went.raw())),
        history,
        left_off,
        destinations: choices(lang, "destination", Destination::KNOWN, &[]),
        now: local(now),
        p,
    };
    Ok(pages::page(StatusCode::OK, &page))
}

/// Where somebody went, by the last word about it.
fn destination(events: &[Recorded]) -> Option<&Destination> {
    events.iter().rev().find_map(|recorded| {
        let Fact::StayDischarged { destination, .. } = &recorded.event.fact else { return None };
        Some(destination)
    })
}

fn view(scene: &Scene<'_>, id: StayId, stay: &Stay) -> StayView {
    let (state, lang, now) = (scene.state, scene.lang(), scene.now());
    let card = state.board.location(scene.location);
    let when = |at| When::of(at, now, lang);
    let in_bed = state.board.beds(scene.location).any(|card| card.counts_as == CountsAs::Occupied(id));
    let waits_for: Vec<&str> = stay.waiting.iter().map(|(what, _)| what.raw()).collect();
    let outcome: Vec<&str> = stay.reviewed.iter().map(CareType::raw).collect();
    StayView {
        id: id.to_string(),
        location: scene.location.to_string(),
        name: card
            .map_or_else(|| scene.location.to_string(), |card| text::called(&card.name, &card.location)),
        bed: stay.place.bed.as_ref().map(ToString::to_string),
        care: lang.code("care", stay.place.care_type.raw()),
        lost: stay.closed_at.is_none() && stay.place.bed.is_some() && !in_bed,
        closed: stay.closed_at.map(when),
        referral: stay.referral.map(|referral| referral.to_string()),
        sees_all: stay.referral.is_some_and(|referral| offers::sees_all(scene, referral)),
        who: may_know(scene, stay),
        expected: stay.expected_at.map(when),
        expected_field: stay.expected_at.map(local).unwrap_or_default(),
        waits: stay.waiting.as_ref().map(|(what, since)| (lang.code("waits", what.raw()), when(*since))),
        waits_for: choices(lang, "waits", WaitingFor::KNOWN, &waits_for),
        funding: stay.funding.as_ref().map(|funding| lang.code("funding", funding.as_str())),
        reviewed: stay.reviewed.as_ref().map(|care| lang.code("care", care.raw())),
        care_types: choices(lang, "care", CareType::KNOWN, &outcome),
        plan: plan(scene, stay),
        beds: beds::free(scene, &stay.place.care_type),
    }
}

/// Whether whoever looks may know who it is, by the same rule as the page that tells it.
fn may_know(scene: &Scene<'_>, stay: &Stay) -> bool {
    let Some(referral) = stay.referral else { return false };
    let Some(subject) = Subject::referral(scene.state, referral, scene.now()) else { return false };
    let winner = scene.state.referrals.get(&referral).and_then(|referral| referral.winner());
    let subject = match winner {
        Some(winner) => subject.at(scene.state, &winner.location),
        None => subject,
    };
    scene.visit.may(Action::Private, &subject)
}

/// All five items, also those nobody spoke of.
fn plan(scene: &Scene<'_>, stay: &Stay) -> Vec<Item> {
    let lang = scene.lang();
    let item = |(index, code): (usize, &&'static str)| {
        let known = stay.plan.iter().find(|step| step.item == PlanItem::from(*code));
        let state = known.map_or(&ItemState::Open, |step| &step.state);
        Item {
            index,
            code,
            word: lang.code("plan", code),
            states: choices(lang, "step", ItemState::KNOWN, &[state.raw()]),
            due: known.and_then(|step| step.due).map(local).unwrap_or_default(),
        }
    };
    PlanItem::KNOWN.iter().enumerate().map(item).collect()
}
