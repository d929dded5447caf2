//! Who looks at a page: the session of the cookie, the language, and the position that the page has to show at least.
//!
//! Not here: opening sessions (`signin`), what somebody may (`domain::access`).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::access::{Action, Principal, Role, Whose};
use domain::desk::State as DeskState;
use domain::{LocationId, RegionId, SourceId, Timestamp};
use network::Network;

use crate::api::problem::Problem;
use crate::api::questions::Look;
use crate::api::request::{self, Parts};
use crate::api::scope::{self, Subject};
use crate::api::who;
use crate::pages;
use crate::server::Portal;
use crate::signin::{Account, As, Mandate};
use crate::words::Lang;

/// The cookie of a person's session. `__Host-`: only over TLS or on this machine, for this host alone.
pub(crate) const SESSION: &str = "__Host-sessie";
/// The cookie of a ward's device, under which a person may sign in for a while.
pub(crate) const DEVICE: &str = "__Host-apparaat";
/// The cookie of the language.
pub(crate) const LANGUAGE: &str = "__Host-taal";
/// The parameter with the position that a page has to show at least: what was just recorded is on it.
pub(crate) const AFTER: &str = "na";
/// What says at the door that a form was sent by somebody who was signed out, and is lost.
const LOST: &str = "verloren";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// What was typed.
    pub(crate) name: String,
    pub(crate) principal: Principal,
    /// A ward's device, with nobody signed in on it.
    pub(crate) device: bool,
}

/// One look at a page.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) lang: Lang,
    pub(crate) signed: Option<Signed>,
    /// The path and query, to come back to.
    pub(crate) here: String,
    /// What the page has to show at least.
    pub(crate) after: Option<u64>,
    /// What time it is at the desk.
    pub(crate) now: Timestamp,
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
        .filter(|value| value.len() <= 128)
}

/// The language of a request: of its address, else of its cookie, else Dutch.
pub(crate) fn language(headers: &HeaderMap, query: &str) -> Lang {
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("lang="));
    Lang::asked(asked.or_else(|| cookie(headers, LANGUAGE)))
}

/// Whoever the cookies are; a person before the device that person sits at. `uses` says that somebody works, so that the
/// session goes on.
pub(crate) fn signed(portal: &Portal, headers: &HeaderMap, uses: bool) -> Option<Signed> {
    let door = &portal.app.door;
    let now = (portal.app.now)();
    [SESSION, DEVICE].into_iter().find_map(|name| {
        let value = cookie(headers, name)?;
        let standing = if uses { door.used(value, now) } else { door.looked_at(value, now) }?;
        of_account(&portal.app.registry.borrow(), &standing.account)
    })
}

/// What an account is, by the network as it stands now.
pub(crate) fn of_account(network: &Network, account: &Account) -> Option<Signed> {
    let name = account.name.as_str().to_owned();
    let of_source = |source: &SourceId| who::principal(network, network.source(source)?).ok();
    let (principal, device) = match &account.works_as {
        As::Source(source) => (of_source(source)?, false),
        As::WardDevice(source) => {
            let Principal { source, role } = of_source(source)?;
            // Only a location has wards.
            let Role::LocationStaff { region, locations } = role else { return None };
            (Principal { source, role: Role::WardDevice { region, locations } }, true)
        }
        As::Auditor(Mandate { kind, regions, locations }) => {
            let source = format!("urn:doorstroom:auditor:{name}").parse().ok()?;
            let (regions, locations) = (regions.clone(), locations.clone());
            (Principal { source, role: Role::Auditor { kind: (*kind).into(), regions, locations } }, false)
        }
    };
    Some(Signed { name, principal, device })
}

impl FromRequestParts<Arc<Portal>> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(head: &mut Head, portal: &Arc<Portal>) -> Result<Self, Self::Rejection> {
        let query = head.uri.query().unwrap_or_default();
        let after = query.split('&').find_map(|pair| pair.strip_prefix(AFTER)?.strip_prefix('='));
        // What the script fetches by itself keeps nobody signed in.
        let uses = !head.headers.contains_key("doorstroom-refresh");
        Ok(Self {
            lang: language(&head.headers, query),
            signed: signed(portal, &head.headers, uses),
            here: head.uri.path_and_query().map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned()),
            after: after.and_then(|text| text.parse().ok()),
            now: portal.app.desk.now(),
        })
    }
}

/// Why a page is not shown.
#[derive(Debug)]
pub(crate) enum NotShown {
    /// Somebody has to sign in first, and then comes back here.
    SignIn { here: String },
    /// Said no.
    Problem(Problem, Box<Visit>),
}

impl axum::response::IntoResponse for NotShown {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn { here } => Redirect::to(&sign_in_address(&here)).into_response(),
            Self::Problem(problem, visit) => pages::problem(&problem, *visit),
        }
    }
}

/// Where to sign in, and to come back from there.
pub(crate) fn sign_in_address(here: &str) -> String {
    let here: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
    format!("/inloggen?naar={here}")
}

/// The same for whoever sent a form and was not signed in any more: there stands what became of it.
pub(crate) fn sign_in_for_act(here: &str) -> String {
    format!("{}&{LOST}=1", sign_in_address(here))
}

