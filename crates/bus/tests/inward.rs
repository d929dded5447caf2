//! What a subscriber sees of rows and recorded events, against a real nats-server.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::sync::Arc;

use bus::inward::{InwardError, RowChange};
use bus::outward::{KEY_HEADER, Outbound, Outward, POSITION_HEADER, RECORDED_AT_HEADER};
use bus::provisioner::Provisioner;
use bus::{Bus, Config, Limits, Logins, Server};
use domain::RegionId;
use network::Network;
use tests::Broker;

const SERVER: &str = "jetstream { store_dir: \"{folder}/store\", sync_interval: always }";

/// Makes every stream of two regions and a centre, on a plain broker.
async fn provision(broker: &Broker) {
    let region = |code: &str| {
        format!(
            "[[region]]\ncode = \"{code}\"\nname = \"{code}\"\ndesk = {{ name = \"x\", phone = \"0\", hours = \"x\" }}\n"
        )
    };
    let centre = "[[centre]]\ncode = \"midden\"\nname = \"Midden\"\nregions = [\"zk01\"]\n";
    let text = format!("{}{}{centre}", region("zk01"), region("zk02"));
    let network = Arc::new(Network::from_toml("test", &text).unwrap());
    let server = Server::plain(broker.url());
    Provisioner::new(server, Logins::None, network, Limits::default()).once().await.unwrap();
}

async fn connect(broker: &Broker) -> Bus {
    Bus::connect(Config::new(broker.url(), "test")).await.unwrap()
}

fn region(code: &str) -> RegionId {
    code.parse().unwrap()
}

fn row(key: &str, value: Option<&'static str>) -> RowChange {
    RowChange { key: key.to_owned(), value: value.map(Into::into) }
}

async fn publish(outward: &Outward, region: &str, position: u64) {
    let headers = [
        (POSITION_HEADER, position.to_string()),
        (RECORDED_AT_HEADER, "2026-03-02T00:00:00.000Z".to_owned()),
        (KEY_HEADER, format!("{position:032x}")),
    ];
    let message = Outbound {
        subject: format!("log.{region}.bed.freed"),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        payload: format!("event {position}").into(),
    };
    outward.publish(message.prepare().unwrap(), None).await.unwrap().await.unwrap();
}

#[tokio::test]
async fn rows_come_as_they_are_and_then_as_they_change() {
    let broker = Broker::start(SERVER);
    provision(&broker).await;
    let bus = connect(&broker).await;
    let rows = Outward::new(&bus).rows().await.unwrap();
    rows.put("zk01.sum.GRZ", "1".into()).await.unwrap().await.unwrap();
    rows.put("zk02.sum.GRZ", "2".into()).await.unwrap().await.unwrap();
    let mut watched = bus.watch_rows(Some(&region("zk01"))).await.unwrap();
    assert_eq!(watched.next().await.unwrap(), row("zk01.sum.GRZ", Some("1")));
    rows.put("zk02.sum.GRZ", "3".into()).await.unwrap().await.unwrap();
    rows.put("zk01.sum.GRZ", "4".into()).await.unwrap().await.unwrap();
    assert_eq!(watched.next().await.unwrap(), row("zk01.sum.GRZ", Some("4")));
    rows.delete("zk01.sum.GRZ").await.unwrap().await.unwrap();
    assert_eq!(watched.next().await.unwrap(), row("zk01.sum.GRZ", None));
}

