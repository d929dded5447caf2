//! What a centre asked to be told of (`[[alert]]` in the network file) and is so now, from what the desks know.
//!
//! Pure; the same rules as those of `views::Alerts`, which folds the whole log for the moments at which an alert was raised.
//! Here only what is so now is asked for, and since when where that follows from it; else it is looked up in what that fold
//! has raised. Not here: telling others (`gateway`).

use domain::desk::{Referral, State};
use domain::queries::Placing;
use domain::{LocationId, RegionId, Timestamp, Urgency};
use network::{AlertRule, SilentOf};
use views::{AlertChange, CareCode, Condition, LocationCard, Rule};

const MICROS_PER_MINUTE: i64 = 60 * 1_000_000;

/// Something a centre is told of, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) region: RegionId,
    pub(crate) what: What,
    /// Since when it is so, if that can be told.
    pub(crate) since: Option<Timestamp>,
}

/// What is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Fewer can be offered than asked for.
    OfferableBelow { care_type: CareCode, offerable: u32, below: u32 },
    /// So many crisis referrals have waited for longer.
    CrisisUnplaced { minutes: u32, referrals: usize },
    /// Nothing was heard of a location.
    LocationSilent { hours: u32, location: LocationId },
    /// Nothing was heard of any location of the region.
    RegionSilent { hours: u32 },
}

/// Whether a referral is one of crisis without a place.
fn waits_in_crisis(state: &State, referral: &Referral) -> bool {
    referral.profile.urgency == Urgency::Crisis && Placing::of(state, referral).is_some_and(Placing::waits)
}

/// What is so of these rules in these regions at this moment, by region, in the order of the rules.
pub(crate) fn alarms(state: &State, regions: &[RegionId], rules: &[AlertRule], now: Timestamp) -> Vec<Alarm> {
    let of_region = |region: &RegionId| -> Vec<Alarm> {
        let found = rules.iter().flat_map(|rule| so(state, region, rule, now));
        found.map(|(what, since)| Alarm { region: region.clone(), what, since }).collect()
    };
    regions.iter().flat_map(of_region).collect()
}

/// When this was raised, by those that are.
pub(crate) fn raised_at(alarm: &Alarm, raised: &[AlertChange]) -> Option<Timestamp> {
    let condition = match &alarm.what {
        What::OfferableBelow { care_type, below, .. } => {
            Condition::OfferableBelow { care_type: *care_type, below: *below }
        }
        // Since when follows from what is so.
        What::CrisisUnplaced { .. } | What::LocationSilent { .. } | What::RegionSilent { .. } => return None,
    };
    let rule = Rule { region: alarm.region.clone(), condition };
    raised.iter().find(|change| change.alert.rule == rule).map(|change| change.raised_at)
}

fn so(state: &State, region: &RegionId, rule: &AlertRule, now: Timestamp) -> Vec<(What, Option<Timestamp>)> {
    match rule {
        AlertRule::OfferableBelow { care_type, below } => {
            let care_type = CareCode::from(care_type);
            let sums = state.board.sums(region);
            // A region that never had a row of the type is not short of it.
            let offerable =
                sums.iter().find(|sum| sum.care_type == care_type).map(|sum| sum.counts.offerable);
            let short = offerable.filter(|offerable| offerable < below);
            let what = |offerable| (What::OfferableBelow { care_type, offerable, below: *below }, None);
            short.map(what).into_iter().collect()
        }
        AlertRule::CrisisUnplaced { minutes } => {
            let wait = i64::from(*minutes).saturating_mul(MICROS_PER_MINUTE);
            let of_region = state.referrals.values().filter(|referral| referral.region == *region);
            let due = of_region
                .filter(|referral| waits_in_crisis(state, referral))
                .map(|referral| referral.made_at.saturating_add_micros(wait))
                .filter(|due| *due <= now);
            let due: Vec<Timestamp> = due.collect();
            let what = What::CrisisUnplaced { minutes: *minutes, referrals: due.len() };
            due.iter().min().map(|first| (what, Some(*first))).into_iter().collect()
        }
        AlertRule::Silent { hours, of: SilentOf::Location } => {
            let silent = |card: LocationCard| {
                let since = silent_since(card.last_word.at, *hours, now)?;
                Some((What::LocationSilent { hours: *hours, location: card.location }, Some(since)))
            };
            state.board.locations(region).filter_map(silent).collect()
        }
        AlertRule::Silent { hours, of: SilentOf::Region } => {
            let last = state.board.locations(region).map(|card| card.last_word.at).max();
            let since = last.and_then(|at| silent_since(at, *hours, now));
            since.map(|since| (What::RegionSilent { hours: *hours }, Some(since))).into_iter().collect()
        }
    }
}

/// Since when a word is older than that.
fn silent_since(word: Timestamp, hours: u32, now: Timestamp) -> Option<Timestamp> {
    let wait = i64::from(hours).saturating_mul(60).saturating_mul(MICROS_PER_MINUTE);
    let since = word.saturating_add_micros(wait);
    (since <= now).then_some(since)
}

