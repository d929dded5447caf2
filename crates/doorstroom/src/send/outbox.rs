//! `send --outbox`: what is read is kept on disk first, and sent from there, now or the next time.
//!
//! Not here: how an outbox keeps and sends (`bus::Outbox`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::alarm::Alarms;
use bus::{Outbox, OutboxError, OutboxLimits, Place, SenderConfig, Told};
use futures::StreamExt as _;
use tokio::time::Instant;

use super::Tally;
use super::lines::{self, Feed, Line, Sent, Unsent};
use crate::failure::Failure;

/// Events put into the outbox at once: one sync of the disk for many.
const PUSHED_MAX: usize = 256;
/// How often it is looked at whether receipts come.
const TICK: Duration = Duration::from_millis(250);

/// What became of the lines so far.
struct Desk {
    tally: Tally,
    lines: BTreeMap<Place, Line>,
    /// The last event of earlier runs: their lines are known no more.
    before: Option<Place>,
    /// What was told of events whose line is not known yet.
    early: Vec<Told>,
    progress: Instant,
    failure: Option<Failure>,
}

impl Desk {
    fn told(&mut self, told: Told) {
        self.progress = Instant::now();
        match self.lines.remove(&told.place) {
            Some(line) => self.count(line, told),
            None if Some(told.place) <= self.before => self.count(Line::default(), told),
            None => self.early.push(told),
        }
    }

    fn pushed(&mut self, place: Place, line: Line) {
        self.progress = Instant::now();
        match self.early.iter().position(|told| told.place == place) {
            Some(at) => {
                let told = self.early.swap_remove(at);
                self.count(line, told);
            }
            None => drop(self.lines.insert(place, line)),
        }
    }

    fn count(&mut self, line: Line, told: Told) {
        let counted = match told.outcome {
            Ok(receipt) => self.tally.receipted(&line, &receipt),
            Err(reason) => self.tally.unsent(&Unsent { line: line.number, id: line.id, reason }),
        };
        self.note(counted);
    }

    fn note(&mut self, done: Result<(), Failure>) {
        if let Err(failure) = done {
            self.failure.get_or_insert(failure);
        }
    }
}

/// Puts everything into the outbox, and sends until everything in it has its receipt.
pub(super) async fn send(
    dir: PathBuf,
    resend: bool,
    config: SenderConfig,
    feed: Feed,
    tally: Tally,
) -> Result<(), Failure> {
    let (folder, patience) = (dir.clone(), config.give_up_after);
    let open = move || Outbox::open(&folder, OutboxLimits::default(), Alarms::new());
    let outbox = tokio::task::spawn_blocking(open).await??;
    if resend {
        outbox.send_again().await?;
    }
    let Feed { events, mut unsent, sent, reading } = feed;
    let (lines, before, early) = (BTreeMap::new(), outbox.last_waiting(), Vec::new());
    let progress = Instant::now();
    let desk = Arc::new(Mutex::new(Desk { tally, lines, before, early, progress, failure: None }));
    let at_desk = |told: Told| lock(&desk).told(told);
    let refused = async {
        while let Some(line) = unsent.recv().await {
            let counted = lock(&desk).tally.unsent(&line);
            lock(&desk).note(counted);
        }
        std::future::pending::<()>().await;
    };
    let outcome = tokio::select! {
        ended = outbox.send(config, at_desk) => ended.map_err(Failure::from),
        pushed = push(&outbox, events, &sent, &desk) => pushed.map_err(Failure::from),
        () = refused => Ok(()),
        () = silence(&outbox, &desk, patience) => Err(Failure::said(format!(
            "gave up after {} s without a receipt; {} events wait in {}: send with this --outbox again",
            patience.as_secs(), outbox.waiting(), dir.display()
        ))),
    };
    while let Some(line) = unsent.recv().await {
        let counted = lock(&desk).tally.unsent(&line);
        lock(&desk).note(counted);
    }
    let held = outbox.held();
    outbox.close().await;
    let read = reading.await.map_err(|error| Failure::new("the reader of the events ended badly", error))?;
    let mut desk = lock(&desk);
    for told in std::mem::take(&mut desk.early) {
        desk.count(Line::default(), told);
    }
    for (place, why) in held {
        let Line { number, id } = desk.lines.remove(&place).unwrap_or_default();
        let reason = format!("{why}; it waits in {}", dir.display());
        let counted = desk.tally.unsent(&Unsent { line: number, id, reason });
        desk.note(counted);
    }
    desk.tally.done()?;
    if let Some(failure) = desk.failure.take() {
        return Err(failure);
    }
    outcome?;
    read?;
    desk.tally.judge()
}

/// Puts all events in, and waits until everything has its receipt.
async fn push(
    outbox: &Outbox,
    events: Box<dyn futures::Stream<Item = bus::Outgoing> + Send + Unpin>,
    sent: &Sent,
    desk: &Mutex<Desk>,
) -> Result<(), OutboxError> {
    let mut events = events.ready_chunks(PUSHED_MAX);
    let mut index = 0_u64;
    while let Some(some) = events.next().await {
        for place in outbox.push_all(some).await? {
            lock(desk).pushed(place, lines::line_of(sent, index));
            index += 1;
        }
    }
    drop(events);
    outbox.settled().await;
    Ok(())
}

/// Ends when something waits and nothing came of anything for too long.
async fn silence(outbox: &Outbox, desk: &Mutex<Desk>, patience: Duration) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        if outbox.waiting() > 0 && lock(desk).progress.elapsed() >= patience {
            return;
        }
    }
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
