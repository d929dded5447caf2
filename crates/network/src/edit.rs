//! Changing a network file as a person would: what is added stands behind its like, comments and order stay, and
//! only a file that passes every check takes the place of the one before, in one step.
//!
//! Not here: making keys (`keyring`).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use domain::{LocationId, RegionId, SourceId, Timestamp};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use crate::key::PublicKey;
use crate::party::{CentreId, Desk, Kind, SenderName, Source};
use crate::token::{Token, TokenHash};
use crate::user::{Account, Party, Role};
use crate::{Network, NetworkError, read_text};

/// Everybody may read who takes part: nothing in the file is a secret.
const FILE_MODE: u32 = 0o644;

/// A network file that is being changed. While it is held, no other [`Draft`] of a file in that folder is.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    document: DocumentMut,
    /// The lock is on the folder, because the file itself is replaced.
    _folder: File,
}

/// A network file could not be changed; the one before is still there.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file before the change, or what the change would make of it, does not pass the checks.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The folder or the file can not be written.
    #[error("{}: the network file can not be written; look at the rights of its folder and the space left", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is a network file already where a new one was to be made.
    #[error("{}: there is a network file already; change that one, or name another folder", .0.display())]
    Exists(PathBuf),
    /// Something that was to be changed is not in the file.
    #[error("{}: there is no {what}; `doorstroom admin network show` tells who is there", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
        /// What was looked for.
        what: String,
    },
}

/// A region to add.
#[derive(Clone, Debug)]
pub struct NewRegion {
    /// Its code.
    pub code: RegionId,
    /// What people call it.
    pub name: domain::Label,
    /// Its contact point.
    pub desk: Desk,
}

/// A location to add.
#[derive(Clone, Debug)]
pub struct NewLocation {
    /// Its id.
    pub id: LocationId,
    /// Its region.
    pub region: RegionId,
    /// What people call it.
    pub name: domain::Label,
    /// The number to ring.
    pub phone: Option<domain::Label>,
}

/// A source to add. It may send what its kind may.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// Its URN.
    pub id: SourceId,
    /// What it is called on the bus.
    pub name: SenderName,
    /// What kind of party it speaks for.
    pub kind: Kind,
    /// The region it sends in.
    pub region: RegionId,
    /// Whether its events must be signed.
    pub must_sign: bool,
}

/// A centre to add.
#[derive(Clone, Debug)]
pub struct NewCentre {
    /// Its code.
    pub code: CentreId,
    /// What people call it.
    pub name: domain::Label,
    /// Its regions.
    pub regions: Vec<RegionId>,
}

impl Draft {
    /// The file at `path`, to be changed. Waits while somebody else changes it.
    ///
    /// # Errors
    /// When the file does not pass the checks, or its folder can not be locked.
    pub fn open(path: &Path) -> Result<Self, EditError> {
        let folder = locked_folder(path)?;
        let text = read_text(path)?;
        let file = path.display().to_string();
        // What the checks take, this parser takes too; they tell the place of a mistake better.
        Network::from_toml(&file, &text)?;
        let document = text.parse().map_err(|error: toml_edit::TomlError| NetworkError::Wrong {
            file,
            line: 1,
            key: "the file".to_owned(),
            problem: format!("{}; correct it", error.message()),
        })?;
        Ok(Self { path: path.to_owned(), document, _folder: folder })
    }

    /// Writes a file that is not there yet.
    ///
    /// # Errors
    /// [`EditError::Exists`], or when it can not be written.
    pub fn create(path: &Path, network: &Network) -> Result<(), EditError> {
        let _folder = locked_folder(path)?;
        if path.exists() {
            return Err(EditError::Exists(path.to_owned()));
        }
        write(path, &network.to_toml())
    }

