//! `doorstroom admin network`: the network file of a node and the keys that belong to it.
//!
//! Not here: what a network file may say and how it is edited (`network`), making keys (`keyring`), how it is told
//! (`report`).

mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use domain::{Label, LocationId, RegionId, SourceId, Timestamp};
use eventlog::{Clock as _, SystemClock};
use keyring::{Keyring, KeyringError};
use network::edit::{Draft, NewCentre, NewLocation, NewRegion, NewSource};
use network::{CentreId, Desk, Kind, Network, Party, PublicKey, PublicKeyError, Role, SenderName, User};

use self::report::Report;
use crate::failure::Failure;
use crate::node_file::{DataArg, NodeFile};
use crate::out::Out;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make what a node needs and has not: its network file, a key for every user, its certificates
    #[command(
        after_help = "What is there stays as it is.\n\nExamples:\n  doorstroom admin network init\n  doorstroom admin network init --data /var/lib/doorstroom --host bus.example.nl\n  doorstroom admin network init --from-sources region-day.sources.json"
    )]
    Init {
        #[command(flatten)]
        node: Node,
        /// Begin with the sources that this JSON file describes [default: the 31 Dutch regions without sources]
        #[arg(long, value_name = "FILE")]
        from_sources: Option<PathBuf>,
        /// A name or address by which others reach the bus, to stand in its certificate; may be given more than once
        #[arg(long = "host", value_name = "NAME")]
        hosts: Vec<String>,
    },
    /// Add a region with its desk
    #[command(
        after_help = "Example:\n  doorstroom admin network add-region zk05 --name Almere --phone '036 000 0000' --hours 'dag en nacht' --source urn:nld:kvknr:00000001:systeem:loket"
    )]
    AddRegion(AddRegion),
    /// Add a location, and the source it sends with
    #[command(
        after_help = "Example:\n  doorstroom admin network add-location zk23-de-linde --region zk23 --name 'De Linde' --source urn:nld:kvknr:00000002:systeem:ecd"
    )]
    AddLocation(AddLocation),
    /// Add a source: a referrer, a node, a system beside the desk or location that sends already
    #[command(
        after_help = "Example:\n  doorstroom admin network add-source urn:nld:kvknr:00000003:systeem:verwijzer --name huisartsenpost --kind referrer --region zk23"
    )]
    AddSource(AddSource),
    /// Give a region a leaf: a broker of its own, whose mailbox takes mail while the way to the node is cut
    #[command(after_help = "Example:\n  doorstroom admin network add-leaf zk23")]
    AddLeaf {
        #[command(flatten)]
        node: Node,
        /// The region
        region: RegionId,
    },
    /// Add a coordination centre that listens
    #[command(
        after_help = "Example:\n  doorstroom admin network add-centre midden-nl --name 'Acute zorg Midden-Nederland' --region zk07 --region zk23"
    )]
    AddCentre(AddCentre),
    /// Give a user a new key; the one before stays valid for a while
    #[command(
        after_help = "Examples:\n  doorstroom admin network rotate loket-zk23\n  doorstroom admin network rotate R_zk23/_recorder --grace 1"
    )]
    Rotate {
        #[command(flatten)]
        node: Node,
        /// The user: its name, or `<account>/<name>` when more accounts have that name
        user: String,
        /// Hours the keys before it stay valid
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=GRACE_HOURS_MAX))]
        grace: u64,
    },
    /// Take a user's keys away, or one key; at once
    #[command(
        after_help = "What was recorded until then stays recorded. A user of the node itself (its name begins with _) is revoked with --yes only.\n\nExamples:\n  doorstroom admin network revoke zk23-de-linde\n  doorstroom admin network revoke UDVODSDZHNKZPRFT6SIOO2WDCFZMIOLJB6HOCQKCXOCRUYPZUSPQ4LXB"
    )]
    Revoke {
        #[command(flatten)]
        node: Node,
        /// The user (its name, or `<account>/<name>`), or a public key
        #[arg(value_name = "USER|KEY")]
        what: String,
        /// Also when it is one of the node's own, without which a part of the node stands still
        #[arg(long)]
        yes: bool,
    },
    /// Copy what a user needs on the bus, to be given to its owner: its seed, the certificate it trusts the bus by, its
    /// part of the network file, and how to use them
    #[command(
        after_help = "Example:\n  doorstroom admin network hand-out zk23-de-linde --to /media/stick/de-linde --bus tls://bus.example.nl:4222\n\n\
            Its owner then sends with `doorstroom send events.jsonl --creds /media/stick/de-linde`."
    )]
    HandOut {
        #[command(flatten)]
        node: Node,
        /// The user: its name, or `<account>/<name>` when more accounts have that name
        user: String,
        /// The folder to put it in, made if it is not there
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// Where its owner finds the bus [default: where the node that runs on the data folder has it]
        #[arg(long, value_name = "URL")]
        bus: Option<String>,
    },
    /// Who is known, by which key, and until when
    #[command(
        after_help = "Examples:\n  doorstroom admin network show\n  doorstroom admin network show --account R_zk23 --json"
    )]
    Show {
        #[command(flatten)]
        node: Node,
        /// Only this account, such as `R_zk23`, `CORE`, `ACUTE_midden-nl` or `SYS`
        #[arg(long)]
        account: Option<String>,
    },
    /// Make a network file for the sources that a JSON file describes
    #[command(
        after_help = "Example:\n  doorstroom admin network from-sources region-day.sources.json --out network.toml"
    )]
    FromSources {
        /// The sources: `{"<urn>": {"kind": "desk" or "location", "name": "<sender>", "region": "<code>"}, …}`
        #[arg(value_name = "FILE")]
        sources: PathBuf,
        /// The file to write; one that is there is replaced [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check a network file and count who is in it
    #[command(after_help = "Example:\n  doorstroom admin network check network.toml")]
    Check {
        /// The network file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The longest grace, in hours: a month. A key that has to stay longer was not to be changed.
const GRACE_HOURS_MAX: u64 = 31 * 24;

/// Whose network.
#[derive(Args, Debug)]
pub(crate) struct Node {
    #[command(flatten)]
    data: DataArg,
    /// The network file [default: that of the node which runs there, or network.toml in the folder of its data]
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// One line of JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AddRegion {
    #[command(flatten)]
    node: Node,
    /// Its code, a token of every subject
    code: RegionId,
    /// What people call it
    #[arg(long)]
    name: Label,
    /// What people call its desk [default: Regioloket and the region's name]
    #[arg(long)]
    desk: Option<Label>,
    /// The desk's telephone number
    #[arg(long)]
    phone: Label,
    /// When the desk answers, in words
    #[arg(long)]
    hours: Label,
    /// A centre that coordinates acute care for it; may be given more than once
    #[arg(long = "centre", value_name = "CODE")]
    centres: Vec<CentreId>,
    /// The URN the desk sends with, as `loket-<code>`
    #[arg(long, value_name = "URN")]
    source: Option<SourceId>,
}

#[derive(Args, Debug)]
pub(crate) struct AddLocation {
    #[command(flatten)]
    node: Node,
    /// Its id, also what its source is called on the bus
    id: LocationId,
    /// The region whose desk it belongs to
    #[arg(long)]
    region: RegionId,
    /// What people call it
    #[arg(long)]
    name: Label,
    /// Its telephone number
    #[arg(long)]
    phone: Option<Label>,
    /// The URN it sends with; without, the location sends nothing
    #[arg(long, value_name = "URN")]
    source: Option<SourceId>,
    /// Refuse its events unless they are signed
    #[arg(long, requires = "source")]
    must_sign: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AddSource {
    #[command(flatten)]
    node: Node,
    /// Its URN, the `source` of its events
    id: SourceId,
    /// What it is called on the bus, unique in its region
    #[arg(long)]
    name: SenderName,
    /// What kind of party it speaks for, which says what it may send
    #[arg(long, value_enum)]
    kind: KindArg,
    /// The region it sends in
    #[arg(long)]
    region: RegionId,
    /// Refuse its events unless they are signed
    #[arg(long)]
    must_sign: bool,
}

/// The kinds of source.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArg {
    Desk,
    Location,
    Referrer,
    Centre,
    Node,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Desk => Self::Desk,
            KindArg::Location => Self::Location,
            KindArg::Referrer => Self::Referrer,
            KindArg::Centre => Self::Centre,
            KindArg::Node => Self::Node,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct AddCentre {
    #[command(flatten)]
    node: Node,
    /// Its code, also what it is called on the bus
    code: CentreId,
    /// What people call it
    #[arg(long)]
    name: Label,
    /// A region of it; may be given more than once
    #[arg(long = "region", value_name = "CODE", required = true)]
    regions: Vec<RegionId>,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let mut out = Out::new();
    match command {
        Command::Init { node, from_sources, hosts } => init(node, from_sources.as_deref(), hosts, &mut out)?,
        Command::AddRegion(add) => add_region(add, &mut out)?,
        Command::AddLocation(add) => add_location(add, &mut out)?,
        Command::AddSource(add) => add_source(add, &mut out)?,
        Command::AddLeaf { node, region } => add_leaf(node, region, &mut out)?,
        Command::AddCentre(add) => add_centre(add, &mut out)?,
        Command::Rotate { node, user, grace } => rotate(node, user, *grace, &mut out)?,
        Command::Revoke { node, what, yes } => revoke(node, what, *yes, &mut out)?,
        Command::HandOut { node, user, to, bus } => hand_out(node, user, to, bus.clone(), &mut out)?,
        Command::Show { node, account } => report::show(
            &Network::read(&node.file())?,
            node.keyring().ok().as_ref(),
            account.as_deref(),
            (node.json, now()),
            &mut out,
        )?,
        Command::FromSources { sources, out: to } => from_sources(sources, to.as_deref(), &mut out)?,
        Command::Check { file } => {
            let network = Network::read(file)?;
            out.line(format_args!("{}: {}", file.display(), report::census(&network)))?;
        }
    }
    out.flush()
}

impl Node {
    fn file(&self) -> PathBuf {
        self.network.clone().unwrap_or_else(|| self.data.network())
    }

    fn keys(&self) -> PathBuf {
        self.data.data.join("keys")
    }

    fn keyring(&self) -> Result<Keyring, KeyringError> {
        Keyring::open(&self.keys())
    }

    /// Makes what is missing and tells it. `also` is what was done before.
    fn prepare(&self, hosts: &[String], also: Vec<String>, out: &mut Out) -> Result<(), Failure> {
        let (network, _, made) = keyring::prepare(&self.file(), &self.keys(), hosts, now())?;
        let report = Report::Prepared { file: self.file(), census: report::census(&network), also, made };
        report.tell(self.json, out)
    }

    fn network(&self) -> Result<Network, Failure> {
        Ok(Network::read(&self.file())?)
    }

    /// The user that is called so.
    fn find<'a>(&self, network: &'a Network, called: &str) -> Result<User<'a>, Failure> {
        // A seed pasted in the place of a key is not told again.
        if let Err(error @ PublicKeyError::Seed) = called.parse::<PublicKey>() {
            return Err(Failure::usage(error.to_string()));
        }
        let is_it = |user: &User<'_>| match called.split_once('/') {
            Some((account, name)) => user.account.to_string() == account && user.name == name,
            None => user.name == called,
        };
        let found: Vec<User<'a>> = network.users().filter(is_it).collect();
        let count = found.len();
        match (found.into_iter().next(), count) {
            (Some(one), 1) => Ok(one),
            (None, _) => Err(Failure::usage(format!(
                "{}: there is no user {called}; `doorstroom admin network show` tells who is there",
                self.file().display()
            ))),
            (Some(User { account, name, .. }), _) => Err(Failure::usage(format!(
                "{count} accounts have a user {called}; say which, as in {account}/{name}"
            ))),
        }
    }
}

