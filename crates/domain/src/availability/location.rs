//! One location: its beds with the rows they count in, or its reported rows, and its stops.
//!
//! Not here: what events do to it (`fold`).

use alloc::collections::BTreeMap;

use crate::{BedId, Label, LocationMode, LocationProfile, RegionId, StopReason, Timestamp};
use serde::{Deserialize, Serialize};

use super::bed::{Bed, Counted};
use super::reported::ReportedRow;
use super::row::{LastWord, Mark};
use super::{Basis, CareCode, Counts, Row, RowKey};

/// The counts of one care type over the beds of a location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BedRow {
    pub(super) counts: Counts,
    /// The last event that changed a count.
    pub(super) changed: Mark,
}

/// What is known of a stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stopped {
    pub(super) reason: StopReason,
    /// When it began, however often it was said since.
    pub(super) since: Timestamp,
    pub(super) review_at: Option<Timestamp>,
}

/// One known location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Location {
    /// Fixed by its first registration.
    pub(super) region: RegionId,
    /// What it says of itself; its mode is the one of its first registration.
    pub(super) profile: LocationProfile,
    /// Stopped wards, and `None` for the whole location.
    pub(super) stops: BTreeMap<Option<Label>, Stopped>,
    pub(super) beds: BTreeMap<BedId, Bed>,
    /// Rows of its beds, never all zero.
    pub(super) rows: BTreeMap<CareCode, BedRow>,
    /// Rows it reported, also if all zero.
    pub(super) reported: BTreeMap<CareCode, ReportedRow>,
    pub(super) last_word: LastWord,
    pub(super) last_word_mark: Mark,
}

impl Location {
    pub(super) fn new(region: RegionId, profile: LocationProfile, last_word: LastWord, mark: Mark) -> Self {
        Self {
            region,
            profile,
            stops: BTreeMap::new(),
            beds: BTreeMap::new(),
            rows: BTreeMap::new(),
            reported: BTreeMap::new(),
            last_word,
            last_word_mark: mark,
        }
    }

    /// Whether it reports counts. A mode this version does not know keeps bed records: then nothing is shown as
    /// reported that nobody reported.
    pub(super) fn reports_counts(&self) -> bool {
        self.profile.mode == LocationMode::Counts
    }

    /// Describes it anew. What is optional and not given stays, so that a telephone number is not lost by a
    /// change of the name.
    pub(super) fn describe(&mut self, profile: &LocationProfile) {
        let known = &self.profile;
        self.profile = LocationProfile {
            location: known.location.clone(),
            mode: known.mode.clone(),
            provider: profile.provider.clone(),
            name: profile.name.clone(),
            care_types: profile.care_types.clone(),
            postcode4: profile.postcode4.clone().or_else(|| known.postcode4.clone()),
            phone: profile.phone.clone().or_else(|| known.phone.clone()),
            phone_night: profile.phone_night.clone().or_else(|| known.phone_night.clone()),
            wards: if profile.wards.is_empty() { known.wards.clone() } else { profile.wards.clone() },
        };
    }

    /// Whether admissions are stopped for the whole location or for this ward.
    pub(super) fn is_stopped(&self, ward: Option<&Label>) -> bool {
        // Most locations have no stop: then nothing is compared.
        self.stops.keys().any(|stop| stop.is_none() || stop.as_ref() == ward)
    }

    pub(super) fn key(&self, care_type: CareCode) -> RowKey {
        RowKey { region: self.region.clone(), location: self.profile.location.clone(), care_type }
    }

    /// Its rows that have something to show, by care type.
    pub(super) fn show(&self) -> impl Iterator<Item = Row> {
        // One of the two maps is always empty: beds and reports exclude each other.
        let beds = self.rows.iter().map(|(code, row)| (*code, row.counts, Basis::Beds, row.changed));
        let reported =
            self.reported.iter().map(|(code, row)| (*code, row.counts(), Basis::Reported, row.changed));
        beds.chain(reported)
            .filter(|(_, counts, ..)| !counts.is_zero())
            .map(|(code, counts, basis, changed)| self.shown(code, &counts, basis, changed))
    }

    /// One of its rows, if it has something to show.
    pub(super) fn show_one(&self, code: CareCode) -> Option<Row> {
        let bed_row = self.rows.get(&code).map(|row| (row.counts, Basis::Beds, row.changed));
        let found = bed_row
            .or_else(|| self.reported.get(&code).map(|row| (row.counts(), Basis::Reported, row.changed)));
        let (counts, basis, changed) = found.filter(|(counts, ..)| !counts.is_zero())?;
        Some(self.shown(code, &counts, basis, changed))
    }

    fn shown(&self, code: CareCode, counts: &Counts, basis: Basis, changed: Mark) -> Row {
        Row::new(self.key(code), counts, basis, changed.max(self.last_word_mark), self.last_word.clone())
    }

    /// Takes a bed's share out of the rows (`Change::Remove`) or into them.
    pub(super) fn count(&mut self, counted: &Counted, change: Change, mark: Mark) {
        for code in counted.care_types.iter() {
            let Some(share) = counted.adds(*code).filter(|share| !share.is_zero()) else { continue };
            let row = self.rows.entry(*code).or_default();
            row.counts = match change {
                Change::Add => row.counts.plus(&share),
                Change::Remove => minus(&row.counts, &share),
            };
            row.changed = mark;
        }
    }

    /// Forgets rows without anything to show.
    pub(super) fn prune(&mut self) {
        self.rows.retain(|_, row| !row.counts.is_zero());
    }
}

/// Into the rows, or out of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// Each count less the other's. A bed takes away exactly what it added, so nothing falls below 0; the property
/// test that recounts from scratch would show if it did.
fn minus(counts: &Counts, share: &Counts) -> Counts {
    Counts {
        physical: counts.physical.saturating_sub(share.physical),
        occupied: counts.occupied.saturating_sub(share.occupied),
        held: counts.held.saturating_sub(share.held),
        not_ready: counts.not_ready.saturating_sub(share.not_ready),
        closed: counts.closed.saturating_sub(share.closed),
        unstaffed: counts.unstaffed.saturating_sub(share.unstaffed),
        reserve: counts.reserve.saturating_sub(share.reserve),
        offerable: counts.offerable.saturating_sub(share.offerable),
        also_offerable: counts.also_offerable.saturating_sub(share.also_offerable),
        waiting: counts.waiting.saturating_sub(share.waiting),
    }
}
