//! What the gateway has published, as numbers anybody may read while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters from the start of the process, and the positions up to which subscribers can see.
#[derive(Debug, Default)]
pub struct Metrics {
    puts: AtomicU64,
    deletes: AtomicU64,
    events: AtomicU64,
    unsendable: AtomicU64,
    heads: AtomicU64,
    alerts: AtomicU64,
    alarms: AtomicU64,
    answers: AtomicU64,
    refusals: AtomicU64,
    errors: AtomicU64,
    compared: AtomicU64,
    rows_position: AtomicU64,
    log_position: AtomicU64,
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
    /// Rows and sums put into the bucket.
    puts, put;
    /// Rows and sums deleted from the bucket.
    deletes, deleted;
    /// Recorded events that can not be published as they are stored; each is an error in the log of the process.
    unsendable, not_sendable;
    /// Heads published.
    heads, head;
    /// Alerts told to centres, raised or cleared.
    alerts, alert;
    /// Alarms of the node told.
    alarms, alarm;
    /// Requests answered with rows or events.
    answers, answer;
    /// Requests refused.
    refusals, refusal;
    /// Interruptions: the broker was lost, forgot, or refused; everything was compared again.
    errors, interrupted;
    /// Comparisons of the whole bucket with the view: one at start, and after every interruption or lag.
    compared, whole_compared;
}

impl Metrics {
    /// Recorded events published on their region's stream.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    pub(crate) fn events_stored(&self, count: u64) {
        self.events.fetch_add(count, Ordering::Relaxed);
    }

    /// The bucket holds what the view said at this position.
    #[must_use]
    pub fn rows_position(&self) -> u64 {
        self.rows_position.load(Ordering::Relaxed)
    }

    /// Every recorded event up to this position is on its stream.
    #[must_use]
    pub fn log_position(&self) -> u64 {
        self.log_position.load(Ordering::Relaxed)
    }

    pub(crate) fn rows_until(&self, position: u64) {
        self.rows_position.store(position, Ordering::Relaxed);
    }

    pub(crate) fn log_until(&self, position: u64) {
        self.log_position.store(position, Ordering::Relaxed);
    }
}
