//! Questions about a location: its beds, the offers before it, its stays.

use domain::access::Action;
use domain::desk::State;
use domain::{LocationId, StayId};
use serde::Serialize;
use utoipa::ToSchema;
use views::CountsAs;

use super::regions::{Contradictions, LocationShown, of_location};
use super::shown::{OfferShown, PlaceShown, PlanShown, ProfileShown};
use super::{Look, questions};
use crate::api::problem::Problem;
use crate::api::scope::Subject;
use crate::api::value::{
    BedCode, CareCode, Moment, ReferralNumber, RegionCode, StayNumber, Text, WaitingCode, Words,
};

/// The most offers that are given at once: more than any house answers in a day.
const OFFERS_SHOWN_MAX: usize = 500;

/// A location bed by bed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct House {
    location: LocationShown,
    beds: Vec<BedShown>,
}

/// One bed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BedShown {
    bed: BedCode,
    #[schema(value_type = String)]
    care_type: &'static str,
    counts_as: BedStanding,
    /// Who is in it.
    stay: Option<StayNumber>,
}

/// What a bed counts as.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum BedStanding {
    /// Somebody is in it.
    Occupied,
    /// It is kept for a referral.
    Held,
    /// It is being cleaned, or contaminated.
    NotReady,
    /// It is out of use, or admissions are stopped where it stands.
    Closed,
    /// There is nobody to give care.
    Unstaffed,
    /// It is kept back, to be asked for.
    Reserve,
    /// It can be offered.
    Offerable,
}

/// The offers before a location that it can still answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OffersBefore {
    offers: Vec<OfferBefore>,
    /// How many more there are.
    left_off: usize,
}

/// One offer, with what is known of whom it is for: nothing that identifies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfferBefore {
    referral: ReferralNumber,
    region: RegionCode,
    offer: OfferShown,
    profile: ProfileShown,
}

/// A stay.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StayShown {
    stay: StayNumber,
    region: RegionCode,
    /// Where it is, or last was.
    place: PlaceShown,
    referral: Option<ReferralNumber>,
    closed_at: Option<Moment>,
    waits_for: Option<WaitingCode>,
    waits_since: Option<Moment>,
    plan: Vec<PlanShown>,
    expected_at: Option<Moment>,
    funding: Option<Words>,
    /// What the weighing came to when the person was seen.
    reviewed: Option<CareCode>,
}

fn bed(card: views::BedCard) -> BedShown {
    let (counts_as, stay) = match card.counts_as {
        CountsAs::Occupied(stay) => (BedStanding::Occupied, Some(Text(stay))),
        CountsAs::Held => (BedStanding::Held, None),
        CountsAs::NotReady => (BedStanding::NotReady, None),
        CountsAs::Closed => (BedStanding::Closed, None),
        CountsAs::Unstaffed => (BedStanding::Unstaffed, None),
        CountsAs::Reserve => (BedStanding::Reserve, None),
        CountsAs::Offerable => (BedStanding::Offerable, None),
    };
    BedShown { bed: Text(card.bed), care_type: card.care_type.as_str(), counts_as, stay }
}

fn house(look: &Look<'_>, state: &State, location: &LocationId) -> Result<House, Problem> {
    let card = state.board.location(location).ok_or(Problem::NotThere)?;
    let shown = LocationShown::of(card, look.sees_why_stopped(state, location));
    Ok(House { location: shown, beds: state.board.beds(location).map(bed).collect() })
}

fn offers(state: &State, location: &LocationId) -> OffersBefore {
    let open = state.referrals.values().filter(|referral| referral.end.is_none()).flat_map(|referral| {
        let own = referral.offers.iter().filter(|(_, offer)| offer.location == *location && offer.is_open());
        own.map(move |(id, offer)| OfferBefore {
            referral: Text(referral.profile.referral),
            region: Text(referral.region.clone()),
            offer: OfferShown::of(referral, *id, offer),
            profile: (&referral.profile).into(),
        })
    });
    let mut offers: Vec<OfferBefore> = open.collect();
    let left_off = offers.len().saturating_sub(OFFERS_SHOWN_MAX);
    offers.truncate(OFFERS_SHOWN_MAX);
    OffersBefore { offers, left_off }
}

fn stay(state: &State, id: StayId) -> Result<StayShown, Problem> {
    let stay = state.stays.get(&id).ok_or(Problem::NotThere)?;
    Ok(StayShown {
        stay: Text(id),
        region: Text(stay.region.clone()),
        place: (&stay.place).into(),
        referral: stay.referral.map(Text),
        closed_at: stay.closed_at.map(Text),
        waits_for: stay.waiting.clone().map(|(what, _)| Text(what)),
        waits_since: stay.waiting.as_ref().map(|(_, since)| Text(*since)),
        plan: stay.plan.iter().map(Into::into).collect(),
        expected_at: stay.expected_at.map(Text),
        funding: stay.funding.clone().map(Text),
        reviewed: stay.reviewed.clone().map(Text),
    })
}

questions! {
    #[doc = "A location bed by bed."]
    AskHouse = "house" at "/locations/{location}" {
    } -> House, |_, look| {
        let location = look.parts.read("location")?;
        let about = |state: &State| Subject::location(state, &location, look.now);
        look.at(Action::Beds, about, |state| house(&look, state, &location))
    };

    #[doc = "The offers before a location that it can still answer."]
    AskOffers = "offers" at "/locations/{location}/offers" {
    } -> OffersBefore, |_, look| {
        let location = look.parts.read("location")?;
        let about = |state: &State| Subject::location(state, &location, look.now);
        look.at(Action::Offers, about, |state| Ok(offers(state, &location)))
    };

    #[doc = "What does not fit and is a location's own to solve."]
    AskOwnContradictions = "ownContradictions" at "/locations/{location}/contradictions" {
    } -> Contradictions, |_, look| of_location(&look, &look.parts.read("location")?);

    #[doc = "A stay as it stands."]
    AskStay = "stay" at "/stays/{stay}" {
    } -> StayShown, |_, look| {
        let id = look.parts.read("stay")?;
        let about = |state: &State| Subject::stay(state, id, look.now);
        look.at(Action::Stay, about, |state| stay(state, id))
    };
}
