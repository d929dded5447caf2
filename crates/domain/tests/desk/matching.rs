//! Who can take somebody at a moment, the best first, and why everybody else cannot.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;

use domain::desk::{Act, Actor, Command, RuleBook, State, decide, evolve};
use domain::matching::{Wanted, again, matching, receipt_of};
use domain::testing::{A, B, C, bed_profile, fact, label, stopped};
use domain::{
    AdmissionWindow, BedProfile, BedRef, Candidate, Event, EventId, ExclusionCode, Fact, Feature, LocationId,
    LocationMode, Matched, OfferRef, Period, Urgency,
};

use crate::support::*;

/// A Friday at noon.
const NOON: &str = "2026-03-06T11:00:00Z";

fn bed_with(location: &str, bed: &str, features: &[Feature]) -> Fact {
    let at = BedRef { location: parse(location), bed: parse(bed) };
    Fact::BedAdded(BedProfile { features: Some(features.to_vec()), ..bed_profile(at, Some(&[HC])) })
}

fn in_postcode(location: &str, postcode: &str) -> Fact {
    let mut profile = profile_of(location, LocationMode::Beds);
    profile.postcode4 = Some(label(postcode));
    Fact::LocationChanged(profile)
}

/// What is looked for on behalf of a referral, now.
fn wanted(story: &Story, number: u64) -> Wanted {
    Wanted::of(&story.state(), referral(number), story.now).unwrap()
}

fn found(story: &Story, number: u64) -> Matched {
    matching(&story.state(), &wanted(story, number))
}

fn names(matched: &Matched) -> Vec<&str> {
    matched.candidates.iter().map(|candidate| candidate.location.as_str()).collect()
}

#[track_caller]
fn codes(matched: &Matched, location: &str) -> Vec<&'static str> {
    let excluded = matched.excluded.iter().find(|excluded| excluded.location.as_str() == location);
    excluded.expect("it is excluded").reasons.iter().map(|reason| reason.code.code()).collect()
}

fn of<'a>(matched: &'a Matched, location: &str) -> &'a Candidate {
    matched.candidates.iter().find(|candidate| candidate.location.as_str() == location).unwrap()
}

/// A crisis, with one referral of which nothing special is known, from Utrecht.
fn crisis() -> Story {
    let mut story = Story::at(NOON);
    let mut profile = profile(1, Urgency::Crisis);
    profile.area = Some(label("35"));
    let _ = story.desk(ZK23, Act::MakeReferral { profile, not_a_double: false }).records(&["referral.made"]);
    story
}

/// The same, for somebody who needs something.
fn needing(features: &[Feature]) -> Story {
    let mut story = Story::at(NOON);
    let mut profile = profile(1, Urgency::Crisis);
    profile.constraints = features.to_vec();
    let _ = story.desk(ZK23, Act::MakeReferral { profile, not_a_double: false }).records(&["referral.made"]);
    story
}

#[test]
fn every_location_of_the_region_is_a_candidate_or_says_why_not() {
    let mut story = crisis();
    story.says(EIK, stopped(EIK, None));
    let found = found(&story, 1);
    assert_eq!(
        names(&found),
        [LINDE, BERK],
        "a bed that is known fits better than one that is only reported"
    );
    assert_eq!(codes(&found, EIK), ["admissions-stopped", "no-bed-free"]);
    assert_eq!(found.excluded.len(), 1, "the other region was not asked for");
    assert_eq!(of(&found, LINDE).bed.as_ref().unwrap().as_str(), "1");
    assert_eq!(found.why_not(&parse(EIK))[0].nl, "Heeft een opnamestop.");
    assert_eq!(found.at_position, u64::try_from(story.log.len()).unwrap());
}

#[test]
fn another_region_is_looked_in_when_it_is_asked_for_and_never_twice() {
    let story = crisis();
    let mut wide = wanted(&story, 1);
    wide.regions = vec![parse(ZK23), parse(ZK24), parse(ZK23)];
    let found = matching(&story.state(), &wide);
    assert_eq!(names(&found).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([LINDE, EIK, BERK, VLIET]));
    assert_eq!(found.candidates.len(), 4);
}

