//! Telling a page that something changed: server-sent events with a position and nothing else, at most four a second, so that
//! the page fetches what it may see itself. That something happened is for who may look at that page, and nobody else.
//!
//! Not here: the board's own feed, which sends the numbers (`live`).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use domain::access::Action;
use domain::desk::State as DeskState;
use domain::{LocationId, ReferralId, RegionId};
use eventlog::{QUERY_ITEMS_MAX, Query, QueryItem, Subscription};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use super::visit::{Visit, signed};
use crate::api::problem::Problem;
use crate::api::scope::Subject;
use crate::api::who;
use crate::live::{APART, BEAT};
use crate::places::Place;
use crate::server::Portal;
use crate::text;

/// How many beats pass before it is looked again whether somebody is still signed in and may know: within half a minute.
const BEATS_BETWEEN_CHECKS: u32 = 6;

/// What changes a stay without naming its place: a page of a location is told of these over the whole region.
const STAYS_ALONE: [&str; 8] = [
    "stay.discharge-planned",
    "stay.discharge-plan-withdrawn",
    "stay.waiting-for",
    "stay.plan-set",
    "stay.triage-reviewed",
    "stay.funding-switched",
    "stay.admission-cancelled",
    "stay.discharge-cancelled",
];

/// What a page follows.
#[derive(Clone, Debug)]
enum Feed {
    Region(RegionId),
    Location(LocationId),
    Referral(ReferralId),
    Centre(String),
}

impl Feed {
    /// What happened there, for whoever may know that something did: who may look at the page that follows it.
    fn items(&self, portal: &Portal, visit: &Visit) -> Result<Vec<QueryItem>, Problem> {
        let principal = &visit.signed.as_ref().ok_or(Problem::Unknown)?.principal;
        let asks = |action: Action, about: &dyn Fn(&DeskState) -> Option<Subject>| {
            who::check_role(principal, action)?;
            let subject = portal.app.desk.state().read(about).ok_or(Problem::NotThere)?;
            who::check(principal, action, &subject.about)
        };
        match self {
            Self::Region(region) => {
                portal.app.network.region(region).ok_or(Problem::NotThere)?;
                asks(Action::Events, &|state| Some(Subject::region(state, region, visit.now)))?;
                Ok(vec![tagged(format!("region:{region}"))])
            }
            Self::Location(location) => {
                asks(Action::Beds, &|state| Subject::location(state, location, visit.now))?;
                let own = tagged(format!("location:{location}"));
                let region = portal.app.desk.state().read(|state| {
                    state.board.last_heard(location).map(|(region, _)| format!("region:{region}").into())
                });
                let stays = region.map(|region| QueryItem {
                    types: STAYS_ALONE.map(|kind| contracts::event_type_of(kind).into()).into(),
                    tags: vec![region],
                });
                Ok(core::iter::once(own).chain(stays).collect())
            }
            Self::Referral(referral) => {
                asks(Action::Timeline, &|state| Subject::referral(state, *referral, visit.now))?;
                Ok(vec![tagged(format!("referral:{referral}"))])
            }
            Self::Centre(code) => {
                let regions = super::centre::regions_of(portal, visit, code);
                if regions.is_empty() {
                    return Err(Problem::NotThere);
                }
                let items = regions.iter().take(QUERY_ITEMS_MAX);
                Ok(items.map(|region| tagged(format!("region:{region}"))).collect())
            }
        }
    }
}

/// `GET /volgen/r/{region}`: that something of a region changed.
pub(crate) async fn region(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
    headers: HeaderMap,
) -> Response {
    follow(portal, visit, headers, RegionId::try_from(&*code).ok().map(Feed::Region))
}

/// `GET /volgen/l/{location}`: that something of a location changed.
pub(crate) async fn location(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
    headers: HeaderMap,
) -> Response {
    follow(portal, visit, headers, LocationId::try_from(&*code).ok().map(Feed::Location))
}