    /// Adds a region with its desk.
    ///
    /// # Errors
    /// When the file has no `[[region]]` tables but another form.
    pub fn add_region(&mut self, region: &NewRegion) -> Result<(), EditError> {
        let mut desk = InlineTable::new();
        desk.insert("name", region.desk.name.as_str().into());
        desk.insert("phone", region.desk.phone.as_str().into());
        desk.insert("hours", region.desk.hours.as_str().into());
        let table = table([
            ("code", region.code.as_str().into()),
            ("name", region.name.as_str().into()),
            ("desk", desk.into()),
        ]);
        self.push("region", table)
    }

    /// Gives a region a leaf: a broker of its own.
    ///
    /// # Errors
    /// [`EditError::Missing`] when the region is not in the file.
    pub fn add_leaf(&mut self, region: &RegionId) -> Result<(), EditError> {
        let missing = self.missing(format!("[[region]] with code `{region}`"));
        let regions = self.document.get_mut("region").and_then(Item::as_array_of_tables_mut);
        let mut regions = regions.into_iter().flat_map(ArrayOfTables::iter_mut);
        let found = regions.find(|table| table.get("code").and_then(Item::as_str) == Some(region.as_str()));
        found.ok_or(missing)?.insert("leaf", toml_edit::value(true));
        Ok(())
    }

    /// Adds a location.
    ///
    /// # Errors
    /// When the file has no `[[location]]` tables but another form.
    pub fn add_location(&mut self, location: &NewLocation) -> Result<(), EditError> {
        let mut table = table([
            ("id", location.id.as_str().into()),
            ("region", location.region.as_str().into()),
            ("name", location.name.as_str().into()),
        ]);
        if let Some(phone) = &location.phone {
            table.insert("phone", toml_edit::value(phone.as_str()));
        }
        self.push("location", table)
    }

    /// Adds a source.
    ///
    /// # Errors
    /// When the file has no `[[source]]` tables but another form.
    pub fn add_source(&mut self, source: &NewSource) -> Result<(), EditError> {
        let mut table = table([
            ("id", source.id.as_str().into()),
            ("name", source.name.as_str().into()),
            ("kind", source.kind.as_str().into()),
            ("region", source.region.as_str().into()),
        ]);
        if source.must_sign {
            table.insert("signature", toml_edit::value("required"));
        }
        self.push("source", table)
    }

    /// Adds a centre.
    ///
    /// # Errors
    /// When the file has no `[[centre]]` tables but another form.
    pub fn add_centre(&mut self, centre: &NewCentre) -> Result<(), EditError> {
        let regions: Array = centre.regions.iter().map(RegionId::as_str).collect();
        let table = table([
            ("code", centre.code.as_str().into()),
            ("name", centre.name.as_str().into()),
            ("regions", regions.into()),
        ]);
        self.push("centre", table)
    }

    /// Puts a region under a centre that is in the file.
    ///
    /// # Errors
    /// [`EditError::Missing`] when the centre is not.
    pub fn add_to_centre(&mut self, centre: &CentreId, region: &RegionId) -> Result<(), EditError> {
        let missing = self.missing(format!("[[centre]] with code `{centre}`"));
        let centres = self.document.get_mut("centre").and_then(Item::as_array_of_tables_mut);
        let mut centres = centres.into_iter().flat_map(ArrayOfTables::iter_mut);
        let found = centres.find(|table| table.get("code").and_then(Item::as_str) == Some(centre.as_str()));
        let regions = found.and_then(|table| table.get_mut("regions")).and_then(Item::as_array_mut);
        regions.ok_or(missing)?.push(region.as_str());
        Ok(())
    }

    /// Gives a party one more key.
    ///
    /// # Errors
    /// [`EditError::Missing`] when the party is not in the file.
    pub fn add_key(&mut self, of: Party<'_>, key: &PublicKey) -> Result<(), EditError> {
        let mut entry = InlineTable::new();
        entry.insert("key", key.as_str().into());
        push_entry(self.table_of(of)?, "keys", entry);
        Ok(())
    }

