//! Regiobeeld: the regions of a coordination centre at a glance, and a bed for somebody now.
//!
//! Not here: who can take somebody (`domain::matching`), what is told to a centre on the bus (`gateway`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::{Action, Role};
use domain::desk::State as DeskState;
use domain::matching::{Wanted, matching};
use domain::queries::AdmittableRow;
use domain::{CareType, Feature, Label, LocationId, Matched, ReferralId, ReferralProfile, RegionId};
use domain::{Timestamp, Urgency, Weights, queries};
use network::{AlertRule, CentreId};
use views::CareCode;

use super::alarms::{self, What};
use super::area::Postcode;
use super::hours;
use super::visit::{NotShown, Visit};
use super::words::say_at;
use crate::api::problem::Problem;
use crate::api::scope::Subject;
use crate::api::who;
use crate::board::{Overview, RegionTile};
use crate::cover::Cover;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::text;
use crate::words::Lang;

/// Locations that can not take somebody, as listed with their reasons; the nearest come first, the rest is counted.
const EXCLUDED_SHOWN_MAX: usize = 60;
/// Candidates on the page; a list nobody reads to its end is no list.
const CANDIDATES_SHOWN_MAX: usize = 40;
/// What is shown again of what was typed for a postcode.
const AREA_CHARS_MAX: usize = 12;
/// Locations on the list for the telephone. A centre has some hundreds at most.
const PLACES_SHOWN_MAX: usize = 400;

#[derive(Template)]
#[template(path = "centre.html")]
struct CentrePage {
    p: Page,
    code: String,
    name: String,
    position: u64,
    heard: String,
    follow: String,
    sought: Sought,
    found: Option<Found>,
    tiles: Vec<RegionTile>,
    alarms: Vec<AlarmLine>,
    has_rules: bool,
    crises: Vec<Crises>,
    lists: [List; 2],
    desks: Vec<DeskLine>,
}

/// The desk of one of its regions, for the telephone.
struct DeskLine {
    region: String,
    name: String,
    phone: String,
    hours: String,
    /// Who stands in for it now.
    cover: Option<Cover>,
}

/// Locations for the telephone: those that can admit now, or those with free beds that can not.
struct List {
    /// The key of its title, and of what is said if nobody is on it.
    title: &'static str,
    empty: &'static str,
    places: Vec<Place>,
    left_off: usize,
}

/// What is asked for a patient.
#[derive(Clone, Debug, Default)]
struct Sought {
    care_type: String,
    /// As it was typed.
    area: String,
    /// What it was taken for; nothing if it is none.
    postcode: Option<Postcode>,
    urgency: String,
    features: BTreeSet<String>,
}

impl Sought {
    fn of(query: &str) -> Self {
        let mut sought = Self { urgency: "crisis".to_owned(), ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            match &*name {
                "zorgsoort" if CareType::KNOWN.contains(&value) => value.clone_into(&mut sought.care_type),
                "gebied" => {
                    sought.area = value.chars().take(AREA_CHARS_MAX).collect();
                    sought.postcode = value.parse().ok();
                }
                "spoed" if Urgency::KNOWN.contains(&value) => value.clone_into(&mut sought.urgency),
                "kenmerk" if Feature::KNOWN.contains(&value) => {
                    sought.features.insert(value.to_owned());
                }
                _ => {}
            }
        }
        sought
    }

    /// What was typed for the area is none.
    fn bad_area(&self) -> bool {
        !self.area.is_empty() && self.postcode.is_none()
    }

    /// As it is asked of the matching, for nobody's referral. Nothing is recorded of it.
    fn wanted(&self, regions: &[RegionId], now: Timestamp) -> Option<Wanted> {
        if self.care_type.is_empty() {
            return None;
        }
        let care_type = CareType::from(&*self.care_type);
        let profile = ReferralProfile {
            referral: ReferralId::new(uuid::Uuid::now_v7())?,
            origin: "other".into(),
            care_type: Some(care_type.clone()),
            urgency: Urgency::from(&*self.urgency),
            ready_since: None,
            wished_at: None,
            area: self.postcode.as_ref().and_then(|postcode| Label::try_from(&*postcode.area).ok()),
            age_band: None,
            sex: None,
            constraints: self.features.iter().map(|code| Feature::from(code.as_str())).collect(),
            expected_days: None,
            purpose: None,
            channel: Label::try_from("centre").ok()?,
            payer: None,
            consent: false,
            callback_desk: None,
            sealed: None,
        };
        let (regions, wished) = (regions.to_vec(), Vec::new());
        Some(Wanted { profile, care_type, moment: now, regions, wished, weights: Weights::default() })
    }

