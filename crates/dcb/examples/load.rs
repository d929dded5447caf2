//! Drives servers of `umadb.v1.DCB`, ours and others, in turn, and prints a table of markdown:
//! `load NAME=URL… [CLIENTS…]`, for example `load Doorstroom=http://127.0.0.1:50051 UmaDB=http://127.0.0.1:50059 1 64`.
//!
//! Each client has a connection of its own. First it asks for the head over and over: the empty call, which tells what wire
//! and machine allow. Then it appends: one event of 248 bytes with three tags, on the condition that nothing with its own
//! tag came. What is printed is the median of the rounds; the last column compares with the server named last.
//!
//! Not here: starting the servers (`tests/bench/log wire`).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for developers: it may stop where it stands"
)]

use std::time::{Duration, Instant};

use dcb::wire::dcb_client::DcbClient;
use dcb::wire::{AppendCondition, AppendRequest, Event, HeadRequest, Query, QueryItem};
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

/// How long one measurement takes.
const MEASURE: Duration = Duration::from_secs(2);
/// How often each is measured.
const ROUNDS: usize = 5;
/// What an event of the house has on average in protobuf, with three tags.
const DATA_BYTES: usize = 248;

struct Server {
    name: String,
    connections: Vec<DcbClient<Channel>>,
    empty: Vec<Measured>,
    conditional: Vec<Measured>,
}

#[derive(Clone, Copy)]
enum Call {
    Empty,
    Conditional,
}

#[derive(Clone)]
struct Measured {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

#[tokio::main]
async fn main() {
    let (servers, clients): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.contains('='));
    let servers: Vec<_> = servers.iter().map(|server| server.split_once('=').unwrap()).collect();
    let mut clients: Vec<usize> = clients.iter().map(|number| number.parse().unwrap()).collect();
    if clients.is_empty() {
        clients = vec![1, 64];
    }
    println!(
        "| server | clients | empty call/s | p50, p99 µs | conditional append/s | p50, p99 µs | of the empty call | of {} |",
        servers.last().unwrap().0
    );
    println!("|---|---|---|---|---|---|---|---|");
    for number in clients {
        print_rows(number, &measured(&servers, number).await);
    }
}

async fn measured(servers: &[(&str, &str)], clients: usize) -> Vec<Server> {
    let mut measured = Vec::new();
    for (name, url) in servers {
        let mut connections = Vec::new();
        for _ in 0..clients {
            let endpoint = Endpoint::from_shared((*url).to_owned()).unwrap().tcp_nodelay(true);
            connections.push(DcbClient::new(endpoint.connect().await.unwrap()));
        }
        let name = (*name).to_owned();
        measured.push(Server { name, connections, empty: Vec::new(), conditional: Vec::new() });
    }
    for _ in 0..ROUNDS {
        for server in &mut measured {
            server.empty.push(measure(&server.connections, Call::Empty).await);
            server.conditional.push(measure(&server.connections, Call::Conditional).await);
        }
    }
    measured
}

fn print_rows(clients: usize, servers: &[Server]) {
    let other = median(&servers.last().unwrap().conditional).per_second;
    for server in servers {
        let (empty, conditional) = (median(&server.empty), median(&server.conditional));
        println!(
            "| {} | {clients} | {:.0} | {}, {} | {:.0} | {}, {} | {:.2} × | {:.1} × |",
            server.name,
            empty.per_second,
            empty.p50.as_micros(),
            empty.p99.as_micros(),
            conditional.per_second,
            conditional.p50.as_micros(),
            conditional.p99.as_micros(),
            conditional.per_second / empty.per_second,
            conditional.per_second / other,
        );
    }
}

/// The one in the middle by speed.
fn median(measured: &[Measured]) -> Measured {
    let mut measured = measured.to_vec();
    measured.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    measured.swap_remove(measured.len() / 2)
}

async fn measure(connections: &[DcbClient<Channel>], call: Call) -> Measured {
    let begun = Instant::now();
    let until = begun + MEASURE;
    let clients: Vec<_> =
        connections.iter().cloned().map(|client| tokio::spawn(call_until(client, call, until))).collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.append(&mut client.await.unwrap());
    }
    let seconds = begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap();
    let calls = u32::try_from(latencies.len()).unwrap();
    Measured { per_second: f64::from(calls) / seconds, p50: at(50), p99: at(99) }
}

async fn call_until(mut client: DcbClient<Channel>, call: Call, until: Instant) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while Instant::now() < until {
        // Made outside of what is measured, as a client has its event before it sends it.
        let event = new_event();
        let asked = Instant::now();
        match call {
            Call::Empty => drop(client.head(HeadRequest {}).await.unwrap()),
            Call::Conditional => drop(client.append(event).await.unwrap()),
        }
        latencies.push(asked.elapsed());
    }
    latencies
}

/// An event about a thing of its own, and that nothing about it was said before.
fn new_event() -> AppendRequest {
    let id = Uuid::now_v7();
    let own = format!("referral:{id}");
    let condition = Query { items: vec![QueryItem { types: Vec::new(), tags: vec![own.clone()] }] };
    AppendRequest {
        events: vec![Event {
            event_type: String::from("referral.made"),
            tags: vec![own, String::from("region:zk23"), format!("location:zk23-{:02}", id.as_u128() % 40)],
            data: vec![b'x'; DATA_BYTES].into(),
            uuid: id.to_string(),
            metadata: Vec::new(),
        }],
        condition: Some(AppendCondition { fail_if_events_match: Some(condition), after: None }),
        tracking_info: None,
    }
}
