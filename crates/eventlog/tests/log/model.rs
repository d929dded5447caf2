//! The log against a plain vector: random batches, conditions, duplicates, conflicts, crashes and restarts.

use bytes::Bytes;
use eventlog::{AppendCondition, AppendError, Batch, EventLog, NewRecord, Query, QueryItem};
use proptest::prelude::*;

use crate::{
    power::{dir, on},
    support::*,
    twin::{Keep, Twin},
};

#[derive(Debug, Clone)]
enum Step {
    /// Appended together: key, content, tags; and what must not be there after a position.
    Append { records: Vec<(u64, u8, u8)>, condition: Option<(u8, u8, u64)> },
    /// Closed in order and opened again.
    Reopen,
    /// Power is lost, perhaps in the middle of a write, and with it any part of what was not synced.
    Crash { seed: u64, in_flight: Option<Vec<(u64, u8, u8)>> },
    /// A query by type and tag.
    Read { kind: u8, tag: u8, after: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let records = prop::collection::vec((0_u64..120, 0_u8..10, 0_u8..6), 1..6);
    let in_flight = prop::option::of(records.clone());
    let step = prop_oneof![
        8 => (records, prop::option::of((0_u8..4, 0_u8..6, 0_u64..150)))
            .prop_map(|(records, condition)| Step::Append { records, condition }),
        1 => Just(Step::Reopen),
        2 => (any::<u64>(), in_flight).prop_map(|(seed, in_flight)| Step::Crash { seed, in_flight }),
        2 => (0_u8..4, 0_u8..6, 0_u64..150).prop_map(|(kind, tag, after)| Step::Read { kind, tag, after }),
    ];
    prop::collection::vec(step, 1..50)
}

fn made((number, content, tag): (u64, u8, u8)) -> NewRecord {
    let kind = format!("kind-{}", number % 3);
    // Content 0 in one of ten: mostly the same key means the same content.
    let content = u8::from(content == 0);
    let (one, other) = (format!("tag-{}", number % 5), format!("tag-{tag}"));
    let mut record = record(number, &kind, &[&one, &other]);
    record.bytes = Bytes::from(format!("{number} {content} {}", "x".repeat(100)));
    record
}

fn clause(kind: u8, tag: u8) -> QueryItem {
    let types: &[&str] = match kind {
        0 => &["kind-0"],
        1 => &["kind-1", "kind-2"],
        2 => &["kind-9"],
        _ => &[],
    };
    item(types, &[&format!("tag-{tag}")])
}

/// What the log must say to a batch, and what it then holds.
fn expect(model: &mut Vec<NewRecord>, batch: &Batch) -> Result<(Vec<u64>, Vec<bool>), String> {
    let mut grown = model.clone();
    let (mut positions, mut duplicates) = (Vec::new(), Vec::new());
    for (index, record) in batch.records.iter().enumerate() {
        match grown.iter().position(|known| known.key == record.key) {
            Some(place) if grown[place].bytes == record.bytes => {
                positions.push(u64::try_from(place).unwrap() + 1);
                duplicates.push(true);
            }
            Some(place) => return Err(format!("conflict {index} {}", place + 1)),
            None => {
                grown.push(record.clone());
                positions.push(u64::try_from(grown.len()).unwrap());
                duplicates.push(false);
            }
        }
    }
    if let Some(condition) = batch.condition.as_ref().filter(|_| duplicates.contains(&false)) {
        let matching = |(_, record): &(usize, &NewRecord)| {
            condition.fail_if.iter().any(|item| item.matches(&record.kind, &record.tags))
        };
        let after = usize::try_from(condition.after).unwrap();
        if let Some((place, _)) = model.iter().enumerate().skip(after).find(matching) {
            return Err(format!("condition {}", place + 1));
        }
    }
    *model = grown;
    Ok((positions, duplicates))
}

struct Run {
    disk: Twin,
    log: EventLog,
    model: Vec<NewRecord>,
}

impl Run {
    fn new() -> Run {
        let disk = Twin::new();
        let (log, _) = open(dir(), on(&disk));
        Run { disk, log, model: Vec::new() }
    }

    /// Loses power at any moment of one more append, if there is one.
    async fn crash(&mut self, seed: u64, in_flight: Option<Vec<(u64, u8, u8)>>) {
        let before = self.disk.recorded();
        let mut after = None;
        if let Some(records) = in_flight {
            let batch = Batch { records: records.into_iter().map(made).collect(), ..Batch::default() };
            let mut grown = self.model.clone();
            // Whether it is taken does not matter; whether it is whole does.
            let _outcome = self.log.append(batch.clone()).await;
            after = expect(&mut grown, &batch).ok().map(|_| grown);
        }
        let moments = self.disk.recorded() - before;
        let moment = before + usize::try_from(seed % 97).unwrap() % (moments + 1);
        self.disk = self.disk.at(moment).crash(&Keep::Coins(seed));
        self.log = open(dir(), on(&self.disk)).0;
        let read = everything(&self.log.reader()).iter().map(as_new).collect::<Vec<_>>();
        match after {
            Some(grown) if read.len() != self.model.len() => {
                assert_eq!(read, grown, "a batch is there in part");
                self.model = grown;
            }
            _ => assert_eq!(read, self.model, "what was acknowledged is not there"),
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Append { records, condition } => {
                let condition = condition
                    .map(|(kind, tag, after)| AppendCondition { fail_if: vec![clause(kind, tag)], after });
                let batch = Batch {
                    records: records.into_iter().map(made).collect(),
                    condition,
                    origin: Bytes::new(),
                };
                let expected = expect(&mut self.model, &batch);
                let found = match self.log.append(batch).await {
                    Ok(appended) => Ok((appended.positions, appended.duplicates)),
                    Err(AppendError::Conflict { index, position, .. }) => {
                        Err(format!("conflict {index} {position}"))
                    }
                    Err(AppendError::ConditionFailed { position }) => Err(format!("condition {position}")),
                    Err(error) => panic!("{error:?}"),
                };
                assert_eq!(found, expected);
            }
            Step::Reopen => {
                self.log.clone().close().await;
                self.log = open(dir(), on(&self.disk)).0;
            }
            Step::Crash { seed, in_flight } => self.crash(seed, in_flight).await,
            Step::Read { kind, tag, after } => {
                let item = clause(kind, tag);
                let expected = (1_u64..)
                    .zip(&self.model)
                    .filter(|(position, record)| {
                        *position > after && item.matches(&record.kind, &record.tags)
                    })
                    .map(|(position, _)| position)
                    .collect::<Vec<_>>();
                let query = Query { items: vec![item], after, ..Query::default() };
                let found = self.log.reader().read(query).map(|record| record.unwrap().position);
                assert_eq!(found.collect::<Vec<_>>(), expected);
            }
        }
    }

    async fn finish(self) {
        let read = everything(&self.log.reader());
        assert_eq!(read.iter().map(as_new).collect::<Vec<_>>(), self.model);
        let report = self.log.reader().verify(.., &mut |_| ()).unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
        assert_eq!(report.records, u64::try_from(self.model.len()).unwrap());
        self.log.close().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_log_does_what_a_vector_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new();
            for step in steps {
                run.step(step).await;
            }
            run.finish().await;
        });
    }
}
