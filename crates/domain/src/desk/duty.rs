//! The desk itself: who is on duty, which rules hold, contacts, and asking a silent location.
//!
//! Not here: what a deputy may (`authority`), what the rules say (`rules`).

use alloc::vec::Vec;

use super::refer::known;
use super::{Act, Command, Here, Refusal};
use crate::Fact;

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    match &command.act {
        Act::HandOverDuty { to, until, mandate } => {
            if *until <= command.at {
                return Err(Refusal::NotInFuture);
            }
            let (to, until, mandate) = (to.clone(), *until, mandate.clone());
            Ok(Vec::from([Fact::DutyHandedOver { to, until, mandate }]))
        }
        Act::TakeBackDuty => match state.deputy(command.at) {
            Some(_) => Ok(Vec::from([Fact::DutyTakenBack])),
            None => Err(Refusal::NotHandedOver),
        },
        Act::SwitchRuleSet { rule_set } => {
            let switched = Fact::RuleSetSwitched { rule_set: rule_set.clone() };
            Ok((*rule_set != *state.rule_set()).then_some(switched).into_iter().collect())
        }
        Act::LogContact { contact, kind, with, about, minutes, referral } => {
            if let Some(referral) = referral {
                known(state, *referral)?;
            }
            Ok(Vec::from([Fact::ContactLogged {
                contact: *contact,
                kind: kind.clone(),
                with: with.clone(),
                about: about.clone(),
                minutes: *minutes,
                referral: *referral,
            }]))
        }
        Act::AskConfirmation { location } => {
            let unknown = || Refusal::UnknownLocation { location: location.clone() };
            let (region, _) = state.board.mode_of(location).ok_or_else(unknown)?;
            if region != state.region {
                return Err(Refusal::NotYourRegion { region: region.clone() });
            }
            let silent = super::due::silent_from(state, location).is_some_and(|(_, from)| command.at >= from);
            if !silent {
                return Err(Refusal::NotSilent { location: location.clone() });
            }
            Ok(Vec::from([Fact::ConfirmationAsked { location: location.clone() }]))
        }
        _ => Err(Refusal::NotYourRole),
    }
}
