//! The beds of a location with what can be said of each in one tap, or its counts.
//!
//! Only what makes sense in the state of a bed is offered. Not here: what a word does (`domain::availability`).

use std::collections::{BTreeMap, BTreeSet};

use domain::access::Action;
use domain::availability::Readiness;
use domain::desk::Stay;
use domain::{BedId, BedRef, CareType, EventId, StayId, Timestamp};
use views::{BedCard, CareCode, Counts, CountsAs};

use super::Scene;
use crate::site::visit::Visit;
use crate::text;

/// What was said longer ago than a shift is no slip of the finger any more.
const UNDO_WITHIN_MICROS: i64 = 8 * 3_600 * 1_000_000;

/// A house with more beds than this shows all that can be said of a bed only for the one that is asked for (`?bed=`): its page
/// stays small for a telephone.
const OPEN_BEDS_MAX: usize = 20;

/// A ward with its beds.
pub(super) struct Ward {
    /// Nothing for beds of which no ward was said.
    pub(super) name: Option<String>,
    /// Why admissions to it are stopped, and since when.
    pub(super) stopped: Option<String>,
    pub(super) beds: Vec<Bed>,
}

/// One bed.
pub(super) struct Bed {
    pub(super) id: String,
    /// The class it is drawn with.
    pub(super) class: &'static str,
    /// How it is.
    pub(super) said: String,
    /// The keys of what is so beside that.
    pub(super) marks: Vec<&'static str>,
    pub(super) care: &'static str,
    pub(super) care_code: &'static str,
    /// Who is in it, for whoever may know.
    pub(super) stay: Option<String>,
    /// What can be said of it at once.
    pub(super) taps: Vec<Tap>,
    /// What can be said of it besides.
    pub(super) more: Vec<Tap>,
    /// The event of the last tap, if it can be taken back.
    pub(super) undo: Option<EventId>,
    /// The stay whose admission was tapped, if that can be taken back.
    pub(super) not_come: Option<String>,
    /// Somebody can come in without a referral.
    pub(super) admit: bool,
    /// It can be taken out of use.
    pub(super) close: bool,
    /// Whether it can be kept back, or given free again.
    pub(super) reserve: Option<bool>,
    /// Where all that can be said of it is shown, if that is not here.
    pub(super) elsewhere: Option<String>,
}

/// A word about a bed.
pub(super) struct Tap {
    /// As it stands in the address.
    pub(super) word: &'static str,
    /// The key of what the button says.
    pub(super) key: &'static str,
    /// The one that is meant most often.
    pub(super) main: bool,
}

/// One care type in the count of a location.
pub(super) struct CountRow {
    pub(super) index: usize,
    pub(super) code: String,
    pub(super) care: &'static str,
    /// What stands, or nothing if it was never counted.
    pub(super) counts: Option<Counts>,
}

/// The beds by ward, and how many are how.
pub(super) fn wards(scene: &Scene<'_>) -> (Vec<Ward>, Vec<(&'static str, String, usize)>) {
    let mut wards: BTreeMap<Option<String>, Vec<Bed>> = BTreeMap::new();
    let mut sums: BTreeMap<u8, (&'static str, String, usize)> = BTreeMap::new();
    let many = scene.state.board.beds(scene.location).count() > OPEN_BEDS_MAX;
    let query = scene.visit.here.split_once('?').map_or("", |(_, query)| query);
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("bed="));
    for card in scene.state.board.beds(scene.location) {
        let (order, class, key) = standing(&card);
        let said = scene.lang().code("bed", key);
        let sum = sums.entry(order).or_insert_with(|| (class, said.clone(), 0));
        sum.2 = sum.2.saturating_add(1);
        let ward = card.ward.as_ref().map(|ward| text::shown(ward.as_str()));
        let mut bed = bed(scene, &card, class, said);
        if many && asked != Some(&*bed.id) {
            bed.elsewhere = Some(format!("/l/{}?bed={}#bed-{}", scene.location, bed.id, bed.id));
        }
        wards.entry(ward).or_default().push(bed);
    }
    let wards = wards.into_iter().map(|(name, mut beds)| {
        // 2 comes before 10.
        beds.sort_by(|one, other| (one.id.len(), &one.id).cmp(&(other.id.len(), &other.id)));
        Ward { name, stopped: None, beds }
    });
    (wards.collect(), sums.into_values().collect())
}

/// The order among the others, the class and the code of how a bed is.
pub(in crate::site) fn standing(card: &BedCard) -> (u8, &'static str, &'static str) {
    match (card.counts_as, card.readiness) {
        (CountsAs::Offerable, _) => (0, "offerable", "offerable"),
        (CountsAs::Held, _) => (1, "held", "held"),
        (CountsAs::NotReady, Readiness::Ready | Readiness::Cleaning) => (2, "not-ready", "not-ready"),
        (CountsAs::NotReady, Readiness::Contaminated) => (3, "not-ready", "contaminated"),
        (CountsAs::Occupied(_), _) => (4, "occupied", "occupied"),
        (CountsAs::Reserve, _) => (5, "reserve", "reserve"),
        (CountsAs::Unstaffed, _) => (6, "closed", "unstaffed"),
        (CountsAs::Closed, _) if card.closed => (7, "closed", "closed"),
        (CountsAs::Closed, _) => (8, "closed", "stopped"),
    }
}

