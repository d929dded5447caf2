//! Demand that was not met: referrals that ended without a place, went elsewhere, or had to be passed on, by hour, care type
//! and area. Evening and night can be seen apart: then nobody else counts them.
//!
//! The day is that on which it was recorded; the hour is that in which somebody began to look, because that is when a place
//! was missing. Not here: who was placed (`flow`).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use domain::{DivertedReason, Fact, PartOfDay, RaisedTo, Recorded, ReferralId, RegionId, Timestamp, Wall};
use serde::{Deserialize, Serialize};

use crate::asked::Referrals;
use crate::flow::{named, place};
use crate::period::{Period, Today};
use crate::{CareCode, View};

/// In which way demand was not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UnmetKind {
    /// It ended without a place.
    Expired,
    /// It was solved otherwise; by the place of the code in the contract's list, see [`UnmetKind::reason`].
    Diverted(u8),
    /// Another desk was asked to take it.
    Escalated,
    /// It was brought before somebody above the desks.
    Raised(u8),
}

impl UnmetKind {
    /// The code, such as `expired`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Diverted(_) => "diverted",
            Self::Escalated => "escalated",
            Self::Raised(_) => "raised",
        }
    }

    /// How it was solved, or before whom it was brought.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Diverted(code) => Some(named(DivertedReason::KNOWN, code)),
            Self::Raised(code) => Some(named(RaisedTo::KNOWN, code)),
            Self::Expired | Self::Escalated => None,
        }
    }
}

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnmetKey {
    /// When it was recorded.
    pub period: Period,
    /// Whose desk it was with.
    pub region: RegionId,
    /// What was asked for last.
    pub care_type: CareCode,
    /// The first two digits of the person's postcode.
    pub area: Option<u8>,
    /// In which hour somebody began to look, 0 to 23.
    pub hour: u8,
    /// In which way it was not met.
    pub kind: UnmetKind,
}

impl UnmetKey {
    /// In which part of the day somebody began to look.
    #[must_use]
    pub fn part_of_day(&self) -> PartOfDay {
        Wall { day: 0, weekday: 0, hour: self.hour, minute: 0 }.part()
    }
}

/// Demand that was not met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    position: u64,
    recorded_at: Timestamp,
    today: Today,
    counts: BTreeMap<UnmetKey, u64>,
    referrals: Referrals,
}

impl Unmet {
    /// The last event it has seen; 0 before the first.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// When that event was recorded.
    #[must_use]
    pub fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// Everything that was counted.
    pub fn counts(&self) -> impl Iterator<Item = (&UnmetKey, u64)> {
        self.counts.iter().map(|(key, count)| (key, *count))
    }

    /// The counts added up by what `group` says of them; `None` leaves them out.
    #[must_use]
    pub fn by<K: Ord>(&self, group: impl Fn(&UnmetKey) -> Option<K>) -> BTreeMap<K, u64> {
        let mut sums: BTreeMap<K, u64> = BTreeMap::new();
        for (key, count) in self.counts() {
            if let Some(group) = group(key) {
                let sum = sums.entry(group).or_default();
                *sum = sum.saturating_add(count);
            }
        }
        sums
    }

