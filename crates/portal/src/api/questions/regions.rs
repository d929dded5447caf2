//! Questions about a region: its board, what can be admitted, how it weighs, what is to be done, what does not fit.

use domain::access::Action;
use domain::desk::{Instrument, Outcome};
use domain::queries;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answered, questions};
use crate::api::scope::Subject;
use crate::api::value::{
    BedCode, LocationCode, Moment, OfferNumber, ReferralNumber, RegionCode, SourceUrn, StayNumber, Text,
    UrgencyCode, Words, plain,
};

/// The desks of the network.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Regions {
    regions: Vec<RegionShown>,
}

/// A region and its desk.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegionShown {
    region: RegionCode,
    name: Words,
    /// What people call its desk.
    desk: Words,
    /// The number to ring.
    phone: Words,
    /// When it answers, in words.
    hours: Words,
    /// Who stands in for the desk now.
    deputy: Option<Words>,
}

/// The board of a region.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Board {
    region: RegionCode,
    rows: Vec<BoardRow>,
}

/// One care type at one location.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BoardRow {
    location: LocationCode,
    #[schema(value_type = String)]
    care_type: &'static str,
    offerable: u32,
    also_offerable: u32,
    held: u32,
    occupied: u32,
    not_ready: u32,
    closed: u32,
    unstaffed: u32,
    reserve: u32,
    waiting: u32,
    physical: u32,
    /// When the location was last heard of.
    last_word_at: Moment,
    /// The last event behind this row.
    position: u64,
}

/// What can be admitted in a region at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Admittable {
    at: Moment,
    rows: Vec<AdmittableShown>,
}

/// One care type at one location, at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdmittableShown {
    location: LocationCode,
    name: Words,
    #[schema(value_type = String)]
    care_type: &'static str,
    /// How many can be offered now.
    offerable: u32,
    /// How many of another type could take this one.
    also_offerable: u32,
    /// Kept in reserve: to be asked for.
    reserve: u32,
    /// How many of the offerable ones can be admitted at the moment.
    admittable: u32,
    /// Why fewer.
    why_less: Vec<Reason>,
    last_word_at: Moment,
}

/// Why, for programs and for people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reason {
    pub(super) code: String,
    pub(super) text: String,
}

/// The weighing instruments that may be used in a region.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Instruments {
    region: RegionCode,
    instruments: Vec<InstrumentShown>,
}

/// A weighing instrument: its questions are asked in this order until an answer comes to something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstrumentShown {
    /// Its name with its version, as a weighing names it.
    instrument: Words,
    questions: Vec<QuestionShown>,
    /// What it comes to when no answer did: a care type, or `HOSPITAL`.
    otherwise: String,
}

/// A question that is answered with yes or no.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionShown {
    /// Its name in the answers.
    id: String,
    /// In Dutch.
    nl: String,
    /// In English.
    en: String,
    /// What a yes comes to: a care type, or `HOSPITAL`; nothing where the next question is asked.
    yes: Option<String>,
    /// The same of a no.
    no: Option<String>,
}

impl From<&Instrument> for InstrumentShown {
    fn from(instrument: &Instrument) -> Self {
        let code = |outcome: &Outcome| outcome.code().to_string();
        let question = |question: &domain::desk::Question| QuestionShown {
            id: question.id.clone(),
            nl: question.nl.clone(),
            en: question.en.clone(),
            yes: question.yes.as_ref().map(code),
            no: question.no.as_ref().map(code),
        };
        Self {
            instrument: Text(instrument.name.clone()),
            questions: instrument.questions.iter().map(question).collect(),
            otherwise: code(&instrument.otherwise),
        }
    }
}

/// What a desk has to do now, the first first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Worklist {
    items: Vec<WorkShown>,
    /// How many more there are.
    left_off: usize,
}

/// One thing to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkShown {
    /// What, such as `call-location`.
    #[schema(value_type = String)]
    kind: queries::WorkKind,
    urgency: Option<UrgencyCode>,
    /// When it is due, or since when it is so.
    due: Moment,
    /// That moment has passed.
    late: bool,
    referral: Option<ReferralNumber>,
    offer: Option<OfferNumber>,
    stay: Option<StayNumber>,
    location: Option<LocationCode>,
    /// The number to ring now.
    phone: Option<Words>,
    /// For what a stay waits, what does not fit, who calls back.
    about: Option<Words>,
}

/// What does not fit and is not solved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Contradictions {
    contradictions: Vec<ContradictionShown>,
}

