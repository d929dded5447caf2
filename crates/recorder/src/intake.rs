//! Taking in: both doors, one order of arrival, into the log's queue.
//!
//! Not here: what is accepted (`judge`), what happens once the log has it (`answer`).

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bus::subjects::{InSubject, ReceiptSubject};
use bus::{Bus, Counted, Counter, Delivery, MailboxLimits, ReplyTo, Ticket};
use contracts::Received;
use domain::RegionId;
use eventlog::{AppendError, Batch, Clock, EventLog, Pending};
use network::Network;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::judge::{Entry, Message, Refused, Request, Unfit, judge};
use crate::{Config, Doors, RunError, keep};

/// Deliveries between the mailboxes and the log; each mailbox holds at most one pull beside them.
const DELIVERIES_MAX: usize = 64;
/// The first wait before a mailbox is opened again; doubled each time up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(100);
/// A mailbox that is back is found at most this much later.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How long the counter may take to give out what had arrived when it was closed.
const DRAIN_WITHIN: Duration = Duration::from_secs(2);

/// Where the answer goes.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A receipt on the sender's subject, then the acknowledgement.
    Mailbox(Ticket),
    /// An answer, if anybody asked for one.
    Counter(Option<ReplyTo>),
}

/// What the log was asked to do.
#[derive(Debug)]
pub(crate) enum Asked {
    /// To append every event of the request.
    Events(Result<Pending, AppendError>),
    /// To keep what was refused of it; the rest is not appended.
    Quarantine(Result<Pending, AppendError>),
}

/// A request in the hands of the log.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It was judged.
    Judged { message: Message, request: Request, asked: Asked, reply: Reply },
    /// It was refused as a whole.
    Unfit { unfit: Unfit, reply: Reply },
}

/// The doors.
pub(crate) struct Intake {
    network: Arc<Network>,
    clock: Arc<dyn Clock>,
    log: EventLog,
    counter: Counter,
    deliveries: mpsc::Receiver<Delivery>,
    unanswered: mpsc::Sender<Unanswered>,
    /// Ends the mailboxes when it goes.
    _mailboxes: JoinSet<()>,
}

impl Intake {
    pub(crate) fn open(
        config: Config,
        bus: &Bus,
        log: EventLog,
        counter: Counter,
        doors: watch::Sender<Doors>,
        unanswered: mpsc::Sender<Unanswered>,
    ) -> Self {
        let Config { network, clock, provision } = config;
        let (out, deliveries) = mpsc::channel(DELIVERIES_MAX);
        let doors = Arc::new(doors);
        let mut mailboxes = JoinSet::new();
        for region in network.regions() {
            let (bus, doors, out) = (bus.clone(), Arc::clone(&doors), out.clone());
            mailboxes.spawn(read_mailbox(bus, region.code.clone(), provision, doors, out));
        }
        Self { network, clock, log, counter, deliveries, unanswered, _mailboxes: mailboxes }
    }

    /// Takes in until `shutdown`, then what is still at the counter. What is still in a mailbox stays there.
    pub(crate) async fn run(&mut self, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
        tokio::pin!(shutdown);
        loop {
            let taken = tokio::select! {
                () = &mut shutdown => break,
                counted = self.counter.next() => match counted {
                    Some(counted) => self.counted(counted).await,
                    None => return Err(RunError::Closed),
                },
                Some(delivery) = self.deliveries.recv() => self.delivered(delivery).await,
            };
            if !taken {
                return Ok(());
            }
        }
        self.counter.close().await;
        let rest = async {
            while let Some(counted) = self.counter.next().await {
                if !self.counted(counted).await {
                    break;
                }
            }
        };
        if timeout(DRAIN_WITHIN, rest).await.is_err() {
            tracing::warn!("the counter did not give out all it had; what has no receipt is sent again");
        }
        Ok(())
    }

    async fn counted(&self, counted: Counted) -> bool {
        let Counted { subject, headers, payload, reply } = counted;
        let message = Message { subject, headers, payload, stream_sequence: None };
        self.take(message, Reply::Counter(reply)).await
    }

