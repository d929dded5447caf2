//! What a desk asks: what can be admitted when, what is to be done, what does not fit, what came of a referral.

use domain::desk::{Act, Owner, Rung};
use domain::queries::{
    CONTRADICTIONS_SHOWN_MAX, Crises, Needs, Suits, WhyLess, WorkItem, WorkKind, admittable, contradictions,
    crises, suiting, timeline, worklist,
};
use domain::testing::{added, bed_profile, label, reported, row, stopped};
use domain::{
    AdmissionWindow, BedProfile, BedRef, Fact, Feature, LocationMode, Period, Recorded, ReportedCount, Role,
    Timestamp, Urgency, WaitingFor,
};

use crate::support::*;

/// A Friday at noon.
const NOON: &str = "2026-03-06T11:00:00Z";

fn work(story: &Story, region: &str) -> Vec<WorkItem> {
    let list = worklist(&story.state(), &parse(region), story.now);
    assert_eq!(list.left_off, 0);
    list.items
}

fn kinds(story: &Story, region: &str) -> Vec<WorkKind> {
    work(story, region).into_iter().map(|item| item.kind).collect()
}

fn recorded(story: &Story) -> Vec<Recorded> {
    let with = |(event, position): (&domain::Event, u64)| Recorded {
        position,
        recorded_at: event.time,
        event: event.clone(),
    };
    story.log.iter().zip(1..).map(with).collect()
}

#[test]
fn four_beds_free_one_admission_possible_none_after_five() {
    let mut story = Story::at(NOON);
    story.opens("zk23-wilg", &["1", "2", "3", "4"]);
    let days = labels(&["fr", "sa"]);
    let window = AdmissionWindow { days, from: label("09:00"), to: label("17:00"), care_types: vec![] };
    story.says("zk23-wilg", Fact::WindowsSet { location: parse("zk23-wilg"), windows: vec![window] });
    let limit =
        Fact::IntakeLimitSet { location: parse("zk23-wilg"), care_type: None, period: Period::Day, max: 1 };
    story.says("zk23-wilg", limit);
    story.says(EIK, stopped(EIK, None));
    let at = |moment: Timestamp| {
        let rows = admittable(&story.state(), &parse(ZK23), moment);
        rows.into_iter().find(|row| row.location.as_str() == "zk23-wilg").unwrap()
    };
    let (now, evening) = (at(story.now), at(story.in_minutes(6 * 60)));
    assert_eq!((now.offerable, now.admittable), (4, 1));
    assert_eq!(now.why_less, [WhyLess::IntakeLimit { max: 1, left: 1 }]);
    assert_eq!((evening.offerable, evening.admittable), (4, 0));
    assert_eq!(evening.why_less[0].code(), "outside-window");
    assert_eq!(now.last_word.at, story.now);
    let closed = admittable(&story.state(), &parse(ZK23), story.now);
    assert!(closed.iter().all(|row| row.admittable <= row.offerable));
}

