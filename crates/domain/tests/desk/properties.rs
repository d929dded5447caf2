//! Whatever is wanted and whatever is told, in whatever order: no panic, one winner, one end, nothing left kept.

use std::collections::BTreeMap;

use domain::desk::{Act, Actor, State, due, evolve, next_due};
use domain::queries::{Placing, WorkKind, worklist};
use domain::testing::fact;
use domain::{Event, Fact, ReferralId, Role, Timestamp, Urgency};
use proptest::prelude::*;

use crate::support::*;

const HOUSES: [&str; 3] = [LINDE, EIK, BERK];

/// Facts of the working process, about few referrals and offers, so that they meet.
fn told() -> impl Strategy<Value = Fact> {
    let who = || 1u64..4;
    let offer =
        || (1u64..6, who(), 0usize..3).prop_map(|(offer, of, house)| offer_ref(offer, of, HOUSES[house]));
    let until = parse("2026-03-02T12:00:00Z");
    let held = || (0usize..2).prop_map(|house| place(HOUSES[house], "1"));
    prop_oneof![
        2 => who().prop_map(|of| Fact::ReferralMade(profile(of, Urgency::Urgent))),
        1 => who().prop_map(|of| Fact::ReferralWithdrawn { referral: referral(of), reason: "other".into() }),
        1 => who().prop_map(|of| Fact::ReferralEscalated { referral: referral(of), to_region: parse(ZK24) }),
        1 => who().prop_map(|of| Fact::ReferralTakenOver { referral: referral(of), from_region: parse(ZK23) }),
        3 => offer().prop_map(move |offer| Fact::OfferSent { offer, bed: None, care_type: HC.into(), answer_by: until }),
        3 => offer().prop_map(move |offer| Fact::OfferAccepted {
            offer, bed: None, care_type: HC.into(), from: until, by: Role::Nurse, spoken_with: None
        }),
        2 => offer().prop_map(|offer| Fact::OfferChosen { offer, by: Role::Nurse }),
        1 => offer().prop_map(|offer| Fact::OfferContested { offer, by: Role::Nurse }),
        1 => offer().prop_map(Fact::OfferRevoked),
        1 => offer().prop_map(Fact::OfferLapsed),
        2 => (held(), who()).prop_map(move |(place, of)| Fact::HoldGranted { place, referral: referral(of), until }),
        1 => (held(), who()).prop_map(|(place, of)| Fact::HoldReleased { place, referral: referral(of) }),
        2 => (who(), held(), who()).prop_map(|(number, place, of)| {
            Fact::StayAdmitted { stay: stay(number), place, referral: Some(referral(of)), funding: None }
        }),
        1 => who().prop_map(|number| Fact::StayAdmissionCancelled { stay: stay(number) }),
        1 => Just(Fact::DutyTakenBack),
        4 => fact(),
    ]
}

