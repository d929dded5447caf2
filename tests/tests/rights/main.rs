//! What every user of the bus may do and may not, on a real server with the configuration of the node.
//!
//! Must show 1 of the bus of many desks: a table of every kind of user against every kind of subject, in its own and in
//! another region, and what a user could try to get round it. A refusal is seen as the server's own word for it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: what cannot be unwrapped is the failed test"
)]

mod table;

use std::sync::Arc;
use std::time::Duration;

use async_nats::{ConnectOptions, Event, HeaderMap, ServerError};
use bus::Limits;
use bus::provisioner::{Done, Provisioner};
use network::Account;
use serde_json::{Value, json};
use tests::Guarded;
use tokio::sync::mpsc;

use table::{FORGED, NETWORK, PUBLISH, SUBSCRIBE, USERS};

/// One user's connection, and what the server refused it.
struct Probe {
    client: async_nats::Client,
    refusals: mpsc::Receiver<String>,
    asked: u32,
}

impl Probe {
    async fn connect(guarded: &Guarded, account: &str, user: &str) -> Self {
        let seed = std::fs::read_to_string(guarded.keys().join(account).join(format!("{user}.nk"))).unwrap();
        let (refused, refusals) = mpsc::channel(256);
        let client = ConnectOptions::with_nkey(seed.trim().to_owned())
            .add_root_certificates(guarded.server().ca.unwrap())
            .require_tls(true)
            .custom_inbox_prefix(format!("_INBOX.{user}"))
            .event_callback(move |event| {
                let refused = refused.clone();
                async move {
                    if let Event::ServerError(ServerError::Other(text)) = event {
                        refused.send(text.to_lowercase()).await.unwrap();
                    }
                }
            })
            .connect(guarded.server().url)
            .await
            .unwrap_or_else(|error| panic!("{account}/{user}: {error}"));
        Self { client, refusals, asked: 0 }
    }

    /// What the server refused since the last time. It takes what a connection says in order, so what is refused
    /// comes before the refusal of something nobody may do.
    async fn refused(&mut self) -> Vec<String> {
        self.asked += 1;
        let sentinel = format!("nobody.may.{}", self.asked);
        self.client.publish(sentinel.clone(), "".into()).await.unwrap();
        let mut refused = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(5), self.refusals.recv()).await;
            let text = next.unwrap().unwrap();
            if text.contains(&sentinel) {
                return refused;
            }
            refused.push(text);
        }
    }

    async fn may_publish(&mut self, subject: &str) -> bool {
        // Not what any request of the broker takes, so that what is allowed changes nothing.
        self.client.publish(subject.to_owned(), "not a request".into()).await.unwrap();
        self.told(subject, "publish").await
    }

    async fn may_subscribe(&mut self, subject: &str) -> bool {
        let (subject, group) = subject.split_once(' ').map_or((subject, None), |(s, group)| (s, Some(group)));
        let subscription = match group {
            None => self.client.subscribe(subject.to_owned()).await.unwrap(),
            Some(group) => self.client.queue_subscribe(subject.to_owned(), group.to_owned()).await.unwrap(),
        };
        let may = self.told(subject, "subscription").await;
        drop(subscription);
        may
    }

    async fn told(&mut self, subject: &str, what: &str) -> bool {
        let refused = self.refused().await;
        let Some(text) = refused.first() else { return true };
        assert!(
            refused.len() == 1
                && text.contains("permissions violation")
                && text.contains(what)
                && text.contains(&format!("\"{}\"", subject.to_lowercase())),
            "asked for {subject}, refused: {refused:?}"
        );
        false
    }

    /// An answer of the broker's own interface.
    async fn api(&self, what: &str, body: &Value) -> Value {
        let body = if body.is_null() { "".into() } else { body.to_string().into() };
        let answer = self.client.request(format!("$JS.API.{what}"), body).await.unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }

    /// Publishes into a mailbox and waits for the broker's word.
    async fn mail(&self, subject: &str, headers: HeaderMap, body: &str) -> Value {
        let answer = self.client.request_with_headers(subject.to_owned(), headers, body.to_owned().into());
        serde_json::from_slice(&answer.await.unwrap().payload).unwrap()
    }
}

