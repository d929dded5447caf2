//! Ten thousand races: two to eight parties want the same referral, bed, last admission, or each other's ground, at once.
//!
//! Each party reads, decides and appends at moments of its own, against a log that takes a batch only if nothing in its
//! scope came since it was read; who comes too late reads and decides anew. The write-skew pairs (each decision is right
//! alone, both together are wrong; one reads by tag and one by type, or one by a wider set of types) are among them.
//! Every race has a seed, named when it fails.

use std::collections::BTreeMap;

use domain::desk::{Act, Actor, Command, RegionRules, Rung, Scope, State, decide, evolve};
use domain::{Event, Fact, Names, Period, Role, Urgency};

use crate::support::*;

/// Races of each kind; nine kinds are a little over ten thousand.
const RACES: u64 = 1_120;

/// An event with its tags, as a log keeps them.
struct Kept {
    event: Event,
    tags: Vec<Box<str>>,
}

/// A log that takes a batch on a condition.
struct Log {
    records: Vec<Kept>,
    rules: RegionRules,
}

impl Log {
    fn of(story: Story, rules: &RegionRules) -> Self {
        let records = story.log.into_iter().map(kept).collect();
        Self { records, rules: rules.clone() }
    }

    fn fold(&self, command: &Command) -> (State, Scope) {
        let fold = |scope: &Scope| {
            let meant =
                self.records.iter().filter(|record| record.matches(scope)).map(|record| &record.event);
            meant.fold(State::new(book(&self.rules)), evolve)
        };
        let scope = Scope::of(command);
        let state = fold(&scope);
        match scope.wider(command, &state) {
            Some(wider) => (fold(&wider), wider),
            None => (state, scope),
        }
    }

    /// Takes the batch unless something in its scope came after it was read.
    fn append(&mut self, events: Vec<Event>, scope: &Scope, after: usize) -> bool {
        let free = !self.records[after..].iter().any(|record| record.matches(scope));
        if free {
            self.records.extend(events.into_iter().map(kept));
        }
        free
    }

    fn state(&self) -> State {
        let state = State::new(book(&self.rules));
        self.records.iter().map(|record| &record.event).fold(state, evolve)
    }
}

fn kept(event: Event) -> Kept {
    let tags = Names::of(&event).tags();
    Kept { event, tags }
}

impl Kept {
    fn matches(&self, scope: &Scope) -> bool {
        scope.items.iter().any(|item| {
            (item.types.is_empty() || item.types.contains(&self.event.fact.kind()))
                && item.tags.iter().all(|tag| self.tags.contains(tag))
        })
    }
}

/// One who wants something, and how far that is.
struct Party {
    command: Command,
    /// What was decided, on what, and when that was read.
    decided: Option<(Vec<Event>, Scope, usize)>,
    /// How it ended: recorded, or the code of the refusal.
    ended: Option<Result<(), &'static str>>,
}

/// Lets the parties read, decide and append in the order of the seed, until each has ended.
fn race(log: &mut Log, commands: Vec<Command>, random: &mut fastrand::Rng) -> Vec<Result<(), &'static str>> {
    let mut parties: Vec<Party> =
        commands.into_iter().map(|command| Party { command, decided: None, ended: None }).collect();
    while parties.iter().any(|party| party.ended.is_none()) {
        let index = random.usize(..parties.len());
        let party = &mut parties[index];
        match (party.ended.is_some(), party.decided.take()) {
            (true, _) => {}
            (false, None) => {
                let (state, scope) = log.fold(&party.command);
                match decide(&state, &party.command) {
                    Ok(events) => party.decided = Some((events, scope, log.records.len())),
                    Err(refusal) => party.ended = Some(Err(refusal.code())),
                }
            }
            (false, Some((events, scope, after))) => {
                if log.append(events, &scope, after) {
                    party.ended = Some(Ok(()));
                }
            }
        }
    }
    parties.into_iter().map(|party| party.ended.unwrap()).collect()
}

