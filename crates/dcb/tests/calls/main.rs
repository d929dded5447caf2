//! The calls over a real connection to a real log: what is answered, what is refused, and how it ends.
//!
//! Not here: what published clients make of it (`tests/tests/dcb.rs`).
#![expect(clippy::unwrap_used, reason = "test code: a failed unwrap is the failed test")]

mod failing;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dcb::wire::dcb_client::DcbClient;
use dcb::wire::error_response::ErrorType;
use dcb::wire::{
    AppendCondition, AppendRequest, ErrorResponse, Event, HeadRequest, MetadataEntry, Query, QueryItem,
    ReadRequest, SequencedEvent, SubscribeRequest, SubscribeResponse, TrackingInfo, TrackingRequest,
};
use dcb::{Config, REQUEST_BYTES_MAX, RunError, SUBSCRIBERS_MAX, Server, StartError};
use prost::Message as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

/// Longer than anything here takes on a slow machine: what hangs must fail.
const WITHIN: Duration = Duration::from_mins(1);

struct Running {
    client: DcbClient<Channel>,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<Result<(), RunError>>,
}

impl Running {
    async fn start(dir: &Path) -> Running {
        Self::start_with(Config::new(dir.to_path_buf(), "127.0.0.1:0".parse().unwrap())).await
    }

    async fn start_with(config: Config) -> Running {
        let server = Server::open(config).await.unwrap();
        let url = format!("http://{}", server.address());
        let (stop, told) = oneshot::channel();
        let ended = tokio::spawn(server.run(async { drop(told.await) }));
        let channel = Channel::from_shared(url).unwrap().connect().await.unwrap();
        Running { client: DcbClient::new(channel), stop: Some(stop), ended }
    }

    async fn stop(&mut self) -> Result<(), RunError> {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(WITHIN, &mut self.ended).await.unwrap().unwrap()
    }

    async fn append(&mut self, events: &[Event], condition: Option<AppendCondition>) -> Result<u64, Status> {
        self.request(AppendRequest { events: events.to_vec(), condition, tracking_info: None }).await
    }

    async fn request(&mut self, request: AppendRequest) -> Result<u64, Status> {
        Ok(self.client.append(request).await?.into_inner().position)
    }

    /// Everything that is read, and the head that was told last.
    async fn read(&mut self, request: ReadRequest) -> Result<(Vec<SequencedEvent>, Option<u64>), Status> {
        let mut messages = self.client.read(request).await?.into_inner();
        let (mut events, mut head) = (Vec::new(), None);
        while let Some(message) = messages.message().await? {
            events.extend(message.events);
            head = message.head;
        }
        Ok((events, head))
    }

    async fn positions(&mut self, request: ReadRequest) -> Vec<u64> {
        self.read(request).await.unwrap().0.iter().map(|event| event.position).collect()
    }

    async fn subscribe(&mut self, after: u64) -> Result<Streaming<SubscribeResponse>, Status> {
        let request = SubscribeRequest { after: Some(after), ..SubscribeRequest::default() };
        Ok(self.client.subscribe(request).await?.into_inner())
    }
}

fn event(kind: &str, tags: &[&str]) -> Event {
    Event {
        event_type: kind.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        data: b"what happened".as_slice().into(),
        ..Event::default()
    }
}

fn identified(kind: &str, tags: &[&str]) -> Event {
    Event { uuid: Uuid::now_v7().to_string(), ..event(kind, tags) }
}

fn about(tag: &str) -> Query {
    Query { items: vec![QueryItem { types: Vec::new(), tags: vec![tag.to_owned()] }] }
}

fn nothing_about(tag: &str, after: Option<u64>) -> AppendCondition {
    AppendCondition { fail_if_events_match: Some(about(tag)), after }
}

/// The code, and the kind of error in the details.
fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, ErrorType, String) {
    let status = answer.unwrap_err();
    let details = ErrorResponse::decode(status.details()).unwrap();
    assert_eq!(details.message, status.message());
    (status.code(), details.error_type(), details.message)
}

/// What comes next on a subscription, whatever messages it comes in.
async fn next_positions(messages: &mut Streaming<SubscribeResponse>, wanted: usize) -> Vec<u64> {
    let mut positions = Vec::new();
    while positions.len() < wanted {
        let message = tokio::time::timeout(WITHIN, messages.message()).await.unwrap().unwrap().unwrap();
        positions.extend(message.events.iter().map(|event| event.position));
    }
    positions
}