/// `GET /volgen/a/{referral}`: that something of a referral changed.
pub(crate) async fn referral(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
    headers: HeaderMap,
) -> Response {
    follow(portal, visit, headers, code.parse().ok().map(Feed::Referral))
}

/// `GET /volgen/c/{centre}`: that something of one of a centre's regions changed.
pub(crate) async fn centre(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    visit: Visit,
    headers: HeaderMap,
) -> Response {
    follow(portal, visit, headers, Some(Feed::Centre(code)))
}

fn tagged(tag: String) -> QueryItem {
    QueryItem { types: Vec::new(), tags: vec![tag.into()] }
}

fn follow(portal: Arc<Portal>, visit: Visit, headers: HeaderMap, feed: Option<Feed>) -> Response {
    let Some(person) = &visit.signed else { return Problem::Unknown.answer(visit.lang) };
    let permitted = feed.ok_or(Problem::NotThere).and_then(|feed| Ok((feed.items(&portal, &visit)?, feed)));
    let (items, feed) = match permitted {
        Ok(permitted) => permitted,
        Err(problem) => return problem.answer(visit.lang),
    };
    let place = match portal.places.known(&person.name) {
        Ok(place) => place,
        Err(busy) => return Problem::from(busy).answer(visit.lang),
    };
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let head = portal.app.reader.head().position;
    let after = resumed.or(visit.after).map_or(head, |position: u64| position.min(head));
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower {
        subscription: portal.app.reader.subscribe(Query { items: items.clone(), after, ..Query::default() }),
        closing: portal.closing.clone(),
        visit,
        feed,
        items,
        headers,
        beat,
        beats: 0,
        portal,
        _place: place,
    };
    let events = futures::stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Sse::new(events).into_response()
}

/// One page that follows.
struct Follower {
    portal: Arc<Portal>,
    subscription: Subscription,
    closing: watch::Receiver<bool>,
    headers: HeaderMap,
    visit: Visit,
    feed: Feed,
    items: Vec<QueryItem>,
    beat: Interval,
    beats: u32,
    _place: Place,
}

#[derive(Serialize)]
struct Told {
    position: u64,
    heard: String,
    /// The same with its day, for paper.
    made: String,
    now: i64,
    ok: bool,
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        enum Came {
            Beat,
            Record(u64),
        }
        let came = tokio::select! {
            biased;
            _ = self.closing.wait_for(|closing| *closing) => return None,
            _ = self.beat.tick() => Came::Beat,
            record = self.subscription.next() => Came::Record(record.ok()?.position),
        };
        match came {
            Came::Beat => {
                self.beats = self.beats.wrapping_add(1);
                let due = self.beats.is_multiple_of(BEATS_BETWEEN_CHECKS);
                if due && !self.still_may() {
                    return None;
                }
                let standing = self.portal.app.desk.state().standing();
                let position = standing.borrow().position;
                self.told("beat", position)
            }
            Came::Record(mut position) => {
                // What comes within a moment comes as one.
                let end = tokio::time::Instant::now() + APART;
                while let Ok(record) = tokio::time::timeout_at(end, self.subscription.next()).await {
                    position = record.ok()?.position;
                }
                self.told("changed", position)
            }
        }
    }

    /// Whether whoever follows is still signed in, and may know of all of this.
    fn still_may(&mut self) -> bool {
        self.visit.signed = signed(&self.portal, &self.headers, false);
        self.visit.now = self.portal.app.desk.now();
        self.feed.items(&self.portal, &self.visit).is_ok_and(|items| items == self.items)
    }

    fn told(&self, kind: &str, position: u64) -> Option<Event> {
        let now = (self.portal.app.now)();
        let told = Told {
            position,
            heard: text::clock_seconds(now, now, self.visit.lang),
            made: text::dated(now, self.visit.lang),
            now: now.as_micros() / 1_000,
            ok: self.portal.app.checks.readiness().iter().all(|check| check.ok),
        };
        let event = Event::default().event(kind).retry(Duration::from_secs(1));
        let event = if kind == "changed" { event.id(position.to_string()) } else { event };
        event.json_data(told).ok()
    }
}
