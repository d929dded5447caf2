//! A nurse frees the wrong bed and undoes it: in the meantime it could be had, afterwards it can not.

use domain::desk::Act;
use domain::{BedRef, Fact, Urgency};

use crate::support::*;

#[test]
fn a_nurse_who_freed_the_wrong_bed_undoes_it_and_the_bed_is_nobody_elses() {
    // Given: somebody is in bed 1 of De Linde, and bed 2 is being cleaned.
    let mut story = Story::at("2026-03-02T09:00:00Z");
    let bed = |name: &str| BedRef { location: parse(LINDE), bed: parse(name) };
    let _ = story.location(LINDE, admit(1, None, place(LINDE, "1"))).records(&["stay.admitted"]);
    let _ = story.location(LINDE, report(Fact::BedVacated(bed("2")))).records(&["bed.vacated"]);
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);

    // When: bed 2 is clean, and the nurse says bed 1.
    let freed = story.location(LINDE, report(Fact::BedFreed(bed("1")))).records(&["bed.freed"]);
    assert_eq!(
        story.state().board.contradictions(),
        1,
        "freed with somebody in it: recorded, and it does not fit"
    );

    // She sees it and undoes it. Somebody else's word cannot be undone, and hers only once.
    let undo = || Act::CorrectBed { bed: bed("1"), corrects: freed[0].id };
    story.desk(ZK23, undo()).refused("nothing-to-correct");
    let _ = story.location(LINDE, undo()).records(&["bed.corrected"]);
    story.location(LINDE, undo()).refused("nothing-to-correct");

    // Then: bed 1 has its stay again and nobody can be promised it; bed 2 can, once she says so.
    let now = story.now;
    let promise = |name: &str| yes_on(offer_ref(1, 1, LINDE), name, now);
    let why = story.location(LINDE, promise("1")).refused("bed-taken");
    assert_eq!(why.nl(), "Dit bed van zk23-linde is al bezet of gereserveerd.");
    let _ = story.location(LINDE, report(Fact::BedFreed(bed("2")))).records(&["bed.freed"]);
    let _ = story.location(LINDE, promise("2")).records(&["offer.accepted", "offer.chosen", "hold.granted"]);
}