fn init(node: &Node, sources: Option<&Path>, hosts: &[String], out: &mut Out) -> Result<(), Failure> {
    let file = node.file();
    let mut also = Vec::new();
    if !file.exists() || sources.is_some() {
        let network = match sources {
            Some(sources) => described(sources)?,
            None => Network::default_dutch()?,
        };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| Failure::new(format!("{} can not be made", folder.display()), error))?;
        }
        Draft::create(&file, &network)?;
        also.push("the network file was written".to_owned());
    }
    node.prepare(hosts, also, out)
}

fn add_region(add: &AddRegion, out: &mut Out) -> Result<(), Failure> {
    let AddRegion { node, code, name, desk, phone, hours, centres, source } = add;
    let desk = match desk {
        Some(desk) => desk.clone(),
        None => parsed(&format!("Regioloket {name}"))?,
    };
    let desk = Desk { name: desk, phone: phone.clone(), hours: hours.clone() };
    let mut draft = Draft::open(&node.file())?;
    draft.add_region(&NewRegion { code: code.clone(), name: name.clone(), desk })?;
    for centre in centres {
        draft.add_to_centre(centre, code)?;
    }
    if let Some(id) = source {
        draft.add_source(&NewSource {
            id: id.clone(),
            name: parsed(&format!("loket-{code}"))?,
            kind: Kind::Desk,
            region: code.clone(),
            must_sign: false,
        })?;
    }
    draft.save()?;
    drop(draft);
    node.prepare(&[], vec![format!("region {code} was added; {TAKEN_IN_AT_START}")], out)
}

