//! `doorstroom board`: the board as a table or as JSON, from the log of a data folder or from a running node.
//!
//! Not here: what the board counts (`views`), how the log is read (`audit`).

use std::io::Read as _;

use audit::{Audit, Moment};
use clap::Parser;
use domain::RegionId;
use network::Network;
use serde_json::Value;

use crate::access::known_region;
use crate::failure::Failure;
use crate::node_file::DataArg;
use crate::out::Out;
use crate::table::Table;

/// The largest answer of a node that is read, in bytes: the board of the whole country is under 2 MiB.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long a node may take to answer: a board of long ago is folded from the beginning of the log.
const ANSWER_TIMEOUT: std::time::Duration = std::time::Duration::from_mins(1);

/// Arguments of `doorstroom board`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  doorstroom board --region zk23\n  \
    doorstroom board --as-of 2026-03-02T02:14:00+01:00\n  doorstroom board --as-of 4711 --json")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArg,
    /// Ask this node instead of reading the log of the data folder
    #[arg(long, value_name = "URL")]
    node: Option<String>,
    /// Only this region
    #[arg(long, value_name = "REGION")]
    region: Option<RegionId>,
    /// What was known at this position of the log, or at this time [default: now]
    #[arg(long, value_name = "POSITION|TIME")]
    as_of: Option<Moment>,
    /// JSON for programs: the rows, the contradictions so far, and the position they hold for
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let board = match &args.node {
        Some(node) => fetch(node, args)?,
        None => read(args)?,
    };
    let mut out = Out::new();
    let told = if args.json { out.json(&board) } else { tell(&board, &mut out) };
    told?;
    out.flush()
}

fn read(args: &Args) -> Result<Value, Failure> {
    let audit = Audit::open(&args.data.log())?;
    // A log may be elsewhere than its node.
    if let Ok(network) = Network::read(&args.data.network()) {
        known_region(&network, args.region.as_ref())?;
    }
    let mut board = audit.as_of(args.as_of.unwrap_or_default())?.board();
    if let Some(region) = &args.region {
        board.rows.retain(|row| row.region == *region);
    }
    Ok(serde_json::to_value(&board)?)
}

fn fetch(node: &str, args: &Args) -> Result<Value, Failure> {
    let url = format!("{}/api/v1/availability", node.trim_end_matches('/'));
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(ANSWER_TIMEOUT))
        .http_status_as_error(false)
        .build()
        .new_agent();
    let mut request = agent.get(&url);
    if let Some(region) = &args.region {
        request = request.query("region", region.as_str());
    }
    match args.as_of.unwrap_or_default() {
        Moment::Head => {}
        Moment::Position(position) => request = request.query("as_of", position.to_string()),
        Moment::Time(time) => request = request.query("as_of", time.to_string()),
    }
    let unanswered = |error: &dyn std::error::Error| {
        Failure::said(format!("{url} does not answer as a node does ({error}); is a node running there?"))
    };
    let mut response = request.call().map_err(|error| unanswered(&error))?;
    let mut text = String::new();
    let body = response.body_mut().as_reader();
    body.take(ANSWER_BYTES_MAX).read_to_string(&mut text).map_err(|error| unanswered(&error))?;
    let answer: Value = serde_json::from_str(&text).map_err(|error| unanswered(&error))?;
    if response.status().is_success() {
        return Ok(answer);
    }
    // A refusal is a problem document (RFC 9457): its `detail` is the sentence.
    let detail = answer.get("detail").or_else(|| answer.get("title")).and_then(Value::as_str);
    Err(Failure::said(format!("{url}: {}", detail.unwrap_or(response.status().as_str()))))
}

/// The board for people: when it holds, and a table.
pub(crate) fn tell(board: &Value, out: &mut Out) -> Result<(), Failure> {
    let mut table = Table::new(&[
        "region",
        "location",
        "type",
        ">offerable",
        ">also",
        ">held",
        ">not ready",
        ">closed",
        ">unstaffed",
        ">reserve",
        ">occupied",
        ">physical",
        ">waiting",
        "basis",
        "last word",
    ]);
    let rows = board.get("rows").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for row in rows {
        let plain = [
            "region",
            "location",
            "care_type",
            "offerable",
            "also_offerable",
            "held",
            "not_ready",
            "closed",
            "unstaffed",
            "reserve",
            "occupied",
            "physical",
            "waiting",
            "basis",
        ];
        let last_word = row.pointer("/last_word/at").map(cell).unwrap_or_default();
        // To the minute: `2026-03-02T09:14`.
        let last_word = last_word.chars().take(16).collect();
        table.row(plain.iter().map(|name| row.get(name).map(cell).unwrap_or_default()).chain([last_word]));
    }
    let of = |name| board.get(name).map(cell).unwrap_or_default();
    if rows.is_empty() {
        out.line("no beds are known")?;
    } else {
        out.line(&table)?;
    }
    out.line(format_args!(
        "\nposition {}, recorded {}, {} contradictions so far",
        of("position"),
        of("recorded_at"),
        of("contradictions")
    ))
}

fn cell(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
