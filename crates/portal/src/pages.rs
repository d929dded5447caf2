//! The pages: desks, national overview, board of a region, errors. Each works without a script.
//!
//! Not here: the numbers (`board`), keeping a page live (`live`), the markup (`/templates`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use domain::access::Action;
use domain::{CareType, LocationId, RegionId, Timestamp};
use network::Desk;
use serde::Deserialize;
use views::{CareCode, Contradiction, Stop};

use crate::api::problem::Problem;
use crate::assets::{ADDRESSES, Addresses};
use crate::board::{Level, Line, Overview, RegionBoard};
use crate::cover::Cover;
use crate::guard::Refusal;
use crate::server::Portal;
use crate::site::ahead::{self, Ahead};
use crate::site::sieve::{Sieve, Sieved};
use crate::site::visit::{AFTER, Signed, Visit, menu};
use crate::site::words;
use crate::words::Lang;
use crate::{live, messages, text, why};

/// The columns of a board in the order of [`Line::numbers`]: the key of the name, and of what explains it.
pub(crate) const COLUMNS: [(&str, &str); 10] = [
    ("offerable", "offerable-hint"),
    ("also", "also-hint"),
    ("held", ""),
    ("not-ready", ""),
    ("occupied", ""),
    ("waiting", "waiting-hint"),
    ("closed", ""),
    ("unstaffed", ""),
    ("reserve", "reserve-hint"),
    ("total", ""),
];

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
pub(crate) struct Page {
    pub(crate) lang: Lang,
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) chosen: Option<CareCode>,
    pub(crate) files: &'static Addresses,
    /// Which entry of the public menu this page is: `desks`, `overview`, or none.
    pub(crate) at: &'static str,
    /// Whoever is signed in.
    pub(crate) signed: Option<Signed>,
    /// The position of what was just recorded, to be said.
    pub(crate) recorded: Option<u64>,
    /// When it was made, with its day: on paper nothing else says so.
    pub(crate) made: String,
}

impl Page {
    pub(crate) fn new(visit: Visit, title: String, path: String) -> Self {
        let Visit { lang, signed, after, now, .. } = visit;
        let made = text::dated(now, lang);
        Self { lang, title, path, chosen: None, files: &ADDRESSES, at: "", signed, recorded: after, made }
    }

    /// A page with the title of this key, at the address it was asked for.
    pub(crate) fn of(visit: Visit, title: &str) -> Self {
        let (title, path) = (visit.lang.t(title).to_owned(), visit.here.clone());
        Self::new(visit, title, path)
    }

    /// A message.
    pub(crate) fn t(&self, key: &str) -> &'static str {
        self.lang.t(key)
    }

    /// A message with a value.
    pub(crate) fn tf(&self, key: &str, name: &str, value: &impl ToString) -> String {
        self.lang.tf(key, &[(name, &value.to_string())])
    }

    /// What a form gives back as it was written; escaped already.
    #[expect(clippy::unused_self, reason = "templates ask the page")]
    pub(crate) fn kept(&self, text: &str) -> String {
        text::kept(text)
    }

    /// What kind of event it was, in words.
    pub(crate) fn happened(&self, kind: &str) -> String {
        self.lang.code("happened", &kind.replace('.', "-"))
    }

    /// The word for a code.
    pub(crate) fn code(&self, list: &str, code: &impl ToString) -> String {
        self.lang.code(list, &code.to_string())
    }

    /// A new id for an act: whatever is sent with it is done once.
    #[expect(clippy::unused_self, reason = "templates ask the page")]
    pub(crate) fn id(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }

    /// The menu of whoever is signed in: address, word, whether it is this page.
    pub(crate) fn menu(&self) -> Vec<(String, &'static str, bool)> {
        let here = self.path.split('?').next().unwrap_or_default();
        let entries = self.signed.as_ref().map(menu).unwrap_or_default();
        entries.into_iter().map(|(to, key)| (self.plain(&to), self.t(key), to == here)).collect()
    }

    /// A link to one care type.
    pub(crate) fn only(&self, path: &str, code: &CareCode) -> String {
        address(path, Some(*code), self.lang)
    }

    /// A link in the language of this page.
    pub(crate) fn plain(&self, path: &str) -> String {
        address(path, None, self.lang)
    }

    /// A link that keeps the chosen care type.
    pub(crate) fn keep(&self, path: &str) -> String {
        address(path, self.chosen, self.lang)
    }

    /// The address of this page, for its forms; without what was just recorded.
    pub(crate) fn here(&self) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let after = format!("{AFTER}=");
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(&after));
        let query: Vec<&str> = kept.collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }

    /// This page in the other language. The choice is kept in a cookie, so it has to be said also for Dutch.
    pub(crate) fn other(&self) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("lang="));
        let care_type = self.chosen.map(|code| format!("care_type={code}"));
        let lang = format!("lang={}", self.lang.other().tag());
        let query: Vec<String> = kept.map(str::to_owned).chain(care_type).chain([lang]).collect();
        format!("{path}?{}", query.join("&"))
    }

    pub(crate) fn is_chosen(&self, code: &CareCode) -> bool {
        self.chosen == Some(*code)
    }
}