fn add_location(add: &AddLocation, out: &mut Out) -> Result<(), Failure> {
    let AddLocation { node, id, region, name, phone, source, must_sign } = add;
    let mut draft = Draft::open(&node.file())?;
    draft.add_location(&NewLocation {
        id: id.clone(),
        region: region.clone(),
        name: name.clone(),
        phone: phone.clone(),
    })?;
    if let Some(source) = source {
        draft.add_source(&NewSource {
            id: source.clone(),
            name: parsed::<SenderName>(id.as_str())?,
            kind: Kind::Location,
            region: region.clone(),
            must_sign: *must_sign,
        })?;
    }
    draft.save()?;
    drop(draft);
    node.prepare(&[], vec![format!("location {id} was added")], out)
}

fn add_source(add: &AddSource, out: &mut Out) -> Result<(), Failure> {
    let AddSource { node, id, name, kind, region, must_sign } = add;
    let mut draft = Draft::open(&node.file())?;
    draft.add_source(&NewSource {
        id: id.clone(),
        name: name.clone(),
        kind: (*kind).into(),
        region: region.clone(),
        must_sign: *must_sign,
    })?;
    draft.save()?;
    drop(draft);
    node.prepare(&[], vec![format!("source {name} was added")], out)
}

fn add_leaf(node: &Node, region: &RegionId, out: &mut Out) -> Result<(), Failure> {
    let mut draft = Draft::open(&node.file())?;
    draft.add_leaf(region)?;
    draft.save()?;
    drop(draft);
    node.prepare(&[], vec![format!("region {region} has a leaf; {TAKEN_IN_AT_START}")], out)
}

