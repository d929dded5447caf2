//! What a desk has to do now, in the order in which it should: a function of the state and the moment.
//!
//! Nothing here is a task that somebody made and could forget to close: what is done is no longer so, and goes by itself.
//! Not here: what the keeper does by itself when its time comes (`desk::due`).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::contradictions::contradictions;
use super::phone;
use super::{Doubt, Placing};
use crate::desk::{Offer, OfferState, Owner, Referral, Rules, State};
use crate::words::{Sentence, say};
use crate::{Label, LocationId, OfferId, ReferralId, RegionId, StayId, Timestamp, Urgency};

/// The most that are given at once: a list nobody sees the end of is no list. The rest is counted.
pub const WORK_ITEMS_MAX: usize = 1_000;

/// Of the time to answer so much may pass before somebody calls whoever has not looked, in hundredths.
const CALL_AFTER_PERCENT: i64 = 33;

/// From when on whoever has not looked at an offer is called, if it is to be answered by this time. What is sent before
/// (`notifier`) goes by the same clock.
#[must_use]
pub fn call_at(rules: &Rules, urgency: &Urgency, answer_by: Timestamp) -> Timestamp {
    let answer = rules.answer_micros.of(urgency);
    let before = answer.saturating_sub(answer.saturating_mul(CALL_AFTER_PERCENT).div_euclid(100));
    answer_by.saturating_add_micros(before.saturating_neg())
}

/// What is to be done. The order is that within one urgency and moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkKind {
    /// A place is kept that may not be had after all: the bed is gone or out of use, or admissions are stopped. Ask.
    PlaceInDoubt,
    /// The time of a hold is over although an arrival was agreed: ask what happened.
    HoldOverdue,
    /// A location has not looked at an offer: call it.
    CallLocation,
    /// A hold runs out soon.
    HoldRunsOut,
    /// Another desk asks this one to take a referral.
    TakeOver,
    /// A referral is not weighed yet.
    Triage,
    /// Nothing is kept, nobody is asked, and no promise is waited for: look for a place.
    FindPlace,
    /// Places were promised: one is to be chosen.
    Choose,
    /// The admitting doctor has not agreed yet.
    DoctorsAgreement,
    /// When the person comes is not agreed yet.
    AgreeArrival,
    /// Somebody is to be called back.
    CallBack,
    /// A location looked at an offer, or may still look: wait for its answer.
    AwaitAnswer,
    /// Another desk was asked to take it: wait for it.
    AwaitTakeOver,
    /// Something does not fit and is this desk's to solve.
    Contradiction,
    /// A stay is longer than was planned.
    StayPastExpected,
    /// A stay could end and waits for something.
    StayWaiting,
    /// A location was silent for long: does the board still hold?
    SilentLocation,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkItem {
    /// What.
    pub kind: WorkKind,
    /// How soon, of what is about a referral.
    pub urgency: Option<Urgency>,
    /// When it is due, or since when it is so.
    pub due: Timestamp,
    /// That moment has passed.
    pub late: bool,
    /// About which referral.
    pub referral: Option<ReferralId>,
    /// About which offer.
    pub offer: Option<OfferId>,
    /// About which stay.
    pub stay: Option<StayId>,
    /// About which location.
    pub location: Option<LocationId>,
    /// The number that is answered there now.
    pub phone: Option<Label>,
    /// For what a stay waits, what does not fit, who calls back: a code or a name.
    pub about: Option<Label>,
}

/// What is to be done, the first first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Worklist {
    /// At most [`WORK_ITEMS_MAX`].
    pub items: Vec<WorkItem>,
    /// How many more there are.
    pub left_off: usize,
}

/// What the desk of a region has to do at this moment: crisis before urgent before planned before the rest, each what is
/// due first.
#[must_use]
pub fn worklist(state: &State, region: &RegionId, now: Timestamp) -> Worklist {
    let mut list = List { state, region, now, rules: state.rules(region), items: Vec::new() };
    for referral in state.referrals.values().filter(|referral| referral.end.is_none()) {
        list.referral(referral);
    }
    for (id, stay) in &state.stays {
        if stay.region == *region && stay.closed_at.is_none() {
            let location = Some(&stay.place.location);
            if let Some(expected) = stay.expected_at.filter(|expected| *expected < now) {
                list.add(WorkKind::StayPastExpected, expected, |item| item.stay = Some(*id), location);
            }
            if let Some((what, since)) = &stay.waiting {
                let about = Label::try_from(what.raw()).ok();
                list.add(
                    WorkKind::StayWaiting,
                    *since,
                    |item| (item.stay, item.about) = (Some(*id), about),
                    location,
                );
            }
        }
    }
    list.contradictions();
    list.silent();
    let mut items = list.items;
    items.sort_by_cached_key(order);
    let left_off = items.len().saturating_sub(WORK_ITEMS_MAX);
    items.truncate(WORK_ITEMS_MAX);
    Worklist { items, left_off }
}

