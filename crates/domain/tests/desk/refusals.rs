//! Every refusal has a situation that gives it, a code, and a sentence in Dutch and in English.
//!
//! `every_code_is_shown_here` keeps the list complete.

use std::collections::BTreeSet;

use domain::desk::{Act, Actor, Asked, Refusal, Rung};
use domain::matching::{Wanted, matching};
use domain::testing::label;
use domain::{
    AdmissionWindow, BedRef, CareType, Fact, LocationId, Matched, Period, RaisedTo, ReportedCount, Role,
    StopReason, Timestamp, Urgency,
};

use crate::support::*;

/// What a situation gives.
type Case = (&'static str, fn() -> Then);

const CASES: &[Case] = &[
    ("not-your-region", || {
        let mut story = offered();
        story.desk(ZK24, ask(1, &[(9, VLIET)]))
    }),
    ("not-your-bed", || {
        let mut story = offered();
        let now = story.now;
        story.location(EIK, yes(offer_ref(1, 1, LINDE), now))
    }),
    ("not-your-referral", || {
        let mut story = offered();
        let reason = "recovered".into();
        story.act(ZK23, Actor::Referrer, Act::WithdrawReferral { referral: referral(1), reason })
    }),
    ("not-your-role", || {
        let mut story = offered();
        story.act(ZK23, Actor::Keeper, ask(1, &[(9, EIK)]))
    }),
    ("no-mandate", || {
        let mut story = offered();
        story.act(ZK23, Actor::Centre(label("zcc")), ask(1, &[(9, EIK)]))
    }),
    ("unknown-referral", || day().desk(ZK23, ask(7, &[(9, EIK)]))),
    ("referral-known", || {
        let mut story = offered();
        story.desk(ZK23, make(1, Urgency::Crisis))
    }),
    ("likely-double", || {
        let mut story = offered();
        let mut same = profile(1, Urgency::Crisis);
        same.referral = referral(2);
        story.desk(ZK23, Act::MakeReferral { profile: same, not_a_double: false })
    }),
    ("referral-ended", || {
        let mut story = offered();
        let withdraw = || Act::WithdrawReferral { referral: referral(1), reason: "recovered".into() };
        let _ = story.desk(ZK23, withdraw()).records(&["offer.revoked", "referral.withdrawn"]);
        story.desk(ZK23, withdraw())
    }),
    ("already-placed", || {
        let mut story = placed();
        story.desk(ZK23, ask(1, &[(9, EIK)]))
    }),
    ("placed-elsewhere", || {
        let mut story = day();
        referred(&mut story, 1, Urgency::Crisis);
        let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK)])).records(&["offer.sent"; 2]);
        let now = story.now;
        let _ = story.location(LINDE, yes(offer_ref(1, 1, LINDE), now));
        story.location(EIK, yes(offer_ref(2, 1, EIK), now))
    }),
    ("not-placed", || offered().desk(ZK23, admit(1, Some(1), place(EIK, "1")))),
    ("consent-missing", || {
        let mut story = day();
        let mut silent = profile(1, Urgency::Urgent);
        silent.consent = false;
        let _ = story
            .desk(ZK23, Act::MakeReferral { profile: silent, not_a_double: false })
            .records(&["referral.made"]);
        story.desk(ZK23, ask(1, &[(1, LINDE)]))
    }),
    ("not-triaged", || {
        let mut story = day();
        let _ = story.desk(ZK23, make(1, Urgency::Urgent)).records(&["referral.made"]);
        story.desk(ZK23, ask(1, &[(1, LINDE)]))
    }),
    ("unknown-instrument", || {
        weighed(|act| {
            if let Act::Triage { instrument, .. } = act {
                *instrument = label("afweging-0");
            }
        })
    }),
    ("unanswered", || {
        weighed(|act| {
            if let Act::Triage { answers, .. } = act {
                answers.pop();
            }
        })
    }),
    ("unknown-question", || {
        weighed(|act| {
            if let Act::Triage { answers, .. } = act {
                "shoe-size".clone_into(&mut answers[0].question);
            }
        })
    }),
    ("answers-not-kept", || {
        weighed(|act| {
            if let Act::Triage { sealed, .. } = act {
                *sealed = None;
            }
        })
    }),
    ("reason-missing", || {
        weighed(|act| {
            if let Act::Triage { set_aside, .. } = act {
                *set_aside = Some(CareType::Grz);
            }
        })
    }),
    ("unknown-location", || offered().desk(ZK23, ask(1, &[(9, "zk23-nergens")]))),
    ("care-type-not-given", || {
        let asked = Asked { care_type: CareType::Grz, ..asked(9, EIK) };
        offered().desk(
            ZK23,
            Act::SendOffers { referral: referral(1), to: vec![asked], answer_by: None, receipt: None },
        )
    }),
    ("admissions-stopped", || {
        let mut story = offered();
        let location: LocationId = parse(LINDE);
        story.says(
            LINDE,
            Fact::AdmissionsStopped { location, ward: None, reason: StopReason::Infection, review_at: None },
        );
        let now = story.now;
        story.location(LINDE, yes(offer_ref(1, 1, LINDE), now))
    }),
    ("outside-window", || {
        let mut story = offered();
        let (from, to) = (label("09:00"), label("17:00"));
        let windows = vec![AdmissionWindow { days: labels(&["mo", "tu"]), from, to, care_types: Vec::new() }];
        story.says(LINDE, Fact::WindowsSet { location: parse(LINDE), windows });
        let evening = story.in_minutes(8 * 60);
        story.location(LINDE, yes(offer_ref(1, 1, LINDE), evening))
    }),
    ("intake-limit-reached", || {
        let mut story = offered();
        let location: LocationId = parse(LINDE);
        story.says(LINDE, Fact::IntakeLimitSet { location, care_type: None, period: Period::Day, max: 1 });
        let _ = story.location(LINDE, admit(1, None, place(LINDE, "1"))).records(&["stay.admitted"]);
        let now = story.now;
        story.location(LINDE, yes(offer_ref(1, 1, LINDE), now))
    }),
    ("unknown-bed", || {
        let mut story = offered();
        let now = story.now;
        story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "9", now))
    }),
    ("location-known", || {
        let mut story = day();
        let profile = story.state().board.profile(&parse(LINDE)).unwrap().clone();
        story.desk(ZK23, report(Fact::LocationRegistered(profile)))
    }),
    ("bed-taken", || {
        let mut story = offered();
        let _ = story.location(LINDE, admit(1, None, place(LINDE, "1"))).records(&["stay.admitted"]);
        let now = story.now;
        story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "1", now))
    }),
    ("bed-closed", || {
        let mut story = offered();
        let bed = BedRef { location: parse(LINDE), bed: parse("1") };
        story.says(LINDE, Fact::BedClosed { bed, reason: "maintenance".into(), review_at: None });
        let now = story.now;
        story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "1", now))
    }),
    ("no-bed-free", || {
        let mut story = offered();
        for (number, bed) in [(1, "1"), (2, "2")] {
            let _ = story.location(LINDE, admit(number, None, place(LINDE, bed))).records(&["stay.admitted"]);
        }
        let now = story.now;
        story.location(LINDE, yes(offer_ref(1, 1, LINDE), now))
    }),
    ("unknown-offer", || {
        let mut story = offered();
        let now = story.now;
        story.location(EIK, yes(offer_ref(1, 1, EIK), now))
    }),
    ("offer-known", || offered().desk(ZK23, ask(1, &[(1, EIK)]))),
    ("receipt-of-another", || {
        let mut story = offered();
        let wanted = Wanted::of(&story.state(), referral(1), story.now).unwrap();
        let list = Matched { referral: referral(2), ..matching(&story.state(), &wanted) };
        let (to, receipt) = (vec![asked(9, EIK)], Some(list));
        story.desk(ZK23, Act::SendOffers { referral: referral(1), to, answer_by: None, receipt })
    }),
    ("asked-already", || offered().desk(ZK23, ask(1, &[(9, LINDE)]))),
    ("answered-already", || {
        let mut story = offered();
        let _ = story.location(LINDE, no(offer_ref(1, 1, LINDE), "no-staff")).records(&["offer.declined"]);
        let now = story.now;
        story.location(LINDE, yes(offer_ref(1, 1, LINDE), now))
    }),
    ("offer-revoked", || {
        let mut story = offered();
        let _ =
            story.desk(ZK23, Act::RevokeOffer { offer: offer_ref(1, 1, LINDE) }).records(&["offer.revoked"]);
        let now = story.now;
        story.location(LINDE, yes(offer_ref(1, 1, LINDE), now))
    }),
    ("too-late", || {
        let mut story = offered();
        let now = story.minutes_later(61).now;
        story.location(LINDE, yes(offer_ref(1, 1, LINDE), now))
    }),
    ("spoken-with-missing", || {
        let mut story = offered();
        story.desk(ZK23, no(offer_ref(1, 1, LINDE), "no-staff"))
    }),
    ("spoken-with-self", || {
        let mut story = offered();
        let now = story.now;
        story.location(LINDE, yes_by_telephone(offer_ref(1, 1, LINDE), now))
    }),
    ("nothing-to-contest", || {
        placed().location(LINDE, Act::ContestAnswer { offer: offer_ref(1, 1, LINDE), role: Role::Nurse })
    }),
    ("not-accepted", || {
        offered().desk(ZK23, Act::ChooseOffer { offer: offer_ref(1, 1, LINDE), role: Role::Nurse })
    }),
    ("not-a-doctor", || {
        placed().location(LINDE, Act::AgreeMedically { offer: offer_ref(1, 1, LINDE), role: Role::Planner })
    }),
    ("agreement-missing", || {
        let mut story = placed().under(|rules| rules.normal.doctor_first = true);
        story.location(LINDE, admit(1, Some(1), place(LINDE, "1")))
    }),
    ("outside-rule-set", || {
        let mut story = placed();
        let until = story.in_minutes(8 * 24 * 60);
        story.desk(ZK23, Act::ExtendHold { referral: referral(1), location: parse(LINDE), until })
    }),
    ("hold-lapsed", || {
        let mut story = placed();
        story.minutes_later(121);
        assert_eq!(story.keeper(ZK23), ["hold.lapsed", "offer.lapsed"]);
        story.location(LINDE, admit(1, Some(1), place(LINDE, "1")))
    }),
    ("no-hold", || {
        let mut story = offered();
        story.desk(ZK23, Act::ReleaseHold { referral: referral(1), location: parse(LINDE) })
    }),
    ("not-due", || offered().act(ZK23, Actor::Keeper, Act::LapseOffer { offer: offer_ref(1, 1, LINDE) })),
    ("not-in-future", || {
        let mut story = placed();
        let arrives_at = story.now;
        let (referral, location) = (referral(1), parse(LINDE));
        story.desk(ZK23, Act::AgreeArrival { referral, location, arrives_at, transport: None })
    }),
    ("unknown-stay", || day().location(LINDE, Act::CancelAdmission { stay: stay(1) })),
    ("stay-known", || staying().location(LINDE, admit(1, None, place(LINDE, "2")))),
    ("stay-closed", || gone().location(LINDE, Act::PlanDischarge { stay: stay(1), expected_at: None })),
    ("stay-open", || staying().location(LINDE, Act::CancelDischarge { stay: stay(1) })),
    ("stay-elsewhere", || staying().location(LINDE, discharge("2"))),
    ("cancelled-too-late", || {
        let mut story = gone();
        story.minutes_later(31 * 24 * 60);
        story.location(LINDE, Act::CancelDischarge { stay: stay(1) })
    }),
    ("nothing-to-correct", || {
        let mut story = day();
        let bed = BedRef { location: parse(LINDE), bed: parse("1") };
        let corrects = story.log[0].id;
        story.location(LINDE, Act::CorrectBed { bed, corrects })
    }),
    ("with-another-desk", || {
        let mut story = escalated();
        story.desk(ZK23, ask(1, &[(9, LINDE)]))
    }),
    ("not-escalated", || offered().desk(ZK24, Act::TakeOver { referral: referral(1) })),
    ("ladder-skipped", || {
        offered().desk(ZK23, Act::Raise { referral: referral(1), to: RaisedTo::Authority })
    }),
    ("ladder-not-finished", || {
        offered().desk(ZK23, Act::GiveUp { referral: referral(1), reason: label("vol") })
    }),
    ("not-handed-over", || day().desk(ZK23, Act::TakeBackDuty)),
    ("not-a-report", || {
        let fact = Fact::OfferSeen(offer_ref(1, 1, LINDE));
        offered().location(LINDE, report(fact))
    }),
    ("counts-exceed-beds", || {
        let count = ReportedCount { care_type: CareType::ElvLc, physical: 3, occupied: 2, offerable: 2 };
        day().location(LINDE, report(Fact::CountsReported { location: parse(LINDE), counts: vec![count] }))
    }),
    ("not-silent", || day().act(ZK23, Actor::Keeper, Act::AskConfirmation { location: parse(LINDE) })),
];

