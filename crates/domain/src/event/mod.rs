//! The events: what can happen to locations, beds, referrals, offers, holds and stays.
//!
//! An [`Event`] is parsed, checked data. Whoever holds one need not check a field again.
//! Not here: the envelope on the wire and its bytes (`contracts`).

mod fact;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::codes::{AgeBand, CareType, Feature, ItemState, LocationMode, Origin, PlanItem, Purpose, Urgency};
use crate::ids::{BedId, EventId, Label, LocationId, OfferId, ReferralId, RegionId, SourceId};
use crate::time::Timestamp;

pub use fact::Fact;

/// An event as the log recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its place in the order of the log, from 1.
    pub position: u64,
    /// When the log recorded it; never decreases with the position.
    pub recorded_at: Timestamp,
    /// What was recorded.
    pub event: Event,
}

/// A fact, as one source states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Who says so.
    pub source: SourceId,
    /// What the source calls this event; unique within the source.
    pub id: EventId,
    /// When the source logged it.
    pub time: Timestamp,
    /// The region it is about.
    pub region: RegionId,
    /// When it happened, as the source claims.
    pub occurred_at: Timestamp,
    /// What happened.
    pub fact: Fact,
}

/// A bed at its location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BedRef {
    /// The location.
    pub location: LocationId,
    /// The bed, unique in its location.
    pub bed: BedId,
}

/// A place at a location: one bed, or (at a location without bed records) one of a care type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The location.
    pub location: LocationId,
    /// The bed, where the location keeps bed records.
    pub bed: Option<BedId>,
    /// The care type.
    pub care_type: CareType,
}

/// What a location says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationProfile {
    /// The location.
    pub location: LocationId,
    /// The organisation it belongs to.
    pub provider: Label,
    /// What people call it.
    pub name: Label,
    /// Whether it keeps bed records; does not change after the first registration.
    pub mode: LocationMode,
    /// What it offers.
    pub care_types: Vec<CareType>,
    /// The four digits of its postcode.
    pub postcode4: Option<Label>,
    /// The number that is answered by day.
    pub phone: Option<Label>,
    /// The number that is answered at night.
    pub phone_night: Option<Label>,
    /// Its wards.
    pub wards: Vec<Label>,
}

/// One care type in a location's own count. Numbers are what was sent; a view holds them at 0 and above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedCount {
    /// The care type.
    pub care_type: CareType,
    /// Beds that exist.
    pub physical: i64,
    /// Beds with somebody in them.
    pub occupied: i64,
    /// Beds that can be offered now.
    pub offerable: i64,
}

/// When admissions are possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmissionWindow {
    /// Days of the week: `mo tu we th fr sa su`.
    pub days: Vec<Label>,
    /// From this time of the day in the Netherlands, `HH:MM`.
    pub from: Label,
    /// To this time of the day, `HH:MM`.
    pub to: Label,
    /// For these care types only; empty means all.
    pub care_types: Vec<CareType>,
}

/// What is said of a bed. In `bed.changed` only what is given replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BedProfile {
    /// The bed.
    pub bed: BedRef,
    /// What it can be used for, the primary type first; `None` leaves it (never in `bed.added`).
    pub care_types: Option<Vec<CareType>>,
    /// The ward it stands in.
    pub ward: Option<Label>,
    /// The room it stands in.
    pub room: Option<Label>,
    /// What it offers.
    pub features: Option<Vec<Feature>>,
    /// Kept in reserve: to be asked for.
    pub reserve: Option<bool>,
}

/// The non-identifying profile of a referral.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferralProfile {
    /// The referral.
    pub referral: ReferralId,
    /// Who asks.
    pub origin: Origin,
    /// The care type asked for, if already known.
    pub care_type: Option<CareType>,
    /// How soon.
    pub urgency: Urgency,
    /// Since when the person could go.
    pub ready_since: Option<Timestamp>,
    /// When a place is wished for.
    pub wished_at: Option<Timestamp>,
    /// The first two digits of the postcode.
    pub area: Option<Label>,
    /// Age in a band.
    pub age_band: Option<AgeBand>,
    /// Sex as recorded by the referrer.
    pub sex: Option<Label>,
    /// What the place must offer.
    pub constraints: Vec<Feature>,
    /// Expected length of stay in days.
    pub expected_days: Option<u32>,
    /// What the stay is for.
    pub purpose: Option<Purpose>,
    /// How it came in.
    pub channel: Label,
    /// Who pays.
    pub payer: Option<Label>,
    /// The person agreed to being referred.
    pub consent: bool,
    /// The desk that calls back.
    pub callback_desk: Option<Label>,
    /// Sealed personal data, opaque.
    pub sealed: Option<Sealed>,
}

/// An outcome of the weighing that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overruled {
    /// The outcome that was set aside.
    pub outcome: CareType,
    /// Why.
    pub reason: Label,
}

/// Ciphertext of personal data: opaque to log and views, readable only with a key that lives elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The scheme of the encryption.
    pub scheme: Label,
    /// Which key.
    pub key: Label,
    /// The nonce, base64.
    pub nonce: Label,
    /// The ciphertext, base64.
    pub ciphertext: alloc::string::String,
}

/// One item of the going-home plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// What has to be arranged.
    pub item: PlanItem,
    /// How far it is.
    pub state: ItemState,
    /// By when.
    pub due: Option<Timestamp>,
}

/// An offer, for which referral, at which location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRef {
    /// The offer.
    pub offer: OfferId,
    /// The referral.
    pub referral: ReferralId,
    /// The location.
    pub location: LocationId,
}
