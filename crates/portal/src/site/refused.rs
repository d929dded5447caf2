//! A form that was not taken, without a script: the page it stood on again, with what was filled in and why.
//!
//! What was filled in goes back in the answer alone: not into an address, a cookie or a log. Not here: putting it into the
//! fields (`filled`), what is refused (`api`).

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use domain::access::Action;
use domain::desk::{Refusal, State};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::filled::{Sent, Told, filled};
use super::forms::{FROM, own_path};
use super::visit::{self, Visit};
use crate::api::problem::Problem;
use crate::api::scope::Subject;
use crate::pages;
use crate::server::Portal;

/// The largest page that is given back; a larger one would be a region of thousands of beds.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Fields in which people write in their own words, which they would have to write again.
const WRITTEN: [&str; 5] = ["reason", "private", "about", "with", "transport"];

/// A form that was not taken.
pub(super) struct Refused<'a> {
    pub(super) problem: Problem,
    pub(super) fields: &'a [(String, String)],
    /// Where it would have led.
    pub(super) back: &'a str,
}

/// The page the form stood on; where that is not known or has the form no longer, why and what was written.
pub(super) async fn answer(
    portal: &Arc<Portal>,
    visit: Visit,
    headers: &HeaderMap,
    refused: Refused<'_>,
) -> Response {
    let Refused { problem, fields, back } = refused;
    // Who sends too much gets no page made for each; what was written comes back all the same.
    let page = if matches!(problem, Problem::TooFast) {
        None
    } else {
        again(portal, &visit, headers, &problem, fields).await
    };
    if let Some(page) = page {
        return pages::again_later((problem.status(), Html(page)).into_response());
    }
    let why = problem.told(portal, visit.now, visit.lang);
    pages::refused_form(&problem, why, visit, back, written(fields))
}

async fn again(
    portal: &Arc<Portal>,
    visit: &Visit,
    headers: &HeaderMap,
    problem: &Problem,
    fields: &[(String, String)],
) -> Option<String> {
    let from = from(fields)?;
    let page = page(portal, headers, &from).await?;
    // The language of that page, which the address of the form does not say.
    let lang = visit::language(headers, from.split_once('?').map_or("", |(_, query)| query));
    let sent = Sent {
        action: visit.here.split('?').next().unwrap_or_default(),
        fields,
        // Something else was done under its id: it can only be another act.
        same_act: !matches!(problem, Problem::Reused),
        lacks: if let Problem::Lacks(field) = problem { Some(field) } else { None },
    };
    let why = problem.told(portal, visit.now, lang);
    let see = see(portal, visit, problem);
    let told = Told {
        title: problem.title(lang),
        why: &why,
        see: see.as_deref().map(|address| (address, lang.t("see-other"))),
        kept: lang.t("form-kept"),
        link: lang.t("form-kept-link"),
    };
    filled(&page, sent, told)
}

/// The page of what a refusal is about: that of the other referral of a likely double, for whoever may look at it.
pub(super) fn see(portal: &Portal, visit: &Visit, problem: &Problem) -> Option<String> {
    let Problem::Refused(Refusal::LikelyDouble { other }) = problem else { return None };
    let subject = |state: &State| Subject::referral(state, *other, visit.now);
    let subject = portal.app.desk.state().read(subject)?;
    visit.may(Action::Timeline, &subject).then(|| format!("/aanmelding/{other}"))
}

/// The page that a form says it stands on.
pub(super) fn from(fields: &[(String, String)]) -> Option<String> {
    own_path(fields.iter().find(|(name, _)| name == FROM).map(|(_, value)| value.as_str()))
}

/// A page as whoever sent the form sees it now.
async fn page(portal: &Arc<Portal>, headers: &HeaderMap, address: &str) -> Option<String> {
    let mut request = Request::get(address).body(Body::empty()).ok()?;
    for cookie in headers.get_all(header::COOKIE) {
        request.headers_mut().append(header::COOKIE, cookie.clone());
    }
    let pages: Router = super::router().with_state(Arc::clone(portal));
    let answer = TowerToHyperService::new(pages).call(request).await.ok()?;
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if answer.status() != StatusCode::OK || !is_page {
        return None;
    }
    let bytes = to_bytes(answer.into_body(), PAGE_BYTES_MAX).await.ok()?;
    String::from_utf8(bytes.into()).ok()
}

/// What was written in a form in somebody's own words.
fn written(fields: &[(String, String)]) -> Vec<(String, String)> {
    let own =
        |(name, value): &&(String, String)| WRITTEN.contains(&name.as_str()) && !value.trim().is_empty();
    fields.iter().filter(own).cloned().collect()
}
