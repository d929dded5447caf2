//! `doorstroom admin token`: the tokens by which sources are known over HTTP.
//!
//! Not here: what is kept of a token (`network`), making one (`keyring`), what it opens (`domain::access`).

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::{SourceId, Timestamp};
use eventlog::{Clock as _, SystemClock};
use network::{Network, Source, Token};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::node_file::DataArg;
use crate::out::Out;
use crate::table::Table;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Give a source a token for the HTTP API; it is shown once, and a node that runs takes it at once
    #[command(
        after_help = "Examples:\n  doorstroom admin token add loket-zk23\n  doorstroom admin token add urn:nld:kvknr:00000002:systeem:ecd --until 2027-01-01T00:00:00Z --to ecd.token"
    )]
    Add {
        #[command(flatten)]
        node: Node,
        /// The source: its name on the bus, or its URN
        source: String,
        /// From when it is valid [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<Timestamp>,
        /// From when it is valid no more [default: until it is revoked]
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        /// Put it in this file, for its owner only, instead of showing it
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Who has a token, from when to when
    #[command(after_help = "Example:\n  doorstroom admin token list")]
    List {
        #[command(flatten)]
        node: Node,
    },
    /// End a token, at once
    #[command(after_help = "Example:\n  doorstroom admin token revoke 9f86d081")]
    Revoke {
        #[command(flatten)]
        node: Node,
        /// What `list` calls it
        #[arg(value_name = "TOKEN")]
        id: String,
    },
}

/// Whose network.
#[derive(Args, Debug)]
pub(crate) struct Node {
    #[command(flatten)]
    pub(super) data: DataArg,
    /// The network file [default: that of the node which runs there, or network.toml in the folder of its data]
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// One line of JSON, for programs
    #[arg(long)]
    pub(super) json: bool,
}

impl Node {
    /// Its network file.
    pub(super) fn file(&self) -> PathBuf {
        self.network.clone().unwrap_or_else(|| self.data.network())
    }
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    let mut out = Out::new();
    match command {
        Command::Add { node, source, from, until, to } => {
            let network = Network::read(&node.file())?;
            let source = find(&network, source)?;
            let from = from.unwrap_or_else(now);
            if until.is_some_and(|until| until <= from) {
                return Err(Failure::usage(
                    "--until lies before the token is valid at all; give a later time",
                ));
            }
            let secret = keyring::add_token(&node.file(), &source.id, (from, *until))?;
            if let Some(to) = to {
                secret.write(to)?;
            }
            let id = secret.hash().id();
            if node.json {
                let token = to.is_none().then(|| secret.expose());
                out.json(&json!({ "source": source.id, "id": id, "token": token, "file": to }))?;
            } else if let Some(to) = to {
                out.line(format_args!("{} has token {id}: {}", source.name, to.display()))?;
            } else {
                out.line(format_args!("{} has token {id}; this is shown once:", source.name))?;
                out.line(secret.expose())?;
            }
        }
        Command::List { node } => list(&Network::read(&node.file())?, node.json, &mut out)?,
        Command::Revoke { node, id } => {
            // Somebody may paste the token itself: it is not told again.
            if id.starts_with(network::TOKEN_PREFIX) {
                return Err(Failure::usage(
                    "this is a token itself; name it as `doorstroom admin token list` calls it, and revoke it, for it was shown",
                ));
            }
            let source = keyring::revoke_token(&node.file(), id, now())?;
            if node.json {
                out.json(&json!({ "source": source.id, "revoked": id }))?;
            } else {
                out.line(format_args!("token {id} of {} is valid no more", source.name))?;
            }
        }
    }
    out.flush()
}

fn list(network: &Network, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    let all = network.sources().flat_map(|source| source.tokens.iter().map(move |token| (source, token)));
    if as_json {
        let all: Vec<Value> = all.map(|(source, token)| shown(source, token)).collect();
        return out.json(&all);
    }
    let mut table = Table::new(&["token", "source", "region", "from", "until", "now"]);
    let mut any = false;
    for (source, token) in all {
        any = true;
        table.row([
            token.hash.id(),
            source.name.to_string(),
            source.region.to_string(),
            token.from.to_string(),
            token.until.map_or_else(|| "-".to_owned(), |until| until.to_string()),
            if token.is_valid_at(now()) { "valid" } else { "not valid" }.to_owned(),
        ]);
    }
    if any {
        out.line(&table)
    } else {
        out.line("nobody has a token; `doorstroom admin token add` makes one")
    }
}

fn shown(source: &Source, token: &Token) -> Value {
    json!({
        "id": token.hash.id(),
        "source": source.id,
        "name": source.name.as_str(),
        "region": source.region,
        "from": token.from.to_string(),
        "until": token.until.map(|until| until.to_string()),
        "valid": token.is_valid_at(now()),
    })
}

/// The source of this URN or name.
pub(super) fn find<'a>(network: &'a Network, called: &str) -> Result<&'a Source, Failure> {
    if let Some(source) = called.parse::<SourceId>().ok().and_then(|id| network.source(&id)) {
        return Ok(source);
    }
    let named: Vec<&Source> = network.sources().filter(|source| source.name.as_str() == called).collect();
    match named.as_slice() {
        [one] => Ok(one),
        [] => Err(Failure::usage(format!(
            "there is no source {called}; `doorstroom admin network show` tells who is there"
        ))),
        [_, _, ..] => Err(Failure::usage(format!("more than one source is called {called}; give its URN"))),
    }
}

fn now() -> Timestamp {
    Timestamp::from_micros(SystemClock.now())
}
