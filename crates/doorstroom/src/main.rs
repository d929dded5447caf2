//! The one binary: arguments, how output is written, and how a command ends.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused: not everything was accepted (`send`) or sound (`audit verify`),
//! or the bus does not let this key in or give it that. Results go to standard output, everything else to standard error.

mod access;
mod admin;
mod asyncapi;
mod audit;
mod board;
mod dcb;
mod desk;
mod failure;
mod node_file;
mod out;
mod quarantine;
mod send;
mod simulate;
mod table;
mod up;
mod watch;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::out::complain;

/// Many small values are made on one thread and dropped on another, at which this allocator is far better than the
/// system's: a quarter of a node's processor time under load was spent there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The event backbone of the Dutch bed desks: what happens to beds and referrals, recorded once, shown live.
#[derive(Debug, Parser)]
#[command(name = "doorstroom", version, propagate_version = true, subcommand_required = true)]
#[command(
    after_help = "Examples:\n  doorstroom up --demo\n  doorstroom send events.jsonl\n  doorstroom board --region zk23"
)]
struct Cli {
    /// How what happens is told on standard error
    #[arg(long, global = true, value_enum, value_name = "FORMAT", env = "DOORSTROOM_LOG_FORMAT")]
    #[arg(default_value = "text")]
    log_format: LogFormat,
    /// How much of it: error, warn, info, debug, or per part as in `info,bus=debug` [default: info for up, else warn]
    #[arg(long, global = true, value_name = "FILTER", env = "DOORSTROOM_LOG")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node: everything in one process, broker included
    Up(up::Args),
    /// Publish CloudEvents and report what became of each
    Send(send::Args),
    /// The board: what is free, held and occupied, now or at a moment
    Board(board::Args),
    /// The desk: from a referral to the discharge
    Desk(desk::Args),
    /// Follow changes live
    Watch(watch::Args),
    /// Check the log, write it out again, ask what was known at a moment
    Audit(audit::Args),
    /// What was kept aside: list, show, release, discard
    Quarantine(quarantine::Args),
    /// Prepare a node
    Admin(admin::Args),
    /// Describe the bus: the AsyncAPI 3 document of every subject and message
    Asyncapi(asyncapi::Args),
    /// Let desks, locations and people act on a node whose clock goes faster, and measure
    #[command(subcommand)]
    Simulate(simulate::Command),
    /// Serve a log of its own to published clients of a DCB event store, for tests and comparison
    Dcb(dcb::Args),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == up::guard::COMMAND) {
        let reason = up::guard::become_bound_to_parent(arguments);
        complain(format_args!("doorstroom: {reason}\n"));
        return ExitCode::FAILURE;
    }
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.is_told() {
                complain(format_args!("doorstroom: {failure}\n"));
            }
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let default = match &cli.command {
        // Its two days are of long ago: that every clock is suspect is no news there.
        Command::Up(args) if args.demo => "info,async_nats=warn,recorder::sources=error",
        Command::Up(_) => "info,async_nats=warn",
        Command::Send(_)
        | Command::Board(_)
        | Command::Desk(_)
        | Command::Watch(_)
        | Command::Audit(_)
        | Command::Quarantine(_)
        | Command::Admin(_)
        | Command::Asyncapi(_)
        | Command::Simulate(_)
        | Command::Dcb(_) => "warn",
    };
    start_tracing(cli.log_format, cli.log.as_deref().unwrap_or(default))?;
    match cli.command {
        Command::Up(args) => up::run(args),
        Command::Send(args) => send::run(&args),
        Command::Board(args) => board::run(&args),
        Command::Desk(args) => desk::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Audit(args) => audit::run(args),
        Command::Quarantine(args) => quarantine::run(&args),
        Command::Admin(args) => admin::run(&args),
        Command::Asyncapi(args) => asyncapi::run(&args),
        Command::Simulate(command) => simulate::run(&command),
        Command::Dcb(args) => dcb::run(args),
    }
}

fn start_tracing(format: LogFormat, filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::usage(format!("--log {filter}: {error}; use for example info,bus=debug"))
    })?;
    let colours = std::io::stderr().is_terminal();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    Ok(())
}

/// The runtime of a client command, which waits for the bus and has little else to do.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("the runtime can not be started", error))
}
