//! What is so of a location beside its beds: when it admits, how many, and when it was heard of.
//!
//! Not here: its beds (`availability`), the judgement (`place`).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Rules, moment};
use crate::{
    AdmissionWindow, CareType, DeclineCode, Event, Fact, Period, ReferralId, RegionId, StayId, Timestamp,
};

/// Admissions older than this are forgotten: no period of a limit is longer than a week.
const ADMITTED_KEPT_MICROS: i64 = 15 * 24 * 60 * 60 * 1_000_000;

/// Words that follow each other sooner are one: a nurse who goes round says much in five minutes, and then is silent.
const ONE_WORD_MICROS: i64 = 5 * 60 * 1_000_000;

/// Answers that are remembered: enough to see a habit, and what was long ago is no habit any more.
const ANSWERS_KEPT_MAX: u32 = 20;

/// What the last answers of a location said of the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Answers that count, at most `ANSWERS_KEPT_MAX`.
    pub answers: u32,
    /// One bit for each, the last one lowest: set if the place was not free after all.
    wrong: u32,
}

impl Truth {
    /// How many of the answers bore out what the board showed.
    #[must_use]
    pub fn right(&self) -> u32 {
        self.answers.saturating_sub(self.wrong.count_ones())
    }

    fn hear(&mut self, wrong: bool) {
        let kept = (1_u32 << ANSWERS_KEPT_MAX).wrapping_sub(1);
        self.wrong = ((self.wrong << 1) | u32::from(wrong)) & kept;
        self.answers = self.answers.saturating_add(1).min(ANSWERS_KEPT_MAX);
    }
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The limit.
    pub max: u32,
    /// How many more can come.
    pub left: u32,
}

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
    /// The region it first took part in; it stays of it, also after it left. `None` if it never took part.
    pub home: Option<RegionId>,
    /// When it admits; `None` if it never said, then always.
    windows: Option<Vec<AdmissionWindow>>,
    limits: Vec<Limit>,
    /// When a promised place can be had, until it is kept.
    promised: BTreeMap<ReferralId, Timestamp>,
    /// Who is expected, on a place that is kept.
    expected: BTreeMap<ReferralId, Coming>,
    /// Who came in the last days.
    admitted: BTreeMap<StayId, Coming>,
    /// What its answers said of the board.
    pub truth: Truth,
    /// When it was last heard of.
    pub heard_at: Timestamp,
    /// The time between its words, smoothed, in microseconds; `None` before the second word.
    pub pace_micros: Option<i64>,
    /// When it was asked to confirm after that.
    pub asked_at: Option<Timestamp>,
}

impl Intake {
    pub(super) fn new() -> Self {
        Self {
            home: None,
            windows: None,
            limits: Vec::new(),
            promised: BTreeMap::new(),
            expected: BTreeMap::new(),
            admitted: BTreeMap::new(),
            truth: Truth::default(),
            heard_at: Timestamp::default(),
            pace_micros: None,
            asked_at: None,
        }
    }

    /// When it admits; `None` if it never said, then always.
    #[must_use]
    pub fn windows(&self) -> Option<&[AdmissionWindow]> {
        self.windows.as_deref()
    }

    /// How many it takes: for which type, or all, in which period.
    pub fn limits(&self) -> impl Iterator<Item = (Option<&CareType>, &Period, u32)> {
        self.limits.iter().map(|limit| (limit.care_type.as_ref(), &limit.period, limit.max))
    }

    /// Whether admissions of this type are possible at this moment.
    #[must_use]
    pub fn admits_at(&self, care_type: &CareType, at: Timestamp) -> bool {
        self.windows.as_ref().is_none_or(|windows| moment::is_within(windows, care_type, at))
    }

    /// From when on admissions of this type are possible that are not at this moment; `None` if never within a week.
    #[must_use]
    pub fn admits_from(&self, care_type: &CareType, after: Timestamp) -> Option<Timestamp> {
        moment::next_within(self.windows.as_deref()?, care_type, after)
    }

