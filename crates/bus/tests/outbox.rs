//! The outbox against a real nats-server and a recorder of a few lines that can be told to misbehave.
//!
//! Not here: the real recorder (`recorder`), the command `send --outbox` (`tests`).
#![expect(clippy::unwrap_used, reason = "test code: what cannot be unwrapped is the failed test")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::{HeaderMap, jetstream};
use bus::alarm::Alarms;
use bus::{
    Config, Door, OUTBOX_BYTES_MIN, Order, Outbox, OutboxError, OutboxLimits, Outgoing, SenderConfig, Told,
};
use bytes::Bytes;
use contracts::{Ask, ContentHash, EVENT_BYTES_MAX, Outcome, Receipt, Received, wire};
use futures::StreamExt as _;
use tempfile::TempDir;
use tests::Broker;

const PATIENCE: Duration = Duration::from_mins(1);
const SERVER: &str = "jetstream { store_dir: \"{folder}/store\", sync_interval: always }";
const COUNTER: Door = Door::Counter(Order::WithinRegion);
const MAILBOX: Door = Door::Mailbox(Order::WithinRegion);
/// The largest message of the mailbox.
const MAIL_BYTES_MAX: usize = 2_000;
const REGION: &str = "zk01";
const SENDER: &str = "de-linde";

fn event(number: u64) -> Bytes {
    format!(
        concat!(
            r#"{{"specversion":"1.0","id":"019391f2-6f00-7a11-8c11-{:012x}","source":"urn:x:linde","#,
            r#""type":"nl.doorstroom.bed.freed.v1","time":"2026-03-02T09:14:03.120Z","region":"zk01","#,
            r#""data":{{"occurred_at":"2026-03-02T09:10:00Z","location":"zk01-de-linde","bed":"{}"}}}}"#
        ),
        number + 1,
        number % 7
    )
    .into()
}

fn outgoing(bytes: Bytes) -> Outgoing {
    Outgoing {
        region: REGION.parse().unwrap(),
        sender: SENDER.parse().unwrap(),
        name: "bed.freed".parse().unwrap(),
        event: Received::structured(bytes),
        sign: false,
    }
}

fn file(events: u64) -> Vec<Bytes> {
    (0..events).map(event).collect()
}

fn config(broker: &Broker, door: Door) -> SenderConfig {
    SenderConfig::plain(Config::new(broker.url(), "outbox"), door, PATIENCE)
}

fn open(dir: &TempDir) -> Outbox {
    Outbox::open(dir.path(), OutboxLimits::default(), Alarms::new()).unwrap()
}

