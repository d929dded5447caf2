//! The fold, row by row of the contract's table and sentence by sentence around it: given, when, then.
//!
//! Here: how a test tells events and reads the board. Not here: the reference boards (`tests/reference.rs`).

mod beds;
mod holds;
mod locations;
mod properties;
mod reported;
mod stays;
mod touching;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::availability::{Availability, CareCode, Counts, Row, RowKey};
use crate::testing::*;
use crate::{Event, EventId, Fact, Recorded};
use uuid::Uuid;

/// A board that is told events, one a second, by one source unless another is named.
struct Told {
    board: Availability,
    source: &'static str,
    seen: u64,
    changes: Vec<RowKey>,
}

impl Told {
    /// Five locations, no beds, nothing reported.
    fn new() -> Self {
        let mut told = Self { board: Availability::default(), source: "urn:a", seen: 0, changes: Vec::new() };
        for (location, mode) in [(A, "beds"), (B, "beds"), (C, "counts"), (FAR, "beds"), (FAR_C, "counts")] {
            told.tell(registered(location, mode));
        }
        told
    }

    /// These beds at location A, of type LC.
    fn with_beds(beds: &[&str]) -> Self {
        let mut told = Self::new();
        for bed in beds {
            told.tell(added(A, bed, &[LC]));
        }
        told
    }

    /// A report at location C: physical, occupied, offerable.
    fn with_report(physical: i64, occupied: i64, offerable: i64) -> Self {
        let mut told = Self::new();
        told.tell(reported(C, LC, physical, occupied, offerable));
        told
    }

    /// Tells an event that happened now; gives its id.
    fn tell(&mut self, fact: Fact) -> EventId {
        self.tell_at(self.now(), fact)
    }

    fn tell_all(&mut self, facts: impl IntoIterator<Item = Fact>) {
        for fact in facts {
            self.tell(fact);
        }
    }

    /// Tells an event that happened at this second.
    fn tell_at(&mut self, occurred_at: i64, fact: Fact) -> EventId {
        self.tell_timed(self.now(), occurred_at, fact)
    }

    /// Tells an event that was logged and happened at these seconds.
    fn tell_timed(&mut self, time: i64, occurred_at: i64, fact: Fact) -> EventId {
        let position = self.board.position() + 1;
        let id = EventId::new(Uuid::from_u128(u128::from(position))).unwrap();
        let region = fact.location().map_or("zk09", |location| &location.as_str()[..4]).parse().unwrap();
        let recorded = Recorded {
            position,
            recorded_at: second(self.now()),
            event: Event {
                source: self.source.parse().unwrap(),
                id,
                time: second(time),
                region,
                occurred_at: second(occurred_at),
                fact,
            },
        };
        self.changes.clear();
        self.board.project(&recorded, &mut self.changes);
        id
    }

    fn by(&mut self, source: &'static str) -> &mut Self {
        self.source = source;
        self
    }

    fn now(&self) -> i64 {
        i64::try_from(self.board.position() + 1).unwrap()
    }

    /// What the row of A and LC shows, and the contradictions since the last look.
    #[track_caller]
    fn sees(&mut self, counts: &str, contradictions: &[&str]) {
        self.sees_at(A, LC, counts, contradictions);
    }

    /// What a row shows, and the contradictions since the last look.
    #[track_caller]
    fn sees_at(&mut self, location: &str, care_type: &str, counts: &str, contradictions: &[&str]) {
        let found = self.row(location, care_type).map_or(String::new(), |row| shown(&row.counts()));
        let new = usize::try_from(self.board.contradictions() - self.seen).unwrap();
        self.seen = self.board.contradictions();
        let mut why: Vec<_> =
            self.board.contradiction_list().take(new).map(|found| found.why.code()).collect();
        why.reverse();
        assert_eq!((found.as_str(), &*why), (counts, contradictions));
    }

    fn row(&self, location: &str, care_type: &str) -> Option<Row> {
        let region = location[..4].parse().unwrap();
        let care_type = CareCode::from(care_type);
        self.board.row(&RowKey { region, location: location.parse().unwrap(), care_type })
    }
}

/// Counts above zero, as text.
fn shown(counts: &Counts) -> String {
    let named = [
        ("physical", counts.physical),
        ("occupied", counts.occupied),
        ("held", counts.held),
        ("not_ready", counts.not_ready),
        ("closed", counts.closed),
        ("unstaffed", counts.unstaffed),
        ("reserve", counts.reserve),
        ("offerable", counts.offerable),
        ("also", counts.also_offerable),
        ("waiting", counts.waiting),
    ];
    let above = named.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}"));
    above.collect::<Vec<_>>().join(", ")
}