#[test]
fn a_row_has_what_one_of_its_beds_offers_and_a_count_says_nothing_of_beds() {
    let mut story = Story::at(NOON);
    for house in ["zk23-both", "zk23-apart", "zk23-unsaid"] {
        story.says(house, Fact::LocationRegistered(profile_of(house, LocationMode::Beds)));
    }
    let (isolation, hoist) = (Feature::Isolation, Feature::Hoist);
    for (house, bed, features) in [
        ("zk23-both", "1", Some(vec![isolation.clone(), hoist.clone()])),
        ("zk23-apart", "1", Some(vec![isolation.clone()])),
        ("zk23-apart", "2", Some(vec![hoist.clone()])),
        ("zk23-unsaid", "1", None),
        ("zk23-unsaid", "2", Some(vec![hoist.clone()])),
    ] {
        let at = BedRef { location: parse(house), bed: parse(bed) };
        let profile = BedProfile { features, ..bed_profile(at, Some(&[HC])) };
        story.says(house, Fact::BedAdded(profile));
    }
    story.says("zk23-counts", Fact::LocationRegistered(profile_of("zk23-counts", LocationMode::Counts)));
    story.says("zk23-counts", reported("zk23-counts", HC, 3, 0, 3));
    let of = |story: &Story, house: &str, asked: &Needs| {
        let rows = suiting(&story.state(), &parse(ZK23), asked, story.now);
        rows.into_iter().find(|row| row.location.as_str() == house).map(|row| row.suits)
    };
    let both = Needs { features: vec![isolation.clone(), hoist], ..Needs::default() };
    for (house, suits) in [
        ("zk23-both", Suits::Yes),
        ("zk23-apart", Suits::No),
        ("zk23-unsaid", Suits::Unsaid),
        ("zk23-counts", Suits::Unsaid),
    ] {
        assert_eq!(of(&story, house, &both), Some(suits), "{house}");
        assert_eq!(of(&story, house, &Needs::default()), Some(Suits::Yes), "{house}");
    }

    // The bed that has it is out of use: it is still given there, and not free.
    let closed = BedRef { location: parse("zk23-apart"), bed: parse("1") };
    story.says("zk23-apart", Fact::BedClosed { bed: closed, reason: "maintenance".into(), review_at: None });
    let isolation = Needs { features: vec![isolation], ..Needs::default() };
    assert_eq!(of(&story, "zk23-apart", &isolation), Some(Suits::Yes));
    assert_eq!(of(&story, "zk23-apart", &Needs { free: true, ..isolation.clone() }), Some(Suits::No));
    assert_eq!(of(&story, "zk23-both", &Needs { free: true, ..isolation.clone() }), Some(Suits::Yes));
    story.says("zk23-both", stopped("zk23-both", None));
    assert_eq!(of(&story, "zk23-both", &Needs { admits: true, ..isolation }), Some(Suits::No));
}

#[test]
fn the_worklist_follows_a_referral_step_by_step_and_what_is_done_is_gone() {
    let mut story = Story::at(NOON);
    let _ = story.desk(ZK23, make(1, Urgency::Planned)).records(&["referral.made"]);
    assert_eq!(kinds(&story, ZK23), [WorkKind::Triage]);
    let _ = story.desk(ZK23, weigh(1)).records(&["referral.triaged"]);
    assert_eq!(kinds(&story, ZK23), [WorkKind::FindPlace]);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK)])).records(&["offer.sent"; 2]);
    assert_eq!(kinds(&story, ZK23), [WorkKind::AwaitAnswer; 2]);

    // A third of the hour later EIK has looked, LINDE has not.
    let _ = story.location(EIK, Act::SeeOffer { offer: offer_ref(2, 1, EIK) }).records(&["offer.seen"]);
    story.minutes_later(21);
    assert_eq!(kinds(&story, ZK23), [WorkKind::CallLocation, WorkKind::AwaitAnswer]);
    let call = work(&story, ZK23).remove(0);
    assert_eq!((call.location, call.offer), (Some(parse(LINDE)), Some(offer(1))));

    let from = story.in_minutes(60);
    let promise = story.location(EIK, yes(offer_ref(2, 1, EIK), from));
    let _ = promise.records(&["offer.accepted", "hold.granted"]);
    assert_eq!(kinds(&story, ZK23), [WorkKind::CallLocation, WorkKind::Choose]);
    let chosen = Act::ChooseOffer { offer: offer_ref(2, 1, EIK), role: Role::Desk };
    let _ = story.desk(ZK23, chosen).0.unwrap();
    assert_eq!(kinds(&story, ZK23), [WorkKind::AgreeArrival]);
    let arrives = Act::AgreeArrival {
        referral: referral(1),
        location: parse(EIK),
        arrives_at: story.in_minutes(90),
        transport: None,
    };
    let _ = story.desk(ZK23, arrives).0.unwrap();
    assert_eq!(kinds(&story, ZK23), []);

    // The hold runs out soon, then asks a person.
    story.minutes_later(90 + 100);
    assert_eq!(kinds(&story, ZK23), [WorkKind::HoldRunsOut]);
    story.minutes_later(30);
    assert_eq!(story.keeper(ZK23)[0], "hold.overdue");
    assert_eq!(kinds(&story, ZK23)[0], WorkKind::HoldOverdue);
    let _ = story.location(EIK, admit(1, Some(1), place(EIK, "1"))).0.unwrap();
    assert!(work(&story, ZK23).iter().all(|item| item.referral.is_none()));
}

