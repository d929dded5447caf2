//! What a source may send: patterns over the short names of events, such as `bed.freed`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::Fact;

use crate::party::Kind;

/// One thing a source may send: everything (`*`), every event of an entity (`bed.*`), or one event (`bed.freed`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right(Arc<str>);

impl Right {
    /// Whether this right covers the event of this short name, such as `bed.freed`.
    #[must_use]
    pub fn covers(&self, event: &str) -> bool {
        match self.0.strip_suffix('*') {
            // `bed.` of `bed.*`; the empty text of `*` begins every name.
            Some(entity) => event.starts_with(entity),
            None => &*self.0 == event,
        }
    }

    /// The right as the file has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a source of this kind may send when the file does not say.
    pub(crate) fn defaults(kind: Kind) -> Vec<Self> {
        let names: &[&str] = match kind {
            Kind::Desk => &["*"],
            Kind::Location => &[
                "location.*",
                "bed.*",
                "stay.*",
                "offer.seen",
                "offer.accepted",
                "offer.declined",
                "offer.medically-agreed",
                "offer.contested",
            ],
            Kind::Referrer => &["referral.made", "referral.changed", "referral.withdrawn"],
            // A centre listens. One that holds a desk's mandate is given its rights in the file.
            Kind::Centre => &[],
            // What lapses because nobody acted: said by the node that keeps the deadlines. It ends no referral.
            Kind::Node => &["offer.lapsed", "hold.lapsed", "hold.overdue", "desk.confirmation-asked"],
        };
        names.iter().map(|name| Self(Arc::from(*name))).collect()
    }
}

/// A text is not a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a right: `*`, an entity of the contract such as `bed.*`, or one event such as `bed.freed`")]
pub struct RightError;

impl FromStr for Right {
    type Err = RightError;

    /// A right that covers no event of the contract is a typing error.
    fn from_str(text: &str) -> Result<Self, RightError> {
        let right = Self(Arc::from(text));
        let in_form = text == "*" || text.ends_with(".*") || !text.contains('*');
        if in_form && Fact::KINDS.iter().any(|kind| right.covers(kind)) { Ok(right) } else { Err(RightError) }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
