//! What does not fit and somebody has to solve, with its owner and its age: the desk's and the board's.
//!
//! Not here: how it was found (`desk::referral`, `availability`).

use alloc::vec::Vec;

use serde::Serialize;

use crate::desk::{Owner, State};
use crate::words::{Sentence, say};
use crate::{BedId, LocationId, OfferId, ReferralId, RegionId, Timestamp};
use crate::{availability, desk};

/// The most that are shown of a region: nobody solves more at once, and the newest tell what is wrong now.
pub const CONTRADICTIONS_SHOWN_MAX: usize = 500;

/// What the board finds is about a moment that is gone; after this long nobody has to look at it any more.
const BOARD_AGE_MICROS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// Where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// In the working process. It stays until it is solved.
    Desk(desk::ContradictionKind),
    /// On the board. It is about one event; the next word of the location stands.
    Board(availability::ContradictionKind),
}

impl Source {
    /// The code, such as `answer-contested`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Desk(kind) => match kind {
                desk::ContradictionKind::AnswerContested => "answer-contested",
                desk::ContradictionKind::PromisedTooLate => "promised-too-late",
                desk::ContradictionKind::AdmittedWithoutAgreement => "admitted-without-agreement",
                desk::ContradictionKind::AdmittedElsewhere => "admitted-elsewhere",
                desk::ContradictionKind::AdmittedAfterEnd => "admitted-after-end",
            },
            Self::Board(kind) => kind.code(),
        }
    }
}

/// One that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenContradiction {
    /// What does not fit.
    pub source: Source,
    /// Who has to solve it.
    pub owner: Owner,
    /// Since when.
    pub since: Timestamp,
    /// For how long, in microseconds; never negative.
    pub age_micros: i64,
    /// About which referral.
    pub referral: Option<ReferralId>,
    /// About which offer.
    pub offer: Option<OfferId>,
    /// About which location.
    pub location: Option<LocationId>,
    /// About which bed of it.
    pub bed: Option<BedId>,
    /// Which event opened it, if the board found it.
    pub position: Option<u64>,
}

impl OpenContradiction {
    /// What does not fit, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        match self.source {
            Source::Desk(kind) => of_desk(kind),
            Source::Board(kind) => of_board(kind),
        }
    }
}

/// What is open in a region: what the working process found first, each the oldest first.
#[must_use]
pub fn contradictions(state: &State, region: &RegionId, now: Timestamp) -> Vec<OpenContradiction> {
    let age = |since: Timestamp| now.as_micros().saturating_sub(since.as_micros()).max(0);
    let of_desk = state.contradictions().filter(|(of, _)| *of == region).map(|(_, open)| OpenContradiction {
        source: Source::Desk(open.kind),
        owner: open.owner.clone(),
        since: open.since,
        age_micros: age(open.since),
        referral: Some(open.referral),
        offer: open.offer,
        location: match &open.owner {
            Owner::Location(location) => Some(location.clone()),
            Owner::Desk(_) => None,
        },
        bed: None,
        position: None,
    });
    let of_board = state
        .board
        .contradiction_list()
        .filter(|found| found.region == *region && age(found.recorded_at) <= BOARD_AGE_MICROS_MAX)
        .map(|found| OpenContradiction {
            source: Source::Board(found.why),
            owner: match &found.location {
                Some(location) if state.board.mode_of(location).is_some() => {
                    Owner::Location(location.clone())
                }
                Some(_) | None => Owner::Desk(region.clone()),
            },
            since: found.recorded_at,
            age_micros: age(found.recorded_at),
            referral: None,
            offer: None,
            location: found.location.clone(),
            bed: found.bed.clone(),
            position: Some(found.position),
        });
    let mut all: Vec<OpenContradiction> = of_desk.take(CONTRADICTIONS_SHOWN_MAX).collect();
    // The newest come first there: what has no room is what was found longest ago.
    all.extend(of_board.take(CONTRADICTIONS_SHOWN_MAX.saturating_sub(all.len())));
    let from_board = |one: &OpenContradiction| one.position.is_some();
    all.sort_by_key(|one| (from_board(one), one.since, one.position, one.referral, one.source));
    all
}

