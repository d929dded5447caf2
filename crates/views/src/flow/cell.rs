//! What is counted of one row in one period: whole numbers that add up, and nothing else.
//!
//! A region is the sum of its rows, exactly, because every figure here is one that may be added: counts, totals, sums of
//! squares and histograms, never a mean. Not here: which event counts as what (`step`).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use domain::{DeclineCode, Destination, Origin};
use serde::{Deserialize, Serialize};

/// The ends of all but the last class of a histogram, in minutes: 1, 2, 4, 8 hours, 1, 2, 3 days, 1, 2, 3, 4, 6, 8, 13 weeks.
pub const BUCKET_ENDS: [u64; 14] =
    [60, 120, 240, 480, 1_440, 2_880, 4_320, 10_080, 20_160, 30_240, 40_320, 60_480, 80_640, 131_040];

/// Classes of a histogram.
pub const BUCKETS: usize = BUCKET_ENDS.len() + 1;

/// What is not one of the codes: nobody said.
pub(super) const UNKNOWN: u8 = u8::MAX;

/// A part of how long something took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Part {
    Count,
    Minutes,
    Squares,
    Bucket(u8),
}

/// One figure. Codes by their place in the list of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Measure {
    Admitted,
    AdmittedFrom(u8),
    MovedIn,
    MovedOut,
    Discharged,
    DischargedTo(u8),
    Declined(u8),
    OccupiedSeconds,
    WaitingSeconds,
    Stayed(Part),
    Waited(Part),
    Placed(Part),
}

/// The figures of one row in one period, those that are not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell(Vec<(Measure, u64)>);

impl Cell {
    pub(super) fn add(&mut self, measure: Measure, number: u64) {
        if number == 0 {
            return;
        }
        match self.0.binary_search_by_key(&measure, |(known, _)| *known) {
            Ok(index) => {
                if let Some((_, sum)) = self.0.get_mut(index) {
                    *sum = sum.saturating_add(number);
                }
            }
            Err(index) => self.0.insert(index, (measure, number)),
        }
    }

    /// What was added before was not so.
    pub(super) fn take(&mut self, measure: Measure, number: u64) {
        let Ok(index) = self.0.binary_search_by_key(&measure, |(known, _)| *known) else { return };
        let left = self.0.get(index).map_or(0, |(_, sum)| sum.saturating_sub(number));
        if left == 0 {
            self.0.remove(index);
        } else if let Some((_, sum)) = self.0.get_mut(index) {
            *sum = left;
        }
    }

    /// Adds every figure of another one.
    pub fn plus(&mut self, other: &Self) {
        for (measure, number) in &other.0 {
            self.add(*measure, *number);
        }
    }

    /// The figures by their names.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for (measure, number) in &self.0 {
            summary.set(*measure, *number);
        }
        summary
    }
}

/// The figures of a time that something took, each time one of these.
pub(super) fn parts(minutes: u64) -> [(Part, u64); 4] {
    let class = BUCKET_ENDS.iter().filter(|end| minutes >= **end).count();
    let bucket = Part::Bucket(u8::try_from(class).unwrap_or(UNKNOWN));
    [
        (Part::Count, 1),
        (Part::Minutes, minutes),
        (Part::Squares, minutes.saturating_mul(minutes)),
        (bucket, 1),
    ]
}

/// How long something took, over all times it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// How often.
    pub count: u64,
    /// All of them together, in minutes.
    pub total_minutes: u64,
    /// Their squares together, in square minutes: with the two above they give the spread.
    pub square_minutes: u64,
    /// How many fell in each class of [`BUCKET_ENDS`]; the last has no end.
    pub histogram: [u64; BUCKETS],
}

impl Times {
    fn set(&mut self, part: Part, number: u64) {
        match part {
            Part::Count => self.count = number,
            Part::Minutes => self.total_minutes = number,
            Part::Squares => self.square_minutes = number,
            Part::Bucket(class) => {
                if let Some(bucket) = self.histogram.get_mut(usize::from(class)) {
                    *bucket = number;
                }
            }
        }
    }

    /// The mean in whole minutes; `None` if it never happened.
    #[must_use]
    pub fn mean_minutes(&self) -> Option<u64> {
        self.total_minutes.checked_div(self.count)
    }
}

/// The figures by their names. Codes as in the contract; `unknown` where nobody said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Who came.
    pub admitted: u64,
    /// From where.
    pub origins: BTreeMap<&'static str, u64>,
    /// Who came from another location.
    pub moved_in: u64,
    /// Who went to another location.
    pub moved_out: u64,
    /// Who left.
    pub discharged: u64,
    /// To where.
    pub destinations: BTreeMap<&'static str, u64>,
    /// Offers that were declined, by code.
    pub refusals: BTreeMap<&'static str, u64>,
    /// How long beds were occupied, in seconds: a bed day has 86,400.
    pub occupied_seconds: u64,
    /// How long of that somebody waited who could go.
    pub waiting_seconds: u64,
    /// How long those stayed who left.
    pub stayed: Times,
    /// How long those waited who wait no more.
    pub waited: Times,
    /// From the referral to the admission, of those who came by one.
    pub placed: Times,
}

impl Summary {
    fn set(&mut self, measure: Measure, number: u64) {
        match measure {
            Measure::Admitted => self.admitted = number,
            Measure::AdmittedFrom(code) => by_code(&mut self.origins, Origin::KNOWN, code, number),
            Measure::MovedIn => self.moved_in = number,
            Measure::MovedOut => self.moved_out = number,
            Measure::Discharged => self.discharged = number,
            Measure::DischargedTo(code) => by_code(&mut self.destinations, Destination::KNOWN, code, number),
            Measure::Declined(code) => by_code(&mut self.refusals, DeclineCode::KNOWN, code, number),
            Measure::OccupiedSeconds => self.occupied_seconds = number,
            Measure::WaitingSeconds => self.waiting_seconds = number,
            Measure::Stayed(part) => self.stayed.set(part, number),
            Measure::Waited(part) => self.waited.set(part, number),
            Measure::Placed(part) => self.placed.set(part, number),
        }
    }
}

fn by_code(counts: &mut BTreeMap<&'static str, u64>, known: &'static [&'static str], code: u8, number: u64) {
    counts.insert(named(known, code), number);
}

/// The code at this place of a list of the contract.
pub(crate) fn named(known: &'static [&'static str], code: u8) -> &'static str {
    known.get(usize::from(code)).copied().unwrap_or("unknown")
}

/// The place of a code in its list.
pub(crate) fn place(known: &[&str], code: &str) -> u8 {
    known.iter().position(|one| *one == code).and_then(|index| u8::try_from(index).ok()).unwrap_or(UNKNOWN)
}
