//! `doorstroom admin`: preparing a node.
//!
//! Not here: who takes part and their keys (`network`), tokens (`token`), accounts (`account`), brokers that are not a node's own (`broker`).

mod account;
mod broker;
mod network;
mod token;

use clap::Subcommand;

pub(crate) use account::ACCOUNTS;

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
    /// The tokens by which sources are known over HTTP
    Token {
        #[command(subcommand)]
        command: Box<token::Command>,
    },
    /// The accounts with which people sign in to the pages
    Account {
        #[command(subcommand)]
        command: Box<account::Command>,
    },
    /// A broker that is not a node's own: its configuration, its streams
    Broker {
        #[command(subcommand)]
        command: Box<broker::Command>,
    },
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Network { command } => network::run(command),
        Command::Token { command } => token::run(command),
        Command::Account { command } => account::run(command),
        Command::Broker { command } => broker::run(command),
    }
}