type Order =
    (u8, Timestamp, WorkKind, Option<ReferralId>, Option<OfferId>, Option<StayId>, Option<LocationId>);

fn order(item: &WorkItem) -> Order {
    let rank = match &item.urgency {
        Some(Urgency::Crisis) => 0,
        Some(Urgency::Urgent | Urgency::Other(_)) => 1,
        Some(Urgency::Planned) => 2,
        None => 3,
    };
    (rank, item.due, item.kind, item.referral, item.offer, item.stay, item.location.clone())
}

/// The list while it is made.
struct List<'a> {
    state: &'a State,
    region: &'a RegionId,
    now: Timestamp,
    rules: &'a Rules,
    items: Vec<WorkItem>,
}

impl List<'_> {
    fn add(
        &mut self,
        kind: WorkKind,
        due: Timestamp,
        more: impl FnOnce(&mut WorkItem),
        location: Option<&LocationId>,
    ) {
        let card = location.and_then(|location| self.state.board.location(location));
        let mut item = WorkItem {
            kind,
            urgency: None,
            due,
            late: due < self.now,
            referral: None,
            offer: None,
            stay: None,
            location: location.cloned(),
            phone: card.and_then(|card| phone(&card, self.now)),
            about: None,
        };
        more(&mut item);
        self.items.push(item);
    }

    fn of(&mut self, referral: &Referral, kind: WorkKind, due: Timestamp, location: Option<&LocationId>) {
        let (id, urgency) = (referral.id(), referral.profile.urgency.clone());
        self.add(kind, due, |item| (item.referral, item.urgency) = (Some(id), Some(urgency)), location);
    }

    fn referral(&mut self, referral: &Referral) {
        if referral.with.as_ref() == Some(self.region) {
            self.of(referral, WorkKind::TakeOver, referral.made_at, None);
        }
        if referral.region != *self.region {
            return;
        }
        if referral.with.is_some() {
            return self.of(referral, WorkKind::AwaitTakeOver, referral.made_at, None);
        }
        if referral.profile.callback_desk.is_some() && referral.winner().is_some() {
            let about = referral.profile.callback_desk.clone();
            self.of(referral, WorkKind::CallBack, referral.made_at, None);
            if let Some(item) = self.items.last_mut() {
                item.about = about;
            }
        }
        let before = self.items.len();
        self.offers(referral);
        let asked = self.items.len() > before;
        self.holds(referral);
        let urgency = &referral.profile.urgency;
        if referral.triage.is_none() && self.rules.triage_first.of(urgency) {
            self.of(referral, WorkKind::Triage, referral.made_at, None);
        } else if !asked {
            self.unasked(referral);
        }
    }

    /// Nobody has to answer, to choose or to agree: whoever waits for a place is looked for one, also if the place that was chosen
    /// is kept no longer; of a place that is kept and nobody was asked for it is not known when somebody comes.
    fn unasked(&mut self, referral: &Referral) {
        match Placing::of(self.state, referral) {
            Some(Placing::Seeking | Placing::Promised) => {
                let due = referral.profile.wished_at.unwrap_or(referral.made_at);
                let back = referral.offers.values().find(|offer| offer.taken_back);
                self.of(referral, WorkKind::FindPlace, due, back.map(|offer| &offer.location));
                if let Some(item) = self.items.last_mut().filter(|_| back.is_some()) {
                    item.about = Label::try_from("taken-back").ok();
                }
            }
            Some(Placing::Kept) if referral.arrival.is_none() => {
                for hold in &referral.holds {
                    self.of(referral, WorkKind::AgreeArrival, hold.until, Some(&hold.place.location));
                }
            }
            Some(Placing::Kept) | None => {}
        }
    }

    fn offers(&mut self, referral: &Referral) {
        for (id, offer) in &referral.offers {
            let call_at = call_at(self.rules, &referral.profile.urgency, offer.answer_by);
            let kind = match &offer.state {
                OfferState::Sent if self.now >= call_at => WorkKind::CallLocation,
                OfferState::Sent | OfferState::Seen => WorkKind::AwaitAnswer,
                OfferState::Accepted(_) if referral.chosen.is_none() => WorkKind::Choose,
                OfferState::Accepted(_)
                | OfferState::Declined(_)
                | OfferState::Lapsed
                | OfferState::Revoked => continue,
            };
            self.of(referral, kind, offer.answer_by, Some(&offer.location));
            self.about_offer(*id);
        }
        let winner = referral.chosen.and_then(|chosen| Some((chosen, referral.offers.get(&chosen)?)));
        if let Some((id, winner)) = winner {
            self.winner(referral, id, winner);
        }
    }

    fn winner(&mut self, referral: &Referral, id: OfferId, winner: &Offer) {
        let Some(promise) = winner.promise() else { return };
        if self.rules.doctor_first && !promise.agreed {
            self.of(referral, WorkKind::DoctorsAgreement, promise.from, Some(&winner.location));
            self.about_offer(id);
        }
        let hold = referral.hold_at(&winner.location);
        if referral.arrival.is_none() {
            let until = hold.map_or(promise.from, |hold| hold.until);
            self.of(referral, WorkKind::AgreeArrival, until, Some(&winner.location));
            self.about_offer(id);
        } else if hold.is_none() {
            // Nothing is kept for whoever is expected: an admission that was not so, in a bed that is gone.
            self.of(referral, WorkKind::HoldOverdue, promise.from, Some(&winner.location));
            self.about_offer(id);
        }
    }

    fn about_offer(&mut self, offer: OfferId) {
        if let Some(item) = self.items.last_mut() {
            item.offer = Some(offer);
        }
    }

    fn holds(&mut self, referral: &Referral) {
        for hold in &referral.holds {
            let Some(doubt) = Doubt::of(self.state, referral, hold) else { continue };
            self.of(referral, WorkKind::PlaceInDoubt, hold.until, Some(&hold.place.location));
            if let Some(item) = self.items.last_mut() {
                item.about = Label::try_from(doubt.code()).ok();
            }
        }
        let soon = self.now.saturating_add_micros(self.rules.hold_warning_micros);
        for hold in referral.holds.iter().filter(|hold| hold.overdue || hold.until <= soon) {
            let kind = if hold.overdue { WorkKind::HoldOverdue } else { WorkKind::HoldRunsOut };
            self.of(referral, kind, hold.until, Some(&hold.place.location));
        }
    }

    fn contradictions(&mut self) {
        for open in contradictions(self.state, self.region, self.now) {
            if open.owner != Owner::Desk(self.region.clone()) {
                continue;
            }
            let about = Label::try_from(open.source.code()).ok();
            let (referral, offer) = (open.referral, open.offer);
            let more = |item: &mut WorkItem| {
                (item.referral, item.offer, item.about) = (referral, offer, about);
            };
            self.add(WorkKind::Contradiction, open.since, more, open.location.as_ref());
        }
    }

    fn silent(&mut self) {
        let state = self.state;
        for location in state.board.located(self.region) {
            let silent =
                state.locations.get(location).filter(|intake| intake.is_silent(self.rules, self.now));
            if let Some(intake) = silent {
                self.add(WorkKind::SilentLocation, intake.heard_at, |_| {}, Some(location));
            }
        }
    }
}

