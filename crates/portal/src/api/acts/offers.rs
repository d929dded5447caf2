//! Offers: sent, answered, chosen. An answer by telephone names with whom it was spoken.

use domain::OfferRef;
use domain::desk::Act;

use super::parts::AskedLocation;
use super::{At, acts, limited};
use crate::api::problem::Problem;
use crate::api::value::{BedCode, CareCode, DeclinedBecause, Moment, RoleCode, plain};

/// The offer of this address, as it was sent.
fn offer(at: &At<'_>) -> Result<OfferRef, Problem> {
    let (referral, offer) = (at.parts.read("referral")?, at.parts.read("offer")?);
    let known = at.state.referrals.get(&referral).and_then(|referral| referral.offers.get(&offer));
    let location = known.map(|known| known.location.clone()).ok_or(Problem::NotThere)?;
    Ok(OfferRef { offer, referral, location })
}

/// The care type that was asked for.
fn asked(at: &At<'_>, offer: &OfferRef) -> Option<domain::CareType> {
    let referral = at.state.referrals.get(&offer.referral)?;
    referral.offers.get(&offer.offer).map(|known| known.care_type.clone())
}

acts! {
    #[doc = "Locations are asked for a place, at once."]
    SendOffers = "sendOffers" at "/referrals/{referral}/offers" is SendOffers {
        /// Which locations.
        #[schema(max_items = 64)]
        to: Vec<AskedLocation>,
        /// Until when they can answer; otherwise as the rules say.
        answer_by: Option<Moment>,
    } |body, at| Act::SendOffers {
        referral: at.parts.read("referral")?,
        to: limited(body.to, "locations")?.into_iter().map(Into::into).collect(),
        answer_by: plain(body.answer_by),
        // What was looked at is added by whoever looks: the API, when it is done.
        receipt: None,
    };

    #[doc = "The location looked at an offer."]
    SeeOffer = "seeOffer" at "/referrals/{referral}/offers/{offer}/seen" is SeeOffer {
    } |_, at| Act::SeeOffer { offer: offer(at)? };

    #[doc = "The desk asks no longer."]
    RevokeOffer = "revokeOffer" at "/referrals/{referral}/offers/{offer}/revoke" is RevokeOffer {
    } |_, at| Act::RevokeOffer { offer: offer(at)? };

    #[doc = "The location promises a place; the desk records it with whom it spoke."]
    AcceptOffer = "acceptOffer" at "/referrals/{referral}/offers/{offer}/accept" is AcceptOffer {
        /// A certain bed; otherwise one of the type.
        bed: Option<BedCode>,
        /// The care type; otherwise the one that was asked for.
        care_type: Option<CareCode>,
        /// From when.
        from: Moment,
        /// Who promised.
        role: RoleCode,
        /// With whom the desk spoke on the telephone.
        spoken_with: Option<RoleCode>,
    } |body, at| {
        let offer = offer(at)?;
        let care_type = plain(body.care_type).or_else(|| asked(at, &offer)).ok_or(Problem::NotThere)?;
        Act::AcceptOffer {
            offer,
            bed: plain(body.bed),
            care_type,
            from: body.from.0,
            role: body.role.0,
            spoken_with: plain(body.spoken_with),
        }
    };

    #[doc = "The location says no; the desk records it with whom it spoke."]
    DeclineOffer = "declineOffer" at "/referrals/{referral}/offers/{offer}/decline" is DeclineOffer {
        /// Why.
        code: DeclinedBecause,
        /// With whom the desk spoke on the telephone.
        spoken_with: Option<RoleCode>,
    } |body, at| Act::DeclineOffer {
        offer: offer(at)?,
        code: body.code.0,
        spoken_with: plain(body.spoken_with),
    };

    #[doc = "The location cannot keep what it promised; the desk records it with whom it spoke."]
    TakeBackPromise = "takeBackPromise" at "/referrals/{referral}/offers/{offer}/take-back" is TakeBackPromise {
        /// Why.
        code: DeclinedBecause,
        /// With whom the desk spoke on the telephone.
        spoken_with: Option<RoleCode>,
    } |body, at| Act::TakeBackPromise {
        offer: offer(at)?,
        code: body.code.0,
        spoken_with: plain(body.spoken_with),
    };

    #[doc = "The admitting doctor agrees."]
    AgreeMedically = "agreeMedically" at "/referrals/{referral}/offers/{offer}/agree" is AgreeMedically {
        /// Who agrees.
        role: RoleCode,
    } |body, at| Act::AgreeMedically { offer: offer(at)?, role: body.role.0 };

    #[doc = "The location never gave the answer that was recorded for it."]
    ContestAnswer = "contestAnswer" at "/referrals/{referral}/offers/{offer}/contest" is ContestAnswer {
        /// Who says so.
        role: RoleCode,
    } |body, at| Act::ContestAnswer { offer: offer(at)?, role: body.role.0 };

    #[doc = "Of those that promised a place, this one."]
    ChooseOffer = "chooseOffer" at "/referrals/{referral}/offers/{offer}/choose" is ChooseOffer {
        /// Who chose, or for the family.
        role: RoleCode,
    } |body, at| Act::ChooseOffer { offer: offer(at)?, role: body.role.0 };
}