#[test]
fn a_bed_must_offer_everything_somebody_needs_and_a_scarce_bed_is_kept_for_who_needs_it() {
    let mut story = needing(&[Feature::Hoist]);
    story.says(LINDE, bed_with(LINDE, "7", &[Feature::Hoist, Feature::Isolation]));
    story.says(LINDE, bed_with(LINDE, "8", &[Feature::Hoist]));
    let first = found(&story, 1);
    assert_eq!(names(&first), [LINDE]);
    assert_eq!(of(&first, LINDE).bed.as_ref().unwrap().as_str(), "8", "the isolation bed is kept");
    assert_eq!(first.why(of(&first, LINDE))[0].nl, "Bed 8 past precies.");
    assert_eq!(codes(&first, EIK), ["feature-unknown"], "nobody said what its bed offers");
    assert_eq!(codes(&first, BERK), ["feature-unknown"], "it reports counts");

    // When only the scarce one is left, it is offered and says so.
    story.says(LINDE, Fact::BedVacated(BedRef { location: parse(LINDE), bed: parse("8") }));
    let second = found(&story, 1);
    let linde = of(&second, LINDE);
    assert_eq!(
        (linde.bed.as_ref().unwrap().as_str(), linde.spare.as_slice()),
        ("7", &[Feature::Isolation][..])
    );
    assert!(second.why(linde)[0].en.contains("isolation"), "{:?}", second.why(linde));
}

#[test]
fn each_need_that_no_free_bed_meets_is_named_and_so_is_that_none_meets_all() {
    let mut story = needing(&[Feature::Hoist, Feature::Oxygen]);
    story.says(EIK, Fact::BedRemoved(BedRef { location: parse(EIK), bed: parse("1") }));
    story.says(EIK, bed_with(EIK, "5", &[Feature::Hoist]));
    assert_eq!(codes(&found(&story, 1), EIK), ["feature-missing"]);
    assert_eq!(found(&story, 1).why_not(&parse(EIK))[0].nl, "Geen vrij bed biedt: zuurstof.");
    story.says(EIK, bed_with(EIK, "6", &[Feature::Oxygen]));
    assert_eq!(codes(&found(&story, 1), EIK), ["features-apart"]);
    story.says(EIK, bed_with(EIK, "7", &[Feature::Oxygen, Feature::Hoist]));
    assert_eq!(names(&found(&story, 1)), [EIK]);
}

#[test]
fn windows_and_limits_count_at_the_wished_moment() {
    let mut story = crisis();
    let days = labels(&["mo", "tu", "we", "th", "fr"]);
    let window = AdmissionWindow { days, from: label("09:00"), to: label("17:00"), care_types: vec![] };
    story.says(LINDE, Fact::WindowsSet { location: parse(LINDE), windows: vec![window] });
    let limit = Fact::IntakeLimitSet { location: parse(EIK), care_type: None, period: Period::Day, max: 1 };
    story.says(EIK, limit);
    let _ = story.desk(ZK23, admit(9, None, place(EIK, "1"))).records(&["stay.admitted"]);
    story.says(EIK, bed_with(EIK, "2", &[]));
    let today = found(&story, 1);
    assert_eq!(names(&today), [LINDE, BERK]);
    assert_eq!(codes(&today, EIK), ["intake-limit-reached"]);
    assert_eq!(today.why_not(&parse(EIK))[0].en, "Admits no more than 1 people in that period.");

    let mut tomorrow = wanted(&story, 1);
    tomorrow.moment = story.in_minutes(24 * 60);
    let tomorrow = matching(&story.state(), &tomorrow);
    assert_eq!(codes(&tomorrow, LINDE), ["outside-window"], "on Saturday it does not admit");
    assert!(names(&tomorrow).contains(&EIK), "a new day, a new limit");
}

#[test]
fn who_was_asked_promised_or_said_no_is_excluded_and_who_did_not_answer_comes_last() {
    let mut story = crisis();
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK), (3, BERK)])).records(&["offer.sent"; 3]);
    assert_eq!(codes(&found(&story, 1), LINDE), ["asked-already"]);
    let _ = story.location(EIK, no(offer_ref(2, 1, EIK), "no-staff")).records(&["offer.declined"]);
    assert_eq!(found(&story, 1).why_not(&parse(EIK))[0].nl, "Heeft al nee gezegd: geen personeel.");
    let from = story.now;
    let promise = story.location(BERK, yes(offer_ref(3, 1, BERK), from));
    let _ = promise.records(&["offer.accepted", "offer.chosen", "hold.granted", "offer.revoked"]);
    assert_eq!(codes(&found(&story, 1), BERK), ["promised-already"]);
    assert_eq!(names(&found(&story, 1)), [LINDE], "it is not asked any longer");

    let mut story = crisis();
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    story.minutes_later(20);
    assert_eq!(story.keeper(ZK23), ["offer.lapsed"]);
    let found = found(&story, 1);
    assert_eq!(names(&found), [EIK, BERK, LINDE]);
    assert!(found.why(of(&found, LINDE)).iter().any(|why| why.nl.contains("antwoordde niet")));
}