#[tokio::test]
async fn what_is_appended_comes_back_as_it_was_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    assert_eq!(server.client.head(HeadRequest {}).await.unwrap().into_inner().position, None);
    assert_eq!(server.read(ReadRequest::default()).await.unwrap(), (Vec::new(), None));

    // Tags in their order, one of them twice.
    let mut full = identified("bed.freed", &["region:2", "bed:1", "region:2"]);
    full.metadata = vec![MetadataEntry { key: String::from("by"), value: String::from("who") }];
    let bare = Event::default();
    assert_eq!(server.append(&[full.clone(), bare.clone()], None).await.unwrap(), 2);
    server.stop().await.unwrap();

    let mut server = Running::start(dir.path()).await;
    let (events, head) = server.read(ReadRequest::default()).await.unwrap();
    let expected = [(1, full), (2, bare)].map(|(position, event)| SequencedEvent {
        position,
        event: Some(event),
        tracking_info: None,
    });
    assert_eq!((&events[..], head), (&expected[..], Some(2)));
    let of_region = ReadRequest { query: Some(about("region:2")), ..ReadRequest::default() };
    assert_eq!(server.positions(of_region).await, [1], "a tag that stands there twice is found once");
}

#[tokio::test]
async fn a_read_begins_ends_turns_and_is_cut_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let events: Vec<Event> =
        (0..10).map(|number| event("moved", if number % 2 == 0 { &["even"] } else { &["odd"] })).collect();
    server.append(&events, None).await.unwrap();

    let all = ReadRequest::default();
    assert_eq!(server.positions(ReadRequest { start: Some(8), ..all.clone() }).await, [8, 9, 10]);
    let back = ReadRequest { backwards: Some(true), ..all.clone() };
    assert_eq!(server.positions(ReadRequest { limit: Some(2), ..back.clone() }).await, [10, 9]);
    assert_eq!(server.positions(ReadRequest { start: Some(2), ..back.clone() }).await, [2, 1]);
    assert!(server.positions(ReadRequest { start: Some(11), ..all.clone() }).await.is_empty());

    // In messages of three, the head in each of them; with a limit, how far one has come.
    let threes = ReadRequest { batch_size: Some(3), query: Some(about("odd")), ..all.clone() };
    let mut messages = server.client.read(threes.clone()).await.unwrap().into_inner();
    let first = messages.message().await.unwrap().unwrap();
    assert_eq!((first.events.len(), first.head), (3, Some(10)));
    let second = messages.message().await.unwrap().unwrap();
    assert_eq!((second.events.len(), second.head), (2, Some(10)));
    assert_eq!(messages.message().await.unwrap(), None);
    let (read, head) = server.read(ReadRequest { limit: Some(4), ..threes }).await.unwrap();
    assert_eq!((read.len(), head), (4, Some(8)));
    assert_eq!(server.read(ReadRequest { limit: Some(0), ..all }).await.unwrap(), (Vec::new(), None));
}

#[tokio::test]
async fn a_condition_that_fails_appends_nothing_and_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    server.append(&[event("freed", &["bed:1"]), event("freed", &["bed:2"])], None).await.unwrap();

    let late = server.append(&[event("taken", &["bed:2"])], Some(nothing_about("bed:2", Some(1)))).await;
    let (code, kind, message) = refusal(late);
    assert_eq!((code, kind), (Code::FailedPrecondition, ErrorType::Integrity));
    assert!(message.contains("position 2"), "{message}");
    // Without items it excludes everything; without a position, from the beginning; without events it is only asked.
    let everything = Some(AppendCondition::default());
    assert_eq!(refusal(server.append(&[event("x", &[])], everything.clone()).await).1, ErrorType::Integrity);
    assert_eq!(refusal(server.append(&[], everything).await).1, ErrorType::Integrity);
    assert_eq!(server.append(&[], Some(nothing_about("bed:3", None))).await.unwrap(), 0);
    assert_eq!(
        server.append(&[event("taken", &["bed:2"])], Some(nothing_about("bed:2", Some(2)))).await.unwrap(),
        3
    );
}

