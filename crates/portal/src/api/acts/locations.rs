//! A location's word about itself and its beds: facts, recorded as they are said.

use std::str::FromStr as _;

use domain::desk::Act;
use domain::{BedRef, Fact};

use super::parts::{BedFacts, Count, Site, Window, windows};
use super::{At, Built, acts, limited};
use crate::api::problem::Problem;
use crate::api::upto::Places;
use crate::api::value::{
    CareCode, ClosedBecause, EventNumber, LocationCode, Moment, PeriodCode, StoppedBecause, Words, plain,
};

/// The bed of this address.
fn bed(at: &At<'_>) -> Result<BedRef, Problem> {
    Ok(BedRef { location: at.parts.read("location")?, bed: at.parts.read("bed")? })
}

/// A word about a bed that needs nothing more than the bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BedWord {
    Opened,
    Staffed,
    Unstaffed,
    Vacated,
    Freed,
    Contaminated,
    Removed,
}

/// What can be said of a bed in one word, as it stands in the address.
pub(crate) const BED_WORDS: [&str; 7] =
    ["opened", "staffed", "unstaffed", "vacated", "freed", "contaminated", "removed"];

impl std::str::FromStr for BedWord {
    type Err = Problem;

    fn from_str(word: &str) -> Result<Self, Problem> {
        match word {
            "opened" => Ok(Self::Opened),
            "staffed" => Ok(Self::Staffed),
            "unstaffed" => Ok(Self::Unstaffed),
            "vacated" => Ok(Self::Vacated),
            "freed" => Ok(Self::Freed),
            "contaminated" => Ok(Self::Contaminated),
            "removed" => Ok(Self::Removed),
            _ => Err(Problem::NotThere),
        }
    }
}

impl BedWord {
    fn of(self, bed: BedRef) -> Fact {
        match self {
            Self::Opened => Fact::BedOpened(bed),
            Self::Staffed => Fact::BedStaffed(bed),
            Self::Unstaffed => Fact::BedUnstaffed(bed),
            Self::Vacated => Fact::BedVacated(bed),
            Self::Freed => Fact::BedFreed(bed),
            Self::Contaminated => Fact::BedContaminated(bed),
            Self::Removed => Fact::BedRemoved(bed),
        }
    }
}

