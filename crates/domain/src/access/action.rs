//! What can be done or asked: every act of the desk, and every query.
//!
//! Not here: who may (`access`).

use crate::desk::Act;
use crate::{BedProfile, Fact};

macro_rules! actions {
    (
        acts { $( $act:ident = $act_code:literal, )+ }
        words { $( $(#[$said:meta])* $word:ident = $word_code:literal, )+ }
        queries { $( $(#[$doc:meta])* $query:ident = $query_code:literal, )+ }
    ) => {
        /// Something a principal may or may not do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $( #[doc = concat!("[`Act::", stringify!($act), "`]")] $act, )+
            $( $(#[$said])* $word, )+
            $( $(#[$doc])* $query, )+
        }

        impl Action {
            /// Every action: acts first, then what a location says, then queries.
            pub const ALL: &'static [Self] = &[$( Self::$act, )+ $( Self::$word, )+ $( Self::$query, )+];

            /// What is done by this act. An act that is not listed here does not compile: nothing is allowed unseen.
            #[must_use]
            pub const fn of(act: &Act) -> Self {
                match act {
                    Act::Report { fact } => of_word(fact),
                    $( Act::$act { .. } => Self::$act, )+
                }
            }

            /// Its name, such as `make-referral`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $( Self::$act => $act_code, )+
                    $( Self::$word => $word_code, )+
                    $( Self::$query => $query_code, )+
                }
            }
        }
    };
}

actions! {
    acts {
        MakeReferral = "make-referral",
        ChangeReferral = "change-referral",
        WithdrawReferral = "withdraw-referral",
        DivertReferral = "divert-referral",
        GiveUp = "give-up",
        Triage = "triage",
        SendOffers = "send-offers",
        SeeOffer = "see-offer",
        RevokeOffer = "revoke-offer",
        LapseOffer = "lapse-offer",
        AcceptOffer = "accept-offer",
        DeclineOffer = "decline-offer",
        TakeBackPromise = "take-back-promise",
        AgreeMedically = "agree-medically",
        ContestAnswer = "contest-answer",
        ChooseOffer = "choose-offer",
        AgreeArrival = "agree-arrival",
        ExtendHold = "extend-hold",
        ReleaseHold = "release-hold",
        LapseHold = "lapse-hold",
        Admit = "admit",
        ReviewTriage = "review-triage",
        PlanDischarge = "plan-discharge",
        SetPlan = "set-plan",
        WaitFor = "wait-for",
        SwitchFunding = "switch-funding",
        Move = "move",
        Discharge = "discharge",
        CancelAdmission = "cancel-admission",
        CancelMove = "cancel-move",
        CancelDischarge = "cancel-discharge",
        Escalate = "escalate",
        TakeOver = "take-over",
        Raise = "raise",
        HandOverDuty = "hand-over-duty",
        TakeBackDuty = "take-back-duty",
        SwitchRuleSet = "switch-rule-set",
        LogContact = "log-contact",
        AskConfirmation = "ask-confirmation",
        CorrectBed = "correct-bed",
    }
    words {
        /// A location's word about itself and which beds it has: all of [`Act::Report`] that is not about how they are.
        Report = "report",
        /// A location's word about how its beds are, such as anybody on a ward can see it.
        SayOfBeds = "say-of-beds",
    }
    queries {
        /// The desks of the regions, their numbers and hours.
        Regions = "regions",
        /// Counts per location and care type.
        Board = "board",
        /// What locations are called and how they are reached.
        Locations = "locations",
        /// Why admissions are stopped at a location. That they are, and since when, is on the board.
        WhyStopped = "why-stopped",
        /// A location bed by bed.
        Beds = "beds",
        /// The offers before a location.
        Offers = "offers",
        /// What can be admitted where at a moment.
        Admittable = "admittable",
        /// The weighing instruments of a region with their questions.
        Instruments = "instruments",
        /// Candidates for a profile.
        Matching = "matching",
        /// What needs the desk now.
        Worklist = "worklist",
        /// A referral as it stands, non-identifying.
        Referral = "referral",
        /// What is sealed of a referral: who it is. For a location only once it was chosen.
        Private = "private",
        /// All that happened to a referral.
        Timeline = "timeline",
        /// Why these candidates: the decision receipt.
        Receipt = "receipt",
        /// What does not fit, with its owner.
        Contradictions = "contradictions",
        /// Inflow, throughput, outflow.
        Flow = "flow",
        /// What nothing was found for.
        Unmet = "unmet",
        /// A stay.
        Stay = "stay",
        /// What is recorded in a region, as it is recorded.
        Events = "events",
    }
}

/// What it is to report this.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a new fact is no word about how beds are unless it says so here"
)]
const fn of_word(fact: &Fact) -> Action {
    match fact {
        Fact::LocationConfirmed { .. }
        | Fact::CountsReported { .. }
        | Fact::BedOpened(_)
        | Fact::BedClosed { .. }
        | Fact::BedStaffed(_)
        | Fact::BedUnstaffed(_)
        | Fact::BedVacated(_)
        | Fact::BedFreed(_)
        | Fact::BedContaminated(_)
        // Kept in reserve, or no more; what a bed is for and where it stands is the location's to say.
        | Fact::BedChanged(BedProfile { care_types: None, ward: None, room: None, features: None, .. }) => {
            Action::SayOfBeds
        }
        _ => Action::Report,
    }
}

impl Action {
    /// Whether it belongs to a desk's duty itself, which nobody stands in for.
    pub(super) const fn is_of_duty(self) -> bool {
        matches!(self, Self::HandOverDuty | Self::TakeBackDuty | Self::SwitchRuleSet)
    }
}
