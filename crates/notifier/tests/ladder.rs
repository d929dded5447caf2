//! Who is told when: the rungs of the ladder as stories, and a property over any story.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;

use domain::desk::{OfferState, State, evolve};
use domain::queries::call_at;
use domain::testing::{admission_cancelled, admitted_for, label, referral, registered, row};
use domain::{
    Event, EventId, Fact, OfferId, OfferRef, ReferralId, ReferralProfile, RegionId, RuleSet, Timestamp,
    Urgency,
};
use notifier::Recipient;
use notifier::ladder::{CRISIS_NEWS_MICROS, Notice, Rung, Sent, Subject, TRIES_MAX, due, next_due};
use proptest::prelude::*;
use uuid::Uuid;

const LINDE: &str = "zk01-linde";
const EIK: &str = "zk02-eik";

fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_micros(1_772_449_200_000_000 + minutes * 60_000_000)
}

fn region(code: &str) -> RegionId {
    code.parse().unwrap()
}

fn event(source: &str, at: Timestamp, code: &str, fact: Fact) -> Event {
    let id = EventId::new(Uuid::from_u128(1)).unwrap();
    Event { source: source.parse().unwrap(), id, time: at, region: region(code), occurred_at: at, fact }
}

/// A story of region zk01, told by its desk.
fn after(state: State, at: i64, fact: Fact) -> State {
    evolve(state, &event("urn:test:desk", minute(at), "zk01", fact))
}

fn made(number: u8, urgency: Urgency) -> Fact {
    Fact::ReferralMade(ReferralProfile {
        referral: referral(number),
        origin: "gp".into(),
        care_type: None,
        urgency,
        ready_since: None,
        wished_at: None,
        area: None,
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
    })
}

fn offer_id(number: u8) -> OfferId {
    OfferId::new(Uuid::from_u128(3_000 + u128::from(number))).unwrap()
}

fn offer(number: u8, of: u8, location: &str) -> OfferRef {
    OfferRef { offer: offer_id(number), referral: referral(of), location: location.parse().unwrap() }
}

fn sent(number: u8, of: u8, location: &str, answer_by: i64) -> Fact {
    Fact::OfferSent {
        offer: offer(number, of, location),
        bed: None,
        care_type: "ELV_LC".into(),
        answer_by: minute(answer_by),
    }
}

/// De Linde is asked at minute 0 for somebody whose referral is planned; it has an hour.
fn asked() -> State {
    let state = after(State::default(), -10, registered(LINDE, "beds"));
    let state = after(state, -5, made(1, Urgency::Planned));
    after(state, 0, sent(1, 1, LINDE, 60))
}

fn told(state: &State, at: i64, sent: &Sent) -> Vec<(Rung, Subject)> {
    due(state, minute(at), sent).into_iter().map(|notice| (notice.rung, notice.subject)).collect()
}

/// Everything that is due is sent.
fn send(state: &State, at: i64, sent: &mut Sent) -> Vec<(Rung, Subject)> {
    let notices = due(state, minute(at), sent);
    for notice in &notices {
        assert_eq!(sent.begin(notice), 1);
    }
    notices.into_iter().map(|notice| (notice.rung, notice.subject)).collect()
}

#[test]
fn given_an_offer_when_nobody_looks_then_push_at_once_mail_after_ten_minutes_and_the_call_at_twenty() {
    let (state, mut sent) = (asked(), Sent::default());
    let subject = Subject::Offer(referral(1), offer_id(1));
    assert_eq!(send(&state, 0, &mut sent), [(Rung::Push, subject.clone())]);
    assert_eq!(next_due(&state, minute(0), &sent, Rung::Push), None);
    assert_eq!(next_due(&state, minute(0), &sent, Rung::Mail), Some(minute(10)));
    assert_eq!(told(&state, 9, &sent), []);
    assert_eq!(send(&state, 10, &mut sent), [(Rung::Mail, subject)]);
    assert_eq!(told(&state, 11, &sent), []);
    // From here on the desk calls, and nothing more is written.
    let called = call_at(state.rules(&region("zk01")), &Urgency::Planned, minute(60));
    assert!(minute(19) < called && called <= minute(20), "{called}");
    assert_eq!(told(&state, 20, &Sent::default()).len(), 1, "only the push");
    assert_eq!(told(&state, 60, &Sent::default()), [], "its time is over");
}

