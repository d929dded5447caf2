//! When something was due and when it was done, on the machine's clock, with the times without a node left out.
//!
//! Not here: what was due (`check`).

use std::path::Path;

use domain::Timestamp;

/// A deadline is kept within a second of the machine.
pub(super) const LATE_MAX_MICROS: i64 = 1_000_000;

/// A time without a node, in microseconds of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// From when it was killed
    pub from: i64,
    /// until it said that it is ready again.
    pub to: i64,
}

/// The clock of a node that went faster, and its outages in their order.
#[derive(Clone, Debug)]
pub(super) struct Lives {
    origin: i64,
    factor: i64,
    outages: Vec<Outage>,
}

impl Lives {
    /// Of the node with this data folder.
    pub(super) fn of(data: &Path, factor: u32, outages: &[Outage]) -> Self {
        let origin = std::fs::read_to_string(data.join("clock.origin")).unwrap();
        Self { origin: origin.trim().parse().unwrap(), factor: factor.into(), outages: outages.to_vec() }
    }

    /// How late something was done that was due, in microseconds of the machine: since then, or since the node was ready
    /// again where it was due while there was none or so shortly before that it need not have been done.
    pub(super) fn late(&self, due: Timestamp, done: Timestamp) -> i64 {
        let done = self.on_machine(done);
        let expected = self.outages.iter().filter(|outage| outage.from <= done).fold(
            self.on_machine(due),
            |expected, outage| {
                let excused = expected < outage.to && expected + LATE_MAX_MICROS >= outage.from;
                if excused { outage.to } else { expected }
            },
        );
        (done - expected).max(0)
    }

    fn on_machine(&self, at: Timestamp) -> i64 {
        self.origin + (at.as_micros() - self.origin) / self.factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    /// A clock that went a hundred times faster from second 1,000 on, and no node from second 1,010 to 1,013.
    fn lives() -> Lives {
        let outages = vec![Outage { from: 1_010 * SECOND, to: 1_013 * SECOND }];
        Lives { origin: 1_000 * SECOND, factor: 100, outages }
    }

    /// The node's time at this moment of the machine, in tenths of a second.
    fn at(tenths: i64) -> Timestamp {
        Timestamp::from_micros(1_000 * SECOND + (tenths - 10_000) * SECOND / 10 * 100)
    }

    #[test]
    fn what_was_due_while_there_was_no_node_is_late_from_when_it_was_ready_again() {
        let late = |due, done| lives().late(at(due), at(done)) * 10 / SECOND;
        assert_eq!(late(10_050, 10_052), 2, "the node was there");
        assert_eq!(late(10_110, 10_135), 5, "due without a node");
        assert_eq!(late(10_099, 10_132), 2, "due just before it was killed");
        assert_eq!(late(10_080, 10_132), 52, "there was time for it before");
        assert_eq!(late(10_110, 10_128), 0, "done before it said that it is ready");
        assert_eq!(late(10_140, 10_148), 8, "due after it");
    }
}