#[test]
fn of_crises_those_wait_for_whom_nothing_is_kept_also_if_it_was_promised_or_is_kept_no_longer() {
    let mut story = Story::at(NOON);
    for number in 1..=3 {
        referred(&mut story, number, Urgency::Crisis);
    }
    let counted = |story: &Story| crises(&story.state(), &parse(ZK23));
    assert_eq!(counted(&story), Crises { open: 3, waiting: 3, promised: 0 });
    assert_eq!(kinds(&story, ZK23), [WorkKind::FindPlace; 3]);

    // A promise over the bus keeps nothing.
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let (bed, care_type, from) = (None, HC.into(), story.now);
    let (offer, by, spoken_with) = (offer_ref(1, 1, LINDE), Role::Nurse, None);
    story.says(LINDE, Fact::OfferAccepted { offer, bed, care_type, from, by, spoken_with });
    assert_eq!(counted(&story), Crises { open: 3, waiting: 3, promised: 1 });
    assert!(kinds(&story, ZK23).contains(&WorkKind::Choose));

    // A place that another system keeps, for whom nobody was asked here: who comes when is not known.
    let until = story.in_minutes(600);
    story.told(ZK23, Fact::HoldGranted { place: place(EIK, "1"), referral: referral(2), until });
    assert_eq!(counted(&story), Crises { open: 3, waiting: 2, promised: 1 });
    let second = |story: &Story| -> Vec<WorkKind> {
        let of_second = |item: &WorkItem| item.referral == Some(referral(2));
        work(story, ZK23).into_iter().filter(of_second).map(|item| item.kind).collect()
    };
    assert_eq!(second(&story), [WorkKind::AgreeArrival]);
    // The bed goes, and the hold with it.
    story.says(EIK, Fact::BedRemoved(BedRef { location: parse(EIK), bed: parse("1") }));
    assert_eq!(counted(&story), Crises { open: 3, waiting: 3, promised: 1 });
    assert_eq!(second(&story), [WorkKind::FindPlace, WorkKind::PlaceInDoubt]);
}

#[test]
fn a_bed_of_another_type_can_be_admitted_to_within_the_same_limits() {
    let mut story = Story::at(NOON);
    story.says("zk23-wilg", Fact::LocationRegistered(profile_of("zk23-wilg", LocationMode::Beds)));
    let at = BedRef { location: parse("zk23-wilg"), bed: parse("1") };
    story.says("zk23-wilg", Fact::BedAdded(bed_profile(at, Some(&[HC, "ELV_LC"]))));
    let of = |story: &Story| {
        let rows = admittable(&story.state(), &parse(ZK23), story.now).into_iter();
        let row =
            rows.filter(|row| row.location.as_str() == "zk23-wilg").find(|row| row.offerable == 0).unwrap();
        (row.also_offerable, row.admittable, row.also_admittable, row.why_less, row.also_why_less)
    };
    assert_eq!(of(&story), (1, 0, 1, vec![], vec![]));
    story.says("zk23-wilg", Fact::WindowsSet { location: parse("zk23-wilg"), windows: vec![] });
    assert_eq!(of(&story), (1, 0, 0, vec![], vec![WhyLess::OutsideWindow]));
}