acts! {
    #[doc = "A location takes part."]
    RegisterLocation = "registerLocation" at "/regions/{region}/locations" is Report {
        /// The location.
        location: LocationCode,
        /// What it says of itself.
        site: Site,
    } |body, at| {
        let fact = Fact::LocationRegistered(body.site.of(body.location.0)?);
        Built::from(Act::Report { fact }).in_region(at.parts.read("region")?)
    };

    #[doc = "A location describes itself anew."]
    ChangeLocation = "changeLocation" at "/locations/{location}/change" is Report {
        /// What it says of itself.
        site: Site,
    } |body, at| Act::Report { fact: Fact::LocationChanged(body.site.of(at.parts.read("location")?)?) };

    #[doc = "Everything the board shows of a location still holds."]
    Confirm = "confirm" at "/locations/{location}/confirm" is SayOfBeds {
    } |_, at| Act::Report { fact: Fact::LocationConfirmed { location: at.parts.read("location")? } };

    #[doc = "A location takes part no longer."]
    LeaveNetwork = "leaveNetwork" at "/locations/{location}/leave" is Report {
    } |_, at| Act::Report { fact: Fact::LocationWithdrawn { location: at.parts.read("location")? } };

    #[doc = "A location that was silent for long is asked whether the board still holds."]
    AskConfirmation = "askConfirmation" at "/locations/{location}/ask-confirmation" is AskConfirmation {
    } |_, at| Act::AskConfirmation { location: at.parts.read("location")? };

    #[doc = "A location without bed records counts."]
    ReportCounts = "reportCounts" at "/locations/{location}/counts" is SayOfBeds {
        /// What it counted, per care type.
        #[schema(max_items = 64)]
        counts: Vec<Count>,
    } |body, at| {
        let counts = limited(body.counts, "counts")?.into_iter().map(Into::into).collect();
        Act::Report { fact: Fact::CountsReported { location: at.parts.read("location")?, counts } }
    };

    #[doc = "When admissions are possible."]
    SetWindows = "setWindows" at "/locations/{location}/windows" is Report {
        /// The windows; none means never.
        #[schema(max_items = 64)]
        windows: Vec<Window>,
    } |body, at| {
        let (location, windows) = (at.parts.read("location")?, windows(body.windows)?);
        Act::Report { fact: Fact::WindowsSet { location, windows } }
    };

    #[doc = "How many admissions a location takes."]
    SetIntakeLimit = "setIntakeLimit" at "/locations/{location}/intake-limit" is Report {
        /// For this type only.
        care_type: Option<CareCode>,
        /// Per day or per week.
        period: PeriodCode,
        /// The limit.
        max: Places,
    } |body, at| {
        let (location, care_type) = (at.parts.read("location")?, plain(body.care_type));
        let fact = Fact::IntakeLimitSet { location, care_type, period: body.period.0, max: body.max.0 };
        Act::Report { fact }
    };

    #[doc = "No admissions for now, of a ward or the house."]
    StopAdmissions = "stopAdmissions" at "/locations/{location}/stop" is Report {
        /// Only this ward.
        ward: Option<Words>,
        /// Why.
        reason: StoppedBecause,
        /// When it is looked at again.
        review_at: Option<Moment>,
    } |body, at| {
        let (location, ward) = (at.parts.read("location")?, plain(body.ward));
        let (reason, review_at) = (body.reason.0, plain(body.review_at));
        Act::Report { fact: Fact::AdmissionsStopped { location, ward, reason, review_at } }
    };

    #[doc = "Admissions go on."]
    ResumeAdmissions = "resumeAdmissions" at "/locations/{location}/resume" is Report {
        /// Only this ward.
        ward: Option<Words>,
    } |body, at| {
        let (location, ward) = (at.parts.read("location")?, plain(body.ward));
        Act::Report { fact: Fact::AdmissionsResumed { location, ward } }
    };

    #[doc = "A bed is there."]
    AddBed = "addBed" at "/locations/{location}/beds/{bed}/add" is Report {
        /// What is said of it; `care_types` has to be there.
        facts: BedFacts,
    } |body, at| {
        if !body.facts.names_care() {
            return Err(Problem::Unfit("a bed that is added says its `care_types`".to_owned()));
        }
        Act::Report { fact: Fact::BedAdded(body.facts.of(bed(at)?)?) }
    };

    #[doc = "Something about a bed changed."]
    ChangeBed = "changeBed" at "/locations/{location}/beds/{bed}/change" is SayOfBeds {
        /// What changed.
        facts: BedFacts,
    } |body, at| Act::Report { fact: Fact::BedChanged(body.facts.of(bed(at)?)?) };

    #[doc = "A bed is out of use."]
    CloseBed = "closeBed" at "/locations/{location}/beds/{bed}/closed" is SayOfBeds {
        /// Why.
        reason: ClosedBecause,
        /// When it is looked at again.
        review_at: Option<Moment>,
    } |body, at| {
        let (reason, review_at) = (body.reason.0, plain(body.review_at));
        Act::Report { fact: Fact::BedClosed { bed: bed(at)?, reason, review_at } }
    };

    #[doc = "The last word about a bed was wrong."]
    CorrectBed = "correctBed" at "/locations/{location}/beds/{bed}/correct" is CorrectBed {
        /// The event that was wrong, of the same source.
        corrects: EventNumber,
    } |body, at| Act::CorrectBed { bed: bed(at)?, corrects: body.corrects.0 };

    #[doc = "A word about a bed: opened, staffed, unstaffed, vacated, freed, contaminated or removed."]
    SayOfBed = "sayOfBed" at "/locations/{location}/beds/{bed}/{word}" is SayOfBeds {
    } |_, at| {
        let word = at.parts.0.get("word").ok_or(Problem::NotThere)?;
        Act::Report { fact: BedWord::from_str(word)?.of(bed(at)?) }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_about_a_bed_is_one() {
        let bed = BedRef { location: "zk23-de-linde".parse().unwrap(), bed: "12".parse().unwrap() };
        for word in BED_WORDS {
            assert_eq!(BedWord::from_str(word).unwrap().of(bed.clone()).kind(), format!("bed.{word}"));
        }
        assert!(BedWord::from_str("sold").is_err());
    }
}
