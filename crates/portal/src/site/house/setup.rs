//! `/l/{location}/inrichting`: what a location is: its name and numbers, its beds, when and how many it admits, leaving.
//!
//! Everything here is a word of the location about itself (`Action::Report`). Not here: how its beds are (the module above), what
//! a window or a limit means (`domain::desk`), registering a new one (`register`).

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Action;
use domain::desk::State as DeskState;
use domain::{
    AdmissionWindow, BedId, BedProfile, BedRef, CareType, Feature, Label, LocationId, LocationMode,
    LocationProfile, Period,
};
use views::{BedCard, CountsAs};

use crate::api::problem::Problem;
use crate::api::request::Parts;
use crate::api::scope::Subject;
use crate::api::upto::PLACES_MAX;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::site::visit::{NotShown, Visit};
use crate::site::words::{Choice, choices};
use crate::text;
use crate::words::Lang;

/// Empty fields for wards behind those there are.
const MORE_WARDS: usize = 3;
/// Empty rows for windows behind those there are.
const MORE_WINDOWS: usize = 2;
/// The days of a window, as the contract has them.
const DAYS: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];
/// What an empty row begins with: most houses admit by day.
const BY_DAY: (&str, &str) = ("09:00", "17:00");

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    p: Page,
    position: u64,
    heard: String,
    house: Setup,
}

impl SetupPage {
    /// Where a form leads back to: a place on this page.
    fn back(&self, place: &str) -> String {
        format!("{}#{place}", self.p.plain(&format!("/l/{}/inrichting", self.house.id)))
    }
}

impl SetupPage {
    /// The same, with the bed that was changed.
    fn back_to_bed(&self, bed: &str) -> String {
        let page = self.p.plain(&format!("/l/{}/inrichting?bed={bed}", self.house.id));
        format!("{page}#bed-wijzigen")
    }
}

/// What is shown of a location.
struct Setup {
    id: String,
    name: String,
    site: SiteForm,
    /// Nothing for a location that counts.
    beds: Option<Beds>,
    windows: Vec<WindowRow>,
    limits: Vec<String>,
    care_types: Vec<Choice>,
    periods: Vec<Choice>,
    max: u32,
}

/// The fields of what a location says of itself, with what they are now.
pub(super) struct SiteForm {
    pub(super) name: String,
    pub(super) provider: String,
    pub(super) modes: Vec<Choice>,
    /// The mode that is fixed by the first registration; nothing for one that is still to choose.
    pub(super) mode: Option<String>,
    pub(super) care_types: Vec<Choice>,
    pub(super) postcode: String,
    pub(super) phone: String,
    pub(super) phone_night: String,
    /// Those there are, and some empty ones, each with its number.
    pub(super) wards: Vec<(usize, String)>,
}

impl SiteForm {
    /// With nothing said.
    pub(super) fn empty(lang: Lang) -> Self {
        Self {
            name: String::new(),
            provider: String::new(),
            modes: choices(lang, "mode", LocationMode::KNOWN, &["beds"]),
            mode: None,
            care_types: choices(lang, "care", CareType::KNOWN, &[]),
            postcode: String::new(),
            phone: String::new(),
            phone_night: String::new(),
            wards: wards(&[]),
        }
    }

    fn of(profile: &LocationProfile, lang: Lang) -> Self {
        let text =
            |label: &Option<domain::Label>| label.as_ref().map_or_else(String::new, ToString::to_string);
        let given: Vec<&str> = profile.care_types.iter().map(CareType::raw).collect();
        Self {
            name: profile.name.to_string(),
            provider: profile.provider.to_string(),
            mode: Some(profile.mode.raw().to_owned()),
            care_types: choices(lang, "care", CareType::KNOWN, &given),
            postcode: text(&profile.postcode4),
            phone: text(&profile.phone),
            phone_night: text(&profile.phone_night),
            wards: wards(&profile.wards),
            ..Self::empty(lang)
        }
    }
}

/// The wards there are and some empty ones, each with its number.
fn wards(known: &[domain::Label]) -> Vec<(usize, String)> {
    let empty = core::iter::repeat_n(String::new(), MORE_WARDS);
    (1..).zip(known.iter().map(ToString::to_string).chain(empty)).collect()
}

