//! What the recorder did, as numbers anybody may read while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters from the start of the process.
#[derive(Debug, Default)]
pub struct Metrics {
    recorded: AtomicU64,
    duplicates: AtomicU64,
    conflicts: AtomicU64,
    quarantined: AtomicU64,
    conditions_failed: AtomicU64,
    failed: AtomicU64,
    clock_suspect: AtomicU64,
    sequence_holes: AtomicU64,
    sequence_late: AtomicU64,
    unanswerable: AtomicU64,
    busy: AtomicU64,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $read:ident, $write:ident;)+) => {
        impl Metrics {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $read(&self) -> u64 {
                    self.$read.load(Ordering::Relaxed)
                }

                pub(crate) fn $write(&self) {
                    self.$read.fetch_add(1, Ordering::Relaxed);
                }
            )+
        }
    };
}

numbers! {
    /// Events recorded for the first time.
    recorded, count_recorded;
    /// Events that were there already.
    duplicates, count_duplicate;
    /// Events whose source and id were used before for something else; each is an alarm.
    conflicts, count_conflict;
    /// Messages kept aside, or counted where their sender has too many of them.
    quarantined, count_quarantined;
    /// Events not appended because the condition of their request did not hold.
    conditions_failed, count_condition_failed;
    /// Events not recorded for another reason than their own content.
    failed, count_failed;
    /// Recorded events that claim a moment over two minutes ahead of, or a day before, the moment of recording.
    clock_suspect, count_clock_suspect;
    /// Places where a source's own count left numbers out.
    sequence_holes, count_hole;
    /// Events whose source's own count was not above the one before.
    sequence_late, count_late;
    /// Answers that could not be handed to the connection; their senders send again.
    unanswerable, count_unanswerable;
    /// Requests not taken because their sender had too much on its way; it sends them again.
    busy, count_busy;
}
