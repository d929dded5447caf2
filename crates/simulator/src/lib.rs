//! A simulation of the bed desks: desks, locations, referrers and patients that act through the HTTP API only, each as the
//! holder of a machine token; with late, wrong and missing reports. It keeps the truth, which the node never sees, and
//! measures how far the board is from it.
//!
//! Seeded: what is decided for a person, a house or an offer depends on the seed and its name alone. When it happens
//! depends on the node too, which may be killed meanwhile: every act has an id that is made once, and is sent again with
//! it until it is answered. Here: one run. Not here: starting and killing the node, looking at its log afterwards.

mod agenda;
mod api;
mod case;
mod chance;
mod clock;
mod house;
mod practice;
mod region;
mod tally;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::desk::RuleBook;
use domain::{RegionId, Timestamp};
use serde_json::{Value, json};

use crate::agenda::Agenda;
use crate::api::{Api, Party, Tokens};
use crate::chance::HOUR;
use crate::clock::SimClock;
use crate::house::House;
use crate::region::Region;
use crate::tally::Tally;
use crate::world::World;

/// Threads that act at the same time: more than a node of two processors answers at once.
const WORKERS: usize = 16;
/// What has not ended so long after nobody comes any more does not end; in simulated time.
const ENDS_WITHIN: i64 = 18 * HOUR;
/// Progress is told so often.
const TELL_EVERY: Duration = Duration::from_secs(15);
/// The most houses of one region: bed numbers and postcodes are made for so many.
const HOUSES_MAX: usize = 100;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The node, such as `http://127.0.0.1:8080`.
    pub node: String,
    /// The folder of the tokens: `desk-REGION.token`, `houses-REGION.token`, `referrer-REGION.token`. Regions that have all
    /// three take part.
    pub tokens: PathBuf,
    /// The rules of the regions, as the node has them.
    pub rules: RuleBook,
    /// How long people come, in simulated hours; what is left is brought to its end after that, within 18 hours.
    pub hours: u32,
    /// Ends when nobody comes any more, and leaves what is open as it is.
    pub leave_open: bool,
    /// What is decided depends on it.
    pub seed: u64,
    /// How many times faster the clock of the node goes.
    pub factor: u32,
    /// How many of a hundred of the houses and people of a region there are.
    pub load: u32,
}

/// Why a simulation came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The tokens can not be read.
    #[error("the tokens in {} can not be read: {why}", dir.display())]
    Tokens {
        /// The folder.
        dir: PathBuf,
        /// Why.
        why: String,
    },
    /// Nobody can take part.
    #[error("{} has no region with all of desk-REGION.token, houses-REGION.token and referrer-REGION.token", dir.display())]
    NoRegions {
        /// The folder.
        dir: PathBuf,
    },
    /// The node does not say what time it is.
    #[error("{node} does not answer as a node whose desk of {region} knows this token")]
    NoNode {
        /// The node.
        node: String,
        /// The region.
        region: RegionId,
    },
}

/// Runs it to its end; `tell` hears how far it is.
///
/// # Errors
/// The tokens, or the node.
pub fn run(plan: &Plan, tell: &dyn Fn(&str)) -> Result<Value, SimulationError> {
    let began = Instant::now();
    let world = Arc::new(world(plan)?);
    let houses: Vec<Arc<House>> = world.houses.values().cloned().collect();
    tell(&format!("{} regions with {} locations open", world.regions.len(), houses.len()));
    // The beds first: whoever comes finds them on the board.
    let next = Mutex::new(houses.iter());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(house) = next_of(&next) {
                    house.open(&world);
                }
            });
        }
    });
    world.begin(plan.hours);
    tell(&format!("open after {} s; people come", began.elapsed().as_secs()));
    for house in &houses {
        house.begin(&world);
    }
    for (number, code) in world.regions.iter().enumerate() {
        Region::new(&world, code, number).begin(&world);
    }
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| world.agenda.work(&world));
        }
        watch(&world, plan.leave_open, tell);
        world.api.end();
        world.agenda.end();
    });
    Ok(report(&world, plan, began.elapsed()))
}

fn next_of<'a>(next: &Mutex<std::slice::Iter<'a, Arc<House>>>) -> Option<&'a Arc<House>> {
    next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next()
}

fn world(plan: &Plan) -> Result<World, SimulationError> {
    let tokens = Tokens::read(&plan.tokens)?;
    let regions = tokens.regions();
    let first =
        regions.first().ok_or_else(|| SimulationError::NoRegions { dir: plan.tokens.clone() })?.clone();
    let tally = Arc::new(Tally::default());
    let api = Api::new(&plan.node, tokens, Arc::clone(&tally));
    let asked = api.ask((Party::Desk, &first), "admittable", &format!("/regions/{first}/admittable"));
    let now = asked.as_ref().and_then(|answer| answer.get("at")?.as_str()?.parse::<Timestamp>().ok());
    let now = now.ok_or_else(|| SimulationError::NoNode { node: plan.node.clone(), region: first })?;
    let of_a_region = usize::try_from(plan.load.div_ceil(10)).unwrap_or(1).clamp(3, HOUSES_MAX);
    let houses: BTreeMap<String, Arc<House>> = regions
        .iter()
        .flat_map(|region| (0..of_a_region).map(move |number| house::build(plan.seed, region, number, now)))
        .map(|house| (house.id.clone(), Arc::new(house)))
        .collect();
    Ok(World {
        api,
        clock: SimClock::new(now, plan.factor),
        agenda: Agenda::default(),
        tally,
        houses,
        regions,
        rules: plan.rules.clone(),
        seed: plan.seed,
        load: plan.load,
        ends_at: AtomicI64::new(i64::MAX),
        nights: Mutex::new(BTreeMap::new()),
        open: AtomicI64::new(0),
    })
}

/// Waits until all is at its end, or has to be.
fn watch(world: &World, leave_open: bool, tell: &dyn Fn(&str)) {
    let last = world.ends_at().saturating_add_micros(ENDS_WITHIN);
    let mut told = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(100));
        let (now, open) = (world.now(), world.open.load(Ordering::Relaxed));
        if now >= last || (now >= world.ends_at() && (leave_open || open <= 0)) {
            return;
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let admitted = world.tally.counted("ends", "admitted");
            tell(&format!("{now}: {open} referrals open, {admitted} admitted"));
        }
    }
}

fn report(world: &World, plan: &Plan, took: Duration) -> Value {
    let beds = world.tally.counted("beds looked at", "offerable on the board");
    let phantoms = world.tally.counted("phantom beds", "offerable on the board, taken in truth");
    json!({
        "seed": plan.seed,
        "hours": plan.hours,
        "factor": plan.factor,
        "load": plan.load,
        "seconds": took.as_secs(),
        "regions": world.regions.len(),
        "locations": world.houses.len(),
        "beds": world.houses.values().map(|house| house.beds()).sum::<usize>(),
        "requests": world.tally.counted("requests", "answered"),
        "double_placements": world.tally.counted("double placements", "two people came for one bed"),
        "not_ended": world.open.load(Ordering::Relaxed),
        "phantoms_in_1000_offerable": (phantoms * 1_000).checked_div(beds),
        "measured": world.tally.told(),
        "unexpected_answers": world.tally.sum("wrong"),
        "unexpected": world.tally.unexpected(),
    })
}
