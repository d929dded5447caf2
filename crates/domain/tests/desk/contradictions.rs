//! Facts are never refused for contradicting what we believed: they are recorded, somebody owns what does not fit, and a
//! later fact or decision solves it.

use domain::desk::{Act, Actor, Command, ContradictionKind, End, Owner};
use domain::{BedRef, Fact, Place, Role, Urgency};

use crate::support::*;

fn came(number: u64, of: u64, place: Place) -> Fact {
    Fact::StayAdmitted { stay: stay(number), place, referral: Some(referral(of)), funding: None }
}

fn kinds(story: &Story) -> Vec<ContradictionKind> {
    story.state().contradictions().map(|(_, open)| open.kind).collect()
}

#[test]
fn whoever_comes_in_elsewhere_than_was_chosen_is_in_and_the_desk_owns_what_does_not_fit() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    let promised = ["offer.accepted", "offer.chosen", "hold.granted"];
    let _ = story.location(LINDE, yes(offer_ref(1, 1, LINDE), now)).records(&promised);

    let _ = story.location(EIK, report(came(1, 1, place(EIK, "1")))).records(&["stay.admitted"]);
    let state = story.state();
    assert_eq!(state.referrals[&referral(1)].end, Some(End::Admitted(stay(1))));
    let open: Vec<_> = state.contradictions().map(|(_, open)| open).collect();
    assert_eq!(
        (open[0].kind, &open[0].owner),
        (ContradictionKind::AdmittedElsewhere, &Owner::Desk(parse(ZK23)))
    );
    assert!(
        state.board.bed_for(&parse(LINDE), &care(HC), referral(9)).is_some(),
        "the hold at De Linde is over"
    );

    // It was a mistake, and the referral is open again as it was.
    let _ =
        story.location(EIK, Act::CancelAdmission { stay: stay(1) }).records(&["stay.admission-cancelled"]);
    assert_eq!((kinds(&story), story.state().referrals[&referral(1)].end.clone()), (vec![], None));
}

#[test]
fn whoever_comes_in_after_the_end_is_in_and_the_referral_has_one_end() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Crisis);
    let withdraw = Act::WithdrawReferral { referral: referral(1), reason: "found-elsewhere".into() };
    let _ = story.desk(ZK23, withdraw).records(&["referral.withdrawn"]);
    story.says(LINDE, came(1, 1, place(LINDE, "1")));
    assert_eq!(kinds(&story), [ContradictionKind::AdmittedAfterEnd]);
    assert_eq!(story.state().referrals[&referral(1)].end, Some(End::Admitted(stay(1))));
}

#[test]
fn a_yes_over_the_bus_that_comes_after_the_choice_is_recorded_and_wins_nothing() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK)])).records(&["offer.sent"; 2]);
    let now = story.now;
    let promised = ["offer.accepted", "offer.chosen", "hold.granted", "offer.revoked"];
    let _ = story.location(LINDE, yes(offer_ref(1, 1, LINDE), now)).records(&promised);
    let late = Fact::OfferAccepted {
        offer: offer_ref(2, 1, EIK),
        bed: None,
        care_type: care(HC),
        from: now,
        by: Role::Nurse,
        spoken_with: None,
    };
    story.says(EIK, late);
    assert_eq!(kinds(&story), [ContradictionKind::PromisedTooLate]);
    let state = story.state();
    assert_eq!(state.referrals[&referral(1)].winner().unwrap().location, location(LINDE));

    // The desk tells them; that solves it.
    let revoke = Act::RevokeOffer { offer: offer_ref(2, 1, EIK) };
    let _ = story.desk(ZK23, revoke).records(&["offer.revoked"]);
    assert_eq!(kinds(&story), []);
}

#[test]
fn an_admission_that_is_told_after_a_newer_word_about_the_bed_keeps_nothing_for_nobody() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    let promised = ["offer.accepted", "offer.chosen", "hold.granted"];
    let _ = story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "1", now)).records(&promised);

    // She comes at ten past nine; at half past the nurse says of that bed that it is ready; then she is admitted.
    let freed = Fact::BedFreed(BedRef { location: parse(LINDE), bed: parse("1") });
    let _ = story.minutes_later(30).location(LINDE, report(freed)).records(&["bed.freed"]);
    let came_at = story.in_minutes(-20);
    let act = admit(1, Some(1), place(LINDE, "1"));
    let late = story.command(ZK23, Actor::Location(parse(LINDE)), act);
    let late = Command { occurred_at: Some(came_at), ..late };
    let _ = story.submit(&late).records(&["hold.released", "stay.admitted"]);
    let state = story.state();
    assert_eq!(state.referrals[&referral(1)].end, Some(End::Admitted(stay(1))));
    assert!(!state.board.is_held_for(referral(1)), "the board would keep the bed for ever");
}
