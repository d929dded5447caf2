//! Serving the lines of a region: each in its order, all of them side by side, none at the cost of the others.
//!
//! Reading and checking takes processor time, so it is done in turns: one line of a region at a time, first come first
//! served, and few regions at a time, in turn as well. So however much one sender, or one region, sends: another waits
//! for one turn at most, and a turn is short. Not here: who waits (`lines`), what the answers are (`answer`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bus::alarm::Alarms;
use bus::{Bus, ReplyTo, Ticket};
use domain::{RegionId, Timestamp};
use eventlog::{AppendError, Batch, Clock, EventLog, Key, Pending};
use network::Network;
use tokio::sync::{Notify, Semaphore, mpsc, watch};

use crate::epoch::Ledger;
use crate::flood::Floods;
use crate::judge::{Accepted, BAD_SIGNATURE, Entry, Message, Refused, Request, Unfit, judge};
use crate::lines::{Arrived, Line, Lines, Put};
use crate::quota::{Kept, Quotas};
use crate::sources::Sources;
use crate::{Metrics, RunError, answer, keep};

/// Regions whose messages are read and checked at one moment: while one has a large piece, another goes on.
const JUDGING_MAX: usize = 2;
/// Lines of one region that are in the log's hands or being answered at one moment.
const REGION_IN_HAND_MAX: usize = 8;

/// What all regions share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) network: watch::Receiver<Arc<Network>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) log: EventLog,
    pub(crate) alarms: Alarms,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sources: Mutex<Sources>,
    pub(crate) ledger: Ledger,
    quotas: Mutex<Quotas>,
    judging: Semaphore,
}

/// One region: its lines, and its turns.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) code: RegionId,
    pub(crate) shared: Arc<Shared>,
    lines: Mutex<Lines<Reply>>,
    floods: Mutex<Floods>,
    turn: Semaphore,
    in_hand: Semaphore,
}

/// Where the answer goes.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A receipt on the sender's subject, then the acknowledgement. What can be neither recorded nor kept ends this
    /// reading of the mailbox.
    Mailbox { bus: Arc<Bus>, sequence: u64, ticket: Ticket, stuck: Arc<Notify> },
    /// An answer, if anybody asked for one.
    Counter { bus: Arc<Bus>, to: Option<ReplyTo> },
}

/// Whoever serves a line holds one: the last that goes tells that nobody serves any more, or why somebody could not.
#[derive(Clone, Debug)]
pub(crate) struct Serving(mpsc::Sender<RunError>);

impl Serving {
    /// The other end gives the first error, or nothing once all are gone.
    pub(crate) fn new() -> (Self, mpsc::Receiver<RunError>) {
        let (ended, endings) = mpsc::channel(1);
        (Self(ended), endings)
    }

    /// The recorder can not go on. Only the first to say so is heard.
    pub(crate) fn fail(&self, error: RunError) {
        drop(self.0.try_send(error));
    }
}

/// A message that was judged.
pub(crate) struct Judged {
    pub(crate) message: Message,
    pub(crate) reply: Reply,
    pub(crate) request: Result<Request, Unfit>,
}

/// What the log was asked to do.
pub(crate) enum Asked {
    /// Nothing: the request was refused as a whole, or what was refused of it is only counted.
    Nothing,
    /// To append every event of the request.
    Events(Result<Pending, AppendError>),
    /// To keep what was refused of it; the rest is not appended.
    Quarantine(Result<Pending, AppendError>),
}

impl Shared {
    pub(crate) fn new(config: crate::Config, log: EventLog, ledger: Ledger, metrics: Arc<Metrics>) -> Self {
        Self {
            network: config.network,
            clock: config.clock,
            log,
            alarms: config.alarms,
            metrics,
            sources: Mutex::default(),
            ledger,
            quotas: Mutex::default(),
            judging: Semaphore::new(JUDGING_MAX),
        }
    }
}

