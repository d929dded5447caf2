//! A region: who comes to its desk and when, and who stands in for the desk at night.
//!
//! Not here: what becomes of them (`case`).

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use domain::RegionId;
use serde_json::json;

use crate::api::Party;
use crate::case::Case;
use crate::chance::{Chance, DAY, HOUR};
use crate::practice::{self, ADMISSIONS_A_DAY, REGIONS};
use crate::world::World;

/// The desk closes, and opens again, in UTC.
const CLOSES: i64 = 21 * HOUR;
const OPENS_AFTER: i64 = 9 * HOUR;

/// What a region is made of in the simulation.
pub(crate) struct Region {
    code: RegionId,
    number: usize,
    arrivals: std::sync::Mutex<(Chance, u64)>,
}

impl Region {
    pub(crate) fn new(world: &World, code: &RegionId, number: usize) -> Arc<Self> {
        let chance = Chance::of(world.seed, &format!("arrivals {code}"));
        Arc::new(Self { code: code.clone(), number, arrivals: std::sync::Mutex::new((chance, 0)) })
    }

    /// Its days begin.
    pub(crate) fn begin(self: &Arc<Self>, world: &World) {
        self.next_arrival(world);
        let closes_at_night =
            Chance::of(world.seed, &format!("night {}", self.code)).happens(practice::NIGHT_PERCENT);
        let deputy = world.regions.get((self.number + 1) % world.regions.len().max(1)).cloned();
        if let Some(deputy) = deputy.filter(|deputy| closes_at_night && *deputy != self.code) {
            self.next_night(world, deputy);
        }
    }

    /// The next person: as if each hour were the busiest, and then taken as often as this hour is busy.
    fn next_arrival(self: &Arc<Self>, world: &World) {
        let busiest = 168.0 * 100.0 / f64::from(practice::busy_in_a_week());
        let a_day = ADMISSIONS_A_DAY / REGIONS * f64::from(world.load) / 100.0 * busiest;
        let after = {
            let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            arrivals.0.exponential(24.0 * 60.0 / a_day.max(0.01))
        };
        let region = Arc::clone(self);
        world.after(after, move |world| {
            if !world.is_closing() {
                region.arrival(world);
                region.next_arrival(world);
            }
        });
    }

    fn arrival(&self, world: &World) {
        let number = {
            let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            let comes = arrivals.0.happens(practice::busy(practice::hour_of_week(world.now())));
            arrivals.1 += u64::from(comes);
            comes.then_some(arrivals.1)
        };
        let case = number.and_then(|number| Case::new(world, &self.code, self.number, number));
        if let Some(case) = case {
            world.tally.count("referrals", self.code.as_str());
            world.open.fetch_add(1, Ordering::Relaxed);
            case.look(world);
        }
    }

    /// At night the desk next door stands in.
    fn next_night(self: &Arc<Self>, world: &World, deputy: RegionId) {
        let of_day = world.now().as_micros().rem_euclid(DAY);
        let region = Arc::clone(self);
        let after = (CLOSES - of_day).rem_euclid(DAY);
        // Not twice in one evening.
        let after = if after < HOUR { after + DAY } else { after };
        world.after(after, move |world| {
            let until = world.now().saturating_add_micros(OPENS_AFTER);
            let body = json!({ "to": deputy.as_str(), "until": until.to_string(), "mandate": ["all"] });
            let path = format!("/regions/{}/duty/hand-over", region.code);
            let mut chance = Chance::of(world.seed, &format!("night {} {until}", region.code));
            let answer = world.act(&mut chance, (Party::Desk, &region.code), "hand-over", &path, body);
            if answer.is_done() {
                let mut nights = world.nights.lock().unwrap_or_else(PoisonError::into_inner);
                nights.insert(region.code.clone(), (deputy.clone(), until));
            }
            if !world.is_closing() {
                region.next_night(world, deputy);
            }
        });
    }
}