#[test]
fn the_nearest_of_equals_is_first_and_a_wish_weighs_more_than_a_quarter_of_an_hour() {
    let mut story = crisis();
    story.says(LINDE, in_postcode(LINDE, "3811"));
    story.says(EIK, in_postcode(EIK, "3511"));
    let near = found(&story, 1);
    assert_eq!(names(&near)[..2], [EIK, LINDE]);
    assert!(of(&near, EIK).minutes < of(&near, LINDE).minutes);
    let mut wished = wanted(&story, 1);
    wished.wished = vec![parse(LINDE)];
    let wished = matching(&story.state(), &wished);
    assert_eq!(names(&wished)[0], LINDE);
    assert!(wished.why(of(&wished, LINDE)).iter().any(|why| why.en == "Wish number 1."));
}

#[test]
fn who_said_often_that_it_was_not_free_after_all_and_who_had_everybody_lately_come_later() {
    let mut story = crisis();
    for number in 0..6 {
        let offer = offer_ref(100 + number, 1, EIK);
        let code = "not-free-after-all".into();
        story.says(EIK, Fact::OfferDeclined { offer, code, spoken_with: None });
    }
    let lied = found(&story, 1);
    assert_eq!(names(&lied), [LINDE, BERK, EIK]);
    assert!(lied.why(of(&lied, EIK)).iter().any(|why| why.nl == "Klopte 0 van de 6 keer."));

    let mut story = crisis();
    for (number, bed) in [(11, "11"), (12, "12")] {
        story.says(EIK, bed_with(EIK, bed, &[]));
        let _ = story.desk(ZK23, admit(number, None, place(EIK, bed))).records(&["stay.admitted"]);
    }
    let found = found(&story, 1);
    assert_eq!((of(&found, EIK).recent, of(&found, EIK).parts.spread), (2, 0));
    assert_eq!(names(&found)[0], LINDE);
}

#[test]
fn a_bed_in_reserve_and_care_that_is_not_given_are_said_as_such() {
    let mut story = crisis();
    story.says(
        EIK,
        Fact::BedChanged(BedProfile {
            reserve: Some(true),
            ..bed_profile(BedRef { location: parse(EIK), bed: parse("1") }, None)
        }),
    );
    assert_eq!(codes(&found(&story, 1), EIK), ["reserve-only"]);
    let mut other = wanted(&story, 1);
    other.care_type = "GRZ".into();
    let other = matching(&story.state(), &other);
    assert_eq!(codes(&other, LINDE), ["care-type-not-given"]);
    other.excluded.iter().for_each(|excluded| assert!(!excluded.why().is_empty()));
}

#[test]
fn every_reason_has_a_sentence_in_two_languages_that_differ() {
    for code in ExclusionCode::KNOWN.iter().chain(&["something-new"]) {
        let reason = domain::Exclusion { code: (*code).into(), about: Some(label("isolation")) };
        let sentence = reason.sentence();
        assert!(sentence.nl.ends_with('.') && sentence.en.ends_with('.') && sentence.nl != sentence.en);
        assert!(!sentence.nl.contains('{') && !sentence.en.contains('{'), "{sentence:?}");
    }
}

