//! One event as it is recorded: who said what when, its place in the log, and the proof that it is there.
//!
//! Nothing sealed is opened. Not here: making and checking proofs (`eventlog`, `doorstroom audit`).

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::access::Action;
use domain::desk::State as DeskState;
use domain::{LocationId, Recorded, ReferralId, RegionId, Timestamp};
use eventlog::Record;
use serde_json::Value;

use super::lookback::{happened, is_late, look_back, short};
use super::visit::{NotShown, Visit};
use super::words::teller;
use crate::api::problem::Problem;
use crate::api::questions::Look;
use crate::api::scope::Subject;
use crate::pages::{self, Page};
use crate::server::Portal;
use crate::text;
use crate::words::Lang;

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    p: Page,
    position: u64,
    head: u64,
    kind: String,
    /// Its code.
    code: String,
    /// Who it was, in words; `None` where no source can have this name.
    source: Option<String>,
    urn: String,
    recorded: String,
    recorded_at: String,
    occurred: String,
    occurred_at: String,
    late: bool,
    id: Option<String>,
    tags: Vec<Tag>,
    /// The content as JSON; none where the record is no event.
    data: Option<String>,
    leaf: String,
    /// The head of the log that was signed can prove it.
    provable: bool,
    /// What the proof is checked with.
    key: Option<String>,
}

/// What an event is about, and where that can be looked at.
struct Tag {
    text: String,
    /// As the log has it.
    code: String,
    link: Option<String>,
}

/// What was found at a position.
struct Found {
    record: Record,
    event: Option<Recorded>,
    head: u64,
    provable: bool,
}

/// `GET /audit/gebeurtenis/{position}`.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    Path(position): Path<String>,
) -> Result<Response, NotShown> {
    let found = find(&portal, &visit, &position).await?;
    let Found { record, event, head, provable } = found;
    let (now, lang) = ((portal.app.now)(), visit.lang);
    let (recorded_at, occurred_at) =
        (Timestamp::from_micros(record.recorded_at), Timestamp::from_micros(record.occurred_at));
    let page = EventPage {
        position: record.position,
        head,
        kind: happened(&record.kind, lang),
        code: short(&record.kind),
        source: record.source.parse().map(|source| teller(&portal.app.registry.borrow(), &source, lang)).ok(),
        urn: text::shown(&record.source),
        recorded: text::clock_seconds(recorded_at, now, lang),
        recorded_at: recorded_at.to_string(),
        occurred: text::clock_seconds(occurred_at, now, lang),
        occurred_at: occurred_at.to_string(),
        late: is_late(occurred_at, recorded_at),
        id: event.as_ref().map(|recorded| recorded.event.id.to_string()),
        tags: tags(&portal, &record, lang),
        data: event.as_ref().map(|recorded| readable(&contracts::encode_json(&recorded.event))),
        leaf: hex(&record.leaf),
        provable,
        key: portal.app.log_key.clone(),
        p: Page::of(visit, "audit-event"),
    };
    Ok(pages::page(StatusCode::OK, &page))
}

/// `GET /audit/gebeurtenis/{position}/bewijs`: the proof that it is in the log, as a `tlog-proof` file.
pub(crate) async fn proof(
    State(portal): State<Arc<Portal>>,
    visit: Visit,
    Path(position): Path<String>,
) -> Result<Response, NotShown> {
    let found = find(&portal, &visit, &position).await?;
    let (reader, position) = (portal.app.reader.clone(), found.record.position);
    let made = tokio::task::spawn_blocking(move || reader.proof_file(position)).await;
    let file = match made {
        Ok(Ok(file)) => file.to_string(),
        Ok(Err(error)) => {
            tracing::info!(%error, position, "no proof could be made for a page");
            return Err(visit.no(Problem::NotThere));
        }
        Err(_) => return Err(visit.no(Problem::Away)),
    };
    let named = format!("attachment; filename=\"positie-{position}.tlog-proof\"");
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, named),
    ];
    Ok((head, file).into_response())
}

/// `GET /audit/log.vkey`: what proofs of this log are checked with, as the file that `doorstroom audit check` takes. It is the node's
/// own word: whoever trusts nobody compares it with what was handed over otherwise.
pub(crate) async fn key(State(portal): State<Arc<Portal>>, visit: Visit) -> Result<Response, NotShown> {
    look_back(&portal, &visit)?;
    let key = portal.app.log_key.as_ref().ok_or_else(|| visit.no(Problem::NotThere))?;
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"log.vkey\""),
    ];
    Ok((head, format!("{key}\n")).into_response())
}

