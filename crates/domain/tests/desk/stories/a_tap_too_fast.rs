//! A nurse taps too fast: a promise that was not meant, and an admission of somebody who has not come.

use domain::Urgency;
use domain::desk::Act;
use domain::queries::{WorkKind, worklist};

use crate::support::*;

#[test]
fn a_promise_that_is_taken_back_frees_its_bed_and_the_desk_looks_on() {
    // Given: two are asked, and the first yes wins.
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK)])).records(&["offer.sent"; 2]);
    let now = story.now;
    let back = || take_back(offer_ref(1, 1, LINDE), "not-free-after-all");
    story.location(LINDE, back()).refused("not-accepted");
    let _ = story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "1", now)).records(&[
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
        "offer.revoked",
    ]);

    // When: it was another house's place to give, not this nurse's; a desk that heard it says from whom.
    story.location(EIK, back()).refused("not-your-bed");
    story.desk(ZK23, back()).refused("spoken-with-missing");
    let _ = story.location(LINDE, back()).records(&["offer.declined", "hold.released"]);

    // Then: nobody is chosen, the bed is free, the desk has to find a place, and nothing is left to take back.
    let state = story.state();
    assert!(state.referrals[&referral(1)].winner().is_none());
    assert!(state.referrals[&referral(1)].holds.is_empty());
    let work = worklist(&state, &parse(ZK23), story.now);
    let find = work.items.iter().find(|item| item.kind == WorkKind::FindPlace).unwrap();
    assert_eq!(find.about.as_ref().map(domain::Label::as_str), Some("taken-back"));
    assert_eq!(find.location, Some(parse(LINDE)), "the house that took it back is rung");
    story.location(LINDE, back()).refused("not-accepted");
    let _ = story.desk(ZK23, ask(1, &[(3, EIK)])).records(&["offer.sent"]);
    let now = story.now;
    let _ = story.location(EIK, yes(offer_ref(3, 1, EIK), now)).records(&[
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
    ]);
}

#[test]
fn who_was_admitted_by_mistake_still_has_the_place_that_was_promised() {
    // Given: a place is promised, the arrival agreed.
    let mut story = Story::at("2026-03-02T09:00:00Z");
    promised(&mut story);
    let agree = Act::AgreeMedically { offer: offer_ref(1, 1, LINDE), role: domain::Role::Doctor };
    let _ = story.location(LINDE, agree).records(&["offer.medically-agreed"]);

    // When: "opgenomen" is tapped before anybody came, and taken back.
    let came = || admit(1, Some(1), place(LINDE, "1"));
    let _ = story.location(LINDE, came()).records(&["stay.admitted"]);
    let back = Act::CancelAdmission { stay: stay(1) };
    let _ = story.location(LINDE, back).records(&["stay.admission-cancelled", "hold.granted"]);

    // Then: the bed is kept for them, and for nobody else; they come after all.
    let state = story.state();
    let open = &state.referrals[&referral(1)];
    assert!(open.end.is_none());
    assert_eq!(open.hold_at(&location(LINDE)).map(|hold| &hold.place), Some(&place(LINDE, "1")));
    story.location(LINDE, admit(2, None, place(LINDE, "1"))).refused("bed-taken");
    let _ = story.location(LINDE, admit(3, Some(1), place(LINDE, "1"))).records(&["stay.admitted"]);
}

#[test]
fn who_is_expected_and_has_no_place_any_more_is_on_the_desks_list() {
    // Given: somebody was admitted as agreed, and the bed was said to be empty at once.
    let mut story = Story::at("2026-03-02T09:00:00Z");
    promised(&mut story);
    let agree = Act::AgreeArrival {
        referral: referral(1),
        location: parse(LINDE),
        arrives_at: story.now.saturating_add_micros(3_600_000_000),
        transport: None,
    };
    let _ = story.location(LINDE, agree).records(&["arrival.agreed", "hold.extended"]);
    let agree = Act::AgreeMedically { offer: offer_ref(1, 1, LINDE), role: domain::Role::Doctor };
    let _ = story.location(LINDE, agree).records(&["offer.medically-agreed"]);
    let _ = story.location(LINDE, admit(1, Some(1), place(LINDE, "1"))).records(&["stay.admitted"]);
    let bed = domain::BedRef { location: parse(LINDE), bed: parse("1") };
    let _ = story.location(LINDE, report(domain::Fact::BedVacated(bed))).records(&["bed.vacated"]);

    // When: that admission was not so.
    let back = Act::CancelAdmission { stay: stay(1) };
    let _ = story.location(LINDE, back).records(&["stay.admission-cancelled"]);

    // Then: nothing is kept, and somebody has to ask what happened.
    let state = story.state();
    assert!(state.referrals[&referral(1)].holds.is_empty());
    let work = worklist(&state, &parse(ZK23), story.now);
    assert!(work.items.iter().any(|item| item.kind == WorkKind::HoldOverdue), "{work:?}");
}

#[test]
fn a_place_is_kept_again_until_the_arrival_that_was_agreed_and_for_nothing_that_was_not_promised() {
    let at = |story: &Story| story.now.saturating_add_micros(3 * 3_600_000_000);
    let coming = |story: &mut Story| {
        promised(story);
        let arrives_at = at(story);
        let transport = Some(domain::testing::label("taxi"));
        let agree =
            Act::AgreeArrival { referral: referral(1), location: parse(LINDE), arrives_at, transport };
        let _ = story.location(LINDE, agree).records(&["arrival.agreed", "hold.extended"]);
        let agree = Act::AgreeMedically { offer: offer_ref(1, 1, LINDE), role: domain::Role::Doctor };
        let _ = story.location(LINDE, agree).records(&["offer.medically-agreed"]);
    };
    let until = |story: &Story| {
        story.state().referrals[&referral(1)].hold_at(&location(LINDE)).map(|hold| hold.until)
    };
    let mut story = Story::at("2026-03-02T09:00:00Z");
    coming(&mut story);
    let before = until(&story);
    assert!(before.is_some_and(|until| until > at(&story)));
    let arrival = story.state().referrals[&referral(1)].arrival.clone().unwrap();
    assert_eq!(arrival.transport.as_ref().map(domain::Label::as_str), Some("taxi"));
    let _ = story.location(LINDE, admit(1, Some(1), place(LINDE, "1"))).records(&["stay.admitted"]);
    story.minutes_later(5);
    let back = || Act::CancelAdmission { stay: stay(1) };
    let _ = story.location(LINDE, back()).records(&["stay.admission-cancelled", "hold.granted"]);
    assert_eq!(until(&story), before, "not shorter, and not longer each time");

    // Admitted for another kind of care than was promised: nothing is kept of that.
    let mut story = Story::at("2026-03-02T09:00:00Z");
    coming(&mut story);
    let other = domain::Place { care_type: "ELV_LC".into(), ..place(LINDE, "1") };
    let _ = story.location(LINDE, admit(1, Some(1), other)).records(&["stay.admitted"]);
    let _ = story.location(LINDE, back()).records(&["stay.admission-cancelled"]);
    assert_eq!(until(&story), None);
}
