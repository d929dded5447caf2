//! `/l/{location}/cijfers/{care_type}`: where the numbers of a row of the board come from: bed by bed, or report by report, with
//! the events that said so.
//!
//! Everybody sees the row, as on the board. What is behind it is the word of a house and a desk: those who see its beds and
//! stays, or the events of its region, see it. All from one state, at one position: that of now, or for whoever looks back one of
//! the past. Who may see it is asked of now alone. Not here: counting (`domain::availability`), finding events (`search`), what
//! they say (`told`).

mod beds;
mod limits;
mod search;
mod told;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Action;
use domain::desk::State as DeskState;
use domain::{LocationId, Timestamp};
use serde::Deserialize;
use views::{CareCode, Counts, LocationCard, RowKey};

use self::beds::{Group, Kept, Standing};
use self::limits::{Limits, Report};
use self::told::{Teller, Told};
use super::lookback::look_back;
use super::visit::{NotShown, Visit};
use super::words::teller;
use crate::api::problem::Problem;
use crate::api::scope::Subject;
use crate::board::Line;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::text;
use crate::words::Lang;

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    positie: Option<String>,
}

#[derive(Template)]
#[template(path = "behind.html")]
struct BehindPage {
    p: Page,
    position: u64,
    heard: String,
    row: RowShown,
    /// Nothing for whoever may see the row alone.
    behind: Option<Behind>,
    /// When that position was recorded, where it is one of the past.
    past: Option<String>,
    /// Whoever looks is told of what changes here.
    follows: bool,
}

impl BehindPage {
    /// The row as it is on the board.
    fn cells(&self) -> Vec<(&'static str, u32)> {
        pages::COLUMNS.iter().map(|(key, _)| self.p.t(key)).zip(self.row.line.numbers()).collect()
    }

    fn last(&self) -> Option<&Told> {
        self.behind.as_ref()?.last.as_ref()
    }
}

/// What the board says.
struct RowShown {
    location: String,
    name: String,
    region: String,
    care: &'static str,
    line: Line,
    /// There is nothing to count.
    empty: bool,
    /// When the location was last heard of, by whom, and whether that is long ago.
    word: String,
    source: String,
    stale: bool,
}

/// What is behind it.
struct Behind {
    groups: Vec<Group>,
    left_off: usize,
    report: Option<Report>,
    limits: Limits,
    /// The event that the row was last changed or confirmed by.
    last: Option<Told>,
}

/// What was known at a position of the past.
struct Then {
    state: DeskState,
    position: u64,
    /// When that was recorded.
    at: Timestamp,
}

/// What is read of the state, at once.
struct Read {
    card: LocationCard,
    line: Line,
    /// Whoever looks may be told of changes.
    follows: bool,
    /// What can be seen behind the row.
    sight: Option<Sight>,
}

/// What is behind the row, without the events.
struct Sight {
    beds: Vec<Standing>,
    /// How many beds are under each number.
    of_group: [usize; beds::GROUPS.len()],
    /// For whom places of a reported row are kept.
    kept: Vec<Kept>,
    limits: limits::Found,
    wanted: search::Wanted,
}

/// Where somebody looks.
struct Place<'a> {
    /// What is shown: as it is now, or as it was known.
    state: &'a DeskState,
    /// As it is now: who may see it.
    today: &'a DeskState,
    visit: &'a Visit,
    /// The moment that is shown, and its position where it is one of the past.
    at: Timestamp,
    past: Option<u64>,
    location: &'a LocationId,
    code: CareCode,
    card: &'a LocationCard,
    subject: Subject,
}

impl Place<'_> {
    fn may(&self, action: Action) -> bool {
        self.visit.may(action, &self.subject)
    }

    fn may_in_region(&self, action: Action) -> bool {
        self.visit.may_in(self.today, action, &self.card.region)
    }

    /// Whoever sees the beds and who is in them, what is recorded in the region, or its past. A ward's device sees no stay, so it
    /// may not know which bed waits.
    fn sees_behind(&self) -> bool {
        let in_region = |action| self.may_in_region(action);
        let at_beds = self.may(Action::Beds) && self.may(Action::Stay);
        at_beds || in_region(Action::Events) || in_region(Action::Timeline)
    }
}

/// The page of a row, as it is or as it was known at a position.
pub(super) fn address(location: &str, code: &str, position: Option<u64>, lang: Lang) -> String {
    let position = position.map(|position| format!("positie={position}"));
    let lang = (lang != Lang::default()).then(|| format!("lang={}", lang.tag()));
    let asked: Vec<String> = position.into_iter().chain(lang).collect();
    let mark = if asked.is_empty() { "" } else { "?" };
    format!("/l/{location}/cijfers/{code}{mark}{}", asked.join("&"))
}

