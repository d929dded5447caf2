//! A Wlz decision during the stay: from that day the stay is no ELV any more, and goes on until there is a place.

use domain::desk::Act;
use domain::{Fact, Urgency, WaitingFor};

use crate::support::*;

#[test]
fn a_wlz_decision_switches_the_funding_and_the_bed_is_waited_in_without_a_move() {
    // Given: somebody recovers in bed 1 of De Linde, and was to go home on Thursday.
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Urgent);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    let _ = story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "1", now)).records(&[
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
    ]);
    let admitted = Act::Admit {
        stay: stay(1),
        referral: Some(referral(1)),
        place: place(LINDE, "1"),
        funding: Some(domain::testing::label("zvw-elv")),
        triage: None,
        plan: Vec::new(),
    };
    let _ = story.location(LINDE, admitted).records(&["stay.admitted"]);
    let thursday = Some(parse("2026-03-05T10:00:00Z"));
    let plan = |expected_at| Act::PlanDischarge { stay: stay(1), expected_at };
    let _ = story.location(LINDE, plan(thursday)).records(&["stay.discharge-planned"]);

    // When: the decision comes on Wednesday.
    story.minutes_later(2 * 24 * 60);
    let decision = Act::SwitchFunding {
        stay: stay(1),
        funding: domain::testing::label("wlz"),
        waits_for: Some((WaitingFor::WlzPlace, story.now)),
    };
    let _ = story.location(LINDE, decision).records(&["stay.funding-switched", "stay.waiting-for"]);
    let _ = story.location(LINDE, plan(None)).records(&["stay.discharge-plan-withdrawn"]);

    // Then: the same bed, another payer, and the board counts it as waiting.
    let state = story.state();
    let waits = &state.stays[&stay(1)];
    assert_eq!(waits.funding, Some(domain::testing::label("wlz")));
    assert_eq!(waits.waiting, Some((WaitingFor::WlzPlace, story.now)));
    assert_eq!((waits.place.clone(), waits.expected_at), (place(LINDE, "1"), None));
    let waiting: u32 = state.board.rows_of(&parse(ZK23)).map(|row| row.waiting).sum();
    assert_eq!(waiting, 1);

    // A place in the same house ends the stay and the waiting.
    story.minutes_later(20 * 24 * 60);
    let gone = Act::Discharge {
        stay: stay(1),
        place: place(LINDE, "1"),
        destination: "wlz-same-house".into(),
        ready: true,
        care_hours_at_home: None,
    };
    let recorded = story.location(LINDE, gone).records(&["stay.discharged"]);
    assert!(matches!(&recorded[0].fact, Fact::StayDischarged { ready: true, .. }));
    assert_eq!(story.state().stays[&stay(1)].waiting, None);
}