fn day() -> Story {
    Story::at("2026-03-02T09:00:00Z").under(|rules| rules.ladder.insert(0, Rung::Desk(parse(ZK24))))
}

/// An urgent referral that lies before De Linde.
fn offered() -> Story {
    let mut story = day();
    referred(&mut story, 1, Urgency::Urgent);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    story
}

/// The same, placed on bed 1 of De Linde.
fn placed() -> Story {
    let mut story = offered();
    let now = story.now;
    let promised = story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "1", now));
    let _ = promised.records(&["offer.accepted", "offer.chosen", "hold.granted"]);
    story
}

fn staying() -> Story {
    let mut story = day();
    let _ = story.location(LINDE, admit(1, None, place(LINDE, "1"))).records(&["stay.admitted"]);
    story
}

fn discharge(bed: &str) -> Act {
    let (place, destination) = (place(LINDE, bed), "family".into());
    Act::Discharge { stay: stay(1), place, destination, ready: true, care_hours_at_home: None }
}

fn gone() -> Story {
    let mut story = staying();
    let _ = story.location(LINDE, discharge("1")).records(&["stay.discharged"]);
    story
}

fn escalated() -> Story {
    let mut story = offered();
    let to = parse(ZK24);
    let escalate = Act::Escalate { referral: referral(1), to };
    let _ = story.desk(ZK23, escalate).records(&["offer.revoked", "referral.escalated"]);
    story
}