#[test]
fn a_receipt_is_read_from_the_log_and_made_again_from_the_state_at_its_position() {
    let mut story = crisis();
    story.says(EIK, stopped(EIK, None));
    let shown = found(&story, 1).kept();
    let position = story.log.len();
    let to = vec![asked(1, LINDE)];
    let send = |list: &Matched| Act::SendOffers {
        referral: referral(1),
        to: to.clone(),
        answer_by: None,
        receipt: Some(list.clone()),
    };
    let of_another = Matched { referral: referral(2), ..shown.clone() };
    story.desk(ZK23, send(&of_another)).refused("receipt-of-another");
    let _ = story.desk(ZK23, send(&shown)).records(&["referral.matched", "offer.sent"]);
    // Later nothing is as it was.
    story.says(LINDE, stopped(LINDE, None));
    story.minutes_later(600);

    let kept: Vec<&Matched> = receipt_of(&story.log, referral(1)).collect();
    assert_eq!(kept, [&shown]);
    let then = story.up_to(position);
    assert_eq!(again(&then, &shown).unwrap(), shown);
    assert_ne!(again(&story.state(), &shown).unwrap(), shown, "and now it would be another list");
    assert_eq!(receipt_of(&story.log, referral(2)).count(), 0);
}

#[test]
fn a_list_that_is_too_long_for_an_event_is_cut_at_its_end_and_says_so() {
    let mut story = crisis();
    for number in 0..900 {
        story.opens(&format!("zk23-{number:0>55}"), &["1"]);
    }
    let long = found(&story, 1);
    let kept = long.clone().kept();
    let left = usize::try_from(kept.left_off).unwrap();
    assert!(left > 0 && kept.candidates.len() + kept.excluded.len() + left == 903);
    assert_eq!(kept.candidates[..], long.candidates[..kept.candidates.len()]);
}

/// Facts one after the other, then a crisis that was offered to a location.
fn offered_after(facts: Vec<Fact>, location: &str) -> (State, u128) {
    let offer = OfferRef { offer: offer(1), referral: referral(1), location: parse(location) };
    let sent =
        Fact::OfferSent { offer, bed: None, care_type: HC.into(), answer_by: domain::testing::second(1) };
    let made = Fact::ReferralMade(profile(1, Urgency::Crisis));
    let mut number = 1;
    let state = facts.into_iter().chain([made, sent]).fold(State::new(RuleBook::default()), |state, fact| {
        number += 1;
        let id = EventId::new(Uuid::from_u128(number)).unwrap();
        let time = domain::testing::second(0);
        let (source, region) = (parse("urn:any"), parse("zk01"));
        evolve(state, &Event { source, id, time, region, occurred_at: time, fact })
    });
    (state, number)
}

proptest! {
    #[test]
    fn every_location_is_in_the_list_once_and_whoever_can_may_promise_that_bed(facts in prop::collection::vec(fact(), 0..60)) {
        for location in [A, B, C] {
            let (state, number) = offered_after(facts.clone(), location);
            let mut wanted = Wanted::of(&state, referral(1), domain::testing::second(0)).unwrap();
            // As if it had not been asked, so that it can be a candidate.
            let mut before = state.clone();
            before.referrals.clear();
            wanted.regions = vec![parse("zk01")];
            let list = matching(&before, &wanted);
            let candidates = list.candidates.iter().map(|one| &one.location);
            let all: Vec<&LocationId> = candidates.chain(list.excluded.iter().map(|one| &one.location)).collect();
            let once: BTreeSet<&LocationId> = all.iter().copied().collect();
            prop_assert_eq!(all.len(), once.len());
            prop_assert_eq!(once, before.board.located(&parse("zk01")).collect());
            prop_assert!(list.candidates.is_sorted_by_key(|one| core::cmp::Reverse(one.score)));
            prop_assert!(list.candidates.iter().all(|one| one.score <= 100));
            prop_assert!(list.excluded.iter().all(|one| !one.reasons.is_empty()));
            prop_assert_eq!(&matching(&before, &wanted), &list);

            let Some(can) = list.candidates.iter().find(|one| one.location.as_str() == location) else { continue };
            let act = Act::AcceptOffer {
                offer: OfferRef { offer: offer(1), referral: referral(1), location: parse(location) },
                bed: can.bed.clone(),
                care_type: HC.into(),
                from: domain::testing::second(0),
                role: domain::Role::Nurse,
                spoken_with: None,
            };
            let by = Actor::Location(parse(location));
            let id = EventId::new(Uuid::from_u128(number + 1)).unwrap();
            let at = domain::testing::second(0);
            let command =
                Command { id, source: parse("urn:any"), region: parse("zk01"), at, occurred_at: None, by, act };
            let decided = decide(&state, &command);
            prop_assert!(decided.is_ok(), "{:?} {:?}", can, decided);
        }
    }
}
