//! `/r/{region}/werklijst`: what needs the desk now, who is on duty, and under which rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Action;
use domain::desk::{End, State as DeskState};
use domain::queries::{self, WorkItem, WorkKind};
use domain::{ContactKind, LocationId, RegionId, RuleSet, Timestamp, Urgency};
use network::Network;

use crate::api::request::Parts;
use crate::cover::Cover;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::site::visit::{NotShown, Visit};
use crate::site::words::{Called, Choice, Phone, When, called, choices, say};
use crate::text;
use crate::words::Lang;

#[derive(Template)]
#[template(path = "worklist.html")]
struct WorklistPage {
    p: Page,
    region: String,
    name: String,
    position: u64,
    heard: String,
    list: List,
    contact_kinds: Vec<Choice>,
    desks: Vec<(String, String)>,
}

/// What is shown of a region's work.
struct List {
    items: Vec<Item>,
    /// What does not fit, beside the work.
    odd: Vec<Odd>,
    odd_count: usize,
    left_off: usize,
    late: usize,
    /// Who stands in, and until when.
    deputy: Option<Cover>,
    rules: &'static str,
    crisis: bool,
    may_switch: bool,
    open: usize,
    /// The crisis referrals among them, as a centre counts them too.
    crises: queries::Crises,
}

/// One thing to do.
struct Item {
    what: String,
    urgency: Option<(String, String)>,
    due: When,
    /// The moment is a deadline; otherwise it is since then.
    deadline: bool,
    late: bool,
    /// Where it is done.
    to: Option<String>,
    about: String,
    location: Option<Called>,
    phone: Option<Phone>,
    /// A silent location that can be asked whether the board still holds.
    ask: Option<String>,
}

/// What does not fit, of one kind and at one location.
struct Odd {
    what: String,
    location: Option<Called>,
    since: String,
    /// Each with its address, what it is about, and where somebody was expected instead.
    each: Vec<(Option<String>, String, Option<String>)>,
    count: usize,
    /// How many of them are not shown.
    more: usize,
}

/// Of what does not fit so many are shown of one kind and location; the rest is counted.
const ODD_EACH_MAX: usize = 20;

/// What has no deadline and began longer ago than this stands after what began since, in microseconds: a day.
const FRESH_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// `GET /r/{region}/werklijst`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
) -> Result<Response, NotShown> {
    visit.caught_up(&portal).await;
    let look = visit.look(&portal, Parts::one("region", &code))?;
    let (lang, now) = (visit.lang, visit.now);
    let found = look.at_region(Action::Worklist, |state, region| {
        Ok((list(state, &portal.app.network, region, &visit), region.clone()))
    });
    let answered = found.map_err(|problem| visit.no(problem))?;
    let (list, region) = answered.body;
    let known = portal.app.network.region(&region);
    let name = known.map_or_else(|| code.clone(), |known| text::shown(known.name.as_str()));
    let others = portal.app.network.regions().filter(|other| other.code != region);
    let desks = others.map(|other| (other.code.to_string(), text::shown(other.name.as_str())));
    let centres = portal.app.network.centres().filter(|centre| centre.regions.contains(&region));
    let centres = centres.map(|centre| (centre.code.to_string(), text::shown(centre.name.as_str())));
    let mut desks: Vec<(String, String)> = desks.chain(centres).collect();
    desks.sort_by(|one, other| one.1.cmp(&other.1));
    let p = Page::of(visit, "worklist");
    let page = WorklistPage {
        region: region.to_string(),
        name,
        position: answered.position,
        heard: text::clock_seconds(now, now, lang),
        list,
        contact_kinds: choices(lang, "contact", ContactKind::KNOWN, &[]),
        desks,
        p,
    };
    Ok(pages::page(StatusCode::OK, &page))
}

