//! The values of the API: names, ids, moments and codes of the domain as JSON strings, read and described in one place.
//!
//! A [`Text`] is read by the domain's own rule, so nothing further in has to look at it again; its schema says the same
//! rule to whoever writes a client. Not here: what a request or an answer is made of (`acts`, `answers`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use domain::{
    AgeBand, BedId, CareType, ClosedReason, ContactId, ContactKind, DeclineCode, Destination, DivertedReason,
    EventId, Feature, ItemState, Label, LocationId, LocationMode, OfferId, Origin, Period, PlanItem, Purpose,
    RaisedTo, ReferralId, RegionId, Role, RuleSet, SourceId, StayId, StopReason, Timestamp, Urgency,
    WaitingFor, WithdrawnReason,
};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// A value of the domain, as a string in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text<T>(pub(crate) T);

/// What a [`Text`] can be of.
pub(crate) trait Named: Sized + fmt::Display {
    /// What the schema is called.
    const NAME: &'static str;

    /// The value in this text.
    ///
    /// # Errors
    /// What such a text looks like; never the text itself.
    fn read(text: &str) -> Result<Self, String>;

    /// What such a text looks like, for programs.
    fn shape() -> Object;
}

impl<'de, T: Named> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(std::marker::PhantomData<T>);
        impl<T: Named> Visitor<'_> for Reader<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a string: {}", T::NAME)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<T>, E> {
                T::read(text).map(Text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Reader(std::marker::PhantomData))
    }
}

impl<T: Named> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<T: Named> PartialSchema for Text<T> {
    fn schema() -> RefOr<Schema> {
        RefOr::T(Schema::Object(T::shape()))
    }
}

impl<T: Named> ToSchema for Text<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(T::NAME)
    }
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A name: by its own rule, which the pattern says again.
macro_rules! names {
    ($( $alias:ident = $type:ty, $pattern:literal, $example:literal; )+) => { $(
        pub(crate) type $alias = Text<$type>;

        impl Named for $type {
            const NAME: &'static str = stringify!($alias);

            fn read(text: &str) -> Result<Self, String> {
                Self::from_str(text).map_err(|error| error.to_string())
            }

            fn shape() -> Object {
                string().pattern(Some($pattern)).examples([$example]).build()
            }
        }
    )+ };
}

names! {
    RegionCode = RegionId, "^[a-z0-9-]{2,32}$", "zk23";
    LocationCode = LocationId, "^[a-z0-9-]{3,64}$", "zk23-de-linde";
    SourceUrn = SourceId, "^[!-~]{3,256}$", "urn:nld:kvknr:09220932:systeem:ecd";
}

/// The number of a bed, as a person may say it.
pub(crate) type BedCode = Text<BedId>;

impl Named for BedId {
    const NAME: &'static str = "BedCode";

    fn read(text: &str) -> Result<Self, String> {
        let bed = Self::from_str(text).map_err(|error| error.to_string())?;
        // A browser takes these two in an address for a way through it, and asks for another.
        if matches!(text, "." | "..") {
            Err("not a bed: dots alone lead elsewhere".to_owned())
        } else {
            Ok(bed)
        }
    }

    fn shape() -> Object {
        // As the contract of the events has it: what came over the bus is answered with.
        string()
            .pattern(Some("^[A-Za-z0-9.-]{1,32}$"))
            .description(Some("A bed, unique in its location. `.` and `..` are not taken."))
            .examples(["12"])
            .build()
    }
}

/// Words for people: a label, of which something can be seen.
pub(crate) type Words = Text<Label>;

impl Named for Label {
    const NAME: &'static str = "Words";

    fn read(text: &str) -> Result<Self, String> {
        let label = Self::from_str(text).map_err(|error| error.to_string())?;
        let unseen = || "not a label: nothing of it can be seen".to_owned();
        if domain::is_seen(text) { Ok(label) } else { Err(unseen()) }
    }

    fn shape() -> Object {
        // A first that can be seen: no space, no filler, no mark without a shape.
        let seen = "[^\\x00-\\x20\\x7f-\\xa0\\xad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb]";
        let any = "[^\\x00-\\x1f\\x7f-\\x9f]*";
        string()
            .pattern(Some(format!("^{any}{seen}{any}$")))
            .max_length(Some(128))
            .examples(["Afdeling Zuid"])
            .build()
    }
}

/// An id: a UUID in its one spelling.
macro_rules! ids {
    ($( $alias:ident = $type:ty; )+) => { $(
        pub(crate) type $alias = Text<$type>;

        impl Named for $type {
            const NAME: &'static str = stringify!($alias);

            fn read(text: &str) -> Result<Self, String> {
                Self::from_str(text).map_err(|error| error.to_string())
            }

            fn shape() -> Object {
                string()
                    .format(Some(SchemaFormat::Custom("uuid".to_owned())))
                    .examples(["019391f2-6f00-7a11-8c11-0d2f7a3b9c01"])
                    .build()
            }
        }
    )+ };
}

