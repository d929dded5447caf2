//! Tells every coordination centre its alerts, raised and cleared, on `acute.<centre>.<kind>`.
//!
//! The alerts are folded from the beginning of the log at each start, on a blocking thread, and only if some centre
//! has rules. What the streams hold is compared with what is raised at the start, after every interruption and now
//! and then; only the difference is published, under the ids it would have had then. What was raised and cleared
//! while nobody could be told is not told any more. Other rules in the network file are as another start, without one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::outward::Outward;
use domain::Timestamp;
use eventlog::{Clock, LogReader, Query, Record};
use network::{CentreId, Network};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use views::{AlertChange, AlertStep, Alerts};

use crate::metrics::Metrics;
use crate::notice::{self, Held, Notice, Rules};
use crate::{Interrupted, Part, Raised};

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What is due is told this much later, so that an event that is being recorded at that moment comes before.
const LATER_MICROS: i64 = 2_000_000;
/// How often the streams are compared with what is raised: what left a stream by its age, and is still so, is told
/// again.
const COMPARE_EVERY: Duration = Duration::from_mins(10);
/// Records that are folded at once.
const FOLD_RECORDS_MAX: usize = 1_024;
/// Changes not told yet, and cleared alerts that may have to be told at the next comparison. More than this at once
/// is no alert to anybody; the comparison then says what is so.
const CHANGES_MAX: usize = 10_000;

/// Publishes alerts.
pub(crate) struct AlertsOut {
    outward: Outward,
    reader: LogReader,
    clock: Arc<dyn Clock>,
    node: String,
    /// As it was at the beginning: its centres have their streams, for these regions.
    network: Arc<Network>,
    /// As it is now: its rules count.
    current: watch::Receiver<Arc<Network>>,
    rules: Rules,
    /// Shared with the thread that folds, which goes on when publishing is interrupted.
    fold: Arc<Mutex<Fold>>,
    metrics: Arc<Metrics>,
    /// For whoever else shows what is raised.
    raised: watch::Sender<Raised>,
}

/// The alerts, and what became of them lately.
#[derive(Debug)]
struct Fold {
    alerts: Alerts,
    /// Not told yet, in order.
    news: VecDeque<AlertChange>,
    /// Cleared lately, oldest first.
    cleared: VecDeque<AlertChange>,
}

type HeldOf = BTreeMap<CentreId, Held>;

impl Part for AlertsOut {
    async fn serve(&mut self) -> Interrupted {
        let interrupted = self.until_interrupted().await;
        // Until it goes on nobody knows whether what was raised still is since then.
        self.raised.send_replace(Raised::default());
        interrupted
    }
}

impl AlertsOut {
    async fn until_interrupted(&mut self) -> Interrupted {
        let mut losses = self.outward.losses();
        loop {
            self.take_up_rules();
            let others = others(self.current.clone(), &self.network, &self.rules);
            tokio::select! {
                () = losses.next() => return Interrupted::Lost,
                followed = self.follow() => match followed {
                    Err(interrupted) => return interrupted,
                    Ok(never) => match never {},
                },
                () = others => tracing::info!("other rules of alerts: they are folded from the beginning of the log"),
            }
        }
    }

    pub(crate) fn new(
        outward: Outward,
        reader: LogReader,
        (clock, node): (Arc<dyn Clock>, String),
        current: watch::Receiver<Arc<Network>>,
        (metrics, raised): (Arc<Metrics>, watch::Sender<Raised>),
    ) -> Self {
        let network = Arc::clone(&current.borrow());
        let rules = notice::rules(&network, &network);
        let fold = Fold::of(&rules);
        Self { outward, reader, clock, node, network, current, rules, fold, metrics, raised }
    }

    /// Begins anew if there are other rules now. What of the alerts before is so by these rules too has the same ids.
    fn take_up_rules(&mut self) {
        let rules = notice::rules(&self.network, &self.current.borrow_and_update());
        if rules != self.rules {
            self.fold = Fold::of(&rules);
            self.rules = rules;
        }
    }

    async fn follow(&self) -> Result<Infallible, Interrupted> {
        if self.rules.is_empty() {
            // Only to end what was told by rules that are gone.
            self.compare().await?;
            std::future::pending::<()>().await;
        }
        let after = self.folded(|fold| fold.alerts.position()).await?;
        let mut subscription = self.reader.subscribe(Query { after, ..Query::default() });
        let last = self.reader.head().position;
        while self.folded(|fold| fold.alerts.position()).await? < last {
            let records = subscription.next_batch(FOLD_RECORDS_MAX).await?;
            self.folded(move |fold| fold.apply(&records)).await?;
        }
        let mut held = self.compare().await?;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut compares = tokio::time::interval(COMPARE_EVERY);
        compares.reset();
        loop {
            tokio::select! {
                records = subscription.next_batch(FOLD_RECORDS_MAX) => {
                    let records = records?;
                    self.folded(move |fold| fold.apply(&records)).await?;
                }
                _instant = looks.tick() => self.look().await?,
                _instant = compares.tick() => held = self.compare().await?,
            }
            self.tell_news(&mut held).await?;
        }
    }

    /// Raises what is due, if everything recorded so far is folded.
    async fn look(&self) -> Result<(), Interrupted> {
        let now = Timestamp::from_micros(self.clock.now().saturating_sub(LATER_MICROS));
        let head = self.reader.head().position;
        self.folded(move |fold| fold.due(now, head)).await
    }

