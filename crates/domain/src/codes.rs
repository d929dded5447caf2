//! The code lists of the contract. An unknown code is read as `other`; its raw value is kept.

use alloc::sync::Arc;
use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "Arc<str>", into = "Arc<str>")]
        pub enum $name {
            $(
                #[doc = concat!("`", $code, "`")]
                $(#[$item])*
                $variant,
            )+
            /// A code this version does not know, with its raw value.
            Other(Arc<str>),
        }

        impl $name {
            /// Every code this version knows, in the order of the contract.
            pub const KNOWN: &'static [&'static str] = &[$($code),+];

            /// What is counted: the code, or `other` for one this version does not know.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                    Self::Other(_) => "other",
                }
            }

            /// What was sent.
            #[must_use]
            pub fn raw(&self) -> &str {
                match self {
                    Self::Other(raw) => raw,
                    $(Self::$variant)|+ => self.code(),
                }
            }
        }

        impl From<&str> for $name {
            fn from(raw: &str) -> Self {
                match raw {
                    $($code => Self::$variant,)+
                    _ => Self::Other(Arc::from(raw)),
                }
            }
        }

        impl From<Arc<str>> for $name {
            fn from(raw: Arc<str>) -> Self {
                Self::from(&*raw)
            }
        }

        impl From<$name> for Arc<str> {
            fn from(code: $name) -> Self {
                Self::from(code.raw())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.raw())
            }
        }
    };
}