/// The id of an event, made by whoever asks: a UUIDv7, because the events that follow from it count on.
pub(crate) type EventNumber = Text<EventId>;

impl Named for EventId {
    const NAME: &'static str = "EventNumber";

    fn read(text: &str) -> Result<Self, String> {
        let id = Self::from_str(text).map_err(|error| error.to_string())?;
        let is_v7 = id.uuid().get_version_num() == 7;
        is_v7
            .then_some(id)
            .ok_or_else(|| "not a UUIDv7, such as 019391f2-6f00-7a11-8c11-0d2f7a3b9c01".to_owned())
    }

    fn shape() -> Object {
        string()
            .pattern(Some("^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"))
            .examples(["019391f2-6f00-7a11-8c11-0d2f7a3b9c01"])
            .build()
    }
}

ids! {
    ReferralNumber = ReferralId;
    StayNumber = StayId;
    OfferNumber = OfferId;
    ContactNumber = ContactId;
}

/// A code of the contract: one that this version knows, for whoever commands something means it.
macro_rules! codes {
    ($( $alias:ident = $type:ident; )+) => { $(
        pub(crate) type $alias = Text<$type>;

        impl Named for $type {
            const NAME: &'static str = stringify!($alias);

            fn read(text: &str) -> Result<Self, String> {
                if Self::KNOWN.contains(&text) {
                    Ok(Self::from(text))
                } else {
                    Err(format!("not one of {}", Self::KNOWN.join(", ")))
                }
            }

            fn shape() -> Object {
                string().enum_values(Some(Self::KNOWN.iter().copied())).build()
            }
        }
    )+ };
}

codes! {
    CareCode = CareType;
    UrgencyCode = Urgency;
    OriginCode = Origin;
    DestinationCode = Destination;
    WaitingCode = WaitingFor;
    DeclinedBecause = DeclineCode;
    ClosedBecause = ClosedReason;
    StoppedBecause = StopReason;
    WithdrawnBecause = WithdrawnReason;
    DivertedTo = DivertedReason;
    RaisedBefore = RaisedTo;
    FeatureCode = Feature;
    PurposeCode = Purpose;
    AgeCode = AgeBand;
    RoleCode = Role;
    PlanItemCode = PlanItem;
    ItemStateCode = ItemState;
    ModeCode = LocationMode;
    PeriodCode = Period;
    ContactCode = ContactKind;
    RuleSetCode = RuleSet;
}

/// A moment with its zone.
pub(crate) type Moment = Text<Timestamp>;

impl Named for Timestamp {
    const NAME: &'static str = "Moment";

    fn read(text: &str) -> Result<Self, String> {
        Self::from_str(text).map_err(|error| error.to_string())
    }

    fn shape() -> Object {
        string()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-03-02T09:10:00+01:00"])
            .build()
    }
}

/// The value in an optional field.
pub(crate) fn plain<T>(text: Option<Text<T>>) -> Option<T> {
    text.map(|Text(value)| value)
}

/// The values in a list.
pub(crate) fn all<T>(texts: Vec<Text<T>>) -> Vec<T> {
    texts.into_iter().map(|Text(value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_by_the_domain_s_rule_and_the_refusal_does_not_repeat_it() {
        assert_eq!(serde_json::from_str::<RegionCode>("\"zk23\"").unwrap().0.as_str(), "zk23");
        for wrong in ["\"Geheim!\"", "\"\"", "7", "null"] {
            let told = serde_json::from_str::<RegionCode>(wrong).unwrap_err().to_string();
            assert!(!told.contains("Geheim"), "{told}");
        }
        assert_eq!(serde_json::from_str::<BedCode>("\"1.2\"").unwrap().0.as_str(), "1.2");
        for dots in ["\".\"", "\"..\""] {
            let told = serde_json::from_str::<BedCode>(dots).unwrap_err().to_string();
            assert!(told.contains("lead elsewhere"), "{told}");
        }
        let unseen = serde_json::from_str::<Words>("\"\u{3164}\u{200b}\"").unwrap_err().to_string();
        assert!(unseen.contains("nothing of it can be seen"), "{unseen}");
        assert_eq!(serde_json::from_str::<Words>("\"東京\"").unwrap().0.as_str(), "東京");
        assert!(serde_json::from_str::<StayNumber>("\"00000000-0000-0000-0000-000000000000\"").is_err());
        let told = serde_json::from_str::<UrgencyCode>("\"soon\"").unwrap_err().to_string();
        assert!(told.contains("crisis, urgent, planned") && !told.contains("soon"), "{told}");
    }
}