/// One that is open.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContradictionShown {
    /// What, such as `answer-contested`.
    code: String,
    text: String,
    /// The region whose desk has to solve it.
    owner_region: Option<RegionCode>,
    /// The location that has to solve it.
    owner_location: Option<LocationCode>,
    since: Moment,
    /// For how long, in seconds.
    age_seconds: i64,
    referral: Option<ReferralNumber>,
    offer: Option<OfferNumber>,
    location: Option<LocationCode>,
    bed: Option<BedCode>,
    /// Which event opened it, if the board found it.
    position: Option<u64>,
}

/// What locations of a region are called and how they are reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Locations {
    locations: Vec<LocationShown>,
}

/// A location.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LocationShown {
    location: LocationCode,
    region: RegionCode,
    name: Words,
    provider: Words,
    /// The number that is answered by day.
    phone: Option<Words>,
    /// The number that is answered at night.
    phone_night: Option<Words>,
    /// Admissions are stopped for the whole house.
    stopped: bool,
    /// Wards for which admissions are stopped.
    stopped_wards: Vec<Words>,
    /// The same with since when; the whole house first.
    stops: Vec<StopShown>,
    last_word_at: Moment,
    last_word_by: SourceUrn,
}

/// No admissions for now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StopShown {
    /// Only in this ward; nothing for the whole house.
    ward: Option<Words>,
    /// Why, by its code: one of those with which a stop is told, or one of a later version. Only for whoever places people, and for
    /// the house itself.
    reason: Option<String>,
    /// When it began.
    since: Moment,
    /// When it is looked at again.
    review_at: Option<Moment>,
}

impl StopShown {
    fn of(stop: views::Stop, sees_why: bool) -> Self {
        Self {
            ward: stop.ward.map(Text),
            reason: sees_why.then(|| stop.reason.raw().to_owned()),
            since: Text(stop.since),
            review_at: stop.review_at.map(Text),
        }
    }
}

impl LocationShown {
    /// A location; why it is stopped for whoever `sees_why`.
    pub(super) fn of(card: views::LocationCard, sees_why: bool) -> Self {
        let (stopped, wards) = (card.is_stopped(), card.stopped_wards().cloned().map(Text).collect());
        Self {
            stopped,
            stopped_wards: wards,
            location: Text(card.location),
            region: Text(card.region),
            name: Text(card.name),
            provider: Text(card.provider),
            phone: card.phone.map(Text),
            phone_night: card.phone_night.map(Text),
            stops: card.stops.into_iter().map(|stop| StopShown::of(stop, sees_why)).collect(),
            last_word_at: Text(card.last_word.at),
            last_word_by: Text(card.last_word.source),
        }
    }
}

fn row(row: &views::Row) -> BoardRow {
    let counts = row.counts();
    BoardRow {
        location: Text(row.location.clone()),
        care_type: row.care_type.as_str(),
        offerable: counts.offerable,
        also_offerable: counts.also_offerable,
        held: counts.held,
        occupied: counts.occupied,
        not_ready: counts.not_ready,
        closed: counts.closed,
        unstaffed: counts.unstaffed,
        reserve: counts.reserve,
        waiting: counts.waiting,
        physical: counts.physical,
        last_word_at: Text(row.last_word.at),
        position: row.position,
    }
}

fn work(item: queries::WorkItem) -> WorkShown {
    WorkShown {
        kind: item.kind,
        urgency: item.urgency.map(Text),
        due: Text(item.due),
        late: item.late,
        referral: item.referral.map(Text),
        offer: item.offer.map(Text),
        stay: item.stay.map(Text),
        location: item.location.map(Text),
        phone: item.phone.map(Text),
        about: item.about.map(Text),
    }
}

fn contradiction(open: queries::OpenContradiction, text: String) -> ContradictionShown {
    let (owner_region, owner_location) = match &open.owner {
        domain::desk::Owner::Desk(region) => (Some(Text(region.clone())), None),
        domain::desk::Owner::Location(location) => (None, Some(Text(location.clone()))),
    };
    ContradictionShown {
        code: open.source.code().to_owned(),
        text,
        owner_region,
        owner_location,
        since: Text(open.since),
        age_seconds: open.age_micros / 1_000_000,
        referral: open.referral.map(Text),
        offer: open.offer.map(Text),
        location: open.location.map(Text),
        bed: open.bed.map(Text),
        position: open.position,
    }
}

