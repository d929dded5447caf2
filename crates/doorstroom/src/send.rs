//! `doorstroom send`: CloudEvents from a file or standard input to a node, in their order, and what became of each.
//!
//! Not here: how they are sent so that none is lost and none overtakes another (`bus::Sender`).

mod lines;
mod outbox;

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bus::{Door, Order, SendError, Sender, SenderConfig};
use clap::Parser;
use contracts::{Outcome, Receipt};
use domain::plain;
use network::Network;
use serde::Serialize;

use crate::access::AccessArg;
use crate::failure::Failure;
use crate::node_file::{DataArg, NodeFile};
use crate::out::{Meter, Out};
use crate::table::Table;
use lines::{Feed, Input, Unsent};

/// Refusals told one by one to a person; `--json` has every one.
const REFUSALS_TOLD_MAX: u64 = 20;

/// Arguments of `doorstroom send`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  doorstroom send events.jsonl\n  doorstroom send tests/data/region-day.jsonl --mailbox\n  \
    zcat events.jsonl.gz | doorstroom send - --json\n  doorstroom send events.jsonl --outbox ./outbox\n  \
    doorstroom send events.jsonl --creds /media/stick/de-linde\n\n\
    An event that was sent before is a duplicate, and recorded once: after a failure send the file again.\n\
    Exit code 0: everything is recorded. 3: something is not, and is listed; or the bus does not let this key in."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Args {
    /// JSON CloudEvents, one a line, gzip or not; - is standard input
    #[arg(value_name = "FILE|-", required_unless_present = "outbox")]
    file: Option<Input>,
    #[command(flatten)]
    data: DataArg,
    #[command(flatten)]
    access: AccessArg,
    /// The network file, which says how each source is called on the bus, instead of the one handed out or the node's
    #[arg(long, value_name = "FILE")]
    network: Option<PathBuf>,
    /// Through the mailbox (kept by the broker while no recorder is there) instead of the counter
    #[arg(long)]
    mailbox: bool,
    /// Each region's events in their order and regions side by side, instead of all in the order of the file: faster
    #[arg(long)]
    by_region: bool,
    /// Keep the events in this folder until they have their receipts, and send what is in it: nothing is lost when this
    /// ends early, the next time goes on
    #[arg(long, value_name = "DIR")]
    outbox: Option<PathBuf>,
    /// Send everything again that the outbox still keeps
    #[arg(long, requires = "outbox")]
    resend: bool,
    /// Requests in flight, each of another sender
    #[arg(long, value_name = "N", default_value_t = 256)]
    in_flight: usize,
    /// Give up after so many seconds without a receipt
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    give_up_after: u64,
    /// A JSON line per event for programs: line, id, outcome, position, code, reason
    #[arg(long)]
    json: bool,
}

/// What became of one line.
#[derive(Debug, Serialize)]
struct Report<'a> {
    line: u64,
    id: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    code: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
}

/// What its connections are called in the broker's own lists.
const NAME: &str = "doorstroom send";
/// The outcome of a line that was never sent.
const NOT_SENT: &str = "not-sent";

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let access = args.access.resolve(&args.data.data)?;
    let network = match args.network.clone().or_else(|| access.network.clone()) {
        Some(file) => file,
        // There is a broker and no node: whoever is there otherwise says what is missing.
        None => NodeFile::read(&args.data.data)?.network,
    };
    let network = Arc::new(Network::read(&network)?);
    let order = if args.by_region { Order::WithinRegion } else { Order::Strict };
    let config = SenderConfig {
        server: access.server.clone(),
        name: NAME.to_owned(),
        logins: access.logins.clone(),
        door: if args.mailbox { Door::Mailbox(order) } else { Door::Counter(order) },
        in_flight: args.in_flight,
        give_up_after: Duration::from_secs(args.give_up_after),
    };
    let input: Box<dyn BufRead + Send> = match &args.file {
        Some(file) => lines::open(file)?,
        None => Box::new(io::empty()),
    };
    let tally = Tally::new(args.json);
    crate::runtime()?.block_on(async {
        access.try_door(NAME).await?;
        let feed = Feed::start(input, network);
        match args.outbox.clone() {
            Some(dir) => outbox::send(dir, args.resend, config, feed, tally).await,
            None => send(config, feed, tally).await,
        }
    })
}

