//! What a location tells, some of it late or wrong; and its round, which looks what the board has and sets it right.
//!
//! Not here: what is so (`house`).

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};

use super::{House, Left, Person, Within};
use crate::chance::{Chance, DAY, HOUR, MINUTE};
use crate::practice::{self, Care};
use crate::world::World;

/// The house is compared with the board so often.
const SURVEY_EVERY: i64 = 6 * HOUR;

/// What the board says of a bed.
struct Shown {
    counts_as: String,
    stay: Option<String>,
}

impl House {
    /// Goes round when the day begins, and looks in between.
    pub(super) fn survey(self: &Arc<Self>, world: &World) {
        let Some(board) = self.board(world) else { return self.survey_again(world) };
        let (now, within) = (world.now(), self.within());
        let mut differs = 0;
        for bed in &within.beds {
            let Some(shown) = board.get(&bed.id) else { continue };
            let really_taken = bed.person.is_some();
            let seems_free = shown.counts_as == "offerable";
            if seems_free && really_taken {
                world.tally.count("phantom beds", "offerable on the board, taken in truth");
            }
            if shown.counts_as == "occupied" && !really_taken && bed.ready_at <= now {
                world.tally.count("phantom beds", "taken on the board, free in truth");
            }
            differs += u64::from(seems_free);
        }
        world.tally.add("beds looked at", "all", u64::try_from(within.beds.len()).unwrap_or(0));
        world.tally.add("beds looked at", "offerable on the board", differs);
        drop(within);
        self.survey_again(world);
    }

    fn survey_again(self: &Arc<Self>, world: &World) {
        let house = Arc::clone(self);
        world.after(SURVEY_EVERY, move |world| house.survey(world));
    }

    /// A round before its time, because something did not fit.
    pub(super) fn round_soon(self: &Arc<Self>, world: &World) {
        let mut within = self.within();
        if !std::mem::replace(&mut within.round_to_come, true) {
            let after = within.chance.between(20 * MINUTE, 2 * HOUR);
            drop(within);
            let house = Arc::clone(self);
            world.after(after, move |world| house.round(world));
        }
    }

    /// The daily round, and when all is brought to its end.
    pub(super) fn daily(self: &Arc<Self>, world: &World) {
        self.round(world);
        let (every, spread) = if world.is_closing() { (HOUR, 10 * MINUTE) } else { (DAY, HOUR) };
        let after = every + self.within().chance.between(-spread, spread);
        let until_closing = world.ends_at().as_micros() - world.now().as_micros() + 10 * MINUTE;
        let after = if until_closing > 0 { after.min(until_closing) } else { after };
        let house = Arc::clone(self);
        world.after(after, move |world| house.daily(world));
        let stops = self.within().chance.happens(2);
        if stops && !world.is_closing() {
            self.stop(world);
        }
    }

    /// No admissions for half a day.
    fn stop(self: &Arc<Self>, world: &World) {
        let (path, body) = (format!("/locations/{}/stop", self.id), json!({ "reason": "staffing" }));
        world.act(&mut self.within().chance, self.party(), "stop", &path, body);
        let house = Arc::clone(self);
        world.after(12 * HOUR, move |world| {
            let path = format!("/locations/{}/resume", house.id);
            world.act(&mut house.within().chance, house.party(), "resume", &path, json!({}));
        });
    }

    /// Looks what the board has, and sets right what is not so: who is gone, who is elsewhere, who is here, what is ready.
    fn round(self: &Arc<Self>, world: &World) {
        self.within().round_to_come = false;
        let gone: Vec<String> = self.within().left.iter().map(|left| left.person.stay.clone()).collect();
        for stay in gone {
            self.tell_left(world, &stay);
        }
        if let Some(board) = self.board(world) {
            self.move_back(world, &board);
        }
        let untold = |within: &Within| {
            let people = within.beds.iter().filter_map(|bed| bed.person.as_ref());
            people.filter(|person| !person.told).map(|person| person.stay.clone()).collect::<Vec<String>>()
        };
        let untold = untold(&self.within());
        for stay in untold {
            self.tell_admission_in(world, &stay, false);
        }
        if let Some(board) = self.board(world) {
            let not_ready = board.iter().filter(|(_, shown)| shown.counts_as == "not-ready");
            for (bed, _) in not_ready {
                self.tell_freed(world, bed);
            }
        }
        let path = format!("/locations/{}/confirm", self.id);
        let mut within = self.within();
        world.act(&mut within.chance, self.party(), "confirm", &path, json!({}));
    }

    /// Who is on the board in another bed than in truth, or in none, is moved there.
    fn move_back(self: &Arc<Self>, world: &World, board: &BTreeMap<String, Shown>) {
        let mut within = self.within();
        let Within { beds, chance, .. } = &mut *within;
        for bed in beds.iter() {
            let Some(person) = bed.person.as_ref().filter(|person| person.told) else { continue };
            let on_board = board.iter().find(|(_, shown)| shown.stay.as_deref() == Some(&person.stay));
            if on_board.is_some_and(|(shown, _)| *shown == bed.id) {
                continue;
            }
            let body = json!({ "to": { "location": self.id, "bed": bed.id } });
            world.act(chance, self.party(), "move", &format!("/stays/{}/move", person.stay), body);
        }
    }

