//! `doorstroom admin`: preparing a node.
//!
//! Not here: who takes part and their keys (`network`).

mod network;

use clap::Subcommand;

use crate::failure::Failure;

/// Arguments of `doorstroom admin`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The network: who takes part, what they may send, the keys they are known by
    Network {
        #[command(subcommand)]
        command: Box<network::Command>,
    },
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Network { command } => network::run(command),
    }
}
