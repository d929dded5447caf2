//! `/l/{location}`: a location's own page, for a nurse with a telephone in hand; `/locaties`; `/verblijf/{stay}`.
//!
//! Here: the page as a whole, its last word, stops, what can be admitted today, what does not fit. Not here: its parts (`beds`,
//! `offers`, `stays`), the page of one stay (`stay`), the list of locations (`list`), what a location is (`setup`).

pub(super) mod beds;
pub(crate) mod list;
mod offers;
mod register;
pub(crate) mod setup;
pub(crate) mod stay;
mod stays;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Action;
use domain::desk::{Owner, State as DeskState};
use domain::{AdmissionWindow, CareType, LocationId, LocationMode, RegionId, StopReason, Timestamp, queries};

use self::beds::{CountRow, Ward};
use self::offers::{Before, before};
use self::stays::StayRow;
use super::hours;
use super::visit::{NotShown, Visit};
use super::words::{Choice, Phone, choices, say, stop, teller};
use crate::api::problem::Problem;
use crate::api::request::Parts;
use crate::api::scope::Subject;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::text;
use crate::words::Lang;

#[derive(Template)]
#[template(path = "house.html")]
struct HousePage {
    p: Page,
    position: u64,
    heard: String,
    desk: Option<(String, Phone)>,
    house: House,
    stop_reasons: Vec<Choice>,
    closed_reasons: Vec<Choice>,
    declines: Vec<Choice>,
    roles: Vec<Choice>,
}

impl HousePage {
    /// Where a form leads back to: a place on this page.
    fn back(&self, place: &str) -> String {
        format!("{}#{place}", self.p.plain(&format!("/l/{}", self.house.id)))
    }
}

/// What is shown of a location.
struct House {
    id: String,
    region: String,
    name: String,
    provider: String,
    /// Nobody is signed in but the ward's device.
    device: bool,
    /// Whoever looks may say what the location is.
    sets_up: bool,
    /// A desk looks: it says with whom it spoke.
    by_desk: bool,
    word: Word,
    stops: Stops,
    wards: Vec<Ward>,
    /// How many beds are how: the class, the word, the number.
    sums: Vec<(&'static str, String, usize)>,
    /// Its counts, if it reports those.
    counts: Option<Vec<CountRow>>,
    today: Vec<Today>,
    /// The evening that is meant, this one or tomorrow's: its key, and when.
    evening: (&'static str, String),
    windows: Vec<String>,
    before: Option<Before>,
    stays: Option<Vec<StayRow>>,
    odd: Option<Vec<Odd>>,
}

/// When the location was last heard of, and by whom.
struct Word {
    clock: String,
    age: String,
    stale: bool,
    source: String,
}

/// Where admissions are stopped, and where they are not.
struct Stops {
    /// Why the whole house is stopped, and since when.
    house: Option<String>,
    /// Each ward with the same.
    wards: Vec<(String, String)>,
    open: Vec<String>,
}

/// What can be admitted of one care type.
struct Today {
    care: &'static str,
    code: &'static str,
    free: u32,
    now: u32,
    evening: Option<u32>,
    why: Vec<String>,
}

/// Something that does not fit and is this location's to solve.
struct Odd {
    text: String,
    since: String,
    bed: Option<String>,
}

/// What the parts of the page are made of.
struct Scene<'a> {
    state: &'a DeskState,
    visit: &'a Visit,
    location: &'a LocationId,
    region: &'a RegionId,
    subject: Subject,
}

impl Scene<'_> {
    fn may(&self, action: Action) -> bool {
        self.visit.may(action, &self.subject)
    }

    fn lang(&self) -> Lang {
        self.visit.lang
    }

    fn now(&self) -> Timestamp {
        self.visit.now
    }
}

/// `GET /l/{location}`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, NotShown> {
    visit.signed()?;
    visit.caught_up(&portal).await;
    let look = visit.look(&portal, Parts::one("location", &code))?;
    let location: LocationId = look.parts.read("location").map_err(|problem| visit.no(problem))?;
    let (lang, now) = (visit.lang, visit.now);
    let about = |state: &DeskState| Subject::location(state, &location, now);
    let found = look.at(Action::Beds, about, |state| {
        let (region, _) = state.board.last_heard(&location).ok_or(Problem::NotThere)?;
        let subject = about(state).ok_or(Problem::NotThere)?;
        let scene = Scene { state, visit: &visit, location: &location, region, subject };
        house(&scene).ok_or(Problem::NotThere)
    });
    let answered = found.map_err(|problem| visit.no(problem))?;
    let mut house = answered.body;
    let known = portal.app.registry.borrow().clone();
    if let Ok(source) = house.word.source.parse() {
        house.word.source = teller(&known, &source, lang);
    }
    let region = house.region.parse().ok();
    let desk = region.and_then(|region: RegionId| Some(known.region(&region)?.desk.clone()));
    let p = Page::new(visit, house.name.clone(), format!("/l/{location}"));
    let page = HousePage {
        position: answered.position,
        heard: text::clock_seconds(now, now, lang),
        desk: desk.map(|desk| (text::shown(desk.name.as_str()), Phone::of(desk.phone.as_str()))),
        house,
        stop_reasons: choices(lang, "stop", StopReason::KNOWN, &[]),
        closed_reasons: choices(lang, "closed", domain::ClosedReason::KNOWN, &[]),
        declines: offers::declines(lang),
        roles: choices(lang, "role", &["nurse", "doctor", "planner", "coordinator"], &[]),
        p,
    };
    Ok(pages::page(StatusCode::OK, &page))
}

