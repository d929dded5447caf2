//! Notices: where somebody is told that there is something for them. What it is, is behind the door.
//!
//! Not here: when somebody is told, and what is sent (`notifier`), who is (`staff`).

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::access::{Action, ever};
use notifier::{BookError, DEVICES_MAX, NewDevice, Reached};

use super::forms;
use super::visit::{NotShown, Signed, Visit, see_other};
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::text;
use crate::words::Lang;

/// The page.
const HERE: &str = "/meldingen";

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    p: Page,
    /// The key of what went wrong.
    wrong: Option<&'static str>,
    /// There is something that whoever looks is told of.
    concerned: bool,
    /// The node sends mail.
    mails: bool,
    mail: String,
    /// What a browser registers with; `None`: the node does not push.
    key: Option<String>,
    devices: Vec<DeviceLine>,
    full: bool,
    /// All that is ever said.
    words: &'static str,
}

struct DeviceLine {
    id: String,
    name: String,
    since: String,
}

/// `GET /meldingen`.
pub(crate) async fn page(State(portal): State<Arc<Portal>>, visit: Visit) -> Result<Response, NotShown> {
    let signed = person(&visit)?;
    Ok(shown(&portal, visit, &signed, None, None))
}

/// Whoever is signed in: a person, because a device on a ward is nobody who can be told.
fn person(visit: &Visit) -> Result<Signed, NotShown> {
    let person = visit.signed.as_ref().filter(|signed| !signed.device);
    person.cloned().ok_or_else(|| NotShown::SignIn { here: HERE.to_owned() })
}

fn shown(
    portal: &Portal,
    visit: Visit,
    signed: &Signed,
    wrong: Option<&'static str>,
    typed: Option<&str>,
) -> Response {
    let (lang, now) = (visit.lang, (portal.app.now)());
    let notifier = &portal.app.notifier;
    let Reached { mail, devices, .. } = notifier.book().of(&signed.name);
    let full = devices.len() >= DEVICES_MAX;
    let devices = devices.into_iter().map(|device| DeviceLine {
        id: device.id,
        since: text::clock(device.added_at, now, lang),
        name: if device.name.is_empty() {
            lang.t("notices-a-device").to_owned()
        } else {
            text::shown(&device.name)
        },
    });
    let devices = devices.collect();
    let role = &signed.principal.role;
    let mut p = Page::of(visit, "notices");
    HERE.clone_into(&mut p.path);
    p.at = "notices";
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = NoticesPage {
        p,
        wrong,
        concerned: ever(role, Action::SeeOffer) || ever(role, Action::Worklist),
        mails: notifier.mails(),
        mail: typed.map(str::to_owned).or(mail).unwrap_or_default(),
        key: notifier.push_key().map(str::to_owned),
        devices,
        full,
        words: spoken(lang).text(),
    };
    pages::page(status, &page)
}

const fn spoken(lang: Lang) -> notifier::Lang {
    match lang {
        Lang::Nl => notifier::Lang::Nl,
        Lang::En => notifier::Lang::En,
    }
}

/// `POST /meldingen/mail`: sets the address, or takes it away.
pub(crate) async fn set_mail(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let lang = spoken(visit.lang);
    change(&portal, visit, (&headers, body), |account, form| {
        portal.app.notifier.book().set_mail(account, Some(form.field("mail")), lang)
    })
    .await
}

/// `POST /meldingen/apparaat`: a browser registered itself.
pub(crate) async fn add_device(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (lang, name, now) = (spoken(visit.lang), browser(&headers), (portal.app.now)());
    change(&portal, visit, (&headers, body), |account, form| {
        let own = |name: &str| form.field(name).to_owned();
        let new = NewDevice { endpoint: own("endpoint"), key: own("key"), auth: own("auth"), name, lang };
        portal.app.notifier.book().add_device(account, new, now)
    })
    .await
}

/// `POST /meldingen/apparaat/weg`.
pub(crate) async fn remove_device(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    headers: HeaderMap,
    body: Body,
) -> Response {
    change(&portal, visit, (&headers, body), |account, form| {
        portal.app.notifier.book().remove_device(account, form.field("apparaat"))
    })
    .await
}

/// What a form says.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

async fn change(
    portal: &Portal,
    visit: Visit,
    (headers, body): (&HeaderMap, Body),
    change: impl FnOnce(&str, &Fields) -> Result<(), BookError>,
) -> Response {
    let signed = match person(&visit) {
        Ok(signed) => signed,
        Err(not) => return not.into_response(),
    };
    let fields = match forms::fields(headers, body).await {
        Ok(fields) => Fields(fields),
        Err(problem) => return pages::problem(&problem, visit),
    };
    match change(&signed.name, &fields) {
        Ok(()) => see_other(HERE),
        Err(error) => {
            let key = match &error {
                BookError::Mail => "notices-wrong-mail",
                BookError::Service => "notices-wrong-service",
                BookError::Keys => "notices-wrong-device",
                BookError::Devices => "notices-too-many",
                BookError::Full | BookError::Nowhere | BookError::File { .. } => {
                    tracing::error!(%error, "where somebody is told can not be written down");
                    "notices-not-kept"
                }
            };
            // What was typed stays in its field, as far as a field of a page can hold it.
            let typed = Some(fields.field("mail"));
            let typed = typed.filter(|text| !text.is_empty() && !text.contains(char::is_control));
            shown(portal, visit, &signed, Some(key), typed)
        }
    }
}

/// What a browser calls itself, in two words that its owner knows it by.
fn browser(headers: &HeaderMap) -> String {
    let said = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = |known: &[(&str, &str)]| {
        known.iter().find(|(mark, _)| said.contains(mark)).map(|(_, name)| (*name).to_owned())
    };
    // The later ones also say that they are the earlier.
    let kind = first(&[("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari")]);
    let on = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    [kind, on].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