/// What is needed to add a bed, to change one, or to take one away.
struct Beds {
    /// The number that is next, or the one that was asked for.
    next: String,
    wards: Vec<Choice>,
    features: Vec<Choice>,
    /// Every bed, and whether it is the one that is to be changed.
    all: Vec<Choice>,
    /// The bed that is to be changed, with what is known of it.
    known: Option<KnownBed>,
    /// Beds of nobody: their numbers.
    free: Vec<String>,
}

/// A bed as a form has it.
struct KnownBed {
    bed: String,
    /// What it is for first, and what else it can be used for.
    primary: Vec<Choice>,
    also: Vec<Choice>,
    wards: Vec<Choice>,
    room: String,
    features: Vec<Choice>,
    reserve: bool,
}

impl KnownBed {
    fn of(profile: &BedProfile, wards: &[&str], lang: Lang) -> Self {
        let types: Vec<&str> = profile.care_types.iter().flatten().map(CareType::raw).collect();
        let (first, others) = types.split_at(types.len().min(1));
        let features: Vec<&str> = profile.features.iter().flatten().map(Feature::raw).collect();
        Self {
            bed: profile.bed.bed.to_string(),
            primary: choices(lang, "care", CareType::KNOWN, first),
            also: choices(lang, "care", CareType::KNOWN, others),
            wards: ward_choices(wards, profile.ward.as_ref()),
            room: profile.room.as_ref().map_or_else(String::new, ToString::to_string),
            features: choices(lang, "feature", Feature::KNOWN, &features),
            reserve: profile.reserve == Some(true),
        }
    }
}

/// The wards of a house, of which a bed may stand in one.
fn ward_choices(wards: &[&str], own: Option<&Label>) -> Vec<Choice> {
    let choice = |ward: &&str| Choice {
        code: (*ward).to_owned(),
        word: text::shown(ward),
        chosen: own.is_some_and(|own| own.as_str() == *ward),
    };
    wards.iter().map(choice).collect()
}

/// A window in its fields.
struct WindowRow {
    index: usize,
    number: usize,
    days: Vec<Choice>,
    from: String,
    to: String,
    care_types: Vec<Choice>,
}

/// `GET /l/{location}/inrichting`.
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
    let found = look.at(Action::Report, about, |state| {
        setup(state, &location, asked(&visit).as_ref(), lang).ok_or(Problem::NotThere)
    });
    let answered = found.map_err(|problem| visit.no(problem))?;
    let title = format!("{} {}", lang.t("setup"), answered.body.name);
    let known = answered.body.beds.as_ref().and_then(|beds| beds.known.as_ref());
    let query = known.map_or_else(String::new, |known| format!("?bed={}", known.bed));
    let page = SetupPage {
        position: answered.position,
        heard: text::clock_seconds(now, now, lang),
        house: answered.body,
        p: Page::new(visit, title, format!("/l/{location}/inrichting{query}")),
    };
    Ok(pages::page(StatusCode::OK, &page))
}

/// The number of the bed that is to be changed, or added (`?bed=`), if it can be one.
fn asked(visit: &Visit) -> Option<BedId> {
    let query = visit.here.split_once('?').map_or("", |(_, query)| query);
    let (_, number) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "bed")?;
    number.trim().parse().ok()
}

fn setup(state: &DeskState, location: &LocationId, asked: Option<&BedId>, lang: Lang) -> Option<Setup> {
    let profile = state.board.profile(location)?;
    let intake = state.locations.get(location);
    let windows = intake.and_then(|intake| intake.windows()).unwrap_or_default();
    let limits = intake.into_iter().flat_map(domain::desk::Intake::limits);
    Some(Setup {
        id: location.to_string(),
        name: text::called(&profile.name, &profile.location),
        site: SiteForm::of(profile, lang),
        beds: (profile.mode != LocationMode::Counts).then(|| beds(state, location, asked, lang)),
        windows: rows(windows, lang),
        limits: limits.map(|(care, period, max)| limit(care, period, max, lang)).collect(),
        care_types: choices(lang, "care", CareType::KNOWN, &[]),
        periods: choices(lang, "period", Period::KNOWN, &[]),
        max: PLACES_MAX,
    })
}

