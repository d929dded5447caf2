//! What the log knows of a mailbox against what the broker says of it. Pure.
//!
//! Not here: where either comes from (`known`, `bus`), what is done about a difference (`epoch`).

use bus::{ConsumerSight, Sight, StreamSight};
use domain::Timestamp;

/// What the log, and this run of the recorder, know of a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// When the stream was made whose numbers count; `None` before anything of a stream was recorded.
    pub(crate) created: Option<Timestamp>,
    /// Everything up to this number of it is recorded, as far as the log tells.
    pub(crate) settled: u64,
    /// The highest number that this run saw in it.
    pub(crate) seen: u64,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// There is no stream.
    NoStream,
    /// It is another stream: the broker lost its disk, or somebody made it anew.
    Recreated,
    /// The broker has an older state of the stream, and gives numbers out again.
    RolledBack,
    /// Messages with these numbers are gone, and were never recorded.
    Expired { first: u64, last: u64 },
    /// There is no consumer.
    NoConsumer,
    /// More was acknowledged than the log has: it was set back to an older copy, or the last ones were duplicates.
    FloorAhead { floor: u64 },
    /// Settings that are not those the mailbox is made with.
    Changed { stream: Vec<String>, consumer: Vec<String> },
    /// It takes no more messages.
    Full,
}

/// Every difference, those first that decide what the others mean.
pub(crate) fn compare(known: &Known, sight: &Sight) -> Vec<Finding> {
    let Some(stream) = &sight.stream else { return vec![Finding::NoStream] };
    let mut found = Vec::new();
    let mut settled = known.settled;
    if known.created.is_some_and(|created| created != stream.created) {
        found.push(Finding::Recreated);
        settled = 0;
    } else if stream.last < known.settled.max(known.seen) {
        found.push(Finding::RolledBack);
        // What it no longer holds was recorded when it still did.
        settled = before(stream);
    }
    if before(stream) > settled {
        found.push(Finding::Expired { first: settled.saturating_add(1), last: before(stream) });
        settled = before(stream);
    }
    match &sight.consumer {
        None => found.push(Finding::NoConsumer),
        Some(ConsumerSight { floor, .. }) if *floor > settled => {
            found.push(Finding::FloorAhead { floor: *floor });
        }
        Some(_) => {}
    }
    let of_consumer = sight.consumer.as_ref().map(|consumer| consumer.differs.clone()).unwrap_or_default();
    if !(stream.differs.is_empty() && of_consumer.is_empty()) {
        found.push(Finding::Changed { stream: stream.differs.clone(), consumer: of_consumer });
    }
    if stream.full {
        found.push(Finding::Full);
    }
    found
}

/// The number before the first that the stream holds.
pub(crate) fn before(stream: &StreamSight) -> u64 {
    stream.first.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: Timestamp = Timestamp::from_micros(1_000_000);

    fn known(settled: u64) -> Known {
        Known { created: Some(MADE), settled, seen: 0 }
    }

    fn sight(first: u64, last: u64, floor: u64) -> Sight {
        let stream = StreamSight { created: MADE, first, last, full: false, differs: Vec::new() };
        Sight { stream: Some(stream), consumer: Some(ConsumerSight { floor, differs: Vec::new() }) }
    }

    #[test]
    fn given_what_was_recorded_when_the_broker_has_it_or_more_then_nothing_is_found() {
        for (settled, seen) in
            [(7, sight(1, 7, 7)), (7, sight(1, 300, 7)), (7, sight(8, 7, 7)), (0, sight(1, 0, 0))]
        {
            assert_eq!(compare(&known(settled), &seen), [], "{settled} {seen:?}");
        }
        // Acknowledgements that did not arrive: those messages come again.
        assert_eq!(compare(&known(7), &sight(1, 7, 3)), []);
    }

    #[test]
    fn given_an_empty_log_when_a_mailbox_is_seen_first_then_nothing_is_found_unless_something_is_gone() {
        assert_eq!(compare(&Known::default(), &sight(1, 0, 0)), []);
        assert_eq!(compare(&Known::default(), &sight(1, 12, 0)), []);
        assert_eq!(compare(&Known::default(), &sight(5, 12, 0)), [Finding::Expired { first: 1, last: 4 }]);
    }

    #[test]
    fn given_a_stream_when_another_has_its_name_then_its_numbers_begin_anew() {
        let mut seen = sight(1, 300, 0);
        seen.stream.as_mut().unwrap().created = MADE.saturating_add_micros(1);
        assert_eq!(compare(&known(7), &seen), [Finding::Recreated]);
        seen.stream.as_mut().unwrap().first = 3;
        assert_eq!(compare(&known(7), &seen), [Finding::Recreated, Finding::Expired { first: 1, last: 2 }]);
    }

    #[test]
    fn given_recorded_numbers_when_the_stream_ends_before_them_then_it_was_rolled_back() {
        assert_eq!(
            compare(&known(300), &sight(1, 150, 150)),
            [Finding::RolledBack, Finding::FloorAhead { floor: 150 }]
        );
        assert_eq!(compare(&known(300), &sight(1, 0, 0)), [Finding::RolledBack]);
        // Never recorded, but seen by this run.
        let known = Known { seen: 300, ..known(7) };
        assert_eq!(compare(&known, &sight(1, 150, 7))[0], Finding::RolledBack);
    }

    #[test]
    fn given_recorded_numbers_when_the_stream_begins_after_the_next_then_what_is_between_is_lost() {
        assert_eq!(compare(&known(7), &sight(11, 20, 7)), [Finding::Expired { first: 8, last: 10 }]);
        assert_eq!(compare(&known(7), &sight(21, 20, 7)), [Finding::Expired { first: 8, last: 20 }]);
    }

    #[test]
    fn given_an_older_log_when_more_was_acknowledged_than_it_has_then_that_is_found() {
        assert_eq!(compare(&known(7), &sight(1, 20, 12)), [Finding::FloorAhead { floor: 12 }]);
    }

    #[test]
    fn given_a_mailbox_when_a_part_is_gone_changed_or_full_then_each_is_named() {
        assert_eq!(compare(&known(7), &Sight::default()), [Finding::NoStream]);
        let mut seen = sight(1, 7, 7);
        seen.stream.as_mut().unwrap().full = true;
        seen.stream.as_mut().unwrap().differs = vec!["max_age".to_owned()];
        seen.consumer.as_mut().unwrap().differs = vec!["max_deliver".to_owned()];
        let changed =
            Finding::Changed { stream: vec!["max_age".to_owned()], consumer: vec!["max_deliver".to_owned()] };
        assert_eq!(compare(&known(7), &seen), [changed, Finding::Full]);
        seen.consumer = None;
        assert_eq!(compare(&known(7), &seen)[0], Finding::NoConsumer);
    }
}
