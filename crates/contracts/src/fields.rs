//! Reading single fields of a message: present or not, and of the right kind.
//!
//! Not here: which fields a message has (`from_wire`).

use core::fmt::Display;
use core::str::FromStr;

use domain::{Label, Timestamp};

use crate::error::Fault;

/// What reading gives: a value, or what is wrong with which field.
pub(crate) type Read<T> = Result<T, Fault>;

/// 0000-01-01T00:00:00Z: an offset can name a moment before it, which could not be written again.
const FIRST_MOMENT: Timestamp = Timestamp::from_micros(-62_167_219_200_000_000);

/// A field that has to be there, whatever it is.
pub(crate) fn present<T>(value: Option<T>, field: &str) -> Read<T> {
    value.ok_or_else(|| Fault::at(field, "missing"))
}

/// A name or an id that has to be there.
pub(crate) fn required<T: FromStr<Err: Display>>(value: Option<&str>, field: &str) -> Read<T> {
    present(value, field)?.parse().map_err(|error| Fault::at(field, error))
}

/// A name or an id that may be there.
pub(crate) fn optional<T: FromStr<Err: Display>>(value: Option<&str>, field: &str) -> Read<Option<T>> {
    value.map(|text| text.parse().map_err(|error| Fault::at(field, error))).transpose()
}

/// A moment that has to be there.
pub(crate) fn moment(value: Option<&str>, field: &str) -> Read<Timestamp> {
    let moment = required(value, field)?;
    if moment < FIRST_MOMENT { Err(Fault::at(field, "before the year 0")) } else { Ok(moment) }
}

/// A moment that may be there.
pub(crate) fn optional_moment(value: Option<&str>, field: &str) -> Read<Option<Timestamp>> {
    value.map(|text| moment(Some(text), field)).transpose()
}

/// A code that has to be there. An unknown one is one too, but it is short text as any label.
pub(crate) fn code<T: for<'a> From<&'a str>>(value: Option<&str>, field: &str) -> Read<T> {
    let text = present(value, field)?;
    required::<Label>(Some(text), field)?;
    Ok(T::from(text))
}

/// A code that may be there.
pub(crate) fn optional_code<T: for<'a> From<&'a str>>(value: Option<&str>, field: &str) -> Read<Option<T>> {
    value.map(|text| code(Some(text), field)).transpose()
}

/// A list, each item by `read`; a fault names the item.
pub(crate) fn list<T, U>(values: &[T], field: &str, read: impl Fn(&T) -> Read<U>) -> Read<Vec<U>> {
    let item = |(index, value)| read(value).map_err(|fault: Fault| fault.item(index).within(field));
    values.iter().enumerate().map(item).collect()
}

/// A list of codes.
pub(crate) fn codes<T: for<'a> From<&'a str>>(values: &[String], field: &str) -> Read<Vec<T>> {
    list(values, field, |text| code(Some(text), ""))
}

/// A list of labels.
pub(crate) fn labels(values: &[String], field: &str) -> Read<Vec<Label>> {
    list(values, field, |text| required(Some(text), ""))
}

/// A short value of exactly this many digits that may be there.
pub(crate) fn optional_digits(value: Option<&str>, count: usize, field: &str) -> Read<Option<Label>> {
    let fits = value.is_none_or(|text| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()));
    if fits { optional(value, field) } else { Err(Fault::at(field, format!("must be {count} digits"))) }
}

/// A time of the day that has to be there, `00:00` to `24:00`.
pub(crate) fn time_of_day(value: Option<&str>, field: &str) -> Read<Label> {
    let text = present(value, field)?;
    let fits = match text.as_bytes() {
        [h1 @ b'0'..=b'2', h2 @ b'0'..=b'9', b':', m1 @ b'0'..=b'5', m2 @ b'0'..=b'9'] => {
            (*h1, *h2) < (b'2', b'4') || (*h1, *h2, *m1, *m2) == (b'2', b'4', b'0', b'0')
        }
        _ => false,
    };
    if fits { required(value, field) } else { Err(Fault::at(field, "must be a time of the day, HH:MM")) }
}

/// Reads a field of a message by the name it has there: `field!(required message.location)`.
macro_rules! field {
    (present $message:ident . $field:ident) => {
        $crate::fields::present($message.$field.as_ref(), stringify!($field))?
    };
    (codes $message:ident . $field:ident) => {
        $crate::fields::codes(&$message.$field, stringify!($field))?
    };
    (labels $message:ident . $field:ident) => {
        $crate::fields::labels(&$message.$field, stringify!($field))?
    };
    ($read:ident $message:ident . $field:ident) => {
        $crate::fields::$read($message.$field.as_deref(), stringify!($field))?
    };
}
pub(crate) use field;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_day_is_checked() {
        for text in ["00:00", "08:30", "23:59", "24:00"] {
            assert!(time_of_day(Some(text), "from").is_ok(), "{text}");
        }
        for text in ["", "8:30", "24:01", "29:00", "12:60", "12-30", "12:300"] {
            assert!(time_of_day(Some(text), "from").is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_that_could_not_be_written_is_refused() {
        assert!(moment(Some("0000-01-01T00:00:00Z"), "at").is_ok());
        assert!(moment(Some("0000-01-01T00:30:00+01:00"), "at").is_err());
    }
}
