//! What can happen: one variant of [`Fact`] for each type of the contract, and whom it names.
//!
//! Not here: who says so and when (`event`).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{
    AdmissionWindow, BedProfile, BedRef, LocationProfile, OfferRef, Overruled, Place, PlanStep,
    ReferralProfile, ReportedCount, Sealed,
};
use crate::codes::{
    CareType, ClosedReason, ContactKind, DeclineCode, Destination, DivertedReason, Period, RaisedTo, Role,
    RuleSet, StopReason, WaitingFor, WithdrawnReason,
};
use crate::ids::{BedId, ContactId, EventId, Label, LocationId, ReferralId, RegionId, StayId};
use crate::matched::Matched;
use crate::time::Timestamp;

macro_rules! facts {
    ($( $(#[$doc:meta])* $variant:ident $({ $( $(#[$fdoc:meta])* $field:ident : $type:ty ),+ $(,)? })? $(( $inner:ty ))? = $name:literal, )+) => {
        /// What happened: one variant per type of the contract.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Fact {
            $(
                #[doc = concat!("`", $name, "`: ")]
                $(#[$doc])*
                $variant $({ $( $(#[$fdoc])* $field : $type ),+ })? $(( $inner ))?,
            )+
        }

        impl Fact {
            /// Every type of the contract, short: without `nl.doorstroom.` and `.v1`.
            pub const KINDS: &'static [&'static str] = &[$($name),+];

            /// The type, short, such as `bed.freed`.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $( Self::$variant { .. } => $name, )+ }
            }
        }
    };
}

facts! {
    /// a location takes part.
    LocationRegistered(LocationProfile) = "location.registered",
    /// a location describes itself anew.
    LocationChanged(LocationProfile) = "location.changed",
    /// everything the board shows of it still holds.
    LocationConfirmed {
        /// The location.
        location: LocationId,
    } = "location.confirmed",
    /// a location takes part no longer.
    LocationWithdrawn {
        /// The location.
        location: LocationId,
    } = "location.withdrawn",
    /// a location without bed records counts.
    CountsReported {
        /// The location.
        location: LocationId,
        /// What it counted, per care type.
        counts: Vec<ReportedCount>,
    } = "location.counts-reported",
    /// when admissions are possible.
    WindowsSet {
        /// The location.
        location: LocationId,
        /// The windows; none means never.
        windows: Vec<AdmissionWindow>,
    } = "location.windows-set",
    /// how many admissions a location takes.
    IntakeLimitSet {
        /// The location.
        location: LocationId,
        /// For this type only.
        care_type: Option<CareType>,
        /// Per day or per week.
        period: Period,
        /// The limit.
        max: u32,
    } = "location.intake-limit-set",
    /// no admissions for now.
    AdmissionsStopped {
        /// The location.
        location: LocationId,
        /// Only this ward.
        ward: Option<Label>,
        /// Why.
        reason: StopReason,
        /// When it is looked at again.
        review_at: Option<Timestamp>,
    } = "location.admissions-stopped",
    /// admissions go on.
    AdmissionsResumed {
        /// The location.
        location: LocationId,
        /// Only this ward.
        ward: Option<Label>,
    } = "location.admissions-resumed",
    /// a bed is there.
    BedAdded(BedProfile) = "bed.added",
    /// something about a bed changed.
    BedChanged(BedProfile) = "bed.changed",
    /// a bed is gone.
    BedRemoved(BedRef) = "bed.removed",
    /// a bed is in use again.
    BedOpened(BedRef) = "bed.opened",
    /// a bed is out of use.
    BedClosed {
        /// The bed.
        bed: BedRef,
        /// Why.
        reason: ClosedReason,
        /// When it is looked at again.
        review_at: Option<Timestamp>,
    } = "bed.closed",
    /// there is staff for a bed.
    BedStaffed(BedRef) = "bed.staffed",
    /// there is no staff for a bed.
    BedUnstaffed(BedRef) = "bed.unstaffed",
    /// somebody left a bed; it is not ready yet.
    BedVacated(BedRef) = "bed.vacated",
    /// a bed is ready for the next person.
    BedFreed(BedRef) = "bed.freed",
    /// a bed may not be used before it is disinfected.
    BedContaminated(BedRef) = "bed.contaminated",
    /// the last word about a bed was wrong.
    BedCorrected {
        /// The bed.
        bed: BedRef,
        /// This source's event that was wrong.
        corrects: EventId,
    } = "bed.corrected",
    /// somebody needs a place.
    ReferralMade(ReferralProfile) = "referral.made",
    /// what is known of a referral changed.
    ReferralChanged(ReferralProfile) = "referral.changed",
    /// a referral was weighed.
    ReferralTriaged {
        /// The referral.
        referral: ReferralId,
        /// The instrument and its version.
        instrument: Label,
        /// What it comes to.
        outcome: CareType,
        /// An outcome that was set aside.
        overruled: Option<Overruled>,
        /// Who decided.
        decided_by: Role,
        /// The specialist who was consulted.
        consulted: Option<Role>,
        /// The answers, sealed.
        sealed: Option<Sealed>,
    } = "referral.triaged",
    /// a place is no longer needed.
    ReferralWithdrawn {
        /// The referral.
        referral: ReferralId,
        /// Why.
        reason: WithdrawnReason,
    } = "referral.withdrawn",
    /// solved otherwise.
    ReferralDiverted {
        /// The referral.
        referral: ReferralId,
        /// How.
        reason: DivertedReason,
    } = "referral.diverted",
    /// no place was found in time.
    ReferralExpiredUnplaced {
        /// The referral.
        referral: ReferralId,
        /// Why.
        reason: Label,
    } = "referral.expired-unplaced",
    /// handed to another desk.
    ReferralEscalated {
        /// The referral.
        referral: ReferralId,
        /// Its region.
        to_region: RegionId,
    } = "referral.escalated",
    /// taken from another desk.
    ReferralTakenOver {
        /// The referral.
        referral: ReferralId,
        /// Its region.
        from_region: RegionId,
    } = "referral.taken-over",
    /// brought before somebody above the desks: nobody has a place.
    ReferralRaised {
        /// The referral.
        referral: ReferralId,
        /// Before whom.
        to: RaisedTo,
    } = "referral.raised",
    /// who could take somebody at a moment and who could not, as it was shown to whoever then asked.
    ReferralMatched(Matched) = "referral.matched",
    /// a place is asked for.
    OfferSent {
        /// The offer, for whom and where.
        offer: OfferRef,
        /// A certain bed.
        bed: Option<BedId>,
        /// The care type.
        care_type: CareType,
        /// Answer by then.
        answer_by: Timestamp,
    } = "offer.sent",
    /// the location looked at it.
    OfferSeen(OfferRef) = "offer.seen",
    /// nobody answered in time.
    OfferLapsed(OfferRef) = "offer.lapsed",
    /// the desk withdrew it.
    OfferRevoked(OfferRef) = "offer.revoked",
    /// the location promises a place.
    OfferAccepted {
        /// The offer.
        offer: OfferRef,
        /// A certain bed.
        bed: Option<BedId>,
        /// The care type.
        care_type: CareType,
        /// From when.
        from: Timestamp,
        /// Who promised.
        by: Role,
        /// With whom the desk spoke, if the desk recorded it.
        spoken_with: Option<Role>,
    } = "offer.accepted",
    /// the admitting doctor agrees.
    OfferMedicallyAgreed {
        /// The offer.
        offer: OfferRef,
        /// Who agreed.
        by: Role,
    } = "offer.medically-agreed",
    /// the location says no.
    OfferDeclined {
        /// The offer.
        offer: OfferRef,
        /// Why.
        code: DeclineCode,
        /// With whom the desk spoke, if the desk recorded it.
        spoken_with: Option<Role>,
    } = "offer.declined",
    /// of those that promised a place, this one it is; the others are revoked beside it.
    OfferChosen {
        /// The offer.
        offer: OfferRef,
        /// Who chose, or for the family.
        by: Role,
    } = "offer.chosen",
    /// the location says that it never gave the answer that was recorded for it.
    OfferContested {
        /// The offer.
        offer: OfferRef,
        /// Who says so.
        by: Role,
    } = "offer.contested",
    /// the arrival is agreed.
    ArrivalAgreed {
        /// The referral.
        referral: ReferralId,
        /// Where.
        location: LocationId,
        /// When.
        at: Timestamp,
        /// How.
        transport: Option<Label>,
    } = "arrival.agreed",
    /// a place is kept for a referral.
    HoldGranted {
        /// The place.
        place: Place,
        /// For whom.
        referral: ReferralId,
        /// Until when.
        until: Timestamp,
    } = "hold.granted",
    /// a place is kept longer.
    HoldExtended {
        /// The place.
        place: Place,
        /// For whom.
        referral: ReferralId,
        /// Until when.
        until: Timestamp,
    } = "hold.extended",
    /// a place is kept no longer.
    HoldReleased {
        /// The place.
        place: Place,
        /// For whom it was.
        referral: ReferralId,
    } = "hold.released",
    /// the time of a hold ran out.
    HoldLapsed {
        /// The place.
        place: Place,
        /// For whom it was.
        referral: ReferralId,
    } = "hold.lapsed",
    /// the time of a hold ran out although the arrival is agreed: it stays, and a person decides.
    HoldOverdue {
        /// The place.
        place: Place,
        /// For whom it is.
        referral: ReferralId,
    } = "hold.overdue",
    /// somebody came in.
    StayAdmitted {
        /// The stay.
        stay: StayId,
        /// Where.
        place: Place,
        /// The referral it came from.
        referral: Option<ReferralId>,
        /// Who pays.
        funding: Option<Label>,
    } = "stay.admitted",
    /// to another bed.
    StayMoved {
        /// The stay.
        stay: StayId,
        /// From.
        from: BedRef,
        /// To.
        to: BedRef,
    } = "stay.moved",
    /// that move was not so.
    StayMoveCancelled {
        /// The stay.
        stay: StayId,
        /// From, of the move.
        from: BedRef,
        /// To, of the move.
        to: BedRef,
    } = "stay.move-cancelled",
    /// the day of leaving is planned.
    StayDischargePlanned {
        /// The stay.
        stay: StayId,
        /// When.
        expected_at: Option<Timestamp>,
    } = "stay.discharge-planned",
    /// the planned day does not hold.
    StayDischargePlanWithdrawn {
        /// The stay.
        stay: StayId,
        /// The day that does not hold.
        expected_at: Option<Timestamp>,
    } = "stay.discharge-plan-withdrawn",
    /// ready to go, and waiting.
    StayWaitingFor {
        /// The stay.
        stay: StayId,
        /// For what.
        what: WaitingFor,
        /// Since when.
        since: Timestamp,
    } = "stay.waiting-for",
    /// the plan for going home.
    StayPlanSet {
        /// The stay.
        stay: StayId,
        /// Its items.
        items: Vec<PlanStep>,
    } = "stay.plan-set",
    /// the triage was looked at again.
    StayTriageReviewed {
        /// The stay.
        stay: StayId,
        /// What it comes to.
        outcome: CareType,
    } = "stay.triage-reviewed",
    /// somebody else pays.
    StayFundingSwitched {
        /// The stay.
        stay: StayId,
        /// Who pays.
        funding: Label,
    } = "stay.funding-switched",
    /// somebody left.
    StayDischarged {
        /// The stay.
        stay: StayId,
        /// From where.
        place: Place,
        /// To where.
        destination: Destination,
        /// The bed is ready for the next.
        ready: bool,
        /// Hours of care at home per week that follow.
        care_hours_at_home: Option<u32>,
    } = "stay.discharged",
    /// that admission was not so.
    StayAdmissionCancelled {
        /// The stay.
        stay: StayId,
    } = "stay.admission-cancelled",
    /// that discharge was not so.
    StayDischargeCancelled {
        /// The stay.
        stay: StayId,
    } = "stay.discharge-cancelled",
    /// the desk was in contact.
    ContactLogged {
        /// The contact.
        contact: ContactId,
        /// What kind.
        kind: ContactKind,
        /// With whom: an origin code or `location`.
        with: Label,
        /// What about.
        about: Option<Label>,
        /// How long, in minutes.
        minutes: u32,
        /// About whom.
        referral: Option<ReferralId>,
    } = "contact.logged",
    /// another desk stands in.
    DutyHandedOver {
        /// Who.
        to: Label,
        /// Until when.
        until: Timestamp,
        /// What it may do.
        mandate: Vec<Label>,
    } = "desk.duty-handed-over",
    /// the desk asked a silent location whether what the board shows of it still holds.
    ConfirmationAsked {
        /// The location.
        location: LocationId,
    } = "desk.confirmation-asked",
    /// the desk is back before the time.
    DutyTakenBack = "desk.duty-taken-back",
    /// other rules hold.
    RuleSetSwitched {
        /// Which.
        rule_set: RuleSet,
    } = "ruleset.switched",
}

impl Fact {
    /// The location it names, if it names one (of a move: where it goes to).
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a new fact names no bed or location unless it says so here"
    )]
    pub fn location(&self) -> Option<&LocationId> {
        match self {
            Self::LocationRegistered(profile) | Self::LocationChanged(profile) => Some(&profile.location),
            Self::LocationConfirmed { location }
            | Self::LocationWithdrawn { location }
            | Self::ConfirmationAsked { location }
            | Self::CountsReported { location, .. }
            | Self::WindowsSet { location, .. }
            | Self::IntakeLimitSet { location, .. }
            | Self::AdmissionsStopped { location, .. }
            | Self::AdmissionsResumed { location, .. }
            | Self::ArrivalAgreed { location, .. } => Some(location),
            Self::BedAdded(profile) | Self::BedChanged(profile) => Some(&profile.bed.location),
            Self::StayMoved { to, .. } | Self::StayMoveCancelled { to, .. } => Some(&to.location),
            Self::OfferSeen(offer) | Self::OfferLapsed(offer) | Self::OfferRevoked(offer) => {
                Some(&offer.location)
            }
            Self::OfferSent { offer, .. }
            | Self::OfferAccepted { offer, .. }
            | Self::OfferMedicallyAgreed { offer, .. }
            | Self::OfferDeclined { offer, .. }
            | Self::OfferChosen { offer, .. }
            | Self::OfferContested { offer, .. } => Some(&offer.location),
            Self::HoldGranted { place, .. }
            | Self::HoldExtended { place, .. }
            | Self::HoldReleased { place, .. }
            | Self::HoldLapsed { place, .. }
            | Self::HoldOverdue { place, .. }
            | Self::StayAdmitted { place, .. }
            | Self::StayDischarged { place, .. } => Some(&place.location),
            _ => self.bed().map(|bed| &bed.location),
        }
    }

    /// Every location it names; of a move both.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a new fact names no second location unless it says so here"
    )]
    pub fn locations(&self) -> impl Iterator<Item = &LocationId> {
        let from = match self {
            Self::StayMoved { from, .. } | Self::StayMoveCancelled { from, .. } => Some(&from.location),
            _ => None,
        };
        from.into_iter().chain(self.location())
    }

    /// The referral it names, if it names one.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "a new fact names no referral unless it says so here")]
    pub fn referral(&self) -> Option<ReferralId> {
        match self {
            Self::ReferralMade(profile) | Self::ReferralChanged(profile) => Some(profile.referral),
            Self::ReferralMatched(matched) => Some(matched.referral),
            Self::ReferralTriaged { referral, .. }
            | Self::ReferralWithdrawn { referral, .. }
            | Self::ReferralDiverted { referral, .. }
            | Self::ReferralExpiredUnplaced { referral, .. }
            | Self::ReferralEscalated { referral, .. }
            | Self::ReferralTakenOver { referral, .. }
            | Self::ReferralRaised { referral, .. }
            | Self::ArrivalAgreed { referral, .. }
            | Self::HoldGranted { referral, .. }
            | Self::HoldExtended { referral, .. }
            | Self::HoldReleased { referral, .. }
            | Self::HoldLapsed { referral, .. }
            | Self::HoldOverdue { referral, .. } => Some(*referral),
            Self::OfferSeen(offer) | Self::OfferLapsed(offer) | Self::OfferRevoked(offer) => {
                Some(offer.referral)
            }
            Self::OfferSent { offer, .. }
            | Self::OfferAccepted { offer, .. }
            | Self::OfferMedicallyAgreed { offer, .. }
            | Self::OfferDeclined { offer, .. }
            | Self::OfferChosen { offer, .. }
            | Self::OfferContested { offer, .. } => Some(offer.referral),
            Self::StayAdmitted { referral, .. } | Self::ContactLogged { referral, .. } => *referral,
            _ => None,
        }
    }

    /// The stay it names, if it names one.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "a new fact names no stay unless it says so here")]
    pub fn stay(&self) -> Option<StayId> {
        match self {
            Self::StayAdmitted { stay, .. }
            | Self::StayMoved { stay, .. }
            | Self::StayMoveCancelled { stay, .. }
            | Self::StayDischargePlanned { stay, .. }
            | Self::StayDischargePlanWithdrawn { stay, .. }
            | Self::StayWaitingFor { stay, .. }
            | Self::StayPlanSet { stay, .. }
            | Self::StayTriageReviewed { stay, .. }
            | Self::StayFundingSwitched { stay, .. }
            | Self::StayDischarged { stay, .. }
            | Self::StayAdmissionCancelled { stay }
            | Self::StayDischargeCancelled { stay } => Some(*stay),
            _ => None,
        }
    }

    /// The bed a `bed.*` event names.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a new fact names no bed or location unless it says so here"
    )]
    pub fn bed(&self) -> Option<&BedRef> {
        match self {
            Self::BedAdded(profile) | Self::BedChanged(profile) => Some(&profile.bed),
            Self::BedRemoved(bed)
            | Self::BedOpened(bed)
            | Self::BedStaffed(bed)
            | Self::BedUnstaffed(bed)
            | Self::BedVacated(bed)
            | Self::BedFreed(bed)
            | Self::BedContaminated(bed)
            | Self::BedClosed { bed, .. }
            | Self::BedCorrected { bed, .. } => Some(bed),
            _ => None,
        }
    }
}
