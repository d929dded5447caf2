//! What is so of a location beside its beds: when it admits, how many, and when it was heard of.
//!
//! Not here: its beds (`availability`), the judgement (`place`).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::moment;
use crate::{AdmissionWindow, CareType, Event, Fact, Period, ReferralId, RegionId, StayId, Timestamp};

/// Admissions older than this are forgotten: no period of a limit is longer than a week.
const ADMITTED_KEPT_MICROS: i64 = 15 * 24 * 60 * 60 * 1_000_000;

/// Words that follow each other sooner are one: a nurse who goes round says much in five minutes, and then is silent.
const ONE_WORD_MICROS: i64 = 5 * 60 * 1_000_000;

/// A limit of admissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Limit {
    care_type: Option<CareType>,
    period: Period,
    max: u32,
}

/// Somebody who comes, or came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Coming {
    at: Timestamp,
    care_type: CareType,
}

/// How a location takes people in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intake {
    /// Its region.
    pub region: RegionId,
    /// When it admits; `None` if it never said, then always.
    windows: Option<Vec<AdmissionWindow>>,
    limits: Vec<Limit>,
    /// When a promised place can be had, until it is kept.
    promised: BTreeMap<ReferralId, Timestamp>,
    /// Who is expected, on a place that is kept.
    expected: BTreeMap<ReferralId, Coming>,
    /// Who came in the last days.
    admitted: BTreeMap<StayId, Coming>,
    /// When it was last heard of.
    pub heard_at: Timestamp,
    /// The time between its words, smoothed, in microseconds; `None` before the second word.
    pub pace_micros: Option<i64>,
    /// When it was asked to confirm after that.
    pub asked_at: Option<Timestamp>,
}

impl Intake {
    pub(super) fn new(region: RegionId) -> Self {
        Self {
            region,
            windows: None,
            limits: Vec::new(),
            promised: BTreeMap::new(),
            expected: BTreeMap::new(),
            admitted: BTreeMap::new(),
            heard_at: Timestamp::default(),
            pace_micros: None,
            asked_at: None,
        }
    }

    /// Whether admissions of this type are possible at this moment.
    #[must_use]
    pub fn admits_at(&self, care_type: &CareType, at: Timestamp) -> bool {
        self.windows.as_ref().is_none_or(|windows| moment::is_within(windows, care_type, at))
    }

    /// The limit that one more admission of this type at this moment would pass, not counting this referral itself.
    #[must_use]
    pub fn limit_reached(&self, care_type: &CareType, at: Timestamp, but: ReferralId) -> Option<u32> {
        let expected =
            self.expected.iter().filter(|(referral, _)| **referral != but).map(|(_, coming)| coming);
        let all: Vec<&Coming> = expected.chain(self.admitted.values()).collect();
        self.limits
            .iter()
            .filter(|limit| limit.care_type.as_ref().is_none_or(|only| only == care_type))
            .find_map(|limit| {
                let same_type =
                    |coming: &&&Coming| limit.care_type.as_ref().is_none_or(|only| *only == coming.care_type);
                let in_period = |coming: &&&Coming| moment::same_period(&limit.period, coming.at, at);
                let count = all.iter().filter(same_type).filter(in_period).count();
                u32::try_from(count).is_ok_and(|count| count >= limit.max).then_some(limit.max)
            })
    }

    /// After this moment its silence is long enough to ask, by this rule.
    pub(super) fn silent_from(&self, silence: i64, paces: i64, least: i64) -> Timestamp {
        let own = self.pace_micros.map_or(silence, |pace| pace.saturating_mul(paces));
        self.heard_at.saturating_add_micros(own.min(silence).max(least))
    }

    fn hear(&mut self, at: Timestamp) {
        let gap = at.as_micros().saturating_sub(self.heard_at.as_micros());
        if self.heard_at != Timestamp::default() && gap >= ONE_WORD_MICROS {
            // One gap in eight counts, so that a night of silence does not make a lively location a slow one.
            let pace = self.pace_micros.unwrap_or(gap);
            self.pace_micros =
                Some(pace.saturating_sub(pace.div_euclid(8)).saturating_add(gap.div_euclid(8)));
        }
        self.heard_at = self.heard_at.max(at);
        self.asked_at = None;
    }

    /// Takes an event that names it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a new fact changes no intake unless it says so here")]
    pub(super) fn take(&mut self, event: &Event) {
        match &event.fact {
            Fact::WindowsSet { windows, .. } => self.windows = Some(windows.clone()),
            Fact::IntakeLimitSet { care_type, period, max, .. } => {
                self.limits.retain(|limit| !(limit.care_type == *care_type && limit.period == *period));
                let (care_type, period) = (care_type.clone(), period.clone());
                self.limits.push(Limit { care_type, period, max: *max });
            }
            Fact::OfferAccepted { offer, from, .. } => {
                self.promised.insert(offer.referral, *from);
            }
            Fact::HoldGranted { place, referral, .. } => {
                let at = self.promised.remove(referral).unwrap_or(event.time);
                self.expected.insert(*referral, Coming { at, care_type: place.care_type.clone() });
            }
            Fact::ArrivalAgreed { referral, at, .. } => {
                if let Some(coming) = self.expected.get_mut(referral) {
                    coming.at = *at;
                }
            }
            Fact::HoldReleased { referral, .. } | Fact::HoldLapsed { referral, .. } => {
                self.expected.remove(referral);
                self.promised.remove(referral);
            }
            Fact::OfferDeclined { offer, .. } | Fact::OfferRevoked(offer) | Fact::OfferLapsed(offer) => {
                self.promised.remove(&offer.referral);
            }
            Fact::StayAdmitted { stay, place, referral, .. } => {
                if let Some(referral) = referral {
                    self.expected.remove(referral);
                }
                let since = event.occurred_at.saturating_add_micros(-ADMITTED_KEPT_MICROS);
                self.admitted.retain(|_, coming| coming.at >= since);
                let coming = Coming { at: event.occurred_at, care_type: place.care_type.clone() };
                self.admitted.insert(*stay, coming);
            }
            Fact::ConfirmationAsked { .. } => self.asked_at = Some(event.time),
            _ => {}
        }
        let kind = event.fact.kind();
        if ["location.", "bed.", "stay."].iter().any(|word| kind.starts_with(word)) {
            self.hear(event.time);
        }
    }

    /// That admission was not so.
    pub(super) fn not_admitted(&mut self, stay: StayId) {
        self.admitted.remove(&stay);
    }
}
