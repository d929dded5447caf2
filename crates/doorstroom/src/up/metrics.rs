//! What a node counts, as Prometheus text.
//!
//! Not here: the numbers themselves; each part keeps its own and is asked when somebody looks.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// A number that is read when it is asked for.
type Read = Box<dyn Fn() -> u64 + Send + Sync>;

/// Numbers of one name, told apart by the value of a label.
type ReadMany = Box<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>;

/// Numbers by name.
#[derive(Default)]
pub(crate) struct Metrics {
    numbers: Vec<Number>,
    labelled: Vec<Labelled>,
}

struct Labelled {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    read: ReadMany,
}

struct Number {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    read: Read,
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

impl Metrics {
    /// Something that only grows while the process lives; `_total` is added to its name.
    pub(crate) fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.numbers.push(Number { name, help, kind: Kind::Counter, read: Box::new(read) });
    }

    /// Several that only grow, told apart by the value of `label`.
    pub(crate) fn counters(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        read: impl Fn() -> Vec<(&'static str, u64)> + Send + Sync + 'static,
    ) {
        self.labelled.push(Labelled { name, help, label, read: Box::new(read) });
    }

    /// Something that goes up and down.
    pub(crate) fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.numbers.push(Number { name, help, kind: Kind::Gauge, read: Box::new(read) });
    }

    /// The text, made anew at each call.
    pub(crate) fn into_text(self) -> impl Fn() -> String + Send + Sync + 'static {
        let mut registry = Registry::with_prefix("doorstroom");
        registry.register_collector(Box::new(self));
        move || {
            let mut text = String::new();
            if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &registry) {
                tracing::error!(%error, "metrics can not be written");
            }
            text
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.numbers.iter().map(|number| number.name)).finish()
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for number in &self.numbers {
            let value = (number.read)();
            match number.kind {
                Kind::Counter => {
                    let counter = ConstCounter::new(value);
                    counter.encode(encoder.encode_descriptor(
                        number.name,
                        number.help,
                        None,
                        counter.metric_type(),
                    )?)?;
                }
                Kind::Gauge => {
                    let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
                    gauge.encode(encoder.encode_descriptor(
                        number.name,
                        number.help,
                        None,
                        gauge.metric_type(),
                    )?)?;
                }
            }
        }
        for Labelled { name, help, label, read } in &self.labelled {
            let kind = ConstCounter::new(0_u64).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (value, number) in read() {
                let labels = [(*label, value)];
                ConstCounter::new(number).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_when_they_are_asked_for() {
        let mut metrics = Metrics::default();
        metrics.gauge("log_position", "Last position", || 7);
        metrics.counter("recorded", "Events recorded", || 3);
        metrics.counters("alarms", "Alarms", "code", || vec![("conflict", 2)]);
        let text = metrics.into_text()();
        assert!(text.contains("doorstroom_alarms_total{code=\"conflict\"} 2"), "{text}");
        assert!(text.contains("doorstroom_log_position 7"), "{text}");
        assert!(text.contains("doorstroom_recorded_total 3"), "{text}");
    }
}