fn add_centre(add: &AddCentre, out: &mut Out) -> Result<(), Failure> {
    let AddCentre { node, code, name, regions } = add;
    let mut draft = Draft::open(&node.file())?;
    draft.add_centre(&NewCentre { code: code.clone(), name: name.clone(), regions: regions.clone() })?;
    draft.save()?;
    drop(draft);
    node.prepare(&[], vec![format!("centre {code} was added; {TAKEN_IN_AT_START}")], out)
}

/// A region and a centre are accounts with streams.
const TAKEN_IN_AT_START: &str = "a node that runs takes it in when it is started again";

fn rotate(node: &Node, user: &str, grace: u64, out: &mut Out) -> Result<(), Failure> {
    let network = node.network()?;
    let User { account, name, .. } = node.find(&network, user)?;
    let keyring = node.keyring()?;
    let grace = Duration::from_hours(grace);
    let rotated = keyring::rotate(&node.file(), &keyring, (&account, name), grace, now())?;
    Report::Rotated { user: report::address(&account, name), rotated }.tell(node.json, out)
}

fn revoke(node: &Node, what: &str, yes: bool, out: &mut Out) -> Result<(), Failure> {
    let keyring = node.keyring()?;
    let network = node.network()?;
    let key = what.parse::<PublicKey>().ok();
    let user = match &key {
        Some(key) => network.users().find(|user| user.keys.iter().any(|of_user| of_user.key == *key)),
        None => Some(node.find(&network, what)?),
    };
    if let (Some(User { party: Party::Service(service), .. }), false) = (&user, yes) {
        return Err(Failure::usage(format!(
            "{what} is the node's own: without it {}, until `rotate` gave it a new key and the node was started again; \
             --yes does it",
            stands_still(&service.role)
        )));
    }
    let revoked = match (&key, &user) {
        (None, Some(user)) => {
            keyring::revoke_user(&node.file(), &keyring, (&user.account, user.name), now())?
        }
        (Some(key), _) => keyring::revoke_key(&node.file(), &keyring, key, now())?,
        (None, None) => return Err(Failure::usage(format!("there is no user {what}"))),
    };
    let user = user.map_or_else(|| what.to_owned(), |user| report::address(&user.account, user.name));
    Report::Revoked { user, revoked }.tell(node.json, out)
}