impl WorkKind {
    /// What is to be done, as a sentence.
    #[must_use]
    pub fn sentence(self) -> Sentence {
        match self {
            Self::PlaceInDoubt => {
                say!(
                    "Vraag of de gereserveerde plek er nog is.",
                    "Ask whether the place that is kept is still there."
                )
            }
            Self::HoldOverdue => say!(
                "De reservering is verlopen, de aankomst was afgesproken: vraag wat er is gebeurd.",
                "The hold ran out and an arrival was agreed: ask what happened.",
            ),
            Self::CallLocation => say!("Nog niet bekeken: bel nu.", "Not looked at yet: call now."),
            Self::HoldRunsOut => say!("De reservering loopt af.", "The hold runs out."),
            Self::TakeOver => {
                say!("Een ander loket vraagt u dit over te nemen.", "Another desk asks you to take this.")
            }
            Self::Triage => say!("Nog te triëren.", "To be triaged."),
            Self::FindPlace => say!("Zoek een plek.", "Find a place."),
            Self::Choose => say!("Plek toegezegd: laat kiezen.", "A place was promised: have one chosen."),
            Self::DoctorsAgreement => {
                say!(
                    "Akkoord van de opnemend arts ontbreekt.",
                    "The admitting doctor's agreement is missing."
                )
            }
            Self::AgreeArrival => say!("Spreek de aankomst af.", "Agree on the arrival."),
            Self::CallBack => say!("Bel terug: er is een plek.", "Call back: there is a place."),
            Self::AwaitAnswer => say!("Wacht op antwoord.", "Wait for the answer."),
            Self::AwaitTakeOver => {
                say!("Overgedragen; wacht op het andere loket.", "Handed over; wait for the other desk.")
            }
            Self::Contradiction => {
                say!("Iets klopt niet: zoek het uit.", "Something does not fit: find out.")
            }
            Self::StayPastExpected => say!(
                "Langer dan gepland: vraag naar het ontslag.",
                "Longer than planned: ask about the discharge."
            ),
            Self::StayWaiting => say!("Kan weg, wacht nog.", "Could leave, and waits."),
            Self::SilentLocation => say!(
                "Lang niets gehoord: vraag of het beeld nog klopt.",
                "Not heard of for long: ask whether the board still holds.",
            ),
        }
    }
}
