//! What bodies of acts are made of: a profile, a place, a plan.
//!
//! Not here: the acts.

use domain::desk::{Answer, Asked};
use domain::{
    AdmissionWindow, BedProfile, BedRef, LocationId, LocationProfile, Place, PlanStep, ReferralId,
    ReferralProfile, ReportedCount,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::limited;
use crate::api::problem::Problem;
use crate::api::upto::{Places, StayDays};
use crate::api::value::{
    AgeCode, BedCode, CareCode, FeatureCode, ItemStateCode, LocationCode, ModeCode, Moment, OfferNumber,
    OriginCode, PlanItemCode, PurposeCode, UrgencyCode, Words, all, plain,
};

/// What is known of somebody who needs a place, coded and non-identifying.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// Who asks.
    origin: OriginCode,
    /// The care type asked for, if already known.
    care_type: Option<CareCode>,
    /// How soon.
    urgency: UrgencyCode,
    /// Since when the person could go.
    ready_since: Option<Moment>,
    /// When a place is wished for.
    wished_at: Option<Moment>,
    /// The first two digits of the postcode.
    #[schema(pattern = "^[0-9]{2}$")]
    area: Option<String>,
    /// Age in a band.
    age_band: Option<AgeCode>,
    /// Sex as recorded by the referrer.
    sex: Option<Words>,
    /// What the place must offer.
    #[serde(default)]
    #[schema(max_items = 64)]
    constraints: Vec<FeatureCode>,
    /// Expected length of stay in days.
    expected_days: Option<StayDays>,
    /// What the stay is for.
    purpose: Option<PurposeCode>,
    /// How it came in, such as `phone` or `api`.
    channel: Words,
    /// Who pays.
    payer: Option<Words>,
    /// The person agreed to being referred.
    #[serde(default)]
    consent: bool,
    /// The desk that calls back.
    callback_desk: Option<Words>,
}

impl Profile {
    pub(super) fn of(self, referral: ReferralId) -> Result<ReferralProfile, Problem> {
        let area = self.area.map(|area| {
            let digits = area.len() == 2 && area.bytes().all(|byte| byte.is_ascii_digit());
            let label = area.parse().ok().filter(|_| digits);
            label.ok_or_else(|| Problem::Unfit("`area` is the first two digits of the postcode".to_owned()))
        });
        Ok(ReferralProfile {
            referral,
            origin: self.origin.0,
            care_type: plain(self.care_type),
            urgency: self.urgency.0,
            ready_since: plain(self.ready_since),
            wished_at: plain(self.wished_at),
            area: area.transpose()?,
            age_band: plain(self.age_band),
            sex: plain(self.sex),
            constraints: all(limited(self.constraints, "constraints")?),
            expected_days: self.expected_days.map(|days| days.0),
            purpose: plain(self.purpose),
            channel: self.channel.0,
            payer: plain(self.payer),
            consent: self.consent,
            callback_desk: plain(self.callback_desk),
            sealed: None,
        })
    }
}

/// A bed at its location.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bed {
    /// The location.
    location: LocationCode,
    /// The bed, unique in its location.
    bed: BedCode,
}

impl From<Bed> for BedRef {
    fn from(bed: Bed) -> Self {
        Self { location: bed.location.0, bed: bed.bed.0 }
    }
}

/// A place at a location: a bed, or one of a care type at a location without bed records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spot {
    /// The location.
    location: LocationCode,
    /// The bed, where the location keeps bed records.
    bed: Option<BedCode>,
    /// The care type.
    care_type: CareCode,
}

impl From<Spot> for Place {
    fn from(spot: Spot) -> Self {
        Self { location: spot.location.0, bed: plain(spot.bed), care_type: spot.care_type.0 }
    }
}

/// One item of the plan for going home.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanEntry {
    /// What has to be arranged.
    item: PlanItemCode,
    /// How far it is.
    state: ItemStateCode,
    /// By when.
    due: Option<Moment>,
}

/// A plan.
pub(super) fn plan(items: Vec<PlanEntry>) -> Result<Vec<PlanStep>, Problem> {
    let step =
        |entry: PlanEntry| PlanStep { item: entry.item.0, state: entry.state.0, due: plain(entry.due) };
    Ok(limited(items, "items of a plan")?.into_iter().map(step).collect())
}

/// A location that is asked for a place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedLocation {
    /// The id of the offer, a UUID that the asker makes.
    offer: OfferNumber,
    /// The location.
    location: LocationCode,
    /// A certain bed.
    bed: Option<BedCode>,
    /// The care type.
    care_type: CareCode,
}

