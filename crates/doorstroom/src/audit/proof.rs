//! `doorstroom audit proof`, `check` and `heads`: proofs for people who do not have the log.
//!
//! Not here: making and checking them (crate `audit`).

use std::fs;
use std::path::{Path, PathBuf};

use audit::{Audit, HeadLine, Proven};
use clap::Parser;
use eventlog::{SignedHead, VerifierKey};

use crate::failure::Failure;
use crate::node_file::DataArg;
use crate::out::Out;
use crate::table::Table;

/// The file beside the log with the key that verifies its heads.
pub(crate) const KEY_FILE: &str = "log.vkey";

#[derive(Debug, Parser)]
pub(super) struct ProofArgs {
    #[command(flatten)]
    data: DataArg,
    /// The position of the record: the first is 1
    #[arg(value_name = "POSITION", value_parser = clap::value_parser!(u64).range(1..))]
    position: u64,
    /// Make it for the signed head in this file, instead of the newest
    #[arg(long, value_name = "NOTE")]
    head: Option<PathBuf>,
    /// Where to write it; standard output if not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Parser)]
pub(super) struct CheckArgs {
    /// The proof file, as `audit proof` made it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The signed head you hold: the proof has to be about that one
    #[arg(long, value_name = "NOTE", required_unless_present = "key")]
    head: Option<PathBuf>,
    /// The key of the log, or of a witness: a file, or the key itself (name+id+key); several may be given
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// What was proven, as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Parser)]
pub(super) struct HeadsArgs {
    #[command(flatten)]
    data: DataArg,
    /// Only the newest, as the note it is
    #[arg(long)]
    note: bool,
    /// All of them with their notes, as JSON lines
    #[arg(long, conflicts_with = "note")]
    json: bool,
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("{} can not be read", path.display()), error))
}

fn read_head(path: Option<&PathBuf>) -> Result<Option<SignedHead>, Failure> {
    path.map(|path| Ok(audit::read_head(&read(path)?)?)).transpose()
}

fn read_key(key: &String) -> Result<VerifierKey, Failure> {
    let text = if Path::new(key).exists() { read(Path::new(key))? } else { key.clone() };
    Ok(audit::read_key(&text)?)
}

pub(super) fn proof(args: &ProofArgs, out: &mut Out) -> Result<(), Failure> {
    let held = read_head(args.head.as_ref())?;
    let text = Audit::open(&args.data.log())?.proof(args.position, held)?;
    match &args.out {
        None => out.line(text.trim_end()),
        Some(path) => fs::write(path, text)
            .map_err(|error| Failure::new(format!("{} can not be written", path.display()), error)),
    }
}

pub(super) fn check(args: &CheckArgs, out: &mut Out) -> Result<(), Failure> {
    let held = read_head(args.head.as_ref())?;
    let keys = args.key.iter().map(read_key).collect::<Result<Vec<_>, Failure>>()?;
    let text = read(&args.file)?;
    // It was looked at, and not accepted: exit code 3, as for a log that is not sound.
    let proven = audit::check(&text, &keys, held.as_ref())
        .map_err(|error| Failure::refused(Failure::from(error).to_string()))?;
    if args.json {
        return out.json(&proven);
    }
    let Proven { position, size, origin, recorded_at, r#type, key, leaf, hash, signatures, is_held_head } =
        &proven;
    out.line(format_args!(
        "proven: the record at position {position} was in {origin} when it had {size} positions\n\
         {type}, recorded {recorded_at}, key {key}\n\
         fingerprint in the log {leaf}\nSHA-256 of the stored bytes alone {hash}"
    ))?;
    for good in signatures {
        let seen = good.seen_at.as_ref().map_or(String::new(), |at| format!(", which saw it at {at}"));
        out.line(format_args!("the head is signed by {}{seen}", good.name))?;
    }
    if *is_held_head { out.line("the head is the one you hold") } else { Ok(()) }
}

pub(super) fn heads(args: &HeadsArgs, out: &mut Out) -> Result<(), Failure> {
    let heads = Audit::open(&args.data.log())?.heads()?;
    if args.note {
        let newest = heads.last().ok_or_else(|| Failure::said("no head of this log was signed yet"))?;
        return out.line(newest.to_string().trim_end());
    }
    let lines = heads.iter().map(HeadLine::from);
    if args.json {
        return lines.into_iter().try_for_each(|line| out.json(&line));
    }
    let mut table = Table::new(&[">positions", "log", "witnesses"]);
    for line in lines {
        let witnesses = line.signed_by.iter().filter(|name| **name != line.origin);
        let witnesses = witnesses.map(String::as_str).collect::<Vec<_>>().join(", ");
        table.row([line.size.to_string(), line.origin, witnesses]);
    }
    out.line(format_args!("{table}"))?;
    match fs::read_to_string(args.data.log().with_file_name(KEY_FILE)) {
        Ok(key) => out.line(format_args!("\nthe key that verifies them: {}", key.trim_end())),
        Err(_) => Ok(()),
    }
}