/// `GET /l/{location}/cijfers/{care_type}`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    Path((location, code)): Path<(String, String)>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, NotShown> {
    visit.caught_up(&portal).await;
    let no = || visit.no(Problem::NotThere);
    let location = LocationId::try_from(&*location).map_err(|_| no())?;
    let code = pages::care_code(Some(&code)).ok().flatten().ok_or_else(no)?;
    let then = then(&portal, &visit, asked.positie.as_deref()).await?;
    let (position, found) = portal.app.desk.state().read(|today| {
        let position = then.as_ref().map_or_else(|| today.position(), |then| then.position);
        (position, read((today, then.as_ref()), &visit, &location, code))
    });
    let Read { card, line, sight, follows } = found.ok_or_else(no)?;
    let behind = match sight {
        None => None,
        Some(sight) => Some(behind(&portal, &visit, sight, &line, code, position).await?),
    };
    let (lang, now) = (visit.lang, visit.now);
    let registry = portal.app.registry.borrow().clone();
    let at = then.as_ref().map_or(now, |then| then.at);
    let row = RowShown {
        location: location.to_string(),
        name: text::called(&card.name, &card.location),
        region: card.region.to_string(),
        care: lang.care_type(code.as_str()),
        empty: line.counts.is_zero(),
        line,
        word: text::clock(card.last_word.at, now, lang),
        source: teller(&registry, &card.last_word.source, lang),
        stale: text::is_stale(card.last_word.at, at),
    };
    let title = format!("{} {}: {}", row.name, row.care, lang.t("behind"));
    let past = then.as_ref().map(|then| then.position);
    let p = Page::new(visit, title, address(location.as_str(), code.as_str(), past, Lang::default()));
    let page = BehindPage {
        p,
        position,
        heard: text::clock_seconds(at, now, lang),
        row,
        behind,
        past: then.map(|then| text::clock_seconds(then.at, now, lang)),
        follows,
    };
    Ok(pages::page(StatusCode::OK, &page))
}

/// What was known at a position of the past, for whoever looks back; `None` for now.
async fn then(portal: &Arc<Portal>, visit: &Visit, asked: Option<&str>) -> Result<Option<Then>, NotShown> {
    let asked = asked.map(str::trim).filter(|text| !text.is_empty());
    let position = asked.map(str::parse::<u64>).transpose();
    let position = position.map_err(|_| visit.no(Problem::BadParameter("positie")))?;
    let Some(position) = position else { return Ok(None) };
    let look = look_back(portal, visit)?;
    let reader = portal.app.reader.clone();
    if position >= reader.head().position {
        return Ok(None);
    }
    let permit =
        portal.places.past(Some(look.principal.source.as_str())).await.map_err(|busy| visit.no(busy))?;
    let fold = move || {
        let _permit = permit;
        projector::as_of::<DeskState>(&reader, position)
    };
    let state = tokio::task::spawn_blocking(fold).await.map_err(|_| visit.no(Problem::Away))?;
    let state = state.map_err(|error| {
        tracing::error!(%error, position, "what was known could not be reckoned");
        visit.no(Problem::Away)
    })?;
    Ok(Some(Then { at: state.board.recorded_at(), state, position }))
}

/// The row and what is behind it; `None` for a location that is not known. One that has no beds of this type has a row of zeros.
fn read(
    (today, then): (&DeskState, Option<&Then>),
    visit: &Visit,
    location: &LocationId,
    code: CareCode,
) -> Option<Read> {
    let (state, at) = then.map_or((today, visit.now), |then| (&then.state, then.at));
    let card = state.board.location(location)?;
    let key = RowKey { region: card.region.clone(), location: location.clone(), care_type: code };
    let line = state.board.row(&key).map_or_else(|| nothing(code), |row| Line::of_row(&row));
    let subject = Subject::location(today, location, visit.now)
        .unwrap_or_else(|| Subject::region(today, &card.region, visit.now).at(today, location));
    let past = then.map(|then| then.position);
    let place = Place { state, today, visit, at, past, location, code, card: &card, subject };
    let follows = past.is_none() && place.may(Action::Beds);
    let sight = place.sees_behind().then(|| sight(&place, &line));
    Some(Read { card, line, follows, sight })
}

fn nothing(care_type: CareCode) -> Line {
    Line { key: String::new(), care_type, counts: Counts::default(), position: 0, reported: false }
}

fn sight(place: &Place<'_>, line: &Line) -> Sight {
    let (beds, of_group) = beds::standing(place);
    let limits = limits::found(place);
    let waiting = place.state.board.waiting_of_row(place.location, place.code).collect();
    let wanted = search::Wanted::of(place, &beds, waiting, line);
    Sight { beds, of_group, kept: beds::kept(place), limits, wanted }
}

async fn behind(
    portal: &Arc<Portal>,
    visit: &Visit,
    sight: Sight,
    line: &Line,
    code: CareCode,
    position: u64,
) -> Result<Behind, NotShown> {
    let Sight { beds, of_group, kept, limits, wanted } = sight;
    let found = search::search(portal, wanted, position).await.map_err(|problem| visit.no(problem))?;
    let registry = portal.app.registry.borrow().clone();
    Ok(portal.app.desk.state().read(|state| {
        let teller = Teller { state, visit, registry: &registry, code };
        let shown = beds.len();
        let all: usize = of_group.iter().sum();
        Behind {
            groups: beds::groups(beds, &of_group, &found, &teller),
            left_off: all.saturating_sub(shown),
            report: line.reported.then(|| limits::report(&found, kept, &teller)),
            limits: limits::shown(&limits, &found, &teller),
            last: found.last.as_ref().map(|recorded| teller.tell(recorded)),
        }
    }))
}
