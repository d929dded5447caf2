//! What is done to the broker's streams and to the log.
//!
//! Not here: the disk below the broker (`disk`), the network (`wire`, `netns`).
#![expect(clippy::missing_panics_doc, reason = "a scenario panics wherever something is not as it has to be")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use async_nats::jetstream::consumer::{self, PullConsumer, pull};
use futures::StreamExt as _;

use super::rig::{MAILBOX, region};
use super::{Outcome, Rig};

/// Events recorded before the fault.
const BEFORE: usize = 300;
/// Messages that are in the mailbox, not recorded, when it happens.
const WAITING: u64 = 100;
/// How long the second reader takes what it is given, and then does not.
const TAKES_FOR: Duration = Duration::from_millis(300);
/// After so many it takes no more.
const TAKES_MAX: usize = 60;
/// Longer than the broker waits for an acknowledgement.
const ACK_WAIT_OVER: Duration = Duration::from_secs(33);

/// The broker's storage is wiped, with mail in it that nobody has recorded.
#[must_use]
pub fn wiped() -> Outcome {
    let mut rig = Rig::start();
    let (since, sending) = with_mail_waiting(&mut rig, |store| fs::remove_dir_all(store).unwrap());
    ended(rig, sending, "storage of the broker wiped, with mail in it", "mailbox_recreated", since)
}

/// The broker's storage is put back to an older state: numbers it gave out come again for other messages.
#[must_use]
pub fn rolled_back() -> Outcome {
    let mut rig = Rig::start();
    let first = rig.send(0..200);
    rig.sent(first);
    rig.down();
    let old = rig.site.folder().join("old-store");
    copy(&rig.store(), &old);
    rig.up();
    let second = rig.send(200..500);
    rig.sent(second);
    let since = rig.while_broker_is_dead(|store| {
        fs::remove_dir_all(store).unwrap();
        copy(&old, store);
    });
    let third = rig.send(500..rig.events.len());
    ended(rig, third, "storage of the broker set back, numbers used again", "mailbox_rolled_back", since)
}

/// A bit of a message on the broker's disk flips, and the power is cut: the broker forgets half of what it had.
#[must_use]
pub fn bit_flip() -> Outcome {
    let mut rig = Rig::start();
    let flipped = rig.events.get(BEFORE / 2).cloned().unwrap();
    let (since, sending) = with_mail_waiting(&mut rig, |store| flip_in(store, &flipped));
    ended(rig, sending, "one bit flipped in a .blk (R1), kill -9", "mailbox_rolled_back", since)
}

/// Somebody deletes the recorder's consumer.
#[must_use]
pub fn consumer_deleted() -> Outcome {
    let mut rig = Rig::start();
    let first = rig.send(0..BEFORE);
    rig.sent(first);
    let since = Instant::now();
    rig.admin(|jetstream| async move {
        jetstream.delete_consumer_from_stream("rec", MAILBOX).await.unwrap();
    });
    let second = rig.send(BEFORE..rig.events.len());
    ended(rig, second, "consumer deleted by an administrator", "mailbox_missing", since)
}

