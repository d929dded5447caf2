//! Step 1, and the ends that people decide: referrals made, changed, withdrawn, diverted, given up.
//!
//! Not here: the end that an admission is (`stays`), other desks (`ladder`).

use alloc::vec::Vec;

use super::authority::{open_referral, referral};
use super::{Act, Command, Here, Referral, Refusal, State};
use crate::{Fact, ReferralId, ReferralProfile, RegionId, Timestamp};

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other acts belong to other steps: `desk::decide` sends none of them here"
)]
pub(super) fn decide(state: &Here<'_>, command: &Command) -> Result<Vec<Fact>, Refusal> {
    match &command.act {
        Act::MakeReferral { profile, not_a_double } => {
            if state.referrals.contains_key(&profile.referral) {
                return Err(Refusal::ReferralKnown);
            }
            let double = likely_doubles(state, state.region, profile, command.at).next();
            match double.filter(|_| !not_a_double) {
                Some(other) => Err(Refusal::LikelyDouble { other }),
                None => Ok(Vec::from([Fact::ReferralMade(profile.clone())])),
            }
        }
        Act::ChangeReferral { profile } => {
            open_referral(state, profile.referral)?;
            Ok(Vec::from([Fact::ReferralChanged(profile.clone())]))
        }
        Act::WithdrawReferral { referral, reason } => {
            let open = open_referral(state, *referral)?;
            Ok(ended(open, Fact::ReferralWithdrawn { referral: *referral, reason: reason.clone() }))
        }
        Act::DivertReferral { referral, reason } => {
            let open = open_referral(state, *referral)?;
            Ok(ended(open, Fact::ReferralDiverted { referral: *referral, reason: reason.clone() }))
        }
        Act::GiveUp { referral, reason } => {
            let open = open_referral(state, *referral)?;
            if let Some(winner) = open.winner() {
                return Err(Refusal::AlreadyPlaced { location: winner.location.clone() });
            }
            let rest = state.region_rules().ladder.iter().any(|rung| !open.tried.contains(rung));
            if rest && state.rules().ladder_first {
                return Err(Refusal::LadderNotFinished);
            }
            let (referral, reason) = (*referral, reason.clone());
            Ok(ended(open, Fact::ReferralExpiredUnplaced { referral, reason }))
        }
        _ => Err(Refusal::NotYourRole),
    }
}

/// An end, and everything that was open for the referral ends with it.
pub(super) fn ended(open: &Referral, end: Fact) -> Vec<Fact> {
    let mut facts = open.end_others(None);
    facts.push(end);
    facts
}

/// Referrals that are likely about the same person: open, of the same origin, area, age band and care type within a
/// day (or what the region says). None for a profile that says neither area nor age.
pub fn likely_doubles<'a>(
    state: &'a State,
    region: &'a RegionId,
    profile: &'a ReferralProfile,
    at: Timestamp,
) -> impl Iterator<Item = ReferralId> + 'a {
    let since = at.saturating_add_micros(-state.rules(region).double_within_micros);
    let told = profile.area.is_some() && profile.age_band.is_some();
    state
        .referrals
        .values()
        .filter(move |other| told && other.region == *region && other.made_at >= since && other.end.is_none())
        .filter(|other| {
            let other = &other.profile;
            other.referral != profile.referral
                && other.origin == profile.origin
                && other.area == profile.area
                && other.age_band == profile.age_band
                && other.care_type == profile.care_type
                && other.sex == profile.sex
        })
        .map(Referral::id)
}

/// Whether this referral is known and this desk's, ended or not: for what is only looked at.
pub(super) fn known(state: &Here<'_>, named: ReferralId) -> Result<(), Refusal> {
    referral(state, named).map(|_| ())
}