#[test]
fn a_crisis_comes_before_what_is_planned_and_each_by_its_deadline() {
    let mut story = Story::at(NOON);
    referred(&mut story, 1, Urgency::Planned);
    story.minutes_later(5);
    referred(&mut story, 2, Urgency::Crisis);
    story.minutes_later(5);
    referred(&mut story, 3, Urgency::Crisis);
    let order: Vec<_> = work(&story, ZK23).into_iter().map(|item| item.referral).collect();
    assert_eq!(order, [Some(referral(2)), Some(referral(3)), Some(referral(1))]);
}

#[test]
fn the_number_on_the_list_is_the_one_that_is_answered_then() {
    let mut story = Story::at(NOON);
    let mut known = profile_of(LINDE, domain::LocationMode::Beds);
    (known.phone, known.phone_night) = (Some(label("030-1")), Some(label("06-2")));
    story.says(LINDE, Fact::LocationChanged(known));
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    assert_eq!(work(&story, ZK23)[0].phone, Some(label("030-1")));
    let night = story.in_minutes(12 * 60);
    let at_night = worklist(&story.state(), &parse(ZK23), night);
    assert_eq!(at_night.items[0].phone, Some(label("06-2")));
}

#[test]
fn another_desk_is_asked_and_sees_it_and_the_first_waits() {
    let mut story = Story::at(NOON).under(|rules| rules.ladder.insert(0, Rung::Desk(parse(ZK24))));
    referred(&mut story, 1, Urgency::Urgent);
    let _ = story.desk(ZK23, Act::Escalate { referral: referral(1), to: parse(ZK24) }).0.unwrap();
    assert_eq!(kinds(&story, ZK23), [WorkKind::AwaitTakeOver]);
    assert_eq!(kinds(&story, ZK24), [WorkKind::TakeOver]);
}

#[test]
fn stays_that_wait_or_last_too_long_silence_and_contradictions_are_on_the_list() {
    let mut story = Story::at(NOON);
    let _ = story.location(LINDE, admit(1, None, place(LINDE, "1"))).records(&["stay.admitted"]);
    let planned = Act::PlanDischarge { stay: stay(1), expected_at: Some(story.in_minutes(60)) };
    let _ = story.location(LINDE, planned).0.unwrap();
    let (what, since) = (WaitingFor::HomeCare, Some(story.now));
    let _ = story.location(LINDE, Act::WaitFor { stay: stay(1), what, since }).0.unwrap();
    assert_eq!(kinds(&story, ZK23), [WorkKind::StayWaiting]);
    story.minutes_later(61);
    assert_eq!(kinds(&story, ZK23), [WorkKind::StayWaiting, WorkKind::StayPastExpected]);
    story.minutes_later(25 * 60);
    let silent = kinds(&story, ZK23).into_iter().filter(|kind| *kind == WorkKind::SilentLocation);
    assert_eq!(silent.count(), 3);

    // The desk writes down an answer; the location says it never gave it.
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, EIK)])).records(&["offer.sent"]);
    let from = story.now;
    let _ = story.desk(ZK23, yes_by_telephone(offer_ref(1, 1, EIK), from)).0.unwrap();
    let contested = Act::ContestAnswer { offer: offer_ref(1, 1, EIK), role: Role::Nurse };
    let _ = story.location(EIK, contested).0.unwrap();
    story.minutes_later(10);
    let open = contradictions(&story.state(), &parse(ZK23), story.now);
    assert_eq!(open[0].source.code(), "answer-contested");
    assert_eq!((open[0].owner.clone(), open[0].age_micros), (Owner::Desk(parse(ZK23)), 600_000_000));
    assert!(kinds(&story, ZK23).contains(&WorkKind::Contradiction));
    assert!(contradictions(&story.state(), &parse(ZK24), story.now).is_empty());
}