/// Exactly one got what it wanted, every other one has one of these reasons.
#[track_caller]
fn one_wins(ended: &[Result<(), &'static str>], reasons: &[&str], seed: u64) {
    assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), 1, "seed {seed}: {ended:?}");
    for reason in ended.iter().filter_map(|ended| ended.err()) {
        assert!(reasons.contains(&reason), "seed {seed}: {reason}");
    }
}

/// Places are kept for open referrals that were promised them, and for nobody else; board and referrals agree.
#[track_caller]
fn nothing_hangs(state: &State, seed: u64) {
    let mut by_place = BTreeMap::new();
    for referral in state.referrals.values() {
        assert!(referral.end.is_none() || referral.holds.is_empty(), "seed {seed}: a hold of {referral:?}");
        assert!(
            referral.chosen.is_none_or(|chosen| referral.offers[&chosen].promise().is_some()),
            "seed {seed}"
        );
        for hold in &referral.holds {
            let promised = |offer: &domain::desk::Offer| {
                offer.location == hold.place.location && offer.promise().is_some()
            };
            assert!(referral.offers.values().any(promised), "seed {seed}: kept without a promise: {hold:?}");
            let spot = (hold.place.location.clone(), hold.place.bed.clone());
            assert_eq!(by_place.insert(spot, referral.id()), None, "seed {seed}: two referrals on one bed");
        }
    }
    let held: u32 = state.board.rows().map(|row| row.held).sum();
    assert_eq!(usize::try_from(held).unwrap(), by_place.len(), "seed {seed}: board and referrals differ");
}

fn rules() -> RegionRules {
    let mut rules = RegionRules::default();
    rules.ladder.insert(0, Rung::Desk(parse(ZK24)));
    rules
}

