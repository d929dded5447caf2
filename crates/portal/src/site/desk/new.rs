//! `/r/{region}/aanmelding/nieuw`: a new referral, in under a minute and by keyboard alone.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::{Action, Role};
use domain::desk::State as DeskState;

use super::referral::Profile;
use crate::api::request::Parts;
use crate::api::scope::Subject;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::site::visit::{NotShown, Visit};
use crate::text;

#[derive(Template)]
#[template(path = "new-referral.html")]
struct NewPage {
    p: Page,
    region: String,
    name: String,
    referral: String,
    form: Profile,
}

/// `GET /r/{region}/aanmelding/nieuw`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, NotShown> {
    let look = visit.look(&portal, Parts::one("region", &code))?;
    let region: domain::RegionId = look.parts.read("region").map_err(|problem| visit.no(problem))?;
    let known = portal.app.network.region(&region);
    let about =
        |state: &DeskState| Some(Subject::region(state, &region, visit.now)).filter(|_| known.is_some());
    look.at(Action::MakeReferral, about, |_| Ok(())).map_err(|problem| visit.no(problem))?;
    let by_phone = matches!(look.principal.role, Role::DeskOperator { .. } | Role::Centre { .. });
    let name = known.map_or_else(|| code.clone(), |known| text::shown(known.name.as_str()));
    let mut form = Profile::empty(visit.lang);
    if !by_phone {
        "portal".clone_into(&mut form.channel);
    }
    let page = NewPage {
        region: region.to_string(),
        name,
        referral: uuid::Uuid::now_v7().to_string(),
        form,
        p: Page::of(visit, "new-referral"),
    };
    Ok(pages::page(StatusCode::OK, &page))
}
