//! The rules of a region: every number is a default that the region can set.
//!
//! Not here: what they are applied to (the steps), the file they are read from (a shell).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::instrument::Instrument;
use super::span;
use crate::{RaisedTo, RegionId, RuleSet, Urgency, Weights};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// How one of several locations wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoundRule {
    /// The first that says yes.
    FirstWins,
    /// Those that say yes are collected; the patient or the family chooses.
    CollectAndChoose,
}

/// A value per urgency. An urgency this version does not know counts as urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByUrgency<T> {
    /// For a crisis.
    pub crisis: T,
    /// For what is urgent.
    pub urgent: T,
    /// For what is planned.
    pub planned: T,
}

impl<T: Copy> ByUrgency<T> {
    /// The value for this urgency.
    #[must_use]
    pub fn of(&self, urgency: &Urgency) -> T {
        match urgency {
            Urgency::Crisis => self.crisis,
            Urgency::Urgent | Urgency::Other(_) => self.urgent,
            Urgency::Planned => self.planned,
        }
    }
}

/// The rules that hold while one rule set is in force. Times in microseconds; in a file as `15 min`, `2 h` or `7 d`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// How a round is won.
    pub round: ByUrgency<RoundRule>,
    /// How long a location has to answer, where the desk gives no other time.
    #[serde(rename = "answer", with = "span::by_urgency")]
    pub answer_micros: ByUrgency<i64>,
    /// The longest time to answer that a desk may give.
    #[serde(rename = "answer_max", with = "span")]
    pub answer_micros_max: i64,
    /// Offers that may be open for one referral at once.
    pub offers_max: u32,
    /// A location may be asked only after the weighing.
    pub triage_first: ByUrgency<bool>,
    /// A location may be asked only with the person's consent.
    pub consent_first: ByUrgency<bool>,
    /// A promise keeps the place while the family chooses.
    pub hold_promises: bool,
    /// How long a place is kept from the moment it can be had.
    #[serde(rename = "hold", with = "span::by_urgency")]
    pub hold_micros: ByUrgency<i64>,
    /// How long a place is kept after the agreed arrival.
    #[serde(rename = "arrival_grace", with = "span")]
    pub arrival_grace_micros: i64,
    /// The longest a place is kept, from now on.
    #[serde(rename = "hold_max", with = "span")]
    pub hold_micros_max: i64,
    /// So long before a hold runs out location and desk are warned.
    #[serde(rename = "hold_warning", with = "span")]
    pub hold_warning_micros: i64,
    /// The admitting doctor must agree before the admission.
    pub doctor_first: bool,
    /// Referrals alike within this time are likely the same.
    #[serde(rename = "double_within", with = "span")]
    pub double_within_micros: i64,
    /// A location is asked to confirm after this silence,
    #[serde(rename = "silence", with = "span")]
    pub silence_micros: i64,
    /// or after this many times its own pace, whichever is first,
    pub silence_paces: i64,
    /// but never before this silence.
    #[serde(rename = "silence_min", with = "span")]
    pub silence_micros_min: i64,
    /// A referral is given up only after every rung of the ladder.
    pub ladder_first: bool,
    /// What makes one place better than another.
    pub ranking: Weights,
}

impl Default for Rules {
    fn default() -> Self {
        use RoundRule::{CollectAndChoose, FirstWins};
        Self {
            round: ByUrgency { crisis: FirstWins, urgent: FirstWins, planned: CollectAndChoose },
            answer_micros: ByUrgency { crisis: 15 * MINUTE, urgent: HOUR, planned: HOUR },
            answer_micros_max: 48 * HOUR,
            offers_max: 10,
            triage_first: ByUrgency { crisis: false, urgent: true, planned: true },
            consent_first: ByUrgency { crisis: false, urgent: true, planned: true },
            hold_promises: true,
            hold_micros: ByUrgency { crisis: 2 * HOUR, urgent: 2 * HOUR, planned: 2 * HOUR },
            arrival_grace_micros: 2 * HOUR,
            hold_micros_max: 7 * 24 * HOUR,
            hold_warning_micros: 30 * MINUTE,
            doctor_first: false,
            double_within_micros: 24 * HOUR,
            silence_micros: 24 * HOUR,
            silence_paces: 2,
            silence_micros_min: 2 * HOUR,
            ladder_first: true,
            ranking: Weights::default(),
        }
    }
}

impl Rules {
    /// What changes by default in a crisis: no waiting for a choice, and no paper before a bed.
    #[must_use]
    pub fn crisis() -> Self {
        let normal = Self::default();
        Self {
            round: ByUrgency { planned: RoundRule::FirstWins, ..normal.round },
            answer_micros: ByUrgency { crisis: 15 * MINUTE, urgent: 30 * MINUTE, planned: HOUR },
            triage_first: ByUrgency { urgent: false, ..normal.triage_first },
            ladder_first: false,
            ..normal
        }
    }
}

/// A step of the ladder that is climbed when nothing is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Another desk, by name.
    Desk(RegionId),
    /// Somebody above the desks.
    Above(RaisedTo),
}

/// Everything a region sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegionRules {
    /// On ordinary days.
    pub normal: Rules,
    /// While the rule set `crisis` is in force.
    pub crisis: Rules,
    /// Whom to ask when nothing is found, in this order.
    pub ladder: Vec<Rung>,
    /// The weighing instruments that may be used, by their name with version.
    pub instruments: Vec<Instrument>,
}

impl Default for RegionRules {
    fn default() -> Self {
        Self {
            normal: Rules::default(),
            crisis: Rules::crisis(),
            ladder: Vec::from([Rung::Above(RaisedTo::Insurer), Rung::Above(RaisedTo::Authority)]),
            instruments: Vec::from([Instrument::default()]),
        }
    }
}

impl RegionRules {
    /// The rules under this rule set; one that this version does not know counts as normal.
    #[must_use]
    pub fn under(&self, rule_set: &RuleSet) -> &Rules {
        match rule_set {
            RuleSet::Normal | RuleSet::Other(_) => &self.normal,
            RuleSet::Crisis => &self.crisis,
        }
    }
}

/// The rules of all regions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleBook {
    /// Where a region says nothing.
    pub default: RegionRules,
    /// What regions set.
    pub regions: BTreeMap<RegionId, RegionRules>,
}

impl RuleBook {
    /// The rules of a region.
    #[must_use]
    pub fn of(&self, region: &RegionId) -> &RegionRules {
        self.regions.get(region).unwrap_or(&self.default)
    }
}
