//! `doorstroom watch`: the board and recorded events as they change, from the bus, as any subscriber sees them.
//!
//! After a lost connection it begins again by itself: the board is told anew, events go on where they were.
//! Not here: how the bus is read (`bus::inward`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use audit::Line;
use bus::Bus;
use bus::inward::{InwardError, Published, RowChange, Watched};
use bus::subjects::{LogSubject, RowKey};
use clap::{Parser, Subcommand};
use contracts::Received;
use domain::{RegionId, plain};
use network::CentreId;
use serde_json::{Value, json};

use crate::access::AccessArg;
use crate::failure::Failure;
use crate::node_file::DataArg;
use crate::out::Out;

/// How long to wait before what was lost is asked for again: a restarted node takes about so long.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How often it is asked for at the begin: a node that is starting, or a machine that stood still, does not answer once.
const BEGIN_TRIES_MAX: u32 = 3;

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
    /// What coordination centres are told at once: raised and cleared, what the broker keeps and then as it comes
    #[command(after_help = "Example:\n  doorstroom watch alerts --centre midden-nl\n\n\
        The alarms of the node itself are those of the centre `core`.\n\
        --json: the CloudEvents as they were published, one a line.")]
    Alerts(AlertArgs),
}

#[derive(Debug, Parser)]
struct AlertArgs {
    #[command(flatten)]
    watch: BusArgs,
    /// Only this centre
    #[arg(long, value_name = "CODE")]
    centre: Option<CentreId>,
}

#[derive(Debug, Parser)]
struct WatchArgs {
    #[command(flatten)]
    watch: BusArgs,
    /// Only this region
    #[arg(long)]
    region: Option<RegionId>,
}

#[derive(Debug, Parser)]
struct BusArgs {
    #[command(flatten)]
    data: DataArg,
    #[command(flatten)]
    access: AccessArg,
    /// A JSON line per change, for programs
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    crate::runtime()?.block_on(async {
        match &args.command {
            Command::Availability(args) => {
                availability(&connect(&args.watch, args.region.as_ref()).await?, args).await
            }
            Command::Events(args) => events(&connect(&args.watch, args.region.as_ref()).await?, args).await,
            Command::Alerts(args) => alerts(&connect(&args.watch, None).await?, args).await,
        }
    })
}

async fn connect(args: &BusArgs, region: Option<&RegionId>) -> Result<Bus, Failure> {
    let access = args.access.resolve(&args.data.data)?;
    access.check_region(region)?;
    access.connect("doorstroom watch").await
}

