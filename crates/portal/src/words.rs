//! The languages of the pages.
//!
//! Not here: the messages (`messages`).

use crate::messages;

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lang {
    /// Dutch, the language of those who use it.
    #[default]
    Nl,
    /// English, by `?lang=en`.
    En,
}

impl Lang {
    /// The language asked for; what is not known is Dutch.
    pub(crate) fn asked(lang: Option<&str>) -> Self {
        if lang == Some("en") { Self::En } else { Self::Nl }
    }

    /// The tag for `lang=`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Nl => "nl",
            Self::En => "en",
        }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Nl => Self::En,
            Self::En => Self::Nl,
        }
    }

    /// A message without values.
    pub(crate) fn t(self, key: &str) -> &'static str {
        messages::say(self, key)
    }

    /// A message with values.
    pub(crate) fn tf(self, key: &str, values: &[(&str, &str)]) -> String {
        messages::say_with(self, key, values)
    }

    /// The word for a code of the contract.
    pub(crate) fn code(self, list: &str, code: &str) -> String {
        messages::code(self, list, code)
    }

    /// The name of a care type, by its code.
    pub(crate) fn care_type(self, code: &str) -> &'static str {
        messages::word(self, "care", code).unwrap_or_else(|| self.t("care-other"))
    }

    /// The month of a date, 1 to 12, in three letters.
    pub(crate) fn month(self, month: i8) -> &'static str {
        messages::word(self, "month", &month.to_string()).unwrap_or("?")
    }
}