impl Region {
    pub(crate) fn new(code: RegionId, shared: Arc<Shared>) -> Self {
        Self {
            code,
            shared,
            lines: Mutex::new(Lines::new()),
            floods: Mutex::default(),
            turn: Semaphore::new(1),
            in_hand: Semaphore::new(REGION_IN_HAND_MAX),
        }
    }

    /// Puts a message in its line, which is served from now on; gives it back if there is no room for it.
    pub(crate) fn arrive(
        self: &Arc<Self>,
        line: Line,
        arrived: Arrived<Reply>,
        serving: &Serving,
    ) -> Option<Arrived<Reply>> {
        match self.lines().put(&line, arrived) {
            Put::Waits => None,
            Put::Full(arrived) => Some(arrived),
            Put::Begins => {
                let (region, serving) = (Arc::clone(self), serving.clone());
                tokio::spawn(async move {
                    let mut broken = Broken { serving, done: false };
                    let served = region.serve(&line).await;
                    broken.done = true;
                    if let Err(error) = served {
                        // Somebody else said so before: one is enough.
                        drop(broken.serving.0.try_send(error));
                    }
                });
                None
            }
        }
    }

    /// Forgets what waits of the mailbox: it comes again when that is opened again.
    pub(crate) fn forget_mailbox(&self) {
        self.lines().forget_mailbox();
    }

    async fn serve(&self, line: &Line) -> Result<(), RunError> {
        loop {
            let taken = self.lines().take(line);
            if taken.is_empty() {
                return Ok(());
            }
            // Semaphores that are never closed: an error can not be.
            let _hand = self.in_hand.acquire().await;
            let judged = {
                let _turn = self.turn.acquire().await;
                let _judging = self.shared.judging.acquire().await;
                self.judge(taken)?
            };
            self.record(judged).await?;
        }
    }

    fn judge(&self, taken: Vec<Arrived<Reply>>) -> Result<Vec<Judged>, RunError> {
        let network = Arc::clone(&self.shared.network.borrow());
        let now = Timestamp::from_micros(self.shared.clock.now());
        let judge = |Arrived { message, reply }| {
            let request = judge(&network, now, &message);
            Judged { message, reply, request }
        };
        let mut judged: Vec<Judged> = taken.into_iter().map(judge).collect();
        self.check_signatures(&mut judged)?;
        self.count_refused(&mut judged, now.as_micros());
        Ok(judged)
    }

    /// Checks the signatures of a turn together. Who is refused for one, and had this event recorded before, has a
    /// duplicate: what was recorded when a key was valid stays.
    fn check_signatures(&self, judged: &mut [Judged]) -> Result<(), RunError> {
        let mut entries: Vec<&mut Entry> = entries_of(judged).collect();
        let (mut places, mut signatures) = (Vec::new(), Vec::new());
        for (place, entry) in entries.iter_mut().enumerate() {
            if let Ok(accepted) = &mut entry.verdict
                && let Some(signed) = accepted.signed.take()
            {
                places.push(place);
                signatures.push(signed);
            }
        }
        let right = contracts::signature::verify_batch(&signatures);
        for (place, right) in places.into_iter().zip(right) {
            let Some(entry) = entries.get_mut(place).filter(|_| !right) else { continue };
            if let Ok(accepted) = &entry.verdict
                && !self.has(accepted)?
            {
                let detail = "the signature is not of a valid key of this source over these bytes; if its key was changed, sign anew";
                entry.verdict = Err(Refused::of(&accepted.decoded.event, BAD_SIGNATURE, detail));
            }
        }
        Ok(())
    }

    /// Whether the log has this very event.
    fn has(&self, accepted: &Accepted) -> Result<bool, RunError> {
        let reader = self.shared.log.reader();
        let unreadable = |position| move |source| RunError::Read { position, source };
        let Some(position) = reader.position_of(&Key(accepted.key)).map_err(unreadable(0))? else {
            return Ok(false);
        };
        let first = reader.record(position).map_err(unreadable(position))?;
        Ok(first.is_some_and(|first| answer::same_event(&first, accepted)))
    }

