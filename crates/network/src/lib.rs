//! Who takes part: regions and their desks, coordination centres, locations, and the sources with what they may
//! send. One TOML file, checked as a whole, immutable afterwards.
//!
//! Lives here: reading, checking and writing that file, the shipped default with the 31 Dutch regions, and looking
//! a party or a user of the bus up. Not here: what a user may do on the broker (`bus`), seeds (`keyring`), whether a
//! received event is refused (`recorder`).
//!
//! ```toml
//! [[region]]
//! code = "zk23"
//! name = "Utrecht"
//! desk = { name = "Regioloket Utrecht", phone = "0800-000-0023", hours = "dag en nacht" }
//! tile = { column = 3, row = 4 }                          # optional: its place on the national map
//! leaf = true                                             # optional: it has a broker of its own, see `Region::leaf`
//!
//! [[centre]]                                              # acute care coordination over one or more regions
//! code = "midden-nl"
//! name = "Acute zorg Midden-Nederland"
//! regions = ["zk23"]
//! # The public key of its user; from `until` on it is not valid. More of them: a change of keys is going on.
//! keys = [{ key = "UC27YBTPI3BJYURRBIPEVQO4YFOQHUWS6U2JWNPVX66CCQNNONPD2AK3", until = "2027-01-01T00:00:00Z" }]
//!
//! [[alert]]                                               # optional: what a centre is told of, per region of it
//! centre = "midden-nl"
//! kind = "offerable-below"                                # fewer of a care type can be offered than this
//! care_type = "ELV_HC"
//! below = 2
//!
//! [[alert]]
//! centre = "midden-nl"
//! kind = "crisis-unplaced"                                # a crisis referral without a place for so long
//! minutes = 60
//!
//! [[alert]]
//! centre = "midden-nl"
//! kind = "silent"                                         # nothing heard for so long
//! hours = 24
//! of = "location"                                         # or region
//!
//! [[location]]                                            # optional: a location also registers itself
//! id = "zk23-de-linde"
//! region = "zk23"
//! name = "De Linde"
//! phone = "030 000 0000"                                  # optional
//!
//! [[source]]
//! id = "urn:nld:kvknr:00000000:systeem:ecd"
//! name = "zk23-de-linde"                                  # its token in subjects, unique in the region
//! kind = "location"                                       # or desk, referrer, centre, node
//! region = "zk23"
//! may_send = ["bed.*", "stay.admitted"]                   # optional: the kind decides when it is not there
//! signature = "required"                                  # optional: "optional" when it is not there
//! locations = ["zk23-de-linde", "zk23-de-beuk"]           # optional: whose beds and stays it may speak of, see below
//! keys = [{ key = "UDM2O5V5AWC34MEQ3D76FRCPQ4UQTGX6WGI5TN2JRIS2T4P6XAXR5QY5" }]
//! # The hashes of its tokens for the HTTP API, see `Token`.
//! tokens = [{ sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", from = "2026-11-01T00:00:00Z" }]
//!
//! [[service]]                                             # the node's own users, see `Role`
//! role = "recorder"                                       # or leaf; or provisioner, of a region, a centre or the core
//! region = "zk23"                                         # without; gateway, operator, monitor: of nothing
//! keys = [{ key = "UASOG7TWVXXWPUYWYT4EBNG4L6SA7AE3ZOLELH7SZ6Z72ZRHMYWDMOJ4" }]
//! ```
//!
//! # Whom a source may speak for
//! A source of kind `location` speaks for the location called as the source is, unless `locations` names others;
//! `["*"]` is any location of its region. A source of another kind speaks for any of its region, unless `locations`
//! names some. A location that the file puts in another region is nobody's to speak for outside of that region
//! ([`Network::may_speak_for`]). Networks made by [`Network::from_sources`] give every location `["*"]`: in the data
//! they are made for, locations also tell of stays that move to a neighbour.

mod alert;
mod check;
pub mod edit;
mod error;
mod extract;
mod file;
mod key;
mod party;
mod reference;
mod rights;
mod token;
mod user;
mod write;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use domain::{LocationId, RegionId, SourceId, Timestamp};

pub use alert::{AlertRule, SilentOf};
pub use error::NetworkError;
pub use key::{KEYS_MAX, PublicKey, PublicKeyError, UserKey};
pub use party::{
    Centre, CentreId, Desk, Kind, Location, Locations, Region, SenderName, Signature, Source, Tile,
};
pub use rights::{Right, RightError};
pub use token::{TOKEN_PREFIX, TOKENS_MAX, Token, TokenHash, TokenHashError};
pub use user::{Account, Party, Role, Service, User, key_file};

/// The largest network file read, in bytes: the whole country with every source is under 200 KiB, and what is
/// larger is some other file.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

const DUTCH: &str = include_str!("dutch.toml");

/// Who takes part, checked: every name is unique and every reference leads somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    regions: BTreeMap<RegionId, Region>,
    centres: BTreeMap<CentreId, Centre>,
    locations: BTreeMap<LocationId, Location>,
    sources: BTreeMap<SourceId, Source>,
    names: BTreeMap<RegionId, BTreeMap<SenderName, SourceId>>,
    services: BTreeMap<Role, Service>,
}

impl Network {
    /// The network in the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than [`FILE_BYTES_MAX`], or does not pass the checks of
    /// [`Network::from_toml`].
    pub fn read(path: &Path) -> Result<Self, NetworkError> {
        Self::from_toml(&path.display().to_string(), &read_text(path)?)
    }

