//! Tells the node's own alarms on `acute.core.alarm`.
//!
//! Bounded twice: the alarms themselves are limited per code and region (`bus::alarm`), and here in all. What is left
//! out is counted and said with the next one. Not here: what is an alarm.

use std::sync::Arc;
use std::time::Duration;

use bus::alarm::{Alarm, Alarms};
use bus::outward::Outward;
use domain::Timestamp;
use eventlog::Clock;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;

use crate::metrics::Metrics;
use crate::notice::{self, Notice};
use crate::{Interrupted, Part};

/// Alarms told within a [`SPELL`]: as many as a person could look at.
const TOLD_MAX: u32 = 120;
/// After so long further alarms are told again.
const SPELL: Duration = Duration::from_mins(1);

/// Publishes alarms.
pub(crate) struct AlarmsOut {
    outward: Outward,
    alarms: Alarms,
    told: broadcast::Receiver<Alarm>,
    clock: Arc<dyn Clock>,
    node: String,
    number: u64,
    left_out: u64,
    spell: (Instant, u32),
    /// Handed over and maybe not stored: told again under the same id.
    unsure: Option<Notice>,
    metrics: Arc<Metrics>,
}

impl Part for AlarmsOut {
    async fn serve(&mut self) -> Interrupted {
        loop {
            if let Err(interrupted) = self.tell().await {
                return interrupted;
            }
            let alarm = match self.told.recv().await {
                Ok(alarm) => alarm,
                Err(RecvError::Lagged(missed)) => {
                    self.left_out = self.left_out.saturating_add(missed);
                    continue;
                }
                // Nobody is left who could raise one.
                Err(RecvError::Closed) => std::future::pending().await,
            };
            if let Err(error) = self.note(&alarm) {
                return error.into();
            }
        }
    }
}

impl AlarmsOut {
    pub(crate) fn new(
        outward: Outward,
        (alarms, told): (Alarms, broadcast::Receiver<Alarm>),
        (clock, node): (Arc<dyn Clock>, String),
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            outward,
            told,
            alarms,
            clock,
            node,
            number: 0,
            left_out: 0,
            spell: (Instant::now(), 0),
            unsure: None,
            metrics,
        }
    }

    fn note(&mut self, alarm: &Alarm) -> Result<(), serde_json::Error> {
        if self.spell.0.elapsed() >= SPELL {
            self.spell = (Instant::now(), 0);
        }
        if self.spell.1 >= TOLD_MAX {
            self.left_out = self.left_out.saturating_add(1);
            return Ok(());
        }
        self.spell.1 = self.spell.1.saturating_add(1);
        self.number = self.number.saturating_add(1);
        let raised = self.alarms.counts().get(alarm.code).copied().unwrap_or(0);
        let at = (Timestamp::from_micros(self.clock.now()), self.number);
        self.unsure =
            Some(notice::of_alarm(&self.node, alarm, at, (raised, std::mem::take(&mut self.left_out)))?);
        Ok(())
    }

    async fn tell(&mut self) -> Result<(), Interrupted> {
        if let Some(notice) = &self.unsure {
            self.outward.publish(notice.message.clone().prepare()?, None).await?.await?;
            self.metrics.alarm();
            self.unsure = None;
        }
        Ok(())
    }
}
