//! One round of one question to UmaDB, whose answer is printed as one number (events in a second, or microseconds):
//! `append PRODUCERS BATCH CONDITIONAL`, `query`, `read` over its wire (`UMADB_URL`), `core BATCH` in this process.

use std::{
    env,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_core::{db::UmaDb, mvcc::Mvcc, mvcc::StorageOptions};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreAsync as _, DcbQuery, DcbQueryItem};
use uuid::Uuid;

/// How long one round takes.
const TIME: Duration = Duration::from_secs(1);
/// Events with one order tag.
const PER_ORDER: u64 = 10;

fn event(run: &str, number: u64) -> DcbEvent {
    DcbEvent::default()
        .event_type("order.placed")
        .tags([
            format!("order:{run}-{}", number / PER_ORDER),
            format!("customer:{}", number.wrapping_mul(7_919) % 50_000),
            format!("day:{run}-{}", number / 10_000),
        ])
        .data(vec![0xa5; 248])
        .uuid(Uuid::new_v4())
}

fn of_order(run: &str, number: u64) -> DcbQuery {
    DcbQuery::new().item(DcbQueryItem::new().tags([format!("order:{run}-{number}")]))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    let number = |place: usize| arguments[place].parse::<u64>().unwrap();
    let run = Uuid::new_v4().simple().to_string()[..6].to_owned();
    let found = match arguments[0].as_str() {
        "append" => append(&run, number(1), number(2), number(3) == 1).await,
        "query" => query(&run).await,
        "read" => read().await,
        "core" => core(&run, number(1)),
        other => panic!("no such question: {other}"),
    };
    println!("{found}");
}

async fn client() -> AsyncUmaDbClient {
    UmaDbClient::new(env::var("UMADB_URL").unwrap()).connect_async().await.unwrap()
}

/// Each producer has a connection of its own and awaits each answer.
async fn append(run: &str, producers: u64, batch: u64, conditional: bool) -> f64 {
    let mut tasks = Vec::new();
    let start = Instant::now();
    for producer in 0..producers {
        let (client, run) = (client().await, run.to_owned());
        tasks.push(tokio::spawn(async move {
            let (mut next, mut count, start) = (producer << 32, 0_u64, Instant::now());
            while start.elapsed() < TIME {
                let events = (next..next + batch).map(|number| event(&run, number)).collect();
                let condition = conditional.then(|| DcbAppendCondition::new(of_order(&run, (1 << 60) + next)));
                client.append(events, condition, None).await.unwrap();
                next += batch;
                count += batch;
            }
            count as f64 / start.elapsed().as_secs_f64()
        }));
    }
    let _ = start;
    let mut rate = 0.0;
    for task in tasks {
        rate += task.await.unwrap();
    }
    rate
}

/// The middle one of many queries for ten events each.
async fn query(run: &str) -> f64 {
    let client = client().await;
    for batch in 0..20 {
        let events = (batch * 1_000..(batch + 1) * 1_000).map(|number| event(run, number)).collect();
        client.append(events, None, None).await.unwrap();
    }
    let mut times = Vec::new();
    for number in 0..1_000 {
        let start = Instant::now();
        let mut found = client.read(Some(of_order(run, number * 2)), None, false, None).await.unwrap();
        let mut count = 0;
        while let Some(event) = found.next().await {
            event.unwrap();
            count += 1;
        }
        assert_eq!(count, PER_ORDER);
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Everything there is, over the wire.
async fn read() -> f64 {
    let client = client().await;
    let start = Instant::now();
    let mut all = client.read(None, None, false, None).await.unwrap();
    let mut count = 0_u64;
    while let Some(event) = all.next().await {
        event.unwrap();
        count += 1;
    }
    count as f64 / start.elapsed().as_secs_f64()
}

/// Its engine in this process, one thread.
fn core(run: &str, batch: u64) -> f64 {
    let dir = env::var("UMADB_CORE_DIR").unwrap();
    std::fs::create_dir_all(&dir).unwrap();
    let mvcc = Mvcc::new(false, StorageOptions::default().db_path(&dir)).unwrap();
    let db = UmaDb::from_arc(mvcc.into());
    let (mut next, start) = (0, Instant::now());
    while start.elapsed() < TIME {
        let events = (next..next + batch).map(|number| event(run, number)).collect();
        for outcome in db.append_batch(vec![(events, None, None)]).unwrap() {
            outcome.unwrap();
        }
        next += batch;
    }
    next as f64 / start.elapsed().as_secs_f64()
}