    fn board(&self, world: &World) -> Option<BTreeMap<String, Shown>> {
        let house = world.api.ask(self.party(), "house", &format!("/locations/{}", self.id))?;
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let beds = house.get("beds")?.as_array()?.iter();
        let shown = beds.filter_map(|bed| {
            Some((text(bed, "bed")?, Shown { counts_as: text(bed, "counts_as")?, stay: text(bed, "stay") }))
        });
        Some(shown.collect())
    }

    /// Somebody came: the board is told, sometimes of the wrong bed.
    pub(super) fn tell_admission(self: &Arc<Self>, world: &World, stay: &str) {
        let wrong = self.within().chance.happens(practice::WRONG_BED_PERCENT);
        self.tell_admission_in(world, stay, wrong);
    }

    fn tell_admission_in(self: &Arc<Self>, world: &World, stay: &str, wrong: bool) {
        let mut within = self.within();
        let now = world.now();
        let Some(bed) = within.beds.iter().find(|bed| is_in(bed.person.as_ref(), stay)) else { return };
        let (care, mut named, Some(person)) = (bed.care, bed.id.clone(), bed.person.clone()) else { return };
        if person.told {
            return;
        }
        if wrong && let Some(other) = within.beds.iter().find(|bed| bed.care == care && bed.is_free(now)) {
            world.tally.count("reports", "admission in the wrong bed");
            named.clone_from(&other.id);
        }
        let told = self.admit(world, &mut within.chance, &person, &named, care);
        if told && let Some(bed) = within.beds.iter_mut().find(|bed| is_in(bed.person.as_ref(), stay)) {
            bed.person = Some(Person { told, ..person });
        }
        drop(within);
        if !told {
            self.round_soon(world);
        }
    }

    /// Tells of an admission; without the referral where that has gone another way.
    fn admit(&self, world: &World, chance: &mut Chance, person: &Person, bed: &str, care: Care) -> bool {
        let body = |referral: Option<&String>| {
            json!({
                "occurred_at": person.came_at.to_string(), "stay": person.stay, "referral": referral,
                "place": { "location": self.id, "bed": bed, "care_type": care.code }, "triage": care.code,
                "plan": [{ "item": "care-at-home", "state": "open" }],
            })
        };
        let answer = world.act(chance, self.party(), "admit", "/stays", body(person.referral.as_ref()));
        match answer.refusal() {
            "" => answer.is_done(),
            "stay-known" => true,
            "hold-lapsed" | "not-placed" | "already-placed" | "placed-elsewhere" | "referral-ended"
            | "not-your-region" => {
                world.tally.count("reports", "admission without the referral");
                let answer = world.act(chance, self.party(), "admit-alone", "/stays", body(None));
                answer.is_done() || answer.refusal() == "stay-known"
            }
            _ => false,
        }
    }

    pub(super) fn tell_waiting(self: &Arc<Self>, world: &World, stay: &str) {
        let mut within = self.within();
        let here =
            within.beds.iter().filter_map(|bed| bed.person.as_ref()).find(|person| person.stay == stay);
        let Some(person) = here.filter(|person| person.told && person.destination == "wlz-elsewhere") else {
            return;
        };
        let (path, since) = (format!("/stays/{}", person.stay), world.now().to_string());
        let body = json!({ "funding": "wlz", "what": "wlz-place", "since": since });
        world.act(&mut within.chance, self.party(), "switch-funding", &format!("{path}/funding"), body);
    }

    /// Somebody left: the board is told, of the admission too if it never was.
    pub(super) fn tell_left(self: &Arc<Self>, world: &World, stay: &str) {
        let mut within = self.within();
        let Within { left, chance, .. } = &mut *within;
        let Some(place) = left.iter().position(|left| left.person.stay == stay) else { return };
        let Some(Left { person, bed, care, at }) = left.get(place).cloned() else { return };
        let known = person.told || self.admit(world, chance, &person, &bed, care);
        let body = json!({ "occurred_at": at.to_string(), "destination": person.destination });
        let path = format!("/stays/{stay}/discharge");
        let told = known && {
            let answer = world.act(chance, self.party(), "discharge", &path, body);
            answer.is_done() || answer.refusal() == "stay-closed"
        };
        if told {
            left.remove(place);
        }
        drop(within);
        if !told {
            self.round_soon(world);
        }
    }

    /// A bed is ready: the board is told, if it is.
    pub(super) fn tell_freed(self: &Arc<Self>, world: &World, bed: &str) {
        let mut within = self.within();
        let now = world.now();
        let is_ready = |at: Timestamp| at <= now;
        let Within { beds, left, chance, .. } = &mut *within;
        let empty =
            beds.iter().any(|here| here.id == bed && here.person.is_none() && is_ready(here.ready_at));
        // Who still lies there on the board is said to have left first.
        let said = left.iter().all(|left| left.bed != bed);
        if empty && said {
            let path = format!("/locations/{}/beds/{bed}/freed", self.id);
            let answer = world.act(chance, self.party(), "freed", &path, json!({}));
            drop(within);
            // The board has it otherwise: the round will see.
            if !answer.is_done() {
                self.round_soon(world);
            }
        }
    }
}

fn is_in(person: Option<&Person>, stay: &str) -> bool {
    person.is_some_and(|person| person.stay == stay)
}
