//! What one event does to the alerts.
//!
//! Not here: what it does to the board (`availability`), time passing (`alerts`).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use domain::{Fact, LocationId, Recorded, ReferralId, ReferralProfile, RegionId, StayId, Timestamp, Urgency};

use super::{About, Alert, AlertChange, AlertStep, Alerts, Because, Condition, Referral, Rule, time_of};
use crate::{CareCode, RowKey};

/// Takes one event into account.
pub(super) fn step(alerts: &mut Alerts, recorded: &Recorded, changes: &mut Vec<AlertChange>) {
    let mut rows = Vec::new();
    alerts.board.project(recorded, &mut rows);
    let mut step = Step { alerts, recorded, changes };
    step.count(&rows);
    step.refer();
    if !rows.is_empty() {
        // A hold ends by its own event or by what happens to its bed; either changes a row.
        for referral in step.alerts.kept.clone() {
            step.look(referral);
        }
    }
    step.hear();
}

/// One event on its way.
struct Step<'a> {
    alerts: &'a mut Alerts,
    recorded: &'a Recorded,
    changes: &'a mut Vec<AlertChange>,
}

impl Step<'_> {
    fn now(&self) -> Timestamp {
        self.recorded.recorded_at
    }

    fn raise(&mut self, alert: Alert, because: Because) {
        self.alerts.raise(alert, self.now(), because, self.changes);
    }

    fn clear(&mut self, alert: Alert) {
        if let Some((raised_at, _)) = self.alerts.raised.remove(&alert) {
            let Recorded { position, recorded_at: at, event } = self.recorded;
            let step = AlertStep::Cleared { at: *at, position: *position, by: event.fact.kind() };
            self.changes.push(AlertChange { alert, raised_at, step });
        }
    }

    /// From `since` on the time of these rules runs for what `about` says.
    fn run(&mut self, times: Vec<(Rule, i64)>, about: &About, since: Timestamp, because: Because) {
        for (rule, wait) in times {
            let (due, alert) = (since.saturating_add_micros(wait), Alert { rule, about: about.clone() });
            if due <= self.now() {
                self.raise(alert, because);
            } else {
                self.alerts.due.insert((due, alert));
            }
        }
    }

    /// It runs no longer, and what it raised is so no longer.
    fn halt(&mut self, times: Vec<(Rule, i64)>, about: &About, since: Timestamp) {
        for (rule, wait) in times {
            let alert = Alert { rule, about: about.clone() };
            let due = (since.saturating_add_micros(wait), alert);
            self.alerts.due.remove(&due);
            self.clear(due.1);
        }
    }

    /// Adds the rows up anew whose type a rule of their region is about.
    fn count(&mut self, rows: &[RowKey]) {
        let mut changed = BTreeSet::new();
        for key in rows {
            if !self.has_rule(&key.region, key.care_type) {
                continue;
            }
            let row = self.alerts.board.row(key);
            let now = row.as_ref().map_or(0, |row| row.offerable);
            let before = match row {
                Some(_) => self.alerts.offerable.insert(key.clone(), now),
                None => self.alerts.offerable.remove(key),
            };
            let of = (key.region.clone(), key.care_type);
            let sum = self.alerts.sums.entry(of.clone()).or_default();
            *sum = sum.saturating_sub(before.unwrap_or(0).into()).saturating_add(now.into());
            changed.insert(of);
        }
        for (region, care_type) in changed {
            self.compare(&region, care_type);
        }
    }

    fn has_rule(&self, region: &RegionId, of: CareCode) -> bool {
        self.alerts.rules.get(region).into_iter().flatten().any(
            |condition| matches!(condition, Condition::OfferableBelow { care_type, .. } if *care_type == of),
        )
    }

    fn compare(&mut self, region: &RegionId, of: CareCode) {
        let conditions: Vec<Condition> =
            self.alerts.rules.get(region).into_iter().flatten().copied().collect();
        let sum = self.alerts.sums.get(&(region.clone(), of)).copied().unwrap_or(0);
        let sum = u32::try_from(sum).unwrap_or(u32::MAX);
        for condition in conditions {
            let Condition::OfferableBelow { care_type, below } = condition else { continue };
            let alert = Alert { rule: Rule { region: region.clone(), condition }, about: About::Region };
            if care_type != of {
                continue;
            }
            if sum < below {
                self.raise(alert, Because::Offerable(sum));
            } else {
                self.clear(alert);
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what says nothing of a referral changes none")]
    fn refer(&mut self) {
        let recorded = self.recorded;
        match &recorded.event.fact {
            Fact::ReferralMade(profile) => self.made(profile),
            Fact::ReferralChanged(profile) => self.changed(profile),
            Fact::ReferralWithdrawn { referral, .. }
            | Fact::ReferralDiverted { referral, .. }
            | Fact::ReferralExpiredUnplaced { referral, .. } => self.over(*referral),
            Fact::ReferralEscalated { referral, to_region } => self.hand_over(*referral, to_region),
            Fact::ReferralTakenOver { referral, .. } => self.hand_over(*referral, &recorded.event.region),
            Fact::HoldGranted { referral, .. } => self.look(*referral),
            Fact::StayAdmitted { stay, referral: Some(referral), .. } => self.admitted(*stay, *referral),
            Fact::StayAdmissionCancelled { stay } => self.not_admitted(*stay),
            Fact::StayDischarged { stay, .. } => {
                if let Some(referral) = self.alerts.stays.remove(stay) {
                    self.over(referral);
                }
            }
            _ => {}
        }
    }

    fn made(&mut self, profile: &ReferralProfile) {
        if self.alerts.referrals.contains_key(&profile.referral) {
            return self.changed(profile);
        }
        let crisis_since = (profile.urgency == Urgency::Crisis).then_some(self.now());
        let region = self.recorded.event.region.clone();
        let referral = Referral { region, crisis_since, stay: None, waits: false };
        self.alerts.referrals.insert(profile.referral, referral);
        self.look(profile.referral);
    }

    fn changed(&mut self, profile: &ReferralProfile) {
        let now = self.now();
        let Some(known) = self.alerts.referrals.get_mut(&profile.referral) else { return };
        match (profile.urgency == Urgency::Crisis, known.crisis_since) {
            (true, None) => known.crisis_since = Some(now),
            (false, Some(_)) => {
                self.stop_waiting(profile.referral);
                if let Some(known) = self.alerts.referrals.get_mut(&profile.referral) {
                    known.crisis_since = None;
                }
            }
            (true, Some(_)) | (false, None) => {}
        }
        self.look(profile.referral);
    }

    fn over(&mut self, referral: ReferralId) {
        self.stop_waiting(referral);
        self.alerts.kept.remove(&referral);
        if let Some(stay) = self.alerts.referrals.remove(&referral).and_then(|known| known.stay) {
            self.alerts.stays.remove(&stay);
        }
    }

    fn hand_over(&mut self, referral: ReferralId, to: &RegionId) {
        if self.alerts.referrals.get(&referral).is_none_or(|known| known.region == *to) {
            return;
        }
        self.stop_waiting(referral);
        if let Some(known) = self.alerts.referrals.get_mut(&referral) {
            known.region = to.clone();
        }
        self.look(referral);
    }

    fn admitted(&mut self, stay: StayId, referral: ReferralId) {
        let Some(known) = self.alerts.referrals.get_mut(&referral) else { return };
        if let Some(before) = known.stay.replace(stay) {
            self.alerts.stays.remove(&before);
        }
        // An admission that is told again for another referral was not for the first.
        if let Some(other) = self.alerts.stays.insert(stay, referral).filter(|other| *other != referral) {
            self.without_stay(other);
        }
        self.look(referral);
    }

    fn not_admitted(&mut self, stay: StayId) {
        if let Some(referral) = self.alerts.stays.remove(&stay) {
            self.without_stay(referral);
        }
    }

    fn without_stay(&mut self, referral: ReferralId) {
        if let Some(known) = self.alerts.referrals.get_mut(&referral) {
            known.stay = None;
        }
        self.look(referral);
    }

    /// Whether this referral waits now, and what follows from it.
    fn look(&mut self, referral: ReferralId) {
        let Some(known) = self.alerts.referrals.get(&referral) else { return };
        let (crisis, admitted) = (known.crisis_since.is_some(), known.stay.is_some());
        let kept = crisis && !admitted && self.alerts.board.is_held_for(referral);
        if kept {
            self.alerts.kept.insert(referral);
        } else {
            self.alerts.kept.remove(&referral);
        }
        if crisis && !admitted && !kept {
            self.begin_waiting(referral);
        } else {
            self.stop_waiting(referral);
        }
    }

    fn begin_waiting(&mut self, referral: ReferralId) {
        let Some(known) = self.alerts.referrals.get_mut(&referral) else { return };
        let (false, Some(since)) = (known.waits, known.crisis_since) else { return };
        known.waits = true;
        let region = known.region.clone();
        let times = self.alerts.times(&region, time_of::crisis);
        self.run(times, &About::Referral(referral), since, Because::WaitsSince(since));
    }

    fn stop_waiting(&mut self, referral: ReferralId) {
        let Some(known) = self.alerts.referrals.get_mut(&referral) else { return };
        let (true, Some(since)) = (known.waits, known.crisis_since) else { return };
        known.waits = false;
        let region = known.region.clone();
        let times = self.alerts.times(&region, time_of::crisis);
        self.halt(times, &About::Referral(referral), since);
    }

    /// Compares with the board when the locations that this event names were last heard of.
    fn hear(&mut self) {
        let fact = &self.recorded.event.fact;
        for location in fact.locations() {
            let Some((region, at)) = self.alerts.board.last_heard(location) else {
                self.gone(location);
                continue;
            };
            let before = self.alerts.words.get(location).map(|(_, before)| *before);
            if before == Some(at) {
                continue;
            }
            let region = region.clone();
            let about = About::Location(location.clone());
            let times = self.alerts.times(&region, time_of::location);
            if let Some(before) = before {
                self.halt(times.clone(), &about, before);
            }
            self.run(times, &about, at, Because::LastWord(at));
            self.alerts.words.insert(location.clone(), (region.clone(), at));
            self.hear_region(&region, at);
        }
    }

    fn hear_region(&mut self, region: &RegionId, at: Timestamp) {
        let before = self.alerts.heard.insert(region.clone(), at);
        if before == Some(at) {
            return;
        }
        let times = self.alerts.times(region, time_of::region);
        if let Some(before) = before {
            self.halt(times.clone(), &About::Region, before);
        }
        self.run(times, &About::Region, at, Because::LastWord(at));
    }

    /// A location that takes part no longer is not silent.
    fn gone(&mut self, location: &LocationId) {
        if let Some((region, before)) = self.alerts.words.remove(location) {
            let times = self.alerts.times(&region, time_of::location);
            self.halt(times, &About::Location(location.clone()), before);
        }
    }
}