/// A weighing that something is wrong with.
fn weighed(wrong: impl FnOnce(&mut Act)) -> Then {
    let mut story = day();
    let _ = story.desk(ZK23, make(1, Urgency::Urgent)).records(&["referral.made"]);
    let mut act = weigh(1);
    wrong(&mut act);
    story.desk(ZK23, act)
}

#[test]
fn every_situation_is_refused_with_its_code_and_a_sentence_in_two_languages() {
    for (code, situation) in CASES {
        let refusal = situation().refused(code);
        let (nl, en) = (refusal.nl(), refusal.en());
        assert_ne!(nl, en);
        for sentence in [nl, en] {
            assert!(sentence.ends_with('.') && sentence.len() > 20 && !sentence.contains('{'), "{sentence}");
        }
    }
}

#[test]
fn every_code_is_shown_here() {
    let shown: BTreeSet<_> = CASES.iter().map(|(code, _)| *code).collect();
    assert_eq!(shown, Refusal::CODES.iter().copied().collect());
    assert_eq!((shown.len(), CASES.len()), (Refusal::CODES.len(), Refusal::CODES.len()), "each once");
}

#[test]
fn a_bed_that_is_not_on_the_board_is_not_asked_for_and_where_only_counts_are_known_any_name_is() {
    let mut story = day();
    referred(&mut story, 1, Urgency::Urgent);
    let ask_for = |number: u64, location: &str, bed: &str| {
        let to = vec![Asked { bed: Some(parse(bed)), ..asked(number, location) }];
        Act::SendOffers { referral: referral(1), to, answer_by: None, receipt: None }
    };
    let refusal = story.desk(ZK23, ask_for(1, LINDE, "9")).refused("unknown-bed");
    assert_eq!(refusal, Refusal::UnknownBed { location: parse(LINDE) });
    let _ = story.desk(ZK23, ask_for(1, LINDE, "2")).records(&["offer.sent"]);
    let _ = story.desk(ZK23, ask_for(2, BERK, "kamer-9")).records(&["offer.sent"]);
    // One that is gone meanwhile is not promised either.
    story.says(LINDE, Fact::BedRemoved(BedRef { location: parse(LINDE), bed: parse("2") }));
    let now = story.now;
    let _ = story.location(LINDE, yes_on(offer_ref(1, 1, LINDE), "2", now)).refused("unknown-bed");
}

