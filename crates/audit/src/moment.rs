//! A moment in the life of a log, as a person names it.
//!
//! Not here: which position that is, which only the log knows ([`Audit::position_at`](crate::Audit::position_at)).

use std::fmt;
use std::str::FromStr;

use domain::Timestamp;

/// Up to where the log is taken into account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moment {
    /// Everything recorded.
    #[default]
    Head,
    /// Up to and including this position; 0 is before the first.
    Position(u64),
    /// Everything recorded at or before this time.
    Time(Timestamp),
}

/// The text names no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a moment: give a position such as 4711, or a time with a zone such as 2026-03-02T02:14:00+01:00"
)]
pub struct MomentError;

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        text.parse().map(Self::Time).map_err(|_| MomentError)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.pad("the head"),
            Self::Position(position) => write!(f, "position {position}"),
            Self::Time(time) => write!(f, "{time}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_position_and_a_date_with_a_zone_is_a_time() {
        assert_eq!("4711".parse(), Ok(Moment::Position(4711)));
        assert_eq!(
            "2026-03-02T02:14:00+01:00".parse(),
            Ok(Moment::Time("2026-03-02T01:14:00Z".parse().unwrap()))
        );
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["", "-1", "sunday", "2026-03-02", "2026-03-02T02:14:00"] {
            assert_eq!(text.parse::<Moment>(), Err(MomentError), "{text}");
        }
    }
}