codes!(
    /// The kind of temporary stay.
    CareType {
        ElvLc = "ELV_LC", ElvHc = "ELV_HC", ElvPtz = "ELV_PTZ", Grz = "GRZ", WlzCrisis = "WLZ_CRISIS",
        WlzObs = "WLZ_OBS", Respijt = "RESPIJT", WmoSpoed = "WMO_SPOED", Spoedbed = "SPOEDBED", Gzsp = "GZSP",
        Wijkverpl = "WIJKVERPL", Ggz = "GGZ", IbsRm = "IBS_RM", Hospice = "HOSPICE",
    }
);
codes!(
    /// How soon a place is needed.
    Urgency { Crisis = "crisis", Urgent = "urgent", Planned = "planned", }
);
codes!(
    /// Where a referral comes from.
    Origin {
        Gp = "gp", GpPost = "gp-post", EmergencyDepartment = "emergency-department", HospitalWard = "hospital-ward",
        DistrictNursing = "district-nursing", Ambulance = "ambulance", CareHome = "care-home", Psychiatry = "psychiatry",
        SelfOrFamily = "self", Otherwise = "other",
    }
);
codes!(
    /// Where somebody goes after the stay.
    Destination {
        HomeWithoutCare = "home-without-care", HomeWithCare = "home-with-care", Family = "family",
        WlzSameHouse = "wlz-same-house", WlzElsewhere = "wlz-elsewhere", Hospital = "hospital", Grz = "grz",
        ElvOther = "elv-other", Hospice = "hospice", Psychiatry = "psychiatry", Died = "died", Otherwise = "other",
    }
);
codes!(
    /// What a stay that could end waits for; `none` ends the waiting.
    WaitingFor {
        WlzPlace = "wlz-place", HomeCare = "home-care", HomeAdaptation = "home-adaptation", GrzPlace = "grz-place",
        HospicePlace = "hospice-place", Otherwise = "other", Nothing = "none",
    }
);
codes!(
    /// Why a location declines an offer.
    DeclineCode {
        NotFreeAfterAll = "not-free-after-all", NoStaff = "no-staff", CannotProvideCare = "cannot-provide-care",
        Isolation = "isolation", Behaviour = "behaviour", Equipment = "equipment", NoDoctorCover = "no-doctor-cover",
        TriageDisagreement = "triage-disagreement", Contract = "contract", DistanceOrWish = "distance-or-wish",
        TooLate = "too-late", NoAnswer = "no-answer", Otherwise = "other",
    }
);
codes!(
    /// Why a bed is closed.
    ClosedReason {
        Maintenance = "maintenance", Infection = "infection", NoFurniture = "no-furniture",
        KeptByLocation = "kept-by-location", Otherwise = "other",
    }
);
codes!(
    /// Why admissions are stopped.
    StopReason {
        Infection = "infection", Staffing = "staffing", Building = "building", Calamity = "calamity", Otherwise = "other",
    }
);
codes!(
    /// Why a referral was withdrawn.
    WithdrawnReason {
        Recovered = "recovered", Died = "died", FoundElsewhere = "found-elsewhere", Refuses = "refuses",
        Duplicate = "duplicate", Otherwise = "other",
    }
);
codes!(
    /// How a referral was solved otherwise.
    DivertedReason {
        Hospital = "hospital", HomeWithCare = "home-with-care", OtherDesk = "other-desk", Psychiatry = "psychiatry",
        Otherwise = "other",
    }
);
codes!(
    /// Before whom a referral is brought when no desk has a place.
    RaisedTo { Insurer = "insurer", CareOffice = "care-office", Authority = "nza", Otherwise = "other", }
);
codes!(
    /// What a bed offers, or a referral needs.
    Feature {
        SingleRoom = "single-room", SameSexRoom = "same-sex-room", Isolation = "isolation", Hoist = "hoist",
        Bariatric = "bariatric", ClosedWard = "closed-ward", Oxygen = "oxygen", Iv = "iv", TubeFeeding = "tube-feeding",
        WoundVac = "wound-vac", DialysisTransport = "dialysis-transport", Tracheostomy = "tracheostomy",
        Wheelchair = "wheelchair", Couple = "couple", Smoking = "smoking", Pet = "pet",
    }
);
codes!(
    /// Why a location is no candidate for a referral at a moment.
    ExclusionCode {
        CareTypeNotGiven = "care-type-not-given", AdmissionsStopped = "admissions-stopped",
        OutsideWindow = "outside-window", IntakeLimitReached = "intake-limit-reached", NoSuchBed = "no-such-bed",
        NoBedFree = "no-bed-free", ReserveOnly = "reserve-only", FeatureMissing = "feature-missing",
        FeatureUnknown = "feature-unknown", FeaturesApart = "features-apart", AskedAlready = "asked-already",
        PromisedAlready = "promised-already", DeclinedAlready = "declined-already",
    }
);
codes!(
    /// What the stay is for.
    Purpose {
        Recovery = "recovery", Observation = "observation", Diagnostics = "diagnostics", Palliative = "palliative",
        Respite = "respite", Crisis = "crisis",
    }
);
codes!(
    /// Age in bands, so that nobody is recognised by a birthday.
    AgeBand {
        Under65 = "under-65", From65 = "65-69", From70 = "70-74", From75 = "75-79", From80 = "80-84", From85 = "85-89",
        From90 = "90-plus",
    }
);
codes!(
    /// Who acts, as a role.
    Role { Nurse = "nurse", Doctor = "doctor", Desk = "desk", Coordinator = "coordinator", Planner = "planner", }
);
codes!(
    /// What a going-home plan is made of.
    PlanItem {
        Network = "network", HomeAdaptation = "home-adaptation", Aid = "aid", Technology = "technology",
        CareAtHome = "care-at-home",
    }
);
codes!(
    /// How far a plan item is.
    ItemState { Open = "open", Arranged = "arranged", Done = "done", NotNeeded = "not-needed", }
);
codes!(
    /// How a location keeps its beds: each one, or as counts.
    LocationMode { Beds = "beds", Counts = "counts", }
);
codes!(
    /// The period of an intake limit.
    Period { Day = "day", Week = "week", }
);
codes!(
    /// The kind of contact.
    ContactKind { Call = "call", Mail = "mail", Message = "message", }
);
codes!(
    /// The rules that hold.
    RuleSet { Normal = "normal", Crisis = "crisis", }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_code_is_counted_as_other_and_kept() {
        let code = CareType::from("ELV_MAAN");
        assert_eq!((code.code(), code.raw()), ("other", "ELV_MAAN"));
        assert_eq!(CareType::from("GRZ").code(), "GRZ");
    }
}