async fn provision(guarded: &Guarded) -> Done {
    let network = Arc::new(guarded.network().clone());
    Provisioner::new(guarded.server(), guarded.logins(), network, Limits::default()).once().await.unwrap()
}

/// Asks again and again until it is so.
async fn until(so: impl AsyncFn() -> bool) {
    let asking = async { while !so().await {} };
    tokio::time::timeout(Duration::from_secs(10), asking).await.unwrap();
}

fn header(name: &str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, value);
    headers
}

#[tokio::test]
async fn fault_63_every_user_may_do_what_the_table_says_and_is_refused_everything_else() {
    let guarded = Guarded::start(NETWORK);
    let done = provision(&guarded).await;
    assert_eq!(done, Done { mailboxes: 2, streams: 6, copies: 4, made_anew: 0 });
    let mut wrong = Vec::new();
    let mut cells = 0;
    for (letter, account, user) in USERS {
        let mut probe = Probe::connect(&guarded, account, user).await;
        for (subject, allowed) in PUBLISH {
            let (may, should) = (probe.may_publish(subject).await, allowed.contains(letter));
            cells += 1;
            if may != should {
                wrong.push(format!("{account}/{user} publishes {subject}: {may}, should be {should}"));
            }
        }
        for (subject, allowed) in SUBSCRIBE {
            let (may, should) = (probe.may_subscribe(subject).await, allowed.contains(letter));
            cells += 1;
            if may != should {
                wrong.push(format!("{account}/{user} subscribes {subject}: {may}, should be {should}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn fault_25_what_the_broker_is_made_to_say_on_another_subject_stays_junk_in_the_region() {
    let guarded = Guarded::start(NETWORK);
    provision(&guarded).await;
    let mut loket = Probe::connect(&guarded, "R_zk01", "loket").await;
    let keeper = Probe::connect(&guarded, "R_zk01", "_provisioner").await;
    let other = Probe::connect(&guarded, "R_zk02", "_provisioner").await;
    let core = Probe::connect(&guarded, "CORE", "_provisioner").await;
    for number in 1..=3 {
        let ack = loket.mail("in.zk01.loket.bed.freed", HeaderMap::new(), "mail").await;
        assert_eq!(ack["seq"], number);
    }
    // The broker acknowledges to the subject it is given, whatever that is: {"stream": …, "seq": …}.
    let mut expected: u64 = 3;
    for reply in [
        "$JS.API.STREAM.PURGE.IN_zk01",
        "$JS.API.STREAM.DELETE.IN_zk01",
        "$JS.API.STREAM.MSG.DELETE.IN_zk01",
        "$JS.API.STREAM.UPDATE.IN_zk01",
        "$JS.API.CONSUMER.RESET.IN_zk01.rec",
        "$JS.API.CONSUMER.DELETE.IN_zk01.rec",
        "$JS.API.CONSUMER.PAUSE.IN_zk01.rec",
        "$JS.API.CONSUMER.MSG.NEXT.IN_zk01.rec",
        "in.zk02.ander.bed.freed",
        "log.zk01.bed.freed",
        "$KV.availability.zk01.sum.GRZ",
    ] {
        let body = "mail".into();
        loket.client.publish_with_reply("in.zk01.loket.bed.freed", reply, body).await.unwrap();
        expected += 1;
    }
    loket
        .client
        .publish_with_reply("in.zk01.loket.bed.freed", "in.zk01.de-linde.bed.freed", "mail".into())
        .await
        .unwrap();
    // This one, and the broker's word on it in another's name: the recorder finds no event in it.
    expected += 2;
    // The broker itself looks for this one.
    let forged = "$JS.ACK.IN_zk01.rec.1.1.1.1.0";
    loket.client.publish_with_reply("in.zk01.loket.bed.freed", forged, "mail".into()).await.unwrap();
    let refused = loket.refused().await;
    assert!(refused.len() == 1 && refused[0].contains("with reply"), "{refused:?}");
    let (junk, info) = loop {
        let last = json!({"last_by_subj": "in.zk01.de-linde.>"});
        // In this order: when all have come, that one is there.
        let info = keeper.api("STREAM.INFO.IN_zk01", &Value::Null).await;
        let junk = keeper.api("STREAM.MSG.GET.IN_zk01", &last).await;
        if junk.get("message").is_some() && info["state"]["messages"] == expected {
            break (junk, info);
        }
        assert!(info["state"]["messages"].as_u64().unwrap() < expected, "{info}");
    };
    assert_eq!(info["state"]["first_seq"], 1, "{info}");
    let junk = junk["message"]["data"].as_str().unwrap().to_owned();
    assert!(junk.starts_with("eyJzdHJlYW0i"), "{{\"stream\": in base64, got {junk}");
    let consumer = keeper.api("CONSUMER.INFO.IN_zk01.rec", &Value::Null).await;
    assert_eq!(
        [
            &consumer["delivered"]["stream_seq"],
            &consumer["ack_floor"]["stream_seq"],
            &consumer["num_waiting"]
        ],
        [&json!(0), &json!(0), &json!(0)],
        "{consumer}"
    );
    assert_eq!(consumer["num_pending"], expected);
    assert!(consumer.get("paused").is_none_or(|paused| paused == false), "{consumer}");
    for (probe, stream) in [(&other, "IN_zk02"), (&core, "LOG_zk01"), (&core, "KV_availability")] {
        let info = probe.api(&format!("STREAM.INFO.{stream}"), &Value::Null).await;
        assert_eq!(info["state"]["messages"], 0, "{stream}: {info}");
    }
}

#[tokio::test]
async fn fault_26_an_id_used_by_another_desk_takes_nothing_from_who_has_none_and_from_nobody_for_long() {
    let guarded = Guarded::start(NETWORK);
    provision(&guarded).await;
    let loket = Probe::connect(&guarded, "R_zk01", "loket").await;
    let linde = Probe::connect(&guarded, "R_zk01", "de-linde").await;
    let id = header("Nats-Msg-Id", "the id of an event");
    let poison = linde.mail("in.zk01.de-linde.bed.freed", id.clone(), "poison").await;
    // Our sender gives the broker no id, so there is nothing to be taken for the same.
    let plain = loket.mail("in.zk01.loket.bed.freed", HeaderMap::new(), "mail").await;
    assert_eq!((&poison["seq"], &plain["seq"]), (&json!(1), &json!(2)));
    // Any other client does no worse than to send again: "stored" and not "duplicate" comes within moments.
    let kept = loop {
        let ack = loket.mail("in.zk01.loket.bed.freed", id.clone(), "mail").await;
        if ack.get("duplicate").is_none() {
            break ack;
        }
        assert_eq!(ack["seq"], 1, "the broker says the other's message is ours: {ack}");
    };
    assert_eq!(kept["seq"], 3);
    // In another region the id is another.
    let other = Probe::connect(&guarded, "R_zk02", "ander").await;
    assert_eq!(other.mail("in.zk02.ander.bed.freed", id, "mail").await["seq"], 1);
}

#[tokio::test]
async fn fault_27_headers_that_ask_the_broker_for_more_are_refused_or_mean_nothing() {
    let guarded = Guarded::start(NETWORK);
    provision(&guarded).await;
    let loket = Probe::connect(&guarded, "R_zk01", "loket").await;
    let mut kept = 0;
    for (name, value) in [
        ("Nats-Rollup", "all"),
        ("Nats-Rollup", "sub"),
        ("Nats-TTL", "1s"),
        ("Nats-Expected-Last-Sequence", "4711"),
        ("Nats-Expected-Stream", "IN_zk02"),
        ("Nats-Schedule", "@every 1s"),
        ("Nats-Incr", "1"),
        ("Nats-Batch-Id", "batch"),
    ] {
        let ack = loket.mail("in.zk01.loket.bed.freed", header(name, value), "mail").await;
        if ack.get("error").is_none() {
            kept += 1;
            assert_eq!(ack["seq"], kept, "{name}: {ack}");
        }
    }
    let ack = loket.mail("in.zk01.loket.bed.freed", HeaderMap::new(), "mail").await;
    assert_eq!(ack["seq"], kept + 1);
    let keeper = Probe::connect(&guarded, "R_zk01", "_provisioner").await;
    let info = keeper.api("STREAM.INFO.IN_zk01", &Value::Null).await;
    assert_eq!(
        (&info["state"]["first_seq"], &info["state"]["messages"]),
        (&json!(1), &json!(kept + 1)),
        "{info}"
    );
}

#[tokio::test]
async fn a_centre_sees_its_regions_as_if_it_were_there_and_reaches_nothing_through_its_copies() {
    let guarded = Guarded::start(NETWORK);
    provision(&guarded).await;
    let gateway = Probe::connect(&guarded, "CORE", "_gateway").await;
    for (subject, body) in [
        ("$KV.availability.zk01.sum.GRZ", "one"),
        ("$KV.availability.zk02.sum.GRZ", "two"),
        ("log.zk01.bed.freed", FORGED),
        ("log.zk02.bed.freed", "two"),
        ("acute.oost.silent", "alert"),
        ("acute.core.alarm", "alarm"),
        ("head", "head"),
    ] {
        let stored = gateway.client.request(subject, body.into()).await.unwrap();
        let ack: Value = serde_json::from_slice(&stored.payload).unwrap();
        assert!(ack.get("error").is_none(), "{subject}: {ack}");
    }
    let mut centre = Probe::connect(&guarded, "ACUTE_oost", "oost").await;
    let jetstream = async_nats::jetstream::new(centre.client.clone());
    let bucket = jetstream.get_key_value("availability").await.unwrap();
    let mut rows = bucket.watch_with_history(">").await.unwrap();
    let row = futures::StreamExt::next(&mut rows).await.unwrap().unwrap();
    assert_eq!((row.key.as_str(), &*row.value), ("zk01.sum.GRZ", &b"one"[..]));
    assert_eq!(bucket.get("zk02.sum.GRZ").await.unwrap(), None);
    let names = centre.api("STREAM.NAMES", &Value::Null).await;
    assert_eq!(names["streams"], json!(["ACUTE_oost", "HEAD", "KV_availability", "LOG_zk01"]));
    // Each copy comes when it comes.
    for stream in ["LOG_zk01", "ACUTE_oost", "HEAD"] {
        until(async || {
            centre.api(&format!("STREAM.INFO.{stream}"), &Value::Null).await["state"]["messages"] == 1
        })
        .await;
    }

    // A consumer may say where its messages are delivered, and nobody asks whether its maker may publish there.
    for (number, deliver) in [
        "core.API.CONSUMER.CREATE.LOG_zk01",
        "core.API.CONSUMER.CREATE.KV_availability",
        "$JS.API.STREAM.DELETE.LOG_zk01",
        "$JS.API.STREAM.PURGE.LOG_zk01",
        "$JS.FC.LOG_zk01.x",
        "mirror.oost.M.x",
        "$KV.availability.zk01.sum.GRZ",
        "log.zk01.bed.freed",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("mine-{number}");
        let config =
            json!({"name": name, "deliver_subject": deliver, "ack_policy": "none", "max_deliver": 1});
        let request = json!({"stream_name": "LOG_zk01", "config": config, "action": ""});
        centre.api(&format!("CONSUMER.CREATE.LOG_zk01.{name}"), &request).await;
    }
    // The request to the core arrived there, and was none.
    for name in ["mine-0", "mine-1"] {
        let info = format!("CONSUMER.INFO.LOG_zk01.{name}");
        until(async || centre.api(&info, &Value::Null).await["delivered"]["stream_seq"] == 1).await;
    }
    let told = centre.refused().await;
    assert!(told.is_empty(), "{told:?}");
    let core = Probe::connect(&guarded, "CORE", "_provisioner").await;
    for stream in ["LOG_zk01", "KV_availability", "ACUTE_oost", "HEAD"] {
        let consumers = core.api(&format!("CONSUMER.NAMES.{stream}"), &Value::Null).await;
        assert_eq!(consumers["consumers"], json!([]), "{stream}");
    }
    for (stream, messages) in [("LOG_zk01", 1), ("LOG_zk02", 1), ("KV_availability", 2), ("ACUTE_oost", 1)] {
        let info = core.api(&format!("STREAM.INFO.{stream}"), &Value::Null).await;
        assert_eq!(info["state"]["messages"], messages, "{stream}: {info}");
    }
}

#[tokio::test]
async fn a_centre_asks_the_node_under_its_own_name_only() {
    let guarded = Guarded::start(NETWORK);
    let gateway = Probe::connect(&guarded, "CORE", "_gateway").await;
    let mut requests = gateway.client.subscribe("svc.for.*.doorstroom.history").await.unwrap();
    // Known to the server before anybody asks.
    gateway.client.flush().await.unwrap();
    let answering = tokio::spawn(async move {
        let request = futures::StreamExt::next(&mut requests).await.unwrap();
        gateway.client.publish(request.reply.unwrap(), "answer".into()).await.unwrap();
        gateway.client.flush().await.unwrap();
        request.subject.to_string()
    });
    let mut centre = Probe::connect(&guarded, "ACUTE_oost", "oost").await;
    let answer = centre.client.request("svc.doorstroom.history", "question".into()).await.unwrap();
    assert_eq!(&*answer.payload, b"answer");
    assert_eq!(answering.await.unwrap(), "svc.for.oost.doorstroom.history");
    assert!(!centre.may_publish("svc.for.west.doorstroom.history").await);
}

#[tokio::test]
async fn a_key_that_is_taken_away_is_cut_off_and_a_user_of_another_account_is_nobody() {
    let mut guarded = Guarded::start(NETWORK);
    provision(&guarded).await;
    let account: Account = Account::Region("zk01".parse().unwrap());
    let bus = bus::Bus::connect(guarded.config(&account, "loket")).await.unwrap();
    let file = std::fs::read_to_string(guarded.network_file()).unwrap();
    let key =
        guarded.network().source_named(&"zk01".parse().unwrap(), "loket").unwrap().keys[0].key.to_string();
    let ended = file.replace(&format!("\"{key}\""), &format!("\"{key}\", until = \"2020-01-01T00:00:00Z\""));
    std::fs::write(guarded.network_file(), ended).unwrap();
    let mut losses = bus::outward::Outward::new(&bus).losses();
    guarded.reload();
    tokio::time::timeout(Duration::from_secs(5), losses.next()).await.unwrap();
    assert!(!bus.connected());
    assert!(bus::Bus::connect(guarded.config(&account, "loket")).await.is_err());
    // The others are not disturbed.
    bus::Bus::connect(guarded.config(&account, "de-linde")).await.unwrap();
    // Nobody without a key, and nobody without the authority of this server.
    let bare = bus::Config { login: None, ..guarded.config(&account, "de-linde") };
    assert!(bus::Bus::connect(bare).await.is_err());
    let another = Guarded::start(NETWORK);
    let strange = bus::Config {
        server: bus::Server { ca: another.server().ca, ..guarded.server() },
        ..guarded.config(&account, "de-linde")
    };
    assert!(bus::Bus::connect(strange).await.is_err());
}

#[tokio::test]
async fn the_monitor_says_whether_the_broker_writes_to_disk_before_it_accepts() {
    let mut guarded = Guarded::start(NETWORK);
    let check = async |guarded: &Guarded| {
        let bus = bus::Bus::connect(guarded.config(&Account::System, "_monitor")).await.unwrap();
        bus.check_broker(&bus::Monitoring::Asked).await
    };
    check(&guarded).await.unwrap();
    let file = guarded.broker().folder().join("nats.conf");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replace("sync_interval: always", "")).unwrap();
    guarded.broker().stop();
    guarded.broker().restart();
    assert!(matches!(check(&guarded).await, Err(bus::BrokerError::Unsynced)));
}
