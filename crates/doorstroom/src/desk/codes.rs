//! Codes of the contract, as a person types them: the help of a word lists those that this version knows, from the very lists of
//! the domain. Any other is passed on, because the node may know more; if it does not, it says which it does.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use domain::Origin;
use domain::desk::Step;

/// Reads a code.
#[derive(Clone, Debug)]
pub(super) struct Codes(Vec<&'static str>);

/// Of this list.
pub(super) fn codes(known: &[&'static str]) -> Codes {
    Codes(known.to_vec())
}

/// With whom a desk is in contact: whoever refers, or a location.
pub(super) fn contacts() -> Codes {
    Codes(Origin::KNOWN.iter().copied().chain(["location"]).collect())
}

/// What whoever stands in may do.
pub(super) fn steps() -> Codes {
    Codes(Step::MANDATED.map(Step::code).into_iter().chain([Step::EVERY]).collect())
}

impl TypedValueParser for Codes {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|code| PossibleValue::new(*code))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_this_version_does_not_know_is_passed_on() {
        let typed = |word: &str| {
            let arg = Arg::new("code").value_parser(codes(&["one", "two"]));
            let command = Command::new("test").arg(arg);
            command.try_get_matches_from(["test", word]).map(|found| found.get_one::<String>("code").cloned())
        };
        assert_eq!(typed("two").unwrap().as_deref(), Some("two"));
        assert_eq!(typed("three").unwrap().as_deref(), Some("three"));
    }
}
