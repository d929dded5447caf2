//! What machines ask: the board as JSON, now or as it was; health, readiness, metrics.
//!
//! Not here: pages (`pages`), what a refusal says (`guard`).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{RegionId, Timestamp};
use serde::{Deserialize, Serialize};
use views::{Availability, CareCode, Row};

use super::who;
use crate::Check;
use crate::guard::{Refusal, not_modified};
use crate::pages::care_code;
use crate::server::Portal;
use crate::site::visit;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    region: Option<String>,
    care_type: Option<String>,
    as_of: Option<String>,
}

/// The board, as `doorstroom board --json` prints it.
#[derive(Debug, Serialize)]
struct Board {
    position: u64,
    recorded_at: String,
    contradictions: u64,
    rows: Vec<Row>,
}

/// What of the board is wanted.
struct Part {
    region: Option<RegionId>,
    care_type: Option<CareCode>,
}

impl Part {
    fn of(&self, view: &Availability) -> Board {
        let wanted = |row: &Row| self.care_type.is_none_or(|code| row.care_type == code);
        let rows = match &self.region {
            Some(region) => view.rows_of(region).filter(wanted).collect(),
            None => view.rows().filter(wanted).collect(),
        };
        Board {
            position: view.position(),
            recorded_at: view.recorded_at().to_string(),
            contradictions: view.contradictions(),
            rows,
        }
    }
}

/// `GET /api/v1/availability?region=&care_type=&as_of=`.
pub(crate) async fn availability(
    State(portal): State<Arc<Portal>>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Query(asked) = asked.map_err(|_| Refusal::UnknownParameter)?;
    let region = match asked.region.as_deref() {
        None | Some("") => None,
        Some(code) => {
            let id = RegionId::try_from(code).map_err(|_| Refusal::BadRegion)?;
            portal.app.network.region(&id).ok_or(Refusal::UnknownRegion)?;
            Some(id)
        }
    };
    let part = Part { region, care_type: care_code(asked.care_type.as_deref())? };
    let board = match asked.as_of.as_deref() {
        None | Some("") => portal.app.availability.read(|view| part.of(view)),
        Some(moment) => past(&portal, moment, part, &headers).await?,
    };
    let etag = format!("\"{}\"", board.position);
    let head = [(header::ETAG, &*etag), (header::CACHE_CONTROL, "no-cache")];
    if not_modified(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, head).into_response());
    }
    Ok((head, Json(board)).into_response())
}

/// The board as it was at a position or a moment.
async fn past(portal: &Portal, moment: &str, part: Part, headers: &HeaderMap) -> Result<Board, Refusal> {
    let moment = Moment::read(moment).ok_or(Refusal::BadAsOf)?;
    let caller = who::caller(portal, headers).ok().map(|caller| caller.source.to_string());
    let known = caller
        .or_else(|| visit::signed(portal, headers, false).map(|signed| signed.principal.source.to_string()));
    let permit = portal.places.past(known.as_deref()).await?;
    let reader = portal.app.reader.clone();
    let unreadable = |error: &dyn core::fmt::Display| {
        tracing::error!(%error, "the board of the past could not be reckoned");
        Refusal::Unreadable
    };
    let reckoned = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let until = match moment {
            Moment::Position(position) if position > reader.head().position => {
                return Err(Refusal::AsOfAhead);
            }
            Moment::Position(position) => position,
            Moment::Time(at) => reader.at_time(at.as_micros()).map_err(|error| unreadable(&error))?,
        };
        let view = projector::as_of::<Availability>(&reader, until).map_err(|error| unreadable(&error))?;
        Ok(part.of(&view))
    });
    reckoned.await.map_err(|error| unreadable(&error))?
}

enum Moment {
    Position(u64),
    Time(Timestamp),
}

impl Moment {
    fn read(text: &str) -> Option<Self> {
        text.parse().map(Self::Position).or_else(|_| text.parse().map(Self::Time)).ok()
    }
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: every check with its answer; 503 unless all hold.
pub(crate) async fn readyz(State(portal): State<Arc<Portal>>) -> Response {
    let mut checks = portal.app.checks.readiness();
    checks.push(desk_follows(&portal));
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": ready, "checks": checks }))).into_response()
}

/// Whether the desk has caught up with the log: until it has, nobody is answered from it.
fn desk_follows(portal: &Portal) -> Check {
    let standing = *portal.app.desk.state().standing().borrow();
    follows(standing.live, standing.position, portal.app.reader.head().position)
}

fn follows(live: bool, position: u64, head: u64) -> Check {
    let detail = if live {
        format!("it follows the log, at position {position}")
    } else {
        format!("it reads the log, at position {position} of {head}; answers wait for it")
    };
    Check { name: "desk".to_owned(), ok: live, detail }
}

/// `GET /metrics`, in the `OpenMetrics` text format.
pub(crate) async fn metrics(State(portal): State<Arc<Portal>>) -> Response {
    let media_type = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    (media_type, (portal.app.metrics)()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_that_still_reads_the_log_is_not_ready_and_says_how_far_it_is() {
        let check = follows(false, 70, 1_000);
        assert!(!check.ok && check.detail.contains("position 70 of 1000"), "{check:?}");
        assert!(follows(true, 1_000, 1_000).ok);
    }
}