    fn is(&self, list: &str, code: &str) -> bool {
        match list {
            "care" => self.care_type == code,
            "urgency" => self.urgency == code,
            _ => self.features.contains(code),
        }
    }
}

/// Who can take somebody now, and who can not.
struct Found {
    candidates: Vec<Can>,
    candidates_more: usize,
    excluded: Vec<Cannot>,
    excluded_more: usize,
}

/// How a location is reached, and how old its word is.
#[derive(Clone, Debug, Default)]
struct Reached {
    name: String,
    region: String,
    /// The number that is answered now.
    phone: Option<String>,
    word: String,
    age: String,
    old: bool,
}

impl Reached {
    fn tel(&self) -> Option<String> {
        text::tel(self.phone.as_deref()?)
    }
}

struct Can {
    at: Reached,
    minutes: Option<u32>,
    /// How many it can admit now, in words.
    admits: Option<String>,
    score: u32,
    why: Vec<String>,
}

struct Cannot {
    at: Reached,
    why: Vec<String>,
}

struct AlarmLine {
    region: String,
    code: String,
    text: String,
    since: Option<String>,
    age: Option<String>,
}

/// The crisis referrals of a region.
struct Crises {
    region: String,
    counted: queries::Crises,
}

/// Free beds of a type.
struct Free {
    care_type: CareCode,
    count: u32,
    /// Beds of another type that can be used for this one, counted there too.
    also: u32,
    /// From when on somebody can be admitted, or why not now; nothing if now.
    later: Option<String>,
}

/// A location with free beds, for the telephone.
struct Place {
    region: String,
    name: String,
    free: Vec<Free>,
    phone: Option<String>,
    phone_night: Option<String>,
    word: String,
    old: bool,
}

impl CentrePage {
    /// The care types, urgencies and features of the form.
    fn codes(&self) -> [&'static [&'static str]; 3] {
        let _ = self;
        [CareType::KNOWN, Urgency::KNOWN, Feature::KNOWN]
    }
}

/// The regions of a centre, if whoever looks may look for a place in each of them; else none.
pub(crate) fn regions_of(portal: &Portal, visit: &Visit, code: &str) -> Vec<RegionId> {
    permitted(portal, visit, code).unwrap_or_default()
}

fn permitted(portal: &Portal, visit: &Visit, code: &str) -> Result<Vec<RegionId>, Problem> {
    let principal = &visit.signed.as_ref().ok_or(Problem::Unknown)?.principal;
    who::check_role(principal, Action::Matching)?;
    let known = code.parse::<CentreId>().ok().and_then(|id| portal.app.network.centre(&id));
    let regions = match (known, &principal.role) {
        (Some(centre), _) => centre.regions.clone(),
        // One that the network file has as a source only coordinates the region of that source.
        (None, Role::Centre { centre, regions }) if centre.as_str() == code => {
            regions.iter().cloned().collect()
        }
        (None, _) => return Err(Problem::NotThere),
    };
    portal.app.desk.state().read(|state| {
        for region in &regions {
            who::check(principal, Action::Matching, &Subject::region(state, region, visit.now).about)?;
        }
        if regions.is_empty() { Err(Problem::NotThere) } else { Ok(regions) }
    })
}

