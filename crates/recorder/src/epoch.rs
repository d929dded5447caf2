//! When the broker forgets: what the log knows of each mailbox is compared with what the broker says, before a mailbox
//! is read and while it is. What was lost is recorded, an alarm names it, and the region's senders are asked to send
//! again what they keep.
//!
//! The numbers of a stream are no identity: a broker that lost its disk counts again. So the log says to which stream
//! they belong (an *epoch*), from where in the log on, and a message under a number that was recorded before is proof
//! that they do not any more. Where reading begins is decided here, by the log and never by the broker alone. Not here:
//! making mailboxes (`bus`), reading them (`door`).

mod compare;
mod known;
mod record;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::alarm::{Alarm, Alarms};
use bus::provisioner::{Need, Needs};
use bus::subjects::ReceiptSubject;
use bus::{Bus, GivenOut, MailboxError, MailboxLimits, ProvisionError, StreamSight};
use contracts::{Ask, wire};
use domain::RegionId;
use eventlog::{AppendError, Batch, Clock, EventLog, ReadError};
use network::Network;
use tokio::sync::watch;

use self::compare::{Finding, before, compare};
use self::known::Book;

/// How often the broker is looked at while a mailbox is read; what changed is known within twice that.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Causes of an epoch, as its record has them.
const FIRST: &str = "first";
const RECREATED: &str = "recreated";
const ROLLED_BACK: &str = "rolled-back";
const LOG_BEHIND: &str = "log-behind";
/// Causes of a gap.
const EXPIRED: &str = "expired";
const SKIPPED: &str = "skipped";

/// The codes of the alarms.
const MAILBOX_RECREATED: &str = "mailbox_recreated";
const MAILBOX_ROLLED_BACK: &str = "mailbox_rolled_back";
const MAILBOX_GAP: &str = "mailbox_gap";
const MAILBOX_MISSING: &str = "mailbox_missing";
const MAILBOX_CHANGED: &str = "mailbox_changed";
const MAILBOX_FULL: &str = "mailbox_full";
const LOG_IS_BEHIND: &str = "log_behind";

/// Why a mailbox can not be read now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EpochError {
    /// The broker does not say what it has.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// There is no mailbox.
    #[error("the mailbox of {0} is not there; it is to be made again")]
    Missing(RegionId),
    /// What was found can not be recorded.
    #[error("what the broker lost can not be recorded")]
    Log(#[source] AppendError),
}

/// What is known of every mailbox.
#[derive(Debug)]
pub(crate) struct Ledger {
    log: EventLog,
    clock: Arc<dyn Clock>,
    alarms: Alarms,
    network: watch::Receiver<Arc<Network>>,
    limits: MailboxLimits,
    needs: Option<Needs>,
    books: Mutex<BTreeMap<RegionId, Book>>,
    /// How far the log was when it was opened: what is found missing in it was recorded after that, in another life.
    opened_at: u64,
}

