//! Many at once over one log, with seeds: exactly one winner, every loser a reason, no hold left hanging.

use desk::{Desk, DeskError, Done};
use domain::WithdrawnReason;
use domain::availability::Taken;
use domain::desk::{Act, Actor, End};

use crate::support::*;

/// A race takes a few milliseconds; the rules alone race ten thousand times in `domain`.
const RACES: u64 = 120;
const SEED: u64 = 0x0d00_5700;

/// Everybody does what they want at once; what became of each.
async fn at_once(desk: &Desk, wants: Vec<(Actor, Act)>) -> Vec<Result<Done, DeskError>> {
    let gate = std::sync::Arc::new(tokio::sync::Barrier::new(wants.len()));
    let mut parties = Vec::new();
    for (by, act) in wants {
        let (desk, gate) = (desk.clone(), std::sync::Arc::clone(&gate));
        parties.push(tokio::spawn(async move {
            let command = command(&desk, by, act);
            gate.wait().await;
            desk.handle(command).await
        }));
    }
    let mut outcomes = Vec::new();
    for party in parties {
        outcomes.push(party.await.unwrap());
    }
    outcomes
}

fn one_winner(outcomes: &[Result<Done, DeskError>], reasons: &[&str], seed: u64) {
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(won, 1, "seed {seed}: {outcomes:?}");
    for outcome in outcomes {
        match outcome {
            Ok(_) => {}
            Err(DeskError::Refused(refusal)) => {
                assert!(reasons.contains(&refusal.code()), "seed {seed}: {}", refusal.code());
                assert!(!refusal.nl().is_empty());
            }
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parties_that_accept_at_once_one_wins_and_every_other_hears_why() {
    let node = Node::new();
    let locations: Vec<String> = (0..8).map(|number| format!("zk23-house-{number}")).collect();
    for location in &locations {
        node.opens(location, &["1"]).await;
    }
    for race in 0..RACES {
        let mut random = fastrand::Rng::with_seed(SEED + race);
        let parties = random.u64(2..=8);
        node.desk_does(make(race)).await.unwrap();
        let asked: Vec<(u64, &str)> = (0..parties)
            .zip(&locations)
            .map(|(party, location)| (race * 8 + party, location.as_str()))
            .collect();
        node.desk_does(ask(race, &asked)).await.unwrap();
        let now = node.desk.now();
        let mut wants: Vec<(Actor, Act)> = asked
            .iter()
            .map(|(number, location)| {
                (Actor::Location(parse(location)), yes(offer_ref(*number, race, location), None, now))
            })
            .collect();
        random.shuffle(&mut wants);
        let outcomes = at_once(&node.desk, wants).await;
        one_winner(
            &outcomes,
            &["placed-elsewhere", "answered-already", "offer-closed", "too-late"],
            SEED + race,
        );
        node.desk.state().read(|state| {
            let referral = &state.referrals[&referral(race)];
            assert_eq!(referral.holds.len(), 1, "seed {}", SEED + race);
            assert!(referral.winner().is_some());
        });
        let ends = Act::WithdrawReferral { referral: referral(race), reason: WithdrawnReason::Recovered };
        node.desk_does(ends).await.unwrap();
        node.desk.state().read(|state| assert!(state.referrals[&referral(race)].holds.is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_referrals_that_want_one_bed_at_once_one_gets_it_and_the_others_hear_that_it_is_taken() {
    const HOUSE: &str = "zk23-house";
    let node = Node::new();
    node.opens(HOUSE, &["1"]).await;
    for race in 0..RACES {
        let mut random = fastrand::Rng::with_seed(SEED + race);
        let parties = random.u64(2..=8);
        let numbers: Vec<u64> = (0..parties).map(|party| race * 8 + party).collect();
        for number in &numbers {
            node.desk_does(make(*number)).await.unwrap();
            node.desk_does(ask(*number, &[(*number, HOUSE)])).await.unwrap();
        }
        let now = node.desk.now();
        let wants = numbers
            .iter()
            .map(|number| {
                (Actor::Location(parse(HOUSE)), yes(offer_ref(*number, *number, HOUSE), Some("1"), now))
            })
            .collect();
        let outcomes = at_once(&node.desk, wants).await;
        one_winner(&outcomes, &["bed-taken", "no-bed-free"], SEED + race);
        // Whoever has the place comes, at two doors at once: one stay is in the bed.
        let winner = node.desk.state().read(|state| {
            let winners =
                numbers.iter().filter(|number| state.referrals[&referral(**number)].winner().is_some());
            *winners.max().unwrap()
        });
        let comes = [race * 2 + 1, race * 2 + 2]
            .map(|number| (Actor::Location(parse(HOUSE)), admit(number, Some(winner), HOUSE, "1")));
        let outcomes = at_once(&node.desk, comes.to_vec()).await;
        one_winner(&outcomes, &["bed-taken", "referral-ended"], SEED + race);
        let inside = node.desk.state().read(|state| {
            let bed = domain::BedRef { location: parse(HOUSE), bed: parse("1") };
            match (state.board.bed_state(&bed).unwrap().taken, &state.referrals[&referral(winner)].end) {
                (Taken::By(stay), Some(End::Admitted(admitted))) if stay == *admitted => stay,
                other => panic!("seed {}: {other:?}", SEED + race),
            }
        });
        let cancel = Act::CancelAdmission { stay: inside };
        node.location_does(HOUSE, cancel).await.unwrap();
        for number in &numbers {
            let ends =
                Act::WithdrawReferral { referral: referral(*number), reason: WithdrawnReason::Recovered };
            node.desk_does(ends).await.unwrap();
        }
        node.desk.state().read(|state| {
            assert!(state.referrals.values().all(|of| of.holds.is_empty()), "seed {}", SEED + race);
        });
    }
}