/// `GET /c/{centre}`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    Path(code): Path<String>,
) -> Result<Response, NotShown> {
    visit.signed()?;
    let regions = permitted(&portal, &visit, &code).map_err(|no| visit.no(no))?;
    visit.caught_up(&portal).await;
    let query = visit.here.split_once('?').map_or("", |(_, query)| query);
    let sought = Sought::of(query);
    let (name, rules) = {
        let network = portal.app.registry.borrow();
        let centre = code.parse::<CentreId>().ok().and_then(|id| network.centre(&id).cloned());
        centre.map_or_else(
            || (code.clone(), Vec::new()),
            |centre| (text::shown(centre.name.as_str()), centre.alerts),
        )
    };
    let now = (portal.app.now)();
    let lang = visit.lang;
    let page = portal.app.desk.state().read(|state| {
        let sight = Sight { portal: &portal, state, regions: &regions, now, lang };
        CentrePage {
            position: state.position(),
            heard: text::clock_seconds(now, now, lang),
            follow: format!("/volgen/c/{code}"),
            found: sought.wanted(&regions, visit.now).map(|wanted| sight.found(&wanted)),
            tiles: sight.tiles(),
            alarms: sight.alarms(&rules, visit.now),
            has_rules: !rules.is_empty(),
            crises: sight.crises(),
            lists: sight.lists(visit.now),
            desks: sight.desks(visit.now),
            p: Page::of(visit, "centre"),
            code,
            name,
            sought,
        }
    });
    Ok(pages::page(StatusCode::OK, &page))
}

/// What is looked at.
struct Sight<'a> {
    portal: &'a Portal,
    state: &'a DeskState,
    regions: &'a [RegionId],
    now: Timestamp,
    lang: Lang,
}

