//! Alerts: what somebody wants to be told of at once, raised and cleared by rules over the recorded events.
//!
//! Here: the state, time passing, raising and clearing. `step` says what each event does, `rule` what can be asked.
//! Not here: who is told and how (`gateway`).
//!
//! A pure function of the rules, the log and "now": an alert is raised at the moment it became true (when the event
//! was recorded that made it so, or when its time had passed), whenever somebody looked. So replaying the log from
//! zero gives the same changes, in the same order, at the same moments (property test). There is no hysteresis.
//!
//! **A crisis referral waits** from the moment it was made, or became one of crisis, until it is *placed*: a place is
//! kept for it (a hold that the board shows open), or somebody was admitted for it. An accepted offer alone is no
//! place yet: the desk may choose another. A hold that ends without an admission, and an admission that was not so,
//! make it wait again, counted from the same moment. It is over when it is withdrawn, diverted or expired, and when
//! it is changed to another urgency. Escalated, it waits in the region it was handed to, and no longer in the first.
//!
//! **The last word** is the board's: the last `location.*`, `bed.*` or `stay.*` event that names the location. A
//! location that was withdrawn is not silent; a region is, when none of its locations is heard of.

mod rule;
mod step;
#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use domain::{LocationId, Recorded, ReferralId, RegionId, StayId, Timestamp};

use crate::{Availability, CareCode, RowKey};

pub use rule::{About, Alert, AlertChange, AlertStep, Because, Condition, Rule};

const MICROS_PER_MINUTE: i64 = 60 * 1_000_000;
const MINUTES_PER_HOUR: i64 = 60;

/// The alerts of some rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// The rules, by region.
    rules: BTreeMap<RegionId, BTreeSet<Condition>>,
    /// The board at the same position.
    board: Availability,
    /// Offerable places of each row with a rule about its type, and of such rows together: exact, whatever is reported,
    /// because what was added is taken away again.
    offerable: BTreeMap<RowKey, u32>,
    sums: BTreeMap<(RegionId, CareCode), u64>,
    /// Referrals that are not over.
    referrals: BTreeMap<ReferralId, Referral>,
    /// Those of crisis that have a place kept: they wait again when it is kept no longer.
    kept: BTreeSet<ReferralId>,
    /// Open stays that began from a referral.
    stays: BTreeMap<StayId, ReferralId>,
    /// When each location was last heard of, and its region.
    words: BTreeMap<LocationId, (RegionId, Timestamp)>,
    /// When any location of a region was last heard of.
    heard: BTreeMap<RegionId, Timestamp>,
    /// What is raised when its time comes, if nothing happens before.
    due: BTreeSet<(Timestamp, Alert)>,
    /// What is raised.
    raised: BTreeMap<Alert, (Timestamp, Because)>,
}

/// A referral that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Referral {
    /// Whose desk has it in hand.
    region: RegionId,
    /// Since when it is one of crisis, if it is.
    crisis_since: Option<Timestamp>,
    /// The stay that began from it.
    stay: Option<StayId>,
    /// Whether it waits for a place (and its times run).
    waits: bool,
}

impl Alerts {
    /// Nothing has happened yet, and these are the rules.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut alerts = Self::default();
        for Rule { region, condition } in rules {
            alerts.rules.entry(region).or_default().insert(condition);
        }
        alerts
    }

    /// The last event it has seen; 0 before the first.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.board.position()
    }

    /// Takes one more recorded event into account and adds what changed, in the order in which it came to be so:
    /// first what was due before this event was recorded.
    ///
    /// Events come in the order of the log, each once.
    pub fn project(&mut self, recorded: &Recorded, changes: &mut Vec<AlertChange>) {
        self.due(recorded.recorded_at, changes);
        step::step(self, recorded, changes);
    }

    /// Moves on over a record that is no event, or none that can be read.
    pub fn pass(&mut self, position: u64, recorded_at: Timestamp, changes: &mut Vec<AlertChange>) {
        self.due(recorded_at, changes);
        self.board.pass(position, recorded_at);
    }

    /// Raises what is due by `now`, each at its own moment. Whoever calls this sees to it that everything recorded
    /// up to `now` has been projected.
    pub fn due(&mut self, now: Timestamp, changes: &mut Vec<AlertChange>) {
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((at, alert)) = self.due.pop_first() else { return };
            if let Some(because) = self.waiting(&alert) {
                self.raise(alert, at, because, changes);
            }
        }
    }

    /// The next moment at which something is due if nothing happens before.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// What is raised, as it was told when it was.
    pub fn raised(&self) -> impl Iterator<Item = AlertChange> {
        self.raised.iter().map(|(alert, (raised_at, because))| AlertChange {
            alert: alert.clone(),
            raised_at: *raised_at,
            step: AlertStep::Raised { because: *because },
        })
    }

    /// Since when that is waited for which an alert with a time is about.
    fn waiting(&self, alert: &Alert) -> Option<Because> {
        match &alert.about {
            About::Region => self.heard.get(&alert.rule.region).copied().map(Because::LastWord),
            About::Location(location) => self.words.get(location).map(|(_, at)| Because::LastWord(*at)),
            About::Referral(referral) => self.referrals.get(referral)?.crisis_since.map(Because::WaitsSince),
        }
    }

    fn raise(&mut self, alert: Alert, at: Timestamp, because: Because, changes: &mut Vec<AlertChange>) {
        if self.raised.contains_key(&alert) {
            return;
        }
        self.raised.insert(alert.clone(), (at, because));
        changes.push(AlertChange { alert, raised_at: at, step: AlertStep::Raised { because } });
    }

    /// The conditions of a region with a time, and how long each is.
    fn times(&self, region: &RegionId, of: fn(Condition) -> Option<i64>) -> Vec<(Rule, i64)> {
        let conditions = self.rules.get(region).into_iter().flatten();
        let rule = |condition: Condition| Rule { region: region.clone(), condition };
        conditions.filter_map(|condition| Some((rule(*condition), of(*condition)?))).collect()
    }
}

/// The time of a condition in microseconds, by what it is about.
mod time_of {
    use super::{Condition, MICROS_PER_MINUTE, MINUTES_PER_HOUR};

    fn minutes(minutes: u32) -> i64 {
        i64::from(minutes).saturating_mul(MICROS_PER_MINUTE)
    }

    fn hours(hours: u32) -> i64 {
        minutes(hours).saturating_mul(MINUTES_PER_HOUR)
    }

    pub(super) fn crisis(condition: Condition) -> Option<i64> {
        if let Condition::CrisisUnplaced { minutes: wait } = condition { Some(minutes(wait)) } else { None }
    }

    pub(super) fn location(condition: Condition) -> Option<i64> {
        if let Condition::LocationSilent { hours: wait } = condition { Some(hours(wait)) } else { None }
    }

    pub(super) fn region(condition: Condition) -> Option<i64> {
        if let Condition::RegionSilent { hours: wait } = condition { Some(hours(wait)) } else { None }
    }
}
