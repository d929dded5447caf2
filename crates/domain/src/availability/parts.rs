//! What a row is made of: the beds that count in it, each with what it adds; of a reported row what is known one by one.
//!
//! Not here: the row itself (`query`), which events made it so (the log).

use crate::{EventId, LocationId, ReferralId, SourceId, StayId, Timestamp};

use super::bed::Occupancy;
use super::query::bed_card;
use super::{Availability, BedCard, CareCode, Counts};

/// One bed that counts in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The bed.
    pub bed: BedCard,
    /// What it adds to the row: over all beds of the row these are its counts.
    pub adds: Counts,
    /// For which referral it is kept, and until when.
    pub kept: Option<(ReferralId, Timestamp)>,
    /// The latest event that touched it: whose it is, and what its source calls it.
    pub touched: (&'a SourceId, EventId),
}

impl Availability {
    /// The beds that count in a row, by name; none where counts are reported.
    pub fn parts(&self, location: &LocationId, care_type: CareCode) -> impl Iterator<Item = Part<'_>> {
        let beds = self.locations.get(location).into_iter().flat_map(|location| &location.beds);
        beds.filter_map(move |(name, bed)| {
            let adds = bed.counted.as_ref()?.adds(care_type).filter(|adds| !adds.is_zero())?;
            let kept = match bed.axes.occupancy {
                Occupancy::Held(referral, until) => Some((referral, until)),
                Occupancy::Free | Occupancy::Occupied(_) => None,
            };
            let touched = (&bed.touch.source, bed.touch.id);
            Some(Part { bed: bed_card(name, bed)?, adds, kept, touched })
        })
    }

    /// For whom places of a reported row are kept, and until when.
    pub fn kept_of_row(
        &self,
        location: &LocationId,
        care_type: CareCode,
    ) -> impl Iterator<Item = (ReferralId, Timestamp)> {
        let row = self.locations.get(location).and_then(|location| location.reported.get(&care_type));
        row.into_iter().flat_map(|row| row.holds.iter().map(|(referral, until)| (*referral, *until)))
    }

    /// The stays of a reported row that wait for something.
    pub fn waiting_of_row(&self, location: &LocationId, care_type: CareCode) -> impl Iterator<Item = StayId> {
        let row = self.locations.get(location).and_then(|location| location.reported.get(&care_type));
        let stays = row.into_iter().flat_map(|row| row.stays.iter().copied());
        stays.filter(|stay| self.stays.get(stay).is_some_and(|stay| stay.waits))
    }
}