    /// Gives a source one more token.
    ///
    /// # Errors
    /// [`EditError::Missing`] when the source is not in the file.
    pub fn add_token(&mut self, source: &Source, token: &Token) -> Result<(), EditError> {
        let mut entry = InlineTable::new();
        entry.insert("sha256", token.hash.to_string().into());
        entry.insert("from", token.from.to_string().into());
        if let Some(until) = token.until {
            entry.insert("until", until.to_string().into());
        }
        push_entry(self.table_of(Party::Source(source))?, "tokens", entry);
        Ok(())
    }

    /// Lets a token end at `until`, whoever has it.
    ///
    /// # Errors
    /// [`EditError::Missing`] when nobody has it.
    pub fn end_token(&mut self, token: &TokenHash, until: Timestamp) -> Result<(), EditError> {
        let (token, until) = (token.to_string(), until.to_string());
        let missing = self.missing(format!("token {token}"));
        let sources = self.document.get_mut("source").and_then(Item::as_array_of_tables_mut);
        let mut sources = sources.into_iter().flat_map(ArrayOfTables::iter_mut);
        let found = sources.any(|source| end_entry(source, "tokens", ("sha256", &token), &until));
        if found { Ok(()) } else { Err(missing) }
    }

    /// Lets a key end at `until`, whoever has it.
    ///
    /// # Errors
    /// [`EditError::Missing`] when nobody has it.
    pub fn end_key(&mut self, key: &PublicKey, until: Timestamp) -> Result<(), EditError> {
        let parties = ["centre", "source", "service"];
        let until = until.to_string();
        let found = parties.into_iter().any(|kind| {
            let tables = self.document.get_mut(kind).and_then(Item::as_array_of_tables_mut);
            tables
                .into_iter()
                .flat_map(ArrayOfTables::iter_mut)
                .any(|party| end_entry(party, "keys", ("key", key.as_str()), &until))
        });
        if found { Ok(()) } else { Err(self.missing(format!("key {key}"))) }
    }

    /// The network as it would be.
    ///
    /// # Errors
    /// What is wrong with it, with a line of the file as it would be.
    pub fn network(&self) -> Result<Network, EditError> {
        Ok(Network::from_toml(&self.path.display().to_string(), &self.document.to_string())?)
    }

    /// Puts it in the place of the file before, in one step, readable for everybody. Gives the network it now is.
    ///
    /// # Errors
    /// When it does not pass the checks, or can not be written: the file before is still there then.
    pub fn save(&self) -> Result<Network, EditError> {
        let network = self.network()?;
        write(&self.path, &self.document.to_string())?;
        Ok(network)
    }

    fn push(&mut self, kind: &str, table: Table) -> Result<(), EditError> {
        let tables = self.document.entry(kind).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        if let Item::ArrayOfTables(tables) = tables {
            tables.push(table);
            Ok(())
        } else {
            Err(self.missing(format!(
                "place for a [[{kind}]], because `{kind} = …` is there; write it as tables"
            )))
        }
    }

    /// The table of a party; one of the node's own users gets one if it has none yet.
    fn table_of(&mut self, party: Party<'_>) -> Result<&mut Table, EditError> {
        let (kind, wanted) = address(party);
        let is_it = |table: &Table| {
            let has = |(key, value): &(&str, &str)| table.get(key).and_then(Item::as_str) == Some(value);
            let none_else =
                |key: &&str| wanted.iter().any(|(wanted, _)| wanted == key) || !table.contains_key(key);
            wanted.iter().all(has) && (kind != SERVICE || ["region", "centre"].iter().all(none_else))
        };
        let there = self
            .document
            .get(kind)
            .and_then(Item::as_array_of_tables)
            .is_some_and(|all| all.iter().any(is_it));
        if !there && kind == SERVICE {
            self.push(SERVICE, table(wanted.iter().map(|(key, value)| (*key, (*value).into()))))?;
        }
        let missing = self.missing(format!("[[{kind}]] with {wanted:?}"));
        let tables = self.document.get_mut(kind).and_then(Item::as_array_of_tables_mut);
        tables.into_iter().flat_map(ArrayOfTables::iter_mut).find(|table| is_it(table)).ok_or(missing)
    }

