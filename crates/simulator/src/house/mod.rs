//! A location: who is really in which bed, what it answers, who comes and goes.
//!
//! Here: the truth, which the board never sees. Not here: what of it is told, and how late or wrong (`word`), how it
//! begins (`building`).

mod building;
mod word;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{RegionId, Timestamp};
use serde_json::json;

pub(crate) use building::build;

use crate::api::Party;
use crate::chance::{Chance, DAY, HOUR, MINUTE};
use crate::practice::{self, Care};
use crate::world::World;

/// Cleaning takes so long.
const CLEANING: i64 = 2 * HOUR;
/// A bed that is ready within this time is promised.
const READY_SOON: i64 = 4 * HOUR;
/// The list at the nurses' desk keeps a bed so long for who does not come, and nobody says so.
const KEPT_ON_THE_LIST: i64 = 2 * DAY;

/// A location.
pub(crate) struct House {
    pub(crate) id: String,
    pub(crate) region: RegionId,
    /// It admits by day only.
    by_day: bool,
    within: Mutex<Within>,
}

/// What is so there.
struct Within {
    beds: Vec<Bed>,
    /// Who left and was not yet told of.
    left: Vec<Left>,
    chance: Chance,
    /// A round is to come already.
    round_to_come: bool,
}

#[derive(Clone)]
struct Bed {
    id: String,
    care: Care,
    person: Option<Person>,
    ready_at: Timestamp,
    /// For which referral it is kept on the list at the nurses' desk, and since when.
    kept_for: Option<(String, Timestamp)>,
    reserve: bool,
}

impl Bed {
    fn is_free(&self, now: Timestamp) -> bool {
        let soon = now.saturating_add_micros(READY_SOON);
        let kept = self
            .kept_for
            .as_ref()
            .is_some_and(|(_, since)| now < since.saturating_add_micros(KEPT_ON_THE_LIST));
        self.person.is_none() && self.ready_at <= soon && !kept
    }
}

/// Somebody in a bed.
#[derive(Clone)]
struct Person {
    stay: String,
    referral: Option<String>,
    came_at: Timestamp,
    destination: &'static str,
    /// The bed that was promised.
    promised: Option<String>,
    /// The board knows of the admission.
    told: bool,
}

/// Somebody who left.
#[derive(Clone)]
struct Left {
    person: Person,
    bed: String,
    care: Care,
    at: Timestamp,
}

/// An offer, as it is before a location.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) referral: String,
    pub(crate) offer: String,
    pub(crate) care: Care,
    pub(crate) urgency: &'static str,
    /// When a place is wished for, if not at once.
    pub(crate) wished_at: Option<Timestamp>,
}

/// What a location says to an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Yes: this bed, from then on.
    Yes(String, Timestamp),
    /// No, because.
    No(&'static str),
}

/// Somebody at the door.
#[derive(Clone, Debug)]
pub(crate) struct Arriving {
    pub(crate) stay: String,
    pub(crate) referral: String,
    pub(crate) care: Care,
    pub(crate) promised: Option<String>,
    pub(crate) stays: i64,
    pub(crate) destination: &'static str,
}

impl House {
    fn within(&self) -> MutexGuard<'_, Within> {
        self.within.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many beds it has.
    pub(crate) fn beds(&self) -> usize {
        self.within().beds.len()
    }

    fn party(&self) -> (Party, &RegionId) {
        (Party::Houses, &self.region)
    }

    /// An offer lies before it: somebody looks, some time, and answers; or nobody does.
    pub(crate) fn asked(self: &Arc<Self>, world: &World, offered: Offered) {
        let mut chance = Chance::of(world.seed, &offered.offer);
        if chance.happens(practice::UNANSWERED_PERCENT) {
            return;
        }
        let after = practice::answer_after(&mut chance, offered.urgency);
        let house = Arc::clone(self);
        world.after(after, move |world| house.answer(world, &offered, &mut chance));
    }

