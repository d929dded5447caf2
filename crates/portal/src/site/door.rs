//! Signing in and out.
//!
//! Not here: accounts and sessions (`signin`).

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::forms;
use super::visit::{self, DEVICE, SESSION, Visit, home, see_other, set_cookie};
use crate::pages::{self, Page};
use crate::peer::Peer;
use crate::server::Portal;
use crate::signin::{DEVICE_OPEN_FOR_MAX, OPEN_FOR_MAX, SignIn};

#[derive(Template)]
#[template(path = "signin.html")]
struct SignInPage {
    p: Page,
    /// Where to go then.
    to: String,
    name: String,
    /// The key of what went wrong.
    wrong: Option<&'static str>,
    /// A form was sent by somebody who was signed out: nothing of it is recorded or kept.
    lost: bool,
    /// A ward's device is there already: a person signs in on it for a while.
    on_device: bool,
}

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    naar: Option<String>,
    /// A form was sent, and is lost.
    verloren: Option<String>,
}

/// `GET /inloggen`.
pub(crate) async fn page(visit: Visit, Query(asked): Query<Asked>) -> Response {
    let to = forms::own_path(asked.naar.as_deref()).unwrap_or_default();
    shown(visit, to, String::new(), None, asked.verloren.is_some())
}

fn shown(visit: Visit, to: String, name: String, wrong: Option<&'static str>, lost: bool) -> Response {
    let on_device = visit.signed.as_ref().is_some_and(|signed| signed.device);
    let mut p = Page::of(visit, "sign-in");
    p.path = String::from("/inloggen");
    p.at = "sign-in";
    let status = match wrong {
        None => StatusCode::OK,
        Some("sign-in-too-often" | "sign-in-busy") => StatusCode::TOO_MANY_REQUESTS,
        Some("sign-in-away") => StatusCode::SERVICE_UNAVAILABLE,
        Some(_) => StatusCode::UNAUTHORIZED,
    };
    let mut response = pages::page(status, &SignInPage { p, to, name, wrong, lost, on_device });
    if status == StatusCode::TOO_MANY_REQUESTS {
        let after = if wrong == Some("sign-in-busy") { "5" } else { "60" };
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(after));
    }
    response
}

/// `POST /inloggen`.
pub(crate) async fn sign_in(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let fields = match forms::fields(&headers, body).await {
        Ok(fields) => fields,
        Err(problem) => return pages::problem(&problem, visit),
    };
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
    let (name, password) = (field("name").trim().to_lowercase(), field("password"));
    let to = forms::own_path(Some(field("naar")));
    let Peer(address) = Peer::given(peer);
    let now = (portal.app.now)();
    let wrong = match portal.app.door.sign_in(&name, password, address, now).await {
        SignIn::Done { cookie, device } => {
            let mut response = see_other(to.as_deref().unwrap_or("/thuis"));
            let (key, life) = if device { (DEVICE, DEVICE_OPEN_FOR_MAX) } else { (SESSION, OPEN_FOR_MAX) };
            set_cookie(&mut response, key, &cookie, Some(life.as_secs()), "Strict");
            // Whoever was signed in here is so no more; a person on a ward's device leaves the device.
            let over: &[&str] = if device { &[SESSION, DEVICE] } else { &[SESSION] };
            for old in over.iter().filter_map(|name| visit::cookie(&headers, name)) {
                portal.app.door.sign_out(old);
            }
            return response;
        }
        SignIn::Wrong => "sign-in-wrong",
        SignIn::TooOften => "sign-in-too-often",
        SignIn::Busy => "sign-in-busy",
        SignIn::Away => "sign-in-away",
    };
    shown(visit, to.unwrap_or_default(), name, Some(wrong), false)
}

/// `POST /uitloggen`: a person leaves; on a ward's device the device stays, and goes when it signs out itself.
pub(crate) async fn sign_out(State(portal): State<Arc<Portal>>, headers: HeaderMap) -> Response {
    let known = [SESSION, DEVICE].into_iter().find_map(|name| Some((name, visit::cookie(&headers, name)?)));
    let mut response = see_other("/inloggen");
    if let Some((name, value)) = known {
        portal.app.door.sign_out(value);
        set_cookie(&mut response, name, "", None, "Strict");
    }
    response
}

/// `GET /thuis`: where somebody begins.
pub(crate) async fn home_page(visit: Visit) -> Response {
    match visit.signed() {
        Ok(signed) => Redirect::to(&home(&signed.principal)).into_response(),
        Err(not) => not.into_response(),
    }
}