fn list(state: &DeskState, network: &Network, region: &RegionId, visit: &Visit) -> List {
    let (lang, now) = (visit.lang, visit.now);
    let found = queries::worklist(state, region, now);
    let (odd, mut work): (Vec<WorkItem>, Vec<WorkItem>) =
        found.items.into_iter().partition(|item| item.kind == WorkKind::Contradiction);
    work.sort_by_key(|item| order(item, now));
    let mut items: Vec<Item> = work.into_iter().map(|item| shown(state, item, now, lang)).collect();
    if !visit.may_in(state, Action::AskConfirmation, region) {
        for item in &mut items {
            item.ask = None;
        }
    }
    let rule_set = state.rule_sets.get(region).unwrap_or(&RuleSet::Normal);
    List {
        late: items.iter().filter(|item| item.late).count(),
        items,
        odd_count: odd.len(),
        odd: odds(state, odd, now, lang),
        left_off: found.left_off,
        deputy: Cover::of(network, state, region, now, lang),
        rules: if *rule_set == RuleSet::Crisis { "rules-crisis" } else { "rules-normal" },
        crisis: *rule_set == RuleSet::Crisis,
        may_switch: visit.may_in(state, Action::SwitchRuleSet, region),
        open: state.referrals.values().filter(|known| known.region == *region && known.end.is_none()).count(),
        crises: queries::crises(state, region),
    }
}

/// Within one urgency: what has a deadline by that, then what began today, then what stands longer.
fn order(item: &WorkItem, now: Timestamp) -> (u8, u8, Timestamp) {
    let rank = match &item.urgency {
        Some(Urgency::Crisis) => 0,
        Some(Urgency::Urgent | Urgency::Other(_)) => 1,
        Some(Urgency::Planned) => 2,
        None => 3,
    };
    let fresh = item.due.saturating_add_micros(FRESH_MICROS) >= now;
    let group = match (has_deadline(item, now), fresh) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    };
    (rank, group, item.due)
}

/// What does not fit, equal ones together, the most first.
fn odds(state: &DeskState, found: Vec<WorkItem>, now: Timestamp, lang: Lang) -> Vec<Odd> {
    let mut groups: BTreeMap<(String, Option<LocationId>), Vec<WorkItem>> = BTreeMap::new();
    for item in found {
        let code = item.about.as_ref().map_or_else(String::new, ToString::to_string);
        let location = item.location.clone().or_else(|| came_to(state, &item));
        groups.entry((code, location)).or_default().push(item);
    }
    let odd = |((code, location), items): ((String, Option<LocationId>), Vec<WorkItem>)| Odd {
        what: lang.code("odd", &code),
        location: location.map(|location| called(state, &location, now, lang)),
        since: items
            .iter()
            .map(|item| item.due)
            .min()
            .map_or_else(String::new, |at| text::clock(at, now, lang)),
        count: items.len(),
        more: items.len().saturating_sub(ODD_EACH_MAX),
        each: items.iter().take(ODD_EACH_MAX).map(|item| odd_one(state, item, now, lang)).collect(),
    };
    let mut all: Vec<Odd> = groups.into_iter().map(odd).collect();
    all.sort_by_key(|odd| std::cmp::Reverse(odd.count));
    all
}

fn odd_one(
    state: &DeskState,
    item: &WorkItem,
    now: Timestamp,
    lang: Lang,
) -> (Option<String>, String, Option<String>) {
    let referral = item.referral.and_then(|referral| state.referrals.get(&referral));
    let chosen = referral.and_then(domain::desk::Referral::winner).map(|winner| &winner.location);
    let chosen = chosen.filter(|chosen| came_to(state, item).as_ref() != Some(*chosen));
    (
        item.referral.map(|referral| format!("/aanmelding/{referral}")),
        referral
            .map_or_else(|| text::clock(item.due, now, lang), |known| super::referral::in_short(known, lang)),
        chosen.map(|chosen| called(state, chosen, now, lang).name),
    )
}