async fn send(config: SenderConfig, feed: Feed, mut tally: Tally) -> Result<(), Failure> {
    let Feed { events, mut unsent, sent, reading } = feed;
    let mut sender = Sender::start(config, events);
    let mut gave_up = None;
    loop {
        tokio::select! {
            receipt = sender.next() => match receipt {
                Some(Ok((index, receipt))) => tally.receipted(&lines::line_of(&sent, index), &receipt)?,
                Some(Err(SendError::Unsendable { index, reason })) => {
                    let line = lines::line_of(&sent, index);
                    tally.unsent(&Unsent { line: line.number, id: line.id, reason })?;
                }
                Some(Err(SendError::ShutOut { index, reason })) => {
                    let line = lines::line_of(&sent, index);
                    tally.unsent(&Unsent { line: line.number, id: line.id, reason: reason.to_string() })?;
                }
                Some(Err(error @ SendError::GaveUp { .. })) => gave_up = Some(error),
                None => break,
            },
            Some(line) = unsent.recv() => tally.unsent(&line)?,
        }
    }
    // Without a sender nobody takes events any more, so the reader ends too if it had not come to the end.
    drop(sender);
    while let Some(line) = unsent.recv().await {
        tally.unsent(&line)?;
    }
    let read = reading.await.map_err(|error| Failure::new("the reader of the events ended badly", error))?;
    tally.done()?;
    match (gave_up, read) {
        (Some(error), _) => Err(error.into()),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(())) => tally.judge(),
    }
}

/// Tells what became of each event, and counts.
struct Tally {
    out: Out,
    meter: Meter,
    json: bool,
    outcomes: BTreeMap<&'static str, u64>,
    refusals: u64,
    total: u64,
}

impl Tally {
    fn new(json: bool) -> Self {
        Self { out: Out::new(), meter: Meter::new(), json, outcomes: BTreeMap::new(), refusals: 0, total: 0 }
    }

    fn receipted(&mut self, line: &lines::Line, receipt: &Receipt) -> Result<(), Failure> {
        let id = if line.id.is_empty() { &receipt.id } else { &line.id };
        let Receipt { outcome, position, code, reason, .. } = receipt;
        let report =
            Report { line: line.number, id, outcome: outcome.code(), position: *position, code, reason };
        self.count(&report, matches!(outcome, Outcome::Recorded | Outcome::Duplicate))
    }

    fn unsent(&mut self, line: &Unsent) -> Result<(), Failure> {
        let Unsent { line, id, reason } = line;
        self.count(&Report { line: *line, id, outcome: NOT_SENT, position: None, code: "", reason }, false)
    }

    fn count(&mut self, report: &Report<'_>, recorded: bool) -> Result<(), Failure> {
        *self.outcomes.entry(report.outcome).or_default() += 1;
        self.total += 1;
        if self.json {
            self.out.json(report)?;
        }
        if !recorded {
            self.refusals += 1;
            if !self.json && self.refusals <= REFUSALS_TOLD_MAX {
                let Report { line, id, outcome, reason, .. } = report;
                self.meter.done();
                self.out.line(format_args!(
                    "line {line}, event {}: {outcome}: {}",
                    plain(known(id)),
                    plain(reason)
                ))?;
            }
        }
        let Self { meter, total, refusals, .. } = self;
        meter.tell(|| format!("{total} events answered, {refusals} of them not recorded"));
        Ok(())
    }

    fn done(&mut self) -> Result<(), Failure> {
        self.meter.done();
        if !self.json {
            if self.refusals > REFUSALS_TOLD_MAX {
                let more = self.refusals - REFUSALS_TOLD_MAX;
                self.out.line(format_args!("… and {more} more; --json lists every one"))?;
            }
            let mut table = Table::new(&["outcome", ">events"]);
            for (outcome, events) in &self.outcomes {
                table.row([(*outcome).to_owned(), events.to_string()]);
            }
            table.row(["all".to_owned(), self.total.to_string()]);
            self.out.line(table)?;
        }
        self.out.flush()
    }

    fn judge(&self) -> Result<(), Failure> {
        if self.refusals == 0 {
            return Ok(());
        }
        let Self { refusals, total, .. } = self;
        Err(Failure::refused(format!("{refusals} of {total} events are not recorded; the output says why")))
    }
}

fn known(id: &str) -> &str {
    if id.is_empty() { "without id" } else { id }
}
