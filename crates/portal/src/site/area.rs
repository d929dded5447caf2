//! A postcode as people type it, of which no more is kept than its area.

use std::str::FromStr;

/// A Dutch postcode, or the first digits of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Postcode {
    /// Its first two digits: as much as distances are told by.
    pub(crate) area: String,
}

impl FromStr for Postcode {
    type Err = ();

    /// Two to four digits, and behind four of them the two letters, apart or not.
    fn from_str(typed: &str) -> Result<Self, ()> {
        let typed = typed.trim();
        let digits = typed.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = typed.split_at_checked(digits).ok_or(())?;
        let letters = rest.trim_start();
        let whole =
            digits == 4 && letters.len() == 2 && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
        let area = number.get(..2).filter(|area| !area.starts_with('0')).ok_or(())?;
        if digits > 4 || !(rest.is_empty() || whole) {
            return Err(());
        }
        Ok(Self { area: area.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postcode_is_taken_as_people_type_it_and_nothing_else_is() {
        for typed in ["12", "123", "1234", "1234AB", "1234 ab", " 1234  AB "] {
            assert_eq!(typed.parse::<Postcode>().unwrap().area, "12", "{typed}");
        }
        for other in ["", "1", "0123", "12345", "12 AB", "1234 A", "1234 ABC", "1234 A1", "1234 é", "Utrecht"]
        {
            assert!(other.parse::<Postcode>().is_err(), "{other}");
        }
    }
}