/// What the broker gives, or its word that this user may not have it: then no answer comes.
async fn given<T>(bus: &Bus, ask: impl AsyncFn() -> Result<T, InwardError>) -> Result<T, Failure> {
    let mut denials = bus.denials();
    let mut tries = 1;
    loop {
        let answer = tokio::select! {
            answer = ask() => answer,
            Ok(denial) = denials.recv() => return Err(Failure::refused(format!(
                "the broker does not give this to whoever has this key ({denial}); a centre's key sees its regions and its alerts"
            ))),
        };
        match answer {
            Ok(given) => return Ok(given),
            Err(error) if tries < BEGIN_TRIES_MAX => tracing::debug!(%error, tries, "not yet"),
            Err(error) => return Err(Failure::refused(Failure::from(error).to_string())),
        }
        tries += 1;
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn availability(bus: &Bus, args: &WatchArgs) -> Result<(), Failure> {
    let mut out = Out::new();
    let mut watched = given(bus, async || bus.watch_rows(args.region.as_ref()).await).await?;
    if !args.watch.json {
        out.line(ROW_HEADING)?;
    }
    loop {
        out.flush()?;
        match watched.next().await {
            Ok(change) if args.watch.json => out.json(&change_json(&change))?,
            Ok(change) => out.line(change_text(&change))?,
            Err(lost) => {
                watched = again(&lost, async || bus.watch_rows(args.region.as_ref()).await).await;
                if args.watch.json {
                    out.json(&json!({ "again": true }))?;
                }
            }
        }
    }
}

async fn events(bus: &Bus, args: &WatchArgs) -> Result<(), Failure> {
    let mut out = Out::new();
    let mut shown = Shown { last: given(bus, async || bus.last_events(args.region.as_ref()).await).await? };
    let mut watched = given(bus, async || bus.follow_events(args.region.as_ref(), false).await).await?;
    loop {
        out.flush()?;
        match watched.next().await {
            Ok(event) if !shown.is_new(&event) => {}
            Ok(event) if args.watch.json => tell_json(&event, &mut out)?,
            Ok(event) => out.line(event_text(&event))?,
            Err(lost) => {
                watched = again(&lost, async || bus.follow_events(args.region.as_ref(), true).await).await;
            }
        }
    }
}

async fn alerts(bus: &Bus, args: &AlertArgs) -> Result<(), Failure> {
    let mut out = Out::new();
    let mut told = Told::default();
    let centre = args.centre.as_ref().map(CentreId::as_str);
    let mut watched = given(bus, async || bus.watch_alerts(centre).await).await?;
    if !args.watch.json {
        out.line(ALERT_HEADING)?;
    }
    loop {
        out.flush()?;
        match watched.next().await {
            Ok(message) => match serde_json::from_slice::<Value>(&message.payload) {
                Ok(event) if !told.is_new(&event) => {}
                Ok(event) if args.watch.json => out.json(&event)?,
                Ok(event) => out.line(alert_text(&event))?,
                Err(error) => tracing::warn!(subject = message.subject, %error, "no CloudEvent in JSON"),
            },
            Err(lost) => watched = again(&lost, async || bus.watch_alerts(centre).await).await,
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
    /// The last position per region, at the begin the last before this watch: within a region, events come in the order
    /// of their positions.
    last: BTreeMap<String, u64>,
}

impl Shown {
    fn is_new(&mut self, event: &Published) -> bool {
        let region = event.subject.split('.').nth(1).unwrap_or_default();
        let new = self.last.get(region).is_none_or(|last| event.position > *last);
        if new {
            self.last.insert(region.to_owned(), event.position);
        }
        new
    }
}

/// Ids that are remembered: more than the broker keeps of one centre.
const TOLD_MAX: usize = 50_000;

/// Which alerts were shown: each once, although a watch that begins again is given earlier ones too.
#[derive(Debug, Default)]
struct Told {
    ids: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Told {
    fn is_new(&mut self, event: &Value) -> bool {
        let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
        let new = self.ids.insert(id.to_owned());
        if new {
            self.order.push_back(id.to_owned());
            if self.order.len() > TOLD_MAX {
                self.order.pop_front().map(|oldest| self.ids.remove(&oldest));
            }
        }
        new
    }
}

const ALERT_HEADING: &str = "time                      what     centre           kind             region   about                                 since or why";

/// One line of an alert or an alarm.
fn alert_text(event: &Value) -> String {
    let data = event.get("data");
    let text = |name: &str| {
        let value = data.and_then(|data| data.get(name));
        let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        text.filter(|text| text != "null").map(|text| plain(&text)).unwrap_or_default()
    };
    let first = |names: &[&str]| names.iter().map(|name| text(name)).find(|text| !text.is_empty());
    let time = event.get("time").and_then(Value::as_str).unwrap_or_default();
    let is = event.get("type").and_then(Value::as_str).unwrap_or_default();
    let what = match is.strip_prefix("nl.doorstroom.") {
        Some("alert.raised.v1") => "raised",
        Some("alert.cleared.v1") => "cleared",
        Some("alarm.raised.v1") if text("security") == "true" => "SECURITY",
        Some("alarm.raised.v1") => "alarm",
        Some(_) | None => "?",
    };
    let centre = first(&["centre"]).unwrap_or_else(|| "core".to_owned());
    let kind = first(&["kind", "code"]).unwrap_or_default();
    let about = first(&["location", "referral", "care_type", "sender"]).unwrap_or_default();
    let offerable = first(&["offerable"]).map(|count| format!("{count} of {} offerable", text("below")));
    let ended = first(&["by"]).map(|by| format!("since {}, ended by {by}", text("since")));
    let waits = first(&["waits_since", "last_word"]);
    let since = offerable.or(ended).or(waits.map(|since| format!("since {since}")));
    let why = since.or_else(|| first(&["detail"])).unwrap_or_default();
    let time = plain(time);
    format!("{time:<24}  {what:<8} {centre:<16} {kind:<16} {:<8} {about:<37} {why}", text("region"))
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
        let before = [("zk01", 7), ("zk02", 8), ("zk03", 9)];
        let mut shown = Shown { last: before.map(|(region, position)| (region.to_owned(), position)).into() };
        // Those of another region may come later and have been recorded before.
        assert!(shown.is_new(&event("zk02", 12)));
        assert!(shown.is_new(&event("zk01", 10)));
        // Begun again: the broker tells what it still keeps.
        for (region, position, new) in [
            ("zk01", 9, false),
            ("zk01", 10, false),
            ("zk01", 11, true),
            ("zk02", 12, false),
            ("zk03", 8, false),
            ("zk03", 13, true),
            // Nothing of it was there before.
            ("zk04", 3, true),
        ] {
            assert_eq!(shown.is_new(&event(region, position)), new, "{region} {position}");
        }
    }

    #[test]
    fn an_alert_is_one_line_and_shown_once() {
        let data = json!({
            "alert": "ab", "centre": "midden-nl", "kind": "offerable-below", "region": "zk23",
            "care_type": "ELV_HC", "below": 3, "offerable": 2, "since": "2026-03-02T09:14:03.120Z",
        });
        let event = json!({
            "id": "ab-raised", "type": "nl.doorstroom.alert.raised.v1", "time": "2026-03-02T09:14:03.120Z", "data": data,
        });
        let mut told = Told::default();
        assert_eq!((told.is_new(&event), told.is_new(&event)), (true, false));
        let text = alert_text(&event);
        assert!(
            text.contains("raised   midden-nl")
                && text.contains("zk23")
                && text.ends_with("2 of 3 offerable"),
            "{text}"
        );
        let alarm = json!({
            "id": "1", "type": "nl.doorstroom.alarm.raised.v1", "time": "2026-03-02T09:14:03.120Z",
            "data": {"code": "bad_signature", "security": true, "detail": "look\u{1b}[2J", "region": null},
        });
        let text = alert_text(&alarm);
        assert!(text.contains("SECURITY core") && text.ends_with("look\u{fffd}[2J"), "{text}");
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