    fn move_on(&mut self, position: u64, now: Timestamp) {
        self.position = position;
        self.recorded_at = now.max(self.recorded_at);
        if !self.today.pass(self.recorded_at) {
            return;
        }
        self.referrals.forget(now);
        let today = self.today;
        let old: Vec<UnmetKey> =
            self.counts.keys().take_while(|key| is_before(key.period, today)).cloned().collect();
        for key in old {
            let Some(count) = self.counts.remove(&key) else { continue };
            let month = match key.period {
                Period::Day(day) => Period::month_of(day),
                Period::Month { .. } => key.period,
            };
            let sum = self.counts.entry(UnmetKey { period: month, ..key }).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    fn count(&mut self, recorded: &Recorded, referral: ReferralId, kind: UnmetKind) {
        let asked = self.referrals.get(referral);
        let began = asked.map_or(recorded.event.occurred_at, |asked| asked.made_at);
        let key = UnmetKey {
            period: self.today.period(self.today.day),
            region: recorded.event.region.clone(),
            care_type: asked.map_or_else(|| CareCode::from("other"), |asked| asked.care),
            area: asked.and_then(|asked| asked.area),
            hour: Wall::at(began).map_or(0, |wall| wall.hour),
            kind,
        };
        let count = self.counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
}

fn is_before(period: Period, today: Today) -> bool {
    match period {
        Period::Month { .. } => true,
        Period::Day(day) => day < today.oldest(),
    }
}

impl View for Unmet {
    const NAME: &'static str = "unmet";
    const VERSION: u32 = 1;
    type Change = RegionId;

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not here meets demand or says nothing of it")]
    fn project(&mut self, recorded: &Recorded, changes: &mut Vec<RegionId>) {
        self.move_on(recorded.position, recorded.recorded_at);
        let kind = match &recorded.event.fact {
            Fact::ReferralExpiredUnplaced { referral, .. } => Some((*referral, UnmetKind::Expired)),
            Fact::ReferralDiverted { referral, reason } => {
                Some((*referral, UnmetKind::Diverted(place(DivertedReason::KNOWN, reason.code()))))
            }
            Fact::ReferralEscalated { referral, .. } => Some((*referral, UnmetKind::Escalated)),
            Fact::ReferralRaised { referral, to } => {
                Some((*referral, UnmetKind::Raised(place(RaisedTo::KNOWN, to.code()))))
            }
            _ => None,
        };
        if let Some((referral, kind)) = kind {
            self.count(recorded, referral, kind);
            changes.push(recorded.event.region.clone());
        }
        self.referrals.take(&recorded.event, recorded.recorded_at);
    }

    fn pass(&mut self, position: u64, recorded_at: Timestamp) {
        self.move_on(position, recorded_at);
    }
}

#[cfg(test)]
mod tests {
    use domain::testing::{label, referral};
    use domain::{Event, EventId, ReferralProfile};
    use uuid::Uuid;

    use super::*;

    fn profile(number: u8, care: &str) -> ReferralProfile {
        ReferralProfile {
            referral: referral(number),
            origin: "gp".into(),
            care_type: Some(care.into()),
            urgency: "crisis".into(),
            ready_since: None,
            wished_at: None,
            area: Some(label("35")),
            age_band: None,
            sex: None,
            constraints: Vec::new(),
            expected_days: None,
            purpose: None,
            channel: label("phone"),
            payer: None,
            consent: true,
            callback_desk: None,
            sealed: None,
        }
    }

    fn feed(unmet: &mut Unmet, at: &str, region: &str, fact: Fact) {
        let at: Timestamp = at.parse().unwrap();
        let position = unmet.position + 1;
        let id = EventId::new(Uuid::from_u128(u128::from(position))).unwrap();
        let (source, region) = ("urn:a".parse().unwrap(), region.parse().unwrap());
        let event = Event { source, id, time: at, region, occurred_at: at, fact };
        unmet.project(&Recorded { position, recorded_at: at, event }, &mut Vec::new());
    }

    #[test]
    fn what_was_not_met_is_counted_by_the_hour_in_which_it_was_asked_for() {
        let mut unmet = Unmet::default();
        feed(&mut unmet, "2026-03-06T02:10:00Z", "zk23", Fact::ReferralMade(profile(1, "ELV_HC")));
        feed(&mut unmet, "2026-03-06T12:00:00Z", "zk23", Fact::ReferralMade(profile(2, "GRZ")));
        let reason = DivertedReason::Hospital;
        feed(
            &mut unmet,
            "2026-03-06T09:00:00Z",
            "zk23",
            Fact::ReferralDiverted { referral: referral(1), reason },
        );
        let reason = label("none");
        feed(
            &mut unmet,
            "2026-03-07T09:00:00Z",
            "zk24",
            Fact::ReferralExpiredUnplaced { referral: referral(2), reason },
        );
        let all: Vec<(UnmetKey, u64)> = unmet.counts().map(|(key, count)| (key.clone(), count)).collect();
        assert_eq!(all.len(), 2);
        let (night, count) = &all[0];
        assert_eq!((night.hour, night.part_of_day(), *count), (3, PartOfDay::Night, 1));
        assert_eq!((night.kind.code(), night.kind.reason()), ("diverted", Some("hospital")));
        assert_eq!((night.area, night.care_type.as_str()), (Some(35), "ELV_HC"));
        let by_part = unmet.by(|key| Some(key.part_of_day()));
        assert_eq!(by_part.get(&PartOfDay::Day), Some(&1));
    }

    #[test]
    fn old_days_are_added_up_by_month_and_no_count_is_lost() {
        let mut unmet = Unmet::default();
        for day in 1..=28 {
            let at = std::format!("2026-02-{day:02}T12:00:00Z");
            let fact = Fact::ReferralEscalated { referral: referral(1), to_region: "zk24".parse().unwrap() };
            feed(&mut unmet, &at, "zk23", fact);
        }
        assert_eq!(unmet.counts().count(), 28);
        let later: Timestamp = "2026-12-01T12:00:00Z".parse().unwrap();
        unmet.pass(29, later);
        let all: Vec<(&UnmetKey, u64)> = unmet.counts().collect();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].0.period, all[0].1), (Period::Month { year: 2026, month: 2 }, 28));
    }
}
