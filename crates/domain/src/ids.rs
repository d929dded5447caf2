//! The names of things: regions, locations, beds, sources, and the UUIDs of referrals, stays, offers.
//!
//! Each is a type of its own with one way in, so that a bed can never stand where a location is meant.

use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;

/// A text is not a name of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}: {rule}")]
pub struct NameError {
    /// The kind of name that was wanted.
    pub what: &'static str,
    /// What such a name looks like.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "Arc<str>", into = "Arc<str>")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;
            fn try_from(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $check;
                if valid(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(NameError { what: $what, rule: $rule })
                }
            }
        }

        impl TryFrom<Arc<str>> for $name {
            type Error = NameError;
            fn try_from(text: Arc<str>) -> Result<Self, NameError> {
                Self::try_from(&*text)
            }
        }

        impl From<$name> for Arc<str> {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_from(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

fn lower_token(text: &str, lengths: core::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

name!(
    /// The area of one desk, such as `zk23`; a token of every subject.
    RegionId, "region", "2 to 32 of a-z, 0-9 and -", |text| lower_token(text, 2..=32)
);
name!(
    /// A site with wards and beds, unique in the network, such as `zk23-de-linde`.
    LocationId, "location", "3 to 64 of a-z, 0-9 and -", |text| lower_token(text, 3..=64)
);
name!(
    /// A bed, unique in its location, such as `12`.
    BedId, "bed", "1 to 32 of A-Z, a-z, 0-9, . and -", |text| {
        (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
    }
);
name!(
    /// The system that sends: a URN such as `urn:nld:kvknr:09220932:systeem:ecd`.
    SourceId, "source", "3 to 256 visible ASCII characters without spaces", |text| {
        (3..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    }
);
name!(
    /// A short descriptive value that counting and matching need: a ward, a room, a provider, a rule set.
    Label, "label", "1 to 128 characters, none of them a control character", |text| {
        !text.is_empty() && text.chars().count() <= 128 && !text.chars().any(char::is_control)
    }
);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id for this UUID; `None` for the nil UUID, which names nothing.
            #[must_use]
            pub fn new(uuid: Uuid) -> Option<Self> {
                (!uuid.is_nil()).then_some(Self(uuid))
            }

            /// The UUID.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                let refused = NameError { what: $what, rule: "a UUID such as 019391f2-6f00-7a11-8c11-0d2f7a3b9c01, not nil" };
                // Only the hyphenated form: one id has one spelling, so that keys cannot differ by spelling.
                if text.len() != 36 {
                    return Err(refused);
                }
                Uuid::try_parse(text).ok().and_then(Self::new).ok_or(refused)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// What a source calls its event: a UUIDv7.
    EventId, "event id"
);
uuid_id!(
    /// The request to find a place for one person.
    ReferralId, "referral"
);
uuid_id!(
    /// One person's time in a bed.
    StayId, "stay"
);
uuid_id!(
    /// A place offered for a referral at one location.
    OfferId, "offer"
);
uuid_id!(
    /// A contact of a desk: a call, a mail.
    ContactId, "contact"
);

/// What is random in a UUIDv7 behind its variant: 62 bits.
const RANDOM_BITS: u128 = (1 << 62) - 1;
/// What is random before its variant: 12 bits.
const EARLY_RANDOM_BITS: u128 = 0xfff << 64;

impl EventId {
    /// The id of the event `number` places after this one's in one batch: the same every time, and a UUIDv7 if this is.
    #[must_use]
    pub fn following(self, number: u32) -> Self {
        let bits = self.uuid().as_u128();
        let random = (bits & RANDOM_BITS).wrapping_add(u128::from(number)) & RANDOM_BITS;
        Self::new(Uuid::from_u128((bits & !RANDOM_BITS) | random)).unwrap_or(self)
    }

    /// The id of the one thing that happens to `of` at that moment: a UUIDv7 that is the same whoever makes it, so that
    /// two keepers of one deadline say the same. `salt` tells apart what can happen to one thing at one moment.
    #[must_use]
    pub fn of_deadline(at: Timestamp, of: Uuid, salt: u64) -> Self {
        // Two rounds of the multiplication that is used in FNV for 128 bits spread every bit over the whole.
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let salted = of.as_u128() ^ (u128::from(salt) << 32);
        let mixed = salted.wrapping_mul(PRIME).rotate_left(64).wrapping_mul(PRIME);
        let millis = u128::try_from(at.as_micros().div_euclid(1_000)).unwrap_or(0) & 0xffff_ffff_ffff;
        let bits =
            (millis << 80) | (0x7 << 76) | (mixed & EARLY_RANDOM_BITS) | (0b10 << 62) | (mixed & RANDOM_BITS);
        // The version makes it never nil.
        Self(Uuid::from_u128(bits))
    }
}

impl Label {
    /// A label of the program itself.
    pub(crate) fn from_static(text: &'static str) -> Self {
        Self(Arc::from(text))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn ids_that_follow_are_of_version_7_and_differ() {
        let first: EventId = "019391f2-6f00-7a11-8c11-0d2f7a3b9c01".parse().unwrap();
        assert_eq!(first.following(0), first);
        assert_eq!(first.following(1).uuid().as_u128(), first.uuid().as_u128() + 1);
        let last: EventId = "019391f2-6f00-7a11-bfff-ffffffffffff".parse().unwrap();
        assert_eq!(last.following(1).to_string(), "019391f2-6f00-7a11-8000-000000000000");
        let at = Timestamp::from_micros(1_772_442_600_000_000);
        let due = EventId::of_deadline(at, first.uuid(), 1);
        assert_eq!((due.uuid().get_version_num(), due), (7, EventId::of_deadline(at, first.uuid(), 1)));
        assert_ne!(due, EventId::of_deadline(at, first.uuid(), 2));
        assert_ne!(due, EventId::of_deadline(at, last.uuid(), 1));
    }

    #[test]
    fn names_are_checked_on_the_way_in() {
        assert!("zk23-de-linde".parse::<LocationId>().is_ok());
        assert!("Zk23".parse::<RegionId>().is_err());
        assert!("12/a".parse::<BedId>().is_err());
        assert!("urn:nld kvk".parse::<SourceId>().is_err());
        assert!("00000000-0000-0000-0000-000000000000".parse::<StayId>().is_err());
        assert!("019391f26f007a118c110d2f7a3b9c01".parse::<StayId>().is_err());
    }
}