impl Ledger {
    /// Reads from the log what it knows of the mailboxes of these regions. Blocks on the disk.
    pub(crate) fn open<'a>(
        config: &crate::Config,
        log: &EventLog,
        regions: impl Iterator<Item = &'a RegionId>,
    ) -> Result<Self, ReadError> {
        let opened_at = log.head().position;
        let books = known::read(&log.reader(), log.cursors(), regions)?;
        Ok(Self {
            log: log.clone(),
            clock: Arc::clone(&config.clock),
            alarms: config.alarms.clone(),
            network: config.network.clone(),
            limits: config.mailbox,
            needs: config.needs.clone(),
            books: Mutex::new(books),
            opened_at,
        })
    }

    /// Makes the mailbox, where nobody else does.
    pub(crate) async fn make(&self, bus: &Bus, region: &RegionId) -> Result<(), ProvisionError> {
        if self.needs.is_none() {
            bus.provision_mailbox(region, self.limits).await?;
        }
        Ok(())
    }

    /// Compares, and says after which number the mailbox is to be read. Waits until what was given out of it before is
    /// settled.
    pub(crate) async fn before_reading(&self, bus: &Bus, region: &RegionId) -> Result<u64, EpochError> {
        if let Some(given_out) = self.book(region, |book| book.given_out.take()) {
            given_out.settled().await;
        }
        let known = self.book(region, |book| book.known());
        let sight = bus.look_at_mailbox(region, self.limits).await?;
        let found = compare(&known, &sight);
        for finding in &found {
            self.act(bus, region, finding, sight.stream.as_ref()).await?;
        }
        let (Some(stream), Some(consumer)) = (sight.stream, sight.consumer) else {
            return Err(EpochError::Missing(region.clone()));
        };
        Ok(self.book(region, |book| {
            book.seen(&stream);
            // Where they differ the lower one: what comes twice is a duplicate, what does not come is lost.
            book.known.settled.min(consumer.floor)
        }))
    }

    /// A mailbox was opened, and gives out messages.
    pub(crate) fn opened(&self, region: &RegionId, given_out: GivenOut) {
        self.book(region, |book| book.given_out = Some(given_out));
    }

    /// Compares while the mailbox is read; `Some` is why it has to be opened again.
    pub(crate) async fn look(&self, bus: &Bus, region: &RegionId) -> Option<String> {
        let head = self.log.head().position;
        let known = self.book(region, |book| {
            known::store(self.log.cursors(), region, book, head);
            book.known()
        });
        // Whoever reads hears of a broker that does not answer.
        let sight = bus.look_at_mailbox(region, self.limits).await.ok()?;
        for finding in compare(&known, &sight) {
            match finding {
                Finding::NoStream | Finding::NoConsumer => {
                    return Some("it is not there any more".to_owned());
                }
                Finding::Recreated | Finding::RolledBack | Finding::Expired { .. } => {
                    return Some("the broker lost something of it".to_owned());
                }
                // Acknowledged since we asked ourselves what is settled.
                Finding::FloorAhead { .. } => {}
                Finding::Changed { .. } | Finding::Full => self.alarm(region, &finding),
            }
        }
        if let Some(stream) = &sight.stream {
            self.book(region, |book| book.seen(stream));
        }
        None
    }

    /// Before a message of the mailbox is judged. What the stream left out before it is recorded first.
    pub(crate) async fn arriving(
        &self,
        bus: &Bus,
        region: &RegionId,
        skipped: Option<RangeInclusive<u64>>,
    ) -> Result<(), EpochError> {
        let (known, stream) = self.book(region, |book| (book.known, book.stream.clone()));
        let Some(stream) = stream else { return Ok(()) };
        if known.created.is_none() {
            self.begin(bus, region, &stream, FIRST).await?;
        }
        if let Some(skipped) = skipped {
            // Numbers that are settled were recorded when they were still there.
            let first = known.settled.saturating_add(1).max(*skipped.start());
            if first <= *skipped.end() {
                // What was given out before it may not be settled yet, so this is not noted as settled.
                self.gap(bus, region, (first, *skipped.end()), SKIPPED).await?;
            }
        }
        Ok(())
    }

    /// A message of the mailbox has its place in the log (if it has one), `fresh` if it was recorded only now. To be
    /// called before the broker hears of it.
    pub(crate) async fn settled(
        &self,
        bus: &Bus,
        region: &RegionId,
        (sequence, position): (u64, Option<u64>),
        fresh: bool,
    ) -> Result<(), EpochError> {
        let (reused, behind, stream) = self.book(region, |book| {
            let reused = fresh && sequence <= book.known.settled;
            let behind = fresh && sequence <= book.floor;
            book.note(sequence, position);
            if sequence >= book.floor {
                book.floor = 0;
            }
            (reused, behind, book.stream.clone())
        });
        let Some(stream) = stream else { return Ok(()) };
        if behind {
            self.begin(bus, region, &stream, LOG_BEHIND).await?;
        } else if reused {
            self.begin(bus, region, &stream, ROLLED_BACK).await?;
        } else {
            return Ok(());
        }
        // The numbers go on; only those before this one are no proof any more.
        self.book(region, |book| book.known.settled = sequence);
        Ok(())
    }

    async fn act(
        &self,
        bus: &Bus,
        region: &RegionId,
        finding: &Finding,
        stream: Option<&StreamSight>,
    ) -> Result<(), EpochError> {
        let Some(stream) = stream else {
            self.alarm(region, finding);
            return Ok(());
        };
        match finding {
            Finding::Recreated => self.begin(bus, region, stream, RECREATED).await,
            Finding::RolledBack => self.begin(bus, region, stream, ROLLED_BACK).await,
            Finding::Expired { first, last } => {
                self.book(region, |book| book.stream = Some(stream.clone()));
                self.gap(bus, region, (*first, *last), EXPIRED).await?;
                self.book(region, |book| book.known.settled = *last);
                Ok(())
            }
            Finding::FloorAhead { floor } => {
                tracing::info!(%region, floor, "more of the mailbox was acknowledged than the log has: it is read again");
                self.book(region, |book| book.floor = *floor);
                Ok(())
            }
            Finding::NoStream | Finding::NoConsumer | Finding::Changed { .. } | Finding::Full => {
                self.alarm(region, finding);
                Ok(())
            }
        }
    }

    /// Records that from here on the numbers of this stream count, and why.
    async fn begin(
        &self,
        bus: &Bus,
        region: &RegionId,
        stream: &StreamSight,
        cause: &'static str,
    ) -> Result<(), EpochError> {
        let (known, after) = self.book(region, |book| (book.known, book.epoch));
        let epoch = wire::BusEpoch {
            region: region.to_string(),
            created: stream.created.to_string(),
            created_before: known.created.map(|created| created.to_string()).unwrap_or_default(),
            cause: cause.to_owned(),
            recorded_sequence: known.settled,
            first_sequence: stream.first,
            last_sequence: stream.last,
        };
        let since = if cause == LOG_BEHIND { self.opened_at } else { self.log.head().position };
        let position = self.append(record::epoch(&epoch, after, self.clock.now())).await?;
        let settled = if cause == ROLLED_BACK { before(stream) } else { 0 };
        self.book(region, |book| {
            book.begin(stream.created, position, settled);
            book.stream = Some(stream.clone());
        });
        let (code, why) = match cause {
            RECREATED => (MAILBOX_RECREATED, "the broker lost the mailbox and has a new one"),
            ROLLED_BACK => (MAILBOX_ROLLED_BACK, "the broker went back to an older state of the mailbox"),
            LOG_BEHIND => {
                (LOG_IS_BEHIND, "the log went back to an older state and had lost what it recorded after it")
            }
            _ => return Ok(()),
        };
        self.lost(bus, region, (code, why), position, since).await;
        Ok(())
    }

    /// Records that these messages never came.
    async fn gap(
        &self,
        bus: &Bus,
        region: &RegionId,
        (first, last): (u64, u64),
        cause: &'static str,
    ) -> Result<(), EpochError> {
        let (stream, after) = self.book(region, |book| (book.stream.clone(), book.epoch));
        let gap = wire::BusGap {
            region: region.to_string(),
            created: stream.map(|stream| stream.created.to_string()).unwrap_or_default(),
            first_sequence: first,
            last_sequence: last,
            cause: cause.to_owned(),
        };
        let since = self.log.head().position;
        let position = self.append(record::gap(&gap, after, self.clock.now())).await?;
        let why = if cause == EXPIRED {
            "messages of the mailbox were gone before they were recorded"
        } else {
            "the broker passed over messages of the mailbox, whose bytes are damaged"
        };
        self.lost(bus, region, (MAILBOX_GAP, why), position, since).await;
        Ok(())
    }

    /// Says that something is lost, and asks for it.
    async fn lost(
        &self,
        bus: &Bus,
        region: &RegionId,
        (code, why): (&'static str, &str),
        position: u64,
        since: u64,
    ) {
        let detail = format!("{why}; its senders are asked to send again what has no receipt");
        self.alarms.raise(Alarm {
            region: Some(region.clone()),
            position: Some(position),
            ..Alarm::new(code, detail)
        });
        let ask = Ask { since_position: since, why: why.to_owned() }.to_json();
        let network = Arc::clone(&self.network.borrow());
        for source in network.sources().filter(|source| source.region == *region) {
            let to = ReceiptSubject { region: region.clone(), sender: source.name.clone() };
            if let Err(error) = bus.publish_receipt(&to, ask.clone().into()).await {
                tracing::warn!(%region, %error, "a sender was not asked to send again; it does so without a receipt");
            }
        }
    }

    async fn append(&self, batch: Batch) -> Result<u64, EpochError> {
        match self.log.append(batch).await {
            Ok(appended) => Ok(appended.positions.first().copied().unwrap_or_default()),
            // Said before, with other numbers of the moment.
            Err(AppendError::Conflict { position, .. }) => Ok(position),
            Err(error) => Err(EpochError::Log(error)),
        }
    }

    fn alarm(&self, region: &RegionId, finding: &Finding) {
        let (code, detail) = match finding {
            Finding::NoStream => (MAILBOX_MISSING, "the broker has no mailbox of this region: its senders are refused".to_owned()),
            Finding::NoConsumer => (
                MAILBOX_MISSING,
                "the recorder's consumer of the mailbox is gone: nothing of it is recorded until it is made again".to_owned(),
            ),
            Finding::Changed { stream, consumer } => (
                MAILBOX_CHANGED,
                format!(
                    "somebody changed settings of the mailbox (stream: {}; consumer: {}); it is made again as it was",
                    stream.join(", "),
                    consumer.join(", ")
                ),
            ),
            Finding::Full => (
                MAILBOX_FULL,
                "the mailbox is full: its senders are refused until old mail goes, or its limit is raised".to_owned(),
            ),
            Finding::Recreated | Finding::RolledBack | Finding::Expired { .. } | Finding::FloorAhead { .. } => return,
        };
        self.alarms.raise(Alarm { region: Some(region.clone()), ..Alarm::new(code, detail) });
        if *finding != Finding::Full
            && let Some(needs) = &self.needs
            && needs.try_send(Need::Mailbox(region.clone())).is_err()
        {
            tracing::debug!(%region, "the provisioner has enough to do; it is asked again");
        }
    }

    fn book<T>(&self, region: &RegionId, what: impl FnOnce(&mut Book) -> T) -> T {
        what(self.books_lock().entry(region.clone()).or_default())
    }

    fn books_lock(&self) -> MutexGuard<'_, BTreeMap<RegionId, Book>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