    /// The network in `text`, which came from the file named `file` (used in errors only).
    ///
    /// # Errors
    /// At the first thing that is wrong, with the file, the line, the key and what to do about it: text that is not
    /// TOML, an unknown or missing key, a malformed name, a name given twice, a reference to something not in the
    /// file.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, NetworkError> {
        let parsed = file::parse(text).map_err(|problem| problem.in_toml(file, text))?;
        check::check(&parsed).map_err(|problem| problem.in_toml(file, text))
    }

    /// The shipped default: the 31 zorgkantoorregio's as regions with example desks, the centres of acute care, no
    /// locations and no sources.
    ///
    /// # Errors
    /// Never with the file as shipped; a test holds that.
    pub fn default_dutch() -> Result<Self, NetworkError> {
        Self::from_toml("the shipped dutch.toml", DUTCH)
    }

    /// A network for data whose sources are described by `json`, an object
    /// `{"<source urn>": {"kind": "desk" | "location" | …, "name": "<sender>", "region": "<code>"}, …}`.
    ///
    /// A region the default knows takes its name, desk, tile and centres; another one is named after its code.
    /// Each source of kind `location` also names a location, called as the source is, and may speak for any location
    /// of its region. `file` is used in errors only.
    ///
    /// # Errors
    /// When `json` has another form, or does not pass the checks of [`Network::from_toml`].
    pub fn from_sources(file: &str, json: &str) -> Result<Self, NetworkError> {
        reference::from_sources(file, json)
    }

    /// The whole network as a file that [`Network::from_toml`] reads back to an equal network.
    #[must_use]
    pub fn to_toml(&self) -> String {
        write::to_toml(self)
    }

    /// The region of this code.
    #[must_use]
    pub fn region(&self, code: &RegionId) -> Option<&Region> {
        self.regions.get(code)
    }

    /// Every region, in the order of their codes.
    #[must_use]
    pub fn regions(&self) -> impl ExactSizeIterator<Item = &Region> {
        self.regions.values()
    }

    /// The centre of this code.
    #[must_use]
    pub fn centre(&self, code: &CentreId) -> Option<&Centre> {
        self.centres.get(code)
    }

    /// Every centre, in the order of their codes.
    #[must_use]
    pub fn centres(&self) -> impl ExactSizeIterator<Item = &Centre> {
        self.centres.values()
    }

    /// The location of this id, if the file names it. Locations also make themselves known by an event, so one that
    /// is not here is not an error.
    #[must_use]
    pub fn location(&self, id: &LocationId) -> Option<&Location> {
        self.locations.get(id)
    }

    /// Every location the file names, in the order of their ids.
    #[must_use]
    pub fn locations(&self) -> impl ExactSizeIterator<Item = &Location> {
        self.locations.values()
    }

    /// The source of this URN.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Source> {
        self.sources.get(id)
    }

    /// The source that is called `sender` on the bus in this region.
    #[must_use]
    pub fn source_named(&self, region: &RegionId, sender: &str) -> Option<&Source> {
        self.sources.get(self.names.get(region)?.get(sender)?)
    }

    /// The source whose token this is, if the token is valid at `now`. Looks at every token of the network, so that how
    /// long it takes says nothing about any of them.
    #[must_use]
    pub fn holder(&self, token: &str, now: Timestamp) -> Option<&Source> {
        let shown = TokenHash::of(token);
        let tokens =
            self.sources.values().flat_map(|source| source.tokens.iter().map(move |known| (source, known)));
        tokens.fold(None, |found, (source, known)| {
            let is_it = known.hash.matches(&shown) & known.is_valid_at(now);
            if is_it { Some(source) } else { found }
        })
    }

    /// Every source, in the order of their URNs.
    #[must_use]
    pub fn sources(&self) -> impl ExactSizeIterator<Item = &Source> {
        self.sources.values()
    }

    /// Whether `source` may say anything about this location: it speaks for it, and the file does not put the
    /// location in another region than the source's.
    #[must_use]
    pub fn may_speak_for(&self, source: &Source, location: &LocationId) -> bool {
        let elsewhere = self.locations.get(location).is_some_and(|known| known.region != source.region);
        !elsewhere && source.speaks_for(location)
    }

    /// The service of this role.
    #[must_use]
    pub fn service(&self, role: &Role) -> Option<&Service> {
        self.services.get(role)
    }

    /// Every user of the node itself, also those without a key in the file.
    #[must_use]
    pub fn services(&self) -> impl ExactSizeIterator<Item = &Service> {
        self.services.values()
    }

    /// Every user of the bus, by account and then by name: sources, centres, and the node's own.
    #[must_use]
    pub fn users(&self) -> impl ExactSizeIterator<Item = User<'_>> {
        user::users(self).into_iter()
    }
}

/// The text of the file at `path`, if it is not larger than [`FILE_BYTES_MAX`].
fn read_text(path: &Path) -> Result<String, NetworkError> {
    let file = path.display().to_string();
    let mut text = String::new();
    let opened =
        File::open(path).and_then(|opened| opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
    match opened {
        Ok(bytes) if u64::try_from(bytes).is_ok_and(|bytes| bytes <= FILE_BYTES_MAX) => Ok(text),
        Ok(_) => Err(NetworkError::TooLarge { file }),
        Err(source) => Err(NetworkError::Unreadable { file, source }),
    }
}
