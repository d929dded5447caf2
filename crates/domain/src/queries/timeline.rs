//! What became of a referral, from its events: one entry each, in the order of the log.
//!
//! Not here: the sentences (`tell`), reading the events (a shell: everything with the tag of the referral and its stay).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::Serialize;

use super::tell::{tell, tell_won};
use crate::words::Sentence;
use crate::{Fact, LocationId, Recorded, ReferralId, SourceId, StayId, Timestamp};

/// The most entries of one referral; one with more has gone wrong, and its newest tell more than its oldest.
pub const TIMELINE_MAX: usize = 1_000;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Which event.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it happened, as its source says.
    pub occurred_at: Timestamp,
    /// Who said so.
    pub source: SourceId,
    /// Of which type, such as `offer.sent`.
    pub kind: &'static str,
    /// At which location.
    pub location: Option<LocationId>,
    /// What happened.
    pub sentence: Sentence,
}

/// What became of a referral and of the stay it led to, the oldest first; the newest [`TIMELINE_MAX`].
#[must_use]
pub fn timeline<'a>(events: impl IntoIterator<Item = &'a Recorded>, referral: ReferralId) -> Vec<Entry> {
    let mut stays: BTreeSet<StayId> = BTreeSet::new();
    let mut entries = Vec::new();
    let mut promise: Option<&Recorded> = None;
    for recorded in events {
        let fact = &recorded.event.fact;
        let of_referral = fact.referral() == Some(referral);
        if let (true, Fact::StayAdmitted { stay, .. }) = (of_referral, fact) {
            stays.insert(*stay);
        }
        if !of_referral && !fact.stay().is_some_and(|stay| stays.contains(&stay)) {
            continue;
        }
        let won = promise.is_some_and(|promise| is_won_by(promise, recorded));
        entries.push(entry(recorded, if won { tell_won(fact) } else { tell(fact) }));
        if matches!(fact, Fact::OfferAccepted { .. }) {
            promise = Some(recorded);
        }
    }
    entries.split_off(entries.len().saturating_sub(TIMELINE_MAX))
}

/// What became of a stay alone, the oldest first; the newest [`TIMELINE_MAX`].
#[must_use]
pub fn timeline_of_stay<'a>(events: impl IntoIterator<Item = &'a Recorded>, stay: StayId) -> Vec<Entry> {
    let own = events.into_iter().filter(|recorded| recorded.event.fact.stay() == Some(stay));
    let mut entries: Vec<Entry> = own.map(|recorded| entry(recorded, tell(&recorded.event.fact))).collect();
    entries.split_off(entries.len().saturating_sub(TIMELINE_MAX))
}

fn entry(recorded: &Recorded, sentence: Sentence) -> Entry {
    let fact = &recorded.event.fact;
    Entry {
        position: recorded.position,
        recorded_at: recorded.recorded_at,
        occurred_at: recorded.event.occurred_at,
        source: recorded.event.source.clone(),
        kind: fact.kind(),
        location: fact.location().cloned(),
        sentence,
    }
}

/// Whether nobody chose and the rule that the first promise wins did: then the promise and the choice are one act.
fn is_won_by(promise: &Recorded, chosen: &Recorded) -> bool {
    let (before, after) = (&promise.event, &chosen.event);
    let (Fact::OfferAccepted { offer: promised, .. }, Fact::OfferChosen { offer, .. }) =
        (&before.fact, &after.fact)
    else {
        return false;
    };
    let one_act = before.source == after.source && before.id.following(1) == after.id;
    promised == offer && one_act && promise.position.saturating_add(1) == chosen.position
}
