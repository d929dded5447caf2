//! `/locaties`: the locations of whoever works for several, by name, and a new one for whoever may register it.
//!
//! Which those are is asked of the authorisation, one by one. Not here: a location's own page (the module above), who
//! may register one (`register`).

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::LocationId;
use domain::access::Action;
use domain::desk::State as DeskState;

use super::register::{self, Register};
use crate::api::scope::Subject;
use crate::api::who;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::site::visit::{NotShown, Visit};
use crate::text;

/// The most locations that are listed; no region has a third of it.
const LISTED_MAX: usize = 1_000;

#[derive(Template)]
#[template(path = "locations.html")]
struct LocationsPage {
    p: Page,
    lines: Vec<Line>,
    register: Vec<Register>,
}

/// One location.
struct Line {
    id: String,
    name: String,
    provider: String,
    free: u32,
    beds: u32,
    stopped: bool,
    stopped_wards: usize,
    /// Offers that wait for its answer, for whoever may know.
    asked: Option<usize>,
    clock: String,
    age: String,
    stale: bool,
}

/// `GET /locaties`.
pub(crate) async fn page(State(portal): State<Arc<Portal>>, visit: Visit) -> Result<Response, NotShown> {
    let signed = visit.signed()?;
    who::check_role(&signed.principal, Action::Beds).map_err(|problem| visit.no(problem))?;
    visit.caught_up(&portal).await;
    let network = &portal.app.network;
    let (mut lines, register) =
        portal.app.desk.state().read(|state| (lines(state, &visit), register::of(state, network, &visit)));
    lines.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    lines.truncate(LISTED_MAX);
    let p = Page::of(visit, "locations");
    Ok(pages::page(StatusCode::OK, &LocationsPage { p, lines, register }))
}

fn lines(state: &DeskState, visit: &Visit) -> Vec<Line> {
    let mut beds: BTreeMap<LocationId, (u32, u32)> = BTreeMap::new();
    for row in state.board.rows() {
        let counts = row.counts();
        let (free, all) = beds.entry(row.location.clone()).or_default();
        *free = free.saturating_add(counts.offerable);
        *all = all.saturating_add(counts.physical);
    }
    let mut asked: BTreeMap<&LocationId, usize> = BTreeMap::new();
    let open = state.referrals.values().filter(|referral| referral.end.is_none());
    for offer in open.flat_map(|referral| referral.offers.values()).filter(|offer| offer.is_open()) {
        let count = asked.entry(&offer.location).or_default();
        *count = count.saturating_add(1);
    }
    let located = state.board.regions().flat_map(|region| state.board.located(region));
    let line = |location: &LocationId| {
        let subject = Subject::location(state, location, visit.now)?;
        let card = visit.may(Action::Beds, &subject).then(|| state.board.location(location))??;
        let (free, beds) = beds.get(location).copied().unwrap_or_default();
        let before = || asked.get(location).copied().unwrap_or_default();
        Some(Line {
            id: location.to_string(),
            name: text::called(&card.name, &card.location),
            provider: text::shown(card.provider.as_str()),
            free,
            beds,
            stopped: card.is_stopped(),
            stopped_wards: card.stopped_wards().count(),
            asked: visit.may(Action::Offers, &subject).then(before),
            clock: text::clock(card.last_word.at, visit.now, visit.lang),
            age: text::age(card.last_word.at, visit.now, visit.lang),
            stale: text::is_stale(card.last_word.at, visit.now),
        })
    };
    located.filter_map(line).collect()
}