/// Somebody puts a consumer in the place of the recorder's that skips what waits and wants no acknowledgements: settings
/// that the broker lets nobody change back.
#[must_use]
pub fn consumer_replaced() -> Outcome {
    let mut rig = Rig::start();
    let first = rig.send(0..BEFORE);
    rig.sent(first);
    rig.halt();
    let second = rig.send(BEFORE..rig.events.len());
    rig.mailbox_has(number(BEFORE) + WAITING);
    rig.admin(|jetstream| async move {
        jetstream.delete_consumer_from_stream("rec", MAILBOX).await.unwrap();
        let other = pull::Config {
            durable_name: Some("rec".to_owned()),
            deliver_policy: consumer::DeliverPolicy::New,
            ack_policy: consumer::AckPolicy::None,
            ..pull::Config::default()
        };
        let _made = jetstream.create_consumer_on_stream(other, MAILBOX).await.unwrap();
    });
    rig.resume();
    let since = Instant::now();
    let found = rig.alarmed("mailbox_changed", since);
    rig.sent(second);
    rig.admin(|jetstream| async move {
        loop {
            let consumer = jetstream.get_consumer_from_stream::<pull::Config, _, _>("rec", MAILBOX).await;
            let config = consumer.ok().map(|consumer| consumer.cached_info().config.clone());
            if config.is_some_and(|config| {
                config.ack_policy == consumer::AckPolicy::Explicit
                    && config.deliver_policy == consumer::DeliverPolicy::All
            }) {
                return;
            }
            assert!(since.elapsed() < Duration::from_mins(1), "the consumer was not made anew");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(rig.site.log().contains("can not be set back and is made anew"), "it could be set back");
    rig.told("mailbox_changed");
    rig.check(
        "consumer replaced by one that can not be set back, with mail in the mailbox",
        "mailbox_changed",
        found,
        since.elapsed(),
    )
}

/// Somebody changes what the mailbox keeps, and tries to empty it.
#[must_use]
pub fn setting_changed() -> Outcome {
    let mut rig = Rig::start();
    let first = rig.send(0..BEFORE);
    rig.sent(first);
    let since = Instant::now();
    let wanted = rig.admin(|jetstream| async move {
        let stream = jetstream.get_stream(MAILBOX).await.unwrap();
        assert!(stream.purge().await.is_err(), "the mailbox can be emptied");
        let mut changed = stream.cached_info().config.clone();
        let wanted = changed.max_age;
        (changed.max_age, changed.discard) = (Duration::from_mins(1), jetstream::stream::DiscardPolicy::Old);
        jetstream.update_stream(changed).await.unwrap();
        wanted
    });
    let second = rig.send(BEFORE..rig.events.len());
    let found = rig.alarmed("mailbox_changed", since);
    rig.sent(second);
    rig.admin(|jetstream| async move {
        while jetstream.get_stream(MAILBOX).await.unwrap().cached_info().config.max_age != wanted {
            assert!(since.elapsed() < Duration::from_mins(1), "the mailbox was not set back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    rig.told("mailbox_changed");
    rig.check(
        "settings changed by an administrator (purge: refused)",
        "mailbox_changed",
        found,
        since.elapsed(),
    )
}

/// Somebody deletes the mailbox, with mail in it that nobody has recorded.
#[must_use]
pub fn stream_deleted() -> Outcome {
    let mut rig = Rig::start();
    let first = rig.send(0..BEFORE);
    rig.sent(first);
    rig.halt();
    let second = rig.send(BEFORE..rig.events.len());
    rig.mailbox_has(number(BEFORE) + WAITING);
    rig.admin(|jetstream| async move { jetstream.delete_stream(MAILBOX).await.unwrap() });
    rig.resume();
    let since = Instant::now();
    ended(rig, second, "mailbox deleted by an administrator, with mail in it", "mailbox_recreated", since)
}

/// Another reads the mailbox as the recorder's user while the recorder does, and acknowledges nothing.
#[must_use]
pub fn two_readers() -> Outcome {
    let mut rig = Rig::start();
    let since = Instant::now();
    let sending = rig.send(0..rig.events.len());
    let all = number(rig.events.len());
    let taken = rig.as_user(&region(), "_recorder", |client| async {
        let jetstream = jetstream::new(client);
        let mut taken = 0_usize;
        // The recorder's rights do not let it look for the stream, so the consumer is asked for by its name.
        let consumer: PullConsumer = jetstream.get_consumer_from_stream("rec", MAILBOX).await.unwrap();
        while rig.counted("doorstroom_recorded_total") < all {
            assert!(since.elapsed() < Duration::from_mins(2), "not everything is recorded");
            // Each theft makes the recorder begin anew, a little later each time: a few show it, more only take longer.
            if taken < TAKES_MAX {
                let pull = consumer.batch().max_messages(20).expires(TAKES_FOR);
                let mut batch = pull.messages().await.unwrap();
                while let Some(Ok(_message)) = batch.next().await {
                    taken += 1;
                }
            }
            // Its turn to look again; without a pause the recorder would begin anew for ever.
            tokio::time::sleep(TAKES_FOR).await;
        }
        taken
    });
    assert!(taken > 0, "nothing was taken away");
    rig.sent(sending);
    let healed = since.elapsed();
    rig.check(
        "a second reader of the mailbox that acknowledges nothing",
        "none is due",
        Duration::ZERO,
        healed,
    )
}

/// The node is halted with mail in its hands for longer than the broker waits for acknowledgements.
#[must_use]
pub fn late_acknowledgements() -> Outcome {
    let mut rig = Rig::start();
    let sending = rig.send(0..rig.events.len());
    while rig.counted("doorstroom_recorded_total") < WAITING {}
    rig.halt();
    std::thread::sleep(ACK_WAIT_OVER);
    rig.resume();
    let since = Instant::now();
    rig.sent(sending);
    let healed = since.elapsed();
    rig.check("node halted for 33 s with mail in its hands", "none is due", Duration::ZERO, healed)
}

/// The log is put back to an older copy; the broker has been told that what is missing was recorded.
#[must_use]
pub fn old_log() -> Outcome {
    let mut rig = Rig::start();
    let first = rig.send(0..BEFORE);
    rig.sent(first);
    rig.down();
    let (log, old) = (rig.site.data().join("log"), rig.site.folder().join("old-log"));
    copy(&log, &old);
    rig.up();
    let second = rig.send(BEFORE..600);
    rig.sent(second);
    rig.down();
    fs::remove_dir_all(&log).unwrap();
    copy(&old, &log);
    let since = Instant::now();
    rig.up();
    let third = rig.send(600..rig.events.len());
    ended(rig, third, "log set back to an older copy (1 s of it is the start)", "log_behind", since)
}

/// Has the broker die with mail in it that is not recorded, and its store changed. Gives when, and the sender.
fn with_mail_waiting(rig: &mut Rig, change: impl FnOnce(&Path)) -> (Instant, super::Sending) {
    let first = rig.send(0..BEFORE);
    rig.sent(first);
    rig.halt();
    let second = rig.send(BEFORE..rig.events.len());
    rig.mailbox_has(number(BEFORE) + WAITING);
    (rig.while_broker_is_dead(change), second)
}

/// Waits for the alarm and for the rest of the receipts, and checks.
fn ended(mut rig: Rig, sending: super::Sending, did: &str, alarm: &'static str, since: Instant) -> Outcome {
    let found = rig.alarmed(alarm, since);
    rig.sent(sending);
    let healed = since.elapsed();
    rig.told(alarm);
    rig.check(did, alarm, found, healed)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap()
}

/// Copies a folder that nobody writes to.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// Flips a bit of this event in the broker's files.
fn flip_in(store: &Path, event: &str) {
    let folder = store.join("jetstream/R_zk01/streams").join(MAILBOX).join("msgs");
    for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        let mut block = fs::read(&path).unwrap();
        let found = block.windows(event.len()).position(|window| window == event.as_bytes());
        if let Some(byte) = found.and_then(|at| block.get_mut(at)) {
            *byte ^= 1;
            fs::write(&path, block).unwrap();
            return;
        }
    }
    panic!("the event is in no block of {}", folder.display());
}