    fn answer(self: &Arc<Self>, world: &World, offered: &Offered, chance: &mut Chance) {
        let path = format!("/referrals/{}/offers/{}", offered.referral, offered.offer);
        let seen = world.act(chance, self.party(), "see", &format!("{path}/seen"), json!({}));
        if !seen.is_done() {
            return;
        }
        let mut code = "not-free-after-all";
        // What the list says can be wrong twice, then the telephone rings elsewhere.
        for _ in 0..3 {
            let (bed, from) = match self.says(world, offered, chance) {
                Said::Yes(bed, from) => (bed, from),
                Said::No(because) => {
                    code = because;
                    break;
                }
            };
            let body = json!({ "bed": bed, "from": from.to_string(), "role": "nurse" });
            let accepted = world.act(chance, self.party(), "accept", &format!("{path}/accept"), body);
            match accepted.refusal() {
                "" => {
                    if accepted.is_done() && chance.happens(60) {
                        let body = json!({ "role": "doctor" });
                        world.act(chance, self.party(), "agree", &format!("{path}/agree"), body);
                    }
                    return;
                }
                "bed-taken" | "bed-closed" | "no-bed-free" | "unknown-bed" => {
                    self.not_coming(&offered.referral);
                    self.round_soon(world);
                }
                "outside-window" | "intake-limit-reached" | "admissions-stopped" => {
                    code = "other";
                    break;
                }
                _ => return self.not_coming(&offered.referral),
            }
        }
        self.not_coming(&offered.referral);
        world.act(chance, self.party(), "decline", &format!("{path}/decline"), json!({ "code": code }));
    }

    /// What it says when it is asked, here or on the telephone. A yes puts the bed on its list.
    pub(crate) fn says(&self, world: &World, offered: &Offered, chance: &mut Chance) -> Said {
        let now = world.now();
        let mut within = self.within();
        if chance.happens(practice::WRONG_PROMISE_PERCENT) {
            let taken = within.beds.iter().find(|bed| bed.care == offered.care && bed.person.is_some());
            if let Some(taken) = taken {
                world.tally.count("promises", "of a bed that was taken");
                return Said::Yes(taken.id.clone(), now);
            }
        }
        let declines = chance.happens(practice::DECLINED_PERCENT);
        let because = practice::declined_because(chance);
        let free = within.beds.iter_mut().filter(|bed| bed.care == offered.care && bed.is_free(now));
        // A reserve is for who needs it now.
        let mut free = free.filter(|bed| !bed.reserve || offered.urgency == "crisis");
        let Some(bed) = free.next() else { return Said::No("not-free-after-all") };
        if declines {
            return Said::No(because);
        }
        bed.kept_for = Some((offered.referral.clone(), now));
        let ready = bed.ready_at.max(offered.wished_at.unwrap_or(now));
        Said::Yes(bed.id.clone(), self.admits_from(ready.max(now)))
    }

    /// The first moment from `at` on at which it admits.
    pub(crate) fn admits_from(&self, at: Timestamp) -> Timestamp {
        let of_day = at.as_micros().rem_euclid(DAY);
        let midnight = at.saturating_add_micros(-of_day);
        match of_day {
            _ if !self.by_day => at,
            ..=28_799_999_999 => midnight.saturating_add_micros(9 * HOUR),
            61_200_000_000.. => midnight.saturating_add_micros(DAY + 9 * HOUR),
            _ => at,
        }
    }

    /// Who was promised a bed does not come.
    pub(crate) fn not_coming(&self, referral: &str) {
        for bed in &mut self.within().beds {
            if bed.kept_for.as_ref().is_some_and(|(kept, _)| kept == referral) {
                bed.kept_for = None;
            }
        }
    }

