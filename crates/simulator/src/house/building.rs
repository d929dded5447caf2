//! How a location begins: its beds, who is in them, and what the board is told of both.
//!
//! Not here: what happens then (`house`).

use std::sync::{Arc, Mutex};

use domain::{RegionId, Timestamp};
use serde_json::{Value, json};

use super::{Bed, House, Person, Within};
use crate::chance::{Chance, DAY, HOUR, MINUTE};
use crate::practice::{Care, HOUSES, OCCUPIED_PERCENT};
use crate::world::World;

/// The house of this number in a region, with people in it already.
pub(crate) fn build(seed: u64, region: &RegionId, number: usize, now: Timestamp) -> House {
    let id = format!("{region}-huis-{}", number + 1);
    let mut chance = Chance::of(seed, &id);
    let kind = HOUSES.iter().cycle().nth(number).copied().unwrap_or_default();
    let mut beds: Vec<Bed> = Vec::new();
    for (code, count) in kind {
        let Some(care) = Care::of(code) else { continue };
        for _ in 0..*count {
            let taken = chance.happens(OCCUPIED_PERCENT);
            let person = taken.then(|| Person {
                stay: chance.id(now),
                referral: None,
                came_at: now,
                destination: care.destination(&mut chance),
                promised: None,
                told: false,
            });
            let id = (beds.len() + 1).to_string();
            beds.push(Bed { id, care, person, ready_at: now, kept_for: None, reserve: false });
        }
    }
    if chance.happens(30)
        && let Some(last) = beds.iter_mut().rev().find(|bed| bed.person.is_none())
    {
        last.reserve = true;
    }
    let by_day = kind.iter().all(|(code, _)| *code == "GRZ") && number.is_multiple_of(2);
    let within = Mutex::new(Within { beds, left: Vec::new(), chance, round_to_come: false });
    House { id, region: region.clone(), by_day, within }
}

impl House {
    /// Tells the board of the house, its beds, and who is in them; from then on there is life in it.
    pub(crate) fn open(self: &Arc<Self>, world: &World) {
        let (beds, mut chance) = (self.within().beds.clone(), Chance::of(world.seed ^ 1, &self.id));
        self.register(world, &mut chance, &beds);
        for bed in &beds {
            let path = format!("/locations/{}/beds/{}/add", self.id, bed.id);
            let facts =
                json!({ "care_types": [bed.care.code], "ward": bed.care.code, "reserve": bed.reserve });
            world.act(&mut chance, self.party(), "add-bed", &path, json!({ "facts": facts }));
            let Some(person) = &bed.person else { continue };
            let place = json!({ "location": self.id, "bed": bed.id, "care_type": bed.care.code });
            let body = json!({ "stay": person.stay, "place": place });
            let told = world.act(&mut chance, self.party(), "admit-first", "/stays", body).is_done();
            let mut within = self.within();
            let here = within.beds.iter_mut().find(|here| here.id == bed.id);
            if let Some(person) = here.and_then(|here| here.person.as_mut()) {
                person.told = told;
            }
        }
        for bed in &beds {
            let Some(person) = &bed.person else { continue };
            let left = bed.care.left_of_stay(&mut chance);
            self.will_leave(world, &person.stay, world.now().saturating_add_micros(left));
        }
    }

    fn register(&self, world: &World, chance: &mut Chance, beds: &[Bed]) {
        let mut care_types: Vec<&str> = beds.iter().map(|bed| bed.care.code).collect();
        care_types.dedup();
        let site = json!({
            "provider": format!("Zorggroep {}", self.region), "name": self.id, "mode": "beds",
            "care_types": care_types, "wards": care_types, "phone": "0800-000-0099", "phone_night": "0800-000-0098",
        });
        let path = format!("/regions/{}/locations", self.region);
        let body = json!({ "location": self.id, "site": site });
        world.act(chance, self.party(), "register", &path, body);
        if self.by_day {
            let days: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];
            // In the Netherlands; the day of the house itself is shorter, whatever the season.
            let window: Value = json!({ "days": days, "from": "08:00", "to": "21:00" });
            let path = format!("/locations/{}/windows", self.id);
            world.act(chance, self.party(), "windows", &path, json!({ "windows": [window] }));
        }
    }

    /// Its days begin.
    pub(crate) fn begin(self: &Arc<Self>, world: &World) {
        let mut chance = Chance::of(world.seed ^ 2, &self.id);
        let of_day = world.now().as_micros().rem_euclid(DAY);
        // The round is at seven or eight in the morning.
        let until_round = (6 * HOUR - of_day).rem_euclid(DAY) + chance.between(0, 90 * MINUTE);
        let house = Arc::clone(self);
        world.after(until_round, move |world| house.daily(world));
        let house = Arc::clone(self);
        world.after(chance.between(HOUR, 7 * HOUR), move |world| house.survey(world));
    }
}
