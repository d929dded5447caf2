//! `doorstroom quarantine`: what was kept aside, and what to do with it.
//!
//! Lists and contents are read from the log in the data folder; release and discard are asked of the node that runs on
//! it. Not here: what may be released (`recorder`), the list itself (`audit`).

use std::time::Duration;

use audit::{Audit, Kept, KeptState};
use bus::{QUARANTINE_DISCARD, QUARANTINE_RELEASE};
use clap::{Parser, Subcommand};
use contracts::{Act, ActOutcome, Acted};
use domain::RegionId;

use crate::access::{AccessArg, say_unknown_region};
use crate::failure::Failure;
use crate::node_file::DataArg;
use crate::out::Out;
use crate::table::Table;

/// The node answers after the sync of its log.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Arguments of `doorstroom quarantine`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What was kept aside and still waits for somebody to decide
    #[command(after_help = "Example:\n  doorstroom quarantine list --region zk23")]
    List(ListArgs),
    /// One message: where it came from, why it was refused, what became of it
    #[command(after_help = "Examples:\n  doorstroom quarantine show 1204\n  \
        doorstroom quarantine show 1204 --raw > message\n\n\
        Its content is written with --raw only: it may hold what nobody should read without need.")]
    Show(ShowArgs),
    /// Make an event of it: the node judges it by the registry and the contract of now
    #[command(
        after_help = "Example:\n  doorstroom quarantine release 1204 --by j.smit --reason \"the registry lacked de-roos\"\n\n\
        Exit code 0: it is an event. 3: it is refused still; nothing changed."
    )]
    Release(ActArgs),
    /// Keep it aside for good
    #[command(
        after_help = "Example:\n  doorstroom quarantine discard 1204 --by j.smit --reason \"a test of the supplier\""
    )]
    Discard(ActArgs),
}

#[derive(Debug, Parser)]
struct ListArgs {
    #[command(flatten)]
    data: DataArg,
    /// Only this region
    #[arg(long)]
    region: Option<RegionId>,
    /// Also what was released or discarded
    #[arg(long)]
    all: bool,
    /// A JSON line per message
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Parser)]
struct ShowArgs {
    #[command(flatten)]
    data: DataArg,
    /// Where it was kept aside
    #[arg(value_name = "POSITION")]
    position: u64,
    /// Its bytes as they came, and nothing else
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Parser)]
struct ActArgs {
    #[command(flatten)]
    data: DataArg,
    #[command(flatten)]
    access: AccessArg,
    /// Where it was kept aside
    #[arg(value_name = "POSITION")]
    position: u64,
    /// Who decides this: it stays in the log
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why: it stays in the log; to discard it must be given
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// The answer as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut out = Out::new();
    match &args.command {
        Command::List(args) => list(args, &mut out)?,
        Command::Show(args) => show(args, &mut out)?,
        Command::Release(args) => act(args, QUARANTINE_RELEASE, &mut out)?,
        Command::Discard(args) => {
            if args.reason.trim().is_empty() {
                return Err(Failure::usage("say why it is discarded, with --reason"));
            }
            act(args, QUARANTINE_DISCARD, &mut out)?;
        }
    }
    out.flush()
}

fn list(args: &ListArgs, out: &mut Out) -> Result<(), Failure> {
    say_unknown_region(&args.data.network(), args.region.as_ref());
    let audit = Audit::open(&args.data.log())?;
    let mut table = Table::new(&[">position", "recorded", "region", "sender", "code", ">bytes", "state"]);
    let mut told = 0_u64;
    for kept in audit.quarantine(args.region.as_ref())? {
        let kept = kept?;
        if !args.all && kept.state != KeptState::Open {
            continue;
        }
        if args.json {
            out.json(&kept)?;
            continue;
        }
        told = told.saturating_add(1);
        let state = state(&kept.state).0.to_owned();
        let Kept { position, recorded_at, region, sender, code, bytes, .. } = kept;
        table.row([position.to_string(), recorded_at, region, sender, code, bytes.to_string(), state]);
    }
    match (args.json, told) {
        (true, _) => Ok(()),
        (false, 0) => out.line("nothing waits in quarantine"),
        (false, _) => out.line(table),
    }
}

fn show(args: &ShowArgs, out: &mut Out) -> Result<(), Failure> {
    let position = args.position;
    let Some((kept, raw)) = Audit::open(&args.data.log())?.kept(position)? else {
        return Err(Failure::said(format!(
            "nothing was kept aside at position {position}; see `doorstroom quarantine list --all`"
        )));
    };
    if args.raw {
        return out.writer().write_all(&raw).map_err(|error| Failure::output(&error));
    }
    if args.json {
        return out.json(&kept);
    }
    let mut table = Table::new(&["message", ""]);
    let (state, act) = state(&kept.state);
    let came = match kept.stream_sequence {
        0 => "counter".to_owned(),
        number => format!("mailbox, number {number}"),
    };
    for (name, value) in [
        ("position", position.to_string()),
        ("recorded", kept.recorded_at.clone()),
        ("came by", came),
        ("region", kept.region.clone()),
        ("sender", kept.sender.clone()),
        ("subject", kept.subject.clone()),
        ("code", kept.code.clone()),
        ("why", kept.detail.clone()),
        ("content", format!("{}, {} bytes", kept.content_type, kept.bytes)),
        ("hash", kept.hash.clone()),
        ("state", state.to_owned()),
    ] {
        table.row([name.to_owned(), value]);
    }
    if let Some(act) = act {
        table.row(["by".to_owned(), format!("{}, {}", act.by, act.acted_at)]);
        table.row(["reason".to_owned(), act.reason.clone()]);
    }
    out.line(table)
}

fn state(state: &KeptState) -> (&'static str, Option<&audit::KeptAct>) {
    match state {
        KeptState::Open => ("open", None),
        KeptState::Released(act) => ("released", Some(act)),
        KeptState::Discarded(act) => ("discarded", Some(act)),
    }
}

fn act(args: &ActArgs, what: &'static str, out: &mut Out) -> Result<(), Failure> {
    let act = Act { position: args.position, by: args.by.clone(), reason: args.reason.clone() };
    let act = Act::from_json(&act.to_json()).map_err(|error| Failure::usage(error.to_string()))?;
    let acted = crate::runtime()?.block_on(ask(args, what, &act))?;
    if args.json {
        out.json(&acted)?;
    }
    let Acted { outcome, position, event_position, by, code, reason } = acted;
    let at = |position: Option<u64>| {
        position.map(|position| format!(" at position {position}")).unwrap_or_default()
    };
    let told = match outcome {
        ActOutcome::Refused => {
            out.flush()?;
            return Err(Failure::refused(format!("nothing changed: {code}: {reason}")));
        }
        ActOutcome::Released => {
            format!("released by {by}{}: it is the event{}", at(position), at(event_position))
        }
        ActOutcome::Discarded => format!("discarded by {by}{}: {reason}", at(position)),
    };
    if args.json { Ok(()) } else { out.line(told) }
}

async fn ask(args: &ActArgs, what: &'static str, act: &Act) -> Result<Acted, Failure> {
    let bus = args.access.resolve(&args.data.data)?.connect("doorstroom quarantine").await?;
    let mut denials = bus.denials();
    let answer = tokio::select! {
        answer = bus.ask_admin(what, act.to_json().into(), ANSWER_WITHIN) => answer?,
        Ok(denial) = denials.recv() => {
            return Err(Failure::refused(format!("only the node's operator decides this: {denial}")));
        }
    };
    Ok(Acted::from_json(&answer)?)
}