/// What is at a position, for whoever may look back at what it is about.
async fn find(portal: &Portal, visit: &Visit, position: &str) -> Result<Found, NotShown> {
    let look = look_back(portal, visit)?;
    let position: u64 = position.parse().map_err(|_| visit.no(Problem::NotThere))?;
    let reader = portal.app.reader.clone();
    let read = tokio::task::spawn_blocking(move || {
        let record = reader.record(position).map_err(|error| {
            tracing::error!(%error, position, "a record could not be read for a page");
            Problem::Away
        })?;
        let record = record.ok_or(Problem::NotThere)?;
        let provable = match reader.signed_heads() {
            Ok(heads) => heads.iter().any(|head| head.tree().size >= position),
            Err(_) => false,
        };
        let event = contracts::recorded(
            record.position,
            record.recorded_at,
            &record.content_type,
            record.bytes.clone(),
        );
        Ok(Found { record, event: event.ok(), head: reader.head().position, provable })
    });
    let found = read.await.map_err(|_| visit.no(Problem::Away))?.map_err(|no: Problem| visit.no(no))?;
    permitted(&look, &found).map_err(|no| visit.no(no))?;
    Ok(found)
}

/// Whether this principal may look back at it.
fn permitted(look: &Look<'_>, found: &Found) -> Result<(), Problem> {
    look.at(LOOK_BACK, |state| about(state, &found.record, look.now), |_| Ok(())).map(|_| ())
}

/// What looking back at an event is for the authorisation.
pub(super) const LOOK_BACK: Action = Action::Timeline;

/// What a record is about: the referral it names, else its region; nothing for one of neither.
pub(super) fn about(state: &DeskState, record: &Record, now: Timestamp) -> Option<Subject> {
    let tagged = |name: &str| record.tags.iter().find_map(|tag| tag.strip_prefix(name));
    let referral = tagged("referral:").and_then(|id| id.parse().ok());
    let region = tagged("region:").and_then(|code| RegionId::try_from(code).ok());
    subject(state, region.as_ref(), referral, now)
}

/// What an event is about, as looking back at it is asked for.
pub(super) fn subject(
    state: &DeskState,
    region: Option<&RegionId>,
    referral: Option<ReferralId>,
    now: Timestamp,
) -> Option<Subject> {
    let of_referral = referral.and_then(|referral| Subject::referral(state, referral, now));
    of_referral.or_else(|| Some(Subject::region(state, region?, now)))
}

/// What an event is about, in words: names where there are some.
fn tags(portal: &Portal, record: &Record, lang: Lang) -> Vec<Tag> {
    let network = portal.app.registry.borrow().clone();
    portal.app.desk.state().read(|state| {
        let name = |kind: &str, id: &str| match kind {
            "region" => network.region(&RegionId::try_from(id).ok()?).map(|region| region.name.to_string()),
            "location" => state
                .board
                .location(&LocationId::try_from(id).ok()?)
                .map(|card| text::called(&card.name, &card.location)),
            "bed" => {
                let (location, bed) = id.split_once('/')?;
                let card = state.board.location(&LocationId::try_from(location).ok()?)?;
                Some(format!("{bed}, {}", text::called(&card.name, &card.location)))
            }
            _ => None,
        };
        let tag = |tag: &str| {
            let Some((kind, id)) = tag.split_once(':') else { return shown(tag, tag, record.position) };
            let word = crate::messages::word(lang, "about", kind).unwrap_or(kind);
            let named = name(kind, id).unwrap_or_else(|| id.to_owned());
            shown(tag, &format!("{word} {named}"), record.position)
        };
        record.tags.iter().map(|one| tag(one)).collect()
    })
}

fn shown(tag: &str, said: &str, position: u64) -> Tag {
    let link = match tag.split_once(':') {
        Some(("region", region)) => Some(format!("/audit?regio={region}&positie={position}")),
        Some(("referral", referral)) => Some(format!("/audit?aanmelding={referral}&positie={position}")),
        Some(_) | None => None,
    };
    Tag { text: text::shown(said), code: text::shown(tag), link }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// An event as JSON for a person. What is sealed stays sealed, and its ciphertext says nothing to anybody: it is left out.
fn readable(json: &[u8]) -> String {
    let Ok(mut value) = serde_json::from_slice::<Value>(json) else { return String::new() };
    if let Some(text) = value.pointer_mut("/data/sealed/ciphertext") {
        let length = text.as_str().map_or(0, str::len);
        *text = Value::from(format!("… ({length})"));
    }
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_not_shown_and_everything_else_is() {
        let json = br#"{"type":"x","data":{"sealed":{"scheme":"a","key":"k","nonce":"n","ciphertext":"AAAABBBB"},"count":3}}"#;
        let text = readable(json);
        assert!(
            !text.contains("AAAABBBB") && text.contains("… (8)") && text.contains("\"count\": 3"),
            "{text}"
        );
    }
}