    /// When more of this type can come, at the earliest, than can at a moment: a window or the period of a limit begins. `None` if
    /// neither ever does.
    #[must_use]
    pub fn next_change(&self, care_type: &CareType, after: Timestamp) -> Option<Timestamp> {
        let of_type = self.limits_of(care_type).filter_map(|limit| moment::next_period(&limit.period, after));
        of_type.chain(self.admits_from(care_type, after)).min()
    }

    fn limits_of(&self, care_type: &CareType) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(move |limit| limit.care_type.as_ref().is_none_or(|only| only == care_type))
    }

    /// The limit that one more admission of this type at this moment would pass, not counting this referral itself.
    #[must_use]
    pub fn limit_reached(&self, care_type: &CareType, at: Timestamp, but: ReferralId) -> Option<u32> {
        self.room(care_type, at, Some(but)).filter(|room| room.left == 0).map(|room| room.max)
    }

    /// What is left of the tightest limit for this type at this moment, not counting a referral itself; `None` if there
    /// is no limit.
    #[must_use]
    pub fn room(&self, care_type: &CareType, at: Timestamp, but: Option<ReferralId>) -> Option<Room> {
        let expected =
            self.expected.iter().filter(|(referral, _)| Some(**referral) != but).map(|(_, coming)| coming);
        let all: Vec<&Coming> = expected.chain(self.admitted.values()).collect();
        let rooms = self.limits_of(care_type).map(|limit| {
            let same_type =
                |coming: &&&Coming| limit.care_type.as_ref().is_none_or(|only| *only == coming.care_type);
            let in_period = |coming: &&&Coming| moment::same_period(&limit.period, coming.at, at);
            let count = all.iter().filter(same_type).filter(in_period).count();
            let left = limit.max.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
            Room { max: limit.max, left }
        });
        rooms.min_by_key(|room| room.left)
    }

    /// How many came since then, or are expected.
    #[must_use]
    pub fn came_since(&self, since: Timestamp) -> u32 {
        let came = self.admitted.values().filter(|coming| coming.at >= since).count();
        u32::try_from(came.saturating_add(self.expected.len())).unwrap_or(u32::MAX)
    }

    /// After this moment its silence is long enough to ask, by this rule.
    pub(super) fn silent_from(&self, silence: i64, paces: i64, least: i64) -> Timestamp {
        let own = self.pace_micros.map_or(silence, |pace| pace.saturating_mul(paces));
        self.heard_at.saturating_add_micros(own.min(silence).max(least))
    }

    /// Whether it has been silent for so long, by these rules, that it is to be asked, or was asked and said nothing since.
    #[must_use]
    pub fn is_silent(&self, rules: &Rules, now: Timestamp) -> bool {
        let from = self.silent_from(rules.silence_micros, rules.silence_paces, rules.silence_micros_min);
        self.asked_at.is_some() || from <= now
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
    pub(super) fn take(&mut self, event: &Event, recorded_at: Timestamp) {
        match &event.fact {
            Fact::WindowsSet { windows, .. } => self.windows = Some(windows.clone()),
            Fact::IntakeLimitSet { care_type, period, max, .. } => {
                self.limits.retain(|limit| !(limit.care_type == *care_type && limit.period == *period));
                let (care_type, period) = (care_type.clone(), period.clone());
                self.limits.push(Limit { care_type, period, max: *max });
            }
            Fact::OfferAccepted { offer, from, .. } => {
                self.promised.insert(offer.referral, *from);
                self.truth.hear(false);
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
            Fact::OfferDeclined { offer, code, .. } => {
                self.promised.remove(&offer.referral);
                if *code != DeclineCode::NoAnswer {
                    self.truth.hear(*code == DeclineCode::NotFreeAfterAll);
                }
            }
            Fact::OfferRevoked(offer) | Fact::OfferLapsed(offer) => {
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
            self.hear(recorded_at);
        }
    }

    /// That admission was not so.
    pub(super) fn not_admitted(&mut self, stay: StayId) {
        self.admitted.remove(&stay);
    }
}
