//! `doorstroom admin`: preparing a node.
//!
//! Not here: what a network file may say (`network`).

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use network::Network;

use crate::failure::Failure;
use crate::out::Out;

/// Arguments of `doorstroom admin`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The network file: who takes part and may send what
    Network {
        #[command(subcommand)]
        command: NetworkCommand,
    },
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
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

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Command::Network { command } = &args.command;
    let mut out = Out::new();
    match command {
        NetworkCommand::FromSources { sources, out: to } => from_sources(sources, to.as_deref(), &mut out)?,
        NetworkCommand::Check { file } => {
            let network = Network::read(file)?;
            out.line(format_args!("{}: {}", file.display(), census(&network)))?;
        }
    }
    out.flush()
}

fn from_sources(sources: &Path, to: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    let json = fs::read_to_string(sources)
        .map_err(|error| Failure::new(format!("{} can not be read", sources.display()), error))?;
    let network = Network::from_sources(&sources.display().to_string(), &json)?;
    let text = network.to_toml();
    let Some(to) = to else {
        return out.line(text.trim_end());
    };
    fs::write(to, text)
        .map_err(|error| Failure::new(format!("{} can not be written", to.display()), error))?;
    out.line(format_args!("{} written: {}", to.display(), census(&network)))
}

fn census(network: &Network) -> String {
    format!(
        "{} regions, {} centres, {} locations, {} sources",
        network.regions().len(),
        network.centres().len(),
        network.locations().len(),
        network.sources().len()
    )
}
