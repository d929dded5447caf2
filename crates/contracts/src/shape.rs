//! What every message with the data of an event has in common.
//!
//! Not here: what is in them beside that (`from_wire`, `to_wire`).

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire;

/// The data of an event as one message, whichever type it is of.
pub(crate) trait Shape: Message + Default + Serialize + DeserializeOwned {
    /// When it happened.
    fn occurred_at(&mut self) -> &mut Option<String>;
    /// What is sealed.
    fn sealed(&mut self) -> &mut Option<wire::Sealed>;
}

macro_rules! shapes {
    ($($name:ident)+) => {
        $(
            impl Shape for wire::$name {
                fn occurred_at(&mut self) -> &mut Option<String> {
                    &mut self.occurred_at
                }

                fn sealed(&mut self) -> &mut Option<wire::Sealed> {
                    &mut self.sealed
                }
            }
        )+
    };
}

shapes! {
    LocationProfile Location CountsReported WindowsSet IntakeLimitSet AdmissionsStopped AdmissionsResumed
    BedProfile Bed BedClosed BedCorrected
    ReferralProfile ReferralTriaged ReferralEnded ReferralEscalated ReferralTakenOver ReferralRaised
    ReferralMatched
    OfferSent Offer OfferBy OfferAccepted OfferMedicallyAgreed OfferDeclined ArrivalAgreed
    HoldGranted HoldEnded
    StayAdmitted StayMoved StayDischargePlan StayWaitingFor StayPlanSet StayTriageReviewed StayFundingSwitched
    StayDischarged Stay
    ContactLogged DutyHandedOver DutyTakenBack RuleSetSwitched
}
