//! What a centre wants to be told of. Not here: when it is so (`views`) and the telling (`gateway`).

use domain::CareType;

/// The longest a rule waits, in minutes and in hours: a year. Longer is a typing error, and what waits longer is
/// found in a report.
pub(crate) const MINUTES_MAX: u32 = 366 * 24 * 60;
/// See [`MINUTES_MAX`].
pub(crate) const HOURS_MAX: u32 = 366 * 24;

/// A rule by which a centre is told, for each of its regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertRule {
    /// Fewer places of a care type can be offered in a region than this.
    OfferableBelow {
        /// The care type, one the contract knows.
        care_type: CareType,
        /// At least 1.
        below: u32,
    },
    /// A crisis referral has no place after so many minutes.
    CrisisUnplaced {
        /// From 1 to those of a year.
        minutes: u32,
    },
    /// Nothing was heard for so many hours.
    Silent {
        /// From 1 to those of a year.
        hours: u32,
        /// Of whom.
        of: SilentOf,
    },
}

impl AlertRule {
    /// The kind as the file has it, also the last token of the subject.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::OfferableBelow { .. } => "offerable-below",
            Self::CrisisUnplaced { .. } => "crisis-unplaced",
            Self::Silent { .. } => "silent",
        }
    }
}

/// Of whom nothing was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SilentOf {
    /// A location.
    Location,
    /// A whole region.
    Region,
}

impl SilentOf {
    /// As the file has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::Region => "region",
        }
    }
}