impl Sight<'_> {
    fn region(&self, region: &RegionId) -> String {
        let known = self.portal.app.network.region(region);
        known.map_or_else(|| region.to_string(), |region| text::shown(region.name.as_str()))
    }

    fn reached(&self, location: &LocationId) -> Reached {
        let Some(card) = self.state.board.location(location) else {
            return Reached { name: location.to_string(), ..Reached::default() };
        };
        Reached {
            name: text::called(&card.name, &card.location),
            region: self.region(&card.region),
            phone: queries::phone(&card, self.now).map(|phone| text::shown(phone.as_str())),
            word: text::clock(card.last_word.at, self.now, self.lang),
            age: text::age(card.last_word.at, self.now, self.lang),
            old: text::is_stale(card.last_word.at, self.now),
        }
    }

    fn found(&self, wanted: &Wanted) -> Found {
        let matched: Matched = matching(self.state, wanted);
        let admit = |region| queries::admittable(self.state, region, wanted.moment);
        let rows: Vec<AdmittableRow> = wanted.regions.iter().flat_map(admit).collect();
        let can = |one: &domain::Candidate| {
            let care_type = CareCode::from(&one.care_type);
            let own = |row: &&AdmittableRow| row.location == one.location && row.care_type == care_type;
            Can {
                at: self.reached(&one.location),
                minutes: one.minutes,
                admits: rows.iter().find(own).and_then(|row| admits(row, self.lang)),
                score: one.score,
                why: matched.why(one).into_iter().map(|why| say_at(self.lang, why, self.now)).collect(),
            }
        };
        let cannot = |one: &domain::Excluded| Cannot {
            at: self.reached(&one.location),
            why: one.why().into_iter().map(|why| say_at(self.lang, why, self.now)).collect(),
        };
        // Whoever does not give this care at all is not worth a call.
        let near: Vec<_> = matched.excluded.iter().filter(|one| gives(self.state, one, wanted)).collect();
        Found {
            candidates: matched.candidates.iter().take(CANDIDATES_SHOWN_MAX).map(can).collect(),
            candidates_more: matched.candidates.len().saturating_sub(CANDIDATES_SHOWN_MAX),
            excluded: near.iter().take(EXCLUDED_SHOWN_MAX).map(|one| cannot(one)).collect(),
            excluded_more: matched.excluded.len().saturating_sub(near.len().min(EXCLUDED_SHOWN_MAX)),
        }
    }

    /// The tiles of its regions, moved to the corner of the map.
    fn tiles(&self) -> Vec<RegionTile> {
        let all = Overview::of(&self.state.board, &self.portal.app.network, None).tiles;
        let own = |tile: &RegionTile| self.regions.iter().any(|region| region.as_str() == tile.code);
        let mut tiles: Vec<RegionTile> = all.into_iter().filter(own).collect();
        let places = || tiles.iter().filter_map(|tile| tile.tile);
        let left = places().map(|tile| tile.column).min().unwrap_or(0);
        let top = places().map(|tile| tile.row).min().unwrap_or(0);
        for tile in tiles.iter_mut().filter_map(|tile| tile.tile.as_mut()) {
            tile.column = tile.column.saturating_sub(left);
            tile.row = tile.row.saturating_sub(top);
        }
        tiles
    }

    fn alarms(&self, rules: &[AlertRule], now: Timestamp) -> Vec<AlarmLine> {
        let found = alarms::alarms(self.state, self.regions, rules, now);
        let raised = Arc::clone(&self.portal.app.raised.borrow());
        let line = |alarm: alarms::Alarm| {
            let since = alarm.since.or_else(|| alarms::raised_at(&alarm, &raised));
            AlarmLine {
                region: self.region(&alarm.region),
                text: self.alarm(&alarm.what),
                since: since.map(|at| text::clock(at, now, self.lang)),
                age: since.map(|at| text::age(at, now, self.lang)),
                code: alarm.region.to_string(),
            }
        };
        found.into_iter().map(line).collect()
    }

    fn alarm(&self, what: &What) -> String {
        let lang = self.lang;
        match what {
            What::OfferableBelow { care_type, offerable, below } => lang.tf(
                "centre-offerable-below",
                &[
                    ("care", lang.care_type(care_type.as_str())),
                    ("count", &offerable.to_string()),
                    ("below", &below.to_string()),
                ],
            ),
            What::CrisisUnplaced { minutes, referrals } => lang.tf(
                "centre-crisis-unplaced",
                &[("count", &referrals.to_string()), ("minutes", &minutes.to_string())],
            ),
            What::LocationSilent { hours, location } => lang.tf(
                "centre-location-silent",
                &[("name", &self.reached(location).name), ("hours", &hours.to_string())],
            ),
            What::RegionSilent { hours } => lang.tf("centre-region-silent", &[("hours", &hours.to_string())]),
        }
    }

    fn crises(&self) -> Vec<Crises> {
        let crises = |region: &RegionId| Crises {
            region: self.region(region),
            counted: queries::crises(self.state, region),
        };
        self.regions.iter().map(crises).collect()
    }

    /// The desks of its regions, and who stands in for them.
    fn desks(&self, at: Timestamp) -> Vec<DeskLine> {
        let network = &self.portal.app.network;
        let known = self.regions.iter().filter_map(|region| network.region(region));
        let line = |region: &network::Region| DeskLine {
            region: text::shown(region.name.as_str()),
            name: text::shown(region.desk.name.as_str()),
            phone: text::shown(region.desk.phone.as_str()),
            hours: text::shown(region.desk.hours.as_str()),
            cover: Cover::of(network, self.state, &region.code, at, self.lang),
        };
        known.map(line).collect()
    }

    /// Every location with free beds: who can admit now first, then who can not, and from when.
    fn lists(&self, at: Timestamp) -> [List; 2] {
        let (mut now, mut later) = (Vec::new(), Vec::new());
        for region in self.regions {
            let mut free: BTreeMap<LocationId, (Vec<Free>, Vec<Free>)> = BTreeMap::new();
            let rows = queries::admittable(self.state, region, at).into_iter();
            for row in rows.filter(|row| row.offerable > 0 || row.also_offerable > 0) {
                let (possible, not_yet) = free.entry(row.location.clone()).or_default();
                let care_type = row.care_type;
                if row.admittable > 0 || row.also_admittable > 0 {
                    let (count, also) = (row.admittable, row.also_admittable);
                    possible.push(Free { care_type, count, also, later: None });
                } else {
                    let later = Some(self.later(region, &row, at));
                    let (count, also) = (row.offerable, row.also_offerable);
                    not_yet.push(Free { care_type, count, also, later });
                }
            }
            for (location, (possible, not_yet)) in free {
                now.extend(self.place(region, &location, possible));
                later.extend(self.place(region, &location, not_yet));
            }
        }
        let list = |title, empty, mut places: Vec<Place>| {
            let left_off = places.len().saturating_sub(PLACES_SHOWN_MAX);
            places.truncate(PLACES_SHOWN_MAX);
            List { title, empty, places, left_off }
        };
        [list("centre-admits", "centre-none-free", now), list("centre-admits-later", "", later)]
    }

    /// From when on a location can admit that can not now, and why it can not where that is not its hours.
    fn later(&self, region: &RegionId, row: &queries::AdmittableRow, at: Timestamp) -> String {
        let intake = self.state.locations.get(&row.location);
        let care_type = CareType::from(row.care_type.as_str());
        let opening = queries::opening(self.state, region, &row.location, row.care_type, at);
        let opens = opening.map(|opening| opening.at);
        let from = opens.or_else(|| intake.and_then(|intake| intake.admits_from(&care_type, at)));
        let why_less = if row.offerable > 0 { &row.why_less } else { &row.also_why_less };
        match from {
            Some(from) if *why_less == [queries::WhyLess::OutsideWindow] => {
                self.lang.tf("centre-from", &[("at", &text::clock(from, at, self.lang))])
            }
            Some(_) | None => {
                let why = hours::reasons(self.lang, intake, row, why_less).into_iter();
                let opens = hours::opens(self.lang, self.state, region, row, at);
                why.chain(opens).collect::<Vec<_>>().join(" ")
            }
        }
    }

    fn place(&self, region: &RegionId, location: &LocationId, free: Vec<Free>) -> Option<Place> {
        let card = self.state.board.location(location).filter(|_| !free.is_empty())?;
        let number = |phone: Option<Label>| phone.map(|phone| text::shown(phone.as_str()));
        Some(Place {
            region: self.region(region),
            name: text::called(&card.name, &card.location),
            free,
            word: text::clock(card.last_word.at, self.now, self.lang),
            old: text::is_stale(card.last_word.at, self.now),
            phone: number(card.phone),
            phone_night: number(card.phone_night),
        })
    }
}