    /// Somebody is at the door: in the bed that was promised, or another; or turned away.
    pub(crate) fn receive(self: &Arc<Self>, world: &World, arriving: Arriving) -> bool {
        let now = world.now();
        let mut within = self.within();
        let Within { beds, chance, .. } = &mut *within;
        let promised = |bed: &Bed| Some(&bed.id) == arriving.promised.as_ref();
        if let Some(person) = beds.iter().find(|bed| promised(bed)).and_then(|bed| bed.person.as_ref()) {
            world.tally.count("arrivals", "to a bed that was taken");
            // Who is in it came on the same promise, which still stands: the admission was not told.
            if person.promised == arriving.promised && !person.told {
                world.tally.count("double placements", "two people came for one bed");
            }
        }
        let own = |bed: &Bed| bed.kept_for.as_ref().is_some_and(|(kept, _)| *kept == arriving.referral);
        let fits = |bed: &Bed| bed.person.is_none() && bed.care == arriving.care;
        let found = beds.iter().position(|bed| promised(bed) && bed.person.is_none());
        let found = found.or_else(|| beds.iter().position(|bed| fits(bed) && (own(bed) || bed.is_free(now))));
        let Some(bed) = found.and_then(|found| beds.get_mut(found)) else {
            world.tally.count("arrivals", "turned away");
            return false;
        };
        world.tally.count("arrivals", "in a bed");
        let (stay, leaves_at) = (arriving.stay.clone(), now.saturating_add_micros(arriving.stays));
        bed.kept_for = None;
        bed.person = Some(Person {
            stay: arriving.stay,
            referral: Some(arriving.referral.clone()),
            came_at: now,
            destination: arriving.destination,
            promised: arriving.promised,
            told: false,
        });
        let after = practice::word_after(chance);
        drop(within);
        self.will_leave(world, &stay, leaves_at);
        if let Some(after) = after {
            let after = if world.is_closing() { after.min(MINUTE) } else { after };
            let house = Arc::clone(self);
            world.after(after, move |world| house.tell_admission(world, &stay));
        }
        true
    }

    /// Somebody leaves at that time; whoever waits for a place elsewhere is said to wait before.
    fn will_leave(self: &Arc<Self>, world: &World, stay: &str, at: Timestamp) {
        if at < world.ends_at().saturating_add_micros(DAY) {
            let (house, stay) = (Arc::clone(self), stay.to_owned());
            world.agenda.at(at, move |world| house.leaves(world, &stay));
        }
        let waits_from =
            at.saturating_add_micros(-Chance::of(world.seed, stay).exponential(20.0 * 24.0 * 60.0));
        if (world.now()..world.ends_at()).contains(&waits_from) {
            let (house, stay) = (Arc::clone(self), stay.to_owned());
            world.agenda.at(waits_from, move |world| house.tell_waiting(world, &stay));
        }
    }

    fn leaves(self: &Arc<Self>, world: &World, stay: &str) {
        let now = world.now();
        let mut within = self.within();
        let Within { beds, left, chance, .. } = &mut *within;
        let is_in = |bed: &&mut Bed| bed.person.as_ref().is_some_and(|person| person.stay == stay);
        let Some(bed) = beds.iter_mut().find(is_in) else { return };
        let Some(person) = bed.person.take() else { return };
        world.tally.count("left", person.destination);
        world.tally.took("stays", bed.care.code, now.as_micros().saturating_sub(person.came_at.as_micros()));
        bed.ready_at = now.saturating_add_micros(CLEANING);
        left.push(Left { person, bed: bed.id.clone(), care: bed.care, at: now });
        let (said, freed) = (practice::word_after(chance), practice::word_after(chance));
        let bed = bed.id.clone();
        drop(within);
        if let Some(after) = said {
            let (house, stay) = (Arc::clone(self), stay.to_owned());
            world.after(after, move |world| house.tell_left(world, &stay));
        }
        if let Some(after) = freed {
            let house = Arc::clone(self);
            world.after(CLEANING + after, move |world| house.tell_freed(world, &bed));
        }
    }
}
