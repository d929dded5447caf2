//! When nothing is found: the desks next door by name, then those above them, in the order the region set.
//!
//! A desk that asks another keeps the referral until the other takes it, so that nobody falls between two desks; while
//! it is asked, only one of the two can go on. Not here: giving up (`refer`).

use alloc::vec::Vec;

use super::authority::open_referral;
use super::{Act, Command, Here, Referral, Refusal, Rung};
use crate::words::say;
use crate::{Fact, RegionId};

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    match &command.act {
        Act::Escalate { referral, to } => {
            let open = unplaced(open_referral(state, *referral)?)?;
            let back = gives_back(open, to);
            if !back {
                climb(state, open, &Rung::Desk(to.clone()))?;
            }
            let mut facts = open.end_others(None);
            facts.push(Fact::ReferralEscalated { referral: *referral, to_region: to.clone() });
            Ok(facts)
        }
        Act::TakeOver { referral } => {
            let asked = state.referrals.get(referral).ok_or(Refusal::UnknownReferral)?;
            if asked.end.is_some() {
                return Err(Refusal::ReferralEnded);
            }
            let takes = asked.with.as_ref() == Some(state.region);
            let takes_back = asked.with.is_some() && asked.region == *state.region;
            if !takes && !takes_back {
                return Err(Refusal::NotEscalated);
            }
            // Taken back: from the desk that was asked and did not answer.
            let from = if takes { Some(&asked.region) } else { asked.with.as_ref() };
            let from_region = from.cloned().ok_or(Refusal::NotEscalated)?;
            Ok(Vec::from([Fact::ReferralTakenOver { referral: *referral, from_region }]))
        }
        Act::Raise { referral, to } => {
            let open = unplaced(open_referral(state, *referral)?)?;
            climb(state, open, &Rung::Above(to.clone()))?;
            Ok(Vec::from([Fact::ReferralRaised { referral: *referral, to: to.clone() }]))
        }
        _ => Err(Refusal::NotYourRole),
    }
}

fn unplaced(open: &Referral) -> Result<&Referral, Refusal> {
    match (open.winner(), &open.with) {
        (Some(winner), _) => Err(Refusal::AlreadyPlaced { location: winner.location.clone() }),
        (None, Some(region)) => Err(Refusal::WithAnotherDesk { region: region.clone() }),
        (None, None) => Ok(open),
    }
}

/// Back to the desk it came from: that is no rung.
fn gives_back(open: &Referral, to: &RegionId) -> bool {
    open.passed_on_by.as_ref() == Some(to)
}

fn climb(state: &Here<'_>, open: &Referral, rung: &Rung) -> Result<(), Refusal> {
    let ladder = &state.region_rules().ladder;
    let Some(place) = ladder.iter().position(|known| known == rung) else {
        return Err(Refusal::OutsideRuleSet {
            rule: say!("de stappen van de escalatieladder", "the rungs of the ladder"),
        });
    };
    let skipped = ladder.iter().take(place).any(|before| !open.tried.contains(before));
    if skipped { Err(Refusal::LadderSkipped) } else { Ok(()) }
}
