//! What falls due while nobody does anything.

use std::sync::Arc;

use domain::desk::Act;

use crate::support::*;

const LINDE: &str = "zk23-linde";

async fn kept_until(node: &Node, kind: &str, wanted: usize) {
    let mut head = node.log.reader().watch_head();
    let stop = async {
        while node.count(kind) < wanted {
            head.changed().await.unwrap();
        }
    };
    let kept = tokio::time::timeout(std::time::Duration::from_mins(1), node.desk.keep(stop)).await;
    assert!(kept.is_ok(), "{:?}", node.kinds());
}

#[tokio::test]
async fn an_offer_nobody_answers_lapses_when_its_time_is_over_and_not_before() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    node.desk_does(make(1)).await.unwrap();
    node.desk_does(ask(1, &[(1, LINDE)])).await.unwrap();
    let keeping = {
        let desk = node.desk.clone();
        tokio::spawn(async move { desk.keep(std::future::pending()).await })
    };
    node.clock.set(node.desk.now().saturating_add_micros(14 * MINUTE));
    // Whatever the keeper did by then it did before this.
    node.told(domain::Fact::LocationConfirmed { location: parse(LINDE) }).await;
    assert_eq!(node.count("offer.lapsed"), 0);
    node.clock.set(node.desk.now().saturating_add_micros(MINUTE));
    node.told(domain::Fact::LocationConfirmed { location: parse(LINDE) }).await;
    kept_until(&node, "offer.lapsed", 1).await;
    keeping.abort();
    let late = yes(offer_ref(1, 1, LINDE), None, node.desk.now());
    assert_eq!(refusal(node.location_does(LINDE, late).await).code(), "too-late");
    assert_eq!(node.count("offer.lapsed"), 1, "two keepers, one event");
}

#[tokio::test]
async fn what_fell_due_while_the_node_was_down_is_done_in_order_as_soon_as_it_is_up() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    let mut offers = Vec::new();
    // More than are kept at once.
    for number in 1..=40 {
        node.desk_does(make(number)).await.unwrap();
        node.desk_does(ask(number, &[(number, LINDE)])).await.unwrap();
        offers.push(offer(number).to_string());
        node.clock.set(node.desk.now().saturating_add_micros(MINUTE));
    }
    let later = node.desk.now().saturating_add_micros(60 * MINUTE);
    let dir = node.close().await;
    let node = Node::open(Arc::clone(&dir), later);
    kept_until(&node, "offer.lapsed", 40).await;
    let lapsed: Vec<String> = (1..=node.log.head().position)
        .filter_map(|position| node.log.reader().record(position).unwrap())
        .filter(|record| record.kind.contains("offer.lapsed"))
        .flat_map(|record| record.tags)
        .filter_map(|tag| tag.strip_prefix("offer:").map(str::to_owned))
        .collect();
    assert_eq!(lapsed, offers, "the oldest first, each once");
    assert_eq!(node.count("referral.expired-unplaced"), 0, "no timer ends a referral");
}

#[tokio::test]
async fn a_hold_with_an_agreed_arrival_asks_a_person_instead_of_lapsing() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    node.desk_does(make(1)).await.unwrap();
    node.desk_does(ask(1, &[(1, LINDE)])).await.unwrap();
    node.location_does(LINDE, yes(offer_ref(1, 1, LINDE), None, node.desk.now())).await.unwrap();
    let arrives = Act::AgreeArrival {
        referral: referral(1),
        location: parse(LINDE),
        arrives_at: node.desk.now().saturating_add_micros(30 * MINUTE),
        transport: None,
    };
    node.desk_does(arrives).await.unwrap();
    node.clock.set(node.desk.now().saturating_add_micros(151 * MINUTE));
    node.told(domain::Fact::LocationConfirmed { location: parse(LINDE) }).await;
    kept_until(&node, "hold.overdue", 1).await;
    assert_eq!(node.count("hold.lapsed"), 0);
    node.location_does(LINDE, admit(1, Some(1), LINDE, "1")).await.unwrap();
}

#[tokio::test]
async fn fault_48_a_clock_set_back_an_hour_lets_nothing_lapse_early_or_twice_and_loses_no_deadline() {
    let node = Node::new();
    let nine = node.desk.now();
    node.opens(LINDE, &["1"]).await;
    node.desk_does(make(1)).await.unwrap();
    node.desk_does(ask(1, &[(1, LINDE)])).await.unwrap();
    // Back while it runs, with a keeper that looks.
    let keeping = {
        let desk = node.desk.clone();
        tokio::spawn(async move { desk.keep(std::future::pending()).await })
    };
    node.clock.set(nine.saturating_add_micros(-60 * MINUTE));
    node.told(domain::Fact::LocationConfirmed { location: parse(LINDE) }).await;
    assert_eq!(node.count("offer.lapsed"), 0);
    keeping.abort();
    // And at a start: the deadline is where it was.
    let dir = node.close().await;
    let node = Node::open(dir, nine.saturating_add_micros(-60 * MINUTE));
    node.told(domain::Fact::LocationConfirmed { location: parse(LINDE) }).await;
    node.clock.set(nine.saturating_add_micros(15 * MINUTE));
    kept_until(&node, "offer.lapsed", 1).await;
    // What is done stays done when the clock goes back once more and comes to that moment again.
    let dir = node.close().await;
    let node = Node::open(dir, nine.saturating_add_micros(-60 * MINUTE));
    node.desk_does(make(2)).await.unwrap();
    node.desk_does(ask(2, &[(2, LINDE)])).await.unwrap();
    node.clock.set(nine.saturating_add_micros(20 * MINUTE));
    kept_until(&node, "offer.lapsed", 2).await;
    let lapsed = node.log.reader().read(eventlog::Query::default()).map(Result::unwrap);
    let times: Vec<i64> = lapsed.map(|record| record.recorded_at).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(node.count("offer.lapsed"), 2);
}

#[tokio::test]
async fn what_was_long_over_when_it_was_told_is_not_ended_by_the_clock() {
    let node = Node::new();
    node.opens(LINDE, &["1"]).await;
    node.desk_does(make(1)).await.unwrap();
    // A history that is told later, with a time to answer that was over then.
    let answer_by = node.desk.now().saturating_add_micros(-2 * 24 * 60 * MINUTE);
    let offer = offer_ref(1, 1, LINDE);
    node.told(domain::Fact::OfferSent { offer, bed: None, care_type: HC.into(), answer_by }).await;
    // And one of today.
    node.desk_does(make(2)).await.unwrap();
    node.desk_does(ask(2, &[(2, LINDE)])).await.unwrap();
    node.clock.set(node.desk.now().saturating_add_micros(16 * MINUTE));
    node.told(domain::Fact::LocationConfirmed { location: parse(LINDE) }).await;
    kept_until(&node, "offer.lapsed", 1).await;
    let open = node
        .desk
        .state()
        .read(|state| state.referrals[&referral(1)].offers.values().any(domain::desk::Offer::is_open));
    assert!(open, "it stays for a person to end");
}
