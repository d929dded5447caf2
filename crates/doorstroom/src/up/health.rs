//! Whether the node is of use, and what it counts: asked of every part.
//!
//! Not here: how that is served (`portal`).

use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use bus::alarm::Alarms;
use eventlog::EventLog;
use portal::{Check, Checks};
use views::Availability;

use super::metrics::Metrics;

/// A view that is this many events behind the log is not live: it catches up over 100,000 a second.
const LAG_EVENTS_MAX: u64 = 10_000;

/// Between two looks at whether the rows are on the bus, at start only.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// The parts of a running node, to be looked at.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) log: EventLog,
    pub(crate) bus: Bus,
    pub(crate) view: projector::Handle<Availability>,
    pub(crate) recorder: recorder::Handle,
    pub(crate) gateway: gateway::Handle,
    pub(crate) alarms: Alarms,
}

impl Parts {
    /// Events in the log that the view has not seen.
    fn lag(&self) -> u64 {
        self.log.head().position.saturating_sub(self.view.standing().borrow().position)
    }

    /// Everything a node counts.
    pub(crate) fn metrics(&self, broker_starts: Option<impl Fn() -> u64 + Send + Sync + 'static>) -> Metrics {
        let mut metrics = Metrics::default();
        let log = self.log.clone();
        metrics.gauge("log_position", "Position of the last recorded event", move || log.head().position);
        let parts = self.clone();
        metrics
            .gauge("view_lag_events", "Events in the log that the board has not seen", move || parts.lag());
        let view = self.view.clone();
        metrics.counter("view_undecodable", "Recorded events that the board could not read", move || {
            view.undecodable()
        });
        let view = self.view.clone();
        metrics.gauge("contradictions", "Contradictions on the board", move || {
            view.read(Availability::contradictions)
        });
        let bus = self.bus.clone();
        metrics.gauge("broker_connected", "Whether the connection to the broker stands", move || {
            u64::from(bus.connected())
        });
        let bus = self.bus.clone();
        metrics.counter(
            "bus_dropped",
            "Messages dropped at a full door; their senders send again",
            move || bus.dropped(),
        );
        if let Some(starts) = broker_starts {
            metrics.counter("broker_starts", "How often the broker was started", starts);
        }
        let recorder = self.recorder.clone();
        metrics.gauge("counters_open", "Regions whose counter takes requests", move || {
            number(recorder.doors().counters())
        });
        let recorder = self.recorder.clone();
        metrics.gauge("mailboxes_open", "Regions whose mailbox is being read", move || {
            number(recorder.doors().mailboxes())
        });
        let alarms = self.alarms.clone();
        metrics.counters("alarms", "Alarms raised, by code", "code", move || {
            alarms.counts().into_iter().collect()
        });
        self.recorder_metrics(&mut metrics);
        self.gateway_metrics(&mut metrics);
        metrics
    }

    fn recorder_metrics(&self, metrics: &mut Metrics) {
        type Number = fn(&recorder::Metrics) -> u64;
        let numbers: [(&str, &str, Number); 10] = [
            ("busy", "Requests of senders that had too much on their way", recorder::Metrics::busy),
            ("recorded", "Events recorded for the first time", recorder::Metrics::recorded),
            ("duplicates", "Events that were there already", recorder::Metrics::duplicates),
            ("conflicts", "Ids used again for something else", recorder::Metrics::conflicts),
            ("quarantined", "Messages kept aside", recorder::Metrics::quarantined),
            (
                "conditions_failed",
                "Events whose append condition did not hold",
                recorder::Metrics::conditions_failed,
            ),
            ("failed", "Events not recorded for another reason", recorder::Metrics::failed),
            ("clock_suspect", "Events of a clock that can not be right", recorder::Metrics::clock_suspect),
            ("sequence_holes", "Places where a source left numbers out", recorder::Metrics::sequence_holes),
            ("unanswerable", "Receipts that could not be sent", recorder::Metrics::unanswerable),
        ];
        for (name, help, read) in numbers {
            let recorder = self.recorder.clone();
            metrics.counter(name, help, move || read(recorder.metrics()));
        }
    }

    fn gateway_metrics(&self, metrics: &mut Metrics) {
        type Number = fn(&gateway::Metrics) -> u64;
        let numbers: [(&str, &str, Number); 5] = [
            ("gateway_puts", "Rows put on the bus", gateway::Metrics::puts),
            ("gateway_deletes", "Rows deleted from the bus", gateway::Metrics::deletes),
            ("gateway_events", "Recorded events put on the bus", gateway::Metrics::events),
            ("gateway_errors", "Interruptions of publishing", gateway::Metrics::errors),
            ("gateway_answers", "Requests answered with rows", gateway::Metrics::answers),
        ];
        for (name, help, read) in numbers {
            let gateway = self.gateway.clone();
            metrics.counter(name, help, move || read(gateway.metrics()));
        }
        let gateway = self.gateway.clone();
        metrics.gauge("gateway_position", "The rows on the bus are those of this position", move || {
            gateway.metrics().rows_position()
        });
        let gateway = self.gateway.clone();
        metrics.gauge(
            "gateway_log_position",
            "Recorded events up to this position are on the bus",
            move || gateway.metrics().log_position(),
        );
    }

    /// Waits until both doors are open and subscribers find every row.
    pub(crate) async fn open(&self) {
        self.recorder.until_open().await;
        while self.gateway.metrics().compared() == 0 {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// The checks of readiness.
    pub(crate) fn checks(self) -> Arc<dyn Checks> {
        Arc::new(self)
    }
}

impl Checks for Parts {
    fn readiness(&self) -> Vec<Check> {
        let doors = self.recorder.doors();
        let failure = self.log.failure();
        let lag = self.lag();
        let view_failure = self.view.failure();
        vec![
            check("recorder", doors.all_open(), || {
                format!(
                    "counters open: {}, mailboxes read: {}, of {} regions",
                    doors.counters(),
                    doors.mailboxes(),
                    doors.0.len()
                )
            }),
            check("log", failure.is_none(), || {
                failure.clone().map_or_else(
                    || format!("recorded up to position {}", self.log.head().position),
                    |reason| format!("it stopped: {reason}; start the node again"),
                )
            }),
            check("broker", self.bus.connected(), || {
                if self.bus.connected() {
                    "connected".to_owned()
                } else {
                    "no connection; it is tried again".to_owned()
                }
            }),
            check("view", view_failure.is_none() && lag <= LAG_EVENTS_MAX, || {
                view_failure.clone().unwrap_or_else(|| format!("{lag} events behind the log"))
            }),
        ]
    }
}

fn number(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

fn check(name: &str, ok: bool, detail: impl FnOnce() -> String) -> Check {
    Check { name: name.to_owned(), ok, detail: detail() }
}
