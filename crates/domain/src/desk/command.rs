//! What somebody wants: a command, with its moment and its id.
//!
//! Not here: whether it may be (`authority`, the steps).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::instrument::Answer;
use crate::{
    BedId, BedRef, CareType, ContactId, ContactKind, DeclineCode, Destination, DivertedReason, Event,
    EventId, Fact, Label, LocationId, Matched, OfferId, OfferRef, Place, PlanStep, RaisedTo, ReferralId,
    ReferralProfile, RegionId, Role, RuleSet, Sealed, SourceId, StayId, Timestamp, WaitingFor,
    WithdrawnReason,
};

/// Something somebody wants, with all that is needed to decide it: no clock is read, no id is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its id, a UUIDv7: that of the first event it makes; the further ones follow from it. A command that comes again
    /// with its id is found in the log instead of being decided anew.
    pub id: EventId,
    /// Who says so, as it stands in the events.
    pub source: SourceId,
    /// Whose desk decides.
    pub region: RegionId,
    /// Now.
    pub at: Timestamp,
    /// When it happened, if it is told late.
    pub occurred_at: Option<Timestamp>,
    /// Who wants it.
    pub by: Actor,
    /// What.
    pub act: Act,
}

/// Who wants something. Who a person or a system is was found out before (sign-in, registry).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// The desk of a region.
    Desk(RegionId),
    /// A coordination centre: decides only for a desk that handed it its duty.
    Centre(Label),
    /// A location, about itself.
    Location(LocationId),
    /// A referrer, about its own referrals (those of its source).
    Referrer,
    /// The deadline keeper of the desk.
    Keeper,
}

/// A step of the working process, as a mandate names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Referrals made, changed, ended.
    Referrals,
    /// Weighing.
    Triage,
    /// Offers sent and revoked.
    Offers,
    /// Answers and choices.
    Answers,
    /// Arrivals and holds.
    Holds,
    /// Stays and beds.
    Stays,
    /// Other desks, and those above them.
    Escalation,
    /// Duty and rule set: never in a mandate.
    Duty,
}

impl Step {
    /// Those that a mandate can name.
    pub const MANDATED: [Self; 7] = [
        Self::Referrals,
        Self::Triage,
        Self::Offers,
        Self::Answers,
        Self::Holds,
        Self::Stays,
        Self::Escalation,
    ];
    /// The word of a mandate for every step.
    pub const EVERY: &str = "all";

    /// Whether a mandate can say this.
    #[must_use]
    pub fn is_mandate(word: &str) -> bool {
        word == Self::EVERY || Self::MANDATED.iter().any(|step| step.code() == word)
    }

    /// Its word in a mandate.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Referrals => "referrals",
            Self::Triage => "triage",
            Self::Offers => "offers",
            Self::Answers => "answers",
            Self::Holds => "holds",
            Self::Stays => "stays",
            Self::Escalation => "escalation",
            Self::Duty => "duty",
        }
    }
}

/// A location that is asked for a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The id of the offer.
    pub offer: OfferId,
    /// The location.
    pub location: LocationId,
    /// A certain bed.
    pub bed: Option<BedId>,
    /// The care type.
    pub care_type: CareType,
}

