//! The parties: plain data, reachable only through a checked [`Network`](crate::Network).

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::{Label, LocationId, RegionId, SourceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::AlertRule;
use crate::key::{self, PublicKey, UserKey};
use crate::rights::Right;
use crate::token::Token;

/// The area of one desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its code, a token of every subject.
    pub code: RegionId,
    /// What people call it.
    pub name: Label,
    /// The one contact point of the region.
    pub desk: Desk,
    /// Its place on the national tile map; `None` for a region that is not on it.
    pub tile: Option<Tile>,
    /// Whether it has a broker of its own, a leaf of the network's, with a mailbox that takes mail while the way to the
    /// node is cut.
    pub leaf: bool,
    /// The centres that coordinate acute care for it, in the order of their codes.
    pub centres: Vec<CentreId>,
}

/// The contact point of a region, as people are told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// What people call it.
    pub name: Label,
    /// The number to ring, as it is written.
    pub phone: Label,
    /// When it answers, in words.
    pub hours: Label,
}

/// A place on the tile map, counted from 0 at the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// From the left.
    pub column: u8,
    /// From the top.
    pub row: u8,
}

/// A coordination centre for acute care, over one or more regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Centre {
    /// Its code, a token of the subjects `acute.<centre>.…`.
    pub code: CentreId,
    /// What people call it.
    pub name: Label,
    /// Its regions, in the order of their codes.
    pub regions: Vec<RegionId>,
    /// The keys its user is known by, in the order of the file.
    pub keys: Vec<UserKey>,
    /// What it is told of, in the order of the file.
    pub alerts: Vec<AlertRule>,
}

/// A site with wards and beds, as far as the network has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its id, unique in the network.
    pub id: LocationId,
    /// The region whose desk it belongs to.
    pub region: RegionId,
    /// What people call it.
    pub name: Label,
    /// The number to ring, as it is written.
    pub phone: Option<Label>,
}

/// A system that sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The URN in the `source` of its events.
    pub id: SourceId,
    /// What it is called on the bus, a token of its subjects.
    pub name: SenderName,
    /// What kind of party it speaks for.
    pub kind: Kind,
    /// The region it sends in.
    pub region: RegionId,
    /// What it may send.
    pub rights: Vec<Right>,
    /// Whether its events must be signed.
    pub signature: Signature,
    /// The locations of its region it may speak for.
    pub locations: Locations,
    /// The keys it is known by, in the order of the file.
    pub keys: Vec<UserKey>,
    /// Its tokens for the HTTP API, in the order of the file.
    pub tokens: Vec<Token>,
}

impl Source {
    /// Whether it may send the event of this short name, such as `bed.freed` (no prefix, no version).
    #[must_use]
    pub fn may_send(&self, event: &str) -> bool {
        self.rights.iter().any(|right| right.covers(event))
    }

    /// Whether this location is among those it speaks for. That the location may be in another region is not looked
    /// at: see [`Network::may_speak_for`](crate::Network::may_speak_for).
    #[must_use]
    pub fn speaks_for(&self, location: &LocationId) -> bool {
        match &self.locations {
            Locations::Any => true,
            Locations::These(these) => these.contains(location),
        }
    }

    /// The keys that are valid at `now`, in the order of the file.
    pub fn valid_keys(&self, now: Timestamp) -> impl Iterator<Item = &PublicKey> {
        key::valid(&self.keys, now)
    }
}

/// The locations a source speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locations {
    /// Any of its region.
    Any,
    /// These.
    These(BTreeSet<LocationId>),
}

impl Locations {
    /// Those of a source of this kind and name when the file does not say; `None` for a location whose name can not
    /// be that of a location.
    pub(crate) fn default_of(kind: Kind, name: &SenderName) -> Option<Self> {
        match kind {
            Kind::Location => {
                let own: LocationId = name.as_str().parse().ok()?;
                Some(Self::These(BTreeSet::from([own])))
            }
            Kind::Desk | Kind::Referrer | Kind::Centre | Kind::Node => Some(Self::Any),
        }
    }
}

/// What kind of party a source speaks for; decides what it may send when the file does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The desk of a region: everything.
    Desk,
    /// A care location: its beds, its stays, its answers to offers.
    Location,
    /// A referrer: its own referrals.
    Referrer,
    /// A coordination centre: nothing, unless the file says so.
    Centre,
    /// A node of this system: what lapses by a deadline.
    Node,
}

impl Kind {
    /// The kind as the file has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Location => "location",
            Self::Referrer => "referrer",
            Self::Centre => "centre",
            Self::Node => "node",
        }
    }
}

/// Whether the events of a source must carry its signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// A signature is welcome. The default, so that a first sender can be any NATS client.
    #[default]
    Optional,
    /// An event without a valid signature is refused.
    Required,
}

/// A name is not one token of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}: 1 to {TOKEN_LENGTH_MAX} of a-z, 0-9 and -")]
pub struct TokenError {
    /// The kind of name that was wanted.
    pub what: &'static str,
}

/// The longest centre code or sender name, in bytes: as long as a location's id, which a sender's name often is.
const TOKEN_LENGTH_MAX: usize = 64;

macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TokenError;
            fn from_str(text: &str) -> Result<Self, TokenError> {
                let valid = (1..=TOKEN_LENGTH_MAX).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
                if valid { Ok(Self(Arc::from(text))) } else { Err(TokenError { what: $what }) }
            }
        }

        // Looked up by text; `Eq` and `Ord` of both are those of the text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

token!(
    /// The code of a coordination centre, such as `midden-nl`.
    CentreId, "centre code"
);
token!(
    /// What a source is called on the bus, such as `loket-zk23`; unique in its region.
    SenderName, "sender name"
);
