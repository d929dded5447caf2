//! Two accept and the family chooses: the choice, its hold and the end of the other are one batch.

use domain::desk::Act;
use domain::{Fact, Role, Urgency};

use crate::support::*;

#[test]
fn of_two_that_promised_a_place_the_family_chooses_one_and_the_other_is_free_again() {
    // Given: three locations are asked, and two say yes. Each keeps its place while the family thinks.
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Planned);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK), (3, BERK)])).records(&["offer.sent"; 3]);
    let now = story.now;
    for (number, from) in [(1, LINDE), (2, EIK)] {
        let answer = yes(offer_ref(number, 1, from), now);
        let _ = story.location(from, answer).records(&["offer.accepted", "hold.granted"]);
    }
    assert_eq!(story.state().referrals[&referral(1)].holds.len(), 2);

    // When: they want De Eik, near the daughter.
    story.minutes_later(50);
    let wanted = || Act::ChooseOffer { offer: offer_ref(2, 1, EIK), role: Role::Nurse };
    let recorded = story.desk(ZK23, wanted()).records(&[
        "offer.chosen",
        "hold.extended",
        "offer.revoked",
        "offer.revoked",
        "hold.released",
    ]);

    // Then: De Linde and De Berk learn it, nothing is kept at De Linde, and De Berk cannot say yes any more.
    assert!(recorded.iter().any(|event| matches!(&event.fact,
        Fact::HoldReleased { place, .. } if place.location == location(LINDE))));
    let state = story.state();
    let chosen = &state.referrals[&referral(1)];
    assert_eq!(chosen.winner().unwrap().location, location(EIK));
    assert_eq!(chosen.holds.len(), 1);
    let late = yes(offer_ref(3, 1, BERK), now);
    let why = story.location(BERK, late).refused("placed-elsewhere");
    assert_eq!(why.nl(), "De aanmelding is al elders geplaatst.");
    assert_eq!(why.en(), "The referral is already placed elsewhere.");
    story.desk(ZK23, wanted()).refused("already-placed");

    // De Linde's bed goes to the next.
    referred(&mut story, 2, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(2, &[(4, LINDE)])).records(&["offer.sent"]);
    let _ = story.location(LINDE, yes_on(offer_ref(4, 2, LINDE), "1", now)).records(&[
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
    ]);
}