/// Runs races of one kind.
fn races(
    kind: u64,
    run: impl Fn(&mut Story, usize, &mut fastrand::Rng) -> Vec<Command>,
    check: impl Fn(&Log, &[Result<(), &'static str>], u64),
) {
    for number in 0..RACES {
        let seed = kind * 1_000_000 + number;
        let mut random = fastrand::Rng::with_seed(seed);
        let parties = random.usize(2..=8);
        let rules = rules();
        let mut story = Story::small("2026-03-02T09:00:00Z", &rules);
        let commands = run(&mut story, parties, &mut random);
        let mut log = Log::of(story, &rules);
        let ended = race(&mut log, commands, &mut random);
        check(&log, &ended, seed);
        nothing_hangs(&log.state(), seed);
    }
}

const HOUSES: [&str; 8] =
    ["zk23-h1", "zk23-h2", "zk23-h3", "zk23-h4", "zk23-h5", "zk23-h6", "zk23-h7", "zk23-h8"];

fn number(index: usize) -> u64 {
    u64::try_from(index).unwrap() + 1
}

/// A referral is made and lies before these houses, offer n before the nth.
fn lies_before(story: &mut Story, of: u64, urgency: Urgency, houses: &[&str]) {
    story.told(ZK23, Fact::ReferralMade(profile(of, urgency)));
    for (index, house) in houses.iter().enumerate() {
        let offer = offer_ref(of * 100 + number(index), of, house);
        let answer_by = story.in_minutes(60);
        story.told(ZK23, Fact::OfferSent { offer, bed: None, care_type: HC.into(), answer_by });
    }
}

/// Houses with one bed each.
fn with_houses(story: &mut Story, count: usize, beds: &[&str]) {
    for house in &HOUSES[..count] {
        story.opens(house, beds);
    }
}

fn yes_of(story: &mut Story, of: u64, index: usize, house: &str, bed: Option<&str>) -> Command {
    let (offer, now) = (offer_ref(of * 100 + number(index), of, house), story.now);
    let act = bed.map_or_else(|| yes(offer.clone(), now), |bed| yes_on(offer.clone(), bed, now));
    story.command(ZK23, Actor::Location(parse(house)), act)
}

#[test]
fn of_locations_that_promise_one_referral_a_place_at_once_the_first_wins() {
    races(
        1,
        |story, parties, _| {
            with_houses(story, parties, &["1"]);
            lies_before(story, 1, Urgency::Crisis, &HOUSES[..parties]);
            (0..parties).map(|index| yes_of(story, 1, index, HOUSES[index], None)).collect()
        },
        |log, ended, seed| {
            one_wins(ended, &["placed-elsewhere"], seed);
            let referral = &log.state().referrals[&referral(1)];
            assert_eq!((referral.holds.len(), referral.winner().is_some()), (1, true), "seed {seed}");
        },
    );
}

#[test]
fn of_referrals_that_are_promised_one_bed_at_once_one_gets_it() {
    races(
        2,
        |story, parties, random| {
            with_houses(story, 1, &["1"]);
            (0..parties)
                .map(|index| {
                    let of = number(index);
                    lies_before(story, of, Urgency::Crisis, &HOUSES[..1]);
                    // By name, or as one of the type.
                    yes_of(story, of, 0, HOUSES[0], random.bool().then_some("1"))
                })
                .collect()
        },
        |_, ended, seed| one_wins(ended, &["bed-taken", "no-bed-free"], seed),
    );
}

#[test]
fn of_clerks_who_choose_for_one_family_at_once_one_has_chosen() {
    races(
        3,
        |story, parties, _| {
            with_houses(story, parties, &["1"]);
            lies_before(story, 1, Urgency::Planned, &HOUSES[..parties]);
            for (index, house) in HOUSES.iter().enumerate().take(parties) {
                let promise = yes_of(story, 1, index, house, None);
                let _ = story.submit(&promise).records(&["offer.accepted", "hold.granted"]);
            }
            let choose = |story: &mut Story, index: usize| {
                let offer = offer_ref(100 + number(index), 1, HOUSES[index]);
                story.command(ZK23, Actor::Desk(parse(ZK23)), Act::ChooseOffer { offer, role: Role::Nurse })
            };
            (0..parties).map(|index| choose(story, index)).collect()
        },
        |log, ended, seed| {
            one_wins(ended, &["already-placed"], seed);
            assert_eq!(
                log.state().referrals[&referral(1)].holds.len(),
                1,
                "seed {seed}: the others are free"
            );
        },
    );
}

#[test]
fn of_promises_of_different_beds_only_as_many_hold_as_the_location_takes_in_that_day() {
    // The write skew of the textbook: each bed is free, each promise is within the limit, both together are not.
    races(
        4,
        |story, parties, _| {
            let beds = ["1", "2", "3", "4", "5", "6", "7", "8"];
            with_houses(story, 1, &beds);
            let location = parse(HOUSES[0]);
            story.says(
                HOUSES[0],
                Fact::IntakeLimitSet { location, care_type: None, period: Period::Day, max: 1 },
            );
            (0..parties)
                .map(|index| {
                    let of = number(index);
                    lies_before(story, of, Urgency::Crisis, &HOUSES[..1]);
                    yes_of(story, of, 0, HOUSES[0], Some(beds[index]))
                })
                .collect()
        },
        |_, ended, seed| one_wins(ended, &["intake-limit-reached"], seed),
    );
}

#[test]
fn of_clerks_who_write_down_one_person_at_once_one_makes_the_referral() {
    // One reads by type (what was made in the region), the other's event is found by it, and the other way round.
    races(
        5,
        |story, parties, _| {
            (0..parties)
                .map(|index| {
                    let mut alike = profile(1, Urgency::Crisis);
                    alike.referral = referral(number(index));
                    let act = Act::MakeReferral { profile: alike, not_a_double: false };
                    story.command(ZK23, Actor::Desk(parse(ZK23)), act)
                })
                .collect()
        },
        |_, ended, seed| one_wins(ended, &["likely-double"], seed),
    );
}

#[test]
fn a_withdrawal_among_promises_leaves_nothing_kept_for_nobody() {
    races(
        6,
        |story, parties, _| {
            with_houses(story, parties, &["1"]);
            lies_before(story, 1, Urgency::Planned, &HOUSES[..parties]);
            let mut commands: Vec<Command> =
                (1..parties).map(|index| yes_of(story, 1, index, HOUSES[index], None)).collect();
            let withdraw = Act::WithdrawReferral { referral: referral(1), reason: "recovered".into() };
            commands.push(story.command(ZK23, Actor::Desk(parse(ZK23)), withdraw));
            commands
        },
        |log, ended, seed| {
            assert_eq!(ended.last(), Some(&Ok(())), "seed {seed}: who withdraws is heard");
            let referral = &log.state().referrals[&referral(1)];
            assert!(referral.end.is_some() && referral.holds.is_empty(), "seed {seed}");
            for reason in ended.iter().filter_map(|ended| ended.err()) {
                assert_eq!(reason, "referral-ended", "seed {seed}");
            }
        },
    );
}

#[test]
fn of_two_desks_and_a_withdrawal_one_has_the_referral_or_nobody() {
    races(
        7,
        |story, parties, _| {
            lies_before(story, 1, Urgency::Urgent, &[]);
            story.told(ZK23, Fact::ReferralEscalated { referral: referral(1), to_region: parse(ZK24) });
            (0..parties)
                .map(|index| {
                    let region = if index % 2 == 0 { ZK24 } else { ZK23 };
                    let act = match index {
                        7 => Act::WithdrawReferral { referral: referral(1), reason: "died".into() },
                        _ => Act::TakeOver { referral: referral(1) },
                    };
                    story.command(region, Actor::Desk(parse(region)), act)
                })
                .collect()
        },
        |_, ended, seed| {
            let taken = ended.iter().take(7).filter(|ended| ended.is_ok()).count();
            let withdrawn = ended.get(7).is_some_and(Result::is_ok);
            // Withdrawn by the desk that still had it, before or after it took the referral back; never by one that lost it.
            assert!(taken == 1 || (taken == 0 && withdrawn), "seed {seed}: {ended:?}");
            for reason in ended.iter().filter_map(|ended| ended.err()) {
                assert!(
                    ["not-escalated", "referral-ended", "not-your-region"].contains(&reason),
                    "seed {seed}: {reason}"
                );
            }
        },
    );
}

#[test]
fn of_an_admission_and_a_lapse_at_the_same_moment_one_is_so() {
    races(
        8,
        |story, parties, _| {
            with_houses(story, 1, &["1"]);
            lies_before(story, 1, Urgency::Crisis, &HOUSES[..1]);
            let promise = yes_of(story, 1, 0, HOUSES[0], None);
            let _ = story.submit(&promise).records(&["offer.accepted", "offer.chosen", "hold.granted"]);
            story.minutes_later(120);
            let kept = place(HOUSES[0], "1");
            (0..parties)
                .map(|index| {
                    if index == 0 {
                        let act = Act::LapseHold { referral: referral(1), place: kept.clone() };
                        return story.command(ZK23, Actor::Keeper, act);
                    }
                    let act = admit(number(index), Some(1), kept.clone());
                    story.command(ZK23, Actor::Location(parse(HOUSES[0])), act)
                })
                .collect()
        },
        |_, ended, seed| one_wins(ended, &["hold-lapsed", "no-hold", "referral-ended", "bed-taken"], seed),
    );
}

#[test]
fn of_people_who_come_to_one_bed_at_once_one_is_in_it() {
    races(
        9,
        |story, parties, _| {
            with_houses(story, 1, &["1"]);
            (0..parties)
                .map(|index| {
                    let act = admit(number(index), None, place(HOUSES[0], "1"));
                    story.command(ZK23, Actor::Desk(parse(ZK23)), act)
                })
                .collect()
        },
        |log, ended, seed| {
            one_wins(ended, &["bed-taken"], seed);
            assert_eq!(log.state().board.contradictions(), 0, "seed {seed}");
        },
    );
}