    /// Brings every stream in line with what is raised now; gives what they hold then.
    async fn compare(&self) -> Result<HeldOf, Interrupted> {
        let mut held = HeldOf::new();
        for centre in self.network.centres().map(|centre| &centre.code) {
            let mut of_centre = Held::default();
            match self.outward.acute(centre.as_str()).await {
                Ok(messages) => {
                    for message in messages {
                        of_centre.take(&message.payload);
                    }
                }
                // Nobody is told anything there.
                Err(error) if !self.has_rules(centre) => {
                    tracing::debug!(%centre, %error, "no stream of alerts");
                }
                Err(error) => return Err(error.into()),
            }
            held.insert(centre.clone(), of_centre);
        }
        // After the streams were read, so that nothing that was told since is told again.
        let (mut raised, cleared) = self
            .folded(|fold| {
                fold.news.clear();
                (fold.alerts.raised().collect::<Vec<_>>(), fold.cleared.clone())
            })
            .await?;
        raised.sort_by_key(AlertChange::at);
        self.raised.send_replace(raised.as_slice().into());
        for (centre, held) in &mut held {
            for change in raised.iter().filter(|change| self.wants(centre, change)) {
                self.tell(&notice::of_alert(&self.node, centre, change)?, held).await?;
            }
            let named = |change: &AlertChange| notice::occurrence(centre, &change.alert, change.raised_at);
            let still: BTreeSet<String> =
                raised.iter().filter(|change| self.wants(centre, change)).map(named).collect();
            for (occurrence, data) in held.left(&still) {
                let ended = cleared.iter().find(|change| named(change) == occurrence);
                let notice = match ended.filter(|change| self.wants(centre, change)) {
                    Some(change) => notice::of_alert(&self.node, centre, change)?,
                    None => notice::of_removed(
                        &self.node,
                        centre,
                        data,
                        Timestamp::from_micros(self.clock.now()),
                    )?,
                };
                self.tell(&notice, held).await?;
            }
        }
        Ok(held)
    }

    async fn tell_news(&self, held: &mut HeldOf) -> Result<(), Interrupted> {
        let (news, raised) = self
            .folded(|fold| {
                let news = std::mem::take(&mut fold.news);
                let raised = (!news.is_empty()).then(|| fold.alerts.raised().collect::<Raised>());
                (news, raised)
            })
            .await?;
        if let Some(raised) = raised {
            self.raised.send_replace(raised);
        }
        for change in news {
            for centre in self.rules.get(&change.alert.rule).into_iter().flatten() {
                if let Some(held) = held.get_mut(centre) {
                    self.tell(&notice::of_alert(&self.node, centre, &change)?, held).await?;
                }
            }
        }
        Ok(())
    }

    async fn tell(&self, notice: &Notice, held: &mut Held) -> Result<(), Interrupted> {
        if held.has(notice) {
            return Ok(());
        }
        self.outward.publish(notice.message.clone().prepare()?, None).await?.await?;
        held.take(&notice.message.payload);
        self.metrics.alert();
        Ok(())
    }

    fn has_rules(&self, centre: &CentreId) -> bool {
        self.rules.values().any(|centres| centres.contains(centre))
    }

    fn wants(&self, centre: &CentreId, change: &AlertChange) -> bool {
        self.rules.get(&change.alert.rule).is_some_and(|centres| centres.contains(centre))
    }

    /// Folding takes its time: on a thread that may.
    async fn folded<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Fold) -> T + Send + 'static,
    ) -> Result<T, Interrupted> {
        let fold = Arc::clone(&self.fold);
        let worked = tokio::task::spawn_blocking(move || {
            work(&mut fold.lock().unwrap_or_else(PoisonError::into_inner))
        });
        worked.await.map_err(|_stopping| Interrupted::Cut)
    }
}

/// Resolves once there are other rules than these.
async fn others(mut current: watch::Receiver<Arc<Network>>, network: &Network, rules: &Rules) {
    let other = |current: &Arc<Network>| notice::rules(network, current) != *rules;
    if current.wait_for(other).await.is_err() {
        // Nobody changes them any more.
        std::future::pending::<()>().await;
    }
}

impl Fold {
    /// Of nothing yet.
    fn of(rules: &Rules) -> Arc<Mutex<Self>> {
        let alerts = Alerts::new(rules.keys().cloned());
        Arc::new(Mutex::new(Self { alerts, news: VecDeque::new(), cleared: VecDeque::new() }))
    }

    fn apply(&mut self, records: &[Record]) {
        let mut changes = Vec::new();
        for record in records {
            // Publishing may have been interrupted while these were folded: then they come again.
            if record.position <= self.alerts.position() {
                continue;
            }
            let Record { position, recorded_at, kind, content_type, bytes, .. } = record;
            let event = contracts::is_event_kind(kind)
                .then(|| contracts::recorded(*position, *recorded_at, content_type, bytes.clone()));
            match event {
                Some(Ok(event)) => self.alerts.project(&event, &mut changes),
                // The board tells of an event that can not be read.
                Some(Err(_)) | None => {
                    self.alerts.pass(*position, Timestamp::from_micros(*recorded_at), &mut changes);
                }
            }
        }
        self.note(changes);
    }

    fn due(&mut self, now: Timestamp, head: u64) {
        if self.alerts.position() < head {
            return;
        }
        let mut changes = Vec::new();
        self.alerts.due(now, &mut changes);
        self.note(changes);
    }

    fn note(&mut self, changes: Vec<AlertChange>) {
        let keep = |kept: &mut VecDeque<AlertChange>, change: AlertChange| {
            if kept.len() >= CHANGES_MAX {
                kept.pop_front();
            }
            kept.push_back(change);
        };
        for change in changes {
            if matches!(change.step, AlertStep::Cleared { .. }) {
                keep(&mut self.cleared, change.clone());
            }
            keep(&mut self.news, change);
        }
    }
}
