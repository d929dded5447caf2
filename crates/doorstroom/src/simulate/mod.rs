//! `doorstroom simulate`: desks, locations, referrers and people on a node whose clock goes faster, and what was measured.
//!
//! Not here: the simulation (`simulator`), starting and killing the node (`tests/simulate`).

mod prepare;
mod shown;

use std::path::PathBuf;

use domain::desk::RuleBook;
use simulator::Plan;

use crate::failure::Failure;
use crate::out::{Out, complain};

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Examples:\n  doorstroom simulate prepare sim --regions 3\n  doorstroom up --network sim/network.toml --rules sim/rules.toml --data sim/data --clock-factor 600\n  doorstroom simulate run sim --factor 600 --hours 12"
)]
pub(crate) enum Command {
    /// Make a network with a desk, a system of locations and one of referrers in each region, and their tokens
    #[command(after_help = "Example:\n  doorstroom simulate prepare sim --regions 3")]
    Prepare(prepare::Args),
    /// Let them act on a node that runs on that network, over HTTP, and measure
    #[command(
        after_help = "Examples:\n  doorstroom simulate run sim --factor 600 --hours 12\n  doorstroom simulate run sim --factor 600 --hours 12 --leave-open   # pages with people still waiting\n  doorstroom simulate run sim --node http://127.0.0.1:8081 --factor 1000 --days 7 --seed 2 --json"
    )]
    Run(Args),
}

/// Arguments of `doorstroom simulate run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that `prepare` made
    dir: PathBuf,
    /// The node; its data folder is of this simulation alone
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    node: String,
    /// How many days people come; what is left is brought to its end after that
    #[arg(long, value_name = "N", default_value_t = 7)]
    days: u32,
    /// How many hours people come, instead of days
    #[arg(long, value_name = "N", conflicts_with = "days")]
    hours: Option<u32>,
    /// End when nobody comes any more, and leave what is open as it is
    #[arg(long)]
    leave_open: bool,
    /// What is decided depends on it
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How many times faster the clock of the node goes (its --clock-factor)
    #[arg(long, value_name = "F", value_parser = clap::value_parser!(u32).range(1..))]
    factor: u32,
    /// How many of a hundred of the locations and people of a region there are
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    load: u32,
    /// One line of JSON, for programs: everything that was counted
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Prepare(args) => prepare::run(args),
        Command::Run(args) => simulate(args),
    }
}

fn simulate(args: &Args) -> Result<(), Failure> {
    let file = args.dir.join("rules.toml");
    let rules = if file.exists() {
        desk::read_rules(&file)
            .map_err(|error| Failure::new("the rules of the desks can not be used", error))?
    } else {
        RuleBook::default()
    };
    let plan = Plan {
        node: args.node.clone(),
        tokens: args.dir.join("tokens"),
        rules,
        hours: args.hours.unwrap_or(args.days.saturating_mul(24)),
        leave_open: args.leave_open,
        seed: args.seed,
        factor: args.factor,
        load: args.load,
    };
    let report = simulator::run(&plan, &|text| complain(format_args!("{text}\n")))
        .map_err(|error| Failure::new("the simulation did not begin", error))?;
    let mut out = Out::new();
    if args.json {
        out.json(&report)?;
    } else {
        shown::show(&mut out, &report)?;
    }
    out.flush()
}
