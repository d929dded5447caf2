//! Why the business says no: a code for programs, a sentence for people in Dutch and in English.
//!
//! Not here: when (the steps). A refusal is an answer, not an error: nothing is broken.

use alloc::format;
use alloc::string::String;
use core::fmt::Display;

use crate::words::Sentence;
use crate::{CareType, LocationId, ReferralId, RegionId, Timestamp};

/// What stands in a refusal, in either language.
trait Said {
    fn nl(&self) -> &dyn Display;
    fn en(&self) -> &dyn Display;
}

impl Said for Sentence {
    fn nl(&self) -> &dyn Display {
        &self.nl
    }

    fn en(&self) -> &dyn Display {
        &self.en
    }
}

/// The same in both.
macro_rules! alike {
    ($($type:ty),+) => {
        $(impl Said for $type {
            fn nl(&self) -> &dyn Display {
                self
            }

            fn en(&self) -> &dyn Display {
                self
            }
        })+
    };
}

alike!(CareType, LocationId, ReferralId, RegionId, String, Timestamp, i64, u32);

macro_rules! refusals {
    ($( $(#[$doc:meta])* $variant:ident $({ $( $(#[$fdoc:meta])* $field:ident : $type:ty ),+ $(,)? })? = $code:literal, $nl:literal, $en:literal; )+) => {
        /// Why not.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Refusal { $( $(#[$doc])* $variant $({ $( $(#[$fdoc])* $field : $type ),+ })?, )+ }

        impl Refusal {
            /// Every code.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// The code, such as `bed-taken`.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $( Self::$variant { .. } => $code, )+ }
            }

            /// The sentence in Dutch.
            #[must_use]
            pub fn nl(&self) -> String {
                match self { $( Self::$variant $({ $($field),+ })? => format!($nl $($(, $field = Said::nl($field))+)?), )+ }
            }

            /// The sentence in English.
            #[must_use]
            pub fn en(&self) -> String {
                match self { $( Self::$variant $({ $($field),+ })? => format!($en $($(, $field = Said::en($field))+)?), )+ }
            }
        }
    };
}

refusals! {
    /// Another desk decides.
    NotYourRegion { /** Whose. */ region: RegionId } = "not-your-region",
        "Dit is aan het loket van regio {region}.", "This is for the desk of region {region} to decide.";
    /// Another location's bed, stay or offer.
    NotYourBed { /** Whose. */ location: LocationId } = "not-your-bed",
        "Dit is aan locatie {location}.", "This is for location {location} to say.";
    /// Another referrer's referral.
    NotYourReferral = "not-your-referral",
        "Deze aanmelding is door een ander gedaan.", "Somebody else made this referral.";
    /// Not for this role.
    NotYourRole = "not-your-role",
        "Dit hoort niet bij uw rol.", "This is not for your role to do.";
    /// The duty was not handed over, or not for this.
    NoMandate = "no-mandate",
        "Het loket heeft u dit niet overgedragen, of de overdracht is voorbij.",
        "The desk has not handed this over to you, or the time of it is over.";
    /// No such referral.
    UnknownReferral = "unknown-referral",
        "Deze aanmelding is niet bekend.", "This referral is not known.";
    /// Its id was used before.
    ReferralKnown = "referral-known",
        "Er is al een aanmelding met dit nummer.", "There is a referral with this id already.";
    /// It looks like another one.
    LikelyDouble { /** That one. */ other: ReferralId } = "likely-double",
        "Dit lijkt dezelfde persoon als aanmelding {other}. Kijk die na, of bevestig dat het een ander is.",
        "This looks like the same person as referral {other}. Look at it, or say that it is somebody else.";
    /// It ended.
    ReferralEnded = "referral-ended",
        "Deze aanmelding is al afgesloten.", "This referral has ended already.";
    /// Another place was chosen.
    AlreadyPlaced { /** Where. */ location: LocationId } = "already-placed",
        "De aanmelding is al geplaatst bij {location}.", "The referral is already placed at {location}.";
    /// Another place was chosen, for a location whose it is not to know which.
    PlacedElsewhere = "placed-elsewhere",
        "De aanmelding is al elders geplaatst.", "The referral is already placed elsewhere.";
    /// Nothing is promised there.
    NotPlaced { /** Where. */ location: LocationId } = "not-placed",
        "Voor deze aanmelding is bij {location} geen plek toegezegd en gekozen.",
        "No place at {location} was promised and chosen for this referral.";
    /// The person did not agree to sharing.
    ConsentMissing = "consent-missing",
        "De toestemming van de patiënt is nog niet vastgelegd.", "The patient's consent is not recorded yet.";
    /// Not weighed yet.
    NotTriaged = "not-triaged",
        "De aanmelding is nog niet getrieerd.", "The referral has not been triaged yet.";
    /// No such instrument here.
    UnknownInstrument { /** Those of the region, by name with version. */ here: String } = "unknown-instrument",
        "Dit afwegingsinstrument, of deze versie, geldt niet in deze regio; hier geldt {here}.",
        "This weighing instrument, or this version, is not used in this region, but {here}.";
    /// A question needs an answer.
    Unanswered { /** Which, as it is asked. */ question: Sentence } = "unanswered",
        "De vraag '{question}' moet nog worden beantwoord.", "The question '{question}' still needs an answer.";
    /// An answer to no question.
    UnknownQuestion { /** Which. */ question: String } = "unknown-question",
        "Het instrument heeft geen vraag '{question}', of die is dubbel beantwoord.",
        "The instrument has no question '{question}', or it was answered twice.";
    /// The answers would be lost.
    AnswersNotKept = "answers-not-kept",
        "De antwoorden van de triage moeten versleuteld worden meegegeven.",
        "The answers of the triage have to come with it, sealed.";
    /// Set aside without a reason.
    ReasonMissing = "reason-missing",
        "Wie van de uitkomst afwijkt, geeft een reden.", "Whoever sets the outcome aside gives a reason.";
    /// No such location.
    UnknownLocation { /** Which. */ location: LocationId } = "unknown-location",
        "Locatie {location} is niet bekend.", "Location {location} is not known.";
    /// Its id is another's, or it takes part already.
    LocationKnown { /** Which. */ location: LocationId } = "location-known",
        "Er is al een locatie {location}: wijzig die, of kies een andere naam.",
        "There is a location {location} already: change that one, or choose another id.";
    /// Not given there.
    CareTypeNotGiven { /** Where. */ location: LocationId } = "care-type-not-given",
        "{location} geeft deze zorg niet.", "{location} does not give this kind of care.";
    /// No admissions now.
    AdmissionsStopped { /** Where. */ location: LocationId } = "admissions-stopped",
        "{location} heeft een opnamestop.", "{location} has stopped admissions.";
    /// Not at that hour.
    OutsideWindow { /** Where. */ location: LocationId, /** When. */ at: Timestamp } = "outside-window",
        "{location} neemt op dat moment ({at}) niet op.", "{location} does not admit at that moment ({at}).";
    /// Full for the period.
    IntakeLimitReached { /** Where. */ location: LocationId, /** How many. */ max: u32 } = "intake-limit-reached",
        "{location} neemt in die periode niet meer dan {max} mensen op.",
        "{location} admits no more than {max} people in that period.";
    /// No such bed.
    UnknownBed { /** Where. */ location: LocationId } = "unknown-bed",
        "Dit bed van {location} is niet bekend.", "This bed of {location} is not known.";
    /// Somebody else has it.
    BedTaken { /** Where. */ location: LocationId } = "bed-taken",
        "Dit bed van {location} is al bezet of gereserveerd.", "This bed of {location} is taken or kept already.";
    /// Out of use.
    BedClosed { /** Where. */ location: LocationId } = "bed-closed",
        "Dit bed van {location} is buiten gebruik.", "This bed of {location} is out of use.";
    /// None of the type.
    NoBedFree { /** Where. */ location: LocationId } = "no-bed-free",
        "{location} heeft hiervoor geen bed dat nu kan worden aangeboden.",
        "{location} has no bed for this that can be offered now.";
    /// No such offer.
    UnknownOffer = "unknown-offer",
        "Deze vraag aan de locatie is niet bekend.", "This offer is not known.";
    /// Its id was used before.
    OfferKnown = "offer-known",
        "Er is al een vraag met dit nummer.", "There is an offer with this id already.";
    /// Another list.
    ReceiptOfAnother = "receipt-of-another",
        "De lijst met locaties is van een andere aanmelding.", "The list of locations is that of another referral.";
    /// Asked already.
    AskedAlready { /** Which. */ location: LocationId } = "asked-already",
        "De aanmelding ligt al voor bij {location}.", "The referral is before {location} already.";
    /// Answered already.
    AnsweredAlready = "answered-already",
        "Deze vraag is al beantwoord.", "This offer was answered already.";
    /// The desk asks no longer.
    OfferRevoked = "offer-revoked",
        "De vraag is ingetrokken.", "The offer was revoked.";
    /// The time to answer is over.
    TooLate { /** Until when it could be. */ answer_by: Timestamp } = "too-late",
        "De tijd om te antwoorden was tot {answer_by}.", "The time to answer was until {answer_by}.";
    /// On whose word?
    SpokenWithMissing = "spoken-with-missing",
        "Leg vast met wie van de locatie is gesproken.", "Record with whom at the location it was spoken.";
    /// A location speaks for itself.
    SpokenWithSelf = "spoken-with-self",
        "Een locatie antwoordt voor zichzelf, zonder 'gesproken met'.",
        "A location answers for itself, with nobody spoken with.";
    /// Its own answer.
    NothingToContest = "nothing-to-contest",
        "Alleen een antwoord dat het loket telefonisch heeft vastgelegd kan worden betwist.",
        "Only an answer that the desk recorded by telephone can be contested.";
    /// Not promised.
    NotAccepted = "not-accepted",
        "De locatie heeft geen plek toegezegd.", "The location has not promised a place.";
    /// Not a doctor.
    NotADoctor = "not-a-doctor",
        "Alleen een arts kan akkoord geven op de opname.", "Only a doctor can agree to the admission.";
    /// The doctor comes first.
    AgreementMissing = "agreement-missing",
        "Het akkoord van de opnemend arts ontbreekt nog.", "The admitting doctor's agreement is still missing.";
    /// Beyond what the region allows.
    OutsideRuleSet { /** Which rule. */ rule: Sentence } = "outside-rule-set",
        "Dit valt buiten de regels van de regio ({rule}).", "This is outside the rules of the region ({rule}).";
    /// Gone.
    HoldLapsed { /** Where. */ location: LocationId } = "hold-lapsed",
        "De reservering bij {location} is verlopen.", "The hold at {location} has lapsed.";
    /// None there.
    NoHold { /** Where. */ location: LocationId } = "no-hold",
        "Er is bij {location} niets gereserveerd voor deze aanmelding.",
        "Nothing is kept at {location} for this referral.";
    /// Its time has not come.
    NotDue { /** When. */ at: Timestamp } = "not-due",
        "Dit kan pas vanaf {at}.", "This can be from {at} on.";
    /// It lies behind.
    NotInFuture = "not-in-future",
        "Dit moment ligt niet in de toekomst.", "This moment is not in the future.";
    /// No such stay.
    UnknownStay = "unknown-stay",
        "Dit verblijf is niet bekend.", "This stay is not known.";
    /// Its id was used before.
    StayKnown = "stay-known",
        "Er is al een verblijf met dit nummer.", "There is a stay with this id already.";
    /// It ended.
    StayClosed = "stay-closed",
        "Dit verblijf is al geëindigd.", "This stay has ended already.";
    /// It did not end.
    StayOpen = "stay-open",
        "Dit verblijf loopt nog.", "This stay has not ended.";
    /// Not where it is said to be.
    StayElsewhere { /** Where it is. */ location: LocationId } = "stay-elsewhere",
        "Dit verblijf is op een andere plek, bij {location}.", "This stay is in another place, at {location}.";
    /// After thirty days.
    CancelledTooLate = "cancelled-too-late",
        "Een ontslag kan tot dertig dagen later worden teruggedraaid.",
        "A discharge can be cancelled within thirty days.";
    /// Not the last word.
    NothingToCorrect = "nothing-to-correct",
        "Dit is niet uw laatste melding over dit bed, of kan niet worden teruggedraaid.",
        "This is not your last word about this bed, or none that can be corrected.";
    /// With another desk.
    WithAnotherDesk { /** Which. */ region: RegionId } = "with-another-desk",
        "De aanmelding is overgedragen aan loket {region}; neem haar eerst terug.",
        "The referral was handed to the desk of {region}; take it back first.";
    /// Nobody asked.
    NotEscalated = "not-escalated",
        "Deze aanmelding is niet aan u overgedragen.", "This referral was not handed to you.";
    /// A rung comes first.
    LadderSkipped = "ladder-skipped",
        "Eerst komt een eerdere stap van de escalatieladder.", "An earlier rung of the ladder comes first.";
    /// Rungs are left.
    LadderNotFinished = "ladder-not-finished",
        "De escalatieladder is nog niet helemaal doorlopen.", "The ladder has not been climbed to its end.";
    /// On duty already.
    NotHandedOver = "not-handed-over",
        "De dienst is niet overgedragen.", "The duty was not handed over.";
    /// More beds in use and free than there are.
    CountsExceedBeds { /** Of what. */ care_type: CareType, /** In use. */ occupied: i64, /** Free. */ offerable: i64, /** Of so many. */ beds: i64 } = "counts-exceed-beds",
        "{care_type}: {occupied} bezet en {offerable} vrij zijn samen meer dan {beds} bedden. Tel opnieuw.",
        "{care_type}: {occupied} occupied and {offerable} free are more than {beds} beds. Count again.";
    /// No fact of a location.
    NotAReport = "not-a-report",
        "Dit is geen melding van een locatie over haar eigen bedden of verblijven.",
        "This is no word of a location about its own beds or stays.";
    /// Asked, or heard of.
    NotSilent { /** Which. */ location: LocationId } = "not-silent",
        "{location} is niet stil geweest, of is al gevraagd.",
        "{location} has not been silent, or was asked already.";
}