#[test]
fn what_the_board_finds_is_the_location_s_and_grows_old() {
    let mut story = Story::at(NOON);
    story.says(LINDE, Fact::BedFreed(domain::BedRef { location: parse(LINDE), bed: parse("99") }));
    let open = contradictions(&story.state(), &parse(ZK23), story.now);
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].source.code(), open[0].owner.clone()),
        ("unknown-bed", Owner::Location(parse(LINDE)))
    );
    assert!(open[0].sentence().nl.contains("niet bekend"));
    let much_later = story.in_minutes(8 * 24 * 60);
    assert!(contradictions(&story.state(), &parse(ZK23), much_later).is_empty());
}

#[test]
fn of_more_contradictions_than_are_shown_the_newest_are() {
    let mut story = Story::at(NOON);
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, EIK)])).records(&["offer.sent"]);
    let _ = story.desk(ZK23, yes_by_telephone(offer_ref(1, 1, EIK), story.now)).0.unwrap();
    let contested = Act::ContestAnswer { offer: offer_ref(1, 1, EIK), role: Role::Nurse };
    let _ = story.location(EIK, contested).0.unwrap();
    for number in 0..CONTRADICTIONS_SHOWN_MAX {
        let bed = domain::BedRef { location: parse(LINDE), bed: parse(&format!("x{number}")) };
        story.says(LINDE, Fact::BedFreed(bed));
    }
    let shown = contradictions(&story.state(), &parse(ZK23), story.now);
    assert_eq!((shown.len(), shown[0].source.code()), (CONTRADICTIONS_SHOWN_MAX, "answer-contested"));
    let last = format!("x{}", CONTRADICTIONS_SHOWN_MAX - 1);
    assert_eq!(shown.last().unwrap().bed, Some(parse(&last)));
}

#[test]
fn a_referral_is_told_from_its_events_and_so_is_the_stay_it_led_to() {
    let mut story = Story::at(NOON);
    referred(&mut story, 1, Urgency::Crisis);
    referred(&mut story, 2, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, LINDE)])).records(&["offer.sent"]);
    let from = story.now;
    let _ = story.desk(ZK23, yes_by_telephone(offer_ref(1, 1, LINDE), from)).0.unwrap();
    let _ = story.location(LINDE, admit(1, Some(1), place(LINDE, "1"))).0.unwrap();
    let (what, since) = (WaitingFor::WlzPlace, Some(story.now));
    let _ = story.location(LINDE, Act::WaitFor { stay: stay(1), what, since }).0.unwrap();
    let told = timeline(&recorded(&story), referral(1));
    let kinds: Vec<_> = told.iter().map(|entry| entry.kind).collect();
    let expected = [
        "referral.made",
        "offer.sent",
        "offer.accepted",
        "offer.chosen",
        "hold.granted",
        "stay.admitted",
        "stay.waiting-for",
    ];
    assert_eq!(kinds, expected);
    assert!(told[2].sentence.nl.contains("telefonisch, gesproken met nurse"), "{:?}", told[2]);
    assert!(told[3].sentence.nl.contains("De eerste toezegging geldt"), "{:?}", told[3]);
    assert!(told[6].sentence.en.contains("waits for wlz-place"));
    assert!(told.is_sorted_by_key(|entry| entry.position));
}

#[test]
fn a_choice_is_told_as_one_where_somebody_chose_and_as_the_rule_where_the_first_promise_won() {
    let told = |urgency: Urgency| {
        let mut story = Story::at(NOON);
        referred(&mut story, 1, urgency.clone());
        let _ = story.desk(ZK23, ask(1, &[(1, LINDE), (2, EIK)])).0.unwrap();
        let from = story.now;
        let _ = story.desk(ZK23, yes_by_telephone(offer_ref(1, 1, LINDE), from)).0.unwrap();
        if urgency == Urgency::Planned {
            let choose = Act::ChooseOffer { offer: offer_ref(1, 1, LINDE), role: Role::Nurse };
            let _ = story.desk(ZK23, choose).0.unwrap();
        }
        let told = timeline(&recorded(&story), referral(1));
        told.into_iter().find(|entry| entry.kind == "offer.chosen").unwrap().sentence
    };
    let won = told(Urgency::Crisis);
    assert_eq!(won.nl, "De eerste toezegging geldt: zk23-linde heeft de plek.");
    assert_eq!(won.en, "The first promise wins: zk23-linde has the place.");
    assert_eq!(told(Urgency::Planned).nl, "zk23-linde is gekozen.");
}

