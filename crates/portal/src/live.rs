//! Live pages: server-sent events with what changed since the browser last heard, coalesced, for a bounded number
//! of readers, with a heartbeat so that silence means something.
//!
//! Not here: how many pages are live (`places`), what a cell is (`board`), what the browser does with it (`/assets/live.js`).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use domain::{RegionId, Timestamp};
use futures::Stream;
use projector::Standing;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use views::CareCode;

use crate::board::{Cells, Overview, RegionBoard};
use crate::guard::Refusal;
use crate::pages::Choice;
use crate::peer::Peer;
use crate::places::Place;
use crate::server::Portal;
use crate::site::visit;
use crate::text;
use crate::words::Lang;

/// No reader hears more often than this: what happens in between comes as one change.
pub(crate) const APART: Duration = Duration::from_millis(250);
/// How often a reader hears that all is well: twice within ten seconds, so that one lost beat is no alarm.
pub(crate) const BEAT: Duration = Duration::from_secs(5);
/// When a page turns grey: six beats were missed.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(30);

/// Which page is live.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    /// `None` is the national overview.
    region: Option<RegionId>,
    care_type: Option<CareCode>,
    lang: Lang,
}

/// The latest cells of each page that somebody looks at: readers of one page share one reckoning. Its size is
/// bounded by regions × care types × languages, since each of the three is checked before.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<Shown, Arc<Cells>>>);

impl Shelf {
    fn cells(&self, portal: &Portal, shown: &Shown, now: Timestamp) -> Arc<Cells> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = portal.app.availability.standing().borrow().position;
        if let Some(known) = kept.get(shown).filter(|known| known.position >= position && position > 0) {
            return Arc::clone(known);
        }
        let cells = Arc::new(portal.app.availability.read(|view| match &shown.region {
            Some(region) => RegionBoard::of(view, region, shown.care_type).cells(now, shown.lang),
            None => Overview::of(view, &portal.app.network, shown.care_type).cells(),
        }));
        kept.insert(shown.clone(), Arc::clone(&cells));
        cells
    }
}

/// Where a reader stands.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct After {
    /// The position of the page that was loaded.
    after: Option<u64>,
    /// The structure of that page.
    structure: Option<String>,
}

/// `GET /overzicht/stream`.
pub(crate) async fn overview(
    State(portal): State<Arc<Portal>>,
    Query(choice): Query<Choice>,
    Query(after): Query<After>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let shown = Shown { region: None, care_type: choice.care_type()?, lang: choice.lang() };
    follow(portal, shown, &after, Peer::given(peer), &headers)
}

/// `GET /r/{region}/stream`.
pub(crate) async fn region(
    State(portal): State<Arc<Portal>>,
    Path(code): Path<String>,
    Query(choice): Query<Choice>,
    Query(after): Query<After>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let id = RegionId::try_from(&*code).map_err(|_| Refusal::UnknownRegion)?;
    portal.app.network.region(&id).ok_or(Refusal::UnknownRegion)?;
    let shown = Shown { region: Some(id), care_type: choice.care_type()?, lang: choice.lang() };
    follow(portal, shown, &after, Peer::given(peer), &headers)
}

fn follow(
    portal: Arc<Portal>,
    shown: Shown,
    after: &After,
    peer: Peer,
    headers: &HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + use<>>, Refusal> {
    let place = match visit::signed(&portal, headers, false) {
        Some(person) => portal.places.known(&person.name)?,
        None => portal.places.public(peer.0)?,
    };
    // A browser that reconnects says how far it came; that is later than what its page was loaded at.
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower {
        standing: portal.app.availability.standing(),
        closing: portal.closing.clone(),
        from: resumed.or(after.after),
        structure: after.structure.clone(),
        last: None,
        moved: false,
        quiet_until: Instant::now(),
        beat,
        shown,
        portal,
        _place: place,
    };
    let events = futures::stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events))
}

