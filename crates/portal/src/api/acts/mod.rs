//! Everything that can be wanted through the API: one POST per act of the desk.
//!
//! An act is written down once, by [`acts!`]: its address, its body with its schema, and what it becomes. The route and
//! its description come from that one place, so they can not differ. Not here: who may (`scope`, `who`), what the
//! rules say (`domain::desk`), how it is recorded (`desk`).

mod duty;
mod locations;
mod offers;
mod parts;
mod referrals;
mod stays;

use domain::access::Action;
use domain::desk::{Act, State};
use domain::{EventId, RegionId, Timestamp};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::problem::Problem;
use super::request::Parts;
use super::router::Api;

/// The longest a list in an act is: more beds, offers or questions than any one decision is about.
pub(crate) const LIST_MAX: usize = 64;
/// The longest a sealed text is, in characters: two pages about somebody. What is sealed has to fit an event.
pub(crate) const PRIVATE_CHARS_MAX: usize = 4_000;

/// What an act is built from beside its body.
pub(crate) struct At<'a> {
    /// The named parts of its address.
    pub(crate) parts: &'a Parts,
    /// What is so.
    pub(crate) state: &'a State,
}

/// An act that is read, and what comes with it.
pub(crate) struct Built {
    pub(crate) act: Act,
    /// The region of the address or the body, where there is one.
    pub(crate) region: Option<RegionId>,
    /// What is to be sealed with it.
    pub(crate) private: Option<String>,
}

impl From<Act> for Built {
    fn from(act: Act) -> Self {
        Self { act, region: None, private: None }
    }
}

impl Built {
    fn in_region(self, region: RegionId) -> Self {
        Self { region: Some(region), ..self }
    }

    fn with(self, private: Option<String>) -> Result<Self, Problem> {
        if private.as_ref().is_some_and(|text| text.chars().count() > PRIVATE_CHARS_MAX) {
            return Err(Problem::TooMany { what: "characters of private text", max: PRIVATE_CHARS_MAX });
        }
        Ok(Self { private, ..self })
    }
}

/// The body of an act.
pub(crate) trait Wanted: DeserializeOwned + ToSchema + Send + 'static {
    /// What it is called in programs.
    const OPERATION: &'static str;
    /// Its address below the API's.
    const PATH: &'static str;
    /// What it is for the authorisation.
    const ACTION: Action;
    /// What it does, in a sentence.
    const SUMMARY: &'static str;

    /// The id of its first event.
    fn id(&self) -> EventId;

    /// When it happened, if it is told late.
    fn occurred_at(&self) -> Option<Timestamp>;

    /// The act.
    ///
    /// # Errors
    /// Something it names is not there, or is not what it has to be.
    fn act(self, at: &At<'_>) -> Result<Built, Problem>;
}

/// At most [`LIST_MAX`] of `what`.
fn limited<T>(list: Vec<T>, what: &'static str) -> Result<Vec<T>, Problem> {
    if list.len() > LIST_MAX { Err(Problem::TooMany { what, max: LIST_MAX }) } else { Ok(list) }
}

macro_rules! acts {
    ($(
        #[doc = $summary:literal]
        $name:ident = $operation:literal at $path:literal is $action:ident {
            $( $(#[$about:meta])* $field:ident : $type:ty, )*
        } |$body:pat_param, $at:pat_param| $act:expr;
    )+) => {
        $(
            #[doc = $summary]
            #[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
            #[serde(deny_unknown_fields)]
            pub(crate) struct $name {
                /// The id of the first event that comes of it, a UUIDv7 that the asker makes. Sent again with the same
                /// id it is done once.
                id: $crate::api::value::EventNumber,
                /// When it happened, if it is told late.
                occurred_at: Option<$crate::api::value::Moment>,
                $( $(#[$about])* $field: $type, )*
            }

            impl $crate::api::acts::Wanted for $name {
                const OPERATION: &'static str = $operation;
                const PATH: &'static str = $path;
                const ACTION: domain::access::Action = domain::access::Action::$action;
                const SUMMARY: &'static str = $summary;

                fn id(&self) -> domain::EventId {
                    self.id.0
                }

                fn occurred_at(&self) -> Option<domain::Timestamp> {
                    self.occurred_at.as_ref().map(|moment| moment.0)
                }

                fn act(
                    self,
                    at: &$crate::api::acts::At<'_>,
                ) -> Result<$crate::api::acts::Built, $crate::api::problem::Problem> {
                    let ($body, $at) = (self, at);
                    Ok($crate::api::acts::Built::from($act))
                }
            }
        )+

        pub(super) fn register(api: $crate::api::router::Api) -> $crate::api::router::Api {
            api$( .act::<$name>() )+
        }
    };
}
use acts;

/// The words in the address of [`locations::SayOfBed`].
pub(crate) fn bed_word_schema() -> RefOr<Schema> {
    let words = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(locations::BED_WORDS));
    RefOr::T(Schema::Object(words.build()))
}

/// Every act.
pub(crate) fn register(api: Api) -> Api {
    let api = offers::register(referrals::register(api));
    locations::register(duty::register(stays::register(api)))
}
