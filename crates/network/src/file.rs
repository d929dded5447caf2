//! The network file as it stands on disk: its keys and where their values are. Nothing here is checked beyond the
//! form; that is `check`.

use serde::Deserialize;
use toml::Spanned;

use crate::alert::SilentOf;
use crate::error::Problem;
use crate::party::{Kind, Signature, Tile};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(crate) region: Vec<Region>,
    #[serde(default)]
    pub(crate) centre: Vec<Centre>,
    #[serde(default)]
    pub(crate) location: Vec<Location>,
    #[serde(default)]
    pub(crate) source: Vec<Source>,
    #[serde(default)]
    pub(crate) alert: Vec<Alert>,
    #[serde(default)]
    pub(crate) service: Vec<Service>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserKey {
    pub(crate) key: Spanned<String>,
    pub(crate) until: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    pub(crate) sha256: Spanned<String>,
    pub(crate) from: Spanned<String>,
    pub(crate) until: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Region {
    pub(crate) code: Spanned<String>,
    pub(crate) name: Spanned<String>,
    pub(crate) desk: Desk,
    pub(crate) tile: Option<Spanned<Tile>>,
    #[serde(default)]
    pub(crate) leaf: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Desk {
    pub(crate) name: Spanned<String>,
    pub(crate) phone: Spanned<String>,
    pub(crate) hours: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Centre {
    pub(crate) code: Spanned<String>,
    pub(crate) name: Spanned<String>,
    pub(crate) regions: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(crate) keys: Vec<UserKey>,
}

/// Every key that any kind of rule has; `check` knows which belong to which.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alert {
    pub(crate) centre: Spanned<String>,
    pub(crate) kind: Spanned<AlertKind>,
    pub(crate) care_type: Option<Spanned<String>>,
    pub(crate) below: Option<Spanned<u32>>,
    pub(crate) minutes: Option<Spanned<u32>>,
    pub(crate) hours: Option<Spanned<u32>>,
    pub(crate) of: Option<Spanned<SilentOf>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AlertKind {
    OfferableBelow,
    CrisisUnplaced,
    Silent,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    pub(crate) role: Spanned<ServiceRole>,
    pub(crate) region: Option<Spanned<String>>,
    pub(crate) centre: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) keys: Vec<UserKey>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ServiceRole {
    Recorder,
    Provisioner,
    Leaf,
    Gateway,
    Operator,
    Monitor,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Location {
    pub(crate) id: Spanned<String>,
    pub(crate) region: Spanned<String>,
    pub(crate) name: Spanned<String>,
    pub(crate) phone: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(crate) id: Spanned<String>,
    pub(crate) name: Spanned<String>,
    pub(crate) kind: Kind,
    pub(crate) region: Spanned<String>,
    pub(crate) may_send: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(crate) signature: Signature,
    pub(crate) locations: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(crate) keys: Vec<UserKey>,
    #[serde(default)]
    pub(crate) tokens: Vec<Token>,
}

/// The file in `text`, in form.
pub(crate) fn parse(text: &str) -> Result<File, Problem> {
    toml::from_str(text).map_err(|error| {
        let message = error.message();
        // The parser says what it found; these say what to do about it.
        let advice = if message.starts_with("unknown field") {
            "; correct the spelling or remove the key"
        } else if message.starts_with("missing field") {
            "; add it to this table"
        } else {
            "; correct what stands here"
        };
        Problem::new(error.span().unwrap_or_default(), format_args!("{message}{advice}"))
    })
}