    /// What is beyond the quota of its sender is only counted.
    fn count_refused(&self, judged: &mut [Judged], now: i64) {
        for judged in judged {
            let Ok(request) = &mut judged.request else { continue };
            let party = request.party.as_ref().map(|party| party.sender.clone());
            for entry in &mut request.entries {
                if let Err(refused) = &mut entry.verdict {
                    refused.counted = self.is_counted(party.as_ref(), now);
                }
            }
        }
    }

    /// Notes one more refusal of a sender; whether it is only counted.
    pub(crate) fn is_counted(&self, sender: Option<&network::SenderName>, now: i64) -> bool {
        let known = sender.filter(|sender| {
            self.shared.network.borrow().source_named(&self.code, sender.as_str()).is_some()
        });
        let quota = (self.code.clone(), known.cloned());
        let kept = self.shared.quotas.lock().unwrap_or_else(PoisonError::into_inner).note(&quota, now);
        if kept == Kept::CountedFromNow {
            answer::alarm_flood(self, known);
        }
        self.note_in_vain(sender, now);
        kept != Kept::Whole
    }

    /// Notes a message of this sender that was refused, or found no room, at this moment (microseconds).
    pub(crate) fn note_in_vain(&self, sender: Option<&network::SenderName>, now: i64) {
        if self.floods().note(sender, now) {
            answer::alarm_in_vain(self, sender);
        }
    }

    /// Whether this sender sends so much in vain that it is not listened to for a while.
    pub(crate) fn is_flooded_by(&self, sender: Option<&network::SenderName>) -> bool {
        self.floods().has(sender)
    }

    /// Begins anew with this sender.
    pub(crate) fn forgive(&self, sender: Option<&network::SenderName>) {
        self.floods().forgive(sender);
    }

    fn floods(&self) -> MutexGuard<'_, Floods> {
        self.floods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a turn to the log, and answers.
    async fn record(&self, judged: Vec<Judged>) -> Result<(), RunError> {
        let mut hand = Vec::with_capacity(judged.len());
        for judged in judged {
            let asked = match &judged.request {
                Ok(request) => self.ask(&judged.message, request).await,
                Err(_) => Asked::Nothing,
            };
            // What is left of a request after a duplicate of it goes to the log again: nothing may overtake that.
            let rest = judged.request.as_ref().is_ok_and(|request| request.entries.len() > 1);
            hand.push((judged, asked));
            if rest && !answer::settle(self, std::mem::take(&mut hand)).await? {
                return Ok(());
            }
        }
        answer::settle(self, hand).await.map(|_| ())
    }

    async fn ask(&self, message: &Message, request: &Request) -> Asked {
        let origin = keep::origin(message);
        let events: Option<Vec<_>> =
            request.entries.iter().map(|entry| entry.verdict.as_ref().ok().map(keep::event)).collect();
        if let Some(records) = events {
            let batch = Batch { records, condition: request.condition.clone(), origin };
            return Asked::Events(self.shared.log.enqueue(batch).await);
        }
        let now = self.shared.clock.now();
        let kept = |entry: &Entry| {
            let refused = entry.verdict.as_ref().err().filter(|refused| !refused.counted)?;
            Some(keep::quarantined(message, request, entry, refused, now))
        };
        let records: Vec<_> = request.entries.iter().filter_map(kept).collect();
        if records.is_empty() {
            return Asked::Nothing;
        }
        Asked::Quarantine(self.shared.log.enqueue(Batch { records, condition: None, origin }).await)
    }

    fn lines(&self) -> MutexGuard<'_, Lines<Reply>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entries_of(judged: &mut [Judged]) -> impl Iterator<Item = &mut Entry> {
    judged
        .iter_mut()
        .filter_map(|judged| judged.request.as_mut().ok())
        .flat_map(|request| &mut request.entries)
}

/// Tells when whoever serves a line panics: that line would never be served again.
struct Broken {
    serving: Serving,
    done: bool,
}

impl Drop for Broken {
    fn drop(&mut self) {
        if !self.done {
            drop(self.serving.0.try_send(RunError::Broken));
        }
    }
}
