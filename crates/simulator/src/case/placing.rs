//! Finding and placing: who can be asked, their answers, the choice, the arrival.
//!
//! Not here: what a location answers (`house`), what is done when nobody can be asked (`ladder`).

use domain::Timestamp;
use serde_json::{Value, json};

use super::{Case, Now, moment, text};
use crate::api::Party;
use crate::chance::{Chance, HOUR, MINUTE};
use crate::house::{Arriving, Offered, Said};
use crate::practice;
use crate::world::World;

/// A location that did not have it is asked again after this time.
const ASK_AGAIN_AFTER: i64 = 12 * HOUR;
/// The family hears the others out so long.
const CHOICE_AFTER: i64 = 30 * MINUTE;

impl Case {
    /// How long until it is looked at again while it waits for others.
    fn patience(&self) -> i64 {
        match self.urgency {
            "crisis" => 6 * MINUTE,
            "urgent" => 15 * MINUTE,
            _ => 25 * MINUTE,
        }
    }

    /// Looks for a place: the best that were not asked yet, at once.
    pub(super) fn seek(&self, world: &World, now: &mut Now) -> i64 {
        let path = format!("/referrals/{}", self.referral);
        let Some(list) = world.ask_as_desk(&now.region, "matching", &format!("{path}/matching")) else {
            return self.patience();
        };
        let at = world.now();
        let was_asked = |location: &str| {
            now.asked.get(location).is_some_and(|asked| at < asked.saturating_add_micros(ASK_AGAIN_AFTER))
        };
        let candidates = list.get("candidates").and_then(Value::as_array).into_iter().flatten();
        let candidates = candidates.map(|candidate| text(candidate, "location"));
        let several = if self.urgency == "urgent" { 2 } else { 3 };
        let chosen = candidates.filter(|location| !was_asked(location)).take(several);
        let offers: Vec<(String, String)> = chosen
            .map(|location| {
                let name = format!("offer {} {location} {}", self.referral, now.asked.len());
                (Chance::of(world.seed, &name).id(at), location.to_owned())
            })
            .collect();
        if offers.is_empty() {
            return self.nobody(world, now);
        }
        let to = offers.iter().map(
            |(offer, location)| json!({ "offer": offer, "location": location, "care_type": self.care.code }),
        );
        let body = json!({ "to": to.collect::<Vec<Value>>() });
        let path = format!("{path}/offers");
        let answer = world.act(&mut now.chance, (Party::Desk, &now.region), "offer", &path, body);
        if answer.refusal() == "consent-missing" {
            return self.consents(world, now);
        }
        now.asked.extend(offers.iter().map(|(_, location)| (location.clone(), at)));
        now.dry = 0;
        if !answer.is_done() {
            return self.patience();
        }
        world.tally.add("offers", self.urgency, u64::try_from(offers.len()).unwrap_or(0));
        for (offer, location) in offers {
            if let Some(house) = world.houses.get(&location) {
                house.asked(world, self.offered(offer));
            }
        }
        self.patience()
    }

    fn offered(&self, offer: String) -> Offered {
        let (referral, care, urgency) = (self.referral.clone(), self.care, self.urgency);
        Offered { referral, offer, care, urgency, wished_at: self.wished_at }
    }

    /// The person is asked, and agrees.
    fn consents(&self, world: &World, now: &mut Now) -> i64 {
        let mut profile = self.profile.clone();
        if let Some(fields) = profile.as_object_mut() {
            fields.insert("consent".to_owned(), json!(true));
        }
        let path = format!("/referrals/{}/change", self.referral);
        world.act(
            &mut now.chance,
            (Party::Desk, &now.region),
            "change",
            &path,
            json!({ "profile": profile }),
        );
        MINUTE
    }

    /// Waits for answers; who has not answered for long is called.
    pub(super) fn wait(&self, world: &World, now: &mut Now, open: &[&Value]) -> i64 {
        let at = world.now();
        let soon = at.saturating_add_micros(if self.urgency == "crisis" { 6 * MINUTE } else { 25 * MINUTE });
        for offer in open {
            let overdue = moment(offer, "answer_by").is_some_and(|by| by <= soon);
            if overdue && now.called.insert(text(offer, "offer").to_owned()) {
                self.call(world, now, offer);
            }
        }
        self.patience()
    }