fn address(path: &str, chosen: Option<CareCode>, lang: Lang) -> String {
    let care_type = chosen.map(|code| format!("care_type={code}"));
    let lang = (lang != Lang::default()).then(|| format!("lang={}", lang.tag()));
    let query: Vec<String> = care_type.into_iter().chain(lang).collect();
    with(path, &query.join("&"))
}

/// An address with more asked for.
fn with(address: &str, query: &str) -> String {
    let joined = if address.contains('?') { '&' } else { '?' };
    if query.is_empty() { address.to_owned() } else { format!("{address}{joined}{query}") }
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
    /// Who stands in for it now.
    cover: Option<Cover>,
}

impl DeskLine {
    fn tel(&self) -> Option<String> {
        text::tel(&self.phone)
    }
}

/// `GET /`: the desk of each region and its number. No counts: this page is for everybody.
pub(crate) async fn desks(State(portal): State<Arc<Portal>>, visit: Visit) -> Response {
    let (lang, now) = (visit.lang, visit.now);
    visit.caught_up(&portal).await;
    let mut p = Page::new(visit, lang.t("desks").to_owned(), String::from("/"));
    p.at = "desks";
    let network = &portal.app.network;
    let covers: Vec<Option<Cover>> = portal.app.desk.state().read(|state| {
        network.regions().map(|region| Cover::of(network, state, &region.code, now, lang)).collect()
    });
    let mut desks: Vec<DeskLine> = network
        .regions()
        .zip(covers)
        .map(|(region, cover)| {
            let Desk { name, phone, hours } = &region.desk;
            DeskLine {
                region: text::shown(region.name.as_str()),
                code: region.code.to_string(),
                name: text::shown(name.as_str()),
                phone: text::shown(phone.as_str()),
                hours: text::shown(hours.as_str()),
                cover,
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
    visit: Visit,
    Query(choice): Query<Choice>,
) -> Result<Response, Refusal> {
    let (lang, chosen) = (visit.lang, choice.care_type()?);
    let mut p = Page::new(visit, lang.t("overview").to_owned(), String::from("/overzicht"));
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
    /// What can be admitted, for those who place people.
    ahead: Option<Ahead>,
    /// Whoever looks may see what does not fit.
    sees_odd: bool,
    /// Locations of which whoever looks may know why they are stopped.
    why: BTreeSet<String>,
    sieve: Sieve,
    /// What is left out; nothing if all is shown.
    sieved: Option<Sieved>,
    /// The address without what is asked for.
    bare: String,
    /// What locations are called, also those left out.
    names: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the template engine passes references")]
impl RegionPage {
    fn clock(&self, at: &Timestamp) -> String {
        text::clock(*at, self.now, self.p.lang)
    }

    fn age(&self, at: &Timestamp) -> String {
        text::age(*at, self.now, self.p.lang)
    }

    /// Since when admissions are stopped, and why for those who may know.
    fn stop(&self, place: &str, stop: &Stop) -> String {
        words::stop(self.p.lang, stop, self.now, self.why.contains(place))
    }

    fn stale(&self, at: &Timestamp) -> bool {
        text::is_stale(*at, self.now)
    }

    fn why(&self, found: &Contradiction) -> &'static str {
        why::sentence(found.why, self.p.lang)
    }

    fn columns(&self) -> [(&'static str, &'static str); 10] {
        let t = |key: &str| if key.is_empty() { "" } else { self.p.lang.t(key) };
        COLUMNS.map(|(name, hint)| (t(name), t(hint)))
    }

    /// What people call a location.
    fn named(&self, location: &LocationId) -> String {
        self.names.get(location.as_str()).cloned().unwrap_or_else(|| location.to_string())
    }

    /// This board of one care type, with the same asked for.
    fn only(&self, code: &CareCode) -> String {
        with(&self.p.only(&self.bare, code), &self.sieve.query())
    }

    /// This board of all care types, with the same asked for.
    fn all_types(&self) -> String {
        with(&self.p.plain(&self.bare), &self.sieve.query())
    }

    /// What is asked for, in words.
    fn asked(&self) -> String {
        self.sieve.words(self.p.lang)
    }

    /// What can be asked of a bed: code, word, and whether it is.
    fn features(&self) -> Vec<(&'static str, String, bool)> {
        self.sieve.features(self.p.lang)
    }

    /// This board with nothing asked for but its care type.
    fn all(&self) -> String {
        self.p.keep(&self.bare)
    }

    /// The care types to choose from.
    fn care_types(&self) -> impl Iterator<Item = &CareCode> {
        let other = self.p.chosen.iter().filter(|code| !self.board.care_types.contains(code));
        self.board.care_types.iter().chain(other)
    }

    /// How wide the table is.
    fn width(&self) -> usize {
        1 + usize::from(self.ahead.is_some()) + self.columns().len()
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
    visit: Visit,
    Query(choice): Query<Choice>,
) -> Result<Response, Refusal> {
    let (lang, chosen) = (visit.lang, choice.care_type()?);
    let id = RegionId::try_from(&*code).map_err(|_| Refusal::UnknownRegion)?;
    let region = portal.app.network.region(&id).ok_or(Refusal::UnknownRegion)?;
    let name = text::shown(region.name.as_str());
    visit.caught_up(&portal).await;
    let ahead = ahead::of_region(&portal, &visit, &id, chosen);
    let (sees_odd, why) = portal.app.desk.state().read(|state| {
        let stopped = state.board.locations(&id).filter(|card| !card.stops.is_empty());
        let known = stopped.filter(|card| visit.sees_why_stopped(state, &card.location));
        let why = known.map(|card| card.location.to_string()).collect();
        (visit.may_in(state, Action::Contradictions, &id), why)
    });
    let asked = visit.here.split_once('?').map_or("", |(_, query)| query);
    let sieve = Sieve::of(asked, ahead.is_some());
    let at = visit.now;
    let bare = format!("/r/{id}");
    let mut p = Page::new(visit, format!("{} {name}", lang.t("availability")), with(&bare, &sieve.query()));
    p.chosen = chosen;
    let mut board = portal.app.availability.read(|view| RegionBoard::of(view, &id, chosen));
    let now = (portal.app.now)();
    // Of the whole board: that is what the feed, which is for everybody, compares with.
    let feed = feed(&portal, &p, &format!("/r/{id}/stream"), &board.cells(now, lang));
    let names = board.places.iter().map(|place| (place.id.clone(), place.name.clone())).collect();
    let sieved = portal.app.desk.state().read(|state| sieve.sieve(&mut board, state, &id, at));
    let cover = portal.app.desk.state().read(|state| Cover::of(&portal.app.network, state, &id, at, lang));
    let Desk { name: desk, phone, hours } = &region.desk;
    let desk = DeskLine {
        region: name.clone(),
        code,
        name: text::shown(desk.as_str()),
        phone: text::shown(phone.as_str()),
        hours: text::shown(hours.as_str()),
        cover,
    };
    let registry = portal.app.registry.borrow().clone();
    for place in &mut board.places {
        if let Ok(source) = place.source.parse() {
            place.source = words::teller(&registry, &source, lang);
        }
    }
    let region = name;
    let shown =
        RegionPage { p, feed, region, desk, board, now, ahead, sees_odd, why, sieve, sieved, bare, names };
    Ok(page(StatusCode::OK, &shown))
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
    advice: String,
    /// Where the form was that was not taken.
    back: Option<String>,
    /// What was written in it, with the word for its field.
    written: Vec<(String, String)>,
}

/// A refusal for a person.
pub(crate) fn refused(refusal: Refusal, lang: Lang) -> Response {
    let said = refusal.said(lang);
    failed(refusal.status(), said.title.to_owned(), said.advice.to_owned(), lang)
}

/// A problem for whoever looks, with the menu that person has.
pub(crate) fn problem(problem: &Problem, visit: Visit) -> Response {
    // Nothing of the address: another's and nobody's look the same.
    let page = Page::new(visit, String::new(), String::from("/"));
    told(problem, problem.detail(page.lang), page, None, Vec::new())
}

/// A form that was not taken: why, the way back, and what was written in it.
pub(crate) fn refused_form(
    problem: &Problem,
    why: String,
    visit: Visit,
    back: &str,
    written: Vec<(String, String)>,
) -> Response {
    let lang = visit.lang;
    let page = Page::new(visit, String::new(), back.to_owned());
    let other = || lang.t("field-other").to_owned();
    let named = |name: &str| messages::word(lang, "field", name).map_or_else(other, str::to_owned);
    let written = written.into_iter().map(|(name, value)| (named(&name), value)).collect();
    told(problem, why, page, Some(page_of(back)), written)
}

/// The address without the place on it.
fn page_of(back: &str) -> String {
    back.split('#').next().unwrap_or_default().to_owned()
}

fn told(
    problem: &Problem,
    advice: String,
    mut p: Page,
    back: Option<String>,
    written: Vec<(String, String)>,
) -> Response {
    let lang = p.lang;
    problem.title(lang).clone_into(&mut p.title);
    // Nothing was recorded, whatever was before.
    p.recorded = None;
    let status = problem.status();
    again_later(page(status, &ErrorPage { p, advice, back, written }))
}

fn failed(status: StatusCode, title: String, advice: String, lang: Lang) -> Response {
    let path = String::from("/");
    let (chosen, at, signed, recorded, made) = (None, "", None, None, String::new());
    let p = Page { lang, title, path, chosen, files: &ADDRESSES, at, signed, recorded, made };
    again_later(page(status, &ErrorPage { p, advice, back: None, written: Vec::new() }))
}

/// An answer that says when to try again, if it is one for now.
pub(crate) fn again_later(mut response: Response) -> Response {
    if matches!(response.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// A page from its template. Whatever others wrote in it turns no reading and hides nothing.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(domain::plain_lines(&html))).into_response(),
        Err(error) => {
            // Rendering into memory fails only if a template is wrong.
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
