//! A promise without the doctor: the planner said yes, the admitting doctor has not agreed.

use domain::desk::{Act, ContradictionKind, Owner};
use domain::{Fact, Role, Urgency};

use crate::support::*;

fn promised() -> Story {
    let mut story = Story::at("2026-03-02T09:00:00Z").under(|rules| rules.normal.doctor_first = true);
    referred(&mut story, 1, Urgency::Urgent);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    let _ = story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "1", now)).records(&[
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
    ]);
    story
}

fn agreement(role: Role) -> Act {
    Act::AgreeMedically { offer: offer_ref(1, 1, LINDE), role }
}

#[test]
fn where_the_region_asks_it_nobody_is_admitted_before_the_doctor_agrees() {
    // Given: a place is promised and kept.
    let mut story = promised();

    // When: the desk writes the admission down. Then: not without the doctor, and a nurse is none.
    let _ = story.desk(ZK23, admit(1, Some(1), place(LINDE, "1"))).refused("agreement-missing");
    story.location(LINDE, agreement(Role::Nurse)).refused("not-a-doctor");
    let _ = story.location(LINDE, agreement(Role::Doctor)).records(&["offer.medically-agreed"]);
    let _ = story.location(LINDE, agreement(Role::Doctor)).records(&[]);
    let _ = story.desk(ZK23, admit(1, Some(1), place(LINDE, "1"))).records(&["stay.admitted"]);
    assert_eq!(story.state().contradictions().count(), 0);
}

#[test]
fn a_location_that_admits_without_its_doctor_is_believed_and_has_a_contradiction_to_solve() {
    // Given: a place is promised and kept. When: the location's own system says that somebody came in.
    let mut story = promised();
    let came = Fact::StayAdmitted {
        stay: stay(1),
        place: place(LINDE, "1"),
        referral: Some(referral(1)),
        funding: None,
    };
    let _ = story.location(LINDE, report(came)).records(&["stay.admitted"]);

    // Then: it is so, and it does not fit; the location has to solve that.
    let state = story.state();
    let open: Vec<_> = state.contradictions().map(|(_, open)| open).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].kind, ContradictionKind::AdmittedWithoutAgreement);
    assert_eq!(open[0].owner, Owner::Location(parse(LINDE)));

    // The doctor's word, late, solves it.
    let late = Fact::OfferMedicallyAgreed { offer: offer_ref(1, 1, LINDE), by: Role::Doctor };
    story.says(LINDE, late);
    assert_eq!(story.state().contradictions().count(), 0);
}
