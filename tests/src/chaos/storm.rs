//! Everything a mailbox ever took is given out again, and other regions do not notice.
//!
//! Not here: a flood of one sender (`tests/bench/bus`).

use std::fs;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use bus::{Bus, Login, Server};
use contracts::wire;
use futures::{StreamExt as _, TryStreamExt as _};
use network::{Account, Network};
use tokio::runtime::Runtime;

use super::rig::{MAILBOX, region};
use super::{Outcome, Rig};
use crate::eventually;

/// Messages that come again.
const MESSAGES: u64 = 100_000;
/// On their way into the mailbox at once.
const POSTED_MAX: usize = 256;
/// Each receipt of the other region is asked for so long after the one before.
const EVERY: Duration = Duration::from_millis(20);
/// What is recorded in this time is recorded in no time for this purpose.
const PATIENCE: Duration = Duration::from_mins(10);
/// The other region is to have its receipts within this.
const OTHERS_WITHIN: Duration = Duration::from_secs(1);

const SOURCES: &str = r#"{
    "urn:nld:kvknr:76849911:systeem:ecd": {"kind": "location", "name": "zk01-de-linde", "region": "zk01"},
    "urn:nld:kvknr:81186767:systeem:ecd": {"kind": "location", "name": "zk02-het-anker", "region": "zk02"}
}"#;

fn event(number: u64, source: &str, location: &str) -> String {
    let (region, at) = (&location[..4], "2026-03-02T09:10:00Z");
    format!(
        r#"{{"specversion":"1.0","id":"019391f2-6f00-7a11-8c11-{number:012x}","source":"{source}","type":"nl.doorstroom.bed.freed.v1","time":"{at}","subject":"{location}/1","datacontenttype":"application/json","region":"{region}","data":{{"occurred_at":"{at}","location":"{location}","bed":"1"}}}}"#
    )
}

/// The recorder's consumer is deleted and made anew, at the begin of a mailbox of 10⁵ messages.
pub(super) fn storm() -> Outcome {
    let events: Vec<String> = (0..MESSAGES)
        .map(|number| event(number, "urn:nld:kvknr:76849911:systeem:ecd", "zk01-de-linde"))
        .collect();
    let network = Network::from_sources("storm.json", SOURCES).unwrap();
    let mut rig = Rig::with(&network, events);
    post(&rig);
    eventually("record of everything", PATIENCE, || {
        (rig.counted("doorstroom_recorded_total") >= MESSAGES).then_some(())
    });
    rig.receipted_by_the_log();
    let (others, mut asked) = (Others::connect(&rig), MESSAGES);
    let calm = others.worst(&mut asked, |asked| asked < MESSAGES + 100);
    let (before, since) = (memory(&rig), Instant::now());
    rig.admin(|jetstream| async move {
        jetstream.delete_consumer_from_stream("rec", MAILBOX).await.unwrap();
    });
    let found = rig.alarmed("mailbox_missing", since);
    let stormy = others.worst(&mut asked, |_| rig.counted("doorstroom_duplicates_total") < MESSAGES);
    let healed = since.elapsed();
    assert!(stormy < OTHERS_WITHIN, "another region waited {stormy:?} for a receipt");
    let did = format!(
        "10⁵ messages given out again; worst receipt of another region {} ms (calm: {} ms); memory {before} → {} MiB",
        stormy.as_millis(),
        calm.as_millis(),
        memory(&rig)
    );
    rig.check(&did, "mailbox_missing", found, healed)
}

fn post(rig: &Rig) {
    let events = rig.events.clone();
    rig.as_user(&region(), "zk01-de-linde", |client| async move {
        let jetstream = jetstream::new(client);
        let put = |event: String| {
            let jetstream = &jetstream;
            async move { jetstream.publish("in.zk01.zk01-de-linde.bed.freed", event.into()).await?.await }
        };
        let all = futures::stream::iter(events).map(put).buffered(POSTED_MAX);
        let () = all.try_for_each(async |_kept| Ok(())).await.unwrap();
    });
}

/// What the node holds in memory, in MiB.
fn memory(rig: &Rig) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", rig.node().pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}

/// A sender of the other region, at the counter.
struct Others {
    bus: Bus,
    runtime: Runtime,
}

impl Others {
    fn connect(rig: &Rig) -> Self {
        let runtime = Runtime::new().unwrap();
        let account = Account::Region("zk02".parse().unwrap());
        let login = Login::from_file(&rig.node().key(&account, "zk02-het-anker")).unwrap();
        let ca = Some(rig.site.data().join("keys/ca.pem"));
        let server = Server { url: rig.node().bus().to_owned(), ca };
        let config = bus::Config { server, name: "others".to_owned(), login: Some(login) };
        let bus = runtime.block_on(Bus::connect(config)).unwrap();
        Self { bus, runtime }
    }

    /// The longest that a receipt took, asked for one after the other for as long as that holds.
    fn worst(&self, number: &mut u64, go_on: impl Fn(u64) -> bool) -> Duration {
        let subject = "record.zk02.zk02-het-anker".parse().unwrap();
        let mut worst = Duration::ZERO;
        let begun = Instant::now();
        while go_on(*number) {
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            *number += 1;
            let event = event(*number, "urn:nld:kvknr:81186767:systeem:ecd", "zk02-het-anker");
            let raw = wire::RawEvent {
                content_type: "application/cloudevents+json".to_owned(),
                bytes: event.into_bytes().into(),
            };
            let request = wire::AppendRequest { events: vec![raw], condition: None };
            let asked = Instant::now();
            let receipts = self.runtime.block_on(self.bus.append(&subject, &request, PATIENCE)).unwrap();
            worst = worst.max(asked.elapsed());
            assert!(receipts.iter().all(|receipt| receipt.position.is_some()), "{receipts:?}");
            std::thread::sleep(EVERY);
        }
        worst
    }
}
