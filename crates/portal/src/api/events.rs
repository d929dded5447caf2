//! What is recorded in a region, as it is recorded: server-sent events, each with its position as id, so that a reader
//! that comes back (`Last-Event-ID`) misses none.
//!
//! An event says what happened to what, by its tags; what it says beyond that is asked for. Not here: the live pages
//! (`live`).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use domain::access::Action;
use domain::{RegionId, Timestamp};
use eventlog::{Query, QueryItem, Record, Subscription};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::{PartialSchema as _, openapi::Required};

use super::acting::RawParts;
use super::problem::{Problem, language};
use super::router::Api;
use super::scope::Subject;
use super::who;
use crate::places::Place;
use crate::server::Portal;

/// How often a silent stream says that it lives.
const BEAT: Duration = Duration::from_secs(5);
/// How often a reader's token is looked at again: who is shut out hears nothing more a minute later at most.
const CHECK_AGAIN: Duration = Duration::from_secs(30);
/// Where it is.
const PATH: &str = "/regions/{region}/events";

/// Adds the stream.
pub(crate) fn register(api: Api) -> Api {
    let last = ParameterBuilder::new()
        .name("Last-Event-ID")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The position after which to go on; otherwise from now on."))
        .schema(Some(u64::schema()));
    let operation = OperationBuilder::new()
        .operation_id(Some("events"))
        .summary(Some("What is recorded in a region, as it is recorded."))
        .parameter(last);
    api.stream(PATH, operation, axum::routing::get(serve))
}

/// What a reader is told of one record.
#[derive(Serialize)]
struct Told<'a> {
    position: u64,
    recorded_at: String,
    occurred_at: String,
    r#type: &'a str,
    source: &'a str,
    tags: &'a [Box<str>],
}

async fn serve(State(portal): State<Arc<Portal>>, parts: Option<RawParts>, headers: HeaderMap) -> Response {
    match start(portal, parts, &headers) {
        Ok(follower) => {
            let events = futures::stream::unfold(follower, |mut follower| async move {
                let event = follower.next().await?;
                Some((Ok::<_, Infallible>(event), follower))
            });
            Sse::new(events).keep_alive(KeepAlive::new().interval(BEAT)).into_response()
        }
        Err(problem) => problem.answer(language(&headers)),
    }
}

fn start(portal: Arc<Portal>, parts: Option<RawParts>, headers: &HeaderMap) -> Result<Follower, Problem> {
    let reader = who::caller(&portal, headers)?;
    who::check_role(&reader, Action::Events)?;
    let RawParts(parts) = parts.ok_or(Problem::NotThere)?;
    let region: RegionId = parts.read("region")?;
    portal.app.network.region(&region).ok_or(Problem::NotThere)?;
    permitted(&portal, headers, &region)?;
    let head = portal.app.reader.head().position;
    let after = match headers.get("last-event-id") {
        None => head,
        Some(id) => {
            let id = id.to_str().ok().and_then(|text| text.parse().ok());
            let id: u64 = id.ok_or(Problem::BadParameter("last-event-id"))?;
            if id > head {
                return Err(Problem::Ahead);
            }
            id
        }
    };
    let place = portal.places.known(reader.source.as_str())?;
    let items = vec![QueryItem { types: Vec::new(), tags: vec![format!("region:{region}").into()] }];
    let mut check = tokio::time::interval(CHECK_AGAIN);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(Follower {
        subscription: portal.app.reader.subscribe(Query { items, after, ..Query::default() }),
        closing: portal.closing.clone(),
        headers: headers.clone(),
        region,
        check,
        portal,
        _place: place,
    })
}

fn permitted(portal: &Portal, headers: &HeaderMap, region: &RegionId) -> Result<(), Problem> {
    let principal = who::caller(portal, headers)?;
    let desk = &portal.app.desk;
    let subject = desk.state().read(|state| Subject::region(state, region, desk.now()));
    who::check(&principal, Action::Events, &subject.about)
}

/// One reader.
struct Follower {
    portal: Arc<Portal>,
    subscription: Subscription,
    closing: watch::Receiver<bool>,
    headers: HeaderMap,
    region: RegionId,
    check: Interval,
    _place: Place,
}

impl Follower {
    /// The next event for this reader; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                biased;
                _ = self.closing.wait_for(|closing| *closing) => return None,
                _ = self.check.tick() => permitted(&self.portal, &self.headers, &self.region).ok()?,
                record = self.subscription.next() => {
                    let record = record.inspect_err(|error| {
                        tracing::error!(%error, "the log could not be read for a reader of events");
                    });
                    return told(&record.ok()?);
                }
            }
        }
    }
}

fn told(record: &Record) -> Option<Event> {
    let moment = |micros: i64| Timestamp::from_micros(micros).to_string();
    let told = Told {
        position: record.position,
        recorded_at: moment(record.recorded_at),
        occurred_at: moment(record.occurred_at),
        r#type: &record.kind,
        source: &record.source,
        tags: &record.tags,
    };
    Event::default().id(record.position.to_string()).event("recorded").json_data(told).ok()
}
