//! The pages: desks, national overview, board of a region, errors. Each works without a script.
//!
//! Not here: the numbers (`board`), keeping a page live (`live`), the markup (`/templates`).

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use domain::{CareType, RegionId, Timestamp};
use network::Desk;
use serde::Deserialize;
use views::{CareCode, Contradiction};

use crate::assets::{ADDRESSES, Addresses};
use crate::board::{Level, Line, Overview, RegionBoard};
use crate::guard::Refusal;
use crate::server::Portal;
use crate::words::{Lang, Words};
use crate::{live, text, why};

/// What a reader chose.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Choice {
    lang: Option<String>,
    care_type: Option<String>,
}

impl Choice {
    pub(crate) fn lang(&self) -> Lang {
        Lang::asked(self.lang.as_deref())
    }

    pub(crate) fn care_type(&self) -> Result<Option<CareCode>, Refusal> {
        care_code(self.care_type.as_deref())
    }
}

/// The care type of this code, also `other`; nothing or an empty text is all of them.
pub(crate) fn care_code(text: Option<&str>) -> Result<Option<CareCode>, Refusal> {
    match text {
        None | Some("") => Ok(None),
        Some(code) if code == "other" || CareType::KNOWN.contains(&code) => Ok(Some(CareCode::from(code))),
        Some(_) => Err(Refusal::BadCareType),
    }
}

/// What every page has around its content.
struct Page {
    lang: Lang,
    w: &'static Words,
    title: String,
    path: String,
    chosen: Option<CareCode>,
    files: &'static Addresses,
    /// Which entry of the menu this page is: `desks`, `overview`, or none.
    at: &'static str,
}

impl Page {
    fn new(lang: Lang, title: String, path: String) -> Self {
        Self { lang, w: lang.words(), title, path, chosen: None, files: &ADDRESSES, at: "" }
    }

    /// A link to one care type.
    fn only(&self, path: &str, code: &CareCode) -> String {
        address(path, Some(*code), self.lang)
    }

    /// A link in the language of this page.
    fn plain(&self, path: &str) -> String {
        address(path, None, self.lang)
    }

    /// A link that keeps the chosen care type.
    fn keep(&self, path: &str) -> String {
        address(path, self.chosen, self.lang)
    }

    fn other(&self) -> String {
        address(&self.path, self.chosen, self.lang.other())
    }

    fn is_chosen(&self, code: &CareCode) -> bool {
        self.chosen == Some(*code)
    }
}

