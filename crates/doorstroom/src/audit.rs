//! `doorstroom audit`: what an auditor asks of the log in a data folder. A node may be running on it; but for `repair`
//! and `archive` the log is only read.
//!
//! Not here: the checks, the replay and the fold (crate `audit`).

use std::path::PathBuf;

use audit::{Audit, AuditError, Filter, Moment, Phase, Progress, Report};
use clap::{Parser, Subcommand};
use domain::{LocationId, RegionId, SourceId, Timestamp};
use eventlog::{Clock as _, OpenError, SystemClock};
use serde_json::json;

use crate::access::say_unknown_region;
use crate::failure::Failure;
use crate::node_file::DataArg;
use crate::out::{Meter, Out};
use crate::table::Table;

mod proof;

pub(crate) use proof::KEY_FILE;

/// Contradictions told to a person; `--json` has all that are kept.
const CONTRADICTIONS_TOLD_MAX: usize = 20;
/// Findings told to a person; `--json` has all that are kept.
const FINDINGS_TOLD_MAX: usize = 20;

/// Arguments of `doorstroom audit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the whole log: checksums, chain, positions, keys, hashes, and that every event decodes
    #[command(after_help = "Example:\n  doorstroom audit verify --data /var/lib/doorstroom\n\n\
        Exit code 0: sound. 3: something was found, and is listed.")]
    Verify(VerifyArgs),
    /// Write recorded events out again: a JSON line each, the stored bytes unchanged
    #[command(after_help = "Examples:\n  doorstroom audit replay --region zk23 --type bed.freed\n  \
        doorstroom audit replay --tag bed:zk23-de-linde/12 --from 2026-03-02T00:00:00Z\n\n\
        A line: {\"position\", \"recorded_at\", \"key\", \"type\", \"content_type\", \"hash\", \"event\"}; `hash` is the \
        SHA-256 of the stored bytes.\nWhat can not stand in a JSON line unchanged has \"bytes_base64\" instead of \"event\".")]
    Replay(ReplayArgs),
    /// What was known at a moment: the board and the contradictions up to then
    #[command(after_help = "Example:\n  doorstroom audit as-of 2026-03-02T02:14:00+01:00 --region zk23")]
    AsOf(AsOfArgs),
    /// Copy the log, while a node may be running on it; an older copy in the folder is brought up to date
    #[command(after_help = "Example:\n  doorstroom audit backup --to /mnt/copies/doorstroom\n\n\
        Every byte of the copy is checked. A damaged log is not copied, and an older copy stays as it was.\n\
        To put a copy back: stop the node, move the folder `log` in its data folder away, and\n  \
        doorstroom audit repair --from /mnt/copies/doorstroom")]
    Backup(BackupArgs),
    /// Mend a damaged log with a copy of it; no node may be running on it
    #[command(after_help = "Example:\n  doorstroom audit repair --from /mnt/copies/doorstroom\n\n\
        What was damaged is kept in the folder `damaged` of the log. What the copy does not have yet is kept as it is.\n\
        Exit code 0: the log is sound. 3: something could not be mended with this copy, and is listed.")]
    Repair(RepairArgs),
    /// Pack finished files of the log, and move them to another disk; a node may be running on it
    #[command(after_help = "Examples:\n  doorstroom audit archive --older-than 90\n  \
        doorstroom audit archive --before 5000000 --to /mnt/archive/doorstroom\n\n\
        Everything is read, proven, verified and copied as before, as long as the archive is where it was put. An original is \
        removed when its packed file was read back and is the same; a running node lets go of its room at its next start.\n\
        To move an archive, archive it to the new folder.")]
    Archive(ArchiveArgs),
    /// A proof that a record is in the log, for somebody without the log
    #[command(after_help = "Example:\n  doorstroom audit proof 4711 --out 4711.tlog-proof\n\n\
        The file (c2sp.org/tlog-proof) holds the record, its path in the tree, and the newest signed head.")]
    Proof(proof::ProofArgs),
    /// Check a proof, without the log
    #[command(after_help = "Examples:\n  doorstroom audit check 4711.tlog-proof --key log.vkey\n  \
        doorstroom audit check 4711.tlog-proof --head held.note\n\n\
        The key is log.vkey in the data folder of the node: have it given to you once, by a way you trust. A head that you \
        hold is a note of `audit heads --note`.\nExit code 0: proven. 3: not proven.")]
    Check(proof::CheckArgs),
    /// The signed heads of the log, and who has signed them
    #[command(
        after_help = "Examples:\n  doorstroom audit heads\n  doorstroom audit heads --note > held.note"
    )]
    Heads(proof::HeadsArgs),
}

