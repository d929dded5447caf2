//! The offers of a referral and the places that are kept for it, as its page shows them.
//!
//! Not here: whom to ask (`referral`), what the rules say (`by_rule`).

use domain::desk::{Offer, OfferState, Referral, State as DeskState};
use domain::queries::Doubt;
use domain::{DeclineCode, OfferId, Timestamp};

use crate::site::words::{Called, Choice, When, called, choices};
use crate::text;
use crate::words::Lang;

/// A location that was asked.
#[expect(clippy::struct_excessive_bools, reason = "each is one question about one line of a page")]
pub(super) struct OfferLine {
    pub(super) id: String,
    pub(super) location: Called,
    pub(super) state: (String, String),
    pub(super) answer_by: When,
    pub(super) open: bool,
    pub(super) promised: Option<String>,
    pub(super) agreed: bool,
    pub(super) why: Option<String>,
    pub(super) spoken_with: Option<String>,
    pub(super) contested: bool,
    pub(super) chosen: bool,
    pub(super) choosable: bool,
    pub(super) declines: Vec<Choice>,
    pub(super) now: String,
}

/// A place that is kept.
pub(super) struct PlaceLine {
    pub(super) location: Called,
    pub(super) bed: String,
    pub(super) care_code: String,
    pub(super) until: When,
    pub(super) overdue: bool,
    /// Why it may not be had after all.
    pub(super) doubt: Option<String>,
    pub(super) arrives: Option<When>,
    pub(super) transport: Option<String>,
    pub(super) stay: String,
    pub(super) winner: bool,
    /// The doctor agreed.
    pub(super) agreed: bool,
}

pub(super) fn offer_line(
    state: &DeskState,
    referral: &Referral,
    id: OfferId,
    offer: &Offer,
    (now, lang): (Timestamp, Lang),
) -> OfferLine {
    let promise = offer.promise();
    let (class, why) = match &offer.state {
        OfferState::Sent => ("sent", None),
        OfferState::Seen => ("seen", None),
        OfferState::Accepted(_) => ("accepted", None),
        OfferState::Declined(code) => {
            let class = if offer.taken_back { "taken-back" } else { "declined" };
            (class, Some(lang.code("decline", code.raw())))
        }
        OfferState::Lapsed => ("lapsed", None),
        OfferState::Revoked => ("revoked", None),
    };
    OfferLine {
        id: id.to_string(),
        location: called(state, &offer.location, now, lang),
        state: (class.to_owned(), lang.code("offer", class)),
        answer_by: When::of(offer.answer_by, now, lang),
        open: offer.is_open(),
        promised: promise.map(|promise| text::clock(promise.from, now, lang)),
        agreed: promise.is_some_and(|promise| promise.agreed),
        why,
        spoken_with: offer.spoken_with.as_ref().map(|role| lang.code("role", role.raw())),
        contested: offer.contested,
        chosen: referral.chosen == Some(id),
        choosable: referral.chosen.is_none() && promise.is_some(),
        declines: choices(lang, "decline", DeclineCode::KNOWN, &[]),
        now: text::local(now),
    }
}

pub(super) fn places(
    state: &DeskState,
    referral: &Referral,
    (now, lang): (Timestamp, Lang),
    sees: bool,
) -> Vec<PlaceLine> {
    let winner = referral.winner();
    let arrival = |hold: &domain::desk::Hold| {
        referral.arrival.as_ref().filter(|arrival| arrival.location == hold.place.location)
    };
    let line = |hold: &domain::desk::Hold| PlaceLine {
        location: called(state, &hold.place.location, now, lang),
        bed: hold.place.bed.as_ref().map_or_else(String::new, ToString::to_string),
        care_code: hold.place.care_type.raw().to_owned(),
        until: When::of(hold.until, now, lang),
        overdue: hold.overdue,
        doubt: Doubt::of(state, referral, hold).map(|doubt| lang.code("doubt", doubt.code())),
        arrives: arrival(hold).map(|arrival| When::of(arrival.at, now, lang)),
        transport: arrival(hold)
            .and_then(|arrival| arrival.transport.as_ref())
            .map(|transport| text::shown(transport.as_str())),
        stay: uuid::Uuid::now_v7().to_string(),
        winner: winner.map(|winner| &winner.location) == Some(&hold.place.location),
        agreed: winner.and_then(Offer::promise).is_some_and(|promise| promise.agreed),
    };
    referral.holds.iter().filter(|_| sees).map(line).collect()
}
