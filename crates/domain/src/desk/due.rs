//! What falls due: offers nobody answered, holds whose time ran out, locations that were silent for long.
//!
//! A pure question to the state, so that a keeper can be restarted at any moment: what was done is in the log and does
//! not fall due again; what was not, does, with the same id. Not here: the clock that asks.

use alloc::vec::Vec;

use super::{Act, Actor, Command, Hold, Referral, State};
use crate::{EventId, LocationId, OfferId, RegionId, SourceId, Timestamp};

/// Salts of the ids: one thing can lapse as an offer and as a hold.
const OFFER: u64 = 1;
const HOLD: u64 = 2;
const SILENCE: u64 = 3;

/// Something that falls due, and what is to be done then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Whose desk keeps it.
    pub region: RegionId,
    /// What.
    pub act: Act,
    /// The id of what is done: the same, whoever does it.
    pub id: EventId,
}

impl Due {
    /// The command of the keeper that does it now.
    #[must_use]
    pub fn command(self, source: SourceId, now: Timestamp) -> Command {
        let Self { id, region, act, at: _ } = self;
        Command { id, source, region, at: now, occurred_at: None, by: Actor::Keeper, act }
    }
}

/// What fell due until `at`, the oldest first.
#[must_use]
pub fn due(state: &State, at: Timestamp) -> Vec<Due> {
    let fell_due = deadlines(state).filter(|(until, _)| *until <= at);
    let mut all: Vec<Due> = fell_due.filter_map(|(until, what)| what.due(until)).collect();
    all.sort_by_key(|due| (due.at, due.id));
    all
}

/// When the next thing falls due.
#[must_use]
pub fn next_due(state: &State) -> Option<Timestamp> {
    deadlines(state).map(|(at, _)| at).min()
}

/// Holds that run out soon, of which location and desk are warned; also those whose time is over and a person was asked.
pub fn about_to_lapse<'a>(
    state: &'a State,
    region: &'a RegionId,
    now: Timestamp,
) -> impl Iterator<Item = (&'a Referral, &'a Hold)> {
    let soon = now.saturating_add_micros(state.rules(region).hold_warning_micros);
    let open = state.referrals.values();
    let open = open.filter(move |referral| referral.end.is_none() && referral.region == *region);
    open.flat_map(|referral| referral.holds.iter().map(move |hold| (referral, hold)))
        .filter(move |(_, hold)| hold.until <= soon)
}

/// What a deadline is about. Of thousands that wait the few that are due become a [`Due`].
enum Deadline<'a> {
    Offer(&'a Referral, OfferId),
    Hold(&'a Referral, &'a Hold),
    Silence(&'a RegionId, &'a LocationId),
}

impl Deadline<'_> {
    fn due(self, at: Timestamp) -> Option<Due> {
        Some(match self {
            Self::Offer(referral, offer) => Due {
                at,
                region: referral.region.clone(),
                act: Act::LapseOffer { offer: referral.offer_ref(offer)? },
                id: EventId::of_deadline(at, offer.uuid(), OFFER),
            },
            Self::Hold(referral, hold) => Due {
                at,
                region: referral.region.clone(),
                act: Act::LapseHold { referral: referral.id(), place: hold.place.clone() },
                id: EventId::of_deadline(at, referral.id().uuid(), HOLD ^ name_salt(&hold.place.location)),
            },
            Self::Silence(region, location) => Due {
                at,
                region: region.clone(),
                act: Act::AskConfirmation { location: location.clone() },
                id: EventId::of_deadline(at, uuid::Uuid::nil(), SILENCE ^ name_salt(location)),
            },
        })
    }
}

fn deadlines(state: &State) -> impl Iterator<Item = (Timestamp, Deadline<'_>)> {
    let open = state.referrals.values();
    let open = open.filter(|referral| referral.end.is_none());
    let of_referrals = open.flat_map(|referral| {
        let offers = referral.offers.iter().filter(|(_, offer)| offer.timed && offer.is_open());
        let offers = offers.map(|(id, offer)| (offer.answer_by, Deadline::Offer(referral, *id)));
        let holds = referral.holds.iter().filter(|hold| hold.timed && !hold.overdue);
        offers.chain(holds.map(|hold| (hold.until, Deadline::Hold(referral, hold))))
    });
    let silent = state.locations.keys().filter_map(|location| {
        let (region, at) = silent_from(state, location)?;
        Some((at, Deadline::Silence(region, location)))
    });
    of_referrals.chain(silent)
}

/// From when on a location is to be asked whether the board still holds, and by whose desk; `None` if it was asked since
/// its last word, or is not known.
pub(super) fn silent_from<'a>(state: &'a State, location: &LocationId) -> Option<(&'a RegionId, Timestamp)> {
    let (region, _) = state.board.mode_of(location)?;
    let intake = state.locations.get(location)?;
    if intake.asked_at.is_some() {
        return None;
    }
    let rules = state.rules(region);
    Some((region, intake.silent_from(rules.silence_micros, rules.silence_paces, rules.silence_micros_min)))
}

/// FNV-1a of the name: ids of deadlines of different locations differ.
fn name_salt(location: &LocationId) -> u64 {
    location.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