fn house(scene: &Scene<'_>) -> Option<House> {
    let (state, lang, now) = (scene.state, scene.lang(), scene.now());
    let card = state.board.location(scene.location)?;
    let (mut wards, sums) = beds::wards(scene);
    let told = |one: &views::Stop| stop(lang, one, now, scene.may(Action::WhyStopped));
    for one in &card.stops {
        let Some(ward) = one.ward.as_ref().map(|ward| text::shown(ward.as_str())) else { continue };
        for stopped in wards.iter_mut().filter(|known| known.name.as_ref() == Some(&ward)) {
            stopped.stopped = Some(told(one));
        }
    }
    let all_wards = state.board.wards(scene.location).into_iter();
    let open = all_wards.filter(|ward| !card.stopped_wards().any(|stopped| stopped == *ward));
    Some(House {
        id: scene.location.to_string(),
        region: scene.region.to_string(),
        name: text::called(&card.name, &card.location),
        provider: text::shown(card.provider.as_str()),
        device: scene.visit.signed.as_ref().is_some_and(|signed| signed.device),
        sets_up: scene.may(Action::Report),
        by_desk: !scene.may(Action::SeeOffer),
        word: Word {
            clock: text::clock(card.last_word.at, now, lang),
            age: text::age(card.last_word.at, now, lang),
            stale: text::is_stale(card.last_word.at, now),
            source: card.last_word.source.to_string(),
        },
        stops: Stops {
            house: card.stops.iter().find(|one| one.ward.is_none()).map(told),
            wards: card
                .stops
                .iter()
                .filter_map(|one| Some((one.ward.as_ref()?.to_string(), told(one))))
                .collect(),
            open: open.map(ToString::to_string).collect(),
        },
        wards,
        sums,
        counts: (card.mode == LocationMode::Counts).then(|| beds::counts(scene)),
        today: today(scene),
        evening: {
            let (key, at) = text::evening(now);
            (key, text::clock(at, now, lang))
        },
        windows: windows(scene),
        before: scene.may(Action::Offers).then(|| before(scene)),
        stays: scene.may(Action::Stay).then(|| stays::of(scene)),
        odd: scene.may(Action::Contradictions).then(|| odd(scene)),
    })
}

/// What can be admitted now and in the evening, and why not more. Windows and limits are the location's own, so whoever sees its beds
/// sees them.
fn today(scene: &Scene<'_>) -> Vec<Today> {
    let (state, lang, now) = (scene.state, scene.lang(), scene.now());
    let evening = queries::admittable(state, scene.region, text::evening(now).1);
    let rows = queries::admittable(state, scene.region, now).into_iter();
    let own = rows.filter(|row| row.location == *scene.location);
    let shown = own.map(|row| {
        let same = |later: &&queries::AdmittableRow| {
            later.location == row.location && later.care_type == row.care_type
        };
        let later = evening.iter().find(same);
        let mut why: Vec<String> = row.why_less.iter().map(|why| say(lang, why.sentence())).collect();
        let care = CareType::from(row.care_type.as_str());
        let room = state.locations.get(scene.location).and_then(|intake| intake.room(&care, now, None));
        if let Some(room) = room.filter(|room| room.left >= row.admittable) {
            let values = [("left", &*room.left.to_string()), ("max", &*room.max.to_string())];
            why.push(lang.tf("house-room", &values));
        }
        why.extend(hours::opens(lang, state, scene.region, &row, now));
        Today {
            care: lang.care_type(row.care_type.as_str()),
            code: row.care_type.as_str(),
            free: row.offerable,
            now: row.admittable,
            evening: later.map(|later| later.admittable),
            why,
        }
    });
    shown.collect()
}

/// When the location admits, a line for each of its windows.
fn windows(scene: &Scene<'_>) -> Vec<String> {
    let lang = scene.lang();
    let intake = scene.state.locations.get(scene.location);
    let windows = intake.and_then(|intake| intake.windows()).unwrap_or_default();
    windows.iter().map(|one| window(lang, one)).collect()
}

/// A window in words.
pub(super) fn window(lang: Lang, window: &AdmissionWindow) -> String {
    let days: Vec<String> = window.days.iter().map(|day| lang.code("day", day.as_str())).collect();
    let types: Vec<&str> = window.care_types.iter().map(|code| lang.care_type(code.code())).collect();
    let types = if types.is_empty() { String::new() } else { format!(" ({})", types.join(", ")) };
    let (from, to) = (text::shown(window.from.as_str()), text::shown(window.to.as_str()));
    format!("{} {from}–{to}{types}", days.join(", "))
}

/// What does not fit and is this location's to solve.
fn odd(scene: &Scene<'_>) -> Vec<Odd> {
    let (lang, now) = (scene.lang(), scene.now());
    let found = queries::contradictions(scene.state, scene.region, now).into_iter();
    let own = found.filter(|open| matches!(&open.owner, Owner::Location(owner) if owner == scene.location));
    own.map(|open| Odd {
        text: say(lang, open.sentence()),
        since: text::age(open.since, now, lang),
        bed: open.bed.map(|bed| bed.to_string()),
    })
    .collect()
}

/// A moment as a field for a time of a form has it; empty for one that no clock shows.
fn local(at: Timestamp) -> String {
    let wall =
        jiff::Timestamp::from_microsecond(at.as_micros()).map(|at| at.to_zoned(text::AMSTERDAM.clone()));
    wall.map_or_else(|_| String::new(), |wall| wall.strftime("%Y-%m-%dT%H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_in_a_field_is_that_of_the_wall() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(local(at("2026-07-01T22:05:59Z")), "2026-07-02T00:05");
    }
}
