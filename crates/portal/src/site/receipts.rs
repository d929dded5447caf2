//! The decision receipts of a referral: the lists as they were shown, made again from the log alone.
//!
//! Not here: how a list comes about (`domain::matching`), the page around it (`lookback`).

use std::collections::{BTreeMap, BTreeSet};

use domain::matching::receipt_of;
use domain::{Fact, LocationId, Matched, OfferId, Recorded, ReferralId, RegionId, Timestamp};

use super::words::{called, say_at};
use crate::api::questions::Look;
use crate::text;

/// Receipts of a referral on a page; the newest.
const RECEIPTS_SHOWN_MAX: usize = 5;

/// A list as it was shown.
pub(super) struct Receipt {
    pub(super) position: u64,
    pub(super) moment: String,
    pub(super) care_type: String,
    pub(super) regions: String,
    pub(super) weights: [u32; 5],
    pub(super) candidates: Vec<Candidate>,
    pub(super) excluded: Vec<(String, Vec<String>)>,
    pub(super) left_off: u32,
    pub(super) after: bool,
}

pub(super) struct Candidate {
    pub(super) location: String,
    /// It was asked by this list,
    pub(super) asked: bool,
    /// and its promise was chosen.
    pub(super) chosen: bool,
    pub(super) bed: Option<String>,
    pub(super) minutes: Option<u32>,
    pub(super) score: u32,
    pub(super) parts: [u32; 5],
    pub(super) why: Vec<String>,
}

/// The lists that were kept with its offers, each with the position of its event, the newest first.
pub(super) fn receipts(
    look: &Look<'_>,
    events: &[Recorded],
    id: ReferralId,
    until: u64,
    now: Timestamp,
) -> Vec<Receipt> {
    let kept = events.iter().filter_map(|recorded| {
        let matched = receipt_of([&recorded.event], id).next()?;
        Some((recorded.position, matched))
    });
    let mut receipts: Vec<Receipt> = kept
        .map(|(position, matched)| Receipt {
            after: position > until,
            ..receipt(look, position, matched, &Came::of(events, position, id), now)
        })
        .collect();
    receipts.reverse();
    receipts.truncate(RECEIPTS_SHOWN_MAX);
    receipts
}

/// What came of a list: the offers that were sent with it, and whose promise was chosen.
struct Came<'a> {
    asked: BTreeMap<OfferId, &'a LocationId>,
    chosen: BTreeSet<OfferId>,
}

impl<'a> Came<'a> {
    /// The offers stand right behind their list.
    fn of(events: &'a [Recorded], list: u64, id: ReferralId) -> Self {
        let behind = events.iter().filter(|recorded| recorded.position > list);
        let next = behind.clone().find(|recorded| receipt_of([&recorded.event], id).next().is_some());
        let until = next.map_or(u64::MAX, |recorded| recorded.position);
        let (mut asked, mut chosen) = (BTreeMap::new(), BTreeSet::new());
        for recorded in behind {
            if let Fact::OfferSent { offer, .. } = &recorded.event.fact
                && recorded.position < until
            {
                asked.insert(offer.offer, &offer.location);
            } else if let Fact::OfferChosen { offer, .. } = &recorded.event.fact {
                chosen.insert(offer.offer);
            }
        }
        Self { asked, chosen }
    }

    fn is_asked(&self, location: &LocationId) -> bool {
        self.asked.values().any(|asked| *asked == location)
    }

    fn is_chosen(&self, location: &LocationId) -> bool {
        self.asked.iter().any(|(offer, asked)| *asked == location && self.chosen.contains(offer))
    }
}

fn receipt(look: &Look<'_>, position: u64, matched: &Matched, came: &Came<'_>, now: Timestamp) -> Receipt {
    let weights = &matched.weights;
    let named = |location: &LocationId| {
        look.portal.app.desk.state().read(|state| called(state, location, now, look.lang).name)
    };
    let candidate = |one: &domain::Candidate| Candidate {
        location: named(&one.location),
        asked: came.is_asked(&one.location),
        chosen: came.is_chosen(&one.location),
        bed: one.bed.as_ref().map(|bed| text::shown(bed.as_str())),
        minutes: one.minutes,
        score: one.score,
        parts: [one.parts.fit, one.parts.distance, one.parts.wish, one.parts.truth, one.parts.spread],
        why: matched.why(one).into_iter().map(|why| say_at(look.lang, why, now)).collect(),
    };
    let excluded = |one: &domain::Excluded| {
        (named(&one.location), one.why().into_iter().map(|why| say_at(look.lang, why, now)).collect())
    };
    let network = look.portal.app.registry.borrow().clone();
    let region = |code: &RegionId| {
        network.region(code).map_or_else(|| code.to_string(), |region| text::shown(region.name.as_str()))
    };
    let regions: Vec<String> = matched.regions.iter().map(region).collect();
    Receipt {
        position,
        moment: text::clock(matched.moment, now, look.lang),
        care_type: look.lang.code("care", matched.care_type.raw()),
        regions: regions.join(", "),
        weights: [weights.fit, weights.distance, weights.wish, weights.truth, weights.spread],
        candidates: matched.candidates.iter().map(candidate).collect(),
        excluded: matched.excluded.iter().map(excluded).collect(),
        left_off: matched.left_off,
        after: false,
    }
}
