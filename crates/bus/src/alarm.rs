//! What somebody has to know of at once: an alarm is logged, counted, and handed to whoever listens.
//!
//! Never personal data, never a key: an alarm names the code, the region, the sender and a position. Not here: what
//! is an alarm (each part decides), what is published of it (`gateway`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::RegionId;
use network::SenderName;
use tokio::sync::broadcast;

/// Alarms that wait for a listener; one that lags further behind is told how many it missed.
const WAITING_MAX: usize = 256;
/// Alarms told of one code, region and sender in a [`SPELL`]; further ones are only counted, so that an attacker can
/// not flood the log and the subscribers, nor hide what another does.
const TOLD_MAX: u32 = 10;
/// After so long an alarm of the same code, region and sender is told again.
const SPELL: Duration = Duration::from_mins(1);
/// Codes with region and sender that are remembered: some 30 codes in some 40 regions, each with some senders.
const REMEMBERED_MAX: usize = 16_384;

/// One thing that went wrong and that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What went wrong, for programs, such as `bad_signature`.
    pub code: &'static str,
    /// Where, if it is of one region.
    pub region: Option<RegionId>,
    /// Whose message it was, by its subject.
    pub sender: Option<SenderName>,
    /// What the log says of it, if it does.
    pub position: Option<u64>,
    /// What happened and what to do, for people.
    pub detail: String,
    /// Whether somebody may have tried what is not theirs.
    pub security: bool,
}

impl Alarm {
    /// An alarm of this code that says nothing but this.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, region: None, sender: None, position: None, detail: detail.into(), security: false }
    }
}

/// Where alarms are raised and listened to. Clones share it.
#[derive(Clone, Debug)]
pub struct Alarms(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    told: broadcast::Sender<Alarm>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    raised: BTreeMap<&'static str, u64>,
    spells: BTreeMap<(&'static str, Option<RegionId>, Option<SenderName>), Spell>,
}

#[derive(Debug)]
struct Spell {
    began: Instant,
    told: u32,
}

impl Default for Alarms {
    fn default() -> Self {
        Self::new()
    }
}

impl Alarms {
    /// Nobody listens yet, nothing is raised yet.
    #[must_use]
    pub fn new() -> Self {
        let (told, _nobody) = broadcast::channel(WAITING_MAX);
        Self(Arc::new(Shared { told, counts: Mutex::new(Counts::default()) }))
    }

    /// Raises an alarm: it is counted, and told unless ten of the same code, region and sender were told within a minute.
    pub fn raise(&self, alarm: Alarm) {
        if !self.counts_lock().count(&alarm, Instant::now()) {
            return;
        }
        tracing::error!(
            alarm = alarm.code,
            region = alarm.region.as_ref().map(tracing::field::display),
            sender = alarm.sender.as_ref().map(tracing::field::display),
            position = alarm.position,
            security = alarm.security,
            "{}",
            alarm.detail
        );
        // Nobody needs to listen.
        drop(self.0.told.send(alarm));
    }

    /// Every alarm that is told from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Alarm> {
        self.0.told.subscribe()
    }

    /// How many were raised, told or not, by code.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts_lock().raised.clone()
    }

    fn counts_lock(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Counts it; whether it is to be told too.
    fn count(&mut self, alarm: &Alarm, now: Instant) -> bool {
        let raised = self.raised.entry(alarm.code).or_default();
        *raised = raised.saturating_add(1);
        if self.spells.len() >= REMEMBERED_MAX {
            self.spells.clear();
        }
        let key = (alarm.code, alarm.region.clone(), alarm.sender.clone());
        let spell = self.spells.entry(key).or_insert(Spell { began: now, told: 0 });
        if now.saturating_duration_since(spell.began) >= SPELL {
            *spell = Spell { began: now, told: 0 };
        }
        spell.told = spell.told.saturating_add(1);
        spell.told <= TOLD_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(region: &str) -> Alarm {
        Alarm { region: Some(region.parse().unwrap()), ..Alarm::new("bad_signature", "look at it") }
    }

    #[test]
    fn a_flood_is_counted_and_told_ten_times_and_another_region_or_sender_is_still_told() {
        let alarms = Alarms::new();
        let mut told = alarms.subscribe();
        for _ in 0..100 {
            alarms.raise(of("zk01"));
        }
        let another = Alarm { sender: Some("loket".parse().unwrap()), ..of("zk01") };
        alarms.raise(another.clone());
        alarms.raise(of("zk02"));
        assert_eq!(alarms.counts(), BTreeMap::from([("bad_signature", 102)]));
        let told: Vec<Alarm> = std::iter::from_fn(|| told.try_recv().ok()).collect();
        assert_eq!(told.len(), 12);
        assert_eq!(told.last(), Some(&of("zk02")));
        assert!(told.contains(&another));
    }

    #[test]
    fn after_a_minute_an_alarm_is_told_again() {
        let (mut counts, begin) = (Counts::default(), Instant::now());
        let told =
            |counts: &mut Counts, at: Instant| (0..20).filter(|_| counts.count(&of("zk01"), at)).count();
        assert_eq!(told(&mut counts, begin), 10);
        assert_eq!(told(&mut counts, begin + SPELL.saturating_sub(Duration::from_millis(1))), 0);
        assert_eq!(told(&mut counts, begin + SPELL), 10);
    }
}
