//! What the views of flow and unmet demand remember of a referral.
//!
//! Not here: what they count (`flow`, `unmet`).

use alloc::collections::BTreeMap;

use domain::{Event, Fact, Origin, ReferralId, ReferralProfile, Timestamp};
use serde::{Deserialize, Serialize};

use crate::CareCode;
use crate::flow::place;

/// A referral that nothing was heard of for so long is forgotten, in microseconds: 180 days.
const FORGOTTEN_MICROS: i64 = 180 * DAY_MICROS;
/// One that ended is, too; an admission can be undone for about as long.
const ENDED_MICROS: i64 = 31 * DAY_MICROS;
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// One referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// When it was made, as its source says.
    pub(crate) made_at: Timestamp,
    /// Where it comes from, by its place in the list of the contract.
    pub(crate) origin: u8,
    /// What was last asked for.
    pub(crate) care: CareCode,
    /// The first two digits of the postcode.
    pub(crate) area: Option<u8>,
    /// When something was last heard of it.
    heard_at: Timestamp,
    ended: bool,
}

/// The referrals that are remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Referrals(BTreeMap<ReferralId, Asked>);

impl Referrals {
    pub(crate) fn get(&self, referral: ReferralId) -> Option<&Asked> {
        self.0.get(&referral)
    }

    /// Takes what an event says of a referral.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what says nothing of a referral changes none")]
    pub(crate) fn take(&mut self, event: &Event, now: Timestamp) {
        match &event.fact {
            Fact::ReferralMade(profile) => {
                self.0.entry(profile.referral).or_insert_with(|| asked(profile, event.occurred_at, now));
            }
            Fact::ReferralChanged(profile) => {
                if let Some(known) = self.0.get_mut(&profile.referral) {
                    *known = Asked { ended: known.ended, ..asked(profile, known.made_at, now) };
                }
            }
            Fact::ReferralTriaged { referral, outcome, .. } => self.wants(*referral, outcome.into(), now),
            Fact::OfferSent { offer, care_type, .. } => self.wants(offer.referral, care_type.into(), now),
            Fact::ReferralWithdrawn { referral, .. }
            | Fact::ReferralDiverted { referral, .. }
            | Fact::ReferralExpiredUnplaced { referral, .. }
            | Fact::StayAdmitted { referral: Some(referral), .. } => {
                if let Some(known) = self.0.get_mut(referral) {
                    (known.ended, known.heard_at) = (true, now);
                }
            }
            _ => {}
        }
    }

    fn wants(&mut self, referral: ReferralId, care: CareCode, now: Timestamp) {
        if let Some(known) = self.0.get_mut(&referral) {
            (known.care, known.heard_at) = (care, now);
        }
    }

    /// Forgets what nobody asks about any more.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, known| {
            let kept = if known.ended { ENDED_MICROS } else { FORGOTTEN_MICROS };
            known.heard_at.saturating_add_micros(kept) >= now
        });
    }
}

fn asked(profile: &ReferralProfile, made_at: Timestamp, heard_at: Timestamp) -> Asked {
    Asked {
        made_at,
        origin: place(Origin::KNOWN, profile.origin.code()),
        care: profile.care_type.as_ref().map_or_else(|| CareCode::from("other"), CareCode::from),
        area: profile.area.as_ref().and_then(|area| area.as_str().parse().ok()),
        heard_at,
        ended: false,
    }
}