/// How many can be admitted now, of how many free beds where that is less, and how many of another type: as on the list for the
/// telephone.
fn admits(row: &AdmittableRow, lang: Lang) -> Option<String> {
    let [count, free, also] = [row.admittable, row.offerable, row.also_admittable].map(|n| n.to_string());
    let own = if row.admittable < row.offerable {
        Some(lang.tf("centre-free-of", &[("count", &count), ("free", &free)]))
    } else {
        (row.offerable > 0).then(|| lang.tf("centre-free", &[("count", &free)]))
    };
    let also = (row.also_admittable > 0).then(|| lang.tf("centre-also", &[("count", &also)]));
    let said: Vec<String> = own.into_iter().chain(also).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn gives(state: &DeskState, excluded: &domain::Excluded, wanted: &Wanted) -> bool {
    state.board.gives(&excluded.location, &wanted.care_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_of_the_contract_is_not_asked_for() {
        let sought = Sought::of("zorgsoort=ELV_LC&gebied=35&kenmerk=hoist&kenmerk=<b>&spoed=nu&x=1");
        assert_eq!((&*sought.care_type, &*sought.urgency, sought.bad_area()), ("ELV_LC", "crisis", false));
        assert_eq!(sought.features.iter().collect::<Vec<_>>(), ["hoist"]);
        assert!(Sought::of("zorgsoort=JANSEN").wanted(&[], Timestamp::default()).is_none());
    }

    #[test]
    fn an_area_that_is_none_leaves_the_distance_unknown() {
        for text in ["gebied=xx", "gebied=9", "gebied=09", "gebied=é1", "gebied=3511+Jan"] {
            let sought = Sought::of(&format!("zorgsoort=GRZ&{text}"));
            let wanted = sought.wanted(&[], Timestamp::default()).unwrap();
            assert!(sought.bad_area() && wanted.profile.area.is_none(), "{text}");
        }
        for typed in ["35", "351", "3511", "3511+ab", "3511AB"] {
            let sought = Sought::of(&format!("zorgsoort=GRZ&gebied={typed}"));
            let wanted = sought.wanted(&[], Timestamp::default()).unwrap();
            assert!(!sought.bad_area(), "{typed}");
            assert_eq!(wanted.profile.area.unwrap().as_str(), "35", "no more of it is kept than needed");
        }
    }
}
