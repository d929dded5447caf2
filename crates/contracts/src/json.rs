//! JSON, read strictly: one pass into a tree that borrows the text, which the messages are then read from.
//!
//! Refused are a name that comes twice in one object, nesting beyond [`DEPTH_MAX`], numbers out of range, lone
//! surrogates and anything after the value. Errors carry the path of the field, and never a value.
//!
//! Not here: which fields there are (`attributes`, `wire`).

use core::cell::RefCell;
use core::fmt;
use std::borrow::Cow;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::Fault;

/// How deep objects and lists may nest. The contract needs 5; the bound keeps the stack small whatever is sent.
const DEPTH_MAX: usize = 32;

/// The longest name of a field that is shown in an error.
const NAME_SHOWN_MAX: usize = 64;

/// What stands in an error for a name that is not shown.
const NAME_HIDDEN: &str = "<name>";

/// 2^63: whole numbers from here on do not fit an `i64`.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

/// A JSON value that borrows its text.
#[derive(Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number beyond the `i64`.
    Large(u64),
    /// A number with a fraction or an exponent, or a whole one of more than 64 bits.
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// The value that is all of these bytes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let trail = RefCell::new(String::new());
        let mut text = serde_json::Deserializer::from_slice(bytes);
        let value = Node { depth: 0, trail: &trail }
            .deserialize(&mut text)
            .and_then(|value| text.end().map(|()| value));
        value.map_err(|error| Fault::at(&trail.take(), format_args!("not JSON that can be trusted: {error}")))
    }

    /// The value of this field; `None` if this is no object, or has no such field, or the field is `null`.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(key, value)| key == name && *value != Json::Null).map(|(_, value)| value)
    }
}

/// Reads one value at a depth. Where it fails, `trail` grows into the path on the way out.
struct Node<'c> {
    depth: usize,
    trail: &'c RefCell<String>,
}

impl Node<'_> {
    fn inner<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format_args!("nested deeper than {DEPTH_MAX}")));
        }
        Ok(Self { depth: self.depth + 1, trail: self.trail })
    }

    /// It went wrong in this field. What is no plain name may be anything, and errors go into logs.
    fn within(&self, name: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let shown = (1..=NAME_SHOWN_MAX).contains(&name.len()) && name.bytes().all(plain);
        self.grow(|inner| inner.within(if shown { name } else { NAME_HIDDEN }));
    }

    /// It went wrong in this item.
    fn item(&self, index: usize) {
        self.grow(|inner| inner.item(index));
    }

    fn grow(&self, outwards: impl FnOnce(Fault) -> Fault) {
        self.trail.replace_with(|inner| outwards(Fault::at(inner, "")).field);
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::Large(value), Json::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        loop {
            match list.next_element_seed(self.inner()?) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(Json::List(items)),
                Err(error) => {
                    self.item(items.len());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut fields: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            match map.next_value_seed(self.inner()?) {
                Ok(value) => fields.push((name, value)),
                Err(error) => {
                    self.within(&name);
                    return Err(error);
                }
            }
        }
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        if let Some((twice, _)) = names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
            self.within(twice);
            return Err(A::Error::custom("this field is there twice"));
        }
        Ok(Json::Object(fields))
    }
}

/// Reads the name of a field, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de> Deserializer<'de> for &'de Json<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Int(value) => visitor.visit_i64(*value),
            Json::Large(value) => visitor.visit_u64(*value),
            Json::Float(value) => visitor.visit_f64(*value),
            Json::Text(text) => visitor.visit_borrowed_str(text),
            Json::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Json::Object(fields) => visitor.visit_map(Fields { fields: fields.iter(), current: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if *self == Json::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// Only counts are asked for as `i64`: one that does not fit is held at the end of the range. What has more than 64
    /// bits arrives here as a float, and at that size every float is whole.
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Json::Large(_) => visitor.visit_i64(i64::MAX),
            Json::Float(value) if *value >= I64_END => visitor.visit_i64(i64::MAX),
            Json::Float(value) if *value <= -I64_END => visitor.visit_i64(i64::MIN),
            Json::Null
            | Json::Bool(_)
            | Json::Int(_)
            | Json::Float(_)
            | Json::Text(_)
            | Json::List(_)
            | Json::Object(_) => self.deserialize_any(visitor),
        }
    }

    /// A message is an object. (A derived reader would take a list for one, field after field.)
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if matches!(self, Json::Object(_)) {
            self.deserialize_any(visitor)
        } else {
            Err(Fault::at("", "must be an object"))
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier
    }
}

