//! An answer by telephone, contested: the desk wrote down a yes; the location says it never gave it.

use domain::Urgency;
use domain::desk::{Act, ContradictionKind, Owner};

use crate::support::*;

#[test]
fn a_yes_by_telephone_that_the_location_contests_is_the_desks_to_solve_and_the_location_answers_anew() {
    // Given: nobody looked, so the desk calls and writes down a yes, with whom it spoke.
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Urgent);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    story.desk(ZK23, yes(offer_ref(1, 1, LINDE), now)).refused("spoken-with-missing");
    let _ = story.desk(ZK23, yes_by_telephone(offer_ref(1, 1, LINDE), now)).records(&[
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
    ]);

    // When: the location sees it an hour later, and nobody there said that.
    story.minutes_later(60);
    let contest = || Act::ContestAnswer { offer: offer_ref(1, 1, LINDE), role: domain::Role::Nurse };
    story.desk(ZK23, contest()).refused("not-your-role");
    let _ = story.location(LINDE, contest()).records(&["offer.contested"]);

    // Then: nothing is undone by itself. The desk has a contradiction, of an hour's age by and by.
    let state = story.state();
    let open: Vec<_> = state.contradictions().map(|(_, open)| open).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].kind, &open[0].owner),
        (ContradictionKind::AnswerContested, &Owner::Desk(parse(ZK23)))
    );
    assert_eq!(open[0].since, story.now);
    assert!(state.referrals[&referral(1)].winner().is_some());
    story.location(LINDE, contest()).refused("nothing-to-contest");

    // The location's own word solves it: no, it cannot give that care. The bed is free again, and the desk asks on.
    let answer = no(offer_ref(1, 1, LINDE), "cannot-provide-care");
    let _ = story.location(LINDE, answer).records(&["offer.declined", "hold.released"]);
    let state = story.state();
    assert_eq!(state.contradictions().count(), 0);
    assert!(state.referrals[&referral(1)].winner().is_none());
    let _ = story.desk(ZK23, ask(1, &[(2, EIK)])).records(&["offer.sent"]);
}