    /// Calls a location; its answer is recorded by the desk.
    fn call(&self, world: &World, now: &mut Now, offer: &Value) {
        let (offer, location) = (text(offer, "offer"), text(offer, "location"));
        let Some(house) = world.houses.get(location) else { return };
        let path = format!("/referrals/{}/offers/{offer}", self.referral);
        if !now.chance.happens(practice::REACHED_PERCENT) {
            world.tally.count("calls", "nobody answered");
            return;
        }
        world.tally.count("calls", "answered");
        let desk = (Party::Desk, &now.region);
        match house.says(world, &self.offered(offer.to_owned()), &mut now.chance) {
            Said::Yes(bed, from) => {
                let body =
                    json!({ "bed": bed, "from": from.to_string(), "role": "nurse", "spoken_with": "nurse" });
                let accept = format!("{path}/accept");
                let accepted = world.act(&mut now.chance, desk, "accept-by-phone", &accept, body);
                if !accepted.is_done() {
                    house.not_coming(&self.referral);
                } else if now.chance.happens(practice::CONTESTED_PERCENT) {
                    let houses = (Party::Houses, &house.region);
                    let contest = format!("{path}/contest");
                    world.act(&mut now.chance, houses, "contest", &contest, json!({ "role": "nurse" }));
                }
            }
            Said::No(code) => {
                let body = json!({ "code": code, "spoken_with": "nurse" });
                world.act(&mut now.chance, desk, "decline-by-phone", &format!("{path}/decline"), body);
            }
        }
    }

    /// The family chooses among those that promised a place.
    pub(super) fn choose(&self, world: &World, now: &mut Now, promised: &[&Value], all: bool) -> i64 {
        let since = *now.promised_since.get_or_insert(world.now());
        if !all && world.now() < since.saturating_add_micros(CHOICE_AFTER) {
            return 10 * MINUTE;
        }
        let which = now.chance.below(promised.len());
        let Some(offer) = promised.get(which).map(|offer| text(offer, "offer")) else { return MINUTE };
        let path = format!("/referrals/{}/offers/{offer}/choose", self.referral);
        let body = json!({ "role": "coordinator" });
        let chosen = world.act(&mut now.chance, (Party::Desk, &now.region), "choose", &path, body);
        if chosen.is_done() { MINUTE } else { 5 * MINUTE }
    }

    /// There is a place: the arrival is agreed, the person comes, and is admitted or turned away.
    pub(super) fn placed(&self, world: &World, now: &mut Now, shown: &Value, winner: &Value) -> i64 {
        let location = text(winner, "location");
        if !std::mem::replace(&mut now.placed, true) {
            let after = world.now().as_micros().saturating_sub(self.needed_at.as_micros());
            world.tally.took("placed after", self.urgency, after);
        }
        self.tell_others(world, now, location);
        if now.arrived {
            return if world.is_closing() { 20 * MINUTE } else { HOUR };
        }
        let of_door = now.at_door.as_ref().filter(|(at, _)| at == location).map(|(_, door)| *door);
        match (of_door, moment(shown, "arrives_at")) {
            (Some(door), Some(_)) if world.now() >= door => self.arrive(world, now, shown, location),
            (Some(door), Some(_)) => {
                door.as_micros().saturating_sub(world.now().as_micros()).clamp(MINUTE, 6 * HOUR)
            }
            (None, _) | (Some(_), None) => self.agree_arrival(world, now, winner, location),
        }
    }

    fn agree_arrival(&self, world: &World, now: &mut Now, winner: &Value, location: &str) -> i64 {
        let soonest = world.now().saturating_add_micros(now.chance.between(30 * MINUTE, 3 * HOUR));
        let from = moment(winner, "promised_from").unwrap_or(soonest);
        let at = soonest.max(from).max(self.wished_at.unwrap_or(soonest));
        let at = world.houses.get(location).map_or(at, |house| house.admits_from(at));
        let body = json!({ "location": location, "arrives_at": at.to_string(), "transport": "ambulance" });
        let path = format!("/referrals/{}/arrival", self.referral);
        let agreed = world.act(&mut now.chance, (Party::Desk, &now.region), "arrival", &path, body);
        if !agreed.is_done() {
            return 30 * MINUTE;
        }
        let late = if now.chance.happens(10) { now.chance.between(HOUR, 4 * HOUR) } else { 0 };
        let door: Timestamp = at.saturating_add_micros(now.chance.between(-10 * MINUTE, 20 * MINUTE) + late);
        now.at_door = Some((location.to_owned(), door));
        door.as_micros().saturating_sub(world.now().as_micros()).clamp(MINUTE, 6 * HOUR)
    }

    fn arrive(&self, world: &World, now: &mut Now, shown: &Value, location: &str) -> i64 {
        let Some(house) = world.houses.get(location) else { return HOUR };
        let holds = shown.get("holds").and_then(Value::as_array).into_iter().flatten();
        let mut places =
            holds.filter_map(|hold| hold.get("place")).filter(|place| text(place, "location") == location);
        let promised = places.next().map(|place| text(place, "bed").to_owned()).filter(|bed| !bed.is_empty());
        let arriving = Arriving {
            stay: self.stay.clone(),
            referral: self.referral.clone(),
            care: self.care,
            promised,
            stays: self.stays,
            destination: self.destination,
        };
        now.arrived = house.receive(world, arriving);
        if now.arrived {
            return HOUR;
        }
        house.not_coming(&self.referral);
        let path = format!("/referrals/{}/hold/release", self.referral);
        let body = json!({ "location": location });
        world.act(&mut now.chance, (Party::Desk, &now.region), "release", &path, body);
        now.at_door = None;
        now.placed = false;
        MINUTE
    }
}