#[tokio::test]
async fn of_many_that_decide_on_the_same_one_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(dir.path()).await;
    let racers: Vec<_> = (0..64)
        .map(|_| {
            let mut client = server.client.clone();
            let events = vec![identified("taken", &["bed:1"])];
            let condition = Some(nothing_about("bed:1", None));
            tokio::spawn(async move {
                client.append(AppendRequest { events, condition, tracking_info: None }).await
            })
        })
        .collect();
    let mut recorded = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => recorded += 1,
            Err(status) => assert_eq!(status.code(), Code::FailedPrecondition, "{status}"),
        }
    }
    assert_eq!(recorded, 1);
}

#[tokio::test]
async fn an_event_with_a_uuid_is_recorded_once_and_another_under_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let sent = [identified("freed", &["bed:1"]), identified("freed", &["bed:2"])];
    assert_eq!(server.append(&sent, Some(nothing_about("bed:1", None))).await.unwrap(), 2);
    server.append(&[event("other", &[])], None).await.unwrap();
    // The answer was lost and it is sent again, the UUIDs written in capitals.
    let again = sent.clone().map(|event| Event { uuid: event.uuid.to_uppercase(), ..event });
    assert_eq!(server.append(&again, Some(nothing_about("bed:1", None))).await.unwrap(), 2);
    // Without a UUID each is an event of its own.
    server.append(&[event("other", &[])], None).await.unwrap();

    let [mut other, _] = sent;
    other.tags.push(String::from("bed:3"));
    let (code, kind, message) = refusal(server.append(&[event("first", &[]), other], None).await);
    assert_eq!((code, kind), (Code::FailedPrecondition, ErrorType::Integrity));
    assert!(message.contains("position 1"), "{message}");
    assert_eq!(server.positions(ReadRequest::default()).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_can_not_be_meant_or_is_too_much_is_refused_and_nothing_appended() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let long = "t".repeat(eventlog::NAME_BYTES_MAX + 1);
    let many: Vec<String> = (0..=eventlog::TAGS_MAX).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let large = vec![0; eventlog::RECORD_BYTES_MAX].into();
    let cases = [
        (Event { uuid: String::from("none"), ..event("x", &[]) }, "UUID"),
        (event("x", &["\0tracking:somebody"]), "NUL"),
        (event("x", &[&long]), "tag"),
        (event("x", &many), "tags"),
        (Event { data: large, ..event("x", &[]) }, "bytes of the record"),
    ];
    for (refused, why) in cases {
        let (code, kind, message) = refusal(server.append(&[event("fine", &[]), refused], None).await);
        assert_eq!((code, kind), (Code::InvalidArgument, ErrorType::InvalidArgument), "{message}");
        assert!(message.contains(why), "{message}");
    }
    let items = Query { items: vec![QueryItem::default(); eventlog::QUERY_ITEMS_MAX + 1] };
    let condition = AppendCondition { fail_if_events_match: Some(items.clone()), after: None };
    assert_eq!(refusal(server.append(&[event("x", &[])], Some(condition)).await).0, Code::InvalidArgument);
    let read = server.read(ReadRequest { query: Some(items.clone()), ..ReadRequest::default() }).await;
    assert_eq!(refusal(read).0, Code::InvalidArgument);
    let request = SubscribeRequest { query: Some(items), ..SubscribeRequest::default() };
    assert_eq!(refusal(server.client.subscribe(request).await).0, Code::InvalidArgument);
    #[expect(deprecated, reason = "what old clients say")]
    let old = ReadRequest { subscribe: Some(true), ..ReadRequest::default() };
    assert!(refusal(server.read(old).await).2.contains("Subscribe"));

    // More than one message may hold is refused before it is looked at.
    let data = vec![0; REQUEST_BYTES_MAX / 8].into();
    let events = vec![Event { data, ..event("x", &[]) }; 9];
    assert_eq!(server.append(&events, None).await.unwrap_err().code(), Code::OutOfRange);
    assert_eq!(server.client.head(HeadRequest {}).await.unwrap().into_inner().position, None);
}