#[test]
fn given_an_offer_when_somebody_looked_answered_or_it_was_withdrawn_then_nobody_is_told() {
    let ends = [
        Fact::OfferSeen(offer(1, 1, LINDE)),
        Fact::OfferDeclined { offer: offer(1, 1, LINDE), code: "no-bed".into(), spoken_with: None },
        Fact::OfferRevoked(offer(1, 1, LINDE)),
        Fact::OfferLapsed(offer(1, 1, LINDE)),
        Fact::ReferralWithdrawn { referral: referral(1), reason: "other".into() },
    ];
    for end in ends {
        let kind = end.kind();
        let state = after(asked(), 5, end);
        assert_eq!(told(&state, 12, &Sent::default()), [], "{kind}");
        assert_eq!(next_due(&state, minute(12), &Sent::default(), Rung::Mail), None, "{kind}");
    }
}

#[test]
fn given_an_offer_to_a_house_of_another_region_then_those_of_that_house_are_told() {
    let state = evolve(asked(), &event("urn:test:eik", minute(0), "zk02", registered(EIK, "beds")));
    let state = after(state, 1, sent(2, 1, EIK, 61));
    let to = due(&state, minute(1), &Sent::default()).into_iter().map(|notice| notice.to).next_back();
    assert_eq!(to, Some(Recipient::Location { location: EIK.parse().unwrap(), region: region("zk02") }));
}

#[test]
fn given_an_offer_told_of_a_past_long_gone_then_nobody_is_told() {
    let state = after(State::default(), 0, made(1, Urgency::Planned));
    let state = after(state, 60 * 24 * 3, sent(1, 1, LINDE, 60));
    assert_eq!(told(&state, 30, &Sent::default()), []);
}

#[test]
fn given_a_crisis_when_nobody_took_it_up_then_the_desk_is_told_but_not_whoever_made_it() {
    let state = after(State::default(), 0, made(1, Urgency::Crisis));
    let notices = due(&state, minute(0), &Sent::default());
    let [Notice { rung: Rung::Push, subject, to, .. }] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!(*subject, Subject::Crisis(referral(1)));
    let but = Some("urn:test:desk".parse().unwrap());
    assert_eq!(*to, Recipient::Desk { region: region("zk01"), deputy: None, but });
    let late = CRISIS_NEWS_MICROS / 60_000_000;
    assert_eq!(told(&state, late, &Sent::default()), [], "no news any more");
    let asked = after(state.clone(), 1, sent(1, 1, LINDE, 16));
    assert!(
        told(&asked, 1, &Sent::default()).iter().all(|(_, subject)| matches!(subject, Subject::Offer(..)))
    );
    let planned = after(State::default(), 0, made(1, Urgency::Planned));
    assert_eq!(told(&planned, 0, &Sent::default()), []);
}

#[test]
fn given_a_desk_that_handed_its_duty_over_then_whoever_stands_in_is_told_too() {
    let handed = Fact::DutyHandedOver { to: label("midden"), until: minute(100), mandate: Vec::new() };
    let state = after(after(State::default(), 0, handed), 1, made(1, Urgency::Crisis));
    let deputy = |at| match due(&state, minute(at), &Sent::default()).pop().unwrap().to {
        Recipient::Desk { deputy, .. } => deputy,
        Recipient::Location { .. } => unreachable!("a desk is told"),
    };
    assert_eq!(deputy(2), Some(label("midden")));
}

#[test]
fn given_an_escalation_then_the_asked_desk_is_told_once_and_again_when_it_is_asked_again() {
    let escalated = || Fact::ReferralEscalated { referral: referral(1), to_region: region("zk02") };
    let state = after(after(State::default(), 0, made(1, Urgency::Urgent)), 1, escalated());
    let mut sent = Sent::default();
    let take_over = (Rung::Push, Subject::TakeOver(referral(1), region("zk02")));
    assert_eq!(send(&state, 1, &mut sent), std::slice::from_ref(&take_over));
    assert_eq!(told(&state, 500, &sent), []);
    let back = Fact::ReferralTakenOver { referral: referral(1), from_region: region("zk01") };
    let state = after(state, 2, back);
    assert_eq!(told(&state, 2, &sent), []);
    assert!(sent.forget(&state, minute(2)) && sent.is_empty());
    assert_eq!(send(&after(state, 3, escalated()), 3, &mut sent), [take_over]);
}

#[test]
fn given_nobody_was_reached_then_it_is_tried_again_a_little_later_and_no_more_than_three_times() {
    let (state, mut sent) = (asked(), Sent::default());
    let mut now = minute(0);
    for tries in 1..=TRIES_MAX {
        let notice = due(&state, now, &sent).pop().unwrap();
        assert_eq!(sent.begin(&notice), tries);
        assert_eq!(due(&state, now, &sent), [], "while it is sent it is not due");
        sent.failed(&notice, tries, now);
        assert_eq!(due(&state, now, &sent), [], "not at once");
        now = next_due(&state, now, &sent, Rung::Push).unwrap_or(now);
        assert!(tries == TRIES_MAX || now > minute(0));
    }
    assert_eq!(due(&state, now, &sent), []);
    assert!(now < minute(2));
    assert_eq!(serde_json::from_str::<Sent>(&serde_json::to_string(&sent).unwrap()).unwrap(), sent);
}

