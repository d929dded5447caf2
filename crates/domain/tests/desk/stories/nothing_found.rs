//! Nothing found: the ladder to its end. The neighbour, the insurer, the authority; then a person says so, and the unmet
//! demand is kept.

use domain::desk::{Act, End, Rung};
use domain::{RaisedTo, Urgency};

use crate::support::*;

fn raise(to: RaisedTo) -> Act {
    Act::Raise { referral: referral(1), to }
}

fn give_up() -> Act {
    Act::GiveUp { referral: referral(1), reason: domain::testing::label("no-place-found") }
}

#[test]
fn when_nothing_is_found_the_ladder_is_climbed_to_its_end_and_the_unmet_demand_is_kept() {
    // Given: everybody in the region says no.
    let mut story =
        Story::at("2026-03-06T16:00:00Z").under(|rules| rules.ladder.insert(0, Rung::Desk(parse(ZK24))));
    referred(&mut story, 1, Urgency::Urgent);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK)])).records(&["offer.sent"; 2]);
    let _ = story.location(LINDE, no(offer_ref(1, 1, LINDE), "no-staff")).records(&["offer.declined"]);
    let _ = story.location(EIK, no(offer_ref(2, 1, EIK), "not-free-after-all")).records(&["offer.declined"]);

    // When: somebody wants to give up, or to go to the insurer at once. Then: a rung comes first.
    story.desk(ZK23, give_up()).refused("ladder-not-finished");
    story.desk(ZK23, raise(RaisedTo::Insurer)).refused("ladder-skipped");
    let stranger = Act::Escalate { referral: referral(1), to: parse("zk31") };
    story.desk(ZK23, stranger).refused("outside-rule-set");

    // The neighbour is asked by name. Until it takes over, nobody else is asked.
    let to = |region: &str| Act::Escalate { referral: referral(1), to: parse(region) };
    let _ = story.desk(ZK23, to(ZK24)).records(&["referral.escalated"]);
    story.desk(ZK23, ask(1, &[(3, BERK)])).refused("with-another-desk");
    let _ = story.desk(ZK24, Act::TakeOver { referral: referral(1) }).records(&["referral.taken-over"]);
    let _ = story.desk(ZK24, ask(1, &[(4, VLIET)])).records(&["offer.sent"]);
    let _ = story.location(VLIET, no(offer_ref(4, 1, VLIET), "no-doctor-cover")).records(&["offer.declined"]);

    // It finds nothing either, and gives it back.
    let _ = story.desk(ZK24, to(ZK23)).records(&["referral.escalated"]);
    let _ = story.desk(ZK23, Act::TakeOver { referral: referral(1) }).records(&["referral.taken-over"]);

    // The insurer has a duty of care; then the authority hears of it.
    story.desk(ZK23, raise(RaisedTo::Authority)).refused("ladder-skipped");
    let _ = story.desk(ZK23, raise(RaisedTo::Insurer)).records(&["referral.raised"]);
    story.desk(ZK23, give_up()).refused("ladder-not-finished");
    let _ = story.desk(ZK23, raise(RaisedTo::Authority)).records(&["referral.raised"]);

    // A person says that there is no place. That is kept: no timer, and no silence.
    let _ = story.desk(ZK23, give_up()).records(&["referral.expired-unplaced"]);
    let state = story.state();
    assert!(matches!(state.referrals[&referral(1)].end, Some(End::Unplaced(_))));
    story.desk(ZK23, ask(1, &[(5, BERK)])).refused("referral-ended");
}
