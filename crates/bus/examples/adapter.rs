//! The smallest adapter that loses nothing: JSON CloudEvents in, one a line, an outbox, the ordered sender.
//!
//! ```text
//! adapter URL REGION SENDER OUTBOX [KEY-FILE [CA-FILE]] < events.jsonl
//! ```
//!
//! Says `kept LINE` once a line is on its disk: from then on it is sent whatever happens, now or after the next start.
//! A program of one's own calls `push` where it now writes to its message queue. Ends when everything has its receipt.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::error::Error;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::time::Duration;

use bus::alarm::Alarms;
use bus::subjects::EventName;
use bus::{Door, Login, Logins, Order, Outbox, OutboxLimits, Outgoing, SenderConfig, Server, Told};
use bytes::Bytes;
use contracts::Received;
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, region, sender, folder, files @ ..] = arguments.as_slice() else {
        return Err("usage: adapter URL REGION SENDER OUTBOX [KEY-FILE [CA-FILE]]".into());
    };
    let logins = match files.first() {
        Some(key) => Logins::One(Login::from_file(Path::new(key))?),
        None => Logins::None,
    };
    let config = SenderConfig {
        server: Server { url: url.clone(), ca: files.get(1).map(Into::into) },
        name: format!("adapter of {sender}"),
        logins,
        door: Door::Counter(Order::WithinRegion),
        in_flight: 1,
        // An outbox never gives up.
        give_up_after: Duration::MAX,
    };
    let outbox = Outbox::open(Path::new(folder), OutboxLimits::default(), Alarms::new())?;
    let sending = tokio::spawn({
        let outbox = outbox.clone();
        async move { outbox.send(config, tell).await }
    });

    let mut lines = BufReader::new(stdin()).lines();
    let mut number = 0_u64;
    while let Some(line) = lines.next_line().await? {
        number += 1;
        let event = Outgoing {
            region: region.parse()?,
            sender: sender.parse()?,
            // Only the subject of the mailbox needs it.
            name: EventName::unreadable(),
            event: Received::structured(Bytes::from(line)),
            sign: true,
        };
        outbox.push(event).await?;
        println!("kept {number}");
        stdout().flush()?;
    }
    tokio::select! {
        () = outbox.settled() => outbox.close().await,
        ended = sending => ended??,
    }
    Ok(())
}

/// Here a real adapter tells its own system what became of an event.
fn tell(told: Told) {
    match told.outcome {
        Ok(receipt) if receipt.code.is_empty() => (),
        Ok(receipt) => eprintln!("{}: {}: {}", told.place, receipt.outcome.code(), receipt.reason),
        Err(reason) => eprintln!("{}: can not be sent: {reason}", told.place),
    }
}
