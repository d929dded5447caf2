//! What answers are made of: offers, places, sentences, as programs and people read them.
//!
//! Not here: the questions.

use domain::desk::{End, Offer, OfferState, Referral};
use domain::{LocationId, OfferId, Place, PlanStep, ReferralProfile};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::value::{
    AgeCode, BedCode, CareCode, DeclinedBecause, FeatureCode, ItemStateCode, LocationCode, Moment,
    OfferNumber, OriginCode, PlanItemCode, PurposeCode, ReferralNumber, RegionCode, RoleCode, SourceUrn,
    Text, UrgencyCode, Words,
};

/// What is known of somebody who needs a place, coded and non-identifying.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProfileShown {
    origin: OriginCode,
    care_type: Option<CareCode>,
    urgency: UrgencyCode,
    ready_since: Option<Moment>,
    wished_at: Option<Moment>,
    area: Option<Words>,
    age_band: Option<AgeCode>,
    sex: Option<Words>,
    constraints: Vec<FeatureCode>,
    expected_days: Option<u32>,
    purpose: Option<PurposeCode>,
    channel: Words,
    payer: Option<Words>,
    consent: bool,
    callback_desk: Option<Words>,
    /// Something is sealed with it.
    has_private: bool,
}

impl From<&ReferralProfile> for ProfileShown {
    fn from(profile: &ReferralProfile) -> Self {
        let profile = profile.clone();
        Self {
            origin: Text(profile.origin),
            care_type: profile.care_type.map(Text),
            urgency: Text(profile.urgency),
            ready_since: profile.ready_since.map(Text),
            wished_at: profile.wished_at.map(Text),
            area: profile.area.map(Text),
            age_band: profile.age_band.map(Text),
            sex: profile.sex.map(Text),
            constraints: profile.constraints.into_iter().map(Text).collect(),
            expected_days: profile.expected_days,
            purpose: profile.purpose.map(Text),
            channel: Text(profile.channel),
            payer: profile.payer.map(Text),
            consent: profile.consent,
            callback_desk: profile.callback_desk.map(Text),
            has_private: profile.sealed.is_some(),
        }
    }
}

/// A place: a bed, or one of a care type.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlaceShown {
    location: LocationCode,
    bed: Option<BedCode>,
    care_type: CareCode,
}

impl From<&Place> for PlaceShown {
    fn from(place: &Place) -> Self {
        let Place { location, bed, care_type } = place.clone();
        Self { location: Text(location), bed: bed.map(Text), care_type: Text(care_type) }
    }
}

/// How far an offer is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OfferStanding {
    /// Nobody has looked.
    Sent,
    /// The location looked at it.
    Seen,
    /// It promised a place.
    Accepted,
    /// It said no.
    Declined,
    /// Nobody answered, or the hold of the promise ran out.
    Lapsed,
    /// The desk asks no longer.
    Revoked,
}

/// One location that was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfferShown {
    offer: OfferNumber,
    location: LocationCode,
    /// The bed that was asked for.
    bed: Option<BedCode>,
    /// The care type that was asked for.
    care_type: CareCode,
    /// Until when it can answer.
    answer_by: Moment,
    standing: OfferStanding,
    /// The bed that is promised.
    promised_bed: Option<BedCode>,
    /// From when it is promised.
    promised_from: Option<Moment>,
    /// The admitting doctor agreed.
    agreed: bool,
    /// Why it said no.
    declined: Option<DeclinedBecause>,
    /// With whom the desk spoke, if it recorded the answer.
    spoken_with: Option<RoleCode>,
    /// The location says that this is not its answer.
    contested: bool,
    /// It is the one.
    chosen: bool,
}

impl OfferShown {
    pub(super) fn of(referral: &Referral, id: OfferId, offer: &Offer) -> Self {
        let promise = offer.promise();
        let (standing, declined) = match &offer.state {
            OfferState::Sent => (OfferStanding::Sent, None),
            OfferState::Seen => (OfferStanding::Seen, None),
            OfferState::Accepted(_) => (OfferStanding::Accepted, None),
            OfferState::Declined(code) => (OfferStanding::Declined, Some(Text(code.clone()))),
            OfferState::Lapsed => (OfferStanding::Lapsed, None),
            OfferState::Revoked => (OfferStanding::Revoked, None),
        };
        Self {
            offer: Text(id),
            location: Text(offer.location.clone()),
            bed: offer.bed.clone().map(Text),
            care_type: Text(offer.care_type.clone()),
            answer_by: Text(offer.answer_by),
            standing,
            promised_bed: promise.and_then(|promise| promise.bed.clone()).map(Text),
            promised_from: promise.map(|promise| Text(promise.from)),
            agreed: promise.is_some_and(|promise| promise.agreed),
            declined,
            spoken_with: offer.spoken_with.clone().map(Text),
            contested: offer.contested,
            chosen: referral.chosen == Some(id),
        }
    }
}

