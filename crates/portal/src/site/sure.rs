//! What a page asks once more before it is recorded: an admission without the doctor's agreement, a weighing that ends the
//! referral, a bed that is taken away, a location that leaves. Whoever sends the form says so in a field `sure:NAME`. A bed that is there is not added again:
//! whoever typed its number meant another.
//!
//! A program that uses the API knows what it asks for and is not asked. Not here: what the rules refuse (`domain::desk`).

use std::collections::BTreeSet;

use domain::desk::{Act, Offer, Outcome, State};
use domain::{Fact, LocationId, ReferralId};

use crate::api::problem::{Problem, Unsure};

/// What the name of such a field begins with.
pub(super) const PREFIX: &str = "sure:";

/// What was said to be sure of.
pub(super) fn said(fields: &[(String, String)]) -> BTreeSet<String> {
    let given = fields.iter().filter(|(_, value)| !value.trim().is_empty());
    given.filter_map(|(name, _)| name.strip_prefix(PREFIX).map(str::to_owned)).collect()
}

/// Whether nothing has to be asked first.
///
/// # Errors
/// What has to be said first.
pub(super) fn first(state: &State, act: &Act, said: &BTreeSet<String>) -> Result<(), Problem> {
    if !said.contains("agreement")
        && let Act::Admit { referral: Some(referral), place, .. } = act
        && is_without_agreement(state, *referral, &place.location)
    {
        return Err(Problem::Unsure(Unsure::Agreement));
    }
    if !said.contains("end") && ends(state, act) {
        return Err(Problem::Unsure(Unsure::End));
    }
    if !said.contains("leave")
        && let Act::Report { fact: Fact::LocationWithdrawn { .. } } = act
    {
        return Err(Problem::Unsure(Unsure::Leave));
    }
    if !said.contains("remove")
        && let Act::Report { fact: Fact::BedRemoved { .. } } = act
    {
        return Err(Problem::Unsure(Unsure::Remove));
    }
    if let Act::Report { fact: Fact::BedAdded(added) } = act
        && state.board.bed_profile(&added.bed).is_some()
    {
        return Err(Problem::BedThere);
    }
    Ok(())
}

/// Whether the place was promised and chosen, and the doctor has not agreed. Where the region asks for the agreement the rules
/// of the desk say no.
fn is_without_agreement(state: &State, referral: ReferralId, location: &LocationId) -> bool {
    state.referrals.get(&referral).is_some_and(|known| {
        let winner = known.winner().filter(|winner| winner.location == *location);
        let promise = winner.and_then(Offer::promise);
        promise.is_some_and(|promise| !promise.agreed) && !state.rules(&known.region).doctor_first
    })
}

/// Whether a weighing comes to the hospital, which ends the referral.
fn ends(state: &State, act: &Act) -> bool {
    let Act::Triage { referral, instrument, answers, set_aside, .. } = act else { return false };
    let region = state.referrals.get(referral).map(|known| &known.region);
    let instruments = region.map(|region| &state.rule_book.of(region).instruments);
    let known = instruments.and_then(|all| all.iter().find(|known| known.name == *instrument));
    let weighed = known.and_then(|known| known.weigh(answers).ok());
    let decided = weighed.filter(|weighed| set_aside.as_ref().is_none_or(|aside| *aside == weighed.code()));
    decided == Some(Outcome::Hospital)
}
