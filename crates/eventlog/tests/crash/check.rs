//! What must be true of a log after a kill, against what its processes were told.

use std::collections::BTreeMap;

use eventlog::{EventLog, LogReader, OpenError, Query};

use crate::{
    load::{Checker, Name, Place, hex, options},
    parent::Told,
};

/// What was found in a log.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) records: u64,
    batches: BTreeMap<Name, (u64, u64)>,
    /// The positions of each lane.
    lanes: BTreeMap<Box<str>, Vec<u64>>,
}

/// Reads everything: records that were appended, whole batches in the order of their producer, each once, at positions
/// without a gap.
fn read(reader: &LogReader) -> Found {
    let (mut found, mut checker) = (Found::default(), Checker::default());
    let mut next = BTreeMap::<u16, u64>::new();
    let mut expected: Option<Place> = None;
    for record in reader.read(Query::default()) {
        let record = record.unwrap();
        found.records += 1;
        assert_eq!(record.position, found.records);
        let place = checker.check(&record).unwrap();
        if let Some(expected) = expected {
            assert_eq!(place, expected, "half a batch");
        } else {
            assert_eq!(place.index, 0, "half a batch");
            let next = next.entry(place.name.producer).or_default();
            assert_eq!(place.name.number, *next, "a batch is missing or there twice");
            *next += 1;
        }
        expected = (place.index + 1 < place.count).then(|| Place { index: place.index + 1, ..place });
        found.batches.entry(place.name).or_insert((record.position, 0)).1 = record.position;
        found.lanes.entry(record.tags[0].clone()).or_default().push(record.position);
    }
    assert_eq!(expected, None, "half a batch");
    assert_eq!(found.records, reader.head().position);
    found
}

/// The conditions held when they were checked, and no batch was written in two pieces.
fn origins(reader: &LogReader, found: &Found) {
    let names = found.batches.iter().map(|(name, place)| (*place, *name)).collect::<BTreeMap<_, _>>();
    let mut batches = 0;
    for origin in reader.origins(0) {
        let origin = origin.unwrap();
        batches += 1;
        let name = names[&(origin.first, origin.last)];
        assert_eq!(name.is_conditional(), !origin.origin.is_empty());
        if let Some(after) = origin.origin.first_chunk() {
            let after = u64::from_le_bytes(*after);
            let lane = &found.lanes[&name.records()[0].tags[0]];
            let came_after = lane.iter().find(|position| **position > after);
            assert_eq!(came_after, Some(&origin.first), "the condition of {name:?} did not hold");
        }
    }
    assert_eq!(batches, found.batches.len());
}

/// Everything that was acknowledged is where it was said to be; what goes beyond is one batch of each producer.
fn against(told: &Told, reader: &LogReader) -> Found {
    let found = read(reader);
    for (name, place) in &told.batches {
        assert_eq!(found.batches.get(name), Some(place), "{name:?} was acknowledged");
    }
    for (producer, next) in (0_u16..).zip(&told.next) {
        let beyond = Name { producer, number: next + 1 };
        assert!(!found.batches.contains_key(&beyond), "{beyond:?} was never sent");
    }
    for (size, root) in &told.heads {
        let tree = reader.tree_head_at(*size).unwrap();
        assert_eq!(&hex(&tree.root), root, "the log no longer leads to the head that was signed at {size}");
    }
    found
}

/// Looks at the log as the kill left it, without writing anything.
pub(crate) fn as_left(told: &Told) {
    let reader = match LogReader::open(&told.dir) {
        Ok(reader) => reader,
        Err(OpenError::Missing { .. }) if told.batches.is_empty() => return,
        Err(error) => panic!("the log can not be read: {error:?}"),
    };
    against(told, &reader);
    let copy = match LogReader::open(&told.copy()) {
        Ok(copy) => copy,
        Err(OpenError::Missing { .. }) if told.copied == 0 => return,
        Err(error) => panic!("the copy can not be read: {error:?}"),
    };
    assert!(copy.head().position >= told.copied, "a backup was reported that is not there");
    assert!(copy.head().position <= reader.head().position, "the copy is ahead of the log");
    read(&copy);
}

/// Opens the log, looks at it, and has every byte of it verified. Returns how many records there are.
pub(crate) fn reopened(told: &Told) -> u64 {
    let (log, _) = EventLog::open(&told.dir, options()).unwrap();
    let reader = log.reader();
    let found = against(told, &reader);
    origins(&reader, &found);
    let report = reader.verify(.., &mut |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.records, found.records);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(log.close());
    found.records
}
