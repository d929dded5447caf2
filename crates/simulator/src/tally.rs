//! What is measured: how long things took, how they ended, where the board was not the truth.
//!
//! Not here: what happened (`case`, `house`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::api::Answer;
use crate::chance::MINUTE;

#[derive(Debug, Default)]
struct Kept {
    /// How often, by kind and name.
    counts: BTreeMap<(&'static str, String), u64>,
    /// How long, in microseconds.
    times: BTreeMap<(&'static str, String), Vec<i64>>,
    /// Answers that should not have been, the first of them.
    unexpected: Vec<String>,
}

/// So many unexpected answers are told; all are counted.
const UNEXPECTED_MAX: usize = 50;

/// What is measured.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Kept>);

impl Tally {
    /// One more of this kind.
    pub(crate) fn count(&self, kind: &'static str, name: &str) {
        self.add(kind, name, 1);
    }

    /// So many more of this kind.
    pub(crate) fn add(&self, kind: &'static str, name: &str, more: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept.counts.entry((kind, name.to_owned())).or_default() += more;
    }

    /// It took so long.
    pub(crate) fn took(&self, kind: &'static str, name: &str, micros: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.times.entry((kind, name.to_owned())).or_default().push(micros);
    }

    /// What became of an act.
    pub(crate) fn act(&self, what: &'static str, answer: &Answer) {
        match answer {
            Answer::Done => self.count("acts", what),
            Answer::Refused(code) => self.count("refusals", &format!("{what} {code}")),
            Answer::Wrong(why) => self.count("wrong", &format!("{what} {why}")),
        }
    }

    /// An answer that should not have been.
    pub(crate) fn unexpect(&self, told: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.unexpected.len() < UNEXPECTED_MAX {
            kept.unexpected.push(told);
        }
    }

    /// The first answers that should not have been.
    pub(crate) fn unexpected(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unexpected.clone()
    }

    /// How many of this kind and name.
    pub(crate) fn counted(&self, kind: &'static str, name: &str) -> u64 {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.counts.get(&(kind, name.to_owned())).copied().unwrap_or(0)
    }

    /// How many of this kind, whatever their names.
    pub(crate) fn sum(&self, kind: &'static str) -> u64 {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.counts.iter().filter(|((of, _), _)| *of == kind).map(|(_, count)| count).sum()
    }

    /// Everything, as JSON: counts by kind and name; of times the number, the median and the ninth tenth in minutes.
    pub(crate) fn told(&self) -> Value {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
        for ((kind, name), count) in &kept.counts {
            told.entry(*kind).or_default().insert(name, json!(count));
        }
        for ((kind, name), times) in &kept.times {
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let minutes = |part: usize| sorted.get(sorted.len() * part / 100).map(|micros| micros / MINUTE);
            let longest = sorted.last().map(|micros| micros / MINUTE);
            let shown = json!({
                "count": sorted.len(), "p50_minutes": minutes(50), "p90_minutes": minutes(90), "max_minutes": longest,
            });
            told.entry(*kind).or_default().insert(name, shown);
        }
        json!(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_times_are_told_by_kind_and_name() {
        let tally = Tally::default();
        tally.act("accept", &Answer::Refused("too-late".to_owned()));
        tally.act("accept", &Answer::Refused("too-late".to_owned()));
        for minutes in 1..=10 {
            tally.took("placed", "crisis", minutes * MINUTE);
        }
        assert_eq!(
            tally.told(),
            json!({
                "refusals": { "accept too-late": 2 },
                "placed": { "crisis": { "count": 10, "p50_minutes": 6, "p90_minutes": 10, "max_minutes": 10 } },
            })
        );
        assert_eq!((tally.counted("refusals", "accept too-late"), tally.counted("acts", "accept")), (2, 0));
    }
}