#[test]
fn a_desk_decides_about_no_stay_bed_or_referral_of_another_region() {
    let mut story = staying();
    referred(&mut story, 1, Urgency::Urgent);
    let _ = story.location(VLIET, admit(2, None, place(VLIET, "1"))).records(&["stay.admitted"]);
    let since = story.now;
    let bed = |location: &str, bed: &str| BedRef { location: parse(location), bed: parse(bed) };
    let foreign = [
        Act::PlanDischarge { stay: stay(1), expected_at: Some(since) },
        Act::CancelAdmission { stay: stay(1) },
        discharge("1"),
        Act::Move { stay: stay(2), from: bed(VLIET, "1"), to: bed(LINDE, "2") },
        report(Fact::BedFreed(bed(LINDE, "1"))),
        report(Fact::StayWaitingFor { stay: stay(1), what: "home-care".into(), since }),
        admit(3, None, place(LINDE, "2")),
        Act::WithdrawReferral { referral: referral(1), reason: "other".into() },
        ask(1, &[(1, VLIET)]),
    ];
    for act in foreign {
        let _ = story.desk(ZK24, act).refused("not-your-region");
    }
}

#[test]
fn a_sentence_names_what_it_is_about() {
    let at: Timestamp = parse("2026-03-02T17:00:00Z");
    let refusal = Refusal::OutsideWindow { location: parse(LINDE), at };
    assert_eq!(refusal.nl(), "zk23-linde neemt op dat moment (2026-03-02T17:00:00.000Z) niet op.");
    assert_eq!(refusal.en(), "zk23-linde does not admit at that moment (2026-03-02T17:00:00.000Z).");
}
