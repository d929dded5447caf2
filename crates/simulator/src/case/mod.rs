//! One person who needs a place, and the desk that looks at the referral again and again and decides what to do next.
//!
//! Whatever was missed meanwhile, the next look sees how things stand and goes on from there. Here: the person, the look,
//! the ends. Not here: finding and placing (`placing`), other desks and those above them (`ladder`).

mod ladder;
mod placing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use domain::desk::Rung;
use domain::{RegionId, Timestamp};
use serde_json::{Value, json};

use crate::api::Party;
use crate::chance::{Chance, DAY, HOUR, MINUTE};
use crate::practice::{self, Care};
use crate::world::World;

/// Somebody who needs a place.
pub(crate) struct Case {
    referral: String,
    stay: String,
    care: Care,
    urgency: &'static str,
    by_referrer: bool,
    /// The region in which it was made.
    made_in: RegionId,
    needed_at: Timestamp,
    wished_at: Option<Timestamp>,
    /// When a place is needed no longer, if none was found by then.
    withdrawn_at: Option<Timestamp>,
    stays: i64,
    destination: &'static str,
    profile: Value,
    now: Mutex<Now>,
}

/// How far it is, as its desk and the person know it.
struct Now {
    chance: Chance,
    region: RegionId,
    made: bool,
    /// The locations that were asked, and when.
    asked: BTreeMap<String, Timestamp>,
    /// Offers about which somebody was called.
    called: BTreeSet<String>,
    /// Rungs of the ladder.
    tried: Vec<Rung>,
    /// Looks in a row at which there was nobody to ask.
    dry: u32,
    /// Promises are there since.
    promised_since: Option<Timestamp>,
    placed: bool,
    /// When the person is at the door, and where.
    at_door: Option<(String, Timestamp)>,
    arrived: bool,
}

impl Case {
    /// The person with this number in a region.
    pub(crate) fn new(world: &World, region: &RegionId, area: usize, number: u64) -> Option<Arc<Self>> {
        let mut chance = Chance::of(world.seed, &format!("case {region} {number}"));
        let now = world.now();
        let care = Care::needed(&mut chance)?;
        let urgency = care.urgency(&mut chance);
        let origin = practice::origin(&mut chance, practice::hour_of_week(now));
        let by_referrer = chance.happens(practice::BY_REFERRER_PERCENT);
        let tomorrow = now.saturating_add_micros(DAY - now.as_micros().rem_euclid(DAY));
        let wished_at = (urgency == "planned")
            .then(|| tomorrow.saturating_add_micros(chance.between(9 * HOUR, 15 * HOUR)));
        let withdrawn = chance.happens(practice::WITHDRAWN_PERCENT);
        let withdrawn_at = withdrawn.then(|| now.saturating_add_micros(chance.between(HOUR, 2 * DAY)));
        let profile = json!({
            "origin": origin, "urgency": urgency, "area": (10 + area % 90).to_string(),
            "care_type": (urgency == "crisis" || chance.happens(50)).then_some(care.code),
            "age_band": practice::age_band(&mut chance), "sex": if chance.happens(65) { "v" } else { "m" },
            "channel": if by_referrer { "api" } else { "phone" }, "wished_at": wished_at.map(|at| at.to_string()),
            "consent": chance.happens(96), "expected_days": 30,
        });
        let (referral, stay) = (chance.id(now), chance.id(now));
        let (stays, destination) = (care.stay(&mut chance), care.destination(&mut chance));
        let state = Now {
            chance,
            region: region.clone(),
            made: false,
            asked: BTreeMap::new(),
            called: BTreeSet::new(),
            tried: Vec::new(),
            dry: 0,
            promised_since: None,
            placed: false,
            at_door: None,
            arrived: false,
        };
        let (made_in, needed_at, now) = (region.clone(), now, Mutex::new(state));
        let made = Self {
            referral,
            stay,
            care,
            urgency,
            by_referrer,
            made_in,
            needed_at,
            wished_at,
            withdrawn_at,
            stays,
            destination,
            profile,
            now,
        };
        Some(Arc::new(made))
    }

    /// Looks, does what is to be done, and looks again when there may be more.
    pub(crate) fn look(self: &Arc<Self>, world: &World) {
        let after = {
            let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
            self.step(world, &mut now)
        };
        if let Some(after) = after {
            let case = Arc::clone(self);
            world.after(after, move |world| case.look(world));
        }
    }

    /// The next step, and how long until the one after; `None` at the end.
    fn step(&self, world: &World, now: &mut Now) -> Option<i64> {
        if !now.made {
            return self.make(world, now);
        }
        let path = format!("/referrals/{}", self.referral);
        let Some(shown) = world.ask_as_desk(&now.region, "referral", &path) else { return Some(5 * MINUTE) };
        if let Some(region) =
            text(&shown, "region").parse::<RegionId>().ok().filter(|region| *region != now.region)
        {
            now.region = region;
        }
        if let Some(end) = shown.get("end").filter(|end| end.is_object()) {
            self.end(world, now, text(end, "how"));
            return None;
        }
        if let Some(after) = self.no_longer(world, now) {
            return Some(after);
        }
        if let Ok(asked) = text(&shown, "asked").parse::<RegionId>() {
            return Some(self.escalated(world, now, &asked));
        }
        let offers = shown.get("offers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if let Some(winner) = offers.iter().find(|offer| is(offer, "chosen")) {
            return Some(self.placed(world, now, &shown, winner));
        }
        if now.arrived {
            // In a bed, but not by the promise that was chosen: for the desk it is solved.
            return Some(self.withdraw(world, now, "found-elsewhere"));
        }
        now.at_door = None;
        if !shown.get("outcome").is_some_and(Value::is_string) {
            return Some(self.triage(world, now));
        }
        let standing =
            |wanted: &'static str| offers.iter().filter(move |offer| text(offer, "standing") == wanted);
        let open: Vec<&Value> = standing("sent").chain(standing("seen")).collect();
        let promised: Vec<&Value> = standing("accepted").collect();
        if !promised.is_empty() {
            return Some(self.choose(world, now, &promised, open.is_empty()));
        }
        now.promised_since = None;
        if !open.is_empty() {
            return Some(self.wait(world, now, &open));
        }
        Some(self.seek(world, now))
    }