fn beds(state: &DeskState, location: &LocationId, asked: Option<&BedId>, lang: Lang) -> Beds {
    let mut all: Vec<_> = state.board.beds(location).collect();
    all.sort_by(|one, other| order(&one.bed).cmp(&order(&other.bed)));
    let is_free = |counts_as: CountsAs| !matches!(counts_as, CountsAs::Occupied(_) | CountsAs::Held);
    let free = all.iter().filter(|card| is_free(card.counts_as)).map(|card| card.bed.to_string());
    let wards: Vec<&str> = state.board.wards(location).into_iter().map(Label::as_str).collect();
    let known = asked.and_then(|bed| {
        let at = BedRef { location: location.clone(), bed: bed.clone() };
        Some(KnownBed::of(&state.board.bed_profile(&at)?, &wards, lang))
    });
    let numbers = all.iter().filter_map(|card| card.bed.as_str().parse::<u32>().ok());
    let after = numbers.max().unwrap_or(0).saturating_add(1).to_string();
    let bed = |card: &BedCard| Choice {
        code: card.bed.to_string(),
        word: card.bed.to_string(),
        chosen: asked == Some(&card.bed),
    };
    Beds {
        all: all.iter().map(bed).collect(),
        free: free.collect(),
        next: asked.filter(|_| known.is_none()).map_or(after, ToString::to_string),
        wards: ward_choices(&wards, None),
        features: choices(lang, "feature", Feature::KNOWN, &[]),
        known,
    }
}

/// 2 comes before 10.
fn order(bed: &BedId) -> (usize, &str) {
    (bed.as_str().len(), bed.as_str())
}

/// The windows there are, and some empty rows.
fn rows(windows: &[AdmissionWindow], lang: Lang) -> Vec<WindowRow> {
    let known = windows.iter().map(Some).chain(core::iter::repeat_n(None, MORE_WINDOWS));
    let row = |(index, window): (usize, Option<&AdmissionWindow>)| {
        let days: Vec<&str> =
            window.iter().flat_map(|window| &window.days).map(domain::Label::as_str).collect();
        let types: Vec<&str> =
            window.iter().flat_map(|window| &window.care_types).map(CareType::raw).collect();
        let (from, to) = window.map_or(BY_DAY, |window| (window.from.as_str(), window.to.as_str()));
        WindowRow {
            index,
            number: index.saturating_add(1),
            days: choices(lang, "day", &DAYS, &days),
            from: from.to_owned(),
            to: to.to_owned(),
            care_types: choices(lang, "care", CareType::KNOWN, &types),
        }
    };
    known.enumerate().map(row).collect()
}

/// A limit in words.
fn limit(care: Option<&CareType>, period: &Period, max: u32, lang: Lang) -> String {
    let care =
        care.map_or_else(|| lang.t("setup-every-care").to_owned(), |care| lang.code("care", care.raw()));
    let (period, max) = (lang.code("period", period.raw()).to_lowercase(), max.to_string());
    lang.tf("setup-limit", &[("care", &care), ("period", &period), ("max", &max)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_stand_in_their_fields_and_behind_them_are_empty_rows() {
        let window = AdmissionWindow {
            days: vec!["sa".parse().unwrap()],
            from: "10:00".parse().unwrap(),
            to: "12:30".parse().unwrap(),
            care_types: vec![CareType::ElvLc],
        };
        let rows = rows(&[window], Lang::Nl);
        assert_eq!(rows.len(), 1 + MORE_WINDOWS);
        let chosen = |choices: &[Choice]| -> Vec<String> {
            choices.iter().filter(|one| one.chosen).map(|one| one.code.clone()).collect()
        };
        let first = rows.first().unwrap();
        assert!(chosen(&first.days) == ["sa"] && chosen(&first.care_types) == ["ELV_LC"]);
        assert_eq!((first.from.as_str(), first.to.as_str()), ("10:00", "12:30"));
        assert!(rows.iter().skip(1).all(|row| chosen(&row.days).is_empty()));
    }
}