/// Walks a list.
struct Items<'de, 'a>(core::iter::Enumerate<core::slice::Iter<'de, Json<'a>>>);

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(item).map(Some).map_err(|fault| fault.item(index))
    }
}

/// Walks an object.
struct Fields<'de, 'a> {
    fields: core::slice::Iter<'de, (Cow<'a, str>, Json<'a>)>,
    current: Option<&'de (Cow<'a, str>, Json<'a>)>,
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.current = self.fields.next();
        let Some((name, _)) = self.current else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let Some((name, value)) = self.current else { return Err(Fault::at("", "a value without a name")) };
        seed.deserialize(value).map_err(|fault| fault.within(name))
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::at("", text)
    }

    // The texts of serde repeat the value that was found; these do not.
    fn invalid_type(_found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::at("", format_args!("must be {expected}"))
    }

    fn invalid_value(_found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::at("", format_args!("must be {expected}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::at(field, "missing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Fault {
        Json::parse(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_strict_json_does_not_allow_is_refused() {
        for text in [
            "",
            "{",
            "nul",
            "NaN",
            "[NaN]",
            "[1e400]",
            "[-1e400]",
            "{} {}",
            "{}x",
            "[01]",
            "[1.]",
            "{'a':1}",
            "[1,]",
            "\u{feff}{}",
            r#"["\ud800"]"#,
            r#"["\udc00\ud800"]"#,
            r#"{"\ud800":1}"#,
            "[\"\u{1}\"]",
        ] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Json::parse(b"[\"\xff\"]").is_err());
    }

    #[test]
    fn a_field_that_comes_twice_is_named_at_any_depth() {
        assert_eq!(refused(r#"{"a":1,"b":2,"a":1}"#).field, "a");
        assert_eq!(refused(r#"{"a":[{},{"b":{"c":1,"\u0063":2}}]}"#).field, "a[1].b.c");
    }

    #[test]
    fn a_name_that_is_no_plain_name_is_not_repeated() {
        let long = "x".repeat(NAME_SHOWN_MAX + 1);
        for name in ["", "Jan Jansen", "a\\nERROR b", "\\u001b[2J", "é", "[7]", &long] {
            let fault = refused(&format!(r#"{{"a":[{{"{name}":[nul]}}]}}"#));
            assert_eq!(fault.field, "a[0].<name>[0]", "{name}");
            let fault = refused(&format!(r#"{{"{name}":1,"{name}":1}}"#));
            assert_eq!(fault.field, "<name>", "{name}");
        }
        let longest = "x".repeat(NAME_SHOWN_MAX);
        for name in ["a", "A_b-c.9", &longest] {
            assert_eq!(refused(&format!(r#"{{"{name}":nul}}"#)).field, name);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        for depth in [DEPTH_MAX + 1, 10_000] {
            assert!(refused(&nested(depth)).detail.contains("nested deeper than 32"), "{depth}");
        }
    }

    #[test]
    fn numbers_keep_their_kind() {
        let text = b"[1,-1,9223372036854775808,1.0,1e2,18446744073709551616]";
        let Json::List(items) = Json::parse(text).unwrap() else { panic!("not a list") };
        let expected = [
            Json::Int(1),
            Json::Int(-1),
            Json::Large(1 << 63),
            Json::Float(1.0),
            Json::Float(100.0),
            Json::Float(2.0 * I64_END),
        ];
        assert_eq!(items, expected);
    }
}