    fn make(&self, world: &World, now: &mut Now) -> Option<i64> {
        let party = if self.by_referrer { Party::Referrer } else { Party::Desk };
        for not_a_double in [false, true] {
            let body = json!({
                "region": self.made_in.as_str(), "referral": self.referral, "profile": self.profile,
                "not_a_double": not_a_double, "private": format!("Somebody of the simulation, {}", self.stay),
            });
            let answer = world.act(&mut now.chance, (party, &self.made_in), "refer", "/referrals", body);
            if answer.is_done() || answer.refusal() == "referral-known" {
                now.made = true;
                return Some(now.chance.between(MINUTE, 15 * MINUTE));
            }
            if answer.refusal() != "likely-double" {
                break;
            }
        }
        world.tally.count("ends", "never made");
        world.ended();
        None
    }

    /// The weighing: the answers that come to the care that is needed; sometimes the desk decides otherwise.
    fn triage(&self, world: &World, now: &mut Now) -> i64 {
        let rules = world.rules.of(&now.region);
        let Some(instrument) = rules.instruments.first() else { return HOUR };
        let otherwise = match self.care.code {
            "ELV_LC" if now.chance.happens(6) => Some("ELV_HC"),
            "ELV_HC" if now.chance.happens(6) => Some("ELV_LC"),
            _ => None,
        };
        let wanted = domain::CareType::from(otherwise.unwrap_or(self.care.code));
        let mut answers = Vec::new();
        for question in &instrument.questions {
            let comes_to = |outcome: &Option<domain::desk::Outcome>| {
                outcome.as_ref().is_some_and(|outcome| outcome.code() == wanted)
            };
            let (by_yes, by_no) = (comes_to(&question.yes), comes_to(&question.no));
            // Asking on, where neither answer comes to it.
            let yes = by_yes || (!by_no && question.yes.is_none() && question.no.is_some());
            answers.push(json!({ "question": question.id, "yes": yes }));
            if by_yes || by_no {
                break;
            }
        }
        let body = json!({
            "instrument": instrument.name.as_str(), "answers": answers, "decided_by": "nurse",
            "set_aside": otherwise.map(|_| self.care.code), "reason": otherwise.map(|_| "seen at home"),
        });
        let path = format!("/referrals/{}/triage", self.referral);
        let answer = world.act(&mut now.chance, (Party::Desk, &now.region), "triage", &path, body);
        if answer.is_done() { MINUTE } else { 20 * MINUTE }
    }

    /// A place is needed no longer, or all is brought to its end.
    fn no_longer(&self, world: &World, now: &mut Now) -> Option<i64> {
        let over = self.withdrawn_at.is_some_and(|at| at <= world.now());
        let ended = world.is_last() || (!now.arrived && (over || world.is_late()));
        if !ended {
            return None;
        }
        Some(self.withdraw(world, now, if over { "recovered" } else { "other" }))
    }

    fn withdraw(&self, world: &World, now: &mut Now, reason: &str) -> i64 {
        let by_referrer = reason == "recovered" && self.by_referrer;
        let (party, region) =
            if by_referrer { (Party::Referrer, &self.made_in) } else { (Party::Desk, &now.region) };
        let path = format!("/referrals/{}/withdraw", self.referral);
        let body = json!({ "reason": reason });
        let answer = world.act(&mut now.chance, (party, region), "withdraw", &path, body);
        if answer.is_done() { MINUTE } else { 30 * MINUTE }
    }

    /// Whoever was asked hears that it is over; but for one.
    fn tell_others(&self, world: &World, now: &Now, but: &str) {
        for location in now.asked.keys().filter(|location| *location != but) {
            if let Some(house) = world.houses.get(location) {
                house.not_coming(&self.referral);
            }
        }
    }

    fn end(&self, world: &World, now: &Now, how: &str) {
        let admitted = how == "admitted";
        world.tally.count("ends", how);
        if admitted != now.arrived {
            let differs = if admitted { "admitted and never came" } else { "came and not admitted" };
            world.tally.count("end and truth", differs);
        }
        if admitted {
            let after = world.now().as_micros().saturating_sub(self.needed_at.as_micros());
            world.tally.took("admission known after", self.urgency, after);
        }
        self.tell_others(world, now, "");
        world.ended();
    }
}

/// A text of an answer; empty where there is none.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A moment of an answer.
fn moment(value: &Value, name: &str) -> Option<Timestamp> {
    text(value, name).parse().ok()
}

fn is(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}