#[cfg(test)]
mod tests {
    use domain::Recorded;
    use views::{About, Alert, AlertStep, Because};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn zk01() -> Vec<RegionId> {
        vec!["zk01".parse().unwrap()]
    }

    /// A state of these events: type, data and the time it was recorded.
    fn state(events: &[(&str, &str, &str)]) -> State {
        let mut state = State::default();
        for (position, (kind, data, time)) in (1_u64..).zip(events) {
            let json = format!(
                r#"{{"specversion":"1.0","id":"019cabd9-7c38-7650-a69e-{position:012x}","source":"urn:a","type":"nl.doorstroom.{kind}.v1","time":"{time}","subject":"x","datacontenttype":"application/json","region":"zk01","data":{{"occurred_at":"{time}",{data}}}}}"#
            );
            let recorded_at = at(time).as_micros();
            let recorded: Recorded =
                contracts::recorded(position, recorded_at, "application/cloudevents+json", json.into())
                    .unwrap();
            state.project(&recorded);
        }
        state
    }

    const HOUSE: (&str, &str, &str) = (
        "location.registered",
        r#""location":"zk01-de-linde","provider":"p","name":"De Linde","mode":"beds","care_types":["ELV_LC"]"#,
        "2026-03-02T08:00:00.000Z",
    );
    const BED: (&str, &str, &str) = (
        "bed.added",
        r#""location":"zk01-de-linde","bed":"1","care_types":["ELV_LC"]"#,
        "2026-03-02T08:00:01.000Z",
    );
    const CRISIS: (&str, &str, &str) = (
        "referral.made",
        r#""referral":"019391f2-6f00-7a11-8c11-000000000001","origin":"gp","urgency":"crisis","channel":"phone","consent":true"#,
        "2026-03-02T09:00:00.000Z",
    );
    const WITHDRAWN: (&str, &str, &str) = (
        "referral.withdrawn",
        r#""referral":"019391f2-6f00-7a11-8c11-000000000001","reason":"recovered""#,
        "2026-03-02T10:00:00.000Z",
    );

    #[test]
    fn a_region_is_short_of_what_it_has_a_row_of() {
        let state = state(&[HOUSE, BED]);
        let short = |care: &str, below| {
            let rule = AlertRule::OfferableBelow { care_type: care.into(), below };
            alarms(&state, &zk01(), &[rule], at("2026-03-02T09:00:00Z"))
        };
        assert_eq!(short("ELV_LC", 1), []);
        let care_type = CareCode::from("ELV_LC");
        let what = What::OfferableBelow { care_type, offerable: 1, below: 2 };
        let alarm = Alarm { region: zk01().remove(0), what, since: None };
        assert_eq!(short("ELV_LC", 2), std::slice::from_ref(&alarm));
        let raised = |below, time| {
            let condition = Condition::OfferableBelow { care_type, below };
            let alert = Alert { rule: Rule { region: zk01().remove(0), condition }, about: About::Region };
            let step = AlertStep::Raised { because: Because::Offerable(1) };
            AlertChange { alert, raised_at: at(time), step }
        };
        let told = [raised(3, "2026-03-02T08:00:00Z"), raised(2, "2026-03-02T08:30:00Z")];
        assert_eq!(raised_at(&alarm, &told), Some(at("2026-03-02T08:30:00Z")), "since when is looked up");
        assert_eq!(raised_at(&alarm, &told[..1]), None);
        assert_eq!(short("GRZ", 2), [], "nobody there ever gave it");
    }

    #[test]
    fn a_crisis_is_one_that_waits_longer_than_that_and_is_not_over() {
        let rule = [AlertRule::CrisisUnplaced { minutes: 60 }];
        let made = state(&[HOUSE, CRISIS]);
        assert_eq!(alarms(&made, &zk01(), &rule, at("2026-03-02T09:59:59Z")), []);
        let found = alarms(&made, &zk01(), &rule, at("2026-03-02T10:00:00Z"));
        assert_eq!(found[0].what, What::CrisisUnplaced { minutes: 60, referrals: 1 });
        assert_eq!(found[0].since, Some(at("2026-03-02T10:00:00Z")));
        let over = state(&[HOUSE, CRISIS, WITHDRAWN]);
        assert_eq!(alarms(&over, &zk01(), &rule, at("2026-03-02T12:00:00Z")), []);
    }

    #[test]
    fn silence_is_told_of_a_house_and_of_a_region_since_the_hour_it_began_to_be_too_long() {
        let rules = [
            AlertRule::Silent { hours: 24, of: SilentOf::Location },
            AlertRule::Silent { hours: 25, of: SilentOf::Region },
        ];
        let state = state(&[HOUSE, BED]);
        assert_eq!(alarms(&state, &zk01(), &rules, at("2026-03-03T08:00:00Z")), []);
        let found = alarms(&state, &zk01(), &rules, at("2026-03-03T08:00:01Z"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].since, Some(at("2026-03-03T08:00:01Z")));
        assert_eq!(alarms(&state, &zk01(), &rules, at("2026-03-03T09:00:01Z")).len(), 2);
        assert_eq!(alarms(&state, &["zk02".parse().unwrap()], &rules, at("2026-03-09T09:00:01Z")), []);
    }
}
