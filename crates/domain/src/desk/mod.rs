//! The desk's rules: what somebody wants ([`Command`]), what comes of it ([`decide`]), what is so after it ([`evolve`]).
//!
//! Pure: the moment and the ids come with the command, so that the same command on the same state gives the same
//! events everywhere. [`Scope`] says which events a decision needs, and so which must not have been added when it is
//! recorded. One file per step of the working process: `refer`, `triage`, `offers`, `answers`, `holds`, `stays`,
//! `ladder`, `duty`, `report`. Not here: reading, retrying and appending (a shell), matching, views.
//!
//! Facts are never refused for contradicting what we believed: what a location says of its own beds and stays is
//! recorded, and the contradiction gets an owner and an age ([`Contradiction`]).

mod answers;
mod authority;
mod command;
mod contradiction;
mod due;
mod duty;
mod holds;
mod instrument;
mod ladder;
mod location;
mod moment;
mod offers;
mod place;
mod refer;
mod referral;
mod refusal;
mod report;
mod rules;
mod scope;
mod span;
mod state;
mod stays;
mod triage;

use alloc::vec::Vec;

use crate::Event;

pub use command::{Act, Actor, Asked, Command, Step};
pub use contradiction::{Contradiction, ContradictionKind, Owner};
pub use due::{Due, about_to_lapse, due, next_due};
pub use instrument::{Answer, Instrument, Outcome, Question, WeighingError};
pub use location::{Intake, Room, Truth};
pub use refer::likely_doubles;
pub use referral::{Arrival, End, Hold, Offer, OfferState, Promise, Referral, Triage};
pub use refusal::Refusal;
pub use rules::{ByUrgency, RegionRules, RoundRule, RuleBook, Rules, Rung};
pub use scope::{Scope, ScopeItem, WIDEN_MAX};
use state::Here;
pub use state::{Duty, ENDED_KEPT_MICROS, State};
pub use stays::Stay;

/// What a command does to what is so: the events to record as one batch, or why not.
///
/// No event means that what is wanted is so already.
///
/// # Errors
/// The business says no, with a code and a sentence for the person who asked.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
    decided(state, command).map_err(|refusal| match (&command.by, refusal) {
        // Where somebody went instead is not a location's to know.
        (Actor::Location(own), Refusal::AlreadyPlaced { location }) if *own != location => {
            Refusal::PlacedElsewhere
        }
        (_, refusal) => refusal,
    })
}

fn decided(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
    let state = &Here::new(state, &command.region);
    authority::check(state, command)?;
    let facts = match &command.act {
        Act::MakeReferral { .. }
        | Act::ChangeReferral { .. }
        | Act::WithdrawReferral { .. }
        | Act::DivertReferral { .. }
        | Act::GiveUp { .. } => refer::decide(state, command),
        Act::Triage { .. } => triage::decide(state, command),
        Act::SendOffers { .. } | Act::SeeOffer { .. } | Act::RevokeOffer { .. } | Act::LapseOffer { .. } => {
            offers::decide(state, command)
        }
        Act::AcceptOffer { .. }
        | Act::DeclineOffer { .. }
        | Act::TakeBackPromise { .. }
        | Act::AgreeMedically { .. }
        | Act::ContestAnswer { .. }
        | Act::ChooseOffer { .. } => answers::decide(state, command),
        Act::AgreeArrival { .. }
        | Act::ExtendHold { .. }
        | Act::ReleaseHold { .. }
        | Act::LapseHold { .. } => holds::decide(state, command),
        Act::Admit { .. }
        | Act::ReviewTriage { .. }
        | Act::PlanDischarge { .. }
        | Act::SetPlan { .. }
        | Act::WaitFor { .. }
        | Act::SwitchFunding { .. }
        | Act::Move { .. }
        | Act::Discharge { .. }
        | Act::CancelAdmission { .. }
        | Act::CancelMove { .. }
        | Act::CancelDischarge { .. } => stays::decide(state, command),
        Act::Escalate { .. } | Act::TakeOver { .. } | Act::Raise { .. } => ladder::decide(state, command),
        Act::HandOverDuty { .. }
        | Act::TakeBackDuty
        | Act::SwitchRuleSet { .. }
        | Act::LogContact { .. }
        | Act::AskConfirmation { .. } => duty::decide(state, command),
        Act::Report { .. } | Act::CorrectBed { .. } => report::decide(state, command),
    }?;
    Ok(command.events(facts))
}

/// What is so after an event. Total: an event of any kind in any order is taken, and never refused.
#[must_use]
pub fn evolve(mut state: State, event: &Event) -> State {
    state.take(event);
    state
}
