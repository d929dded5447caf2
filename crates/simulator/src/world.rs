//! What everybody in the simulation shares: the way to the node, the clock, what is to happen, the houses.
//!
//! Not here: what anybody does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::desk::{RuleBook, Rung};
use domain::{RegionId, Timestamp};
use serde_json::{Value, json};

use crate::agenda::Agenda;
use crate::api::{Answer, Api, Party};
use crate::chance::{Chance, HOUR};
use crate::clock::SimClock;
use crate::house::House;
use crate::tally::Tally;

/// What everybody shares.
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) clock: SimClock,
    pub(crate) agenda: Agenda,
    pub(crate) tally: Arc<Tally>,
    pub(crate) houses: BTreeMap<String, Arc<House>>,
    pub(crate) regions: Vec<RegionId>,
    pub(crate) rules: RuleBook,
    pub(crate) seed: u64,
    /// Share of the country's load, in a hundred.
    pub(crate) load: u32,
    /// From when on nobody comes any more, in microseconds.
    pub(crate) ends_at: AtomicI64,
    /// Who stands in for which desk, until when.
    pub(crate) nights: Mutex<BTreeMap<RegionId, (RegionId, Timestamp)>>,
    /// Referrals that have not ended.
    pub(crate) open: AtomicI64,
}

impl World {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// People come from now on, for so many hours.
    pub(crate) fn begin(&self, hours: u32) {
        let at = self.now().saturating_add_micros(i64::from(hours) * HOUR);
        self.ends_at.store(at.as_micros(), Ordering::Relaxed);
    }

    /// From when on nobody comes any more.
    pub(crate) fn ends_at(&self) -> Timestamp {
        Timestamp::from_micros(self.ends_at.load(Ordering::Relaxed))
    }

    /// Nobody comes any more, and what is left is brought to its end.
    pub(crate) fn is_closing(&self) -> bool {
        self.now() >= self.ends_at()
    }

    /// So long that what has not ended by itself is ended.
    pub(crate) fn is_late(&self) -> bool {
        self.now() >= self.ends_at().saturating_add_micros(6 * HOUR)
    }

    /// So long that even who is there and was never reported is ended.
    pub(crate) fn is_last(&self) -> bool {
        self.now() >= self.ends_at().saturating_add_micros(12 * HOUR)
    }

    /// Does this so long from now.
    pub(crate) fn after(&self, micros: i64, task: impl FnOnce(&Arc<World>) + Send + 'static) {
        self.agenda.at(self.now().saturating_add_micros(micros), task);
    }

    /// Sends an act with an id of this chance; as who stands in for the desk, if somebody does.
    pub(crate) fn act(
        &self,
        chance: &mut Chance,
        (party, region): (Party, &RegionId),
        what: &'static str,
        path: &str,
        mut body: Value,
    ) -> Answer {
        let deputy = if party == Party::Desk { self.deputy(region) } else { None };
        self.sign(chance, &mut body);
        if let Some(deputy) = deputy {
            let answer = self.api.act((party, &deputy), what, path, &body);
            // The duty ended in this minute: the desk itself is there.
            let over = answer.refusal() == "no-mandate"
                || matches!(&answer, Answer::Wrong(why) if why.starts_with("404"));
            if !over {
                return answer;
            }
        }
        self.api.act((party, region), what, path, &body)
    }

    /// Sends an act of the desk itself, also where somebody stands in for it.
    pub(crate) fn act_itself(
        &self,
        chance: &mut Chance,
        region: &RegionId,
        (what, path): (&'static str, &str),
        mut body: Value,
    ) -> Answer {
        self.sign(chance, &mut body);
        self.api.act((Party::Desk, region), what, path, &body)
    }

    /// Gives an act its id.
    fn sign(&self, chance: &mut Chance, body: &mut Value) {
        if let Some(fields) = body.as_object_mut() {
            fields.insert("id".to_owned(), json!(chance.id(self.now())));
        }
    }

    /// Asks as the desk of a region, or who stands in for it.
    pub(crate) fn ask_as_desk(&self, region: &RegionId, what: &'static str, path: &str) -> Option<Value> {
        let deputy = self.deputy(region);
        let by_deputy = deputy.and_then(|deputy| self.api.ask((Party::Desk, &deputy), what, path));
        by_deputy.or_else(|| self.api.ask((Party::Desk, region), what, path))
    }

    fn deputy(&self, region: &RegionId) -> Option<RegionId> {
        let nights = self.nights.lock().unwrap_or_else(PoisonError::into_inner);
        nights.get(region).filter(|(_, until)| self.now() < *until).map(|(deputy, _)| deputy.clone())
    }

    /// Whom a region asks when nothing is found.
    pub(crate) fn ladder(&self, region: &RegionId) -> &[Rung] {
        &self.rules.of(region).ladder
    }

    /// A referral ended.
    pub(crate) fn ended(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