questions! {
    #[doc = "The desks of the regions, their numbers and hours."]
    AskRegions = "regions" at "/regions" {
    } -> Regions, |_, look| {
        let network = &look.portal.app.network;
        look.at(Action::Regions, |_| Some(Subject::default()), |state| {
            let shown = network.regions().map(|region| RegionShown {
                region: Text(region.code.clone()),
                name: Text(region.name.clone()),
                desk: Text(region.desk.name.clone()),
                phone: Text(region.desk.phone.clone()),
                hours: Text(region.desk.hours.clone()),
                deputy: state.deputy(&region.code, look.now).map(|duty| Text(duty.to.clone())),
            });
            Ok(Regions { regions: shown.collect() })
        })
    };

    #[doc = "Counts per location and care type, as they are known now."]
    AskBoard = "board" at "/regions/{region}/board" {
    } -> Board, |_, look| look.at_region(Action::Board, |state, region| {
        let rows = state.board.rows_of(region).map(|found| row(&found)).collect();
        Ok(Board { region: Text(region.clone()), rows })
    });

    #[doc = "What can be admitted where at a moment: within windows, limits and stops."]
    AskAdmittable = "admittable" at "/regions/{region}/admittable" {
        /// At which moment; otherwise now.
        at: Option<Moment>,
    } -> Admittable, |asked, look| {
        let at = plain(asked.at).unwrap_or(look.now);
        look.at_region(Action::Admittable, |state, region| {
            let rows = queries::admittable(state, region, at).into_iter().map(|row| AdmittableShown {
                location: Text(row.location),
                name: Text(row.name),
                care_type: row.care_type.as_str(),
                offerable: row.offerable,
                also_offerable: row.also_offerable,
                reserve: row.reserve,
                admittable: row.admittable,
                why_less: row
                    .why_less
                    .into_iter()
                    .map(|why| Reason { code: why.code().to_owned(), text: look.say(why.sentence()) })
                    .collect(),
                last_word_at: Text(row.last_word.at),
            });
            Ok(Admittable { at: Text(at), rows: rows.collect() })
        })
    };

    #[doc = "The weighing instruments of a region: their questions, in order, and what each answer comes to."]
    AskInstruments = "instruments" at "/regions/{region}/instruments" {
    } -> Instruments, |_, look| look.at_region(Action::Instruments, |state, region| {
        let instruments = state.rule_book.of(region).instruments.iter().map(Into::into).collect();
        Ok(Instruments { region: Text(region.clone()), instruments })
    });

    #[doc = "What the desk of a region has to do now, the first first."]
    AskWorklist = "worklist" at "/regions/{region}/worklist" {
    } -> Worklist, |_, look| look.at_region(Action::Worklist, |state, region| {
        let list = queries::worklist(state, region, look.now);
        Ok(Worklist { items: list.items.into_iter().map(work).collect(), left_off: list.left_off })
    });

    #[doc = "What does not fit and is not solved, with its owner and age."]
    AskContradictions = "contradictions" at "/regions/{region}/contradictions" {
    } -> Contradictions, |_, look| look.at_region(Action::Contradictions, |state, region| {
        let found = queries::contradictions(state, region, look.now);
        let shown = found.into_iter().map(|open| {
            let text = look.say(open.sentence());
            contradiction(open, text)
        });
        Ok(Contradictions { contradictions: shown.collect() })
    });

    #[doc = "What the locations of a region are called and how they are reached."]
    AskLocations = "locations" at "/regions/{region}/locations" {
    } -> Locations, |_, look| look.at_region(Action::Locations, |state, region| {
        let shown = state.board.locations(region).map(|card| {
            let sees_why = look.sees_why_stopped(state, &card.location);
            LocationShown::of(card, sees_why)
        });
        Ok(Locations { locations: shown.collect() })
    });
}

/// The contradictions that are a location's own to solve.
pub(super) fn of_location(
    look: &super::Look<'_>,
    location: &domain::LocationId,
) -> Result<Answered<Contradictions>, crate::api::problem::Problem> {
    let about = |state: &domain::desk::State| Subject::location(state, location, look.now);
    look.at(Action::Contradictions, about, |state| {
        let Some((region, _)) = state.board.last_heard(location) else {
            return Ok(Contradictions { contradictions: Vec::new() });
        };
        let found = queries::contradictions(state, region, look.now).into_iter();
        let own = found
            .filter(|open| matches!(&open.owner, domain::desk::Owner::Location(owner) if owner == location));
        let shown = own.map(|open| {
            let text = look.say(open.sentence());
            contradiction(open, text)
        });
        Ok(Contradictions { contradictions: shown.collect() })
    })
}