#[derive(Debug, Parser)]
struct BackupArgs {
    #[command(flatten)]
    data: DataArg,
    /// The folder for the copy
    #[arg(long, value_name = "COPY")]
    to: PathBuf,
    /// What was done, as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Parser)]
struct RepairArgs {
    #[command(flatten)]
    data: DataArg,
    /// The folder with the copy
    #[arg(long, value_name = "COPY")]
    from: PathBuf,
    /// What was done, as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Parser)]
#[command(group = clap::ArgGroup::new("which").required(true))]
struct ArchiveArgs {
    #[command(flatten)]
    data: DataArg,
    /// Files whose records are all below this position
    #[arg(long, value_name = "POSITION", group = "which")]
    before: Option<u64>,
    /// Files whose records were all recorded more than so many days ago
    #[arg(long, value_name = "DAYS", group = "which")]
    older_than: Option<u32>,
    /// The folder for the packed files, of this log alone [default: the folder `archive` of the log]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// What was done, as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Parser)]
struct VerifyArgs {
    #[command(flatten)]
    data: DataArg,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Parser)]
struct ReplayArgs {
    #[command(flatten)]
    data: DataArg,
    /// Only positions above this one
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    /// Only positions up to and including this one
    #[arg(long, value_name = "POSITION")]
    until: Option<u64>,
    /// Only what was recorded at or after this time
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only what was recorded at or before this time
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Only this region
    #[arg(long)]
    region: Option<RegionId>,
    /// Only this location
    #[arg(long)]
    location: Option<LocationId>,
    /// Only this type, such as bed.freed; several may be given
    #[arg(long = "type", value_name = "TYPE", value_parser = known_type)]
    types: Vec<String>,
    /// Only this source, a URN
    #[arg(long)]
    source: Option<SourceId>,
    /// Only what has this tag, such as bed:zk23-de-linde/12; of several, all
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// JSON lines, as always
    #[arg(long, hide = true)]
    json: bool,
}

#[derive(Debug, Parser)]
struct AsOfArgs {
    #[command(flatten)]
    data: DataArg,
    /// A position of the log, or a time with a zone
    #[arg(value_name = "POSITION|TIME")]
    moment: Moment,
    /// Only this region
    #[arg(long)]
    region: Option<RegionId>,
    /// JSON: the board, and `contradiction_list`, newest first
    #[arg(long)]
    json: bool,
}

fn known_type(name: &str) -> Result<String, AuditError> {
    audit::type_name(name)
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let mut out = Out::new();
    match args.command {
        Command::Verify(args) => verify(&args, &mut out)?,
        Command::Replay(args) => replay(args, &mut out)?,
        Command::AsOf(args) => as_of(&args, &mut out)?,
        Command::Backup(args) => backup(&args, &mut out)?,
        Command::Repair(args) => repair(&args, &mut out)?,
        Command::Archive(args) => archive(&args, &mut out)?,
        Command::Proof(args) => proof::proof(&args, &mut out)?,
        Command::Check(args) => proof::check(&args, &mut out)?,
        Command::Heads(args) => proof::heads(&args, &mut out)?,
    }
    out.flush()
}

fn verify(args: &VerifyArgs, out: &mut Out) -> Result<(), Failure> {
    let audit = Audit::open(&args.data.log())?;
    let mut meter = Meter::new();
    let report = audit.verify(&mut |at: Progress| {
        meter.tell(|| {
            let what = match at.phase {
                Phase::Log => "files",
                Phase::Events => "events",
            };
            format!("{what}: {} of {} verified", at.position, at.until)
        });
    })?;
    meter.done();
    let told = if args.json { out.json(&report) } else { tell_report(&report, out) };
    told?;
    if report.is_sound() {
        return Ok(());
    }
    out.flush()?;
    Err(Failure::refused(format!(
        "the log is not sound: {} findings; keep the folder as it is and compare it with a copy",
        report.findings_total
    )))
}

fn backup(args: &BackupArgs, out: &mut Out) -> Result<(), Failure> {
    let mut meter = Meter::new();
    let done = Audit::open(&args.data.log())?.backup(&args.to, &mut |at: Progress| {
        meter.tell(|| format!("{} of {} copied", at.position, at.until));
    })?;
    meter.done();
    if args.json {
        return out.json(&done);
    }
    out.line(format_args!(
        "{} has everything up to position {}: {} files copied, {} were there",
        args.to.display(),
        done.position,
        done.copied,
        done.kept
    ))
}

fn repair(args: &RepairArgs, out: &mut Out) -> Result<(), Failure> {
    if let Err(AuditError::Open(OpenError::Missing { dir })) = Audit::open(&args.from) {
        let text =
            format!("there is no copy of a log in {}; give the folder of an `audit backup`", dir.display());
        return Err(Failure::said(text));
    }
    let mut meter = Meter::new();
    let done = audit::repair(&args.data.log(), &args.from, &mut |at: Progress| {
        meter.tell(|| format!("{} of {} looked at", at.position, at.until));
    })?;
    meter.done();
    if args.json {
        out.json(&done)?;
    } else {
        for one in &done.repaired {
            let kept = one.kept.as_deref().map_or(String::new(), |kept| format!("; kept in {kept}"));
            out.line(format_args!(
                "mended: {}, positions {} to {} ({}){kept}",
                one.file, one.first, one.last, one.what
            ))?;
        }
        for finding in &done.unrepaired {
            let place = finding.place.as_deref().unwrap_or("the log");
            out.line(format_args!("not mended: {place}: {}", finding.what))?;
        }
        out.line(format_args!("sound up to position {}", done.position))?;
    }
    if done.unrepaired.is_empty() {
        return Ok(());
    }
    out.flush()?;
    Err(Failure::refused(format!(
        "{} things could not be mended with this copy; try another one",
        done.unrepaired.len()
    )))
}

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

fn archive(args: &ArchiveArgs, out: &mut Out) -> Result<(), Failure> {
    let log = args.data.log();
    let audit = Audit::open(&log)?;
    let before = if let Some(days) = args.older_than {
        let now = Timestamp::from_micros(SystemClock.now());
        let then = now.saturating_add_micros(i64::from(days).saturating_mul(DAY_MICROS).saturating_neg());
        audit.position_at(Moment::Time(then))?.saturating_add(1)
    } else {
        args.before.unwrap_or(0)
    };
    let to = match &args.to {
        // The node may run in another folder than we do.
        Some(to) => Some(std::path::absolute(to).map_err(|error| Failure::said(error.to_string()))?),
        None => None,
    };
    let mut meter = Meter::new();
    let done = audit::archive(&log, before, to, &mut |at: Progress| {
        meter.tell(|| format!("{} of {} archived", at.position, at.until));
    })?;
    meter.done();
    if args.json {
        return out.json(&done);
    }
    for one in &done.archived {
        let (first, last) = (one.first, one.last);
        out.line(format_args!(
            "positions {first} to {last}: {}, {} bytes of {}",
            one.file, one.packed, one.bytes
        ))?;
    }
    for index in &done.without_index {
        out.line(format_args!("left: {index} is missing or damaged; the node makes it when it starts"))?;
    }
    let (archived, kept) = (done.archived.len(), done.kept);
    out.line(format_args!("{archived} files archived, {kept} were there"))
}

fn tell_report(report: &Report, out: &mut Out) -> Result<(), Failure> {
    let Report { position, recorded_at, records, commits, segments, running_hash, events, types, .. } =
        report;
    let tree = report.tree_root.as_deref().unwrap_or("unknown");
    let heads = report.signed_heads;
    let mut table = Table::new(&["type", ">records"]);
    for (kind, count) in types {
        table.row([kind.to_string(), count.to_string()]);
    }
    if !types.is_empty() {
        out.line(format_args!("{table}\n"))?;
    }
    for finding in report.findings.iter().take(FINDINGS_TOLD_MAX) {
        let position =
            finding.position.map_or("the log".to_owned(), |position| format!("position {position}"));
        let place = finding.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
        out.line(format_args!("{position}{place}: {}", finding.what))?;
    }
    let judgement = if report.is_sound() { "sound" } else { "not sound" };
    out.line(format_args!(
        "{judgement}: {records} records ({events} events) in {commits} commits and {segments} segments, up to \
         position {position}, recorded {recorded_at}\nrunning hash {running_hash}\n\
         root of the tree {tree}, {heads} signed heads compared"
    ))
}

fn replay(args: ReplayArgs, out: &mut Out) -> Result<(), Failure> {
    say_unknown_region(&args.data.network(), args.region.as_ref());
    let ReplayArgs { data, after, until, from, to, region, location, types, source, tags, json: _ } = args;
    let filter = Filter { after, until, from, to, region, location, types, source, tags };
    let audit = Audit::open(&data.log())?;
    match audit.replay(&filter, out.writer()) {
        Ok(_) => Ok(()),
        Err(AuditError::Output { source, .. }) => Err(Failure::output(&source)),
        Err(error) => Err(error.into()),
    }
}

fn as_of(args: &AsOfArgs, out: &mut Out) -> Result<(), Failure> {
    say_unknown_region(&args.data.network(), args.region.as_ref());
    let audit = Audit::open(&args.data.log())?;
    let as_of = audit.as_of(args.moment)?;
    let of_region = |region: &RegionId| args.region.as_ref().is_none_or(|wanted| wanted == region);
    let mut board = as_of.board();
    board.rows.retain(|row| of_region(&row.region));
    let mut board = serde_json::to_value(&board)?;
    let contradictions = as_of.view.contradiction_list().filter(|found| of_region(&found.region));
    if args.json {
        let list: Vec<_> = contradictions.collect();
        if let Some(board) = board.as_object_mut() {
            board.insert("contradiction_list".to_owned(), json!(list));
        }
        return out.json(&board);
    }
    crate::board::tell(&board, out)?;
    let mut table = Table::new(&[">position", "recorded", "type", "region", "about", "why"]);
    let mut told = 0;
    for found in contradictions.take(CONTRADICTIONS_TOLD_MAX) {
        told += 1;
        let location = found.location.as_ref().map_or(String::new(), ToString::to_string);
        let bed = found.bed.as_ref().map_or(String::new(), |bed| format!("/{bed}"));
        table.row([
            found.position.to_string(),
            found.recorded_at.to_string(),
            found.kind.to_string(),
            found.region.to_string(),
            format!("{location}{bed}"),
            found.why.to_string(),
        ]);
    }
    if told > 0 { out.line(format_args!("\nthe last contradictions:\n{table}")) } else { Ok(()) }
}
