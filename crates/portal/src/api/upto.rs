//! Whole numbers with a sane end: a mistyped one would stand in the log for ever and be counted with the others.
//!
//! What an API or a form is told is checked here; what a system sends over the bus, and what is recorded already, is read as it is.
//! Not here: times (`times`).

use std::borrow::Cow;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// The longest stay that is expected, in days: ten years, the longest that the rules know too. Whoever stays longer stays for good.
pub(crate) const STAY_DAYS_MAX: u32 = 3_653;
/// The longest contact, in minutes: a day. Whoever speaks longer was in contact twice.
pub(crate) const CONTACT_MINUTES_MAX: u32 = 24 * 60;
/// The most hours of care in a week: all of it.
pub(crate) const WEEK_HOURS_MAX: u32 = 7 * 24;
/// The most beds of one kind, or admissions in a week, of one location: several times those of the largest hospital.
pub(crate) const PLACES_MAX: u32 = 9_999;

/// Expected days of a stay.
pub(crate) type StayDays = UpTo<STAY_DAYS_MAX>;
/// Minutes of a contact.
pub(crate) type ContactMinutes = UpTo<CONTACT_MINUTES_MAX>;
/// Hours in a week.
pub(crate) type WeekHours = UpTo<WEEK_HOURS_MAX>;
/// Places of a location.
pub(crate) type Places = UpTo<PLACES_MAX>;

/// What a refusal says before the maximum.
const REFUSED: &str = "not a number from 0 to ";

/// A whole number from 0 to a maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UpTo<const MAX: u32>(pub(crate) u32);

impl<'de, const MAX: u32> Deserialize<'de> for UpTo<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Wider than what is kept, so that any number that is too large is told the same.
        let number = u64::deserialize(deserializer)?;
        let fits = u32::try_from(number).ok().filter(|number| *number <= MAX);
        fits.map(Self).ok_or_else(|| D::Error::custom(format_args!("{REFUSED}{MAX}")))
    }
}

impl<const MAX: u32> PartialSchema for UpTo<MAX> {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(0_u32))
            .maximum(Some(MAX));
        RefOr::T(Schema::Object(number.build()))
    }
}

impl<const MAX: u32> ToSchema for UpTo<MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("UpTo{MAX}"))
    }
}

/// The maximum that a refusal of such a number names.
pub(crate) fn refused_above(said: &str) -> Option<u32> {
    let (_, rest) = said.split_once(REFUSED)?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beyond_its_end_is_refused_with_what_it_can_be() {
        assert_eq!(serde_json::from_str::<StayDays>("3653").unwrap(), UpTo(STAY_DAYS_MAX));
        for wrong in ["3654", "4294967295", "18446744073709551615"] {
            let said = serde_json::from_str::<StayDays>(wrong).unwrap_err().to_string();
            assert_eq!(refused_above(&said), Some(STAY_DAYS_MAX), "{said}");
        }
        assert!(serde_json::from_str::<StayDays>("-1").is_err());
        assert_eq!(refused_above("missing field `days`"), None);
    }
}
