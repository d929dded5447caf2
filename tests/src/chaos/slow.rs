//! Subscribers that stand still while much happens, and end with what all others have.
//!
//! Not here: subscribers that lose their connection (`tests/subscriber.rs`).

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use network::Account;
use rustix::process::Signal;
use serde_json::Value;

use super::{Outcome, Rig};
use crate::eventually;
use crate::process::signal;

/// Longer than the broker waits for one who does not take what it is given (10 s).
const HALTED_FOR: Duration = Duration::from_secs(15);
/// How long one that goes on may take to have everything.
const CATCHES_UP_WITHIN: Duration = Duration::from_mins(2);

/// A `doorstroom watch`, whose lines are collected.
struct Watch {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
    _reading: JoinHandle<()>,
}

impl Watch {
    fn start(rig: &Rig, what: &str) -> Self {
        let mut command = rig.site.command(["watch", what, "--json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (lines, from) = (Arc::<Mutex<Vec<Value>>>::default(), child.stdout.take().unwrap());
        let to = Arc::clone(&lines);
        let reading = std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                to.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, lines, _reading: reading }
    }

    fn signal(&self, which: Signal) {
        signal(self.child.id(), which);
    }

    /// The rows as they are by what it was told so far.
    fn rows(&self) -> BTreeMap<String, Value> {
        let mut rows = BTreeMap::new();
        for line in self.lines.lock().unwrap().iter() {
            let Some(key) = line.get("key").and_then(Value::as_str) else {
                // The whole board follows anew.
                rows.clear();
                continue;
            };
            match line.get("row").filter(|row| !row.is_null()) {
                Some(row) => rows.insert(key.to_owned(), row.clone()),
                None => rows.remove(key),
            };
        }
        rows
    }

    /// The positions of the events it was told of.
    fn positions(&self) -> Vec<u64> {
        let lines = self.lines.lock().unwrap();
        lines.iter().map(|line| line.get("position").and_then(Value::as_u64).unwrap()).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Watchers of the board and of recorded events stand still while a day of a region is recorded.
#[must_use]
pub fn halted_subscribers() -> Outcome {
    halted(Rig::start(), Duration::ZERO)
}

/// The same with two days of the country, for longer than the broker waits for them.
pub(super) fn of_the_nation() -> Outcome {
    let nation = crate::reference("national-two-days");
    halted(Rig::with(&nation.network, nation.events), HALTED_FOR)
}

fn halted(mut rig: Rig, at_least: Duration) -> Outcome {
    let (board, events) = (Watch::start(&rig, "availability"), Watch::start(&rig, "events"));
    rig.as_user(&Account::Core, "_operator", |client| async move {
        let jetstream = jetstream::new(client);
        for stream in ["KV_availability", "LOG_zk01"] {
            while jetstream.get_stream(stream).await.unwrap().cached_info().state.consumer_count == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    // Who stands still before it was given anything never began: it watches once it has told of something.
    let (count, first) = (rig.events.len(), rig.events.len() / 10);
    let some = rig.send(0..first);
    rig.sent(some);
    eventually("watch that told of something", CATCHES_UP_WITHIN, || {
        (!events.positions().is_empty() && !board.rows().is_empty()).then_some(())
    });
    for watch in [&board, &events] {
        watch.signal(Signal::STOP);
    }
    let since = Instant::now();
    let rest = rig.send(first..count);
    rig.sent(rest);
    std::thread::sleep(at_least.saturating_sub(since.elapsed()));
    for watch in [&board, &events] {
        watch.signal(Signal::CONT);
    }
    let since = Instant::now();
    eventually("events at the one that stood still", CATCHES_UP_WITHIN, || {
        (events.positions().len() >= count).then_some(())
    });
    let mut positions = events.positions();
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions.len(), count, "each event once");
    let printed = rig.site.run(["board", "--json"]).ok();
    let expected: Value = serde_json::from_str(&printed).unwrap();
    let expected = expected.get("rows").and_then(Value::as_array).unwrap();
    eventually("board at the one that stood still", CATCHES_UP_WITHIN, || {
        let rows = board.rows();
        let mut found: Vec<&Value> =
            rows.iter().filter(|(key, _)| key.contains(".loc.")).map(|(_, row)| row).collect();
        let order = |row: &&Value| {
            ["region", "location", "care_type"].map(|key| row.get(key).map(ToString::to_string))
        };
        found.sort_by_key(order);
        let mut expected: Vec<&Value> = expected.iter().collect();
        expected.sort_by_key(order);
        (found == expected).then_some(())
    });
    let healed = since.elapsed();
    rig.check("watchers of board and events halted while all is sent", "none is due", Duration::ZERO, healed)
}
