//! A crisis at 03:00 across two regions, with the duty handed over: the neighbour's desk sits in, finds nothing at home,
//! takes the referral to its own region and places it there.

use domain::Urgency;
use domain::desk::{Act, Actor, End, Rung};

use crate::support::*;

#[test]
fn a_crisis_at_three_in_the_night_is_placed_next_door_by_the_desk_that_has_the_duty() {
    // Given: it is 21:00, and the desk of zk23 goes home. The desk of zk24 has the duty until eight.
    let mut story =
        Story::at("2026-03-01T20:00:00Z").under(|rules| rules.ladder.insert(0, Rung::Desk(parse(ZK24))));
    let mandate = labels(&["referrals", "offers", "answers", "escalation"]);
    let until = parse("2026-03-02T07:00:00Z");
    let _ = story
        .desk(ZK23, Act::HandOverDuty { to: domain::testing::label(ZK24), until, mandate })
        .records(&["desk.duty-handed-over"]);
    let deputy = || Actor::Desk(parse(ZK24));

    // When: at 03:00 a GP post calls. It is a crisis, so nobody waits for the weighing.
    story.minutes_later(6 * 60);
    let _ = story.act(ZK23, deputy(), make(1, Urgency::Crisis)).records(&["referral.made"]);
    let _ = story.act(ZK23, deputy(), ask(1, &[(1, LINDE), (2, EIK)])).records(&["offer.sent", "offer.sent"]);

    // Nobody at De Linde looks. De Eik has no staff at night, and says so on the telephone.
    story.minutes_later(5);
    let declined = Act::DeclineOffer {
        offer: offer_ref(2, 1, EIK),
        code: "no-staff".into(),
        spoken_with: Some(domain::Role::Nurse),
    };
    let _ = story.act(ZK23, deputy(), declined).records(&["offer.declined"]);
    story.minutes_later(10);
    assert_eq!(story.keeper(ZK23), ["offer.lapsed"]);

    // Holding the duty is not holding everything: what was not handed over is refused.
    let winter = Act::SwitchRuleSet { rule_set: "crisis".into() };
    story.act(ZK23, deputy(), winter).refused("no-mandate");

    // Then: it asks itself by name, as the ladder says, takes over, and places the person at home.
    let escalate = Act::Escalate { referral: referral(1), to: parse(ZK24) };
    let _ = story.act(ZK23, deputy(), escalate).records(&["referral.escalated"]);
    let _ = story.desk(ZK24, Act::TakeOver { referral: referral(1) }).records(&["referral.taken-over"]);
    story.desk(ZK23, ask(1, &[(3, LINDE)])).refused("not-your-region");
    let _ = story.desk(ZK24, ask(1, &[(3, VLIET)])).records(&["offer.sent"]);
    let now = story.now;
    let _ = story.location(VLIET, yes(offer_ref(3, 1, VLIET), now)).records(&[
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
    ]);
    story.minutes_later(40);
    let _ = story.location(VLIET, admit(1, Some(1), place(VLIET, "1"))).records(&["stay.admitted"]);
    assert_eq!(story.state().referrals[&referral(1)].end, Some(End::Admitted(stay(1))));

    // And at eight the mandate is over.
    story.minutes_later(5 * 60);
    story.act(ZK23, deputy(), make(2, Urgency::Crisis)).refused("no-mandate");
}