/// Where somebody came in, of whom it is.
fn came_to(state: &DeskState, item: &WorkItem) -> Option<LocationId> {
    let End::Admitted(stay) = state.referrals.get(&item.referral?)?.end.as_ref()? else { return None };
    Some(state.stays.get(stay)?.place.location.clone())
}

/// One thing to do, as it is shown.
fn shown(state: &DeskState, item: WorkItem, now: Timestamp, lang: Lang) -> Item {
    let to = match (item.referral, item.stay, &item.location) {
        (Some(referral), _, _) => Some(format!("/aanmelding/{referral}")),
        (None, Some(stay), _) => Some(format!("/verblijf/{stay}")),
        (None, None, Some(location)) => Some(format!("/l/{location}")),
        (None, None, None) => None,
    };
    let profile = item.referral.and_then(|referral| state.referrals.get(&referral));
    let profile = profile.map(|known| super::referral::in_short(known, lang));
    let about = item.about.as_ref().map(|about| match item.kind {
        WorkKind::StayWaiting => lang.code("waits", about.as_str()),
        WorkKind::Contradiction => lang.code("odd", about.as_str()),
        WorkKind::PlaceInDoubt => lang.code("doubt", about.as_str()),
        WorkKind::FindPlace => lang.code("offer", about.as_str()),
        WorkKind::HoldOverdue
        | WorkKind::CallLocation
        | WorkKind::HoldRunsOut
        | WorkKind::TakeOver
        | WorkKind::Triage
        | WorkKind::Choose
        | WorkKind::DoctorsAgreement
        | WorkKind::AgreeArrival
        | WorkKind::CallBack
        | WorkKind::AwaitAnswer
        | WorkKind::AwaitTakeOver
        | WorkKind::StayPastExpected
        | WorkKind::SilentLocation => text::shown(about.as_str()),
    });
    let deadline = has_deadline(&item, now);
    let silent = item.location.as_ref().filter(|_| item.kind == WorkKind::SilentLocation);
    let asked_at = silent.and_then(|location| state.locations.get(location)?.asked_at);
    let asked = asked_at.map(|at| lang.tf("desk-confirmation-asked", &[("at", &text::clock(at, now, lang))]));
    Item {
        ask: silent.filter(|_| asked_at.is_none()).map(ToString::to_string),
        what: say(lang, item.kind.sentence()),
        urgency: item.urgency.as_ref().map(|urgency| tag(urgency, lang)),
        due: When::of(item.due, now, lang),
        late: item.late && deadline,
        deadline,
        to,
        about: profile.into_iter().chain(about).chain(asked).collect::<Vec<_>>().join(" · "),
        phone: item.phone.map(|phone| Phone::of(phone.as_str())),
        location: item.location.map(|location| called(state, &location, now, lang)),
    }
}

/// Whether something has to be done by its moment; what lies ahead is never "since".
fn has_deadline(item: &WorkItem, now: Timestamp) -> bool {
    is_deadline(item.kind) || item.due > now
}

/// Whether its moment is one by which something has to be done; otherwise it is so since then.
const fn is_deadline(kind: WorkKind) -> bool {
    match kind {
        WorkKind::PlaceInDoubt
        | WorkKind::HoldOverdue
        | WorkKind::CallLocation
        | WorkKind::HoldRunsOut
        | WorkKind::AwaitAnswer
        | WorkKind::AgreeArrival
        | WorkKind::StayPastExpected => true,
        WorkKind::TakeOver
        | WorkKind::Triage
        | WorkKind::FindPlace
        | WorkKind::Choose
        | WorkKind::DoctorsAgreement
        | WorkKind::CallBack
        | WorkKind::AwaitTakeOver
        | WorkKind::Contradiction
        | WorkKind::StayWaiting
        | WorkKind::SilentLocation => false,
    }
}

/// The class and the word of an urgency.
pub(crate) fn tag(urgency: &Urgency, lang: Lang) -> (String, String) {
    (urgency.code().to_owned(), lang.code("urgency", urgency.raw()))
}