    async fn delivered(&self, delivery: Delivery) -> bool {
        let Delivery { subject, headers, unreadable, payload, stream_sequence, ticket } = delivery;
        let message = Message { subject, headers, payload, stream_sequence: Some(stream_sequence) };
        let reply = Reply::Mailbox(ticket);
        let Some(reason) = unreadable else { return self.take(message, reply).await };
        let request = put_aside(&message, reason);
        let asked = self.ask(&message, &request).await;
        self.unanswered.send(Unanswered::Judged { message, request, asked, reply }).await.is_ok()
    }

    /// Judges a message and hands it to the log. `false` when the answers have ended, which then say why.
    async fn take(&self, message: Message, reply: Reply) -> bool {
        let unanswered = match judge(&self.network, &message) {
            Err(unfit) => Unanswered::Unfit { unfit, reply },
            Ok(request) => {
                let asked = self.ask(&message, &request).await;
                Unanswered::Judged { message, request, asked, reply }
            }
        };
        self.unanswered.send(unanswered).await.is_ok()
    }

    async fn ask(&self, message: &Message, request: &Request) -> Asked {
        let origin = keep::origin(message);
        let records: Option<Vec<_>> =
            request.entries.iter().map(|entry| entry.verdict.as_ref().ok().map(keep::event)).collect();
        if let Some(records) = records {
            let batch = Batch { records, condition: request.condition.clone(), origin };
            return Asked::Events(self.log.enqueue(batch).await);
        }
        let now = self.clock.now();
        let refused = |entry: &Entry| {
            let refused = entry.verdict.as_ref().err()?;
            Some(keep::quarantined(message, request, entry, refused, now))
        };
        let records = request.entries.iter().filter_map(refused).collect();
        Asked::Quarantine(self.log.enqueue(Batch { records, condition: None, origin }).await)
    }
}

/// What is asked for by a message the client can not read: that its bytes are kept.
fn put_aside(message: &Message, reason: &str) -> Request {
    let party = message.subject.parse::<InSubject>().ok();
    let received = Received::structured(message.payload.clone());
    let refused = Refused {
        code: contracts::Reason::Malformed.code(),
        detail: format!("the message can not be read: {reason}; send it again without that"),
        source: String::new(),
        id: String::new(),
    };
    let entry = Entry {
        raw: message.payload.clone(),
        content_type: received.content_type().to_owned(),
        hash: received.content_hash(),
        verdict: Err(refused),
    };
    let party = party.map(|InSubject { region, sender, event: _ }| ReceiptSubject { region, sender });
    Request { party, entries: vec![entry], condition: None, protobuf: false }
}

/// Reads one mailbox for ever, opening it again whenever it breaks.
async fn read_mailbox(
    bus: Bus,
    region: RegionId,
    provision: Option<MailboxLimits>,
    doors: Arc<watch::Sender<Doors>>,
    out: mpsc::Sender<Delivery>,
) {
    let mut wait = WAIT_MIN;
    let mut acknowledged = 0;
    loop {
        if let Some(limits) = provision
            && let Err(error) = bus.provision_mailbox(&region, limits).await
        {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(%region, error, "the mailbox can not be made now");
        } else {
            match bus.open_mailbox(&region).await {
                Err(error) => tracing::warn!(%region, %error, "the mailbox is closed"),
                Ok(mut mailbox) => {
                    // Acknowledgements may still be on their way: give them longer each time nothing has moved.
                    if mailbox.acknowledged() != acknowledged {
                        acknowledged = mailbox.acknowledged();
                        wait = WAIT_MIN;
                    }
                    doors.send_modify(|doors| doors.mailboxes = doors.mailboxes.saturating_add(1));
                    let ending = loop {
                        match mailbox.next().await {
                            Ok(delivery) => {
                                if out.send(delivery).await.is_err() {
                                    return;
                                }
                            }
                            Err(error) => break error,
                        }
                    };
                    doors.send_modify(|doors| doors.mailboxes = doors.mailboxes.saturating_sub(1));
                    tracing::warn!(%region, error = %ending, "the mailbox was interrupted");
                }
            }
        }
        tokio::time::sleep(wait).await;
        wait = wait.saturating_mul(2).min(WAIT_MAX);
    }
}
