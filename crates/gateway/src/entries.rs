//! What the bucket should hold: the board's rows and the sums over regions, as keys and JSON. Pure.
//!
//! An entry depends only on what the log says about it, never on when it is written: after a restart an unchanged
//! row gives the same bytes and is not written again. Not here: writing (`rows`).

use std::collections::{BTreeMap, BTreeSet};

use bus::subjects::RowKey as EntryKey;
use bytes::Bytes;
use domain::{CareType, RegionId};
use views::{Availability, Row, RowKey, Sum};

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything.
    Whole,
    /// These rows, and the sums of their regions.
    Rows(BTreeSet<RowKey>),
}

/// The board at one position, as far as its scope goes.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    rows: Vec<Row>,
    sums: Vec<Sum>,
    scope: Scope,
}

/// One entry that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// Put this value at this key.
    Put(String, Bytes),
    /// Delete this key.
    Delete(String),
}

impl Picture {
    /// Copies what is in scope, so that the view is held for a moment only.
    pub(crate) fn take(view: &Availability, scope: Scope) -> Self {
        let (rows, sums) = match &scope {
            Scope::Whole => {
                (view.rows().collect(), view.regions().flat_map(|region| view.sums(region)).collect())
            }
            Scope::Rows(keys) => (
                keys.iter().filter_map(|key| view.row(key)).collect(),
                regions(keys).into_iter().flat_map(|region| view.sums(region)).collect(),
            ),
        };
        Self { rows, sums, scope }
    }

    /// What has to be written to a bucket that holds `held`.
    ///
    /// # Errors
    /// Never with rows as they are: they are plain data. The error of the serialiser is handed on all the same.
    pub(crate) fn difference(&self, held: &BTreeMap<String, Bytes>) -> Result<Vec<Write>, serde_json::Error> {
        let mut wanted = BTreeMap::new();
        for row in &self.rows {
            wanted.insert(row_key(&row.key()), Bytes::from(serde_json::to_vec(row)?));
        }
        for sum in &self.sums {
            wanted.insert(sum_key(sum), Bytes::from(serde_json::to_vec(sum)?));
        }
        let gone: Vec<Write> = self
            .in_scope(held)
            .into_iter()
            .filter(|key| !wanted.contains_key(key))
            .map(Write::Delete)
            .collect();
        let changed = wanted
            .into_iter()
            .filter(|(key, value)| held.get(key) != Some(value))
            .map(|(key, value)| Write::Put(key, value));
        Ok(changed.chain(gone).collect())
    }

    /// The keys in `held` that this picture speaks about.
    fn in_scope(&self, held: &BTreeMap<String, Bytes>) -> BTreeSet<String> {
        match &self.scope {
            Scope::Whole => held.keys().cloned().collect(),
            Scope::Rows(keys) => {
                let rows = keys.iter().map(row_key).filter(|key| held.contains_key(key));
                let sums = regions(keys).into_iter().flat_map(|region| {
                    let prefix = format!("{region}.sum.");
                    let begin = prefix.clone();
                    held.range(begin..)
                        .map(|(key, _value)| key)
                        .take_while(move |key| key.starts_with(&prefix))
                        .cloned()
                });
                rows.chain(sums).collect()
            }
        }
    }
}

fn regions(keys: &BTreeSet<RowKey>) -> BTreeSet<&RegionId> {
    keys.iter().map(|key| &key.region).collect()
}

fn row_key(key: &RowKey) -> String {
    EntryKey::Location {
        region: key.region.clone(),
        location: key.location.clone(),
        care_type: CareType::from(key.care_type.as_str()),
    }
    .to_string()
}

fn sum_key(sum: &Sum) -> String {
    EntryKey::Sum { region: sum.region.clone(), care_type: CareType::from(sum.care_type.as_str()) }
        .to_string()
}
