//! One command after the other.

use desk::DeskError;
use domain::desk::{Act, Actor, End};
use domain::{BedRef, ClosedReason, ContactId, Fact, Place, Timestamp, WithdrawnReason};

use crate::support::*;

const LINDE: &str = "zk23-linde";

#[tokio::test]
async fn who_has_an_answer_can_go_on_from_it_at_once() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    for number in 0..50 {
        let made = node.desk_does(make(number)).await.unwrap();
        let asked = node.desk_does(ask(number, &[(number, LINDE)])).await.unwrap();
        assert!(asked.position > made.position);
        let promised = yes(offer_ref(number, number, LINDE), Some("1"), node.desk.now());
        let promised = node.location_does(LINDE, promised).await.unwrap();
        assert_eq!(promised.events.len(), 3, "the yes, the choice and the hold");
        let admitted = node.location_does(LINDE, admit(number, Some(number), LINDE, "1")).await.unwrap();
        let seen = node
            .desk
            .state()
            .read(|state| (state.position(), state.referrals[&referral(number)].end.clone()));
        assert_eq!(seen, (admitted.position, Some(End::Admitted(stay(number)))));
        let place = Place { location: parse(LINDE), bed: Some(parse("1")), care_type: HC.into() };
        let left = Act::Discharge {
            stay: stay(number),
            place,
            destination: "home-without-care".into(),
            ready: true,
            care_hours_at_home: None,
        };
        node.location_does(LINDE, left).await.unwrap();
    }
}

#[tokio::test]
async fn a_command_that_comes_again_is_told_what_became_of_it_and_done_once() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    let by = Actor::Desk(parse(ZK23));
    let contact = |minutes| Act::LogContact {
        contact: ContactId::new(uuid::Uuid::from_u128(7)).unwrap(),
        kind: "call".into(),
        with: domain::testing::label("gp"),
        about: None,
        minutes,
        referral: Some(referral(1)),
    };
    for act in [make(1), ask(1, &[(1, LINDE)]), contact(3)] {
        let command = node.command(by.clone(), act);
        let first = node.desk.handle(command.clone()).await.unwrap();
        let head = node.log.head().position;
        // Later, when it would make another event.
        node.clock.set(node.desk.now().saturating_add_micros(MINUTE));
        let again = node.desk.handle(domain::desk::Command { at: node.desk.now(), ..command }).await.unwrap();
        assert_eq!((again.position, &again.events, again.duplicate), (first.position, &first.events, true));
        assert_eq!(node.log.head().position, head);
    }
}

#[tokio::test]
async fn an_act_that_comes_again_is_no_news_and_is_told_what_became_of_it_by_its_own_id_only() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    let (location, reason) = (parse(LINDE), "infection".into());
    let stop =
        Act::Report { fact: Fact::AdmissionsStopped { location, ward: None, reason, review_at: None } };
    let by = Actor::Location(parse(LINDE));
    let first = node.command(by.clone(), stop.clone());
    let done = node.desk.handle(first.clone()).await.unwrap();
    let again = node.desk.handle(first).await.unwrap();
    assert_eq!((again.position, &again.events, again.duplicate), (done.position, &done.events, true));
    let another = node.desk.handle(node.command(by, stop)).await.unwrap();
    assert_eq!((another.events.len(), another.duplicate), (0, false));
    assert_eq!(node.count("location.admissions-stopped"), 1);
}

#[tokio::test]
async fn an_id_that_was_used_for_something_else_is_not_taken_for_it() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    let first = node.command(Actor::Desk(parse(ZK23)), make(1));
    let position = node.desk.handle(first.clone()).await.unwrap().position;
    let other = domain::desk::Command { act: make(2), ..first };
    match node.desk.handle(other).await {
        Err(DeskError::Reused { position: at, .. }) => assert_eq!(at, position),
        other => panic!("{other:?}"),
    }
    assert_eq!(node.count("referral.made"), 1);
}

#[tokio::test]
async fn an_id_that_was_used_for_another_act_on_the_same_is_not_taken_for_it() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    let by = Actor::Desk(parse(ZK23));
    let withdraw = |reason| Act::WithdrawReferral { referral: referral(1), reason };
    let made = node.command(by.clone(), make(1));
    node.desk.handle(made.clone()).await.unwrap();
    let reused = |done| matches!(done, Err(DeskError::Reused { .. }));
    // Another act with the id of the first.
    let other = domain::desk::Command { act: withdraw(WithdrawnReason::Recovered), ..made.clone() };
    assert!(reused(node.desk.handle(other).await));
    assert!(node.desk.state().read(|state| state.referrals[&referral(1)].end.is_none()));
    // The same words about a bed with another word in them, and told of another time.
    let bed = BedRef { location: parse(LINDE), bed: parse("1") };
    let closed = |reason| Act::Report { fact: Fact::BedClosed { bed: bed.clone(), reason, review_at: None } };
    let by = Actor::Location(parse(LINDE));
    let first = node.command(by, closed(ClosedReason::Maintenance));
    node.desk.handle(first.clone()).await.unwrap();
    let head = node.log.head().position;
    node.desk.handle(first.clone()).await.unwrap();
    assert_eq!(node.log.head().position, head, "the same again is nothing new");
    let other = domain::desk::Command { act: closed(ClosedReason::Infection), ..first.clone() };
    assert!(reused(node.desk.handle(other).await));
    let earlier = first.at.saturating_add_micros(-MINUTE);
    assert!(reused(node.desk.handle(domain::desk::Command { occurred_at: Some(earlier), ..first }).await));
    assert_eq!(node.count("bed.closed"), 1);
}

#[tokio::test]
async fn what_was_forgotten_in_memory_is_still_known_from_the_log() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    node.desk_does(make(1)).await.unwrap();
    let withdraw = || Act::WithdrawReferral { referral: referral(1), reason: WithdrawnReason::Recovered };
    node.desk_does(withdraw()).await.unwrap();
    let much_later: Timestamp = parse("2026-06-02T09:00:00Z");
    node.clock.set(much_later);
    node.desk_does(make(2)).await.unwrap();
    assert!(!node.desk.state().read(|state| state.referrals.contains_key(&referral(1))), "it is forgotten");
    assert_eq!(refusal(node.desk_does(withdraw()).await).code(), "referral-ended");
    assert_eq!(refusal(node.desk_does(make(1)).await).code(), "referral-known");
}

#[tokio::test]
async fn the_desk_decides_after_a_restart_as_if_it_had_never_stood_still() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    node.desk_does(make(1)).await.unwrap();
    node.desk_does(ask(1, &[(1, LINDE)])).await.unwrap();
    let before = node.desk.state().read(Clone::clone);
    let dir = node.close().await;
    let node = Node::open(dir, parse(NINE));
    assert!(node.desk.state().wait_for(before.position()).await);
    assert_eq!(node.desk.state().read(Clone::clone), before);
    let promised = yes(offer_ref(1, 1, LINDE), None, node.desk.now());
    node.location_does(LINDE, promised).await.unwrap();
}