#[tokio::test]
async fn large_events_are_read_in_messages_that_every_client_takes() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let large = Event { data: vec![7; 900 * 1_024].into(), ..event("scanned", &[]) };
    for _ in 0..10 {
        server.append(std::slice::from_ref(&large), None).await.unwrap();
    }
    // The client takes 4 MiB, as every client does.
    assert_eq!(server.positions(ReadRequest::default()).await, (1..=10).collect::<Vec<_>>());
    let mut messages = server.subscribe(0).await.unwrap();
    assert_eq!(next_positions(&mut messages, 10).await, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_subscription_catches_up_and_goes_on_without_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let before: Vec<Event> = (0..1_000).map(|_| event("before", &["bed:1"])).collect();
    server.append(&before, None).await.unwrap();
    let mut all = server.subscribe(0).await.unwrap();
    let query = Some(about("bed:2"));
    let request = SubscribeRequest { query, after: None, batch_size: Some(1) };
    let mut of_bed = server.client.subscribe(request).await.unwrap().into_inner();

    // While it catches up, more comes.
    let mut client = server.client.clone();
    let appending = tokio::spawn(async move {
        for number in 0..200 {
            let events = vec![event("after", if number % 10 == 0 { &["bed:2"] } else { &["bed:1"] })];
            client.append(AppendRequest { events, ..AppendRequest::default() }).await.unwrap();
        }
    });
    assert_eq!(next_positions(&mut all, 1_200).await, (1..=1_200).collect::<Vec<_>>());
    appending.await.unwrap();
    assert_eq!(next_positions(&mut of_bed, 20).await, (1_001..=1_200).step_by(10).collect::<Vec<_>>());

    // It is at the end: the next one comes when it is recorded, and only then.
    let waiting = tokio::spawn(async move { next_positions(&mut all, 1).await });
    server.append(&[event("later", &[])], None).await.unwrap();
    assert_eq!(waiting.await.unwrap(), [1_201]);
    // After the last position there is, nothing can come.
    assert_eq!(server.subscribe(u64::MAX).await.unwrap().message().await.unwrap(), None);
}

#[tokio::test]
async fn subscribers_beyond_the_limit_are_refused_until_one_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let mut subscribed = Vec::new();
    for _ in 0..SUBSCRIBERS_MAX {
        subscribed.push(server.subscribe(0).await.unwrap());
    }
    let refused = server.subscribe(0).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    subscribed.pop();
    // That it left has to reach the server.
    let again = async {
        while server.subscribe(0).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(WITHIN, again).await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_says_so_to_those_who_wait_and_keeps_what_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let large = Event { data: vec![7; 900 * 1_024].into(), ..event("scanned", &[]) };
    for _ in 0..30 {
        server.append(std::slice::from_ref(&large), None).await.unwrap();
    }
    let mut live = server.subscribe(29).await.unwrap();
    assert_eq!(next_positions(&mut live, 1).await, [30]);
    // In the middle: what was read ahead fills the connection, the rest is not read yet.
    let mut half_read = server.client.read(ReadRequest::default()).await.unwrap().into_inner();
    half_read.message().await.unwrap().unwrap();

    let ended = tokio::spawn(async move {
        let ended = server.stop().await;
        (server, ended)
    });
    let told = tokio::time::timeout(WITHIN, live.message()).await.unwrap().unwrap_err();
    assert_eq!(told.code(), Code::Unavailable, "{told}");
    let told = loop {
        match tokio::time::timeout(WITHIN, half_read.message()).await.unwrap() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a reading that was cut short ended as if there was nothing more"),
            Err(status) => break status,
        }
    };
    assert_eq!(told.code(), Code::Unavailable, "{told}");
    let (mut server, ended) = ended.await.unwrap();
    ended.unwrap();
    assert_eq!(server.client.head(HeadRequest {}).await.unwrap_err().code(), Code::Unavailable);

    let mut again = Running::start(dir.path()).await;
    assert_eq!(
        again.positions(ReadRequest { limit: Some(1), start: Some(30), ..ReadRequest::default() }).await,
        [30]
    );
}

#[tokio::test]
async fn who_does_not_read_does_not_keep_the_server_from_stopping() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let large = Event { data: vec![7; 900 * 1_024].into(), ..event("scanned", &[]) };
    for _ in 0..30 {
        server.append(std::slice::from_ref(&large), None).await.unwrap();
    }
    let unread = server.client.read(ReadRequest::default()).await.unwrap();
    server.stop().await.unwrap();
    drop(unread);
}

