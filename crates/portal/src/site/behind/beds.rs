//! The beds that count in a row, under the number that each counts in.
//!
//! Not here: what adds up to what (`domain::availability::Part`).

use domain::access::Action;
use domain::availability::Part;
use domain::{BedId, EventId, Label, ReferralId, SourceId, StayId, Timestamp};
use views::{BedCard, Counts, CountsAs};

use super::Place;
use super::search::Found;
use super::told::{Teller, Told};
use crate::api::scope::Subject;
use crate::site::house::beds::{marks, standing as look};
use crate::text;

/// Beds shown on the page, those under the first numbers first: more would make it too big for a telephone, and a house with
/// more of one care type has a page of its own.
pub(super) const BEDS_SHOWN_MAX: usize = 80;

/// A number: the key of its name, how many, and the events that can have made a bed count in it.
type Number = (&'static str, fn(&Counts) -> u32, &'static [&'static str]);

/// The numbers that beds are listed under, in the order of the board.
pub(super) const GROUPS: [Number; 8] = [
    ("offerable", |counts| counts.offerable, FREE),
    ("also", |counts| counts.also_offerable, FREE),
    ("held", |counts| counts.held, &["hold.granted", "hold.extended"]),
    ("not-ready", |counts| counts.not_ready, LEFT),
    ("occupied", |counts| counts.occupied, &["stay.admitted", "stay.moved", "stay.move-cancelled"]),
    ("closed", |counts| counts.closed, &["bed.closed"]),
    ("unstaffed", |counts| counts.unstaffed, &["bed.unstaffed"]),
    ("reserve", |counts| counts.reserve, &["bed.added", "bed.changed"]),
];

const FREE: &[&str] = &[
    "bed.added",
    "bed.changed",
    "bed.freed",
    "bed.opened",
    "bed.staffed",
    "hold.released",
    "hold.lapsed",
    "stay.discharged",
];
const LEFT: &[&str] = &["bed.vacated", "bed.contaminated", "stay.discharged", "stay.moved"];

/// A number, and the beds that are as many as it says.
pub(super) struct Group {
    pub(super) key: &'static str,
    pub(super) count: usize,
    pub(super) beds: Vec<Bed>,
    pub(super) left_off: usize,
}

/// One bed on the page.
pub(super) struct Bed {
    pub(super) id: String,
    /// What the links to its events are called on the page.
    pub(super) anchor: String,
    pub(super) ward: Option<String>,
    pub(super) class: &'static str,
    /// How it is, in words, and what is so beside that.
    pub(super) said: String,
    pub(super) marks: Vec<&'static str>,
    /// The keys of the numbers that it counts in.
    pub(super) counts_in: Vec<&'static str>,
    pub(super) kept: Option<Kept>,
    /// Who is in it, for whoever may know.
    pub(super) stay: Option<String>,
    pub(super) events: Vec<Told>,
}

/// For whom a place is kept.
pub(super) struct Kept {
    pub(super) until: String,
    /// For whoever may know.
    pub(super) referral: Option<ReferralId>,
    /// The position of the past that is looked at.
    pub(super) past: Option<u64>,
}

/// A stop of admissions.
pub(super) enum Stop {
    House,
    Ward(Label),
}

/// One bed, as the state has it.
pub(super) struct Standing {
    pub(super) bed: BedId,
    pub(super) group: usize,
    pub(super) touched: (SourceId, EventId),
    /// Who is in it or for whom it is kept, as a tag of the log.
    pub(super) whose: Option<String>,
    /// Its stay waits: which one.
    pub(super) waits: Option<StayId>,
    /// The stop it is closed by, of its ward or of the whole location.
    pub(super) by_stop: Option<Stop>,
    shown: Bed,
}

/// The beds of the row under their numbers, as many as are shown, and how many there are under each.
pub(super) fn standing(place: &Place<'_>) -> (Vec<Standing>, [usize; GROUPS.len()]) {
    let parts = place.state.board.parts(place.location, place.code);
    let mut all: Vec<(usize, Part<'_>)> = parts.map(|part| (group_of(&part.adds), part)).collect();
    // Who waits first, for that is the number people ask about; 2 before 10.
    all.sort_by(|(one, a), (other, b)| {
        let order =
            |part: &Part<'_>| (part.adds.waiting == 0, part.bed.bed.as_str().len(), part.bed.bed.clone());
        one.cmp(other).then_with(|| order(a).cmp(&order(b)))
    });
    let mut of_group = [0_usize; GROUPS.len()];
    for (group, _) in &all {
        if let Some(count) = of_group.get_mut(*group) {
            *count = count.saturating_add(1);
        }
    }
    let shown = all.into_iter().take(BEDS_SHOWN_MAX).map(|(group, part)| one(place, group, part));
    (shown.collect(), of_group)
}

/// The number that a bed is listed under: each adds to one, beside those that are sums.
fn group_of(adds: &Counts) -> usize {
    GROUPS.iter().position(|(_, count, _)| count(adds) > 0).unwrap_or_default()
}

fn one(place: &Place<'_>, group: usize, part: Part<'_>) -> Standing {
    let Part { bed: card, adds, kept, touched: (source, event) } = part;
    let stay = match card.counts_as {
        CountsAs::Occupied(stay) => Some(stay),
        CountsAs::Held
        | CountsAs::NotReady
        | CountsAs::Closed
        | CountsAs::Unstaffed
        | CountsAs::Reserve
        | CountsAs::Offerable => None,
    };
    let shown = shown(place, &card, &adds, kept, stay);
    let stop = || {
        let ward =
            card.ward.as_ref().filter(|ward| place.card.stopped_wards().any(|stopped| stopped == *ward));
        ward.map_or(Stop::House, |ward| Stop::Ward(ward.clone()))
    };
    let by_stop = (card.counts_as == CountsAs::Closed && !card.closed).then(stop);
    Standing {
        bed: card.bed,
        group,
        touched: (source.clone(), event),
        whose: stay
            .map(|stay| format!("stay:{stay}"))
            .or_else(|| kept.map(|(referral, _)| format!("referral:{referral}"))),
        waits: stay.filter(|_| adds.waiting > 0),
        by_stop,
        shown,
    }
}

fn shown(
    place: &Place<'_>,
    card: &BedCard,
    adds: &Counts,
    kept: Option<(ReferralId, Timestamp)>,
    stay: Option<StayId>,
) -> Bed {
    let (_, class, key) = look(card);
    let group = GROUPS.get(group_of(adds)).map(|(key, ..)| *key);
    let more = [(adds.waiting, "waiting"), (adds.physical, "total")];
    let visible = stay.filter(|stay| {
        let known = place.state.stays.get(stay);
        known.is_some_and(|known| {
            let subject = Subject::region(place.today, &known.region, place.visit.now);
            place.visit.may(Action::Stay, &subject.at(place.today, &known.place.location))
        })
    });
    Bed {
        id: card.bed.to_string(),
        anchor: format!("b-{}", card.bed),
        ward: card.ward.as_ref().map(|ward| text::shown(ward.as_str())),
        class,
        said: place.visit.lang.code("bed", key),
        marks: marks(card),
        counts_in: group
            .into_iter()
            .chain(more.into_iter().filter_map(|(count, key)| (count > 0).then_some(key)))
            .collect(),
        kept: kept.map(|(referral, until)| kept_for(place, referral, until)),
        stay: visible.map(|stay| stay.to_string()),
        events: Vec::new(),
    }
}

fn kept_for(place: &Place<'_>, referral: ReferralId, until: Timestamp) -> Kept {
    let (today, visit) = (place.today, place.visit);
    let may = visit.signed.as_ref().is_some_and(|signed| {
        Subject::referral_for(today, referral, &signed.principal, visit.now)
            .is_some_and(|subject| visit.may(Action::Referral, &subject))
    });
    Kept {
        until: text::clock(until, visit.now, visit.lang),
        referral: may.then_some(referral),
        past: place.past,
    }
}

/// For whom places of a reported row are kept.
pub(super) fn kept(place: &Place<'_>) -> Vec<Kept> {
    let kept = place.state.board.kept_of_row(place.location, place.code).take(BEDS_SHOWN_MAX);
    kept.map(|(referral, until)| kept_for(place, referral, until)).collect()
}

/// The numbers with their beds and the events behind each.
pub(super) fn groups(
    beds: Vec<Standing>,
    of_group: &[usize; GROUPS.len()],
    found: &Found,
    teller: &Teller<'_>,
) -> Vec<Group> {
    let counted = GROUPS.iter().zip(of_group).filter(|(_, count)| **count > 0);
    let mut groups: Vec<Group> = counted
        .map(|((key, ..), count)| Group { key, count: *count, beds: Vec::new(), left_off: *count })
        .collect();
    for (standing, events) in beds.into_iter().zip(&found.of_beds) {
        let stop = standing.by_stop.as_ref().and_then(|stop| found.stop(stop));
        let mut bed = standing.shown;
        bed.events = stop.into_iter().chain(events).map(|recorded| teller.tell(recorded)).collect();
        let key = GROUPS.get(standing.group).map(|(key, ..)| *key);
        if let Some(group) = groups.iter_mut().find(|group| Some(group.key) == key) {
            group.left_off = group.left_off.saturating_sub(1);
            group.beds.push(bed);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bed_is_listed_under_the_one_number_it_adds_to() {
        let one = Counts { physical: 1, ..Counts::default() };
        let occupied = Counts { occupied: 1, waiting: 1, ..one };
        let also = Counts { also_offerable: 1, ..Counts::default() };
        let keys = [occupied, also, Counts { reserve: 1, ..one }].map(|adds| GROUPS[group_of(&adds)].0);
        assert_eq!(keys, ["occupied", "also", "reserve"]);
    }

    #[test]
    fn every_event_that_is_looked_for_is_of_the_contract() {
        for kind in GROUPS.iter().flat_map(|(_, _, kinds)| *kinds) {
            assert!(domain::Fact::KINDS.contains(kind), "{kind}");
        }
    }
}
