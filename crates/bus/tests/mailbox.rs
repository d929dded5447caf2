//! What a reader of a mailbox is told of a broker that goes away, against a real nats-server.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::time::Duration;

use bus::{Bus, Config, MailboxError, MailboxLimits};
use domain::RegionId;
use futures::FutureExt as _;
use tests::Broker;

const SERVER: &str = "jetstream { store_dir: \"{folder}/store\", sync_interval: always }";
/// Less than the ten seconds for which the client waits for an answer.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn mailbox(broker: &Broker) -> (Bus, RegionId) {
    let bus = Bus::connect(Config::new(broker.url(), "test")).await.unwrap();
    let region: RegionId = "zk01".parse().unwrap();
    bus.provision_mailbox(&region, MailboxLimits::default()).await.unwrap();
    (bus, region)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looked_at_a_mailbox_when_the_broker_died_is_told_at_once_and_may_ask_again() {
    let mut broker = Broker::start(SERVER);
    let (bus, region) = mailbox(&broker).await;
    broker.halt();
    let mut look = std::pin::pin!(bus.look_at_mailbox(&region, MailboxLimits::default()));
    assert!(look.as_mut().now_or_never().is_none(), "a halted broker answered");
    broker.kill9();
    let told = tokio::time::timeout(AT_ONCE, look).await.unwrap();
    assert!(matches!(told, Err(MailboxError::Open { .. })), "{told:?}");
    broker.restart();
    let sight = bus.look_at_mailbox(&region, MailboxLimits::default()).await.unwrap();
    assert!(sight.stream.is_some() && sight.consumer.is_some(), "{sight:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opened_a_mailbox_when_the_broker_died_is_told_at_once_and_may_open_it_again() {
    let mut broker = Broker::start(SERVER);
    let (bus, region) = mailbox(&broker).await;
    broker.halt();
    let mut opening = std::pin::pin!(bus.open_mailbox(&region, 0));
    assert!(opening.as_mut().now_or_never().is_none(), "a halted broker answered");
    broker.kill9();
    let told = tokio::time::timeout(AT_ONCE, opening).await.unwrap();
    assert!(matches!(told, Err(MailboxError::Open { .. })), "{:?}", told.err());
    broker.restart();
    bus.open_mailbox(&region, 0).await.unwrap();
}
