//! What is remembered of each source while the recorder runs: its own count, and whether its clock can be right.
//!
//! In memory only: after a start the first event of a source sets its count. Bounded by the registry, because only
//! events of known sources are recorded. Not here: what a hole means for the board (nothing: facts stand by themselves).

use std::collections::HashMap;

use contracts::Decoded;
use domain::SourceId;

use crate::metrics::Metrics;

/// A moment claimed this much ahead of the recording is not believed: two minutes, in microseconds.
const AHEAD_MAX: i64 = 2 * 60 * 1_000_000;
/// A moment claimed this much before the recording is noted: a day, in microseconds.
const BEHIND_MAX: i64 = 24 * 60 * 60 * 1_000_000;

#[derive(Debug, Default)]
struct Known {
    sequence: Option<u64>,
    clock_suspect: bool,
}

/// Every source that sent something since the start.
#[derive(Debug, Default)]
pub(crate) struct Sources(HashMap<SourceId, Known>);

impl Sources {
    /// Notes an event that was recorded for the first time. Never a reason to refuse it.
    pub(crate) fn note(&mut self, decoded: &Decoded, position: u64, recorded_at: i64, metrics: &Metrics) {
        let event = &decoded.event;
        if !self.0.contains_key(&event.source) {
            self.0.insert(event.source.clone(), Known::default());
        }
        let Some(known) = self.0.get_mut(&event.source) else { return };
        let source = event.source.as_str();

        let claimed = [event.occurred_at.as_micros(), event.time.as_micros()];
        let suspect = claimed.iter().any(|claimed| {
            *claimed > recorded_at.saturating_add(AHEAD_MAX)
                || *claimed < recorded_at.saturating_sub(BEHIND_MAX)
        });
        if suspect {
            metrics.count_clock_suspect();
            // Said when it begins, not for each of the thousand events of a source that sends its history.
            if !known.clock_suspect {
                tracing::warn!(
                    source,
                    position,
                    "the clock of this source is suspect: it claims another day"
                );
            }
        }
        known.clock_suspect = suspect;

        let Some(sequence) = decoded.sequence else { return };
        match known.sequence {
            Some(last) if sequence <= last => {
                metrics.count_late();
                tracing::warn!(
                    source,
                    position,
                    last,
                    sequence,
                    "an event of this source comes late by its own count"
                );
            }
            Some(last) if sequence > last.saturating_add(1) => {
                metrics.count_hole();
                tracing::warn!(
                    source,
                    position,
                    last,
                    sequence,
                    "a hole in the count of this source; it should send what is missing again"
                );
                known.sequence = Some(sequence);
            }
            Some(_) | None => known.sequence = Some(sequence),
        }
    }
}
