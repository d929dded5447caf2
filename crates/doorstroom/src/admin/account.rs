//! `doorstroom admin account`: who may sign in to the pages, and as what.
//!
//! Not here: how a password is kept, sessions (`portal::signin`), what somebody may do (`domain::access`).

use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;
use domain::{LocationId, RegionId, Timestamp};
use network::{Kind, Network};
use portal::signin::{Account, AccountName, Accounts, As, Mandate, MandateKind};
use serde_json::{Value, json};

use super::token::{Node, find};
use crate::failure::Failure;
use crate::out::Out;
use crate::table::Table;

/// The file of accounts, in the folder of a node's data.
pub(crate) const ACCOUNTS: &str = "accounts.toml";
/// The longest password that is read from the input, in bytes; what is longer is no password.
const INPUT_BYTES_MAX: u64 = 1_024;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Let somebody sign in; a node that runs knows it at once. Without --password-stdin a password is made and shown once
    #[command(
        after_help = "Examples:\n  doorstroom admin account add jansen --source loket-zk23\n  doorstroom admin account add tablet-zuid --source zk23-de-linde --ward-device\n  doorstroom admin account add inspectie --auditor supervisor --region zk23 --until 2027-01-01T00:00:00Z"
    )]
    Add {
        #[command(flatten)]
        node: Node,
        /// What is typed to sign in: 2 to 64 of a-z, 0-9 and . - _ @
        name: AccountName,
        /// The source this person works for: its name on the bus, or its URN
        #[arg(long, value_name = "SOURCE", required_unless_present = "auditor", conflicts_with = "auditor")]
        source: Option<String>,
        /// A device that stays on a ward of that location: it says how beds are, and sees nobody
        #[arg(long, requires = "source")]
        ward_device: bool,
        /// Somebody who looks back: quality, provider, insurer, supervisor or privacy
        #[arg(long, value_name = "KIND")]
        auditor: Option<MandateKind>,
        /// A region an auditor may look at
        #[arg(long = "region", value_name = "REGION", requires = "auditor")]
        regions: Vec<RegionId>,
        /// A location the auditor of a provider may look at
        #[arg(long = "location", value_name = "LOCATION", requires = "auditor")]
        locations: Vec<LocationId>,
        /// From when it is valid no more
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        /// Take the password from the input instead of making one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Who may sign in, and as what
    #[command(after_help = "Example:\n  doorstroom admin account list")]
    List {
        #[command(flatten)]
        node: Node,
    },
    /// Take an account out; its sessions end at once
    #[command(after_help = "Example:\n  doorstroom admin account remove jansen")]
    Remove {
        #[command(flatten)]
        node: Node,
        /// Which account
        name: AccountName,
    },
}

/// The file of accounts of a node.
fn file(node: &Node) -> PathBuf {
    node.data.data.join(ACCOUNTS)
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let mut out = Out::new();
    match command {
        Command::Add {
            node,
            name,
            source,
            ward_device,
            auditor,
            regions,
            locations,
            until,
            password_stdin,
        } => {
            let works_as = match (source, auditor) {
                (Some(source), _) => of_source(&Network::read(&node.file())?, source, *ward_device)?,
                (None, Some(kind)) => As::Auditor(Mandate {
                    kind: *kind,
                    regions: regions.iter().cloned().collect(),
                    locations: locations.iter().cloned().collect(),
                }),
                (None, None) => return Err(Failure::usage("give --source or --auditor")),
            };
            let (password, made) = password(*password_stdin)?;
            let mut accounts = read(node)?;
            accounts.add(name.clone(), works_as, &password, *until).map_err(unusable)?;
            accounts.write(&file(node)).map_err(unusable)?;
            if node.json {
                out.json(&json!({ "account": name.as_str(), "password": made.then_some(password) }))?;
            } else if made {
                out.line(format_args!(
                    "{} may sign in with this password, which is shown once:",
                    name.as_str()
                ))?;
                out.line(password)?;
            } else {
                out.line(format_args!("{} may sign in", name.as_str()))?;
            }
        }
        Command::List { node } => list(&read(node)?, node.json, &mut out)?,
        Command::Remove { node, name } => {
            let mut accounts = read(node)?;
            accounts.remove(name).map_err(unusable)?;
            accounts.write(&file(node)).map_err(unusable)?;
            if node.json {
                out.json(&json!({ "account": name.as_str(), "removed": true }))?;
            } else {
                out.line(format_args!("{} may sign in no more", name.as_str()))?;
            }
        }
    }
    out.flush()
}

/// As what somebody works who works for this source.
fn of_source(network: &Network, called: &str, ward_device: bool) -> Result<As, Failure> {
    let source = find(network, called)?;
    match (source.kind, ward_device) {
        (Kind::Node, _) => Err(Failure::usage(format!("{called} is a node; nobody works for it"))),
        (Kind::Location, true) => Ok(As::WardDevice(source.id.clone())),
        (Kind::Desk | Kind::Referrer | Kind::Centre, true) => {
            Err(Failure::usage(format!("{called} is no location; it has no wards")))
        }
        (Kind::Desk | Kind::Location | Kind::Referrer | Kind::Centre, false) => {
            Ok(As::Source(source.id.clone()))
        }
    }
}

/// The password of the input, or a new one; whether it was made.
fn password(from_input: bool) -> Result<(String, bool), Failure> {
    if !from_input {
        return Ok((keyring::passphrase()?, true));
    }
    let mut text = String::new();
    std::io::stdin()
        .take(INPUT_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new("the password can not be read from the input", error))?;
    Ok((text.trim_end_matches(['\r', '\n']).to_owned(), false))
}

fn read(node: &Node) -> Result<Accounts, Failure> {
    Accounts::read(&file(node)).map_err(unusable)
}

fn unusable(error: portal::signin::AccountsError) -> Failure {
    Failure::new("the accounts stay as they were", error)
}

fn list(accounts: &Accounts, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    if as_json {
        let all: Vec<Value> = accounts.iter().map(shown).collect();
        return out.json(&all);
    }
    if accounts.iter().len() == 0 {
        return out.line("nobody may sign in; `doorstroom admin account add` lets somebody");
    }
    let mut table = Table::new(&["account", "as", "until"]);
    for account in accounts.iter() {
        table.row([
            account.name.as_str().to_owned(),
            told(&account.works_as),
            account.until.map_or_else(|| "-".to_owned(), |until| until.to_string()),
        ]);
    }
    out.line(&table)
}

fn told(works_as: &As) -> String {
    match works_as {
        As::Source(source) => source.to_string(),
        As::WardDevice(source) => format!("device on a ward of {source}"),
        As::Auditor(Mandate { kind, regions, locations }) => {
            let regions = regions.iter().map(ToString::to_string);
            let at: Vec<String> = regions.chain(locations.iter().map(ToString::to_string)).collect();
            format!("auditor ({kind:?}) of {}", at.join(", ")).to_lowercase()
        }
    }
}

fn shown(account: &Account) -> Value {
    json!({
        "account": account.name.as_str(),
        "as": account.works_as,
        "until": account.until.map(|until| until.to_string()),
    })
}