/// One reader of one live page.
struct Follower {
    portal: Arc<Portal>,
    shown: Shown,
    standing: watch::Receiver<Standing>,
    closing: watch::Receiver<bool>,
    /// The position the reader has, until the first look at the board.
    from: Option<u64>,
    structure: Option<String>,
    last: Option<Arc<Cells>>,
    /// The board moved since the last look.
    moved: bool,
    quiet_until: Instant,
    beat: Interval,
    _place: Place,
}

/// Done when the node stops, or nobody is left to say so.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

/// What changed, as the script reads it.
#[derive(Serialize)]
struct Changed<'a> {
    position: u64,
    stands: String,
    heard: String,
    /// The same with its day, for paper.
    made: String,
    structure: &'a str,
    rows: &'a BTreeMap<String, Vec<u32>>,
    words: &'a BTreeMap<String, (i64, String)>,
}

/// A sign of life.
#[derive(Serialize)]
struct Beat {
    position: u64,
    stands: String,
    heard: String,
    /// The same with its day, for paper.
    made: String,
    now: i64,
    live: bool,
    ok: bool,
}

impl Follower {
    /// The next event for this reader; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        if self.last.is_none()
            && let Some(event) = self.first()
        {
            return Some(event);
        }
        loop {
            tokio::select! {
                biased;
                () = closed(&mut self.closing) => return None,
                _ = self.beat.tick() => return self.alive(),
                changed = self.standing.changed(), if !self.moved => {
                    changed.ok()?;
                    self.moved = true;
                }
                () = tokio::time::sleep_until(self.quiet_until), if self.moved => {
                    self.moved = false;
                    if let Some(event) = self.difference() {
                        return Some(event);
                    }
                }
            }
        }
    }

    /// What the reader does not have yet: nothing if it comes from where the board stands, else all cells (which of
    /// them differ from its page is for the script to see).
    fn first(&mut self) -> Option<Event> {
        self.standing.mark_unchanged();
        let cells = self.look();
        self.last = Some(Arc::clone(&cells));
        let same_page = self.structure.as_ref().is_none_or(|structure| *structure == cells.structure);
        if self.from == Some(cells.position) && same_page { None } else { self.tell(&cells) }
    }

    fn difference(&mut self) -> Option<Event> {
        // Whatever comes from here on is a change of its own.
        self.standing.mark_unchanged();
        let cells = self.look();
        let difference = cells.since(self.last.as_ref()?)?;
        self.last = Some(cells);
        self.tell(&difference)
    }

    fn look(&self) -> Arc<Cells> {
        self.portal.shelf.cells(&self.portal, &self.shown, (self.portal.app.now)())
    }

    fn tell(&mut self, cells: &Cells) -> Option<Event> {
        self.quiet_until = Instant::now() + APART;
        let now = (self.portal.app.now)();
        let changed = Changed {
            position: cells.position,
            stands: text::clock_seconds(cells.recorded_at, now, self.shown.lang),
            heard: text::clock_seconds(now, now, self.shown.lang),
            made: text::dated(now, self.shown.lang),
            structure: &cells.structure,
            rows: &cells.rows,
            words: &cells.words,
        };
        Event::default().event("cells").id(cells.position.to_string()).json_data(changed).ok()
    }

    fn alive(&self) -> Option<Event> {
        let now = (self.portal.app.now)();
        let standing = *self.standing.borrow();
        let stands = match standing.position {
            0 => String::from("–"),
            _ => text::clock_seconds(standing.recorded_at, now, self.shown.lang),
        };
        let beat = Beat {
            position: standing.position,
            stands,
            heard: text::clock_seconds(now, now, self.shown.lang),
            made: text::dated(now, self.shown.lang),
            now: now.as_micros() / 1_000,
            live: standing.live,
            ok: self.portal.app.checks.readiness().iter().all(|check| check.ok),
        };
        Event::default().event("beat").retry(Duration::from_secs(1)).json_data(beat).ok()
    }
}