#[tokio::test]
async fn what_is_tracked_only_grows_and_is_recorded_with_the_event() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Running::start(dir.path()).await;
    let tracked = |position, events: &[Event]| AppendRequest {
        events: events.to_vec(),
        condition: None,
        tracking_info: Some(TrackingInfo { source: String::from("upstream"), position }),
    };
    let first = [identified("x", &[])];
    assert_eq!(server.request(tracked(5, &first)).await.unwrap(), 1);
    let (code, kind, message) = refusal(server.request(tracked(5, &[event("y", &[])])).await);
    assert_eq!((code, kind), (Code::FailedPrecondition, ErrorType::Integrity));
    assert!(message.contains("upstream"), "{message}");
    // The same again is no step back; nothing at all is no step.
    assert_eq!(server.request(tracked(5, &first)).await.unwrap(), 1);
    assert_eq!(refusal(server.request(tracked(6, &[])).await).0, Code::InvalidArgument);
    // At once, each of them would come further, but only to the same place.
    let racers = (0..16).map(|_| {
        let (mut client, request) = (server.client.clone(), tracked(6, &[event("y", &[])]));
        tokio::spawn(async move { client.append(request).await.is_ok() })
    });
    let mut recorded = 0;
    for racer in racers.collect::<Vec<_>>() {
        recorded += u32::from(racer.await.unwrap());
    }
    assert_eq!(recorded, 1);
    server.stop().await.unwrap();

    let mut server = Running::start(dir.path()).await;
    let known = |source: &str| TrackingRequest { source: source.to_owned() };
    let upstream = server.client.get_tracking_info(known("upstream")).await.unwrap().into_inner();
    let other = server.client.get_tracking_info(known("other")).await.unwrap().into_inner();
    assert_eq!((upstream.position, other.position), (Some(6), None));
    let (events, _) = server.read(ReadRequest::default()).await.unwrap();
    let tracked: Vec<u64> = events.into_iter().map(|event| event.tracking_info.unwrap().position).collect();
    assert_eq!(tracked, [5, 6]);
}

#[tokio::test]
async fn the_folder_of_a_node_another_server_s_log_and_other_machines_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let here = "127.0.0.1:0".parse().unwrap();
    let node = root.path().join("node");
    let (log, _) = eventlog::EventLog::open(&node.join("log"), eventlog::Options::default()).unwrap();
    log.close().await;
    let refused = Server::open(Config::new(node.clone(), here)).await.unwrap_err();
    assert!(matches!(&refused, StartError::NotOurs { found, .. } if found == "log"), "{refused}");
    let refused = Server::open(Config::new(node.join("log"), here)).await.unwrap_err();
    assert!(matches!(&refused, StartError::NotOurs { .. }), "{refused}");

    let dir = root.path().join("dcb");
    let _running = Running::start(&dir).await;
    let refused = Server::open(Config::new(dir.clone(), here)).await.unwrap_err();
    assert!(matches!(&refused, StartError::Log(eventlog::OpenError::Locked { .. })), "{refused}");

    let elsewhere = "0.0.0.0:0".parse().unwrap();
    let refused = Server::open(Config::new(root.path().join("new"), elsewhere)).await.unwrap_err();
    assert!(matches!(refused, StartError::NotLoopback { .. }), "{refused}");
    assert!(!root.path().join("new").exists());
}

#[tokio::test]
async fn a_log_that_stops_ends_the_server_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(dir.path().to_path_buf(), "127.0.0.1:0".parse().unwrap());
    let disk = Arc::new(failing::FailingDisk::default());
    config.options.storage = Arc::<failing::FailingDisk>::clone(&disk);
    let mut server = Running::start_with(config).await;
    server.append(&[event("x", &[])], None).await.unwrap();
    let mut live = server.subscribe(1).await.unwrap();
    disk.fail();
    let (code, kind, message) = refusal(server.append(&[event("y", &[])], None).await);
    assert_eq!((code, kind), (Code::Internal, ErrorType::Io), "{message}");
    let told = tokio::time::timeout(WITHIN, live.message()).await.unwrap().unwrap_err();
    assert_eq!(told.code(), Code::Unavailable, "{told}");
    let ended = tokio::time::timeout(WITHIN, server.ended).await.unwrap().unwrap();
    assert!(matches!(ended, Err(RunError::LogStopped { .. })), "{ended:?}");
}
