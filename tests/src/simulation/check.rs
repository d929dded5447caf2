//! What has to hold of a log of the desks, read without the node: nobody placed twice, one end for every referral, counts
//! that add up at every position that is looked at, deadlines kept in time.
//!
//! Not here: the rules (`domain::desk`). What is so at a position is folded from the log anew.

use std::collections::BTreeMap;
use std::path::Path;

use domain::availability::Taken;
use domain::desk::{State, due};
use domain::{BedRef, Event, EventId, Fact, Place, Recorded, ReferralId, Timestamp};
use eventlog::{LogReader, Query};
use views::{Flow, Unmet, View as _};

use super::identities::{Told, end_of, wrong};
use super::outages::{LATE_MAX_MICROS, Lives, Outage};

/// Views are added up at every so many positions.
const ADD_UP_EVERY: u64 = 1_000;
/// Problems that are told; the others are counted.
const TOLD_MAX: usize = 20;
/// Who says so in what lapses by a deadline.
const KEEPER: &str = "urn:doorstroom:keeper";
/// Events of one act of the keeper beyond the first.
const FOLLOWING_MAX: u32 = 8;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Events read.
    pub events: u64,
    /// Referrals made.
    pub referrals: u64,
    /// Ends, by kind of the event.
    pub ends: BTreeMap<String, u64>,
    /// Beds that were given while they were another's.
    pub double_placements: u64,
    /// Positions at which the views were added up.
    pub added_up: u64,
    /// Deadlines that passed, by kind of the event.
    pub deadlines: BTreeMap<String, u64>,
    /// The latest of them after it was due, or after the node was ready again; in microseconds of the machine.
    pub latest_micros: i64,
    /// How many were later than a second.
    pub too_late: u64,
    /// What does not hold.
    pub problems: Vec<String>,
    /// How many more.
    pub further_problems: u64,
}

impl Checked {
    fn problem(&mut self, position: u64, what: impl AsRef<str>) {
        if self.problems.len() < TOLD_MAX {
            self.problems.push(format!("{position}: {}", what.as_ref()));
        } else {
            self.further_problems += 1;
        }
    }
}

/// What is kept while reading.
struct Reading {
    state: State,
    flow: Flow,
    unmet: Unmet,
    told: Told,
    /// The last act of the keeper.
    kept: Option<EventId>,
    lives: Lives,
    found: Checked,
}

/// Reads the log in this data folder, of a node whose clock went so many times faster.
///
/// # Panics
/// If it can not be read.
#[must_use]
pub fn check(data: &Path, rules: &Path, factor: u32, outages: &[Outage]) -> Checked {
    let mut reading = Reading {
        state: State::new(desk::read_rules(rules).unwrap()),
        flow: Flow::default(),
        unmet: Unmet::default(),
        told: Told::default(),
        kept: None,
        lives: Lives::of(data, factor, outages),
        found: Checked::default(),
    };
    let reader = LogReader::open(&data.join("log")).unwrap();
    for record in reader.read(Query::default()) {
        let record = record.unwrap();
        let (position, at) = (record.position, record.recorded_at);
        match contracts::recorded(position, at, &record.content_type, record.bytes) {
            Ok(recorded) => reading.take(&recorded),
            // A record of the node itself: a start, a gap.
            Err(_) => reading.pass(position, Timestamp::from_micros(at)),
        }
        if position % ADD_UP_EVERY == 0 {
            reading.add_up(position);
        }
    }
    reading.add_up(reader.head().position);
    reading.end()
}

impl Reading {
    fn take(&mut self, recorded: &Recorded) {
        let (position, event) = (recorded.position, &recorded.event);
        self.found.events += 1;
        if event.source.as_str() == KEEPER {
            self.deadline(recorded);
        }
        self.place(position, event);
        if end_of(&event.fact).is_some() {
            *self.found.ends.entry(event.fact.kind().to_owned()).or_default() += 1;
        }
        if matches!(event.fact, Fact::ReferralMade(_)) {
            self.found.referrals += 1;
        }
        self.told.take(&event.fact);
        self.state.project(recorded);
        self.flow.project(recorded, &mut Vec::new());
        self.unmet.project(recorded, &mut Vec::new());
        self.holds_of(recorded);
    }

