//! The names in an event: what the log indexes it by, and its subject.
//!
//! Not here: what happens to what is named (`availability`, `desk`).

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::{BedId, BedRef, Event, Fact, LocationId, OfferId, OfferRef, Place, ReferralId, RegionId, StayId};

/// What an event names. A move names two beds, maybe at two locations; nothing names more.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    region: &'a RegionId,
    /// With the bed, where one is named; of a move where it goes to.
    location: Option<(&'a LocationId, Option<&'a BedId>)>,
    /// Where a move comes from.
    left: Option<&'a BedRef>,
    stay: Option<StayId>,
    referral: Option<ReferralId>,
    offer: Option<OfferId>,
}

impl<'a> Names<'a> {
    /// What this event names.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "every type of the contract is here")]
    pub fn of(event: &'a Event) -> Self {
        let none = Self {
            region: &event.region,
            location: None,
            left: None,
            stay: None,
            referral: None,
            offer: None,
        };
        let at = |location: &'a LocationId| Self { location: Some((location, None)), ..none };
        let bed = |bed: &'a BedRef| Self { location: Some((&bed.location, Some(&bed.bed))), ..none };
        let place = |place: &'a Place| Self { location: Some((&place.location, place.bed.as_ref())), ..none };
        let referral = |referral: &ReferralId| Self { referral: Some(*referral), ..none };
        let stay = |stay: &StayId| Self { stay: Some(*stay), ..none };
        let offer = |offer: &'a OfferRef| Self {
            location: Some((&offer.location, None)),
            referral: Some(offer.referral),
            offer: Some(offer.offer),
            ..none
        };
        match &event.fact {
            Fact::LocationRegistered(profile) | Fact::LocationChanged(profile) => at(&profile.location),
            Fact::LocationConfirmed { location }
            | Fact::LocationWithdrawn { location }
            | Fact::ConfirmationAsked { location }
            | Fact::CountsReported { location, .. }
            | Fact::WindowsSet { location, .. }
            | Fact::IntakeLimitSet { location, .. }
            | Fact::AdmissionsStopped { location, .. }
            | Fact::AdmissionsResumed { location, .. } => at(location),
            Fact::BedAdded(profile) | Fact::BedChanged(profile) => bed(&profile.bed),
            Fact::BedRemoved(named)
            | Fact::BedOpened(named)
            | Fact::BedStaffed(named)
            | Fact::BedUnstaffed(named)
            | Fact::BedVacated(named)
            | Fact::BedFreed(named)
            | Fact::BedContaminated(named)
            | Fact::BedClosed { bed: named, .. }
            | Fact::BedCorrected { bed: named, .. } => bed(named),
            Fact::ReferralMade(profile) | Fact::ReferralChanged(profile) => referral(&profile.referral),
            Fact::ReferralMatched(matched) => referral(&matched.referral),
            Fact::ReferralTriaged { referral: named, .. }
            | Fact::ReferralWithdrawn { referral: named, .. }
            | Fact::ReferralDiverted { referral: named, .. }
            | Fact::ReferralExpiredUnplaced { referral: named, .. }
            | Fact::ReferralEscalated { referral: named, .. }
            | Fact::ReferralTakenOver { referral: named, .. }
            | Fact::ReferralRaised { referral: named, .. } => referral(named),
            Fact::OfferSeen(named)
            | Fact::OfferLapsed(named)
            | Fact::OfferRevoked(named)
            | Fact::OfferMedicallyAgreed { offer: named, .. }
            | Fact::OfferDeclined { offer: named, .. }
            | Fact::OfferChosen { offer: named, .. }
            | Fact::OfferContested { offer: named, .. } => offer(named),
            Fact::OfferSent { offer: named, bed, .. } | Fact::OfferAccepted { offer: named, bed, .. } => {
                Self { location: Some((&named.location, bed.as_ref())), ..offer(named) }
            }
            Fact::ArrivalAgreed { referral, location, .. } => {
                Self { referral: Some(*referral), ..at(location) }
            }
            Fact::HoldGranted { place: named, referral, .. }
            | Fact::HoldExtended { place: named, referral, .. }
            | Fact::HoldReleased { place: named, referral }
            | Fact::HoldLapsed { place: named, referral }
            | Fact::HoldOverdue { place: named, referral } => {
                Self { referral: Some(*referral), ..place(named) }
            }
            Fact::StayAdmitted { stay, place: named, referral, .. } => {
                Self { stay: Some(*stay), referral: *referral, ..place(named) }
            }
            Fact::StayDischarged { stay, place: named, .. } => Self { stay: Some(*stay), ..place(named) },
            Fact::StayMoved { stay, from, to } | Fact::StayMoveCancelled { stay, from, to } => {
                Self { stay: Some(*stay), left: Some(from), ..bed(to) }
            }
            Fact::StayDischargePlanned { stay: named, .. }
            | Fact::StayDischargePlanWithdrawn { stay: named, .. }
            | Fact::StayWaitingFor { stay: named, .. }
            | Fact::StayPlanSet { stay: named, .. }
            | Fact::StayTriageReviewed { stay: named, .. }
            | Fact::StayFundingSwitched { stay: named, .. }
            | Fact::StayAdmissionCancelled { stay: named }
            | Fact::StayDischargeCancelled { stay: named } => stay(named),
            Fact::ContactLogged { referral, .. } => Self { referral: *referral, ..none },
            Fact::DutyHandedOver { .. } | Fact::DutyTakenBack | Fact::RuleSetSwitched { .. } => none,
        }
    }

    /// The `subject` attribute: the referral of an offer, otherwise the most precise place, otherwise the stay, the
    /// referral or the region.
    #[must_use]
    pub fn subject(&self) -> String {
        match (self.offer, self.location, self.stay, self.referral) {
            (None, Some((location, Some(bed))), _, _) => format!("{location}/{bed}"),
            (None, Some((location, None)), _, _) => location.to_string(),
            (None, None, Some(stay), _) => stay.to_string(),
            (Some(_), _, _, Some(referral)) | (None, None, None, Some(referral)) => referral.to_string(),
            (Some(_), _, _, None) | (None, None, None, None) => self.region.to_string(),
        }
    }

    /// The tags, each once.
    #[must_use]
    pub fn tags(&self) -> Vec<Box<str>> {
        let mut tags = vec![format!("region:{}", self.region)];
        if let Some((location, bed)) = self.location {
            tags.push(format!("location:{location}"));
            tags.extend(bed.map(|bed| format!("bed:{location}/{bed}")));
        }
        if let Some(left) = self.left {
            let (location, bed) =
                (format!("location:{}", left.location), format!("bed:{}/{}", left.location, left.bed));
            tags.extend([location, bed].into_iter().filter(|tag| !tags.contains(tag)).collect::<Vec<_>>());
        }
        tags.extend(self.stay.map(|stay| format!("stay:{stay}")));
        tags.extend(self.referral.map(|referral| format!("referral:{referral}")));
        tags.extend(self.offer.map(|offer| format!("offer:{offer}")));
        tags.into_iter().map(Into::into).collect()
    }
}