/// Sends until everything has its receipt; what was told.
async fn drain(outbox: &Outbox, config: SenderConfig) -> Vec<Told> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let settled = async {
        tokio::select! {
            ended = outbox.send(config, move |one| tell.lock().unwrap().push(one)) => panic!("{ended:?}"),
            () = outbox.settled() => (),
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.unwrap();
    std::mem::take(&mut *told.lock().unwrap())
}

async fn push_all(outbox: &Outbox, file: &[Bytes]) {
    outbox.push_all(file.iter().cloned().map(outgoing).collect()).await.unwrap();
}

/// What the recorder of these tests has, and how often each came.
#[derive(Debug, Default)]
struct Book {
    recorded: Vec<Bytes>,
    seen: HashMap<Bytes, usize>,
    /// So many answers are for other content.
    lies: usize,
}

impl Book {
    fn record(&mut self, bytes: &Bytes) -> Receipt {
        *self.seen.entry(bytes.clone()).or_default() += 1;
        let known = self.recorded.iter().position(|known| known == bytes);
        let position = u64::try_from(known.unwrap_or(self.recorded.len())).unwrap() + 1;
        let outcome = if known.is_some() { Outcome::Duplicate } else { Outcome::Recorded };
        let mut hash = ContentHash::of(bytes);
        if self.lies > 0 {
            self.lies -= 1;
            hash = ContentHash::of(b"something else");
        } else if known.is_none() {
            self.recorded.push(bytes.clone());
        }
        Receipt {
            outcome,
            source: String::new(),
            id: String::new(),
            content_hash: hash,
            position: Some(position),
            recorded_at: None,
            code: String::new(),
            reason: String::new(),
        }
    }
}

/// A recorder: what it was given is in its book, in the order of the first time, over restarts of the broker.
struct Recorder {
    book: Arc<Mutex<Book>>,
    client: async_nats::Client,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Recorder {
    async fn start(broker: &Broker) -> Self {
        Self::start_with(broker, Arc::default()).await
    }

    async fn start_with(broker: &Broker, book: Arc<Mutex<Book>>) -> Self {
        let client = async_nats::connect(broker.url()).await.unwrap();
        let counter = client.subscribe("record.>").await.unwrap();
        let mailbox = client.subscribe("in.>").await.unwrap();
        client.flush().await.unwrap();
        let tasks = vec![
            tokio::spawn(answer_requests(client.clone(), counter, Arc::clone(&book))),
            tokio::spawn(answer_mail(client.clone(), mailbox, Arc::clone(&book))),
        ];
        Self { book, client, tasks }
    }

    fn recorded(&self) -> Vec<Bytes> {
        self.book.lock().unwrap().recorded.clone()
    }

    fn times(&self, event: &Bytes) -> usize {
        self.book.lock().unwrap().seen.get(event).copied().unwrap_or_default()
    }

    async fn ask(&self, since_position: u64) {
        let ask = Ask { since_position, why: "a test".to_owned() };
        self.client.publish(format!("receipt.{REGION}.{SENDER}"), ask.to_json().into()).await.unwrap();
        self.client.flush().await.unwrap();
    }
}

async fn answer_requests(
    client: async_nats::Client,
    mut requests: async_nats::Subscriber,
    book: Arc<Mutex<Book>>,
) {
    while let Some(request) = requests.next().await {
        let asked: wire::AppendRequest = bus::decode(request.payload).unwrap();
        let receipts = {
            let mut book = book.lock().unwrap();
            asked.events.iter().map(|event| book.record(&event.bytes).to_proto()).collect()
        };
        let answer = bus::encode(&wire::Receipts { receipts });
        client.publish(request.reply.unwrap(), answer).await.unwrap();
    }
}

async fn answer_mail(client: async_nats::Client, mut mail: async_nats::Subscriber, book: Arc<Mutex<Book>>) {
    while let Some(message) = mail.next().await {
        // What the mailbox refuses is not in it.
        if message.payload.len() > MAIL_BYTES_MAX {
            continue;
        }
        let receipt = book.lock().unwrap().record(&message.payload);
        let sender = message.subject.split('.').nth(2).unwrap();
        client.publish(format!("receipt.{REGION}.{sender}"), receipt.to_json().into()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pushed_without_a_broker_is_sent_in_its_order_when_there_is_one() {
    let (mut broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    broker.kill9();
    let file = file(1_000);
    let outbox = open(&dir);
    let sending = tokio::spawn({
        let (outbox, config) = (outbox.clone(), config(&broker, COUNTER));
        async move { outbox.send(config, |_| ()).await }
    });
    push_all(&outbox, &file).await;
    assert_eq!(outbox.waiting(), 1_000);
    // Days later, after a restart of the machine.
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    outbox.close().await;
    let outbox = open(&dir);
    assert_eq!(outbox.waiting(), 1_000);
    broker.restart();
    let recorder = Recorder::start(&broker).await;
    let told = drain(&outbox, config(&broker, COUNTER)).await;
    assert_eq!(recorder.recorded(), file);
    assert!(told.iter().all(|told| told.outcome.as_ref().unwrap().outcome == Outcome::Recorded));
    assert!(told.windows(2).all(|two| two[0].place < two[1].place), "told in the order of the outbox");
    outbox.close().await;
    assert_eq!(open(&dir).waiting(), 0, "receipts are remembered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pushed_while_the_broker_comes_and_goes_is_recorded_in_order() {
    let (mut broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    let (outbox, file) = (open(&dir), file(400));
    let sending = tokio::spawn({
        let (outbox, config) = (outbox.clone(), config(&broker, COUNTER));
        async move { outbox.send(config, |_| ()).await }
    });
    let book = Arc::new(Mutex::new(Book::default()));
    let mut recorder = Recorder::start_with(&broker, Arc::clone(&book)).await;
    for part in file.chunks(100) {
        push_all(&outbox, part).await;
        broker.kill9();
        broker.restart();
        recorder = Recorder::start_with(&broker, Arc::clone(&book)).await;
    }
    tokio::time::timeout(PATIENCE, outbox.settled()).await.unwrap();
    assert_eq!(recorder.recorded(), file);
    sending.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_for_other_content_ends_nothing() {
    let (broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    let recorder = Recorder::start(&broker).await;
    recorder.book.lock().unwrap().lies = 3;
    let (outbox, file) = (open(&dir), file(3));
    for event in &file {
        outbox.push(outgoing(event.clone())).await.unwrap();
    }
    let told = drain(&outbox, config(&broker, COUNTER)).await;
    assert_eq!(recorder.recorded(), file);
    assert_eq!(told.len(), 3);
    for (told, event) in told.iter().zip(&file) {
        assert_eq!(told.outcome.as_ref().unwrap().content_hash, ContentHash::of(event));
    }
    assert!(recorder.times(&file[0]) > 1, "it was sent again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_outbox_waits_and_says_so_and_loses_nothing() {
    let (broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    let alarms = Alarms::new();
    let limits = OutboxLimits { bytes: OUTBOX_BYTES_MIN, ..OutboxLimits::default() };
    let outbox = Outbox::open(dir.path(), limits, alarms.clone()).unwrap();
    let large = |number: u64| -> Bytes { [event(number), Bytes::from(vec![b' '; 40_000])].concat().into() };
    let file: Vec<Bytes> = (0..120).map(large).collect();
    let (pushing, all) = (outbox.clone(), file.clone());
    let pushing = tokio::spawn(async move {
        for event in all {
            pushing.push(outgoing(event)).await.unwrap();
        }
    });
    let mut told = alarms.subscribe();
    let mut codes = Vec::new();
    while codes.last() != Some(&"outbox_full") {
        codes.push(tokio::time::timeout(PATIENCE, told.recv()).await.unwrap().unwrap().code);
    }
    assert_eq!(codes, ["outbox_half_full", "outbox_full"]);
    assert!(!pushing.is_finished());
    assert!(outbox.bytes() <= OUTBOX_BYTES_MIN);
    let waiting = outbox.waiting();
    assert!((40..60).contains(&waiting), "{waiting}");
    let recorder = Recorder::start(&broker).await;
    tokio::select! {
        ended = outbox.send(config(&broker, COUNTER), |_| ()) => panic!("{ended:?}"),
        pushed = tokio::time::timeout(PATIENCE, pushing) => pushed.unwrap().unwrap(),
    }
    drain(&outbox, config(&broker, COUNTER)).await;
    assert_eq!(recorder.recorded(), file);
    let folders = std::fs::read_dir(dir.path()).unwrap().count();
    assert!(folders <= 10, "{folders} generations are left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_receipted_and_older_than_its_window_is_deleted() {
    let (broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    let limits = OutboxLimits { bytes: OUTBOX_BYTES_MIN, keep: Duration::ZERO };
    let outbox = Outbox::open(dir.path(), limits, Alarms::new()).unwrap();
    let recorder = Recorder::start(&broker).await;
    for part in file(3_000).chunks(500) {
        push_all(&outbox, part).await;
        drain(&outbox, config(&broker, COUNTER)).await;
    }
    assert_eq!(recorder.recorded(), file(3_000));
    assert!(outbox.bytes() < OUTBOX_BYTES_MIN / 4, "{} bytes are kept", outbox.bytes());
    outbox.close().await;
    let outbox = Outbox::open(dir.path(), limits, Alarms::new()).unwrap();
    assert_eq!(outbox.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_recorder_asks_for_is_sent_again_and_the_rest_is_not() {
    for door in [COUNTER, MAILBOX] {
        let (broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
        provision(&broker, "").await;
        let (outbox, file) = (open(&dir), file(20));
        let recorder = Recorder::start(&broker).await;
        push_all(&outbox, &file).await;
        drain(&outbox, config(&broker, door)).await;
        outbox.close().await;
        // Opened again: nothing waits, and still it hears.
        let outbox = open(&dir);
        let sending = tokio::spawn({
            let (outbox, config) = (outbox.clone(), config(&broker, door));
            async move { outbox.send(config, |_| ()).await }
        });
        let again = async {
            while recorder.times(&file[19]) < 2 {
                recorder.ask(15).await;
                tokio::task::yield_now().await;
            }
            outbox.settled().await;
        };
        tokio::time::timeout(PATIENCE, again).await.unwrap();
        assert_eq!(recorder.recorded(), file);
        assert_eq!((recorder.times(&file[0]), recorder.times(&file[14])), (1, 1), "{door:?}");
        assert!(file[15..].iter().all(|event| recorder.times(event) >= 2), "{door:?}");
        sending.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn send_again_sends_everything_that_is_kept_also_after_a_restart() {
    let (broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    let (outbox, file) = (open(&dir), file(10));
    let recorder = Recorder::start(&broker).await;
    push_all(&outbox, &file).await;
    drain(&outbox, config(&broker, COUNTER)).await;
    outbox.send_again().await.unwrap();
    outbox.close().await;
    let outbox = open(&dir);
    assert_eq!(outbox.waiting(), 10);
    drain(&outbox, config(&broker, COUNTER)).await;
    assert_eq!(recorder.recorded(), file);
    assert!(file.iter().all(|event| recorder.times(event) == 2));
}

/// A mailbox of the region, with further settings.
async fn provision(broker: &Broker, duplicates: &str) {
    let client = async_nats::connect(broker.url()).await.unwrap();
    let config = jetstream::stream::Config {
        name: "IN_zk01".to_owned(),
        subjects: vec!["in.zk01.>".to_owned()],
        max_message_size: MAIL_BYTES_MAX.try_into().unwrap(),
        duplicate_window: if duplicates.is_empty() { Duration::ZERO } else { Duration::from_secs(100) },
        ..jetstream::stream::Config::default()
    };
    jetstream::new(client).create_stream(config).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_6_what_is_too_large_is_passed_over_with_an_alarm_and_blocks_nothing() {
    let (broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    provision(&broker, "").await;
    let alarms = Alarms::new();
    let outbox = Outbox::open(dir.path(), OutboxLimits::default(), alarms.clone()).unwrap();
    let recorder = Recorder::start(&broker).await;
    let padded = |number: u64, bytes: usize| -> Bytes {
        [event(number), Bytes::from(vec![b' '; bytes])].concat().into()
    };
    // Larger than the mailbox takes, than any event may be, and than the broker takes at all.
    let file = [event(0), padded(1, 3_000), event(2), padded(3, EVENT_BYTES_MAX), event(4)];
    push_all(&outbox, &file).await;
    let refused = outbox.push(outgoing(padded(5, 1024 * 1024))).await.unwrap_err();
    assert!(matches!(refused, OutboxError::TooLarge { .. }), "{refused}");
    let told = drain(&outbox, config(&broker, MAILBOX)).await;
    let mut sent: Vec<bool> = vec![false; 5];
    for (place, told) in told.iter().map(|told| (told.place.to_string(), told)) {
        let number: usize = place.rsplit('/').next().unwrap().parse().unwrap();
        sent[number - 1] = told.outcome.is_ok();
    }
    assert_eq!(sent, [true, false, true, false, true]);
    assert_eq!(alarms.counts()["unsendable"], 3);
    let good: Vec<Bytes> = recorder.recorded().into_iter().filter(|event| event.len() < 2_000).collect();
    assert_eq!(good, [event(0), event(2), event(4)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_26_a_message_id_that_somebody_used_first_hides_nothing() {
    let (broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    provision(&broker, "a window in which the broker compares message ids").await;
    let (outbox, file) = (open(&dir), file(5));
    let client = async_nats::connect(broker.url()).await.unwrap();
    // Somebody else of the region uses every id first that our events could have.
    for event in &file {
        let id = Received::structured(event.clone()).decode().unwrap().event.id.to_string();
        for poisoned in [id, ContentHash::of(event).to_string()] {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", poisoned.as_str());
            let stream = jetstream::new(client.clone());
            let posted = stream.publish_with_headers("in.zk01.somebody.bed.freed", headers, "{}".into());
            assert!(!posted.await.unwrap().await.unwrap().duplicate);
        }
    }
    let recorder = Recorder::start(&broker).await;
    push_all(&outbox, &file).await;
    let told = drain(&outbox, config(&broker, MAILBOX)).await;
    assert_eq!(recorder.recorded(), file);
    assert!(told.iter().all(|told| told.outcome.is_ok()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_program_on_the_same_folder_is_refused() {
    let dir = TempDir::new().unwrap();
    let outbox = open(&dir);
    let error = Outbox::open(dir.path(), OutboxLimits::default(), Alarms::new()).unwrap_err();
    assert!(matches!(error, OutboxError::InUse { .. }), "{error}");
    outbox.close().await;
    assert_eq!(open(&dir).waiting(), 0);
}

fn start_adapter(program: &PathBuf, broker: &Broker, outbox: &TempDir) -> Child {
    let mut command = Command::new(program);
    command.args([broker.url(), REGION, SENDER]).arg(outbox.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Feeds the adapter from this line on, and kills it after so many were kept. How many were.
fn feed_and_kill(mut adapter: Child, file: &[Bytes], kept_max: usize) -> usize {
    let mut input = adapter.stdin.take().unwrap();
    let lines = file.to_vec();
    let writing = std::thread::spawn(move || {
        for line in lines {
            // It fails when the adapter is dead.
            if input.write_all(&[&line[..], b"\n"].concat()).is_err() {
                return;
            }
        }
    });
    let mut said = BufReader::new(adapter.stdout.take().unwrap()).lines();
    let mut kept = 0;
    while kept < kept_max && said.next().is_some_and(|line| line.unwrap().starts_with("kept ")) {
        kept += 1;
    }
    adapter.kill().unwrap();
    adapter.wait().unwrap();
    // It may have said more before it died.
    kept += said.map_while(Result::ok).filter(|line| line.starts_with("kept ")).count();
    writing.join().unwrap();
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_killed_at_many_moments_loses_and_reorders_nothing() {
    let program = tokio::task::spawn_blocking(|| tests::example("adapter")).await.unwrap();
    let (broker, dir) = (Broker::start(SERVER), TempDir::new().unwrap());
    let recorder = Recorder::start(&broker).await;
    let file = file(600);
    let mut kept = 0;
    for kill_after in [1, 2, 3, 5, 8, 13, 21, 34, 21, 13, 8, 5, 3, 2, 1, 30, 40, 50, 60, 70] {
        let child = start_adapter(&program, &broker, &dir);
        let rest = file[kept..].to_vec();
        kept += tokio::task::spawn_blocking(move || feed_and_kill(child, &rest, kill_after)).await.unwrap();
    }
    assert!(kept < file.len(), "the last start has something left to do");
    let mut child = start_adapter(&program, &broker, &dir);
    let rest: Vec<u8> = file[kept..].iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
    let mut input = child.stdin.take().unwrap();
    let mut output = child.stdout.take().unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let reading = std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        input.write_all(&rest).unwrap();
        drop(input);
        reading.join().unwrap().unwrap();
        child.wait().unwrap()
    });
    let ended = tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
    assert!(ended.success());
    assert_eq!(recorder.recorded(), file, "everything, in order");
}