fn address(path: &str, chosen: Option<CareCode>, lang: Lang) -> String {
    let care_type = chosen.map(|code| format!("care_type={code}"));
    let lang = (lang != Lang::default()).then(|| format!("lang={}", lang.tag()));
    let query: Vec<String> = care_type.into_iter().chain(lang).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// What a live page tells the script.
struct Feed {
    address: String,
    position: u64,
    structure: String,
    /// When the last event was recorded, `14:03:20`; empty before the first.
    stands_at: String,
    /// Now, `14:03:20`: what the page says it stood at when the feed falls silent.
    heard: String,
    up_to_date: bool,
    now_millis: i64,
    silent_after: u64,
}

#[derive(Template)]
#[template(path = "desks.html")]
struct DesksPage {
    p: Page,
    desks: Vec<DeskLine>,
}

struct DeskLine {
    region: String,
    code: String,
    name: String,
    phone: String,
    hours: String,
}

impl DeskLine {
    fn tel(&self) -> Option<String> {
        text::tel(&self.phone)
    }
}

/// `GET /`: the desk of each region and its number. No counts: this page is for everybody.
pub(crate) async fn desks(State(portal): State<Arc<Portal>>, Query(choice): Query<Choice>) -> Response {
    let lang = choice.lang();
    let mut p = Page::new(lang, lang.words().desks.to_owned(), String::from("/"));
    p.at = "desks";
    let mut desks: Vec<DeskLine> = portal
        .app
        .network
        .regions()
        .map(|region| {
            let Desk { name, phone, hours } = &region.desk;
            DeskLine {
                region: text::shown(region.name.as_str()),
                code: region.code.to_string(),
                name: text::shown(name.as_str()),
                phone: text::shown(phone.as_str()),
                hours: text::shown(hours.as_str()),
            }
        })
        .collect();
    desks.sort_by(|a, b| a.region.cmp(&b.region));
    page(StatusCode::OK, &DesksPage { p, desks })
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    p: Page,
    feed: Feed,
    board: Overview,
    total_level: Level,
    care_types: Vec<CareCode>,
}

/// `GET /overzicht`: one tile per region with what can be offered now.
pub(crate) async fn overview(
    State(portal): State<Arc<Portal>>,
    Query(choice): Query<Choice>,
) -> Result<Response, Refusal> {
    let (lang, chosen) = (choice.lang(), choice.care_type()?);
    let mut p = Page::new(lang, lang.words().overview.to_owned(), String::from("/overzicht"));
    (p.at, p.chosen) = ("overview", chosen);
    let board = portal.app.availability.read(|view| Overview::of(view, &portal.app.network, chosen));
    let feed = feed(&portal, &p, "/overzicht/stream", &board.cells());
    let care_types = CareType::KNOWN.iter().map(|code| CareCode::from(*code)).collect();
    let total_level = Level::of(board.total.offerable);
    Ok(page(StatusCode::OK, &OverviewPage { p, feed, board, total_level, care_types }))
}

#[derive(Template)]
#[template(path = "region.html")]
struct RegionPage {
    p: Page,
    feed: Feed,
    region: String,
    desk: DeskLine,
    board: RegionBoard,
    now: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the template engine passes references")]
impl RegionPage {
    fn clock(&self, at: &Timestamp) -> String {
        text::clock(*at, self.now, self.p.lang)
    }

    fn age(&self, at: &Timestamp) -> String {
        text::age(*at, self.now, self.p.lang)
    }

    fn stale(&self, at: &Timestamp) -> bool {
        text::is_stale(*at, self.now)
    }

    fn why(&self, found: &Contradiction) -> &'static str {
        why::sentence(found.why, self.p.lang)
    }

    fn columns(&self) -> [(&'static str, &'static str); 10] {
        let w = self.p.w;
        [
            (w.offerable, ""),
            (w.also, w.also_hint),
            (w.held, ""),
            (w.not_ready, ""),
            (w.occupied, ""),
            (w.waiting, w.waiting_hint),
            (w.closed, ""),
            (w.unstaffed, ""),
            (w.reserve, w.reserve_hint),
            (w.total, ""),
        ]
    }

    /// Each number of a line with the name of its column, for narrow screens.
    fn cells(&self, line: &Line) -> Vec<(&'static str, u32)> {
        self.columns().into_iter().map(|(name, _)| name).zip(line.numbers()).collect()
    }
}

/// `GET /r/{region}`: Beschikbaarheid.
pub(crate) async fn region(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    Query(choice): Query<Choice>,
) -> Result<Response, Refusal> {
    let (lang, chosen) = (choice.lang(), choice.care_type()?);
    let id = RegionId::try_from(&*code).map_err(|_| Refusal::UnknownRegion)?;
    let region = portal.app.network.region(&id).ok_or(Refusal::UnknownRegion)?;
    let name = text::shown(region.name.as_str());
    let mut p = Page::new(lang, format!("{} {name}", lang.words().availability), format!("/r/{id}"));
    p.chosen = chosen;
    let board = portal.app.availability.read(|view| RegionBoard::of(view, &id, chosen));
    let now = (portal.app.now)();
    let feed = feed(&portal, &p, &format!("/r/{id}/stream"), &board.cells(now, lang));
    let Desk { name: desk, phone, hours } = &region.desk;
    let desk = DeskLine {
        region: name.clone(),
        code,
        name: text::shown(desk.as_str()),
        phone: text::shown(phone.as_str()),
        hours: text::shown(hours.as_str()),
    };
    Ok(page(StatusCode::OK, &RegionPage { p, feed, region: name, desk, board, now }))
}

fn feed(portal: &Portal, page: &Page, stream: &str, cells: &crate::board::Cells) -> Feed {
    let now = (portal.app.now)();
    let stands_at = if cells.position == 0 {
        String::new()
    } else {
        text::clock_seconds(cells.recorded_at, now, page.lang)
    };
    Feed {
        address: page.keep(stream),
        position: cells.position,
        structure: cells.structure.clone(),
        stands_at,
        heard: text::clock_seconds(now, now, page.lang),
        up_to_date: portal.app.availability.standing().borrow().live,
        now_millis: now.as_micros() / 1_000,
        silent_after: live::SILENT_AFTER.as_secs(),
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    p: Page,
    advice: &'static str,
}

/// A refusal for a person.
pub(crate) fn refused(refusal: Refusal, lang: Lang) -> Response {
    let said = refusal.said(lang);
    let p = Page::new(lang, said.title.to_owned(), String::from("/"));
    let mut response = page(refusal.status(), &ErrorPage { p, advice: said.advice });
    if refusal.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            // Rendering into memory fails only if a template is wrong.
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