/// What people want of each other, about few referrals.
fn wanted() -> impl Strategy<Value = (Actor, Act)> {
    let desk = || Actor::Desk(parse(ZK23));
    let who = || 1u64..4;
    let house = || 0usize..3;
    let asked = |of: u64, house: usize| offer_ref(of * 10 + u64::try_from(house).unwrap(), of, HOUSES[house]);
    let urgency = prop::sample::select(vec![Urgency::Crisis, Urgency::Urgent, Urgency::Planned]);
    let at = |house: usize| if HOUSES[house] == BERK { None } else { Some(place(HOUSES[house], "1")) };
    let from = parse("2026-03-02T09:00:00Z");
    prop_oneof![
        3 => (who(), urgency).prop_map(move |(of, urgency)| (desk(), make(of, urgency))),
        2 => who().prop_map(move |of| (desk(), weigh(of))),
        5 => (who(), house()).prop_map(move |(of, house)| {
            let number = of * 10 + u64::try_from(house).unwrap();
            (desk(), ask(of, &[(number, HOUSES[house])]))
        }),
        6 => (who(), house()).prop_map(move |(of, house)| {
            (Actor::Location(parse(HOUSES[house])), yes(asked(of, house), from))
        }),
        1 => (who(), house()).prop_map(move |(of, house)| (desk(), yes_by_telephone(asked(of, house), from))),
        1 => (who(), house()).prop_map(move |(of, house)| {
            let contest = Act::ContestAnswer { offer: asked(of, house), role: Role::Nurse };
            (Actor::Location(parse(HOUSES[house])), contest)
        }),
        1 => (who(), house()).prop_map(move |(of, house)| {
            (Actor::Location(parse(HOUSES[house])), no(asked(of, house), "no-staff"))
        }),
        1 => (who(), house()).prop_map(move |(of, house)| {
            (Actor::Location(parse(HOUSES[house])), take_back(asked(of, house), "not-free-after-all"))
        }),
        3 => (who(), house()).prop_map(move |(of, house)| {
            (desk(), Act::ChooseOffer { offer: asked(of, house), role: Role::Nurse })
        }),
        1 => (who(), house()).prop_map(move |(of, house)| (desk(), Act::RevokeOffer { offer: asked(of, house) })),
        1 => (who(), house()).prop_map(move |(of, house)| {
            (desk(), Act::ReleaseHold { referral: referral(of), location: parse(HOUSES[house]) })
        }),
        2 => (who(), who(), house()).prop_map(move |(number, of, house)| {
            let place = at(house).unwrap_or_else(|| domain::testing::row(BERK, HC));
            (Actor::Location(parse(HOUSES[house])), admit(number, Some(of), place))
        }),
        1 => (who(), house()).prop_map(move |(number, house)| {
            (Actor::Location(parse(HOUSES[house])), Act::CancelAdmission { stay: stay(number) })
        }),
        1 => who().prop_map(move |of| {
            (desk(), Act::WithdrawReferral { referral: referral(of), reason: "other".into() })
        }),
    ]
}

/// How many minutes go by before each.
fn history() -> impl Strategy<Value = Vec<(i64, (Actor, Act))>> {
    prop::collection::vec((prop::sample::select(vec![0i64, 0, 1, 20, 90]), wanted()), 0..40)
}

/// The offers that were chosen and not given up since, counted from the bare events.
fn winners(log: &[Event]) -> BTreeMap<ReferralId, Vec<domain::OfferId>> {
    let mut winners: BTreeMap<ReferralId, Vec<domain::OfferId>> = BTreeMap::new();
    for event in log {
        let Some(of) = event.fact.referral().map(|of| winners.entry(of).or_default()) else { continue };
        if let Fact::OfferChosen { offer, .. } = &event.fact {
            of.push(offer.offer);
        }
        if let Fact::OfferRevoked(offer) | Fact::OfferLapsed(offer) | Fact::OfferDeclined { offer, .. } =
            &event.fact
        {
            of.retain(|chosen| *chosen != offer.offer);
        }
    }
    winners
}

/// The ends that were told and not taken back, counted from the bare events.
#[expect(clippy::wildcard_enum_match_arm, reason = "nothing else ends a referral")]
fn ends(log: &[Event]) -> BTreeMap<ReferralId, usize> {
    let mut ends: BTreeMap<ReferralId, usize> = BTreeMap::new();
    let mut came = BTreeMap::new();
    for event in log {
        match &event.fact {
            Fact::ReferralWithdrawn { referral, .. }
            | Fact::ReferralDiverted { referral, .. }
            | Fact::ReferralExpiredUnplaced { referral, .. } => *ends.entry(*referral).or_default() += 1,
            Fact::StayAdmitted { stay, referral: Some(referral), .. } => {
                came.insert(*stay, *referral);
                *ends.entry(*referral).or_default() += 1;
            }
            Fact::StayAdmissionCancelled { stay } => {
                if let Some(ends) = came.remove(stay).and_then(|referral| ends.get_mut(&referral)) {
                    *ends -= 1;
                }
            }
            _ => {}
        }
    }
    ends
}