impl Visit {
    /// Whoever is signed in.
    ///
    /// # Errors
    /// Nobody is.
    pub(crate) fn signed(&self) -> Result<&Signed, NotShown> {
        self.signed.as_ref().ok_or_else(|| NotShown::SignIn { here: self.here.clone() })
    }

    /// A problem, in the language of the page. A device that may not is asked for a person.
    pub(crate) fn no(&self, problem: impl Into<Problem>) -> NotShown {
        let problem = problem.into();
        let by_device = self.signed.as_ref().is_some_and(|signed| signed.device);
        if by_device && matches!(problem, Problem::Denied(_)) {
            return NotShown::SignIn { here: self.here.clone() };
        }
        NotShown::Problem(problem, Box::new(self.clone()))
    }

    /// Waits until the desk's view shows what was just recorded. One that lies behind is shown as it is: the page says
    /// at which position it stands.
    pub(crate) async fn caught_up(&self, portal: &Portal) {
        if self.after.is_some() {
            let _ = request::wait(portal, portal.app.desk.state(), self.after).await;
        }
    }

    /// A look at what the page is about, by whoever is signed in, as a question of the API is one.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub(crate) fn look<'a>(&self, portal: &'a Portal, parts: Parts) -> Result<Look<'a>, NotShown> {
        let Signed { name, principal, .. } = self.signed()?.clone();
        Ok(Look { portal, principal, account: Some(name), parts, now: self.now, lang: self.lang })
    }

    /// Whether whoever looks may do this, about this.
    pub(crate) fn may(&self, action: Action, subject: &Subject) -> bool {
        self.signed.as_ref().is_some_and(|signed| who::permits(&signed.principal, action, &subject.about))
    }

    /// The same about a region.
    pub(crate) fn may_in(&self, state: &DeskState, action: Action, region: &RegionId) -> bool {
        self.may(action, &Subject::region(state, region, self.now))
    }

    /// Whether whoever looks may know why admissions are stopped at a location.
    pub(crate) fn sees_why_stopped(&self, state: &DeskState, location: &LocationId) -> bool {
        let signed = self.signed.as_ref();
        signed.is_some_and(|signed| scope::sees_why_stopped(state, &signed.principal, location, self.now))
    }
}

/// Where somebody begins.
pub(crate) fn home(principal: &Principal) -> String {
    match &principal.role {
        Role::DeskOperator { region } => format!("/r/{region}/werklijst"),
        Role::LocationStaff { region, locations } | Role::WardDevice { region, locations } => match locations
        {
            Whose::These(these) if these.len() == 1 => {
                these.first().map_or_else(|| format!("/r/{region}"), |location| format!("/l/{location}"))
            }
            Whose::These(_) | Whose::Any => "/locaties".to_owned(),
        },
        Role::Referrer { .. } => "/aanmeldingen".to_owned(),
        Role::Centre { centre, .. } => format!("/c/{centre}"),
        Role::Auditor { .. } => "/audit".to_owned(),
        Role::Admin => "/overzicht".to_owned(),
    }
}

/// An entry of the menu of whoever is signed in: where to, and the key of its word.
pub(crate) fn menu(signed: &Signed) -> Vec<(String, &'static str)> {
    match &signed.principal.role {
        Role::DeskOperator { region } => vec![
            (format!("/r/{region}/werklijst"), "worklist"),
            (format!("/r/{region}"), "availability"),
            (format!("/r/{region}/aanmelding/nieuw"), "new-referral"),
            ("/locaties".to_owned(), "locations"),
            (format!("/r/{region}/stroom"), "flow"),
            ("/overzicht".to_owned(), "overview"),
        ],
        Role::LocationStaff { region, .. } | Role::WardDevice { region, .. } => {
            vec![(home(&signed.principal), "my-location"), (format!("/r/{region}"), "availability")]
        }
        Role::Referrer { region } => vec![
            ("/aanmeldingen".to_owned(), "my-referrals"),
            (format!("/r/{region}/aanmelding/nieuw"), "new-referral"),
            (format!("/r/{region}"), "availability"),
        ],
        Role::Centre { centre, .. } => {
            vec![(format!("/c/{centre}"), "centre"), ("/overzicht".to_owned(), "overview")]
        }
        Role::Auditor { .. } => {
            vec![("/audit".to_owned(), "look-back"), ("/overzicht".to_owned(), "overview")]
        }
        Role::Admin => vec![("/overzicht".to_owned(), "overview")],
    }
}

/// Sets a cookie on an answer, with `life` seconds, or takes it away with none.
pub(crate) fn set_cookie(
    response: &mut Response,
    name: &str,
    value: &str,
    life: Option<u64>,
    same_site: &str,
) {
    let age = life.unwrap_or(0);
    let text = format!("{name}={value}; Path=/; Max-Age={age}; Secure; HttpOnly; SameSite={same_site}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// An answer that leads on after a form was sent.
pub(crate) fn see_other(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(value) => (StatusCode::SEE_OTHER, [(header::LOCATION, value)]).into_response(),
        Err(_) => StatusCode::SEE_OTHER.into_response(),
    }
}