fn of_desk(kind: desk::ContradictionKind) -> Sentence {
    match kind {
        desk::ContradictionKind::AnswerContested => say!(
            "De locatie zegt dit antwoord niet te hebben gegeven.",
            "The location says that it never gave this answer.",
        ),
        desk::ContradictionKind::PromisedTooLate => say!(
            "Er is een plek toegezegd nadat de aanmelding al geplaatst of afgesloten was.",
            "A place was promised after the referral was placed or had ended.",
        ),
        desk::ContradictionKind::AdmittedWithoutAgreement => say!(
            "Opgenomen zonder akkoord van de opnemend arts.",
            "Admitted without the admitting doctor's agreement.",
        ),
        desk::ContradictionKind::AdmittedElsewhere => say!(
            "Opgenomen op een andere locatie dan was gekozen.",
            "Admitted at another location than was chosen.",
        ),
        desk::ContradictionKind::AdmittedAfterEnd => say!(
            "Opgenomen terwijl de aanmelding al was afgesloten.",
            "Admitted although the referral had ended.",
        ),
    }
}

#[expect(clippy::too_many_lines, reason = "one sentence for each kind")]
fn of_board(kind: availability::ContradictionKind) -> Sentence {
    use availability::ContradictionKind as Kind;
    match kind {
        Kind::Late => say!(
            "Een melding die ouder is dan een latere van dezelfde bron.",
            "A word that is older than a later one of the same source.",
        ),
        Kind::UnknownLocation => say!("De locatie is niet bekend.", "The location is not known."),
        Kind::UnknownBed => say!("Het bed is niet bekend.", "The bed is not known."),
        Kind::NeverReported => {
            say!("De locatie meldde dit zorgtype nooit.", "The location never reported this care type.")
        }
        Kind::StayNotOpen => {
            say!("Het verblijf is niet bekend of al geëindigd.", "The stay is unknown or has ended.")
        }
        Kind::StayNotClosed => {
            say!("Een ontslag is teruggedraaid dat er niet was.", "A discharge was cancelled that never was.")
        }
        Kind::CancelledTooLate => say!(
            "Een ontslag is na meer dan dertig dagen teruggedraaid.",
            "A discharge was cancelled after more than thirty days.",
        ),
        Kind::BedAtReportingLocation => say!(
            "Een bed bij een locatie die alleen aantallen meldt.",
            "A bed at a location that reports counts."
        ),
        Kind::CountsBesideBeds => say!(
            "Aantallen van een locatie die bedden bijhoudt.",
            "Counts from a location that keeps bed records."
        ),
        Kind::CountsOutOfRange => say!("Onmogelijke aantallen gemeld.", "Impossible counts were reported."),
        Kind::CountsExceedPhysical => say!(
            "Er zijn meer plekken in gebruik en vrij gemeld dan er bedden zijn.",
            "More places were reported in use and free than there are beds.",
        ),
        Kind::BedAddedTwice => say!("Het bed was er al.", "The bed was there already."),
        Kind::RemovedOccupied => {
            say!("Een bezet bed is verwijderd.", "A bed was removed with somebody in it.")
        }
        Kind::RemovedHeld => {
            say!("Een gereserveerd bed is verwijderd.", "A bed was removed while it was kept.")
        }
        Kind::FreedOccupied => say!("Een bezet bed is vrijgemeld.", "A bed was freed with somebody in it."),
        Kind::NothingToCorrect => say!(
            "Een correctie van iets dat niet de laatste melding was.",
            "A correction of what was not the last word.",
        ),
        Kind::HoldOnTakenBed => {
            say!("Een reservering op een bed dat niet vrij is.", "A hold on a bed that is not free.")
        }
        Kind::NoHoldToExtend => {
            say!("Een reservering verlengd die er niet is.", "A hold was extended that is not there.")
        }
        Kind::NothingOfferable => say!(
            "Geplaatst of gereserveerd terwijl er volgens de opgave niets vrij is.",
            "Placed or kept although nothing is free as reported.",
        ),
        Kind::StayElsewhere => say!(
            "Opgenomen terwijl het verblijf nog elders liep.",
            "Admitted while the stay was still elsewhere."
        ),
        Kind::BedOccupied => {
            say!("Opgenomen in een bed waar al iemand lag.", "Admitted to a bed with somebody in it.")
        }
        Kind::HeldForAnother => say!(
            "Opgenomen in een bed dat voor een ander was gereserveerd.",
            "Admitted to a bed that was kept for somebody else.",
        ),
        Kind::DischargedElsewhere => say!(
            "Ontslag van een andere plek dan waar het verblijf was.",
            "Discharged from another place than where the stay was.",
        ),
        Kind::PlaceTaken => say!(
            "Ontslag teruggedraaid, maar de plek is niet meer vrij.",
            "A discharge was cancelled, but the place is not free any more.",
        ),
    }
}
