//! One bed: four independent axes, and what it counts as.
//!
//! Not here: what events do to it (`fold`), the row it counts in (`location`).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::{BedProfile, CareType, EventId, Feature, Label, ReferralId, SourceId, StayId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CareCode, Counts};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Service {
    #[default]
    Open,
    Closed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Staffing {
    #[default]
    Staffed,
    Unstaffed,
}

/// Whether a bed is ready for somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readiness {
    /// It is.
    #[default]
    Ready,
    /// It is being cleaned.
    Cleaning,
    /// It is contaminated.
    Contaminated,
}

impl Readiness {
    /// Somebody left: to be cleaned, unless it is contaminated.
    pub(super) fn cleaning(self) -> Self {
        match self {
            Self::Ready | Self::Cleaning => Self::Cleaning,
            Self::Contaminated => Self::Contaminated,
        }
    }

    /// Cleaning is over, contamination is not.
    pub(super) fn cleaned(self) -> Self {
        match self {
            Self::Ready | Self::Cleaning => Self::Ready,
            Self::Contaminated => Self::Contaminated,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Occupancy {
    #[default]
    Free,
    /// Kept for a referral, until a moment that somebody else watches over.
    Held(ReferralId, Timestamp),
    Occupied(StayId),
}

/// The four axes; the default is a new bed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Axes {
    pub(super) service: Service,
    pub(super) staffing: Staffing,
    pub(super) readiness: Readiness,
    pub(super) occupancy: Occupancy,
}

/// What a bed counts as, first match of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Share {
    Occupied { waiting: bool },
    Held,
    NotReady,
    Closed,
    Unstaffed,
    Reserve,
    Offerable,
}

/// What a bed last added to the rows of its location, so that exactly this can be taken away again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    pub(super) care_types: Arc<[CareCode]>,
    pub(super) share: Share,
}

/// The latest event that touched a bed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Touch {
    pub(super) source: SourceId,
    pub(super) id: EventId,
    /// The axes before it, if it can be corrected.
    pub(super) before: Option<Axes>,
}

/// One bed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bed {
    /// What it can be used for, the primary type first, each once, never empty.
    pub(super) care_types: Arc<[CareCode]>,
    pub(super) ward: Option<Label>,
    pub(super) room: Option<Label>,
    /// What it offers; `None` if nobody ever said.
    pub(super) features: Option<Arc<[Feature]>>,
    pub(super) reserve: bool,
    pub(super) axes: Axes,
    /// What it counts as in the rows now; `None` before it was counted.
    pub(super) counted: Option<Counted>,
    pub(super) touch: Touch,
    /// The greatest occurred-at that each source has given for it: what is older is late.
    pub(super) said: BTreeMap<SourceId, Timestamp>,
}

impl Bed {
    pub(super) fn new(profile: &BedProfile, touch: Touch) -> Self {
        let mut bed = Self {
            care_types: codes(&[]),
            ward: None,
            room: None,
            features: None,
            reserve: false,
            axes: Axes::default(),
            counted: None,
            touch,
            said: BTreeMap::new(),
        };
        bed.change(profile);
        bed
    }

    /// Replaces what is given. A list without care types gives none.
    pub(super) fn change(&mut self, profile: &BedProfile) {
        if let Some(care_types) = profile.care_types.as_deref().filter(|given| !given.is_empty()) {
            self.care_types = codes(care_types);
        }
        if let Some(ward) = &profile.ward {
            self.ward = Some(ward.clone());
        }
        if let Some(room) = &profile.room {
            self.room = Some(room.clone());
        }
        if let Some(features) = &profile.features {
            self.features = Some(features.as_slice().into());
        }
        if let Some(reserve) = profile.reserve {
            self.reserve = reserve;
        }
    }

    /// What it counts as. `stopped`: admissions are stopped where it stands; `waits`: its stay waits.
    pub(super) fn share(&self, stopped: bool, waits: impl FnOnce(StayId) -> bool) -> Share {
        let Axes { service, staffing, readiness, occupancy } = self.axes;
        match (occupancy, readiness, service, staffing) {
            (Occupancy::Occupied(stay), ..) => Share::Occupied { waiting: waits(stay) },
            (Occupancy::Held(..), ..) => Share::Held,
            (Occupancy::Free, Readiness::Cleaning | Readiness::Contaminated, ..) => Share::NotReady,
            (Occupancy::Free, Readiness::Ready, Service::Closed, _) => Share::Closed,
            (Occupancy::Free, Readiness::Ready, Service::Open, _) if stopped => Share::Closed,
            (Occupancy::Free, Readiness::Ready, Service::Open, Staffing::Unstaffed) => Share::Unstaffed,
            (Occupancy::Free, Readiness::Ready, Service::Open, Staffing::Staffed) if self.reserve => {
                Share::Reserve
            }
            (Occupancy::Free, Readiness::Ready, Service::Open, Staffing::Staffed) => Share::Offerable,
        }
    }
}

/// Each code once, in the given order; an empty list is `other`, so that every bed has a primary type.
fn codes(care_types: &[CareType]) -> Arc<[CareCode]> {
    let mut codes: Vec<CareCode> = Vec::with_capacity(care_types.len().max(1));
    for code in care_types.iter().map(CareCode::from) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    if codes.is_empty() {
        codes.push(CareCode::from("other"));
    }
    codes.into()
}

impl Counted {
    /// What the bed adds to the row of this care type: its share where that is its first, and where it is another only that it
    /// can be offered too. `None` if it is not used for it.
    pub(super) fn adds(&self, care_type: CareCode) -> Option<Counts> {
        let index = self.care_types.iter().position(|code| *code == care_type)?;
        Some(match (index, self.share) {
            (0, share) => share.counts(),
            (_, Share::Offerable) => Counts { also_offerable: 1, ..Counts::default() },
            (
                _,
                Share::Occupied { .. }
                | Share::Held
                | Share::NotReady
                | Share::Closed
                | Share::Unstaffed
                | Share::Reserve,
            ) => Counts::default(),
        })
    }
}

impl Share {
    /// What one such bed adds to the row of its primary type.
    pub(super) fn counts(self) -> Counts {
        let one = Counts { physical: 1, ..Counts::default() };
        match self {
            Self::Occupied { waiting } => Counts { occupied: 1, waiting: u32::from(waiting), ..one },
            Self::Held => Counts { held: 1, ..one },
            Self::NotReady => Counts { not_ready: 1, ..one },
            Self::Closed => Counts { closed: 1, ..one },
            Self::Unstaffed => Counts { unstaffed: 1, ..one },
            Self::Reserve => Counts { reserve: 1, ..one },
            Self::Offerable => Counts { offerable: 1, ..one },
        }
    }
}