fn bed(scene: &Scene<'_>, card: &BedCard, class: &'static str, said: String) -> Bed {
    let at = BedRef { location: scene.location.clone(), bed: card.bed.clone() };
    let source = scene.visit.signed.as_ref().map(|signed| &signed.principal.source);
    let undo = source.and_then(|source| scene.state.board.correctable(&at, source));
    let (stay, free) = match card.counts_as {
        CountsAs::Occupied(stay) => (Some(stay), false),
        CountsAs::Held => (None, false),
        CountsAs::NotReady
        | CountsAs::Closed
        | CountsAs::Unstaffed
        | CountsAs::Reserve
        | CountsAs::Offerable => (None, true),
    };
    let may_admit = scene.may(Action::Admit) && !scene.state.board.is_stopped(scene.location);
    let not_come = stay.filter(|stay| was_just_admitted(scene, *stay));
    let (taps, more) = words(card, stay.is_some());
    Bed {
        id: card.bed.to_string(),
        class,
        said,
        marks: marks(card),
        care: scene.lang().care_type(card.care_type.as_str()),
        care_code: card.care_type.as_str(),
        stay: stay.filter(|_| scene.may(Action::Stay)).map(|stay| stay.to_string()),
        taps,
        more,
        undo: undo.filter(|event| is_recent(*event, scene.now())),
        not_come: not_come.map(|stay| stay.to_string()),
        admit: may_admit && free && !card.closed && card.readiness == Readiness::Ready,
        close: !card.closed,
        reserve: free.then_some(!card.reserve),
        elsewhere: None,
    }
}

/// What is so of a bed beside what it counts as.
pub(in crate::site) fn marks(card: &BedCard) -> Vec<&'static str> {
    let counts = card.counts_as;
    let occupied = matches!(counts, CountsAs::Occupied(_) | CountsAs::Held);
    [
        (occupied && card.readiness == Readiness::Contaminated, "bed-contaminated"),
        (occupied && card.readiness == Readiness::Cleaning, "bed-not-ready"),
        (card.closed && counts != CountsAs::Closed, "bed-closed"),
        (card.unstaffed && counts != CountsAs::Unstaffed, "bed-unstaffed"),
        (card.reserve && counts != CountsAs::Reserve, "bed-reserve"),
    ]
    .into_iter()
    .filter_map(|(so, key)| so.then_some(key))
    .collect()
}

/// What can be said of a bed: at once, and besides. Who is in a bed is not freed out of it: that is a discharge, or the bed is
/// empty and has to be cleaned.
fn words(card: &BedCard, occupied: bool) -> (Vec<Tap>, Vec<Tap>) {
    let ready = card.readiness == Readiness::Ready;
    let all = [
        (occupied, "vacated", "house-vacated"),
        (!occupied && !ready, "freed", "house-freed"),
        (card.closed, "opened", "house-opened"),
        (card.unstaffed, "staffed", "house-staffed"),
    ];
    let mut taps = Vec::new();
    for (so, word, key) in all {
        if so {
            taps.push(Tap { word, key, main: taps.is_empty() });
        }
    }
    let clean = !occupied && ready;
    if taps.is_empty() && clean && card.counts_as != CountsAs::Held {
        taps.push(Tap { word: "vacated", key: "house-clean", main: false });
    }
    let cleans = taps.iter().any(|tap| tap.word == "vacated");
    let besides = [
        (clean && !cleans, "vacated", "house-clean"),
        (card.readiness != Readiness::Contaminated, "contaminated", "house-contaminated"),
        (!card.unstaffed, "unstaffed", "house-unstaffed"),
    ];
    let more = besides.into_iter().filter(|(so, ..)| *so);
    (taps, more.map(|(_, word, key)| Tap { word, key, main: false }).collect())
}

/// Whether whoever looks said within this shift that this stay began, and may say that it did not.
pub(super) fn was_just_admitted(scene: &Scene<'_>, stay: StayId) -> bool {
    let known = scene.state.stays.get(&stay);
    known.is_some_and(|stay| is_own_and_recent(stay, scene.visit)) && scene.may(Action::CancelAdmission)
}

/// Whether that a stay began is the word of whoever looks, of within this shift.
pub(in crate::site) fn is_own_and_recent(stay: &Stay, visit: &Visit) -> bool {
    let own = visit.signed.as_ref().map(|signed| &signed.principal.source);
    let told = stay.admitted.as_ref();
    told.is_some_and(|(source, event)| Some(source) == own && is_recent(*event, visit.now))
}