impl From<AskedLocation> for Asked {
    fn from(asked: AskedLocation) -> Self {
        Self {
            offer: asked.offer.0,
            location: asked.location.0,
            bed: plain(asked.bed),
            care_type: asked.care_type.0,
        }
    }
}

/// One answer of the weighing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerGiven {
    /// The question.
    #[schema(max_length = 64)]
    question: String,
    /// Yes.
    yes: bool,
}

impl From<AnswerGiven> for Answer {
    fn from(given: AnswerGiven) -> Self {
        Self { question: given.question, yes: given.yes }
    }
}

/// What a location says of itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Site {
    /// The organisation it belongs to.
    provider: Words,
    /// What people call it.
    name: Words,
    /// Whether it keeps bed records; does not change after the first registration.
    mode: ModeCode,
    /// What it offers.
    #[schema(max_items = 64)]
    care_types: Vec<CareCode>,
    /// The four digits of its postcode.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}$")]
    postcode4: Option<Words>,
    /// The number that is answered by day.
    phone: Option<Words>,
    /// The number that is answered at night.
    phone_night: Option<Words>,
    /// Its wards.
    #[serde(default)]
    #[schema(max_items = 64)]
    wards: Vec<Words>,
}

impl Site {
    pub(super) fn of(self, location: LocationId) -> Result<LocationProfile, Problem> {
        Ok(LocationProfile {
            location,
            provider: self.provider.0,
            name: self.name.0,
            mode: self.mode.0,
            care_types: all(limited(self.care_types, "care types")?),
            postcode4: plain(self.postcode4),
            phone: plain(self.phone),
            phone_night: plain(self.phone_night),
            wards: all(limited(self.wards, "wards")?),
        })
    }
}

/// What is said of a bed. When it changes, only what is given replaces.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BedFacts {
    /// What it can be used for, the primary type first.
    #[schema(max_items = 64)]
    care_types: Option<Vec<CareCode>>,
    /// The ward it stands in.
    ward: Option<Words>,
    /// The room it stands in.
    room: Option<Words>,
    /// What it offers.
    #[schema(max_items = 64)]
    features: Option<Vec<FeatureCode>>,
    /// Kept in reserve: to be asked for.
    reserve: Option<bool>,
}

impl BedFacts {
    pub(super) fn of(self, bed: BedRef) -> Result<BedProfile, Problem> {
        Ok(BedProfile {
            bed,
            care_types: self.care_types.map(|list| limited(list, "care types").map(all)).transpose()?,
            ward: plain(self.ward),
            room: plain(self.room),
            features: self.features.map(|list| limited(list, "features").map(all)).transpose()?,
            reserve: self.reserve,
        })
    }

    /// Whether it says what a bed is for, as one that is added has to.
    pub(super) fn names_care(&self) -> bool {
        self.care_types.as_ref().is_some_and(|types| !types.is_empty())
    }
}

/// One care type in a location's own count.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Count {
    /// The care type.
    care_type: CareCode,
    /// Beds that exist.
    physical: Places,
    /// Beds with somebody in them.
    occupied: Places,
    /// Beds that can be offered now.
    offerable: Places,
}

impl From<Count> for ReportedCount {
    fn from(count: Count) -> Self {
        Self {
            care_type: count.care_type.0,
            physical: i64::from(count.physical.0),
            occupied: i64::from(count.occupied.0),
            offerable: i64::from(count.offerable.0),
        }
    }
}

/// When admissions are possible.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    /// Days of the week: `mo tu we th fr sa su`.
    #[schema(max_items = 7)]
    days: Vec<Words>,
    /// From this time of the day in the Netherlands, `HH:MM`.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    from: Words,
    /// To this time of the day, `HH:MM`.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    to: Words,
    /// For these care types only; none means all.
    #[serde(default)]
    #[schema(max_items = 64)]
    care_types: Vec<CareCode>,
}

/// The windows of a location.
pub(super) fn windows(list: Vec<Window>) -> Result<Vec<AdmissionWindow>, Problem> {
    let window = |window: Window| {
        Ok(AdmissionWindow {
            days: all(limited(window.days, "days")?),
            from: window.from.0,
            to: window.to.0,
            care_types: all(limited(window.care_types, "care types")?),
        })
    };
    limited(list, "windows")?.into_iter().map(window).collect()
}
