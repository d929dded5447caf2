//! `doorstroom watch`: the board and recorded events as they change, from the bus, as any subscriber sees them.
//!
//! After a lost connection it begins again by itself: the board is told anew, events go on where they were.
//! Not here: how the bus is read (`bus::inward`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use audit::Line;
use bus::Bus;
use bus::inward::{InwardError, Published, RowChange, Watched};
use bus::subjects::{LogSubject, RowKey};
use clap::{Parser, Subcommand};
use contracts::Received;
use domain::RegionId;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::node_file::{DataArg, NodeFile};
use crate::out::Out;

/// How long to wait before what was lost is asked for again: a restarted node takes about so long.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Arguments of `doorstroom watch`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The rows of the board as they are, then every change
    #[command(after_help = "Example:\n  doorstroom watch availability --region zk23\n\n\
        --json: {\"key\", \"row\"} per change, `row` null when it is gone; {\"again\": true} when the whole board follows anew.")]
    Availability(WatchArgs),
    /// Every event that is recorded from now on
    #[command(after_help = "Example:\n  doorstroom watch events --region zk23 --json\n\n\
        --json: the lines of `audit replay`.")]
    Events(WatchArgs),
}

#[derive(Debug, Parser)]
struct WatchArgs {
    #[command(flatten)]
    data: DataArg,
    /// The broker, instead of the one of the node on the data folder
    #[arg(long, value_name = "URL")]
    bus: Option<String>,
    /// The key of a user of the broker
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Only this region
    #[arg(long)]
    region: Option<RegionId>,
    /// A JSON line per change, for programs
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    crate::runtime()?.block_on(async {
        match &args.command {
            Command::Availability(args) => availability(&connect(args).await?, args).await,
            Command::Events(args) => events(&connect(args).await?, args).await,
        }
    })
}

async fn connect(args: &WatchArgs) -> Result<Bus, Failure> {
    let url = match &args.bus {
        Some(url) => url.clone(),
        None => NodeFile::read(&args.data.data)?.bus,
    };
    let config = bus::Config {
        server: bus::Server::plain(url),
        name: "doorstroom watch".to_owned(),
        login: args.creds.as_deref().map(bus::Login::from_file).transpose()?,
    };
    Ok(Bus::connect(config).await?)
}

async fn availability(bus: &Bus, args: &WatchArgs) -> Result<(), Failure> {
    let mut out = Out::new();
    let mut watched = bus.watch_rows(args.region.as_ref()).await?;
    if !args.json {
        out.line(ROW_HEADING)?;
    }
    loop {
        out.flush()?;
        match watched.next().await {
            Ok(change) if args.json => out.json(&change_json(&change))?,
            Ok(change) => out.line(change_text(&change))?,
            Err(lost) => {
                watched = again(&lost, async || bus.watch_rows(args.region.as_ref()).await).await;
                if args.json {
                    out.json(&json!({ "again": true }))?;
                }
            }
        }
    }
}

async fn events(bus: &Bus, args: &WatchArgs) -> Result<(), Failure> {
    let mut out = Out::new();
    let mut shown = Shown::default();
    let mut watched = bus.follow_events(args.region.as_ref(), false).await?;
    loop {
        out.flush()?;
        match watched.next().await {
            Ok(event) if !shown.is_new(&event) => {}
            Ok(event) if args.json => tell_json(&event, &mut out)?,
            Ok(event) => out.line(event_text(&event))?,
            Err(lost) => {
                let past = shown.first.is_some();
                watched = again(&lost, async || bus.follow_events(args.region.as_ref(), past).await).await;
            }
        }
    }
}

/// Asks again until it is given.
async fn again<T>(
    lost: &InwardError,
    begin: impl AsyncFn() -> Result<Watched<T>, InwardError>,
) -> Watched<T> {
    tracing::warn!("{lost}: trying again");
    loop {
        tokio::time::sleep(AGAIN_AFTER).await;
        match begin().await {
            Ok(watched) => return watched,
            Err(error) => tracing::debug!(%error, "not yet"),
        }
    }
}

/// Which events were shown: each once, although a watch that begins again is given earlier ones too.
#[derive(Debug, Default)]
struct Shown {
    /// The first position of all. What is below it was recorded before this watch began.
    first: Option<u64>,
    /// The last position per region: within one, events come in the order of their positions.
    last: BTreeMap<String, u64>,
}