/// Whether an event was made within the last shift, by the time in its id; of one without a time it is not known, so not.
fn is_recent(event: EventId, now: Timestamp) -> bool {
    let made = event.uuid().get_timestamp().map(|made| made.to_unix());
    made.and_then(|(seconds, _)| i64::try_from(seconds).ok()).is_some_and(|seconds| {
        now.as_micros().saturating_sub(seconds.saturating_mul(1_000_000)) < UNDO_WITHIN_MICROS
    })
}

/// Beds somebody can be put into, or promised: nobody's, in use, and for this kind of care. The bed and how it is.
pub(super) fn free(scene: &Scene<'_>, care_type: &CareType) -> Vec<(String, String)> {
    let (board, lang) = (&scene.state.board, scene.lang());
    let giving: BTreeSet<&BedId> =
        board.beds_giving(scene.location, care_type).map(|giving| giving.bed).collect();
    let beds = board.beds(scene.location).filter(|card| {
        let nobodys = !matches!(card.counts_as, CountsAs::Occupied(_) | CountsAs::Held);
        nobodys && !card.closed && giving.contains(&card.bed)
    });
    let mut found: Vec<(String, String)> =
        beds.map(|card| (card.bed.to_string(), lang.code("bed", standing(&card).2))).collect();
    found.sort_by(|one, other| (one.0.len(), &one.0).cmp(&(other.0.len(), &other.0)));
    found
}

/// What the location counted, and what else it says that it gives.
pub(super) fn counts(scene: &Scene<'_>) -> Vec<CountRow> {
    let rows = scene.state.board.rows_of(scene.region).filter(|row| row.location == *scene.location);
    let mut counted: BTreeMap<CareCode, Option<Counts>> =
        rows.map(|row| (row.care_type, Some(row.counts()))).collect();
    for given in scene.state.board.care_types(scene.location) {
        counted.entry(CareCode::from(given)).or_default();
    }
    let row = |(index, (code, counts)): (usize, (CareCode, Option<Counts>))| CountRow {
        index,
        code: code.to_string(),
        care: scene.lang().care_type(code.as_str()),
        counts,
    };
    counted.into_iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(counts_as: CountsAs, readiness: Readiness) -> BedCard {
        let bed = "12".parse().unwrap();
        let care_type = CareCode::from("ELV_LC");
        let (closed, unstaffed, reserve) = (false, false, false);
        BedCard { bed, care_type, counts_as, ward: None, readiness, closed, unstaffed, reserve }
    }

    fn said(card: &BedCard) -> (Vec<&'static str>, Vec<&'static str>) {
        let occupied = matches!(card.counts_as, CountsAs::Occupied(_));
        let (taps, more) = words(card, occupied);
        let words = |taps: Vec<Tap>| taps.into_iter().map(|tap| tap.word).collect();
        (words(taps), words(more))
    }

    #[test]
    fn only_what_makes_sense_can_be_said_of_a_bed() {
        let stay = "019391f2-6f00-7a11-8c11-0d2f7a3b9c01".parse().unwrap();
        let occupied = said(&card(CountsAs::Occupied(stay), Readiness::Ready));
        assert_eq!(occupied, (vec!["vacated"], vec!["contaminated", "unstaffed"]));
        let free = said(&card(CountsAs::Offerable, Readiness::Ready));
        assert_eq!(free, (vec!["vacated"], vec!["contaminated", "unstaffed"]));
        let cleaned = said(&card(CountsAs::NotReady, Readiness::Cleaning));
        assert_eq!(cleaned, (vec!["freed"], vec!["contaminated", "unstaffed"]));
        let contaminated = said(&card(CountsAs::NotReady, Readiness::Contaminated));
        assert_eq!(contaminated, (vec!["freed"], vec!["unstaffed"]));
        let held = said(&card(CountsAs::Held, Readiness::Ready));
        assert_eq!(held, (vec![], vec!["vacated", "contaminated", "unstaffed"]));
        let closed =
            BedCard { closed: true, unstaffed: true, ..card(CountsAs::NotReady, Readiness::Cleaning) };
        assert_eq!(said(&closed), (vec!["freed", "opened", "staffed"], vec!["contaminated"]));
    }

    #[test]
    fn a_tap_can_be_taken_back_for_a_shift() {
        let event: EventId = "019391f2-6f00-7a11-8c11-0d2f7a3b9c01".parse().unwrap();
        let (seconds, _) = event.uuid().get_timestamp().unwrap().to_unix();
        let made = i64::try_from(seconds).unwrap() * 1_000_000;
        assert!(is_recent(event, Timestamp::from_micros(made + UNDO_WITHIN_MICROS - 1)));
        assert!(!is_recent(event, Timestamp::from_micros(made + UNDO_WITHIN_MICROS)));
    }
}
