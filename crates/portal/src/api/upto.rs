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

/// Expected days of a stay: whoever stays none does not need a bed.
pub(crate) type StayDays = Whole<1, STAY_DAYS_MAX>;
/// Minutes of a contact.
pub(crate) type ContactMinutes = UpTo<CONTACT_MINUTES_MAX>;
/// Hours in a week.
pub(crate) type WeekHours = UpTo<WEEK_HOURS_MAX>;
/// Places of a location.
pub(crate) type Places = UpTo<PLACES_MAX>;

/// What a refusal says before the least and the most.
const REFUSED: &str = "not a number from ";
/// What it says between them.
const TO: &str = " to ";

/// A whole number from the least to the most that it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: u32, const MAX: u32>(pub(crate) u32);

/// A whole number from 0 to a maximum.
pub(crate) type UpTo<const MAX: u32> = Whole<0, MAX>;

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Wider than what is kept, so that any number that is too large is told the same.
        let number = u64::deserialize(deserializer)?;
        let fits = u32::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
        fits.map(Self).ok_or_else(|| D::Error::custom(format_args!("{REFUSED}{MIN}{TO}{MAX}")))
    }
}

impl<const MIN: u32, const MAX: u32> PartialSchema for Whole<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(MIN))
            .maximum(Some(MAX));
        RefOr::T(Schema::Object(number.build()))
    }
}

impl<const MIN: u32, const MAX: u32> ToSchema for Whole<MIN, MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(if MIN == 0 { format!("UpTo{MAX}") } else { format!("From{MIN}To{MAX}") })
    }
}

/// The least and the most that a refusal of such a number names.
pub(crate) fn refused_beyond(said: &str) -> Option<(u32, u32)> {
    let (_, rest) = said.split_once(REFUSED)?;
    let (least, rest) = rest.split_once(TO)?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    Some((least.parse().ok()?, rest.get(..end)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beyond_its_end_is_refused_with_what_it_can_be() {
        assert_eq!(serde_json::from_str::<StayDays>("3653").unwrap(), Whole(STAY_DAYS_MAX));
        assert_eq!(serde_json::from_str::<StayDays>("1").unwrap(), Whole(1));
        assert_eq!(serde_json::from_str::<ContactMinutes>("0").unwrap(), Whole(0), "nobody answered");
        for wrong in ["0", "3654", "4294967295", "18446744073709551615"] {
            let said = serde_json::from_str::<StayDays>(wrong).unwrap_err().to_string();
            assert_eq!(refused_beyond(&said), Some((1, STAY_DAYS_MAX)), "{said}");
        }
        assert!(serde_json::from_str::<StayDays>("-1").is_err());
        assert_eq!(refused_beyond("missing field `days`"), None);
    }
}