impl Shown {
    fn is_new(&mut self, event: &Published) -> bool {
        let first = *self.first.get_or_insert(event.position);
        let region = event.subject.split('.').nth(1).unwrap_or_default();
        let new = self.last.get(region).map_or(event.position >= first, |last| event.position > *last);
        if new {
            self.last.insert(region.to_owned(), event.position);
        }
        new
    }
}

const ROW_HEADING: &str = "region   location                         type        offerable   also   held  not ready \
                           closed  occupied  physical  position";

fn change_text(change: &RowChange) -> String {
    let (region, location, care_type) = match change.key.parse() {
        Ok(RowKey::Location { region, location, care_type }) => {
            (region.to_string(), location.to_string(), care_type.raw().to_owned())
        }
        Ok(RowKey::Sum { region, care_type }) => {
            (region.to_string(), "(region)".to_owned(), care_type.raw().to_owned())
        }
        Err(_) => return format!("{} is a key of a newer node", change.key.escape_default()),
    };
    let start = format!("{region:<8} {location:<32} {:<11}", care_type.escape_default().to_string());
    let Some(row) = change.value.as_ref().and_then(|value| serde_json::from_slice::<Value>(value).ok())
    else {
        return format!("{start} gone");
    };
    let count = |name: &str| row.get(name).and_then(Value::as_u64).map_or("?".to_owned(), |n| n.to_string());
    format!(
        "{start} {:>9} {:>6} {:>6} {:>10} {:>6} {:>9} {:>9}  {:>8}",
        count("offerable"),
        count("also_offerable"),
        count("held"),
        count("not_ready"),
        count("closed"),
        count("occupied"),
        count("physical"),
        count("position")
    )
}

fn change_json(change: &RowChange) -> Value {
    let row = change.value.as_ref().and_then(|value| serde_json::from_slice::<Value>(value).ok());
    json!({ "key": change.key, "row": row })
}

fn received(event: &Published) -> Received {
    let headers = event.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Received::from_message(headers, event.payload.clone())
}

fn kind(event: &Published) -> String {
    let subject: Option<LogSubject> = event.subject.parse().ok();
    subject.map_or_else(String::new, |subject| subject.event.to_string())
}

fn event_text(event: &Published) -> String {
    let (region, about) = received(event).decode().map_or_else(
        |error| ("?".to_owned(), error.to_string()),
        |decoded| {
            let tags = contracts::tags(&decoded.event);
            let about = tags.iter().filter(|tag| !tag.starts_with("region:")).map(|tag| &**tag);
            (decoded.event.region.to_string(), about.collect::<Vec<_>>().join(" "))
        },
    );
    let Published { position, recorded_at, .. } = event;
    format!("{position:>9}  {recorded_at:<24}  {region:<8} {:<28} {about}", kind(event))
}

fn tell_json(event: &Published, out: &mut Out) -> Result<(), Failure> {
    let received = received(event);
    let kind = format!("nl.doorstroom.{}.v1", kind(event));
    let stored = (received.content_type(), &**received.bytes());
    out.json(&Line::new((event.position, &event.recorded_at), &event.key, &kind, stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(region: &str, position: u64) -> Published {
        Published {
            subject: format!("log.{region}.bed.freed"),
            position,
            recorded_at: String::new(),
            key: String::new(),
            headers: Vec::new(),
            payload: Vec::new().into(),
        }
    }

    #[test]
    fn an_event_is_shown_once_and_one_from_before_the_watch_never() {
        let mut shown = Shown::default();
        assert!(shown.is_new(&event("zk01", 10)));
        assert!(shown.is_new(&event("zk02", 12)));
        // Begun again: the broker tells what it still keeps.
        for (region, position, new) in [
            ("zk01", 9, false),
            ("zk01", 10, false),
            ("zk01", 11, true),
            ("zk02", 12, false),
            ("zk03", 8, false),
            ("zk03", 13, true),
        ] {
            assert_eq!(shown.is_new(&event(region, position)), new, "{region} {position}");
        }
    }

    #[test]
    fn a_row_of_the_board_is_one_line_and_one_that_vanished_says_so() {
        let key = "zk23.loc.zk23-de-linde.ELV_HC".to_owned();
        let value = Some(br#"{"offerable":3,"also_offerable":1,"held":0,"position":4711}"#[..].into());
        let text = change_text(&RowChange { key: key.clone(), value });
        assert!(text.starts_with("zk23     zk23-de-linde") && text.ends_with("4711"), "{text}");
        assert!(change_text(&RowChange { key, value: None }).ends_with("gone"));
    }
}
