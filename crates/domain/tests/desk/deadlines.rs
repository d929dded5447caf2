//! What falls due, restarted as often as one likes: done once, with the same id, in order.

use domain::desk::{Act, about_to_lapse, decide, due, next_due};
use domain::{Role, Urgency};

use crate::support::*;

#[test]
fn after_downtime_what_fell_due_is_handled_in_order_and_once() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    for (number, urgency) in [(1, Urgency::Urgent), (2, Urgency::Crisis), (3, Urgency::Crisis)] {
        referred(&mut story, number, urgency);
    }
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK)])).records(&["offer.sent"; 2]);
    let _ = story.desk(ZK23, ask(2, &[(3, BERK)])).records(&["offer.sent"]);
    let _ = story.desk(ZK23, ask(3, &[(4, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    let _ = story.location(LINDE, yes(offer_ref(4, 3, LINDE), now)).records(&[
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
    ]);
    assert_eq!(next_due(&story.state()), Some(story.in_minutes(15)), "the crisis first");

    // Nobody looked for three hours.
    story.minutes_later(180);
    let state = story.state();
    let all = due(&state, story.now);
    assert!(all.is_sorted_by_key(|due| due.at));
    let kinds = story.keeper(ZK23);
    assert_eq!(kinds, ["offer.lapsed", "offer.lapsed", "offer.lapsed", "hold.lapsed", "offer.lapsed"]);
    assert_eq!(story.keeper(ZK23), [""; 0], "a second look finds nothing");

    // A keeper that was restarted in between says the same with the same ids: the log takes them once.
    let again = due(&state, story.now);
    assert_eq!(all, again);
    let state = story.state();
    for due in again {
        let command = due.command(parse("urn:keeper"), story.now);
        assert!(decide(&state, &command).is_err(), "{:?}", command.act);
    }
}

#[test]
fn a_silent_location_is_asked_once_until_it_says_something() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    story.minutes_later(23 * 60);
    assert_eq!(story.keeper(ZK23), [""; 0]);
    story.minutes_later(60);
    assert_eq!(story.keeper(ZK23), ["desk.confirmation-asked"; 3]);
    story.minutes_later(24 * 60);
    assert_eq!(story.keeper(ZK23), [""; 0], "asked is asked");
    story.says(LINDE, domain::Fact::LocationConfirmed { location: parse(LINDE) });
    story.minutes_later(24 * 60);
    assert_eq!(story.keeper(ZK23), ["desk.confirmation-asked"]);
}

#[test]
fn a_lively_location_is_asked_at_twice_its_own_pace() {
    let mut story = Story::at("2026-03-02T00:00:00Z");
    // A word every three hours for a week.
    for _ in 0..56 {
        story.minutes_later(180);
        story.says(LINDE, domain::Fact::LocationConfirmed { location: parse(LINDE) });
    }
    let asked = |story: &Story| {
        due(&story.state(), story.now)
            .iter()
            .any(|due| due.act == Act::AskConfirmation { location: parse(LINDE) })
    };
    story.minutes_later(5 * 60 + 50);
    assert!(!asked(&story));
    story.minutes_later(10);
    assert!(asked(&story));
}

#[test]
fn of_a_hold_that_runs_out_people_are_warned_half_an_hour_before() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    let promised = ["offer.accepted", "offer.chosen", "hold.granted"];
    let _ = story.location(LINDE, yes(offer_ref(1, 1, LINDE), now)).records(&promised);
    let warned = |story: &Story| about_to_lapse(&story.state(), &parse(ZK23), story.now).count();
    story.minutes_later(89);
    assert_eq!(warned(&story), 0);
    story.minutes_later(1);
    assert_eq!(warned(&story), 1);
    let until = story.in_minutes(120);
    let longer = Act::ExtendHold { referral: referral(1), location: parse(LINDE), until };
    let _ = story.desk(ZK23, longer).records(&["hold.extended"]);
    assert_eq!(warned(&story), 0);
}

#[test]
fn a_promise_whose_hold_ran_out_cannot_be_chosen() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    referred(&mut story, 1, Urgency::Planned);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let now = story.now;
    let _ =
        story.location(LINDE, yes(offer_ref(1, 1, LINDE), now)).records(&["offer.accepted", "hold.granted"]);
    story.minutes_later(120);
    assert_eq!(story.keeper(ZK23), ["hold.lapsed", "offer.lapsed"]);
    let choose = Act::ChooseOffer { offer: offer_ref(1, 1, LINDE), role: Role::Nurse };
    story.desk(ZK23, choose).refused("hold-lapsed");
}