/// How a referral ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndShown {
    /// `admitted`, `withdrawn`, `diverted` or `unplaced`.
    how: &'static str,
    /// The stay, or why; no stay for a location where it is not.
    about: Option<String>,
}

impl EndShown {
    fn of(end: &End, sees_stay: bool) -> Self {
        let (how, about) = match end {
            End::Admitted(stay) => ("admitted", sees_stay.then(|| stay.to_string())),
            End::Withdrawn(reason) => ("withdrawn", Some(reason.to_string())),
            End::Diverted(reason) => ("diverted", Some(reason.to_string())),
            End::Unplaced(reason) => ("unplaced", Some(reason.to_string())),
        };
        Self { how, about }
    }
}

/// One item of the plan for going home.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanShown {
    item: PlanItemCode,
    state: ItemStateCode,
    due: Option<Moment>,
}

impl From<&PlanStep> for PlanShown {
    fn from(step: &PlanStep) -> Self {
        let PlanStep { item, state, due } = step.clone();
        Self { item: Text(item), state: Text(state), due: due.map(Text) }
    }
}

/// A place that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HoldShown {
    place: PlaceShown,
    /// Until when.
    until: Moment,
    /// Its time ran out and a person is asked.
    overdue: bool,
}

/// A referral as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReferralShown {
    referral: ReferralNumber,
    /// Whose desk it is with.
    region: RegionCode,
    /// The desk that was asked to take it.
    asked: Option<RegionCode>,
    made_by: SourceUrn,
    made_at: Moment,
    profile: ProfileShown,
    /// The instrument of the weighing, with its version.
    instrument: Option<Words>,
    /// What the weighing came to.
    outcome: Option<CareCode>,
    /// The outcome of the answers was set aside for it.
    set_aside: bool,
    offers: Vec<OfferShown>,
    holds: Vec<HoldShown>,
    arrives_at: Option<Moment>,
    arrives_where: Option<LocationCode>,
    end: Option<EndShown>,
    ended_at: Option<Moment>,
}

impl ReferralShown {
    /// The referral, with what is of the locations that `sees` says; `stayed_at` is where the stay is that it ended with.
    pub(super) fn of(
        referral: &Referral,
        stayed_at: Option<&LocationId>,
        sees: impl Fn(&LocationId) -> bool,
    ) -> Self {
        let triage = referral.triage.as_ref();
        let offers = referral.offers.iter().filter(|(_, offer)| sees(&offer.location));
        let holds = referral.holds.iter().filter(|hold| sees(&hold.place.location));
        let arrival = referral.arrival.as_ref().filter(|arrival| sees(&arrival.location));
        let sees_stay = stayed_at.is_some_and(&sees);
        let hold = |hold: &domain::desk::Hold| HoldShown {
            place: (&hold.place).into(),
            until: Text(hold.until),
            overdue: hold.overdue,
        };
        Self {
            referral: Text(referral.profile.referral),
            region: Text(referral.region.clone()),
            asked: referral.with.clone().map(Text),
            made_by: Text(referral.made_by.clone()),
            made_at: Text(referral.made_at),
            profile: (&referral.profile).into(),
            instrument: triage.map(|triage| Text(triage.instrument.clone())),
            outcome: triage.map(|triage| Text(triage.outcome.clone())),
            set_aside: triage.is_some_and(|triage| triage.set_aside),
            offers: offers.map(|(id, offer)| OfferShown::of(referral, *id, offer)).collect(),
            holds: holds.map(hold).collect(),
            arrives_at: arrival.map(|arrival| Text(arrival.at)),
            arrives_where: arrival.map(|arrival| Text(arrival.location.clone())),
            end: referral.end.as_ref().map(|end| EndShown::of(end, sees_stay)),
            ended_at: referral.ended_at.map(Text),
        }
    }
}
