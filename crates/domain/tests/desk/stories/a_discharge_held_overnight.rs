//! A planned hospital discharge, held overnight: tomorrow at two the ambulance brings somebody, and the place is kept for
//! it until four. It comes late, and nobody loses the place unseen.

use domain::desk::{Act, due};
use domain::{Fact, PlanItem, PlanStep, Urgency};

use crate::support::*;

#[test]
fn a_hospital_discharge_tomorrow_at_two_is_kept_until_four_and_asks_a_person_then() {
    // Given: at 15:00 the ward asks for a place for tomorrow at 14:00.
    let mut story = Story::at("2026-03-02T14:00:00Z");
    let two = parse("2026-03-03T13:00:00Z");
    let mut planned = profile(1, Urgency::Planned);
    planned.wished_at = Some(two);
    let made = Act::MakeReferral { profile: planned, not_a_double: false };
    let _ = story.desk(ZK23, made).records(&["referral.made"]);
    let _ = story.desk(ZK23, weigh(1)).records(&["referral.triaged"]);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);

    // When: De Linde promises bed 2 from tomorrow morning, and the patient agrees.
    let morning = parse("2026-03-03T08:00:00Z");
    let _ = story
        .location(LINDE, yes_on(offer_ref(1, 1, LINDE), "2", morning))
        .records(&["offer.accepted", "hold.granted"]);
    let chosen = Act::ChooseOffer { offer: offer_ref(1, 1, LINDE), role: domain::Role::Nurse };
    let _ = story.desk(ZK23, chosen).records(&["offer.chosen", "hold.extended"]);

    // Then: the bed is kept over the night, until two hours after the wished moment.
    let four = parse("2026-03-03T15:00:00Z");
    assert_eq!(story.state().referrals[&referral(1)].holds[0].until, four);
    let arrival = Act::AgreeArrival {
        referral: referral(1),
        location: parse(LINDE),
        arrives_at: two,
        transport: Some(domain::testing::label("ambulance")),
    };
    let _ = story.desk(ZK23, arrival).records(&["arrival.agreed", "hold.extended"]);
    let falls_due = due(&story.state(), four);
    assert!(falls_due.iter().any(|due| due.at == four && matches!(due.act, Act::LapseHold { .. })));

    // At night nothing happens to it, whoever looks at the clock.
    story.minutes_later(12 * 60);
    assert!(!story.keeper(ZK23).iter().any(|kind| kind.starts_with("hold.")));

    // At four the ambulance is not there. The hold does not lapse: a person is asked, once.
    story.now = four;
    assert_eq!(story.keeper(ZK23).iter().filter(|kind| **kind == "hold.overdue").count(), 1);
    assert!(!story.keeper(ZK23).contains(&"hold.overdue"), "and not again");

    // It comes at half past four. The weighing is looked at again, and going home begins.
    story.minutes_later(30);
    let item = |item: PlanItem| PlanStep { item, state: "open".into(), due: None };
    let plan = vec![item(PlanItem::Network), item(PlanItem::HomeAdaptation)];
    let admitted = Act::Admit {
        stay: stay(1),
        referral: Some(referral(1)),
        place: place(LINDE, "2"),
        funding: None,
        triage: Some(care("ELV_LC")),
        plan,
    };
    let _ =
        story.location(LINDE, admitted).records(&["stay.admitted", "stay.triage-reviewed", "stay.plan-set"]);
    let state = story.state();
    assert_eq!(state.stays[&stay(1)].reviewed, Some(care("ELV_LC")), "the difference is kept");

    // Weeks later somebody goes home. The bed is vacated, not free; it is freed when it is ready.
    story.minutes_later(24 * 60 * 20);
    let gone = Act::Discharge {
        stay: stay(1),
        place: place(LINDE, "2"),
        destination: "home-with-care".into(),
        ready: false,
        care_hours_at_home: Some(6),
    };
    let _ = story.location(LINDE, gone).records(&["stay.discharged"]);
    let offerable = |story: &Story| story.state().board.bed_for(&location(LINDE), &care(HC), referral(9));
    assert_eq!(offerable(&story), Some(parse("1")));
    let bed = domain::BedRef { location: parse(LINDE), bed: parse("2") };
    let _ = story.location(LINDE, report(Fact::BedFreed(bed))).records(&["bed.freed"]);
}