#[test]
fn whoever_was_promised_a_place_that_may_not_be_had_is_first_on_the_list_of_the_desk_with_why() {
    let bed = |name: &str| BedRef { location: parse(LINDE), bed: parse(name) };
    let in_doubt = |facts: &[Fact]| {
        let mut story = Story::at("2026-03-02T09:00:00Z");
        promised(&mut story);
        for fact in facts {
            let _ = story.location(LINDE, report(fact.clone())).records(&[fact.kind()]);
        }
        let list = worklist(&story.state(), &parse(ZK23), story.now);
        let doubts: Vec<_> = list.items.iter().filter(|item| item.kind == WorkKind::PlaceInDoubt).collect();
        assert!(doubts.len() <= 1 && (doubts.is_empty() || list.items[0] == *doubts[0]), "{list:?}");
        doubts.first().map(|item| item.about.clone().unwrap().as_str().to_owned())
    };
    let stopped = |ward: Option<&str>| Fact::AdmissionsStopped {
        location: parse(LINDE),
        ward: ward.map(label),
        reason: "infection".into(),
        review_at: None,
    };
    let closed = |name: &str| Fact::BedClosed { bed: bed(name), reason: "infection".into(), review_at: None };
    assert_eq!(in_doubt(&[]), None);
    assert_eq!(in_doubt(&[Fact::BedVacated(bed("1"))]), None, "it is cleaned until somebody comes");
    assert_eq!(in_doubt(&[closed("2"), stopped(Some("elders"))]), None, "another bed, another ward");
    assert_eq!(in_doubt(&[closed("1")]).as_deref(), Some("closed"));
    assert_eq!(in_doubt(&[stopped(None)]).as_deref(), Some("stopped"));
    assert_eq!(in_doubt(&[Fact::BedRemoved(bed("1"))]).as_deref(), Some("gone"));
    let again = [Fact::BedRemoved(bed("1")), added(LINDE, "1", &[HC])];
    assert_eq!(in_doubt(&again).as_deref(), Some("gone"), "the bed is there again, and not kept");
    let left = [Fact::LocationWithdrawn { location: parse(LINDE) }];
    assert_eq!(in_doubt(&left).as_deref(), Some("gone"));
}

#[test]
fn a_house_that_took_one_too_many_has_no_place_to_promise_when_that_one_leaves() {
    let mut story = Story::at("2026-03-02T09:00:00Z");
    let count = |occupied: i64, offerable: i64| {
        let count = ReportedCount { care_type: HC.into(), physical: 2, occupied, offerable };
        report(Fact::CountsReported { location: parse(BERK), counts: vec![count] })
    };
    let _ = story.location(BERK, count(2, 0)).records(&["location.counts-reported"]);
    let _ = story.location(BERK, admit(1, None, row(BERK, HC))).records(&["stay.admitted"]);
    let cancel = Act::CancelAdmission { stay: stay(1) };
    let _ = story.location(BERK, cancel).records(&["stay.admission-cancelled"]);
    // The board says it as the contract has it: one free beside two that are used of two. Nobody is promised that.
    referred(&mut story, 1, Urgency::Crisis);
    let _ = story.desk(ZK23, ask(1, &[(1, BERK)])).records(&["offer.sent"]);
    let now = story.now;
    let yes = || yes(offer_ref(1, 1, BERK), now);
    story.location(BERK, yes()).refused("no-bed-free");
    let _ = story.location(BERK, count(1, 1)).records(&["location.counts-reported"]);
    let _ = story.location(BERK, yes()).records(&["offer.accepted", "offer.chosen", "hold.granted"]);
}