/// One step of a story.
#[derive(Clone, Debug)]
enum Step {
    Told(Box<Fact>),
    /// So many seconds pass, and whoever is told is told; some of it fails, and the node may be started again.
    Look {
        seconds: i64,
        fails: bool,
        killed: bool,
    },
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let offers = || (0u8..4, 0u8..2, prop::sample::select(&[LINDE, EIK][..]));
    let of = |(number, referral, location): (u8, u8, &str)| offer(number, referral, location);
    prop_oneof![
        2 => (0u8..2, prop::sample::select(&[Urgency::Crisis, Urgency::Urgent, Urgency::Planned][..]))
            .prop_map(|(number, urgency)| made(number, urgency)),
        4 => (offers(), -2i64..120).prop_map(|((number, of, location), by)| sent(number, of, location, by)),
        1 => offers().prop_map(move |it| Fact::OfferSeen(of(it))),
        1 => offers().prop_map(move |it| Fact::OfferRevoked(of(it))),
        1 => offers().prop_map(move |it| Fact::OfferDeclined { offer: of(it), code: "no-bed".into(), spoken_with: None }),
        1 => (0u8..2).prop_map(|number| Fact::ReferralEscalated { referral: referral(number), to_region: region("zk02") }),
        1 => (0u8..2).prop_map(|number| Fact::ReferralWithdrawn { referral: referral(number), reason: "other".into() }),
        1 => (0u8..2).prop_map(|number| admitted_for(number, row(LINDE, "ELV_LC"), number)),
        1 => (0u8..2).prop_map(admission_cancelled),
        1 => any::<bool>().prop_map(|crisis| Fact::RuleSetSwitched {
            rule_set: if crisis { RuleSet::Crisis } else { RuleSet::Normal },
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => any_fact().prop_map(|fact| Step::Told(Box::new(fact))),
        1 => (0i64..900, any::<bool>(), any::<bool>())
            .prop_map(|(seconds, fails, killed)| Step::Look { seconds, fails, killed }),
    ]
}

/// Whether nobody at the location has looked at it, and its time is not over.
fn unseen(state: &State, of: ReferralId, offer: OfferId, now: Timestamp) -> Option<Timestamp> {
    let asked = state.referrals.get(&of).filter(|referral| referral.end.is_none())?.offers.get(&offer)?;
    (asked.state == OfferState::Sent && now < asked.answer_by).then_some(asked.answer_by)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_rung_is_due_once_and_never_after_somebody_looked(steps in prop::collection::vec(step(), 1..60)) {
        let (mut state, mut sent, mut now) = (State::default(), Sent::default(), minute(0));
        let mut reached: BTreeMap<(Subject, Rung), u8> = BTreeMap::new();
        let mut tries: BTreeMap<(Subject, Rung), u8> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Told(fact) => state = evolve(state, &event("urn:test:gp", now, "zk01", *fact)),
                Step::Look { seconds, fails, killed } => {
                    now = now.saturating_add_micros(seconds * 1_000_000);
                    sent.forget(&state, now);
                    for notice in due(&state, now, &sent) {
                        let key = (notice.subject.clone(), notice.rung);
                        prop_assert!(notice.from <= now && now < notice.until);
                        if let Subject::Offer(of, offer) = notice.subject {
                            let answer_by = unseen(&state, of, offer, now).expect("nobody looked yet");
                            let urgency = &state.referrals[&of].profile.urgency;
                            let call = call_at(state.rules(&region("zk01")), urgency, answer_by);
                            prop_assert!(notice.rung == Rung::Push || now < call, "the desk calls already");
                            let tried = tries.entry(key.clone()).or_default();
                            *tried += 1;
                            prop_assert!(*tried <= TRIES_MAX);
                        }
                        let number = sent.begin(&notice);
                        if killed {
                            // It may have arrived: that is all anybody knows.
                            sent = serde_json::from_str(&serde_json::to_string(&sent).unwrap()).unwrap();
                        }
                        if fails && !killed {
                            sent.failed(&notice, number, now);
                        } else if matches!(notice.subject, Subject::Offer(..)) {
                            let times = reached.entry(key).or_default();
                            *times += 1;
                            prop_assert_eq!(*times, 1, "told twice");
                        }
                    }
                    prop_assert_eq!(due(&state, now, &sent), []);
                    for rung in [Rung::Push, Rung::Mail] {
                        prop_assert!(next_due(&state, now, &sent, rung).is_none_or(|next| next > now));
                    }
                }
            }
        }
    }
}
