//! Moments in UTC with microsecond precision, as data.
//!
//! Not here: a clock. Whoever needs "now" is handed it.

use alloc::string::ToString;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
///
/// Read from RFC 3339 with a zone (`2026-03-02T09:10:00Z`, `…+01:00`) from the year 0 to
/// 9999-12-30T22:00:00Z, so that it can be written with any offset within four digits of a year; finer
/// fractions are cut to microseconds. A leap second (`:60`) is read as the second before it, because UTC
/// arithmetic here is the POSIX one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 moment with a zone, or a moment after the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an RFC 3339 date and time with a zone, such as 2026-03-02T09:10:00Z, or one after 9999-12-30T22:00:00Z, the last that is read"
)]
pub struct TimestampError;

impl Timestamp {
    /// The moment `micros` microseconds after the Unix epoch (before it when negative).
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment `micros` microseconds later (earlier when negative), held at the ends of the range.
    #[must_use]
    pub const fn saturating_add_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        // RFC 3339 is the strict subset of what jiff reads: a date, `T`, a time, a zone, no `[Zone/Name]`.
        let bytes = text.as_bytes();
        let shaped = bytes.get(10).is_some_and(|separator| matches!(separator, b'T' | b't'))
            && bytes.get(13) == Some(&b':')
            && bytes.get(16) == Some(&b':')
            && !text.contains('[')
            && text.len() <= 40;
        if !shaped {
            return Err(TimestampError);
        }
        let moment: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        Ok(Self(moment.as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC: whole milliseconds as `.123Z`, otherwise `.123456Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(moment) if self.0 % 1_000 == 0 => f.pad(&alloc::format!("{moment:.3}")),
            Ok(moment) => f.pad(&alloc::format!("{moment:.6}")),
            Err(_) => f.pad(&self.0.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_it_is_read() {
        for text in ["2026-03-02T09:14:03.120Z", "1970-01-01T00:00:00.000Z", "2026-03-02T09:14:03.120456Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_offset_is_turned_into_utc() {
        let moment: Timestamp = "2026-03-02T10:14:03+01:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-03-02T09:14:03.000Z");
    }

    #[test]
    fn the_error_names_the_last_moment_that_is_read() {
        let last = "9999-12-30T22:00:00Z";
        assert!(last.parse::<Timestamp>().is_ok());
        for after in ["9999-12-30T22:00:01Z", "9999-12-31T23:59:59Z"] {
            assert!(after.parse::<Timestamp>().unwrap_err().to_string().contains(last), "{after}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "2026-03-02",
            "2026-03-02T09:14:03",
            "2026-03-02 09:14:03Z",
            "gisteren",
            "2026-13-02T09:14:03Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