macro_rules! acts {
    ($( $(#[$doc:meta])* $variant:ident $({ $( $(#[$fdoc:meta])* $field:ident : $type:ty ),+ $(,)? })? => $step:ident, )+) => {
        /// What is wanted: one variant for each.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Act {
            $( $(#[$doc])* $variant $({ $( $(#[$fdoc])* $field : $type ),+ })?, )+
        }

        impl Act {
            /// The step it belongs to.
            #[must_use]
            pub const fn step(&self) -> Step {
                match self { $( Self::$variant { .. } => Step::$step, )+ }
            }
        }
    };
}

acts! {
    /// A place is needed for somebody.
    MakeReferral {
        /// What is known.
        profile: ReferralProfile,
        /// Whoever asks has seen the likely doubles and says that this is another person.
        not_a_double: bool,
    } => Referrals,
    /// What is known of a referral changed.
    ChangeReferral {
        /// What is known now.
        profile: ReferralProfile,
    } => Referrals,
    /// A place is no longer needed.
    WithdrawReferral {
        /// The referral.
        referral: ReferralId,
        /// Why.
        reason: WithdrawnReason,
    } => Referrals,
    /// Solved otherwise.
    DivertReferral {
        /// The referral.
        referral: ReferralId,
        /// How.
        reason: DivertedReason,
    } => Referrals,
    /// Nothing was found: a person says so, no timer does.
    GiveUp {
        /// The referral.
        referral: ReferralId,
        /// Why.
        reason: Label,
    } => Referrals,
    /// The weighing.
    Triage {
        /// The referral.
        referral: ReferralId,
        /// The instrument with its version.
        instrument: Label,
        /// The answers, to weigh them; they are kept in `sealed` only.
        answers: Vec<Answer>,
        /// What is decided instead of the outcome of the answers,
        set_aside: Option<CareType>,
        /// and why.
        reason: Option<Label>,
        /// Who decided.
        decided_by: Role,
        /// The specialist who was consulted.
        consulted: Option<Role>,
        /// The answers as they are kept.
        sealed: Option<Sealed>,
    } => Triage,
    /// Locations are asked for a place, at once.
    SendOffers {
        /// The referral.
        referral: ReferralId,
        /// Which locations.
        to: Vec<Asked>,
        /// Until when they can answer; otherwise as the rules say.
        answer_by: Option<Timestamp>,
        /// The list that was looked at: kept with the offers.
        receipt: Option<Matched>,
    } => Offers,
    /// The location looked at an offer.
    SeeOffer {
        /// The offer.
        offer: OfferRef,
    } => Answers,
    /// The desk asks no longer.
    RevokeOffer {
        /// The offer.
        offer: OfferRef,
    } => Offers,
    /// Nobody answered in time.
    LapseOffer {
        /// The offer.
        offer: OfferRef,
    } => Offers,
    /// The location promises a place.
    AcceptOffer {
        /// The offer.
        offer: OfferRef,
        /// A certain bed; otherwise one of the type.
        bed: Option<BedId>,
        /// The care type.
        care_type: CareType,
        /// From when.
        from: Timestamp,
        /// Who promised.
        role: Role,
        /// With whom the desk spoke on the telephone.
        spoken_with: Option<Role>,
    } => Answers,
    /// The location says no.
    DeclineOffer {
        /// The offer.
        offer: OfferRef,
        /// Why.
        code: DeclineCode,
        /// With whom the desk spoke on the telephone.
        spoken_with: Option<Role>,
    } => Answers,
    /// The location cannot keep what it promised, or never meant to promise it: nobody is in the place yet.
    TakeBackPromise {
        /// The offer.
        offer: OfferRef,
        /// Why.
        code: DeclineCode,
        /// With whom the desk spoke on the telephone.
        spoken_with: Option<Role>,
    } => Answers,
    /// The admitting doctor agrees.
    AgreeMedically {
        /// The offer.
        offer: OfferRef,
        /// Who agrees.
        role: Role,
    } => Answers,
    /// The location never gave the answer that was recorded for it.
    ContestAnswer {
        /// The offer.
        offer: OfferRef,
        /// Who says so.
        role: Role,
    } => Answers,
    /// Of those that promised a place, this one.
    ChooseOffer {
        /// The offer.
        offer: OfferRef,
        /// Who chose, or for the family.
        role: Role,
    } => Answers,
    /// The arrival is agreed.
    AgreeArrival {
        /// The referral.
        referral: ReferralId,
        /// Where.
        location: LocationId,
        /// When.
        arrives_at: Timestamp,
        /// How.
        transport: Option<Label>,
    } => Holds,
    /// The place is kept longer.
    ExtendHold {
        /// For whom.
        referral: ReferralId,
        /// Where.
        location: LocationId,
        /// Until when.
        until: Timestamp,
    } => Holds,
    /// The place is kept no longer; another is looked for.
    ReleaseHold {
        /// For whom it was.
        referral: ReferralId,
        /// Where.
        location: LocationId,
    } => Holds,
    /// The time of a hold ran out: it ends, or asks a person if the arrival is agreed.
    LapseHold {
        /// For whom.
        referral: ReferralId,
        /// The place.
        place: Place,
    } => Holds,
    /// Somebody came in.
    Admit {
        /// The stay.
        stay: StayId,
        /// The referral it comes from.
        referral: Option<ReferralId>,
        /// Where.
        place: Place,
        /// Who pays, if that is known.
        funding: Option<Label>,
        /// What the weighing comes to now that the person is seen.
        triage: Option<CareType>,
        /// The plan for going home starts here.
        plan: Vec<PlanStep>,
    } => Stays,
    /// The weighing was looked at again.
    ReviewTriage {
        /// The stay.
        stay: StayId,
        /// What it comes to.
        outcome: CareType,
    } => Stays,
    /// The day of leaving is planned, or not any more.
    PlanDischarge {
        /// The stay.
        stay: StayId,
        /// The day; `None` withdraws it.
        expected_at: Option<Timestamp>,
    } => Stays,
    /// The plan for going home.
    SetPlan {
        /// The stay.
        stay: StayId,
        /// Its items.
        items: Vec<PlanStep>,
    } => Stays,
    /// Ready to go and not gone, or gone waiting.
    WaitFor {
        /// The stay.
        stay: StayId,
        /// For what; `none` ends it.
        what: WaitingFor,
        /// Since when; otherwise as before if it waits for this already, else since now.
        since: Option<Timestamp>,
    } => Stays,
    /// Somebody else pays, without a move.
    SwitchFunding {
        /// The stay.
        stay: StayId,
        /// Who pays.
        funding: Label,
        /// What the stay waits for with it, and since when.
        waits_for: Option<(WaitingFor, Timestamp)>,
    } => Stays,
    /// To another bed.
    Move {
        /// The stay.
        stay: StayId,
        /// From.
        from: BedRef,
        /// To.
        to: BedRef,
    } => Stays,
    /// Somebody left.
    Discharge {
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
    } => Stays,
    /// That admission was not so.
    CancelAdmission {
        /// The stay.
        stay: StayId,
    } => Stays,
    /// That move was not so.
    CancelMove {
        /// The stay.
        stay: StayId,
        /// From, of the move.
        from: BedRef,
        /// To, of the move.
        to: BedRef,
    } => Stays,
    /// That discharge was not so.
    CancelDischarge {
        /// The stay.
        stay: StayId,
    } => Stays,
    /// Another desk is asked to take it.
    Escalate {
        /// The referral.
        referral: ReferralId,
        /// Its region.
        to: RegionId,
    } => Escalation,
    /// The desk that was asked takes it, or the one that asked takes it back.
    TakeOver {
        /// The referral.
        referral: ReferralId,
    } => Escalation,
    /// Brought before somebody above the desks.
    Raise {
        /// The referral.
        referral: ReferralId,
        /// Before whom.
        to: RaisedTo,
    } => Escalation,
    /// Another desk or a centre stands in.
    HandOverDuty {
        /// Who: the region of the desk or the name of the centre.
        to: Label,
        /// Until when.
        until: Timestamp,
        /// Which steps it may take, as [`Step::code`]; `all` for all but duty itself.
        mandate: Vec<Label>,
    } => Duty,
    /// The desk is back before the time.
    TakeBackDuty => Duty,
    /// Other rules hold.
    SwitchRuleSet {
        /// Which.
        rule_set: RuleSet,
    } => Duty,
    /// The desk was in contact.
    LogContact {
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
    } => Referrals,
    /// A location that was silent for long is asked whether the board still holds.
    AskConfirmation {
        /// The location.
        location: LocationId,
    } => Offers,
    /// A location's word about its beds or stays: a fact, recorded as it is said.
    Report {
        /// What it says.
        fact: Fact,
    } => Stays,
    /// The last word about a bed was wrong.
    CorrectBed {
        /// The bed.
        bed: BedRef,
        /// The event that was wrong.
        corrects: EventId,
    } => Stays,
}

impl Command {
    /// The facts as events of this command, in their order.
    pub(super) fn events(&self, facts: Vec<Fact>) -> Vec<Event> {
        let ids = (0u32..).map(|number| self.id.following(number));
        facts
            .into_iter()
            .zip(ids)
            .map(|(fact, id)| Event {
                source: self.source.clone(),
                id,
                time: self.at,
                region: self.region.clone(),
                occurred_at: self.occurred_at.unwrap_or(self.at),
                fact,
            })
            .collect()
    }
}