/// What stands still when this user of the node can not sign in.
fn stands_still(role: &Role) -> String {
    match role {
        Role::Recorder(region) => format!("nothing that {region} sends is recorded"),
        Role::Provisioner(account) => format!("what is missing in the account {account} is not made"),
        Role::Leaf(region) => format!("mail at the leaf of {region} stays there"),
        Role::Gateway => "nobody is told anything: no board, no events, no alerts".to_owned(),
        Role::Operator => "nobody on this machine can watch, release or discard".to_owned(),
        Role::Monitor => "the node can not ask the broker how it is, and does not start".to_owned(),
    }
}

fn hand_out(node: &Node, user: &str, to: &Path, bus: Option<String>, out: &mut Out) -> Result<(), Failure> {
    let network = node.network()?;
    let user = node.find(&network, user)?;
    // Without a node, and without being told, its owner has to know.
    let bus = bus.or_else(|| NodeFile::read(&node.data.data).ok().map(|node| node.bus));
    let files = node.keyring()?.hand_out(&network, &user, bus.as_deref(), to)?;
    Report::HandedOut { user: report::address(&user.account, user.name), files, bus }.tell(node.json, out)
}

fn from_sources(sources: &Path, to: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    let network = described(sources)?;
    let text = network.to_toml();
    let Some(to) = to else {
        return out.line(text.trim_end());
    };
    fs::write(to, text)
        .map_err(|error| Failure::new(format!("{} can not be written", to.display()), error))?;
    out.line(format_args!("{} written: {}", to.display(), report::census(&network)))
}

fn described(sources: &Path) -> Result<Network, Failure> {
    let json = fs::read_to_string(sources)
        .map_err(|error| Failure::new(format!("{} can not be read", sources.display()), error))?;
    Ok(Network::from_sources(&sources.display().to_string(), &json)?)
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("`{text}`: {error}")))
}

fn now() -> Timestamp {
    Timestamp::from_micros(SystemClock.now())
}