    /// The desk and the board agree whether something is kept for the referral that this was about.
    fn holds_of(&mut self, recorded: &Recorded) {
        let Some(referral) = recorded.event.fact.referral() else { return };
        let by_desk = self.state.referrals.get(&referral).is_some_and(|known| !known.holds.is_empty());
        if by_desk != self.state.board.is_held_for(referral) {
            let (fact, time) = (&recorded.event.fact, recorded.event.occurred_at);
            let problem = format!(
                "a place for {referral}: {by_desk} at the desk and not so on the board, {time} {fact:?}"
            );
            self.found.problem(recorded.position, problem);
        }
    }

    fn pass(&mut self, position: u64, at: Timestamp) {
        self.state.board.pass(position, at);
        self.flow.pass(position, at);
        self.unmet.pass(position, at);
    }

    /// A place is given to nobody while it is another's.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other facts give no place")]
    fn place(&mut self, position: u64, event: &Event) {
        let (bed, referral) = match &event.fact {
            Fact::HoldGranted { place, referral, .. } => (bed_of(place), Some(*referral)),
            Fact::StayAdmitted { place, referral, .. } => (bed_of(place), *referral),
            Fact::StayMoved { to, stay, .. } => (Some(to.clone()), self.referral_of(*stay)),
            _ => return,
        };
        let Some(bed) = bed else { return };
        let named = format!("{}/{}", bed.location, bed.bed);
        let problem = match self.state.board.bed_state(&bed).map(|state| state.taken) {
            Some(Taken::For(other)) if Some(other) != referral => {
                format!("{named} is given while it is kept for {other}")
            }
            Some(Taken::By(stay)) => format!("{named} is given while {stay} is in it"),
            Some(Taken::For(_) | Taken::Free) | None => return,
        };
        self.found.double_placements += 1;
        self.found.problem(position, problem);
    }

    fn referral_of(&self, stay: domain::StayId) -> Option<ReferralId> {
        self.state.stays.get(&stay)?.referral
    }

    /// A deadline passed: when it was due, or when the node was ready again.
    fn deadline(&mut self, recorded: &Recorded) {
        let (position, id, at) = (recorded.position, recorded.event.id, recorded.recorded_at);
        let of_the_last = |last: EventId| (1..=FOLLOWING_MAX).any(|number| last.following(number) == id);
        if self.kept.is_some_and(of_the_last) {
            return;
        }
        self.kept = Some(id);
        let kind = recorded.event.fact.kind();
        *self.found.deadlines.entry(kind.to_owned()).or_default() += 1;
        let Some(due) = due(&self.state, at).into_iter().find(|due| due.id == id) else {
            return self.found.problem(position, format!("{kind} passed and was not due"));
        };
        self.judge(position, kind, due.at, at);
    }

    fn judge(&mut self, position: u64, kind: &str, due: Timestamp, at: Timestamp) {
        let late = self.lives.late(due, at);
        self.found.latest_micros = self.found.latest_micros.max(late);
        if late > LATE_MAX_MICROS {
            self.found.too_late += 1;
            self.found.problem(position, format!("{kind} came {late} µs of the machine after it was due"));
        }
    }

    /// What is counted in parts is the whole, and nothing that is over waits for the keeper.
    fn add_up(&mut self, position: u64) {
        self.found.added_up += 1;
        for what in wrong(&self.state, &self.flow, &self.unmet, &self.told) {
            self.found.problem(position, what);
        }
        let at = self.state.board.recorded_at();
        for due in due(&self.state, at) {
            if self.lives.late(due.at, at) > LATE_MAX_MICROS {
                self.judge(position, "what waits for the keeper", due.at, at);
            }
        }
    }

    fn end(mut self) -> Checked {
        for (referral, ends) in std::mem::take(&mut self.told.ends) {
            if ends != 1 {
                self.found.problem(self.state.position(), format!("referral {referral} ended {ends} times"));
            }
        }
        self.found
    }
}

fn bed_of(place: &Place) -> Option<BedRef> {
    Some(BedRef { location: place.location.clone(), bed: place.bed.clone()? })
}