/// Board and referrals agree on what is kept, and it is kept for those only who are promised it.
fn kept_for_whom_it_was_promised(state: &State) {
    let mut kept = 0;
    for referral in state.referrals.values() {
        assert!(referral.end.is_none() || referral.holds.is_empty(), "{referral:?}");
        for hold in &referral.holds {
            kept += 1;
            let promised = |offer: &domain::desk::Offer| {
                offer.location == hold.place.location && offer.promise().is_some()
            };
            assert!(referral.offers.values().any(promised), "{referral:?}");
        }
    }
    let held: u32 = state.board.rows().map(|row| row.held).sum();
    assert_eq!(usize::try_from(held).unwrap(), kept);
}

/// Whoever waits for a place is on the desk's list, and no place is looked for where one is kept.
fn who_waits_is_on_the_list(state: &State, now: Timestamp) {
    let lists = [ZK23, ZK24].map(|region| worklist(state, &parse(region), now).items);
    for referral in state.referrals.values() {
        let items = || lists.iter().flatten().filter(|item| item.referral == Some(referral.id()));
        let looked_for = items().any(|item| item.kind == WorkKind::FindPlace);
        match Placing::of(state, referral) {
            Some(Placing::Seeking | Placing::Promised) => assert!(items().count() > 0, "{referral:?}"),
            Some(Placing::Kept) | None => assert!(!looked_for, "{referral:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Also: each decision is the same from its scope as from everything (`Story` compares them).
    #[test]
    fn histories_of_any_commands_have_one_winner_and_one_end(history in history()) {
        let mut story = Story::at("2026-03-02T09:00:00Z");
        for (minutes, (by, act)) in history {
            story.minutes_later(minutes);
            let _ = story.keeper(ZK23);
            let _ = story.act(ZK23, by, act).0;
            let winners = winners(&story.log);
            prop_assert!(winners.values().all(|chosen| chosen.len() <= 1), "{winners:?}");
            let ends = ends(&story.log);
            prop_assert!(ends.values().all(|ends| *ends <= 1), "{ends:?}");
            kept_for_whom_it_was_promised(&story.state());
        }
        // Whatever is open at the end of the day is withdrawn: every referral has exactly one end, nothing is kept.
        let open: Vec<_> = story.state().referrals.values().filter(|of| of.end.is_none()).map(domain::desk::Referral::id).collect();
        for referral in open {
            let withdraw = Act::WithdrawReferral { referral, reason: "other".into() };
            prop_assert!(story.desk(ZK23, withdraw).0.is_ok());
        }
        let state = story.state();
        prop_assert!(state.referrals.values().all(|of| of.end.is_some() && of.holds.is_empty()));
        let ends = ends(&story.log);
        prop_assert!(state.referrals.keys().all(|of| ends.get(of) == Some(&1)), "{ends:?}");
    }

    #[test]
    fn anything_told_in_any_order_is_taken(facts in prop::collection::vec((told(), any::<bool>()), 0..80)) {
        let mut story = Story::at("2026-03-02T09:00:00Z");
        let mut state = State::default();
        for (fact, here) in facts {
            story.minutes_later(7);
            let event = story.event(if here { ZK23 } else { ZK24 }, fact);
            state = evolve(state, &event);
            for referral in state.referrals.values() {
                let chosen = referral.chosen;
                prop_assert!(chosen.is_none_or(|chosen| referral.offers.contains_key(&chosen)));
                for open in &referral.contradictions {
                    prop_assert!(open.referral == referral.id() && open.since <= story.now);
                }
            }
            prop_assert!(due(&state, story.now).iter().all(|due| due.at <= story.now));
            who_waits_is_on_the_list(&state, story.now);
            let _ = next_due(&state);
            prop_assert!(state.contradictions().count() <= 100);
        }
    }
}