#[tokio::test]
async fn events_of_every_region_come_with_position_time_and_key() {
    let broker = Broker::start(SERVER);
    provision(&broker).await;
    let bus = connect(&broker).await;
    let outward = Outward::new(&bus);
    publish(&outward, "zk01", 7).await;
    let mut from_now = bus.follow_events(None, false).await.unwrap();
    let mut with_past = bus.follow_events(Some(&region("zk01")), true).await.unwrap();
    publish(&outward, "zk02", 8).await;
    publish(&outward, "zk01", 9).await;
    let mut seen = [from_now.next().await.unwrap(), from_now.next().await.unwrap()];
    seen.sort_by_key(|event| event.position);
    let told: Vec<_> = seen.iter().map(|event| (&*event.subject, event.position, &*event.payload)).collect();
    assert_eq!(told, [("log.zk02.bed.freed", 8, &b"event 8"[..]), ("log.zk01.bed.freed", 9, b"event 9")]);
    assert!(
        seen.iter().all(|event| event.recorded_at == "2026-03-02T00:00:00.000Z" && event.key.len() == 32)
    );
    for position in [7, 9] {
        assert_eq!(with_past.next().await.unwrap().position, position);
    }
}

#[tokio::test]
async fn a_broker_that_goes_is_told_and_watching_begins_again_when_it_is_back() {
    let mut broker = Broker::start(SERVER);
    provision(&broker).await;
    let bus = connect(&broker).await;
    let rows = Outward::new(&bus).rows().await.unwrap();
    rows.put("zk01.sum.GRZ", "1".into()).await.unwrap().await.unwrap();
    let mut watched = bus.watch_rows(None).await.unwrap();
    assert_eq!(watched.next().await.unwrap(), row("zk01.sum.GRZ", Some("1")));
    broker.kill9();
    assert!(matches!(watched.next().await.unwrap_err(), InwardError::Lost { .. }));
    broker.restart();
    provision(&broker).await;
    let bus = connect(&broker).await;
    let rows = Outward::new(&bus).rows().await.unwrap();
    rows.put("zk01.sum.GRZ", "2".into()).await.unwrap().await.unwrap();
    let mut watched = bus.watch_rows(None).await.unwrap();
    assert_eq!(watched.next().await.unwrap(), row("zk01.sum.GRZ", Some("2")));
}

#[tokio::test]
async fn what_nobody_publishes_is_refused_in_a_sentence() {
    let broker = Broker::start(SERVER);
    let bus = connect(&broker).await;
    let rows = bus.watch_rows(None).await.unwrap_err().to_string();
    assert!(rows.contains("the bucket availability"), "{rows}");
    let events = bus.follow_events(None, false).await.unwrap_err().to_string();
    assert!(events.contains("the streams of recorded events"), "{events}");
}

#[tokio::test]
async fn alerts_come_as_the_broker_keeps_them_and_then_as_they_are_told() {
    let broker = Broker::start(SERVER);
    provision(&broker).await;
    let bus = connect(&broker).await;
    let outward = Outward::new(&bus);
    let tell = async |subject: &str, payload: &'static str| {
        let message = Outbound { subject: subject.to_owned(), headers: Vec::new(), payload: payload.into() };
        outward.publish(message.prepare().unwrap(), None).await.unwrap().await.unwrap();
    };
    assert!(outward.acute("midden").await.unwrap().is_empty());
    tell("acute.midden.silent", "1").await;
    tell("acute.core.alarm", "2").await;
    let mut of_centre = bus.watch_alerts(Some("midden")).await.unwrap();
    let mut of_all = bus.watch_alerts(None).await.unwrap();
    tell("acute.midden.silent", "3").await;
    for payload in ["1", "3"] {
        assert_eq!(of_centre.next().await.unwrap().payload, payload);
    }
    let mut seen = Vec::new();
    for _ in 0..3 {
        let message = of_all.next().await.unwrap();
        seen.push((message.payload, message.subject));
    }
    seen.sort();
    let seen: Vec<_> = seen.iter().map(|(_, subject)| subject.as_str()).collect();
    assert_eq!(seen, ["acute.midden.silent", "acute.core.alarm", "acute.midden.silent"]);
    let held: Vec<_> =
        outward.acute("midden").await.unwrap().into_iter().map(|message| message.payload).collect();
    assert_eq!(held, ["1", "3"]);
    assert!(outward.acute("nobody").await.is_err());
}
