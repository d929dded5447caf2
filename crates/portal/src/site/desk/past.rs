//! What happened to a referral, from the log; the lists that were kept with its offers; who it is, for whom that is released.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Action;
use domain::desk::State as DeskState;
use domain::matching::receipt_of;
use domain::{LocationId, Recorded, ReferralId, StayId, queries};

use super::referral::Found;
use crate::api::problem::Problem;
use crate::api::questions::Look;
use crate::api::questions::referrals::{history, private};
use crate::api::request::Parts;
use crate::api::scope::Subject;
use crate::pages::{self, Page};
use crate::said::{names, readable};
use crate::server::Portal;
use crate::site::visit::{NotShown, Visit};
use crate::site::words::{say, teller};
use crate::text;

/// One thing that happened.
pub(crate) struct Entry {
    pub(crate) position: u64,
    pub(crate) when: String,
    /// When it was recorded, where that is not when it happened.
    pub(crate) told: Option<String>,
    pub(crate) what: String,
    pub(crate) kind: &'static str,
    pub(crate) source: String,
    /// The URN of the source.
    pub(crate) urn: String,
}

/// How much later something is recorded to be told late, in microseconds: two minutes.
const LATE_MICROS: i64 = 120_000_000;

/// What happened, the newest first.
///
/// # Errors
/// The log can not be read.
pub(crate) async fn entries(look: &Look<'_>, referral: ReferralId) -> Result<Vec<Entry>, Problem> {
    let told = queries::timeline(&history(look, referral).await?, referral);
    // Where the doctor agreed, as far as it is told.
    let mut agreed: BTreeSet<LocationId> = BTreeSet::new();
    let mut without = |entry: &queries::Entry| {
        if entry.kind == "offer.medically-agreed" {
            agreed.extend(entry.location.clone());
        }
        entry.kind == "stay.admitted" && entry.location.as_ref().is_some_and(|at| !agreed.contains(at))
    };
    let lang = look.lang;
    let entries = told.into_iter().map(|told| {
        let without = without(&told);
        let mut entry = shown(look, told);
        if without {
            entry.what = format!("{} {}", entry.what, lang.t("told-without-agreement"));
        }
        entry
    });
    Ok(newest_first(entries.collect()))
}

/// The same of a stay alone, as far as its events tell it.
pub(crate) fn entries_of_stay(look: &Look<'_>, events: &[Recorded], stay: StayId) -> Vec<Entry> {
    let told = queries::timeline_of_stay(events, stay);
    newest_first(told.into_iter().map(|told| shown(look, told)).collect())
}

fn newest_first(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.reverse();
    entries
}

/// An entry as people read it.
fn shown(look: &Look<'_>, entry: queries::Entry) -> Entry {
    let (lang, now) = (look.lang, look.now);
    let late = entry.recorded_at.as_micros() - entry.occurred_at.as_micros() > LATE_MICROS;
    Entry {
        position: entry.position,
        when: text::clock(entry.occurred_at, now, lang),
        told: late.then(|| text::clock(entry.recorded_at, now, lang)),
        what: readable(&say(lang, entry.sentence), names(look.portal), now, lang),
        kind: entry.kind,
        source: teller(&look.portal.app.registry.borrow(), &entry.source, lang),
        urn: text::shown(entry.source.as_str()),
    }
}

#[derive(Template)]
#[template(path = "who.html")]
struct WhoPage {
    p: Page,
    id: String,
    text: Option<String>,
}

/// `GET /aanmelding/{referral}/wie`: what is sealed of a referral, for its desk, its maker, and the location that was chosen.
pub(crate) async fn who(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, NotShown> {
    let look = visit.look(&portal, Parts::one("referral", &code))?;
    let id: ReferralId = look.parts.read("referral").map_err(|problem| visit.no(problem))?;
    let found = private(look, id).await.map_err(|problem| visit.no(problem))?;
    let text = found.body.text;
    let page = WhoPage { id: id.to_string(), text, p: Page::of(visit, "who") };
    Ok(pages::page(StatusCode::OK, &page))
}

#[derive(Template)]
#[template(path = "receipts.html")]
struct ListsPage {
    p: Page,
    id: String,
    lists: Vec<Found>,
}

/// `GET /aanmelding/{referral}/lijsten`: the lists that were kept with the offers of a referral, from the log alone.
pub(crate) async fn lists(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, NotShown> {
    let look = visit.look(&portal, Parts::one("referral", &code))?;
    let id: ReferralId = look.parts.read("referral").map_err(|problem| visit.no(problem))?;
    let about = |state: &DeskState| Subject::referral(state, id, visit.now);
    look.at(Action::Receipt, about, |_| Ok(())).map_err(|problem| visit.no(problem))?;
    let found = history(&look, id).await.map_err(|problem| visit.no(problem))?;
    let kept = receipt_of(found.iter().map(|recorded| &recorded.event), id);
    let desk = portal.app.desk.state();
    let lists =
        desk.read(|state| kept.map(|matched| Found::of(state, matched, visit.now, visit.lang)).collect());
    let page = ListsPage { id: id.to_string(), lists, p: Page::of(visit, "receipts") };
    Ok(pages::page(StatusCode::OK, &page))
}
