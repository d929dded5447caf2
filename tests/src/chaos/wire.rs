//! A broker that is alive and not reached: cut off for a moment, or silent for long.
//!
//! Not here: packets that a machine drops (`netns`).

use std::fs;
use std::time::{Duration, Instant};

use super::{Outcome, Proxy, Rig};
use crate::{Broker, eventually};

/// How long a node may take to notice that its broker says nothing any more: two pings that stay without an answer.
const SILENCE_FOUND_WITHIN: Duration = Duration::from_secs(20);

/// A node, and a desk, each on a wire of its own to the same broker.
struct Wired {
    rig: Rig,
    node: Proxy,
    desk: Proxy,
    _broker: Broker,
}

impl Wired {
    fn start() -> Self {
        let day = crate::reference("region-day");
        let mut rig = Rig::with(&day.network, day.events);
        // The configuration is that of a node's own broker, elsewhere.
        rig.down();
        let config = configuration(&rig, "");
        let broker = Broker::start(&config.replace(STORE, "{folder}/store"));
        let port = broker.url().rsplit(':').next().unwrap().parse().unwrap();
        let (node, desk) = (Proxy::to(port), Proxy::to(port));
        rig.site = rig.site.with(&["--nats", &url(&node)]);
        rig.up();
        Self { rig, node, desk, _broker: broker }
    }
}

fn url(proxy: &Proxy) -> String {
    format!("tls://127.0.0.1:{}", proxy.port())
}

/// Stands for the store of a broker in a configuration.
pub(super) const STORE: &str = "{store}";

/// The configuration that a node wrote for its own broker, with another store and another `listen` line.
pub(super) fn configuration(rig: &Rig, listen: &str) -> String {
    let written = fs::read_to_string(rig.site.data().join("broker/nats.conf")).unwrap();
    let line = |line: &str| match line.trim_start().split(':').next() {
        Some("listen") => listen.to_owned(),
        Some("store_dir") => format!("store_dir: \"{STORE}\""),
        _ => line.to_owned(),
    };
    written.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// All connections are cut, and refused for a second.
#[must_use]
pub fn cut_for_a_second() -> Outcome {
    let Wired { rig, node, desk, _broker } = Wired::start();
    let both = |act: fn(&Proxy)| [&node, &desk].into_iter().for_each(act);
    let bus = url(&desk);
    let did = "connections of node and desk cut and refused for 1 s";
    interrupted(rig, &bus, did, Duration::from_secs(1), || both(Proxy::cut), || both(Proxy::pass))
}

/// Nothing passes for half a minute, and nobody is told.
pub(super) fn half_open() -> Outcome {
    let Wired { rig, node, desk, _broker } = Wired::start();
    let both = |act: fn(&Proxy)| [&node, &desk].into_iter().for_each(act);
    let bus = url(&desk);
    let did = "node and desk half-open for 30 s (a wire that holds everything back)";
    interrupted(rig, &bus, did, Duration::from_secs(30), || both(Proxy::hold), || both(Proxy::pass))
}

/// Interrupts the way to the broker while a desk sends, for so long.
pub(super) fn interrupted(
    mut rig: Rig,
    bus: &str,
    did: &str,
    lasting: Duration,
    interrupt: impl FnOnce(),
    mend: impl FnOnce(),
) -> Outcome {
    let first = rig.send_with(0..300, &["--bus", bus]);
    rig.sent(first);
    let second = rig.send_with(300..rig.events.len(), &["--bus", bus]);
    eventually("event recorded from the middle of a send", Duration::from_secs(30), || {
        (rig.counted("doorstroom_recorded_total") > 310).then_some(())
    });
    let since = Instant::now();
    interrupt();
    let found = eventually("unreadiness", SILENCE_FOUND_WITHIN, || {
        (rig.node().get("/readyz").0 != 200).then(|| since.elapsed())
    });
    std::thread::sleep(lasting.saturating_sub(since.elapsed()));
    mend();
    rig.sent(second);
    let healed = since.elapsed();
    eventually("readiness", Duration::from_secs(30), || (rig.node().get("/readyz").0 == 200).then_some(()));
    Outcome { within: SILENCE_FOUND_WITHIN, ..rig.check(did, "/readyz 503", found, healed) }
}