    fn missing(&self, what: String) -> EditError {
        EditError::Missing { file: self.path.clone(), what }
    }
}

const SERVICE: &str = "service";

/// In which array of tables a party stands, and by which keys it is found there.
fn address(party: Party<'_>) -> (&'static str, Vec<(&'static str, &str)>) {
    match party {
        Party::Source(source) => ("source", vec![("id", source.id.as_str())]),
        Party::Centre(centre) => ("centre", vec![("code", centre.code.as_str())]),
        Party::Service(service) => {
            let role = ("role", service.role.as_str());
            match &service.role {
                Role::Recorder(region) | Role::Leaf(region) | Role::Provisioner(Account::Region(region)) => {
                    (SERVICE, vec![role, ("region", region.as_str())])
                }
                Role::Provisioner(Account::Centre(centre)) => {
                    (SERVICE, vec![role, ("centre", centre.as_str())])
                }
                Role::Provisioner(Account::Core | Account::System)
                | Role::Gateway
                | Role::Operator
                | Role::Monitor => (SERVICE, vec![role]),
            }
        }
    }
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Table {
    entries.into_iter().map(|(key, value)| (key, Item::Value(value))).collect()
}

/// One key on the line of `keys`, more each on a line of its own.
fn lay_out(keys: &mut Array) {
    if keys.len() < 2 {
        return;
    }
    for key in keys.iter_mut() {
        // A comment in front of a key stays where it is.
        let decor = key.decor_mut();
        let plain =
            decor.prefix().and_then(toml_edit::RawString::as_str).is_none_or(|text| text.trim().is_empty());
        if plain {
            decor.set_prefix("\n    ");
            decor.set_suffix("");
        }
    }
    if keys.trailing().as_str().is_none_or(|text| text.trim().is_empty()) {
        keys.set_trailing("\n");
    }
    keys.set_trailing_comma(true);
}

/// Adds to a list of keys or tokens.
fn push_entry(party: &mut Table, list: &str, entry: InlineTable) {
    match party.entry(list).or_insert_with(|| Array::new().into()) {
        Item::ArrayOfTables(entries) => entries.push(entry.into_table()),
        Item::Value(Value::Array(entries)) => {
            entries.push(entry);
            lay_out(entries);
        }
        // The checks let nothing else through.
        Item::None | Item::Value(_) | Item::Table(_) => {}
    }
}

/// Sets the end of the key or token that is called so if this party has it in its list, and says whether.
fn end_entry(party: &mut Table, list: &str, (name, called): (&str, &str), until: &str) -> bool {
    let is_it = |value: Option<&str>| value == Some(called);
    match party.get_mut(list) {
        Some(Item::Value(Value::Array(keys))) => {
            let mut entries = keys.iter_mut().filter_map(Value::as_inline_table_mut);
            let entry = entries.find(|entry| is_it(entry.get(name).and_then(Value::as_str)));
            entry.is_some_and(|entry| {
                entry.insert("until", until.into());
                true
            })
        }
        Some(Item::ArrayOfTables(keys)) => {
            let entry = keys.iter_mut().find(|entry| is_it(entry.get(name).and_then(Item::as_str)));
            entry.is_some_and(|entry| {
                entry.insert("until", toml_edit::value(until));
                true
            })
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => false,
    }
}

fn locked_folder(path: &Path) -> Result<File, EditError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let locked = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
    locked.map_err(|source| EditError::Unwritable { file: path.to_owned(), source })
}

fn write(path: &Path, text: &str) -> Result<(), EditError> {
    replace_file(path, text.as_bytes(), FILE_MODE)
        .map_err(|source| EditError::Unwritable { file: path.to_owned(), source })
}

/// Puts a file with these bytes and rights at `path` in one step: a reader sees the one before or this one, also after
/// a loss of power. On an error the file before is still there.
fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let draft = path.with_file_name(name);
    // One that a crash left behind may have other rights.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
    file.write_all(bytes)?;
    // The umask of whoever runs this does not decide.
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
