//! `/r/{region}/aanmeldingen` and `/aanmeldingen`: the referrals of a desk, or those that somebody made.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Action;
use domain::desk::{Referral, State as DeskState};
use domain::{RegionId, Timestamp};

use super::referral::{in_short, stands};
use super::worklist::tag;
use crate::api::request::Parts;
use crate::api::scope::Subject;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::site::visit::{NotShown, Visit};
use crate::site::words::When;
use crate::text;
use crate::words::Lang;

/// Referrals on one page, the newest first; the rest is counted.
const SHOWN_MAX: usize = 300;

#[derive(Template)]
#[template(path = "referrals.html")]
struct ListPage {
    p: Page,
    follow: Option<String>,
    position: u64,
    heard: String,
    /// The key of its title, and its lines.
    parts: [(&'static str, Vec<Line>); 2],
    left_off: usize,
}

struct Line {
    id: String,
    urgency: (String, String),
    short: String,
    made_at: When,
    how: String,
}

fn line(id: String, referral: &Referral, now: Timestamp, lang: Lang) -> Line {
    Line {
        id,
        urgency: tag(&referral.profile.urgency, lang),
        short: in_short(referral, lang),
        made_at: When::of(referral.made_at, now, lang),
        how: stands(referral, lang),
    }
}

/// `GET /r/{region}/aanmeldingen`.
pub(crate) async fn of_region(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, NotShown> {
    visit.caught_up(&portal).await;
    let look = visit.look(&portal, Parts::one("region", &code))?;
    let found = look.at_region(Action::Worklist, |state, region| Ok(lines(state, &visit, Some(region))));
    let found = found.map_err(|problem| visit.no(problem))?;
    Ok(shown(visit, found.body, found.position, Some(format!("/volgen/r/{code}"))))
}

/// `GET /aanmeldingen`.
pub(crate) async fn own(State(portal): State<Arc<Portal>>, visit: Visit) -> Result<Response, NotShown> {
    visit.signed()?;
    visit.caught_up(&portal).await;
    let (lines, position) =
        portal.app.desk.state().read(|state| (lines(state, &visit, None), state.position()));
    Ok(shown(visit, lines, position, None))
}

type Lines = (Vec<Line>, Vec<Line>, usize);

/// Those of a region, or those whoever looks made.
fn lines(state: &DeskState, visit: &Visit, region: Option<&RegionId>) -> Lines {
    let own = visit.signed.as_ref().map(|signed| &signed.principal.source);
    let mut known: Vec<_> = state
        .referrals
        .iter()
        .filter(|(id, referral)| match region {
            Some(region) => referral.region == *region,
            None => {
                own == Some(&referral.made_by)
                    && Subject::referral(state, **id, visit.now)
                        .is_some_and(|subject| visit.may(Action::Referral, &subject))
            }
        })
        .collect();
    known.sort_by_key(|(_, referral)| std::cmp::Reverse(referral.made_at));
    let left_off = known.len().saturating_sub(SHOWN_MAX);
    known.truncate(SHOWN_MAX);
    let (open, ended): (Vec<_>, Vec<_>) = known.into_iter().partition(|(_, referral)| referral.end.is_none());
    let all = |some: Vec<(&domain::ReferralId, &Referral)>| {
        some.into_iter().map(|(id, referral)| line(id.to_string(), referral, visit.now, visit.lang)).collect()
    };
    (all(open), all(ended), left_off)
}

fn shown(visit: Visit, (open, ended, left_off): Lines, position: u64, follow: Option<String>) -> Response {
    let key = if follow.is_some() { "desk-referrals" } else { "my-referrals" };
    let heard = text::clock_seconds(visit.now, visit.now, visit.lang);
    let p = Page::of(visit, key);
    let parts = [("list-open", open), ("list-ended", ended)];
    pages::page(StatusCode::OK, &ListPage { p, follow, position, heard, parts, left_off })
}
